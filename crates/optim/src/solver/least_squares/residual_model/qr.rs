//! J·D⁻¹ = Q·R with column pivoting: the condition of J is not squared.

use crate::linalg::qr::PivotedQr;
use crate::linalg::vector;
use faer::MatMut;
use serde::{Deserialize, Serialize};

/// The factors, and scratch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::solver) struct QrForm {
    qr: PivotedQr,
    /// R·Pᵀ·z
    image: Vec<f64>,
}

impl QrForm {
    pub(super) fn new(m: usize, n: usize) -> Self {
        Self { qr: PivotedQr::new(m, n), image: vec![0.0; n] }
    }

    pub(super) fn jacobian_mut(&mut self) -> MatMut<'_, f64> {
        self.qr.matrix_mut()
    }

    pub(super) fn column(&self, j: usize) -> &[f64] {
        self.qr.column(j)
    }

    pub(super) fn prepare(&mut self, inverse_scale: &[f64]) {
        for (j, inverse) in inverse_scale.iter().enumerate() {
            vector::scale(*inverse, self.qr.column_mut(j));
        }
        self.qr.factor();
    }

    /// `out` ← Qᵀb, its first n entries; `b` is overwritten.
    pub(super) fn project(&self, b: &mut [f64], out: &mut [f64]) {
        self.qr.transpose_q(b);
        let seen = b.len().min(out.len());
        out[seen..].fill(0.0);
        out[..seen].copy_from_slice(&b[..seen]);
    }

    /// ‖J·p‖ of the undamped step.
    pub(super) fn tangent_part(&self, projected: &[f64]) -> f64 {
        vector::norm(&projected[..self.qr.rank()])
    }

    pub(super) fn solve(&mut self, mu: f64, right: &mut [f64], z: &mut [f64]) {
        self.qr.solve(mu, right, z);
    }

    /// `out` ← Qᵀ·J·D⁻¹·z.
    pub(super) fn image(&mut self, z: &[f64], out: &mut [f64]) {
        self.qr.multiply(z, out);
    }

    /// ‖J·D⁻¹z‖².
    pub(super) fn image_square(&mut self, z: &[f64]) -> f64 {
        self.qr.multiply(z, &mut self.image);
        vector::dot(&self.image, &self.image)
    }

    /// `out` ← D⁻¹JᵀJD⁻¹, n × n.
    pub(super) fn gram(&self, out: &mut [f64]) {
        self.qr.gram(out);
    }

    /// `out` ← P·Rᵀ·c, which is D⁻¹Jᵀr for c = Qᵀr.
    pub(super) fn multiply_transposed(&self, c: &[f64], out: &mut [f64]) {
        self.qr.multiply_transposed(c, out);
    }

    /// `out` ← D⁻¹Jᵀ·u; `u` is overwritten.
    pub(super) fn transpose(&self, u: &mut [f64], out: &mut [f64]) {
        self.qr.transpose_q(u);
        self.qr.multiply_transposed(u, out);
    }
}
