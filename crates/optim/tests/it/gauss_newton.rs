//! Gauss–Newton: one step on a linear problem, quadratic on exact fits, honest where it cannot go on.

use secant_core::problem::LeastSquares;
use secant_optim::{
    Factorization, GaussNewton, LeastSquaresFn, OptimError, Reason, Solution, minimize,
};

fn run(problem: &impl LeastSquares, start: &[f64]) -> Solution {
    minimize(problem, GaussNewton::default(), start).unwrap()
}

/// r = (10(y − x²), 1 − x)
fn rosenbrock() -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(2, 2, |x, r| {
        r[0] = 10.0 * (x[1] - x[0] * x[0]);
        r[1] = 1.0 - x[0];
    })
    .with_jacobian(|x, mut j| j.copy_from(faer::mat![[-20.0 * x[0], 10.0], [-1.0, 0.0]]))
}

#[test]
fn a_linear_problem_takes_one_step() {
    let t = [0.0, 1.0, 2.0, 3.0, 4.0];
    let y = [1.0, 2.9, 5.1, 7.0, 9.2];
    let line = LeastSquaresFn::new(2, 5, |theta, r| {
        for i in 0..5 {
            r[i] = theta[0] + theta[1] * t[i] - y[i];
        }
    })
    .with_jacobian(|_, mut j| {
        for i in 0..5 {
            (j[(i, 0)], j[(i, 1)]) = (1.0, t[i]);
        }
    });
    for factorization in [Factorization::Qr, Factorization::NormalEquations, Factorization::Lsmr] {
        let solver = GaussNewton::default().with_factorization(factorization);
        let solution = minimize(&line, solver, &[1e3, -1e3]).unwrap();
        assert_eq!(solution.report.iterations, 1, "{}", solution.report);
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        // Normal equations by hand: (5, 10; 10, 30)·θ = (25.2, 70.9).
        assert!((solution.theta[0] - 0.94).abs() < 1e-12, "{}", solution.report);
        assert!((solution.theta[1] - 2.05).abs() < 1e-12, "{}", solution.report);
    }
}

#[test]
fn an_exact_fit_is_reached_within_a_few_jacobians() {
    let solution = run(&rosenbrock(), &[-1.2, 1.0]);
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    assert_eq!(solution.theta, [1.0, 1.0]);
    assert!(solution.report.evaluations.jacobian < 30, "{}", solution.report);
    for factorization in [Factorization::NormalEquations, Factorization::Dual, Factorization::Lsmr]
    {
        let solver = GaussNewton::default().with_factorization(factorization);
        let Solution { theta, report } = minimize(&rosenbrock(), solver, &[-1.2, 1.0]).unwrap();
        assert!(report.reason.is_success(), "{factorization:?} {report}");
        assert!(theta.iter().all(|x| (x - 1.0).abs() < 1e-12), "{factorization:?} {theta:?}");
        assert!(report.iterations < 30, "{factorization:?} {report}");
    }
}

#[test]
fn directions_that_the_jacobian_does_not_see_stay_out() {
    let problem = LeastSquaresFn::new(2, 1, |x, r| r[0] = (x[0] + x[1]).exp() - 2.0);
    for (factorization, shortest) in [
        (Factorization::Auto, true),
        (Factorization::Dual, true),
        (Factorization::Lsmr, true),
        (Factorization::Qr, false),
    ] {
        let solver = GaussNewton::default().with_factorization(factorization);
        let solution = minimize(&problem, solver, &[0.25, 0.25]).unwrap();
        let theta = &solution.theta;
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        assert!((theta[0] + theta[1] - 2.0_f64.ln()).abs() < 1e-12, "{factorization:?}");
        // QR moves one of the two, the other forms both alike.
        if shortest {
            assert!((theta[0] - theta[1]).abs() < 1e-8, "{factorization:?} {theta:?}");
        } else {
            assert!(theta.contains(&0.25), "{factorization:?} {theta:?}");
        }
    }
}

#[test]
fn trouble_has_its_reason() {
    let wall = LeastSquaresFn::new(1, 1, |x, r| r[0] = if x[0] == 2.0 { 1.0 } else { f64::NAN })
        .with_jacobian(|_, mut j| j[(0, 0)] = 1.0);
    let solution = run(&wall, &[2.0]);
    assert_eq!(solution.report.reason, Reason::NonFiniteValue, "{}", solution.report);
    assert_eq!(solution.theta, [2.0]);
    let wrong_sign = LeastSquaresFn::new(1, 1, |x, r| r[0] = 1.0 + x[0])
        .with_jacobian(|_, mut j| j[(0, 0)] = -1.0);
    let solution = run(&wrong_sign, &[1.0]);
    assert_eq!(solution.report.reason, Reason::LineSearchFailed, "{}", solution.report);
    let mut solver = GaussNewton::default();
    solver.search.contraction = 1.5;
    let error = minimize(&rosenbrock(), solver, &[0.0, 0.0]).unwrap_err();
    assert!(matches!(error, OptimError::OptionOutOfRange { option: "contraction", .. }));
}
