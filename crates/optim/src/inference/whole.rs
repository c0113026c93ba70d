//! What a fit is worth as a whole, and the inference that it and a factor make.

use super::build::Infer;
use super::factor::Factor;
use super::{Inference, Measures, OpenDirection};
use secant_core::problem::{Derivatives, Observations};

/// A pivot below this part of the largest is rounding where J comes from formulas: some hundred roundings of an entry.
const EXACT: f64 = 1e-13;
/// The same where J comes from differences: their error.
const BY_DIFFERENCES: f64 = 1e-8;

/// Sums over the data.
pub(super) struct Whole {
    pub observations: Observations,
    /// Σr²
    squares: f64,
    /// p
    pub estimated: f64,
    /// m − p
    pub degrees: f64,
    /// s² in the units of r.
    pub variance: f64,
    notes: Vec<String>,
}

impl Infer<'_> {
    /// The part of the largest pivot below which a pivot is rounding.
    pub(super) fn resolution(&self) -> f64 {
        match self.problem.derivatives() {
            Derivatives::Exact => EXACT,
            Derivatives::Differences => BY_DIFFERENCES,
        }
    }

    /// With p `estimated` parameters.
    pub(super) fn whole(
        &self,
        residuals: &[f64],
        observations: Observations,
        estimated: f64,
    ) -> Whole {
        let degrees = observations.counted as f64 - estimated;
        let data = &residuals[..observations.rows];
        let squares = data.iter().map(|r| r * r).sum::<f64>();
        let variance = match (self.absolute, degrees > 0.0) {
            // Residuals times `unit` have σ for their unit.
            (true, _) => (observations.unit * observations.unit).recip(),
            (false, true) => squares / degrees,
            (false, false) => f64::NAN,
        };
        let mut notes = Vec::new();
        if self.sandwich.is_none() && variance.is_nan() {
            notes.push(format!(
                "no errors: {} observations leave no degrees of freedom to {estimated} parameters",
                observations.counted
            ));
        }
        if observations.rows < residuals.len() {
            notes.push("with a penalty: errors are those of the posterior, p is the trace of the matrix that makes fitted values of targets".to_owned());
        }
        if self.problem.derivatives() == Derivatives::Differences {
            notes.push("derivatives by differences: errors to some eight digits".to_owned());
        }
        Whole { observations, squares, estimated, degrees, variance, notes }
    }

    /// The inference of the parameters that `factor` is of, `names`, of which those that are `free` were estimated.
    pub(super) fn assemble(
        &self,
        whole: &Whole,
        factor: Factor,
        names: &[String],
        free: &[usize],
    ) -> Inference {
        let Whole { observations, degrees, .. } = *whole;
        let open_directions =
            factor.open().iter().map(|direction| OpenDirection::new(direction, names)).collect();
        let squares = whole.squares * observations.unit * observations.unit;
        let (estimates, covariance) = self.estimates(&factor, names, free);
        Inference {
            estimates,
            covariance,
            level: self.level,
            observations: observations.counted,
            estimated: whole.estimated,
            degrees,
            residual_sum_of_squares: squares,
            residual_deviation: if degrees > 0.0 { (squares / degrees).sqrt() } else { f64::NAN },
            measures: Measures::of(&observations, squares, whole.estimated, self.absolute),
            absolute_sigma: self.absolute,
            sandwich: self.sandwich,
            open_directions,
            notes: whole.notes.clone(),
            factor,
        }
    }
}
