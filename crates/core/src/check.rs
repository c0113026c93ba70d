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
//! Differences are central with step ∛ε·max(1, |θᵢ|), so that their own error is about ε^⅔ ≈ 4e-11 relative; where they disagree, other
//! steps are tried, since the function may vary over another length than θ's size (a time stamp, a number near 0), and what the differences
//! themselves may be wrong by is no failure. Entries are judged as they are and in units of their parameters. A kink (ReLU at 0) within a
//! step of θ shows as a failure that another θ does not have.

mod differences;
mod node;
mod sampled;
#[cfg(test)]
mod tests;

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

/// ∇f against central differences of f, entry by entry, and f of both evaluations against each other. 2n + 2 evaluations, and 24 more for
/// an entry that the usual step does not confirm.
pub fn objective(problem: &impl Objective, theta: &[f64]) -> Checks {
    let mut checks = Checks::default();
    let mut gradient = vec![0.0; problem.dim()];
    let value = problem.value_gradient(theta, &mut gradient);
    let alone = problem.value(theta);
    let value_error = (value - alone).abs() / value.abs().max(f64::MIN_POSITIVE);
    checks.push("value alone, with gradient", value_error, EXACT_TOLERANCE);
    let differences = differences::of_values(problem, theta, &gradient, DIFFERENCE_TOLERANCE);
    let error = differences.distance(&gradient, Some(&scales(theta)));
    checks.push("gradient, differences of values", error, DIFFERENCE_TOLERANCE);
    checks
}

/// [`objective`], and the linearisation at θ: value and gradient, Hessian products against differences of gradients, against
/// the dense Hessian, in symmetry and in Taylor order; Gauss–Newton products against the dense matrix. Directions are drawn
/// from `seed`. About 2n + 40 evaluations, n products and n² memory.
pub fn curvature(problem: &impl Curvature, theta: &[f64], seed: u64) -> Checks {
    let n = problem.dim();
    let mut random = Random::new(seed);
    let scales = scales(theta);
    let mut direction = || -> Vec<f64> { scales.iter().map(|s| s * random.normal()).collect() };
    let (u, v) = (direction(), direction());
    let mut checks = objective(problem, theta);

    let mut gradient = vec![0.0; n];
    let value = problem.value_gradient(theta, &mut gradient);
    let at = problem.linearize(theta);
    let value_error = (value - at.value()).abs() / value.abs().max(f64::MIN_POSITIVE);
    checks.push("value, linearised", value_error, EXACT_TOLERANCE);
    checks.push("gradient, linearised", distance(at.gradient(), &gradient), EXACT_TOLERANCE);

    let product = apply(|v, out| at.hessian_vector(v, out), &v);
    let differences = differences::along(
        theta,
        &v,
        &product,
        Some(&scales),
        DIFFERENCE_TOLERANCE,
        |theta, out| {
            problem.value_gradient(theta, out);
        },
    );
    let error = differences.distance(&product, Some(&scales));
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
    let v: Vec<f64> = scales(theta).iter().map(|s| s * random.normal()).collect();
    let u: Vec<f64> = (0..m).map(|_| random.normal()).collect();
    let mut checks = objective(problem, theta);

    let mut residuals = vec![0.0; m];
    let half = problem.residuals(theta, &mut residuals);
    let value = problem.value(theta);
    let error = (half - value).abs() / value.abs().max(f64::MIN_POSITIVE);
    checks.push("½‖r‖², value", error, EXACT_TOLERANCE);

    let mut forward = vec![0.0; m];
    problem.jacobian_vector(theta, &v, &mut forward);
    let differences =
        differences::along(theta, &v, &forward, None, DIFFERENCE_TOLERANCE, |theta, out| {
            problem.residuals(theta, out);
        });
    let error = differences.distance(&forward, None);
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

/// The size of every parameter by which directions move it.
fn scales(theta: &[f64]) -> Vec<f64> {
    theta.iter().map(|x| differences::scale(*x)).collect()
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
    /// Halvings at least, and at most while there is a remainder: a function may vary over far less than the size of θ.
    const HALVINGS: (i32, i32) = (14, 60);
    /// Remainders below this many ε·|f| are rounding.
    const ROUNDING: f64 = 1e4;
    let value = problem.value(theta);
    let (slope, bend) = (inner(gradient, v), inner(v, product));
    let relative = theta.iter().zip(v).map(|(x, v)| v / differences::scale(*x));
    let first = 0.5 / norm(&relative.collect::<Vec<_>>()).max(f64::MIN_POSITIVE);
    // What the rounding of θ ± hv makes of f.
    let shifts = theta.iter().zip(gradient).map(|(x, g)| (x * g).abs()).sum::<f64>();
    let at = |h: f64| {
        let moved: Vec<f64> = theta.iter().zip(v).map(|(x, v)| x + h * v).collect();
        problem.value(&moved)
    };
    let remainders = |halvings: i32| {
        let h = first * 0.5_f64.powi(halvings);
        let (above, below) = (at(h), at(-h));
        let odd = 0.5 * (above - below) - h * slope;
        let even = 0.5 * (above + below) - value - 0.5 * h * h * bend;
        let size = ROUNDING * (value.abs() + above.abs() + below.abs() + (h * slope).abs());
        (odd.abs(), even.abs(), f64::EPSILON * (size + 4.0 * shifts))
    };
    let clear = |&(odd, even, floor): &(f64, f64, f64)| !(odd <= floor && even <= floor);
    let order_of = |found: &[(f64, f64, f64)]| {
        let odd: Vec<(f64, f64)> = found.iter().map(|&(odd, _, floor)| (odd, floor)).collect();
        let even: Vec<(f64, f64)> = found.iter().map(|&(_, even, floor)| (even, floor)).collect();
        order(&odd).min(order(&even))
    };
    let (least, most) = (0..HALVINGS.0, HALVINGS.0..HALVINGS.1);
    let mut found: Vec<(f64, f64, f64)> = least.map(&remainders).collect();
    let usual = order_of(&found);
    if usual >= 3.0 - ORDER_SLACK {
        return usual;
    }
    found.extend(most.map(&remainders).take_while(clear));
    // The steps that fit the function better say it better.
    usual.max(order_of(&found))
}

/// The order of a remainder, from (remainder, rounding floor) at halved steps.
fn order(remainders: &[(f64, f64)]) -> f64 {
    /// Around a step at which the remainder changes its sign ratios may be far too low; one of five is not.
    const PAIRS: usize = 5;
    // The smallest steps whose remainder is still far above rounding say the order best.
    let clear = remainders.windows(2).rev().filter(|pair| pair[1].0 > pair[1].1);
    let orders = clear.take(PAIRS).map(|pair| (pair[0].0 / pair[1].0).log2());
    orders.reduce(f64::max).unwrap_or(f64::INFINITY)
}
