//! What can be wrong with a model file.

use super::ModelKind;
use secant_core::data::DataError;
use secant_core::description::DescriptionError;
use secant_core::text::{quoted, sentence};
use std::fmt;
use std::io;

/// Why a model is not written, or a file is no model.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// The file cannot be written; the message has the path and what was tried.
    #[error("{0}")]
    Write(io::Error),
    /// The file cannot be opened.
    #[error("{path}: cannot be read: {error}")]
    Read {
        /// Its path.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The file is refused.
    #[error("{file}: {fault}")]
    Refused {
        /// Its path, or `model file` for bytes from memory.
        file: String,
        /// Why.
        fault: Box<ModelFileFault>,
    },
    /// A graph that has no description, with the node.
    #[error("the model cannot be saved: {0}")]
    Graph(Box<DescriptionError>),
    /// A loss or a penalty that has no description.
    #[error(
        "the model cannot be saved: the {what} `{}` has no description that this crate reads back",
        quoted(name)
    )]
    Undescribed {
        /// `loss` or `penalty`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// More than a file can hold: its header would be longer than `safetensors` allows.
    #[error("the model cannot be saved: {}", sentence(.0))]
    TooLarge(String),
}

/// What is wrong with a file.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileFault {
    /// It ends before its header does.
    #[error("it ends in its header: {found} bytes, the header needs {needed}")]
    Truncated {
        /// Bytes of the file.
        found: u64,
        /// Bytes up to the end of its header.
        needed: u64,
    },
    /// It is of something else.
    #[error("it is no model file of secant: {0}")]
    Foreign(&'static str),
    /// It was written by a later version.
    #[error("it has format {found}, this version of secant reads formats up to {known}")]
    Future {
        /// The format's number.
        found: String,
        /// The latest that is known.
        known: u32,
    },
    /// Its bytes are not those that were written.
    #[error(
        "it is damaged, or was changed: the checksum of its {bytes} bytes is {found}, written was {}",
        quoted(written)
    )]
    Damaged {
        /// Bytes of the file.
        bytes: u64,
        /// Their checksum.
        found: String,
        /// The one in the file.
        written: String,
    },
    /// Its header would take more memory than such a file may.
    #[error(
        "its header may take {needed} bytes of memory, a file of {bytes} bytes may take {allowed}"
    )]
    Oversized {
        /// Bytes that the header may take.
        needed: u64,
        /// Bytes of the file.
        bytes: u64,
        /// Bytes that it may take.
        allowed: u64,
    },
    /// It is of another kind of model.
    #[error("it is {}: read it by `{}`", found.sentence().0, found.sentence().1)]
    Kind {
        /// What it is of.
        found: ModelKind,
        /// What was asked for.
        asked: ModelKind,
    },
    /// Its header is no such header.
    #[error("its header is wrong: {}", sentence(.0))]
    Header(String),
    /// Its tensors end elsewhere than the file.
    #[error("its tensors end at byte {expected}, the file at {found}")]
    Length {
        /// End of the tensors.
        expected: u64,
        /// End of the file.
        found: u64,
    },
    /// Its graph, loss or penalty is none.
    #[error("{0}")]
    Description(Box<DescriptionError>),
    /// A tensor that is not there.
    #[error("the tensor `{}` is missing", quoted(.0))]
    Missing(String),
    /// A tensor that nothing asks for.
    #[error("the tensor `{}` belongs to nothing in the model", quoted(.0))]
    Unexpected(String),
    /// A tensor of another shape or type.
    #[error("the tensor `{}` is {found}, expected {expected}", quoted(name))]
    Tensor {
        /// Its name.
        name: String,
        /// What it should be: `F64 [3, 8]`.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A list of another length.
    #[error("{what}: {found}, expected {expected}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// The number that fits.
        expected: usize,
        /// The number found.
        found: usize,
    },
    /// A scaling out of range.
    #[error("its scaling is wrong: {0}")]
    Scaling(#[from] DataError),
    /// Reading failed on the way.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl From<DescriptionError> for ModelFileError {
    fn from(error: DescriptionError) -> Self {
        Self::Graph(Box::new(error))
    }
}

impl From<DescriptionError> for ModelFileFault {
    fn from(error: DescriptionError) -> Self {
        Self::Description(Box::new(error))
    }
}

impl fmt::Debug for ModelFileError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for ModelFileFault {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
