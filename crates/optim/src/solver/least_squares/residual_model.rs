//! The linear model r + J·p of the residuals at one point, damped: what Gauss–Newton and Levenberg–Marquardt share.
//!
//! Steps are scaled, z = D·p, so that the columns of J·D⁻¹ have comparable norms. Two points are held: the current one, and
//! the next one, which becomes current only when the solver takes it. Each form of the model is a file of `residual_model/`.

mod arrow;
mod at;
mod dual;
mod form;
mod lsmr;
mod normal;
mod qr;
mod second_order;

pub use at::NEAR;
pub use form::{DENSE_BYTES, Factorization, QR_BYTES};
pub use lsmr::{FORCING, LSMR_ITERATIONS, TIGHT};
pub use second_order::{SIZING_COSINE, SWITCH, SecondOrder};

use crate::error::OptimError;
use crate::linalg::anderson::Anderson;
use crate::linalg::vector;
use crate::run::eval;
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use argmin::core::Problem;
use at::At;
pub(crate) use at::Place;
use form::Form;
use secant_core::problem::{Arrow, LeastSquares};
use second_order::ResidualCurvature;
use serde::{Deserialize, Serialize};

/// Moré's D is at most this times the norm of its column now: beyond, the column is no more than rounding beside the others, and the rank
/// decision drops it.
pub const OUTGROWN: f64 = 1e6;

/// D, the units in which a step is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scaling {
    /// The largest norm of each column of J so far, at most [`OUTGROWN`] times that now.  Moré (1978) §6: invariant under the units of
    /// the parameters, and a parameter whose influence vanishes does not run away. Without the limit a column that was huge far from the
    /// minimum hides its parameter for ever.
    #[default]
    More,
    /// The norm of each column of J now.  Marquardt (1963).
    Marquardt,
    /// One number for all parameters, the largest norm of a column of J at the start.  Levenberg (1944).
    Identity,
}

/// The current point, the next one, and scratch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ResidualModel {
    pub now: At,
    pub next: At,
    second: Option<ResidualCurvature>,
    /// r at a probe, length m.
    probe: Vec<f64>,
    /// Scratch of the length of [`At::projected`].
    right: Vec<f64>,
    image: Vec<f64>,
    /// ‖D⁻¹∇f‖ at the start.
    first_slope: f64,
}

/// The point that a step leads to.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
        let mut place = Place { problem, theta: &self.theta };
        model.next.form.evaluate(&mut place, &mut model.next.residuals, &mut self.gradient);
        vector::all_finite(&self.gradient)
            && model.factor(&mut place, &self.gradient, scaling, false)
    }
}

impl ResidualModel {
    pub(crate) fn new(
        (m, n): (usize, usize),
        arrow: Option<&Arrow>,
        factorization: Factorization,
        second_order: SecondOrder,
    ) -> Self {
        let form = factorization.of(m, n, second_order);
        let arrow = factorization.by_groups(arrow, second_order);
        let at = || At {
            form: Form::new(form, arrow, (m, n)),
            residuals: vec![0.0; m],
            projected: vec![0.0; Form::right_len(form, arrow, (m, n))],
            norms: vec![0.0; n],
            inverse_scale: vec![1.0; n],
            offset: f64::INFINITY,
        };
        let (now, next) = (at(), at());
        let right = vec![0.0; now.projected.len()];
        let image = right.clone();
        let second = ResidualCurvature::new(second_order, m, n);
        Self { now, next, second, probe: vec![0.0; m], right, image, first_slope: 0.0 }
    }

    /// Evaluates the start, with the tests that it may meet already.
    pub(crate) fn begin<P: LeastSquares>(
        &mut self,
        (solver, stopping): (&'static str, &Stopping),
        (scaling, offset_tolerance): (Scaling, f64),
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), OptimError> {
        if self.second.is_some() && !self.now.form.is_dense_in_parameters() {
            return Err(OptimError::NoSecondOrder { solver });
        }
        let (residuals, parameters) = (self.now.residuals.len(), self.now.norms.len());
        if matches!(self.now.form, Form::Dual(_)) && residuals > parameters {
            return Err(OptimError::DualShape { solver, residuals, parameters });
        }
        eval::start_with(solver, stopping, problem, state, |problem, theta, gradient| {
            let at = &mut self.next;
            let value = if at.form.wants_residuals() {
                eval::residuals(problem, theta, &mut at.residuals)
            } else {
                0.0
            };
            let mut place = Place { problem, theta };
            at.form.evaluate(&mut place, &mut at.residuals, gradient).unwrap_or(value)
        })?;
        if let Some(second) = &self.second {
            second.check(solver, problem, &state.theta)?;
        }
        if state.reason.is_some() {
            self.refuse_without_derivatives(problem, state);
            return Ok(());
        }
        let mut place = Place { problem, theta: &state.theta };
        if !self.factor(&mut place, &state.gradient, scaling, true) {
            state.stop(Reason::NonFiniteStart);
        }
        std::mem::swap(&mut self.now, &mut self.next);
        if self.offset() <= offset_tolerance {
            state.stop(Reason::OffsetConverged);
        }
        Ok(())
    }

    /// A start at which residuals are left and no column of J is other than zero is no minimum that a derivative has shown.
    fn refuse_without_derivatives<P: LeastSquares>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) {
        let stationary = state.gradient_norm == 0.0 && state.value > 0.0;
        if !stationary || state.reason != Some(Reason::GradientConverged) {
            return;
        }
        let mut norms = vec![0.0; self.next.norms.len()];
        let mut place = Place { problem, theta: &state.theta };
        self.next.form.column_norms(&mut place, &mut norms);
        if norms.iter().all(|norm| *norm == 0.0) {
            state.resume();
            state.stop(Reason::NoCurvature);
        }
    }

    /// `next.residuals` ← r(θ); returns f.
    pub(crate) fn residuals<P: LeastSquares>(
        &mut self,
        problem: &mut Problem<P>,
        theta: &[f64],
    ) -> f64 {
        eval::residuals(problem, theta, &mut self.next.residuals)
    }

    /// Scales and factorises the next point. False when J is not finite; then the next point is of no use.
    fn factor<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        gradient: &[f64],
        scaling: Scaling,
        first: bool,
    ) -> bool {
        let (now, next) = (&self.now, &mut self.next);
        if first || scaling != Scaling::Identity || !next.form.columns_cost_products() {
            next.form.column_norms(place, &mut next.norms);
        } else {
            next.norms.copy_from_slice(&now.norms);
        }
        if !vector::all_finite(&next.norms) || !next.form.all_finite() {
            return false;
        }
        let cosine = next.cosine(gradient);
        match scaling {
            Scaling::Marquardt => {}
            Scaling::Identity if first => {
                let largest = vector::norm_inf(&next.norms);
                next.norms.fill(largest);
            }
            Scaling::Identity => next.norms.copy_from_slice(&now.norms),
            Scaling::More => {
                for (norm, before) in next.norms.iter_mut().zip(&now.norms) {
                    let most = if *norm > 0.0 { OUTGROWN * *norm } else { f64::INFINITY };
                    *norm = norm.max(before.min(most));
                }
            }
        }
        for (inverse, norm) in next.inverse_scale.iter_mut().zip(&next.norms) {
            // A parameter without influence has no scale of its own; its step is zero in any.
            *inverse = if *norm > 0.0 { norm.recip() } else { 1.0 };
        }
        let slope = next.slope(gradient);
        if first {
            self.first_slope = slope;
        }
        next.prepare(gradient, &mut self.probe, (!first).then_some(slope / self.first_slope));
        next.set_offset(place, cosine);
        true
    }

    /// The next point, which p = `next.step` led to, becomes the current one; `gradient` is ∇f at the current one.
    pub(crate) fn advance<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        next: &NextPoint,
        gradient: &[f64],
    ) {
        if let Some(second) = &mut self.second {
            second.learn(place, (&self.now, &self.next), gradient, next);
        }
        std::mem::swap(&mut self.now, &mut self.next);
    }

    /// ‖J·p‖/‖r‖ of the undamped step: the relative offset, the cosine of the angle between the residuals and the tangent
    /// space.  Bates & Watts (1981). Invariant under every linear change of the parameters. Infinite where it is not known.
    pub(crate) fn offset(&self) -> f64 {
        self.now.offset
    }

    /// Whether the model has the second derivatives of the residuals in it.
    pub(crate) fn is_augmented(&self) -> bool {
        self.second.as_ref().is_some_and(ResidualCurvature::in_use)
    }

    /// z ← argmin ‖r + J·D⁻¹z‖² + μ‖z‖², p ← D⁻¹z; with S added to JᵀJ where that model is in use. Returns the decrease of f that the
    /// model promises, ½‖J·p‖² + μ‖z‖²; none where there is no such step in floating point.
    pub(crate) fn solve<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        mu: f64,
        z: &mut [f64],
        p: &mut [f64],
    ) -> Option<f64> {
        if let Some(second) = self.second.as_mut().filter(|second| second.in_use()) {
            let predicted = second.solve(place, &mut self.now, mu, z, p);
            if predicted.is_some() || (mu > 0.0 && second.in_use()) {
                return predicted;
            }
            // Without damping the minimum of the plain model always exists.
            second.give_up();
        }
        vector::scale_into(-1.0, &self.now.projected, &mut self.right);
        self.now.solve(place, mu, &mut self.right, z, p)?;
        let predicted = self.now.form.promise(&self.now.residuals, mu, z);
        if let Some(second) = &mut self.second {
            second.note_step(p, predicted);
        }
        predicted.is_finite().then_some(predicted)
    }

    /// Whether the undamped step is worth its price: always, but for LSMR, where a rough one is asked first and must have ρ ≥ `linear`.
    pub(crate) fn is_worth_undamped<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        next: &mut NextPoint,
        linear: f64,
    ) -> bool {
        let Form::Lsmr(form) = &mut self.now.form else { return true };
        vector::scale_into(-1.0, &self.now.projected, &mut self.right);
        form.solve_roughly(place, &self.now.inverse_scale, &self.right, &mut next.scaled);
        let promised = self.now.form.promise(&self.now.residuals, 0.0, &next.scaled);
        vector::multiply(&self.now.inverse_scale, &mut next.scaled);
        vector::step(place.theta, 1.0, &next.scaled, &mut next.theta);
        let value = self.residuals(place.problem, &next.theta);
        // Written so that NaN is refused.
        value.is_finite() && self.reduction() >= linear * promised
    }

    /// For [`mix`](Self::mix); none of a form that has no norm for it.
    pub(crate) fn mixing(&self) -> Option<Anderson> {
        matches!(self.now.form, Form::Qr(_)).then(|| Anderson::new(self.now.norms.len()))
    }

    /// Mixes the undamped step p at the current point with those before, in the norm ‖J·p‖; false where the form has no such norm at hand, or the
    /// model has second derivatives in it, so that its steps are no slow ones.
    pub(crate) fn mix(&mut self, mixing: &mut Anderson, p: &mut [f64]) -> bool {
        if self.is_augmented() {
            return false;
        }
        let At { form: Form::Qr(form), inverse_scale, .. } = &mut self.now else { return false };
        let scaled = &mut self.right;
        mixing.mix(p, |v, out| {
            vector::divide(v, inverse_scale, scaled);
            form.image(scaled, out);
        })
    }

    /// Compares what both models promised of the latest step with the decrease that came. True where the other one was so much nearer
    /// that it is in use from now on.
    pub(crate) fn judge(&mut self, reduction: f64) -> bool {
        self.second.as_mut().is_some_and(|second| second.judge(reduction))
    }

    /// Half the geodesic acceleration along the step p = D⁻¹z of damping μ: `accel_z` ← argmin ‖½r″ + J·D⁻¹a‖² + μ‖a‖²,
    /// with r″ = (2/h)·((r(θ + hp) − r)/h − J·p).  Transtrum & Sethna (2012) §4. `at` is scratch for θ + hp. None where r is
    /// not finite there.
    pub(crate) fn accelerate<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        (h, mu): (f64, f64),
        (z, p): (&[f64], &[f64]),
        (accel_z, accel): (&mut [f64], &mut [f64]),
        at: &mut [f64],
    ) -> Option<()> {
        vector::step(place.theta, h, p, at);
        let value = eval::residuals(place.problem, at, &mut self.probe);
        if !value.is_finite() {
            return None;
        }
        // (r(θ + hp) − r)/h, of which J·p is the first order.
        vector::axpy(-1.0, &self.now.residuals, &mut self.probe);
        vector::scale(h.recip(), &mut self.probe);
        let curved = (&mut self.probe[..], &mut self.next.residuals[..]);
        self.now.bend(place, curved, (z, p), (&mut self.image, &mut self.right));
        vector::scale(h.recip(), &mut self.right);
        self.now.solve(place, mu, &mut self.right, accel_z, accel)
    }

    /// f(θ) − f(θ⁺) as ½(r − r⁺)ᵀ(r + r⁺): exact where the difference of two rounded sums would not be.
    pub(crate) fn reduction(&self) -> f64 {
        let pairs = self.now.residuals.iter().zip(&self.next.residuals);
        0.5 * pairs.map(|(r, next)| (r - next) * (r + next)).sum::<f64>()
    }
}
