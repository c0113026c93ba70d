//! The path does not depend on the units of the loss, nor (Newton) on those of each parameter.

mod common;

use common::{Draws, Function, logistic, rosenbrock, rosenbrock_start};
use secant_optim::{
    AdaptiveCubic, Bfgs, GradientDescent, HessianKind, Lbfgs, Method, Newton, NewtonCg,
    NonlinearCg, Preconditioner, Report, Stopping, Subproblem, TrustRegion, Update,
};

fn searching() -> Vec<Method> {
    vec![
        Newton::default().into(),
        Newton::default().with_curvature(HessianKind::GaussNewton).into(),
        TrustRegion::default().into(),
        TrustRegion::default().with_subproblem(Subproblem::Exact).into(),
        TrustRegion::default().with_subproblem(Subproblem::ScaledExact).into(),
        AdaptiveCubic::default().into(),
        NewtonCg::default().into(),
        NewtonCg::default().with_preconditioner(Preconditioner::Jacobi).into(),
        Bfgs::default().into(),
        Bfgs::default().with_update(Update::SelfScaledBroyden).into(),
        Bfgs::default().with_update(Update::SelfScaledBfgs).into(),
        Bfgs::default().with_update(Update::Dfp).into(),
        Lbfgs::default().into(),
        NonlinearCg::default().into(),
        GradientDescent::default().into(),
    ]
}

fn run(method: &Method, function: &Function, start: &[f64]) -> Report {
    let stopping = Stopping { gradient_tolerance: 1e-7, max_iterations: 40, ..Stopping::default() };
    method.clone().with_stopping(stopping).minimize(function, start).unwrap().report
}

/// The same steps, evaluations and reason, with values in the ratio `c`, up to `tolerance`.
fn same_path(a: &Report, b: &Report, c: f64, tolerance: f64) {
    assert_eq!((a.iterations, a.reason), (b.iterations, b.reason), "{a}\n{b}");
    assert_eq!(a.evaluations, b.evaluations);
    for (a, b) in a.trace.iter().zip(&b.trace) {
        let size = (c * a.value).abs();
        assert!((c * a.value - b.value).abs() <= tolerance * size, "{a:?}\n{b:?}");
        assert_eq!(a.evaluations, b.evaluations);
    }
}

#[test]
fn scaling_the_loss_by_a_power_of_four_gives_the_same_bits() {
    // Of four, because Newton takes the square root of a scale.
    for exponent in [-28, 28] {
        let c = 2.0_f64.powi(exponent);
        for method in searching() {
            for start in [rosenbrock_start(6), vec![0.0; 6]] {
                let plain = run(&method, &rosenbrock(6), &start);
                let scaled = run(&method, &rosenbrock(6).scaled(c, vec![1.0; 6]), &start);
                same_path(&plain, &scaled, c, 0.0);
            }
        }
    }
}

#[test]
fn sum_and_mean_take_the_same_path() {
    let problem = || logistic(64, 5, 1e-3, 0.5, &mut Draws(11));
    for method in searching() {
        let mean = run(&method, &problem(), &[0.0; 5]);
        let sum = run(&method, &problem().scaled(64.0, vec![1.0; 5]), &[0.0; 5]);
        same_path(&mean, &sum, 64.0, 0.0);
    }
}

#[test]
fn scaling_the_loss_by_any_number_keeps_the_path_to_rounding() {
    for c in [1e-8, 1e8] {
        for method in searching() {
            let problem = || logistic(64, 5, 1e-3, 0.5, &mut Draws(11));
            let plain = run(&method, &problem(), &[0.1; 5]);
            let scaled = run(&method, &problem().scaled(c, vec![1.0; 5]), &[0.1; 5]);
            same_path(&plain, &scaled, c, 1e-9);
        }
    }
}

#[test]
fn newtons_path_is_invariant_under_the_units_of_each_parameter() {
    let scales: Vec<f64> = (0..6).map(|i| 2.0_f64.powi(7 * i - 20)).collect();
    for start in [rosenbrock_start(6), vec![0.3, 1.5, -2.0, 0.5, 0.1, 3.0]] {
        let scaled_start: Vec<f64> = start.iter().zip(&scales).map(|(x, d)| x / d).collect();
        // The gradient norm is in the units of the parameters, so a value target ends both runs.
        let stopping =
            Stopping { gradient_tolerance: 0.0, target: Some(1e-12), ..Stopping::default() };
        let solver = Method::from(Newton::default().with_stopping(stopping));
        let plain = solver.clone().minimize(&rosenbrock(6), &start).unwrap().report;
        let function = rosenbrock(6).scaled(1.0, scales.clone());
        let scaled = solver.minimize(&function, &scaled_start).unwrap().report;
        assert!(plain.iterations > 3);
        same_path(&plain, &scaled, 1.0, 1e-6);
    }
}

#[test]
fn the_same_run_twice_gives_the_same_bits() {
    for method in searching() {
        let one = run(&method, &rosenbrock(6), &rosenbrock_start(6));
        let two = run(&method, &rosenbrock(6), &rosenbrock_start(6));
        same_path(&one, &two, 1.0, 0.0);
    }
}
