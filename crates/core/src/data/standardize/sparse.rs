//! Means and deviations of features of which most values are 0: from the entries and the number of zeros.

use crate::data::SparseInputs;
use rayon::prelude::*;

/// Entries below which tasks are not worth their start.
const SERIAL: usize = 1 << 15;
/// Features of one task at least.
const FEATURES: usize = 64;

/// The entries of all features, one after the other: values and, where samples have weights, their shares of a sum of 1.
struct Columns {
    offsets: Vec<usize>,
    values: Vec<f64>,
    shares: Vec<f64>,
}

/// Mean and population deviation of every feature, by the weights of the samples where there are some: the numbers of the dense table,
/// with sums as there.
pub(super) fn moments_of(inputs: &SparseInputs, weights: Option<&[f64]>) -> (Vec<f64>, Vec<f64>) {
    let samples = inputs.samples();
    let counting = weights.map_or(samples, |w| w.iter().filter(|w| **w > 0.0).count());
    let columns = Columns::new(inputs, weights);
    let one = |feature: usize| {
        let column = columns.offsets[feature]..columns.offsets[feature + 1];
        let shares = weights.map(|_| &columns.shares[column.clone()]);
        let (mean, deviation) = moments(&columns.values[column], shares, counting);
        (mean - inputs.centre().map_or(0.0, |centre| centre[feature]), deviation)
    };
    if inputs.filled() < SERIAL {
        (0..inputs.features()).map(one).unzip()
    } else {
        (0..inputs.features()).into_par_iter().with_min_len(FEATURES).map(one).unzip()
    }
}

impl Columns {
    /// The entries of samples that count, by features.
    fn new(inputs: &SparseInputs, weights: Option<&[f64]>) -> Self {
        let total = weights.map(|weights| sum(weights.iter().copied()));
        let counts = |sample: &usize| weights.is_none_or(|weights| weights[*sample] > 0.0);
        let samples = || (0..inputs.samples()).filter(counts);
        let mut offsets = vec![0; inputs.features() + 1];
        for sample in samples() {
            inputs.row(sample).0.iter().for_each(|index| offsets[*index as usize + 1] += 1);
        }
        for feature in 0..inputs.features() {
            offsets[feature + 1] += offsets[feature];
        }
        let filled = offsets[inputs.features()];
        let mut next = offsets.clone();
        let mut values = vec![0.0; filled];
        let mut shares = vec![0.0; if weights.is_some() { filled } else { 0 }];
        for sample in samples() {
            let (indices, row) = inputs.row(sample);
            for (index, value) in indices.iter().zip(row) {
                let place = &mut next[*index as usize];
                values[*place] = *value;
                if let (Some(weights), Some(total)) = (weights, total) {
                    shares[*place] = weights[sample] / total;
                }
                *place += 1;
            }
        }
        Self { offsets, values, shares }
    }
}

/// Of `values` and so many zeros that there are `count` numbers; as the moments of dense rows are taken.
fn moments(values: &[f64], shares: Option<&[f64]>, count: usize) -> (f64, f64) {
    let zeros = count - values.len();
    let Some(&first) = values.first() else { return (0.0, 0.0) };
    if zeros == 0 && values.iter().all(|value| *value == first) {
        return (first, 0.0);
    }
    // All numbers make up 1: what the entries leave belongs to the zeros.
    let share = |entry: usize| shares.map_or(1.0 / count as f64, |shares| shares[entry]);
    let of_zeros = match shares {
        _ if zeros == 0 => 0.0,
        None => zeros as f64 / count as f64,
        Some(shares) => (1.0 - sum(shares.iter().copied())).max(0.0),
    };
    let mean = |of: &dyn Fn(f64) -> f64| {
        let entries = values.iter().enumerate().map(|(entry, value)| share(entry) * of(*value));
        sum(entries.chain([of_zeros * of(0.0)]))
    };
    let unit = power_of_two_below(largest(values.iter().copied()));
    let shift = mean(&|value| value / unit);
    let offset = mean(&|value| value / unit - shift);
    let centred = |value: f64| value / unit - shift;
    let spread = largest(values.iter().copied().chain((zeros > 0).then_some(0.0)).map(centred));
    let spread = power_of_two_below(spread);
    let square = mean(&|value| ((centred(value) - offset) / spread).powi(2));
    ((shift + offset) * unit, square.sqrt() * spread * unit)
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |largest, value| f64::max(largest, value.abs()))
}

/// The largest power of two that is not above a positive number; subnormal numbers share the smallest normal one.
fn power_of_two_below(value: f64) -> f64 {
    const EXPONENT: u64 = 0x7FF << 52;
    f64::from_bits(value.to_bits() & EXPONENT).max(f64::MIN_POSITIVE)
}

/// The sum of the numbers, compensated (Neumaier 1974).
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0);
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() {
            (total - next) + value
        } else {
            (value - next) + total
        };
        total = next;
    }
    total + lost
}
