//! Parquet and Arrow's files, with the feature `parquet`.

use super::super::DataError;
use super::super::source::Source;
use super::{Table, TableOptions};

#[cfg(feature = "parquet")]
mod batches;
#[cfg(feature = "parquet")]
mod convert;

/// What an Arrow file begins with.
#[cfg(feature = "parquet")]
const ARROW: &[u8] = b"ARROW1";

/// Without the feature there is advice only.
#[cfg(not(feature = "parquet"))]
pub(super) fn read(source: &mut Source<'_>, _: &TableOptions) -> Result<Table, DataError> {
    Err(DataError::WrongMagic {
        path: source.path.to_path_buf(),
        expected: "text, arrays of NumPy, or LIBSVM (Parquet and Arrow take the feature `parquet`)",
        found: "Parquet or Arrow".to_owned(),
    })
}

/// The columns of numbers and texts; what is neither, nor a date, is left out and said so.
#[cfg(feature = "parquet")]
pub(super) fn read(source: &mut Source<'_>, options: &TableOptions) -> Result<Table, DataError> {
    if source.peek(ARROW.len())?.starts_with(ARROW) {
        batches::arrow(source, options)
    } else {
        batches::parquet(source, options)
    }
}
