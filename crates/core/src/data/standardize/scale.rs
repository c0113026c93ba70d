//! (x − mean)/deviation for whole samples, prepared: by the deviations' reciprocals, which are known beforehand, in place of divisions, with the
//! bits of these.
//!
//! With y = 1/b rounded, q₀ = a·y is within two ulp of a/b, q₁ = q₀ + (a − b·q₀)·y is one of its two neighbours, and q₂, from q₁ in the same
//! way, is a/b rounded correctly: Markstein (1990), theorem in Muller et al. (2018), *Handbook of Floating-Point Arithmetic*, §4.7. No number
//! on the way may overflow or lose digits below the normal ones, so that sizes are looked at; where some are odd the samples are divided.

use crate::elementwise::vectorize;

/// Numbers that one turn of a loop goes over at least: a loop over few rows is all ends and no middle, so that several samples go as one.
const PERIOD: usize = 256;
/// Deviations between this and its reciprocal …
const DIVISOR: f64 = 1e50;
/// … of numbers between this and its reciprocal, or 0, are divided by as said: all products and remainders are normal numbers.
const DIVIDEND: f64 = 1e200;

/// Means and deviations of the rows, repeated for some samples.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    rows: usize,
    means: Vec<f64>,
    deviations: Vec<f64>,
    /// 1/deviation, 0 of a constant row.
    inverses: Vec<f64>,
    /// Whether no deviation is too small or too large to be divided by in this way.
    ordinary: bool,
}

impl Scale {
    pub(crate) fn new(means: &[f64], deviations: &[f64]) -> Self {
        let rows = means.len();
        let samples = (PERIOD / rows).max(1);
        let inverse = |deviation: &f64| if *deviation == 0.0 { 0.0 } else { 1.0 / deviation };
        let inverses: Vec<f64> = deviations.iter().map(inverse).collect();
        let fits = |b: &f64| *b == 0.0 || (*b <= DIVISOR && *b >= DIVISOR.recip());
        Self {
            rows,
            means: means.repeat(samples),
            deviations: deviations.repeat(samples),
            inverses: inverses.repeat(samples),
            ordinary: deviations.iter().all(fits),
        }
    }

    /// `out` ← the samples of `values` standardised; both are as long, whole samples.
    pub(crate) fn write(&self, values: &[f64], out: &mut [f64]) {
        let period = self.means.len();
        for (values, out) in values.chunks(period).zip(out.chunks_mut(period)) {
            self.write_part(0, values, out);
        }
    }

    /// The rows from `first` on of one sample, or a run of samples.
    fn write_part(&self, first: usize, values: &[f64], out: &mut [f64]) {
        let range = first..first + values.len();
        let rows = Rows {
            means: &self.means[range.clone()],
            deviations: &self.deviations[range.clone()],
            inverses: &self.inverses[range],
        };
        if !(self.ordinary && multiplied(rows, values, out)) {
            divided(rows, values, out);
        }
    }

    /// The same in place; what is left behind whole samples stays.
    pub(crate) fn apply(&self, values: &mut [f64]) {
        let whole = values.len() / self.rows * self.rows;
        let mut scratch = [0.0; PERIOD];
        for values in values[..whole].chunks_mut(self.means.len()) {
            // A long sample in parts, so that the scratch is short.
            for (part, values) in values.chunks_mut(PERIOD).enumerate() {
                let out = &mut scratch[..values.len()];
                self.write_part(part * PERIOD, values, out);
                values.copy_from_slice(out);
            }
        }
    }

    /// x = mean + deviation·z in place; what is left behind whole samples stays.
    pub(crate) fn undo(&self, values: &mut [f64]) {
        let whole = values.len() / self.rows * self.rows;
        let numbers = || self.means.iter().zip(&self.deviations);
        vectorize(
            #[inline(always)]
            || {
                for values in values[..whole].chunks_mut(self.means.len()) {
                    for (z, (&mean, &deviation)) in values.iter_mut().zip(numbers()) {
                        *z = f64::mul_add(deviation, *z, mean);
                    }
                }
            },
        );
    }

    /// Whether one sample stays finite.
    pub(crate) fn writes_finite(&self, sample: &[f64]) -> bool {
        let mut out = vec![0.0; sample.len()];
        self.write(sample, &mut out);
        out.iter().all(|value| value.is_finite())
    }
}

/// As many numbers of each as there are values.
#[derive(Clone, Copy)]
struct Rows<'a> {
    means: &'a [f64],
    deviations: &'a [f64],
    inverses: &'a [f64],
}

/// By products; `false`, and `out` of no use, where a size is odd.
fn multiplied(rows: Rows<'_>, values: &[f64], out: &mut [f64]) -> bool {
    let Rows { means, deviations, inverses } = rows;
    vectorize(
        #[inline(always)]
        || {
            let numbers = means.iter().zip(deviations).zip(inverses);
            let mut odd = false;
            for ((x, out), ((&mean, &b), &y)) in values.iter().zip(out.iter_mut()).zip(numbers) {
                let a = x - mean;
                let size = a.abs();
                // Written so that NaN, of an overflow, is odd.
                odd |= !((size <= DIVIDEND) & (size >= DIVIDEND.recip()) | (size == 0.0));
                let q = a * y;
                let q = f64::mul_add(f64::mul_add(-q, b, a), y, q);
                let q = f64::mul_add(f64::mul_add(-q, b, a), y, q);
                *out = if y == 0.0 { 0.0 } else { q };
            }
            !odd
        },
    )
}

fn divided(rows: Rows<'_>, values: &[f64], out: &mut [f64]) {
    let Rows { means, deviations, .. } = rows;
    vectorize(
        #[inline(always)]
        || {
            let numbers = means.iter().zip(deviations);
            for ((x, out), (&mean, &b)) in values.iter().zip(out.iter_mut()).zip(numbers) {
                *out = if b == 0.0 { 0.0 } else { (x - mean) / b };
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Of numbers of all sizes, zeros and constant rows among them, samples of any length.
    #[test]
    fn products_have_the_bits_of_divisions() {
        let mut random = Random::new(1);
        for (round, rows) in
            [1, 2, 3, 7, 100, 255, 256, 257, 1000].into_iter().cycle().take(900).enumerate()
        {
            let decades = [1.0, 20.0, 49.0, 52.0, 300.0][round % 5];
            let mut number = || {
                let mantissa = 1.0 + random.uniform();
                let size = libm::exp10(decades * (2.0 * random.uniform() - 1.0));
                match random.below(20) {
                    0 => 0.0,
                    1 => 1.0 - f64::EPSILON / 2.0,
                    2 => mantissa,
                    3 => {
                        f64::from_bits((2.0 * size).to_bits() | 0x000F_FFFF_FFFF_FFFF).min(f64::MAX)
                    }
                    _ => {
                        if random.below(2) == 0 {
                            mantissa * size
                        } else {
                            -mantissa * size
                        }
                    }
                }
            };
            let means: Vec<f64> =
                (0..rows).map(|_| if round % 2 == 0 { 0.0 } else { number() }).collect();
            let deviations: Vec<f64> = (0..rows).map(|_| number().abs()).collect();
            let samples = 600 / rows + 1;
            let values: Vec<f64> = (0..rows * samples).map(|_| number()).collect();
            let wanted: Vec<u64> = values
                .iter()
                .enumerate()
                .map(|(i, x)| (x, means[i % rows], deviations[i % rows]))
                .map(|(x, mean, b)| if b == 0.0 { 0.0 } else { (x - mean) / b })
                .map(f64::to_bits)
                .collect();
            let scale = Scale::new(&means, &deviations);
            let mut out = vec![f64::NAN; values.len()];
            scale.write(&values, &mut out);
            let bits = |numbers: &[f64]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
            assert!(bits(&out) == wanted, "{rows} rows, {decades} decades");
            let mut within = values;
            within.push(5.0);
            scale.apply(&mut within);
            let left = if rows == 1 { wanted.len() } else { within.len() - 1 };
            assert!(bits(&within[..left]) == wanted, "{rows} rows, {decades} decades, in place");
            assert!(rows == 1 || within[left] == 5.0);
        }
    }
}
