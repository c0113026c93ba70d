//! How exactly a linear model is worth solving, when its error is one thing and what a product costs another.
//!
//! The gradient after a step is the residual η that was left of the linear model, and the part e that the model does not see. An
//! iteration that lowers ‖∇f‖ to (η + e)‖∇f‖ costs an evaluation, a linearisation, and as many products as bring the residual to η:
//! η is where the digits gained per cost are most. e and the products per digit are taken from the iteration before; e
//! shrinks as ‖∇f‖ does, which makes convergence superlinear. Costs are in gradients and given, not timed: the path of a run is
//! the same on every machine.
//! Source: the balance of Eisenstat & Walker (1996), choice 1, with costs; Kelley (1995) §6.3.

use serde::{Deserialize, Serialize};

/// What an iteration costs without its products, in gradients: the linearisation and one evaluation.
pub const STEP_COST: f64 = 2.0;
/// Tolerances are tried down to 2 to the minus this, where f64 ends.
const HALVINGS: i32 = 50;

/// What the iterations so far have shown.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Balance {
    /// ln of the residual's decrease per product.
    rate: f64,
    /// e, expected of the next step.
    unseen: f64,
}

impl Balance {
    /// Takes in one iteration: `products` that left `residual` of the linear model, of 1; the part of the new gradient that the model
    /// did not see, and the new gradient, both relative to the one before.
    pub fn observe(&mut self, products: usize, residual: f64, unseen: f64, gradient: f64) {
        let rate = -residual.ln() / products as f64;
        if rate > 0.0 && rate.is_finite() {
            self.rate = rate;
        }
        self.unseen = unseen * gradient;
    }

    /// η ≤ `largest`, with products of `cost` gradients each; `largest` before the first iteration.
    pub fn tolerance(&self, cost: f64, largest: f64) -> f64 {
        if self.rate == 0.0 {
            return largest;
        }
        let mut best = (0.0, largest);
        for halvings in 0..HALVINGS {
            let tolerance = largest * 0.5_f64.powi(halvings);
            let digits = -(tolerance + self.unseen).ln();
            let products = (-tolerance.ln() / self.rate).max(1.0);
            let gain = digits / (STEP_COST + cost * products);
            if gain > best.0 {
                best = (gain, tolerance);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dear_products_and_bent_functions_ask_for_less() {
        let observed = |unseen| {
            let mut balance = Balance::default();
            balance.observe(10, 1e-2, unseen, 0.1);
            balance
        };
        assert_eq!(Balance::default().tolerance(1.0, 0.5), 0.5);
        let straight = observed(0.0).tolerance(1.0, 0.5);
        let bent = observed(1e-2).tolerance(1.0, 0.5);
        assert!(straight < 1e-10 && (1e-5..1e-2).contains(&bent), "{straight:e} {bent:e}");
        let dear = observed(1e-2).tolerance(30.0, 0.5);
        let cheap = observed(1e-2).tolerance(0.01, 0.5);
        assert!(dear > bent && bent > cheap, "{dear:e} {bent:e} {cheap:e}");
        // Nothing to gain: as little as is allowed.
        assert_eq!(observed(50.0).tolerance(1.0, 0.5), 0.5);
    }
}
