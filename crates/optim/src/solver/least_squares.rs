//! Methods for sums of squares, by the Jacobian of the residuals.

pub mod gauss_newton;
pub mod levenberg_marquardt;
pub mod polish;
pub mod residual_model;
pub mod variable_projection;

pub use gauss_newton::GaussNewton;
pub use levenberg_marquardt::LevenbergMarquardt;
pub use residual_model::{Factorization, Scaling, SecondOrder};
pub use variable_projection::VariableProjection;
