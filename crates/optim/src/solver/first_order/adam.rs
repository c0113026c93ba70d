//! Adam: minimise f(θ) with decaying means of the gradient and of its square, corrected for their start at zero.
//!
//! Update: s⁺ = ρ₁·s + (1 − ρ₁)·g;  r⁺ = ρ₂·r + (1 − ρ₂)·g⊙g;  ŝ = s⁺/(1 − ρ₁ᵗ);  r̂ = r⁺/(1 − ρ₂ᵗ);
//! θ⁺ = θ − ε·ŝ / (√r̂ + δ), g = ∇f(θ), t = 1 for the first step.
//! The exponent t is the number of the step. Course slides often drop it and divide by 1 − ρ₁ and 1 − ρ₂ in every step: that
//! is right in the first step alone, and later steps are then (1 − ρ₁ᵗ)/(1 − ρ₁)·√((1 − ρ₂)/(1 − ρ₂ᵗ)) times theirs, in the
//! limit √(1 − ρ₂)/(1 − ρ₁) = 0.316 times with the defaults.
//! Stop: [`Stopping`](crate::Stopping); a point that is not finite ends the run with the best point kept.
//! Memory 2n. Cost per step n, ten vectors of n numbers moved; one evaluation of f with ∇f.
//! Source: Kingma & Ba (2015), arXiv:1412.6980, algorithm 1; Goodfellow et al. (2016) algorithm 8.7.

use super::{At, FirstOrderMethod, Moments, Rule, require_rate};
use crate::error::OptimError;
use serde::{Deserialize, Serialize};

/// ε.  Kingma & Ba algorithm 1.
pub const RATE: f64 = 0.001;
/// ρ₁.  Kingma & Ba algorithm 1.
pub const DECAY_MEAN: f64 = 0.9;
/// ρ₂.  Kingma & Ba algorithm 1.
pub const DECAY_SQUARE: f64 = 0.999;
/// δ.  Kingma & Ba algorithm 1.
pub const DELTA: f64 = 1e-8;

/// Adam: minimise f(θ) with decaying means of the gradient and of its square, corrected for their start at zero.
pub type Adam = FirstOrderMethod<AdamRule>;

/// The options of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamRule {
    /// ε > 0. Default [`RATE`].
    pub rate: f64,
    /// ρ₁ in [0, 1). Default [`DECAY_MEAN`].
    pub decay_mean: f64,
    /// ρ₂ in [0, 1). Default [`DECAY_SQUARE`].
    pub decay_square: f64,
    /// δ > 0, keeps the division finite. Default [`DELTA`].
    pub delta: f64,
}

impl Default for AdamRule {
    fn default() -> Self {
        Self { rate: RATE, decay_mean: DECAY_MEAN, decay_square: DECAY_SQUARE, delta: DELTA }
    }
}

impl Adam {
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
}

impl AdamRule {
    fn moments(&self) -> Moments {
        let Self { decay_mean, decay_square, delta, .. } = *self;
        Moments { decay_mean, decay_square, delta }
    }
}

impl Rule for AdamRule {
    const NAME: &'static str = "Adam";
    /// s and r
    type Memory = [Vec<f64>; 2];

    fn advance(&self, memory: &mut Self::Memory, at: &At<'_>, next: &mut [f64]) {
        self.moments().advance(1.0, memory, at, next);
    }
    fn rate(&self) -> f64 {
        self.rate
    }
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
    fn validate(&self) -> Result<(), OptimError> {
        require_rate(Self::NAME, self.rate)?;
        self.moments().validate(Self::NAME)
    }
}
