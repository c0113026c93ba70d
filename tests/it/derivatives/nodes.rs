//! Every node against differences, its adjoint identity, its symmetry and its dense second derivatives.

use super::support::{assert_passed, normals, numbers};
use secant::check;
use secant::core::shape::{Shape, ShapeError};
use secant::graph::Graph;
use secant::loss::SquaredError;
use secant::op::{Activation, Add, At, Bar, Concat, Dense, Dot, Multiply, Op, Softmax};
use secant::penalty::NoPenalty;
use secant::problem::Objective;
use secant::risk::Risk;

pub const SMOOTH: [Activation; 7] = [
    Activation::Identity,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Softplus,
    Activation::Silu,
    Activation::Gelu,
    Activation::Sine,
];

/// `op` at inputs of the given lengths, from several seeds.
fn assert_node(op: &dyn Op, lengths: &[usize]) {
    let shapes: Vec<Shape> = lengths.iter().map(|&rows| Shape::vector(rows)).collect();
    for seed in 1..=5 {
        let checks = check::op(op, &shapes, seed).unwrap();
        assert_passed(&checks, &format!("{op:?} on {lengths:?}, seed {seed}"));
    }
}

#[test]
fn dense_with_and_without_bias() {
    for (inputs, outputs) in [(1, 1), (1, 5), (5, 1), (3, 4), (9, 8), (17, 2)] {
        assert_node(&Dense::new(outputs), &[inputs]);
        assert_node(&Dense::new(outputs).without_bias(), &[inputs]);
    }
    // Any shape is flattened.
    let checks = check::op(&Dense::new(3), &[Shape::new([2, 3, 2])], 1).unwrap();
    assert_passed(&checks, "dense on 2×3×2");
}

#[test]
fn activations() {
    let kinked = [
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.1 },
        Activation::LeakyRelu { slope: -0.3 },
        Activation::LeakyRelu { slope: 0.0 },
    ];
    // 8 and more entries a tile reach the vectorised loops, 1 only their remainder.
    for activation in SMOOTH.into_iter().chain(kinked) {
        for rows in [1, 2, 5, 11, 24] {
            assert_node(&activation, &[rows]);
        }
    }
}

#[test]
fn joins() {
    for rows in [1, 3, 8] {
        assert_node(&Add, &[rows, rows]);
        assert_node(&Add, &[rows, rows, rows]);
        assert_node(&Multiply, &[rows, rows]);
    }
    assert_node(&Concat, &[4]);
    assert_node(&Concat, &[1, 1]);
    assert_node(&Concat, &[3, 1, 5]);
}

#[test]
fn many_inputs() {
    // More inputs than the adjoints keep track of one by one.
    let many: Vec<usize> = (0..80).map(|index| 1 + index % 3).collect();
    assert_node(&Concat, &many);
    assert_node(&Add, &[2; 80]);
}

#[test]
fn softmax() {
    for rows in [1, 2, 3, 7, 16] {
        assert_node(&Softmax, &[rows]);
    }
}

#[test]
fn nodes_refuse_inputs_that_do_not_fit() {
    let vector = Shape::vector;
    let refused = |op: &dyn Op, shapes: &[Shape]| check::op(op, shapes, 1).unwrap_err();
    let count = |expected, found| ShapeError::InputCount { expected, found };
    assert_eq!(refused(&Dense::new(2), &[]), count(1, 0));
    assert_eq!(refused(&Activation::Tanh, &[vector(2), vector(2)]), count(1, 2));
    assert_eq!(refused(&Softmax, &[]), count(1, 0));
    assert_eq!(refused(&Add, &[vector(2)]), count(2, 1));
    assert_eq!(refused(&Multiply, &[vector(2), vector(2), vector(2)]), count(2, 3));
    assert_eq!(refused(&Concat, &[]), count(1, 0));
    let (first, found) = (vector(2), vector(3));
    assert_eq!(
        refused(&Add, &[vector(2), vector(2), vector(3)]),
        ShapeError::Mismatch { index: 2, first, found }
    );
    assert!(matches!(refused(&Dense::new(0), &[vector(2)]), ShapeError::Empty(_)));
    // Without entries, as when a graph is built.
    for op in [&Softmax as &dyn Op, &Dense::new(2), &Activation::Tanh] {
        assert!(matches!(refused(op, &[vector(0)]), ShapeError::Empty(_)));
    }
    let message = refused(&Activation::LeakyRelu { slope: f64::NAN }, &[vector(2)]).to_string();
    assert!(message.contains("slope") && message.contains("NaN"), "{message}");
}

/// z = sign x, entry by entry: its derivative is zero, so that it never asks for an adjoint.
#[derive(Debug)]
struct Sign;

impl Op for Sign {
    fn name(&self) -> String {
        "sign".into()
    }
    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(inputs[0].clone())
    }
    fn value(&self, at: At<'_>, z: &mut [f64]) {
        z.iter_mut().zip(at.x.get(0)).for_each(|(z, x)| *z = x.signum());
    }
    fn tangent(&self, _: At<'_>, _: &[f64], _: Dot<'_>, z_dot: &mut [f64]) {
        z_dot.fill(0.0);
    }
    fn adjoint(&self, _: At<'_>, _: &[f64], _: &[f64], _: &mut Bar<'_>) {}
    fn adjoint_tangent(
        &self,
        _: At<'_>,
        _: &[f64],
        _: &[f64],
        _: Dot<'_>,
        _: &[f64],
        _: &[f64],
        _: &mut Bar<'_>,
    ) {
    }
}

#[test]
fn a_node_that_asks_for_no_adjoint_leaves_none_behind() {
    let mut g = Graph::builder(2);
    let gated = g.node("gate", Dense::new(3), &[g.input()]).unwrap();
    let gate = g.node("sign", Sign, &[gated]).unwrap();
    let wide = g.node("wide", Dense::new(3), &[g.input()]).unwrap();
    let y = g.node("y", Multiply, &[gate, wide]).unwrap();
    let graph = g.build(y).unwrap();
    // Tiles of different lengths, so that what one leaves in a buffer does not fit the next.
    let data = numbers(2, 3, 700, 1);
    let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
    let theta = normals(risk.dim(), 2);
    assert_passed(&check::curvature(&risk, &theta, 3), "curvature");
    assert_passed(
        &check::least_squares(&risk.least_squares().unwrap(), &theta, 3),
        "least squares",
    );
}
