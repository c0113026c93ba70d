//! What is wrong with a question about a fit.

use secant_core::text::quoted;
use thiserror::Error;

/// What is wrong, with place and values.
#[derive(Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// Something has another length than the problem asks for.
    #[error("{what}: {found}, the problem asks for {expected}")]
    Length {
        /// What.
        what: &'static str,
        /// As the problem has it.
        expected: usize,
        /// As given.
        found: usize,
    },
    /// A residual that is NaN or infinite at the solution.
    #[error("residual {row} is {value} at the solution: there is nothing to infer from")]
    Residual {
        /// From 0.
        row: usize,
        /// Its value.
        value: f64,
    },
    /// A derivative that is NaN or infinite at the solution.
    #[error("the derivative of residual {row} by {} is {value} at the solution", quoted(name))]
    Derivative {
        /// From 0.
        row: usize,
        /// The parameter.
        name: String,
        /// Its value.
        value: f64,
    },
    /// A level that is none.
    #[error("the level is {0}, allowed is (0, 1)")]
    Level(f64),
    /// Two parameters of one name.
    #[error("two parameters are named {}", quoted(.0))]
    Twice(String),
    /// A sandwich that divides by 1 − h of an observation that determines its own fitted value.
    #[error(
        "{estimator} divides by 1 − leverage, and residual {row} has leverage 1: only HC0 and HC1 exist here"
    )]
    Leverage {
        /// HC2 or HC3.
        estimator: &'static str,
        /// From 0.
        row: usize,
    },
    /// No such parameter.
    #[error("no parameter {}{hint}", quoted(name))]
    Unknown {
        /// As asked.
        name: String,
        /// The nearest, in words.
        hint: String,
    },
    /// The solution is none: the sum of squares falls below it.
    #[error(
        "not a minimum: the sum of squares is {here:e} at the solution and {there:e} with {} at {at}; fit again from there",
        quoted(name)
    )]
    Lower {
        /// The parameter that was held.
        name: String,
        /// Where.
        at: f64,
        /// ‖r‖² at the solution.
        here: f64,
        /// ‖r‖² there.
        there: f64,
    },
    /// Nothing that errors could be measured in.
    #[error(
        "no degrees of freedom: {observations} observations, {parameters} parameters and no absolute sigma"
    )]
    NoDegrees {
        /// m.
        observations: usize,
        /// p.
        parameters: f64,
    },
    /// Conjugate gradients that do not end.
    #[error(
        "no error found in {products} products: the data leave this combination of parameters open, or all but open"
    )]
    NotConverged {
        /// As many as were allowed.
        products: usize,
    },
    /// A fit without one case did not succeed: the jackknife, and so the acceleration, is none.
    #[error(
        "the fit without case {case} (from 0) did not succeed, so that accelerations are not known: leave `accelerated` out"
    )]
    LeftOut {
        /// From 0.
        case: usize,
    },
    /// A parameter without an error: at a bound, fixed or not determined.
    #[error("{} has no error", quoted(.0))]
    NoError(String),
    /// A number of points or rounds that is none.
    #[error("{what}: {found}, at least {least} are needed")]
    TooFew {
        /// What.
        what: &'static str,
        /// As given.
        found: usize,
        /// As needed.
        least: usize,
    },
    /// The problem says itself why it is none.
    #[error("{0}")]
    Problem(String),
    /// A run that was refused: a J that does not fit into memory.
    #[error(transparent)]
    Run(#[from] crate::error::OptimError),
}

impl std::fmt::Debug for InferenceError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}
