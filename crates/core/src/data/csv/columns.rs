//! The header of a table, and what each of its columns is for.

use std::collections::HashMap;
use std::path::Path;

use super::super::source::{Source, text};
use super::super::{DataError, Task};
use super::records::Record;
use super::{CsvOptions, shown_byte};
use crate::text::{did_you_mean, quoted};

/// Delimiters that a file of one column may have in truth.
const DELIMITERS: [u8; 5] = *b";,\t| ";

/// The columns that are used, by their place in a row.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    pub(super) features: Vec<usize>,
    pub(super) targets: Vec<usize>,
    /// Fields of a row that stand before the first of `names`: an index.
    pub(super) before: usize,
}

impl Columns {
    /// Of a header and the number of fields in the first row below it.
    pub(super) fn of_header(
        header: &Record,
        first_row: Option<usize>,
        source: &mut Source<'_>,
        options: &CsvOptions,
    ) -> Result<Self, DataError> {
        let path = source.path;
        // What a name takes in the list, in the search for doubles and in the lists of columns.
        source.take::<[usize; 12]>(header.len())?;
        let mut fields: Vec<&[u8]> = header.fields().collect();
        let trailing =
            |fields: &[&[u8]]| fields.last().is_some_and(|last| last.trim_ascii().is_empty());
        if options.trailing_delimiter && fields.len() > 1 && trailing(&fields) {
            fields.pop();
        }
        // R writes row names without a name above them.
        let unnamed_index = first_row == Some(fields.len() + 1);
        let indexed = options.index_column && !unnamed_index;
        let mut names = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate().skip(usize::from(indexed)) {
            let name = text(field, path, header.line)?;
            if name.is_empty() {
                let error = DataError::EmptyColumnName {
                    path: path.to_path_buf(),
                    column: index + 1,
                    hint: Box::default(),
                };
                return Err(error.hinted(|| unnamed(index, fields.len())));
            }
            names.push(name.to_owned());
        }
        refuse_duplicates(&names, path)?;
        Self::assign(names, usize::from(options.index_column), path, options)
    }

    /// Of a file without a header, from the number of fields in its first row.
    pub(super) fn numbered(
        fields: usize,
        source: &mut Source<'_>,
        options: &CsvOptions,
    ) -> Result<Self, DataError> {
        source.take::<[usize; 12]>(fields)?;
        let before = usize::from(options.index_column).min(fields);
        let names = (before..fields).map(|index| format!("column{}", index + 1)).collect();
        Self::assign(names, before, source.path, options)
    }

    fn assign(
        names: Vec<String>,
        before: usize,
        path: &Path,
        options: &CsvOptions,
    ) -> Result<Self, DataError> {
        let mut places: HashMap<&str, usize> =
            names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        // Takes a column out of the features: a target asked for twice is missing the second time.
        let mut take = |name: &String| {
            if let Some(place) = places.remove(name.as_str()) {
                return Ok(place);
            }
            let left = names.iter().filter(|name| places.contains_key(name.as_str()));
            Err(missing_column(name, left.cloned().collect(), &names, path, options))
        };
        let targets = options.targets.iter().map(&mut take).collect::<Result<Vec<_>, _>>()?;
        options.ignored.iter().map(&mut take).collect::<Result<Vec<_>, _>>()?;
        let mut features: Vec<usize> = places.into_values().collect();
        features.sort_unstable();
        if options.task != Task::Values && targets.len() != 1 {
            return Err(DataError::OneLabelColumn {
                path: path.to_path_buf(),
                found: targets.len(),
            });
        }
        let missing = |what| DataError::NoData { file: Some(path.to_path_buf()), what };
        if targets.is_empty() {
            return Err(missing("target columns"));
        }
        if features.is_empty() {
            return Err(missing("features"));
        }
        Ok(Self { names, features, targets, before })
    }

    /// Fields of a row, a trailing empty one not counted.
    pub(super) fn fields(&self) -> usize {
        self.before + self.names.len()
    }
}

/// What a column without a name may be.
fn unnamed(index: usize, columns: usize) -> String {
    if index == 0 {
        return ": an index? `CsvOptions { index_column: true, .. }` leaves it out".to_owned();
    }
    if index + 1 == columns {
        return ": a delimiter at the end of each line? `CsvOptions { trailing_delimiter: true, .. }` allows it".to_owned();
    }
    String::new()
}

/// A target or ignored column that is not there.
fn missing_column(
    name: &str,
    existing: Vec<String>,
    names: &[String],
    path: &Path,
    options: &CsvOptions,
) -> DataError {
    let path = path.to_path_buf();
    let comment = names.first().and_then(|first| comment_sign(first.as_bytes()));
    if let ([only], true, None) = (names, options.header, comment) {
        let fields = |delimiter: &u8| only.bytes().filter(|byte| byte == delimiter).count();
        let others = DELIMITERS.into_iter().filter(|delimiter| *delimiter != options.delimiter);
        // The first of those that split it into most fields.
        let best = others.rev().max_by_key(fields).filter(|delimiter| fields(delimiter) > 0);
        if let Some(delimiter) = best {
            let shown = shown_byte(delimiter);
            let hint = format!(
                ": is the delimiter `{}`? `CsvOptions {{ delimiter: {shown}, .. }}`",
                shown.trim_start_matches('b').trim_matches('\'')
            );
            return DataError::OneColumn {
                path,
                found: quoted(only).to_string(),
                hint: hint.into(),
            };
        }
    }
    let near = did_you_mean(name, existing.iter().map(String::as_str));
    let hint = match names.first() {
        _ if !near.is_empty() => near,
        Some(first) if options.header => first_line_hint(first, names),
        _ => String::new(),
    };
    DataError::MissingColumn { path, name: name.to_owned(), existing, hint: hint.into() }
}

/// What the first line may be, where it is no header.
fn first_line_hint(first: &str, names: &[String]) -> String {
    if let Some(sign) = comment_sign(first.as_bytes()) {
        return comment_hint(sign);
    }
    if names.iter().all(|name| name.parse::<f64>().is_ok()) {
        return ": is there no header? `CsvOptions { header: false, .. }` names the columns `column1`, `column2`, …".to_owned();
    }
    String::new()
}

/// The sign of a comment that a field begins with.
pub(in crate::data) fn comment_sign(field: &[u8]) -> Option<u8> {
    field.first().copied().filter(|byte| matches!(byte, b'#' | b'%' | b'!'))
}

pub(in crate::data) fn comment_hint(sign: u8) -> String {
    let sign = shown_byte(sign);
    format!(": a comment? `CsvOptions {{ comment: Some({sign}), .. }}` leaves such lines out")
}

fn refuse_duplicates(names: &[String], path: &Path) -> Result<(), DataError> {
    let mut seen = HashMap::with_capacity(names.len());
    for (second, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name, second) {
            return Err(DataError::DuplicateColumn {
                path: path.to_path_buf(),
                name: quoted(name).to_string(),
                first: first + 1,
                second: second + 1,
                hint: first_line_hint(&names[0], names).into(),
            });
        }
    }
    Ok(())
}
