//! Where a data set has its inputs: a table of numbers, or the entries that are not 0.

use super::SparseInputs;
use std::sync::{Arc, OnceLock};

/// The inputs of all samples.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum InputTable {
    /// d × N, column-major.
    Dense(Vec<f64>),
    Sparse(SparseTable),
}

/// Sparse inputs, and the dense table of them where somebody has asked for it.
#[derive(Debug)]
pub(super) struct SparseTable {
    inputs: Arc<SparseInputs>,
    dense: OnceLock<Vec<f64>>,
}

impl InputTable {
    pub(super) fn sparse(&self) -> Option<&SparseInputs> {
        match self {
            Self::Dense(_) => None,
            Self::Sparse(table) => Some(&table.inputs),
        }
    }

    /// d × N; of sparse inputs made now and kept.
    pub(super) fn dense(&self) -> &[f64] {
        match self {
            Self::Dense(values) => values,
            Self::Sparse(table) => table.dense.get_or_init(|| table.inputs.dense()),
        }
    }
}

impl SparseTable {
    pub(super) fn inputs(&self) -> &SparseInputs {
        &self.inputs
    }
}

impl Clone for SparseTable {
    /// Shares the entries, and leaves the dense table to whoever asks for it.
    fn clone(&self) -> Self {
        Self { inputs: Arc::clone(&self.inputs), dense: OnceLock::new() }
    }
}

impl PartialEq for SparseTable {
    fn eq(&self, other: &Self) -> bool {
        self.inputs == other.inputs
    }
}

impl From<Vec<f64>> for InputTable {
    fn from(values: Vec<f64>) -> Self {
        Self::Dense(values)
    }
}

impl From<SparseInputs> for InputTable {
    fn from(inputs: SparseInputs) -> Self {
        Self::Sparse(SparseTable { inputs: Arc::new(inputs), dense: OnceLock::new() })
    }
}
