//! The exact solution, hard case included, from the eigenvalues of H.
//!
//! H = QΛQᵀ once; then p = −Q(Λ + λI)⁻¹Qᵀg with λ from the secular equation, so that a change of Δ costs O(n) and one
//! product with Q. Hard case (g has no part along the leftmost eigenvector u and the rest of p is too short at λ = −λ₁):
//! p + τu, ‖p + τu‖ = Δ. Eigenvalues within rounding of zero count as positive: a flat direction is no direction of
//! negative curvature.
//! Memory 2n². Cost 9n³ or so once, then n² per Δ.
//! Source: Moré & Sorensen (1983); Conn, Gould & Toint (2000) §7.3.

use super::{NotFinite, Step, secular, to_boundary};
use crate::krylov::Extremes;
use crate::linalg::vector;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::diag::DiagMut;
use faer::{Mat, MatMut, Par, Spec};

/// |λᵢ| ≤ this · √n·ε·max|λ| is zero up to the rounding of an eigenvalue decomposition.
pub const FLAT: f64 = 4.0;
/// From this n on the decomposition runs on rayon's threads.
pub const PARALLEL_FROM: usize = 256;

/// H and its eigenvalues and eigenvectors.
#[derive(Clone, Debug)]
pub struct MoreSorensen {
    matrix: Mat<f64>,
    vectors: Mat<f64>,
    /// λ₁ ≤ … ≤ λₙ, those within rounding of zero raised to the level of rounding.
    values: Vec<f64>,
    /// Qᵀg
    rotated: Vec<f64>,
    /// Qᵀp
    step: Vec<f64>,
    rounding: f64,
}

impl MoreSorensen {
    /// For H of n × n.
    pub fn new(n: usize) -> Self {
        Self {
            matrix: Mat::zeros(n, n),
            vectors: Mat::zeros(n, n),
            values: vec![0.0; n],
            rotated: vec![0.0; n],
            step: vec![0.0; n],
            rounding: 0.0,
        }
    }

    /// To be filled with H (n × n, at least the lower triangle) before [`factor`](Self::factor).
    pub fn matrix_mut(&mut self) -> MatMut<'_, f64> {
        self.matrix.as_mut()
    }

    /// H = QΛQᵀ.
    ///
    /// # Errors
    /// H holds NaN or infinity.
    pub fn factor(&mut self) -> Result<(), NotFinite> {
        let n = self.values.len();
        if !(0..n).all(|j| self.matrix.col_as_slice(j).iter().all(|h| h.is_finite())) {
            return Err(NotFinite);
        }
        let par = if n >= PARALLEL_FROM { Par::rayon(0) } else { Par::Seq };
        let spec = Spec::default();
        let scratch =
            self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, par, spec);
        let mut memory = MemBuffer::new(scratch);
        self_adjoint_evd(
            self.matrix.as_ref(),
            DiagMut::from_slice_mut(&mut self.values),
            Some(self.vectors.as_mut()),
            par,
            MemStack::new(&mut memory),
            spec,
        )
        .map_err(|_| NotFinite)?;
        let size = vector::norm_inf(&self.values);
        self.rounding = FLAT * (n as f64).sqrt() * f64::EPSILON * size + f64::MIN_POSITIVE;
        for value in &mut self.values {
            if value.abs() <= self.rounding {
                *value = self.rounding;
            }
        }
        Ok(())
    }

    /// The ends of the spectrum of H; what is within rounding of zero is a tiny positive number.
    pub fn ends(&self) -> Extremes {
        Extremes {
            smallest: self.values[0],
            residual: self.rounding,
            direction: self.vectors.col_as_slice(0).to_vec(),
            largest: self.values[self.values.len() - 1],
            products: 0,
        }
    }

    /// Sets g, length n.
    pub fn set_gradient(&mut self, gradient: &[f64]) {
        for (j, rotated) in self.rotated.iter_mut().enumerate() {
            *rotated = vector::dot(self.vectors.col_as_slice(j), gradient);
        }
    }

    /// `step` ← the minimiser of m over ‖p‖ ≤ Δ.
    pub fn solve(&mut self, radius: f64, step: &mut [f64]) -> Step {
        let (lambda, on_boundary) = self.multiplier(radius);
        step.fill(0.0);
        for (j, y) in self.step.iter().enumerate() {
            vector::axpy(*y, self.vectors.col_as_slice(j), step);
        }
        let terms = self.values.iter().zip(&self.rotated).zip(&self.step);
        let predicted: f64 = terms.map(|((value, g), y)| -y * (g + 0.5 * value * y)).sum();
        let norm = vector::norm(&self.step);
        Step { predicted: predicted.max(0.0), norm, on_boundary, multiplier: Some(lambda) }
    }

    /// λ and whether ‖p‖ = Δ, with Qᵀp in `self.step`.
    fn multiplier(&mut self, radius: f64) -> (f64, bool) {
        let smallest = self.values[0];
        if smallest > 0.0 && self.rotated_step(0.0).square.sqrt() <= radius {
            return (0.0, false);
        }
        // Just right of the pole; where p is too short even there, the hard case.
        let lower = if smallest > 0.0 { 0.0 } else { self.rounding - smallest };
        let at = self.rotated_step(lower);
        if at.square.sqrt() < radius {
            let along = self.step[0];
            let rest = (at.square - along * along).max(0.0);
            // The sign of u is free where g has no part along it; away from −g otherwise.
            let sign = if self.rotated[0] > 0.0 { -1.0 } else { 1.0 };
            self.step[0] += sign * to_boundary(rest + along * along, sign * along, 1.0, radius);
            return (lower, true);
        }
        let upper = lower + vector::norm(&self.rotated) / radius;
        let lambda = secular::solve(lower, upper, radius, |lambda| self.rotated_step(lambda));
        (lambda, true)
    }

    /// Qᵀp(λ) into `self.step`.
    fn rotated_step(&mut self, lambda: f64) -> secular::At {
        let mut at = secular::At { square: 0.0, slope: 0.0 };
        for ((y, g), value) in self.step.iter_mut().zip(&self.rotated).zip(&self.values) {
            let shifted = value + lambda;
            *y = -g / shifted;
            at.square += *y * *y;
            at.slope += *y * *y / shifted;
        }
        at
    }
}
