//! Problems with known answers, each written out by hand.
#![allow(dead_code, reason = "every test binary uses some of them")]

pub mod mgh;

use faer::{Mat, MatMut};
use secant_core::problem::{Curvature, Linearization, Objective};
use std::cell::Cell;

type Gradient = dyn Fn(&[f64], &mut [f64]) -> f64;
type Hessian = dyn Fn(&[f64]) -> Mat<f64>;

/// A function from two closures; counts its calls, independently of argmin's counters.
pub struct Function {
    n: usize,
    f: Box<Gradient>,
    h: Box<Hessian>,
    pub calls: Cell<u64>,
}

impl Function {
    pub fn new(
        n: usize,
        f: impl Fn(&[f64], &mut [f64]) -> f64 + 'static,
        h: impl Fn(&[f64]) -> Mat<f64> + 'static,
    ) -> Self {
        Self { n, f: Box::new(f), h: Box::new(h), calls: Cell::new(0) }
    }

    /// c·f(D·x), D = diag(scales): what must not change the path.
    pub fn scaled(self, c: f64, scales: Vec<f64>) -> Self {
        let Self { n, f, h, .. } = self;
        let inner = scales.clone();
        Self::new(
            n,
            move |x, g| {
                let dx: Vec<f64> = x.iter().zip(&inner).map(|(x, d)| x * d).collect();
                let value = f(&dx, g);
                for (g, d) in g.iter_mut().zip(&inner) {
                    *g *= c * d;
                }
                c * value
            },
            move |x| {
                let dx: Vec<f64> = x.iter().zip(&scales).map(|(x, d)| x * d).collect();
                let mut hessian = h(&dx);
                for j in 0..n {
                    for i in 0..n {
                        hessian[(i, j)] *= c * scales[i] * scales[j];
                    }
                }
                hessian
            },
        )
    }
}

impl Objective for Function {
    fn dim(&self) -> usize {
        self.n
    }
    fn value(&self, theta: &[f64]) -> f64 {
        (self.f)(theta, &mut vec![0.0; self.n])
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.calls.set(self.calls.get() + 1);
        (self.f)(theta, gradient)
    }
}

pub struct At {
    value: f64,
    gradient: Vec<f64>,
    hessian: Mat<f64>,
}

impl Curvature for Function {
    type At<'a> = At;
    fn linearize(&self, theta: &[f64]) -> At {
        let mut gradient = vec![0.0; self.n];
        let value = (self.f)(theta, &mut gradient);
        At { value, gradient, hessian: (self.h)(theta) }
    }
}

impl Linearization for At {
    fn value(&self) -> f64 {
        self.value
    }
    fn gradient(&self) -> &[f64] {
        &self.gradient
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = (0..v.len()).map(|j| self.hessian[(i, j)] * v[j]).sum();
        }
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.hessian_vector(v, out);
    }
    fn hessian(&self, mut out: MatMut<'_, f64>) {
        out.copy_from(&self.hessian);
    }
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.hessian(out);
    }
}

/// Numbers in (−1, 1): a linear congruential generator (Knuth's MMIX constants).
pub struct Draws(pub u64);

impl Draws {
    pub fn next(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
    pub fn vector(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.next()).collect()
    }
}

/// Σ over pairs of 100(y − x²)² + (1 − x)²; minimum 0 at (1, …, 1). n even.  Moré, Garbow & Hillstrom (1981), 21.
pub fn rosenbrock(n: usize) -> Function {
    Function::new(
        n,
        |x, g| {
            let mut value = 0.0;
            for (x, g) in x.chunks_exact(2).zip(g.chunks_exact_mut(2)) {
                let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
                g[0] = -2.0 * a - 400.0 * b * x[0];
                g[1] = 200.0 * b;
                value += a * a + 100.0 * b * b;
            }
            value
        },
        |x| {
            let mut h = Mat::zeros(x.len(), x.len());
            for k in (0..x.len()).step_by(2) {
                h[(k, k)] = 2.0 - 400.0 * (x[k + 1] - 3.0 * x[k] * x[k]);
                h[(k, k + 1)] = -400.0 * x[k];
                h[(k + 1, k)] = -400.0 * x[k];
                h[(k + 1, k + 1)] = 200.0;
            }
            h
        },
    )
}

pub fn rosenbrock_start(n: usize) -> Vec<f64> {
    (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect()
}

/// ½xᵀAx − bᵀx + c.
pub fn quadratic(a: Mat<f64>, b: Vec<f64>, c: f64) -> Function {
    let hessian = a.clone();
    Function::new(
        b.len(),
        move |x, g| {
            let mut value = c;
            for i in 0..x.len() {
                let ax: f64 = (0..x.len()).map(|j| a[(i, j)] * x[j]).sum();
                g[i] = ax - b[i];
                value += x[i] * (0.5 * ax - b[i]);
            }
            value
        },
        move |_| hessian.clone(),
    )
}

/// A random symmetric matrix with eigenvalues spread evenly, on a log axis, over [1, condition].
pub fn spd(n: usize, condition: f64, draws: &mut Draws) -> Mat<f64> {
    let q = Mat::from_fn(n, n, |_, _| draws.next());
    let q = q.qr().compute_Q();
    let eigenvalue = |k: usize| condition.powf(k as f64 / (n - 1).max(1) as f64);
    let a = Mat::from_fn(n, n, |i, j| {
        (0..n).map(|k| q[(i, k)] * eigenvalue(k) * q[(j, k)]).sum::<f64>()
    });
    Mat::from_fn(n, n, |i, j| f64::midpoint(a[(i, j)], a[(j, i)]))
}

/// Beale: minimum 0 at (3, ½).  Moré, Garbow & Hillstrom (1981), 5.
pub fn beale() -> Function {
    let parts = |x: &[f64]| {
        [(1.5, 1), (2.25, 2), (2.625, 3)].map(|(y, i): (f64, i32)| {
            let r = y - x[0] * (1.0 - x[1].powi(i));
            let r1 = f64::from(i) * x[0] * x[1].powi(i - 1);
            let r0 = x[1].powi(i) - 1.0;
            let r01 = f64::from(i) * x[1].powi(i - 1);
            let r11 = if i == 1 { 0.0 } else { f64::from(i * (i - 1)) * x[0] * x[1].powi(i - 2) };
            [r, r0, r1, r01, r11]
        })
    };
    Function::new(
        2,
        move |x, g| {
            g.fill(0.0);
            let mut value = 0.0;
            for [r, r0, r1, ..] in parts(x) {
                value += r * r;
                g[0] += 2.0 * r * r0;
                g[1] += 2.0 * r * r1;
            }
            value
        },
        move |x| {
            let mut h = Mat::zeros(2, 2);
            for [r, r0, r1, r01, r11] in parts(x) {
                h[(0, 0)] += 2.0 * r0 * r0;
                h[(0, 1)] += 2.0 * (r0 * r1 + r * r01);
                h[(1, 1)] += 2.0 * (r1 * r1 + r * r11);
            }
            h[(1, 0)] = h[(0, 1)];
            h
        },
    )
}

/// Powell's singular function: minimum 0 at 0, where the Hessian has rank 2.  Moré, Garbow & Hillstrom (1981), 13.
pub fn powell_singular() -> Function {
    Function::new(
        4,
        |x, g| {
            let (a, b) = (x[0] + 10.0 * x[1], x[2] - x[3]);
            let (c, d) = (x[1] - 2.0 * x[2], x[0] - x[3]);
            g[0] = 2.0 * a + 40.0 * d.powi(3);
            g[1] = 20.0 * a + 4.0 * c.powi(3);
            g[2] = 10.0 * b - 8.0 * c.powi(3);
            g[3] = -10.0 * b - 40.0 * d.powi(3);
            a * a + 5.0 * b * b + c.powi(4) + 10.0 * d.powi(4)
        },
        |x| {
            let (c, d) = (12.0 * (x[1] - 2.0 * x[2]).powi(2), 120.0 * (x[0] - x[3]).powi(2));
            faer::mat![
                [2.0 + d, 20.0, 0.0, -d],
                [20.0, 200.0 + c, -2.0 * c, 0.0],
                [0.0, -2.0 * c, 10.0 + 4.0 * c, -10.0],
                [-d, 0.0, -10.0, 10.0 + d],
            ]
        },
    )
}

/// mean log(1 + exp(−t·xᵀθ)) + λ/2‖θ‖², with features of sizes spread over `spread`.
pub fn logistic(samples: usize, n: usize, lambda: f64, spread: f64, draws: &mut Draws) -> Function {
    let size: Vec<f64> = (0..n).map(|k| spread.powf(k as f64 / (n - 1) as f64)).collect();
    let rows: Vec<Vec<f64>> =
        (0..samples).map(|_| size.iter().map(|size| size * draws.next()).collect()).collect();
    let signs: Vec<f64> = rows
        .iter()
        .map(|row| if row.iter().sum::<f64>() + 0.8 * draws.next() > 0.0 { 1.0 } else { -1.0 })
        .collect();
    let (rows_h, signs_h) = (rows.clone(), signs.clone());
    Function::new(
        n,
        move |theta, g| {
            let weight = 1.0 / rows.len() as f64;
            let mut value = 0.0;
            g.fill(0.0);
            for (row, sign) in rows.iter().zip(&signs) {
                let z = sign * row.iter().zip(theta).map(|(x, t)| x * t).sum::<f64>();
                value += weight * ((-z.abs()).exp().ln_1p() + (-z).max(0.0));
                let slope = -weight * sign / (1.0 + z.exp());
                for (g, x) in g.iter_mut().zip(row) {
                    *g += slope * x;
                }
            }
            for (g, t) in g.iter_mut().zip(theta) {
                *g += lambda * t;
                value += 0.5 * lambda * t * t;
            }
            value
        },
        move |theta| {
            let weight = 1.0 / rows_h.len() as f64;
            let mut h = Mat::zeros(n, n);
            for (row, sign) in rows_h.iter().zip(&signs_h) {
                let z = sign * row.iter().zip(theta).map(|(x, t)| x * t).sum::<f64>();
                let p = 1.0 / (1.0 + z.exp());
                for j in 0..n {
                    for i in 0..n {
                        h[(i, j)] += weight * p * (1.0 - p) * row[i] * row[j];
                    }
                }
            }
            for i in 0..n {
                h[(i, i)] += lambda;
            }
            h
        },
    )
}

/// aᵀx: no minimum and no curvature.
pub fn linear(a: Vec<f64>) -> Function {
    let n = a.len();
    Function::new(
        n,
        move |x, g| {
            g.copy_from_slice(&a);
            a.iter().zip(x).map(|(a, x)| a * x).sum()
        },
        move |_| Mat::zeros(n, n),
    )
}

pub fn constant(n: usize) -> Function {
    Function::new(
        n,
        |_, g| {
            g.fill(0.0);
            7.0
        },
        move |_| Mat::zeros(n, n),
    )
}

/// ‖x − y‖∞
pub fn distance(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len());
    x.iter().zip(y).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}
