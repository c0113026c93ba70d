//! Curves by formula.

use crate::arrays::{Matrix, Vector, numbers, rows};
use crate::callbacks::Raised;
use crate::data::Data;
use crate::model::PyModel;
use crate::{errors, least_squares, report, run};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use secant::{Curve, CurveFit, Formula, GroupedFit, Interrupt, Origin};
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

/// The curve of these formulas, with all that was said of it.
fn described(formulas: &[String], options: Options<'_>, interrupt: &Interrupt) -> PyResult<Curve> {
    let mut curve = Curve::several(formulas)
        .map_err(errors::of_fit)?
        .start(options.start)
        .absolute_sigma(options.absolute_sigma)
        .seed(options.seed)
        .interrupt(interrupt);
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
    Ok(curve)
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
    let curve = described(&formulas, options, &raised.interrupt)?;
    let (done, signal) = run::away(py, &raised.interrupt, || curve.fit(&data))?;
    let fitted = done.map_err(errors::of_fit)?;
    Ok((PyCurveFit(fitted), signal.map(|error| error.into_value(py).into_any())))
}

/// A name, the value and its standard error.
type NamedError = (String, f64, f64);

/// A curve fitted to several groups of data.
#[pyclass(frozen, name = "GroupedFit", module = "secant._core")]
pub struct PyGroupedFit(GroupedFit);

#[pymethods]
impl PyGroupedFit {
    fn groups(&self) -> Vec<String> {
        self.0.groups().to_vec()
    }

    /// Name and value of the parameters that all groups share.
    fn shared(&self) -> Vec<(String, f64)> {
        let of = |name: &str| (name.to_owned(), self.0.value(name).unwrap_or(f64::NAN));
        self.0.shared().into_iter().map(of).collect()
    }

    /// Name of each group's own parameters and their values, a number for each group.
    fn own(&self) -> Vec<(String, Vec<f64>)> {
        let values = |name: &str| {
            let of = |key: &String| self.0.value_of(key, name).unwrap_or(f64::NAN);
            self.0.groups().iter().map(of).collect()
        };
        self.0.own().into_iter().map(|name| (name.to_owned(), values(name))).collect()
    }

    fn group(&self, key: &str) -> PyResult<PyCurveFit> {
        Ok(PyCurveFit(self.0.group(key).map_err(errors::of_fit)?))
    }

    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        report::dictionary(py, self.0.report())
    }

    /// The shared parameters and every group's own, by name: value and standard error; and the table as text.
    fn inference(&self, py: Python<'_>, level: f64) -> PyResult<(Vec<NamedError>, String)> {
        let found = run::whole(py, &Interrupt::new(), || {
            self.0.inference_with(|infer| infer.level(level))
        })?;
        let found = found.map_err(errors::of_fit)?;
        let each = found.estimates();
        let each = each.map(|one| (one.name.clone(), one.value, one.standard_error)).collect();
        Ok((each, found.to_string()))
    }

    fn to_csv(&self) -> String {
        self.0.to_csv()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }
}

/// The curve of these formulas fitted to groups of data at once: the key of each sample, and the parameters that each group has for itself.
#[pyfunction]
pub fn fit_grouped_curve(
    py: Python<'_>,
    formulas: Vec<String>,
    data: Data<'_>,
    options: Options<'_>,
    keys: Vec<String>,
    own: Vec<String>,
) -> PyResult<(PyGroupedFit, Option<Py<PyAny>>)> {
    let data = data.dataset()?;
    let raised = Raised::default();
    let curve = described(&formulas, options, &raised.interrupt)?.groups_of(keys).own(own);
    let (done, signal) = run::away(py, &raised.interrupt, || curve.fit(&data))?;
    let fitted = done.map_err(errors::of_fit)?;
    Ok((PyGroupedFit(fitted), signal.map(|error| error.into_value(py).into_any())))
}

/// The parameters of formulas whose inputs have these names, in order of appearance.
#[pyfunction]
pub fn formula_parameters(formulas: Vec<String>, features: Vec<String>) -> PyResult<Vec<String>> {
    let formula = Formula::several(&formulas, &features).map_err(errors::wrong)?;
    Ok(formula.parameters().to_vec())
}
