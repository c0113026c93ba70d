//! LIBSVM text: `label index:value …`, what is not written is 0, `#` begins a comment.

use std::path::Path;

use super::source::{MAX_BYTES, Source, number, text};
use super::{DataError, Dataset, Place, SparseInputs, Targets, Task};
use crate::text::quoted_bytes;

/// Most features that are inferred from the indices; where there are more, say how many.
pub const MAX_INFERRED_FEATURES: usize = 1 << 20;

/// How a LIBSVM file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibsvmOptions {
    /// d; `None` takes the largest index. Say it where training and test files may differ in their last columns.
    pub features: Option<usize>,
    /// Numbers or classes. By default the labels of the file in ascending order: −1, +1 become 0, 1. Labels that look like measurements
    /// (a fraction, or more different numbers than half of the lines) are then refused rather than counted: say which they are.
    pub task: Task,
    /// Index of the first feature: 1 as in the format's definition, or 0 as some writers have it.
    pub first_index: usize,
    /// Whether the inputs stay as sparse as the file has them ([`SparseInputs`]), or become a table with every zero that the file leaves out.
    pub sparse: bool,
    /// Memory at most, for the unpacked file and the inputs together.
    pub max_bytes: u64,
}

impl Default for LibsvmOptions {
    fn default() -> Self {
        let task = Task::Names(Vec::new());
        Self { features: None, task, first_index: 1, sparse: false, max_bytes: MAX_BYTES }
    }
}

impl Dataset {
    /// Reads a LIBSVM file, plain or gzipped, into a dense table or, with [`LibsvmOptions::sparse`], into sparse inputs. The indices of a line
    /// may come in any order.
    ///
    /// # Errors
    /// A label or value that is no finite number, by line; an index that comes twice, lies before the first or above `features`; several
    /// labels for a sample; query ids; no lines; labels that the task does not allow; more memory than the limit.
    pub fn from_libsvm(path: impl AsRef<Path>, options: &LibsvmOptions) -> Result<Self, DataError> {
        parse(Source::open(path.as_ref(), options.max_bytes, "LibsvmOptions")?, options)
    }

    /// The same of the bytes of such a file.
    ///
    /// # Errors
    /// As [`Dataset::from_libsvm`].
    pub fn from_libsvm_bytes(bytes: &[u8], options: &LibsvmOptions) -> Result<Self, DataError> {
        parse(Source::of(bytes, options.max_bytes, "LibsvmOptions")?, options)
    }
}

/// The lines so far.
struct Rows<'a> {
    labels: Vec<&'a str>,
    lines: Vec<u64>,
    /// Feature from 0, and value.
    entries: Vec<(usize, f64)>,
    /// Where the entries of each line end.
    ends: Vec<usize>,
}

fn parse(mut source: Source<'_>, options: &LibsvmOptions) -> Result<Dataset, DataError> {
    let path = source.path;
    let bytes = source.read_all()?;
    let rows = read_rows(&bytes, &mut source, options)?;
    if rows.labels.is_empty() {
        return Err(DataError::NoData { file: Some(path.to_path_buf()), what: "samples" });
    }
    let place = |index: usize| Place::line(path, rows.lines[index], "label");
    // Texts and numbers of the labels.
    source.take::<[usize; 6]>(rows.labels.len())?;
    source.take::<u8>(bytes.len())?;
    let (targets, class_names) = if options.task == Task::Values {
        let labels = rows.labels.iter().enumerate();
        let values = labels.map(|(index, label)| number(label, || place(index)));
        (Targets::Values { rows: 1, values: values.collect::<Result<_, _>>()? }, Vec::new())
    } else {
        if matches!(&options.task, Task::Names(names) if names.is_empty()) {
            refuse_measurements(&rows.labels, place)?;
        }
        let column = options.task.labels(&rows.labels, place)?;
        (column.targets, column.class_names)
    };
    let largest = rows.entries.iter().map(|(feature, _)| feature + 1).max().unwrap_or(0);
    let features = options.features.unwrap_or(largest);
    let data = if options.sparse {
        let inputs = sparse(features, &rows, &mut source).map_err(|error| error.in_file(path))?;
        Dataset::from_sparse(inputs, targets)
    } else {
        Dataset::new(features, dense(features, &rows, &mut source)?, targets)
    };
    let data = data.map_err(|error| error.in_file(path))?;
    if class_names.is_empty() { Ok(data) } else { data.with_class_names(class_names) }
}

/// Columns, cells and lines of a table: the label first, then the features.
pub(super) fn numbers(
    bytes: &[u8],
    source: &mut Source<'_>,
    options: &LibsvmOptions,
) -> Result<(usize, Vec<f64>, Vec<u32>), DataError> {
    let rows = read_rows(bytes, source, options)?;
    if rows.labels.is_empty() {
        return Err(DataError::NoData { file: Some(source.path.to_path_buf()), what: "samples" });
    }
    let width = 1 + rows.entries.iter().map(|(feature, _)| feature + 1).max().unwrap_or(0);
    let mut cells = zeros(width, rows.ends.len(), source)?;
    let mut start = 0;
    for (sample, row) in cells.chunks_exact_mut(width).enumerate() {
        let place = || Place::line(source.path, rows.lines[sample], "target");
        row[0] = number(rows.labels[sample], place)?;
        let end = rows.ends[sample];
        for &(feature, value) in &rows.entries[start..end] {
            row[1 + feature] = value;
        }
        start = end;
    }
    let lines = rows.lines.iter().map(|&line| u32::try_from(line).unwrap_or(u32::MAX)).collect();
    Ok((width, cells, lines))
}

fn read_rows<'a>(
    bytes: &'a [u8],
    source: &mut Source<'_>,
    options: &LibsvmOptions,
) -> Result<Rows<'a>, DataError> {
    let path = source.path;
    let count = |sign: u8| bytes.split(move |&byte| byte == sign).count();
    let line_count = count(b'\n');
    let mut rows = Rows {
        labels: source.room(line_count)?,
        lines: source.room(line_count)?,
        entries: source.room(count(b':') - 1)?,
        ends: source.room(line_count)?,
    };
    for (index, line_bytes) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = index as u64 + 1;
        let content = line_bytes.split(|&byte| byte == b'#').next().unwrap_or_default();
        let mut tokens = text(content, path, line)?.split_ascii_whitespace();
        let Some(label) = tokens.next() else { continue };
        check_label(label, path, line)?;
        let start = rows.entries.len();
        for token in tokens {
            rows.entries.push(entry(token, options, path, line)?);
        }
        let entries = &mut rows.entries[start..];
        if !entries.is_sorted_by_key(|(feature, _)| *feature) {
            entries.sort_by_key(|(feature, _)| *feature);
        }
        if let Some(pair) = entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let index = pair[0].0 + options.first_index;
            let found = format!("{index} twice");
            return Err(malformed(path, line, "each index once", found, ""));
        }
        rows.labels.push(label);
        rows.lines.push(line);
        rows.ends.push(rows.entries.len());
    }
    Ok(rows)
}

fn malformed(path: &Path, line: u64, expected: &str, found: String, hint: &str) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        at: format!("line {line}"),
        expected: expected.to_owned(),
        found,
        hint: hint.into(),
    }
}

/// A token between quotes.
fn shown(token: &str) -> String {
    format!("\"{}\"", quoted_bytes(token.as_bytes()))
}

/// Refuses several labels, and none.
fn check_label(label: &str, path: &Path, line: u64) -> Result<(), DataError> {
    if label.contains(',') {
        let hint = ": several labels for one sample (multi-label data) are not read";
        return Err(malformed(path, line, "one label", shown(label), hint));
    }
    if label.contains(':') {
        return Err(malformed(path, line, "a label before the first entry", shown(label), ""));
    }
    Ok(())
}

/// `index:value`.
fn entry(
    token: &str,
    options: &LibsvmOptions,
    path: &Path,
    line: u64,
) -> Result<(usize, f64), DataError> {
    if token.starts_with("qid:") {
        let hint = ": query ids (`qid:`, ranking data) are not read";
        return Err(malformed(path, line, "index:value", shown(token), hint));
    }
    let parts = token.split_once(':').and_then(|(index, value)| Some((index.parse().ok()?, value)));
    let Some((index, value)): Option<(usize, &str)> = parts else {
        return Err(malformed(path, line, "index:value", shown(token), ""));
    };
    let first = options.first_index;
    let limit = options.features.unwrap_or(MAX_INFERRED_FEATURES);
    let feature = index.checked_sub(first).filter(|&feature| feature < limit);
    let Some(feature) = feature else {
        let expected = format!(
            "an index from {first} to {}",
            first.saturating_add(limit - usize::from(limit > 0))
        );
        let hint = match (index, first) {
            (0, 1) => ": do the indices count from 0? `LibsvmOptions { first_index: 0, .. }`",
            _ => "",
        };
        return Err(malformed(path, line, &expected, shown(token), hint));
    };
    Ok((feature, number(value, || Place::line(path, line, format!("x{index}")))?))
}

/// Refuses labels that nobody named as classes and that look like measurements: a fraction, or more different numbers than half of the
/// lines.
fn refuse_measurements(labels: &[&str], place: impl Fn(usize) -> Place) -> Result<(), DataError> {
    /// Two classes are nothing strange, however few lines there are.
    const ALWAYS_CLASSES: usize = 2;
    let numbers: Option<Vec<f64>> = labels.iter().map(|label| label.parse().ok()).collect();
    let Some(mut numbers) = numbers else { return Ok(()) };
    let refused = |index: usize| {
        Err(DataError::RealLabels {
            place: place(index),
            found: quoted_bytes(labels[index].as_bytes()),
        })
    };
    if let Some(index) = numbers.iter().position(|number| number.fract() != 0.0) {
        return refused(index);
    }
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    if numbers.len() > ALWAYS_CLASSES.max(labels.len() / 2) { refused(0) } else { Ok(()) }
}

/// The table d × N.
fn dense(features: usize, rows: &Rows<'_>, source: &mut Source<'_>) -> Result<Vec<f64>, DataError> {
    let mut inputs = zeros(features, rows.ends.len(), source)?;
    let mut start = 0;
    for (sample, &end) in rows.ends.iter().enumerate() {
        for &(feature, value) in &rows.entries[start..end] {
            inputs[sample * features + feature] = value;
        }
        start = end;
    }
    Ok(inputs)
}

/// The entries as they stand.
fn sparse(
    features: usize,
    rows: &Rows<'_>,
    source: &mut Source<'_>,
) -> Result<SparseInputs, DataError> {
    let filled = rows.entries.len();
    let mut offsets = source.room(rows.ends.len() + 1)?;
    let (mut indices, mut values) = (source.room(filled)?, source.room(filled)?);
    offsets.push(0);
    offsets.extend_from_slice(&rows.ends);
    for (entry, (feature, value)) in rows.entries.iter().enumerate() {
        let index = u32::try_from(*feature).map_err(|_| {
            let line = rows.lines[rows.ends.partition_point(|end| *end <= entry)];
            malformed(source.path, line, "an index below 2³²", feature.to_string(), "")
        })?;
        indices.push(index);
        values.push(*value);
    }
    SparseInputs::new(features, offsets, indices, values)
}

fn zeros(features: usize, samples: usize, source: &mut Source<'_>) -> Result<Vec<f64>, DataError> {
    let size = features.checked_mul(samples).ok_or_else(|| DataError::TooLarge {
        path: source.path.to_path_buf(),
        found: format!("{features} features × {samples} samples"),
    })?;
    source.zeros(size)
}
