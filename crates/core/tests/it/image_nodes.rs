//! Convolutions, pools and joined channels: against differences and dense second derivatives, against their definitions written as loops,
//! and what they refuse.

use proptest::prelude::*;
use secant_core::check;
use secant_core::graph::{Graph, GraphError};
use secant_core::init::Init;
use secant_core::op::{
    AvgPool1d, AvgPool2d, Concat, Conv1d, Conv2d, Dense, GlobalAvgPool, MaxPool1d, MaxPool2d, Op,
};
use secant_core::predict::outputs;
use secant_core::random::Random;
use secant_core::shape::{Shape, ShapeError};

/// Every check of a node, from several seeds.
fn assert_node(op: &dyn Op, shapes: &[Shape]) {
    for seed in 1..=3 {
        let checks = check::op(op, shapes, seed).unwrap();
        assert!(checks.passed(), "{op:?} on {shapes:?}, seed {seed}\n{checks}");
    }
}

fn image(extents: [usize; 3]) -> [Shape; 1] {
    [Shape::new(extents)]
}

fn sequence(extents: [usize; 2]) -> [Shape; 1] {
    [Shape::new(extents)]
}

fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normal()).collect()
}

#[test]
fn convolutions_of_images() {
    assert_node(&Conv2d::new(1, [1, 1]), &image([1, 1, 1]));
    assert_node(&Conv2d::new(3, [1, 1]), &image([4, 3, 2]));
    assert_node(&Conv2d::new(2, [3, 3]), &image([5, 4, 2]));
    assert_node(&Conv2d::new(2, [3, 3]).without_bias(), &image([3, 3, 1]));
    // Of the width of the input: a column of patches is a shifted channel.
    assert_node(&Conv2d::new(2, [3, 3]).with_padding([1, 1]), &image([4, 5, 2]));
    assert_node(&Conv2d::new(2, [5, 3]).with_padding([2, 0]), &image([4, 5, 2]));
    assert_node(
        &Conv2d::new(1, [3, 2]).with_padding([2, 1]).with_dilation([2, 1]),
        &image([3, 3, 1]),
    );
    assert_node(
        &Conv2d::new(2, [2, 3]).with_stride([2, 1]).with_padding([1, 2]),
        &image([5, 4, 2]),
    );
    assert_node(&Conv2d::new(2, [1, 1]).with_stride([2, 2]), &image([5, 4, 2]));
    assert_node(
        &Conv2d::new(2, [2, 2]).with_stride([3, 2]).with_dilation([2, 3]),
        &image([6, 7, 1]),
    );
    // More padding than kernel: windows that miss the input.
    assert_node(&Conv2d::new(2, [2, 1]).with_padding([3, 2]), &image([2, 2, 1]));
    // Taps that miss the input everywhere.
    assert_node(&Conv2d::new(1, [5, 5]).with_padding([2, 2]), &image([1, 2, 1]));
}

#[test]
fn grouped_convolutions() {
    assert_node(&Conv2d::new(4, [2, 2]).with_groups(2), &image([3, 3, 4]));
    assert_node(&Conv2d::new(3, [3, 3]).with_groups(3).with_padding([1, 1]), &image([3, 4, 3]));
    // Depthwise, two kernels for a channel.
    assert_node(&Conv2d::new(6, [3, 1]).with_groups(3).with_stride([2, 1]), &image([5, 2, 3]));
    assert_node(&Conv2d::new(4, [1, 1]).with_groups(2), &image([3, 2, 2]));
}

#[test]
fn convolutions_of_sequences() {
    assert_node(&Conv1d::new(3, [1]), &sequence([5, 2]));
    assert_node(&Conv1d::new(2, [3]), &sequence([7, 2]));
    assert_node(&Conv1d::new(2, [3]).with_padding([1]), &sequence([7, 2]));
    assert_node(&Conv1d::new(2, [4]).with_stride([3]).with_padding([2]), &sequence([8, 1]));
    assert_node(&Conv1d::new(4, [2]).with_dilation([3]).with_groups(2), &sequence([7, 2]));
}

/// Patches of more bytes than are formed at once: the output is done in strips.
#[test]
fn long_sequences_and_large_images_are_done_in_strips() {
    let op = Conv1d::new(2, [3]).with_padding([1]);
    assert_against_loops_1d(&op, [20_000, 2], 2, 3, 1, 1, 1);
    let op = Conv1d::new(2, [3]).with_stride([2]);
    assert_against_loops_1d(&op, [40_000, 2], 2, 3, 2, 0, 1);
    let options = Options { kernel: [3, 3], padding: [1, 1], ..Options::default() };
    options.assert_against_loops([90, 70, 3], 2);
    Options { stride: [2, 2], kernel: [5, 5], ..options }.assert_against_loops([180, 90, 2], 2);
}

fn assert_against_loops_1d(
    op: &Conv1d,
    [length, inputs]: [usize; 2],
    channels: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
) {
    let options = Options {
        kernel: [kernel, 1],
        stride: [stride, 1],
        padding: [padding, 0],
        dilation: [dilation, 1],
        groups: 1,
    };
    let (mut g, mut h) = (Graph::builder([length, inputs]), Graph::builder([length, 1, inputs]));
    let z = g.node("conv", *op, &[g.input()]).unwrap();
    let y = h.node("conv", options.conv(channels), &[h.input()]).unwrap();
    let (g, h) = (g.build(z).unwrap(), h.build(y).unwrap());
    let (theta, x) = (normals(g.parameters().dim(), 1), normals(length * inputs, 2));
    let found = outputs(&g, &theta, &x).unwrap();
    let error = check::distance(&found, &outputs(&h, &theta, &x).unwrap());
    assert!(error < 1e-14, "{op:?}: {error:e}");
    let error = check::distance(&found, &options.loops(&x, [length, 1, inputs], &theta, channels));
    assert!(error < 1e-14, "{op:?}: {error:e}");
}

#[derive(Clone, Copy, Debug)]
struct Options {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }
    }
}

impl Options {
    fn conv(&self, channels: usize) -> Conv2d {
        Conv2d::new(channels, self.kernel)
            .with_stride(self.stride)
            .with_padding(self.padding)
            .with_dilation(self.dilation)
            .with_groups(self.groups)
    }

    /// The convolution by its definition, one sample.
    fn loops(&self, x: &[f64], input: [usize; 3], theta: &[f64], channels: usize) -> Vec<f64> {
        let [width, height, inputs] = input;
        let size = |axis: usize| {
            let span = (self.kernel[axis] - 1) * self.dilation[axis] + 1;
            (input[axis] + 2 * self.padding[axis] - span) / self.stride[axis] + 1
        };
        let (columns, rows) = (size(0), size(1));
        let own = inputs / self.groups;
        let taps = self.kernel[0] * self.kernel[1];
        let (weight, bias) = theta.split_at(channels * own * taps);
        let mut z = Vec::new();
        for c in 0..channels {
            let group = c / (channels / self.groups);
            for row in 0..rows {
                for column in 0..columns {
                    let mut sum = bias[c];
                    for k in 0..own {
                        for v in 0..self.kernel[1] {
                            for u in 0..self.kernel[0] {
                                let i = column * self.stride[0] + u * self.dilation[0];
                                let j = row * self.stride[1] + v * self.dilation[1];
                                let on = |at: usize, axis: usize| {
                                    at >= self.padding[axis]
                                        && at - self.padding[axis] < input[axis]
                                };
                                if on(i, 0) && on(j, 1) {
                                    let (i, j) = (i - self.padding[0], j - self.padding[1]);
                                    let channel = group * own + k;
                                    let tap = (k * self.kernel[1] + v) * self.kernel[0] + u;
                                    sum += weight[c * own * taps + tap]
                                        * x[(channel * height + j) * width + i];
                                }
                            }
                        }
                    }
                    z.push(sum);
                }
            }
        }
        z
    }

    fn assert_against_loops(&self, input: [usize; 3], channels: usize) {
        let mut g = Graph::builder(input);
        let z = g.node("conv", self.conv(channels), &[g.input()]).unwrap();
        let g = g.build(z).unwrap();
        let samples = 2;
        let x = normals(g.features() * samples, 3);
        let theta = normals(g.parameters().dim(), 4);
        let expected: Vec<f64> = x
            .chunks_exact(g.features())
            .flat_map(|x| self.loops(x, input, &theta, channels))
            .collect();
        let error = check::distance(&outputs(&g, &theta, &x).unwrap(), &expected);
        assert!(error < 1e-13, "{self:?} on {input:?}: {error:e}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn convolutions_are_their_definition(
        input in prop::array::uniform2(1_usize..9),
        kernel in prop::array::uniform2(1_usize..5),
        stride in prop::array::uniform2(1_usize..4),
        padding in prop::array::uniform2(0_usize..4),
        dilation in prop::array::uniform2(1_usize..3),
        groups in 1_usize..4,
        own in 1_usize..3,
        kernels in 1_usize..3,
    ) {
        let options = Options { kernel, stride, padding, dilation, groups };
        let shape = Shape::new([input[0], input[1], own * groups]);
        let op = options.conv(kernels * groups);
        if op.output_shape(std::slice::from_ref(&shape)).is_err() {
            return Ok(());
        }
        options.assert_against_loops([input[0], input[1], own * groups], kernels * groups);
        let checks = check::op(&op, &[shape], 1).unwrap();
        prop_assert!(checks.passed(), "{:?} on {:?}\n{}", op, input, checks);
    }

    #[test]
    fn pools_have_exact_derivatives(
        input in prop::array::uniform2(1_usize..8),
        kernel in prop::array::uniform2(1_usize..4),
        stride in prop::array::uniform2(1_usize..4),
        padding in prop::array::uniform2(0_usize..2),
        dilation in prop::array::uniform2(1_usize..3),
        channels in 1_usize..3,
    ) {
        let shape = [Shape::new([input[0], input[1], channels])];
        let average = AvgPool2d::new(kernel).with_stride(stride).with_padding(padding);
        let largest =
            MaxPool2d::new(kernel).with_stride(stride).with_padding(padding).with_dilation(dilation);
        for op in [&average as &dyn Op, &average.without_padding_counted(), &largest] {
            if op.output_shape(&shape).is_ok() {
                let checks = check::op(op, &shape, 2).unwrap();
                prop_assert!(checks.passed(), "{:?} on {:?}\n{}", op, input, checks);
            }
        }
    }

    /// Whatever the options: an error or a shape, no panic.
    #[test]
    fn absurd_options_are_refused_and_never_panic(
        input in prop::array::uniform3(prop_oneof![0_usize..4, Just(usize::MAX), any::<usize>()]),
        options in prop::array::uniform8(prop_oneof![0_usize..4, Just(usize::MAX), any::<usize>()]),
        channels in prop_oneof![0_usize..4, Just(usize::MAX)],
        groups in prop_oneof![0_usize..4, Just(usize::MAX)],
    ) {
        let [a, b, c, d, e, f, h, i] = options;
        let conv = Conv2d::new(channels, [a, b])
            .with_stride([c, d])
            .with_padding([e, f])
            .with_dilation([h, i])
            .with_groups(groups);
        let mut g = Graph::builder(input);
        let x = g.input();
        if let Ok(node) = g.node("conv", conv, &[x]) {
            prop_assert!(g.shape(node).is_some_and(|shape| !shape.is_empty()));
        }
        let average = AvgPool2d::new([a, b]).with_stride([c, d]).with_padding([e, f]);
        if let Ok(node) = g.node("average", average, &[x]) {
            prop_assert!(g.shape(node).is_some_and(|shape| !shape.is_empty()));
        }
        let largest =
            MaxPool2d::new([a, b]).with_stride([c, d]).with_padding([e, f]).with_dilation([h, i]);
        if let Ok(node) = g.node("largest", largest, &[x]) {
            prop_assert!(g.shape(node).is_some_and(|shape| !shape.is_empty()));
        }
    }
}

#[test]
fn average_pools() {
    assert_node(&AvgPool2d::new([2, 2]), &image([4, 5, 2]));
    assert_node(
        &AvgPool2d::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]),
        &image([4, 3, 2]),
    );
    let partial = AvgPool2d::new([3, 2]).with_stride([2, 1]).with_padding([1, 1]);
    assert_node(&partial, &image([5, 4, 1]));
    assert_node(&partial.without_padding_counted(), &image([5, 4, 1]));
    assert_node(&AvgPool1d::new([3]).with_stride([2]).with_padding([1]), &sequence([8, 2]));
    assert_node(&GlobalAvgPool, &image([3, 4, 2]));
    assert_node(&GlobalAvgPool, &sequence([5, 3]));
    assert_node(&GlobalAvgPool, &[Shape::new([2, 2, 2, 3])]);
}

#[test]
fn max_pools() {
    assert_node(&MaxPool2d::new([2, 2]), &image([4, 5, 2]));
    assert_node(
        &MaxPool2d::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]),
        &image([4, 3, 2]),
    );
    assert_node(
        &MaxPool2d::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]),
        &image([7, 6, 2]),
    );
    assert_node(&MaxPool2d::new([2, 2]).with_dilation([2, 3]), &image([5, 6, 1]));
    assert_node(&MaxPool1d::new([3]).with_stride([2]).with_padding([1]), &sequence([8, 2]));
}

/// The value of `op` on one image of one channel.
fn apply(op: impl Op + 'static, extents: [usize; 3], x: &[f64]) -> Vec<f64> {
    // A constant in front, so that the graph has a parameter: it is added, and is zero.
    let mut g = Graph::builder(extents);
    let node = g.node("op", op, &[g.input()]).unwrap();
    let rows = g.shape(node).unwrap().len();
    let identity = g.node("identity", Dense::new(rows).without_bias(), &[node]).unwrap();
    let g = g.build(identity).unwrap();
    let theta: Vec<f64> =
        (0..rows * rows).map(|i| if i / rows == i % rows { 1.0 } else { 0.0 }).collect();
    outputs(&g, &theta, x).unwrap()
}

#[test]
fn pools_take_means_and_maxima() {
    let x: Vec<f64> = (0..12).map(f64::from).collect();
    // Rows 0 1 2 3, 4 5 6 7, 8 9 10 11.
    assert_eq!(apply(MaxPool2d::new([2, 2]), [4, 3, 1], &x), [5.0, 7.0]);
    assert_eq!(apply(AvgPool2d::new([2, 2]), [4, 3, 1], &x), [2.5, 4.5]);
    let padded = AvgPool2d::new([2, 2]).with_padding([1, 1]);
    assert_eq!(apply(padded, [4, 3, 1], &x), [0.0, 0.75, 0.75, 3.0, 7.5, 4.5]);
    let alone = padded.without_padding_counted();
    assert_eq!(apply(alone, [4, 3, 1], &x), [0.0, 1.5, 3.0, 6.0, 7.5, 9.0]);
    let negative: Vec<f64> = x.iter().map(|x| x - 20.0).collect();
    let padded = MaxPool2d::new([2, 2]).with_padding([1, 1]);
    assert_eq!(apply(padded, [4, 3, 1], &negative), [-20.0, -18.0, -17.0, -12.0, -10.0, -9.0]);
    assert_eq!(apply(GlobalAvgPool, [2, 2, 3], &x), [1.5, 5.5, 9.5]);
}

#[test]
fn the_first_of_equals_wins_in_all_sweeps() {
    use secant_core::data::Dataset;
    use secant_core::loss::SquaredError;
    use secant_core::penalty::NoPenalty;
    use secant_core::problem::{Curvature, Linearization, Objective};
    use secant_core::risk::Risk;
    let mut g = Graph::builder([3, 1]);
    let sums = g.node("sums", Conv1d::new(1, [2]).without_bias(), &[g.input()]).unwrap();
    let pooled = g.node("pooled", MaxPool1d::new([2]), &[sums]).unwrap();
    let g = g.build(pooled).unwrap();
    // w₁ + 3w₂ and 3w₁ + w₂ are equal at w = 1: the first one wins, z = 4 and ∇z = (1, 3), not (3, 1) and not their sum.
    let data = Dataset::from_slices(3, &[1.0, 3.0, 1.0], 1, &[0.0]).unwrap();
    let risk = Risk::new(&g, &data, SquaredError, NoPenalty).unwrap();
    let (w, mut gradient, mut product) = ([1.0, 1.0], [0.0; 2], [0.0; 2]);
    assert_eq!(risk.value_gradient(&w, &mut gradient), 8.0);
    assert_eq!(gradient, [4.0, 12.0]);
    risk.linearize(&w).hessian_vector(&[1.0, 0.0], &mut product);
    assert_eq!(product, [1.0, 3.0]);
}

#[test]
fn channels_are_joined_and_vectors_too() {
    for parts in [vec![[3, 2, 1], [3, 2, 2]], vec![[1, 1, 4]], vec![[2, 2, 1]; 5]] {
        let shapes: Vec<Shape> = parts.iter().map(|&extents| Shape::new(extents)).collect();
        assert_node(&Concat, &shapes);
        let channels = parts.iter().map(|extents| extents[2]).sum();
        let expected = Shape::new([parts[0][0], parts[0][1], channels]);
        assert_eq!(Concat.output_shape(&shapes), Ok(expected));
    }
    let join = |shapes: &[Shape]| Concat.output_shape(shapes);
    assert_eq!(join(&[Shape::new([5, 2]), Shape::new([5, 3])]), Ok(Shape::new([5, 5])));
    // A vector among them: all are flattened.
    assert_eq!(join(&[Shape::new([5, 2]), Shape::vector(3)]), Ok(Shape::vector(13)));
    assert_eq!(join(&[Shape::new([5, 2]), Shape::new([5, 1, 3])]), Ok(Shape::vector(25)));
    let clash = join(&[Shape::new([5, 4, 2]), Shape::new([5, 3, 2])]).unwrap_err();
    assert!(matches!(clash, ShapeError::Unjoinable { index: 1, .. }));
    assert!(clash.to_string().contains("5×4×2") && clash.to_string().contains("5×3×2"));
}

#[test]
fn bad_options_are_refused_with_their_values() {
    let refused = |op: &dyn Op, extents: [usize; 3]| -> String {
        op.output_shape(&image(extents)).unwrap_err().to_string()
    };
    let contains = |message: String, parts: &[&str]| {
        assert!(parts.iter().all(|part| message.contains(part)), "{message}: {parts:?}");
    };
    let conv = Conv2d::new(4, [3, 3]);
    contains(refused(&conv.with_stride([1, 0]), [5, 5, 2]), &["stride = 0", "1"]);
    contains(refused(&conv.with_dilation([0, 1]), [5, 5, 2]), &["dilation = 0"]);
    contains(refused(&Conv2d::new(4, [0, 1]), [5, 5, 2]), &["kernel = 0"]);
    contains(refused(&Conv2d::new(0, [1, 1]), [5, 5, 2]), &["channels = 0"]);
    contains(refused(&conv, [5, 2, 2]), &["kernel = 3", "height", "at most 2"]);
    let wide = conv.with_dilation([3, 1]).with_padding([0, 1]);
    contains(refused(&wide, [6, 2, 2]), &["spans 7", "width", "at most 6", "dilation 3"]);
    contains(refused(&conv.with_groups(3), [5, 5, 2]), &["groups = 3", "2 input"]);
    contains(refused(&conv.with_groups(3), [5, 5, 3]), &["groups = 3", "4 output"]);
    contains(refused(&conv.with_groups(0), [5, 5, 3]), &["groups = 0"]);
    contains(refused(&conv.with_padding([usize::MAX, 0]), [5, 5, 3]), &["padding"]);
    let pool = MaxPool2d::new([3, 2]);
    contains(refused(&pool.with_padding([2, 0]), [5, 5, 1]), &["padding = 2", "half"]);
    contains(refused(&pool.with_stride([0, 1]), [5, 5, 1]), &["stride = 0"]);
    contains(refused(&AvgPool2d::new([6, 1]), [5, 5, 1]), &["kernel = 6", "at most 5"]);
    let far = MaxPool2d::new([2, 1]).with_dilation([2, 1]).with_padding([1, 0]);
    contains(refused(&far, [1, 5, 1]), &["dilation = 2"]);
    // Vectors are no images.
    let message = conv.output_shape(&[Shape::vector(9)]).unwrap_err().to_string();
    contains(message, &["[width, height, channels]", "9"]);
    let message = Conv1d::new(1, [1]).output_shape(&image([1, 2, 3])).unwrap_err().to_string();
    contains(message, &["[length, channels]", "1×2×3"]);
    let message = MaxPool1d::new([9]).output_shape(&sequence([5, 1])).unwrap_err().to_string();
    contains(message, &["length", "9"]);
    assert!(GlobalAvgPool.output_shape(&[Shape::vector(3)]).is_err());
    // The graph names the node, and refuses what no computer holds.
    let mut g = Graph::builder([28, 28, 1]);
    let x = g.input();
    let message = g.node("branch", Conv2d::new(2, [30, 1]), &[x]).unwrap_err().to_string();
    contains(message, &["`branch`", "conv2d", "kernel = 30", "28"]);
    let huge = Conv2d::new(1, [1, 1]).with_padding([1 << 20, 1 << 20]);
    assert!(matches!(g.node("huge", huge, &[x]), Err(GraphError::TooLarge { .. })));
    let huge = Conv2d::new(1 << 40, [1, 1]);
    assert!(matches!(g.node("huge", huge, &[x]), Err(GraphError::TooLarge { .. })));
}

#[test]
fn weights_are_drawn_by_the_taps_that_feed_an_output() {
    let mut g = Graph::builder([8, 8, 16]);
    let conv = Conv2d::new(32, [5, 3]).with_groups(4);
    let z = g.node("conv", conv, &[g.input()]).unwrap();
    let graph = g.build(z).unwrap();
    let weight = &graph.parameters().blocks()[0];
    assert_eq!((weight.spec.fan_in, weight.spec.fan_out), (4 * 15, 8 * 15));
    assert_eq!(weight.range.len(), 32 * 4 * 15);
    let theta = Init::He.draw(graph.parameters(), 1);
    let (weights, biases) = theta.split_at(weight.range.len());
    let variance = weights.iter().map(|w| w * w).sum::<f64>() / weights.len() as f64;
    // The standard error of a variance from 1,920 normal draws is 3 %.
    assert!((variance * 60.0 / 2.0 - 1.0).abs() < 0.1, "{variance}");
    assert!(biases.iter().all(|&b| b == 0.0));
}

#[test]
fn options_are_read_with_their_defaults_and_nothing_else() {
    let conv: Conv2d = serde_json::from_str(r#"{"channels": 4, "kernel": [3, 5]}"#).unwrap();
    assert_eq!(conv, Conv2d::new(4, [3, 5]));
    let text = r#"{"channels": 4, "kernel": [3], "stride": [2], "groups": 2, "bias": false}"#;
    let conv: Conv1d = serde_json::from_str(text).unwrap();
    assert_eq!(conv, Conv1d::new(4, [3]).with_stride([2]).with_groups(2).without_bias());
    let pool: MaxPool2d = serde_json::from_str(r#"{"kernel": [3, 3], "padding": [1, 1]}"#).unwrap();
    assert_eq!(pool, MaxPool2d::new([3, 3]).with_padding([1, 1]));
    let pool: AvgPool1d =
        serde_json::from_str(r#"{"kernel": [3], "stride": [1], "count_padding": false}"#).unwrap();
    assert_eq!(pool, AvgPool1d::new([3]).with_stride([1]).without_padding_counted());
    for text in [
        r#"{"channels": 4}"#,
        r#"{"channels": 4, "kernel": [3]}"#,
        r#"{"channels": 4, "kernel": [3, 3], "strides": [1, 1]}"#,
        r#"{"channels": -4, "kernel": [3, 3]}"#,
    ] {
        assert!(serde_json::from_str::<Conv2d>(text).is_err(), "{text}");
    }
    let again: Conv2d =
        serde_json::from_str(&serde_json::to_string(&Conv2d::new(2, [1, 1])).unwrap()).unwrap();
    assert_eq!(again, Conv2d::new(2, [1, 1]));
}
