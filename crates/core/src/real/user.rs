//! What a user writes once: residuals, or a function.

use super::Real;

/// Residuals r(θ) of a least-squares problem, written for every [`Real`]: from one function come r, J = ∂r/∂θ and second derivatives, exact
/// to rounding.
///
/// `secant::residuals(…)` makes a problem of it for every method; `secant::fit_many` fits thousands of them.
///
/// ```
/// use secant_core::real::{Real, Residuals};
///
/// /// y = a·e^(−bt): θ = (a, b).
/// struct Decay { t: Vec<f64>, y: Vec<f64> }
///
/// impl Residuals for Decay {
///     fn parameters(&self) -> usize { 2 }
///     fn residual_len(&self) -> usize { self.t.len() }
///     fn residuals<T: Real>(&self, p: &[T], r: &mut [T]) {
///         for ((r, t), y) in r.iter_mut().zip(&self.t).zip(&self.y) {
///             *r = p[0] * (-p[1] * *t).exp() - *y;
///         }
///     }
/// }
/// ```
pub trait Residuals {
    /// n, the length of θ.
    fn parameters(&self) -> usize;
    /// m, the number of residuals.
    fn residual_len(&self) -> usize;
    /// `r` ← r(θ), every one of the m entries, which hold anything before; outside its domain NaN. A deterministic function of θ: the same
    /// θ gives the same bits, whatever `T`.
    fn residuals<T: Real>(&self, theta: &[T], r: &mut [T]);
    /// The name of parameter `j`, for reports and tables. Default `θ[j]`.
    fn parameter_name(&self, j: usize) -> String {
        format!("θ[{j}]")
    }
}

/// A function f(θ) to be minimised, written for every [`Real`]: from one function come f, ∇f, Hessian products and the dense Hessian, exact
/// to rounding.
///
/// `secant::function(…)` makes a problem of it for every method.
///
/// ```
/// use secant_core::real::{Function, Real};
///
/// struct Rosenbrock;
///
/// impl Function for Rosenbrock {
///     fn parameters(&self) -> usize { 2 }
///     fn value<T: Real>(&self, x: &[T]) -> T {
///         (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2)
///     }
/// }
/// ```
pub trait Function {
    /// n, the length of θ.
    fn parameters(&self) -> usize;
    /// f(θ); outside its domain NaN. A deterministic function of θ: the same θ gives the same bits, whatever `T`.
    fn value<T: Real>(&self, theta: &[T]) -> T;
}

impl<R: Residuals + ?Sized> Residuals for &R {
    fn parameters(&self) -> usize {
        (**self).parameters()
    }
    fn residual_len(&self) -> usize {
        (**self).residual_len()
    }
    fn residuals<T: Real>(&self, theta: &[T], r: &mut [T]) {
        (**self).residuals(theta, r);
    }
    fn parameter_name(&self, j: usize) -> String {
        (**self).parameter_name(j)
    }
}

impl<F: Function + ?Sized> Function for &F {
    fn parameters(&self) -> usize {
        (**self).parameters()
    }
    fn value<T: Real>(&self, theta: &[T]) -> T {
        (**self).value(theta)
    }
}
