//! Why a table is no data set as it stands.

use std::fmt;
use std::path::PathBuf;

use super::super::DataError;
use crate::text::{did_you_mean, list, path, quoted};

/// A table that cannot be used as asked: which one, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct TableError {
    /// The table's file.
    pub file: PathBuf,
    /// Why.
    pub fault: Box<TableFault>,
}

/// Why a table cannot be used as asked. Rows are named as the file has them: `line 3`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TableFault {
    /// No column of this name, or none that the pattern fits.
    NoColumn {
        /// What it was to be: target, feature, ….
        role: &'static str,
        /// The name or pattern.
        name: String,
        /// The columns that there are.
        existing: Vec<String>,
    },
    /// No target was named.
    NoTarget {
        /// The columns that there are.
        existing: Vec<String>,
    },
    /// A column with two roles.
    TwoRoles {
        /// Its name.
        name: String,
        /// Its roles.
        roles: [&'static str; 2],
    },
    /// All columns have another role, or one value only.
    NoFeatures,
    /// Missing values in columns that are used.
    Missing {
        /// How many.
        count: usize,
        /// In how many rows.
        rows: usize,
        /// The columns, each with how many.
        columns: Vec<(String, usize)>,
        /// Where the first ones are.
        places: Vec<String>,
    },
    /// An infinity.
    NotFinite {
        /// Where: line and column.
        place: String,
        /// What stands there.
        found: f64,
    },
    /// A column of numbers and texts.
    Mixed {
        /// Its name.
        name: String,
        /// How many numbers.
        numbers: usize,
        /// How many texts.
        texts: usize,
        /// Where the first of the rarer kind is.
        place: String,
        /// What stands there.
        found: String,
    },
    /// A column of dates or times.
    Date {
        /// Its name.
        name: String,
        /// Where the first is.
        place: String,
        /// What stands there.
        found: String,
    },
    /// A column of texts that are numbers by other signs for decimals and thousands.
    NumbersAsTexts {
        /// Its name.
        name: String,
        /// Where the first is.
        place: String,
        /// What stands there.
        found: String,
        /// Before the fraction.
        decimal: char,
        /// Between groups of three digits.
        thousands: Option<char>,
    },
    /// A column of texts most of which stand in one row only.
    Identifiers {
        /// Its name.
        name: String,
        /// How many texts.
        levels: usize,
        /// In how many rows.
        rows: usize,
    },
    /// Texts where numbers are needed.
    Texts {
        /// The role.
        role: &'static str,
        /// The column.
        name: String,
        /// Where the first is.
        place: String,
        /// What stands there.
        found: String,
    },
    /// A weight below 0.
    Weight {
        /// Where: line and column.
        place: String,
        /// What stands there.
        found: f64,
    },
    /// A text that the model has not seen.
    UnknownLevel {
        /// Where: line and column.
        place: String,
        /// The text.
        found: String,
        /// Those that it knows.
        known: Vec<String>,
    },
    /// Classes in more than one target column.
    ClassesOfSeveral {
        /// The targets.
        targets: Vec<String>,
    },
    /// A target of classes with one class only.
    OneClass {
        /// The target.
        name: String,
        /// The class.
        found: String,
    },
    /// A target of classes with almost as many classes as rows.
    ManyClasses {
        /// The target.
        name: String,
        /// How many classes.
        classes: usize,
        /// In how many rows.
        rows: usize,
    },
    /// No row is left.
    NoRows,
    /// What the data set itself refuses.
    Data(DataError),
}

impl std::error::Error for TableError {}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", path(&self.file), self.fault)
    }
}

impl fmt::Display for TableFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColumn { role, name, existing } => {
                let nearest = did_you_mean(name, existing.iter().map(String::as_str));
                let names = list(existing.iter().map(String::as_str));
                write!(f, "no column \"{}\" for the {role} among {names}{nearest}", quoted(name))
            }
            Self::NoTarget { existing } => {
                write!(f, "no target named; columns: {}", list(existing.iter().map(String::as_str)))
            }
            Self::TwoRoles { name, roles: [first, second] } => {
                write!(f, "column \"{}\" is {first} and {second}", quoted(name))
            }
            Self::NoFeatures => f.write_str("no column is left for a feature"),
            Self::Missing { count, rows, columns, places } => {
                let each: Vec<String> = columns
                    .iter()
                    .take(SHOWN_COLUMNS)
                    .map(|(name, count)| format!("\"{}\" {count}", quoted(name)))
                    .collect();
                let more = columns.len().saturating_sub(SHOWN_COLUMNS);
                let more = if more > 0 { format!(", {more} more columns") } else { String::new() };
                let (values, in_rows) = (plural(*count, "missing value"), plural(*rows, "row"));
                let dots = if places.len() < *count { "; …" } else { "" };
                let (each, places) = (each.join(", "), places.join("; "));
                write!(f, "{values} in {in_rows} ({each}{more}): {places}{dots}")
            }
            Self::NotFinite { place, found } => {
                write!(f, "{place}: expected a finite number, found {found}")
            }
            Self::Mixed { name, numbers, texts, place, found } => {
                let (numbers, texts) = (plural(*numbers, "number"), plural(*texts, "text"));
                let (name, found) = (quoted(name), quoted(found));
                write!(f, "column \"{name}\" has {numbers} and {texts}: {place} has \"{found}\"")
            }
            Self::Date { name, place, found } => {
                let (name, found) = (quoted(name), quoted(found));
                write!(
                    f,
                    "column \"{name}\" holds dates or times ({place}: \"{found}\"), which are no numbers: leave it out, or put a number in its place, such as days since the first"
                )
            }
            Self::NumbersAsTexts { name, place, found, decimal, thousands } => {
                let thousands = thousands
                    .map_or(String::new(), |sign| format!(" and {sign:?} between thousands"));
                let (name, found) = (quoted(name), quoted(found));
                write!(
                    f,
                    "column \"{name}\" holds numbers with {decimal:?} before the fraction{thousands} ({place}: \"{found}\")"
                )
            }
            Self::Identifiers { name, levels, rows } => {
                let name = quoted(name);
                write!(
                    f,
                    "column \"{name}\" has {levels} different texts in {rows} rows, as names of the rows would have"
                )
            }
            Self::Texts { role, name, place, found } => {
                let (name, found) = (quoted(name), quoted(found));
                write!(f, "the {role} \"{name}\" needs numbers, found \"{found}\" ({place})")
            }
            Self::Weight { place, found } => {
                write!(f, "{place}: expected a weight of 0 or more, found {found}")
            }
            Self::UnknownLevel { place, found, known } => {
                let names = list(known.iter().map(String::as_str));
                write!(
                    f,
                    "{place}: \"{}\" was not there when the model was fitted: expected one of {names}",
                    quoted(found)
                )
            }
            Self::ClassesOfSeveral { targets } => {
                let names = list(targets.iter().map(String::as_str));
                write!(f, "classes stand in one target column, found {names}")
            }
            Self::OneClass { name, found } => {
                write!(
                    f,
                    "the target \"{}\" has one class only, \"{}\"",
                    quoted(name),
                    quoted(found)
                )
            }
            Self::ManyClasses { name, classes, rows } => {
                write!(f, "the target \"{}\" has {classes} classes in {rows} rows", quoted(name))
            }
            Self::NoRows => f.write_str("no row is left"),
            Self::Data(error) => write!(f, "{error}"),
        }
    }
}

/// Columns with missing values that a message lists.
const SHOWN_COLUMNS: usize = 6;

fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
