//! Do the methods find the minima that are known to 17 digits?
//!
//! A folder of public data sets comes with reference minima: ridge regression (exact, by rational arithmetic), softmax and
//! logistic regression (f64 Newton, evaluated in 80-bit arithmetic). Every row is fitted by Newton (n ≤ 8,000), L-BFGS and
//! BFGS (n ≤ 2,000) from θ = 0; printed is the relative gap |f − reference|/|reference|.
//!
//! `cargo run --release --example reference_minima -- FOLDER [--json] [--only SET]`
//!
//! Without a folder the small sets that ship in `data/` are fitted.

mod rows;

use rows::{Row, rows_of_folder, shipped_rows};
use secant::{Bfgs, Dataset, Lbfgs, Method, Network, Newton, Ridge, Risk, Stopping};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Largest n for Newton: H takes n²·8 bytes.
const NEWTON_MAX: usize = 8_000;
/// Largest n for BFGS.
const BFGS_MAX: usize = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (mut json, mut only, mut folder) = (false, None, None);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--json" => json = true,
            "--only" => only = Some(args.next().ok_or("--only needs the name of a set")?),
            flag if flag.starts_with('-') => return Err(format!("unknown option {flag}").into()),
            _ => folder = Some(PathBuf::from(arg)),
        }
    }
    let rows = match &folder {
        Some(folder) => rows_of_folder(folder)?,
        None => shipped_rows(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data"))?,
    };
    if !json {
        println!(
            "{:<28} {:<9} {:>7} {:<7} {:>24} {:>9} {:>7} {:>9}",
            "set", "loss", "lambda", "method", "value", "gap", "iters", "seconds"
        );
    }
    for row in rows.iter().filter(|row| only.as_ref().is_none_or(|set| row.set.starts_with(set))) {
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
