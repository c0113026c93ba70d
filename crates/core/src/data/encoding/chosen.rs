//! The columns of one table that an encoding takes, found by name, with what each cell becomes.

use std::cmp::Ordering;
use std::path::PathBuf;

use super::super::csv::numbers::Numbers;
use super::super::table::{ColumnKind, Table};
use super::{
    EncodedColumn, EncodedForm, Encoding, Missing, Roles, TableError, TableFault, TargetKind,
};
use crate::text::{enumerated, matches, quoted};

/// Texts that a column may have whatever the number of rows.
const FEW_LEVELS: usize = 20;
/// Places that a message lists.
const LISTED: usize = 5;

/// Columns of a table by their place.
pub(super) struct Chosen {
    /// For each column of the encoding.
    features: Vec<Taken>,
    pub(super) targets: Vec<usize>,
    /// What the cells of the target are, where it is of classes.
    pub(super) classes: Option<Class>,
    pub(super) weights: Option<usize>,
    pub(super) offset: Option<usize>,
    /// What was left out unasked.
    left_out: Vec<String>,
}

/// A feature's column, and for texts the index in the encoding of each of the table's levels.
struct Taken {
    column: usize,
    levels: Option<Vec<Option<usize>>>,
}

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

/// A refusal about `table`.
fn refused(table: &Table, fault: TableFault) -> TableError {
    TableError { file: PathBuf::from(&table.file), fault }
}

/// The columns that `pattern` names.
fn named(table: &Table, pattern: &str, role: &'static str) -> Result<Vec<usize>, TableError> {
    if let Some(exact) = table.names.iter().position(|name| name == pattern) {
        return Ok(vec![exact]);
    }
    let found: Vec<usize> = (0..table.names.len())
        .filter(|&column| pattern.contains(['*', '?']) && matches(pattern, &table.names[column]))
        .collect();
    if found.is_empty() {
        let (name, existing) = (pattern.to_owned(), table.names.clone());
        return Err(refused(table, TableFault::NoColumn { role, name, existing }));
    }
    Ok(found)
}

/// The columns that one of `patterns` names, each once, in that order.
fn all_named(
    table: &Table,
    patterns: &[String],
    role: &'static str,
) -> Result<Vec<usize>, TableError> {
    let mut columns = Vec::new();
    for pattern in patterns {
        for column in named(table, pattern, role)? {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    Ok(columns)
}

fn one_named(
    table: &Table,
    name: Option<&str>,
    role: &'static str,
) -> Result<Option<usize>, TableError> {
    let Some(name) = name else { return Ok(None) };
    table.names.iter().position(|known| known == name).map(Some).ok_or_else(|| {
        let (name, existing) = (name.to_owned(), table.names.clone());
        refused(table, TableFault::NoColumn { role, name, existing })
    })
}

/// A column of numbers, for a role that needs them.
fn numeric(table: &Table, column: usize, role: &'static str) -> Result<(), TableError> {
    usable(table, column)?;
    match table.levels(column).and_then(|levels| levels.first()) {
        None => Ok(()),
        Some(found) => {
            let (name, found) = (table.names[column].clone(), found.clone());
            Err(refused(table, TableFault::Texts { role, name, found }))
        }
    }
}

/// Texts that are no numbers in another writing.
fn texts(table: &Table, column: usize) -> Result<(), TableError> {
    let Some(levels) = table.levels(column) else { return Ok(()) };
    let Some((decimal, thousands)) = Numbers::of_all(levels.iter().map(String::as_str)) else {
        return Ok(());
    };
    let row = table.column(column).position(|cell| !cell.is_nan()).unwrap_or(0);
    let (name, place) = (table.names[column].clone(), table.row_name(row));
    let found = level_text(table, column, table.cell(row, column));
    Err(refused(table, TableFault::NumbersAsTexts { name, place, found, decimal, thousands }))
}

/// Neither dates nor a mixture.
fn usable(table: &Table, column: usize) -> Result<(), TableError> {
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

impl Chosen {
    /// The columns that `roles` name, and those that are left for features.
    pub(super) fn by_roles(table: &Table, roles: &Roles) -> Result<Self, TableError> {
        if roles.targets.is_empty() {
            return Err(refused(table, TableFault::NoTarget { existing: table.names.clone() }));
        }
        let targets = all_named(table, &roles.targets, "target")?;
        let weights = one_named(table, roles.weights.as_deref(), "weights")?;
        let offset = one_named(table, roles.offset.as_deref(), "offset")?;
        let ignored = all_named(table, &roles.ignored, "ignored columns")?;
        let categorical = all_named(table, &roles.categorical, "categorical columns")?;
        let wanted = all_named(table, &roles.features, "features")?;
        let exact = |column: &usize| roles.features.contains(&table.names[*column]);
        let mut role = vec![None; table.names.len()];
        let given = [("the target", &targets), ("ignored", &ignored)];
        let alone = [("the weights", weights), ("the offset", offset)];
        let all = given
            .into_iter()
            .flat_map(|(name, columns)| columns.iter().map(move |column| (name, *column)))
            .chain(alone.into_iter().filter_map(|(name, column)| Some((name, column?))));
        for (name, column) in all {
            match role[column].replace(name) {
                // A pattern of columns to ignore may fit columns that are needed.
                Some(first) if name != "ignored" && first != "ignored" => {
                    let (name, roles) = (table.names[column].clone(), [first, name]);
                    return Err(refused(table, TableFault::TwoRoles { name, roles }));
                }
                Some(first) if name == "ignored" => {
                    if roles.ignored.contains(&table.names[column]) {
                        let (name, roles) = (table.names[column].clone(), [first, name]);
                        return Err(refused(table, TableFault::TwoRoles { name, roles }));
                    }
                    role[column] = Some(first);
                }
                _ => {}
            }
        }
        for column in wanted.iter().filter(|column| exact(column)) {
            if let Some(first) = role[*column] {
                let (name, roles) = (table.names[*column].clone(), [first, "a feature"]);
                return Err(refused(table, TableFault::TwoRoles { name, roles }));
            }
        }
        for column in targets.iter().filter(|column| !categorical.contains(column)) {
            texts(table, *column)?;
        }
        let classes = classes(table, &targets, roles.task)?;
        for (column, role) in [(weights, "weights"), (offset, "offset")] {
            if let Some(column) = column {
                numeric(table, column, role)?;
            }
        }
        let all: Vec<usize> = (0..table.names.len()).collect();
        let candidates = if roles.features.is_empty() { &all } else { &wanted };
        let (mut features, mut left_out) = (Vec::new(), Vec::new());
        for &column in candidates.iter().filter(|column| role[**column].is_none()) {
            let name = quoted(&table.names[column]);
            let asked = exact(&column);
            if !asked && table.unnamed.contains(&column) && counts_rows(table, column) {
                left_out.push(format!("Column \"{name}\" counts the rows: left out."));
                continue;
            }
            if !asked
                && roles.missing != Missing::Refuse
                && table.column(column).all(f64::is_nan)
                && table.kinds[column] == ColumnKind::Number
            {
                left_out.push(format!("Column \"{name}\" is empty: left out."));
                continue;
            }
            usable(table, column)?;
            if !categorical.contains(&column) {
                texts(table, column)?;
            }
            if let Some(levels) = table.levels(column) {
                if let [only] = levels {
                    let only = quoted(only);
                    left_out
                        .push(format!("Column \"{name}\" is \"{only}\" in all rows: left out."));
                    continue;
                }
                let (levels, rows) = (levels.len(), table.rows());
                if levels > FEW_LEVELS && levels > rows / 2 && !categorical.contains(&column) {
                    let name = table.names[column].clone();
                    return Err(refused(table, TableFault::Identifiers { name, levels, rows }));
                }
            }
            features.push(column);
        }
        if features.is_empty() {
            return Err(refused(table, TableFault::NoFeatures));
        }
        let features = features.into_iter().map(|column| Taken { column, levels: None }).collect();
        let mut chosen = Self { features, targets, classes, weights, offset, left_out };
        // The levels by alphabet, where a table has them in the order of its rows.
        for taken in &mut chosen.features {
            taken.levels = table.levels(taken.column).map(|levels| {
                let sorted = sorted(levels);
                levels.iter().map(|level| sorted.binary_search(level).ok()).collect()
            });
        }
        Ok(chosen)
    }

    /// The columns of an encoding, with its targets, weights and offsets.
    pub(super) fn of_encoding(table: &Table, encoding: &Encoding) -> Result<Self, TableError> {
        let mut chosen = Self::of_inputs(table, encoding)?;
        for name in &encoding.targets {
            let column = one_named(table, Some(name), "target")?;
            chosen.targets.extend(column);
        }
        chosen.weights = one_named(table, encoding.weights(), "weights")?;
        chosen.offset = one_named(table, encoding.offset(), "offset")?;
        for (column, role) in [(chosen.weights, "weights"), (chosen.offset, "offset")] {
            if let Some(column) = column {
                numeric(table, column, role)?;
            }
        }
        if encoding.classes.is_empty() {
            for &column in &chosen.targets {
                numeric(table, column, "target")?;
            }
        } else if let &[column] = &chosen.targets[..] {
            usable(table, column)?;
            chosen.classes = Some(known_classes(table, column, &encoding.classes)?);
        }
        Ok(chosen)
    }

    /// The columns of an encoding's inputs.
    pub(super) fn of_inputs(table: &Table, encoding: &Encoding) -> Result<Self, TableError> {
        let mut features = Vec::with_capacity(encoding.features.len());
        for EncodedColumn { name, form } in &encoding.features {
            let column = one_named(table, Some(name), "feature")?.unwrap_or(0);
            usable(table, column)?;
            let levels = match (form, table.levels(column)) {
                (EncodedForm::Number { .. }, _) => {
                    numeric(table, column, "feature")?;
                    None
                }
                (EncodedForm::Levels { levels: known, .. }, Some(levels)) => {
                    let place = |level| known.binary_search(level).ok();
                    Some(levels.iter().map(place).collect())
                }
                // Numbers, or nothing at all, where texts were.
                (EncodedForm::Levels { levels: known, .. }, None) => {
                    if let Some(row) = table.column(column).position(|cell| !cell.is_nan()) {
                        let found = table.cell(row, column).to_string();
                        return Err(unknown(table, row, column, found, known));
                    }
                    Some(Vec::new())
                }
            };
            features.push(Taken { column, levels });
        }
        let (targets, left_out) = (Vec::new(), Vec::new());
        Ok(Self { features, targets, classes: None, weights: None, offset: None, left_out })
    }

    /// What the chosen columns of this table are from now on.
    pub(super) fn encoding(&self, table: &Table, missing: Missing) -> Encoding {
        let name = |column: usize| table.names[column].clone();
        let fill = missing == Missing::Mean;
        let features = self.features.iter().map(|taken| EncodedColumn {
            name: name(taken.column),
            form: match table.levels(taken.column) {
                None => EncodedForm::Number { fill: fill.then(|| mean(table, taken.column)) },
                Some(levels) => EncodedForm::Levels {
                    levels: sorted(levels),
                    fill: fill.then(|| most_frequent(table, taken)).flatten(),
                },
            },
        });
        Encoding {
            features: features.collect(),
            targets: self.targets.iter().map(|&column| name(column)).collect(),
            classes: self.class_names(table),
            weights: self.weights.map(name),
            offset: self.offset.map(name),
            missing,
        }
    }

    /// The names of the classes, in their order.
    fn class_names(&self, table: &Table) -> Vec<String> {
        match &self.classes {
            None => Vec::new(),
            Some(Class::Numbers(numbers)) => numbers.iter().map(f64::to_string).collect(),
            Some(Class::Levels(_)) => sorted(table.levels(self.targets[0]).unwrap_or_default()),
        }
    }

    /// The rows that become samples.
    pub(super) fn kept(
        &self,
        table: &Table,
        encoding: &Encoding,
    ) -> Result<Vec<usize>, TableError> {
        let needed: Vec<usize> =
            self.targets.iter().copied().chain(self.weights).chain(self.offset).collect();
        let mut columns = needed.clone();
        if encoding.missing != Missing::Mean {
            columns.extend(self.features.iter().map(|taken| taken.column));
        }
        let whole = |row: &usize| columns.iter().all(|&column| !table.cell(*row, column).is_nan());
        let kept: Vec<usize> = (0..table.rows()).filter(whole).collect();
        let without = |taken: &&Taken, form: &EncodedForm| {
            let filled = match form {
                EncodedForm::Number { fill } => fill.is_some(),
                EncodedForm::Levels { fill, .. } => fill.is_some(),
            };
            !filled && table.column(taken.column).any(f64::is_nan)
        };
        match encoding.missing {
            Missing::Refuse if kept.len() < table.rows() => Err(self.missing(table, &columns)),
            Missing::Mean => {
                // A column that had no mean to fill gaps with.
                let forms = self.features.iter().zip(&encoding.features);
                let open: Vec<usize> = forms
                    .filter(|(taken, column)| without(taken, &column.form))
                    .map(|(taken, _)| taken.column)
                    .collect();
                if open.is_empty() { Ok(kept) } else { Err(self.missing(table, &open)) }
            }
            _ => Ok(kept),
        }
    }

    /// The refusal of what is missing in `columns`.
    fn missing(&self, table: &Table, columns: &[usize]) -> TableError {
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
                refused(&table, TableFault::Data(super::super::DataError::TooLarge { path, found }))
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

impl Taken {
    /// The encoding's level of a cell; `fill` where it is missing.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index, or NaN, which is told apart"
    )]
    fn level(&self, cell: f64, fill: Option<usize>) -> Option<usize> {
        if cell.is_nan() {
            return fill;
        }
        self.levels.as_ref()?.get(cell as usize).copied().flatten()
    }
}

/// The levels by alphabet.
fn sorted(levels: &[String]) -> Vec<String> {
    let mut sorted = levels.to_vec();
    sorted.sort_unstable();
    sorted
}

/// The mean of the numbers that are there: 0 where there is none, as in a column that is left out for it.
fn mean(table: &Table, column: usize) -> f64 {
    // By steps, so that no sum overflows.
    let mut mean = 0.0;
    let there = table.column(column).filter(|cell| !cell.is_nan());
    for (count, cell) in (1_u32..).zip(there) {
        mean += (cell - mean) / f64::from(count);
    }
    mean
}

/// The level that most rows have, the first by alphabet of several.
fn most_frequent(table: &Table, taken: &Taken) -> Option<usize> {
    let levels = taken.levels.as_ref()?;
    let mut counts = vec![0_usize; levels.len()];
    for cell in table.column(taken.column) {
        if let Some(level) = taken.level(cell, None) {
            counts[level] += 1;
        }
    }
    let most = *counts.iter().max()?;
    counts.iter().position(|count| *count == most)
}

/// The text of a cell.
fn level_text(table: &Table, column: usize, cell: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the index of a level"
    )]
    let level = table.levels(column).and_then(|levels| levels.get(cell as usize));
    level.cloned().unwrap_or_else(|| cell.to_string())
}

fn unknown(
    table: &Table,
    row: usize,
    column: usize,
    found: String,
    known: &[String],
) -> TableError {
    let (place, known) = (table.place(row, column), known.to_vec());
    refused(table, TableFault::UnknownLevel { place, found, known })
}

/// Whether the numbers are 0, 1, 2, … or 1, 2, 3, ….
fn counts_rows(table: &Table, column: usize) -> bool {
    let mut cells = table.column(column);
    let Some(first) = cells.next() else { return false };
    table.kinds[column] == ColumnKind::Number
        && (first == 0.0 || first == 1.0)
        && cells.zip(1_u32..).all(|(cell, count)| cell == first + f64::from(count))
}

/// How the target's cells are classes, if they are.
fn classes(
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
fn known_classes(table: &Table, column: usize, known: &[String]) -> Result<Class, TableError> {
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
