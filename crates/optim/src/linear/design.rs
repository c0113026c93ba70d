//! The matrix of a problem, in double or in single precision: read as `f64`, which loses nothing.

use faer::{ColRef, MatRef};
use std::ops::Range;

/// Rows that are copied together where they are contiguous: a cache line of every column.
const COPIED: usize = 8;

#[derive(Clone, Copy, Debug)]
pub(super) enum Design<'a> {
    Double(MatRef<'a, f64>),
    Single(MatRef<'a, f32>),
}

impl Design<'_> {
    /// m.
    pub(super) fn nrows(self) -> usize {
        match self {
            Self::Double(matrix) => matrix.nrows(),
            Self::Single(matrix) => matrix.nrows(),
        }
    }

    /// n.
    pub(super) fn ncols(self) -> usize {
        match self {
            Self::Double(matrix) => matrix.ncols(),
            Self::Single(matrix) => matrix.ncols(),
        }
    }

    pub(super) fn at(self, i: usize, j: usize) -> f64 {
        match self {
            Self::Double(matrix) => matrix[(i, j)],
            Self::Single(matrix) => matrix[(i, j)].into(),
        }
    }

    /// `out` ← the columns of some rows, one after the other.
    pub(super) fn load(self, range: Range<usize>, out: &mut [f64]) {
        match self {
            Self::Double(matrix) => load(matrix, range, out),
            Self::Single(matrix) => load(matrix, range, out),
        }
    }
}

fn load<T: Copy + Into<f64>>(design: MatRef<'_, T>, range: Range<usize>, columns: &mut [f64]) {
    let rows = range.len();
    if design.col_stride() == 1 {
        transpose(design.subrows(range.start, rows).transpose(), columns);
        return;
    }
    for (j, column) in columns.chunks_exact_mut(rows).enumerate() {
        let entries: ColRef<'_, T> = design.col(j).subrows(range.start, rows);
        column.iter_mut().zip(entries.iter()).for_each(|(out, entry)| *out = (*entry).into());
    }
}

/// `columns` ← the rows of `x` (n × m), each contiguous in it as a column: some of these at a time, so that every line of a column
/// is written once.
fn transpose<T: Copy + Into<f64>>(x: MatRef<'_, T>, columns: &mut [f64]) {
    let (n, m) = x.shape();
    let sample = |i: usize| x.col(i).try_as_col_major().map_or(&[][..], ColRef::as_slice);
    let whole = m / COPIED * COPIED;
    for first in (0..whole).step_by(COPIED) {
        let samples: [&[T]; COPIED] = std::array::from_fn(|k| sample(first + k));
        debug_assert!(samples.iter().all(|sample| sample.len() == n), "contiguous rows");
        for (j, column) in columns.chunks_exact_mut(m).enumerate() {
            let line = &mut column[first..first + COPIED];
            for (entry, sample) in line.iter_mut().zip(&samples) {
                *entry = sample[j].into();
            }
        }
    }
    for i in whole..m {
        for (column, entry) in columns.chunks_exact_mut(m).zip(sample(i)) {
            column[i] = (*entry).into();
        }
    }
}
