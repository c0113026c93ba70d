//! The linear parameters at one θ_N: min ‖r₀ + A·θ_L‖ by QR, and the projection on what A cannot reach.
//!
//! A = Φ ⊗ I_c is never formed: one QR with column pivoting of the scaled \[Φ; δD\] serves c right-hand sides, 2mp² flops, and the
//! projections of c parts of J_N, 4mpq flops each for q columns. Source: Golub & Pereyra (1973).

use crate::linalg::qr::PivotedQr;
use crate::linalg::vector;
use faer::linalg::matmul::matmul;
use faer::prelude::SolveLstsq;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use secant_core::problem::LinearPart;
use serde::{Deserialize, Serialize};

/// \[Φ; δD\] factorised, with what follows from it. Φ is h × p, followed by p or no rows of a ridge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Inner {
    h: usize,
    p: usize,
    qr: PivotedQr,
    /// S, which makes the columns of norm 1.
    scale: Vec<f64>,
    /// The norms of the columns of Φ.
    norms: Vec<f64>,
    rank: usize,
    /// Q₁, (h + ridge) × rank; empty until it is asked for.
    basis: Vec<f64>,
    /// A right-hand side.
    right: Vec<f64>,
}

impl Inner {
    pub(super) fn new(part: &LinearPart, ridge: bool) -> Self {
        let (h, p) = part.design_shape();
        let rows = if ridge { h + p } else { h };
        Self {
            h,
            p,
            qr: PivotedQr::new(rows, p),
            scale: vec![1.0; p],
            norms: vec![0.0; p],
            rank: 0,
            basis: Vec::new(),
            right: vec![0.0; rows],
        }
    }

    /// Rows of \[Φ; δD\].
    pub(super) fn rows(&self) -> usize {
        self.right.len()
    }

    /// To be filled with Φ before [`factor`](Self::factor).
    pub(super) fn design_mut(&mut self) -> MatMut<'_, f64> {
        let h = self.h;
        self.qr.matrix_mut().subrows_mut(0, h)
    }

    /// ‖Φⱼ‖
    pub(super) fn norms(&self) -> &[f64] {
        &self.norms
    }

    /// Factorises, with δD on the diagonal below Φ. False where Φ is not finite.
    pub(super) fn factor(&mut self, ridge: impl Fn(usize) -> f64, tolerance: f64) -> bool {
        self.basis.clear();
        for j in 0..self.p {
            let h = self.h;
            let column = self.qr.column_mut(j);
            self.norms[j] = vector::norm(&column[..h]);
            if column.len() > h {
                column[h..].fill(0.0);
                column[h + j] = ridge(j);
            }
            let norm = vector::norm(column);
            if !norm.is_finite() {
                return false;
            }
            // A column of zeros has no scale of its own; its parameter is zero in any.
            self.scale[j] = if norm > 0.0 { norm.recip() } else { 1.0 };
            vector::scale(self.scale[j], column);
        }
        self.qr.factor();
        let pivot = |j: usize| self.qr.r(j, j).abs();
        let least = tolerance.max(f64::EPSILON * self.rows() as f64) * pivot(0);
        self.rank = (0..self.p.min(self.rows())).take_while(|j| pivot(*j) > least).count();
        true
    }

    /// The least pivot over the largest, a measure of how nearly the columns depend on each other; 0 where they do.
    pub(super) fn independence(&self) -> f64 {
        if self.rank < self.p {
            0.0
        } else {
            (self.qr.r(self.p - 1, self.p - 1) / self.qr.r(0, 0)).abs()
        }
    }

    /// `coefficients` (p) ← argmin ‖b + Φ·x‖² + ‖δD·x‖², the shortest one. `b` has h entries.
    pub(super) fn solve(&mut self, b: impl Iterator<Item = f64>, coefficients: &mut [f64]) {
        self.right.fill(0.0);
        for (right, b) in self.right.iter_mut().zip(b) {
            *right = -b;
        }
        self.qr.transpose_q(&mut self.right);
        self.qr.solve_leading(&mut self.right[..self.rank]);
        coefficients.fill(0.0);
        for (value, &j) in self.right[..self.rank].iter().zip(self.qr.order()) {
            coefficients[j] = value * self.scale[j];
        }
        if self.rank < self.p {
            self.shorten(coefficients);
        }
    }

    /// x ← x without its part in the null space of Φ.
    fn shorten(&self, coefficients: &mut [f64]) {
        let (p, rank) = (self.p, self.rank);
        let mut null = Mat::zeros(p, p - rank);
        for dependent in rank..p {
            let mut column: Vec<f64> = (0..rank).map(|i| -self.qr.r(i, dependent)).collect();
            self.qr.solve_leading(&mut column);
            let mut direction = null.col_mut(dependent - rank);
            for (value, &j) in column.iter().zip(self.qr.order()) {
                direction[j] = value * self.scale[j];
            }
            let j = self.qr.order()[dependent];
            direction[j] = self.scale[j];
        }
        let right = Mat::from_fn(p, 1, |j, _| coefficients[j]);
        let part = &null * null.qr().solve_lstsq(&right);
        for (j, x) in coefficients.iter_mut().enumerate() {
            *x -= part[(j, 0)];
        }
    }

    /// `x` ((h + ridge) × q) ← (I − Q₁Q₁ᵀ)·x; with `bent` (p × q) = ∂Φᵀr also − Q₁·R⁻ᵀ·S·bent, the rest of Golub and Pereyra's
    /// derivative. `along` is scratch for p × q.
    pub(super) fn project(
        &mut self,
        mut x: MatMut<'_, f64>,
        bent: Option<MatRef<'_, f64>>,
        along: &mut [f64],
    ) {
        let (rows, rank, q) = (self.rows(), self.rank, x.ncols());
        if rank == 0 || q == 0 {
            return;
        }
        self.span();
        let basis = MatRef::from_column_major_slice(&self.basis, rows, rank);
        let along = &mut along[..rank * q];
        let image = MatMut::from_column_major_slice_mut(along, rank, q);
        matmul(image, Accum::Replace, basis.transpose(), x.as_ref(), 1.0, Par::rayon(0));
        if let Some(bent) = bent {
            for (column, along) in along.chunks_exact_mut(rank).enumerate() {
                let leading = &mut self.right[..rank];
                for (entry, &j) in leading.iter_mut().zip(self.qr.order()) {
                    *entry = self.scale[j] * bent[(j, column)];
                }
                self.qr.solve_leading_transposed(leading);
                vector::axpy(1.0, leading, along);
            }
        }
        let along = MatRef::from_column_major_slice(along, rank, q);
        matmul(x.as_mut(), Accum::Add, basis, along, -1.0, Par::rayon(0));
    }

    /// Q₁ from the reflections.
    fn span(&mut self) {
        let rows = self.rows();
        if self.basis.len() == rows * self.rank {
            return;
        }
        self.basis.resize(rows * self.rank, 0.0);
        self.basis.fill(0.0);
        for (j, column) in self.basis.chunks_exact_mut(rows).enumerate() {
            column[j] = 1.0;
            self.qr.multiply_q(column);
        }
    }
}
