//! Memory is stated before it is allocated: what each method says it takes is what it takes, and what does not fit is refused first.

use crate::{alone, bytes_asked};
use faer::MatMut;
use secant_core::problem::{Curvature, LeastSquares, Linearization, Objective};
use secant_optim::{
    AdaGrad, Adadelta, Adam, AdamW, AdaptiveCubic, Bfgs, BoundedLevenbergMarquardt, Bounds,
    Factorization, FitSolver, GaussNewton, GradientDescent, L1, Lbfgs, LbfgsB, LevenbergMarquardt,
    Method, Modification, Momentum, Nesterov, Newton, NewtonCg, NonlinearCg, OptimError, OwlQn,
    Preconditioner, ProximalNewton, RegularizedNewton, RmsProp, Sr1, Stopping, Subproblem, Tron,
    TrustRegion,
};

/// ½‖r‖² with rᵢ = θ_(i mod n) − 1, m ≥ n; its residuals allocate nothing.
struct Straight {
    n: usize,
    m: usize,
}

impl Straight {
    fn times(&self, j: usize) -> f64 {
        (self.m / self.n + usize::from(j < self.m % self.n)) as f64
    }
}

impl Objective for Straight {
    fn dim(&self) -> usize {
        self.n
    }
    fn value(&self, theta: &[f64]) -> f64 {
        (0..self.n).map(|j| 0.5 * self.times(j) * (theta[j] - 1.0).powi(2)).sum()
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        for (j, g) in gradient.iter_mut().enumerate() {
            *g = self.times(j) * (theta[j] - 1.0);
        }
        self.value(theta)
    }
}

impl LeastSquares for Straight {
    fn residual_len(&self) -> usize {
        self.m
    }
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        for (i, r) in residuals.iter_mut().enumerate() {
            *r = theta[i % self.n] - 1.0;
        }
        self.value(theta)
    }
    fn jacobian_vector(&self, _: &[f64], v: &[f64], out: &mut [f64]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = v[i % self.n];
        }
    }
    fn jacobian_transpose_vector(&self, _: &[f64], u: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (i, u) in u.iter().enumerate() {
            out[i % self.n] += u;
        }
    }
    fn normal_equations(
        &self,
        theta: &[f64],
        mut normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        normal.fill(0.0);
        for j in 0..self.n {
            normal[(j, j)] = self.times(j);
        }
        self.value_gradient(theta, gradient)
    }
    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], mut jacobian: MatMut<'_, f64>) -> f64 {
        jacobian.fill(0.0);
        for i in 0..self.m {
            jacobian[(i, i % self.n)] = 1.0;
        }
        self.residuals(theta, residuals)
    }
}

struct At<'a>(&'a Straight, f64, Vec<f64>);

impl Curvature for Straight {
    type At<'a> = At<'a>;
    fn linearize(&self, theta: &[f64]) -> At<'_> {
        let mut gradient = vec![0.0; self.n];
        let value = self.value_gradient(theta, &mut gradient);
        At(self, value, gradient)
    }
    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        Some(Box::new(self))
    }
}

impl Linearization for At<'_> {
    fn value(&self) -> f64 {
        self.1
    }
    fn gradient(&self) -> &[f64] {
        &self.2
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        for (j, out) in out.iter_mut().enumerate() {
            *out = self.0.times(j) * v[j];
        }
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.hessian_vector(v, out);
    }
    fn hessian(&self, mut out: MatMut<'_, f64>) {
        out.fill(0.0);
        for j in 0..self.0.n {
            out[(j, j)] = self.0.times(j);
        }
    }
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.hessian(out);
    }
}

/// Those that form a matrix of n × n.
fn dense() -> Vec<Method> {
    let region = |subproblem| Method::from(TrustRegion::default().with_subproblem(subproblem));
    vec![
        Newton::default().into(),
        Newton::default().with_modification(Modification::TurnedSigns).into(),
        RegularizedNewton::default().into(),
        region(Subproblem::Exact),
        region(Subproblem::ScaledExact),
        region(Subproblem::Dogleg),
        LevenbergMarquardt::default().with_factorization(Factorization::Qr).into(),
        LevenbergMarquardt::default().with_factorization(Factorization::NormalEquations).into(),
        GaussNewton::default().with_factorization(Factorization::NormalEquations).into(),
        BoundedLevenbergMarquardt::default().into(),
        Bfgs::default().into(),
        Sr1::default().into(),
        ProximalNewton::new(L1::new(0.1)).into(),
    ]
}

fn vectors_only() -> Vec<Method> {
    vec![
        Lbfgs::default().into(),
        NewtonCg::default().into(),
        LbfgsB::new(Bounds::default()).into(),
        Tron::new(Bounds::default()).into(),
        OwlQn::new(L1::new(0.1)).into(),
        NonlinearCg::default().into(),
        TrustRegion::default().with_subproblem(Subproblem::Steihaug).into(),
        GradientDescent::default().into(),
        GradientDescent::fixed(1e-3).into(),
        Momentum::default().into(),
        Nesterov::default().into(),
        AdaGrad::default().into(),
        RmsProp::default().into(),
        Adadelta::default().into(),
        Adam::default().into(),
        AdamW::default().into(),
    ]
}

/// Those whose Krylov basis grows on the way.
fn growing() -> Vec<Method> {
    vec![AdaptiveCubic::default().into(), TrustRegion::default().into()]
}

/// With what no machine has: pairs, vectors of a sketch, products kept.
fn far_too_much(count: usize) -> Vec<Method> {
    let with = |preconditioner| NewtonCg::default().with_preconditioner(preconditioner).into();
    let bounds = Bounds::default();
    vec![
        Lbfgs { memory: count, ..unlimited(Lbfgs::default()) }.into(),
        LbfgsB { memory: count, ..unlimited(LbfgsB::new(bounds)) }.into(),
        OwlQn { memory: count, ..unlimited(OwlQn::new(L1::new(0.1))) }.into(),
        with(Preconditioner::Pairs { memory: count }),
        with(Preconditioner::Nystrom { rank: count, refresh: 1 }),
    ]
}

/// Without a limit of its own to the pairs it can see.
fn unlimited<S: FitSolver>(mut solver: S) -> S {
    solver.stopping_mut().max_iterations = u64::MAX;
    solver
}

#[test]
fn what_is_stated_is_taken() {
    let _alone = alone();
    let problem = Straight { n: 300, m: 700 };
    // What a run lays out before its first step. Bases and factors grow later, within what was stated.
    let stopping = Stopping { max_iterations: 0, ..Stopping::default() };
    for method in dense().into_iter().chain(vectors_only()) {
        let name = method.name();
        let stated = method.memory(300, 700).unwrap() as f64;
        let method = method.with_stopping(stopping.clone());
        let taken =
            bytes_asked(|| drop(method.clone().minimize(&problem, &[5.0; 300]).unwrap())) as f64;
        // The factorisation at the start has scratch of its own in the methods of least squares.
        let limits = 0.2 * stated..=1.3 * stated + 3e5;
        assert!(limits.contains(&taken), "{name}: {stated} stated, {taken} taken");
    }
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_allocated() {
    let _alone = alone();
    let (n, limit) = (20_000, 1 << 20);
    let problem = Straight { n, m: n };
    let start = vec![0.0; n];
    for method in dense() {
        let name = method.name();
        let needs = method.memory(n, n).unwrap();
        let run = || method.clone().minimize_within(&problem, &start, Some(limit)).unwrap_err();
        let refused = run();
        let taken = bytes_asked(|| drop(run()));
        assert!(taken < 50 * 8 * n, "{name} allocated {taken} bytes");
        let OptimError::Memory { solver, needed, allowed, alternative } = refused else {
            panic!("{name}: {refused}")
        };
        assert_eq!((solver, allowed), (name, limit));
        assert!(needed >= needs && needed >= 8 * 20_000 * 10_000, "{name}: {needed}");
        assert!(!alternative.is_empty());
        let text = refused.to_string();
        assert!(text.contains("GiB of memory, 1.0 MiB are allowed"), "{text}");
    }
    for method in vectors_only().into_iter().chain(growing()) {
        let name = method.name();
        let needs = method.memory(n, n).unwrap();
        let stopping = Stopping { max_iterations: 2, ..Stopping::default() };
        let method = method.with_stopping(stopping);
        for refused in [0, 1000] {
            let within = || method.clone().minimize_within(&problem, &start, Some(refused));
            let run = within();
            let taken = bytes_asked(|| drop(within()));
            assert!(taken < 2 * 8 * n, "{name} allocated {taken} bytes");
            assert!(matches!(run, Err(OptimError::Memory { .. })), "{name}: {run:?}");
        }
        let run = method.minimize_within(&problem, &start, Some(needs));
        assert!(run.is_ok(), "{name}: {run:?}");
    }
}

/// 8n² bytes for a million parameters are eight terabytes.
#[test]
fn absurd_sizes_are_refused_without_a_limit() {
    let _alone = alone();
    let n = 1_000_000;
    // Where the free memory is not known, or there is that much of it, nothing is refused.
    if secant_optim::memory::available().is_none_or(|free| free >= 4 << 40) {
        return;
    }
    let problem = Straight { n, m: n };
    let start = vec![0.0; n];
    for method in dense() {
        let name = method.name();
        let refused = method.minimize(&problem, &start).unwrap_err();
        assert!(matches!(refused, OptimError::Memory { .. }), "{name}: {refused}");
    }
    let stopping = Stopping { max_iterations: 20, ..Stopping::default() };
    let report = Method::auto().with_stopping(stopping).minimize(&problem, &start).unwrap().report;
    assert!(report.notes.iter().any(|note| note.starts_with("Newton left out")), "{report}");
    assert!(report.reason.is_success(), "{report}");
}

/// No count of pairs overflows, and none is allocated: L-BFGS with 1,000 pairs of ten million is 160 GB.
#[test]
fn any_number_of_pairs_is_refused_or_runs() {
    let _alone = alone();
    let (small, start) = (Straight { n: 10, m: 10 }, [3.0; 10]);
    for count in [1 << 40, 1 << 62, usize::MAX] {
        for method in far_too_much(count) {
            let name = method.name();
            let refused = method.minimize(&small, &start);
            assert!(matches!(refused, Err(OptimError::Memory { .. })), "{name}: {refused:?}");
        }
    }
    let needs = FitSolver::memory(&Lbfgs::default().with_memory(1000), 10_000_000, 0).unwrap();
    assert!(needs > 160_000_000_000, "{needs}");
}

/// No n overflows the arithmetic.
#[test]
fn the_largest_sizes_saturate() {
    let _alone = alone();
    for method in dense() {
        assert_eq!(method.memory(usize::MAX, usize::MAX), Some(u64::MAX), "{}", method.name());
    }
}
