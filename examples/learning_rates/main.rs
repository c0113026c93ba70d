//! What does a learning rate do? Too small, right, too big; convex and not; and what momentum does in a ravine.
//!
//! 1. Linear least squares is convex: gradient descent comes to the same solution from every start, that of QR.
//! 2. On a quadratic a fixed rate ε shrinks the error along an eigenvector by |1 − ελ| in every step: stable below 2/λmax, which
//!    Lanczos computes, best at 2/(λmin + λmax). Shown at rates just below and just above the limit, and far from it.
//! 3. Nonlinear least squares has several minima: where a run ends depends on where it begins.
//! 4. In a ravine (κ = λmax/λmin large) momentum shrinks the error by (√κ − 1)/(√κ + 1) in a step, not by (κ − 1)/(κ + 1).
//! 5. Every first-order method at the rate that the finder picks for it, full-batch and on minibatches.
//!
//! `cargo run --release --example learning_rates [-- --json] [--out DIR]`

#[macro_use]
#[path = "../support/mod.rs"]
mod support;
mod problems;

use problems::{Ravine, concrete, path, plane, sine, spectrum, two_columns};
use secant::optim::{LeastSquaresFn, TraceEntry};
use secant::plot::{Axis, Figure, Panels, PlotError};
use secant::{
    AdaGrad, Adadelta, Adam, AdamW, Dataset, GradientDescent, Method, Minibatches, Momentum,
    Nesterov, Network, Newton, NoPenalty, Objective, RateFinder, Report, Risk, RmsProp,
    SquaredError, Stopping, linear_regression, minimize,
};
use serde_json::{Value, json};
use std::error::Error;
use std::path::{Path, PathBuf};
use support::{About, Args, JSON, OUT};

const ABOUT: About = About {
    name: "learning_rates",
    answers: "What does a learning rate do? Too small, right, too big; convex and not; and what momentum does in a ravine.",
    takes: &[],
    options: &[JSON, OUT],
    output: "five parts: runs, factors per step beside theory, the rate that the finder picks for each method; learning_rates_*.svg, .png",
    data: "",
};

/// Steps of the runs at different rates.
const STEPS: u64 = 400;
/// Steps at the end from which a factor per step is measured.
const TAIL: usize = 50;
/// κ of the ravine.
const CONDITION: f64 = 100.0;
/// Steps on the ravine's map.
const SHOWN: usize = 60;
/// The ravine is left where f is this part of its start.
const RAVINE_GAP: f64 = 1e-10;
/// Gradients that a method may ask for in part 5, full-batch; on minibatches as many samples.
const BUDGET: u64 = 100;

type Outcome = Result<(), Box<dyn Error>>;

/// The terminal or JSON, and the folder of the pictures.
struct Out {
    json: bool,
    folder: PathBuf,
}

fn main() -> Outcome {
    let args = Args::read(&ABOUT);
    let out = Out { json: args.json(), folder: args.out()? };
    let data = concrete()?;
    out.convex(&two_columns(&data, [3, 4])?)?;
    out.step_sizes(&data)?;
    out.several_minima(&sine())?;
    out.ravine()?;
    out.best_rates(&data)
}

/// Runs for `steps` steps, whatever the gradient.
fn steps(steps: u64) -> Stopping {
    Stopping { gradient_tolerance: 0.0, max_iterations: steps, ..Stopping::default() }
}

impl Out {
    fn heading(&self, text: &str) {
        if !self.json {
            println!("\n{text}");
        }
    }

    /// A row: for people, or as an object.
    fn row(&self, text: &str, object: &Value) {
        println!("{}", if self.json { object.to_string() } else { format!("  {text}") });
    }

    /// Saves a picture as SVG and PNG.
    fn picture(&self, name: &str, save: impl Fn(&Path) -> Result<(), PlotError>) -> Outcome {
        for extension in ["svg", "png"] {
            let file = self.folder.join(format!("learning_rates_{name}.{extension}"));
            save(&file)?;
            if !self.json {
                println!("  picture: {}", file.display());
            }
        }
        Ok(())
    }

    fn convex(&self, data: &Dataset) -> Outcome {
        let graph = plane()?;
        let risk = Risk::new(&graph, data, SquaredError, NoPenalty)?;
        let solution = linear_regression(data).intercept(false).solve()?.coefficients;
        let (least, largest) = spectrum(&risk, &solution)?;
        self.heading(&format!(
            "1. Strength of concrete from water and superplasticizer: λ = {least:.4} … {largest:.4}, QR gives w = ({:.6}, {:.6})",
            solution[0], solution[1]
        ));
        let method = || GradientDescent::fixed(1.0 / largest).into();
        let stopping = Stopping { gradient_tolerance: 1e-13, ..Stopping::default() };
        let f_least = risk.value(&solution);
        let levels: Vec<f64> = (0..12).map(|k| f_least + 0.01 * 1.9_f64.powi(k)).collect();
        let mut map = Figure::new(
            "Linear least squares: one minimum, from every start",
            Axis::linear("weight of water").within(-2.5, 2.5),
            Axis::linear("weight of superplasticizer").within(-2.5, 2.7),
        )
        .contours(&levels, |x, y| risk.value(&[x, y]));
        for start in [[-2.2, -2.2], [-2.2, 2.4], [2.2, 2.4], [2.2, -2.2]] {
            let (points, report) = path(&risk, method(), stopping.clone(), &start)?;
            let end = points.last().ok_or("a run has a start")?;
            let distance = (end[0] - solution[0]).hypot(end[1] - solution[1]);
            let text = format!(
                "from ({:4}, {:4}): {:3} steps to ({:.6}, {:.6}), {distance:.1e} from QR",
                start[0], start[1], report.iterations, end[0], end[1]
            );
            let object = json!({"part": "convex", "start": start, "iterations": report.iterations,
                "end": end, "distance_to_qr": distance});
            self.row(&text, &object);
            let name = format!("from ({}, {})", start[0], start[1]).replace('-', "−");
            map = map.path(name, points.iter().map(|p| (p[0], p[1])));
        }
        self.picture("convex", |file| map.save(file))
    }

    fn step_sizes(&self, data: &Dataset) -> Outcome {
        let net = Network::linear(data.features(), 1);
        let risk = Risk::new(net.graph()?, data, SquaredError, NoPenalty)?;
        let start = vec![1.0; risk.dim()];
        let minimum = minimize(&risk, Newton::default(), &start)?;
        let (small, large) = spectrum(&risk, &minimum.theta)?;
        let (limit, best) = (2.0 / large, 2.0 / (small + large));
        self.heading(&format!(
            "2. Linear regression on concrete, {} parameters: λ = {small:.5} … {large:.4} by Lanczos, κ = {:.1}; stable below \
             2/λmax = {limit:.6}, best at 2/(λmin + λmax) = {best:.6}",
            start.len(),
            large / small
        ));
        let title = format!("Gradient descent at five rates; the limit is 2/λmax = {limit:.4}");
        let y = Axis::log("f − f*").within(1e-9, 1e9);
        let mut figure = Figure::new(title, Axis::linear("iteration"), y);
        for (name, rate) in [
            ("too small", 0.005 * limit),
            ("right: 2/(λmin + λmax)", best),
            ("just below: 0.995 of the limit", 0.995 * limit),
            ("just above: 1.005 of the limit", 1.005 * limit),
            ("too big", 1.2 * limit),
        ] {
            let method = GradientDescent::fixed(rate).into();
            let (_, report) = path(&risk, method, steps(STEPS), &start)?;
            let gaps = gaps(&report, minimum.report.value);
            let predicted = (1.0 - rate * small).abs().max((1.0 - rate * large).abs());
            let measured = factor(&gaps);
            let last = gaps[gaps.len() - 1];
            let text = format!(
                "{name:<31} ε = {rate:.6}: f − f* = {:9.2e} → {last:9.2e} after {STEPS} steps; factor per step {measured:.5}, \
                 max|1 − ελ| = {predicted:.5}",
                gaps[0]
            );
            let object = json!({"part": "step_size", "name": name, "rate": rate, "limit": limit,
                "start_gap": gaps[0], "gap": last, "factor": measured, "predicted_factor": predicted});
            self.row(&text, &object);
            figure = figure.run(format!("{name}, ε = {rate:.4}"), numbered(&gaps));
        }
        self.picture("step_size", |file| figure.save(file))
    }

    fn several_minima(&self, problem: &LeastSquaresFn<'_>) -> Outcome {
        self.heading("3. ½Σ(a·sin ωt − sin 3t)²: gradient descent, ε = 0.01, from six frequencies at a = 0.6");
        let mut runs: Vec<(String, f64, Vec<Vec<f64>>)> = Vec::new();
        let mut ends: Vec<[f64; 2]> = Vec::new();
        for frequency in [1.4, 2.3, 3.8, 4.6, 5.8, 7.6] {
            let start = [frequency, 0.6];
            let stopping = Stopping { gradient_tolerance: 1e-10, ..Stopping::default() };
            let solver = GradientDescent::fixed(0.01).with_stopping(stopping);
            let recorded = problems::recorded(problem);
            let solution = minimize(&recorded, solver, &start)?;
            let (end, f) = (&solution.theta, solution.report.value);
            let known = ends
                .iter()
                .position(|other| (other[0] - end[0]).abs() + (other[1] - end[1]).abs() < 1e-4);
            let number = known.unwrap_or(ends.len());
            if known.is_none() {
                ends.push([end[0], end[1]]);
            }
            let text = format!(
                "from ω = {frequency}: minimum {} at ω = {:.5}, a = {:8.5}, f = {f:9.2e}, {} steps",
                number + 1,
                end[0],
                end[1],
                solution.report.iterations
            );
            let object = json!({"part": "several_minima", "start": start, "minimum": number + 1,
                "end": end, "value": f, "iterations": solution.report.iterations});
            self.row(&text, &object);
            let name = format!("ω = {frequency} → minimum {}", number + 1);
            runs.push((name, f, recorded.into_path()));
        }
        let lowest = runs.iter().map(|run| run.1).fold(f64::INFINITY, f64::min);
        let levels: Vec<f64> = (0..14).map(|k| 0.25 + 1.6 * f64::from(k)).collect();
        let mut map = Figure::new(
            "Nonlinear least squares: where a run ends depends on where it begins",
            Axis::linear("frequency ω").within(0.0, 11.0),
            Axis::linear("amplitude a").within(-1.2, 1.6),
        )
        .contours(&levels, |x, y| problem.value(&[x, y]));
        for (name, f, points) in runs {
            map = map.path(name, points.iter().map(|p| (p[0], p[1])));
            // Of squares of order 1: a value above rounding is another minimum's.
            if f > lowest + 1e-6 {
                map = map.ended_elsewhere();
            }
        }
        self.picture("minima", |file| map.save(file))
    }

    fn ravine(&self) -> Outcome {
        let problem = Ravine(CONDITION);
        let start = [-10.0, 1.0];
        let (small, large) = spectrum(&problem, &start)?;
        let (slow, fast) = (small.sqrt(), large.sqrt());
        let root = (fast - slow) / (fast + slow);
        self.heading(&format!(
            "4. ½(x² + {CONDITION}y²) from (−10, 1) until f has fallen to {RAVINE_GAP:.0e} of its start"
        ));
        // The best fixed rates for a quadratic: Polyak (1964) for momentum, Nesterov (2004) §2.2.1 for Nesterov's.
        let heavy_ball =
            Momentum::default().with_rate((2.0 / (fast + slow)).powi(2)).with_momentum(root * root);
        let nesterov = Nesterov::default().with_rate(1.0 / large).with_momentum(root);
        let descent = GradientDescent::fixed(2.0 / (small + large));
        let kappa = (large - small) / (large + small);
        // The recursions of the last two have double roots, so that the error falls as t·factorᵗ, a little slower.
        let entries: [(&str, Method, f64); 3] = [
            ("gradient descent", descent.into(), kappa),
            ("momentum", heavy_ball.into(), root),
            ("Nesterov", nesterov.into(), 1.0 - slow / fast),
        ];
        let levels: Vec<f64> = (0..11).map(|k| 0.4 * 2.0_f64.powi(k)).collect();
        let mut map = Figure::new(
            format!("A ravine, κ = {CONDITION}: the first {SHOWN} steps"),
            Axis::linear("x").within(-10.5, 8.0),
            Axis::linear("y").within(-4.2, 4.2),
        )
        .contours(&levels, |x, y| problem.value(&[x, y]));
        let y = Axis::log("f").within(1e-9, 1e3);
        let mut curves =
            Figure::new("The same, each at its best rate", Axis::linear("iteration"), y);
        for (name, method, predicted) in entries {
            let target = Some(RAVINE_GAP * problem.value(&start));
            let (points, report) =
                path(&problem, method, Stopping { target, ..steps(10_000) }, &start)?;
            let gaps = gaps(&report, 0.0);
            let measured = factor(&gaps);
            let text = format!(
                "{name:<17} {:4} steps; factor per step {measured:.4}, in theory {predicted:.4}",
                report.iterations
            );
            let object = json!({"part": "ravine", "method": name, "iterations": report.iterations,
                "factor": measured, "predicted_factor": predicted});
            self.row(&text, &object);
            map = map.path(name, points.iter().take(SHOWN).map(|p| (p[0], p[1])));
            curves = curves.run(name, numbered(&gaps));
        }
        let sheet = Panels::new("What momentum does in a ravine", 2, [map, curves]);
        self.picture("ravine", |file| sheet.save(file))
    }

    fn best_rates(&self, data: &Dataset) -> Outcome {
        let net = Network::mlp([data.features(), 16, 1], secant::Activation::Tanh);
        let risk = Risk::new(net.graph()?, data, SquaredError, NoPenalty)?;
        let start = net.draw(1)?;
        let minibatches = Minibatches::of(32).with_epochs(BUDGET);
        self.heading(&format!(
            "5. A network on concrete ({} parameters), {BUDGET} passes over the data: the rate that the finder picks, and f there",
            risk.dim()
        ));
        let methods: [(Method, &str); 8] = [
            (GradientDescent::default().into(), "SGD"),
            (Momentum::default().into(), "momentum"),
            (Nesterov::default().into(), "Nesterov"),
            (AdaGrad::default().into(), "AdaGrad"),
            (RmsProp::default().into(), "RMSProp"),
            (Adadelta::default().into(), "Adadelta"),
            (Adam::default().into(), "Adam"),
            (AdamW::default().into(), "AdamW"),
        ];
        let title = format!(
            "A network on concrete, each method at its best rate, {BUDGET} full-batch steps"
        );
        let mut figure =
            Figure::new(title, Axis::log("iteration + 1"), Axis::log("lowest f so far"));
        for (method, name) in methods {
            let method = method.with_stopping(steps(BUDGET));
            let finder = RateFinder::default();
            let full = finder.full_batch(&method, &risk, &start)?;
            let sampled = finder.sampled(&method, &risk, &minibatches, &start)?;
            let best = |found: &secant::optim::RateFound| {
                let (rate, solution) = found.best.as_ref().ok_or("every rate diverged")?;
                Ok::<_, Box<dyn Error>>((*rate, solution.report.value))
            };
            let ((rate, f), (sampled_rate, sampled_f)) = (best(&full)?, best(&sampled)?);
            let text = format!(
                "{name:<9} full batch: ε = {rate:9.2e}, f = {f:.5}   minibatches of 32: ε = {sampled_rate:9.2e}, f = {sampled_f:.5}   \
                 ({} and {} rates tried)",
                full.tried.len(),
                sampled.tried.len()
            );
            let object = json!({"part": "best_rate", "method": name, "full_batch_rate": rate,
                "full_batch_value": f, "minibatch_rate": sampled_rate, "minibatch_value": sampled_f,
                "full_batch_at_edge": full.at_edge, "minibatch_at_edge": sampled.at_edge,
                "full_batch_tried": full.tried, "minibatch_tried": sampled.tried});
            self.row(&text, &object);
            if let Some((_, solution)) = &full.best {
                let mut lowest = f64::INFINITY;
                let points = solution.report.trace.iter().map(|at| {
                    lowest = lowest.min(at.value);
                    (at.iteration as f64 + 1.0, lowest)
                });
                figure = figure.run(name, points);
            }
        }
        self.picture("methods", |file| figure.save(file))
    }
}

/// f − f* along a run.
fn gaps(report: &Report, least: f64) -> Vec<f64> {
    let gap = |at: &TraceEntry| (at.value - least).max(0.0);
    report.trace.iter().map(gap).collect()
}

/// The factor by which the error falls per step, from the end of a run: the square root of that of f − f*.
fn factor(gaps: &[f64]) -> f64 {
    let last = gaps.len() - 1;
    let first = last.saturating_sub(TAIL);
    (gaps[last] / gaps[first]).powf(0.5 / (last - first) as f64)
}

/// Up to where the run has diverged.
fn numbered(gaps: &[f64]) -> Vec<(f64, f64)> {
    let points = gaps.iter().enumerate().map(|(step, gap)| (step as f64, *gap));
    points.take_while(|(_, gap)| gap.is_finite()).collect()
}
