//! Adadelta: minimise f(θ) with steps in the units of θ, and no rate to choose.
//!
//! Update: r⁺ = ρ·r + (1 − ρ)·g⊙g;  Δ = −√(d + ε) / √(r⁺ + ε) ⊙ g;  d⁺ = ρ·d + (1 − ρ)·Δ⊙Δ;  θ⁺ = θ + Δ, g = ∇f(θ).
//! A rate other than 1 multiplies Δ in the last formula only.
//! Stop: [`Stopping`]; a point that is not finite ends the run with the best point kept.
//! Memory 2n. Cost per step n, one evaluation of f with ∇f.
//! Source: Zeiler (2012), arXiv:1212.5701, algorithm 1.

use super::{Buffers, FirstOrder, RuleSolver};
use crate::error::OptimError;
use crate::minibatch::schedule::Schedule;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::bytes;
use crate::run::state::FitState;
use crate::run::stopping::Stopping;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;

/// The method has no rate of its own: its step is taken as it is.
pub const RATE: f64 = 1.0;
/// ρ.  Zeiler (2012) §4.1.
pub const DECAY: f64 = 0.95;
/// ε.  Zeiler (2012) §4.1.
pub const EPSILON: f64 = 1e-6;
const NAME: &str = "Adadelta";

/// Adadelta: minimise f(θ) with steps in the units of θ, and no rate to choose.
#[derive(Clone, Debug)]
pub struct Adadelta {
    /// What the step Δ is multiplied by, > 0. Default [`RATE`], the method as published.
    pub rate: f64,
    /// ρ in [0, 1). Default [`DECAY`].
    pub decay: f64,
    /// ε > 0, sets the first steps. Default [`EPSILON`].
    pub epsilon: f64,
    /// What each step multiplies the rate by. Default constant.
    pub schedule: Schedule,
    /// When to stop.
    pub stopping: Stopping,
    /// r
    squares: Vec<f64>,
    /// d
    steps: Vec<f64>,
    buffers: Buffers,
}

impl Default for Adadelta {
    fn default() -> Self {
        Self {
            rate: RATE,
            decay: DECAY,
            epsilon: EPSILON,
            schedule: Schedule::default(),
            stopping: Stopping::default(),
            squares: Vec::new(),
            steps: Vec::new(),
            buffers: Buffers::default(),
        }
    }
}

impl Adadelta {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the step Δ is multiplied by, > 0.
    pub fn with_rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// ρ in [0, 1).
    pub fn with_decay(mut self, decay: f64) -> Self {
        self.decay = decay;
        self
    }

    /// ε > 0, sets the first steps.
    pub fn with_epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// What each step multiplies the rate by.
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

impl FirstOrder for Adadelta {
    fn reset(&mut self, n: usize) {
        self.squares = vec![0.0; n];
        self.steps = vec![0.0; n];
    }
    fn update(&mut self, t: u64, _theta: &[f64], gradient: &[f64], step: &mut [f64]) {
        let rate = self.rate * self.schedule.factor(t);
        let (rho, epsilon) = (self.decay, self.epsilon);
        let memory = self.squares.iter_mut().zip(&mut self.steps);
        for (((r, d), g), step) in memory.zip(gradient).zip(step) {
            *r = rho * *r + (1.0 - rho) * g * g;
            let delta = -((*d + epsilon) / (*r + epsilon)).sqrt() * g;
            *d = rho * *d + (1.0 - rho) * delta * delta;
            *step = rate * delta;
        }
    }
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
}

impl RuleSolver for Adadelta {
    fn buffers_mut(&mut self) -> &mut Buffers {
        &mut self.buffers
    }
}

impl FitSolver for Adadelta {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        Some(bytes(&[(8, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        super::require_rate(NAME, self.rate)?;
        super::require_fraction(NAME, "decay", self.decay)?;
        super::require_guard(NAME, "epsilon", self.epsilon)?;
        self.schedule.validate(NAME)?;
        self.stopping.validate(NAME)
    }
}

impl<P: Objective> Solver<P, FitState> for Adadelta {
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
