//! Who looks at a run while it goes on, and may end it: observers, an [`Interrupt`], samples held out.

use super::evaluations::Evaluations;
use super::fit_solver::FitSolver;
use super::limits::{Interrupt, Limits, Scope, refused};
use super::state::{FitState, HeldOut, Validated};
use super::stopping::{Reason, Stopping};
use argmin::core::{Error, KV, Problem, Solver, TerminationStatus};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::ControlFlow;

/// A look at a run: after the start and after every iteration; on minibatches at every evaluation of all samples.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The method.
    pub solver: &'static str,
    /// Which of several starts this run is from; 0 where there is one.
    pub start: usize,
    /// Iterations done; 0 is the start.
    pub iteration: u64,
    /// f(θ).
    pub value: f64,
    /// The least f so far.
    pub best_value: f64,
    /// ‖∇f(θ)‖∞.
    pub gradient_norm: f64,
    /// ‖∇f(θ)‖∞ at the start.
    pub initial_gradient_norm: f64,
    /// ‖∇f(θ)‖∞ that meets its tolerance; 0 where none does.
    pub gradient_goal: f64,
    /// ‖θ⁺ − θ‖₂ of the step that led here; 0 at the start.
    pub step_length: f64,
    /// Evaluations so far, by kind.
    pub evaluations: Evaluations,
    /// Passes over the data by minibatches so far; none in a full-batch run.
    pub epochs: Option<f64>,
    /// Wall-clock time since the start.
    pub seconds: f64,
    /// Most iterations.
    pub max_iterations: u64,
    /// Most wall-clock time.
    pub max_seconds: Option<f64>,
    /// What θ is worth on the samples held out, where there are some.
    pub validation: Option<Validated>,
    /// θ, length n.
    pub theta: &'a [f64],
}

type Observer<'w> = Box<dyn FnMut(&Progress<'_>) -> ControlFlow<()> + Send + 'w>;
type Validation<'w> = Box<dyn FnMut(&[f64]) -> Validated + Send + 'w>;

/// What goes along with a run: see [`minimize_watched`](crate::minimize_watched) and [`Method::minimize_watched`](crate::Method::minimize_watched).
#[derive(Default)]
pub struct Watch<'w> {
    pub(crate) interrupt: Option<Interrupt>,
    observers: Vec<Observer<'w>>,
    validation: Option<Validation<'w>>,
    patience: Option<u64>,
    start: usize,
    /// Books of the runs before, of several that count as one.
    before: Before,
}

/// What runs before this one did, and the best that they left.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Before {
    iterations: u64,
    evaluations: Evaluations,
    seconds: f64,
    held_out: Option<HeldOut>,
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("interrupt", &self.interrupt)
            .field("observers", &self.observers.len())
            .field("validation", &self.validation.is_some())
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl<'w> Watch<'w> {
    /// Nobody looks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the run when the flag is set.
    #[must_use]
    pub fn interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// Shows the run to `observer`; `Break` ends it, with [`Reason::Interrupted`] and the best point so far. Several see it in turn.
    #[must_use]
    pub fn observe(
        mut self,
        observer: impl FnMut(&Progress<'_>) -> ControlFlow<()> + Send + 'w,
    ) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Asks `validate` for the worth of every iterate on samples held out; the point with the least loss there is the solution.
    #[must_use]
    pub fn validate(mut self, validate: impl FnMut(&[f64]) -> Validated + Send + 'w) -> Self {
        self.validation = Some(Box::new(validate));
        self
    }

    /// Ends the run, with [`Reason::ValidationStopped`], after so many iterations in a row without a lower loss on the samples held out.
    #[must_use]
    pub fn patience(mut self, iterations: u64) -> Self {
        self.patience = Some(iterations);
        self
    }

    /// Tells observers which of several starts this run is from. Default 0.
    #[must_use]
    pub fn start_number(mut self, start: usize) -> Self {
        self.start = start;
        self
    }

    /// Whether the run is to end.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(Interrupt::is_set)
    }

    /// Keeps the books of a run that another one will follow, as one.
    pub(crate) fn follow(&mut self, iterations: u64, evaluations: Evaluations, seconds: f64) {
        self.before.iterations += iterations;
        self.before.evaluations += evaluations;
        self.before.seconds += seconds;
    }

    /// The books of the runs before, for a checkpoint of this one.
    pub(crate) fn before(&self) -> Before {
        self.before.clone()
    }

    /// Those of the checkpoint that is taken up.
    pub(crate) fn take_up(&mut self, before: Before) {
        self.before = before;
    }

    /// Forgets the books of the runs before: the next one counts by itself.
    pub fn forget(&mut self) {
        self.before = Before::default();
    }

    /// Before the start: the best point that a run before has left.
    pub(crate) fn begin(&mut self, state: &mut FitState) {
        *state.held_out() = self.before.held_out.take();
    }

    /// After the run.
    pub(crate) fn end(&mut self, state: &FitState) {
        self.before.held_out = state.held_out_best().cloned();
    }

    /// After the start and every iteration, when the state stands: validates, shows, and ends the run where that says so.
    /// `looked` are the entries that the trace had when this was called last.
    pub(crate) fn look(
        &mut self,
        solver: &'static str,
        stopping: &Stopping,
        state: &mut FitState,
        looked: usize,
    ) {
        if state.trace().len() > looked {
            self.validate_state(state);
            self.show(solver, stopping, state);
        }
        if self.is_interrupted() {
            state.stop_between(Reason::Interrupted);
        }
    }

    fn validate_state(&mut self, state: &mut FitState) {
        let Some(validate) = &mut self.validation else { return };
        if !state.value().is_finite() {
            return;
        }
        let score = validate(state.theta());
        let iteration = self.before.iterations + state.steps();
        let since = state.validated(score, iteration);
        if self.patience.is_some_and(|most| since >= most) {
            state.stop(Reason::ValidationStopped);
        }
    }

    fn show(&mut self, solver: &'static str, stopping: &Stopping, state: &mut FitState) {
        let Some(last) = state.trace().last().copied() else { return };
        let before = &self.before;
        let mut evaluations = before.evaluations;
        evaluations += last.work;
        let progress = Progress {
            solver,
            start: self.start,
            iteration: before.iterations + last.iteration,
            value: last.value,
            best_value: state.best_value(),
            gradient_norm: last.gradient_norm,
            initial_gradient_norm: state.start_summary().gradient_norm,
            gradient_goal: state.gradient_goal(stopping),
            step_length: last.step_length,
            evaluations,
            epochs: last.epochs,
            seconds: before.seconds + last.seconds,
            max_iterations: before.iterations.saturating_add(state.max_iterations()),
            max_seconds: stopping.max_time.map(|most| before.seconds + most.as_secs_f64()),
            validation: last.validation,
            theta: state.theta(),
        };
        #[cfg(feature = "tracing")]
        tracing::debug!(
            iteration = progress.iteration,
            value = progress.value,
            gradient_norm = progress.gradient_norm,
            step_length = progress.step_length,
            evaluations = progress.evaluations.of_f(),
            "iterate"
        );
        let mut broken = false;
        for observer in &mut self.observers {
            broken |= observer(&progress).is_break();
        }
        if broken {
            state.stop_between(Reason::Interrupted);
        }
    }
}

/// A solver that is watched: argmin's `Executor` runs it as the solver itself.
pub(crate) struct Watched<'x, 'w, S> {
    pub solver: S,
    pub watch: &'x mut Watch<'w>,
    looked: usize,
}

impl<'x, 'w, S> Watched<'x, 'w, S> {
    pub(crate) fn new(solver: S, watch: &'x mut Watch<'w>, state_entries: usize) -> Self {
        Self { solver, watch, looked: state_entries }
    }
}

impl<S: FitSolver> Watched<'_, '_, S> {
    fn limits(&self, state: &FitState) -> Option<Limits> {
        let most = self.solver.stopping().max_time;
        let left = most.map(|most| most.saturating_sub(state.elapsed()));
        Limits::new(self.watch.interrupt.clone(), left)
    }

    fn look(&mut self, state: &mut FitState) {
        self.watch.look(self.solver.title(), self.solver.stopping(), state, self.looked);
        self.looked = state.trace().len();
    }
}

impl<P, S: FitSolver + Solver<P, FitState>> Solver<P, FitState> for Watched<'_, '_, S> {
    fn name(&self) -> &str {
        self.solver.name()
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.watch.begin(&mut state);
        let limits = self.limits(&state);
        let (mut state, kv) = within(limits, || self.solver.init(problem, state))?;
        self.look(&mut state);
        Ok((state, kv))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let limits = self.limits(&state);
        let (mut state, kv) = within(limits, || self.solver.next_iter(problem, state))?;
        self.look(&mut state);
        Ok((state, kv))
    }

    fn terminate_internal(&mut self, state: &FitState) -> TerminationStatus {
        self.solver.terminate_internal(state)
    }

    fn terminate(&mut self, state: &FitState) -> TerminationStatus {
        self.solver.terminate(state)
    }
}

type Moved = Result<(FitState, Option<KV>), Error>;

/// `step` with these limits in force.
fn within(limits: Option<Limits>, step: impl FnOnce() -> Moved) -> Moved {
    let _scope = limits.map(Scope::enter);
    let (mut state, kv) = step()?;
    if let Some(reason) = refused() {
        // Whatever was concluded, it was without an evaluation that was asked for.
        state.resume();
        state.stop(reason);
    }
    Ok((state, kv))
}
