//! What came of many fits: a table, a row a group.

use super::outcome::Outcome;
use crate::run::nonfinite;
use secant_core::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;

/// Keys that a summary names of every kind of end.
const NAMED: usize = 3;

/// The fits of many groups, in their order; columns that serde writes and reads as JSON. `Display` says how many ended how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Columns")]
pub struct ManyFits {
    /// Of the parameters.
    pub(super) names: Vec<String>,
    pub(super) keys: Vec<String>,
    /// n of each, one after the other.
    #[serde(with = "nonfinite::list")]
    pub(super) theta: Vec<f64>,
    #[serde(with = "nonfinite::list")]
    pub(super) errors: Vec<f64>,
    pub(super) rows: Vec<Row>,
}

/// A table as it is read, before its columns are counted.
#[derive(Deserialize)]
struct Columns {
    names: Vec<String>,
    keys: Vec<String>,
    #[serde(with = "nonfinite::list")]
    theta: Vec<f64>,
    #[serde(with = "nonfinite::list")]
    errors: Vec<f64>,
    rows: Vec<Row>,
}

impl TryFrom<Columns> for ManyFits {
    type Error = String;
    fn try_from(read: Columns) -> Result<Self, String> {
        let Columns { names, keys, theta, errors, rows } = read;
        let groups = rows.len();
        let entries = groups.saturating_mul(names.len());
        let columns = [
            ("keys", keys.len(), groups),
            ("theta", theta.len(), entries),
            ("errors", errors.len(), entries),
        ];
        for (column, found, expected) in columns {
            if found != expected {
                let n = names.len();
                return Err(format!(
                    "{column}: {found} entries, {groups} groups of {n} parameter(s) have {expected}"
                ));
            }
        }
        Ok(Self { names, keys, theta, errors, rows })
    }
}

/// What is no list of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub outcome: Outcome,
    pub iterations: u64,
    pub evaluations: u64,
    pub residuals: usize,
    #[serde(with = "nonfinite")]
    pub sum_of_squares: f64,
}

/// The fit of one group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ManyFit<'a> {
    /// Its key.
    pub key: &'a str,
    /// θ: the minimum, or the best point of a run that ended otherwise, or the start of one that did not begin.
    pub theta: &'a [f64],
    /// Standard errors of θ; NaN where a parameter is at a bound, where the data do not determine it and where nothing was fitted.
    pub errors: &'a [f64],
    /// What it came to.
    pub outcome: Outcome,
    /// Steps taken.
    pub iterations: u64,
    /// Evaluations of r, with or without J.
    pub evaluations: u64,
    /// m, the number of residuals.
    pub residuals: usize,
    /// ‖r‖², twice what was minimised; with a ρ σ²Σρ. NaN where nothing was fitted.
    pub sum_of_squares: f64,
}

impl ManyFits {
    /// The number of groups.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no groups.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Names of the parameters.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The fit of group `i`.
    pub fn get(&self, i: usize) -> Option<ManyFit<'_>> {
        (i < self.len()).then(|| self.at(i))
    }

    fn at(&self, i: usize) -> ManyFit<'_> {
        let n = self.names.len();
        let Row { outcome, iterations, evaluations, residuals, sum_of_squares } = self.rows[i];
        ManyFit {
            key: &self.keys[i],
            theta: &self.theta[i * n..(i + 1) * n],
            errors: &self.errors[i * n..(i + 1) * n],
            outcome,
            iterations,
            evaluations,
            residuals,
            sum_of_squares,
        }
    }

    /// The fit of the first group of this key.
    pub fn find(&self, key: &str) -> Option<ManyFit<'_>> {
        self.get(self.keys.iter().position(|known| known == key)?)
    }

    /// The fits, in the order of the groups.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ManyFit<'_>> {
        (0..self.len()).map(|i| self.at(i))
    }

    /// How many groups have a minimum that their data determine.
    pub fn successes(&self) -> usize {
        self.rows.iter().filter(|row| row.outcome.is_success()).count()
    }

    /// A line for each group: key, the parameters by name, their errors as `name_error`, outcome, iterations, evaluations, residuals,
    /// `sum_of_squares`. Every digit comes back; NaN is `NaN`.
    pub fn to_csv(&self) -> String {
        let mut csv = "key".to_owned();
        for suffix in ["", "_error"] {
            for name in &self.names {
                csv.push(',');
                csv.push_str(&quoted(&format!("{name}{suffix}")));
            }
        }
        csv.push_str(",outcome,iterations,evaluations,residuals,sum_of_squares\n");
        for fit in self.iter() {
            csv.push_str(&quoted(fit.key));
            for number in fit.theta.iter().chain(fit.errors) {
                let _ = write!(csv, ",{number:?}");
            }
            let (outcome, sum) = (fit.outcome.word(), fit.sum_of_squares);
            let (steps, calls, m) = (fit.iterations, fit.evaluations, fit.residuals);
            let _ = writeln!(csv, ",{outcome},{steps},{calls},{m},{sum:?}");
        }
        csv
    }

    /// Writes [`to_csv`](Self::to_csv): the old file or the new one, never a part of one.
    ///
    /// # Errors
    /// The file system's.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> io::Result<()> {
        files::write_atomically(path.as_ref(), self.to_csv().as_bytes())
    }
}

/// A field of a CSV file.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

impl fmt::Display for ManyFits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (groups, n) = (self.len(), self.names.len());
        let mut steps: Vec<u64> = self.rows.iter().map(|row| row.iterations).collect();
        steps.sort_unstable();
        let median = steps.get(steps.len() / 2).copied().unwrap_or(0);
        writeln!(
            f,
            "{groups} fits of {n} parameters, {} with a minimum; median of {median} iterations",
            self.successes()
        )?;
        let mut ends: BTreeMap<&str, (usize, Vec<&str>)> = BTreeMap::new();
        for fit in self.iter() {
            let (count, keys) = ends.entry(fit.outcome.sentence()).or_default();
            *count += 1;
            if keys.len() < NAMED && !fit.outcome.is_success() {
                keys.push(fit.key);
            }
        }
        let mut ends: Vec<_> = ends.into_iter().collect();
        ends.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        for (sentence, (count, keys)) in ends {
            write!(f, "{count:>8}  {sentence}")?;
            if !keys.is_empty() {
                write!(f, " ({}{})", keys.join(", "), if count > keys.len() { ", …" } else { "" })?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
