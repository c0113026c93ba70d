//! The confirmation of an end by a look along a direction that does not depend on the units of the parameters.
//!
//! A matrix that is learned from gradients knows the directions that the run has been along. Where parameters differ by powers of ten, the
//! gradient falls by its tolerance before any step has been along the small entries, and −H∇f promises nothing there. So at the end one
//! gradient more is taken, at θ + d with dⱼ ∝ −∂ⱼf·θⱼ², steepest descent in log|θ|. With s = d and y = ∇f(θ + d) − ∇f(θ) the decrease
//! ½(∇fᵀs)²/sᵀy along d bounds from below what is left; where that is something, the pair teaches the matrix, and the run goes on.
//! Cost: one evaluation of f with ∇f per run that ends rightly, n numbers three times, allocated at the first look.
//! Source: Dennis & Schnabel (1983) §7.1–7.2 for sizes relative to θ; Nocedal & Wright (2006) §3.3 for the decrease along a line.

use crate::linalg::vector;
use crate::problem::bounds::Bounds;
use crate::run::eval;
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use argmin::core::Problem;
use secant_core::problem::Objective;
use serde::{Deserialize, Serialize};

/// No entry of θ moves by more than this part of itself.
pub const LENGTH: f64 = 1e-3;
/// What the matrix promises, and what the last step took, must be below this part of the tolerance: with the default tolerance the resolution
/// of f.
pub const FINE: f64 = 1e-6;
/// Most looks of a run that find something; then it ends as slow.
pub const MOST: u32 = 50;

/// What a look showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Seen {
    /// Nothing was asked, or the run has ended.
    Nothing,
    /// A decrease that the matrix does not know: s and y are a pair, with sᵀy > 0.
    Pair,
    /// A decrease without curvature along d, which is s.
    Slope,
}

/// s, y and how often a look found something.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Probe {
    /// d
    pub s: Vec<f64>,
    /// ∇f(θ + d) − ∇f(θ)
    pub y: Vec<f64>,
    theta: Vec<f64>,
    found: u32,
}

impl Probe {
    /// Decides a claim of the end: `promised` by the matrix (NaN where it does not know), what the last step took off f, and then the look.
    /// `gradient` is ∇f(θ) where the state holds what `bounds` leave of it; f is asked within them.
    pub(crate) fn confirm<P: Objective>(
        &mut self,
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
        gradient: Option<&[f64]>,
        promised: f64,
        bounds: Option<&Bounds>,
    ) -> Seen {
        let Some(claim) = *state.claim() else { return Seen::Nothing };
        let fine =
            Stopping { gradient_tolerance: FINE * stopping.gradient_tolerance, ..stopping.clone() };
        let last = state.last_decrease();
        // Written so that NaN stays.
        let promised = if promised < last { last } else { promised };
        if !state.is_negligible(&fine, promised) {
            eval::confirm(&fine, state, promised);
            return Seen::Nothing;
        }
        self.decide((claim, 0.0), stopping, problem, state, gradient, bounds)
    }

    /// Decides the end of a search that found no step, for `reason`: at the rounding floor by the look, else as it stands.
    pub(crate) fn refuse<P: Objective>(
        &mut self,
        reason: Reason,
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
        gradient: Option<&[f64]>,
        bounds: Option<&Bounds>,
    ) -> Seen {
        if reason != Reason::RoundingFloor {
            state.stop(reason);
            return Seen::Nothing;
        }
        // A search that failed will not see less than the rounding of where f came from.
        let invisible = state.start_noise();
        let seen = self.decide((reason, invisible), stopping, problem, state, gradient, bounds);
        if seen == Seen::Slope {
            state.stop(Reason::Stalled);
        }
        seen
    }

    fn decide<P: Objective>(
        &mut self,
        (claim, invisible): (Reason, f64),
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
        gradient: Option<&[f64]>,
        bounds: Option<&Bounds>,
    ) -> Seen {
        let (left, curved) = self.look(problem, state, gradient, bounds);
        if state.is_negligible(stopping, left) || left <= invisible {
            state.stop(claim);
            return Seen::Nothing;
        }
        if left.is_nan() {
            // The edge of f's domain: nothing is known of what lies along it.
            state.stop(Reason::Stalled);
            return Seen::Nothing;
        }
        self.found += 1;
        if self.found > MOST {
            state.stop(Reason::Stalled);
            return Seen::Nothing;
        }
        state.doubt();
        if curved { Seen::Pair } else { Seen::Slope }
    }

    /// The decrease that is left along d, and whether f curves upwards along it. Zero where d is, NaN where f is not finite.
    fn look<P: Objective>(
        &mut self,
        problem: &mut Problem<P>,
        state: &FitState,
        gradient: Option<&[f64]>,
        bounds: Option<&Bounds>,
    ) -> (f64, bool) {
        let (theta, reduced) = (&state.theta, &state.gradient);
        let n = theta.len();
        for buffer in [&mut self.s, &mut self.y, &mut self.theta] {
            buffer.resize(n, 0.0);
        }
        let moves = theta.iter().zip(reduced).map(|(t, g)| (t * g).abs());
        let farthest = moves.fold(0.0, f64::max);
        if farthest == 0.0 {
            return (0.0, true);
        }
        for (at, (t, g)) in self.theta.iter_mut().zip(theta.iter().zip(reduced)) {
            *at = t - LENGTH * t * (t * g / farthest);
        }
        if let Some(bounds) = bounds {
            bounds.project(&mut self.theta);
        }
        vector::subtract(&self.theta, theta, &mut self.s);
        let value = match bounds {
            Some(bounds) => eval::value_gradient_within(problem, &self.theta, bounds, &mut self.y),
            None => eval::value_gradient(problem, &self.theta, &mut self.y),
        };
        let before = gradient.unwrap_or(reduced);
        let slope = vector::dot(before, &self.s);
        for (y, g) in self.y.iter_mut().zip(before) {
            *y -= g;
        }
        let curvature = vector::dot(&self.s, &self.y);
        if !(value.is_finite() && curvature.is_finite()) {
            return (f64::NAN, false);
        }
        if slope >= 0.0 {
            return (0.0, true);
        }
        if curvature > 0.0 {
            (0.5 * slope * (slope / curvature), true)
        } else {
            ((state.value - value).max(0.0), false)
        }
    }
}
