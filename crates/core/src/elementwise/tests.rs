//! Errors against the fixtures of `tests/fixtures/make_elementwise.py`, special values, and independence of place.

use super::scalar;

const REAL_LINE: &[u8] = include_bytes!("../../tests/fixtures/elementwise_real_line.bin");
const ANGLES: &[u8] = include_bytes!("../../tests/fixtures/elementwise_angles.bin");
const ERF: &[u8] = include_bytes!("../../tests/fixtures/elementwise_erf.bin");
const LOG: &[u8] = include_bytes!("../../tests/fixtures/elementwise_log.bin");
const LOG1P: &[u8] = include_bytes!("../../tests/fixtures/elementwise_log1p.bin");

/// Residuals are stored in units of 2⁻¹⁵ ulp.
const RESIDUAL_UNIT: f64 = 1.0 / 32768.0;

type Slices = fn(&[f64], &mut [f64]);
type Kernel = fn(f64) -> f64;

/// Every function, as slices and as kernel.
const FUNCTIONS: [(&str, Slices, Kernel); 10] = [
    ("exp", super::exp, scalar::exp),
    ("log", super::log, scalar::log),
    ("expm1", super::expm1, scalar::expm1),
    ("log1p", super::log1p, scalar::log1p),
    ("tanh", super::tanh, scalar::tanh),
    ("sigmoid", super::sigmoid, scalar::sigmoid),
    ("softplus", super::softplus, scalar::softplus),
    ("sin", super::sin, scalar::sin),
    ("cos", super::cos, scalar::cos),
    ("erf", super::erf, scalar::erf),
];

/// (x, rounded value, residual in ulp) of function `column` of `columns`.
fn fixture(bytes: &[u8], columns: usize, column: usize) -> Vec<(f64, f64, f64)> {
    let double = |b: &[u8]| f64::from_le_bytes(b.try_into().unwrap());
    bytes
        .chunks_exact(8 + 10 * columns)
        .map(|record| {
            let value = &record[8 + 10 * column..][..10];
            let residual = i16::from_le_bytes(value[8..].try_into().unwrap());
            (double(&record[..8]), double(&value[..8]), f64::from(residual) * RESIDUAL_UNIT)
        })
        .collect()
}

/// The spacing of doubles at |x|, 2⁻¹⁰⁷⁴ for subnormal ones.
fn ulp(x: f64) -> f64 {
    let a = x.abs();
    a.max(f64::MIN_POSITIVE).next_up() - a.max(f64::MIN_POSITIVE)
}

/// |found − exact| in ulp of the exact value.
fn error(found: f64, rounded: f64, residual: f64) -> f64 {
    if found == rounded && rounded.is_infinite() {
        0.0
    } else {
        ((found - rounded) / ulp(rounded) - residual).abs()
    }
}

/// Largest error in ulp over a fixture, and where.
fn largest_error(f: Slices, bytes: &[u8], columns: usize, column: usize) -> (f64, f64) {
    let points = fixture(bytes, columns, column);
    assert!(points.len() > 1000);
    let x: Vec<f64> = points.iter().map(|p| p.0).collect();
    let mut out = vec![f64::NAN; x.len()];
    f(&x, &mut out);
    let mut largest = (0.0, 0.0);
    for (&found, &(x, rounded, residual)) in out.iter().zip(&points) {
        let e = error(found, rounded, residual);
        assert!(!e.is_nan(), "f({x:e}) = {found:e}, not {rounded:e}");
        if e > largest.0 {
            largest = (e, x);
        }
    }
    largest
}

fn assert_bound(name: &str, bound: f64, (error, x): (f64, f64)) {
    println!("{name}: {error:.3} ulp at {x:e}");
    assert!(error <= bound, "{name}: {error} ulp at {x:e}");
}

#[test]
fn exp_is_within_1_ulp() {
    assert_bound("exp", 1.0, largest_error(super::exp, REAL_LINE, 5, 0));
}

#[test]
fn expm1_is_within_2_ulp() {
    assert_bound("expm1", 2.0, largest_error(super::expm1, REAL_LINE, 5, 1));
}

#[test]
fn tanh_is_within_2_ulp() {
    assert_bound("tanh", 2.0, largest_error(super::tanh, REAL_LINE, 5, 2));
}

#[test]
fn sigmoid_is_within_2_ulp() {
    let error = largest_error(super::sigmoid, REAL_LINE, 5, 3);
    assert_bound("sigmoid", 2.0, error);
}

#[test]
fn softplus_is_within_2_ulp() {
    let error = largest_error(super::softplus, REAL_LINE, 5, 4);
    assert_bound("softplus", 2.0, error);
}

#[test]
fn sin_and_cos_are_within_1_ulp() {
    assert_bound("sin", 1.0, largest_error(super::sin, ANGLES, 2, 0));
    assert_bound("cos", 1.0, largest_error(super::cos, ANGLES, 2, 1));
}

#[test]
fn erf_is_within_2_ulp() {
    assert_bound("erf", 2.0, largest_error(super::erf, ERF, 1, 0));
}

#[test]
fn log_is_within_1_ulp() {
    assert_bound("log", 1.0, largest_error(super::log, LOG, 1, 0));
}

#[test]
fn log1p_is_within_1_ulp_and_its_unit_form_within_2() {
    assert_bound("log1p", 1.0, largest_error(super::log1p, LOG1P, 1, 0));
    let mut unit = (0.0, 0.0);
    for (x, rounded, residual) in fixture(LOG1P, 1, 0) {
        let e = error(scalar::log1p_unit(x), rounded, residual);
        if (0.0..=1.0).contains(&x) && e > unit.0 {
            unit = (e, x);
        }
    }
    assert_bound("log1p_unit", 2.0, unit);
}

/// Uniform in [0, 1): Knuth's 64-bit congruential generator.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1u64 << 53) as f64
}

#[test]
fn many_random_points_agree_with_libm() {
    // (name, low, high, function, libm's, stated bound + 1).
    let cases: [(&str, f64, f64, Kernel, Kernel, f64); 11] = [
        ("exp", -745.0, 709.0, scalar::exp, libm::exp, 2.0),
        ("expm1", -4.0, 4.0, scalar::expm1, libm::expm1, 3.0),
        ("expm1", -40.0, 709.0, scalar::expm1, libm::expm1, 3.0),
        ("log", 0.0, 9.0, scalar::log, libm::log, 2.0),
        ("log1p", -1.0, 9.0, scalar::log1p, libm::log1p, 2.0),
        ("tanh", -1.5, 1.5, scalar::tanh, libm::tanh, 3.0),
        ("tanh", -20.0, 20.0, scalar::tanh, libm::tanh, 3.0),
        ("sin", -1e5, 1e5, scalar::sin, libm::sin, 2.0),
        ("cos", -1e5, 1e5, scalar::cos, libm::cos, 2.0),
        ("erf", -1.5, 1.5, scalar::erf, libm::erf, 3.0),
        ("erf", -6.0, 6.0, scalar::erf, libm::erf, 3.0),
    ];
    let mut state = 7;
    for (name, low, high, f, reference, bound) in cases {
        let mut largest: f64 = 0.0;
        for _ in 0..100_000 {
            let x = low + (high - low) * uniform(&mut state);
            let e = error(f(x), reference(x), 0.0);
            assert!(e <= bound, "{name}({x:e}): {e} ulp from libm");
            largest = largest.max(e);
        }
        println!("{name} on [{low}, {high}]: {largest} ulp from libm");
    }
}

#[test]
fn tanh_is_never_beyond_one() {
    let mut state = 11;
    for _ in 0..200_000 {
        let x = 17.0 + 4.0 * uniform(&mut state);
        let (found, below) = (scalar::tanh(x), 1.0 - 2.0 * f64::exp(-2.0 * x) - 2.3e-16);
        assert!(below <= found && found <= 1.0, "tanh({x:e}) = {found:e}");
        assert_eq!(scalar::tanh(-x), -found);
    }
}

#[test]
fn nan_gives_nan_in_every_place() {
    for (name, f, _) in FUNCTIONS {
        for place in 0..67 {
            let mut x = [0.5; 67];
            x[place] = f64::NAN;
            let mut out = [0.0; 67];
            f(&x, &mut out);
            for (i, y) in out.iter().enumerate() {
                assert_eq!(y.is_nan(), i == place, "{name} at {i}");
            }
        }
    }
}

#[test]
fn limits_are_exact() {
    let inf = f64::INFINITY;
    for (f, x, y) in [
        (scalar::exp as Kernel, -inf, 0.0),
        (scalar::exp, -746.0, 0.0),
        (scalar::exp, -1e300, 0.0),
        (scalar::exp, -0.0, 1.0),
        (scalar::exp, inf, inf),
        (scalar::exp, 709.8, inf),
        (scalar::exp, f64::MAX, inf),
        (scalar::expm1, -inf, -1.0),
        (scalar::expm1, inf, inf),
        (scalar::expm1, 709.8, inf),
        (scalar::log, 0.0, -inf),
        (scalar::log, -0.0, -inf),
        (scalar::log, 1.0, 0.0),
        (scalar::log, inf, inf),
        (scalar::log1p, -1.0, -inf),
        (scalar::log1p, inf, inf),
        (scalar::tanh, inf, 1.0),
        (scalar::tanh, -inf, -1.0),
        (scalar::tanh, f64::MAX, 1.0),
        (scalar::sigmoid, inf, 1.0),
        (scalar::sigmoid, -inf, 0.0),
        (scalar::sigmoid, 0.0, 0.5),
        (scalar::softplus, inf, inf),
        (scalar::softplus, -inf, 0.0),
        (scalar::softplus, 1e300, 1e300),
        (scalar::cos, 0.0, 1.0),
        (scalar::erf, inf, 1.0),
        (scalar::erf, -inf, -1.0),
    ] {
        assert_eq!(f(x).to_bits(), f64::to_bits(y), "f({x:e}) = {:e}", f(x));
    }
    assert!(scalar::log(-f64::MIN_POSITIVE).is_nan() && scalar::log(-inf).is_nan());
    assert!(scalar::log1p(-1.0 - f64::EPSILON).is_nan());
    assert!(scalar::sin(inf).is_nan() && scalar::cos(-inf).is_nan());
}

#[test]
fn odd_functions_keep_the_sign_of_zero_and_tiny_arguments() {
    let least = f64::from_bits(1);
    for f in [scalar::expm1 as Kernel, scalar::log1p, scalar::tanh, scalar::sin] {
        for x in [0.0, least, 3.0 * least, f64::MIN_POSITIVE, 1e-300, 1e-20] {
            assert_eq!(f(x).to_bits(), x.to_bits(), "f({x:e}) = {:e}", f(x));
            let minus = -x;
            assert_eq!(f(minus).to_bits(), minus.to_bits(), "f({minus:e})");
        }
    }
    assert_eq!(scalar::erf(-0.0).to_bits(), (-0.0_f64).to_bits());
}

#[test]
fn bits_depend_neither_on_place_nor_on_vector_width() {
    let mut state = 3;
    let x: Vec<f64> = (0..200)
        .map(|i| {
            let scale = [1e-3, 1.0, 10.0, 800.0, 1e7][i % 5];
            scale * (2.0 * uniform(&mut state) - 1.0)
        })
        .collect();
    for (name, f, kernel) in FUNCTIONS {
        // Kernels called here are not vectorised: one width of one.
        let expected: Vec<u64> = x
            .iter()
            .map(|&v| match name {
                "sin" if v.abs() > scalar::ANGLE_MAX => libm::sin(v).to_bits(),
                "cos" if v.abs() > scalar::ANGLE_MAX => libm::cos(v).to_bits(),
                _ => kernel(v).to_bits(),
            })
            .collect();
        for start in 0..40 {
            for len in (0..70).chain([150]) {
                let mut out = vec![0.0; len];
                f(&x[start..start + len], &mut out);
                for (i, y) in out.iter().enumerate() {
                    // NaN (log below 0) has no one bit pattern.
                    let same = y.to_bits() == expected[start + i] || y.is_nan();
                    assert!(same, "{name}({:e}) in place {i} of {len}", x[start + i]);
                }
            }
        }
    }
}

#[test]
fn angles_out_of_range_are_those_of_libm() {
    let mut x = vec![0.25; 600];
    x[3] = 1e300;
    x[300] = -123_456.75;
    x[599] = f64::INFINITY;
    let mut out = vec![0.0; 600];
    super::sin(&x, &mut out);
    assert_eq!(out[3], libm::sin(1e300));
    assert_eq!(out[300], libm::sin(-123_456.75));
    assert!(out[599].is_nan());
    assert!(
        out.iter().enumerate().all(|(i, &y)| y == scalar::sin(0.25) || [3, 300, 599].contains(&i))
    );
}

#[test]
fn maps_of_all_arities_agree() {
    let x: Vec<f64> = (0..75).map(f64::from).collect();
    for len in 0..75 {
        let x = &x[..len];
        let expected: Vec<f64> = x.iter().map(|v| v * v + v).collect();
        let mut out = vec![0.0; len];
        super::map(x, &mut out, |v| v * v + v);
        assert_eq!(out, expected);
        super::map2(x, x, &mut out, |v, w| v * w + v);
        assert_eq!(out, expected);
        super::map3(x, x, x, &mut out, |u, v, w| u * v + w);
        assert_eq!(out, expected);
        out.copy_from_slice(x);
        super::update(&mut out, x, |o, v| o * v + v);
        assert_eq!(out, expected);
        out.copy_from_slice(x);
        super::map_in_place(&mut out, |v| v * v + v);
        assert_eq!(out, expected);
    }
}

#[test]
fn sums_of_integers_are_exact() {
    for len in 0..200_u32 {
        let x: Vec<f64> = (1..=len).map(f64::from).collect();
        let n = f64::from(len);
        assert_eq!(super::sum(&x), n * (n + 1.0) / 2.0);
        assert_eq!(super::dot(&x, &x), n * (n + 1.0) * (2.0 * n + 1.0) / 6.0);
    }
}

#[test]
fn a_nan_reaches_the_sums() {
    let mut x = [1.0; 100];
    x[97] = f64::NAN;
    assert!(super::sum(&x).is_nan());
    assert!(super::dot(&[0.0; 100], &x).is_nan());
}
