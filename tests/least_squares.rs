//! Networks through their residuals: the view is right, and Levenberg–Marquardt fits through it.

use secant::optim::{Factorization, LevenbergMarquardt};
use secant::{
    Activation, Dataset, Lbfgs, LeastSquares, Network, NoPenalty, Ridge, Risk, SquaredError,
    Stopping, check, minimize,
};

/// y = sin 3x·e^(−x²/2) at `samples` even points of [−2, 2].
fn wave(samples: usize) -> Dataset {
    let x: Vec<f64> = (0..samples).map(|i| -2.0 + 4.0 * i as f64 / (samples - 1) as f64).collect();
    let y: Vec<f64> = x.iter().map(|x| f64::sin(3.0 * x) * f64::exp(-0.5 * x * x)).collect();
    Dataset::from_slices(1, &x, 1, &y).unwrap()
}

#[test]
fn the_residuals_of_a_network_pass_the_checks() {
    let data = wave(40);
    let net = Network::mlp([1, 5, 1], Activation::Tanh);
    let theta = net.draw(3).unwrap();
    for lambda in [0.0, 0.1] {
        let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, Ridge(lambda)).unwrap();
        let residuals = risk.least_squares().unwrap();
        let checks = check::least_squares(&residuals, &theta, 7);
        assert!(checks.passed(), "{checks}");
    }
}

#[test]
fn a_linear_network_takes_one_accepted_step() {
    let data = Dataset::from_csv("data/diabetes.csv", "target").unwrap();
    let net = Network::linear(10, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, Ridge(1e-3)).unwrap();
    let residuals = risk.least_squares().unwrap();
    for factorization in [Factorization::Qr, Factorization::NormalEquations] {
        let solver = LevenbergMarquardt::default().with_factorization(factorization);
        let report = minimize(&residuals, solver, &[0.0; 11]).unwrap().report;
        assert_eq!(report.iterations, 1, "{report}");
        assert!(report.reason.is_success(), "{report}");
    }
}

#[test]
fn both_factorizations_fit_a_network_far_below_lbfgs() {
    let data = wave(60);
    let net = Network::mlp([1, 8, 1], Activation::Tanh);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let theta = net.draw(1).unwrap();
    let residuals = risk.least_squares().unwrap();
    assert_eq!(residuals.residual_len(), 60);
    let stopping =
        || Stopping { max_iterations: 200, gradient_tolerance: 0.0, ..Default::default() };
    let lbfgs = minimize(&risk, Lbfgs::default().with_stopping(stopping()), &theta).unwrap();
    for factorization in [Factorization::Qr, Factorization::NormalEquations] {
        let solver = LevenbergMarquardt::default()
            .with_factorization(factorization)
            .with_stopping(stopping());
        let solution = minimize(&residuals, solver, &theta).unwrap();
        let (report, reference) = (&solution.report, lbfgs.report.value);
        assert!(report.value < 1e-2 * reference, "{reference:e} {report}");
    }
}
