//! Levenberg–Marquardt on NIST's nonlinear problems: f(θ) = ½ Σ (model(θ, xᵢ) − yᵢ)².

use crate::models::{self, Model};
use crate::row::Row;
use secant::core::data::NistNonlinear;
use secant::inference::Inference;
use secant::minimize;
use secant::optim::{LeastSquaresFn, LevenbergMarquardt};
use std::error::Error;
use std::fs;
use std::path::Path;

/// NIST certifies this many digits.
const CERTIFIED_DIGITS: f64 = 11.0;

/// Every problem in `folder`, or in its folder `nonlinear`, from both starts.
pub fn run(folder: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    run_with(folder, problem)
}

/// As [`run`], from residuals alone.
pub fn run_by_differences(folder: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    run_with(folder, residuals)
}

fn run_with(
    folder: &Path,
    problem: for<'a> fn(&'a NistNonlinear, Model) -> LeastSquaresFn<'a>,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for set in sets(folder)? {
        let Some(model) = models::model(&set.name) else {
            eprintln!("{}: no model of that name here", set.name);
            continue;
        };
        let problem = problem(&set, model);
        for (start, theta) in ["1", "2"].into_iter().zip(&set.starts) {
            let solution = minimize(&problem, LevenbergMarquardt::default(), theta)?;
            let digits = digits(&solution.theta, &set.parameters);
            let mut row = Row::new(&set.name, start, &solution.report, digits);
            let found = Inference::of(&problem, &solution.theta).compute()?;
            let errors: Vec<f64> = found.estimates.iter().map(|one| one.standard_error).collect();
            row.error_digits = Some(self::digits(&errors, &set.deviations));
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Every problem in `folder`, or in its folder `nonlinear`.
///
/// # Errors
/// The folder cannot be read.
pub fn sets(folder: &Path) -> Result<Vec<NistNonlinear>, Box<dyn Error>> {
    let nonlinear = folder.join("nonlinear");
    let folder = if nonlinear.is_dir() { &nonlinear } else { folder };
    let mut files: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "dat"));
    files.sort();
    let mut sets = Vec::new();
    for file in files {
        match NistNonlinear::read(&file) {
            Ok(set) => sets.push(set),
            Err(_) => eprintln!("{}: no nonlinear problem", file.display()),
        }
    }
    Ok(sets)
}

/// r(θ).
fn residuals(set: &NistNonlinear, model: Model) -> LeastSquaresFn<'_> {
    let (n, m, p) = (set.parameters.len(), set.samples(), set.predictors);
    // The model of Nelson is one of log y.
    let y: Vec<f64> =
        set.y.iter().map(|y| if set.name == "Nelson" { y.ln() } else { *y }).collect();
    LeastSquaresFn::new(n, m, move |theta, r| {
        let mut gradient = vec![0.0; n];
        for ((r, x), y) in r.iter_mut().zip(set.x.chunks_exact(p)).zip(&y) {
            *r = model(theta, x, &mut gradient) - y;
        }
    })
}

/// r(θ) and J(θ), with the parameters that are linear.
pub fn problem(set: &NistNonlinear, model: Model) -> LeastSquaresFn<'_> {
    let (n, p) = (set.parameters.len(), set.predictors);
    let formula = residuals(set, model).with_jacobian(move |theta, mut jacobian| {
        let mut gradient = vec![0.0; n];
        for (i, x) in set.x.chunks_exact(p).enumerate() {
            model(theta, x, &mut gradient);
            for (j, entry) in gradient.iter().enumerate() {
                jacobian[(i, j)] = *entry;
            }
        }
    });
    models::linear(&set.name).iter().cloned().fold(formula, LeastSquaresFn::with_linear)
}

/// −log₁₀ of the relative error of the worst parameter, at most [`CERTIFIED_DIGITS`].
fn digits(theta: &[f64], certified: &[f64]) -> f64 {
    let each = theta.iter().zip(certified).map(|(theta, certified)| {
        let error = ((theta - certified) / certified).abs();
        // Written so that NaN has no digits.
        if error < 1.0 { -error.log10() } else { 0.0 }
    });
    each.fold(CERTIFIED_DIGITS, f64::min)
}
