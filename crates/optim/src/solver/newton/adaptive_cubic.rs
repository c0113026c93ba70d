//! Adaptive cubic regularisation (ARC): minimise f(θ) with its exact second derivatives, wherever they are indefinite.
//!
//! Update: p ≈ argmin gᵀp + ½pᵀHp + ⅓σ‖p‖³ on Krylov spaces of H = ∇²f(θ) or the Gauss–Newton matrix;
//! ρ = (f(θ) − f(θ + p)) / promised decrease;  θ⁺ = θ + p where ρ ≥ η, else σ grows and p is found anew on the same basis, without a
//! product. σ falls after a step that the model foretold well.
//! The cubic term bounds f from above where σ is more than half the Lipschitz constant of ∇²f, which is why steps need no region.
//! Stop: [`Stopping`](crate::Stopping). A point that passes it and has a direction of negative curvature is left along that direction
//! ([`Optimality::SecondOrder`](crate::Optimality::SecondOrder)).
//! Memory kn for k vectors of the basis. Cost per step: one linearisation, k products, 8nk² operations, f with ∇f once, and f per trial.
//! Source: Cartis, Gould & Toint (2011) Math. Program. 127, algorithm 2.1 and §6; Gould, Porcelli & Toint (2012) for σ.

use super::region::{FEWER_PRODUCTS, Means, POOR_CUBIC, RegionMethod, RegionRule};
use crate::run::memory::bytes;
use serde::{Deserialize, Serialize};

/// Newton's method with a cubic term.
pub type AdaptiveCubic = RegionMethod<AdaptiveCubicRule>;

/// An [`AdaptiveCubic`] has no options but those of every [`RegionMethod`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdaptiveCubicRule;

impl RegionRule for AdaptiveCubicRule {
    const NAME: &'static str = "Adaptive cubic";
    const POOR: f64 = POOR_CUBIC;
    const ACCEPTANCES: &'static str = "[0, 0.1)";
    fn means(&self) -> Means {
        Means::Cubic
    }
    fn alternative(&self) -> &'static str {
        FEWER_PRODUCTS
    }
    fn is_dense(&self) -> bool {
        false
    }
    fn memory(&self, n: usize, max_products: usize) -> u64 {
        bytes(&[(1, n, max_products.min(n)), (8, n, 1)])
    }
}
