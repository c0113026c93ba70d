//! Nodes against differences, their adjoint identity, their symmetry and their dense second derivatives; what they refuse.

use secant_core::check;
use secant_core::data::Dataset;
use secant_core::graph::Graph;
use secant_core::loss::SquaredError;
use secant_core::op::{
    Activation, Add, BatchNorm, Bilinear, Concat, Dense, Dropout, Embedding, Flatten, LayerNorm,
    MatMul, Multiply, Op, Per, Reduce, Reduction, Reshape, ScaleShift, Select, Slice,
};
use secant_core::penalty::NoPenalty;
use secant_core::predict::outputs;
use secant_core::problem::Objective;
use secant_core::risk::Risk;
use secant_core::shape::{Shape, ShapeError};

fn assert_within(op: &dyn Op, shapes: &[Shape], domain: fn(f64) -> f64) {
    for seed in 1..=5 {
        let checks = check::op_within(op, shapes, seed, domain).unwrap();
        let passed = !checks.0.is_empty() && checks.passed();
        assert!(passed, "{op:?} on {shapes:?}, seed {seed}\n{checks}");
    }
}

fn assert_node(op: &dyn Op, shapes: &[Shape]) {
    assert_within(op, shapes, |x| x);
}

fn shape(extents: &[usize]) -> Shape {
    Shape::new(extents)
}

fn refused(op: &dyn Op, shapes: &[Shape]) -> String {
    op.output_shape(shapes).unwrap_err().to_string()
}

#[test]
fn entries_that_move_keep_their_derivatives() {
    assert_node(&Reshape::new([2, 3]), &[shape(&[6])]);
    assert_node(&Reshape::new([1]), &[shape(&[1, 1])]);
    assert_node(&Flatten, &[shape(&[2, 3, 2])]);
    for (axis, extents) in [(0, &[7][..]), (0, &[5, 3]), (1, &[2, 6, 3]), (2, &[2, 2, 5])] {
        assert_node(&Slice::new(1..4).along(axis), &[shape(extents)]);
        assert_node(&Select::new([3, 0, 3, 4]).along(axis), &[shape(extents)]);
    }
}

#[test]
fn a_slice_is_the_picked_part_and_knows_where_it_comes_from() {
    // Entry i + 2j + 6k of a 2×3×2 sample, whose value is its position.
    let input = shape(&[2, 3, 2]);
    let slice = Slice::new(1..3).along(1);
    let select = Select::new([1, 0]).along(2);
    let picked = |op: &dyn Op| -> Vec<usize> {
        let entries = op.output_shape(std::slice::from_ref(&input)).unwrap().len();
        let origin = |entry| op.origin(std::slice::from_ref(&input), entry).unwrap();
        (0..entries).map(|entry| origin(entry).1).collect()
    };
    assert_eq!(picked(&slice), [2, 3, 4, 5, 8, 9, 10, 11]);
    assert_eq!(picked(&select), [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]);
    assert_eq!(slice.output_shape(std::slice::from_ref(&input)).unwrap(), shape(&[2, 2, 2]));
    assert_eq!(select.output_shape(&[input]).unwrap(), shape(&[2, 3, 2]));
}

#[test]
fn scale_and_shift() {
    for extents in [&[1][..], &[5], &[11], &[3, 4], &[2, 3, 4]] {
        assert_node(&ScaleShift::per_entry(), &[shape(extents)]);
        assert_node(&ScaleShift::per_channel(), &[shape(extents)]);
    }
    let count = |per| ScaleShift { per }.params(&[shape(&[2, 3, 4])])[0].len();
    assert_eq!((count(Per::Entry), count(Per::Channel)), (24, 4));
}

#[test]
fn layer_norm() {
    for extents in [&[2][..], &[5], &[11], &[3, 4], &[4, 3, 2]] {
        for op in [LayerNorm::default(), LayerNorm::over(1)] {
            assert_node(&op, &[shape(extents)]);
            assert_node(&op.without_affine().with_epsilon(0.1), &[shape(extents)]);
        }
    }
    assert_node(&LayerNorm::over(2), &[shape(&[4, 3, 2])]);
    // A single entry is always its own mean.
    assert_node(&LayerNorm::default(), &[shape(&[1])]);
}

#[test]
fn powers_exponentials_and_logarithms() {
    let smooth: [Activation; 6] = [
        Activation::Exp,
        Activation::Power { exponent: 0.0 },
        Activation::Power { exponent: 1.0 },
        Activation::Power { exponent: 2.0 },
        Activation::Power { exponent: 3.0 },
        Activation::Power { exponent: 7.0 },
    ];
    let positive = [
        Activation::Log,
        Activation::Sqrt,
        Activation::Power { exponent: 0.5 },
        Activation::Power { exponent: -1.7 },
        Activation::Power { exponent: 2.5 },
        Activation::Power { exponent: std::f64::consts::PI },
    ];
    for rows in [1, 2, 5, 11, 24] {
        for op in smooth {
            assert_node(&op, &[shape(&[rows])]);
        }
        for op in positive {
            assert_within(&op, &[shape(&[rows])], |x| 0.5 + x.abs());
        }
        for exponent in [-1.0, -2.0, -5.0] {
            let away = |x: f64| x + x.signum();
            assert_within(&Activation::Power { exponent }, &[shape(&[rows])], away);
        }
    }
}

#[test]
fn powers_keep_their_error_bounds_and_their_limits() {
    let power = |exponent: f64, x: &[f64]| -> Vec<f64> {
        let mut g = Graph::builder(1);
        let same = g.node("same", ScaleShift::per_entry(), &[g.input()]).unwrap();
        let z = g.node("power", Activation::Power { exponent }, &[same]).unwrap();
        outputs(&g.build(z).unwrap(), &[1.0, 0.0], x).unwrap()
    };
    let x: Vec<f64> = (1..2_000).map(|i| 0.002 * f64::from(i)).collect();
    for exponent in [2.0, 3.0, -1.0, 17.0, -40.0, 255.0, 1023.0, 0.5, -0.25, 2.5, 33.3, -101.7] {
        for (x, z) in x.iter().zip(power(exponent, &x)) {
            let exact = libm::pow(*x, exponent);
            let bound = if exponent.fract() == 0.0 {
                exponent.abs()
            } else {
                2.0 + 2.0 * (exponent * x.ln()).abs()
            };
            if exact > f64::MIN_POSITIVE && exact < f64::MAX {
                // libm's own ulp beside the bound.
                let error = ((z - exact) / (exact.next_up() - exact)).abs();
                assert!(error <= bound + 1.0, "{x}^{exponent}: {error} ulp");
            }
        }
    }
    assert_eq!(power(2.0, &[-3.0, 0.0, 1e200]), [9.0, 0.0, f64::INFINITY]);
    assert_eq!(power(3.0, &[-2.0])[0], -8.0);
    assert_eq!(power(-1.0, &[-4.0, 0.0]), [-0.25, f64::INFINITY]);
    assert_eq!(power(0.0, &[0.0, -5.0]), [1.0, 1.0]);
    assert_eq!(power(0.5, &[0.0])[0], 0.0);
    assert_eq!(power(-0.5, &[0.0])[0], f64::INFINITY);
    assert!(power(0.5, &[-1.0])[0].is_nan());
}

#[test]
fn reductions() {
    for reduction in [Reduction::Sum, Reduction::Mean, Reduction::SquaredNorm, Reduction::LogSumExp]
    {
        for extents in [&[1][..], &[6], &[3, 4], &[2, 3, 4]] {
            assert_node(&Reduce::all(reduction), &[shape(extents)]);
            for axis in 0..extents.len() {
                assert_node(&Reduce::along(reduction, axis), &[shape(extents)]);
            }
        }
    }
    let along = |axis| Reduce::along(Reduction::Sum, axis).output_shape(&[shape(&[2, 3, 4])]);
    assert_eq!(along(1).unwrap(), shape(&[2, 4]));
    assert!(along(3).unwrap_err().to_string().contains("axis = 3"));
}

#[test]
fn matrix_products() {
    for (m, k, n) in [(1, 1, 1), (3, 4, 2), (2, 5, 5), (9, 3, 8)] {
        for (first, second) in [(false, false), (true, false), (false, true), (true, true)] {
            let sides = |transposed, rows, cols| {
                if transposed { shape(&[cols, rows]) } else { shape(&[rows, cols]) }
            };
            let op = MatMul { transpose: [first, second] };
            let inputs = [sides(first, m, k), sides(second, k, n)];
            assert_eq!(op.output_shape(&inputs).unwrap(), shape(&[m, n]));
            assert_node(&op, &inputs);
        }
    }
}

/// Three matrices side by side: the product of the graph's and one by hand.
#[test]
fn a_matrix_product_is_column_major() {
    let mut g = Graph::builder(6 + 8);
    let part =
        |g: &mut secant_core::graph::GraphBuilder, name: &str, range, extents: [usize; 2]| {
            let flat = g.node(&format!("{name} flat"), Slice::new(range), &[g.input()]).unwrap();
            g.node(name, Reshape::new(extents), &[flat]).unwrap()
        };
    let a = part(&mut g, "a", 0..6, [3, 2]);
    let b = part(&mut g, "b", 6..14, [2, 4]);
    let product = g.node("product", MatMul::default(), &[a, b]).unwrap();
    let y = g.node("y", ScaleShift::per_entry(), &[product]).unwrap();
    let graph = g.build(y).unwrap();
    let theta: Vec<f64> = [[1.0; 12], [0.0; 12]].concat();
    let x: Vec<f64> = (0..14).map(f64::from).collect();
    let z = outputs(&graph, &theta, &x).unwrap();
    for row in 0..3 {
        for col in 0..4 {
            let term = |k: usize| x[row + 3 * k] * x[6 + k + 2 * col];
            assert_eq!(z[row + 3 * col], term(0) + term(1));
        }
    }
}

#[test]
fn bilinear_forms() {
    // Fewer pairs than a block has, one more, and several blocks.
    for (d1, d2, outputs) in [(1, 1, 1), (3, 2, 4), (5, 13, 2), (20, 7, 3)] {
        let inputs = [Shape::vector(d1), Shape::vector(d2)];
        assert_node(&Bilinear::new(outputs), &inputs);
        assert_node(&Bilinear::new(outputs).without_bias(), &inputs);
    }
    // Against the sum, on more samples than a block has.
    let (d1, d2, samples) = (3, 5, 70);
    let mut g = Graph::builder(d1 + d2);
    let x1 = g.node("x1", Slice::new(0..d1), &[g.input()]).unwrap();
    let x2 = g.node("x2", Slice::new(d1..d1 + d2), &[g.input()]).unwrap();
    let y = g.node("y", Bilinear::new(2), &[x1, x2]).unwrap();
    let graph = g.build(y).unwrap();
    let theta: Vec<f64> = (0..32).map(|i| (f64::from(i) * 0.7).sin()).collect();
    let x: Vec<f64> = (0..8 * 70).map(|i| (f64::from(i) * 1.3).cos()).collect();
    let z = outputs(&graph, &theta, &x).unwrap();
    for sample in 0..samples {
        let x = &x[8 * sample..8 * (sample + 1)];
        for k in 0..2 {
            let pairs = (0..d1).flat_map(|i| (0..d2).map(move |j| (i, j)));
            let sum: f64 = pairs.map(|(i, j)| theta[k + 2 * (i + d1 * j)] * x[i] * x[d1 + j]).sum();
            let expected = sum + theta[30 + k];
            assert!((z[2 * sample + k] - expected).abs() < 1e-14 * 15.0);
        }
    }
}

#[test]
fn embeddings() {
    for (count, width, extents) in
        [(1, 1, &[1][..]), (4, 3, &[1]), (3, 2, &[5]), (7, 4, &[2, 3]), (50, 1, &[2])]
    {
        assert_node(&Embedding::new(count, width), &[shape(extents)]);
    }
    let output = |extents| Embedding::new(4, 3).output_shape(&[shape(extents)]).unwrap();
    assert_eq!((output(&[1]), output(&[2, 2])), (shape(&[3]), shape(&[3, 4])));
}

/// An embedding is a dense node on one-hot inputs.
#[test]
fn an_embedding_equals_a_dense_node_on_one_hot_inputs() {
    let codes = [2, 0, 1, 1, 2, 2, 0, 1];
    let targets = [0.3, -1.0, 2.0, 0.1, 0.0, 1.0, -0.5, 0.7];
    let one_hot: Vec<f64> = codes
        .iter()
        .flat_map(|&code| (0..3).map(move |k| f64::from(u8::from(k == code))))
        .collect();
    let numbers: Vec<f64> = codes.iter().map(|&code| f64::from(code)).collect();
    let graph = |features: usize,
                 op: Box<
        dyn Fn(&mut secant_core::graph::GraphBuilder) -> secant_core::graph::NodeId,
    >| {
        let mut g = Graph::builder(features);
        let h = op(&mut g);
        let h = g.node("tanh", Activation::Tanh, &[h]).unwrap();
        let y = g.node("y", Dense::new(1), &[h]).unwrap();
        g.build(y).unwrap()
    };
    let embedded = graph(1, Box::new(|g| g.node("e", Embedding::new(3, 2), &[g.input()]).unwrap()));
    let dense =
        graph(3, Box::new(|g| g.node("e", Dense::new(2).without_bias(), &[g.input()]).unwrap()));
    let theta = [0.3, -0.2, 0.5, 0.9, -1.1, 0.4, 0.7, -0.6, 0.1];
    let run = |graph: &Graph, features: usize, x: &[f64]| {
        let data = Dataset::from_slices(features, x, 1, &targets).unwrap();
        let risk = Risk::new(graph, &data, SquaredError, NoPenalty).unwrap();
        let checks = check::curvature(&risk, &theta, 1);
        assert!(checks.passed(), "{checks}");
        let mut gradient = vec![0.0; theta.len()];
        (risk.value(&theta), {
            risk.value_gradient(&theta, &mut gradient);
            gradient
        })
    };
    let ((value, gradient), (other, reference)) =
        (run(&embedded, 1, &numbers), run(&dense, 3, &one_hot));
    assert!((value - other).abs() < 1e-15);
    for (a, b) in gradient.iter().zip(&reference) {
        assert!((a - b).abs() < 1e-15, "{a} {b}");
    }
}

#[test]
fn codes_that_are_none_are_refused_before_anything_runs() {
    let mut g = Graph::builder(4);
    let last = g.node("last", Select::new([3]), &[g.input()]).unwrap();
    let second = g.node("second", Select::new([1]), &[g.input()]).unwrap();
    let picked = g.node("picked", Concat, &[last, second]).unwrap();
    let rows = g.node("rows", Embedding::new(5, 2), &[picked]).unwrap();
    let y = g.node("y", Dense::new(1), &[rows]).unwrap();
    let graph = g.build(y).unwrap();
    let theta = vec![0.1; graph.parameters().dim()];
    let mut x = [0.5, 1.0, 0.5, 4.0].repeat(600);
    assert!(outputs(&graph, &theta, &x).is_ok());
    for odd in [5.0, -1.0, 2.5, 1e300] {
        x[4 * 577 + 1] = odd;
        let data = Dataset::from_slices(4, &x, 1, &[0.0; 600]).unwrap();
        let error = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap_err().to_string();
        let start = format!(
            "node `rows`: feature 1 of sample 577 is {odd}, must be an integer from 0 to 4"
        );
        assert!(error.starts_with(&start), "{error}");
        assert_eq!(outputs(&graph, &theta, &x).unwrap_err().to_string(), error);
    }
    // Computed codes are named by their place.
    let mut g = Graph::builder(2);
    let product = g.node("product", Multiply, &[g.input(), g.input()]).unwrap();
    let rows = g.node("rows", Embedding::new(5, 2), &[product]).unwrap();
    let graph = g.build(rows).unwrap();
    let error = outputs(&graph, &[0.0; 10], &[1.0, 2.0, 0.0, 3.0]).unwrap_err().to_string();
    assert!(error.starts_with("node `rows`: entry 1 of its input of sample 1 is 9"), "{error}");
    // What dropout makes of codes is none in training, and the codes themselves in prediction.
    let mut g = Graph::builder(1);
    let dropped = g.node("dropped", Dropout::new(0.5), &[g.input()]).unwrap();
    let rows = g.node("rows", Embedding::new(2, 1), &[dropped]).unwrap();
    let graph = g.build(rows).unwrap();
    let data = Dataset::from_slices(1, &[1.0; 40], 1, &[0.0; 40]).unwrap();
    assert!(Risk::new(&graph, &data, SquaredError, NoPenalty).is_err());
    assert!(outputs(&graph, &[0.0, 1.0], &[1.0]).is_ok());
    // An input that parameters move.
    let mut g = Graph::builder(1);
    let h = g.node("h", Dense::new(1), &[g.input()]).unwrap();
    let error = g.node("rows", Embedding::new(2, 1), &[h]).unwrap_err().to_string();
    assert!(error.contains("`rows`") && error.contains("input 0 depends on parameters"), "{error}");
}

#[test]
fn batch_normalisation_is_refused_with_the_reason() {
    let mut g = Graph::builder(4);
    let error = g.node("norm", BatchNorm::default(), &[g.input()]).unwrap_err().to_string();
    for part in ["`norm`", "batch_norm", "couple the samples", "layer_norm", "scale_shift"] {
        assert!(error.contains(part), "{error}");
    }
    // Whatever options a description gives it.
    let read: BatchNorm = serde_json::from_str(r#"{"epsilon":1e-5,"momentum":0.1}"#).unwrap();
    assert!(read.output_shape(&[Shape::vector(4)]).is_err());
}

#[test]
fn sums_of_many_nodes_are_residual_connections() {
    for count in [2, 3, 5] {
        assert_node(&Add, &vec![shape(&[3, 2]); count]);
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_values() {
    let vector = Shape::vector(6);
    let one = std::slice::from_ref(&vector);
    let message = refused(&Reshape::new([4, 2]), one);
    assert!(message.contains("4×2") && message.contains("8 entries") && message.contains('6'));
    assert!(refused(&Slice::new(2..7), one).contains("end = 7"));
    assert!(refused(&Slice::new(2..2), one).contains("start = 2"));
    assert!(refused(&Slice::new(0..1).along(1), one).contains("axis = 1"));
    assert!(refused(&Select::new([0, 6]), one).contains("entries = 6"));
    for epsilon in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let op = LayerNorm::default().with_epsilon(epsilon);
        assert!(refused(&op, one).contains("epsilon"));
    }
    for axes in [0, 2] {
        assert!(refused(&LayerNorm::over(axes), one).contains("axes"));
    }
    for exponent in [f64::NAN, f64::INFINITY, 1024.0, -1024.0] {
        assert!(refused(&Activation::Power { exponent }, one).contains("exponent"));
    }
    let message = refused(&MatMul::default(), &[shape(&[2, 3]), shape(&[4, 5])]);
    assert!(message.contains("4×5") && message.contains("3 rows") && message.contains("2×3"));
    assert!(refused(&MatMul::default(), &[shape(&[6]), shape(&[6, 1])]).contains("two axes"));
    assert!(refused(&Bilinear::new(0), &[shape(&[2]), shape(&[2])]).contains("empty"));
    assert!(refused(&Embedding::new(0, 2), &[shape(&[2])]).contains("count = 0"));
    assert!(refused(&Embedding::new(2, 0), &[shape(&[2])]).contains("empty"));
    for op in [&MatMul::default() as &dyn Op, &Bilinear::new(1)] {
        assert_eq!(op.output_shape(one), Err(ShapeError::InputCount { expected: 2, found: 1 }));
    }
    let two = [vector.clone(), vector.clone()];
    for op in [
        &Flatten as &dyn Op,
        &Reshape::new([6]),
        &Slice::new(0..1),
        &Select::new([0]),
        &ScaleShift::default(),
        &LayerNorm::default(),
        &Reduce::all(Reduction::Sum),
    ] {
        assert_eq!(op.output_shape(&two), Err(ShapeError::InputCount { expected: 1, found: 2 }));
    }
    let empty = Select::new([]).output_shape(&[Shape::vector(3)]);
    assert_eq!(empty, Err(ShapeError::Empty(Shape::vector(0))));
}

#[test]
fn options_are_read_with_defaults_and_without_strangers() {
    let read = |text: &str| serde_json::from_str::<LayerNorm>(text);
    assert_eq!(read("{}").unwrap(), LayerNorm::default());
    assert_eq!(read(r#"{"axes":1,"affine":false}"#).unwrap(), LayerNorm::over(1).without_affine());
    assert!(read(r#"{"eps":1}"#).unwrap_err().to_string().contains("eps"));
    let slice: Slice = serde_json::from_str(r#"{"start":1,"end":3}"#).unwrap();
    assert_eq!(slice, Slice::new(1..3));
    let reduce: Reduce = serde_json::from_str(r#"{"reduction":"log_sum_exp"}"#).unwrap();
    assert_eq!(reduce, Reduce::all(Reduction::LogSumExp));
    let scale: ScaleShift = serde_json::from_str(r#"{"per":"channel"}"#).unwrap();
    assert_eq!(scale, ScaleShift::per_channel());
}

#[test]
fn shapes_beyond_all_numbers_are_refused_and_never_overflow() {
    let huge = || Shape::new([1 << 40, 1 << 40, 1 << 40]);
    let nodes: [Box<dyn Op>; 9] = [
        Box::new(Slice::new(0..1).along(1)),
        Box::new(Select::new([0]).along(1)),
        Box::new(Reduce::along(Reduction::Sum, 1)),
        Box::new(Reduce::all(Reduction::Mean)),
        Box::new(Flatten),
        Box::new(Activation::Tanh),
        Box::new(LayerNorm::default()),
        Box::new(ScaleShift { per: Per::Channel }),
        Box::new(Dropout::new(0.5)),
    ];
    for op in nodes {
        let error = check::op(&*op, &[huge()], 1).unwrap_err();
        assert!(
            matches!(error, ShapeError::TooLarge { entries: usize::MAX, .. }),
            "{op:?}: {error}"
        );
        // A shape of a node's own may be asked without a graph.
        let _ = op.output_shape(&[huge()]);
    }
    let refused = |input: Shape, op: Slice| {
        let mut g = Graph::builder(input);
        let x = g.input();
        g.node("s", op, &[x]).unwrap_err().to_string()
    };
    let wanted =
        format!("node `input` would hold {} entries, more than {}", usize::MAX, 1_u64 << 32);
    assert_eq!(refused(huge(), Slice::new(0..1)), wanted);
    let slightly = Shape::new([1 << 17, 1 << 16]);
    assert!(refused(slightly, Slice::new(0..1)).contains("`input` would hold 8589934592"));
}
