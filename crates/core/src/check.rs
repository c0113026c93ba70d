//! Derivatives held against finite differences, against dense matrices and against each other.
//!
//! For your own objectives ([`objective`], [`curvature`], [`least_squares`], [`sampled`]) and your own nodes ([`op`]):
//!
//! ```
//! use secant_core::{check, op::Activation, shape::Shape};
//! let checks = check::op(&Activation::Tanh, &[Shape::vector(5)], 1)?;
//! assert!(checks.passed(), "{checks}");
//! # Ok::<(), secant_core::shape::ShapeError>(())
//! ```
//!
//! Differences are central with step ∛ε·max(1, ‖θ‖∞), so that their own error is about ε^⅔ ≈ 4e-11 relative; a kink (ReLU
//! at 0) within a step of θ shows as a failure that another θ does not have.

mod node;
mod sampled;

pub use node::{op, op_within};
pub use sampled::sampled;

use crate::problem::{Curvature, LeastSquares, Linearization, Objective};
use crate::random::Random;
use faer::{Mat, MatRef};
use std::fmt;

/// Allowed relative distance of a derivative from central differences.
pub const DIFFERENCE_TOLERANCE: f64 = 1e-6;
/// Allowed relative distance between two exact ways to one number: products and the dense matrix, ⟨u, Hv⟩ and ⟨v, Hu⟩.
pub const EXACT_TOLERANCE: f64 = 1e-10;
/// The Taylor remainder with the product in falls as h³, with a wrong one as h²; measured orders may be this much below 3.
pub const ORDER_SLACK: f64 = 0.5;

/// One comparison: the relative error found and what is allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What was compared.
    pub what: &'static str,
    /// Relative error; for a Taylor order, 3 − the order.
    pub error: f64,
    /// Largest error that passes.
    pub tolerance: f64,
}

impl Check {
    /// Whether the error is within the tolerance; a NaN is not.
    pub fn passed(&self) -> bool {
        self.error <= self.tolerance
    }
}

/// Several comparisons; `Display` prints a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checks(pub Vec<Check>);

impl Checks {
    /// Whether every comparison passed.
    pub fn passed(&self) -> bool {
        self.0.iter().all(Check::passed)
    }
    /// The error of the comparison called `what`.
    pub fn error(&self, what: &str) -> Option<f64> {
        self.0.iter().find(|check| check.what == what).map(|check| check.error)
    }
    fn push(&mut self, what: &'static str, error: f64, tolerance: f64) {
        self.0.push(Check { what, error, tolerance });
    }
}

impl fmt::Display for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { what, error, tolerance } in &self.0 {
            let verdict = if error <= tolerance { "ok" } else { "FAILED" };
            writeln!(f, "{what:<44} {error:>9.1e} ≤ {tolerance:.0e}  {verdict}")?;
        }
        Ok(())
    }
}

/// ∇f against central differences of f, entry by entry, and f of both evaluations against each other. 2n + 2 evaluations.
pub fn objective(problem: &impl Objective, theta: &[f64]) -> Checks {
    let mut checks = Checks::default();
    let mut gradient = vec![0.0; problem.dim()];
    let value = problem.value_gradient(theta, &mut gradient);
    let alone = problem.value(theta);
    let value_error = (value - alone).abs() / value.abs().max(f64::MIN_POSITIVE);
    checks.push("value alone, with gradient", value_error, EXACT_TOLERANCE);
    let differences = difference_gradient(problem, theta);
    checks.push(
        "gradient, differences of values",
        distance(&gradient, &differences),
        DIFFERENCE_TOLERANCE,
    );
    checks
}

/// [`objective`], and the linearisation at θ: value and gradient, Hessian products against differences of gradients, against
/// the dense Hessian, in symmetry and in Taylor order; Gauss–Newton products against the dense matrix. Directions are drawn
/// from `seed`. About 2n + 40 evaluations, n products and n² memory.
pub fn curvature(problem: &impl Curvature, theta: &[f64], seed: u64) -> Checks {
    let n = problem.dim();
    let mut random = Random::new(seed);
    let mut direction = || -> Vec<f64> { (0..n).map(|_| random.normal()).collect() };
    let (u, v) = (direction(), direction());
    let mut checks = objective(problem, theta);

    let mut gradient = vec![0.0; n];
    let value = problem.value_gradient(theta, &mut gradient);
    let at = problem.linearize(theta);
    let value_error = (value - at.value()).abs() / value.abs().max(f64::MIN_POSITIVE);
    checks.push("value, linearised", value_error, EXACT_TOLERANCE);
    checks.push("gradient, linearised", distance(at.gradient(), &gradient), EXACT_TOLERANCE);

    let product = apply(|v, out| at.hessian_vector(v, out), &v);
    let differences = difference_hessian_vector(problem, theta, &v);
    let error = distance(&product, &differences);
    checks.push("Hessian product, differences of gradients", error, DIFFERENCE_TOLERANCE);
    let mut dense = Mat::zeros(n, n);
    at.hessian(dense.as_mut());
    let error = distance(&product, &multiply(dense.as_ref(), &v));
    checks.push("Hessian product, dense Hessian", error, EXACT_TOLERANCE);
    let other = apply(|v, out| at.hessian_vector(v, out), &u);
    checks.push("⟨u, Hv⟩, ⟨v, Hu⟩", asymmetry(&u, &product, &v, &other), EXACT_TOLERANCE);
    let order = taylor_order(problem, theta, &v, &gradient, &product);
    checks.push("Taylor order, 3 −", 3.0 - order, ORDER_SLACK);

    let product = apply(|v, out| at.gauss_newton_vector(v, out), &v);
    at.gauss_newton(dense.as_mut());
    let error = distance(&product, &multiply(dense.as_ref(), &v));
    checks.push("Gauss–Newton product, dense matrix", error, EXACT_TOLERANCE);
    let other = apply(|v, out| at.gauss_newton_vector(v, out), &u);
    let diagonal: Vec<f64> = (0..n).map(|j| dense[(j, j)]).collect();
    let alone = apply(|_, out| at.gauss_newton_diagonal(out), &v);
    checks.push("Gauss–Newton diagonal", distance(&alone, &diagonal), EXACT_TOLERANCE);
    checks.push("⟨u, Gv⟩, ⟨v, Gu⟩", asymmetry(&u, &product, &v, &other), EXACT_TOLERANCE);
    checks
}

/// [`objective`], and residuals and Jacobian at θ: ½‖r‖² against f, J·v against differences of r, ⟨Jv, u⟩ = ⟨v, Jᵀu⟩, dense J,
/// JᵀJ with its diagonal, Jᵀr, and the linearisation where there is one. Directions are drawn from `seed`.
pub fn least_squares(problem: &impl LeastSquares, theta: &[f64], seed: u64) -> Checks {
    let (m, n) = (problem.residual_len(), problem.dim());
    let mut random = Random::new(seed);
    let v: Vec<f64> = (0..n).map(|_| random.normal()).collect();
    let u: Vec<f64> = (0..m).map(|_| random.normal()).collect();
    let mut checks = objective(problem, theta);

    let mut residuals = vec![0.0; m];
    let half = problem.residuals(theta, &mut residuals);
    let value = problem.value(theta);
    let error = (half - value).abs() / value.abs().max(f64::MIN_POSITIVE);
    checks.push("½‖r‖², value", error, EXACT_TOLERANCE);

    let mut forward = vec![0.0; m];
    problem.jacobian_vector(theta, &v, &mut forward);
    let differences = difference_along(theta, &v, m, |theta, out| {
        problem.residuals(theta, out);
    });
    let error = distance(&forward, &differences);
    checks.push("J·v, differences of residuals", error, DIFFERENCE_TOLERANCE);
    let mut back = vec![0.0; n];
    problem.jacobian_transpose_vector(theta, &u, &mut back);
    checks.push("⟨Jv, u⟩, ⟨v, Jᵀu⟩", asymmetry(&u, &forward, &v, &back), EXACT_TOLERANCE);

    let mut jacobian = Mat::zeros(m, n);
    problem.jacobian(theta, &mut residuals, jacobian.as_mut());
    let error = distance(&forward, &multiply(jacobian.as_ref(), &v));
    checks.push("J·v, dense Jacobian", error, EXACT_TOLERANCE);
    let error = distance(&back, &multiply(jacobian.as_ref().transpose(), &u));
    checks.push("Jᵀ·u, dense Jacobian", error, EXACT_TOLERANCE);
    let (mut normal, mut gradient) = (Mat::zeros(n, n), vec![0.0; n]);
    problem.normal_equations(theta, normal.as_mut(), &mut gradient);
    let twice = multiply(jacobian.as_ref().transpose(), &forward);
    let error = distance(&multiply(normal.as_ref(), &v), &twice);
    checks.push("JᵀJ·v, dense Jacobian", error, EXACT_TOLERANCE);
    let error = distance(&gradient, &multiply(jacobian.as_ref().transpose(), &residuals));
    checks.push("Jᵀr, dense Jacobian", error, EXACT_TOLERANCE);
    let squares: Vec<f64> = (0..n).map(|j| normal[(j, j)]).collect();
    let alone = apply(|_, out| problem.normal_diagonal(theta, out), &v);
    checks.push("diagonal of JᵀJ", distance(&alone, &squares), EXACT_TOLERANCE);
    if let Some(at) = problem.linearization(theta) {
        let error = distance(at.gradient(), &gradient);
        checks.push("gradient of the linearisation, Jᵀr", error, EXACT_TOLERANCE);
        let product = apply(|v, out| at.gauss_newton_vector(v, out), &v);
        checks.push("Gauss–Newton product, JᵀJ·v", distance(&product, &twice), EXACT_TOLERANCE);
    }
    checks
}

/// ‖a − b‖∞ / max(‖a‖∞, ‖b‖∞), NaN where either has one; 0 where both are zero.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    let (mut difference, mut size) = (0.0_f64, 0.0_f64);
    for (a, b) in a.iter().zip(b) {
        if !(a - b).is_finite() {
            return f64::NAN;
        }
        difference = difference.max((a - b).abs());
        size = size.max(a.abs()).max(b.abs());
    }
    if size == 0.0 { 0.0 } else { difference / size }
}

/// |⟨u, a⟩ − ⟨v, b⟩| relative to ‖u‖‖a‖ + ‖v‖‖b‖.
fn asymmetry(u: &[f64], a: &[f64], v: &[f64], b: &[f64]) -> f64 {
    let size = norm(u) * norm(a) + norm(v) * norm(b);
    (inner(u, a) - inner(v, b)).abs() / size.max(f64::MIN_POSITIVE)
}

fn inner(a: &[f64], b: &[f64]) -> f64 {
    crate::elementwise::dot(a, b)
}

fn norm(a: &[f64]) -> f64 {
    inner(a, a).sqrt()
}

fn apply(product: impl Fn(&[f64], &mut [f64]), v: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; v.len()];
    product(v, &mut out);
    out
}

fn multiply(matrix: MatRef<'_, f64>, x: &[f64]) -> Vec<f64> {
    let product = matrix * faer::ColRef::from_slice(x);
    (0..product.nrows()).map(|row| product[row]).collect()
}

/// ∛ε·max(1, ‖θ‖∞).
fn step(theta: &[f64]) -> f64 {
    let size = theta.iter().fold(1.0_f64, |size, x| size.max(x.abs()));
    f64::EPSILON.cbrt() * size
}

fn difference_gradient(problem: &impl Objective, theta: &[f64]) -> Vec<f64> {
    let mut moved = theta.to_vec();
    let entry = |index: usize| {
        let h = step(&theta[index..=index]);
        let mut value = |x: f64| {
            moved[index] = x;
            problem.value(&moved)
        };
        let (above, below) = (theta[index] + h, theta[index] - h);
        // The distance that was really moved, rounding included.
        let difference = (value(above) - value(below)) / (above - below);
        moved[index] = theta[index];
        difference
    };
    (0..theta.len()).map(entry).collect()
}

fn difference_hessian_vector(problem: &impl Objective, theta: &[f64], v: &[f64]) -> Vec<f64> {
    difference_along(theta, v, theta.len(), |theta, out| {
        problem.value_gradient(theta, out);
    })
}

/// (F(θ + hv) − F(θ − hv)) / 2h for F: ℝⁿ → ℝᵐ.
fn difference_along(
    theta: &[f64],
    v: &[f64],
    m: usize,
    mut function: impl FnMut(&[f64], &mut [f64]),
) -> Vec<f64> {
    let size = v.iter().fold(0.0_f64, |size, x| size.max(x.abs())).max(f64::MIN_POSITIVE);
    let h = step(theta) / size;
    let mut at = |h: f64| {
        let moved: Vec<f64> = theta.iter().zip(v).map(|(x, v)| x + h * v).collect();
        let mut out = vec![0.0; m];
        function(&moved, &mut out);
        out
    };
    let (above, below) = (at(h), at(-h));
    above.iter().zip(&below).map(|(above, below)| (above - below) / (2.0 * h)).collect()
}

/// The order at which ρ(h) = f(θ + hv) − f − h·gᵀv − ½h²·vᵀHv falls with h: 3 when gradient and product are right. Infinite
/// where the remainder is rounding (a quadratic).
///
/// The lower one of the orders of ρ's odd half (3; 1 with a wrong gradient) and of its even half (4; 2 with a wrong
/// product). Apart they are clean powers of h; in their sum h³ and h⁴ may cancel at the steps that are measured.
fn taylor_order(
    problem: &impl Objective,
    theta: &[f64],
    v: &[f64],
    gradient: &[f64],
    product: &[f64],
) -> f64 {
    const HALVINGS: i32 = 14;
    /// Remainders below this many ε·|f| are rounding.
    const ROUNDING: f64 = 1e4;
    let value = problem.value(theta);
    let (slope, bend) = (inner(gradient, v), inner(v, product));
    let first = 0.5 * step(theta) / f64::EPSILON.cbrt() / norm(v).max(f64::MIN_POSITIVE);
    let at = |h: f64| {
        let moved: Vec<f64> = theta.iter().zip(v).map(|(x, v)| x + h * v).collect();
        problem.value(&moved)
    };
    let remainders = |halvings: i32| {
        let h = first * 0.5_f64.powi(halvings);
        let (above, below) = (at(h), at(-h));
        let odd = 0.5 * (above - below) - h * slope;
        let even = 0.5 * (above + below) - value - 0.5 * h * h * bend;
        let size = value.abs() + above.abs() + below.abs() + (h * slope).abs();
        (odd.abs(), even.abs(), ROUNDING * f64::EPSILON * size)
    };
    let remainders: Vec<(f64, f64, f64)> = (0..HALVINGS).map(remainders).collect();
    let odd: Vec<(f64, f64)> = remainders.iter().map(|&(odd, _, floor)| (odd, floor)).collect();
    let even: Vec<(f64, f64)> = remainders.iter().map(|&(_, even, floor)| (even, floor)).collect();
    order(&odd).min(order(&even))
}

/// The order of a remainder, from (remainder, rounding floor) at halved steps.
fn order(remainders: &[(f64, f64)]) -> f64 {
    /// Around a step at which the remainder changes its sign one ratio may be far too low; one of three is not.
    const PAIRS: usize = 3;
    // The smallest steps whose remainder is still far above rounding say the order best.
    let clear = remainders.windows(2).rev().filter(|pair| pair[1].0 > pair[1].1);
    let orders = clear.take(PAIRS).map(|pair| (pair[0].0 / pair[1].0).log2());
    orders.reduce(f64::max).unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// f = Σ xᵢ⁴/4 with a wrong gradient entry or a wrong product where asked.
    struct Quartic {
        gradient_error: f64,
        product_error: f64,
    }

    struct At<'a>(&'a Quartic, f64, Vec<f64>, Vec<f64>);

    impl Objective for Quartic {
        fn dim(&self) -> usize {
            3
        }
        fn value(&self, theta: &[f64]) -> f64 {
            theta.iter().map(|x| x.powi(4) / 4.0).sum()
        }
        fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
            gradient.iter_mut().zip(theta).for_each(|(g, x)| *g = x.powi(3));
            gradient[1] += self.gradient_error;
            self.value(theta)
        }
    }

    impl Curvature for Quartic {
        type At<'a> = At<'a>;
        fn linearize(&self, theta: &[f64]) -> At<'_> {
            let mut gradient = vec![0.0; 3];
            let value = self.value_gradient(theta, &mut gradient);
            At(self, value, gradient, theta.to_vec())
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
            for ((out, v), x) in out.iter_mut().zip(v).zip(&self.3) {
                *out = 3.0 * x * x * v * (1.0 + self.0.product_error);
            }
        }
        fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
            self.hessian_vector(v, out);
        }
        fn hessian(&self, mut out: faer::MatMut<'_, f64>) {
            out.fill(0.0);
            for (index, x) in self.3.iter().enumerate() {
                out[(index, index)] = 3.0 * x * x;
            }
        }
        fn gauss_newton(&self, out: faer::MatMut<'_, f64>) {
            self.hessian(out);
        }
    }

    const THETA: [f64; 3] = [0.7, -1.3, 2.1];

    #[test]
    fn right_derivatives_pass() {
        let right = Quartic { gradient_error: 0.0, product_error: 0.0 };
        let checks = curvature(&right, &THETA, 5);
        assert!(checks.passed(), "{checks}");
    }

    #[test]
    fn a_gradient_wrong_in_the_sixth_digit_is_found() {
        let wrong = Quartic { gradient_error: 3e-5, product_error: 0.0 };
        assert!(!objective(&wrong, &THETA).passed());
    }

    #[test]
    fn a_product_wrong_in_the_fourth_digit_fails_differences_dense_matrix_and_taylor_order() {
        let wrong = Quartic { gradient_error: 0.0, product_error: 1e-4 };
        let checks = curvature(&wrong, &THETA, 5);
        let failed: Vec<&str> =
            checks.0.iter().filter(|check| !check.passed()).map(|check| check.what).collect();
        assert!(failed.contains(&"Hessian product, differences of gradients"), "{checks}");
        assert!(failed.contains(&"Hessian product, dense Hessian"), "{checks}");
        assert!(failed.contains(&"Taylor order, 3 −"), "{checks}");
    }

    #[test]
    fn a_nan_is_never_a_pass() {
        assert!(distance(&[f64::NAN], &[1.0]).is_nan());
        assert!(!Check { what: "", error: f64::NAN, tolerance: 1.0 }.passed());
    }
}
