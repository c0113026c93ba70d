//! Newton–CG, also truncated Newton or Hessian-free: minimise f(θ) with products of its second derivatives.
//!
//! Update: θ⁺ = θ + αp,  p from conjugate gradients on Hp = −∇f, truncated at ‖Hp + ∇f‖ ≤ η‖∇f‖ with η = min(η₀, √(‖∇f‖/‖∇f(θ₀)‖)), which
//! makes convergence superlinear; H = ∇²f(θ) or the Gauss–Newton matrix. Where CG meets negative curvature p ends with a part along
//! it. α = 1 first, then strong Wolfe.
//! Stop: [`Stopping`]. A point that passes it and has a direction of negative curvature is left along that direction
//! ([`Optimality::SecondOrder`]).
//! Memory 7n. Cost per step: one linearisation, k products, and one evaluation of f with ∇f as a rule.
//! Source: Nocedal & Wright (2006) algorithm 7.1; Dembo, Eisenstat & Steihaug (1982) for η; Martens (2010) for the test of progress.

use super::line_step::{self, LineStep};
use super::model::Model;
use super::region::{MAX_SADDLE_PRODUCTS, Optimality};
use super::{FitSolver, HessianKind};
use crate::error::{OptimError, require};
use crate::eval;
use crate::krylov::cg::{ConjugateGradient, Truncation};
use crate::krylov::extreme_eigenvalues;
use crate::linalg::vector;
use crate::line_search::{Backtracking, StrongWolfe};
use crate::state::FitState;
use crate::stopping::{Reason, Stopping};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::{Curvature, Linearization};

const NAME: &str = "Newton–CG";

/// η₀.  N&W §7.1: ½.
pub const FORCING: f64 = 0.5;
/// Most products per step.
pub const MAX_PRODUCTS: usize = 200;
/// Entries of the diagonal below this part of the largest are raised to it: a preconditioner must not divide by rounding.
pub const DIAGONAL_FLOOR: f64 = 1e-10;

/// M in the preconditioned iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preconditioner {
    /// The identity.
    #[default]
    Nothing,
    /// The diagonal of the Gauss–Newton matrix, exact: for parameters of very different sizes. Costs a Jacobian by tiles per step.
    Jacobi,
}

/// Newton's method with truncated conjugate gradients.
#[derive(Clone, Debug)]
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
    /// Most products per step. Range ≥ 1. Default [`MAX_PRODUCTS`].
    pub max_products: usize,
    /// The line search; its first trial is the full step.
    pub search: StrongWolfe,
    /// When to stop.
    pub stopping: Stopping,
    work: Option<Workspace>,
    negative: u32,
    escapes: u32,
}

impl Default for NewtonCg {
    fn default() -> Self {
        Self {
            curvature: HessianKind::default(),
            preconditioner: Preconditioner::default(),
            optimality: Optimality::default(),
            forcing: FORCING,
            progress: false,
            max_products: MAX_PRODUCTS,
            search: StrongWolfe::default(),
            stopping: Stopping::default(),
            work: None,
            negative: 0,
            escapes: 0,
        }
    }
}

#[derive(Clone, Debug)]
struct Workspace {
    cg: ConjugateGradient,
    /// M, where it is a diagonal.
    diagonal: Vec<f64>,
    /// p
    direction: Vec<f64>,
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
    ) -> Result<(), Reason> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let (f, mut counts) = eval::split(problem);
        let at = counts.linearize(f, &state.theta);
        let model = Model::new(&at, self.curvature);
        let until = Truncation {
            tolerance: self.forcing.min(state.relative_gradient().sqrt()),
            products: self.max_products,
            progress: self.progress,
        };
        let (cg, gradient, p) = (&mut work.cg, &state.gradient, &mut work.direction);
        let found = match self.preconditioner {
            Preconditioner::Nothing => {
                cg.solve(&model, gradient, |r, z| z.copy_from_slice(r), until, p)
            }
            Preconditioner::Jacobi => {
                at.gauss_newton_diagonal(&mut work.diagonal);
                raise(&mut work.diagonal);
                let diagonal = &work.diagonal;
                cg.solve(&model, gradient, |r, z| vector::divide(r, diagonal, z), until, p)
            }
        };
        counts.products(model.made());
        drop(at);
        let found = found.ok_or(Reason::NonFiniteCurvature)?;
        self.negative += u32::from(found.negative_curvature);
        work.line.take(&self.search, problem, state, &work.direction, 1.0)?;
        if work.began_at_saddle {
            state.raise_gradient_reference();
        }
        Ok(())
    }

    /// Looks for a direction of negative curvature at a point where the run would end, and steps along it.
    fn leave_saddle<P: Curvature>(&mut self, problem: &mut Problem<P>, state: &mut FitState) {
        let ended =
            matches!(state.reason(), Some(Reason::GradientConverged | Reason::RoundingFloor));
        let second_order = self.optimality == Optimality::SecondOrder;
        if !(ended && second_order && self.curvature == HessianKind::Exact) {
            return;
        }
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let (f, mut counts) = eval::split(problem);
        let at = counts.linearize(f, &state.theta);
        let model = Model::new(&at, self.curvature);
        let ends = extreme_eigenvalues(&model, MAX_SADDLE_PRODUCTS);
        counts.products(model.made());
        drop(at);
        let Some(ends) = ends.filter(crate::krylov::Extremes::is_indefinite) else { return };
        let slope = vector::dot(&state.gradient, &ends.direction);
        let sign = if slope > 0.0 { -1.0 } else { 1.0 };
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

/// Raises small and negative entries, so that every one is positive.
fn raise(diagonal: &mut [f64]) {
    let largest = vector::norm_inf(diagonal);
    let floor = if largest > 0.0 { DIAGONAL_FLOOR * largest } else { 1.0 };
    for entry in diagonal {
        // `max` raises NaN too.
        *entry = entry.max(floor);
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
    fn validate(&self) -> Result<(), OptimError> {
        let forcing = self.forcing;
        require(forcing > 0.0 && forcing < 1.0, NAME, "forcing", forcing, "(0, 1)")?;
        let products = self.max_products as f64;
        require(self.max_products >= 1, NAME, "max_products", products, "at least 1")?;
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
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        self.work = Some(Workspace {
            cg: ConjugateGradient::new(n),
            diagonal: vec![0.0; n],
            direction: vec![0.0; n],
            line: LineStep::new(n),
            began_at_saddle: false,
        });
        (self.negative, self.escapes) = (0, 0);
        self.leave_saddle(problem, &mut state);
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        match self.advance(problem, &mut state) {
            Ok(()) => eval::finish(&self.stopping, problem, &mut state),
            Err(reason) => state.stop(reason),
        }
        self.leave_saddle(problem, &mut state);
        Ok((state, None))
    }
}
