//! Methods for bounds and for sums of absolute values.

pub mod bounded_lm;
pub mod lbfgsb;
pub mod owl_qn;
pub mod proximal_newton;
pub mod tron;

pub use bounded_lm::BoundedLevenbergMarquardt;
pub use lbfgsb::LbfgsB;
pub use owl_qn::OwlQn;
pub use proximal_newton::ProximalNewton;
pub use tron::Tron;
