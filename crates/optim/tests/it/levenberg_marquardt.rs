//! Levenberg–Marquardt: what it costs, what it is invariant to, what it reaches, and how it ends.

use crate::common::Draws;
use faer::{Mat, MatMut};
use secant_core::check;
use secant_core::data::NistNonlinear;
use secant_core::problem::LeastSquares;
use secant_optim::{
    BoundedLevenbergMarquardt, Bounds, Factorization, LeastSquaresFn, LevenbergMarquardt,
    OptimError, Reason, Report, Scaling, Solution, Stopping, minimize,
};

/// The forms for any shape, and that for m ≤ n.
const FORMS: [Factorization; 3] =
    [Factorization::Qr, Factorization::NormalEquations, Factorization::Lsmr];
const FORMS_OF_FEW: [Factorization; 4] =
    [Factorization::Qr, Factorization::NormalEquations, Factorization::Dual, Factorization::Lsmr];
const SCALINGS: [Scaling; 3] = [Scaling::More, Scaling::Marquardt, Scaling::Identity];

fn run(problem: &impl LeastSquares, solver: LevenbergMarquardt, start: &[f64]) -> Solution {
    minimize(problem, solver, start).unwrap()
}

/// r = A·θ − b.
fn linear(a: Mat<f64>, b: Vec<f64>) -> LeastSquaresFn<'static> {
    let jacobian = a.clone();
    LeastSquaresFn::new(a.ncols(), a.nrows(), move |theta, r| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = (0..theta.len()).map(|j| a[(i, j)] * theta[j]).sum::<f64>() - b[i];
        }
    })
    .with_jacobian(move |_, mut out| out.copy_from(&jacobian))
}

/// Rosenbrock: r = (10(y − x²), 1 − x).  Moré, Garbow & Hillstrom (1981), 1.
fn rosenbrock() -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(2, 2, |x, r| {
        r[0] = 10.0 * (x[1] - x[0] * x[0]);
        r[1] = 1.0 - x[0];
    })
    .with_jacobian(|x, mut j| {
        j.copy_from(faer::mat![[-20.0 * x[0], 10.0], [-1.0, 0.0]]);
    })
}

/// Freudenstein & Roth: zero at (5, 4), a local minimum ½·48.98425 at (11.41…, −0.8968…).  MGH 2.
fn freudenstein_roth() -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(2, 2, |x, r| {
        r[0] = -13.0 + x[0] + ((5.0 - x[1]) * x[1] - 2.0) * x[1];
        r[1] = -29.0 + x[0] + ((x[1] + 1.0) * x[1] - 14.0) * x[1];
    })
    .with_jacobian(|x, mut j| {
        let y = x[1];
        j.copy_from(faer::mat![
            [1.0, 10.0 * y - 3.0 * y * y - 2.0],
            [1.0, 3.0 * y * y + 2.0 * y - 14.0],
        ]);
    })
}

/// Helical valley: zero at (1, 0, 0).  MGH 7.
fn helical_valley() -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(3, 3, |x, r| {
        let turn = f64::atan(x[1] / x[0]) / std::f64::consts::TAU;
        let angle = if x[0] > 0.0 { turn } else { turn + 0.5 };
        r[0] = 10.0 * (x[2] - 10.0 * angle);
        r[1] = 10.0 * (x[0].hypot(x[1]) - 1.0);
        r[2] = x[2];
    })
}

/// Powell singular: zero at 0, where J has rank 2.  MGH 13.
fn powell_singular() -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(4, 4, |x, r| {
        r[0] = x[0] + 10.0 * x[1];
        r[1] = 5.0_f64.sqrt() * (x[2] - x[3]);
        r[2] = (x[1] - 2.0 * x[2]).powi(2);
        r[3] = 10.0_f64.sqrt() * (x[0] - x[3]).powi(2);
    })
    .with_jacobian(|x, mut j| {
        let (a, b) = (2.0 * (x[1] - 2.0 * x[2]), 2.0 * 10.0_f64.sqrt() * (x[0] - x[3]));
        let root = 5.0_f64.sqrt();
        j.copy_from(faer::mat![
            [1.0, 10.0, 0.0, 0.0],
            [0.0, 0.0, root, -root],
            [0.0, a, -2.0 * a, 0.0],
            [b, 0.0, 0.0, -b],
        ]);
    })
}

/// y = a·e^(−b·t) + c through noisy points.
fn decay(residual_scale: f64, units: [f64; 3]) -> LeastSquaresFn<'static> {
    let mut draws = Draws(9);
    let points: Vec<(f64, f64)> = (0..20)
        .map(|i| {
            let t = 0.2 * f64::from(i);
            (t, 3.0 * f64::exp(-1.3 * t) + 0.5 + 0.05 * draws.next())
        })
        .collect();
    let again = points.clone();
    let inner = move |theta: &[f64]| [0, 1, 2].map(|k| theta[k] * units[k]);
    LeastSquaresFn::new(3, points.len(), move |theta, r| {
        let [a, b, c] = inner(theta);
        for (r, (t, y)) in r.iter_mut().zip(&points) {
            *r = residual_scale * (a * f64::exp(-b * t) + c - y);
        }
    })
    .with_jacobian(move |theta, mut j| {
        let [a, b, _] = inner(theta);
        for (i, (t, _)) in again.iter().enumerate() {
            let e = f64::exp(-b * t);
            for (k, entry) in [e, -a * t * e, 1.0].into_iter().enumerate() {
                j[(i, k)] = residual_scale * units[k] * entry;
            }
        }
    })
}

#[test]
fn closures_pass_the_checks_of_derivatives() {
    for problem in [rosenbrock(), freudenstein_roth(), powell_singular()] {
        let theta = [0.7, -1.2, 0.4, 1.5];
        let theta = &theta[..secant_core::problem::Objective::dim(&problem)];
        let checks = check::least_squares(&problem, theta, 3);
        assert!(checks.passed(), "{checks}");
    }
    let checks = check::least_squares(&decay(1.0, [1.0; 3]), &[2.0, 0.7, 0.1], 3);
    assert!(checks.passed(), "{checks}");
}

#[test]
fn a_linear_problem_takes_one_accepted_step() {
    let mut draws = Draws(1);
    for factorization in FORMS_OF_FEW {
        for scaling in SCALINGS {
            for (m, n) in [(30, 4), (200, 20), (12, 12), (7, 12), (20, 200)] {
                if factorization == Factorization::Dual && m > n {
                    continue;
                }
                let a = Mat::from_fn(m, n, |_, j| draws.next() * [1.0, 10.0, 100.0][j % 3]);
                let problem = linear(a, draws.vector(m));
                let solver = LevenbergMarquardt::default()
                    .with_factorization(factorization)
                    .with_scaling(scaling);
                let start = draws.vector(n);
                let report = run(&problem, solver, &start).report;
                assert_eq!(report.iterations, 1, "{m}×{n} {factorization:?} {scaling:?}: {report}");
                assert!(report.reason.is_success(), "{report}");
                // The normal equations lose the square of the condition, and refinements win it back.
                assert!(report.evaluations.residuals <= 10, "{report}");
            }
        }
    }
}

#[test]
fn the_minimum_of_a_linear_problem_is_exact_to_rounding() {
    let mut draws = Draws(4);
    let a = Mat::from_fn(40, 6, |_, _| draws.next());
    let b = draws.vector(40);
    let right = Mat::from_fn(40, 1, |i, _| b[i]);
    let expected = faer::prelude::SolveLstsq::solve_lstsq(&a.qr(), &right);
    for factorization in FORMS {
        let solver = LevenbergMarquardt::default().with_factorization(factorization);
        let solution = run(&linear(a.clone(), b.clone()), solver, &[100.0; 6]);
        for j in 0..6 {
            assert!((solution.theta[j] - expected[(j, 0)]).abs() < 1e-13, "{}", solution.report);
        }
    }
}

#[test]
fn a_rejected_trial_costs_residuals_and_no_jacobian() {
    // So little damping that trials are rejected.
    let solver = LevenbergMarquardt::default().with_acceleration(None).with_initial_damping(1e-8);
    for factorization in FORMS_OF_FEW {
        let stopping = Stopping { target: Some(1e-8), ..Stopping::default() };
        let solver = solver.clone().with_factorization(factorization).with_stopping(stopping);
        let report = run(&freudenstein_roth(), solver, &[0.5, -50.0]).report;
        let e = report.evaluations;
        let jacobians = e.jacobian + e.normal_equations + e.normal_diagonal;
        assert!(report.notes.iter().any(|note| note.contains("rejected")), "{report}");
        assert!(e.residuals > report.iterations + 1, "{report}");
        // One at the start and one per accepted step, refinements included.
        assert!(jacobians <= report.iterations + 1 + 5, "{report}");
        assert_eq!((e.value, e.value_gradient), (0, 0));
    }
}

#[test]
fn the_known_minima_are_found_from_the_standard_starts() {
    for (problem, start, minimum, value) in [
        (rosenbrock(), vec![-1.2, 1.0], vec![1.0, 1.0], 0.0),
        (helical_valley(), vec![-1.0, 0.0, 0.0], vec![1.0, 0.0, 0.0], 0.0),
        (powell_singular(), vec![3.0, -1.0, 0.0, 1.0], vec![0.0; 4], 0.0),
        (freudenstein_roth(), vec![6.0, 3.0], vec![5.0, 4.0], 0.0),
        (
            freudenstein_roth(),
            vec![0.5, -2.0],
            vec![11.412_778_986_902_1, -0.896_805_253_274_479],
            0.5 * 48.984_253_679_240_01,
        ),
    ] {
        for factorization in FORMS_OF_FEW {
            for limit in [None, Some(0.75)] {
                let solver = LevenbergMarquardt::default()
                    .with_factorization(factorization)
                    .with_acceleration(limit);
                let solution = run(&problem, solver, &start);
                let report = &solution.report;
                assert!(report.reason.is_success(), "{report}");
                assert!((report.value - value).abs() <= 1e-15 * value.max(1.0), "{report}");
                let apart = crate::common::distance(&solution.theta, &minimum);
                assert!(apart < 1e-6, "{apart:e} {report}");
                assert!(report.iterations < 300, "{report}");
            }
        }
    }
}

#[test]
fn a_large_residual_is_fitted_to_the_last_digits() {
    // f is stationary to rounding where the offset is some 1e-8; the last digits come from the gradient.
    let solution = run(&decay(1.0, [1.0; 3]), LevenbergMarquardt::default(), &[1.0, 1.0, 0.0]);
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    let (size, gradient) = (solution.report.initial_gradient.max, solution.report.gradient.max);
    assert!(gradient <= 1e-14 * size, "{}", solution.report);
    // From the other side, the same minimum to all but the last digits.
    let other = run(&decay(1.0, [1.0; 3]), LevenbergMarquardt::default(), &[5.0, 2.0, 1.0]);
    assert!(crate::common::distance(&solution.theta, &other.theta) < 1e-12);
}

/// The same steps, evaluations and reason, with values in the ratio `c`, up to `tolerance` while f is above its floor.
fn same_path(a: &Report, b: &Report, c: f64, tolerance: f64) {
    assert_eq!((a.iterations, a.reason), (b.iterations, b.reason), "{a}\n{b}");
    for (a, b) in a.trace.iter().zip(&b.trace) {
        assert!((c * a.value - b.value).abs() <= tolerance * (c * a.value).abs(), "{a:?}\n{b:?}");
    }
}

#[test]
fn the_path_is_invariant_under_the_units_of_residuals_and_parameters() {
    let start = [1.0, 1.0, 0.0];
    for factorization in FORMS {
        let solver = || LevenbergMarquardt::default().with_factorization(factorization);
        let plain = run(&decay(1.0, [1.0; 3]), solver(), &start).report;
        assert!(plain.iterations > 3, "{plain}");
        for c in [1e-4, 1e4] {
            for scaling in SCALINGS {
                let solver = || solver().with_scaling(scaling);
                let plain = run(&decay(1.0, [1.0; 3]), solver(), &start).report;
                let scaled = run(&decay(c, [1.0; 3]), solver(), &start).report;
                same_path(&plain, &scaled, c * c, 1e-8);
            }
        }
        for units in [[1e4, 1e-4, 1.0], [1e-4, 1e4, 1e2]] {
            let scaled_start: Vec<f64> = start.iter().zip(units).map(|(x, d)| x / d).collect();
            let scaled = run(&decay(1.0, units), solver(), &scaled_start).report;
            same_path(&plain, &scaled, 1.0, 1e-8);
        }
    }
}

/// Five points of tanh of 8 parameters: fewer residuals than parameters.
fn few(residual_scale: f64, units: [f64; 8]) -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(8, 5, move |theta, r| {
        for (i, r) in r.iter_mut().enumerate() {
            let t = i as f64 - 2.0;
            let unit = |k: usize| {
                let [a, b] = [k, k + 4].map(|k| theta[k] * units[k]);
                b * f64::tanh(a * t + k as f64 - 1.0)
            };
            *r = residual_scale * ((0..4).map(unit).sum::<f64>() - f64::cos(2.0 * t));
        }
    })
    .with_jacobian(move |theta, mut j| {
        for i in 0..5 {
            let t = i as f64 - 2.0;
            for k in 0..4 {
                let [a, b] = [k, k + 4].map(|k| theta[k] * units[k]);
                let z = f64::tanh(a * t + k as f64 - 1.0);
                j[(i, k)] = residual_scale * units[k] * b * t * (1.0 - z * z);
                j[(i, k + 4)] = residual_scale * units[k + 4] * z;
            }
        }
    })
}

#[test]
fn the_path_of_the_dual_form_is_invariant_too() {
    let start = [0.4, -0.3, 0.8, 1.0, 0.5, -0.5, 1.2, 0.3];
    let solver = || LevenbergMarquardt::default().with_factorization(Factorization::Dual);
    for scaling in SCALINGS {
        let solver = || solver().with_scaling(scaling);
        let plain = run(&few(1.0, [1.0; 8]), solver(), &start).report;
        assert!(plain.reason.is_success() && plain.iterations > 3, "{plain}");
        for c in [1e-4, 1e4] {
            let scaled = run(&few(c, [1.0; 8]), solver(), &start).report;
            same_path_above_the_floor(&plain, &scaled, c * c);
        }
        if scaling != Scaling::Identity {
            let units = [1e3, 1e-3, 1.0, 10.0, 1e-2, 1e2, 1e4, 1e-4];
            let scaled_start: Vec<f64> = start.iter().zip(units).map(|(x, d)| x / d).collect();
            let scaled = run(&few(1.0, units), solver(), &scaled_start).report;
            same_path_above_the_floor(&plain, &scaled, 1.0);
        }
    }
}

/// As [`same_path`] for an exact fit: what is below 1e-20 of the start is rounding.
fn same_path_above_the_floor(a: &Report, b: &Report, c: f64) {
    let floor = 1e-20 * c * a.initial_value;
    assert!(b.reason.is_success(), "{b}");
    for (a, b) in a.trace.iter().zip(&b.trace) {
        let gap = (c * a.value - b.value).abs();
        assert!(gap <= 1e-6 * c * a.value + floor, "{a:?}\n{b:?}");
    }
}

#[test]
fn fewer_residuals_than_parameters_are_solved_to_zero() {
    let mut draws = Draws(2);
    for factorization in FORMS_OF_FEW {
        let problem = linear(Mat::from_fn(3, 8, |_, _| draws.next()), draws.vector(3));
        let solver = LevenbergMarquardt::default().with_factorization(factorization);
        let report = run(&problem, solver, &[1.0; 8]).report;
        assert!(report.reason.is_success(), "{report}");
        assert!(report.value < 1e-20, "{report}");
    }
}

#[test]
fn dependent_parameters_are_no_obstacle() {
    // Only the sum of the first two matters.
    let problem = LeastSquaresFn::new(3, 3, |x, r| {
        r[0] = f64::exp(x[0] + x[1]) - 2.0;
        r[1] = x[2] - x[0] - x[1];
        r[2] = f64::sin(x[2]) - 0.5;
    });
    for factorization in FORMS_OF_FEW {
        let solver = LevenbergMarquardt::default().with_factorization(factorization);
        let solution = run(&problem, solver, &[0.0, 0.0, 0.0]);
        let (report, theta) = (&solution.report, &solution.theta);
        assert!(report.reason.is_success(), "{report}");
        assert!(theta.iter().all(|x| x.abs() < 2.0), "{theta:?} {report}");
    }
}

#[test]
fn a_column_of_zeros_stays_where_it_is() {
    let problem = LeastSquaresFn::new(2, 2, |x, r| {
        r[0] = x[0] * x[0] - 2.0;
        r[1] = 0.1 * x[0];
    });
    let solution = run(&problem, LevenbergMarquardt::default(), &[1.0, 7.0]);
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    assert_eq!(solution.theta[1], 7.0);
}

#[test]
fn nan_ahead_is_avoided_by_damping() {
    // log θ: the undamped step from 9 goes to −10.8.
    let problem = LeastSquaresFn::new(1, 1, |x, r| r[0] = x[0].ln())
        .with_jacobian(|x: &[f64], mut j: MatMut<'_, f64>| j[(0, 0)] = x[0].recip());
    for factorization in FORMS_OF_FEW {
        let solver = LevenbergMarquardt::default().with_factorization(factorization);
        let solution = run(&problem, solver, &[9.0]);
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        assert!((solution.theta[0] - 1.0).abs() < 1e-12, "{}", solution.report);
    }
}

#[test]
fn a_jacobian_of_nan_ahead_is_avoided_or_has_its_reason() {
    // Residuals are finite everywhere, J only up to `wall`.
    let problem = |wall: f64| {
        LeastSquaresFn::new(2, 2, |x, r| {
            r[0] = x[0] * x[0] - 2.0;
            r[1] = x[1] - x[0];
        })
        .with_jacobian(move |x: &[f64], mut j: MatMut<'_, f64>| {
            let slope = if x[0] < wall { 2.0 * x[0] } else { f64::NAN };
            j.copy_from(faer::mat![[slope, 0.0], [-1.0, 1.0]]);
        })
    };
    for factorization in FORMS_OF_FEW {
        let solver = || LevenbergMarquardt::default().with_factorization(factorization);
        // The undamped step from 0.5 leads to 2.25.
        let solution = run(&problem(2.0), solver(), &[0.5, 0.5]);
        assert!(solution.report.reason.is_success(), "{factorization:?} {}", solution.report);
        assert!(crate::common::distance(&solution.theta, &[2.0_f64.sqrt(); 2]) < 1e-12);
        // The minimum is behind the wall.
        let solution = run(&problem(1.2), solver(), &[0.5, 0.5]);
        let (report, theta) = (&solution.report, &solution.theta);
        assert!(!report.reason.is_success(), "{factorization:?} {report}");
        assert!(theta[0] < 1.2 && report.value < report.initial_value, "{theta:?} {report}");
        // At the start.
        let report = run(&problem(0.2), solver(), &[0.5, 0.5]).report;
        assert_eq!(report.reason, Reason::NonFiniteStart, "{factorization:?} {report}");
    }
}

#[test]
fn trouble_has_its_reason_and_the_best_point_comes_back() {
    let nowhere = LeastSquaresFn::new(1, 1, |x, r| r[0] = if x[0] == 2.0 { 1.0 } else { f64::NAN })
        .with_jacobian(|_: &[f64], mut j: MatMut<'_, f64>| j[(0, 0)] = 1.0);
    let solution = run(&nowhere, LevenbergMarquardt::default(), &[2.0]);
    assert_eq!(solution.report.reason, Reason::NonFiniteValue, "{}", solution.report);
    assert_eq!(solution.theta, [2.0]);
    assert!(solution.report.evaluations.residuals < 100);

    let solution = run(&nowhere, LevenbergMarquardt::default(), &[1.0]);
    assert_eq!(solution.report.reason, Reason::NonFiniteStart);

    // An exact fit that begins at its solution, with the rounding of r: nothing is left to gain, and nothing was there to compare with.
    let (t, truth) = ([0.5, 1.0, 1.5, 2.0, 2.5, 3.0], [2.0, 0.7, 1.0]);
    let model = |p: &[f64], t: f64| p[2] + p[0] * f64::exp(-p[1] * t);
    let exact = LeastSquaresFn::new(3, 6, |p, r| {
        for (r, t) in r.iter_mut().zip(t) {
            *r = model(p, t) - model(&truth, t) * (1.0 + f64::EPSILON);
        }
    });
    let solution = run(&exact, LevenbergMarquardt::default(), &truth);
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    let bounded = BoundedLevenbergMarquardt::new(Bounds::nonnegative(3));
    let solution = minimize(&exact, bounded, &truth).unwrap();
    assert!(solution.report.reason.is_success(), "{}", solution.report);

    let wrong_sign = LeastSquaresFn::new(1, 1, |x, r| r[0] = 1.0 + x[0])
        .with_jacobian(|_: &[f64], mut j: MatMut<'_, f64>| j[(0, 0)] = -1.0);
    let solution = run(&wrong_sign, LevenbergMarquardt::default(), &[1.0]);
    assert_eq!(solution.report.reason, Reason::LineSearchFailed, "{}", solution.report);

    let constant = LeastSquaresFn::new(2, 3, |_, r| r.fill(1.0));
    let solution = run(&constant, LevenbergMarquardt::default(), &[1.0, 2.0]);
    // No derivative has shown that nothing lower is near.
    assert_eq!(solution.report.reason, Reason::NoCurvature, "{}", solution.report);
    assert_eq!(solution.report.iterations, 0);
}

#[test]
fn options_out_of_range_are_named() {
    let changed = |change: fn(&mut LevenbergMarquardt)| {
        let mut solver = LevenbergMarquardt::default();
        change(&mut solver);
        solver
    };
    for (solver, name) in [
        (changed(|s| s.initial_damping = 0.0), "initial_damping"),
        (changed(|s| s.initial_damping = f64::NAN), "initial_damping"),
        (changed(|s| s.accept = 0.7), "accept"),
        (changed(|s| s.acceleration_limit = Some(-1.0)), "acceleration_limit"),
        (changed(|s| s.offset_tolerance = 1.0), "offset_tolerance"),
    ] {
        let error = minimize(&rosenbrock(), solver, &[0.0, 0.0]).unwrap_err();
        let OptimError::OptionOutOfRange { option, .. } = error else { panic!("{error}") };
        assert_eq!(option, name);
    }
}

#[test]
fn limits_of_iterations_and_evaluations_hold() {
    let stopping = |iterations, evaluations| Stopping {
        max_iterations: iterations,
        max_evaluations: Some(evaluations),
        ..Stopping::default()
    };
    for (iterations, evaluations, reason) in
        [(3, 1000, Reason::MaxIterations), (1000, 5, Reason::MaxEvaluations)]
    {
        let solver = LevenbergMarquardt::default().with_stopping(stopping(iterations, evaluations));
        let report = run(&rosenbrock(), solver, &[-1.2, 1.0]).report;
        assert_eq!(report.reason, reason, "{report}");
    }
}

#[test]
fn differences_are_reported_and_reach_the_minimum() {
    let with = decay(1.0, [1.0; 3]);
    let reference = run(&with, LevenbergMarquardt::default(), &[1.0, 1.0, 0.0]);
    assert!(reference.report.notes.iter().all(|note| !note.contains("differences")));
    let without = LeastSquaresFn::new(3, 20, |theta, r| {
        with.residuals(theta, r);
    });
    let solution = run(&without, LevenbergMarquardt::default(), &[1.0, 1.0, 0.0]);
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    assert!(solution.report.notes.iter().any(|note| note.contains("differences")));
    assert!(crate::common::distance(&solution.theta, &reference.theta) < 1e-8);
}

type Model = fn(&[f64], f64, &mut [f64]) -> f64;

fn misra_1a(b: &[f64], x: f64, g: &mut [f64]) -> f64 {
    g[0] = 1.0 - f64::exp(-b[1] * x);
    g[1] = b[0] * x * f64::exp(-b[1] * x);
    b[0] * g[0]
}

fn mgh_09(b: &[f64], x: f64, g: &mut [f64]) -> f64 {
    let below = x * x + b[2] * x + b[3];
    g[0] = (x * x + b[1] * x) / below;
    g[1] = b[0] * x / below;
    g[2] = -b[0] * g[0] * x / below;
    g[3] = -b[0] * g[0] / below;
    b[0] * g[0]
}

fn thurber(b: &[f64], x: f64, g: &mut [f64]) -> f64 {
    let above = b[0] + x * (b[1] + x * (b[2] + x * b[3]));
    let below = 1.0 + x * (b[4] + x * (b[5] + x * b[6]));
    for (g, power) in g.iter_mut().zip([1.0, x, x * x, x * x * x]) {
        *g = power / below;
    }
    for i in 1..4 {
        g[3 + i] = -above / below * g[i];
    }
    above / below
}

#[test]
fn certified_parameters_come_out_to_nine_digits_from_both_starts() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/nist/");
    for (name, model) in
        [("Misra1a", misra_1a as Model), ("MGH09", mgh_09 as Model), ("Thurber", thurber as Model)]
    {
        let set = NistNonlinear::read(format!("{folder}{name}.dat")).unwrap();
        let n = set.parameters.len();
        let problem = LeastSquaresFn::new(n, set.samples(), |theta, r| {
            let mut unused = vec![0.0; n];
            for ((r, x), y) in r.iter_mut().zip(&set.x).zip(&set.y) {
                *r = model(theta, *x, &mut unused) - y;
            }
        })
        .with_jacobian(|theta, mut j| {
            let mut gradient = vec![0.0; n];
            for (i, x) in set.x.iter().enumerate() {
                model(theta, *x, &mut gradient);
                for k in 0..n {
                    j[(i, k)] = gradient[k];
                }
            }
        });
        for start in &set.starts {
            let solution = run(&problem, LevenbergMarquardt::default(), start);
            let report = &solution.report;
            assert!(report.reason.is_success(), "{name}: {report}");
            for (theta, certified) in solution.theta.iter().zip(&set.parameters) {
                assert!(((theta - certified) / certified).abs() < 1e-9, "{name}: {report}");
            }
            let square = 2.0 * report.value;
            let certified = set.residual_sum_of_squares;
            assert!((square - certified).abs() < 1e-9 * certified, "{name}: {report}");
        }
    }
}

/// Meyer's thermistor, f = ½ Σ (b₁·exp(b₂/(x + b₃)) − y)², as NIST has it (MGH10): twice the least f.
const MEYER: f64 = 87.945_855_171;

fn meyer() -> LeastSquaresFn<'static> {
    const Y: [f64; 16] = [
        34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0,
        6005.0, 5147.0, 4427.0, 3820.0, 3307.0, 2872.0,
    ];
    let x = |i: usize| 50.0 + 5.0 * i as f64;
    LeastSquaresFn::new(3, 16, move |b: &[f64], r: &mut [f64]| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = b[0] * (b[1] / (x(i) + b[2])).exp() - Y[i];
        }
    })
    .with_jacobian(move |b: &[f64], mut jacobian| {
        for i in 0..16 {
            let to = x(i) + b[2];
            let e = (b[1] / to).exp();
            jacobian[(i, 0)] = e;
            jacobian[(i, 1)] = b[0] * e / to;
            jacobian[(i, 2)] = -b[0] * e * b[1] / (to * to);
        }
    })
}

#[test]
fn a_column_that_the_scaling_has_outgrown_is_not_dropped() {
    // From here the column of b₁ begins at 1e57 times its size at the minimum.
    for start in [[2.0, 4e5, 2.5e4], [0.02, 4e3, 250.0]] {
        let report = minimize(&meyer(), LevenbergMarquardt::default(), &start).unwrap().report;
        assert!(report.reason.is_success(), "{report}");
        assert!((2.0 * report.value - MEYER).abs() < 1e-6 * MEYER, "{report}");
    }
}

#[test]
fn limits_do_not_undo_the_tolerance_of_the_method() {
    let stopping = Stopping { max_iterations: 500, ..Stopping::default() };
    let start = [0.02, 4e3, 250.0];
    let limited = LevenbergMarquardt::default().with_stopping(stopping);
    let limited = minimize(&meyer(), limited, &start).unwrap();
    let plain = minimize(&meyer(), LevenbergMarquardt::default(), &start).unwrap();
    assert_eq!(limited.theta, plain.theta);
    assert_eq!(limited.report.reason, plain.report.reason);
}

#[test]
fn a_column_that_is_rounding_beside_the_others_is_not_forgotten_at_the_end() {
    // A polynomial of degree 7 on 0 … 100, unscaled: the column of ones is 1e-14 of the last one, and the rank leaves it out. From
    // far away the residuals are far from orthogonal to it.
    let (m, n) = (50_u32, 8);
    let x: Vec<f64> = (0..m).map(|i| 100.0 * f64::from(i) / f64::from(m - 1)).collect();
    let a = Mat::from_fn(x.len(), n, |i, j| x[i].powi(i32::try_from(j).unwrap()));
    let b: Vec<f64> = x.iter().map(|x| x.sin()).collect();
    let problem = || linear(a.clone(), b.clone());
    for start in [0.0, 1.0, 1e2, 1e4] {
        let plain = LevenbergMarquardt { scaling: Scaling::Identity, ..LevenbergMarquardt::new() };
        let least = run(&problem(), LevenbergMarquardt::new(), &[start; 8]).report;
        let found = run(&problem(), plain, &[start; 8]).report;
        let reached = found.value <= (1.0 + 1e-9) * least.value;
        assert!(reached || found.reason != Reason::OffsetConverged, "{start}\n{found}\n{least}");
        // From nearby the column is found again.
        assert!(reached || start > 1.0, "{start}\n{found}\n{least}");
    }
}
