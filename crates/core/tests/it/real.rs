//! Dual numbers against values and derivatives of 60 digits (`fixtures/make_real.py`).

use secant_core::real::{Dual, Real};
use std::collections::BTreeMap;

/// Two directions of first order, one pass.
type First = Dual<f64, 2>;
/// All second derivatives in two variables.
type Second = Dual<Dual<f64, 2>, 2>;

fn of_one<T: Real>(name: &str, x: T) -> T {
    match name {
        "recip" => x.recip(),
        "sqrt" => x.sqrt(),
        "cbrt" => x.cbrt(),
        "powi(5)" => x.powi(5),
        "powi(-3)" => x.powi(-3),
        "powi(1)" => x.powi(1),
        "powi(2)" => x.powi(2),
        "powf(2.5)" => x.powf(2.5),
        "powf(-0.7)" => x.powf(-0.7),
        "abs" => x.abs(),
        "exp" => x.exp(),
        "exp_m1" => x.exp_m1(),
        "ln" => x.ln(),
        "ln_1p" => x.ln_1p(),
        "log10" => x.log10(),
        "log2" => x.log2(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "asin" => x.asin(),
        "acos" => x.acos(),
        "atan" => x.atan(),
        "sinh" => x.sinh(),
        "cosh" => x.cosh(),
        "tanh" => x.tanh(),
        "erf" => x.erf(),
        "erfc" => x.erfc(),
        _ => panic!("{name}"),
    }
}

fn of_two<T: Real>(name: &str, x: T, y: T) -> T {
    match name {
        "powr" => x.powr(y),
        "hypot" => x.hypot(y),
        "atan2" => x.atan2(y),
        "add" => x + y,
        "sub" => x - y,
        "mul" => x * y,
        "div" => x / y,
        "mul_add" => x.mul_add(y, x + 2.0 * y),
        "min" => x.min(y),
        "max" => x.max(y),
        _ => panic!("{name}"),
    }
}

/// What an argument rounded to half an ulp makes of a function is not asked of it: √(1 − x²) near 1 has its digits only since 1 − x has.
const TOLERANCE: f64 = 4e-15;
/// Second derivatives are sums of a few terms.
const SECOND: f64 = 3e-14;

fn assert_near(what: &str, found: f64, expected: f64, size: f64, tolerance: f64) {
    let error = (found - expected).abs() / expected.abs().max(size).max(f64::MIN_POSITIVE);
    assert!(error <= tolerance, "{what}: {found:e}, expected {expected:e}, off by {error:.1e}");
}

#[test]
fn every_function_has_its_value_and_two_derivatives() {
    let fixture = include_str!("../fixtures/real.json");
    let cases: BTreeMap<String, Vec<Vec<f64>>> = serde_json::from_str(fixture).unwrap();
    assert_eq!(cases.len(), 37);
    for (name, rows) in &cases {
        for row in rows {
            if let &[x, f, d, dd] = &row[..] {
                let what = |order: &str| format!("{name}({x:e}), {order}");
                let first = of_one(name, First::variable(x, 1));
                let inner = Dual { value: x, partials: [1.0, 0.0] };
                let second = of_one(name, Second::variable(inner, 1));
                assert_near(&what("value"), of_one(name, x), f, 0.0, TOLERANCE);
                assert_eq!(first.value.to_bits(), of_one(name, x).to_bits(), "{}", what("bits"));
                assert_near(&what("first"), first.partials[1], d, 0.0, TOLERANCE);
                assert_eq!(first.partials[0], 0.0);
                assert_near(&what("first, nested"), second.partials[1].value, d, 0.0, TOLERANCE);
                assert_near(&what("second"), second.partials[1].partials[0], dd, 0.0, SECOND);
            } else if let &[x, y, f, dx, dy, dxx, dxy, dyy] = &row[..] {
                let what = |order: &str| format!("{name}({x:e}, {y:e}), {order}");
                let first = of_two(name, First::variable(x, 0), First::variable(y, 1));
                let nested = |value, k| Second::variable(Dual::variable(value, k), k);
                let second = of_two(name, nested(x, 0), nested(y, 1));
                assert_near(&what("value"), of_two(name, x, y), f, 0.0, TOLERANCE);
                assert_eq!(first.value.to_bits(), of_two(name, x, y).to_bits(), "{}", what("bits"));
                // Terms of a sum may cancel in one of them.
                let slope = dx.abs().max(dy.abs());
                assert_near(&what("in x"), first.partials[0], dx, slope, TOLERANCE);
                assert_near(&what("in y"), first.partials[1], dy, slope, TOLERANCE);
                let found = second.partials;
                let bend = dxx.abs().max(dxy.abs()).max(dyy.abs());
                assert_near(&what("xx"), found[0].partials[0], dxx, bend, SECOND);
                assert_near(&what("xy"), found[0].partials[1], dxy, bend, SECOND);
                assert_near(&what("yx"), found[1].partials[0], dxy, bend, SECOND);
                assert_near(&what("yy"), found[1].partials[1], dyy, bend, SECOND);
            } else {
                panic!("{name}: {row:?}");
            }
        }
    }
}

/// A number on either side, assignment, sums and products: what the operators of two duals would give.
#[test]
fn operations_with_plain_numbers_are_those_with_constants() {
    fn all<T: Real>(x: T, c: f64, constant: T) -> Vec<(T, T)> {
        let mut assigned = [x, x, x, x];
        assigned[0] += c;
        assigned[1] -= c;
        assigned[2] *= c;
        assigned[3] /= c;
        vec![
            (x + c, x + constant),
            (x - c, x - constant),
            (x * c, x * constant),
            (x / c, x / constant),
            (c + x, constant + x),
            (c - x, constant - x),
            (c * x, constant * x),
            (c / x, constant / x),
            (assigned[0], x + constant),
            (assigned[1], x - constant),
            (assigned[2], x * constant),
            (assigned[3], x / constant),
            (x.powf(c), x.powr(constant)),
            ([x, constant, x].into_iter().sum(), 2.0 * x + c),
            ([x, constant, x].into_iter().product(), x * constant * x),
        ]
    }
    let inner = Dual { value: 1.7, partials: [1.0, 0.0] };
    let constant = Second::from_f64(-2.3);
    for (i, (plain, dual)) in all(Second::variable(inner, 0), -2.3, constant).iter().enumerate() {
        let (a, b) = (plain.partials[0], dual.partials[0]);
        assert_near(&format!("{i}"), plain.value(), dual.value(), 0.0, 1e-15);
        assert_near(&format!("{i}, first"), a.value, b.value, 0.0, 1e-15);
        assert_near(&format!("{i}, second"), a.partials[0], b.partials[0], 0.0, 1e-14);
    }
    let x = Second::variable(inner, 0);
    let comparisons = [x > 1.0, 2.0 > x, x == 1.7, 1.7 == x, x < x + 1.0, x == Second::from(1.7)];
    assert_eq!(comparisons, [true; 6]);
    assert_eq!([x < 1.0, 2.0 < x, x == 1.8, 1.8 == x, x > x + 1.0], [false; 5]);
}

#[test]
fn what_does_not_depend_on_the_parameters_has_no_slope_at_a_pole() {
    let (zero, x) = (First::constant(0.0), First::variable(0.0, 0));
    for constant in
        [zero.sqrt(), zero.cbrt(), zero.powf(0.5), (zero + 1.0).asin(), zero.hypot(zero)]
    {
        assert_eq!(constant.partials, [0.0; 2]);
    }
    let nested = Second::variable(Dual::variable(1.0, 1), 1);
    assert_eq!((nested * Second::from_f64(0.0).sqrt()).partials[1].partials[1], 0.0);
    assert_eq!(x.sqrt().partials[0], f64::INFINITY);
    assert_eq!(x.sqrt().partials[1], 0.0);
    // xʸ at 0: no slope in y, that of a power in x.
    let y = First::variable(2.0, 1);
    assert_eq!(x.powr(y).partials, [0.0, 0.0]);
    assert_eq!(x.powr(First::constant(1.0)).partials, [1.0, 0.0]);
    // (−2)³ where the exponent is no parameter.
    assert_eq!((x - 2.0).powr(First::constant(3.0)).partials, [12.0, 0.0]);
}

#[test]
fn kinks_have_the_slope_of_the_side_that_is_taken() {
    let x = First::variable(0.0, 0);
    assert_eq!((x.abs().partials[0], (-x).abs().partials[0]), (1.0, 1.0));
    let (low, high) = (First::variable(1.0, 0), First::variable(2.0, 1));
    assert_eq!(low.max(high).partials, [0.0, 1.0]);
    assert_eq!(high.min(low).partials, [1.0, 0.0]);
    let nan = First::constant(f64::NAN);
    for worse in [low.max(nan), nan.max(low), low.min(nan), nan.min(low)] {
        assert!(worse.value.is_nan());
    }
}

#[test]
fn whole_powers_are_products_whatever_the_platform() {
    let x = 1.0 + 1.0 / 3.0;
    assert_eq!(Real::powi(x, 5).to_bits(), (x * ((x * x) * (x * x))).to_bits());
    assert_eq!(Real::powi(x, -2).to_bits(), (1.0 / (x * x)).to_bits());
    assert_eq!(Real::powi(2.0_f64, i32::MIN), 0.0);
    let variable = First::variable(1.0, 0);
    assert_eq!(variable.powi(i32::MIN).partials[0], f64::from(i32::MIN));
    assert_eq!(First::variable(0.0, 0).powi(0).partials, [0.0; 2]);
}
