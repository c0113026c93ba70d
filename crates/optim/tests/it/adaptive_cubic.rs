//! Adaptive cubic regularisation: counts, saddles, walls, ends.

use crate::common::{Draws, Function, linear, quadratic, rosenbrock, rosenbrock_start, spd};
use secant_core::operator::Hessian;
use secant_core::problem::Curvature;
use secant_optim::krylov::extreme_eigenvalues;
use secant_optim::{
    AdaptiveCubic, HessianKind, OptimError, Optimality, Reason, Report, Stopping, minimize,
};

fn rejections(report: &Report) -> u64 {
    report.evaluations.value - report.iterations
}

#[test]
fn it_finds_the_minimum_of_rosenbrock_of_any_size() {
    for n in [2, 10, 200] {
        let solution =
            minimize(&rosenbrock(n), AdaptiveCubic::default(), &rosenbrock_start(n)).unwrap();
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        assert!(
            crate::common::distance(&solution.theta, &vec![1.0; n]) < 1e-6,
            "{}",
            solution.report
        );
        assert!(solution.report.iterations < 150, "{}", solution.report);
        assert_eq!(solution.report.evaluations.hessian, 0, "products only");
    }
}

#[test]
fn a_rejected_step_costs_a_value_and_no_product() {
    // Two variables: two products per point span the space, however many trials there are.
    let solver = AdaptiveCubic::default()
        .with_initial_radius(1e3)
        .with_forcing(1e-9)
        .with_optimality(Optimality::FirstOrder);
    let report = minimize(&rosenbrock(2), solver, &[-1.2, 1.0]).unwrap().report;
    assert!(rejections(&report) > 3, "{report}");
    // One more where an end is to be confirmed.
    let products = report.evaluations.hessian_vector - 2 * report.iterations;
    assert!(products <= 1, "{report}");
    assert_eq!(report.evaluations.linearize, report.iterations);
    assert_eq!(report.evaluations.value_gradient, report.iterations + 1);
    let note = format!("{} trial(s) rejected", rejections(&report));
    assert!(report.notes.contains(&note), "{report}");
}

#[test]
fn steps_on_a_quadratic_become_newtons() {
    let mut draws = Draws(3);
    let function = quadratic(spd(12, 1e3, &mut draws), draws.vector(12), 2.0);
    // σ = ‖g‖/Δ² of a long first step is next to nothing.
    let solver = AdaptiveCubic::default().with_initial_radius(1e12).with_forcing(1e-12);
    let report = minimize(&function, solver, &[1.0; 12]).unwrap().report;
    assert!(report.reason.is_success(), "{report}");
    assert_eq!(report.iterations, 1, "{report}");
}

/// ¼(x² − 1)² + ½y²: minima at (±1, 0), a saddle at 0.
fn double_well() -> Function {
    Function::new(
        2,
        |x, g| {
            g[0] = x[0] * (x[0] * x[0] - 1.0);
            g[1] = x[1];
            0.25 * (x[0] * x[0] - 1.0).powi(2) + 0.5 * x[1] * x[1]
        },
        |x| faer::mat![[3.0 * x[0] * x[0] - 1.0, 0.0], [0.0, 1.0]],
    )
}

#[test]
fn saddles_are_left_exactly_when_second_order_optimality_is_asked_for() {
    for start in [[0.0, 0.0], [0.0, 3.0], [1e-300, -2.0]] {
        let function = double_well();
        let solution = minimize(&function, AdaptiveCubic::default(), &start).unwrap();
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        assert!((solution.theta[0].abs() - 1.0).abs() < 1e-6, "{}", solution.report);
        let at = function.linearize(&solution.theta);
        assert!(!extreme_eigenvalues(&Hessian(&at), 2).unwrap().is_indefinite());
    }
    let first = AdaptiveCubic::default().with_optimality(Optimality::FirstOrder);
    let solution = minimize(&double_well(), first, &[0.0, 3.0]).unwrap();
    assert_eq!(solution.theta[0], 0.0, "{}", solution.report);
}

#[test]
fn a_wall_of_nan_is_met_with_shorter_steps() {
    let wall = |limit: f64| {
        Function::new(
            1,
            move |x, g| {
                g[0] = 2.0 * (x[0] - 3.0);
                if x[0] > limit { f64::NAN } else { (x[0] - 3.0).powi(2) }
            },
            |_| faer::mat![[2.0]],
        )
    };
    let solution = minimize(&wall(3.5), AdaptiveCubic::default(), &[-100.0]).unwrap();
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    assert!((solution.theta[0] - 3.0).abs() < 1e-6);
    let solution = minimize(&wall(2.0), AdaptiveCubic::default(), &[-1.0]).unwrap();
    assert!(!solution.report.reason.is_converged(), "{}", solution.report);
    assert!(solution.theta[0] <= 2.0 && solution.report.value < 16.0, "{}", solution.report);
}

#[test]
fn a_straight_line_is_unbounded() {
    let report =
        minimize(&linear(vec![1.0, -2.0]), AdaptiveCubic::default(), &[1.0; 2]).unwrap().report;
    assert_eq!(report.reason, Reason::Unbounded, "{report}");
}

#[test]
fn gauss_newton_products_serve_as_well() {
    let solver = AdaptiveCubic::default().with_curvature(HessianKind::GaussNewton);
    let report = minimize(&rosenbrock(4), solver, &rosenbrock_start(4)).unwrap().report;
    assert!(report.reason.is_success(), "{report}");
    assert!(report.evaluations.gauss_newton_vector > 0 && report.evaluations.hessian_vector == 0);
}

#[test]
fn options_out_of_range_are_named() {
    let solver = AdaptiveCubic::default;
    for (solver, option) in [
        (solver().with_acceptance(0.1), "acceptance"),
        (solver().with_forcing(1.0), "forcing"),
        (solver().with_initial_radius(0.0), "initial_radius"),
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
        assert_eq!((name, found), ("Adaptive cubic", option));
    }
}
