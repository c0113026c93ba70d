//! Methods with second derivatives: by a factorisation, by truncated conjugate gradients, within a region.

pub mod adaptive_cubic;
pub(in crate::solver) mod model;
#[expect(clippy::module_inception, reason = "the wing is named after its first method")]
mod newton;
pub mod newton_cg;
pub mod preconditioning;
pub mod region;
pub mod regularized_newton;
pub mod trust_region;

pub use adaptive_cubic::{AdaptiveCubic, AdaptiveCubicRule};
pub use model::product_cost;
pub use newton::{Modification, Newton, REFINE_BELOW, REFINE_KEEP, REFINEMENTS};
pub use newton_cg::NewtonCg;
pub use preconditioning::Preconditioner;
pub use region::{Optimality, RegionMethod, RegionRule, Subproblem};
pub use regularized_newton::RegularizedNewton;
pub use trust_region::{TrustRegion, TrustRegionRule};
