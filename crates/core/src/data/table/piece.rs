//! A run of records as cells: what one task reads.

use super::super::csv::numbers::{Numbers, is_missing, is_missing_name};
use super::super::csv::records::{Record, Records, TooLong};
use super::TableOptions;
use super::column::{Column, Met, text_cell};
use super::sniff::Dialect;

/// How fields become cells, the same for every piece.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) dialect: Dialect,
    pub(super) numbers: Numbers,
    /// Texts that stand for a missing value.
    missing: &'a [String],
    /// The numbers among them.
    missing_numbers: Vec<f64>,
    /// For each column, whether its fields are texts whatever they are.
    pub(super) categorical: Vec<bool>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(dialect: Dialect, options: &'a TableOptions, categorical: Vec<bool>) -> Self {
        let numbers = Numbers::new(options.decimal, options.thousands);
        let missing_numbers =
            options.missing.iter().filter_map(|text| numbers.read(text.trim())).collect();
        Self { dialect, numbers, missing: &options.missing, missing_numbers, categorical }
    }

    fn is_given_missing(&self, text: &str) -> bool {
        self.missing.iter().any(|word| word == text)
    }
}

/// Why a record is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    TooLong,
    NotUtf8,
    /// Fields found, the first of them, whether the last is empty.
    Ragged {
        found: usize,
        first: String,
        ends_empty: bool,
    },
}

/// Some records.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Rows × columns, row-major; texts are those of [`text_cell`].
    pub(super) cells: Vec<f64>,
    /// Where each row begins, counted from the first line of the piece.
    pub(super) lines: Vec<u64>,
    pub(super) columns: Vec<Column>,
    /// Line ends in the piece.
    pub(super) line_ends: u64,
    /// The first record that is refused, with its line as in `lines`; what comes after it is not read.
    pub(super) fault: Option<(u64, Fault)>,
}

impl Piece {
    /// The records of `bytes`, which begin and end where records do.
    pub(super) fn parse(bytes: &[u8], reading: &Reading<'_>) -> Self {
        let columns = reading.categorical.iter().map(|&categorical| Column::new(categorical));
        let mut piece = Self { columns: columns.collect(), ..Self::default() };
        let mut records = Records::new(bytes, reading.dialect.delimiter, reading.dialect.comment);
        let mut record = Record::default();
        loop {
            match records.read(&mut record) {
                Ok(false) => break,
                Ok(true) => {}
                Err(TooLong(line)) => {
                    piece.fault = Some((line - 1, Fault::TooLong));
                    break;
                }
            }
            let line = record.line - 1;
            if let Err(fault) = piece.push(&mut record, reading) {
                piece.cells.truncate(piece.lines.len() * piece.columns.len());
                piece.fault = Some((line, fault));
                break;
            }
            piece.lines.push(line);
        }
        piece.line_ends = records.line() - 1;
        piece
    }

    fn push(&mut self, record: &mut Record, reading: &Reading<'_>) -> Result<(), Fault> {
        let ends_empty = |record: &Record| {
            record.len() > 1 && record.field(record.len() - 1).trim_ascii().is_empty()
        };
        if reading.dialect.trailing && ends_empty(record) {
            record.pop();
        }
        if record.len() != self.columns.len() {
            return Err(Fault::Ragged {
                found: record.len(),
                first: String::from_utf8_lossy(record.field(0)).into_owned(),
                ends_empty: ends_empty(record),
            });
        }
        let row = self.lines.len();
        for (field, column) in record.fields().zip(&mut self.columns) {
            let text = std::str::from_utf8(field).map_err(|_| Fault::NotUtf8)?;
            self.cells.push(column.cell(text.trim(), row, reading));
        }
        Ok(())
    }
}

impl Column {
    /// What becomes of a field, without the white space around it.
    fn cell(&mut self, text: &str, row: usize, reading: &Reading<'_>) -> f64 {
        let is_missing_text = is_missing_name(text, &[]) || reading.is_given_missing(text);
        if is_missing_text {
            self.missing += 1;
            return f64::NAN;
        }
        let met = || Some(Met { row, text: text.to_owned() });
        if !self.categorical {
            match reading.numbers.read(text) {
                Some(value) if value.is_nan() || reading.missing_numbers.contains(&value) => {
                    self.missing += 1;
                    return f64::NAN;
                }
                Some(value) => {
                    if self.first_number.is_none() {
                        self.first_number = met();
                    }
                    return value;
                }
                None if is_missing(text) => {
                    self.missing += 1;
                    self.words += 1;
                    return text_cell(self.levels.number(text));
                }
                None => {}
            }
        }
        if self.first_text.is_none() {
            self.first_text = met();
        }
        self.texts += 1;
        text_cell(self.levels.number(text))
    }
}
