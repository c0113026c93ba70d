//! What evaluations cost, in gradients: one rule for every comparison.
//!
//! The unit is one evaluation of f with ∇f, a *gradient-equivalent*. [`Costs::counted`] counts the matrix products of a dense layer
//! (`docs/products.md`), so that the same run has the same cost everywhere; [`Costs::measured`] times a problem. Dense matrices
//! differ most: a count takes n products for each, which a generalised linear model or a sum of squares does with far less.

use super::evaluations::{Evaluations, KINDS};
use faer::Mat;
use secant_core::problem::{Costs as Flops, Curvature, LeastSquares, Linearization};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// f alone: the forward sweep, of three equal products per layer.
pub const VALUE: f64 = 1.0 / 3.0;
/// J·v or Jᵀ·u at θ: a forward sweep, and a tangent or backward one.
pub const JACOBIAN_VECTOR: f64 = 1.0;

/// Timings per kind, of which the least counts: what else runs on the machine only adds.
const TIMINGS: usize = 7;
/// A timing lasts at least this long, in seconds: short work is repeated.
const SHORTEST_TIMING: f64 = 1e-3;
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
    /// The diagonal of JᵀJ.
    pub normal_diagonal: f64,
    /// J·v.
    pub jacobian_vector: f64,
    /// Jᵀ·u.
    pub jacobian_transpose_vector: f64,
}

impl Costs {
    /// The count for n parameters: f ⅓, f with ∇f and a linearisation 1, H·v 2, G·v 4/3, residuals ⅓, J·v and Jᵀ·u 1; a dense
    /// matrix of n columns n products, the Jacobian's being J·v. That is [`of_flops`](Self::of_flops) of [`Flops::of_evaluation`].
    pub fn counted(n: usize) -> Self {
        Self::of_flops(&Flops::of_evaluation(1.0, n))
    }

    /// The quotients of flops that were counted for a problem, [`Structure::costs`](secant_core::problem::Structure::costs); f alone
    /// and products with J, which are not, as in [`counted`](Self::counted).
    pub fn of_flops(flops: &Flops) -> Self {
        let gradients = |flops_of_kind: f64| flops_of_kind / flops.evaluation;
        Self {
            value: VALUE,
            value_gradient: 1.0,
            linearize: 1.0,
            hessian: gradients(flops.hessian),
            gauss_newton: gradients(flops.gauss_newton),
            hessian_vector: gradients(flops.hessian_vector),
            gauss_newton_vector: gradients(flops.gauss_newton_vector),
            residuals: VALUE,
            jacobian: gradients(flops.jacobian),
            normal_equations: gradients(flops.normal_equations),
            normal_diagonal: gradients(flops.jacobian),
            jacobian_vector: JACOBIAN_VECTOR,
            jacobian_transpose_vector: JACOBIAN_VECTOR,
        }
    }

    /// Timings at `theta` (length n) on this machine, as quotients of the least of seven: the kinds that occur in `used`, and the counts
    /// of [`counted`](Self::counted) for the others. On a machine that is busy with other work the quotients can be far off. Needs a dense matrix where a kind of it is used.
    ///
    /// # Panics
    /// Where `theta` is not of the problem's length.
    pub fn measured<P: Curvature>(problem: &P, theta: &[f64], used: &Evaluations) -> Self {
        let n = problem.dim();
        assert_eq!(theta.len(), n, "theta has {} entries, the problem {n} parameters", theta.len());
        let (v, mut out) = (vec![1.0; n], vec![0.0; n]);
        // Measured kinds are in seconds until they are divided by the unit, which is timed before and after them.
        let mut costs = Self::counted(n);
        let before = seconds(|| _ = problem.value_gradient(theta, &mut out));
        if used.value > 0 {
            costs.value = seconds(|| _ = problem.value(theta));
        }
        if used.linearize > 0 {
            costs.linearize = seconds(|| _ = problem.linearize(theta).value());
        }
        let matrices = used.hessian + used.gauss_newton;
        if matrices + used.hessian_vector + used.gauss_newton_vector > 0 {
            let at = problem.linearize(theta);
            let n = if matrices > 0 { n } else { 0 };
            let mut matrix = Mat::zeros(n, n);
            if used.hessian > 0 {
                costs.hessian = seconds(|| at.hessian(matrix.as_mut()));
            }
            if used.gauss_newton > 0 {
                costs.gauss_newton = seconds(|| at.gauss_newton(matrix.as_mut()));
            }
            if used.hessian_vector > 0 {
                costs.hessian_vector = seconds(|| at.hessian_vector(&v, &mut out));
            }
            if used.gauss_newton_vector > 0 {
                costs.gauss_newton_vector = seconds(|| at.gauss_newton_vector(&v, &mut out));
            }
        }
        let residuals = problem.as_least_squares();
        if let Some(residuals) = &residuals {
            costs.time_residuals(&**residuals, theta, used);
        }
        let unit = before.min(seconds(|| _ = problem.value_gradient(theta, &mut out)));
        // Without residuals their kinds were not timed.
        let timed = if residuals.is_some() { *used } else { used.without_residuals() };
        for (cost, count) in costs.each_mut().into_iter().zip(timed.each()) {
            if count > 0 {
                *cost /= unit;
            }
        }
        costs.value_gradient = 1.0;
        costs
    }

    fn time_residuals(&mut self, problem: &dyn LeastSquares, theta: &[f64], used: &Evaluations) {
        let (m, n) = (problem.residual_len(), theta.len());
        let (v, mut r, mut g) = (vec![1.0; n], vec![0.0; m], vec![0.0; n]);
        if used.residuals > 0 {
            self.residuals = seconds(|| _ = problem.residuals(theta, &mut r));
        }
        if used.jacobian > 0 {
            let mut jacobian = Mat::zeros(m, n);
            self.jacobian = seconds(|| _ = problem.jacobian(theta, &mut r, jacobian.as_mut()));
        }
        if used.normal_equations > 0 {
            let mut normal = Mat::zeros(n, n);
            self.normal_equations =
                seconds(|| _ = problem.normal_equations(theta, normal.as_mut(), &mut g));
        }
        if used.normal_diagonal > 0 {
            self.normal_diagonal = seconds(|| problem.normal_diagonal(theta, &mut g));
        }
        if used.jacobian_vector > 0 {
            self.jacobian_vector = seconds(|| problem.jacobian_vector(theta, &v, &mut r));
        }
        if used.jacobian_transpose_vector > 0 {
            self.jacobian_transpose_vector =
                seconds(|| problem.jacobian_transpose_vector(theta, &r, &mut g));
        }
    }

    /// The gradient-equivalents of `made`, but for the gradients of minibatches: each costs its part of the samples, and a trace counts
    /// these as epochs.
    pub fn of(&self, made: &Evaluations) -> f64 {
        { *self }.each_mut().into_iter().zip(made.each()).map(|(c, k)| k as f64 * *c).sum()
    }

    /// In the order of [`Evaluations::each`].
    fn each_mut(&mut self) -> [&mut f64; KINDS] {
        [
            &mut self.value,
            &mut self.value_gradient,
            &mut self.linearize,
            &mut self.hessian,
            &mut self.gauss_newton,
            &mut self.hessian_vector,
            &mut self.gauss_newton_vector,
            &mut self.residuals,
            &mut self.jacobian,
            &mut self.normal_equations,
            &mut self.normal_diagonal,
            &mut self.jacobian_vector,
            &mut self.jacobian_transpose_vector,
        ]
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
