//! The driver of methods that bound a model of second order: a trust region, or a cubic term.
//!
//! One iteration linearises at θ and makes trials from the same H until one is accepted; at a trial only f is evaluated. Both sides of
//! ρ get an allowance for the rounding of f, so that the last steps are judged by the gradient where f cannot show them. A point
//! that meets [`Stopping`] and has a direction of negative curvature is left along it.
//! Source: Conn, Gould & Toint (2000) algorithm 6.1.1, §10.1.2, §17.4.2; Nocedal & Wright (2006) algorithm 4.1; for the cubic
//! term Cartis, Gould & Toint (2011) algorithm 2.1.

mod history;
mod method;
mod proposal;

use super::model::Model;
use crate::error::{OptimError, require};
use crate::linalg::vector;
use crate::run::eval::{self, Counts, Moved};
use crate::run::limits;
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::HessianKind;
use crate::subproblem::{Bound, NotFinite, Step};
use argmin::core::Problem;
pub(in crate::solver) use history::History;
pub use method::{RegionMethod, RegionRule};
pub use proposal::Means;
use proposal::{Limits, Proposal};
use secant_core::operator::LinearOperator;
use secant_core::problem::{Curvature, Form, Linearization, Objective};
use serde::{Deserialize, Serialize};

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
/// A decrease of this part of f, which a model promises where nothing bounds its step, shows in f.
pub const VISIBLE: f64 = 1e-12;
/// Most trials from one point; Δ reaches the resolution of θ long before.
pub const MAX_TRIALS: u32 = 200;
/// f is unbounded when Δ has grown by this, with neither curvature nor a smaller gradient in sight.
pub const UNBOUNDED_GROWTH: f64 = 1e10;
/// A change of f − gᵀp below this · |gᵀp| is no curvature along p.
pub const STRAIGHT: f64 = 1e-12;
/// A cubic term of this part of the promise leaves the step what it is.
const LIGHT: f64 = 0.1;
/// Cubic term: a trial is very good from this ρ on.  C, G & T (2011) §2.1: 0.9.
pub const VERY_GOOD: f64 = 0.9;
/// Cubic term: a step is poor below this ρ.  C, G & T (2011) §2.1: 0.1.
pub const POOR_CUBIC: f64 = 0.1;
/// σ falls by this factor after a very good step.  Gould, Porcelli & Toint (2012): 0.1 to ½.
pub const LIGHTER: f64 = 0.2;
/// σ grows by this factor after a poor one: trials cost a value, and no product.
pub const HEAVIER: f64 = 4.0;

/// What takes the place of a method whose Krylov basis does not fit.
pub(super) const FEWER_PRODUCTS: &str = "a smaller option `max_products`";

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
    /// [`MAX_SADDLE_PRODUCTS`] products of Lanczos show (for [`Subproblem::Exact`]: all eigenvalues). Not asked where f is known to be convex
    /// ([`Form`]).
    #[default]
    SecondOrder,
    /// A point that meets [`Stopping`].
    FirstOrder,
}

/// Whether f is known to have no saddles: a quadratic with a solution, a generalised linear model.
pub(super) fn is_convex(f: &impl Curvature) -> bool {
    f.structure().form != Form::General
}

/// The options of a method that the driver needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub curvature: HessianKind,
    pub optimality: Optimality,
    /// η: a step is taken when ρ ≥ this.
    pub acceptance: f64,
    /// Δ of the first step, in units of θ.
    pub initial_radius: Option<f64>,
    pub history: usize,
    pub forcing: f64,
    pub max_products: usize,
}

impl Options {
    /// The first option outside its range; `poor` is the ρ below which a step is poor.
    pub(super) fn validate(
        &self,
        name: &'static str,
        poor: f64,
        allowed: &'static str,
    ) -> Result<(), OptimError> {
        let (eta, forcing) = (self.acceptance, self.forcing);
        require((0.0..poor).contains(&eta), name, "acceptance", eta, allowed)?;
        require(forcing > 0.0 && forcing < 1.0, name, "forcing", forcing, "(0, 1)")?;
        if let Some(radius) = self.initial_radius {
            let allowed = radius > 0.0 && radius.is_finite();
            require(allowed, name, "initial_radius", radius, "(0, infinity)")?;
        }
        let products = self.max_products as f64;
        require(self.max_products >= 1, name, "max_products", products, "at least 1")
    }
}

/// The bound and all that a run keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Region {
    proposal: Proposal,
    bound: Bound,
    /// Δ of the first step, or its length that the first σ aims at; 0 before it.
    first_radius: f64,
    /// θ + p
    trial: Vec<f64>,
    gradient: Vec<f64>,
    history: History,
    /// The run began at a saddle: the gradient there is no measure.
    began_at_saddle: bool,
    /// Why the run would have ended at the saddle that it is leaving.
    reason_here: Option<Reason>,
    rejected: u32,
    escapes: u32,
}

impl Region {
    /// For n parameters.
    pub(super) fn new(n: usize, means: Means) -> Self {
        let bound = match means {
            Means::Ball(_) => Bound::Radius(0.0),
            Means::Cubic => Bound::Weight(0.0),
        };
        Self {
            proposal: Proposal::new(n, means),
            bound,
            first_radius: 0.0,
            trial: vec![0.0; n],
            gradient: vec![0.0; n],
            history: History::default(),
            began_at_saddle: false,
            reason_here: None,
            rejected: 0,
            escapes: 0,
        }
    }

    /// What happened on the way.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.rejected > 0 {
            notes.push(format!("{} trial(s) rejected", self.rejected));
        }
        if self.escapes > 0 {
            notes.push(format!("left a saddle {}×", self.escapes));
        }
        notes
    }

    /// One iteration of the method.
    pub(super) fn iterate<P: Curvature>(
        &mut self,
        options: &Options,
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) {
        match self.advance(options, stopping, problem, state) {
            Ok(Moved::Yes) => {
                eval::finish_wandering(stopping, problem, state);
                self.leave_saddle(options, problem, state);
            }
            Ok(Moved::Ended) => {
                eval::settle_on_best(stopping, state);
                self.leave_saddle(options, problem, state);
            }
            Err(reason) => {
                // A saddle that cannot be left is the end, for the reason that stood before.
                let before = self.leaving();
                state.stop(before.unwrap_or(reason));
                eval::settle_on_best(stopping, state);
                if before.is_none() {
                    self.leave_saddle(options, problem, state);
                }
            }
        }
    }

    /// One iteration: linearise, then trials until one is accepted.
    fn advance<P: Curvature>(
        &mut self,
        options: &Options,
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<Moved, Reason> {
        let (f, mut counts) = eval::split(problem);
        let at = counts.linearize(f, &state.theta);
        let model = Model::new(&at, options.curvature);
        let moved = match self.search((options, stopping), f, &mut counts, &model, state) {
            Ok(Some(accepted)) => self.settle(options, state, &accepted).map(|()| Moved::Yes),
            Ok(None) => Ok(Moved::Ended),
            Err(reason) => Err(reason),
        };
        let moved = match moved {
            Err(Reason::RoundingFloor) if !self.proposal.is_without_units() => {
                // CG and eigenvalues may have seen nothing where parameters differ by powers of ten.
                let left = model.relative_promise(&state.theta, &state.gradient);
                let visible = left > state.start_noise();
                let slow = visible && !state.is_negligible(stopping, left);
                Err(if slow { Reason::Stalled } else { Reason::RoundingFloor })
            }
            moved => moved,
        };
        counts.products(model.made());
        moved
    }

    /// Trials from θ until one is accepted; its step is in `proposal.step`, its point in `trial`, ∇f there in `gradient`. None where the
    /// first step confirmed that the run is at its end.
    fn search<P: Objective, L: Linearization>(
        &mut self,
        (options, stopping): (&Options, &Stopping),
        f: &P,
        counts: &mut Counts<'_>,
        model: &Model<'_, L>,
        state: &mut FitState,
    ) -> Result<Option<Accepted>, Reason> {
        let tolerance = options.forcing.min(state.relative_gradient().sqrt());
        let limits = Limits { tolerance, products: options.max_products };
        let not_finite = |NotFinite| Reason::NonFiniteCurvature;
        self.begin(model, state, options.initial_radius).map_err(not_finite)?;
        let noise = NOISE * f64::EPSILON * state.value.abs();
        let (mut finite_ahead, mut first_promise) = (false, None);
        for _ in 0..MAX_TRIALS {
            limits::check()?;
            let step = self.proposal.propose(model, &state.gradient, self.bound, limits);
            let step = step.map_err(not_finite)?;
            // A step that the bound cuts short says nothing of what lies beyond.
            let cut = match self.bound {
                Bound::Radius(_) => step.on_boundary,
                Bound::Weight(weight) => weight * step.norm.powi(3) > LIGHT * step.predicted,
            };
            let mut promised = if cut { f64::NAN } else { step.predicted };
            if state.claim().is_some() && !self.proposal.is_without_units() {
                promised = larger(promised, model.relative_promise(&state.theta, &state.gradient));
            }
            if eval::confirm(stopping, state, promised) {
                return Ok(None);
            }
            vector::step(&state.theta, 1.0, &self.proposal.step, &mut self.trial);
            let lowers = step.predicted > 0.0;
            if !lowers || self.trial == state.theta {
                break;
            }
            let first_promise = *first_promise.get_or_insert(step.predicted);
            let value = counts.value(f, &self.trial);
            finite_ahead |= value.is_finite();
            let rho = self.history.ratio(state.value, value, step.predicted, noise);
            self.adapt(rho, step.norm);
            if rho >= options.acceptance {
                let value = counts.value_gradient(f, &self.trial, &mut self.gradient);
                if value.is_finite() && vector::all_finite(&self.gradient) {
                    let visible = step.predicted > noise;
                    let cut = !visible && step.on_boundary;
                    let free = if cut { self.free_promise(model, state) } else { step.predicted };
                    return Ok(Some(Accepted { step, value, visible, first_promise, free }));
                }
                self.adapt(f64::NAN, step.norm);
            }
            self.rejected += 1;
        }
        // No promise: θ cannot resolve the step.
        let free = self.free_promise(model, state);
        Err(exhausted(state, first_promise, free, finite_ahead))
    }

    /// [`free_promise`] at the state.
    fn free_promise<L: Linearization>(&mut self, model: &Model<'_, L>, state: &FitState) -> f64 {
        let (work, image) = self.proposal.scratch();
        let work = (&mut work[..], &mut image[..]);
        free_promise(&state.gradient, work, |x, y| model.apply(x, y))
    }

    /// Moves to the accepted trial, unless f could not show the decrease and the gradient does not fall either. From a saddle
    /// only a visible decrease counts, so that none is left in circles.
    fn settle(
        &mut self,
        options: &Options,
        state: &mut FitState,
        accepted: &Accepted,
    ) -> Result<(), Reason> {
        let escaping = self.proposal.escape.is_some();
        let falls = if escaping {
            accepted.value < state.value
        } else {
            accepted.visible || vector::norm_inf(&self.gradient) < state.gradient_norm
        };
        if !falls || (escaping && !accepted.visible) {
            return Err(refusal(state, accepted.first_promise, accepted.free));
        }
        let slope = vector::dot(&state.gradient, &self.proposal.step);
        // f(θ + p) − f(θ) = gᵀp + ½c
        let curvature = 2.0 * (accepted.value - state.value - slope);
        self.history.remember(state.value, accepted.step.predicted, options.history);
        state.accept(&mut self.trial, accepted.value, &mut self.gradient);
        self.proposal.escape = None;
        if self.began_at_saddle {
            state.raise_gradient_reference();
        }
        let far = accepted.step.norm >= UNBOUNDED_GROWTH * self.first_radius;
        let straight = curvature <= STRAIGHT * slope.abs();
        let steep = state.gradient_norm >= 0.5 * state.start_summary().gradient_norm;
        if far && straight && steep {
            state.stop(Reason::Unbounded);
        }
        Ok(())
    }

    /// Why the run would have ended at θ, when θ is a saddle that is being left.
    fn leaving(&self) -> Option<Reason> {
        self.proposal.escape.as_ref().and(self.reason_here)
    }

    /// Looks for a direction of negative curvature at a point where the run would end, to go on along it.
    pub(super) fn leave_saddle<P: Curvature>(
        &mut self,
        options: &Options,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) {
        let second_order = options.optimality == Optimality::SecondOrder;
        let Some(reason @ (Reason::GradientConverged | Reason::RoundingFloor)) = state.reason()
        else {
            return;
        };
        if !second_order || options.curvature != HessianKind::Exact || limits::over().is_some() {
            return;
        }
        let (f, mut counts) = eval::split(problem);
        if is_convex(f) {
            return;
        }
        let at = counts.linearize(f, &state.theta);
        let model = Model::new(&at, options.curvature);
        let found = self.proposal.find_escape(&model);
        counts.products(model.made());
        if found {
            self.began_at_saddle |= state.steps() == 0;
            self.reason_here = Some(reason);
            self.escapes += 1;
            state.resume();
        }
    }

    /// Takes H and g of a new point; sets the bound at the first one.
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
            let radius = given.unwrap_or_else(|| natural(&mut self.proposal));
            self.first_radius = radius;
            self.bound = match self.bound {
                Bound::Radius(_) => Bound::Radius(radius),
                // Without curvature the step is √(‖g‖/σ) long.
                Bound::Weight(_) => Bound::weight(vector::norm(&state.gradient) / radius / radius),
            };
        }
        if let (Bound::Weight(weight), Some(escape)) = (self.bound, &self.proposal.escape) {
            // σ may have fallen to nothing near the point that is left: no step along v longer than the first.
            self.bound = Bound::weight(weight.max(escape.curvature.abs() / self.first_radius));
        }
        Ok(())
    }

    /// The bound after a trial of length ‖p‖ and ratio ρ. Written so that NaN tightens it.
    fn adapt(&mut self, rho: f64, norm: f64) {
        self.bound = match self.bound {
            Bound::Radius(radius) if rho > GOOD => Bound::Radius(radius.max(GROW * norm)),
            Bound::Radius(radius) if rho >= POOR => Bound::Radius(radius),
            Bound::Radius(_) => Bound::Radius(SHRINK * norm),
            Bound::Weight(weight) if rho >= VERY_GOOD => Bound::weight(LIGHTER * weight),
            Bound::Weight(weight) if rho >= POOR_CUBIC => Bound::weight(weight),
            Bound::Weight(weight) => Bound::weight(HEAVIER * weight),
        };
    }
}

/// The larger of both; NaN where `promised` is.
pub(in crate::solver) fn larger(promised: f64, other: f64) -> f64 {
    if promised < other { other } else { promised }
}

/// A trial that was accepted.
struct Accepted {
    step: Step,
    value: f64,
    /// The promised decrease is above the rounding of f.
    visible: bool,
    /// The decrease that the first trial from this point promised.
    first_promise: f64,
    /// A decrease that the model promises without its bound.
    free: f64,
}

/// A decrease below this does not show in f for certain.
fn visible(state: &FitState) -> f64 {
    (VISIBLE * state.value.abs()).max(state.start_noise())
}

/// The decrease that a model of second order promises along −g where nothing bounds the step, ½‖g‖⁴/|gᵀHg|: what it promises at its minimum
/// is no less. `apply` multiplies by H, `along` and `image` are scratch.
pub(in crate::solver) fn free_promise(
    gradient: &[f64],
    (along, image): (&mut [f64], &mut [f64]),
    apply: impl FnOnce(&[f64], &mut [f64]),
) -> f64 {
    let size = vector::norm(gradient);
    if size == 0.0 {
        return 0.0;
    }
    vector::scale_into(size.recip(), gradient, along);
    apply(along, image);
    let rounding = f64::EPSILON * vector::norm(image);
    let curvature = vector::dot(along, image).abs().max(rounding);
    0.5 * size * (size / curvature)
}

/// [`refusal`] where all trials are used up: nothing finite ahead is a reason of its own.
pub(in crate::solver) fn exhausted(
    state: &FitState,
    first_promise: Option<f64>,
    free: f64,
    finite_ahead: bool,
) -> Reason {
    match refusal(state, first_promise.unwrap_or(0.0), free) {
        Reason::LineSearchFailed if !finite_ahead => Reason::NonFiniteValue,
        reason => reason,
    }
}

/// A point from which no step is good is at the rounding floor when the decrease it was promised is invisible in f, and so is what the model
/// promises without the bound that a wall or a bad trial has left too tight.
pub(in crate::solver) fn refusal(state: &FitState, promised: f64, free: f64) -> Reason {
    let noise = NOISE * f64::EPSILON * state.value.abs();
    if promised <= noise.max(state.start_noise()) && free <= visible(state) {
        Reason::RoundingFloor
    } else {
        Reason::LineSearchFailed
    }
}
