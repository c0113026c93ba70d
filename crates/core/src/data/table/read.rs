//! From a file to a [`Table`].

use std::io::Read;
use std::path::Path;

use super::super::DataError;
use super::super::csv::check_signs;
use super::super::csv::columns::{comment_hint, comment_sign};
use super::super::csv::records::{MAX_RECORD, Record, Records, TooLong};
use super::super::source::{Source, text};
use super::column::Column;
use super::names::{Names, matches};
use super::piece::{Fault, Piece, Reading};
use super::sniff::Dialect;
use super::{Rows, Table, TableOptions, TextLayout};
use crate::text::did_you_mean;

/// The struct that an error about a limit names.
const OPTIONS: &str = "TableOptions";

impl Table {
    /// Reads a file, plain or gzipped. What `options` leave open is found out from its first bytes and lines, and said in [`Table::notes`].
    ///
    /// ```
    /// use secant_core::data::{Table, TableOptions, ColumnKind};
    /// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    /// let table = Table::read(format!("{root}data/concrete.csv"), &TableOptions::default())?;
    /// assert_eq!((table.rows(), table.names().len()), (1030, 9));
    /// assert!(table.kinds().iter().all(|kind| *kind == ColumnKind::Number));
    /// # Ok::<(), secant_core::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// Rows of different lengths, bytes that are no text, no rows, by file and line; a pattern of `categorical` that fits no column; more
    /// memory than the limit. Missing values, texts, infinities and dates are no errors here.
    pub fn read(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self, DataError> {
        parse(Source::open(path.as_ref(), options.max_bytes, OPTIONS)?, options)
    }

    /// The same of the bytes of a file.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_bytes(bytes: &[u8], options: &TableOptions) -> Result<Self, DataError> {
        parse(Source::of(bytes, options.max_bytes, OPTIONS)?, options)
    }

    /// The same of what a reader gives, the standard input say; messages call it `name`.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_reader(
        reader: impl Read + Send,
        name: &Path,
        options: &TableOptions,
    ) -> Result<Self, DataError> {
        parse(Source::reading(reader, name, options.max_bytes, OPTIONS)?, options)
    }
}

fn parse(mut source: Source<'_>, options: &TableOptions) -> Result<Table, DataError> {
    check_signs(
        options.delimiter,
        options.decimal,
        options.thousands,
        ["TableOptions::delimiter", "TableOptions::decimal", "TableOptions::thousands"],
    )?;
    let path = source.path;
    let bytes = source.read_all()?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let (path, found) = (path.to_path_buf(), "a byte order mark of UTF-16".to_owned());
        return Err(DataError::WrongMagic { path, expected: "UTF-8 text", found });
    }
    let content = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let dialect = Dialect::of(content, true, options);
    let no_data = |what| DataError::NoData { file: Some(path.to_path_buf()), what };

    let mut records = Records::new(content, dialect.delimiter, dialect.comment);
    let mut first = Record::default();
    let read = |records: &mut Records<'_>, record: &mut Record| {
        records.read(record).map_err(|TooLong(line)| refused(&Fault::TooLong, line, 0, path))
    };
    let before = (records.at(), records.line());
    if !read(&mut records, &mut first)? {
        return Err(no_data("rows"));
    }
    let (start, line, names) = if dialect.header {
        if dialect.header_trailing {
            first.pop();
        }
        source.take::<[usize; 24]>(first.len())?;
        let fields = first.fields().map(|field| text(field, path, first.line));
        let names = Names::of_header(&fields.collect::<Result<Vec<_>, _>>()?, dialect.index);
        (records.at(), records.line(), names)
    } else {
        let columns = first.len() - usize::from(dialect.trailing && first.len() > 1);
        source.take::<[usize; 24]>(columns)?;
        (before.0, before.1, Names::numbered(columns))
    };
    let layout = TextLayout {
        delimiter: dialect.delimiter,
        header: dialect.header.then(|| u32::try_from(first.line).unwrap_or(u32::MAX)),
        trailing: dialect.trailing,
    };
    let Names { names, unnamed, notes: renamed } = names;
    let categorical = categorical(&names, options, path)?;
    let reading = Reading::new(dialect, options, categorical);

    let mut piece = Piece::parse(&content[start..], &reading);
    if let Some((at, fault)) = piece.fault {
        return Err(refused(&fault, line + at, names.len(), path));
    }
    let rows = piece.lines.len();
    if rows == 0 {
        return Err(no_data("rows"));
    }
    let mut notes = dialect.notes(options);
    notes.extend(renamed);
    let columns = piece.columns.into_iter().enumerate();
    let kinds = columns
        .map(|(index, column): (usize, Column)| {
            column.finish(rows, &mut piece.cells[index..], names.len())
        })
        .collect();
    let lines = piece.lines.iter().map(|&at| u32::try_from(line + at).unwrap_or(u32::MAX));
    Ok(Table {
        file: path.to_path_buf(),
        kinds,
        cells: piece.cells,
        rows: Rows::Lines(lines.collect()),
        notes,
        unnamed,
        names,
        layout: Some(layout),
    })
}

/// For each column, whether an option makes texts of it.
fn categorical(
    names: &[String],
    options: &TableOptions,
    path: &Path,
) -> Result<Vec<bool>, DataError> {
    let mut picked = vec![false; names.len()];
    for pattern in &options.categorical {
        let mut any = false;
        for (name, picked) in names.iter().zip(&mut picked) {
            if matches(pattern, name) {
                (any, *picked) = (true, true);
            }
        }
        if !any {
            return Err(DataError::MissingColumn {
                path: path.to_path_buf(),
                name: pattern.clone(),
                existing: names.to_vec(),
                hint: did_you_mean(pattern, names.iter().map(String::as_str)).into(),
            });
        }
    }
    Ok(picked)
}

/// Why the record that begins on `line` is refused.
fn refused(fault: &Fault, line: u64, expected: usize, path: &Path) -> DataError {
    let path = path.to_path_buf();
    match fault {
        Fault::NotUtf8 => DataError::NotUtf8 { path, line },
        Fault::TooLong => DataError::Malformed {
            path,
            at: format!("line {line}"),
            expected: format!("a record of {} MiB at most", MAX_RECORD >> 20),
            found: "a longer one".to_owned(),
            hint: Box::default(),
        },
        Fault::Ragged { found, first, .. } => {
            let hint = comment_sign(first.as_bytes()).map_or(String::new(), comment_hint);
            DataError::Ragged { path, line, expected, found: *found, hint: hint.into() }
        }
    }
}
