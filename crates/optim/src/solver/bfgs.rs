//! BFGS: minimise f(θ) with a dense approximation H ≈ (∇²f)⁻¹ built from gradients.
//!
//! Update: θ⁺ = θ − α·H·∇f;  H⁺ = H + u·sᵀ + s·uᵀ,  u = ½(1 + yᵀHy / sᵀy) / sᵀy · s − Hy / sᵀy,
//! s = θ⁺ − θ, y = ∇f⁺ − ∇f; where s and y show no curvature, y is damped towards Bs = −α∇f (Powell).
//! Stop: [`Stopping`]; when the line search finds nothing, H is reset and steepest descent tried once.
//! Memory ½n². Cost per step: one pass over the triangle, 8n² bytes of traffic, and one evaluation of f with ∇f as a rule.
//!
//! One pass is enough because Hy = H∇f⁺ + p (for H∇f = −p), so that the only product of an iteration is H∇f⁺; the rank-2
//! update of H is left pending and carried out in the same pass as the next product, while
//! p⁺ = −(H∇f⁺ + u·sᵀ∇f⁺ + s·uᵀ∇f⁺) costs n.
//! Source: Nocedal & Wright (2006) algorithm 6.1, (6.20); procedure 18.2 for the damping (Powell 1978).

use super::FitSolver;
use super::line_step::{self, LineStep};
use crate::error::OptimError;
use crate::eval;
use crate::linalg::packed::{PackedSymmetric, RankTwo};
use crate::linalg::vector;
use crate::line_search::StrongWolfe;
use crate::state::FitState;
use crate::stopping::{Reason, Stopping};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;

/// y shows curvature when sᵀy > this·‖s‖·‖y‖. A step that satisfies the Wolfe conditions does; one that ended at a limit
/// of the search may not, and is damped.
pub const CURVATURE: f64 = 1e-14;
/// Damping makes sᵀy = this · sᵀBs.  N&W procedure 18.2.
pub const DAMPING: f64 = 0.2;
const NAME: &str = "BFGS";

/// Dense BFGS with the inverse update.
#[derive(Clone, Debug, Default)]
pub struct Bfgs {
    /// The line search.
    pub search: StrongWolfe,
    /// When to stop.
    pub stopping: Stopping,
    work: Option<Workspace>,
    dropped: u32,
    damped: u32,
}

#[derive(Clone, Debug)]
struct Workspace {
    h: PackedSymmetric,
    /// H is not yet scaled: it stands for the identity.
    fresh: bool,
    /// u and s of the update that H still lacks.
    u: Vec<f64>,
    s: Vec<f64>,
    pending: bool,
    /// y, then H∇f⁺
    y: Vec<f64>,
    /// Hy
    hy: Vec<f64>,
    /// p = −H∇f
    direction: Vec<f64>,
    line: LineStep,
}

impl Bfgs {
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

impl FitSolver for Bfgs {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn validate(&self) -> Result<(), OptimError> {
        line_step::validate(NAME, &self.search)?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.dropped > 0 {
            notes.push(format!("matrix reset {}×", self.dropped));
        }
        if self.damped > 0 {
            notes.push(format!("damped {}×", self.damped));
        }
        notes
    }
}

impl<P: Objective> Solver<P, FitState> for Bfgs {
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
        (self.dropped, self.damped) = (0, 0);
        let mut work = Workspace::new(n);
        work.reset(&state);
        self.work = Some(work);
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let mut step = work.step(&self.search, problem, &mut state);
        if let (Err(first), false) = (step, work.fresh) {
            work.reset(&state);
            self.dropped += 1;
            // The quasi-Newton direction knew the scale: its verdict is the one to report.
            step = work.step(&self.search, problem, &mut state).map_err(|_| first);
        }
        match step {
            Ok(alpha) => {
                eval::finish(&self.stopping, problem, &mut state);
                if state.reason.is_none() && work.update(&state, alpha) {
                    self.damped += 1;
                }
            }
            Err(reason) => state.stop(reason),
        }
        Ok((state, None))
    }
}

impl Workspace {
    fn new(n: usize) -> Self {
        let zeros = || vec![0.0; n];
        Self {
            h: PackedSymmetric::new(n),
            fresh: true,
            u: zeros(),
            s: zeros(),
            pending: false,
            y: zeros(),
            hy: zeros(),
            direction: zeros(),
            line: LineStep::new(n),
        }
    }

    /// H ← I, to be scaled by the first step.
    fn reset(&mut self, state: &FitState) {
        (self.fresh, self.pending) = (true, false);
        vector::scale_into(-1.0, &state.gradient, &mut self.direction);
    }

    fn step<P: Objective>(
        &mut self,
        search: &StrongWolfe,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<f64, Reason> {
        let initial = if self.fresh { line_step::first_steepest_step(state) } else { 1.0 };
        self.line.take(search, problem, state, &self.direction, initial)
    }

    /// Learns from the step just taken and leaves the next direction in `direction`. True when y was damped.
    fn update(&mut self, state: &FitState, alpha: f64) -> bool {
        if self.fresh && !self.scale_first(state) {
            // No curvature along the very first step: stay with steepest descent.
            self.reset(state);
            return false;
        }
        // w = H∇f⁺, which carries out the update left from the step before.
        let pending = self.pending.then_some(RankTwo { u: &self.u, s: &self.s });
        let w = &mut self.y;
        self.h.update_then_multiply(pending, &state.gradient, w);
        // Hy = H∇f⁺ − H∇f = w + p
        vector::step(w, 1.0, &self.direction, &mut self.hy);
        vector::scale_into(-1.0, w, &mut self.direction);
        vector::subtract(&state.theta, &self.line.theta, &mut self.s);
        vector::subtract(&state.gradient, &self.line.gradient, &mut self.y);
        let damped = !self.shows_curvature() && self.damp(alpha);
        let sy = vector::dot(&self.s, &self.y);
        // Rounding can leave no curvature even so: then H stays as it is.
        self.pending = sy > 0.0 && sy.is_finite();
        if self.pending {
            let along_s = 0.5 * (1.0 + vector::dot(&self.y, &self.hy) / sy) / sy;
            vector::scale_into(along_s, &self.s, &mut self.u);
            vector::axpy(-sy.recip(), &self.hy, &mut self.u);
            let along_u = vector::dot(&self.s, &state.gradient);
            let along_s = vector::dot(&self.u, &state.gradient);
            vector::axpy(-along_u, &self.u, &mut self.direction);
            vector::axpy(-along_s, &self.s, &mut self.direction);
        }
        damped
    }

    fn shows_curvature(&self) -> bool {
        let sizes = vector::norm(&self.s) * vector::norm(&self.y);
        vector::dot(&self.s, &self.y) > CURVATURE * sizes
    }

    /// H ← γI with γ = sᵀy / yᵀy after the first step, and p ← −H∇f of the point before.  N&W (6.20).
    fn scale_first(&mut self, state: &FitState) -> bool {
        vector::subtract(&state.theta, &self.line.theta, &mut self.s);
        vector::subtract(&state.gradient, &self.line.gradient, &mut self.y);
        let gamma = vector::dot(&self.s, &self.y) / vector::dot(&self.y, &self.y);
        if !(self.shows_curvature() && gamma.is_finite()) {
            return false;
        }
        self.h.set_identity(gamma);
        vector::scale_into(-gamma, &self.line.gradient, &mut self.direction);
        self.fresh = false;
        true
    }

    /// Powell's damping: y ← θy + (1 − θ)Bs with Bs = −α∇f, and Hy ← θHy + (1 − θ)s.
    fn damp(&mut self, alpha: f64) -> bool {
        let gradient = &self.line.gradient;
        let sy = vector::dot(&self.s, &self.y);
        let sbs = -alpha * vector::dot(&self.s, gradient);
        if !(sbs > 0.0 && sy < DAMPING * sbs) {
            return false;
        }
        let weight = (1.0 - DAMPING) * sbs / (sbs - sy);
        vector::scale(weight, &mut self.y);
        vector::axpy(-(1.0 - weight) * alpha, gradient, &mut self.y);
        vector::scale(weight, &mut self.hy);
        vector::axpy(1.0 - weight, &self.s, &mut self.hy);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argmin::core::State;

    /// f = ½ Σ (k + 1)·xₖ² + ¼ Σ xₖ⁴, n = 5.
    struct Quartic;
    impl Objective for Quartic {
        fn dim(&self) -> usize {
            5
        }
        fn value(&self, x: &[f64]) -> f64 {
            self.value_gradient(x, &mut [0.0; 5])
        }
        fn value_gradient(&self, x: &[f64], g: &mut [f64]) -> f64 {
            let mut value = 0.0;
            for (k, (x, g)) in x.iter().zip(g).enumerate() {
                let h = k as f64 + 1.0;
                *g = h * x + x * x * x;
                value += 0.5 * h * x * x + 0.25 * x.powi(4);
            }
            value
        }
    }

    fn outer(a: f64, x: &[f64], y: &[f64], h: &mut [[f64; 5]; 5]) {
        for i in 0..5 {
            for j in 0..5 {
                h[i][j] += a * x[i] * y[j];
            }
        }
    }

    #[test]
    fn fused_update_gives_the_directions_of_the_textbook_formula() {
        let mut problem = Problem::new(Quartic);
        let mut solver = Bfgs::default();
        let state = FitState::new().param(vec![1.0, -2.0, 0.5, 3.0, -1.0]);
        let (mut state, _) = solver.init(&mut problem, state).unwrap();
        let mut h = [[0.0; 5]; 5];
        for step in 0..12 {
            let (theta, gradient) = (state.theta.clone(), state.gradient.clone());
            (state, _) = solver.next_iter(&mut problem, state).unwrap();
            let s: Vec<f64> = state.theta.iter().zip(&theta).map(|(a, b)| a - b).collect();
            let y: Vec<f64> = state.gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
            let sy = vector::dot(&s, &y);
            if step == 0 {
                for i in 0..5 {
                    h[i][i] = sy / vector::dot(&y, &y);
                }
            }
            // N&W (6.17), multiplied out.
            let hy: Vec<f64> = h.iter().map(|row| vector::dot(row, &y)).collect();
            outer((1.0 + vector::dot(&y, &hy) / sy) / sy, &s, &s, &mut h);
            outer(-sy.recip(), &s, &hy, &mut h);
            outer(-sy.recip(), &hy, &s, &mut h);
            let direction = &solver.work.as_ref().unwrap().direction;
            for i in 0..5 {
                let expected = -vector::dot(&h[i], &state.gradient);
                let size = vector::norm(direction);
                assert!((direction[i] - expected).abs() < 1e-9 * size, "step {step}");
            }
        }
    }
}
