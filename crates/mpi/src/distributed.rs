//! A risk over all ranks.

use crate::columns::count;
use crate::fault::Fault;
use crate::least_squares::DistributedResiduals;
use crate::linearized::DistributedAt;
use crate::ranks::{Ranks, Said, Topic};
use crate::shared::Shared;
use secant_core::graph::Graph;
use secant_core::loss::Loss;
use secant_core::penalty::Penalty;
use secant_core::problem::{Curvature, LeastSquares, Objective, SampledObjective, Structure};
use secant_core::random::hashed;
use secant_core::risk::{Partials, RiskPart};
use secant_optim::{Interrupt, Reason, Solution};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Mean loss over the samples of all ranks plus penalty: what [`Risk`](secant_core::risk::Risk) is over those of one process, with the same
/// bits, whatever the number of ranks.
///
/// A fault on one rank (a panic, a thread that fails) reaches all ranks in the collective at hand: from then on every evaluation is NaN at no
/// cost, [`interrupt`](Self::interrupt) is set, and [`verdict`](Self::verdict) says what it was.
#[derive(Debug)]
pub struct Distributed<'a> {
    pub(crate) ranks: &'a Ranks,
    pub(crate) shared: &'a Shared,
    pub(crate) part: RiskPart<'a>,
    /// Set on all ranks in the same exchange.
    agreed: Interrupt,
    /// Set on this one, by whoever wants to stop.
    wish: Option<Interrupt>,
    deadline: Option<Instant>,
}

/// Where a value is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonFinite {
    /// The rank that has the sample.
    pub rank: usize,
    /// The sample, from 0 among all.
    pub sample: usize,
}

impl<'a> Distributed<'a> {
    /// The mean `loss` of `graph` on the samples that the ranks share, plus `penalty`. All ranks call this, with the same arguments.
    ///
    /// # Errors
    /// [`Fault`], on all ranks: what [`Risk::new`](secant_core::risk::Risk::new) refuses on one of them.
    pub fn new(
        ranks: &'a Ranks,
        graph: &'a Graph,
        shared: &'a Shared,
        loss: impl Loss + 'static,
        penalty: impl Penalty + 'static,
    ) -> Result<Self, Fault> {
        Self::from_shared(ranks, graph, shared, Arc::new(loss), Arc::new(penalty))
    }

    /// The same of a loss and a penalty that were chosen when the program runs.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_shared(
        ranks: &'a Ranks,
        graph: &'a Graph,
        shared: &'a Shared,
        loss: Arc<dyn Loss>,
        penalty: Arc<dyn Penalty>,
    ) -> Result<Self, Fault> {
        let how = (loss, penalty);
        let blocks = &shared.blocks[ranks.rank()];
        let part = ranks.together("model and data", || {
            RiskPart::new(graph, &shared.data, how, &shared.layout, blocks)
        })?;
        let agreed = Interrupt::new();
        Ok(Self { ranks, shared, part, agreed, wish: None, deadline: None })
    }

    /// Bytes of tapes that a linearisation may keep, on each rank.
    pub fn with_tape_budget(self, bytes: usize) -> Self {
        Self { part: self.part.with_tape_budget(bytes), ..self }
    }

    /// Ends runs when so much time is over on the clock of rank 0, from now on: with [`interrupt`](Self::interrupt), in the same evaluation on
    /// all ranks. A limit of time in the options of a solver is each rank's own, and ranks whose clocks differ would part.
    pub fn with_max_time(mut self, time: Duration) -> Self {
        self.deadline = self.ranks.is_first().then(|| Instant::now() + time);
        self
    }

    /// Ends runs on all ranks after `wish` was set on one of them, by Ctrl-C for example.
    pub fn with_wish(mut self, wish: Interrupt) -> Self {
        self.wish = Some(wish);
        self
    }

    /// What is to be given to the watch of a run: it is set on all ranks in the same evaluation, where one of them wants to stop or is at
    /// fault.
    pub fn interrupt(&self) -> Interrupt {
        self.agreed.clone()
    }

    /// Whether no rank is at fault.
    ///
    /// # Errors
    /// The fault, the same on all ranks.
    pub fn verdict(&self) -> Result<(), Fault> {
        self.ranks.fault().map_or(Ok(()), Err)
    }

    /// The same after a run: where it ended since f is not finite, that is a fault of the rank that has the first such sample. All ranks call
    /// this.
    ///
    /// # Errors
    /// The fault, the same on all ranks.
    pub fn verdict_of(&self, solution: &Solution) -> Result<(), Fault> {
        self.verdict()?;
        let at_fault =
            matches!(solution.report.reason, Reason::NonFiniteStart | Reason::NonFiniteValue);
        match at_fault.then(|| self.nonfinite_at(&solution.theta)).transpose()?.flatten() {
            None => Ok(()),
            Some(NonFinite { rank, sample }) => {
                let message =
                    format!("the loss of sample {sample} (from 0, among all) is not finite");
                Err(self.ranks.fail(Fault { rank, message }))
            }
        }
    }

    /// The first sample whose loss at θ, or its gradient, is not finite. All ranks call this; for the message of a run that ended so.
    ///
    /// # Errors
    /// A fault.
    pub fn nonfinite_at(&self, theta: &[f64]) -> Result<Option<NonFinite>, Fault> {
        let topic =
            Topic { about: fingerprint(theta), ..Topic::named("samples that are not finite") };
        let said = self.ranks.exchange(topic, &vec![1; self.ranks.size()], || {
            Ok(vec![self.part.first_nonfinite(theta).map_or(-1.0, |sample| sample as f64)])
        })?;
        let mut found = (0..self.ranks.size()).map(|rank| (rank, said.of(rank)[0]));
        let found = found.find(|(_, sample)| *sample >= 0.0);
        Ok(found.map(|(rank, sample)| NonFinite { rank, sample: count(sample) }))
    }

    /// One exchange of the work: nothing where a rank is at fault, now or before.
    pub(crate) fn exchange(
        &self,
        name: &'static str,
        about: u64,
        lens: &[usize],
        say: impl FnOnce() -> Vec<f64>,
    ) -> Option<Said> {
        let wished = self.wish.as_ref().is_some_and(Interrupt::is_set);
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let topic = Topic { name, about, stop: wished || late };
        let said = self.ranks.exchange(topic, lens, || Ok(say()));
        if said.as_ref().map_or(true, |said| said.stop) {
            self.agreed.set();
        }
        said.ok()
    }

    /// The sums of all ranks, `width` numbers for each node, joined; with the losses of the shards where they are summed.
    pub(crate) fn sum(
        &self,
        (name, about): (&'static str, u64),
        (width, losses): (usize, bool),
        own: impl FnOnce() -> Partials,
    ) -> Option<Partials> {
        let layout = &self.shared.layout;
        let all = layout.blocks();
        let of = |blocks| {
            let of_shards = if losses { 2 * layout.shards_of(blocks) } else { 0 };
            (Partials::nodes_len(blocks, all, width), of_shards)
        };
        let lens: Vec<usize> =
            self.shared.blocks.iter().map(|blocks| of(blocks).0 + of(blocks).1).collect();
        let said = self.exchange(name, about, &lens, || {
            let own = own();
            [own.nodes(), own.losses()].concat()
        })?;
        let parts = self.shared.blocks.iter().enumerate().map(|(rank, blocks)| {
            let (nodes, losses) = said.of(rank).split_at(of(blocks).0);
            Partials::new(blocks.clone(), all, width, nodes.to_vec(), losses.to_vec())
        });
        let parts: Result<Vec<Partials>, _> = parts.collect();
        parts.and_then(Partials::fold).ok()
    }
}

/// θ as a number that tells it from others.
pub(crate) fn fingerprint(theta: &[f64]) -> u64 {
    theta.iter().fold(0, |code, entry| hashed(code, entry.to_bits()))
}

/// f with `gradient`; where a rank is at fault both are NaN.
pub(crate) fn or_nan(value: Option<f64>, gradient: &mut [f64]) -> f64 {
    value.unwrap_or_else(|| {
        gradient.fill(f64::NAN);
        f64::NAN
    })
}

impl Objective for Distributed<'_> {
    fn dim(&self) -> usize {
        self.part.dim()
    }

    fn value(&self, theta: &[f64]) -> f64 {
        let sums = self.sum(("value", fingerprint(theta)), (0, true), || self.part.value(theta));
        let value = sums.and_then(|sums| self.part.finish_value(theta, &sums).ok());
        value.unwrap_or(f64::NAN)
    }

    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let topic = ("value and gradient", fingerprint(theta));
        let sums = self.sum(topic, (self.dim(), true), || self.part.value_gradient(theta));
        let finish = |sums: Partials| self.part.finish_value_gradient(theta, &sums, gradient).ok();
        or_nan(sums.and_then(finish), gradient)
    }
}

impl Curvature for Distributed<'_> {
    type At<'b>
        = DistributedAt<'b>
    where
        Self: 'b;

    fn linearize(&self, theta: &[f64]) -> DistributedAt<'_> {
        DistributedAt::new(self, theta)
    }

    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        let view = DistributedResiduals::new(self)?;
        Some(Box::new(view))
    }

    fn structure(&self) -> Structure {
        self.part.structure()
    }
}

/// The samples of a batch are sent to all ranks, and each evaluates all of it: a batch is small, and has fewer numbers than a gradient has.
/// A batch of all samples in their order is evaluated where they are.
impl SampledObjective for Distributed<'_> {
    fn parameters(&self) -> usize {
        self.part.dim()
    }

    fn samples(&self) -> usize {
        self.shared.samples()
    }

    fn value_gradient_on(&self, indices: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.value_gradient_drawn(0, indices, theta, gradient)
    }

    fn value_gradient_drawn(
        &self,
        draw: u64,
        indices: &[usize],
        theta: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        assert!(!indices.is_empty(), "a batch needs at least one sample");
        let (columns, samples) = (self.shared.columns, self.shared.samples());
        if let Some(place) = indices.iter().position(|&index| index >= samples) {
            panic!("index {place} of the batch is {}, there are {samples} samples", indices[place]);
        }
        if draw == 0 && indices.iter().copied().eq(0..samples) {
            let topic = ("value and gradient", fingerprint(theta));
            let own = || self.part.value_gradient_of_all(theta);
            let sums = self.sum(topic, (self.dim(), true), own);
            let finish = |sums: Partials| {
                self.part.finish_value_gradient_of_all(theta, &sums, gradient).ok()
            };
            return or_nan(sums.and_then(finish), gradient);
        }
        let (size, width) = (self.ranks.size(), columns.width());
        let ends: Vec<usize> = (0..size).map(|rank| self.shared.samples_of(rank).end).collect();
        let owner = |index: usize| ends.partition_point(|end| *end <= index);
        let mut lens = vec![0; size];
        for index in indices {
            lens[owner(*index)] += width;
        }
        let about = indices.iter().fold(fingerprint(theta), |code, i| hashed(code, *i as u64));
        let said = self.exchange("value and gradient on a batch", about, &lens, || {
            let own = self.shared.samples_of(self.ranks.rank());
            let mut rows = Vec::new();
            for index in indices.iter().filter(|index| own.contains(index)) {
                columns.push(&self.shared.data, index - own.start, &mut rows);
            }
            rows
        });
        let evaluate = |said: Said| {
            let mut next = vec![0; size];
            let rows = indices.iter().map(|index| {
                let rank = owner(*index);
                let at = next[rank];
                next[rank] += width;
                &said.of(rank)[at..at + width]
            });
            let batch = columns.dataset(rows).ok()?;
            Some(self.part.value_gradient_of(draw, (indices, &batch), theta, gradient))
        };
        or_nan(said.and_then(evaluate), gradient)
    }
}
