//! Generalised linear models with standard errors.

use crate::arrays::Matrix;
use crate::data::Data;
use crate::{errors, report, run};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use secant::{Family, Glm, GlmFit, Interrupt, Link, Stopping};

/// A fitted generalised linear model.
#[pyclass(frozen, name = "GlmFit", module = "secant._core")]
pub struct PyGlmFit(GlmFit);

#[pymethods]
impl PyGlmFit {
    /// What was estimated, by names; `coefficients` is a list of dictionaries.
    fn summary<'py>(&self, py: Python<'py>, level: f64) -> PyResult<Bound<'py, PyDict>> {
        let fit = &self.0;
        let entries = PyDict::new(py);
        entries.set_item("family", fit.family.name())?;
        entries.set_item("deviance", fit.deviance)?;
        entries.set_item("null_deviance", fit.null_deviance)?;
        entries.set_item("pearson", fit.pearson)?;
        entries.set_item("log_likelihood", fit.log_likelihood)?;
        entries.set_item("dispersion", fit.dispersion)?;
        entries.set_item("residual_degrees", fit.residual_degrees)?;
        entries.set_item("aic", fit.aic())?;
        entries.set_item("bic", fit.bic())?;
        entries.set_item("alpha", fit.alpha.map(|alpha| (alpha.estimate, alpha.standard_error)))?;
        entries.set_item("power", fit.power.map(|power| (power.estimate, power.standard_error)))?;
        entries.set_item("notes", &fit.notes)?;
        entries.set_item("text", fit.to_string())?;
        let mut coefficients = Vec::new();
        for one in &fit.coefficients {
            let of = PyDict::new(py);
            of.set_item("name", &one.name)?;
            of.set_item("class", &one.class)?;
            of.set_item("estimate", one.estimate)?;
            of.set_item("standard_error", one.standard_error)?;
            of.set_item("z", one.z())?;
            of.set_item("p_value", one.p_value())?;
            let interval = one.confidence_interval(level).map_err(errors::wrong)?;
            of.set_item("interval", (interval[0], interval[1]))?;
            of.set_item("status", format!("{:?}", one.status))?;
            coefficients.push(of);
        }
        entries.set_item("coefficients", coefficients)?;
        Ok(entries)
    }

    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        report::dictionary(py, &self.0.report)
    }

    /// N × c means.
    fn predict<'py>(&self, py: Python<'py>, x: Matrix<'py>) -> PyResult<Bound<'py, PyAny>> {
        let operations = 2 * self.0.coefficients.len();
        run::outputs(py, operations, &x, |inputs| self.0.predict(inputs))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.0.to_bytes().map_err(|error| errors::of_file(&error))?;
        Ok(PyBytes::new(py, &bytes))
    }

    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        Ok(Self(GlmFit::from_bytes(bytes).map_err(|error| errors::of_file(&error))?))
    }
}

fn family(name: &str, option: Option<f64>) -> PyResult<Glm> {
    Ok(match (Family::by_name(name).map_err(errors::wrong)?, option) {
        (Family::Tweedie { .. }, Some(power)) => Glm::tweedie(power),
        (Family::Tweedie { .. }, None) => Glm::tweedie_estimated(),
        (Family::NegativeBinomial { .. }, Some(alpha)) => Glm::negative_binomial(alpha),
        (Family::NegativeBinomial { .. }, None) => Glm::negative_binomial_estimated(),
        (family, _) => Glm::new(family),
    })
}

/// A generalised linear model fitted to data.
#[pyfunction]
#[pyo3(signature = (family_name, option, link_name, data, intercept, ridge, max_iterations=None))]
#[expect(clippy::too_many_arguments, reason = "the Python side names them")]
pub fn fit_glm(
    py: Python<'_>,
    family_name: &str,
    option: Option<f64>,
    link_name: Option<&str>,
    data: Data<'_>,
    intercept: bool,
    ridge: f64,
    max_iterations: Option<u64>,
) -> PyResult<PyGlmFit> {
    let data = data.dataset(py)?;
    let mut glm = family(family_name, option)?.intercept(intercept).ridge(ridge);
    if let Some(name) = link_name {
        glm = glm.link(Link::by_name(name).map_err(errors::wrong)?);
    }
    if let Some(max_iterations) = max_iterations {
        // The model's own tolerance, with another limit.
        glm = glm.stopping(Stopping {
            gradient_tolerance: 1e-12,
            max_iterations,
            ..Stopping::default()
        });
    }
    let fitted = run::whole(py, &Interrupt::new(), || glm.fit(&data))?;
    Ok(PyGlmFit(fitted.map_err(errors::of_fit)?))
}
