//! Newton–CG: counts, preconditioning, negative curvature, ends.

mod common;

use common::{Draws, Function, quadratic, rosenbrock, rosenbrock_start, spd};
use secant_optim::{
    HessianKind, NewtonCg, OptimError, Optimality, Preconditioner, Stopping, minimize,
};

#[test]
fn it_finds_the_minimum_of_rosenbrock_of_any_size_without_a_matrix() {
    for n in [2, 10, 200] {
        let solution = minimize(&rosenbrock(n), NewtonCg::default(), &rosenbrock_start(n)).unwrap();
        let report = &solution.report;
        assert!(report.reason.is_success(), "{report}");
        assert!(common::distance(&solution.theta, &vec![1.0; n]) < 1e-6, "{report}");
        assert!(report.iterations < 300, "{report}");
        // One linearisation per step, and one to look for negative curvature at the end.
        let e = &report.evaluations;
        assert_eq!((e.hessian, e.linearize), (0, report.iterations + 1));
    }
}

#[test]
fn a_quadratic_takes_one_step_of_as_many_products_as_distinct_eigenvalues() {
    let n = 40;
    let a = faer::Mat::from_fn(n, n, |i, j| if i == j { [1.0, 7.0, 30.0][i % 3] } else { 0.0 });
    let function = quadratic(a, Draws(5).vector(n), 0.0);
    let solver = NewtonCg::default().with_forcing(1e-13).with_optimality(Optimality::FirstOrder);
    let report = minimize(&function, solver, &vec![1.0; n]).unwrap().report;
    assert!(report.reason.is_success(), "{report}");
    assert_eq!(report.iterations, 1, "{report}");
    assert_eq!(report.evaluations.hessian_vector, 3, "{report}");
}

#[test]
fn the_diagonal_of_gauss_newton_saves_products_where_parameters_differ_in_size() {
    let n = 30;
    let mut draws = Draws(9);
    let well = spd(n, 10.0, &mut draws);
    let size = |i: usize| 10.0_f64.powf(3.0 * i as f64 / n as f64);
    let a = faer::Mat::from_fn(n, n, |i, j| size(i) * well[(i, j)] * size(j));
    let function = quadratic(a, draws.vector(n), 0.0);
    let products = |preconditioner| {
        let solver = NewtonCg::default().with_preconditioner(preconditioner);
        let report = minimize(&function, solver, &vec![0.1; n]).unwrap().report;
        assert!(report.reason.is_success(), "{report}");
        report.evaluations.hessian_vector
    };
    let (plain, jacobi) = (products(Preconditioner::Nothing), products(Preconditioner::Jacobi));
    assert!(3 * jacobi < plain, "{jacobi} {plain}");
}

#[test]
fn negative_curvature_is_used_and_noted() {
    // ¼(x² − 1)² + ½y²: concave in x near the start.
    let function = Function::new(
        2,
        |x, g| {
            g[0] = x[0] * (x[0] * x[0] - 1.0);
            g[1] = x[1];
            0.25 * (x[0] * x[0] - 1.0).powi(2) + 0.5 * x[1] * x[1]
        },
        |x| faer::mat![[3.0 * x[0] * x[0] - 1.0, 0.0], [0.0, 1.0]],
    );
    let solution = minimize(&function, NewtonCg::default(), &[1e-3, 1.0]).unwrap();
    assert!((solution.theta[0] - 1.0).abs() < 1e-6, "{}", solution.report);
    assert!(solution.report.notes.iter().any(|note| note.contains("negative curvature used")));
    // On the ridge the gradient does not see it: second-order optimality does.
    let solution = minimize(&function, NewtonCg::default(), &[0.0, 1.0]).unwrap();
    assert!((solution.theta[0].abs() - 1.0).abs() < 1e-6, "{}", solution.report);
    assert!(solution.report.notes.contains(&"left a saddle 1×".to_string()));
    let first = NewtonCg::default().with_optimality(Optimality::FirstOrder);
    assert_eq!(minimize(&function, first, &[0.0, 1.0]).unwrap().theta[0], 0.0);
}

#[test]
fn gauss_newton_products_and_the_test_of_progress() {
    let solver = NewtonCg::default().with_curvature(HessianKind::GaussNewton).with_progress(true);
    let report = minimize(&rosenbrock(50), solver, &rosenbrock_start(50)).unwrap().report;
    assert!(report.reason.is_success(), "{report}");
    assert!(report.evaluations.gauss_newton_vector > 0 && report.evaluations.hessian_vector == 0);
}

#[test]
fn options_out_of_range_are_named() {
    let solver = NewtonCg::default;
    for (solver, option) in [
        (solver().with_forcing(0.0), "forcing"),
        (solver().with_forcing(f64::NAN), "forcing"),
        (solver().with_max_products(0), "max_products"),
        (
            solver().with_stopping(Stopping { gradient_tolerance: -1.0, ..Stopping::default() }),
            "gradient_tolerance",
        ),
    ] {
        let error = minimize(&rosenbrock(2), solver, &[-1.2, 1.0]).unwrap_err();
        let OptimError::OptionOutOfRange { solver: name, option: found, .. } = error else {
            panic!("{error}")
        };
        assert_eq!((name, found), ("Newton–CG", option));
    }
}
