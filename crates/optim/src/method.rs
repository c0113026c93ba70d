//! Every method as one type, for programs that choose when they run.

use crate::error::OptimError;
use crate::minibatch::batches::Minibatches;
use crate::minibatch::sampled::sampled_kept;
use crate::run::fit_solver::FitSolver;
use crate::run::minimize::{Iterates, RunOptions, Setup, Solution, run_kept};
use crate::run::stopping::Stopping;
use crate::run::watch::Watch;
use crate::solver::least_squares::variable_projection::VariableProjection;
use crate::solver::{
    AdaGrad, Adadelta, Adam, AdamW, AdaptiveCubic, Bfgs, BoundedLevenbergMarquardt, FirstOrder,
    GaussNewton, GradientDescent, Lbfgs, LbfgsB, LevenbergMarquardt, Momentum, Nesterov, Newton,
    NewtonCg, NonlinearCg, OwlQn, ProximalNewton, RegularizedNewton, RmsProp, Sr1, Subproblem,
    Tron, TrustRegion,
};
use secant_core::problem::{Curvature, LeastSquares, SampledObjective};
use serde::{Deserialize, Serialize};

mod advice;
mod auto;
mod candidates;
pub mod lasso_path;
mod named;
pub mod rate_finder;
mod relay;
pub(crate) mod robust;
mod second_look;

pub use advice::{Advice, Ranking};
pub use auto::Auto;
use second_look::SecondLook;

/// The enum of the methods listed: a variant of each name holds the solver of that name.
macro_rules! methods {
    (
        on_objective: $($smooth:ident),+;
        on_samples: $($sampled:ident),+;
        on_residuals: $($residual:ident),+;
    ) => {
        /// One of the methods, with its options.
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "each variant is named after the type it holds")]
        pub enum Method {
            $($smooth($smooth),)+
            $($sampled($sampled),)+
            $($residual($residual),)+
            Auto(Auto),
        }

        impl Method {
            /// The method's name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$smooth(_) => $smooth::NAME,)+
                    $(Self::$sampled(_) => $sampled::NAME,)+
                    $(Self::$residual(_) => $residual::NAME,)+
                    Self::Auto(_) => Auto::NAME,
                }
            }

            /// When it stops.
            pub fn stopping(&self) -> &Stopping {
                match self {
                    $(Self::$smooth(solver) => &solver.stopping,)+
                    $(Self::$sampled(solver) => &solver.stopping,)+
                    $(Self::$residual(solver) => &solver.stopping,)+
                    Self::Auto(auto) => &auto.stopping,
                }
            }

            /// When it stops, to be changed.
            pub fn stopping_mut(&mut self) -> &mut Stopping {
                match self {
                    $(Self::$smooth(solver) => &mut solver.stopping,)+
                    $(Self::$sampled(solver) => &mut solver.stopping,)+
                    $(Self::$residual(solver) => &mut solver.stopping,)+
                    Self::Auto(auto) => &mut auto.stopping,
                }
            }

            /// Bytes that a run takes for n parameters and m residuals (0 where there are none), beside the problem's own buffers; none
            /// for [`Auto`], which chooses by it.
            pub fn memory(&self, n: usize, m: usize) -> Option<u64> {
                match self {
                    $(Self::$smooth(solver) => solver.memory(n, m),)+
                    $(Self::$sampled(solver) => solver.memory(n, m),)+
                    $(Self::$residual(solver) => solver.memory(n, m),)+
                    Self::Auto(_) => None,
                }
            }

            /// Minimises `problem` from `theta0` (length n), as [`minimize`](crate::minimize()) does. Gauss–Newton and Levenberg–Marquardt run on
            /// the problem's residuals, [`Curvature::as_least_squares`].
            ///
            /// # Errors
            /// [`OptimError`]: an option out of range, a start of another length than the problem or with an entry that is not
            /// finite, a method that needs residuals on a problem that has none, or a smooth function on one with kinks.
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
                let mut watch = Watch::new();
                let setup = Setup { memory_limit, ..Setup::of(&mut watch) };
                self.run(problem, theta0, setup).map(|(solution, _)| solution)
            }

            /// As [`minimize`](Self::minimize), with a [`Watch`]: seen while it runs, ended from outside, judged by samples held out.
            ///
            /// # Errors
            /// As [`minimize`](Self::minimize).
            pub fn minimize_watched<P: Curvature>(
                self,
                problem: &P,
                theta0: &[f64],
                watch: &mut Watch<'_>,
            ) -> Result<Solution, OptimError> {
                self.run(problem, theta0, Setup::of(watch)).map(|(solution, _)| solution)
            }

            /// As [`minimize`](Self::minimize), with what `options` ask for: checkpoints, a run that is taken up, iterates, memory. Without
            /// iterates asked for they are empty.
            ///
            /// # Errors
            /// As [`minimize_within`](Self::minimize_within), and [`OptimError::Checkpoint`]: nothing to take up, a damaged file with no sound one
            /// before it, the checkpoint of another run. A checkpoint that cannot be written is a note of the report.
            pub fn minimize_with<P: Curvature>(
                self,
                problem: &P,
                theta0: &[f64],
                options: &RunOptions,
                watch: &mut Watch<'_>,
            ) -> Result<(Solution, Iterates), OptimError> {
                let mut setup = options.setup(&self.identity(), theta0, watch)?;
                let (mut solution, iterates) = self.run(problem, theta0, setup.again())?;
                solution.report.notes.extend(setup.notes());
                Ok((solution, iterates))
            }

            /// What checkpoints know it by: all of it but limits.
            fn identity(&self) -> Self {
                let mut own = self.clone();
                let stopping = own.stopping_mut();
                *stopping = stopping.clone().without_limits();
                if let Self::Auto(auto) = &mut own {
                    auto.memory_limit = None;
                }
                own
            }

            /// As [`minimize`](Self::minimize), and keeps every iterate: n numbers per step.
            ///
            /// # Errors
            /// As [`minimize`](Self::minimize).
            pub fn minimize_recorded<P: Curvature>(
                self,
                problem: &P,
                theta0: &[f64],
            ) -> Result<(Solution, Iterates), OptimError> {
                let mut watch = Watch::new();
                self.run(problem, theta0, Setup { recorded: true, ..Setup::of(&mut watch) })
            }

            /// Runs it, and looks at the end once more.
            fn run<P: Curvature>(
                self,
                problem: &P,
                theta0: &[f64],
                setup: Setup<'_, '_>,
            ) -> Result<(Solution, Iterates), OptimError> {
                let look = SecondLook::at(&self, setup.watch.interrupt.clone());
                let mut outcome = self.run_alone(problem, theta0, setup)?;
                if let Some(look) = look {
                    look.take(problem, &mut outcome);
                }
                Ok(outcome)
            }

            fn run_alone<P: Curvature>(
                self,
                problem: &P,
                theta0: &[f64],
                setup: Setup<'_, '_>,
            ) -> Result<(Solution, Iterates), OptimError> {
                self.check_smooth(problem)?;
                match self {
                    $(Self::$smooth(solver) => run_kept(problem, solver, theta0, setup),)+
                    $(Self::$sampled(solver) => run_kept(problem, solver, theta0, setup),)+
                    $(Self::$residual(solver) => {
                        run_kept(&&*residuals_of(problem, $residual::NAME)?, solver, theta0, setup)
                    })+
                    Self::Auto(auto) => auto.minimize(problem, theta0, setup),
                }
            }

            /// Refuses a function with kinks, [`Structure::kinks`](secant_core::problem::Structure::kinks), for all but the methods of first
            /// order: with a rate that falls these are subgradient methods.
            fn check_smooth<P: Curvature>(&self, problem: &P) -> Result<(), OptimError> {
                match self {
                    $(Self::$sampled(_) => Ok(()),)+
                    _ if problem.structure().kinks => Err(OptimError::NotSmooth { solver: self.name() }),
                    _ => Ok(()),
                }
            }

            /// Checks the options, and that `problem` has the residuals that the method needs: all that can be wrong before a run but
            /// the start and the memory.
            ///
            /// # Errors
            /// [`OptimError`]: the first option out of range; residuals that the problem does not have; kinks that the method does not take.
            pub fn validate<P: Curvature>(&self, problem: &P) -> Result<(), OptimError> {
                self.check_smooth(problem)?;
                match self {
                    $(Self::$smooth(solver) => solver.validate().and_then(|()| solver.stopping().validate($smooth::NAME)),)+
                    $(Self::$sampled(solver) => solver.validate().and_then(|()| solver.stopping().validate($sampled::NAME)),)+
                    $(Self::$residual(solver) => {
                        residuals_of(problem, $residual::NAME)?;
                        solver.validate().and_then(|()| solver.stopping().validate($residual::NAME))
                    })+
                    Self::Auto(auto) => auto.validate(problem),
                }
            }

            /// Minimises `problem` from `theta0` (length n) on minibatches, as [`minimize_sampled`](crate::minimize_sampled()) does. First-order methods only:
            /// here, where the method is chosen at run time, the others are an error; there they do not compile.
            ///
            /// # Errors
            /// [`OptimError::FullBatchOnly`] for a method that needs the same function at every evaluation; and as
            /// [`minimize_sampled`](crate::minimize_sampled()).
            pub fn minimize_sampled<P: SampledObjective>(
                self,
                problem: &P,
                minibatches: &Minibatches,
                theta0: &[f64],
            ) -> Result<Solution, OptimError> {
                self.minimize_sampled_watched(problem, minibatches, theta0, &mut Watch::new())
            }

            /// As [`minimize_sampled`](Self::minimize_sampled), with a [`Watch`].
            ///
            /// # Errors
            /// As [`minimize_sampled`](Self::minimize_sampled).
            pub fn minimize_sampled_watched<P: SampledObjective>(
                self,
                problem: &P,
                minibatches: &Minibatches,
                theta0: &[f64],
                watch: &mut Watch<'_>,
            ) -> Result<Solution, OptimError> {
                self.minimize_sampled_with(problem, minibatches, theta0, &RunOptions::default(), watch)
            }

            /// As [`minimize_sampled_watched`](Self::minimize_sampled_watched), with the checkpoints that `options` ask for; its other options
            /// are for runs on all samples.
            ///
            /// # Errors
            /// As [`minimize_sampled`](Self::minimize_sampled) and, of the checkpoints, [`minimize_with`](Self::minimize_with).
            pub fn minimize_sampled_with<P: SampledObjective>(
                self,
                problem: &P,
                minibatches: &Minibatches,
                theta0: &[f64],
                options: &RunOptions,
                watch: &mut Watch<'_>,
            ) -> Result<Solution, OptimError> {
                // How long is a limit.
                let drawn = Minibatches { limit: Minibatches::default().limit, ..*minibatches };
                let mut setup = options.setup(&(self.identity(), drawn), theta0, watch)?;
                match self {
                    $(Self::$sampled(solver) => {
                        let mut solution =
                            sampled_kept(problem, solver, minibatches, theta0, &mut setup)?;
                        solution.report.notes.extend(setup.notes());
                        Ok(solution)
                    })+
                    other => {
                        let (solver, what) = (other.name(), "curvature");
                        Err(OptimError::FullBatchOnly { solver, what })
                    }
                }
            }

            /// Sets the learning rate of a first-order method; gradient descent then takes fixed steps.
            ///
            /// # Errors
            /// [`OptimError::NoRate`] for any other method. The rate itself is checked when the method runs.
            pub fn set_rate(&mut self, rate: f64) -> Result<(), OptimError> {
                match self {
                    $(Self::$sampled(solver) => {
                        solver.set_rate(rate);
                        Ok(())
                    })+
                    other => Err(OptimError::NoRate { solver: other.name() }),
                }
            }
        }

        $(impl From<$smooth> for Method {
            fn from(solver: $smooth) -> Self {
                Self::$smooth(solver)
            }
        })+
        $(impl From<$sampled> for Method {
            fn from(solver: $sampled) -> Self {
                Self::$sampled(solver)
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
    on_objective: Newton, RegularizedNewton, NewtonCg, TrustRegion, Tron, AdaptiveCubic, Bfgs, Sr1, Lbfgs, LbfgsB, OwlQn, ProximalNewton, NonlinearCg;
    on_samples: GradientDescent, Momentum, Nesterov, AdaGrad, RmsProp, Adadelta, Adam, AdamW;
    on_residuals: GaussNewton, LevenbergMarquardt, BoundedLevenbergMarquardt, VariableProjection;
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
    /// [`OptimError::NotSmooth`] for a problem with kinks.
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
            | Self::VariableProjection(_)
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

fn residuals_of<'p, P: Curvature>(
    problem: &'p P,
    solver: &'static str,
) -> Result<Box<dyn LeastSquares + 'p>, OptimError> {
    problem.as_least_squares().ok_or(OptimError::NoResiduals { solver })
}
