//! ℓ = Σ z + y·e^(−z) over the outputs: positive y with mean μ = e^z (log link) and a variance in proportion to μ², −ln p(y) times the
//! dispersion but for terms in y and the dispersion alone.

use super::Link;
use super::pointwise::Pointwise;
use crate::elementwise::scalar;
use serde::{Deserialize, Serialize};

/// Gamma regression with the log link: z = ln μ. Targets y > 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gamma;

impl Pointwise for Gamma {
    const NAME: &'static str = "gamma";
    const ALLOWED: &'static str = "positive";
    const LINK: Option<Link> = Some(Link::Log);

    fn allows(&self, y: f64) -> bool {
        y > 0.0 && y.is_finite()
    }

    /// ∂ℓ/∂z = 1 − y·e^(−z).
    #[inline(always)]
    fn at(&self, z: f64, y: f64) -> (f64, f64) {
        let ratio = y * scalar::exp(-z);
        (z + ratio, 1.0 - ratio)
    }

    #[inline(always)]
    fn curvature(&self, z: f64, y: f64) -> f64 {
        y * scalar::exp(-z)
    }

    /// (y − μ)/μ − ln(y/μ).
    fn half_deviance(&self, z: f64, y: f64) -> Option<f64> {
        let ratio = y * scalar::exp(-z);
        Some(ratio - 1.0 - ratio.ln())
    }
}
