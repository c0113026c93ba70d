//! `AdaGrad`: minimise f(θ) with a rate per parameter that falls with its squared gradients so far.
//!
//! Update: r⁺ = r + g⊙g;  θ⁺ = θ − ε·g / (δ + √r⁺), elementwise, g = ∇f(θ).
//! Stop: [`Stopping`]; a point that is not finite ends the run with the best point kept.
//! Memory n. Cost per step n, one evaluation of f with ∇f.
//! Source: Duchi, Hazan & Singer (2011), JMLR 12; Goodfellow et al. (2016) algorithm 8.4.

use super::{Buffers, FirstOrder, RuleSolver};
use crate::error::OptimError;
use crate::minibatch::schedule::Schedule;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::bytes;
use crate::run::state::FitState;
use crate::run::stopping::Stopping;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;

/// ε: a common first try.
pub const RATE: f64 = 0.01;
/// δ.  Goodfellow et al. algorithm 8.4.
pub const DELTA: f64 = 1e-7;
const NAME: &str = "AdaGrad";

/// `AdaGrad`: minimise f(θ) with a rate per parameter that falls with its squared gradients so far.
#[derive(Clone, Debug)]
pub struct AdaGrad {
    /// ε > 0. Default [`RATE`].
    pub rate: f64,
    /// δ > 0, keeps the division finite. Default [`DELTA`].
    pub delta: f64,
    /// What each step multiplies ε by. Default constant.
    pub schedule: Schedule,
    /// When to stop.
    pub stopping: Stopping,
    /// r
    squares: Vec<f64>,
    buffers: Buffers,
}

impl Default for AdaGrad {
    fn default() -> Self {
        Self {
            rate: RATE,
            delta: DELTA,
            schedule: Schedule::default(),
            stopping: Stopping::default(),
            squares: Vec::new(),
            buffers: Buffers::default(),
        }
    }
}

impl AdaGrad {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// ε > 0.
    pub fn with_rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// δ > 0, keeps the division finite.
    pub fn with_delta(mut self, delta: f64) -> Self {
        self.delta = delta;
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

impl FirstOrder for AdaGrad {
    fn reset(&mut self, n: usize) {
        self.squares = vec![0.0; n];
    }
    fn update(&mut self, t: u64, _theta: &[f64], gradient: &[f64], step: &mut [f64]) {
        let rate = self.rate * self.schedule.factor(t);
        for ((r, g), step) in self.squares.iter_mut().zip(gradient).zip(step) {
            *r += g * g;
            *step = -rate * g / (self.delta + r.sqrt());
        }
    }
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
}

impl RuleSolver for AdaGrad {
    fn buffers_mut(&mut self) -> &mut Buffers {
        &mut self.buffers
    }
}

impl FitSolver for AdaGrad {
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
        super::require_guard(NAME, "delta", self.delta)?;
        self.schedule.validate(NAME)?;
        self.stopping.validate(NAME)
    }
}

impl<P: Objective> Solver<P, FitState> for AdaGrad {
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
