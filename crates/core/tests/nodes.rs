//! Nodes against differences, their adjoint identity, their symmetry and their dense second derivatives; what they refuse.

use secant_core::check;
use secant_core::op::{
    Activation, Flatten, LayerNorm, Op, Per, Reduce, Reduction, Reshape, ScaleShift, Select, Slice,
};
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
    assert_eq!(slice.output_shape(&[input.clone()]).unwrap(), shape(&[2, 2, 2]));
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
fn what_does_not_fit_is_refused_with_its_values() {
    let vector = Shape::vector(6);
    let message = refused(&Reshape::new([4, 2]), &[vector.clone()]);
    assert!(message.contains("4×2") && message.contains("8 entries") && message.contains('6'));
    assert!(refused(&Slice::new(2..7), &[vector.clone()]).contains("end = 7"));
    assert!(refused(&Slice::new(2..2), &[vector.clone()]).contains("start = 2"));
    assert!(refused(&Slice::new(0..1).along(1), &[vector.clone()]).contains("axis = 1"));
    assert!(refused(&Select::new([0, 6]), &[vector.clone()]).contains("entries = 6"));
    for epsilon in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let op = LayerNorm::default().with_epsilon(epsilon);
        assert!(refused(&op, &[vector.clone()]).contains("epsilon"));
    }
    for axes in [0, 2] {
        assert!(refused(&LayerNorm::over(axes), &[vector.clone()]).contains("axes"));
    }
    for exponent in [f64::NAN, f64::INFINITY, 1024.0, -1024.0] {
        assert!(refused(&Activation::Power { exponent }, &[vector.clone()]).contains("exponent"));
    }
    let two = [vector.clone(), vector];
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
