//! Networks through their residuals: the view is right, and Levenberg–Marquardt fits through it.

use secant::optim::{
    Evaluations, Factorization, LevenbergMarquardt, Scaling, SecondOrder, Solution,
};
use secant::{
    Activation, Dataset, Lbfgs, LeastSquares, Network, NoPenalty, Report, Ridge, Risk,
    SquaredError, Stopping, check, minimize,
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
    for factorization in [Factorization::Qr, Factorization::NormalEquations, Factorization::Lsmr] {
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

/// `steps` steps of Levenberg–Marquardt on a network with 61 parameters and `samples` residuals, with no geodesic acceleration.
fn steps(samples: usize, steps: u64, solver: LevenbergMarquardt) -> Solution {
    let data = wave(samples);
    let net = Network::mlp([1, 20, 1], Activation::Tanh);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let stopping = Stopping {
        max_iterations: steps,
        gradient_tolerance: 0.0,
        target: Some(1e-24),
        ..Stopping::default()
    };
    let solver = solver.with_acceleration(None).with_stopping(stopping);
    minimize(&risk.least_squares().unwrap(), solver, &net.draw(4).unwrap()).unwrap()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn with_fewer_residuals_than_parameters_the_dual_form_takes_the_steps_of_qr() {
    for scaling in [Scaling::More, Scaling::Marquardt, Scaling::Identity] {
        let solver = LevenbergMarquardt::default().with_scaling(scaling).with_initial_damping(0.1);
        for count in 1..4 {
            let by =
                |factorization| steps(15, count, solver.clone().with_factorization(factorization));
            let (qr, dual) = (by(Factorization::Qr), by(Factorization::Dual));
            // ε times the condition of JJᵀ + μI, at most ‖J‖²/μ, a few steps on.
            let apart = distance(&qr.theta, &dual.theta);
            assert!(apart <= 1e-9, "{scaling:?}, {count} steps: {apart:e}\n{}", dual.report);
            assert_eq!(qr.report.evaluations, dual.report.evaluations);
            // What is chosen for this shape without a word.
            let chosen = by(Factorization::Auto);
            assert_eq!(chosen.theta, dual.theta);
        }
    }
}

#[test]
fn lsmr_fits_as_well_as_qr_and_forms_no_matrix() {
    let solver = LevenbergMarquardt::default().with_scaling(Scaling::Identity);
    for samples in [40, 200] {
        let by = |factorization, count| {
            steps(samples, count, solver.clone().with_factorization(factorization))
        };
        // The first step, some nine products with J, gains most of what the exact one does.
        let (qr, lsmr) = (by(Factorization::Qr, 1).report, by(Factorization::Lsmr, 1).report);
        let gain = |report: &Report| report.initial_value - report.value;
        assert!(gain(&lsmr) > 0.7 * gain(&qr), "{lsmr}\n{qr}");

        let end = by(Factorization::Lsmr, 60).report;
        let e = end.evaluations;
        let matrices = [e.jacobian, e.normal_equations, e.hessian, e.gauss_newton];
        assert_eq!(matrices, [0; 4], "{end}");
        // Units that are shared are asked for once.
        assert_eq!(e.normal_diagonal, 1, "{end}");
        assert!(e.jacobian_vector > 60 && e.jacobian_transpose_vector > 60, "{end}");
        let reference = by(Factorization::Qr, 60).report;
        assert!(end.value < 10.0 * reference.value, "{end}\n{reference}");
    }
}

#[test]
fn second_derivatives_of_a_network_make_a_large_residual_converge_fast() {
    // Three tanh units cannot follow noise: the residuals stay large.
    let x: Vec<f64> = (0..60).map(|i| f64::from(i) / 15.0 - 2.0).collect();
    let noise = |i: usize| (i * 37 % 11) as f64 / 4.0;
    let y: Vec<f64> = x.iter().enumerate().map(|(i, x)| f64::sin(2.0 * x) + noise(i)).collect();
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let net = Network::mlp([1, 3, 1], Activation::Tanh);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, Ridge(1e-3)).unwrap();
    let residuals = risk.least_squares().unwrap();
    let theta = net.draw(2).unwrap();
    let run = |order| {
        let solver = LevenbergMarquardt::default().with_second_order(order);
        minimize(&residuals, solver, &theta).unwrap().report
    };
    let cost = |e: &Evaluations| e.jacobian + e.hessian;
    let plain = run(SecondOrder::Off);
    for order in [SecondOrder::Structured, SecondOrder::Exact] {
        let report = run(order);
        assert!(report.reason.is_success(), "{report}");
        assert!(2 * cost(&report.evaluations) < cost(&plain.evaluations), "{report}\n{plain}");
    }
}

#[test]
fn a_network_too_large_for_matrices_is_fitted_by_products_without_a_word() {
    let net = Network::mlp([10, 160, 42], Activation::Tanh);
    let mut x = net.draw(11).unwrap();
    x.truncate(220 * 10);
    let y: Vec<f64> =
        (0..220 * 42).map(|i| f64::sin(5.0 * x[i / 42 * 10] + 0.1 * (i % 42) as f64)).collect();
    let data = Dataset::from_slices(10, &x, 42, &y).unwrap();
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let residuals = risk.least_squares().unwrap();
    let theta = net.draw(3).unwrap();
    // Four matrices of JᵀJ's size would be more than 2 GiB, and there are more residuals than parameters.
    assert!(theta.len() > 8_192 && residuals.residual_len() > theta.len());
    let stopping = Stopping { max_iterations: 1, ..Stopping::default() };
    let solver = LevenbergMarquardt::default()
        .with_acceleration(None)
        .with_initial_damping(0.1)
        .with_stopping(stopping);
    let report = minimize(&residuals, solver, &theta).unwrap().report;
    let e = report.evaluations;
    assert_eq!([e.jacobian, e.normal_equations], [0; 2], "{report}");
    assert!(e.normal_diagonal == 1 + report.iterations, "{report}");
    assert!(report.value < 0.5 * report.initial_value, "{report}");
}
