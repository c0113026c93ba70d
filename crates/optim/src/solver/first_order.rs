//! The base of the first-order methods: θ⁺ = θ + Δ(∇f), one evaluation of f with ∇f per step, and no look at f.
//!
//! A method is an [`UpdateRule`]; the run around it (start, step, stop) is here, once. A step to a point where f or ∇f is
//! not finite is not taken: the run ends with [`Reason::NonFiniteValue`] and the best point.

use super::FitSolver;
use crate::error::{OptimError, require};
use crate::eval;
use crate::linalg::vector;
use crate::state::FitState;
use crate::stopping::{Reason, Stopping};
use argmin::core::{Error, KV, Problem};
use secant_core::problem::Objective;

/// How a first-order method turns gradients into steps.
pub(crate) trait UpdateRule {
    /// `step` ← Δ, from ∇f(θₜ); `t` = 1 for the first step.
    fn update(&mut self, t: u64, gradient: &[f64], step: &mut [f64]);
}

/// A solver that is its rule and nothing else; [`init`] and [`next_iter`] are its run.
pub(crate) trait RuleSolver: UpdateRule + FitSolver {
    /// The trial point's buffers.
    fn buffers_mut(&mut self) -> &mut Buffers;
    /// Sets the rule's memory to zero, for n parameters.
    fn reset(&mut self, n: usize);
}

/// `Solver::init` of a [`RuleSolver`].
pub(crate) fn init<P: Objective, S: RuleSolver>(
    solver: &mut S,
    problem: &mut Problem<P>,
    mut state: FitState,
) -> Result<(FitState, Option<KV>), Error> {
    solver.validate()?;
    let (buffers, n) = start(S::NAME, solver.stopping(), problem, &mut state)?;
    *solver.buffers_mut() = buffers;
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

/// Evaluates the start and lays out the buffers. Returns them with n.
pub(crate) fn start<P: Objective>(
    solver: &'static str,
    stopping: &Stopping,
    problem: &mut Problem<P>,
    state: &mut FitState,
) -> Result<(Buffers, usize), OptimError> {
    let n = eval::start(solver, stopping, problem, state)?;
    state.without_curvature();
    let buffers = Buffers { step: vec![0.0; n], theta: vec![0.0; n], gradient: vec![0.0; n] };
    Ok((buffers, n))
}

/// One step by the rule.
pub(crate) fn step<P: Objective>(
    rule: &mut impl UpdateRule,
    buffers: &mut Buffers,
    stopping: &Stopping,
    problem: &mut Problem<P>,
    state: &mut FitState,
) {
    rule.update(state.steps() + 1, &state.gradient, &mut buffers.step);
    vector::step(&state.theta, 1.0, &buffers.step, &mut buffers.theta);
    let value = eval::value_gradient(problem, &buffers.theta, &mut buffers.gradient);
    if value.is_finite() && vector::all_finite(&buffers.gradient) {
        state.accept(&mut buffers.theta, value, &mut buffers.gradient);
        eval::finish(stopping, problem, state);
    } else {
        state.stop(Reason::NonFiniteValue);
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
