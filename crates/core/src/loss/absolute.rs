//! ℓ = Σ |z − y| over the outputs: the least absolute deviations, whose minimum is a median.

use super::pointwise::Pointwise;
use serde::{Deserialize, Serialize};

/// |z − y|. Convex, with a kink at z = y: the gradient there is 0, one of the subgradients, and second derivatives are 0 elsewhere.
///
/// Methods that need a smooth function refuse it, see [`Loss::is_smooth`](super::Loss::is_smooth). Smooth relatives:
/// [`Robust`](super::Robust) with Huber's ρ, [`LogCosh`](super::LogCosh), [`Quantile`](super::Quantile) with τ = ½ (of half the size).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsoluteError;

impl Pointwise for AbsoluteError {
    const NAME: &'static str = "absolute";
    const IN_UNITS_OF_TARGETS: bool = true;
    const SMOOTH: bool = false;

    #[inline(always)]
    fn at(&self, z: f64, y: f64) -> (f64, f64) {
        let r = z - y;
        let sign = if r < 0.0 { -1.0 } else { 1.0 };
        // 0 at the kink; a NaN stays.
        (r.abs(), if r == 0.0 { 0.0 } else { sign + 0.0 * r })
    }

    #[inline(always)]
    fn curvature(&self, _: f64, _: f64) -> f64 {
        0.0
    }
}
