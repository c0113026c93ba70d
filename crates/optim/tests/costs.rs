//! What evaluations cost: one rule, applied to counters that add up; and the memory that a method says it takes.

#[path = "it/common/mod.rs"]
mod common;

use common::{rosenbrock, rosenbrock_start};
use secant_core::problem::{Curvature, Objective};
use secant_optim::{
    Adam, Bfgs, Costs, Evaluations, GradientDescent, Lbfgs, Method, Momentum, Newton, NewtonCg,
    NonlinearCg, Stopping, TrustRegion,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Enough for L-BFGS to have all its pairs.
const STEPS: u64 = 15;

/// The allocator's counter is global: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// A test that failed before does not count.
fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn the_counted_rule_is_that_of_the_guide() {
    let _alone = alone();
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
    let _alone = alone();
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
    let _alone = alone();
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

/// Bytes that a run of fifteen steps allocates.
fn allocated<P: Curvature>(method: &Method, problem: &P, start: &[f64]) -> f64 {
    let mut method = method.clone();
    *method.stopping_mut() =
        Stopping { gradient_tolerance: 0.0, max_iterations: STEPS, ..Stopping::default() };
    let region = Region::new(GLOBAL);
    let solution = method.minimize(problem, start).unwrap();
    let bytes = region.change().bytes_allocated as f64;
    drop(solution);
    bytes
}

#[test]
fn the_memory_that_a_method_states_is_what_it_allocates() {
    let _alone = alone();
    let methods: [Method; 6] = [
        Lbfgs::default().into(),
        Bfgs::default().into(),
        NonlinearCg::default().into(),
        GradientDescent::default().into(),
        Momentum::default().into(),
        Adam::default().into(),
    ];
    for method in methods {
        // What grows with n, of two sizes: the closures of the problem, the trace and names cancel.
        let bytes = |n| {
            let (f, x0) =
                (Separable(n), (0..n).map(|i| 1.0 + i as f64 / n as f64).collect::<Vec<_>>());
            (allocated(&method, &f, &x0), method.memory(n, 0).unwrap() as f64)
        };
        let ((small, stated_small), (large, stated_large)) = (bytes(200), bytes(1000));
        let ratio = (stated_large - stated_small) / (large - small);
        // The copy of the start, the report's θ and the best point's first copy come on top.
        assert!(ratio > 0.65 && ratio <= 1.05, "{}: stated/allocated {ratio}", method.name());
    }
}

fn weight(i: usize) -> f64 {
    (i % 30 + 1) as f64
}

/// Σ wᵢ(1 − cos θᵢ), wᵢ = 1 … 30 in turn: nothing allocated.
struct Separable(usize);

impl Objective for Separable {
    fn dim(&self) -> usize {
        self.0
    }
    fn value(&self, theta: &[f64]) -> f64 {
        theta.iter().enumerate().map(|(i, x)| weight(i) * (1.0 - x.cos())).sum()
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        for (i, (g, x)) in gradient.iter_mut().zip(theta).enumerate() {
            *g = weight(i) * x.sin();
        }
        self.value(theta)
    }
}

impl Curvature for Separable {
    type At<'a> = common::At;
    fn linearize(&self, theta: &[f64]) -> common::At {
        common::Function::new(
            self.0,
            |x, g| Separable(x.len()).value_gradient(x, g),
            |x| {
                let n = x.len();
                faer::Mat::from_fn(n, n, |i, j| if i == j { weight(i) * x[i].cos() } else { 0.0 })
            },
        )
        .linearize(theta)
    }
}
