//! Functions of the user's in Python, as the engine calls them: what they raise ends the run, and is raised again when it has ended.

use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use secant::Interrupt;
use std::sync::{Mutex, PoisonError};

/// The first exception of a run, and what ends the run for it.
#[derive(Debug, Default)]
pub struct Raised {
    error: Mutex<Option<PyErr>>,
    pub interrupt: Interrupt,
}

impl Raised {
    /// Ends the run.
    pub fn keep(&self, error: PyErr) {
        self.interrupt.set();
        let mut kept = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert(error);
    }

    /// What was raised.
    pub fn take(&self) -> Option<PyErr> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Calls Python, unless it has raised already; `None` where it raises.
    pub fn call<T>(&self, body: impl for<'py> FnOnce(Python<'py>) -> PyResult<T>) -> Option<T> {
        if self.interrupt.is_set() {
            return None;
        }
        Python::attach(body).map_err(|error| self.keep(error)).ok()
    }
}

/// θ as an array of its own: what a callback does to it, or keeps, touches nothing.
pub fn point<'py>(py: Python<'py>, theta: &[f64]) -> Bound<'py, numpy::PyArray1<f64>> {
    numpy::PyArray1::from_slice(py, theta)
}

/// The number that `what` gave: a float, or an array of one entry.
pub fn number(value: &Bound<'_, PyAny>, what: &str) -> PyResult<f64> {
    if let Ok(number) = value.extract::<f64>() {
        return Ok(number);
    }
    let array = as_array(value, what)?;
    if array.len() != 1 {
        let shape = array.shape().to_vec();
        return Err(PyValueError::new_err(format!(
            "{what} gave an array of shape {shape:?}, expected a number"
        )));
    }
    array
        .readonly()
        .as_array()
        .iter()
        .next()
        .copied()
        .ok_or_else(|| PyValueError::new_err(format!("{what} gave no number")))
}

/// Writes the numbers that `what` gave, row by row, into `out`; their number must fit.
pub fn write(
    value: &Bound<'_, PyAny>,
    what: &str,
    shape: &[usize],
    out: &mut [f64],
) -> PyResult<()> {
    let array = as_array(value, what)?;
    let fits = array.shape() == shape
        || (array.len() == out.len() && (shape.len() == 1 || array.shape().contains(&1)));
    if !fits {
        return Err(PyValueError::new_err(format!(
            "{what} gave an array of shape {:?}, expected {shape:?}",
            array.shape()
        )));
    }
    let readonly = array.readonly();
    out.iter_mut().zip(readonly.as_array().iter()).for_each(|(out, number)| *out = *number);
    Ok(())
}

fn as_array<'py>(value: &Bound<'py, PyAny>, what: &str) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    if let Ok(array) = value.cast::<PyArrayDyn<f64>>() {
        return Ok(array.clone());
    }
    let numpy = value.py().import("numpy")?;
    let array =
        numpy.call_method1("asarray", (value, numpy.getattr("float64")?)).map_err(|error| {
            PyTypeError::new_err(format!("{what} gave what is no array of numbers: {error}"))
        })?;
    Ok(array.cast_into::<PyArrayDyn<f64>>()?)
}
