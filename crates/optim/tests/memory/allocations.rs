//! A step of L-BFGS, of BFGS, of nonlinear CG, of every form of Levenberg–Marquardt and of a run on minibatches allocates nothing: a
//! long run allocates as often as a short one.

use crate::alone;
use crate::common::{rosenbrock, rosenbrock_start};
use faer::MatMut;
use secant_core::problem::{LeastSquares, Objective, SampledObjective};
use secant_core::real::{Real, Residuals};
use secant_optim::argmin::core::Solver;
use secant_optim::{
    Adam, Bfgs, Bounds, Factorization, FitSolver, FitState, GradientDescent, Lbfgs,
    LevenbergMarquardt, Minibatches, NonlinearCg, Reason, Sampling, SecondOrder, Stopping,
    fit_many, minimize, minimize_sampled,
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

/// r = a·e^(−bx) + c − y on 40 points, y from a number.
#[derive(Clone, Copy)]
struct Decay(u32);

impl Residuals for Decay {
    fn parameters(&self) -> usize {
        3
    }
    fn residual_len(&self) -> usize {
        40
    }
    fn residuals<T: Real>(&self, p: &[T], r: &mut [T]) {
        for (i, r) in (0_u32..).zip(r) {
            let x = 0.1 * f64::from(i);
            let ripple = 0.03 * f64::sin(f64::from((i + 1) * (self.0 + 3)));
            let y = (1.0 + 0.1 * f64::from(self.0 % 9)) * f64::exp(-x) + 0.3 + ripple;
            *r = p[0] * (-p[1] * x).exp() + p[2] - y;
        }
    }
}

/// A table is allocated in a few pieces, and a thread's memory once: hundreds of fits allocate as often as some.
#[test]
fn many_fits_allocate_nothing_each() {
    let _alone = alone();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let allocations = |groups: u32, bounds: bool| {
        let many = || {
            let many = fit_many((0..groups).map(Decay)).keys(0..groups).start([1.0, 0.8, 0.0]);
            if bounds { many.bounds(Bounds::nonnegative(3)) } else { many }
        };
        let mut ready: Vec<_> = (0..crate::REPEATS).map(|_| many()).collect();
        pool.install(|| {
            crate::allocations(|| {
                let fits = ready.pop().unwrap().run().unwrap();
                assert!(fits.successes() + 2 > groups as usize, "{fits}");
            })
        })
    };
    for bounds in [false, true] {
        let (some, hundreds) = (allocations(32, bounds), allocations(320, bounds));
        assert!(hundreds <= some + 2, "{some}, {hundreds}");
    }
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
