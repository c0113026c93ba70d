//! Data sets: a table of inputs with its targets, checked once and then trusted.
//!
//! A sample is a column: inputs are `d × N`, targets `c × N`, column-major, so that one sample is contiguous and a tile
//! of samples is a slice. Every way into a [`Dataset`] refuses NaN, infinity, missing samples and labels out of range,
//! and names the row and the column.
//!
//! | from | by |
//! |---|---|
//! | slices | [`Dataset::from_slices`], [`Dataset::from_labels`], [`Dataset::new`] |
//! | numbers where they are, `f64` or `f32` | [`Dataset::from_shared`], [`Dataset::from_shared_f32`] |
//! | matrix views | [`Dataset::from_faer`]; `from_ndarray`, `from_nalgebra` with the features of those names |
//! | CSV | [`Dataset::from_csv`], [`Dataset::from_csv_labels`], [`Dataset::from_csv_with`] |
//! | CSV, a part for each of several readers | [`CsvParts`] |
//! | `.npy` | [`Dataset::from_npy`], [`Dataset::from_npy_labels`], [`Dataset::from_npy_with`] |
//! | IDX images and labels | [`Dataset::from_idx`] |
//! | LIBSVM text | [`Dataset::from_libsvm`] |
//! | CIFAR-10 batches | [`Dataset::from_cifar10`], [`Dataset::from_cifar10_with`] |
//! | NIST's linear regression problems | [`NistLinear::read`], then [`NistLinear::dataset`] |
//!
//! A file may be gzipped, whatever its name. A reader takes no more memory than the `max_bytes` of its options ([`MAX_BYTES`] by
//! default), asked before it is allocated. Each has a form for bytes in memory, `…_bytes`.
//!
//! [`Dataset::group_by`] parts the samples by the value of a feature, for [many fits at once](Groups).
//!
//! Samples may have weights, [`Dataset::with_weights`], and offsets of the outputs, [`Dataset::with_offset`].
//!
//! NIST's nonlinear problems ([`NistNonlinear::read`]) are no data sets but tables for a formula.

mod cifar;
mod columns;
mod csv;
mod dataset;
mod encode;
mod encoding;
mod error;
mod groups;
mod hint;
mod idx;
mod inputs;
mod libsvm;
mod moments;
mod nist;
mod npy;
mod numbers;
mod scale;
mod shared;
mod source;
mod sparse;
mod split;
mod standardize;
mod table;
mod targets;
mod task;
#[cfg(test)]
mod tests;
mod weights;

pub use cifar::CifarOptions;
pub use csv::{CsvOptions, CsvParts, CsvSurvey};
pub use dataset::Dataset;
pub use encode::{Encoded, EncodedInputs, Roles, TableError, TableFault, TargetKind};
pub use encoding::{EncodedColumn, EncodedForm, Encoding, Missing};
pub use error::{DataError, MissingValue, Place, Row};
pub use groups::{Group, Groups};
pub use hint::{Hint, Remedy};
pub use idx::{IdxOptions, PixelScale};
pub use libsvm::{LibsvmOptions, MAX_INFERRED_FEATURES};
pub use moments::RunningMoments;
pub use nist::{NistLinear, NistNonlinear, Term};
pub use npy::{NpyOptions, npy_samples};
pub(crate) use numbers::Numbers;
pub(crate) use scale::Scale;
pub use shared::{SharedIndices, SharedNumbers, SharedSingles};
pub use source::MAX_BYTES;
pub(crate) use sparse::SparseRows;
pub(crate) use sparse::standardized_centre;
pub use sparse::{SparseInputs, SparseTile};
pub use standardize::Standardizer;
pub use table::{ColumnKind, Table, TableFormat, TableOptions, TextLayout};
pub use targets::{TargetTile, Targets};
pub use task::{MAX_INFERRED_CLASSES, Task};
pub(crate) use weights::{Gathered, SampleTile};
