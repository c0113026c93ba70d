//! Why analytical gradients? Differences have half the digits, and cost O(n) evaluations against O(1).
//!
//! A 4-8-1 tanh network on 200 samples: some entries of ∇f by backward sweep, by forward differences (f(θ + h·eⱼ) − f(θ))/h and by
//! central ones (f(θ + h·eⱼ) − f(θ − h·eⱼ))/2h. Then their error against h: truncation, h or h², falls to the left, rounding, ε/h, rises,
//! and the best is where they meet, at √ε and ∛ε. Then the cost of ∇f in units of f, as n grows: n + 1 and 2n values against one sweep
//! back.
//!
//! `cargo run --release --example gradient_check [-- --json] [--out DIR]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::core::random::Random;
use secant::plot::{Axis, Figure};
use secant::{Activation, Dataset, Network, Objective, Ridge, Risk, SquaredError};
use std::error::Error;
use std::time::Instant;
use support::{About, Args, JSON, OUT};

const ABOUT: About = About {
    name: "gradient_check",
    answers: "Why analytical gradients? Numerical ones have half the digits, and cost O(n) evaluations against O(1).",
    takes: &[],
    options: &[JSON, OUT],
    output: "entries of a gradient three ways, errors against the step, costs against n; gradient_check_*.svg, .png",
    data: "",
};

const SAMPLES: usize = 200;
const FEATURES: usize = 4;
const SEED: u64 = 5;
/// Entries that are printed.
const ENTRIES: usize = 8;
/// Steps h per decade of the curve, from 1 down to 1e-15.
const PER_DECADE: i32 = 4;
const DECADES: i32 = 15;
/// Hidden units of the networks whose gradients are timed.
const WIDTHS: [usize; 6] = [4, 16, 64, 256, 1024, 4096];
/// Differences are timed on this many entries at most, and scaled to n.
const TIMED_ENTRIES: usize = 64;
/// Timings, of which the least counts.
const TIMINGS: usize = 15;

/// How a derivative is had from values.
#[derive(Clone, Copy)]
enum Rule {
    Forward,
    Central,
}

impl Rule {
    const ALL: [(Self, &'static str); 2] =
        [(Self::Forward, "forward differences"), (Self::Central, "central differences")];

    /// ∂f/∂θⱼ.
    fn derivative(self, f: &impl Objective, theta: &mut [f64], j: usize, h: f64) -> f64 {
        let at = theta[j];
        theta[j] = at + h;
        let ahead = f.value(theta);
        theta[j] = match self {
            Self::Forward => at,
            Self::Central => at - h,
        };
        let behind = f.value(theta);
        theta[j] = at;
        match self {
            Self::Forward => (ahead - behind) / h,
            Self::Central => (ahead - behind) / (2.0 * h),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    let (json, out) = (args.json(), args.out()?);
    let data = data()?;
    let net = Network::mlp([FEATURES, 8, 1], Activation::Tanh);
    let risk = Risk::new(net.graph()?, &data, SquaredError, Ridge(1e-3))?;
    let theta = net.draw(SEED)?;
    let mut exact = vec![0.0; risk.dim()];
    risk.value_gradient(&theta, &mut exact);
    let best = [f64::EPSILON.sqrt(), f64::EPSILON.cbrt()];
    entries(&net, &risk, &theta, &exact, best, json)?;

    let mut figure = Figure::new(
        "Error of numerical gradients against the step",
        Axis::log("step h"),
        Axis::log("‖numerical − analytical‖ / ‖analytical‖").within(1e-12, 2.0),
    );
    for ((rule, name), usual) in Rule::ALL.into_iter().zip(best) {
        let errors = errors_of(rule, &risk, &theta, &exact);
        let (h, error) =
            errors.iter().copied().fold((0.0, f64::INFINITY), |a, b| if b.1 < a.1 { b } else { a });
        if json {
            for (h, error) in &errors {
                println!(
                    "{}",
                    serde_json::json!({ "rule": name, "h": h, "relative_error": error })
                );
            }
        } else {
            println!("{name}: least error {error:.1e} at h = {h:.1e} (theory: {usual:.1e})");
        }
        figure = figure.measured(name, errors);
    }
    // What theory says, drawn through round numbers: rounding ε/h, truncation h and h².
    let line = |f: fn(f64) -> f64, ends: [f64; 2]| ends.map(|h| (h, f(h)));
    figure = figure
        .guide("ε / h", line(|h| f64::EPSILON / h, [1e-15, 1.0]))
        .guide("h", line(|h| h, [1.0, 1e-15]))
        .guide("h²", line(|h| h * h, [1.0, 1e-8]));
    for extension in ["svg", "png"] {
        figure.save(out.join(format!("gradient_check_error.{extension}")))?;
    }

    costs(&data, json, &out)?;
    if !json {
        println!("\npictures: {}/gradient_check_*.svg, .png", out.display());
    }
    Ok(())
}

/// Some entries of the gradient, three ways.
fn entries(
    net: &Network,
    risk: &Risk<'_>,
    theta: &[f64],
    exact: &[f64],
    steps: [f64; 2],
    json: bool,
) -> Result<(), Box<dyn Error>> {
    let names = net.graph()?.parameters();
    let stride = theta.len() / ENTRIES;
    let mut probe = theta.to_vec();
    if !json {
        println!(
            "∂f/∂θⱼ of a {FEATURES}-8-1 tanh network, n = {}, {SAMPLES} samples\n",
            theta.len()
        );
        println!(
            "{:22} {:>20} {:>20} {:>20}",
            "entry", "analytical", "forward, h = √ε", "central, h = ∛ε"
        );
    }
    for j in (0..ENTRIES).map(|k| k * stride) {
        let name = names.entry_name(j).unwrap_or_default();
        let mut by = |rule: Rule, h: f64| rule.derivative(risk, &mut probe, j, h);
        let (forward, central) = (by(Rule::Forward, steps[0]), by(Rule::Central, steps[1]));
        if json {
            let line = serde_json::json!({ "entry": name, "analytical": exact[j], "forward": forward, "central": central });
            println!("{line}");
        } else {
            println!("{name:22} {:20.14} {forward:20.14} {central:20.14}", exact[j]);
        }
    }
    if !json {
        println!();
    }
    Ok(())
}

/// (h, relative error of the whole gradient).
fn errors_of(rule: Rule, risk: &Risk<'_>, theta: &[f64], exact: &[f64]) -> Vec<(f64, f64)> {
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut probe = theta.to_vec();
    let error = |k: i32| {
        let h = 10_f64.powf(-f64::from(k) / f64::from(PER_DECADE));
        let off: Vec<f64> =
            (0..theta.len()).map(|j| rule.derivative(risk, &mut probe, j, h) - exact[j]).collect();
        (h, norm(&off) / norm(exact))
    };
    (0..=DECADES * PER_DECADE).map(error).collect()
}

/// Seconds of a gradient over seconds of a value, by sweep and by differences, for growing n.
fn costs(data: &Dataset, json: bool, out: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let (mut sweep, mut forward, mut central) = (Vec::new(), Vec::new(), Vec::new());
    if !json {
        println!(
            "\n{:>8} {:>14} {:>14} {:>14} {:>14}",
            "n", "f, µs", "∇f by sweep/f", "forward/f", "central/f"
        );
    }
    for width in WIDTHS {
        let net = Network::mlp([FEATURES, width, 1], Activation::Tanh);
        let risk = Risk::new(net.graph()?, data, SquaredError, Ridge(1e-3))?;
        let mut theta = net.draw(SEED)?;
        let n = theta.len();
        let timed = n.min(TIMED_ENTRIES);
        let value = seconds(|| risk.value(&theta));
        let mut gradient = vec![0.0; n];
        let analytical = seconds(|| risk.value_gradient(&theta, &mut gradient)) / value;
        let mut by = |rule: Rule| {
            let all =
                seconds(|| (0..timed).map(|j| rule.derivative(&risk, &mut theta, j, 1e-6)).sum());
            all / timed as f64 * n as f64 / value
        };
        // A forward difference has f(θ) once for all entries: half the values of `derivative`, and one.
        let (one_sided, two_sided) = (by(Rule::Forward) / 2.0 + 1.0, by(Rule::Central));
        if json {
            let line = serde_json::json!({
                "parameters": n, "value_seconds": value, "sweep": analytical,
                "forward": one_sided, "central": two_sided,
            });
            println!("{line}");
        } else {
            println!(
                "{n:8} {:14.1} {analytical:14.2} {one_sided:14.0} {two_sided:14.0}",
                1e6 * value
            );
        }
        sweep.push((n as f64, analytical));
        forward.push((n as f64, one_sided));
        central.push((n as f64, two_sided));
    }
    let figure = Figure::new(
        "Cost of a gradient as n grows",
        Axis::log("n"),
        Axis::log("time of ∇f / time of f"),
    )
    .path("backward sweep: O(1)", sweep)
    .path("forward differences: n + 1", forward)
    .path("central differences: 2n", central);
    for extension in ["svg", "png"] {
        figure.save(out.join(format!("gradient_check_cost.{extension}")))?;
    }
    Ok(())
}

/// The least time of a call, after one that warms: what else runs on the machine only adds.
fn seconds(mut work: impl FnMut() -> f64) -> f64 {
    std::hint::black_box(work());
    let mut least = f64::INFINITY;
    for _ in 0..TIMINGS {
        let start = Instant::now();
        std::hint::black_box(work());
        least = least.min(start.elapsed().as_secs_f64());
    }
    least
}

/// Features in [−2, 2], and a smooth function of them.
fn data() -> Result<Dataset, Box<dyn Error>> {
    let mut random = Random::new(SEED);
    let inputs: Vec<f64> = (0..FEATURES * SAMPLES).map(|_| 4.0 * random.uniform() - 2.0).collect();
    let target = |x: &[f64]| (x[0] * x[1]).sin() + 0.5 * x[2] - (x[3] * x[3]).exp().ln_1p();
    let targets: Vec<f64> = inputs.chunks_exact(FEATURES).map(target).collect();
    Ok(Dataset::from_slices(FEATURES, &inputs, 1, &targets)?)
}
