//! The linear model of the residuals at one point, in a box: r + J·p with J·D⁻¹ = Q·R.

use super::problem::SmallLeastSquares;
use crate::linalg::qr::PivotedQr;
use crate::linalg::vector;
use crate::problem::bounds::Bounds;
use crate::solver::least_squares::residual_model::{OUTGROWN, Scaling};
use secant_core::rho::Rho;

/// A column of J that depends on others by more than this of itself takes their parameters with it.
const DEPENDENT: f64 = 1e-8;

/// An influence below this part of what it was at the start, and of the largest one, has vanished.
const VANISHED: f64 = 1e-10;

/// How residuals count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Robust {
    pub rho: Rho,
    pub scale: f64,
}

impl Robust {
    /// r̃ with ½‖r̃‖² = ½σ²Σρ(s); returns ∂r̃/∂r.
    fn bend(self, r: &mut f64) -> f64 {
        self.rho.bend(self.scale, r)
    }
}

/// A problem with what it is evaluated in and counted by.
#[derive(Debug)]
pub(super) struct Problem<'a, P: SmallLeastSquares> {
    pub of: &'a P,
    pub scratch: &'a mut P::Scratch,
    pub robust: Option<Robust>,
    pub bounds: Option<&'a Bounds>,
    pub evaluations: u64,
}

impl<P: SmallLeastSquares> Problem<'_, P> {
    /// `r` ← r(θ); f.
    pub fn residuals(&mut self, theta: &[f64], r: &mut [f64]) -> f64 {
        self.evaluations += 1;
        self.of.write_residuals(theta, r, self.scratch);
        if let Some(robust) = self.robust {
            for r in r.iter_mut() {
                robust.bend(r);
            }
        }
        half_square(r)
    }

    fn jacobian(&mut self, theta: &[f64], r: &mut [f64], jacobian: &mut [f64]) -> f64 {
        self.evaluations += 1;
        self.of.write_jacobian(theta, r, jacobian, self.scratch);
        if let Some(robust) = self.robust {
            let m = r.len();
            for (i, r) in r.iter_mut().enumerate() {
                let slope = robust.bend(r);
                jacobian[i..].iter_mut().step_by(m).for_each(|entry| *entry *= slope);
            }
        }
        half_square(r)
    }
}

fn half_square(r: &[f64]) -> f64 {
    0.5 * vector::dot(r, r)
}

/// θ with r, f, J·D⁻¹ factorised and all that follows from it.
#[derive(Debug)]
pub(super) struct At {
    pub theta: Vec<f64>,
    pub value: f64,
    pub residuals: Vec<f64>,
    /// ∇f without what the bounds block.
    pub gradient: Vec<f64>,
    /// The bounds let this parameter not follow −∇f: it stays, and its column is left out of J.
    pub blocked: Vec<bool>,
    /// ‖Jⱼ‖ at the start, and now.
    first_norms: Vec<f64>,
    own_norms: Vec<f64>,
    /// ‖Jⱼ‖, then D before its zeros are replaced.
    pub norms: Vec<f64>,
    pub inverse_scale: Vec<f64>,
    pub qr: PivotedQr,
    /// The first entries of Qᵀr.
    projected: Vec<f64>,
    /// ‖J·p‖/‖r‖ of the undamped step.
    pub offset: f64,
}

/// A step p = D⁻¹z from a point.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub z: Vec<f64>,
    pub p: Vec<f64>,
    /// A bound cut it short.
    pub cut: bool,
}

/// What solves are made in.
#[derive(Debug)]
pub(super) struct Spare {
    right: Vec<f64>,
    image: Vec<f64>,
    probe: Vec<f64>,
    held: Vec<bool>,
    /// R·Pᵀ without the columns that are held.
    small: PivotedQr,
}

impl Spare {
    pub fn new() -> Self {
        let (right, image, probe, held) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { right, image, probe, held, small: PivotedQr::new(0, 0) }
    }

    pub fn resize(&mut self, m: usize, n: usize) {
        self.right.resize(n, 0.0);
        self.image.resize(n, 0.0);
        self.probe.resize(m, 0.0);
        self.held.resize(n, false);
    }
}

impl Step {
    pub fn resize(&mut self, n: usize) {
        self.z.resize(n, 0.0);
        self.p.resize(n, 0.0);
    }
}

impl At {
    pub fn new() -> Self {
        let empty = Vec::new;
        Self {
            theta: empty(),
            value: f64::NAN,
            residuals: empty(),
            gradient: empty(),
            blocked: Vec::new(),
            first_norms: empty(),
            own_norms: empty(),
            norms: empty(),
            inverse_scale: empty(),
            qr: PivotedQr::new(0, 0),
            projected: empty(),
            offset: f64::INFINITY,
        }
    }

    pub fn resize(&mut self, m: usize, n: usize) {
        self.residuals.resize(m, 0.0);
        for row in [
            &mut self.theta,
            &mut self.gradient,
            &mut self.norms,
            &mut self.first_norms,
            &mut self.own_norms,
            &mut self.inverse_scale,
            &mut self.projected,
        ] {
            row.resize(n, 0.0);
        }
        self.blocked.resize(n, false);
        self.qr.resize(m, n);
    }

    /// r, J, f and ∇f at `theta`; whether all of it is finite.
    pub fn linearize<P: SmallLeastSquares>(&mut self, problem: &mut Problem<'_, P>) -> bool {
        let jacobian = self.qr.entries_mut();
        self.value = problem.jacobian(&self.theta, &mut self.residuals, jacobian);
        for (j, gradient) in self.gradient.iter_mut().enumerate() {
            *gradient = vector::dot(self.qr.column(j), &self.residuals);
            self.norms[j] = vector::norm(self.qr.column(j));
        }
        let finite = self.gradient.iter().chain(&self.norms).all(|x| x.is_finite());
        for j in 0..self.blocked.len() {
            let (theta, gradient) = (self.theta[j], self.gradient[j]);
            let blocks = |bounds: &Bounds| bounds.blocks(j, theta, gradient);
            self.blocked[j] = problem.bounds.is_some_and(blocks);
            if self.blocked[j] {
                self.gradient[j] = 0.0;
                self.qr.column_mut(j).fill(0.0);
            }
        }
        finite && self.value.is_finite()
    }

    /// Scales and factorises, after [`linearize`](Self::linearize); `before` is the point that D is carried on from, none at the start.
    pub fn factor(&mut self, before: Option<&Self>, scaling: Scaling, spare: &mut Spare) {
        self.own_norms.copy_from_slice(&self.norms);
        let first = before.map_or(&self.norms, |before| &before.first_norms);
        self.first_norms.copy_from_slice(first);
        match (scaling, before) {
            (Scaling::Identity, None) => {
                let largest = vector::norm_inf(&self.norms);
                self.norms.fill(largest);
            }
            (Scaling::Identity, Some(before)) => self.norms.copy_from_slice(&before.norms),
            (Scaling::More, Some(before)) => {
                for (norm, before) in self.norms.iter_mut().zip(&before.norms) {
                    let most = if *norm > 0.0 { OUTGROWN * *norm } else { f64::INFINITY };
                    *norm = norm.max(before.min(most));
                }
            }
            _ => {}
        }
        for (inverse, norm) in self.inverse_scale.iter_mut().zip(&self.norms) {
            *inverse = if *norm > 0.0 { norm.recip() } else { 1.0 };
        }
        for (j, inverse) in self.inverse_scale.iter().enumerate() {
            vector::scale(*inverse, self.qr.column_mut(j));
        }
        self.qr.factor();
        spare.probe.copy_from_slice(&self.residuals);
        self.qr.transpose_q(&mut spare.probe);
        self.projected.copy_from_slice(&spare.probe[..self.theta.len()]);
        let tangent = vector::norm(&self.projected[..self.qr.rank()]);
        self.offset = tangent / vector::norm(&self.residuals);
    }

    /// The step of damping μ; the decrease of f that the model promises for it, none where there is no such step in floating point.
    pub fn solve(
        &mut self,
        mu: f64,
        step: &mut Step,
        spare: &mut Spare,
        bounds: Option<&Bounds>,
    ) -> Option<f64> {
        vector::scale_into(-1.0, &self.projected, &mut spare.right);
        self.solve_right(mu, step, spare)?;
        step.cut = false;
        if let Some(bounds) = bounds.filter(|bounds| self.leaves(step, bounds)) {
            self.hold_in(mu, step, spare, bounds)?;
            step.cut = true;
            self.qr.multiply(&step.z, &mut spare.image);
            let image = &spare.image;
            let promised = -vector::dot(image, &self.projected) - 0.5 * vector::dot(image, image);
            return (promised > 0.0).then_some(promised);
        }
        self.qr.multiply(&step.z, &mut spare.image);
        let promised =
            0.5 * vector::dot(&spare.image, &spare.image) + mu * vector::dot(&step.z, &step.z);
        promised.is_finite().then_some(promised)
    }

    fn solve_right(&mut self, mu: f64, step: &mut Step, spare: &mut Spare) -> Option<()> {
        self.qr.solve(mu, &mut spare.right, &mut step.z);
        self.unscale(step)
    }

    fn unscale(&self, step: &mut Step) -> Option<()> {
        for ((p, z), inverse) in step.p.iter_mut().zip(&step.z).zip(&self.inverse_scale) {
            *p = z * inverse;
        }
        vector::all_finite(&step.p).then_some(())
    }

    fn leaves(&self, step: &Step, bounds: &Bounds) -> bool {
        (0..self.theta.len()).any(|j| !bounds.as_box().allows(j, self.theta[j] + step.p[j]))
    }

    /// Parameters that the step takes out of the box are held at their bound, and the others solved for again, until none leaves.
    fn hold_in(
        &mut self,
        mu: f64,
        step: &mut Step,
        spare: &mut Spare,
        bounds: &Bounds,
    ) -> Option<()> {
        let n = self.theta.len();
        spare.held.fill(false);
        for _ in 0..n {
            let mut more = false;
            for j in 0..n {
                let (to, within) = (self.theta[j] + step.p[j], bounds.as_box());
                if !spare.held[j] && !within.allows(j, to) {
                    let bound =
                        if to < within.lower[j] { within.lower[j] } else { within.upper[j] };
                    (spare.held[j], more) = (true, true);
                    step.z[j] = (bound - self.theta[j]) / self.inverse_scale[j];
                }
            }
            if !more {
                break;
            }
            self.solve_others(mu, step, spare);
            self.unscale(step)?;
        }
        Some(())
    }

    /// z of the parameters that are not held: argmin ‖R·Pᵀz + Qᵀr‖² + μ‖z‖² with the others as they are.
    fn solve_others(&mut self, mu: f64, step: &mut Step, spare: &mut Spare) {
        let n = self.theta.len();
        spare.small.resize(n, n);
        spare.probe[..n].copy_from_slice(&self.projected);
        let small = spare.small.entries_mut();
        small.fill(0.0);
        for (k, &j) in self.qr.order().iter().enumerate() {
            for i in 0..=k {
                let entry = self.qr.r(i, k);
                if spare.held[j] {
                    spare.probe[i] += entry * step.z[j];
                } else {
                    small[j * n + i] = entry;
                }
            }
        }
        spare.small.factor();
        spare.small.transpose_q(&mut spare.probe[..n]);
        vector::scale_into(-1.0, &spare.probe[..n], &mut spare.right);
        spare.small.solve(mu, &mut spare.right, &mut spare.image);
        for j in 0..n {
            if !spare.held[j] {
                step.z[j] = spare.image[j];
            }
        }
    }

    /// Half the geodesic acceleration along `step`, see `ResidualModel::accelerate`; `at` is θ + hp and becomes scratch.
    pub fn accelerate<P: SmallLeastSquares>(
        &mut self,
        problem: &mut Problem<'_, P>,
        (h, mu): (f64, f64),
        (step, accel): (&Step, &mut Step),
        at: &mut [f64],
        spare: &mut Spare,
    ) -> Option<()> {
        vector::step(&self.theta, h, &step.p, at);
        let value = problem.residuals(at, &mut spare.probe);
        if !value.is_finite() {
            return None;
        }
        vector::axpy(-1.0, &self.residuals, &mut spare.probe);
        vector::scale(h.recip(), &mut spare.probe);
        self.qr.transpose_q(&mut spare.probe);
        self.qr.multiply(&step.z, &mut spare.right);
        vector::axpy(-1.0, &spare.probe[..at.len()], &mut spare.right);
        vector::scale(h.recip(), &mut spare.right);
        self.solve_right(mu, accel, spare)
    }

    /// Standard errors of the parameters, from R: `out`ⱼ ← s·‖R⁻ᵀeⱼ‖/Dⱼ, with s² = 2f/(m − p) for p parameters that are free, or 1 where
    /// the residuals are in standard deviations. NaN for parameters at a bound and for those that the data do not determine. Whether they
    /// determine all that are free.
    pub fn errors(&mut self, absolute: bool, out: &mut [f64], spare: &mut Spare) -> bool {
        let (m, n) = (self.residuals.len(), self.theta.len());
        let free = self.blocked.iter().filter(|blocked| !**blocked).count();
        let rank = self.qr.rank();
        let variance = if absolute {
            1.0
        } else if m > free {
            2.0 * self.value / (m - free) as f64
        } else {
            f64::NAN
        };
        out.fill(f64::NAN);
        for k in 0..rank {
            let column = self.qr.order()[k];
            let inverse = &mut spare.right[..rank];
            inverse.fill(0.0);
            inverse[k] = 1.0;
            self.qr.solve_leading_transposed(inverse);
            out[column] = variance.sqrt() * vector::norm(inverse) * self.inverse_scale[column];
        }
        // A column that depends on others says nothing of its own parameter, and takes theirs with it.
        for k in rank..n {
            let column = self.qr.order()[k];
            if self.blocked[column] {
                continue;
            }
            let shares = &mut spare.right[..rank];
            for (i, share) in shares.iter_mut().enumerate() {
                *share = self.qr.r(i, k);
            }
            self.qr.solve_leading(shares);
            for (i, share) in shares.iter().enumerate() {
                if share.abs() > DEPENDENT {
                    out[self.qr.order()[i]] = f64::NAN;
                }
            }
        }
        rank == free && self.drop_vanished(out)
    }

    /// A parameter whose influence has vanished on the way, so that it could be anything (the rate of a decay whose amplitude is 0), has no
    /// error. Whether there is none.
    fn drop_vanished(&self, out: &mut [f64]) -> bool {
        let influence = |j: usize| self.own_norms[j] * self.theta[j].abs();
        let largest = (0..out.len()).map(influence).fold(0.0, f64::max);
        let mut none = true;
        for (j, out) in out.iter_mut().enumerate() {
            let vanished = self.own_norms[j] <= VANISHED * self.first_norms[j];
            if !self.blocked[j] && vanished && influence(j) <= VANISHED * largest {
                (*out, none) = (f64::NAN, false);
            }
        }
        none
    }
}
