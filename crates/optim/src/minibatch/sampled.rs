//! A first-order method on minibatches: θ⁺ = θ + Δ(θ, ∇f_B(θ)), f_B the mean over a batch B that changes with every step.
//!
//! The rule Δ is the one of the full-batch run ([`FirstOrder`]). f and ∇f on *all* samples are evaluated at the start, after every
//! [`evaluate_every`](Minibatches::evaluate_every) and at the end, and counted apart: `value_gradient` beside `sampled_gradient`.
//! The trace, the best point and the tests of [`Stopping`](crate::Stopping) look at these; a test of the step or of the change
//! of the value compares two of them in a row. Time is looked at after every step.
//! Random numbers of the objective itself (dropout) are drawn anew in every step; all samples are always looked at with those of draw
//! 0, which are the ones of a full-batch fit, so that these values are of one function.
//! Stop: [`Stopping`](crate::Stopping), with the limit of [`Minibatches`] in the place of `max_iterations`; a batch whose value or
//! gradient is not finite ends the run with the best point kept.
//! Memory 4n beside the rule's, and N indices. Cost per step n and B/N of an evaluation.
//! Source: Robbins & Monro (1951); Goodfellow et al. (2016) algorithm 8.1.

use super::batches::{BatchStream, LastBatch, Minibatches, Sampling};
use crate::error::OptimError;
use crate::linalg::vector;
use crate::run::checkpoint::{Keeper, Moment};
use crate::run::eval;
use crate::run::memory;
use crate::run::minimize::{Setup, Solution};
use crate::run::report::Report;
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::run::watch::Watch;
use crate::solver::FirstOrder;
use argmin::core::{Problem, State};
use secant_core::problem::{Objective, SampledObjective};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The mean over all samples beside that over some.
struct Whole<'p, P> {
    problem: &'p P,
    all: Vec<usize>,
}

impl<P: SampledObjective> Objective for Whole<'_, P> {
    fn dim(&self) -> usize {
        self.problem.parameters()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.value_gradient(theta, &mut vec![0.0; theta.len()])
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.problem.value_gradient_on(&self.all, theta, gradient)
    }
}

impl<P: SampledObjective> SampledObjective for Whole<'_, P> {
    fn parameters(&self) -> usize {
        self.problem.parameters()
    }
    fn samples(&self) -> usize {
        self.all.len()
    }
    fn value_gradient_on(&self, indices: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.problem.value_gradient_on(indices, theta, gradient)
    }
    fn value_gradient_drawn(
        &self,
        draw: u64,
        indices: &[usize],
        theta: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        self.problem.value_gradient_drawn(draw, indices, theta, gradient)
    }
}

/// Minimises the mean over all samples of `problem` from `theta0` (length n) by steps on `minibatches`.
///
/// The same seed gives the same bits, whatever the threads. Reports count steps as iterations.
///
/// # Errors
/// [`OptimError`]: an option out of range, a start of another length than the problem or with an entry that is not finite,
/// batches that cannot be drawn, gradient descent with a line search, vectors that would take more than half of the free memory.
///
/// ```
/// use secant_core::problem::SampledObjective;
/// use secant_optim::{GradientDescent, Minibatches, Schedule, minimize_sampled};
///
/// /// f(θ) = mean of ½(θ − yᵢ)², whose minimum is the mean of y.
/// struct Mean([f64; 4]);
/// impl SampledObjective for Mean {
///     fn parameters(&self) -> usize { 1 }
///     fn samples(&self) -> usize { 4 }
///     fn value_gradient_on(&self, indices: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64 {
///         let errors = || indices.iter().map(|&i| theta[0] - self.0[i]);
///         gradient[0] = errors().sum::<f64>() / indices.len() as f64;
///         errors().map(|e| 0.5 * e * e).sum::<f64>() / indices.len() as f64
///     }
/// }
/// // With the rate 1/t SGD is the running mean: exact after every epoch.
/// let sgd = GradientDescent::fixed(1.0).with_schedule(Schedule::inverse_time(1.0));
/// let minibatches = Minibatches::of(1).with_epochs(1);
/// let solution = minimize_sampled(&Mean([1.0, 2.0, 3.0, 6.0]), sgd, &minibatches, &[0.0])?;
/// assert!((solution.theta[0] - 3.0).abs() < 1e-14);
/// assert_eq!(solution.report.evaluations.sampled_gradient, 4);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
///
/// # What does not compile
/// Curvature on a minibatch: the pairs s = θ⁺ − θ, y = ∇f⁺ − ∇f of two batches are differences of two functions. None of
///
/// ```compile_fail,E0277
/// # use secant_core::problem::SampledObjective;
/// # use secant_optim::{Lbfgs, Minibatches, minimize_sampled};
/// # fn run<P: SampledObjective>(problem: &P) {
/// minimize_sampled(problem, Lbfgs::default(), &Minibatches::default(), &[0.0]);
/// # }
/// ```
/// ```compile_fail,E0277
/// # use secant_core::problem::SampledObjective;
/// # use secant_optim::{Bfgs, Minibatches, minimize_sampled};
/// # fn run<P: SampledObjective>(problem: &P) {
/// minimize_sampled(problem, Bfgs::default(), &Minibatches::default(), &[0.0]);
/// # }
/// ```
/// ```compile_fail,E0277
/// # use secant_core::problem::SampledObjective;
/// # use secant_optim::{Minibatches, Newton, minimize_sampled};
/// # fn run<P: SampledObjective>(problem: &P) {
/// minimize_sampled(problem, Newton::default(), &Minibatches::default(), &[0.0]);
/// # }
/// ```
/// does, and the compiler says why:
///
/// ```text
/// error[E0277]: `secant_optim::Lbfgs` does not run on minibatches
///     minimize_sampled(problem, Lbfgs::default(), &Minibatches::default(), &[0.0]);
///                               ^^^^^^^^^^^^^^^^ needs the same function at every evaluation
///   = note: Newton, BFGS, L-BFGS and their kin learn curvature from differences of gradients or from a Hessian;
///           across two minibatches these are differences of two functions, noise and no curvature
///   = note: use `minimize` on the full batch, or a first-order method: `GradientDescent::fixed` (SGD), …
/// ```
/// Nor does a full-batch run on a problem that only has samples (`P` is not a full-batch objective):
///
/// ```compile_fail,E0277
/// # use secant_core::problem::SampledObjective;
/// # use secant_optim::{Lbfgs, minimize};
/// # fn run<P: SampledObjective>(problem: &P) {
/// minimize(problem, Lbfgs::default(), &[0.0]);
/// # }
/// ```
/// What does compile:
///
/// ```
/// # use secant_core::problem::SampledObjective;
/// # use secant_optim::{Adam, Minibatches, OptimError, minimize_sampled};
/// # fn run<P: SampledObjective>(problem: &P) -> Result<(), OptimError> {
/// minimize_sampled(problem, Adam::default(), &Minibatches::default(), &[0.0])?;
/// # Ok(())
/// # }
/// ```
pub fn minimize_sampled<P, S>(
    problem: &P,
    solver: S,
    minibatches: &Minibatches,
    theta0: &[f64],
) -> Result<Solution, OptimError>
where
    P: SampledObjective,
    S: FirstOrder,
{
    minimize_sampled_watched(problem, solver, minibatches, theta0, &mut Watch::new())
}

/// As [`minimize_sampled`], with a [`Watch`]: it looks on at every evaluation of all samples; an interrupt is obeyed after the step at
/// hand, with such an evaluation.
///
/// # Errors
/// As [`minimize_sampled`].
pub fn minimize_sampled_watched<P, S>(
    problem: &P,
    solver: S,
    minibatches: &Minibatches,
    theta0: &[f64],
    watch: &mut Watch<'_>,
) -> Result<Solution, OptimError>
where
    P: SampledObjective,
    S: FirstOrder,
{
    let mut run = Run::begin(problem, solver, minibatches, theta0, watch)?;
    run.go(watch, |_, _| ());
    Ok(run.end(minibatches, watch))
}

/// The same with the checkpoints of `setup`; taken up where there is something to take up.
pub(crate) fn sampled_kept<P, S>(
    problem: &P,
    solver: S,
    minibatches: &Minibatches,
    theta0: &[f64],
    setup: &mut Setup<'_, '_>,
) -> Result<Solution, OptimError>
where
    P: SampledObjective,
    S: FirstOrder + Serialize + DeserializeOwned,
{
    let watch = &mut *setup.watch;
    let Some(keeper) = &setup.keeper else {
        return minimize_sampled_watched(problem, solver, minibatches, theta0, watch);
    };
    let source = keeper.source();
    let mut run = match keeper.take_up::<Kept<S>>()? {
        None => Run::begin(problem, solver, minibatches, theta0, watch)?,
        Some(kept) => {
            let (expected, found) = (problem.parameters(), kept.theta.len());
            if expected != found {
                let path = source.as_deref().unwrap_or(Path::new(""));
                let why = format!("has {found} parameters, the problem has {expected}");
                return Err(Keeper::unfit(path, why));
            }
            keeper.note(format!("taken up after {} step(s)", kept.t));
            Run::resume(problem, kept, &solver, minibatches)?
        }
    };
    run.go(watch, |moment, kept| keeper.offer(kept.t, moment, kept));
    Ok(run.end(minibatches, watch))
}

/// All that a run keeps between two steps.
#[derive(Debug, Serialize, Deserialize)]
struct Kept<S> {
    solver: S,
    state: FitState,
    batches: BatchStream,
    /// Steps taken.
    t: u64,
    /// The step after which all samples were looked at last.
    looked: u64,
    /// θ after all steps.
    theta: Vec<f64>,
}

struct Run<'p, P, S> {
    problem: Problem<Whole<'p, P>>,
    kept: Kept<S>,
    stopping: Stopping,
    /// Steps between two looks at all samples.
    every: u64,
}

impl<'p, P: SampledObjective, S: FirstOrder> Run<'p, P, S> {
    fn begin(
        problem: &'p P,
        mut solver: S,
        minibatches: &Minibatches,
        theta0: &[f64],
        watch: &mut Watch<'_>,
    ) -> Result<Self, OptimError> {
        solver.validate_sampled()?;
        let needs = solver.memory(problem.parameters(), 0);
        memory::preflight(S::NAME, needs, memory::FEWER_PARAMETERS, None)?;
        let batches = minibatches.stream(problem.samples())?;
        let (stopping, every) = stretches(&solver, minibatches, &batches);
        let mut problem = whole(problem);
        let mut state = FitState::new().param(theta0.to_vec());
        state.set_sampled(0, 0.0);
        watch.begin(&mut state);
        let n = eval::start(S::NAME, &stopping, &mut problem, &mut state)?;
        watch.look(solver.title(), &stopping, &mut state, 0);
        state.without_curvature();
        solver.reset(n);
        let kept = Kept { solver, state, batches, t: 0, looked: 0, theta: theta0.to_vec() };
        Ok(Self { problem, kept, stopping, every })
    }

    /// Under the limits of `solver` and `minibatches`.
    fn resume(
        problem: &'p P,
        mut kept: Kept<S>,
        solver: &S,
        minibatches: &Minibatches,
    ) -> Result<Self, OptimError> {
        solver.validate_sampled()?;
        minibatches.validate(problem.samples())?;
        kept.solver.stopping_mut().take_limits(solver.stopping());
        let (stopping, every) = stretches(&kept.solver, minibatches, &kept.batches);
        kept.state.take_up(&stopping, None);
        Ok(Self { problem: whole(problem), kept, stopping, every })
    }

    /// Steps until the end; `offer` is called between two of them.
    fn go(&mut self, watch: &mut Watch<'_>, mut offer: impl FnMut(Moment, &Kept<S>)) {
        let Self { problem, kept, stopping, every } = self;
        let n = kept.theta.len();
        let (mut trial, mut gradient, mut next) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let mut offered = false;
        loop {
            let timed_out = stopping.max_time.is_some_and(|most| kept.state.elapsed() >= most);
            let due = kept.t.is_multiple_of(*every);
            let over = timed_out || watch.is_interrupted();
            let last = kept.t >= stopping.max_iterations || over;
            if kept.looked < kept.t && (due || last) {
                if !due {
                    // A look that only the limit asks for: the run with a higher one does not take it.
                    offer(Moment::Ended, kept);
                    offered = true;
                }
                trial.copy_from_slice(&kept.theta);
                let state = &mut kept.state;
                let looked = state.trace().len();
                look(stopping, problem, state, &mut trial, &mut gradient);
                watch.look(kept.solver.title(), stopping, state, looked);
                kept.looked = kept.t;
            }
            let Kept { solver, state, batches, t, theta, .. } = &mut *kept;
            state.func_counts(problem);
            if state.reason().is_some() {
                break;
            }
            let value =
                eval::sampled_gradient(problem, *t + 1, batches.next_batch(), theta, &mut gradient);
            if !(value.is_finite() && vector::all_finite(&gradient)) {
                state.stop(Reason::NonFiniteValue);
                state.func_counts(problem);
                break;
            }
            *t += 1;
            solver.advance(*t, theta, &gradient, &mut next);
            std::mem::swap(theta, &mut next);
            state.set_sampled(*t, batches.epochs());
            state.func_counts(problem);
            offer(Moment::Between, kept);
        }
        if !offered {
            offer(Moment::Ended, kept);
        }
    }

    fn end(self, minibatches: &Minibatches, watch: &mut Watch<'_>) -> Solution {
        let Self { problem, kept, .. } = self;
        watch.end(&kept.state);
        let samples = problem.problem.as_ref().map_or(0, |whole| whole.all.len());
        let mut report = Report::of(&kept.solver, &kept.state);
        report.notes.push(describe(minibatches, samples));
        Solution { theta: kept.state.solution().to_vec(), report }
    }
}

fn whole<P: SampledObjective>(problem: &P) -> Problem<Whole<'_, P>> {
    Problem::new(Whole { problem, all: (0..problem.samples()).collect() })
}

/// When the run ends, its steps for iterations, and the steps between two looks at all samples.
fn stretches<S: FirstOrder>(
    solver: &S,
    minibatches: &Minibatches,
    batches: &BatchStream,
) -> (Stopping, u64) {
    let most = batches.steps(minibatches.limit);
    let stopping = Stopping { max_iterations: most, ..solver.stopping().clone() };
    (stopping, batches.steps(minibatches.evaluate_every))
}

/// Evaluates all samples at `theta`, and applies the stopping tests. The two buffers come back with other contents.
fn look<P: SampledObjective>(
    stopping: &Stopping,
    problem: &mut Problem<Whole<'_, P>>,
    state: &mut FitState,
    theta: &mut Vec<f64>,
    gradient: &mut Vec<f64>,
) {
    let value = eval::value_gradient(problem, theta, gradient);
    if value.is_finite() && vector::all_finite(gradient) {
        state.move_to(theta, value, gradient);
        eval::finish(stopping, problem, state);
        state.update();
    } else {
        state.stop(Reason::NonFiniteValue);
    }
}

/// How the batches were drawn, for the report.
fn describe(minibatches: &Minibatches, samples: usize) -> String {
    let Minibatches { size, seed, .. } = minibatches;
    let sampling = match minibatches.sampling {
        Sampling::Shuffled => format!("shuffled, seed {seed}"),
        Sampling::WithReplacement => format!("with replacement, seed {seed}"),
        Sampling::InOrder => "in the order of the data".to_owned(),
    };
    let last = match minibatches.last {
        LastBatch::Keep => "",
        LastBatch::Drop => ", the last short one dropped",
    };
    format!("minibatches of {} of {samples} samples, {sampling}{last}", size.min(&samples))
}
