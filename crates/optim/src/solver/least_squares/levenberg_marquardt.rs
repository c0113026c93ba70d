//! Levenberg–Marquardt: minimise f(θ) = ½‖r(θ)‖².
//!
//! Update: θ⁺ = θ + v + a,  (JᵀJ + μD²)v = −Jᵀr,  (JᵀJ + μD²)a = −½Jᵀr″(v, v); accepted where ρ = actual/predicted
//! decrease exceeds η. Then μ ← μ·max(⅓, 1 − (2ρ − 1)³), else μ ← μν, ν ← 2ν. The very first trial is undamped and accepted where
//! r is almost linear, so that a linear problem takes one step. Near the minimum, where f has no digits left to compare,
//! undamped steps go on while the gradient falls.
//! Stop: [`Stopping`]; the relative offset ‖J·p‖/‖r‖ of the undamped step p (Bates & Watts 1981), which is the distance to the
//! minimum in standard deviations, whatever the parameters; or neither f nor the offset falls any more.
//! With large residuals ∇²f is JᵀJ + S, and steps from JᵀJ alone converge linearly at best: see [`SecondOrder`].
//! Memory and cost: see [`Factorization`]. A rejected trial costs residuals and n³, never a Jacobian.
//! Source: Moré (1978); Nielsen (1999) for μ; Transtrum & Sethna (2012) for a; Nocedal & Wright (2006) §10.3.

use super::polish::{self, GRADIENT_TOLERANCE, OFFSET_TOLERANCE, Polish, RESOLVED};
use super::residual_model::{Factorization, NextPoint, Place, ResidualModel, Scaling, SecondOrder};
use crate::error::{OptimError, require};
use crate::linalg::vector;
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::limits;
use crate::run::memory;
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::{Arrow, LeastSquares};
use serde::{Deserialize, Serialize};

const NAME: &str = "Levenberg–Marquardt";

/// First damping, relative to D².  Nielsen (1999): τ = 1e-3 for a start of unknown quality.
pub const INITIAL_DAMPING: f64 = 1e-3;
/// Acceptance threshold η of ρ.  Moré (1978) §7: 1e-4.
pub const ACCEPT: f64 = 1e-4;
/// The undamped first trial is accepted from this ρ on: r is all but linear.
pub const LINEAR: f64 = 0.999;
/// Largest 2‖a‖/‖v‖ in the units of D.  Transtrum & Sethna (2012) §4: 0.75.
pub const ACCELERATION_LIMIT: f64 = 0.75;
/// r″ is measured over this part of the step.  Transtrum & Sethna (2012) §4: 0.1.
pub const PROBE: f64 = 0.1;
/// μ falls at most by this factor.  Nielsen (1999).
pub const FASTEST_FALL: f64 = 1.0 / 3.0;
/// Most trials of an iteration. μ then grew by 2^1225; a step is invisible long before.
pub const MAX_TRIALS: u32 = 50;
/// μ stays above this: below, no pivot sees it, and after a rejection it must grow again from here.
pub(crate) const LEAST_DAMPING: f64 = f64::EPSILON * f64::EPSILON;
/// μ falls by this factor, without a trial, while f could not show what the step promises.
pub(crate) const WAKE: f64 = 0.1;
/// Where μ had to grow again at once, it is lowered again when f has fallen below this part.
pub(crate) const WAKE_AGAIN: f64 = 0.5;

/// Levenberg–Marquardt with Moré's scaling, Nielsen's damping and geodesic acceleration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LevenbergMarquardt {
    /// How the linear model is solved.
    pub factorization: Factorization,
    /// What the model has of the second derivatives of the residuals. Default nothing.
    pub second_order: SecondOrder,
    /// D.
    pub scaling: Scaling,
    /// μ₀, relative to D². Range (0, ∞). Default [`INITIAL_DAMPING`].
    pub initial_damping: f64,
    /// η: ρ ≥ `accept`. Range (0, ½]. Default [`ACCEPT`].
    pub accept: f64,
    /// Largest 2‖a‖/‖v‖ with geodesic acceleration; none: without. Range (0, ∞). Default [`ACCELERATION_LIMIT`].
    pub acceleration_limit: Option<f64>,
    /// ‖J·p‖ ≤ `offset_tolerance` · ‖r‖ for the undamped step p. Range \[0, 1). Default [`OFFSET_TOLERANCE`].
    pub offset_tolerance: f64,
    /// When to stop, beside that. A gradient tolerance left at the default of [`Stopping`] is [`GRADIENT_TOLERANCE`] here.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Box<Workspace>>,
}

impl Default for LevenbergMarquardt {
    fn default() -> Self {
        Self {
            factorization: Factorization::Auto,
            second_order: SecondOrder::Off,
            scaling: Scaling::More,
            initial_damping: INITIAL_DAMPING,
            accept: ACCEPT,
            acceleration_limit: Some(ACCELERATION_LIMIT),
            offset_tolerance: OFFSET_TOLERANCE,
            stopping: Stopping { gradient_tolerance: GRADIENT_TOLERANCE, ..Stopping::default() },
            work: None,
        }
    }
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    model: ResidualModel,
    /// μ
    damping: f64,
    /// ν
    growth: f64,
    /// No trial was made yet: the next one is undamped.
    fresh: bool,
    polish: Polish,
    /// μ is not lowered without a trial before f is below this.
    wake_below: f64,
    /// θ⁺; its step is v, then v + a
    next: NextPoint,
    /// a and D·a
    accel: Vec<f64>,
    scaled_accel: Vec<f64>,
    rejected: u32,
    edge: Edge,
}

impl LevenbergMarquardt {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How the linear model is solved.
    pub fn with_factorization(mut self, factorization: Factorization) -> Self {
        self.factorization = factorization;
        self
    }

    /// The second derivatives of the residuals, for fits with large ones.
    pub fn with_second_order(mut self, second_order: SecondOrder) -> Self {
        self.second_order = second_order;
        self
    }

    /// D.
    pub fn with_scaling(mut self, scaling: Scaling) -> Self {
        self.scaling = scaling;
        self
    }

    /// μ₀, relative to D².
    pub fn with_initial_damping(mut self, initial_damping: f64) -> Self {
        self.initial_damping = initial_damping;
        self
    }

    /// Largest 2‖a‖/‖v‖ with geodesic acceleration; none: without.
    pub fn with_acceleration(mut self, limit: Option<f64>) -> Self {
        self.acceleration_limit = limit;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }
}

impl LevenbergMarquardt {
    /// One iteration. `settle(problem, θ⁺)` hears of an accepted step before J is formed there, and may make the problem another
    /// one, of no larger f; it then returns true.
    pub(crate) fn iterate<P: LeastSquares>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
        settle: impl FnMut(&mut Problem<P>, &[f64]) -> bool,
    ) {
        // Taken out for the step, so that it can be told the options.
        let mut work = self.work.take().expect("argmin's Executor calls init first");
        match work.advance(self, problem, state, settle) {
            Ok(()) => {
                let within = (self.scaling, self.offset_tolerance);
                let point = (&mut work.model, &mut work.next);
                let stopping = self.stopping.or_own(GRADIENT_TOLERANCE);
                work.polish.finish(point, within, &stopping, problem, state);
            }
            Err(reason) => state.stop(reason),
        }
        self.work = Some(work);
    }
}

impl Workspace {
    fn new((m, n): (usize, usize), arrow: Option<&Arrow>, options: &LevenbergMarquardt) -> Self {
        let zeros = || vec![0.0; n];
        let model = ResidualModel::new((m, n), arrow, options.factorization, options.second_order);
        let polish = Polish::new(&model);
        Self {
            model,
            damping: options.initial_damping,
            growth: 2.0,
            fresh: true,
            polish,
            wake_below: f64::INFINITY,
            next: NextPoint::new(n),
            accel: zeros(),
            scaled_accel: zeros(),
            rejected: 0,
            edge: Edge::Away,
        }
    }

    /// One accepted step: μ grows until a trial is good enough.
    fn advance<P: LeastSquares>(
        &mut self,
        options: &LevenbergMarquardt,
        problem: &mut Problem<P>,
        state: &mut FitState,
        mut settle: impl FnMut(&mut Problem<P>, &[f64]) -> bool,
    ) -> Result<(), Reason> {
        let mut ahead = Ahead { promised: self.wake(problem, state), ..Ahead::default() };
        let (woken, rejected) = (ahead.promised.is_some(), self.rejected);
        let was = std::mem::take(&mut self.edge);
        for _ in 0..MAX_TRIALS {
            limits::check()?;
            let undamped = std::mem::take(&mut self.fresh) && {
                let mut place = Place { problem, theta: &state.theta };
                self.model.is_worth_undamped(&mut place, &mut self.next, LINEAR)
            };
            let (mu, limit, enough) = if undamped {
                (0.0, None, LINEAR)
            } else {
                (self.damping, options.acceleration_limit, options.accept)
            };
            if let Some(predicted) = self.propose(problem, state, mu, limit) {
                ahead.promised = ahead.promised.or(Some(predicted));
                if self.next.theta == state.theta {
                    break;
                }
                let mut value = self.model.residuals(problem, &self.next.theta);
                let reduction = self.model.reduction();
                let rho = reduction / predicted;
                let other_model = value.is_finite() && self.model.judge(reduction);
                // Written so that a NaN ρ is refused.
                if value.is_finite() && rho >= enough {
                    if settle(problem, &self.next.theta) {
                        value = self.model.residuals(problem, &self.next.theta);
                    }
                    if self.next.linearize(&mut self.model, problem, options.scaling) {
                        let mut place = Place { problem, theta: &state.theta };
                        self.model.advance(&mut place, &self.next, &state.gradient);
                        state.accept(&mut self.next.theta, value, &mut self.next.gradient);
                        if !undamped {
                            self.relax(rho);
                        }
                        if woken && self.rejected > rejected {
                            self.wake_below = WAKE_AGAIN * state.value;
                        }
                        return Ok(());
                    }
                    (ahead.not_finite, self.edge) = (true, Edge::Near);
                } else if value.is_finite() {
                    ahead.finite = true;
                    if other_model && !std::mem::replace(&mut ahead.other_model, true) {
                        // The same μ, by the model that would have foretold this.
                        continue;
                    }
                } else {
                    (ahead.not_finite, self.edge) = (true, Edge::Near);
                }
            }
            if !undamped {
                self.damp();
            }
        }
        let near = was == Edge::Near || self.edge == Edge::Near;
        match ahead.refusal(state) {
            // Steps so short that they stay inside show nothing, and those that would are cut off.
            Reason::RoundingFloor
                if near && self.undamped_promise(state) > RESOLVED * state.value =>
            {
                self.edge = Edge::Ended;
                Err(Reason::Stalled)
            }
            Reason::LineSearchFailed if self.is_at_resolution(problem, state) => {
                Err(Reason::RoundingFloor)
            }
            reason => Err(reason),
        }
    }

    /// Whether the undamped step is rounding in every entry of θ: of an exact fit that began at its solution say, where nothing was there to
    /// compare r with.
    fn is_at_resolution<P: LeastSquares>(
        &mut self,
        problem: &mut Problem<P>,
        state: &FitState,
    ) -> bool {
        let mut place = Place { problem, theta: &state.theta };
        let (z, p) = (&mut self.next.scaled, &mut self.next.step);
        self.model.solve(&mut place, 0.0, z, p).is_some() && vector::is_rounding(p, &state.theta)
    }

    /// What the undamped step promises.
    fn undamped_promise(&self, state: &FitState) -> f64 {
        0.5 * self.model.offset() * self.model.offset() * state.value
    }

    /// Lowers μ where the damped step promises less than f can show and the undamped one much more: after a while in a region
    /// that needed damping, or with a scaling that does not fit. Returns the first promise where it did.
    fn wake<P: LeastSquares>(&mut self, problem: &mut Problem<P>, state: &FitState) -> Option<f64> {
        let undamped = self.undamped_promise(state);
        let visible = RESOLVED * state.value;
        let unknown = self.fresh || !undamped.is_finite();
        if unknown || undamped <= visible || state.value > self.wake_below {
            return None;
        }
        let mut first = None;
        while self.damping > LEAST_DAMPING {
            let mut place = Place { problem, theta: &state.theta };
            let (z, p) = (&mut self.next.scaled, &mut self.next.step);
            let promised = self.model.solve(&mut place, self.damping, z, p);
            let Some(promised) = promised.filter(|promised| *promised <= visible) else { break };
            first = first.or(Some(promised));
            self.damping *= WAKE;
            self.growth = 2.0;
        }
        first
    }

    /// `theta` ← θ + v + a. Returns the decrease that the model promises for v; none where μ must grow.
    fn propose<P: LeastSquares>(
        &mut self,
        problem: &mut Problem<P>,
        state: &FitState,
        mu: f64,
        limit: Option<f64>,
    ) -> Option<f64> {
        let mut place = Place { problem, theta: &state.theta };
        let next = &mut self.next;
        let predicted = self.model.solve(&mut place, mu, &mut next.scaled, &mut next.step)?;
        // Below that r″ is rounding, and a is nothing beside v. With S the step is no tangent.
        let coarse = predicted > RESOLVED * state.value && !polish::at_floor(state);
        if let Some(limit) = limit.filter(|_| coarse && !self.model.is_augmented()) {
            let velocity = (&next.scaled[..], &next.step[..]);
            let accel = (&mut self.scaled_accel[..], &mut self.accel[..]);
            let at = &mut next.theta;
            let found = self.model.accelerate(&mut place, (PROBE, mu), velocity, accel, at);
            if found.is_some() {
                let ratio =
                    2.0 * vector::norm(&self.scaled_accel) / vector::norm(&self.next.scaled);
                // Written so that NaN is refused.
                let small = ratio <= limit;
                if !small {
                    return None;
                }
                vector::axpy(1.0, &self.accel, &mut self.next.step);
            }
        }
        vector::step(&state.theta, 1.0, &self.next.step, &mut self.next.theta);
        Some(predicted)
    }

    /// After an accepted step.  Nielsen (1999).
    fn relax(&mut self, rho: f64) {
        let cube = (2.0 * rho - 1.0).powi(3);
        self.damping = (self.damping * (1.0 - cube).max(FASTEST_FALL)).max(LEAST_DAMPING);
        self.growth = 2.0;
    }

    /// After a rejected trial.
    fn damp(&mut self) {
        self.damping *= self.growth;
        self.growth *= 2.0;
        self.rejected += 1;
    }
}

/// Where the run is beside points whose residuals are not finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Edge {
    #[default]
    Away,
    /// The latest iteration tried one.
    Near,
    /// It ended there.
    Ended,
}

/// What the trials of one iteration met.
#[derive(Default)]
struct Ahead {
    /// The decrease that the first of them was promised.
    promised: Option<f64>,
    finite: bool,
    not_finite: bool,
    /// The other model has had a trial.
    other_model: bool,
}

impl Ahead {
    /// Why no trial was accepted.
    fn refusal(&self, state: &FitState) -> Reason {
        match self.promised {
            None => Reason::NonFiniteCurvature,
            Some(_) if self.not_finite && !self.finite => Reason::NonFiniteValue,
            Some(promised) if promised <= RESOLVED * state.value || polish::at_floor(state) => {
                Reason::RoundingFloor
            }
            Some(_) => Reason::LineSearchFailed,
        }
    }
}

impl FitSolver for LevenbergMarquardt {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, m: usize) -> Option<u64> {
        Some(self.factorization.bytes(m, n, self.second_order))
    }
    fn validate(&self) -> Result<(), OptimError> {
        let positive = |option, value: f64| {
            require(value > 0.0 && value.is_finite(), NAME, option, value, "(0, ∞)")
        };
        positive("initial_damping", self.initial_damping)?;
        require(self.accept > 0.0 && self.accept <= 0.5, NAME, "accept", self.accept, "(0, ½]")?;
        if let Some(limit) = self.acceleration_limit {
            positive("acceleration_limit", limit)?;
        }
        let offset = self.offset_tolerance;
        require((0.0..1.0).contains(&offset), NAME, "offset_tolerance", offset, "[0, 1)")?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let Some(work) = &self.work else { return Vec::new() };
        let mut notes = Vec::new();
        if work.rejected > 0 {
            notes.push(format!("{} trial(s) rejected", work.rejected));
        }
        if work.edge == Edge::Ended {
            notes.push(
                "ended at the edge of where residuals are finite, with more to gain along it: bounds on the parameters let steps go along"
                    .to_owned(),
            );
        }
        notes
    }
}

impl<P: LeastSquares> Solver<P, FitState> for LevenbergMarquardt {
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
        let needs = self.factorization.needs((m, n), arrow, self.second_order);
        memory::preflight(NAME, Some(needs), memory::PRODUCTS_INSTEAD, state.limit())?;
        let mut work = Workspace::new((m, n), arrow, self);
        let within = (self.scaling, self.offset_tolerance);
        let stopping = self.stopping.or_own(GRADIENT_TOLERANCE);
        work.model.begin((NAME, &stopping), within, problem, &mut state)?;
        self.work = Some(Box::new(work));
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.iterate(problem, &mut state, |_, _| false);
        Ok((state, None))
    }
}
