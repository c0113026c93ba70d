//! A matrix that is made a part at a time, so that a GEMM can take what would not be worth keeping: parts fit on the stack.

use crate::elementwise::vectorize;
use faer::{MatMut, MatRef};
use std::ops::Range;

/// Entries of a block on the stack: 16 KiB.
pub(super) const BLOCK: usize = 2048;
/// Rows of a block at most: enough for a GEMM's inner dimension.
const BLOCK_ROWS: usize = 64;

/// Rows and columns of a part of a matrix.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
}

impl Block {
    pub(super) fn len(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// The columns of a `rows × B` matrix that the block has.
    pub(super) fn take<'a>(&self, values: &'a [f64], rows: usize) -> MatRef<'a, f64> {
        let columns = self.columns.start * rows..self.columns.end * rows;
        MatRef::from_column_major_slice(&values[columns], rows, self.columns.len())
    }

    pub(super) fn take_mut<'a>(&self, values: &'a mut [f64], rows: usize) -> MatMut<'a, f64> {
        let columns = self.columns.start * rows..self.columns.end * rows;
        MatMut::from_column_major_slice_mut(&mut values[columns], rows, self.columns.len())
    }

    /// `buffer` ← entries of the block, from those of the whole matrix (`rows × B`): `term(index)`.
    #[inline(always)]
    pub(super) fn fill(&self, buffer: &mut [f64], rows: usize, term: impl Fn(usize) -> f64) {
        for (column, out) in self.columns.clone().zip(buffer.chunks_exact_mut(self.rows.len())) {
            let start = column * rows + self.rows.start;
            vectorize(
                #[inline(always)]
                || {
                    for (offset, out) in out.iter_mut().enumerate() {
                        *out = term(start + offset);
                    }
                },
            );
        }
    }
}

/// Blocks of at most [`BLOCK`] entries that make up a `rows × columns` matrix.
pub(super) fn blocks(rows: usize, columns: usize) -> impl Iterator<Item = Block> {
    let height = rows.clamp(1, BLOCK_ROWS);
    let width = BLOCK / height;
    (0..columns).step_by(width).flat_map(move |column| {
        (0..rows).step_by(height).map(move |row| Block {
            rows: row..(row + height).min(rows),
            columns: column..(column + width).min(columns),
        })
    })
}
