//! Feature maps: derivatives, also against JAX (`benches/peers/feature_derivatives.py`), values against scikit-learn's
//! (`benches/peers/features.py`), and what each of them promises.

use secant_core::check;
use secant_core::data::Dataset;
use secant_core::description::DescriptionError;
use secant_core::graph::{Graph, GraphError};
use secant_core::loss::SquaredError;
use secant_core::op::{
    Dense, FeatureError, Kernel, Nystrom, Op, Polynomial, RadialBasis, RandomFourier,
};
use secant_core::penalty::{NoPenalty, Ridge};
use secant_core::predict;
use secant_core::problem::{Curvature, Linearization, Objective};
use secant_core::random::Random;
use secant_core::risk::Risk;
use secant_core::shape::{Shape, ShapeError};
use serde_json::Value;

const GAUSSIAN: Kernel = Kernel::Gaussian { width: 1.2 };
const CUBIC: Kernel = Kernel::Polynomial { degree: 3, scale: 0.5, offset: 1.0 };

fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normal()).collect()
}

/// One of each, for so many features; more points than a block has rows where `many`.
fn maps(d: usize, many: bool) -> Vec<Box<dyn Op>> {
    let points = normals(d * if many { 150 } else { 4 }, 5);
    let mut maps: Vec<Box<dyn Op>> = vec![
        Box::new(RadialBasis::new(d, &points, 1.2).unwrap()),
        Box::new(RandomFourier::new(d, if many { 150 } else { 4 }, 0.9, 3).unwrap()),
        // Not the default cut-off: the inverse root of rounding is nothing to difference.
        Box::new(Nystrom::new(d, &points, GAUSSIAN).unwrap().with_cutoff(1e-4).unwrap()),
        Box::new(Nystrom::new(d, &points, CUBIC).unwrap().with_cutoff(1e-4).unwrap()),
    ];
    for degree in 1..=4 {
        let plain = Polynomial::new(degree);
        maps.push(Box::new(plain));
        maps.push(Box::new(plain.with_constant()));
        maps.push(Box::new(plain.interactions_only()));
        maps.push(Box::new(plain.interactions_only().with_constant()));
    }
    maps
}

#[test]
fn derivatives_of_every_map() {
    for (d, many) in [(1, false), (2, false), (3, true), (5, false)] {
        for op in maps(d, many) {
            for seed in 1..=3 {
                let checks = check::op(&*op, &[Shape::vector(d)], seed).unwrap();
                assert!(checks.passed(), "{} of {d}, seed {seed}\n{checks}", op.name());
            }
        }
    }
    let checks = check::op(&Polynomial::new(2), &[Shape::new([2, 2])], 1).unwrap();
    assert!(checks.passed(), "{checks}");
}

#[test]
fn maps_inside_a_network_and_in_front_of_one() {
    let points = normals(3 * 70, 5);
    let network = |kind: usize, stacked: bool| {
        let mut g = Graph::builder(3);
        let x = g.input();
        let x = if stacked { g.node("below", Dense::new(3), &[x]).unwrap() } else { x };
        let phi = match kind {
            0 => g.node("phi", RadialBasis::new(3, &points, 1.2).unwrap(), &[x]),
            1 => g.node("phi", RandomFourier::new(3, 70, 0.9, 3).unwrap(), &[x]),
            2 => g.node("phi", Nystrom::new(3, &points[..12], GAUSSIAN).unwrap(), &[x]),
            _ => g.node("phi", Polynomial::new(2), &[x]),
        };
        let y = g.node("y", Dense::new(2), &[phi.unwrap()]).unwrap();
        g.build(y).unwrap()
    };
    // Tiles of more samples than a block has columns.
    let data = Dataset::from_slices(3, &normals(3 * 90, 1), 2, &normals(2 * 90, 2)).unwrap();
    for kind in 0..4 {
        for stacked in [true, false] {
            let graph = network(kind, stacked);
            assert_eq!(graph.is_affine(), !stacked);
            let risk = Risk::new(&graph, &data, SquaredError, Ridge(0.1)).unwrap();
            let theta: Vec<f64> = normals(risk.dim(), 4).iter().map(|entry| 0.3 * entry).collect();
            let checks = check::curvature(&risk, &theta, 5);
            assert!(checks.passed(), "{graph}\n{checks}");
        }
    }
}

/// The values of a map on samples (d × N): rows × N.
fn values(op: impl Op + 'static, d: usize, x: &[f64]) -> Vec<f64> {
    let rows = op.output_shape(&[Shape::vector(d)]).unwrap().len();
    let mut g = Graph::builder(d);
    let phi = g.node("phi", op, &[g.input()]).unwrap();
    // A graph needs a parameter: the identity, so that nothing is rounded.
    let y = g.node("y", Dense::new(rows).without_bias(), &[phi]).unwrap();
    let graph = g.build(y).unwrap();
    let mut theta = vec![0.0; rows * rows];
    theta.iter_mut().step_by(rows + 1).for_each(|entry| *entry = 1.0);
    predict::outputs(&graph, &theta, x).unwrap()
}

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// Rows of numbers, one after the other: a row is a sample.
fn rows(value: &Value) -> Vec<f64> {
    let rows = value.as_array().unwrap().iter();
    rows.flat_map(|row| row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap())).collect()
}

/// max |a − b| / max |b|.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let size = b.iter().fold(0.0_f64, |size, b| size.max(b.abs()));
    a.iter().zip(b).fold(0.0_f64, |error, (a, b)| error.max((a - b).abs())) / size
}

#[test]
fn values_are_those_of_scikit_learn() {
    let fixture = fixture("features");
    let (x, landmarks) = (rows(&fixture["x"]), rows(&fixture["landmarks"]));
    let number = |key: &str| fixture[key].as_f64().unwrap();
    let mut compared = 0;
    for case in fixture["polynomials"].as_array().unwrap() {
        let mut map = Polynomial::new(u32::try_from(case["degree"].as_u64().unwrap()).unwrap());
        if case["interactions_only"].as_bool().unwrap() {
            map = map.interactions_only();
        }
        if case["constant"].as_bool().unwrap() {
            map = map.with_constant();
        }
        // A product of five factors in another order: a few roundings.
        assert!(distance(&values(map, 3, &x), &rows(&case["values"])) < 1e-14, "{map:?}");
        compared += 1;
    }
    assert_eq!(compared, 16);
    let (width, scale, offset) = (number("width"), number("scale"), number("offset"));
    let gaussian = Kernel::Gaussian { width };
    let polynomial = Kernel::Polynomial { degree: 3, scale, offset };
    for (name, kernel) in [("gaussian", gaussian), ("polynomial", polynomial)] {
        let found = kernel.between(3, &landmarks, &x).unwrap();
        let found: Vec<f64> = found.col_iter().flat_map(|c| c.iter().copied()).collect();
        assert!(distance(&found, &rows(&fixture["kernels"][name])) < 1e-14, "{name}");
        let map = Nystrom::new(3, &landmarks, kernel).unwrap();
        assert_eq!(map.rank(), 5);
        // The roots differ by rounding times the condition of the kernel matrix, some thousands.
        let expected = rows(&fixture["nystroem"][name]);
        assert!(distance(&values(map, 3, &x), &expected) < 1e-11, "{name}");
    }
    let map = RadialBasis::new(3, &landmarks, width).unwrap();
    assert!(distance(&values(map, 3, &x), &rows(&fixture["kernels"]["gaussian"])) < 1e-14);
}

#[test]
fn gradients_and_hessian_products_inside_a_network_are_those_of_jax() {
    let fixture = fixture("feature_derivatives");
    let data = |key: &str| numbers(&fixture[key]);
    let number = |key: &str| fixture[key].as_f64().unwrap();
    let set = Dataset::from_slices(3, &data("x"), 2, &data("y")).unwrap();
    let (landmarks, width) = (data("landmarks"), number("width"));
    let fourier = RandomFourier::new(3, 4, 0.9, 3).unwrap();
    let drawn: Vec<f64> =
        fourier.frequencies().col_iter().flat_map(|c| c.iter().copied()).collect();
    assert_eq!(drawn, data("frequencies"));
    let gaussian = Kernel::Gaussian { width };
    let (scale, offset) = (number("scale"), number("offset"));
    let cubic = Kernel::Polynomial { degree: 3, scale, offset };
    let cases = fixture["cases"].as_object().unwrap();
    assert_eq!(cases.len(), 5);
    for (name, case) in cases {
        let mut g = Graph::builder(3);
        let x = g.node("below", Dense::new(3), &[g.input()]).unwrap();
        let phi = match name.as_str() {
            "polynomial" => g.node("phi", Polynomial::new(3), &[x]),
            "radial_basis" => g.node("phi", RadialBasis::new(3, &landmarks, width).unwrap(), &[x]),
            "random_fourier" => g.node("phi", fourier.clone(), &[x]),
            "nystrom gaussian" => {
                g.node("phi", Nystrom::new(3, &landmarks, gaussian).unwrap(), &[x])
            }
            _ => g.node("phi", Nystrom::new(3, &landmarks, cubic).unwrap(), &[x]),
        };
        let y = g.node("y", Dense::new(2), &[phi.unwrap()]).unwrap();
        let graph = g.build(y).unwrap();
        let risk = Risk::new(&graph, &set, SquaredError, NoPenalty).unwrap();
        let (theta, v) = (numbers(&case["theta"]), numbers(&case["v"]));
        let at = risk.linearize(&theta);
        let value = case["value"].as_f64().unwrap();
        assert!((at.value() / value - 1.0).abs() < 1e-12, "{name}");
        let error = distance(at.gradient(), &numbers(&case["gradient"]));
        assert!(error < 1e-12, "{name}: gradient {error:e}");
        let mut product = vec![0.0; theta.len()];
        at.hessian_vector(&v, &mut product);
        let error = distance(&product, &numbers(&case["product"]));
        assert!(error < 1e-10, "{name}: Hessian product {error:e}");
    }
}

#[test]
fn near_points_far_from_the_mean_lose_no_digits() {
    // Two clouds 2·10⁶ widths apart: the terms of the expanded square are 10¹² times as large as the exponent.
    let (width, far) = (1e-3_f64, 1e3_f64);
    let centres = [far, -far];
    for offset in [0.0_f64, 0.3e-3, 1e-3, 2.5e-3] {
        let x = far + offset;
        let exponent: f64 = (x - far) / width;
        let expected = (-0.5 * exponent * exponent).exp();
        let found = values(RadialBasis::new(1, &centres, width).unwrap(), 1, &[x]);
        assert!((found[0] / expected - 1.0).abs() < 4e-15, "{offset}: {} {expected}", found[0]);
        assert_eq!(found[1], 0.0);
    }
    // Far out of everything, without a NaN.
    let found = values(RadialBasis::new(1, &centres, width).unwrap(), 1, &[1e300]);
    assert_eq!(found, [0.0, 0.0]);
}

#[test]
fn inner_products_of_random_features_approach_the_kernel() {
    let (d, samples, width) = (4, 8, 1.5);
    let x = normals(d * samples, 1);
    let exact = Kernel::Gaussian { width }.between(d, &x, &x).unwrap();
    for frequencies in [100, 10_000] {
        let map = RandomFourier::new(d, frequencies, width, 9).unwrap();
        assert_eq!(map.frequencies().ncols(), frequencies);
        let (rows, z) = (2 * frequencies, by_hand(&map, d, &x));
        for a in 0..samples {
            for b in 0..samples {
                let pairs = z[a * rows..(a + 1) * rows].iter().zip(&z[b * rows..(b + 1) * rows]);
                let product: f64 = pairs.map(|(a, b)| a * b).sum();
                // cos ωᵀ(x − y) has a variance of at most ½: five standard deviations of the mean.
                let bound = 5.0 * (0.5 / frequencies as f64).sqrt();
                let error = (product - exact[(a, b)]).abs();
                assert!(error < if a == b { 1e-13 } else { bound }, "{frequencies}: {error}");
            }
        }
    }
    // A seed names the map.
    let drawn = |seed| RandomFourier::new(2, 3, 1.0, seed).unwrap().frequencies().to_owned();
    assert_eq!(drawn(7), drawn(7));
    assert_ne!(drawn(7), drawn(8));
    let mut random = Random::new(7);
    assert_eq!(drawn(7)[(0, 0)], random.normal());
    assert_eq!(drawn(7)[(1, 0)], random.normal());
}

/// The features of samples (d × N) from their definition, an angle at a time.
fn by_hand(map: &RandomFourier, d: usize, x: &[f64]) -> Vec<f64> {
    let omega = map.frequencies();
    let height = 1.0 / (omega.ncols() as f64).sqrt();
    let feature = |x: &[f64], function: fn(f64) -> f64| -> Vec<f64> {
        let angle = |j: usize| (0..d).map(|i| omega[(i, j)] * x[i]).sum();
        (0..omega.ncols()).map(|j| height * function(angle(j))).collect()
    };
    x.chunks_exact(d).flat_map(|x| [feature(x, f64::cos), feature(x, f64::sin)].concat()).collect()
}

#[test]
fn random_features_are_cosines_and_sines_of_the_frequencies() {
    let (d, samples) = (3, 50);
    for size in [1.0, 1e6] {
        // Beyond the range of the vectorised sine too.
        let x: Vec<f64> = normals(d * samples, 1).iter().map(|x| size * x).collect();
        let map = RandomFourier::new(d, 20, 0.7, 2).unwrap();
        let expected = by_hand(&map, d, &x);
        // The rounding of an angle of size 10⁶ is an error of 10⁻¹⁰.
        assert!(distance(&values(map, d, &x), &expected) < 1e-14 * size.max(10.0));
    }
}

#[test]
fn nystrom_features_give_the_kernel_at_the_landmarks() {
    let landmarks = normals(3 * 9, 1);
    for kernel in [GAUSSIAN, CUBIC] {
        let map = Nystrom::new(3, &landmarks, kernel).unwrap();
        let z = values(map, 3, &landmarks);
        let k = kernel.between(3, &landmarks, &landmarks).unwrap();
        for a in 0..9 {
            for b in 0..9 {
                let product: f64 = (0..9).map(|row| z[a * 9 + row] * z[b * 9 + row]).sum();
                assert!((product - k[(a, b)]).abs() < 1e-11 * k[(a, a)].max(k[(b, b)]));
            }
        }
    }
}

#[test]
fn a_landmark_given_twice_is_cut_off_and_not_blown_up() {
    let mut landmarks = normals(3 * 9, 1);
    landmarks.extend_from_within(..6);
    let map = Nystrom::new(3, &landmarks, GAUSSIAN).unwrap();
    assert_eq!(map.rank(), 9);
    let x = normals(3 * 20, 2);
    let z = values(map, 3, &x);
    // ‖φ(x)‖² ≤ κ(x, x) = 1: a projection.
    for z in z.chunks_exact(11) {
        assert!(z.iter().map(|z| z * z).sum::<f64>() < 1.0 + 1e-9);
    }
    let cut = Nystrom::new(3, &landmarks, GAUSSIAN).unwrap().with_cutoff(0.5).unwrap();
    assert!(cut.rank() < 4);
}

#[test]
fn constants_out_of_range_are_refused_with_name_and_value() {
    let option = |result: Result<_, FeatureError>, part: &str| {
        let message = result.err().unwrap().to_string();
        assert!(message.contains(part), "{message} has no {part}");
    };
    for width in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        option(RadialBasis::new(1, &[0.0], width).map(drop), &format!("width = {width}"));
        option(RandomFourier::new(1, 1, width, 0).map(drop), &format!("width = {width}"));
        let kernel = Kernel::Gaussian { width };
        option(Nystrom::new(1, &[0.0], kernel).map(drop), &format!("width = {width}"));
    }
    option(RadialBasis::new(0, &[], 1.0).map(drop), "0 entries");
    option(RadialBasis::new(2, &[], 1.0).map(drop), "0 entries");
    option(RadialBasis::new(2, &[1.0, 2.0, 3.0], 1.0).map(drop), "3 entries");
    let holed = [1.0, 2.0, f64::NAN, 4.0];
    option(RadialBasis::new(2, &holed, 1.0).map(drop), "feature 0 of point 1 is NaN");
    option(RandomFourier::new(0, 1, 1.0, 0).map(drop), "features = 0");
    option(RandomFourier::new(1, 0, 1.0, 0).map(drop), "frequencies = 0");
    option(RandomFourier::new(1 << 20, 1 << 20, 1.0, 0).map(drop), "frequencies = 1048576");
    let polynomial = |degree, scale, offset| {
        Nystrom::new(1, &[1.0], Kernel::Polynomial { degree, scale, offset }).map(drop)
    };
    option(polynomial(0, 1.0, 1.0), "degree = 0");
    option(polynomial(33, 1.0, 1.0), "degree = 33");
    option(polynomial(2, 0.0, 1.0), "scale = 0");
    option(polynomial(2, 1.0, -1.0), "offset = -1");
    option(Nystrom::new(1, &[1.0], GAUSSIAN).unwrap().with_cutoff(1.0).map(drop), "cutoff = 1");
    option(Nystrom::new(1, &[1.0], GAUSSIAN).unwrap().with_cutoff(-0.1).map(drop), "cutoff");
    option(Nystrom::new(1, &vec![0.0; 5_000], GAUSSIAN).map(drop), "landmarks = 5000");
    let huge = Kernel::Polynomial { degree: 32, scale: 1.0, offset: 0.0 };
    option(Nystrom::new(1, &[1e30], huge).map(drop), "largest eigenvalue is NaN");
    option(Nystrom::new(1, &[0.0], huge).map(drop), "largest eigenvalue is 0");
    option(GAUSSIAN.between(2, &[1.0, 2.0], &[f64::INFINITY, 1.0]).map(drop), "is inf");

    for degree in [0, 33, u32::MAX] {
        let error = check::op(&Polynomial::new(degree), &[Shape::vector(2)], 1).unwrap_err();
        assert!(matches!(error, ShapeError::Option { option: "degree", .. }));
    }
    let map = RadialBasis::new(2, &[0.0, 1.0], 1.0).unwrap();
    let error = check::op(&map, &[Shape::vector(3)], 1).unwrap_err();
    assert!(matches!(error, ShapeError::Unexpected { index: 0, .. }));
    // More monomials than memory.
    let mut g = Graph::builder(10_000);
    let error = g.node("all", Polynomial::new(20), &[g.input()]).unwrap_err();
    assert!(matches!(error, GraphError::TooLarge { entries: usize::MAX, .. }));
}

#[test]
fn descriptions_of_maps_read_well_and_name_their_mistakes() {
    let mut g = Graph::builder(2);
    let points = [0.0, 0.5, 1.0, -2.0];
    let map = Nystrom::new(2, &points, GAUSSIAN).unwrap();
    let phi = g.node("phi", map, &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1), &[phi]).unwrap();
    let graph = g.build(y).unwrap();
    let text = graph.to_toml().unwrap();
    let expected = r#"input = 2

[[node]]
name = "phi"
op = "nystrom"
landmarks = [[0.0, 0.5], [1.0, -2.0]]

[node.kernel.gaussian]
width = 1.2

[[node]]
name = "y"
op = "dense"
outputs = 1
"#;
    assert_eq!(text, expected);
    let copy = Graph::from_toml(&text).unwrap();
    let x = normals(2 * 30, 1);
    let theta = [0.3, -0.7, 0.1];
    let outputs = |graph: &Graph| predict::outputs(graph, &theta, &x).unwrap();
    assert_eq!(outputs(&copy), outputs(&graph));

    let refused = |node: &str, part: &str| {
        let text = format!("input = 2\n[[node]]\nname = 'phi'\n{node}");
        let error = Graph::from_toml(&text).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("`phi`") && message.contains("line 2"), "{message}");
        assert!(message.contains(part), "{message} has no {part}");
        error
    };
    let error = refused("op = 'radial_basis'\nwidth = -1\ncentres = [[0, 1]]", "width = -1");
    assert!(matches!(error, DescriptionError::Options { .. }));
    refused("op = 'radial_basis'\nwidth = 1\ncentres = [[0, 1], [2]]", "point 1 has 1 feature(s)");
    refused("op = 'radial_basis'\nwidth = 1\ncentres = [[0, nan]]", "`centres` is NaN");
    refused("op = 'radial_basis'\nwidth = 1\ncentres = [[0, 1, 2]]", "expected 3 features");
    refused("op = 'random_fourier'\nwidth = 1\nseed = 1\nfeatures = 2", "`frequencies`");
    let huge =
        "op = 'random_fourier'\nwidth = 1\nseed = 1\nfeatures = 2\nfrequencies = 99999999999";
    refused(huge, "frequencies = 99999999999");
    let kernel = "op = 'nystrom'\nlandmarks = [[0, 1]]\nkernel = { gauss = 1 }";
    refused(kernel, "`gaussian` or `polynomial`");
    refused("op = 'polynomial'\ndegree = 99", "degree = 99");

    // Larger than TOML's numbers.
    let mut g = Graph::builder(2);
    let map = RandomFourier::new(2, 3, 1.0, u64::MAX).unwrap();
    let phi = g.node("phi", map, &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1), &[phi]).unwrap();
    let message = g.build(y).unwrap().to_toml().unwrap_err().to_string();
    assert!(message.contains("`phi`"), "{message}");
}

#[test]
fn a_map_of_degree_two_inside_a_network_is_a_quadratic() {
    // φ(W·x) is a quadratic in W.
    let mut g = Graph::builder(2);
    let w = g.node("w", Dense::new(3).without_bias(), &[g.input()]).unwrap();
    let phi = g.node("phi", Polynomial::new(2), &[w]).unwrap();
    let graph = g.build(phi).unwrap();
    let data = Dataset::from_slices(2, &normals(20, 1), 9, &normals(90, 2)).unwrap();
    let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
    let (theta, v) = (normals(6, 3), normals(6, 4));
    let along = |step: f64| {
        let moved: Vec<f64> = theta.iter().zip(&v).map(|(t, v)| t + step * v).collect();
        risk.value(&moved)
    };
    // f is a quartic along v: its fifth difference vanishes.
    let binomials: [f64; 6] = [1.0, -5.0, 10.0, -10.0, 5.0, -1.0];
    let fifth: f64 = (0..6).map(|k| binomials[k] * along(k as f64)).sum();
    assert!(fifth.abs() < 1e-11 * along(5.0), "{fifth}");
}

#[test]
fn the_number_of_monomials_of_any_degree_is_told_at_once() {
    for (degree, features, number) in [
        (1 << 31, 1, 1 << 31),
        (1 << 31, 2, ((1_usize << 31) + 2) * ((1 << 31) + 1) / 2 - 1),
        (u32::MAX, 1 << 40, usize::MAX),
        (4, 3, 34),
        (0, 5, 0),
    ] {
        assert_eq!(Polynomial::new(degree).outputs(features), number, "{degree} {features}");
    }
    for (degree, features, number) in [
        (1 << 31, 10, 1023),
        (u32::MAX, 1 << 40, usize::MAX),
        (2, 4, 10),
        (u32::MAX, 63, (1 << 63) - 1),
    ] {
        let op = Polynomial::new(degree).interactions_only();
        assert_eq!(op.outputs(features), number, "{degree} {features}");
    }
    let error = check::op(&Polynomial::new(1 << 31), &[Shape::vector(2)], 1).unwrap_err();
    assert!(error.to_string().contains("degree = 2147483648"), "{error}");
}
