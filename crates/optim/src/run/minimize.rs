//! One call from problem, solver and start to the minimum: argmin's `Executor`, run.

use super::checkpoint::{self, Every, Fingerprint, Keeper};
use super::fit_solver::FitSolver;
use super::report::Report;
use super::state::FitState;
use super::watch::{Watch, Watched};
use crate::error::OptimError;
use crate::problem::bounds::Bounds;
use argmin::core::checkpointing::{Checkpoint, CheckpointingFrequency};
use argmin::core::{Error, Executor, Solver, State};
use secant_core::problem::{Asked, Objective};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The best point of a run, and its books.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    let mut watch = Watch::new();
    let setup = Setup { memory_limit, ..Setup::of(&mut watch) };
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
    run(problem, solver, theta0, Setup::of(watch)).map(|(solution, _)| solution)
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
    let mut watch = Watch::new();
    let setup = Setup { recorded: true, ..Setup::of(&mut watch) };
    run(problem, solver, theta0, setup)
}

/// What a run is allowed, what it keeps, and what it takes up; the default: nothing but its start.
///
/// ```
/// use secant_optim::checkpoint::Every;
/// use secant_optim::{Lbfgs, Method, ObjectiveFn, RunOptions, Stopping, Watch};
///
/// let valley = ObjectiveFn::new(2, |t| (1.0 - t[0]).powi(2) + 100.0 * (t[1] - t[0] * t[0]).powi(2));
/// let path = std::env::temp_dir().join(format!("secant-doc-{}.run", std::process::id()));
/// let method = |most| {
///     Method::from(Lbfgs::default().with_stopping(Stopping { max_iterations: most, ..Stopping::default() }))
/// };
/// let start = [-1.2, 1.0];
/// // Ten iterations here, the others in what may be another process.
/// let options = RunOptions::default().with_checkpoint(&path, Every::Seconds(30.0));
/// method(10).minimize_with(&valley, &start, &options, &mut Watch::new())?;
/// let options = RunOptions::default().with_resume(&path);
/// let resumed = method(100).minimize_with(&valley, &start, &options, &mut Watch::new())?.0;
/// let undisturbed = method(100).minimize(&valley, &start)?;
/// assert_eq!(resumed.theta, undisturbed.theta);
/// assert_eq!(resumed.report.evaluations, undisturbed.report.evaluations);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Most bytes that the solver may take; half of the free memory where none is given.
    pub memory_limit: Option<u64>,
    /// Whether iterates are kept: n numbers per step.
    pub recorded: bool,
    /// Where checkpoints are written, and how often beside the end; none are without it.
    pub checkpoint: Option<(PathBuf, Every)>,
    /// The checkpoint to go on from. Its file may be the one that is written.
    pub resume: Option<PathBuf>,
    /// What the problem is of, for checkpoints: the method, the start and the version of the crate are added.
    pub fingerprint: Fingerprint,
}

impl RunOptions {
    /// Most bytes that the solver may take.
    pub fn with_memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Whether iterates are kept.
    pub fn with_recorded(mut self, recorded: bool) -> Self {
        self.recorded = recorded;
        self
    }

    /// Writes checkpoints.
    pub fn with_checkpoint(mut self, path: impl Into<PathBuf>, every: Every) -> Self {
        self.checkpoint = Some((path.into(), every));
        self
    }

    /// Goes on from a checkpoint.
    pub fn with_resume(mut self, path: impl Into<PathBuf>) -> Self {
        self.resume = Some(path.into());
        self
    }

    /// What the problem is of.
    pub fn with_fingerprint(mut self, fingerprint: Fingerprint) -> Self {
        self.fingerprint = fingerprint;
        self
    }

    /// For a run of `method`, all that its steps depend on but limits, from `theta0`.
    pub(crate) fn setup<'x, 'w, T: Serialize + ?Sized>(
        &self,
        method: &T,
        theta0: &[f64],
        watch: &'x mut Watch<'w>,
    ) -> Result<Setup<'x, 'w>, OptimError> {
        let Self { memory_limit, recorded, .. } = *self;
        let mut setup = Setup { memory_limit, recorded, ..Setup::of(watch) };
        if self.checkpoint.is_some() || self.resume.is_some() {
            let fingerprint = Fingerprint::new()
                .with("the method or one of its options", method)
                .with("the start", theta0)
                .with("the version of the crate", env!("CARGO_PKG_VERSION"))
                .and(&self.fingerprint);
            let keeper = Keeper::of(self.checkpoint.clone(), self.resume.as_deref(), fingerprint)?;
            setup.keeper = Some(Arc::new(keeper));
        }
        Ok(setup)
    }
}

/// [`RunOptions`] with who looks on, and the checkpoints of one run.
#[derive(Debug)]
pub(crate) struct Setup<'x, 'w> {
    /// Most bytes that the solver may take; half of the free memory where none is given.
    pub memory_limit: Option<u64>,
    /// Whether iterates are kept.
    pub recorded: bool,
    /// Who looks on.
    pub watch: &'x mut Watch<'w>,
    /// Where checkpoints go and come from.
    pub keeper: Option<Arc<Keeper>>,
}

impl<'x, 'w> Setup<'x, 'w> {
    /// Nothing but who looks on.
    pub(crate) fn of(watch: &'x mut Watch<'w>) -> Self {
        Self { memory_limit: None, recorded: false, watch, keeper: None }
    }

    /// The same for a run that another one may follow.
    pub(crate) fn again(&mut self) -> Setup<'_, 'w> {
        let Self { memory_limit, recorded, ref keeper, .. } = *self;
        Setup { memory_limit, recorded, keeper: keeper.clone(), watch: self.watch }
    }

    /// What is to be said of the checkpoints.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.keeper.as_ref().map_or_else(Vec::new, |keeper| keeper.notes())
    }

    fn begin(&self, theta0: &[f64]) -> FitState {
        let state = FitState::new().param(theta0.to_vec()).memory_limit(self.memory_limit);
        let state = if self.keeper.is_some() { state.lasting() } else { state };
        if self.recorded { state.keep_iterates() } else { state }
    }
}

/// Checkpoints of a solver that is watched, in a run that was taken up already where there was something to take up.
struct Saver(Arc<Keeper>);

impl<'x, 'w, S: FitSolver + Serialize> Checkpoint<Watched<'x, 'w, S>, FitState> for Saver {
    fn save(&self, watched: &Watched<'x, 'w, S>, state: &FitState) -> Result<(), Error> {
        checkpoint::offer(&self.0, &watched.solver, state);
        Ok(())
    }

    fn save_cond(
        &self,
        watched: &Watched<'x, 'w, S>,
        state: &FitState,
        _: u64,
    ) -> Result<(), Error> {
        self.save(watched, state)
    }

    fn load(&self) -> Result<Option<(Watched<'x, 'w, S>, FitState)>, Error> {
        Ok(None)
    }

    fn frequency(&self) -> CheckpointingFrequency {
        CheckpointingFrequency::Always
    }
}

/// Minimises `problem` from `theta0`, without checkpoints; no iterates where they are not recorded.
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
    let begun = setup.begin(theta0);
    let Setup { watch, .. } = setup;
    let watched = Watched::new(solver, watch, 0);
    let executor = Executor::new(problem, watched).configure(|_| begun);
    execute(problem, executor, |_, _| ())
}

/// As [`run`], with the checkpoints of `setup`; taken up where there is something to take up.
pub(crate) fn run_kept<'p, P, S>(
    problem: &'p P,
    mut solver: S,
    theta0: &[f64],
    setup: Setup<'_, '_>,
) -> Result<(Solution, Iterates), OptimError>
where
    P: Objective,
    S: FitSolver + Solver<&'p P, FitState> + Serialize + DeserializeOwned,
{
    let Some(keeper) = setup.keeper.clone() else { return run(problem, solver, theta0, setup) };
    let mut begun = setup.begin(theta0);
    let source = keeper.source();
    if let Some((mut kept, mut state)) = checkpoint::solver_of::<S>(&keeper)? {
        let unfit = |why| Keeper::unfit(source.as_deref().unwrap_or(Path::new("")), why);
        let (n, found) = (problem.dim(), state.theta().len());
        if n != found {
            return Err(unfit(format!("has {found} parameters, the problem has {n}")));
        }
        if setup.recorded && state.iterates().is_none() {
            return Err(unfit("did not keep the iterates, which are asked for".to_owned()));
        }
        solver.stopping().validate(S::NAME)?;
        kept.stopping_mut().take_limits(solver.stopping());
        state.take_up(kept.stopping(), setup.memory_limit);
        keeper.note(format!("taken up after {} iteration(s)", state.steps()));
        // One that did not come to its first iteration begins.
        if state.get_iter() > 0 {
            (solver, begun) = (kept, state);
        }
    }
    let watched = Watched::new(solver, setup.watch, begun.trace().len());
    let executor = Executor::new(problem, watched).configure(|_| begun);
    execute(problem, executor.checkpointing(Saver(keeper.clone())), |solver, state| {
        if state.get_iter() == 0 {
            checkpoint::offer(&keeper, solver, state);
        }
    })
}

fn execute<'p, 'x, 'w, P, S>(
    problem: &'p P,
    executor: Executor<&'p P, Watched<'x, 'w, S>, FitState>,
    at_end: impl FnOnce(&S, &FitState),
) -> Result<(Solution, Iterates), OptimError>
where
    P: Objective,
    S: FitSolver + Solver<&'p P, FitState>,
{
    #[cfg(feature = "tracing")]
    let _span = tracing::info_span!("run", solver = S::NAME, parameters = problem.dim()).entered();
    match executor.ctrlc(false).run() {
        Ok(result) => {
            let (state, Watched { solver, watch, .. }) = (&result.state, result.solver);
            watch.end(state);
            at_end(&solver, state);
            let mut report = Report::of(&solver, state);
            #[cfg(feature = "tracing")]
            tracing::info!(
                reason = ?report.reason,
                iterations = report.iterations,
                value = report.value,
                seconds = report.seconds,
                "end"
            );
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
