//! Newton–CG: counts, preconditioning, negative curvature, ends.

use crate::common::{Draws, Function, quadratic, rosenbrock, rosenbrock_start, spd};
use faer::Mat;
use secant_core::problem::Objective;
use secant_optim::{
    HessianKind, NewtonCg, OptimError, Optimality, Preconditioner, Stopping, minimize,
};

#[test]
fn it_finds_the_minimum_of_rosenbrock_of_any_size_without_a_matrix() {
    for n in [2, 10, 200] {
        let solution = minimize(&rosenbrock(n), NewtonCg::default(), &rosenbrock_start(n)).unwrap();
        let report = &solution.report;
        assert!(report.reason.is_success(), "{report}");
        assert!(crate::common::distance(&solution.theta, &vec![1.0; n]) < 1e-6, "{report}");
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
    // The same again confirms the end, from rounding.
    let e = &report.evaluations;
    assert!(e.linearize == 2 && (3..=9).contains(&e.hessian_vector), "{report}");
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

/// Σ over k of cosh(xₖ·sₖ)-like bowls in coordinates that are mixed: convex, of a wide spectrum.
fn bowl(n: usize, decades: f64) -> Function {
    let mut draws = Draws(17);
    let mixing = Mat::from_fn(n, n, |_, _| draws.next()).qr().compute_thin_Q();
    let size = move |k: usize| 10.0_f64.powf(-decades * k as f64 / (n - 1) as f64);
    let (q, q2) = (mixing.clone(), mixing);
    let along = move |q: &Mat<f64>, x: &[f64], k: usize| {
        (0..n).map(|i| q[(i, k)] * x[i]).sum::<f64>() - 1.0
    };
    Function::new(
        n,
        move |x, g| {
            g.fill(0.0);
            let mut value = 0.0;
            for k in 0..n {
                let z = along(&q, x, k);
                value += size(k) * (1.0 + z * z).sqrt();
                for i in 0..n {
                    g[i] += size(k) * z / (1.0 + z * z).sqrt() * q[(i, k)];
                }
            }
            value
        },
        move |x| {
            let weights: Vec<f64> =
                (0..n).map(|k| size(k) * (1.0 + along(&q2, x, k).powi(2)).powf(-1.5)).collect();
            let scaled = Mat::from_fn(n, n, |i, k| q2[(i, k)] * weights[k]);
            &scaled * q2.transpose()
        },
    )
}

/// Products with H and G, and evaluations of f of any kind, of a run that must reach the minimum.
fn cost(solver: NewtonCg, function: &Function) -> [u64; 2] {
    let stopping = Stopping { gradient_tolerance: 1e-10, ..Stopping::default() };
    let solver = solver.with_stopping(stopping).with_optimality(Optimality::FirstOrder);
    let start = vec![0.0; function.dim()];
    let report = minimize(function, solver, &start).unwrap().report;
    assert!(report.reason.is_success(), "{report}");
    let e = &report.evaluations;
    println!("{report}");
    [e.hessian_vector + e.gauss_newton_vector, e.linearize + e.value + e.value_gradient]
}

#[test]
fn pairs_of_the_step_before_and_sketches_save_products_on_a_wide_spectrum() {
    let function = bowl(120, 6.0);
    let with =
        |preconditioner| cost(NewtonCg::default().with_preconditioner(preconditioner), &function);
    let [plain, _] = with(Preconditioner::Nothing);
    let [pairs, _] = with(Preconditioner::Pairs { memory: 20 });
    let [sketch, _] = with(Preconditioner::Nystrom { rank: 60, refresh: 5 });
    assert!(4 * pairs < 3 * plain, "{pairs} {plain}");
    assert!(4 * sketch < 3 * plain, "{sketch} {plain}");
}

#[test]
fn a_balance_of_costs_spends_products_where_they_are_cheap_and_steps_where_they_are_dear() {
    let function = bowl(60, 4.0);
    let [cheap_products, cheap_steps] = cost(NewtonCg::default().with_cost_ratio(0.02), &function);
    let [dear_products, dear_steps] = cost(NewtonCg::default().with_cost_ratio(20.0), &function);
    assert!(dear_products < cheap_products, "{dear_products} {cheap_products}");
    assert!(cheap_steps <= dear_steps, "{cheap_steps} {dear_steps}");
}

#[test]
fn warm_starts_and_backtracking_reach_the_same_minimum() {
    for n in [2, 50] {
        for solver in [
            NewtonCg::default().with_warm_start(true),
            NewtonCg::default().with_backtrack(true),
            NewtonCg::default().with_warm_start(true).with_backtrack(true).with_progress(true),
            NewtonCg::default().with_preconditioner(Preconditioner::Pairs { memory: 5 }),
            NewtonCg::default()
                .with_preconditioner(Preconditioner::Nystrom { rank: 3, refresh: 2 }),
            NewtonCg::default().with_cost_ratio(1.0),
        ] {
            let solution = minimize(&rosenbrock(n), solver, &rosenbrock_start(n)).unwrap();
            let report = &solution.report;
            assert!(report.reason.is_success(), "{report}");
            assert!(crate::common::distance(&solution.theta, &vec![1.0; n]) < 1e-6, "{report}");
        }
    }
}

#[test]
fn backtracking_takes_the_iterate_of_lower_value() {
    // The second iterate runs 100 along x₁, where the quartic has long taken over; the first does not.
    let function = Function::new(
        2,
        |x, g| {
            g[0] = 100.0 * (x[0] - 1.0);
            g[1] = -0.1 + 1e-3 * x[1] + 4e-4 * x[1].powi(3);
            50.0 * (x[0] - 1.0).powi(2) - 0.1 * x[1] + 0.5e-3 * x[1] * x[1] + 1e-4 * x[1].powi(4)
        },
        |x| faer::mat![[100.0, 0.0], [0.0, 1e-3 + 12e-4 * x[1] * x[1]]],
    );
    let run = |backtrack| {
        let solver = NewtonCg::default().with_backtrack(backtrack).with_forcing(1e-6);
        minimize(&function, solver, &[0.0, 0.0]).unwrap().report
    };
    let report = run(true);
    assert!(report.reason.is_success(), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("earlier iterate")), "{report}");
    assert!(run(false).notes.iter().all(|note| !note.contains("earlier iterate")));
}

#[test]
fn options_out_of_range_are_named() {
    let solver = NewtonCg::default;
    for (solver, option) in [
        (solver().with_forcing(0.0), "forcing"),
        (solver().with_forcing(f64::NAN), "forcing"),
        (solver().with_max_products(0), "max_products"),
        (solver().with_cost_ratio(0.0), "cost_ratio"),
        (solver().with_cost_ratio(f64::INFINITY), "cost_ratio"),
        (solver().with_preconditioner(Preconditioner::Pairs { memory: 0 }), "memory"),
        (solver().with_preconditioner(Preconditioner::Nystrom { rank: 0, refresh: 1 }), "rank"),
        (solver().with_preconditioner(Preconditioner::Nystrom { rank: 1, refresh: 0 }), "refresh"),
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
