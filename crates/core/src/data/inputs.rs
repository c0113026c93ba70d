//! Where a data set has its inputs: a table of numbers, one that is standardised when it is read, or the entries that are not 0.

use super::SparseInputs;
use super::scale::Scale;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::{Arc, OnceLock};

/// Numbers that a data set reads where they are: a vector, a file that is mapped into memory, an array of another language.
pub type SharedNumbers = Arc<dyn AsRef<[f64]> + Send + Sync>;

/// The same, with what the other kinds of inputs have.
#[derive(Clone)]
pub(super) struct Held(SharedNumbers);

/// The inputs of all samples. Copies share the numbers.
#[derive(Clone, Debug)]
pub(super) enum InputTable {
    /// d × N, column-major.
    Dense(Held),
    Scaled(ScaledTable),
    Sparse(SparseTable),
}

/// A table of which the model sees the standardised numbers, all of them finite.
#[derive(Debug)]
pub(super) struct ScaledTable {
    raw: Held,
    by: Arc<Scale>,
    /// All of them, where somebody has asked.
    dense: OnceLock<Vec<f64>>,
}

/// Sparse inputs, and the dense table of them where somebody has asked for it.
#[derive(Debug)]
pub(super) struct SparseTable {
    inputs: Arc<SparseInputs>,
    dense: OnceLock<Vec<f64>>,
}

impl Deref for Held {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl From<Vec<f64>> for Held {
    fn from(values: Vec<f64>) -> Self {
        Self(Arc::new(values))
    }
}

impl From<SharedNumbers> for Held {
    fn from(numbers: SharedNumbers) -> Self {
        Self(numbers)
    }
}

impl InputTable {
    pub(super) fn sparse(&self) -> Option<&SparseInputs> {
        match self {
            Self::Dense(_) | Self::Scaled(_) => None,
            Self::Sparse(table) => Some(&table.inputs),
        }
    }

    /// The table whose numbers are standardised when they are read, where nobody has made a copy of it.
    pub(super) fn scaled(&self) -> Option<&ScaledTable> {
        match self {
            Self::Scaled(table) if table.dense.get().is_none() => Some(table),
            _ => None,
        }
    }

    /// N, of so many features.
    pub(super) fn samples(&self, features: usize) -> usize {
        match self {
            Self::Dense(values) => values.len() / features,
            Self::Scaled(table) => table.raw.len() / features,
            Self::Sparse(table) => table.inputs.samples(),
        }
    }

    /// d × N; of sparse and scaled inputs made now and kept.
    pub(super) fn dense(&self) -> &[f64] {
        match self {
            Self::Dense(values) => values,
            Self::Scaled(table) => table.dense.get_or_init(|| table.by.applied(&table.raw)),
            Self::Sparse(table) => table.dense.get_or_init(|| table.inputs.dense()),
        }
    }
}

impl ScaledTable {
    pub(super) fn new(raw: Held, by: Arc<Scale>) -> Self {
        Self { raw, by, dense: OnceLock::new() }
    }

    pub(super) fn raw(&self) -> &[f64] {
        &self.raw
    }

    pub(super) fn scale(&self) -> &Scale {
        &self.by
    }

    /// `out` ← numbers of the raw table, those of whole samples, as the model sees them.
    pub(super) fn write(&self, numbers: Range<usize>, out: &mut [f64]) {
        self.by.write(&self.raw[numbers], out);
    }

    /// Other samples of the same columns.
    pub(super) fn with_raw(&self, raw: Vec<f64>) -> Self {
        Self::new(raw.into(), Arc::clone(&self.by))
    }
}

impl SparseTable {
    pub(super) fn inputs(&self) -> &SparseInputs {
        &self.inputs
    }
}

impl Clone for ScaledTable {
    /// Shares the numbers, and leaves a copy of them to whoever asks for it.
    fn clone(&self) -> Self {
        Self::new(self.raw.clone(), Arc::clone(&self.by))
    }
}

impl Clone for SparseTable {
    /// Shares the entries, and leaves the dense table to whoever asks for it.
    fn clone(&self) -> Self {
        Self { inputs: Arc::clone(&self.inputs), dense: OnceLock::new() }
    }
}

impl PartialEq for InputTable {
    /// Of the numbers that the model sees; entries and a dense table are never equal.
    fn eq(&self, other: &Self) -> bool {
        match (self.sparse(), other.sparse()) {
            (Some(one), Some(other)) => one == other,
            (None, None) => self.dense() == other.dense(),
            _ => false,
        }
    }
}

impl From<Held> for InputTable {
    fn from(numbers: Held) -> Self {
        Self::Dense(numbers)
    }
}

impl From<Vec<f64>> for InputTable {
    fn from(values: Vec<f64>) -> Self {
        Self::Dense(values.into())
    }
}

impl From<SparseInputs> for InputTable {
    fn from(inputs: SparseInputs) -> Self {
        Self::Sparse(SparseTable { inputs: Arc::new(inputs), dense: OnceLock::new() })
    }
}
