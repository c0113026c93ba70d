//! A step of L-BFGS, of BFGS, of nonlinear CG, and of a run on minibatches allocates nothing: a run of 60 steps allocates as often as one of 20.
//! One test in this binary, because the counter is global.

mod common;

use common::{rosenbrock, rosenbrock_start};
use secant_core::problem::{Objective, SampledObjective};
use secant_optim::argmin::core::Solver;
use secant_optim::{
    Adam, Bfgs, FitSolver, FitState, GradientDescent, Lbfgs, Minibatches, NonlinearCg, Reason,
    Sampling, Stopping, minimize, minimize_sampled,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations and reallocations of a run of exactly `steps` steps.
fn allocations<'p, P, S>(problem: &'p P, mut solver: S, start: &[f64], steps: u64) -> usize
where
    P: Objective,
    S: FitSolver + Solver<&'p P, FitState>,
{
    // The trace is reserved in one piece whatever its length.
    *solver.stopping_mut() =
        Stopping { gradient_tolerance: 0.0, max_iterations: steps, ..Stopping::default() };
    let region = Region::new(GLOBAL);
    let solution = minimize(problem, solver, start).unwrap();
    let change = region.change();
    assert_eq!(solution.report.reason, Reason::MaxIterations, "{}", solution.report);
    assert_eq!(solution.report.iterations, steps);
    change.allocations + change.reallocations
}

/// f = mean over 10 samples of i·½‖θ − i‖².
struct Samples;

impl SampledObjective for Samples {
    fn parameters(&self) -> usize {
        4
    }
    fn samples(&self) -> usize {
        10
    }
    fn value_gradient_on(&self, indices: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        let mut value = 0.0;
        for weight in indices.iter().map(|index| *index as f64 / indices.len() as f64) {
            for (g, x) in gradient.iter_mut().zip(theta) {
                *g += weight * (x - weight);
                value += 0.5 * weight * (x - weight).powi(2);
            }
        }
        value
    }
}

/// The same for a run on minibatches, with an epoch in every third step.
fn sampled_allocations(sampling: Sampling, steps: u64) -> usize {
    let minibatches = Minibatches { sampling, ..Minibatches::of(4).with_steps(steps) };
    let region = Region::new(GLOBAL);
    let solver = Adam::default().with_rate(0.1);
    let solution = minimize_sampled(&Samples, solver, &minibatches, &[9.0; 4]).unwrap();
    let change = region.change();
    assert_eq!(solution.report.iterations, steps);
    change.allocations + change.reallocations
}

#[test]
fn a_step_allocates_nothing() {
    let n = 100;
    let (problem, start) = (rosenbrock(n), rosenbrock_start(n));
    // Different starts per pair, so that 60 steps are not enough to converge.
    let start: Vec<f64> = start.iter().enumerate().map(|(i, x)| x + 0.01 * i as f64).collect();
    allocations(&problem, Lbfgs::default(), &start, 3);
    let of = |steps| {
        [
            allocations(&problem, Lbfgs::default(), &start, steps),
            allocations(&problem, Bfgs::default(), &start, steps),
            allocations(&problem, NonlinearCg::default(), &start, steps),
            allocations(&problem, GradientDescent::default(), &start, steps),
            allocations(&problem, Adam::default(), &start, steps),
            sampled_allocations(Sampling::Shuffled, steps),
            sampled_allocations(Sampling::WithReplacement, steps),
        ]
    };
    let (short, long) = (of(20), of(60));
    assert_eq!(
        short, long,
        "L-BFGS, BFGS, nonlinear CG, gradient descent, Adam, Adam on minibatches"
    );
    assert!(short.iter().all(|count| *count > 0), "the counter counts");
}
