//! Curves by formula.

use crate::arrays::{Matrix, Vector, numbers, rows};
use crate::callbacks::Raised;
use crate::data::Data;
use crate::model::PyModel;
use crate::{errors, least_squares, report, run};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use secant::{Curve, CurveFit, Formula, Interrupt, Origin};
use std::sync::Arc;

/// A fitted curve.
#[pyclass(frozen, name = "CurveFit", module = "secant._core")]
pub struct PyCurveFit(CurveFit);

#[pymethods]
impl PyCurveFit {
    /// Name, value and origin (`free`, `fixed`, `tied`) of every parameter, in order of appearance.
    fn parameters(&self) -> Vec<(String, f64, &'static str)> {
        let of = |one: &secant::CurveParameter| {
            let origin = match one.origin {
                Origin::Fixed => "fixed",
                Origin::Tied { .. } => "tied",
                _ => "free",
            };
            (one.name.clone(), one.value, origin)
        };
        self.0.parameters().iter().map(of).collect()
    }

    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        report::dictionary(py, self.0.report())
    }

    /// Estimates with errors, as `Inference` is serialised, with its table as `text`.
    fn inference<'py>(&self, py: Python<'py>, level: f64) -> PyResult<Bound<'py, PyAny>> {
        let found = run::whole(py, &Interrupt::new(), || {
            self.0.inference_with(|infer| infer.level(level))
        })?;
        report::inference(py, &found.map_err(errors::of_fit)?)
    }

    fn predict<'py>(&self, py: Python<'py>, x: Matrix<'py>) -> PyResult<Bound<'py, PyAny>> {
        run::outputs(py, &x, |inputs| self.0.predict(inputs))
    }

    /// Value, confidence and prediction bounds: five columns.
    fn band<'py>(
        &self,
        py: Python<'py>,
        x: Matrix<'py>,
        level: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inputs = rows(&x, "X")?;
        let found = run::whole(py, &Interrupt::new(), || self.0.band(inputs, level))?;
        report::band(py, &found.map_err(errors::of_fit)?)
    }

    #[getter]
    fn model(&self) -> PyModel {
        PyModel(Arc::new(self.0.model().clone()))
    }

    #[getter]
    fn formula(&self) -> String {
        self.0.formula().to_string()
    }

    fn html(&self) -> PyResult<String> {
        Ok(self.0.html().map_err(errors::of_fit)?.to_string())
    }
}

/// Options of a curve, as the Python side hands them over.
#[derive(FromPyObject)]
pub struct Options<'py> {
    #[pyo3(attribute("start"))]
    start: Vec<(String, f64)>,
    #[pyo3(attribute("bounds"))]
    bounds: Vec<(String, f64, f64)>,
    #[pyo3(attribute("fixed"))]
    fixed: Vec<(String, f64)>,
    #[pyo3(attribute("tied"))]
    tied: Vec<(String, String)>,
    #[pyo3(attribute("sigma"))]
    sigma: Option<Vector<'py>>,
    #[pyo3(attribute("absolute_sigma"))]
    absolute_sigma: bool,
    #[pyo3(attribute("robust"))]
    robust: Option<String>,
    #[pyo3(attribute("max_iterations"))]
    max_iterations: Option<u64>,
    #[pyo3(attribute("draws"))]
    draws: Option<usize>,
    #[pyo3(attribute("seed"))]
    seed: u64,
}

/// The curve of these formulas, one for each column of the targets, fitted to data.
#[pyfunction]
pub fn fit_curve(
    py: Python<'_>,
    formulas: Vec<String>,
    data: Data<'_>,
    options: Options<'_>,
) -> PyResult<(PyCurveFit, Option<Py<PyAny>>)> {
    let data = data.dataset()?;
    let raised = Raised::default();
    let mut curve = Curve::several(&formulas)
        .map_err(errors::of_fit)?
        .start(options.start)
        .absolute_sigma(options.absolute_sigma)
        .seed(options.seed)
        .interrupt(&raised.interrupt);
    for (name, lower, upper) in options.bounds {
        curve = curve.bounds(&name, lower..=upper);
    }
    for (name, value) in options.fixed {
        curve = curve.fix(&name, value);
    }
    for (name, formula) in options.tied {
        curve = curve.tie(&name, &formula);
    }
    if let Some(sigma) = &options.sigma {
        curve = curve.sigma(numbers(sigma, "sigma")?);
    }
    if let Some(rho) = &options.robust {
        curve = curve.robust(least_squares::rho(rho)?);
    }
    if let Some(iterations) = options.max_iterations {
        curve = curve.max_iterations(iterations);
    }
    if let Some(draws) = options.draws {
        curve = curve.draws(draws);
    }
    let (done, signal) = run::away(py, &raised.interrupt, || curve.fit(&data))?;
    let fitted = done.map_err(errors::of_fit)?;
    Ok((PyCurveFit(fitted), signal.map(|error| error.into_value(py).into_any())))
}

/// The parameters of formulas whose inputs have these names, in order of appearance.
#[pyfunction]
pub fn formula_parameters(formulas: Vec<String>, features: Vec<String>) -> PyResult<Vec<String>> {
    let formula = Formula::several(&formulas, &features).map_err(errors::wrong)?;
    Ok(formula.parameters().to_vec())
}
