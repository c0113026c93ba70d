//! CSV: one sample a line, every column a feature but the targets.

use std::path::Path;

use self::columns::{Columns, comment_hint, comment_sign};
use self::numbers::{Numbers, is_missing, is_missing_name};
use self::records::{MAX_RECORD, Record, Records, TooLong};
use super::source::{MAX_BYTES, Source, not_a_number, text};
use super::{DataError, Dataset, MissingValue, Place, Targets, Task};
use crate::text::quoted_bytes;

pub(super) mod columns;
pub(super) mod digits;
pub(super) mod numbers;
pub(super) mod records;

/// Places of missing values that an error lists.
const LISTED_PLACES: usize = 5;

/// How a CSV file is read.
///
/// ```
/// use secant_core::data::{CsvOptions, Dataset};
///
/// // As a spreadsheet of a country with decimal commas writes it.
/// let text = "Größe;Preis\n1,5;1.200,50\n2,25;1.350,00\n";
/// let options = CsvOptions {
///     targets: vec!["Preis".into()],
///     delimiter: b';',
///     decimal: ',',
///     thousands: Some('.'),
///     ..CsvOptions::default()
/// };
/// let data = Dataset::from_csv_bytes(text.as_bytes(), &options)?;
/// assert_eq!(data.inputs(), [1.5, 2.25]);
/// assert_eq!(data.targets().values(), Some(&[1200.5, 1350.0][..]));
/// # Ok::<(), secant_core::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "properties of a file that have nothing to do with each other"
)]
pub struct CsvOptions {
    /// The target columns by name, in this order. Classes have one.
    pub targets: Vec<String>,
    /// Columns that are neither features nor targets.
    pub ignored: Vec<String>,
    /// Numbers or classes.
    pub task: Task,
    /// Between two fields; a comma by default. A space stands for any run of spaces and tabs.
    pub delimiter: u8,
    /// Whether the first line names the columns. Without, they are `column1`, `column2`, …
    pub header: bool,
    /// Lines that begin with this byte are left out. Default: none are.
    pub comment: Option<u8>,
    /// Whether the first column counts or names the rows, and is left out. Its name may be empty, or absent as R writes it.
    pub index_column: bool,
    /// Whether each line ends with a delimiter.
    pub trailing_delimiter: bool,
    /// Before the fraction of a number.
    pub decimal: char,
    /// Between groups of three digits; groups of another length are refused.
    pub thousands: Option<char>,
    /// Whether rows with a missing value (empty, `NA`, `NaN`, `?`, `null`, …) are left out. Default: they are an error that lists them.
    pub drop_missing: bool,
    /// Memory at most, for the unpacked file and the table together.
    pub max_bytes: u64,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            targets: vec!["target".to_owned()],
            ignored: Vec::new(),
            task: Task::Values,
            delimiter: b',',
            header: true,
            comment: None,
            index_column: false,
            trailing_delimiter: false,
            decimal: '.',
            thousands: None,
            drop_missing: false,
            max_bytes: MAX_BYTES,
        }
    }
}

impl Dataset {
    /// Reads a CSV file, plain or gzipped, with the numeric target column `target`; every other column is a feature.
    ///
    /// A byte order mark, any line ends, quotes, white space around fields and blank lines are accepted; for the rest there are
    /// [`CsvOptions`].
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
    /// A field that is no finite number, by line and column; missing values, with their count and first places; ragged rows; no rows; a
    /// header with an empty name or one name twice; no such target; more memory than the limit. Where an option would help, it is named.
    pub fn from_csv(path: impl AsRef<Path>, target: &str) -> Result<Self, DataError> {
        let targets = vec![target.to_owned()];
        Self::from_csv_with(path, &CsvOptions { targets, ..CsvOptions::default() })
    }

    /// Reads a CSV file whose column `target` holds class labels 0, 1, …, or names of classes.
    ///
    /// # Errors
    /// As [`Dataset::from_csv`]; a label that is no whole number from 0 where others are numbers.
    pub fn from_csv_labels(path: impl AsRef<Path>, target: &str) -> Result<Self, DataError> {
        let (targets, task) = (vec![target.to_owned()], Task::Labels { classes: None });
        Self::from_csv_with(path, &CsvOptions { targets, task, ..CsvOptions::default() })
    }

    /// Reads a CSV file as `options` say.
    ///
    /// # Errors
    /// As [`Dataset::from_csv`]; labels that the task does not allow; signs that the options use for two things.
    pub fn from_csv_with(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Self, DataError> {
        parse(Source::open(path.as_ref(), options.max_bytes, "CsvOptions")?, options)
    }

    /// The same of the bytes of such a file.
    ///
    /// # Errors
    /// As [`Dataset::from_csv_with`].
    pub fn from_csv_bytes(bytes: &[u8], options: &CsvOptions) -> Result<Self, DataError> {
        parse(Source::of(bytes, options.max_bytes, "CsvOptions")?, options)
    }
}

fn parse(mut source: Source<'_>, options: &CsvOptions) -> Result<Dataset, DataError> {
    check_signs(
        Some(options.delimiter),
        options.decimal,
        options.thousands,
        ["CsvOptions::delimiter", "CsvOptions::decimal", "CsvOptions::thousands"],
    )?;
    let path = source.path;
    let bytes = source.read_all()?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let (path, found) = (path.to_path_buf(), "a byte order mark of UTF-16".to_owned());
        return Err(DataError::WrongMagic { path, expected: "UTF-8 text", found });
    }
    let content = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let mut records = Records::new(content, options.delimiter, options.comment);
    let no_data = |what| DataError::NoData { file: Some(path.to_path_buf()), what };
    let (mut header, mut row) = (Record::default(), Record::default());
    if options.header && !records.read(&mut header).map_err(|long| too_long(&long, path))? {
        return Err(no_data("header"));
    }
    let any = read_row(&mut records, &mut row, options, path)?;
    if !(any || options.header) {
        return Err(no_data("samples"));
    }
    let columns = if options.header {
        let first_row = any.then(|| row.len());
        Columns::of_header(&header, first_row, &mut source, options)?
    } else {
        Columns::numbered(row.len(), &mut source, options)?
    };
    let mut table = Table::new(&columns, content, &mut source, options)?;
    let mut there = any;
    while there {
        table.push(&row, path)?;
        there = read_row(&mut records, &mut row, options, path)?;
    }
    table.finish(path)
}

/// The next row, without the empty field behind a trailing delimiter.
fn read_row(
    records: &mut Records<'_>,
    row: &mut Record,
    options: &CsvOptions,
    path: &Path,
) -> Result<bool, DataError> {
    let there = records.read(row).map_err(|long| too_long(&long, path))?;
    if there && options.trailing_delimiter && row.ends_empty() {
        row.pop();
    }
    Ok(there)
}

fn too_long(long: &TooLong, path: &Path) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        at: format!("line {}", long.0),
        expected: format!("a record of {} MiB at most", MAX_RECORD >> 20),
        found: "a longer one".to_owned(),
        hint: Box::default(),
    }
}

/// Refuses signs with two meanings. `options` names the three.
pub(super) fn check_signs(
    delimiter: Option<u8>,
    decimal: char,
    thousands: Option<char>,
    options: [&'static str; 3],
) -> Result<(), DataError> {
    let refuse = |option, found: String, allowed| Err(DataError::Option { option, found, allowed });
    let refuse_delimiter = |found, allowed| refuse(options[0], shown_byte(found), allowed);
    if let Some(found) = delimiter.filter(|sign| matches!(sign, b'\n' | b'\r' | b'"' | 128..)) {
        return refuse_delimiter(found, "an ASCII sign, no quote and no line end");
    }
    let sign =
        |sign: char| !sign.is_alphanumeric() && !matches!(sign, '+' | '-' | '"' | '\n' | '\r');
    if !sign(decimal) {
        let allowed = "no letter, digit, sign, quote or line end";
        return refuse(options[1], format!("{decimal:?}"), allowed);
    }
    match (thousands, delimiter) {
        (Some(thousands), _) if !sign(thousands) || thousands == decimal => {
            let allowed = "no letter, digit, sign, quote or line end, and not the decimal sign";
            refuse(options[2], format!("{thousands:?}"), allowed)
        }
        // Behind quotes a number may hold the delimiter.
        (_, Some(found)) if found.is_ascii_alphanumeric() => {
            refuse_delimiter(found, "no letter and no digit")
        }
        _ => Ok(()),
    }
}

/// `b';'`.
pub(super) fn shown_byte(byte: u8) -> String {
    format!("b'{}'", byte.escape_ascii())
}

/// The numbers and labels of the rows so far.
struct Table<'a> {
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
}

impl<'a> Table<'a> {
    /// With room for all rows that `content` can have.
    fn new(
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
        Ok(Self {
            columns,
            options,
            numbers: Numbers::new(options.decimal, options.thousands),
            rows: 0,
            inputs,
            values,
            labels: String::new(),
            label_ends: Vec::new(),
            missing: 0,
            first_missing: Vec::new(),
        })
    }

    fn push(&mut self, row: &Record, path: &Path) -> Result<(), DataError> {
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
        let field = text(row.field(self.columns.before + column), path, row.line)?;
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
            if self.rows == 0 && self.options.header {
                return ": an index without a name? `CsvOptions { index_column: true, .. }` leaves it out".to_owned();
            }
            String::new()
        })
    }

    fn finish(mut self, path: &Path) -> Result<Dataset, DataError> {
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
