//! From the columns of a table to numbers, and the same again for another table.

use std::sync::Arc;

use super::encoding::{EncodedColumn, EncodedForm, Encoding, Missing};
use super::table::{ColumnKind, Table};
use super::{Dataset, Targets};
use chosen::Chosen;
use classes::Class;

mod cells;
mod chosen;
mod classes;
mod columns;
mod error;
#[cfg(test)]
mod tests;

pub use error::{TableError, TableFault};

/// Texts that a column may have whatever the number of rows.
const FEW_LEVELS: usize = 20;

/// What the columns of a table are for.
///
/// Columns are named as they are, or by patterns in which `*` stands for any text and `?` for one character; a name that is there goes before
/// a pattern.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roles {
    /// What is to be predicted: one column or several of numbers, or one of classes.
    pub targets: Vec<String>,
    /// Numbers or classes.
    pub task: TargetKind,
    /// The features; where none is named, all columns that have no other role.
    pub features: Vec<String>,
    /// Columns that are neither.
    pub ignored: Vec<String>,
    /// Columns of texts that are features whatever the number of their levels.
    pub categorical: Vec<String>,
    /// The weights of the samples.
    pub weights: Option<String>,
    /// What is added to the output of each sample.
    pub offset: Option<String>,
    /// What becomes of missing values.
    pub missing: Missing,
    /// Where samples are held out: the fraction that is not, and the seed. Means and most frequent texts that fill gaps are then of the samples
    /// alone that [`Dataset::split`] with both puts first. Default: all.
    pub filled_from: Option<(f64, u64)>,
}

/// How target columns are understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetKind {
    /// Numbers as numbers, texts as classes.
    #[default]
    Auto,
    /// Numbers.
    Values,
    /// Classes: the texts by alphabet, or the numbers by size.
    Classes,
}

/// A data set made of a table.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// The samples. It keeps the encoding: [`Dataset::encoding`].
    pub data: Dataset,
    /// For every sample its row in the table, from 0.
    pub rows: Vec<usize>,
    /// What was left out or filled in, a sentence each.
    pub notes: Vec<String>,
}

/// Inputs made of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedInputs {
    /// d × M, column-major.
    pub inputs: Vec<f64>,
    /// For every sample its row in the table, from 0.
    pub rows: Vec<usize>,
    /// What was left out or filled in, a sentence each.
    pub notes: Vec<String>,
}

impl Table {
    /// Makes a data set of it: every column a feature but those with another role; texts as inputs that are 0 or 1, one for each level but the
    /// first. Where all features are numbers, their cells are moved to their places in the memory that the table has.
    ///
    /// ```
    /// use secant_core::data::{Roles, Table, TableOptions};
    ///
    /// let text = "height;sex;weight\n1.71;f;61\n1.80;m;75\n1.65;f;58\n";
    /// let table = Table::from_bytes(text.as_bytes(), &TableOptions::default())?;
    /// let roles = Roles { targets: vec!["weight".into()], ..Roles::default() };
    /// let data = table.into_dataset(&roles)?.data;
    /// assert_eq!(data.feature_names(), ["height", "sex=m"]);
    /// assert_eq!(data.inputs(), [1.71, 0.0, 1.80, 1.0, 1.65, 0.0]);
    ///
    /// // The same columns of another table, wherever they stand.
    /// let next = Table::from_bytes(b"sex,height\nm,1.77\n", &TableOptions::default())?;
    /// let inputs = data.encoding().unwrap().inputs(next)?;
    /// assert_eq!(inputs.inputs, [1.77, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A column that is not there; one with two roles; missing values, unless `roles` say what becomes of them; an infinity; numbers and texts,
    /// or dates, in a column that is used; texts that look like names of the rows; classes with other than one target; no rows left.
    pub fn into_dataset(self, roles: &Roles) -> Result<Encoded, TableError> {
        let chosen = Chosen::by_roles(&self, roles)?;
        let encoding = chosen.encoding(&self, roles);
        encode(self, encoding, &chosen)
    }
}

impl Encoding {
    /// The inputs of another table's rows. Columns are found by name; those that are not needed are left alone.
    ///
    /// # Errors
    /// As [`Table::into_dataset`]; a level that the encoding does not know.
    pub fn inputs(&self, table: Table) -> Result<EncodedInputs, TableError> {
        let chosen = Chosen::of_inputs(&table, self)?;
        let (file, rows) = (table.file.clone(), chosen.kept(&table, self)?);
        let notes = chosen.notes(&table, self, &rows);
        if rows.is_empty() {
            return Err(TableError { file, fault: Box::new(TableFault::NoRows) });
        }
        Ok(EncodedInputs { inputs: chosen.inputs(table, self, &rows)?, rows, notes })
    }

    /// The data set of another table: inputs, targets, weights and offsets.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs); a class that the encoding does not know.
    pub fn dataset(&self, table: Table) -> Result<Encoded, TableError> {
        let chosen = Chosen::of_encoding(&table, self)?;
        encode(table, self.clone(), &chosen)
    }
}

/// The table as `encoding` has it, by the columns `chosen` for it.
fn encode(table: Table, encoding: Encoding, chosen: &Chosen) -> Result<Encoded, TableError> {
    let file = table.file.clone();
    let rows = chosen.kept(&table, &encoding)?;
    let notes = chosen.notes(&table, &encoding, &rows);
    if rows.is_empty() {
        return Err(TableError { file, fault: Box::new(TableFault::NoRows) });
    }
    chosen.check_finite(&table, &rows)?;
    let list = |column: Option<usize>| {
        column.map(|column| rows.iter().map(|&row| table.cell(row, column)).collect::<Vec<_>>())
    };
    let (weights, offset) = (list(chosen.weights), list(chosen.offset));
    let targets = match &chosen.classes {
        Some(class) => Targets::Labels {
            classes: encoding.classes.len().max(2),
            labels: labels(&table, chosen.targets[0], class, &rows),
        },
        None => Targets::Values {
            rows: chosen.targets.len(),
            values: rows
                .iter()
                .flat_map(|&row| chosen.targets.iter().map(move |&column| (row, column)))
                .map(|(row, column)| table.cell(row, column))
                .collect(),
        },
    };
    let wrong = |error| TableError { file: file.clone(), fault: Box::new(TableFault::Data(error)) };
    let inputs = chosen.inputs(table, &encoding, &rows)?;
    let (names, target_names) = (encoding.input_names(), encoding.targets.clone());
    let mut data =
        Dataset::named(encoding.width(), inputs, targets, names, target_names).map_err(wrong)?;
    if encoding.classes.len() >= 2 {
        data = data.with_class_names(encoding.classes.clone()).map_err(wrong)?;
    }
    if let Some(weights) = weights {
        data = data.with_weights(weights).map_err(wrong)?;
    }
    if let Some(offset) = offset {
        data = data.with_offset(offset).map_err(wrong)?;
    }
    data.encoding = Some(Arc::new(encoding));
    Ok(Encoded { data, rows, notes })
}

/// The classes of the rows; `class` knows each cell.
fn labels(table: &Table, column: usize, class: &Class, rows: &[usize]) -> Vec<u32> {
    rows.iter().map(|&row| class.of(table.cell(row, column)).unwrap_or(0)).collect()
}

impl Table {
    /// The cell, NaN where the value is missing.
    pub(super) fn cell(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.names.len() + column]
    }

    /// The texts of a column of texts.
    pub(super) fn levels(&self, column: usize) -> Option<&[String]> {
        match &self.kinds[column] {
            ColumnKind::Text { levels } => Some(levels),
            _ => None,
        }
    }
}
