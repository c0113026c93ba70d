//! Where a data set has its inputs: a table of `f64`, one that is widened or standardised when it is read, or the entries that are not 0.

use super::SparseInputs;
use super::columns::gather;
use super::moments::Moments;
use super::numbers::Numbers;
use super::scale::Scale;
use super::shared::{SharedNumbers, SharedSingles};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Either, with what the other kinds of inputs have.
#[derive(Clone)]
pub(super) enum Held {
    Double(SharedNumbers),
    Single(SharedSingles),
}

/// The inputs of all samples. Copies share the numbers.
#[derive(Clone, Debug)]
pub(super) enum InputTable {
    /// d × N, column-major.
    Dense(DoubleTable),
    Read(ReadTable),
    Sparse(SparseTable),
}

/// A table of `f64` as the model sees them.
#[derive(Clone)]
pub(super) struct DoubleTable {
    numbers: SharedNumbers,
    /// Those of all samples alike, where they were taken.
    moments: Option<Arc<Moments>>,
}

/// A table of which the model sees other numbers, all of them finite, made when they are read: those of `f32` widened, or standardised.
#[derive(Debug)]
pub(super) struct ReadTable {
    raw: Held,
    by: Option<Arc<Scale>>,
    /// All of them, where somebody has asked.
    dense: OnceLock<Vec<f64>>,
}

/// Sparse inputs, and the dense table of them where somebody has asked for it.
#[derive(Debug)]
pub(super) struct SparseTable {
    inputs: Arc<SparseInputs>,
    dense: OnceLock<Vec<f64>>,
}

impl Held {
    pub(super) fn numbers(&self) -> Numbers<'_> {
        match self {
            Self::Double(numbers) => Numbers::Double((**numbers).as_ref()),
            Self::Single(numbers) => Numbers::Single((**numbers).as_ref()),
        }
    }

    /// The columns that `indices` names, of `rows` numbers each, stored in the same way.
    fn gathered(&self, rows: usize, indices: &[usize]) -> Self {
        match self.numbers() {
            Numbers::Double(values) => gather(rows, values, indices).into(),
            Numbers::Single(values) => Self::Single(Arc::new(gather(rows, values, indices))),
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.numbers() {
            Numbers::Double(values) => values.fmt(f),
            Numbers::Single(values) => values.fmt(f),
        }
    }
}

impl From<Vec<f64>> for Held {
    fn from(values: Vec<f64>) -> Self {
        Self::Double(Arc::new(values))
    }
}

impl From<SharedNumbers> for Held {
    fn from(numbers: SharedNumbers) -> Self {
        Self::Double(numbers)
    }
}

impl From<SharedSingles> for Held {
    fn from(numbers: SharedSingles) -> Self {
        Self::Single(numbers)
    }
}

impl DoubleTable {
    pub(super) fn new(numbers: SharedNumbers, moments: Option<Arc<Moments>>) -> Self {
        Self { numbers, moments }
    }

    pub(super) fn values(&self) -> &[f64] {
        (*self.numbers).as_ref()
    }

    pub(super) fn held(&self) -> Held {
        Held::Double(Arc::clone(&self.numbers))
    }
}

impl fmt::Debug for DoubleTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.values().fmt(f)
    }
}

impl InputTable {
    pub(super) fn sparse(&self) -> Option<&SparseInputs> {
        match self {
            Self::Dense(_) | Self::Read(_) => None,
            Self::Sparse(table) => Some(&table.inputs),
        }
    }

    /// The table whose numbers are made when they are read, where nobody has made a copy of it.
    pub(super) fn read(&self) -> Option<&ReadTable> {
        match self {
            Self::Read(table) if table.dense.get().is_none() => Some(table),
            _ => None,
        }
    }

    /// The moments of all samples alike, where they are known.
    pub(super) fn moments(&self) -> Option<&Arc<Moments>> {
        match self {
            Self::Dense(table) => table.moments.as_ref(),
            Self::Read(_) | Self::Sparse(_) => None,
        }
    }

    /// N, of so many features.
    pub(super) fn samples(&self, features: usize) -> usize {
        match self {
            Self::Dense(table) => table.values().len() / features,
            Self::Read(table) => table.raw().len() / features,
            Self::Sparse(table) => table.inputs.samples(),
        }
    }

    /// d × N; of all but a table of `f64` made now and kept.
    pub(super) fn dense(&self) -> &[f64] {
        match self {
            Self::Dense(table) => table.values(),
            Self::Read(table) => table.dense.get_or_init(|| table.raw().copied(table.scale())),
            Self::Sparse(table) => table.dense.get_or_init(|| table.inputs.dense()),
        }
    }

    /// Numbers that are the model's once they are widened: as they are stored, or of the table that [`dense`](Self::dense) makes.
    pub(super) fn unscaled(&self) -> Numbers<'_> {
        match self {
            Self::Read(table) if table.by.is_none() => table.raw(),
            table => Numbers::Double(table.dense()),
        }
    }
}

impl ReadTable {
    pub(super) fn new(raw: Held, by: Option<Arc<Scale>>) -> Self {
        Self { raw, by, dense: OnceLock::new() }
    }

    pub(super) fn raw(&self) -> Numbers<'_> {
        self.raw.numbers()
    }

    pub(super) fn held(&self) -> &Held {
        &self.raw
    }

    pub(super) fn scale(&self) -> Option<&Scale> {
        self.by.as_deref()
    }

    /// `out` ← numbers of the raw table, those of whole samples, as the model sees them.
    pub(super) fn write(&self, numbers: Range<usize>, out: &mut [f64]) {
        self.raw().range(numbers).write(self.scale(), out);
    }

    /// Some of the samples, of `rows` numbers each.
    pub(super) fn gathered(&self, rows: usize, indices: &[usize]) -> Self {
        Self::new(self.raw.gathered(rows, indices), self.by.clone())
    }
}

impl SparseTable {
    pub(super) fn inputs(&self) -> &SparseInputs {
        &self.inputs
    }
}

impl Clone for ReadTable {
    /// Shares the numbers, and leaves a copy of them to whoever asks for it.
    fn clone(&self) -> Self {
        Self::new(self.raw.clone(), self.by.clone())
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
            (None, None) => equal(self.unscaled(), other.unscaled()),
            _ => false,
        }
    }
}

fn equal(one: Numbers<'_>, other: Numbers<'_>) -> bool {
    match (one, other) {
        (Numbers::Double(one), Numbers::Double(other)) => one == other,
        (one, other) => one.len() == other.len() && one.iter().eq(other.iter()),
    }
}

impl From<Held> for InputTable {
    fn from(numbers: Held) -> Self {
        match numbers {
            Held::Double(numbers) => Self::Dense(DoubleTable::new(numbers, None)),
            single @ Held::Single(_) => Self::Read(ReadTable::new(single, None)),
        }
    }
}

impl From<Vec<f64>> for InputTable {
    fn from(values: Vec<f64>) -> Self {
        Held::from(values).into()
    }
}

impl From<SparseInputs> for InputTable {
    fn from(inputs: SparseInputs) -> Self {
        Self::Sparse(SparseTable { inputs: Arc::new(inputs), dense: OnceLock::new() })
    }
}
