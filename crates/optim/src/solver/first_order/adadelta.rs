//! Adadelta: minimise f(θ) with steps in the units of θ, and no rate to choose.
//!
//! Update: r⁺ = ρ·r + (1 − ρ)·g⊙g;  Δ = −√(d + ε) / √(r⁺ + ε) ⊙ g;  d⁺ = ρ·d + (1 − ρ)·Δ⊙Δ;  θ⁺ = θ + Δ, g = ∇f(θ).
//! A rate other than 1 multiplies Δ in the last formula only.
//! Stop: [`Stopping`](crate::Stopping); a point that is not finite ends the run with the best point kept.
//! Memory 2n. Cost per step n, one evaluation of f with ∇f.
//! Source: Zeiler (2012), arXiv:1212.5701, algorithm 1.

use super::{At, FirstOrderMethod, Rule, blockwise, require_fraction, require_guard, require_rate};
use crate::error::OptimError;
use serde::{Deserialize, Serialize};

/// The method has no rate of its own: its step is taken as it is.
pub const RATE: f64 = 1.0;
/// ρ.  Zeiler (2012) §4.1.
pub const DECAY: f64 = 0.95;
/// ε.  Zeiler (2012) §4.1.
pub const EPSILON: f64 = 1e-6;

/// Adadelta: minimise f(θ) with steps in the units of θ, and no rate to choose.
pub type Adadelta = FirstOrderMethod<AdadeltaRule>;

/// The options of [`Adadelta`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdadeltaRule {
    /// What the step Δ is multiplied by, > 0. Default [`RATE`], the method as published.
    pub rate: f64,
    /// ρ in [0, 1). Default [`DECAY`].
    pub decay: f64,
    /// ε > 0, sets the first steps. Default [`EPSILON`].
    pub epsilon: f64,
}

impl Default for AdadeltaRule {
    fn default() -> Self {
        Self { rate: RATE, decay: DECAY, epsilon: EPSILON }
    }
}

impl Adadelta {
    /// ρ in [0, 1).
    pub fn with_decay(mut self, decay: f64) -> Self {
        self.rule.decay = decay;
        self
    }

    /// ε > 0, sets the first steps.
    pub fn with_epsilon(mut self, epsilon: f64) -> Self {
        self.rule.epsilon = epsilon;
        self
    }
}

impl Rule for AdadeltaRule {
    const NAME: &'static str = "Adadelta";
    /// r and d
    type Memory = [Vec<f64>; 2];

    fn advance(&self, [squares, steps]: &mut Self::Memory, at: &At<'_>, next: &mut [f64]) {
        let (rho, epsilon) = (self.decay, self.epsilon);
        let parts = (((&mut squares[..], &mut steps[..]), (at.theta, at.gradient)), next);
        blockwise(
            at.theta.len(),
            parts,
            #[inline(always)]
            |(((r, d), (theta, g)), next)| {
                let memory = r.iter_mut().zip(d);
                for (((r, d), (theta, g)), next) in memory.zip(theta.iter().zip(g)).zip(next) {
                    *r = rho * *r + (1.0 - rho) * g * g;
                    let delta = -((*d + epsilon) / (*r + epsilon)).sqrt() * g;
                    *d = rho * *d + (1.0 - rho) * delta * delta;
                    *next = theta + at.rate * delta;
                }
            },
        );
    }
    fn rate(&self) -> f64 {
        self.rate
    }
    fn set_rate(&mut self, rate: f64) {
        self.rate = rate;
    }
    fn validate(&self) -> Result<(), OptimError> {
        require_rate(Self::NAME, self.rate)?;
        require_fraction(Self::NAME, "decay", self.decay)?;
        require_guard(Self::NAME, "epsilon", self.epsilon)
    }
}
