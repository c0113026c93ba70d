//! `fit`: a network fitted to data.

use crate::arrays::{Vector, numbers};
use crate::callbacks::Raised;
use crate::data::Data;
use crate::methods::{Within, method};
use crate::minimize::observer;
use crate::model::{PyModel, PyNetwork};
use crate::risk::{loss, penalty};
use crate::{errors, least_squares, report, run};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use secant::{Every, Fitted, Standardize};
use std::sync::Arc;

/// A model and how it came about.
#[pyclass(frozen, name = "Fitted", module = "secant._core")]
pub struct PyFitted(Fitted);

#[pymethods]
impl PyFitted {
    #[getter]
    fn model(&self) -> PyModel {
        PyModel(Arc::new(self.0.model().clone()))
    }

    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        report::dictionary(py, self.0.report())
    }

    /// Seeds, values, the best, how many reached it.
    fn starts(&self) -> Option<(Vec<u64>, Vec<f64>, usize, usize)> {
        let starts = self.0.starts()?;
        Some((starts.seeds.clone(), starts.values.clone(), starts.best, starts.reached))
    }

    /// The report as one HTML file.
    #[pyo3(signature = (data, title=None, held_out=None))]
    fn html(
        &self,
        py: Python<'_>,
        data: Data<'_>,
        title: Option<String>,
        held_out: Option<Data<'_>>,
    ) -> PyResult<String> {
        let mut page = self.0.html(&data.dataset(py)?).map_err(errors::of_fit)?;
        if let Some(title) = title {
            page = page.title(title);
        }
        if let Some(data) = held_out {
            page = page.held_out(&data.dataset(py)?).map_err(errors::of_fit)?;
        }
        Ok(page.to_string())
    }
}

/// Options of a fit, as the Python side hands them over.
#[derive(FromPyObject)]
pub struct Options<'py> {
    #[pyo3(attribute("loss"))]
    loss: Option<String>,
    #[pyo3(attribute("robust"))]
    robust: Option<String>,
    #[pyo3(attribute("penalty"))]
    penalty: Option<String>,
    #[pyo3(attribute("method"))]
    method: String,
    #[pyo3(attribute("options"))]
    options: String,
    #[pyo3(attribute("lower"))]
    lower: Option<Vector<'py>>,
    #[pyo3(attribute("upper"))]
    upper: Option<Vector<'py>>,
    #[pyo3(attribute("l1"))]
    l1: Option<Vector<'py>>,
    #[pyo3(attribute("standardize"))]
    standardize: String,
    #[pyo3(attribute("seed"))]
    seed: u64,
    #[pyo3(attribute("start"))]
    start: Option<Vector<'py>>,
    #[pyo3(attribute("starts"))]
    starts: usize,
    #[pyo3(attribute("validation_fraction"))]
    validation_fraction: Option<f64>,
    #[pyo3(attribute("patience"))]
    patience: Option<u64>,
    #[pyo3(attribute("max_iterations"))]
    max_iterations: Option<u64>,
    #[pyo3(attribute("progress"))]
    progress: bool,
    #[pyo3(attribute("checkpoint"))]
    checkpoint: Option<(std::path::PathBuf, f64)>,
    #[pyo3(attribute("resume"))]
    resume: Option<std::path::PathBuf>,
}

fn standardize(name: &str) -> PyResult<Standardize> {
    Ok(match name {
        "auto" => Standardize::Auto,
        "inputs" => Standardize::Inputs,
        "both" => Standardize::InputsAndTargets,
        "none" => Standardize::Nothing,
        _ => {
            let name = report::quoted(name);
            let words = format!("standardize `{name}`: expected one of auto, inputs, both, none");
            return Err(PyValueError::new_err(words));
        }
    })
}

/// A network fitted to data. The second is what Ctrl-C raised, where it did: then the model is the best point so far.
#[pyfunction]
#[pyo3(signature = (network, data, options, validation=None, callback=None))]
pub fn fit_network(
    py: Python<'_>,
    network: &PyNetwork,
    data: Data<'_>,
    options: Options<'_>,
    validation: Option<Data<'_>>,
    callback: Option<Py<PyAny>>,
) -> PyResult<(PyFitted, Option<Py<PyAny>>)> {
    // Where samples are held out, those of the others are asked for.
    let all = options.standardize != "none" && options.validation_fraction.is_none();
    let data = data.dataset_to(py, all)?;
    let validation = validation.map(|data| data.dataset(py)).transpose()?;
    let within = Within::of(options.lower, options.upper, options.l1)?;
    let raised = Raised::default();
    let mut fit = secant::fit(&network.0, &data)
        .method(method(&options.method, within, &options.options)?)
        .shared_penalty(penalty(options.penalty.as_deref())?)
        .standardize(standardize(&options.standardize)?)
        .seed(options.seed)
        .starts(options.starts)
        .interrupt(&raised.interrupt);
    if let Some(description) = &options.loss {
        fit = fit.shared_loss(loss(description)?);
    }
    if let Some(rho) = &options.robust {
        fit = fit.robust(least_squares::rho(rho)?);
    }
    if let Some(start) = &options.start {
        fit = fit.start(numbers(start, "start")?);
    }
    if let Some(data) = &validation {
        fit = fit.validation(data);
    }
    if let Some(fraction) = options.validation_fraction {
        fit = fit.validation_fraction(fraction);
    }
    if let Some(patience) = options.patience {
        fit = fit.patience(patience);
    }
    if let Some(iterations) = options.max_iterations {
        fit = fit.max_iterations(iterations);
    }
    if options.progress {
        fit = fit.progress();
    }
    if let Some((path, seconds)) = options.checkpoint {
        fit = fit.checkpoint(path, Every::Seconds(seconds));
    }
    if let Some(path) = options.resume {
        fit = fit.resume(path);
    }
    if let Some(callback) = &callback {
        fit = fit.observe(observer(callback, &raised));
    }
    let (done, signal) = run::away(py, &raised.interrupt, move || fit.run())?;
    if let Some(error) = raised.take() {
        return Err(error);
    }
    let fitted = done.map_err(errors::of_fit)?;
    Ok((PyFitted(fitted), signal.map(|error| error.into_value(py).into_any())))
}
