//! The problem in θ_N alone: r(θ_N, θ_L(θ_N)) with θ_L(θ_N) = argmin ‖r(θ_N, ·)‖.

use super::claims::{check_linear, check_ranges};
use super::inner::Inner;
use super::{NAME, ProjectedJacobian};
use crate::error::OptimError;
use crate::linalg::vector;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use secant_core::problem::{Derivatives, LeastSquares, LinearPart, Objective};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// A least-squares problem with its linear parameters θ_L solved for: a function of the others, θ_N, in their order.
///
/// f(θ_N) = min over θ_L of ½‖r₀(θ_N) + A(θ_N)·θ_L‖². An evaluation costs two of the residuals and a QR of A, 2mp² flops for p
/// linear parameters, or of its factor Φ where A = Φ ⊗ I_c; columns that depend on others to working precision give the shortest θ_L. J is that of Kaufman or of
/// Golub and Pereyra, [`ProjectedJacobian`]: a dense J of the problem and 4mpq flops more, q = n − p. Memory 3mn for
/// every thread that evaluates it at the same time.
///
/// It is a [`LeastSquares`] itself, so that any method of least squares runs on it. [`VariableProjection`](crate::VariableProjection)
/// does more: it keeps ill-conditioned θ_L in bounds on the way.
///
/// ```
/// use secant_core::problem::Objective;
/// use secant_optim::{GaussNewton, LeastSquaresFn, ReducedLeastSquares, minimize};
///
/// // y = a·exp(−b·t) + c through five points; θ = (a, b, c), of which b alone is not linear.
/// let (t, y) = ([0.0, 1.0, 2.0, 3.0, 4.0], [2.5, 1.7, 1.25, 0.92, 0.8]);
/// let decay = LeastSquaresFn::new(3, 5, |theta, r| {
///     for i in 0..5 {
///         r[i] = theta[0] * f64::exp(-theta[1] * t[i]) + theta[2] - y[i];
///     }
/// });
/// let start = [1.0, 1.0, 1.0];
/// let reduced = ReducedLeastSquares::new(&decay, &[0..1, 2..3], &start)?;
/// let solution = minimize(&reduced, GaussNewton::default(), &reduced.nonlinear(&start))?;
/// let theta = reduced.full(&solution.theta);
/// assert_eq!(theta.len(), 3);
/// assert!((decay.value(&theta) - solution.report.value).abs() < 1e-15);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
#[derive(Debug)]
pub struct ReducedLeastSquares<P> {
    pub(super) problem: P,
    pub(super) core: Core,
}

/// All of it but the problem.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Core {
    part: LinearPart,
    /// The rows of every copy, those of the ridge last.
    copies: Vec<Vec<usize>>,
    /// Where in θ the entries of θ_L and of θ_N lie.
    linear: Vec<usize>,
    nonlinear: Vec<usize>,
    /// m of the problem.
    residuals: usize,
    pub(super) jacobian: ProjectedJacobian,
    pub(super) rank_tolerance: f64,
    /// δ²: ½δ²‖Dθ_L‖² is added to f, and a row for every linear parameter to r. None: neither.
    pub(super) ridge: Option<f64>,
    /// D, one entry for every column of Φ.
    scale: Vec<f64>,
    /// Those that no call has taken out, the last one used at the end. Never locked while the problem is evaluated: that runs tasks of
    /// other callers meanwhile, which want to evaluate it too.
    idle: Mutex<Vec<Work>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Work {
    /// The last point, and the one that J was formed at.
    now: Point,
    linearized: Point,
    /// J of the problem, m × n.
    #[serde(with = "crate::linalg::dense")]
    full: Mat<f64>,
    /// J of this problem, at the point `linearized` if `known`.
    #[serde(with = "crate::linalg::dense")]
    projected: Mat<f64>,
    known: bool,
    /// ∇f of the problem there.
    gradient: Vec<f64>,
    /// Rows of one copy.
    #[serde(with = "crate::linalg::dense")]
    gathered: Mat<f64>,
    along: Vec<f64>,
    coefficients: Vec<f64>,
    /// r with the ridge.
    residuals: Vec<f64>,
}

/// θ_L at one θ_N.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Point {
    /// Whether the rest belongs to `at`.
    known: bool,
    at: Vec<f64>,
    theta: Vec<f64>,
    inner: Inner,
    /// r of the problem, and ½‖r‖² with the ridge.
    residuals: Vec<f64>,
    value: f64,
}

impl Point {
    fn is_at(&self, nonlinear: &[f64]) -> bool {
        self.known && self.at == nonlinear
    }
}

impl Work {
    fn knows(&self, nonlinear: &[f64]) -> bool {
        self.now.is_at(nonlinear) || self.linearized.is_at(nonlinear)
    }
}

impl<P: LeastSquares> ReducedLeastSquares<P> {
    /// The parameters in `ranges` of θ enter the residuals of `problem` linearly; whether they do is checked at `theta` (length n).
    ///
    /// # Errors
    /// No ranges, or such that are empty, overlap or do not lie within θ; a θ of another length; residuals that are not linear in
    /// these parameters.
    pub fn new(problem: P, ranges: &[Range<usize>], theta: &[f64]) -> Result<Self, OptimError> {
        let n = problem.dim();
        let ranges = check_ranges(NAME, ranges, n)?;
        if theta.len() != n {
            return Err(OptimError::StartLength { expected: n, found: theta.len() });
        }
        check_linear(NAME, &problem, theta, &ranges)?;
        let core = Core::new(&problem, &ranges, false);
        Ok(Self { problem, core })
    }

    /// Which J. Default [`ProjectedJacobian::Kaufman`].
    pub fn with_jacobian(mut self, jacobian: ProjectedJacobian) -> Self {
        self.core.jacobian = jacobian;
        self
    }

    /// θ_N of a θ of length n.
    pub fn nonlinear(&self, theta: &[f64]) -> Vec<f64> {
        self.core.nonlinear.iter().map(|&index| theta[index]).collect()
    }

    /// θ (length n) of a θ_N, with the best θ_L.
    pub fn full(&self, nonlinear: &[f64]) -> Vec<f64> {
        self.core.with(nonlinear, |work| {
            self.solve(work, nonlinear);
            work.now.theta.clone()
        })
    }

    /// The problem.
    pub fn problem(&self) -> &P {
        &self.problem
    }

    /// Makes `now` the point at θ_N.
    fn solve(&self, work: &mut Work, nonlinear: &[f64]) {
        let core = &self.core;
        if work.now.is_at(nonlinear) {
            return;
        }
        if work.linearized.is_at(nonlinear) {
            std::mem::swap(&mut work.now, &mut work.linearized);
            work.known = false;
            return;
        }
        let Point { known, at, theta, inner, residuals, value } = &mut work.now;
        *known = true;
        at.copy_from_slice(nonlinear);
        core.linear.iter().for_each(|&index| theta[index] = 0.0);
        for (&index, value) in core.nonlinear.iter().zip(nonlinear) {
            theta[index] = *value;
        }
        self.problem.linear_design(theta, &core.part, residuals, inner.design_mut());
        let root = core.ridge.unwrap_or(0.0).sqrt();
        if !inner.factor(|j| root * core.scale[j], core.rank_tolerance) {
            *value = f64::NAN;
            return;
        }
        for (k, rows) in core.copies.iter().enumerate() {
            // Those of the ridge have nothing on the right.
            let right = rows.iter().take_while(|row| **row < core.residuals);
            inner.solve(right.map(|row| residuals[*row]), &mut work.coefficients);
            let entries = core.linear.iter().skip(k).step_by(core.part.copies);
            for (&index, coefficient) in entries.zip(&work.coefficients) {
                theta[index] = *coefficient;
            }
        }
        let square: f64 = core.ridge_rows(theta).map(|row| row * row).sum();
        *value = self.problem.residuals(theta, residuals) + 0.5 * square;
    }

    /// Makes `linearized` the point at θ_N, with `projected` and `gradient`.
    fn linearize(&self, work: &mut Work, nonlinear: &[f64]) {
        if work.known && work.linearized.is_at(nonlinear) {
            return;
        }
        self.solve(work, nonlinear);
        std::mem::swap(&mut work.now, &mut work.linearized);
        work.known = true;
        let Work { linearized: point, full, projected, gradient, .. } = work;
        if !point.value.is_finite() {
            projected.fill(f64::NAN);
            return gradient.fill(f64::NAN);
        }
        self.problem.jacobian(&point.theta, &mut point.residuals, full.as_mut());
        for (j, gradient) in gradient.iter_mut().enumerate() {
            *gradient = vector::dot(full.col_as_slice(j), &point.residuals);
        }
        self.core.copy_nonlinear(full, projected);
        let bends = (self.core.jacobian == ProjectedJacobian::GolubPereyra)
            .then(|| self.bends(&point.theta, &point.residuals));
        self.core.project(work, bends.as_ref());
    }

    /// f at θ_N, with ∇f in `gradient`.
    fn value_gradient_with(&self, work: &mut Work, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.linearize(work, theta);
        let Work { linearized, projected, residuals, .. } = work;
        self.core.write_residuals(linearized, residuals);
        for (j, gradient) in gradient.iter_mut().enumerate() {
            *gradient = vector::dot(projected.col_as_slice(j), residuals);
        }
        linearized.value
    }

    /// ∂(Aᵀu)/∂θ_N at u = r, p_L × q: J_N(θ_L)ᵀu is affine in θ_L, so that its differences are exact.
    fn bends(&self, theta: &[f64], u: &[f64]) -> Mat<f64> {
        let core = &self.core;
        let mut theta = theta.to_vec();
        core.linear.iter().for_each(|&index| theta[index] = 0.0);
        let (mut without, mut with) = (vec![0.0; theta.len()], vec![0.0; theta.len()]);
        self.problem.jacobian_transpose_vector(&theta, u, &mut without);
        let mut bends = Mat::zeros(core.linear.len(), core.nonlinear.len());
        for (l, &index) in core.linear.iter().enumerate() {
            theta[index] = 1.0;
            self.problem.jacobian_transpose_vector(&theta, u, &mut with);
            theta[index] = 0.0;
            for (j, &column) in core.nonlinear.iter().enumerate() {
                bends[(l, j)] = with[column] - without[column];
            }
        }
        bends
    }
}

impl Core {
    pub(super) fn new<P: LeastSquares>(problem: &P, ranges: &[Range<usize>], ridge: bool) -> Self {
        let (m, n) = (problem.residual_len(), problem.dim());
        let part = problem.linear_part(ranges);
        let linear: Vec<usize> = ranges.iter().cloned().flatten().collect();
        let nonlinear: Vec<usize> = (0..n).filter(|j| linear.binary_search(j).is_err()).collect();
        let (_, p) = part.design_shape();
        let extra = if ridge { linear.len() } else { 0 };
        let rows_of = |k: usize| {
            let of_problem = part.rows.iter().cloned().flatten().skip(k).step_by(part.copies);
            of_problem.chain((m..m + extra).skip(k).step_by(part.copies)).collect()
        };
        Self {
            copies: (0..part.copies).map(rows_of).collect(),
            part,
            linear,
            nonlinear,
            residuals: m,
            jacobian: ProjectedJacobian::default(),
            rank_tolerance: 0.0,
            ridge: ridge.then_some(0.0),
            scale: vec![0.0; p],
            idle: Mutex::default(),
        }
    }

    /// Buffers that know no point.
    fn new_work(&self) -> Work {
        let (p, q) = (self.scale.len(), self.nonlinear.len());
        let (m, n) = (self.residuals, self.linear.len() + q);
        let point = Point {
            known: false,
            at: vec![0.0; q],
            theta: vec![0.0; n],
            inner: Inner::new(&self.part, self.ridge.is_some()),
            residuals: vec![0.0; m],
            value: f64::NAN,
        };
        let extra = self.ridge.map_or(0, |_| self.linear.len());
        // Not needed where one copy has all the rows.
        let rows = point.inner.rows();
        let gathered = if rows == m + extra { 0 } else { rows };
        Work {
            full: Mat::zeros(m, n),
            projected: Mat::zeros(m + extra, q),
            known: false,
            gradient: vec![0.0; n],
            gathered: Mat::zeros(gathered, q),
            along: vec![0.0; p * q],
            coefficients: vec![0.0; p],
            residuals: vec![0.0; m + extra],
            now: point.clone(),
            linearized: point,
        }
    }

    /// How many are linear, and how many not.
    pub(super) fn parameters(&self) -> (usize, usize) {
        (self.linear.len(), self.nonlinear.len())
    }

    /// Runs `work` with buffers that no other call has: those that know θ_N, or the last ones used.
    fn with<R>(&self, nonlinear: &[f64], work: impl FnOnce(&mut Work) -> R) -> R {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let here = idle.iter().rposition(|work| work.knows(nonlinear));
        let taken = here.map(|index| idle.remove(index)).or_else(|| idle.pop());
        drop(idle);
        let mut taken = taken.unwrap_or_else(|| self.new_work());
        let result = work(&mut taken);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(taken);
        result
    }

    fn idle(&mut self) -> &mut Vec<Work> {
        self.idle.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// δD·θ_L, in the order of θ_L.
    fn ridge_rows<'a>(&'a self, theta: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let linear = self.ridge.map_or(&[][..], |_| &self.linear[..]);
        let (root, copies) = (self.ridge.unwrap_or(0.0).sqrt(), self.part.copies);
        linear
            .iter()
            .enumerate()
            .map(move |(l, &index)| root * self.scale[l / copies] * theta[index])
    }

    /// r with the rows of the ridge.
    fn write_residuals(&self, point: &Point, out: &mut [f64]) {
        let (problem, ridge) = out.split_at_mut(self.residuals);
        if !point.value.is_finite() {
            problem.fill(f64::NAN);
            return ridge.fill(f64::NAN);
        }
        problem.copy_from_slice(&point.residuals);
        ridge.iter_mut().zip(self.ridge_rows(&point.theta)).for_each(|(out, row)| *out = row);
    }

    /// `projected` ← the columns of J of θ_N, and zeros below.
    fn copy_nonlinear(&self, full: &Mat<f64>, projected: &mut Mat<f64>) {
        for (j, &column) in self.nonlinear.iter().enumerate() {
            let (rows, below) = projected.col_as_slice_mut(j).split_at_mut(self.residuals);
            rows.copy_from_slice(full.col_as_slice(column));
            below.fill(0.0);
        }
    }

    /// Projects `projected`, copy by copy.
    fn project(&self, work: &mut Work, bends: Option<&Mat<f64>>) {
        let Work { linearized, projected, gathered, along, .. } = work;
        let copies = self.part.copies;
        for (k, of_copy) in self.copies.iter().enumerate() {
            let (p, q) = (self.scale.len(), self.nonlinear.len());
            let bent = bends.map(|bends| Mat::from_fn(p, q, |i, j| bends[(i * copies + k, j)]));
            let bent = bent.as_ref().map(Mat::as_ref);
            if of_copy.len() == projected.nrows() {
                // All rows, and in order.
                linearized.inner.project(projected.as_mut(), bent, along);
                continue;
            }
            for j in 0..q {
                let (from, to) = (projected.col_as_slice(j), gathered.col_as_slice_mut(j));
                to.iter_mut().zip(of_copy).for_each(|(to, &row)| *to = from[row]);
            }
            linearized.inner.project(gathered.as_mut(), bent, along);
            for j in 0..q {
                let (from, to) = (gathered.col_as_slice(j), projected.col_as_slice_mut(j));
                from.iter().zip(of_copy).for_each(|(from, &row)| to[row] = *from);
            }
        }
    }

    /// D ← the norms of the columns of Φ at the last point, where they are smaller than before or there was none.
    fn rescale(&mut self) {
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = idle.last() else { return };
        for (scale, norm) in self.scale.iter_mut().zip(last.now.inner.norms()) {
            *scale = if *scale == 0.0 { *norm } else { scale.min(*norm) };
        }
    }

    /// Forgets every point: the problem is another one.
    fn forget(&mut self) {
        for work in self.idle() {
            (work.now.known, work.linearized.known) = (false, false);
            work.known = false;
        }
    }
}

impl<P: LeastSquares> ReducedLeastSquares<P> {
    /// How nearly the columns of A depend on each other at θ_N, and ½‖r₀‖², f with θ_L = 0; leaves D there.
    pub(super) fn survey(&mut self, nonlinear: &[f64]) -> (f64, f64) {
        let core = &self.core;
        let found = core.with(nonlinear, |work| {
            self.solve(work, nonlinear);
            let independence = work.now.inner.independence();
            let mut theta = work.now.theta.clone();
            core.linear.iter().for_each(|&index| theta[index] = 0.0);
            let without = self.problem.residuals(&theta, &mut work.residuals[..core.residuals]);
            (independence, without)
        });
        self.set_ridge(0.0);
        found
    }

    /// δ²‖Dθ_L‖² at θ_N, the last point, twice what the ridge adds to f, and ½‖r‖² without it.
    pub(super) fn ridge_share(&self, nonlinear: &[f64]) -> (f64, f64) {
        self.core.with(nonlinear, |work| {
            self.solve(work, nonlinear);
            let share: f64 = self.core.ridge_rows(&work.now.theta).map(|row| row * row).sum();
            (share, work.now.value - 0.5 * share)
        })
    }

    /// Another δ², with D from θ_N, the last point.
    pub(super) fn set_ridge(&mut self, square: f64) {
        self.core.rescale();
        self.core.ridge = self.core.ridge.map(|_| square);
        self.core.forget();
    }

    /// θ of θ_N and, where J was last formed there, ∇f of the problem, both of length n. Returns f; none where it was not.
    pub(super) fn full_point(
        &self,
        nonlinear: &[f64],
        theta: &mut [f64],
        gradient: &mut [f64],
    ) -> Option<f64> {
        self.core.with(nonlinear, |work| {
            if !(work.known && work.linearized.is_at(nonlinear)) {
                self.solve(work, nonlinear);
                theta.copy_from_slice(&work.now.theta);
                return None;
            }
            theta.copy_from_slice(&work.linearized.theta);
            gradient.copy_from_slice(&work.gradient);
            Some(0.5 * vector::dot(&work.linearized.residuals, &work.linearized.residuals))
        })
    }
}

impl<P: LeastSquares> Objective for ReducedLeastSquares<P> {
    fn dim(&self) -> usize {
        self.core.nonlinear.len()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.core.with(theta, |work| {
            self.solve(work, theta);
            work.now.value
        })
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.core.with(theta, |work| self.value_gradient_with(work, theta, gradient))
    }
    fn fault(&self) -> Option<String> {
        self.problem.fault()
    }
}

impl<P: LeastSquares> LeastSquares for ReducedLeastSquares<P> {
    fn residual_len(&self) -> usize {
        self.core.residuals + self.core.ridge.map_or(0, |_| self.core.linear.len())
    }

    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        self.core.with(theta, |work| {
            self.solve(work, theta);
            self.core.write_residuals(&work.now, residuals);
            work.now.value
        })
    }

    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        self.core.with(theta, |work| {
            self.linearize(work, theta);
            out.fill(0.0);
            for (j, v) in v.iter().enumerate() {
                vector::axpy(*v, work.projected.col_as_slice(j), out);
            }
        });
    }

    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        self.core.with(theta, |work| {
            self.linearize(work, theta);
            for (j, out) in out.iter_mut().enumerate() {
                *out = vector::dot(work.projected.col_as_slice(j), u);
            }
        });
    }

    fn normal_equations(
        &self,
        theta: &[f64],
        mut normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        let value = self.core.with(theta, |work| {
            let value = self.value_gradient_with(work, theta, gradient);
            lower_product(normal.as_mut(), work.projected.as_ref());
            value
        });
        for j in 1..normal.ncols() {
            for i in 0..j {
                normal[(i, j)] = normal[(j, i)];
            }
        }
        value
    }

    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], mut jacobian: MatMut<'_, f64>) -> f64 {
        self.core.with(theta, |work| {
            self.linearize(work, theta);
            self.core.write_residuals(&work.linearized, residuals);
            jacobian.copy_from(&work.projected);
            work.linearized.value
        })
    }

    fn derivatives(&self) -> Derivatives {
        self.problem.derivatives()
    }
}

/// Lower triangle of `out` ← JᵀJ.
fn lower_product(out: MatMut<'_, f64>, jacobian: MatRef<'_, f64>) {
    matmul(
        out,
        BlockStructure::TriangularLower,
        Accum::Replace,
        jacobian.transpose(),
        BlockStructure::Rectangular,
        jacobian,
        BlockStructure::Rectangular,
        1.0,
        Par::rayon(0),
    );
}
