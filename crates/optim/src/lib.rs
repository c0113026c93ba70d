//! Full-batch minimisation with curvature: Newton, trust regions, Levenberg–Marquardt, BFGS, L-BFGS, and the first-order
//! methods beside them as baselines.
//!
//! Every method is an [`argmin`] `Solver` on [`FitState`] and runs under argmin's `Executor` with any argmin observer.
//! [`minimize`] does that in one call. A problem is anything that implements
//! [`Objective`](secant_core::problem::Objective), [`Curvature`](secant_core::problem::Curvature) or
//! [`LeastSquares`](secant_core::problem::LeastSquares); [`ObjectiveFn`] and [`LeastSquaresFn`] make
//! one from closures, and [`RobustLeastSquares`] one that outliers do not bend. A linear one needs no start and no steps: [`LinearLeastSquares`].
//!
//! ```
//! use secant_core::problem::Objective;
//! use secant_optim::{Bfgs, Reason, Stopping, minimize};
//!
//! /// f(θ) = ½ Σ kθ_k² − Σ θ_k, with the minimum at θ_k = 1/k.
//! struct Quadratic;
//! impl Objective for Quadratic {
//!     fn dim(&self) -> usize { 3 }
//!     fn value(&self, theta: &[f64]) -> f64 { self.value_gradient(theta, &mut [0.0; 3]) }
//!     fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
//!         let mut value = 0.0;
//!         for (k, (t, g)) in (1..).zip(theta.iter().zip(gradient)) {
//!             *g = f64::from(k) * t - 1.0;
//!             value += 0.5 * f64::from(k) * t * t - t;
//!         }
//!         value
//!     }
//! }
//!
//! let stopping = Stopping { gradient_tolerance: 1e-10, ..Stopping::default() };
//! let solution = minimize(&Quadratic, Bfgs::default().with_stopping(stopping), &[5.0, -3.0, 2.0])?;
//! assert_eq!(solution.report.reason, Reason::GradientConverged);
//! assert!((solution.theta[2] - 1.0 / 3.0).abs() < 1e-9);
//! println!("{}", solution.report);
//! # Ok::<(), secant_optim::OptimError>(())
//! ```
//!
//! # Methods
//!
//! n parameters, N·c residuals, m = 10 pairs; every step also evaluates f with ∇f, as a rule once.
//!
//! | method | needs | memory | cost per step beside the evaluation | for |
//! |---|---|---|---|---|
//! | [`Auto`] | what it chooses | | | the default: chosen for the problem; [`Method::advise`] |
//! | [`Newton`] | Hessian | 2n² | n³/3 and one Hessian | n to some thousands; linear models in one step |
//! | [`RegularizedNewton`] | Hessian | 2n² | n³/3 per trial and one Hessian | f convex or nearly so, no line search |
//! | [`TrustRegion`] (`Gltr`, `Steihaug`) | Hessian products | kn, 3n | k products, k ≤ 200; 8nk² | any n; non-convex f, saddles; no matrix |
//! | [`TrustRegion`] (`Exact`, `ScaledExact`) | Hessian | 2n² | 9n³ and one Hessian; n² per trial | n to a thousand; the sturdiest steps |
//! | [`TrustRegion`] (`Dogleg`) | Hessian | 2n² | n³/3 and one Hessian; n per trial | n to some thousands |
//! | [`AdaptiveCubic`] | Hessian products | kn | k products, k ≤ 200; 8nk² | the same as `Gltr`; no radius |
//! | [`NewtonCg`] | Hessian products | 6n | k products, k ≤ 200 | any n; least memory; f convex or nearly |
//! | [`LevenbergMarquardt`] | r, J | 2Ncn + 4n², or 4n² | 2Ncn² + n³ by QR, Ncn² + n³/3 by JᵀJ | least squares, n to some thousands |
//! | [`LevenbergMarquardt`] ([`Factorization::Dual`]) | r, J | 2Ncn + 4(Nc)² | (Nc)²n; (Nc)³/3 per trial | fewer residuals than parameters |
//! | [`LevenbergMarquardt`] ([`Factorization::Lsmr`]) | r, J·v, Jᵀ·u | 15Nc + 22n | k ≤ 200 products with J and Jᵀ per trial | least squares, any n; no matrix |
//! | [`LevenbergMarquardt`] ([`SecondOrder`]) | r, J, or Hessian | 3n² more | n³/3 more | large residuals |
//! | [`GaussNewton`] | r, J | the same, without S | the same | least squares, almost linear or near the minimum |
//! | [`VariableProjection`] | r, J | 4Ncn | 2Ncn² + n³/3 and 4Ncp·n; a QR of Nc·p per trial | least squares, p of the parameters linear: the last layer |
//! | [`Bfgs`] | ∇f | n²/2 | one pass over n²/2 numbers | n to some thousands, costly f |
//! | [`Bfgs`] ([`Update`]: self-scaled, DFP) | ∇f | n²/2 | the same | networks that are hard to train, to many digits |
//! | [`Sr1`] | ∇f | n²/2 + kn | k passes over n²/2 numbers | f not convex, no products; n to some thousands |
//! | [`Lbfgs`] | ∇f | 2mn | 4mn | any n |
//! | [`LbfgsB`] | ∇f | 2mn + 8n | 4mn + 4m²·(free parameters) | bounds, any n |
//! | [`Tron`] | Hessian products | 12n | k products | bounds, any n; the last digits |
//! | [`BoundedLevenbergMarquardt`] | r, JᵀJ | 4n² | Ncn² + a few n³/3 per trial | bounds, squared error, n to some thousands |
//! | [`OwlQn`] | ∇f | 2mn + 8n | 4mn | L1 or elastic net, any n |
//! | [`ProximalNewton`] | Hessian | 5n² | n³/3, n² per pass and one Hessian | L1 or elastic net, n to a thousand; the lasso in one step |
//! | [`NonlinearCg`] | ∇f | 4n | 10n | any n, the least memory |
//! | [`GradientDescent`] | ∇f | n | n | baseline |
//! | [`Momentum`], [`Nesterov`] | ∇f | n | n | baseline |
//! | [`AdaGrad`], [`RmsProp`], [`Adam`], [`AdamW`] | ∇f | n to 2n | n | baseline |
//! | [`Adadelta`] | ∇f | 2n | n | baseline without a rate |
//!
//! Those from [`GradientDescent`] down, by fixed steps, are [`FirstOrder`] rules: [`minimize_sampled`] runs them on [`Minibatches`] of a
//! [`SampledObjective`](secant_core::problem::SampledObjective), a [`Schedule`] shapes their rate, and [`RateFinder`] finds it.
//!
//! Options are fields, `Lbfgs { memory: 20, ..Lbfgs::default() }`, or given one by one, `Lbfgs::default().with_memory(20)`. One outside its
//! range is an error that names it, what was given and what is allowed, and so are vectors and matrices that do not fit into memory.
//!
//! # Ends
//!
//! [`OptimError`] is the caller's mistake and comes before the first step. Everything else is a [`Reason`] in the
//! [`Report`], and the best finite point always comes back. [`Stopping`] is the one definition of "converged"; every test is
//! relative, so that scaling the loss changes nothing. What the hard cases end in:
//!
//! | objective | [`Newton`], [`RegularizedNewton`] | [`TrustRegion`], [`AdaptiveCubic`] | [`Sr1`], [`Bfgs`], [`Lbfgs`], [`GradientDescent`] by search | fixed steps and rates |
//! |---|---|---|---|---|
//! | not finite at θ₀ | `NonFiniteStart` | `NonFiniteStart` | `NonFiniteStart` | `NonFiniteStart` |
//! | not finite beyond some θ | contracted | contracted | contracted | `NonFiniteValue` |
//! | constant | `GradientConverged` | `GradientConverged` | `GradientConverged` | `GradientConverged` |
//! | at a saddle | `GradientConverged` | leaves it | `GradientConverged` | `GradientConverged` |
//! | linear | `NoCurvature` | `Unbounded` | `Unbounded` | `MaxIterations` |
//! | as exact as `f64` allows | `RoundingFloor` | `RoundingFloor` | `RoundingFloor` | `Stalled` |
//!
//! [`GradientDescent`] by search ends in `RoundingFloor` where the search finds nothing lower, and in `Stalled` where its steps
//! have become too small to show.
//!
//! # Features
//!
//! `nalgebra`: [`ArgminProblem`] over `nalgebra::DVector`, for argmin's own solvers. `lapack`: `Backend::Lapack` for [`Newton`];
//! needs an OpenBLAS of the system (Debian: `libopenblas-dev`, and `pkg-config` to find it).

mod error;
pub mod inference;
pub mod krylov;
mod linalg;
pub mod line_search;
pub mod linear;
pub mod many;
mod method;
mod minibatch;
mod problem;
mod quadratic_model;
mod run;
pub mod solver;
pub mod subproblem;

pub use argmin;
pub use error::{CheckpointError, OptimError};
pub use linalg::Backend;
pub use linear::{
    Accuracy, LeaveOneOut, LinearError, LinearLeastSquares, LinearSolution, NullDirection,
};
pub use many::{FitMany, ManyError, ManyFit, ManyFits, Outcome, SmallLeastSquares, fit_many};
pub use method::lasso_path::{self, LassoPath, PathPoint};
pub use method::rate_finder::{self, RateFinder, RateFound, RateTried};
pub use method::robust::{
    MAX_ROUNDS, NEAR_ABSOLUTE, RobustAt, RobustLeastSquares, RobustResiduals, RobustSolution,
    estimate_scale, minimize_robust, residual_scale, weighted_residual_scale,
};
pub use method::{Advice, Auto, Method, Ranking};
pub use minibatch::batches::{self, BatchStream, LastBatch, Minibatches, Sampling, Span};
pub use minibatch::sampled::{minimize_sampled, minimize_sampled_watched};
pub use minibatch::schedule::{self, Decay, Schedule};
pub use problem::adapter::ArgminProblem;
pub use problem::bounds::Bounds;
pub use problem::duals::function::{DualObjective, DualObjectiveAt, function};
pub use problem::duals::residuals::{DualLeastSquares, DualLeastSquaresAt, residuals};
pub use problem::functions::{LeastSquaresAt, LeastSquaresFn};
pub use problem::l1::L1;
pub use problem::objective_fn::{ObjectiveAt, ObjectiveFn};
pub use quadratic_model::{Inertia, Limit, QuadraticModel, Trusted};
pub use run::checkpoint;
pub use run::costs::Costs;
pub use run::evaluations::Evaluations;
pub use run::limits::Interrupt;
pub use run::minimize::{
    Iterates, RunOptions, Solution, minimize, minimize_recorded, minimize_watched, minimize_within,
};
pub use run::report::{GradientNorms, Report, Validation};
pub use run::state::{FitState, TRACE_RESERVE, TraceEntry, Validated};
pub use run::stopping::{self, Reason, Stopping};
pub use run::watch::{Progress, Watch};
pub use run::{memory, nonfinite};
pub use solver::least_squares::variable_projection::{
    self, ProjectedJacobian, ReducedLeastSquares, VariableProjection,
};
pub use solver::{
    AdaGrad, AdaGradRule, Adadelta, AdadeltaRule, Adam, AdamRule, AdamW, AdamWRule, AdaptiveCubic,
    AdaptiveCubicRule, Bfgs, BoundedLevenbergMarquardt, Factorization, FirstOrder,
    FirstOrderMethod, FitSolver, GaussNewton, GradientDescent, GradientDescentRule, Guard,
    HessianKind, Lbfgs, LbfgsB, LevenbergMarquardt, Modification, Momentum, MomentumRule, Nesterov,
    NesterovRule, Newton, NewtonCg, NonlinearCg, Optimality, OwlQn, Preconditioner, ProximalNewton,
    RegionMethod, RegularizedNewton, RmsProp, RmsPropRule, Safeguard, Scaling, SecondOrder, Sr1,
    StepLength, Subproblem, Tron, TrustRegion, TrustRegionRule, Update, product_cost,
};
