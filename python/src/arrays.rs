//! NumPy arrays in and out.

use arrow_buffer::Buffer;
use numpy::ndarray::{Array1, Array2};
use numpy::{Element, IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;
use pyo3_arrow::buffer::AnyBufferProtocol;
use secant::data::{SharedIndices, SharedNumbers, SharedSingles};
use std::sync::Arc;

/// A vector of numbers.
pub type Vector<'py> = PyReadonlyArray1<'py, f64>;
/// A matrix of numbers; N × d in C order is what the engine calls d × N.
pub type Matrix<'py> = PyReadonlyArray2<'py, f64>;

/// The same in single precision.
pub type SingleMatrix<'py> = PyReadonlyArray2<'py, f32>;

/// The numbers of a vector, which the Python side has made contiguous.
pub fn numbers<'a>(vector: &'a Vector<'_>, name: &str) -> PyResult<&'a [f64]> {
    vector.as_slice().map_err(|_| not_contiguous(name))
}

/// A copy of them, one for each of a model's `n` parameters.
pub fn parameters(vector: &Vector<'_>, name: &str, n: usize) -> PyResult<Vec<f64>> {
    let given = numbers(vector, name)?;
    let found = given.len();
    if found != n {
        let words = format!("{name} has {found} entries, the model has {n} parameters");
        return Err(PyValueError::new_err(words));
    }
    Ok(given.to_vec())
}

/// A copy of them, where there is a vector.
pub fn optional(vector: Option<Vector<'_>>, name: &str) -> PyResult<Option<Vec<f64>>> {
    vector.map(|vector| Ok(numbers(&vector, name)?.to_vec())).transpose()
}

/// The numbers of a matrix row by row, which the Python side has made contiguous.
pub fn rows<'a, T: Element>(matrix: &'a PyReadonlyArray2<'_, T>, name: &str) -> PyResult<&'a [T]> {
    let array = matrix.as_array();
    if !array.is_standard_layout() {
        return Err(not_contiguous(name));
    }
    matrix.as_slice().map_err(|_| not_contiguous(name))
}

/// The same where they are, for as long as anyone has them. They are the caller's, who must not change them meanwhile.
pub fn shared(matrix: &Matrix<'_>, name: &str) -> PyResult<SharedNumbers> {
    rows(matrix, name)?;
    let buffer = AnyBufferProtocol::Float64(PyBuffer::get(matrix.as_any())?);
    Ok(Arc::new(Held(buffer.into_arrow_buffer()?)))
}

/// The same in single precision.
pub fn shared_singles(matrix: &SingleMatrix<'_>, name: &str) -> PyResult<SharedSingles> {
    rows(matrix, name)?;
    let buffer = AnyBufferProtocol::Float32(PyBuffer::get(matrix.as_any())?);
    Ok(Arc::new(Held(buffer.into_arrow_buffer()?)))
}

/// The numbers of a vector in the same way, where there are some.
pub fn shared_vector(vector: &Vector<'_>, name: &str) -> PyResult<SharedNumbers> {
    if numbers(vector, name)?.is_empty() {
        return Ok(Arc::new(Vec::new()));
    }
    let buffer = AnyBufferProtocol::Float64(PyBuffer::get(vector.as_any())?);
    Ok(Arc::new(Held(buffer.into_arrow_buffer()?)))
}

/// Whole numbers in the same way, none of them below 0.
pub fn shared_indices(indices: &PyReadonlyArray1<'_, i32>) -> PyResult<SharedIndices> {
    let buffer = AnyBufferProtocol::Int32(PyBuffer::get(indices.as_any())?);
    Ok(Arc::new(Held(buffer.into_arrow_buffer()?)))
}

/// An array's buffer, given back when nobody reads it any more.
struct Held(Buffer);

impl AsRef<[f64]> for Held {
    fn as_ref(&self) -> &[f64] {
        self.0.typed_data()
    }
}

impl AsRef<[f32]> for Held {
    fn as_ref(&self) -> &[f32] {
        self.0.typed_data()
    }
}

impl AsRef<[u32]> for Held {
    /// From 0 on `i32` has the bits of `u32`.
    fn as_ref(&self) -> &[u32] {
        self.0.typed_data()
    }
}

fn not_contiguous(name: &str) -> PyErr {
    PyValueError::new_err(format!("{name} must be contiguous, in C order"))
}

/// A vector of its own.
pub fn vector(py: Python<'_>, numbers: Vec<f64>) -> Bound<'_, PyArray1<f64>> {
    Array1::from_vec(numbers).into_pyarray(py)
}

/// A matrix of its own, from its numbers row by row.
pub fn matrix(
    py: Python<'_>,
    (rows, columns): (usize, usize),
    numbers: Vec<f64>,
) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let found = numbers.len();
    let array = Array2::from_shape_vec((rows, columns), numbers).map_err(|_| {
        PyValueError::new_err(format!("{found} numbers are no {rows} × {columns} matrix"))
    })?;
    Ok(array.into_pyarray(py))
}

/// Refuses a matrix that no memory is given for, before one is made that cannot fail.
pub fn room(rows: usize, columns: usize) -> PyResult<()> {
    let mut probe: Vec<f64> = Vec::new();
    let given = rows.checked_mul(columns).map(|entries| probe.try_reserve_exact(entries));
    match given {
        Some(Ok(())) => Ok(()),
        _ => Err(PyMemoryError::new_err(format!("no memory for a {rows} × {columns} matrix"))),
    }
}
