//! How minibatches are drawn from N samples, and the stream of them.
//!
//! An epoch is N draws: every sample once in a new order, or N draws with replacement. It is cut into batches of B, the last of
//! which may be shorter. The numbers are those of [`Random`], so that a seed names the same batches on every platform; threads
//! have no part in it.
//! Source: Robbins & Monro (1951); Bottou, Curtis & Nocedal (2018), SIAM Review 60, §3.3 and §5.

use crate::error::{OptimError, require};
use secant_core::random::Random;
use serde::{Deserialize, Serialize};

/// B.  Bengio (2012), arXiv:1206.5533, §3.1.1: 32 is a good default.
pub const SIZE: usize = 32;
/// Epochs of a run that sets no limit.
pub const EPOCHS: u64 = 100;
const NAME: &str = "minibatches";

/// Where the samples of a batch come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sampling {
    /// Without replacement: every epoch goes through all samples, in an order of its own.
    #[default]
    Shuffled,
    /// With replacement: every draw is any of the N samples.
    WithReplacement,
    /// Every epoch goes through all samples in the order of the data; no randomness.
    InOrder,
}

/// What becomes of the N mod B samples left at the end of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LastBatch {
    /// They make a short batch.
    #[default]
    Keep,
    /// They are left out of this epoch.
    Drop,
}

/// A stretch of a run on minibatches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Span {
    /// So many passes over the data.
    Epochs(u64),
    /// So many steps, one minibatch each.
    Steps(u64),
}

/// Minibatches of a run: how they are drawn, how many, and how often all samples are looked at.
///
/// ```
/// use secant_optim::Minibatches;
/// let minibatches = Minibatches { size: 3, seed: 7, ..Minibatches::default() };
/// let mut batches = minibatches.stream(8)?;
/// assert_eq!(batches.steps_per_epoch(), 3);
/// let mut epoch: Vec<usize> = (0..3).flat_map(|_| batches.next_batch().to_vec()).collect();
/// epoch.sort();
/// assert_eq!(epoch, [0, 1, 2, 3, 4, 5, 6, 7]);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minibatches {
    /// B ≥ 1, samples of a batch; N or more make one batch of all samples. Default [`SIZE`].
    pub size: usize,
    /// Where the samples of a batch come from. Default [`Sampling::Shuffled`].
    pub sampling: Sampling,
    /// What becomes of the last short batch. Default [`LastBatch::Keep`].
    pub last: LastBatch,
    /// Names the draws. Default 0.
    pub seed: u64,
    /// The most steps or epochs, in place of the `max_iterations` of a full-batch run. Default [`EPOCHS`] epochs.
    pub limit: Span,
    /// How often f and ∇f are evaluated on *all* samples, for the report, the stopping tests and the best point; at the start and
    /// at the end they are in any case. Default once in an epoch.
    pub evaluate_every: Span,
}

impl Default for Minibatches {
    fn default() -> Self {
        Self {
            size: SIZE,
            sampling: Sampling::default(),
            last: LastBatch::default(),
            seed: 0,
            limit: Span::Epochs(EPOCHS),
            evaluate_every: Span::Epochs(1),
        }
    }
}

impl Minibatches {
    /// Shuffled batches of `size`.
    pub fn of(size: usize) -> Self {
        Self { size, ..Self::default() }
    }

    /// For so many epochs.
    pub fn with_epochs(mut self, epochs: u64) -> Self {
        self.limit = Span::Epochs(epochs);
        self
    }

    /// For so many steps.
    pub fn with_steps(mut self, steps: u64) -> Self {
        self.limit = Span::Steps(steps);
        self
    }

    /// Drawn from this seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Checks that batches can be drawn from `samples` samples.
    ///
    /// # Errors
    /// A size of zero, or one above the number of samples while the last short batch is dropped; no samples; no steps between two
    /// evaluations.
    pub fn validate(&self, samples: usize) -> Result<(), OptimError> {
        require(samples > 0, NAME, "samples", samples as f64, "≥ 1")?;
        let allowed = match self.last {
            LastBatch::Keep => "≥ 1",
            LastBatch::Drop => "1 to the number of samples where the last short batch is dropped",
        };
        let fits = self.last == LastBatch::Keep || self.size <= samples;
        require(self.size > 0 && fits, NAME, "size", self.size as f64, allowed)?;
        let (Span::Epochs(every) | Span::Steps(every)) = self.evaluate_every;
        require(every > 0, NAME, "evaluate_every", every as f64, "≥ 1")
    }

    /// The batches of `samples` samples, from the first epoch on.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn stream(&self, samples: usize) -> Result<BatchStream, OptimError> {
        self.validate(samples)?;
        let size = self.size.min(samples);
        let batches = match self.last {
            LastBatch::Keep => samples.div_ceil(size),
            LastBatch::Drop => samples / size,
        };
        Ok(BatchStream {
            sampling: self.sampling,
            size,
            batches,
            order: (0..samples).collect(),
            random: Random::new(self.seed),
            next: 0,
            drawn: 0,
        })
    }
}

/// An endless stream of minibatches, epoch after epoch. Allocates nothing once it is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchStream {
    sampling: Sampling,
    size: usize,
    /// Batches of an epoch.
    batches: usize,
    /// The draws of the epoch.
    order: Vec<usize>,
    random: Random,
    /// Number of the next batch in the epoch.
    next: usize,
    /// Samples handed out so far.
    drawn: u64,
}

impl BatchStream {
    /// The indices of the next batch, each below the number of samples.
    pub fn next_batch(&mut self) -> &[usize] {
        if self.next == 0 {
            self.draw_epoch();
        }
        let start = self.next * self.size;
        let batch = start..(start + self.size).min(self.order.len());
        self.next = (self.next + 1) % self.batches;
        self.drawn += batch.len() as u64;
        &self.order[batch]
    }

    /// Batches of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.batches as u64
    }

    /// The steps of a stretch.
    pub fn steps(&self, span: Span) -> u64 {
        match span {
            Span::Epochs(epochs) => epochs.saturating_mul(self.steps_per_epoch()),
            Span::Steps(steps) => steps,
        }
    }

    /// Samples handed out so far, in units of N.
    pub fn epochs(&self) -> f64 {
        self.drawn as f64 / self.order.len() as f64
    }

    /// The draws of the next epoch.
    fn draw_epoch(&mut self) {
        let samples = self.order.len();
        match self.sampling {
            Sampling::Shuffled => {
                // From the order of the data, so that an epoch depends on the state of the random numbers alone.
                self.order.iter_mut().enumerate().for_each(|(index, draw)| *draw = index);
                self.random.shuffle(&mut self.order);
            }
            Sampling::WithReplacement => {
                self.order.iter_mut().for_each(|draw| *draw = self.random.below(samples));
            }
            Sampling::InOrder => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(minibatches: Minibatches, samples: usize, count: usize) -> Vec<Vec<Vec<usize>>> {
        let mut stream = minibatches.stream(samples).unwrap();
        let steps = stream.steps_per_epoch();
        let mut epoch = || (0..steps).map(|_| stream.next_batch().to_vec()).collect();
        (0..count).map(|_| epoch()).collect()
    }

    #[test]
    fn an_epoch_is_every_sample_once_in_an_order_of_its_own() {
        for (size, samples) in [(1, 7), (3, 7), (7, 7), (32, 7), (4, 8), (32, 1000)] {
            let all = epochs(Minibatches::of(size), samples, 2);
            let flat = |epoch: &Vec<Vec<usize>>| epoch.concat();
            for epoch in &all {
                assert_eq!(epoch.len(), samples.div_ceil(size));
                let last = epoch.last().unwrap().len();
                assert_eq!(last, if samples % size == 0 { size } else { samples % size });
                let mut sorted = flat(epoch);
                sorted.sort_unstable();
                assert!(sorted.into_iter().eq(0..samples));
            }
            assert_ne!(flat(&all[0]), flat(&all[1]));
            assert_eq!(all, epochs(Minibatches::of(size), samples, 2), "a seed names its batches");
            assert_ne!(all, epochs(Minibatches::of(size).with_seed(1), samples, 2));
        }
    }

    #[test]
    fn a_dropped_last_batch_leaves_out_other_samples_in_every_epoch() {
        let minibatches = Minibatches { last: LastBatch::Drop, ..Minibatches::of(4) };
        let all = epochs(minibatches, 10, 60);
        let mut seen = [0; 10];
        for batch in all.concat() {
            assert_eq!(batch.len(), 4);
            for index in batch {
                seen[index] += 1;
            }
        }
        // Each of the 60 epochs keeps a sample with probability 0.8; six standard deviations of 3.1.
        assert!(seen.iter().all(|&count: &i32| count.abs_diff(48) < 19), "{seen:?}");
        let mut stream = minibatches.stream(10).unwrap();
        (0..4).for_each(|_| _ = stream.next_batch());
        assert_eq!((stream.steps_per_epoch(), stream.epochs()), (2, 1.6));
    }

    #[test]
    fn draws_with_replacement_are_uniform_and_repeat() {
        let minibatches = Minibatches { sampling: Sampling::WithReplacement, ..Minibatches::of(7) };
        let all = epochs(minibatches, 10, 1000).concat().concat();
        assert_eq!(all.len(), 10_000);
        let mut seen = [0; 10];
        for &index in &all {
            seen[index] += 1;
        }
        // Six standard deviations of a binomial count with mean 1,000.
        assert!(seen.iter().all(|&count: &i32| count.abs_diff(1000) < 180), "{seen:?}");
        assert!(all[..10].iter().collect::<std::collections::HashSet<_>>().len() < 10);
    }

    #[test]
    fn the_order_of_the_data_stays() {
        let minibatches = Minibatches { sampling: Sampling::InOrder, ..Minibatches::of(2) };
        assert_eq!(epochs(minibatches, 3, 2), vec![vec![vec![0, 1], vec![2]]; 2]);
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        let refused = |minibatches: Minibatches, samples| minibatches.stream(samples).unwrap_err();
        let error = refused(Minibatches::of(0), 5);
        assert_eq!(error.to_string(), "minibatches: option `size` is 0, allowed is ≥ 1");
        refused(Minibatches::of(1), 0);
        refused(Minibatches { last: LastBatch::Drop, ..Minibatches::of(6) }, 5);
        refused(Minibatches { evaluate_every: Span::Steps(0), ..Minibatches::of(1) }, 5);
    }
}
