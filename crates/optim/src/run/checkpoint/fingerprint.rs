//! What a checkpoint belongs to: a hash of every part that the bits of a run depend on.

use crate::error::CheckpointError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use twox_hash::XxHash3_128;

/// What a run is of, part by part: names in words ("the data") and the hash (XXH3, 128 bits) of each part's serialised form.
///
/// ```
/// use secant_optim::checkpoint::Fingerprint;
/// let own = Fingerprint::new().with("the data", &[1.0, 2.0]).with("the graph", "dense 3");
/// let other = Fingerprint::new().with("the data", &[1.0, 2.5]).with("the graph", "dense 3");
/// assert_eq!(own.difference(&other), Some("the data"));
/// assert_eq!(own.difference(&own.clone()), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(BTreeMap<String, u128>);

impl Fingerprint {
    /// Of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a part, or replaces the one of this name. What cannot be serialised counts as nothing.
    pub fn with<T: Serialize + ?Sized>(mut self, part: impl Into<String>, value: &T) -> Self {
        let mut hashed = BufWriter::new(Hashed(XxHash3_128::new()));
        // A hash takes every byte; what fails is a value that has no serialised form.
        let whole = postcard::to_io(value, &mut hashed).is_ok() && hashed.flush().is_ok();
        let hash = hashed.get_ref().0.finish_128();
        self.0.insert(part.into(), if whole { hash } else { 0 });
        self
    }

    /// The parts of both; of those in both, `other`'s.
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().map(|(part, hash)| (part.clone(), *hash)));
        self
    }

    /// The first part, by name, that is not the same or that one of both lacks.
    pub fn difference<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        let parts = self.0.keys().chain(other.0.keys());
        let mut different: Vec<&String> =
            parts.filter(|part| self.0.get(*part) != other.0.get(*part)).collect();
        different.sort();
        different.first().map(|part| part.as_str())
    }

    pub(super) fn check(&self, found: &Self, path: &Path) -> Result<(), CheckpointError> {
        let different = |part: &str| {
            let (path, part) = (path.to_owned(), part.to_owned());
            Err(CheckpointError::Differs { path, part })
        };
        self.difference(found).map_or(Ok(()), different)
    }
}

struct Hashed(XxHash3_128);

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
