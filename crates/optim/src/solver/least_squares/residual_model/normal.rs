//! D⁻¹·JᵀJ·D⁻¹, J never stored.

use crate::linalg::normal::DampedNormal;
use crate::linalg::vector;
use faer::MatMut;
use serde::{Deserialize, Serialize};

/// μ that stands for none where a matrix is factorised: this · √n · ε, the rounding of a pivot of a matrix with a unit diagonal.
const FLOOR: f64 = 10.0;

/// The smallest shift that a pivot of an n × n matrix sees, relative to its diagonal.
pub(super) fn floor(n: usize) -> f64 {
    FLOOR * (n as f64).sqrt() * f64::EPSILON
}

/// The scaled matrix with its factor, and scratch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::solver) struct NormalForm {
    normal: DampedNormal,
    work: Vec<f64>,
}

impl NormalForm {
    pub(super) fn new(n: usize) -> Self {
        Self { normal: DampedNormal::new(n), work: vec![0.0; n] }
    }

    pub(super) fn normal_mut(&mut self) -> MatMut<'_, f64> {
        self.normal.matrix_mut()
    }

    pub(super) fn column_norm(&self, j: usize) -> f64 {
        self.normal.column_norm(j)
    }

    pub(super) fn all_finite(&self) -> bool {
        self.normal.all_finite()
    }

    pub(super) fn prepare(&mut self, inverse_scale: &[f64]) {
        self.normal.scale(inverse_scale);
    }

    /// ‖J·p‖ of the undamped step; none where the matrix is singular to working precision.
    pub(super) fn tangent_part(&mut self, projected: &[f64]) -> Option<f64> {
        if !self.normal.factor(floor(projected.len())) {
            return None;
        }
        self.work.copy_from_slice(projected);
        self.normal.solve(&mut self.work);
        // Clamp: roundoff can make a vanishing square slightly negative.
        Some(vector::dot(&self.work, projected).max(0.0).sqrt())
    }

    /// None where the matrix is singular to working precision.
    pub(super) fn solve(&mut self, mu: f64, right: &[f64], z: &mut [f64]) -> Option<()> {
        if !self.normal.factor(mu.max(floor(z.len()))) {
            return None;
        }
        z.copy_from_slice(right);
        self.normal.solve(z);
        Some(())
    }

    /// ‖J·D⁻¹z‖².
    pub(super) fn image_square(&self, z: &[f64]) -> f64 {
        self.normal.quadratic(z)
    }

    /// `out` ← D⁻¹JᵀJD⁻¹, n × n.
    pub(super) fn gram(&self, out: &mut [f64]) {
        out.copy_from_slice(self.normal.matrix());
    }
}
