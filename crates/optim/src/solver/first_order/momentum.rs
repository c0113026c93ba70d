//! Momentum: minimise f(θ) with a velocity that remembers past gradients.
//!
//! Update: v⁺ = μ·v − ε·∇f(θ);  θ⁺ = θ + v⁺.
//! Stop: [`Stopping`](crate::Stopping); a point that is not finite ends the run with the best point kept.
//! Memory n. Cost per step n, one evaluation of f with ∇f.
//! Source: Polyak (1964), USSR Comp. Math. 4(5); Goodfellow et al. (2016) algorithm 8.2.

use super::{At, FirstOrderMethod, Rule, blockwise, require_fraction, require_rate};
use crate::error::OptimError;
use serde::{Deserialize, Serialize};

/// ε: a common first try; the stable range is set by the largest curvature, ε < 2(1 + μ)/λmax.
pub const RATE: f64 = 0.01;
/// μ.  Goodfellow et al. §8.3.2: 0.5, 0.9, 0.99 in practice.
pub const MOMENTUM: f64 = 0.9;

/// Momentum: minimise f(θ) with a velocity that remembers past gradients.
pub type Momentum = FirstOrderMethod<MomentumRule>;

/// The options of [`Momentum`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MomentumRule {
    /// ε > 0. Default [`RATE`].
    pub rate: f64,
    /// μ in [0, 1). Default [`MOMENTUM`].
    pub momentum: f64,
}

impl Default for MomentumRule {
    fn default() -> Self {
        Self { rate: RATE, momentum: MOMENTUM }
    }
}

impl Momentum {
    /// μ in [0, 1).
    pub fn with_momentum(mut self, momentum: f64) -> Self {
        self.rule.momentum = momentum;
        self
    }
}

impl Rule for MomentumRule {
    const NAME: &'static str = "momentum";
    /// v
    type Memory = [Vec<f64>; 1];

    fn advance(&self, [velocity]: &mut Self::Memory, at: &At<'_>, next: &mut [f64]) {
        let parts = ((&mut velocity[..], (at.theta, at.gradient)), next);
        blockwise(
            at.theta.len(),
            parts,
            #[inline(always)]
            |((v, (theta, g)), next)| {
                for ((v, (theta, g)), next) in v.iter_mut().zip(theta.iter().zip(g)).zip(next) {
                    *v = self.momentum * *v - at.rate * g;
                    *next = theta + *v;
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
        require_fraction(Self::NAME, "momentum", self.momentum)
    }
}
