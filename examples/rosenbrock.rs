//! Which way does each method go? The paths of nineteen methods down Rosenbrock's valley, on one sheet.
//!
//! f(x, y) = ½(1 − x)² + 50(y − x²)² from (−1.2, 1): a curved valley with steep walls, κ = 2,500 at the minimum (1, 1). Five maps of
//! kindred methods, and the gap of all against gradients. A first-order method has the best of thirteen rates by its value after
//! its steps; its name says which.
//!
//! `cargo run --release --example rosenbrock [-- --json] [--out DIR]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::compare::{Against, Comparison, CostRule};
use secant::faer::MatMut;
use secant::optim::{LeastSquaresFn, Update};
use secant::plot::Panels;
use secant::{
    AdaGrad, Adadelta, Adam, AdaptiveCubic, Bfgs, GaussNewton, GradientDescent, Lbfgs,
    LevenbergMarquardt, Method, Momentum, Nesterov, Newton, NewtonCg, NonlinearCg, Objective,
    RegularizedNewton, RmsProp, Sr1, Stopping, TrustRegion,
};
use std::error::Error;
use support::{About, Args, JSON, OUT};

const ABOUT: About = About {
    name: "rosenbrock",
    answers: "Which way does each method go? The paths of nineteen methods down Rosenbrock's valley.",
    takes: &[],
    options: &[JSON, OUT],
    output: "a table: steps, gradients, value, why it ended; rosenbrock.svg, .png",
    data: "",
};

const START: [f64; 2] = [-1.2, 1.0];
const WINDOW: [(f64, f64); 2] = [(-1.8, 1.6), (-0.7, 2.2)];
/// Steps of every method, at most.
const STEPS: u64 = 2_000;
/// Rates to choose from: 1e-5 … 1, three to a decade or so.
const RATES: [f64; 13] =
    [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1, 2e-1, 5e-1, 1.0];

/// A map: its title, and the methods by name.
type Group = (&'static str, Vec<(String, Method)>);

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    let valley = valley();
    let named = |name: &str, method: Method| (name.to_owned(), method);
    let groups: [Group; 5] = [
        (
            "Second derivatives",
            vec![
                named("Newton", Newton::default().into()),
                named("regularised Newton", RegularizedNewton::default().into()),
                named("trust region", TrustRegion::default().into()),
                named("adaptive cubic", AdaptiveCubic::default().into()),
                named("Newton–CG", NewtonCg::default().into()),
            ],
        ),
        (
            "Residuals",
            vec![
                named("Gauss–Newton", GaussNewton::default().into()),
                named("Levenberg–Marquardt", LevenbergMarquardt::default().into()),
            ],
        ),
        (
            "Curvature learned from gradients",
            vec![
                named("BFGS", Bfgs::default().into()),
                named(
                    "self-scaled Broyden",
                    Bfgs::default().with_update(Update::SelfScaledBroyden).into(),
                ),
                named("SR1", Sr1::default().into()),
                named("L-BFGS", Lbfgs::default().into()),
                named("nonlinear CG", NonlinearCg::default().into()),
            ],
        ),
        (
            "One rate, with and without momentum",
            vec![
                best_rate("gradient descent", &valley, |rate| GradientDescent::fixed(rate).into())?,
                best_rate("momentum", &valley, |rate| Momentum::default().with_rate(rate).into())?,
                best_rate("Nesterov", &valley, |rate| Nesterov::default().with_rate(rate).into())?,
            ],
        ),
        (
            "A rate for each parameter",
            vec![
                best_rate("AdaGrad", &valley, |rate| AdaGrad::default().with_rate(rate).into())?,
                best_rate("RMSProp", &valley, |rate| RmsProp::default().with_rate(rate).into())?,
                best_rate("Adam", &valley, |rate| Adam::default().with_rate(rate).into())?,
                named("Adadelta", Adadelta::default().into()),
            ],
        ),
    ];
    if !args.json() {
        println!(
            "{:<28} {:>6} {:>10} {:>12} {:>20}  end",
            "method", "steps", "gradients", "f", "at"
        );
    }
    let mut maps = Vec::new();
    let mut all = secant::compare();
    for (title, methods) in groups {
        let add = |set: secant::compare::Compare, (name, method): (String, Method)| {
            set.method(name, method)
        };
        let set = methods.iter().cloned().fold(secant::compare(), add);
        let table = run(set, &valley)?;
        for row in 0..table.rows.len() {
            say(&table, row, args.json());
        }
        maps.push(table.map(title, |theta| valley.value(theta), Some(WINDOW))?);
        all = methods.into_iter().fold(all, add);
    }
    let gaps = run(all, &valley)?.figure("The gap of all", Against::Gradients);
    let title = "Down Rosenbrock's valley from (−1.2, 1)";
    let sheet = Panels::new(title, 3, maps.into_iter().chain([gaps]));
    let out = args.out()?;
    for extension in ["svg", "png"] {
        let file = out.join(format!("rosenbrock.{extension}"));
        sheet.save(&file)?;
        if !args.json() {
            println!("{}", file.display());
        }
    }
    Ok(())
}

/// r = (10(y − x²), 1 − x).
fn valley() -> LeastSquaresFn<'static> {
    let residuals = |theta: &[f64], r: &mut [f64]| {
        (r[0], r[1]) = (10.0 * (theta[1] - theta[0] * theta[0]), 1.0 - theta[0]);
    };
    let jacobian = |theta: &[f64], mut j: MatMut<'_, f64>| {
        (j[(0, 0)], j[(0, 1)]) = (-20.0 * theta[0], 10.0);
        (j[(1, 0)], j[(1, 1)]) = (-1.0, 0.0);
    };
    LeastSquaresFn::new(2, 2, residuals).with_jacobian(jacobian)
}

fn stopping() -> Stopping {
    Stopping { gradient_tolerance: 1e-12, max_iterations: STEPS, ..Stopping::default() }
}

fn run(
    set: secant::compare::Compare,
    valley: &LeastSquaresFn<'_>,
) -> Result<Comparison, Box<dyn Error>> {
    // Counted costs repeat; the minimum is known.
    let set = set.stopping(stopping()).costs(CostRule::Counted).known_minimum(0.0);
    Ok(set.keep_iterates().run(valley, &START)?)
}

/// The rate with the lowest value at the end of its steps, named.
fn best_rate(
    name: &str,
    valley: &LeastSquaresFn<'_>,
    at_rate: impl Fn(f64) -> Method,
) -> Result<(String, Method), Box<dyn Error>> {
    let mut best = (f64::INFINITY, RATES[0]);
    for rate in RATES {
        let report = at_rate(rate).with_stopping(stopping()).minimize(valley, &START)?.report;
        // The last value, not the best: a rate that has begun to climb is too large.
        let last = report.trace[report.trace.len() - 1].value;
        if last < best.0 {
            best = (last, rate);
        }
    }
    Ok((format!("{name}, rate {}", best.1), at_rate(best.1)))
}

fn say(table: &Comparison, row: usize, json: bool) {
    let (run, row) = (&table.runs[row], &table.rows[row]);
    if json {
        let line = serde_json::json!({
            "method": row.name, "iterations": row.iterations, "gradient_equivalents": row.gradient_equivalents,
            "value": row.value, "theta": run.theta, "reason": row.reason,
        });
        println!("{line}");
    } else {
        let at = format!("({:.6}, {:.6})", run.theta[0], run.theta[1]);
        println!(
            "{:<28} {:>6} {:>10.0} {:>12.2e} {at:>20}  {:?}",
            row.name, row.iterations, row.gradient_equivalents, row.value, row.reason
        );
    }
}
