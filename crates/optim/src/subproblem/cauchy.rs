//! The Cauchy point: the minimiser of m along −g inside the region. p = −τg.
//!
//! Cost: one product, for gᵀHg. Source: Nocedal & Wright (2006) (4.11), (4.12).

use super::Step;

/// (τ, step) of p = −τg from ‖g‖ > 0 and `curvature` = gᵀHg.
pub fn cauchy(gradient_norm: f64, curvature: f64, radius: f64) -> (f64, Step) {
    let square = gradient_norm * gradient_norm;
    let boundary = radius / gradient_norm;
    let inside = square / curvature;
    let on_boundary = !(curvature > 0.0 && inside < boundary);
    let tau = if on_boundary { boundary } else { inside };
    let predicted = tau * (square - 0.5 * tau * curvature);
    (tau, Step { predicted, norm: tau * gradient_norm, on_boundary, multiplier: None })
}
