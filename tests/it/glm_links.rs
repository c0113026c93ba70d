//! Families with all their links beside statsmodels (the fixture is made by `benches/peers/glm_links.py`), α by maximum likelihood, and what
//! is said where a link, a start or a maximum does not exist.

use secant::{
    Coefficient, CoefficientStatus, Dataset, Family, FitError, Glm, GlmError, GlmFit, Information,
    Link,
};
use serde_json::Value;

/// Agreement asked for, relative.
const DIGITS: f64 = 1e-8;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/glm_links.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn family(name: &str, parameter: Option<f64>) -> Family {
    match name {
        "gaussian" => Family::Gaussian,
        "poisson" => Family::Poisson,
        "logistic" => Family::Logistic,
        "gamma" => Family::Gamma,
        "inverse gaussian" => Family::InverseGaussian,
        "negative binomial" => Family::NegativeBinomial { alpha: parameter.unwrap() },
        "tweedie" => Family::Tweedie { power: parameter.unwrap() },
        other => panic!("{other}"),
    }
}

/// The model with what a case has beside: formulas of the row, as in the script.
fn beside(mut glm: Glm, case: &Value) -> Glm {
    let rows = |of: &dyn Fn(usize) -> f64| (0..60).map(of).collect::<Vec<_>>();
    if case["extra"].as_bool().unwrap() {
        glm =
            glm.offset(&rows(&|i| 0.1 * (i % 3) as f64)).weights(&rows(&|i| 1.0 + (i % 3) as f64));
    }
    if case["exposure"].as_bool().unwrap() {
        glm = glm.exposure(&rows(&|i| 1.0 + (i % 5) as f64));
    }
    glm
}

/// Refuses a number that is not the one wanted, relative.
fn same(what: &str, found: f64, wanted: f64, context: &str) {
    assert!((found / wanted - 1.0).abs() <= DIGITS, "{what}: {found} {wanted}\n{context}");
}

fn all(what: &str, found: impl Iterator<Item = f64>, wanted: &Value, context: &str) {
    let (found, wanted): (Vec<f64>, _) = (found.collect(), numbers(wanted));
    assert_eq!(found.len(), wanted.len());
    found.iter().zip(&wanted).for_each(|(found, wanted)| same(what, *found, *wanted, context));
}

#[test]
fn every_family_has_what_statsmodels_has_by_every_link() {
    let fixture = fixture();
    let x = numbers(&fixture["x"]);
    let cases = fixture["cases"].as_array().unwrap();
    let mut seen = Vec::new();
    for case in cases {
        let y = numbers(&fixture["targets"][case["y"].as_str().unwrap()]);
        let data = Dataset::from_slices(2, &x, 1, &y).unwrap();
        let family = family(case["name"].as_str().unwrap(), case["parameter"].as_f64());
        let link: Link = serde_json::from_value(case["link"].clone()).unwrap();
        seen.push((family.name(), link.name()));
        let glm = beside(Glm::new(family).link(link), case);
        let fit = glm.fit(&data).unwrap();
        let context = format!("{case}\n{fit}\n{}", fit.report);
        assert!(fit.report.reason.is_success() && fit.notes.is_empty(), "{context}");
        let each = || fit.coefficients.iter();
        all("estimate", each().map(|one| one.estimate), &case["coefficients"], &context);
        all("error", each().map(|one| one.standard_error), &case["errors"], &context);
        all("p", each().map(Coefficient::p_value), &case["p"], &context);
        let intervals = fit.confidence_intervals(0.9).unwrap();
        all("low", intervals.iter().map(|of| of[0]), &case["low"], &context);
        all("high", intervals.iter().map(|of| of[1]), &case["high"], &context);
        for (what, found) in [
            ("deviance", fit.deviance),
            ("null_deviance", fit.null_deviance),
            ("pearson", fit.pearson),
            ("log_likelihood", fit.log_likelihood),
            ("aic", fit.aic()),
            ("bic", fit.bic()),
        ] {
            same(what, found, case[what].as_f64().unwrap(), &context);
        }
        let observed = glm.information(Information::Observed).fit(&data).unwrap();
        let errors = observed.coefficients.iter().map(|one| one.standard_error);
        all("observed error", errors, &case["observed"], &context);
    }
    for name in ["gaussian", "poisson", "logistic", "gamma", "inverse gaussian"] {
        for link in family(name, None).links() {
            assert!(seen.contains(&(name, link.name())), "{name} {}", link.name());
        }
    }
}

#[test]
fn an_estimated_alpha_has_the_estimate_and_the_errors_of_statsmodels() {
    let fixture = fixture();
    let x = numbers(&fixture["x"]);
    for case in fixture["alphas"].as_array().unwrap() {
        let y = numbers(&fixture["targets"][case["y"].as_str().unwrap()]);
        let data = Dataset::from_slices(2, &x, 1, &y).unwrap();
        let glm = beside(Glm::negative_binomial_estimated(), case);
        let fit = glm.fit(&data).unwrap();
        let context = format!("{case}\n{fit}\n{}", fit.report);
        assert!(fit.report.reason.is_success() && fit.notes.is_empty(), "{context}");
        let alpha = fit.alpha.unwrap();
        same("alpha", alpha.estimate, case["alpha"].as_f64().unwrap(), &context);
        same("its error", alpha.standard_error, case["alpha_error"].as_f64().unwrap(), &context);
        let each = || fit.coefficients.iter();
        all("estimate", each().map(|one| one.estimate), &case["coefficients"], &context);
        all("error", each().map(|one| one.standard_error), &case["errors"], &context);
        same("ln L", fit.log_likelihood, case["log_likelihood"].as_f64().unwrap(), &context);
        same("aic", fit.aic(), case["aic"].as_f64().unwrap(), &context);
        same("bic", fit.bic(), case["bic"].as_f64().unwrap(), &context);
        // The expected information has the errors of an α that is given.
        let expected = glm.information(Information::Expected).fit(&data).unwrap();
        let given = beside(Glm::negative_binomial(alpha.estimate), case).fit(&data).unwrap();
        for (a, b) in expected.coefficients.iter().zip(&given.coefficients) {
            same("expected error", a.standard_error, b.standard_error, &context);
        }
    }
}

/// At the α of the largest likelihood, every other one with its own best coefficients has less, by other links too.
#[test]
fn no_other_alpha_has_a_larger_likelihood() {
    let fixture = fixture();
    let y = numbers(&fixture["targets"]["counts"]);
    let data = Dataset::from_slices(2, &numbers(&fixture["x"]), 1, &y).unwrap();
    for link in (Family::NegativeBinomial { alpha: 1.0 }).links() {
        let fit = Glm::negative_binomial_estimated().link(*link).fit(&data).unwrap();
        let alpha = fit.alpha.unwrap();
        for factor in [0.999, 1.001] {
            let other = Glm::negative_binomial(factor * alpha.estimate).link(*link);
            let other = other.fit(&data).unwrap();
            // ln L is flat: ½(0.001·α/error)² less.
            let less = 0.5 * (1e-3 * alpha.estimate / alpha.standard_error).powi(2);
            let found = fit.log_likelihood - other.log_likelihood;
            assert!((found / less - 1.0).abs() < 0.02, "{link:?} {factor}: {found:e} {less:e}");
        }
    }
}

#[test]
fn counts_that_vary_less_than_a_poissons_are_one_and_it_is_said() {
    let fixture = fixture();
    let y = numbers(&fixture["targets"]["steady"]);
    let data = Dataset::from_slices(2, &numbers(&fixture["x"]), 1, &y).unwrap();
    let (fit, poisson) = (
        Glm::negative_binomial_estimated().fit(&data).unwrap(),
        Glm::poisson().fit(&data).unwrap(),
    );
    assert_eq!(fit.family, Family::Poisson);
    let alpha = fit.alpha.unwrap();
    assert!(alpha.estimate == 0.0 && alpha.standard_error.is_nan(), "{fit}");
    assert!(fit.notes[0].contains("do not vary more than those of a Poisson"), "{fit}");
    for (a, b) in fit.coefficients.iter().zip(&poisson.coefficients) {
        assert!((a.estimate / b.estimate - 1.0).abs() < 1e-9, "{fit}\n{poisson}");
        assert!((a.standard_error / b.standard_error - 1.0).abs() < 1e-9, "{fit}\n{poisson}");
    }
    assert!((fit.aic() / poisson.aic() - 1.0).abs() < 1e-12);
}

#[test]
fn combinations_that_cannot_hold_are_refused_by_family_and_link() {
    let data = Dataset::from_slices(1, &[1.0, 2.0, 3.0], 1, &[1.0, 2.0, 4.0]).unwrap();
    let text = |glm: Glm| glm.fit(&data).unwrap_err().to_string();
    let refused = text(Glm::poisson().link(Link::Probit));
    assert_eq!(refused, "poisson: there is no probit link, only log, identity, sqrt");
    let refused = text(Glm::softmax().link(Link::Logit));
    assert_eq!(refused, "softmax: there is no logit link, only softmax");
    assert_eq!(text(Glm::tweedie(2.0)), "tweedie: power = 2 must be between 1 and 2");
    assert_eq!(
        text(Glm::poisson().link(Link::Sqrt).exposure(&[1.0; 3])),
        "poisson: an exposure needs a log link; take an offset"
    );
    let zero = Dataset::from_slices(1, &[1.0, 2.0], 1, &[1.0, 0.0]).unwrap();
    let error = Glm::inverse_gaussian().fit(&zero).unwrap_err().to_string();
    assert_eq!(error, "inverse gaussian: target 0 of sample 1 must be positive");
    // Without an intercept a column of both signs gives means of both signs.
    let both = Dataset::from_slices(1, &[1.0, 2.0, -3.0], 1, &[1.0, 2.0, 4.0]).unwrap();
    let error = Glm::gamma().link(Link::Inverse).intercept(false).fit(&both).unwrap_err();
    assert!(
        matches!(error, FitError::Glm(GlmError::NoStart { family: "gamma", link: "inverse", .. })),
        "{error}"
    );
    let fit = Glm::poisson().fit(&data).unwrap();
    for level in [0.0, 1.0, 95.0, f64::NAN] {
        let error = fit.confidence_intervals(level).unwrap_err();
        assert!(matches!(error, GlmError::Level { .. }), "{error}");
    }
}

/// Scores that must stay positive, from starts that a model without an intercept or with offsets does not give for nothing.
#[test]
fn a_start_is_found_wherever_there_is_one() {
    let fixture = fixture();
    let x = numbers(&fixture["x"]);
    let y = numbers(&fixture["targets"]["positive"]);
    // The intercept by another column: 1 and −x, so that neither all coefficients of 1 nor of 0 are feasible.
    let turned: Vec<f64> = x.chunks_exact(2).flat_map(|x| [1.0 - x[0], -x[0], x[1]]).collect();
    let data = Dataset::from_slices(2, &x, 1, &y).unwrap();
    let other = Dataset::from_slices(3, &turned, 1, &y).unwrap();
    for (family, links) in [
        (Family::Gamma, [Link::Identity, Link::Inverse]),
        (Family::InverseGaussian, [Link::Identity, Link::InverseSquare]),
        (Family::Tweedie { power: 1.7 }, [Link::Identity, Link::Sqrt]),
    ] {
        for link in links {
            let glm = Glm::new(family).link(link);
            let (a, b) = (glm.fit(&data).unwrap(), glm.intercept(false).fit(&other).unwrap());
            assert!(b.report.reason.is_success(), "{b}\n{}", b.report);
            assert!((a.deviance / b.deviance - 1.0).abs() < 1e-10, "{a}\n{b}");
            assert!((a.null_deviance / b.null_deviance - 1.0).abs() < 1e-10, "{a}\n{b}");
        }
    }
    // Offsets below the mean target.
    let offset: Vec<f64> = (0..60).map(|i| -40.0 + f64::from(i % 2)).collect();
    let glm = Glm::gamma().link(Link::Identity);
    let (a, b) = (glm.clone().offset(&offset).fit(&data).unwrap(), glm.fit(&data).unwrap());
    assert!(a.report.reason.is_success() && a.deviance.is_finite(), "{a}");
    assert!(
        (a.coefficients[0].estimate - b.coefficients[0].estimate - 39.5).abs() < 1.0,
        "{a}\n{b}"
    );
}

/// Curvature of either sign on the way: y = e^(x·β) from β = 0, where most of the Hessian is negative.
#[test]
fn a_link_that_is_not_canonical_is_fitted_from_afar() {
    let x: Vec<f64> = (0..40).map(|i| f64::from(i) / 10.0).collect();
    let y: Vec<f64> = x.iter().map(|x| (1.0 + 2.0 * x).exp()).collect();
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let fit = Glm::gaussian().link(Link::Log).fit(&data).unwrap();
    let context = format!("{fit}\n{}", fit.report);
    assert!((fit.coefficients[0].estimate - 1.0).abs() < 1e-9, "{context}");
    assert!((fit.coefficients[1].estimate - 2.0).abs() < 1e-9, "{context}");
    for link in [Link::Inverse, Link::InverseSquare] {
        let y: Vec<f64> = x
            .iter()
            .map(|x| {
                let mut mean = [0.01 + 5.0 * x];
                link.means(&mut mean, 1);
                mean[0]
            })
            .collect();
        let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
        let fit = Glm::inverse_gaussian().link(link).fit(&data).unwrap();
        let context = format!("{fit}\n{}", fit.report);
        assert!((fit.coefficients[0].estimate / 0.01 - 1.0).abs() < 1e-6, "{context}");
        assert!((fit.coefficients[1].estimate / 5.0 - 1.0).abs() < 1e-6, "{context}");
    }
}

#[test]
fn separation_is_found_by_probit_and_complementary_log_log() {
    let statuses = |fit: &GlmFit| fit.coefficients.iter().map(|one| one.status).collect::<Vec<_>>();
    // x1 separates the odd samples from nothing else: those with x1 = 1 are all of class 1.
    let rows = |i: usize| [f64::from(i % 2 == 1), ((i * 37) % 23) as f64 / 7.0];
    let x: Vec<f64> = (0..60).flat_map(rows).collect();
    let mixed = |i: usize| u32::from((i * 37) % 23 + 3 * (i % 7) > 20);
    let labels: Vec<u32> = (0..60).map(|i| if i % 2 == 1 { 1 } else { mixed(i) }).collect();
    let data = Dataset::from_labels(2, &x, 2, &labels).unwrap();
    let half = data.select(&(0..60).step_by(2).collect::<Vec<_>>()).unwrap();
    let line: Vec<f64> = (0..30).map(f64::from).collect();
    let labels: Vec<u32> = (0..30).map(|i| u32::from(i > 14)).collect();
    let complete = Dataset::from_labels(1, &line, 2, &labels).unwrap();
    for link in [Link::Probit, Link::ComplementaryLogLog] {
        let glm = Glm::logistic().link(link);
        let fit = glm.fit(&complete).unwrap();
        assert!(fit.notes.iter().any(|note| note.contains("(complete separation)")), "{fit}");
        assert!(statuses(&fit)[1] == CoefficientStatus::RunsAway { up: true }, "{fit}");
        let (fit, alone) = (glm.fit(&data).unwrap(), glm.fit(&half).unwrap());
        let (kept, up) = (CoefficientStatus::Estimated, CoefficientStatus::RunsAway { up: true });
        assert_eq!(statuses(&fit), [kept, up, kept], "{fit}");
        for at in [0, 2] {
            let (a, b) = (&fit.coefficients[at], &alone.coefficients[at]);
            assert!((a.estimate / b.estimate - 1.0).abs() < 1e-6, "{fit}\n{alone}");
            assert!((a.standard_error / b.standard_error - 1.0).abs() < 1e-6, "{fit}\n{alone}");
        }
        // Tails of 30 deviations have no maximum at infinity where one sample is on the wrong side.
        let mut labels = labels.clone();
        labels.swap(14, 15);
        let fit = glm.fit(&Dataset::from_labels(1, &line, 2, &labels).unwrap()).unwrap();
        assert_eq!(statuses(&fit), [kept; 2], "{fit}");
    }
}

/// Zeros beside an identity: the largest likelihood is where their mean is 0, the end of the domain.
#[test]
fn a_maximum_at_the_end_of_the_domain_is_said() {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let data = Dataset::from_slices(1, &x, 1, &[3.0, 5.0, 2.0, 0.0, 0.0, 0.0]).unwrap();
    let fit = Glm::poisson().link(Link::Identity).fit(&data).unwrap();
    assert!(
        fit.notes.iter().any(|note| note.contains("at the end of what the identity link")),
        "{fit}"
    );
    assert!(!fit.report.reason.is_success(), "{fit}\n{}", fit.report);
}

#[test]
fn a_dependent_column_is_named_by_those_that_it_depends_on() {
    let row = |i: usize| (i as f64 / 10.0, (i * i % 11) as f64);
    let x: Vec<f64> = (0..30)
        .flat_map(|i| {
            let (a, b) = row(i);
            [a, b, (i % 4) as f64, a + 2.0 * b, 0.25 * b - 3.0]
        })
        .collect();
    let y: Vec<f64> = (0..30).map(|i| 1.0 + f64::from(i * 7 % 5)).collect();
    let names = ["a", "b", "free", "c", "d"].map(String::from).to_vec();
    let data = Dataset::from_slices(5, &x, 1, &y).unwrap().with_feature_names(names).unwrap();
    for glm in [Glm::poisson(), Glm::gaussian(), Glm::gamma()] {
        let fit = glm.fit(&data).unwrap();
        let note = &fit.notes[0];
        assert!(note.contains(": d = 0.25·b − 3, c = a + 2·b, so"), "{fit}");
        assert!(!note.contains("free"), "{fit}");
        assert!(fit.coefficient("free").unwrap().standard_error > 0.0, "{fit}");
    }
}

#[test]
fn the_table_has_the_digits_that_the_errors_leave() {
    let smokers = [32.0, 104.0, 206.0, 186.0, 102.0];
    let others = [2.0, 12.0, 28.0, 28.0, 31.0];
    let years =
        [52407.0, 43248.0, 28612.0, 12663.0, 5317.0, 18790.0, 10673.0, 5710.0, 2585.0, 1462.0];
    let rows = (0..10).flat_map(|i| [f64::from(i < 5), f64::from(i % 5)]);
    let x: Vec<f64> = rows.collect();
    let data = Dataset::from_slices(2, &x, 1, &[smokers, others].concat()).unwrap();
    let data = data.with_feature_names(vec!["smokes".into(), "age".into()]).unwrap();
    let fit = Glm::poisson().exposure(&years).fit(&data).unwrap();
    let printed = fit.to_string();
    let rows: Vec<&str> = printed.lines().collect();
    assert!(rows[0].starts_with("poisson, log link: "), "{fit}");
    let smokes = rows.iter().find(|row| row.contains("smokes")).unwrap();
    let cells: Vec<&str> = smokes.split_whitespace().collect();
    let one = &fit.coefficients[1];
    assert_eq!(cells[1], format!("{:.3}", one.estimate), "{fit}");
    assert_eq!(cells[2], format!("{:.3}", one.standard_error), "{fit}");
    assert_eq!(cells.len(), 7, "{fit}");
    // Decimal points stand under each other.
    let point = |row: &str| row.chars().position(|c| c == '.');
    let table = &rows[2..5];
    assert!(table.iter().all(|row| point(row) == point(table[0])), "{fit}");
    assert!(printed.contains("N 10, deviance") && printed.contains("AIC"), "{fit}");
    let labels = [0, 1, 0, 1, 1, 0];
    let data = Dataset::from_labels(1, &[0.0, 1.0, 2.0, 3.0, 1.5, 2.5], 2, &labels).unwrap();
    let data = data.with_class_names(vec!["sound".into(), "ill".into()]).unwrap();
    let printed = Glm::logistic().fit(&data).unwrap().to_string();
    assert!(printed.starts_with("logistic, logit link, probability of ill: "), "{printed}");
}

/// A probability of 1 for the last group of the log link, of 0 for the first of the identity: the largest likelihood is at the end.
#[test]
fn a_probability_of_two_classes_at_its_end_is_said_and_never_a_nan() {
    let x: Vec<f64> = (0..40).map(|i| f64::from(i % 4)).collect();
    let rising = |i: u32| u32::from(i % 4 == 3 || (i % 4 == 2 && i % 8 == 2));
    let labels: Vec<u32> = (0..40).map(rising).collect();
    let data = Dataset::from_labels(1, &x, 2, &labels).unwrap();
    for link in [Link::Log, Link::Identity] {
        let fit = Glm::logistic().link(link).fit(&data).unwrap();
        let context = format!("{fit}\n{}", fit.report);
        assert!(fit.notes.iter().any(|note| note.contains("at the end of what the")), "{context}");
        assert!(!fit.report.reason.is_success(), "{context}");
        assert!(fit.coefficients.iter().all(|one| one.estimate.is_finite()), "{context}");
        let means = fit.predict(&[0.0, 1.0, 2.0, 3.0]).unwrap();
        assert!(means.iter().all(|p| (0.0..=1.0).contains(p)), "{means:?}\n{context}");
    }
}

#[test]
fn probabilities_start_where_every_sample_has_one() {
    let fixture = fixture();
    let x = numbers(&fixture["x"]);
    let y = numbers(&fixture["targets"]["binary"]);
    let turned: Vec<f64> = x.chunks_exact(2).flat_map(|x| [1.0 - x[0], -x[0], x[1]]).collect();
    let data = Dataset::from_slices(2, &x, 1, &y).unwrap();
    let other = Dataset::from_slices(3, &turned, 1, &y).unwrap();
    for link in [Link::Log, Link::Identity] {
        let glm = Glm::logistic().link(link);
        let (a, b) = (glm.fit(&data).unwrap(), glm.clone().intercept(false).fit(&other).unwrap());
        assert!(b.report.reason.is_success(), "{b}\n{}", b.report);
        assert!((a.deviance / b.deviance - 1.0).abs() < 1e-10, "{a}\n{b}");
        // An offset moves the intercept, also one that would leave the probabilities.
        let offset = vec![-7.5; 60];
        let moved = glm.offset(&offset).fit(&data).unwrap();
        assert!((moved.deviance / a.deviance - 1.0).abs() < 1e-9, "{moved}\n{a}");
        let (found, wanted) = (moved.coefficients[0].estimate, a.coefficients[0].estimate + 7.5);
        assert!((found - wanted).abs() < 1e-7, "{moved}\n{a}");
    }
    // Offsets further apart than 0 and 1 have no start.
    let apart: Vec<f64> = (0..60).map(|i| f64::from(i % 2) * 1.5).collect();
    let error = Glm::logistic().link(Link::Identity).offset(&apart).fit(&data).unwrap_err();
    assert!(
        matches!(
            error,
            FitError::Glm(GlmError::NoStart { family: "logistic", link: "identity", .. })
        ),
        "{error}"
    );
    // All of one class: the largest likelihood is at the end, which is said.
    let ones = Dataset::from_slices(2, &x, 1, &[1.0; 60]).unwrap();
    for link in [Link::Log, Link::Identity] {
        let fit = Glm::logistic().link(link).fit(&ones).unwrap();
        assert!(!fit.notes.is_empty(), "{fit}\n{}", fit.report);
    }
}
