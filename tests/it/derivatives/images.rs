//! Convolutional networks through the whole check: the inception block of GoogLeNet (Szegedy et al. 2015, figure 2b) with a classifier.

use super::support::{assert_passed, labels, normals, numbers};
use secant::check;
use secant::graph::{Graph, GraphBuilder, NodeId};
use secant::loss::{SoftmaxCrossEntropy, SquaredError};
use secant::op::{
    Activation, AvgPool1d, AvgPool2d, Concat, Conv1d, Conv2d, Dense, GlobalAvgPool, MaxPool2d,
};
use secant::penalty::{NoPenalty, Ridge};
use secant::risk::Risk;

/// A convolution and its activation.
fn conv(g: &mut GraphBuilder, name: &str, op: Conv2d, activation: Activation, x: NodeId) -> NodeId {
    let h = g.node(name, op, &[x]).unwrap();
    g.node(&format!("{name} active"), activation, &[h]).unwrap()
}

/// A stem, four branches (1×1; 1×1 and 3×3; 1×1 and 5×5; a pool and 1×1), their channels joined, and a classifier of three classes.
fn inception(activation: Activation, largest: bool) -> Graph {
    let mut g = Graph::builder([8, 7, 2]);
    let x = g.input();
    let stem = Conv2d::new(3, [3, 3]).with_padding([1, 1]).with_stride([2, 1]);
    let stem = conv(&mut g, "stem", stem, activation, x);
    let one = conv(&mut g, "one", Conv2d::new(2, [1, 1]), activation, stem);
    let three = conv(&mut g, "reduce three", Conv2d::new(2, [1, 1]), activation, stem);
    let kernel = Conv2d::new(2, [3, 3]).with_padding([1, 1]);
    let three = conv(&mut g, "three", kernel, activation, three);
    let five = conv(&mut g, "reduce five", Conv2d::new(1, [1, 1]), activation, stem);
    let five = conv(&mut g, "five", Conv2d::new(2, [5, 5]).with_padding([2, 2]), activation, five);
    let pool = if largest {
        let pool = MaxPool2d::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]);
        g.node("pool", pool, &[stem]).unwrap()
    } else {
        let pool = AvgPool2d::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]);
        g.node("pool", pool, &[stem]).unwrap()
    };
    let pool = conv(&mut g, "after pool", Conv2d::new(2, [1, 1]), activation, pool);
    let joined = g.node("joined", Concat, &[one, three, five, pool]).unwrap();
    assert_eq!(g.shape(joined).unwrap().extents(), [4, 7, 8]);
    let means = g.node("means", GlobalAvgPool, &[joined]).unwrap();
    let y = g.node("scores", Dense::new(3), &[means]).unwrap();
    g.build(y).unwrap()
}

/// Small weights, so that no unit is saturated.
fn start(n: usize, seed: u64) -> Vec<f64> {
    normals(n, seed).iter().map(|x| 0.5 * x).collect()
}

#[test]
fn a_smooth_inception_block_with_a_classifier() {
    for (activation, samples) in [(Activation::Tanh, 41), (Activation::Silu, 5)] {
        let graph = inception(activation, false);
        let theta = start(graph.parameters().dim(), 1);
        let data = labels(graph.features(), 3, samples, 2);
        let risk = Risk::new(&graph, &data, SoftmaxCrossEntropy, Ridge(0.1)).unwrap();
        assert!(samples < 10 || risk.tile_samples() < samples, "one tile only");
        assert_passed(&check::curvature(&risk, &theta, 3), &format!("{activation:?}"));
        let data = numbers(graph.features(), 3, samples, 4);
        let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
        assert_passed(&check::curvature(&risk, &theta, 5), "squared");
        let problem = risk.least_squares().unwrap();
        assert_passed(&check::least_squares(&problem, &theta, 6), "residuals");
    }
}

/// Rectifiers and maxima, at a point whose kinks and ties no step of the check reaches.
#[test]
fn an_inception_block_of_rectifiers_and_maxima() {
    let graph = inception(Activation::Relu, true);
    let theta = start(graph.parameters().dim(), 24);
    let data = labels(graph.features(), 3, 3, 25);
    let risk = Risk::new(&graph, &data, SoftmaxCrossEntropy, Ridge(0.1)).unwrap();
    assert_passed(&check::curvature(&risk, &theta, 26), "rectifiers");
}

#[test]
fn a_network_on_sequences() {
    let mut g = Graph::builder([11, 2]);
    let conv = Conv1d::new(4, [3]).with_padding([1]).with_groups(2);
    let h = g.node("conv", conv, &[g.input()]).unwrap();
    let h = g.node("tanh", Activation::Tanh, &[h]).unwrap();
    let h = g.node("pool", AvgPool1d::new([2]), &[h]).unwrap();
    let h = g.node("dilated", Conv1d::new(2, [2]).with_dilation([2]), &[h]).unwrap();
    let h = g.node("softplus", Activation::Softplus, &[h]).unwrap();
    let y = g.node("y", Dense::new(1), &[h]).unwrap();
    let graph = g.build(y).unwrap();
    let theta = start(graph.parameters().dim(), 10);
    let data = numbers(22, 1, 300, 11);
    let risk = Risk::new(&graph, &data, SquaredError, Ridge(0.1)).unwrap();
    assert!(risk.tile_samples() < 300);
    assert_passed(&check::curvature(&risk, &theta, 12), "sequences");
    assert_passed(&check::least_squares(&risk.least_squares().unwrap(), &theta, 13), "residuals");
}
