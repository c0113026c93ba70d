//! The quadratic model of a proximal Newton step, gᵀd + ½dᵀHd + Σⱼ wⱼ|θⱼ + dⱼ|, and its minimiser.

use super::{FORCING, LEAST_FORCING, MAX_PASSES};
use crate::linalg::cholesky::ShiftedCholesky;
use crate::linalg::vector;
use crate::problem::l1;
use crate::run::limits;
use crate::run::state::FitState;
use faer::{MatMut, MatRef};
use serde::{Deserialize, Serialize};

/// The model at an iterate, and the point that it leads to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct L1Model {
    pub(super) weights: Vec<f64>,
    /// H with its shift; column-major.
    hessian: Vec<f64>,
    /// The parameters that the model moves.
    free: Vec<usize>,
    /// θ + d
    pub(super) point: Vec<f64>,
    /// g + Hd
    slopes: Vec<f64>,
}

impl L1Model {
    pub(super) fn new(weights: Vec<f64>) -> Self {
        let n = weights.len();
        Self {
            weights,
            hessian: vec![0.0; n * n],
            free: (0..n).collect(),
            point: vec![0.0; n],
            slopes: vec![0.0; n],
        }
    }

    /// That of a quadratic f, whose H is the same everywhere; `write` writes both triangles of it.
    pub(super) fn of_quadratic(n: usize, write: impl FnOnce(MatMut<'_, f64>)) -> Self {
        let mut model = Self::new(vec![0.0; n]);
        write(MatMut::from_column_major_slice_mut(&mut model.hessian, n, n));
        model
    }

    /// k parameters where it had fewer: `write` writes the columns of H that are new, k rows each.
    pub(super) fn grow(&mut self, k: usize, write: impl FnOnce(MatMut<'_, f64>)) {
        let before = self.point.len();
        let mut columns = vec![0.0; k * (k - before)];
        write(MatMut::from_column_major_slice_mut(&mut columns, k, k - before));
        let mut hessian = vec![0.0; k * k];
        for (column, old) in
            hessian.chunks_exact_mut(k).zip(self.hessian.chunks_exact(before.max(1)))
        {
            column[..before].copy_from_slice(old);
        }
        for (j, column) in (before..k).zip(columns.chunks_exact(k)) {
            for (i, entry) in column.iter().enumerate().take(j + 1) {
                hessian[j * k + i] = *entry;
                hessian[i * k + j] = *entry;
            }
        }
        self.hessian = hessian;
        for numbers in [&mut self.weights, &mut self.point, &mut self.slopes] {
            numbers.resize(k, 0.0);
        }
        self.release();
    }

    /// That of H.
    pub(super) fn diagonal(&self) -> impl Iterator<Item = f64> {
        self.hessian.iter().step_by(self.point.len() + 1).copied()
    }

    /// H from its upper triangle, with `shift` on the diagonal of the parameters that are free, one entry for each.
    pub(super) fn lay_out(&mut self, matrix: MatRef<'_, f64>, shift: &[f64]) {
        let n = self.point.len();
        for j in 0..n {
            for i in 0..=j {
                self.hessian[j * n + i] = matrix[(i, j)];
                self.hessian[i * n + j] = matrix[(i, j)];
            }
        }
        for (&j, shift) in self.free.iter().zip(shift) {
            self.hessian[j * n + j] += shift;
        }
    }

    /// Every parameter is free.
    pub(super) fn release(&mut self) {
        self.free = (0..self.point.len()).collect();
    }

    /// Free are the parameters that are not zero or have no weight, and those whose slope at zero is beyond their weight. How many.
    pub(super) fn hold_zeros(&mut self, state: &FitState) -> usize {
        let moves = |j: &usize| {
            self.weights[*j] == 0.0 || state.theta[*j] != 0.0 || state.gradient[*j] != 0.0
        };
        self.free = (0..self.point.len()).filter(moves).collect();
        self.free.len()
    }

    pub(super) fn free(&self) -> &[usize] {
        &self.free
    }

    /// max |⋄ⱼ| of the model at `point`, of the free ones.
    fn optimality(&self) -> f64 {
        let at = |j: &usize| {
            l1::pseudo_derivative(self.weights[*j], self.point[*j], self.slopes[*j]).abs()
        };
        self.free.iter().map(at).fold(0.0, f64::max)
    }

    /// `point` ← θ + d, from the slopes ∇f(θ).
    pub(super) fn minimise(&mut self, state: &FitState, smooth: &[f64]) {
        self.point.copy_from_slice(&state.theta);
        self.slopes.copy_from_slice(smooth);
        let forcing = FORCING.min(state.relative_gradient()).max(LEAST_FORCING);
        let goal = forcing * state.gradient_norm;
        for _ in 0..MAX_PASSES {
            if limits::over().is_some() {
                return;
            }
            let changed = self.pass();
            if self.optimality() <= goal {
                // Signs that are found make the rest exact.
                self.newton_on_face();
                return;
            }
            if !changed && self.newton_on_face() && self.optimality() <= goal {
                return;
            }
        }
    }

    /// The same from θ, until no |⋄ⱼ| is above `goal` or rounding is all that is left.
    pub(super) fn minimise_to(&mut self, goal: f64, theta: &[f64], smooth: &[f64]) {
        self.point.copy_from_slice(theta);
        self.slopes.copy_from_slice(smooth);
        let mut settled = 0;
        for _ in 0..MAX_PASSES {
            if limits::over().is_some() {
                return;
            }
            if self.pass() || !self.newton_on_face() {
                settled = 0;
                continue;
            }
            // The signs are those of the minimum: what a second time leaves is rounding.
            settled += 1;
            if settled == 2 || self.optimality() <= goal {
                return;
            }
        }
    }

    /// One pass of coordinate descent; whether a sign changed.
    fn pass(&mut self) -> bool {
        let n = self.point.len();
        let mut changed = false;
        for &j in &self.free {
            let (w, t, g) = (self.weights[j], self.point[j], self.slopes[j]);
            if t == 0.0 && g.abs() <= w {
                continue;
            }
            let curvature = self.hessian[j * n + j];
            let after = -l1::soft_threshold(g - curvature * t, w) / curvature;
            // 0 and −0 are one sign.
            let after = if after == 0.0 { 0.0 } else { after };
            if after == t || !after.is_finite() {
                continue;
            }
            changed |= sign(after) != sign(t);
            let row = &self.hessian[j * n..(j + 1) * n];
            vector::axpy(after - t, row, &mut self.slopes);
            self.point[j] = after;
        }
        changed
    }

    /// Newton's step of the model on the parameters that are not zero, or free; up to the first sign that would change. Whether
    /// the whole step was taken.
    fn newton_on_face(&mut self) -> bool {
        let n = self.point.len();
        let on_face = |j: &&usize| self.point[**j] != 0.0 || self.weights[**j] == 0.0;
        let face: Vec<usize> = self.free.iter().filter(on_face).copied().collect();
        if face.is_empty() {
            return true;
        }
        let entry = |i: usize, j: usize| self.hessian[j * n + i];
        let slope = |j: usize| self.slopes[j] + self.weights[j] * sign(self.point[j]);
        let Some(step) = ShiftedCholesky::step_on(&face, entry, slope) else { return false };
        let mut length = 1.0_f64;
        let mut first = None;
        for (&j, p) in face.iter().zip(&step) {
            let (t, penalised) = (self.point[j], self.weights[j] > 0.0);
            if penalised && (t + p) * t <= 0.0 && -t / p < length {
                (length, first) = (-t / p, Some(j));
            }
        }
        for (&j, p) in face.iter().zip(&step) {
            let after = if first == Some(j) { 0.0 } else { length.mul_add(*p, self.point[j]) };
            let change = after - self.point[j];
            self.point[j] = after;
            let row = &self.hessian[j * n..(j + 1) * n];
            vector::axpy(change, row, &mut self.slopes);
        }
        first.is_none()
    }
}

/// −1, 0 or 1.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { 1.0_f64.copysign(x) }
}
