//! A least-squares problem with some of its parameters held.

use faer::{Mat, MatMut};
use secant_core::problem::{Derivatives, InBox, LeastSquares, Objective};

/// min over the free parameters, the others as `theta` has them.
pub(super) struct Held<'a> {
    problem: &'a dyn LeastSquares,
    /// Where each free parameter stands.
    free: Vec<usize>,
    theta: Vec<f64>,
    /// Of all parameters, where there are bounds.
    bounds: Option<InBox<'a>>,
}

impl<'a> Held<'a> {
    /// All of `theta` held but the parameters `free`.
    pub(super) fn new(
        problem: &'a dyn LeastSquares,
        free: Vec<usize>,
        theta: Vec<f64>,
        bounds: Option<InBox<'a>>,
    ) -> Self {
        Self { problem, free, theta, bounds }
    }

    /// All parameters, with these free ones.
    pub(super) fn whole(&self, free: &[f64]) -> Vec<f64> {
        let mut theta = self.theta.clone();
        for (j, value) in self.free.iter().zip(free) {
            theta[*j] = *value;
        }
        theta
    }

    /// The free ones of all parameters.
    pub(super) fn part(&self, theta: &[f64]) -> Vec<f64> {
        self.free.iter().map(|j| theta[*j]).collect()
    }

    fn pick(&self, from: &[f64], out: &mut [f64]) {
        for (out, j) in out.iter_mut().zip(&self.free) {
            *out = from[*j];
        }
    }
}

impl Objective for Held<'_> {
    fn dim(&self) -> usize {
        self.free.len()
    }

    fn value(&self, theta: &[f64]) -> f64 {
        self.problem.value(&self.whole(theta))
    }

    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let mut all = vec![0.0; self.theta.len()];
        let theta = self.whole(theta);
        let value = match self.bounds {
            Some(within) => self.problem.value_gradient_within(&theta, within, &mut all),
            None => self.problem.value_gradient(&theta, &mut all),
        };
        self.pick(&all, gradient);
        value
    }
}

impl LeastSquares for Held<'_> {
    fn residual_len(&self) -> usize {
        self.problem.residual_len()
    }

    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        self.problem.residuals(&self.whole(theta), residuals)
    }

    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        let mut wide = vec![0.0; self.theta.len()];
        for (j, v) in self.free.iter().zip(v) {
            wide[*j] = *v;
        }
        self.problem.jacobian_vector(&self.whole(theta), &wide, out);
    }

    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        let mut all = vec![0.0; self.theta.len()];
        self.problem.jacobian_transpose_vector(&self.whole(theta), u, &mut all);
        self.pick(&all, out);
    }

    fn normal_equations(
        &self,
        theta: &[f64],
        mut normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        let n = self.theta.len();
        let (mut all, mut whole) = (Mat::zeros(n, n), vec![0.0; n]);
        let theta = self.whole(theta);
        let value = match self.bounds {
            Some(within) => {
                self.problem.normal_equations_within(&theta, within, all.as_mut(), &mut whole)
            }
            None => self.problem.normal_equations(&theta, all.as_mut(), &mut whole),
        };
        for (a, i) in self.free.iter().enumerate() {
            for (b, j) in self.free.iter().enumerate() {
                normal[(a, b)] = all[(*i, *j)];
            }
        }
        self.pick(&whole, gradient);
        value
    }

    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], mut jacobian: MatMut<'_, f64>) -> f64 {
        let mut all = Mat::zeros(self.residual_len(), self.theta.len());
        let theta = self.whole(theta);
        let value = match self.bounds {
            Some(within) => self.problem.jacobian_within(&theta, within, residuals, all.as_mut()),
            None => self.problem.jacobian(&theta, residuals, all.as_mut()),
        };
        for (column, j) in self.free.iter().enumerate() {
            jacobian.as_mut().col_mut(column).copy_from(all.col(*j));
        }
        value
    }

    fn derivatives(&self) -> Derivatives {
        self.problem.derivatives()
    }
}
