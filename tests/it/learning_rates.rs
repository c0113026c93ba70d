//! What a fixed learning rate does: the limit 2/λmax, the factor per step, one minimum or several, momentum in a ravine.

use faer::{Mat, Side};
use secant::core::operator::Hessian;
use secant::core::random::Random;
use secant::optim::krylov::extreme_eigenvalues;
use secant::optim::{LeastSquaresFn, TraceEntry};
use secant::{
    Curvature, Dataset, GradientDescent, Linearization, Method, Minibatches, Momentum, Network,
    NoPenalty, Objective, Reason, Report, Risk, SquaredError, Standardizer, Stopping, check,
    linear_regression, minimize,
};

fn concrete() -> Dataset {
    let data = Dataset::from_csv("data/concrete.csv", "target").unwrap();
    let data = Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap();
    Standardizer::fit_targets(&data).unwrap().transform_targets(&data).unwrap()
}

/// Weights and bias by QR, in the order of θ.
fn by_qr(data: &Dataset) -> Vec<f64> {
    let mut theta = linear_regression(data).solve().unwrap().coefficients;
    theta.rotate_left(1);
    theta
}

fn run(risk: &Risk<'_>, method: impl Into<Method>, steps: u64, start: &[f64]) -> Report {
    let stopping =
        Stopping { gradient_tolerance: 0.0, max_iterations: steps, ..Stopping::default() };
    method.into().with_stopping(stopping).minimize(risk, start).unwrap().report
}

/// √ of the factor per step by which f − f* changes over the last 100 steps.
fn factor(report: &Report, least: f64) -> f64 {
    let last = report.trace.len() - 1;
    let gap = |at: &TraceEntry| at.value - least;
    (gap(&report.trace[last]) / gap(&report.trace[last - 100])).powf(0.5 / 100.0)
}

#[test]
fn a_rate_below_two_over_the_largest_eigenvalue_converges_and_one_above_diverges() {
    let data = concrete();
    let net = Network::linear(8, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let solution = by_qr(&data);
    let least = risk.value(&solution);
    let at = risk.linearize(&solution);
    let ends = extreme_eigenvalues(&Hessian(&at), 9).unwrap();
    let mut dense = Mat::zeros(9, 9);
    at.hessian(dense.as_mut());
    let eigenvalues = dense.self_adjoint_eigenvalues(Side::Lower).unwrap();
    assert!((ends.largest - eigenvalues[8]).abs() < 1e-12 * eigenvalues[8]);
    assert!((ends.smallest - eigenvalues[0]).abs() < 1e-12 * eigenvalues[8]);

    let limit = 2.0 / ends.largest;
    for part in [0.999, 1.001] {
        let rate = part * limit;
        let report = run(&risk, GradientDescent::fixed(rate), 3_000, &[1.0; 9]);
        // The slowest direction below the limit is that of λmax too, so near to it: |1 − ελmax| = |1 − 2·part|.
        let expected = (1.0 - rate * ends.largest).abs();
        let found = factor(&report, least);
        assert!((found - expected).abs() < 2e-4, "{part}: {found} {expected}");
        assert_eq!(found < 1.0, part < 1.0);
    }
    // Far above, the numbers end and the start comes back.
    let report = run(&risk, GradientDescent::fixed(3.0 * limit), 3_000, &[1.0; 9]);
    assert_eq!((report.reason, report.best_iteration), (Reason::NonFiniteValue, 0));
}

#[test]
fn the_best_fixed_rate_shrinks_the_error_by_the_factor_of_theory() {
    let data = concrete();
    let net = Network::linear(8, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let solution = by_qr(&data);
    let ends = extreme_eigenvalues(&Hessian(&risk.linearize(&solution)), 9).unwrap();
    let (small, large) = (ends.smallest, ends.largest);
    let report = run(&risk, GradientDescent::fixed(2.0 / (small + large)), 400, &[1.0; 9]);
    let expected = (large - small) / (large + small);
    assert!((factor(&report, risk.value(&solution)) - expected).abs() < 1e-3 * expected);
}

#[test]
fn linear_least_squares_has_one_solution_from_every_start() {
    let data = concrete();
    let net = Network::linear(8, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let solution = by_qr(&data);
    let mut random = Random::new(1);
    for scale in [0.0, 1.0, 30.0, 1e3] {
        let start: Vec<f64> = (0..9).map(|_| scale * random.normal()).collect();
        let stopping = Stopping { gradient_tolerance: 1e-14, ..Stopping::default() };
        let solver = GradientDescent::fixed(0.7).with_stopping(stopping);
        let found = minimize(&risk, solver, &start).unwrap().theta;
        assert!(check::distance(&found, &solution) < 1e-8, "{scale}");
    }
}

#[test]
fn nonlinear_least_squares_ends_in_another_minimum_from_another_start() {
    // sin 3t by sin ωt: ω = 3 is exact, and there are minima beside it.
    let time = |i: usize| 0.1 * i as f64;
    let sine = LeastSquaresFn::new(1, 31, |theta, r| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = (theta[0] * time(i)).sin() - (3.0 * time(i)).sin();
        }
    });
    let end = |start: f64| {
        let solution = minimize(&sine, GradientDescent::fixed(0.005), &[start]).unwrap();
        assert!(solution.report.gradient.max < 1e-6, "{}", solution.report);
        (solution.theta[0], solution.report.value)
    };
    let (near, f_near) = end(2.5);
    assert!((near - 3.0).abs() < 1e-6 && f_near < 1e-12);
    let (far, f_far) = end(6.5);
    assert!((far - 3.0).abs() > 1.0 && f_far > 1.0, "{far} {f_far}");
}

#[test]
fn momentum_needs_a_fraction_of_the_steps_in_a_ravine() {
    // Columns that nearly agree make a ravine: κ ≈ 1,600 at a correlation of 0.9988.
    let mut random = Random::new(4);
    let mut inputs = Vec::new();
    let mut targets = Vec::new();
    for _ in 0..300 {
        let (a, b) = (random.normal(), random.normal());
        inputs.extend([a, a + 0.05 * b]);
        targets.push(a - b);
    }
    let data = Dataset::from_slices(2, &inputs, 1, &targets).unwrap();
    let net = Network::linear(2, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let ends = extreme_eigenvalues(&Hessian(&risk.linearize(&[0.0; 3])), 3).unwrap();
    let (slow, fast) = (ends.smallest.sqrt(), ends.largest.sqrt());
    let kappa = (fast / slow).powi(2);
    assert!(kappa > 1_000.0, "{kappa}");
    let steps = |method: Method| {
        let stopping =
            Stopping { gradient_tolerance: 1e-8, max_iterations: 200_000, ..Stopping::default() };
        let report = method.with_stopping(stopping).minimize(&risk, &[0.0; 3]).unwrap().report;
        assert_eq!(report.reason, Reason::GradientConverged, "{report}");
        report.iterations
    };
    let root = (fast - slow) / (fast + slow);
    let heavy_ball =
        Momentum::default().with_rate((2.0 / (fast + slow)).powi(2)).with_momentum(root * root);
    let rate = 2.0 / (ends.smallest + ends.largest);
    let (plain, momentum) = (steps(GradientDescent::fixed(rate).into()), steps(heavy_ball.into()));
    // In theory √κ/2 times fewer but for the factor t of the double root.
    assert!(momentum as f64 * kappa.sqrt() / 5.0 < plain as f64, "{momentum} {plain} {kappa}");
}

#[test]
fn on_minibatches_a_rate_above_the_limit_diverges_as_well() {
    let data = concrete();
    let net = Network::linear(8, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let ends = extreme_eigenvalues(&Hessian(&risk.linearize(&[0.0; 9])), 9).unwrap();
    let run = |part: f64| {
        let solver = Method::from(GradientDescent::fixed(part * 2.0 / ends.largest));
        let minibatches = Minibatches::of(64).with_epochs(30);
        solver.minimize_sampled(&risk, &minibatches, &[1.0; 9]).unwrap().report
    };
    let (below, above) = (run(0.1), run(2.0));
    let least = risk.value(&by_qr(&data));
    let gap = |value: f64| value - least;
    assert!(gap(below.trace.last().unwrap().value) < 0.05 * gap(below.initial_value), "{below}");
    let last = above.trace.last().unwrap().value;
    assert!(above.reason == Reason::NonFiniteValue || last > 1e3 * above.initial_value, "{above}");
}
