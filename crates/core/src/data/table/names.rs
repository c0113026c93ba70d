//! What the columns are called, each by a name of its own.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::super::DataError;
use super::TableOptions;
use super::column::Fields;
use crate::text::{did_you_mean, enumerated, matches, quoted};

/// The names of the columns, and what was done to have them.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) columns: Vec<String>,
    /// Columns whose name the file does not give.
    pub(super) unnamed: Vec<usize>,
    pub(super) notes: Vec<String>,
}

/// The first column of a table whose header has one name fewer.
const ROW: &str = "row";

impl Names {
    /// `column1`, `column2`, …
    pub(super) fn numbered(columns: usize) -> Self {
        let names = (1..=columns).map(|index| format!("column{index}")).collect();
        Self { columns: names, ..Self::default() }
    }

    /// Of a header; `index` says that the first column has no field there. What is empty or was there before gets another name.
    pub(super) fn of_header(header: &[&str], index: bool) -> Self {
        let given: HashSet<&str> = header.iter().copied().collect();
        let mut used: HashSet<String> = HashSet::with_capacity(header.len());
        // The next number of a name that comes again.
        let mut next: HashMap<String, usize> = HashMap::new();
        let mut found = Self::default();
        let mut renamed = Vec::new();
        let fields = index.then_some("").into_iter().chain(header.iter().copied());
        for (place, field) in fields.enumerate() {
            let wanted = match field {
                "" if index && place == 0 => ROW.to_owned(),
                "" => format!("column{}", place + 1),
                name => name.to_owned(),
            };
            let taken = |name: &String, used: &HashSet<String>| {
                used.contains(name) || (*name != field && given.contains(name.as_str()))
            };
            let mut name = wanted.clone();
            while taken(&name, &used) {
                let number = next.entry(wanted.clone()).or_insert(2);
                name = format!("{wanted}.{number}");
                *number += 1;
            }
            if field.is_empty() {
                found.unnamed.push(place);
            } else if name != field {
                renamed.push(format!("{} (column {})", quoted(&name), place + 1));
            }
            used.insert(name.clone());
            found.columns.push(name);
        }
        if index {
            found.notes.push(format!(
                "the header has one name fewer than there are columns: the first is `{}`",
                found.columns[0]
            ));
        }
        let of_header = found.unnamed.iter().skip(usize::from(index));
        let unnamed: Vec<&str> = of_header.map(|&place| found.columns[place].as_str()).collect();
        if !unnamed.is_empty() {
            found.notes.push(format!(
                "columns without a name in the header: {}",
                enumerated(unnamed.iter().copied())
            ));
        }
        if !renamed.is_empty() {
            found.notes.push(format!(
                "names that come twice are numbered: {}",
                enumerated(renamed.iter().map(String::as_str))
            ));
        }
        found
    }
}

/// What the fields of each column may be: an option makes texts of some.
pub(super) fn categorical(
    names: &[String],
    options: &TableOptions,
    path: &Path,
) -> Result<Vec<Fields>, DataError> {
    let mut picked = vec![Fields::Any; names.len()];
    for pattern in &options.categorical {
        let mut any = false;
        for (name, picked) in names.iter().zip(&mut picked) {
            if matches(pattern, name) {
                (any, *picked) = (true, Fields::Levels);
            }
        }
        if !any {
            return Err(DataError::MissingColumn {
                path: path.to_path_buf(),
                name: pattern.clone(),
                existing: names.to_vec(),
                hint: did_you_mean(pattern, names.iter().map(String::as_str)).into(),
            });
        }
    }
    Ok(picked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_name_of_its_own() {
        for (header, index, names, unnamed) in [
            (&["a", "b"][..], false, &["a", "b"][..], &[][..]),
            (&["x", "x", "y", "x"], false, &["x", "x.2", "y", "x.3"], &[]),
            // A name of the header is not taken from its column.
            (&["x", "x", "x.2"], false, &["x", "x.3", "x.2"], &[]),
            (&["x", "x", "x.2", "x.2"], false, &["x", "x.3", "x.2", "x.2.2"], &[]),
            (&["", "a", ""], false, &["column1", "a", "column3"], &[0, 2]),
            (&["", "column1"], false, &["column1.2", "column1"], &[0]),
            (&["a", "b"], true, &["row", "a", "b"], &[0]),
            (&["row"], true, &["row.2", "row"], &[0]),
        ] {
            let found = Names::of_header(header, index);
            assert_eq!(
                (
                    &found.columns[..].iter().map(String::as_str).collect::<Vec<_>>()[..],
                    &found.unnamed[..]
                ),
                (names, unnamed),
                "{header:?}"
            );
        }
        let notes = Names::of_header(&["x", "", "x", "x"], false).notes;
        assert_eq!(
            notes,
            [
                "columns without a name in the header: column2",
                "names that come twice are numbered: x.2 (column 3), x.3 (column 4)"
            ]
        );
    }
}
