//! How fast are the nodes of images, and how close do convolutions come to the machine's GEMM rate?
//!
//! A node is stacked three times (so that two of the three have an input that needs an adjoint), on normal images. For a convolution: the
//! time of a value with gradient, its flop rate, and the part of faer's GEMM rate that it reaches: the GEMMs that the gradient consists
//! of, at the shapes of one sample's patches, on as many threads, timed in the same run. For a pool: nanoseconds per output entry, value
//! and gradient. And what a Hessian product costs in gradients.
//!
//! `cargo run --release --example image_rates [-- --json]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;
use secant::core::random::Random;
use secant::graph::{GraphError, NodeId};
use secant::op::{AvgPool1d, AvgPool2d, Conv1d, Conv2d, GlobalAvgPool, MaxPool1d, MaxPool2d, Op};
use secant::{Curvature, Dataset, Graph, Linearization, NoPenalty, Objective, Risk, SquaredError};
use std::error::Error;
use std::time::Instant;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "image_rates",
    answers: "How fast are the nodes of images, and how close do convolutions come to the machine's GEMM rate?",
    takes: &[],
    options: &[JSON],
    output: "a table: time of a gradient, rate, part of the GEMM rate, Hessian product in gradients",
    data: "",
};

/// How often a node is stacked.
const DEPTH: usize = 3;
/// Flops of the values of all samples of a case, about.
const FLOPS: usize = 400_000_000;
/// Entries of all samples of a pool, about.
const ENTRIES: usize = 4_000_000;
const SAMPLES: usize = 4_000;
/// Rounds of a measurement: the fastest counts, since the machine's other work only slows down.
const ROUNDS: usize = 200;
/// Seconds that one measurement may take in all.
const SECONDS: f64 = 3.0;

/// A convolution as GEMMs of one sample: pixels × K by K × channels, once for each group.
#[derive(Clone, Copy)]
struct Shapes {
    pixels: usize,
    fan_in: usize,
    channels: usize,
    groups: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let json = Args::read(&ABOUT).json();
    if !json {
        println!("{} threads, {DEPTH} nodes in a row\n", rayon::current_num_threads());
        println!(
            "{:<34} {:>9} {:>11} {:>9} {:>8} {:>13}",
            "node", "input", "gradient", "rate", "of GEMM", "H·v/gradient"
        );
    }
    let image = |side: usize, channels: usize| vec![side, side, channels];
    for (side, channels) in [(28, 8), (28, 16), (14, 32), (7, 64)] {
        let same = Conv2d::new(channels, [3, 3]).with_padding([1, 1]);
        conv(json, "conv2d 3×3", same, &image(side, channels), 9 * channels, 1)?;
    }
    let five = Conv2d::new(16, [5, 5]).with_padding([2, 2]);
    conv(json, "conv2d 5×5", five, &image(14, 16), 25 * 16, 1)?;
    conv(json, "conv2d 3×3, no padding", Conv2d::new(16, [3, 3]), &image(20, 16), 9 * 16, 1)?;
    let steps = Conv2d::new(16, [3, 3]).with_padding([1, 1]).with_stride([2, 2]);
    conv(json, "conv2d 3×3, stride 2", steps, &image(56, 16), 9 * 16, 1)?;
    let wide = Conv2d::new(16, [3, 3]).with_padding([2, 2]).with_dilation([2, 2]);
    conv(json, "conv2d 3×3, dilation 2", wide, &image(14, 16), 9 * 16, 1)?;
    let groups = Conv2d::new(32, [3, 3]).with_padding([1, 1]).with_groups(4);
    conv(json, "conv2d 3×3, 4 groups", groups, &image(14, 32), 9 * 8, 4)?;
    let depthwise = Conv2d::new(16, [3, 3]).with_padding([1, 1]).with_groups(16);
    conv(json, "conv2d 3×3, depthwise", depthwise, &image(14, 16), 9, 16)?;
    conv(json, "conv2d 1×1", Conv2d::new(32, [1, 1]), &image(14, 32), 32, 1)?;
    let sequence = Conv1d::new(16, [5]).with_padding([2]);
    conv(json, "conv1d 5", sequence, &[256, 16], 5 * 16, 1)?;

    let average = AvgPool2d::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]);
    pool(json, "avg_pool2d 3×3, stride 1", average, &image(14, 16))?;
    pool(json, "avg_pool2d 2×2, stride 2", AvgPool2d::new([2, 2]), &image(64, 4))?;
    let largest = MaxPool2d::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]);
    pool(json, "max_pool2d 3×3, stride 1", largest, &image(14, 16))?;
    pool(json, "max_pool2d 2×2, stride 2", MaxPool2d::new([2, 2]), &image(64, 4))?;
    let average = AvgPool1d::new([3]).with_stride([1]).with_padding([1]);
    pool(json, "avg_pool1d 3, stride 1", average, &[256, 8])?;
    let largest = MaxPool1d::new([3]).with_stride([1]).with_padding([1]);
    pool(json, "max_pool1d 3, stride 1", largest, &[256, 8])
}

/// A node in a row of its like, the means of its channels as outputs. Before a pool comes a weight for each channel.
fn stack<T: Op + Copy + 'static>(
    op: T,
    input: &[usize],
    weighted: bool,
) -> Result<(Graph, Vec<Vec<usize>>), GraphError> {
    let mut g = Graph::builder(secant::core::shape::Shape::new(input));
    let mut h = g.input();
    if weighted {
        let channels = input[input.len() - 1];
        h = if input.len() == 2 {
            g.node("w", Conv1d::new(channels, [1]).with_groups(channels).without_bias(), &[h])?
        } else {
            g.node("w", Conv2d::new(channels, [1, 1]).with_groups(channels).without_bias(), &[h])?
        };
    }
    let mut shapes = Vec::new();
    for index in 0..DEPTH {
        h = g.node(&format!("node {index}"), op, &[h])?;
        shapes.push(extents(&g, h));
    }
    let y = g.node("means", GlobalAvgPool, &[h])?;
    Ok((g.build(y)?, shapes))
}

fn extents(g: &secant::graph::GraphBuilder, node: NodeId) -> Vec<usize> {
    g.shape(node).map(|shape| shape.extents().to_vec()).unwrap_or_default()
}

/// Times of a value with gradient, of a Hessian product and of `reference`.
fn measure(
    graph: &Graph,
    samples: usize,
    reference: &mut dyn FnMut(),
) -> Result<[f64; 3], Box<dyn Error>> {
    let mut random = Random::new(1);
    let mut normals = |count: usize| -> Vec<f64> { (0..count).map(|_| random.normal()).collect() };
    let (inputs, targets) =
        (normals(graph.features() * samples), normals(graph.outputs() * samples));
    let data = Dataset::from_slices(graph.features(), &inputs, graph.outputs(), &targets)?;
    let risk = Risk::new(graph, &data, SquaredError, NoPenalty)?;
    let theta = secant::Init::LeCun.draw(graph.parameters(), 1);
    let v = normals(risk.dim());
    let (mut gradient, mut product) = (vec![0.0; risk.dim()], vec![0.0; risk.dim()]);
    let at = risk.linearize(&theta);
    let mut jobs: [&mut dyn FnMut(); 3] = [
        &mut || {
            risk.value_gradient(&theta, &mut gradient);
        },
        &mut || at.hessian_vector(&v, &mut product),
        reference,
    ];
    let (mut best, begin) = ([f64::INFINITY; 3], Instant::now());
    for round in 0..ROUNDS {
        if round >= 3 && begin.elapsed().as_secs_f64() > SECONDS {
            break;
        }
        for (job, best) in jobs.iter_mut().zip(&mut best) {
            let start = Instant::now();
            job();
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    Ok(best)
}

fn conv<T: Op + Copy + 'static>(
    json: bool,
    name: &str,
    op: T,
    input: &[usize],
    fan_in: usize,
    groups: usize,
) -> Result<(), Box<dyn Error>> {
    let (graph, outputs) = stack(op, input, false)?;
    let shapes: Vec<Shapes> = outputs
        .iter()
        .map(|extents| {
            let (channels, pixels) =
                (extents[extents.len() - 1], extents[..extents.len() - 1].iter().product());
            Shapes { pixels, fan_in, channels: channels / groups, groups }
        })
        .collect();
    let samples = (FLOPS / graph.flops()).clamp(8, SAMPLES);
    let mut gemms = Gemms::new(&shapes, samples);
    let [gradient, product, gemm] = measure(&graph, samples, &mut || gemms.run())?;
    let rate = gemms.flops() / gradient * 1e-9;
    row(json, name, input, gradient, (rate, "GFLOP/s"), Some(gemm / gradient), product / gradient);
    Ok(())
}

fn pool<T: Op + Copy + 'static>(
    json: bool,
    name: &str,
    op: T,
    input: &[usize],
) -> Result<(), Box<dyn Error>> {
    let (graph, outputs) = stack(op, input, true)?;
    let entries: usize = outputs.iter().map(|extents| extents.iter().product::<usize>()).sum();
    let samples = (ENTRIES / graph.features()).clamp(8, SAMPLES);
    let [gradient, product, _] = measure(&graph, samples, &mut || ())?;
    let each = 1e9 * gradient / (entries * samples) as f64;
    row(json, name, input, gradient, (each, "ns/entry"), None, product / gradient);
    Ok(())
}

fn row(
    json: bool,
    name: &str,
    input: &[usize],
    gradient: f64,
    (rate, unit): (f64, &str),
    fraction: Option<f64>,
    product: f64,
) {
    let input = input.iter().map(ToString::to_string).collect::<Vec<_>>().join("×");
    if json {
        let line = serde_json::json!({
            "node": name, "input": input, "gradient_ms": 1e3 * gradient, "rate": rate, "unit": unit,
            "gemm_fraction": fraction, "hvp_over_gradient": product,
        });
        println!("{line}");
    } else {
        let fraction = fraction.map_or(String::new(), |fraction| format!("{fraction:.2}"));
        println!(
            "{name:<28} {input:>12} {:>8.2} ms {rate:>7.2} {unit:<8} {fraction:>7} {product:>9.2}",
            1e3 * gradient
        );
    }
}

/// The GEMMs of a gradient: z = P·W, W̄ += Pᵀ·z̄ and P̄ = z̄·Wᵀ (not for the data), sample by sample on all threads.
struct Gemms {
    samples: usize,
    tasks: Vec<Vec<Buffers>>,
}

struct Buffers {
    shapes: Shapes,
    patches: Vec<f64>,
    weight: Vec<f64>,
    output: Vec<f64>,
    weight_bar: Vec<f64>,
    patches_bar: Vec<f64>,
}

impl Gemms {
    fn new(shapes: &[Shapes], samples: usize) -> Self {
        let buffers = |&shapes: &Shapes| {
            let Shapes { pixels, fan_in, channels, .. } = shapes;
            Buffers {
                shapes,
                patches: vec![0.5; pixels * fan_in],
                weight: vec![0.25; fan_in * channels],
                output: vec![0.5; pixels * channels],
                weight_bar: vec![0.0; fan_in * channels],
                patches_bar: vec![0.0; pixels * fan_in],
            }
        };
        let tasks = (8 * rayon::current_num_threads()).min(samples);
        let tasks = (0..tasks).map(|_| shapes.iter().map(buffers).collect()).collect();
        Self { samples, tasks }
    }

    /// Of one run.
    fn flops(&self) -> f64 {
        let flops = |(layer, buffers): (usize, &Buffers)| {
            let Shapes { pixels, fan_in, channels, groups } = buffers.shapes;
            let products = if layer > 0 { 3 } else { 2 };
            (2 * products * pixels * fan_in * channels * groups) as f64
        };
        self.samples as f64 * self.tasks[0].iter().enumerate().map(flops).sum::<f64>()
    }

    fn run(&mut self) {
        let (count, samples) = (self.tasks.len(), self.samples);
        self.tasks.par_iter_mut().enumerate().with_max_len(1).for_each(|(task, layers)| {
            for _ in task * samples / count..(task + 1) * samples / count {
                for (layer, buffers) in layers.iter_mut().enumerate() {
                    (0..buffers.shapes.groups).for_each(|_| buffers.run(layer > 0));
                }
            }
        });
    }
}

impl Buffers {
    fn run(&mut self, input: bool) {
        let Shapes { pixels, fan_in, channels, .. } = self.shapes;
        let patches = MatRef::from_column_major_slice(&self.patches, pixels, fan_in);
        let weight = MatRef::from_column_major_slice(&self.weight, fan_in, channels);
        let output = MatMut::from_column_major_slice_mut(&mut self.output, pixels, channels);
        matmul(output, Accum::Replace, patches, weight, 1.0, Par::Seq);
        let output = MatRef::from_column_major_slice(&self.output, pixels, channels);
        let bar = MatMut::from_column_major_slice_mut(&mut self.weight_bar, fan_in, channels);
        matmul(bar, Accum::Add, patches.transpose(), output, 1e-3, Par::Seq);
        if input {
            let bar = MatMut::from_column_major_slice_mut(&mut self.patches_bar, pixels, fan_in);
            matmul(bar, Accum::Replace, output, weight.transpose(), 1.0, Par::Seq);
        }
    }
}
