//! What does each node cost? Nanoseconds per entry of its input, for a value, a value with gradient and a Hessian product.
//!
//! A node on 64 entries of 4,096 samples, behind a scale and a shift of every entry (so that its input needs an adjoint) and in front of a sum.
//! What the same graph takes without the node is taken off: the rest may be below zero where a node is cheaper than the noise, or makes the
//! sum cheaper. One thread, the median of the rounds. Convolutions and pools: `image_rates`.
//!
//! `cargo run --release --example node_rates [-- --json]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use secant::core::random::Random;
use secant::graph::{GraphBuilder, GraphError, NodeId};
use secant::op::{
    Activation, Add, Bilinear, Concat, Dense, Dropout, Embedding, Kernel, LayerNorm, MatMul,
    Multiply, Nystrom, Polynomial, RadialBasis, RandomFourier, Reduce, Reduction, Reshape,
    ScaleShift, Select, Slice, Softmax,
};
use secant::{Curvature, Dataset, Graph, Linearization, NoPenalty, Objective, Risk, SquaredError};
use std::error::Error;
use std::time::Instant;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "node_rates",
    answers: "What does each node cost? Nanoseconds per entry of its input, on one thread.",
    takes: &[],
    options: &[JSON],
    output: "a table: value, value with gradient, Hessian product of every node",
    data: "",
};

const FEATURES: usize = 64;
const SAMPLES: usize = 4_096;
const ROUNDS: usize = 41;
/// Points of the feature maps, frequencies too.
const POINTS: usize = 64;
/// Outputs of dense and bilinear nodes, width of an embedding.
const WIDTH: usize = 64;
/// Rows of an embedding's table.
const CODES: usize = 100;

type Build = Box<dyn Fn(&mut GraphBuilder, NodeId) -> Result<NodeId, GraphError>>;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let json = Args::read(&ABOUT).json();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    if !json {
        println!("{:<26} {:>8} {:>10} {:>8}   ns per entry", "node", "value", "gradient", "H·v");
    }
    let plain: Build = Box::new(|_, h| Ok(h));
    let without = graph(&plain)?;
    let base = pool.install(|| times(&without, false))?;
    print("(scale, shift and sum)", base, json);
    for (name, node) in nodes() {
        let codes = name.starts_with("embedding");
        let graph = graph(&node)?;
        let with = pool.install(|| times(&graph, codes))?;
        let rest = std::array::from_fn(|k| with[k] - base[k]);
        print(&name, rest, json);
    }
    Ok(())
}

fn print(name: &str, [value, gradient, product]: [f64; 3], json: bool) {
    if json {
        let line = serde_json::json!({
            "node": name, "value": value, "gradient": gradient, "hessian_vector": product,
        });
        println!("{line}");
    } else {
        println!("{name:<26} {value:8.2} {gradient:10.2} {product:8.2}");
    }
}

/// Every node that takes vectors, by name.
fn nodes() -> Vec<(String, Build)> {
    let mut nodes: Vec<(String, Build)> = Vec::new();
    let mut add = |name: &str, build: Build| nodes.push((name.into(), build));
    for activation in [
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.1 },
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Softplus,
        Activation::Silu,
        Activation::Gelu,
        Activation::Sine,
        Activation::Exp,
        Activation::Log,
        Activation::Sqrt,
        Activation::Power { exponent: 2.0 },
        Activation::Power { exponent: 2.5 },
    ] {
        let name = match activation {
            Activation::Power { exponent } => format!("power {exponent}"),
            other => secant::op::Op::name(&other),
        };
        add(&name, Box::new(move |g, h| g.node("node", activation, &[h])));
    }
    add("softmax", Box::new(|g, h| g.node("node", Softmax, &[h])));
    add("layer_norm", Box::new(|g, h| g.node("node", LayerNorm::default(), &[h])));
    add("scale_shift", Box::new(|g, h| g.node("node", ScaleShift::default(), &[h])));
    add("dropout", Box::new(|g, h| g.node("node", Dropout::new(0.3), &[h])));
    add("add", Box::new(|g, h| g.node("node", Add, &[h, h])));
    add("multiply", Box::new(|g, h| g.node("node", Multiply, &[h, h])));
    add("concat", Box::new(|g, h| g.node("node", Concat, &[h, h])));
    add("slice", Box::new(|g, h| g.node("node", Slice::new(16..48), &[h])));
    add(
        "select",
        Box::new(|g, h| g.node("node", Select::new((0..64).rev().collect::<Vec<_>>()), &[h])),
    );
    add("reshape", Box::new(|g, h| g.node("node", Reshape::new([8, 8]), &[h])));
    for reduction in [Reduction::Sum, Reduction::Mean, Reduction::SquaredNorm, Reduction::LogSumExp]
    {
        let name = secant::op::Op::name(&Reduce::all(reduction));
        add(&name, Box::new(move |g, h| g.node("node", Reduce::all(reduction), &[h])));
    }
    add(
        "matmul 8×8",
        Box::new(|g, h| {
            let matrix = g.node("matrix", Reshape::new([8, 8]), &[h])?;
            g.node("node", MatMul { transpose: [true, false] }, &[matrix, matrix])
        }),
    );
    add(
        "bilinear 8×8 → 64",
        Box::new(|g, h| {
            let left = g.node("left", Slice::new(0..8), &[h])?;
            let right = g.node("right", Slice::new(8..16), &[h])?;
            g.node("node", Bilinear::new(WIDTH), &[left, right])
        }),
    );
    add(
        "embedding, added",
        Box::new(|g, h| {
            let code = g.node("code", Slice::new(0..1), &[g.input()])?;
            let rows = g.node("node", Embedding::new(CODES, WIDTH), &[code])?;
            g.node("added", Add, &[h, rows])
        }),
    );
    add("dense 64 → 64", Box::new(|g, h| g.node("node", Dense::new(WIDTH), &[h])));
    add(
        "polynomial, degree 2",
        Box::new(|g, h| {
            let few = g.node("few", Slice::new(0..10), &[h])?;
            g.node("node", Polynomial::new(2), &[few])
        }),
    );
    let centres = normals(FEATURES * POINTS, 5);
    let landmarks = centres.clone();
    add(
        "radial_basis, 64 centres",
        Box::new(move |g, h| {
            let map = RadialBasis::new(FEATURES, &centres, 8.0).expect("finite centres");
            g.node("node", map, &[h])
        }),
    );
    add(
        "random_fourier, 32",
        Box::new(|g, h| {
            let map = RandomFourier::new(FEATURES, POINTS / 2, 8.0, 3).expect("options in range");
            g.node("node", map, &[h])
        }),
    );
    add(
        "nystrom, 64 landmarks",
        Box::new(move |g, h| {
            let kernel = Kernel::Gaussian { width: 8.0 };
            let map = Nystrom::new(FEATURES, &landmarks, kernel).expect("finite landmarks");
            g.node("node", map, &[h])
        }),
    );
    nodes
}

fn graph(node: &Build) -> Result<Graph, GraphError> {
    let mut g = Graph::builder(FEATURES);
    let scaled = g.node("scaled", ScaleShift::default(), &[g.input()])?;
    let h = node(&mut g, scaled)?;
    let sum = g.node("all", Reduce::all(Reduction::Sum), &[h])?;
    // What a node does not use of the scaled inputs counts as in the graph without it.
    g.build(sum)
}

fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normal()).collect()
}

/// Medians of a value, a value with gradient and a Hessian product, in nanoseconds per entry.
fn times(graph: &Graph, codes: bool) -> Result<[f64; 3], Box<dyn Error + Send + Sync>> {
    // Positive, so that logarithms and powers are at home.
    let mut inputs: Vec<f64> =
        normals(FEATURES * SAMPLES, 1).iter().map(|x| 0.1 + x.abs()).collect();
    if codes {
        for (index, sample) in inputs.chunks_exact_mut(FEATURES).enumerate() {
            sample[0] = (index % CODES) as f64;
        }
    }
    let data = Dataset::from_slices(FEATURES, &inputs, 1, &normals(SAMPLES, 2))?;
    let risk = Risk::new(graph, &data, SquaredError, NoPenalty)?;
    let theta: Vec<f64> = normals(risk.dim(), 3).iter().map(|x| 1.0 + 0.01 * x).collect();
    let mut out = vec![0.0; risk.dim()];
    let at = risk.linearize(&theta);
    let mut rounds = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        std::hint::black_box(risk.value(&theta));
        rounds[0].push(begin.elapsed());
        let begin = Instant::now();
        std::hint::black_box(risk.value_gradient(&theta, &mut out));
        rounds[1].push(begin.elapsed());
        let begin = Instant::now();
        at.hessian_vector(&theta, &mut out);
        rounds[2].push(begin.elapsed());
        std::hint::black_box(&out);
    }
    Ok(rounds.map(|mut times| {
        times.sort();
        times[ROUNDS / 2].as_secs_f64() * 1e9 / (FEATURES * SAMPLES) as f64
    }))
}
