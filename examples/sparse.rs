//! What do sparse inputs save? Logistic regression with a ridge on compressed rows and on the dense table of the same data.
//!
//! Reads a LIBSVM file of two classes (plain or gzipped), or draws one: features of a row at random, more of the first ones as in text, labels
//! by a hidden score. Then the times of a gradient and a Hessian product, and of whole fits down to ‖∇f‖∞ ≤ 1e-8 by several methods, sparse
//! and dense, with the memory of the arrays and how far the minima are apart. The dense table is left out where it takes more than 2 GiB,
//! Newton's method where its matrix does. The median of the rounds.
//!
//! `cargo run --release --example sparse [-- FILE] [--samples N] [--features D] [--entries K] [--lambda L] [--alone]
//! [--write PATH] [--json]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;
#[path = "support/drawn_rows.rs"]
mod drawn_rows;

use secant::data::LibsvmOptions;
use secant::{
    Curvature, Dataset, Linearization, Logistic, Method, Network, Newton, NewtonCg, Objective,
    Ridge, Risk, SparseInputs, Stopping, Targets,
};
use std::error::Error;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "sparse",
    answers: "What do sparse inputs save? Logistic regression on compressed rows and on the dense table of the same data.",
    takes: &[("FILE", "a LIBSVM file of two classes, plain or gzipped; without it data are drawn")],
    options: &[
        ("--samples", "N", "samples that are drawn; default 20,000"),
        ("--features", "D", "their features; default 2,000"),
        ("--entries", "K", "features of a sample that are not 0; default 20"),
        ("--lambda", "L", "strength of the ridge, without the bias; default 1e-4"),
        ("--alone", "", "without the dense table"),
        ("--write", "PATH", "writes the data that are drawn as a LIBSVM file"),
        JSON,
    ],
    output: "a line for the data; a table: times of evaluations and fits, sparse and dense, and how far they are apart",
    data: "",
};

/// ‖∇f‖∞ at the end of a fit.
const TOLERANCE: f64 = 1e-8;
/// Times that an evaluation is measured.
const ROUNDS: usize = 11;
/// Parameters up to which Newton's method has its dense matrix here.
const DENSE_PARAMETERS: usize = 4_000;
/// Bytes of the dense table at most.
const DENSE_BYTES: u64 = 2 << 30;

type Failure = Box<dyn Error + Send + Sync>;

/// Sparse, and dense where that was made.
struct Pair {
    sparse: f64,
    dense: Option<f64>,
}

fn main() -> Result<(), Failure> {
    let args = Args::read(&ABOUT);
    let lambda = args.count("--lambda", 1e-4);
    let data = match args.free().first() {
        Some(path) => {
            let options = LibsvmOptions { sparse: true, ..LibsvmOptions::default() };
            Dataset::from_libsvm(path, &options)?
        }
        None => drawn(
            args.count("--samples", 20_000),
            args.count("--features", 2_000),
            args.count("--entries", 20),
        )?,
    };
    if let Some(path) = args.value("--write") {
        write(&data, Path::new(path))?;
    }
    let Some(inputs) = data.sparse() else { return Err("the data are not sparse".into()) };
    let limit = if args.has("--alone") { 0 } else { DENSE_BYTES };
    let table = inputs.to_dense_within(limit).ok();
    let dense = table
        .map(|table| Dataset::new(data.features(), table, data.targets().clone()))
        .transpose()?;
    introduce(&data, inputs, args.json());

    let network = Network::linear(data.features(), 1);
    let graph = network.graph()?;
    let sparse_risk = Risk::new(graph, &data, Logistic, Ridge(lambda))?;
    let dense_risk =
        dense.as_ref().map(|data| Risk::new(graph, data, Logistic, Ridge(lambda))).transpose()?;
    let theta = vec![0.0; sparse_risk.dim()];
    for (name, evaluate) in [("gradient", gradient as Evaluation), ("H·v", product)] {
        let sparse = median(|| evaluate(&sparse_risk, &theta));
        let dense = dense_risk.as_ref().map(|risk| median(|| evaluate(risk, &theta)));
        print(name, &Pair { sparse, dense }, None, args.json());
    }
    let mut methods = vec![("Auto", Method::auto()), ("NewtonCg", NewtonCg::default().into())];
    if theta.len() <= DENSE_PARAMETERS {
        methods.push(("Newton", Newton::default().into()));
    }
    for (name, method) in methods {
        let stopping = Stopping {
            gradient_absolute: TOLERANCE,
            gradient_tolerance: 0.0,
            ..method.stopping().clone()
        };
        let method = method.with_stopping(stopping);
        let start = Instant::now();
        let found = method.clone().minimize(&sparse_risk, &theta)?;
        let sparse = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let other =
            dense_risk.as_ref().map(|risk| method.clone().minimize(risk, &theta)).transpose()?;
        let dense = other.as_ref().map(|_| start.elapsed().as_secs_f64());
        let apart = other.map(|other| {
            let each = found.theta.iter().zip(&other.theta).map(|(a, b)| (a - b).abs());
            each.fold(0.0, f64::max)
        });
        let report = &found.report;
        let end = End {
            solver: report.solver.clone(),
            iterations: report.iterations,
            value: report.value,
            gradient: report.gradient.max,
            apart,
        };
        print(name, &Pair { sparse, dense }, Some(&end), args.json());
    }
    Ok(())
}

/// How a fit ended.
struct End {
    solver: String,
    iterations: u64,
    value: f64,
    gradient: f64,
    /// ‖θ_sparse − θ_dense‖∞.
    apart: Option<f64>,
}

type Evaluation = fn(&Risk<'_>, &[f64]) -> f64;

/// Seconds of a value with its gradient.
fn gradient(risk: &Risk<'_>, theta: &[f64]) -> f64 {
    let mut gradient = vec![0.0; theta.len()];
    let start = Instant::now();
    risk.value_gradient(theta, &mut gradient);
    start.elapsed().as_secs_f64()
}

/// Seconds of a Hessian product at a point that is linearised.
fn product(risk: &Risk<'_>, theta: &[f64]) -> f64 {
    let (v, mut out) = (vec![1.0; theta.len()], vec![0.0; theta.len()]);
    let at = risk.linearize(theta);
    let start = Instant::now();
    at.hessian_vector(&v, &mut out);
    start.elapsed().as_secs_f64()
}

/// Of the rounds after the first, which makes the buffers.
fn median(mut measure: impl FnMut() -> f64) -> f64 {
    measure();
    let mut times: Vec<f64> = (0..ROUNDS).map(|_| measure()).collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

/// Two classes by the score.
fn drawn(samples: usize, features: usize, entries: usize) -> Result<Dataset, Failure> {
    let (inputs, scores) = drawn_rows::drawn(samples, features, entries)?;
    let labels = scores.iter().map(|&score| u32::from(score > 0.0)).collect();
    Ok(Dataset::from_sparse(inputs, Targets::Labels { classes: 2, labels })?)
}

/// As LIBSVM text, every digit.
fn write(data: &Dataset, path: &Path) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::fs::File::create(path)?);
    let labels = data.targets().labels().unwrap_or_default();
    for (sample, label) in labels.iter().enumerate() {
        write!(out, "{label}")?;
        let Some(inputs) = data.sparse() else { continue };
        let (indices, values) = inputs.row(sample);
        for (index, value) in indices.iter().zip(values) {
            write!(out, " {}:{value}", index + 1)?;
        }
        writeln!(out)?;
    }
    Ok(out.flush()?)
}

fn introduce(data: &Dataset, inputs: &SparseInputs, json: bool) {
    let (samples, features) = (data.samples(), data.features());
    let dense_bytes = 8.0 * samples as f64 * features as f64;
    let (filled, bytes) = (inputs.filled(), inputs.bytes());
    if json {
        println!(
            "{}",
            serde_json::json!({
                "samples": samples, "features": features, "filled": filled, "bytes": bytes, "dense_bytes": dense_bytes,
            })
        );
        return;
    }
    let mebibytes = |bytes: f64| bytes / f64::from(1 << 20);
    println!(
        "{samples} samples × {features} features, {filled} entries ({:.3} %)",
        100.0 * inputs.density()
    );
    println!(
        "memory of the inputs: {:.1} MiB sparse, {:.1} MiB dense\n",
        mebibytes(bytes as f64),
        mebibytes(dense_bytes)
    );
    println!(
        "{:<10} {:>11} {:>11} {:>7}  end of the sparse fit",
        "", "sparse [ms]", "dense [ms]", "ratio"
    );
}

fn print(name: &str, times: &Pair, end: Option<&End>, json: bool) {
    let Pair { sparse, dense } = times;
    if json {
        let mut line = serde_json::json!({ "what": name, "sparse": sparse, "dense": dense });
        if let Some(end) = end {
            line["solver"] = end.solver.clone().into();
            line["iterations"] = end.iterations.into();
            line["value"] = end.value.into();
            line["gradient"] = end.gradient.into();
            line["apart"] = end.apart.into();
        }
        println!("{line}");
        return;
    }
    let dense_text = dense.map_or("—".to_owned(), |dense| format!("{:.2}", 1e3 * dense));
    let ratio = dense.map_or("—".to_owned(), |dense| format!("{:.1}", dense / sparse));
    print!("{name:<10} {:>11.2} {dense_text:>11} {ratio:>7}", 1e3 * sparse);
    if let Some(end) = end {
        let apart = end.apart.map_or(String::new(), |apart| format!(", θ {apart:.0e} apart"));
        print!(
            "  {}: {} iterations, f {:.14e}, ‖∇f‖∞ {:.1e}{apart}",
            end.solver, end.iterations, end.value, end.gradient
        );
    }
    println!();
}
