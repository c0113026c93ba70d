//! A method in a region: the options that all of them have, and their run under argmin.

use super::{ACCEPTANCE, FORCING, MAX_PRODUCTS, Means, Optimality, Options, Region};
use crate::error::OptimError;
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::memory;
use crate::run::state::FitState;
use crate::run::stopping::Stopping;
use crate::solver::HessianKind;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Curvature;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::ops::{Deref, DerefMut};

/// What one method has of its own: how it bounds a step, and what that takes.
pub trait RegionRule: Clone + Debug + Default {
    /// The method's name.
    const NAME: &'static str;
    /// A step is poor below this ρ, and η is below it.
    const POOR: f64;
    /// The range of η in words.
    const ACCEPTANCES: &'static str;
    /// What bounds a step.
    #[doc(hidden)]
    fn means(&self) -> Means;
    /// Accepted points looked back on.
    fn history(&self) -> usize {
        0
    }
    /// What takes its place where its memory does not fit.
    fn alternative(&self) -> &'static str;
    /// Whether it asks for the matrix.
    fn is_dense(&self) -> bool;
    /// Bytes of a run for n parameters and this many products per step.
    fn memory(&self, n: usize, max_products: usize) -> u64;
}

/// Newton's method with a bounded step: the options of its [`RegionRule`], which it shows as its own (`solver.subproblem`), and what
/// all such methods share.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: DeserializeOwned"))]
pub struct RegionMethod<R: RegionRule> {
    /// How a step is bounded.
    pub rule: R,
    /// Which matrix. Default exact.
    pub curvature: HessianKind,
    /// What counts as a minimum; asked of the exact Hessian only. Default [`Optimality::SecondOrder`].
    pub optimality: Optimality,
    /// A step is taken when ρ ≥ this. Range [0, ¼) of a trust region, [0, 0.1) of a cubic term. Default [`ACCEPTANCE`].
    pub acceptance: f64,
    /// Δ at the start, in units of θ; of a cubic term the length that the first step would have without curvature, which sets the first
    /// σ. Range > 0. Default the larger of ‖θ₀‖ and the Cauchy step.
    pub initial_radius: Option<f64>,
    /// Largest relative residual of an inexact step. Range (0, 1). Default [`FORCING`].
    pub forcing: f64,
    /// Most products per step. Range ≥ 1. Default [`MAX_PRODUCTS`].
    pub max_products: usize,
    /// When to stop.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Work,
}

/// What a run keeps.
#[doc(hidden)]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Work(Option<Region>);

impl<R: RegionRule> Default for RegionMethod<R> {
    fn default() -> Self {
        R::default().into()
    }
}

impl<R: RegionRule> From<R> for RegionMethod<R> {
    fn from(rule: R) -> Self {
        Self {
            rule,
            curvature: HessianKind::default(),
            optimality: Optimality::default(),
            acceptance: ACCEPTANCE,
            initial_radius: None,
            forcing: FORCING,
            max_products: MAX_PRODUCTS,
            stopping: Stopping::default(),
            work: Work::default(),
        }
    }
}

impl<R: RegionRule> Deref for RegionMethod<R> {
    type Target = R;
    fn deref(&self) -> &R {
        &self.rule
    }
}

impl<R: RegionRule> DerefMut for RegionMethod<R> {
    fn deref_mut(&mut self) -> &mut R {
        &mut self.rule
    }
}

impl<R: RegionRule> RegionMethod<R> {
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

    /// Δ at the start, or the length of a first step without curvature, in units of θ.
    pub fn with_initial_radius(mut self, radius: f64) -> Self {
        self.initial_radius = Some(radius);
        self
    }

    /// Largest relative residual of an inexact step.
    pub fn with_forcing(mut self, forcing: f64) -> Self {
        self.forcing = forcing;
        self
    }

    /// Most products per step.
    pub fn with_max_products(mut self, products: usize) -> Self {
        self.max_products = products;
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
            history: self.rule.history(),
            forcing: self.forcing,
            max_products: self.max_products,
        }
    }
}

impl<R: RegionRule> FitSolver for RegionMethod<R> {
    const NAME: &'static str = R::NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        Some(self.rule.memory(n, self.max_products))
    }
    fn validate(&self) -> Result<(), OptimError> {
        self.options().validate(R::NAME, R::POOR, R::ACCEPTANCES)?;
        self.stopping.validate(R::NAME)
    }
    fn notes(&self) -> Vec<String> {
        self.work.0.as_ref().map_or_else(Vec::new, Region::notes)
    }
}

impl<P: Curvature, R: RegionRule> Solver<P, FitState> for RegionMethod<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let dense = if self.rule.is_dense() { eval::dense_bytes(problem) } else { 0 };
        let needs = self.rule.memory(eval::dim(problem), self.max_products).saturating_add(dense);
        memory::preflight(R::NAME, Some(needs), self.rule.alternative(), state.limit())?;
        let options = self.options();
        let n = eval::start(R::NAME, &self.stopping, problem, &mut state)?;
        state.with_foresight();
        let region = self.work.0.insert(Region::new(n, self.rule.means()));
        region.leave_saddle(&options, problem, &mut state);
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let options = self.options();
        let region = self.work.0.as_mut().expect("argmin's Executor calls init first");
        region.iterate(&options, &self.stopping, problem, &mut state);
        Ok((state, None))
    }
}
