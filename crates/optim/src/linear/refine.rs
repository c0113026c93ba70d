//! The scaled system with twice the digits, solved once or refined.

use crate::linalg::qr::PivotedQr;
use crate::linalg::vector::{self, vectorize};
use secant_core::double_double::{DoubleDouble, quick_two_sum, two_product, two_sum};

/// Most refinements: at the slowest rate that counts as convergence, ½, enough for 53 bits.
pub(super) const MAX_REFINEMENTS: u32 = 60;
/// Refinement ends when no coefficient changes by more than this part of itself: an eighth of the last bit.
pub(super) const CONVERGED: f64 = f64::EPSILON / 16.0;
/// A correction that is more than this part of the one before it is no progress.
pub(super) const STALLED: f64 = 0.5;
/// Without further progress coefficients count as converged up to here: their last two bits.
pub(super) const GOOD: f64 = 4.0 * f64::EPSILON;

/// A·S and b as pairs of numbers, S a diagonal of powers of two that brings the norms of the columns into [1, 2).
#[derive(Clone, Debug)]
pub(super) struct Twofold {
    rows: usize,
    /// m × n column-major.
    high: Vec<f64>,
    low: Vec<f64>,
    scales: Vec<f64>,
    right_high: Vec<f64>,
    right_low: Vec<f64>,
}

/// β and how it was found.
pub(super) struct Outcome {
    pub coefficients: Vec<DoubleDouble>,
    pub refinements: u32,
    pub last_correction: f64,
    pub converged: bool,
}

impl Twofold {
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        Self {
            rows,
            high: vec![0.0; rows * columns],
            low: vec![0.0; rows * columns],
            scales: vec![1.0; columns],
            right_high: vec![0.0; rows],
            right_low: vec![0.0; rows],
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// S
    pub(super) fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// b, rounded.
    pub(super) fn into_right(self) -> Vec<f64> {
        self.right_high
    }

    /// Column j of A·S, rounded.
    pub(super) fn column(&self, j: usize) -> &[f64] {
        &self.high[j * self.rows..(j + 1) * self.rows]
    }

    pub(super) fn set_column(&mut self, j: usize, column: impl Iterator<Item = DoubleDouble>) {
        let range = j * self.rows..(j + 1) * self.rows;
        let parts = self.high[range.clone()].iter_mut().zip(&mut self.low[range.clone()]);
        for ((high, low), entry) in parts.zip(column) {
            (*high, *low) = (entry.high, entry.low);
        }
        let scale = power_of_two(vector::norm(&self.high[range.clone()])).recip();
        self.scales[j] = scale;
        vector::scale(scale, &mut self.high[range.clone()]);
        vector::scale(scale, &mut self.low[range]);
    }

    pub(super) fn set_right(&mut self, right: impl Iterator<Item = DoubleDouble>) {
        let parts = self.right_high.iter_mut().zip(&mut self.right_low);
        for ((high, low), entry) in parts.zip(right) {
            (*high, *low) = (entry.high, entry.low);
        }
    }

    /// β of the independent columns by refinement of the augmented system, zero for the others.
    pub(super) fn refine(&self, qr: &PivotedQr, rank: usize, most: u32) -> Outcome {
        let (m, order) = (self.rows, &qr.order()[..rank]);
        let mut beta = vec![DoubleDouble::ZERO; rank];
        let (mut r_high, mut r_low) = (vec![0.0; m], vec![0.0; m]);
        let (mut f_high, mut f_low) = (vec![0.0; m], vec![0.0; m]);
        let mut g = vec![0.0; rank];
        let (mut last, mut refinements, mut converged) = (f64::INFINITY, 0, false);
        loop {
            // f = b − r − A·β and g = −Aᵀr
            f_high.copy_from_slice(&self.right_high);
            f_low.copy_from_slice(&self.right_low);
            let minus_one = DoubleDouble::from(-1.0);
            accumulate(minus_one, (&r_high, &r_low), (&mut f_high, &mut f_low));
            for (beta, &j) in beta.iter().zip(order) {
                accumulate(-*beta, self.parts(j), (&mut f_high, &mut f_low));
            }
            for (g, &j) in g.iter_mut().zip(order) {
                *g = -dot(self.parts(j), (&r_high, &r_low));
            }
            vector::axpy(1.0, &f_low, &mut f_high);
            correct(qr, &mut f_high, &mut g);
            add(&f_high, (&mut r_high, &mut r_low));
            for (beta, delta) in beta.iter_mut().zip(&g) {
                *beta = *beta + DoubleDouble::from(*delta);
            }
            let change = relative_change(&g, &beta);
            let no_progress = refinements > 0 && change > STALLED * last;
            last = change;
            if change <= CONVERGED || no_progress {
                converged = change <= GOOD;
                break;
            }
            if refinements == most {
                break;
            }
            refinements += 1;
        }
        let mut coefficients = vec![DoubleDouble::ZERO; self.scales.len()];
        for (value, &j) in beta.iter().zip(order) {
            let scale = DoubleDouble::from(self.scales[j]);
            coefficients[j] = *value * scale;
        }
        Outcome { coefficients, refinements, last_correction: last, converged }
    }

    fn parts(&self, j: usize) -> (&[f64], &[f64]) {
        let range = j * self.rows..(j + 1) * self.rows;
        (&self.high[range.clone()], &self.low[range])
    }
}

/// max |δβⱼ/βⱼ|, where a βⱼ below ε·‖β‖∞ of the scaled columns counts as that: one that is zero has no relative error.
pub(super) fn relative_change(delta: &[f64], beta: &[DoubleDouble]) -> f64 {
    let largest = beta.iter().fold(0.0_f64, |most, beta| most.max(beta.high.abs()));
    let changes = delta.iter().zip(beta).filter(|(delta, _)| **delta != 0.0);
    let changes =
        changes.map(|(delta, beta)| (delta / beta.high.abs().max(f64::EPSILON * largest)).abs());
    // Written so that NaN is kept.
    changes.fold(0.0, |most, change| if change <= most { most } else { change })
}

/// Solves [I A; Aᵀ 0]·[δr; δβ] = [f; g] with the leading columns of A·P = Q·R: `f` ← δr, `g` ← δβ.  Björck (1967) §3.
fn correct(qr: &PivotedQr, f: &mut [f64], g: &mut [f64]) {
    qr.solve_leading_transposed(g);
    qr.transpose_q(f);
    for (f, h) in f.iter_mut().zip(g.iter_mut()) {
        (*f, *h) = (*h, *f - *h);
    }
    qr.multiply_q(f);
    qr.solve_leading(g);
}

/// `sum` ← sum + x·column, with twice the digits.
fn accumulate(x: DoubleDouble, column: (&[f64], &[f64]), sum: (&mut [f64], &mut [f64])) {
    let (sum_high, sum_low) = sum;
    vectorize(
        #[inline(always)]
        || {
            let sums = sum_high.iter_mut().zip(sum_low.iter_mut());
            for ((high, low), (a, a_low)) in sums.zip(column.0.iter().zip(column.1)) {
                let (product, error) = two_product(*a, x.high);
                let error = a.mul_add(x.low, a_low.mul_add(x.high, error));
                let (total, rest) = two_sum(*high, product);
                (*high, *low) = quick_two_sum(total, rest + (*low + error));
            }
        },
    );
}

/// `sum` ← sum + x
fn add(x: &[f64], sum: (&mut [f64], &mut [f64])) {
    for ((high, low), x) in sum.0.iter_mut().zip(sum.1).zip(x) {
        let (total, rest) = two_sum(*high, *x);
        (*high, *low) = quick_two_sum(total, rest + *low);
    }
}

/// xᵀy with twice the digits, rounded once.
fn dot(x: (&[f64], &[f64]), y: (&[f64], &[f64])) -> f64 {
    let (mut high, mut low) = (0.0, 0.0);
    for ((a, a_low), (b, b_low)) in x.0.iter().zip(x.1).zip(y.0.iter().zip(y.1)) {
        let (product, error) = two_product(*a, *b);
        let (sum, rest) = two_sum(high, product);
        high = sum;
        low += rest + a.mul_add(*b_low, a_low.mul_add(*b, error));
    }
    high + low
}

/// The largest power of two up to a normal `x` > 0; 1 for what has none.
pub(super) fn power_of_two(x: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    if x.is_normal() { f64::from_bits(x.to_bits() & EXPONENT) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_products_keep_what_cancels() {
        let big = 2.0_f64.powi(60);
        let (mut high, mut low) = ([big, 1.0], [0.0, 0.0]);
        let x = DoubleDouble { high: 3.0, low: 2.0_f64.powi(-60) };
        accumulate(x, (&[1.0, big], &[0.0, 1.0]), (&mut high, &mut low));
        // 2⁶⁰ + 3 + 2⁻⁶⁰, to 106 bits; 1 + 3·2⁶⁰ + 1 + 3 but for 2⁻⁶⁰.
        assert_eq!((high[0], low[0]), (big, 3.0));
        assert_eq!((high[1], low[1]), (3.0 * big, 5.0));
        let zeros = [0.0; 3];
        assert_eq!(dot((&[big, 1.0, -big], &zeros), (&[1.0, 1.5, 1.0], &zeros)), 1.5);
        add(&[-big, 0.5], (&mut high, &mut low));
        assert_eq!((high[0], low[0]), (3.0, 0.0));
    }

    #[test]
    fn powers_of_two_are_below_and_near() {
        for x in [1.0, 1.999, 3.7e-200, 1e300, f64::MIN_POSITIVE] {
            let power = power_of_two(x);
            assert!(power <= x && x < 2.0 * power && power.log2().fract() == 0.0, "{x:e}");
        }
        assert_eq!([power_of_two(0.0), power_of_two(f64::NAN)], [1.0; 2]);
    }
}
