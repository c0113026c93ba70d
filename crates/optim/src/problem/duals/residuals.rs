//! Least-squares problems from [`Residuals`].

use super::scratch::{Lane, Pool, Scratch};
use super::{
    Evaluate, Visit, along, blocks, first_order, first_order_cost, hessian_cost, product_cost,
    products,
};
use crate::problem::functions::half_square;
use crate::problem::uncounted::RESIDUAL;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, ColMut, MatMut, MatRef, Par};
use secant_core::problem::{
    Costs, Curvature, Derivatives, LeastSquares, Linearization, Objective, Structure,
};
use secant_core::real::{Dual, Residuals};
use std::fmt;
use std::ops::Range;

/// f(θ) = ½‖r(θ)‖² with exact J and second derivatives from one generic function: [`residuals`] makes it.
///
/// J is ⌈n/8⌉ passes of the function with eight partial derivatives, J·v one pass with one. Jᵀu and JᵀJ are formed from J. The Hessian
/// JᵀJ + Σ rᵢ∇²rᵢ and its products have the sum exactly: a product is ⌈n/8⌉ passes with 18 numbers, a dense Hessian n²/32 passes with 25,
/// each of m entries. Nothing is allocated after the first evaluation of a kind but what a method asks for.
pub struct DualLeastSquares<R> {
    residuals: R,
    linear: Vec<Range<usize>>,
    pool: Pool<Scratch>,
    kept: Pool<Kept>,
}

/// A least-squares problem from [`Residuals`], for every method.
///
/// ```
/// use secant_core::real::{Real, Residuals};
/// use secant_optim::{LevenbergMarquardt, minimize, residuals};
///
/// /// y = a·e^(−bt) through four points; θ = (a, b).
/// struct Decay { t: [f64; 4], y: [f64; 4] }
///
/// impl Residuals for Decay {
///     fn parameters(&self) -> usize { 2 }
///     fn residual_len(&self) -> usize { 4 }
///     fn residuals<T: Real>(&self, p: &[T], r: &mut [T]) {
///         for i in 0..4 {
///             r[i] = p[0] * (-p[1] * self.t[i]).exp() - self.y[i];
///         }
///     }
/// }
///
/// let decay = residuals(Decay { t: [0.0, 1.0, 2.0, 3.0], y: [2.0, 1.2, 0.75, 0.42] });
/// let solution = minimize(&decay, LevenbergMarquardt::default(), &[1.0, 1.0])?;
/// assert!(solution.report.reason.is_success());
/// assert!((solution.theta[1] - 0.505_589).abs() < 1e-6);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
pub fn residuals<R: Residuals>(residuals: R) -> DualLeastSquares<R> {
    let linear = Vec::new();
    DualLeastSquares { residuals, linear, pool: Pool::default(), kept: Pool::default() }
}

/// What a linearisation keeps.
#[derive(Debug, Default)]
struct Kept {
    theta: Vec<f64>,
    residuals: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    /// m × n, column-major.
    jacobian: Vec<f64>,
    /// J·v
    image: Vec<f64>,
}

impl<R: Residuals> fmt::Debug for DualLeastSquares<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DualLeastSquares")
            .field("parameters", &self.residuals.parameters())
            .field("residuals", &self.residuals.residual_len())
            .finish_non_exhaustive()
    }
}

/// Residuals as passes see them.
struct All<'a, R>(&'a R);

impl<R: Residuals> Evaluate for All<'_, R> {
    fn evaluate<T: Lane>(&self, theta: &[T], out: &mut [T]) {
        self.0.residuals(theta, out);
    }
    fn outputs(&self) -> usize {
        self.0.residual_len()
    }
}

/// r and J of passes.
struct Dense<'a> {
    residuals: &'a mut [f64],
    jacobian: MatMut<'a, f64>,
}

impl Visit for Dense<'_> {
    fn visit<const K: usize>(&mut self, first: usize, found: &[Dual<f64, K>]) {
        if first == 0 {
            self.residuals.iter_mut().zip(found).for_each(|(r, found)| *r = found.value);
        }
        for k in 0..K.min(self.jacobian.ncols() - first) {
            let entries = found.iter().map(|found| found.partials[k]);
            fill(self.jacobian.as_mut().col_mut(first + k), entries);
        }
    }
}

/// Jᵀu of passes.
struct Transposed<'a> {
    u: &'a [f64],
    out: &'a mut [f64],
}

impl Visit for Transposed<'_> {
    fn visit<const K: usize>(&mut self, first: usize, found: &[Dual<f64, K>]) {
        for (k, out) in self.out[first..].iter_mut().take(K).enumerate() {
            *out = found.iter().zip(self.u).map(|(found, u)| found.partials[k] * u).sum();
        }
    }
}

/// ‖Jⱼ‖² of passes.
struct Squares<'a>(&'a mut [f64]);

impl Visit for Squares<'_> {
    fn visit<const K: usize>(&mut self, first: usize, found: &[Dual<f64, K>]) {
        for (k, out) in self.0[first..].iter_mut().take(K).enumerate() {
            *out = found.iter().map(|found| found.partials[k] * found.partials[k]).sum();
        }
    }
}

fn fill(mut column: ColMut<'_, f64>, entries: impl Iterator<Item = f64>) {
    if let Some(column) = column.as_mut().try_as_col_major_mut() {
        column.as_slice_mut().iter_mut().zip(entries).for_each(|(out, entry)| *out = entry);
    } else {
        column.iter_mut().zip(entries).for_each(|(out, entry)| *out = entry);
    }
}

/// `out` ← JᵀJ, both triangles.
fn gram(jacobian: MatRef<'_, f64>, mut out: MatMut<'_, f64>) {
    let (lower, full) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
    let transposed = (jacobian.transpose(), full);
    let (at, jacobian) = ((out.as_mut(), lower), (jacobian, full));
    matmul(
        at.0,
        at.1,
        Accum::Replace,
        transposed.0,
        transposed.1,
        jacobian.0,
        jacobian.1,
        1.0,
        Par::Seq,
    );
    for j in 0..out.ncols() {
        for i in 0..j {
            out[(i, j)] = out[(j, i)];
        }
    }
}

/// `out` ← Jᵀu.
fn transposed_product(jacobian: &[f64], u: &[f64], out: &mut [f64]) {
    for (j, out) in out.iter_mut().enumerate() {
        let column = &jacobian[j * u.len()..(j + 1) * u.len()];
        *out = column.iter().zip(u).map(|(entry, u)| entry * u).sum();
    }
}

/// `r` ← r(θ) and `jacobian` ← J(θ), m × n column-major.
pub(crate) fn dense<R: Residuals>(
    residuals: &R,
    theta: &[f64],
    scratch: &mut Scratch,
    r: &mut [f64],
    jacobian: &mut [f64],
) {
    let jacobian = MatMut::from_column_major_slice_mut(jacobian, r.len(), theta.len());
    first_order(&All(residuals), theta, scratch, &mut Dense { residuals: r, jacobian });
}

impl<R: Residuals> DualLeastSquares<R> {
    /// The entries of θ in `range` enter r linearly, together with those named before: for
    /// [`VariableProjection`](crate::VariableProjection), which checks it.
    pub fn with_linear(mut self, range: Range<usize>) -> Self {
        self.linear.push(range);
        self
    }

    /// The residuals.
    pub fn inner(&self) -> &R {
        &self.residuals
    }

    fn dense(
        &self,
        theta: &[f64],
        scratch: &mut Scratch,
        residuals: &mut [f64],
        jacobian: MatMut<'_, f64>,
    ) -> f64 {
        if theta.is_empty() {
            self.residuals.residuals(theta, residuals);
        }
        let mut found = Dense { residuals, jacobian };
        first_order(&All(&self.residuals), theta, scratch, &mut found);
        half_square(found.residuals)
    }

    /// Runs `work` with ½‖r‖², r and J.
    fn with_dense<T>(&self, theta: &[f64], work: impl FnOnce(f64, &[f64], &[f64]) -> T) -> T {
        let (m, n) = (self.residual_len(), theta.len());
        self.pool.with(|scratch| {
            let (mut residuals, mut jacobian) =
                (std::mem::take(&mut scratch.residuals), std::mem::take(&mut scratch.jacobian));
            residuals.resize(m, 0.0);
            jacobian.resize(m * n, 0.0);
            let matrix = MatMut::from_column_major_slice_mut(&mut jacobian, m, n);
            let value = self.dense(theta, scratch, &mut residuals, matrix);
            let result = work(value, &residuals, &jacobian);
            (scratch.residuals, scratch.jacobian) = (residuals, jacobian);
            result
        })
    }
}

impl<R: Residuals> Objective for DualLeastSquares<R> {
    fn dim(&self) -> usize {
        self.residuals.parameters()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.pool.with(|scratch| {
            scratch.residuals.resize(self.residual_len(), 0.0);
            self.residuals(theta, &mut scratch.residuals)
        })
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.with_dense(theta, |value, residuals, jacobian| {
            transposed_product(jacobian, residuals, gradient);
            value
        })
    }
    fn fault(&self) -> Option<String> {
        let empty = self.residual_len() == 0;
        empty.then(|| "a sum of squares without residuals: nothing to minimise".to_owned())
    }
}

impl<R: Residuals> LeastSquares for DualLeastSquares<R> {
    fn residual_len(&self) -> usize {
        self.residuals.residual_len()
    }

    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        self.residuals.residuals(theta, residuals);
        half_square(residuals)
    }

    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        self.pool.with(|scratch| {
            let found = along(&All(&self.residuals), theta, v, scratch);
            out.iter_mut().zip(found).for_each(|(out, found)| *out = found.partials[0]);
        });
    }

    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        self.pool.with(|scratch| {
            first_order(&All(&self.residuals), theta, scratch, &mut Transposed { u, out });
        });
    }

    fn normal_equations(
        &self,
        theta: &[f64],
        normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        self.with_dense(theta, |value, residuals, jacobian| {
            transposed_product(jacobian, residuals, gradient);
            let (m, n) = (residuals.len(), theta.len());
            gram(MatRef::from_column_major_slice(jacobian, m, n), normal);
            value
        })
    }

    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], jacobian: MatMut<'_, f64>) -> f64 {
        self.pool.with(|scratch| self.dense(theta, scratch, residuals, jacobian))
    }

    fn normal_diagonal(&self, theta: &[f64], out: &mut [f64]) {
        self.pool.with(|scratch| {
            first_order(&All(&self.residuals), theta, scratch, &mut Squares(out));
        });
    }

    fn linearization(&self, theta: &[f64]) -> Option<Box<dyn Linearization + '_>> {
        Some(Box::new(self.linearize(theta)))
    }

    fn linear_parameters(&self) -> Vec<Range<usize>> {
        self.linear.clone()
    }

    fn parameters_name(&self, range: &Range<usize>) -> String {
        let mut names = range.clone().map(|j| self.residuals.parameter_name(j));
        match (names.next(), names.next_back()) {
            (Some(first), Some(last)) => format!("{first} to {last}"),
            (Some(only), None) => only,
            _ => "no parameter".to_owned(),
        }
    }
}

impl<R: Residuals> Curvature for DualLeastSquares<R> {
    type At<'a>
        = DualLeastSquaresAt<'a, R>
    where
        Self: 'a;

    fn linearize(&self, theta: &[f64]) -> DualLeastSquaresAt<'_, R> {
        let (m, n) = (self.residual_len(), theta.len());
        let mut kept = self.kept.take();
        let Kept { theta: at, residuals, value, gradient, jacobian, image } = &mut kept;
        at.clear();
        at.extend_from_slice(theta);
        residuals.resize(m, 0.0);
        image.resize(m, 0.0);
        gradient.resize(n, 0.0);
        jacobian.resize(m * n, 0.0);
        let matrix = MatMut::from_column_major_slice_mut(jacobian, m, n);
        *value = self.pool.with(|scratch| self.dense(theta, scratch, residuals, matrix));
        transposed_product(jacobian, residuals, gradient);
        DualLeastSquaresAt { problem: self, kept: Some(kept) }
    }

    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        Some(Box::new(self))
    }

    fn structure(&self) -> Structure {
        let (m, n) = (self.residual_len() as f64, self.dim());
        let residuals = RESIDUAL * m;
        let evaluation = residuals * first_order_cost(n);
        let product = 2.0 * m * n as f64;
        let costs = Costs {
            evaluation,
            hessian_vector: residuals * product_cost(n),
            gauss_newton_vector: 2.0 * product,
            hessian: residuals * hessian_cost(n),
            gauss_newton: n as f64 * product,
            jacobian: evaluation,
            normal_equations: evaluation + n as f64 * product,
        };
        let second_derivatives = Derivatives::Exact;
        Structure { second_derivatives, costs: Some(costs), ..Structure::of_residuals(self) }
    }
}

/// A [`DualLeastSquares`] at one θ: r and J. Its Gauss–Newton matrix is JᵀJ.
#[derive(Debug)]
pub struct DualLeastSquaresAt<'a, R: Residuals> {
    problem: &'a DualLeastSquares<R>,
    /// Until it is dropped.
    kept: Option<Kept>,
}

impl<R: Residuals> DualLeastSquaresAt<'_, R> {
    fn kept(&self) -> &Kept {
        self.kept.as_ref().expect("kept until it is dropped")
    }

    fn jacobian(&self) -> MatRef<'_, f64> {
        let kept = self.kept();
        MatRef::from_column_major_slice(&kept.jacobian, kept.residuals.len(), kept.theta.len())
    }
}

impl<R: Residuals> Drop for DualLeastSquaresAt<'_, R> {
    fn drop(&mut self) {
        self.kept.take().into_iter().for_each(|kept| self.problem.kept.give_back(kept));
    }
}

impl<R: Residuals> Linearization for DualLeastSquaresAt<'_, R> {
    fn value(&self) -> f64 {
        self.kept().value
    }

    fn gradient(&self) -> &[f64] {
        &self.kept().gradient
    }

    /// Σ (∂rᵢ·(J·v)ᵢ + rᵢ·∂(J·v)ᵢ), all of it from the passes.
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        let (all, theta) = (All(&self.problem.residuals), &self.kept().theta);
        self.problem.pool.with(|scratch| {
            products(&all, theta, v, scratch, |first, found| {
                for (k, out) in out[first..].iter_mut().take(super::WIDE).enumerate() {
                    let terms = found.iter().map(|r| {
                        let (along, of_k) = (r.value.partials[0], &r.partials[k]);
                        of_k.value * along + r.value.value * of_k.partials[0]
                    });
                    *out = terms.sum();
                }
            });
        });
    }

    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        let m = self.kept().residuals.len();
        let mut spare = self.problem.kept.take();
        spare.image.clear();
        spare.image.resize(m, 0.0);
        for (column, v) in self.kept().jacobian.chunks_exact(m).zip(v) {
            spare.image.iter_mut().zip(column).for_each(|(out, entry)| *out += v * entry);
        }
        transposed_product(&self.kept().jacobian, &spare.image, out);
        self.problem.kept.give_back(spare);
    }

    fn hessian(&self, mut out: MatMut<'_, f64>) {
        let (all, theta) = (All(&self.problem.residuals), &self.kept().theta);
        let n = theta.len();
        self.problem.pool.with(|scratch| {
            blocks(&all, theta, scratch, |row, column, found| {
                for i in row..n.min(row + super::SQUARE) {
                    for j in column..n.min(column + super::SQUARE).min(i + 1) {
                        let (a, b) = (i - row, j - column);
                        let terms = found.iter().map(|r| {
                            let of_a = &r.partials[a];
                            of_a.value * r.value.partials[b] + r.value.value * of_a.partials[b]
                        });
                        let entry: f64 = terms.sum();
                        (out[(i, j)], out[(j, i)]) = (entry, entry);
                    }
                }
            });
        });
    }

    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        gram(self.jacobian(), out);
    }

    fn gauss_newton_diagonal_while(
        &self,
        out: &mut [f64],
        go_on: &mut dyn FnMut() -> bool,
    ) -> bool {
        let m = self.kept().residuals.len();
        for (column, out) in self.kept().jacobian.chunks_exact(m).zip(&mut *out) {
            *out = column.iter().map(|entry| entry * entry).sum();
        }
        go_on()
    }
}
