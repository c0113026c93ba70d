//! The state of a run under argmin's `Executor`.
//!
//! argmin's `IterState` clones the best parameters in every iteration; in this one the current point is the best one until a step
//! leads to a worse, and is then copied into a buffer that the state keeps: a step allocates nothing, and a descent copies nothing.

mod argmin;
mod clock;

use super::evaluations::{Counters, Evaluations};
use super::limits;
use super::stopping::{FLOOR_GRADIENT, FLOOR_VALUE, Reason, Standing, StepTaken, Stopping};
use crate::error::OptimError;
use crate::linalg::vector::{self, Sizes};
use ::argmin::core::{Problem, TerminationStatus};
pub(crate) use clock::Clock;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// |f(θ₀)|·ε times this is rounding left over from a much larger start.
const START_NOISE: f64 = 4.0;
/// Trace entries reserved up front; a longer run grows the trace.
pub const TRACE_RESERVE: u64 = 4096;

/// What a model is worth on samples that it was not fitted to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validated {
    /// The mean loss, without penalty.
    #[serde(with = "super::nonfinite")]
    pub loss: f64,
    /// The part of the samples whose class is right, of a classifier.
    pub accuracy: Option<f64>,
}

/// One line of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceEntry {
    /// Iterations done; 0 is the start.
    pub iteration: u64,
    /// f(θ).
    #[serde(with = "super::nonfinite")]
    pub value: f64,
    /// ‖∇f(θ)‖∞.
    #[serde(with = "super::nonfinite")]
    pub gradient_norm: f64,
    /// ‖θ⁺ − θ‖₂ of the step that led here; 0 at the start.
    #[serde(with = "super::nonfinite")]
    pub step_length: f64,
    /// Evaluations of f so far.
    pub evaluations: u64,
    /// Passes over the data by minibatches so far; none in a full-batch run.
    pub epochs: Option<f64>,
    /// Wall-clock time since the start.
    pub seconds: f64,
    /// Evaluations so far, by kind: [`Costs::of`](crate::Costs::of) makes gradients of them.
    #[serde(default)]
    pub work: Evaluations,
    /// What θ is worth on the samples held out, where there are some.
    #[serde(default)]
    pub validation: Option<Validated>,
}

/// θ, f and ∇f of the current iterate, the best point so far, and the books of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FitState {
    pub(crate) theta: Vec<f64>,
    pub(crate) value: f64,
    pub(crate) gradient: Vec<f64>,
    /// ‖∇f(θ)‖∞
    pub(crate) gradient_norm: f64,
    /// ‖∇f(θ)‖₂
    gradient_norm_2: f64,
    pub(crate) reason: Option<Reason>,
    /// A reason to end that the model of the next step is to confirm.
    claim: Option<Reason>,
    ending: Ending,
    /// The method has a model that tells what decrease is left.
    foresees: bool,
    best: Best,
    /// The solver knows the current point to be the best, below the resolution of f.
    preferred: bool,
    /// The latest step was promised a decrease that f would have shown.
    promising: bool,
    start: Summary,
    /// ‖∇f‖∞ that the gradient test is relative to: that of the start, or more after a start at a saddle.
    gradient_reference: f64,
    step: Option<StepTaken>,
    step_length: f64,
    floor: FloorWatch,
    iteration: u64,
    /// Steps taken: ahead of `iteration` by one between the end of a step and argmin's increment.
    steps: u64,
    /// Passes over the data by minibatches.
    epochs: Option<f64>,
    max_iterations: u64,
    target: f64,
    memory_limit: Option<u64>,
    counts: Counters,
    time: Option<Duration>,
    clock: Clock,
    status: TerminationStatus,
    trace: Vec<TraceEntry>,
    /// θ of every entry of the trace, one after the other, where they are kept.
    iterates: Option<Vec<f64>>,
    /// The best point on the samples held out, where there are some.
    held_out: Option<HeldOut>,
}

/// What ends a run that could go on.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Ending {
    /// A limit was reached: it ends the run after all that the iteration has still to do.
    reached: Option<Reason>,
    /// A limit, or somebody outside, ended the run between two iterations.
    ended: bool,
    /// The run may be taken up later with higher limits.
    raisable: bool,
}

/// f and the norms of ∇f at one point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub value: f64,
    /// ‖∇f‖∞
    pub gradient_norm: f64,
    /// ‖∇f‖₂
    pub gradient_norm_2: f64,
}

const NOWHERE: Summary =
    Summary { value: f64::INFINITY, gradient_norm: f64::INFINITY, gradient_norm_2: f64::INFINITY };

/// The best point on the samples held out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HeldOut {
    /// θ
    pub theta: Vec<f64>,
    /// Of the training.
    pub at: Summary,
    pub score: Validated,
    /// The iteration that led there.
    pub iteration: u64,
    /// Looks so far.
    pub evaluations: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Best {
    /// The best θ, unless it is the current one.
    theta: Vec<f64>,
    is_current: bool,
    at: Summary,
    iteration: u64,
}

/// Counts iterations in which neither the value nor the gradient visibly falls.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct FloorWatch {
    /// ‖∇f‖∞ when it last fell clearly.
    gradient_floor: f64,
    stalled: u32,
    /// The method sees no curvature.
    blind: bool,
}

impl FitState {
    /// Sets the start θ₀.
    #[must_use]
    pub fn param(mut self, theta0: Vec<f64>) -> Self {
        self.theta = theta0;
        self
    }

    /// Most iterations; the smaller of this and the solver's `Stopping::max_iterations` counts.
    #[must_use]
    pub fn max_iters(mut self, iterations: u64) -> Self {
        self.max_iterations = iterations;
        self
    }

    /// Stop at f ≤ `value`; the larger of this and the solver's `Stopping::target` counts.
    #[must_use]
    pub fn target_cost(mut self, value: f64) -> Self {
        self.target = value;
        self
    }

    /// Keeps θ of every entry of the trace: n numbers each, allocated as the run goes on.
    #[must_use]
    pub fn keep_iterates(mut self) -> Self {
        self.iterates = Some(Vec::new());
        self
    }

    /// θ of every entry of the trace, n numbers each, one after the other; none unless asked for by
    /// [`keep_iterates`](Self::keep_iterates).
    pub fn iterates(&self) -> Option<&[f64]> {
        self.iterates.as_deref()
    }

    /// Most bytes that the solver may take; half of the free memory where none is given.
    #[must_use]
    pub fn memory_limit(mut self, bytes: Option<u64>) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// θ of the current iterate, length n.
    pub fn theta(&self) -> &[f64] {
        &self.theta
    }

    /// f(θ).
    pub fn value(&self) -> f64 {
        self.value
    }

    /// ∇f(θ), length n.
    pub fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    /// ‖∇f(θ)‖∞.
    pub fn gradient_norm(&self) -> f64 {
        self.gradient_norm
    }

    /// θ with the lowest value so far (among values that rounding cannot tell apart: the smallest gradient).
    pub fn best_theta(&self) -> &[f64] {
        if self.best.is_current { &self.theta } else { &self.best.theta }
    }

    /// f(best θ).
    pub fn best_value(&self) -> f64 {
        self.best.at.value
    }

    /// Why the run ended; none while it runs.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// One entry per iteration, and one for the start.
    pub fn trace(&self) -> &[TraceEntry] {
        &self.trace
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Passes over the data by minibatches; none in a full-batch run.
    pub fn epochs(&self) -> Option<f64> {
        self.epochs
    }

    /// Time since the start was evaluated.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Ends the run. The first reason given stays; where an evaluation was refused to an iteration, that is the reason.
    pub fn stop(&mut self, reason: Reason) {
        if self.reason.is_none() {
            let reason = limits::refused().unwrap_or(reason);
            self.reason = Some(reason);
            self.status = TerminationStatus::Terminated(reason.to_argmin());
        }
    }

    /// θ that the run returns: the best one on the samples held out where there are some, else the best one.
    pub(crate) fn solution(&self) -> &[f64] {
        self.held_out.as_ref().map_or_else(|| self.best_theta(), |best| &best.theta)
    }

    pub(crate) fn held_out(&mut self) -> &mut Option<HeldOut> {
        &mut self.held_out
    }

    pub(crate) fn held_out_best(&self) -> Option<&HeldOut> {
        self.held_out.as_ref()
    }

    /// Keeps what the current point, of this iteration, is worth on the samples held out. Returns the iterations since it was last better.
    pub(crate) fn validated(&mut self, score: Validated, iteration: u64) -> u64 {
        if let Some(last) = self.trace.last_mut() {
            last.validation = Some(score);
        }
        let at = self.summary();
        let best = self.held_out.get_or_insert_with(|| HeldOut {
            theta: Vec::new(),
            at,
            score: Validated { loss: f64::INFINITY, accuracy: None },
            iteration,
            evaluations: 0,
        });
        best.evaluations += 1;
        // Written so that NaN is never better; the first point is the best one whatever its loss.
        if best.theta.is_empty() || score.loss < best.score.loss {
            best.theta.clone_from(&self.theta);
            (best.at, best.score, best.iteration) = (at, score, iteration);
        }
        iteration - best.iteration
    }

    /// ‖∇f‖∞ that meets its tolerance.
    pub(crate) fn gradient_goal(&self, stopping: &Stopping) -> f64 {
        let relative = stopping.gradient_tolerance * self.gradient_reference;
        stopping.gradient_absolute.max(relative)
    }

    /// Ends the run at the end of this iteration, unless it ends for another reason before.
    pub(crate) fn stop_after(&mut self, limit: Option<Reason>) {
        self.ending.reached = limit;
    }

    /// Whether the run ended between two iterations, and could go on.
    pub(crate) fn could_go_on(&self) -> bool {
        self.ending.ended
    }

    /// The run may be taken up later with higher limits: nothing may depend on those of now.
    pub(crate) fn lasting(mut self) -> Self {
        self.ending.raisable = true;
        self
    }

    /// Goes on under the limits of `stopping`, where those of before ended the run and these do not.
    pub(crate) fn take_up(&mut self, stopping: &Stopping, memory_limit: Option<u64>) {
        (self.max_iterations, self.memory_limit) = (stopping.max_iterations, memory_limit);
        if std::mem::take(&mut self.ending.ended) {
            (self.reason, self.status) = (None, TerminationStatus::NotTerminated);
            let work = Evaluations::from_lookup(|key| self.counts.sums().get(key).copied());
            self.ending.reached = stopping.used_up(&self.progress(work.of_f()));
            self.end_by_limit();
        }
    }

    /// Ends the run here, between two iterations: it could go on.
    pub(crate) fn stop_between(&mut self, reason: Reason) {
        if self.reason.is_none() {
            self.stop(reason);
            self.ending.ended = true;
        }
    }

    /// Ends the run by the limit that was reached, if one was.
    pub(crate) fn end_by_limit(&mut self) {
        if let Some(limit) = self.ending.reached.take() {
            self.stop_between(limit);
        }
    }

    /// Takes back a stop: the point is stationary and no minimum.
    pub(crate) fn resume(&mut self) {
        self.reason = None;
        self.status = TerminationStatus::NotTerminated;
        self.floor.stalled = 0;
        self.claim = None;
    }

    /// ‖∇f(θ)‖∞ relative to the norm that the gradient test is relative to; at most 1.
    pub(crate) fn relative_gradient(&self) -> f64 {
        if self.gradient_reference > 0.0 {
            (self.gradient_norm / self.gradient_reference).min(1.0)
        } else {
            1.0
        }
    }

    /// The gradient test becomes relative to the gradient here, where that is larger.
    pub(crate) fn raise_gradient_reference(&mut self) {
        self.gradient_reference = self.gradient_reference.max(self.gradient_norm);
    }

    /// The smaller of the solver's and the executor's, once the run has begun.
    pub(crate) fn max_iterations(&self) -> u64 {
        self.max_iterations
    }

    /// Most steps that the run may come to, for what is kept of each.
    pub(crate) fn most_steps(&self) -> usize {
        let most = if self.ending.raisable { u64::MAX } else { self.max_iterations };
        usize::try_from(most).unwrap_or(usize::MAX).max(1)
    }

    /// Bytes that the solver may take, where the caller has set a limit.
    pub(crate) fn limit(&self) -> Option<u64> {
        self.memory_limit
    }

    /// ‖∇f(θ)‖₂
    pub(crate) fn gradient_norm_2(&self) -> f64 {
        self.gradient_norm_2
    }

    pub(crate) fn start_summary(&self) -> Summary {
        self.start
    }

    /// A difference of f below this is rounding left over from the start, where f ends near zero by cancellation.
    pub(crate) fn start_noise(&self) -> f64 {
        START_NOISE * f64::EPSILON * self.start.value.abs()
    }

    pub(crate) fn best_summary(&self) -> Summary {
        self.best.at
    }

    /// Checks θ₀.
    pub(crate) fn check_start(&self, n: usize) -> Result<(), OptimError> {
        if n == 0 {
            return Err(OptimError::NoParameters);
        }
        if self.theta.len() != n {
            return Err(OptimError::StartLength { expected: n, found: self.theta.len() });
        }
        if let Some(index) = self.theta.iter().position(|x| !x.is_finite()) {
            return Err(OptimError::StartNotFinite { index, value: self.theta[index] });
        }
        Ok(())
    }

    /// Checks θ₀ and lays out every buffer.
    pub(crate) fn begin(&mut self, n: usize, stopping: &Stopping) -> Result<(), OptimError> {
        self.check_start(n)?;
        self.gradient = vec![0.0; n];
        self.best = Best { theta: vec![0.0; n], is_current: true, at: NOWHERE, iteration: 0 };
        self.max_iterations = self.max_iterations.min(stopping.max_iterations);
        self.target = self.target.max(stopping.target.unwrap_or(f64::NEG_INFINITY));
        let entries = self.max_iterations.min(TRACE_RESERVE) + 1;
        self.trace = Vec::with_capacity(usize::try_from(entries).unwrap_or(1));
        self.clock = Clock::start();
        Ok(())
    }

    /// Takes f(θ₀); ∇f(θ₀) already stands in `gradient`.
    pub(crate) fn begin_at(&mut self, value: f64) {
        self.value = value;
        self.measure_gradient();
        self.start = self.summary();
        self.gradient_reference = self.gradient_norm;
        // The start is the best point even when its value is not finite: something must come back.
        self.best.at = self.start;
        self.floor = FloorWatch { gradient_floor: self.gradient_norm, stalled: 0, blind: false };
    }

    /// Tells that the method has a model of second order, and asks [`eval::confirm`](crate::run::eval::confirm) at every point before it
    /// tries a step: the tests of the end are then claims until the model confirms them.
    pub(crate) fn with_foresight(&mut self) {
        self.foresees = true;
    }

    pub(crate) fn foresees(&self) -> bool {
        self.foresees
    }

    /// The claim to be confirmed.
    pub(crate) fn claim(&mut self) -> &mut Option<Reason> {
        &mut self.claim
    }

    /// Tells the floor's watch that the method sees no curvature: steps that show nothing may be a crawl.
    pub(crate) fn without_curvature(&mut self) {
        self.floor.blind = true;
    }

    /// Moves to θ⁺ = `theta` with ∇f = `gradient` and f = `value`; the old θ and ∇f are left in the two buffers.
    pub(crate) fn accept(&mut self, theta: &mut Vec<f64>, value: f64, gradient: &mut Vec<f64>) {
        let sizes = Sizes::of(theta, &self.theta, gradient);
        self.accept_measured(theta, value, gradient, &sizes);
    }

    /// [`accept`](Self::accept) with the sizes of the step known.
    pub(crate) fn accept_measured(
        &mut self,
        theta: &mut Vec<f64>,
        value: f64,
        gradient: &mut Vec<f64>,
        sizes: &Sizes,
    ) {
        self.steps += 1;
        self.move_measured(theta, value, gradient, sizes);
    }

    /// The steps and epochs of a run on minibatches, whose steps are not evaluated one by one.
    pub(crate) fn set_sampled(&mut self, steps: u64, epochs: f64) {
        (self.steps, self.epochs) = (steps, Some(epochs));
    }

    /// [`accept`](Self::accept) without counting a step.
    pub(crate) fn move_to(&mut self, theta: &mut Vec<f64>, value: f64, gradient: &mut Vec<f64>) {
        let sizes = Sizes::of(theta, &self.theta, gradient);
        self.move_measured(theta, value, gradient, &sizes);
    }

    fn move_measured(
        &mut self,
        theta: &mut Vec<f64>,
        value: f64,
        gradient: &mut Vec<f64>,
        sizes: &Sizes,
    ) {
        std::mem::swap(&mut self.theta, theta);
        std::mem::swap(&mut self.gradient, gradient);
        let previous_value = std::mem::replace(&mut self.value, value);
        self.gradient_norm = sizes.gradient_norm;
        self.gradient_norm_2 = vector::norm_of_squares(sizes.gradient_squares, &self.gradient);
        self.step_length = sizes.step_squares.sqrt();
        self.step = Some(StepTaken {
            previous_value,
            step_norm: sizes.step_norm,
            theta_norm: sizes.theta_norm,
        });
        self.watch_floor(previous_value);
        if self.is_better() {
            self.make_best();
        } else if std::mem::take(&mut self.best.is_current) {
            self.best.theta.copy_from_slice(theta);
        }
    }

    /// The current point becomes the best one.
    fn make_best(&mut self) {
        self.best.is_current = true;
        self.best.at = self.summary();
        self.best.iteration = self.steps;
    }

    fn measure_gradient(&mut self) {
        self.gradient_norm = vector::norm_inf(&self.gradient);
        self.gradient_norm_2 = vector::norm(&self.gradient);
    }

    /// Moves within the iteration that [`accept`](Self::accept) counted: θ, f and ∇f are replaced, by better ones. Where the point
    /// was the best one, the new point is.
    pub(crate) fn refine(&mut self, theta: &mut Vec<f64>, value: f64, gradient: &mut Vec<f64>) {
        std::mem::swap(&mut self.theta, theta);
        std::mem::swap(&mut self.gradient, gradient);
        self.value = value;
        self.measure_gradient();
        self.floor.gradient_floor = self.floor.gradient_floor.min(self.gradient_norm);
        if self.best.is_current {
            self.make_best();
        }
    }

    /// Makes the current point the best one, on a proof that f cannot give: its differences are below rounding.
    pub(crate) fn prefer(&mut self) {
        self.preferred = true;
    }

    /// Whether the latest step was promised a decrease that f would have shown: where none shows, that is no rounding floor.
    pub(crate) fn promising(&mut self, promising: bool) {
        self.promising = promising;
    }

    /// Whether the run, of a method that is not monotone, ended by a test that the current point meets and the better one that will be
    /// returned does not.
    pub(crate) fn ended_off_best(&self, stopping: &Stopping) -> bool {
        if self.best.is_current || !self.reason.is_some_and(Reason::is_success) {
            return false;
        }
        let Summary { value, gradient_norm, .. } = self.best.at;
        let there = Standing { value, gradient_norm, step: None, ..self.progress(0) };
        !stopping.claim(&there).is_some_and(Reason::is_converged)
    }

    /// Whether the gradient or the value already satisfies `stopping`, whatever a model may promise.
    pub(crate) fn meets(&self, stopping: &Stopping) -> bool {
        let met = stopping.claim(&Standing { step: None, ..self.progress(0) });
        met.is_some_and(Reason::is_converged)
    }

    /// Drops a claim: there is more to gain, however little the last steps showed.
    pub(crate) fn doubt(&mut self) {
        self.claim = None;
        self.floor.stalled = 0;
    }

    /// What the last step took off f; 0 before it, or where it rose.
    pub(crate) fn last_decrease(&self) -> f64 {
        self.step.map_or(0.0, |step| (step.previous_value - self.value).max(0.0))
    }

    /// Whether a promised decrease is nothing here.
    pub(crate) fn is_negligible(&self, stopping: &Stopping, decrease: f64) -> bool {
        stopping.is_negligible(decrease, self.value, self.start.value)
    }

    fn watch_floor(&mut self, previous_value: f64) {
        let size = self.value.abs().max(previous_value.abs());
        let visible = (previous_value - self.value).abs() > FLOOR_VALUE * f64::EPSILON * size;
        let falling = self.gradient_norm < (1.0 - FLOOR_GRADIENT) * self.floor.gradient_floor;
        if visible || falling {
            self.floor.stalled = 0;
        } else {
            self.floor.stalled += 1;
        }
        // The mark stays where it is until the gradient is clearly below it, so that small falls add up.
        if falling {
            self.floor.gradient_floor = self.gradient_norm;
        }
    }

    /// Evaluations so far, in whatever processes.
    pub(crate) fn work<P>(&self, problem: &Problem<P>) -> Evaluations {
        self.counts.work(&problem.counts)
    }

    pub(crate) fn record(&mut self, work: Evaluations) {
        if let Some(iterates) = &mut self.iterates {
            iterates.extend_from_slice(&self.theta);
        }
        self.trace.push(TraceEntry {
            iteration: self.steps,
            value: self.value,
            gradient_norm: self.gradient_norm,
            step_length: self.step_length,
            evaluations: work.of_f(),
            epochs: self.epochs,
            seconds: self.elapsed().as_secs_f64(),
            work,
            validation: None,
        });
    }

    pub(crate) fn progress(&self, evaluations: u64) -> Standing {
        Standing {
            iterations: self.steps,
            max_iterations: self.max_iterations,
            target: self.target,
            value: self.value,
            gradient_norm: self.gradient_norm,
            initial_gradient_norm: self.gradient_reference,
            step: self.step,
            evaluations,
            elapsed: self.elapsed(),
            stalled: self.floor.stalled,
            blind: self.floor.blind || self.promising,
        }
    }

    fn summary(&self) -> Summary {
        Summary {
            value: self.value,
            gradient_norm: self.gradient_norm,
            gradient_norm_2: self.gradient_norm_2,
        }
    }

    /// Lower; or, among values that rounding cannot tell apart, with a smaller gradient. NaN is never better.
    fn is_better(&self) -> bool {
        let best = &self.best.at;
        let noise = FLOOR_VALUE * f64::EPSILON * best.value.abs();
        if (self.value - best.value).abs() <= noise {
            return self.gradient_norm < best.gradient_norm;
        }
        self.value < best.value
    }
}
