//! Rosenbrock's function in 100 dimensions.

use crate::descent;
use crate::race::Task;
use secant::faer::MatMut;
use secant::{Curvature, Linearization, Objective};
use serde_json::Value;

/// f = Σ 100(θᵢ₊₁ − θᵢ²)² + (1 − θᵢ)², 0 at (1, …, 1).
pub struct Rosenbrock {
    pub n: usize,
}

impl Objective for Rosenbrock {
    fn dim(&self) -> usize {
        self.n
    }

    fn value(&self, theta: &[f64]) -> f64 {
        let pairs = theta.windows(2);
        pairs.map(|x| 100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2)).sum()
    }

    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        gradient.fill(0.0);
        for (x, g) in theta.windows(2).enumerate().map(|(i, x)| (x, i)) {
            let (off, left) = (x[1] - x[0] * x[0], 1.0 - x[0]);
            value += 100.0 * off * off + left * left;
            gradient[g] -= 400.0 * x[0] * off + 2.0 * left;
            gradient[g + 1] += 200.0 * off;
        }
        value
    }
}

/// f, ∇f and the three diagonals of ∇²f at a θ.
pub struct At {
    value: f64,
    gradient: Vec<f64>,
    diagonal: Vec<f64>,
    beside: Vec<f64>,
}

impl Curvature for Rosenbrock {
    type At<'a> = At;

    fn linearize(&self, theta: &[f64]) -> At {
        let mut gradient = vec![0.0; self.n];
        let value = self.value_gradient(theta, &mut gradient);
        let (mut diagonal, mut beside) = (vec![0.0; self.n], vec![0.0; self.n - 1]);
        for (i, x) in theta.windows(2).enumerate() {
            diagonal[i] += 1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0;
            diagonal[i + 1] += 200.0;
            beside[i] = -400.0 * x[0];
        }
        At { value, gradient, diagonal, beside }
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
        out.iter_mut().zip(&self.diagonal).zip(v).for_each(|((out, d), v)| *out = d * v);
        for (i, entry) in self.beside.iter().enumerate() {
            out[i] += entry * v[i + 1];
            out[i + 1] += entry * v[i];
        }
    }

    fn hessian(&self, mut out: MatMut<'_, f64>) {
        out.fill(0.0);
        self.diagonal.iter().enumerate().for_each(|(i, entry)| out[(i, i)] = *entry);
        for (i, entry) in self.beside.iter().enumerate() {
            (out[(i, i + 1)], out[(i + 1, i)]) = (*entry, *entry);
        }
    }
}

/// To f = 1e-12 from the start of `python_table.py`.
pub fn run(repeats: usize) -> Vec<Value> {
    let problem = Rosenbrock { n: 100 };
    let start = [1.3, 0.7, 0.8, 1.9, 1.2].repeat(20);
    let mut contestants = descent::by_gradient(&problem, &start);
    contestants.extend(descent::by_curvature(&problem, &start));
    let judge = |theta: &[f64]| problem.value(theta).into();
    let title = "Rosenbrock, 100 dimensions, f".to_owned();
    Task { title, asked: 1e-12, judge: Box::new(judge), contestants }.race(repeats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_the_value() {
        let checks =
            secant::check::curvature(&Rosenbrock { n: 6 }, &[0.3, -0.2, 1.1, 0.8, -1.2, 0.4], 1);
        assert!(checks.passed(), "{checks}");
    }
}
