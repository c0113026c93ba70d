//! Data sets: a table of inputs with its targets, checked once and then trusted.
//!
//! A sample is a column: inputs are `d × N`, targets `c × N`, column-major, so that one sample is contiguous and a tile
//! of samples is a slice. Every way into a [`Dataset`] refuses NaN, infinity, missing samples and labels out of range,
//! and names the row and the column.

mod csv;
mod dataset;
mod error;
mod idx;
mod libsvm;
mod nist;
mod npy;
mod source;
mod split;
mod standardize;
mod targets;
mod task;
#[cfg(test)]
mod tests;

pub use csv::CsvOptions;
pub use dataset::Dataset;
pub use error::{DataError, Place, Row};
pub use idx::{IdxOptions, PixelScale};
pub use libsvm::{LibsvmOptions, MAX_INFERRED_ENTRIES, MAX_INFERRED_FEATURES};
pub use nist::{NistLinear, Term};
pub use standardize::Standardizer;
pub use targets::{TargetTile, Targets};
pub use task::{MAX_INFERRED_CLASSES, Task};
