//! Robust losses on networks: SciPy's lines by a linear network, estimated scales, exact curvature.

use secant::{
    Activation, Bfgs, Dataset, FitError, HessianKind, Lbfgs, LeastSquaresFn, Method, Network,
    Newton, NoPenalty, Rho, RhoWeight, Ridge, Risk, Robust, Standardize, Stopping, TrustRegion,
    check, fit, minimize_robust, optim::residual_scale,
};
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../crates/optim/tests/fixtures/robust_line.json"))
        .unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn to_rounding() -> Stopping {
    Stopping { gradient_tolerance: 0.0, ..Stopping::default() }
}

#[test]
fn a_linear_network_ends_where_scipy_ends() {
    let fixture = fixture();
    let (x, y) = (numbers(&fixture["x"]), numbers(&fixture["y"]));
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let net = Network::linear(1, 1);
    for expected in fixture["fits"].as_array().unwrap() {
        let name = expected["rho"].as_str().unwrap();
        let rho = Rho::ALL.into_iter().find(|rho| rho.name() == name).unwrap();
        let theta = numbers(&expected["theta"]);
        let start = numbers(&fixture["soft_l1_start"]);
        for (method, weight) in [
            (Method::from(TrustRegion::default()), RhoWeight::Triggs),
            (Newton::default().with_curvature(HessianKind::GaussNewton).into(), RhoWeight::Triggs),
            (Newton::default().with_curvature(HessianKind::GaussNewton).into(), RhoWeight::Irls),
            (Lbfgs::default().into(), RhoWeight::Triggs),
        ] {
            let loss = Robust::new(rho, expected["scale"].as_f64().unwrap()).unwrap();
            let fitted = fit(&net, &data)
                .loss(loss.with_weight(weight))
                .standardize(Standardize::Nothing)
                .start([start[1], start[0]])
                .method(method)
                .stopping(to_rounding())
                .run()
                .unwrap();
            let (report, found) = (fitted.report(), fitted.model().theta());
            for (found, expected) in found.iter().zip([theta[1], theta[0]]) {
                let error = (found / expected - 1.0).abs();
                assert!(error <= 1e-8, "{rho:?} {weight:?} {error:e}\n{report}");
            }
            // The risk is a mean over the samples.
            let value = expected["value"].as_f64().unwrap() / x.len() as f64;
            assert!((report.value / value - 1.0).abs() <= 1e-12, "{rho:?}");
        }
    }
}

#[test]
fn curvature_of_a_network_under_a_robust_loss_is_exact() {
    let data = Dataset::from_csv("data/yacht.csv", "target").unwrap();
    let net = Network::mlp([6, 5, 1], Activation::Tanh);
    for rho in Rho::ALL {
        let loss = Robust::new(rho, 12.0).unwrap();
        let risk = Risk::new(net.graph().unwrap(), &data, loss, Ridge(1e-3)).unwrap();
        let checks = check::curvature(&risk, &net.draw(3).unwrap(), 7);
        assert!(checks.passed(), "{rho:?}: {checks:?}");
        assert!(risk.least_squares().is_none(), "ρ of a residual is no square, even for {rho:?}");
    }
}

#[test]
fn the_estimated_scale_of_a_network_is_that_of_plain_least_squares() {
    let fixture = fixture();
    let (x, y) = (numbers(&fixture["x"]), numbers(&fixture["y"]));
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let net = Network::linear(1, 1);
    let fitted = fit(&net, &data)
        .robust(Rho::Tukey)
        .standardize(Standardize::Nothing)
        .method(TrustRegion::default())
        .stopping(to_rounding())
        .run()
        .unwrap();
    let line = LeastSquaresFn::new(2, x.len(), |theta, r| {
        for ((r, x), y) in r.iter_mut().zip(&x).zip(&y) {
            *r = theta[0] * x + theta[1] - y;
        }
    });
    let method = Method::from(TrustRegion::default()).with_stopping(to_rounding());
    let plain = minimize_robust(&line, Rho::Tukey, &method, &[0.0, 0.0]).unwrap();
    for (a, b) in fitted.model().theta().iter().zip(&plain.solution.theta) {
        assert!((a / b - 1.0).abs() <= 1e-7, "{a} {b}");
    }
    let note = fitted.report().notes.iter().find(|note| note.contains("scale")).unwrap();
    let scale: f64 = note.split(' ').nth(1).unwrap().parse().unwrap();
    assert!((scale / plain.scale - 1.0).abs() <= 1e-7, "{note} {}", plain.scale);
    assert_eq!(fitted.model().predict(&[0.0]).unwrap().len(), 1);
}

#[test]
fn outliers_do_not_bend_a_network() {
    // A parabola; every seventh target is far off.
    let x: Vec<f64> = (0..70).map(|i| -1.0 + f64::from(i) / 34.5).collect();
    let mut y: Vec<f64> = x.iter().map(|x| x * x).collect();
    y.iter_mut().step_by(7).for_each(|y| *y += 5.0);
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let net = Network::mlp([1, 6, 1], Activation::Tanh);
    let worst = |fitted: &secant::Fitted| {
        let z = fitted.model().predict(&x).unwrap();
        x.iter().zip(z).map(|(x, z)| (x * x - z).abs()).fold(0.0, f64::max)
    };
    let bfgs = || Method::from(Bfgs::default());
    let squares = fit(&net, &data).method(bfgs()).penalty(Ridge(1e-4)).run().unwrap();
    let robust = fit(&net, &data).method(bfgs()).penalty(Ridge(1e-4)).robust(Rho::Tukey);
    let robust = robust.run().unwrap();
    assert!(worst(&squares) > 0.5, "{}", worst(&squares));
    assert!(worst(&robust) < 0.1, "{}\n{}", worst(&robust), robust.report());
}

#[test]
fn robust_losses_need_numbers() {
    let labelled = Dataset::from_csv_labels("data/iris.csv", "target").unwrap();
    let error = fit(&Network::linear(4, 3), &labelled).robust(Rho::Huber).run().unwrap_err();
    assert!(matches!(error, FitError::Risk(_)), "{error}");
    assert!(error.to_string().contains("huber"), "{error}");
    let data = Dataset::from_csv("data/iris.csv", "target").unwrap();
    let net = Network::linear(4, 2);
    let loss = Robust::new(Rho::Huber, 1.0).unwrap();
    let error = Risk::new(net.graph().unwrap(), &data, loss, NoPenalty).unwrap_err();
    assert!(error.to_string().contains("2 output"), "{error}");
}

/// A method that needs curvature finds none where all residuals are beyond Huber's threshold; such a round must not count as settled.
/// Where the median is one of the numbers, the least absolute deviations are its.
#[test]
fn the_scale_of_a_location_is_that_about_the_median_whatever_the_method() {
    for (numbers, median) in [
        ([1.0, 2.0, 3.0, 4.0, 100.0], 3.0),
        ([-3.0, 0.5, 6.0, 11.0, 90.0], 6.0),
        ([10.0, 10.5, 12.0, 13.0, -400.0], 10.5),
    ] {
        let problem = LeastSquaresFn::new(1, 5, |theta, r| {
            r.iter_mut().zip(&numbers).for_each(|(r, y)| *r = theta[0] - y);
        });
        let truth = residual_scale(&numbers.map(|y| y - median));
        for method in [
            Method::from(Newton::default()),
            Newton::default().with_curvature(HessianKind::GaussNewton).into(),
            Lbfgs::default().into(),
        ] {
            let found = minimize_robust(&problem, Rho::Huber, &method, &[0.0]).unwrap();
            let report = &found.solution.report;
            let name = method.name();
            assert!((found.scale / truth - 1.0).abs() <= 0.1, "{name}: {} {truth}", found.scale);
            assert!(!report.notes.last().unwrap().contains("not settle"), "{name}: {report}");
            // Huber's equation at that scale.
            let limit = Rho::Huber.tuning() * found.scale;
            let theta = found.solution.theta[0];
            let psi: f64 = numbers.iter().map(|y| (theta - y).clamp(-limit, limit)).sum();
            assert!(psi.abs() <= 1e-7 * limit, "{name}: {psi:e}\n{report}");
        }
    }
}
