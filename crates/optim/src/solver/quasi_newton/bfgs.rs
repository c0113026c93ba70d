//! BFGS: minimise f(θ) with a dense approximation H ≈ (∇²f)⁻¹ built from gradients.
//!
//! Update: θ⁺ = θ − α·H·∇f;  s = θ⁺ − θ, y = ∇f⁺ − ∇f,
//! H⁺ = (H − Hy·yᵀH/yᵀHy + φ·v·vᵀ)/τ + s·sᵀ/sᵀy,  v = √(yᵀHy)·(s/sᵀy − Hy/yᵀHy), with φ and τ of the [`Update`];
//! where s and y show no curvature, y is damped towards Bs = −α∇f (Powell).
//! Stop: [`Stopping`]; when the line search finds nothing, H is reset and steepest descent tried once.
//! Memory ½n². Cost per step: one pass over the triangle, 8n² bytes of traffic, and one evaluation of f with ∇f as a rule.
//!
//! One pass is enough because Hy = H∇f⁺ + p (for H∇f = −p), so that the only product of an iteration is H∇f⁺; the rank-2
//! update of H, in the span of s and Hy, is left pending and carried out in the same pass as the next product, while
//! p⁺ costs n.
//! Source: Nocedal & Wright (2006) algorithm 6.1, (6.20); procedure 18.2 for the damping (Powell 1978); Al-Baali (1998) for
//! self-scaling, as Urbán, Stefanou & Pons (2025) put it on H.

use super::probe::{Probe, Seen};
use super::safeguard::{Caution, Safeguard, shows_curvature};
use crate::error::OptimError;
use crate::linalg::packed::{PackedSymmetric, RankTwo, Weights};
use crate::linalg::vector;
use crate::line_search::LineSearch;
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::line_step::{self, LineStep};
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;
use serde::{Deserialize, Serialize};

/// What takes its place where its matrices do not fit.
const ALTERNATIVE: &str = "L-BFGS";
const NAME: &str = "BFGS";

/// The member of Broyden's family that H is updated by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Update {
    /// φ = 1, τ = 1.
    #[default]
    Bfgs,
    /// φ = 0, τ = 1: Davidon, Fletcher & Powell. Slow to mend an H that is too large; here for comparison.
    Dfp,
    /// φ = 1, τ = min(1, sᵀy/sᵀBs): H grows where it was too small.  Al-Baali (1998).
    SelfScaledBfgs,
    /// φ and τ from both sᵀBs/sᵀy and yᵀHy/sᵀy.  Al-Baali (1998). Gets further down on networks that are hard to train, such as
    /// physics-informed ones.
    SelfScaledBroyden,
}

impl Update {
    /// φ and τ from b = sᵀBs/sᵀy and h = yᵀHy/sᵀy; b·h ≥ 1 by Cauchy and Schwarz.
    fn parameters(self, b: f64, h: f64, n: usize) -> (f64, f64) {
        match self {
            Self::Bfgs => (1.0, 1.0),
            Self::Dfp => (0.0, 1.0),
            Self::SelfScaledBfgs => (1.0, b.recip().min(1.0)),
            Self::SelfScaledBroyden => self_scaled_broyden(b, h, n),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bfgs => NAME,
            Self::Dfp => "DFP",
            Self::SelfScaledBfgs => "self-scaled BFGS",
            Self::SelfScaledBroyden => "self-scaled Broyden",
        }
    }
}

/// φ and τ.  Al-Baali (1998); Urbán, Stefanou & Pons (2025) §3.2.
fn self_scaled_broyden(b: f64, h: f64, n: usize) -> (f64, f64) {
    // Clamp: where s and Hy are parallel rounding can make it negative, and every member of the family is the same.
    let a = (b * h - 1.0).max(f64::EPSILON);
    let c = (a / (1.0 + a)).sqrt();
    let rho_minus = (h * (1.0 - c)).min(1.0);
    let rho_plus = b.recip().min(1.0);
    let (least, most) = ((rho_minus - 1.0) / a, rho_minus.recip());
    let theta = ((1.0 - b) / b).min(most).max(least);
    let sigma = 1.0 + theta * a;
    // n = 1 has one matrix that fits: a = 0 and σ = 1 there.
    let root = sigma.powf(-1.0 / (n.max(2) - 1) as f64);
    let tau =
        if theta > 0.0 { rho_plus * root.min(theta.recip()) } else { (rho_plus * root).min(sigma) };
    ((1.0 - theta) / sigma, tau)
}

/// Dense BFGS and its relatives, with the inverse update.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Bfgs {
    /// The member of the family.
    pub update: Update,
    /// The line search.
    pub search: LineSearch,
    /// Which pairs are taken, and how. Default [`Safeguard::Curvature`].
    pub safeguard: Safeguard,
    /// When to stop.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Workspace>,
    #[doc(hidden)]
    pub dropped: u32,
    #[doc(hidden)]
    pub damped: u32,
    #[doc(hidden)]
    pub skipped: u32,
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    h: PackedSymmetric,
    /// H is not yet scaled: it stands for the identity.
    fresh: bool,
    /// The update that H still lacks, in the span of the next two.
    pending: Option<Weights>,
    s: Vec<f64>,
    /// Hy, or u
    hy: Vec<f64>,
    /// y, then H∇f⁺
    y: Vec<f64>,
    /// p = −H∇f
    direction: Vec<f64>,
    line: LineStep,
    caution: Caution,
    probe: Probe,
}

/// What a step taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Learned {
    Pair,
    Damped,
    Nothing,
}

impl Bfgs {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The member of the family.
    pub fn with_update(mut self, update: Update) -> Self {
        self.update = update;
        self
    }

    /// The line search.
    pub fn with_search(mut self, search: impl Into<LineSearch>) -> Self {
        self.search = search.into();
        self
    }

    /// Which pairs are taken, and how.
    pub fn with_safeguard(mut self, safeguard: Safeguard) -> Self {
        self.safeguard = safeguard;
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
    fn title(&self) -> &'static str {
        self.update.name()
    }
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        Some(bytes(&[(1, n, n / 2 + 1), (10, n, 1)]))
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
        if self.skipped > 0 {
            notes.push(format!("pairs without curvature skipped {}×", self.skipped));
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
        let needs = self.memory(eval::dim(problem), 0);
        memory::preflight(NAME, needs, ALTERNATIVE, state.limit())?;
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        (self.dropped, self.damped, self.skipped) = (0, 0, 0);
        let mut work = Workspace::new(n);
        work.reset(&state);
        state.with_foresight();
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
                if state.reason.is_none() {
                    let fresh = work.fresh;
                    match work.update(self.update, self.safeguard, &state, alpha) {
                        Learned::Pair => {}
                        Learned::Damped => self.damped += 1,
                        Learned::Nothing => self.skipped += 1,
                    }
                    let slope = vector::dot(&state.gradient, &work.direction);
                    let promised = if fresh || work.fresh { f64::NAN } else { -0.5 * slope };
                    work.confirm(&self.stopping, problem, &mut state, promised);
                }
            }
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

impl Workspace {
    fn new(n: usize) -> Self {
        let zeros = || vec![0.0; n];
        Self {
            h: PackedSymmetric::new(n),
            fresh: true,
            pending: None,
            s: zeros(),
            hy: zeros(),
            y: zeros(),
            direction: zeros(),
            line: LineStep::new(n),
            caution: Caution::default(),
            probe: Probe::default(),
        }
    }

    /// Decides a claim of the end; a pair that the look brings is learned.
    fn confirm<P: Objective>(
        &mut self,
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
        promised: f64,
    ) {
        let seen = self.probe.confirm(stopping, problem, state, None, promised, None);
        if seen == Seen::Pair {
            self.learn_pair(state);
        }
    }

    /// H ← H with the pair of the look, by BFGS's update, and p ← −H∇f: two passes over the triangle.
    fn learn_pair(&mut self, state: &FitState) {
        if std::mem::take(&mut self.fresh) {
            let (s, y) = (&self.probe.s, &self.probe.y);
            self.h.set_identity(vector::dot(s, y) / vector::dot(y, y));
            self.pending = None;
        }
        let (s, v) = (&self.s[..], &self.hy[..]);
        let first = self.pending.map(|weights| RankTwo { weights, s, v });
        // H·y, with the update that H still lacked; the direction's buffer is free.
        self.h.update_then_multiply(first, &self.probe.y, &mut self.direction);
        std::mem::swap(&mut self.hy, &mut self.direction);
        self.s.copy_from_slice(&self.probe.s);
        self.y.copy_from_slice(&self.probe.y);
        self.pending = None;
        let weights = self.weights(Update::Bfgs, 1.0);
        self.pending = weights.map(|weights| self.in_halves(weights));
        let (s, v) = (&self.s[..], &self.hy[..]);
        let second = self.pending.map(|weights| RankTwo { weights, s, v });
        self.h.update_then_multiply(second, &state.gradient, &mut self.direction);
        vector::scale(-1.0, &mut self.direction);
        self.pending = None;
    }

    /// H ← I, to be scaled by the first step.
    fn reset(&mut self, state: &FitState) {
        (self.fresh, self.pending) = (true, None);
        vector::scale_into(-1.0, &state.gradient, &mut self.direction);
    }

    fn step<P: Objective>(
        &mut self,
        search: &LineSearch,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<f64, Reason> {
        let initial = if self.fresh { line_step::first_steepest_step(state) } else { 1.0 };
        self.line.take(search, problem, state, &self.direction, initial)
    }

    /// Learns from the step just taken and leaves the next direction in `direction`.
    fn update(
        &mut self,
        update: Update,
        safeguard: Safeguard,
        state: &FitState,
        alpha: f64,
    ) -> Learned {
        let mut alpha = alpha;
        if self.fresh {
            let Some(gamma) = self.scale_first(state) else {
                // No curvature along the very first step: stay with steepest descent.
                self.reset(state);
                return Learned::Nothing;
            };
            // The same step along −γ∇f.
            alpha /= gamma;
        }
        // w = H∇f⁺, which carries out the update left from the step before.
        let (s, v) = (&self.s[..], &self.hy[..]);
        let pending = self.pending.map(|weights| RankTwo { weights, s, v });
        let w = &mut self.y;
        self.h.update_then_multiply(pending, &state.gradient, w);
        // Hy = H∇f⁺ − H∇f = w + p
        vector::step(w, 1.0, &self.direction, &mut self.hy);
        vector::scale_into(-1.0, w, &mut self.direction);
        vector::subtract(&state.theta, &self.line.theta, &mut self.s);
        vector::subtract(&state.gradient, &self.line.gradient, &mut self.y);
        let damped = self.damp(safeguard, alpha);
        let taken = safeguard != Safeguard::Cautious || self.is_allowed(state);
        // Rounding can leave no curvature even so: then H stays as it is.
        let weights = if taken { self.weights(update, alpha) } else { None };
        self.pending = weights.map(|weights| self.in_halves(weights));
        if let Some(Weights { scale, ss, sv, vv }) = self.pending {
            let along_s = vector::dot(&self.s, &state.gradient);
            let along_v = vector::dot(&self.hy, &state.gradient);
            vector::scale(scale, &mut self.direction);
            vector::axpy(-(ss * along_s + sv * along_v), &self.s, &mut self.direction);
            vector::axpy(-(sv * along_s + vv * along_v), &self.hy, &mut self.direction);
        }
        match self.pending {
            None => Learned::Nothing,
            Some(_) if damped => Learned::Damped,
            Some(_) => Learned::Pair,
        }
    }

    /// The update in the span of s and Hy, multiplied out; none where it would not leave H positive definite.
    fn weights(&self, update: Update, alpha: f64) -> Option<Weights> {
        let sy = vector::dot(&self.s, &self.y);
        let yhy = vector::dot(&self.y, &self.hy);
        let positive = sy > 0.0 && sy.is_finite();
        if !positive || (update == Update::Dfp && yhy <= 0.0) {
            return None;
        }
        let (phi, tau) = if yhy > 0.0 {
            let sbs = -alpha * vector::dot(&self.s, &self.line.gradient);
            update.parameters(sbs / sy, yhy / sy, self.s.len())
        } else {
            // H has lost its definiteness to rounding along y; BFGS asks for no quotient by yᵀHy and mends it.
            (1.0, 1.0)
        };
        let weights = Weights {
            scale: tau.recip(),
            ss: phi * yhy / (tau * sy * sy) + sy.recip(),
            sv: -phi / (tau * sy),
            vv: if phi == 1.0 { 0.0 } else { (phi - 1.0) / (tau * yhy) },
        };
        let Weights { scale, ss, sv, vv } = weights;
        [scale, ss, sv, vv].iter().all(|weight| weight.is_finite()).then_some(weights)
    }

    /// For φ = 1 the same update as u·sᵀ + s·uᵀ with u in place of Hy: where Hy is almost a multiple of s the terms cancel here, once,
    /// and not in every entry of H.
    fn in_halves(&mut self, weights: Weights) -> Weights {
        if weights.vv != 0.0 {
            return weights;
        }
        vector::scale(weights.sv, &mut self.hy);
        vector::axpy(0.5 * weights.ss, &self.s, &mut self.hy);
        Weights { ss: 0.0, sv: 1.0, ..weights }
    }

    /// sᵀy and ‖s‖·‖y‖.
    fn curvature(&self) -> (f64, f64) {
        (vector::dot(&self.s, &self.y), vector::norm(&self.s) * vector::norm(&self.y))
    }

    /// The test of a cautious update.
    fn is_allowed(&mut self, state: &FitState) -> bool {
        let (sy, size) = (vector::dot(&self.s, &self.y), vector::norm(&self.s));
        self.caution.allows(sy / size / size, state)
    }

    /// H ← γI with γ = sᵀy / yᵀy after the first step, and p ← −H∇f of the point before. Returns γ.  N&W (6.20).
    fn scale_first(&mut self, state: &FitState) -> Option<f64> {
        vector::subtract(&state.theta, &self.line.theta, &mut self.s);
        vector::subtract(&state.gradient, &self.line.gradient, &mut self.y);
        let (sy, sizes) = self.curvature();
        let gamma = sy / vector::dot(&self.y, &self.y);
        if !(shows_curvature(sy, sizes) && gamma.is_finite()) {
            return None;
        }
        self.h.set_identity(gamma);
        vector::scale_into(-gamma, &self.line.gradient, &mut self.direction);
        self.fresh = false;
        Some(gamma)
    }

    /// Powell's damping: y ← θy + (1 − θ)Bs with Bs = −α∇f, and Hy ← θHy + (1 − θ)s.
    fn damp(&mut self, safeguard: Safeguard, alpha: f64) -> bool {
        let gradient = &self.line.gradient;
        let (sy, sizes) = self.curvature();
        let sbs = -alpha * vector::dot(&self.s, gradient);
        let Some(weight) = safeguard.damping(sy, sizes, sbs) else { return false };
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
        for update in [Update::Bfgs, Update::Dfp, Update::SelfScaledBfgs, Update::SelfScaledBroyden]
        {
            textbook_directions(update);
        }
    }

    fn textbook_directions(update: Update) {
        let mut problem = Problem::new(Quartic);
        let mut solver = Bfgs::default().with_update(update);
        let state = FitState::new().param(vec![1.0, -2.0, 0.5, 3.0, -1.0]);
        let (mut state, _) = solver.init(&mut problem, state).unwrap();
        let mut h = [[0.0; 5]; 5];
        for step in 0..12 {
            let (theta, gradient) = (state.theta.clone(), state.gradient.clone());
            let direction = solver.work.as_ref().unwrap().direction.clone();
            (state, _) = solver.next_iter(&mut problem, state).unwrap();
            let s: Vec<f64> = state.theta.iter().zip(&theta).map(|(a, b)| a - b).collect();
            let y: Vec<f64> = state.gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
            let sy = vector::dot(&s, &y);
            if step == 0 {
                for i in 0..5 {
                    h[i][i] = sy / vector::dot(&y, &y);
                }
            }
            // Bs by a dense solve, not from the gradient: H·(Bs) = s.
            let bs = solve(h, &s);
            let hy: Vec<f64> = h.iter().map(|row| vector::dot(row, &y)).collect();
            let (yhy, sbs) = (vector::dot(&y, &hy), vector::dot(&s, &bs));
            let (phi, tau) = match update {
                Update::Bfgs => (1.0, 1.0),
                Update::Dfp => (0.0, 1.0),
                Update::SelfScaledBfgs => (1.0, (sy / sbs).min(1.0)),
                Update::SelfScaledBroyden => update.parameters(sbs / sy, yhy / sy, 5),
            };
            outer(-yhy.recip(), &hy, &hy, &mut h);
            let v: Vec<f64> =
                s.iter().zip(&hy).map(|(s, hy)| yhy.sqrt() * (s / sy - hy / yhy)).collect();
            outer(phi, &v, &v, &mut h);
            h.iter_mut().flatten().for_each(|entry| *entry /= tau);
            outer(sy.recip(), &s, &s, &mut h);
            let next = &solver.work.as_ref().unwrap().direction;
            assert_ne!(next, &direction);
            for i in 0..5 {
                let expected = -vector::dot(&h[i], &state.gradient);
                let size = vector::norm(next);
                assert!((next[i] - expected).abs() < 1e-7 * size, "{update:?} step {step}");
            }
        }
    }

    /// Gauss–Jordan without pivots, for a positive definite H.
    fn solve(mut h: [[f64; 5]; 5], b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for k in 0..5 {
            let pivot = h[k][k];
            for i in 0..5 {
                if i != k {
                    let factor = h[i][k] / pivot;
                    for j in 0..5 {
                        h[i][j] -= factor * h[k][j];
                    }
                    x[i] -= factor * x[k];
                }
            }
        }
        (0..5).map(|k| x[k] / h[k][k]).collect()
    }

    #[test]
    fn self_scaled_broyden_keeps_to_the_bounds_that_make_it_converge() {
        for b in [1e-3, 0.2, 0.9, 1.0, 1.5, 30.0, 1e4] {
            for excess in [0.0, 1e-9, 0.1, 3.0, 1e5] {
                let h = (1.0 + excess) / b;
                let (phi, tau) = self_scaled_broyden(b, h, 50);
                assert!(tau > 0.0 && tau <= 1.0 && phi.is_finite(), "{b} {h}: {phi} {tau}");
                // H⁺ is positive definite for φ above 1/(1 − b·h), the degenerate member.
                assert!(phi * (1.0 - b * h) < 1.0, "{b} {h}: {phi}");
            }
        }
        // H exactly right along s: nothing to scale, and the update is BFGS.
        let (phi, tau) = self_scaled_broyden(1.0, 1.0, 50);
        assert!((phi - 1.0).abs() < 1e-6 && (tau - 1.0).abs() < 1e-6, "{phi} {tau}");
    }
}
