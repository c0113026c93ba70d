//! Numbers that are read where they are, for as long as somebody holds them.

use std::sync::Arc;

/// Numbers that a data set reads where they are: a vector, a file that is mapped into memory, an array of another language.
pub type SharedNumbers = Arc<dyn AsRef<[f64]> + Send + Sync>;

/// The same in single precision: half the memory.
pub type SharedSingles = Arc<dyn AsRef<[f32]> + Send + Sync>;

/// The features of sparse entries, in the same way.
pub type SharedIndices = Arc<dyn AsRef<[u32]> + Send + Sync>;
