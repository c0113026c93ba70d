//! Least squares with outliers: ρ in place of the square, on any least-squares problem.

mod residuals;

pub use residuals::RobustResiduals;

use super::Method;
use crate::error::{OptimError, require};
use crate::linalg::vector;
use crate::run::evaluations::Evaluations;
use crate::run::minimize::Solution;
use crate::run::stopping::Reason;
use faer::linalg::matmul::matmul;
use faer::{Accum, ColRef, Mat, MatMut, Par};
use secant_core::problem::{Asked, Curvature, InBox, LeastSquares, Linearization, Objective};
use secant_core::rho::{Rho, RhoWeight};

const NAME: &str = "robust least squares";

/// The standard deviation of normal residuals over the median of their sizes: 1/Φ⁻¹(¾).
const NORMAL_MEDIAN: f64 = 1.482_602_218_505_602;
/// The scale has settled when a round changes it by less than this part.
const SETTLED: f64 = 1e-10;
/// The square of a scale, and of a residual in it, is a number between these.
const LEAST_SCALE: f64 = 1e-150;
const MOST_SCALE: f64 = 1e150;
/// Most fits to find a scale.
pub const MAX_ROUNDS: usize = 50;
/// The scale is found at Huber's estimate with this threshold, in scales: almost the least absolute deviations, which outliers among the
/// targets carry away less than any M-estimate with a larger one, and which hardly depend on the scale, so that the rounds settle fast.
pub const NEAR_ABSOLUTE: f64 = 0.1;
/// The widest threshold is [`NEAR_ABSOLUTE`] with this many doublings, 6.4 scales: few residuals lie beyond it.
const MAX_DOUBLINGS: usize = 6;
/// A threshold at which as many fits failed is not tried again.
const MAX_FAILURES: u32 = 2;

/// f(θ) = ½σ²·Σ ρ(rᵢ²/σ²) for the residuals r of a least-squares problem: outliers, |rᵢ| > σ, count less than by their square.
///
/// Its Hessian leaves out the second derivatives of r: it is JᵀDJ with D = ρ′ + 2sρ″, exact where r is linear in θ. Its
/// Gauss–Newton matrix has weights that are not negative: those of Triggs & al. (2000) or of iteratively reweighted least squares,
/// [`RhoWeight`]. A trust region takes the first; [`Newton`](crate::Newton) with
/// [`HessianKind::GaussNewton`](crate::HessianKind::GaussNewton) the second. Networks have exact second derivatives by the loss
/// `Robust` of the core crate.
///
/// Memory: J, m × n, per linearisation. Cost: a product is two passes over J, the dense matrix 2mn² flops.
///
/// ```
/// use secant_core::rho::Rho;
/// use secant_optim::{LeastSquaresFn, RobustLeastSquares, TrustRegion, minimize};
///
/// // A line through five points, one of them wrong.
/// let y = [1.0, 3.0, 5.0, 70.0, 9.0];
/// let line = LeastSquaresFn::new(2, 5, |theta, r| {
///     for (i, r) in r.iter_mut().enumerate() {
///         *r = theta[0] + theta[1] * i as f64 - y[i];
///     }
/// });
/// let robust = RobustLeastSquares::new(line, Rho::Tukey, 0.5)?;
/// let solution = minimize(&robust, TrustRegion::default(), &[0.9, 2.1])?;
/// assert!((solution.theta[0] - 1.0).abs() < 1e-8 && (solution.theta[1] - 2.0).abs() < 1e-8);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RobustLeastSquares<P> {
    problem: P,
    rho: Rho,
    scale: f64,
    weight: RhoWeight,
}

impl<P: LeastSquares> RobustLeastSquares<P> {
    /// ρ with the scale σ ∈ (0, ∞), in the units of the residuals.
    ///
    /// # Errors
    /// [`OptimError::OptionOutOfRange`].
    pub fn new(problem: P, rho: Rho, scale: f64) -> Result<Self, OptimError> {
        let allowed = (LEAST_SCALE..=MOST_SCALE).contains(&scale);
        require(allowed, NAME, "scale", scale, "[1e-150, 1e150]")?;
        Ok(Self { problem, rho, scale, weight: RhoWeight::default() })
    }

    /// What the Gauss–Newton matrix takes of a residual. Default [`RhoWeight::Triggs`].
    pub fn with_weight(mut self, weight: RhoWeight) -> Self {
        self.weight = weight;
        self
    }

    fn residuals(&self, theta: &[f64]) -> Vec<f64> {
        let mut residuals = vec![0.0; self.problem.residual_len()];
        self.problem.residuals(theta, &mut residuals);
        residuals
    }

    fn squared(&self, r: f64) -> f64 {
        (r / self.scale) * (r / self.scale)
    }

    fn value_of(&self, residuals: &[f64]) -> f64 {
        let rho = residuals.iter().map(|r| self.rho.at(self.squared(*r)).value);
        0.5 * self.scale * self.scale * rho.sum::<f64>()
    }

    /// r ← ρ′(s)·r, whose product with Jᵀ is the gradient.
    fn weigh(&self, residuals: &mut [f64]) {
        for r in residuals {
            *r *= self.rho.at(self.squared(*r)).slope;
        }
    }
}

impl<P: LeastSquares> Objective for RobustLeastSquares<P> {
    fn dim(&self) -> usize {
        self.problem.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.value_of(&self.residuals(theta))
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let mut residuals = self.residuals(theta);
        let value = self.value_of(&residuals);
        self.weigh(&mut residuals);
        self.problem.jacobian_transpose_vector(theta, &residuals, gradient);
        value
    }
    fn value_gradient_within(&self, theta: &[f64], within: InBox<'_>, gradient: &mut [f64]) -> f64 {
        let at = self.linearize_within(theta, within);
        gradient.copy_from_slice(at.gradient());
        at.value
    }
    fn notes(&self, theta: &[f64], asked: Asked<'_>) -> Vec<String> {
        // Its own second derivatives need J alone.
        let first = asked.first || asked.second || asked.gauss_newton;
        self.problem.notes(theta, Asked { first, second: false, gauss_newton: false, ..asked })
    }
    fn fault(&self) -> Option<String> {
        self.problem.fault()
    }
}

impl<P: LeastSquares> Curvature for RobustLeastSquares<P> {
    type At<'a>
        = RobustAt
    where
        Self: 'a;

    fn linearize(&self, theta: &[f64]) -> RobustAt {
        let (m, n) = (self.problem.residual_len(), self.dim());
        let (mut residuals, mut jacobian) = (vec![0.0; m], Mat::zeros(m, n));
        self.problem.jacobian(theta, &mut residuals, jacobian.as_mut());
        self.at(residuals, jacobian)
    }

    fn linearize_within(&self, theta: &[f64], within: InBox<'_>) -> RobustAt {
        let (m, n) = (self.problem.residual_len(), self.dim());
        let (mut residuals, mut jacobian) = (vec![0.0; m], Mat::zeros(m, n));
        self.problem.jacobian_within(theta, within, &mut residuals, jacobian.as_mut());
        self.at(residuals, jacobian)
    }
}

impl<P: LeastSquares> RobustLeastSquares<P> {
    fn at(&self, mut residuals: Vec<f64>, jacobian: Mat<f64>) -> RobustAt {
        let (m, n) = (residuals.len(), self.dim());
        let value = self.value_of(&residuals);
        let (mut hessian, mut gauss_newton) = (Vec::with_capacity(m), Vec::with_capacity(m));
        for r in &residuals {
            let s = self.squared(*r);
            let rho = self.rho.at(s);
            hessian.push(rho.curvature(s));
            gauss_newton.push(rho.weight(s, self.weight));
        }
        self.weigh(&mut residuals);
        let mut gradient = vec![0.0; n];
        transposed_product(&jacobian, &residuals, &mut gradient);
        RobustAt { value, gradient, jacobian, hessian, gauss_newton }
    }
}

/// [`RobustLeastSquares`] at one θ: value, gradient, J and the weights of its rows.
#[derive(Clone, Debug)]
pub struct RobustAt {
    value: f64,
    gradient: Vec<f64>,
    jacobian: Mat<f64>,
    hessian: Vec<f64>,
    gauss_newton: Vec<f64>,
}

impl RobustAt {
    /// `out` ← Jᵀ·(weights ⊙ J·v).
    fn product(&self, weights: &[f64], v: &[f64], out: &mut [f64]) {
        let mut along = vec![0.0; weights.len()];
        let target = MatMut::from_column_major_slice_mut(&mut along, weights.len(), 1);
        let v = ColRef::from_slice(v).as_mat();
        matmul(target, Accum::Replace, self.jacobian.as_ref(), v, 1.0, Par::Seq);
        vector::multiply(weights, &mut along);
        transposed_product(&self.jacobian, &along, out);
    }

    /// `out` ← Jᵀ·diag(weights)·J.
    fn dense(&self, weights: &[f64], mut out: MatMut<'_, f64>) {
        let mut weighted = self.jacobian.clone();
        for j in 0..weighted.ncols() {
            vector::multiply(weights, weighted.col_as_slice_mut(j));
        }
        let transposed = self.jacobian.transpose();
        matmul(out.as_mut(), Accum::Replace, transposed, &weighted, 1.0, Par::rayon(0));
        for j in 1..out.ncols() {
            for i in 0..j {
                out[(i, j)] = out[(j, i)];
            }
        }
    }
}

impl Linearization for RobustAt {
    fn value(&self) -> f64 {
        self.value
    }
    fn gradient(&self) -> &[f64] {
        &self.gradient
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        self.product(&self.hessian, v, out);
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.product(&self.gauss_newton, v, out);
    }
    fn hessian(&self, out: MatMut<'_, f64>) {
        self.dense(&self.hessian, out);
    }
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.dense(&self.gauss_newton, out);
    }
}

/// `out` ← Jᵀ·u.
fn transposed_product(jacobian: &Mat<f64>, u: &[f64], out: &mut [f64]) {
    for (j, out) in out.iter_mut().enumerate() {
        *out = vector::dot(jacobian.col_as_slice(j), u);
    }
}

/// The standard deviation of the bulk of the residuals: 1.4826 · median |rᵢ|, which up to half of them cannot carry away. 0 where half
/// of them vanish; NaN where one is NaN or there are none.  Huber & Ronchetti (2009) §5.1.
pub fn residual_scale(residuals: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
    if sizes.is_empty() || sizes.iter().any(|size| size.is_nan()) {
        return f64::NAN;
    }
    sizes.sort_by(f64::total_cmp);
    let middle = sizes.len() / 2;
    let median = if sizes.len() % 2 == 1 {
        sizes[middle]
    } else {
        0.5 * (sizes[middle - 1] + sizes[middle])
    };
    NORMAL_MEDIAN * median
}

/// [`residual_scale`] where each residual counts by its weight ≥ 0, as that many copies would. NaN where no weight is positive.
pub fn weighted_residual_scale(residuals: &[f64], weights: &[f64]) -> f64 {
    let counting = residuals.iter().zip(weights).filter(|(_, w)| **w > 0.0);
    let mut sizes: Vec<(f64, f64)> = counting.map(|(r, w)| (r.abs(), *w)).collect();
    if sizes.is_empty() || sizes.iter().any(|(size, _)| size.is_nan()) {
        return f64::NAN;
    }
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = 0.5 * sizes.iter().map(|(_, w)| w).sum::<f64>();
    let (mut below, mut lower) = (0.0, None);
    for (size, weight) in &sizes {
        below += weight;
        if below >= half {
            let lower = *lower.get_or_insert(*size);
            if below > half {
                return NORMAL_MEDIAN * 0.5 * (lower + size);
            }
        }
    }
    // Rounding of the sums.
    NORMAL_MEDIAN * sizes[sizes.len() - 1].0
}

/// A robust fit whose scale was estimated.
#[derive(Clone, Debug, PartialEq)]
pub struct RobustSolution {
    /// θ and the report of the last fit; its evaluations and seconds are those of all rounds.
    pub solution: Solution,
    /// The standard deviation of the bulk of the residuals; ρ had [`Rho::tuning`] times it.
    pub scale: f64,
    /// Fits made to find it.
    pub rounds: usize,
}

/// Minimises with ρ in place of the square, the scale estimated first: [`residual_scale`] where the least absolute deviations leave the
/// residuals, approached by Huber's estimate with [`NEAR_ABSOLUTE`] of that scale for its threshold. The fit with `rho` starts there and
/// keeps the scale, [`Rho::tuning`] times.  Huber & Ronchetti (2009) §7.8 for M-estimates with a preliminary scale.
///
/// # Errors
/// Those of [`Method::minimize`].
pub fn minimize_robust<P: LeastSquares>(
    problem: &P,
    rho: Rho,
    method: &Method,
    theta0: &[f64],
) -> Result<RobustSolution, OptimError> {
    estimate_scale(rho, theta0, |rho, scale, start| {
        let robust = RobustLeastSquares::new(problem, rho, scale)?;
        let solution = method.clone().minimize(&robust, start)?;
        let residuals = robust.residuals(&solution.theta);
        Ok((solution, residual_scale(&residuals)))
    })
}

/// Whether a fit ended in trouble; one that was cut short has come as far as it was let.
fn is_failure(reason: Reason) -> bool {
    let cut_short = matches!(
        reason,
        Reason::MaxIterations | Reason::MaxEvaluations | Reason::MaxTime | Reason::Interrupted
    );
    !(reason.is_success() || reason == Reason::Stalled || cut_short)
}

/// Huber's threshold in scales: [`NEAR_ABSOLUTE`], or a power of two times that where fits with a smaller one failed. A method that
/// takes curvature finds none where no residual is within the threshold: a wider one leads nearer, and then the smaller one is tried again.
#[derive(Debug, Default)]
struct Threshold {
    doublings: usize,
    /// Failures at each number of doublings.
    failures: [u32; MAX_DOUBLINGS + 1],
}

impl Threshold {
    fn value(&self) -> f64 {
        NEAR_ABSOLUTE * f64::from(1_u32 << self.doublings)
    }

    /// Whether no smaller one will be tried.
    fn is_final(&self) -> bool {
        self.doublings == 0 || self.failures[self.doublings - 1] >= MAX_FAILURES
    }

    /// Chooses the next one; false where even the widest fails.
    fn after(&mut self, failed: bool) -> bool {
        if failed {
            self.failures[self.doublings] += 1;
            self.doublings += 1;
        } else if !self.is_final() {
            self.doublings -= 1;
        }
        self.doublings <= MAX_DOUBLINGS
    }
}

/// The rounds of [`minimize_robust`] for any `fit`, called with ρ, its σ and a start; it returns the solution and the
/// [`residual_scale`] there.
///
/// # Errors
/// Those of `fit`.
pub fn estimate_scale<E>(
    rho: Rho,
    theta0: &[f64],
    mut fit: impl FnMut(Rho, f64, &[f64]) -> Result<(Solution, f64), E>,
) -> Result<RobustSolution, E> {
    let (mut evaluations, mut seconds) = (Evaluations::default(), 0.0);
    let mut run = |rho: Rho, sigma: f64, start: &[f64]| -> Result<_, E> {
        let (solution, found) = fit(rho, sigma, start)?;
        evaluations += solution.report.evaluations;
        seconds += solution.report.seconds;
        Ok((solution, found))
    };
    let (mut solution, first) = run(Rho::Squared, 1.0, theta0)?;
    let (mut scale, mut rounds) = (first, 1);
    let mut settled = rho == Rho::Squared;
    let mut threshold = Threshold::default();
    let is_interrupted = |solution: &Solution| solution.report.reason == Reason::Interrupted;
    // A scale of nothing, or NaN, has no estimate.
    while !settled
        && rounds < MAX_ROUNDS
        && scale > f64::EPSILON * first
        && !is_interrupted(&solution)
    {
        let (next, found) = run(Rho::Huber, threshold.value() * scale, &solution.theta)?;
        rounds += 1;
        // A round that failed has not moved, or not far enough: its scale says nothing.
        let failed = is_failure(next.report.reason);
        if !failed {
            settled = threshold.is_final() && (found - scale).abs() <= SETTLED * scale;
            (solution, scale) = (next, found);
        }
        if !threshold.after(failed) {
            break;
        }
    }
    if rho != Rho::Squared && scale > f64::EPSILON * first && !is_interrupted(&solution) {
        solution = run(rho, rho.tuning() * scale, &solution.theta)?.0;
        rounds += 1;
    }
    let end = if settled { "" } else { "; it did not settle" };
    solution.report.notes.push(format!("scale {scale:e} found in {rounds} fit(s){end}"));
    (solution.report.evaluations, solution.report.seconds) = (evaluations, seconds);
    Ok(RobustSolution { solution, scale, rounds })
}
