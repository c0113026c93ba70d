//! The methods, a wing for each kind and a file for each method; what several kinds share is a step along a line.

pub mod constrained;
pub mod first_order;
pub mod least_squares;
mod line_step;
pub mod newton;
pub mod quasi_newton;

pub use constrained::{BoundedLevenbergMarquardt, LbfgsB, OwlQn, ProximalNewton, Tron};
pub use constrained::{bounded_lm, lbfgsb, owl_qn, proximal_newton, tron};
pub use first_order::{
    AdaGrad, AdaGradRule, Adadelta, AdadeltaRule, Adam, AdamRule, AdamW, AdamWRule, FirstOrder,
    FirstOrderMethod, GradientDescent, GradientDescentRule, Guard, Momentum, MomentumRule,
    Nesterov, NesterovRule, RmsProp, RmsPropRule, StepLength,
};
pub use first_order::{
    adadelta, adagrad, adam, adamw, gradient_descent, momentum, nesterov, rmsprop,
};
pub use least_squares::{
    Factorization, GaussNewton, LevenbergMarquardt, Scaling, SecondOrder, VariableProjection,
};
pub use least_squares::{
    gauss_newton, levenberg_marquardt, polish, residual_model, variable_projection,
};
pub use newton::{
    AdaptiveCubic, AdaptiveCubicRule, Modification, Newton, NewtonCg, Optimality, Preconditioner,
    RegionMethod, RegionRule, RegularizedNewton, Subproblem, TrustRegion, TrustRegionRule,
    product_cost,
};
pub use newton::{
    adaptive_cubic, newton_cg, preconditioning, region, regularized_newton, trust_region,
};
pub use quasi_newton::{Bfgs, Lbfgs, NonlinearCg, Safeguard, Sr1, Update};
pub use quasi_newton::{bfgs, lbfgs, nonlinear_cg, safeguard, sr1};

pub use crate::run::fit_solver::FitSolver;

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
