//! Newton–CG, also truncated Newton or Hessian-free: minimise f(θ) with products of its second derivatives.
//!
//! Update: θ⁺ = θ + αp,  p from conjugate gradients on Hp = −∇f, truncated at ‖Hp + ∇f‖ ≤ η‖∇f‖ with η = min(η₀, √(‖∇f‖/‖∇f(θ₀)‖)), which
//! makes convergence superlinear, or with the η that costs least per digit; H = ∇²f(θ) or the Gauss–Newton matrix. Where CG meets
//! negative curvature p ends with a part along it. α = 1 first, then strong Wolfe.
//! Stop: [`Stopping`]. A point that passes it and has a direction of negative curvature is left along that direction
//! ([`Optimality::SecondOrder`]).
//! Memory 6n, and what the preconditioner, with n of its own, and the backtracking keep. Cost per step: one linearisation, k products, and
//! one evaluation of f with ∇f as a rule. CG moves 11 vectors of n numbers per product besides the product itself, in parallel for large n.
//! Source: Nocedal & Wright (2006) algorithm 7.1; Dembo, Eisenstat & Steihaug (1982) for η; Martens (2010) §4.4–4.7 for the test
//! of progress, the warm start and the backtracking.

use super::model::Model;
use super::preconditioning::{Preconditioner, Preconditioning};
use super::region::larger;
use super::region::{MAX_SADDLE_PRODUCTS, Optimality, is_convex};
use crate::error::{OptimError, require};
use crate::krylov::cg::{ConjugateGradient, Iterates, Precondition, Truncated, Truncation};
use crate::krylov::extreme_eigenvalues;
use crate::krylov::forcing::Balance;
use crate::linalg::{sweep, vector};
use crate::line_search::{Backtracking, StrongWolfe};
use crate::run::eval::{self, Moved};
use crate::run::fit_solver::FitSolver;
use crate::run::limits;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::HessianKind;
use crate::solver::line_step::{self, LineStep};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::operator::LinearOperator;
use secant_core::problem::Curvature;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// What takes its place where the memory of its preconditioner does not fit.
const PLAINER: &str = "another option `preconditioner`";
const NAME: &str = "Newton–CG";

/// η₀.  N&W §7.1: ½.
pub const FORCING: f64 = 0.5;
/// Most products per step.
pub const MAX_PRODUCTS: usize = 200;
/// Newton's method with truncated conjugate gradients.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewtonCg {
    /// Which matrix. Default exact.
    pub curvature: HessianKind,
    /// M. Default none.
    pub preconditioner: Preconditioner,
    /// What counts as a minimum; asked of the exact Hessian only. Default [`Optimality::SecondOrder`].
    pub optimality: Optimality,
    /// η₀. Range (0, 1). Default [`FORCING`].
    pub forcing: f64,
    /// End CG also where the model has all but ceased to fall. Default false.
    pub progress: bool,
    /// What a product costs, in gradients: η is then the one that costs least per digit of the gradient, at most η₀
    /// ([`Balance`]); [`product_cost`](crate::product_cost) measures it. Range > 0. Default none: the η above.
    pub cost_ratio: Option<f64>,
    /// Begin CG at the multiple of the step before that the model likes best, for one product. Default false.
    pub warm_start: bool,
    /// Go back over the iterates of CG, at growing distances, while f falls. Costs one value each and up to 20n. Default false.
    pub backtrack: bool,
    /// Most products per step. Range ≥ 1. Default [`MAX_PRODUCTS`].
    pub max_products: usize,
    /// The line search; its first trial is the full step.
    pub search: StrongWolfe,
    /// When to stop.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Workspace>,
    #[doc(hidden)]
    pub negative: u32,
    #[doc(hidden)]
    pub escapes: u32,
    #[doc(hidden)]
    pub shortened: u32,
}

impl Default for NewtonCg {
    fn default() -> Self {
        Self {
            curvature: HessianKind::default(),
            preconditioner: Preconditioner::default(),
            optimality: Optimality::default(),
            forcing: FORCING,
            progress: false,
            cost_ratio: None,
            warm_start: false,
            backtrack: false,
            max_products: MAX_PRODUCTS,
            search: StrongWolfe::default(),
            stopping: Stopping::default(),
            work: None,
            negative: 0,
            escapes: 0,
            shortened: 0,
        }
    }
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    cg: ConjugateGradient,
    preconditioning: Preconditioning,
    iterates: Iterates,
    balance: Balance,
    /// p
    direction: Vec<f64>,
    /// `direction` is a step that was taken.
    has_stepped: bool,
    line: LineStep,
    /// The run began at a saddle: the gradient there is no measure.
    began_at_saddle: bool,
}

impl NewtonCg {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which matrix.
    pub fn with_curvature(mut self, curvature: HessianKind) -> Self {
        self.curvature = curvature;
        self
    }

    /// M.
    pub fn with_preconditioner(mut self, preconditioner: Preconditioner) -> Self {
        self.preconditioner = preconditioner;
        self
    }

    /// What counts as a minimum.
    pub fn with_optimality(mut self, optimality: Optimality) -> Self {
        self.optimality = optimality;
        self
    }

    /// η₀.
    pub fn with_forcing(mut self, forcing: f64) -> Self {
        self.forcing = forcing;
        self
    }

    /// Whether CG ends also where the model has all but ceased to fall.
    pub fn with_progress(mut self, progress: bool) -> Self {
        self.progress = progress;
        self
    }

    /// What a product costs, in gradients.
    pub fn with_cost_ratio(mut self, ratio: f64) -> Self {
        self.cost_ratio = Some(ratio);
        self
    }

    /// Whether CG begins at the step before.
    pub fn with_warm_start(mut self, warm: bool) -> Self {
        self.warm_start = warm;
        self
    }

    /// Whether f is asked about earlier iterates of CG.
    pub fn with_backtrack(mut self, backtrack: bool) -> Self {
        self.backtrack = backtrack;
        self
    }

    /// Most products per step.
    pub fn with_max_products(mut self, products: usize) -> Self {
        self.max_products = products;
        self
    }

    /// The line search.
    pub fn with_search(mut self, search: StrongWolfe) -> Self {
        self.search = search;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    /// One iteration: linearisation, direction, line.
    fn advance<P: Curvature>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<Moved, Reason> {
        let (found, bound) = self.direction(problem, state)?;
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let slope = vector::dot(&state.gradient, &work.direction);
        // Along a direction of negative curvature the model has no end.
        let promised =
            if found.negative_curvature { f64::NAN } else { larger(-0.5 * slope, bound) };
        if eval::confirm(&self.stopping, state, promised) {
            return Ok(Moved::Ended);
        }
        self.negative += u32::from(found.negative_curvature);
        if self.backtrack && work.go_back(problem, state) {
            self.shortened += 1;
        }
        work.has_stepped = false;
        let before = state.gradient_norm_2();
        let step = work.line.take(&self.search, problem, state, &work.direction, 1.0);
        if step == Err(Reason::LineSearchFailed) {
            // Where H shows next to no curvature the direction has no length of its own.
            vector::scale_into(-1.0, &state.gradient, &mut work.direction);
            let initial = line_step::first_steepest_step(state);
            work.line.take(&self.search, problem, state, &work.direction, initial)?;
            return Ok(Moved::Yes);
        }
        let step = step?;
        work.has_stepped = true;
        if self.cost_ratio.is_some() && !found.negative_curvature {
            work.observe(state, found, step, before);
        }
        if work.began_at_saddle {
            state.raise_gradient_reference();
        }
        Ok(Moved::Yes)
    }

    /// p, by truncated CG on the linearisation at θ; and what a direction without units promises, where an end is to be confirmed.
    fn direction<P: Curvature>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(Truncated, f64), Reason> {
        let is_claimed = state.claim().is_some();
        let state = &*state;
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let (f, mut counts) = eval::split(problem);
        let at = counts.linearize(f, &state.theta);
        let go_on = || limits::over().is_none();
        counts.products(work.preconditioning.prepare(&at, go_on).ok_or(Reason::MaxTime)?);
        let model = Model::new(&at, self.curvature);
        let tolerance = match self.cost_ratio {
            None => self.forcing.min(state.relative_gradient().sqrt()),
            Some(ratio) => work.balance.tolerance(ratio, self.forcing),
        };
        let mut until = Truncation {
            tolerance,
            products: self.max_products,
            progress: self.progress,
            warm: self.warm_start && work.has_stepped,
            reach: vector::norm(&state.theta),
        };
        let mut found = work.solve(&model, &state.gradient, until, self.backtrack);
        // From a guess, H being indefinite, CG may end uphill.
        let uphill = until.warm && vector::dot(&state.gradient, &work.direction) >= 0.0;
        if uphill {
            until.warm = false;
            found = work.solve(&model, &state.gradient, until, self.backtrack);
        }
        work.preconditioning.learn();
        let bound =
            if is_claimed { model.relative_promise(&state.theta, &state.gradient) } else { 0.0 };
        counts.products(model.made());
        found.map(|found| (found, bound)).ok_or(Reason::NonFiniteCurvature)
    }

    /// Looks for a direction of negative curvature at a point where the run would end, and steps along it.
    fn leave_saddle<P: Curvature>(&mut self, problem: &mut Problem<P>, state: &mut FitState) {
        let ended =
            matches!(state.reason(), Some(Reason::GradientConverged | Reason::RoundingFloor));
        let second_order = self.optimality == Optimality::SecondOrder;
        let asked = ended && second_order && self.curvature == HessianKind::Exact;
        if !asked || limits::over().is_some() {
            return;
        }
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let (f, mut counts) = eval::split(problem);
        if is_convex(f) {
            return;
        }
        let at = counts.linearize(f, &state.theta);
        let model = Model::new(&at, self.curvature);
        let ends = extreme_eigenvalues(&model, MAX_SADDLE_PRODUCTS);
        counts.products(model.made());
        drop(at);
        let Some(ends) = ends.filter(crate::krylov::Extremes::is_indefinite) else { return };
        let slope = vector::dot(&state.gradient, &ends.direction);
        let sign = if slope > 0.0 { -1.0 } else { 1.0 };
        work.has_stepped = false;
        vector::scale_into(sign, &ends.direction, &mut work.direction);
        let size = vector::norm(&state.theta);
        let length = if size > 0.0 { size } else { 1.0 };
        // Half of what the model promises over the first length, as a slope for the test of decrease.
        let promised = -(slope.abs() - 0.5 * ends.smallest * length);
        let found = Backtracking::default().search_values(state.value, promised, length, |alpha| {
            vector::step(&state.theta, alpha, &work.direction, &mut work.line.theta);
            counts.value(f, &work.line.theta)
        });
        let Some((_, value)) = found.filter(|(_, value)| *value < state.value) else { return };
        eval::value_gradient(problem, &work.line.theta, &mut work.line.gradient);
        if !vector::all_finite(&work.line.gradient) {
            return;
        }
        work.began_at_saddle |= state.steps() == 0;
        state.resume();
        state.accept(&mut work.line.theta, value, &mut work.line.gradient);
        if work.began_at_saddle {
            state.raise_gradient_reference();
        }
        self.escapes += 1;
    }
}

impl Workspace {
    /// `direction` ← the truncated solution, from what it holds where that is asked for.
    fn solve(
        &mut self,
        model: &impl LinearOperator,
        gradient: &[f64],
        until: Truncation,
        keep: bool,
    ) -> Option<Truncated> {
        let is_identity = self.preconditioning.is_identity();
        // Both closures of CG want it, one after the other.
        let preconditioning = RefCell::new(&mut self.preconditioning);
        let mut precondition = |r: &[f64], z: &mut [f64]| preconditioning.borrow_mut().apply(r, z);
        let precondition: Precondition<'_> = &mut precondition;
        self.iterates.clear();
        self.cg.solve(
            model,
            gradient,
            (!is_identity).then_some(precondition),
            until,
            |iteration| {
                preconditioning.borrow_mut().see(iteration.direction, iteration.product);
                if keep {
                    self.iterates.see(iteration.x);
                }
            },
            &mut self.direction,
        )
    }

    /// `direction` ← the earliest of the latest iterates along which f falls on the way back. Whether there was one.
    fn go_back<P: Curvature>(&mut self, problem: &mut Problem<P>, state: &FitState) -> bool {
        let (f, mut counts) = eval::split(problem);
        let Self { iterates, direction, line, .. } = self;
        let mut value = |p: &[f64]| {
            vector::step(&state.theta, 1.0, p, &mut line.theta);
            counts.value(f, &line.theta)
        };
        let mut lowest = value(direction);
        let mut chosen = None;
        for iterate in iterates.latest_first().filter(|iterate| *iterate != direction.as_slice()) {
            let value = value(iterate);
            // Written so that an iterate is preferred to NaN.
            if lowest <= value || value.is_nan() {
                break;
            }
            (lowest, chosen) = (value, Some(iterate));
        }
        if let Some(iterate) = chosen {
            direction.copy_from_slice(iterate);
        }
        chosen.is_some()
    }

    /// What the step α·p says of the linear model, from H·p = residual − ∇f and the gradients at both ends.
    fn observe(&mut self, state: &FitState, found: Truncated, alpha: f64, before: f64) {
        let (ends, residual) = ((&state.gradient, &self.line.gradient), self.cg.residual());
        let unseen = sweep::combination_squares(ends.0, alpha - 1.0, ends.1, -alpha, residual);
        let after = state.gradient_norm_2();
        self.balance.observe(
            found.products,
            found.residual,
            unseen.sqrt() / before,
            after / before,
        );
    }
}

impl FitSolver for NewtonCg {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        let kept = match self.preconditioner {
            Preconditioner::Nothing | Preconditioner::Jacobi => (0, n, 1),
            Preconditioner::Pairs { memory } => (4, n, memory),
            Preconditioner::Nystrom { rank, .. } => (1, n, rank),
        };
        // z of CG is there for an M alone.
        let own = if self.preconditioner == Preconditioner::Nothing { 13 } else { 14 };
        Some(bytes(&[kept, (own, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        let forcing = self.forcing;
        require(forcing > 0.0 && forcing < 1.0, NAME, "forcing", forcing, "(0, 1)")?;
        let products = self.max_products as f64;
        require(self.max_products >= 1, NAME, "max_products", products, "at least 1")?;
        if let Some(ratio) = self.cost_ratio {
            let allowed = ratio > 0.0 && ratio.is_finite();
            require(allowed, NAME, "cost_ratio", ratio, "> 0")?;
        }
        self.preconditioner.validate(NAME)?;
        line_step::validate(NAME, &self.search)?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.negative > 0 {
            notes.push(format!("negative curvature used {}×", self.negative));
        }
        if self.escapes > 0 {
            notes.push(format!("left a saddle {}×", self.escapes));
        }
        if self.shortened > 0 {
            notes.push(format!("an earlier iterate of CG taken {}×", self.shortened));
        }
        notes
    }
}

impl<P: Curvature> Solver<P, FitState> for NewtonCg {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let alternative = match self.preconditioner {
            Preconditioner::Pairs { .. } | Preconditioner::Nystrom { .. } => PLAINER,
            Preconditioner::Nothing | Preconditioner::Jacobi => memory::FEWER_PARAMETERS,
        };
        let needs = self.memory(eval::dim(problem), 0);
        memory::preflight(NAME, needs, alternative, state.limit())?;
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        self.work = Some(Workspace {
            cg: match self.preconditioner {
                Preconditioner::Nothing => ConjugateGradient::new(n),
                _ => ConjugateGradient::preconditioned(n),
            },
            preconditioning: Preconditioning::new(self.preconditioner, n),
            iterates: Iterates::default(),
            balance: Balance::default(),
            direction: vec![0.0; n],
            has_stepped: false,
            line: LineStep::new(n),
            began_at_saddle: false,
        });
        (self.negative, self.escapes, self.shortened) = (0, 0, 0);
        state.with_foresight();
        self.leave_saddle(problem, &mut state);
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        match self.advance(problem, &mut state) {
            Ok(Moved::Ended) => {}
            Ok(Moved::Yes) => eval::finish(&self.stopping, problem, &mut state),
            Err(reason) => state.stop(reason),
        }
        self.leave_saddle(problem, &mut state);
        Ok((state, None))
    }
}
