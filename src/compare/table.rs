//! The table of a comparison, and its numbers as text.

use secant_core::text::{LONGEST, cut};
use secant_optim::stopping::FLOOR_VALUE;
use secant_optim::{Costs, Evaluations, Iterates, Reason, Report, TraceEntry, nonfinite};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};

/// The gaps, relative to that of the start, that a table has columns for.
pub const GAPS: [f64; 4] = [1e-2, 1e-4, 1e-8, 1e-12];
/// A start that differs by more than this from f(θ₀), relatively, is that of another problem: residuals are summed in another order.
const SAME_START: f64 = 1e-8;

/// What it took to come within a gap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// (f − f_best)/(f₀ − f_best)
    pub gap: f64,
    /// Steps; none where the method did not get there.
    pub iterations: Option<u64>,
    /// Gradient-equivalents.
    pub gradient_equivalents: Option<f64>,
    /// Wall-clock time.
    pub seconds: Option<f64>,
}

/// One method's line of the table; [`compare`](crate::compare()) tells what the columns are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its name in the comparison.
    pub name: String,
    /// The method.
    pub solver: String,
    /// Why it ended.
    pub reason: Reason,
    /// f at the best point.
    #[serde(with = "nonfinite")]
    pub value: f64,
    /// ‖∇f‖∞ at the best point.
    #[serde(with = "nonfinite")]
    pub gradient_norm: f64,
    /// Steps taken.
    pub iterations: u64,
    /// Complete passes over the data, [`Evaluations::passes`].
    pub epochs: f64,
    /// Evaluations by kind.
    pub evaluations: Evaluations,
    /// What they cost, in evaluations of f with ∇f.
    pub gradient_equivalents: f64,
    /// Wall-clock time.
    pub seconds: f64,
    /// Estimate of the solver's own state, in bytes; none for a method that is chosen as it runs.
    pub memory_bytes: Option<u64>,
    /// One entry for each of [`GAPS`].
    pub reached: Vec<Reached>,
}

/// One run in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The method's name in the comparison.
    pub name: String,
    /// The best θ, length n.
    pub theta: Vec<f64>,
    /// The books, with one entry of the trace per step.
    pub report: Report,
    /// θ of every entry of the trace, where they were kept.
    pub iterates: Option<Iterates>,
}

/// Methods side by side. `Display` is a table for a terminal (long names are cut), [`csv`](Self::csv) and [`curves_csv`](Self::curves_csv) are text for other
/// programs, and serde writes and reads all of it, traces included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// n
    pub parameters: usize,
    /// f(θ₀)
    #[serde(with = "nonfinite")]
    pub initial_value: f64,
    /// The lowest value that any method found, or the known minimum where that is lower.
    #[serde(with = "nonfinite")]
    pub best_value: f64,
    /// What evaluations cost.
    pub costs: Costs,
    /// One row per method, in the order given.
    pub rows: Vec<Row>,
    /// What the rows were made from, in the same order.
    pub runs: Vec<Run>,
}

impl Comparison {
    pub(super) fn of(
        runs: Vec<Run>,
        memory: Vec<Option<u64>>,
        initial_value: f64,
        known_minimum: Option<f64>,
        costs: Costs,
    ) -> Self {
        let values = runs.iter().map(|run| run.report.value);
        // `min` passes over NaN.
        let best_value = values.chain(known_minimum).fold(f64::INFINITY, f64::min);
        let parameters = runs.first().map_or(0, |run| run.report.parameters);
        let mut table =
            Self { parameters, initial_value, best_value, costs, rows: Vec::new(), runs };
        let rows = table.runs.iter().zip(memory);
        table.rows = rows.map(|(run, memory)| table.row_of(run, memory)).collect();
        table
    }

    fn row_of(&self, run: &Run, memory: Option<u64>) -> Row {
        let report = &run.report;
        Row {
            name: run.name.clone(),
            solver: report.solver.clone(),
            reason: report.reason,
            value: report.value,
            gradient_norm: report.gradient.max,
            iterations: report.iterations,
            epochs: report.evaluations.passes() as f64,
            evaluations: report.evaluations,
            gradient_equivalents: self.costs.of(&report.evaluations),
            seconds: report.seconds,
            memory_bytes: memory,
            reached: GAPS.iter().map(|gap| self.reached(&report.trace, *gap)).collect(),
        }
    }

    fn reached(&self, trace: &[TraceEntry], gap: f64) -> Reached {
        let first = trace.iter().find(|entry| self.is_within(entry.value, gap));
        Reached {
            gap,
            iterations: first.map(|entry| entry.iteration),
            gradient_equivalents: first.map(|entry| self.costs.of(&entry.work)),
            seconds: first.map(|entry| entry.seconds),
        }
    }

    /// f − f_best ≤ gap·(f₀ − f_best), or a difference that is rounding. Never from a start that is not finite.
    fn is_within(&self, value: f64, gap: f64) -> bool {
        let rounding = FLOOR_VALUE * f64::EPSILON * self.best_value.abs();
        let allowed = (gap * (self.initial_value - self.best_value)).max(rounding);
        self.initial_value.is_finite() && value - self.best_value <= allowed
    }

    /// (f − f_best)/(f₀ − f_best); NaN where the start is not finite or the best value itself.
    pub fn gap(&self, value: f64) -> f64 {
        (value - self.best_value) / (self.initial_value - self.best_value)
    }

    /// The gap that rounding of the best value makes: pictures show none that is less.
    #[cfg(any(feature = "html", feature = "plot"))]
    pub(crate) fn gap_of_rounding(&self) -> f64 {
        let rounding = FLOOR_VALUE * f64::EPSILON * self.best_value.abs();
        (rounding / (self.initial_value - self.best_value)).max(f64::EPSILON)
    }

    /// The row of a method.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The run of a method.
    pub fn run(&self, name: &str) -> Option<&Run> {
        self.runs.iter().find(|run| run.name == name)
    }

    /// Names of the rows that start from another value than f(θ₀): bounds, or a term of their own, make theirs another problem.
    pub fn strangers(&self) -> Vec<&str> {
        let differs = |run: &&Run| {
            let (start, ours) = (run.report.initial_value, self.initial_value);
            ours.is_finite() && (start.is_nan() || (start - ours).abs() > SAME_START * ours.abs())
        };
        self.runs.iter().filter(differs).map(|run| run.name.as_str()).collect()
    }

    /// The table as comma-separated values with a header; an empty field where a gap was not reached.
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "name,solver,reason,value,gradient_norm,iterations,epochs,gradient_equivalents,seconds,memory_bytes",
        );
        for gap in GAPS {
            let _ = write!(text, ",iterations_to_{gap:e},gradients_to_{gap:e},seconds_to_{gap:e}");
        }
        text.push('\n');
        for row in &self.rows {
            let _ = write!(
                text,
                "{},{},{:?},{},{},{},{},{},{},{}",
                quoted(&row.name),
                quoted(&row.solver),
                row.reason,
                row.value,
                row.gradient_norm,
                row.iterations,
                row.epochs,
                row.gradient_equivalents,
                row.seconds,
                row.memory_bytes.map_or(String::new(), |bytes| bytes.to_string())
            );
            for reached in &row.reached {
                let numbers = reached.gradient_equivalents.zip(reached.seconds);
                match reached.iterations.zip(numbers) {
                    Some((steps, (gradients, seconds))) => {
                        let _ = write!(text, ",{steps},{gradients},{seconds}");
                    }
                    None => text.push_str(",,,"),
                }
            }
            text.push('\n');
        }
        text
    }

    /// The curves of the pictures as comma-separated values with a header, one line per step of every method.
    pub fn curves_csv(&self) -> String {
        let mut text = String::from(
            "name,iteration,value,gap,gradient_norm,epochs,gradient_equivalents,seconds\n",
        );
        for run in &self.runs {
            let name = quoted(&run.name);
            for entry in &run.report.trace {
                let _ = writeln!(
                    text,
                    "{name},{},{},{},{},{},{},{}",
                    entry.iteration,
                    entry.value,
                    self.gap(entry.value),
                    entry.gradient_norm,
                    entry.work.passes(),
                    self.costs.of(&entry.work),
                    entry.seconds
                );
            }
        }
        text
    }
}

impl Comparison {
    /// What the kinds cost that occurred.
    fn write_costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut used = Evaluations::default();
        for row in &self.rows {
            used += row.evaluations;
        }
        let c = &self.costs;
        write!(f, "\nin gradients:")?;
        for (count, kind, cost) in [
            (used.value, "f", c.value),
            (used.linearize, "linearisation", c.linearize),
            (used.hessian_vector, "H·v", c.hessian_vector),
            (used.gauss_newton_vector, "G·v", c.gauss_newton_vector),
            (used.hessian, "H", c.hessian),
            (used.gauss_newton, "G", c.gauss_newton),
            (used.residuals, "r", c.residuals),
            (used.jacobian, "J", c.jacobian),
            (used.normal_equations, "JᵀJ", c.normal_equations),
            (used.jacobian_vector, "J·v", c.jacobian_vector),
            (used.jacobian_transpose_vector, "Jᵀ·u", c.jacobian_transpose_vector),
        ] {
            if count > 0 {
                write!(f, " {kind} {}", amount(cost))?;
            }
        }
        Ok(())
    }
}

/// A field in quotes where it needs them (RFC 4180).
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.rows.iter().map(|row| cut(&row.name, LONGEST).chars().count());
        let width = names.max().unwrap_or(0).max("method".len());
        let (n, methods) = (self.parameters, self.rows.len());
        writeln!(f, "{n} parameters, {methods} methods, f(θ₀) = {:.9e}", self.initial_value)?;
        writeln!(f, "best value {:.15e}", self.best_value)?;
        writeln!(
            f,
            "\n{:width$} {:>15} {:>8} {:>10} {:>8} {:>10} {:>9} {:>9}  end",
            "method", "value", "‖g‖∞", "iterations", "epochs", "gradients", "time", "memory"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:width$} {:>15.8e} {:>8.1e} {:>10} {:>8} {:>10} {:>9} {:>9}  {:?}",
                cut(&row.name, LONGEST),
                row.value,
                row.gradient_norm,
                row.iterations,
                row.epochs,
                amount(row.gradient_equivalents),
                time(row.seconds),
                row.memory_bytes.map_or("–".to_owned(), bytes),
                row.reason
            )?;
        }
        write!(f, "\n{:width$}", "gradients | time to a gap of")?;
        writeln!(f)?;
        write!(f, "{:width$}", "method")?;
        for gap in GAPS {
            write!(f, " {:>19}", format!("{gap:e}"))?;
        }
        writeln!(f)?;
        for row in &self.rows {
            write!(f, "{:width$}", cut(&row.name, LONGEST))?;
            for reached in &row.reached {
                let cell = match reached.gradient_equivalents.zip(reached.seconds) {
                    Some((gradients, seconds)) => {
                        format!("{} | {}", amount(gradients), time(seconds))
                    }
                    None => "–".to_owned(),
                };
                write!(f, " {cell:>19}")?;
            }
            writeln!(f)?;
        }
        self.write_costs(f)?;
        let strangers = self.strangers();
        if !strangers.is_empty() {
            let names: Vec<_> = strangers.into_iter().map(|name| cut(name, LONGEST)).collect();
            let names = names.join(", ");
            write!(f, "\nnot the same problem (it starts from another value): {names}")?;
        }
        Ok(())
    }
}

/// A number of gradients: three digits where it is small.
pub(crate) fn amount(gradients: f64) -> String {
    format!("{gradients:.prec$}", prec = digits(gradients))
}

/// Three digits and a unit.
pub(crate) fn time(seconds: f64) -> String {
    const THOUSAND: f64 = 1e3;
    let mut value = seconds * THOUSAND * THOUSAND;
    for unit in ["µs", "ms"] {
        if value < THOUSAND {
            return format!("{value:.prec$} {unit}", prec = digits(value));
        }
        value /= THOUSAND;
    }
    format!("{value:.prec$} s", prec = digits(value))
}

/// Decimals that make three digits of a number from 1 to 1000.
fn digits(value: f64) -> usize {
    usize::from(value < 100.0) + usize::from(value < 10.0)
}

pub(crate) fn bytes(count: u64) -> String {
    const STEP: f64 = 1024.0;
    let mut size = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if size < STEP {
            let decimals = usize::from(unit != "B" && size < 100.0);
            return format!("{size:.decimals$} {unit}");
        }
        size /= STEP;
    }
    format!("{size:.1} TiB")
}
