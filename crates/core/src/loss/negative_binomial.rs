//! ℓ = Σ (y + 1/α)·ln(1 + α·e^z) − y·z over the outputs: counts y with mean μ = e^z (log link) and variance μ + αμ², −ln P(y) but for
//! terms in y and α alone. α → 0 is [`Poisson`](super::Poisson).
//!
//! Source: Cameron & Trivedi (2013), *Regression Analysis of Count Data*, §3.3 (NB2).

use super::pointwise::{Pointwise, check_option, times_log_ratio};
use super::{Link, LossError};
use crate::choice::Choice;
use crate::elementwise::scalar;
use crate::special::log_gamma_ratio;
use serde::{Deserialize, Serialize};

/// Negative binomial regression with the log link and a given dispersion: z = ln μ. Targets y ≥ 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NegativeBinomial {
    /// α ∈ (0, ∞): the variance is μ + αμ².
    pub alpha: f64,
    /// Whether the terms in y and α alone are added, so that ℓ is −ln P(y). They move no minimum. Default false.
    #[serde(default)]
    pub full: bool,
}

impl NegativeBinomial {
    /// With the dispersion α, checked when a risk is made of it.
    pub fn new(alpha: f64) -> Self {
        Self { alpha, full: false }
    }

    /// With the terms in y and α alone.
    pub fn full(alpha: f64) -> Self {
        Self { alpha, full: true }
    }
}

impl Pointwise for NegativeBinomial {
    const NAME: &'static str = "negative-binomial";
    const ALLOWED: &'static str = "0 or more";
    const LINK: Option<Link> = Some(Link::Log);

    fn describe(&self) -> Option<Choice> {
        Choice::with_options(Self::NAME, self)
    }

    fn check_options(&self) -> Result<(), LossError> {
        let fits = self.alpha > 0.0 && self.alpha.is_finite() && self.alpha.recip().is_finite();
        check_option(Self::NAME, "alpha", self.alpha, fits, "positive and finite, as 1/alpha")
    }

    fn allows(&self, y: f64) -> bool {
        y >= 0.0 && y.is_finite()
    }

    #[inline(always)]
    fn at(&self, z: f64, y: f64) -> (f64, f64) {
        let total = y + self.alpha.recip();
        let score = z + self.alpha.ln();
        (total * scalar::softplus(score) - y * z, total * scalar::sigmoid(score) - y)
    }

    #[inline(always)]
    fn curvature(&self, z: f64, y: f64) -> f64 {
        let score = z + self.alpha.ln();
        (y + self.alpha.recip()) * scalar::sigmoid(score) * scalar::sigmoid(-score)
    }

    /// y·ln(y/μ) + (y + 1/α)·ln((1 + αμ)/(1 + αy)).
    fn half_deviance(&self, z: f64, y: f64) -> Option<f64> {
        let mean = scalar::exp(z);
        let spread = (self.alpha * (mean - y) / (1.0 + self.alpha * y)).ln_1p();
        Some(times_log_ratio(y, mean) + (y + self.alpha.recip()) * spread)
    }

    fn constant(&self) -> Option<fn(&Self, f64) -> f64> {
        self.full
            .then_some(|loss, y| libm::lgamma(y + 1.0) - log_gamma_ratio(loss.alpha.recip(), y))
    }
}
