//! Graphs drawn at random, of all nodes that there are.

use secant::Formula;
use secant::core::random::Random;
use secant::core::shape::Shape;
use secant::formula::FormulaOp;
use secant::graph::{Graph, GraphBuilder, GraphError, NodeId};
use secant::op::{
    Activation, Add, AvgPool1d, AvgPool2d, Bilinear, Concat, Conv1d, Conv2d, Dense, Dropout,
    Embedding, Flatten, GlobalAvgPool, Kernel, LayerNorm, MatMul, MaxPool1d, MaxPool2d, Multiply,
    Nystrom, Per, Polynomial, RadialBasis, RandomFourier, Reduce, Reduction, Reshape, ScaleShift,
    Select, Slice, Softmax,
};
use std::collections::BTreeSet;

pub fn normals(random: &mut Random, count: usize) -> Vec<f64> {
    (0..count).map(|_| random.normal()).collect()
}

/// The names of a graph's ops.
pub fn op_names(graph: &Graph) -> BTreeSet<String> {
    graph.nodes().iter().map(|node| node.op().name()).collect()
}

/// Adds a node of one of the 46 kinds to `last`, and to `other` where it takes two. It need not fit.
fn add(
    g: &mut GraphBuilder,
    random: &mut Random,
    (name, kind): (&str, usize),
    last: NodeId,
    other: NodeId,
) -> Result<NodeId, GraphError> {
    let shape = g.shape(last).unwrap().clone();
    let d = shape.len();
    let number = random.normal();
    let points = normals(random, 3 * d);
    let any = 1 + random.below(3);
    let gaussian = Kernel::Gaussian { width: 1.0 + number.abs() };
    let polynomial = Kernel::Polynomial { degree: 2, scale: 0.1, offset: 1.0 };
    let axis = random.below(shape.extents().len());
    match kind {
        0 => g.node(name, Dense::new(any), &[last]),
        1 => g.node(name, Dense::new(any).without_bias(), &[last]),
        2 => g.node(name, Activation::Identity, &[last]),
        3 => g.node(name, Activation::Tanh, &[last]),
        4 => g.node(name, Activation::Relu, &[last]),
        5 => g.node(name, Activation::LeakyRelu { slope: number }, &[last]),
        6 => g.node(name, Activation::Sigmoid, &[last]),
        7 => g.node(name, Activation::Softplus, &[last]),
        8 => g.node(name, Activation::Silu, &[last]),
        9 => g.node(name, Activation::Gelu, &[last]),
        10 => g.node(name, Activation::Sine, &[last]),
        11 => g.node(name, Activation::Exp, &[last]),
        12 => g.node(name, Activation::Log, &[last]),
        13 => g.node(name, Activation::Sqrt, &[last]),
        14 => g.node(name, Activation::Power { exponent: number }, &[last]),
        15 => g.node(name, Add, &[last, other]),
        16 => g.node(name, Multiply, &[last, other]),
        17 => g.node(name, Concat, &[last, other]),
        18 => g.node(name, Softmax, &[last]),
        19 => g.node(name, MatMul { transpose: [any == 1, any == 2] }, &[last, other]),
        20 => g.node(name, Bilinear::new(any), &[last, other]),
        21 => g.node(name, Embedding::new(3, any), &[last]),
        22 => g.node(name, Conv1d::new(any, [2]).with_padding([1]), &[last]),
        23 => g.node(name, Conv2d::new(2, [2, 1]).with_stride([1, 2]).without_bias(), &[last]),
        24 => g.node(name, AvgPool1d::new([2]), &[last]),
        25 => g.node(
            name,
            AvgPool2d::new([2, 2]).with_padding([1, 0]).without_padding_counted(),
            &[last],
        ),
        26 => g.node(name, MaxPool1d::new([2]).with_stride([1]), &[last]),
        27 => g.node(name, MaxPool2d::new([1, 2]), &[last]),
        28 => g.node(name, GlobalAvgPool, &[last]),
        29 => g.node(name, Reshape::new([1, d]), &[last]),
        30 => g.node(name, Flatten, &[last]),
        31 => g.node(name, Slice::new(0..any).along(axis), &[last]),
        32 => g.node(name, Select::new([0, any - 1]).along(axis), &[last]),
        33 => g.node(name, Reduce::all(Reduction::Sum), &[last]),
        34 => g.node(name, Reduce::along(Reduction::Mean, axis), &[last]),
        35 => g.node(name, Reduce::along(Reduction::SquaredNorm, axis), &[last]),
        36 => g.node(name, Reduce::all(Reduction::LogSumExp), &[last]),
        37 => g.node(
            name,
            ScaleShift { per: if any == 1 { Per::Channel } else { Per::Entry } },
            &[last],
        ),
        38 => g.node(name, LayerNorm::default(), &[last]),
        39 => g.node(name, Dropout::new(0.3), &[last]),
        40 => g.node(name, Polynomial::new(2).with_constant(), &[last]),
        41 => g.node(name, RadialBasis::new(d, &points, 1.0 + number.abs()).unwrap(), &[last]),
        42 => g.node(name, RandomFourier::new(d, any, 1.0 + number.abs(), 7).unwrap(), &[last]),
        43 => g.node(name, Nystrom::new(d, &points, gaussian).unwrap(), &[last]),
        44 => {
            let map = Nystrom::new(d, &points, polynomial).unwrap();
            g.node(name, map.with_cutoff(1e-6).unwrap(), &[last])
        }
        _ => {
            let names: Vec<String> = (0..d).map(|i| format!("x{i}")).collect();
            let text = format!("a*exp(-(b*x0)^2) + if(x{} > {number}, c, tanh(x0))", d - 1);
            g.node(name, FormulaOp::new(Formula::new(&text, &names).unwrap()), &[last])
        }
    }
}

/// A chain of `steps` nodes at least, some of two inputs; then what makes two numbers of the last value.
pub fn drawn(seed: u64, steps: usize) -> Graph {
    let mut random = Random::new(seed);
    let inputs = [Shape::vector(3), Shape::new([4, 2]), Shape::new([3, 4, 2])];
    let mut g = Graph::builder(inputs[random.below(inputs.len())].clone());
    let mut values: Vec<NodeId> = vec![g.input()];
    for step in 0..steps {
        let last = values[values.len() - 1];
        let shape = g.shape(last).unwrap().clone();
        let kind = kind(seed, step);
        // Categories are those of the data; polynomials of many entries are many.
        if kind == 21 && values.len() > 1 || shape.len() > 24 && [17, 40].contains(&kind) {
            continue;
        }
        let other = values[random.below(values.len())];
        let other = if g.shape(other) == Some(&shape) { other } else { last };
        let name = format!("{}{step}", ["n", "µ.", "a b ", "\"q\\"][random.below(4)]);
        // What does not fit is left out.
        values.extend(add(&mut g, &mut random, (&name, kind), last, other));
    }
    let flat = g.node("flat", Flatten, &[values[values.len() - 1]]).unwrap();
    let y = g.node("y", Dense::new(2), &[flat]).unwrap();
    g.build(y).unwrap()
}

/// Kinds in turn, from a place that the seed gives, so that few graphs have them all.
fn kind(seed: u64, step: usize) -> usize {
    let start = usize::try_from(seed % 46).unwrap();
    (start + 7 * step) % 46
}
