//! What bands of predictions need of a fit, apart from its data: kept beside a model, it gives them to whoever has the model alone.
//!
//! With h = s·R⁻ᵀPᵀS·g linear in the gradient g, √(gᵀCg) = ‖Wᵀg‖ with the n rows s·R⁻ᵀPᵀS·eᵢ of W.

use super::distributions::{Distribution, StudentT};
use super::factor::{is_open, root};
use super::{BandPoint, Inference, InferenceError};
use crate::linalg::vector;
use faer::MatRef;

/// The spread of the parameters of a fit: a factor of their covariance.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// W, n × rank row by row: C = W·Wᵀ but for open directions.
    pub factor: Vec<f64>,
    /// Directions that the data leave open, n numbers each.
    pub open: Vec<f64>,
    /// n.
    pub parameters: usize,
    /// The residual deviation, in the units of the targets.
    pub residual_deviation: f64,
    /// m − p.
    pub degrees: f64,
}

impl Inference {
    /// What bands need of it; none where σ is absolute or the covariance is a sandwich's. n·rank numbers, n³/2 operations.
    pub fn spread(&self) -> Option<Spread> {
        let factor = (!self.absolute_sigma).then(|| self.factor.rows()).flatten()?;
        Some(Spread {
            factor,
            open: self.factor.open().concat(),
            parameters: self.parameters(),
            residual_deviation: self.residual_deviation,
            degrees: self.degrees,
        })
    }
}

impl Spread {
    /// The bands at new points as [`Inference::band_with`] has them at `level`, from predictions, the rows ∂z/∂θ (k × n) and the errors of new
    /// observations relative to the residual deviation. k·n·rank operations.
    ///
    /// # Errors
    /// Rows, values and errors of other lengths; a level that is not between 0 and 1.
    pub fn band_with(
        &self,
        values: &[f64],
        gradients: MatRef<'_, f64>,
        sigma: &[f64],
        level: f64,
    ) -> Result<Vec<BandPoint>, InferenceError> {
        // Compared so that a NaN is refused.
        if !(level > 0.0 && level < 1.0) {
            return Err(InferenceError::Level(level));
        }
        let length = |what, expected, found| {
            if expected == found {
                Ok(())
            } else {
                Err(InferenceError::Length { what, expected, found })
            }
        };
        length("columns of the gradients", self.parameters, gradients.ncols())?;
        length("values of the band", gradients.nrows(), values.len())?;
        length("errors of new observations", gradients.nrows(), sigma.len())?;
        let t = StudentT::new(self.degrees).survival_quantile(0.5 * (1.0 - level));
        let point = |(i, (value, sigma)): (usize, (&f64, &f64))| {
            let gradient: Vec<f64> = gradients.row(i).iter().copied().collect();
            let error = self.error_along(&gradient);
            BandPoint::around(*value, error, sigma * self.residual_deviation, t)
        };
        Ok(values.iter().zip(sigma).enumerate().map(point).collect())
    }

    fn error_along(&self, gradient: &[f64]) -> f64 {
        let n = self.parameters;
        if gradient.iter().all(|g| *g == 0.0) {
            return 0.0;
        }
        if self.open.chunks_exact(n).any(|direction| is_open(gradient, direction)) {
            return f64::NAN;
        }
        let mut h = vec![0.0; self.factor.len() / n.max(1)];
        let rows = self.factor.chunks_exact(h.len().max(1));
        rows.zip(gradient).for_each(|(row, g)| vector::axpy(*g, row, &mut h));
        root(vector::dot(&h, &h))
    }
}
