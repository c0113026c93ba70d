//! How the command ends, told by its exit status.

use secant::Reason;

/// What the exit status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, and a fit has converged.
    Done,
    /// The command line, a file or the data are wrong. Nothing was written.
    Refused,
    /// The fit ended at a limit; what was asked for is written.
    Limit,
    /// The fit failed numerically, or a check did; the best point is written.
    Failed,
    /// Interrupted; the best point and the checkpoint are written.
    Interrupted,
}

impl Exit {
    /// The end of a fit.
    pub fn of(reason: Reason) -> Self {
        match reason {
            Reason::Interrupted => Self::Interrupted,
            Reason::MaxIterations | Reason::MaxEvaluations | Reason::MaxTime => Self::Limit,
            Reason::ValidationStopped => Self::Done,
            reason if reason.is_success() => Self::Done,
            _ => Self::Failed,
        }
    }

    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 2,
            Self::Limit => 3,
            Self::Failed => 4,
            Self::Interrupted => 130,
        }
    }
}
