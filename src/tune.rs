//! Strengths of a penalty, and how one of them is chosen.

use secant_core::penalty::{Penalty, Ridge};
use std::fmt;
use std::sync::Arc;

/// The default strengths: from 10 to 10⁻⁶, three a decade.
const LARGEST: f64 = 10.0;
/// Decades of the default strengths.
const DECADES: i32 = 7;
/// Default strengths in a decade.
const PER_DECADE: i32 = 3;

/// What [`Fit::tune`](crate::Fit::tune) tries, and how it chooses.
#[derive(Clone)]
#[must_use = "nothing happens before `tune`"]
pub struct Tune {
    strengths: Vec<f64>,
    penalty: Arc<dyn Fn(f64) -> Arc<dyn Penalty> + Send + Sync>,
    pub(crate) one_standard_error: bool,
}

/// Why strengths cannot be tried.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TuneError {
    /// No strength.
    #[error("no strength to try")]
    Empty,
    /// A strength out of range.
    #[error("strength {index} (from 0) is {value}, expected a finite number, 0 or more")]
    Strength {
        /// Its place in the list.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// No strength with a finite score in all folds.
    #[error("no strength has a finite {criterion} in every fold")]
    NoFinite {
        /// What was to be compared.
        criterion: &'static str,
    },
}

impl std::fmt::Debug for TuneError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Tune {
    /// These strengths λ ≥ 0 of [`Ridge`], in any order.
    pub fn ridge(strengths: impl Into<Vec<f64>>) -> Self {
        Self::penalty(strengths, Ridge)
    }

    /// The same with a penalty of one's own for each strength: `Tune::penalty([1e-3, 1e-2], RidgeAll)`.
    pub fn penalty<P: Penalty + 'static>(
        strengths: impl Into<Vec<f64>>,
        penalty: impl Fn(f64) -> P + Send + Sync + 'static,
    ) -> Self {
        let penalty = Arc::new(move |strength| Arc::new(penalty(strength)) as Arc<dyn Penalty>);
        Self { strengths: strengths.into(), penalty, one_standard_error: false }
    }

    /// Takes the largest strength whose mean is within one standard error of the best one's, in place of the best: the simplest model that
    /// the folds cannot tell from it (Breiman & al. 1984, *Classification and Regression Trees*, §3.4.3).
    pub fn one_standard_error(mut self) -> Self {
        self.one_standard_error = true;
        self
    }

    /// The penalty of a strength.
    pub(crate) fn at(&self, strength: f64) -> Arc<dyn Penalty> {
        (self.penalty)(strength)
    }

    /// From strong to weak, each once.
    pub(crate) fn path(&self) -> Result<Vec<f64>, TuneError> {
        let allowed = |value: &f64| *value >= 0.0 && value.is_finite();
        if let Some(index) = self.strengths.iter().position(|value| !allowed(value)) {
            return Err(TuneError::Strength { index, value: self.strengths[index] });
        }
        let mut path = self.strengths.clone();
        path.sort_by(|a, b| b.total_cmp(a));
        path.dedup();
        if path.is_empty() { Err(TuneError::Empty) } else { Ok(path) }
    }
}

impl Default for Tune {
    /// [`Ridge`] of 22 strengths from 10 to 10⁻⁶, three a decade.
    fn default() -> Self {
        let exponents = 0..=DECADES * PER_DECADE;
        let strength = |k: i32| LARGEST * 10.0_f64.powf(f64::from(-k) / f64::from(PER_DECADE));
        Self::ridge(exponents.map(strength).collect::<Vec<_>>())
    }
}

impl fmt::Debug for Tune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Tune");
        shown.field("strengths", &self.strengths);
        shown.field("one_standard_error", &self.one_standard_error).finish_non_exhaustive()
    }
}
