//! Outputs, value, gradient and Hessian product of one small risk per node beside JAX's in float64.
//! The fixture is made by `benches/peers/nodes.py`.

use secant_core::data::Dataset;
use secant_core::graph::{Graph, GraphBuilder, NodeId};
use secant_core::loss::SquaredError;
use secant_core::op::{
    Activation, Add, Bilinear, Concat, Dense, Dropout, Embedding, LayerNorm, MatMul, Multiply, Op,
    Reduce, Reduction, Reshape, ScaleShift, Select, Slice, Softmax,
};
use secant_core::penalty::NoPenalty;
use secant_core::problem::{Curvature, Linearization, Objective};
use secant_core::risk::Risk;
use serde_json::Value;

const FEATURES: usize = 3;
/// Rounding of some ten operations on numbers of size 1, relative to the largest entry.
const TOLERANCE: f64 = 1e-12;
/// The same for second derivatives.
const PRODUCT_TOLERANCE: f64 = 1e-10;

/// A graph being written; nodes without a name of interest are numbered.
struct Draft {
    builder: GraphBuilder,
    count: usize,
}

impl Draft {
    fn input(&self) -> NodeId {
        self.builder.input()
    }
    fn node(&mut self, op: impl Op + 'static, inputs: &[NodeId]) -> NodeId {
        self.count += 1;
        self.builder.node(&format!("n{}", self.count), op, inputs).unwrap()
    }
    fn dense(&mut self, outputs: usize) -> NodeId {
        let input = self.input();
        self.node(Dense::new(outputs), &[input])
    }
    fn shaped<const D: usize>(&mut self, extents: [usize; D]) -> NodeId {
        let flat = self.dense(extents.iter().product());
        self.node(Reshape::new(extents), &[flat])
    }
    fn square(&mut self, input: NodeId) -> NodeId {
        self.node(Multiply, &[input, input])
    }
    fn elementwise(&mut self, activation: Activation) -> NodeId {
        let h = self.dense(5);
        self.node(activation, &[h])
    }
    fn positive(&mut self, activation: Activation) -> NodeId {
        let h = self.elementwise(Activation::Softplus);
        self.node(activation, &[h])
    }
}

fn activation(name: &str) -> Option<Activation> {
    Some(match name {
        "identity" => Activation::Identity,
        "tanh" => Activation::Tanh,
        "relu" => Activation::Relu,
        "leaky_relu" => Activation::LeakyRelu { slope: 0.1 },
        "sigmoid" => Activation::Sigmoid,
        "softplus" => Activation::Softplus,
        "silu" => Activation::Silu,
        "gelu" => Activation::Gelu,
        "sine" => Activation::Sine,
        "exp" => Activation::Exp,
        "power 2" => Activation::Power { exponent: 2.0 },
        "power 3" => Activation::Power { exponent: 3.0 },
        _ => return None,
    })
}

fn positive_activation(name: &str) -> Option<Activation> {
    Some(match name {
        "log" => Activation::Log,
        "sqrt" => Activation::Sqrt,
        "power -2" => Activation::Power { exponent: -2.0 },
        "power 2.5" => Activation::Power { exponent: 2.5 },
        "power -1.5" => Activation::Power { exponent: -1.5 },
        _ => return None,
    })
}

fn reduction(name: &str) -> Option<Reduce> {
    let (kind, place) = name.split_once(' ')?;
    let reduction = serde_json::from_value::<Reduction>(kind.into()).ok()?;
    let axis = place.strip_prefix("along ").map(|axis| axis.parse().unwrap());
    Some(Reduce { reduction, axis })
}

/// The graph that a case's name stands for, as in the script.
fn graph(name: &str) -> Graph {
    let mut g = Draft { builder: Graph::builder(FEATURES), count: 0 };
    let output = if let Some(op) = activation(name) {
        g.elementwise(op)
    } else if let Some(op) = positive_activation(name) {
        g.positive(op)
    } else if let Some(op) = reduction(name) {
        let h = g.shaped([3, 4]);
        g.node(op, &[h])
    } else {
        other(&mut g, name)
    };
    g.builder.build(output).unwrap()
}

fn other(g: &mut Draft, name: &str) -> NodeId {
    let x = g.input();
    match name {
        "dense" | "dense without bias" => {
            let h = g.dense(4);
            let h = g.node(Activation::Tanh, &[h]);
            let op = Dense::new(2);
            g.node(if name == "dense" { op } else { op.without_bias() }, &[h])
        }
        "softmax" => {
            let h = g.dense(5);
            g.node(Softmax, &[h])
        }
        "add" => {
            let (a, b) = (g.dense(3), g.dense(3));
            g.node(Add, &[a, b, x])
        }
        "multiply" => {
            let (a, b) = (g.dense(4), g.dense(4));
            g.node(Multiply, &[a, b])
        }
        "square" => {
            let h = g.dense(4);
            g.square(h)
        }
        "concat" => {
            let a = g.dense(2);
            let (a, b) = (g.square(a), g.dense(3));
            g.node(Concat, &[a, x, b])
        }
        "slice" => {
            let h = g.shaped([3, 4]);
            let h = g.square(h);
            g.node(Slice::new(1..3).along(1), &[h])
        }
        "select" => {
            let h = g.shaped([3, 4]);
            let h = g.square(h);
            g.node(Select::new([2, 0, 2]), &[h])
        }
        "scale_shift per entry" => {
            let h = g.shaped([2, 3]);
            g.node(ScaleShift::per_entry(), &[h])
        }
        "scale_shift per channel" => {
            let h = g.shaped([2, 3]);
            g.node(ScaleShift::per_channel(), &[h])
        }
        "layer_norm" => {
            let h = g.shaped([2, 3]);
            g.node(LayerNorm::default(), &[h])
        }
        "layer_norm over 1" => {
            let h = g.shaped([3, 2]);
            g.node(LayerNorm::over(1), &[h])
        }
        "layer_norm without affine" => {
            let h = g.dense(6);
            g.node(LayerNorm::default().without_affine().with_epsilon(0.1), &[h])
        }
        "dropout" => {
            let h = g.dense(6);
            let h = g.square(h);
            // The mask goes by the name.
            g.builder.node("node", Dropout::new(0.4).with_seed(7), &[h]).unwrap()
        }
        "bilinear" => {
            let (a, b) = (g.dense(3), g.dense(4));
            g.node(Bilinear::new(2), &[a, b])
        }
        "embedding" => {
            let h = g.dense(2);
            let code = g.node(Slice::new(0..1), &[x]);
            let rows = g.node(Embedding::new(5, 2), &[code]);
            g.node(Multiply, &[h, rows])
        }
        "matmul 00" => matmul(g, [3, 2], [2, 4], [false, false]),
        "matmul 01" => matmul(g, [3, 2], [4, 2], [false, true]),
        "matmul 10" => matmul(g, [2, 3], [2, 4], [true, false]),
        "matmul 11" => matmul(g, [2, 3], [4, 2], [true, true]),
        _ => panic!("no graph for `{name}`"),
    }
}

fn matmul(g: &mut Draft, a: [usize; 2], b: [usize; 2], transpose: [bool; 2]) -> NodeId {
    let (a, b) = (g.shaped(a), g.shaped(b));
    g.node(MatMul { transpose }, &[a, b])
}

fn numbers(row: &Value, key: &str) -> Vec<f64> {
    row[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// max |a − b| / max |b|.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(0.0_f64, |size, b| size.max(b.abs()));
    let difference = a
        .iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0_f64, |d, e| if e.is_nan() { f64::INFINITY } else { d.max(e) });
    difference / largest
}

#[test]
fn every_node_agrees_with_jax() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../fixtures/nodes.json")).unwrap();
    assert!(cases.len() > 45);
    let mut worst = [0.0_f64; 3];
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let graph = graph(name);
        let (x, y) = (numbers(case, "x"), numbers(case, "y"));
        let data = Dataset::from_slices(FEATURES, &x, graph.outputs(), &y).unwrap();
        let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
        let (theta, v) = (numbers(case, "theta"), numbers(case, "v"));
        assert_eq!(theta.len(), risk.dim(), "{name}");

        let at = risk.linearize(&theta);
        let mut product = vec![0.0; risk.dim()];
        at.hessian_vector(&v, &mut product);
        // r = (z − y)/√N: the outputs as the training objective sees them, so with masks.
        let view = risk.least_squares().unwrap();
        let mut residuals = vec![0.0; y.len()];
        secant_core::problem::LeastSquares::residuals(&view, &theta, &mut residuals);
        let root = (data.samples() as f64).sqrt();
        let outputs: Vec<f64> = residuals.iter().zip(&y).map(|(r, y)| root * r + y).collect();

        let errors = [
            distance(&outputs, &numbers(case, "outputs"))
                .max(distance(&[at.value()], &[case["value"].as_f64().unwrap()])),
            distance(at.gradient(), &numbers(case, "gradient")),
            distance(&product, &numbers(case, "product")),
        ];
        for (error, tolerance) in errors.iter().zip([TOLERANCE, TOLERANCE, PRODUCT_TOLERANCE]) {
            assert!(*error <= tolerance, "{name}: {errors:?}");
        }
        worst.iter_mut().zip(errors).for_each(|(worst, error)| *worst = worst.max(error));
    }
    println!("largest errors of {} cases: {worst:?}", cases.len());
}
