//! `linear_regression(&data)…solve()`: the one-step fit of a linear model, with its rank and certain digits.

mod saved;

use crate::error::FitError;
use secant_core::data::Dataset;
use secant_core::faer::Mat;
use secant_core::risk::RiskError;
use secant_optim::{Accuracy, LinearLeastSquares, LinearSolution};
use std::borrow::Cow;

/// Name of the constant column.
const INTERCEPT: &str = "(intercept)";

/// A linear regression being described; [`solve`](Self::solve) solves it.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before `solve`"]
pub struct LinearRegression<'a> {
    data: &'a Dataset,
    intercept: bool,
    ridge: f64,
    weights: Option<&'a [f64]>,
    accuracy: Accuracy,
}

/// y ≈ β₀ + xᵀβ (+ the data's offset) on `data` as it is, in one step: Newton's, which for a linear model is the solution, by QR instead of XᵀX.
///
/// Coefficients come intercept first, then in the order of the features. Columns that depend on others are named, and the
/// solution is then the shortest:
///
/// ```
/// # let root = env!("CARGO_MANIFEST_DIR");
/// let data = secant::Dataset::from_csv(format!("{root}/data/energy.csv"), "target")?;
/// let fit = secant::linear_regression(&data).solve()?;
/// assert_eq!(fit.rank, fit.coefficients.len() - 1);
/// assert_eq!(fit.null_directions[0].to_string(), "surface_area = wall_area + 2·roof_area");
/// # Ok::<(), secant::FitError>(())
/// ```
pub fn linear_regression(data: &Dataset) -> LinearRegression<'_> {
    LinearRegression {
        data,
        intercept: true,
        ridge: 0.0,
        weights: None,
        accuracy: Accuracy::default(),
    }
}

impl<'a> LinearRegression<'a> {
    /// Whether there is a constant term. Default true.
    pub fn intercept(mut self, intercept: bool) -> Self {
        self.intercept = intercept;
        self
    }

    /// λ of λ‖β‖², added to the sum of squares; the intercept is left out. Default 0.
    pub fn ridge(mut self, lambda: f64) -> Self {
        self.ridge = lambda;
        self
    }

    /// One weight ≥ 0 per sample, in place of the data's own ([`Dataset::with_weights`]). Default those, or 1.
    pub fn weights(mut self, weights: &'a [f64]) -> Self {
        self.weights = Some(weights);
        self
    }

    /// How many digits are asked for.
    pub fn accuracy(mut self, accuracy: Accuracy) -> Self {
        self.accuracy = accuracy;
        self
    }

    /// Solves it.
    ///
    /// # Errors
    /// Targets that are no single column of numbers; weights or a ridge that are out of range.
    pub fn solve(&self) -> Result<LinearSolution, FitError> {
        let (data, outputs) = (self.data, self.data.outputs());
        let targets = data.targets().values().filter(|_| outputs == 1);
        let targets = targets.ok_or(FitError::Regression { outputs })?;
        let targets = match data.offset() {
            None => Cow::Borrowed(targets),
            Some(offset) if data.offset_rows() == 1 => {
                Cow::Owned(targets.iter().zip(offset).map(|(y, o)| y - o).collect())
            }
            Some(_) => {
                let (rows, outputs) = (data.offset_rows(), 1);
                return Err(RiskError::Offset { rows, outputs }.into());
            }
        };
        let constant = usize::from(self.intercept);
        let inputs = data.inputs_mat();
        let design = Mat::from_fn(data.samples(), data.features() + constant, |i, j| {
            j.checked_sub(constant).map_or(1.0, |feature| inputs[(feature, i)])
        });
        let intercept = self.intercept.then(|| INTERCEPT.to_owned());
        let mut ridge = vec![self.ridge; design.ncols()];
        if self.intercept {
            // Its range is still checked where there is no feature.
            ridge[0] = if self.ridge >= 0.0 { 0.0 } else { self.ridge };
        }
        let mut problem = LinearLeastSquares::new(design.as_ref(), &targets)
            .with_names(intercept.into_iter().chain(data.feature_names().iter().cloned()))
            .with_ridges(ridge)
            .with_accuracy(self.accuracy);
        if let Some(weights) = self.weights.or(data.weights()) {
            problem = problem.with_weights(weights);
        }
        Ok(problem.solve()?)
    }
}
