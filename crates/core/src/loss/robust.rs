//! ℓ = ½σ²·Σ ρ((z − y)²/σ²) over the outputs: a regression loss in which outliers count less than by their square.
//!
//! The Hessian is exact, and negative beyond σ for [`Rho::Cauchy`] and part of [`Rho::Tukey`]; the Gauss–Newton matrix takes
//! weights that are not, see [`RhoWeight`].

use super::squared_error::{check_numbers, numbers};
use super::{Loss, LossError};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use crate::rho::{Rho, RhoAt, RhoWeight};
use serde::{Deserialize, Serialize};

/// A loss with ρ in place of the square, and the scale σ in the targets' units from which on residuals count less.
///
/// The targets' units are those of the fit: where targets are standardised, σ is in their standard deviations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Robust {
    rho: Rho,
    scale: f64,
    weight: RhoWeight,
}

impl Robust {
    /// ρ with the scale σ ∈ (0, ∞).
    ///
    /// # Errors
    /// [`LossError::Scale`].
    pub fn new(rho: Rho, scale: f64) -> Result<Self, LossError> {
        let loss = Self { rho, scale, weight: RhoWeight::default() };
        loss.check_scale().map(|()| loss)
    }

    /// Huber's loss: ½(z − y)² up to ∣z − y∣ = σ, σ·∣z − y∣ − ½σ² beyond. Convex, once differentiable.
    ///
    /// # Errors
    /// [`LossError::Scale`].
    pub fn huber(scale: f64) -> Result<Self, LossError> {
        Self::new(Rho::Huber, scale)
    }

    fn check_scale(&self) -> Result<(), LossError> {
        if self.scale > 0.0 && self.scale.is_finite() {
            return Ok(());
        }
        Err(LossError::Scale { loss: self.rho.name(), scale: self.scale })
    }

    /// What the Gauss–Newton matrix takes of a residual. Default [`RhoWeight::Triggs`].
    pub fn with_weight(mut self, weight: RhoWeight) -> Self {
        self.weight = weight;
        self
    }

    /// ρ.
    pub fn rho(&self) -> Rho {
        self.rho
    }

    /// σ.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// s and ρ(s) for the residual r.
    fn at(&self, r: f64) -> (f64, RhoAt) {
        let u = r / self.scale;
        (u * u, self.rho.at(u * u))
    }

    fn each(
        &self,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
        curvature: impl Fn(f64, RhoAt) -> f64,
    ) {
        for (((out, z), y), z_dot) in out.iter_mut().zip(z).zip(numbers(y)).zip(z_dot) {
            let (s, rho) = self.at(z - y);
            *out = curvature(s, rho) * z_dot;
        }
    }
}

impl Loss for Robust {
    fn name(&self) -> &'static str {
        self.rho.name()
    }

    fn describe(&self) -> Option<Choice> {
        Choice::with_options("robust", self)
    }

    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        self.check_scale()?;
        check_numbers(self.name(), outputs, targets)
    }

    fn is_convex(&self) -> bool {
        self.rho.is_convex()
    }

    fn level(&self, means: &[f64], _deviations: &[f64]) -> Option<Vec<f64>> {
        Some(means.to_vec())
    }

    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        let terms = z.iter().zip(numbers(y)).map(|(z, y)| self.at(z - y).1.value);
        0.5 * self.scale * self.scale * terms.sum::<f64>()
    }

    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        let mut total = 0.0;
        for ((z_bar, z), y) in z_bar.iter_mut().zip(z).zip(numbers(y)) {
            let (_, rho) = self.at(z - y);
            *z_bar = scale * rho.slope * (z - y);
            total += rho.value;
        }
        0.5 * self.scale * self.scale * total
    }

    fn hessian_vector(
        &self,
        scale: f64,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        self.each(z, y, z_dot, out, |s, rho| scale * rho.curvature(s));
    }

    fn gauss_newton_vector(
        &self,
        scale: f64,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        self.each(z, y, z_dot, out, |s, rho| scale * rho.weight(s, self.weight));
    }
}
