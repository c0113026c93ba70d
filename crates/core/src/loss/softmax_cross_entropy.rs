//! ℓ = ln Σ_k e^{z_k} − z_y: softmax cross-entropy on scores.
//!
//! With m the largest score and r = Σ_{k ≠ argmax} e^{z_k − m}: ℓ = (m − z_y) + ln(1 + r), and ∂ℓ/∂z_y = −Σ_{k≠y} p_k. Neither
//! cancels when the model is nearly sure, so a loss of 1e-10 still has its digits.

use super::{Decision, Link, Loss, LossError};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use crate::elementwise::{scalar, vectorize};
use serde::{Deserialize, Serialize};

/// Cross-entropy of the softmax of c ≥ 2 scores against class labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftmaxCrossEntropy;

impl Loss for SoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn describe(&self) -> Option<Choice> {
        Some(Choice::plain(self.name()))
    }

    fn decision(&self) -> Decision {
        Decision::LargestScore
    }

    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        let loss = self.name();
        match targets {
            Targets::Labels { classes, .. } if *classes == outputs && outputs >= 2 => Ok(()),
            Targets::Labels { classes, .. } => {
                Err(LossError::Outputs { loss, outputs, needed: (*classes).max(2) })
            }
            Targets::Values { .. } => {
                Err(LossError::Kind { loss, needed: "class labels", found: "numbers" })
            }
        }
    }

    fn link(&self) -> Option<Link> {
        Some(Link::Softmax)
    }

    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        let (c, labels) = classes(y);
        vectorize(
            #[inline(always)]
            || {
                let mut total = 0.0;
                for (z, &label) in z.chunks_exact(c).zip(labels) {
                    total += sample_value(z, label as usize, |_, _| {});
                }
                total
            },
        )
    }

    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        let (c, labels) = classes(y);
        vectorize(
            #[inline(always)]
            || {
                let mut total = 0.0;
                let samples = z.chunks_exact(c).zip(z_bar.chunks_exact_mut(c));
                for ((z, z_bar), &label) in samples.zip(labels) {
                    let y = label as usize;
                    total += sample_value(z, y, |k, e| z_bar[k] = e);
                    // Σ over the other classes without a difference that would cancel.
                    let own = std::mem::take(&mut z_bar[y]);
                    let others = sum(z_bar);
                    let factor = scale / (others + own);
                    for z_bar in z_bar.iter_mut() {
                        *z_bar *= factor;
                    }
                    z_bar[y] = -others * factor;
                }
                total
            },
        )
    }

    /// H·ż = p ⊙ (ż − ⟨p, ż⟩), with ż taken from that of the largest score: a common shift changes nothing, and where one
    /// class is nearly sure, ⟨p, ż⟩ and its own entry no longer cancel.
    fn hessian_vector(
        &self,
        scale: f64,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        let (c, _) = classes(y);
        vectorize(
            #[inline(always)]
            || {
                let samples = z.chunks_exact(c).zip(z_dot.chunks_exact(c));
                for (out, (z, z_dot)) in out.chunks_exact_mut(c).zip(samples) {
                    let m = largest(z);
                    let mut top = z_dot[0];
                    for (&z, &z_dot) in z.iter().zip(z_dot) {
                        top = if z == m { z_dot } else { top };
                    }
                    let (mut total, mut mean) = (0.0, 0.0);
                    for ((out, z), z_dot) in out.iter_mut().zip(z).zip(z_dot) {
                        let e = scalar::exp(z - m);
                        *out = e;
                        total += e;
                        mean += e * (z_dot - top);
                    }
                    mean /= total;
                    let factor = scale / total;
                    for (out, z_dot) in out.iter_mut().zip(z_dot) {
                        *out *= factor * ((z_dot - top) - mean);
                    }
                }
            },
        );
    }

    /// diag(p) − p·pᵀ, the diagonal as p_k·Σ_{j≠k} p_j.
    fn hessian(&self, z: &[f64], _y: TargetTile<'_>, out: &mut [f64]) {
        let c = z.len();
        vectorize(
            #[inline(always)]
            || {
                let m = largest(z);
                let (first, rest) = out.split_at_mut(c);
                for (p, z) in first.iter_mut().zip(z) {
                    *p = scalar::exp(z - m);
                }
                let total = sum(first);
                for p in first.iter_mut() {
                    *p /= total;
                }
                // Columns from the last: column 0 holds p until the end.
                for (k, column) in rest.chunks_exact_mut(c).enumerate().rev() {
                    let own = first[k + 1];
                    for (out, p) in column.iter_mut().zip(first.iter()) {
                        *out = -own * p;
                    }
                    column[k + 1] = own * others(first, k + 1);
                }
                let p0 = first[0];
                let diagonal = p0 * others(first, 0);
                for p in first.iter_mut() {
                    *p *= -p0;
                }
                first[0] = diagonal;
            },
        );
    }

    /// The Hessian: ℓ is convex.
    fn gauss_newton(&self, z: &[f64], y: TargetTile<'_>, out: &mut [f64]) {
        self.hessian(z, y, out);
    }
}

/// ℓ of one sample; `each(k, e^{z_k − m})` is called for every class.
#[inline(always)]
fn sample_value(z: &[f64], y: usize, mut each: impl FnMut(usize, f64)) -> f64 {
    let m = largest(z);
    let mut all = 0.0;
    let mut at_top = 0.0;
    for (k, &z) in z.iter().enumerate() {
        let e = scalar::exp(z - m);
        each(k, e);
        // Exactly the terms e⁰ = 1 of the largest score(s) are kept apart, so that small ones keep their digits.
        let top = if z == m { 1.0 } else { 0.0 };
        at_top += top;
        all += if z == m { 0.0 } else { e };
    }
    let rest = all + (at_top - 1.0);
    // A NaN score: no score equals the largest, and the sum is NaN.
    (m - z[y]) + scalar::log1p(rest)
}

#[inline(always)]
fn largest(z: &[f64]) -> f64 {
    let mut m = f64::NEG_INFINITY;
    for &z in z {
        m = if z > m { z } else { m };
    }
    m
}

#[inline(always)]
fn sum(values: &[f64]) -> f64 {
    let mut sum = 0.0;
    for value in values {
        sum += value;
    }
    sum
}

#[inline(always)]
fn others(p: &[f64], k: usize) -> f64 {
    sum(&p[..k]) + sum(&p[k + 1..])
}

fn classes(y: TargetTile<'_>) -> (usize, &[u32]) {
    match y {
        TargetTile::Labels { classes, labels } => (classes, labels),
        TargetTile::Values { rows, .. } => (rows, &[]),
    }
}
