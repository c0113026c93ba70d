//! The power of a Tweedie model by maximum likelihood, beside statsmodels' density (the fixture is made by `benches/peers/tweedie_power.py`).

use secant::{Dataset, Family, Glm, GlmError, GlmFit, Link};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    x: Vec<f64>,
    y: Vec<f64>,
    weights: Vec<f64>,
    link: Link,
    power: f64,
    error: f64,
    dispersion: f64,
    log_likelihood: f64,
    coefficients: Vec<f64>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../fixtures/tweedie_power.json")).unwrap()
}

fn near(what: &str, found: f64, wanted: f64, allowed: f64, fit: &GlmFit) {
    assert!((found / wanted - 1.0).abs() <= allowed, "{what}: {found} {wanted}\n{fit}");
}

#[test]
fn an_estimated_power_has_the_largest_likelihood_of_statsmodels_density() {
    for case in cases() {
        let data = Dataset::from_slices(2, &case.x, 1, &case.y).unwrap();
        let glm = Glm::tweedie_estimated().link(case.link).weights(&case.weights);
        let fit = glm.fit(&data).unwrap();
        let power = fit.power.unwrap();
        assert!(fit.report.reason.is_success() && fit.notes.is_empty(), "{fit}");
        assert_eq!(fit.family, Family::Tweedie { power: power.estimate });
        // A search by values sees p to the root of their rounding; the Hessian there is one of differences.
        near("p", power.estimate, case.power, 2e-6, &fit);
        near("its error", power.standard_error, case.error, 2e-3, &fit);
        near("φ", power.dispersion, case.dispersion, 1e-5, &fit);
        near("ln L", power.log_likelihood, case.log_likelihood, 1e-10, &fit);
        for (found, wanted) in fit.coefficients.iter().zip(&case.coefficients) {
            near("coefficient", found.estimate, *wanted, 1e-5, &fit);
        }
        // Beside p the fit is that of this p given.
        let given = Glm::tweedie(power.estimate).link(case.link).weights(&case.weights);
        let given = given.fit(&data).unwrap();
        for (a, b) in fit.coefficients.iter().zip(&given.coefficients) {
            near("given", a.estimate, b.estimate, 1e-9, &fit);
            near("its error", a.standard_error, b.standard_error, 1e-9, &fit);
        }
        assert!((fit.aic() - given.aic() - 2.0).abs() < 1e-6, "{fit}\n{given}");
        let back = GlmFit::from_bytes(&fit.to_bytes().unwrap()).unwrap();
        assert_eq!(back.to_string(), fit.to_string());
        assert_eq!(back.power, fit.power);
        assert!(fit.to_string().contains("by maximum likelihood"), "{fit}");
    }
}

#[test]
fn a_power_that_the_data_do_not_have_is_said() {
    let x: Vec<f64> = (0..40).map(|i| f64::from(i % 8)).collect();
    // No zeros, and deviations in proportion to means of three magnitudes: the power is 2.
    let around = [0.7, 1.4, 0.9, 1.0, 0.8];
    let y: Vec<f64> = x.iter().zip(around.iter().cycle()).map(|(x, r)| x.exp() * r).collect();
    let fit = Glm::tweedie_estimated().fit(&Dataset::from_slices(1, &x, 1, &y).unwrap()).unwrap();
    let power = fit.power.unwrap();
    assert!(power.estimate > 1.97 && power.standard_error.is_nan(), "{fit}");
    assert!(fit.notes.iter().any(|note| note.contains("the end of the range")), "{fit}");
    let none = Dataset::from_slices(1, &x, 1, &[0.0; 40]).unwrap();
    let error = Glm::tweedie_estimated().fit(&none).unwrap_err();
    assert!(matches!(error, secant::FitError::Glm(GlmError::NoPower)), "{error}");
}
