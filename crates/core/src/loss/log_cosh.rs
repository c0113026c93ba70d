//! ℓ = s²·Σ ln cosh((z − y)/s) over the outputs: ½(z − y)² near 0, s·|z − y| − s²·ln 2 far out, with all derivatives between.
//!
//! Below |u| = 1, ln cosh u = ½·ln(1 + sinh²u); above, |u| + ln(1 + e^(−2|u|)) − ln 2. Neither cancels.

use super::LossError;
use super::pointwise::{Pointwise, check_option};
use crate::choice::Choice;
use crate::elementwise::scalar;
use serde::{Deserialize, Serialize};
use std::f64::consts::LN_2;

/// s²·ln cosh((z − y)/s).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogCosh {
    /// s ∈ (0, ∞) in the targets' units: from here on residuals count less than by their square. Default 1.
    pub scale: f64,
}

impl Default for LogCosh {
    fn default() -> Self {
        Self { scale: 1.0 }
    }
}

impl LogCosh {
    /// With the scale s, checked when a risk is made of it.
    pub fn new(scale: f64) -> Self {
        Self { scale }
    }
}

impl Pointwise for LogCosh {
    const NAME: &'static str = "log-cosh";
    const IN_UNITS_OF_TARGETS: bool = true;

    fn describe(&self) -> Option<Choice> {
        Choice::with_options(Self::NAME, self)
    }

    fn check_options(&self) -> Result<(), LossError> {
        let fits = self.scale > 0.0 && self.scale.is_finite();
        check_option(Self::NAME, "scale", self.scale, fits, "positive and finite")
    }

    #[inline(always)]
    fn at(&self, z: f64, y: f64) -> (f64, f64) {
        let s = self.scale;
        let u = (z - y) / s;
        let a = u.abs();
        // Not beyond 1 where it is used, so that nothing overflows.
        let e = scalar::expm1(if a < 1.0 { a } else { 1.0 });
        let sinh = 0.5 * (e + e / (1.0 + e));
        let near = 0.5 * scalar::log1p(sinh * sinh);
        let far = a + (scalar::log1p_unit(scalar::exp(-2.0 * a)) - LN_2);
        // Written so that NaN takes the second arm.
        (s * s * if a < 1.0 { near } else { far }, s * scalar::tanh(u))
    }

    /// 1 − tanh² = 4e/(1 + e)² with e = e^(−2|u|), without cancellation.
    #[inline(always)]
    fn curvature(&self, z: f64, y: f64) -> f64 {
        let e = scalar::exp(-2.0 * ((z - y) / self.scale).abs());
        let sum = 1.0 + e;
        4.0 * e / (sum * sum)
    }
}
