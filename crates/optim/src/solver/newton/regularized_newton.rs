//! Gradient-regularised Newton: minimise f(θ) with its exact second derivatives and no line search.
//!
//! Update: θ⁺ = θ + p,  (H + λI)·p = −∇f,  λ = √(M‖∇f‖), with H = ∇²f(θ) or the Gauss–Newton matrix and M for the Lipschitz
//! constant of H. On a convex f with such an M the values fall as fast as those of cubic regularisation, 1/k², by one linear
//! system per step; at the end λ vanishes and convergence is superlinear.
//! A trial is taken where f falls by ⅔λ‖p‖² and ‖∇f⁺‖ ≤ 2λ‖p‖, or where f falls and ‖∇f‖ is halved; else M is measured on it,
//! ‖∇f⁺ − ∇f − Hp‖/‖p‖², and the same H factorised again. M begins at 0, with Newton's step, and a step that is taken divides it by four.
//! Where H + λI is not positive definite it is shifted further, as [`Newton`](crate::solver::Newton) does.
//! Stop: [`Stopping`]. A saddle is not left.
//! Memory 2n². Cost per step: one Hessian; n³/3 and one evaluation of f with ∇f per trial.
//! Source: Mishchenko (2023), SIAM J. Optim. 33, algorithms 2.1 and 2.3 (AdaN) with the M of 2.4 (AdaN+).

use super::region::{MAX_TRIALS, NOISE, exhausted, free_promise, refusal};
use crate::error::OptimError;
use crate::linalg::cholesky::{NotFactored, ShiftedCholesky};
use crate::linalg::vector;
use crate::run::eval::{self, Moved};
use crate::run::fit_solver::FitSolver;
use crate::run::limits;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::HessianKind;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Curvature;
use serde::{Deserialize, Serialize};

/// What takes its place where its matrices do not fit.
const ALTERNATIVE: &str = "truncated Newton (`NewtonCg`) or L-BFGS";
/// A λ‖p‖² of this part of the slope leaves the step what it is.
const LIGHT: f64 = 0.1;
/// A factor whose step lowered f by what it promised, to within this factor, is believed at the point that it led to;
const TRUSTED: f64 = 2.0;
/// or one that brought ‖∇f‖ below this part.
const SOLVED: f64 = 0.01;
const NAME: &str = "regularised Newton";

/// f must fall by this · λ‖p‖².  Mishchenko (2023) algorithm 2.3.
pub const DECREASE: f64 = 2.0 / 3.0;
/// ‖∇f⁺‖ ≤ this · λ‖p‖.  Mishchenko (2023) algorithm 2.3.
pub const GRADIENT: f64 = 2.0;
/// f must fall by this part of ∇fᵀp where the gradient is what a step is taken for.  N&W §3.1: 10⁻⁴.
pub const ARMIJO: f64 = 1e-4;
/// A gradient that falls below this part makes up for λ.
pub const HALVED: f64 = 0.5;
/// A step is at least this part of the one that was not taken before it.  Dennis & Schnabel (1983) A6.3.1, as in the line searches.
pub const SHORTEST: f64 = 0.1;
/// M ← M/this after a step, and at least this · M after a trial that was not taken.  Mishchenko (2023) algorithm 2.3.
pub const ADAPT: f64 = 4.0;

/// Newton's method regularised by the square root of the gradient.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RegularizedNewton {
    /// Which matrix. Default exact.
    pub curvature: HessianKind,
    /// When to stop.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Workspace>,
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    factor: ShiftedCholesky,
    /// The diagonal of H.
    diagonal: Vec<f64>,
    /// M
    lipschitz: f64,
    /// p
    step: Vec<f64>,
    trial: Vec<f64>,
    gradient: Vec<f64>,
    /// (H + λI)p
    product: Vec<f64>,
    /// λ of the factor, where its step did what it promised: then it is believed at the point that it led to.
    trusted: Option<f64>,
    shifted: u32,
    rejected: u32,
}

impl RegularizedNewton {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
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

impl Workspace {
    fn new(n: usize) -> Self {
        let zeros = || vec![0.0; n];
        Self {
            factor: ShiftedCholesky::new(n),
            diagonal: zeros(),
            lipschitz: 0.0,
            step: zeros(),
            trial: zeros(),
            gradient: zeros(),
            product: zeros(),
            trusted: None,
            shifted: 0,
            rejected: 0,
        }
    }

    /// Trials from θ until one is taken; H is in the factor's matrix.
    fn advance<P: Curvature>(
        &mut self,
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<Moved, Reason> {
        let matrix = self.factor.matrix_mut();
        for (i, diagonal) in self.diagonal.iter_mut().enumerate() {
            *diagonal = matrix[(i, i)];
        }
        let size = vector::norm(&state.gradient);
        let noise = NOISE * f64::EPSILON * state.value.abs();
        let (mut finite_ahead, mut first_promise) = (false, None);
        for _ in 0..MAX_TRIALS {
            limits::check()?;
            let lambda = (self.lipschitz * size).sqrt();
            self.solve(state, lambda)?;
            let slope = vector::dot(&state.gradient, &self.step);
            vector::step(&state.theta, 1.0, &self.step, &mut self.trial);
            if slope.is_nan() || slope >= 0.0 || self.trial == state.theta {
                break;
            }
            if eval::confirm(stopping, state, self.promise(state, lambda)) {
                return Ok(Moved::Ended);
            }
            let promise = *first_promise.get_or_insert(-0.5 * slope);
            let value = eval::value_gradient(problem, &self.trial, &mut self.gradient);
            let finite = value.is_finite() && vector::all_finite(&self.gradient);
            finite_ahead |= finite;
            let after = vector::norm(&self.gradient);
            let length = vector::norm(&self.step);
            if finite {
                let mut gain = value - state.value;
                if gain.abs() <= noise {
                    // The values have no digits left here; the slopes at both ends still do.
                    gain = 0.5 * (slope + vector::dot(&self.gradient, &self.step));
                }
                let regular = gain <= -DECREASE * lambda * length * length
                    && after <= GRADIENT * lambda * length;
                let halved = gain <= ARMIJO * slope && after <= HALVED * size;
                if regular || halved {
                    if promise <= noise && after >= size {
                        return Err(refusal(state, promise, self.free_promise(state)));
                    }
                    let foretold = gain < -promise / TRUSTED && gain > -promise * TRUSTED;
                    state.accept(&mut self.trial, value, &mut self.gradient);
                    self.lipschitz /= ADAPT;
                    self.trusted = (foretold || after <= SOLVED * size).then_some(lambda);
                    return Ok(Moved::Yes);
                }
            }
            self.rejected += 1;
            self.learn(state, lambda, length, finite);
        }
        let free = self.free_promise(state);
        Err(exhausted(state, first_promise, free, finite_ahead))
    }

    /// The decrease that the model promises of `step`; NaN where λ cuts it short, which says nothing of what lies beyond.
    fn promise(&self, state: &FitState, lambda: f64) -> f64 {
        let slope = vector::dot(&state.gradient, &self.step);
        let cut = lambda * vector::dot(&self.step, &self.step) > -LIGHT * slope;
        if cut { f64::NAN } else { -0.5 * slope }
    }

    /// Ends the run without another Hessian where the one at hand is believed and promises nothing.
    fn confirm_early(&mut self, stopping: &Stopping, state: &mut FitState) {
        if let (Some(lambda), true) = (self.trusted, state.claim().is_some()) {
            vector::scale_into(-1.0, &state.gradient, &mut self.step);
            self.factor.solve(&mut self.step, &mut self.trial, &mut self.gradient);
            let promised = self.promise(state, lambda);
            if state.is_negligible(stopping, promised) {
                eval::confirm(stopping, state, promised);
            }
        }
    }

    /// What the model promises without λ.
    fn free_promise(&mut self, state: &FitState) -> f64 {
        let mut matrix = self.factor.matrix_mut();
        for (i, diagonal) in self.diagonal.iter().enumerate() {
            matrix[(i, i)] = *diagonal;
        }
        let work = (&mut self.product[..], &mut self.step[..]);
        free_promise(&state.gradient, work, |x, y| self.factor.multiply(x, y))
    }

    /// `step` ← −(H + λI + shift)⁻¹∇f
    fn solve(&mut self, state: &FitState, lambda: f64) -> Result<(), Reason> {
        let mut matrix = self.factor.matrix_mut();
        for (i, diagonal) in self.diagonal.iter().enumerate() {
            matrix[(i, i)] = diagonal + lambda;
        }
        self.factor.factor().map_err(|trouble| match trouble {
            NotFactored::NotFinite => Reason::NonFiniteCurvature,
            NotFactored::Zero => Reason::NoCurvature,
        })?;
        self.shifted += u32::from(self.factor.shift() > 0.0);
        vector::scale_into(-1.0, &state.gradient, &mut self.step);
        self.factor.solve(&mut self.step, &mut self.trial, &mut self.gradient);
        Ok(())
    }

    /// M after a trial that was not taken.
    fn learn(&mut self, state: &FitState, lambda: f64, length: f64, finite: bool) {
        self.factor.multiply(&self.step, &mut self.product);
        let mut measured = 0.0;
        if finite {
            let ends = self.gradient.iter().zip(&state.gradient);
            let model = self.product.iter().zip(&self.step);
            let unseen: f64 = ends
                .zip(model)
                .map(|((after, before), (product, p))| {
                    (after - before - (product - lambda * p)).powi(2)
                })
                .sum();
            measured = unseen.sqrt() / length / length;
        }
        // A step of length ℓ has λ ≤ ‖∇f‖/ℓ, which bounds M for the shortest step that may follow; after a trial that says nothing, it does.
        let size = vector::norm(&state.gradient);
        let most = size / (SHORTEST * length) / (SHORTEST * length);
        let least = (ADAPT * self.lipschitz).min(f64::MAX);
        let measured = if measured > 0.0 { measured.min(most) } else { most };
        self.lipschitz = measured.max(least);
    }
}

impl FitSolver for RegularizedNewton {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        Some(bytes(&[(2, n, n), (10, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Some(work) = &self.work else { return notes };
        if work.rejected > 0 {
            notes.push(format!("{} trial(s) rejected", work.rejected));
        }
        if work.shifted > 0 {
            notes.push(format!("Hessian shifted further {}×", work.shifted));
        }
        notes
    }
}

impl<P: Curvature> Solver<P, FitState> for RegularizedNewton {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let needs = self.memory(eval::dim(problem), 0);
        let needs = needs.map(|own| own.saturating_add(eval::dense_bytes(problem)));
        memory::preflight(NAME, needs, ALTERNATIVE, state.limit())?;
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        self.work = Some(Workspace::new(n));
        state.with_foresight();
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let matrix = work.factor.matrix_mut();
        match self.curvature {
            HessianKind::Exact => eval::hessian(problem, &state.theta, matrix),
            HessianKind::GaussNewton => eval::gauss_newton(problem, &state.theta, matrix),
        }
        match work.advance(&self.stopping, problem, &mut state) {
            Ok(Moved::Ended) => {}
            Ok(Moved::Yes) => {
                eval::finish(&self.stopping, problem, &mut state);
                work.confirm_early(&self.stopping, &mut state);
            }
            Err(reason) => state.stop(reason),
        }
        Ok((state, None))
    }
}
