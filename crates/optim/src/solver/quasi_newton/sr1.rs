//! SR1 in a trust region: minimise f(θ) with a dense approximation B ≈ ∇²f built from gradients, indefinite where ∇²f is.
//!
//! Update: p ≈ argmin gᵀp + ½pᵀBp over ‖p‖₂ ≤ Δ by [GLTR](crate::subproblem::Gltr);  y = ∇f(θ + p) − ∇f(θ),
//! B⁺ = B + v·vᵀ/vᵀp with v = y − Bp, left out where |vᵀp| is rounding; θ⁺ = θ + p where
//! ρ = (f(θ) − f(θ + p)) / promised decrease is at least η. A rejected trial teaches B too, which is why ∇f is evaluated at each.
//! On a quadratic B is the Hessian after n independent steps, whatever their lengths (N&W theorem 6.1): no line search is needed, and
//! no positive curvature.
//! Stop: [`Stopping`]. A start that is stationary stays: without ∇²f a saddle cannot be told from a minimum.
//! Memory ½n² and the basis of Lanczos, k·n. Cost per trial: f with ∇f, and k + 1 passes over the triangle, k the steps of Lanczos.
//! Source: Conn, Gould & Toint (1991), Math. Prog. 50; Nocedal & Wright (2006) §6.2, algorithm 6.2.

use super::probe::{Probe, Seen};
use crate::error::{OptimError, require};
use crate::linalg::packed::{PackedSymmetric, RankTwo, Weights};
use crate::linalg::vector;
use crate::run::eval::{self, Moved};
use crate::run::fit_solver::FitSolver;
use crate::run::limits;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::line_step;
use crate::solver::newton::region::{History, MAX_PRODUCTS, MAX_TRIALS, NOISE, exhausted, refusal};
use crate::subproblem::{Bound, Gltr, NotFinite, Step};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::operator::LinearOperator;
use secant_core::problem::Objective;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;

/// η: a step is taken when ρ ≥ this.  N&W algorithm 6.2: (0, 10⁻³).
pub const ACCEPTANCE: f64 = 1e-4;
/// Δ shrinks below this ρ.  N&W algorithm 6.2.
pub const POOR: f64 = 0.1;
/// Δ grows above this ρ, after a step at its edge.  N&W algorithm 6.2.
pub const GOOD: f64 = 0.75;
/// A step is at the edge from this · Δ on.  N&W algorithm 6.2.
pub const EDGE: f64 = 0.8;
/// Δ ← this · ‖p‖ after a poor step: B has learnt from it as well.  N&W algorithm 6.2: of Δ.
pub const SHRINK: f64 = 0.5;
/// Δ grows by this.  N&W algorithm 6.2.
pub const GROW: f64 = 2.0;
/// B stays as it is where |vᵀp| < this · ‖v‖·‖p‖.  N&W (6.26).
pub const SKIP: f64 = 1e-8;
/// Largest relative residual of a step; the relative gradient where that is smaller.
pub const FORCING: f64 = 1e-2;
const NAME: &str = "SR1";

/// The symmetric rank-one method in a trust region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sr1 {
    /// A step is taken when ρ ≥ this. Range [0, [`POOR`]). Default [`ACCEPTANCE`].
    pub acceptance: f64,
    /// Δ at the start, in units of θ. Range > 0. Default the length of a cautious first step along −∇f.
    pub initial_radius: Option<f64>,
    /// Largest relative residual of a step. Range (0, 1). Default [`FORCING`].
    pub forcing: f64,
    /// When to stop.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Workspace>,
}

impl Default for Sr1 {
    fn default() -> Self {
        Self {
            acceptance: ACCEPTANCE,
            initial_radius: None,
            forcing: FORCING,
            stopping: Stopping::default(),
            work: None,
        }
    }
}

impl Sr1 {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// A step is taken when ρ ≥ this.
    pub fn with_acceptance(mut self, acceptance: f64) -> Self {
        self.acceptance = acceptance;
        self
    }

    /// Δ at the start, in units of θ.
    pub fn with_initial_radius(mut self, radius: f64) -> Self {
        self.initial_radius = Some(radius);
        self
    }

    /// Largest relative residual of a step.
    pub fn with_forcing(mut self, forcing: f64) -> Self {
        self.forcing = forcing;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }
}

impl FitSolver for Sr1 {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        Some(bytes(&[(1, n, n / 2 + 1), (1, n, MAX_PRODUCTS.min(n)), (12, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        let (eta, forcing) = (self.acceptance, self.forcing);
        require((0.0..POOR).contains(&eta), NAME, "acceptance", eta, "[0, 1/10)")?;
        require(forcing > 0.0 && forcing < 1.0, NAME, "forcing", forcing, "(0, 1)")?;
        if let Some(radius) = self.initial_radius {
            let allowed = radius > 0.0 && radius.is_finite();
            require(allowed, NAME, "initial_radius", radius, "(0, infinity)")?;
        }
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Some(work) = &self.work else { return notes };
        if work.rejected > 0 {
            notes.push(format!("{} trial(s) rejected", work.rejected));
        }
        if work.resets > 0 {
            notes.push(format!("matrix reset {}×", work.resets));
        }
        if work.skipped > 0 {
            notes.push(format!("updates without digits skipped {}×", work.skipped));
        }
        notes
    }
}

impl<P: Objective> Solver<P, FitState> for Sr1 {
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
        memory::preflight(NAME, needs, memory::PRODUCTS_INSTEAD, state.limit())?;
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        self.work = Some(Workspace::new(n, &state, self.initial_radius));
        state.with_foresight();
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let options = (self.acceptance, self.forcing);
        let mut step = work.advance(options, &self.stopping, problem, &mut state);
        if matches!(step, Err(Reason::LineSearchFailed)) {
            work.reset(&state);
            // B promised too much; what the scale of the last pair promises is the verdict.
            step = work.advance(options, &self.stopping, problem, &mut state);
        }
        match step {
            Ok(Moved::Ended) => {}
            Ok(Moved::Yes) => eval::finish(&self.stopping, problem, &mut state),
            Err(reason) => {
                let (probe, stopping) = (&mut work.probe, &self.stopping);
                if probe.refuse(reason, stopping, problem, &mut state, None, None) == Seen::Pair {
                    work.learn_pair(&state);
                }
            }
        }
        Ok((state, None))
    }
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    b: Matrix,
    /// B is a guess: no step has been seen.
    fresh: bool,
    /// yᵀy/sᵀy of the latest pair with curvature.
    scale: f64,
    radius: f64,
    gltr: Gltr,
    step: Vec<f64>,
    trial: Vec<f64>,
    gradient: Vec<f64>,
    /// y
    y: Vec<f64>,
    /// Bp
    product: Vec<f64>,
    rejected: u32,
    skipped: u32,
    resets: u32,
    probe: Probe,
}

/// B, with the update that it still lacks: carried out in the pass of the next product.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Matrix {
    entries: PackedSymmetric,
    /// 1/vᵀp; taken by the next product.
    pending: Option<f64>,
    /// y − Bp
    v: Vec<f64>,
}

impl Matrix {
    /// y ← B·x
    fn multiply(&mut self, x: &[f64], y: &mut [f64]) {
        let update = self.pending.take().map(|ss| RankTwo {
            weights: Weights { scale: 1.0, ss, sv: 0.0, vv: 0.0 },
            s: &self.v,
            v: &self.v,
        });
        self.entries.update_then_multiply(update, x, y);
    }
}

/// B while a subproblem is solved, whose products may carry out the update.
struct Products<'a>(RefCell<&'a mut Matrix>);

impl LinearOperator for Products<'_> {
    fn rows(&self) -> usize {
        self.0.borrow().v.len()
    }
    fn cols(&self) -> usize {
        self.rows()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.0.borrow_mut().multiply(x, y);
    }
}

impl Workspace {
    fn new(n: usize, state: &FitState, radius: Option<f64>) -> Self {
        let zeros = || vec![0.0; n];
        let alpha = line_step::first_steepest_step(state);
        let mut entries = PackedSymmetric::new(n);
        // Its Newton step is the cautious one.
        entries.set_identity(alpha.recip());
        Self {
            b: Matrix { entries, pending: None, v: zeros() },
            fresh: true,
            scale: alpha.recip(),
            radius: radius.unwrap_or_else(|| alpha * vector::norm(&state.gradient)),
            gltr: Gltr::new(n),
            step: zeros(),
            trial: zeros(),
            gradient: zeros(),
            y: zeros(),
            product: zeros(),
            rejected: 0,
            skipped: 0,
            resets: 0,
            probe: Probe::default(),
        }
    }

    /// B ← scale · I, with its Newton step in the region.
    fn reset(&mut self, state: &FitState) {
        self.b.pending = None;
        self.b.entries.set_identity(self.scale);
        self.radius = vector::norm(&state.gradient) / self.scale;
        self.resets += 1;
    }

    /// Trials from θ until one is accepted.
    fn advance<P: Objective>(
        &mut self,
        (acceptance, forcing): (f64, f64),
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<Moved, Reason> {
        let tolerance = forcing.min(state.relative_gradient());
        let noise = NOISE * f64::EPSILON * state.value.abs();
        // What the latest pair with curvature promises along −∇f, where no region bounds the step.
        let size = vector::norm(&state.gradient);
        let free = 0.5 * size * (size / self.scale);
        let (mut finite_ahead, mut first_promise) = (false, None);
        for _ in 0..MAX_TRIALS {
            limits::check()?;
            let step = self.propose(state, tolerance).map_err(|_| Reason::NonFiniteCurvature)?;
            // A step that the bound cuts short says nothing of what lies beyond.
            let promised = if step.on_boundary { f64::NAN } else { step.predicted };
            let seen = self.probe.confirm(stopping, problem, state, None, promised, None);
            if state.reason().is_some() {
                return Ok(Moved::Ended);
            }
            if seen != Seen::Nothing {
                // The pair of the look, and a region that it has room in.
                self.learn_pair(state);
                continue;
            }
            vector::step(&state.theta, 1.0, &self.step, &mut self.trial);
            if step.predicted <= 0.0 || self.trial == state.theta {
                break;
            }
            let first_promise = *first_promise.get_or_insert(step.predicted);
            let value = eval::value_gradient(problem, &self.trial, &mut self.gradient);
            let finite = value.is_finite() && vector::all_finite(&self.gradient);
            finite_ahead |= finite;
            let ahead = if finite { value } else { f64::NAN };
            let rho = History::default().ratio(state.value, ahead, step.predicted, noise);
            if finite {
                self.learn(state);
            }
            self.adapt(rho, step.norm);
            if rho >= acceptance {
                let falls = vector::norm_inf(&self.gradient) < state.gradient_norm;
                if step.predicted <= noise && !falls {
                    return Err(refusal(state, first_promise, free));
                }
                state.accept(&mut self.trial, value, &mut self.gradient);
                return Ok(Moved::Yes);
            }
            self.rejected += 1;
        }
        Err(exhausted(state, first_promise, free, finite_ahead))
    }

    fn propose(&mut self, state: &FitState, tolerance: f64) -> Result<Step, NotFinite> {
        let bound = Bound::Radius(self.radius);
        let (gradient, step) = (&state.gradient, &mut self.step);
        let b = Products(RefCell::new(&mut self.b));
        self.gltr.solve(&b, gradient, bound, tolerance, MAX_PRODUCTS, step)
    }

    /// B ← B + v·vᵀ/vᵀp from a look at the end; Δ holds the Newton step along it.
    fn learn_pair(&mut self, state: &FitState) {
        self.step.copy_from_slice(&self.probe.s);
        vector::step(&state.gradient, 1.0, &self.probe.y, &mut self.gradient);
        self.learn(state);
        let slope = vector::dot(&state.gradient, &self.probe.s);
        let curvature = vector::dot(&self.probe.s, &self.probe.y);
        let length = if curvature > 0.0 { -slope / curvature } else { 1.0 };
        self.radius = self.radius.max(length * vector::norm(&self.probe.s));
    }

    /// B ← B + v·vᵀ/vᵀp from the trial just evaluated.
    fn learn(&mut self, state: &FitState) {
        let y = &mut self.y;
        vector::subtract(&self.gradient, &state.gradient, y);
        let size = vector::norm(&self.step);
        let (sy, yy) = (vector::dot(&self.step, y), vector::dot(y, y));
        let curved = sy > SKIP * size * yy.sqrt();
        let scale = if curved { yy / sy } else { sy.abs() / size / size };
        if curved && scale.is_normal() {
            self.scale = scale;
        }
        if std::mem::take(&mut self.fresh) && scale.is_normal() {
            // The size of B, as BFGS takes it from the first pair.  N&W (6.20).
            self.b.entries.set_identity(scale);
        }
        self.b.multiply(&self.step, &mut self.product);
        let v = &mut self.b.v;
        vector::subtract(y, &self.product, v);
        let along = vector::dot(v, &self.step);
        let enough = along.abs() >= SKIP * vector::norm(v) * size;
        if enough && along.recip().is_finite() {
            self.b.pending = Some(along.recip());
        } else {
            self.skipped += 1;
        }
    }

    /// Δ after a trial of length ‖p‖; ρ is NaN where f is not finite.
    fn adapt(&mut self, rho: f64, norm: f64) {
        if rho > GOOD {
            if norm >= EDGE * self.radius {
                self.radius *= GROW;
            }
        } else if rho.is_nan() || rho < POOR {
            self.radius = SHRINK * norm;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argmin::core::State;

    /// f = ½xᵀHx + gᵀx with an indefinite H of full rank, n = 5.
    struct Saddle;

    const H: [[f64; 5]; 5] = [
        [4.0, 1.0, 0.0, -1.0, 0.5],
        [1.0, -3.0, 1.0, 0.0, 0.0],
        [0.0, 1.0, 2.0, 0.5, -1.0],
        [-1.0, 0.0, 0.5, 5.0, 1.0],
        [0.5, 0.0, -1.0, 1.0, -2.0],
    ];

    impl Objective for Saddle {
        fn dim(&self) -> usize {
            5
        }
        fn value(&self, x: &[f64]) -> f64 {
            self.value_gradient(x, &mut [0.0; 5])
        }
        fn value_gradient(&self, x: &[f64], g: &mut [f64]) -> f64 {
            let mut value = 0.0;
            for (k, (row, g)) in H.iter().zip(g).enumerate() {
                let hx = vector::dot(row, x);
                *g = hx + 1.0 + k as f64;
                value += x[k] * (0.5 * hx + 1.0 + k as f64);
            }
            value
        }
    }

    #[test]
    fn b_is_the_indefinite_hessian_after_n_independent_steps() {
        let mut problem = Problem::new(Saddle);
        let mut solver = Sr1::default().with_initial_radius(0.5);
        let state = FitState::new().param(vec![1.0, -2.0, 0.5, 3.0, -1.0]);
        let (mut state, _) = solver.init(&mut problem, state).unwrap();
        let gap = |solver: &Sr1| {
            let mut b = solver.work.as_ref().unwrap().b.clone();
            let mut most = 0.0_f64;
            for (j, column) in H.iter().enumerate() {
                let (mut unit, mut out) = ([0.0; 5], [0.0; 5]);
                unit[j] = 1.0;
                b.multiply(&unit, &mut out);
                for (b, h) in out.iter().zip(column) {
                    most = most.max((b - h).abs());
                }
            }
            most
        };
        for _ in 0..4 {
            (state, _) = solver.next_iter(&mut problem, state).unwrap();
        }
        assert!(gap(&solver) > 1e-3, "four steps cannot show five dimensions");
        for _ in 0..3 {
            (state, _) = solver.next_iter(&mut problem, state).unwrap();
        }
        assert!(gap(&solver) < 1e-6, "{:e}", gap(&solver));
    }
}
