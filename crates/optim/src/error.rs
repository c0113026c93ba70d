//! The caller's mistakes. Numerical trouble is a [`Reason`](crate::Reason), never one of these.

use thiserror::Error;

/// A mistake of the caller, found before the first step.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum OptimError {
    /// An option lies outside its range.
    #[error("{solver}: option `{option}` is {value}, allowed is {allowed}")]
    OptionOutOfRange {
        /// The solver that was asked.
        solver: &'static str,
        /// The name of the option's field.
        option: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed, in words or as an interval.
        allowed: &'static str,
    },
    /// The start has another length than the problem.
    #[error("the start has {found} entries, the problem has {expected} parameters")]
    StartLength {
        /// n of the problem.
        expected: usize,
        /// Length of the start.
        found: usize,
    },
    /// An entry of the start is NaN or infinite.
    #[error("entry {index} of the start is {value}")]
    StartNotFinite {
        /// The first such entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A lower bound that is not below its upper one, or NaN.
    #[error("the bounds of parameter {index} are {lower} and {upper}: no number lies between")]
    Bounds {
        /// The parameter.
        index: usize,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// Bounds of another length than the problem.
    #[error("bounds for {found} parameters, there are {expected}")]
    BoundsLength {
        /// n.
        expected: usize,
        /// As given.
        found: usize,
    },
    /// A method of least squares was asked to minimise what is no sum of squares.
    #[error("{solver} needs residuals, and the problem has none: it is no sum of squares")]
    NoResiduals {
        /// The solver that was asked.
        solver: &'static str,
    },
    /// Nobody says which parameters are linear: neither the problem nor the caller.
    #[error(
        "{solver} needs parameters that the residuals are linear in, and neither the problem nor the caller names any"
    )]
    NoLinearParameters {
        /// The solver that was asked.
        solver: &'static str,
    },
    /// A range of linear parameters that is empty, outside θ, or overlaps another.
    #[error(
        "{solver}: the linear parameters {start}..{end} are empty, overlap others or reach beyond the {parameters} there are"
    )]
    LinearRange {
        /// The solver that was asked.
        solver: &'static str,
        /// Of the range.
        start: usize,
        /// Of the range.
        end: usize,
        /// n of the problem.
        parameters: usize,
    },
    /// Parameters that were said to be linear and are not.
    #[error(
        "{solver}: the residuals are not linear in {parameters} (off by {bend:e} of their size)"
    )]
    NotLinear {
        /// The solver that was asked.
        solver: &'static str,
        /// Their names, or where in θ they are.
        parameters: String,
        /// How far the residuals leave a straight line, relative to their size.
        bend: f64,
    },
    /// The problem has no parameters.
    #[error("the problem has no parameters to fit")]
    NoParameters,
    /// A solver from outside this crate returned an error of its own.
    #[error("{solver}: {message}")]
    ForeignSolver {
        /// The solver's name.
        solver: &'static str,
        /// Its message.
        message: String,
    },
}

/// `Ok` when `holds`, else the error that names solver, option, value and what is allowed.
pub(crate) fn require(
    holds: bool,
    solver: &'static str,
    option: &'static str,
    value: f64,
    allowed: &'static str,
) -> Result<(), OptimError> {
    if holds {
        Ok(())
    } else {
        Err(OptimError::OptionOutOfRange { solver, option, value, allowed })
    }
}
