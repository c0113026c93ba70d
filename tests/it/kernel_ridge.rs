//! Kernel ridge regression as a linear fit on features, against its dual solution and scikit-learn (`benches/peers/features.py`).

use secant::faer::linalg::solvers::{Llt, Solve};
use secant::faer::{Mat, Side};
use secant::op::{Dense, Kernel, Nystrom};
use secant::{Dataset, Graph, Network, Newton, Ridge, SquaredError, Standardizer};
use serde_json::Value;

fn fixture() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/kernel_ridge.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn yacht() -> Dataset {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/yacht.csv");
    Dataset::from_csv(path, "target").unwrap()
}

/// The fit's predictions of its own samples: squared error and `Ridge(lambda)` on Nyström features of all inputs at `landmarks`
/// (standardised, d × m).
fn fitted(data: &Dataset, landmarks: &[f64], kernel: Kernel, lambda: f64) -> Vec<f64> {
    let mut g = Graph::builder(data.features());
    let map = Nystrom::new(data.features(), landmarks, kernel).unwrap();
    let phi = g.node("phi", map, &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1).without_bias(), &[phi]).unwrap();
    let network = Network::from(g.build(y).unwrap());
    let fit = secant::fit(&network, data)
        .loss(SquaredError)
        .penalty(Ridge(lambda))
        .method(Newton::default())
        .max_iterations(5)
        .run()
        .unwrap();
    fit.model().predict(data.inputs()).unwrap()
}

/// max |a − b| / max |b|.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let size = b.iter().fold(0.0_f64, |size, b| size.max(b.abs()));
    a.iter().zip(b).fold(0.0_f64, |error, (a, b)| error.max((a - b).abs())) / size
}

fn solved(matrix: &Mat<f64>, rhs: &Mat<f64>) -> Mat<f64> {
    Llt::new(matrix.as_ref(), Side::Lower).unwrap().solve(rhs)
}

#[test]
fn all_samples_as_landmarks_are_the_dual_solution() {
    let data = yacht();
    let scaled = Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap();
    let (x, d, samples) = (scaled.inputs(), data.features(), data.samples());
    let targets = Mat::from_fn(samples, 1, |i, _| data.targets().values().unwrap()[i]);
    for (width, lambda) in [(2.0, 1e-3), (2.0, 1e-6), (0.7, 1e-2)] {
        let kernel = Kernel::Gaussian { width };
        let predictions = fitted(&data, x, kernel, lambda);
        // The risk is a mean: N·λ.
        let k = kernel.between(d, x, x).unwrap();
        let mut system = k.clone();
        (0..samples).for_each(|i| system[(i, i)] += samples as f64 * lambda);
        let dual = &k * solved(&system, &targets);
        let error = distance(&predictions, dual.col_as_slice(0));
        assert!(error < 1e-9, "width {width}, λ = {lambda}: {error:e}");
    }
}

#[test]
fn scikit_learn_predicts_the_same() {
    let (data, fixture) = (yacht(), fixture());
    let scaled = Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap();
    let number = |key: &str| fixture[key].as_f64().unwrap();
    let kernel = Kernel::Gaussian { width: number("width") };
    let predictions = fitted(&data, scaled.inputs(), kernel, number("lambda"));
    let expected = fixture["predictions"].as_array().unwrap();
    let expected: Vec<f64> = expected.iter().map(|y| y.as_f64().unwrap()).collect();
    let error = distance(&predictions, &expected);
    assert!(error < 1e-9, "{error:e}");
}

#[test]
fn fewer_landmarks_are_the_regression_on_their_span() {
    let data = yacht();
    let scaled = Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap();
    let (x, d, samples) = (scaled.inputs(), data.features(), data.samples());
    let (count, lambda) = (40, 1e-3);
    let targets = Mat::from_fn(samples, 1, |i, _| data.targets().values().unwrap()[i]);
    // Every seventh sample.
    let landmarks: Vec<f64> = x.chunks_exact(d).step_by(7).take(count).flatten().copied().collect();
    let kernel = Kernel::Gaussian { width: 1.0 };
    let predictions = fitted(&data, &landmarks, kernel, lambda);
    // K_Nm (K_mN K_Nm + N·λ·K_mm)⁻¹ K_mN y  (Williams & Seeger 2001).
    let cross = kernel.between(d, &landmarks, x).unwrap();
    let inner = kernel.between(d, &landmarks, &landmarks).unwrap();
    let mut system = &cross * cross.transpose();
    for j in 0..count {
        for i in 0..count {
            system[(i, j)] += samples as f64 * lambda * inner[(i, j)];
        }
    }
    let expected = cross.transpose() * solved(&system, &(&cross * &targets));
    let error = distance(&predictions, expected.col_as_slice(0));
    assert!(error < 1e-9, "{error:e}");
}
