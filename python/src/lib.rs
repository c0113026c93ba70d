//! The extension module `secant._core`: the engine as functions and classes over NumPy arrays. What Python users call stands in
//! `python/secant`; nothing here is public.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what comes from Python is extracted into values"
)]
#![expect(clippy::struct_field_names, reason = "named as the Python side's attributes")]

mod arrays;
mod callbacks;
mod centre;
mod command;
mod curves;
mod data;
mod errors;
mod fit;
mod glm;
mod least_squares;
mod linear;
mod many;
mod methods;
mod minimize;
mod model;
mod parts;
mod path;
mod report;
mod risk;
mod run;
mod threads;

use pyo3::prelude::*;

/// The engine of `secant`.
#[pymodule]
mod _core {
    #[pymodule_export]
    use super::centre::centre;
    #[pymodule_export]
    use super::command::run_command;
    #[pymodule_export]
    use super::curves::{
        PyCurveFit, PyGroupedFit, fit_curve, fit_grouped_curve, formula_parameters,
    };
    #[pymodule_export]
    use super::fit::{PyFitted, fit_network};
    #[pymodule_export]
    use super::glm::{PyGlmFit, fit_glm};
    #[pymodule_export]
    use super::least_squares::least_squares;
    #[pymodule_export]
    use super::linear::{kernel_ridge, leave_one_out, linear_least_squares};
    #[pymodule_export]
    use super::many::fit_many;
    #[pymodule_export]
    use super::methods::{method_names, method_options};
    #[pymodule_export]
    use super::minimize::minimize;
    #[pymodule_export]
    use super::model::{PyModel, PyNetwork};
    #[pymodule_export]
    use super::parts::{PyLayout, PyPartials, PyRiskPart};
    #[pymodule_export]
    use super::path::lasso_path;
    #[pymodule_export]
    use super::risk::{PyLinearized, PyRisk};
    #[pymodule_export]
    use super::threads::set_threads;

    /// Names the process that loads the module.
    #[pymodule_init]
    fn loaded() {
        super::threads::loaded();
    }

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
