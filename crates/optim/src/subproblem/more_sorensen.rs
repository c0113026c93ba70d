//! The exact solution, hard case included, from the eigenvalues of H.
//!
//! H = QΛQᵀ once; then p = −Q(Λ + λI)⁻¹Qᵀg with λ from the secular equation, so that a change of Δ costs O(n) and one
//! product with Q. Hard case (g has no part along the leftmost eigenvector u and the rest of p is too short at λ = −λ₁):
//! p + τu, ‖p + τu‖ = Δ. Eigenvalues within rounding of zero count as positive: a flat direction is no direction of
//! negative curvature.
//!
//! The region may be scaled, ‖Dp‖₂ ≤ Δ with dᵢ the largest √|hᵢᵢ| met so far: then p does not depend on the units of each
//! parameter. D⁻¹HD⁻¹ takes the place of H (Moré 1978, as in MINPACK, with D from H in place of JᵀJ).
//! Memory 2n². Cost 9n³ or so once, then n² per Δ.
//! Source: Moré & Sorensen (1983); Conn, Gould & Toint (2000) §7.3.

use super::{NotFinite, Step, secular, to_boundary};
use crate::krylov::Extremes;
use crate::linalg::vector;
use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, MatMut, Par, Spec};
use serde::{Deserialize, Serialize};

/// |λᵢ| ≤ this · √n·ε·max|λ| is zero up to the rounding of an eigenvalue decomposition.
pub const FLAT: f64 = 4.0;
/// dᵢ ≥ this · maxⱼ dⱼ: a parameter without curvature of its own is not free to move without bound.
pub const SMALLEST_SCALE: f64 = 1e-12;
/// From this n on the decomposition runs on rayon's threads.
pub const PARALLEL_FROM: usize = 256;

/// H and its eigenvalues and eigenvectors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MoreSorensen {
    #[serde(with = "crate::linalg::dense")]
    matrix: Mat<f64>,
    #[serde(with = "crate::linalg::dense")]
    vectors: Mat<f64>,
    /// λ₁ ≤ … ≤ λₙ, those within rounding of zero raised to the level of rounding.
    values: Vec<f64>,
    /// Qᵀg
    rotated: Vec<f64>,
    /// Qᵀp
    step: Vec<f64>,
    rounding: f64,
    /// d; none for the Euclidean region.
    scale: Option<Vec<f64>>,
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
            scale: None,
        }
    }

    /// For the region ‖Dp‖ ≤ Δ.
    pub fn scaled(n: usize) -> Self {
        Self { scale: Some(vec![0.0; n]), ..Self::new(n) }
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
        self.equilibrate();
        if !(0..n).all(|j| self.matrix.col_as_slice(j).iter().all(|h| h.is_finite())) {
            return Err(NotFinite);
        }
        let par = if n >= PARALLEL_FROM { Par::rayon(0) } else { Par::Seq };
        let spec = Spec::default();
        let scratch = self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, par, spec);
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
        if !vector::all_finite(&self.values) {
            return Err(NotFinite);
        }
        let size = vector::norm_inf(&self.values);
        self.rounding = FLAT * (n as f64).sqrt() * f64::EPSILON * size + f64::MIN_POSITIVE;
        for value in &mut self.values {
            if value.abs() <= self.rounding {
                *value = self.rounding;
            }
        }
        Ok(())
    }

    /// D ← max(D, √|diag H|) and H ← D⁻¹HD⁻¹, where the region is scaled.
    fn equilibrate(&mut self) {
        let Some(scale) = &mut self.scale else { return };
        let n = scale.len();
        for (j, d) in scale.iter_mut().enumerate() {
            *d = d.max(self.matrix[(j, j)].abs().sqrt());
        }
        let largest = vector::norm_inf(scale);
        let least = if largest > 0.0 { SMALLEST_SCALE * largest } else { 1.0 };
        for d in scale.iter_mut() {
            *d = d.max(least);
        }
        for j in 0..n {
            for i in 0..n {
                self.matrix[(i, j)] /= scale[i] * scale[j];
            }
        }
    }

    /// Whether the region is scaled.
    pub fn is_scaled(&self) -> bool {
        self.scale.is_some()
    }

    /// ‖Dv‖, or ‖v‖ where the region is not scaled.
    pub fn norm(&self, v: &[f64]) -> f64 {
        let Some(scale) = &self.scale else { return vector::norm(v) };
        vector::norm(&v.iter().zip(scale).map(|(v, d)| v * d).collect::<Vec<_>>())
    }

    /// ‖D⁻¹g‖.
    pub fn gradient_norm(&self) -> f64 {
        vector::norm(&self.rotated)
    }

    /// The ends of the spectrum of H (scaled: of D⁻¹HD⁻¹); what is within rounding of zero is a tiny positive number.
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
        if let Some(scale) = &self.scale {
            divide(gradient, scale, &mut self.step);
        } else {
            self.step.copy_from_slice(gradient);
        }
        for (j, rotated) in self.rotated.iter_mut().enumerate() {
            *rotated = vector::dot(self.vectors.col_as_slice(j), &self.step);
        }
    }

    /// `step` ← the minimiser of m over ‖p‖ ≤ Δ, or ‖Dp‖ ≤ Δ; the norm that comes back is of the same kind.
    pub fn solve(&mut self, radius: f64, step: &mut [f64]) -> Step {
        let (lambda, on_boundary) = self.multiplier(radius);
        step.fill(0.0);
        for (j, y) in self.step.iter().enumerate() {
            vector::axpy(*y, self.vectors.col_as_slice(j), step);
        }
        if let Some(scale) = &self.scale {
            for (p, d) in step.iter_mut().zip(scale) {
                *p /= d;
            }
        }
        let terms = self.values.iter().zip(&self.rotated).zip(&self.step);
        let predicted: f64 = terms.map(|((value, g), y)| -y * (g + 0.5 * value * y)).sum();
        let norm = vector::norm(&self.step);
        Step { predicted: predicted.max(0.0), norm, on_boundary, multiplier: Some(lambda) }
    }

    /// λ and whether ‖p‖ = Δ, with Qᵀp in `self.step`.
    fn multiplier(&mut self, radius: f64) -> (f64, bool) {
        // λ = μ − origin: next to a pole μ keeps digits that λ has not.
        let origin = self.values[0].min(0.0);
        // Just right of the pole; where p is too short even there, it is inside or the hard case.
        let lower = if origin < 0.0 { self.rounding } else { 0.0 };
        let at = self.rotated_step(origin, lower);
        if at.square.sqrt() <= radius {
            if origin == 0.0 {
                return (0.0, false);
            }
            let along = self.step[0];
            // The sign of u is free where g has no part along it; away from −g otherwise.
            let sign = if self.rotated[0] > 0.0 { -1.0 } else { 1.0 };
            self.step[0] += sign * to_boundary(at.square, sign * along, 1.0, radius);
            return (lower - origin, true);
        }
        let upper = lower + vector::norm(&self.rotated) / radius;
        let mu = secular::solve(lower, upper, radius, |mu| self.rotated_step(origin, mu));
        (mu - origin, true)
    }

    /// Qᵀp(μ − origin) into `self.step`.
    fn rotated_step(&mut self, origin: f64, mu: f64) -> secular::At {
        let mut at = secular::At { square: 0.0, slope: 0.0 };
        for ((y, g), value) in self.step.iter_mut().zip(&self.rotated).zip(&self.values) {
            let shifted = (value - origin) + mu;
            *y = -g / shifted;
            at.square += *y * *y;
            at.slope += *y * *y / shifted;
        }
        at
    }
}

/// `out` ← x / d, entry by entry.
fn divide(x: &[f64], d: &[f64], out: &mut [f64]) {
    for ((out, x), d) in out.iter_mut().zip(x).zip(d) {
        *out = x / d;
    }
}
