//! Errors of estimates whose directions the data determine.

use super::{Decay, Profiled, Regression, close, close_matrix, fit, fixture, linear, solve};
use secant_core::random::Random;
use secant_optim::inference::{Inference, Sandwich, Status};
use secant_optim::{Bounds, GaussNewton, LeastSquaresFn, minimize};

#[test]
fn a_regression_says_what_statsmodels_says_of_it() {
    for name in ["ols", "wls"] {
        let data: Regression = fixture(name);
        let (problem, theta) = (linear(&data.design, &data.targets, &data.weights), solve(&data));
        let infer = Inference::of(&problem, &theta).level(0.9);
        let found = infer.clone().weighted_targets(&data.targets, &data.weights).compute().unwrap();
        close_matrix(|i, j| found.covariance(i, j), &data.covariance, 1e-10);
        for j in 0..4 {
            close(found.estimates[j].value, data.parameters[j], 1e-9);
            close(found.estimates[j].standard_error, data.errors[j], 1e-10);
            close(found.t(j), data.t[j], 1e-9);
            close(found.p(j), data.p[j], 1e-8);
            let (low, high) = found.interval_at(j, 0.9);
            close(low, data.intervals90[j][0], 1e-9);
            close(high, data.intervals90[j][1], 1e-9);
        }
        let measures = found.measures;
        close(measures.r_squared, data.r_squared, 1e-12);
        close(measures.adjusted_r_squared, data.adjusted_r_squared, 1e-12);
        close(measures.log_likelihood, data.log_likelihood, 1e-12);
        close(measures.aic, data.aic, 1e-12);
        close(measures.aicc, data.aicc, 1e-12);
        close(measures.bic, data.bic, 1e-12);
        close(found.degrees, data.degrees, 0.0);
        close(found.residual_deviation, data.deviation, 1e-12);
        assert!(
            measures.chi_squared.is_nan() && infer.compute().unwrap().measures.r_squared.is_nan()
        );
    }
}

#[test]
fn bands_are_those_of_statsmodels() {
    for name in ["ols", "wls"] {
        let data: Regression = fixture(name);
        let (problem, theta) = (linear(&data.design, &data.targets, &data.weights), solve(&data));
        let found = Inference::of(&problem, &theta).level(0.9).compute().unwrap();
        let new = super::matrix(&data.new);
        let at = |row: &Vec<f64>| row.iter().zip(&theta).map(|(x, p)| x * p).sum::<f64>();
        let values: Vec<f64> = data.new.iter().map(at).collect();
        let band = found.band(&values, new.as_ref()).unwrap();
        for (i, point) in band.iter().enumerate() {
            close(point.value, data.mean[i], 1e-10);
            close(point.standard_error, data.mean_se[i], 1e-10);
            close(point.confidence.0, data.mean_lower[i], 1e-10);
            close(point.confidence.1, data.mean_upper[i], 1e-10);
            close(point.prediction.0, data.obs_lower[i], 1e-10);
            close(point.prediction.1, data.obs_upper[i], 1e-10);
        }
        let short = found.band(&values[..2], new.as_ref()).unwrap_err().to_string();
        assert_eq!(short, "values of the band: 2, the problem asks for 3");
    }
}

#[test]
fn sandwiches_are_those_of_statsmodels() {
    for name in ["ols", "wls"] {
        let data: Regression = fixture(name);
        let (problem, theta) = (linear(&data.design, &data.targets, &data.weights), solve(&data));
        let all = [
            (Sandwich::Hc0, &data.hc0),
            (Sandwich::Hc1, &data.hc1),
            (Sandwich::Hc2, &data.hc2),
            (Sandwich::Hc3, &data.hc3),
        ];
        for (sandwich, expected) in all {
            let found = Inference::of(&problem, &theta).robust(sandwich).compute().unwrap();
            close_matrix(|i, j| found.covariance(i, j), expected, 1e-10);
        }
    }
}

#[test]
fn covariances_of_a_curve_are_those_of_scipy_for_relative_and_absolute_sigma() {
    let data: Decay = fixture("decay");
    let problem = data.problem();
    let theta = fit(&problem, &[2.0, 1.0, 0.0]);
    let infer = Inference::of(&problem, &theta).names(["a", "b", "c"]);
    let relative = infer.clone().compute().unwrap();
    let absolute = infer.clone().absolute_sigma(true).compute().unwrap();
    close_matrix(|i, j| relative.covariance(i, j), &data.relative, 1e-8);
    close_matrix(|i, j| absolute.covariance(i, j), &data.absolute, 1e-8);
    for (found, expected) in relative.estimates.iter().zip(&data.parameters) {
        close(found.value, *expected, 1e-8);
    }
    close(absolute.measures.chi_squared, data.chi_squared, 1e-10);
    close(absolute.measures.chi_squared_p, data.chi_squared_p, 1e-9);
    // lmfit leaves out what does not depend on the model.
    let m = 25.0;
    let constant = m * (1.0 + f64::ln(2.0 * std::f64::consts::PI));
    close(relative.measures.aic - constant, data.lmfit_aic_relative, 1e-9);
    close(relative.measures.bic - constant, data.lmfit_bic_relative, 1e-9);
    // With σ known an interval is one of the normal.
    close(absolute.quantile(0.95), 1.959_963_984_540_054, 1e-13);
    let weights: Vec<f64> = data.sigma.iter().map(|sigma| sigma.powi(-2)).collect();
    let known = infer.absolute_sigma(true).weighted_targets(&data.y, &weights).compute().unwrap();
    let density: f64 =
        data.sigma.iter().map(|s| -f64::ln(s * (2.0 * std::f64::consts::PI).sqrt())).sum();
    close(known.measures.log_likelihood, density - 0.5 * data.chi_squared, 1e-12);
}

#[test]
fn certified_deviations_are_found() {
    for set in fixture::<Vec<Profiled>>("profiles") {
        let problem = set.problem();
        let theta = fit(&problem, &set.start);
        let found = Inference::of(&problem, &theta).compute().unwrap();
        for (estimate, (value, deviation)) in
            found.estimates.iter().zip(set.certified.iter().zip(&set.deviations))
        {
            close(estimate.value, *value, 1e-9);
            close(estimate.standard_error, *deviation, 1e-8);
        }
    }
}

#[test]
fn a_parameter_at_its_bound_has_no_error_and_the_others_have_those_of_a_fit_without_it() {
    let data: Decay = fixture("decay");
    let problem = data.problem();
    let theta = [2.4, 0.75, 0.3];
    let bounds = Bounds::free(3).with(2..3, 0.3, 1.0).unwrap();
    let found =
        Inference::of(&problem, &theta).names(["a", "b", "c"]).bounds(bounds).compute().unwrap();
    let (t, y, sigma) = (&data.t, &data.y, &data.sigma);
    let without = LeastSquaresFn::new(2, 25, |p, r| {
        for i in 0..25 {
            r[i] = (p[0] * f64::exp(-p[1] * t[i]) + 0.3 - y[i]) / sigma[i];
        }
    });
    let expected = Inference::of(&without, &theta[..2]).compute().unwrap();
    assert_eq!(found.estimates[2].status, Status::AtBound);
    assert!(found.estimates[2].standard_error.is_nan() && found.covariance(0, 2).is_nan());
    assert_eq!(found.degrees, 23.0);
    for j in 0..2 {
        close(found.estimates[j].standard_error, expected.estimates[j].standard_error, 1e-7);
    }
    close(found.correlation(0, 1), expected.correlation(0, 1), 1e-7);
    let text = found.to_string();
    assert!(text.contains("0.3 (at its bound)"), "{text}");
}

#[test]
fn derived_quantities_have_the_variance_of_their_gradient() {
    let data: Decay = fixture("decay");
    let problem = data.problem();
    let theta = fit(&problem, &[2.0, 1.0, 0.0]);
    let plain = Inference::of(&problem, &theta).compute().unwrap();
    // a, the half-life ln 2/b, and a constant.
    let half = std::f64::consts::LN_2 / theta[1];
    let gradient = faer::mat![[1.0, 0.0, 0.0], [0.0, -half / theta[1], 0.0], [0.0, 0.0, 0.0]];
    let found = Inference::of(&problem, &theta)
        .derived([theta[0], half, 7.0], gradient, ["a", "half-life", "seven"])
        .compute()
        .unwrap();
    let error = plain.estimates[1].standard_error * half / theta[1];
    close(found.estimate("half-life").unwrap().standard_error, error, 1e-13);
    close(found.correlation(0, 1), -plain.correlation(0, 1), 1e-12);
    assert_eq!(found.estimates[2].status, Status::Fixed);
    close(plain.error_along(&[0.0, -half / theta[1], 0.0]), error, 1e-13);
}

#[test]
fn errors_do_not_depend_on_the_units_of_parameters() {
    let data: Decay = fixture("decay");
    let problem = data.problem();
    let theta = fit(&problem, &[2.0, 1.0, 0.0]);
    let expected = Inference::of(&problem, &theta).compute().unwrap();
    let units = [1e-9, 1e12, 3e-4];
    let scaled = LeastSquaresFn::new(3, 25, |p, r| {
        let p: Vec<f64> = p.iter().zip(units).map(|(p, unit)| p * unit).collect();
        secant_core::problem::LeastSquares::residuals(&problem, &p, r);
    })
    .with_jacobian(|p, mut j| {
        let p: Vec<f64> = p.iter().zip(units).map(|(p, unit)| p * unit).collect();
        let mut r = vec![0.0; 25];
        secant_core::problem::LeastSquares::jacobian(&problem, &p, &mut r, j.as_mut());
        for k in 0..3 {
            (0..25).for_each(|i| j[(i, k)] *= units[k]);
        }
    });
    let theta: Vec<f64> = theta.iter().zip(units).map(|(t, unit)| t / unit).collect();
    let found = Inference::of(&scaled, &theta).compute().unwrap();
    for j in 0..3 {
        let error = expected.estimates[j].standard_error / units[j];
        close(found.estimates[j].standard_error, error, 1e-11);
    }
}

#[test]
fn ninety_five_per_cent_intervals_hold_the_truth_in_ninety_five_per_cent_of_simulated_sets() {
    let t: Vec<f64> = (0..15).map(|i| 0.3 * f64::from(i)).collect();
    let truth = [2.0, 0.7];
    let mut random = Random::new(3);
    let (mut hits, sets) = ([0; 2], 2000);
    for _ in 0..sets {
        let y: Vec<f64> =
            t.iter().map(|t| truth[0] * f64::exp(-truth[1] * t) + 0.05 * random.normal()).collect();
        let problem = LeastSquaresFn::new(2, 15, |p, r| {
            (0..15).for_each(|i| r[i] = p[0] * f64::exp(-p[1] * t[i]) - y[i]);
        })
        .with_jacobian(|p, mut j| {
            for i in 0..15 {
                let e = f64::exp(-p[1] * t[i]);
                (j[(i, 0)], j[(i, 1)]) = (e, -p[0] * t[i] * e);
            }
        });
        let theta = minimize(&problem, GaussNewton::default(), &truth).unwrap().theta;
        let found = Inference::of(&problem, &theta).compute().unwrap();
        for j in 0..2 {
            let (low, high) = found.interval_at(j, 0.95);
            hits[j] += i32::from(low <= truth[j] && truth[j] <= high);
        }
    }
    for hits in hits {
        let coverage = f64::from(hits) / f64::from(sets);
        assert!((0.935..=0.965).contains(&coverage), "{coverage}");
    }
}

#[test]
fn the_spread_gives_the_bands_of_the_whole() {
    // The third column is the sum of the others: one direction is open.
    let mut random = Random::new(4);
    let design: Vec<Vec<f64>> = (0..20)
        .map(|_| (random.uniform(), random.uniform()))
        .map(|(a, b)| vec![a, b, a + b, 1.0])
        .collect();
    let targets: Vec<f64> = (0..20).map(|_| random.uniform()).collect();
    let problem = LeastSquaresFn::new(4, 20, |p, r| {
        for (i, row) in design.iter().enumerate() {
            r[i] = row.iter().zip(p).map(|(x, p)| x * p).sum::<f64>() - targets[i];
        }
    });
    let theta = minimize(&problem, GaussNewton::default(), &[0.0; 4]).unwrap().theta;
    let found = Inference::of(&problem, &theta).level(0.8).compute().unwrap();
    assert_eq!(found.open_directions.len(), 1);
    let spread = found.spread().unwrap();
    // Seen, seen, open, and nothing at all.
    let rows = faer::mat![
        [0.2, 0.7, 0.9, 1.0],
        [3.0, -1.0, 2.0, 1.0],
        [1.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, 0.0, 0.0]
    ];
    let (values, sigma) = ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 1.0, 0.5]);
    let whole = found.band_with(&values, rows.as_ref(), &sigma).unwrap();
    let kept = spread.band_with(&values, rows.as_ref(), &sigma, 0.8).unwrap();
    for (whole, kept) in whole.iter().zip(&kept) {
        let both = [
            (whole.standard_error, kept.standard_error),
            (whole.observation_error, kept.observation_error),
            (whole.prediction.0, kept.prediction.0),
            (whole.confidence.1, kept.confidence.1),
        ];
        for (whole, kept) in both {
            assert!((whole - kept).abs() <= 1e-13 * whole.abs() || whole.is_nan() && kept.is_nan());
        }
    }
    assert!(kept[2].standard_error.is_nan() && kept[0].standard_error > 0.0);
    assert_eq!(kept[3].standard_error, 0.0);
    assert!(spread.band_with(&values, rows.as_ref(), &sigma, 1.0).is_err());
    assert!(spread.band_with(&values, rows.as_ref(), &sigma[1..], 0.8).is_err());
    let sandwich = Inference::of(&problem, &theta).robust(Sandwich::Hc1).compute().unwrap();
    assert!(sandwich.spread().is_none());
}
