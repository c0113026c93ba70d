//! Models linear in their parameters: the Hessian assembled by rank-k updates against its columns from products.

use super::support::{
    assert_passed, columns, gauss_newton, hessian, labels, matrix_distance, normals, numbers,
    probabilities,
};
use secant::check;
use secant::data::Dataset;
use secant::graph::Graph;
use secant::loss::{Logistic, Loss, SoftmaxCrossEntropy, SquaredError};
use secant::op::{Activation, Add, Concat, Dense, Multiply};
use secant::penalty::{NoPenalty, Penalty, Ridge};
use secant::problem::{Curvature, Linearization, Objective};
use secant::risk::Risk;

/// Allowed relative distance of the assembled Hessian from its columns.
const ASSEMBLED: f64 = 1e-12;
const FEATURES: usize = 4;
/// Two tiles, the last one short.
const SAMPLES: usize = 530;

type Build = fn(usize) -> Graph;

fn dense(outputs: usize) -> Graph {
    let mut g = Graph::builder(FEATURES);
    let y = g.node("y", Dense::new(outputs), &[g.input()]).unwrap();
    g.build(y).unwrap()
}

fn dense_without_bias(outputs: usize) -> Graph {
    let mut g = Graph::builder(FEATURES);
    let y = g.node("y", Dense::new(outputs).without_bias(), &[g.input()]).unwrap();
    g.build(y).unwrap()
}

fn feature_map(outputs: usize) -> Graph {
    let mut g = Graph::builder(FEATURES);
    let x = g.input();
    let sine = g.node("sine", Activation::Sine, &[x]).unwrap();
    let phi = g.node("phi", Concat, &[x, sine]).unwrap();
    let y = g.node("y", Dense::new(outputs), &[phi]).unwrap();
    g.build(y).unwrap()
}

fn sum_of_two(outputs: usize) -> Graph {
    let mut g = Graph::builder(FEATURES);
    let x = g.input();
    let sine = g.node("sine", Activation::Sine, &[x]).unwrap();
    let a = g.node("a", Dense::new(outputs), &[x]).unwrap();
    let b = g.node("b", Dense::new(outputs).without_bias(), &[sine]).unwrap();
    let y = g.node("y", Add, &[a, b]).unwrap();
    g.build(y).unwrap()
}

/// One weight matrix on the data and on a feature map of it.
fn shared(outputs: usize) -> Graph {
    let mut g = Graph::builder(FEATURES);
    let x = g.input();
    let sine = g.node("sine", Activation::Sine, &[x]).unwrap();
    let a = g.node("a", Dense::new(outputs), &[x]).unwrap();
    let b = g.node_sharing("b", Dense::new(outputs), &[sine], &["a.weight", "a.bias"]).unwrap();
    let y = g.node("y", Add, &[a, b]).unwrap();
    g.build(y).unwrap()
}

/// Outputs gated by functions of the data.
fn gated(outputs: usize) -> Graph {
    let mut g = Graph::builder(FEATURES);
    let x = g.input();
    let w = g.node("w", Dense::new(FEATURES), &[x]).unwrap();
    let gate = g.node("gate", Multiply, &[w, x]).unwrap();
    // Columns of the gate are added up until `outputs` are left: still affine, with no parameters of its own.
    let mut parts = vec![gate];
    while parts.len() < outputs {
        parts.push(gate);
    }
    let wide = g.node("wide", Concat, &parts).unwrap();
    g.build(wide).unwrap()
}

fn concat_of_two(outputs: usize) -> Graph {
    let mut g = Graph::builder(FEATURES);
    let x = g.input();
    let a = g.node("a", Dense::new(1), &[x]).unwrap();
    let b = g.node("b", Dense::new(outputs - 1).without_bias(), &[x]).unwrap();
    let y = g.node("y", Concat, &[a, b]).unwrap();
    g.build(y).unwrap()
}

/// The Hessian against its columns, the Gauss–Newton matrix against both, and all the usual checks.
fn assert_affine(
    context: &str,
    graph: &Graph,
    data: &Dataset,
    loss: impl Loss + 'static,
    penalty: impl Penalty + 'static,
) {
    assert!(graph.is_affine(), "{context}");
    let risk = Risk::new(graph, data, loss, penalty).unwrap();
    assert!(risk.tile_samples() < SAMPLES, "{context}: one tile only");
    let n = risk.dim();
    let theta: Vec<f64> = normals(n, 5).iter().map(|x| 0.7 * x).collect();
    let at = risk.linearize(&theta);
    let assembled = hessian(&at, n);
    let error = matrix_distance(&assembled, &columns(n, |v, out| at.hessian_vector(v, out)));
    assert!(error <= ASSEMBLED, "{context}: Hessian {error:e}");
    let products = columns(n, |v, out| at.gauss_newton_vector(v, out));
    let error = matrix_distance(&assembled, &products);
    assert!(error <= ASSEMBLED, "{context}: Gauss–Newton products {error:e}");
    let error = matrix_distance(&assembled, &gauss_newton(&at, n));
    assert!(error <= ASSEMBLED, "{context}: Gauss–Newton matrix {error:e}");
    let asymmetry = matrix_distance(&assembled, &assembled.transpose().to_owned());
    assert!(asymmetry <= 1e-15, "{context}: asymmetry {asymmetry:e}");
    assert_passed(&check::curvature(&risk, &theta, 3), context);
}

fn assert_all_losses(name: &str, build: Build, outputs: &[usize]) {
    for &c in outputs {
        let graph = build(c);
        let c = graph.outputs();
        let context = |loss: &str| format!("{name}, {c} output(s), {loss}");
        let data = numbers(FEATURES, c, SAMPLES, 7);
        assert_affine(&context("squared"), &graph, &data, SquaredError, NoPenalty);
        assert_affine(&context("squared, ridge"), &graph, &data, SquaredError, Ridge(0.3));
        if c == 1 {
            let data = labels(FEATURES, 2, SAMPLES, 8);
            assert_affine(&context("logistic"), &graph, &data, Logistic, Ridge(0.01));
            let data = probabilities(FEATURES, SAMPLES, 9);
            assert_affine(&context("logistic, numbers"), &graph, &data, Logistic, NoPenalty);
        } else {
            let data = labels(FEATURES, c, SAMPLES, 10);
            assert_affine(&context("softmax"), &graph, &data, SoftmaxCrossEntropy, NoPenalty);
            assert_affine(
                &context("softmax, ridge"),
                &graph,
                &data,
                SoftmaxCrossEntropy,
                Ridge(0.1),
            );
        }
    }
}

#[test]
fn one_dense_node() {
    assert_all_losses("dense", dense, &[1, 2, 3, 5]);
}

#[test]
fn one_dense_node_without_bias() {
    assert_all_losses("dense without bias", dense_without_bias, &[1, 2, 3, 5]);
}

#[test]
fn dense_on_a_feature_map() {
    assert_all_losses("feature map", feature_map, &[1, 2, 3, 5]);
}

#[test]
fn affine_graphs_that_are_not_one_dense_node() {
    assert_all_losses("sum", sum_of_two, &[1, 2, 3, 5]);
    assert_all_losses("shared", shared, &[1, 3]);
    assert_all_losses("gated", gated, &[1, 2]);
    assert_all_losses("concat", concat_of_two, &[2, 3, 5]);
}

/// Enough samples that a block of the Hessian is split among tasks.
#[test]
fn hessian_of_many_samples() {
    let (d, samples) = (3, 5_000);
    for (c, bias) in [(1, true), (2, false), (3, true)] {
        let mut g = Graph::builder(d);
        let node = if bias { Dense::new(c) } else { Dense::new(c).without_bias() };
        let y = g.node("y", node, &[g.input()]).unwrap();
        let graph = g.build(y).unwrap();
        let n = graph.parameters().dim();
        let theta = normals(n, 6);
        let compare = |risk: &Risk<'_>| {
            let at = risk.linearize(&theta);
            let products = columns(n, |v, out| at.hessian_vector(v, out));
            let error = matrix_distance(&hessian(&at, n), &products);
            assert!(error <= ASSEMBLED, "{} {c}: {error:e}", risk.loss().name());
        };
        let data = numbers(d, c, samples, 11);
        compare(&Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap());
        if c > 1 {
            let data = labels(d, c, samples, 12);
            compare(&Risk::new(&graph, &data, SoftmaxCrossEntropy, Ridge(0.1)).unwrap());
        }
    }
}

/// The Hessian of a linear regression is XᵀX/N whatever θ is.
#[test]
fn hessian_of_a_linear_regression_is_the_moment_matrix() {
    let data = numbers(FEATURES, 1, SAMPLES, 13);
    let graph = dense(1);
    let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
    let n = FEATURES + 1;
    let assembled = hessian(&risk.linearize(&normals(n, 14)), n);
    let entry = |sample: usize, j: usize| {
        if j == FEATURES { 1.0 } else { data.sample(sample)[j] }
    };
    let moment = faer::Mat::from_fn(n, n, |i, j| {
        let terms = (0..SAMPLES).map(|sample| entry(sample, i) * entry(sample, j));
        terms.sum::<f64>() / SAMPLES as f64
    });
    let error = matrix_distance(&assembled, &moment);
    assert!(error <= ASSEMBLED, "{error:e}");
}
