//! Gauss–Newton: minimise f(θ) = ½‖r(θ)‖².
//!
//! Update: θ⁺ = θ + αp,  p = argmin ‖r + J·p‖, by QR with the directions that J does not see left out; α by backtracking from 1.
//! For problems that are almost linear or start near their minimum; elsewhere [`LevenbergMarquardt`] is the sturdier one.
//! Stop: [`Stopping`]; the relative offset ‖J·p‖/‖r‖ (Bates & Watts 1981), or neither f nor the offset falls any more.
//! Memory and cost: see [`Factorization`]; a trial costs residuals.
//! Source: Nocedal & Wright (2006) §10.3.
//!
//! [`LevenbergMarquardt`]: crate::LevenbergMarquardt

use super::polish::{self, GRADIENT_TOLERANCE, OFFSET_TOLERANCE, Polish, RESOLVED};
use super::residual_model::{Factorization, NextPoint, Place, ResidualModel, Scaling, SecondOrder};
use crate::error::{OptimError, require};
use crate::linalg::vector;
use crate::line_search::{Backtracking, SearchOption};
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::memory;
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::LeastSquares;
use serde::{Deserialize, Serialize};

const NAME: &str = "Gauss–Newton";
/// D decides only which directions of a singular J are left out: current norms.
const SCALING: Scaling = Scaling::Marquardt;

/// Gauss–Newton with backtracking.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GaussNewton {
    /// How the linear model is solved.
    pub factorization: Factorization,
    /// The line search; its first trial is the full step.
    pub search: Backtracking,
    /// ‖J·p‖ ≤ `offset_tolerance` · ‖r‖. Range \[0, 1). Default [`OFFSET_TOLERANCE`].
    pub offset_tolerance: f64,
    /// When to stop, beside that. A gradient tolerance left at the default of [`Stopping`] is [`GRADIENT_TOLERANCE`] here.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Box<Workspace>>,
}

impl Default for GaussNewton {
    fn default() -> Self {
        Self {
            factorization: Factorization::Auto,
            search: Backtracking::default(),
            offset_tolerance: OFFSET_TOLERANCE,
            stopping: Stopping { gradient_tolerance: GRADIENT_TOLERANCE, ..Stopping::default() },
            work: None,
        }
    }
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    model: ResidualModel,
    next: NextPoint,
    polish: Polish,
}

impl GaussNewton {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How the linear model is solved.
    pub fn with_factorization(mut self, factorization: Factorization) -> Self {
        self.factorization = factorization;
        self
    }

    /// The line search.
    pub fn with_search(mut self, search: Backtracking) -> Self {
        self.search = search;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }
}

impl Workspace {
    /// One step along p.
    fn advance<P: LeastSquares>(
        &mut self,
        search: &Backtracking,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), Reason> {
        let (model, next) = (&mut self.model, &mut self.next);
        let mut place = Place { problem, theta: &state.theta };
        let promised = model.solve(&mut place, 0.0, &mut next.scaled, &mut next.step);
        let promised = promised.ok_or(Reason::NonFiniteCurvature)?;
        let mut finite_ahead = false;
        // ∇fᵀp = −‖J·p‖², twice what the model promises.
        let found = search.search_values(state.value, -2.0 * promised, 1.0, |alpha| {
            vector::step(&state.theta, alpha, &next.step, &mut next.theta);
            let value = model.residuals(problem, &next.theta);
            finite_ahead |= value.is_finite();
            value
        });
        let Some((_, value)) = found else {
            let floor = promised <= RESOLVED * state.value || polish::at_floor(state);
            return Err(match (finite_ahead, floor) {
                (false, _) => Reason::NonFiniteValue,
                (true, true) => Reason::RoundingFloor,
                (true, false) => Reason::LineSearchFailed,
            });
        };
        if !next.linearize(model, problem, SCALING) {
            return Err(Reason::NonFiniteCurvature);
        }
        let mut place = Place { problem, theta: &state.theta };
        model.advance(&mut place, next, &state.gradient);
        state.accept(&mut next.theta, value, &mut next.gradient);
        Ok(())
    }
}

impl FitSolver for GaussNewton {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, m: usize) -> Option<u64> {
        Some(self.factorization.bytes(m, n, SecondOrder::Off))
    }
    fn validate(&self) -> Result<(), OptimError> {
        self.search.validate().map_err(|SearchOption { option, value, allowed }| {
            OptimError::OptionOutOfRange { solver: NAME, option, value, allowed }
        })?;
        let offset = self.offset_tolerance;
        require((0.0..1.0).contains(&offset), NAME, "offset_tolerance", offset, "[0, 1)")?;
        self.stopping.validate(NAME)
    }
}

impl<P: LeastSquares> Solver<P, FitState> for GaussNewton {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let (m, n) = eval::shape(NAME, problem)?;
        let arrow = eval::arrow(problem);
        let needs = self.factorization.needs((m, n), arrow, SecondOrder::Off);
        memory::preflight(NAME, Some(needs), memory::PRODUCTS_INSTEAD, state.limit())?;
        let mut model = ResidualModel::new((m, n), arrow, self.factorization, SecondOrder::Off);
        let within = (SCALING, self.offset_tolerance);
        let stopping = self.stopping.or_own(GRADIENT_TOLERANCE);
        model.begin((NAME, &stopping), within, problem, &mut state)?;
        let (next, polish) = (NextPoint::new(n), Polish::new(&model));
        self.work = Some(Box::new(Workspace { model, next, polish }));
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        if let Err(reason) = work.advance(&self.search, problem, &mut state) {
            state.stop(reason);
            return Ok((state, None));
        }
        let within = (SCALING, self.offset_tolerance);
        let point = (&mut work.model, &mut work.next);
        let stopping = self.stopping.or_own(GRADIENT_TOLERANCE);
        work.polish.finish(point, within, &stopping, problem, &mut state);
        Ok((state, None))
    }
}
