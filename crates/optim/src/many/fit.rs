//! One small fit: Levenberg–Marquardt as [`LevenbergMarquardt`](crate::LevenbergMarquardt) has it, with the same model, tests and
//! constants, in memory that is kept from group to group; in a box by an active set.

use super::model::{At, Problem, Robust, Spare, Step};
use super::outcome::Outcome;
use super::problem::SmallLeastSquares;
use crate::linalg::vector;
use crate::problem::bounds::Bounds;
use crate::run::stopping::{FLOOR_GRADIENT, FLOOR_VALUE, Reason, Standing, StepTaken, Stopping};
use crate::solver::least_squares::levenberg_marquardt::{
    FASTEST_FALL, LEAST_DAMPING, LINEAR, LevenbergMarquardt, MAX_TRIALS, PROBE, WAKE, WAKE_AGAIN,
};
use crate::solver::least_squares::polish::{
    AGAIN, FLOOR_OFFSET, FLOOR_RESIDUAL, KEEP, RESOLVED, STEPS,
};
use crate::solver::least_squares::residual_model::NEAR;
use std::time::{Duration, Instant};

/// What all groups have in common.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub method: LevenbergMarquardt,
    /// Those of the method, with its own tolerance.
    pub stopping: Stopping,
    pub bounds: Option<Bounds>,
    pub robust: Option<Robust>,
    /// Residuals are in standard deviations: the errors are not scaled by their size.
    pub absolute: bool,
}

/// What a fit came to, beside the parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub outcome: Outcome,
    pub iterations: u64,
    pub evaluations: u64,
    /// f
    pub value: f64,
}

/// The memory of one thread.
#[derive(Debug)]
pub(super) struct Workspace<S> {
    scratch: Option<S>,
    now: At,
    next: At,
    step: Step,
    accel: Step,
    spare: Spare,
}

impl<S> Default for Workspace<S> {
    fn default() -> Self {
        let (step, accel) = (Step::default(), Step::default());
        Self { scratch: None, now: At::new(), next: At::new(), step, accel, spare: Spare::new() }
    }
}

/// The books of one run.
struct Run<'a> {
    rules: &'a Rules,
    /// μ
    damping: f64,
    /// ν
    growth: f64,
    fresh: bool,
    wake_below: f64,
    rejected: bool,
    /// Undamped steps are not tried before the offset or f is below these.
    polish_below: (f64, f64),
    start_value: f64,
    first_gradient: f64,
    gradient_floor: f64,
    stalled: u32,
    step: Option<StepTaken>,
    iterations: u64,
    clock: Option<Instant>,
}

/// What the trials of one iteration met.
#[derive(Default)]
struct Ahead {
    promised: Option<f64>,
    finite: bool,
    not_finite: bool,
}

impl<S: Send> Workspace<S> {
    /// Fits one group from `theta`, which becomes what was found; `errors` ← standard errors.
    pub fn fit<P: SmallLeastSquares<Scratch = S>>(
        &mut self,
        of: &P,
        rules: &Rules,
        theta: &mut [f64],
        errors: &mut [f64],
    ) -> Ended {
        errors.fill(f64::NAN);
        let (m, n) = of.shape();
        let refused = |outcome| Ended { outcome, iterations: 0, evaluations: 0, value: f64::NAN };
        if m < n || m == 0 {
            return refused(Outcome::TooFew);
        }
        if !vector::all_finite(theta) {
            return refused(Outcome::NoStart);
        }
        let mut scratch = self.scratch.take().unwrap_or_else(|| of.scratch());
        self.now.resize(m, n);
        self.next.resize(m, n);
        self.step.resize(n);
        self.accel.resize(n);
        self.spare.resize(m, n);
        if let Some(bounds) = &rules.bounds {
            bounds.project(theta);
        }
        self.next.theta.copy_from_slice(theta);
        let mut problem = Problem {
            of,
            scratch: &mut scratch,
            robust: rules.robust,
            bounds: rules.bounds.as_ref(),
            evaluations: 0,
        };
        let mut run = Run::new(rules);
        let reason = self.run(&mut problem, &mut run);
        let evaluations = problem.evaluations;
        theta.copy_from_slice(&self.now.theta);
        let mut outcome = Outcome::Ended(reason);
        if reason != Reason::NonFiniteStart {
            let determined = self.now.errors(rules.absolute, errors, &mut self.spare);
            if reason.is_success() && !determined {
                outcome = Outcome::Undetermined(reason);
            }
        }
        self.scratch = Some(scratch);
        Ended { outcome, iterations: run.iterations, evaluations, value: self.now.value }
    }

    fn run<P: SmallLeastSquares<Scratch = S>>(
        &mut self,
        problem: &mut Problem<'_, P>,
        run: &mut Run<'_>,
    ) -> Reason {
        let finite = self.next.linearize(problem);
        std::mem::swap(&mut self.now, &mut self.next);
        if !finite {
            return Reason::NonFiniteStart;
        }
        run.begin(&self.now);
        let scaling = run.rules.method.scaling;
        if let Some(reason) = run.claim(&self.now, problem.evaluations) {
            let left = run.start_value > 0.0 && self.now.norms.iter().all(|norm| *norm == 0.0);
            let blind = left && reason == Reason::GradientConverged;
            self.now.factor(None, scaling, &mut self.spare);
            return if blind { Reason::NoCurvature } else { reason };
        }
        self.now.factor(None, scaling, &mut self.spare);
        if self.now.offset <= run.rules.method.offset_tolerance {
            return Reason::OffsetConverged;
        }
        if let Some(reason) = run.used_up(&self.now, problem.evaluations) {
            return reason;
        }
        loop {
            if let Err(reason) = self.advance(problem, run) {
                return reason;
            }
            let floor = run.meets(&self.now).is_none() && self.polish(problem, run);
            if let Some(reason) = run.claim(&self.now, problem.evaluations) {
                return reason;
            }
            if self.now.offset <= run.rules.method.offset_tolerance {
                return Reason::OffsetConverged;
            }
            if floor {
                return Reason::RoundingFloor;
            }
            if let Some(reason) = run.used_up(&self.now, problem.evaluations) {
                return reason;
            }
        }
    }

    /// One accepted step: μ grows until a trial is good enough.
    fn advance<P: SmallLeastSquares<Scratch = S>>(
        &mut self,
        problem: &mut Problem<'_, P>,
        run: &mut Run<'_>,
    ) -> Result<(), Reason> {
        let method = &run.rules.method;
        let mut ahead = Ahead { promised: self.wake(problem, run), ..Ahead::default() };
        let woken = ahead.promised.is_some();
        run.rejected = false;
        for _ in 0..MAX_TRIALS {
            let undamped = std::mem::take(&mut run.fresh);
            let (mu, limit, enough) = if undamped {
                (0.0, None, LINEAR)
            } else {
                (run.damping, method.acceleration_limit, method.accept)
            };
            if let Some(predicted) = self.propose(problem, run, mu, limit) {
                ahead.promised = ahead.promised.or(Some(predicted));
                if self.next.theta == self.now.theta {
                    break;
                }
                // With J at once, since most trials are accepted; but the undamped one.
                let linear = !undamped && self.next.linearize(problem);
                let value = if undamped {
                    problem.residuals(&self.next.theta, &mut self.next.residuals)
                } else {
                    self.next.value
                };
                let rho = self.reduction() / predicted;
                if value.is_finite() && rho >= enough {
                    if linear || (undamped && self.next.linearize(problem)) {
                        self.next.factor(Some(&self.now), method.scaling, &mut self.spare);
                        std::mem::swap(&mut self.now, &mut self.next);
                        run.accept(&self.now, &self.next);
                        if !undamped {
                            run.relax(rho);
                        }
                        if woken && run.rejected {
                            run.wake_below = WAKE_AGAIN * self.now.value;
                        }
                        return Ok(());
                    }
                    ahead.not_finite = true;
                } else if value.is_finite() {
                    ahead.finite = true;
                } else {
                    ahead.not_finite = true;
                }
            }
            if !undamped {
                run.damp();
            }
        }
        match ahead.refusal(self.now.value, run) {
            Reason::LineSearchFailed if self.is_at_resolution(run) => Err(Reason::RoundingFloor),
            reason => Err(reason),
        }
    }

    /// Whether the undamped step is rounding in every entry of θ.
    fn is_at_resolution(&mut self, run: &Run<'_>) -> bool {
        let bounds = run.rules.bounds.as_ref();
        self.now.solve(0.0, &mut self.step, &mut self.spare, bounds).is_some()
            && vector::is_rounding(&self.step.p, &self.now.theta)
    }

    /// Lowers μ where the damped step promises less than f can show and the undamped one much more.
    fn wake<P: SmallLeastSquares<Scratch = S>>(
        &mut self,
        problem: &Problem<'_, P>,
        run: &mut Run<'_>,
    ) -> Option<f64> {
        let value = self.now.value;
        let undamped = 0.5 * self.now.offset * self.now.offset * value;
        let visible = RESOLVED * value;
        let unknown = run.fresh || !undamped.is_finite();
        if unknown || undamped <= visible || value > run.wake_below {
            return None;
        }
        let mut first = None;
        while run.damping > LEAST_DAMPING {
            let promised =
                self.now.solve(run.damping, &mut self.step, &mut self.spare, problem.bounds);
            let Some(promised) = promised.filter(|promised| *promised <= visible) else { break };
            first = first.or(Some(promised));
            run.damping *= WAKE;
            run.growth = 2.0;
        }
        first
    }

    /// `next.theta` ← θ + v + a; the decrease that the model promises for v, none where μ must grow.
    fn propose<P: SmallLeastSquares<Scratch = S>>(
        &mut self,
        problem: &mut Problem<'_, P>,
        run: &Run<'_>,
        mu: f64,
        limit: Option<f64>,
    ) -> Option<f64> {
        let predicted = self.now.solve(mu, &mut self.step, &mut self.spare, problem.bounds)?;
        let coarse = predicted > RESOLVED * self.now.value && !run.at_floor(self.now.value);
        if let Some(limit) = limit.filter(|_| coarse && !self.step.cut) {
            let along = (&self.step, &mut self.accel);
            let at = &mut self.next.theta;
            let found = self.now.accelerate(problem, (PROBE, mu), along, at, &mut self.spare);
            if found.is_some() {
                let ratio = 2.0 * vector::norm(&self.accel.z) / vector::norm(&self.step.z);
                // Written so that NaN is refused.
                let small = ratio <= limit;
                if !small {
                    return None;
                }
                vector::axpy(1.0, &self.accel.p, &mut self.step.p);
            }
        }
        self.take_step(problem.bounds);
        Some(predicted)
    }

    fn take_step(&mut self, bounds: Option<&Bounds>) {
        vector::step(&self.now.theta, 1.0, &self.step.p, &mut self.next.theta);
        if let Some(bounds) = bounds {
            bounds.project(&mut self.next.theta);
        }
    }

    /// f(θ) − f(θ⁺) as ½(r − r⁺)ᵀ(r + r⁺).
    fn reduction(&self) -> f64 {
        let pairs = self.now.residuals.iter().zip(&self.next.residuals);
        0.5 * pairs.map(|(r, next)| (r - next) * (r + next)).sum::<f64>()
    }

    /// Undamped steps within the iteration, while they help; whether one was refused where nothing is left to gain.
    fn polish<P: SmallLeastSquares<Scratch = S>>(
        &mut self,
        problem: &mut Problem<'_, P>,
        run: &mut Run<'_>,
    ) -> bool {
        for _ in 0..STEPS {
            let (offset, value) = (self.now.offset, self.now.value);
            let near = offset <= NEAR.min(run.polish_below.0);
            let exact = run.at_floor(value) && value <= run.polish_below.1;
            if !(near || exact) || offset <= run.rules.method.offset_tolerance {
                return false;
            }
            if !self.polishing_step(problem, run) {
                run.polish_below = (AGAIN * offset, AGAIN * value);
                return offset <= FLOOR_OFFSET || run.is_rounding_of_start(value);
            }
        }
        false
    }

    fn polishing_step<P: SmallLeastSquares<Scratch = S>>(
        &mut self,
        problem: &mut Problem<'_, P>,
        run: &mut Run<'_>,
    ) -> bool {
        if self.now.solve(0.0, &mut self.step, &mut self.spare, problem.bounds).is_none() {
            return false;
        }
        self.take_step(problem.bounds);
        if self.next.theta == self.now.theta || !self.next.linearize(problem) {
            return false;
        }
        let (now, value) = (self.now.value, self.next.value);
        if value > now + RESOLVED * now {
            return false;
        }
        self.next.factor(Some(&self.now), run.rules.method.scaling, &mut self.spare);
        if !(self.next.offset <= KEEP * self.now.offset || value <= 0.5 * now) {
            return false;
        }
        std::mem::swap(&mut self.now, &mut self.next);
        run.gradient_floor = run.gradient_floor.min(vector::norm_inf(&self.now.gradient));
        true
    }
}

impl<'a> Run<'a> {
    fn new(rules: &'a Rules) -> Self {
        Self {
            rules,
            damping: rules.method.initial_damping,
            growth: 2.0,
            fresh: true,
            wake_below: f64::INFINITY,
            rejected: false,
            polish_below: (f64::INFINITY, f64::INFINITY),
            start_value: f64::NAN,
            first_gradient: f64::NAN,
            gradient_floor: f64::NAN,
            stalled: 0,
            step: None,
            iterations: 0,
            clock: rules.stopping.max_time.map(|_| Instant::now()),
        }
    }

    fn begin(&mut self, at: &At) {
        self.start_value = at.value;
        self.first_gradient = vector::norm_inf(&at.gradient);
        self.gradient_floor = self.first_gradient;
    }

    fn standing(&self, at: &At, evaluations: u64) -> Standing {
        Standing {
            iterations: self.iterations,
            max_iterations: self.rules.stopping.max_iterations,
            target: self.rules.stopping.target.unwrap_or(f64::NEG_INFINITY),
            value: at.value,
            gradient_norm: vector::norm_inf(&at.gradient),
            initial_gradient_norm: self.first_gradient,
            step: self.step,
            evaluations,
            elapsed: self.clock.map_or(Duration::ZERO, |clock| clock.elapsed()),
            stalled: self.stalled,
            blind: false,
        }
    }

    fn claim(&self, at: &At, evaluations: u64) -> Option<Reason> {
        self.rules.stopping.claim(&self.standing(at, evaluations))
    }

    fn used_up(&self, at: &At, evaluations: u64) -> Option<Reason> {
        self.rules.stopping.used_up(&self.standing(at, evaluations))
    }

    /// The end by the gradient or the target alone.
    fn meets(&self, at: &At) -> Option<Reason> {
        self.rules.stopping.claim(&Standing { step: None, ..self.standing(at, 0) })
    }

    /// After a step from `before` to `at`.
    fn accept(&mut self, at: &At, before: &At) {
        self.iterations += 1;
        let far = |a: f64, (x, y): (&f64, &f64)| a.max((x - y).abs());
        self.step = Some(StepTaken {
            previous_value: before.value,
            step_norm: at.theta.iter().zip(&before.theta).fold(0.0, far),
            theta_norm: vector::norm_inf(&at.theta),
        });
        let size = at.value.abs().max(before.value.abs());
        let gradient = vector::norm_inf(&at.gradient);
        let visible = (before.value - at.value).abs() > FLOOR_VALUE * f64::EPSILON * size;
        let falling = gradient < (1.0 - FLOOR_GRADIENT) * self.gradient_floor;
        self.stalled = if visible || falling { 0 } else { self.stalled + 1 };
        if falling {
            self.gradient_floor = gradient;
        }
    }

    /// Nielsen (1999).
    fn relax(&mut self, rho: f64) {
        let cube = (2.0 * rho - 1.0).powi(3);
        self.damping = (self.damping * (1.0 - cube).max(FASTEST_FALL)).max(LEAST_DAMPING);
        self.growth = 2.0;
    }

    fn damp(&mut self) {
        self.damping *= self.growth;
        self.growth *= 2.0;
        self.rejected = true;
    }

    /// f is so far below its start that r may be rounding.
    fn at_floor(&self, value: f64) -> bool {
        value <= f64::EPSILON * self.start_value
    }

    fn is_rounding_of_start(&self, value: f64) -> bool {
        let left_over = FLOOR_RESIDUAL * f64::EPSILON;
        value <= left_over * left_over * self.start_value
    }
}

impl Ahead {
    /// Why no trial was accepted.
    fn refusal(&self, value: f64, run: &Run<'_>) -> Reason {
        match self.promised {
            None => Reason::NonFiniteCurvature,
            Some(_) if self.not_finite && !self.finite => Reason::NonFiniteValue,
            Some(promised) if promised <= RESOLVED * value || run.at_floor(value) => {
                Reason::RoundingFloor
            }
            Some(_) => Reason::LineSearchFailed,
        }
    }
}
