//! The moments of a table that comes in pieces, in order: those of the whole, bit for bit. Blocks and tasks are counted from the first of all
//! samples; a block that a piece cuts waits for its end.

use super::{BLOCK, Scratch, Sums, TASK, TASKS, scaled_range};
use crate::data::DataError;
use crate::double_double::DoubleDouble;
use rayon::prelude::*;

/// Samples of a block and of a task, for a table of so many rows and samples.
pub(super) fn cut(rows: usize, samples: usize) -> (usize, usize) {
    let block = (BLOCK / rows).max(1);
    let tasks = (samples * rows / TASK).clamp(1, TASKS);
    // Whole blocks for each task.
    (block, samples.div_ceil(tasks).div_ceil(block) * block)
}

/// Means and deviations of the rows of a table whose samples come in pieces: from a file larger than memory, or from one process after the
/// other, since as [`numbers`](Self::numbers) it can be sent on. The pieces do not show in the result.
///
/// ```
/// use secant_core::data::{Dataset, RunningMoments, Standardizer};
/// let data = Dataset::from_slices(2, &[1.0, 5.0, 3.0, 5.0, 8.0, 5.0], 1, &[0.0; 3])?;
/// let mut moments = RunningMoments::new(2, 3, false);
/// moments.add(&[1.0, 5.0], None)?;
/// let mut moments = RunningMoments::from_numbers(&moments.numbers())?;
/// moments.add(&[3.0, 5.0, 8.0, 5.0], None)?;
/// let scaling = moments.standardizer(data.feature_names().to_vec())?;
/// assert_eq!(scaling, Standardizer::fit_inputs(&data));
/// # Ok::<(), secant_core::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RunningMoments {
    rows: usize,
    all: usize,
    weighted: bool,
    /// Samples so far.
    next: usize,
    /// Those of the block that is not whole yet, and their weights.
    open: Vec<f64>,
    open_weights: Vec<f64>,
    task: Sums,
    total: Sums,
}

impl RunningMoments {
    /// Nothing yet, of `all` samples of `rows` ≥ 1 numbers each, with weights or without.
    pub fn new(rows: usize, all: usize, weighted: bool) -> Self {
        let (open, open_weights) = (Vec::new(), Vec::new());
        let (task, total) = (Sums::new(rows), Sums::new(rows));
        Self { rows, all, weighted, next: 0, open, open_weights, task, total }
    }

    /// Adds the samples that follow, rows × M column-major and finite, with their weights where there are weights. Whole blocks are summed
    /// in parallel.
    ///
    /// # Errors
    /// More samples than there are, or weights that do not fit.
    pub fn add(&mut self, values: &[f64], weights: Option<&[f64]>) -> Result<(), DataError> {
        let samples = values.len() / self.rows;
        let fits = weights.map_or(samples, <[f64]>::len) == samples
            && weights.is_some() == self.weighted
            && values.len() == samples * self.rows
            && samples <= self.all - self.next;
        if !fits {
            let found =
                format!("{} numbers and {:?} weights", values.len(), weights.map(<[f64]>::len));
            return Err(refused("RunningMoments::add", found, "the samples that follow"));
        }
        let (rows, (block, _)) = (self.rows, cut(self.rows, self.all));
        let of = |from: usize, to: usize| {
            (&values[from * rows..to * rows], weights.map(|weights| &weights[from..to]))
        };
        let mut done = 0;
        if !self.open.is_empty() {
            done = samples.min(block - self.next % block);
            self.wait(of(0, done));
        }
        // The last block ends with the samples.
        let rest = samples - done;
        let whole = if self.next + rest == self.all { rest } else { rest / block * block };
        let starts: Vec<usize> = (done..done + whole).step_by(block).collect();
        let sums = starts.par_iter().map_init(
            || Scratch::new(rows),
            |scratch, &start| {
                let end = (start + block).min(done + whole);
                let (values, weights) = of(start, end);
                (end - start, scratch.block(values, weights))
            },
        );
        for (samples, sums) in sums.collect::<Vec<_>>() {
            self.next += samples;
            self.join(&sums);
        }
        self.wait(of(done + whole, samples));
        Ok(())
    }

    /// Adds samples to the open block, and joins it where they end it.
    fn wait(&mut self, (values, weights): (&[f64], Option<&[f64]>)) {
        if values.is_empty() {
            return;
        }
        self.open.extend_from_slice(values);
        self.open_weights.extend_from_slice(weights.unwrap_or_default());
        self.next += values.len() / self.rows;
        let (block, _) = cut(self.rows, self.all);
        if self.next.is_multiple_of(block) || self.next == self.all {
            let weights = self.weighted.then_some(&self.open_weights[..]);
            let sums = Scratch::new(self.rows).block(&self.open, weights);
            self.join(&sums);
            self.open.clear();
            self.open_weights.clear();
        }
    }

    /// Joins the sums of the block that ends at `next`.
    fn join(&mut self, sums: &Sums) {
        self.task.add(sums);
        let (_, task) = cut(self.rows, self.all);
        if self.next.is_multiple_of(task) || self.next == self.all {
            self.total.add(&self.task);
            self.task = Sums::new(self.rows);
        }
    }

    /// Means and deviations, once all samples were added.
    ///
    /// # Errors
    /// As [`standardizer`](Self::standardizer).
    pub(in crate::data) fn means_and_deviations(&self) -> Result<(Vec<f64>, Vec<f64>), DataError> {
        if self.next != self.all {
            let found = format!("{} of {} samples", self.next, self.all);
            return Err(refused("RunningMoments", found, "all samples"));
        }
        if let Some(row) = (0..self.rows).find(|row| !self.total.in_range(*row)) {
            let found =
                format!("row {row} from {:e} to {:e}", self.total.least[row], self.total.most[row]);
            return Err(refused("RunningMoments", found, scaled_range()));
        }
        Ok((0..self.rows).map(|row| self.total.moments(row)).unzip())
    }

    /// All of it as numbers, to be sent.
    pub fn numbers(&self) -> Vec<f64> {
        let head = [self.rows, self.all, usize::from(self.weighted), self.next, self.open.len()];
        let mut numbers: Vec<f64> = head.map(|count| count as f64).to_vec();
        for sums in [&self.task, &self.total] {
            let doubles = [sums.weight].into_iter().chain(sums.first.iter().copied());
            let doubles = doubles.chain(sums.second.iter().copied());
            numbers.extend(doubles.flat_map(|sum| [sum.high, sum.low]));
            numbers.extend(sums.least.iter().chain(&sums.most));
        }
        numbers.extend(self.open.iter().chain(&self.open_weights));
        numbers
    }

    /// What [`numbers`](Self::numbers) gave.
    ///
    /// # Errors
    /// Numbers of another form.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    pub fn from_numbers(numbers: &[f64]) -> Result<Self, DataError> {
        let wrong = || {
            let found = format!("{} numbers", numbers.len());
            refused("RunningMoments::from_numbers", found, "numbers that it wrote")
        };
        let (head, mut rest) = numbers.split_at_checked(5).ok_or_else(wrong)?;
        let count = |at: usize| head[at] as usize;
        let (rows, weighted, open) = (count(0), count(2) > 0, count(4));
        if rows == 0 || open > rest.len() {
            return Err(wrong());
        }
        let mut moments = Self { next: count(3), ..Self::new(rows, count(1), weighted) };
        for sums in [&mut moments.task, &mut moments.total] {
            let doubles = 2 * (1 + 2 * rows);
            let (own, after) = rest.split_at_checked(doubles + 2 * rows).ok_or_else(wrong)?;
            let pair = |pair: &[f64]| DoubleDouble { high: pair[0], low: pair[1] };
            let mut doubles = own[..doubles].chunks_exact(2).map(pair);
            sums.weight = doubles.next().ok_or_else(wrong)?;
            sums.first.iter_mut().zip(&mut doubles).for_each(|(sum, sent)| *sum = sent);
            sums.second.iter_mut().zip(&mut doubles).for_each(|(sum, sent)| *sum = sent);
            let ends = &own[2 * (1 + 2 * rows)..];
            sums.least.copy_from_slice(&ends[..rows]);
            sums.most.copy_from_slice(&ends[rows..]);
            rest = after;
        }
        let of_weights = if weighted { open / rows } else { 0 };
        if rest.len() != open + of_weights {
            return Err(wrong());
        }
        moments.open.extend_from_slice(&rest[..open]);
        moments.open_weights.extend_from_slice(&rest[open..]);
        Ok(moments)
    }
}

fn refused(option: &'static str, found: String, allowed: &'static str) -> DataError {
    DataError::Option { option, found, allowed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::moments::moments;
    use crate::random::Random;

    /// In pieces of any length, sent on from one to the next, the moments have the bits of the whole.
    #[test]
    fn pieces_do_not_show() {
        let mut random = Random::new(1);
        for (rows, samples) in [(1, 7), (3, 5_461), (7, 70_001), (1, 300_000), (20_000, 9)] {
            let values: Vec<f64> = (0..rows * samples).map(|_| 1e3 + random.normal()).collect();
            let weights: Vec<f64> = (0..samples).map(|i| (i % 5) as f64).collect();
            for weights in [None, Some(&weights[..])] {
                let whole = moments(rows, values[..].into(), weights);
                for pieces in [1, 2, 5] {
                    let mut running = RunningMoments::new(rows, samples, weights.is_some());
                    let mut cuts: Vec<usize> =
                        (1..pieces).map(|_| random.below(samples + 1)).collect();
                    cuts.extend([0, samples]);
                    cuts.sort_unstable();
                    for ends in cuts.windows(2) {
                        let weights = weights.map(|weights| &weights[ends[0]..ends[1]]);
                        running.add(&values[ends[0] * rows..ends[1] * rows], weights).unwrap();
                        running = RunningMoments::from_numbers(&running.numbers()).unwrap();
                    }
                    let names = vec![String::new(); rows];
                    let found = running.standardizer(names).unwrap();
                    let found = (found.means(), found.deviations());
                    assert!(
                        found == (&whole.means[..], &whole.deviations[..]),
                        "{rows} × {samples} in {pieces} pieces"
                    );
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        let mut running = RunningMoments::new(2, 3, false);
        assert!(running.add(&[1.0; 8], None).unwrap_err().to_string().contains("8 numbers"));
        running.add(&[1.0, 1e200, 2.0, 3.0], None).unwrap();
        let names = || vec!["a".to_owned(), "b".to_owned()];
        let error = running.standardizer(names()).unwrap_err().to_string();
        assert!(error.contains("2 of 3 samples"), "{error}");
        running.add(&[0.0, 0.0], None).unwrap();
        let error = running.standardizer(names()).unwrap_err().to_string();
        assert!(error.contains("row 1 from 0e0 to 1e200"), "{error}");
        assert!(RunningMoments::from_numbers(&[1.0; 6]).is_err());
        let mut numbers = running.numbers();
        numbers.push(0.0);
        assert!(RunningMoments::from_numbers(&numbers).is_err());
    }
}
