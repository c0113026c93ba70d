//! Linear least squares on NIST's linear problems: QR, and certified digits.

use crate::row::Row;
use secant::core::data::NistLinear;
use secant::core::faer::MatRef;
use secant::optim::{Accuracy, LinearLeastSquares, LinearSolution};
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

/// NIST certifies this many digits.
const CERTIFIED_DIGITS: f64 = 15.0;

/// Every problem in `folder`, or in its folder `linear`, by QR of the rounded columns, and certified from the file's decimals.
pub fn run(folder: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let linear = folder.join("linear");
    let folder = if linear.is_dir() { &linear } else { folder };
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "dat"));
    files.sort();
    let mut rows = Vec::new();
    for file in files {
        let Ok(set) = NistLinear::read(&file) else {
            eprintln!("{}: no linear problem", file.display());
            continue;
        };
        let (design, rest) = set.design();
        let (m, n) = (set.samples(), set.parameters.len());
        let design = MatRef::from_column_major_slice(&design, m, n);
        let rest = MatRef::from_column_major_slice(&rest, m, n);
        let problem = LinearLeastSquares::new(design, &set.y);
        let certified =
            problem.clone().with_rest(rest, &set.y_rest).with_accuracy(Accuracy::Certified);
        for (method, problem) in [("qr", problem), ("certified", certified)] {
            let start = Instant::now();
            let solution = problem.solve()?;
            rows.push(row(&set, method, design, &solution, start.elapsed().as_secs_f64()));
        }
    }
    Ok(rows)
}

fn row(
    set: &NistLinear,
    method: &str,
    design: MatRef<'_, f64>,
    solution: &LinearSolution,
    seconds: f64,
) -> Row {
    let gradient = design.col_iter().map(|column| {
        let products = column.iter().zip(&solution.residuals).map(|(a, r)| a * r);
        products.sum::<f64>().abs()
    });
    let reason = match (method, solution.is_certified()) {
        ("qr", _) => "Solved",
        (_, true) => "Certified",
        (_, false) => "NotCertified",
    };
    Row {
        set: set.name.clone(),
        start: "none".to_owned(),
        method: method.to_owned(),
        value: 0.5 * solution.residual_sum_of_squares,
        gradient_norm: gradient.fold(0.0, f64::max),
        digits: digits(&solution.coefficients, &set.parameters),
        error_digits: solution
            .standard_errors
            .as_ref()
            .map(|errors| digits(errors, &set.deviations)),
        evaluations: u64::from(solution.refinements) + 1,
        reason: reason.to_owned(),
        seconds,
    }
}

/// −log₁₀ of the relative error of the worst parameter (the error itself where the certified one is zero), at most
/// [`CERTIFIED_DIGITS`].
fn digits(found: &[f64], certified: &[f64]) -> f64 {
    let each = found.iter().zip(certified).map(|(found, certified)| {
        let size = if *certified == 0.0 { 1.0 } else { certified.abs() };
        let error = (found - certified).abs() / size;
        // Written so that NaN has no digits.
        if error < 1.0 { -error.log10() } else { 0.0 }
    });
    each.fold(CERTIFIED_DIGITS, f64::min)
}
