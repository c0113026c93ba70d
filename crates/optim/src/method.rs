//! Every method as one type, for programs that choose when they run.

use crate::error::OptimError;
use crate::minimize::{Solution, minimize_within};
use crate::solver::{
    AdaGrad, Adadelta, Adam, AdaptiveCubic, Bfgs, BoundedLevenbergMarquardt, FitSolver,
    GaussNewton, GradientDescent, Lbfgs, LbfgsB, LevenbergMarquardt, Momentum, Nesterov, Newton,
    NewtonCg, NonlinearCg, OwlQn, ProximalNewton, RegularizedNewton, RmsProp, Sr1, Subproblem,
    Tron, TrustRegion,
};
use crate::state::FitState;
use crate::stopping::Stopping;
use argmin::core::Solver;
use secant_core::problem::{Curvature, LeastSquares};

mod advice;
mod auto;
mod candidates;
mod relay;

pub use advice::{Advice, Ranking};
pub use auto::Auto;

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
            Auto(Auto),
        }

        impl Method {
            /// The method's name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$smooth(_) => $smooth::NAME,)+
                    $(Self::$residual(_) => $residual::NAME,)+
                    Self::Auto(_) => Auto::NAME,
                }
            }

            /// When it stops.
            pub fn stopping(&self) -> &Stopping {
                match self {
                    $(Self::$smooth(solver) => &solver.stopping,)+
                    $(Self::$residual(solver) => &solver.stopping,)+
                    Self::Auto(auto) => &auto.stopping,
                }
            }

            /// When it stops, to be changed.
            pub fn stopping_mut(&mut self) -> &mut Stopping {
                match self {
                    $(Self::$smooth(solver) => &mut solver.stopping,)+
                    $(Self::$residual(solver) => &mut solver.stopping,)+
                    Self::Auto(auto) => &mut auto.stopping,
                }
            }

            /// Bytes that a run takes for n parameters and m residuals (0 where there are none), beside the problem's own buffers; none
            /// for [`Auto`], which chooses by it.
            pub fn memory(&self, n: usize, m: usize) -> Option<u64> {
                match self {
                    $(Self::$smooth(solver) => solver.memory(n, m),)+
                    $(Self::$residual(solver) => solver.memory(n, m),)+
                    Self::Auto(_) => None,
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
                self.minimize_within(problem, theta0, None)
            }

            /// As [`minimize`](Self::minimize), refused where the method would take more than `memory_limit` bytes; half of the free
            /// memory where none is given. [`Auto`] takes another method then, and a limit of its own before this one.
            ///
            /// # Errors
            /// As [`minimize`](Self::minimize), and [`OptimError::Memory`] before anything is allocated.
            pub fn minimize_within<P: Curvature>(
                self,
                problem: &P,
                theta0: &[f64],
                memory_limit: Option<u64>,
            ) -> Result<Solution, OptimError> {
                let limit = memory_limit;
                match self {
                    $(Self::$smooth(solver) => minimize_within(problem, solver, theta0, limit),)+
                    $(Self::$residual(solver) => on_residuals(problem, solver, theta0, limit),)+
                    Self::Auto(mut auto) => {
                        auto.memory_limit = auto.memory_limit.or(limit);
                        auto.minimize(problem, theta0)
                    }
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
    on_residuals: GaussNewton, LevenbergMarquardt, BoundedLevenbergMarquardt;
}

impl From<Auto> for Method {
    fn from(auto: Auto) -> Self {
        Self::Auto(auto)
    }
}

/// [`Auto`].
impl Default for Method {
    fn default() -> Self {
        Self::auto()
    }
}

impl Method {
    /// A method chosen for the problem, [`Auto`].
    pub fn auto() -> Self {
        Self::Auto(Auto::default())
    }

    /// The methods for `problem` without bounds or L1, best first; [`Auto::advise`] takes these and limits too.
    ///
    /// # Errors
    /// None without bounds and L1; those of [`Auto::advise`] otherwise.
    pub fn advise<P: Curvature>(problem: &P) -> Result<Ranking, OptimError> {
        Auto::default().advise(problem)
    }

    /// Whether it forms a matrix of the size of the Hessian from the problem.
    fn is_dense(&self) -> bool {
        match self {
            Self::Newton(_)
            | Self::RegularizedNewton(_)
            | Self::ProximalNewton(_)
            | Self::GaussNewton(_)
            | Self::LevenbergMarquardt(_)
            | Self::BoundedLevenbergMarquardt(_)
            | Self::Bfgs(_)
            | Self::Sr1(_) => true,
            Self::TrustRegion(solver) => {
                !matches!(solver.subproblem, Subproblem::Gltr | Subproblem::Steihaug)
            }
            _ => false,
        }
    }

    /// When it stops.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        *self.stopping_mut() = stopping;
        self
    }
}

fn on_residuals<P, S>(
    problem: &P,
    solver: S,
    theta0: &[f64],
    memory_limit: Option<u64>,
) -> Result<Solution, OptimError>
where
    P: Curvature,
    S: FitSolver + for<'p, 'r> Solver<&'p &'r dyn LeastSquares, FitState>,
{
    let residuals =
        problem.as_least_squares().ok_or(OptimError::NoResiduals { solver: S::NAME })?;
    minimize_within(&&*residuals, solver, theta0, memory_limit)
}
