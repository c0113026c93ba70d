//! The last digits of a least-squares fit: undamped steps where f is too coarse to judge them.
//!
//! Near a minimum f exceeds its least value by ½·offset²·‖r‖², which f cannot show below an offset of √ε, while θ is good to
//! the offset itself. So from [`NEAR`] on, θ⁺ = θ − J⁺r is kept while it brings the offset down, whatever the rounding of f does;
//! for an exact fit, where the offset says nothing, while it halves f.
//!
//! With large residuals these steps converge linearly, of some problems by a third a step: dozens of J from 1e-4 to 1e-12. Once one was
//! slow they are mixed (Anderson) with those before, in the norm ‖J·p‖, which is superlinear; a mixed step that brings the offset no further
//! is followed by a plain one.
//! Source: Bates & Watts (1981) for the offset.

use super::residual_model::{NEAR, NextPoint, Place, ResidualModel, Scaling};
use crate::linalg::anderson::Anderson;
use crate::linalg::vector;
use crate::run::eval;
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use argmin::core::Problem;
use secant_core::problem::LeastSquares;
use serde::{Deserialize, Serialize};

/// ‖J·p‖ ≤ this · ‖r‖: the minimum is nearer than 1e-12 standard deviations.
pub const OFFSET_TOLERANCE: f64 = 1e-12;
/// ‖∇f‖∞ ≤ ε²·‖∇f(θ₀)‖∞. Only for exact fits with a singular J, which go on halving otherwise until f underflows.
pub const GRADIENT_TOLERANCE: f64 = f64::EPSILON * f64::EPSILON;
/// A decrease below this part of f may drown in the rounding of r; √ε.
pub(crate) const RESOLVED: f64 = 1.5e-8;
/// An undamped step is kept when it brings the offset below this part of it.
pub(crate) const KEEP: f64 = 0.9;
/// A step that leaves more than this of the offset is slow: without mixing, a digit a step at most.
pub(crate) const SLOW: f64 = 0.1;
/// Most steps in one iteration; the offset can fall by [`KEEP`] as often on the way from 1e-4 to 1e-12.
pub(crate) const STEPS: u32 = 180;
/// After a refusal they are tried again when the offset or f has fallen below this part.
pub(crate) const AGAIN: f64 = 0.1;
/// An offset that leaves this² of f to gain, some ε, and does not fall under undamped steps: the floor.
pub(crate) const FLOOR_OFFSET: f64 = 1e-7;
/// ‖r‖ ≤ this · ε · ‖r₀‖ is rounding left over from the start.
pub(crate) const FLOOR_RESIDUAL: f64 = 64.0;

/// What one pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Polished {
    /// Not near a minimum, or there, or still on the way.
    Open,
    /// An undamped step was refused, and what is left to gain is below the resolution of f.
    Floor,
}

/// Where undamped steps were refused, and those that were not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Polish {
    /// They are not tried before the offset is below this,
    offset: f64,
    /// or f below this.
    value: f64,
    /// None where the model has no norm for it at hand.
    mixing: Option<Anderson>,
    /// A step of this pass was slow.
    slow: bool,
}

impl Polish {
    pub(crate) fn new(model: &ResidualModel) -> Self {
        let mixing = model.mixing();
        Self { offset: f64::INFINITY, value: f64::INFINITY, mixing, slow: false }
    }

    /// Ends an iteration: undamped steps where they help, the trace, and the tests of the end.
    pub(crate) fn finish<P: LeastSquares>(
        &mut self,
        (model, next): (&mut ResidualModel, &mut NextPoint),
        (scaling, offset_tolerance): (Scaling, f64),
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) {
        let mut polished = Polished::Open;
        if !state.meets(stopping) {
            let point = (&mut *model, next);
            polished = self.run(point, (scaling, offset_tolerance), problem, state);
        }
        eval::finish(stopping, problem, state);
        if model.offset() <= offset_tolerance {
            state.stop(Reason::OffsetConverged);
        } else if polished == Polished::Floor {
            state.stop(Reason::RoundingFloor);
        }
    }

    /// Undamped steps within the iteration, while they help.
    fn run<P: LeastSquares>(
        &mut self,
        (model, next): (&mut ResidualModel, &mut NextPoint),
        (scaling, offset_tolerance): (Scaling, f64),
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Polished {
        self.mixing.iter_mut().for_each(Anderson::clear);
        self.slow = false;
        for _ in 0..STEPS {
            let (offset, value) = (model.offset(), state.value);
            let near = offset <= NEAR.min(self.offset);
            let exact = at_floor(state) && value <= self.value;
            if !(near || exact) || offset <= offset_tolerance {
                return Polished::Open;
            }
            if !self.step((model, next), scaling, problem, state) {
                (self.offset, self.value) = (AGAIN * offset, AGAIN * value);
                let nothing = model.offset() <= FLOOR_OFFSET || rounding_of_start(state);
                return if nothing { Polished::Floor } else { Polished::Open };
            }
            self.slow |= model.offset() > SLOW * offset;
        }
        Polished::Open
    }

    /// One undamped step, mixed with those before where they are slow; whether it was kept.
    fn step<P: LeastSquares>(
        &mut self,
        (model, next): (&mut ResidualModel, &mut NextPoint),
        scaling: Scaling,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> bool {
        if !solve((model, next), problem, state) {
            return false;
        }
        let Some(mixing) = &mut self.mixing else {
            return take((model, next), scaling, problem, state);
        };
        mixing.learn(&state.theta, &next.step);
        if self.slow && model.mix(mixing, &mut next.step) {
            if take((model, next), scaling, problem, state) {
                return true;
            }
            // The points before lead astray; the model here is as it was.
            mixing.clear();
            if !solve((model, next), problem, state) {
                return false;
            }
            mixing.learn(&state.theta, &next.step);
        }
        take((model, next), scaling, problem, state)
    }
}

/// `next.step` ← the undamped step; whether there is one.
fn solve<P: LeastSquares>(
    (model, next): (&mut ResidualModel, &mut NextPoint),
    problem: &mut Problem<P>,
    state: &FitState,
) -> bool {
    let mut place = Place { problem, theta: &state.theta };
    model.solve(&mut place, 0.0, &mut next.scaled, &mut next.step).is_some()
}

/// Tries `next.step`; whether it was kept.
fn take<P: LeastSquares>(
    (model, next): (&mut ResidualModel, &mut NextPoint),
    scaling: Scaling,
    problem: &mut Problem<P>,
    state: &mut FitState,
) -> bool {
    vector::step(&state.theta, 1.0, &next.step, &mut next.theta);
    if next.theta == state.theta {
        return false;
    }
    let value = model.residuals(problem, &next.theta);
    // Written so that NaN is refused.
    let no_rise = value <= state.value + RESOLVED * state.value;
    if !no_rise || !next.linearize(model, problem, scaling) {
        return false;
    }
    let nearer = model.next.offset <= KEEP * model.offset();
    if !(nearer || value <= 0.5 * state.value) {
        return false;
    }
    let mut place = Place { problem, theta: &state.theta };
    model.advance(&mut place, next, &state.gradient);
    state.refine(&mut next.theta, value, &mut next.gradient);
    state.prefer();
    true
}

/// f is so far below its start that r may be rounding.
pub(crate) fn at_floor(state: &FitState) -> bool {
    state.value <= f64::EPSILON * state.start_summary().value
}

fn rounding_of_start(state: &FitState) -> bool {
    let left_over = FLOOR_RESIDUAL * f64::EPSILON;
    state.value <= left_over * left_over * state.start_summary().value
}
