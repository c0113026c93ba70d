//! `AdamW`: minimise f(θ) as Adam does, with the parameters drawn to zero beside its step.
//!
//! Update: s⁺ = ρ₁·s + (1 − ρ₁)·g;  r⁺ = ρ₂·r + (1 − ρ₂)·g⊙g;  ŝ = s⁺/(1 − ρ₁ᵗ);  r̂ = r⁺/(1 − ρ₂ᵗ);
//! θ⁺ = θ − ε·(ŝ / (√r̂ + δ) + λ·θ), g = ∇f(θ), t = 1 for the first step.
//! The decay λθ is no part of g, so that every parameter decays at the same rate, whatever its gradients: a ridge penalty in f
//! would be divided by √r̂. Loshchilov & Hutter multiply λ by the schedule and not by ε; their λ is ε·λ here, as in PyTorch.
//! The point that it comes to rest at is no minimum of f: there ŝ/(√r̂ + δ) = −λθ, and the gradient test is not met.
//! Stop: [`Stopping`]; a point that is not finite ends the run with the best point kept.
//! Memory 2n. Cost per step n, one evaluation of f with ∇f.
//! Source: Loshchilov & Hutter (2019), arXiv:1711.05101, algorithm 2.

use super::{Buffers, FirstOrder, Moments, RuleSolver};
use crate::error::{OptimError, require};
use crate::minibatch::schedule::Schedule;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::bytes;
use crate::run::state::FitState;
use crate::run::stopping::Stopping;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;

/// ε.  Kingma & Ba algorithm 1.
pub const RATE: f64 = 0.001;
/// ρ₁.  Kingma & Ba algorithm 1.
pub const DECAY_MEAN: f64 = 0.9;
/// ρ₂.  Kingma & Ba algorithm 1.
pub const DECAY_SQUARE: f64 = 0.999;
/// δ.  Kingma & Ba algorithm 1.
pub const DELTA: f64 = 1e-8;
/// λ.  The `AdamW` of PyTorch; Loshchilov & Hutter search it, from 1e-3 up.
pub const WEIGHT_DECAY: f64 = 0.01;
const NAME: &str = "AdamW";

/// `AdamW`: Adam with a weight decay that does not pass through its means.
#[derive(Clone, Debug)]
pub struct AdamW {
    /// ε > 0. Default [`RATE`].
    pub rate: f64,
    /// ρ₁ in [0, 1). Default [`DECAY_MEAN`].
    pub decay_mean: f64,
    /// ρ₂ in [0, 1). Default [`DECAY_SQUARE`].
    pub decay_square: f64,
    /// δ > 0, keeps the division finite. Default [`DELTA`].
    pub delta: f64,
    /// λ ≥ 0, on all parameters. Default [`WEIGHT_DECAY`].
    pub weight_decay: f64,
    /// What each step multiplies ε by, in the decay as well. Default constant.
    pub schedule: Schedule,
    /// When to stop.
    pub stopping: Stopping,
    /// s
    mean: Vec<f64>,
    /// r
    square: Vec<f64>,
    buffers: Buffers,
}

impl Default for AdamW {
    fn default() -> Self {
        Self {
            rate: RATE,
            decay_mean: DECAY_MEAN,
            decay_square: DECAY_SQUARE,
            delta: DELTA,
            weight_decay: WEIGHT_DECAY,
            schedule: Schedule::default(),
            stopping: Stopping::default(),
            mean: Vec::new(),
            square: Vec::new(),
            buffers: Buffers::default(),
        }
    }
}

impl AdamW {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// ε > 0.
    pub fn with_rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// ρ₁ in [0, 1).
    pub fn with_decay_mean(mut self, decay_mean: f64) -> Self {
        self.decay_mean = decay_mean;
        self
    }

    /// ρ₂ in [0, 1).
    pub fn with_decay_square(mut self, decay_square: f64) -> Self {
        self.decay_square = decay_square;
        self
    }

    /// δ > 0, keeps the division finite.
    pub fn with_delta(mut self, delta: f64) -> Self {
        self.delta = delta;
        self
    }

    /// λ ≥ 0, on all parameters.
    pub fn with_weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
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

    /// `out` ← `carry`·θ + Δ from (θ, ∇f): the step for 0, the next point for 1.
    fn carry(&mut self, carry: f64, t: u64, at: (&[f64], &[f64]), out: &mut [f64]) {
        let (rule, rate) = (self.moments(), self.rate * self.schedule.factor(t));
        let moments = (&mut self.mean[..], &mut self.square[..]);
        rule.update(t, rate, carry - rate * self.weight_decay, at, moments, out);
    }

    fn moments(&self) -> Moments {
        let Self { decay_mean, decay_square, delta, .. } = *self;
        Moments { decay_mean, decay_square, delta }
    }
}

impl FirstOrder for AdamW {
    fn reset(&mut self, n: usize) {
        self.mean = vec![0.0; n];
        self.square = vec![0.0; n];
    }
    fn update(&mut self, t: u64, theta: &[f64], gradient: &[f64], step: &mut [f64]) {
        self.carry(0.0, t, (theta, gradient), step);
    }
    fn advance(
        &mut self,
        t: u64,
        theta: &[f64],
        gradient: &[f64],
        _step: &mut [f64],
        next: &mut [f64],
    ) {
        self.carry(1.0, t, (theta, gradient), next);
    }
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
}

impl RuleSolver for AdamW {
    fn buffers_mut(&mut self) -> &mut Buffers {
        &mut self.buffers
    }
}

impl FitSolver for AdamW {
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
        self.moments().validate(NAME)?;
        let decay = self.weight_decay;
        let inside = decay >= 0.0 && decay.is_finite();
        require(inside, NAME, "weight_decay", decay, "[0, ∞)")?;
        self.schedule.validate(NAME)?;
        self.stopping.validate(NAME)
    }
}

impl<P: Objective> Solver<P, FitState> for AdamW {
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
