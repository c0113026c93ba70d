//! `RMSProp`: minimise f(θ) with a rate per parameter set by a decaying mean of its squared gradients.
//!
//! Update: r⁺ = ρ·r + (1 − ρ)·g⊙g;  θ⁺ = θ − ε·g / √(δ + r⁺), elementwise, g = ∇f(θ); with [`Guard::OutsideRoot`] it is
//! θ⁺ = θ − ε·g / (δ + √r⁺), as PyTorch has it.
//! Stop: [`Stopping`]; a point that is not finite ends the run with the best point kept.
//! Memory n. Cost per step n, one evaluation of f with ∇f.
//! Source: Hinton (2012), lecture 6e; Goodfellow et al. (2016) algorithm 8.5.

use super::{Buffers, FirstOrder, RuleSolver};
use crate::error::OptimError;
use crate::minibatch::schedule::Schedule;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::bytes;
use crate::run::state::FitState;
use crate::run::stopping::Stopping;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;

/// ε.  Hinton (2012).
pub const RATE: f64 = 0.001;
/// ρ.  Hinton (2012).
pub const DECAY: f64 = 0.9;
/// δ.  Goodfellow et al. algorithm 8.5.
pub const DELTA: f64 = 1e-6;
const NAME: &str = "RMSProp";

/// Where δ stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// √(δ + r).  Goodfellow et al. algorithm 8.5.
    #[default]
    InsideRoot,
    /// δ + √r.  PyTorch.
    OutsideRoot,
}

/// `RMSProp`: minimise f(θ) with a rate per parameter set by a decaying mean of its squared gradients.
#[derive(Clone, Debug)]
pub struct RmsProp {
    /// ε > 0. Default [`RATE`].
    pub rate: f64,
    /// ρ in [0, 1). Default [`DECAY`].
    pub decay: f64,
    /// δ > 0, keeps the division finite. Default [`DELTA`].
    pub delta: f64,
    /// Where δ stands. Default [`Guard::InsideRoot`].
    pub guard: Guard,
    /// What each step multiplies ε by. Default constant.
    pub schedule: Schedule,
    /// When to stop.
    pub stopping: Stopping,
    /// r
    squares: Vec<f64>,
    buffers: Buffers,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            rate: RATE,
            decay: DECAY,
            delta: DELTA,
            guard: Guard::default(),
            schedule: Schedule::default(),
            stopping: Stopping::default(),
            squares: Vec::new(),
            buffers: Buffers::default(),
        }
    }
}

impl RmsProp {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// ε > 0.
    pub fn with_rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// ρ in [0, 1).
    pub fn with_decay(mut self, decay: f64) -> Self {
        self.decay = decay;
        self
    }

    /// δ > 0, keeps the division finite.
    pub fn with_delta(mut self, delta: f64) -> Self {
        self.delta = delta;
        self
    }

    /// Where δ stands.
    pub fn with_guard(mut self, guard: Guard) -> Self {
        self.guard = guard;
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

impl FirstOrder for RmsProp {
    fn reset(&mut self, n: usize) {
        self.squares = vec![0.0; n];
    }
    fn update(&mut self, t: u64, _theta: &[f64], gradient: &[f64], step: &mut [f64]) {
        let rate = self.rate * self.schedule.factor(t);
        for ((r, g), step) in self.squares.iter_mut().zip(gradient).zip(step) {
            *r = self.decay * *r + (1.0 - self.decay) * g * g;
            let size = match self.guard {
                Guard::InsideRoot => (self.delta + *r).sqrt(),
                Guard::OutsideRoot => self.delta + r.sqrt(),
            };
            *step = -rate * g / size;
        }
    }
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
}

impl RuleSolver for RmsProp {
    fn buffers_mut(&mut self) -> &mut Buffers {
        &mut self.buffers
    }
}

impl FitSolver for RmsProp {
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
        super::require_fraction(NAME, "decay", self.decay)?;
        super::require_guard(NAME, "delta", self.delta)?;
        self.schedule.validate(NAME)?;
        self.stopping.validate(NAME)
    }
}

impl<P: Objective> Solver<P, FitState> for RmsProp {
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
