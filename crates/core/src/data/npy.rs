//! The `.npy` files of `NumPy`, versions 1.0 to 3.0: a magic number, a Python dictionary with type, order and shape, the numbers.

use std::io::{Read, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use self::kind::{Kept, Kind};
use super::source::{MAX_BYTES, Source};
use super::task::{MAX_INFERRED_CLASSES, number_classes, whole};
use super::{DataError, Dataset, Place, Row, Targets, Task};
use crate::text::quoted_bytes;

mod body;
mod kind;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header that is read; `NumPy` itself writes some 128 bytes, and refuses to read more than 10,000.
const MAX_HEADER_BYTES: u64 = 10_000;

/// How a pair of `.npy` files is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpyOptions {
    /// Numbers or classes.
    pub task: Task,
    /// Memory at most, for the table that each of the files becomes.
    pub max_bytes: u64,
    /// Inputs of a type whose numbers `f32` has (`f2`, `f4`, `i1`, `i2`, `u1`, `u2`, `b1`) are stored as `f32`, in half the memory:
    /// [`Dataset::from_shared_f32`]. Default false.
    pub keep_single: bool,
}

impl Default for NpyOptions {
    fn default() -> Self {
        Self { task: Task::Values, max_bytes: MAX_BYTES, keep_single: false }
    }
}

impl Dataset {
    /// Reads inputs and numeric targets from two `.npy` files, plain or gzipped, with a sample a **row** as `NumPy` has it: inputs N × d
    /// or N, targets N × c or N; more axes are flattened, the last one fastest. Any type of numbers (`f2` to `f8`, `i1` to `i8`, `u1` to
    /// `u8`, `b1`), either byte order, C or Fortran order. Whole numbers beyond 2⁵³ are rounded.
    ///
    /// # Errors
    /// Not an `.npy` file; another type; a file shorter or longer than its header says; NaN or infinity; more memory than the limit.
    pub fn from_npy(
        inputs: impl AsRef<Path>,
        targets: impl AsRef<Path>,
    ) -> Result<Self, DataError> {
        Self::from_npy_with(inputs, targets, &NpyOptions::default())
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
        let options = NpyOptions { task: Task::Labels { classes }, ..NpyOptions::default() };
        Self::from_npy_with(inputs, labels, &options)
    }

    /// Reads two `.npy` files as `options` say. [`Task::Names`] takes numbers as names, so that −1, +1 become 0, 1.
    ///
    /// # Errors
    /// As [`Dataset::from_npy`]; labels that the task does not allow.
    pub fn from_npy_with(
        inputs: impl AsRef<Path>,
        targets: impl AsRef<Path>,
        options: &NpyOptions,
    ) -> Result<Self, DataError> {
        let open = |path| Source::open(path, options.max_bytes, "NpyOptions");
        assemble(open(inputs.as_ref())?, open(targets.as_ref())?, options)
    }

    /// Reads some of the `rows` alone, from plain files in C order: no others are read or held. A message names a sample as the whole file
    /// counts it.
    ///
    /// # Errors
    /// As [`Dataset::from_npy_with`]; a file that is packed or in Fortran order; rows that are not there; classes that are not said, since
    /// the rows alone do not tell them.
    pub fn from_npy_rows(
        inputs: impl AsRef<Path>,
        targets: impl AsRef<Path>,
        rows: Range<usize>,
        options: &NpyOptions,
    ) -> Result<Self, DataError> {
        if !matches!(options.task, Task::Values | Task::Labels { classes: Some(_) }) {
            return Err(DataError::Option {
                option: "NpyOptions::task",
                found: format!("{:?}", options.task),
                allowed: "values or a number of classes, where some of the rows are read",
            });
        }
        let (inputs, targets) = (inputs.as_ref(), targets.as_ref());
        let open = |path| Source::open(path, options.max_bytes, "NpyOptions");
        let x = Inputs::slice(open(inputs)?, &rows, options)?;
        let y = Array::slice(open(targets)?, &rows)?;
        assembled((inputs, x), (targets, y), &mut open(targets)?, &options.task)
    }

    /// The same of the bytes of two such files.
    ///
    /// # Errors
    /// As [`Dataset::from_npy_with`].
    pub fn from_npy_bytes(
        inputs: &[u8],
        targets: &[u8],
        options: &NpyOptions,
    ) -> Result<Self, DataError> {
        let open = |bytes| Source::of(bytes, options.max_bytes, "NpyOptions");
        assemble(open(inputs)?, open(targets)?, options)
    }
}

/// The number of samples in a `.npy` file, N; the header alone is read.
///
/// # Errors
/// As [`Dataset::from_npy`], of the header.
pub fn npy_samples(path: impl AsRef<Path>) -> Result<usize, DataError> {
    let mut source = Source::open_any(path.as_ref(), MAX_BYTES, "NpyOptions")?;
    Ok(read_header(&mut source)?.0.sizes[0])
}

/// The samples in `rows` of a plain file.
fn slice<T: Kept>(
    mut source: Source<'_>,
    (header, header_bytes): (Header, u64),
    rows: &Range<usize>,
) -> Result<Array<T>, DataError> {
    let path = source.path;
    let (samples, inner) = (header.sizes[0], &header.sizes[1..]);
    if rows.end > samples || rows.is_empty() {
        let found = format!("rows {} to {}", rows.start, rows.end);
        return Err(malformed(path, &format!("some of the {samples} rows that are there"), found));
    }
    let width = inner.iter().try_fold(1_usize, |width, &size| width.checked_mul(size));
    let bytes = |rows: usize| width?.checked_mul(rows)?.checked_mul(header.kind.bytes());
    let (Some(width), Some(all), Some(before), Some(length)) =
        (width, bytes(samples), bytes(rows.start), bytes(rows.len()))
    else {
        let found = format!("{:?}", header.sizes);
        return Err(DataError::TooLarge { path: path.to_path_buf(), found });
    };
    if header.fortran_order && width > 1 {
        return Err(malformed(path, "C order, to read some of the rows", "Fortran order".into()));
    }
    let expected = header_bytes.saturating_add(all as u64);
    match source.length {
        Some(found) if found < expected => {
            return Err(DataError::CutShort { path: path.to_path_buf(), expected, found });
        }
        Some(found) if found > expected => {
            return Err(DataError::TrailingBytes { path: path.to_path_buf(), expected });
        }
        Some(_) => {}
        None => {
            return Err(malformed(
                path,
                "a plain file, to read some of the rows",
                "a packed one".into(),
            ));
        }
    }
    let mut file = source.seekable()?;
    let place = SeekFrom::Start(header_bytes.saturating_add(before as u64));
    file.seek(place).map_err(|error| DataError::io(path, &error))?;
    let mut rest = source.member(file.take(length as u64), path, length as u64);
    let values = body::numbers(&mut rest, 0, width * rows.len(), header.kind)?;
    Ok(Array { rows: width, axes: header.sizes.len(), first: rows.start, values })
}

fn assemble(
    mut inputs: Source<'_>,
    mut targets: Source<'_>,
    options: &NpyOptions,
) -> Result<Dataset, DataError> {
    let (inputs_path, targets_path) = (inputs.path, targets.path);
    let (x, y) = (Inputs::parse(&mut inputs, options)?, parse(&mut targets)?);
    assembled((inputs_path, x), (targets_path, y), &mut targets, &options.task)
}

/// The data set of both arrays; what it takes beside them is taken from `room`.
fn assembled(
    (inputs_path, inputs): (&Path, Inputs),
    (targets_path, table): (&Path, Array),
    room: &mut Source<'_>,
    task: &Task,
) -> Result<Dataset, DataError> {
    let features = inputs.check(inputs_path)?;
    table.check(targets_path, if *task == Task::Values { "y" } else { "label" })?;
    let first = table.first;
    let rows = table.rows;
    if *task != Task::Values && rows != 1 {
        return Err(DataError::OneLabelColumn { path: targets_path.to_path_buf(), found: rows });
    }
    let mut class_names = Vec::new();
    let targets = match task {
        Task::Values => Targets::Values { rows, values: table.values },
        Task::Labels { classes } => {
            let bound = classes.unwrap_or(MAX_INFERRED_CLASSES);
            let checked = table.values.iter().enumerate().map(|(sample, &value)| {
                whole(value, bound, || {
                    (place(targets_path, first + sample, "label"), value.to_string())
                })
            });
            number_classes(*classes, checked.collect::<Result<_, _>>()?)
        }
        Task::Names(_) => {
            // Texts and lists of them.
            room.take::<[usize; 8]>(table.values.len())?;
            let texts: Vec<String> = table.values.iter().map(ToString::to_string).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let column = task.labels(&texts, |sample| place(targets_path, sample, "label"))?;
            class_names = column.class_names;
            column.targets
        }
    };
    let data = match inputs {
        Inputs::Double(array) => Dataset::new(features, array.values, targets),
        Inputs::Single(array) => {
            Dataset::from_shared_f32(features, Arc::new(array.values), targets)
        }
    };
    let data = data.map_err(|error| error.in_file(inputs_path))?;
    if class_names.is_empty() { Ok(data) } else { data.with_class_names(class_names) }
}

fn place(path: &Path, sample: usize, column: &str) -> Place {
    Place { file: Some(path.to_path_buf()), row: Row::Sample(sample), column: column.to_owned() }
}

/// An array of numbers, a sample a column.
#[derive(Debug, PartialEq)]
pub(super) struct Array<T = f64> {
    /// Numbers per sample.
    pub(super) rows: usize,
    /// How many axes it has.
    pub(super) axes: usize,
    /// The first sample, where they are some of a file's.
    first: usize,
    /// rows × N, column-major.
    pub(super) values: Vec<T>,
}

/// Inputs, as `f64` or as they are.
enum Inputs {
    Double(Array),
    Single(Array<f32>),
}

impl Inputs {
    fn parse(source: &mut Source<'_>, options: &NpyOptions) -> Result<Self, DataError> {
        let header = read_header(source)?;
        Ok(if options.keep_single && header.0.kind.is_single() {
            Self::Single(numbers(source, header)?)
        } else {
            Self::Double(numbers(source, header)?)
        })
    }

    fn slice(
        mut source: Source<'_>,
        rows: &Range<usize>,
        options: &NpyOptions,
    ) -> Result<Self, DataError> {
        let header = read_header(&mut source)?;
        Ok(if options.keep_single && header.0.kind.is_single() {
            Self::Single(slice(source, header, rows)?)
        } else {
            Self::Double(slice(source, header, rows)?)
        })
    }

    /// Refuses NaN and infinity. Numbers of a sample.
    fn check(&self, path: &Path) -> Result<usize, DataError> {
        match self {
            Self::Double(array) => array.check(path, "x").map(|()| array.rows),
            Self::Single(array) => array.check(path, "x").map(|()| array.rows),
        }
    }
}

impl Array {
    fn slice(mut source: Source<'_>, rows: &Range<usize>) -> Result<Self, DataError> {
        let header = read_header(&mut source)?;
        slice(source, header, rows)
    }
}

impl<T: Kept> Array<T> {
    /// Refuses NaN and infinity.
    fn check(&self, path: &Path, prefix: &str) -> Result<(), DataError> {
        let finite = |&value: &T| value.into().is_finite();
        match self.values.iter().position(|value| !finite(value)) {
            None => Ok(()),
            Some(index) => {
                let column = format!("{prefix}{}", index % self.rows + 1);
                let found = self.values[index].into().to_string();
                let place = place(path, self.first + index / self.rows, &column);
                Err(DataError::NotFinite { place, found })
            }
        }
    }
}

/// One `.npy` file: N × d, or N with d = 1.
pub(super) fn parse(source: &mut Source<'_>) -> Result<Array, DataError> {
    let header = read_header(source)?;
    numbers(source, header)
}

/// What follows a header.
fn numbers<T: Kept>(
    source: &mut Source<'_>,
    (header, header_bytes): (Header, u64),
) -> Result<Array<T>, DataError> {
    let path = source.path.to_path_buf();
    let (samples, inner) = (header.sizes[0], &header.sizes[1..]);
    let too_large =
        || DataError::TooLarge { path: path.clone(), found: format!("{:?}", header.sizes) };
    let rows = inner.iter().try_fold(1_usize, |rows, &size| rows.checked_mul(size));
    let rows = rows.ok_or_else(too_large)?;
    let count = samples.checked_mul(rows).ok_or_else(too_large)?;
    (count as u64).checked_mul(header.kind.bytes() as u64).ok_or_else(too_large)?;
    if count == 0 {
        return Err(DataError::NoData { file: Some(path), what: "samples" });
    }
    let mut values = body::numbers(source, header_bytes, count, header.kind)?;
    // Row-major N × d and column-major d × N are the same order.
    if header.fortran_order && rows > 1 {
        let offsets = offsets_of_a_sample(source, &header.sizes, rows)?;
        values = body::by_samples(&values, &offsets, source)?;
    }
    Ok(Array { rows, axes: header.sizes.len(), first: 0, values })
}

/// Where the entries of the first sample lie in Fortran order, in the order of C: the last axis fastest.
fn offsets_of_a_sample(
    source: &mut Source<'_>,
    sizes: &[usize],
    rows: usize,
) -> Result<Vec<usize>, DataError> {
    let mut offsets: Vec<usize> = source.room(rows)?;
    for entry in 0..rows {
        let mut rest = entry;
        // From the last axis on; its stride is the product of all sizes before it.
        let mut stride = sizes.iter().product::<usize>();
        let mut offset = 0;
        for &size in sizes[1..].iter().rev() {
            stride /= size;
            offset += rest % size * stride;
            rest /= size;
        }
        offsets.push(offset);
    }
    Ok(offsets)
}

/// The dictionary.
struct Header {
    kind: Kind,
    fortran_order: bool,
    /// N, then those of a sample.
    sizes: Vec<usize>,
}

/// The header and the number of bytes before the data.
fn read_header(source: &mut Source<'_>) -> Result<(Header, u64), DataError> {
    let path = source.path;
    let start = source.read_up_to(8)?;
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
    let length = source.read_up_to(length_bytes)?;
    let before = 8 + length_bytes;
    if (length.len() as u64) < length_bytes {
        let found = 8 + length.len() as u64;
        return Err(DataError::CutShort { path: path.to_path_buf(), expected: before, found });
    }
    let length = length.iter().rev().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    if length > MAX_HEADER_BYTES {
        return Err(malformed(path, "at most 10000 bytes", format!("{length} bytes")));
    }
    let dictionary = source.read_up_to(length)?;
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
    let refused = |expected| malformed(path, expected, quoted_bytes(bytes));
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
    let kind = Kind::named(name).ok_or_else(|| DataError::UnsupportedType {
        path: path.to_path_buf(),
        found: quoted_bytes(name.as_bytes()),
        supported: kind::SUPPORTED,
    })?;
    let shape = entry("shape").ok_or_else(|| refused("an entry 'shape'"))?;
    let inner = shape.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let (inner, _) = inner.ok_or_else(|| refused("a shape in brackets"))?;
    let sizes =
        inner.split(',').map(str::trim).filter(|size| !size.is_empty()).map(str::parse::<usize>);
    let sizes =
        sizes.collect::<Result<Vec<_>, _>>().map_err(|_| refused("whole numbers in the shape"))?;
    if sizes.is_empty() {
        return Err(refused("a shape of one size or more"));
    }
    Ok(Header { kind, fortran_order, sizes })
}

fn malformed(path: &Path, expected: &str, found: String) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        at: "header".to_owned(),
        expected: expected.to_owned(),
        found,
        hint: Box::default(),
    }
}
