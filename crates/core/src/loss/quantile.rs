//! ℓ = Σ τ·e + h·ln(1 + e^(−e/h)) with e = y − z: the check function max(τe, (τ − 1)e), smoothed over a width h.
//!
//! It lies above the check function by at most h·ln 2, at e = 0, and by h·e^(−|e|/h) far out. Its minimum over constants is near the
//! τ-quantile, and tends to it with h → 0.
//! Source: Koenker & Bassett (1978), Econometrica 46; Zheng (2011), Int. J. Mach. Learn. Cyb. 2, for the smoothing.

use super::LossError;
use super::pointwise::{Pointwise, check_option};
use crate::choice::Choice;
use crate::elementwise::scalar;
use serde::{Deserialize, Serialize};

/// The smoothed check function of quantile regression.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// τ ∈ (0, 1): the share of targets below the fit.
    pub tau: f64,
    /// h ∈ (0, ∞) in the targets' units. Where it is far below the residuals, so are the errors that it makes; curvature is 1/(4h) at the
    /// kink that it smooths, and all but 0 elsewhere.
    pub width: f64,
}

impl Quantile {
    /// τ and h, checked when a risk is made of them.
    pub fn new(tau: f64, width: f64) -> Self {
        Self { tau, width }
    }
}

impl Pointwise for Quantile {
    const NAME: &'static str = "quantile";
    const IN_UNITS_OF_TARGETS: bool = true;

    fn describe(&self) -> Option<Choice> {
        Choice::with_options(Self::NAME, self)
    }

    fn check_options(&self) -> Result<(), LossError> {
        let (tau, width) = (self.tau, self.width);
        check_option(Self::NAME, "tau", tau, tau > 0.0 && tau < 1.0, "in (0, 1)")?;
        let fits = width > 0.0 && width.is_finite();
        check_option(Self::NAME, "width", width, fits, "positive and finite")
    }

    #[inline(always)]
    fn at(&self, z: f64, y: f64) -> (f64, f64) {
        let (tau, h) = (self.tau, self.width);
        let e = y - z;
        let check = if e < 0.0 { (tau - 1.0) * e } else { tau * e };
        let smoothing = h * scalar::log1p_unit(scalar::exp(-e.abs() / h));
        (check + smoothing, scalar::sigmoid(-e / h) - tau)
    }

    #[inline(always)]
    fn curvature(&self, z: f64, y: f64) -> f64 {
        let u = (y - z) / self.width;
        scalar::sigmoid(u) * scalar::sigmoid(-u) / self.width
    }
}
