//! Least-squares problems from closures, for models that are no network.

mod linearized;
mod remembered;

pub use linearized::LeastSquaresAt;

use super::typical;
use super::uncounted::{EVALUATIONS, RESIDUAL};
use faer::{Mat, MatMut};
use remembered::Remembered;
use secant_core::differences::{Differences, Slope, in_words};
use secant_core::problem::{
    Asked, Costs, Curvature, Derivatives, InBox, LeastSquares, LinearPart, Objective, Structure,
};
use std::fmt;
use std::ops::Range;

type Residuals<'a> = dyn Fn(&[f64], &mut [f64]) + Send + Sync + 'a;
type Jacobian<'a> = dyn Fn(&[f64], MatMut<'_, f64>) + Send + Sync + 'a;

/// f(θ) = ½‖r(θ)‖² from a closure for r and, if you have one, a closure for J = ∂r/∂θ; without it J comes from differences, 4n
/// evaluations of r each as a rule, and is good to some ten digits. The steps are chosen anew at every θ from what r shows there
/// ([`secant_core::differences`]), and stay in the box of a method with bounds. The latest three such J of up to 65,536 entries are kept: where
/// the same r is found at the same θ again, at the end of a run say, they are not taken anew.
///
/// Gradient and products form J; a Levenberg–Marquardt step does so anyway. As a [`Curvature`] it runs under every
/// [`Method`](crate::Method): see [`LeastSquaresAt`] for its second derivatives. Without a Jacobian these cost n² evaluations of r for each
/// Hessian, 10,000 a step of Newton at n = 100 where Levenberg–Marquardt takes 400: take a method of least squares, as
/// [`Auto`](crate::Auto) does.
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
/// assert!((exact.theta[1] - by_differences.theta[1]).abs() < 1e-10);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
pub struct LeastSquaresFn<'a> {
    parameters: usize,
    residuals: usize,
    r: Box<Residuals<'a>>,
    jacobian: Option<Box<Jacobian<'a>>>,
    linear: Vec<Range<usize>>,
    typical: Vec<f64>,
    on_one_thread: bool,
    remembered: Remembered,
}

impl fmt::Debug for LeastSquaresFn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeastSquaresFn")
            .field("parameters", &self.parameters)
            .field("residuals", &self.residuals)
            .field("derivatives", &self.derivatives())
            .finish_non_exhaustive()
    }
}

impl<'a> LeastSquaresFn<'a> {
    /// n parameters, m residuals, and `r(θ, out)`, which writes the m residuals. Outside its domain it writes NaN.
    pub fn new(
        parameters: usize,
        residuals: usize,
        r: impl Fn(&[f64], &mut [f64]) + Send + Sync + 'a,
    ) -> Self {
        let (linear, typical) = (Vec::new(), Vec::new());
        let (r, jacobian) = (Box::new(r), None);
        let (on_one_thread, remembered) = (false, Remembered::default());
        Self { parameters, residuals, r, jacobian, linear, typical, on_one_thread, remembered }
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

    /// The size of each parameter, against which a change is small: where differences begin. Length n, positive. By default |θⱼ|, or 1
    /// where that is 0; worth giving where a parameter begins near 0 or far from it and its scale is another. A run is refused where they
    /// do not fit.
    pub fn with_typical(mut self, typical: impl Into<Vec<f64>>) -> Self {
        self.typical = typical.into();
        self.remembered = Remembered::default();
        self
    }

    /// Differences evaluate r on the thread that asks for them alone. By default several axes are taken at once where r takes long, with the
    /// same bits.
    pub fn on_one_thread(mut self) -> Self {
        self.on_one_thread = true;
        self
    }

    fn differences<'b>(&'b self, within: Option<InBox<'b>>) -> Differences<'b> {
        Differences { typical: &self.typical, within, on_one_thread: self.on_one_thread }
    }

    /// `out` ← J, where r is `residuals`. What came of the columns by differences; none with formulas.
    fn fill_jacobian(
        &self,
        (theta, residuals): (&[f64], &[f64]),
        within: Option<InBox<'_>>,
        out: MatMut<'_, f64>,
    ) -> Vec<Slope> {
        if let Some(jacobian) = &self.jacobian {
            jacobian(theta, out);
            return Vec::new();
        }
        self.remembered.jacobian((theta, residuals), within, out, |out| {
            self.differences(within).jacobian(&*self.r, theta, residuals, out)
        })
    }

    /// r and J.
    fn dense(&self, theta: &[f64], within: Option<InBox<'_>>) -> (Vec<f64>, Mat<f64>) {
        let residuals = self.dense_residuals(theta);
        let mut jacobian = Mat::zeros(self.residuals, self.parameters);
        self.fill_jacobian((theta, &residuals), within, jacobian.as_mut());
        (residuals, jacobian)
    }

    fn dense_jacobian(&self, theta: &[f64]) -> Mat<f64> {
        if self.jacobian.is_none() {
            return self.dense(theta, None).1;
        }
        let mut jacobian = Mat::zeros(self.residuals, self.parameters);
        self.fill_jacobian((theta, &[]), None, jacobian.as_mut());
        jacobian
    }

    fn gradient_within(
        &self,
        theta: &[f64],
        within: Option<InBox<'_>>,
        gradient: &mut [f64],
    ) -> f64 {
        let (residuals, jacobian) = self.dense(theta, within);
        transposed_product(&jacobian, &residuals, gradient);
        half_square(&residuals)
    }

    fn normal_equations_in(
        &self,
        theta: &[f64],
        within: Option<InBox<'_>>,
        mut normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        let (residuals, jacobian) = self.dense(theta, within);
        normal.copy_from(jacobian.transpose() * &jacobian);
        transposed_product(&jacobian, &residuals, gradient);
        half_square(&residuals)
    }

    fn dense_residuals(&self, theta: &[f64]) -> Vec<f64> {
        let mut residuals = vec![0.0; self.residuals];
        (self.r)(theta, &mut residuals);
        residuals
    }
}

pub(super) fn half_square(r: &[f64]) -> f64 {
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
        self.gradient_within(theta, None, gradient)
    }
    fn value_gradient_within(&self, theta: &[f64], within: InBox<'_>, gradient: &mut [f64]) -> f64 {
        self.gradient_within(theta, Some(within), gradient)
    }
    fn notes(&self, theta: &[f64], asked: Asked<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        if self.jacobian.is_none() && (asked.first || asked.second || asked.gauss_newton) {
            notes.push(
                "Jacobian by differences of the residuals: expect about 1e-10 relative".to_owned(),
            );
            let residuals = self.dense_residuals(theta);
            let mut jacobian = Mat::zeros(self.residuals, self.parameters);
            let here = (theta, &residuals[..]);
            let slopes = self.fill_jacobian(here, asked.within, jacobian.as_mut());
            notes.extend(in_words(&slopes));
        }
        if asked.second {
            let n = self.parameters;
            notes.push(match self.jacobian {
                Some(_) => "second derivatives by differences of the gradient".to_owned(),
                None => format!(
                    "second derivatives by differences of the residuals, {} evaluations for each Hessian: methods of least squares need none",
                    n * (n + 5)
                ),
            });
        }
        notes
    }
    fn fault(&self) -> Option<String> {
        if self.residuals == 0 {
            return Some("a sum of squares without residuals: nothing to minimise".to_owned());
        }
        typical::fault(&self.typical, self.parameters)
    }
}

impl Curvature for LeastSquaresFn<'_> {
    type At<'a>
        = LeastSquaresAt<'a>
    where
        Self: 'a;

    fn linearize(&self, theta: &[f64]) -> LeastSquaresAt<'_> {
        LeastSquaresAt::new(self, theta, None)
    }

    fn linearize_within(&self, theta: &[f64], within: InBox<'_>) -> LeastSquaresAt<'_> {
        LeastSquaresAt::new(self, theta, Some(within))
    }

    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        Some(Box::new(self))
    }

    fn structure(&self) -> Structure {
        let (m, n) = (self.residuals as f64, self.parameters as f64);
        let residuals = RESIDUAL * m;
        let exact = self.jacobian.is_some();
        let jacobian = if exact { n * residuals } else { EVALUATIONS * n * residuals };
        let evaluation = residuals + jacobian;
        let (hessian_vector, hessian) = if exact {
            (EVALUATIONS * evaluation, EVALUATIONS * n * evaluation)
        } else {
            (2.0 * n * residuals, (n + 5.0) * n * residuals)
        };
        let product = 2.0 * m * n;
        let costs = Costs {
            evaluation,
            hessian_vector,
            gauss_newton_vector: 2.0 * product,
            hessian,
            gauss_newton: n * product,
            jacobian: evaluation,
            normal_equations: evaluation + n * product,
        };
        let known = Structure::of_residuals(self);
        let second_derivatives = Derivatives::Differences;
        Structure { second_derivatives, costs: Some(costs), ..known }
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
        normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        self.normal_equations_in(theta, None, normal, gradient)
    }

    fn normal_equations_within(
        &self,
        theta: &[f64],
        within: InBox<'_>,
        normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        self.normal_equations_in(theta, Some(within), normal, gradient)
    }

    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], jacobian: MatMut<'_, f64>) -> f64 {
        (self.r)(theta, residuals);
        self.fill_jacobian((theta, residuals), None, jacobian);
        half_square(residuals)
    }

    fn jacobian_within(
        &self,
        theta: &[f64],
        within: InBox<'_>,
        residuals: &mut [f64],
        jacobian: MatMut<'_, f64>,
    ) -> f64 {
        (self.r)(theta, residuals);
        self.fill_jacobian((theta, residuals), Some(within), jacobian);
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
