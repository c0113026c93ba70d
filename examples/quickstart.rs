//! How do I fit a network to a table, and what does full-batch curvature buy?
//!
//! A multilayer perceptron on the concrete table (1,030 mixtures, 8 ingredients, compressive strength), split into training
//! and test parts: L-BFGS beside Adam at three rates, from the same start, on the same objective, in the same time.
//!
//! `cargo run --release --example quickstart [-- --json]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::{
    Activation, Adam, Dataset, Fitted, Lbfgs, Method, Network, Ridge, SquaredError, Standardize,
    Stopping, Targets, fit,
};
use std::error::Error;
use std::time::Duration;
use support::{About, Args, JSON, shipped};

const ABOUT: About = About {
    name: "quickstart",
    answers: "How do I fit a network to a table, and what does full-batch curvature buy? L-BFGS beside Adam on the concrete table.",
    takes: &[],
    options: &[JSON],
    output: "a table: objective, gradient, errors on training and test part, seconds; the report of the first fit",
    data: "",
};

/// Time for every method.
const SECONDS: f64 = 2.0;
/// Learning rates that Adam may choose from.
const ADAM_RATES: [f64; 3] = [1e-3, 1e-2, 1e-1];

fn main() -> Result<(), Box<dyn Error>> {
    let json = Args::read(&ABOUT).json();
    let data = Dataset::from_csv(shipped("concrete.csv"), "target")?;
    let (training, test) = data.split(0.8, 1)?;
    let net = Network::mlp([8, 16, 1], Activation::Tanh);

    let mut entries: Vec<(String, Method)> = vec![("L-BFGS".into(), Lbfgs::default().into())];
    for rate in ADAM_RATES {
        entries.push((format!("Adam, rate {rate}"), Adam::default().with_rate(rate).into()));
    }
    if !json {
        println!(
            "{:<18} {:>16} {:>12} {:>12} {:>12} {:>8}",
            "method", "objective", "‖gradient‖∞", "training", "test", "seconds"
        );
        println!("{:<18} {:>16} {:>12} {:>12} {:>12}", "", "", "", "RMSE, MPa", "RMSE, MPa");
    }
    let mut best = None;
    for (name, method) in entries {
        let stopping = Stopping {
            max_time: Some(Duration::from_secs_f64(SECONDS)),
            max_iterations: u64::MAX,
            ..Stopping::default()
        };
        let fitted = fit(&net, &training)
            .loss(SquaredError)
            .penalty(Ridge(1e-4))
            .method(method)
            .stopping(stopping)
            .standardize(Standardize::InputsAndTargets)
            .seed(7)
            .run()?;
        print_row(&name, &fitted, &training, &test, json)?;
        best.get_or_insert(fitted);
    }
    if let (Some(best), false) = (best, json) {
        println!("\n{}", best.report());
        let first = best.model().predict(test.sample(0))?;
        println!("first test mixture: {:.1} MPa predicted", first[0]);
    }
    Ok(())
}

fn print_row(
    name: &str,
    fitted: &Fitted,
    training: &Dataset,
    test: &Dataset,
    json: bool,
) -> Result<(), Box<dyn Error>> {
    let report = fitted.report();
    let (on_training, on_test) = (rmse(fitted, training)?, rmse(fitted, test)?);
    let (value, gradient) = (report.value, report.gradient.max);
    if json {
        let line = serde_json::json!({
            "method": name, "value": value, "gradient_norm": gradient,
            "training_rmse": on_training, "test_rmse": on_test, "iterations": report.iterations,
            "seconds": report.seconds, "reason": format!("{:?}", report.reason),
        });
        println!("{line}");
    } else {
        let seconds = report.seconds;
        println!(
            "{name:<18} {value:>16.12} {gradient:>12.1e} {on_training:>12.3} {on_test:>12.3} {seconds:>8.2}"
        );
    }
    Ok(())
}

/// Root of the mean square error, in the target's units.
fn rmse(fitted: &Fitted, data: &Dataset) -> Result<f64, Box<dyn Error>> {
    let predicted = fitted.model().predict(data.inputs())?;
    let Targets::Values { values, .. } = data.targets() else { return Ok(f64::NAN) };
    let squares: f64 = predicted.iter().zip(values).map(|(p, y)| (p - y) * (p - y)).sum();
    Ok((squares / data.samples() as f64).sqrt())
}
