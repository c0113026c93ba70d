//! Data sets: a table of inputs with its targets, checked once and then trusted.
//!
//! A sample is a column: inputs are `d × N`, targets `c × N`, column-major, so that one sample is contiguous and a tile
//! of samples is a slice. Every way into a [`Dataset`] refuses NaN, infinity, missing samples and labels out of range,
//! and names the row and the column.
//!
//! | from | by |
//! |---|---|
//! | slices | [`Dataset::from_slices`], [`Dataset::from_labels`], [`Dataset::new`] |
//! | matrix views | [`Dataset::from_faer`]; `from_ndarray`, `from_nalgebra` with the features of those names |
//! | CSV with a header | [`Dataset::from_csv`], [`Dataset::from_csv_labels`], [`Dataset::from_csv_with`] |
//! | `.npy` | [`Dataset::from_npy`], [`Dataset::from_npy_labels`] |
//! | IDX images and labels | [`Dataset::from_idx`] |
//! | LIBSVM text | [`Dataset::from_libsvm`] |
//! | NIST's linear regression problems | [`NistLinear::read`], then [`NistLinear::dataset`] |
//!
//! Samples may have weights, [`Dataset::with_weights`], and offsets of the outputs, [`Dataset::with_offset`].
//!
//! NIST's nonlinear problems ([`NistNonlinear::read`]) are no data sets but tables for a formula.

mod cifar;
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
mod weights;

pub use csv::CsvOptions;
pub use dataset::Dataset;
pub use error::{DataError, Place, Row};
pub use idx::{IdxOptions, PixelScale};
pub use libsvm::{LibsvmOptions, MAX_INFERRED_ENTRIES, MAX_INFERRED_FEATURES};
pub use nist::{NistLinear, NistNonlinear, Term};
pub use standardize::Standardizer;
pub use targets::{TargetTile, Targets};
pub use task::{MAX_INFERRED_CLASSES, Task};
pub(crate) use weights::{Gathered, SampleTile};
