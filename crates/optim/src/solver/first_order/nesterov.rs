//! Nesterov: minimise f(θ) with momentum whose gradient is taken ahead, at θ + μv.
//!
//! Update: v⁺ = μ·v − ε·∇f(θ + μv);  θ⁺ = θ + v⁺.
//! The iterate reported is the point ahead, ϑ = θ + μv, where value and gradient are evaluated; in its terms
//! ϑ⁺ = ϑ − μ·v + (1 + μ)·v⁺. The two coincide at the minimum, where v = 0.
//! Stop: [`Stopping`]; a point that is not finite ends the run with the best point kept.
//! Memory n. Cost per step n, one evaluation of f with ∇f.
//! Source: Nesterov (1983), Soviet Math. Dokl. 27; Sutskever et al. (2013); Goodfellow et al. (2016) algorithm 8.3.

use super::{Buffers, FirstOrder, RuleSolver};
use crate::error::OptimError;
use crate::minibatch::schedule::Schedule;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::bytes;
use crate::run::state::FitState;
use crate::run::stopping::Stopping;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;

/// ε: a common first try; for a convex f with μ → 1, ε ≤ 1/λmax.
pub const RATE: f64 = 0.01;
/// μ.  Goodfellow et al. §8.3.2: 0.5, 0.9, 0.99 in practice.
pub const MOMENTUM: f64 = 0.9;
const NAME: &str = "Nesterov";

/// Nesterov: minimise f(θ) with momentum whose gradient is taken ahead, at θ + μv.
#[derive(Clone, Debug)]
pub struct Nesterov {
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

impl Default for Nesterov {
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

impl Nesterov {
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

impl FirstOrder for Nesterov {
    fn reset(&mut self, n: usize) {
        self.velocity = vec![0.0; n];
    }
    fn update(&mut self, t: u64, _theta: &[f64], gradient: &[f64], step: &mut [f64]) {
        let rate = self.rate * self.schedule.factor(t);
        for ((v, g), step) in self.velocity.iter_mut().zip(gradient).zip(step) {
            let ahead = self.momentum * *v - rate * g;
            *step = (1.0 + self.momentum) * ahead - self.momentum * *v;
            *v = ahead;
        }
    }
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
}

impl RuleSolver for Nesterov {
    fn buffers_mut(&mut self) -> &mut Buffers {
        &mut self.buffers
    }
}

impl FitSolver for Nesterov {
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

impl<P: Objective> Solver<P, FitState> for Nesterov {
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
