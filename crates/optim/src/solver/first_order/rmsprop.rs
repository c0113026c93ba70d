//! `RMSProp`: minimise f(θ) with a rate per parameter set by a decaying mean of its squared gradients.
//!
//! Update: r⁺ = ρ·r + (1 − ρ)·g⊙g;  θ⁺ = θ − ε·g / √(δ + r⁺), elementwise, g = ∇f(θ); with [`Guard::OutsideRoot`] it is
//! θ⁺ = θ − ε·g / (δ + √r⁺), as PyTorch has it.
//! Stop: [`Stopping`](crate::Stopping); a point that is not finite ends the run with the best point kept.
//! Memory n. Cost per step n, one evaluation of f with ∇f.
//! Source: Hinton (2012), lecture 6e; Goodfellow et al. (2016) algorithm 8.5.

use super::{At, FirstOrderMethod, Rule, blockwise, require_fraction, require_guard, require_rate};
use crate::error::OptimError;
use serde::{Deserialize, Serialize};

/// ε.  Hinton (2012).
pub const RATE: f64 = 0.001;
/// ρ.  Hinton (2012).
pub const DECAY: f64 = 0.9;
/// δ.  Goodfellow et al. algorithm 8.5.
pub const DELTA: f64 = 1e-6;

/// Where δ stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Guard {
    /// √(δ + r).  Goodfellow et al. algorithm 8.5.
    #[default]
    InsideRoot,
    /// δ + √r.  PyTorch.
    OutsideRoot,
}

/// `RMSProp`: minimise f(θ) with a rate per parameter set by a decaying mean of its squared gradients.
pub type RmsProp = FirstOrderMethod<RmsPropRule>;

/// The options of [`RmsProp`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RmsPropRule {
    /// ε > 0. Default [`RATE`].
    pub rate: f64,
    /// ρ in [0, 1). Default [`DECAY`].
    pub decay: f64,
    /// δ > 0, keeps the division finite. Default [`DELTA`].
    pub delta: f64,
    /// Where δ stands. Default [`Guard::InsideRoot`].
    pub guard: Guard,
}

impl Default for RmsPropRule {
    fn default() -> Self {
        Self { rate: RATE, decay: DECAY, delta: DELTA, guard: Guard::default() }
    }
}

impl RmsProp {
    /// ρ in [0, 1).
    pub fn with_decay(mut self, decay: f64) -> Self {
        self.rule.decay = decay;
        self
    }

    /// δ > 0, keeps the division finite.
    pub fn with_delta(mut self, delta: f64) -> Self {
        self.rule.delta = delta;
        self
    }

    /// Where δ stands.
    pub fn with_guard(mut self, guard: Guard) -> Self {
        self.rule.guard = guard;
        self
    }
}

impl Rule for RmsPropRule {
    const NAME: &'static str = "RMSProp";
    /// r
    type Memory = [Vec<f64>; 1];

    fn advance(&self, [squares]: &mut Self::Memory, at: &At<'_>, next: &mut [f64]) {
        let parts = ((&mut squares[..], (at.theta, at.gradient)), next);
        blockwise(
            at.theta.len(),
            parts,
            #[inline(always)]
            |((r, (theta, g)), next)| {
                for ((r, (theta, g)), next) in r.iter_mut().zip(theta.iter().zip(g)).zip(next) {
                    *r = self.decay * *r + (1.0 - self.decay) * g * g;
                    let size = match self.guard {
                        Guard::InsideRoot => (self.delta + *r).sqrt(),
                        Guard::OutsideRoot => self.delta + r.sqrt(),
                    };
                    *next = theta - at.rate * g / size;
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
        require_guard(Self::NAME, "delta", self.delta)
    }
}
