//! The model at one point: r, D, and the form that solves for steps.

use super::form::Form;
use crate::linalg::vector;
use crate::run::eval;
use argmin::core::Problem;
use secant_core::problem::LeastSquares;
use serde::{Deserialize, Serialize};

/// An offset up to this makes the undamped step worth its evaluation: its gain is this² of f.
pub const NEAR: f64 = 1e-4;

/// A problem at θ.
pub(crate) struct Place<'a, P> {
    pub problem: &'a mut Problem<P>,
    pub theta: &'a [f64],
}

/// The model at one point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct At {
    pub(super) form: Form,
    /// r, length m.
    pub residuals: Vec<f64>,
    /// r as the form takes it, see [`Form::project`].
    pub projected: Vec<f64>,
    /// Norms of the columns of J, then the diagonal of D before vanishing entries are replaced.
    pub norms: Vec<f64>,
    /// D⁻¹
    pub inverse_scale: Vec<f64>,
    /// The offset, see [`ResidualModel::offset`](super::ResidualModel::offset).
    pub offset: f64,
}

impl At {
    /// max |Jⱼᵀr| / (‖Jⱼ‖·‖r‖), a lower bound of the offset.
    pub(super) fn cosine(&self, gradient: &[f64]) -> f64 {
        let r = vector::norm(&self.residuals);
        let cosines = gradient.iter().zip(&self.norms).map(|(g, norm)| (g / norm / r).abs());
        cosines.fold(0.0, f64::max)
    }

    /// ‖D⁻¹∇f‖
    pub(super) fn slope(&self, gradient: &[f64]) -> f64 {
        let squares = gradient.iter().zip(&self.inverse_scale).map(|(g, d)| (g * d) * (g * d));
        squares.sum::<f64>().sqrt()
    }

    /// Scales the columns, factorises, and projects r; `rotated` is scratch of length m. `progress`: ‖D⁻¹∇f‖ relative to the start,
    /// none there.
    pub(super) fn prepare(&mut self, gradient: &[f64], rotated: &mut [f64], progress: Option<f64>) {
        match &mut self.form {
            Form::Qr(form) => {
                form.prepare(&self.inverse_scale);
                rotated.copy_from_slice(&self.residuals);
                form.project(rotated, &mut self.projected);
            }
            Form::Arrow(form) => {
                form.prepare(&self.inverse_scale);
                rotated.copy_from_slice(&self.residuals);
                form.project(rotated, &mut self.projected);
            }
            Form::Normal(form) => {
                form.prepare(&self.inverse_scale);
                self.projected.copy_from_slice(gradient);
                vector::multiply(&self.inverse_scale, &mut self.projected);
            }
            Form::Dual(form) => {
                form.prepare(&self.inverse_scale);
                self.projected.copy_from_slice(&self.residuals);
            }
            Form::Lsmr(form) => {
                form.prepare(progress);
                self.projected.copy_from_slice(&self.residuals);
            }
        }
    }

    pub(super) fn set_offset<P: LeastSquares>(&mut self, place: &mut Place<'_, P>, cosine: f64) {
        let r = vector::norm(&self.residuals);
        // Where the tangent image costs a factorisation, only where its bound allows a small one.
        let near = cosine <= NEAR;
        let image = match &mut self.form {
            // A column that the rank leaves out, since it is rounding beside the others, is one to which the residuals must be orthogonal too.
            Form::Qr(form) => Some(form.tangent_part(&self.projected).max(cosine * r)),
            Form::Arrow(form) => Some(form.tangent_part(&self.projected)),
            Form::Normal(form) if near => form.tangent_part(&self.projected),
            Form::Dual(form) if near => form.tangent_part(&self.projected),
            Form::Lsmr(form) if near => {
                form.tangent_part(place, &self.projected, &self.inverse_scale)
            }
            _ => None,
        };
        self.offset = image.map_or(f64::INFINITY, |image| image / r);
    }

    /// z and p for the right-hand side `right`, which is overwritten; none where they are not finite.
    pub(super) fn solve<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        mu: f64,
        right: &mut [f64],
        z: &mut [f64],
        p: &mut [f64],
    ) -> Option<()> {
        match &mut self.form {
            Form::Qr(form) => form.solve(mu, right, z),
            Form::Arrow(form) => form.solve(mu, right, z),
            Form::Normal(form) => form.solve(mu, right, z)?,
            Form::Dual(form) => form.solve(mu, right, z)?,
            Form::Lsmr(form) => form.solve(place, &self.inverse_scale, mu, right, z)?,
        }
        for ((p, z), inverse) in p.iter_mut().zip(&*z).zip(&self.inverse_scale) {
            *p = z * inverse;
        }
        vector::all_finite(p).then_some(())
    }

    /// `right` ← the form's right-hand side for J·p − `curved`.0, p = D⁻¹z being the latest step; `curved` and `image` are scratch.
    pub(super) fn bend<P: LeastSquares>(
        &mut self,
        place: &mut Place<'_, P>,
        (curved, spare): (&mut [f64], &mut [f64]),
        (z, p): (&[f64], &[f64]),
        (image, right): (&mut [f64], &mut [f64]),
    ) {
        match &mut self.form {
            Form::Qr(form) => {
                form.project(curved, image);
                form.image(z, right);
                vector::axpy(-1.0, image, right);
            }
            Form::Arrow(form) => {
                form.project(curved, image);
                form.image(z, right);
                vector::axpy(-1.0, image, right);
            }
            Form::Normal(_) => {
                eval::jacobian_vector(place.problem, place.theta, p, spare);
                vector::axpy(-1.0, curved, spare);
                eval::jacobian_transpose_vector(place.problem, place.theta, spare, right);
                vector::multiply(&self.inverse_scale, right);
            }
            Form::Dual(form) => vector::subtract(form.image(), curved, right),
            Form::Lsmr(form) => vector::subtract(form.image(), curved, right),
        }
    }
}
