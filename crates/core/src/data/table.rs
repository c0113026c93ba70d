//! A table as people have it: named columns of numbers or of texts, with gaps. [`Table::dataset`] makes a [`Dataset`](super::Dataset) of it.

use std::path::{Path, PathBuf};

mod arrays;
mod assembly;
mod column;
mod columnar;
mod dates;
mod format;
mod names;
mod piece;
mod read;
mod refusal;
mod sniff;
mod start;
#[cfg(test)]
mod tests;

use super::source::MAX_BYTES;
use crate::text::quoted;

/// How a table is read. What is `None` is found out from the first lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableOptions {
    /// What kind of file it is; by default found out from its first bytes, and from its name where these do not tell.
    pub format: Option<TableFormat>,
    /// Between two fields of a text file. A space stands for any run of spaces and tabs.
    pub delimiter: Option<u8>,
    /// Whether the first line names the columns. By default it does unless all of its fields are numbers.
    pub header: Option<bool>,
    /// Lines that begin with this byte are left out. By default `#` where the file begins with it.
    pub comment: Option<u8>,
    /// Before the fraction of a number.
    pub decimal: char,
    /// Between groups of three digits; groups of another length are refused.
    pub thousands: Option<char>,
    /// Texts that stand for a missing value, beside the empty field, `?`, `.`, `NA`, `N/A`, `#N/A`, `NaN`, `null` and `none` in any case.
    pub missing: Vec<String>,
    /// Columns that hold texts, also where all of these are numbers. Names, or patterns with `*` and `?`.
    pub categorical: Vec<String>,
    /// Memory at most, for the table and what is held while it is read.
    pub max_bytes: u64,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            format: None,
            delimiter: None,
            header: None,
            comment: None,
            decimal: '.',
            thousands: None,
            missing: Vec::new(),
            categorical: Vec::new(),
            max_bytes: MAX_BYTES,
        }
    }
}

/// Kinds of files that hold a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TableFormat {
    /// Text, fields between delimiters.
    Csv,
    /// An array of NumPy, a sample a row; columns are named `x1`, `x2`, ….
    Npy,
    /// Arrays of NumPy in a zip archive; the columns of array `name` are `name`, or `name1`, `name2`, ….
    Npz,
    /// LIBSVM text; the columns are `target`, `x1`, `x2`, ….
    Libsvm,
    /// IDX images; the columns are `x1`, `x2`, ….
    Idx,
    /// Parquet, with the feature `parquet`.
    Parquet,
}

/// What stands in a column.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Numbers; infinities are among them.
    Number,
    /// Texts: a cell is the index of its level.
    Text {
        /// In the order in which they were met.
        levels: Vec<String>,
    },
    /// Numbers and texts, which is refused where the column is used. The cells of texts are NaN.
    Mixed {
        /// How many are numbers.
        numbers: usize,
        /// How many are texts.
        texts: usize,
        /// Row (from 0) of the first one of the rarer kind.
        row: usize,
        /// What stands there.
        found: String,
    },
    /// Dates or times, which are refused where the column is used. The cells are NaN.
    Date {
        /// Row (from 0) of the first.
        row: usize,
        /// What stands there.
        found: String,
    },
}

/// What stands in a row's place in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// The line of each, from 1.
    Lines(Vec<u32>),
    /// They are counted, from 0.
    Counted,
}

/// How a table stands in a text file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextLayout {
    /// Between two fields; a space stands for any run of spaces and tabs.
    pub delimiter: u8,
    /// The line (from 1) that names the columns.
    pub header: Option<u32>,
    /// Whether lines end with a delimiter.
    pub trailing: bool,
}

/// Named columns of numbers or texts, one row a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub(super) file: PathBuf,
    pub(super) names: Vec<String>,
    pub(super) kinds: Vec<ColumnKind>,
    /// N × columns, row-major: a number, or the index of a level; NaN where the value is missing.
    pub(super) cells: Vec<f64>,
    pub(super) rows: Rows,
    /// What was found out while it was read, a sentence each.
    pub(super) notes: Vec<String>,
    /// Columns whose name the file does not give.
    pub(super) unnamed: Vec<usize>,
    /// Of a text file.
    pub(super) layout: Option<TextLayout>,
}

impl Table {
    /// The file that it was read from, as it was named.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// N, the number of rows.
    pub fn rows(&self) -> usize {
        self.cells.len() / self.names.len().max(1)
    }

    /// The names of the columns, each of which is there once.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What stands in each column.
    pub fn kinds(&self) -> &[ColumnKind] {
        &self.kinds
    }

    /// The cells of column `index`: numbers, or indices of levels; NaN where the value is missing.
    ///
    /// # Panics
    /// Where there is no such column.
    pub fn column(&self, index: usize) -> impl Iterator<Item = f64> + '_ {
        assert!(index < self.names.len(), "no column {index}");
        self.cells.iter().skip(index).step_by(self.names.len()).copied()
    }

    /// What was found out while it was read: the delimiter, columns renamed, …; a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How it stands in its file, where that is of text.
    pub fn layout(&self) -> Option<&TextLayout> {
        self.layout.as_ref()
    }

    /// The line (from 1) that each row begins on, where they are lines of a file.
    pub fn lines(&self) -> Option<&[u32]> {
        match &self.rows {
            Rows::Lines(lines) => Some(lines),
            Rows::Counted => None,
        }
    }

    /// What row `row` is called: `line 3`.
    pub fn row_name(&self, row: usize) -> String {
        match &self.rows {
            Rows::Lines(lines) => {
                lines.get(row).map_or(String::new(), |line| format!("line {line}"))
            }
            Rows::Counted => format!("row {row} (from 0)"),
        }
    }

    /// `line 3, column "x"`.
    pub(super) fn place(&self, row: usize, column: usize) -> String {
        format!("{}, column \"{}\"", self.row_name(row), quoted(&self.names[column]))
    }
}
