//! Backtracking: α ← α·ρ until φ(α) ≤ φ(0) + c₁·α·φ′(0).  Nocedal & Wright (2006) algorithm 3.1.

use super::{SearchOption, require};
use serde::{Deserialize, Serialize};

/// Armijo's condition, by contraction of a first step.
///
/// ```
/// use secant_optim::line_search::Backtracking;
/// // φ(α) = (α − 1)² from α = 4: the halved steps are 4, 2, 1.
/// let (step, value) = Backtracking::default().search(1.0, -2.0, 4.0, |a| (a - 1.0) * (a - 1.0)).unwrap();
/// assert_eq!((step, value), (1.0, 0.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backtracking {
    /// c₁ of sufficient decrease, in (0, ½). Default 1e-4.  N&W p. 33.
    pub decrease: f64,
    /// ρ, the factor of each contraction, in (0, 1). Default ½.
    pub contraction: f64,
    /// Most evaluations of φ. Default 40: ρ⁴⁰ ≈ 1e-12.
    pub max_trials: u32,
}

impl Default for Backtracking {
    fn default() -> Self {
        Self { decrease: super::DECREASE, contraction: 0.5, max_trials: 40 }
    }
}

impl Backtracking {
    /// Checks the options.
    ///
    /// # Errors
    /// The first option outside its range.
    pub fn validate(&self) -> Result<(), SearchOption> {
        let (c1, rho) = (self.decrease, self.contraction);
        require(c1 > 0.0 && c1 < 0.5, "decrease", c1, "(0, ½)")?;
        require(rho > 0.0 && rho < 1.0, "contraction", rho, "(0, 1)")?;
        require(self.max_trials > 0, "max_trials", f64::from(self.max_trials), "≥ 1")
    }

    /// `value` = φ(0), `slope` = φ′(0) < 0, `initial` = the first α > 0. Returns (α, φ(α)), the last point evaluated,
    /// or none when the trials are used up. A NaN or infinite trial is contracted like any other refusal.
    pub fn search(
        &self,
        value: f64,
        slope: f64,
        initial: f64,
        mut phi: impl FnMut(f64) -> f64,
    ) -> Option<(f64, f64)> {
        let mut step = initial;
        for _ in 0..self.max_trials {
            let trial = phi(step);
            if trial.is_finite() && trial <= value + self.decrease * step * slope {
                return Some((step, trial));
            }
            step *= self.contraction;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonfinite_trials_are_contracted_and_counted() {
        let mut calls = 0;
        let found = Backtracking::default().search(0.0, -1.0, 8.0, |a| {
            calls += 1;
            if a > 1.5 { f64::NAN } else { -a }
        });
        assert_eq!(found, Some((1.0, -1.0)));
        assert_eq!(calls, 4);
    }

    #[test]
    fn a_rising_function_uses_up_the_trials_and_no_more() {
        let mut calls = 0;
        let search = Backtracking { max_trials: 7, ..Backtracking::default() };
        let found = search.search(0.0, -1.0, 1.0, |a| {
            calls += 1;
            a
        });
        assert_eq!((found, calls), (None, 7));
    }
}
