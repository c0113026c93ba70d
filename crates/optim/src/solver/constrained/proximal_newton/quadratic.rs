//! Minima of a quadratic f with many weights of L1: H once, and no factor of all of it.

use super::l1_model::L1Model;
use crate::linalg::vector;
use crate::problem::l1;
use secant_core::problem::{Curvature, Form, Linearization};

/// Evaluations of ∇f whose rounding the model is solved for again.
const REFINEMENTS: usize = 3;

/// A convex quadratic f, with its H.
pub(crate) struct QuadraticL1<'p, P> {
    problem: &'p P,
    model: L1Model,
    smooth: Vec<f64>,
    gradient: Vec<f64>,
}

impl<'p, P: Curvature> QuadraticL1<'p, P> {
    /// Of a problem that says it is one; n² numbers.
    pub(crate) fn of(problem: &'p P, theta: &[f64]) -> Option<Self> {
        let structure = problem.structure();
        if structure.form != Form::Quadratic || structure.kinks {
            return None;
        }
        let n = theta.len();
        let model = L1Model::of_quadratic(n, |out| problem.linearize(theta).hessian(out));
        Some(Self { problem, model, smooth: vec![0.0; n], gradient: vec![0.0; n] })
    }

    /// `theta` ← the minimum with these weights, its |⋄ⱼ| at most `tolerance` but for rounding: descent by coordinates, from θ, and Newton's
    /// steps on those that are not zero.
    pub(crate) fn minimise(&mut self, weights: &[f64], tolerance: f64, theta: &mut [f64]) {
        self.model.weights.copy_from_slice(weights);
        for _ in 0..REFINEMENTS {
            self.problem.value_gradient(theta, &mut self.smooth);
            l1::pseudo_gradient(weights, theta, &self.smooth, &mut self.gradient);
            // Written so that NaN ends it.
            let above = vector::norm_inf(&self.gradient) > tolerance;
            if !above {
                return;
            }
            self.model.minimise_to(0.1 * tolerance, theta, &self.smooth);
            if !vector::all_finite(&self.model.point) {
                return;
            }
            theta.copy_from_slice(&self.model.point);
        }
    }
}
