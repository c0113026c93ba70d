//! What proposes steps: one of the subproblems, or a way out of a saddle.

use super::{MAX_SADDLE_PRODUCTS, Subproblem};
use crate::krylov::extreme_eigenvalues;
use crate::linalg::vector;
use crate::solver::newton::model::Model;
use crate::subproblem::{Bound, Dogleg, Gltr, MoreSorensen, NotFinite, Steihaug, Step};
use secant_core::operator::LinearOperator;
use secant_core::problem::Linearization;
use serde::{Deserialize, Serialize};

/// What bounds a step, and how it is found then.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Means {
    /// ‖p‖ ≤ Δ.
    Ball(Subproblem),
    /// ⅓σ‖p‖³ in the model.
    Cubic,
}

/// The subproblem with its memory of H, and the step it found last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Proposal {
    engine: Engine,
    /// p
    pub step: Vec<f64>,
    work: Vec<f64>,
    image: Vec<f64>,
    /// The way out of the saddle that θ is.
    pub escape: Option<Escape>,
    /// No step has been asked for since H was taken.
    fresh: bool,
}

/// How far an inexact step goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// ‖(H + λI)p + g‖ ≤ this · ‖g‖.
    pub tolerance: f64,
    pub products: usize,
}

/// What finds steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Engine {
    Gltr(Box<Gltr>),
    Steihaug(Steihaug),
    Exact(Box<MoreSorensen>),
    Dogleg(Box<Dogleg>),
}

/// A direction v of negative curvature, ‖v‖ = 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Escape {
    direction: Vec<f64>,
    /// vᵀHv < 0
    pub curvature: f64,
}

impl Proposal {
    pub(super) fn new(n: usize, means: Means) -> Self {
        let engine = match means {
            Means::Cubic | Means::Ball(Subproblem::Gltr) => Engine::Gltr(Box::new(Gltr::new(n))),
            Means::Ball(Subproblem::Steihaug) => Engine::Steihaug(Steihaug::new(n)),
            Means::Ball(Subproblem::Exact) => Engine::Exact(Box::new(MoreSorensen::new(n))),
            Means::Ball(Subproblem::ScaledExact) => {
                Engine::Exact(Box::new(MoreSorensen::scaled(n)))
            }
            Means::Ball(Subproblem::Dogleg) => Engine::Dogleg(Box::new(Dogleg::new(n))),
        };
        Self {
            engine,
            step: vec![0.0; n],
            work: vec![0.0; n],
            image: Vec::new(),
            escape: None,
            fresh: true,
        }
    }

    /// Two buffers of n numbers; the second is there from the first call on.
    pub(super) fn scratch(&mut self) -> (&mut Vec<f64>, &mut Vec<f64>) {
        self.image.resize(self.work.len(), 0.0);
        (&mut self.work, &mut self.image)
    }

    /// The step is the same in any units of the parameters, to rounding: by a factor of H, or in a scaled region.
    pub(super) fn is_without_units(&self) -> bool {
        match &self.engine {
            Engine::Exact(exact) => exact.is_scaled(),
            Engine::Dogleg(_) => true,
            Engine::Gltr(_) | Engine::Steihaug(_) => false,
        }
    }

    /// Takes H, where it is dense, and g; not at a saddle, where the step is known, unless `anyway`.
    pub(super) fn prepare<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        gradient: &[f64],
        anyway: bool,
    ) -> Result<(), NotFinite> {
        self.fresh = true;
        if self.escape.is_some() && !anyway {
            return Ok(());
        }
        match &mut self.engine {
            Engine::Exact(exact) => {
                model.matrix(exact.matrix_mut());
                exact.factor()?;
                exact.set_gradient(gradient);
            }
            Engine::Dogleg(dogleg) => {
                model.matrix(dogleg.matrix_mut());
                dogleg.factor(gradient)?;
            }
            Engine::Gltr(_) | Engine::Steihaug(_) => {}
        }
        Ok(())
    }

    /// ‖θ₀‖ or the length of the Cauchy step ‖g‖³/gᵀHg, whichever is larger: both are in units of θ. Where neither has a size, 1.
    /// In a scaled region, where curvatures are about one: ‖Dθ₀‖ or ‖D⁻¹g‖, or else ‖D·(1, …, 1)‖.
    pub(super) fn natural_radius<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        theta: &[f64],
        gradient: &[f64],
    ) -> f64 {
        let size = match &self.engine {
            Engine::Exact(exact) if exact.is_scaled() => {
                let size = exact.norm(theta).max(exact.gradient_norm());
                if size > 0.0 { size } else { exact.norm(&vec![1.0; theta.len()]) }
            }
            _ => {
                let norm = vector::norm(gradient);
                vector::scale_into(norm.recip(), gradient, &mut self.step);
                model.apply(&self.step, &mut self.work);
                let cauchy = norm / vector::dot(&self.step, &self.work).abs();
                let cauchy = if cauchy.is_finite() { cauchy } else { 0.0 };
                vector::norm(theta).max(cauchy)
            }
        };
        if size > 0.0 { size } else { 1.0 }
    }

    /// p within the bound into `step`: the first call after [`prepare`](Self::prepare) looks at H, later ones know it.
    pub(super) fn propose<L: Linearization>(
        &mut self,
        model: &Model<'_, L>,
        gradient: &[f64],
        bound: Bound,
        limits: Limits,
    ) -> Result<Step, NotFinite> {
        let Limits { tolerance, products } = limits;
        let fresh = std::mem::replace(&mut self.fresh, false);
        let step = &mut self.step;
        if let Some(escape) = &self.escape {
            let norm = match &self.engine {
                Engine::Exact(exact) => exact.norm(&escape.direction),
                _ => 1.0,
            };
            return Ok(escape.step(gradient, bound, norm, step));
        }
        let radius = match bound {
            Bound::Radius(radius) => radius,
            Bound::Weight(_) => f64::INFINITY,
        };
        Ok(match &mut self.engine {
            Engine::Gltr(gltr) if !fresh => gltr.solve_again(bound, step),
            Engine::Gltr(gltr) => gltr.solve(model, gradient, bound, tolerance, products, step)?,
            Engine::Steihaug(cg) => cg.solve(model, gradient, radius, tolerance, products, step)?,
            Engine::Exact(exact) => exact.solve(radius, step),
            Engine::Dogleg(dogleg) => dogleg.solve(radius, step),
        })
    }

    /// Looks for a direction of negative curvature, to be the next step. Whether there is one.
    pub(super) fn find_escape<L: Linearization>(&mut self, model: &Model<'_, L>) -> bool {
        self.escape = self.negative_curvature(model);
        self.escape.is_some()
    }

    fn negative_curvature<L: Linearization>(&mut self, model: &Model<'_, L>) -> Option<Escape> {
        let ends = if let Engine::Exact(exact) = &mut self.engine
            && !exact.is_scaled()
        {
            model.matrix(exact.matrix_mut());
            exact.factor().ok()?;
            exact.ends()
        } else {
            extreme_eigenvalues(model, MAX_SADDLE_PRODUCTS)?
        };
        let curvature = ends.smallest;
        ends.is_indefinite().then_some(Escape { direction: ends.direction, curvature })
    }
}

impl Escape {
    /// `step` ← ±τv, downhill, where v has length `norm`: of length Δ, or where the model with the cubic term is least along v.
    fn step(&self, gradient: &[f64], bound: Bound, norm: f64, step: &mut [f64]) -> Step {
        let slope = vector::dot(gradient, &self.direction);
        let (tau, weight) = match bound {
            Bound::Radius(radius) => (radius / norm, 0.0),
            // στ² + κτ − |slope| = 0 with κ < 0.
            Bound::Weight(weight) => {
                let root = (self.curvature * self.curvature + 4.0 * weight * slope.abs()).sqrt();
                (0.5 * (root - self.curvature) / weight, weight)
            }
        };
        let sign = if slope > 0.0 { -1.0 } else { 1.0 };
        vector::scale_into(sign * tau, &self.direction, step);
        let predicted = tau * (slope.abs() - tau * (0.5 * self.curvature + weight * tau / 3.0));
        Step { predicted, norm: tau * norm, on_boundary: true, multiplier: None }
    }
}
