//! The command `secant`.

use pyo3::prelude::*;
use std::ffi::OsString;

/// Runs the command line, the first of whose words is the command's name, and gives its exit status.
#[pyfunction]
pub fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    // Its own handler of signals is the one that is wanted here.
    py.detach(|| secant_cli::run(arguments))
}
