//! From a file to a [`Table`].

use std::io::Read;
use std::path::Path;

use super::super::csv::blocks::{Blocks, Flight};
use super::super::csv::check_signs;
use super::super::source::Source;
use super::super::{DataError, Remedy};
use super::assembly::{Assembly, Stop};
use super::format::format_of;
use super::names::{Names, categorical};
use super::piece::Reading;
use super::refusal::{refuse_other_numbers, refused};
use super::start::Start;
use super::{Table, TableFormat, TableOptions, TextLayout, arrays, columnar};
use crate::text::quoted;

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
        parse(Source::open_any(path.as_ref(), options.max_bytes, OPTIONS)?, options)
    }

    /// The same of the bytes of a file.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_bytes(bytes: &[u8], options: &TableOptions) -> Result<Self, DataError> {
        parse(Source::of_any(bytes, options.max_bytes, OPTIONS)?, options)
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
        parse(Source::of_reader(reader, name, options.max_bytes, OPTIONS)?, options)
    }
}

fn parse(mut source: Source<'_>, options: &TableOptions) -> Result<Table, DataError> {
    match options.format.map_or_else(|| format_of(&mut source), Ok)? {
        TableFormat::Csv => {
            let flight = Flight::within(options.max_bytes, rayon::current_num_threads());
            delimited(&mut source.of_no_archive()?, options, flight)
        }
        TableFormat::Npy => arrays::npy(&mut source, options),
        TableFormat::Npz => arrays::npz(&mut source, options),
        TableFormat::Libsvm => arrays::libsvm(&mut source.of_no_archive()?, options),
        TableFormat::Idx => arrays::idx(&mut source, options),
        TableFormat::Parquet => columnar::read(&mut source, options),
    }
}

/// Delimited text, in blocks as `flight` says.
pub(super) fn delimited(
    source: &mut Source<'_>,
    options: &TableOptions,
    flight: Flight,
) -> Result<Table, DataError> {
    check_signs(
        options.delimiter,
        options.decimal,
        options.thousands,
        ["TableOptions::delimiter", "TableOptions::decimal", "TableOptions::thousands"],
    )?;
    let path = source.path;
    source.take::<u8>(flight.memory)?;
    let mut start = Start::read(source, options)?;
    let dialect = start.dialect;
    let no_rows = || DataError::NoData { file: Some(path.to_path_buf()), what: "rows" };
    let names = start.names(source, options)?.ok_or_else(no_rows)?;
    let Names { columns: names, unnamed, notes: renamed } = names;
    if let (Some(sign), [only]) = (start.other, &names[..]) {
        let (path, found) = (path.to_path_buf(), quoted(only).to_string());
        return Err(DataError::OneColumn {
            path,
            found,
            hint: vec![Remedy::Delimiter(sign)].into(),
        });
    }
    let reading = Reading::new(dialect, options, categorical(&names, options, path)?);
    let Start { head, whole, line, header, .. } = start;
    let signs = (dialect.delimiter, dialect.comment);
    let blocks = Blocks::new(source, head, whole, signs, flight.size);
    let assembled = Assembly::of(blocks, flight.count, line, &reading);
    let assembly = assembled.map_err(|stop| match stop {
        Stop::Refused(line, fault) => refused(&fault, line, &names, options, path),
        Stop::Error(error) => error,
    })?;
    if assembly.lines.is_empty() {
        return Err(no_rows());
    }
    refuse_other_numbers(&assembly, &names, reading.words.numbers, path)?;
    let (cells, kinds, rows) = assembly.finish();
    let mut notes = dialect.notes(options);
    notes.extend(renamed);
    let layout =
        Some(TextLayout { delimiter: dialect.delimiter, header, trailing: dialect.trailing });
    Ok(Table { file: path.to_path_buf(), names, kinds, cells, rows, notes, unnamed, layout })
}
