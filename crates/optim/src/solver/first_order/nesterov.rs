//! Nesterov: minimise f(θ) with momentum whose gradient is taken ahead, at θ + μv.
//!
//! Update: v⁺ = μ·v − ε·∇f(θ + μv);  θ⁺ = θ + v⁺.
//! The iterate reported is the point ahead, ϑ = θ + μv, where value and gradient are evaluated; in its terms
//! ϑ⁺ = ϑ − μ·v + (1 + μ)·v⁺. The two coincide at the minimum, where v = 0.
//! Stop: [`Stopping`](crate::Stopping); a point that is not finite ends the run with the best point kept.
//! Memory n. Cost per step n, one evaluation of f with ∇f.
//! Source: Nesterov (1983), Soviet Math. Dokl. 27; Sutskever et al. (2013); Goodfellow et al. (2016) algorithm 8.3.

use super::{At, FirstOrderMethod, Rule, blockwise, require_fraction, require_rate};
use crate::error::OptimError;
use serde::{Deserialize, Serialize};

/// ε: a common first try; for a convex f with μ → 1, ε ≤ 1/λmax.
pub const RATE: f64 = 0.01;
/// μ.  Goodfellow et al. §8.3.2: 0.5, 0.9, 0.99 in practice.
pub const MOMENTUM: f64 = 0.9;

/// Nesterov: minimise f(θ) with momentum whose gradient is taken ahead, at θ + μv.
pub type Nesterov = FirstOrderMethod<NesterovRule>;

/// The options of [`Nesterov`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NesterovRule {
    /// ε > 0. Default [`RATE`].
    pub rate: f64,
    /// μ in [0, 1). Default [`MOMENTUM`].
    pub momentum: f64,
}

impl Default for NesterovRule {
    fn default() -> Self {
        Self { rate: RATE, momentum: MOMENTUM }
    }
}

impl Nesterov {
    /// μ in [0, 1).
    pub fn with_momentum(mut self, momentum: f64) -> Self {
        self.rule.momentum = momentum;
        self
    }
}

impl Rule for NesterovRule {
    const NAME: &'static str = "Nesterov";
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
                    let ahead = self.momentum * *v - at.rate * g;
                    *next = theta + ((1.0 + self.momentum) * ahead - self.momentum * *v);
                    *v = ahead;
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
