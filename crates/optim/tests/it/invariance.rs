//! The path does not depend on the units of the loss, nor (Newton, the scaled region, least squares) on those of each parameter.

use crate::common::{Draws, Function, logistic, rosenbrock, rosenbrock_start};
use secant_optim::{
    AdaptiveCubic, Bfgs, GaussNewton, GradientDescent, HessianKind, Lbfgs, LeastSquaresFn,
    LevenbergMarquardt, Method, Modification, Newton, NewtonCg, NonlinearCg, Preconditioner,
    RegularizedNewton, Report, Sr1, Stopping, Subproblem, TrustRegion, Update, minimize,
};

fn searching() -> Vec<Method> {
    vec![
        Newton::default().into(),
        Newton::default().with_curvature(HessianKind::GaussNewton).into(),
        Newton::default().with_modification(Modification::TurnedSigns).into(),
        RegularizedNewton::default().into(),
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
        Sr1::default().into(),
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
        // Below that the residuals are rounding, in any units.
        if a.value < 1e-25 {
            continue;
        }
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

/// y = a·e^(−bt) + c through twelve points, with residuals times `root` and parameters in units of `units`.
fn decay(root: f64, units: [f64; 3]) -> LeastSquaresFn<'static> {
    let t = |i: usize| 0.25 * i as f64;
    let y = move |i: usize| 2.0 * (-0.9 * t(i)).exp() + 0.3 + 0.02 * (5.0 * i as f64).sin();
    let residuals = move |theta: &[f64], r: &mut [f64]| {
        let [a, b, c] = [theta[0] * units[0], theta[1] * units[1], theta[2] * units[2]];
        for (i, r) in r.iter_mut().enumerate() {
            *r = root * (a * (-b * t(i)).exp() + c - y(i));
        }
    };
    LeastSquaresFn::new(3, 12, residuals).with_jacobian(move |theta, mut j| {
        let [a, b] = [theta[0] * units[0], theta[1] * units[1]];
        for i in 0..12 {
            let e = (-b * t(i)).exp();
            j[(i, 0)] = root * units[0] * e;
            j[(i, 1)] = -root * units[1] * a * t(i) * e;
            j[(i, 2)] = root * units[2];
        }
    })
}

/// Runs of the two least-squares methods on `decay`, from the same point whatever the units.
fn least_squares_runs(root: f64, units: [f64; 3]) -> [Report; 2] {
    let start: Vec<f64> = [1.0, 0.5, 0.0].iter().zip(units).map(|(x, unit)| x / unit).collect();
    // The gradient norm is in the units of the parameters; the relative offset is not.
    let stopping = Stopping { gradient_tolerance: 0.0, ..Stopping::default() };
    let problem = decay(root, units);
    let marquardt = LevenbergMarquardt::default().with_stopping(stopping.clone());
    let newton = GaussNewton::default().with_stopping(stopping);
    [
        minimize(&problem, marquardt, &start).unwrap().report,
        minimize(&problem, newton, &start).unwrap().report,
    ]
}

#[test]
fn least_squares_methods_do_not_see_the_units_of_the_residuals_or_of_a_parameter() {
    let plain = least_squares_runs(1.0, [1.0; 3]);
    assert!(plain.iter().all(|report| report.reason.is_success() && report.iterations > 3));
    for root in [1e-4, 1e4] {
        let scaled = least_squares_runs(root, [1.0; 3]);
        for (plain, scaled) in plain.iter().zip(&scaled) {
            same_path(plain, scaled, root * root, 1e-9);
        }
    }
    for units in [[1e-4, 1.0, 1e4], [1e4, 1e-4, 1.0]] {
        let scaled = least_squares_runs(1.0, units);
        for (plain, scaled) in plain.iter().zip(&scaled) {
            same_path(plain, scaled, 1.0, 1e-9);
        }
    }
}

#[test]
fn newton_and_the_scaled_region_do_not_see_the_units_of_each_parameter() {
    let methods: [Method; 2] = [
        Newton::default().into(),
        TrustRegion::default().with_subproblem(Subproblem::ScaledExact).into(),
    ];
    let powers: Vec<f64> = (0..6).map(|i| 2.0_f64.powi(7 * i - 20)).collect();
    let decades = vec![1e4, 1e-4, 1.0, 1e-2, 1e4, 1e-4];
    // Powers of two round nowhere; decades do in every product, which shows in the last values before the target.
    let runs = methods.iter().flat_map(|m| [(m, &powers, 1e-6), (m, &decades, 1e-4)]);
    for (method, scales, tolerance) in runs {
        for start in [rosenbrock_start(6), vec![0.3, 1.5, -2.0, 0.5, 0.1, 3.0]] {
            let scaled_start: Vec<f64> = start.iter().zip(scales).map(|(x, d)| x / d).collect();
            // The gradient norm is in the units of the parameters, so a value target ends both runs.
            let stopping =
                Stopping { gradient_tolerance: 0.0, target: Some(1e-12), ..Stopping::default() };
            let solver = method.clone().with_stopping(stopping);
            let plain = solver.clone().minimize(&rosenbrock(6), &start).unwrap().report;
            let function = rosenbrock(6).scaled(1.0, scales.clone());
            let scaled = solver.minimize(&function, &scaled_start).unwrap().report;
            assert!(plain.iterations > 3);
            same_path(&plain, &scaled, 1.0, tolerance);
        }
    }
}

#[test]
fn whatever_the_units_every_searching_method_ends_for_the_same_reason() {
    let scales = [1e4, 1e-4, 1.0, 1e2, 1e-2];
    let problem = || logistic(64, 5, 1e-3, 0.5, &mut Draws(11));
    for method in searching() {
        let end = |function: &Function, start: &[f64]| {
            let stopping = Stopping { max_iterations: 5_000, ..Stopping::default() };
            let solver = method.clone().with_stopping(stopping);
            solver.minimize(function, start).unwrap().report
        };
        let plain = end(&problem(), &[0.1; 5]);
        for c in [1e-8, 1e8] {
            let report = end(&problem().scaled(c, vec![1.0; 5]), &[0.1; 5]);
            assert_eq!(report.reason, plain.reason, "{report}");
        }
        // A condition number of 10¹⁶ is too much for methods that keep no matrix of it, and for DFP, whose first one is too large.
        let short = matches!(&method, Method::GradientDescent(_) | Method::NonlinearCg(_));
        let dfp = matches!(&method, Method::Bfgs(bfgs) if bfgs.update == Update::Dfp);
        if !short && !dfp {
            let start: Vec<f64> = scales.iter().map(|d| 0.1 / d).collect();
            let report = end(&problem().scaled(1.0, scales.to_vec()), &start);
            assert!(report.reason.is_success(), "{report}\n{plain}");
        }
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
