//! One call from problem, solver and start to the minimum: argmin's `Executor`, run.

use super::fit_solver::FitSolver;
use super::report::Report;
use super::state::FitState;
use super::watch::{Watch, Watched};
use crate::error::OptimError;
use crate::problem::bounds::Bounds;
use argmin::core::{Executor, Solver};
use secant_core::problem::{Asked, Objective};
use serde::{Deserialize, Serialize};

/// The best point of a run, and its books.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// θ with the lowest value met (among values that rounding cannot tell apart: the smallest gradient), length n.
    pub theta: Vec<f64>,
    /// Why the run ended, what it reached, what it cost.
    pub report: Report,
}

/// Minimises `problem` from `theta0` (length n).
///
/// Numerical trouble ends the run with a [`Reason`](crate::Reason) in the report and the best finite point; look at it, or
/// ask [`Reason::is_success`](crate::Reason::is_success).
///
/// # Errors
/// [`OptimError`]: an option out of range, a start of another length than the problem or with an entry that is not finite,
/// matrices that would take more than half of the free memory.
///
/// ```
/// use secant_core::problem::Objective;
/// use secant_optim::{Lbfgs, minimize};
///
/// /// f(x, y) = (1 − x)² + 100(y − x²)²
/// struct Rosenbrock;
/// impl Objective for Rosenbrock {
///     fn dim(&self) -> usize { 2 }
///     fn value(&self, p: &[f64]) -> f64 { self.value_gradient(p, &mut [0.0; 2]) }
///     fn value_gradient(&self, p: &[f64], g: &mut [f64]) -> f64 {
///         let (a, b) = (1.0 - p[0], p[1] - p[0] * p[0]);
///         g[0] = -2.0 * a - 400.0 * b * p[0];
///         g[1] = 200.0 * b;
///         a * a + 100.0 * b * b
///     }
/// }
/// let solution = minimize(&Rosenbrock, Lbfgs::default(), &[-1.2, 1.0])?;
/// assert!(solution.report.reason.is_converged());
/// assert!((solution.theta[0] - 1.0).abs() < 1e-8);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
pub fn minimize<'p, P, S>(problem: &'p P, solver: S, theta0: &[f64]) -> Result<Solution, OptimError>
where
    P: Objective,
    S: FitSolver + Solver<&'p P, FitState>,
{
    minimize_within(problem, solver, theta0, None)
}

/// As [`minimize`], refused where the solver would take more than `memory_limit` bytes; half of the free memory where none is given.
///
/// # Errors
/// As [`minimize`], and [`OptimError::Memory`] before anything is allocated.
pub fn minimize_within<'p, P, S>(
    problem: &'p P,
    solver: S,
    theta0: &[f64],
    memory_limit: Option<u64>,
) -> Result<Solution, OptimError>
where
    P: Objective,
    S: FitSolver + Solver<&'p P, FitState>,
{
    let setup = Setup { memory_limit, recorded: false, watch: &mut Watch::new() };
    run(problem, solver, theta0, setup).map(|(solution, _)| solution)
}

/// As [`minimize`], with a [`Watch`]: seen while it runs, ended from outside, judged by samples held out.
///
/// # Errors
/// As [`minimize`].
///
/// ```
/// use secant_core::problem::Objective;
/// use secant_optim::{GradientDescent, Reason, Watch, minimize_watched};
/// use std::ops::ControlFlow;
/// # struct Bowl;
/// # impl Objective for Bowl {
/// #     fn dim(&self) -> usize { 2 }
/// #     fn value(&self, p: &[f64]) -> f64 { self.value_gradient(p, &mut [0.0; 2]) }
/// #     fn value_gradient(&self, p: &[f64], g: &mut [f64]) -> f64 {
/// #         (g[0], g[1]) = (p[0], 50.0 * p[1]);
/// #         0.5 * (p[0] * p[0] + 50.0 * p[1] * p[1])
/// #     }
/// # }
/// let mut values = Vec::new();
/// let mut watch = Watch::new().observe(|step| {
///     values.push(step.value);
///     if step.iteration == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
/// });
/// let solution = minimize_watched(&Bowl, GradientDescent::fixed(0.01), &[1.0, 1.0], &mut watch)?;
/// drop(watch);
/// assert_eq!(solution.report.reason, Reason::Interrupted);
/// assert_eq!((values.len(), values[5]), (6, solution.report.value));
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
pub fn minimize_watched<'p, P, S>(
    problem: &'p P,
    solver: S,
    theta0: &[f64],
    watch: &mut Watch<'_>,
) -> Result<Solution, OptimError>
where
    P: Objective,
    S: FitSolver + Solver<&'p P, FitState>,
{
    let setup = Setup { memory_limit: None, recorded: false, watch };
    run(problem, solver, theta0, setup).map(|(solution, _)| solution)
}

/// θ of every entry of a report's trace, in the trace's order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Iterates {
    n: usize,
    theta: Vec<f64>,
}

impl Iterates {
    /// The points, n numbers each.
    pub fn points(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.theta.chunks_exact(self.n.max(1))
    }

    /// Goes on with those of a run that began where these end.
    pub(crate) fn follow(&mut self, later: &Self) {
        self.n = later.n;
        let begun = if self.theta.is_empty() { 0 } else { later.n };
        self.theta.extend(later.theta.iter().skip(begun));
    }
}

/// As [`minimize`], and keeps every iterate: n numbers per step. For pictures of paths.
///
/// # Errors
/// As [`minimize`].
pub fn minimize_recorded<'p, P, S>(
    problem: &'p P,
    solver: S,
    theta0: &[f64],
) -> Result<(Solution, Iterates), OptimError>
where
    P: Objective,
    S: FitSolver + Solver<&'p P, FitState>,
{
    let setup = Setup { memory_limit: None, recorded: true, watch: &mut Watch::new() };
    run(problem, solver, theta0, setup)
}

/// What a run is allowed and what it keeps.
#[derive(Debug)]
pub(crate) struct Setup<'x, 'w> {
    /// Most bytes that the solver may take; half of the free memory where none is given.
    pub memory_limit: Option<u64>,
    /// Whether iterates are kept.
    pub recorded: bool,
    /// Who looks on.
    pub watch: &'x mut Watch<'w>,
}

impl<'w> Setup<'_, 'w> {
    /// The same for a run that another one may follow.
    pub(crate) fn again(&mut self) -> Setup<'_, 'w> {
        Setup { memory_limit: self.memory_limit, recorded: self.recorded, watch: self.watch }
    }
}

/// Minimises `problem` from `theta0`; no iterates where they are not recorded.
pub(crate) fn run<'p, P, S>(
    problem: &'p P,
    solver: S,
    theta0: &[f64],
    setup: Setup<'_, '_>,
) -> Result<(Solution, Iterates), OptimError>
where
    P: Objective,
    S: FitSolver + Solver<&'p P, FitState>,
{
    let Setup { memory_limit, recorded, watch } = setup;
    let begin = |state: FitState| {
        let state = state.param(theta0.to_vec()).memory_limit(memory_limit);
        if recorded { state.keep_iterates() } else { state }
    };
    let watched = Watched::new(solver, watch, 0);
    match Executor::new(problem, watched).ctrlc(false).configure(begin).run() {
        Ok(result) => {
            let (state, Watched { solver, watch, .. }) = (&result.state, result.solver);
            watch.end(state);
            let mut report = Report::of(&solver, state);
            let asked = report.evaluations.asked();
            let bounds = solver.bounds().map(|bounds| bounds.of(problem.dim())).transpose()?;
            let within = bounds.as_ref().map(Bounds::as_box);
            report.notes.extend(problem.notes(state.solution(), Asked { within, ..asked }));
            let iterates = Iterates {
                n: state.theta().len(),
                theta: state.iterates().unwrap_or_default().to_vec(),
            };
            Ok((Solution { theta: state.solution().to_vec(), report }, iterates))
        }
        Err(error) => Err(error.downcast().unwrap_or_else(|error| OptimError::ForeignSolver {
            solver: S::NAME,
            message: error.to_string(),
        })),
    }
}
