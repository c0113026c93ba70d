//! The L1 norm beside a smooth objective: F(θ) = f(θ) + Σⱼ wⱼ|θⱼ|.
//!
//! What methods for it share: the weights, F, and the pseudo-gradient ⋄F, the element of least norm of F's subdifferential: zero exactly
//! at the minima of a convex F, and minus it the steepest descent of F.
//! Source: Andrew & Gao (2007), ICML, §3; Bertsekas, *Convex Optimization Theory*, for the subdifferential.

use crate::error::OptimError;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Largest weight: λ·|θ| stays a number for θ up to 1e8.
const MOST: f64 = 1e300;

/// The weights of |θⱼ|: one λ for all but the parameters left free, or one for each.
///
/// ```
/// use secant_optim::L1;
/// let weights = L1::new(0.1).without(2..3); // θ₂, a bias, costs nothing
/// assert_eq!(weights.weights(3), [0.1, 0.1, 0.0]);
/// assert!((weights.value(&[1.0, -2.0, 5.0]) - 0.3).abs() < 1e-15);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct L1 {
    lambda: f64,
    free: Vec<Range<usize>>,
    each: Option<Vec<f64>>,
}

impl L1 {
    /// wⱼ = `lambda` ≥ 0, in the units of f.
    pub fn new(lambda: f64) -> Self {
        Self { lambda, ..Self::default() }
    }

    /// wⱼ ≥ 0 for each parameter, length n.
    pub fn per_parameter(weights: impl Into<Vec<f64>>) -> Self {
        Self { each: Some(weights.into()), ..Self::default() }
    }

    /// Leaves parameters without a penalty: biases, as a rule. Entries beyond n are ignored.
    pub fn without(mut self, parameters: Range<usize>) -> Self {
        self.free.push(parameters);
        self
    }

    /// The same with every weight times `factor`.
    pub fn scaled(&self, factor: f64) -> Self {
        let each = self.each.as_ref().map(|each| each.iter().map(|w| w * factor).collect());
        Self { lambda: self.lambda * factor, free: self.free.clone(), each }
    }

    /// w, length n.
    pub fn weights(&self, n: usize) -> Vec<f64> {
        let mut weights = self.each.clone().unwrap_or_else(|| vec![self.lambda; n]);
        for free in &self.free {
            let end = free.end.min(weights.len());
            weights[free.start.min(end)..end].fill(0.0);
        }
        weights
    }

    /// Σⱼ wⱼ|θⱼ|
    pub fn value(&self, theta: &[f64]) -> f64 {
        value(&self.weights(theta.len()), theta)
    }

    /// Checks the weights of `solver` for n parameters, where n is known.
    pub(crate) fn validate(
        &self,
        solver: &'static str,
        n: Option<usize>,
    ) -> Result<(), OptimError> {
        let wrong = |value, allowed| {
            Err(OptimError::OptionOutOfRange { solver, option: "l1", value, allowed })
        };
        let weights = self.each.as_deref().unwrap_or(std::slice::from_ref(&self.lambda));
        if let Some(weight) = weights.iter().find(|w| !(0.0..=MOST).contains(*w)) {
            return wrong(*weight, "weights in [0, 1e300]");
        }
        match (&self.each, n) {
            (Some(each), Some(n)) if each.len() != n => {
                wrong(each.len() as f64, "as many weights as parameters")
            }
            _ => Ok(()),
        }
    }
}

/// Σⱼ wⱼ|θⱼ|
pub(crate) fn value(weights: &[f64], theta: &[f64]) -> f64 {
    weights.iter().zip(theta).map(|(w, t)| w * t.abs()).sum()
}

/// `out` ← ⋄F at θ, g = ∇f(θ).  Andrew & Gao (2007) (4).
pub(crate) fn pseudo_gradient(weights: &[f64], theta: &[f64], g: &[f64], out: &mut [f64]) {
    let at = weights.iter().zip(theta).zip(g);
    for (out, ((w, t), g)) in out.iter_mut().zip(at) {
        *out = pseudo_derivative(*w, *t, *g);
    }
}

/// One entry of ⋄F.
pub(crate) fn pseudo_derivative(w: f64, t: f64, g: f64) -> f64 {
    if t == 0.0 { soft_threshold(g, w) } else { g + w.copysign(t) }
}

/// The number nearest to zero within `w` of `g`; NaN of NaN.
pub(crate) fn soft_threshold(g: f64, w: f64) -> f64 {
    if g > w {
        g - w
    } else if g < -w {
        g + w
    } else {
        // Not 0 for NaN.
        g * 0.0
    }
}
