//! Curves from functions of Rust: the fits of the same formulas, from exact derivatives and from differences.

use secant::core::data::NistNonlinear;
use secant::{
    Curve, CurveFunction, Dataset, FitError, FromFn, FunctionFit, Origin, Real, Rho, curve,
};

/// a·e^(−bt) + c
struct Decay;

impl CurveFunction for Decay {
    fn value<T: Real>(&self, x: &[f64], p: &[T]) -> T {
        p[0] * (-p[1] * x[0]).exp() + p[2]
    }
}

/// Eckerle4's relative, MGH09 of NIST: b1·(x² + x·b2)/(x² + x·b3 + b4).
struct Mgh09;

impl CurveFunction for Mgh09 {
    fn value<T: Real>(&self, x: &[f64], p: &[T]) -> T {
        let x = x[0];
        p[0] * (p[1] * x + x * x) / (p[2] * x + p[3] + x * x)
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];
const START: [(&str, f64); 3] = [("a", 1.0), ("b", 0.1), ("c", 0.2)];

fn exact() -> Curve<FromFn> {
    Curve::from_function(NAMES, Decay)
}

fn closure() -> Curve<FromFn> {
    Curve::from_fn(NAMES, |x, p| p[0] * f64::exp(-p[1] * x[0]) + p[2])
}

fn data() -> Dataset {
    let x: Vec<f64> = (0..30).map(|i| 0.25 * f64::from(i)).collect();
    let y = x.iter().enumerate();
    let y: Vec<f64> =
        y.map(|(i, x)| 3.0 * f64::exp(-0.5 * x) + 1.0 + 0.1 * (7.0 * i as f64).sin()).collect();
    Dataset::from_slices(1, &x, 1, &y).unwrap().with_feature_names(vec!["t".into()]).unwrap()
}

fn near(one: f64, other: f64, tolerance: f64) -> bool {
    (one - other).abs() <= tolerance * other.abs().max(1e-3)
}

#[test]
fn a_function_is_fitted_as_its_formula() {
    let data = data();
    let sigma: Vec<f64> = (0..30).map(|i| 0.5 + 0.1 * f64::from(i % 7)).collect();
    let known = curve("a*exp(-b*t) + c").unwrap().start(START).sigma(&sigma).fit(&data).unwrap();
    let errors = known.inference().unwrap();
    for (curve, tolerance) in [(exact(), 1e-10), (closure(), 1e-7)] {
        let fit = curve.start(START).sigma(&sigma).fit(&data).unwrap();
        let found = fit.inference().unwrap();
        for name in NAMES {
            let (one, other) = (fit.value(name).unwrap(), known.value(name).unwrap());
            assert!(near(one, other, tolerance), "{name}: {one} {other}");
            let (one, other) = (found.estimate(name).unwrap(), errors.estimate(name).unwrap());
            assert!(near(one.standard_error, other.standard_error, 100.0 * tolerance), "{name}");
        }
        assert!(near(fit.report().value, known.report().value, 1e-10));
        let (t, level) = ([0.4, 9.0], 0.9);
        let bands = fit.band(&t, level).unwrap().into_iter().zip(known.band(&t, level).unwrap());
        for (one, other) in bands {
            assert!(near(one.value, other.value, 10.0 * tolerance));
            assert!(near(one.prediction.0, other.prediction.0, 100.0 * tolerance));
        }
        let predicted = fit.predict(&t).unwrap();
        assert!(near(predicted[1], known.predict(&t).unwrap()[1], 10.0 * tolerance));
    }
}

#[test]
fn differences_are_said_and_exact_derivatives_are_not() {
    let said =
        |fit: FunctionFit| fit.report().notes.iter().any(|note| note.contains("differences"));
    assert!(said(closure().start(START).fit(&data()).unwrap()));
    assert!(!said(exact().start(START).fit(&data()).unwrap()));
}

#[test]
fn certified_parameters_are_found_from_both_starts() {
    let set = NistNonlinear::read("data/nist/MGH09.dat").unwrap();
    let data = Dataset::from_slices(1, &set.x, 1, &set.y).unwrap();
    for start in &set.starts {
        let names = ["b1", "b2", "b3", "b4"];
        let curve = Curve::from_function(names, Mgh09).start(names.into_iter().zip(start.clone()));
        let fit = curve.fit(&data).unwrap();
        for (name, certified) in names.iter().zip(&set.parameters) {
            let found = fit.value(name).unwrap();
            assert!(near(found, *certified, 1e-8), "{name} from {start:?}: {found} {certified}");
        }
    }
}

#[test]
fn fixed_parameters_bounds_and_starts_that_are_looked_for() {
    let data = data();
    let fixed = exact().fix("c", 1.0).start(START[..2].to_vec()).fit(&data).unwrap();
    let known = curve("a*exp(-b*t) + 1").unwrap().start(START[..2].to_vec()).fit(&data).unwrap();
    assert!(near(fixed.value("b").unwrap(), known.value("b").unwrap(), 1e-10));
    assert!(matches!(fixed.parameters()[2].origin, Origin::Fixed));
    assert_eq!(fixed.value("c"), Some(1.0));
    let (found, errors) = (fixed.inference().unwrap(), known.inference().unwrap());
    let error = |of: &secant::Inference| of.estimate("b").unwrap().standard_error;
    assert!(near(error(&found), error(&errors), 1e-7));

    let bounded = curve("a*exp(-b*t) + c").unwrap().start(START).bounds("c", ..=0.5);
    let bounded = bounded.fit(&data).unwrap();
    for curve in [exact(), closure()] {
        let fit = curve.start(START).bounds("c", ..=0.5).fit(&data).unwrap();
        assert_eq!(fit.value("c"), Some(0.5));
        assert!(near(fit.value("b").unwrap(), bounded.value("b").unwrap(), 1e-6));
    }
    // No point outside of the bounds is asked for: the root has none there.
    let x: Vec<f64> = (1..20).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|x| 2.0 * x - 0.5).collect();
    let line = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let root = Curve::from_fn(["a", "b"], |x, p| p[0] * x[0] + p[1].sqrt());
    let root = root.start([("a", 1.0), ("b", 1.0)]).bounds("b", 0.0..).fit(&line).unwrap();
    assert_eq!(root.value("b"), Some(0.0));

    let drawn = exact().draws(500).fit(&data).unwrap();
    let known = curve("a*exp(-b*t) + c").unwrap().start(START).fit(&data).unwrap();
    assert!(near(drawn.value("b").unwrap(), known.value("b").unwrap(), 1e-8));
    assert!(drawn.report().notes.iter().any(|note| note.starts_with("automatic start: ")));
}

#[test]
fn outliers_a_column_of_sigma_and_a_picture() {
    let clean = data();
    let mut y = clean.targets().values().unwrap().to_vec();
    y[5] += 40.0;
    let outlying = Dataset::from_slices(1, clean.inputs(), 1, &y).unwrap();
    let robust = exact().start([("a", 2.0), ("b", 0.4), ("c", 0.5)]).robust(Rho::Tukey);
    let robust = robust.fit(&outlying).unwrap();
    assert!((robust.value("a").unwrap() - 3.0).abs() < 0.15, "{}", robust.report());
    assert!(robust.inference().unwrap_err().to_string().starts_with("the errors of a robust fit"));

    let sigma: Vec<f64> = (0..30).map(|i| 0.1 + 0.01 * f64::from(i % 7)).collect();
    let rows: Vec<f64> = clean.inputs().iter().zip(&sigma).flat_map(|(t, s)| [*s, *t]).collect();
    let table = Dataset::from_slices(2, &rows, 1, clean.targets().values().unwrap()).unwrap();
    let table = table.with_feature_names(vec!["err".into(), "t".into()]).unwrap();
    let by_column = exact().start(START).sigma_column("err").absolute_sigma(true).fit(&table);
    let by_column = by_column.unwrap();
    let by_sigma = exact().start(START).sigma(&sigma).absolute_sigma(true).fit(&clean).unwrap();
    assert!(near(by_column.value("b").unwrap(), by_sigma.value("b").unwrap(), 1e-12));
    let svg = by_column.figure("A decay").unwrap().svg().unwrap();
    for part in ["A decay", "data", "curve", "95 % band", "±σ", "residual"] {
        assert!(svg.contains(part), "{part}");
    }
}

#[test]
fn every_mistake_has_its_own_words() {
    let data = data();
    let words = |fit: Result<FunctionFit, FitError>| fit.unwrap_err().to_string();
    let two = Dataset::from_slices(1, &[1.0, 2.0], 2, &[1.0, 2.0, 3.0, 4.0]).unwrap();
    let labels = Dataset::from_labels(1, &[0.0, 1.0], 2, &[0, 1]).unwrap();
    let cases = [
        (
            words(Curve::from_fn(["a", "a"], |_, p| p[0] + p[1]).fit(&data)),
            r#"the names of the function's parameters are ["a", "a"]: at least one, each once"#,
        ),
        (
            words(Curve::from_fn([""; 0], |_, _| 1.0).fit(&data)),
            "the names of the function's parameters are []: at least one, each once",
        ),
        (
            words(exact().fit(&two)),
            "a function of one value for 2 columns of targets: one is needed",
        ),
        (
            words(exact().fit(&labels)),
            "a curve is fitted to numbers, these targets are class labels",
        ),
        (
            words(exact().start([("d", 1.0)]).fit(&data)),
            r#"the start of d: there is no such parameter, there are ["a", "b", "c"]"#,
        ),
        (
            words(exact().fix("d", 1.0).fit(&data)),
            r#"the fixed value of d: there is no such parameter, there are ["a", "b", "c"]"#,
        ),
        (
            words(exact().fix("a", 1.0).start([("a", 1.0)]).fit(&data)),
            "the start of a: it is fixed at 1",
        ),
        (
            words(exact().fix("a", 1.0).fix("b", 1.0).fix("c", 1.0).fit(&data)),
            "the formula has no parameter that is free: nothing to fit",
        ),
        (
            words(exact().start([("a", f64::NAN), ("b", 1.0), ("c", 1.0)]).fit(&data)),
            "the start of a is NaN",
        ),
        (
            words(Curve::from_fn(["a"], |x, p| (x[0] - p[0]).ln()).start([("a", 1.0)]).fit(&data)),
            "at the start (a = 1) the formula is NaN at sample 0 (from 0), where t = 0",
        ),
        (
            words(Curve::from_fn(["a"], |_, p| (-1.0 - p[0] * p[0]).ln()).fit(&data)),
            r#"no start was found: none of 2000 draws gives finite values at all samples. Give starts for ["a"]"#,
        ),
        (
            words(exact().start(START).method(secant::Lbfgs::default()).fit(&data)),
            "L-BFGS as the method of a curve by groups or of a function",
        ),
        (words(exact().start(START).sigma(&[1.0]).fit(&data)), "1 values of sigma for 30 samples"),
    ];
    for (found, expected) in cases {
        assert!(found.contains(expected), "{found}\nis not\n{expected}");
    }
    let fit = exact().start(START).fit(&data).unwrap();
    assert!(fit.predict(&[f64::NAN]).unwrap_err().to_string().contains("is NaN"));
}
