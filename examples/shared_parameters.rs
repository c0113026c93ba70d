//! How does a global fit of many data sets grow with their number? a·e^(−bx) + c + d·x, a and c each group's own, b and d shared.
//!
//! Groups of 50 points, drawn from a seed, fitted at once from one start, with standard errors of all parameters; twice as many each time.
//! Printed are seconds of the fit and of the errors, microseconds a group, and how far b is from the truth in standard errors.
//!
//! `cargo run --release --example shared_parameters [-- --groups 2000 --json]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::core::random::Random;
use secant::{Dataset, FitError, curve};
use std::error::Error;
use std::time::Instant;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "shared_parameters",
    answers: "How does a global fit of many data sets grow with their number?",
    takes: &[],
    options: &[
        ("--groups", "COUNT", "groups of the largest fit (default 2000)"),
        ("--points", "COUNT", "points of each (default 50)"),
        ("--repeats", "COUNT", "fits of each, of which the fastest counts (default 3)"),
        ("--search", "", "with starts that are looked for"),
        JSON,
    ],
    output: "a line for each number of groups",
    data: "",
};

const RATE: f64 = 0.7;
const SLOPE: f64 = 0.05;
const NOISE: f64 = 0.05;
/// Fits: each of twice as many groups as the one before.
const FITS: u32 = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    let (most, points) = (args.count("--groups", 2_000), args.count("--points", 50));
    for fit in (0..FITS).rev() {
        let groups = (most >> fit).max(1);
        measure(groups, points, &args)?;
    }
    Ok(())
}

fn measure(groups: usize, points: usize, args: &Args) -> Result<(), FitError> {
    let data = draw(groups, points)?;
    let mut curve = curve("a*exp(-b*x) + c + d*x")?.groups("group").own(["a", "c"]);
    if !args.has("--search") {
        curve = curve.start([("a", 1.0), ("b", 1.0), ("c", 0.0), ("d", 0.0)]);
    }
    let (mut best, mut errors) = (f64::INFINITY, f64::INFINITY);
    let mut line = None;
    for _ in 0..args.count("--repeats", 3) {
        let clock = Instant::now();
        let fit = curve.fit(&data)?;
        best = best.min(clock.elapsed().as_secs_f64());
        let clock = Instant::now();
        let found = fit.inference()?;
        errors = errors.min(clock.elapsed().as_secs_f64());
        let away = found.estimate("b").map_or(f64::NAN, |b| (b.value - RATE) / b.standard_error);
        line = Some((fit.report().parameters, fit.report().iterations, away));
    }
    let Some((parameters, iterations, away)) = line else { return Ok(()) };
    let each = 1e6 * (best + errors) / groups as f64;
    if args.json() {
        println!(
            "{{\"groups\":{groups},\"points\":{points},\"parameters\":{parameters},\"iterations\":{iterations},\"fit_seconds\":{best:.6},\"error_seconds\":{errors:.6}}}"
        );
    } else {
        println!(
            "{groups:>6} groups, {parameters:>6} parameters: fit {best:>7.3} s in {iterations} iterations, errors {errors:>7.3} s, {each:>6.1} µs a group; b is {away:+.2} errors from the truth"
        );
    }
    Ok(())
}

fn draw(groups: usize, points: usize) -> Result<Dataset, FitError> {
    let mut random = Random::new(4);
    let (mut inputs, mut y) = (Vec::new(), Vec::new());
    for group in 0..groups {
        let (a, c) = (1.0 + 4.0 * random.uniform(), random.uniform());
        for _ in 0..points {
            let x = 6.0 * random.uniform();
            inputs.extend([group as f64, x]);
            y.push(a * f64::exp(-RATE * x) + c + SLOPE * x + NOISE * random.normal());
        }
    }
    let names = vec!["group".into(), "x".into()];
    Ok(Dataset::from_slices(2, &inputs, 1, &y)?.with_feature_names(names)?)
}
