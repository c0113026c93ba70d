//! The curvature methods land on known minima, at a known cost.

use crate::common::{
    Draws, Function, beale, distance, logistic, powell_singular, quadratic, rosenbrock,
    rosenbrock_start, spd,
};
use faer::Mat;
use faer::linalg::solvers::Solve;
use secant_core::problem::Objective;
use secant_optim::{
    Bfgs, GradientDescent, HessianKind, Lbfgs, Method, Newton, Reason, Solution, Stopping, minimize,
};

fn to_the_floor() -> Stopping {
    Stopping { gradient_tolerance: 1e-14, ..Stopping::default() }
}

fn curvature_methods() -> [Method; 3] {
    [Newton::default().into(), Bfgs::default().into(), Lbfgs::default().into()]
}

/// The counters tell the truth, and every accepted step lowers f (to rounding).
fn check_books(function: &Function, solution: &Solution) {
    let report = &solution.report;
    assert_eq!(report.evaluations.value_gradient, function.calls.get(), "{report}");
    assert_eq!(report.trace.len() as u64, report.iterations + 1);
    assert_eq!(function.value(&solution.theta), report.value);
    for pair in report.trace.windows(2) {
        assert!(pair[1].value <= pair[0].value + 1e-12 * pair[0].value.abs(), "{report}");
    }
}

/// Name, problem, start, minimum, most evaluations.
type Case = (&'static str, fn() -> Function, Vec<f64>, Vec<f64>, u64);

#[test]
fn classic_problems_are_solved_by_every_curvature_method() {
    let cases: [Case; 4] = [
        ("Rosenbrock 2", || rosenbrock(2), rosenbrock_start(2), vec![1.0; 2], 60),
        ("Rosenbrock 50", || rosenbrock(50), rosenbrock_start(50), vec![1.0; 50], 150),
        ("Beale", beale, vec![1.0, 1.0], vec![3.0, 0.5], 60),
        ("Beale, far", beale, vec![2.0, -1.5], vec![3.0, 0.5], 60),
    ];
    for (name, function, start, minimum, most_evaluations) in cases {
        for method in curvature_methods() {
            let label = method.name();
            let function = function();
            let solution =
                method.with_stopping(to_the_floor()).minimize(&function, &start).unwrap();
            check_books(&function, &solution);
            let report = &solution.report;
            assert!(report.reason.is_success(), "{name} {report}");
            assert!(distance(&solution.theta, &minimum) < 1e-7, "{name} {label} {report}");
            assert!(report.evaluations.of_f() <= 2 * most_evaluations, "{name} {report}");
        }
    }
}

#[test]
fn singular_minimum_of_powell_is_approached() {
    for method in curvature_methods() {
        let function = powell_singular();
        let solution = method.minimize(&function, &[3.0, -1.0, 0.0, 1.0]).unwrap();
        check_books(&function, &solution);
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        assert!(solution.report.value < 1e-10, "{}", solution.report);
    }
}

#[test]
fn newton_solves_a_quadratic_in_one_step() {
    let mut draws = Draws(1);
    for n in [1, 2, 10, 60] {
        let a = spd(n, 1e6, &mut draws);
        let b = draws.vector(n);
        let exact = a.llt(faer::Side::Lower).unwrap().solve(Mat::from_fn(n, 1, |i, _| b[i]));
        let exact: Vec<f64> = (0..n).map(|i| exact[(i, 0)]).collect();
        for start in [1e3, -1e3, 0.1] {
            let function = quadratic(a.clone(), b.clone(), 0.0);
            let solution = minimize(&function, Newton::default(), &vec![start; n]).unwrap();
            let report = &solution.report;
            assert_eq!(report.iterations, 1, "{report}");
            assert_eq!(report.reason, Reason::GradientConverged, "{report}");
            let e = report.evaluations;
            assert_eq!((e.hessian, e.linearize, e.value_gradient), (1, 1, 2), "{report}");
            let size = exact.iter().fold(start.abs(), |m: f64, x| m.max(x.abs()));
            assert!(distance(&solution.theta, &exact) <= 1e-9 * size, "{report}");
        }
    }
}

#[test]
fn gauss_newton_matrix_is_used_when_asked_for() {
    let function = rosenbrock(2);
    let solver = Newton::default().with_curvature(HessianKind::GaussNewton);
    let solution = minimize(&function, solver, &[-1.2, 1.0]).unwrap();
    assert_eq!(solution.report.evaluations.hessian, 0);
    assert!(solution.report.evaluations.gauss_newton > 0);
}

#[test]
fn quasi_newton_reaches_the_dense_solution_of_a_quadratic() {
    let mut draws = Draws(2);
    for (n, condition) in [(3, 10.0), (20, 1e4), (40, 1e6)] {
        let a = spd(n, condition, &mut draws);
        let b = draws.vector(n);
        let exact = a.llt(faer::Side::Lower).unwrap().solve(Mat::from_fn(n, 1, |i, _| b[i]));
        let exact: Vec<f64> = (0..n).map(|i| exact[(i, 0)]).collect();
        let start = draws.vector(n);
        for method in [Method::from(Bfgs::default()), Lbfgs::default().into()] {
            let function = quadratic(a.clone(), b.clone(), 0.0);
            let best = function.value(&exact);
            let solution =
                method.with_stopping(to_the_floor()).minimize(&function, &start).unwrap();
            check_books(&function, &solution);
            let gap = (solution.report.value - best) / best.abs();
            assert!(solution.report.reason.is_success(), "{}", solution.report);
            // Ax rounds to some κ·ε of its size, and so does this f.
            assert!(
                gap < 1e-12 + 1e-14 * condition,
                "κ {condition}: gap {gap:e} {}",
                solution.report
            );
        }
    }
}

#[test]
fn bfgs_solves_a_quadratic_with_one_evaluation_per_step() {
    let mut draws = Draws(3);
    let n = 30;
    let function = quadratic(spd(n, 100.0, &mut draws), draws.vector(n), 0.0);
    let solution = minimize(&function, Bfgs::default(), &draws.vector(n)).unwrap();
    assert!(solution.report.iterations <= 5 * n as u64, "{}", solution.report);
    assert!(function.calls.get() <= solution.report.iterations + 10, "one evaluation per step");
}

#[test]
fn rank_deficient_quadratic_reaches_its_minimum_to_rounding() {
    // ½‖Jx − r‖² with J of rank 3 in six columns: the minimum is a flat of dimension three.
    let mut draws = Draws(4);
    let (m, n) = (12, 6);
    let left: Vec<Vec<f64>> = (0..m).map(|_| draws.vector(3)).collect();
    let right: Vec<Vec<f64>> = (0..n).map(|_| draws.vector(3)).collect();
    let j = Mat::from_fn(m, n, |a, b| (0..3).map(|k| left[a][k] * right[b][k]).sum::<f64>());
    let r = Mat::from_fn(m, 1, |i, _| (i as f64).sin());
    let a = j.transpose() * &j;
    let b = j.transpose() * &r;
    let b: Vec<f64> = (0..n).map(|i| b[(i, 0)]).collect();
    let c = 0.5 * (0..m).map(|i| r[(i, 0)] * r[(i, 0)]).sum::<f64>();
    // The residual of the projection onto the three columns of `left`, by QR.
    let basis = Mat::from_fn(m, 3, |a, k| left[a][k]);
    let q = basis.qr().compute_thin_Q();
    let inside = q.transpose() * &r;
    let best = c - 0.5 * (0..3).map(|k| inside[(k, 0)] * inside[(k, 0)]).sum::<f64>();
    for method in curvature_methods() {
        let function = quadratic(a.clone(), b.clone(), c);
        let solution = method.minimize(&function, &vec![5.0; n]).unwrap();
        let gap = (solution.report.value - best).abs() / c;
        assert!(gap < 1e-13, "gap {gap:e} {}", solution.report);
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        assert!(solution.report.iterations < 60, "{}", solution.report);
    }
}

#[test]
fn newton_leaves_a_saddle() {
    // x²/2 − y²/2 + y⁴/4: a saddle at 0, minima at (0, ±1).
    let function = Function::new(
        2,
        |x, g| {
            g[0] = x[0];
            g[1] = x[1].powi(3) - x[1];
            0.5 * x[0] * x[0] - 0.5 * x[1] * x[1] + 0.25 * x[1].powi(4)
        },
        |x| faer::mat![[1.0, 0.0], [0.0, 3.0 * x[1] * x[1] - 1.0]],
    );
    let solution = minimize(&function, Newton::default(), &[1.0, 1e-3]).unwrap();
    assert!(distance(&solution.theta, &[0.0, 1.0]) < 1e-8, "{}", solution.report);
    assert!(solution.report.notes[0].contains("shifted"), "{}", solution.report);
    assert!(solution.report.iterations < 40, "{}", solution.report);
}

#[test]
fn ill_conditioned_logistic_regression_is_fitted_to_the_last_digits() {
    let mut draws = Draws(5);
    for spread in [1.0, 1e-2] {
        let problem = |draws: &mut Draws| logistic(300, 12, 1e-6, spread, draws);
        let seed = draws.0;
        let newton = problem(&mut Draws(seed));
        let tight = Stopping { gradient_tolerance: 1e-13, ..Stopping::default() };
        let exact = minimize(&newton, Newton::default().with_stopping(tight), &[0.0; 12]).unwrap();
        assert!(exact.report.reason.is_success(), "{}", exact.report);
        for method in curvature_methods() {
            let function = problem(&mut Draws(seed));
            let solution = method.minimize(&function, &[0.0; 12]).unwrap();
            check_books(&function, &solution);
            let gap = (solution.report.value - exact.report.value) / exact.report.value;
            assert!(solution.report.reason.is_success(), "{}", solution.report);
            assert!(gap < 1e-13, "gap {gap:e} {}", solution.report);
        }
        draws.next();
    }
}

#[test]
fn a_tolerance_out_of_reach_ends_at_the_rounding_floor() {
    for method in curvature_methods() {
        let mut draws = Draws(6);
        let function = logistic(200, 8, 1e-3, 0.1, &mut draws);
        let stopping = Stopping { gradient_tolerance: 1e-30, ..Stopping::default() };
        let solution = method.with_stopping(stopping).minimize(&function, &[0.0; 8]).unwrap();
        let report = &solution.report;
        assert_eq!(report.reason, Reason::RoundingFloor, "{report}");
        assert!(report.iterations < 300, "{report}");
        assert!(report.gradient.max < 1e-12 * report.initial_gradient.max, "{report}");
    }
}

#[test]
fn gradient_descent_by_search_descends_to_the_minimum() {
    let mut draws = Draws(7);
    let function = quadratic(spd(5, 20.0, &mut draws), draws.vector(5), 3.0);
    let solution = minimize(&function, GradientDescent::default(), &draws.vector(5)).unwrap();
    check_books(&function, &solution);
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    assert!(solution.report.evaluations.value_gradient < 4 * solution.report.iterations + 10);
}

#[test]
fn fixed_step_gradient_descent_contracts_by_the_textbook_factor() {
    // λ = 1 and 9: ε = 2/(1 + 9), and the error falls by (κ − 1)/(κ + 1) = 0.8 per step.
    let function = quadratic(faer::mat![[1.0, 0.0], [0.0, 9.0]], vec![0.0; 2], 0.0);
    let stopping = Stopping { max_iterations: 20, ..Stopping::default() };
    let solver = GradientDescent::fixed(0.2).with_stopping(stopping);
    let solution = minimize(&function, solver, &[1.0, 1.0]).unwrap();
    assert_eq!(solution.report.reason, Reason::MaxIterations);
    let expected = 0.8_f64.powi(20);
    assert!((solution.theta[0] - expected).abs() < 1e-14);
    assert!((solution.theta[1].abs() - expected).abs() < 1e-14);
}

#[test]
fn softmax_biases_with_a_direction_that_f_does_not_see_are_fitted_to_rounding() {
    // f(b) = log Σ exp b − Σ p·b: constant along (1, …, 1), with the entropy of p as its minimum.
    let p = [0.7, 0.2, 0.05, 0.05];
    let softmax = |b: &[f64]| {
        let most = b.iter().fold(f64::NEG_INFINITY, |m: f64, b| m.max(*b));
        let sum: f64 = b.iter().map(|b| (b - most).exp()).sum();
        let q: Vec<f64> = b.iter().map(|b| (b - most).exp() / sum).collect();
        (most + sum.ln(), q)
    };
    let entropy: f64 = -p.iter().map(|p| p * f64::ln(*p)).sum::<f64>();
    for method in curvature_methods() {
        let function = Function::new(
            4,
            move |b, g| {
                let (log_sum, q) = softmax(b);
                for k in 0..4 {
                    g[k] = q[k] - p[k];
                }
                log_sum - p.iter().zip(b).map(|(p, b)| p * b).sum::<f64>()
            },
            move |b| {
                let (_, q) = softmax(b);
                Mat::from_fn(4, 4, |i, j| if i == j { q[i] } else { 0.0 } - q[i] * q[j])
            },
        );
        let solution = method.minimize(&function, &[1.0, -1.0, 2.0, 0.5]).unwrap();
        let report = &solution.report;
        assert!(report.reason.is_success(), "{report}");
        // log Σ exp b and Σ p·b are rounded at the size of b before they cancel.
        let size = solution.theta.iter().fold(1.0_f64, |size, b| size.max(b.abs()));
        assert!((report.value - entropy).abs() < 2.0 * f64::EPSILON * size, "{report}");
        assert!(report.iterations < 30, "{report}");
        assert!(solution.theta.iter().all(|b| b.abs() < 10.0), "no drift along the flat: {report}");
    }
}

#[test]
fn newton_uses_its_factor_again_and_is_exact_from_a_far_start_on_an_ill_conditioned_quadratic() {
    // κ = 1e8 and a start 1e6 away: one solve with the factor leaves κ·ε of the distance, the refinements take it off.
    let mut draws = Draws(5);
    let matrix = spd(8, 1e8, &mut draws);
    let minimum = draws.vector(8);
    let start: Vec<f64> = minimum.iter().map(|x| x + 1e6).collect();
    let b = (0..8).map(|i| (0..8).map(|j| matrix[(i, j)] * minimum[j]).sum()).collect();
    let function = quadratic(matrix, b, 0.0);
    let stopping = Stopping { gradient_tolerance: 0.0, max_iterations: 1, ..Stopping::default() };
    let solver = Newton::default().with_stopping(stopping);
    let solution = minimize(&function, solver, &start).unwrap();
    let report = &solution.report;
    assert_eq!((report.iterations, report.evaluations.hessian), (1, 1));
    assert!(report.evaluations.value_gradient <= 2 + 6, "{report}");
    assert!(report.notes.iter().any(|note| note.contains("factor used again")), "{report}");
    // b is rounded, which moves the minimum by up to κ·ε. Without refinements ‖∇f‖ stays at 6e-3.
    let apart = distance(&solution.theta, &minimum);
    assert!(apart < 1e-7, "{apart:e}");
}
