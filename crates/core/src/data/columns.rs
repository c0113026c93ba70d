//! Columns of numbers, one a sample: how many there are, whether they are finite, and some of them in another order.

use super::numbers::Numbers;
use super::scale::Stored;
use super::{DataError, Place};
use rayon::prelude::*;

/// Numbers that are worth a task.
const TASK: usize = 1 << 16;
/// Numbers that are looked at together, without a branch for each.
const BLOCK: usize = 1 << 10;

pub(super) fn check_count(
    what: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), DataError> {
    if expected == found {
        return Ok(());
    }
    Err(DataError::WrongLength { what, expected, found })
}

/// `values` is `rows` × M column-major and finite; `names` has one name per row.
pub(super) fn check_finite(
    rows: usize,
    values: Numbers<'_>,
    what: &'static str,
    names: &[String],
) -> Result<(), DataError> {
    let whole = values.len().div_ceil(rows).saturating_mul(rows);
    check_count(what, whole, values.len())?;
    let odd = match values {
        Numbers::Double(values) => first_odd(values),
        Numbers::Single(values) => first_odd(values),
    };
    match odd {
        None => Ok(()),
        Some(index) => Err(DataError::NotFinite {
            place: Place::sample(index / rows, names[index % rows].clone()),
            found: values.get(index).to_string(),
        }),
    }
}

/// Where the first NaN or infinity stands.
fn first_odd<T: Stored>(values: &[T]) -> Option<usize> {
    let finite = |&value: &T| value.into().is_finite();
    let in_block = |(block, values): (usize, &[T])| {
        if values.iter().fold(true, |all, value| all & finite(value)) {
            return None;
        }
        values.iter().position(|value| !finite(value)).map(|odd| block * BLOCK + odd)
    };
    if values.len() <= TASK {
        return values.chunks(BLOCK).enumerate().find_map(in_block);
    }
    let blocks = values.par_chunks(BLOCK).enumerate().with_min_len(TASK / BLOCK);
    blocks.find_map_first(in_block)
}

/// The columns of `values` (`rows` × M, column-major) that `indices` names, in that order.
pub(super) fn gather<T: Copy>(rows: usize, values: &[T], indices: &[usize]) -> Vec<T> {
    let mut out = Vec::with_capacity(rows * indices.len());
    gather_into(rows, values, indices, &mut out);
    out
}

/// `out` ← the columns of `values` that `indices` names.
pub(super) fn gather_into<T: Copy>(rows: usize, values: &[T], indices: &[usize], out: &mut Vec<T>) {
    out.clear();
    for &index in indices {
        out.extend_from_slice(&values[index * rows..(index + 1) * rows]);
    }
}
