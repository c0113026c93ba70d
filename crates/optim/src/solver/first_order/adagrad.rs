//! `AdaGrad`: minimise f(θ) with a rate per parameter that falls with its squared gradients so far.
//!
//! Update: r⁺ = r + g⊙g;  θ⁺ = θ − ε·g / (δ + √r⁺), elementwise, g = ∇f(θ).
//! Stop: [`Stopping`](crate::Stopping); a point that is not finite ends the run with the best point kept.
//! Memory n. Cost per step n, one evaluation of f with ∇f.
//! Source: Duchi, Hazan & Singer (2011), JMLR 12; Goodfellow et al. (2016) algorithm 8.4.

use super::{At, FirstOrderMethod, Rule, blockwise, require_guard, require_rate};
use crate::error::OptimError;
use serde::{Deserialize, Serialize};

/// ε: a common first try.
pub const RATE: f64 = 0.01;
/// δ.  Goodfellow et al. algorithm 8.4.
pub const DELTA: f64 = 1e-7;

/// `AdaGrad`: minimise f(θ) with a rate per parameter that falls with its squared gradients so far.
pub type AdaGrad = FirstOrderMethod<AdaGradRule>;

/// The options of [`AdaGrad`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdaGradRule {
    /// ε > 0. Default [`RATE`].
    pub rate: f64,
    /// δ > 0, keeps the division finite. Default [`DELTA`].
    pub delta: f64,
}

impl Default for AdaGradRule {
    fn default() -> Self {
        Self { rate: RATE, delta: DELTA }
    }
}

impl AdaGrad {
    /// δ > 0, keeps the division finite.
    pub fn with_delta(mut self, delta: f64) -> Self {
        self.rule.delta = delta;
        self
    }
}

impl Rule for AdaGradRule {
    const NAME: &'static str = "AdaGrad";
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
                    *r += g * g;
                    *next = theta - at.rate * g / (self.delta + r.sqrt());
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
        require_guard(Self::NAME, "delta", self.delta)
    }
}
