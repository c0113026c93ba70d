//! All that a solver may ask of a problem: minimise f(θ), θ ∈ ℝⁿ.
//!
//! | trait | gives | who asks |
//! |---|---|---|
//! | [`Objective`] | f, and f with ∇f in one evaluation | every full-batch method |
//! | [`Curvature`] | a [`Linearization`]: H·v, G·v, dense H and G at one θ | Newton and its relatives |
//! | [`LeastSquares`] | f = ½‖r‖²: r, J·v, Jᵀ·u, JᵀJ or its diagonal | Gauss–Newton, Levenberg–Marquardt |
//! | [`SampledObjective`] | f and ∇f on some of the samples | SGD and its family only |
//!
//! A minibatch is a [`SampledObjective`] and *not* an [`Objective`]: curvature pairs (s, y) of two different
//! samples measure noise, so "L-BFGS on minibatches" does not compile.
//!
//! ```compile_fail,E0277
//! use secant_core::problem::{Objective, SampledObjective};
//! fn full_batch_method<P: Objective>(_: &P) {}
//! struct Minibatches;
//! impl SampledObjective for Minibatches {
//!     fn parameters(&self) -> usize { 1 }
//!     fn samples(&self) -> usize { 1 }
//!     fn value_gradient_on(&self, _: &[usize], _: &[f64], _: &mut [f64]) -> f64 { 0.0 }
//! }
//! full_batch_method(&Minibatches); // the trait bound `Minibatches: Objective` is not satisfied
//! ```

mod arrow;
pub(crate) mod by_default;
mod in_box;
mod observations;
mod structure;

pub use arrow::{Arrow, ArrowGroup};
pub use in_box::InBox;
pub use observations::Observations;
pub use structure::{Costs, Form, LinearBlock, Structure};

use faer::{Mat, MatMut};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A full-batch, deterministic function f: ℝⁿ → ℝ. The same θ gives the same bits.
///
/// A value outside the function's domain is returned as a non-finite number, never as a panic: solvers contract
/// their step when they meet one.
///
/// # Panics
/// Implementations may panic when a slice has a length other than [`dim`](Self::dim), as slice indexing does.
/// Solvers check their start once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a full-batch objective",
    note = "full-batch methods (Newton, BFGS, L-BFGS …) need the same function at every evaluation; \
            a minibatch (`SampledObjective`) changes it, and curvature measured across two minibatches is noise"
)]
pub trait Objective {
    /// n, the length of θ.
    fn dim(&self) -> usize;
    /// f(θ).
    fn value(&self, theta: &[f64]) -> f64;
    /// f(θ), with ∇f(θ) written to `gradient`: one fused evaluation.
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64;
    /// The same where f is wanted in a box only, θ in it: a gradient by differences takes no point outside. The default has formulas,
    /// and does not ask.
    fn value_gradient_within(&self, theta: &[f64], within: InBox<'_>, gradient: &mut [f64]) -> f64 {
        let _ = within;
        self.value_gradient(theta, gradient)
    }
    /// What a report should say of the derivatives that a run `asked` for, at `theta`, where it ended: which came from differences,
    /// and which of these could not be had. May evaluate f. Default nothing.
    fn notes(&self, theta: &[f64], asked: Asked<'_>) -> Vec<String> {
        let _ = (theta, asked);
        Vec::new()
    }
    /// Why there is nothing to minimise, whatever θ: no residuals, options of other lengths. A run is refused with these words.
    /// Default none.
    fn fault(&self) -> Option<String> {
        None
    }
}

/// Which derivatives a run has asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Asked<'a> {
    /// ∇f or J.
    pub first: bool,
    /// ∇²f or products with it.
    pub second: bool,
    /// G or products with it.
    pub gauss_newton: bool,
    /// The box that it stayed in.
    pub within: Option<InBox<'a>>,
}

/// An objective whose second derivatives are at hand.
///
/// What a linearisation has beside value and gradient is ∇²f, as a matrix or as products; [`Linearization`] makes each from the other.
///
/// ```
/// use faer::MatMut;
/// use secant_core::problem::{Curvature, Linearization, Objective};
///
/// /// f(x, y) = (1 − x)² + 100(y − x²)²
/// struct Rosenbrock;
///
/// impl Objective for Rosenbrock {
///     fn dim(&self) -> usize { 2 }
///     fn value(&self, p: &[f64]) -> f64 {
///         (1.0 - p[0]).powi(2) + 100.0 * (p[1] - p[0] * p[0]).powi(2)
///     }
///     fn value_gradient(&self, p: &[f64], g: &mut [f64]) -> f64 {
///         let b = p[1] - p[0] * p[0];
///         g[0] = -2.0 * (1.0 - p[0]) - 400.0 * b * p[0];
///         g[1] = 200.0 * b;
///         self.value(p)
///     }
/// }
///
/// /// What one θ = (x, y) leaves for later.
/// struct At { x: f64, y: f64, value: f64, gradient: [f64; 2] }
///
/// impl Curvature for Rosenbrock {
///     type At<'a> = At;
///     fn linearize(&self, p: &[f64]) -> At {
///         let mut gradient = [0.0; 2];
///         let value = self.value_gradient(p, &mut gradient);
///         At { x: p[0], y: p[1], value, gradient }
///     }
/// }
///
/// impl Linearization for At {
///     fn value(&self) -> f64 { self.value }
///     fn gradient(&self) -> &[f64] { &self.gradient }
///     fn hessian(&self, mut out: MatMut<'_, f64>) {
///         out[(0, 0)] = 2.0 - 400.0 * (self.y - 3.0 * self.x * self.x);
///         (out[(0, 1)], out[(1, 0)]) = (-400.0 * self.x, -400.0 * self.x);
///         out[(1, 1)] = 200.0;
///     }
/// }
///
/// let checks = secant_core::check::curvature(&Rosenbrock, &[-1.2, 1.0], 1);
/// assert!(checks.passed(), "{checks}");
/// ```
pub trait Curvature: Objective {
    /// The linearisation at one θ.
    type At<'a>: Linearization
    where
        Self: 'a;
    /// Evaluates once at θ and keeps what repeated products need.
    fn linearize(&self, theta: &[f64]) -> Self::At<'_>;
    /// The same where f is wanted in a box only, θ in it, as [`Objective::value_gradient_within`].
    fn linearize_within(&self, theta: &[f64], within: InBox<'_>) -> Self::At<'_> {
        let _ = within;
        self.linearize(theta)
    }
    /// `out` ← ∇²f(θ) for somebody who has f and ∇f there, so that what they need alone may be left out. Default: by
    /// [`linearize`](Self::linearize).
    fn hessian_at(&self, theta: &[f64], out: MatMut<'_, f64>) {
        self.linearize(theta).hessian(out);
    }
    /// The same of [`Linearization::gauss_newton`].
    fn gauss_newton_at(&self, theta: &[f64], out: MatMut<'_, f64>) {
        self.linearize(theta).gauss_newton(out);
    }
    /// `out` (`rows` × `columns`) ← these entries of ∇²f(θ), as [`hessian_at`](Self::hessian_at); [`Structure::hessian_blocks`] says whether
    /// they cost less than all of it. Default: by [`linearize`](Self::linearize).
    fn hessian_block_at(
        &self,
        theta: &[f64],
        rows: &[usize],
        columns: &[usize],
        out: MatMut<'_, f64>,
    ) {
        self.linearize(theta).hessian_block(rows, columns, out);
    }
    /// The same objective through its residuals, where it is half a sum of squares: what lets a method chosen at run time be
    /// one of least squares. Default `None`.
    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        None
    }
    /// What is known of f before a run: what a method can be chosen by. Costs no evaluation. Default: nothing.
    fn structure(&self) -> Structure {
        Structure::default()
    }
}

/// f, ∇f and the curvature of f at one θ, to be applied many times.
///
/// Write [`hessian_vector`](Self::hessian_vector) or [`hessian`](Self::hessian), or both where each has a way of its own; one is made
/// from the other, products from the matrix at n² a time with the matrix formed anew, the matrix from n products. G is ∇²f unless you
/// say otherwise.
///
/// # Panics
/// Implementations may panic when a slice or matrix has another size than stated, as slice indexing does; and with a message of its own
/// where neither of the two is written.
pub trait Linearization {
    /// f(θ).
    fn value(&self) -> f64;
    /// ∇f(θ), length n.
    fn gradient(&self) -> &[f64];
    /// `out` ← ∇²f(θ)·v. The default forms [`hessian`](Self::hessian).
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        by_default::product(|matrix| self.hessian(matrix), v, out);
    }
    /// `out` ← G(θ)·v, the (generalised) Gauss–Newton matrix: ∇²f without the second derivatives of the model. Default: f is no loss of
    /// a model, nothing is to be left out, G = ∇²f.
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.hessian_vector(v, out);
    }
    /// `out` ← ∇²f(θ), n × n, both triangles. The default takes n products.
    fn hessian(&self, out: MatMut<'_, f64>) {
        by_default::matrix(|v, product| self.hessian_vector(v, product), out);
    }
    /// `out` (`rows` × `columns`) ← the entries of ∇²f(θ) in these rows and columns, in their order. The default takes a product for each
    /// column.
    fn hessian_block(&self, rows: &[usize], columns: &[usize], out: MatMut<'_, f64>) {
        let n = self.gradient().len();
        by_default::block(|v, product| self.hessian_vector(v, product), n, (rows, columns), out);
    }
    /// `out` ← G(θ), n × n, both triangles. Default ∇²f, as for the products; with products of your own, write this too.
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.hessian(out);
    }
    /// `out` ← the diagonal of G(θ), length n. The default takes n products.
    fn gauss_newton_diagonal(&self, out: &mut [f64]) {
        self.gauss_newton_diagonal_while(out, &mut || true);
    }
    /// As [`gauss_newton_diagonal`](Self::gauss_newton_diagonal), as long as `go_on` says so, which is asked before every product; whether
    /// it was not given up. The default takes n products: where the diagonal costs less, this is to give that one.
    fn gauss_newton_diagonal_while(
        &self,
        out: &mut [f64],
        go_on: &mut dyn FnMut() -> bool,
    ) -> bool {
        let n = out.len();
        let (mut unit, mut column) = (vec![0.0; n], vec![0.0; n]);
        for j in 0..n {
            if !go_on() {
                return false;
            }
            unit[j] = 1.0;
            self.gauss_newton_vector(&unit, &mut column);
            out[j] = column[j];
            unit[j] = 0.0;
        }
        true
    }
}

/// Where a Jacobian comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Derivatives {
    /// Formulas: exact to rounding.
    #[default]
    Exact,
    /// Differences of values: some ten digits where the function has sixteen.
    Differences,
}

/// Parameters θ_L that the residuals are affine in: r(θ) = r₀ + A·θ_L, where r₀ and A depend on the other parameters only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinearPart {
    /// Where θ_L lies in θ: in order, apart from each other.
    pub ranges: Vec<Range<usize>>,
    /// The residuals that θ_L enters, one range after the other; all others do not depend on it.
    pub rows: Vec<Range<usize>>,
    /// c: on `rows` A is Φ ⊗ I_c. Entry i·c + k of the rows depends on the entries j·c + k of θ_L only, by Φᵢⱼ whatever k; 1
    /// where A is no such product. The lengths of all ranges are multiples of c.
    pub copies: usize,
}

impl LinearPart {
    /// Rows and columns of Φ.
    pub fn design_shape(&self) -> (usize, usize) {
        let total =
            |ranges: &[Range<usize>]| ranges.iter().map(ExactSizeIterator::len).sum::<usize>();
        (total(&self.rows) / self.copies, total(&self.ranges) / self.copies)
    }
}

/// An objective that is half a sum of squares: f(θ) = ½‖r(θ)‖², r ∈ ℝᵐ. J = ∂r/∂θ is m × n.
///
/// # Panics
/// Implementations may panic when a slice or matrix has another size than stated, as slice indexing does.
pub trait LeastSquares: Objective {
    /// m, the number of residuals.
    fn residual_len(&self) -> usize;
    /// `residuals` ← r(θ), length m. Returns ½‖r‖².
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64;
    /// `out` ← J·v, length m.
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]);
    /// `out` ← Jᵀ·u, length n.
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]);
    /// `normal` ← JᵀJ (n × n, both triangles) and `gradient` ← Jᵀr. Returns ½‖r‖². The default takes them from the dense J, m × n.
    fn normal_equations(
        &self,
        theta: &[f64],
        mut normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        let (m, n) = (self.residual_len(), self.dim());
        let (mut residuals, mut jacobian) = (vec![0.0; m], Mat::zeros(m, n));
        let value = self.jacobian(theta, &mut residuals, jacobian.as_mut());
        normal.copy_from(jacobian.transpose() * &jacobian);
        for (j, out) in gradient.iter_mut().enumerate() {
            *out = jacobian.col(j).iter().zip(&residuals).map(|(entry, r)| entry * r).sum();
        }
        value
    }
    /// The same where r is wanted in a box only, θ in it, as [`Objective::value_gradient_within`].
    fn normal_equations_within(
        &self,
        theta: &[f64],
        within: InBox<'_>,
        normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        let _ = within;
        self.normal_equations(theta, normal, gradient)
    }
    /// `residuals` ← r and `jacobian` ← J (m × n). Returns ½‖r‖².
    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], jacobian: MatMut<'_, f64>) -> f64;
    /// The same where r is wanted in a box only, θ in it, as [`Objective::value_gradient_within`].
    fn jacobian_within(
        &self,
        theta: &[f64],
        within: InBox<'_>,
        residuals: &mut [f64],
        jacobian: MatMut<'_, f64>,
    ) -> f64 {
        let _ = within;
        self.jacobian(theta, residuals, jacobian)
    }
    /// Where J is not zero, where it is an arrow: groups of residuals with parameters of their own beside shared ones. Levenberg–Marquardt
    /// and Gauss–Newton then cost as much as the groups by themselves. Default none.
    fn arrow(&self) -> Option<&Arrow> {
        None
    }
    /// `residuals` ← r and `entries` ← the blocks of J, one group after the other, each column-major with the group's own columns before the
    /// shared ones; in a box where there is one, as [`jacobian_within`](Self::jacobian_within). Returns ½‖r‖². The default takes them from
    /// the dense J.
    fn arrow_jacobian(
        &self,
        theta: &[f64],
        within: Option<InBox<'_>>,
        residuals: &mut [f64],
        entries: &mut [f64],
    ) -> f64 {
        let mut jacobian = Mat::zeros(self.residual_len(), self.dim());
        let value = match within {
            Some(within) => self.jacobian_within(theta, within, residuals, jacobian.as_mut()),
            None => self.jacobian(theta, residuals, jacobian.as_mut()),
        };
        if let Some(arrow) = self.arrow() {
            arrow.gather(jacobian.as_ref(), entries);
        }
        value
    }
    /// `out` ← the diagonal of JᵀJ, length n: what scales the parameters where J is never formed. The default takes n products.
    fn normal_diagonal(&self, theta: &[f64], out: &mut [f64]) {
        let (mut unit, mut column) = (vec![0.0; out.len()], vec![0.0; self.residual_len()]);
        for (j, out) in out.iter_mut().enumerate() {
            unit[j] = 1.0;
            self.jacobian_vector(theta, &unit, &mut column);
            *out = column.iter().map(|entry| entry * entry).sum();
            unit[j] = 0.0;
        }
    }
    /// f with its exact second derivatives at θ, where the problem has them. Default `None`.
    fn linearization(&self, _theta: &[f64]) -> Option<Box<dyn Linearization + '_>> {
        None
    }
    /// Where J comes from, for the report. Default exact.
    fn derivatives(&self) -> Derivatives {
        Derivatives::Exact
    }
    /// Where in θ the parameters lie that r is affine in, all of them together. Default none.
    fn linear_parameters(&self) -> Vec<Range<usize>> {
        Vec::new()
    }
    /// How the parameters in `ranges` (in order, apart from each other) enter, taken for granted that they enter linearly.
    /// Default: all residuals, one copy.
    fn linear_part(&self, ranges: &[Range<usize>]) -> LinearPart {
        let rows = vec![Range { start: 0, end: self.residual_len() }];
        LinearPart { ranges: ranges.to_vec(), rows, copies: 1 }
    }
    /// `residuals` ← r(θ) and `design` ← Φ(θ), of the [shape](LinearPart::design_shape) of `part`. Returns ½‖r‖². The default
    /// takes it from the dense J.
    fn linear_design(
        &self,
        theta: &[f64],
        part: &LinearPart,
        residuals: &mut [f64],
        mut design: MatMut<'_, f64>,
    ) -> f64 {
        let mut jacobian = Mat::zeros(self.residual_len(), self.dim());
        let value = self.jacobian(theta, residuals, jacobian.as_mut());
        let columns = part.ranges.iter().cloned().flatten().step_by(part.copies);
        for (j, column) in columns.enumerate() {
            let rows = part.rows.iter().cloned().flatten().step_by(part.copies);
            for (i, row) in rows.enumerate() {
                design[(i, j)] = jacobian[(row, column)];
            }
        }
        value
    }
    /// Which residuals are of data, and in what units. Default all, in their own.
    fn observations(&self) -> Observations {
        Observations::plain(self.residual_len())
    }
    /// What to call a range of θ in messages. Default `θ[start..end]`.
    fn parameters_name(&self, range: &Range<usize>) -> String {
        format!("θ[{}..{}]", range.start, range.end)
    }
}

/// A mean over N samples that can be evaluated on some of them: for SGD and its family only.
///
/// # Panics
/// Implementations may panic when a slice has another length than [`parameters`](Self::parameters), when `indices` is empty or names a sample
/// that is not there, as slice indexing does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be evaluated on some of its samples",
    note = "minibatch methods need a `SampledObjective`: a mean over samples, such as `Risk`"
)]
pub trait SampledObjective {
    /// n, the length of θ. Not named `dim`, so that no call is ambiguous on a type that is an [`Objective`] too.
    fn parameters(&self) -> usize;
    /// N, the number of samples.
    fn samples(&self) -> usize;
    /// The mean over the samples named by `indices` (each < N, some perhaps twice) plus the penalty, with its gradient written
    /// to `gradient`. The same indices in the same order and the same θ give the same bits.
    fn value_gradient_on(&self, indices: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64;
    /// The same where the objective has random numbers of its own (dropout): those of draw `draw`, of which
    /// [`value_gradient_on`](Self::value_gradient_on) is draw 0. A run passes its step, from 1. The same draw gives the same bits.
    /// The default has none.
    fn value_gradient_drawn(
        &self,
        draw: u64,
        indices: &[usize],
        theta: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        let _ = draw;
        self.value_gradient_on(indices, theta, gradient)
    }
}

impl<P: Objective + ?Sized> Objective for &P {
    fn dim(&self) -> usize {
        (**self).dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        (**self).value(theta)
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        (**self).value_gradient(theta, gradient)
    }
    fn value_gradient_within(&self, theta: &[f64], within: InBox<'_>, gradient: &mut [f64]) -> f64 {
        (**self).value_gradient_within(theta, within, gradient)
    }
    fn notes(&self, theta: &[f64], asked: Asked<'_>) -> Vec<String> {
        (**self).notes(theta, asked)
    }
    fn fault(&self) -> Option<String> {
        (**self).fault()
    }
}

impl<P: Curvature + ?Sized> Curvature for &P {
    type At<'a>
        = P::At<'a>
    where
        Self: 'a;
    fn linearize(&self, theta: &[f64]) -> Self::At<'_> {
        (**self).linearize(theta)
    }
    fn linearize_within(&self, theta: &[f64], within: InBox<'_>) -> Self::At<'_> {
        (**self).linearize_within(theta, within)
    }
    fn hessian_at(&self, theta: &[f64], out: MatMut<'_, f64>) {
        (**self).hessian_at(theta, out);
    }
    fn gauss_newton_at(&self, theta: &[f64], out: MatMut<'_, f64>) {
        (**self).gauss_newton_at(theta, out);
    }
    fn hessian_block_at(
        &self,
        theta: &[f64],
        rows: &[usize],
        columns: &[usize],
        out: MatMut<'_, f64>,
    ) {
        (**self).hessian_block_at(theta, rows, columns, out);
    }
    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        (**self).as_least_squares()
    }
    fn structure(&self) -> Structure {
        (**self).structure()
    }
}

impl<P: SampledObjective + ?Sized> SampledObjective for &P {
    fn parameters(&self) -> usize {
        (**self).parameters()
    }
    fn samples(&self) -> usize {
        (**self).samples()
    }
    fn value_gradient_on(&self, indices: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64 {
        (**self).value_gradient_on(indices, theta, gradient)
    }
    fn value_gradient_drawn(
        &self,
        draw: u64,
        indices: &[usize],
        theta: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        (**self).value_gradient_drawn(draw, indices, theta, gradient)
    }
}

impl<P: LeastSquares + ?Sized> LeastSquares for &P {
    fn residual_len(&self) -> usize {
        (**self).residual_len()
    }
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        (**self).residuals(theta, residuals)
    }
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        (**self).jacobian_vector(theta, v, out);
    }
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        (**self).jacobian_transpose_vector(theta, u, out);
    }
    fn normal_equations(
        &self,
        theta: &[f64],
        normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        (**self).normal_equations(theta, normal, gradient)
    }
    fn normal_equations_within(
        &self,
        theta: &[f64],
        within: InBox<'_>,
        normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        (**self).normal_equations_within(theta, within, normal, gradient)
    }
    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], jacobian: MatMut<'_, f64>) -> f64 {
        (**self).jacobian(theta, residuals, jacobian)
    }
    fn jacobian_within(
        &self,
        theta: &[f64],
        within: InBox<'_>,
        residuals: &mut [f64],
        jacobian: MatMut<'_, f64>,
    ) -> f64 {
        (**self).jacobian_within(theta, within, residuals, jacobian)
    }
    fn normal_diagonal(&self, theta: &[f64], out: &mut [f64]) {
        (**self).normal_diagonal(theta, out);
    }
    fn arrow(&self) -> Option<&Arrow> {
        (**self).arrow()
    }
    fn arrow_jacobian(
        &self,
        theta: &[f64],
        within: Option<InBox<'_>>,
        residuals: &mut [f64],
        entries: &mut [f64],
    ) -> f64 {
        (**self).arrow_jacobian(theta, within, residuals, entries)
    }
    fn linearization(&self, theta: &[f64]) -> Option<Box<dyn Linearization + '_>> {
        (**self).linearization(theta)
    }
    fn derivatives(&self) -> Derivatives {
        (**self).derivatives()
    }
    fn linear_parameters(&self) -> Vec<Range<usize>> {
        (**self).linear_parameters()
    }
    fn linear_part(&self, ranges: &[Range<usize>]) -> LinearPart {
        (**self).linear_part(ranges)
    }
    fn linear_design(
        &self,
        theta: &[f64],
        part: &LinearPart,
        residuals: &mut [f64],
        design: MatMut<'_, f64>,
    ) -> f64 {
        (**self).linear_design(theta, part, residuals, design)
    }
    fn observations(&self) -> Observations {
        (**self).observations()
    }
    fn parameters_name(&self, range: &Range<usize>) -> String {
        (**self).parameters_name(range)
    }
}
