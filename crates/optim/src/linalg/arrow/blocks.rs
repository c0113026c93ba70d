//! The entries of an arrow: one block for each group.

use crate::linalg::vector;
use secant_core::problem::Arrow;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The blocks of J before they are scaled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ArrowBlocks {
    pub arrow: Arrow,
    /// One block after the other, column-major, own columns before the shared ones.
    pub entries: Vec<f64>,
}

impl ArrowBlocks {
    pub(crate) fn new(arrow: Arrow) -> Self {
        let entries = vec![0.0; arrow.entries()];
        Self { arrow, entries }
    }

    /// Every column of a block: its parameter, the rows of the group, the entries.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, Range<usize>, &[f64])> {
        let mut rest = &self.entries[..];
        self.arrow.groups.iter().flat_map(move |group| {
            let (rows, width) = (group.rows.clone(), self.arrow.width(group));
            let (block, behind) = rest.split_at(rows.len() * width);
            rest = behind;
            (0..width).map(move |column| {
                let entries = &block[column * rows.len()..(column + 1) * rows.len()];
                (self.arrow.parameter(group, column), rows.clone(), entries)
            })
        })
    }

    /// `out` ← ‖Aⱼ‖.
    pub(crate) fn column_norms(&self, out: &mut [f64]) {
        out.fill(0.0);
        for (j, _, entries) in self.columns() {
            out[j] = out[j].hypot(vector::norm(entries));
        }
    }

    /// `out` ← Aᵀ·b.
    pub(crate) fn multiply_transposed(&self, b: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (j, rows, entries) in self.columns() {
            out[j] += vector::dot(entries, &b[rows]);
        }
    }

    /// `out` ← A·x.
    pub(crate) fn multiply(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (j, rows, entries) in self.columns() {
            vector::axpy(x[j], entries, &mut out[rows]);
        }
    }
}
