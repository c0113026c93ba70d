//! How sure a fitted model is: errors of its parameters, bands of its predictions.

use super::Model;
use crate::error::FitError;
use secant_core::data::Dataset;
use secant_core::faer::Mat;
use secant_core::loss::{LossHessian, SquaredError};
use secant_core::penalty::NoPenalty;
use secant_core::problem::{LeastSquares, Objective};
use secant_core::risk::{LeastSquaresRisk, Risk};
use secant_optim::inference::{BandPoint, DENSE, Inference, InferenceError, Products};
use std::fmt;
use std::sync::Arc;

/// Samples whose gradients are formed together.
const CHUNK: usize = 64;
/// Parameters at most of a model that keeps its errors.
const KEPT: usize = 200;
/// A residual of this share of the largest target is rounding.
const ROUNDING: f64 = 1e-12;
/// Of intervals and bands.
const LEVEL: f64 = 0.95;

/// How sure a model is that was fitted by squared error, with a ridge or no penalty. `Display` is the table of its parameters.
///
/// Parameters of a linear model ([`Network::linear`](crate::Network::linear)) are named by features and in the data's own units; those of any
/// other are in the standardised units of the fit, with the names of their blocks. Bands are in the target's units for all.
#[derive(Debug)]
pub struct ModelInference<'a> {
    model: &'a Model,
    /// In the units of the fit.
    data: Dataset,
    level: f64,
    /// None with more parameters than [`DENSE`].
    table: Option<Inference>,
}

impl Model {
    /// How sure its parameters and predictions are, from the data that it was fitted on, in their own units.
    ///
    /// With up to 2,000 parameters by a QR of the dense J, N·c·n numbers; with more the table is left out, and bands come by products with
    /// J, each point some hundreds of passes over the data.
    ///
    /// ```
    /// use secant::{Dataset, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target")?;
    /// let fit = secant::fit(&Network::linear(10, 1), &data).run()?;
    /// let found = fit.model().inference(&data)?;
    /// println!("{found}");
    /// let table = found.table().unwrap();
    /// let (low, high) = table.interval("bmi").unwrap(); // 5.60 ± 0.72
    /// assert!(4.1 < low && high < 7.1);
    /// let band = found.band(data.sample(0))?;
    /// assert!(band[0].prediction.0 < band[0].confidence.0);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// Another loss than squared error, another penalty than a ridge; data that do not fit; J that does not fit into memory.
    pub fn inference(&self, data: &Dataset) -> Result<ModelInference<'_>, FitError> {
        if self.loss.hessian_kind() != LossHessian::Identity {
            return Err(self.needs("inference", "squared error (for other families: `Glm`)"));
        }
        let mut scaled = data.clone();
        if let Some(scaling) = &self.input_scaling {
            scaled = scaling.share_inputs(&scaled)?;
        }
        if let Some(scaling) = &self.target_scaling {
            scaled = scaling.transform_targets(&scaled)?;
        }
        let mut found = ModelInference { model: self, data: scaled, level: LEVEL, table: None };
        if self.theta.len() <= DENSE {
            found.table = Some(found.with_problem(|problem| found.compute(problem))??);
        }
        Ok(found)
    }

    /// The same model with what intervals of predictions need, from the data that it was fitted on: [`band`](Self::band) gives them without the
    /// data, and a file of it has them too. n² numbers; for models with up to 200 parameters, others stay as they are.
    ///
    /// ```
    /// use secant::{Dataset, Model, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target")?;
    /// let fit = secant::fit(&Network::linear(10, 1), &data).run()?;
    /// let model = fit.model().clone().with_errors(&data)?;
    /// let copy = Model::from_bytes(&model.to_bytes()?)?;
    /// let band = copy.band(data.sample(0), 0.9)?;
    /// assert!(band[0].prediction.0 < band[0].value);
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// As [`inference`](Self::inference).
    pub fn with_errors(mut self, data: &Dataset) -> Result<Self, FitError> {
        if self.theta.len() <= KEPT {
            let spread = self.inference(data)?.table().and_then(Inference::spread);
            self.spread = spread.map(Arc::new);
        }
        Ok(self)
    }

    /// Whether it has what [`band`](Self::band) needs.
    pub fn has_errors(&self) -> bool {
        self.spread.is_some()
    }

    /// Confidence and prediction bands as [`ModelInference::band`] has them, at `level`, from what [`with_errors`](Self::with_errors) keeps.
    ///
    /// # Errors
    /// A model without errors; inputs as in [`predict`](Self::predict); a level that is not between 0 and 1.
    pub fn band(&self, inputs: &[f64], level: f64) -> Result<Vec<BandPoint>, FitError> {
        let needs = "the model keeps no errors: `Model::with_errors` takes them from its data";
        let spread = self.spread.as_ref();
        let spread = spread.ok_or_else(|| InferenceError::Problem(needs.to_owned()))?;
        let values = self.predict(inputs)?;
        let (d, c) = (self.graph.features(), self.graph.outputs());
        let mut points = Vec::with_capacity(values.len());
        for (inputs, values) in inputs.chunks(d * CHUNK).zip(values.chunks(c * CHUNK)) {
            let rows = self.gradients(inputs)?;
            let noise = self.noise(values.len());
            points.extend(spread.band_with(values, rows.as_ref(), &noise, level)?);
        }
        Ok(points)
    }

    /// The deviation of the target of output k in the fit.
    fn deviation(&self, k: usize) -> f64 {
        self.target_scaling.as_ref().map_or(1.0, |scaling| scaling.deviations()[k])
    }

    /// The target's units in those of the fit, where there is one target.
    fn unit(&self) -> f64 {
        if self.graph.outputs() == 1 { self.deviation(0) } else { 1.0 }
    }

    /// Errors of new observations at M samples, in units of `unit` for one output, else of each output's own.
    fn noise(&self, count: usize) -> Vec<f64> {
        let c = self.graph.outputs();
        (0..count).map(|i| self.deviation(i % c) / self.unit()).collect()
    }

    /// ∂(prediction)/∂θ at samples in the data's units, in those of the target: M·c × n.
    fn gradients(&self, inputs: &[f64]) -> Result<Mat<f64>, FitError> {
        let Self { graph, theta, .. } = self;
        let (d, c) = (graph.features(), graph.outputs());
        let count = inputs.len() / d;
        let mut data = Dataset::from_slices(d, inputs, c, &vec![0.0; c * count])?;
        if let Some(scaling) = &self.input_scaling {
            data = scaling.transform_inputs(&data)?;
        }
        // The Jacobian of the residuals z/√M of targets that are zero.
        let risk = Risk::new(graph, &data, SquaredError, NoPenalty)?;
        let needs = || InferenceError::Problem("outputs without residuals".to_owned());
        let problem = risk.least_squares().ok_or_else(needs)?;
        let mut rows = Mat::zeros(count * c, theta.len());
        problem.jacobian(theta, &mut vec![0.0; count * c], rows.as_mut());
        let root = (count as f64).sqrt();
        for column in rows.col_iter_mut() {
            for (i, entry) in column.iter_mut().enumerate() {
                *entry *= root * self.deviation(i % c);
            }
        }
        Ok(rows)
    }
}

impl ModelInference<'_> {
    /// What the fit minimised, at θ on these data, and what is rounding of it.
    pub(crate) fn value(&self) -> Result<(f64, f64), FitError> {
        let y = self.data.targets().values().unwrap_or_default();
        let size = y.iter().fold(0.0, |most: f64, y| most.max(y.abs()));
        let rounding = (ROUNDING * size) * (ROUNDING * size);
        Ok((self.with_problem(|problem| problem.value(&self.model.theta))?, rounding))
    }

    /// The estimates and what goes with them; none with more than 2,000 parameters.
    pub fn table(&self) -> Option<&Inference> {
        self.table.as_ref()
    }

    /// The same with intervals and bands at another level than 95 %.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn with_level(mut self, level: f64) -> Result<Self, FitError> {
        // Compared so that a NaN is refused.
        if !(level > 0.0 && level < 1.0) {
            return Err(InferenceError::Level(level).into());
        }
        self.level = level;
        if let Some(table) = &mut self.table {
            table.level = level;
        }
        Ok(self)
    }

    /// Confidence and prediction bands, each point alone, of the outputs at M new samples: `inputs` d × M column-major in the data's
    /// units; c × M points in the target's. A new observation has the residual deviation (weight 1).
    ///
    /// # Errors
    /// As [`Model::predict`]; by products, a prediction that the data leave open.
    pub fn band(&self, inputs: &[f64]) -> Result<Vec<BandPoint>, FitError> {
        let values = self.model.predict(inputs)?;
        let (d, c) = (self.model.graph.features(), self.model.graph.outputs());
        let mut points = Vec::with_capacity(values.len());
        if let Some(table) = &self.table {
            for (inputs, values) in inputs.chunks(d * CHUNK).zip(values.chunks(c * CHUNK)) {
                let rows = self.model.gradients(inputs)?;
                let noise = self.model.noise(values.len());
                points.extend(table.band_with(values, rows.as_ref(), &noise)?);
            }
            return Ok(points);
        }
        self.with_problem(|problem| -> Result<(), FitError> {
            let products = Products::of(problem, &self.model.theta, false)?;
            let t = products.quantile(self.level);
            for (inputs, values) in inputs.chunks(d * CHUNK).zip(values.chunks(c * CHUNK)) {
                let rows = self.model.gradients(inputs)?;
                for (i, value) in values.iter().enumerate() {
                    let gradient: Vec<f64> = rows.row(i).iter().copied().collect();
                    let standard_error = products.error_along(&gradient)?;
                    let noise = products.residual_deviation * self.model.deviation(i % c);
                    let observation_error = standard_error.hypot(noise);
                    let around = |error: f64| (value - t * error, value + t * error);
                    points.push(BandPoint {
                        value: *value,
                        standard_error,
                        observation_error,
                        confidence: around(standard_error),
                        prediction: around(observation_error),
                    });
                }
            }
            Ok(())
        })??;
        Ok(points)
    }

    /// The model's problem on the data of its fit.
    fn with_problem<R>(
        &self,
        work: impl FnOnce(&LeastSquaresRisk<'_>) -> R,
    ) -> Result<R, FitError> {
        let Model { graph, loss, penalty, .. } = self.model;
        let risk = Risk::from_shared(graph, &self.data, loss.clone(), penalty.clone())?;
        let needs = "inference needs a ridge penalty or none: with another the solution is no minimum of squares";
        let problem = risk.least_squares();
        let problem = problem.ok_or_else(|| InferenceError::Problem(needs.to_owned()))?;
        Ok(work(&problem))
    }

    fn compute(&self, problem: &LeastSquaresRisk<'_>) -> Result<Inference, FitError> {
        let theta = &self.model.theta;
        let infer = Inference::of(problem, theta).level(self.level).unit(self.model.unit());
        if let Some((values, matrix, names)) = self.in_units_of_the_data() {
            return Ok(infer.derived(values, matrix, names).compute()?);
        }
        let parameters = self.model.graph.parameters();
        let names = (0..theta.len()).map(|j| parameters.entry_name(j).unwrap_or_default());
        let mut found = infer.names(names).compute()?;
        if self.model.input_scaling.is_some() || self.model.target_scaling.is_some() {
            found.notes.push("parameters in the standardised units of the fit".to_owned());
        }
        Ok(found)
    }

    /// Coefficients of a linear model in the data's units with their derivatives by θ and names: intercept and slopes of each output.
    fn in_units_of_the_data(&self) -> Option<(Vec<f64>, Mat<f64>, Vec<String>)> {
        let Model { graph, theta, .. } = self.model;
        let (d, c, n) = (graph.features(), graph.outputs(), theta.len());
        let one_node = matches!(graph.nodes(), [node] if node.op().is_linear_map());
        let intercept = match n {
            _ if !one_node => return None,
            n if n == c * d + c => true,
            n if n == c * d => false,
            _ => return None,
        };
        let names = |names: &[String], j: usize| names.get(j).cloned().unwrap_or(format!("x{j}"));
        let input = |j: usize| {
            let scaling = self.model.input_scaling.as_ref();
            scaling.map_or((0.0, 1.0), |s| (s.means()[j], inverse(s.deviations()[j])))
        };
        let mean = |k: usize| self.model.target_scaling.as_ref().map_or(0.0, |s| s.means()[k]);
        let shifted = (0..d).any(|j| input(j).0 != 0.0) || (0..c).any(|k| mean(k) != 0.0);
        if !intercept && shifted {
            // A shift has nowhere to go.
            return None;
        }
        let columns = d + usize::from(intercept);
        let mut matrix = Mat::zeros(c * columns, n);
        let (mut values, mut labels) = (vec![0.0; c * columns], Vec::new());
        for k in 0..c {
            for column in 0..columns {
                let (row, unit) = (k * columns + column, self.model.deviation(k));
                let name = match column.checked_sub(usize::from(intercept)) {
                    None => {
                        matrix[(row, d * c + k)] = unit;
                        for j in 0..d {
                            let (mean, inverse) = input(j);
                            matrix[(row, j * c + k)] = -unit * mean * inverse;
                        }
                        values[row] = mean(k);
                        "(intercept)".to_owned()
                    }
                    Some(j) => {
                        matrix[(row, j * c + k)] = unit * input(j).1;
                        names(&self.model.feature_names, j)
                    }
                };
                values[row] += (0..n).map(|i| matrix[(row, i)] * theta[i]).sum::<f64>();
                let target = || names(&self.model.target_names, k);
                labels.push(if c == 1 { name } else { format!("{}: {name}", target()) });
            }
        }
        Some((values, matrix, labels))
    }
}

impl fmt::Display for ModelInference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.table {
            Some(table) => table.fmt(f),
            None => write!(
                f,
                "{} parameters: more than {DENSE}, no table; bands by products with the Jacobian",
                self.model.theta.len()
            ),
        }
    }
}

/// 1/deviation, 0 of a constant feature.
fn inverse(deviation: f64) -> f64 {
    if deviation == 0.0 { 0.0 } else { deviation.recip() }
}
