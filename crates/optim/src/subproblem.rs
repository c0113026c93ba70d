//! The trust-region subproblem: minimise m(p) = gᵀp + ½pᵀHp over ‖p‖₂ ≤ Δ.
//!
//! p solves it exactly if and only if, for some λ ≥ 0,  (H + λI)p = −g,  λ(Δ − ‖p‖) = 0  and  H + λI ⪰ 0
//! (Moré & Sorensen 1983). One file per way to p; none knows a solver.
//!
//! | | sees | p | at a smaller Δ |
//! |---|---|---|---|
//! | [`cauchy`] | gᵀHg | best along −g | nothing |
//! | [`Dogleg`] | H | best on the path −g … −H⁻¹g | O(n) |
//! | [`Steihaug`] | products | truncated CG, stopped at the boundary | all products again |
//! | [`Gltr`] | products | exact on a Krylov space | no product |
//! | [`MoreSorensen`] | H | exact, hard case included | O(n²) |
//!
//! [`Gltr`] also minimises m(p) + ⅓σ‖p‖³ without a region: then λ = σ‖p‖ ([`Bound`]).

use serde::{Deserialize, Serialize};

pub mod cauchy;
pub mod dogleg;
pub mod gltr;
pub mod more_sorensen;
mod secular;
pub mod steihaug;
#[cfg(test)]
mod tests;

pub use dogleg::Dogleg;
pub use gltr::Gltr;
pub use more_sorensen::MoreSorensen;
pub use steihaug::Steihaug;

/// What keeps a step short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Bound {
    /// ‖p‖ ≤ Δ.
    Radius(f64),
    /// ⅓σ‖p‖³ in the model, σ > 0.
    Weight(f64),
}

impl Bound {
    /// σ, kept within the positive numbers.
    pub fn weight(sigma: f64) -> Self {
        Self::Weight(sigma.clamp(f64::MIN_POSITIVE, f64::MAX))
    }
}

/// What is known of a step p beside its entries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// −m(p) ≥ 0: the decrease that the model promises.
    pub predicted: f64,
    /// ‖p‖₂
    pub norm: f64,
    /// ‖p‖ = Δ up to rounding; with a cubic term always.
    pub on_boundary: bool,
    /// λ, where the method computes it.
    pub multiplier: Option<f64>,
}

/// H, or a product with it, holds NaN or infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFinite;

/// τ ≥ 0 with ‖p + τd‖ = Δ, from pᵀp, pᵀd and dᵀd, for ‖p‖ ≤ Δ and d ≠ 0.
fn to_boundary(pp: f64, pd: f64, dd: f64, radius: f64) -> f64 {
    // Clamp: roundoff can leave p slightly outside.
    let room = ((radius - pp.sqrt()) * (radius + pp.sqrt())).max(0.0);
    let root = (pd * pd + dd * room).sqrt();
    // The form without cancellation, for either sign of pᵀd.
    if pd > 0.0 { room / (pd + root) } else { (root - pd) / dd }
}
