//! Box bounds l ≤ θ ≤ u, and what methods for them share: projection, and the reduced gradient, which is zero exactly where the
//! first-order conditions hold.

use crate::error::OptimError;
use secant_core::problem::InBox;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// lⱼ ≤ θⱼ ≤ uⱼ; infinite where there is no bound, equal where θⱼ is fixed.
///
/// ```
/// use secant_optim::Bounds;
/// let bounds = Bounds::free(3).with(0..2, 0.0, f64::INFINITY)?; // θ₀, θ₁ ≥ 0
/// let mut theta = [-1.0, 2.0, -5.0];
/// bounds.project(&mut theta);
/// assert_eq!(theta, [0.0, 2.0, -5.0]);
/// assert!(Bounds::new(vec![1.0], vec![0.0]).is_err());
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl Bounds {
    /// Both bounds of every parameter.
    ///
    /// # Errors
    /// Lengths that differ; a lower bound above its upper one, or NaN.
    pub fn new(lower: Vec<f64>, upper: Vec<f64>) -> Result<Self, OptimError> {
        if lower.len() != upper.len() {
            return Err(OptimError::BoundsLength { expected: lower.len(), found: upper.len() });
        }
        let bounds = Self { lower, upper };
        bounds.check(0..bounds.lower.len())?;
        Ok(bounds)
    }

    /// No bounds, n parameters.
    pub fn free(n: usize) -> Self {
        Self { lower: vec![f64::NEG_INFINITY; n], upper: vec![f64::INFINITY; n] }
    }

    /// θ ≥ 0, n parameters.
    pub fn nonnegative(n: usize) -> Self {
        Self { lower: vec![0.0; n], upper: vec![f64::INFINITY; n] }
    }

    /// The same bounds for a range of parameters, such as a block of a model.
    ///
    /// # Errors
    /// A range beyond the parameters; `lower` above `upper`, or NaN.
    pub fn with(mut self, range: Range<usize>, lower: f64, upper: f64) -> Result<Self, OptimError> {
        if range.end > self.lower.len() {
            return Err(OptimError::BoundsLength { expected: self.lower.len(), found: range.end });
        }
        for j in range.clone() {
            (self.lower[j], self.upper[j]) = (lower, upper);
        }
        self.check(range)?;
        Ok(self)
    }

    fn check(&self, range: Range<usize>) -> Result<(), OptimError> {
        for index in range {
            let (lower, upper) = (self.lower[index], self.upper[index]);
            let possible = lower <= upper && lower < f64::INFINITY && upper > f64::NEG_INFINITY;
            if !possible {
                return Err(OptimError::Bounds { index, lower, upper });
            }
        }
        Ok(())
    }

    /// l, length n.
    pub fn lower(&self) -> &[f64] {
        &self.lower
    }

    /// u, length n.
    pub fn upper(&self) -> &[f64] {
        &self.upper
    }

    /// θ ← the nearest point of the box. NaN stays.
    pub fn project(&self, theta: &mut [f64]) {
        for ((t, l), u) in theta.iter_mut().zip(&self.lower).zip(&self.upper) {
            *t = clamp(*t, *l, *u);
        }
    }

    /// Whether every entry is within its bounds.
    pub fn contains(&self, theta: &[f64]) -> bool {
        let at = theta.iter().zip(&self.lower).zip(&self.upper);
        theta.len() == self.lower.len() && at.into_iter().all(|((t, l), u)| l <= t && t <= u)
    }

    /// Whether nothing is bounded.
    pub fn is_free(&self) -> bool {
        let free = |l: &f64, u: &f64| *l == f64::NEG_INFINITY && *u == f64::INFINITY;
        self.lower.iter().zip(&self.upper).all(|(l, u)| free(l, u))
    }

    /// As a problem takes them.
    pub(crate) fn as_box(&self) -> InBox<'_> {
        InBox { lower: &self.lower, upper: &self.upper }
    }

    /// For n parameters: as they are, or none where none were set.
    pub(crate) fn of(&self, n: usize) -> Result<Self, OptimError> {
        if self.lower.is_empty() {
            return Ok(Self::free(n));
        }
        if self.lower.len() != n {
            return Err(OptimError::BoundsLength { expected: n, found: self.lower.len() });
        }
        Ok(self.clone())
    }

    /// Whether θⱼ is at a bound that −g points out of, or fixed.
    pub(crate) fn blocks(&self, j: usize, t: f64, g: f64) -> bool {
        let (l, u) = (self.lower[j], self.upper[j]);
        l == u || (t <= l && g > 0.0) || (t >= u && g < 0.0)
    }

    /// `out` ← the gradient without the entries that the bounds block.
    pub(crate) fn reduced_gradient(&self, theta: &[f64], g: &[f64], out: &mut [f64]) {
        for (j, out) in out.iter_mut().enumerate() {
            *out = if self.blocks(j, theta[j], g[j]) { 0.0 } else { g[j] };
        }
    }

    /// The largest α with θ + αd in the box, θ being in it.
    pub(crate) fn longest(&self, theta: &[f64], d: &[f64]) -> f64 {
        let at = theta.iter().zip(d).zip(self.lower.iter().zip(&self.upper));
        at.map(|((t, d), (l, u))| {
            if *d > 0.0 {
                (u - t) / d
            } else if *d < 0.0 {
                (l - t) / d
            } else {
                f64::INFINITY
            }
        })
        .fold(f64::INFINITY, f64::min)
    }

    /// `out` ← the projection of θ + αd.
    pub(crate) fn step(&self, theta: &[f64], alpha: f64, d: &[f64], out: &mut [f64]) {
        let at = theta.iter().zip(d).zip(self.lower.iter().zip(&self.upper));
        for (out, ((t, d), (l, u))) in out.iter_mut().zip(at) {
            *out = if *d == 0.0 { *t } else { clamp(alpha.mul_add(*d, *t), *l, *u) };
        }
    }
}

/// As `f64::clamp`, without its panic.
pub(crate) fn clamp(t: f64, lower: f64, upper: f64) -> f64 {
    if t < lower {
        lower
    } else if t > upper {
        upper
    } else {
        t
    }
}
