//! How sure a fitted curve is.

use super::CurveFit;
use super::fitted::band_of;
use crate::curve_error::CurveError;
use crate::error::FitError;
use secant_core::faer::MatRef;
use secant_core::loss::SquaredError;
use secant_core::penalty::NoPenalty;
use secant_core::predict::check;
use secant_core::risk::Risk;
use secant_optim::inference::{BandPoint, Infer, Inference};

impl CurveFit {
    /// Standard errors, intervals, correlations, R², AIC and what the data leave open, of all parameters of the formula: those of fixed ones
    /// are none, those of tied ones follow by the delta method, and a parameter at a bound is held. `Display` is a table.
    ///
    /// ```
    /// use secant::Dataset;
    /// let (t, y) = ([0.0, 1.0, 2.0, 3.0, 4.0], [2.02, 1.19, 0.77, 0.42, 0.29]);
    /// let data = Dataset::from_slices(1, &t, 1, &y)?.with_feature_names(vec!["t".into()])?;
    /// let fit = secant::curve("a*exp(-b*t)")?.tie("half_life", "log(2)/b").fit(&data);
    /// assert!(fit.unwrap_err().to_string().contains("half_life"));
    ///
    /// // A quantity of interest stands in the formula in place of what it is made of.
    /// let fit = secant::curve("a*exp(-b*t)")?.tie("b", "log(2)/half_life").fit(&data)?;
    /// let found = fit.inference()?;
    /// println!("{found}");
    /// let (low, high) = found.interval("half_life").unwrap();
    /// assert!(low < 1.4 && 1.4 < high);
    /// assert!(found.estimate("b").unwrap().standard_error < 0.05);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// After a [robust](super::Curve::robust) fit, which is no least squares; as [`Infer::compute`].
    pub fn inference(&self) -> Result<Inference, FitError> {
        self.inference_with(|infer| infer)
    }

    /// The same with options: `fit.inference_with(|infer| infer.robust(Sandwich::Hc3).level(0.99))?`.
    ///
    /// # Errors
    /// As [`inference`](Self::inference).
    pub fn inference_with(
        &self,
        options: impl for<'a> FnOnce(Infer<'a>) -> Infer<'a>,
    ) -> Result<Inference, FitError> {
        if self.is_robust {
            return Err(CurveError::RobustInference.into());
        }
        if let Some(joint) = &self.joint {
            return joint.infer_once(options);
        }
        let risk = Risk::new(self.model().graph(), self.data(), SquaredError, NoPenalty)?;
        let squares = risk.least_squares().ok_or(CurveError::RobustInference)?;
        let theta = self.model().theta();
        let infer = Inference::of(&squares, theta)
            .names(self.formula().parameters().to_vec())
            .bounds(self.bounds().clone())
            .absolute_sigma(self.absolute_sigma);
        let infer = if self.is_as_written() {
            infer.start(self.start.clone())
        } else {
            let (values, matrix) = self.derived(theta);
            let names = self.parameters().iter().map(|one| one.name.clone());
            infer.derived(values, matrix, names).start(self.derived(&self.start).0)
        };
        Ok(options(infer).compute()?)
    }

    /// The curve with its confidence and prediction bands at inputs (d × M), each point alone at `level`. Where σ are absolute the
    /// prediction band is that of an observation with σ = 1.
    ///
    /// ```
    /// # use secant::Dataset;
    /// # let (t, y) = ([0.0, 1.0, 2.0, 3.0, 4.0], [2.02, 1.19, 0.77, 0.42, 0.29]);
    /// # let data = Dataset::from_slices(1, &t, 1, &y)?.with_feature_names(vec!["t".into()])?;
    /// let fit = secant::curve("a*exp(-b*t)")?.fit(&data)?;
    /// let band = fit.band(&[0.5, 8.0], 0.95)?;
    /// let (low, high) = band[0].confidence;
    /// assert!(low < band[0].value && band[0].value < high && band[0].prediction.1 > high);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// As [`inference`](Self::inference), and inputs that are no whole number of samples or not finite.
    pub fn band(&self, inputs: &[f64], level: f64) -> Result<Vec<BandPoint>, FitError> {
        let (formula, theta) = (self.formula(), self.model().theta());
        check(self.model().graph(), theta, inputs)?;
        let (samples, n) = (inputs.len() / formula.features().len(), theta.len());
        let mut values = vec![0.0; samples * formula.outputs()];
        let mut rows = vec![0.0; n * values.len()];
        formula.evaluator().values_jacobian(theta, inputs, &mut values, &mut rows);
        let found = self.inference_with(|infer| infer.level(level))?;
        let rows = MatRef::from_row_major_slice(&rows, values.len(), n);
        band_of(&found, self.joint.as_deref(), &values, rows)
    }
}
