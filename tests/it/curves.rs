//! A curve from text: the minimum of NIST, from its starts and from none; bounds, ties, σ; every mistake by its name.

use secant::core::data::NistNonlinear;
use secant::inference::Status;
use secant::{Curve, CurveFit, Dataset, FitError, Inference, Origin, curve};

/// The sets that ship, with the formula.
const SETS: [(&str, &str); 6] = [
    ("Misra1a", "b1*(1 - exp(-b2*x))"),
    ("Lanczos3", "b1*exp(-b2*x) + b3*exp(-b4*x) + b5*exp(-b6*x)"),
    ("MGH09", "b1*(x^2 + x*b2)/(x^2 + x*b3 + b4)"),
    ("MGH17", "b1 + b2*exp(-x*b4) + b3*exp(-x*b5)"),
    ("Thurber", "(b1 + b2*x + b3*x^2 + b4*x^3)/(1 + b5*x + b6*x^2 + b7*x^3)"),
    (
        "ENSO",
        "b1 + b2*cos(2*pi*x/12) + b3*sin(2*pi*x/12) + b5*cos(2*pi*x/b4) + b6*sin(2*pi*x/b4) + b8*cos(2*pi*x/b7) + b9*sin(2*pi*x/b7)",
    ),
];

fn nist(name: &str) -> (NistNonlinear, Dataset) {
    let set = NistNonlinear::read(format!("data/nist/{name}.dat")).unwrap();
    let data = Dataset::from_slices(1, &set.x, 1, &set.y).unwrap();
    (set, data.with_feature_names(vec!["x".into()]).unwrap())
}

fn names(set: &NistNonlinear) -> Vec<String> {
    (1..=set.parameters.len()).map(|j| format!("b{j}")).collect()
}

/// The largest relative error of a parameter.
fn error(fit: &CurveFit, set: &NistNonlinear) -> f64 {
    let each = names(set).into_iter().zip(&set.parameters);
    each.map(|(name, b)| ((fit.value(&name).unwrap() - b) / b).abs()).fold(0.0, f64::max)
}

/// y = 3·e^(−x/2) + 1 at 30 places, to the last bit.
fn decay() -> Dataset {
    let x: Vec<f64> = (0..30).map(|i| 0.25 * f64::from(i)).collect();
    let y: Vec<f64> = x.iter().map(|x| 3.0 * f64::exp(-0.5 * x) + 1.0).collect();
    Dataset::from_slices(1, &x, 1, &y).unwrap().with_feature_names(vec!["t".into()]).unwrap()
}

/// The same with a ripple, so that the residuals are not zero.
fn rippled() -> Dataset {
    let data = decay();
    let y = data.targets().values().unwrap().iter().enumerate();
    let y: Vec<f64> = y.map(|(i, y)| y + 0.1 * (7.0 * i as f64).sin()).collect();
    let data = Dataset::from_slices(1, data.inputs(), 1, &y).unwrap();
    data.with_feature_names(vec!["t".into()]).unwrap()
}

fn refusal(curve: Result<Curve, FitError>, data: &Dataset) -> String {
    curve.and_then(|curve| curve.fit(data)).unwrap_err().to_string()
}

#[test]
fn certified_parameters_are_found_from_both_starts() {
    for (name, formula) in SETS {
        let (set, data) = nist(name);
        for start in &set.starts {
            let curve = curve(formula).unwrap().start(names(&set).iter().zip(start.clone()));
            let fit = curve.fit(&data).unwrap();
            assert!(error(&fit, &set) < 1e-8, "{name} from {start:?}: {}", fit.report());
        }
    }
}

#[test]
fn a_start_is_found_where_none_is_given() {
    for (name, formula) in &SETS[..5] {
        let (set, data) = nist(name);
        let fit = curve(formula).unwrap().draws(500).fit(&data).unwrap();
        let least = set.residual_sum_of_squares;
        let reached = fit.report().value * 2.0 * data.samples() as f64;
        assert!(
            (reached - least).abs() <= 1e-6 * least,
            "{name}: {reached:e} for {least:e}\n{}",
            fit.report()
        );
        assert!(fit.report().notes.iter().any(|note| note.starts_with("automatic start: ")));
    }
}

#[test]
fn an_automatic_start_has_the_same_bits_for_any_number_of_threads() {
    let data = rippled();
    let found = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let fit = pool.install(|| curve("a*exp(-b*t) + c").unwrap().draws(300).fit(&data).unwrap());
        fit.model().theta().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
    };
    assert!(found(1) == found(2) && found(1) == found(3));
}

#[test]
fn fixed_and_tied_parameters_are_those_of_the_formula_with_them_put_in() {
    let data = rippled();
    let tied = curve("a*exp(-b*t) + c").unwrap().tie("c", "a/3").fix("b", 0.5);
    let tied = tied.start([("a", 1.0)]).fit(&data).unwrap();
    let put_in = curve("a*exp(-0.5*t) + a/3").unwrap().start([("a", 1.0)]).fit(&data).unwrap();
    let a = put_in.value("a").unwrap();
    assert!((tied.value("a").unwrap() - a).abs() < 1e-12);
    assert_eq!(tied.value("c").unwrap(), tied.value("a").unwrap() / 3.0);
    assert_eq!(tied.value("b"), Some(0.5));
    let origins: Vec<&Origin> = tied.parameters().iter().map(|one| &one.origin).collect();
    assert!(matches!(origins[..], [Origin::Free { .. }, Origin::Fixed, Origin::Tied { .. }]));
    // A tie may bring in a name.
    let ratio = curve("a*exp(-b*t) + c").unwrap().tie("c", "a*ratio");
    let ratio = ratio.start([("a", 2.0), ("b", 1.0), ("ratio", 0.1)]).fit(&decay()).unwrap();
    assert!((ratio.value("ratio").unwrap() - 1.0 / 3.0).abs() < 1e-10);
}

/// `e` without quotes is a number, `exp` a function, and `b (s)` no formula.
#[test]
fn parameters_may_have_names_that_mean_something_else_without_quotes() {
    let data = rippled();
    let plain = curve("a*exp(-b*t) + c").unwrap().start([("a", 2.0), ("b", 1.0), ("c", 0.1)]);
    let plain = plain.fit(&data).unwrap();
    let quoted = curve("`e`*exp(-`b (s)`*t) + `exp`").unwrap();
    let quoted = quoted.start([("e", 2.0), ("b (s)", 1.0), ("exp", 0.1)]).fit(&data).unwrap();
    for (name, other) in [("a", "e"), ("b", "b (s)"), ("c", "exp")] {
        assert_eq!(quoted.value(other), plain.value(name), "{other}");
    }
    let error =
        |fit: &CurveFit, name| fit.inference().unwrap().estimate(name).unwrap().standard_error;
    assert_eq!(error(&quoted, "e"), error(&plain, "a"));
}

#[test]
fn in_bounds_the_minimum_is_that_of_the_face_it_lies_on() {
    let data = rippled();
    let start = [("a", 1.0), ("b", 0.1), ("c", 0.2)];
    let bounded =
        curve("a*exp(-b*t) + c").unwrap().start(start).bounds("c", ..=0.5).bounds("a", 0.0..);
    let bounded = bounded.fit(&data).unwrap();
    assert_eq!(bounded.value("c"), Some(0.5));
    let held = curve("a*exp(-b*t) + c")
        .unwrap()
        .fix("c", 0.5)
        .start(start[..2].to_vec())
        .fit(&data)
        .unwrap();
    for name in ["a", "b"] {
        let (one, other) = (bounded.value(name).unwrap(), held.value(name).unwrap());
        assert!((one - other).abs() < 1e-7 * other.abs(), "{name}: {one} {other}");
    }
}

#[test]
fn sigma_is_a_weight_of_its_inverse_square() {
    let data = rippled();
    let sigma: Vec<f64> = (0..30).map(|i| 0.5 + 0.1 * f64::from(i % 7)).collect();
    let start = [("a", 1.0), ("b", 0.1), ("c", 0.2)];
    let fit = |curve: Curve, data: &Dataset| curve.start(start).fit(data).unwrap();
    let by_sigma = fit(curve("a*exp(-b*t) + c").unwrap().sigma(&sigma), &data);
    let weights = sigma.iter().map(|s| 1.0 / (s * s)).collect();
    let weighted = data.clone().with_weights(weights).unwrap();
    let by_weights = fit(curve("a*exp(-b*t) + c").unwrap(), &weighted);
    // As a column of the table.
    let rows: Vec<f64> = data.inputs().iter().zip(&sigma).flat_map(|(t, s)| [*s, *t]).collect();
    let table = Dataset::from_slices(2, &rows, 1, data.targets().values().unwrap()).unwrap();
    let table = table.with_feature_names(vec!["err".into(), "t".into()]).unwrap();
    let by_column = fit(curve("a*exp(-b*t) + c").unwrap().sigma_column("err"), &table);
    let plain = fit(curve("a*exp(-b*t) + c").unwrap(), &data);
    for name in ["a", "b", "c"] {
        let value = by_weights.value(name).unwrap();
        assert!((by_sigma.value(name).unwrap() - value).abs() < 1e-10);
        assert!((by_column.value(name).unwrap() - value).abs() < 1e-10);
        assert!((plain.value(name).unwrap() - value).abs() > 1e-5);
    }
}

#[test]
fn several_formulas_share_their_parameters() {
    let t: Vec<f64> = (0..20).map(|i| 0.3 * f64::from(i)).collect();
    let y: Vec<f64> =
        t.iter().flat_map(|t| [2.0 * f64::exp(-0.7 * t), 5.0 - 3.0 * f64::exp(-0.7 * t)]).collect();
    let data =
        Dataset::from_slices(1, &t, 2, &y).unwrap().with_feature_names(vec!["t".into()]).unwrap();
    let curve = Curve::several(&["a*exp(-k*t)", "c - d*exp(-k*t)"]).unwrap();
    let fit = curve.start([("a", 1.0), ("k", 0.2), ("c", 1.0), ("d", 1.0)]).fit(&data).unwrap();
    for (name, value) in [("a", 2.0), ("k", 0.7), ("c", 5.0), ("d", 3.0)] {
        assert!((fit.value(name).unwrap() - value).abs() < 1e-9, "{name}");
    }
    let words = refusal(secant::curve("a*t"), &data);
    assert_eq!(words, "1 formula(s) for 2 column(s) of targets: one for each");
}

#[test]
fn outliers_do_not_move_a_robust_curve() {
    let clean = rippled();
    let mut y = clean.targets().values().unwrap().to_vec();
    y[5] += 40.0;
    y[17] -= 25.0;
    let data = Dataset::from_slices(1, clean.inputs(), 1, &y).unwrap();
    let data = data.with_feature_names(vec!["t".into()]).unwrap();
    let robust = curve("a*exp(-b*t) + c").unwrap().start([("a", 2.0), ("b", 0.4), ("c", 0.5)]);
    let plain = robust.clone().fit(&data).unwrap();
    let robust = robust.robust(secant::Rho::Tukey).fit(&data).unwrap();
    assert!((robust.value("a").unwrap() - 3.0).abs() < 0.15, "{}", robust.report());
    assert!((plain.value("a").unwrap() - 3.0).abs() > 1.0);
}

#[test]
fn errors_of_tied_parameters_follow_from_those_that_they_are_tied_to() {
    let data = rippled();
    let plain = curve("a*exp(-b*t) + c").unwrap().fit(&data).unwrap();
    let known = plain.inference().unwrap();
    let error = |found: &Inference, name: &str| found.estimate(name).unwrap().standard_error;
    // The same curve by its half-life: the error of log(2)/b is that of b times log(2)/b².
    let half = curve("a*exp(-b*t) + c").unwrap().tie("b", "log(2)/h").tie("c", "base*a");
    let half = half.start([("a", 3.0), ("h", 1.5), ("base", 0.3)]).fit(&data).unwrap();
    let found = half.inference().unwrap();
    let b = plain.value("b").unwrap();
    let h = 2.0_f64.ln() / b;
    assert!((half.value("h").unwrap() - h).abs() < 1e-7);
    assert!((error(&found, "h") / (error(&known, "b") * h / b) - 1.0).abs() < 1e-6);
    for name in ["a", "b", "c"] {
        assert!((error(&found, name) / error(&known, name) - 1.0).abs() < 1e-6, "{name}");
    }
    let (i, j) = (found.position("a").unwrap(), found.position("c").unwrap());
    let (k, l) = (known.position("a").unwrap(), known.position("c").unwrap());
    assert!((found.correlation(i, j) - known.correlation(k, l)).abs() < 1e-6);
    // What is fixed has no error, and the others are those of the formula with the number in it.
    let fixed = curve("a*exp(-b*t) + c").unwrap().fix("c", 1.0).fit(&data).unwrap();
    let fixed = fixed.inference().unwrap();
    let put_in = curve("a*exp(-b*t) + 1").unwrap().fit(&data).unwrap().inference().unwrap();
    assert_eq!(fixed.estimate("c").unwrap().status, Status::Fixed);
    assert!((error(&fixed, "a") / error(&put_in, "a") - 1.0).abs() < 1e-9);
    // The band is the same however the curve is written.
    let places = [0.0, 1.0, 10.0];
    let bands = plain.band(&places, 0.9).unwrap().into_iter().zip(half.band(&places, 0.9).unwrap());
    for (one, other) in bands {
        assert!((one.standard_error / other.standard_error - 1.0).abs() < 1e-6);
        assert!((one.prediction.1 - other.prediction.1).abs() < 1e-6);
    }
    let robust = curve("a*t").unwrap().robust(secant::Rho::Huber).fit(&data).unwrap();
    assert!(robust.inference().unwrap_err().to_string().starts_with("the errors of a robust fit"));
}

#[test]
fn absolute_sigmas_are_the_scale_of_the_errors() {
    let data = rippled();
    let fit = |factor: f64, absolute: bool| {
        let curve = curve("a*exp(-b*t) + c").unwrap().sigma(&[factor; 30]);
        let curve = curve.start([("a", 3.0), ("b", 0.5), ("c", 1.0)]).absolute_sigma(absolute);
        curve.fit(&data).unwrap().inference().unwrap()
    };
    let error = |found: &Inference| found.estimate("b").unwrap().standard_error;
    let (known, relative) = (fit(0.2, true), fit(0.2, false));
    assert!((error(&known) / error(&fit(0.1, true)) - 2.0).abs() < 1e-9);
    assert!((error(&relative) / error(&fit(0.1, false)) - 1.0).abs() < 1e-9);
    // χ² is what s² is measured by: σ²·χ²/(m − p) = s², and so the errors.
    let scale = (known.measures.chi_squared / 27.0).sqrt();
    assert!((error(&relative) / error(&known) / scale - 1.0).abs() < 1e-9);
    // The same by hand: σ²(JᵀJ)⁻¹ of a line.
    let line = curve("a + b*t").unwrap().sigma(&[0.2; 30]).absolute_sigma(true);
    let line = line.fit(&data).unwrap().inference().unwrap();
    let mean = data.inputs().iter().sum::<f64>() / 30.0;
    let spread = data.inputs().iter().map(|t| (t - mean).powi(2)).sum::<f64>();
    assert!((error(&line) / (0.2 / spread.sqrt()) - 1.0).abs() < 1e-12);
}

#[test]
fn the_picture_has_data_curve_band_and_residuals() {
    let curve = curve("a*exp(-b*t) + c").unwrap().sigma(&[0.1; 30]).absolute_sigma(true);
    let fit = curve.fit(&rippled()).unwrap();
    let svg = fit.figure("A decay").unwrap().svg().unwrap();
    for part in ["A decay", "data", "curve", "95 % band", "±σ", "residual"] {
        assert!(svg.contains(part), "{part}");
    }
    // The data twice, in the curve's panel and in that of the residuals, and once in the legend.
    assert!(svg.matches("<circle").count() >= 60);
    let two =
        Dataset::from_slices(2, &[1.0, 2.0, 3.0, 5.0, 4.0, 4.5], 1, &[1.0, 2.0, 4.0]).unwrap();
    let plane = secant::curve("a*x1 + b*x2").unwrap().fit(&two).unwrap();
    let words = plane.figure("").unwrap_err().to_string();
    assert_eq!(
        words,
        r#"a curve is drawn of 1 input and 1 output, this one has 2 ["x1", "x2"] and 1"#
    );
}

#[test]
fn a_fitted_curve_is_saved_and_predicts_the_same_bits() {
    let fit = curve("a*exp(-b*t) + c")
        .unwrap()
        .start([("a", 1.0), ("b", 0.1), ("c", 0.2)])
        .fit(&rippled())
        .unwrap();
    let bytes = fit.model().to_bytes().unwrap();
    let again = secant::Model::from_bytes(&bytes).unwrap();
    let t = [0.1, 2.0, 30.0];
    assert_eq!(again.predict(&t).unwrap(), fit.predict(&t).unwrap());
    assert!(
        (again.predict(&[0.0]).unwrap()[0] - fit.value("a").unwrap() - fit.value("c").unwrap())
            .abs()
            < 1e-15
    );
}

#[test]
fn every_mistake_has_its_own_words() {
    let data = decay();
    let base = || curve("a*exp(-b*t) + c");
    let with = |change: &dyn Fn(Curve) -> Curve| refusal(base().map(change), &data);
    let cases = [
        (refusal(curve("a*exq(-b*t)"), &data), "there is no function `exq`: did you mean `exp`?"),
        (
            refusal(curve("a*exp(-b*x)"), &data),
            r#"the formula has none of the features ["t"]: its names ["a", "b", "x"] are all parameters"#,
        ),
        (refusal(curve("2*t"), &data), "the formula has no parameter that is free: nothing to fit"),
        (
            refusal(curve("rate*t").map(|curve| curve.start([("rat", 1.0)])), &data),
            r#"the start of rat: there is no such parameter, there are ["rate"]: did you mean `rate`?"#,
        ),
        (
            with(&|curve| curve.start([("t", 1.0)])),
            r#"the start of t: there is no such parameter, there are ["a", "b", "c"]"#,
        ),
        (with(&|curve| curve.start([("a", f64::NAN)])), "the start of a is NaN"),
        (
            with(&|curve| curve.start([("a", -1.0)]).bounds("a", 0.0..)),
            "the start of a is -1, outside of its bounds [0, inf]",
        ),
        (
            with(&|curve| curve.bounds("a", 2.0..1.0)),
            "the bounds of a are [2, 1]: no number lies between",
        ),
        (
            with(&|curve| curve.fix("a", 2.0).start([("a", 1.0)])),
            "the start of a: it is fixed at 2",
        ),
        (
            with(&|curve| curve.tie("a", "2*b").bounds("a", 0.0..)),
            "the bounds of a: it is tied to 2*b",
        ),
        (
            with(&|curve| curve.tie("a", "b").tie("b", "2*a")),
            "the replacements go in a circle: a → b → a",
        ),
        (
            with(&|curve| curve.tie("a", "2*t")),
            "the tie of a names the feature t: a parameter is one number for all samples",
        ),
        (with(&|curve| curve.sigma(&[1.0, 2.0])), "2 values of sigma for 30 samples"),
        (
            with(&|curve| curve.sigma(&[0.0; 30])),
            "sigma of sample 0 (from 0) is 0, expected a positive finite number",
        ),
        (
            with(&|curve| curve.sigma_column("s")),
            r#"the sigma column s: there is no such column, there are ["t"]"#,
        ),
        (
            with(&|curve| curve.sigma_column("t").sigma(&[1.0; 30])),
            "`sigma` and `sigma_column` are two answers to one question: leave one out",
        ),
        (
            refusal(curve("a*t + 0*b*t"), &data),
            "nothing depends on the parameter b: fix it, or leave it out of the formula",
        ),
        (
            refusal(
                curve("a*log(t - b)").map(|curve| curve.start([("a", 1.0), ("b", 0.5)])),
                &data,
            ),
            "at the start (a = 1, b = 0.5) the formula is NaN at sample 0 (from 0), where t = 0",
        ),
        (
            refusal(curve("a*log(-1 - t^2*b^2)"), &data),
            r#"no start was found: none of 2000 draws gives finite values at all samples. Give starts for ["a", "b"]"#,
        ),
    ];
    for (found, expected) in cases {
        assert!(found.contains(expected), "{found}\nis not\n{expected}");
    }
    let labels = Dataset::from_labels(1, &[0.0, 1.0], 2, &[0, 1]).unwrap();
    assert_eq!(
        refusal(curve("a*x1"), &labels),
        "a curve is fitted to numbers, these targets are class labels"
    );
    let method = base().map(|curve| curve.bounds("a", 0.0..).method(secant::Lbfgs::default()));
    assert!(refusal(method, &data).starts_with("bounds of a curve and L-BFGS given as its method"));
}
