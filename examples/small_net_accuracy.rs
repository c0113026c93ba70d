//! How far down does a method take the loss of a small network? To rounding, with curvature.
//!
//! y = sin(3x)·e^(−x²/2) + 0.3·cos(7x) at 1,000 even points of [−2, 2]; a 1-20-20-1 tanh network (481 parameters) from ten
//! Glorot starts. Levenberg–Marquardt for 20 seconds each; a line for what it had after 300 iterations, and one for its end.
//!
//! `cargo run --release --example small_net_accuracy [-- --json]`

use secant::optim::{LevenbergMarquardt, Scaling, TraceEntry};
use secant::{Activation, Dataset, Network, NoPenalty, Risk, SquaredError, Stopping, minimize};
use std::error::Error;
use std::time::Duration;

const SAMPLES: usize = 1000;
const SEEDS: u64 = 10;
const ITERATIONS: usize = 300;
const LIMIT: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let json = std::env::args().any(|arg| arg == "--json");
    let data = data()?;
    let net = Network::mlp([1, 20, 20, 1], Activation::Tanh);
    let risk = Risk::new(net.graph()?, &data, SquaredError, NoPenalty)?;
    let residuals = risk.least_squares().ok_or("squared error has residuals")?;
    if !json {
        println!(
            "{:>4} {:20} {:>10} {:>8} {:>12}",
            "seed", "method", "iterations", "seconds", "mean square"
        );
    }
    let mut ends = [Vec::new(), Vec::new()];
    for seed in 0..SEEDS {
        let start = net.draw(seed)?;
        let stopping = Stopping {
            gradient_tolerance: 0.0,
            max_iterations: u64::MAX,
            max_time: Some(LIMIT),
            ..Stopping::default()
        };
        // The parameters of a network share their units: one scale for all.
        let solver =
            LevenbergMarquardt::default().with_scaling(Scaling::Identity).with_stopping(stopping);
        let report = minimize(&residuals, solver, &start)?.report;
        let last = report.trace.len() - 1;
        for (end, at) in ends.iter_mut().zip([ITERATIONS.min(last), last]) {
            say(seed, &report.solver, &report.trace[at], json);
            end.push(2.0 * report.trace[at].value);
        }
    }
    if !json {
        let [short, long] = ends.map(median);
        println!(
            "median mean square: {short:.1e} after {ITERATIONS} iterations, {long:.1e} at the end"
        );
    }
    Ok(())
}

/// The targets at even points.
fn data() -> Result<Dataset, Box<dyn Error>> {
    let x: Vec<f64> = (0..SAMPLES).map(|i| -2.0 + 4.0 * i as f64 / (SAMPLES - 1) as f64).collect();
    let wave = |x: f64| f64::sin(3.0 * x) * f64::exp(-0.5 * x * x) + 0.3 * f64::cos(7.0 * x);
    let y: Vec<f64> = x.iter().map(|x| wave(*x)).collect();
    Ok(Dataset::from_slices(1, &x, 1, &y)?)
}

/// One point of a run; f is half the mean square.
fn say(seed: u64, method: &str, at: &TraceEntry, json: bool) {
    let (iterations, seconds, mean_square) = (at.iteration, at.seconds, 2.0 * at.value);
    if json {
        let line = serde_json::json!({
            "seed": seed, "method": method, "iterations": iterations,
            "seconds": seconds, "mean_square": mean_square,
        });
        println!("{line}");
    } else {
        println!("{seed:4} {method:20} {iterations:10} {seconds:8.2} {mean_square:12.2e}");
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    0.5 * (values[(values.len() - 1) / 2] + values[values.len() / 2])
}
