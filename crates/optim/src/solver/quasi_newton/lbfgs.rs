//! L-BFGS: minimise f(θ) from its gradients alone.
//!
//! Update: θ⁺ = θ − α·H·∇f, with H the BFGS matrix of the last m pairs s = θ⁺ − θ, y = ∇f⁺ − ∇f on γI,
//! γ = sᵀy / yᵀy; H·∇f in compact form, two passes over [S Y]; α by a [`LineSearch`].
//! Stop: [`Stopping`]; when the line search finds nothing, the pairs are dropped and steepest descent is tried once, and
//! then the reason is [`RoundingFloor`](Reason::RoundingFloor) or [`LineSearchFailed`](Reason::LineSearchFailed).
//! Memory 2mn. Cost per step 6mn multiply–adds and (4m + 10)n numbers moved, in parallel for large n, and one evaluation of f with ∇f as a rule.
//! Source: Nocedal (1980), Math. Comp. 35; Liu & Nocedal (1989), Math. Prog. 45; Nocedal & Wright (2006) algorithms 7.4, 7.5;
//! Byrd, Nocedal & Schnabel (1994), Math. Prog. 63, for the compact form.

use super::probe::{Probe, Seen};
use super::safeguard::{Caution, Safeguard, shows_curvature};
use crate::error::{OptimError, require};
use crate::linalg::limited_memory::{LimitedMemory, Taken, Verdict};
use crate::linalg::vector::{self, Sizes};
use crate::line_search::LineSearch;
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::line_step::{self, LineStep, Start};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;
use serde::{Deserialize, Serialize};

/// m, the pairs kept.  N&W p. 177: 3 to 20.
pub const MEMORY: usize = 10;
const NAME: &str = "L-BFGS";

/// Limited-memory BFGS.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lbfgs {
    /// m ≥ 1, the pairs kept, of which a run holds no more than it has iterations. Default [`MEMORY`].
    pub memory: usize,
    /// The line search.
    pub search: LineSearch,
    /// Which pairs are taken. Default [`Safeguard::Curvature`].
    pub safeguard: Safeguard,
    /// When to stop.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub history: LimitedMemory,
    #[doc(hidden)]
    pub caution: Caution,
    #[doc(hidden)]
    pub line: LineStep,
    #[doc(hidden)]
    pub direction: Vec<f64>,
    #[doc(hidden)]
    pub dropped: u32,
    #[doc(hidden)]
    pub skipped: u32,
    #[doc(hidden)]
    pub damped: u32,
    #[doc(hidden)]
    pub probe: Probe,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self {
            memory: MEMORY,
            search: LineSearch::default(),
            safeguard: Safeguard::default(),
            stopping: Stopping::default(),
            history: LimitedMemory::default(),
            caution: Caution::default(),
            line: LineStep::default(),
            direction: Vec::new(),
            dropped: 0,
            skipped: 0,
            damped: 0,
            probe: Probe::default(),
        }
    }
}

impl Lbfgs {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// m ≥ 1.
    pub fn with_memory(mut self, memory: usize) -> Self {
        self.memory = memory;
        self
    }

    /// The line search.
    pub fn with_search(mut self, search: impl Into<LineSearch>) -> Self {
        self.search = search.into();
        self
    }

    /// Which pairs are taken.
    pub fn with_safeguard(mut self, safeguard: Safeguard) -> Self {
        self.safeguard = safeguard;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    /// `direction` ← −H·∇f; where there are pairs, the first trial is laid out as well, its sizes are returned, and the direction is
    /// the step to it.
    fn propose(&mut self, state: &FitState) -> (Start, Option<Sizes>) {
        if self.history.is_empty() {
            vector::scale_into(-1.0, &state.gradient, &mut self.direction);
            let slope = vector::dot(&state.gradient, &self.direction);
            let initial = line_step::first_steepest_step(state);
            return (Start { initial, slope, is_laid: false }, None);
        }
        let (step, trial) = (&mut self.direction, &mut self.line.theta);
        let (slope, sizes) = self.history.newton_trial(&state.gradient, &state.theta, step, trial);
        (Start { initial: 1.0, slope, is_laid: true }, Some(sizes))
    }

    /// Learns from the step of length α just taken.
    fn learn(&mut self, state: &FitState, step: &Step) {
        let (alpha, safeguard, caution) = (step.alpha, self.safeguard, &mut self.caution);
        let verdict = self.history.settle(&state.gradient, &step.sizes, |pair| {
            let sizes = pair.s_norm * pair.y_norm;
            let damping = match safeguard {
                Safeguard::Damped => {
                    // Bs = −α∇f of the point before; without pairs there is no B yet.
                    let sbs = if step.is_first { 0.0 } else { -alpha * alpha * step.slope };
                    safeguard.damping(pair.sy, sizes, sbs)
                }
                Safeguard::Curvature | Safeguard::Cautious => None,
            };
            if let Some(weight) = damping {
                return Verdict::Mix { weight, gradient: -(1.0 - weight) * alpha };
            }
            let curvature = pair.sy / pair.s_norm / pair.s_norm;
            let cautious = safeguard == Safeguard::Cautious;
            let allowed = !cautious || caution.allows(curvature, state);
            if allowed && shows_curvature(pair.sy, sizes) { Verdict::Take } else { Verdict::Skip }
        });
        match verdict {
            Verdict::Take => {}
            Verdict::Mix { .. } => self.damped += 1,
            Verdict::Skip => self.skipped += 1,
        }
    }

    /// The step; when it is refused, once more without the history.
    fn advance<P: Objective>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<Step, Reason> {
        let first = self.take(problem, state);
        if first.is_ok() || self.history.is_empty() {
            return first;
        }
        self.history.clear();
        self.dropped += 1;
        // The quasi-Newton direction knew the scale: its verdict is the one to report.
        self.take(problem, state).or(first)
    }

    /// One search along the direction from the pairs there are. The new pair is written as the state moves, in the one pass that
    /// meets both ends, and keeps the buffers of the direction and of the gradient before.
    fn take<P: Objective>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<Step, Reason> {
        let ((start, laid), is_first) = (self.propose(state), self.history.is_empty());
        let end = self.line.search(&self.search, problem, state, &self.direction, &start)?;
        let LineStep { theta, gradient, .. } = &mut self.line;
        let sizes = self.history.record(Taken {
            theta,
            gradient,
            theta_before: &state.theta,
            step: &mut self.direction,
            gradient_before: &mut state.gradient,
            sizes: laid.filter(|_| end.step == start.initial),
        });
        state.accept_measured(theta, end.value, gradient, &sizes);
        end.tell(state);
        Ok(Step { alpha: end.step, slope: start.slope, is_first, sizes })
    }
}

/// A step αp just taken.
#[derive(Clone, Copy, Debug)]
struct Step {
    alpha: f64,
    /// ∇fᵀp where it began.
    slope: f64,
    /// There was no pair.
    is_first: bool,
    sizes: Sizes,
}

impl FitSolver for Lbfgs {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        let pairs = self.stopping.most_of(self.memory);
        Some(bytes(&[(2, n, pairs), (2, pairs, pairs), (7, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        let memory = self.memory;
        require(memory > 0, NAME, "memory", memory as f64, "≥ 1")?;
        line_step::validate(NAME, &self.search)?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.dropped > 0 {
            notes.push(format!("history dropped {}×", self.dropped));
        }
        if self.skipped > 0 {
            notes.push(format!("pairs without curvature skipped {}×", self.skipped));
        }
        if self.damped > 0 {
            notes.push(format!("damped {}×", self.damped));
        }
        notes
    }
}

impl<P: Objective> Solver<P, FitState> for Lbfgs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let needs = FitSolver::memory(self, eval::dim(problem), 0);
        memory::preflight(NAME, needs, memory::FEWER_PAIRS, state.limit())?;
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        // No run has more pairs than iterations.
        let most = state.most_steps();
        self.history = LimitedMemory::new(self.memory.min(most), n);
        self.caution = Caution::default();
        self.line = LineStep::new(n);
        self.direction = vec![0.0; n];
        (self.dropped, self.skipped, self.damped) = (0, 0, 0);
        self.probe = Probe::default();
        state.with_foresight();
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        match self.advance(problem, &mut state) {
            Ok(step) => {
                self.learn(&state, &step);
                eval::finish(&self.stopping, problem, &mut state);
                if state.claim().is_some() {
                    let (next, _) = self.propose(&state);
                    let promised =
                        if self.history.is_empty() { f64::NAN } else { -0.5 * next.slope };
                    let (probe, stopping) = (&mut self.probe, &self.stopping);
                    let seen = probe.confirm(stopping, problem, &mut state, None, promised, None);
                    if seen == Seen::Pair {
                        self.history.push_pair(&self.probe.s, &self.probe.y);
                    }
                }
            }
            Err(reason) => {
                let (probe, stopping) = (&mut self.probe, &self.stopping);
                if probe.refuse(reason, stopping, problem, &mut state, None, None) == Seen::Pair {
                    self.history.push_pair(&self.probe.s, &self.probe.y);
                }
            }
        }
        Ok((state, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argmin::core::State;

    /// f = ½ Σ (k + 1)·xₖ², n = 4.
    struct Bowl;
    impl Objective for Bowl {
        fn dim(&self) -> usize {
            4
        }
        fn value(&self, x: &[f64]) -> f64 {
            self.value_gradient(x, &mut [0.0; 4])
        }
        fn value_gradient(&self, x: &[f64], g: &mut [f64]) -> f64 {
            let mut value = 0.0;
            for (k, (x, g)) in x.iter().zip(g).enumerate() {
                *g = (k as f64 + 1.0) * x;
                value += 0.5 * *g * x;
            }
            value
        }
    }

    #[test]
    fn refused_step_drops_the_history_and_tries_steepest_descent_once() {
        let mut problem = Problem::new(Bowl);
        let mut solver = Lbfgs::default();
        let state = FitState::new().param(vec![1.0, -2.0, 0.5, 3.0]);
        let (mut state, _) = solver.init(&mut problem, state).unwrap();
        for _ in 0..3 {
            (state, _) = solver.next_iter(&mut problem, state).unwrap();
        }
        solver.history.point_uphill();
        let (before, theta, gradient) =
            (state.value(), state.theta().to_vec(), state.gradient().to_vec());
        (state, _) = solver.next_iter(&mut problem, state).unwrap();
        assert!(state.value() < before && state.reason().is_none());
        assert_eq!(solver.notes(), ["history dropped 1×"]);
        assert_eq!(solver.history.len(), 1, "the new pair only");
        let step: Vec<f64> = state.theta().iter().zip(&theta).map(|(a, b)| a - b).collect();
        let along = -vector::dot(&step, &gradient);
        let norms = vector::norm(&step) * vector::norm(&gradient);
        assert!((along - norms).abs() <= 1e-12 * norms, "along −∇f");
    }
}
