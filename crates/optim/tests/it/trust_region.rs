//! The trust region: counts, saddles, scaling, walls, ends.

use crate::common::{
    Draws, Function, constant, linear, logistic, quadratic, rosenbrock, rosenbrock_start, spd,
};
use secant_core::operator::Hessian;
use secant_core::problem::Curvature;
use secant_optim::krylov::extreme_eigenvalues;
use secant_optim::{
    HessianKind, OptimError, Optimality, Reason, Report, Stopping, Subproblem, TrustRegion,
    minimize,
};

const KINDS: [Subproblem; 5] = [
    Subproblem::Gltr,
    Subproblem::Steihaug,
    Subproblem::Exact,
    Subproblem::ScaledExact,
    Subproblem::Dogleg,
];

fn with(kind: Subproblem) -> TrustRegion {
    TrustRegion::default().with_subproblem(kind)
}

fn rejections(report: &Report) -> u64 {
    report.evaluations.value - report.iterations
}

#[test]
fn every_subproblem_finds_the_minimum_of_rosenbrock() {
    for kind in KINDS {
        for n in [2, 10] {
            let solution = minimize(&rosenbrock(n), with(kind), &rosenbrock_start(n)).unwrap();
            assert!(solution.report.reason.is_success(), "{}", solution.report);
            assert!(
                crate::common::distance(&solution.theta, &vec![1.0; n]) < 1e-6,
                "{}",
                solution.report
            );
            assert!(solution.report.iterations < 60, "{}", solution.report);
        }
    }
}

#[test]
fn a_quadratic_takes_one_step_when_the_radius_allows() {
    let mut draws = Draws(3);
    let function = quadratic(spd(12, 1e3, &mut draws), draws.vector(12), 2.0);
    for kind in KINDS {
        let solver = with(kind).with_initial_radius(1e6).with_forcing(1e-12);
        let solution = minimize(&function, solver, &[1.0; 12]).unwrap();
        let report = solution.report;
        assert!(report.reason.is_success(), "{report}");
        assert_eq!(report.iterations, 1, "{report}");
        assert_eq!(report.evaluations.value, 1, "{report}");
    }
}

#[test]
fn a_trial_costs_a_value_and_an_accepted_step_a_gradient_and_a_linearisation() {
    for kind in KINDS {
        let solver = with(kind).with_optimality(Optimality::FirstOrder);
        let report = minimize(&rosenbrock(6), solver, &rosenbrock_start(6)).unwrap().report;
        assert!(rejections(&report) > 0, "{report}");
        assert_eq!(report.evaluations.value_gradient, report.iterations + 1);
        // One more for the model that confirms the end, unless the gradient vanishes to the last bit.
        let models = report.evaluations.linearize;
        let confirmed = u64::from(report.gradient.max > 0.0);
        assert_eq!(models, report.iterations + confirmed, "{report}");
        let dense = !matches!(kind, Subproblem::Gltr | Subproblem::Steihaug);
        assert_eq!(report.evaluations.hessian, if dense { models } else { 0 });
    }
}

#[test]
fn a_rejected_step_costs_gltr_no_product() {
    // Two variables: two products per point span the space, however many trials there are.
    let run = |kind| {
        let solver = with(kind).with_initial_radius(1e3).with_forcing(1e-9);
        let solver = solver.with_optimality(Optimality::FirstOrder);
        minimize(&rosenbrock(2), solver, &[-1.2, 1.0]).unwrap().report
    };
    let report = run(Subproblem::Gltr);
    assert!(rejections(&report) > 3, "{report}");
    // One more where an end is to be confirmed.
    let products = report.evaluations.hessian_vector - 2 * report.iterations;
    assert!(products <= 1, "{report}");
    let cg = run(Subproblem::Steihaug);
    assert!(cg.evaluations.hessian_vector > 2 * cg.iterations, "{cg}");
}

/// ¼(x² − 1)² + ½y² + ¼z⁴ − ½z² + …: minima at (±1, 0, ±1), saddles and a maximum between them.
fn double_wells() -> Function {
    Function::new(
        3,
        |x, g| {
            g[0] = x[0] * (x[0] * x[0] - 1.0);
            g[1] = x[1];
            g[2] = x[2] * (x[2] * x[2] - 1.0);
            let well = |x: f64| 0.25 * (x * x - 1.0).powi(2);
            well(x[0]) + 0.5 * x[1] * x[1] + well(x[2])
        },
        |x| {
            let well = |x: f64| 3.0 * x * x - 1.0;
            faer::mat![[well(x[0]), 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, well(x[2])]]
        },
    )
}

/// λ_min ≥ −√ε·λ_max of the Hessian.
fn is_second_order(function: &impl Curvature, theta: &[f64]) -> bool {
    let at = function.linearize(theta);
    !extreme_eigenvalues(&Hessian(&at), theta.len()).unwrap().is_indefinite()
}

#[test]
fn saddles_are_left_and_minima_found() {
    for kind in KINDS {
        // A maximum in two directions, a saddle, a symmetric valley that leads to one, and a scale in θ that is not one.
        for start in [[0.0; 3], [1.0, 0.0, 0.0], [0.7, 2.0, 0.0], [0.0, 1e3, 0.0]] {
            let solution = minimize(&double_wells(), with(kind), &start).unwrap();
            let report = &solution.report;
            assert!(report.reason.is_success(), "{kind:?} {start:?} {report}");
            assert!(is_second_order(&double_wells(), &solution.theta), "{kind:?} {report}");
            assert!(report.value < 1e-12, "{kind:?} {start:?} {report}");
            assert!(report.notes.iter().any(|note| note.contains("saddle")) || start != [0.0; 3]);
        }
    }
}

#[test]
fn a_saddle_that_no_step_leaves_is_the_end_that_it_was() {
    // x² with a Hessian that claims a maximum.
    for kind in KINDS {
        let function = Function::new(
            2,
            |x, g| {
                g[0] = 2.0 * x[0];
                g[1] = 2.0 * x[1];
                x[0] * x[0] + x[1] * x[1]
            },
            |_| faer::mat![[-1.0, 0.0], [0.0, -1.0]],
        );
        let solution = minimize(&function, with(kind), &[0.0, 0.0]).unwrap();
        assert_eq!(solution.report.reason, Reason::GradientConverged, "{}", solution.report);
        assert_eq!((solution.theta, solution.report.iterations), (vec![0.0, 0.0], 0));
    }
}

#[test]
fn a_gradient_that_is_not_finite_ahead_shrinks_the_region() {
    for kind in KINDS {
        let function = Function::new(
            1,
            |x, g| {
                g[0] = if x[0] > 1.5 { f64::NAN } else { 2.0 * (x[0] - 1.0) };
                (x[0] - 1.0) * (x[0] - 1.0)
            },
            |_| faer::mat![[0.5]],
        );
        let solver = with(kind).with_optimality(Optimality::FirstOrder);
        let solution = minimize(&function, solver.with_initial_radius(1e3), &[-1.0]).unwrap();
        assert!(solution.report.reason.is_success(), "{kind:?} {}", solution.report);
        assert!((solution.theta[0] - 1.0).abs() < 1e-6, "{}", solution.report);
    }
}

#[test]
fn first_order_optimality_keeps_a_saddle() {
    let solver = TrustRegion::default().with_optimality(Optimality::FirstOrder);
    let solution = minimize(&double_wells(), solver, &[0.0; 3]).unwrap();
    assert_eq!(solution.report.reason, Reason::GradientConverged);
    assert_eq!((solution.theta, solution.report.iterations), (vec![0.0; 3], 0));
}

#[test]
fn scaling_the_loss_keeps_path_and_reason() {
    for kind in KINDS {
        for c in [1e-8, 1e8, 2.0_f64.powi(-28), 2.0_f64.powi(28)] {
            let problem = || logistic(64, 5, 1e-3, 0.5, &mut Draws(11));
            let run = |function: &Function, start: &[f64]| {
                let stopping = Stopping { gradient_tolerance: 1e-7, ..Stopping::default() };
                minimize(function, with(kind).with_stopping(stopping), start).unwrap().report
            };
            let plain = run(&problem(), &[0.1; 5]);
            let scaled = run(&problem().scaled(c, vec![1.0; 5]), &[0.1; 5]);
            assert_eq!(plain.reason, scaled.reason);
            assert_eq!(plain.iterations, scaled.iterations, "{plain}\n{scaled}");
            assert_eq!(plain.evaluations.value, scaled.evaluations.value, "{plain}\n{scaled}");
            if c.log2().fract() == 0.0 {
                assert_eq!(plain.evaluations, scaled.evaluations, "{plain}\n{scaled}");
            }
            for (a, b) in plain.trace.iter().zip(&scaled.trace) {
                assert!((c * a.value - b.value).abs() <= 1e-9 * b.value.abs(), "{kind:?}");
            }
            let plain = run(&double_wells(), &[0.0; 3]);
            let scaled = run(&double_wells().scaled(c, vec![1.0; 3]), &[0.0; 3]);
            let ends = |report: &Report| (report.reason, report.iterations);
            assert_eq!(ends(&plain), ends(&scaled), "{kind:?} {c} {plain:#?} {scaled:#?}");
        }
    }
}

#[test]
fn scaled_exact_path_is_invariant_under_the_units_of_each_parameter() {
    let scales: Vec<f64> = (0..6).map(|i| 10.0_f64.powi([4, -4][i % 2])).collect();
    let start = rosenbrock_start(6);
    let scaled_start: Vec<f64> = start.iter().zip(&scales).map(|(x, d)| x / d).collect();
    let stopping = Stopping { gradient_tolerance: 0.0, target: Some(1e-12), ..Stopping::default() };
    let solver = with(Subproblem::ScaledExact).with_stopping(stopping);
    let plain = minimize(&rosenbrock(6), solver.clone(), &start).unwrap().report;
    let function = rosenbrock(6).scaled(1.0, scales);
    let scaled = minimize(&function, solver, &scaled_start).unwrap().report;
    assert_eq!((plain.iterations, plain.reason), (scaled.iterations, scaled.reason), "{scaled}");
    for (a, b) in plain.trace.iter().zip(&scaled.trace).take(10) {
        assert!((a.value - b.value).abs() <= 1e-6 * a.value.abs(), "{a:?}\n{b:?}");
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
fn the_region_contracts_before_a_wall_of_nan() {
    for kind in KINDS {
        let solver = with(kind).with_initial_radius(1e4);
        let solution = minimize(&walled(3.5), solver, &[-100.0, 5.0]).unwrap();
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        assert!((solution.theta[0] - 3.0).abs() < 1e-6, "{}", solution.report);
        let stopping = Stopping { max_iterations: 200, ..Stopping::default() };
        let solver = with(kind).with_stopping(stopping);
        let solution = minimize(&walled(2.0), solver, &[-1.0, 0.5]).unwrap();
        assert!(!solution.report.reason.is_converged(), "{}", solution.report);
        assert!(solution.report.value < 16.25 && solution.theta[0] <= 2.0, "{}", solution.report);
    }
}

#[test]
fn nothing_finite_ahead_is_its_own_reason() {
    for kind in KINDS {
        let function = Function::new(
            1,
            |x, g| {
                g[0] = 1.0;
                if x[0] == 1.0 { 1.0 } else { f64::NAN }
            },
            |_| faer::Mat::identity(1, 1),
        );
        let solution = minimize(&function, with(kind), &[1.0]).unwrap();
        assert_eq!(solution.report.reason, Reason::NonFiniteValue, "{}", solution.report);
        assert_eq!(solution.theta, [1.0], "a rejected step keeps the point");
    }
}

#[test]
fn objectives_without_a_minimum_end_in_unbounded() {
    for kind in KINDS {
        for start in [vec![0.0, 0.0], vec![5.0, -1.0]] {
            let solution = minimize(&linear(vec![1.0, -2.0]), with(kind), &start).unwrap();
            assert_eq!(solution.report.reason, Reason::Unbounded, "{kind:?} {}", solution.report);
            assert!(solution.report.value.is_finite());
        }
        let saddle = quadratic(faer::mat![[1.0, 0.0], [0.0, -1.0]], vec![0.0, 0.0], 0.0);
        for start in [[1.0, 1.0], [0.0, 0.0]] {
            let solution = minimize(&saddle, with(kind), &start).unwrap();
            assert_eq!(solution.report.reason, Reason::Unbounded, "{kind:?} {}", solution.report);
            assert!(solution.report.iterations < 200 && solution.report.value.is_finite());
        }
    }
}

#[test]
fn stationary_and_broken_starts_are_named() {
    for kind in KINDS {
        let report = minimize(&constant(3), with(kind), &[1.0, 2.0, 3.0]).unwrap().report;
        assert_eq!((report.reason, report.iterations), (Reason::GradientConverged, 0));
        let bad = Function::new(1, |_, _| f64::NAN, |_| faer::mat![[1.0]]);
        let report = minimize(&bad, with(kind), &[1.0]).unwrap().report;
        assert_eq!(report.reason, Reason::NonFiniteStart);
        let bad = Function::new(
            1,
            |x, g| {
                g[0] = 2.0 * x[0];
                x[0] * x[0]
            },
            |_| faer::mat![[f64::NAN]],
        );
        let solution = minimize(&bad, with(kind), &[1.0]).unwrap();
        assert_eq!(solution.report.reason, Reason::NonFiniteCurvature);
        assert_eq!(solution.theta, [1.0]);
    }
}

#[test]
fn a_gradient_of_the_wrong_sign_fails_and_keeps_the_point() {
    for kind in KINDS {
        let function = Function::new(
            2,
            |x, g| {
                g[0] = -2.0 * x[0];
                g[1] = -2.0 * x[1];
                x[0] * x[0] + x[1] * x[1]
            },
            |_| faer::Mat::identity(2, 2),
        );
        let solution = minimize(&function, with(kind), &[1.0, 2.0]).unwrap();
        assert_eq!(solution.report.reason, Reason::LineSearchFailed, "{}", solution.report);
        assert_eq!(solution.theta, [1.0, 2.0]);
    }
}

#[test]
fn without_a_tolerance_the_end_is_the_rounding_floor_or_a_zero_gradient() {
    for kind in KINDS {
        let function = logistic(64, 5, 1e-3, 0.5, &mut Draws(5));
        let stopping = Stopping { gradient_tolerance: 0.0, ..Stopping::default() };
        let report =
            minimize(&function, with(kind).with_stopping(stopping), &[0.0; 5]).unwrap().report;
        assert!(report.reason.is_success(), "{report}");
        assert!(report.gradient.max <= 1e-14 * report.initial_gradient.max, "{report}");
        assert!(report.iterations < 60, "{report}");
    }
}

#[test]
fn gauss_newton_counts_its_own_products_and_reaches_the_minimum() {
    for kind in KINDS {
        let function = logistic(64, 5, 1e-3, 0.5, &mut Draws(5));
        let solver = with(kind).with_curvature(HessianKind::GaussNewton);
        let report = minimize(&function, solver, &[0.0; 5]).unwrap().report;
        assert!(report.reason.is_converged(), "{report}");
        assert_eq!((report.evaluations.hessian, report.evaluations.hessian_vector), (0, 0));
        assert!(report.evaluations.gauss_newton + report.evaluations.gauss_newton_vector > 0);
    }
}

#[test]
fn non_monotone_acceptance_lets_the_value_rise_and_reaches_the_minimum() {
    let mut risen = false;
    for history in [5, 20] {
        let solver = with(Subproblem::Exact).with_history(history);
        let solution = minimize(&rosenbrock(2), solver, &[-1.2, 1.0]).unwrap();
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        assert!(crate::common::distance(&solution.theta, &[1.0, 1.0]) < 1e-6);
        risen |= solution.report.trace.windows(2).any(|pair| pair[1].value > pair[0].value);
    }
    assert!(risen);
}

#[test]
fn every_option_out_of_range_is_named_with_its_value() {
    let default = TrustRegion::default;
    let cases = [
        ("acceptance", 0.25, default().with_acceptance(0.25)),
        ("acceptance", -0.1, default().with_acceptance(-0.1)),
        ("forcing", 1.0, default().with_forcing(1.0)),
        ("forcing", 0.0, default().with_forcing(0.0)),
        ("initial_radius", -2.0, default().with_initial_radius(-2.0)),
        ("initial_radius", f64::INFINITY, default().with_initial_radius(f64::INFINITY)),
        ("max_products", 0.0, default().with_max_products(0)),
    ];
    for (name, bad, solver) in cases {
        let error = minimize(&rosenbrock(2), solver, &[0.0, 0.0]).unwrap_err();
        let OptimError::OptionOutOfRange { solver, option, value, .. } = error else {
            panic!("{name}: {error}");
        };
        assert_eq!((solver, option, value), ("Trust region", name, bad));
    }
    assert!(minimize(&rosenbrock(2), default().with_forcing(f64::NAN), &[0.0, 0.0]).is_err());
}
