//! The linear model r + J·p of the residuals at one point, damped: what Gauss–Newton and Levenberg–Marquardt share.
//!
//! Steps are scaled, z = D·p, so that the columns of J·D⁻¹ have comparable norms. Two points are held: the current one, and
//! the next one, which becomes current only when the solver takes it.

use crate::error::OptimError;
use crate::eval;
use crate::linalg::normal::DampedNormal;
use crate::linalg::qr::PivotedQr;
use crate::linalg::vector;
use crate::memory::bytes as bytes_of;
use crate::state::FitState;
use crate::stopping::{Reason, Stopping};
use argmin::core::Problem;
use secant_core::problem::LeastSquares;
use serde::{Deserialize, Serialize};

/// JᵀJ is taken for J when a dense J has more bytes than this. Up to here the QR factorisation of J, which does not square
/// its condition, takes a few milliseconds at most.
pub const QR_BYTES: usize = 1 << 20;
/// μ that stands for none where JᵀJ is factorised: this · √n · ε, the rounding of a pivot.
const NORMAL_FLOOR: f64 = 10.0;

/// What is factorised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Factorization {
    /// QR up to [`QR_BYTES`], else the normal equations.
    #[default]
    Auto,
    /// \[J; √μD\] by QR: accurate to the condition of J. 2mn² flops per Jacobian and n³ per trial; memory 2mn + 4n².
    Qr,
    /// JᵀJ + μD² by Cholesky, J never stored: accurate to the squared condition. n³/3 per trial; memory 4n².
    NormalEquations,
}

/// D, the units in which a step is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scaling {
    /// The largest norm of each column of J so far.  Moré (1978) §6: invariant under the units of the parameters, and a
    /// parameter whose influence vanishes does not run away.
    #[default]
    More,
    /// The norm of each column of J now.  Marquardt (1963).
    Marquardt,
    /// One number for all parameters, the largest norm of a column of J at the start.  Levenberg (1944).
    Identity,
}

impl Factorization {
    /// Whether J itself is factorised, m × n.
    pub(crate) fn is_qr(self, m: usize, n: usize) -> bool {
        match self {
            Self::Auto => bytes_of(&[(1, m, n)]) <= QR_BYTES as u64,
            Self::Qr => true,
            Self::NormalEquations => false,
        }
    }
}

/// Bytes of a run on m residuals: both points, the scratch, the next point's vectors.
pub(crate) fn bytes(m: usize, n: usize, factorization: Factorization) -> u64 {
    let matrices = if factorization.is_qr(m, n) { (2, m, n) } else { (0, m, n) };
    bytes_of(&[matrices, (4, n, n), (3, m, 1), (28, n, 1)])
}

#[derive(Clone, Debug)]
enum Form {
    Qr(PivotedQr),
    Normal(DampedNormal),
}

/// The model at one point.
#[derive(Clone, Debug)]
pub(crate) struct At {
    form: Form,
    /// r, length m.
    pub residuals: Vec<f64>,
    /// Qᵀr, its first n entries; or D⁻¹Jᵀr.
    projected: Vec<f64>,
    /// Norms of the columns of J, then the diagonal of D before vanishing entries are replaced.
    norms: Vec<f64>,
    /// D⁻¹
    inverse_scale: Vec<f64>,
    /// The offset, see [`ResidualModel::offset`].
    pub offset: f64,
}

/// The current point, the next one, and scratch.
#[derive(Clone, Debug)]
pub(crate) struct ResidualModel {
    pub now: At,
    pub next: At,
    /// r at a probe, length m.
    probe: Vec<f64>,
    /// Scratch, length n.
    right: Vec<f64>,
    image: Vec<f64>,
}

/// The point that a step leads to.
#[derive(Clone, Debug)]
pub(crate) struct NextPoint {
    /// θ⁺
    pub theta: Vec<f64>,
    /// ∇f(θ⁺)
    pub gradient: Vec<f64>,
    /// p
    pub step: Vec<f64>,
    /// D·p
    pub scaled: Vec<f64>,
}

impl NextPoint {
    pub(crate) fn new(n: usize) -> Self {
        let zeros = || vec![0.0; n];
        Self { theta: zeros(), gradient: zeros(), step: zeros(), scaled: zeros() }
    }

    /// J and ∇f at θ⁺, factorised; false where they are not finite. The model holds r(θ⁺) already.
    pub(crate) fn linearize<P: LeastSquares>(
        &mut self,
        model: &mut ResidualModel,
        problem: &mut Problem<P>,
        scaling: Scaling,
    ) -> bool {
        model.evaluate(problem, &self.theta, &mut self.gradient);
        vector::all_finite(&self.gradient) && model.factor(scaling, false)
    }
}

impl ResidualModel {
    pub(crate) fn new(m: usize, n: usize, factorization: Factorization) -> Self {
        let qr = factorization.is_qr(m, n);
        let form = || {
            if qr { Form::Qr(PivotedQr::new(m, n)) } else { Form::Normal(DampedNormal::new(n)) }
        };
        let at = || At {
            form: form(),
            residuals: vec![0.0; m],
            projected: vec![0.0; n],
            norms: vec![0.0; n],
            inverse_scale: vec![1.0; n],
            offset: f64::INFINITY,
        };
        let (now, next) = (at(), at());
        Self { now, next, probe: vec![0.0; m], right: vec![0.0; n], image: vec![0.0; n] }
    }

    /// Evaluates the start, with the tests that it may meet already.
    pub(crate) fn begin<P: LeastSquares>(
        &mut self,
        (solver, stopping): (&'static str, &Stopping),
        (scaling, offset_tolerance): (Scaling, f64),
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), OptimError> {
        eval::start_with(solver, stopping, problem, state, |problem, theta, gradient| {
            self.start(problem, theta, gradient)
        })?;
        if state.reason.is_some() {
            return Ok(());
        }
        if !self.factor(scaling, true) {
            state.stop(Reason::NonFiniteStart);
        }
        self.advance();
        if self.offset() <= offset_tolerance {
            state.stop(Reason::GradientConverged);
        }
        Ok(())
    }

    /// The next point at the start. Returns f.
    fn start<P: LeastSquares>(
        &mut self,
        problem: &mut Problem<P>,
        theta: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        if matches!(self.next.form, Form::Normal(_)) {
            self.residuals(problem, theta);
        }
        self.evaluate(problem, theta, gradient)
    }

    /// `next.residuals` ← r(θ); returns f.
    pub(crate) fn residuals<P: LeastSquares>(
        &mut self,
        problem: &mut Problem<P>,
        theta: &[f64],
    ) -> f64 {
        eval::residuals(problem, theta, &mut self.next.residuals)
    }

    /// The next point ← J(θ) and `gradient` ← ∇f; `next.residuals` holds r(θ) already. Returns f.
    pub(crate) fn evaluate<P: LeastSquares>(
        &mut self,
        problem: &mut Problem<P>,
        theta: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        let next = &mut self.next;
        match &mut next.form {
            Form::Qr(qr) => {
                let value = eval::jacobian(problem, theta, &mut next.residuals, qr.matrix_mut());
                for (j, g) in gradient.iter_mut().enumerate() {
                    *g = vector::dot(qr.column(j), &next.residuals);
                }
                value
            }
            Form::Normal(normal) => {
                let value = eval::normal_equations(problem, theta, normal.matrix_mut(), gradient);
                next.projected.copy_from_slice(gradient);
                value
            }
        }
    }

    /// Scales and factorises the next point. False when J is not finite; then the next point is of no use.
    pub(crate) fn factor(&mut self, scaling: Scaling, first: bool) -> bool {
        let (now, next) = (&self.now, &mut self.next);
        for (j, norm) in next.norms.iter_mut().enumerate() {
            *norm = match &next.form {
                Form::Qr(qr) => vector::norm(qr.column(j)),
                Form::Normal(normal) => normal.column_norm(j),
            };
        }
        if !vector::all_finite(&next.norms) || !next.form.all_finite() {
            return false;
        }
        let cosine = next.cosine();
        match scaling {
            Scaling::Marquardt => {}
            Scaling::Identity if first => {
                let largest = vector::norm_inf(&next.norms);
                next.norms.fill(largest);
            }
            Scaling::Identity => next.norms.copy_from_slice(&now.norms),
            Scaling::More => {
                for (norm, before) in next.norms.iter_mut().zip(&now.norms) {
                    *norm = norm.max(*before);
                }
            }
        }
        for (inverse, norm) in next.inverse_scale.iter_mut().zip(&next.norms) {
            // A parameter without influence has no scale of its own; its step is zero in any.
            *inverse = if *norm > 0.0 { norm.recip() } else { 1.0 };
        }
        next.project(&mut self.probe);
        next.set_offset(cosine, &mut self.right);
        true
    }

    /// The next point becomes the current one.
    pub(crate) fn advance(&mut self) {
        std::mem::swap(&mut self.now, &mut self.next);
    }

    /// ‖J·p‖/‖r‖ of the undamped step: the relative offset, the cosine of the angle between the residuals and the tangent
    /// space.  Bates & Watts (1981). Invariant under every linear change of the parameters. Infinite where it is not known.
    pub(crate) fn offset(&self) -> f64 {
        self.now.offset
    }

    /// z ← argmin ‖r + J·D⁻¹z‖² + μ‖z‖², p ← D⁻¹z. Returns the decrease of f that the model promises,
    /// ½‖J·p‖² + μ‖z‖²; none where there is no such step in floating point.
    pub(crate) fn solve(&mut self, mu: f64, z: &mut [f64], p: &mut [f64]) -> Option<f64> {
        vector::scale_into(-1.0, &self.now.projected, &mut self.right);
        self.solve_right(mu, z, p)?;
        let image = self.image_square(z);
        let predicted = 0.5 * image + mu * vector::dot(z, z);
        predicted.is_finite().then_some(predicted)
    }

    fn solve_right(&mut self, mu: f64, z: &mut [f64], p: &mut [f64]) -> Option<()> {
        match &mut self.now.form {
            Form::Qr(qr) => qr.solve(mu, &mut self.right, z),
            Form::Normal(normal) => {
                if !normal.factor(mu.max(normal_floor(z.len()))) {
                    return None;
                }
                z.copy_from_slice(&self.right);
                normal.solve(z);
            }
        }
        for ((p, z), inverse) in p.iter_mut().zip(&*z).zip(&self.now.inverse_scale) {
            *p = z * inverse;
        }
        vector::all_finite(p).then_some(())
    }

    /// ‖J·D⁻¹z‖².
    fn image_square(&mut self, z: &[f64]) -> f64 {
        match &mut self.now.form {
            Form::Qr(qr) => {
                qr.multiply(z, &mut self.image);
                vector::dot(&self.image, &self.image)
            }
            Form::Normal(normal) => normal.quadratic(z),
        }
    }

    /// Half the geodesic acceleration along the step p = D⁻¹z of damping μ: `accel_z` ← argmin ‖½r″ + J·D⁻¹a‖² + μ‖a‖²,
    /// with r″ = (2/h)·((r(θ + hp) − r)/h − J·p).  Transtrum & Sethna (2012) §4. `at` is scratch for θ + hp. None where r is
    /// not finite there.
    #[expect(clippy::too_many_arguments, reason = "the vectors of one formula")]
    pub(crate) fn accelerate<P: LeastSquares>(
        &mut self,
        problem: &mut Problem<P>,
        theta: &[f64],
        (h, mu): (f64, f64),
        (z, p): (&[f64], &[f64]),
        accel_z: &mut [f64],
        accel: &mut [f64],
        at: &mut [f64],
    ) -> Option<()> {
        vector::step(theta, h, p, at);
        let value = eval::residuals(problem, at, &mut self.probe);
        if !value.is_finite() {
            return None;
        }
        // −½r″·h = J·p − (r(θ + hp) − r)/h
        vector::axpy(-1.0, &self.now.residuals, &mut self.probe);
        vector::scale(h.recip(), &mut self.probe);
        match &mut self.now.form {
            Form::Qr(qr) => {
                qr.transpose_q(&mut self.probe);
                qr.multiply(z, &mut self.right);
                let seen = self.probe.len().min(self.right.len());
                vector::axpy(-1.0, &self.probe[..seen], &mut self.right[..seen]);
            }
            Form::Normal(_) => {
                eval::jacobian_vector(problem, theta, p, &mut self.next.residuals);
                vector::axpy(-1.0, &self.probe, &mut self.next.residuals);
                let curved = &self.next.residuals;
                eval::jacobian_transpose_vector(problem, theta, curved, &mut self.right);
                for (right, inverse) in self.right.iter_mut().zip(&self.now.inverse_scale) {
                    *right *= inverse;
                }
            }
        }
        vector::scale(h.recip(), &mut self.right);
        self.solve_right(mu, accel_z, accel)
    }

    /// f(θ) − f(θ⁺) as ½(r − r⁺)ᵀ(r + r⁺): exact where the difference of two rounded sums would not be.
    pub(crate) fn reduction(&self) -> f64 {
        let pairs = self.now.residuals.iter().zip(&self.next.residuals);
        0.5 * pairs.map(|(r, next)| (r - next) * (r + next)).sum::<f64>()
    }
}

impl Form {
    fn all_finite(&self) -> bool {
        match self {
            // The norms of the columns are.
            Self::Qr(_) => true,
            Self::Normal(normal) => normal.all_finite(),
        }
    }
}

impl At {
    /// max |Jⱼᵀr| / (‖Jⱼ‖·‖r‖), a lower bound of the offset; 0 where it is not known before the factorisation.
    fn cosine(&self) -> f64 {
        if matches!(self.form, Form::Qr(_)) {
            return 0.0;
        }
        let r = vector::norm(&self.residuals);
        let cosines = self.projected.iter().zip(&self.norms).map(|(g, norm)| (g / norm / r).abs());
        cosines.fold(0.0, f64::max)
    }

    /// Scales the columns, factorises, and projects r; `rotated` is scratch of length m.
    fn project(&mut self, rotated: &mut [f64]) {
        match &mut self.form {
            Form::Qr(qr) => {
                for (j, inverse) in self.inverse_scale.iter().enumerate() {
                    vector::scale(*inverse, qr.column_mut(j));
                }
                qr.factor();
                rotated.copy_from_slice(&self.residuals);
                qr.transpose_q(rotated);
                self.projected.fill(0.0);
                let seen = rotated.len().min(self.projected.len());
                self.projected[..seen].copy_from_slice(&rotated[..seen]);
            }
            Form::Normal(normal) => {
                normal.scale(&self.inverse_scale);
                for (g, inverse) in self.projected.iter_mut().zip(&self.inverse_scale) {
                    *g *= inverse;
                }
            }
        }
    }

    fn set_offset(&mut self, cosine: f64, work: &mut [f64]) {
        let r = vector::norm(&self.residuals);
        self.offset = match &mut self.form {
            Form::Qr(qr) => vector::norm(&self.projected[..qr.rank()]) / r,
            Form::Normal(normal) => {
                // A factorisation for nothing but the offset, only where its bound allows a small one.
                if cosine <= NEAR && normal.factor(normal_floor(work.len())) {
                    work.copy_from_slice(&self.projected);
                    normal.solve(work);
                    // Clamp: roundoff can make a vanishing square slightly negative.
                    vector::dot(work, &self.projected).max(0.0).sqrt() / r
                } else {
                    f64::INFINITY
                }
            }
        };
    }
}

/// An offset up to this makes the undamped step worth its evaluation: its gain is this² of f.
pub const NEAR: f64 = 1e-4;

fn normal_floor(n: usize) -> f64 {
    NORMAL_FLOOR * (n as f64).sqrt() * f64::EPSILON
}
