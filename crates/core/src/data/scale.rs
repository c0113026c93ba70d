//! (x − mean)/deviation for whole samples, prepared.
//!
//! By divisions: a product with the reciprocal has other bits, and to correct these by products is no faster where a table comes from memory.

use crate::elementwise::vectorize;
use rayon::prelude::*;

/// Numbers that one turn of a loop goes over at least: a loop over few rows is all ends and no middle, so that several samples go as one.
const PERIOD: usize = 256;
/// Numbers that are worth a task.
const TASK: usize = 1 << 16;

/// What numbers are stored as.
pub(super) trait Stored: Copy + Into<f64> + Send + Sync {}

impl Stored for f64 {}
impl Stored for f32 {}

/// Means and deviations of the rows, repeated for some samples.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    rows: usize,
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Scale {
    pub(crate) fn new(means: &[f64], deviations: &[f64]) -> Self {
        let rows = means.len();
        let samples = PERIOD.div_ceil(rows);
        Self { rows, means: means.repeat(samples), deviations: deviations.repeat(samples) }
    }

    /// `out` ← the samples of `values` standardised; both are as long, whole samples.
    pub(super) fn write<T: Stored>(&self, values: &[T], out: &mut [f64]) {
        let period = self.means.len();
        vectorize(
            #[inline(always)]
            || {
                for (values, out) in values.chunks(period).zip(out.chunks_mut(period)) {
                    let numbers = self.means.iter().zip(&self.deviations);
                    for ((x, out), (mean, b)) in values.iter().zip(out).zip(numbers) {
                        *out = standard((*x).into(), *mean, *b);
                    }
                }
            },
        );
    }

    /// Numbers of a task: whole samples.
    pub(crate) fn task(&self) -> usize {
        self.rows * (TASK / self.rows).max(1)
    }

    /// The same in place; what is left behind whole samples stays.
    #[expect(clippy::redundant_closure, reason = "a function's name cannot be marked for inlining")]
    pub(crate) fn apply(&self, values: &mut [f64]) {
        self.in_parallel(values, |values| {
            self.in_place(
                values,
                #[inline(always)]
                |x, mean, deviation| standard(x, mean, deviation),
            );
        });
    }

    /// x = mean + deviation·z in place; what is left behind whole samples stays.
    pub(crate) fn undo(&self, values: &mut [f64]) {
        self.in_parallel(values, |values| {
            self.in_place(
                values,
                #[inline(always)]
                |z, mean, deviation| f64::mul_add(deviation, z, mean),
            );
        });
    }

    /// Whether one sample stays finite.
    pub(crate) fn writes_finite(&self, sample: &[f64]) -> bool {
        let mut out = vec![0.0; sample.len()];
        self.write(sample, &mut out);
        out.iter().all(|value| value.is_finite())
    }

    fn in_parallel(&self, values: &mut [f64], work: impl Fn(&mut [f64]) + Sync + Send) {
        let task = self.task();
        if values.len() <= task {
            work(values);
        } else {
            values.par_chunks_mut(task).for_each(work);
        }
    }

    #[inline(always)]
    fn in_place(&self, values: &mut [f64], formula: impl Fn(f64, f64, f64) -> f64) {
        let whole = values.len() / self.rows * self.rows;
        vectorize(
            #[inline(always)]
            || {
                for values in values[..whole].chunks_mut(self.means.len()) {
                    let numbers = self.means.iter().zip(&self.deviations);
                    for (x, (&mean, &deviation)) in values.iter_mut().zip(numbers) {
                        *x = formula(*x, mean, deviation);
                    }
                }
            },
        );
    }
}

/// 0 in a constant row.
#[inline(always)]
fn standard(x: f64, mean: f64, deviation: f64) -> f64 {
    if deviation == 0.0 { 0.0 } else { (x - mean) / deviation }
}
