//! Gradient descent: minimise f(θ) along −∇f.
//!
//! Update: θ⁺ = θ − ε·∇f(θ), with ε fixed or from a strong Wolfe search.
//! With a fixed ε it runs on minibatches too, and is then stochastic gradient descent (SGD).
//! Stop: [`Stopping`]; a point that is not finite ends a fixed-step run with the best point kept, and is contracted by a search.
//! Memory n. Cost per step n, one evaluation of f with ∇f (a search: one to three).
//! On a quadratic the best fixed step is 2/(λmin + λmax), and the error falls by (κ − 1)/(κ + 1) per step.
//! Source: Cauchy (1847); Nocedal & Wright (2006) §3.3, first trial (3.60).

use super::{Buffers, FirstOrder, RuleSolver};
use crate::error::OptimError;
use crate::linalg::vector;
use crate::line_search::StrongWolfe;
use crate::minibatch::schedule::Schedule;
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::bytes;
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::line_step::{self, LineStep};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;

/// c₂ of the search: a nearly exact minimiser along the line.  N&W p. 34.
pub const CURVATURE: f64 = 0.1;
const NAME: &str = "gradient descent";

/// How far along −∇f.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepLength {
    /// The same ε > 0 in every step.
    Fixed(f64),
    /// Strong Wolfe.
    Search(StrongWolfe),
}

impl Default for StepLength {
    fn default() -> Self {
        Self::Search(StrongWolfe { curvature: CURVATURE, ..StrongWolfe::default() })
    }
}

/// Gradient descent, also known as steepest descent; on minibatches, SGD.
#[derive(Clone, Debug, Default)]
pub struct GradientDescent {
    /// Fixed, or by search (the default).
    pub step_length: StepLength,
    /// What each step multiplies a fixed ε by. Default constant.
    pub schedule: Schedule,
    /// When to stop.
    pub stopping: Stopping,
    buffers: Buffers,
    line: LineStep,
    direction: Vec<f64>,
    /// α·φ′(0) of the step before.
    last_decrease: Option<f64>,
}

impl GradientDescent {
    /// With a line search.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the fixed step ε = `rate`.
    pub fn fixed(rate: f64) -> Self {
        Self { step_length: StepLength::Fixed(rate), ..Self::default() }
    }

    /// What each step multiplies a fixed ε by.
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    fn searched<P: Objective>(
        &mut self,
        search: &StrongWolfe,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), Reason> {
        vector::scale_into(-1.0, &state.gradient, &mut self.direction);
        let slope = -vector::dot(&state.gradient, &state.gradient);
        // The first-order change is taken to be that of the step before.  N&W (3.60).
        let initial = self
            .last_decrease
            .map(|decrease| decrease / slope)
            .filter(|step| step.is_finite() && *step > 0.0)
            .unwrap_or_else(|| line_step::first_steepest_step(state));
        let step = self.line.take(search, problem, state, &self.direction, initial)?;
        self.last_decrease = Some(step * slope);
        Ok(())
    }
}

impl FirstOrder for GradientDescent {
    fn reset(&mut self, n: usize) {
        (self.line, self.direction) = (LineStep::new(n), vec![0.0; n]);
        self.last_decrease = None;
    }
    /// Δ = −ε·∇f; ∇f alone sets no length where a search does.
    fn update(&mut self, t: u64, _theta: &[f64], gradient: &[f64], step: &mut [f64]) {
        let rate = match self.step_length {
            StepLength::Fixed(rate) => rate * self.schedule.factor(t),
            StepLength::Search(_) => 0.0,
        };
        vector::scale_into(-rate, gradient, step);
    }
    fn set_rate(&mut self, rate: f64) {
        self.step_length = StepLength::Fixed(rate);
    }
    fn validate_sampled(&self) -> Result<(), OptimError> {
        if matches!(self.step_length, StepLength::Search(_)) {
            return Err(OptimError::FullBatchOnly { solver: NAME, what: "a line search" });
        }
        self.validate()
    }
}

impl RuleSolver for GradientDescent {
    fn buffers_mut(&mut self) -> &mut Buffers {
        &mut self.buffers
    }
}

impl FitSolver for GradientDescent {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        Some(bytes(&[(8, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        match &self.step_length {
            StepLength::Fixed(rate) => super::require_rate(NAME, *rate)?,
            StepLength::Search(search) => line_step::validate(NAME, search)?,
        }
        self.schedule.validate(NAME)?;
        self.stopping.validate(NAME)
    }
}

impl<P: Objective> Solver<P, FitState> for GradientDescent {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        super::init(self, problem, state)
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        match self.step_length {
            StepLength::Fixed(_) => state = super::next_iter(self, problem, state),
            StepLength::Search(search) => match self.searched(&search, problem, &mut state) {
                Ok(()) => eval::finish(&self.stopping, problem, &mut state),
                Err(reason) => state.stop(reason),
            },
        }
        Ok((state, None))
    }
}
