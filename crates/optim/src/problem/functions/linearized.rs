//! Second derivatives of a least-squares problem from closures.

use super::{LeastSquaresFn, half_square, transposed_product};
use crate::problem::arms::KeptArms;
use faer::{Mat, MatMut};
use secant_core::problem::{InBox, Linearization};

/// A [`LeastSquaresFn`] at one θ: residuals and J. Its Gauss–Newton matrix is JᵀJ. With a Jacobian of your own its Hessian comes from
/// differences of the gradient Jᵀr, good to some ten digits; without, ∇²f = JᵀJ + Σ rᵢ∇²rᵢ has the sum from second differences of
/// rᵀr(θ), some six digits of it, with 2n evaluations of r a product and n² a matrix.
#[derive(Clone, Debug)]
pub struct LeastSquaresAt<'a> {
    problem: &'a LeastSquaresFn<'a>,
    theta: Vec<f64>,
    /// l and u.
    within: Option<(Vec<f64>, Vec<f64>)>,
    residuals: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    jacobian: Mat<f64>,
    arms: KeptArms,
}

impl<'a> LeastSquaresAt<'a> {
    pub(super) fn new(
        problem: &'a LeastSquaresFn<'a>,
        theta: &[f64],
        within: Option<InBox<'_>>,
    ) -> Self {
        let (residuals, jacobian) = problem.dense(theta, within);
        let mut gradient = vec![0.0; problem.parameters];
        transposed_product(&jacobian, &residuals, &mut gradient);
        let (theta, value) = (theta.to_vec(), half_square(&residuals));
        let within = within.map(|within| (within.lower.to_vec(), within.upper.to_vec()));
        let arms = KeptArms::default();
        Self { problem, theta, within, residuals, value, gradient, jacobian, arms }
    }

    fn within(&self) -> Option<InBox<'_>> {
        self.within.as_ref().map(|(lower, upper)| InBox { lower, upper })
    }

    /// ∇f at another point of the box.
    fn gradient_at(&self, point: &[f64], out: &mut [f64]) {
        self.problem.gradient_within(point, self.within(), out);
    }

    /// rᵀr(θ) with r of this point, whose Hessian is Σ rᵢ∇²rᵢ.
    fn along_residuals(&self, point: &[f64]) -> f64 {
        let there = self.problem.dense_residuals(point);
        there.iter().zip(&self.residuals).map(|(there, here)| there * here).sum()
    }
}

impl Linearization for LeastSquaresAt<'_> {
    fn value(&self) -> f64 {
        self.value
    }

    fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        let differences = self.problem.differences(self.within());
        if self.problem.jacobian.is_some() {
            let gradient = |point: &[f64], out: &mut [f64]| self.gradient_at(point, out);
            return differences.product(&gradient, &self.theta, &self.gradient, v, out);
        }
        let (f, here) = (|point: &[f64]| self.along_residuals(point), 2.0 * self.value);
        let arms = self.arms.get(|| differences.arms(&f, &self.theta, here));
        differences.hessian_vector(&f, (&self.theta, here), arms, v, out);
        let mut product = vec![0.0; v.len()];
        self.gauss_newton_vector(v, &mut product);
        out.iter_mut().zip(&product).for_each(|(out, product)| *out += product);
    }

    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        let along: Vec<f64> = self
            .jacobian
            .row_iter()
            .map(|row| row.iter().zip(v).map(|(entry, v)| entry * v).sum())
            .collect();
        transposed_product(&self.jacobian, &along, out);
    }

    fn hessian(&self, mut out: MatMut<'_, f64>) {
        let differences = self.problem.differences(self.within());
        if self.problem.jacobian.is_some() {
            let gradient = |point: &[f64], out: &mut [f64]| self.gradient_at(point, out);
            differences.symmetric_jacobian(&gradient, &self.theta, &self.gradient, out);
            return;
        }
        let (f, here) = (|point: &[f64]| self.along_residuals(point), 2.0 * self.value);
        let arms = self.arms.get(|| differences.arms(&f, &self.theta, here));
        differences.hessian(&f, (&self.theta, here), arms, out.as_mut());
        out += self.jacobian.transpose() * &self.jacobian;
    }

    fn gauss_newton(&self, mut out: MatMut<'_, f64>) {
        out.copy_from(self.jacobian.transpose() * &self.jacobian);
    }
}
