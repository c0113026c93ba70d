//! The caller's mistakes. Numerical trouble is a [`Reason`](crate::Reason), never one of these.

mod checkpoint;

pub use checkpoint::{CheckpointError, Damage};

use secant_core::text::quoted;
use thiserror::Error;

/// A mistake of the caller, found before the first step.
#[derive(Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum OptimError {
    /// An option lies outside its range.
    #[error("{solver}: option `{option}` is {}, allowed is {allowed}", number(*.value))]
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
    /// A name that no method has, or none of those that take what goes with it.
    #[error("no method `{}`{nearest}{} there are {known}", quoted(name), if nearest.is_empty() { ":" } else { "" })]
    UnknownMethod {
        /// The name.
        name: String,
        /// The end of a sentence about the name that was meant; empty where none is near.
        nearest: String,
        /// The names that there are.
        known: String,
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
    /// A derivative that is not finite, at a point where a model of f was asked for.
    #[error("{what} is not finite there: f has no such model")]
    NotFiniteThere {
        /// The value, the gradient or the Hessian.
        what: &'static str,
    },
    /// A direction that is zero, not finite or of another length than the problem.
    #[error(
        "the direction has {found} entries and norm {}; allowed are {expected} entries and a norm in (0, ∞)",
        number(*.norm)
    )]
    Direction {
        /// n of the problem.
        expected: usize,
        /// Length of the direction.
        found: usize,
        /// ‖direction‖₂.
        norm: f64,
    },
    /// A lower bound that is not below its upper one, or NaN.
    #[error(
        "the bounds of parameter {index} are {} and {}: no number lies between",
        number(*.lower),
        number(*.upper)
    )]
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
    /// A problem that says itself that there is nothing to minimise, whatever the start.
    #[error("{solver}: {fault}")]
    Problem {
        /// The solver that was asked.
        solver: &'static str,
        /// What the problem says.
        fault: String,
    },
    /// A function with kinks, and a method that needs a gradient without jumps.
    #[error(
        "{solver} needs a smooth function, and this one has kinks: take a first-order method with a rate that falls, or a smooth loss (a squared hinge, Huber, log-cosh, a smoothed quantile)"
    )]
    NotSmooth {
        /// The solver that was asked.
        solver: &'static str,
    },
    /// The matrices of a solver do not fit into the memory that is free.
    #[error(
        "{solver} needs {} of memory, {} are allowed; {alternative} needs far less",
        readable(*.needed),
        readable(*.allowed)
    )]
    Memory {
        /// The solver that was asked.
        solver: &'static str,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that it may take: the limit given, or half of what is free.
        allowed: u64,
        /// What to use instead.
        alternative: &'static str,
    },
    /// Bounds and an L1 penalty at once: no method here takes both.
    #[error("{solver} was given bounds and an L1 penalty, no method here takes both")]
    BoundsAndL1 {
        /// The solver that was asked.
        solver: &'static str,
    },
    /// Exact second derivatives were asked of residuals that have none at hand.
    #[error(
        "{solver}: option `second_order` is `Exact`, and the problem has no second derivatives; `Structured` needs none"
    )]
    NoSecondDerivatives {
        /// The solver that was asked.
        solver: &'static str,
    },
    /// Second derivatives of the residuals need a model with a matrix n × n.
    #[error(
        "{solver}: option `second_order` needs `factorization` `Qr` or `NormalEquations`, or `Auto`"
    )]
    NoSecondOrder {
        /// The solver that was asked.
        solver: &'static str,
    },
    /// The form for fewer residuals than parameters was asked to solve for more.
    #[error(
        "{solver}: option `factorization` is `Dual`, which is for no more residuals than parameters: {residuals} residuals, {parameters} parameters"
    )]
    DualShape {
        /// The solver that was asked.
        solver: &'static str,
        /// m
        residuals: usize,
        /// n
        parameters: usize,
    },
    /// A method, or an option of it, that needs the same function at every evaluation was to run on minibatches.
    #[error(
        "{solver} does not run on minibatches: {what} needs the same function at every evaluation"
    )]
    FullBatchOnly {
        /// The solver that was asked.
        solver: &'static str,
        /// What needs it.
        what: &'static str,
    },
    /// A learning rate was looked for or set for a method that has none.
    #[error("{solver} has no learning rate")]
    NoRate {
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
    /// A run cannot be taken up from its checkpoint.
    #[error(transparent)]
    Checkpoint(Box<CheckpointError>),
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

impl std::fmt::Debug for OptimError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
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

/// A number as a message says it: `0.5`, `1e300`, all its digits either way.
pub(crate) fn number(value: f64) -> String {
    let plain = value == 0.0 || (1e-5..1e16).contains(&value.abs()) || !value.is_finite();
    if plain { value.to_string() } else { format!("{value:e}") }
}

/// Bytes as a message says them: `1.5 GiB`.
pub(crate) fn readable(bytes: u64) -> String {
    const UNIT: f64 = 1024.0;
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= UNIT && unit + 1 < units.len() {
        size /= UNIT;
        unit += 1;
    }
    let digits = usize::from(unit > 0);
    format!("{size:.digits$} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_messages_are_short_and_keep_their_digits() {
        let written =
            [0.5, -0.0, 1e300, -1e300, f64::MIN_POSITIVE, 12_345.678, 1e16, f64::NAN].map(number);
        let expected =
            ["0.5", "-0", "1e300", "-1e300", "2.2250738585072014e-308", "12345.678", "1e16", "NaN"];
        assert_eq!(written, expected);
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(readable(512), "512 B");
        assert_eq!(readable(3 << 29), "1.5 GiB");
        assert_eq!(readable(u64::MAX), "16.0 EiB");
    }
}
