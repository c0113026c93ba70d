//! What evaluations cost, in gradients: one rule for every comparison.
//!
//! The unit is one evaluation of f with ∇f, a *gradient-equivalent*. [`Costs::counted`] counts the matrix products of a dense layer
//! (`docs/products.md`), so that the same run has the same cost everywhere; [`Costs::measured`] times a problem. Dense matrices
//! differ most: a count takes n products for each, which a generalised linear model or a sum of squares does with far less.

use crate::evaluations::Evaluations;
use faer::Mat;
use secant_core::problem::{Curvature, LeastSquares, Linearization};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// f alone: the forward sweep, of three equal products per layer.
pub const VALUE: f64 = 1.0 / 3.0;
/// H·v at a linearised point: six products of a layer beside the gradient's three.
pub const HESSIAN_VECTOR: f64 = 2.0;
/// G·v at a linearised point: four products.
pub const GAUSS_NEWTON_VECTOR: f64 = 4.0 / 3.0;
/// J·v or Jᵀ·u at θ: a forward sweep, and a tangent or backward one.
pub const JACOBIAN_VECTOR: f64 = 1.0;

/// Timings per kind, of which the least counts: what else runs on the machine only adds.
const TIMINGS: usize = 7;
/// A timing lasts at least this long, in seconds: short work is repeated.
const SHORTEST_TIMING: f64 = 2e-4;
/// Work that takes this long, in seconds, is timed once.
const LONG_WORK: f64 = 0.1;

/// What one evaluation of each kind costs, in evaluations of f with ∇f. The fields are those of [`Evaluations`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// f alone.
    pub value: f64,
    /// f with ∇f: the unit.
    pub value_gradient: f64,
    /// A linearisation, which holds f and ∇f.
    pub linearize: f64,
    /// A dense Hessian at a linearised point.
    pub hessian: f64,
    /// A dense Gauss–Newton matrix at a linearised point.
    pub gauss_newton: f64,
    /// H·v at a linearised point.
    pub hessian_vector: f64,
    /// G·v at a linearised point.
    pub gauss_newton_vector: f64,
    /// Residuals alone.
    pub residuals: f64,
    /// A dense Jacobian with the residuals.
    pub jacobian: f64,
    /// JᵀJ with Jᵀr.
    pub normal_equations: f64,
    /// J·v.
    pub jacobian_vector: f64,
    /// Jᵀ·u.
    pub jacobian_transpose_vector: f64,
}

impl Costs {
    /// The count for n parameters: f ⅓, f with ∇f and a linearisation 1, H·v 2, G·v 4/3, residuals ⅓, J·v and Jᵀ·u 1; a dense
    /// matrix of n columns n products, the Jacobian's being J·v.
    pub fn counted(n: usize) -> Self {
        let n = n as f64;
        Self {
            value: VALUE,
            value_gradient: 1.0,
            linearize: 1.0,
            hessian: n * HESSIAN_VECTOR,
            gauss_newton: n * GAUSS_NEWTON_VECTOR,
            hessian_vector: HESSIAN_VECTOR,
            gauss_newton_vector: GAUSS_NEWTON_VECTOR,
            residuals: VALUE,
            jacobian: n * JACOBIAN_VECTOR,
            normal_equations: n * GAUSS_NEWTON_VECTOR,
            jacobian_vector: JACOBIAN_VECTOR,
            jacobian_transpose_vector: JACOBIAN_VECTOR,
        }
    }

    /// Timings at `theta` (length n) on this machine, as quotients of the least of seven: the kinds that occur in `used`, and the counts
    /// of [`counted`](Self::counted) for the others. Needs a dense matrix where a kind of it is used.
    ///
    /// # Panics
    /// Where `theta` is not of the problem's length.
    pub fn measured<P: Curvature>(problem: &P, theta: &[f64], used: &Evaluations) -> Self {
        let n = problem.dim();
        assert_eq!(theta.len(), n, "theta has {} entries, the problem {n} parameters", theta.len());
        let (v, mut out) = (vec![1.0; n], vec![0.0; n]);
        let unit = seconds(|| _ = problem.value_gradient(theta, &mut out));
        let time = |work: &mut dyn FnMut()| seconds(work) / unit;
        let mut costs = Self::counted(n);
        if used.value > 0 {
            costs.value = time(&mut || _ = problem.value(theta));
        }
        if used.linearize > 0 {
            costs.linearize = time(&mut || _ = problem.linearize(theta).value());
        }
        let matrices = used.hessian + used.gauss_newton;
        if matrices + used.hessian_vector + used.gauss_newton_vector > 0 {
            let at = problem.linearize(theta);
            let n = if matrices > 0 { n } else { 0 };
            let mut matrix = Mat::zeros(n, n);
            if used.hessian > 0 {
                costs.hessian = time(&mut || at.hessian(matrix.as_mut()));
            }
            if used.gauss_newton > 0 {
                costs.gauss_newton = time(&mut || at.gauss_newton(matrix.as_mut()));
            }
            if used.hessian_vector > 0 {
                costs.hessian_vector = time(&mut || at.hessian_vector(&v, &mut out));
            }
            if used.gauss_newton_vector > 0 {
                costs.gauss_newton_vector = time(&mut || at.gauss_newton_vector(&v, &mut out));
            }
        }
        if let Some(residuals) = problem.as_least_squares() {
            costs.measure_residuals(&*residuals, theta, used, unit);
        }
        costs
    }

    fn measure_residuals(
        &mut self,
        problem: &dyn LeastSquares,
        theta: &[f64],
        used: &Evaluations,
        unit: f64,
    ) {
        let (m, n) = (problem.residual_len(), theta.len());
        let (v, mut r, mut g) = (vec![1.0; n], vec![0.0; m], vec![0.0; n]);
        let time = |work: &mut dyn FnMut()| seconds(work) / unit;
        if used.residuals > 0 {
            self.residuals = time(&mut || _ = problem.residuals(theta, &mut r));
        }
        if used.jacobian > 0 {
            let mut jacobian = Mat::zeros(m, n);
            self.jacobian = time(&mut || _ = problem.jacobian(theta, &mut r, jacobian.as_mut()));
        }
        if used.normal_equations > 0 {
            let mut normal = Mat::zeros(n, n);
            self.normal_equations =
                time(&mut || _ = problem.normal_equations(theta, normal.as_mut(), &mut g));
        }
        if used.jacobian_vector > 0 {
            self.jacobian_vector = time(&mut || problem.jacobian_vector(theta, &v, &mut r));
        }
        if used.jacobian_transpose_vector > 0 {
            self.jacobian_transpose_vector =
                time(&mut || problem.jacobian_transpose_vector(theta, &r, &mut g));
        }
    }

    /// The gradient-equivalents of `made`.
    pub fn of(&self, made: &Evaluations) -> f64 {
        let each = |count: u64, cost: f64| count as f64 * cost;
        each(made.value, self.value)
            + each(made.value_gradient, self.value_gradient)
            + each(made.linearize, self.linearize)
            + each(made.hessian, self.hessian)
            + each(made.gauss_newton, self.gauss_newton)
            + each(made.hessian_vector, self.hessian_vector)
            + each(made.gauss_newton_vector, self.gauss_newton_vector)
            + each(made.residuals, self.residuals)
            + each(made.jacobian, self.jacobian)
            + each(made.normal_equations, self.normal_equations)
            + each(made.jacobian_vector, self.jacobian_vector)
            + each(made.jacobian_transpose_vector, self.jacobian_transpose_vector)
    }
}

/// Seconds that `work` takes at least, after a first call that fills caches and pools. More than zero.
fn seconds(mut work: impl FnMut()) -> f64 {
    let once = |work: &mut dyn FnMut(), repeats: u64| {
        let start = Instant::now();
        for _ in 0..repeats {
            work();
        }
        start.elapsed().as_secs_f64().max(f64::EPSILON) / repeats as f64
    };
    let first = once(&mut work, 1);
    if first > LONG_WORK {
        return first;
    }
    let warm = once(&mut work, 1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and 2e12"
    )]
    let repeats = (SHORTEST_TIMING / warm).ceil().max(1.0) as u64;
    (0..TIMINGS).map(|_| once(&mut work, repeats)).fold(warm, f64::min)
}
