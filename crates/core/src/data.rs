//! Data sets: a table of inputs with its targets, checked once and then trusted.
//!
//! A sample is a column: inputs are `d × N`, targets `c × N`, column-major, so that one sample is contiguous and a tile
//! of samples is a slice. Every way into a [`Dataset`] refuses NaN, infinity, missing samples and labels out of range,
//! and names the row and the column.

mod dataset;
mod error;
mod split;
mod targets;

pub use dataset::Dataset;
pub use error::{DataError, Place, Row};
pub use targets::{TargetTile, Targets};
