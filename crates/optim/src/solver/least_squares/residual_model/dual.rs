//! The step in the space of the residuals, for m < n: z = Bᵀw with (B·Bᵀ + μI)w = b, B = J·D⁻¹.
//!
//! Since (BᵀB + μI)Bᵀ = Bᵀ(BBᵀ + μI), this is the step of the normal equations, from a system of m × m. Its image is B·z = BBᵀ·w.
//! Source: Golub & Van Loan (2013) §6.1.4 for the identity.

use super::normal::floor;
use crate::linalg::normal::DampedNormal;
use crate::linalg::vector;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, MatMut, MatRef};
use serde::{Deserialize, Serialize};

/// B with BBᵀ and its factor, and the latest step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::solver) struct DualForm {
    m: usize,
    /// J, then J·D⁻¹, m × n column-major.
    jacobian: Vec<f64>,
    /// BBᵀ
    kernel: DampedNormal,
    /// The shift that stands for none.
    floor: f64,
    /// w
    dual: Vec<f64>,
    /// B·z = BBᵀ·w
    image: Vec<f64>,
    /// What is left of the right-hand side.
    left: Vec<f64>,
}

impl DualForm {
    pub(super) fn new(m: usize, n: usize) -> Self {
        let zeros = || vec![0.0; m];
        Self {
            m,
            jacobian: vec![0.0; m * n],
            kernel: DampedNormal::new(m),
            floor: 0.0,
            dual: zeros(),
            image: zeros(),
            left: zeros(),
        }
    }

    pub(super) fn jacobian_mut(&mut self) -> MatMut<'_, f64> {
        let n = self.jacobian.len() / self.m;
        MatMut::from_column_major_slice_mut(&mut self.jacobian, self.m, n)
    }

    pub(super) fn column(&self, j: usize) -> &[f64] {
        &self.jacobian[j * self.m..(j + 1) * self.m]
    }

    pub(super) fn prepare(&mut self, inverse_scale: &[f64]) {
        let m = self.m;
        for (column, inverse) in self.jacobian.chunks_exact_mut(m).zip(inverse_scale) {
            vector::scale(*inverse, column);
        }
        let b = MatRef::from_column_major_slice(&self.jacobian, m, inverse_scale.len());
        let mut kernel = self.kernel.matrix_mut();
        matmul(
            kernel.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            b,
            BlockStructure::Rectangular,
            b.transpose(),
            BlockStructure::Rectangular,
            1.0,
            DampedNormal::par(m),
        );
        let mut largest = 0.0_f64;
        for j in 0..m {
            largest = largest.max(kernel[(j, j)]);
            for i in 0..j {
                kernel[(i, j)] = kernel[(j, i)];
            }
        }
        self.floor = floor(m) * largest;
    }

    /// ‖J·p‖ of the undamped step; none where BBᵀ is singular to working precision.
    pub(super) fn tangent_part(&mut self, residuals: &[f64]) -> Option<f64> {
        self.solve_dual(0.0, residuals)?;
        Some(vector::norm(&self.image))
    }

    /// None where the matrix is singular to working precision.
    pub(super) fn solve(&mut self, mu: f64, right: &[f64], z: &mut [f64]) -> Option<()> {
        self.solve_dual(mu, right)?;
        self.pull(z);
        if mu < self.floor {
            // The floor is no part of the problem: what it took is put back, from B itself, whose condition is not squared.
            self.push(z);
            vector::subtract(right, &self.image, &mut self.left);
            self.kernel.solve(&mut self.left);
            vector::axpy(1.0, &self.left, &mut self.dual);
            self.pull(z);
            self.push(z);
        }
        Some(())
    }

    /// `z` ← Bᵀw.
    fn pull(&self, z: &mut [f64]) {
        for (z, column) in z.iter_mut().zip(self.jacobian.chunks_exact(self.m)) {
            *z = vector::dot(column, &self.dual);
        }
    }

    /// `image` ← B·z.
    fn push(&mut self, z: &[f64]) {
        self.image.fill(0.0);
        for (z, column) in z.iter().zip(self.jacobian.chunks_exact(self.m)) {
            vector::axpy(*z, column, &mut self.image);
        }
    }

    fn solve_dual(&mut self, mu: f64, right: &[f64]) -> Option<()> {
        if !self.kernel.factor(mu.max(self.floor)) {
            return None;
        }
        self.dual.copy_from_slice(right);
        self.kernel.solve(&mut self.dual);
        self.kernel.multiply(&self.dual, &mut self.image);
        Some(())
    }

    /// J·p of the latest step.
    pub(super) fn image(&self) -> &[f64] {
        &self.image
    }
}
