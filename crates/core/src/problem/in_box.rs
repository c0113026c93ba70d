//! A box that a function is asked for in.

/// lⱼ ≤ θⱼ ≤ uⱼ; infinite where there is no bound, equal where θⱼ is fixed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InBox<'a> {
    /// l, length n.
    pub lower: &'a [f64],
    /// u, length n.
    pub upper: &'a [f64],
}

impl InBox<'_> {
    /// Whether entry j may be `x`.
    pub fn allows(&self, j: usize, x: f64) -> bool {
        self.lower[j] <= x && x <= self.upper[j]
    }

    /// Whether every entry of `theta` may be what it is.
    pub fn contains(&self, theta: &[f64]) -> bool {
        theta.iter().enumerate().all(|(j, x)| self.allows(j, *x))
    }
}
