//! z_k = e^{x_k} / Σ_j e^{x_j}, sample by sample, as an inner node.
//!
//! For a classifier's last layer use [`SoftmaxCrossEntropy`](crate::loss::SoftmaxCrossEntropy) on the scores instead: it
//! never takes the logarithm of a rounded probability.

use super::{At, Bar, Dependence, Dot, Op, OpDescription, one_input};
use crate::elementwise::{scalar, vectorize};
use crate::shape::{Shape, ShapeError};

/// Softmax over all entries of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax;

impl Op for Softmax {
    fn name(&self) -> String {
        "softmax".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        Some(OpDescription::plain("softmax"))
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        one_input(inputs).cloned()
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        let rows = at.x.rows(0);
        for (z, x) in z.chunks_exact_mut(rows).zip(at.x.get(0).chunks_exact(rows)) {
            softmax(x, z);
        }
    }

    /// ż = z ⊙ (ẋ − ⟨z, ẋ⟩).
    fn tangent(&self, at: At<'_>, z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        let Some(x_dot) = dot.x.get(0) else { return z_dot.fill(0.0) };
        let rows = at.x.rows(0);
        let samples = z.chunks_exact(rows).zip(x_dot.chunks_exact(rows));
        for (z_dot, (z, x_dot)) in z_dot.chunks_exact_mut(rows).zip(samples) {
            let mean = inner(z, x_dot);
            for ((z_dot, z), x_dot) in z_dot.iter_mut().zip(z).zip(x_dot) {
                *z_dot = z * (x_dot - mean);
            }
        }
    }

    /// x̄ += z ⊙ (z̄ − ⟨z, z̄⟩): the Jacobian is symmetric.
    fn adjoint(&self, at: At<'_>, z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let Some(slot) = bar.x.slot(0) else { return };
        let rows = at.x.rows(0);
        let samples = z.chunks_exact(rows).zip(z_bar.chunks_exact(rows));
        for (x_bar, (z, z_bar)) in slot.zeroed().chunks_exact_mut(rows).zip(samples) {
            let mean = inner(z, z_bar);
            for ((x_bar, z), z_bar) in x_bar.iter_mut().zip(z).zip(z_bar) {
                *x_bar += z * (z_bar - mean);
            }
        }
    }

    /// x̄˙ += ż ⊙ (z̄ − ⟨z, z̄⟩) + z ⊙ (z̄˙ − ⟨ż, z̄⟩ − ⟨z, z̄˙⟩).
    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        z_bar: &[f64],
        _dot: Dot<'_>,
        z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        let Some(slot) = bar.x.slot(0) else { return };
        let rows = at.x.rows(0);
        for (sample, x_bar_dot) in slot.zeroed().chunks_exact_mut(rows).enumerate() {
            let column = sample * rows..(sample + 1) * rows;
            let (z, z_bar) = (&z[column.clone()], &z_bar[column.clone()]);
            let (z_dot, z_bar_dot) = (&z_dot[column.clone()], &z_bar_dot[column]);
            let mean = inner(z, z_bar);
            let mean_dot = inner(z_dot, z_bar) + inner(z, z_bar_dot);
            for k in 0..rows {
                x_bar_dot[k] += z_dot[k] * (z_bar[k] - mean) + z[k] * (z_bar_dot[k] - mean_dot);
            }
        }
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if active[0] { Dependence::Nonlinear } else { Dependence::Affine }
    }
}

/// `p` ← softmax(`scores`) of one sample; returns log Σ e^score. Exponents are taken from the largest score, so none
/// overflows. A NaN score makes everything NaN.
pub(crate) fn softmax(scores: &[f64], p: &mut [f64]) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    vectorize(
        #[inline(always)]
        || {
            let mut sum = 0.0;
            for (p, score) in p.iter_mut().zip(scores) {
                *p = scalar::exp(score - largest);
            }
            for p in p.iter() {
                sum += p;
            }
            let inverse = 1.0 / sum;
            for p in p.iter_mut() {
                *p *= inverse;
            }
            largest + sum.ln()
        },
    )
}

fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
