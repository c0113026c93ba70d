//! Generalised linear models beside statsmodels (the fixture is made by `benches/peers/glm.py`), and what they say of data that they
//! cannot estimate everything from.

use secant::data::LibsvmOptions;
use secant::optim::OptimError;
use secant::{
    CoefficientStatus, Dataset, Family, FitError, Glm, GlmError, GlmFit, Information, Interrupt,
    Reason, linear_regression,
};
use serde_json::Value;

/// Agreement asked for, relative.
const DIGITS: f64 = 1e-8;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/glm.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn path(name: &str) -> String {
    format!("{}/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn table(name: &str) -> Dataset {
    if name.ends_with("libsvm") {
        Dataset::from_libsvm(path(name), &LibsvmOptions::default()).unwrap()
    } else {
        Dataset::from_csv(path(name), "target").unwrap()
    }
}

/// The largest relative difference.
fn gap(found: impl Iterator<Item = f64>, wanted: &[f64]) -> f64 {
    let found: Vec<f64> = found.collect();
    assert_eq!(found.len(), wanted.len());
    let each = found.iter().zip(wanted).map(|(f, w)| (f / w - 1.0).abs());
    // A NaN stays.
    each.fold(0.0, |most, error| if most.is_nan() || error <= most { most } else { error })
}

fn rows(data: &Dataset, formula: impl Fn(usize) -> usize) -> Vec<f64> {
    (0..data.samples()).map(|i| formula(i) as f64).collect()
}

#[test]
fn estimates_errors_and_deviances_are_those_of_statsmodels() {
    let cases = fixture();
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() >= 12);
    for case in cases {
        let (name, is) = (case["name"].as_str().unwrap(), |key: &str| case[key].as_bool().unwrap());
        let mut data = table(case["data"].as_str().unwrap());
        if let Some(unit) = case["rescale"].as_f64() {
            let y: Vec<f64> =
                data.targets().values().unwrap().iter().map(|y| (y / unit).floor()).collect();
            data = Dataset::from_slices(data.features(), data.inputs(), 1, &y).unwrap();
        }
        let glm = match name {
            "poisson" => Glm::poisson(),
            "gamma" => Glm::gamma(),
            "negative binomial" => Glm::negative_binomial(case["alpha"].as_f64().unwrap()),
            "gaussian" => Glm::gaussian(),
            _ => Glm::logistic(),
        };
        let mut glm = glm.intercept(is("intercept"));
        if is("exposure") {
            glm = glm.exposure(&rows(&data, |i| 1 + i % 5));
        }
        if is("offset") {
            let offset: Vec<f64> = rows(&data, |i| i % 7).iter().map(|o| 0.1 * o).collect();
            glm = glm.offset(&offset);
        }
        if is("weights") {
            let halves = rows(&data, |i| 2 * (1 + i % 4) + i % 2);
            glm = glm.weights(&halves.iter().map(|h| 0.5 * h).collect::<Vec<_>>());
        }
        let fit = glm.fit(&data).unwrap();
        let context = format!("{name}, {}\n{fit}\n{}", case["data"], fit.report);
        assert!(fit.report.reason.is_success(), "{context}");
        assert!(fit.notes.is_empty(), "{context}");
        let estimates =
            gap(fit.coefficients.iter().map(|c| c.estimate), &numbers(&case["coefficients"]));
        assert!(estimates <= DIGITS, "{estimates:e} {context}");
        let errors = |fit: &GlmFit, key: &str| {
            gap(fit.coefficients.iter().map(|c| c.standard_error), &numbers(&case[key]))
        };
        assert!(errors(&fit, "errors") <= DIGITS, "{:e} {context}", errors(&fit, "errors"));
        for (what, found) in [
            ("deviance", fit.deviance),
            ("pearson", fit.pearson),
            ("dispersion", fit.dispersion),
            ("log_likelihood", fit.log_likelihood),
        ] {
            if let Some(wanted) = case[what].as_f64() {
                assert!(
                    (found / wanted - 1.0).abs() <= DIGITS,
                    "{what} {found} {wanted} {context}"
                );
            }
        }
        let observed = glm.information(Information::Observed).fit(&data).unwrap();
        assert!(errors(&observed, "observed") <= DIGITS, "{context}");
    }
}

#[test]
fn the_softmax_is_relative_to_class_0_as_statsmodels_has_it() {
    let fixture = &fixture()["softmax"];
    let labels = fixture["labels"].as_array().unwrap().iter();
    let labels: Vec<u32> = labels.map(|l| u32::try_from(l.as_u64().unwrap()).unwrap()).collect();
    let iris = Dataset::from_csv(path("iris.csv"), "target").unwrap();
    let x: Vec<f64> =
        iris.inputs().chunks_exact(4).skip(50).flat_map(|x| x[..3].to_vec()).collect();
    let data = Dataset::from_labels(3, &x, 3, &labels).unwrap();
    let fit = Glm::softmax().fit(&data).unwrap();
    let context = format!("{fit}\n{}", fit.report);
    assert!(fit.report.reason.is_success(), "{context}");
    let error =
        gap(fit.coefficients.iter().map(|c| c.estimate), &numbers(&fixture["coefficients"]));
    assert!(error <= DIGITS, "{error:e} {context}");
    let error =
        gap(fit.coefficients.iter().map(|c| c.standard_error), &numbers(&fixture["errors"]));
    assert!(error <= DIGITS, "{error:e} {context}");
    let wanted = fixture["log_likelihood"].as_f64().unwrap();
    assert!((fit.log_likelihood / wanted - 1.0).abs() <= 1e-12, "{context}");
    assert_eq!(fit.coefficients[4].class.as_deref(), Some("2"));
    assert_eq!((fit.outputs(), fit.residual_degrees), (3, 92.0));
    // Probabilities sum to 1, and on the sample to the counts of the classes.
    let p = fit.predict(&x).unwrap();
    for k in 0..3 {
        let share: f64 = p.iter().skip(k).step_by(3).sum();
        let count = labels.iter().filter(|label| **label as usize == k).count();
        assert!((share - count as f64).abs() < 1e-8, "{k}: {share} {count}");
    }
}

#[test]
fn two_classes_are_one_model_by_logistic_and_softmax() {
    let data = table("heart_scale.libsvm");
    let (one, two) = (Glm::logistic().fit(&data).unwrap(), Glm::softmax().fit(&data).unwrap());
    for (a, b) in one.coefficients.iter().zip(&two.coefficients) {
        assert!((a.estimate / b.estimate - 1.0).abs() < 1e-7, "{a:?} {b:?}");
        assert!((a.standard_error / b.standard_error - 1.0).abs() < 1e-7, "{a:?} {b:?}");
    }
    assert!((one.deviance / two.deviance - 1.0).abs() < 1e-12);
    let (p, both) = (one.predict(data.inputs()).unwrap(), two.predict(data.inputs()).unwrap());
    assert!(p.iter().zip(both.chunks_exact(2)).all(|(p, both)| (p - both[1]).abs() < 1e-8));
    // A ridge on both classes' weights is twice that on their difference, spread over two.
    let (one, two) = (
        Glm::logistic().ridge(0.01).fit(&data).unwrap(),
        Glm::softmax().ridge(0.02).fit(&data).unwrap(),
    );
    for (a, b) in one.coefficients.iter().zip(&two.coefficients) {
        assert!((a.estimate / b.estimate - 1.0).abs() < 1e-7, "{a:?} {b:?}");
        assert!((a.standard_error / b.standard_error - 1.0).abs() < 1e-7, "{a:?} {b:?}");
    }
}

#[test]
fn the_gaussian_is_linear_regression() {
    let data = table("diabetes.csv");
    for intercept in [true, false] {
        let fit = Glm::gaussian().intercept(intercept).fit(&data).unwrap();
        let exact = linear_regression(&data).intercept(intercept).solve().unwrap();
        let error = gap(fit.coefficients.iter().map(|c| c.estimate), &exact.coefficients);
        assert!(error < 1e-9, "{error:e}\n{fit}");
        assert_eq!(fit.coefficients.len(), 10 + usize::from(intercept));
    }
    assert!(
        (Glm::gaussian().fit(&data).unwrap().deviance / 1_263_985.785_633_364_3 - 1.0).abs()
            < 1e-12
    );
}

#[test]
fn predictions_are_means_with_the_offset_of_the_sample() {
    let data = table("diabetes.csv");
    let exposure = rows(&data, |i| 1 + i % 5);
    let fit = Glm::poisson().exposure(&exposure).fit(&data).unwrap();
    let logs: Vec<f64> = exposure.iter().map(|e| e.ln()).collect();
    // The data's own offset is the same.
    let own = Glm::poisson().fit(&data.clone().with_offset(logs.clone()).unwrap()).unwrap();
    assert_eq!(own.coefficients, fit.coefficients);
    // With an intercept the means add up to the counts.
    let means = fit.predict_with_offset(data.inputs(), &logs).unwrap();
    let counts: f64 = data.targets().values().unwrap().iter().sum();
    assert!((means.iter().sum::<f64>() / counts - 1.0).abs() < 1e-12);
    let rates = fit.predict(data.inputs()).unwrap();
    for ((mean, rate), exposure) in means.iter().zip(&rates).zip(&exposure) {
        assert!((mean / rate / exposure - 1.0).abs() < 1e-12);
    }
    assert!(fit.coefficient("bmi").is_some_and(|bmi| bmi.z() > 2.0));
    let text = fit.to_string();
    assert!(text.contains("(intercept)") && text.contains("deviance"), "{text}");
}

#[test]
fn weights_are_copies_and_masks() {
    let data = table("concrete.csv").first(200).unwrap();
    let weights = rows(&data, |i| i % 3);
    let copies: Vec<usize> = (0..200).flat_map(|i| std::iter::repeat_n(i, i % 3)).collect();
    let copies = data.select(&copies).unwrap();
    for glm in [Glm::gamma(), Glm::gaussian(), Glm::poisson(), Glm::negative_binomial(0.1)] {
        let (a, b) = (glm.clone().weights(&weights).fit(&data).unwrap(), glm.fit(&copies).unwrap());
        let wanted: Vec<f64> =
            b.coefficients.iter().flat_map(|c| [c.estimate, c.standard_error]).collect();
        let found = a.coefficients.iter().flat_map(|c| [c.estimate, c.standard_error]);
        let error = gap(found, &wanted);
        assert!(error < 1e-7, "{error:e}\n{a}\n{b}");
        for (a, b) in [
            (a.deviance, b.deviance),
            (a.log_likelihood, b.log_likelihood),
            (a.dispersion, b.dispersion),
        ] {
            assert!((a / b - 1.0).abs() < 1e-10, "{a} {b}");
        }
        assert_eq!(a.residual_degrees, b.residual_degrees);
    }
}

#[test]
fn what_cannot_be_estimated_is_said() {
    // x₃ is constant, and x₂ = 2x₁ in the second table.
    let y: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 5)).collect();
    let x = |third: &dyn Fn(f64) -> [f64; 3]| -> Vec<f64> {
        (0..30).flat_map(|i| third(f64::from(i) / 10.0)).collect()
    };
    let constant = Dataset::from_slices(3, &x(&|t| [t, t * t, 4.0]), 1, &y).unwrap();
    let fit = Glm::poisson().fit(&constant).unwrap();
    assert_eq!(fit.notes, ["constant features, not estimated: x3"]);
    assert_eq!(fit.coefficients[3].estimate, 0.0);
    assert!(fit.coefficients[3].standard_error.is_nan());
    let other = Dataset::from_slices(
        2,
        &(0..30)
            .flat_map(|i| {
                let t = f64::from(i) / 10.0;
                [t, t * t]
            })
            .collect::<Vec<_>>(),
        1,
        &y,
    )
    .unwrap();
    let other = Glm::poisson().fit(&other).unwrap();
    let wanted: Vec<f64> = other.coefficients.iter().map(|c| c.standard_error).collect();
    assert!(gap(fit.coefficients[..3].iter().map(|c| c.standard_error), &wanted) < 1e-10);
    assert_eq!(fit.residual_degrees, 27.0);
    // Without an intercept a column of ones is one.
    let own = Glm::poisson().intercept(false).fit(&constant).unwrap();
    assert!(
        own.notes.is_empty()
            && (4.0 * own.coefficients[2].estimate / other.coefficients[0].estimate - 1.0).abs()
                < 1e-8,
        "{own}"
    );
    let dependent = Dataset::from_slices(3, &x(&|t| [t, 2.0 * t, t * t]), 1, &y).unwrap();
    let fit = Glm::poisson().fit(&dependent).unwrap();
    assert!(
        fit.notes[0].starts_with("no standard errors")
            && fit.coefficients[1].standard_error.is_nan(),
        "{fit}"
    );
    assert!((fit.deviance / other.deviance - 1.0).abs() < 1e-10, "{fit}");
    // Classes that a line separates.
    let labels: Vec<u32> = (0..30).map(|i| u32::from(i > 14)).collect();
    let line: Vec<f64> = (0..30).map(f64::from).collect();
    let separated = Dataset::from_labels(1, &line, 2, &labels).unwrap();
    for glm in [Glm::logistic(), Glm::softmax()] {
        let fit = glm.fit(&separated).unwrap();
        assert!(fit.notes.iter().any(|note| note.contains("(complete separation)")), "{fit}");
        // A ridge makes estimates finite.
        let fit = glm.ridge(0.01).fit(&separated).unwrap();
        assert!(fit.notes.is_empty() && fit.coefficients[1].standard_error > 0.0, "{fit}");
    }
    // As many coefficients as samples.
    let two = Dataset::from_slices(1, &[1.0, 2.0], 1, &[3.0, 4.0]).unwrap();
    let fit = Glm::gaussian().fit(&two).unwrap();
    assert!(fit.dispersion.is_nan() && fit.notes[0].starts_with("no degrees of freedom"), "{fit}");
    // Counts that are all 0 have no finite intercept; the run ends by itself and says so.
    let none = Dataset::from_slices(1, &[1.0, 2.0, 3.0], 1, &[0.0; 3]).unwrap();
    let fit = Glm::poisson().fit(&none).unwrap();
    assert!(fit.deviance < 1e-6, "{fit}");
}

#[test]
fn mistakes_are_named_with_their_place() {
    let data = Dataset::from_slices(1, &[1.0, 2.0, 3.0], 1, &[3.0, 0.0, -1.0]).unwrap();
    let text = |glm: Glm| glm.fit(&data).unwrap_err().to_string();
    assert_eq!(text(Glm::poisson()), "poisson: target -1 of sample 2 must be 0 or more");
    assert_eq!(text(Glm::gamma()), "gamma: target 0 of sample 1 must be positive");
    assert!(text(Glm::negative_binomial(-1.0)).starts_with("negative-binomial: alpha = -1"));
    assert!(text(Glm::logistic()).starts_with("logistic: target 3 of sample 0"));
    assert_eq!(text(Glm::softmax()), "softmax: needs class labels, the data has numbers");
    assert!(text(Glm::gaussian().ridge(-1.0)).contains("lambda = -1"));
    assert!(text(Glm::gaussian().weights(&[1.0, f64::NAN, 1.0])).contains("weight of sample 1"));
    assert_eq!(text(Glm::gaussian().offset(&[1.0; 6])), "offsets: expected 3, found 6");
    assert_eq!(text(Glm::poisson().exposure(&[1.0])), "exposures: expected 3, found 1");
    let error = Glm::poisson().exposure(&[1.0, 0.0, 2.0]).fit(&data).unwrap_err();
    assert!(
        matches!(error, FitError::Glm(GlmError::Exposure { sample: 1, value: 0.0 })),
        "{error}"
    );
    assert_eq!(
        text(Glm::gaussian().exposure(&[1.0; 3])),
        "gaussian: an exposure needs a log link; take an offset"
    );
    let two = Dataset::from_slices(1, &[1.0, 2.0], 2, &[1.0; 4]).unwrap();
    let error = Glm::poisson().fit(&two).unwrap_err();
    assert_eq!(error.to_string(), "poisson: the model has 1 output(s), the targets need 2");
    let fit = Glm::gaussian().fit(&data).unwrap();
    assert_eq!(fit.family, Family::Gaussian);
    assert!(fit.predict(&[f64::NAN]).is_err() && fit.predict_with_offset(&[1.0], &[]).is_err());
    let error = Glm::gaussian()
        .stopping(secant::Stopping { gradient_tolerance: 2.0, ..Default::default() })
        .fit(&data)
        .unwrap_err();
    assert!(matches!(error, FitError::Optim(OptimError::OptionOutOfRange { .. })), "{error}");
}

#[test]
fn a_name_of_any_length_is_one_row_of_the_table() {
    let y: Vec<f64> = (0_i32..20).map(|i| f64::from(i % 7)).collect();
    let x: Vec<f64> = (0_i32..20).map(|i| f64::from(i * i % 11)).collect();
    let names = vec!["x".repeat(1 << 16) + "\n"];
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap().with_feature_names(names).unwrap();
    let printed = Glm::gaussian().fit(&data).unwrap().to_string();
    let rows: Vec<&str> = printed.lines().collect();
    let row = rows.iter().find(|row| row.contains('…')).expect("the name is cut");
    assert!(row.trim_start().starts_with(&("x".repeat(59) + "… ")), "{row}");
    assert!(rows.iter().all(|row| row.chars().count() < 200), "{}", rows.len());
}

const DOWN: CoefficientStatus = CoefficientStatus::RunsAway { up: false };
const UP: CoefficientStatus = CoefficientStatus::RunsAway { up: true };

fn statuses(fit: &GlmFit) -> Vec<CoefficientStatus> {
    fit.coefficients.iter().map(|one| one.status).collect()
}

/// The group of zeros has the mean 0 in the limit; the other one is as if it were alone: ln(10/3), with the error 1/√10.
#[test]
fn a_group_of_zero_counts_runs_away_alone() {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let y = [3.0, 5.0, 2.0, 0.0, 0.0, 0.0];
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    for glm in [Glm::poisson(), Glm::negative_binomial(1e-9)] {
        let fit = glm.fit(&data).unwrap();
        assert_eq!(statuses(&fit), [CoefficientStatus::Estimated, DOWN], "{fit}");
        let level = &fit.coefficients[0];
        assert!((level.estimate - f64::ln(10.0 / 3.0)).abs() < 1e-8, "{fit}");
        assert!((level.standard_error - 0.1_f64.sqrt()).abs() < 1e-7, "{fit}");
        assert_eq!(fit.coefficients[1].standard_error, f64::INFINITY);
        assert!(fit.notes[0].contains("x1 to −∞") && fit.notes[0].contains("3 of 6"), "{fit}");
        assert!(fit.notes[0].contains("quasi-complete") && fit.notes[0].contains("ridge"), "{fit}");
        assert!(fit.to_string().contains("runs away to −∞"), "{fit}");
        let fit = glm.ridge(0.01).fit(&data).unwrap();
        assert_eq!(statuses(&fit), [CoefficientStatus::Estimated; 2], "{fit}");
    }
    // Two such groups, in columns of their own.
    let rows = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
    let x: Vec<f64> = (0..12).flat_map(|i| rows[i % 3]).collect();
    let y: Vec<f64> = (0..12).map(|i| if i % 3 == 0 { 1.0 + f64::from(i) } else { 0.0 }).collect();
    let fit = Glm::poisson().fit(&Dataset::from_slices(2, &x, 1, &y).unwrap()).unwrap();
    assert_eq!(statuses(&fit), [CoefficientStatus::Estimated, DOWN, DOWN], "{fit}");
    // Nothing but zeros: no coefficient means anything.
    let data = Dataset::from_slices(1, &[1.0, 2.0, 4.0], 1, &[0.0; 3]).unwrap();
    let fit = Glm::poisson().fit(&data).unwrap();
    assert_eq!(statuses(&fit)[0], DOWN, "{fit}");
    assert_ne!(statuses(&fit)[1], CoefficientStatus::Estimated, "{fit}");
    assert!(fit.notes[0].contains("(complete separation)"), "{fit}");
}

/// A column that separates half of the samples: the others determine the rest, as a fit of them alone.
#[test]
fn quasi_complete_separation_leaves_the_other_coefficients_as_without_the_separated_samples() {
    let rows = |i: usize| [f64::from(i % 2 == 1), ((i * 37) % 23) as f64 / 7.0];
    let x: Vec<f64> = (0..60).flat_map(rows).collect();
    let mixed = |i: usize| u32::from((i * 37) % 23 + 3 * (i % 7) > 20);
    let labels: Vec<u32> = (0..60).map(|i| if i % 2 == 1 { 1 } else { mixed(i) }).collect();
    let data = Dataset::from_labels(2, &x, 2, &labels).unwrap();
    let alone: Vec<usize> = (0..60).filter(|i| i % 2 == 0).collect();
    let half = data.select(&alone).unwrap();
    for glm in [Glm::logistic(), Glm::softmax()] {
        let (fit, alone) = (glm.fit(&data).unwrap(), glm.fit(&half).unwrap());
        let wanted = [CoefficientStatus::Estimated, UP, CoefficientStatus::Estimated];
        assert_eq!(statuses(&fit), wanted, "{fit}");
        assert!(fit.notes[0].contains("x1") && fit.notes[0].contains("30 of 60"), "{fit}");
        for at in [0, 2] {
            let (a, b) = (&fit.coefficients[at], &alone.coefficients[at]);
            assert!((a.estimate / b.estimate - 1.0).abs() < 1e-6, "{fit}\n{alone}");
            assert!((a.standard_error / b.standard_error - 1.0).abs() < 1e-6, "{fit}\n{alone}");
        }
    }
    // A third class apart from both: the contrast of the first two stays.
    let x: Vec<f64> =
        x.iter().copied().chain((0..20).flat_map(|i| [9.0, f64::from(i % 9)])).collect();
    let labels: Vec<u32> = (0..60).map(mixed).chain([2; 20]).collect();
    let three = Dataset::from_labels(2, &x, 3, &labels).unwrap();
    let two = Dataset::from_labels(2, &x[..120], 2, &labels[..60]).unwrap();
    let (fit, alone) = (Glm::softmax().fit(&three).unwrap(), Glm::softmax().fit(&two).unwrap());
    assert_eq!(statuses(&fit)[..3], [CoefficientStatus::Estimated; 3], "{fit}");
    assert!(statuses(&fit)[3..].contains(&UP), "{fit}");
    for (a, b) in fit.coefficients.iter().zip(&alone.coefficients) {
        assert!((a.estimate / b.estimate - 1.0).abs() < 1e-6, "{fit}\n{alone}");
        assert!((a.standard_error / b.standard_error - 1.0).abs() < 1e-6, "{fit}\n{alone}");
    }
}

#[test]
fn a_single_class_leaves_nothing_determined_and_its_intercept_runs_away() {
    let x: Vec<f64> = (0..12).map(|i| f64::from(i * i % 7)).collect();
    let data = Dataset::from_labels(1, &x, 2, &[1; 12]).unwrap();
    for glm in [Glm::logistic(), Glm::softmax()] {
        let fit = glm.fit(&data).unwrap();
        assert_eq!(statuses(&fit)[0], UP, "{fit}");
        assert_ne!(statuses(&fit)[1], CoefficientStatus::Estimated, "{fit}");
        assert!(fit.notes[0].contains("12 of 12"), "{fit}");
        // A ridge holds slopes, not the intercept.
        let fit = glm.ridge(0.1).fit(&data).unwrap();
        assert_eq!(statuses(&fit), [UP, CoefficientStatus::Estimated], "{fit}");
    }
}

/// Large coefficients and probabilities of 1 alone are no separation: one sample on the wrong side makes the maximum finite.
#[test]
fn a_finite_maximum_is_not_taken_for_one_at_infinity() {
    let finite = |x: &[f64], labels: &[u32]| {
        let data = Dataset::from_labels(1, x, 2, labels).unwrap();
        for glm in [Glm::logistic(), Glm::softmax()] {
            let fit = glm.fit(&data).unwrap();
            assert_eq!(statuses(&fit), [CoefficientStatus::Estimated; 2], "{fit}\n{}", fit.report);
            assert!(fit.coefficients.iter().all(|one| one.standard_error.is_finite()), "{fit}");
        }
    };
    // Overlap in two samples out of 41, at the border.
    let x: Vec<f64> = (-20..=20).map(f64::from).collect();
    let mut labels: Vec<u32> = x.iter().map(|x| u32::from(*x > 0.0)).collect();
    labels.swap(19, 21);
    finite(&x, &labels);
    // A sample so far out that its probability is 1 to the last bit.
    let mut x: Vec<f64> = (0..40).map(|i| f64::from(i * 7 % 40)).collect();
    let mut labels: Vec<u32> =
        x.iter().map(|x| u32::from(*x + 10.0 * (x * 1.7).sin() > 20.0)).collect();
    x.push(1e6);
    labels.push(1);
    finite(&x, &labels);
}

/// Columns that depend on each other are named, and those that do not keep their errors.
#[test]
fn errors_that_dependent_columns_do_not_have_are_said_by_name() {
    let y: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 5)).collect();
    let row = |i: i32| (f64::from(i) / 10.0, f64::from(i * i % 11));
    let x: Vec<f64> = (0..30).flat_map(|i| [row(i).0, 3.0 * row(i).0 - 1.0, row(i).1]).collect();
    let plain: Vec<f64> = (0..30).flat_map(|i| [row(i).0, row(i).1]).collect();
    for glm in [Glm::poisson(), Glm::gaussian()] {
        let fit = glm.fit(&Dataset::from_slices(3, &x, 1, &y).unwrap()).unwrap();
        let without = glm.fit(&Dataset::from_slices(2, &plain, 1, &y).unwrap()).unwrap();
        assert_eq!(fit.coefficients[3].status, CoefficientStatus::Estimated, "{fit}");
        let note = &fit.notes[0];
        assert!(note.contains("x1") && note.contains("x2") && !note.contains("x3"), "{fit}");
        assert!(fit.coefficients[1].standard_error.is_nan());
        let (a, b) = (fit.coefficients[3].standard_error, without.coefficients[2].standard_error);
        assert!((a / b - 1.0).abs() < 1e-8, "{fit}\n{without}");
        assert_eq!(fit.residual_degrees, without.residual_degrees);
    }
}

#[test]
fn an_interrupt_ends_every_family_at_its_start_and_says_so() {
    let interrupt = Interrupt::new();
    interrupt.set();
    let x: Vec<f64> = (0..60).map(f64::from).collect();
    let y: Vec<f64> = (0..60).map(|i| f64::from(i * i * 7 % 23 % (2 + i % 8 * 3))).collect();
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let exposure: Vec<f64> = x.iter().map(|x| x + 1.0).collect();
    let estimated = Glm::negative_binomial_estimated();
    let models = [Glm::gaussian(), Glm::poisson(), Glm::poisson().exposure(&exposure), estimated];
    for model in models {
        let fit = model.clone().interrupt(&interrupt).fit(&data).unwrap();
        assert_eq!(fit.report.reason, Reason::Interrupted, "{model:?}");
        assert_eq!((fit.report.iterations, fit.report.evaluations.hessian), (0, 0), "{model:?}");
        assert!(fit.notes.last().unwrap().starts_with("interrupted: "), "{:?}", fit.notes);
        // The best so far is a model that predicts and goes into a file.
        assert!(fit.predict(&[3.0]).unwrap()[0].is_finite());
        assert_eq!(
            GlmFit::from_bytes(&fit.to_bytes().unwrap()).unwrap().coefficients,
            fit.coefficients
        );
        // A flag that is not set changes nothing.
        let (free, watched) =
            (model.fit(&data), model.clone().interrupt(&Interrupt::new()).fit(&data));
        assert_eq!(free.unwrap().coefficients, watched.unwrap().coefficients);
    }
}
