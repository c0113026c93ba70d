//! When a run ends, and why: the one definition of "converged".
//!
//! Every test is dimensionless unless its name says `absolute`: multiplying the loss by a constant, or taking the sum
//! for the mean, changes no decision.

use crate::error::{OptimError, require};
use argmin::core::TerminationReason;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// ‖∇f‖∞ must fall by this factor. The gap f − f* falls by about its square.
pub const GRADIENT_TOLERANCE: f64 = 1e-9;
/// Most iterations.
pub const MAX_ITERATIONS: u64 = 10_000;
/// |Δf| ≤ this · ε · |f| is a change that the value cannot show (ε = 2⁻⁵²): a sum of N rounded terms is
/// known to some ε at best.
pub const FLOOR_VALUE: f64 = 8.0;
/// The gradient "falls" when its norm drops below (1 − this) of the lowest so far.
pub const FLOOR_GRADIENT: f64 = 1e-3;
/// Iterations in a row with neither a visible fall of the value nor a fall of the gradient that make the floor.
pub const FLOOR_PATIENCE: u32 = 30;

/// Part of |f(θ₀)| below which a promised decrease is nothing, for a gradient tolerance of [`GRADIENT_TOLERANCE`]: residuals that have fallen
/// by 1e-13 are zero. So small that a start 1e14 times above the minimum hides nothing.
pub const ZERO: f64 = 1e-26;

/// When to stop. A tolerance of zero switches its test off (but an exactly zero gradient always converges).
///
/// ```
/// use secant_optim::Stopping;
/// let stopping = Stopping { gradient_tolerance: 1e-6, max_iterations: 200, ..Stopping::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopping {
    /// ‖∇f(θ)‖∞ ≤ `gradient_tolerance` · ‖∇f(θ₀)‖∞; and, by a method that knows curvature, exact or learned, the decrease that its model still
    /// promises is no more than `gradient_tolerance` · |f(θ)|: the one test looks at units and at how bad the start was, the other does
    /// not. Range \[0, 1). Default [`GRADIENT_TOLERANCE`].
    pub gradient_tolerance: f64,
    /// ‖∇f(θ)‖∞ ≤ `gradient_absolute`. Range \[0, ∞). Default 0.
    pub gradient_absolute: f64,
    /// ‖θ⁺ − θ‖∞ ≤ `step_tolerance` · ‖θ⁺‖∞. Range \[0, 1). Default 0.
    pub step_tolerance: f64,
    /// |f(θ⁺) − f(θ)| ≤ `value_tolerance` · max(|f(θ⁺)|, |f(θ)|). Range \[0, 1). Default 0.
    pub value_tolerance: f64,
    /// Most iterations. 0 returns the evaluated start. Default [`MAX_ITERATIONS`].
    pub max_iterations: u64,
    /// Most evaluations of f (value, value with gradient, linearisation), tested after each iteration. Default none.
    pub max_evaluations: Option<u64>,
    /// Most wall-clock time, tested before each evaluation. Default none.
    pub max_time: Option<Duration>,
    /// f(θ) ≤ `target`. Default none.
    pub target: Option<f64>,
}

impl Default for Stopping {
    fn default() -> Self {
        Self {
            gradient_tolerance: GRADIENT_TOLERANCE,
            gradient_absolute: 0.0,
            step_tolerance: 0.0,
            value_tolerance: 0.0,
            max_iterations: MAX_ITERATIONS,
            max_evaluations: None,
            max_time: None,
            target: None,
        }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reason {
    /// ‖∇f‖∞ is within its tolerance, and what the model still promises is within it too where the method has one.
    GradientConverged,
    /// The relative offset, the cosine of the angle between the residuals and what J can reach, is within its tolerance: the end of
    /// least-squares methods, in no units at all.
    OffsetConverged,
    /// The step is within its tolerance.
    StepConverged,
    /// The change of the value is within its tolerance.
    ValueConverged,
    /// f ≤ target.
    TargetReached,
    /// The value has no more digits to give: its changes are rounding, and the gradient no longer falls.
    RoundingFloor,
    /// Steps no longer change value or gradient visibly: of a first-order method at the rounding floor or in a crawl, which of the two it
    /// cannot tell; of a method that knows curvature, while its model, or the Hessian at the end, still promises a decrease that its steps
    /// do not find.
    Stalled,
    /// The iterations are used up.
    MaxIterations,
    /// The evaluations are used up.
    MaxEvaluations,
    /// The time is used up.
    MaxTime,
    /// Stopped from outside.
    Interrupted,
    /// The loss on the samples held out has not fallen for as many iterations as its patience has.
    ValidationStopped,
    /// No acceptable step along a descent direction: the gradient and the value disagree.
    LineSearchFailed,
    /// f or ∇f is not finite at the start.
    NonFiniteStart,
    /// f or ∇f is not finite at every point tried ahead.
    NonFiniteValue,
    /// The Hessian is not finite.
    NonFiniteCurvature,
    /// f keeps falling along a line, to the longest step allowed, without a trace of curvature.
    Unbounded,
    /// The Hessian is zero while the gradient is not, so that a Newton step does not exist; or no residual changes with any parameter.
    NoCurvature,
}

impl Reason {
    /// A tolerance or the target was met.
    pub fn is_converged(self) -> bool {
        matches!(
            self,
            Self::GradientConverged
                | Self::OffsetConverged
                | Self::StepConverged
                | Self::ValueConverged
                | Self::TargetReached
        )
    }

    /// Converged, or all the digits that `f64` has: nothing is left to gain.
    pub fn is_success(self) -> bool {
        self.is_converged() || self == Self::RoundingFloor
    }

    /// One sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::GradientConverged => "converged: the gradient norm met its tolerance",
            Self::OffsetConverged => {
                "converged: the residuals are orthogonal to the columns of J, to the offset's tolerance"
            }
            Self::StepConverged => "converged: the step met its tolerance",
            Self::ValueConverged => "converged: the change of the value met its tolerance",
            Self::TargetReached => "converged: the value reached the target",
            Self::RoundingFloor => "at the rounding floor: the value has no more digits to give",
            Self::Stalled => {
                "stopped: slow, the steps no longer change value or gradient (the floor, or a method too slow for this problem)"
            }
            Self::MaxIterations => "stopped: the iterations are used up",
            Self::MaxEvaluations => "stopped: the evaluations are used up",
            Self::MaxTime => "stopped: the time is used up",
            Self::Interrupted => "stopped: interrupted from outside",
            Self::ValidationStopped => "stopped: the loss on the samples held out no longer falls",
            Self::LineSearchFailed => {
                "failed: no acceptable step along a descent direction (do value and gradient agree?)"
            }
            Self::NonFiniteStart => "failed: the value or gradient at the start is not finite",
            Self::NonFiniteValue => "failed: the value or gradient is not finite anywhere ahead",
            Self::NonFiniteCurvature => "failed: the Hessian is not finite",
            Self::Unbounded => "failed: the value falls along a line without bound",
            Self::NoCurvature => {
                "failed: no curvature: the Hessian, or every column of the Jacobian, is zero"
            }
        }
    }

    /// argmin's word for it.
    pub(crate) fn to_argmin(self) -> TerminationReason {
        match self {
            Self::GradientConverged
            | Self::OffsetConverged
            | Self::StepConverged
            | Self::ValueConverged => TerminationReason::SolverConverged,
            Self::TargetReached => TerminationReason::TargetCostReached,
            Self::MaxIterations => TerminationReason::MaxItersReached,
            Self::MaxTime => TerminationReason::Timeout,
            Self::Interrupted => TerminationReason::Interrupt,
            other => TerminationReason::SolverExit(other.sentence().to_owned()),
        }
    }

    /// Our word for a stop that argmin decided.
    pub(crate) fn from_argmin(reason: &TerminationReason) -> Self {
        match reason {
            TerminationReason::MaxItersReached => Self::MaxIterations,
            TerminationReason::TargetCostReached => Self::TargetReached,
            TerminationReason::SolverConverged => Self::GradientConverged,
            TerminationReason::Timeout => Self::MaxTime,
            TerminationReason::Interrupt | TerminationReason::SolverExit(_) => Self::Interrupted,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

/// What the tests look at, after a step from θ to θ⁺.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// Iterations done.
    pub iterations: u64,
    /// The smaller of the solver's and the executor's.
    pub max_iterations: u64,
    /// The larger of the solver's and the executor's.
    pub target: f64,
    pub value: f64,
    pub gradient_norm: f64,
    pub initial_gradient_norm: f64,
    /// None before the first step.
    pub step: Option<StepTaken>,
    /// Evaluations of f.
    pub evaluations: u64,
    pub elapsed: Duration,
    /// Iterations in a row at the floor.
    pub stalled: u32,
    /// The method sees no curvature, or its latest step was promised more than rounding hides.
    pub blind: bool,
}

/// Size of one step.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct StepTaken {
    pub previous_value: f64,
    /// ‖θ⁺ − θ‖∞
    pub step_norm: f64,
    /// ‖θ⁺‖∞
    pub theta_norm: f64,
}

impl Stopping {
    /// With the gradient tolerance that a method has for its own where this one is the general default: limits that a user sets by
    /// `Stopping { max_iterations, ..Stopping::default() }` do not undo it.
    pub(crate) fn or_own(&self, gradient_tolerance: f64) -> Self {
        if self.gradient_tolerance == GRADIENT_TOLERANCE {
            Self { gradient_tolerance, ..self.clone() }
        } else {
            self.clone()
        }
    }

    pub(crate) fn validate(&self, solver: &'static str) -> Result<(), OptimError> {
        let fraction = |option, value: f64| {
            require((0.0..1.0).contains(&value), solver, option, value, "[0, 1)")
        };
        fraction("gradient_tolerance", self.gradient_tolerance)?;
        fraction("step_tolerance", self.step_tolerance)?;
        fraction("value_tolerance", self.value_tolerance)?;
        let absolute = self.gradient_absolute;
        let inside = absolute >= 0.0 && absolute.is_finite();
        require(inside, solver, "gradient_absolute", absolute, "[0, ∞)")?;
        let target = self.target.unwrap_or_default();
        require(target.is_finite(), solver, "target", target, "a finite number, or none")
    }

    /// Takes over what is no part of the run: iterations, evaluations and time.
    pub(crate) fn take_limits(&mut self, of: &Self) {
        let Self { max_iterations, max_evaluations, max_time, .. } = *of;
        (self.max_iterations, self.max_evaluations, self.max_time) =
            (max_iterations, max_evaluations, max_time);
    }

    /// With what so many evaluations and so much time leave of their limits; none where that is nothing of one.
    pub(crate) fn after(&self, evaluations: u64, time: Duration) -> Option<Self> {
        let max_evaluations = self.max_evaluations.map(|most| most.saturating_sub(evaluations));
        let max_time = self.max_time.map(|most| most.saturating_sub(time));
        let nothing = max_evaluations == Some(0) || max_time.is_some_and(|left| left.is_zero());
        (!nothing).then(|| Self { max_evaluations, max_time, ..self.clone() })
    }

    /// All that decides where a run goes: without limits.
    pub(crate) fn without_limits(mut self) -> Self {
        (self.max_iterations, self.max_evaluations, self.max_time) = (u64::MAX, None, None);
        self
    }

    /// No run keeps more of what a step gives than it has steps: the lesser of `kept` and those.
    pub(crate) fn most_of(&self, kept: usize) -> usize {
        usize::try_from(self.max_iterations).map_or(kept, |steps| kept.min(steps.max(1)))
    }

    /// The end by a tolerance, the target or the rounding floor; it comes before that by a limit.
    pub(crate) fn claim(&self, at: &Standing) -> Option<Reason> {
        // A pole reaches no target.
        if at.value.is_finite() && at.value <= at.target {
            return Some(Reason::TargetReached);
        }
        let relative = self.gradient_tolerance * at.initial_gradient_norm;
        if at.gradient_norm <= relative.max(self.gradient_absolute) {
            return Some(Reason::GradientConverged);
        }
        let step = at.step?;
        if self.step_tolerance > 0.0 && step.step_norm <= self.step_tolerance * step.theta_norm {
            return Some(Reason::StepConverged);
        }
        let size = at.value.abs().max(step.previous_value.abs());
        let change = (at.value - step.previous_value).abs();
        if self.value_tolerance > 0.0 && change <= self.value_tolerance * size {
            return Some(Reason::ValueConverged);
        }
        if step.step_norm == 0.0 || at.stalled >= FLOOR_PATIENCE {
            return Some(if at.blind { Reason::Stalled } else { Reason::RoundingFloor });
        }
        None
    }

    /// The end by a limit.
    pub(crate) fn used_up(&self, at: &Standing) -> Option<Reason> {
        if at.iterations >= at.max_iterations {
            return Some(Reason::MaxIterations);
        }
        if self.max_evaluations.is_some_and(|most| at.evaluations >= most) {
            return Some(Reason::MaxEvaluations);
        }
        if self.max_time.is_some_and(|most| at.elapsed >= most) {
            return Some(Reason::MaxTime);
        }
        None
    }

    /// Whether `claim` at a point with this gradient is to be confirmed by what a model promises: not where the user has asked for a gradient
    /// in its own units, or where it is zero.
    pub(crate) fn is_to_be_confirmed(&self, claim: Reason, gradient_norm: f64) -> bool {
        let exact = gradient_norm <= self.gradient_absolute;
        matches!(claim, Reason::GradientConverged | Reason::RoundingFloor) && !exact
    }

    /// A promised decrease that is nothing beside f(θ) = `value`, or beside what f(θ₀) = `start` leaves of zero. NaN is never nothing.
    pub(crate) fn is_negligible(&self, decrease: f64, value: f64, start: f64) -> bool {
        let tolerance = self.gradient_tolerance.max(FLOOR_VALUE * f64::EPSILON);
        let zero = (tolerance / GRADIENT_TOLERANCE).max(1.0).powi(2) * ZERO;
        decrease <= (tolerance * value.abs()).max(zero * start.abs())
    }
}
