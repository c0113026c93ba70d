//! H or G at one θ, as an operator and as a matrix, with its products counted.

use crate::linalg::vector;
use crate::run::eval;
use crate::run::evaluations::Evaluations;
use crate::solver::HessianKind;
use secant_core::operator::LinearOperator;
use secant_core::problem::{Curvature, Linearization};
use std::cell::Cell;
use std::time::Instant;

/// Timings that [`product_cost`] takes the median of.
const TIMINGS: usize = 5;

/// H or G of a linearisation, with its products counted.
pub(crate) struct Model<'a, L> {
    at: &'a L,
    kind: HessianKind,
    products: Cell<u64>,
    matrices: Cell<u64>,
}

impl<'a, L: Linearization> Model<'a, L> {
    pub(crate) fn new(at: &'a L, kind: HessianKind) -> Self {
        Self { at, kind, products: Cell::new(0), matrices: Cell::new(0) }
    }

    pub(crate) fn matrix(&self, mut out: faer::MatMut<'_, f64>) {
        if eval::refuse_matrix(&mut out) {
            return;
        }
        self.matrices.set(self.matrices.get() + 1);
        match self.kind {
            HessianKind::Exact => self.at.hessian(out.as_mut()),
            HessianKind::GaussNewton => self.at.gauss_newton(out.as_mut()),
        }
        eval::refuse_matrix(&mut out);
    }

    /// A lower bound of the decrease that is left, which no units of the parameters hide from truncated CG: ½(∇fᵀd)²/dᵀHd along
    /// dⱼ = −∂ⱼf·θⱼ², steepest descent in log|θ|; where H does not curve upwards along d, −∇fᵀd for the d that doubles an entry of θ. One product.
    pub(crate) fn relative_promise(&self, theta: &[f64], gradient: &[f64]) -> f64 {
        let moves = theta.iter().zip(gradient).map(|(t, g)| (t * g).abs());
        let farthest = moves.fold(0.0, f64::max);
        if farthest == 0.0 {
            return 0.0;
        }
        let d: Vec<f64> =
            theta.iter().zip(gradient).map(|(t, g)| -t * (t * g / farthest)).collect();
        let mut image = vec![0.0; d.len()];
        self.apply(&d, &mut image);
        let slope = vector::dot(gradient, &d);
        let curvature = vector::dot(&d, &image);
        if curvature > 0.0 { 0.5 * slope * (slope / curvature) } else { -slope }
    }

    /// What was asked for so far.
    pub(crate) fn made(&self) -> Evaluations {
        let (products, matrices) = (self.products.get(), self.matrices.get());
        let none = Evaluations::default();
        match self.kind {
            HessianKind::Exact => {
                Evaluations { hessian: matrices, hessian_vector: products, ..none }
            }
            HessianKind::GaussNewton => {
                Evaluations { gauss_newton: matrices, gauss_newton_vector: products, ..none }
            }
        }
    }
}

impl<L: Linearization> LinearOperator for Model<'_, L> {
    fn rows(&self) -> usize {
        self.at.gradient().len()
    }
    fn cols(&self) -> usize {
        self.at.gradient().len()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        if eval::refuse(y) {
            return;
        }
        self.products.set(self.products.get() + 1);
        match self.kind {
            HessianKind::Exact => self.at.hessian_vector(x, y),
            HessianKind::GaussNewton => self.at.gauss_newton_vector(x, y),
        }
    }
}

/// What one product costs, in gradients, at `theta` on this machine: the median of five timings each.
///
/// ```
/// # use secant_core::problem::{Curvature, Linearization, Objective};
/// # struct Parabola;
/// # struct At([f64; 1]);
/// # impl Objective for Parabola {
/// #     fn dim(&self) -> usize { 1 }
/// #     fn value(&self, x: &[f64]) -> f64 { x[0] * x[0] }
/// #     fn value_gradient(&self, x: &[f64], g: &mut [f64]) -> f64 { g[0] = 2.0 * x[0]; x[0] * x[0] }
/// # }
/// # impl Curvature for Parabola {
/// #     type At<'a> = At;
/// #     fn linearize(&self, x: &[f64]) -> At { At([2.0 * x[0]]) }
/// # }
/// # impl Linearization for At {
/// #     fn value(&self) -> f64 { 0.25 * self.0[0] * self.0[0] }
/// #     fn gradient(&self) -> &[f64] { &self.0 }
/// #     fn hessian_vector(&self, v: &[f64], out: &mut [f64]) { out[0] = 2.0 * v[0]; }
/// #     fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) { out[0] = 2.0 * v[0]; }
/// #     fn hessian(&self, mut out: secant_core::faer::MatMut<'_, f64>) { out[(0, 0)] = 2.0; }
/// #     fn gauss_newton(&self, mut out: secant_core::faer::MatMut<'_, f64>) { out[(0, 0)] = 2.0; }
/// # }
/// use secant_optim::{HessianKind, NewtonCg, minimize, product_cost};
/// let ratio = product_cost(&Parabola, &[3.0], HessianKind::Exact);
/// let solution = minimize(&Parabola, NewtonCg::default().with_cost_ratio(ratio), &[3.0])?;
/// assert_eq!(solution.theta, [0.0]);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
///
/// # Panics
/// Where `theta` is not of the problem's length.
pub fn product_cost<P: Curvature>(problem: &P, theta: &[f64], curvature: HessianKind) -> f64 {
    let n = problem.dim();
    assert_eq!(theta.len(), n, "theta has {} entries, the problem {n} parameters", theta.len());
    let (v, mut out) = (vec![1.0; n], vec![0.0; n]);
    let at = problem.linearize(theta);
    let model = Model::new(&at, curvature);
    let products = median_seconds(|| model.apply(&v, &mut out));
    let gradients = median_seconds(|| {
        problem.value_gradient(theta, &mut out);
    });
    products / gradients
}

/// At least a nanosecond, so that a quotient is one.
fn median_seconds(mut work: impl FnMut()) -> f64 {
    let mut seconds = [0.0; TIMINGS];
    for time in &mut seconds {
        let start = Instant::now();
        work();
        *time = start.elapsed().as_secs_f64().max(1e-9);
    }
    seconds.sort_by(f64::total_cmp);
    seconds[TIMINGS / 2]
}
