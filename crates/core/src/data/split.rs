//! Parts of a data set: selected samples, seeded splits, folds.

use super::{DataError, Dataset};
use crate::random::Random;

impl Dataset {
    /// The samples that `indices` names, in that order; repeats are allowed.
    ///
    /// # Errors
    /// An index ≥ N; no indices; samples whose weights are all 0.
    pub fn select(&self, indices: &[usize]) -> Result<Self, DataError> {
        let samples = self.samples();
        if let Some(&index) = indices.iter().find(|&&index| index >= samples) {
            return Err(DataError::NoSuchSample { index, samples });
        }
        let mut part = self.rebuild(self.gathered(indices), self.targets().gather(indices))?;
        part.encoding.clone_from(&self.encoding);
        self.gather_beside(indices, part)
    }

    /// The first `n` samples.
    ///
    /// # Errors
    /// `n` > N; `n` = 0.
    pub fn first(&self, n: usize) -> Result<Self, DataError> {
        let samples = self.samples();
        if n > samples {
            return Err(DataError::NoSuchSample { index: n - 1, samples });
        }
        self.select(&(0..n).collect::<Vec<_>>())
    }

    /// Two disjoint parts that share out all samples: the first holds `fraction` of them, to the nearest sample.
    /// Which samples go where is random and depends on `seed` and N alone.
    ///
    /// # Errors
    /// A fraction that leaves either part without a sample, or is not a number.
    pub fn split(&self, fraction: f64, seed: u64) -> Result<(Self, Self), DataError> {
        let samples = self.samples();
        let refused = || DataError::EmptySplit { fraction, samples };
        let (first, second) = parts(samples, fraction, seed).ok_or_else(refused)?;
        Ok((self.select(&first)?, self.select(&second)?))
    }

    /// `folds` pairs (rest, fold): every sample is in exactly one fold, and fold sizes differ by at most one.
    ///
    /// # Errors
    /// Fewer than two folds, or more folds than samples.
    pub fn k_folds(&self, folds: usize, seed: u64) -> Result<Vec<(Self, Self)>, DataError> {
        let samples = self.samples();
        if folds < 2 || folds > samples {
            return Err(DataError::Folds { folds, samples });
        }
        let order = shuffled(samples, seed);
        let (size, larger) = (samples / folds, samples % folds);
        let mut start = 0;
        let mut parts = Vec::with_capacity(folds);
        for fold in 0..folds {
            let end = start + size + usize::from(fold < larger);
            let rest = [&order[..start], &order[end..]].concat();
            parts.push((self.select(&rest)?, self.select(&order[start..end])?));
            start = end;
        }
        Ok(parts)
    }
}

/// The indices of both parts of a split; `None` where one would have none.
pub(super) fn parts(samples: usize, fraction: f64, seed: u64) -> Option<(Vec<usize>, Vec<usize>)> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 < fraction < 1, so the product lies in 0..=samples"
    )]
    let count = (fraction * samples as f64).round() as usize;
    if count == 0 || count >= samples {
        return None;
    }
    let mut first = shuffled(samples, seed);
    let second = first.split_off(count);
    Some((first, second))
}

/// 0, …, `samples` − 1 in the order that `seed` names.
fn shuffled(samples: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..samples).collect();
    Random::new(seed).shuffle(&mut order);
    order
}
