//! A step of L-BFGS, of BFGS, of nonlinear CG, of every form of Levenberg–Marquardt and of a run on minibatches allocates nothing: a
//! long run allocates as often as a short one.

use crate::alone;
use crate::common::{rosenbrock, rosenbrock_start};
use faer::MatMut;
use secant_core::problem::{LeastSquares, Objective, SampledObjective};
use secant_optim::argmin::core::Solver;
use secant_optim::{
    Adam, Bfgs, Factorization, FitSolver, FitState, GradientDescent, Lbfgs, LevenbergMarquardt,
    Minibatches, NonlinearCg, Reason, Sampling, SecondOrder, Stopping, minimize, minimize_sampled,
};

/// Allocations and reallocations of a run of exactly `steps` steps.
fn allocations<'p, P, S>(problem: &'p P, mut solver: S, start: &[f64], steps: u64) -> usize
where
    P: Objective,
    S: FitSolver + Solver<&'p P, FitState> + Clone,
{
    // The trace is reserved in one piece whatever its length.
    *solver.stopping_mut() =
        Stopping { gradient_tolerance: 0.0, max_iterations: steps, ..Stopping::default() };
    crate::allocations(|| {
        let solution = minimize(problem, solver.clone(), start).unwrap();
        assert_eq!(solution.report.reason, Reason::MaxIterations, "{}", solution.report);
        assert_eq!(solution.report.iterations, steps);
    })
}

/// rᵢ = 10(xᵢ₊₁ − xᵢ²), a long curved valley whose residuals allocate nothing; n parameters, n − 1 residuals.
struct Valley(usize);

impl Objective for Valley {
    fn dim(&self) -> usize {
        self.0
    }
    fn value(&self, theta: &[f64]) -> f64 {
        0.5 * theta.windows(2).map(|x| 100.0 * (x[1] - x[0] * x[0]).powi(2)).sum::<f64>()
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.fill(0.0);
        for (i, x) in theta.windows(2).enumerate() {
            let r = 100.0 * (x[1] - x[0] * x[0]);
            gradient[i] -= 2.0 * x[0] * r;
            gradient[i + 1] += r;
        }
        self.value(theta)
    }
}

impl LeastSquares for Valley {
    fn residual_len(&self) -> usize {
        self.0 - 1
    }
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        for (r, x) in residuals.iter_mut().zip(theta.windows(2)) {
            *r = 10.0 * (x[1] - x[0] * x[0]);
        }
        self.value(theta)
    }
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = 10.0 * (v[i + 1] - 2.0 * theta[i] * v[i]);
        }
    }
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (i, u) in u.iter().enumerate() {
            out[i] -= 20.0 * theta[i] * u;
            out[i + 1] += 10.0 * u;
        }
    }
    fn normal_equations(&self, theta: &[f64], mut normal: MatMut<'_, f64>, g: &mut [f64]) -> f64 {
        normal.fill(0.0);
        for (i, x) in theta[..self.0 - 1].iter().enumerate() {
            normal[(i, i)] += 400.0 * x * x;
            normal[(i + 1, i + 1)] += 100.0;
            normal[(i, i + 1)] -= 200.0 * x;
            normal[(i + 1, i)] -= 200.0 * x;
        }
        self.value_gradient(theta, g)
    }
    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], mut out: MatMut<'_, f64>) -> f64 {
        out.fill(0.0);
        for (i, x) in theta[..self.0 - 1].iter().enumerate() {
            (out[(i, i)], out[(i, i + 1)]) = (-20.0 * x, 10.0);
        }
        self.residuals(theta, residuals)
    }
    fn normal_diagonal(&self, theta: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (i, x) in theta[..self.0 - 1].iter().enumerate() {
            out[i] += 400.0 * x * x;
            out[i + 1] += 100.0;
        }
    }
}

/// By every form, each with and without what it can have beside it.
fn of_levenberg_marquardt(steps: u64) -> Vec<usize> {
    let problem = Valley(60);
    let start: Vec<f64> = (0..60).map(|i| 1.5 * f64::from(i + 1).sin()).collect();
    let plain = LevenbergMarquardt::default();
    let by = |form| plain.clone().with_factorization(form);
    [
        by(Factorization::Qr),
        by(Factorization::NormalEquations),
        by(Factorization::Dual),
        by(Factorization::Lsmr),
        by(Factorization::Qr).with_second_order(SecondOrder::Structured),
        by(Factorization::NormalEquations).with_second_order(SecondOrder::Structured),
    ]
    .into_iter()
    .map(|solver| allocations(&problem, solver, &start, steps))
    .collect()
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
    crate::allocations(|| {
        let solver = Adam::default().with_rate(0.1);
        let solution = minimize_sampled(&Samples, solver, &minibatches, &[9.0; 4]).unwrap();
        assert_eq!(solution.report.iterations, steps);
    })
}

#[test]
fn a_step_allocates_nothing() {
    let _alone = alone();
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

    if !crate::products_allocate_nothing() {
        return;
    }
    of_levenberg_marquardt(1);
    let (short, long) = (of_levenberg_marquardt(2), of_levenberg_marquardt(7));
    assert_eq!(short, long, "QR, JᵀJ, dual, LSMR, QR and JᵀJ with S");
}
