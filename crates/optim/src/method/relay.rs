//! Several methods in turn on one problem: each takes up where the one before ended, and the books are kept as of one run.

use super::Method;
use super::candidates::Candidate;
use super::second_look::SecondLook;
use crate::error::OptimError;
use crate::run::minimize::{Iterates, Setup, Solution};
use crate::run::report::Report;
use crate::run::state::Clock;
use crate::run::stopping::{GRADIENT_TOLERANCE, MAX_ITERATIONS, Reason, Stopping};
use crate::run::watch::Before;
use secant_core::problem::Curvature;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;

/// Iterations after which a method of second derivatives that has not converged hands over; the last one has no such end.
const PATIENCE: u64 = 2_000;
/// The same for a method of gradients: hard networks take thousands of its steps, each of them cheap.
const PATIENCE_WITH_GRADIENTS: u64 = MAX_ITERATIONS;
/// Why a stage runs again.
const AGAIN: &str = "from the lower point";

/// One method of the relay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stage {
    pub method: Method,
    /// Why it is here.
    pub reason: Cow<'static, str>,
    /// Evaluations after which it hands over.
    pub share: Option<u64>,
}

impl Stage {
    pub(super) fn of(candidate: &Candidate) -> Self {
        Self { method: candidate.method.clone(), reason: candidate.reason.into(), share: None }
    }
}

/// The run so far: all that goes on, beside the stage that runs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Books {
    stages: Vec<Stage>,
    /// The stage that runs.
    at: usize,
    /// What was used before it.
    used: Duration,
    /// What whoever looks on knows of the stages before.
    pub before: Before,
    best: Option<Solution>,
    iterates: Iterates,
    /// Titles of the methods that ran.
    ran: Vec<String>,
    notes: Vec<String>,
}

impl Books {
    /// `notes` come first in the report.
    pub(super) fn new(stages: Vec<Stage>, notes: Vec<String>) -> Self {
        Self {
            stages,
            at: 0,
            used: Duration::ZERO,
            before: Before::default(),
            best: None,
            iterates: Iterates::default(),
            ran: Vec::new(),
            notes,
        }
    }
}

/// The stages, run in turn.
#[derive(Debug)]
pub(super) struct Relay<'a, 'x, 'w> {
    stopping: &'a Stopping,
    setup: Setup<'x, 'w>,
    clock: Clock,
    books: Books,
}

impl<'a, 'x, 'w> Relay<'a, 'x, 'w> {
    /// `stopping` is for the whole.
    pub(super) fn new(stopping: &'a Stopping, setup: Setup<'x, 'w>, books: Books) -> Self {
        Self { stopping, setup, clock: Clock::start_from(books.used), books }
    }

    /// Runs the stages until one ends well, a limit of the whole is reached, or none is left.
    pub(super) fn run<P: Curvature>(
        mut self,
        problem: &P,
        theta0: &[f64],
    ) -> Result<(Solution, Iterates), OptimError> {
        let mut refusal = OptimError::NoParameters;
        while let Some(stage) = self.books.stages.get(self.books.at).cloned() {
            self.books.used = self.clock.elapsed();
            self.books.before = self.setup.watch.before();
            let Some(stopping) = self.limits(&stage) else { break };
            let outcome = self.run_stage(problem, &stage, stopping, theta0);
            match outcome {
                Ok(((solution, iterates), again)) => {
                    let Report { reason, iterations, evaluations, seconds, .. } = solution.report;
                    self.setup.watch.follow(iterations, evaluations, seconds);
                    self.books.iterates.follow(&iterates);
                    self.announce(&stage);
                    self.absorb(solution);
                    // A stage that was taken up had begun before.
                    let used = self.books.used.saturating_add(Duration::from_secs_f64(seconds));
                    self.clock = Clock::start_from(used.max(self.clock.elapsed()));
                    if is_final(reason) {
                        break;
                    }
                    if again {
                        self.books.stages[self.books.at].reason = AGAIN.into();
                        continue;
                    }
                }
                // Less memory than when the choice was made: the next one needs less.
                Err(error @ OptimError::Memory { .. }) => {
                    self.announce(&stage);
                    self.books.notes.push(error.to_string());
                    refusal = error;
                }
                Err(error) => return Err(error),
            }
            self.books.at += 1;
        }
        let Some(mut best) = self.books.best else { return Err(refusal) };
        best.report.solver = format!("Auto: {}", self.books.ran.join(", "));
        best.report.seconds = self.clock.elapsed().as_secs_f64();
        best.report.notes = self.books.notes;
        Ok((best, self.books.iterates))
    }

    /// Runs one stage from the best point so far, and looks at its end once more; whether it is to run again. Its checkpoints hold the books
    /// as they are.
    fn run_stage<P: Curvature>(
        &mut self,
        problem: &P,
        stage: &Stage,
        stopping: Stopping,
        theta0: &[f64],
    ) -> Result<((Solution, Iterates), bool), OptimError> {
        let theta = self.books.best.as_ref().map_or(theta0, |best| &best.theta);
        if let Some(keeper) = &self.setup.keeper {
            keeper.enter(&self.books);
        }
        // Where an earlier stage began, its gradient is the measure; what a model promises is nothing in no units.
        let gradient_tolerance = self.tolerance(stage);
        let gradient_absolute = self.stopping.gradient_absolute;
        let whole = Stopping { gradient_tolerance, gradient_absolute, ..stopping.clone() };
        let run = stage.method.clone().with_stopping(stopping);
        let look = SecondLook::at(&run, self.setup.watch.interrupt.clone());
        let outcome = run.run_alone(problem, theta, self.setup.again());
        let judged = outcome.map(|mut outcome| {
            let again = look.is_some_and(|look| look.of_a_stage(whole).take(problem, &mut outcome));
            (outcome, again)
        });
        if let Some(keeper) = &self.setup.keeper {
            keeper.leave();
        }
        judged
    }

    /// What is left of the limits for the stage at hand; none where nothing is.
    fn limits(&self, stage: &Stage) -> Option<Stopping> {
        let last = self.books.at + 1 == self.books.stages.len();
        let mut stopping =
            Stopping { gradient_tolerance: self.tolerance(stage), ..self.stopping.clone() };
        if let Some(Solution { report, .. }) = &self.books.best {
            // Relative to the gradient where the whole began, which is no longer the first of the stage. Where that was met and f still falls, a
            // gradient so small says nothing, and the stage's own is the measure.
            let reached = stopping.gradient_tolerance * report.initial_gradient.max;
            if report.reason != Reason::Stalled || report.gradient.max > reached {
                stopping.gradient_absolute = stopping.gradient_absolute.max(reached);
                stopping.gradient_tolerance = 0.0;
            }
            stopping.max_iterations = stopping.max_iterations.saturating_sub(report.iterations);
            let rest = stopping.after(report.evaluations.of_f(), self.books.used);
            stopping = rest.filter(|rest| rest.max_iterations > 0)?;
        }
        if !last {
            stopping.max_iterations = stopping.max_iterations.min(patience(&stage.method));
        }
        if let Some(share) = stage.share {
            let most = stopping.max_evaluations.unwrap_or(u64::MAX);
            stopping.max_evaluations = Some(most.min(share));
        }
        Some(stopping)
    }

    /// The gradient tolerance of a stage that the whole would begin with.
    fn tolerance(&self, stage: &Stage) -> f64 {
        let given = self.stopping.gradient_tolerance;
        if given == GRADIENT_TOLERANCE { stage.method.stopping().gradient_tolerance } else { given }
    }

    /// Says what ran, and why.
    fn announce(&mut self, stage: &Stage) {
        let (name, reason) = (stage.method.name(), &stage.reason);
        let share = stage
            .share
            .map_or_else(String::new, |share| format!("; {share} evaluations, then the next"));
        self.books.notes.push(match &self.books.best {
            None => format!("{name} chosen: {reason}{share}"),
            Some(Solution { report, .. }) => format!(
                "{name} goes on from f = {:e} after {} iteration(s): {}{share}",
                report.value, report.iterations, report.reason
            ),
        });
    }

    /// Adds a stage's books.
    fn absorb(&mut self, mut stage: Solution) {
        let Books { best, ran, notes, .. } = &mut self.books;
        if ran.last() != Some(&stage.report.solver) {
            ran.push(stage.report.solver.clone());
        }
        notes.append(&mut stage.report.notes);
        match best {
            None => *best = Some(stage),
            Some(best) => {
                if best.report.follow(stage.report) {
                    best.theta = stage.theta;
                }
            }
        }
    }
}

/// Iterations that a method gets while there is another one.
fn patience(method: &Method) -> u64 {
    match method {
        Method::Lbfgs(_) | Method::Bfgs(_) | Method::LbfgsB(_) | Method::OwlQn(_) => {
            PATIENCE_WITH_GRADIENTS
        }
        _ => PATIENCE,
    }
}

/// Whether another method could not do better: nothing is left to gain, f is not finite where the run began or has no minimum, or it
/// was stopped from outside.
fn is_final(reason: Reason) -> bool {
    let outside =
        matches!(reason, Reason::Interrupted | Reason::MaxTime | Reason::ValidationStopped);
    let hopeless = matches!(reason, Reason::NonFiniteStart | Reason::Unbounded);
    reason.is_success() || outside || hopeless
}
