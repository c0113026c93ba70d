//! Solves (S·N·S + μI)·z = c for a positive semidefinite N (n × n), S = diag(s), and one μ after the other.
//!
//! Cholesky for each μ: n³/3 flops, on rayon's threads for large n. Memory 2n². Where rounding leaves a pivot that is not
//! positive there is no solution, and μ must grow.

use super::cholesky::PARALLEL_FROM;
use super::vector;
use faer::dyn_stack::MemStack;
use faer::linalg::cholesky::llt;
use faer::{MatMut, MatRef, Par, Spec};
use serde::{Deserialize, Serialize};
use std::mem::MaybeUninit;

/// N and the factor of the latest μ.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DampedNormal {
    n: usize,
    /// N, then S·N·S, column-major n × n.
    matrix: Vec<f64>,
    /// L in the lower triangle.
    factor: Vec<f64>,
    /// What the factorisation works in; not saved, and then made anew.
    #[serde(skip)]
    scratch: Vec<MaybeUninit<u8>>,
}

impl DampedNormal {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            n,
            matrix: vec![0.0; n * n],
            factor: vec![0.0; n * n],
            scratch: Self::new_scratch(n),
        }
    }

    fn new_scratch(n: usize) -> Vec<MaybeUninit<u8>> {
        let scratch =
            llt::factor::cholesky_in_place_scratch::<f64>(n, Self::par(n), Spec::default());
        vec![MaybeUninit::uninit(); scratch.unaligned_bytes_required()]
    }

    /// To be filled with N (n × n, both triangles) before [`scale`](Self::scale).
    pub(crate) fn matrix_mut(&mut self) -> MatMut<'_, f64> {
        MatMut::from_column_major_slice_mut(&mut self.matrix, self.n, self.n)
    }

    /// N, or S·N·S; column-major.
    pub(crate) fn matrix(&self) -> &[f64] {
        &self.matrix
    }

    /// As [`matrix_mut`](Self::matrix_mut), column-major.
    pub(crate) fn matrix_slice_mut(&mut self) -> &mut [f64] {
        &mut self.matrix
    }

    pub(crate) fn all_finite(&self) -> bool {
        vector::all_finite(&self.matrix)
    }

    /// √Nⱼⱼ, the norms of the columns of J for N = JᵀJ; before [`scale`](Self::scale).
    pub(crate) fn column_norm(&self, j: usize) -> f64 {
        // Clamp: a sum of squares is not negative, a difference by a user's own formula may be.
        self.matrix[j * self.n + j].max(0.0).sqrt()
    }

    /// N ← S·N·S.
    pub(crate) fn scale(&mut self, s: &[f64]) {
        for (j, column) in self.matrix.chunks_exact_mut(self.n).enumerate() {
            for (entry, row) in column.iter_mut().zip(s) {
                *entry *= row * s[j];
            }
        }
    }

    /// L·Lᵀ = S·N·S + μI. False when it is not positive definite to working precision.
    pub(crate) fn factor(&mut self, mu: f64) -> bool {
        let (n, par) = (self.n, Self::par(self.n));
        if self.scratch.is_empty() {
            self.scratch = Self::new_scratch(n);
        }
        self.factor.copy_from_slice(&self.matrix);
        for j in 0..n {
            self.factor[j * n + j] += mu;
        }
        let factored = llt::factor::cholesky_in_place(
            MatMut::from_column_major_slice_mut(&mut self.factor, n, n),
            llt::factor::LltRegularization::default(),
            par,
            MemStack::new(&mut self.scratch),
            Spec::default(),
        );
        // A zero matrix is factorised without an error.
        factored.is_ok() && (0..n).all(|j| self.factor[j * n + j] > 0.0)
    }

    /// Rayon's threads for matrices of n × n that are worth it.
    pub(crate) fn par(n: usize) -> Par {
        if n >= PARALLEL_FROM { Par::rayon(0) } else { Par::Seq }
    }

    /// `c` ← (S·N·S + μI)⁻¹·c for the μ of the latest [`factor`](Self::factor).
    pub(crate) fn solve(&self, c: &mut [f64]) {
        llt::solve::solve_in_place(
            MatRef::from_column_major_slice(&self.factor, self.n, self.n),
            MatMut::from_column_major_slice_mut(c, self.n, 1),
            Par::Seq,
            MemStack::new(&mut []),
        );
    }

    /// `out` ← S·N·S·z.
    pub(crate) fn multiply(&self, z: &[f64], out: &mut [f64]) {
        for (out, column) in out.iter_mut().zip(self.matrix.chunks_exact(self.n)) {
            *out = vector::dot(column, z);
        }
    }

    /// zᵀ·S·N·S·z.
    pub(crate) fn quadratic(&self, z: &[f64]) -> f64 {
        let columns = self.matrix.chunks_exact(self.n).zip(z);
        // Clamp: roundoff can make a vanishing square slightly negative.
        columns.map(|(column, z_j)| z_j * vector::dot(column, z)).sum::<f64>().max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::Mat;

    #[test]
    fn damped_solve_has_no_residual_and_singular_matrices_need_damping() {
        // N = JᵀJ of rank 2 in three dimensions.
        let j = faer::mat![[1.0, 2.0, 3.0], [0.5, -1.0, -0.5]];
        let n: Mat<f64> = j.transpose() * &j;
        let s = [0.5, 2.0, 1.0];
        let mut normal = DampedNormal::new(3);
        normal.matrix_mut().copy_from(&n);
        assert!((normal.column_norm(1) - 5.0_f64.sqrt()).abs() < 1e-15);
        normal.scale(&s);
        for mu in [1e-6, 1.0, 1e6] {
            assert!(normal.factor(mu));
            let mut z = vec![1.0, -2.0, 0.5];
            normal.solve(&mut z);
            for (i, c) in [1.0, -2.0, 0.5].into_iter().enumerate() {
                let row: f64 = (0..3).map(|k| s[i] * n[(i, k)] * s[k] * z[k]).sum();
                assert!((row + mu * z[i] - c).abs() < 1e-8, "μ = {mu}");
            }
            let image: f64 =
                (0..2).map(|i| (0..3).map(|k| j[(i, k)] * s[k] * z[k]).sum::<f64>().powi(2)).sum();
            // The part of z that J does not see cancels, up to its rounding.
            let size = vector::dot(&z, &z);
            assert!((normal.quadratic(&z) - image).abs() <= 1e-13 * (1.0 + size));
        }
        normal.matrix_mut().fill(0.0);
        assert!(!normal.factor(0.0));
    }
}
