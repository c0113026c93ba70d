//! What the fit of a group came to.

use crate::run::stopping::Reason;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the fit of a group came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Outcome {
    /// The run ended so; parameters and errors are those of its best point.
    Ended(Reason),
    /// The run ended well, but where the data do not determine all parameters: those that they leave open have no error.
    Undetermined(Reason),
    /// Fewer residuals than parameters, or none.
    TooFew,
    /// The start has an entry that is not finite.
    NoStart,
    /// Not fitted: the whole was interrupted before.
    NotRun,
}

impl Outcome {
    /// A minimum that the data determine.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Ended(reason) if reason.is_success())
    }

    /// One sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Ended(reason) => reason.sentence(),
            Self::Undetermined(_) => "undetermined: other parameters fit the data as well",
            Self::TooFew => "refused: fewer residuals than parameters",
            Self::NoStart => "refused: the start is not finite",
            Self::NotRun => "not run: interrupted before",
        }
    }

    /// A word for tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ended(reason) => match reason {
                Reason::GradientConverged => "gradient_converged",
                Reason::OffsetConverged => "offset_converged",
                Reason::StepConverged => "step_converged",
                Reason::ValueConverged => "value_converged",
                Reason::TargetReached => "target_reached",
                Reason::RoundingFloor => "rounding_floor",
                Reason::Stalled => "stalled",
                Reason::MaxIterations => "max_iterations",
                Reason::MaxEvaluations => "max_evaluations",
                Reason::MaxTime => "max_time",
                Reason::Interrupted => "interrupted",
                Reason::ValidationStopped => "validation_stopped",
                Reason::LineSearchFailed => "line_search_failed",
                Reason::NonFiniteStart => "non_finite_start",
                Reason::NonFiniteValue => "non_finite_value",
                Reason::NonFiniteCurvature => "non_finite_curvature",
                Reason::Unbounded => "unbounded",
                Reason::NoCurvature => "no_curvature",
            },
            Self::Undetermined(_) => "undetermined",
            Self::TooFew => "too_few_residuals",
            Self::NoStart => "no_start",
            Self::NotRun => "not_run",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}
