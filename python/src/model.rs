//! Networks and fitted models.

use crate::arrays::{Matrix, rows, vector};
use crate::data::Data;
use crate::{errors, report, run};
use numpy::PyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use secant::core::params::Role;
use secant::description::Description;
use secant::{Activation, Graph, Init, Interrupt, Model, Network};
use std::sync::Arc;

/// A model before its parameters.
#[pyclass(frozen, name = "Network", module = "secant._core")]
pub struct PyNetwork(pub Network);

impl PyNetwork {
    pub fn graph(&self) -> PyResult<Arc<Graph>> {
        Ok(self.0.graph().map_err(errors::wrong)?.clone())
    }
}

/// Name, rows, columns, role and place in θ.
type Block = (String, usize, usize, &'static str, usize);
/// Name, rows, columns, role and values.
type Parameter<'py> = (String, usize, usize, &'static str, Bound<'py, PyArray1<f64>>);
/// Means and deviations.
type Scaling<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>);

#[pymethods]
impl PyNetwork {
    /// Dense layers of these widths, with an activation between them.
    #[staticmethod]
    fn mlp(widths: Vec<usize>, activation: &str) -> PyResult<Self> {
        // As scikit-learn calls the sigmoid.
        let name = if activation == "logistic" { "sigmoid" } else { activation };
        let activation = Activation::by_name(name).map_err(errors::wrong)?;
        Self::checked(Network::mlp(widths, activation))
    }

    #[staticmethod]
    fn linear(features: usize, outputs: usize) -> PyResult<Self> {
        Self::checked(Network::linear(features, outputs))
    }

    /// A linear score without a constant.
    #[staticmethod]
    fn linear_without_bias(features: usize, outputs: usize) -> PyResult<Self> {
        let text = format!(
            r#"{{"input": {features}, "node": [{{"name": "dense1", "op": "dense", "outputs": {outputs}, "bias": false}}]}}"#
        );
        Self::from_json(&text)
    }

    #[staticmethod]
    fn from_json(text: &str) -> PyResult<Self> {
        let graph = Description::from_json(text).and_then(|description| description.graph());
        Self::checked(Network::from(graph.map_err(errors::wrong)?))
    }

    #[staticmethod]
    fn from_toml(text: &str) -> PyResult<Self> {
        let graph = Description::from_toml(text).and_then(|description| description.graph());
        Self::checked(Network::from(graph.map_err(errors::wrong)?))
    }

    fn with_init(&self, name: &str) -> PyResult<Self> {
        let init = match name {
            "glorot" => Init::Glorot,
            "he" => Init::He,
            "lecun" => Init::LeCun,
            "zeros" => Init::Zeros,
            _ => {
                let name = report::quoted(name);
                return Err(PyValueError::new_err(format!(
                    "no initialisation `{name}`: expected one of glorot, he, lecun, zeros"
                )));
            }
        };
        Ok(Self(self.0.clone().with_init(init)))
    }

    fn to_json(&self) -> PyResult<String> {
        self.graph()?.to_json().map_err(errors::wrong)
    }

    fn to_toml(&self) -> PyResult<String> {
        self.graph()?.to_toml().map_err(errors::wrong)
    }

    /// θ as the initialisation draws it.
    fn draw<'py>(&self, py: Python<'py>, seed: u64) -> PyResult<Bound<'py, PyArray1<f64>>> {
        Ok(vector(py, self.0.draw(seed).map_err(errors::wrong)?))
    }

    #[getter]
    fn features(&self) -> PyResult<usize> {
        Ok(self.graph()?.features())
    }

    #[getter]
    fn outputs(&self) -> PyResult<usize> {
        Ok(self.graph()?.outputs())
    }

    #[getter]
    fn dim(&self) -> PyResult<usize> {
        Ok(self.graph()?.parameters().dim())
    }

    /// Name, shape, role and place in θ of every block.
    fn blocks(&self) -> PyResult<Vec<Block>> {
        let graph = self.graph()?;
        let of = |block: &secant::core::params::ParamBlock| {
            let role = role(block.spec.role);
            (block.name.clone(), block.spec.rows, block.spec.cols, role, block.range.start)
        };
        Ok(graph.parameters().blocks().iter().map(of).collect())
    }

    fn __str__(&self) -> PyResult<String> {
        Ok(self.graph()?.to_string())
    }

    fn _svg(&self) -> PyResult<String> {
        Ok(self.graph()?.to_svg())
    }
}

impl PyNetwork {
    fn checked(network: Network) -> PyResult<Self> {
        network.graph().map_err(errors::wrong)?;
        Ok(Self(network))
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Weight => "weight",
        Role::Bias => "bias",
        Role::Scale => "scale",
    }
}

/// A fitted model.
#[pyclass(frozen, name = "Model", module = "secant._core")]
pub struct PyModel(pub Arc<Model>);

impl PyModel {
    fn outputs<'py>(
        &self,
        py: Python<'py>,
        x: &Matrix<'py>,
        of: impl FnOnce(&Model, &[f64]) -> Result<Vec<f64>, secant::FitError> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.check(x)?;
        run::outputs(py, run::operations(self.0.graph()), x, |inputs| of(&self.0, inputs))
    }

    fn check(&self, x: &Matrix<'_>) -> PyResult<()> {
        let (expected, found) = (self.0.graph().features(), x.as_array().ncols());
        if expected == found {
            return Ok(());
        }
        let words = format!("X has {found} features, the model was fitted on {expected}");
        Err(PyValueError::new_err(words))
    }
}

#[pymethods]
impl PyModel {
    /// N × c, in the units of the targets.
    fn predict<'py>(&self, py: Python<'py>, x: Matrix<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.outputs(py, &x, Model::predict)
    }

    /// N × c means of the response.
    fn mean<'py>(&self, py: Python<'py>, x: Matrix<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.outputs(py, &x, Model::mean)
    }

    fn predict_proba<'py>(&self, py: Python<'py>, x: Matrix<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.outputs(py, &x, Model::predict_probabilities)
    }

    fn predict_classes<'py>(
        &self,
        py: Python<'py>,
        x: Matrix<'py>,
    ) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let inputs = rows(&x, "X")?;
        self.check(&x)?;
        let operations = run::operations(self.0.graph()).saturating_mul(x.as_array().nrows());
        let found = run::unless_small(py, operations, || self.0.predict_classes(inputs))?;
        Ok(PyArray1::from_vec(py, found.map_err(errors::of_fit)?))
    }

    /// What it is worth on data, by names.
    fn score<'py>(&self, py: Python<'py>, data: Data<'py>) -> PyResult<Bound<'py, PyDict>> {
        let data = data.dataset(py)?;
        let found = run::whole(py, &Interrupt::new(), || self.0.score(&data))?;
        let entries = PyDict::new(py);
        for (name, value) in found.map_err(errors::of_fit)?.entries() {
            entries.set_item(name, value)?;
        }
        Ok(entries)
    }

    /// Estimates with errors, as `Inference` is serialised, with its table as `text`; `None` with too many parameters.
    fn inference<'py>(
        &self,
        py: Python<'py>,
        data: Data<'py>,
        level: f64,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let data = data.dataset(py)?;
        let found = run::whole(py, &Interrupt::new(), || {
            Ok(self.0.inference(&data)?.with_level(level)?.table().cloned())
        })?;
        let table = found.map_err(errors::of_fit)?;
        table.map(|table| report::inference(py, &table)).transpose()
    }

    /// Value, confidence and prediction bounds of every output at new samples: five columns.
    fn band<'py>(
        &self,
        py: Python<'py>,
        data: Data<'py>,
        x: Matrix<'py>,
        level: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (data, inputs) = (data.dataset(py)?, rows(&x, "X")?);
        self.check(&x)?;
        let found = run::whole(py, &Interrupt::new(), || {
            self.0.inference(&data)?.with_level(level)?.band(inputs)
        })?;
        report::band(py, &found.map_err(errors::of_fit)?)
    }

    #[getter]
    fn theta<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        vector(py, self.0.theta().to_vec())
    }

    #[getter]
    fn feature_names(&self) -> Vec<String> {
        self.0.feature_names().to_vec()
    }

    #[getter]
    fn target_names(&self) -> Vec<String> {
        self.0.target_names().to_vec()
    }

    #[getter]
    fn class_names(&self) -> Vec<String> {
        self.0.class_names().to_vec()
    }

    /// Name, rows, columns, role and values (column by column, in the standardised units) of every block.
    fn parameters<'py>(&self, py: Python<'py>) -> Vec<Parameter<'py>> {
        let of = |block: secant::Parameter<'_>| {
            let values = vector(py, block.values.to_vec());
            (block.name.to_owned(), block.rows, block.cols, role(block.role), values)
        };
        self.0.parameters().map(of).collect()
    }

    /// Means and scales of the inputs and of the targets, where they were standardised.
    fn scaling<'py>(&self, py: Python<'py>) -> Vec<Option<Scaling<'py>>> {
        [self.0.input_scaling(), self.0.target_scaling()]
            .into_iter()
            .map(|scaling| {
                scaling.map(|scaling| {
                    let (means, scales) = (scaling.means(), scaling.deviations());
                    (vector(py, means.to_vec()), vector(py, scales.to_vec()))
                })
            })
            .collect()
    }

    fn save(&self, path: std::path::PathBuf) -> PyResult<()> {
        self.0.save(path).map_err(|error| errors::of_file(&error))
    }

    #[staticmethod]
    fn load(path: std::path::PathBuf) -> PyResult<Self> {
        Ok(Self(Arc::new(Model::load(path).map_err(|error| errors::of_file(&error))?)))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.0.to_bytes().map_err(|error| errors::of_file(&error))?;
        Ok(PyBytes::new(py, &bytes))
    }

    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        Ok(Self(Arc::new(Model::from_bytes(bytes).map_err(|error| errors::of_file(&error))?)))
    }

    fn network(&self) -> PyResult<PyNetwork> {
        PyNetwork::from_json(&self.0.graph().to_json().map_err(errors::wrong)?)
    }

    /// The report of the model as one HTML file.
    fn html(&self, py: Python<'_>, data: Data<'_>) -> PyResult<String> {
        let data = data.dataset(py)?;
        Ok(self.0.html(&data).map_err(errors::of_fit)?.to_string())
    }

    fn __str__(&self) -> String {
        self.0.graph().to_string()
    }
}
