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
//! parameters ([`Subproblem::ScaledExact`]: under those too).
//! Memory and cost per step: those of the subproblem, one linearisation, f with ∇f once, and f per trial.
//! Source: Conn, Gould & Toint (2000) algorithm 6.1.1, §10.1.2, §17.4.2; Nocedal & Wright (2006) algorithm 4.1.

mod history;
mod model;
mod proposal;

use super::{FitSolver, HessianKind};
use crate::error::{OptimError, require};
use crate::eval::{self, Counts};
use crate::linalg::vector;
use crate::state::FitState;
use crate::stopping::{Reason, Stopping};
use crate::subproblem::{NotFinite, Step};
use argmin::core::{Error, KV, Problem, Solver};
use history::History;
use model::Model;
use proposal::{Limits, Proposal};
use secant_core::problem::{Curvature, Linearization, Objective};
use serde::{Deserialize, Serialize};

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
    proposal: Proposal,
    /// Δ
    radius: f64,
    /// Δ of the first step; 0 before it.
    first_radius: f64,
    /// θ + p
    trial: Vec<f64>,
    gradient: Vec<f64>,
    history: History,
    /// The run began at a saddle: the gradient there is no measure.
    began_at_saddle: bool,
    /// Why the run would have ended at the saddle that it is leaving.
    reason_here: Option<Reason>,
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
        let accepted = self.search(f, &mut counts, &model, state);
        counts.products(model.made());
        self.settle(state, &accepted?)
    }

    /// Trials from θ until one is accepted; its step is in `proposal.step`, its point in `trial`, ∇f there in `gradient`.
    fn search<P: Objective, L: Linearization>(
        &mut self,
        f: &P,
        counts: &mut Counts<'_>,
        model: &Model<'_, L>,
        state: &FitState,
    ) -> Result<Accepted, Reason> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let tolerance = self.forcing.min(state.relative_gradient().sqrt());
        let limits = Limits { tolerance, products: self.max_products };
        let not_finite = |NotFinite| Reason::NonFiniteCurvature;
        work.begin(model, state, self.initial_radius).map_err(not_finite)?;
        let noise = NOISE * f64::EPSILON * state.value.abs();
        let (mut finite_ahead, mut first_promise) = (false, None);
        for _ in 0..MAX_TRIALS {
            let step = work.proposal.propose(model, &state.gradient, work.radius, limits);
            let step = step.map_err(not_finite)?;
            vector::step(&state.theta, 1.0, &work.proposal.step, &mut work.trial);
            let lowers = step.predicted > 0.0;
            if !lowers || work.trial == state.theta {
                break;
            }
            let first_promise = *first_promise.get_or_insert(step.predicted);
            let value = counts.value(f, &work.trial);
            finite_ahead |= value.is_finite();
            let rho = work.history.ratio(state.value, value, step.predicted, noise);
            work.adapt(rho, step.norm);
            if rho >= self.acceptance {
                let value = counts.value_gradient(f, &work.trial, &mut work.gradient);
                if value.is_finite() && vector::all_finite(&work.gradient) {
                    let visible = step.predicted > noise;
                    return Ok(Accepted { step, value, visible, first_promise });
                }
                work.radius = SHRINK * step.norm;
            }
            self.rejected += 1;
        }
        // No promise: θ cannot resolve the step.
        match refusal(state, first_promise.unwrap_or(0.0)) {
            Reason::LineSearchFailed if !finite_ahead => Err(Reason::NonFiniteValue),
            reason => Err(reason),
        }
    }

    /// Moves to the accepted trial, unless f could not show the decrease and the gradient does not fall either. From a saddle
    /// only a visible decrease counts, so that none is left in circles.
    fn settle(&mut self, state: &mut FitState, accepted: &Accepted) -> Result<(), Reason> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let escaping = work.proposal.escape.is_some();
        let falls = if escaping {
            accepted.value < state.value
        } else {
            accepted.visible || vector::norm_inf(&work.gradient) < state.gradient_norm
        };
        if !falls || (escaping && !accepted.visible) {
            return Err(refusal(state, accepted.first_promise));
        }
        let slope = vector::dot(&state.gradient, &work.proposal.step);
        // f(θ + p) − f(θ) = gᵀp + ½c
        let curvature = 2.0 * (accepted.value - state.value - slope);
        work.history.remember(state.value, accepted.step.predicted, self.history);
        state.accept(&mut work.trial, accepted.value, &mut work.gradient);
        work.proposal.escape = None;
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

    /// Why the run would have ended at θ, when θ is a saddle that is being left.
    fn leaving(&self) -> Option<Reason> {
        let work = self.work.as_ref()?;
        work.proposal.escape.as_ref().and(work.reason_here)
    }

    /// Looks for a direction of negative curvature at a point where the run would end, to go on along it.
    fn leave_saddle<P: Curvature>(&mut self, problem: &mut Problem<P>, state: &mut FitState) {
        let second_order = self.optimality == Optimality::SecondOrder;
        let Some(reason @ (Reason::GradientConverged | Reason::RoundingFloor)) = state.reason()
        else {
            return;
        };
        if !second_order || self.curvature != HessianKind::Exact {
            return;
        }
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let (f, mut counts) = eval::split(problem);
        let at = counts.linearize(f, &state.theta);
        let model = Model::new(&at, self.curvature);
        let found = work.proposal.find_escape(&model);
        counts.products(model.made());
        if found {
            work.began_at_saddle |= state.steps() == 0;
            work.reason_here = Some(reason);
            self.escapes += 1;
            state.resume();
        }
    }
}

/// A trial that was accepted.
struct Accepted {
    step: Step,
    value: f64,
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
            proposal: Proposal::new(n, subproblem),
            radius: 0.0,
            first_radius: 0.0,
            trial: vec![0.0; n],
            gradient: vec![0.0; n],
            history: History::default(),
            began_at_saddle: false,
            reason_here: None,
        }
    }

    /// Takes H and g of a new point; sets Δ at the first one.
    fn begin<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        state: &FitState,
        given: Option<f64>,
    ) -> Result<(), NotFinite> {
        let first = self.first_radius == 0.0;
        self.proposal.prepare(model, &state.gradient, first)?;
        if first {
            let natural = |proposal: &mut Proposal| {
                proposal.natural_radius(model, &state.theta, &state.gradient)
            };
            self.first_radius = given.unwrap_or_else(|| natural(&mut self.proposal));
            self.radius = self.first_radius;
        }
        Ok(())
    }

    /// Δ after a trial of length ‖p‖ and ratio ρ. Written so that NaN shrinks it.
    fn adapt(&mut self, rho: f64, norm: f64) {
        self.radius = if rho > GOOD {
            self.radius.max(GROW * norm)
        } else if rho >= POOR {
            self.radius
        } else {
            SHRINK * norm
        };
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
        match self.advance(problem, &mut state) {
            Ok(()) => {
                eval::finish(&self.stopping, problem, &mut state);
                self.leave_saddle(problem, &mut state);
            }
            Err(reason) => {
                // A saddle that cannot be left is the end, for the reason that stood before.
                let before = self.leaving();
                state.stop(before.unwrap_or(reason));
                if before.is_none() {
                    self.leave_saddle(problem, &mut state);
                }
            }
        }
        Ok((state, None))
    }
}
