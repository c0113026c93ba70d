//! Does full-batch curvature fit a convolutional network? An inception block on Fashion-MNIST, L-BFGS beside Adam in the same time.
//!
//! 28×28 → 5×5 convolution, stride 2 → the inception block of GoogLeNet (1×1; 1×1 and 3×3; 1×1 and 5×5; pool and 1×1; channels joined) →
//! average pool → dense → softmax, tanh between, 11,751 parameters, no penalty, on the first 5,000 training images. L-BFGS runs
//! until the training loss is 0.05. Adam on minibatches of 64 gets the same seconds, at the best of five rates, each of which was tried
//! from the same start for an eighth of them beforehand. Loss and accuracy are on the training images.
//!
//! `cargo run --release --example inception -- FOLDER [--json] [--images N] [--iterations K] [--seed S]`; FOLDER (or `SECANT_DATA`) holds
//! Fashion-MNIST's IDX files. `--json`: a line for a method. Otherwise also the accuracy on the test images, the graph, and what a
//! Hessian product costs.

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::core::predict::outputs;
use secant::data::IdxOptions;
use secant::graph::{GraphBuilder, GraphError, NodeId};
use secant::op::{AvgPool2d, Concat, Conv2d, Dense};
use secant::optim::{Report, Solution, Span};
use secant::{
    Activation, Adam, Curvature, Dataset, Graph, Init, Lbfgs, Linearization, Minibatches,
    NoPenalty, Objective, Risk, SoftmaxCrossEntropy, Stopping, minimize, minimize_sampled,
};
use serde_json::json;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "inception",
    answers: "Does full-batch curvature fit a convolutional network? An inception block on Fashion-MNIST, L-BFGS beside Adam in the same time.",
    takes: &[("FOLDER", "of Fashion-MNIST; or the variable SECANT_DATA")],
    options: &[
        JSON,
        ("--images", "N", "training images; default 5000"),
        ("--iterations", "K", "most iterations of L-BFGS; default 3000"),
        ("--seed", "S", "of the start; default 1"),
    ],
    output: "a line for a method: iterations, loss, accuracy, seconds; without --json the graph and what a Hessian product costs",
    data: "the four IDX files of Fashion-MNIST (train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and the same of t10k), \
           31 MB, MIT licence, from https://github.com/zalandoresearch/fashion-mnist (data/fashion)",
};

const IMAGES: usize = 5_000;
const CLASSES: usize = 10;
/// The training loss at which L-BFGS has arrived.
const TARGET: f64 = 0.05;
const ITERATIONS: u64 = 3_000;
/// Pairs of L-BFGS.
const MEMORY: usize = 20;
const BATCH: usize = 64;
const RATES: [f64; 5] = [5e-4, 2e-3, 5e-3, 2e-2, 5e-2];
/// The part of the seconds for which each rate is tried.
const TRIAL: f64 = 0.125;
/// Epochs between two looks of Adam at all images.
const LOOK: u64 = 5;
/// Images on which the cost of a product is measured, and how often.
const PRODUCT_IMAGES: usize = 1_000;
const REPEATS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let asked = Asked::from_args();
    let graph = network()?;
    let data = images(&asked.folder, "train")?.first(asked.images)?;
    let risk = Risk::new(&graph, &data, SoftmaxCrossEntropy, NoPenalty)?;
    let start = Init::Glorot.draw(graph.parameters(), asked.seed);
    if !asked.json {
        println!("{graph}\n\n{} images, tiles of {}", data.samples(), risk.tile_samples());
        product_cost(&graph, &data.first(PRODUCT_IMAGES.min(asked.images))?, &start)?;
        println!(
            "\n{:<28} {:>10} {:>9} {:>9} {:>9} {:>8}",
            "method", "iterations", "loss", "accuracy", "test", "seconds"
        );
    }
    let stopping = Stopping {
        gradient_tolerance: 0.0,
        target: Some(TARGET),
        max_iterations: asked.iterations,
        ..Stopping::default()
    };
    let lbfgs = Lbfgs::default().with_memory(MEMORY).with_stopping(stopping);
    let solution = minimize(&risk, lbfgs, &start)?;
    let seconds = solution.report.seconds;
    asked.say("L-BFGS", &graph, &data, &solution)?;

    let mut tried = Vec::new();
    for rate in RATES {
        tried.push((rate, adam(&risk, rate, TRIAL * seconds, &start)?.report.value));
    }
    tried.sort_by(|a, b| a.1.total_cmp(&b.1));
    let solution = adam(&risk, tried[0].0, seconds, &start)?;
    let name = format!("Adam, batches of {BATCH}, ε = {}", tried[0].0);
    asked.say(&name, &graph, &data, &solution)
}

/// A stem, an inception block, a classifier.
fn network() -> Result<Graph, GraphError> {
    let mut g = Graph::builder([28, 28, 1]);
    let x = g.input();
    let stem = Conv2d::new(8, [5, 5]).with_stride([2, 2]).with_padding([2, 2]);
    let stem = conv(&mut g, "stem", stem, x)?;
    let one = conv(&mut g, "1x1", Conv2d::new(6, [1, 1]), stem)?;
    let three = conv(&mut g, "3x3 reduce", Conv2d::new(4, [1, 1]), stem)?;
    let three = conv(&mut g, "3x3", Conv2d::new(8, [3, 3]).with_padding([1, 1]), three)?;
    let five = conv(&mut g, "5x5 reduce", Conv2d::new(3, [1, 1]), stem)?;
    let five = conv(&mut g, "5x5", Conv2d::new(4, [5, 5]).with_padding([2, 2]), five)?;
    let pool = AvgPool2d::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]);
    let pool = g.node("pool", pool, &[stem])?;
    let pool = conv(&mut g, "pool 1x1", Conv2d::new(4, [1, 1]), pool)?;
    let joined = g.node("concat", Concat, &[one, three, five, pool])?;
    let h = g.node(
        "reduce",
        AvgPool2d::new([4, 4]).with_stride([2, 2]).with_padding([1, 1]),
        &[joined],
    )?;
    let y = g.node("scores", Dense::new(CLASSES), &[h])?;
    g.build(y)
}

/// A convolution and its activation.
fn conv(g: &mut GraphBuilder, name: &str, op: Conv2d, x: NodeId) -> Result<NodeId, GraphError> {
    let h = g.node(name, op, &[x])?;
    g.node(&format!("{name} tanh"), Activation::Tanh, &[h])
}

/// Pixels in [−1, 1].
fn images(folder: &Path, part: &str) -> Result<Dataset, Box<dyn Error>> {
    // The training images, or the first half of them.
    let parts = [part.to_owned(), format!("{part}30k")];
    let named = |part: &String, what| folder.join(format!("{part}-{what}-ubyte.gz"));
    let there = parts.iter().find(|part| named(part, "images-idx3").exists());
    let file = |what| named(there.unwrap_or(&parts[0]), what);
    let options = IdxOptions { classes: Some(CLASSES), ..IdxOptions::default() };
    let data = Dataset::from_idx(file("images-idx3"), file("labels-idx1"), options)?;
    Ok(data.map_inputs(|x| 2.0 * x - 1.0)?)
}

/// Adam on minibatches from `start` for so many seconds.
fn adam(
    risk: &Risk<'_>,
    rate: f64,
    seconds: f64,
    start: &[f64],
) -> Result<Solution, Box<dyn Error>> {
    let stopping = Stopping {
        gradient_tolerance: 0.0,
        max_time: Some(Duration::from_secs_f64(seconds)),
        ..Stopping::default()
    };
    let mut minibatches = Minibatches::of(BATCH).with_epochs(u64::from(u32::MAX));
    minibatches.evaluate_every = Span::Epochs(LOOK);
    let method = Adam::default().with_rate(rate).with_stopping(stopping);
    Ok(minimize_sampled(risk, method, &minibatches, start)?)
}

/// The part of the samples whose largest score is that of their label.
fn accuracy(graph: &Graph, theta: &[f64], data: &Dataset) -> Result<f64, Box<dyn Error>> {
    let scores = outputs(graph, theta, data.inputs())?;
    let labels = data.targets().labels().ok_or("the images have labels")?;
    let right = scores.chunks_exact(CLASSES).zip(labels).filter(|(scores, label)| {
        let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        scores[**label as usize] == largest
    });
    Ok(right.count() as f64 / labels.len() as f64)
}

/// The least times of a value with gradient and of a Hessian product.
fn product_cost(graph: &Graph, data: &Dataset, theta: &[f64]) -> Result<(), Box<dyn Error>> {
    let risk = Risk::new(graph, data, SoftmaxCrossEntropy, NoPenalty)?;
    let at = risk.linearize(theta);
    let mut out = vec![0.0; risk.dim()];
    let [mut gradient, mut product] = [f64::INFINITY; 2];
    for _ in 0..REPEATS {
        let start = Instant::now();
        risk.value_gradient(theta, &mut out);
        gradient = gradient.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        at.hessian_vector(theta, &mut out);
        product = product.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{} images: value and gradient {:.1} ms, Hessian product {:.1} ms = {:.2} gradients",
        data.samples(),
        1e3 * gradient,
        1e3 * product,
        product / gradient
    );
    Ok(())
}

/// What the command line asks for.
struct Asked {
    folder: PathBuf,
    json: bool,
    images: usize,
    iterations: u64,
    seed: u64,
}

impl Asked {
    fn from_args() -> Self {
        let args = Args::read(&ABOUT);
        Self {
            folder: args.data_folder(args.free().first().map(String::as_str)),
            json: args.json(),
            images: args.count("--images", IMAGES),
            iterations: args.count("--iterations", ITERATIONS),
            seed: args.count("--seed", 1),
        }
    }

    /// A line for a run.
    fn say(
        &self,
        method: &str,
        graph: &Graph,
        data: &Dataset,
        solution: &Solution,
    ) -> Result<(), Box<dyn Error>> {
        let Report { iterations, value: loss, seconds, .. } = solution.report;
        let accuracy_here = accuracy(graph, &solution.theta, data)?;
        if self.json {
            let line = json!({"method": method, "iterations": iterations, "loss": loss,
                "accuracy": accuracy_here, "seconds": seconds});
            println!("{line}");
            return Ok(());
        }
        let test = accuracy(graph, &solution.theta, &images(&self.folder, "t10k")?)?;
        println!(
            "{method:<28} {iterations:>10} {loss:>9.4} {accuracy_here:>9.4} {test:>9.4} {seconds:>8.1}"
        );
        Ok(())
    }
}
