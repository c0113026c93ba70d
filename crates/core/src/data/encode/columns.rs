//! Single columns of a table: whether they can be used, and what their cells are.

use super::super::csv::numbers::Numbers;
use super::super::table::{ColumnKind, Table};
use super::{TableError, TableFault};

/// A feature's column, and for texts the index in the encoding of each of the table's levels.
pub(super) struct Taken {
    pub(super) column: usize,
    pub(super) levels: Option<Vec<Option<usize>>>,
}

impl Taken {
    /// The encoding's level of a cell; `fill` where it is missing.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index, or NaN, which is told apart"
    )]
    pub(super) fn level(&self, cell: f64, fill: Option<usize>) -> Option<usize> {
        if cell.is_nan() {
            return fill;
        }
        self.levels.as_ref()?.get(cell as usize).copied().flatten()
    }
}

/// A refusal about `table`.
pub(super) fn refused(table: &Table, fault: TableFault) -> TableError {
    TableError { file: table.file.clone(), fault: Box::new(fault) }
}

/// A column of numbers, for a role that needs them.
pub(super) fn numeric(table: &Table, column: usize, role: &'static str) -> Result<(), TableError> {
    usable(table, column)?;
    match table.levels(column).and_then(|levels| levels.first()) {
        None => Ok(()),
        Some(found) => {
            // Levels are in the order in which they were met.
            let row = table.column(column).position(|cell| cell == 0.0).unwrap_or(0);
            let (name, place, found) =
                (table.names[column].clone(), table.row_name(row), found.clone());
            Err(refused(table, TableFault::Texts { role, name, place, found }))
        }
    }
}

/// Texts that are no numbers in another writing.
pub(super) fn texts(table: &Table, column: usize) -> Result<(), TableError> {
    let Some(levels) = table.levels(column) else { return Ok(()) };
    let Some((decimal, thousands)) = Numbers::of_all(&levels.iter().map(String::as_str)) else {
        return Ok(());
    };
    let row = table.column(column).position(|cell| !cell.is_nan()).unwrap_or(0);
    let (name, place) = (table.names[column].clone(), table.row_name(row));
    let found = level_text(table, column, table.cell(row, column));
    Err(refused(table, TableFault::NumbersAsTexts { name, place, found, decimal, thousands }))
}

/// Neither dates nor a mixture.
pub(super) fn usable(table: &Table, column: usize) -> Result<(), TableError> {
    let name = table.names[column].clone();
    let fault = match &table.kinds[column] {
        ColumnKind::Number | ColumnKind::Text { .. } => return Ok(()),
        ColumnKind::Mixed { numbers, texts, row, found } => {
            let (place, found) = (table.row_name(*row), found.clone());
            TableFault::Mixed { name, numbers: *numbers, texts: *texts, place, found }
        }
        ColumnKind::Date { row, found } => {
            TableFault::Date { name, place: table.row_name(*row), found: found.clone() }
        }
    };
    Err(refused(table, fault))
}

/// The levels by alphabet.
pub(super) fn sorted(levels: &[String]) -> Vec<String> {
    let mut sorted = levels.to_vec();
    sorted.sort_unstable();
    sorted
}

/// The text of a cell.
pub(super) fn level_text(table: &Table, column: usize, cell: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the index of a level"
    )]
    let level = table.levels(column).and_then(|levels| levels.get(cell as usize));
    level.cloned().unwrap_or_else(|| cell.to_string())
}

pub(super) fn unknown(
    table: &Table,
    row: usize,
    column: usize,
    found: String,
    known: &[String],
) -> TableError {
    let (place, known) = (table.place(row, column), known.to_vec());
    refused(table, TableFault::UnknownLevel { place, found, known })
}

/// The mean of the numbers that are there in `rows`: 0 where there is none, as in a column that is left out for it.
pub(super) fn mean(table: &Table, column: usize, rows: &[usize]) -> f64 {
    // By steps, so that no sum overflows.
    let mut mean = 0.0;
    let there = rows.iter().map(|&row| table.cell(row, column)).filter(|cell| !cell.is_nan());
    for (count, cell) in (1_u32..).zip(there) {
        mean += (cell - mean) / f64::from(count);
    }
    mean
}

/// The level that most of `rows` have, the first by alphabet of several.
pub(super) fn most_frequent(table: &Table, taken: &Taken, rows: &[usize]) -> Option<usize> {
    let levels = taken.levels.as_ref()?;
    let mut counts = vec![0_usize; levels.len()];
    for &row in rows {
        if let Some(level) = taken.level(table.cell(row, taken.column), None) {
            counts[level] += 1;
        }
    }
    let most = *counts.iter().max()?;
    counts.iter().position(|count| *count == most)
}
