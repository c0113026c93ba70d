//! Adadelta: minimise f(θ) with steps in the units of θ, and no rate to choose.
//!
//! Update: r⁺ = ρ·r + (1 − ρ)·g⊙g;  Δ = −√(d + ε) / √(r⁺ + ε) ⊙ g;  d⁺ = ρ·d + (1 − ρ)·Δ⊙Δ;  θ⁺ = θ + Δ, g = ∇f(θ).
//! Stop: [`Stopping`]; a point that is not finite ends the run with the best point kept.
//! Memory 2n. Cost per step n, one evaluation of f with ∇f.
//! Source: Zeiler (2012), arXiv:1212.5701, algorithm 1.

use super::FitSolver;
use super::first_order::{self, Buffers, RuleSolver, UpdateRule};
use crate::error::OptimError;
use crate::memory::bytes;
use crate::state::FitState;
use crate::stopping::Stopping;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;

/// ρ.  Zeiler (2012) §4.1.
pub const DECAY: f64 = 0.95;
/// ε.  Zeiler (2012) §4.1.
pub const EPSILON: f64 = 1e-6;
const NAME: &str = "Adadelta";

/// Adadelta: minimise f(θ) with steps in the units of θ, and no rate to choose.
#[derive(Clone, Debug)]
pub struct Adadelta {
    /// ρ in [0, 1). Default [`DECAY`].
    pub decay: f64,
    /// ε > 0, sets the first steps. Default [`EPSILON`].
    pub epsilon: f64,
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
            decay: DECAY,
            epsilon: EPSILON,
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

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }
}

impl UpdateRule for Adadelta {
    fn update(&mut self, _t: u64, gradient: &[f64], step: &mut [f64]) {
        let (rho, epsilon) = (self.decay, self.epsilon);
        let memory = self.squares.iter_mut().zip(&mut self.steps);
        for (((r, d), g), step) in memory.zip(gradient).zip(step) {
            *r = rho * *r + (1.0 - rho) * g * g;
            *step = -((*d + epsilon) / (*r + epsilon)).sqrt() * g;
            *d = rho * *d + (1.0 - rho) * *step * *step;
        }
    }
}

impl RuleSolver for Adadelta {
    fn buffers_mut(&mut self) -> &mut Buffers {
        &mut self.buffers
    }
    fn reset(&mut self, n: usize) {
        self.squares = vec![0.0; n];
        self.steps = vec![0.0; n];
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
        first_order::require_fraction(NAME, "decay", self.decay)?;
        first_order::require_guard(NAME, "epsilon", self.epsilon)?;
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
        first_order::init(self, problem, state)
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        Ok((first_order::next_iter(self, problem, state), None))
    }
}
