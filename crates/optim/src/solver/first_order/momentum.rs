//! Momentum: minimise f(θ) with a velocity that remembers past gradients.
//!
//! Update: v⁺ = μ·v − ε·∇f(θ);  θ⁺ = θ + v⁺.
//! Stop: [`Stopping`]; a point that is not finite ends the run with the best point kept.
//! Memory n. Cost per step n, one evaluation of f with ∇f.
//! Source: Polyak (1964), USSR Comp. Math. 4(5); Goodfellow et al. (2016) algorithm 8.2.

use super::{Buffers, FirstOrder, RuleSolver};
use crate::error::OptimError;
use crate::minibatch::schedule::Schedule;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::bytes;
use crate::run::state::FitState;
use crate::run::stopping::Stopping;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;

/// ε: a common first try; the stable range is set by the largest curvature, ε < 2(1 + μ)/λmax.
pub const RATE: f64 = 0.01;
/// μ.  Goodfellow et al. §8.3.2: 0.5, 0.9, 0.99 in practice.
pub const MOMENTUM: f64 = 0.9;
const NAME: &str = "momentum";

/// Momentum: minimise f(θ) with a velocity that remembers past gradients.
#[derive(Clone, Debug)]
pub struct Momentum {
    /// ε > 0. Default [`RATE`].
    pub rate: f64,
    /// μ in [0, 1). Default [`MOMENTUM`].
    pub momentum: f64,
    /// What each step multiplies ε by. Default constant.
    pub schedule: Schedule,
    /// When to stop.
    pub stopping: Stopping,
    /// v
    velocity: Vec<f64>,
    buffers: Buffers,
}

impl Default for Momentum {
    fn default() -> Self {
        Self {
            rate: RATE,
            momentum: MOMENTUM,
            schedule: Schedule::default(),
            stopping: Stopping::default(),
            velocity: Vec::new(),
            buffers: Buffers::default(),
        }
    }
}

impl Momentum {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// ε > 0.
    pub fn with_rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// μ in [0, 1).
    pub fn with_momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// What each step multiplies ε by.
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }
}

impl FirstOrder for Momentum {
    fn reset(&mut self, n: usize) {
        self.velocity = vec![0.0; n];
    }
    fn update(&mut self, t: u64, _theta: &[f64], gradient: &[f64], step: &mut [f64]) {
        let rate = self.rate * self.schedule.factor(t);
        for ((v, g), step) in self.velocity.iter_mut().zip(gradient).zip(step) {
            *v = self.momentum * *v - rate * g;
            *step = *v;
        }
    }
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
}

impl RuleSolver for Momentum {
    fn buffers_mut(&mut self) -> &mut Buffers {
        &mut self.buffers
    }
}

impl FitSolver for Momentum {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        Some(bytes(&[(7, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        super::require_rate(NAME, self.rate)?;
        super::require_fraction(NAME, "momentum", self.momentum)?;
        self.schedule.validate(NAME)?;
        self.stopping.validate(NAME)
    }
}

impl<P: Objective> Solver<P, FitState> for Momentum {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        super::init(self, problem, state)
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        Ok((super::next_iter(self, problem, state), None))
    }
}
