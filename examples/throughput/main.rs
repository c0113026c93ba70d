//! How fast are a gradient and the curvature products, and how close to the machine's GEMM rate?
//!
//! Four networks; per net the time of one value+gradient, the fraction of faer's GEMM rate that it reaches (the GEMMs that
//! the gradient consists of, at the tile's shapes, on as many threads, timed in the same run), and the cost of a Hessian
//! and a Gauss–Newton product at a linearised point in units of a value+gradient.
//!
//! `cargo run --release --example throughput [-- --json]`

#[macro_use]
#[path = "../support/mod.rs"]
mod support;
mod cases;

use cases::CASES;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;
use secant::core::random::Random;
use secant::network::Network;
use secant::op::Activation;
use secant::penalty::NoPenalty;
use secant::problem::{Curvature, Linearization, Objective};
use secant::risk::Risk;
use std::time::Instant;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "throughput",
    answers: "How fast are a gradient and the curvature products of four networks, and how close to the machine's GEMM rate?",
    takes: &[],
    options: &[JSON],
    output: "a table: time of a gradient, part of the GEMM rate, products in gradients",
    data: "",
};

/// Repetitions of every measurement; the fastest counts, since the machine's other work only slows down.
const REPEATS: usize = 15;
/// Seconds that one measurement may take in all.
const SECONDS: f64 = 6.0;

fn main() {
    let json = Args::read(&ABOUT).json();
    if !json {
        println!("value+gradient, and curvature products at a linearised point, f64, tanh");
        println!("{} threads\n", rayon::current_num_threads());
        println!(
            "{:<14} {:>8} {:>6} {:>12} {:>8} {:>12} {:>14}",
            "net", "samples", "tile", "gradient", "of GEMM", "H·v/gradient", "G·v/gradient"
        );
    }
    for (widths, samples) in CASES {
        let data = cases::dataset(widths, samples);
        let network = Network::mlp(widths, Activation::Tanh);
        let graph = network.graph().expect("widths are positive");
        let loss = cases::loss(&data);
        let risk = Risk::from_boxed(graph, &data, loss, Box::new(NoPenalty)).expect("shapes fit");
        let row = measure(&risk, &network.draw(1).expect("widths are positive"), widths);
        print_row(json, widths, samples, &risk, &row);
    }
}

struct Row {
    gradient: f64,
    hessian: f64,
    gauss_newton: f64,
    gemm: f64,
}

fn measure(risk: &Risk<'_>, theta: &[f64], widths: &[usize]) -> Row {
    let n = risk.dim();
    let mut random = Random::new(2);
    let v: Vec<f64> = (0..n).map(|_| random.normal()).collect();
    let mut out = vec![0.0; n];
    let at = risk.linearize(theta);
    let mut gradient_out = vec![0.0; n];
    let mut gauss_newton_out = vec![0.0; n];
    let mut gemms = Gemms::new(widths, risk.data().samples(), risk.tile_samples());
    // One after the other in every round, so that all meet the same machine.
    let [gradient, hessian, gauss_newton, gemm] = fastest([
        &mut || {
            risk.value_gradient(theta, &mut gradient_out);
        },
        &mut || at.hessian_vector(&v, &mut out),
        &mut || at.gauss_newton_vector(&v, &mut gauss_newton_out),
        &mut || gemms.run(),
    ]);
    Row { gradient, hessian, gauss_newton, gemm }
}

/// The least time of each job.
fn fastest<const K: usize>(mut jobs: [&mut dyn FnMut(); K]) -> [f64; K] {
    let mut best = [f64::INFINITY; K];
    let start = Instant::now();
    for round in 0..REPEATS * 40 {
        if round >= 3 && start.elapsed().as_secs_f64() > SECONDS {
            break;
        }
        for (job, best) in jobs.iter_mut().zip(&mut best) {
            let start = Instant::now();
            job();
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    best
}

/// The GEMMs of one gradient: z = W·x, W̄ += z̄·xᵀ and x̄ = Wᵀ·z̄ (not for the data), tile by tile on all threads.
struct Gemms {
    widths: Vec<usize>,
    tile: usize,
    tiles: usize,
    tasks: Vec<Buffers>,
}

/// The matrices of one task, made before the clock runs.
struct Buffers {
    /// Inputs and adjoints of the layers, `rows × tile`.
    x: Vec<Vec<f64>>,
    z: Vec<Vec<f64>>,
    w: Vec<Vec<f64>>,
    w_bar: Vec<Vec<f64>>,
}

impl Gemms {
    fn new(widths: &[usize], samples: usize, tile: usize) -> Self {
        let tiles = samples.div_ceil(tile);
        let buffers = || {
            let x: Vec<Vec<f64>> = widths.iter().map(|&rows| vec![0.5; rows * tile]).collect();
            let w: Vec<Vec<f64>> = widths.windows(2).map(|w| vec![0.25; w[0] * w[1]]).collect();
            Buffers { z: x.clone(), x, w_bar: w.clone(), w }
        };
        let tasks = (8 * rayon::current_num_threads()).min(tiles);
        let tasks = (0..tasks).map(|_| buffers()).collect();
        Self { widths: widths.to_vec(), tile, tiles, tasks }
    }

    fn run(&mut self) {
        let (count, tiles) = (self.tasks.len(), self.tiles);
        let (widths, tile) = (&self.widths, self.tile);
        self.tasks.par_iter_mut().enumerate().with_max_len(1).for_each(|(task, buffers)| {
            for _ in task * tiles / count..(task + 1) * tiles / count {
                buffers.one_tile(widths, tile);
            }
        });
    }
}

impl Buffers {
    fn one_tile(&mut self, widths: &[usize], tile: usize) {
        let layers = || widths.windows(2).map(|pair| (pair[0], pair[1])).enumerate();
        for (layer, (inputs, outputs)) in layers() {
            let weight = MatRef::from_column_major_slice(&self.w[layer], outputs, inputs);
            let input = MatRef::from_column_major_slice(&self.x[layer], inputs, tile);
            let output = MatMut::from_column_major_slice_mut(&mut self.z[layer + 1], outputs, tile);
            matmul(output, Accum::Add, weight, input, 1.0, Par::Seq);
        }
        for (layer, (inputs, outputs)) in layers().rev() {
            let seed = MatRef::from_column_major_slice(&self.x[layer + 1], outputs, tile);
            let input = MatRef::from_column_major_slice(&self.x[layer], inputs, tile);
            let bar = MatMut::from_column_major_slice_mut(&mut self.w_bar[layer], outputs, inputs);
            matmul(bar, Accum::Add, seed, input.transpose(), 1.0, Par::Seq);
            if layer > 0 {
                let weight = MatRef::from_column_major_slice(&self.w[layer], outputs, inputs);
                let back = MatMut::from_column_major_slice_mut(&mut self.z[layer], inputs, tile);
                matmul(back, Accum::Replace, weight.transpose(), seed, 1.0, Par::Seq);
            }
        }
    }
}

fn print_row(json: bool, widths: &[usize], samples: usize, risk: &Risk<'_>, row: &Row) {
    let net = widths.iter().map(ToString::to_string).collect::<Vec<_>>().join("-");
    let fraction = row.gemm / row.gradient;
    let (hvp, gauss_newton) = (row.hessian / row.gradient, row.gauss_newton / row.gradient);
    let milliseconds = 1e3 * row.gradient;
    if json {
        let line = serde_json::json!({
            "net": net, "samples": samples, "gradient_ms": milliseconds, "gemm_fraction": fraction,
            "hvp_over_gradient": hvp, "gauss_newton_over_gradient": gauss_newton,
        });
        println!("{line}");
    } else {
        let tile = risk.tile_samples();
        println!(
            "{net:<14} {samples:>8} {tile:>6} {milliseconds:>9.3} ms {fraction:>8.2} {hvp:>12.2} {gauss_newton:>14.2}"
        );
    }
}
