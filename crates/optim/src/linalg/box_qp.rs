//! min gᵀp + ½pᵀBp over l ≤ p ≤ u, B positive definite and dense.
//!
//! Passes of projected coordinate descent, n per coordinate, find the entries at their bounds; as soon as a pass leaves these as they were, Newton's step on the others, up to the
//! first bound, so that the solution is exact once its bounds are found.
//! Memory n². Cost: n² per pass and k³/3 per Newton step on k free entries; a few of both as a rule.
//! Source: Moré & Toraldo (1991), SIAM J. Optim. 1, for the alternation; Bertsekas (1999), *Nonlinear Programming*, §2.7, for the descent.

use super::cholesky::ShiftedCholesky;
use super::vector;

/// Most passes.
const MAX_PASSES: u32 = 500;
/// The gradient that the bounds leave falls to this part of g.
const TOLERANCE: f64 = 1e-13;

/// A problem being solved.
pub(crate) struct BoxQp<'a> {
    /// B, column-major n × n.
    pub b: &'a [f64],
    pub lower: &'a [f64],
    pub upper: &'a [f64],
}

impl BoxQp<'_> {
    /// `p` ← the solution, from p = 0 in the box; `h` ← g + Bp.
    pub(crate) fn solve(&self, g: &[f64], p: &mut [f64], h: &mut [f64]) {
        p.fill(0.0);
        h.copy_from_slice(g);
        let goal = TOLERANCE * vector::norm_inf(g);
        for _ in 0..MAX_PASSES {
            let changed = self.pass(p, h);
            if !changed {
                self.newton_on_face(p, h);
            }
            // Written so that NaN ends it.
            let open = (0..p.len()).any(|j| self.open(j, p[j], h[j]).abs() > goal);
            if !open {
                return;
            }
        }
    }

    /// hⱼ, or 0 where a bound blocks it.
    fn open(&self, j: usize, p: f64, h: f64) -> f64 {
        let blocked = (p <= self.lower[j] && h > 0.0) || (p >= self.upper[j] && h < 0.0);
        if blocked { 0.0 } else { h }
    }

    fn at_bound(&self, j: usize, p: f64) -> bool {
        p <= self.lower[j] || p >= self.upper[j]
    }

    fn shift(&self, j: usize, to: f64, p: &mut [f64], h: &mut [f64]) {
        let n = p.len();
        vector::axpy(to - p[j], &self.b[j * n..(j + 1) * n], h);
        p[j] = to;
    }

    /// One pass of descent; whether an entry came to a bound or left one.
    fn pass(&self, p: &mut [f64], h: &mut [f64]) -> bool {
        let n = p.len();
        let mut changed = false;
        for j in 0..n {
            let to = p[j] - h[j] / self.b[j * n + j];
            let to = if to < self.lower[j] {
                self.lower[j]
            } else if to > self.upper[j] {
                self.upper[j]
            } else {
                to
            };
            if to != p[j] && to.is_finite() {
                changed |= self.at_bound(j, to) != self.at_bound(j, p[j]);
                self.shift(j, to, p, h);
            }
        }
        changed
    }

    fn newton_on_face(&self, p: &mut [f64], h: &mut [f64]) {
        let n = p.len();
        let face: Vec<usize> = (0..n).filter(|j| !self.at_bound(*j, p[*j])).collect();
        if face.is_empty() {
            return;
        }
        let entry = |i: usize, j: usize| self.b[j * n + i];
        let Some(step) = ShiftedCholesky::step_on(&face, entry, |j| h[j]) else { return };
        let (mut length, mut first) = (1.0, None);
        for (&j, d) in face.iter().zip(&step) {
            let bound = if *d > 0.0 { self.upper[j] } else { self.lower[j] };
            if *d != 0.0 && (bound - p[j]) / d < length {
                (length, first) = ((bound - p[j]) / d, Some((j, bound)));
            }
        }
        for (&j, d) in face.iter().zip(&step) {
            let to = match first {
                Some((hit, bound)) if hit == j => bound,
                _ => length.mul_add(*d, p[j]),
            };
            self.shift(j, to, p, h);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optimality_conditions_hold_to_rounding() {
        for case in 0..60 {
            let n = 2 + case % 7;
            let entry = |k: usize| (1.7 * k as f64 + 0.9 * case as f64).sin();
            // AᵀA + I/100
            let a: Vec<f64> = (0..n * n).map(entry).collect();
            let mut b = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..n {
                    b[j * n + i] = (0..n).map(|k| a[i * n + k] * a[j * n + k]).sum::<f64>()
                        + if i == j { 0.01 } else { 0.0 };
                }
            }
            let g: Vec<f64> = (0..n).map(|k| entry(100 + k)).collect();
            let lower: Vec<f64> = (0..n).map(|k| -entry(200 + k).abs()).collect();
            let upper: Vec<f64> =
                (0..n).map(|k| if k % 3 == 0 { f64::INFINITY } else { 0.2 }).collect();
            let qp = BoxQp { b: &b, lower: &lower, upper: &upper };
            let (mut p, mut h) = (vec![f64::NAN; n], vec![f64::NAN; n]);
            qp.solve(&g, &mut p, &mut h);
            for j in 0..n {
                assert!(lower[j] <= p[j] && p[j] <= upper[j], "{case} {j}");
                let gradient = g[j] + (0..n).map(|k| b[j * n + k] * p[k]).sum::<f64>();
                assert!((gradient - h[j]).abs() < 1e-11, "{case}");
                assert!(qp.open(j, p[j], gradient).abs() < 1e-11, "{case} {j}: {gradient:e}");
            }
        }
    }
}
