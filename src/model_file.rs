//! Files of fitted models: what stands in them, and the way there and back.
//!
//! A file is one of `safetensors`: the length of a header, the header, numbers. The header's metadata have one entry, `secant`, a JSON
//! document whose first fields are a checksum of all the rest of the file and the number of the format, at a place that never moves; after
//! them what the file is of, the version of the crate, and the contents. Every array is a tensor of `f64`, row by row.
//!
//! A reader goes through the file once with a small buffer, for the checksum and for what the header would take in memory, and believes
//! nothing before that: no more than twice the file plus 1 MiB is ever held.

mod budget;
mod checksum;
mod error;
mod read;
mod write;

pub use error::{ModelFileError, ModelFileFault};
pub(crate) use read::{Contents, names};
pub(crate) use write::Tensor;

use secant_core::data::Encoding;
use secant_core::files::write_atomically;
use secant_core::text;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Cursor, ErrorKind};
use std::path::Path;

/// The number of the latest format that this version reads.
pub(crate) const FORMAT: u32 = 5;
/// The number of the first format that has encodings of tables.
pub(crate) const WITH_TABLE: u32 = 3;
/// The number of the first format that has errors of predictions.
pub(crate) const WITH_ERRORS: u32 = 4;
/// The first format in which a Tweedie's power may have been estimated.
pub(crate) const WITH_POWER: u32 = 5;
/// Key of the metadata's entry.
const KEY: &str = "secant";
/// What the header starts with, up to the checksum's digits.
const BEFORE_CHECKSUM: &[u8] = br#"{"__metadata__":{"secant":"{\"checksum\":\""#;
/// Digits of the checksum.
const DIGITS: usize = 16;
/// What follows them, up to the digits of the format.
const BEFORE_FORMAT: &[u8] = br#"\",\"format\":"#;

/// What a file is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModelKind {
    /// A [`Model`](crate::Model): a network with its scalings.
    Model,
    /// A [`GlmFit`](crate::GlmFit).
    Glm,
    /// A [`LinearSolution`](crate::optim::LinearSolution).
    Linear,
}

impl ModelKind {
    /// The kind in words, and what reads it.
    fn sentence(self) -> (&'static str, &'static str) {
        match self {
            Self::Model => ("a fitted network", "Model::load"),
            Self::Glm => ("a generalised linear model", "GlmFit::load"),
            Self::Linear => ("a linear solution", "LinearSolution::load"),
        }
    }
}

/// The JSON document; its first two fields stay where they are.
#[derive(Serialize, Deserialize)]
struct Document<C> {
    checksum: String,
    format: u32,
    kind: ModelKind,
    crate_version: String,
    content: C,
}

/// What has a file of its own. Implemented here for all that does.
pub(crate) trait Stored: Sized {
    /// Its kind.
    const KIND: ModelKind;
    /// The number of the format that it is written in: that of the first version which has all of its contents.
    const FORMAT: u32 = 1;
    /// All but the arrays.
    type Content: Serialize + DeserializeOwned;
    /// How the columns of a table became its inputs, where they did.
    fn table(&self) -> Option<&Encoding> {
        None
    }
    /// The number of the format that this one is written in.
    fn format(&self) -> u32 {
        if self.table().is_some() { WITH_TABLE } else { Self::FORMAT }
    }
    /// Its contents and arrays.
    fn store(&self) -> Result<(Self::Content, Vec<Tensor<'_>>), ModelFileError>;
    /// It, from its contents and what reads the arrays.
    fn restore(content: Self::Content, arrays: &mut Contents<'_>) -> Result<Self, ModelFileFault>;
}

/// An encoding gives as many inputs as the model has.
pub(crate) fn check_encoding(
    encoding: Option<&Encoding>,
    features: usize,
) -> Result<(), ModelFileFault> {
    match encoding.map(Encoding::width) {
        Some(found) if found != features => {
            Err(ModelFileFault::Count { what: "inputs of the table", expected: features, found })
        }
        _ => Ok(()),
    }
}

/// Writing to a file and reading from one: a fitted [`Model`](crate::Model), a [`GlmFit`](crate::GlmFit), a
/// [`LinearSolution`](crate::optim::LinearSolution).
///
/// ```
/// use secant::optim::LinearSolution;
/// use secant::{Dataset, ModelFile};
///
/// let data = Dataset::from_slices(1, &[0.0, 1.0, 2.0], 1, &[2.0, 5.0, 8.0])?;
/// let solution = secant::linear_regression(&data).solve()?;
/// let path = std::env::temp_dir().join(format!("line-{}.safetensors", std::process::id()));
/// solution.save(&path)?;
/// assert_eq!(LinearSolution::load(&path)?, solution);
/// # std::fs::remove_file(&path)?;
///
/// let error = secant::GlmFit::from_bytes(&solution.to_bytes()?).unwrap_err();
/// assert!(error.to_string().ends_with("it is a linear solution: read it by `LinearSolution::load`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[expect(private_bounds, reason = "only the crate's own types have files")]
pub trait ModelFile: Stored {
    /// Writes it to `path`, by a file beside it that is renamed: at every moment the old file or the new one stands there. The
    /// [page on model files](crate::guide::model_files) says what stands in it.
    ///
    /// # Errors
    /// A node, a loss or a penalty without a description (one of a user's own), by name; those of the file system, with the path.
    fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelFileError> {
        write_atomically(path, &self.to_bytes()?).map_err(ModelFileError::Write)
    }

    /// Reads it from `path`, to the last bit. Holds twice the file plus 1 MiB at most.
    ///
    /// # Errors
    /// [`ModelFileError::Read`] when there is no file; [`ModelFileError::Refused`] when it is damaged, of something else, of a later
    /// version, or claims more than it holds: each with the path and the place.
    fn load(path: impl AsRef<Path>) -> Result<Self, ModelFileError> {
        let path = path.as_ref();
        let unreadable = |error| ModelFileError::Read { path: text::path(path), error };
        let mut file = File::open(path).map_err(unreadable)?;
        let found = file.metadata().map_err(unreadable)?;
        if found.is_dir() {
            return Err(unreadable(ErrorKind::IsADirectory.into()));
        }
        read::value(&mut file, found.len()).map_err(|fault| ModelFileError::Refused {
            file: text::path(path),
            fault: fault.into(),
        })
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// As [`save`](Self::save), without those of the file system.
    fn to_bytes(&self) -> Result<Vec<u8>, ModelFileError> {
        write::bytes(self)
    }

    /// Reads it from the bytes of its file.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    fn from_bytes(bytes: &[u8]) -> Result<Self, ModelFileError> {
        let file = || "model file".to_owned();
        let refused =
            |fault: ModelFileFault| ModelFileError::Refused { file: file(), fault: fault.into() };
        read::value(&mut Cursor::new(bytes), bytes.len() as u64).map_err(refused)
    }
}

impl<T: Stored> ModelFile for T {}
