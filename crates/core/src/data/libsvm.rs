//! LIBSVM text: `label index:value …`, indices ascending from 1, what is not written is 0, `#` begins a comment.

use std::path::Path;

use super::source::{number, quoted, read_all, text};
use super::{DataError, Dataset, Place, Targets, Task};

/// Most features that are inferred from the indices; where there are more, say how many.
pub const MAX_INFERRED_FEATURES: usize = 1 << 20;

/// Most entries d × N of a table whose number of features is inferred (8 GiB): the file holds only what is not 0, so its
/// own size bounds nothing.
pub const MAX_INFERRED_ENTRIES: usize = 1 << 30;

/// How a LIBSVM file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibsvmOptions {
    /// d; `None` takes the largest index. Say it where training and test files may differ in their last columns.
    pub features: Option<usize>,
    /// Numbers or classes. By default the labels of the file in ascending order: −1, +1 become 0, 1.
    pub task: Task,
}

impl Default for LibsvmOptions {
    fn default() -> Self {
        Self { features: None, task: Task::Names(Vec::new()) }
    }
}

impl Dataset {
    /// Reads a LIBSVM file (gzip where the path ends in `.gz`) into a dense table.
    ///
    /// # Errors
    /// A label or value that is no finite number, by line; an index that is no number from 1, not ascending or above
    /// `features`; no lines; labels that the task does not allow.
    pub fn from_libsvm(path: impl AsRef<Path>, options: &LibsvmOptions) -> Result<Self, DataError> {
        let path = path.as_ref();
        parse(&read_all(path)?, path, options)
    }
}

/// A LIBSVM file in memory.
pub(super) fn parse(
    bytes: &[u8],
    path: &Path,
    options: &LibsvmOptions,
) -> Result<Dataset, DataError> {
    let (mut labels, mut lines) = (Vec::new(), Vec::new());
    let (mut entries, mut ends) = (Vec::new(), Vec::new());
    let mut largest = 0;
    for (index, line_bytes) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = index as u64 + 1;
        let content = line_bytes.split(|&byte| byte == b'#').next().unwrap_or_default();
        let mut tokens = text(content, path, line)?.split_ascii_whitespace();
        let Some(label) = tokens.next() else { continue };
        let mut previous = 0;
        for token in tokens {
            let (feature, value) = entry(token, path, line)?;
            let limit = options.features.unwrap_or(MAX_INFERRED_FEATURES);
            if feature <= previous || feature > limit {
                return Err(DataError::Malformed {
                    path: path.to_path_buf(),
                    at: format!("line {line}"),
                    expected: format!("an index from {} to {limit}", previous + 1),
                    found: format!("\"{}\"", quoted(token.as_bytes())),
                });
            }
            previous = feature;
            entries.push((feature - 1, value));
        }
        largest = largest.max(previous);
        labels.push(label);
        lines.push(line);
        ends.push(entries.len());
    }
    if labels.is_empty() {
        return Err(DataError::NoData { file: Some(path.to_path_buf()), what: "samples" });
    }
    let place = |index: usize| Place::line(path, lines[index], "label");
    let (targets, class_names) = if options.task == Task::Values {
        let values = labels.iter().enumerate().map(|(index, label)| number(label, || place(index)));
        (Targets::Values { rows: 1, values: values.collect::<Result<_, _>>()? }, Vec::new())
    } else {
        let column = options.task.labels(&labels, place)?;
        (column.targets, column.class_names)
    };
    let features = options.features.unwrap_or(largest);
    let inputs = dense(features, &entries, &ends, options.features.is_none(), path)?;
    let data = Dataset::new(features, inputs, targets).map_err(|error| error.in_file(path))?;
    if class_names.is_empty() { Ok(data) } else { data.with_class_names(class_names) }
}

/// `index:value`.
fn entry(token: &str, path: &Path, line: u64) -> Result<(usize, f64), DataError> {
    let parts = token.split_once(':').and_then(|(index, value)| Some((index.parse().ok()?, value)));
    let Some((index, value)) = parts else {
        return Err(DataError::Malformed {
            path: path.to_path_buf(),
            at: format!("line {line}"),
            expected: "index:value".to_owned(),
            found: format!("\"{}\"", quoted(token.as_bytes())),
        });
    };
    Ok((index, number(value, || Place::line(path, line, format!("x{index}")))?))
}

/// The table d × N with the entries of sample j standing before `ends[j]`.
fn dense(
    features: usize,
    entries: &[(usize, f64)],
    ends: &[usize],
    inferred: bool,
    path: &Path,
) -> Result<Vec<f64>, DataError> {
    let too_large = || DataError::TooLarge {
        path: path.to_path_buf(),
        found: format!("{features} features × {} samples", ends.len()),
    };
    let size = features.checked_mul(ends.len()).ok_or_else(too_large)?;
    if inferred && size > MAX_INFERRED_ENTRIES {
        return Err(too_large());
    }
    let mut inputs: Vec<f64> = Vec::new();
    inputs.try_reserve_exact(size).map_err(|_| too_large())?;
    inputs.resize(size, 0.0);
    let mut start = 0;
    for (sample, &end) in ends.iter().enumerate() {
        for &(feature, value) in &entries[start..end] {
            inputs[sample * features + feature] = value;
        }
        start = end;
    }
    Ok(inputs)
}
