//! A run of records as cells: what one task reads. Fields without quotes are read where they stand.

use std::borrow::Cow;

use super::super::csv::digits::{behind, number};
use super::super::csv::records::{BLANKS, MAX_RECORD, Record, Records};
use super::TableOptions;
use super::column::{Column, Fields, Words};
use super::sniff::Dialect;

/// How fields become cells, the same for every piece.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    dialect: Dialect,
    pub(super) words: Words<'a>,
    /// The sign before a fraction, where numbers may be read byte by byte: it is one byte, and no number holds the delimiter.
    decimal: Option<u8>,
    fields: Vec<Fields>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(dialect: Dialect, options: &'a TableOptions, fields: Vec<Fields>) -> Self {
        let plain = !matches!(dialect.delimiter, b'+' | b'-');
        let decimal = u8::try_from(options.decimal)
            .ok()
            .filter(|sign| plain && sign.is_ascii_graphic() && *sign != dialect.delimiter);
        Self { dialect, words: Words::new(options), decimal, fields }
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = Column> {
        self.fields.iter().map(|&fields| Column::new(fields))
    }
}

/// Why a record is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    TooLong,
    NotUtf8,
    /// Fields found, and the record as it stands.
    Ragged {
        found: usize,
        record: Vec<u8>,
    },
}

/// Some records.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Rows × columns, row-major; texts are those of [`super::column::text_cell`].
    pub(super) cells: Vec<f64>,
    /// The line of each row, from 0 at the first of the piece.
    pub(super) lines: Vec<u32>,
    pub(super) columns: Vec<Column>,
    /// Line ends in the piece.
    pub(super) line_ends: u32,
    /// Its length.
    pub(super) bytes: usize,
    /// The first record that is refused, with its line as in `lines`; what comes after it is not read.
    pub(super) fault: Option<(u32, Fault)>,
}

impl Piece {
    /// The records of `bytes`, which begin and end where records do.
    pub(super) fn parse(bytes: &[u8], reading: &Reading<'_>) -> Self {
        let columns: Vec<Column> = reading.columns().collect();
        // Sums of bytes, which are added many at a time.
        let ends =
            |run: &[u8]| usize::from(run.iter().map(|&byte| u8::from(byte == b'\n')).sum::<u8>());
        let line_ends: usize = bytes.chunks(usize::from(u8::MAX)).map(ends).sum();
        // A cell takes a byte or more; the last record may have no line end.
        let cells = (line_ends + 1).saturating_mul(columns.len()).min(bytes.len() + 1);
        let mut parser = Parser {
            bytes,
            at: 0,
            line: 0,
            fast: vec![false; columns.len()],
            reading,
            piece: Self {
                cells: Vec::with_capacity(cells),
                lines: Vec::with_capacity(cells / columns.len().max(1) + 1),
                columns,
                bytes: bytes.len(),
                ..Self::default()
            },
        };
        while parser.at < bytes.len() {
            let line = parser.line;
            if let Err(fault) = parser.record() {
                parser.piece.fault = Some((line, fault));
                break;
            }
        }
        parser.piece.line_ends = parser.line;
        parser.piece
    }
}

/// Where a record is being read.
struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Line ends so far.
    line: u32,
    reading: &'a Reading<'a>,
    /// For each column, whether a number needs nothing but its cell: there was one before, and they are no texts.
    fast: Vec<bool>,
    piece: Piece,
}

impl<'a> Parser<'a> {
    /// The record that begins here; a blank one or a comment is passed over.
    fn record(&mut self) -> Result<(), Fault> {
        let (start, line) = (self.at, self.line);
        if Some(self.bytes[start]) == self.reading.dialect.comment {
            while !self.at_line_end() {
                self.at += 1;
            }
            self.line_end();
            return self.check_length(start);
        }
        let columns = self.piece.columns.len();
        let before = self.piece.cells.len();
        let mut ended = false;
        let mut column = 0;
        while column < columns {
            if ended {
                return self.irregular(start, line, before);
            }
            (column, ended) = self.numbers(column);
            if column < columns && !ended {
                ended = self.other_field(column)?;
                column += 1;
            }
        }
        let trailing = self.reading.dialect.trailing;
        // A single field may be a blank line, and an empty last one stand behind a trailing delimiter, between quotes too.
        let last = || self.bytes[start..self.at].trim_ascii_end().last().copied();
        let may_end_empty =
            || last().is_some_and(|sign| sign == self.reading.dialect.delimiter || sign == b'"');
        if !ended || columns == 1 || trailing && may_end_empty() {
            return self.irregular(start, line, before);
        }
        self.line_end();
        self.check_length(start)?;
        self.piece.lines.push(line);
        Ok(())
    }

    fn check_length(&self, start: usize) -> Result<(), Fault> {
        if self.at - start > MAX_RECORD { Err(Fault::TooLong) } else { Ok(()) }
    }

    /// Whether there is no more in this line.
    fn at_line_end(&self) -> bool {
        matches!(self.bytes.get(self.at), None | Some(b'\n' | b'\r'))
    }

    /// Past the line end that begins here, if one does.
    fn line_end(&mut self) {
        match self.bytes.get(self.at) {
            Some(b'\r') if self.bytes.get(self.at + 1) == Some(&b'\n') => self.at += 2,
            Some(_) => self.at += 1,
            None => return,
        }
        self.line += 1;
    }

    fn skip_blanks(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Numbers from `column` on, up to a field that needs another look: its column, and whether the record ends before.
    fn numbers(&mut self, mut column: usize) -> (usize, bool) {
        let Some(decimal) = self.reading.decimal else { return (column, false) };
        let (bytes, delimiter) = (self.bytes, self.reading.dialect.delimiter);
        let missing = &self.reading.words.missing_numbers[..];
        let mut at = self.at;
        while self.fast.get(column) == Some(&true) {
            let mut start = at;
            // A tab is a blank where blanks delimit, and there only.
            while let Some(b' ' | b'\t') = bytes.get(start)
                && (bytes[start] == b' ' || delimiter == BLANKS)
            {
                start += 1;
            }
            let Some((value, length)) = number(&bytes[start..], decimal) else { break };
            let Some((next, ended)) = behind(bytes, start + length, delimiter) else {
                break;
            };
            if !missing.is_empty() && missing.contains(&value) {
                self.piece.columns[column].missing += 1;
                self.piece.cells.push(f64::NAN);
            } else {
                self.piece.cells.push(value);
            }
            (at, column) = (next, column + 1);
            if ended {
                self.at = at;
                return (column, true);
            }
        }
        self.at = at;
        (column, false)
    }

    /// The next field, whatever it is.
    fn other_field(&mut self, column: usize) -> Result<bool, Fault> {
        if self.reading.dialect.delimiter == BLANKS {
            self.skip_blanks();
        }
        let quoted = self.bytes.get(self.at) == Some(&b'"');
        let (field, ended) = self.text();
        let text = std::str::from_utf8(&field).map_err(|_| Fault::NotUtf8)?.trim();
        // Blanks stand before the quote.
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let text = if quoted { text } else { inner.map_or(text, str::trim) };
        let row = self.piece.lines.len();
        let met = &mut self.piece.columns[column];
        self.piece.cells.push(met.cell(text, row, &self.reading.words));
        self.fast[column] = met.first_number.is_some();
        Ok(ended)
    }

    /// The next field as it stands, without its quotes; whether the record ends there.
    fn text(&mut self) -> (Cow<'a, [u8]>, bool) {
        let quoted = if self.bytes.get(self.at) == Some(&b'"') {
            self.at += 1;
            self.quoted()
        } else {
            Cow::Borrowed(&[][..])
        };
        let (start, delimiter) = (self.at, self.reading.dialect.delimiter);
        let blanks = delimiter == BLANKS;
        let ends = |byte: &u8| {
            *byte == delimiter || matches!(byte, b'\n' | b'\r') || blanks && *byte == b'\t'
        };
        let rest = &self.bytes[start..];
        let rest = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        self.at += rest.len();
        if blanks {
            self.skip_blanks();
        }
        let ended = self.at_line_end();
        if !ended && !blanks {
            self.at += 1;
        }
        let field = match (quoted, rest) {
            (quoted, []) => quoted,
            (Cow::Borrowed([]), rest) => Cow::Borrowed(rest),
            (quoted, rest) => Cow::Owned([&quoted, rest].concat()),
        };
        (field, ended)
    }

    /// What stands between quotes; the position is behind the closing one, or at the end of the text.
    fn quoted(&mut self) -> Cow<'a, [u8]> {
        let mut field: Cow<'a, [u8]> = Cow::Borrowed(&[]);
        loop {
            let start = self.at;
            let rest = &self.bytes[start..];
            let length = rest.iter().position(|&byte| byte == b'"').unwrap_or(rest.len());
            while self.at < start + length {
                if self.at_line_end() { self.line_end() } else { self.at += 1 }
            }
            let doubled = rest.get(length + 1) == Some(&b'"');
            let part = &rest[..length + usize::from(doubled && length < rest.len())];
            match &mut field {
                Cow::Borrowed([]) => field = Cow::Borrowed(part),
                field => field.to_mut().extend_from_slice(part),
            }
            self.at = (start + length + 1 + usize::from(doubled)).min(self.bytes.len());
            if !doubled || length == rest.len() {
                return field;
            }
        }
    }

    /// The record at `start` once more, which has another number of fields, or may have: blank lines and trailing delimiters.
    fn irregular(&mut self, start: usize, line: u32, before: usize) -> Result<(), Fault> {
        let dialect = self.reading.dialect;
        let mut records = Records::new(&self.bytes[start..], dialect.delimiter, None);
        let mut record = Record::default();
        records.read_here(&mut record).map_err(|_| Fault::TooLong)?;
        let blank = record.is_blank();
        if dialect.trailing && record.ends_empty() {
            record.pop();
        }
        (self.at, self.line) = (start, line);
        let end = start + records.at();
        while self.at < end {
            if self.at_line_end() { self.line_end() } else { self.at += 1 }
        }
        self.check_length(start)?;
        let columns = self.piece.columns.len();
        if blank {
            // Its only field was taken for a missing value.
            let cells = self.piece.cells.len();
            if cells > before {
                self.piece.columns[0].missing -= 1;
            }
            self.piece.cells.truncate(before);
            return Ok(());
        }
        if record.len() == columns {
            self.piece.lines.push(line);
            return Ok(());
        }
        let record_bytes = self.bytes[start..self.at].to_vec();
        Err(Fault::Ragged { found: record.len(), record: record_bytes })
    }
}
