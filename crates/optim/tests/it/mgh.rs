//! The problems of Moré, Garbow & Hillstrom: derivatives, and which minimum each method finds.

use crate::common::mgh::{PROBLEMS, Problem};
use secant_core::check;
use secant_core::operator::Hessian;
use secant_core::problem::{Curvature, Objective};
use secant_optim::krylov::extreme_eigenvalues;
use secant_optim::line_search::Backtracking;
use secant_optim::{
    AdaptiveCubic, Backend, Bfgs, Factorization, Lbfgs, LevenbergMarquardt, Method, Modification,
    Newton, NewtonCg, Preconditioner, Reason, RegularizedNewton, Safeguard, SecondOrder, Sr1,
    Stopping, Subproblem, TrustRegion,
};

/// x₀ moved a little, to where no derivative vanishes by symmetry.
fn near_start(problem: &Problem) -> Vec<f64> {
    if problem.id == "brown_badly_scaled" {
        // f(x₀) = 10¹² leaves differences no digits for x₂.
        return vec![1e6 - 5.0, 3.5e-6];
    }
    if problem.id == "osborne1" {
        // Near x₀ differences of f lose too many digits to the exponentials.
        return vec![0.4, 1.9, -1.4, 0.02, 0.03];
    }
    let start = problem.start();
    let moved = start.iter().enumerate();
    moved.map(|(j, x)| x + 0.01 * (1.0 + x.abs()) * (1.3 * j as f64 + 0.5).sin()).collect()
}

#[test]
fn values_and_gradients_at_the_start_are_the_published_ones() {
    for problem in PROBLEMS {
        let start = problem.start();
        let mut gradient = vec![0.0; problem.n];
        let value = problem.value_gradient(&start, &mut gradient);
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let gap = (value - problem.start_value).abs() / problem.start_value;
        let gradient_gap = (norm - problem.start_gradient).abs() / problem.start_gradient;
        assert!(gap < 1e-13 && gradient_gap < 1e-13, "{}: {gap:e} {gradient_gap:e}", problem.id);
        assert_eq!(problem.value(&start), value);
    }
}

#[test]
fn derivatives_to_second_order_are_right() {
    for problem in PROBLEMS {
        let at = near_start(problem);
        let checks = check::curvature(problem, &at, 7);
        assert!(checks.passed(), "{}\n{checks}", problem.id);
        let checks = check::least_squares(problem, &at, 7);
        assert!(checks.passed(), "{}\n{checks}", problem.id);
    }
}

/// Stops where f is flat to rounding, or at ‖∇f‖∞ ≤ 1e-13.
fn to_the_end() -> Stopping {
    Stopping {
        gradient_tolerance: 0.0,
        gradient_absolute: 1e-13,
        max_iterations: 3000,
        ..Stopping::default()
    }
}

/// f is a known minimum to six digits, or zero to 1e-12.
fn is_known(problem: &Problem, value: f64) -> bool {
    let near = |known: f64| (value - known).abs() <= 1e-6 * known + 1e-12;
    near(problem.minimum) || problem.others.iter().any(|other| near(*other))
}

/// The trigonometric function of 50 variables has many minima: which one is found turns on the last bits of the path.
const MANY_MINIMA: &str = "trigonometric_50";

/// Problems on which a solver ends elsewhere than at a known minimum, from x₀.
fn strays(solver: &Method) -> Vec<&'static str> {
    let astray = |problem: &&Problem| {
        let solver = solver.clone().with_stopping(to_the_end());
        let solution = solver.minimize(*problem, &problem.start()).unwrap();
        let at = problem.linearize(&solution.theta);
        let ends = extreme_eigenvalues(&Hessian(&at), problem.n).unwrap();
        let report = &solution.report;
        let stationary = report.gradient.max <= 1e-8 * report.initial_gradient.max;
        let one_of_many = problem.id == MANY_MINIMA && stationary && ends.smallest > 0.0;
        let known = (is_known(problem, report.value) || one_of_many) && !ends.is_indefinite();
        if !(known && report.reason.is_success()) {
            println!("{}\n{}", problem.id, report);
            return true;
        }
        false
    };
    PROBLEMS.iter().filter(astray).map(|problem| problem.id).collect()
}

#[test]
fn trust_region_reaches_a_known_minimum_of_every_problem() {
    for kind in [Subproblem::Steihaug, Subproblem::ScaledExact, Subproblem::Dogleg] {
        let solver = TrustRegion::default().with_subproblem(kind).into();
        assert_eq!(strays(&solver), [""; 0], "{kind:?}");
    }
    // The ratio of the eigenvalues of this Hessian is beyond f64: without scaling the small one is rounding. On Krylov spaces f comes to
    // 2e-15 of zero, where the Hessian in other units still sees it all to be had.
    for kind in [Subproblem::Exact, Subproblem::Gltr] {
        let unscaled = TrustRegion::default().with_subproblem(kind);
        assert_eq!(strays(&unscaled.into()), ["powell_badly_scaled"], "{kind:?}");
    }
}

#[test]
fn adaptive_cubic_reaches_a_known_minimum_of_every_problem() {
    // As with the exact region: without scaling the small eigenvalue of this Hessian is rounding.
    assert_eq!(strays(&AdaptiveCubic::default().into()), ["powell_badly_scaled"]);
}

#[test]
fn levenberg_marquardt_reaches_a_known_minimum_of_every_problem() {
    assert_eq!(strays(&LevenbergMarquardt::default().into()), [""; 0]);
}

#[test]
fn levenberg_marquardt_with_second_derivatives_reaches_a_known_minimum_of_every_problem() {
    for order in [SecondOrder::Structured, SecondOrder::Exact] {
        let solver = LevenbergMarquardt::default().with_second_order(order);
        assert_eq!(strays(&solver.into()), [""; 0], "{order:?}");
    }
}

#[test]
fn levenberg_marquardt_by_lsmr_reaches_a_known_minimum_of_every_problem() {
    let solver = LevenbergMarquardt::default().with_factorization(Factorization::Lsmr);
    assert_eq!(strays(&solver.into()), [""; 0]);
}

#[test]
fn newton_cg_reaches_a_known_minimum_of_every_problem() {
    assert_eq!(strays(&NewtonCg::default().into()), [""; 0]);
}

#[test]
fn newton_reaches_a_known_minimum_of_every_problem() {
    assert_eq!(strays(&Newton::default().into()), [""; 0]);
    turned_signs_stray_as_known(Backend::default());
}

/// A line search knows first-order conditions only: the path on `trigonometric_10` ends at another stationary point. The Hessian of
/// `watson_12` is singular to working precision, and with the sign of its least eigenvalue, which is rounding, the promise of a step is
/// rounding too: the run ends at the minimum, as a rounding floor or as slow.
fn turned_signs_stray_as_known(backend: Backend) {
    let newton = Newton::default().with_backend(backend);
    let turned = newton.with_modification(Modification::TurnedSigns);
    let mut strays = strays(&turned.clone().into());
    if strays.contains(&"watson_12") {
        let watson = PROBLEMS.iter().find(|problem| problem.id == "watson_12").unwrap();
        let report = turned.with_stopping(to_the_end());
        let report = Method::from(report).minimize(watson, &watson.start()).unwrap().report;
        assert!(is_known(watson, report.value) && report.reason == Reason::Stalled, "{report}");
        strays.retain(|id| *id != "watson_12");
    }
    assert_eq!(strays, ["trigonometric_10"], "{backend:?}");
}

#[cfg(feature = "lapack")]
#[test]
fn newton_by_lapack_reaches_the_same_minima() {
    let newton = Newton::default().with_backend(Backend::Lapack);
    assert_eq!(strays(&newton.into()), [""; 0]);
    turned_signs_stray_as_known(Backend::Lapack);
}

#[test]
fn regularized_newton_reaches_a_known_minimum_of_every_problem() {
    // λI is of one size for all parameters: this function's differ by 1e9, and the path crawls.
    assert_eq!(strays(&RegularizedNewton::default().into()), ["powell_badly_scaled"]);
}

#[test]
fn newton_cg_with_every_option_reaches_a_known_minimum_of_every_problem() {
    let plain = NewtonCg::default;
    for solver in [
        plain().with_warm_start(true).with_backtrack(true),
        plain().with_preconditioner(Preconditioner::Pairs { memory: 5 }),
        plain().with_preconditioner(Preconditioner::Nystrom { rank: 3, refresh: 3 }),
        plain().with_cost_ratio(1.5),
    ] {
        assert_eq!(strays(&solver.into()), [""; 0]);
    }
}

#[test]
fn sr1_reaches_a_known_minimum_of_every_problem() {
    assert_eq!(strays(&Sr1::default().into()), [""; 0]);
}

/// A search that asks for decrease alone gives steps without curvature; what becomes of these is the safeguard's.
#[test]
fn safeguards_serve_a_search_that_promises_no_curvature() {
    // Their parameters are known to a few digits only: methods without second derivatives end in the flat valley, of the second
    // function always, of the first as rounding has it.
    let flat = ["watson_9", "watson_12"];
    let end_in_valleys = |method: Method, name: &str| {
        let strays = strays(&method);
        assert!(strays.iter().all(|id| flat.contains(id)), "{name}: {strays:?}");
    };
    for safeguard in [Safeguard::Damped, Safeguard::Cautious] {
        let search = Backtracking::default();
        let bfgs = Bfgs::default().with_search(search).with_safeguard(safeguard);
        end_in_valleys(bfgs.into(), &format!("BFGS, {safeguard:?}"));
        let lbfgs = Lbfgs::default().with_search(search).with_safeguard(safeguard);
        end_in_valleys(lbfgs.into(), &format!("L-BFGS, {safeguard:?}"));
    }
}
