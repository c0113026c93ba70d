//! The checkpoints of one run, whatever loops it is made of.

use super::Every;
use super::files;
use super::fingerprint::Fingerprint;
use super::format::{Contents, decode, seal};
use crate::error::{CheckpointError, OptimError};
use secant_core::text;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A checkpoint that is not due is kept in memory, against an end between two iterations, where making it takes less than one part in this
/// many of the time since the last one.
const SPARE: u32 = 100;

/// Where a run stands when it offers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Between two iterations.
    Between,
    /// At its end, whole.
    Ended,
    /// At its end, within an iteration that was given up: what it has now cannot be gone on with.
    Torn,
}

/// Where checkpoints go and come from, and the books of the loops that the innermost run is part of.
#[derive(Debug)]
pub(crate) struct Keeper {
    to: Option<(PathBuf, Every)>,
    fingerprint: Fingerprint,
    books: Mutex<Books>,
}

#[derive(Debug)]
struct Books {
    /// Those of the loops around the innermost run, outermost first.
    outer: Vec<Vec<u8>>,
    /// What is still to be taken up, outermost first, and the file that it is from.
    resumed: Option<(PathBuf, VecDeque<Vec<u8>>)>,
    /// When a checkpoint was last written.
    written: Instant,
    /// The latest whole state, where that is younger than the file.
    spare: Option<Vec<u8>>,
    /// When it, or a file, was last made, and how long that took.
    made: Instant,
    cost: Duration,
    failures: u64,
    last_failure: String,
    notes: Vec<String>,
}

impl Keeper {
    /// For checkpoints at `to`, of the run that is taken up from `from` where it is given.
    pub(crate) fn of(
        to: Option<(PathBuf, Every)>,
        from: Option<&Path>,
        fingerprint: Fingerprint,
    ) -> Result<Self, OptimError> {
        if let Some((_, every)) = &to {
            every.validate()?;
        }
        let keeper = Self::new(to, fingerprint);
        from.map_or(Ok(()), |path| keeper.resume(path))
            .map_err(|error| OptimError::Checkpoint(Box::new(error)))?;
        Ok(keeper)
    }

    pub(super) fn new(to: Option<(PathBuf, Every)>, fingerprint: Fingerprint) -> Self {
        let now = Instant::now();
        let books = Books {
            outer: Vec::new(),
            resumed: None,
            written: now,
            spare: None,
            made: now,
            cost: Duration::ZERO,
            failures: 0,
            last_failure: String::new(),
            notes: Vec::new(),
        };
        Self { to, fingerprint, books: Mutex::new(books) }
    }

    /// Takes up the run of the file, which must be the one that the fingerprint is of.
    pub(super) fn resume(&self, path: &Path) -> Result<(), CheckpointError> {
        let (Contents { fingerprint, layers }, note) = files::load(path)?;
        self.fingerprint.check(&fingerprint, path)?;
        let mut books = self.books();
        books.notes.extend(note);
        books.resumed = Some((path.to_owned(), layers.into()));
        Ok(())
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next layer of the checkpoint that is being taken up; none where the run begins.
    pub(crate) fn take_up<T: DeserializeOwned>(&self) -> Result<Option<T>, OptimError> {
        self.take_up_by(decode)
    }

    /// The same by whatever decodes.
    pub(super) fn take_up_by<T>(
        &self,
        decode: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<Option<T>, OptimError> {
        let mut books = self.books();
        let Some((path, layers)) = &mut books.resumed else { return Ok(None) };
        let layer = layers.pop_front().unwrap_or_default();
        let decoded = decode(&layer).map_err(|why| Self::unfit(path, why));
        if layers.is_empty() {
            books.resumed = None;
        }
        decoded.map(Some)
    }

    /// Begins a loop around further runs, with the books that it would go on from.
    pub(crate) fn enter<T: Serialize>(&self, loop_books: &T) {
        let mut books = self.books();
        match postcard::to_allocvec(loop_books) {
            Ok(layer) => books.outer.push(layer),
            Err(error) => {
                books.outer.push(Vec::new());
                books.fail(&error.to_string());
            }
        }
    }

    /// Ends the innermost loop.
    pub(crate) fn leave(&self) {
        self.books().outer.pop();
    }

    /// Writes a checkpoint of the innermost `run` if it is due after `iteration`.
    pub(crate) fn offer<T: Serialize>(&self, iteration: u64, moment: Moment, run: &T) {
        let Some((path, every)) = &self.to else { return };
        let mut books = self.books();
        let due = match (moment, every) {
            (Moment::Ended, _) => true,
            (Moment::Torn, _) => {
                if let Some(spare) = books.spare.take() {
                    books.write(path, &spare);
                }
                return;
            }
            (Moment::Between, Every::Iterations(every)) => iteration.is_multiple_of(*every),
            (Moment::Between, Every::Seconds(every)) => {
                books.written.elapsed().as_secs_f64() >= *every
            }
        };
        if !due && books.made.elapsed() < books.cost.saturating_mul(SPARE) {
            return;
        }
        let start = Instant::now();
        let sealed = postcard::to_allocvec(run).and_then(|run| {
            let outer = books.outer.iter().map(Vec::as_slice);
            let layers: Vec<&[u8]> = outer.chain([run.as_slice()]).collect();
            seal(&self.fingerprint, &layers)
        });
        match sealed {
            Ok(bytes) if due => books.write(path, &bytes),
            Ok(bytes) => books.spare = Some(bytes),
            Err(error) => books.fail(&error.to_string()),
        }
        (books.made, books.cost) = (Instant::now(), start.elapsed());
    }

    /// Something to say in the report.
    pub(crate) fn note(&self, note: String) {
        self.books().notes.push(note);
    }

    /// What is to be said in the report.
    pub(crate) fn notes(&self) -> Vec<String> {
        let books = self.books();
        let mut notes = books.notes.clone();
        if books.failures > 0 {
            let (failures, last) = (books.failures, text::sentence(&books.last_failure));
            notes.push(format!("checkpoint not written {failures}×: {last}"));
        }
        notes
    }

    /// The checkpoint that was taken up does not fit for this reason.
    pub(crate) fn unfit(path: &Path, why: String) -> OptimError {
        OptimError::Checkpoint(Box::new(CheckpointError::Unfit { path: path.to_owned(), why }))
    }

    /// The file that is being taken up.
    pub(crate) fn source(&self) -> Option<PathBuf> {
        self.books().resumed.as_ref().map(|(path, _)| path.clone())
    }
}

impl Books {
    fn write(&mut self, path: &Path, bytes: &[u8]) {
        match files::write(path, bytes) {
            Ok(()) => self.spare = None,
            Err(error) => self.fail(&error.to_string()),
        }
        // A failure too is repeated no sooner than after the interval.
        self.written = Instant::now();
    }

    fn fail(&mut self, why: &str) {
        self.failures += 1;
        why.clone_into(&mut self.last_failure);
    }
}
