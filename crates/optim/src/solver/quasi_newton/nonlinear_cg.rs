//! Nonlinear conjugate gradients: minimise f(θ) from its gradients, with the least memory of the methods that learn curvature.
//!
//! Update: θ⁺ = θ + αd,  d⁺ = −∇f⁺ + max(β, η·dᵀ∇f/‖d‖²)·d,  β = (y − 2d‖y‖²/dᵀy)ᵀ∇f⁺ / dᵀy,  y = ∇f⁺ − ∇f: with any line search
//! dᵀ∇f ≤ −⅞‖∇f‖², and on a quadratic with exact ones the directions are conjugate. α by strong Wolfe, close to the minimum along d.
//! Where dᵀy shows no curvature, and where the search finds nothing, steepest descent is taken up anew.
//! Stop: [`Stopping`]. The path is invariant under scaling of the loss and under rotations.
//! Memory 4n. Cost per step 10n, and about two evaluations of f with ∇f.
//! Source: Hager & Zhang (2005) SIAM J. Optim. 16, (1.2)–(1.4); Hager & Zhang (2013) SIAM J. Optim. 23, (2.7) for η;
//! Nocedal & Wright (2006) (3.60) for the first trial.

use super::probe::{Probe, Seen};
use crate::error::OptimError;
use crate::linalg::vector;
use crate::line_search::StrongWolfe;
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::line_step::{self, LineStep};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;
use serde::{Deserialize, Serialize};

const NAME: &str = "nonlinear CG";

/// c₂ of the search: conjugacy needs steps near the minimum along the line.  N&W p. 34: 0.1.
pub const CURVATURE: f64 = 0.1;
/// η: β is not more negative than this part of dᵀ∇f/‖d‖².  Hager & Zhang (2013): 0.4.
pub const TRUNCATION: f64 = 0.4;
/// d and y show curvature when dᵀy > this·‖d‖·‖y‖.
pub const CONVEX: f64 = 1e-14;

/// Nonlinear conjugate gradients, the direction of `CG_DESCENT`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NonlinearCg {
    /// The line search. Default strong Wolfe with [`CURVATURE`].
    pub search: StrongWolfe,
    /// When to stop.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Workspace>,
    #[doc(hidden)]
    pub restarts: u32,
}

impl Default for NonlinearCg {
    fn default() -> Self {
        Self {
            search: StrongWolfe { curvature: CURVATURE, ..StrongWolfe::default() },
            stopping: Stopping::default(),
            work: None,
            restarts: 0,
        }
    }
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    /// d
    direction: Vec<f64>,
    /// y
    change: Vec<f64>,
    line: LineStep,
    /// α·dᵀ∇f of the step before; none after a restart.
    last_decrease: Option<f64>,
    probe: Probe,
}

impl NonlinearCg {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
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
}

impl Workspace {
    fn restart(&mut self, state: &FitState) {
        vector::scale_into(-1.0, &state.gradient, &mut self.direction);
        self.last_decrease = None;
    }

    /// One step along d.
    fn step<P: Objective>(
        &mut self,
        search: &StrongWolfe,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), Reason> {
        let slope = vector::dot(&state.gradient, &self.direction);
        // The first-order change is taken to be that of the step before.  N&W (3.60).
        let initial = self
            .last_decrease
            .map(|decrease| decrease / slope)
            .filter(|step| step.is_finite() && *step > 0.0)
            .unwrap_or_else(|| line_step::first_steepest_step(state));
        let alpha = self.line.take(search, problem, state, &self.direction, initial)?;
        self.last_decrease = Some(alpha * slope);
        Ok(())
    }

    /// d ← the step to the minimum along the direction of the look, or its d where f does not curve upwards; first tried at α = 1.
    fn go_along_the_look(&mut self, state: &FitState, seen: Seen) {
        let (s, y) = (&self.probe.s, &self.probe.y);
        let slope = vector::dot(&state.gradient, s);
        let length = if seen == Seen::Pair { -slope / vector::dot(s, y) } else { 1.0 };
        vector::scale_into(length, s, &mut self.direction);
        self.last_decrease = Some(length * slope);
    }

    /// d⁺ after a step. False where it is steepest descent for want of curvature.
    fn turn(&mut self, state: &FitState) -> bool {
        vector::subtract(&state.gradient, &self.line.gradient, &mut self.change);
        let (d, y) = (&self.direction, &self.change);
        let (dy, yy, dd) = (vector::dot(d, y), vector::dot(y, y), vector::dot(d, d));
        // Written so that NaN restarts.
        let convex = dy > CONVEX * (yy * dd).sqrt();
        let ahead = vector::dot(d, &state.gradient);
        let conjugate = (vector::dot(y, &state.gradient) - 2.0 * yy / dy * ahead) / dy;
        let least = TRUNCATION * vector::dot(d, &self.line.gradient) / dd;
        let beta = conjugate.max(least);
        if !(convex && beta.is_finite()) {
            let decrease = self.last_decrease;
            self.restart(state);
            self.last_decrease = decrease;
            return false;
        }
        vector::scale(beta, &mut self.direction);
        vector::axpy(-1.0, &state.gradient, &mut self.direction);
        true
    }
}

impl FitSolver for NonlinearCg {
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
        line_step::validate(NAME, &self.search)?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let restarts = self.restarts;
        if restarts > 0 { vec![format!("restarted {restarts}×")] } else { Vec::new() }
    }
}

impl<P: Objective> Solver<P, FitState> for NonlinearCg {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let needs = self.memory(eval::dim(problem), 0);
        memory::preflight(NAME, needs, memory::FEWER_PARAMETERS, state.limit())?;
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        let mut work = Workspace {
            direction: vec![0.0; n],
            change: vec![0.0; n],
            line: LineStep::new(n),
            last_decrease: None,
            probe: Probe::default(),
        };
        state.with_foresight();
        work.restart(&state);
        (self.work, self.restarts) = (Some(work), 0);
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let mut step = work.step(&self.search, problem, &mut state);
        if let (Err(first), true) = (step, work.last_decrease.is_some()) {
            work.restart(&state);
            self.restarts += 1;
            step = work.step(&self.search, problem, &mut state).map_err(|_| first);
        }
        match step {
            Ok(()) => {
                eval::finish(&self.stopping, problem, &mut state);
                if state.reason().is_none() && !work.turn(&state) {
                    self.restarts += 1;
                }
                if state.claim().is_some() {
                    // No matrix: what the last step took is all that is known.
                    let (probe, last) = (&mut work.probe, state.last_decrease());
                    let seen = probe.confirm(&self.stopping, problem, &mut state, None, last, None);
                    if seen != Seen::Nothing {
                        work.go_along_the_look(&state, seen);
                        self.restarts += 1;
                    }
                }
            }
            Err(reason) => {
                let (probe, stopping) = (&mut work.probe, &self.stopping);
                let seen = probe.refuse(reason, stopping, problem, &mut state, None, None);
                if seen == Seen::Pair {
                    work.go_along_the_look(&state, seen);
                    self.restarts += 1;
                }
            }
        }
        Ok((state, None))
    }
}
