//! Checkpoints: all that the next iteration of a run needs, in a file, so that another process goes on bit for bit.
//!
//! A checkpoint holds the solver with everything that it keeps between iterations, the state with counters and trace, and the books of the
//! loops around them. It is written beside the file and renamed, and the one before is kept under [`previous`]. It carries a checksum
//! and a [`Fingerprint`]; what does not match is named and refused. Limits (iterations, evaluations, time) are no part of the fingerprint:
//! a run that a limit ended is taken up with new ones, and is then the run that never met the old ones; all its other options are those that
//! it began with, and other ones are refused.
//! Cost: what is kept is serialised, and written with a sync, each time; memory of one copy of it.

mod files;
mod fingerprint;
mod format;
mod keeper;

pub use files::previous;
pub use fingerprint::Fingerprint;
pub use format::{Contents, VERSION};
pub(crate) use keeper::{Keeper, Moment};

pub use crate::error::{CheckpointError, Damage};

use super::fit_solver::FitSolver;
use super::state::FitState;
use super::stopping::Reason;
use crate::error::{OptimError, require};
use argmin::core::checkpointing::{Checkpoint, CheckpointingFrequency};
use argmin::core::{Error, State};
use format::{decode, decode_first};
use secant_core::text;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

const NAME: &str = "checkpoint";

/// How often a checkpoint is written, beside the one at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Every {
    /// After so many iterations, at least 1; steps of a run on minibatches.
    Iterations(u64),
    /// After the first iteration that ends so many seconds or more after the last checkpoint; 0: after every one.
    Seconds(f64),
}

impl Every {
    /// Checks it.
    ///
    /// # Errors
    /// No iterations; seconds that are negative or not finite.
    pub fn validate(self) -> Result<(), OptimError> {
        match self {
            Self::Iterations(every) => {
                require(every > 0, NAME, "iterations", every as f64, "at least 1")
            }
            Self::Seconds(every) => {
                let allowed = every >= 0.0 && every.is_finite();
                require(allowed, NAME, "seconds", every, "[0, ∞)")
            }
        }
    }
}

/// Checkpoints in a file, for an argmin `Executor` over any solver of this crate: it begins at the checkpoint where there is one.
///
/// [`Method::minimize_with`](crate::Method::minimize_with) does more: it checks the fingerprint of method and start, and takes new limits.
///
/// ```
/// use argmin::core::{Executor, State};
/// use secant_optim::argmin;
/// use secant_optim::checkpoint::{CheckpointFile, Every};
/// use secant_optim::{FitState, Lbfgs, ObjectiveFn};
///
/// let bowl = ObjectiveFn::new(2, |t| (t[0] - 1.0).powi(4) + (t[1] + 2.0).powi(2));
/// let path = std::env::temp_dir().join(format!("secant-doc-{}.checkpoint", std::process::id()));
/// let run = |most| {
///     let begin = |state: FitState| state.param(vec![5.0, 5.0]).max_iters(most);
///     let file = CheckpointFile::new(&path, Every::Iterations(1))?;
///     let executor = Executor::new(&bowl, Lbfgs::default()).configure(begin).checkpointing(file);
///     Ok::<_, Box<dyn std::error::Error>>(executor.ctrlc(false).run()?.state)
/// };
/// let first = run(60)?;
/// let again = run(60)?;
/// assert_eq!(again.trace(), first.trace(), "it had ended, and nothing is left to do");
/// # std::fs::remove_file(&path)?;
/// # let _ = std::fs::remove_file(secant_optim::checkpoint::previous(&path));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    keeper: Arc<Keeper>,
}

impl CheckpointFile {
    /// In this file, so often.
    ///
    /// # Errors
    /// As [`Every::validate`].
    pub fn new(path: impl Into<PathBuf>, every: Every) -> Result<Self, OptimError> {
        Self::of(path, every, Fingerprint::new())
    }

    /// The same for a run that has this fingerprint: the checkpoint of another is refused.
    ///
    /// # Errors
    /// As [`Every::validate`].
    pub fn of(
        path: impl Into<PathBuf>,
        every: Every,
        fingerprint: Fingerprint,
    ) -> Result<Self, OptimError> {
        every.validate()?;
        let path = path.into();
        let keeper = Arc::new(Keeper::new(Some((path.clone(), every)), fingerprint));
        Ok(Self { path, keeper })
    }

    /// What happened: a damaged file that was passed over, checkpoints that could not be written.
    pub fn notes(&self) -> Vec<String> {
        self.keeper.notes()
    }
}

impl<S> Checkpoint<S, FitState> for CheckpointFile
where
    S: FitSolver + Serialize + DeserializeOwned,
{
    fn save(&self, solver: &S, state: &FitState) -> Result<(), Error> {
        self.keeper.offer(0, Moment::Ended, &(S::NAME, solver, state));
        Ok(())
    }

    fn save_cond(&self, solver: &S, state: &FitState, _: u64) -> Result<(), Error> {
        offer(&self.keeper, solver, state);
        Ok(())
    }

    fn load(&self) -> Result<Option<(S, FitState)>, Error> {
        match self.keeper.resume(&self.path) {
            Ok(()) => Ok(solver_of(&self.keeper)?),
            Err(CheckpointError::Missing { .. }) => Ok(None),
            Err(error) => Err(OptimError::Checkpoint(Box::new(error)).into()),
        }
    }

    fn frequency(&self) -> CheckpointingFrequency {
        CheckpointingFrequency::Always
    }
}

/// Writes a checkpoint if one is due where `state` stands.
pub(crate) fn offer<S: FitSolver + Serialize>(keeper: &Keeper, solver: &S, state: &FitState) {
    keeper.offer(state.get_iter(), state.moment(), &(S::NAME, solver, state));
}

/// The solver and the state of the checkpoint that is being taken up; none where the run begins.
pub(crate) fn solver_of<S: FitSolver + DeserializeOwned>(
    keeper: &Keeper,
) -> Result<Option<(S, FitState)>, OptimError> {
    keeper.take_up_by(|layer| {
        let (name, rest) = decode_first::<String>(layer)?;
        if name != S::NAME {
            return Err(format!("is of {}, not of {}", text::quoted(&name), S::NAME));
        }
        decode(rest)
    })
}

impl FitState {
    fn moment(&self) -> Moment {
        match self.reason() {
            None => Moment::Between,
            Some(Reason::Interrupted | Reason::MaxTime) if !self.could_go_on() => Moment::Torn,
            Some(_) => Moment::Ended,
        }
    }
}
