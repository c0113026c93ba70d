//! Least-squares problems from closures, for models that are no network.

use faer::{Mat, MatMut};
use secant_core::problem::{
    Costs, Curvature, Derivatives, LeastSquares, LinearPart, Linearization, Objective, Structure,
};
use std::fmt;
use std::ops::Range;

/// Step of a central difference relative to |θⱼ|, or absolute where θⱼ = 0: ε^⅓, which balances the rounding of r, ε/h,
/// and the third derivative, h².  Nocedal & Wright (2006) §8.1.
pub const DIFFERENCE: f64 = 6.055_454_452_393_343e-6;

/// Operations of a residual that nobody counted: a few elementary functions.
const RESIDUAL: f64 = 100.0;

type Residuals<'a> = dyn Fn(&[f64], &mut [f64]) + Send + Sync + 'a;
type Jacobian<'a> = dyn Fn(&[f64], MatMut<'_, f64>) + Send + Sync + 'a;

/// f(θ) = ½‖r(θ)‖² from a closure for r and, if you have one, a closure for J = ∂r/∂θ; without it J comes from central
/// differences, 2n evaluations of r each, and is good to some ten digits.
///
/// Gradient and products form J; a Levenberg–Marquardt step does so anyway. As a [`Curvature`] it runs under every
/// [`Method`](crate::Method): see [`LeastSquaresAt`] for its second derivatives.
///
/// ```
/// use secant_optim::{LeastSquaresFn, LevenbergMarquardt, minimize};
///
/// // y = a·exp(−b·t) through four points; θ = (a, b).
/// let (t, y) = ([0.0, 1.0, 2.0, 3.0], [2.0, 1.2, 0.75, 0.42]);
/// let decay = LeastSquaresFn::new(2, 4, |theta, r| {
///     for i in 0..4 {
///         r[i] = theta[0] * f64::exp(-theta[1] * t[i]) - y[i];
///     }
/// });
/// let by_differences = minimize(&decay, LevenbergMarquardt::default(), &[1.0, 1.0])?;
/// assert!(by_differences.report.notes.iter().any(|note| note.contains("differences")));
///
/// let decay = decay.with_jacobian(|theta, mut j| {
///     for i in 0..4 {
///         let e = f64::exp(-theta[1] * t[i]);
///         j[(i, 0)] = e;
///         j[(i, 1)] = -theta[0] * t[i] * e;
///     }
/// });
/// let exact = minimize(&decay, LevenbergMarquardt::default(), &[1.0, 1.0])?;
/// assert!(exact.report.reason.is_success());
/// assert!((exact.theta[1] - by_differences.theta[1]).abs() < 1e-8);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
pub struct LeastSquaresFn<'a> {
    parameters: usize,
    residuals: usize,
    r: Box<Residuals<'a>>,
    jacobian: Option<Box<Jacobian<'a>>>,
    linear: Vec<Range<usize>>,
}

impl fmt::Debug for LeastSquaresFn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeastSquaresFn")
            .field("parameters", &self.parameters)
            .field("residuals", &self.residuals)
            .field("derivatives", &self.derivatives())
            .finish()
    }
}

impl<'a> LeastSquaresFn<'a> {
    /// n parameters, m residuals, and `r(θ, out)`, which writes the m residuals. Outside its domain it writes NaN.
    pub fn new(
        parameters: usize,
        residuals: usize,
        r: impl Fn(&[f64], &mut [f64]) + Send + Sync + 'a,
    ) -> Self {
        Self { parameters, residuals, r: Box::new(r), jacobian: None, linear: Vec::new() }
    }

    /// `jacobian(θ, out)` writes every entry of J = ∂r/∂θ, m × n.
    pub fn with_jacobian(
        mut self,
        jacobian: impl Fn(&[f64], MatMut<'_, f64>) + Send + Sync + 'a,
    ) -> Self {
        self.jacobian = Some(Box::new(jacobian));
        self
    }

    /// The entries of θ in `range` enter r linearly, together with those named before: for
    /// [`VariableProjection`](crate::VariableProjection), which checks it.
    pub fn with_linear(mut self, range: Range<usize>) -> Self {
        self.linear.push(range);
        self
    }

    fn fill_jacobian(&self, theta: &[f64], mut out: MatMut<'_, f64>) {
        if let Some(jacobian) = &self.jacobian {
            jacobian(theta, out);
            return;
        }
        let mut at = theta.to_vec();
        let (mut ahead, mut behind) = (vec![0.0; self.residuals], vec![0.0; self.residuals]);
        for j in 0..self.parameters {
            let h = if theta[j] == 0.0 { DIFFERENCE } else { DIFFERENCE * theta[j].abs() };
            let (right, left) = (theta[j] + h, theta[j] - h);
            at[j] = right;
            (self.r)(&at, &mut ahead);
            at[j] = left;
            (self.r)(&at, &mut behind);
            at[j] = theta[j];
            for i in 0..self.residuals {
                // Divided by the distance that rounding left, not by 2h.
                out[(i, j)] = (ahead[i] - behind[i]) / (right - left);
            }
        }
    }

    fn dense_jacobian(&self, theta: &[f64]) -> Mat<f64> {
        let mut jacobian = Mat::zeros(self.residuals, self.parameters);
        self.fill_jacobian(theta, jacobian.as_mut());
        jacobian
    }

    fn dense_residuals(&self, theta: &[f64]) -> Vec<f64> {
        let mut residuals = vec![0.0; self.residuals];
        (self.r)(theta, &mut residuals);
        residuals
    }
}

fn half_square(r: &[f64]) -> f64 {
    0.5 * r.iter().map(|r| r * r).sum::<f64>()
}

fn transposed_product(jacobian: &Mat<f64>, u: &[f64], out: &mut [f64]) {
    for (j, out) in out.iter_mut().enumerate() {
        *out = jacobian.col(j).iter().zip(u).map(|(entry, u)| entry * u).sum();
    }
}

impl Objective for LeastSquaresFn<'_> {
    fn dim(&self) -> usize {
        self.parameters
    }
    fn value(&self, theta: &[f64]) -> f64 {
        half_square(&self.dense_residuals(theta))
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let residuals = self.dense_residuals(theta);
        transposed_product(&self.dense_jacobian(theta), &residuals, gradient);
        half_square(&residuals)
    }
}

/// A [`LeastSquaresFn`] at one θ: residuals and J. Its Gauss–Newton matrix is JᵀJ; a product with its Hessian is a central difference of
/// the gradient Jᵀr, good to some ten digits with a Jacobian of your own, to some five without.
#[derive(Clone, Debug)]
pub struct LeastSquaresAt<'a> {
    problem: &'a LeastSquaresFn<'a>,
    theta: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    jacobian: Mat<f64>,
}

impl Curvature for LeastSquaresFn<'_> {
    type At<'a>
        = LeastSquaresAt<'a>
    where
        Self: 'a;

    fn linearize(&self, theta: &[f64]) -> LeastSquaresAt<'_> {
        let (residuals, jacobian) = (self.dense_residuals(theta), self.dense_jacobian(theta));
        let mut gradient = vec![0.0; self.parameters];
        transposed_product(&jacobian, &residuals, &mut gradient);
        let (theta, value) = (theta.to_vec(), half_square(&residuals));
        LeastSquaresAt { problem: self, theta, value, gradient, jacobian }
    }

    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        Some(Box::new(self))
    }

    fn structure(&self) -> Structure {
        let (m, n) = (self.residuals as f64, self.parameters as f64);
        let residuals = RESIDUAL * m;
        let exact = self.jacobian.is_some();
        let jacobian = if exact { n * residuals } else { 2.0 * n * residuals };
        let evaluation = residuals + jacobian;
        let product = 2.0 * m * n;
        let costs = Costs {
            evaluation,
            hessian_vector: 2.0 * evaluation,
            gauss_newton_vector: 2.0 * product,
            hessian: 2.0 * n * evaluation,
            gauss_newton: n * product,
            jacobian: evaluation,
            normal_equations: evaluation + n * product,
        };
        let known = Structure::of_residuals(self);
        let second_derivatives = Derivatives::Differences;
        Structure { second_derivatives, costs: Some(costs), ..known }
    }
}

impl LeastSquaresAt<'_> {
    /// n products; the mean of both triangles, which differ by the error of the differences.
    fn columns(&self, product: impl Fn(&[f64], &mut [f64]), mut out: MatMut<'_, f64>) {
        let n = self.gradient.len();
        let (mut unit, mut column) = (vec![0.0; n], vec![0.0; n]);
        for j in 0..n {
            unit[j] = 1.0;
            product(&unit, &mut column);
            unit[j] = 0.0;
            for (i, entry) in column.iter().enumerate() {
                out[(i, j)] = *entry;
            }
        }
        for j in 0..n {
            for i in 0..j {
                let mean = 0.5 * (out[(i, j)] + out[(j, i)]);
                (out[(i, j)], out[(j, i)]) = (mean, mean);
            }
        }
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
        // No parameter moves by more than the step of its own difference.
        let move_of = |(theta, v): (&f64, &f64)| {
            let size = if *theta == 0.0 { 1.0 } else { theta.abs() };
            v.abs() / size
        };
        let farthest = self.theta.iter().zip(v).map(move_of).fold(0.0, f64::max);
        if farthest == 0.0 {
            return out.fill(0.0);
        }
        let h = DIFFERENCE / farthest;
        let shifted = |h: f64| -> Vec<f64> {
            self.theta.iter().zip(v).map(|(theta, v)| h.mul_add(*v, *theta)).collect()
        };
        let mut behind = vec![0.0; v.len()];
        self.problem.value_gradient(&shifted(h), out);
        self.problem.value_gradient(&shifted(-h), &mut behind);
        for (out, behind) in out.iter_mut().zip(&behind) {
            *out = (*out - behind) / (2.0 * h);
        }
    }

    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        let along: Vec<f64> = self
            .jacobian
            .row_iter()
            .map(|row| row.iter().zip(v).map(|(entry, v)| entry * v).sum())
            .collect();
        transposed_product(&self.jacobian, &along, out);
    }

    fn hessian(&self, out: MatMut<'_, f64>) {
        self.columns(|v, product| self.hessian_vector(v, product), out);
    }

    fn gauss_newton(&self, mut out: MatMut<'_, f64>) {
        out.copy_from(self.jacobian.transpose() * &self.jacobian);
    }
}

impl LeastSquares for LeastSquaresFn<'_> {
    fn residual_len(&self) -> usize {
        self.residuals
    }

    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        (self.r)(theta, residuals);
        half_square(residuals)
    }

    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        let jacobian = self.dense_jacobian(theta);
        for (i, out) in out.iter_mut().enumerate() {
            *out = (0..v.len()).map(|j| jacobian[(i, j)] * v[j]).sum();
        }
    }

    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        transposed_product(&self.dense_jacobian(theta), u, out);
    }

    fn normal_equations(
        &self,
        theta: &[f64],
        mut normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        let (residuals, jacobian) = (self.dense_residuals(theta), self.dense_jacobian(theta));
        normal.copy_from(jacobian.transpose() * &jacobian);
        transposed_product(&jacobian, &residuals, gradient);
        half_square(&residuals)
    }

    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], jacobian: MatMut<'_, f64>) -> f64 {
        (self.r)(theta, residuals);
        self.fill_jacobian(theta, jacobian);
        half_square(residuals)
    }

    fn normal_diagonal(&self, theta: &[f64], out: &mut [f64]) {
        let jacobian = self.dense_jacobian(theta);
        for (j, out) in out.iter_mut().enumerate() {
            *out = jacobian.col(j).iter().map(|entry| entry * entry).sum();
        }
    }

    fn derivatives(&self) -> Derivatives {
        match self.jacobian {
            Some(_) => Derivatives::Exact,
            None => Derivatives::Differences,
        }
    }

    fn linear_parameters(&self) -> Vec<Range<usize>> {
        self.linear.clone()
    }

    /// Without a Jacobian by whole steps: r is linear in these parameters, so that no step is too long.
    fn linear_design(
        &self,
        theta: &[f64],
        part: &LinearPart,
        residuals: &mut [f64],
        mut design: MatMut<'_, f64>,
    ) -> f64 {
        let value = self.residuals(theta, residuals);
        let columns = part.ranges.iter().cloned().flatten();
        if self.jacobian.is_some() {
            let jacobian = self.dense_jacobian(theta);
            for (j, column) in columns.enumerate() {
                design.as_mut().col_mut(j).copy_from(jacobian.col(column));
            }
            return value;
        }
        let mut at = theta.to_vec();
        let mut ahead = vec![0.0; self.residuals];
        let size = half_square(residuals).sqrt();
        for (j, column) in columns.enumerate() {
            let mut step = 1.0;
            // A second time where a step of 1 moves r by less than r, and would leave fewer digits.
            for last in [false, true] {
                at[column] = theta[column] + step;
                (self.r)(&at, &mut ahead);
                ahead.iter_mut().zip(&*residuals).for_each(|(ahead, r)| *ahead -= r);
                let moved = half_square(&ahead).sqrt();
                if last || !(moved > 0.0 && moved < size) {
                    break;
                }
                step = size / moved;
            }
            at[column] = theta[column];
            for (i, moved) in ahead.iter().enumerate() {
                design[(i, j)] = moved / step;
            }
        }
        value
    }
}
