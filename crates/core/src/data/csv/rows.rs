//! The rows of a CSV file as numbers and labels.

use std::path::Path;

use super::super::source::{Source, not_a_number, text};
use super::super::{DataError, Dataset, MissingValue, Place, Targets, Task};
use super::columns::{Columns, comment_hint, comment_sign};
use super::digits::{behind, number};
use super::numbers::{Numbers, is_missing, is_missing_name};
use super::records::{BLANKS, MAX_RECORD, Record, Records};
use super::{CsvOptions, read_row};
use crate::text::quoted_bytes;

/// Places of missing values that an error lists.
const LISTED_PLACES: usize = 5;

/// What a field of a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Nothing,
    Feature,
    /// The target of this index.
    Target(usize),
    Label,
}

/// How rows are read where they stand.
struct Plain {
    /// The sign before a fraction; none where rows are not read so.
    decimal: Option<u8>,
    /// Of each field of a row.
    uses: Vec<Use>,
}

impl Plain {
    fn of(columns: &Columns, options: &CsvOptions) -> Self {
        let mut uses = vec![Use::Nothing; columns.fields()];
        for &column in &columns.features {
            uses[columns.before + column] = Use::Feature;
        }
        for (target, &column) in columns.targets.iter().enumerate() {
            let values = options.task == Task::Values;
            uses[columns.before + column] = if values { Use::Target(target) } else { Use::Label };
        }
        // A single field may be a blank line.
        let whole = uses.len() > 1 && !options.trailing_delimiter && options.delimiter != BLANKS;
        let plain = whole && !matches!(options.delimiter, b'+' | b'-');
        let decimal = u8::try_from(options.decimal)
            .ok()
            .filter(|sign| plain && sign.is_ascii_graphic() && *sign != options.delimiter);
        Self { decimal, uses }
    }
}

/// The field that begins at `at` without a quote, where the next one begins, or the line ends, and whether it does.
fn plain_field(text: &[u8], at: usize, delimiter: u8) -> Option<(&[u8], usize, bool)> {
    let rest = &text[at..];
    if rest.first() == Some(&b'"') {
        return None;
    }
    let ends = |byte: &u8| *byte == delimiter || matches!(byte, b'\n' | b'\r');
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    let ended = rest.get(length) != Some(&delimiter);
    Some((&rest[..length], at + length + usize::from(!ended), ended))
}

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
    /// Bytes of the text.
    pub(super) bytes: usize,
    plain: Plain,
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
            bytes: 0,
            plain: Plain::of(columns, options),
        }
    }

    /// Whether there is none, nor any that is refused.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds the rows of `text`, whole records from line `line` on.
    pub(super) fn read(&mut self, text: &[u8], line: u64, path: &Path) -> Result<(), DataError> {
        let records = Records::new(text, self.options.delimiter, self.options.comment);
        let (mut records, mut row) = (records.beginning_at(line), Record::default());
        self.bytes += text.len();
        loop {
            while let Some(end) = self.plain_row(text, records.at(), records.line()) {
                records.pass(end);
            }
            if !read_row(&mut records, &mut row, self.options, path)? {
                return Ok(());
            }
            self.push(&row, path)?;
        }
    }

    /// The row that begins at `at`, on line `line`, where all of it is read where it stands: nothing is quoted, missing or refused. Adds it and
    /// gives the place where its line ends.
    fn plain_row(&mut self, text: &[u8], at: usize, line: u64) -> Option<usize> {
        let before = (self.inputs.len(), self.values.len(), self.labels.len());
        let end = self.plain_fields(text, at);
        match end {
            // A longer one is refused.
            Some(end) if end - at <= MAX_RECORD => {
                if self.options.task != Task::Values {
                    self.label_ends.push((self.labels.len(), line));
                }
                self.rows += 1;
                Some(end)
            }
            _ => {
                self.inputs.truncate(before.0);
                self.values.truncate(before.1);
                self.labels.truncate(before.2);
                None
            }
        }
    }

    fn plain_fields(&mut self, text: &[u8], start: usize) -> Option<usize> {
        let decimal = self.plain.decimal?;
        let delimiter = self.options.delimiter;
        if text.get(start).is_none_or(|first| Some(*first) == self.options.comment) {
            return None;
        }
        let first_value = self.values.len();
        if self.options.task == Task::Values {
            self.values.resize(first_value + self.columns.targets.len(), 0.0);
        }
        let (mut at, mut ended) = (start, false);
        for index in 0..self.plain.uses.len() {
            if ended {
                return None;
            }
            let begin = at;
            let used = self.plain.uses[index];
            if let Use::Feature | Use::Target(_) = used {
                while text.get(at) == Some(&b' ') {
                    at += 1;
                }
                let digits = number(&text[at..], decimal).and_then(|(value, length)| {
                    Some((value, behind(text, at + length, delimiter)?))
                });
                let value = if let Some((value, (next, last))) = digits {
                    (at, ended) = (next, last);
                    value
                } else {
                    let field;
                    (field, at, ended) = plain_field(text, begin, delimiter)?;
                    let field = std::str::from_utf8(field).ok()?.trim();
                    self.numbers.read(field).filter(|value| value.is_finite())?
                };
                match used {
                    Use::Target(target) => self.values[first_value + target] = value,
                    _ => self.inputs.push(value),
                }
                continue;
            }
            let field;
            (field, at, ended) = plain_field(text, begin, delimiter)?;
            if used == Use::Label {
                let label = std::str::from_utf8(field).ok()?.trim();
                if self.is_missing_label(label) {
                    return None;
                }
                self.labels.push_str(label);
            }
        }
        ended.then_some(at)
    }

    fn is_missing_label(&self, label: &str) -> bool {
        match &self.options.task {
            Task::Names(names) => is_missing_name(label, names),
            _ => is_missing_name(label, &[]),
        }
    }

    /// Adds the rows that follow, which with those before are of `read` bytes of the file.
    pub(super) fn append(
        &mut self,
        later: Self,
        read: usize,
        source: &mut Source<'_>,
    ) -> Result<(), DataError> {
        let labels = self.labels.len();
        // The labels themselves, and the slices of them with what they become.
        source.take::<u8>(2 * later.labels.len())?;
        source.take::<[usize; 6]>(later.label_ends.len())?;
        source.grow(&mut self.inputs, later.inputs.len(), read)?;
        source.grow(&mut self.values, later.values.len(), read)?;
        self.rows += later.rows;
        self.inputs.extend_from_slice(&later.inputs);
        self.values.extend_from_slice(&later.values);
        self.labels.push_str(&later.labels);
        self.label_ends.extend(later.label_ends.iter().map(|&(end, line)| (labels + end, line)));
        self.missing += later.missing;
        let listed = LISTED_PLACES - self.first_missing.len();
        self.first_missing.extend(later.first_missing.into_iter().take(listed));
        Ok(())
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
            if self.is_missing_label(label) {
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
        // Another place would be as large again for a while.
        if self.inputs.capacity() > self.inputs.len() + self.inputs.len() / 8 {
            self.inputs.shrink_to_fit();
        }
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
