//! The columns of a table: kinds, ranges, gaps, and what is odd about them.

use crate::told::number;
use secant::core::text::{cut, quoted};
use secant::data::{ColumnKind, Table};
use secant::optim::LinearLeastSquares;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// Characters of a name that the table shows.
const NAME: usize = 24;
/// Levels of a column of texts that it shows.
const LEVELS: usize = 4;
/// More different numbers than this are not counted.
const DIFFERENT: usize = 100_000;

/// What stands in a column.
pub struct Column {
    name: String,
    kind: &'static str,
    missing: usize,
    different: usize,
    /// Of numbers: least, mean, deviation, largest.
    range: Option<[f64; 4]>,
    /// Of texts, the most frequent first.
    levels: Vec<(String, usize)>,
    /// What is wrong with it, in words.
    fault: Option<String>,
    /// What its cells come to, to find columns that are the same.
    hash: u64,
}

impl Column {
    pub fn of(table: &Table, index: usize) -> Self {
        let name = table.names()[index].clone();
        let missing = table.column(index).filter(|cell| cell.is_nan()).count();
        let (mut seen, mut hash) = (HashSet::new(), 0xcbf2_9ce4_8422_2325_u64);
        for cell in table.column(index) {
            hash = (hash ^ (cell + 0.0).to_bits()).wrapping_mul(0x0100_0000_01b3);
            if !cell.is_nan() && seen.len() < DIFFERENT {
                seen.insert((cell + 0.0).to_bits());
            }
        }
        let mut column = Self {
            name,
            kind: "number",
            missing,
            different: seen.len(),
            range: None,
            levels: Vec::new(),
            fault: None,
            hash,
        };
        match &table.kinds()[index] {
            ColumnKind::Number => {
                column.range = range(table.column(index).filter(|cell| !cell.is_nan()));
                let infinite = table.column(index).filter(|cell| cell.is_infinite()).count();
                if infinite > 0 {
                    column.fault = Some(format!("{infinite} infinite"));
                }
            }
            ColumnKind::Text { levels } => {
                column.kind = "text";
                let mut counts = vec![0; levels.len()];
                for cell in table.column(index).filter(|cell| !cell.is_nan()) {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "the index of a level"
                    )]
                    if let Some(count) = counts.get_mut(cell as usize) {
                        *count += 1;
                    }
                }
                column.levels = levels.iter().cloned().zip(counts).collect();
                column.levels.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            }
            ColumnKind::Mixed { numbers, texts, row, found } => {
                column.kind = "mixed";
                let place = table.row_name(*row);
                let found = quoted(found);
                column.fault =
                    Some(format!("{numbers} numbers and {texts} texts, \"{found}\" in {place}"));
                column.missing = column.missing.saturating_sub(*texts);
            }
            ColumnKind::Date { found, .. } => {
                column.kind = "date";
                column.fault = Some(format!("dates or times, such as \"{}\"", quoted(found)));
                column.missing = 0;
            }
            _ => {}
        }
        column
    }

    fn is_number(&self) -> bool {
        self.kind == "number"
    }

    pub fn json(&self) -> Value {
        let levels =
            self.levels.iter().map(|(level, count)| json!({"level": level, "count": count}));
        let part = |at: usize| self.range.map_or(Value::Null, |range| number(range[at]));
        json!({
            "name": self.name,
            "kind": self.kind,
            "missing": self.missing,
            "different": self.different,
            "min": part(0),
            "mean": part(1),
            "deviation": part(2),
            "max": part(3),
            "levels": levels.collect::<Vec<_>>(),
            "fault": self.fault,
        })
    }
}

/// Least, mean, deviation and largest of the numbers.
fn range(numbers: impl Iterator<Item = f64>) -> Option<[f64; 4]> {
    let (mut least, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut mean, mut squares, mut count) = (0.0, 0.0, 0.0);
    for number in numbers {
        (least, largest) = (least.min(number), largest.max(number));
        // Welford's.
        count += 1.0;
        let before = number - mean;
        mean += before / count;
        squares += before * (number - mean);
    }
    (count > 0.0).then(|| [least, mean, f64::sqrt(squares / count), largest])
}

/// A line for each column.
pub fn table(columns: &[Column]) -> String {
    let width = columns
        .iter()
        .map(|column| column.name.chars().count().min(NAME))
        .max()
        .unwrap_or(0)
        .max(6);
    let mut lines = vec![format!(
        "{:<width$} {:<7} {:>8} {:>9}  {:>11} {:>11} {:>11} {:>11}",
        "column", "kind", "missing", "different", "min", "mean", "deviation", "max"
    )];
    for column in columns {
        let (name, kind, missing, different) =
            (cut(&column.name, NAME), column.kind, column.missing, column.different);
        let rest = if let Some(range) = column.range {
            range.map(|value| format!("{:>11}", brief(value))).join(" ")
        } else if column.levels.is_empty() {
            column.fault.clone().unwrap_or_default()
        } else {
            let shown = column
                .levels
                .iter()
                .take(LEVELS)
                .map(|(level, count)| format!("{} ({count})", cut(level, NAME)));
            let more = if column.levels.len() > LEVELS { ", …" } else { "" };
            format!("{}{more}", shown.collect::<Vec<_>>().join(", "))
        };
        lines.push(format!("{name:<width$} {kind:<7} {missing:>8} {different:>9}  {rest}"));
    }
    lines.join("\n")
}

/// Five digits.
fn brief(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e6).contains(&size) {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.3e}")
    }
}

/// What is odd about single columns, and which are the same.
pub fn remarks(columns: &[Column]) -> Vec<String> {
    let names = |wanted: &dyn Fn(&&Column) -> bool| {
        columns
            .iter()
            .filter(wanted)
            .map(|column| quoted(&column.name).to_string())
            .collect::<Vec<_>>()
    };
    let mut remarks = Vec::new();
    let mut list = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            remarks.push(format!("{what}: {}.", names.join(", ")));
        }
    };
    list(
        "Constant",
        names(&|column| column.different == 1 && column.missing == 0 && column.fault.is_none()),
    );
    list("Without a value", names(&|column| column.different == 0 && column.fault.is_none()));
    list(
        "With gaps (`--missing drop` or `mean`)",
        names(&|column| column.missing > 0 && column.different > 0),
    );
    for column in columns {
        if let Some(fault) = &column.fault {
            remarks.push(format!("\"{}\": {fault}.", quoted(&column.name)));
        }
    }
    let mut first: HashMap<u64, &Column> = HashMap::new();
    for column in columns.iter().filter(|column| column.is_number() && column.different > 1) {
        match first.get(&column.hash) {
            Some(same) => remarks.push(format!(
                "\"{}\" has the numbers of \"{}\".",
                quoted(&column.name),
                quoted(&same.name)
            )),
            None => {
                first.insert(column.hash, column);
            }
        }
    }
    remarks
}

/// The columns of finite numbers without gaps, side by side: names, and the numbers column by column.
pub fn numbers(table: &Table) -> Option<(Vec<String>, Vec<Vec<f64>>)> {
    let whole: Vec<usize> = (0..table.names().len())
        .filter(|index| {
            table.kinds()[*index] == ColumnKind::Number && table.column(*index).all(f64::is_finite)
        })
        .collect();
    // The same columns once: they are told apart from those that sums make.
    let mut seen = HashSet::new();
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for index in whole {
        let column: Vec<f64> = table.column(index).collect();
        let constant = column.iter().all(|cell| *cell == column[0]);
        let bits: Vec<u64> = column.iter().map(|cell| (cell + 0.0).to_bits()).collect();
        if !constant && seen.insert(bits) {
            names.push(table.names()[index].clone());
            values.push(column);
        }
    }
    (names.len() > 1).then_some((names, values))
}

/// Which columns are sums of others and a constant.
pub fn collinear(names: &[String], columns: &[Vec<f64>]) -> Vec<String> {
    let rows = columns[0].len();
    if rows <= columns.len() + 1 {
        return Vec::new();
    }
    let design = secant::faer::Mat::from_fn(rows, columns.len() + 1, |i, j| {
        j.checked_sub(1).map_or(1.0, |column| columns[column][i])
    });
    let targets = vec![0.0; rows];
    let all = std::iter::once("(constant)".to_owned()).chain(names.iter().cloned());
    let solved = LinearLeastSquares::new(design.as_ref(), &targets).with_names(all).solve();
    let Ok(solution) = solved else { return Vec::new() };
    solution.null_directions.iter().map(|direction| format!("Collinear: {direction}.")).collect()
}
