//! The fits, and how many digits of NIST's they have.

use crate::{models, symmetries};
use secant::core::data::NistNonlinear;
use secant::{Dataset, curve};
use serde::Serialize;
use std::error::Error;
use std::fs;
use std::path::Path;

/// NIST certifies this many digits.
const CERTIFIED_DIGITS: f64 = 11.0;

/// One fit.
#[derive(Debug, Serialize)]
pub struct Row {
    set: String,
    start: String,
    /// Correct digits of the worst parameter, and of the worst standard error.
    digits: f64,
    error_digits: f64,
    /// Of f of any kind; those of an automatic start are not counted.
    evaluations: u64,
    seconds: f64,
    reason: String,
}

/// Every problem in `folder`, or in its folder `nonlinear`, from both starts or from none.
pub fn run(folder: &Path, automatic: bool) -> Result<Vec<Row>, Box<dyn Error>> {
    let nonlinear = folder.join("nonlinear");
    let folder = if nonlinear.is_dir() { &nonlinear } else { folder };
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<_> =
        entries.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "dat"));
    files.sort();
    let mut rows = Vec::new();
    for file in files {
        let Ok(set) = NistNonlinear::read(&file) else {
            eprintln!("{}: no nonlinear problem", file.display());
            continue;
        };
        let Some(formula) = models::formula(&set.name) else {
            eprintln!("{}: no formula of that name here", set.name);
            continue;
        };
        let data = dataset(&set)?;
        if automatic {
            rows.push(fitted(&set, formula, &data, "automatic", None)?);
            continue;
        }
        for (start, theta) in ["1", "2"].into_iter().zip(&set.starts) {
            rows.push(fitted(&set, formula, &data, start, Some(theta))?);
        }
    }
    Ok(rows)
}

fn fitted(
    set: &NistNonlinear,
    formula: &str,
    data: &Dataset,
    start: &str,
    theta: Option<&Vec<f64>>,
) -> Result<Row, Box<dyn Error>> {
    let names: Vec<String> = (1..=set.parameters.len()).map(|j| format!("b{j}")).collect();
    let began = std::time::Instant::now();
    let mut curve = curve(formula)?;
    if let Some(theta) = theta {
        curve = curve.start(names.iter().zip(theta.iter().copied()));
    }
    let fit = curve.fit(data)?;
    let seconds = began.elapsed().as_secs_f64();
    let inference = fit.inference()?;
    let estimate = |name: &String| {
        inference.estimate(name).map_or((f64::NAN, f64::NAN), |one| (one.value, one.standard_error))
    };
    let found: Vec<(f64, f64)> = names.iter().map(estimate).collect();
    // Without a start the terms may come in any order.
    let orders =
        if theta.is_some() { vec![found] } else { symmetries::equivalents(&set.name, found) };
    let parameters = |order: &[(f64, f64)]| digits(order.iter().map(|one| one.0), &set.parameters);
    let best = orders.into_iter().max_by(|a, b| parameters(a).total_cmp(&parameters(b)));
    let best = best.unwrap_or_default();
    let report = fit.report();
    Ok(Row {
        set: set.name.clone(),
        start: start.to_owned(),
        digits: parameters(&best),
        error_digits: digits(best.iter().map(|one| one.1), &set.deviations),
        evaluations: report.evaluations.of_f(),
        seconds,
        reason: format!("{:?}", report.reason),
    })
}

/// The predictors are called x, or x1, x2, …; the model of Nelson is one of log y.
fn dataset(set: &NistNonlinear) -> Result<Dataset, Box<dyn Error>> {
    let y: Vec<f64> =
        set.y.iter().map(|y| if set.name == "Nelson" { y.ln() } else { *y }).collect();
    let names = match set.predictors {
        1 => vec!["x".to_owned()],
        several => (1..=several).map(|i| format!("x{i}")).collect(),
    };
    Ok(Dataset::from_slices(set.predictors, &set.x, 1, &y)?.with_feature_names(names)?)
}

/// −log₁₀ of the relative error of the worst number, at most [`CERTIFIED_DIGITS`].
fn digits(found: impl Iterator<Item = f64>, certified: &[f64]) -> f64 {
    let each = found.zip(certified).map(|(found, certified)| {
        let error = ((found - certified) / certified).abs();
        // Written so that NaN has no digits.
        if error < 1.0 { -error.log10() } else { 0.0 }
    });
    each.fold(CERTIFIED_DIGITS, f64::min)
}

/// A JSON object per row; or a table with the least digits below it.
pub fn print(rows: &[Row], json: bool) {
    if json {
        for row in rows {
            println!("{}", serde_json::to_string(row).expect("a row is plain numbers and text"));
        }
        return;
    }
    println!(
        "{:10} {:9} {:>6} {:>12} {:>11} {:>9}  {}",
        "set", "start", "digits", "error digits", "evaluations", "seconds", "reason"
    );
    for row in rows {
        println!(
            "{:10} {:9} {:6.2} {:12.2} {:11} {:9.1e}  {}",
            row.set,
            row.start,
            row.digits,
            row.error_digits,
            row.evaluations,
            row.seconds,
            row.reason
        );
    }
    let least = |of: fn(&Row) -> f64| rows.iter().map(of).fold(f64::INFINITY, f64::min);
    println!(
        "{} fits; least digits {:.2}, of standard errors {:.2}",
        rows.len(),
        least(|row| row.digits),
        least(|row| row.error_digits)
    );
}
