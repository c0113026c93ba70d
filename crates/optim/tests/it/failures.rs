//! Every trouble ends in the documented error or reason, quickly, with the best finite point.

use crate::common::{Draws, Function, constant, linear, quadratic, rosenbrock, spd};
use secant_core::problem::Objective;
use secant_optim::line_search::StrongWolfe;
use secant_optim::{
    AdaGrad, Adadelta, Adam, AdaptiveCubic, Bfgs, GradientDescent, Lbfgs, Method, Modification,
    Momentum, Nesterov, Newton, NewtonCg, NonlinearCg, OptimError, Reason, RmsProp, Stopping,
    TrustRegion, Update, minimize,
};
use std::time::Duration;

fn searching() -> Vec<Method> {
    vec![
        Bfgs::default().into(),
        Lbfgs::default().into(),
        NonlinearCg::default().into(),
        GradientDescent::default().into(),
    ]
}

fn stepping() -> Vec<Method> {
    vec![
        GradientDescent::fixed(0.01).into(),
        Momentum::default().into(),
        Nesterov::default().into(),
        AdaGrad::default().into(),
        RmsProp::default().into(),
        Adadelta::default().into(),
        Adam::default().into(),
    ]
}

fn all() -> Vec<Method> {
    let mut methods = vec![
        Method::from(Newton::default()),
        Newton::default().with_modification(Modification::TurnedSigns).into(),
        TrustRegion::default().into(),
        AdaptiveCubic::default().into(),
        NewtonCg::default().into(),
        Bfgs::default().with_update(Update::SelfScaledBroyden).into(),
    ];
    methods.extend(searching());
    methods.extend(stepping());
    methods
}

fn few() -> Stopping {
    Stopping { max_iterations: 200, ..Stopping::default() }
}

#[test]
fn a_start_with_infinite_loss_is_returned_as_it_is() {
    for bad in [f64::INFINITY, f64::NAN, f64::NEG_INFINITY] {
        for method in all() {
            let function = Function::new(
                2,
                move |_, g| {
                    g.fill(1.0);
                    bad
                },
                |_| faer::Mat::identity(2, 2),
            );
            let solution = method.minimize(&function, &[1.0, 2.0]).unwrap();
            assert_eq!(solution.report.reason, Reason::NonFiniteStart, "{}", solution.report);
            assert_eq!(solution.theta, [1.0, 2.0]);
            assert_eq!(function.calls.get(), 1);
        }
    }
}

#[test]
fn a_nan_gradient_with_a_finite_value_is_not_convergence() {
    for method in all() {
        let function = Function::new(
            2,
            |x, g| {
                g[0] = f64::NAN;
                g[1] = 0.0;
                x[0] * x[0]
            },
            |_| faer::Mat::identity(2, 2),
        );
        let solution = method.minimize(&function, &[1.0, 2.0]).unwrap();
        assert_eq!(solution.report.reason, Reason::NonFiniteStart, "{}", solution.report);
    }
}

/// (x − 3)² + y², NaN for x > wall.
fn walled(wall: f64) -> Function {
    Function::new(
        2,
        move |x, g| {
            g[0] = 2.0 * (x[0] - 3.0);
            g[1] = 2.0 * x[1];
            if x[0] > wall { f64::NAN } else { (x[0] - 3.0).powi(2) + x[1] * x[1] }
        },
        |_| faer::mat![[2.0, 0.0], [0.0, 2.0]],
    )
}

#[test]
fn searches_contract_before_a_wall_of_nan() {
    let mut methods = searching();
    methods.push(Newton::default().into());
    for method in methods {
        // The minimum lies before the wall; the first long steps do not.
        let function = walled(3.5);
        let solution = method.clone().minimize(&function, &[-100.0, 5.0]).unwrap();
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        assert!((solution.theta[0] - 3.0).abs() < 1e-6, "{}", solution.report);
        // The minimum lies behind the wall: no success may be claimed, and the best point is finite.
        let function = walled(2.0);
        let solution = method.with_stopping(few()).minimize(&function, &[-1.0, 0.5]).unwrap();
        assert!(!solution.report.reason.is_converged(), "{}", solution.report);
        assert!(solution.report.value.is_finite() && solution.theta[0] <= 2.0);
        assert!(solution.report.value < 16.25, "{}", solution.report);
        assert!(function.calls.get() < 10_000);
    }
}

#[test]
fn a_step_into_nan_ends_a_stepping_method_with_the_best_point() {
    for method in [
        Method::from(GradientDescent::fixed(0.3)),
        Momentum::default().with_rate(0.3).into(),
        Nesterov::default().with_rate(0.3).into(),
        Adam::default().with_rate(0.3).into(),
    ] {
        let function = walled(2.0);
        let solution = method.with_stopping(few()).minimize(&function, &[0.0, 0.0]).unwrap();
        assert_eq!(solution.report.reason, Reason::NonFiniteValue, "{}", solution.report);
        assert_eq!(function.value(&solution.theta), solution.report.value);
        assert!(solution.report.value <= 9.0);
    }
}

#[test]
fn nothing_finite_ahead_is_its_own_reason() {
    // Finite at the start only.
    for method in searching() {
        let function = Function::new(
            1,
            |x, g| {
                g[0] = 1.0;
                if x[0] == 1.0 { 1.0 } else { f64::NAN }
            },
            |_| faer::Mat::identity(1, 1),
        );
        let solution = method.minimize(&function, &[1.0]).unwrap();
        assert_eq!(solution.report.reason, Reason::NonFiniteValue, "{}", solution.report);
        assert_eq!((solution.theta, solution.report.value), (vec![1.0], 1.0));
    }
}

#[test]
fn a_linear_objective_is_unbounded_or_without_curvature() {
    for start in [vec![0.0, 0.0], vec![5.0, -1.0]] {
        for method in searching() {
            let function = linear(vec![1.0, -2.0]);
            let solution = method.minimize(&function, &start).unwrap();
            assert_eq!(solution.report.reason, Reason::Unbounded, "{}", solution.report);
            assert!(function.calls.get() < 50, "{}", solution.report);
            assert!(solution.report.value < -1.0 && solution.report.value.is_finite());
            let last = solution.report.trace.last().map(|entry| (entry.iteration, entry.value));
            let report = &solution.report;
            assert_eq!(last, Some((report.iterations, report.value)), "{report}");
        }
        let function = linear(vec![1.0, -2.0]);
        let solution = minimize(&function, Newton::default(), &start).unwrap();
        assert_eq!(solution.report.reason, Reason::NoCurvature, "{}", solution.report);
        assert_eq!(solution.theta, start);
    }
}

#[test]
fn a_constant_objective_is_stationary_at_once() {
    for method in all() {
        let function = constant(3);
        let solution = method.minimize(&function, &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!(solution.report.reason, Reason::GradientConverged);
        assert_eq!((solution.theta, function.calls.get()), (vec![1.0, 2.0, 3.0], 1));
    }
}

#[test]
fn a_hessian_of_nan_is_named() {
    let function = Function::new(
        1,
        |x, g| {
            g[0] = 2.0 * x[0];
            x[0] * x[0]
        },
        |_| faer::mat![[f64::NAN]],
    );
    let solution = minimize(&function, Newton::default(), &[1.0]).unwrap();
    assert_eq!(solution.report.reason, Reason::NonFiniteCurvature);
    assert_eq!(solution.theta, [1.0]);
}

#[test]
fn a_memory_of_any_size_is_no_more_than_a_run_can_fill() {
    let stopping = Stopping { max_iterations: 50, ..Stopping::default() };
    let run = |memory| {
        let solver = Lbfgs::default().with_memory(memory).with_stopping(stopping.clone());
        minimize(&rosenbrock(2), solver, &[-1.2, 1.0]).unwrap()
    };
    let (all, absurd) = (run(50), run(usize::MAX));
    assert!(absurd.report.reason.is_converged(), "{}", absurd.report);
    assert_eq!(absurd.theta, all.theta);
}

#[test]
fn slopes_that_underflow_are_no_rounding_floor() {
    // ‖∇f‖² is below the smallest number, ‖∇f‖ is not: a search along −∇f has no slope to see.
    let solution = minimize(&quadratic_of(1e-300), Lbfgs::default(), &[1.0, -2.0]).unwrap();
    assert!(!solution.report.reason.is_success(), "{}", solution.report);
    // Beside a value of 1 as small a gradient is rounding.
    let function = Function::new(
        1,
        |_, g| {
            g[0] = 1e-200;
            1.0
        },
        |_| faer::mat![[0.0]],
    );
    let solution = minimize(&function, Lbfgs::default(), &[1.0]).unwrap();
    assert_eq!(solution.report.reason, Reason::RoundingFloor);
}

/// f = ½c‖x‖², n = 2.
fn quadratic_of(c: f64) -> Function {
    Function::new(
        2,
        move |x, g| {
            g.copy_from_slice(&[c * x[0], c * x[1]]);
            0.5 * c * (x[0] * x[0] + x[1] * x[1])
        },
        move |_| faer::mat![[c, 0.0], [0.0, c]],
    )
}

#[test]
fn newton_stops_where_the_scaled_hessian_overflows() {
    let function = Function::new(
        2,
        |x, g| {
            g.copy_from_slice(&[1e300 * x[1], 1e300 * x[0]]);
            1e300 * x[0] * x[1]
        },
        |_| faer::mat![[1e-300, 1e300], [1e300, 1e-300]],
    );
    let solution = minimize(&function, Newton::default(), &[1.0, 1.0]).unwrap();
    assert_eq!(solution.report.reason, Reason::NonFiniteCurvature);
}

#[test]
fn newton_keeps_no_refinement_with_a_nan_in_its_gradient() {
    // f = ½‖x‖² with a Hessian ½ % too large: a step leaves 1/201 of x, and the refinement after it meets the NaN, or −∞.
    for wall in [f64::NAN, f64::NEG_INFINITY] {
        let function = Function::new(
            2,
            move |x, g| {
                g.copy_from_slice(x);
                if x[0].abs() < 1e-4 {
                    if wall.is_nan() {
                        g[0] = wall;
                    } else {
                        return wall;
                    }
                }
                0.5 * (x[0] * x[0] + x[1] * x[1])
            },
            |_| faer::mat![[1.005, 0.0], [0.0, 1.005]],
        );
        let solution = minimize(&function, Newton::default(), &[1.0, 1.0]).unwrap();
        assert!(solution.theta[0].abs() >= 1e-4, "{}", solution.report);
        assert!(solution.report.value.is_finite());
        assert!(!solution.report.reason.is_success(), "{}", solution.report);
    }
}

#[test]
fn a_gradient_of_the_wrong_sign_fails_the_line_search() {
    for method in [Method::from(Bfgs::default()), Lbfgs::default().into()] {
        let function = Function::new(
            2,
            |x, g| {
                g[0] = -2.0 * x[0];
                g[1] = -2.0 * x[1];
                x[0] * x[0] + x[1] * x[1]
            },
            |_| faer::Mat::identity(2, 2),
        );
        let solution = method.minimize(&function, &[1.0, 2.0]).unwrap();
        assert_eq!(solution.report.reason, Reason::LineSearchFailed, "{}", solution.report);
        assert_eq!(solution.theta, [1.0, 2.0], "a refused step keeps the point");
    }
}

#[test]
fn no_iterations_return_the_evaluated_start() {
    for method in all() {
        let stopping = Stopping { max_iterations: 0, ..Stopping::default() };
        let function = rosenbrock(2);
        let solution = method.with_stopping(stopping).minimize(&function, &[-1.2, 1.0]).unwrap();
        assert_eq!(solution.report.reason, Reason::MaxIterations);
        assert_eq!((solution.theta, function.calls.get()), (vec![-1.2, 1.0], 1));
        assert!((solution.report.value - 24.2).abs() < 1e-12);
    }
}

#[test]
fn limits_on_evaluations_time_and_target_end_the_run() {
    let run = |stopping: Stopping| {
        let solver = Lbfgs::default().with_stopping(stopping);
        minimize(&rosenbrock(10), solver, &crate::common::rosenbrock_start(10)).unwrap().report
    };
    let report = run(Stopping { max_evaluations: Some(7), ..Stopping::default() });
    assert_eq!(report.reason, Reason::MaxEvaluations);
    let before = report.trace[report.trace.len() - 2].evaluations;
    assert!(before < 7 && report.evaluations.of_f() >= 7);
    let report = run(Stopping { max_time: Some(Duration::ZERO), ..Stopping::default() });
    assert_eq!((report.reason, report.iterations), (Reason::MaxTime, 0));
    let report = run(Stopping { target: Some(1.0), ..Stopping::default() });
    assert_eq!(report.reason, Reason::TargetReached);
    assert!(report.value <= 1.0 && report.trace[report.trace.len() - 2].value > 1.0);
    let report = run(Stopping { gradient_absolute: 0.5, ..Stopping::default() });
    assert_eq!(report.reason, Reason::GradientConverged);
    assert!(report.gradient.max <= 0.5 && report.gradient.max > 1e-6);
    let report = run(Stopping { step_tolerance: 1e-3, ..Stopping::default() });
    assert_eq!(report.reason, Reason::StepConverged);
    let report = run(Stopping { value_tolerance: 1e-2, ..Stopping::default() });
    assert_eq!(report.reason, Reason::ValueConverged);
}

#[test]
fn a_bad_start_is_the_callers_error_with_its_values() {
    for method in all() {
        let function = rosenbrock(4);
        let error = method.clone().minimize(&function, &[1.0; 3]).unwrap_err();
        assert_eq!(error, OptimError::StartLength { expected: 4, found: 3 });
        let error =
            method.minimize(&function, &[1.0, 0.0, f64::NEG_INFINITY, f64::NAN]).unwrap_err();
        assert_eq!(error, OptimError::StartNotFinite { index: 2, value: f64::NEG_INFINITY });
        assert_eq!(function.calls.get(), 0);
    }
}

#[test]
fn every_option_out_of_range_is_named_with_its_value() {
    let search = StrongWolfe::default();
    let stop = |stopping: Stopping| Method::from(Newton::default().with_stopping(stopping));
    let cases: Vec<(&str, f64, Method)> = vec![
        ("gradient_tolerance", -1.0, stop(Stopping { gradient_tolerance: -1.0, ..few() })),
        ("gradient_absolute", -2.0, stop(Stopping { gradient_absolute: -2.0, ..few() })),
        ("step_tolerance", 1.0, stop(Stopping { step_tolerance: 1.0, ..few() })),
        ("value_tolerance", 3.0, stop(Stopping { value_tolerance: 3.0, ..few() })),
        ("memory", 0.0, Lbfgs::default().with_memory(0).into()),
        (
            "decrease",
            0.5,
            Lbfgs::default().with_search(StrongWolfe { decrease: 0.5, ..search }).into(),
        ),
        (
            "curvature",
            1.0,
            Bfgs::default().with_search(StrongWolfe { curvature: 1.0, ..search }).into(),
        ),
        (
            "max_growth",
            0.0,
            Newton::default().with_search(StrongWolfe { max_growth: 0.0, ..search }).into(),
        ),
        (
            "max_trials",
            0.0,
            Newton::default().with_search(StrongWolfe { max_trials: 0, ..search }).into(),
        ),
        (
            "noise",
            -1.0,
            Newton::default().with_search(StrongWolfe { noise: -1.0, ..search }).into(),
        ),
        ("rate", -0.1, GradientDescent::fixed(-0.1).into()),
        ("rate", 0.0, Momentum::default().with_rate(0.0).into()),
        ("momentum", 1.0, Momentum::default().with_momentum(1.0).into()),
        ("momentum", -0.5, Nesterov::default().with_momentum(-0.5).into()),
        ("rate", f64::INFINITY, AdaGrad::default().with_rate(f64::INFINITY).into()),
        ("delta", 0.0, AdaGrad::default().with_delta(0.0).into()),
        ("decay", 1.5, RmsProp::default().with_decay(1.5).into()),
        ("delta", -1.0, RmsProp::default().with_delta(-1.0).into()),
        ("decay", 1.0, Adadelta::default().with_decay(1.0).into()),
        ("epsilon", 0.0, Adadelta::default().with_epsilon(0.0).into()),
        ("rate", 0.0, Adam::default().with_rate(0.0).into()),
        ("decay_mean", 1.0, Adam::default().with_decay_mean(1.0).into()),
        ("decay_square", 1.0, Adam::default().with_decay_square(1.0).into()),
        ("delta", 0.0, Adam::default().with_delta(0.0).into()),
    ];
    for (name, bad, method) in cases {
        let called = method.name();
        let error = method.minimize(&rosenbrock(2), &[0.0, 0.0]).unwrap_err();
        let OptimError::OptionOutOfRange { solver, option, value, .. } = error else {
            panic!("{name}: {error}");
        };
        assert_eq!((solver, option, value), (called, name, bad));
    }
    let nan = GradientDescent::fixed(f64::NAN);
    assert!(minimize(&rosenbrock(2), nan, &[0.0, 0.0]).is_err());
}

#[test]
fn a_start_at_the_minimum_ends_at_once() {
    let mut draws = Draws(9);
    let function = quadratic(spd(6, 50.0, &mut draws), draws.vector(6), 0.0);
    let first = minimize(&function, Newton::default(), &[0.0; 6]).unwrap();
    for method in [Method::from(Newton::default()), Bfgs::default().into(), Lbfgs::default().into()]
    {
        let again = method.minimize(&function, &first.theta).unwrap();
        assert!(again.report.reason.is_success(), "{}", again.report);
        assert!(again.report.iterations < 60, "{}", again.report);
        let size = first.report.value.abs();
        assert!(again.report.value <= first.report.value + 1e-14 * size, "{}", again.report);
    }
}
