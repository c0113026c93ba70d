//! Gradient descent: minimise f(θ) along −∇f.
//!
//! Update: θ⁺ = θ − ε·∇f(θ), with ε fixed or from a strong Wolfe search.
//! With a fixed ε it runs on minibatches too, and is then stochastic gradient descent (SGD).
//! Stop: [`Stopping`](crate::Stopping); a point that is not finite ends a fixed-step run with the best point kept, and is contracted by a search.
//! Memory none, n for a search. Cost per step n, one evaluation of f with ∇f (a search: one to three).
//! On a quadratic the best fixed step is 2/(λmin + λmax), and the error falls by (κ − 1)/(κ + 1) per step.
//! Source: Cauchy (1847); Nocedal & Wright (2006) §3.3, first trial (3.60).

use super::{At, FirstOrderMethod, Rule, blockwise, require_rate};
use crate::error::OptimError;
use crate::linalg::vector;
use crate::line_search::StrongWolfe;
use crate::run::state::FitState;
use crate::run::stopping::Reason;
use crate::solver::line_step::{self, LineStep};
use argmin::core::Problem;
use secant_core::problem::Objective;
use serde::{Deserialize, Serialize};

/// c₂ of the search: a nearly exact minimiser along the line.  N&W p. 34.
pub const CURVATURE: f64 = 0.1;

/// How far along −∇f.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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

/// Gradient descent, also known as steepest descent; on minibatches, SGD. The schedule is that of a fixed ε.
pub type GradientDescent = FirstOrderMethod<GradientDescentRule>;

/// The options of [`GradientDescent`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GradientDescentRule {
    /// Fixed, or by search (the default).
    pub step_length: StepLength,
}

impl GradientDescent {
    /// With the fixed step ε = `rate`.
    pub fn fixed(rate: f64) -> Self {
        GradientDescentRule { step_length: StepLength::Fixed(rate) }.into()
    }
}

impl Rule for GradientDescentRule {
    const NAME: &'static str = "gradient descent";
    type Memory = [Vec<f64>; 0];

    fn advance(&self, _: &mut Self::Memory, at: &At<'_>, next: &mut [f64]) {
        blockwise(
            at.theta.len(),
            ((at.theta, at.gradient), next),
            #[inline(always)]
            |((theta, g), next)| {
                for ((theta, g), next) in theta.iter().zip(g).zip(next) {
                    *next = theta - at.rate * g;
                }
            },
        );
    }
    /// ∇f alone sets no length where a search does.
    fn rate(&self) -> f64 {
        match self.step_length {
            StepLength::Fixed(rate) => rate,
            StepLength::Search(_) => 0.0,
        }
    }
    fn set_rate(&mut self, rate: f64) {
        self.step_length = StepLength::Fixed(rate);
    }
    fn validate(&self) -> Result<(), OptimError> {
        match &self.step_length {
            StepLength::Fixed(rate) => require_rate(Self::NAME, *rate),
            StepLength::Search(search) => line_step::validate(Self::NAME, search),
        }
    }
    fn line_search(&self) -> Option<&StrongWolfe> {
        match &self.step_length {
            StepLength::Fixed(_) => None,
            StepLength::Search(search) => Some(search),
        }
    }
}

/// What a search along −∇f keeps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Steepest {
    direction: Vec<f64>,
    /// α·φ′(0) of the step before.
    last_decrease: Option<f64>,
}

impl Steepest {
    pub(super) fn new(n: usize) -> Self {
        Self { direction: vec![0.0; n], last_decrease: None }
    }

    /// One step by `search`; `trial` is its buffer.
    pub(super) fn step<P: Objective>(
        &mut self,
        search: &StrongWolfe,
        trial: &mut LineStep,
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
        let step = trial.take(search, problem, state, &self.direction, initial)?;
        self.last_decrease = Some(step * slope);
        Ok(())
    }
}
