//! CSV with a header line: one sample a line, every column a feature but the targets.

use std::path::Path;

use ::csv::{ByteRecord, ReaderBuilder};

use super::source::{number, quoted, read_all, text};
use super::{DataError, Dataset, Place, Targets, Task};

/// How a CSV file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// The target columns by name, in this order. Classes have one.
    pub targets: Vec<String>,
    /// Columns that are neither features nor targets.
    pub ignored: Vec<String>,
    /// Numbers or classes.
    pub task: Task,
    /// Between two fields; a comma by default.
    pub delimiter: u8,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            targets: vec!["target".to_owned()],
            ignored: Vec::new(),
            task: Task::Values,
            delimiter: b',',
        }
    }
}

impl Dataset {
    /// Reads a CSV file (gzip where the path ends in `.gz`) with the numeric target column `target`; every other column
    /// is a feature.
    ///
    /// A byte order mark, CRLF line ends, quotes, white space around fields and blank lines are accepted.
    ///
    /// ```
    /// use secant_core::data::Dataset;
    /// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    /// let data = Dataset::from_csv(format!("{root}data/concrete.csv"), "target")?;
    /// assert_eq!((data.features(), data.samples()), (8, 1030));
    /// assert_eq!(data.feature_names()[0], "cement");
    /// # Ok::<(), secant_core::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// A field that is no finite number, by line and column; ragged rows; no rows; a header with an empty name or one
    /// name twice; no such target.
    pub fn from_csv(path: impl AsRef<Path>, target: &str) -> Result<Self, DataError> {
        let targets = vec![target.to_owned()];
        Self::from_csv_with(path, &CsvOptions { targets, ..CsvOptions::default() })
    }

    /// Reads a CSV file whose column `target` holds class labels 0, 1, ….
    ///
    /// # Errors
    /// As [`Dataset::from_csv`]; a label that is no whole number from 0.
    pub fn from_csv_labels(path: impl AsRef<Path>, target: &str) -> Result<Self, DataError> {
        let (targets, task) = (vec![target.to_owned()], Task::Labels { classes: None });
        Self::from_csv_with(path, &CsvOptions { targets, task, ..CsvOptions::default() })
    }

    /// Reads a CSV file as `options` say.
    ///
    /// # Errors
    /// As [`Dataset::from_csv`]; labels that the task does not allow.
    pub fn from_csv_with(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Self, DataError> {
        let path = path.as_ref();
        parse(&read_all(path)?, path, options)
    }
}

/// A CSV file in memory.
pub(super) fn parse(bytes: &[u8], path: &Path, options: &CsvOptions) -> Result<Dataset, DataError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(options.delimiter)
        .from_reader(bytes);
    let mut lines = LineCounter::new(bytes);
    let mut record = ByteRecord::new();
    let mut columns: Option<Columns> = None;
    let (mut inputs, mut values) = (Vec::new(), Vec::new());
    let (mut label_texts, mut label_lines) = (Vec::new(), Vec::new());
    loop {
        let start = reader.position().byte();
        if !reader
            .read_byte_record(&mut record)
            .map_err(|error| unreadable(&error, path, &lines))?
        {
            break;
        }
        let line = lines.at_record(start);
        if record.iter().all(|field| field.trim_ascii().is_empty()) && record.len() <= 1 {
            continue;
        }
        let Some(columns) = &columns else {
            columns = Some(Columns::new(&record, path, line, options)?);
            continue;
        };
        if record.len() != columns.names.len() {
            return Err(DataError::Ragged {
                path: path.to_path_buf(),
                line,
                expected: columns.names.len(),
                found: record.len(),
            });
        }
        let value = |column: usize| {
            let field = text(&record[column], path, line)?;
            number(field, || Place::line(path, line, columns.names[column].as_str()))
        };
        for &column in &columns.features {
            inputs.push(value(column)?);
        }
        if options.task == Task::Values {
            for &column in &columns.targets {
                values.push(value(column)?);
            }
        } else {
            label_texts.push(text(&record[columns.targets[0]], path, line)?.to_owned());
            label_lines.push(line);
        }
    }
    let no_data = |what| DataError::NoData { file: Some(path.to_path_buf()), what };
    let columns = columns.ok_or_else(|| no_data("header"))?;
    if inputs.is_empty() {
        return Err(no_data("samples"));
    }
    let names = |picked: &[usize]| {
        picked.iter().map(|&column| columns.names[column].clone()).collect::<Vec<_>>()
    };
    let (feature_names, target_names) = (names(&columns.features), names(&columns.targets));
    let (targets, class_names) = if options.task == Task::Values {
        let rows = target_names.len();
        (Targets::Values { rows, values }, Vec::new())
    } else {
        let texts: Vec<&str> = label_texts.iter().map(String::as_str).collect();
        let place = |index: usize| Place::line(path, label_lines[index], target_names[0].as_str());
        let column = options.task.labels(&texts, place)?;
        (column.targets, column.class_names)
    };
    let data = Dataset::named(feature_names.len(), inputs, targets, feature_names, target_names)
        .map_err(|error| error.in_file(path))?;
    if class_names.is_empty() { Ok(data) } else { data.with_class_names(class_names) }
}

/// The header, and what each of its columns is for.
struct Columns {
    names: Vec<String>,
    features: Vec<usize>,
    targets: Vec<usize>,
}

impl Columns {
    fn new(
        header: &ByteRecord,
        path: &Path,
        line: u64,
        options: &CsvOptions,
    ) -> Result<Self, DataError> {
        let mut names: Vec<String> = Vec::with_capacity(header.len());
        for (index, field) in header.iter().enumerate() {
            let name = text(field, path, line)?;
            if name.is_empty() {
                return Err(DataError::EmptyColumnName {
                    path: path.to_path_buf(),
                    column: index + 1,
                });
            }
            names.push(name.to_owned());
        }
        refuse_duplicates(&names, path)?;
        let mut features: Vec<usize> = (0..names.len()).collect();
        // Takes a column out of the features: a target asked for twice is missing the second time.
        let mut take =
            |name: &String| match features.iter().position(|&column| names[column] == *name) {
                Some(at) => Ok(features.remove(at)),
                None => Err(DataError::MissingColumn {
                    path: path.to_path_buf(),
                    name: name.clone(),
                    existing: features.iter().map(|&column| names[column].clone()).collect(),
                }),
            };
        let targets = options.targets.iter().map(&mut take).collect::<Result<Vec<_>, _>>()?;
        options.ignored.iter().map(&mut take).collect::<Result<Vec<_>, _>>()?;
        if options.task != Task::Values && targets.len() != 1 {
            return Err(DataError::OneLabelColumn {
                path: path.to_path_buf(),
                found: targets.len(),
            });
        }
        let missing = |what| DataError::NoData { file: Some(path.to_path_buf()), what };
        if targets.is_empty() {
            return Err(missing("target columns"));
        }
        if features.is_empty() {
            return Err(missing("features"));
        }
        Ok(Self { names, features, targets })
    }
}

fn refuse_duplicates(names: &[String], path: &Path) -> Result<(), DataError> {
    let mut seen = std::collections::HashMap::with_capacity(names.len());
    for (second, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name, second) {
            return Err(DataError::DuplicateColumn {
                path: path.to_path_buf(),
                name: quoted(name.as_bytes()),
                first: first + 1,
                second: second + 1,
            });
        }
    }
    Ok(())
}

/// An error of the csv crate; with fields of any number and bytes from memory there should be none.
fn unreadable(error: &::csv::Error, path: &Path, lines: &LineCounter<'_>) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        at: format!("after line {}", lines.line),
        expected: "a CSV record".to_owned(),
        found: error.to_string(),
    }
}

/// Counts lines from 1. The csv crate's own count is that of the byte where it begins to look for a record: one short
/// after CRLF, and more after blank lines.
struct LineCounter<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line on which the record stands that is found from byte `start` on.
    fn at_record(&mut self, start: u64) -> u64 {
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(self.bytes.len());
        while let Some(&byte) = self.bytes.get(self.at) {
            if self.at >= start && byte != b'\n' && byte != b'\r' {
                break;
            }
            let lone_return = byte == b'\r' && self.bytes.get(self.at + 1) != Some(&b'\n');
            self.line += u64::from(byte == b'\n' || lone_return);
            self.at += 1;
        }
        self.line
    }
}
