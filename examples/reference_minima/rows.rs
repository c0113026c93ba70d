//! The reference minima of a folder of public data sets: rows of its tables, and the data that they are about.

use secant::core::data::{CsvOptions, IdxOptions, LibsvmOptions, PixelScale, Task};
use secant::loss::Loss;
use secant::{Dataset, Logistic, SoftmaxCrossEntropy, SquaredError, Standardizer};
use std::error::Error;
use std::path::{Path, PathBuf};

/// One reference minimum.
pub struct Row {
    pub set: String,
    pub file: PathBuf,
    /// Target column.
    pub target: String,
    /// Further targets of the same table, which are no features.
    pub other_targets: Vec<String>,
    pub scaling: String,
    pub loss: String,
    pub lambda: f64,
    pub reference: f64,
}

/// The rows of `reference-regression.csv` and `reference-classification.csv` in `folder`.
pub fn rows_of_folder(folder: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
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
pub fn shipped_rows(folder: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
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
    /// The data, scaled as the row says.
    pub fn read(&self) -> Result<Dataset, Box<dyn Error>> {
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

    /// The loss, and the outputs of the linear model.
    pub fn loss(&self, data: &Dataset) -> (Box<dyn Loss>, usize) {
        match self.loss.as_str() {
            "ridge" => (Box::new(SquaredError), 1),
            "logistic" => (Box::new(Logistic), 1),
            _ => (Box::new(SoftmaxCrossEntropy), data.targets().outputs()),
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
