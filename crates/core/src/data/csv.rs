//! CSV: one sample a line, every column a feature but the targets.

use std::path::Path;

use rayon::prelude::*;

use self::blocks::{Blocks, Flight};
use self::columns::Columns;
use self::ends::{line_ends, record_end};
pub use self::parts::{CsvParts, CsvSurvey};
use self::records::{MAX_RECORD, Record, Records, TooLong};
use self::rows::Rows;
use super::source::{MAX_BYTES, Source};
use super::{DataError, Dataset, Task};

pub(super) mod blocks;
pub(super) mod columns;
pub(super) mod digits;
pub(super) mod ends;
pub(super) mod numbers;
mod parts;
pub(super) mod records;
mod rows;
mod states;
#[cfg(test)]
mod tests;

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
    /// Memory at most, for the table and what is held while it is read: a file of a megabyte as a whole, of a longer one some blocks.
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
        parse(
            Source::open_any(path.as_ref(), options.max_bytes, "CsvOptions")?.of_no_archive()?,
            options,
        )
    }

    /// The same of the bytes of such a file.
    ///
    /// # Errors
    /// As [`Dataset::from_csv_with`].
    pub fn from_csv_bytes(bytes: &[u8], options: &CsvOptions) -> Result<Self, DataError> {
        parse(Source::of(bytes, options.max_bytes, "CsvOptions")?, options)
    }
}

fn parse(source: Source<'_>, options: &CsvOptions) -> Result<Dataset, DataError> {
    let flight = Flight::within(options.max_bytes, rayon::current_num_threads());
    parse_by(source, options, flight)
}

/// In blocks as `flight` says, which make no difference.
fn parse_by(
    mut source: Source<'_>,
    options: &CsvOptions,
    flight: Flight,
) -> Result<Dataset, DataError> {
    check_options(options)?;
    let path = source.path;
    let start = Start::read(&mut source, options, flight.size)?;
    let Opening { columns, at, line, .. } = Opening::read(&start, &mut source, options)?;
    let Start { mut text, whole, mark } = start;
    let content = &text[mark..];
    if whole {
        let mut rows = Rows::new(&columns, content, &mut source, options)?;
        rows.read(&content[at..], line, path)?;
        return rows.finish(path);
    }
    source.take::<u8>(flight.memory)?;
    text.drain(..mark + at);
    let signs = (options.delimiter, options.comment);
    let blocks = Blocks::new(&mut source, text, whole, signs, flight.size);
    by_blocks(blocks, &columns, options, flight.count, (line, true))?.finish(path)
}

/// The rows of `count` blocks at a time, the first of which begins on line `line` and may be the `first` one of the file; the next ones are
/// read while these are parsed.
fn by_blocks<'c>(
    mut blocks: Blocks<'_, '_>,
    columns: &'c Columns,
    options: &'c CsvOptions,
    count: usize,
    (mut line, mut first): (u64, bool),
) -> Result<Rows<'c>, DataError> {
    let path = blocks.source.path;
    let mut whole = Rows::part(columns, options, true);
    let mut read = 0;
    let mut texts = blocks.batch(count)?;
    let mut parsed: Vec<Result<Rows<'_>, DataError>> = Vec::new();
    while !(texts.is_empty() && parsed.is_empty()) {
        let ready = std::mem::take(&mut parsed);
        let (next, now) = rayon::join(
            || {
                for rows in ready {
                    let rows = rows?;
                    read += rows.bytes;
                    whole.append(rows, read, blocks.source)?;
                }
                // An error of the file comes after those of what was read before.
                Ok::<_, DataError>(blocks.batch(count))
            },
            || {
                let ends: Vec<u64> = texts.par_iter().map(|text| line_ends(text)).collect();
                let begin = |index: usize| line + ends[..index].iter().sum::<u64>();
                let parse = |(index, text): (usize, &Vec<u8>)| {
                    let mut rows = Rows::part(columns, options, first && index == 0);
                    rows.read(text, begin(index), path).map(|()| rows)
                };
                let rows = texts.par_iter().enumerate().map(parse).collect();
                (rows, ends.iter().sum::<u64>())
            },
        );
        (parsed, first) = (now.0, false);
        line += now.1;
        texts = match next? {
            Ok(next) => next,
            Err(error) => {
                parsed.into_iter().try_for_each(|rows| rows.map(|_| ()))?;
                return Err(error);
            }
        };
    }
    Ok(whole)
}

/// The first bytes of a text that is read in blocks of whole records.
struct Start {
    text: Vec<u8>,
    /// Whether that is all.
    whole: bool,
    /// Bytes of a byte order mark.
    mark: usize,
}

impl Start {
    /// `size` bytes, and more where a header and a row are longer.
    fn read(source: &mut Source<'_>, options: &CsvOptions, size: usize) -> Result<Self, DataError> {
        let (mut text, mut length) = (Vec::new(), size);
        loop {
            let before = text.len();
            let whole = source.fill(&mut text, length)?;
            source.take::<u8>(text.len() - before)?;
            let mark = source.mark(&text)?;
            // A record that never ends is met by whoever reads it.
            if whole || text.len() > 2 * MAX_RECORD || holds_two_records(&text[mark..], options) {
                return Ok(Self { text, whole, mark });
            }
            length *= 2;
        }
    }
}

/// What the start of a file says of the rest.
struct Opening {
    columns: Columns,
    /// Where the rows begin behind a byte order mark, and on which line.
    at: usize,
    line: u64,
    /// Where the first of them is, if there is one.
    first: usize,
}

impl Opening {
    fn read(
        start: &Start,
        source: &mut Source<'_>,
        options: &CsvOptions,
    ) -> Result<Self, DataError> {
        let path = source.path;
        let mut records =
            Records::new(&start.text[start.mark..], options.delimiter, options.comment);
        let no_data = |what| DataError::NoData { file: Some(path.to_path_buf()), what };
        let (mut header, mut row) = (Record::default(), Record::default());
        if options.header && !records.read(&mut header).map_err(|long| too_long(&long, path))? {
            return Err(no_data("header"));
        }
        let (at, line) = (records.at(), records.line());
        let any = read_row(&mut records, &mut row, options, path)?;
        if !(any || options.header) {
            return Err(no_data("samples"));
        }
        let columns = if options.header {
            let first_row = any.then(|| row.len());
            Columns::of_header(&header, first_row, source, options)?
        } else {
            Columns::numbered(row.len(), source, options)?
        };
        Ok(Self { columns, at, line, first: row.start })
    }
}

/// Whether a header and a row certainly end in `text`.
fn holds_two_records(text: &[u8], options: &CsvOptions) -> bool {
    let end = record_end(text, options.delimiter, options.comment).unwrap_or(0);
    let mut records = Records::new(&text[..end], options.delimiter, options.comment);
    let mut record = Record::default();
    (0..2).all(|_| records.read(&mut record).unwrap_or(false))
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

fn check_options(options: &CsvOptions) -> Result<(), DataError> {
    check_signs(
        Some(options.delimiter),
        options.decimal,
        options.thousands,
        ["CsvOptions::delimiter", "CsvOptions::decimal", "CsvOptions::thousands"],
    )
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
