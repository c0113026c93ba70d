//! What ends the work of all ranks.

use secant_core::risk::PartialsError;

/// What went wrong on one rank. All ranks hear of it in the collective at hand, and stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rank {rank}: {message}")]
pub struct Fault {
    /// The rank.
    pub rank: usize,
    /// What it said.
    pub message: String,
}

/// Why ranks do not work together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MpiError {
    /// MPI was initialised before in this process.
    #[error("MPI is initialised already: there is one `Ranks` in a process")]
    Initialized,
    /// One rank's fault, the same on all of them.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Sums that do not fit together.
    #[error(transparent)]
    Partials(#[from] PartialsError),
}
