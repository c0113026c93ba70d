//! The step on a quadratic f that gives entries of its H: to the minimum over a working set, without H of all parameters.

use super::working_set::WorkingSet;
use super::{DECREASE, LEAST_FORCING, NOISE};
use crate::linalg::vector;
use crate::problem::l1;
use crate::run::eval;
use crate::run::limits;
use crate::run::state::FitState;
use crate::run::stopping::Reason;
use crate::solver::newton::region::VISIBLE;
use argmin::core::Problem;
use secant_core::problem::Curvature;
use serde::{Deserialize, Serialize};

/// What a run on a working set keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OnSet {
    set: WorkingSet,
    weights: Vec<f64>,
    /// ∇f(θ)
    smooth: Vec<f64>,
    trial: Vec<f64>,
    trial_smooth: Vec<f64>,
    trial_gradient: Vec<f64>,
}

impl OnSet {
    pub(super) fn new(weights: Vec<f64>, smooth: Vec<f64>, most: usize) -> Self {
        let n = weights.len();
        let zeros = || vec![0.0; n];
        Self {
            set: WorkingSet::new(n, most),
            weights,
            smooth,
            trial: zeros(),
            trial_smooth: zeros(),
            trial_gradient: zeros(),
        }
    }

    /// θ⁺ = the minimum over a set that has grown.
    pub(super) fn advance<P: Curvature>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), Reason> {
        loop {
            limits::check()?;
            let (weights, smooth, theta) = (&self.weights, &self.smooth, &state.theta);
            let (new, left) = self.set.grow(
                |j| weights[j] == 0.0 || theta[j] != 0.0,
                |j| smooth[j].abs() - weights[j],
                |rows, columns, out| eval::hessian_block(problem, theta, rows, columns, out),
            );
            if let Err(over) = limits::check() {
                // The new entries may not be there.
                self.set.clear();
                return Err(over);
            }
            // Full, and no member has more to give than who is left out.
            if new == 0 && left > 0 && self.set.is_behind(&state.gradient) {
                return Err(Reason::Stalled);
            }
            let promised = self.set.promise(weights, theta, &state.gradient);
            let at_floor = left == 0 && promised <= VISIBLE * state.value.abs();
            self.trial.copy_from_slice(theta);
            let goal = LEAST_FORCING * state.gradient_norm;
            if !self.set.minimise(weights, goal, &mut self.trial, smooth) {
                return Err(Reason::NonFiniteCurvature);
            }
            if self.take(problem, state, at_floor)? {
                return Ok(());
            }
            // Rounding is all that these members have: others may have more.
            if new == 0 || left == 0 {
                return Err(match (at_floor, left) {
                    (true, _) => Reason::RoundingFloor,
                    (false, 0) => Reason::LineSearchFailed,
                    // There is no room for those that have.
                    _ => Reason::Stalled,
                });
            }
        }
    }

    /// Moves to the trial point if F says so. False where it does not show.
    fn take<P: Curvature>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
        at_floor: bool,
    ) -> Result<bool, Reason> {
        let each = state.theta.iter().zip(&self.trial).zip(self.smooth.iter().zip(&self.weights));
        let promise: f64 =
            each.map(|((t, to), (g, w))| g * (to - t) + w * (to.abs() - t.abs())).sum();
        let noise = NOISE * state.value.abs();
        if promise.is_nan() || promise >= 0.0 {
            return Ok(false);
        }
        let smooth = eval::value_gradient(problem, &self.trial, &mut self.trial_smooth);
        let value = smooth + l1::value(&self.weights, &self.trial);
        if !(value.is_finite() && vector::all_finite(&self.trial_smooth)) {
            return Err(Reason::NonFiniteValue);
        }
        let (weights, at) = (&self.weights, &self.trial);
        l1::pseudo_gradient(weights, at, &self.trial_smooth, &mut self.trial_gradient);
        let gain = value - state.value;
        // Where the values have no digits left, ⋄F says whether the step was one.
        let unseen = gain.abs() <= noise && -promise <= noise;
        if unseen && vector::norm_inf(&self.trial_gradient) >= state.gradient_norm {
            return Ok(false);
        }
        if !(unseen || gain <= DECREASE * promise) {
            return Err(Reason::LineSearchFailed);
        }
        state.promising(!at_floor);
        state.accept(&mut self.trial, value, &mut self.trial_gradient);
        std::mem::swap(&mut self.smooth, &mut self.trial_smooth);
        Ok(true)
    }
}
