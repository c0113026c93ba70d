//! The promise: a network started where its hidden units are alike, or at an exact saddle, does not end there.

use secant::core::operator::Hessian;
use secant::optim::krylov::extreme_eigenvalues;
use secant::optim::{AdaptiveCubic, NewtonCg, Optimality, Subproblem, TrustRegion};
use secant::{Activation, Curvature, Dataset, Network, Ridge, Risk, SquaredError, minimize};

/// y = sin 3x on 40 points, with a net of 1-4-1 tanh units.
fn with_risk(run: impl Fn(&Risk)) {
    let x: Vec<f64> = (0..40).map(|i| f64::from(i) / 10.0 - 2.0).collect();
    let y: Vec<f64> = x.iter().map(|x| (3.0 * x).sin()).collect();
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let net = Network::mlp([1, 4, 1], Activation::Tanh);
    run(&Risk::new(net.graph().unwrap(), &data, SquaredError, Ridge(1e-4)).unwrap());
}

fn is_second_order(risk: &Risk, theta: &[f64]) -> bool {
    let at = risk.linearize(theta);
    !extreme_eigenvalues(&Hessian(&at), theta.len()).unwrap().is_indefinite()
}

#[test]
fn trust_region_leaves_an_exact_saddle_and_a_symmetric_start() {
    with_risk(|risk| {
        // All weights zero; all alike, so that the gradient stays in the subspace of equal hidden units.
        for start in [vec![0.0; 13], vec![0.3; 13]] {
            for subproblem in [
                Subproblem::Gltr,
                Subproblem::Steihaug,
                Subproblem::Exact,
                Subproblem::ScaledExact,
                Subproblem::Dogleg,
            ] {
                let solver = TrustRegion::default().with_subproblem(subproblem);
                let first_order = solver.clone().with_optimality(Optimality::FirstOrder);
                let kept = minimize(risk, first_order, &start).unwrap();
                let left = minimize(risk, solver, &start).unwrap();
                let report = &left.report;
                assert!(report.reason.is_success(), "{subproblem:?} {report}");
                assert!(is_second_order(risk, &left.theta), "{subproblem:?} {report}");
                assert!(report.value <= kept.report.value * (1.0 + 1e-9), "{report}");
                if subproblem == Subproblem::Gltr {
                    assert!(!is_second_order(risk, &kept.theta), "{}", kept.report);
                    assert!(report.value < 0.9 * kept.report.value, "{report}");
                }
            }
        }
    });
}

#[test]
fn adaptive_cubic_and_newton_cg_leave_an_exact_saddle_and_a_symmetric_start() {
    with_risk(|risk| {
        for start in [vec![0.0; 13], vec![0.3; 13]] {
            let first_order = Optimality::FirstOrder;
            let kept = [
                minimize(risk, AdaptiveCubic::default().with_optimality(first_order), &start),
                minimize(risk, NewtonCg::default().with_optimality(first_order), &start),
            ];
            let left = [
                minimize(risk, AdaptiveCubic::default(), &start),
                minimize(risk, NewtonCg::default(), &start),
            ];
            for (kept, left) in kept.into_iter().zip(left) {
                let (kept, left) = (kept.unwrap(), left.unwrap());
                let report = &left.report;
                assert!(report.reason.is_success(), "{report}");
                assert!(is_second_order(risk, &left.theta), "{report}");
                assert!(!is_second_order(risk, &kept.theta), "{}", kept.report);
                assert!(report.value < 0.9 * kept.report.value, "{report}");
            }
        }
    });
}
