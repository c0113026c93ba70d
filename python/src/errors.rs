//! The library's errors as exceptions: what the caller could have known is a `ValueError` with the library's sentence.

use pyo3::PyErr;
use pyo3::exceptions::{PyFileNotFoundError, PyMemoryError, PyOSError, PyValueError};
use secant::optim::OptimError;
use secant::{FitError, ModelFileError};
use std::error::Error;
use std::io::ErrorKind;

/// A mistake of the caller.
pub fn wrong(error: impl Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What a solver refuses.
pub fn of_optim(error: &OptimError) -> PyErr {
    match error {
        OptimError::Memory { .. } => PyMemoryError::new_err(error.to_string()),
        _ => wrong(error),
    }
}

/// What a fit refuses.
pub fn of_fit(error: FitError) -> PyErr {
    match error {
        FitError::Optim(error) => of_optim(&error),
        FitError::ModelFile(error) => of_file(&error),
        error => wrong(error),
    }
}

/// What is wrong with a file.
pub fn of_file(error: &ModelFileError) -> PyErr {
    let words = error.to_string();
    match error {
        ModelFileError::Read { error, .. } if error.kind() == ErrorKind::NotFound => {
            PyFileNotFoundError::new_err(words)
        }
        ModelFileError::Read { .. } | ModelFileError::Write(_) => PyOSError::new_err(words),
        _ => PyValueError::new_err(words),
    }
}
