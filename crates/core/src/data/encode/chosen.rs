//! The columns of one table that an encoding takes, found by name, with what each cell becomes.

use super::super::split::parts;
use super::super::table::{ColumnKind, Table};
use super::classes::{Class, classes, known_classes};
use super::columns::{
    Taken, mean, most_frequent, numeric, refused, sorted, texts, unknown, usable,
};
use super::{
    EncodedColumn, EncodedForm, Encoding, FEW_LEVELS, Missing, Roles, TableError, TableFault,
};
use crate::text::{matches, quoted};

/// Columns of a table by their place.
pub(super) struct Chosen {
    /// For each column of the encoding.
    pub(super) features: Vec<Taken>,
    pub(super) targets: Vec<usize>,
    /// What the cells of the target are, where it is of classes.
    pub(super) classes: Option<Class>,
    pub(super) weights: Option<usize>,
    pub(super) offset: Option<usize>,
    /// What was left out unasked.
    pub(super) left_out: Vec<String>,
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
    pub(super) fn encoding(&self, table: &Table, roles: &Roles) -> Encoding {
        let name = |column: usize| table.names[column].clone();
        let missing = roles.missing;
        let fill = missing == Missing::Mean;
        let rows = if fill { self.filled_from(table, roles) } else { Vec::new() };
        let features = self.features.iter().map(|taken| EncodedColumn {
            name: name(taken.column),
            form: match table.levels(taken.column) {
                None => {
                    EncodedForm::Number { fill: fill.then(|| mean(table, taken.column, &rows)) }
                }
                Some(levels) => EncodedForm::Levels {
                    levels: sorted(levels),
                    fill: fill.then(|| most_frequent(table, taken, &rows)).flatten(),
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

    /// The rows whose means and most frequent texts fill gaps, in the order of the table.
    fn filled_from(&self, table: &Table, roles: &Roles) -> Vec<usize> {
        let rows = self.whole(table, Missing::Mean);
        let split = roles.filled_from.and_then(|(part, seed)| parts(rows.len(), part, seed));
        let Some((mut first, _)) = split else { return rows };
        first.sort_unstable();
        first.into_iter().map(|sample| rows[sample]).collect()
    }

    /// The names of the classes, in their order.
    fn class_names(&self, table: &Table) -> Vec<String> {
        match &self.classes {
            None => Vec::new(),
            Some(Class::Numbers(numbers)) => numbers.iter().map(f64::to_string).collect(),
            Some(Class::Levels(_)) => sorted(table.levels(self.targets[0]).unwrap_or_default()),
        }
    }
}

/// Whether the numbers are 0, 1, 2, … or 1, 2, 3, ….
fn counts_rows(table: &Table, column: usize) -> bool {
    let mut cells = table.column(column);
    let Some(first) = cells.next() else { return false };
    table.kinds[column] == ColumnKind::Number
        && (first == 0.0 || first == 1.0)
        && cells.zip(1_u32..).all(|(cell, count)| cell == first + f64::from(count))
}
