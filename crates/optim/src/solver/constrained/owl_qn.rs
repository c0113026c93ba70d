//! OWL-QN: minimise F(θ) = f(θ) + Σⱼ wⱼ|θⱼ| with gradients of the smooth f and limited memory.
//!
//! Update: d = −H·⋄F with the L-BFGS matrix H of f on the parameters that are not zero, −γ⋄F on those that are; where that leads nowhere, −H·⋄F
//! without the entries that do not agree with −⋄F in sign. Then θ⁺ = π(θ + αd), where
//! π sets to zero what leaves the orthant of θ (of −⋄F where θⱼ = 0), α by strong Wolfe along that path, and by backtracking where
//! that finds nothing. Within one orthant F is smooth, and zeros are exact zeros.
//! A pair (s, y) counts in the parameters that have moved or are not zero only: what f's gradient does in a parameter that stays
//! zero is no curvature of the face on which the method works.
//! Stop: [`Stopping`] with ⋄F in place of the gradient, so that a point that passes it is a minimum of a convex F.
//! Memory 2mn + 8n. Cost per step: 4mn, and one evaluation of f with ∇f as a rule.
//! Source: Andrew & Gao (2007), ICML, for the pseudo-gradient, the projection and the aligned d; Schmidt (2010), thesis, §2.3.4 (PSSgb) for
//! the d that is tried first: aligned ones crawl where f is ill-conditioned.

use crate::error::{OptimError, require};
use crate::linalg::limited_memory::{Ends, LimitedMemory, Verdict};
use crate::linalg::vector;
use crate::line_search::{Found, StrongWolfe};
use crate::problem::l1::{self, L1};
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::limits;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::line_step::{self, Bend};
use crate::solver::newton::region::VISIBLE;
use crate::solver::quasi_newton::safeguard::shows_curvature;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;
use serde::{Deserialize, Serialize};

/// m, the pairs kept.  N&W p. 177: 3 to 20.
pub const MEMORY: usize = 10;
/// F must fall by this part of what ⋄F promises over the step.  Andrew & Gao (2007) §3.2: 1e-4.
pub const DECREASE: f64 = 1e-4;
/// α shrinks by this.  Andrew & Gao (2007) §3.2: ½.
pub const CONTRACTION: f64 = 0.5;
/// Most trials of a step: ½⁶⁰ is below rounding.
pub const MAX_TRIALS: u32 = 60;
/// Differences of F below this part of it are judged by slopes.
const NOISE: f64 = 64.0 * f64::EPSILON;
const NAME: &str = "OWL-QN";

/// Limited-memory quasi-Newton for L1.
///
/// ```
/// use secant_core::problem::Objective;
/// use secant_optim::{L1, OwlQn, minimize};
/// /// ½(x − 3)² + ½(y − ½)²
/// struct Bowl;
/// impl Objective for Bowl {
///     fn dim(&self) -> usize { 2 }
///     fn value(&self, t: &[f64]) -> f64 { self.value_gradient(t, &mut [0.0; 2]) }
///     fn value_gradient(&self, t: &[f64], g: &mut [f64]) -> f64 {
///         (g[0], g[1]) = (t[0] - 3.0, t[1] - 0.5);
///         0.5 * (g[0] * g[0] + g[1] * g[1])
///     }
/// }
/// let solution = minimize(&Bowl, OwlQn::new(L1::new(1.0)), &[1.0, 1.0])?;
/// assert!((solution.theta[0] - 2.0).abs() < 1e-9 && solution.theta[1] == 0.0);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OwlQn {
    /// w. Default 0.
    pub l1: L1,
    /// m ≥ 1, the pairs kept. Default [`MEMORY`].
    pub memory: usize,
    /// When to stop; gradients are those of F, ⋄F.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Workspace>,
}

impl Default for OwlQn {
    fn default() -> Self {
        Self { l1: L1::default(), memory: MEMORY, stopping: Stopping::default(), work: None }
    }
}

/// How d comes from ⋄F.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Direction {
    /// −H·⋄F on the parameters that are not zero, −γ⋄F on the others: a descent direction for every positive definite H.  Schmidt
    /// (2010), PSSgb.
    TwoMetrics,
    /// −H·⋄F without the entries that do not agree with −⋄F in sign.  Andrew & Gao (2007) §3.2.
    Aligned,
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    weights: Vec<f64>,
    history: LimitedMemory,
    /// ∇f(θ)
    smooth: Vec<f64>,
    direction: Vec<f64>,
    trial: Vec<f64>,
    /// ∇f and ⋄F at the trial.
    trial_smooth: Vec<f64>,
    trial_gradient: Vec<f64>,
    /// ∇f before the step where a parameter does not count, for the pair.
    masked: Vec<f64>,
    dropped: u32,
    skipped: u32,
}

impl OwlQn {
    /// With these weights.
    pub fn new(l1: L1) -> Self {
        Self { l1, ..Self::default() }
    }

    /// m ≥ 1.
    pub fn with_memory(mut self, memory: usize) -> Self {
        self.memory = memory;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }
}

impl Workspace {
    /// `direction` ← d; returns the first α.
    fn propose(&mut self, state: &FitState, rule: Direction) -> f64 {
        let fresh = self.history.is_empty();
        let at_zero = |t: f64, w: f64| t == 0.0 && w > 0.0;
        let at = state.theta.iter().zip(&self.weights);
        // The buffer of the trial's gradient is free until the search begins.
        let masked = &mut self.trial_gradient;
        for (masked, ((t, w), g)) in masked.iter_mut().zip(at.clone().zip(&state.gradient)) {
            *masked = if rule == Direction::TwoMetrics && at_zero(*t, *w) { 0.0 } else { *g };
        }
        self.history.apply(masked, &mut self.direction);
        let gamma = self.history.scale();
        for (d, ((t, w), g)) in self.direction.iter_mut().zip(at.zip(&state.gradient)) {
            *d = match rule {
                Direction::TwoMetrics if at_zero(*t, *w) => -gamma * g,
                // Written so that NaN is left in and refused later.
                Direction::Aligned if *d * g <= 0.0 => 0.0,
                Direction::TwoMetrics | Direction::Aligned => -*d,
            };
        }
        if fresh { line_step::first_steepest_step(state) } else { 1.0 }
    }

    /// `trial` ← π(θ + αd)
    fn project(&mut self, state: &FitState, alpha: f64) {
        let at = state.theta.iter().zip(&state.gradient).zip(&self.weights);
        for ((trial, d), ((t, g), w)) in self.trial.iter_mut().zip(&self.direction).zip(at) {
            let moved = alpha.mul_add(*d, *t);
            let orthant = if *t == 0.0 { -g } else { *t };
            let leaves = *w > 0.0 && moved * orthant <= 0.0;
            *trial = if leaves { 0.0 } else { moved };
        }
    }

    fn advance<P: Objective>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), Reason> {
        let mut first = Ok(());
        for rule in [Direction::TwoMetrics, Direction::Aligned] {
            let step = self.search(problem, state, rule);
            if step.is_ok() || self.history.is_empty() {
                return step;
            }
            first = first.and(step);
        }
        self.history.clear();
        self.dropped += 1;
        // The quasi-Newton direction knew the scale: its verdict is the one to report.
        self.search(problem, state, Direction::Aligned).or(first)
    }

    /// Strong Wolfe along the projected path, where F bends only as coordinates reach zero; else backtracking.
    fn search<P: Objective>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
        rule: Direction,
    ) -> Result<(), Reason> {
        let initial = self.propose(state, rule);
        let slope = vector::dot(&state.gradient, &self.direction);
        let mut promised = line_step::promised(state, slope, initial, &self.direction);
        let is_visible = promised > VISIBLE * state.value.abs();
        let noise = NOISE * state.value.abs();
        if slope.is_nan() || slope >= 0.0 {
            let at_floor = promised <= noise;
            return Err(if at_floor { Reason::RoundingFloor } else { Reason::LineSearchFailed });
        }
        let (mut finite_ahead, mut latest) = (false, f64::NAN);
        let mut bend = Bend::new(slope);
        let found = StrongWolfe::default().search(state.value, slope, initial, |alpha| {
            latest = self.evaluate(problem, state, alpha);
            finite_ahead |= latest.is_finite();
            let slope = self.slope(state);
            if latest.is_finite() && latest - state.value > noise {
                bend.see(alpha, latest - state.value, slope);
            }
            (latest, slope)
        });
        state.promising(is_visible);
        promised = promised.min(bend.promise);
        let moved = self.trial != state.theta;
        if moved && !matches!(found, Found::Nothing { .. }) {
            self.accept(state, latest);
            return Ok(());
        }
        let mut alpha = initial;
        for _ in 0..MAX_TRIALS {
            limits::check()?;
            let value = self.evaluate(problem, state, alpha);
            finite_ahead |= value.is_finite();
            let step = state.theta.iter().zip(&self.trial);
            let promise: f64 =
                step.zip(&state.gradient).map(|((t, after), g)| g * (after - t)).sum();
            // Written so that NaN is refused, and a pole.
            let falls = value.is_finite() && value - state.value <= DECREASE * promise;
            if falls && promise < -noise {
                self.accept(state, value);
                return Ok(());
            }
            if promise >= -noise {
                break;
            }
            alpha *= CONTRACTION;
        }
        Err(if promised <= noise {
            Reason::RoundingFloor
        } else if finite_ahead {
            Reason::LineSearchFailed
        } else {
            Reason::NonFiniteValue
        })
    }

    /// F at π(θ + αd), with ∇f and ⋄F there; NaN where ∇f is not finite.
    fn evaluate<P: Objective>(
        &mut self,
        problem: &mut Problem<P>,
        state: &FitState,
        alpha: f64,
    ) -> f64 {
        self.project(state, alpha);
        let smooth = eval::value_gradient(problem, &self.trial, &mut self.trial_smooth);
        let (weights, trial) = (&self.weights, &self.trial);
        l1::pseudo_gradient(weights, trial, &self.trial_smooth, &mut self.trial_gradient);
        let value = smooth + l1::value(weights, trial);
        if vector::all_finite(&self.trial_smooth) { value } else { f64::NAN }
    }

    /// dF/dα at the trial: of the coordinates that have not been stopped at zero, in their orthant.
    fn slope(&self, state: &FitState) -> f64 {
        let at = state.theta.iter().zip(&state.gradient).zip(&self.weights);
        let trial = self.trial.iter().zip(&self.trial_smooth).zip(&self.direction);
        at.zip(trial)
            .map(|(((t, g), w), ((after, smooth), d))| {
                let orthant = if *t == 0.0 { -g } else { *t };
                let stopped = *w > 0.0 && *after == 0.0 && *d != 0.0;
                if stopped { 0.0 } else { (smooth + w.copysign(orthant)) * d }
            })
            .sum()
    }

    fn accept(&mut self, state: &mut FitState, value: f64) {
        self.learn(state);
        let before = state.gradient_norm;
        let rounding = state.value.abs().max(state.start_summary().value.abs());
        let unseen = (value - state.value).abs() <= NOISE * rounding;
        state.accept(&mut self.trial, value, &mut self.trial_gradient);
        std::mem::swap(&mut self.smooth, &mut self.trial_smooth);
        if unseen && state.gradient_norm < before {
            state.prefer();
        }
    }

    /// The pair of the step to the trial.
    fn learn(&mut self, state: &FitState) {
        let before = self.smooth.iter().zip(&self.trial_smooth);
        let at = state.theta.iter().zip(&self.trial);
        for ((masked, (before, after)), (t, t_after)) in self.masked.iter_mut().zip(before).zip(at)
        {
            *masked = if *t == 0.0 && *t_after == 0.0 { *after } else { *before };
        }
        let ends = Ends {
            theta: &self.trial,
            gradient: &self.trial_smooth,
            theta_before: &state.theta,
            gradient_before: &self.masked,
        };
        let verdict = self.history.push(ends, |pair| {
            if shows_curvature(pair.sy, pair.s_norm * pair.y_norm) {
                Verdict::Take
            } else {
                Verdict::Skip
            }
        });
        self.skipped += u32::from(verdict == Verdict::Skip);
    }
}

impl FitSolver for OwlQn {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        let pairs = self.stopping.most_of(self.memory);
        Some(bytes(&[(2, n, pairs), (2, pairs, pairs), (14, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        require(self.memory > 0, NAME, "memory", self.memory as f64, "≥ 1")?;
        self.l1.validate(NAME, None)?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Some(work) = &self.work else { return notes };
        if work.dropped > 0 {
            notes.push(format!("history dropped {}×", work.dropped));
        }
        if work.skipped > 0 {
            notes.push(format!("pairs without curvature skipped {}×", work.skipped));
        }
        notes
    }
}

impl<P: Objective> Solver<P, FitState> for OwlQn {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let n = eval::dim(problem);
        memory::preflight(NAME, FitSolver::memory(self, n, 0), memory::FEWER_PAIRS, state.limit())?;
        self.l1.validate(NAME, Some(n))?;
        let weights = self.l1.weights(n);
        let mut smooth = vec![0.0; n];
        eval::start_with(NAME, &self.stopping, problem, &mut state, |problem, theta, gradient| {
            let value = eval::value_gradient(problem, theta, &mut smooth);
            l1::pseudo_gradient(&weights, theta, &smooth, gradient);
            value + l1::value(&weights, theta)
        })?;
        let most = state.most_steps();
        let zeros = || vec![0.0; n];
        self.work = Some(Workspace {
            weights,
            history: LimitedMemory::new(self.memory.min(most), n),
            smooth,
            direction: zeros(),
            trial: zeros(),
            trial_smooth: zeros(),
            trial_gradient: zeros(),
            masked: zeros(),
            dropped: 0,
            skipped: 0,
        });
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        match work.advance(problem, &mut state) {
            Ok(()) => eval::finish(&self.stopping, problem, &mut state),
            Err(reason) => state.stop(reason),
        }
        Ok((state, None))
    }
}
