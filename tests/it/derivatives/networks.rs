//! Networks: every loss through `check`, and values, Gauss–Newton matrix and Hessian against a forward pass written down
//! a second time, in loops, and differenced.

use super::support::{
    assert_passed, gauss_newton, hessian, labels, matrix_distance, normals, numbers, probabilities,
};
use faer::Mat;
use secant::check;
use secant::core::predict::outputs;
use secant::data::{Dataset, Targets};
use secant::graph::Graph;
use secant::loss::{Logistic, SoftmaxCrossEntropy, SquaredError};
use secant::network::Network;
use secant::op::{Activation, Add, Concat, Dense, Multiply, Softmax};
use secant::penalty::{NoPenalty, Ridge, RidgeAll};
use secant::problem::{Curvature, Objective};
use secant::risk::Risk;

/// Two tiles, the last one short.
const SAMPLES: usize = 530;

fn start(n: usize, seed: u64) -> Vec<f64> {
    normals(n, seed).iter().map(|x| 0.6 * x).collect()
}

fn assert_risk(context: &str, risk: &Risk<'_>, theta: &[f64]) {
    let samples = risk.data().samples();
    assert!(samples < SAMPLES || risk.tile_samples() < samples, "{context}: one tile only");
    assert_passed(&check::curvature(risk, theta, 21), context);
    if let Some(problem) = risk.least_squares() {
        assert_passed(&check::least_squares(&problem, theta, 22), context);
    }
}

#[test]
fn every_loss_on_networks() {
    for activation in super::nodes::SMOOTH {
        for hidden in [vec![], vec![5], vec![4, 3]] {
            let network = |outputs: usize| {
                let widths: Vec<usize> =
                    [3].into_iter().chain(hidden.clone()).chain([outputs]).collect();
                Network::mlp(widths, activation)
            };
            let context = |loss| format!("{activation:?} {hidden:?} {loss}");
            for outputs in [1, 2] {
                let net = network(outputs);
                let graph = net.graph().unwrap();
                let theta = start(graph.parameters().dim(), 1);
                let data = numbers(3, outputs, SAMPLES, 2);
                let risk = Risk::new(graph, &data, SquaredError, NoPenalty).unwrap();
                assert!(risk.least_squares().is_some());
                assert_risk(&context("squared"), &risk, &theta);
                let risk = Risk::new(graph, &data, SquaredError, Ridge(0.2)).unwrap();
                assert!(risk.least_squares().is_some());
                assert_risk(&context("squared, ridge"), &risk, &theta);
                let risk = Risk::new(graph, &data, SquaredError, RidgeAll(0.05)).unwrap();
                assert_risk(&context("squared, ridge on all"), &risk, &theta);
            }
            let net = network(1);
            let graph = net.graph().unwrap();
            let theta = start(graph.parameters().dim(), 3);
            let data = labels(3, 2, SAMPLES, 4);
            let risk = Risk::new(graph, &data, Logistic, Ridge(0.1)).unwrap();
            assert!(risk.least_squares().is_none());
            assert_risk(&context("logistic"), &risk, &theta);
            let data = probabilities(3, SAMPLES, 4);
            let risk = Risk::new(graph, &data, Logistic, NoPenalty).unwrap();
            assert_risk(&context("logistic, numbers"), &risk, &theta);
            for classes in [2, 4] {
                let net = network(classes);
                let graph = net.graph().unwrap();
                let theta = start(graph.parameters().dim(), 5);
                let data = labels(3, classes, SAMPLES, 6);
                let risk = Risk::new(graph, &data, SoftmaxCrossEntropy, Ridge(0.1)).unwrap();
                assert!(risk.least_squares().is_none());
                assert_risk(&context("softmax"), &risk, &theta);
            }
        }
    }
}

#[test]
fn every_kind_of_join_and_sharing() {
    let mut g = Graph::builder(3);
    let x = g.input();
    let a = g.node("a", Dense::new(4), &[x]).unwrap();
    let b = g.node("b", Dense::new(4).without_bias(), &[x]).unwrap();
    let tanh = g.node("tanh", Activation::Tanh, &[a]).unwrap();
    let again = g.node_sharing("again", Dense::new(4), &[x], &["a.weight", "a.bias"]).unwrap();
    let gate = g.node("gate", Activation::Sigmoid, &[b]).unwrap();
    let gated = g.node("gated", Multiply, &[tanh, gate]).unwrap();
    let square = g.node("square", Multiply, &[gated, gated]).unwrap();
    let twice = g.node("twice", Add, &[square, again, again]).unwrap();
    let soft = g.node("soft", Softmax, &[twice]).unwrap();
    let all = g.node("all", Concat, &[soft, x, gated, soft]).unwrap();
    let y = g.node("y", Dense::new(2), &[all]).unwrap();
    let graph = g.build(y).unwrap();
    assert!(!graph.is_affine());
    let theta = start(graph.parameters().dim(), 7);
    let data = numbers(3, 2, SAMPLES, 8);
    assert_risk("squared", &Risk::new(&graph, &data, SquaredError, Ridge(0.1)).unwrap(), &theta);
    let data = labels(3, 2, SAMPLES, 9);
    let risk = Risk::new(&graph, &data, SoftmaxCrossEntropy, NoPenalty).unwrap();
    assert_risk("softmax", &risk, &theta);
}

/// Kinks are kept away from: biases of ±4 outweigh every weighted sum of the inputs.
#[test]
fn rectifiers_away_from_their_kinks() {
    let (d, hidden) = (3, 6);
    for activation in [Activation::Relu, Activation::LeakyRelu { slope: 0.1 }] {
        let net = Network::mlp([d, hidden, 2], activation);
        let graph = net.graph().unwrap();
        let inputs: Vec<f64> = normals(d * SAMPLES, 10).iter().map(|x| x.tanh()).collect();
        let targets = normals(2 * SAMPLES, 11);
        let data = Dataset::from_slices(d, &inputs, 2, &targets).unwrap();
        let mut theta = start(graph.parameters().dim(), 12);
        for weight in &mut theta[..d * hidden] {
            *weight = weight.tanh();
        }
        for (unit, bias) in theta[d * hidden..(d + 1) * hidden].iter_mut().enumerate() {
            *bias = if unit % 2 == 0 { 4.0 } else { -4.0 };
        }
        // |Σ w·x| < 3: no step of the check reaches a kink.
        let risk = Risk::new(graph, &data, SquaredError, Ridge(0.1)).unwrap();
        assert_risk(&format!("{activation:?}"), &risk, &theta);
    }
}

/// Angles beyond the vectorised range, mixed with small ones.
#[test]
fn sine_of_large_angles() {
    let inputs: Vec<f64> = (0..40).map(|i| f64::from(i) * 12_345.678_9).collect();
    let data = Dataset::from_slices(1, &inputs, 1, &[0.0; 40]).unwrap();
    let mut g = Graph::builder(1);
    let sine = g.node("sine", Activation::Sine, &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1).without_bias(), &[sine]).unwrap();
    let graph = g.build(y).unwrap();
    let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
    let expected = inputs.iter().map(|x| x.sin() * x.sin()).sum::<f64>() / 80.0;
    assert!((risk.value(&[1.0]) / expected - 1.0).abs() < 1e-13);
    assert_risk("sine", &risk, &[0.8]);
}

/// tanh layers and a linear one, written as loops over the layout of θ: W column-major, then b.
fn forward(widths: &[usize], theta: &[f64], x: &[f64]) -> Vec<f64> {
    let mut z = x.to_vec();
    let mut rest = theta;
    for (layer, pair) in widths.windows(2).enumerate() {
        let (weight, after) = rest.split_at(pair[0] * pair[1]);
        let (bias, after) = after.split_at(pair[1]);
        rest = after;
        let unit = |i: usize| {
            let sum = (0..pair[0]).map(|j| weight[j * pair[1] + i] * z[j]).sum::<f64>() + bias[i];
            if layer + 2 < widths.len() { sum.tanh() } else { sum }
        };
        z = (0..pair[1]).map(unit).collect();
    }
    z
}

fn probabilities_of(z: &[f64]) -> Vec<f64> {
    let total: f64 = z.iter().map(|z| z.exp()).sum();
    z.iter().map(|z| z.exp() / total).collect()
}

/// ℓ of one sample, from its definition.
fn loss_of(z: &[f64], targets: &Targets, sample: usize) -> f64 {
    match targets {
        Targets::Values { rows, values } => {
            let y = &values[sample * rows..(sample + 1) * rows];
            0.5 * z.iter().zip(y).map(|(z, y)| (z - y) * (z - y)).sum::<f64>()
        }
        Targets::Labels { labels, .. } if z.len() == 1 => {
            let p = 1.0 / (1.0 + (-z[0]).exp());
            if labels[sample] == 1 { -p.ln() } else { -(1.0 - p).ln() }
        }
        Targets::Labels { labels, .. } => -probabilities_of(z)[labels[sample] as usize].ln(),
    }
}

/// ∂²ℓ/∂z² of one sample, from its definition.
fn curvature_of(z: &[f64], targets: &Targets) -> Mat<f64> {
    let c = z.len();
    match targets {
        Targets::Values { .. } => Mat::identity(c, c),
        Targets::Labels { .. } if c == 1 => {
            let p = 1.0 / (1.0 + (-z[0]).exp());
            Mat::from_fn(1, 1, |_, _| p * (1.0 - p))
        }
        Targets::Labels { .. } => {
            let p = probabilities_of(z);
            Mat::from_fn(c, c, |k, l| if k == l { p[k] * (1.0 - p[k]) } else { -p[k] * p[l] })
        }
    }
}

/// The value, the Gauss–Newton matrix from a differenced Jacobian, and the Hessian from second differences of values.
fn assert_against_loops(risk: &Risk<'_>, widths: &[usize], lambda: f64, context: &str) {
    let (n, data) = (risk.dim(), risk.data());
    assert!(n <= 40, "{context}: n = {n}");
    let theta = start(n, 13);
    let scale = 1.0 / data.samples() as f64;
    let weights = |theta: &[f64]| -> f64 {
        let blocks = risk.graph().parameters().blocks().iter();
        let weights = blocks.filter(|block| block.name.ends_with(".weight"));
        weights.flat_map(|block| theta[block.range.clone()].iter()).map(|w| w * w).sum()
    };
    let value = |theta: &[f64]| -> f64 {
        let loss = |sample: usize| {
            loss_of(&forward(widths, theta, data.sample(sample)), data.targets(), sample)
        };
        (0..data.samples()).map(loss).sum::<f64>() * scale + 0.5 * lambda * weights(theta)
    };
    let (found, expected) = (risk.value(&theta), value(&theta));
    assert!((found / expected - 1.0).abs() < 1e-13, "{context}: {found} {expected}");
    let predicted = outputs(risk.graph(), &theta, data.inputs()).unwrap();
    let samples = (0..data.samples()).map(|sample| forward(widths, &theta, data.sample(sample)));
    let error = check::distance(&predicted, &samples.flatten().collect::<Vec<f64>>());
    assert!(error <= 1e-14, "{context}: outputs {error:e}");

    let moved = |steps: &[(usize, f64)]| {
        let mut theta = theta.clone();
        for &(index, step) in steps {
            theta[index] += step;
        }
        theta
    };
    let h = f64::EPSILON.cbrt();
    let mut normal = Mat::<f64>::zeros(n, n);
    for sample in 0..data.samples() {
        let x = data.sample(sample);
        let column = |j: usize| -> Vec<f64> {
            let above = forward(widths, &moved(&[(j, h)]), x);
            let below = forward(widths, &moved(&[(j, -h)]), x);
            above.iter().zip(below).map(|(above, below)| (above - below) / (2.0 * h)).collect()
        };
        let jacobian: Vec<Vec<f64>> = (0..n).map(column).collect();
        let jacobian = Mat::from_fn(widths[widths.len() - 1], n, |k, j| jacobian[j][k]);
        let block = curvature_of(&forward(widths, &theta, x), data.targets());
        normal += jacobian.transpose() * block * &jacobian * faer::Scale(scale);
    }
    for block in risk.graph().parameters().blocks() {
        if block.name.ends_with(".weight") {
            block.range.clone().for_each(|index| normal[(index, index)] += lambda);
        }
    }
    let at = risk.linearize(&theta);
    let error = matrix_distance(&gauss_newton(&at, n), &normal);
    assert!(error <= 1e-8, "{context}: Gauss–Newton matrix {error:e}");

    let h = f64::EPSILON.powf(0.25);
    let second = Mat::from_fn(n, n, |i, j| {
        let f = |a: f64, b: f64| value(&moved(&[(i, a * h), (j, b * h)]));
        (f(1.0, 1.0) - f(1.0, -1.0) - f(-1.0, 1.0) + f(-1.0, -1.0)) / (4.0 * h * h)
    });
    let error = matrix_distance(&hessian(&at, n), &second);
    assert!(error <= 1e-4, "{context}: Hessian {error:e}");
    // The two matrices differ, or the test of the Hessian would be one of the Gauss–Newton matrix.
    assert!(matrix_distance(&normal, &second) > 1e-3, "{context}");
}

#[test]
fn values_and_matrices_agree_with_loops() {
    let samples = 41;
    for widths in [vec![2, 3, 1], vec![2, 3, 2, 1], vec![1, 5, 1]] {
        let net = Network::mlp(&widths, Activation::Tanh);
        let graph = net.graph().unwrap();
        let data = numbers(widths[0], 1, samples, 14);
        let risk = Risk::new(graph, &data, SquaredError, Ridge(0.05)).unwrap();
        assert_against_loops(&risk, &widths, 0.05, &format!("squared {widths:?}"));
        let data = labels(widths[0], 2, samples, 15);
        let risk = Risk::new(graph, &data, Logistic, NoPenalty).unwrap();
        assert_against_loops(&risk, &widths, 0.0, &format!("logistic {widths:?}"));
    }
    for widths in [vec![2, 3, 3], vec![3, 4, 2]] {
        let net = Network::mlp(&widths, Activation::Tanh);
        let graph = net.graph().unwrap();
        let classes = widths[2];
        let data = labels(widths[0], classes, samples, 16);
        let risk = Risk::new(graph, &data, SoftmaxCrossEntropy, Ridge(0.02)).unwrap();
        assert_against_loops(&risk, &widths, 0.02, &format!("softmax {widths:?}"));
        let data = numbers(widths[0], classes, samples, 17);
        let risk = Risk::new(graph, &data, SquaredError, NoPenalty).unwrap();
        assert_against_loops(&risk, &widths, 0.0, &format!("squared {widths:?}"));
    }
}
