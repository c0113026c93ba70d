//! Trust-region Newton: minimise f(θ) with its exact second derivatives, wherever they are indefinite.
//!
//! Update: p ≈ argmin gᵀp + ½pᵀHp over ‖p‖₂ ≤ Δ with H = ∇²f(θ) or the Gauss–Newton matrix;
//! ρ = (f(θ) − f(θ + p)) / promised decrease;  θ⁺ = θ + p where ρ ≥ η, else Δ shrinks and p is found anew from the same H.
//! The subproblem is a choice, [`Subproblem`]. At a trial point only f is evaluated, and the linearisation at θ stays
//! alive until a step is accepted. Both sides of ρ get an allowance for the rounding of f, so that the last steps are judged by
//! the gradient where f cannot show them.
//! Stop: [`Stopping`](crate::Stopping). A point that passes it and has a direction of negative curvature is left along that direction
//! ([`Optimality::SecondOrder`](crate::Optimality::SecondOrder)).
//! The norm is Euclidean: the path is invariant under scaling of the loss and under rotations, not under the units of single
//! parameters ([`Subproblem::ScaledExact`]: under those too).
//! Memory and cost per step: those of the subproblem, one linearisation, f with ∇f once, and f per trial.
//! Source: Conn, Gould & Toint (2000) algorithm 6.1.1, §10.1.2, §17.4.2; Nocedal & Wright (2006) algorithm 4.1.

use super::region::{FEWER_PRODUCTS, Means, POOR, RegionMethod, RegionRule, Subproblem};
use crate::run::memory::{self, bytes};
use serde::{Deserialize, Serialize};

/// Newton's method in a trust region.
///
/// ```
/// use secant_optim::{Subproblem, TrustRegion};
/// let solver = TrustRegion { max_products: 50, ..TrustRegion::default() };
/// let solver = solver.with_subproblem(Subproblem::Steihaug);
/// assert_eq!((solver.subproblem, solver.max_products), (Subproblem::Steihaug, 50));
/// ```
pub type TrustRegion = RegionMethod<TrustRegionRule>;

/// The options of a [`TrustRegion`] that other methods do not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRegionRule {
    /// How the step is found. Default [`Subproblem::Gltr`].
    pub subproblem: Subproblem,
    /// Accepted points looked back on: f may rise as long as it falls enough against the highest of them, as in
    /// Toint (1996). 0 is monotone. Default 0.
    pub history: usize,
}

impl TrustRegion {
    /// How the step is found.
    pub fn with_subproblem(mut self, subproblem: Subproblem) -> Self {
        self.rule.subproblem = subproblem;
        self
    }

    /// Accepted points looked back on; 0 is monotone.
    pub fn with_history(mut self, points: usize) -> Self {
        self.rule.history = points;
        self
    }
}

impl RegionRule for TrustRegionRule {
    const NAME: &'static str = "Trust region";
    const POOR: f64 = POOR;
    const ACCEPTANCES: &'static str = "[0, 1/4)";
    fn means(&self) -> Means {
        Means::Ball(self.subproblem)
    }
    fn history(&self) -> usize {
        self.history
    }
    fn alternative(&self) -> &'static str {
        match self.subproblem {
            Subproblem::Gltr => FEWER_PRODUCTS,
            Subproblem::Steihaug => memory::FEWER_PARAMETERS,
            _ => "`Subproblem::Gltr` or L-BFGS",
        }
    }
    fn is_dense(&self) -> bool {
        !matches!(self.subproblem, Subproblem::Gltr | Subproblem::Steihaug)
    }
    fn memory(&self, n: usize, max_products: usize) -> u64 {
        bytes(&match self.subproblem {
            Subproblem::Gltr => [(1, n, max_products.min(n)), (8, n, 1)],
            Subproblem::Steihaug => [(0, n, n), (12, n, 1)],
            Subproblem::Exact | Subproblem::ScaledExact => [(3, n, n), (12, n, 1)],
            Subproblem::Dogleg => [(2, n, n), (12, n, 1)],
        })
    }
}
