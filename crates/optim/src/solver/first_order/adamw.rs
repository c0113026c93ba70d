//! `AdamW`: minimise f(θ) as Adam does, with the parameters drawn to zero beside its step.
//!
//! Update: s⁺ = ρ₁·s + (1 − ρ₁)·g;  r⁺ = ρ₂·r + (1 − ρ₂)·g⊙g;  ŝ = s⁺/(1 − ρ₁ᵗ);  r̂ = r⁺/(1 − ρ₂ᵗ);
//! θ⁺ = θ − ε·(ŝ / (√r̂ + δ) + λ·θ), g = ∇f(θ), t = 1 for the first step.
//! The decay λθ is no part of g, so that every parameter decays at the same rate, whatever its gradients: a ridge penalty in f
//! would be divided by √r̂. Loshchilov & Hutter multiply λ by the schedule and not by ε; their λ is ε·λ here, as in PyTorch.
//! The point that it comes to rest at is no minimum of f: there ŝ/(√r̂ + δ) = −λθ, and the gradient test is not met.
//! Stop: [`Stopping`](crate::Stopping); a point that is not finite ends the run with the best point kept.
//! Memory 2n. Cost per step n, one evaluation of f with ∇f.
//! Source: Loshchilov & Hutter (2019), arXiv:1711.05101, algorithm 2.

use super::{At, FirstOrderMethod, Moments, Rule, require_rate};
use crate::error::{OptimError, require};
use serde::{Deserialize, Serialize};

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

/// `AdamW`: Adam with a weight decay that does not pass through its means.
pub type AdamW = FirstOrderMethod<AdamWRule>;

/// The options of [`AdamW`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamWRule {
    /// ε > 0, in the decay as well. Default [`RATE`].
    pub rate: f64,
    /// ρ₁ in [0, 1). Default [`DECAY_MEAN`].
    pub decay_mean: f64,
    /// ρ₂ in [0, 1). Default [`DECAY_SQUARE`].
    pub decay_square: f64,
    /// δ > 0, keeps the division finite. Default [`DELTA`].
    pub delta: f64,
    /// λ ≥ 0, on all parameters. Default [`WEIGHT_DECAY`].
    pub weight_decay: f64,
}

impl Default for AdamWRule {
    fn default() -> Self {
        Self {
            rate: RATE,
            decay_mean: DECAY_MEAN,
            decay_square: DECAY_SQUARE,
            delta: DELTA,
            weight_decay: WEIGHT_DECAY,
        }
    }
}

impl AdamW {
    /// ρ₁ in [0, 1).
    pub fn with_decay_mean(mut self, decay_mean: f64) -> Self {
        self.rule.decay_mean = decay_mean;
        self
    }

    /// ρ₂ in [0, 1).
    pub fn with_decay_square(mut self, decay_square: f64) -> Self {
        self.rule.decay_square = decay_square;
        self
    }

    /// δ > 0, keeps the division finite.
    pub fn with_delta(mut self, delta: f64) -> Self {
        self.rule.delta = delta;
        self
    }

    /// λ ≥ 0, on all parameters.
    pub fn with_weight_decay(mut self, weight_decay: f64) -> Self {
        self.rule.weight_decay = weight_decay;
        self
    }
}

impl AdamWRule {
    fn moments(&self) -> Moments {
        let Self { decay_mean, decay_square, delta, .. } = *self;
        Moments { decay_mean, decay_square, delta }
    }
}

impl Rule for AdamWRule {
    const NAME: &'static str = "AdamW";
    /// s and r
    type Memory = [Vec<f64>; 2];

    fn advance(&self, memory: &mut Self::Memory, at: &At<'_>, next: &mut [f64]) {
        self.moments().advance(1.0 - at.rate * self.weight_decay, memory, at, next);
    }
    fn rate(&self) -> f64 {
        self.rate
    }
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
    fn validate(&self) -> Result<(), OptimError> {
        require_rate(Self::NAME, self.rate)?;
        self.moments().validate(Self::NAME)?;
        let decay = self.weight_decay;
        let inside = decay >= 0.0 && decay.is_finite();
        require(inside, Self::NAME, "weight_decay", decay, "[0, ∞)")
    }
}
