//! `linear_regression(&data)…solve()`: the one-step fit of a linear model, with its rank and certain digits.

mod saved;

use crate::error::FitError;
use secant_core::data::Dataset;
use secant_core::faer::MatRef;
use secant_core::risk::RiskError;
use secant_optim::{Accuracy, LeaveOneOut, LinearLeastSquares, LinearSolution};
use std::borrow::Cow;

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
    /// Targets that are no single column of numbers; weights or a ridge that are out of range; sparse inputs whose dense table is larger than
    /// the readers' limit.
    pub fn solve(&self) -> Result<LinearSolution, FitError> {
        Ok(self.assembled()?.problem().solve()?)
    }

    /// Solves it, and says what every sample would be predicted as by the fit to the others: exact, from one factorisation at about twice
    /// the cost of [`solve`](Self::solve), with weights, ridge (λ stays as it is), intercept and offsets.
    ///
    /// ```
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = secant::Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target")?;
    /// let loo = secant::linear_regression(&data).leave_one_out()?;
    /// println!("{loo}");
    /// let fit = &loo.solution;
    /// assert!(loo.press.unwrap() > fit.residual_sum_of_squares && loo.leverages[0] < 0.1);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn leave_one_out(&self) -> Result<LeaveOneOut, FitError> {
        Ok(self.assembled()?.problem().leave_one_out()?)
    }

    fn assembled(&self) -> Result<Assembled<'a>, FitError> {
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
        if data.single_inputs().is_none() {
            data.dense_inputs()?;
        }
        let columns = data.features() + usize::from(self.intercept);
        let mut ridges = vec![self.ridge; columns];
        if self.intercept {
            // Its range is still checked where there is no feature.
            ridges[0] = if self.ridge >= 0.0 { 0.0 } else { self.ridge };
        }
        let weights = self.weights.or(data.weights());
        let (intercept, accuracy) = (self.intercept, self.accuracy);
        Ok(Assembled { data, intercept, targets, ridges, weights, accuracy })
    }
}

/// What a problem of linear least squares is made of.
struct Assembled<'a> {
    data: &'a Dataset,
    intercept: bool,
    targets: Cow<'a, [f64]>,
    ridges: Vec<f64>,
    weights: Option<&'a [f64]>,
    accuracy: Accuracy,
}

impl Assembled<'_> {
    fn problem(&self) -> LinearLeastSquares<'_> {
        let names = self.data.feature_names().iter().cloned();
        let problem = match self.data.single_inputs() {
            None => LinearLeastSquares::new(self.data.inputs_mat().transpose(), &self.targets),
            Some(inputs) => {
                let (samples, features) = (self.data.samples(), self.data.features());
                let design = MatRef::from_row_major_slice(inputs, samples, features);
                LinearLeastSquares::new_f32(design, &self.targets)
            }
        };
        let problem = problem.with_names(names).with_accuracy(self.accuracy);
        let problem = if self.intercept { problem.with_constant() } else { problem };
        let problem = problem.with_ridges(self.ridges.clone());
        match self.weights {
            Some(weights) => problem.with_weights(weights),
            None => problem,
        }
    }
}
