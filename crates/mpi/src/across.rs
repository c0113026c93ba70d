//! `secant::fit` over the ranks.

use crate::columns::{halves, whole};
use crate::distributed::Distributed;
use crate::fault::Fault;
use crate::ranks::{Ranks, Topic};
use crate::shared::Shared;
use secant::data::Standardizer;
use secant::{Across, AcrossRun, FitError};
use secant_optim::{Solution, memory};

/// The samples that ranks share, for [`Fit::run_across`](secant::Fit::run_across).
#[derive(Clone, Copy, Debug)]
pub struct AcrossRanks<'a> {
    ranks: &'a Ranks,
    shared: &'a Shared,
}

impl Shared {
    /// All samples, for a fit of which [`data`](Self::data) are those of this rank:
    /// `secant::fit(&network, shared.data()).run_across(&shared.across(ranks))`. Every rank has the model. Cost: where
    /// standardised one turn of all ranks over their samples, of which those of a short table are copied.
    pub fn across<'a>(&'a self, ranks: &'a Ranks) -> AcrossRanks<'a> {
        AcrossRanks { ranks, shared: self }
    }
}

impl AcrossRanks<'_> {
    /// What every rank may take: clocks and memories differ, and what a solver does for lack of memory all must do.
    fn memory_limit(&self) -> Result<Option<u64>, Fault> {
        let topic = Topic::named("the free memory");
        let said = self.ranks.exchange(topic, &vec![1; self.ranks.size()], || {
            let half = memory::available().map(|bytes| bytes / memory::SHARE);
            Ok(vec![half.map_or(f64::INFINITY, |bytes| bytes as f64)])
        })?;
        let least =
            (0..self.ranks.size()).map(|rank| said.of(rank)[0]).fold(f64::INFINITY, f64::min);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes")]
        Ok(least.is_finite().then_some(least as u64))
    }
}

impl Across for AcrossRanks<'_> {
    fn is_first(&self) -> bool {
        self.ranks.is_first()
    }

    fn samples(&self) -> usize {
        self.shared.samples()
    }

    fn fingerprint(&self) -> Result<u64, FitError> {
        let Shared { columns, data, .. } = self.shared;
        let own = self.shared.samples_of(self.ranks.rank());
        let topic = Topic::named("the fingerprint of the samples");
        let said = self.ranks.exchange(topic, &vec![2; self.ranks.size()], || {
            Ok(halves(columns.code(data, own.len(), own.start)).to_vec())
        })?;
        Ok((0..self.ranks.size()).fold(0, |sum, rank| whole(said.of(rank)).wrapping_add(sum)))
    }

    fn input_scaling(&self) -> Result<Standardizer, FitError> {
        Ok(self.shared.input_scaling(self.ranks)?)
    }

    fn target_scaling(&self) -> Result<Standardizer, FitError> {
        Ok(self.shared.target_scaling(self.ranks)?)
    }

    fn minimize(&self, run: AcrossRun<'_>) -> Result<Solution, FitError> {
        let Shared { layout, blocks, columns, .. } = self.shared;
        let (layout, blocks, columns) = (layout.clone(), blocks.clone(), *columns);
        let shared = Shared { layout, blocks, columns, data: run.data };
        let mut risk =
            Distributed::from_shared(self.ranks, run.graph, &shared, run.loss, run.penalty)?;
        if let Some(time) = run.max_time {
            risk = risk.with_max_time(time);
        }
        if let Some(wish) = run.wish {
            risk = risk.with_wish(wish);
        }
        let mut options = run.options;
        options.memory_limit = self.memory_limit()?;
        let (method, start) = (run.method, run.start);
        let mut watch = run.watch.interrupt(risk.interrupt());
        let solution = match &run.minibatches {
            None => method.minimize_with(&risk, start, &options, &mut watch).map(|(end, _)| end),
            Some(batches) => {
                method.minimize_sampled_with(&risk, batches, start, &options, &mut watch)
            }
        };
        risk.verdict()?;
        Ok(solution?)
    }
}

impl From<Fault> for FitError {
    fn from(Fault { rank, message }: Fault) -> Self {
        Self::Process { rank, message }
    }
}
