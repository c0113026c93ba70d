//! Trust-region Newton: minimise f(θ) with its exact second derivatives, wherever they are indefinite.
//!
//! Update: p ≈ argmin gᵀp + ½pᵀHp over ‖p‖₂ ≤ Δ with H = ∇²f(θ) or the Gauss–Newton matrix;
//! ρ = (f(θ) − f(θ + p)) / promised decrease;  θ⁺ = θ + p where ρ ≥ η, else Δ shrinks and p is found anew from the same H.
//! The subproblem is a choice, [`Subproblem`]. At a trial point only f is evaluated, and the linearisation at θ stays
//! alive until a step is accepted. Both sides of ρ get an allowance for the rounding of f, so that the last steps are judged by
//! the gradient where f cannot show them.
//! Stop: [`Stopping`]. A point that passes it and has a direction of negative curvature is left along that direction
//! ([`Optimality::SecondOrder`]).
//! The norm is Euclidean: the path is invariant under scaling of the loss and under rotations, not under the units of single
//! parameters ([`Subproblem::ScaledExact`]: under those too). Memory and cost per step: those of the subproblem, one linearisation, f with ∇f once, and f per trial.
//! Source: Conn, Gould & Toint (2000) algorithm 6.1.1, §10.1.2, §17.4.2; Nocedal & Wright (2006) algorithm 4.1.

use super::{FitSolver, HessianKind};
use crate::error::{OptimError, require};
use crate::eval::{self, Evaluations};
use crate::krylov::extreme_eigenvalues;
use crate::linalg::vector;
use crate::state::FitState;
use crate::stopping::{Reason, Stopping};
use crate::subproblem::{Dogleg, Gltr, MoreSorensen, NotFinite, Steihaug, Step};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::operator::LinearOperator;
use secant_core::problem::{Curvature, Linearization};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::VecDeque;

const NAME: &str = "Trust region";

/// A step is taken when ρ ≥ this.  N&W algorithm 4.1: η ∈ [0, ¼).
pub const ACCEPTANCE: f64 = 1e-3;
/// Δ shrinks below this ρ.  N&W algorithm 4.1.
pub const POOR: f64 = 0.25;
/// Δ grows above this ρ.  N&W algorithm 4.1.
pub const GOOD: f64 = 0.75;
/// Δ ← this · ‖p‖ after a poor step.  N&W algorithm 4.1.
pub const SHRINK: f64 = 0.25;
/// Δ ← max(Δ, this · ‖p‖) after a good step.  N&W algorithm 4.1: 2.
pub const GROW: f64 = 2.0;
/// Largest relative residual of an inexact step; √(‖∇f‖/‖∇f(θ₀)‖) where that is smaller, for superlinear convergence.
/// N&W §7.1: ½ and √‖∇f‖.
pub const FORCING: f64 = 0.1;
/// Most products per step, and vectors of the basis.
pub const MAX_PRODUCTS: usize = 200;
/// Most products in the search for a direction of negative curvature.
pub const MAX_SADDLE_PRODUCTS: usize = 300;
/// f is known to this · ε·|f|.  C, G & T §17.4.2: 10.
pub const NOISE: f64 = 8.0;
/// ε·|f(θ₀)| times this is rounding left over from a much larger start, where f ends near zero by cancellation.
pub const START_NOISE: f64 = 4.0;
/// Most trials from one point; Δ reaches the resolution of θ long before.
pub const MAX_TRIALS: u32 = 200;
/// f is unbounded when Δ has grown by this, with neither curvature nor a smaller gradient in sight.
pub const UNBOUNDED_GROWTH: f64 = 1e10;
/// A change of f − gᵀp below this · |gᵀp| is no curvature along p.
pub const STRAIGHT: f64 = 1e-12;

/// How the step is found in the region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subproblem {
    /// Exactly, on Krylov spaces: products only, and none for a rejected step. Any n.
    #[default]
    Gltr,
    /// Truncated conjugate gradients: products only. Any n, memory 3n.
    Steihaug,
    /// Exactly, from the eigenvalues of the dense H. n to about a thousand.
    Exact,
    /// As [`Exact`](Self::Exact), in the region ‖Dp‖ ≤ Δ with dᵢ the largest √|hᵢᵢ| so far: invariant under the units of each
    /// parameter, for badly scaled ones.
    ScaledExact,
    /// On Powell's dogleg path, from a Cholesky factor of the dense H. n to some thousands.
    Dogleg,
}

/// What counts as a minimum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Optimality {
    /// A point that meets [`Stopping`] and has no eigenvalue of ∇²f below −√ε times the largest, as far as
    /// [`MAX_SADDLE_PRODUCTS`] products of Lanczos show (for [`Subproblem::Exact`]: all eigenvalues).
    #[default]
    SecondOrder,
    /// A point that meets [`Stopping`].
    FirstOrder,
}

/// Newton's method in a trust region.
#[derive(Clone, Debug)]
pub struct TrustRegion {
    /// How the step is found. Default [`Subproblem::Gltr`].
    pub subproblem: Subproblem,
    /// Which matrix. Default exact.
    pub curvature: HessianKind,
    /// What counts as a minimum; asked of the exact Hessian only. Default [`Optimality::SecondOrder`].
    pub optimality: Optimality,
    /// A step is taken when ρ ≥ this. Range [0, ¼). Default [`ACCEPTANCE`].
    pub acceptance: f64,
    /// Δ at the start, in units of θ. Range > 0. Default the larger of ‖θ₀‖ and the Cauchy step.
    pub initial_radius: Option<f64>,
    /// Accepted points looked back on: f may rise as long as it falls enough against the highest of them, as in
    /// Toint (1996). 0 is monotone. Default 0.
    pub history: usize,
    /// Largest relative residual of an inexact step. Range (0, 1). Default [`FORCING`].
    pub forcing: f64,
    /// Most products per step. Range ≥ 1. Default [`MAX_PRODUCTS`].
    pub max_products: usize,
    /// When to stop.
    pub stopping: Stopping,
    work: Option<Workspace>,
    rejected: u32,
    escapes: u32,
}

impl Default for TrustRegion {
    fn default() -> Self {
        Self {
            subproblem: Subproblem::default(),
            curvature: HessianKind::default(),
            optimality: Optimality::default(),
            acceptance: ACCEPTANCE,
            initial_radius: None,
            history: 0,
            forcing: FORCING,
            max_products: MAX_PRODUCTS,
            stopping: Stopping::default(),
            work: None,
            rejected: 0,
            escapes: 0,
        }
    }
}

#[derive(Clone, Debug)]
struct Workspace {
    engine: Engine,
    /// Δ; none before the first step.
    radius: Option<f64>,
    /// Δ of the first step.
    first_radius: f64,
    /// p
    step: Vec<f64>,
    /// θ + p
    trial: Vec<f64>,
    gradient: Vec<f64>,
    /// The way out of the saddle that θ is.
    escape: Option<Escape>,
    /// The run began at a saddle: the gradient there is no measure.
    began_at_saddle: bool,
    /// f of accepted points, with the decrease promised since.
    history: VecDeque<(f64, f64)>,
}

/// What finds steps.
#[derive(Clone, Debug)]
enum Engine {
    Gltr(Box<Gltr>),
    Steihaug(Steihaug),
    Exact(Box<MoreSorensen>),
    Dogleg(Box<Dogleg>),
}

/// A direction v of negative curvature, ‖v‖ = 1.
#[derive(Clone, Debug)]
struct Escape {
    direction: Vec<f64>,
    /// vᵀHv < 0
    curvature: f64,
}

impl TrustRegion {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How the step is found.
    pub fn with_subproblem(mut self, subproblem: Subproblem) -> Self {
        self.subproblem = subproblem;
        self
    }

    /// Which matrix.
    pub fn with_curvature(mut self, curvature: HessianKind) -> Self {
        self.curvature = curvature;
        self
    }

    /// What counts as a minimum.
    pub fn with_optimality(mut self, optimality: Optimality) -> Self {
        self.optimality = optimality;
        self
    }

    /// A step is taken when ρ ≥ this.
    pub fn with_acceptance(mut self, acceptance: f64) -> Self {
        self.acceptance = acceptance;
        self
    }

    /// Most products per step.
    pub fn with_max_products(mut self, products: usize) -> Self {
        self.max_products = products;
        self
    }

    /// Δ at the start, in units of θ.
    pub fn with_initial_radius(mut self, radius: f64) -> Self {
        self.initial_radius = Some(radius);
        self
    }

    /// Accepted points looked back on; 0 is monotone.
    pub fn with_history(mut self, points: usize) -> Self {
        self.history = points;
        self
    }

    /// Largest relative residual of an inexact step.
    pub fn with_forcing(mut self, forcing: f64) -> Self {
        self.forcing = forcing;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    /// One iteration: linearise, then trials until one is accepted.
    fn advance<P: Curvature>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), Reason> {
        let (f, mut counts) = eval::split(problem);
        let at = counts.linearize(f, &state.theta);
        let model = Model::new(&at, self.curvature);
        let accepted = self.search(&model, state, |theta| counts.value(f, theta));
        counts.products(model.made());
        drop(at);
        let accepted = accepted?;
        self.accept(problem, state, &accepted)
    }

    /// Trials from θ until one is accepted; its step is in `work.step`, its point in `work.trial`.
    fn search<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        state: &FitState,
        mut value: impl FnMut(&[f64]) -> f64,
    ) -> Result<Accepted, Reason> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let tolerance = self.forcing.min(state.relative_gradient().sqrt());
        let not_finite = |NotFinite| Reason::NonFiniteCurvature;
        let mut radius = work.prepare(model, state, self.initial_radius).map_err(not_finite)?;
        let mut finite_ahead = false;
        let mut first_promise = None;
        for trial in 0..MAX_TRIALS {
            let again = trial > 0;
            let step = work
                .propose(model, state, radius, tolerance, self.max_products, again)
                .map_err(not_finite)?;
            let promised = step.predicted;
            vector::step(&state.theta, 1.0, &work.step, &mut work.trial);
            let lowers = promised > 0.0;
            if !lowers || work.trial == state.theta {
                break;
            }
            first_promise.get_or_insert(promised);
            let ahead = value(&work.trial);
            finite_ahead |= ahead.is_finite();
            let noise = NOISE * f64::EPSILON * state.value.abs();
            let rho = work.ratio(state.value, ahead, promised, noise);
            // Written so that NaN shrinks the region and is refused.
            radius = if rho > GOOD {
                radius.max(GROW * step.norm)
            } else if rho >= POOR {
                radius
            } else {
                SHRINK * step.norm
            };
            work.radius = Some(radius);
            if rho >= self.acceptance {
                let first = first_promise.unwrap_or(promised);
                return Ok(Accepted { step, visible: promised > noise, first_promise: first });
            }
            self.rejected += 1;
        }
        // No promise: θ cannot resolve the step.
        match refusal(state, first_promise.unwrap_or(0.0)) {
            Reason::LineSearchFailed if !finite_ahead => Err(Reason::NonFiniteValue),
            reason => Err(reason),
        }
    }

    /// Moves to the accepted trial, unless f could not show the decrease and the gradient does not fall either.
    fn accept<P: Curvature>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
        accepted: &Accepted,
    ) -> Result<(), Reason> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let value = eval::value_gradient(problem, &work.trial, &mut work.gradient);
        if !(value.is_finite() && vector::all_finite(&work.gradient)) {
            return Err(Reason::NonFiniteValue);
        }
        let escaping = work.escape.is_some();
        let falls = vector::norm_inf(&work.gradient) < state.gradient_norm;
        if !(accepted.visible || falls || escaping) {
            return Err(refusal(state, accepted.first_promise));
        }
        let slope = vector::dot(&state.gradient, &work.step);
        // f(θ + p) − f(θ) = gᵀp + ½c
        let curvature = 2.0 * (value - state.value - slope);
        work.remember(state.value, accepted.step.predicted, self.history);
        state.accept(&mut work.trial, value, &mut work.gradient);
        work.escape = None;
        if work.began_at_saddle {
            state.raise_gradient_reference();
        }
        let far = accepted.step.norm >= UNBOUNDED_GROWTH * work.first_radius;
        let straight = curvature <= STRAIGHT * slope.abs();
        let steep = state.gradient_norm >= 0.5 * state.start_summary().gradient_norm;
        if far && straight && steep {
            state.stop(Reason::Unbounded);
        }
        Ok(())
    }

    /// Looks for a direction of negative curvature at a point where the run would end, and goes on along it.
    fn leave_saddle<P: Curvature>(&mut self, problem: &mut Problem<P>, state: &mut FitState) {
        let ends =
            matches!(state.reason(), Some(Reason::GradientConverged | Reason::RoundingFloor));
        let asked =
            self.optimality == Optimality::SecondOrder && self.curvature == HessianKind::Exact;
        if !(ends && asked) {
            return;
        }
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let (f, mut counts) = eval::split(problem);
        let at = counts.linearize(f, &state.theta);
        let model = Model::new(&at, self.curvature);
        let escape = work.negative_curvature(&model);
        counts.products(model.made());
        if let Some(escape) = escape {
            work.escape = Some(escape);
            work.began_at_saddle |= state.steps() == 0;
            self.escapes += 1;
            state.resume();
        }
    }
}

/// A trial that was accepted.
struct Accepted {
    step: Step,
    /// The promised decrease is above the rounding of f.
    visible: bool,
    /// The decrease that the first trial from this point promised.
    first_promise: f64,
}

/// A point from which no step is good is at the rounding floor when the decrease it was promised is invisible in f.
fn refusal(state: &FitState, promised: f64) -> Reason {
    let noise = NOISE * f64::EPSILON * state.value.abs();
    let start_noise = START_NOISE * f64::EPSILON * state.start_summary().value.abs();
    if promised <= noise.max(start_noise) {
        Reason::RoundingFloor
    } else {
        Reason::LineSearchFailed
    }
}

impl Workspace {
    fn new(n: usize, subproblem: Subproblem) -> Self {
        Self {
            engine: match subproblem {
                Subproblem::Gltr => Engine::Gltr(Box::new(Gltr::new(n))),
                Subproblem::Steihaug => Engine::Steihaug(Steihaug::new(n)),
                Subproblem::Exact => Engine::Exact(Box::new(MoreSorensen::new(n))),
                Subproblem::ScaledExact => Engine::Exact(Box::new(MoreSorensen::scaled(n))),
                Subproblem::Dogleg => Engine::Dogleg(Box::new(Dogleg::new(n))),
            },
            radius: None,
            first_radius: 0.0,
            step: vec![0.0; n],
            trial: vec![0.0; n],
            gradient: vec![0.0; n],
            escape: None,
            began_at_saddle: false,
            history: VecDeque::new(),
        }
    }

    /// Takes H where it is dense, and sets the first Δ.
    fn prepare<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        state: &FitState,
        given: Option<f64>,
    ) -> Result<f64, NotFinite> {
        if self.escape.is_none() || self.radius.is_none() {
            match &mut self.engine {
                Engine::Exact(exact) => {
                    model.matrix(exact.matrix_mut());
                    exact.factor()?;
                    exact.set_gradient(&state.gradient);
                }
                Engine::Dogleg(dogleg) => {
                    model.matrix(dogleg.matrix_mut());
                    dogleg.factor(&state.gradient)?;
                }
                Engine::Gltr(_) | Engine::Steihaug(_) => {}
            }
        }
        if let Some(radius) = self.radius {
            return Ok(radius);
        }
        let radius = given.unwrap_or_else(|| self.natural_radius(model, state));
        (self.radius, self.first_radius) = (Some(radius), radius);
        Ok(radius)
    }

    /// ‖θ₀‖ or the length of the Cauchy step ‖g‖³/gᵀHg, whichever is larger: both are in units of θ. Where neither has a size, 1.
    /// In a scaled region, where curvatures are about one: ‖Dθ₀‖ or ‖D⁻¹g‖, or else ‖D·(1, …, 1)‖.
    fn natural_radius<L: Linearization>(&mut self, model: &Model<'_, L>, state: &FitState) -> f64 {
        let size = match &self.engine {
            Engine::Exact(exact) if exact.is_scaled() => {
                let size = exact.norm(&state.theta).max(exact.gradient_norm());
                if size > 0.0 { size } else { exact.norm(&vec![1.0; state.theta.len()]) }
            }
            _ => {
                let norm = vector::norm(&state.gradient);
                vector::scale_into(norm.recip(), &state.gradient, &mut self.step);
                model.apply(&self.step, &mut self.trial);
                let cauchy = norm / vector::dot(&self.step, &self.trial).abs();
                let cauchy = if cauchy.is_finite() { cauchy } else { 0.0 };
                vector::norm(&state.theta).max(cauchy)
            }
        };
        if size > 0.0 { size } else { 1.0 }
    }

    /// p for Δ into `step`; `again`: H and g are those of the call before.
    fn propose<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        state: &FitState,
        radius: f64,
        tolerance: f64,
        products: usize,
        again: bool,
    ) -> Result<Step, NotFinite> {
        let (gradient, step) = (&state.gradient, &mut self.step);
        if let Some(escape) = &self.escape {
            let norm = match &self.engine {
                Engine::Exact(exact) => exact.norm(&escape.direction),
                _ => 1.0,
            };
            return Ok(escape.step(gradient, radius, norm, step));
        }
        Ok(match &mut self.engine {
            Engine::Gltr(gltr) if again => gltr.solve_again(radius, step),
            Engine::Gltr(gltr) => gltr.solve(model, gradient, radius, tolerance, products, step)?,
            Engine::Steihaug(cg) => cg.solve(model, gradient, radius, tolerance, products, step)?,
            Engine::Exact(exact) => exact.solve(radius, step),
            Engine::Dogleg(dogleg) => dogleg.solve(radius, step),
        })
    }

    /// ρ, with the allowance for rounding on both sides; the larger of that against θ and that against the highest point of
    /// the history. Not a number where f is not finite.  C, G & T §17.4.2, §10.1.2.
    fn ratio(&self, value: f64, ahead: f64, promised: f64, noise: f64) -> f64 {
        if !ahead.is_finite() {
            return f64::NAN;
        }
        let ratio = |from: f64, promised: f64| (from - ahead + noise) / (promised + noise);
        let current = ratio(value, promised);
        let highest = self.history.iter().max_by(|a, b| a.0.total_cmp(&b.0));
        highest.map_or(current, |(from, since)| current.max(ratio(*from, since + promised)))
    }

    /// Adds the point that is being left to the history.
    fn remember(&mut self, value: f64, promised: f64, most: usize) {
        if most == 0 {
            return;
        }
        self.history.push_back((value, 0.0));
        for (_, since) in &mut self.history {
            *since += promised;
        }
        if self.history.len() > most {
            self.history.pop_front();
        }
    }

    fn negative_curvature<L: Linearization>(&mut self, model: &Model<'_, L>) -> Option<Escape> {
        let ends = if let Engine::Exact(exact) = &mut self.engine
            && !exact.is_scaled()
        {
            model.matrix(exact.matrix_mut());
            exact.factor().ok()?;
            exact.ends()
        } else {
            extreme_eigenvalues(model, MAX_SADDLE_PRODUCTS)?
        };
        let curvature = ends.smallest;
        ends.is_indefinite().then_some(Escape { direction: ends.direction, curvature })
    }
}

impl Escape {
    /// `step` ← ±τv, downhill, of length Δ where v has length `norm`.
    fn step(&self, gradient: &[f64], radius: f64, norm: f64, step: &mut [f64]) -> Step {
        let tau = radius / norm;
        let slope = vector::dot(gradient, &self.direction);
        let sign = if slope > 0.0 { -1.0 } else { 1.0 };
        vector::scale_into(sign * tau, &self.direction, step);
        let predicted = tau * (slope.abs() - 0.5 * tau * self.curvature);
        Step { predicted, norm: radius, on_boundary: true, multiplier: None }
    }
}

/// H or G of a linearisation, with its products counted.
struct Model<'a, L> {
    at: &'a L,
    kind: HessianKind,
    products: Cell<u64>,
    matrices: Cell<u64>,
}

impl<'a, L: Linearization> Model<'a, L> {
    fn new(at: &'a L, kind: HessianKind) -> Self {
        Self { at, kind, products: Cell::new(0), matrices: Cell::new(0) }
    }

    fn matrix(&self, out: faer::MatMut<'_, f64>) {
        self.matrices.set(self.matrices.get() + 1);
        match self.kind {
            HessianKind::Exact => self.at.hessian(out),
            HessianKind::GaussNewton => self.at.gauss_newton(out),
        }
    }

    fn made(&self) -> Evaluations {
        let (products, matrices) = (self.products.get(), self.matrices.get());
        let none = Evaluations::default();
        match self.kind {
            HessianKind::Exact => {
                Evaluations { hessian: matrices, hessian_vector: products, ..none }
            }
            HessianKind::GaussNewton => {
                Evaluations { gauss_newton: matrices, gauss_newton_vector: products, ..none }
            }
        }
    }
}

impl<L: Linearization> LinearOperator for Model<'_, L> {
    fn rows(&self) -> usize {
        self.at.gradient().len()
    }
    fn cols(&self) -> usize {
        self.at.gradient().len()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.products.set(self.products.get() + 1);
        match self.kind {
            HessianKind::Exact => self.at.hessian_vector(x, y),
            HessianKind::GaussNewton => self.at.gauss_newton_vector(x, y),
        }
    }
}

impl FitSolver for TrustRegion {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn validate(&self) -> Result<(), OptimError> {
        let (eta, forcing) = (self.acceptance, self.forcing);
        require((0.0..POOR).contains(&eta), NAME, "acceptance", eta, "[0, 1/4)")?;
        require(forcing > 0.0 && forcing < 1.0, NAME, "forcing", forcing, "(0, 1)")?;
        if let Some(radius) = self.initial_radius {
            let allowed = radius > 0.0 && radius.is_finite();
            require(allowed, NAME, "initial_radius", radius, "(0, infinity)")?;
        }
        let products = self.max_products as f64;
        require(self.max_products >= 1, NAME, "max_products", products, "at least 1")?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.rejected > 0 {
            notes.push(format!("{} trial(s) rejected", self.rejected));
        }
        if self.escapes > 0 {
            notes.push(format!("left a saddle {}×", self.escapes));
        }
        notes
    }
}

impl<P: Curvature> Solver<P, FitState> for TrustRegion {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        self.work = Some(Workspace::new(n, self.subproblem));
        (self.rejected, self.escapes) = (0, 0);
        self.leave_saddle(problem, &mut state);
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let escaping = self.work.as_ref().is_some_and(|work| work.escape.is_some());
        match self.advance(problem, &mut state) {
            Ok(()) => eval::finish(&self.stopping, problem, &mut state),
            Err(reason) => {
                state.stop(reason);
                // A saddle that cannot be left is the end.
                if escaping {
                    return Ok((state, None));
                }
            }
        }
        self.leave_saddle(problem, &mut state);
        Ok((state, None))
    }
}
