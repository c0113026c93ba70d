//! Minima of a quadratic f for one set of weights of L1 after the other: H once, and no factor of all of it; where f gives entries of H, those
//! between the parameters of a working set alone.

use super::working_set::WorkingSet;
use super::{has_blocks, most_members};
use crate::linalg::vector;
use crate::problem::l1;
use crate::run::limits;
use secant_core::problem::{Curvature, Form};

/// Evaluations of ∇f whose rounding the model is solved for again.
const REFINEMENTS: usize = 3;

/// A convex quadratic f, with what is known of its H.
pub(crate) struct QuadraticL1<'p, P> {
    problem: &'p P,
    set: WorkingSet,
    /// The weights of the last minimum.
    before: Option<Vec<f64>>,
    smooth: Vec<f64>,
    gradient: Vec<f64>,
}

impl<'p, P: Curvature> QuadraticL1<'p, P> {
    /// Of a problem that says it is one; n² numbers where it gives no entries of H.
    pub(crate) fn of(problem: &'p P, theta: &[f64]) -> Option<Self> {
        let structure = problem.structure();
        if structure.form != Form::Quadratic || structure.kinks {
            return None;
        }
        let n = theta.len();
        let set = if has_blocks(&structure, n) {
            WorkingSet::new(n, most_members(n, None))
        } else {
            WorkingSet::whole(n, |out| problem.hessian_at(theta, out))
        };
        Some(Self { problem, set, before: None, smooth: vec![0.0; n], gradient: vec![0.0; n] })
    }

    /// `theta` ← the minimum with these weights, its |⋄ⱼ| at most `tolerance` but for rounding: descent by coordinates, from θ, and Newton's
    /// steps on those that are not zero. The last evaluation is there.
    ///
    /// With weights a little below those of the last minimum the set takes in beforehand what the strong rule does not leave out.  Tibshirani
    /// et al. (2012) (7): |gⱼ| ≥ 2wⱼ − the weight before.
    pub(crate) fn minimise(&mut self, weights: &[f64], tolerance: f64, theta: &mut [f64]) {
        let mut before = self.before.take();
        let mut refined = 0;
        loop {
            self.problem.value_gradient(theta, &mut self.smooth);
            l1::pseudo_gradient(weights, theta, &self.smooth, &mut self.gradient);
            // Written so that NaN ends it.
            let above = vector::norm_inf(&self.gradient) > tolerance;
            if !above || limits::over().is_some() {
                break;
            }
            let strong = before.take();
            let least = |j: usize| match &strong {
                Some(before) if 2.0 * weights[j] > before[j] && before[j] > weights[j] => {
                    2.0 * weights[j] - before[j]
                }
                _ => weights[j],
            };
            let (problem, smooth) = (self.problem, &self.smooth);
            let at = &*theta;
            let (new, _) = self.set.grow(
                |j| weights[j] == 0.0 || at[j] != 0.0,
                |j| smooth[j].abs() - least(j),
                |rows, columns, out| problem.hessian_block_at(at, rows, columns, out),
            );
            if new == 0 {
                if refined == REFINEMENTS {
                    break;
                }
                refined += 1;
            }
            if !self.set.minimise(weights, 0.1 * tolerance, theta, &self.smooth) {
                break;
            }
        }
        self.before = Some(weights.to_vec());
    }
}
