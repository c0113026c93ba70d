//! Confidence and prediction bands by the delta method.
//!
//! A prediction z(θ) with the gradient g = ∂z/∂θ at the solution has the variance gᵀCg = ‖s·R⁻ᵀPᵀS·g‖²; an observation there has that of its
//! own error more. Source: Seber & Wild (1989) §5.1; Bates & Watts (1988) §2.3.

use super::{Inference, InferenceError};
use crate::run::nonfinite;
use faer::MatRef;
use serde::{Deserialize, Serialize};

/// A prediction and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BandPoint {
    /// The prediction.
    #[serde(with = "nonfinite")]
    pub value: f64,
    /// Its standard error; NaN where it depends on what the data leave open.
    #[serde(with = "nonfinite")]
    pub standard_error: f64,
    /// The standard error of a new observation: √(error² + σ²).
    #[serde(with = "nonfinite")]
    pub observation_error: f64,
    /// Where the mean lies at the level: value ± quantile · error.
    pub confidence: (f64, f64),
    /// Where a new observation lies at the level.
    pub prediction: (f64, f64),
}

impl Inference {
    /// The bands at k new points, each alone at the [`level`](Inference::level), from predictions z and the rows ∂z/∂θ (k × n) in the
    /// parameters of the problem. A new observation has the residual deviation; where σ is absolute it is not known here, and its band
    /// is NaN: see [`band_with`](Self::band_with). k·n²/2 operations.
    ///
    /// ```
    /// use faer::mat;
    /// use secant_optim::inference::Inference;
    /// use secant_optim::LeastSquaresFn;
    /// // y = a + b·x, at its solution.
    /// let (x, y) = ([0.0, 1.0, 2.0, 3.0], [1.1, 2.9, 5.2, 6.8]);
    /// let line = LeastSquaresFn::new(2, 4, |p, r| {
    ///     (0..4).for_each(|i| r[i] = p[0] + p[1] * x[i] - y[i]);
    /// });
    /// let found = Inference::of(&line, &[1.09, 1.94]).compute()?;
    /// let band = found.band(&[4.97, 10.79], mat![[1.0, 2.0], [1.0, 5.0]].as_ref())?;
    /// assert!(band[1].standard_error > band[0].standard_error);
    /// assert!(band[0].prediction.0 < band[0].confidence.0);
    /// # Ok::<(), secant_optim::inference::InferenceError>(())
    /// ```
    ///
    /// # Errors
    /// Rows and values of other lengths.
    pub fn band(
        &self,
        values: &[f64],
        gradients: MatRef<'_, f64>,
    ) -> Result<Vec<BandPoint>, InferenceError> {
        let sigma = if self.absolute_sigma { f64::NAN } else { 1.0 };
        self.band_with(values, gradients, &vec![sigma; values.len()])
    }

    /// The same where the new observations have errors `sigma`: absolute ones where those of the fit are, else relative to the residual
    /// deviation, √(1/w) where the fit had weights.
    ///
    /// # Errors
    /// As [`band`](Self::band).
    pub fn band_with(
        &self,
        values: &[f64],
        gradients: MatRef<'_, f64>,
        sigma: &[f64],
    ) -> Result<Vec<BandPoint>, InferenceError> {
        let length = |what, expected, found| {
            if expected == found {
                Ok(())
            } else {
                Err(InferenceError::Length { what, expected, found })
            }
        };
        length("columns of the gradients", self.parameters(), gradients.ncols())?;
        length("values of the band", gradients.nrows(), values.len())?;
        length("errors of new observations", gradients.nrows(), sigma.len())?;
        let row = |i: usize| gradients.row(i).iter().copied().collect::<Vec<_>>();
        let points = values.iter().zip(sigma).enumerate();
        Ok(points
            .map(|(i, (value, sigma))| self.point(*value, self.error_along(&row(i)), *sigma))
            .collect())
    }

    pub(super) fn point(&self, value: f64, standard_error: f64, sigma: f64) -> BandPoint {
        let noise = if self.absolute_sigma { sigma } else { sigma * self.residual_deviation };
        BandPoint::around(value, standard_error, noise, self.quantile(self.level))
    }
}

impl BandPoint {
    /// Of a prediction with its error and that of a new observation, at t errors.
    pub(super) fn around(value: f64, standard_error: f64, noise: f64, t: f64) -> Self {
        let observation_error = standard_error.hypot(noise);
        let around = |error: f64| (value - t * error, value + t * error);
        Self {
            value,
            standard_error,
            observation_error,
            confidence: around(standard_error),
            prediction: around(observation_error),
        }
    }
}
