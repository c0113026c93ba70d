//! Linear models beside the public tables as they are: 5,000 to 20,000 parameters, sparse inputs, tables of 20 to 200 rows.

use crate::compare::Table;
use crate::drawn_rows;
use crate::name::{Kind, Name};
use crate::tables::{Fit, fourier, read, some, standardised};
use Fit::{Logistic, Poisson, Softmax, Squares};
use secant::core::random::Random;
use secant::{Dataset, Network, Objective, Ridge, Risk, Targets};
use std::error::Error;
use std::path::Path;

type Failure = Box<dyn Error>;

/// Seed of the table that is drawn.
const SEED: u64 = 5;
/// Rows of the small tables.
const ROWS: [usize; 4] = [20, 50, 100, 200];

/// A linear model with a ridge.
fn linear(
    table: &mut Table,
    name: Name,
    data: Dataset,
    fit: Fit,
    lambda: f64,
) -> Result<(), Failure> {
    let data = fit.targets(data)?;
    let network = Network::linear(data.features(), fit.outputs(&data));
    let risk = Risk::from_boxed(network.graph()?, &data, fit.loss(), Box::new(Ridge(lambda)))?;
    let start = vec![0.0; risk.dim()];
    Ok(table.compare(name, &risk, &start)?)
}

/// Images: set, samples, fit, λ.
const IMAGES: [(&str, usize, Fit, f64); 11] = [
    ("mnist", 2_000, Softmax, 1e-3),
    ("mnist", 1_000, Softmax, 1e-5),
    ("mnist", 5_000, Softmax, 1e-3),
    ("mnist", 1_000, Squares, 1e-2),
    ("fashion_mnist", 2_000, Softmax, 1e-3),
    ("fashion_mnist", 1_000, Softmax, 1e-5),
    ("fashion_mnist", 5_000, Softmax, 1e-3),
    ("fashion_mnist", 1_000, Squares, 1e-2),
    ("cifar10_first2000", 1_000, Softmax, 1e-3),
    ("cifar10_first2000", 2_000, Softmax, 1e-2),
    ("cifar10_first2000", 500, Squares, 1e-2),
];

/// Random Fourier features: set, samples, features, fit, λ.
const FOURIER: [(&str, usize, usize, Fit, f64); 14] = [
    ("spambase", 1_000, 5_000, Logistic, 1e-3),
    ("spambase", 1_000, 5_000, Logistic, 1e-5),
    ("breast_cancer", 569, 10_000, Logistic, 1e-4),
    ("heart_scale", 270, 15_000, Logistic, 1e-3),
    ("heart_scale", 270, 15_000, Logistic, 1e-5),
    ("concrete", 600, 6_000, Squares, 1e-3),
    ("airfoil", 600, 5_000, Squares, 1e-4),
    ("yacht", 308, 20_000, Squares, 1e-3),
    ("abalone", 800, 5_000, Poisson, 1e-3),
    ("diabetes", 442, 12_000, Poisson, 1e-2),
    ("letter", 1_000, 600, Softmax, 1e-3),
    ("digits", 500, 1_500, Softmax, 1e-4),
    ("wine", 178, 4_000, Softmax, 1e-3),
    ("iris", 150, 2_000, Softmax, 1e-4),
];

/// 5,000 to 20,000 parameters.
pub fn large(folder: &Path, table: &mut Table) -> Result<(), Failure> {
    for (set, samples, fit, lambda) in IMAGES {
        let rest = format!("{samples} {} {lambda:.0e}", fit.word());
        let name = Name::new(Kind::Large, set, rest);
        if table.wants(&name) {
            linear(table, name, read(folder, set)?.first(samples)?, fit, lambda)?;
        }
    }
    for (set, samples, features, fit, lambda) in FOURIER {
        let rest = format!("{samples} cos {features} {} {lambda:.0e}", fit.word());
        let name = Name::new(Kind::Large, set, rest);
        if table.wants(&name) {
            let data = standardised(&some(&read(folder, set)?, samples)?)?;
            linear(table, name, fourier(&data, features)?, fit, lambda)?;
        }
    }
    for (samples, features, lambda) in [(400, 20_000, 1e-2), (2_000, 5_000, 1e-3)] {
        let rest = format!("{samples} x {features} logistic {lambda:.0e}");
        let name = Name::new(Kind::Large, format!("normal_{features}"), rest);
        if table.wants(&name) {
            linear(table, name, normal(samples, features)?, Logistic, lambda)?;
        }
    }
    Ok(())
}

/// Independent normal inputs, two classes by a hidden score with noise.
fn normal(samples: usize, features: usize) -> Result<Dataset, Failure> {
    let mut random = Random::new(SEED);
    let hidden: Vec<f64> = (0..features).map(|_| random.normal()).collect();
    let mut inputs = Vec::with_capacity(samples * features);
    let mut labels = Vec::with_capacity(samples);
    for _ in 0..samples {
        let row: Vec<f64> = (0..features).map(|_| random.normal()).collect();
        let product: f64 = row.iter().zip(&hidden).map(|(x, w)| x * w).sum();
        let score = product / (features as f64).sqrt() + 0.5 * random.normal();
        labels.push(u32::from(score > 0.0));
        inputs.extend(row);
    }
    Ok(Dataset::new(features, inputs, Targets::Labels { classes: 2, labels })?)
}

/// Drawn rows with few entries: samples, features, entries of a row, fit, λ.
const DRAWN: [(usize, usize, usize, Fit, f64); 12] = [
    (20_000, 10_000, 30, Logistic, 1e-4),
    (20_000, 10_000, 30, Logistic, 1e-6),
    (20_000, 10_000, 30, Squares, 1e-4),
    (5_000, 8_000, 30, Logistic, 1e-4),
    (5_000, 8_000, 30, Logistic, 1e-6),
    (5_000, 8_000, 30, Poisson, 1e-4),
    (10_000, 1_000, 20, Logistic, 1e-4),
    (10_000, 1_000, 20, Logistic, 1e-6),
    (10_000, 1_000, 20, Squares, 1e-6),
    (20_000, 2_000, 20, Softmax, 1e-4),
    (3_000, 300, 10, Logistic, 1e-5),
    (3_000, 300, 10, Poisson, 1e-3),
];

/// Sparse inputs.
pub fn sparse(folder: &Path, table: &mut Table) -> Result<(), Failure> {
    for set in ["a9a", "w8a"] {
        for fit in [Logistic, Softmax] {
            for lambda in [1e-3, 1e-6] {
                let rest = format!("{} {lambda:.0e}", fit.word());
                let name = Name::new(Kind::Sparse, set, rest);
                if table.wants(&name) {
                    linear(table, name, read(folder, set)?, fit, lambda)?;
                }
            }
        }
    }
    for (samples, features, entries, fit, lambda) in DRAWN {
        let rest = format!("{samples} x {features} by {entries} {} {lambda:.0e}", fit.word());
        let name = Name::new(Kind::Sparse, format!("drawn_{features}"), rest);
        if table.wants(&name) {
            let (inputs, scores) =
                drawn_rows::drawn(samples, features, entries).map_err(|error| error.to_string())?;
            let targets = match fit {
                Squares => Targets::Values { rows: 1, values: scores },
                Poisson => {
                    // Counts that the score moves.
                    let counts = scores.iter().map(|score| (2.0 * score.exp()).round());
                    Targets::Values { rows: 1, values: counts.collect() }
                }
                Logistic | Softmax => {
                    let labels = scores.iter().map(|&score| u32::from(score > 0.0)).collect();
                    Targets::Labels { classes: 2, labels }
                }
            };
            linear(table, name, Dataset::from_sparse(inputs, targets)?, fit, lambda)?;
        }
    }
    Ok(())
}

/// Tables of which some rows are taken: what is fitted to them.
const PARTS: [(&str, &[Fit]); 20] = [
    ("abalone", &[Squares, Poisson]),
    ("airfoil", &[Squares]),
    ("california_housing", &[Squares]),
    ("concrete", &[Squares]),
    ("diabetes", &[Squares, Poisson]),
    ("energy", &[Squares]),
    ("power_plant", &[Squares]),
    ("protein", &[Squares]),
    ("yacht", &[Squares, Poisson]),
    ("iris", &[Softmax]),
    ("wine", &[Softmax]),
    ("breast_cancer", &[Logistic, Softmax]),
    ("digits", &[Softmax]),
    ("spambase", &[Logistic]),
    ("letter", &[Softmax]),
    ("heart_scale", &[Logistic]),
    ("a9a", &[Logistic]),
    ("w8a", &[Logistic]),
    ("mnist", &[Softmax]),
    ("fashion_mnist", &[Softmax]),
];

/// 20 to 200 rows of the tables, inputs standardised, but for pixels.
pub fn small(folder: &Path, table: &mut Table) -> Result<(), Failure> {
    for (set, fits) in PARTS {
        for rows in ROWS {
            for &fit in fits {
                for lambda in lambdas(fit) {
                    let rest = format!("{rows} rows {} {lambda:.0e}", fit.word());
                    let name = Name::new(Kind::Small, set, rest);
                    if table.wants(&name) {
                        linear(table, name, part(folder, set, rows)?, fit, *lambda)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// A quadratic is one problem whatever its strength.
fn lambdas(fit: Fit) -> &'static [f64] {
    if fit == Squares { &[1e-3] } else { &[1e-3, 1e-6] }
}

/// Some rows of a table.
pub fn part(folder: &Path, set: &str, rows: usize) -> Result<Dataset, Failure> {
    let part = some(&read(folder, set)?, rows)?;
    let pixels = set.ends_with("mnist");
    if pixels || part.sparse().is_some() { Ok(part) } else { standardised(&part) }
}
