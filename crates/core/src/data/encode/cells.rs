//! The cells of the chosen columns: which rows become samples, and their inputs.

use super::super::DataError;
use super::super::table::Table;
use super::chosen::Chosen;
use super::columns::{Taken, level_text, refused, unknown};
use super::{EncodedForm, Encoding, Missing, TableError, TableFault};
use crate::text::{enumerated, quoted};

/// Places that a message lists.
const LISTED: usize = 5;

impl Chosen {
    /// The rows that become samples.
    pub(super) fn kept(
        &self,
        table: &Table,
        encoding: &Encoding,
    ) -> Result<Vec<usize>, TableError> {
        let kept = self.whole(table, encoding.missing);
        let without = |taken: &&Taken, form: &EncodedForm| {
            let filled = match form {
                EncodedForm::Number { fill } => fill.is_some(),
                EncodedForm::Levels { fill, .. } => fill.is_some(),
            };
            !filled && table.column(taken.column).any(f64::is_nan)
        };
        match encoding.missing {
            Missing::Refuse if kept.len() < table.rows() => {
                Err(Self::missing(table, &self.needed(encoding.missing)))
            }
            Missing::Mean => {
                // A column that had no mean to fill gaps with.
                let forms = self.features.iter().zip(&encoding.features);
                let open: Vec<usize> = forms
                    .filter(|(taken, column)| without(taken, &column.form))
                    .map(|(taken, _)| taken.column)
                    .collect();
                if open.is_empty() { Ok(kept) } else { Err(Self::missing(table, &open)) }
            }
            _ => Ok(kept),
        }
    }

    /// The columns whose gaps nothing fills.
    fn needed(&self, missing: Missing) -> Vec<usize> {
        let mut columns: Vec<usize> =
            self.targets.iter().copied().chain(self.weights).chain(self.offset).collect();
        if missing != Missing::Mean {
            columns.extend(self.features.iter().map(|taken| taken.column));
        }
        columns
    }

    /// The rows that lack nothing in these.
    pub(super) fn whole(&self, table: &Table, missing: Missing) -> Vec<usize> {
        let columns = self.needed(missing);
        let whole = |row: &usize| columns.iter().all(|&column| !table.cell(*row, column).is_nan());
        (0..table.rows()).filter(whole).collect()
    }

    /// Refuses an infinity among targets, weights and offsets, and weights below 0.
    pub(super) fn check_finite(&self, table: &Table, rows: &[usize]) -> Result<(), TableError> {
        if let Some(column) = self.weights
            && let Some(&row) = rows.iter().find(|row| table.cell(**row, column) < 0.0)
        {
            let (place, found) = (table.place(row, column), table.cell(row, column));
            return Err(refused(table, TableFault::Weight { place, found }));
        }
        let columns = self.targets.iter().copied().chain(self.weights).chain(self.offset);
        for column in columns {
            if let Some(&row) = rows.iter().find(|row| table.cell(**row, column).is_infinite()) {
                let (place, found) = (table.place(row, column), table.cell(row, column));
                return Err(refused(table, TableFault::NotFinite { place, found }));
            }
        }
        Ok(())
    }

    /// The refusal of what is missing in `columns`.
    fn missing(table: &Table, columns: &[usize]) -> TableError {
        let (mut count, mut rows, mut places) = (0, 0, Vec::new());
        let mut each = vec![0; columns.len()];
        for row in 0..table.rows() {
            let before = count;
            for (column, each) in columns.iter().zip(&mut each) {
                if table.cell(row, *column).is_nan() {
                    (count, *each) = (count + 1, *each + 1);
                    if places.len() < LISTED {
                        places.push(table.place(row, *column));
                    }
                }
            }
            rows += usize::from(count > before);
        }
        let mut by_column: Vec<(String, usize)> = columns
            .iter()
            .zip(each)
            .filter(|(_, count)| *count > 0)
            .map(|(column, count)| (table.names[*column].clone(), count))
            .collect();
        by_column.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        refused(table, TableFault::Missing { count, rows, columns: by_column, places })
    }

    /// What was left out or filled in.
    pub(super) fn notes(&self, table: &Table, encoding: &Encoding, rows: &[usize]) -> Vec<String> {
        let mut notes = self.left_out.clone();
        let left_out = table.rows() - rows.len();
        if left_out > 0 {
            let plural = if left_out == 1 { "" } else { "s" };
            let of = table.rows();
            notes.push(format!("{left_out} row{plural} of {of} with missing values left out."));
        }
        if encoding.missing == Missing::Mean {
            let gaps = |taken: &Taken| {
                rows.iter().filter(|row| table.cell(**row, taken.column).is_nan()).count()
            };
            let filled: Vec<(usize, &str)> = self
                .features
                .iter()
                .map(|taken| (gaps(taken), table.names[taken.column].as_str()))
                .filter(|(count, _)| *count > 0)
                .collect();
            let count: usize = filled.iter().map(|(count, _)| count).sum();
            if count > 0 {
                let names = enumerated(filled.iter().map(|(_, name)| *name));
                let (plural, theirs) = if count == 1 { ("", "its") } else { ("s", "their") };
                notes.push(format!(
                    "{count} missing value{plural} replaced by {theirs} column's mean or most frequent text: {names}."
                ));
            }
        }
        for (taken, column) in self.features.iter().zip(&encoding.features) {
            let _ = taken;
            if let EncodedForm::Levels { levels, .. } = &column.form
                && let Some(first) = levels.first()
            {
                let (name, count) = (quoted(&column.name), levels.len());
                notes.push(format!(
                    "Column \"{name}\" holds texts: {count} levels, told from \"{}\".",
                    quoted(first)
                ));
            }
        }
        notes
    }

    /// The inputs of `rows`, d × M.
    pub(super) fn inputs(
        &self,
        mut table: Table,
        encoding: &Encoding,
        rows: &[usize],
    ) -> Result<Vec<f64>, TableError> {
        let (from, to) = (table.names.len(), encoding.width());
        let columns = || self.features.iter().zip(&encoding.features);
        let plain = columns().all(|(_, column)| column.form == EncodedForm::Number { fill: None });
        let mut scratch = vec![0.0; from];
        let mut sample = vec![0.0; to];
        let in_place = to <= from;
        let mut inputs = if in_place {
            std::mem::take(&mut table.cells)
        } else {
            let mut inputs = Vec::new();
            let numbers = rows.len().saturating_mul(to);
            inputs.try_reserve_exact(numbers).map_err(|_| {
                let path = table.file.clone();
                let found = format!("{numbers} numbers");
                refused(&table, TableFault::Data(DataError::TooLarge { path, found }))
            })?;
            inputs
        };
        for (index, &row) in rows.iter().enumerate() {
            // Sample `index` ends before row `row` + 1 begins: only rows that were read before are written over.
            let cells = if in_place {
                &inputs[row * from..(row + 1) * from]
            } else {
                &table.cells[row * from..(row + 1) * from]
            };
            scratch.copy_from_slice(cells);
            if plain {
                for (entry, taken) in sample.iter_mut().zip(&self.features) {
                    *entry = scratch[taken.column];
                }
            } else {
                let mut entries = sample.iter_mut();
                for (taken, column) in columns() {
                    let cell = scratch[taken.column];
                    match &column.form {
                        EncodedForm::Number { fill } => {
                            let value = if cell.is_nan() { fill.unwrap_or(cell) } else { cell };
                            entries.by_ref().take(1).for_each(|entry| *entry = value);
                        }
                        EncodedForm::Levels { levels, fill } => {
                            let level = taken.level(cell, *fill).ok_or_else(|| {
                                let found = level_text(&table, taken.column, cell);
                                unknown(&table, row, taken.column, found, levels)
                            })?;
                            for (index, entry) in (1..levels.len()).zip(entries.by_ref()) {
                                *entry = f64::from(u8::from(index == level));
                            }
                        }
                    }
                }
            }
            if !sample.iter().all(|value| value.is_finite()) {
                let infinite = |taken: &&Taken| !scratch[taken.column].is_finite();
                let column = self.features.iter().find(infinite).map_or(0, |taken| taken.column);
                let (place, found) = (table.place(row, column), scratch[column]);
                return Err(refused(&table, TableFault::NotFinite { place, found }));
            }
            if in_place {
                inputs[index * to..(index + 1) * to].copy_from_slice(&sample);
            } else {
                inputs.extend_from_slice(&sample);
            }
        }
        inputs.truncate(rows.len() * to);
        Ok(inputs)
    }
}
