//! A problem of any size whose evaluation costs O(n), so that a step is what is measured; and a clock on every evaluation.

use secant::core::faer::MatMut;
use secant::{Curvature, LeastSquares, Linearization, Objective};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Residuals of both kinds: f = ½Σ(a_kθ_k − 1)² + ½Σ(½θ_k²)², so that m = 2n.
pub const RESIDUALS: usize = 2;
/// a_k² runs over this range: no method is at the end within the steps that are measured.
const STIFFEST: f64 = 100.0;

/// f(θ) = ½ Σ (a_kθ_k − 1)² + ⅛ Σ θ_k⁴, k = 1 … n, from θ = 1.
#[derive(Debug)]
pub struct Separable {
    /// a_k
    a: Vec<f64>,
    clock: Arc<Clock>,
}

/// Nanoseconds spent in evaluations, and the products among them.
#[derive(Debug, Default)]
pub struct Clock {
    nanoseconds: AtomicU64,
    products: AtomicU64,
}

impl Clock {
    fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = work();
        let spent = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(spent, Ordering::Relaxed);
        result
    }

    /// Seconds spent in evaluations so far.
    pub fn seconds(&self) -> f64 {
        self.nanoseconds.load(Ordering::Relaxed) as f64 * 1e-9
    }

    /// Products with the Hessian so far.
    pub fn products(&self) -> u64 {
        self.products.load(Ordering::Relaxed)
    }
}

impl Separable {
    pub fn new(n: usize) -> Self {
        let a = |k: usize| (1.0 + (STIFFEST - 1.0) * k as f64 / n as f64).sqrt();
        Self { a: (0..n).map(a).collect(), clock: Arc::default() }
    }

    pub fn start(&self) -> Vec<f64> {
        vec![1.0; self.a.len()]
    }

    pub fn clock(&self) -> Arc<Clock> {
        Arc::clone(&self.clock)
    }
}

impl Objective for Separable {
    fn dim(&self) -> usize {
        self.a.len()
    }

    fn value(&self, theta: &[f64]) -> f64 {
        self.clock.time(|| {
            let terms = theta.iter().zip(&self.a).map(|(x, a)| {
                let (line, bend) = (a * x - 1.0, 0.5 * x * x);
                0.5 * (line * line + bend * bend)
            });
            terms.sum()
        })
    }

    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.clock.time(|| {
            let mut value = 0.0;
            for ((x, a), g) in theta.iter().zip(&self.a).zip(gradient) {
                let (line, bend) = (a * x - 1.0, 0.5 * x * x);
                *g = a * line + x * bend;
                value += 0.5 * (line * line + bend * bend);
            }
            value
        })
    }
}

/// The diagonal Hessian at one θ.
#[derive(Debug)]
pub struct At<'a> {
    clock: &'a Clock,
    value: f64,
    gradient: Vec<f64>,
    diagonal: Vec<f64>,
}

impl Curvature for Separable {
    type At<'a> = At<'a>;

    fn linearize(&self, theta: &[f64]) -> At<'_> {
        let mut gradient = vec![0.0; theta.len()];
        let value = self.value_gradient(theta, &mut gradient);
        let diagonal = self.clock.time(|| {
            theta.iter().zip(&self.a).map(|(x, a)| a * a + 1.5 * x * x).collect::<Vec<f64>>()
        });
        At { clock: &self.clock, value, gradient, diagonal }
    }

    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        Some(Box::new(self))
    }
}

impl Linearization for At<'_> {
    fn value(&self) -> f64 {
        self.value
    }
    fn gradient(&self) -> &[f64] {
        &self.gradient
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        self.clock.products.fetch_add(1, Ordering::Relaxed);
        self.clock.time(|| {
            for ((out, h), v) in out.iter_mut().zip(&self.diagonal).zip(v) {
                *out = h * v;
            }
        });
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.hessian_vector(v, out);
    }
    fn hessian(&self, mut out: MatMut<'_, f64>) {
        self.clock.time(|| {
            out.fill(0.0);
            for (k, h) in self.diagonal.iter().enumerate() {
                out[(k, k)] = *h;
            }
        });
    }
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.hessian(out);
    }
}

impl Separable {
    fn bend(x: f64) -> f64 {
        0.5 * x * x
    }
}

impl LeastSquares for Separable {
    fn residual_len(&self) -> usize {
        RESIDUALS * self.dim()
    }
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        let (lines, bends) = residuals.split_at_mut(self.dim());
        self.clock.time(|| {
            for (((x, a), line), bend) in theta.iter().zip(&self.a).zip(lines).zip(bends) {
                (*line, *bend) = (a * x - 1.0, Self::bend(*x));
            }
        });
        self.value(theta)
    }
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        let n = self.dim();
        self.clock.time(|| {
            for k in 0..n {
                (out[k], out[n + k]) = (self.a[k] * v[k], theta[k] * v[k]);
            }
        });
    }
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        let n = self.dim();
        self.clock.time(|| {
            for k in 0..n {
                out[k] = self.a[k] * u[k] + theta[k] * u[n + k];
            }
        });
    }
    fn normal_equations(
        &self,
        theta: &[f64],
        mut normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        let value = self.value_gradient(theta, gradient);
        self.clock.time(|| {
            normal.fill(0.0);
            for (k, (x, a)) in theta.iter().zip(&self.a).enumerate() {
                normal[(k, k)] = a * a + x * x;
            }
        });
        value
    }
    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], mut jacobian: MatMut<'_, f64>) -> f64 {
        let value = self.residuals(theta, residuals);
        self.clock.time(|| {
            jacobian.fill(0.0);
            for (k, (x, a)) in theta.iter().zip(&self.a).enumerate() {
                jacobian[(k, k)] = *a;
                jacobian[(theta.len() + k, k)] = *x;
            }
        });
        value
    }
}

thread_local! {
    /// Keeps what a loop computes.
    static SINK: Cell<f64> = const { Cell::new(0.0) };
}

/// Keeps `x` from being optimised away.
pub fn keep(x: f64) {
    SINK.with(|sink| sink.set(sink.get() + x));
}
