//! Standard errors by products with J and Jᵀ, for problems whose J is not to be formed.
//!
//! The variance of gᵀθ is s²·gᵀ(JᵀJ)⁻¹g = 2s²·max over x of gᵀx − ½‖J·x‖², which conjugate gradients reach from below, preconditioned by the
//! diagonal of JᵀJ: a product with J and one with Jᵀ a step, memory 4n + m. Its error is of second order in the residual. Where the data leave
//! g open there is no maximum, and nothing converges. With a penalty p is the trace of J_d(JᵀJ)⁻¹J_dᵀ over the rows J_d of the data, estimated
//! by seeded signs (Hutchinson 1990).

use super::InferenceError;
use super::distributions::{Distribution, StudentT};
use crate::krylov::cg::{ConjugateGradient, Truncation};
use secant_core::operator::LinearOperator;
use secant_core::problem::LeastSquares;
use secant_core::random::Random;

/// From so many parameters on errors come by products, where there is a choice: a dense J of 10⁴ rows is then 160 MB, its QR 8·10¹⁰
/// operations.
pub const DENSE: usize = 2_000;
/// ‖JᵀJ·x − g‖ over ‖g‖ at the end; the variance is good to about its square times the condition.
const TOLERANCE: f64 = 1e-9;
/// Most products, for each parameter: rounding takes more than the n of exact arithmetic.
const PRODUCTS_PER_PARAMETER: usize = 10;
/// Most products at least.
const LEAST_PRODUCTS: usize = 200;
/// Vectors of signs for the trace: its relative error is below √(2/(16p)).
const SIGNS: u32 = 16;

/// Standard errors of chosen combinations at the solution of a least-squares problem.
pub struct Products<'a> {
    normal: Normal<'a>,
    diagonal: Vec<f64>,
    /// s² in the units of the residuals.
    variance: f64,
    /// p: n, or with a penalty an estimate.
    pub estimated: f64,
    /// m − p.
    pub degrees: f64,
    /// √(RSS/(m − p)) in the units of the targets, of σ where these are absolute.
    pub residual_deviation: f64,
    absolute: bool,
}

impl std::fmt::Debug for Products<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Products")
            .field("estimated", &self.estimated)
            .field("degrees", &self.degrees)
            .field("residual_deviation", &self.residual_deviation)
            .finish_non_exhaustive()
    }
}

/// JᵀJ
struct Normal<'a> {
    problem: &'a dyn LeastSquares,
    theta: &'a [f64],
}

impl LinearOperator for Normal<'_> {
    fn rows(&self) -> usize {
        self.theta.len()
    }
    fn cols(&self) -> usize {
        self.theta.len()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        let mut image = vec![0.0; self.problem.residual_len()];
        self.problem.jacobian_vector(self.theta, x, &mut image);
        self.problem.jacobian_transpose_vector(self.theta, &image, y);
    }
}

impl<'a> Products<'a> {
    /// At the solution; `absolute_sigma` as for [`Infer`](super::Infer::absolute_sigma).
    ///
    /// ```
    /// use secant_optim::LeastSquaresFn;
    /// use secant_optim::inference::{Inference, Products};
    /// let y = [1.1, 2.9, 5.2, 6.8];
    /// let line = LeastSquaresFn::new(2, 4, |p, r| {
    ///     (0..4).for_each(|i| r[i] = p[0] + p[1] * i as f64 - y[i]);
    /// });
    /// let theta = [1.09, 1.94];
    /// let products = Products::of(&line, &theta, false)?;
    /// let dense = Inference::of(&line, &theta).compute()?;
    /// let (a, b) = (products.error_along(&[1.0, 5.0])?, dense.error_along(&[1.0, 5.0]));
    /// assert!((a / b - 1.0).abs() < 1e-8);
    /// # Ok::<(), secant_optim::inference::InferenceError>(())
    /// ```
    ///
    /// # Errors
    /// A θ of another length; residuals that are not finite; no degrees of freedom; with a penalty, as [`error_along`](Self::error_along).
    pub fn of(
        problem: &'a dyn LeastSquares,
        theta: &'a [f64],
        absolute_sigma: bool,
    ) -> Result<Self, InferenceError> {
        let (expected, found) = (problem.dim(), theta.len());
        if expected != found {
            return Err(InferenceError::Length { what: "entries of θ", expected, found });
        }
        if let Some(fault) = problem.fault() {
            return Err(InferenceError::Problem(fault));
        }
        let observations = problem.observations();
        let mut residuals = vec![0.0; problem.residual_len()];
        problem.residuals(theta, &mut residuals);
        if let Some(row) = residuals.iter().position(|r| !r.is_finite()) {
            return Err(InferenceError::Residual { row, value: residuals[row] });
        }
        let squares = residuals[..observations.rows].iter().map(|r| r * r).sum::<f64>();
        let mut diagonal = vec![0.0; theta.len()];
        problem.normal_diagonal(theta, &mut diagonal);
        let mut products = Self {
            normal: Normal { problem, theta },
            diagonal,
            variance: 1.0,
            estimated: theta.len() as f64,
            degrees: 0.0,
            residual_deviation: f64::NAN,
            absolute: absolute_sigma,
        };
        if observations.rows < residuals.len() {
            products.estimated = products.trace(observations.rows)?;
        }
        products.degrees = observations.counted as f64 - products.estimated;
        if products.degrees > 0.0 {
            products.residual_deviation = observations.unit * (squares / products.degrees).sqrt();
            products.variance = squares / products.degrees;
        } else if !absolute_sigma {
            let (observations, parameters) = (observations.counted, products.estimated);
            return Err(InferenceError::NoDegrees { observations, parameters });
        }
        if absolute_sigma {
            products.variance = (observations.unit * observations.unit).recip();
        }
        Ok(products)
    }

    /// The standard error of a quantity with this gradient in θ.
    ///
    /// # Errors
    /// A gradient of another length; no convergence: the data leave it open, or all but open.
    pub fn error_along(&self, gradient: &[f64]) -> Result<f64, InferenceError> {
        Ok((self.variance * self.form(gradient)?).sqrt())
    }

    /// What an error is multiplied by for a two-sided interval.
    pub fn quantile(&self, level: f64) -> f64 {
        let degrees = if self.absolute { f64::INFINITY } else { self.degrees };
        StudentT::new(degrees).survival_quantile(0.5 * (1.0 - level))
    }

    /// gᵀ(JᵀJ)⁻¹g
    fn form(&self, gradient: &[f64]) -> Result<f64, InferenceError> {
        let (n, found) = (self.diagonal.len(), gradient.len());
        if n != found {
            let what = "entries of a gradient";
            return Err(InferenceError::Length { what, expected: n, found });
        }
        if gradient.iter().all(|g| *g == 0.0) {
            return Ok(0.0);
        }
        let most = (PRODUCTS_PER_PARAMETER * n).max(LEAST_PRODUCTS);
        let until = Truncation {
            tolerance: TOLERANCE,
            products: most,
            progress: false,
            warm: false,
            reach: f64::INFINITY,
        };
        let mut precondition = |r: &[f64], z: &mut [f64]| {
            for ((z, r), d) in z.iter_mut().zip(r).zip(&self.diagonal) {
                *z = if *d > 0.0 { r / d } else { *r };
            }
        };
        let mut x = vec![0.0; n];
        let mut cg = ConjugateGradient::preconditioned(n);
        let end = cg.solve(&self.normal, gradient, Some(&mut precondition), until, |_| {}, &mut x);
        let end = end.filter(|end| !end.negative_curvature && end.residual <= TOLERANCE);
        // The maximum of gᵀx − ½‖J·x‖² is half the form.
        end.map(|end| 2.0 * end.predicted).ok_or(InferenceError::NotConverged { products: most })
    }

    /// The trace of J_d(JᵀJ)⁻¹J_dᵀ.
    fn trace(&self, rows: usize) -> Result<f64, InferenceError> {
        let (mut random, mut sum) = (Random::new(0), 0.0);
        let mut signs = vec![0.0; self.normal.problem.residual_len()];
        let mut gradient = vec![0.0; self.diagonal.len()];
        for _ in 0..SIGNS {
            for sign in &mut signs[..rows] {
                *sign = if random.below(2) == 0 { -1.0 } else { 1.0 };
            }
            let Normal { problem, theta } = &self.normal;
            problem.jacobian_transpose_vector(theta, &signs, &mut gradient);
            sum += self.form(&gradient)?;
        }
        Ok(sum / f64::from(SIGNS))
    }
}
