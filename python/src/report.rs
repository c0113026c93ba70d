//! A run's report as a dictionary, its trace as arrays.

use crate::arrays::{matrix, vector};
use crate::errors;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use secant::Report;
use secant::core::text;
use secant::inference::{BandPoint, Inference};
use secant::optim::TraceEntry;
use serde_json::Value;

/// The report by names. `reason` is the name of the `Reason`, `message` its sentence, `text` the whole as a readable block.
pub fn dictionary<'py>(py: Python<'py>, report: &Report) -> PyResult<Bound<'py, PyDict>> {
    let entries = PyDict::new(py);
    entries.set_item("solver", &report.solver)?;
    entries.set_item("reason", format!("{:?}", report.reason))?;
    entries.set_item("message", report.reason.sentence())?;
    entries.set_item("converged", report.reason.is_converged())?;
    entries.set_item("success", report.reason.is_success())?;
    entries.set_item("parameters", report.parameters)?;
    entries.set_item("initial_value", report.initial_value)?;
    entries.set_item("value", report.value)?;
    entries.set_item("initial_gradient", report.initial_gradient.max)?;
    entries.set_item("gradient", report.gradient.max)?;
    entries.set_item("gradient_2", report.gradient.euclidean)?;
    entries.set_item("iterations", report.iterations)?;
    entries.set_item("best_iteration", report.best_iteration)?;
    entries.set_item("epochs", report.epochs)?;
    entries.set_item("seconds", report.seconds)?;
    entries.set_item("notes", &report.notes)?;
    entries.set_item("text", report.to_string())?;
    let counts = PyDict::new(py);
    let written = serde_json::to_value(report.evaluations).map_err(errors::wrong)?;
    for (kind, count) in written.as_object().into_iter().flatten() {
        if let Some(count) = count.as_u64().filter(|count| *count > 0) {
            counts.set_item(kind, count)?;
        }
    }
    entries.set_item("evaluations", counts)?;
    if let Some(validation) = report.validation {
        let of = PyDict::new(py);
        of.set_item("loss", validation.loss)?;
        of.set_item("accuracy", validation.accuracy)?;
        of.set_item("iteration", validation.iteration)?;
        of.set_item("evaluations", validation.evaluations)?;
        entries.set_item("validation", of)?;
    } else {
        entries.set_item("validation", py.None())?;
    }
    entries.set_item("trace", trace(py, &report.trace)?)?;
    Ok(entries)
}

fn trace<'py>(py: Python<'py>, entries: &[TraceEntry]) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    let column = |of: fn(&TraceEntry) -> f64| vector(py, entries.iter().map(of).collect());
    columns.set_item("iteration", column(|entry| entry.iteration as f64))?;
    columns.set_item("value", column(|entry| entry.value))?;
    columns.set_item("gradient", column(|entry| entry.gradient_norm))?;
    columns.set_item("step", column(|entry| entry.step_length))?;
    columns.set_item("evaluations", column(|entry| entry.evaluations as f64))?;
    columns.set_item("seconds", column(|entry| entry.seconds))?;
    if entries.iter().any(|entry| entry.validation.is_some()) {
        let loss = column(|entry| entry.validation.map_or(f64::NAN, |of| of.loss));
        columns.set_item("validation", loss)?;
    }
    Ok(columns)
}

/// Estimates with errors by names, as they are serialised, with their table as `text`.
pub fn inference<'py>(py: Python<'py>, found: &Inference) -> PyResult<Bound<'py, PyAny>> {
    let entries = of_json(py, &serde_json::to_value(found).map_err(errors::wrong)?)?;
    entries.set_item("text", found.to_string())?;
    Ok(entries)
}

/// Value, confidence and prediction bounds of every point: five columns.
pub fn band<'py>(py: Python<'py>, points: &[BandPoint]) -> PyResult<Bound<'py, PyAny>> {
    let row = |point: &BandPoint| {
        let (low, high) = point.confidence;
        [point.value, low, high, point.prediction.0, point.prediction.1]
    };
    let rows = points.iter().flat_map(row).collect();
    Ok(matrix(py, (points.len(), 5), rows)?.into_any())
}

/// JSON as Python's objects; words for numbers that are not finite are such numbers.
fn of_json<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => flag.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into_pyobject(py)?.into_any(),
            None => number.as_f64().unwrap_or(f64::NAN).into_pyobject(py)?.into_any(),
        },
        Value::String(word) => match word.as_str() {
            "NaN" => f64::NAN.into_pyobject(py)?.into_any(),
            "inf" => f64::INFINITY.into_pyobject(py)?.into_any(),
            "-inf" => f64::NEG_INFINITY.into_pyobject(py)?.into_any(),
            word => word.into_pyobject(py)?.into_any(),
        },
        Value::Array(items) => {
            let items = items.iter().map(|item| of_json(py, item)).collect::<PyResult<Vec<_>>>()?;
            items.into_pyobject(py)?.into_any()
        }
        Value::Object(fields) => {
            let entries = PyDict::new(py);
            for (key, value) in fields {
                entries.set_item(key, of_json(py, value)?)?;
            }
            entries.into_any()
        }
    })
}

/// A text of the user's in a message.
pub fn quoted(word: &str) -> String {
    text::quoted(word).to_string()
}
