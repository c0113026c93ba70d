//! ℓ = Σ e^z − y·z over the outputs: counts y with mean μ = e^z (log link), −ln P(y) but for ln y!.

use super::Link;
use super::pointwise::{Pointwise, times_log_ratio};
use crate::choice::Choice;
use crate::elementwise::scalar;
use serde::{Deserialize, Serialize};

/// Poisson regression with the log link: z = ln μ. Targets y ≥ 0; they need not be whole numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poisson {
    /// Whether ln y! is added, so that ℓ is −ln P(y). It moves no minimum. Default false.
    #[serde(default)]
    pub full: bool,
}

impl Poisson {
    /// With ln y!.
    pub fn full() -> Self {
        Self { full: true }
    }
}

impl Pointwise for Poisson {
    const NAME: &'static str = "poisson";
    const ALLOWED: &'static str = "0 or more";
    const LINK: Option<Link> = Some(Link::Log);

    fn describe(&self) -> Option<Choice> {
        Choice::with_options(Self::NAME, self)
    }

    fn allows(&self, y: f64) -> bool {
        y >= 0.0 && y.is_finite()
    }

    #[inline(always)]
    fn at(&self, z: f64, y: f64) -> (f64, f64) {
        let mean = scalar::exp(z);
        (mean - y * z, mean - y)
    }

    #[inline(always)]
    fn curvature(&self, z: f64, _: f64) -> f64 {
        scalar::exp(z)
    }

    /// y·ln(y/μ) − (y − μ).
    fn half_deviance(&self, z: f64, y: f64) -> Option<f64> {
        let mean = scalar::exp(z);
        Some(times_log_ratio(y, mean) - (y - mean))
    }

    fn constant(&self) -> Option<fn(&Self, f64) -> f64> {
        self.full.then_some(|_, y| libm::lgamma(y + 1.0))
    }
}
