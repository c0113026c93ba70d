//! Curves by formula.

use crate::arrays::{Matrix, Vector, numbers, rows};
use crate::callbacks::Raised;
use crate::data::Data;
use crate::model::PyModel;
use crate::{errors, least_squares, report, run};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use secant::inference::{Estimate, Inference, Status};
use secant::{Curve, CurveFit, Formula, GroupedFit, Interrupt, Origin, Reason};
use std::sync::Arc;

/// Samples times parameters, entries of J, of work that is done before anyone could press a key: a thread that waits for it and listens for signals
/// would cost more.
const BRIEF: usize = 1 << 12;
/// Most iterations of such a fit; one that takes more begins again with a thread that listens.
const BRIEFLY: u64 = 200;
/// Of intervals, where no level is asked for.
const LEVEL: f64 = 0.95;

/// A fitted curve.
#[pyclass(frozen, name = "CurveFit", module = "secant._core")]
pub struct PyCurveFit {
    fit: CurveFit,
    /// Whether its errors are a matter of a millisecond.
    is_brief: bool,
}

impl PyCurveFit {
    fn inferred(&self, py: Python<'_>, level: f64) -> PyResult<Inference> {
        let infer = || self.fit.inference_with(|infer| infer.level(level));
        let found = if self.is_brief {
            run::here(py, infer)?
        } else {
            run::whole(py, &Interrupt::new(), infer)?
        };
        found.map_err(errors::of_fit)
    }
}

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
        self.fit.parameters().iter().map(of).collect()
    }

    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        report::dictionary(py, self.fit.report())
    }

    /// The covariance of the parameters row by row, and which of them were held: fixed or at a bound.
    fn covariance(&self, py: Python<'_>) -> PyResult<(Vec<f64>, Vec<bool>)> {
        let found = self.inferred(py, LEVEL)?;
        let held = |one: &Estimate| matches!(one.status, Status::Fixed | Status::AtBound);
        let held = found.estimates.iter().map(held).collect();
        Ok((found.covariance, held))
    }

    /// Estimates with errors, as `Inference` is serialised, with its table as `text`.
    fn inference<'py>(&self, py: Python<'py>, level: f64) -> PyResult<Bound<'py, PyAny>> {
        report::inference(py, &self.inferred(py, level)?)
    }

    fn predict<'py>(&self, py: Python<'py>, x: Matrix<'py>) -> PyResult<Bound<'py, PyAny>> {
        let operations = run::operations(self.fit.model().graph());
        run::outputs(py, operations, &x, |inputs| self.fit.predict(inputs))
    }

    /// Value, confidence and prediction bounds: five columns.
    fn band<'py>(
        &self,
        py: Python<'py>,
        x: Matrix<'py>,
        level: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inputs = rows(&x, "X")?;
        let found = run::whole(py, &Interrupt::new(), || self.fit.band(inputs, level))?;
        report::band(py, &found.map_err(errors::of_fit)?)
    }

    #[getter]
    fn model(&self) -> PyModel {
        PyModel(Arc::new(self.fit.model().clone()))
    }

    #[getter]
    fn formula(&self) -> String {
        self.fit.formula().to_string()
    }

    fn html(&self) -> PyResult<String> {
        Ok(self.fit.html().map_err(errors::of_fit)?.to_string())
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
    /// Every parameter has a start, so that there is none to be looked for, and nothing was said that changes how a limit of steps is taken.
    #[pyo3(attribute("started"))]
    started: bool,
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
    let data = data.dataset(py)?;
    let raised = Raised::default();
    let entries = data.samples().saturating_mul(options.start.len());
    let is_brief = options.started && entries <= BRIEF;
    let curve = described(&formulas, options, &raised.interrupt)?;
    let briefly = || curve.clone().max_iterations(BRIEFLY).fit(&data);
    let ended = |fit: &CurveFit| fit.report().reason != Reason::MaxIterations;
    let done = if is_brief { Some(run::here(py, briefly)?) } else { None };
    let (done, signal) = match done.filter(|done| done.as_ref().map_or(true, ended)) {
        Some(done) => (done, None),
        None => run::away(py, &raised.interrupt, || curve.fit(&data))?,
    };
    let fitted = done.map_err(errors::of_fit)?;
    let is_brief = data.samples().saturating_mul(fitted.parameters().len()) <= BRIEF;
    let fitted = PyCurveFit { fit: fitted, is_brief };
    Ok((fitted, signal.map(|error| error.into_value(py).into_any())))
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
        let fit = self.0.group(key).map_err(errors::of_fit)?;
        Ok(PyCurveFit { fit, is_brief: false })
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
    let data = data.dataset(py)?;
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
