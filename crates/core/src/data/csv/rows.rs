//! The rows of a CSV file as numbers and labels.

use std::path::Path;

use super::super::source::{Source, not_a_number, text};
use super::super::{DataError, Dataset, MissingValue, Place, Targets, Task};
use super::CsvOptions;
use super::columns::{Columns, comment_hint, comment_sign};
use super::numbers::{Numbers, is_missing, is_missing_name};
use super::records::Record;
use crate::text::quoted_bytes;

/// Places of missing values that an error lists.
const LISTED_PLACES: usize = 5;

/// The numbers and labels of the rows so far.
#[expect(clippy::struct_field_names, reason = "how many there are")]
pub(super) struct Rows<'a> {
    columns: &'a Columns,
    options: &'a CsvOptions,
    numbers: Numbers,
    rows: usize,
    inputs: Vec<f64>,
    values: Vec<f64>,
    labels: String,
    /// Where each label ends, and the line that it stands on.
    label_ends: Vec<(usize, u64)>,
    missing: usize,
    first_missing: Vec<MissingValue>,
    /// Whether no row stands before these.
    first: bool,
}

impl<'a> Rows<'a> {
    /// With room for all rows that `content` can have.
    pub(super) fn new(
        columns: &'a Columns,
        content: &[u8],
        source: &mut Source<'_>,
        options: &'a CsvOptions,
    ) -> Result<Self, DataError> {
        // A row of k fields takes k bytes or more, the line end with them; the last one may have none.
        let by_length = content.len() / columns.fields().max(1) + 1;
        let line_ends = content.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
        let rows = by_length.min(line_ends + 1);
        let inputs = source.room(rows.saturating_mul(columns.features.len()))?;
        let classes = options.task != Task::Values;
        let values =
            source.room(if classes { 0 } else { rows.saturating_mul(columns.targets.len()) })?;
        if classes {
            // The labels themselves, and the slices of them with what they become.
            source.take::<u8>(2 * content.len())?;
            source.take::<[usize; 6]>(rows)?;
        }
        Ok(Self { inputs, values, ..Self::part(columns, options, true) })
    }

    /// None yet; `first` says whether they are the first of the file.
    pub(super) fn part(columns: &'a Columns, options: &'a CsvOptions, first: bool) -> Self {
        Self {
            columns,
            options,
            numbers: Numbers::new(options.decimal, options.thousands),
            rows: 0,
            inputs: Vec::new(),
            values: Vec::new(),
            labels: String::new(),
            label_ends: Vec::new(),
            missing: 0,
            first_missing: Vec::new(),
            first,
        }
    }

    /// Adds the rows that follow.
    pub(super) fn append(&mut self, later: Self) {
        let labels = self.labels.len();
        self.rows += later.rows;
        self.inputs.extend_from_slice(&later.inputs);
        self.values.extend_from_slice(&later.values);
        self.labels.push_str(&later.labels);
        self.label_ends.extend(later.label_ends.iter().map(|&(end, line)| (labels + end, line)));
        self.missing += later.missing;
        let listed = LISTED_PLACES - self.first_missing.len();
        self.first_missing.extend(later.first_missing.into_iter().take(listed));
    }

    pub(super) fn push(&mut self, row: &Record, path: &Path) -> Result<(), DataError> {
        let columns = self.columns;
        if row.len() != columns.fields() {
            return Err(self.ragged(row, path));
        }
        let before = self.missing;
        for &column in &columns.features {
            let value = self.number(row, column, path)?;
            self.inputs.push(value);
        }
        if self.options.task == Task::Values {
            for &column in &columns.targets {
                let value = self.number(row, column, path)?;
                self.values.push(value);
            }
        } else {
            let column = columns.targets[0];
            let label = text(row.field(columns.before + column), path, row.line)?;
            let missing = match &self.options.task {
                Task::Names(names) => is_missing_name(label, names),
                _ => is_missing_name(label, &[]),
            };
            if missing {
                self.note_missing(row.line, column, label);
            }
            self.labels.push_str(label);
            self.label_ends.push((self.labels.len(), row.line));
        }
        if self.missing > before && self.options.drop_missing {
            self.inputs.truncate(self.rows * columns.features.len());
            self.values.truncate(self.rows * columns.targets.len());
            self.label_ends.truncate(self.rows);
            self.labels.truncate(self.label_ends.last().map_or(0, |&(end, _)| end));
        } else {
            self.rows += 1;
        }
        Ok(())
    }

    /// The number in `column`; 0 where it is missing, which is noted.
    fn number(&mut self, row: &Record, column: usize, path: &Path) -> Result<f64, DataError> {
        let field = row.field(self.columns.before + column);
        // Most are plain, and need no look at their encoding.
        if let Some(value) = self.numbers.read_plain(field) {
            return Ok(value);
        }
        let field = text(field, path, row.line)?;
        let place = || Place::line(path, row.line, self.columns.names[column].as_str());
        match self.numbers.read(field) {
            Some(value) if value.is_finite() => Ok(value),
            _ if is_missing(field) => {
                self.note_missing(row.line, column, field);
                Ok(0.0)
            }
            Some(_) => {
                Err(DataError::NotFinite { place: place(), found: quoted_bytes(field.as_bytes()) })
            }
            None => {
                Err(not_a_number(field, place()).hinted(|| self.field_hint(row, column, field)))
            }
        }
    }

    fn note_missing(&mut self, line: u64, column: usize, found: &str) {
        self.missing += 1;
        if self.first_missing.len() < LISTED_PLACES {
            let (column, found) = (self.columns.names[column].clone(), found.to_owned());
            self.first_missing.push(MissingValue { line, column, found });
        }
    }

    /// What may help with a field that is no number.
    fn field_hint(&self, row: &Record, column: usize, field: &str) -> String {
        if let Some(sign) = comment_sign(row.field(0)) {
            return comment_hint(sign);
        }
        let hint = self.numbers.hint(field);
        if !hint.is_empty() || !field.starts_with(char::is_alphabetic) {
            return hint;
        }
        if self.columns.targets.contains(&column) {
            return ": are these classes? `Dataset::from_csv_labels`, or `CsvOptions { task: Task::Names(vec![]), .. }`".to_owned();
        }
        let name = quoted_bytes(self.columns.names[column].as_bytes());
        format!(
            ": a column of texts? `CsvOptions {{ ignored: vec![{name:?}.into()], .. }}` leaves it out"
        )
    }

    fn ragged(&self, row: &Record, path: &Path) -> DataError {
        let (expected, found) = (self.columns.fields(), row.len());
        let hint = Box::default();
        let error =
            DataError::Ragged { path: path.to_path_buf(), line: row.line, expected, found, hint };
        error.hinted(|| {
            if let Some(sign) = comment_sign(row.field(0)) {
                return comment_hint(sign);
            }
            if found != expected + 1 {
                return String::new();
            }
            if row.field(found - 1).trim_ascii().is_empty() {
                return ": a delimiter at the end of each line? `CsvOptions { trailing_delimiter: true, .. }` allows it".to_owned();
            }
            if self.first && self.rows == 0 && self.options.header {
                return ": an index without a name? `CsvOptions { index_column: true, .. }` leaves it out".to_owned();
            }
            String::new()
        })
    }

    pub(super) fn finish(mut self, path: &Path) -> Result<Dataset, DataError> {
        if self.missing > 0 && !self.options.drop_missing {
            return Err(DataError::Missing {
                path: path.to_path_buf(),
                count: self.missing,
                first: self.first_missing,
                hint: ": `CsvOptions { drop_missing: true, .. }` leaves out the rows".into(),
            });
        }
        if self.inputs.is_empty() {
            return Err(DataError::NoData { file: Some(path.to_path_buf()), what: "samples" });
        }
        let columns = self.columns;
        let names = |picked: &[usize]| {
            picked.iter().map(|&column| columns.names[column].clone()).collect::<Vec<_>>()
        };
        let (feature_names, target_names) = (names(&columns.features), names(&columns.targets));
        self.inputs.shrink_to_fit();
        let (targets, class_names) = if self.options.task == Task::Values {
            self.values.shrink_to_fit();
            (Targets::Values { rows: target_names.len(), values: self.values }, Vec::new())
        } else {
            let starts = std::iter::once(0).chain(self.label_ends.iter().map(|&(end, _)| end));
            let ranges = starts.zip(&self.label_ends);
            let texts: Vec<&str> =
                ranges.map(|(start, &(end, _))| &self.labels[start..end]).collect();
            let place = |index: usize| {
                Place::line(path, self.label_ends[index].1, target_names[0].as_str())
            };
            let column = self.options.task.labels(&texts, place)?;
            (column.targets, column.class_names)
        };
        let data =
            Dataset::named(feature_names.len(), self.inputs, targets, feature_names, target_names)
                .map_err(|error| error.in_file(path))?;
        if class_names.is_empty() { Ok(data) } else { data.with_class_names(class_names) }
    }
}
