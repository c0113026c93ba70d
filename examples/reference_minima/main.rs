//! Do the methods find the minima that are known to 17 digits?
//!
//! A folder of public data sets comes with reference minima: ridge regression (exact, by rational arithmetic), softmax and
//! logistic regression (f64 Newton, evaluated in 80-bit arithmetic). Every row is fitted by Newton (n ≤ 8,000), L-BFGS and
//! BFGS (n ≤ 2,000) from θ = 0; printed is the relative gap |f − reference|/|reference|.
//!
//! `cargo run --release --example reference_minima -- FOLDER [--json] [--only SET]`
//!
//! Without a folder the small sets that ship in `data/` are fitted.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;
mod rows;

use rows::{Row, rows_of_folder, shipped_rows};
use secant::{Bfgs, Dataset, Lbfgs, Method, Network, Newton, Ridge, Risk, Stopping};
use std::error::Error;
use std::path::Path;
use std::time::Instant;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "reference_minima",
    answers: "Do the methods find the minima that are known to 17 digits? Newton, L-BFGS and BFGS from zero.",
    takes: &[("FOLDER", "of the public data sets; default the small ones that ship in data/")],
    options: &[JSON, ("--only", "SET", "sets whose name begins so")],
    output: "a line for a set and method: the relative gap to the reference, iterations, seconds",
    data: "public data sets under FOLDER: regression/*.csv (UCI), classification/*.csv and a9a, w8a as .libsvm.gz \
           (https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/), images/ (MNIST, Fashion-MNIST), nist-strd/ \
           (https://www.itl.nist.gov/div898/strd/), reference-*.csv; without FOLDER none are needed",
};

/// Largest n for Newton: H takes n²·8 bytes.
const NEWTON_MAX: usize = 8_000;
/// Largest n for BFGS.
const BFGS_MAX: usize = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    let (json, only) = (args.json(), args.value("--only"));
    let rows = match args.free().first() {
        Some(folder) => rows_of_folder(&args.data_folder(Some(folder)))?,
        None => shipped_rows(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data"))?,
    };
    if !json {
        println!(
            "{:<28} {:<9} {:>7} {:<7} {:>24} {:>9} {:>7} {:>9}",
            "set", "loss", "lambda", "method", "value", "gap", "iters", "seconds"
        );
    }
    for row in rows.iter().filter(|row| only.is_none_or(|set| row.set.starts_with(set))) {
        let data = row.read()?;
        for fitted in row.fit(&data)? {
            fitted.print(row, json);
        }
    }
    Ok(())
}

struct Fitted {
    method: &'static str,
    value: f64,
    iterations: u64,
    seconds: f64,
    reason: String,
}

impl Row {
    fn fit(&self, data: &Dataset) -> Result<Vec<Fitted>, Box<dyn Error>> {
        let (loss, outputs) = self.loss(data);
        let network = Network::linear(data.features(), outputs);
        let graph = network.graph()?;
        let risk = Risk::from_boxed(graph, data, loss, Box::new(Ridge(self.lambda)))?;
        let n = graph.parameters().dim();
        let mut methods: Vec<(&'static str, Method)> = Vec::new();
        if n <= NEWTON_MAX {
            methods.push(("Newton", Newton::default().into()));
        }
        methods.push(("L-BFGS", Lbfgs::default().into()));
        if n <= BFGS_MAX {
            methods.push(("BFGS", Bfgs::default().into()));
        }
        let run = |(name, method): (&'static str, Method)| {
            // To the rounding floor, or to a gradient 1e-13 of the first.
            let stopping = Stopping {
                gradient_tolerance: 1e-13,
                max_iterations: 50_000,
                ..Stopping::default()
            };
            let start = Instant::now();
            let solution = method.with_stopping(stopping).minimize(&risk, &vec![0.0; n])?;
            let seconds = start.elapsed().as_secs_f64();
            let report = solution.report;
            Ok(Fitted {
                method: name,
                value: report.value,
                iterations: report.iterations,
                seconds,
                reason: format!("{:?}", report.reason),
            })
        };
        methods.into_iter().map(run).collect()
    }
}

impl Fitted {
    fn print(&self, row: &Row, json: bool) {
        let Row { set, loss, lambda, reference, .. } = row;
        let Self { method, value, iterations, seconds, reason } = self;
        let gap = ((value - reference) / reference).abs();
        if json {
            let line = serde_json::json!({
                "set": set, "loss": loss, "lambda": lambda, "method": method, "value": value,
                "reference": reference, "relative_gap": gap, "seconds": seconds,
                "iterations": iterations, "reason": reason,
            });
            println!("{line}");
        } else {
            println!(
                "{set:<28} {loss:<9} {lambda:>7.0e} {method:<7} {value:>24.16e} {gap:>9.1e} {iterations:>7} {seconds:>9.3}  {reason}"
            );
        }
    }
}
