//! L-BFGS-B: minimise f(θ) in a box l ≤ θ ≤ u with gradients and limited memory.
//!
//! Update: θᶜ, the first local minimum of the quadratic model gᵀp + ½pᵀBp along the projected path of −g (the generalised Cauchy point), fixes
//! which bounds hold; the model is minimised over the other parameters, and the end θ̄ projected into the box where that is downhill, else
//! cut at the first bound. Then θ⁺ = θ + α(θ̄ − θ), strong Wolfe, α at most what the box allows. Every trial is in the box, to the bit.
//! Stop: [`Stopping`] with the gradient without the entries that the bounds block: zero exactly at first-order points.
//! A start outside is moved to the nearest point of the box.
//! Memory 2mn + 8n. Cost per step: 4mn + 4m²·(free parameters), n·log n for the path, one evaluation of f with ∇f as a rule.
//! Source: Byrd, Lu, Nocedal & Zhu (1995), SIAM J. Sci. Comput. 16, algorithms CP and direct primal; Morales & Nocedal (2011), ACM
//! TOMS 38, for the projection.

use crate::error::{OptimError, require};
use crate::linalg::direct_memory::DirectMemory;
use crate::linalg::vector;
use crate::line_search::{Found, StrongWolfe};
use crate::problem::bounds::Bounds;
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::line_step::{self, Bend};
use crate::solver::quasi_newton::probe::{Probe, Seen};
use crate::solver::quasi_newton::safeguard::shows_curvature;
use argmin::core::{Error, KV, Problem, Solver};
use secant_core::problem::Objective;
use serde::{Deserialize, Serialize};

/// m, the pairs kept.  Byrd, Lu, Nocedal & Zhu (1995) §6: 3 to 20.
pub const MEMORY: usize = 10;
/// A promise below this part of f is rounding.
const NOISE: f64 = 64.0 * f64::EPSILON;
const NAME: &str = "L-BFGS-B";

/// Limited-memory BFGS in a box.
///
/// ```
/// use secant_core::problem::Objective;
/// use secant_optim::{Bounds, LbfgsB, minimize};
/// /// ½(x − 3)² + ½(y + 1)²
/// struct Bowl;
/// impl Objective for Bowl {
///     fn dim(&self) -> usize { 2 }
///     fn value(&self, t: &[f64]) -> f64 { self.value_gradient(t, &mut [0.0; 2]) }
///     fn value_gradient(&self, t: &[f64], g: &mut [f64]) -> f64 {
///         (g[0], g[1]) = (t[0] - 3.0, t[1] + 1.0);
///         0.5 * (g[0] * g[0] + g[1] * g[1])
///     }
/// }
/// let solution = minimize(&Bowl, LbfgsB::new(Bounds::nonnegative(2)), &[1.0, 1.0])?;
/// assert!((solution.theta[0] - 3.0).abs() < 1e-8 && solution.theta[1] == 0.0);
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LbfgsB {
    /// l and u. Default none.
    pub bounds: Bounds,
    /// m ≥ 1, the pairs kept. Default [`MEMORY`].
    pub memory: usize,
    /// The line search.
    pub search: StrongWolfe,
    /// When to stop; gradients are those that the bounds leave.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Workspace>,
}

impl Default for LbfgsB {
    fn default() -> Self {
        Self {
            bounds: Bounds::default(),
            memory: MEMORY,
            search: StrongWolfe::default(),
            stopping: Stopping::default(),
            work: None,
        }
    }
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    bounds: Bounds,
    history: DirectMemory,
    /// ∇f(θ), without the bounds.
    smooth: Vec<f64>,
    /// θᶜ, then θ̄
    target: Vec<f64>,
    /// θ̄ − θ
    direction: Vec<f64>,
    trial: Vec<f64>,
    trial_smooth: Vec<f64>,
    trial_gradient: Vec<f64>,
    /// (tⱼ, j) of the bounds along the path.
    breaks: Vec<(f64, usize)>,
    free: Vec<usize>,
    s: Vec<f64>,
    y: Vec<f64>,
    dropped: u32,
    skipped: u32,
    probe: Probe,
}

impl LbfgsB {
    /// In this box.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// m ≥ 1.
    pub fn with_memory(mut self, memory: usize) -> Self {
        self.memory = memory;
        self
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
    fn new(bounds: Bounds, smooth: Vec<f64>, memory: usize) -> Self {
        let n = smooth.len();
        let zeros = || vec![0.0; n];
        Self {
            bounds,
            history: DirectMemory::new(memory),
            smooth,
            probe: Probe::default(),
            target: zeros(),
            direction: zeros(),
            trial: zeros(),
            trial_smooth: zeros(),
            trial_gradient: zeros(),
            breaks: Vec::with_capacity(n),
            free: Vec::with_capacity(n),
            s: zeros(),
            y: zeros(),
            dropped: 0,
            skipped: 0,
        }
    }

    /// `target` ← θᶜ, `free` ← the parameters that it leaves between their bounds. Returns c = Wᵀ(θᶜ − θ).  Algorithm CP.
    fn cauchy_point(&mut self, theta: &[f64]) -> Vec<f64> {
        let (g, d) = (&self.smooth, &mut self.direction);
        self.target.copy_from_slice(theta);
        self.breaks.clear();
        for (j, d) in d.iter_mut().enumerate() {
            *d = if self.bounds.blocks(j, theta[j], g[j]) { 0.0 } else { -g[j] };
            let bound = if *d > 0.0 { self.bounds.upper()[j] } else { self.bounds.lower()[j] };
            if *d != 0.0 && bound.is_finite() {
                self.breaks.push(((bound - theta[j]) / *d, j));
            }
        }
        self.breaks.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let width = self.history.width();
        let sigma = self.history.scale();
        let (mut p, mut c, mut row) = (vec![0.0; width], vec![0.0; width], vec![0.0; width]);
        self.history.transpose(d, &mut p);
        let mut slope = -vector::dot(d, d);
        let first_curvature = -sigma * slope;
        let mut curvature = first_curvature - vector::dot(&p, &self.history.middle(&p));
        let mut at = 0.0;
        let mut length = if slope < 0.0 { -slope / curvature } else { 0.0 };
        for &(t, b) in &self.breaks {
            let interval = t - at;
            // Written so that a curvature that rounding made negative goes on to the next bound.
            if length >= 0.0 && length < interval {
                break;
            }
            let (g_b, bound) =
                (g[b], if d[b] > 0.0 { self.bounds.upper()[b] } else { self.bounds.lower()[b] });
            self.target[b] = bound;
            let moved = bound - theta[b];
            vector::axpy(interval, &p, &mut c);
            self.history.row(b, &mut row);
            let m_row = self.history.middle(&row);
            slope += interval * curvature + g_b * g_b + sigma * g_b * moved
                - g_b * vector::dot(&m_row, &c);
            curvature -= sigma * g_b * g_b
                + 2.0 * g_b * vector::dot(&m_row, &p)
                + g_b * g_b * vector::dot(&m_row, &row);
            // Clamp: rounding must not make a positive definite B look otherwise.
            curvature = curvature.max(f64::EPSILON * first_curvature);
            vector::axpy(g_b, &row, &mut p);
            d[b] = 0.0;
            at = t;
            length = if slope < 0.0 { -slope / curvature } else { 0.0 };
        }
        let length = if length.is_finite() { length.max(0.0) } else { 0.0 };
        vector::axpy(length, &p, &mut c);
        self.free.clear();
        for (j, d) in d.iter().enumerate() {
            if *d != 0.0 {
                let along = (at + length).mul_add(*d, theta[j]);
                self.target[j] = crate::problem::bounds::clamp(
                    along,
                    self.bounds.lower()[j],
                    self.bounds.upper()[j],
                );
                self.free.push(j);
            }
        }
        c
    }

    /// `target` ← θ̄, the minimum of the model over the free parameters, in the box.
    fn subspace(&mut self, theta: &[f64], c: &[f64]) {
        // r = g + σ(θᶜ − θ) − W·M·c, on the free parameters.
        let sigma = self.history.scale();
        let mut model = self.smooth.clone();
        for (model, (to, t)) in model.iter_mut().zip(self.target.iter().zip(theta)) {
            *model += sigma * (to - t);
        }
        if !self.history.is_empty() {
            self.history.add(-1.0, &self.history.middle(c), &mut model);
        }
        let r: Vec<f64> = self.free.iter().map(|j| model[*j]).collect();
        let mut step = vec![0.0; r.len()];
        if !self.history.solve_free(&self.free, &r, &mut step) {
            return;
        }
        let (lower, upper) = (self.bounds.lower(), self.bounds.upper());
        let projected = |j: usize, p: f64| {
            crate::problem::bounds::clamp(self.target[j] + p, lower[j], upper[j])
        };
        let downhill: f64 = (0..theta.len())
            .filter(|j| self.free.binary_search(j).is_err())
            .map(|j| self.smooth[j] * (self.target[j] - theta[j]))
            .chain(
                self.free
                    .iter()
                    .zip(&step)
                    .map(|(j, p)| self.smooth[*j] * (projected(*j, *p) - theta[*j])),
            )
            .sum();
        let cut = if downhill < 0.0 {
            1.0
        } else {
            let room = self.free.iter().zip(&step).map(|(&j, p)| {
                let bound = if *p > 0.0 { upper[j] } else { lower[j] };
                if *p == 0.0 { f64::INFINITY } else { (bound - self.target[j]) / p }
            });
            room.fold(1.0, f64::min).max(0.0)
        };
        let ends: Vec<f64> =
            self.free.iter().zip(&step).map(|(j, p)| projected(*j, cut * p)).collect();
        for (j, end) in self.free.iter().zip(ends) {
            self.target[*j] = end;
        }
    }

    fn advance<P: Objective>(
        &mut self,
        search: &StrongWolfe,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), Reason> {
        let first = self.step(search, problem, state);
        if first.is_ok() || self.history.is_empty() {
            return first;
        }
        self.history.clear();
        self.dropped += 1;
        // The quasi-Newton direction knew the scale: its verdict is the one to report.
        self.step(search, problem, state).or(first)
    }

    /// `direction` ← to the minimum of the model in the box, or −∇f where there is none; returns the first α.
    fn propose(&mut self, state: &FitState) -> f64 {
        if self.history.is_empty() {
            // −g, for which the first step has its own scale; the path beyond is the line search's.
            vector::scale_into(-1.0, &state.gradient, &mut self.direction);
            return line_step::first_steepest_step(state);
        }
        let c = self.cauchy_point(&state.theta);
        self.subspace(&state.theta, &c);
        vector::subtract(&self.target, &state.theta, &mut self.direction);
        1.0
    }

    /// The decrease that the model promises, NaN where there is none.
    fn promise(&mut self, state: &FitState) -> f64 {
        self.propose(state);
        let slope = vector::dot(&self.smooth, &self.direction);
        if self.history.is_empty() { f64::NAN } else { -0.5 * slope }
    }

    /// Decides a claim of the end; a pair that the look brings is learned.
    fn confirm<P: Objective>(
        &mut self,
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
        promised: f64,
    ) {
        let (bounds, gradient) = (Some(&self.bounds), Some(&self.smooth[..]));
        let seen = self.probe.confirm(stopping, problem, state, gradient, promised, bounds);
        if seen == Seen::Pair {
            self.history.push(&self.probe.s, &self.probe.y);
        }
    }

    /// Decides the end of a search that found no step, as [`confirm`](Self::confirm) does.
    fn refuse<P: Objective>(
        &mut self,
        reason: Reason,
        stopping: &Stopping,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) {
        let (bounds, gradient) = (Some(&self.bounds), Some(&self.smooth[..]));
        let seen = self.probe.refuse(reason, stopping, problem, state, gradient, bounds);
        if seen == Seen::Pair {
            self.history.push(&self.probe.s, &self.probe.y);
        }
    }

    fn step<P: Objective>(
        &mut self,
        search: &StrongWolfe,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<(), Reason> {
        let initial = self.propose(state);
        let slope = vector::dot(&self.smooth, &self.direction);
        let room = self.bounds.longest(&state.theta, &self.direction);
        let initial = initial.min(room);
        let newton = initial == 1.0 && !self.history.is_empty();
        let noise = NOISE * state.value.abs();
        let promised = line_step::promised(state, slope, initial, &self.direction);
        if slope.is_nan() || slope >= 0.0 || initial <= 0.0 {
            let at_floor = promised <= noise;
            return Err(if at_floor { Reason::RoundingFloor } else { Reason::LineSearchFailed });
        }
        let mut bend = Bend::new(slope);
        let growth = (room / initial).clamp(1.0, search.max_growth);
        let limited = StrongWolfe { max_growth: growth, ..*search };
        let (mut finite_ahead, mut latest) = (false, f64::NAN);
        let found = limited.search(state.value, slope, initial, |alpha| {
            if newton && alpha == 1.0 {
                self.trial.copy_from_slice(&self.target);
            } else {
                self.bounds.step(&state.theta, alpha, &self.direction, &mut self.trial);
            }
            latest = eval::value_gradient_within(
                problem,
                &self.trial,
                &self.bounds,
                &mut self.trial_smooth,
            );
            let at_slope = vector::dot(&self.trial_smooth, &self.direction);
            finite_ahead |= latest.is_finite() && at_slope.is_finite();
            if latest.is_finite() && latest - state.value > noise {
                bend.see(alpha, latest - state.value, at_slope);
            }
            (latest, at_slope)
        });
        if matches!(found, Found::Nothing { .. }) || self.trial == state.theta {
            return Err(if promised.min(bend.promise) <= noise {
                Reason::RoundingFloor
            } else if finite_ahead {
                Reason::LineSearchFailed
            } else {
                Reason::NonFiniteValue
            });
        }
        if !vector::all_finite(&self.trial_smooth) {
            return Err(Reason::NonFiniteValue);
        }
        vector::subtract(&self.trial, &state.theta, &mut self.s);
        vector::subtract(&self.trial_smooth, &self.smooth, &mut self.y);
        let sy = vector::dot(&self.s, &self.y);
        if shows_curvature(sy, vector::norm(&self.s) * vector::norm(&self.y)) {
            self.history.push(&self.s, &self.y);
        } else {
            self.skipped += 1;
        }
        std::mem::swap(&mut self.smooth, &mut self.trial_smooth);
        self.bounds.reduced_gradient(&self.trial, &self.smooth, &mut self.trial_gradient);
        let before = state.gradient_norm;
        let rounding = state.value.abs().max(state.start_summary().value.abs());
        let unseen = (latest - state.value).abs() <= NOISE * rounding;
        state.accept(&mut self.trial, latest, &mut self.trial_gradient);
        if unseen && state.gradient_norm < before {
            state.prefer();
        }
        Ok(())
    }
}

impl FitSolver for LbfgsB {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn bounds(&self) -> Option<&Bounds> {
        Some(&self.bounds)
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        let pairs = self.stopping.most_of(self.memory);
        Some(bytes(&[(2, n, pairs), (8, pairs, pairs), (14, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        require(self.memory > 0, NAME, "memory", self.memory as f64, "≥ 1")?;
        line_step::validate(NAME, &self.search)?;
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

impl<P: Objective> Solver<P, FitState> for LbfgsB {
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
        let bounds = self.bounds.of(eval::dim(problem))?;
        bounds.project(&mut state.theta);
        let mut smooth = vec![0.0; eval::dim(problem)];
        eval::start_with(NAME, &self.stopping, problem, &mut state, |problem, theta, gradient| {
            let value = eval::value_gradient_within(problem, theta, &bounds, &mut smooth);
            bounds.reduced_gradient(theta, &smooth, gradient);
            value
        })?;
        self.work = Some(Workspace::new(bounds, smooth, self.memory));
        state.with_foresight();
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        match work.advance(&self.search, problem, &mut state) {
            Ok(()) => {
                eval::finish(&self.stopping, problem, &mut state);
                if state.claim().is_some() {
                    let promised = work.promise(&state);
                    work.confirm(&self.stopping, problem, &mut state, promised);
                }
            }
            Err(reason) => work.refuse(reason, &self.stopping, problem, &mut state),
        }
        Ok((state, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argmin::core::State;

    fn wave(n: usize, frequency: f64) -> Vec<f64> {
        (0..n).map(|i| (frequency * (i as f64 + 0.5)).sin()).collect()
    }

    /// B·x
    fn image(history: &DirectMemory, x: &[f64]) -> Vec<f64> {
        let mut along = vec![0.0; history.width()];
        history.transpose(x, &mut along);
        let mut product: Vec<f64> = x.iter().map(|x| history.scale() * x).collect();
        history.add(-1.0, &history.middle(&along), &mut product);
        product
    }

    /// The first local minimum of the model along the projected path, segment by segment with whole vectors.
    fn by_segments(work: &Workspace, theta: &[f64]) -> Vec<f64> {
        let n = theta.len();
        let at = |t: f64| {
            let mut x: Vec<f64> = (0..n).map(|j| theta[j] - t * work.smooth[j]).collect();
            work.bounds.project(&mut x);
            x
        };
        let bound = |j: usize| {
            let g = work.smooth[j];
            (theta[j] - if g > 0.0 { work.bounds.lower()[j] } else { work.bounds.upper()[j] }) / g
        };
        let mut breaks: Vec<f64> = (0..n).map(bound).filter(|t| t.is_finite()).collect();
        breaks.sort_by(f64::total_cmp);
        breaks.push(f64::INFINITY);
        let mut from = 0.0;
        for to in breaks {
            let d: Vec<f64> =
                (0..n).map(|j| if bound(j) > from { -work.smooth[j] } else { 0.0 }).collect();
            let x = at(from);
            let p: Vec<f64> = (0..n).map(|j| x[j] - theta[j]).collect();
            let slope = vector::dot(&work.smooth, &d) + vector::dot(&image(&work.history, &p), &d);
            let curvature = vector::dot(&image(&work.history, &d), &d);
            if slope >= 0.0 {
                return x;
            }
            if from - slope / curvature < to {
                return at(from - slope / curvature);
            }
            from = to;
        }
        at(from)
    }

    #[test]
    fn the_cauchy_point_is_the_first_minimum_along_the_projected_path() {
        let n = 7;
        let mut ends = [0; 2];
        for case in 0..40 {
            let shift = f64::from(case);
            let theta: Vec<f64> = wave(n, 0.3 + shift);
            let width = 0.1 * (1.0 + shift % 5.0).powi(2);
            let lower = theta.iter().zip(wave(n, 1.9 + shift)).map(|(t, w)| t - width * (1.0 + w));
            let upper = theta.iter().zip(wave(n, 2.7 + shift)).map(|(t, w)| t + width * (1.0 + w));
            let bounds = Bounds::new(lower.collect(), upper.collect()).unwrap();
            let mut work = Workspace::new(bounds, wave(n, 1.1 + shift), 3);
            for k in 0..3 {
                let s = wave(n, 0.7 + shift + f64::from(k));
                let y: Vec<f64> =
                    s.iter().enumerate().map(|(k, s)| (1 + k % 4) as f64 * s).collect();
                assert!(work.history.push(&s, &y));
            }
            let wanted = by_segments(&work, &theta);
            let c = work.cauchy_point(&theta);
            let (_, gap) = vector::distance(&work.target, &wanted);
            assert!(gap < 1e-12, "case {case}: {gap:e} {:?} {wanted:?}", work.target);
            let p: Vec<f64> = (0..n).map(|j| wanted[j] - theta[j]).collect();
            let mut along = vec![0.0; c.len()];
            work.history.transpose(&p, &mut along);
            let (_, gap) = vector::distance(&c, &along);
            assert!(gap < 1e-11, "case {case}: {gap:e}");
            ends[usize::from(work.free.len() < n)] += 1;
        }
        assert!(ends.iter().all(|count| *count > 2), "both with and without bounds: {ends:?}");
    }

    #[test]
    fn refused_step_drops_the_history_and_tries_steepest_descent_once() {
        struct Bowl;
        impl Objective for Bowl {
            fn dim(&self) -> usize {
                2
            }
            fn value(&self, x: &[f64]) -> f64 {
                self.value_gradient(x, &mut [0.0; 2])
            }
            fn value_gradient(&self, x: &[f64], g: &mut [f64]) -> f64 {
                (g[0], g[1]) = (x[0], 3.0 * x[1]);
                0.5 * (x[0] * g[0] + x[1] * g[1])
            }
        }
        let mut problem = Problem::new(Bowl);
        let mut solver = LbfgsB::default();
        let state = FitState::new().param(vec![1.0, -2.0]);
        let (mut state, _) = solver.init(&mut problem, state).unwrap();
        (state, _) = solver.next_iter(&mut problem, state).unwrap();
        // A B so wrong that its step does not show in θ.
        let work = solver.work.as_mut().unwrap();
        assert!(work.history.push(&[1e-30, 1e-30], &[1.0, 1.0]));
        let before = state.value();
        (state, _) = solver.next_iter(&mut problem, state).unwrap();
        assert!(state.value() < before && state.reason().is_none());
        assert_eq!(solver.notes(), ["history dropped 1×"]);
    }
}
