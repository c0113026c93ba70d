//! One step of BFGS at growing n, beside argmin's BFGS, which forms dense products. The objective costs O(n), so that the step is
//! what is measured: a run of so many steps, over their number.
//!
//! `cargo bench --bench solvers`; `benches/peers/bfgs_step.py` does the same with SciPy.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use secant::argmin::core::{CostFunction, Error, Executor, Gradient};
use secant::argmin::solver::linesearch::MoreThuenteLineSearch;
use secant::argmin::solver::quasinewton::BFGS;
use secant::optim::Update;
use secant::{Bfgs, Objective, Reason, Stopping, minimize};
use std::time::{Duration, Instant};

/// f(θ) = Σ ½kθ_k² + ¼θ_k⁴ + ½(θ_k − θ_{k+1})², k = 1 … n, from θ = 1. A hundred steps do not end it.
struct Chain(usize);

impl Objective for Chain {
    fn dim(&self) -> usize {
        self.0
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.value_gradient(theta, &mut vec![0.0; self.0])
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for (k, (x, g)) in theta.iter().zip(&mut *gradient).enumerate() {
            let stiffness = k as f64 + 1.0;
            *g = stiffness * x + x * x * x;
            value += 0.5 * stiffness * x * x + 0.25 * x.powi(4);
        }
        for k in 1..self.0 {
            let gap = theta[k - 1] - theta[k];
            gradient[k - 1] += gap;
            gradient[k] -= gap;
            value += 0.5 * gap * gap;
        }
        value
    }
}

impl CostFunction for Chain {
    type Param = Vec<f64>;
    type Output = f64;
    fn cost(&self, theta: &Vec<f64>) -> Result<f64, Error> {
        Ok(self.value(theta))
    }
}

impl Gradient for Chain {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;
    fn gradient(&self, theta: &Vec<f64>) -> Result<Vec<f64>, Error> {
        let mut gradient = vec![0.0; self.0];
        self.value_gradient(theta, &mut gradient);
        Ok(gradient)
    }
}

/// The time of one of `steps` steps.
fn ours(n: usize, update: Update, steps: u64) -> Duration {
    let stopping =
        Stopping { gradient_tolerance: 0.0, max_iterations: steps, ..Stopping::default() };
    let solver = Bfgs::default().with_update(update).with_stopping(stopping);
    let problem = Chain(n);
    let begin = Instant::now();
    let report = minimize(&problem, solver, &vec![1.0; n]).expect("valid options").report;
    let time = begin.elapsed();
    assert_eq!((report.reason, report.iterations), (Reason::MaxIterations, steps), "{report}");
    time.div_f64(steps as f64)
}

/// The time of one of `steps` steps of argmin's BFGS.
fn argmins(n: usize, steps: u64) -> Duration {
    let identity: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect()).collect();
    let begin = Instant::now();
    let run = Executor::new(Chain(n), BFGS::new(MoreThuenteLineSearch::new()))
        .configure(|state| state.param(vec![1.0; n]).inv_hessian(identity).max_iters(steps))
        .run()
        .expect("argmin runs");
    let time = begin.elapsed();
    assert_eq!(run.state.iter, steps);
    time.div_f64(steps as f64)
}

fn bfgs_step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one step of BFGS");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for n in [200, 500, 1000, 2000] {
        for (name, update) in
            [("secant", Update::Bfgs), ("secant, self-scaled Broyden", Update::SelfScaledBroyden)]
        {
            group.bench_function(BenchmarkId::new(name, n), |b| {
                b.iter_custom(|runs| (0..runs).map(|_| ours(n, update, 50)).sum());
            });
        }
    }
    for n in [200, 1000] {
        group.bench_function(BenchmarkId::new("argmin", n), |b| {
            b.iter_custom(|runs| (0..runs).map(|_| argmins(n, 2)).sum());
        });
    }
    group.finish();
}

criterion_group!(benches, bfgs_step);
criterion_main!(benches);
