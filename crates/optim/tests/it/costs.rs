//! What evaluations cost: one rule, applied to counters that add up.

use crate::common::{rosenbrock, rosenbrock_start};
use secant_core::problem::Objective;
use secant_optim::{Costs, Evaluations, Lbfgs, Method, Newton, NewtonCg, TrustRegion};

#[test]
fn the_counted_rule_is_that_of_the_guide() {
    let made = Evaluations {
        value: 3,
        value_gradient: 5,
        sampled_gradient: 9,
        linearize: 2,
        hessian: 1,
        gauss_newton: 1,
        hessian_vector: 4,
        gauss_newton_vector: 3,
        residuals: 6,
        jacobian: 1,
        normal_equations: 1,
        normal_diagonal: 2,
        jacobian_vector: 7,
        jacobian_transpose_vector: 8,
    };
    // 3/3 + 5 + 2 + 10·2 + 10·4/3 + 4·2 + 3·4/3 + 6/3 + 10 + 10·4/3 + 2·10 + 7 + 8; gradients of minibatches are counted as epochs.
    let by_hand = 1.0 + 5.0 + 2.0 + 20.0 + 40.0 / 3.0 + 8.0 + 4.0 + 2.0 + 10.0 + 40.0 / 3.0 + 35.0;
    assert!((Costs::counted(10).of(&made) - by_hand).abs() < 1e-12);
    assert_eq!(made.passes(), 3 + 5 + 2 + 1 + 1 + 4 + 3 + 6 + 1 + 1 + 2 + 7 + 8);
    assert_eq!(Costs::counted(10).of(&Evaluations::default()), 0.0);
}

#[test]
fn measured_costs_are_positive_and_measure_what_was_used_only() {
    let n = 40;
    let (f, x0) = (rosenbrock(n), rosenbrock_start(n));
    let used = Evaluations { hessian_vector: 1, linearize: 1, ..Evaluations::default() };
    let (measured, counted) = (Costs::measured(&f, &x0, &used), Costs::counted(n));
    assert!(measured.hessian_vector > 0.0 && measured.linearize > 0.0);
    assert_ne!(measured.linearize, counted.linearize);
    assert_eq!(
        Costs { hessian_vector: counted.hessian_vector, linearize: counted.linearize, ..measured },
        counted
    );
    assert_eq!(measured.value_gradient, 1.0);
}

#[test]
fn the_trace_counts_up_to_the_report() {
    let (f, x0) = (rosenbrock(6), rosenbrock_start(6));
    let methods: [Method; 4] = [
        Newton::default().into(),
        TrustRegion::default().into(),
        NewtonCg::default().into(),
        Lbfgs::default().into(),
    ];
    for method in methods {
        let name = method.name();
        let (solution, iterates) = method.minimize_recorded(&f, &x0).unwrap();
        let (report, trace) = (&solution.report, &solution.report.trace);
        let last = trace[trace.len() - 1].work;
        if ["Newton", "L-BFGS"].contains(&name) {
            assert_eq!(last, report.evaluations, "{name}");
        }
        // The others look for negative curvature after the last step.
        assert!(last.passes() <= report.evaluations.passes(), "{name}");
        assert_eq!(last.value_gradient, report.evaluations.value_gradient, "{name}");
        assert!(trace.windows(2).all(|pair| pair[1].work.passes() > pair[0].work.passes()));
        assert!(trace.iter().all(|entry| entry.work.of_f() == entry.evaluations), "{name}");
        // θ of every entry.
        assert_eq!(iterates.points().len(), trace.len(), "{name}");
        for (theta, entry) in iterates.points().zip(trace) {
            assert!((f.value(theta) - entry.value).abs() <= 1e-14 * entry.value.abs(), "{name}");
        }
        assert_eq!(iterates.points().next().unwrap(), x0, "{name}");
    }
}
