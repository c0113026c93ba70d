//! Every method as one type, for programs that choose when they run.

use crate::error::OptimError;
use crate::minimize::{Solution, minimize};
use crate::solver::{
    AdaGrad, Adadelta, Adam, AdaptiveCubic, Bfgs, BoundedLevenbergMarquardt, FitSolver,
    GaussNewton, GradientDescent, Lbfgs, LbfgsB, LevenbergMarquardt, Momentum, Nesterov, Newton,
    NewtonCg, NonlinearCg, OwlQn, ProximalNewton, RegularizedNewton, RmsProp, Sr1, Tron,
    TrustRegion,
};
use crate::state::FitState;
use crate::stopping::Stopping;
use crate::variable_projection::VariableProjection;
use argmin::core::Solver;
use secant_core::problem::{Curvature, LeastSquares};

/// The enum of the methods listed: a variant of each name holds the solver of that name.
macro_rules! methods {
    (on_objective: $($smooth:ident),+; on_residuals: $($residual:ident),+;) => {
        /// One of the methods, with its options.
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "each variant is named after the type it holds")]
        pub enum Method {
            $($smooth($smooth),)+
            $($residual($residual),)+
        }

        impl Method {
            /// The method's name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$smooth(_) => $smooth::NAME,)+
                    $(Self::$residual(_) => $residual::NAME,)+
                }
            }

            /// When it stops.
            pub fn stopping(&self) -> &Stopping {
                match self {
                    $(Self::$smooth(solver) => &solver.stopping,)+
                    $(Self::$residual(solver) => &solver.stopping,)+
                }
            }

            /// When it stops, to be changed.
            pub fn stopping_mut(&mut self) -> &mut Stopping {
                match self {
                    $(Self::$smooth(solver) => &mut solver.stopping,)+
                    $(Self::$residual(solver) => &mut solver.stopping,)+
                }
            }

            /// Minimises `problem` from `theta0` (length n), as [`minimize`] does. Gauss–Newton and Levenberg–Marquardt run on
            /// the problem's residuals, [`Curvature::as_least_squares`].
            ///
            /// # Errors
            /// [`OptimError`]: an option out of range, a start of another length than the problem or with an entry that is not
            /// finite, a method that needs residuals on a problem that has none.
            pub fn minimize<P: Curvature>(
                self,
                problem: &P,
                theta0: &[f64],
            ) -> Result<Solution, OptimError> {
                match self {
                    $(Self::$smooth(solver) => minimize(problem, solver, theta0),)+
                    $(Self::$residual(solver) => on_residuals(problem, solver, theta0),)+
                }
            }
        }

        $(impl From<$smooth> for Method {
            fn from(solver: $smooth) -> Self {
                Self::$smooth(solver)
            }
        })+
        $(impl From<$residual> for Method {
            fn from(solver: $residual) -> Self {
                Self::$residual(solver)
            }
        })+
    };
}

methods! {
    on_objective: Newton, RegularizedNewton, NewtonCg, TrustRegion, Tron, AdaptiveCubic, Bfgs, Sr1, Lbfgs, LbfgsB, OwlQn, ProximalNewton, NonlinearCg, GradientDescent, Momentum, Nesterov, AdaGrad, RmsProp, Adadelta, Adam;
    on_residuals: GaussNewton, LevenbergMarquardt, BoundedLevenbergMarquardt, VariableProjection;
}

impl Default for Method {
    fn default() -> Self {
        Self::Lbfgs(Lbfgs::default())
    }
}

impl Method {
    /// When it stops.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        *self.stopping_mut() = stopping;
        self
    }
}

fn on_residuals<P, S>(problem: &P, solver: S, theta0: &[f64]) -> Result<Solution, OptimError>
where
    P: Curvature,
    S: FitSolver + for<'p, 'r> Solver<&'p &'r dyn LeastSquares, FitState>,
{
    let residuals =
        problem.as_least_squares().ok_or(OptimError::NoResiduals { solver: S::NAME })?;
    minimize(&&*residuals, solver, theta0)
}
