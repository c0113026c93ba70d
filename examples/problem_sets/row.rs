//! One run of one method from one start, as a line of a table or of JSON.

use secant::Report;
use serde::Serialize;

/// One run.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The problem.
    pub set: String,
    /// Where it began.
    pub start: String,
    pub method: String,
    /// f at the best point.
    pub value: f64,
    /// ‖∇f‖∞ there.
    pub gradient_norm: f64,
    /// Correct digits of the worst parameter.
    pub digits: f64,
    /// Correct digits of the worst standard deviation, where one is certified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_digits: Option<f64>,
    /// Evaluations of f of any kind.
    pub evaluations: u64,
    pub reason: String,
    pub seconds: f64,
}

impl Row {
    pub fn new(set: &str, start: &str, report: &Report, digits: f64) -> Self {
        Self {
            set: set.to_owned(),
            start: start.to_owned(),
            method: report.solver.clone(),
            value: report.value,
            gradient_norm: report.gradient.max,
            digits,
            error_digits: None,
            evaluations: report.evaluations.of_f(),
            reason: format!("{:?}", report.reason),
            seconds: report.seconds,
        }
    }
}

/// A JSON object per row; or a table with the least and the mean digits below it.
pub fn print(rows: &[Row], json: bool) {
    if json {
        for row in rows {
            println!("{}", serde_json::to_string(row).expect("a row is plain numbers and text"));
        }
        return;
    }
    println!(
        "{:10} {:6} {:20} {:>17} {:>9} {:>6} {:>6}  {:18} {:>9}",
        "set", "start", "method", "value", "‖∇f‖∞", "digits", "evals", "reason", "seconds"
    );
    for row in rows {
        println!(
            "{:10} {:6} {:20} {:17.10e} {:9.1e} {:6.2} {:6}  {:18} {:9.1e}",
            row.set,
            row.start,
            row.method,
            row.value,
            row.gradient_norm,
            row.digits,
            row.evaluations,
            row.reason,
            row.seconds
        );
    }
    let least = rows.iter().map(|row| row.digits).fold(f64::INFINITY, f64::min);
    let mean = rows.iter().map(|row| row.digits).sum::<f64>() / rows.len() as f64;
    println!("{} runs; digits: least {least:.2}, mean {mean:.2}", rows.len());
    let errors = rows.iter().filter_map(|row| row.error_digits);
    if let Some(least) = errors.reduce(f64::min) {
        println!("digits of standard deviations: least {least:.2}");
    }
}
