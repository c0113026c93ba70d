//! Counted evaluations: every question a solver asks of a problem goes through here.

use super::evaluations::{
    Evaluations, GAUSS_NEWTON, GAUSS_NEWTON_VECTOR, HESSIAN, HESSIAN_VECTOR, JACOBIAN,
    JACOBIAN_TRANSPOSE_VECTOR, JACOBIAN_VECTOR, LINEARIZE, NORMAL_DIAGONAL, NORMAL_EQUATIONS,
    RESIDUALS, SAMPLED_GRADIENT, VALUE, VALUE_GRADIENT,
};
use super::limits;
use super::memory;
use super::state::FitState;
use super::stopping::{Reason, Stopping};
use crate::error::OptimError;
use crate::linalg::vector;
use crate::problem::bounds::Bounds;
use argmin::core::Problem;
use faer::MatMut;
use secant_core::problem::{
    Arrow, Curvature, LeastSquares, Objective, SampledObjective, Structure,
};
use std::collections::HashMap;

fn count<P>(problem: &mut Problem<P>, key: &'static str) {
    *problem.counts.entry(key).or_insert(0) += 1;
}

fn inner<P>(problem: &Problem<P>) -> &P {
    problem.problem.as_ref().expect("argmin's Executor holds the problem for the whole run")
}

/// f(θ), with ∇f(θ) in `gradient`; counted.
pub(crate) fn value_gradient<P: Objective>(
    problem: &mut Problem<P>,
    theta: &[f64],
    gradient: &mut [f64],
) -> f64 {
    if refuse(gradient) {
        return f64::NAN;
    }
    count(problem, VALUE_GRADIENT);
    inner(problem).value_gradient(theta, gradient)
}

/// As [`value_gradient`], in a box.
pub(crate) fn value_gradient_within<P: Objective>(
    problem: &mut Problem<P>,
    theta: &[f64],
    bounds: &Bounds,
    gradient: &mut [f64],
) -> f64 {
    if refuse(gradient) {
        return f64::NAN;
    }
    count(problem, VALUE_GRADIENT);
    inner(problem).value_gradient_within(theta, bounds.as_box(), gradient)
}

/// The mean over the samples `indices` at θ in step `draw`, with its gradient in `gradient`; counted apart.
pub(crate) fn sampled_gradient<P: SampledObjective>(
    problem: &mut Problem<P>,
    draw: u64,
    indices: &[usize],
    theta: &[f64],
    gradient: &mut [f64],
) -> f64 {
    count(problem, SAMPLED_GRADIENT);
    inner(problem).value_gradient_drawn(draw, indices, theta, gradient)
}

/// `out` ← ∇²f(θ); counted as a linearisation and a Hessian, also where f needs no linearisation for it.
pub(crate) fn hessian<P: Curvature>(problem: &mut Problem<P>, theta: &[f64], out: MatMut<'_, f64>) {
    matrix(problem, HESSIAN, out, |problem, out| problem.hessian_at(theta, out));
}

/// `out` ← these rows and columns of ∇²f(θ); counted as a linearisation and a Hessian.
pub(crate) fn hessian_block<P: Curvature>(
    problem: &mut Problem<P>,
    theta: &[f64],
    rows: &[usize],
    columns: &[usize],
    out: MatMut<'_, f64>,
) {
    matrix(problem, HESSIAN, out, |problem, out| {
        problem.hessian_block_at(theta, rows, columns, out);
    });
}

/// `out` ← a matrix that `form` writes, counted as a linearisation and one of its kind; NaN where the run is over before or after it.
fn matrix<P>(
    problem: &mut Problem<P>,
    kind: &'static str,
    mut out: MatMut<'_, f64>,
    form: impl FnOnce(&P, MatMut<'_, f64>),
) {
    if refuse_matrix(&mut out) {
        return;
    }
    count(problem, LINEARIZE);
    count(problem, kind);
    form(inner(problem), out.as_mut());
    refuse_matrix(&mut out);
}

/// Whether the run is over: the answer is NaN then, without an evaluation.
pub(crate) fn refuse(out: &mut [f64]) -> bool {
    let over = limits::over().is_some();
    if over {
        out.fill(f64::NAN);
    }
    over
}

/// Whether the run is over: the matrix is NaN then, so that nobody factorises it.
pub(crate) fn refuse_matrix(out: &mut MatMut<'_, f64>) -> bool {
    let over = limits::over().is_some();
    if over {
        out.fill(f64::NAN);
    }
    over
}

/// `out` ← G(θ); counted as a linearisation and a Gauss–Newton matrix.
pub(crate) fn gauss_newton<P: Curvature>(
    problem: &mut Problem<P>,
    theta: &[f64],
    out: MatMut<'_, f64>,
) {
    matrix(problem, GAUSS_NEWTON, out, |problem, out| problem.gauss_newton_at(theta, out));
}

/// The counters apart from the problem: a linearisation can live while values are counted.
pub(crate) struct Counts<'a>(&'a mut HashMap<&'static str, u64>);

/// The problem and its counters.
pub(crate) fn split<P>(problem: &mut Problem<P>) -> (&P, Counts<'_>) {
    let Problem { problem, counts } = problem;
    (
        problem.as_ref().expect("argmin's Executor holds the problem for the whole run"),
        Counts(counts),
    )
}

impl Counts<'_> {
    fn add(&mut self, key: &'static str, more: u64) {
        if more > 0 {
            *self.0.entry(key).or_insert(0) += more;
        }
    }

    /// f(θ); counted.
    pub(crate) fn value<P: Objective>(&mut self, problem: &P, theta: &[f64]) -> f64 {
        if limits::over().is_some() {
            return f64::NAN;
        }
        self.add(VALUE, 1);
        problem.value(theta)
    }

    /// f(θ), with ∇f(θ) in `gradient`; counted.
    pub(crate) fn value_gradient<P: Objective>(
        &mut self,
        problem: &P,
        theta: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        if refuse(gradient) {
            return f64::NAN;
        }
        self.add(VALUE_GRADIENT, 1);
        problem.value_gradient(theta, gradient)
    }

    /// As [`value_gradient`](Self::value_gradient), in a box.
    pub(crate) fn value_gradient_within<P: Objective>(
        &mut self,
        problem: &P,
        theta: &[f64],
        bounds: &Bounds,
        gradient: &mut [f64],
    ) -> f64 {
        if refuse(gradient) {
            return f64::NAN;
        }
        self.add(VALUE_GRADIENT, 1);
        problem.value_gradient_within(theta, bounds.as_box(), gradient)
    }

    /// The linearisation at θ; counted. Its products are to be counted by [`products`](Self::products).
    pub(crate) fn linearize<'p, P: Curvature>(
        &mut self,
        problem: &'p P,
        theta: &[f64],
    ) -> P::At<'p> {
        self.add(LINEARIZE, 1);
        problem.linearize(theta)
    }

    /// As [`linearize`](Self::linearize), in a box.
    pub(crate) fn linearize_within<'p, P: Curvature>(
        &mut self,
        problem: &'p P,
        theta: &[f64],
        bounds: &Bounds,
    ) -> P::At<'p> {
        self.add(LINEARIZE, 1);
        problem.linearize_within(theta, bounds.as_box())
    }

    /// Counts dense Hessians and Gauss–Newton matrices, and products with either.
    pub(crate) fn products(&mut self, made: Evaluations) {
        self.add(HESSIAN, made.hessian);
        self.add(GAUSS_NEWTON, made.gauss_newton);
        self.add(HESSIAN_VECTOR, made.hessian_vector);
        self.add(GAUSS_NEWTON_VECTOR, made.gauss_newton_vector);
    }
}

/// n
pub(crate) fn dim<P: Objective>(problem: &Problem<P>) -> usize {
    inner(problem).dim()
}

/// What is known of it.
pub(crate) fn structure<P: Curvature>(problem: &Problem<P>) -> Structure {
    inner(problem).structure()
}

/// Bytes that it takes to form a dense matrix and to factorise it, beside the matrix.
pub(crate) fn dense_bytes<P: Curvature>(problem: &Problem<P>) -> u64 {
    let problem = inner(problem);
    problem.structure().dense_bytes.saturating_add(memory::packed(problem.dim()))
}

/// (m, n) of a least-squares problem.
pub(crate) fn shape<P: LeastSquares>(
    solver: &'static str,
    problem: &Problem<P>,
) -> Result<(usize, usize), OptimError> {
    let problem = inner(problem);
    check(solver, problem)?;
    let (m, n) = (problem.residual_len(), problem.dim());
    if let Some(fault) = problem.arrow().and_then(|arrow| arrow.fault(m, n)) {
        return Err(OptimError::Problem { solver, fault });
    }
    Ok((m, n))
}

/// The arrow that J is, where the problem says so.
pub(crate) fn arrow<P: LeastSquares>(problem: &Problem<P>) -> Option<&Arrow> {
    inner(problem).arrow()
}

/// Refuses a problem that says itself that there is nothing to minimise.
fn check<P: Objective>(solver: &'static str, problem: &P) -> Result<(), OptimError> {
    problem.fault().map_or(Ok(()), |fault| Err(OptimError::Problem { solver, fault }))
}

/// `out` ← r(θ); returns ½‖r‖². Counted.
pub(crate) fn residuals<P: LeastSquares>(
    problem: &mut Problem<P>,
    theta: &[f64],
    out: &mut [f64],
) -> f64 {
    if refuse(out) {
        return f64::NAN;
    }
    count(problem, RESIDUALS);
    inner(problem).residuals(theta, out)
}

/// `residuals` ← r(θ), `jacobian` ← J(θ); returns ½‖r‖². Counted.
pub(crate) fn jacobian<P: LeastSquares>(
    problem: &mut Problem<P>,
    theta: &[f64],
    residuals: &mut [f64],
    mut jacobian: MatMut<'_, f64>,
) -> f64 {
    if refuse_matrix(&mut jacobian) {
        residuals.fill(f64::NAN);
        return f64::NAN;
    }
    count(problem, JACOBIAN);
    inner(problem).jacobian(theta, residuals, jacobian)
}

/// `residuals` ← r(θ), `entries` ← the blocks of J(θ), an arrow; returns ½‖r‖². Counted as a Jacobian.
pub(crate) fn arrow_jacobian<P: LeastSquares>(
    problem: &mut Problem<P>,
    theta: &[f64],
    bounds: Option<&Bounds>,
    residuals: &mut [f64],
    entries: &mut [f64],
) -> f64 {
    if refuse(entries) {
        residuals.fill(f64::NAN);
        return f64::NAN;
    }
    count(problem, JACOBIAN);
    inner(problem).arrow_jacobian(theta, bounds.map(Bounds::as_box), residuals, entries)
}

/// `normal` ← JᵀJ, `gradient` ← Jᵀr; returns ½‖r‖². Counted.
pub(crate) fn normal_equations<P: LeastSquares>(
    problem: &mut Problem<P>,
    theta: &[f64],
    mut normal: MatMut<'_, f64>,
    gradient: &mut [f64],
) -> f64 {
    if refuse_matrix(&mut normal) {
        gradient.fill(f64::NAN);
        return f64::NAN;
    }
    count(problem, NORMAL_EQUATIONS);
    inner(problem).normal_equations(theta, normal, gradient)
}

/// As [`normal_equations`], in a box.
pub(crate) fn normal_equations_within<P: LeastSquares>(
    problem: &mut Problem<P>,
    theta: &[f64],
    bounds: &Bounds,
    mut normal: MatMut<'_, f64>,
    gradient: &mut [f64],
) -> f64 {
    if refuse_matrix(&mut normal) {
        gradient.fill(f64::NAN);
        return f64::NAN;
    }
    count(problem, NORMAL_EQUATIONS);
    inner(problem).normal_equations_within(theta, bounds.as_box(), normal, gradient)
}

/// `out` ← the diagonal of JᵀJ at θ; counted.
pub(crate) fn normal_diagonal<P: LeastSquares>(
    problem: &mut Problem<P>,
    theta: &[f64],
    out: &mut [f64],
) {
    if refuse(out) {
        return;
    }
    count(problem, NORMAL_DIAGONAL);
    inner(problem).normal_diagonal(theta, out);
}

/// `out` ← ∇²f(θ) of a least-squares problem; counted as a linearisation and a Hessian. False where it has none.
pub(crate) fn residual_hessian<P: LeastSquares>(
    problem: &mut Problem<P>,
    theta: &[f64],
    mut out: MatMut<'_, f64>,
) -> bool {
    if refuse_matrix(&mut out) {
        return true;
    }
    let (problem, mut counts) = split(problem);
    let Some(at) = problem.linearization(theta) else { return false };
    counts.add(LINEARIZE, 1);
    counts.add(HESSIAN, 1);
    at.hessian(out);
    true
}

/// Whether [`residual_hessian`] has an answer; one linearisation, counted.
pub(crate) fn has_residual_hessian<P: LeastSquares>(
    problem: &mut Problem<P>,
    theta: &[f64],
) -> bool {
    let (problem, mut counts) = split(problem);
    counts.add(LINEARIZE, 1);
    problem.linearization(theta).is_some()
}

/// `out` ← J(θ)·v; counted.
pub(crate) fn jacobian_vector<P: LeastSquares>(
    problem: &mut Problem<P>,
    theta: &[f64],
    v: &[f64],
    out: &mut [f64],
) {
    if refuse(out) {
        return;
    }
    count(problem, JACOBIAN_VECTOR);
    inner(problem).jacobian_vector(theta, v, out);
}

/// `out` ← J(θ)ᵀ·u; counted.
pub(crate) fn jacobian_transpose_vector<P: LeastSquares>(
    problem: &mut Problem<P>,
    theta: &[f64],
    u: &[f64],
    out: &mut [f64],
) {
    if refuse(out) {
        return;
    }
    count(problem, JACOBIAN_TRANSPOSE_VECTOR);
    inner(problem).jacobian_transpose_vector(theta, u, out);
}

/// Checks the start, evaluates f and ∇f there, and applies the stopping tests to it. Returns n.
pub(crate) fn start<P: Objective>(
    solver: &'static str,
    stopping: &Stopping,
    problem: &mut Problem<P>,
    state: &mut FitState,
) -> Result<usize, OptimError> {
    start_with(solver, stopping, problem, state, value_gradient)
}

/// As [`start`], with another way to f and ∇f.
pub(crate) fn start_with<P: Objective>(
    solver: &'static str,
    stopping: &Stopping,
    problem: &mut Problem<P>,
    state: &mut FitState,
    evaluate: impl FnOnce(&mut Problem<P>, &[f64], &mut [f64]) -> f64,
) -> Result<usize, OptimError> {
    stopping.validate(solver)?;
    check(solver, inner(problem))?;
    let n = inner(problem).dim();
    state.begin(n, stopping)?;
    let value = limits::exempt(|| evaluate(problem, &state.theta, &mut state.gradient));
    state.begin_at(value);
    if value.is_finite() && vector::all_finite(&state.gradient) {
        finish(stopping, problem, state);
        // A run without iterations needs none of what the method prepares.
        state.end_by_limit();
    } else {
        state.stop(Reason::NonFiniteStart);
    }
    Ok(n)
}

/// What an iteration of a method with a model came to.
pub(crate) enum Moved {
    /// A step was taken, which [`finish`] is to judge.
    Yes,
    /// The model confirmed the end where the run stands.
    Ended,
}

/// Ends an iteration (or the start): records the trace and applies the stopping tests. Of a method with a model the end of the gradient and the
/// floor are claims that [`confirm`] decides. A limit ends the run only after what the method still does in the iteration: so a run that is
/// taken up with higher ones is the one that never met it.
pub(crate) fn finish<P>(stopping: &Stopping, problem: &Problem<P>, state: &mut FitState) {
    let work = state.work(problem);
    state.record(work);
    let progress = state.progress(work.of_f());
    state.stop_after(stopping.used_up(&progress));
    match stopping.claim(&progress) {
        Some(claim) if !is_claimed(claim, stopping, state) => {
            state.stop(claim);
        }
        // What the iteration has still to do is not done.
        _ if limits::interrupted() => state.stop(Reason::Interrupted),
        Some(claim) => *state.claim() = Some(claim),
        None => {}
    }
}

/// Whether the method's model is to confirm this end.
fn is_claimed(claim: Reason, stopping: &Stopping, state: &FitState) -> bool {
    state.foresees() && stopping.is_to_be_confirmed(claim, state.gradient_norm())
}

/// Decides a claim by the decrease that the model at the current point promises of its best step, NaN where it does not know: it ends the
/// run where that is nothing, ends it as [`Reason::Stalled`] at a floor that is none, and lets the method go on otherwise. Whether the run has
/// ended.
pub(crate) fn confirm(stopping: &Stopping, state: &mut FitState, decrease: f64) -> bool {
    let Some(claim) = state.claim().take() else { return false };
    if state.is_negligible(stopping, decrease) {
        state.stop(claim);
    } else if claim == Reason::RoundingFloor {
        state.stop(Reason::Stalled);
    }
    state.reason().is_some()
}

/// [`finish`] for a method that is not monotone: where the point that met a test is not the best one, which is returned, the run
/// has stalled.
pub(crate) fn finish_wandering<P>(stopping: &Stopping, problem: &Problem<P>, state: &mut FitState) {
    finish(stopping, problem, state);
    settle_on_best(stopping, state);
}

/// The second half of [`finish_wandering`].
pub(crate) fn settle_on_best(stopping: &Stopping, state: &mut FitState) {
    if state.ended_off_best(stopping) {
        state.resume();
        state.stop(Reason::Stalled);
    }
}
