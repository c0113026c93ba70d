//! Methods that learn curvature from differences of gradients.

pub mod bfgs;
pub mod lbfgs;
pub mod nonlinear_cg;
pub mod probe;
pub mod safeguard;
pub mod sr1;

pub use bfgs::{Bfgs, Update};
pub use lbfgs::Lbfgs;
pub use nonlinear_cg::NonlinearCg;
pub use safeguard::Safeguard;
pub use sr1::Sr1;
