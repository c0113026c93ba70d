//! A claimed end, looked at once more with the Hessian there, in units of the parameters' own curvature.
//!
//! A method judges its end by the model that it has: pairs of gradients, products along a Krylov space, JᵀJ, eigenvalues of an H whose units
//! differ. On a plateau, at the end of a valley where two terms have become one, or next to a weak negative curvature such a model
//! promises nothing, and the run would be called converged. Where n is small one Hessian tells more. With D = √|diag H| the matrix D⁻¹HD⁻¹
//! does not depend on the units of any parameter: where it is positive definite beyond rounding and its Newton step promises nothing
//! beside f, the claim stands, at the price of one linearisation and one Hessian. Otherwise a few steps of methods that are not those of the
//! run go on from there; the claim falls only where they do lower f, so that no estimate of rounding can overturn it.
//!
//! A unit of a network that has died (all weights into and out of it zero) leaves its bias without effect on f, and where the bias is large
//! the unit is saturated, so that H does not see what the weights could do. So parameters that f does not depend on are set to zero, where
//! f stays, and the Hessian there is asked too. A run of several methods goes on from the lower point.
//! Source: the decrement in units of the curvature as in Dennis & Schnabel (1983) §7.1; Conn, Gould & Toint (2000) §6.7 for scaled regions.

use super::Method;
use crate::linalg::vector;
use crate::run::costs::Costs;
use crate::run::limits::Interrupt;
use crate::run::minimize::{Iterates, Setup, Solution};
use crate::run::report::Report;
use crate::run::stopping::{FLOOR_VALUE, Reason, Stopping};
use crate::run::watch::Watch;
use crate::solver::{
    LevenbergMarquardt, Modification, Newton, Optimality, Scaling, Subproblem, TrustRegion,
};
use crate::subproblem::MoreSorensen;
use secant_core::problem::{Curvature, Form, Linearization};
use secant_core::text::enumerated;
use std::time::{Duration, Instant};

/// Most parameters.
pub const MOST_PARAMETERS: usize = 100;
/// The Hessian costs no more than this part of the run, in counted operations …
pub const PART_OF_RUN: f64 = 0.5;
/// … or no more than these: about a millisecond.
pub const FREE: f64 = 1e7;
/// Most steps of each method that goes on.
pub const STEPS: u64 = 20;
/// A claim falls where f is lowered by more than this part of itself, and by more than a thousand times the tolerance.
pub const LEFT: f64 = 1e-6;
/// Part of f(θ₀) below which half a sum of squares is zero: residuals that have fallen by 1e-10 …
pub const ZERO_SQUARES: f64 = 1e-20;
/// … or this part of Σ|hⱼⱼ|θⱼ², what f changes by when every parameter doubles, where that is less: a start can be bad beyond measure.
pub const ZERO_BESIDE_CHANGE: f64 = 1e-6;
/// Part of f(θ₀) that is nothing of any other f, whose terms may cancel.
pub const ZERO: f64 = 1e-15;

/// A parameter of which f does not depend: one whose own curvature changes f by less than this part when it goes to zero …
pub const IDLE: f64 = 1e-12;
/// … and all of them together by less than this part.
pub const SAME: f64 = 1e-10;

/// What a run that claims an end is judged by.
#[derive(Clone, Debug)]
pub(super) struct SecondLook {
    stopping: Stopping,
    interrupt: Option<Interrupt>,
    /// Whether the run goes on from a lower point where one was found.
    goes_on: bool,
}

/// What the Hessian at a point says.
struct Seen {
    /// What is nothing beside f.
    zero: f64,
    /// Curvature below rounding, or a decrease to be had.
    is_doubtful: bool,
    /// Parameters that f does not depend on, as far as their own curvature tells.
    idle: Vec<usize>,
}

impl SecondLook {
    /// For a run of `method`, if it sees curvature, within no bounds and without L1.
    pub(super) fn at(method: &Method, interrupt: Option<Interrupt>) -> Option<Self> {
        let needed = match method {
            Method::Newton(_)
            | Method::RegularizedNewton(_)
            | Method::NewtonCg(_)
            | Method::TrustRegion(_)
            | Method::AdaptiveCubic(_)
            | Method::Bfgs(_)
            | Method::Sr1(_)
            | Method::Lbfgs(_)
            | Method::NonlinearCg(_)
            | Method::GaussNewton(_)
            | Method::LevenbergMarquardt(_)
            | Method::VariableProjection(_) => true,
            Method::Tron(solver) => solver.bounds.is_free(),
            Method::LbfgsB(solver) => solver.bounds.is_free(),
            Method::BoundedLevenbergMarquardt(solver) => solver.bounds.is_free(),
            _ => false,
        };
        needed.then(|| Self { stopping: method.stopping().clone(), interrupt, goes_on: false })
    }

    /// The same, with the tests of a run that this one is a part of, and that goes on from the lower point.
    pub(super) fn of_a_stage(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self.goes_on = true;
        self
    }

    /// Looks at the end that a run claims, if it does; where it is none the reason becomes [`Reason::Stalled`], and a note says why. The end of
    /// a stage is then the lower point, and the steps to it are the stage's. Whether the method of a stage goes on from there itself: where
    /// parameters that f does not depend on were zero, which is another place than the one that it could not leave.
    pub(super) fn take<P: Curvature>(&self, problem: &P, run: &mut (Solution, Iterates)) -> bool {
        let begun = Instant::now();
        let report = &run.0.report;
        if !self.is_asked_for(report) || !is_affordable(problem, report) {
            return false;
        }
        let seconds = report.seconds;
        let again = self.judge(problem, run);
        let report = &mut run.0.report;
        report.seconds = seconds + begun.elapsed().as_secs_f64();
        // The trace counts up to the report.
        if let Some(end) = report.trace.last_mut() {
            (end.evaluations, end.work) = (report.evaluations.of_f(), report.evaluations);
        }
        again
    }

    /// What [`take`](Self::take) says.
    fn judge<P: Curvature>(&self, problem: &P, run: &mut (Solution, Iterates)) -> bool {
        let theta = run.0.theta.clone();
        let Some(seen) = self.look(problem, &theta, None, &mut run.0.report) else {
            return false;
        };
        if run.0.report.value.abs() <= seen.zero {
            return false;
        }
        if seen.is_doubtful
            && self.go_on(problem, &theta, (seen.zero, &careful()), run, "from there")
        {
            return false;
        }
        let is_idle = seen.idle.iter().any(|&j| theta[j] != 0.0);
        is_idle && self.look_without(problem, &theta, &seen, run) && self.goes_on
    }

    /// The same with the parameters that f does not depend on at zero. Whether the claim falls.
    fn look_without<P: Curvature>(
        &self,
        problem: &P,
        theta: &[f64],
        seen: &Seen,
        run: &mut (Solution, Iterates),
    ) -> bool {
        let report = &mut run.0.report;
        let mut without = theta.to_vec();
        seen.idle.iter().for_each(|&j| without[j] = 0.0);
        let moved = vector::norm(&seen.idle.iter().map(|&j| theta[j]).collect::<Vec<_>>());
        report.evaluations.value += 1;
        let change = (problem.value(&without) - report.value).abs();
        // Written so that NaN is no agreement.
        let same = change <= SAME * report.value.abs();
        let seen_there =
            if same { self.look(problem, &without, Some(seen.zero), report) } else { None };
        if !seen_there.is_some_and(|there| there.is_doubtful) {
            return false;
        }
        let names: Vec<String> = seen.idle.iter().map(|j| format!("θ[{j}]")).collect();
        let names = enumerated(names.iter().map(String::as_str));
        let from = format!("with {names}, without effect on f there, at zero");
        self.go_on(problem, &without, (seen.zero, &[in_own_units(moved)]), run, &from)
    }

    /// Careful steps from θ, until one method has lowered f by more than `zero` and more than [`LEFT`]: then the claim falls. `from`: where θ
    /// is, in words.
    fn go_on<P: Curvature>(
        &self,
        problem: &P,
        theta: &[f64],
        (zero, careful): (f64, &[Method]),
        (end, iterates): &mut (Solution, Iterates),
        from: &str,
    ) -> bool {
        let report = &mut end.report;
        let part = LEFT.max(1e3 * self.stopping.gradient_tolerance);
        let goal = report.value - zero.max(part * report.value.abs());
        let begun = Instant::now();
        for method in careful {
            let Some(stopping) = self.rest(goal, report, begun.elapsed()) else { break };
            let mut watch = Watch::new();
            watch.interrupt.clone_from(&self.interrupt);
            let method = method.clone().with_stopping(stopping);
            let recorded = iterates.points().len() > 0;
            let setup = Setup { recorded, ..Setup::of(&mut watch) };
            // A method without residuals to run on, or with too little memory, says nothing.
            let Ok((lower, path)) = method.run_alone(problem, theta, setup) else { continue };
            if lower.report.value > goal || lower.report.value.is_nan() {
                report.evaluations += lower.report.evaluations;
                continue;
            }
            let Report { value, iterations, solver, .. } = &lower.report;
            let part = (report.value - value) / report.value.abs();
            report.notes.push(format!(
                "its Hessian does not confirm the end: {solver} takes {part:.0e} of f off in {iterations} step(s) {from}"
            ));
            if self.goes_on {
                report.follow(Report { notes: Vec::new(), ..lower.report });
                end.theta = lower.theta;
                iterates.follow(&path);
            } else {
                report.evaluations += lower.report.evaluations;
            }
            report.reason = Reason::Stalled;
            return true;
        }
        false
    }

    /// Whether the end is claimed by what a model promises.
    fn is_asked_for(&self, report: &Report) -> bool {
        let interrupted = self.interrupt.as_ref().is_some_and(Interrupt::is_set);
        let held_out = report.validation.is_some();
        let claimed = self.stopping.is_to_be_confirmed(report.reason, report.gradient.max);
        claimed && report.value.is_finite() && !interrupted && !held_out
    }

    /// What the Hessian at θ says, where it is finite. `zero` as at the end of the run, or to be found.
    fn look<P: Curvature>(
        &self,
        problem: &P,
        theta: &[f64],
        zero: Option<f64>,
        report: &mut Report,
    ) -> Option<Seen> {
        let n = theta.len();
        let at = problem.linearize(theta);
        let mut scaled = MoreSorensen::scaled(n);
        at.hessian(scaled.matrix_mut());
        report.evaluations.linearize += 1;
        report.evaluations.hessian += 1;
        let diagonal = scaled.matrix_mut().diagonal().column_vector();
        let changes: Vec<f64> = diagonal.iter().zip(theta).map(|(h, t)| h.abs() * t * t).collect();
        // A Hessian that is not finite shows nothing.
        scaled.factor().ok()?;
        scaled.set_gradient(at.gradient());
        let ends = scaled.ends();
        let mut step = vec![0.0; n];
        let promised = scaled.solve(f64::MAX, &mut step).predicted;
        let nothing = IDLE * report.value.abs();
        // Whose minimum is zero, up to the last digits, has its influence.
        let is_led_to_zero = |j: usize| (theta[j] + step[j]).abs() <= 0.5 * theta[j].abs();
        let idle = (0..n).filter(|&j| changes[j] <= nothing && !is_led_to_zero(j)).collect();
        let start = report.initial_value.abs();
        let zero = zero.unwrap_or_else(|| {
            if problem.as_least_squares().is_some() {
                (ZERO_SQUARES * start).min(ZERO_BESIDE_CHANGE * changes.iter().sum::<f64>())
            } else {
                ZERO * start
            }
        });
        let tolerance = self.stopping.gradient_tolerance.max(FLOOR_VALUE * f64::EPSILON);
        let promises = promised > zero.max(tolerance * report.value.abs());
        let is_doubtful = promises || ends.smallest <= 2.0 * ends.residual;
        Some(Seen { zero, is_doubtful, idle })
    }

    /// When a careful run stops: at `goal`, after its steps, or with the limits of the whole; none where nothing is left of these.
    fn rest(&self, goal: f64, report: &Report, spent: Duration) -> Option<Stopping> {
        let spent = Duration::from_secs_f64(spent.as_secs_f64() + report.seconds);
        let Stopping { max_evaluations, max_time, .. } =
            self.stopping.after(report.evaluations.of_f(), spent)?;
        Some(Stopping {
            gradient_tolerance: 0.0,
            max_evaluations,
            max_time,
            max_iterations: STEPS,
            target: Some(goal),
            ..Stopping::default()
        })
    }
}

/// Whether f may have more than one end, and its Hessian costs little beside the run.
fn is_affordable<P: Curvature>(problem: &P, report: &Report) -> bool {
    let structure = problem.structure();
    let many = report.parameters > MOST_PARAMETERS;
    if many || structure.form != Form::General || structure.kinks {
        return false;
    }
    let Some(flops) = structure.costs else { return true };
    let run = flops.evaluation * Costs::of_flops(&flops).of(&report.evaluations);
    flops.hessian <= FREE.max(PART_OF_RUN * run)
}

/// What goes on from a doubtful end: in regions of the curvature's units, along negative curvature, and by residuals in the units of J.
fn careful() -> [Method; 3] {
    [
        TrustRegion::default().with_subproblem(Subproblem::ScaledExact).into(),
        Newton::default().with_modification(Modification::TurnedSigns).into(),
        LevenbergMarquardt::default().with_scaling(Scaling::Marquardt).into(),
    ]
}

/// What goes on where parameters have no curvature that would give them a unit, and the gradient may be zero; `radius` at first.
fn in_own_units(radius: f64) -> Method {
    TrustRegion::default()
        .with_subproblem(Subproblem::Exact)
        .with_optimality(Optimality::SecondOrder)
        .with_initial_radius(radius)
        .into()
}
