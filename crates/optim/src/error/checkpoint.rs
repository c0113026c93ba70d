//! Why a run cannot be taken up.

use secant_core::text;
use std::path::PathBuf;
use thiserror::Error;

/// A run that cannot be taken up from its checkpoint.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Neither the file nor the one before it is there.
    #[error("{}: there is no checkpoint", text::path(.path))]
    Missing {
        /// As given.
        path: PathBuf,
    },
    /// Neither the file nor the one before it can be used.
    #[error("{}: {newest}; {}: {previous}", text::path(.path), text::path(.previous_path))]
    Unusable {
        /// As given.
        path: PathBuf,
        /// What is wrong with it.
        newest: Damage,
        /// The one before it.
        previous_path: PathBuf,
        /// What is wrong with that.
        previous: Damage,
    },
    /// It belongs to another run.
    #[error("{}: the checkpoint is of another run: {} is not the same", text::path(.path), text::quoted(.part))]
    Differs {
        /// As given.
        path: PathBuf,
        /// The first part of the fingerprint that differs, in words.
        part: String,
    },
    /// Its parts are sound and do not fit together.
    #[error("{}: the checkpoint {why}", text::path(.path))]
    Unfit {
        /// As given.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// No checkpoint can be made of this run.
    #[error("no checkpoint of {what}: {why}")]
    Unsupported {
        /// What it would be of.
        what: &'static str,
        /// Why not.
        why: &'static str,
    },
}

impl std::fmt::Debug for CheckpointError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Damage {
    /// The file system's word.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Its first bytes are not those of a checkpoint.
    #[error("is no checkpoint")]
    Foreign,
    /// A version of the format that this crate does not know.
    #[error("has version {found} of the format, {known} is known")]
    Version {
        /// The file's.
        found: u32,
        /// This crate's.
        known: u32,
    },
    /// It is shorter or longer than it says.
    #[error("has {found} bytes in place of {expected}")]
    Length {
        /// Bytes by its header.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The checksum is not that of the contents.
    #[error("is damaged: its checksum is not that of its contents")]
    Checksum,
    /// The contents cannot be decoded.
    #[error("has contents that cannot be decoded: {0}")]
    Contents(String),
}
