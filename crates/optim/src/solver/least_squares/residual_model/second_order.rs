//! The second derivatives of the residuals in the model: ∇²f = JᵀJ + S, S = Σ rᵢ∇²rᵢ.
//!
//! S is learned from the steps, by the structured secant of Dennis, Gay & Welsch: with s = θ⁺ − θ, y = ∇f⁺ − ∇f and y♯ = J⁺ᵀr⁺ − Jᵀr⁺,
//! which is what S·s should have been, first S ← τS, τ = min(1, |sᵀy♯|/|sᵀSs|), then for w = y♯ − S·s
//! S⁺ = S + (w·yᵀ + y·wᵀ)/(yᵀs) − (wᵀs)·y·yᵀ/(yᵀs)², the symmetric change that gives S⁺s = y♯; or it is taken from the problem.
//! The plain and the augmented model compete: after every trial the one that foretold f better takes over, once its error is
//! [`SWITCH`] times smaller. Where f has no digits left to tell, y♯ decides: the error of the foretold gradient is y♯ by the plain
//! model and y♯ − S·s by the augmented one.
//! Memory 3n². Cost per step: 8n²; n³/3 per trial and n³/3 for JᵀJ from QR where the augmented model is in use.
//! Source: Dennis, Gay & Welsch (1981), ACM Trans. Math. Softw. 7, §§3–5; NL2SOL (`SLUPDT`, `DFAULT`) for the constants.

use super::at::{At, Place};
use super::normal::floor;
use super::{NextPoint, form::Form};
use crate::error::OptimError;
use crate::linalg::normal::DampedNormal;
use crate::linalg::vector;
use crate::run::eval;
use argmin::core::Problem;
use faer::MatMut;
use secant_core::problem::LeastSquares;
use serde::{Deserialize, Serialize};

/// The other model takes over when its error is smaller by this factor.  NL2SOL: `FUZZ`, 1.5.
pub const SWITCH: f64 = 1.5;
/// cos(Ds, D⁻¹y) below which an update of S is damped.  NL2SOL: `COSMIN`, 1e-6.
pub const SIZING_COSINE: f64 = 1e-6;
/// With exact derivatives the augmented model is asked for when the plain one errs by more than this part of what it promised: a
/// ratio of ¾ or less does not widen a trust region either.  Nocedal & Wright (2006) algorithm 4.1.
const DOUBT: f64 = 0.25;
/// A decrease below this part of f drowns in the rounding of r; √ε.
const RESOLVED: f64 = 1.5e-8;

/// What the model has of the second derivatives of the residuals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecondOrder {
    /// Nothing: fast where residuals are small at the minimum or the model is nearly linear there; else convergence is linear.
    #[default]
    Off,
    /// NL2SOL's structured secant: superlinear with large residuals too, from J alone. Memory 3n² more. One product Jᵀ·u per step where
    /// J is not stored.
    Structured,
    /// The problem's own (`LeastSquares::linearization`), at those points where the plain model errs: quadratic with large residuals.
    /// A Hessian at each of them.
    Exact,
}

/// S, and the model with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::solver) struct ResidualCurvature {
    kind: SecondOrder,
    /// The augmented model is the one that makes steps.
    in_use: bool,
    /// S, n × n column-major.
    s: Vec<f64>,
    /// S is that of the current point (exact), or has been learned from a step at least.
    known: bool,
    /// D⁻¹(JᵀJ + S)D⁻¹, and whether it is that of the current point.
    normal: DampedNormal,
    ready: bool,
    /// What the model in use promised of the latest step, and pᵀSp.
    promised: f64,
    bend: f64,
    /// −D⁻¹∇f; S·p
    right: Vec<f64>,
    product: Vec<f64>,
    y: Vec<f64>,
    sharp: Vec<f64>,
    /// r⁺, length m
    rotated: Vec<f64>,
}

impl ResidualCurvature {
    /// None for [`SecondOrder::Off`].
    pub(super) fn new(kind: SecondOrder, m: usize, n: usize) -> Option<Self> {
        let zeros = || vec![0.0; n];
        (kind != SecondOrder::Off).then(|| Self {
            kind,
            in_use: false,
            s: vec![0.0; n * n],
            known: false,
            normal: DampedNormal::new(n),
            ready: false,
            promised: 0.0,
            bend: 0.0,
            right: zeros(),
            product: zeros(),
            y: zeros(),
            sharp: zeros(),
            rotated: vec![0.0; m],
        })
    }

    /// The caller's mistake: exact derivatives of a problem that has none.
    pub(super) fn check<P: LeastSquares>(
        &self,
        solver: &'static str,
        problem: &mut Problem<P>,
        theta: &[f64],
    ) -> Result<(), OptimError> {
        if self.kind == SecondOrder::Exact && !eval::has_residual_hessian(problem, theta) {
            return Err(OptimError::NoSecondDerivatives { solver });
        }
        Ok(())
    }

    pub(super) fn in_use(&self) -> bool {
        self.in_use
    }

    /// The plain model takes over.
    pub(super) fn give_up(&mut self) {
        self.in_use = false;
    }

    /// (D⁻¹(JᵀJ + S)D⁻¹ + μI)z = −D⁻¹∇f, p = D⁻¹z. Returns the decrease that the augmented model promises; none where the matrix is not
    /// positive definite.
    pub(super) fn solve<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        now: &mut At,
        mu: f64,
        z: &mut [f64],
        p: &mut [f64],
    ) -> Option<f64> {
        if !self.ready && !self.assemble(place, now) {
            self.give_up();
            return None;
        }
        if !self.normal.factor(mu.max(floor(z.len()))) {
            return None;
        }
        now.scaled_gradient(&mut self.right);
        vector::scale(-1.0, &mut self.right);
        z.copy_from_slice(&self.right);
        self.normal.solve(z);
        p.copy_from_slice(z);
        vector::multiply(&now.inverse_scale, p);
        // ½zᵀBz + μzᵀz by the equation of z, which is right for an indefinite B too.
        let promised = 0.5 * (vector::dot(&self.right, z) + mu * vector::dot(z, z));
        let usable = promised > 0.0 && promised.is_finite() && vector::all_finite(p);
        usable.then(|| {
            self.note_step(p, promised);
            promised
        })
    }

    /// The matrix of the augmented model, from an S that is known; false where it is not finite.
    fn assemble<P: LeastSquares>(&mut self, place: &mut Place<'_, P>, now: &At) -> bool {
        let n = self.right.len();
        now.gram(self.normal.matrix_slice_mut());
        let exact = self.kind == SecondOrder::Exact;
        if exact && !self.known {
            let out = MatMut::from_column_major_slice_mut(&mut self.s, n, n);
            if !eval::residual_hessian(place.problem, place.theta, out) {
                return false;
            }
        }
        let columns = self.normal.matrix_slice_mut().chunks_exact_mut(n);
        for (j, (column, s)) in columns.zip(self.s.chunks_exact_mut(n)).enumerate() {
            for (i, (entry, s)) in column.iter_mut().zip(s).enumerate() {
                let scale = now.inverse_scale[i] * now.inverse_scale[j];
                if exact && !self.known {
                    *s -= *entry / scale;
                }
                *entry += scale * *s;
            }
        }
        self.known = true;
        self.ready = self.normal.all_finite();
        self.ready
    }

    /// The latest step, and what the model that made it promised.
    pub(super) fn note_step(&mut self, p: &[f64], promised: f64) {
        self.promised = promised;
        self.bend = 0.0;
        if self.known {
            self.multiply(p);
            self.bend = vector::dot(p, &self.product);
        }
    }

    /// `product` ← S·p.
    fn multiply(&mut self, p: &[f64]) {
        for (out, column) in self.product.iter_mut().zip(self.s.chunks_exact(p.len())) {
            *out = vector::dot(column, p);
        }
    }

    /// Lets the other model take over where it foretold `reduction` better; true where it did.
    pub(super) fn judge(&mut self, reduction: f64) -> bool {
        let error = (self.promised - reduction).abs();
        let turn = if self.in_use { 0.5 } else { -0.5 };
        let of_other = (self.promised + turn * self.bend - reduction).abs();
        let unknown = self.kind == SecondOrder::Exact && !self.known;
        let switch =
            if unknown { error > DOUBT * self.promised } else { SWITCH * of_other < error };
        self.in_use ^= switch;
        switch
    }

    /// Takes in the step from `now` to `next`, which is `point.step` long; `gradient` is ∇f at `now`.
    pub(super) fn learn<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        (now, next): (&At, &At),
        gradient: &[f64],
        point: &NextPoint,
    ) {
        self.ready = false;
        if self.kind == SecondOrder::Exact {
            self.known = false;
            return;
        }
        let half_square = 0.5 * vector::dot(&now.residuals, &now.residuals);
        if self.promised <= f64::EPSILON * half_square {
            // y♯ would be rounding.
            return;
        }
        vector::subtract(&point.gradient, gradient, &mut self.y);
        self.rotated.copy_from_slice(&next.residuals);
        now.transpose(place, &mut self.rotated, &mut self.sharp);
        for (sharp, g) in self.sharp.iter_mut().zip(&point.gradient) {
            *sharp = g - *sharp;
        }
        self.multiply(&point.step);
        if self.promised <= RESOLVED * half_square {
            self.judge_gradient(&now.inverse_scale);
        }
        self.update(&point.step, &now.inverse_scale);
    }

    /// As [`judge`](Self::judge), by the gradient.
    fn judge_gradient(&mut self, inverse_scale: &[f64]) {
        let (mut plain, mut augmented) = (0.0, 0.0);
        for ((sharp, product), d) in self.sharp.iter().zip(&self.product).zip(inverse_scale) {
            plain += (d * sharp) * (d * sharp);
            augmented += (d * (sharp - product)) * (d * (sharp - product));
        }
        let (mine, other) = if self.in_use { (augmented, plain) } else { (plain, augmented) };
        self.in_use ^= SWITCH * SWITCH * other < mine;
    }

    /// S⁺; `product` holds S·s.
    fn update(&mut self, step: &[f64], inverse_scale: &[f64]) {
        let along = vector::dot(step, &self.y);
        let (seen, held) = (vector::dot(step, &self.sharp), vector::dot(step, &self.product));
        // Written so that NaN leaves S alone.
        let usable =
            along != 0.0 && (along * seen * held).is_finite() && vector::all_finite(&self.y);
        if !(usable && vector::all_finite(&self.sharp)) {
            return;
        }
        let size = if held == 0.0 { 1.0 } else { (seen / held).abs().min(1.0) };
        let (mut long, mut steep) = (0.0, 0.0);
        for ((s, y), d) in step.iter().zip(&self.y).zip(inverse_scale) {
            long += (s / d) * (s / d);
            steep += (y * d) * (y * d);
        }
        let least = SIZING_COSINE * (long * steep).sqrt();
        vector::scale((along.abs() / least).min(1.0) / along, &mut self.y);
        // u = w − ½(wᵀs)·y, so that S⁺ = τS + u·yᵀ + y·uᵀ.
        vector::axpy(-size, &self.product, &mut self.sharp);
        let half = 0.5 * vector::dot(&self.sharp, step);
        vector::axpy(-half, &self.y, &mut self.sharp);
        for (j, column) in self.s.chunks_exact_mut(step.len()).enumerate() {
            let (u, y) = (self.sharp[j], self.y[j]);
            for (i, entry) in column.iter_mut().enumerate() {
                *entry = size * *entry + (self.sharp[i] * y + self.y[i] * u);
            }
        }
        self.known = true;
    }
}

impl At {
    /// `out` ← D⁻¹∇f, of the forms that have it in n numbers.
    fn scaled_gradient(&self, out: &mut [f64]) {
        match &self.form {
            Form::Qr(form) => form.multiply_transposed(&self.projected, out),
            _ => out.copy_from_slice(&self.projected),
        }
    }

    /// `out` ← D⁻¹JᵀJD⁻¹, n × n; left alone by the forms without such a matrix.
    fn gram(&self, out: &mut [f64]) {
        match &self.form {
            Form::Qr(form) => form.gram(out),
            Form::Normal(form) => form.gram(out),
            Form::Arrow(_) | Form::Dual(_) | Form::Lsmr(_) => {}
        }
    }

    /// `out` ← Jᵀ·u; `u` is overwritten.
    fn transpose<P: LeastSquares>(&self, place: &mut Place<'_, P>, u: &mut [f64], out: &mut [f64]) {
        if let Form::Qr(form) = &self.form {
            form.transpose(u, out);
            for (out, inverse) in out.iter_mut().zip(&self.inverse_scale) {
                *out /= inverse;
            }
        } else {
            eval::jacobian_transpose_vector(place.problem, place.theta, u, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curvature(n: usize) -> ResidualCurvature {
        ResidualCurvature::new(SecondOrder::Structured, 1, n).unwrap()
    }

    /// One update with these s, y and y♯; S is symmetric, and S·s = y♯ where the update is not damped.
    fn updated(second: &mut ResidualCurvature, step: &[f64], y: &[f64], sharp: &[f64]) -> Vec<f64> {
        second.y.copy_from_slice(y);
        second.sharp.copy_from_slice(sharp);
        second.multiply(step);
        second.update(step, &vec![1.0; step.len()]);
        second.multiply(step);
        let n = step.len();
        for j in 0..n {
            for i in 0..j {
                assert_eq!(second.s[j * n + i], second.s[i * n + j]);
            }
        }
        second.product.clone()
    }

    #[test]
    fn update_is_symmetric_and_holds_the_secant_equation() {
        let mut second = curvature(3);
        for (step, y, sharp) in [
            ([1.0, -0.5, 2.0], [2.0, 1.0, 0.3], [0.5, -0.7, 0.2]),
            ([0.1, 0.4, -0.3], [-1.0, 0.5, -0.6], [-3.0, 0.1, 0.9]),
        ] {
            let product = updated(&mut second, &step, &y, &sharp);
            for (product, sharp) in product.iter().zip(sharp) {
                assert!((product - sharp).abs() <= 1e-14, "{product} {sharp}");
            }
        }
        // S is sized down first where the step saw less curvature than S has: a direction that was not asked about fades too.
        let mut second = curvature(2);
        second.s = vec![8.0, 0.0, 0.0, 8.0];
        updated(&mut second, &[1.0, 0.0], &[1.0, 0.0], &[2.0, 0.0]);
        assert_eq!(second.s, [2.0, 0.0, 0.0, 2.0]);
    }

    #[test]
    fn update_that_would_be_rounding_or_not_finite_is_left_out() {
        let mut second = curvature(2);
        for (y, sharp) in [
            ([0.0, 1.0], [1.0, 1.0]),
            ([1.0, f64::NAN], [1.0, 0.0]),
            ([1.0, 0.0], [f64::INFINITY, 0.0]),
        ] {
            updated(&mut second, &[1.0, 0.0], &y, &sharp);
            assert_eq!(second.s, [0.0; 4]);
        }
        // y almost at right angles to s: damped to a bounded change.
        updated(&mut second, &[1.0, 0.0], &[1e-14, 1.0], &[0.5, 0.5]);
        assert!(
            second.s.iter().all(|s| s.abs() * SIZING_COSINE <= 1.0 / SIZING_COSINE),
            "{:?}",
            second.s
        );
    }

    #[test]
    fn the_model_that_foretold_better_takes_over_once_it_is_clearly_better() {
        let mut second = curvature(1);
        (second.s[0], second.known) = (3.0, true);
        // The plain model promises 2, the augmented one 2 − ½·3.
        second.note_step(&[1.0], 2.0);
        assert!(!second.judge(1.3) && !second.in_use());
        second.note_step(&[1.0], 2.0);
        assert!(second.judge(0.9) && second.in_use());
        // Now the other way round.
        second.note_step(&[1.0], 0.5);
        assert!(!second.judge(0.9) && second.in_use());
        assert!(second.judge(1.9) && !second.in_use());
        // Nothing was learned yet: there is nothing to choose.
        let mut second = curvature(1);
        second.note_step(&[1.0], 2.0);
        assert!(!second.judge(-50.0));
    }
}
