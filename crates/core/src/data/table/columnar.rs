//! Parquet and Arrow's files.

use super::super::DataError;
use super::super::source::Source;
use super::{Table, TableOptions};

/// Without the feature there is advice only.
pub(super) fn read(source: &mut Source<'_>, _: &TableOptions) -> Result<Table, DataError> {
    Err(DataError::WrongMagic {
        path: source.path.to_path_buf(),
        expected: "text, an array of NumPy, or LIBSVM (Parquet and Arrow take the feature `parquet`)",
        found: "Parquet or Arrow".to_owned(),
    })
}
