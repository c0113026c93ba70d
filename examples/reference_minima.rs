//! Do the methods find the minima that are known to 17 digits?
//!
//! A folder of public data sets comes with reference minima: ridge regression (exact, by rational arithmetic), softmax and
//! logistic regression (f64 Newton, evaluated in 80-bit arithmetic). Every row is fitted by Newton (n ≤ 8,000), L-BFGS and
//! BFGS (n ≤ 2,000) from θ = 0; printed is the relative gap |f − reference|/|reference|.
//!
//! `cargo run --release --example reference_minima -- FOLDER [--json] [--only SET]`
//!
//! Without a folder the small sets that ship in `data/` are fitted.

use secant::core::data::{CsvOptions, IdxOptions, LibsvmOptions, PixelScale, Task};
use secant::loss::Loss;
use secant::{
    Bfgs, Dataset, Lbfgs, Logistic, Method, Network, Newton, Ridge, Risk, SoftmaxCrossEntropy,
    SquaredError, Standardizer, Stopping,
};
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

/// One reference minimum.
struct Row {
    set: String,
    file: PathBuf,
    /// Target column.
    target: String,
    /// Further targets of the same table, which are no features.
    other_targets: Vec<String>,
    scaling: String,
    loss: String,
    lambda: f64,
    reference: f64,
}

struct Fitted {
    method: &'static str,
    value: f64,
    iterations: u64,
    seconds: f64,
    reason: String,
}

/// The rows of `reference-regression.csv` and `reference-classification.csv` in `folder`.
fn rows_of_folder(folder: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    let regression = Csv::read(&folder.join("reference-regression.csv"))?;
    for row in 0..regression.rows.len() {
        for (column, lambda) in [("ridge_J_1e-3", 1e-3), ("ridge_J_1e-6", 1e-6)] {
            let file = regression.text(row, "file")?;
            let target = regression.text(row, "target")?;
            let same_file = |other: &usize| {
                regression.text(*other, "file").ok() == Some(file)
                    && regression.text(*other, "target").ok() != Some(target)
            };
            let other_targets: Vec<String> = (0..regression.rows.len())
                .filter(same_file)
                .filter_map(|other| regression.text(other, "target").ok().map(str::to_string))
                .collect();
            let mut set = file.split('.').next().unwrap_or(file).to_string();
            if target != "target" {
                set = format!("{set} {target}");
            }
            rows.push(Row {
                set,
                file: folder.join("regression").join(file),
                target: target.into(),
                other_targets: other_targets.clone(),
                scaling: "standardised".into(),
                loss: "ridge".into(),
                lambda,
                reference: regression.number(row, column)?,
            });
        }
    }
    let classification = Csv::read(&folder.join("reference-classification.csv"))?;
    for row in 0..classification.rows.len() {
        let set = classification.text(row, "set")?.to_string();
        rows.push(Row {
            file: file_of(folder, &set),
            set,
            target: "target".into(),
            other_targets: Vec::new(),
            scaling: classification.text(row, "scaling")?.into(),
            loss: classification.text(row, "loss")?.into(),
            lambda: classification.number(row, "lambda")?,
            reference: classification.number(row, "f_min")?,
        });
    }
    Ok(rows)
}

/// The rows of `data/reference-minima.csv`.
fn shipped_rows(folder: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let table = Csv::read(&folder.join("reference-minima.csv"))?;
    (0..table.rows.len())
        .map(|row| {
            Ok(Row {
                set: table.text(row, "set")?.into(),
                file: folder.join(table.text(row, "file")?),
                target: "target".into(),
                other_targets: Vec::new(),
                scaling: table.text(row, "scaling")?.into(),
                loss: table.text(row, "loss")?.into(),
                lambda: table.number(row, "lambda")?,
                reference: table.number(row, "reference")?,
            })
        })
        .collect()
}

/// Where a classification set lies.
fn file_of(folder: &Path, set: &str) -> PathBuf {
    let tables = folder.join("classification");
    let images = folder.join("images");
    match set.split(' ').next().unwrap_or(set) {
        name @ ("a9a" | "w8a") => tables.join(format!("{name}.libsvm.gz")),
        "heart_scale" => tables.join("heart_scale.libsvm"),
        "mnist" => images.join("mnist").join("train-images-idx3-ubyte.gz"),
        "fashion_mnist" => images.join("fashion-mnist").join("train30k-images-idx3-ubyte.gz"),
        "cifar10_first2000" => images.join("cifar10-sample").join("cifar10_first2000.bin.gz"),
        name => tables.join(format!("{name}.csv")),
    }
}

impl Row {
    fn read(&self) -> Result<Dataset, Box<dyn Error>> {
        let path = &self.file;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let data = if name.contains("images-idx3") {
            let labels = name.replace("images-idx3", "labels-idx1");
            let all = Dataset::from_idx(path, path.with_file_name(labels), IdxOptions::default())?;
            match self.set.split_once(" first ") {
                Some((_, count)) => all.first(count.parse()?)?,
                None => all,
            }
        } else if name.contains(".bin") {
            Dataset::from_cifar10(path, PixelScale::Unit)?
        } else if name.contains(".libsvm") {
            Dataset::from_libsvm(path, &LibsvmOptions::default())?
        } else if self.loss == "ridge" {
            let ignored = self.other_targets.clone();
            let targets = vec![self.target.clone()];
            Dataset::from_csv_with(path, &CsvOptions { targets, ignored, ..CsvOptions::default() })?
        } else {
            let (targets, task) = (vec![self.target.clone()], Task::Labels { classes: None });
            Dataset::from_csv_with(path, &CsvOptions { targets, task, ..CsvOptions::default() })?
        };
        Ok(match self.scaling.as_str() {
            "standardised" => Standardizer::fit_inputs(&data).transform_inputs(&data)?,
            "divided by 16" => data.map_inputs(|x| x / 16.0)?,
            // Pixels were divided by 255 when they were read.
            _ => data,
        })
    }

    fn fit(&self, data: &Dataset) -> Result<Vec<Fitted>, Box<dyn Error>> {
        let (loss, outputs): (Box<dyn Loss>, usize) = match self.loss.as_str() {
            "ridge" => (Box::new(SquaredError), 1),
            "logistic" => (Box::new(Logistic), 1),
            _ => (Box::new(SoftmaxCrossEntropy), data.targets().outputs()),
        };
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

/// A small comma-separated table of text.
struct Csv {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Csv {
    fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let split = |line: &str| line.split(',').map(str::to_string).collect();
        let mut lines = text.lines();
        let header = lines.next().map(split).unwrap_or_default();
        Ok(Self { header, rows: lines.map(split).collect() })
    }

    fn text(&self, row: usize, column: &str) -> Result<&str, Box<dyn Error>> {
        let place = self.header.iter().position(|name| name == column);
        let cell = place.and_then(|place| self.rows[row].get(place));
        Ok(cell.ok_or_else(|| format!("row {row} has no column {column}"))?)
    }

    fn number(&self, row: usize, column: &str) -> Result<f64, Box<dyn Error>> {
        Ok(self.text(row, column)?.parse()?)
    }
}
