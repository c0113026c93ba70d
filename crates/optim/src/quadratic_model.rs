//! The second-order Taylor expansion of f at θ₀, as a value.
//!
//! q(θ) = f₀ + gᵀd + ½dᵀHd,  d = θ − θ₀,  f(θ) − q(θ) = O(‖d‖³).
//!
//! Where H is positive definite its minimiser is θ₀ − H⁻¹g: Newton's step. How far it holds is measured:
//! [`trusted_along`](QuadraticModel::trusted_along) a direction.
//! Memory 4n². Cost: one linearisation, one Hessian, n³/3.
//! Source: Nocedal & Wright (2006) §2.2, §4.1; Conn, Gould & Toint (2000) §3.1.

use crate::error::{OptimError, require};
use crate::krylov::lanczos::pseudorandom;
use crate::linalg::Backend;
use crate::linalg::cholesky::NotFactored;
use crate::linalg::ldlt::ModifiedLdl;
use crate::linalg::vector;
use faer::{Mat, MatRef};
use secant_core::problem::{Curvature, Linearization, Objective};

/// Radii tried from the smallest on, each twice the one before.
const DOUBLINGS: i32 = 40;
/// Halvings between the last radius that holds and the first that does not: three digits.
const BISECTIONS: u32 = 10;
/// |f − q| ≤ this · ε · (max(|f|, |q|) + ‖g‖·‖θ₀‖) is rounding: two sums of different terms, at a rounded θ.
const ROUNDING: f64 = 32.0;

/// Eigenvalues of H by sign, as the blocks of its factorisation tell them (Sylvester's law).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inertia {
    /// Positive ones.
    pub positive: usize,
    /// Negative ones.
    pub negative: usize,
    /// Those that rounding cannot tell from zero.
    pub zero: usize,
}

impl Inertia {
    /// All positive: the model has one minimiser.
    pub fn is_definite(&self) -> bool {
        self.negative == 0 && self.zero == 0
    }
}

/// What ends the stretch in which the model is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// |f − q| exceeds its share of the change that q predicts.
    Remainder,
    /// q's own minimum along the direction: beyond it no decrease is predicted.
    ModelMinimum,
    /// The longest radius tried; the model held.
    Search,
}

/// How far the model holds along one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Trusted {
    /// u, of norm 1.
    pub direction: Vec<f64>,
    /// Every radius tried up to this one keeps |f − q| ≤ η·|q − f₀|, to three digits.
    pub radius: f64,
    /// What ended it.
    pub limit: Limit,
    /// |f − q|/|q − f₀| at `radius`.
    pub ratio: f64,
    /// 6|f − q|/r³ at `radius`: |f‴| along u where the remainder is that of third order. 0 where it is rounding.
    pub third: f64,
}

/// f₀, g, H at θ₀, and H's factor.
///
/// ```
/// # use secant_core::problem::{Curvature, Linearization, Objective};
/// # struct Cubic;
/// # struct At(f64, [f64; 1]);
/// # impl Objective for Cubic {
/// #     fn dim(&self) -> usize { 1 }
/// #     fn value(&self, x: &[f64]) -> f64 { x[0].powi(2) + x[0].powi(3) }
/// #     fn value_gradient(&self, x: &[f64], g: &mut [f64]) -> f64 { g[0] = 2.0 * x[0] + 3.0 * x[0].powi(2); self.value(x) }
/// # }
/// # impl Curvature for Cubic {
/// #     type At<'a> = At;
/// #     fn linearize(&self, x: &[f64]) -> At { At(x[0], [2.0 * x[0] + 3.0 * x[0].powi(2)]) }
/// # }
/// # impl Linearization for At {
/// #     fn value(&self) -> f64 { self.0.powi(2) + self.0.powi(3) }
/// #     fn gradient(&self) -> &[f64] { &self.1 }
/// #     fn hessian_vector(&self, v: &[f64], out: &mut [f64]) { out[0] = (2.0 + 6.0 * self.0) * v[0]; }
/// #     fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) { self.hessian_vector(v, out); }
/// #     fn hessian(&self, mut out: secant_core::faer::MatMut<'_, f64>) { out[(0, 0)] = 2.0 + 6.0 * self.0; }
/// #     fn gauss_newton(&self, out: secant_core::faer::MatMut<'_, f64>) { self.hessian(out); }
/// # }
/// use secant_optim::QuadraticModel;
/// // f(x) = x² + x³ at x = 1: q(x) = 2 + 5(x − 1) + 4(x − 1)².
/// let model = QuadraticModel::at(&Cubic, &[1.0])?;
/// assert_eq!((model.value(), model.gradient(), model.hessian()[(0, 0)]), (2.0, &[5.0][..], 8.0));
/// assert_eq!(model.evaluate(&[2.0]), 11.0);
/// assert_eq!(model.minimizer(), Some(vec![1.0 - 5.0 / 8.0]));
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
#[derive(Clone, Debug)]
pub struct QuadraticModel {
    center: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    hessian: Mat<f64>,
    /// None where H = 0.
    factor: Option<ModifiedLdl>,
}

impl QuadraticModel {
    /// The expansion of `problem` at `theta0` (length n).
    ///
    /// # Errors
    /// A point of another length than the problem, or with an entry that is not finite; a value, gradient or Hessian that is not.
    pub fn at<P: Curvature>(problem: &P, theta0: &[f64]) -> Result<Self, OptimError> {
        let n = problem.dim();
        if n == 0 {
            return Err(OptimError::NoParameters);
        }
        if theta0.len() != n {
            return Err(OptimError::StartLength { expected: n, found: theta0.len() });
        }
        if let Some(index) = theta0.iter().position(|x| !x.is_finite()) {
            return Err(OptimError::StartNotFinite { index, value: theta0[index] });
        }
        let at = problem.linearize(theta0);
        let (value, gradient) = (at.value(), at.gradient().to_vec());
        let mut hessian = Mat::zeros(n, n);
        at.hessian(hessian.as_mut());
        for (what, finite) in
            [("the value", value.is_finite()), ("the gradient", vector::all_finite(&gradient))]
        {
            if !finite {
                return Err(OptimError::NotFiniteThere { what });
            }
        }
        let mut factor = ModifiedLdl::new(n, Backend::default());
        factor.matrix_mut().copy_from(&hessian);
        let factor = match factor.factor() {
            Ok(()) => Some(factor),
            Err(NotFactored::NotFinite) => {
                return Err(OptimError::NotFiniteThere { what: "the Hessian" });
            }
            Err(_) => None,
        };
        Ok(Self { center: theta0.to_vec(), value, gradient, hessian, factor })
    }

    /// θ₀.
    pub fn center(&self) -> &[f64] {
        &self.center
    }

    /// f(θ₀).
    pub fn value(&self) -> f64 {
        self.value
    }

    /// ∇f(θ₀), length n.
    pub fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    /// ∇²f(θ₀), n × n.
    pub fn hessian(&self) -> MatRef<'_, f64> {
        self.hessian.as_ref()
    }

    /// q(θ). `theta`: length n. Cost n².
    ///
    /// # Panics
    /// Where `theta` has another length.
    pub fn evaluate(&self, theta: &[f64]) -> f64 {
        let d = self.displacement(theta);
        let mut hd = vec![0.0; d.len()];
        self.multiply(&d, &mut hd);
        self.value + vector::dot(&self.gradient, &d) + 0.5 * vector::dot(&d, &hd)
    }

    /// ∇q(θ) = g + H·d into `out`, both of length n. Cost n².
    ///
    /// # Panics
    /// Where `theta` or `out` has another length.
    pub fn gradient_at(&self, theta: &[f64], out: &mut [f64]) {
        let d = self.displacement(theta);
        self.multiply(&d, out);
        vector::axpy(1.0, &self.gradient, out);
    }

    /// Signs of H's eigenvalues.
    pub fn inertia(&self) -> Inertia {
        let [positive, negative, zero] =
            self.factor.as_ref().map_or([0, 0, self.center.len()], ModifiedLdl::inertia);
        Inertia { positive, negative, zero }
    }

    /// θ₀ − H⁻¹g, to which Newton's step leads; none where H is not positive definite: q then has no minimum, or no single one, and
    /// [`inertia`](Self::inertia) says why.
    pub fn minimizer(&self) -> Option<Vec<f64>> {
        let factor = self.factor.as_ref().filter(|_| self.inertia().is_definite())?;
        let mut theta = self.gradient.clone();
        factor.solve(&mut theta, &mut vec![0.0; self.center.len()]);
        for (step, center) in theta.iter_mut().zip(&self.center) {
            *step = center - *step;
        }
        Some(theta)
    }

    /// The direction that the model sends a step in: to its minimiser; −|H|⁻¹g where it has none (H's negative eigenvalues turned);
    /// −g where H is zero. None at a stationary point.
    pub fn step_direction(&self) -> Option<Vec<f64>> {
        let mut step = self.gradient.clone();
        if let Some(factor) = &self.factor {
            factor.solve(&mut step, &mut vec![0.0; self.center.len()]);
        }
        vector::scale(-1.0, &mut step);
        let norm = vector::norm(&step);
        (norm > 0.0 && norm.is_finite()).then_some(step)
    }

    /// How far |f − q| ≤ η·|q − f₀| holds along `direction` (length n, any norm): the share η of the change that q predicts, 0 < η < 1.
    ///
    /// Radii double from 2⁻⁴⁰ of the longest, up to the first that breaks the bound or to the longest, and the last stretch is bisected;
    /// a break between two radii that hold is not seen. The longest is q's minimum along the direction, −gᵀu/uᵀHu; where there is none,
    /// 2²⁰·max(1, ‖θ₀‖). Differences that are rounding count as none. Cost: 50 values of f at most.
    ///
    /// # Errors
    /// η out of range, or a direction of another length, zero or not finite.
    pub fn trusted_along<P: Objective>(
        &self,
        problem: &P,
        direction: &[f64],
        share: f64,
    ) -> Result<Trusted, OptimError> {
        require(share > 0.0 && share < 1.0, "QuadraticModel", "share", share, "(0, 1)")?;
        let (n, norm) = (self.center.len(), vector::norm(direction));
        if direction.len() != n || !(norm > 0.0 && norm.is_finite()) {
            return Err(OptimError::Direction { expected: n, found: direction.len(), norm });
        }
        let mut u = direction.to_vec();
        vector::scale(1.0 / norm, &mut u);
        let along = Line::new(self, problem, &u);
        let (longest, end) = along.longest(vector::norm(&self.center));
        let mut good = 0.0;
        let mut limit = end;
        for doubling in (0..=DOUBLINGS).rev() {
            let radius = longest * 0.5_f64.powi(doubling);
            if along.holds(radius, share) {
                good = radius;
            } else {
                limit = Limit::Remainder;
                let mut bad = radius;
                for _ in 0..BISECTIONS {
                    let middle = f64::midpoint(good, bad);
                    if along.holds(middle, share) {
                        good = middle;
                    } else {
                        bad = middle;
                    }
                }
                break;
            }
        }
        let (error, predicted) = along.errors(good);
        let quotient = |over: f64| if error == 0.0 { 0.0 } else { error / over };
        let (ratio, third) = (quotient(predicted), 6.0 * quotient(good.powi(3)));
        Ok(Trusted { direction: u, radius: good, limit, ratio, third })
    }

    /// The shortest of [`trusted_along`](Self::trusted_along) the model's own step and `directions` pseudorandom ones, the same in every
    /// call, each pointing downhill. At a stationary point the random ones alone, at least one. Cost: 50 values of f per direction.
    ///
    /// A radius in every direction it is not: n dimensions have more of them.
    ///
    /// # Errors
    /// η out of range.
    pub fn trusted<P: Objective>(
        &self,
        problem: &P,
        directions: usize,
        share: f64,
    ) -> Result<Trusted, OptimError> {
        let n = self.center.len();
        let step = self.step_direction();
        let random = directions.max(usize::from(step.is_none()));
        let mut shortest: Option<Trusted> = match step {
            Some(step) => Some(self.trusted_along(problem, &step, share)?),
            None => None,
        };
        for u in pseudorandom(n * random).chunks_exact_mut(n) {
            if vector::dot(u, &self.gradient) > 0.0 {
                vector::scale(-1.0, u);
            }
            let found = self.trusted_along(problem, u, share)?;
            if shortest.as_ref().is_none_or(|known| found.radius < known.radius) {
                shortest = Some(found);
            }
        }
        shortest.ok_or(OptimError::NoParameters)
    }

    fn displacement(&self, theta: &[f64]) -> Vec<f64> {
        let mut d = vec![0.0; self.center.len()];
        assert_eq!(theta.len(), d.len(), "theta: {} entries, n = {}", theta.len(), d.len());
        vector::subtract(theta, &self.center, &mut d);
        d
    }

    /// `out` ← H·v.
    fn multiply(&self, v: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (j, v) in v.iter().enumerate() {
            vector::axpy(*v, self.hessian.col_as_slice(j), out);
        }
    }
}

/// f and q along one direction.
struct Line<'a, P> {
    model: &'a QuadraticModel,
    problem: &'a P,
    u: &'a [f64],
    /// gᵀu
    slope: f64,
    /// uᵀHu
    curvature: f64,
    /// ‖g‖·‖θ₀‖: what f changes by, in units of ε, when θ is rounded.
    of_rounded_theta: f64,
}

impl<'a, P: Objective> Line<'a, P> {
    fn new(model: &'a QuadraticModel, problem: &'a P, u: &'a [f64]) -> Self {
        let mut hu = vec![0.0; u.len()];
        model.multiply(u, &mut hu);
        let (slope, curvature) = (vector::dot(&model.gradient, u), vector::dot(u, &hu));
        let of_rounded_theta = vector::norm(&model.gradient) * vector::norm(&model.center);
        Self { model, problem, u, slope, curvature, of_rounded_theta }
    }

    fn longest(&self, center: f64) -> (f64, Limit) {
        let minimum = -self.slope / self.curvature;
        if self.curvature > 0.0 && minimum > 0.0 && minimum.is_finite() {
            (minimum, Limit::ModelMinimum)
        } else {
            (2.0_f64.powi(DOUBLINGS / 2) * center.max(1.0), Limit::Search)
        }
    }

    /// |f − q|, 0 where it is rounding, and |q − f₀|.
    fn errors(&self, radius: f64) -> (f64, f64) {
        let mut theta = vec![0.0; self.u.len()];
        vector::step(&self.model.center, radius, self.u, &mut theta);
        let f = self.problem.value(&theta);
        let change = radius * (self.slope + 0.5 * radius * self.curvature);
        let q = self.model.value + change;
        let error = (f - q).abs();
        let size = f.abs().max(q.abs()).max(self.model.value.abs()) + self.of_rounded_theta;
        // An infinite f is as large as its error.
        let rounding = f.is_finite() && error <= ROUNDING * f64::EPSILON * size;
        (if rounding { 0.0 } else { error }, change.abs())
    }

    /// False for a value that is not finite, too.
    fn holds(&self, radius: f64, share: f64) -> bool {
        let (error, predicted) = self.errors(radius);
        error <= share * predicted
    }
}
