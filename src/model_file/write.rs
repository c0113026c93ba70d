//! A model → the bytes of its file.

use super::budget::Budget;
use super::checksum::Checksum;
use super::{BEFORE_CHECKSUM, DIGITS, Document, KEY, ModelFileError, Stored};
use safetensors::tensor::{Dtype, View};
use std::borrow::Cow;

/// Bytes of the header's length.
pub(super) const LENGTH: usize = 8;

/// An array with its name, row by row.
pub(crate) struct Tensor<'a> {
    name: String,
    shape: Vec<usize>,
    numbers: Cow<'a, [f64]>,
}

impl<'a> Tensor<'a> {
    /// A list.
    pub(crate) fn list(name: impl Into<String>, numbers: &'a [f64]) -> Self {
        Self { name: name.into(), shape: vec![numbers.len()], numbers: numbers.into() }
    }

    /// A list that is made for the file.
    pub(crate) fn owned(name: impl Into<String>, numbers: Vec<f64>) -> Self {
        Self { name: name.into(), shape: vec![numbers.len()], numbers: numbers.into() }
    }

    /// One number.
    pub(crate) fn number(name: impl Into<String>, number: f64) -> Self {
        Self { name: name.into(), shape: Vec::new(), numbers: vec![number].into() }
    }

    /// A matrix that lies row by row.
    pub(crate) fn by_rows(name: impl Into<String>, rows: usize, numbers: &'a [f64]) -> Self {
        let shape = vec![rows, numbers.len() / rows.max(1)];
        Self { name: name.into(), shape, numbers: numbers.into() }
    }

    /// A matrix that lies column by column.
    pub(crate) fn matrix(name: impl Into<String>, rows: usize, columns: &[f64]) -> Self {
        let cols = columns.len() / rows.max(1);
        let by_rows = (0..rows).flat_map(|i| columns.iter().skip(i).step_by(rows).copied());
        Self { name: name.into(), shape: vec![rows, cols], numbers: by_rows.collect() }
    }
}

impl View for Tensor<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F64
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        self.numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
    }
    fn data_len(&self) -> usize {
        size_of::<f64>() * self.numbers.len()
    }
}

/// The bytes of the file of `value`.
pub(super) fn bytes<T: Stored>(value: &T) -> Result<Vec<u8>, ModelFileError> {
    let (content, tensors) = value.store()?;
    let document = Document {
        checksum: "0".repeat(DIGITS),
        format: value.format(),
        kind: T::KIND,
        crate_version: env!("CARGO_PKG_VERSION").to_owned(),
        content,
    };
    let too_large = |error: &dyn std::fmt::Display| ModelFileError::TooLarge(error.to_string());
    let document = serde_json::to_string(&document).map_err(|error| too_large(&error))?;
    let metadata = [(KEY.to_owned(), document)].into_iter().collect();
    let tensors = tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor));
    let mut bytes =
        safetensors::serialize(tensors, Some(metadata)).map_err(|error| too_large(&error))?;
    pad(&mut bytes);
    seal(&mut bytes);
    Ok(bytes)
}

/// The length of the header, as the file has it.
fn header_length(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length))
}

/// Blanks behind the header, so many that a reader may take as much memory as the header needs: for graphs of hundreds of nodes without
/// many parameters, and for many thousands of names.
fn pad(bytes: &mut Vec<u8>) {
    let end = LENGTH + usize::try_from(header_length(bytes)).unwrap_or(0);
    let mut budget = Budget::default();
    budget.add(&bytes[LENGTH..end]);
    let missing = budget.needed().saturating_sub(Budget::allowed(bytes.len() as u64));
    // Tensors start at a multiple of their numbers' size.
    let blanks = usize::try_from(missing).unwrap_or(0).next_multiple_of(LENGTH);
    let length = header_length(bytes) + blanks as u64;
    bytes[..LENGTH].copy_from_slice(&length.to_le_bytes());
    bytes.splice(end..end, std::iter::repeat_n(b' ', blanks));
}

/// Puts the checksum of all other bytes in its place.
pub(super) fn seal(bytes: &mut [u8]) {
    let start = LENGTH + BEFORE_CHECKSUM.len();
    let mut checksum = Checksum::new();
    checksum.add(&bytes[..start]);
    checksum.add(&bytes[start + DIGITS..]);
    bytes[start..start + DIGITS].copy_from_slice(checksum.digits().as_bytes());
}
