//! The first-order methods: θ⁺ = θ + Δ(θ, ∇f), one evaluation of f with ∇f per step, and no look at f.
//!
//! A method is a [`Rule`], one file each; [`FirstOrderMethod`] is what all have in common: rate, schedule, stopping tests, and the
//! full-batch run under argmin. [`minimize_sampled`](crate::minimize_sampled) runs the same rules on minibatches. A step to a point where
//! f or ∇f is not finite is not taken: the run ends with [`Reason::NonFiniteValue`] and the best point.
//! Memory 2n beside the rule's. Cost per step n beside the evaluation, in one pass, in parallel for large n.

pub mod adadelta;
pub mod adagrad;
pub mod adam;
pub mod adamw;
pub mod gradient_descent;
pub mod momentum;
pub mod nesterov;
pub mod rmsprop;

pub use adadelta::{Adadelta, AdadeltaRule};
pub use adagrad::{AdaGrad, AdaGradRule};
pub use adam::{Adam, AdamRule};
pub use adamw::{AdamW, AdamWRule};
pub use gradient_descent::{GradientDescent, GradientDescentRule, StepLength};
pub use momentum::{Momentum, MomentumRule};
pub use nesterov::{Nesterov, NesterovRule};
pub use rmsprop::{Guard, RmsProp, RmsPropRule};

use crate::error::{OptimError, require};
use crate::linalg::blocks::{Parts, tree};
use crate::linalg::vector::{self, PARALLEL, Sizes, vectorize};
use crate::line_search::StrongWolfe;
use crate::minibatch::schedule::Schedule;
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::line_step::LineStep;
use argmin::core::{Error, KV, Problem, Solver};
use gradient_descent::Steepest;
use secant_core::problem::Objective;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::ops::{Deref, DerefMut};

/// A method whose step is made of θ, ∇f and what it remembers of them: the only kind that runs on minibatches too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not run on minibatches",
    label = "needs the same function at every evaluation",
    note = "Newton, BFGS, L-BFGS and their kin learn curvature from differences of gradients or from a Hessian; across two \
            minibatches these are differences of two functions, noise and no curvature",
    note = "use `minimize` on the full batch, or a first-order method: `GradientDescent::fixed` (SGD), `Momentum`, `Nesterov`, \
            `AdaGrad`, `RmsProp`, `Adadelta`, `Adam`, `AdamW`"
)]
pub trait FirstOrder: FitSolver {
    /// Sets the memory of the rule to zero, for n parameters. The only place to allocate.
    fn reset(&mut self, n: usize);
    /// `next` ← θ + Δ, from θₜ and a gradient there, all of length n; `t` = 1 for the first step.
    fn advance(&mut self, t: u64, theta: &[f64], gradient: &[f64], next: &mut [f64]);
    /// ε, the learning rate before its schedule.
    fn set_rate(&mut self, rate: f64);
    /// Checks every option for a run on minibatches. Default: [`FitSolver::validate`].
    ///
    /// # Errors
    /// The first option outside its range.
    fn validate_sampled(&self) -> Result<(), OptimError> {
        self.validate()
    }
}

/// The options of one method and its step; [`FirstOrderMethod`] is the rest.
pub trait Rule: Clone + Debug + Default {
    /// The method's name.
    const NAME: &'static str;
    /// What is remembered of the steps before.
    type Memory: Memory;
    /// `next` ← θ + Δ, in one pass.
    fn advance(&self, memory: &mut Self::Memory, at: &At<'_>, next: &mut [f64]);
    /// ε, before its schedule.
    fn rate(&self) -> f64;
    /// ε.
    fn set_rate(&mut self, rate: f64);
    /// Checks every option of its own.
    ///
    /// # Errors
    /// The first one outside its range.
    fn validate(&self) -> Result<(), OptimError>;
    /// The search along −∇f that takes the place of the rule in a full-batch run. Default: none.
    fn line_search(&self) -> Option<&StrongWolfe> {
        None
    }
}

/// Where a step starts.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// 1 for the first step.
    pub t: u64,
    /// ε of this step, as the schedule has it.
    pub rate: f64,
    /// θ, length n.
    pub theta: &'a [f64],
    /// ∇f(θ), or that of a minibatch.
    pub gradient: &'a [f64],
}

/// What a rule remembers: vectors of n numbers, zero at first.
pub trait Memory: Clone + Debug + Serialize + DeserializeOwned {
    /// How many.
    const VECTORS: usize;
    /// Nothing remembered yet. The only place to allocate.
    fn zeros(n: usize) -> Self;
}

impl<const K: usize> Memory for [Vec<f64>; K]
where
    Self: Serialize + DeserializeOwned,
{
    const VECTORS: usize = K;
    fn zeros(n: usize) -> Self {
        std::array::from_fn(|_| vec![0.0; n])
    }
}

/// A first-order method: a [`Rule`], whose options it shows as its own (`adam.decay_mean`), and what all of them share.
///
/// ```
/// use secant_optim::{Adam, AdamRule, Schedule};
/// let adam = Adam::default().with_rate(0.01).with_decay_mean(0.8);
/// let rule = AdamRule { rate: 0.01, decay_mean: 0.8, ..AdamRule::default() };
/// let same = Adam { rule, schedule: Schedule::constant(), ..Adam::default() };
/// assert_eq!((adam.rate, adam.decay_mean), (same.rate, same.decay_mean));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: DeserializeOwned"))]
pub struct FirstOrderMethod<R: Rule> {
    /// The rate and the other options of the method.
    pub rule: R,
    /// What each step multiplies the rate by. Default constant.
    pub schedule: Schedule,
    /// When to stop.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Work<R::Memory>,
}

/// The memory of the rule and the trial point.
#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "M: Memory")]
pub struct Work<M> {
    memory: M,
    trial: LineStep,
    steepest: Steepest,
}

impl<M: Memory> Default for Work<M> {
    fn default() -> Self {
        Self { memory: M::zeros(0), trial: LineStep::default(), steepest: Steepest::default() }
    }
}

impl<R: Rule> Default for FirstOrderMethod<R> {
    fn default() -> Self {
        R::default().into()
    }
}

impl<R: Rule> From<R> for FirstOrderMethod<R> {
    fn from(rule: R) -> Self {
        let (schedule, stopping) = (Schedule::default(), Stopping::default());
        Self { rule, schedule, stopping, work: Work::default() }
    }
}

impl<R: Rule> Deref for FirstOrderMethod<R> {
    type Target = R;
    fn deref(&self) -> &R {
        &self.rule
    }
}

impl<R: Rule> DerefMut for FirstOrderMethod<R> {
    fn deref_mut(&mut self) -> &mut R {
        &mut self.rule
    }
}

impl<R: Rule> FirstOrderMethod<R> {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The rate, > 0; gradient descent then takes fixed steps.
    pub fn with_rate(mut self, rate: f64) -> Self {
        self.rule.set_rate(rate);
        self
    }

    /// What each step multiplies the rate by.
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    /// One step by the rule.
    fn step<P: Objective>(&mut self, problem: &mut Problem<P>, state: &mut FitState) {
        let rate = self.rule.rate() * self.schedule.factor(state.steps() + 1);
        let Work { memory, trial: LineStep { theta, gradient, .. }, .. } = &mut self.work;
        let at = At { t: state.steps() + 1, rate, theta: &state.theta, gradient: &state.gradient };
        self.rule.advance(memory, &at, theta);
        let value = eval::value_gradient(problem, theta, gradient);
        let sizes = Sizes::of(theta, &state.theta, gradient);
        if value.is_finite() && vector::all_finite_with(sizes.gradient_squares, gradient) {
            state.accept_measured(theta, value, gradient, &sizes);
            eval::finish_wandering(&self.stopping, problem, state);
        } else {
            state.stop(Reason::NonFiniteValue);
        }
    }
}

impl<R: Rule> FirstOrder for FirstOrderMethod<R> {
    fn reset(&mut self, n: usize) {
        self.work.memory = R::Memory::zeros(n);
    }
    fn advance(&mut self, t: u64, theta: &[f64], gradient: &[f64], next: &mut [f64]) {
        let rate = self.rule.rate() * self.schedule.factor(t);
        self.rule.advance(&mut self.work.memory, &At { t, rate, theta, gradient }, next);
    }
    fn set_rate(&mut self, rate: f64) {
        self.rule.set_rate(rate);
    }
    fn validate_sampled(&self) -> Result<(), OptimError> {
        if self.rule.line_search().is_some() {
            return Err(OptimError::FullBatchOnly { solver: R::NAME, what: "a line search" });
        }
        self.validate()
    }
}

impl<R: Rule> FitSolver for FirstOrderMethod<R> {
    const NAME: &'static str = R::NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        // θ, ∇f and the best θ; the trial's two; the direction of a search.
        let searched = usize::from(self.rule.line_search().is_some());
        Some(bytes(&[(5 + R::Memory::VECTORS + searched, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        self.rule.validate()?;
        self.schedule.validate(R::NAME)?;
        self.stopping.validate(R::NAME)
    }
}

impl<P: Objective, R: Rule> Solver<P, FitState> for FirstOrderMethod<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let needs = self.memory(eval::dim(problem), 0);
        memory::preflight(R::NAME, needs, memory::FEWER_PARAMETERS, state.limit())?;
        let n = eval::start(R::NAME, &self.stopping, problem, &mut state)?;
        state.without_curvature();
        self.reset(n);
        self.work.trial = LineStep::new(n);
        self.work.steepest = Steepest::new(if self.rule.line_search().is_some() { n } else { 0 });
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let Work { trial, steepest, .. } = &mut self.work;
        match self.rule.line_search() {
            None => self.step(problem, &mut state),
            Some(search) => match steepest.step(search, trial, problem, &mut state) {
                Ok(()) => eval::finish(&self.stopping, problem, &mut state),
                Err(reason) => state.stop(reason),
            },
        }
        Ok((state, None))
    }
}

/// `block` on every block of `parts`, vectors of length `n`: on the processor's widest vectors, in parallel for large n.
fn blockwise<P: Parts>(n: usize, parts: P, block: impl Fn(P) + Sync) {
    let block = |parts: P| {
        let mut parts = Some(parts);
        vectorize(
            #[inline(always)]
            || {
                if let Some(parts) = parts.take() {
                    block(parts);
                }
            },
        );
    };
    tree(n, PARALLEL, parts, &block, &|(), ()| ());
}

/// The decaying means of Adam and `AdamW`, with their decays.
#[derive(Clone, Copy, Debug)]
struct Moments {
    /// ρ₁
    decay_mean: f64,
    /// ρ₂
    decay_square: f64,
    /// δ
    delta: f64,
}

impl Moments {
    /// s⁺ = ρ₁·s + (1 − ρ₁)·g, r⁺ = ρ₂·r + (1 − ρ₂)·g⊙g, and `next` ← κ·θ − ε·ŝ / (√r̂ + δ), ŝ = s⁺/(1 − ρ₁ᵗ), r̂ = r⁺/(1 − ρ₂ᵗ).
    fn advance(self, keep: f64, [mean, square]: &mut [Vec<f64>; 2], at: &At<'_>, next: &mut [f64]) {
        let (rho1, rho2) = (self.decay_mean, self.decay_square);
        // 1 − ρᵗ; `powf` because t may exceed an i32.
        let (bias1, bias2) = (1.0 - rho1.powf(at.t as f64), 1.0 - rho2.powf(at.t as f64));
        // One division and one root an entry.
        let (rate, root) = (at.rate / bias1, bias2.sqrt().recip());
        let parts = (((&mut mean[..], &mut square[..]), (at.theta, at.gradient)), next);
        blockwise(
            at.theta.len(),
            parts,
            #[inline(always)]
            |(((s, r), (theta, g)), next)| {
                let state = s.iter_mut().zip(r);
                for (((s, r), (theta, g)), next) in state.zip(theta.iter().zip(g)).zip(next) {
                    *s = rho1 * *s + (1.0 - rho1) * g;
                    *r = rho2 * *r + (1.0 - rho2) * g * g;
                    *next = keep * theta - rate * *s / (r.sqrt() * root + self.delta);
                }
            },
        );
    }

    fn validate(self, solver: &'static str) -> Result<(), OptimError> {
        require_fraction(solver, "decay_mean", self.decay_mean)?;
        require_fraction(solver, "decay_square", self.decay_square)?;
        require_guard(solver, "delta", self.delta)
    }
}

/// A learning rate: positive and finite.
fn require_rate(solver: &'static str, rate: f64) -> Result<(), OptimError> {
    require(rate > 0.0 && rate.is_finite(), solver, "rate", rate, "(0, ∞)")
}

/// A decay or momentum: in [0, 1).
fn require_fraction(
    solver: &'static str,
    option: &'static str,
    value: f64,
) -> Result<(), OptimError> {
    require((0.0..1.0).contains(&value), solver, option, value, "[0, 1)")
}

/// A constant that keeps a division finite: positive and finite.
fn require_guard(solver: &'static str, option: &'static str, value: f64) -> Result<(), OptimError> {
    require(value > 0.0 && value.is_finite(), solver, option, value, "(0, ∞)")
}
