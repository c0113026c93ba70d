//! ℓ = ln Σ_k e^{z_k} − z_y: softmax cross-entropy on scores.
//!
//! With m the largest score and r = Σ_{k ≠ argmax} e^{z_k − m}: ℓ = (m − z_y) + ln(1 + r), and ∂ℓ/∂z_y = −Σ_{k≠y} p_k. Neither
//! cancels when the model is nearly sure, so a loss of 1e-10 still has its digits.

use super::{Decision, Link, Loss, LossError};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use crate::elementwise::{scalar, vectorize};
use serde::{Deserialize, Serialize};

/// Samples of which the logarithms are taken in one loop.
const RUN: usize = 32;

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
                    let m = largest(z);
                    let rest = rest_of(z.iter().map(|z| scalar::exp(z - m)));
                    total += (m - z[label as usize]) + scalar::log1p(rest);
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
                let runs = z.chunks(RUN * c).zip(z_bar.chunks_mut(RUN * c)).zip(labels.chunks(RUN));
                for ((z, z_bar), labels) in runs {
                    exponentials(z, c, z_bar);
                    let mut rest = [0.0; RUN];
                    let samples = z_bar.chunks_exact_mut(c).zip(labels).zip(&mut rest);
                    for ((z_bar, &label), rest) in samples {
                        *rest = rest_of(z_bar.iter().copied());
                        let y = label as usize;
                        // Σ over the other classes without a difference that would cancel.
                        let own = std::mem::take(&mut z_bar[y]);
                        let others = sum(z_bar);
                        let factor = scale / (others + own);
                        for z_bar in z_bar.iter_mut() {
                            *z_bar *= factor;
                        }
                        z_bar[y] = -others * factor;
                    }
                    for rest in &mut rest[..labels.len()] {
                        *rest = scalar::log1p(*rest);
                    }
                    for ((z, &label), logarithm) in z.chunks_exact(c).zip(labels).zip(rest) {
                        total += (largest(z) - z[label as usize]) + logarithm;
                    }
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
                exponentials(z, c, out);
                for (out, z_dot) in out.chunks_exact_mut(c).zip(z_dot.chunks_exact(c)) {
                    let mut top = z_dot[0];
                    for (&e, &z_dot) in out.iter().zip(z_dot) {
                        top = if e == 1.0 { z_dot } else { top };
                    }
                    let (mut total, mut mean) = (0.0, 0.0);
                    for (&e, z_dot) in out.iter().zip(z_dot) {
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

/// `out` ← e^{z_k − m} for every sample, with m its largest score. Exponentials of few classes would leave vectors half empty: they are taken of all
/// samples in one loop.
#[inline(always)]
fn exponentials(z: &[f64], c: usize, out: &mut [f64]) {
    for (z, out) in z.chunks_exact(c).zip(out.chunks_exact_mut(c)) {
        let m = largest(z);
        for (out, z) in out.iter_mut().zip(z) {
            *out = z - m;
        }
    }
    for out in out {
        *out = scalar::exp(*out);
    }
}

/// r, of the e^{z_k − m} of a sample.
#[inline(always)]
fn rest_of(exponentials: impl Iterator<Item = f64>) -> f64 {
    let (mut all, mut at_top) = (0.0, 0.0);
    for e in exponentials {
        // The terms e⁰ = 1 of the largest score(s) are kept apart, so that small ones keep their digits.
        at_top += if e == 1.0 { 1.0 } else { 0.0 };
        all += if e == 1.0 { 0.0 } else { e };
    }
    // A NaN score: the sum is NaN.
    all + (at_top - 1.0)
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
