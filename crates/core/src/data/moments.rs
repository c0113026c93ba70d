//! Mean and population deviation of every row of a table in one pass over memory, both to about one rounding.
//!
//! The samples go by blocks that stay in a core's cache: the sums Σx of a block with twice the digits, then Σ(x − m)² and Σ(x − m) about
//! its own mean m (Chan, Golub and `LeVeque` 1983, formula 1.7). Blocks are joined by the same formula with twice the digits, in an order
//! that depends on the size of the table alone. A row of numbers whose squares would overflow or vanish is gone through
//! by itself, scaled by powers of two.

use super::numbers::Numbers;
use crate::double_double::{DoubleDouble, quick_two_sum, two_product, two_sum};
use crate::elementwise::vectorize;
use lanes::{CentredLanes, Lanes};
use rayon::prelude::*;
use running::cut;

mod lanes;
mod running;

pub use running::RunningMoments;

/// Numbers of one block: 128 KiB.
const BLOCK: usize = 1 << 14;
/// Numbers that are worth a task.
const TASK: usize = 1 << 17;
/// Most tasks.
const TASKS: usize = 64;
/// Numbers that one turn of a loop goes over at least, so that few rows fill the lanes too.
const PERIOD: usize = 64;
/// Rows of numbers up to here, and with deviations from its reciprocal on, have squares and sums of these that are normal numbers.
const LARGEST: f64 = 1e140;

/// What [`LARGEST`] says, in words.
fn scaled_range() -> &'static str {
    "numbers and ranges between 1e-140 and 1e140 in size, or one number"
}

/// What a table's rows are about: means, population deviations, and the ends of what counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moments {
    pub(super) means: Vec<f64>,
    pub(super) deviations: Vec<f64>,
    pub(super) least: Vec<f64>,
    pub(super) most: Vec<f64>,
    /// Whether all numbers that count are finite, where no sum of them leaves the range of numbers: false does not say which of both fails.
    pub(super) finite: bool,
}

/// Those of the `rows` rows of `values` (rows × N, column-major, all finite), where there are weights of the N samples by these; samples of
/// weight 0 do not count. A row whose counted values are all equal has its value as the mean and deviation 0.
pub(super) fn moments(rows: usize, values: Numbers<'_>, weights: Option<&[f64]>) -> Moments {
    let total = sums(rows, values, weights);
    let each = (0..rows).map(|row| {
        if total.in_range(row) {
            return total.moments(row);
        }
        let entries = (row..values.len()).step_by(rows).map(|index| values.get(index));
        scaled(&entries.collect::<Vec<f64>>(), weights)
    });
    let (means, deviations) = each.unzip();
    let finite = total.are_finite();
    let Sums { least, most, .. } = total;
    Moments { means, deviations, least, most, finite }
}

/// The moments of one row in units of powers of two, which are exact.
fn scaled(entries: &[f64], weights: Option<&[f64]>) -> (f64, f64) {
    let unit = unit_of(entries);
    let entries: Vec<f64> = entries.iter().map(|x| x / unit).collect();
    let weights = weights.map(|weights| {
        let unit = unit_of(weights);
        weights.iter().map(|w| w / unit).collect::<Vec<f64>>()
    });
    let (mean, deviation) = sums(1, entries[..].into(), weights.as_deref()).moments(0);
    (mean * unit, deviation * unit)
}

/// The largest power of two that is not above the largest size.
fn unit_of(values: &[f64]) -> f64 {
    power_of_two_below(values.iter().fold(0.0, |most, value| f64::max(most, value.abs())))
}

/// The largest power of two that is not above a positive number; subnormal numbers share the smallest normal one.
pub(super) fn power_of_two_below(value: f64) -> f64 {
    const EXPONENT: u64 = 0x7FF << 52;
    f64::from_bits(value.to_bits() & EXPONENT).max(f64::MIN_POSITIVE)
}

/// The sums of all samples.
fn sums(rows: usize, values: Numbers<'_>, weights: Option<&[f64]>) -> Sums {
    let (block, task) = cut(rows, values.len() / rows);
    let of_task = |index: usize, values: Numbers<'_>| {
        let (mut scratch, mut read) = (Scratch::new(rows), Vec::new());
        let mut sums = Sums::new(rows);
        for (block_index, values) in values.chunks(block * rows).enumerate() {
            let first = index * task + block_index * block;
            let weights = weights.map(|weights| &weights[first..first + values.len() / rows]);
            sums.add(&scratch.block(values.read(None, &mut read), weights));
        }
        sums
    };
    if task * rows >= values.len() {
        return of_task(0, values);
    }
    let parts = values.par_chunks(task * rows).enumerate();
    let parts: Vec<Sums> = parts.map(|(index, part)| of_task(index, part)).collect();
    let mut total = Sums::new(rows);
    for part in &parts {
        total.add(part);
    }
    total
}

/// What is known of some samples, row by row.
#[derive(Clone, Debug)]
struct Sums {
    /// Σw.
    weight: DoubleDouble,
    /// Σwx.
    first: Vec<DoubleDouble>,
    /// Σw(x − mean)².
    second: Vec<DoubleDouble>,
    least: Vec<f64>,
    most: Vec<f64>,
}

impl Sums {
    fn new(rows: usize) -> Self {
        Self {
            weight: DoubleDouble::ZERO,
            first: vec![DoubleDouble::ZERO; rows],
            second: vec![DoubleDouble::ZERO; rows],
            least: vec![f64::INFINITY; rows],
            most: vec![f64::NEG_INFINITY; rows],
        }
    }

    fn add(&mut self, other: &Self) {
        if other.weight.high == 0.0 {
            return;
        }
        let (mine, theirs) = (self.weight, other.weight);
        let total = mine + theirs;
        let one = DoubleDouble::from(1.0);
        let (of_mine, of_theirs, share) = (one / mine, one / theirs, mine * theirs / total);
        for row in 0..self.first.len() {
            self.least[row] = self.least[row].min(other.least[row]);
            self.most[row] = self.most[row].max(other.most[row]);
        }
        vectorize(
            #[inline(always)]
            || {
                let mine_there = self.first.iter_mut().zip(&mut self.second);
                let both = mine_there.zip(other.first.iter().zip(&other.second));
                for ((first, second), (other_first, other_second)) in both {
                    *second = *second + *other_second;
                    if mine.high > 0.0 {
                        // Σ about the common mean: the distance δ of both means counts by n·m/(n + m).
                        let delta = *other_first * of_theirs - *first * of_mine;
                        *second = *second + delta * delta * share;
                    }
                    *first = *first + *other_first;
                }
            },
        );
        self.weight = total;
    }

    /// A NaN or an infinity stays in a sum, whatever is added.
    fn are_finite(&self) -> bool {
        self.first.iter().all(|sum| sum.high.is_finite() && sum.low.is_finite())
    }

    /// Whether no sum of a row can have left the range of numbers.
    fn in_range(&self, row: usize) -> bool {
        let (least, most) = (self.least[row], self.most[row]);
        let inside = |number: f64| number < LARGEST && number > LARGEST.recip();
        least == most
            || inside(least.abs().max(most.abs()))
                && inside(most - least)
                && inside(self.weight.high)
    }

    /// Mean and deviation of a row.
    fn moments(&self, row: usize) -> (f64, f64) {
        if self.least[row] == self.most[row] {
            // Exactly constant: the rounding of a mean must not make a deviation of it.
            return (self.most[row], 0.0);
        }
        let mean = self.first[row] / self.weight;
        let deviation = (self.second[row] / self.weight).sqrt();
        (f64::from(mean), f64::from(deviation))
    }
}

/// Lanes of a block: a lane for every number of some whole samples.
struct Scratch {
    rows: usize,
    high: Vec<f64>,
    low: Vec<f64>,
    least: Vec<f64>,
    most: Vec<f64>,
    mean: Vec<f64>,
    /// Σw(x − mean).
    rest: Vec<f64>,
}

impl Scratch {
    fn new(rows: usize) -> Self {
        let period = rows * (PERIOD / rows).max(1);
        let lanes = || vec![0.0; period];
        let (high, low, least, most, mean, rest) =
            (lanes(), lanes(), lanes(), lanes(), lanes(), lanes());
        Self { rows, high, low, least, most, mean, rest }
    }

    fn block(&mut self, values: &[f64], weights: Option<&[f64]>) -> Sums {
        match weights {
            None => self.unweighted(values),
            Some(weights) => self.weighted(values, weights),
        }
    }

    fn reset(&mut self) {
        self.high.fill(0.0);
        self.low.fill(0.0);
        self.rest.fill(0.0);
    }

    fn unweighted(&mut self, values: &[f64]) -> Sums {
        self.reset();
        self.least.fill(f64::INFINITY);
        self.most.fill(f64::NEG_INFINITY);
        let (rows, period) = (self.rows, self.high.len());
        let lanes = Lanes {
            high: &mut self.high,
            low: &mut self.low,
            least: &mut self.least,
            most: &mut self.most,
        };
        lanes.add_values(values);
        let mut sums = Sums::new(rows);
        sums.weight = DoubleDouble::from((values.len() / rows) as f64);
        for lane in 0..period {
            let row = lane % rows;
            sums.first[row] = sums.first[row] + joined(self.high[lane], self.low[lane]);
            sums.least[row] = sums.least[row].min(self.least[lane]);
            sums.most[row] = sums.most[row].max(self.most[lane]);
        }
        for (lane, mean) in self.mean.iter_mut().enumerate() {
            *mean = sums.first[lane % rows].high / sums.weight.high;
        }
        self.reset();
        let lanes = CentredLanes {
            mean: &self.mean,
            high: &mut self.high,
            low: &mut self.low,
            rest: &mut self.rest,
        };
        lanes.add_values(values);
        self.about_the_mean(&mut sums);
        sums
    }

    /// A sample at a time, those of weight 0 left out.
    fn weighted(&mut self, values: &[f64], weights: &[f64]) -> Sums {
        let rows = self.rows;
        self.reset();
        let mut sums = Sums::new(rows);
        let counted = || values.chunks_exact(rows).zip(weights).filter(|(_, w)| **w > 0.0);
        for (sample, &weight) in counted() {
            sums.weight = sums.weight + DoubleDouble::from(weight);
            let lanes = self.high.iter_mut().zip(&mut self.low);
            let ends = sums.least.iter_mut().zip(&mut sums.most);
            for (&x, ((high, low), (least, most))) in sample.iter().zip(lanes.zip(ends)) {
                let (product, error) = two_product(x, weight);
                let (sum, rest) = two_sum(*high, product);
                (*high, *low) = (sum, *low + (rest + error));
                (*least, *most) = (least.min(x), most.max(x));
            }
        }
        if sums.weight.high == 0.0 {
            return sums;
        }
        for row in 0..rows {
            sums.first[row] = joined(self.high[row], self.low[row]);
            self.mean[row] = sums.first[row].high / sums.weight.high;
        }
        self.reset();
        for (sample, &weight) in counted() {
            let lanes = self.high.iter_mut().zip(&mut self.low).zip(&mut self.rest);
            for ((&x, &mean), ((high, low), rest)) in sample.iter().zip(&self.mean).zip(lanes) {
                let centred = x - mean;
                let (sum, error) = two_sum(*high, weight * centred * centred);
                (*high, *low) = (sum, *low + error);
                *rest += weight * centred;
            }
        }
        self.about_the_mean(&mut sums);
        sums
    }

    /// Σw(x − m)² of the lanes, less what m differs from the mean: (Σw(x − m))²/Σw.
    fn about_the_mean(&self, sums: &mut Sums) {
        let mut rest = vec![0.0; self.rows];
        for (lane, (&high, &low)) in self.high.iter().zip(&self.low).enumerate() {
            let row = lane % self.rows;
            sums.second[row] = sums.second[row] + joined(high, low);
            rest[row] += self.rest[lane];
        }
        let weight = sums.weight;
        vectorize(
            #[inline(always)]
            || {
                for (second, rest) in sums.second.iter_mut().zip(&rest) {
                    let rest = DoubleDouble::from(*rest);
                    *second = *second - rest * rest / weight;
                }
            },
        );
    }
}

fn joined(high: f64, low: f64) -> DoubleDouble {
    let (high, low) = quick_two_sum(high, low);
    DoubleDouble { high, low }
}
