//! Targets that are classes: which there are, and which one a cell is.

use std::cmp::Ordering;

use super::super::table::Table;
use super::columns::{level_text, numeric, refused, sorted, unknown, usable};
use super::{FEW_LEVELS, TableError, TableFault, TargetKind};

/// How cells of a target become classes.
pub(super) enum Class {
    /// For each level of the table.
    Levels(Vec<Option<u32>>),
    /// The numbers, ascending.
    Numbers(Vec<f64>),
}

impl Class {
    /// The class of a cell that is not missing.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "indices of levels and classes are small whole numbers"
    )]
    pub(super) fn of(&self, cell: f64) -> Option<u32> {
        match self {
            Self::Levels(levels) => levels.get(cell as usize).copied().flatten(),
            Self::Numbers(numbers) => {
                numbers.binary_search_by(|known| order(*known, cell)).ok().map(|at| at as u32)
            }
        }
    }
}

/// Numbers by size, −0 and 0 as one.
fn order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// How the target's cells are classes, if they are.
pub(super) fn classes(
    table: &Table,
    targets: &[usize],
    task: TargetKind,
) -> Result<Option<Class>, TableError> {
    for &column in targets {
        usable(table, column)?;
    }
    let texts = targets.iter().any(|&column| table.levels(column).is_some());
    match task {
        TargetKind::Values => {
            targets.iter().try_for_each(|&column| numeric(table, column, "target"))?;
            return Ok(None);
        }
        TargetKind::Auto if !texts => return Ok(None),
        _ => {}
    }
    let &[column] = targets else {
        let targets = targets.iter().map(|&column| table.names[column].clone()).collect();
        return Err(refused(table, TableFault::ClassesOfSeveral { targets }));
    };
    let class = if let Some(levels) = table.levels(column) {
        let names = sorted(levels);
        Class::Levels(levels.iter().map(|level| label(names.binary_search(level).ok())).collect())
    } else {
        Class::Numbers(distinct(table, column)?)
    };
    let count = match &class {
        Class::Levels(levels) => levels.len(),
        Class::Numbers(numbers) => numbers.len(),
    };
    let (name, rows) = (table.names[column].clone(), table.rows());
    if count == 1 {
        let found = table.column(column).find(|cell| !cell.is_nan()).unwrap_or(0.0);
        let found = level_text(table, column, found);
        return Err(refused(table, TableFault::OneClass { name, found }));
    }
    if count > FEW_LEVELS && count > rows / 2 {
        return Err(refused(table, TableFault::ManyClasses { name, classes: count, rows }));
    }
    Ok(Some(class))
}

fn label(index: Option<usize>) -> Option<u32> {
    index.and_then(|index| u32::try_from(index).ok())
}

/// The different numbers of a column, ascending.
fn distinct(table: &Table, column: usize) -> Result<Vec<f64>, TableError> {
    // −0 is 0.
    let mut numbers: Vec<f64> =
        table.column(column).filter(|cell| !cell.is_nan()).map(|cell| cell + 0.0).collect();
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.dedup();
    if let Some(found) = numbers.iter().copied().find(|number| number.is_infinite()) {
        let row = table.column(column).position(|cell| cell == found).unwrap_or(0);
        let place = table.place(row, column);
        return Err(refused(table, TableFault::NotFinite { place, found }));
    }
    Ok(numbers)
}

/// The classes of a model in the cells of a new table.
pub(super) fn known_classes(
    table: &Table,
    column: usize,
    known: &[String],
) -> Result<Class, TableError> {
    let place = |text: &str| known.iter().position(|name| name == text);
    if let Some(levels) = table.levels(column) {
        let found: Vec<Option<u32>> = levels.iter().map(|level| label(place(level))).collect();
        if let Some(level) = found.iter().position(Option::is_none) {
            let row = table.column(column).position(|cell| cell == level as f64).unwrap_or(0);
            return Err(unknown(table, row, column, levels[level].clone(), known));
        }
        return Ok(Class::Levels(found));
    }
    let numbers: Option<Vec<f64>> = known.iter().map(|name| name.parse().ok()).collect();
    let numbers = numbers.unwrap_or_default();
    let strange = |cell: &f64| {
        !cell.is_nan() && numbers.binary_search_by(|known| order(*known, *cell)).is_err()
    };
    if let Some(row) = table.column(column).position(|cell| strange(&cell)) {
        let found = table.cell(row, column).to_string();
        return Err(unknown(table, row, column, found, known));
    }
    Ok(Class::Numbers(numbers))
}
