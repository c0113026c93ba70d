//! L-BFGS: minimise f(θ) from its gradients alone.
//!
//! Update: θ⁺ = θ − α·H·∇f, with H the BFGS matrix of the last m pairs s = θ⁺ − θ, y = ∇f⁺ − ∇f on γI,
//! γ = sᵀy / yᵀy; H·∇f by the two-loop recursion; α by a [`LineSearch`].
//! Stop: [`Stopping`]; when the line search finds nothing, the pairs are dropped and steepest descent is tried once, and
//! then the reason is [`RoundingFloor`](Reason::RoundingFloor) or [`LineSearchFailed`](Reason::LineSearchFailed).
//! Memory 2mn. Cost per step 4mn, and one evaluation of f with ∇f as a rule.
//! Source: Nocedal (1980), Math. Comp. 35; Liu & Nocedal (1989), Math. Prog. 45; Nocedal & Wright (2006) algorithms 7.4, 7.5.

use super::FitSolver;
use super::line_step::{self, LineStep};
use crate::error::{OptimError, require};
use crate::eval;
use crate::linalg::vector;
use crate::line_search::LineSearch;
use crate::state::FitState;
use crate::stopping::{Reason, Stopping};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;

/// m, the pairs kept.  N&W p. 177: 3 to 20.
pub const MEMORY: usize = 10;
/// A pair is kept when sᵀy > this·‖s‖·‖y‖. On a quadratic the cosine is at least 2√κ / (κ + 1), so that condition
/// numbers up to 1e20 are served and rounding is not.
pub const CURVATURE: f64 = 1e-14;
const NAME: &str = "L-BFGS";

/// Limited-memory BFGS.
#[derive(Clone, Debug)]
pub struct Lbfgs {
    /// m ≥ 1, the pairs kept, of which a run holds no more than it has iterations. Default [`MEMORY`].
    pub memory: usize,
    /// The line search.
    pub search: LineSearch,
    /// When to stop.
    pub stopping: Stopping,
    history: History,
    line: LineStep,
    direction: Vec<f64>,
    dropped: u32,
    skipped: u32,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self {
            memory: MEMORY,
            search: LineSearch::default(),
            stopping: Stopping::default(),
            history: History::default(),
            line: LineStep::default(),
            direction: Vec::new(),
            dropped: 0,
            skipped: 0,
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

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    /// `direction` ← −H·∇f; returns the first α to try.
    fn propose(&mut self, state: &FitState) -> f64 {
        vector::scale_into(-1.0, &state.gradient, &mut self.direction);
        if self.history.is_empty() {
            return line_step::first_steepest_step(state);
        }
        self.history.apply(&mut self.direction);
        1.0
    }

    /// The step; when it is refused, once more without the history.
    fn advance<P: Objective>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<f64, Reason> {
        let initial = self.propose(state);
        let first = self.line.take(&self.search, problem, state, &self.direction, initial);
        if first.is_ok() || self.history.is_empty() {
            return first;
        }
        self.history.clear();
        self.dropped += 1;
        let initial = self.propose(state);
        let second = self.line.take(&self.search, problem, state, &self.direction, initial);
        // The quasi-Newton direction knew the scale: its verdict is the one to report.
        second.or(first)
    }
}

impl FitSolver for Lbfgs {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
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
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        // No run has more pairs than iterations.
        let most = usize::try_from(state.max_iterations()).unwrap_or(usize::MAX).max(1);
        self.history = History::new(self.memory.min(most), n);
        self.line = LineStep::new(n);
        self.direction = vec![0.0; n];
        (self.dropped, self.skipped) = (0, 0);
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        match self.advance(problem, &mut state) {
            Ok(_) => {
                let before = &self.line;
                if !self.history.push(&state, &before.theta, &before.gradient) {
                    self.skipped += 1;
                }
                eval::finish(&self.stopping, problem, &mut state);
            }
            Err(reason) => state.stop(reason),
        }
        Ok((state, None))
    }
}

/// The last m pairs in one allocation: s₀ y₀ s₁ y₁ …, written round and round.
#[derive(Clone, Debug, Default)]
struct History {
    n: usize,
    capacity: usize,
    pairs: Vec<f64>,
    /// 1/sᵀy
    rho: Vec<f64>,
    /// The α of the two loops.
    alpha: Vec<f64>,
    len: usize,
    /// Where the next pair goes.
    next: usize,
    /// sᵀy / yᵀy of the latest pair.  N&W (7.20).
    gamma: f64,
}

impl History {
    fn new(capacity: usize, n: usize) -> Self {
        Self {
            n,
            capacity,
            pairs: vec![0.0; 2 * capacity * n],
            rho: vec![0.0; capacity],
            alpha: vec![0.0; capacity],
            ..Self::default()
        }
    }

    fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn clear(&mut self) {
        (self.len, self.next) = (0, 0);
    }

    /// (s, y) of one slot.
    fn pair(&self, slot: usize) -> (&[f64], &[f64]) {
        self.pairs[2 * slot * self.n..2 * (slot + 1) * self.n].split_at(self.n)
    }

    /// The slot of the pair that is `age` steps old; 0 is the latest.
    fn slot(&self, age: usize) -> usize {
        (self.next + self.capacity - 1 - age) % self.capacity
    }

    /// Takes s = θ⁺ − θ and y = ∇f⁺ − ∇f; false when they show no curvature.
    fn push(&mut self, state: &FitState, theta: &[f64], gradient: &[f64]) -> bool {
        let n = self.n;
        let (s, y) = self.pairs[2 * self.next * n..2 * (self.next + 1) * n].split_at_mut(n);
        vector::subtract(&state.theta, theta, s);
        vector::subtract(&state.gradient, gradient, y);
        let (sy, yy) = (vector::dot(s, y), vector::dot(y, y));
        if !(sy > CURVATURE * vector::norm(s) * vector::norm(y) && yy > 0.0 && yy.is_finite()) {
            return false;
        }
        self.rho[self.next] = sy.recip();
        self.gamma = sy / yy;
        self.next = (self.next + 1) % self.capacity;
        self.len = (self.len + 1).min(self.capacity);
        true
    }

    /// `q` ← H·q: the two-loop recursion.  N&W algorithm 7.4.
    fn apply(&mut self, q: &mut [f64]) {
        for age in 0..self.len {
            let slot = self.slot(age);
            let (s, y) = self.pair(slot);
            let alpha = self.rho[slot] * vector::dot(s, q);
            vector::axpy(-alpha, y, q);
            self.alpha[slot] = alpha;
        }
        vector::scale(self.gamma, q);
        for age in (0..self.len).rev() {
            let slot = self.slot(age);
            let (s, y) = self.pair(slot);
            let beta = self.rho[slot] * vector::dot(y, q);
            vector::axpy(self.alpha[slot] - beta, s, q);
        }
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
        // A history that points uphill, as rounding can make it.
        solver.history.rho.fill(0.0);
        solver.history.gamma = -1.0;
        let (before, gradient) = (state.value(), state.gradient().to_vec());
        (state, _) = solver.next_iter(&mut problem, state).unwrap();
        assert!(state.value() < before && state.reason().is_none());
        assert_eq!(solver.notes(), ["history dropped 1×"]);
        assert_eq!(solver.history.len, 1, "the new pair only");
        for (p, g) in solver.direction.iter().zip(&gradient) {
            assert_eq!(*p, -g);
        }
    }
}
