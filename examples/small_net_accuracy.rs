//! How far down does each method take the loss of a small network? To rounding, with curvature.
//!
//! y = sin(3x)·e^(−x²/2) + 0.3·cos(7x) at 1,000 even points of [−2, 2]; a 1-20-20-1 tanh network (481 parameters) from ten
//! Glorot starts. Every method for at most 20 seconds from each; Adam at the best of three rates. A line for what a run had after
//! 300 iterations, one for its end, and one for where its mean square first was 1e-10.
//!
//! `cargo run --release --example small_net_accuracy [-- --json] [--seconds S] [--seeds K] [--only NAME]`; NAME is part of a
//! method's name, and may be given more than once.

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::optim::{LevenbergMarquardt, Scaling, TraceEntry, Update, VariableProjection};
use secant::{
    Activation, Adam, Bfgs, Dataset, Lbfgs, Method, Network, NoPenalty, Report, Risk, SquaredError,
    Stopping, TrustRegion,
};
use std::error::Error;
use std::time::Duration;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "small_net_accuracy",
    answers: "How far down does each method take the loss of a small network? To rounding, with curvature.",
    takes: &[],
    options: &[
        JSON,
        ("--seconds", "S", "most time of a run; default 20"),
        ("--seeds", "K", "starts; default 10"),
        ("--only", "NAME", "methods with this in their name; may be repeated"),
    ],
    output: "a line for each run at 300 iterations, at its end and where its mean square was 1e-10; medians",
    data: "",
};

const SAMPLES: usize = 1000;
const SEEDS: u64 = 10;
const ITERATIONS: usize = 300;
const SECONDS: f64 = 20.0;
/// The mean square whose first iteration is told.
const REACHED: f64 = 1e-10;
const ADAM_RATES: [f64; 3] = [1e-3, 3e-3, 1e-2];

/// What the command line asks for.
struct Asked {
    json: bool,
    limit: Duration,
    seeds: u64,
    /// Parts of the names of the methods to run; none: all.
    only: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let asked = Asked::from_args();
    let data = data()?;
    let net = Network::mlp([1, 20, 20, 1], Activation::Tanh);
    let risk = Risk::new(net.graph()?, &data, SquaredError, NoPenalty)?;
    if !asked.json {
        println!(
            "{:>4} {:20} {:>10} {:>8} {:>12}",
            "seed", "method", "iterations", "seconds", "mean square"
        );
    }
    let mut summary = Vec::new();
    for variants in contestants().into_iter().filter(|variants| asked.wants(&variants[0])) {
        let (mut early, mut late, mut pace) = (Vec::new(), Vec::new(), Vec::new());
        let (mut steps, mut seconds) = (Vec::new(), Vec::new());
        let mut name = String::new();
        for seed in 0..asked.seeds {
            let start = net.draw(seed)?;
            let mut best: Option<Report> = None;
            for method in &variants {
                let method = method.clone().with_stopping(asked.stopping());
                let report = method.minimize(&risk, &start)?.report;
                if best.as_ref().is_none_or(|best| report.value < best.value) {
                    best = Some(report);
                }
            }
            let report = best.ok_or("a method has at least one variant")?;
            let last = report.trace.len() - 1;
            let points = [ITERATIONS.min(last), last].map(|at| &report.trace[at]);
            let reached = report.trace.iter().find(|at| 2.0 * at.value <= REACHED);
            let mut told: Vec<&TraceEntry> = reached.into_iter().chain(points).collect();
            told.sort_by_key(|at| at.iteration);
            for point in told {
                say(seed, &report.solver, point, asked.json);
            }
            let first = reached.map_or([f64::INFINITY; 2], |at| [at.iteration as f64, at.seconds]);
            steps.push(first[0]);
            seconds.push(first[1]);
            early.push(2.0 * points[0].value);
            late.push(2.0 * points[1].value);
            pace.push(1e3 * points[1].seconds / points[1].iteration.max(1) as f64);
            name.clone_from(&report.solver);
        }
        summary.push((name, [early, late, pace, steps, seconds]));
    }
    if !asked.json {
        println!(
            "\n{:20} {:>12} {:>12} {:>8} {:>10} {:>10}",
            "median", "at 300", "at the end", "ms/it", "its 1e-10", "s 1e-10"
        );
        for (name, columns) in summary {
            let [early, late, pace, steps, seconds] = columns.map(median);
            println!("{name:20} {early:12.1e} {late:12.1e} {pace:8.2} {steps:10.0} {seconds:10.2}");
        }
    }
    Ok(())
}

/// The methods; where there are several of one, the best of them counts, seed by seed.
fn contestants() -> Vec<Vec<Method>> {
    // The parameters of a network share their units: one scale for all.
    let levenberg_marquardt = LevenbergMarquardt::default().with_scaling(Scaling::Identity);
    let projection =
        VariableProjection::default().with_levenberg_marquardt(levenberg_marquardt.clone());
    vec![
        vec![levenberg_marquardt.into()],
        vec![projection.into()],
        vec![Bfgs::default().with_update(Update::SelfScaledBroyden).into()],
        vec![Bfgs::default().with_update(Update::SelfScaledBfgs).into()],
        vec![Bfgs::default().into()],
        vec![TrustRegion::default().into()],
        vec![Lbfgs::default().into()],
        ADAM_RATES.into_iter().map(|rate| Adam::default().with_rate(rate).into()).collect(),
    ]
}

impl Asked {
    fn from_args() -> Self {
        let args = Args::read(&ABOUT);
        Self {
            json: args.json(),
            limit: args.seconds("--seconds", SECONDS),
            seeds: args.count("--seeds", SEEDS),
            only: args.values("--only").map(str::to_owned).collect(),
        }
    }

    fn wants(&self, method: &Method) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| method.name().contains(part))
    }

    /// Until the time is over, or rounding.
    fn stopping(&self) -> Stopping {
        Stopping {
            gradient_tolerance: 0.0,
            max_iterations: u64::MAX,
            max_time: Some(self.limit),
            ..Stopping::default()
        }
    }
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
