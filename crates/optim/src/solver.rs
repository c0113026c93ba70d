//! The methods, one file each, and what several share: a step along a line, a step by a rule, the
//! linear model of residuals and its last digits.

pub mod adadelta;
pub mod adagrad;
pub mod adam;
pub mod adamw;
pub mod adaptive_cubic;
pub mod bfgs;
pub mod bounded_lm;
mod first_order;
pub mod gauss_newton;
pub mod gradient_descent;
pub mod lbfgs;
pub mod lbfgsb;
pub mod levenberg_marquardt;
mod line_step;
mod model;
pub mod momentum;
pub mod nesterov;
pub mod newton;
pub mod newton_cg;
pub mod nonlinear_cg;
pub mod owl_qn;
pub mod polish;
pub mod preconditioning;
pub mod proximal_newton;
pub mod region;
pub mod regularized_newton;
pub mod residual_model;
pub mod rmsprop;
pub mod safeguard;
pub mod sr1;
pub mod tron;
pub mod trust_region;

pub use adadelta::Adadelta;
pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub use adaptive_cubic::AdaptiveCubic;
pub use bfgs::{Bfgs, Update};
pub use bounded_lm::BoundedLevenbergMarquardt;
pub use first_order::FirstOrder;
pub use gauss_newton::GaussNewton;
pub use gradient_descent::{GradientDescent, StepLength};
pub use lbfgs::Lbfgs;
pub use lbfgsb::LbfgsB;
pub use levenberg_marquardt::LevenbergMarquardt;
pub use model::product_cost;
pub use momentum::Momentum;
pub use nesterov::Nesterov;
pub use newton::{Modification, Newton};
pub use newton_cg::NewtonCg;
pub use nonlinear_cg::NonlinearCg;
pub use owl_qn::OwlQn;
pub use preconditioning::Preconditioner;
pub use proximal_newton::ProximalNewton;
pub use region::{Optimality, Subproblem};
pub use regularized_newton::RegularizedNewton;
pub use residual_model::{Factorization, Scaling, SecondOrder};
pub use rmsprop::{Guard, RmsProp};
pub use safeguard::Safeguard;
pub use sr1::Sr1;
pub use tron::Tron;
pub use trust_region::TrustRegion;

use crate::error::OptimError;
use crate::stopping::Stopping;
use serde::{Deserialize, Serialize};

/// Which matrix of second derivatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HessianKind {
    /// ∇²f.
    #[default]
    Exact,
    /// The (generalised) Gauss–Newton matrix: positive semidefinite for a convex loss.
    GaussNewton,
}

/// What every solver of this crate has beside argmin's `Solver`; what [`minimize`](crate::minimize) needs.
pub trait FitSolver {
    /// The method's name.
    const NAME: &'static str;
    /// The name with what the options make of it: `self-scaled BFGS`. Default: [`NAME`](Self::NAME).
    fn title(&self) -> &'static str {
        Self::NAME
    }
    /// When it stops.
    fn stopping(&self) -> &Stopping;
    /// When it stops, to be changed.
    fn stopping_mut(&mut self) -> &mut Stopping;
    /// Checks every option.
    ///
    /// # Errors
    /// The first option outside its range.
    fn validate(&self) -> Result<(), OptimError>;
    /// Bytes that a run takes for n parameters and m residuals (0 for a method that asks for none), beside the problem's own buffers;
    /// none where the solver does not say. [`memory`](crate::memory) tells what is refused.
    fn memory(&self, n: usize, m: usize) -> Option<u64> {
        let _ = (n, m);
        None
    }
    /// What happened on the way that the counters do not say.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}
