//! Public tables by name, parts of them, and what is made of them.

use secant::core::data::{IdxOptions, LibsvmOptions, PixelScale};
use secant::core::random::Random;
use secant::loss::Loss;
use secant::{
    Dataset, Logistic, Poisson, SoftmaxCrossEntropy, SquaredError, Standardizer, Targets,
};
use std::error::Error;
use std::path::Path;

/// Seed of the rows that are drawn, and of the features made of them.
const SEED: u64 = 11;
/// Pixels of one colour of a CIFAR image.
const PLANE: usize = 32 * 32;

type Failure = Box<dyn Error>;

/// A loss by its word in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Squared error; of classes, of their indicators.
    Squares,
    Logistic,
    Softmax,
    Poisson,
}

impl Fit {
    pub fn word(self) -> &'static str {
        match self {
            Self::Squares => "squares",
            Self::Logistic => "logistic",
            Self::Softmax => "softmax",
            Self::Poisson => "poisson",
        }
    }

    pub fn loss(self) -> Box<dyn Loss> {
        match self {
            Self::Squares => Box::new(SquaredError),
            Self::Logistic => Box::new(Logistic),
            Self::Softmax => Box::new(SoftmaxCrossEntropy),
            Self::Poisson => Box::new(Poisson::default()),
        }
    }

    /// Outputs of a model of `data`.
    pub fn outputs(self, data: &Dataset) -> usize {
        if self == Self::Logistic { 1 } else { data.targets().outputs() }
    }

    /// `data` with the targets that the loss takes.
    pub fn targets(self, data: Dataset) -> Result<Dataset, Failure> {
        let Some(labels) = data.targets().labels() else { return Ok(data) };
        if self != Self::Squares {
            return Ok(data);
        }
        let rows = data.targets().outputs();
        let mut values = vec![0.0; rows * labels.len()];
        for (column, &label) in values.chunks_exact_mut(rows).zip(labels) {
            column[label as usize] = 1.0;
        }
        Ok(data.with_targets(Targets::Values { rows, values })?)
    }
}

/// A table of the folder, inputs as they are: pixels in [0, 1].
pub fn read(folder: &Path, set: &str) -> Result<Dataset, Failure> {
    let (images, classes) = (folder.join("images"), folder.join("classification"));
    let idx = |folder: &str, part: &str| {
        let path = |kind| images.join(folder).join(format!("{part}-{kind}-ubyte.gz"));
        Dataset::from_idx(path("images-idx3"), path("labels-idx1"), IdxOptions::default())
    };
    Ok(match set {
        "mnist" => idx("mnist", "train")?,
        "fashion_mnist" => idx("fashion-mnist", "train30k")?,
        "cifar10_first2000" => {
            let path = images.join("cifar10-sample").join(format!("{set}.bin.gz"));
            grey(&Dataset::from_cifar10(path, PixelScale::Unit)?)?
        }
        "a9a" | "w8a" => Dataset::from_libsvm(
            classes.join(format!("{set}.libsvm.gz")),
            &LibsvmOptions { sparse: true, ..LibsvmOptions::default() },
        )?,
        "heart_scale" => {
            let path = classes.join("heart_scale.libsvm");
            Dataset::from_libsvm(path, &LibsvmOptions::default())?
        }
        _ => {
            let labelled = classes.join(format!("{set}.csv"));
            let plain = folder.join("regression").join(format!("{set}.csv"));
            if labelled.exists() {
                Dataset::from_csv_labels(labelled, "target")?
            } else if plain.exists() {
                Dataset::from_csv(plain, "target")?
            } else {
                Dataset::from_csv(plain.with_extension("csv.gz"), "target")?
            }
        }
    })
}

/// The mean of the three colours: d = 1,024.
fn grey(data: &Dataset) -> Result<Dataset, Failure> {
    let mut inputs = Vec::with_capacity(PLANE * data.samples());
    for image in data.dense_inputs()?.chunks_exact(3 * PLANE) {
        let mean = |pixel| (image[pixel] + image[pixel + PLANE] + image[pixel + 2 * PLANE]) / 3.0;
        inputs.extend((0..PLANE).map(mean));
    }
    Ok(Dataset::new(PLANE, inputs, data.targets().clone())?)
}

/// Some of the samples, drawn without repeats.
pub fn some(data: &Dataset, samples: usize) -> Result<Dataset, Failure> {
    let mut order: Vec<usize> = (0..data.samples()).collect();
    Random::new(SEED).shuffle(&mut order);
    order.truncate(samples);
    order.sort_unstable();
    Ok(data.select(&order)?)
}

/// Inputs standardised.
pub fn standardised(data: &Dataset) -> Result<Dataset, Failure> {
    Ok(Standardizer::fit_inputs(data).transform_inputs(data)?)
}

/// √2·cos(w·x + b) for drawn w and b (Rahimi & Recht 2007), of a Gaussian kernel as wide as the inputs are apart.
pub fn fourier(data: &Dataset, features: usize) -> Result<Dataset, Failure> {
    let d = data.features();
    let mut random = Random::new(SEED);
    let scale = 1.0 / (d as f64).sqrt();
    let weights: Vec<f64> = (0..features * d).map(|_| scale * random.normal()).collect();
    let phases: Vec<f64> =
        (0..features).map(|_| std::f64::consts::TAU * random.uniform()).collect();
    let mut inputs = Vec::with_capacity(features * data.samples());
    for x in data.dense_inputs()?.chunks_exact(d) {
        let angles = weights.chunks_exact(d).zip(&phases).map(|(w, phase)| {
            let product: f64 = w.iter().zip(x).map(|(w, x)| w * x).sum();
            product + phase
        });
        inputs.extend(angles.map(|angle| std::f64::consts::SQRT_2 * angle.cos()));
    }
    Ok(Dataset::new(features, inputs, data.targets().clone())?)
}
