//! The bytes of a file → a model, believing nothing.

use super::budget::Budget;
use super::checksum::Checksum;
use super::write::LENGTH;
use super::{
    BEFORE_CHECKSUM, BEFORE_FORMAT, DIGITS, Document, FORMAT, KEY, ModelFileFault, Stored,
};
use safetensors::tensor::{Dtype, Metadata};
use serde::de::IgnoredAny;
use std::io::{Read, Seek, SeekFrom};

/// Bytes read at once; a whole number of numbers.
const BUFFER: usize = 1 << 13;
/// Digits of a format that are looked at.
const FORMAT_DIGITS: usize = 10;

/// A file, or bytes.
pub(super) trait Source: Read + Seek {}
impl<S: Read + Seek> Source for S {}

/// The tensors of a file whose header was checked.
pub(crate) struct Contents<'a> {
    source: &'a mut dyn Source,
    /// Where the tensors start.
    start: u64,
    header: Metadata,
}

/// The model in a source of `length` bytes.
pub(super) fn value<T: Stored>(source: &mut dyn Source, length: u64) -> Result<T, ModelFileFault> {
    let start = front(source, length)?;
    let end = whole(source, length, start)?;
    let header = header(source, end, start, length)?;
    let document = header.metadata().as_ref().and_then(|entries| entries.get(KEY));
    let document =
        document.ok_or(ModelFileFault::Foreign("its metadata lack the entry `secant`"))?;
    let wrong = |error: serde_json::Error| ModelFileFault::Header(error.to_string());
    let found = serde_json::from_str::<Document<IgnoredAny>>(document).map_err(wrong)?.kind;
    if found != T::KIND {
        return Err(ModelFileFault::Kind { found, asked: T::KIND });
    }
    let Document { content, .. } = serde_json::from_str(document).map_err(wrong)?;
    T::restore(content, &mut Contents { source, start, header })
}

/// Where the tensors start, from what stands in front at a fixed place: lengths, whose file it is and of which format.
fn front(source: &mut dyn Source, length: u64) -> Result<u64, ModelFileFault> {
    let mut front = Vec::with_capacity(LENGTH + 2 * BEFORE_CHECKSUM.len() + BEFORE_FORMAT.len());
    source.seek(SeekFrom::Start(0))?;
    let most = LENGTH + BEFORE_CHECKSUM.len() + DIGITS + BEFORE_FORMAT.len() + FORMAT_DIGITS + 1;
    (&mut *source).take(most as u64).read_to_end(&mut front)?;
    let truncated = |needed| ModelFileFault::Truncated { found: length, needed };
    let Some((header, text)) = front.split_first_chunk::<LENGTH>() else {
        return Err(truncated(LENGTH as u64));
    };
    if !text.is_empty() && !text.starts_with(b"{") {
        return Err(ModelFileFault::Foreign("it is no safetensors file"));
    }
    let start = u64::from_le_bytes(*header).saturating_add(LENGTH as u64);
    if start > length {
        return Err(truncated(start));
    }
    let foreign = ModelFileFault::Foreign(
        "it is a safetensors file whose metadata do not start with the entry `secant`",
    );
    let Some(rest) = text.strip_prefix(BEFORE_CHECKSUM) else { return Err(foreign) };
    let Some(rest) = rest.get(DIGITS..).and_then(|rest| rest.strip_prefix(BEFORE_FORMAT)) else {
        return Err(foreign);
    };
    let digits: String = rest
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .map(|byte| char::from(*byte))
        .collect();
    match digits.parse::<u32>() {
        Ok(format) if format <= FORMAT => Ok(start),
        _ => Err(ModelFileFault::Future { found: digits, known: FORMAT }),
    }
}

/// Goes through the whole file: is it the one that was written, and may its header be read? The end of the header's text.
fn whole(source: &mut dyn Source, length: u64, start: u64) -> Result<u64, ModelFileFault> {
    let digits = (LENGTH + BEFORE_CHECKSUM.len()) as u64..;
    let digits = digits.start..digits.start + DIGITS as u64;
    let (mut checksum, mut budget) = (Checksum::new(), Budget::default());
    let (mut written, mut at, mut buffer) = (Vec::new(), 0_u64, [0; BUFFER]);
    source.seek(SeekFrom::Start(0))?;
    loop {
        // Up to the next place at which something else begins.
        let borders = [LENGTH as u64, digits.start, digits.end, start, length];
        let Some(border) = borders.into_iter().filter(|border| *border > at).min() else { break };
        let most = usize::try_from(border - at).map_or(BUFFER, |most| most.min(BUFFER));
        let piece = &mut buffer[..most];
        source.read_exact(piece)?;
        if digits.contains(&at) {
            written.extend_from_slice(piece);
        } else {
            checksum.add(piece);
        }
        if (LENGTH as u64..start).contains(&at) {
            budget.add(piece);
        }
        at += most as u64;
    }
    let found = checksum.digits();
    if found.as_bytes() != written {
        let written = String::from_utf8_lossy(&written).into_owned();
        return Err(ModelFileFault::Damaged { bytes: length, found, written });
    }
    let (needed, allowed) = (budget.needed(), Budget::allowed(length));
    if needed > allowed {
        return Err(ModelFileFault::Oversized { needed, bytes: length, allowed });
    }
    Ok(LENGTH as u64 + budget.end())
}

/// The header, whose tensors fill the file.
fn header(
    source: &mut dyn Source,
    end: u64,
    start: u64,
    length: u64,
) -> Result<Metadata, ModelFileFault> {
    let wrong = |error: &dyn std::fmt::Display| ModelFileFault::Header(error.to_string());
    let bytes = usize::try_from(end - LENGTH as u64).map_err(|error| wrong(&error))?;
    let mut text = vec![0; bytes];
    source.seek(SeekFrom::Start(LENGTH as u64))?;
    source.read_exact(&mut text)?;
    let header: Metadata = serde_json::from_slice(&text).map_err(|error| wrong(&error))?;
    let expected = start.saturating_add(header.data_len() as u64);
    if expected == length {
        Ok(header)
    } else {
        Err(ModelFileFault::Length { expected, found: length })
    }
}

impl Contents<'_> {
    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.header.info(name).is_some()
    }

    /// The shape of the tensor of this name.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.header.info(name).map(|info| &info.shape[..])
    }

    /// The numbers of a matrix row by row.
    pub(crate) fn rows(
        &mut self,
        name: &str,
        rows: usize,
        columns: usize,
    ) -> Result<Vec<f64>, ModelFileFault> {
        self.require(name, &[rows, columns])?;
        let mut out = vec![0.0; rows * columns];
        self.each(name, |index, number| out[index] = number)?;
        Ok(out)
    }

    /// Whether the tensor `name` has this shape. The numbers are then in the file, which bounds what may be allocated for them.
    pub(crate) fn require(&self, name: &str, shape: &[usize]) -> Result<(), ModelFileFault> {
        let info = self.header.info(name).ok_or_else(|| ModelFileFault::Missing(name.into()))?;
        if info.dtype == Dtype::F64 && info.shape == shape {
            return Ok(());
        }
        let found = format!("{:?} {:?}", info.dtype, &info.shape[..info.shape.len().min(8)]);
        let (name, expected) = (name.to_owned(), format!("F64 {shape:?}"));
        Err(ModelFileFault::Tensor { name, expected, found })
    }

    /// Whether these are all tensors, each of which was required.
    pub(crate) fn require_no_other<'n>(
        &self,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Result<(), ModelFileFault> {
        let found = self.header.offset_keys();
        if found.len() == names.clone().count() {
            return Ok(());
        }
        let known: std::collections::HashSet<&str> = names.collect();
        let other = found.into_iter().find(|name| !known.contains(name.as_str()));
        Err(other.map_or_else(
            || ModelFileFault::Header("a tensor has two parts in the model".into()),
            ModelFileFault::Unexpected,
        ))
    }

    /// Calls `each(index, number)` for the numbers of tensor `name`, row by row.
    fn each(&mut self, name: &str, mut each: impl FnMut(usize, f64)) -> Result<(), ModelFileFault> {
        let info = self.header.info(name).ok_or_else(|| ModelFileFault::Missing(name.into()))?;
        let (from, to) = info.data_offsets;
        self.source.seek(SeekFrom::Start(self.start + from as u64))?;
        let (mut left, mut index, mut buffer) = (to - from, 0, [0; BUFFER]);
        while left > 0 {
            let piece = &mut buffer[..left.min(BUFFER)];
            self.source.read_exact(piece)?;
            left -= piece.len();
            for number in piece.as_chunks().0 {
                each(index, f64::from_le_bytes(*number));
                index += 1;
            }
        }
        Ok(())
    }

    /// The numbers of a list that was [required](Self::require).
    pub(crate) fn list(&mut self, name: &str, length: usize) -> Result<Vec<f64>, ModelFileFault> {
        self.require(name, &[length])?;
        let mut out = vec![0.0; length];
        self.each(name, |index, number| out[index] = number)?;
        Ok(out)
    }

    /// One number.
    pub(crate) fn number(&mut self, name: &str) -> Result<f64, ModelFileFault> {
        self.require(name, &[])?;
        let mut out = 0.0;
        self.each(name, |_, number| out = number)?;
        Ok(out)
    }

    /// The numbers of a list into `out`.
    pub(crate) fn list_into(&mut self, name: &str, out: &mut [f64]) -> Result<(), ModelFileFault> {
        self.require(name, &[out.len()])?;
        self.each(name, |index, number| out[index] = number)
    }

    /// The numbers of a matrix into `columns`, column by column.
    pub(crate) fn matrix_into(
        &mut self,
        name: &str,
        rows: usize,
        columns: &mut [f64],
    ) -> Result<(), ModelFileFault> {
        let cols = columns.len() / rows.max(1);
        self.require(name, &[rows, cols])?;
        self.each(name, |index, number| columns[index / cols + rows * (index % cols)] = number)
    }
}

/// Whether a list of names has the length that fits.
pub(crate) fn names(
    what: &'static str,
    names: &[String],
    expected: usize,
) -> Result<(), ModelFileFault> {
    let found = names.len();
    if found == expected { Ok(()) } else { Err(ModelFileFault::Count { what, expected, found }) }
}
