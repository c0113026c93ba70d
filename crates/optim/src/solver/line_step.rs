//! One step along a descent direction: the state moves to θ + αp, or says why it cannot.

use crate::error::OptimError;
use crate::linalg::vector;
use crate::line_search::{Found, LineSearch, SearchOption, Trial};
use crate::run::eval;
use crate::run::limits;
use crate::run::state::FitState;
use crate::run::stopping::Reason;
use argmin::core::Problem;
use secant_core::problem::Objective;
use serde::{Deserialize, Serialize};

/// A first step of this size relative to θ₀, or to the step that would bring f to zero where θ₀ = 0.
/// Hager & Zhang (2005), step I0: ψ₀ = 0.01.
pub const FIRST_STEP: f64 = 0.01;
/// The slope is unchanged to this part at the far end of a line: no trace of curvature.
const STRAIGHT: f64 = 1e-12;

/// A step below this part of the first trial was cut short by more than the curvature of f.
const CUT: f64 = 1e-3;
/// So many searches in a row must end at their longest step, without a trace of curvature, before f is unbounded: one alone may have
/// begun with too short a guess.
const STRAIGHT_SEARCHES: u32 = 2;

/// The trial point and its gradient; after a step, the point and gradient before it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LineStep {
    pub theta: Vec<f64>,
    pub gradient: Vec<f64>,
    /// The step that led to the state was cut short, by points where f is not finite or jumps: a guess from its length promises too little.
    is_walled: bool,
    /// Searches in a row that ended at the longest step without a trace of curvature.
    straight: u32,
}

/// What is known at the start of a search along p.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// The first α to try.
    pub initial: f64,
    /// ∇fᵀp
    pub slope: f64,
    /// θ + `initial`·p already stands in the buffer.
    pub is_laid: bool,
}

/// Where a search ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// α
    pub step: f64,
    /// f(θ + αp)
    pub value: f64,
    /// f falls along p as far as the search goes, without a trace of curvature.
    is_unbounded: bool,
}

impl End {
    /// Ends the run of a state that has moved there, where f has no minimum.
    pub(crate) fn tell(self, state: &mut FitState) {
        if self.is_unbounded {
            state.stop(Reason::Unbounded);
        }
    }
}

impl LineStep {
    pub(crate) fn new(n: usize) -> Self {
        Self { theta: vec![0.0; n], gradient: vec![0.0; n], ..Self::default() }
    }

    /// Searches along `p` from the state, first at α = `initial`. `Ok(α)`: the state has moved and this buffer holds the
    /// point before. `Err(reason)`: the state has not moved.
    pub(crate) fn take<P: Objective>(
        &mut self,
        search: &(impl Copy + Into<LineSearch>),
        problem: &mut Problem<P>,
        state: &mut FitState,
        p: &[f64],
        initial: f64,
    ) -> Result<f64, Reason> {
        let start = Start { initial, slope: vector::dot(&state.gradient, p), is_laid: false };
        let end = self.search(search, problem, state, p, &start)?;
        state.accept(&mut self.theta, end.value, &mut self.gradient);
        end.tell(state);
        Ok(end.step)
    }

    /// The first half of [`take`](Self::take), with the slope and perhaps the first trial at hand: finds the trial, left in this buffer
    /// with its gradient. The state is to move there, and then to be told by [`End::tell`].
    pub(crate) fn search<P: Objective>(
        &mut self,
        search: &(impl Copy + Into<LineSearch>),
        problem: &mut Problem<P>,
        state: &FitState,
        p: &[f64],
        start: &Start,
    ) -> Result<End, Reason> {
        let search: LineSearch = (*search).into();
        let Start { initial, slope, is_laid } = *start;
        let mut is_laid = is_laid;
        let (mut finite_ahead, mut nonfinite_ahead) = (false, false);
        let noise = noise(&search, state);
        let mut bend = Bend::new(slope);
        let found = search.search(state.value, slope, initial, |step| {
            if !std::mem::take(&mut is_laid) {
                vector::step(&state.theta, step, p, &mut self.theta);
            }
            let value = eval::value_gradient(problem, &self.theta, &mut self.gradient);
            let at_slope = vector::dot(&self.gradient, p);
            let finite = value.is_finite() && at_slope.is_finite();
            // A step below the resolution of θ is a look back at θ, not ahead.
            finite_ahead |= finite && (value != state.value || self.theta != state.theta);
            nonfinite_ahead |= !finite;
            if finite && value - state.value > noise {
                bend.see(step, value - state.value, at_slope);
            }
            (value, at_slope)
        });
        let promised = promised(state, slope, initial, p);
        // From a length that a wall has cut, the next guess is no promise.
        let is_cut = initial != 1.0 && (self.is_walled || nonfinite_ahead);
        let end = |at: Trial, is_unbounded| End { step: at.step, value: at.value, is_unbounded };
        if let (Found::Nothing { .. }, Some(reason)) = (&found, limits::refused()) {
            return Err(reason);
        }
        match found {
            Found::Nothing { .. } if nonfinite_ahead && !finite_ahead => {
                Err(Reason::NonFiniteValue)
            }
            // A curvature that trials have shown is no guess.
            Found::Nothing { .. } if bend.promise <= noise => Err(Reason::RoundingFloor),
            Found::Nothing { .. } => Err(refusal(promised, noise, is_cut)),
            // A step that rounds away is no step.
            Found::Accepted(_) | Found::Decreased(_) if self.theta == state.theta => {
                Err(refusal(promised, noise, is_cut))
            }
            Found::Accepted(at) | Found::Decreased(at) => {
                self.is_walled = nonfinite_ahead || at.step < CUT * initial;
                self.straight = 0;
                Ok(end(at, false))
            }
            Found::AtMaximum(at) => {
                let longest = at.step >= initial * search.max_growth();
                let straight = (at.slope - slope).abs() <= STRAIGHT * slope.abs();
                self.is_walled = nonfinite_ahead;
                self.straight = if longest && straight { self.straight + 1 } else { 0 };
                Ok(end(at, self.straight >= STRAIGHT_SEARCHES))
            }
        }
    }
}

/// What trials that f does not fall at say of the decrease to be had along p.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bend {
    /// φ′(0)
    slope: f64,
    /// φ′(0)²/2κ with the curvature κ of the latest trial that bends as a convex φ does; ∞ before one.
    pub promise: f64,
}

impl Bend {
    pub(crate) fn new(slope: f64) -> Self {
        Self { slope, promise: f64::INFINITY }
    }

    /// Takes in φ(α) − φ(0) = `gain` and φ′(α) = `at_slope`. Where the values rise and the slopes do not, they disagree, and nothing is learnt.
    pub(crate) fn see(&mut self, alpha: f64, gain: f64, at_slope: f64) {
        let mean = gain / alpha;
        if self.slope < mean && mean <= at_slope {
            let bend = (at_slope - self.slope) / alpha;
            self.promise = 0.5 * self.slope * (self.slope / bend);
        }
    }
}

/// The decrease −α·φ′(0) that a first trial at α = `initial` along p promises. A slope that underflows to zero promises nothing; the norms
/// of its factors may say otherwise. A slope that is positive, or no number, is no promise to be met, and any decrease may be left.
pub(crate) fn promised(state: &FitState, slope: f64, initial: f64, p: &[f64]) -> f64 {
    if slope == 0.0 {
        state.gradient_norm * (initial * vector::norm_inf(p))
    } else if slope < 0.0 {
        -slope * initial
    } else {
        f64::INFINITY
    }
}

/// A decrease below this is invisible in f.
fn noise(search: &LineSearch, state: &FitState) -> f64 {
    (search.noise() * state.value.abs()).max(state.start_noise())
}

/// A search that finds nothing is at the rounding floor when the decrease it was promised is invisible in f; not so where the promise
/// was cut by points that are not finite.
fn refusal(promised: f64, noise: f64, is_cut: bool) -> Reason {
    if promised <= noise && !is_cut { Reason::RoundingFloor } else { Reason::LineSearchFailed }
}

/// α for a first step along −∇f, where nothing is known of the curvature: ‖αp‖∞ = ψ₀‖θ₀‖∞, or ψ₀ of the step to f = 0
/// where θ₀ = 0. Invariant under scaling of the loss and of θ.  Hager & Zhang (2005), step I0.
pub(crate) fn first_steepest_step(state: &FitState) -> f64 {
    let theta = vector::norm_inf(&state.theta);
    if theta > 0.0 {
        return FIRST_STEP * theta / state.gradient_norm;
    }
    let gradient = vector::norm(&state.gradient);
    let step = FIRST_STEP * state.value.abs() / gradient / gradient;
    if step > 0.0 && step.is_finite() { step } else { gradient.recip() }
}

/// The error of a search's option, in the solver's name.
pub(crate) fn validate(
    solver: &'static str,
    search: &(impl Copy + Into<LineSearch>),
) -> Result<(), OptimError> {
    let search: LineSearch = (*search).into();
    search.validate().map_err(|SearchOption { option, value, allowed }| {
        OptimError::OptionOutOfRange { solver, option, value, allowed }
    })
}
