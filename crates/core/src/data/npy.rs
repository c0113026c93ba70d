//! The `.npy` files of `NumPy`, versions 1.0 to 3.0: a magic number, a Python dictionary with type, order and shape, the numbers.

use std::io::Read;
use std::path::Path;

use super::source::{open, quoted, read_body, read_up_to};
use super::task::{MAX_INFERRED_CLASSES, number_classes, whole};
use super::{DataError, Dataset, Place, Row, Targets};

const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header that is read; `NumPy` itself writes some 128 bytes, and refuses to read more than 10,000.
const MAX_HEADER_BYTES: u64 = 10_000;

const SUPPORTED: &str = "<f8, <f4, <i8, <i4, |u1";

impl Dataset {
    /// Reads inputs and numeric targets from two `.npy` files (gzip where a path ends in `.gz`), with a sample a **row**
    /// as `NumPy` has it: inputs N × d or N, targets N × c or N; little-endian `f8`, `f4`, `i8`, `i4` or `u1`, in C or
    /// Fortran order.
    ///
    /// # Errors
    /// Not an `.npy` file; another type or shape; a file shorter or longer than its header says; NaN or infinity.
    pub fn from_npy(
        inputs: impl AsRef<Path>,
        targets: impl AsRef<Path>,
    ) -> Result<Self, DataError> {
        let (inputs_path, targets_path) = (inputs.as_ref(), targets.as_ref());
        let inputs = read(inputs_path)?;
        let targets = read(targets_path)?;
        inputs.check(inputs_path, "x")?;
        targets.check(targets_path, "y")?;
        let (features, rows) = (inputs.rows, targets.rows);
        Self::new(features, inputs.values, Targets::Values { rows, values: targets.values })
            .map_err(|error| error.in_file(inputs_path))
    }

    /// Reads inputs as [`Dataset::from_npy`] does, and N labels 0, …, `classes` − 1; `None` takes the largest plus one.
    ///
    /// # Errors
    /// As [`Dataset::from_npy`]; a label that is no whole number from 0, or is out of range.
    pub fn from_npy_labels(
        inputs: impl AsRef<Path>,
        labels: impl AsRef<Path>,
        classes: Option<usize>,
    ) -> Result<Self, DataError> {
        let (inputs_path, labels_path) = (inputs.as_ref(), labels.as_ref());
        let inputs = read(inputs_path)?;
        let column = read(labels_path)?;
        inputs.check(inputs_path, "x")?;
        column.check(labels_path, "label")?;
        if column.rows != 1 {
            return Err(DataError::OneLabelColumn {
                path: labels_path.to_path_buf(),
                found: column.rows,
            });
        }
        let bound = classes.unwrap_or(MAX_INFERRED_CLASSES);
        let checked = column.values.iter().enumerate();
        let checked = checked.map(|(sample, &value)| {
            whole(value, bound, || (place(labels_path, sample, "label"), value.to_string()))
        });
        let targets = number_classes(classes, checked.collect::<Result<_, _>>()?);
        Self::new(inputs.rows, inputs.values, targets).map_err(|error| error.in_file(inputs_path))
    }
}

fn read(path: &Path) -> Result<Table, DataError> {
    parse(&mut open(path)?, path)
}

fn place(path: &Path, sample: usize, column: &str) -> Place {
    Place { file: Some(path.to_path_buf()), row: Row::Sample(sample), column: column.to_owned() }
}

/// An array of numbers, a sample a column.
#[derive(Debug, PartialEq)]
pub(super) struct Table {
    /// Numbers per sample.
    pub(super) rows: usize,
    /// rows × N, column-major.
    pub(super) values: Vec<f64>,
}

impl Table {
    /// Refuses NaN and infinity.
    fn check(&self, path: &Path, prefix: &str) -> Result<(), DataError> {
        match self.values.iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(index) => {
                let column = format!("{prefix}{}", index % self.rows + 1);
                let found = self.values[index].to_string();
                Err(DataError::NotFinite { place: place(path, index / self.rows, &column), found })
            }
        }
    }
}

/// One `.npy` file: N × d, or N with d = 1.
pub(super) fn parse(reader: &mut impl Read, path: &Path) -> Result<Table, DataError> {
    let (header, header_bytes) = read_header(reader, path)?;
    let (samples, rows) = (header.samples, header.rows);
    let too_large =
        || DataError::TooLarge { path: path.to_path_buf(), found: format!("{samples} × {rows}") };
    let count = samples.checked_mul(rows).ok_or_else(too_large)?;
    let length = (count as u64).checked_mul(header.kind.bytes() as u64).ok_or_else(too_large)?;
    if count == 0 {
        return Err(DataError::NoData { file: Some(path.to_path_buf()), what: "samples" });
    }
    let bytes = read_body(reader, header_bytes, length, path)?;
    let stored = header.kind.decode(&bytes);
    // Row-major N × d and column-major d × N are the same order.
    let values = if header.fortran_order && rows > 1 {
        (0..samples)
            .flat_map(|j| (0..rows).map(move |i| (i, j)))
            .map(|(i, j)| stored[i * samples + j])
            .collect()
    } else {
        stored
    };
    Ok(Table { rows, values })
}

/// The element types that are read, little-endian.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    F8,
    F4,
    I8,
    I4,
    U1,
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::F8 | Self::I8 => 8,
            Self::F4 | Self::I4 => 4,
            Self::U1 => 1,
        }
    }

    /// Numbers as `f64`; whole numbers beyond 2⁵³ are rounded to the nearest.
    fn decode(self, bytes: &[u8]) -> Vec<f64> {
        fn each<const B: usize>(bytes: &[u8], number: impl Fn([u8; B]) -> f64) -> Vec<f64> {
            let chunks = bytes.chunks_exact(B);
            chunks.map(|chunk| number(std::array::from_fn(|index| chunk[index]))).collect()
        }
        match self {
            Self::F8 => each(bytes, f64::from_le_bytes),
            Self::F4 => each(bytes, |b| f64::from(f32::from_le_bytes(b))),
            Self::I8 => each(bytes, |b| i64::from_le_bytes(b) as f64),
            Self::I4 => each(bytes, |b| f64::from(i32::from_le_bytes(b))),
            Self::U1 => bytes.iter().map(|&byte| f64::from(byte)).collect(),
        }
    }
}

/// The dictionary.
struct Header {
    kind: Kind,
    fortran_order: bool,
    samples: usize,
    rows: usize,
}

/// The header and the number of bytes before the data.
fn read_header(reader: &mut impl Read, path: &Path) -> Result<(Header, u64), DataError> {
    let start = read_up_to(reader, 8, path)?;
    if start.len() < 8 || !start.starts_with(MAGIC) {
        return Err(DataError::WrongMagic {
            path: path.to_path_buf(),
            expected: "\\x93NUMPY and two version bytes",
            found: format!("{start:02x?}"),
        });
    }
    let length_bytes = match start[6] {
        1 => 2,
        2 | 3 => 4,
        version => return Err(malformed(path, "version 1, 2 or 3", version.to_string())),
    };
    let length = read_up_to(reader, length_bytes, path)?;
    let before = 8 + length_bytes;
    if (length.len() as u64) < length_bytes {
        let found = 8 + length.len() as u64;
        return Err(DataError::CutShort { path: path.to_path_buf(), expected: before, found });
    }
    let length = length.iter().rev().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    if length > MAX_HEADER_BYTES {
        return Err(malformed(path, "at most 10000 bytes", format!("{length} bytes")));
    }
    let dictionary = read_up_to(reader, length, path)?;
    if (dictionary.len() as u64) < length {
        return Err(DataError::CutShort {
            path: path.to_path_buf(),
            expected: before + length,
            found: before + dictionary.len() as u64,
        });
    }
    Ok((parse_dictionary(&dictionary, path)?, before + length))
}

/// `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse_dictionary(bytes: &[u8], path: &Path) -> Result<Header, DataError> {
    let refused = |expected| malformed(path, expected, quoted(bytes));
    let text = std::str::from_utf8(bytes).map_err(|_| refused("UTF-8 text"))?.replace('"', "'");
    let entry = |key: &str| {
        let (_, rest) = text.split_once(&format!("'{key}'"))?;
        Some(rest.trim_start().strip_prefix(':')?.trim_start().to_owned())
    };
    let order = entry("fortran_order").ok_or_else(|| refused("an entry 'fortran_order'"))?;
    let fortran_order = match (order.starts_with("True"), order.starts_with("False")) {
        (true, _) => true,
        (_, true) => false,
        _ => return Err(refused("'fortran_order' True or False")),
    };
    let descr = entry("descr").ok_or_else(|| refused("an entry 'descr'"))?;
    // A record type is a list, not a string: it has no closing quote where a string has one.
    let name = descr.strip_prefix('\'').and_then(|rest| rest.split('\'').next()).unwrap_or(&descr);
    let kind = match name {
        "<f8" => Kind::F8,
        "<f4" => Kind::F4,
        "<i8" => Kind::I8,
        "<i4" => Kind::I4,
        "|u1" | "<u1" => Kind::U1,
        _ => {
            return Err(DataError::UnsupportedType {
                path: path.to_path_buf(),
                found: quoted(name.as_bytes()),
                supported: SUPPORTED,
            });
        }
    };
    let shape = entry("shape").ok_or_else(|| refused("an entry 'shape'"))?;
    let inner = shape.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let (inner, _) = inner.ok_or_else(|| refused("a shape in brackets"))?;
    let sizes =
        inner.split(',').map(str::trim).filter(|size| !size.is_empty()).map(str::parse::<usize>);
    let sizes =
        sizes.collect::<Result<Vec<_>, _>>().map_err(|_| refused("whole numbers in the shape"))?;
    match *sizes.as_slice() {
        [samples] => Ok(Header { kind, fortran_order, samples, rows: 1 }),
        [samples, rows] => Ok(Header { kind, fortran_order, samples, rows }),
        _ => Err(refused("a shape of one or two sizes")),
    }
}

fn malformed(path: &Path, expected: &str, found: String) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        at: "header".to_owned(),
        expected: expected.to_owned(),
        found,
    }
}
