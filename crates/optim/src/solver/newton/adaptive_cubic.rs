//! Adaptive cubic regularisation (ARC): minimise f(θ) with its exact second derivatives, wherever they are indefinite.
//!
//! Update: p ≈ argmin gᵀp + ½pᵀHp + ⅓σ‖p‖³ on Krylov spaces of H = ∇²f(θ) or the Gauss–Newton matrix;
//! ρ = (f(θ) − f(θ + p)) / promised decrease;  θ⁺ = θ + p where ρ ≥ η, else σ grows and p is found anew on the same basis, without a
//! product. σ falls after a step that the model foretold well.
//! The cubic term bounds f from above where σ is more than half the Lipschitz constant of ∇²f, which is why steps need no region.
//! Stop: [`Stopping`]. A point that passes it and has a direction of negative curvature is left along that direction
//! ([`Optimality::SecondOrder`]).
//! Memory kn for k vectors of the basis. Cost per step: one linearisation, k products, 8nk² operations, f with ∇f once, and f per trial.
//! Source: Cartis, Gould & Toint (2011) Math. Program. 127, algorithm 2.1 and §6; Gould, Porcelli & Toint (2012) for σ.

use super::region::{
    ACCEPTANCE, FORCING, MAX_PRODUCTS, Means, Optimality, Options, POOR_CUBIC, Region,
};
use crate::error::OptimError;
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::bytes;
use crate::run::state::FitState;
use crate::run::stopping::Stopping;
use crate::solver::HessianKind;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Curvature;

const NAME: &str = "Adaptive cubic";

/// Newton's method with a cubic term.
#[derive(Clone, Debug)]
pub struct AdaptiveCubic {
    /// Which matrix. Default exact.
    pub curvature: HessianKind,
    /// What counts as a minimum; asked of the exact Hessian only. Default [`Optimality::SecondOrder`].
    pub optimality: Optimality,
    /// A step is taken when ρ ≥ this. Range [0, 0.1). Default [`ACCEPTANCE`].
    pub acceptance: f64,
    /// Length that the first step would have without curvature, in units of θ, which sets the first σ. Range > 0. Default the larger of
    /// ‖θ₀‖ and the Cauchy step.
    pub initial_radius: Option<f64>,
    /// Largest relative residual of an inexact step. Range (0, 1). Default [`FORCING`].
    pub forcing: f64,
    /// Most products per step. Range ≥ 1. Default [`MAX_PRODUCTS`].
    pub max_products: usize,
    /// When to stop.
    pub stopping: Stopping,
    region: Option<Region>,
}

impl Default for AdaptiveCubic {
    fn default() -> Self {
        Self {
            curvature: HessianKind::default(),
            optimality: Optimality::default(),
            acceptance: ACCEPTANCE,
            initial_radius: None,
            forcing: FORCING,
            max_products: MAX_PRODUCTS,
            stopping: Stopping::default(),
            region: None,
        }
    }
}

impl AdaptiveCubic {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which matrix.
    pub fn with_curvature(mut self, curvature: HessianKind) -> Self {
        self.curvature = curvature;
        self
    }

    /// What counts as a minimum.
    pub fn with_optimality(mut self, optimality: Optimality) -> Self {
        self.optimality = optimality;
        self
    }

    /// A step is taken when ρ ≥ this.
    pub fn with_acceptance(mut self, acceptance: f64) -> Self {
        self.acceptance = acceptance;
        self
    }

    /// Most products per step.
    pub fn with_max_products(mut self, products: usize) -> Self {
        self.max_products = products;
        self
    }

    /// Length that the first step would have without curvature, in units of θ.
    pub fn with_initial_radius(mut self, radius: f64) -> Self {
        self.initial_radius = Some(radius);
        self
    }

    /// Largest relative residual of an inexact step.
    pub fn with_forcing(mut self, forcing: f64) -> Self {
        self.forcing = forcing;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    fn options(&self) -> Options {
        Options {
            curvature: self.curvature,
            optimality: self.optimality,
            acceptance: self.acceptance,
            initial_radius: self.initial_radius,
            history: 0,
            forcing: self.forcing,
            max_products: self.max_products,
        }
    }
}

impl FitSolver for AdaptiveCubic {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        Some(bytes(&[(1, n, self.max_products.min(n)), (8, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        self.options().validate(NAME, POOR_CUBIC, "[0, 0.1)")?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        self.region.as_ref().map_or_else(Vec::new, Region::notes)
    }
}

impl<P: Curvature> Solver<P, FitState> for AdaptiveCubic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let options = self.options();
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        let region = self.region.insert(Region::new(n, Means::Cubic));
        region.leave_saddle(&options, problem, &mut state);
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let options = self.options();
        let region = self.region.as_mut().expect("argmin's Executor calls init first");
        region.iterate(&options, &self.stopping, problem, &mut state);
        Ok((state, None))
    }
}
