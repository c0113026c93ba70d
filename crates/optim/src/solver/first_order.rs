//! The base of the first-order methods: θ⁺ = θ + Δ(θ, ∇f), one evaluation of f with ∇f per step, and no look at f.
//!
//! A method is a [`FirstOrder`] rule. Two runs go around it: the full-batch one here, under argmin, and the one on minibatches,
//! [`minimize_sampled`](crate::minimize_sampled); the rule is the same. A step to a point where f or ∇f is not finite is not taken:
//! the run ends with [`Reason::NonFiniteValue`] and the best point.

pub mod adadelta;
pub mod adagrad;
pub mod adam;
pub mod adamw;
pub mod gradient_descent;
pub mod momentum;
pub mod nesterov;
pub mod rmsprop;

pub use adadelta::Adadelta;
pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub use gradient_descent::{GradientDescent, StepLength};
pub use momentum::Momentum;
pub use nesterov::Nesterov;
pub use rmsprop::{Guard, RmsProp};

use crate::error::{OptimError, require};
use crate::linalg::blocks::BLOCK;
use crate::linalg::vector::{self, PARALLEL, Sizes, vectorize};
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use argmin::core::{Error, KV, Problem};
use rayon::prelude::*;
use secant_core::problem::Objective;

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
    /// `step` ← Δ, from θₜ and a gradient there, all of length n; `t` = 1 for the first step.
    fn update(&mut self, t: u64, theta: &[f64], gradient: &[f64], step: &mut [f64]);
    /// `next` ← θ + Δ, as [`update`](Self::update) and a sum would; `step` is scratch. A rule that can do both in one pass does.
    fn advance(
        &mut self,
        t: u64,
        theta: &[f64],
        gradient: &[f64],
        step: &mut [f64],
        next: &mut [f64],
    ) {
        self.update(t, theta, gradient, step);
        vector::step(theta, 1.0, step, next);
    }
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

/// A rule that runs under argmin; [`init`] and [`next_iter`] are its run.
pub(crate) trait RuleSolver: FirstOrder {
    /// The trial point's buffers.
    fn buffers_mut(&mut self) -> &mut Buffers;
}

/// `Solver::init` of a [`RuleSolver`].
pub(crate) fn init<P: Objective, S: RuleSolver>(
    solver: &mut S,
    problem: &mut Problem<P>,
    mut state: FitState,
) -> Result<(FitState, Option<KV>), Error> {
    solver.validate()?;
    let n = eval::start(S::NAME, solver.stopping(), problem, &mut state)?;
    state.without_curvature();
    *solver.buffers_mut() =
        Buffers { step: vec![0.0; n], theta: vec![0.0; n], gradient: vec![0.0; n] };
    solver.reset(n);
    Ok((state, None))
}

/// `Solver::next_iter` of a [`RuleSolver`].
pub(crate) fn next_iter<P: Objective, S: RuleSolver>(
    solver: &mut S,
    problem: &mut Problem<P>,
    mut state: FitState,
) -> FitState {
    // Taken for the call, because the rule is borrowed mutably beside them.
    let mut buffers = std::mem::take(solver.buffers_mut());
    let stopping = std::mem::take(solver.stopping_mut());
    step(solver, &mut buffers, &stopping, problem, &mut state);
    *solver.buffers_mut() = buffers;
    *solver.stopping_mut() = stopping;
    state
}

/// Δ, and the trial point with its gradient.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers {
    step: Vec<f64>,
    theta: Vec<f64>,
    gradient: Vec<f64>,
}

/// One step by the rule.
fn step<P: Objective>(
    rule: &mut impl FirstOrder,
    buffers: &mut Buffers,
    stopping: &Stopping,
    problem: &mut Problem<P>,
    state: &mut FitState,
) {
    let Buffers { step, theta, gradient } = buffers;
    rule.advance(state.steps() + 1, &state.theta, &state.gradient, step, theta);
    let value = eval::value_gradient(problem, theta, gradient);
    let sizes = Sizes::of(theta, &state.theta, gradient);
    if value.is_finite() && vector::all_finite_with(sizes.gradient_squares, gradient) {
        state.accept_measured(theta, value, gradient, &sizes);
        eval::finish(stopping, problem, state);
    } else {
        state.stop(Reason::NonFiniteValue);
    }
}

/// s, r, (θ, ∇f) and the output of a run of entries.
type Block<'a> = (((&'a mut [f64], &'a mut [f64]), (&'a [f64], &'a [f64])), &'a mut [f64]);

/// The decaying means of Adam and `AdamW`, with their decays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moments {
    /// ρ₁
    pub decay_mean: f64,
    /// ρ₂
    pub decay_square: f64,
    /// δ
    pub delta: f64,
}

impl Moments {
    /// s⁺ = ρ₁·s + (1 − ρ₁)·g, r⁺ = ρ₂·r + (1 − ρ₂)·g⊙g, and `out` ← κ·θ + Δ with Δ = −ε·ŝ / (√r̂ + δ), ŝ = s⁺/(1 − ρ₁ᵗ),
    /// r̂ = r⁺/(1 − ρ₂ᵗ). κ = 0 gives the step, κ = 1 the next point. In parallel for large n.
    pub(crate) fn update(
        self,
        t: u64,
        rate: f64,
        keep: f64,
        (theta, gradient): (&[f64], &[f64]),
        (mean, square): (&mut [f64], &mut [f64]),
        out: &mut [f64],
    ) {
        let (rho1, rho2) = (self.decay_mean, self.decay_square);
        // 1 − ρᵗ; `powf` because t may exceed an i32.
        let (bias1, bias2) = (1.0 - rho1.powf(t as f64), 1.0 - rho2.powf(t as f64));
        // One division and one root an entry.
        let (rate, root) = (rate / bias1, bias2.sqrt().recip());
        let block = |(((s, r), (theta, g)), out): Block<'_>| {
            vectorize(
                #[inline(always)]
                || {
                    let inputs = theta.iter().zip(g);
                    let state = s.iter_mut().zip(r.iter_mut());
                    for (((s, r), (theta, g)), out) in state.zip(inputs).zip(out.iter_mut()) {
                        *s = rho1 * *s + (1.0 - rho1) * g;
                        *r = rho2 * *r + (1.0 - rho2) * g * g;
                        *out = keep * theta - rate * *s / (r.sqrt() * root + self.delta);
                    }
                },
            );
        };
        if out.len() >= PARALLEL {
            let state = mean.par_chunks_mut(BLOCK).zip(square.par_chunks_mut(BLOCK));
            let inputs = theta.par_chunks(BLOCK).zip(gradient.par_chunks(BLOCK));
            state.zip(inputs).zip(out.par_chunks_mut(BLOCK)).for_each(block);
        } else {
            block((((mean, square), (theta, gradient)), out));
        }
    }

    pub(crate) fn validate(self, solver: &'static str) -> Result<(), OptimError> {
        require_fraction(solver, "decay_mean", self.decay_mean)?;
        require_fraction(solver, "decay_square", self.decay_square)?;
        require_guard(solver, "delta", self.delta)
    }
}

/// A learning rate: positive and finite.
pub(crate) fn require_rate(solver: &'static str, rate: f64) -> Result<(), OptimError> {
    require(rate > 0.0 && rate.is_finite(), solver, "rate", rate, "(0, ∞)")
}

/// A decay or momentum: in [0, 1).
pub(crate) fn require_fraction(
    solver: &'static str,
    option: &'static str,
    value: f64,
) -> Result<(), OptimError> {
    require((0.0..1.0).contains(&value), solver, option, value, "[0, 1)")
}

/// A constant that keeps a division finite: positive and finite.
pub(crate) fn require_guard(
    solver: &'static str,
    option: &'static str,
    value: f64,
) -> Result<(), OptimError> {
    require(value > 0.0 && value.is_finite(), solver, option, value, "(0, ∞)")
}
