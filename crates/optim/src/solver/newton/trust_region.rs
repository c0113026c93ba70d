//! Trust-region Newton: minimise f(θ) with its exact second derivatives, wherever they are indefinite.
//!
//! Update: p ≈ argmin gᵀp + ½pᵀHp over ‖p‖₂ ≤ Δ with H = ∇²f(θ) or the Gauss–Newton matrix;
//! ρ = (f(θ) − f(θ + p)) / promised decrease;  θ⁺ = θ + p where ρ ≥ η, else Δ shrinks and p is found anew from the same H.
//! The subproblem is a choice, [`Subproblem`]. At a trial point only f is evaluated, and the linearisation at θ stays
//! alive until a step is accepted. Both sides of ρ get an allowance for the rounding of f, so that the last steps are judged by
//! the gradient where f cannot show them.
//! Stop: [`Stopping`]. A point that passes it and has a direction of negative curvature is left along that direction
//! ([`Optimality::SecondOrder`]).
//! The norm is Euclidean: the path is invariant under scaling of the loss and under rotations, not under the units of single
//! parameters ([`Subproblem::ScaledExact`]: under those too).
//! Memory and cost per step: those of the subproblem, one linearisation, f with ∇f once, and f per trial.
//! Source: Conn, Gould & Toint (2000) algorithm 6.1.1, §10.1.2, §17.4.2; Nocedal & Wright (2006) algorithm 4.1.

use super::region::{
    ACCEPTANCE, FORCING, MAX_PRODUCTS, Means, Optimality, Options, POOR, Region, Subproblem,
};
use crate::error::OptimError;
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::Stopping;
use crate::solver::HessianKind;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Curvature;

/// What takes its place where its matrices do not fit.
const ALTERNATIVE: &str = "`Subproblem::Gltr` or L-BFGS";
const NAME: &str = "Trust region";

/// Newton's method in a trust region.
#[derive(Clone, Debug)]
pub struct TrustRegion {
    /// How the step is found. Default [`Subproblem::Gltr`].
    pub subproblem: Subproblem,
    /// Which matrix. Default exact.
    pub curvature: HessianKind,
    /// What counts as a minimum; asked of the exact Hessian only. Default [`Optimality::SecondOrder`].
    pub optimality: Optimality,
    /// A step is taken when ρ ≥ this. Range [0, ¼). Default [`ACCEPTANCE`].
    pub acceptance: f64,
    /// Δ at the start, in units of θ. Range > 0. Default the larger of ‖θ₀‖ and the Cauchy step.
    pub initial_radius: Option<f64>,
    /// Accepted points looked back on: f may rise as long as it falls enough against the highest of them, as in
    /// Toint (1996). 0 is monotone. Default 0.
    pub history: usize,
    /// Largest relative residual of an inexact step. Range (0, 1). Default [`FORCING`].
    pub forcing: f64,
    /// Most products per step. Range ≥ 1. Default [`MAX_PRODUCTS`].
    pub max_products: usize,
    /// When to stop.
    pub stopping: Stopping,
    region: Option<Region>,
}

impl Default for TrustRegion {
    fn default() -> Self {
        Self {
            subproblem: Subproblem::default(),
            curvature: HessianKind::default(),
            optimality: Optimality::default(),
            acceptance: ACCEPTANCE,
            initial_radius: None,
            history: 0,
            forcing: FORCING,
            max_products: MAX_PRODUCTS,
            stopping: Stopping::default(),
            region: None,
        }
    }
}

impl TrustRegion {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How the step is found.
    pub fn with_subproblem(mut self, subproblem: Subproblem) -> Self {
        self.subproblem = subproblem;
        self
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

    /// Δ at the start, in units of θ.
    pub fn with_initial_radius(mut self, radius: f64) -> Self {
        self.initial_radius = Some(radius);
        self
    }

    /// Accepted points looked back on; 0 is monotone.
    pub fn with_history(mut self, points: usize) -> Self {
        self.history = points;
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
            history: self.history,
            forcing: self.forcing,
            max_products: self.max_products,
        }
    }
}

impl FitSolver for TrustRegion {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        Some(bytes(&match self.subproblem {
            Subproblem::Gltr => [(1, n, self.max_products.min(n)), (8, n, 1)],
            Subproblem::Steihaug => [(0, n, n), (12, n, 1)],
            Subproblem::Exact | Subproblem::ScaledExact => [(3, n, n), (12, n, 1)],
            Subproblem::Dogleg => [(2, n, n), (12, n, 1)],
        }))
    }
    fn validate(&self) -> Result<(), OptimError> {
        self.options().validate(NAME, POOR, "[0, 1/4)")?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        self.region.as_ref().map_or_else(Vec::new, Region::notes)
    }
}

impl<P: Curvature> Solver<P, FitState> for TrustRegion {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let dense = match self.subproblem {
            Subproblem::Gltr | Subproblem::Steihaug => 0,
            _ => eval::dense_bytes(problem),
        };
        let needs = self.memory(eval::dim(problem), 0).map(|own| own.saturating_add(dense));
        memory::preflight(NAME, needs, ALTERNATIVE, state.limit())?;
        let options = self.options();
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        let region = self.region.insert(Region::new(n, Means::Ball(self.subproblem)));
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
