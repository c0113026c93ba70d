//! Dense Hessians, whose columns are swept from the node of their parameter on, against products with the whole of the graph.

use faer::Mat;
use secant_core::data::{Dataset, SparseInputs, Standardizer, Targets};
use secant_core::graph::Graph;
use secant_core::loss::{Logistic, Loss, SoftmaxCrossEntropy, SquaredError};
use secant_core::network::Network;
use secant_core::op::{Activation, Add, Concat, Dense, Multiply, Polynomial};
use secant_core::penalty::Ridge;
use secant_core::problem::{Curvature, Linearization, Objective};
use secant_core::random::Random;
use secant_core::risk::Risk;

/// A few tiles, the last one short.
const N: usize = 333;

fn compare(graph: &Graph, loss: impl Loss + 'static, classes: bool, what: &str) {
    let mut random = Random::new(4);
    let mut normals = |count: usize| -> Vec<f64> { (0..count).map(|_| random.normal()).collect() };
    let (d, c) = (graph.features(), graph.outputs());
    let inputs = normals(d * N);
    let targets = if classes {
        let labels = (0..N).map(|i| u32::try_from((i * i + i / 5) % c).unwrap()).collect();
        Targets::Labels { classes: c, labels }
    } else {
        Targets::Values { rows: c, values: normals(c * N) }
    };
    let data = Dataset::new(d, inputs, targets).unwrap();
    let risk = Risk::new(graph, &data, loss, Ridge(0.1)).unwrap();
    let n = graph.parameters().dim();
    let at = risk.linearize(&normals(n));
    let mut found = Mat::zeros(n, n);
    at.hessian(found.as_mut());
    let (mut unit, mut column) = (vec![0.0; n], vec![0.0; n]);
    let largest = (0..n).map(|j| found[(j, j)].abs()).fold(0.0, f64::max);
    for j in 0..n {
        unit[j] = 1.0;
        at.hessian_vector(&unit, &mut column);
        unit[j] = 0.0;
        for (i, exact) in column.iter().enumerate() {
            let (entry, mirrored) = (found[(i, j)], found[(j, i)]);
            assert_eq!(entry.to_bits(), mirrored.to_bits(), "{what}: {i}, {j}");
            let near = 1e-12 * largest.max(1.0);
            assert!((entry - exact).abs() <= near, "{what}: {i}, {j}: {entry} for {exact}");
        }
    }
}

#[test]
fn networks_in_layers() {
    for widths in [vec![3, 5, 1], vec![2, 9, 4, 6, 1], vec![1, 12, 10, 3]] {
        let network = Network::mlp(widths.clone(), Activation::Tanh);
        compare(network.graph().unwrap(), SquaredError, false, &format!("{widths:?}"));
    }
    let network = Network::mlp([4, 7, 5, 3], Activation::Gelu);
    compare(network.graph().unwrap(), SoftmaxCrossEntropy, true, "classes");
}

/// Branches that join late, blocks that belong to an early and a late node, a feature map that moves nothing, a node that is read twice.
#[test]
fn branches_and_blocks_of_several_nodes() {
    let mut g = Graph::builder(3);
    let x = g.input();
    let map = g.node("map", Polynomial::new(2), &[x]).unwrap();
    let early = g.node("early", Dense::new(3), &[x]).unwrap();
    let bent = g.node("bent", Activation::Tanh, &[early]).unwrap();
    let side = g.node("side", Dense::new(3), &[map]).unwrap();
    let gate = g.node("gate", Activation::Sigmoid, &[side]).unwrap();
    let mixed = g.node("mixed", Multiply, &[bent, gate]).unwrap();
    let late =
        g.node_sharing("late", Dense::new(3), &[mixed], &["early.weight", "early.bias"]).unwrap();
    let square = g.node("square", Multiply, &[late, late]).unwrap();
    let sum = g.node("sum", Add, &[square, bent]).unwrap();
    let all = g.node("all", Concat, &[sum, gate, x]).unwrap();
    let y = g.node("y", Dense::new(2).without_bias(), &[all]).unwrap();
    let graph = g.build(y).unwrap();
    compare(&graph, SquaredError, false, "wired");
    compare(&graph, SoftmaxCrossEntropy, true, "wired, of classes");
}

/// The scores of an evaluation serve the Hessian at its θ, and at no other: the bits are those of a risk that was never asked before.
#[test]
fn hessians_after_gradients() {
    let mut random = Random::new(11);
    let (d, samples) = (7, 2_500);
    let numbers: Vec<f64> = (0..d * samples).map(|_| random.normal()).collect();
    let labels = |c: u32| Targets::Labels {
        classes: c as usize,
        labels: (0..2_500).map(|i| (i * i + i / 5) % c).collect(),
    };
    let weights: Vec<f64> = (0..samples).map(|_| random.uniform()).collect();
    let offset: Vec<f64> = (0..samples).map(|_| random.normal()).collect();
    let dense = Dataset::new(d, numbers.clone(), labels(2)).unwrap();
    let weighted = dense.clone().with_weights(weights).unwrap().with_offset(offset).unwrap();
    let large: Vec<usize> = (0..d * samples).filter(|entry| numbers[*entry] > 0.8).collect();
    let [rows, columns] =
        [|entry| entry / 7, |entry| entry % 7].map(|place: fn(usize) -> usize| {
            large.iter().map(|entry| place(*entry)).collect::<Vec<_>>()
        });
    let values: Vec<f64> = large.iter().map(|entry| numbers[*entry]).collect();
    let entries = SparseInputs::from_triples(d, samples, &rows, &columns, &values).unwrap();
    let sparse = Dataset::from_sparse(entries, labels(2)).unwrap();
    let centred = Standardizer::fit_inputs(&sparse).transform_inputs(&sparse).unwrap();
    let classes = Dataset::new(d, numbers, labels(3)).unwrap();
    let sets = [(dense, 1), (weighted, 1), (sparse, 1), (centred, 1), (classes, 3)];
    for (set, (data, c)) in sets.iter().enumerate() {
        let network = Network::linear(d, *c);
        let graph = network.graph().unwrap();
        let risk = || -> Risk<'_> {
            if *c == 1 {
                Risk::new(graph, data, Logistic, Ridge(0.1)).unwrap()
            } else {
                Risk::new(graph, data, SoftmaxCrossEntropy, Ridge(0.1)).unwrap()
            }
        };
        let n = graph.parameters().dim();
        let [one, other] = [0.3, -0.2].map(|by| (0..n).map(|j| by * (j as f64).cos()).collect());
        let hessian = |risk: &Risk<'_>, theta: &Vec<f64>| {
            let mut out = Mat::zeros(n, n);
            risk.hessian_at(theta, out.as_mut());
            out
        };
        let expected = [&one, &other].map(|theta| hessian(&risk(), theta));
        let risk = risk();
        let mut gradient = vec![0.0; n];
        assert_eq!(hessian(&risk, &one), expected[0], "set {set}, before");
        for (theta, at) in [(&one, 0), (&other, 1), (&one, 1), (&one, 0)] {
            risk.value_gradient(theta, &mut gradient);
            let asked = [&one, &other][at];
            assert_eq!(hessian(&risk, asked), expected[at], "set {set}, {at}");
            assert_eq!(hessian(&risk, asked), expected[at], "set {set}, {at} again");
        }
    }
}
