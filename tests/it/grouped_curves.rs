//! One curve of several groups of data: the fits of other programs, of dense formulas and of the groups alone; every mistake by its name.

use secant::inference::{Sandwich, Status};
use secant::{
    Curve, CurveFit, CurveFunction, Dataset, FitError, FromFn, Grouped, GroupedFit, Interrupt,
    OneSet, Origin, Real, Reason, Rho, curve,
};
use serde_json::Value;

/// y = aᵍ·e^(−0.6t) + cᵍ with a ripple; the columns run and t, samples of the runs in turn.
fn runs(groups: usize, samples: usize) -> Dataset {
    let (mut inputs, mut y) = (Vec::new(), Vec::new());
    for i in 0..samples {
        for g in 0..groups {
            let t = 6.0 * (i as f64 + 0.3 * (g % 3) as f64) / samples as f64;
            let (a, c) = (1.0 + 0.5 * (g % 7) as f64, 0.1 * (g % 5) as f64);
            inputs.extend([(g + 1) as f64, t]);
            let ripple = 0.05 * f64::sin(7.0 * (i * groups + g) as f64);
            y.push(a * f64::exp(-0.6 * t) + c + ripple);
        }
    }
    table(&["run", "t"], &inputs, &y)
}

fn table(names: &[&str], inputs: &[f64], y: &[f64]) -> Dataset {
    let outputs = y.len() / (inputs.len() / names.len());
    let data = Dataset::from_slices(names.len(), inputs, outputs, y).unwrap();
    data.with_feature_names(names.iter().map(|name| (*name).to_owned()).collect()).unwrap()
}

/// The samples of one run, without its column.
fn one_run(data: &Dataset, run: f64) -> Dataset {
    let y = data.targets().values().unwrap();
    let rows = data.inputs().chunks_exact(2).zip(y);
    let (t, y): (Vec<f64>, Vec<f64>) =
        rows.filter(|(row, _)| row[0] == run).map(|(row, y)| (row[1], *y)).unzip();
    table(&["t"], &t, &y)
}

const START: [(&str, f64); 3] = [("a", 1.0), ("b", 1.0), ("c", 0.0)];

fn decay() -> Curve {
    curve("a*exp(-b*t) + c").unwrap().start(START)
}

fn near(one: f64, other: f64, tolerance: f64) -> bool {
    (one - other).abs() <= tolerance * other.abs().max(1e-3)
}

fn assert_same(fit: &GroupedFit, group: &str, other: &CurveFit, tolerance: f64) {
    let (found, expected) =
        (fit.group(group).unwrap().inference().unwrap(), other.inference().unwrap());
    for one in other.parameters() {
        let value = fit.value_of(group, &one.name).unwrap();
        assert!(near(value, one.value, tolerance), "{}: {value} {}", one.name, one.value);
        let (i, j) = (found.position(&one.name).unwrap(), expected.position(&one.name).unwrap());
        let (error, known) =
            (found.estimates[i].standard_error, expected.estimates[j].standard_error);
        assert!(near(error, known, 100.0 * tolerance), "error of {}: {error} {known}", one.name);
    }
}

/// A case of the fixture: its data sets, the σ of all samples, what SciPy and lmfit found.
struct Case {
    name: &'static str,
    sets: Vec<Dataset>,
    sigma: Vec<f64>,
    expected: Value,
}

impl Case {
    fn read(name: &'static str) -> Self {
        let text = include_str!("../fixtures/grouped_curves.json");
        let fixture: Value = serde_json::from_str(text).unwrap();
        let numbers = |value: &Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
        };
        let cases = fixture["cases"].as_array().unwrap();
        let expected = cases.iter().find(|case| case["name"] == name).unwrap().clone();
        let (mut sigma, mut sets) = (Vec::new(), Vec::new());
        for group in expected["groups"].as_array().unwrap() {
            sets.push(table(&["t"], &numbers(&group["x"]), &numbers(&group["y"])));
            sigma.extend(numbers(&group["sigma"]));
        }
        Self { name, sets, sigma, expected }
    }

    fn fit<K: OneSet>(&self, curve: Curve<Grouped<K>>) -> GroupedFit<K> {
        let keys = (0..self.sets.len()).map(|g| g.to_string());
        curve.sigma(&self.sigma).fit_sets(keys.zip(&self.sets)).unwrap()
    }

    /// Parameters, errors, which are at a bound, and the sum of squares; `digits` are those of the curve's derivatives.
    fn assert<K: OneSet>(&self, fit: &GroupedFit<K>, digits: f64) {
        let (name, expected) = (self.name, &self.expected);
        let found = fit.inference().unwrap();
        for (parameter, value) in expected["parameters"].as_object().unwrap() {
            let estimate = found.estimate(parameter).unwrap();
            let (value, known) = (estimate.value, value.as_f64().unwrap());
            assert!(near(value, known, 1e-7 * digits), "{name} {parameter}: {value} {known}");
            match expected["errors"][parameter].as_f64() {
                Some(known) => {
                    let error = estimate.standard_error;
                    let same = near(error, known, 1e-6 * digits);
                    assert!(same, "{name}, error of {parameter}: {error} {known}");
                }
                None => assert_eq!(estimate.status, Status::AtBound, "{name} {parameter}"),
            }
        }
        let squares = expected["residual_sum_of_squares"].as_f64().unwrap();
        assert!(near(found.whole().residual_sum_of_squares, squares, 1e-9));
    }
}

#[test]
fn global_fits_are_those_of_scipy_and_lmfit() {
    let decay = || curve("a*exp(-b*t) + c").unwrap().own(["a", "c"]);
    let peaks = curve("h*exp(-((t - m)/w)^2) + base").unwrap().own(["h", "m"]);
    for (curve, name) in [
        (decay(), "decays"),
        (peaks, "peaks"),
        (decay().bounds("c", 0.0..).bounds("b", 0.0..0.55), "bounded"),
    ] {
        let case = Case::read(name);
        // The starts are looked for.
        case.assert(&case.fit(curve.draws(500)), 1.0);
    }
}

/// a·e^(−bt) + c
struct Decay;

impl CurveFunction for Decay {
    fn value<T: Real>(&self, t: &[f64], p: &[T]) -> T {
        p[0] * (-p[1] * t[0]).exp() + p[2]
    }
}

/// h·e^(−((t − m)/w)²) + base
struct Peak;

impl CurveFunction for Peak {
    fn value<T: Real>(&self, t: &[f64], p: &[T]) -> T {
        let u = (-p[1] + t[0]) / p[2];
        p[0] * (-(u * u)).exp() + p[3]
    }
}

#[test]
fn functions_have_groups_as_formulas_have() {
    let names = ["a", "b", "c"];
    let decay = |t: &[f64], p: &[f64]| p[0] * f64::exp(-p[1] * t[0]) + p[2];
    for (name, bounded) in [("decays", false), ("bounded", true)] {
        let case = Case::read(name);
        let within = |curve: Curve<Grouped<FromFn>>| {
            if bounded { curve.bounds("c", 0.0..).bounds("b", 0.0..0.55) } else { curve }
        };
        let start = [("a", 1.0), ("b", 0.5), ("c", 0.1)];
        let exact = within(Curve::from_function(names, Decay).start(start).own(["a", "c"]));
        case.assert(&case.fit(exact), 1.0);
        let closure = within(Curve::from_fn(names, decay).start(start).own(["a", "c"]));
        case.assert(&case.fit(closure), 100.0);
        // Looked for, with all groups as one.
        let sought = within(Curve::from_function(names, Decay).draws(500).own(["a", "c"]));
        let fit = case.fit(sought);
        assert!(fit.report().notes.iter().any(|note| note.ends_with("of all groups as one")));
        case.assert(&fit, 1.0);
    }
    let case = Case::read("peaks");
    let peaks = Curve::from_function(["h", "m", "w", "base"], Peak).own(["h", "m"]);
    let mut peaks = peaks.start([("h", 2.0), ("w", 1.0), ("base", 0.0)]);
    for (g, set) in case.sets.iter().enumerate() {
        let points = set.inputs().iter().zip(set.targets().values().unwrap());
        let highest = points.max_by(|one, other| one.1.total_cmp(other.1)).unwrap();
        peaks = peaks.start_of(&g.to_string(), [("m", *highest.0)]);
    }
    case.assert(&case.fit(peaks), 1.0);
}

#[test]
fn a_group_of_a_function_is_that_of_the_formula() {
    let data = runs(3, 20);
    let formula = decay().groups("run").own(["a", "c"]).fit(&data).unwrap();
    let function = || Curve::from_function(["a", "b", "c"], Decay).start(START[..2].to_vec());
    let function = || function().groups("run");
    let fit = function().start([START[2]]).own(["a", "c"]).fit(&data).unwrap();
    assert_eq!(
        (fit.groups(), fit.shared(), fit.own()),
        (formula.groups(), vec!["b"], vec!["a", "c"])
    );
    assert!(fit.to_string().starts_with("f(t; a, b, c)\nb = "), "{fit}");
    let at = [0.0, 1.5, 4.0];
    for run in ["1", "3"] {
        let (one, other) = (fit.group(run).unwrap(), formula.group(run).unwrap());
        for (found, expected) in one.predict(&at).unwrap().iter().zip(other.predict(&at).unwrap()) {
            assert!(near(*found, expected, 1e-9));
        }
        let bands = fit.band(run, &at, 0.9).unwrap();
        for (found, expected) in bands.iter().zip(other.band(&at, 0.9).unwrap()) {
            assert!(near(found.confidence.0, expected.confidence.0, 1e-7));
            assert!(near(found.prediction.1, expected.prediction.1, 1e-7));
        }
        for parameter in other.parameters() {
            let same = one.parameters().iter().find(|known| known.name == parameter.name).unwrap();
            assert_eq!(same.origin, parameter.origin);
            let (found, known) = (one.inference().unwrap(), other.inference().unwrap());
            let error = |of: &secant::inference::Inference| {
                of.estimate(&parameter.name).unwrap().standard_error
            };
            assert!(near(error(&found), error(&known), 1e-7), "{}", parameter.name);
        }
    }
    let panels = fit.figure("").unwrap().svg().unwrap();
    assert!(panels.contains("run = 3"));
    // A fixed parameter is every group's, and no own one.
    let fixed = function().own(["a"]).fix("c", 0.2).fit(&data).unwrap();
    assert_eq!(fixed.value("c"), Some(0.2));
    let words = |fit: Result<GroupedFit<FromFn>, FitError>| fit.unwrap_err().to_string();
    let text = words(function().own(["c"]).fix("c", 0.2).fit(&data));
    assert!(text.contains("fixed at 0.2"), "{text}");
    let text = words(Curve::from_fn(["a"], |_, p| p[0]).groups("batch").fit(&data));
    assert!(text.contains("batch"), "{text}");
    let text = words(function().start_of("9", [("a", 1.0)]).own(["a"]).fit(&data));
    assert!(text.contains('9'), "{text}");
    let odd = Curve::from_fn(["a"], |x, p| p[0] / x[0]).start([("a", 1.0)]).groups("run");
    let text = words(odd.fit(&data));
    assert!(text.contains("t = 0"), "{text}");
    let only = table(&["run"], &[1.0, 1.0, 2.0], &[1.0, 2.0, 3.0]);
    let text = words(function().fit(&only));
    assert!(text.contains("no inputs"), "{text}");
}

#[test]
fn one_group_is_the_curve_by_itself() {
    let data = one_run(&runs(3, 20), 2.0);
    let alone = decay().fit(&data).unwrap();
    for own in [&["a", "c"][..], &["a", "b", "c"], &[]] {
        let fit = decay().own(own).fit_sets([("all", &data)]).unwrap();
        assert_same(&fit, "all", &alone, 1e-10);
        let value = alone.report().value;
        assert!(near(fit.report().value, value, 1e-12), "{} {value}", fit.report());
    }
}

#[test]
fn groups_that_share_nothing_are_fits_of_their_own() {
    let data = runs(4, 15);
    let fit = decay().groups("run").own(["a", "b", "c"]).fit(&data).unwrap();
    for run in 1..=4 {
        let alone = decay().fit(&one_run(&data, f64::from(run))).unwrap();
        for one in alone.parameters() {
            let value = fit.value_of(&run.to_string(), &one.name).unwrap();
            assert!(near(value, one.value, 1e-9), "{run} {}: {value} {}", one.name, one.value);
        }
    }
}

#[test]
fn a_dense_formula_of_all_groups_has_the_same_parameters_and_errors() {
    let data = runs(3, 15);
    let text = "if(run < 1.5, a1, if(run < 2.5, a2, a3))*exp(-b*t) + if(run < 1.5, c1, if(run < 2.5, c2, c3))";
    let names = ["a1", "a2", "a3", "c1", "c2", "c3", "b"];
    let dense = curve(text).unwrap().start(names.map(|name| (name, 0.5))).fit(&data).unwrap();
    let fit = decay().groups("run").own(["a", "c"]).fit(&data).unwrap();
    for sandwich in [None, Some(Sandwich::Hc3)] {
        let known = match sandwich {
            None => dense.inference().unwrap(),
            Some(kind) => dense.inference_with(|infer| infer.robust(kind)).unwrap(),
        };
        let found = match sandwich {
            None => fit.inference().unwrap(),
            Some(kind) => fit.inference_with(|infer| infer.robust(kind)).unwrap(),
        };
        for run in ["1", "2", "3"] {
            let of_run = found.of(run).unwrap();
            let pairs = [("a", format!("a{run}")), ("c", format!("c{run}")), ("b", "b".into())];
            let label = |name: &str| match name {
                "b" => "b".to_owned(),
                own => format!("{own}[run={run}]"),
            };
            for (name, other) in &pairs {
                let (i, j) =
                    (of_run.position(&label(name)).unwrap(), known.position(other).unwrap());
                assert!(near(of_run.estimates[i].value, known.estimates[j].value, 1e-9));
                for (second, other) in &pairs {
                    let (k, l) =
                        (of_run.position(&label(second)).unwrap(), known.position(other).unwrap());
                    let (one, other) = (of_run.covariance(i, k), known.covariance(j, l));
                    assert!((one - other).abs() <= 1e-9 * other.abs().max(1e-6), "{one} {other}");
                }
            }
            assert_eq!(of_run.degrees, known.degrees);
            assert!(near(of_run.measures.r_squared, known.measures.r_squared, 1e-12));
            assert!(near(of_run.measures.bic, known.measures.bic, 1e-10));
        }
        // The band of a group is that of the dense formula there.
        if sandwich.is_none() {
            let band = fit.band("2", &[0.5, 9.0], 0.9).unwrap();
            let known = dense.band(&[2.0, 0.5, 2.0, 9.0], 0.9).unwrap();
            for (one, other) in band.iter().zip(&known) {
                assert!(near(one.value, other.value, 1e-9));
                assert!(near(one.standard_error, other.standard_error, 1e-7));
                assert!(near(one.prediction.1, other.prediction.1, 1e-7));
            }
        }
    }
}

#[test]
fn a_tie_may_mix_shared_and_own_parameters() {
    let data = runs(3, 15);
    let plain = decay().groups("run").own(["a", "c"]).fit(&data).unwrap();
    let known = plain.inference().unwrap();
    // c = share·a in each group, and the rate by its half-life.
    let tied = curve("a*exp(-b*t) + c").unwrap().groups("run").own(["a", "share"]);
    let tied = tied.tie("c", "share*a").tie("b", "log(2)/half");
    let tied = tied.start([("a", 1.0), ("share", 0.1), ("half", 1.0)]).fit(&data).unwrap();
    assert_eq!((tied.shared(), tied.own()), (vec!["b", "half"], vec!["a", "c", "share"]));
    let found = tied.inference().unwrap();
    for run in ["1", "2", "3"] {
        for name in ["a", "b", "c"] {
            let (one, other) =
                (tied.value_of(run, name).unwrap(), plain.value_of(run, name).unwrap());
            assert!(near(one, other, 1e-8), "{run} {name}: {one} {other}");
            let label = if name == "b" { "b".to_owned() } else { format!("{name}[run={run}]") };
            let (one, other) = (found.estimate(&label).unwrap(), known.estimate(&label).unwrap());
            assert!(near(one.standard_error, other.standard_error, 1e-6), "{label}");
        }
        let a = tied.value_of(run, "a").unwrap() * tied.value_of(run, "share").unwrap();
        assert_eq!(tied.value_of(run, "c"), Some(a));
    }
    let b = tied.value("b").unwrap();
    let half = found.estimate("half").unwrap().standard_error;
    let expected = known.estimate("b").unwrap().standard_error * 2.0_f64.ln() / (b * b);
    assert!(near(half, expected, 1e-6));
    // A fixed parameter is one number in all groups, and has no error.
    let fixed = curve("a*exp(-b*t) + c").unwrap().groups("run").own(["a"]).fix("c", 0.1);
    let fixed = fixed.fit(&data).unwrap();
    assert_eq!(fixed.value("c"), Some(0.1));
    assert_eq!(fixed.inference().unwrap().estimate("c").unwrap().status, Status::Fixed);
    let origins = fixed.parameters_of("2").unwrap();
    assert!(matches!(origins[2].origin, Origin::Fixed));
}

#[test]
fn keys_columns_and_sets_are_one_question() {
    let data = runs(3, 15);
    let by_column = decay().groups("run").own(["a", "c"]).fit(&data).unwrap();
    let t: Vec<f64> = data.inputs().chunks_exact(2).map(|row| row[1]).collect();
    let keys: Vec<String> =
        data.inputs().chunks_exact(2).map(|row| format!("no. {}", row[0])).collect();
    let without = table(&["t"], &t, data.targets().values().unwrap());
    let by_keys = decay().groups_of(&keys).own(["a", "c"]).fit(&without).unwrap();
    let sets: Vec<Dataset> = (1..=3).map(|run| one_run(&data, f64::from(run))).collect();
    let names = ["first", "second", "third"];
    let by_sets = decay().own(["a", "c"]).fit_sets(names.iter().zip(&sets)).unwrap();
    assert_eq!(by_column.groups(), ["1", "2", "3"]);
    assert_eq!(by_keys.groups(), ["no. 1", "no. 2", "no. 3"]);
    assert_eq!(by_sets.groups(), names);
    assert_eq!(by_column.theta(), by_keys.theta());
    assert_eq!(by_column.theta(), by_sets.theta());
    assert!(by_sets.inference().unwrap().estimate("a[second]").is_some());
    let csv = by_keys.to_csv();
    assert!(csv.starts_with("group,a,b,c\nno. 1,"), "{csv}");
    assert_eq!(csv.lines().count(), 4);
    let shown = by_column.to_string();
    assert!(shown.contains("\nb = 0.") && shown.contains("\nrun "), "{shown}");
}

#[test]
fn sigma_and_weights_stay_with_their_samples() {
    let data = runs(3, 15);
    let sigma: Vec<f64> = (0..45).map(|i| 0.5 + 0.1 * f64::from(i % 7)).collect();
    let by_groups = decay().sigma(&sigma).absolute_sigma(true).groups("run").own(["a", "c"]);
    let by_groups = by_groups.fit(&data).unwrap();
    let weights = sigma.iter().map(|s| 1.0 / (s * s)).collect();
    let weighted = data.clone().with_weights(weights).unwrap();
    let by_weights = decay().groups("run").own(["a", "c"]).fit(&weighted).unwrap();
    let text = "if(run < 1.5, a1, if(run < 2.5, a2, a3))*exp(-b*t) + if(run < 1.5, c1, if(run < 2.5, c2, c3))";
    let names = ["a1", "a2", "a3", "c1", "c2", "c3", "b"];
    let dense = curve(text).unwrap().start(names.map(|name| (name, 0.5)));
    let dense = dense.sigma(&sigma).absolute_sigma(true).fit(&data).unwrap();
    let (known, found) = (dense.inference().unwrap(), by_groups.inference().unwrap());
    for (own, name) in [("a[run=2]", "a2"), ("c[run=3]", "c3"), ("b", "b")] {
        let (one, other) = (found.estimate(own).unwrap(), known.estimate(name).unwrap());
        assert!(near(one.value, other.value, 1e-9), "{own}");
        assert!(near(one.standard_error, other.standard_error, 1e-7), "{own}");
    }
    assert!(near(found.whole().measures.chi_squared, known.measures.chi_squared, 1e-9));
    assert!(near(by_weights.value("b").unwrap(), by_groups.value("b").unwrap(), 1e-10));
}

#[test]
fn outliers_do_not_move_a_robust_curve_by_groups() {
    let clean = runs(3, 20);
    let mut y = clean.targets().values().unwrap().to_vec();
    y[8] += 20.0;
    y[31] -= 15.0;
    y[46] += 9.0;
    let data = table(&["run", "t"], clean.inputs(), &y);
    let curve = || decay().start([("b", 0.5)]).groups("run").own(["a", "c"]);
    let robust = curve().robust(Rho::Tukey).fit(&data).unwrap();
    let (plain, expected) = (curve().fit(&data).unwrap(), curve().fit(&clean).unwrap());
    let distance =
        |fit: &GroupedFit| (fit.value("b").unwrap() - expected.value("b").unwrap()).abs();
    assert!(distance(&robust) < 0.03, "{}", robust.report());
    assert!(distance(&plain) > 0.04, "{}", distance(&plain));
    let words = robust.inference().unwrap_err().to_string();
    assert!(words.starts_with("the errors of a robust fit"), "{words}");
    // In bounds that cut nothing it is the same.
    let bounded = curve().robust(Rho::Tukey).bounds("b", 0.0..50.0).fit(&data).unwrap();
    assert!(near(bounded.value("b").unwrap(), robust.value("b").unwrap(), 1e-5));
}

#[test]
fn several_formulas_have_groups_too() {
    let (mut inputs, mut y) = (Vec::new(), Vec::new());
    for i in 0..20 {
        for g in [1.0, 2.0] {
            let t = 0.3 * f64::from(i);
            inputs.extend([g, t]);
            y.extend([2.0 * g * f64::exp(-0.7 * t), 5.0 - 3.0 * g * f64::exp(-0.7 * t)]);
        }
    }
    let data = table(&["run", "t"], &inputs, &y);
    let curve = Curve::several(&["a*exp(-k*t)", "c - d*exp(-k*t)"]).unwrap().groups("run");
    let curve = curve.own(["a", "d"]).start([("a", 1.0), ("k", 0.2), ("c", 1.0), ("d", 1.0)]);
    let fit = curve.fit(&data).unwrap();
    for (run, name, value) in [("1", "a", 2.0), ("2", "a", 4.0), ("2", "d", 6.0), ("1", "c", 5.0)] {
        assert!(near(fit.value_of(run, name).unwrap(), value, 1e-9), "{run} {name}");
    }
    assert!(near(fit.value("k").unwrap(), 0.7, 1e-9));
    assert_eq!(fit.predict("2", &[0.0, 1.0]).unwrap().len(), 4);
}

#[test]
fn starts_are_looked_for_and_may_be_of_one_group() {
    // Peaks at places that differ from group to group.
    let places = [2.0, 7.5, 4.0, 6.0, 3.2];
    let (mut inputs, mut y) = (Vec::new(), Vec::new());
    for (g, place) in places.iter().enumerate() {
        for i in 0..40 {
            let x = 0.25 * f64::from(i);
            inputs.extend([g as f64, x]);
            let height = 1.0 + g as f64;
            y.push(height * f64::exp(-((x - place) / 0.8).powi(2)) + 0.2);
        }
    }
    let data = table(&["spectrum", "x"], &inputs, &y);
    let peak = || curve("h*exp(-((x - m)/s)^2) + base").unwrap().groups("spectrum").own(["h", "m"]);
    let fit = peak().bounds("s", 0.05..5.0).fit(&data).unwrap();
    for (g, place) in places.iter().enumerate() {
        let found = fit.value_of(&g.to_string(), "m").unwrap();
        assert!((found - place).abs() < 1e-6, "{g}: {found} {place}\n{}", fit.report());
    }
    assert!(fit.report().notes.iter().any(|note| note.starts_with("automatic start: ")));
    let mut started = peak().start([("h", 1.0), ("s", 1.0), ("base", 0.0)]);
    for (g, place) in places.iter().enumerate() {
        started = started.start_of(&g.to_string(), [("m", place + 0.3)]);
    }
    let started = started.fit(&data).unwrap();
    assert!(near(started.value("s").unwrap().abs(), 0.8, 1e-8));
    let origin = &started.parameters_of("1").unwrap()[1].origin;
    assert!(matches!(origin, Origin::Free { start, .. } if (*start - 7.8).abs() < 1e-12));
}

/// Starts are looked for in 32 groups; the others take what suits them of what was found there.
#[test]
fn starts_of_many_groups_are_found_in_some_of_them() {
    let data = runs(75, 12);
    let given = decay().groups("run").own(["a", "c"]).fit(&data).unwrap();
    let found = curve("a*exp(-b*t) + c").unwrap().draws(300).groups("run").own(["a", "c"]);
    let found = found.fit(&data).unwrap();
    assert!(found.report().reason.is_success(), "{}", found.report());
    assert!(found.report().notes.iter().any(|note| note.contains("fits to 32 groups as one")));
    assert!(near(found.value("b").unwrap(), given.value("b").unwrap(), 1e-8));
    for group in given.groups() {
        for name in ["a", "c"] {
            let of = |fit: &GroupedFit| fit.value_of(group, name).unwrap();
            assert!(near(of(&found), of(&given), 1e-7), "{name} of {group}");
        }
    }
}

#[test]
fn a_thousand_groups_are_fitted_at_once_with_the_same_bits_for_any_threads() {
    let data = runs(1_000, 12);
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| decay().groups("run").own(["a", "c"]).fit(&data).unwrap())
    };
    let (one, two) = (fit(1), fit(2));
    assert!(one.report().reason.is_converged(), "{}", one.report());
    assert_eq!(one.theta(), two.theta());
    assert!(near(one.value("b").unwrap(), 0.6, 0.02));
    let found = one.inference().unwrap();
    assert_eq!(found.estimates().count(), 2_001);
    let text = found.to_string();
    assert!(text.contains("… and 980 groups more"), "{text}");
}

#[test]
fn an_interrupt_and_a_limit_end_the_fit() {
    let data = runs(3, 15);
    let interrupt = Interrupt::new();
    interrupt.set();
    let ended = decay().interrupt(&interrupt).groups("run").own(["a"]).fit(&data).unwrap();
    assert_eq!(ended.report().reason, Reason::Interrupted);
    let limited = decay().max_iterations(1).groups("run").own(["a"]).fit(&data).unwrap();
    assert_eq!(limited.report().reason, Reason::MaxIterations);
}

#[test]
fn a_group_is_a_curve_that_is_saved_and_drawn() {
    let data = runs(4, 15);
    let fit = decay().groups("run").own(["a", "c"]).fit(&data).unwrap();
    let second = fit.group("2").unwrap();
    let model = secant::Model::from_bytes(&second.model().to_bytes().unwrap()).unwrap();
    let t = [0.1, 2.0, 30.0];
    assert_eq!(model.predict(&t).unwrap(), fit.predict("2", &t).unwrap());
    let at = |name: &str| fit.value_of("2", name).unwrap();
    let by_hand = at("a") * f64::exp(-at("b") * 2.0) + at("c");
    assert!(near(model.predict(&[2.0]).unwrap()[0], by_hand, 1e-14));
    let svg = fit.figure("Four runs").unwrap().svg().unwrap();
    for part in ["Four runs", "run = 1", "run = 4", "95 % band"] {
        assert!(svg.contains(part), "{part}");
    }
    assert!(second.figure("").unwrap().svg().unwrap().contains("residual"));
    let many = decay().groups("run").own(["a", "c"]).fit(&runs(30, 6)).unwrap();
    let words = many.figure("").unwrap_err().to_string();
    assert_eq!(words, "30 groups, a sheet has at most 24 panels: draw one group alone");
}

#[test]
fn every_mistake_has_its_own_words() {
    let data = runs(3, 10);
    let words = |fit: Result<GroupedFit, FitError>| fit.unwrap_err().to_string();
    let base = || decay().groups("run").own(["a"]);
    let set = one_run(&data, 1.0);
    let other = table(&["x"], &[1.0, 2.0], &[1.0, 2.0]);
    let cases = [
        (
            words(decay().groups("rum").own(["a"]).fit(&data)),
            r#"the group column rum: there is no such column, there are ["run", "t"]: did you mean `run`?"#,
        ),
        (
            words(curve("a*exp(-b*t) + c*run").unwrap().groups("run").own(["a"]).fit(&data)),
            "the formula names the group column run: it tells the groups apart, and is no input",
        ),
        (
            words(base().own(["d"]).fit(&data)),
            r#"the groups' own d: there is no such parameter, there are ["a", "b", "c"]"#,
        ),
        (
            words(
                curve("a*exp(-b*t) + c").unwrap().groups("run").own(["c"]).fix("c", 0.0).fit(&data),
            ),
            "the groups' own c: it is fixed at 0",
        ),
        (
            words(
                curve("a*exp(-b*t) + c")
                    .unwrap()
                    .groups("run")
                    .own(["c"])
                    .tie("c", "2*a")
                    .fit(&data),
            ),
            "the groups' own c: it is tied to 2*a",
        ),
        (
            words(base().start_of("7", [("a", 1.0)]).fit(&data)),
            r#"the start of group 7: there is no such group, there are ["1", "2", "3"]"#,
        ),
        (
            words(base().start_of("1", [("b", 1.0)]).fit(&data)),
            "the start of b in group 1: it is shared by all groups, give it by `start` or make it their `own`",
        ),
        (words(base().start_of("1", [("a", f64::NAN)]).fit(&data)), "the start of a is NaN"),
        (
            words(base().bounds("a", 0.0..).start_of("1", [("a", -1.0)]).fit(&data)),
            "the start of a is -1, outside of its bounds [0, inf]",
        ),
        (
            words(decay().own(["a"]).fit(&data)),
            "which group a sample belongs to is not said: by a column, `groups`, by keys, `groups_of`, or fit several data sets, `fit_sets`",
        ),
        (
            words(base().fit_sets([("one", &set)])),
            "`groups` and `fit_sets` are two answers to one question: leave one out",
        ),
        (
            words(decay().groups_of(["1", "2"]).own(["a"]).fit(&set)),
            "2 keys of groups for 10 samples",
        ),
        (
            words(decay().groups_of([f64::NAN; 10]).own(["a"]).fit(&set)),
            "the group of sample 0 (from 0) is NaN, which names none",
        ),
        (words(decay().own(["a"]).fit_sets(Vec::<(&str, &Dataset)>::new())), "no data set to fit"),
        (
            words(decay().own(["a"]).fit_sets([("one", &set), ("one", &set)])),
            "two data sets are called one",
        ),
        (
            words(decay().own(["a"]).fit_sets([("one", &set), ("two", &other)])),
            r#"the data set two has the features ["x"], the first one has ["t"]"#,
        ),
        (
            words(base().method(secant::Lbfgs::default()).fit(&data)),
            "L-BFGS as the method of a curve by groups or of a function: Levenberg–Marquardt, with bounds or without, and Gauss–Newton go by their residuals",
        ),
        (
            words(
                curve("a*log(t - b)")
                    .unwrap()
                    .start([("a", 1.0), ("b", 3.0)])
                    .groups("run")
                    .own(["a"])
                    .fit(&data),
            ),
            "at the start (a = 1, b = 3) the formula is NaN at sample 0 (from 0), where t = 0",
        ),
        (
            words(curve("a*log(-1 - t^2*b^2)").unwrap().groups("run").own(["a"]).fit(&data)),
            "no start was found: none of 2000 draws gives finite values at all samples",
        ),
    ];
    for (found, expected) in cases {
        assert!(found.contains(expected), "{found}\nis not\n{expected}");
    }
    let fit = base().fit(&data).unwrap();
    let words = fit.predict("9", &[1.0]).unwrap_err().to_string();
    assert_eq!(words, r#"the curve of group 9: there is no such group, there are ["1", "2", "3"]"#);
}

/// Each group by itself is a curve of its samples, whatever was said of parameters, σ and weights.
#[test]
fn many_fits_of_a_curve_are_the_curves_of_the_groups() {
    let data = runs(5, 30);
    let count = data.samples();
    let sigma: Vec<f64> = (0..count).map(|i| 0.05 + 0.01 * (i % 4) as f64).collect();
    let weights: Vec<f64> = (0..count).map(|i| f64::from(u32::from(i % 11 > 0))).collect();
    let weighted = data.clone().with_weights(weights.clone()).unwrap();
    for (fits, wanted) in [
        (
            decay().groups("run").fit_many(&data).unwrap(),
            Box::new(|run: f64| decay().fit(&one_run(&data, run)).unwrap())
                as Box<dyn Fn(f64) -> CurveFit>,
        ),
        // Without starts, which are then looked for.
        (
            curve("a*exp(-b*t) + c").unwrap().groups("run").fit_many(&data).unwrap(),
            Box::new(|run: f64| decay().fit(&one_run(&data, run)).unwrap()),
        ),
        (
            curve("a*exp(-b*t) + c")
                .unwrap()
                .start([("a", 1.0), ("b", 1.0)])
                .tie("c", "a/k")
                .fix("k", 20.0)
                .groups("run")
                .sigma(&sigma)
                .absolute_sigma(true)
                .fit_many(&weighted)
                .unwrap(),
            Box::new(|run: f64| {
                let chosen: Vec<usize> =
                    (0..count).filter(|i| data.sample(*i)[0] == run && weights[*i] > 0.0).collect();
                let own: Vec<f64> = chosen.iter().map(|i| sigma[*i]).collect();
                let t: Vec<f64> = chosen.iter().map(|i| data.sample(*i)[1]).collect();
                let y: Vec<f64> =
                    chosen.iter().map(|i| data.targets().values().unwrap()[*i]).collect();
                let curve = curve("a*exp(-b*t) + c").unwrap().start([("a", 1.0), ("b", 1.0)]);
                let curve = curve.tie("c", "a/20").sigma(&own).absolute_sigma(true);
                curve.fit(&table(&["t"], &t, &y)).unwrap()
            }),
        ),
        (
            decay().bounds("b", 0.7..).groups("run").fit_many(&data).unwrap(),
            Box::new(|run: f64| decay().bounds("b", 0.7..).fit(&one_run(&data, run)).unwrap()),
        ),
    ] {
        assert_eq!((fits.len(), fits.successes()), (5, 5), "{fits}");
        for fit in fits.iter() {
            let wanted = wanted(fit.key.parse().unwrap());
            let inference = wanted.inference().unwrap();
            for (j, name) in fits.names().iter().enumerate() {
                assert!(near(fit.theta[j], wanted.value(name).unwrap(), 1e-7), "{name} {fit:?}");
                let error = inference.estimate(name).unwrap().standard_error;
                let same =
                    near(fit.errors[j], error, 1e-5) || (error.is_nan() && fit.errors[j].is_nan());
                assert!(same, "{name} {fit:?} {error}");
            }
        }
    }
    // A bad group is a row, and a start of its own goes to its group.
    let (inputs, mut y) = (data.inputs().to_vec(), data.targets().values().unwrap().to_vec());
    (0..count).filter(|i| inputs[2 * i] == 3.0).skip(2).for_each(|i| y[i] = 0.5);
    let bad = table(&["run", "t"], &inputs, &y);
    let many = |data: &Dataset| {
        let few = (0..count).filter(|i| data.sample(*i)[0] != 4.0 || *i < 20).collect::<Vec<_>>();
        decay().groups("run").start_of("2", [("b", f64::MAX)]).fit_many(&data.select(&few).unwrap())
    };
    let fits = many(&bad).unwrap();
    let outcome = |key: &str| fits.find(key).unwrap().outcome;
    assert!(!outcome("2").is_success() && outcome("1").is_success(), "{fits}");
    assert!(outcome("5").is_success() && fits.successes() < 5, "{fits}");
}

#[test]
fn what_many_fits_of_a_curve_do_not_have_is_said() {
    let data = runs(3, 20);
    let words = |curve: Curve<Grouped>| curve.fit_many(&data).unwrap_err().to_string();
    let by = || decay().groups("run");
    assert!(words(by().own(["a"])).starts_with("`fit_many` shares nothing between groups"));
    assert!(words(by().robust(Rho::Huber)).contains("`fit_many(groups).robust(rho, scale)`"));
    let method = words(by().method(secant::Lbfgs::default()));
    assert_eq!(
        method,
        "L-BFGS as the method of many fits: they are by Levenberg–Marquardt, with bounds or without"
    );
    assert!(words(decay().groups("rum")).contains("did you mean `run`?"));
    assert!(words(by().start_of("7", [("a", 1.0)])).contains("there is no such group"));
    let steps = by().max_iterations(1).fit_many(&data).unwrap();
    assert!(steps.iter().all(|fit| fit.iterations == 1), "{steps}");
}
