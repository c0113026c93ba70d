//! Proximal Newton: minimise F(θ) = f(θ) + Σⱼ wⱼ|θⱼ| with exact second derivatives, for n to a thousand.
//!
//! Update: d ≈ argmin gᵀd + ½dᵀHd + Σⱼ wⱼ|θⱼ + dⱼ|, by coordinate descent, n per coordinate; as soon as a pass leaves the signs
//! as they were, by Newton's step on the parameters that are not zero, up to the first sign that it would change, so that the model is minimised
//! exactly once its signs are found. Then θ⁺ = θ + αd, α by backtracking on F. On a quadratic f, the lasso, one step is the
//! solution; near any regular minimum convergence is quadratic.
//! H is the Hessian or the Gauss–Newton matrix. Where it is not positive definite the step holds the zeros that want to stay zero: what
//! couples them (the weights into and out of a unit that L1 has switched off, whose own curvature is 0) asks for a shift that would freeze all
//! others. H of the rest is shifted by a multiple of its diagonal where it needs it, and by more where F does not keep what the model promises.
//! Stop: [`Stopping`] with the pseudo-gradient ⋄F in place of the gradient.
//! On a quadratic f that gives some rows and columns of H for less than all of it, a step goes to the minimum over a working set of k parameters that
//! grows by those whose slope is beyond their weight, and what the set has between its members is all of H that is formed: memory 4k² + 14n, at most what
//! is allowed.
//! Memory 5n², 2n² more where H is not positive definite. Cost per step: one Hessian, n³/3 and n²·(passes), k³/3 for k parameters that are not zero, one evaluation as a rule.
//! Source: Lee, Sun & Saunders (2014), SIAM J. Optim. 24; Yuan, Ho & Lin (2012), JMLR 13, for the descent;
//! Hsieh, Sustik, Dhillon & Ravikumar (2014), JMLR 15, §3.3, for the zeros that are held.

mod l1_model;
mod on_set;
mod quadratic;
mod working_set;

pub(crate) use quadratic::QuadraticL1;

use crate::error::OptimError;
use crate::linalg::cholesky::{MOST_RAISED, NotFactored, SHORT, ShiftedCholesky};
use crate::linalg::vector;
use crate::problem::l1::{self, L1};
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::limits;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::HessianKind;
use crate::solver::newton::region::VISIBLE;
use argmin::core::{Error, KV, Problem, Solver};
use l1_model::L1Model;
use on_set::OnSet;
use secant_core::problem::{Curvature, Form, Objective, Structure};
use serde::{Deserialize, Serialize};

/// F must fall by this part of what the model promises.  Lee, Sun & Saunders (2014) (2.22): below ½.
pub const DECREASE: f64 = 1e-4;
/// α shrinks by this.
pub const CONTRACTION: f64 = 0.5;
/// Most trials of a step.
pub const MAX_TRIALS: u32 = 60;
/// Most passes over the coordinates per step.
pub const MAX_PASSES: u32 = 1000;
/// ⋄ of the model falls to this part of ⋄F, or to the relative ⋄F where that is less, down to rounding.
pub const FORCING: f64 = 1e-3;
/// What the model's pseudo-gradient is solved to at most, relative to ⋄F.
const LEAST_FORCING: f64 = 1e-10;
/// Differences of F below this part of it are judged by slopes.
const NOISE: f64 = 64.0 * f64::EPSILON;
/// What takes its place where its matrices do not fit.
const ALTERNATIVE: &str = "OWL-QN";
const NAME: &str = "proximal Newton";

/// Newton's method for L1.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ProximalNewton {
    /// w. Default 0.
    pub l1: L1,
    /// Which matrix. Default exact.
    pub curvature: HessianKind,
    /// When to stop; gradients are those of F, ⋄F.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Workspace>,
}

/// Up to so many parameters all of H is formed, whatever f gives: it costs little beside a few evaluations.
const FEW: usize = 200;
/// Matrices of k × k, for k members of a working set: H of the set before and after it has grown, and the factor of it.
const SET_MATRICES: usize = 4;
/// Vectors of n beside them.
const SET_VECTORS: usize = 14;

/// Whether a working set takes the place of all of H.
fn has_blocks(structure: &Structure, n: usize) -> bool {
    let quadratic = structure.form == Form::Quadratic && !structure.kinks;
    quadratic && structure.hessian_blocks && n > FEW
}

/// Bytes of a working set of k parameters of n.
pub(crate) fn set_bytes(n: usize, k: usize) -> u64 {
    bytes(&[(SET_MATRICES, k, k), (SET_VECTORS, n, 1)])
}

/// Whether a problem of this form is minimised on a working set, and how many members it is expected to have.
pub(crate) fn expected_members(structure: &Structure, n: usize) -> Option<usize> {
    // As many as samples where nothing but the data has a curvature, and a part of them at strengths of use.
    let some = structure.samples.unwrap_or(n).min(n) / 4;
    has_blocks(structure, n).then_some(some.max(FEW).min(n))
}

/// Most members of a working set in the memory that is allowed.
fn most_members(n: usize, limit: Option<u64>) -> usize {
    if limit.is_none() && set_bytes(n, n) <= memory::UNASKED {
        return n;
    }
    let Some(allowed) = memory::allowed(limit) else { return n };
    let matrices = allowed.saturating_sub(set_bytes(n, 0)) / bytes(&[(SET_MATRICES, 1, 1)]);
    usize::try_from(matrices.isqrt()).map_or(n, |most| most.min(n))
}

/// The decrease of F that a coordinate at t with slope g (of ⋄F) is promised by its curvature h.
fn promise_along(w: f64, t: f64, g: f64, h: f64) -> f64 {
    if g == 0.0 {
        return 0.0;
    }
    let whole = 0.5 * g * (g / h.abs());
    // Beyond zero the slope is another.
    let stops = w > 0.0 && t * g > 0.0;
    if stops { whole.min(t * g) } else { whole }
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(private_interfaces, reason = "nobody outside looks into it")]
pub enum Workspace {
    Whole(Box<Whole>),
    OnSet(Box<OnSet>),
}

/// All of H, and its factor.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Whole {
    model: L1Model,
    factor: ShiftedCholesky,
    /// Of the parameters that are free, where zeros are held.
    part: Option<ShiftedCholesky>,
    /// ∇f(θ)
    smooth: Vec<f64>,
    trial: Vec<f64>,
    trial_smooth: Vec<f64>,
    trial_gradient: Vec<f64>,
    shifted: u32,
    raised: u32,
}

impl ProximalNewton {
    /// With these weights.
    pub fn new(l1: L1) -> Self {
        Self { l1, ..Self::default() }
    }

    /// Which matrix.
    pub fn with_curvature(mut self, curvature: HessianKind) -> Self {
        self.curvature = curvature;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }
}

impl Whole {
    fn new(weights: Vec<f64>, smooth: Vec<f64>) -> Self {
        let n = weights.len();
        let zeros = || vec![0.0; n];
        Self {
            model: L1Model::new(weights),
            factor: ShiftedCholesky::new(n),
            part: None,
            smooth,
            trial: zeros(),
            trial_smooth: zeros(),
            trial_gradient: zeros(),
            shifted: 0,
            raised: 0,
        }
    }

    /// Factorises H, which is in the factor's matrix, with what makes it positive definite; of the free parameters alone where all
    /// together would ask for more than rounding does.
    fn prepare(&mut self, state: &FitState) -> Result<(), Reason> {
        self.factor.factor().map_err(|trouble| match trouble {
            NotFactored::NotFinite => Reason::NonFiniteCurvature,
            NotFactored::Zero => Reason::NoCurvature,
        })?;
        self.model.release();
        let before = self.part.take();
        if self.factor.is_indefinite() && self.model.hold_zeros(state) < state.theta.len() {
            self.part = self.factor_free(before);
            if self.part.is_none() {
                self.model.release();
            }
        }
        self.shifted += u32::from(self.current().shift() > 0.0);
        Ok(())
    }

    /// The factor of H's free rows and columns, which begins with the shift that the one `before` needed; `None` where they are zero.
    fn factor_free(&mut self, before: Option<ShiftedCholesky>) -> Option<ShiftedCholesky> {
        let free = self.model.free();
        let mut part = ShiftedCholesky::new(free.len());
        if let Some(before) = before {
            part.begin_as(&before);
        }
        let whole = self.factor.matrix_mut();
        part.fill(free, |i, j| whole[(i, j)]);
        part.factor().is_ok().then_some(part)
    }

    /// The factor of what the model moves.
    fn current(&mut self) -> &mut ShiftedCholesky {
        self.part.as_mut().unwrap_or(&mut self.factor)
    }

    /// The decrease of F that its best single coordinate is promised by H, without a shift.
    fn free_promise(&mut self, state: &FitState) -> f64 {
        let matrix = self.factor.matrix_mut();
        let (theta, weights) = (&state.theta, &self.model.weights);
        let along = |(j, g): (usize, &f64)| promise_along(weights[j], theta[j], *g, matrix[(j, j)]);
        let best = state.gradient.iter().enumerate().map(along);
        best.fold(0.0, f64::max)
    }

    /// θ⁺ = θ + αd
    fn advance<P: Curvature>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), Reason> {
        self.prepare(state)?;
        loop {
            limits::check()?;
            let shift = self.current().shift_diagonal();
            self.model.lay_out(self.factor.matrix_mut().as_ref(), &shift);
            self.model.minimise(state, &self.smooth);
            match self.search(problem, state) {
                // The model promised what F does not keep: H says little so far out.
                Err(Reason::LineSearchFailed | Reason::NonFiniteValue)
                    if self.current().raise() =>
                {
                    self.raised += 1;
                }
                ended => return ended,
            }
        }
    }

    /// Backtracking towards `point`; where H is shifted not for ever, since a larger shift is the better cure.
    fn search<P: Objective>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), Reason> {
        // gᵀd + Σ w(|θ + d| − |θ|) ≤ −dᵀHd
        let moves = state
            .theta
            .iter()
            .zip(&self.model.point)
            .zip(self.smooth.iter().zip(&self.model.weights));
        let promise: f64 =
            moves.map(|((t, to), (g, w))| g * (to - t) + w * (to.abs() - t.abs())).sum();
        let noise = NOISE * state.value.abs();
        let free = self.free_promise(state);
        let at_floor = free <= VISIBLE * state.value.abs();
        let nothing = if at_floor { Reason::RoundingFloor } else { Reason::LineSearchFailed };
        if promise.is_nan() || promise >= 0.0 {
            return Err(nothing);
        }
        let shift = self.current().shift();
        let is_raisable = shift > 0.0 && shift < MOST_RAISED;
        let shortest = if is_raisable { SHORT } else { 0.0 };
        let (mut alpha, mut finite_ahead) = (1.0, false);
        for trial in 0..MAX_TRIALS {
            let ends = state.theta.iter().zip(&self.model.point);
            for (at, (t, to)) in self.trial.iter_mut().zip(ends) {
                *at = if trial == 0 { *to } else { f64::mul_add(alpha, to - t, *t) };
            }
            if self.trial == state.theta || alpha < shortest {
                break;
            }
            let smooth = eval::value_gradient(problem, &self.trial, &mut self.trial_smooth);
            let value = smooth + l1::value(&self.model.weights, &self.trial);
            let (weights, at) = (&self.model.weights, &self.trial);
            l1::pseudo_gradient(weights, at, &self.trial_smooth, &mut self.trial_gradient);
            let finite = value.is_finite() && vector::all_finite(&self.trial_smooth);
            finite_ahead |= finite;
            if finite {
                let gain = value - state.value;
                let falls = vector::norm_inf(&self.trial_gradient) < state.gradient_norm;
                // Where the values have no digits left, ⋄F says whether the step was one.
                let unseen = gain.abs() <= noise && -promise <= noise;
                if unseen && !falls {
                    return Err(nothing);
                }
                if unseen || gain <= DECREASE * alpha * promise {
                    // On a quadratic F the gain is half of the promise, and more with a shift.
                    let kept = alpha * (2.0 * gain / (alpha * promise)).clamp(DECREASE, 1.0);
                    if !unseen {
                        self.current().learn(kept);
                    }
                    state.promising(!at_floor);
                    state.accept(&mut self.trial, value, &mut self.trial_gradient);
                    std::mem::swap(&mut self.smooth, &mut self.trial_smooth);
                    return Ok(());
                }
            }
            alpha *= CONTRACTION;
        }
        Err(match nothing {
            Reason::RoundingFloor if -promise <= noise => Reason::RoundingFloor,
            _ if finite_ahead => Reason::LineSearchFailed,
            _ => Reason::NonFiniteValue,
        })
    }
}

impl FitSolver for ProximalNewton {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        Some(bytes(&[(3, n, n), (10, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        self.l1.validate(NAME, None)?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Some(Workspace::Whole(work)) = &self.work else { return notes };
        if work.shifted > 0 {
            notes.push(format!("Hessian shifted {}×", work.shifted));
        }
        if work.raised > 0 {
            notes.push(format!("shift raised {}× after a step that F refused", work.raised));
        }
        notes
    }
}

impl<P: Curvature> Solver<P, FitState> for ProximalNewton {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let n = eval::dim(problem);
        let structure = eval::structure(problem);
        let on_set = has_blocks(&structure, n);
        let needs = if on_set {
            Some(set_bytes(n, FEW))
        } else {
            let own = self.memory(n, 0);
            own.map(|own| own.saturating_add(eval::dense_bytes(problem)))
        };
        memory::preflight(NAME, needs, ALTERNATIVE, state.limit())?;
        self.l1.validate(NAME, Some(n))?;
        let weights = self.l1.weights(n);
        let mut smooth = vec![0.0; n];
        eval::start_with(NAME, &self.stopping, problem, &mut state, |problem, theta, gradient| {
            let value = eval::value_gradient(problem, theta, &mut smooth);
            l1::pseudo_gradient(&weights, theta, &smooth, gradient);
            value + l1::value(&weights, theta)
        })?;
        self.work = Some(if on_set {
            let most = most_members(n, state.limit());
            Workspace::OnSet(Box::new(OnSet::new(weights, smooth, most)))
        } else {
            Workspace::Whole(Box::new(Whole::new(weights, smooth)))
        });
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let moved = match work {
            Workspace::OnSet(work) => work.advance(problem, &mut state),
            Workspace::Whole(work) => {
                let matrix = work.factor.matrix_mut();
                match self.curvature {
                    HessianKind::Exact => eval::hessian(problem, &state.theta, matrix),
                    HessianKind::GaussNewton => eval::gauss_newton(problem, &state.theta, matrix),
                }
                work.advance(problem, &mut state)
            }
        };
        match moved {
            Ok(()) => eval::finish(&self.stopping, problem, &mut state),
            Err(reason) => state.stop(reason),
        }
        Ok((state, None))
    }
}
