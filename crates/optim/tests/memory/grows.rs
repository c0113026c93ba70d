//! The memory that a method states grows with n as what it allocates does.

use crate::{alone, bytes_asked, common};
use secant_core::problem::{Curvature, Objective};
use secant_optim::{Adam, Bfgs, GradientDescent, Lbfgs, Method, Momentum, NonlinearCg, Stopping};

/// Enough for L-BFGS to have all its pairs.
const STEPS: u64 = 15;

/// Bytes that a run of fifteen steps allocates.
fn allocated<P: Curvature>(method: &Method, problem: &P, start: &[f64]) -> f64 {
    let mut method = method.clone();
    *method.stopping_mut() =
        Stopping { gradient_tolerance: 0.0, max_iterations: STEPS, ..Stopping::default() };
    bytes_asked(|| drop(method.clone().minimize(problem, start).unwrap())) as f64
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
