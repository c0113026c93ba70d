//! Powell's dogleg: the best point on the path from the origin by the unconstrained Cauchy point to the Newton point.
//!
//! p = −τg up to the Cauchy point, then on the straight line to −B⁻¹g, as far as ‖p‖ ≤ Δ. B = H where that is safely positive
//! definite and H + shift otherwise (the shift of [`Newton`](crate::Newton)); the model with B promises no more than H gives, so
//! that the promise stays safe. Where something was shifted and the Newton point of B lies inside, the path goes on along its
//! direction to the minimum of m, which may be at the boundary. Memory 2n². Cost n³/3 once, then 4n per radius.
//! Source: Powell (1970); Nocedal & Wright (2006) §4.1.

use super::{NotFinite, Step, cauchy::cauchy, to_boundary};
use crate::linalg::cholesky::{NotFactored, ShiftedCholesky};
use crate::linalg::vector;
use faer::MatMut;
use serde::{Deserialize, Serialize};

/// The factor of B and the two corners of the path.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dogleg {
    factor: ShiftedCholesky,
    gradient: Vec<f64>,
    gradient_norm: f64,
    /// gᵀBg
    curvature: f64,
    /// −B⁻¹g; empty of meaning where B = 0.
    newton: Vec<f64>,
    /// gᵀB⁻¹g
    newton_decrease: f64,
    newton_norm: f64,
    /// nᵀHn of the Newton point n where B ≠ H.
    newton_curvature: Option<f64>,
    work: Vec<f64>,
}

impl Dogleg {
    /// For H of n × n.
    pub fn new(n: usize) -> Self {
        let zeros = || vec![0.0; n];
        Self {
            factor: ShiftedCholesky::new(n),
            gradient: zeros(),
            gradient_norm: 0.0,
            curvature: 0.0,
            newton: zeros(),
            newton_decrease: 0.0,
            newton_norm: 0.0,
            newton_curvature: None,
            work: zeros(),
        }
    }

    /// To be filled with H (n × n, at least the upper triangle) before [`factor`](Self::factor).
    pub fn matrix_mut(&mut self) -> MatMut<'_, f64> {
        self.factor.matrix_mut()
    }

    /// Factorises B and sets g ≠ 0, length n.
    ///
    /// # Errors
    /// H holds NaN or infinity.
    pub fn factor(&mut self, gradient: &[f64]) -> Result<(), NotFinite> {
        self.gradient.copy_from_slice(gradient);
        self.gradient_norm = vector::norm(gradient);
        match self.factor.factor() {
            Err(NotFactored::NotFinite) => return Err(NotFinite),
            Err(NotFactored::Zero) => {
                // No curvature: the path is the ray along −g.
                (self.curvature, self.newton_norm) = (0.0, f64::INFINITY);
                return Ok(());
            }
            Ok(_) => {}
        }
        self.factor.multiply_shifted(gradient, &mut self.work);
        self.curvature = vector::dot(gradient, &self.work);
        vector::scale_into(-1.0, gradient, &mut self.newton);
        let mut residual = vec![0.0; gradient.len()];
        self.factor.solve(&mut self.newton, &mut self.work, &mut residual);
        self.newton_decrease = -vector::dot(gradient, &self.newton);
        self.newton_norm = vector::norm(&self.newton);
        self.newton_curvature = (self.factor.shift() > 0.0).then(|| {
            self.factor.multiply(&self.newton, &mut self.work);
            vector::dot(&self.newton, &self.work)
        });
        Ok(())
    }

    /// `step` ← p.
    pub fn solve(&self, radius: f64, step: &mut [f64]) -> Step {
        let inside = Step {
            predicted: 0.5 * self.newton_decrease,
            norm: self.newton_norm,
            on_boundary: false,
            multiplier: Some(0.0),
        };
        if let (true, Some(curvature)) = (self.newton_norm <= radius, self.newton_curvature) {
            return self.beyond(curvature, radius, step);
        }
        if self.newton_norm <= radius {
            step.copy_from_slice(&self.newton);
            return inside;
        }
        let (tau, corner) = cauchy(self.gradient_norm, self.curvature, radius);
        vector::scale_into(-tau, &self.gradient, step);
        if corner.on_boundary {
            return corner;
        }
        // p = c + s(n − c), with Bc and Bn known: m(p) is a parabola in s with its minimum at the Newton point, s = 1.
        let cc = corner.norm * corner.norm;
        let cn = vector::dot(step, &self.newton);
        let along = cn - cc;
        let length = (self.newton_norm * self.newton_norm - 2.0 * cn + cc).max(f64::MIN_POSITIVE);
        let s = to_boundary(cc, along, length, radius).min(1.0);
        vector::scale(1.0 - s, step);
        vector::axpy(s, &self.newton, step);
        // Of the decrease from corner to Newton point, 1 − (1 − s)²; this form does not cancel where s is small.
        let part = s * (2.0 - s);
        let predicted = corner.predicted + part * (inside.predicted - corner.predicted);
        Step { predicted, norm: vector::norm(step), on_boundary: true, multiplier: None }
    }

    /// `step` ← τn, τ ≥ 1, the minimum of m along the Newton point n of B inside the region, from nᵀHn.
    fn beyond(&self, curvature: f64, radius: f64, step: &mut [f64]) -> Step {
        let boundary = radius / self.newton_norm;
        let inside = self.newton_decrease / curvature;
        let on_boundary = !(curvature > 0.0 && inside < boundary);
        let tau = if on_boundary { boundary } else { inside };
        vector::scale_into(tau, &self.newton, step);
        let predicted = tau * (self.newton_decrease - 0.5 * tau * curvature);
        Step { predicted, norm: tau * self.newton_norm, on_boundary, multiplier: None }
    }
}
