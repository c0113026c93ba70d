//! `secant one-step`: what Newton's method gives on linear regression.

use crate::args::OneStepArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::tables::{self, Read};
use crate::told::{head, number, seconds};
use secant::core::predict::outputs_of;
use secant::core::random::Random;
use secant::{
    Dataset, FitError, Method, Network, Newton, NoPenalty, Risk, SquaredError, Standardizer,
    Stopping, Targets, linear_regression,
};
use serde_json::json;
use std::time::Instant;

/// Starts are drawn from ± this.
const SPREAD: f64 = 1e3;
/// A step is the solution where fitted values differ from QR's by no more, relatively.
const SAME: f64 = 1e-9;

pub fn run(args: &OneStepArgs, screen: &Screen) -> Result<Exit, Failure> {
    let table = args.table.read(&args.data)?;
    let read = Read::of(&table);
    let encoded = table.into_dataset(&args.columns.roles(&args.table))?;
    let data = &encoded.data;
    if !matches!(data.targets(), Targets::Values { rows: 1, .. }) {
        return Err(Failure::new("linear regression here has one target of numbers"));
    }
    screen.heading("Data");
    screen.sentences(&tables::sentences(&read, &encoded));
    let scaled = Standardizer::fit_inputs(data).transform_inputs(data)?;
    let clock = Instant::now();
    let solution = linear_regression(&scaled).solve()?;
    let qr_seconds = clock.elapsed().as_secs_f64();
    let network = Network::linear(scaled.features(), 1);
    let fitted = predictions(&network, &scaled, &reordered(&solution.coefficients))?;
    screen.heading("Newton's method on linear regression: one step from anywhere");
    screen.sentences(&[
        format!("QR with pivoting and refinement: {}, rank {} of {}.", seconds(qr_seconds), solution.rank, solution.coefficients.len()),
        "Fitted values after one Newton step, θ − H⁻¹∇f with features standardised, against QR's (‖difference‖/‖QR‖):".to_owned(),
    ]);
    let starts = starts(scaled.features() + 1, args.seed);
    let mut rows = Vec::new();
    let mut passed = true;
    for (name, theta) in starts {
        let risk =
            Risk::new(network.graph().map_err(FitError::from)?, &scaled, SquaredError, NoPenalty)
                .map_err(FitError::from)?;
        let stopping =
            Stopping { max_iterations: 1, gradient_tolerance: 0.0, ..Stopping::default() };
        let method: Method = Newton::default().with_stopping(stopping).into();
        let clock = Instant::now();
        let found = method.minimize(&risk, &theta)?;
        let took = clock.elapsed().as_secs_f64();
        let distance = distance(&predictions(&network, &scaled, &found.theta)?, &fitted);
        let good = distance <= SAME;
        passed &= good;
        screen.result(&format!(
            "    from {name:<14} {:>9}  {}",
            seconds(took),
            screen.verdict(good, &format!("{distance:.1e}"))
        ));
        rows.push(json!({"start": name, "distance": number(distance), "seconds": took}));
    }
    let exit = if passed { Exit::Done } else { Exit::Failed };
    if !solution.null_directions.is_empty() {
        screen.sentences(&[format!(
            "The columns depend on each other ({}): of all that fit alike QR takes the shortest coefficients.",
            solution.null_directions.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        )]);
    }
    let mut object = head("one-step", &read, &encoded);
    object.insert("qr".into(), json!({"seconds": qr_seconds, "rank": solution.rank, "parameters": solution.coefficients.len()}));
    object.insert("steps".into(), rows.into());
    object.insert("passed".into(), passed.into());
    object.insert("exit".into(), exit.number().into());
    screen.json(object);
    Ok(exit)
}

/// Three starts as different as can be.
fn starts(n: usize, seed: u64) -> [(&'static str, Vec<f64>); 3] {
    let mut random = Random::new(seed);
    [
        ("all +1e3", vec![SPREAD; n]),
        ("±1e3 in turn", (0..n).map(|j| if j % 2 == 0 { SPREAD } else { -SPREAD }).collect()),
        ("random", (0..n).map(|_| SPREAD * (2.0 * random.uniform() - 1.0)).collect()),
    ]
}

/// The intercept behind the slopes, as a network has them.
fn reordered(coefficients: &[f64]) -> Vec<f64> {
    coefficients.iter().skip(1).chain(coefficients.first()).copied().collect()
}

fn predictions(network: &Network, data: &Dataset, theta: &[f64]) -> Result<Vec<f64>, Failure> {
    let graph = network.graph().map_err(FitError::from)?;
    Ok(outputs_of(graph, theta, data, None).map_err(FitError::from)?)
}

/// ‖a − b‖/‖b‖.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let apart = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    (apart / b.iter().map(|b| b * b).sum::<f64>()).sqrt()
}
