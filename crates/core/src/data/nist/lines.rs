//! The layout of a NIST file: what stands on which line.

use std::path::Path;

use super::super::source::{number, text};
use super::super::{DataError, Place};
use crate::double_double::DoubleDouble;
use crate::text::quoted_bytes;

/// Most parameters and predictors that a file may announce; the largest of the collection has 11.
const MAX_COLUMNS: usize = 50;

/// One certified parameter.
pub(super) struct Estimate {
    pub(super) index: usize,
    pub(super) value: f64,
    pub(super) deviation: f64,
}

/// A line by its fields, without the words that it begins with.
pub(super) struct Fields<'a> {
    pub(super) line: u64,
    pub(super) fields: Vec<&'a str>,
}

impl Fields<'_> {
    pub(super) fn number(&self, path: &Path, index: usize, column: &str) -> Result<f64, DataError> {
        number(self.fields[index], || Place::line(path, self.line, column))
    }

    /// What the decimal number in a field is beyond its rounding to `f64`; 0 where it has too many digits to tell.
    pub(super) fn rest(&self, index: usize) -> f64 {
        DoubleDouble::from_decimal(self.fields[index]).map_or(0.0, |number| number.low)
    }
}

/// The file, line by line.
pub(super) struct Lines<'a> {
    path: &'a Path,
    lines: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8], path: &'a Path) -> Result<Self, DataError> {
        let lines = bytes.split(|&byte| byte == b'\n').zip(1..);
        let lines = lines.map(|(line, at)| text(line, path, at)).collect::<Result<_, _>>()?;
        Ok(Self { path, lines })
    }

    pub(super) fn malformed(&self, at: &str, expected: String, found: String) -> DataError {
        let hint = Box::default();
        DataError::Malformed {
            path: self.path.to_path_buf(),
            at: at.to_owned(),
            expected,
            found,
            hint,
        }
    }

    pub(super) fn missing(&self, what: &str) -> DataError {
        self.malformed(
            &format!("{} lines", self.lines.len()),
            format!("a line with \"{what}\""),
            "none".to_owned(),
        )
    }

    /// What follows `start` on the first line that begins with it.
    pub(super) fn after(&self, start: &str) -> Result<&'a str, DataError> {
        self.lines
            .iter()
            .find_map(|line| line.strip_prefix(start))
            .ok_or_else(|| self.missing(start))
    }

    /// The number before the word, as in `16 Observations` and `7 Parameters (B0,…)`, on the first such line.
    pub(super) fn announced(&self, word: &str) -> Result<usize, DataError> {
        let found = self.lines.iter().find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let at = fields.iter().position(|field| field.starts_with(word))?;
            fields[at.checked_sub(1)?].parse::<usize>().ok()
        });
        let count = found.ok_or_else(|| self.missing(&format!("a count of {word}")))?;
        let limit = if word == "Observations" { usize::MAX } else { MAX_COLUMNS };
        if count == 0 || count > limit {
            return Err(self.malformed(
                "header",
                format!("1 to {limit} for {word}"),
                count.to_string(),
            ));
        }
        Ok(count)
    }

    pub(super) fn expect_count(
        &self,
        what: &str,
        expected: usize,
        found: usize,
    ) -> Result<(), DataError> {
        if expected == found {
            return Ok(());
        }
        Err(self.malformed(what, format!("{expected} as announced"), found.to_string()))
    }

    /// The first line that begins with `start` and has `count` fields or more after it.
    pub(super) fn row(&self, start: &str, count: usize) -> Result<Fields<'a>, DataError> {
        let rows = self.lines.iter().zip(1..).filter_map(|(line, at)| {
            let fields: Vec<&str> = line.strip_prefix(start)?.split_whitespace().collect();
            (fields.len() >= count && fields[0].starts_with(|first: char| !first.is_alphabetic()))
                .then_some(Fields { line: at, fields })
        });
        rows.into_iter().next().ok_or_else(|| self.missing(start))
    }

    /// Every line by its fields.
    pub(super) fn fields(&self) -> impl Iterator<Item = Fields<'a>> + '_ {
        let lines = self.lines.iter().zip(1..);
        lines.map(|(line, at)| Fields { line: at, fields: line.split_whitespace().collect() })
    }

    /// The lines `B0 estimate deviation`, `B1 …`, whose indices count up from 0 or 1.
    pub(super) fn estimates(&self) -> Result<Vec<Estimate>, DataError> {
        let mut estimates: Vec<Estimate> = Vec::new();
        for (line, at) in self.lines.iter().zip(1..) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let &[name, _, _] = fields.as_slice() else {
                continue;
            };
            let Some(index) = name.strip_prefix('B').and_then(|index| index.parse::<usize>().ok())
            else {
                continue;
            };
            let fits = estimates.last().map_or(index <= 1, |last| last.index + 1 == index);
            if !fits {
                let expected = "parameters B0 or B1, and on by one".to_owned();
                return Err(self.malformed(
                    &format!("line {at}"),
                    expected,
                    quoted_bytes(name.as_bytes()),
                ));
            }
            let row = Fields { line: at, fields };
            let value = row.number(self.path, 1, "Estimate")?;
            let deviation = row.number(self.path, 2, "Standard Deviation")?;
            estimates.push(Estimate { index, value, deviation });
        }
        if estimates.is_empty() {
            return Err(self.missing("B0"));
        }
        Ok(estimates)
    }

    /// The observations: every line with anything on it after the line `Data: y x …`.
    pub(super) fn data(&self, columns: usize) -> Result<Vec<Fields<'a>>, DataError> {
        let heading = |line: &&str| {
            line.strip_prefix("Data:").is_some_and(|rest| rest.trim_start().starts_with('y'))
        };
        let start =
            self.lines.iter().position(heading).ok_or_else(|| self.missing("Data: y x"))? + 1;
        let rows = self.lines[start..].iter().zip(start as u64 + 1..).map(|(line, at)| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            Fields { line: at, fields }
        });
        let rows = rows.filter(|row| !row.fields.is_empty()).map(|row| match row.fields.len() {
            found if found == columns => Ok(row),
            found => Err(DataError::Ragged {
                path: self.path.to_path_buf(),
                line: row.line,
                expected: columns,
                found,
                hint: Box::default(),
            }),
        });
        rows.collect()
    }
}
