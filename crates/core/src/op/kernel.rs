//! Kernels κ(x, y) = g(s) with s a quadratic in x: see `landmarks` for s.

use super::FeatureError;
use crate::elementwise::scalar;
use serde::{Deserialize, Serialize};

/// Largest degree of a polynomial: powers beyond it have no digits left.
pub(super) const MAX_DEGREE: u32 = 32;

/// A positive semidefinite function of two samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kernel {
    /// exp(−‖x − y‖²/(2w²)). The γ of other libraries is 1/(2w²).
    Gaussian {
        /// w > 0.
        width: f64,
    },
    /// (scale·xᵀy + offset)^degree.
    Polynomial {
        /// 1 to 32.
        degree: u32,
        /// > 0.
        scale: f64,
        /// ≥ 0.
        offset: f64,
    },
}

impl Kernel {
    pub(super) fn check(self, op: &'static str) -> Result<(), FeatureError> {
        let positive = "positive and finite";
        let bad = |option, value: f64, allowed, good| {
            if good { Ok(()) } else { Err(FeatureError::Option { op, option, value, allowed }) }
        };
        match self {
            Self::Gaussian { width } => {
                bad("width", width, positive, width > 0.0 && width.is_finite())
            }
            Self::Polynomial { degree, scale, offset } => {
                let good = (1..=MAX_DEGREE).contains(&degree);
                bad("degree", f64::from(degree), "between 1 and 32", good)?;
                bad("scale", scale, positive, scale > 0.0 && scale.is_finite())?;
                bad("offset", offset, "finite and ≥ 0", offset >= 0.0 && offset.is_finite())
            }
        }
    }

    /// g(s).
    #[inline(always)]
    pub(super) fn value(self, s: f64) -> f64 {
        match self {
            Self::Gaussian { .. } => scalar::exp(-s),
            Self::Polynomial { degree, .. } => power(s, degree),
        }
    }

    /// g′(s).
    #[inline(always)]
    pub(super) fn slope(self, s: f64) -> f64 {
        match self {
            Self::Gaussian { .. } => -scalar::exp(-s),
            Self::Polynomial { degree, .. } => f64::from(degree) * power(s, degree - 1),
        }
    }

    /// g″(s).
    #[inline(always)]
    pub(super) fn bend(self, s: f64) -> f64 {
        match self {
            Self::Gaussian { .. } => scalar::exp(-s),
            Self::Polynomial { degree: 1, .. } => 0.0,
            Self::Polynomial { degree, .. } => {
                f64::from(degree) * f64::from(degree - 1) * power(s, degree - 2)
            }
        }
    }
}

/// s^degree.
#[inline(always)]
fn power(s: f64, degree: u32) -> f64 {
    s.powi(degree.cast_signed())
}
