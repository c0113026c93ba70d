//! Bounded Levenberg–Marquardt: minimise f(θ) = ½‖r(θ)‖² in a box l ≤ θ ≤ u.
//!
//! Update: θ⁺ = θ + p, p the minimum of ½‖r + Jp‖² + ½μ‖Dp‖² over the steps that stay in the box. Taken where ρ = actual/predicted
//! decrease exceeds η; then μ ← μ·max(⅓, 1 − (2ρ − 1)³), else μ ← μν, ν ← 2ν. Every trial is in the box, to the bit.
//! Stop: [`Stopping`] with the gradient without the entries that the bounds block. A start outside is moved to the box.
//! Memory 4n². Cost per step: JᵀJ, and a few n³/3 and residuals per trial. Accurate to the squared condition of J. Where J is an
//! [arrow](LeastSquares::arrow): QR of its groups, of cost and memory as [`LevenbergMarquardt`](crate::LevenbergMarquardt)'s, and p with the
//! parameters that would leave the box held at their bounds.
//! Source: Kanzow, Yamashita & Fukushima (2004), J. Comput. Appl. Math. 172, algorithm 2.3 (constrained steps); Nielsen (1999) for μ; Moré (1978) for D.

mod quadratic;

use crate::error::{OptimError, require};
use crate::linalg::vector;
use crate::problem::bounds::{Bounds, clamp};
use crate::run::eval::{self, Moved};
use crate::run::fit_solver::FitSolver;
use crate::run::limits;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::newton::region::{MAX_TRIALS, NOISE, exhausted, free_promise, refusal};
use argmin::core::{Error, KV, Problem, Solver};
use quadratic::{From, Quadratic};
use secant_core::problem::LeastSquares;
use serde::{Deserialize, Serialize};

/// First damping, relative to D².  Nielsen (1999).
pub const INITIAL_DAMPING: f64 = 1e-3;
/// η.  Moré (1978) §7: 1e-4.
pub const ACCEPT: f64 = 1e-4;
/// μ falls at most by this factor.  Nielsen (1999).
pub const FASTEST_FALL: f64 = 1.0 / 3.0;
/// A damping up to this leaves the promise of a step what it is.
const LIGHT: f64 = 0.1;
/// ‖∇f‖∞ must fall by this factor.
pub const GRADIENT_TOLERANCE: f64 = 1e-12;
/// What takes its place where its matrices do not fit.
const ALTERNATIVE: &str = "L-BFGS-B or TRON";
const NAME: &str = "bounded Levenberg–Marquardt";

/// Levenberg–Marquardt in a box.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BoundedLevenbergMarquardt {
    /// l and u. Default none.
    pub bounds: Bounds,
    /// μ₀, relative to D². Range (0, ∞). Default [`INITIAL_DAMPING`].
    pub initial_damping: f64,
    /// When to stop; gradients are those that the bounds leave. A gradient tolerance left at the default of
    /// [`Stopping`] is [`GRADIENT_TOLERANCE`] here.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Workspace>,
}

impl Default for BoundedLevenbergMarquardt {
    fn default() -> Self {
        Self {
            bounds: Bounds::default(),
            initial_damping: INITIAL_DAMPING,
            stopping: Stopping { gradient_tolerance: GRADIENT_TOLERANCE, ..Stopping::default() },
            work: None,
        }
    }
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    bounds: Bounds,
    model: Quadratic,
    /// Jᵀr, without the bounds.
    smooth: Vec<f64>,
    /// r
    residuals: Vec<f64>,
    trial_residuals: Vec<f64>,
    /// D²: the largest squared norms of the columns of J so far.
    scale: Vec<f64>,
    damping: f64,
    growth: f64,
    /// l − θ and u − θ
    lower: Vec<f64>,
    upper: Vec<f64>,
    trial: Vec<f64>,
    step: Vec<f64>,
    gradient: Vec<f64>,
    rejected: u32,
}

impl BoundedLevenbergMarquardt {
    /// In this box.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// μ₀, relative to D².
    pub fn with_initial_damping(mut self, damping: f64) -> Self {
        self.initial_damping = damping;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }
}

impl Workspace {
    fn linearize<P: LeastSquares>(&mut self, problem: &mut Problem<P>, theta: &[f64]) -> f64 {
        let value = self.model.evaluate(problem, theta, &self.bounds, &mut self.smooth);
        self.model.grow(&mut self.scale);
        value
    }

    /// `trial` ← θ + p with the damped step in the box; returns what the model promises, NaN where J has overflowed.
    fn propose(&mut self, theta: &[f64]) -> f64 {
        let n = theta.len();
        for (j, theta) in theta.iter().enumerate() {
            self.lower[j] = self.bounds.lower()[j] - theta;
            self.upper[j] = self.bounds.upper()[j] - theta;
        }
        let from = From {
            theta,
            residuals: &self.residuals,
            gradient: &self.smooth,
            damping: self.damping,
            scale: &self.scale,
            bounds: &self.bounds,
            lower: &self.lower,
            upper: &self.upper,
        };
        self.model.step(&from, &mut self.step, &mut self.gradient);
        for j in 0..n {
            // To the bit, whatever the difference rounded to.
            self.trial[j] = if self.step[j] <= self.lower[j] {
                self.bounds.lower()[j]
            } else if self.step[j] >= self.upper[j] {
                self.bounds.upper()[j]
            } else {
                clamp(theta[j] + self.step[j], self.bounds.lower()[j], self.bounds.upper()[j])
            };
        }
        vector::subtract(&self.trial, theta, &mut self.step);
        let square = self.model.square(&self.step);
        -(vector::dot(&self.smooth, &self.step) + 0.5 * square)
    }

    /// What the model promises without its damping.
    fn free_promise(&mut self, gradient: &[f64]) -> f64 {
        let (model, work) = (&mut self.model, (&mut self.step[..], &mut self.gradient[..]));
        free_promise(gradient, work, |x, y| model.multiply(x, y))
    }

    fn advance<P: LeastSquares>(
        &mut self,
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<Moved, Reason> {
        let noise = NOISE * f64::EPSILON * state.value.abs();
        let (mut finite_ahead, mut first_promise) = (false, None);
        for _ in 0..MAX_TRIALS {
            limits::check()?;
            let promised = self.propose(&state.theta);
            if self.trial == state.theta {
                break;
            }
            // A step that is damped much says nothing of what an undamped one would do.
            let left = if self.damping <= LIGHT { promised } else { f64::NAN };
            if eval::confirm(stopping, state, left) {
                return Ok(Moved::Ended);
            }
            if promised > 0.0 {
                let first = *first_promise.get_or_insert(promised);
                let value = eval::residuals(problem, &self.trial, &mut self.trial_residuals);
                finite_ahead |= value.is_finite();
                // ½(r − r⁺)ᵀ(r + r⁺): exact where the difference of two rounded sums would not be.
                let pairs = self.residuals.iter().zip(&self.trial_residuals);
                let reduction = 0.5 * pairs.map(|(r, next)| (r - next) * (r + next)).sum::<f64>();
                let rho = reduction / promised;
                // Below the resolution of f the model is believed, and the gradient asked.
                let unseen = promised <= noise && reduction.abs() <= noise;
                if value.is_finite() && (rho >= ACCEPT || unseen) {
                    let kept = (self.model.entries().to_vec(), self.smooth.clone());
                    let theta = std::mem::take(&mut self.trial);
                    self.linearize(problem, &theta);
                    self.trial = theta;
                    self.bounds.reduced_gradient(&self.trial, &self.smooth, &mut self.gradient);
                    let finite = vector::all_finite(self.model.entries())
                        && vector::all_finite(&self.smooth);
                    let falls = vector::norm_inf(&self.gradient) < state.gradient_norm;
                    if finite && (falls || !unseen) {
                        std::mem::swap(&mut self.residuals, &mut self.trial_residuals);
                        state.accept(&mut self.trial, value, &mut self.gradient);
                        if unseen {
                            state.prefer();
                        }
                        let cube = (2.0 * rho.clamp(0.0, 1.0) - 1.0).powi(3);
                        self.damping = (self.damping * (1.0 - cube).max(FASTEST_FALL))
                            .max(f64::EPSILON * f64::EPSILON);
                        self.growth = 2.0;
                        return Ok(Moved::Yes);
                    }
                    self.model.put_back(kept.0);
                    self.smooth = kept.1;
                    if finite {
                        let free = self.free_promise(&state.gradient);
                        return Err(refusal(state, first, free));
                    }
                }
            }
            self.damping *= self.growth;
            self.growth *= 2.0;
            self.rejected += 1;
        }
        let free = self.free_promise(&state.gradient);
        let reason = exhausted(state, first_promise, free, finite_ahead);
        let floor = !reason.is_success() && self.is_at_resolution(&state.theta);
        Err(if floor { Reason::RoundingFloor } else { reason })
    }

    /// Whether the undamped step in the box is rounding in every entry of θ.
    fn is_at_resolution(&mut self, theta: &[f64]) -> bool {
        let damping = std::mem::replace(&mut self.damping, f64::EPSILON * f64::EPSILON);
        let promised = self.propose(theta);
        self.damping = damping;
        promised.is_finite() && vector::is_rounding(&self.step, theta)
    }
}

impl FitSolver for BoundedLevenbergMarquardt {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn bounds(&self) -> Option<&Bounds> {
        Some(&self.bounds)
    }
    fn memory(&self, n: usize, m: usize) -> Option<u64> {
        Some(bytes(&[(4, n, n), (11, n, 1), (2, m, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        let damping = self.initial_damping;
        let allowed = damping > 0.0 && damping.is_finite();
        require(allowed, NAME, "initial_damping", damping, "(0, ∞)")?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let rejected = self.work.as_ref().map_or(0, |work| work.rejected);
        if rejected > 0 { vec![format!("{rejected} trial(s) rejected")] } else { Vec::new() }
    }
}

impl<P: LeastSquares> Solver<P, FitState> for BoundedLevenbergMarquardt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let (m, n) = eval::shape(NAME, problem)?;
        let arrow = eval::arrow(problem);
        let needs = match arrow {
            Some(arrow) => Some(Quadratic::bytes(arrow, m, n)),
            None => self.memory(n, m).map(|own| own.saturating_add(memory::packed(n))),
        };
        memory::preflight(NAME, needs, ALTERNATIVE, state.limit())?;
        let bounds = self.bounds.of(n)?;
        bounds.project(&mut state.theta);
        let zeros = || vec![0.0; n];
        let mut work = Workspace {
            bounds,
            model: Quadratic::new(arrow, m, n),
            smooth: zeros(),
            residuals: vec![0.0; m],
            trial_residuals: vec![0.0; m],
            scale: zeros(),
            damping: self.initial_damping,
            growth: 2.0,
            lower: zeros(),
            upper: zeros(),
            trial: zeros(),
            step: zeros(),
            gradient: zeros(),
            rejected: 0,
        };
        eval::start_with(NAME, &self.stopping, problem, &mut state, |problem, theta, gradient| {
            let value = eval::residuals(problem, theta, &mut work.residuals);
            work.linearize(problem, theta);
            work.bounds.reduced_gradient(theta, &work.smooth, gradient);
            value
        })?;
        // No minimum that a derivative has shown.
        let blind = state.value > 0.0 && work.scale.iter().all(|scale| *scale == 0.0);
        if blind && state.reason == Some(Reason::GradientConverged) {
            state.resume();
            state.stop(Reason::NoCurvature);
        }
        self.work = Some(work);
        state.with_foresight();
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let stopping = self.stopping.or_own(GRADIENT_TOLERANCE);
        match work.advance(&stopping, problem, &mut state) {
            Ok(Moved::Ended) => {}
            Ok(Moved::Yes) => eval::finish(&stopping, problem, &mut state),
            Err(reason) => state.stop(reason),
        }
        Ok((state, None))
    }
}
