//! The minima of mean loss + λ‖θ‖₁ along λ.

use crate::arrays::{Vector, matrix, numbers, optional, vector};
use crate::methods::weights;
use crate::risk::PyRisk;
use crate::{errors, run};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use secant::{Interrupt, LassoPath};

/// λ, θ (points × n), values and how many entries are not zero, by names.
#[pyfunction]
#[pyo3(signature = (risk, theta0, l1, lambdas=None, points=100, ratio=1e-3))]
pub fn lasso_path<'py>(
    py: Python<'py>,
    risk: &PyRisk,
    theta0: Vector<'py>,
    l1: Vector<'py>,
    lambdas: Option<Vector<'py>>,
    points: usize,
    ratio: f64,
) -> PyResult<Bound<'py, PyDict>> {
    let theta0 = numbers(&theta0, "theta0")?;
    let l1 = weights(Some(l1))?.unwrap_or_default();
    let lambdas = optional(lambdas, "alphas")?;
    let path = LassoPath { l1, lambdas, points, ratio };
    let found = run::whole(py, &Interrupt::new(), || path.run(risk.risk(), theta0))?;
    let found = found.map_err(|error| errors::of_optim(&error))?;
    let entries = PyDict::new(py);
    let all: Vec<f64> = found.iter().flat_map(|point| point.solution.theta.clone()).collect();
    entries.set_item("alphas", vector(py, found.iter().map(|point| point.lambda).collect()))?;
    entries.set_item("thetas", matrix(py, (found.len(), theta0.len()), all)?)?;
    let values = found.iter().map(|point| point.solution.report.value).collect();
    entries.set_item("values", vector(py, values))?;
    let gaps = found.iter().map(|point| point.solution.report.gradient.max).collect();
    entries.set_item("gradients", vector(py, gaps))?;
    entries.set_item("nonzero", found.iter().map(|point| point.nonzero).collect::<Vec<_>>())?;
    entries.set_item(
        "iterations",
        found.iter().map(|point| point.solution.report.iterations).collect::<Vec<_>>(),
    )?;
    Ok(entries)
}
