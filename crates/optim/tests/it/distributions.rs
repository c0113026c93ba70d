//! Distributions against mpmath (`tests/fixtures/distributions.json`, made by `benches/peers/distributions.py`).

use secant_optim::inference::distributions::{ChiSquared, Distribution, FisherF, Normal, StudentT};

/// Name, degrees of freedom, x, cdf, survival, quantile of the lesser of these.
type Row = (String, Vec<f64>, f64, f64, f64, f64);

fn rows() -> Vec<Row> {
    let text = include_str!("../../../../tests/fixtures/distributions.json");
    let fixture: serde_json::Value = serde_json::from_str(text).unwrap();
    serde_json::from_value(fixture["rows"].clone()).unwrap()
}

fn distribution(name: &str, degrees: &[f64]) -> Box<dyn Distribution> {
    match (name, degrees) {
        ("normal", []) => Box::new(Normal),
        ("t", [nu]) => Box::new(StudentT::new(*nu)),
        ("chi2", [k]) => Box::new(ChiSquared::new(*k)),
        ("f", [d1, d2]) => Box::new(FisherF::new(*d1, *d2)),
        _ => panic!("{name} {degrees:?}"),
    }
}

fn off(found: f64, expected: f64) -> f64 {
    if expected == 0.0 { found.abs() } else { ((found - expected) / expected).abs() }
}

/// 1e-13, and far out the rounding of the exponent: its u and v have three roundings each.
fn allowed(tail: f64) -> f64 {
    1e-13 + 4.0 * f64::EPSILON * tail.ln().abs()
}

#[test]
fn both_tails_equal_those_of_high_precision() {
    for (name, degrees, x, p, q, _) in rows() {
        let one = distribution(&name, &degrees);
        for (found, expected) in [(one.cdf(x), p), (one.survival(x), q)] {
            let off = off(found, expected);
            assert!(
                off < allowed(expected),
                "{name} {degrees:?} at {x}: {found:e}, is {expected:e}"
            );
        }
    }
}

#[test]
fn quantiles_of_the_lesser_tail_equal_those_of_high_precision() {
    for (name, degrees, x, p, q, quantile) in rows() {
        let one = distribution(&name, &degrees);
        let found = if p < q { one.quantile(p) } else { one.survival_quantile(q) };
        // About the median of t and the normal, at 0, the rounding of a tail of ½ is one of x.
        let symmetric = name == "t" || name == "normal";
        let rounding = if symmetric { 4.0 * f64::EPSILON } else { 0.0 };
        let allowed = allowed(p.min(q)) * quantile.abs() + rounding;
        assert!(
            (found - quantile).abs() <= allowed,
            "{name} {degrees:?} at {x}: {found:e}, is {quantile:e}"
        );
    }
}

#[test]
fn far_tails_of_t_are_those_of_closed_forms_where_the_square_overflows() {
    let (cauchy, two) = (StudentT::new(1.0), StudentT::new(2.0));
    for x in [1e3, 1e9, 1e100, 1e160, 1e250] {
        let expected = f64::atan(1.0 / x) / std::f64::consts::PI;
        assert!(off(cauchy.survival(x), expected) < 3e-13, "{x}");
        assert!(off(cauchy.survival_quantile(expected), x) < 3e-13, "{x}");
        assert!(off(cauchy.quantile(expected), -x) < 3e-13, "{x}");
    }
    for x in [1e9, 1e100, 1e150] {
        // (1 − x/√(x² + 2))/2 is 1/2x² there.
        let expected = 0.5 / x / x;
        assert!(off(two.survival(x), expected) < 3e-13, "{x}");
        assert!(off(two.survival_quantile(expected), x) < 3e-13, "{x}");
    }
}

#[test]
fn the_ends_are_the_ends_and_what_is_no_argument_is_nan() {
    let all: [(Box<dyn Distribution>, f64); 4] = [
        (Box::new(Normal), f64::NEG_INFINITY),
        (Box::new(StudentT::new(3.0)), f64::NEG_INFINITY),
        (Box::new(ChiSquared::new(3.0)), 0.0),
        (Box::new(FisherF::new(3.0, 4.0)), 0.0),
    ];
    for (one, least) in all {
        assert_eq!([one.quantile(0.0), one.survival_quantile(1.0)], [least; 2]);
        assert_eq!([one.quantile(1.0), one.survival_quantile(0.0)], [f64::INFINITY; 2]);
        assert_eq!([one.cdf(least), one.survival(least)], [0.0, 1.0]);
        assert_eq!([one.cdf(f64::INFINITY), one.survival(f64::INFINITY)], [1.0, 0.0]);
        for p in [-0.1, 1.1, f64::NAN] {
            assert!(one.quantile(p).is_nan() && one.survival_quantile(p).is_nan());
        }
        assert!(one.cdf(f64::NAN).is_nan() && one.survival(f64::NAN).is_nan());
    }
    for bad in [0.0, -1.0, f64::NAN] {
        let all: [Box<dyn Distribution>; 4] = [
            Box::new(StudentT::new(bad)),
            Box::new(ChiSquared::new(bad)),
            Box::new(FisherF::new(bad, 1.0)),
            Box::new(FisherF::new(1.0, bad)),
        ];
        for one in all {
            assert!(one.cdf(1.0).is_nan() && one.survival(1.0).is_nan());
            assert!(one.quantile(0.3).is_nan() && one.survival_quantile(0.3).is_nan());
        }
    }
}

#[test]
fn a_two_sided_p_value_is_that_of_both_tails() {
    for nu in [1.0, 7.0, 1e5, f64::INFINITY] {
        let t = StudentT::new(nu);
        for x in [-2.5, -0.3, 0.0, 1.1, 8.0] {
            let both = t.survival(f64::abs(x)) + t.cdf(-f64::abs(x));
            assert!(off(t.two_sided(x), both) < 1e-14, "{nu}, {x}");
        }
    }
}
