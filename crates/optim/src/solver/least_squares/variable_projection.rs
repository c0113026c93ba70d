//! Variable projection: minimise f(θ) = ½‖r₀(θ_N) + A(θ_N)·θ_L‖² over θ_N alone, with the best θ_L at every θ_N.
//!
//! Levenberg–Marquardt runs on ρ(θ_N) = r(θ_N, θ_L(θ_N)), θ_L = argmin ‖r₀ + A·θ_L‖² + δ²‖Dθ_L‖², by QR. Its Jacobian is
//! P⊥·∂r/∂θ_N, P⊥ = I − QQᵀ (Kaufman), or all of ρ′ (Golub & Pereyra); both give the gradient exactly.
//! The ridge δ² keeps θ_L in bounds where columns of A all but depend on each other, as the last hidden layer of a network does:
//! without it θ_L is of the size of A's condition, and ρ is so bent that no step is short enough. It begins at
//! [`RIDGE`], with D the norms of the columns, and fades: after each accepted step the ridge's part of f may be no more than
//! [`SHARE`] of what the step gained, though δ² falls no faster than f for long. A run ends only where what the ridge does to ∇f is
//! rounding. Where the columns are independent at the start, to a least pivot of δ, there is none.
//! Stop: [`Stopping`], on the whole of ∇f; and what ends [`LevenbergMarquardt`]. The linear entries of the start do not matter.
//! Memory 4mn. Cost per step: that of Levenberg–Marquardt on n − p parameters, 4mp(n − p) flops, and for each trial two evaluations of r
//! and 2mp² flops. Source: Golub & Pereyra (1973), SIAM J. Numer. Anal. 10; Kaufman (1975), BIT 15; for a ridge in it Newman, Ruthotto, Hart &
//! van Bloemen Waanders (2021), SIAM J. Math. Data Sci. 3.

mod claims;
mod inner;
mod reduced;

pub use reduced::ReducedLeastSquares;

use crate::error::{OptimError, require};
use crate::linalg::vector;
use crate::run::eval;
use crate::run::fit_solver::FitSolver;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::LevenbergMarquardt;
use argmin::core::{Error, KV, Problem, Solver, State};
use claims::{check_linear, check_ranges};
use reduced::Core;
use secant_core::problem::LeastSquares;
use serde::{Deserialize, Serialize};
use std::ops::Range;

const NAME: &str = "variable projection";

/// δ² at the start, relative to the squared norms of the columns of A: the damping that Levenberg–Marquardt begins with for θ_N.  Nielsen (1999).
pub const RIDGE: f64 = 1e-3;
/// The ridge's part of f after a step is at most this part of what the step gained: so it never decides where the run goes. Of 1, 0.3 and
/// 0.1 on the curve of the example `small_net_accuracy`, the first takes more steps and the last lets θ_L grow a thousand times larger.
pub const SHARE: f64 = 0.3;
/// ‖r‖² ≤ this · ε² of the square with θ_L = 0 is rounding left over from it: 64², as for [`LevenbergMarquardt`].
const LEFT_OVER: f64 = 4096.0;
/// While steps are taken δ² stays above this part of where it began times f/f(θ_L = 0): short steps gain little, and would let a θ_L
/// grow that makes the next ones shorter still.
const LEAST_RIDGE: f64 = 1e-3;
/// δ² falls at most by this factor in a step.
const FASTEST_FADE: f64 = 0.01;

/// The Jacobian of the reduced residuals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProjectedJacobian {
    /// P⊥·∂r/∂θ_N.  Kaufman (1975). What it leaves out is orthogonal to r and of the size of r.
    #[default]
    Kaufman,
    /// All of it: p more products with Jᵀ for p linear parameters.  Golub & Pereyra (1973).
    GolubPereyra,
}

/// Levenberg–Marquardt in the nonlinear parameters alone, the linear ones solved for in every evaluation.
///
/// ```
/// use secant_optim::{LeastSquaresFn, VariableProjection, minimize};
///
/// // y = a·exp(−b·t) through four points; θ = (a, b), linear in a.
/// let (t, y) = ([0.0, 1.0, 2.0, 3.0], [2.0, 1.2, 0.75, 0.42]);
/// let decay = LeastSquaresFn::new(2, 4, |theta, r| {
///     for i in 0..4 {
///         r[i] = theta[0] * f64::exp(-theta[1] * t[i]) - y[i];
///     }
/// })
/// .with_linear(0..1);
/// let solution = minimize(&decay, VariableProjection::default(), &[0.0, 1.0])?;
/// assert!(solution.report.reason.is_success());
/// assert!((solution.theta[0] - 2.0).abs() < 0.02);
///
/// let wrong = minimize(&decay, VariableProjection::default().with_linear([1..2]), &[1.0, 1.0]);
/// assert!(wrong.unwrap_err().to_string().contains("not linear in θ[1..2]"));
/// # Ok::<(), secant_optim::OptimError>(())
/// ```
#[derive(Debug, Serialize, Deserialize)]
pub struct VariableProjection {
    /// Where in θ the linear parameters lie; empty: where the problem says, [`LeastSquares::linear_parameters`].
    pub linear: Vec<Range<usize>>,
    /// The Jacobian of the reduced residuals.
    pub jacobian: ProjectedJacobian,
    /// δ² at the start, relative to the squared norms of the columns of A, unless these are independent; 0: none at any time. Range
    /// [0, ∞). Default [`RIDGE`].
    pub ridge: f64,
    /// A pivot of A (its columns scaled) below this part of the largest is none; where it is less than rounding, rounding counts. Range
    /// [0, 1). Default 0.
    pub rank_tolerance: f64,
    /// What runs on the reduced problem; its `stopping` is not looked at.
    pub levenberg_marquardt: LevenbergMarquardt,
    /// When to stop. Default: that of [`LevenbergMarquardt`].
    pub stopping: Stopping,
    #[doc(hidden)]
    pub run: Option<Box<Run>>,
}

impl Default for VariableProjection {
    fn default() -> Self {
        let levenberg_marquardt = LevenbergMarquardt::default();
        Self {
            linear: Vec::new(),
            jacobian: ProjectedJacobian::Kaufman,
            ridge: RIDGE,
            rank_tolerance: 0.0,
            stopping: levenberg_marquardt.stopping.clone(),
            levenberg_marquardt,
            run: None,
        }
    }
}

impl Clone for VariableProjection {
    /// The options; a run is not copied.
    fn clone(&self) -> Self {
        Self {
            linear: self.linear.clone(),
            jacobian: self.jacobian,
            ridge: self.ridge,
            rank_tolerance: self.rank_tolerance,
            levenberg_marquardt: self.levenberg_marquardt.clone(),
            stopping: self.stopping.clone(),
            run: None,
        }
    }
}

/// A run of Levenberg–Marquardt on the reduced problem.
#[doc(hidden)]
#[derive(Debug, Serialize, Deserialize)]
pub struct Run {
    solver: LevenbergMarquardt,
    state: FitState,
    /// None while the reduced problem is put together.
    core: Option<Core>,
    theta: Vec<f64>,
    gradient: Vec<f64>,
    /// δ², and where it began.
    ridge: f64,
    first_ridge: f64,
    /// ½‖r‖² without the ridge, after the last step.
    half_square: f64,
    /// f up to here may be rounding: ε of what it is at the start with θ_L = 0.
    floor: f64,
}

impl VariableProjection {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the linear parameters by where they lie in θ; a network's block by `Parameters::range`.
    pub fn with_linear(mut self, ranges: impl IntoIterator<Item = Range<usize>>) -> Self {
        self.linear = ranges.into_iter().collect();
        self
    }

    /// The Jacobian of the reduced residuals.
    pub fn with_jacobian(mut self, jacobian: ProjectedJacobian) -> Self {
        self.jacobian = jacobian;
        self
    }

    /// δ² at the start; 0: no ridge at any time.
    pub fn with_ridge(mut self, ridge: f64) -> Self {
        self.ridge = ridge;
        self
    }

    /// What runs on the reduced problem.
    pub fn with_levenberg_marquardt(mut self, levenberg_marquardt: LevenbergMarquardt) -> Self {
        self.levenberg_marquardt = levenberg_marquardt;
        self
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    /// The checked reduced problem's parts and Levenberg–Marquardt for it.
    fn prepare<P: LeastSquares>(&self, problem: &P, theta: &[f64]) -> Result<Run, OptimError> {
        let n = problem.dim();
        let named =
            if self.linear.is_empty() { &problem.linear_parameters() } else { &self.linear };
        let ranges = check_ranges(NAME, named, n)?;
        check_linear(NAME, problem, theta, &ranges)?;
        let mut core = Core::new(problem, &ranges, self.ridge > 0.0);
        core.jacobian = self.jacobian;
        core.rank_tolerance = self.rank_tolerance;
        // The others are judged on the whole problem.
        let stopping = Stopping {
            gradient_tolerance: self.stopping.gradient_tolerance,
            max_iterations: u64::MAX,
            ..Stopping::default()
        };
        Ok(Run {
            solver: self.levenberg_marquardt.clone().with_stopping(stopping),
            state: FitState::new(),
            core: Some(core),
            theta: vec![0.0; n],
            gradient: vec![0.0; n],
            ridge: self.ridge,
            first_ridge: self.ridge,
            half_square: f64::NAN,
            floor: 0.0,
        })
    }
}

impl Run {
    /// Runs `work` on the reduced problem, with the counters of `problem`.
    fn reduced<P: LeastSquares, T>(
        &mut self,
        problem: &mut Problem<P>,
        work: impl FnOnce(&mut Self, &mut Problem<ReducedLeastSquares<P>>) -> T,
    ) -> T {
        let inner = problem.problem.take();
        let inner = inner.expect("argmin's Executor holds the problem for the whole run");
        let core = self.core.take().expect("put back after each use");
        let mut lent = Problem::new(ReducedLeastSquares { problem: inner, core });
        lent.counts = std::mem::take(&mut problem.counts);
        let result = work(self, &mut lent);
        problem.counts = lent.counts;
        if let Some(ReducedLeastSquares { problem: inner, core }) = lent.problem {
            (problem.problem, self.core) = (Some(inner), Some(core));
        }
        result
    }

    /// Begins at θ_N = `nonlinear`.
    fn begin<P: LeastSquares>(
        &mut self,
        reduced: &mut Problem<ReducedLeastSquares<P>>,
        nonlinear: Vec<f64>,
    ) -> Result<(), Error> {
        if let Some(problem) = &reduced.problem {
            self.half_square = problem.ridge_share(&nonlinear).1;
        }
        let state = FitState::new().param(nonlinear);
        (self.state, _) = self.solver.init(reduced, state)?;
        Ok(())
    }

    /// One step; the ridge fades with what it gained.
    fn step<P: LeastSquares>(&mut self, reduced: &mut Problem<ReducedLeastSquares<P>>) {
        let Self { solver, state, ridge, half_square, floor, first_ridge, .. } = self;
        solver.iterate(reduced, state, |problem, nonlinear| {
            let problem = problem.problem.as_mut().filter(|_| *ridge > 0.0);
            let Some(problem) = problem else { return false };
            let (share, rest) = problem.ridge_share(nonlinear);
            let (part, gained) = (0.5 * share, *half_square - rest);
            *half_square = rest;
            // A NaN changes nothing.
            let too_large = part > SHARE * gained;
            if !too_large {
                return false;
            }
            let least = LEAST_RIDGE * *first_ridge * f64::EPSILON * rest / *floor;
            let least = least.max(invisible(share, rest, *ridge));
            let faded = *ridge * (SHARE * gained / part).max(FASTEST_FADE);
            *ridge = faded.max(least).min(*ridge);
            problem.set_ridge(*ridge);
            *half_square = problem.ridge_share(nonlinear).1;
            true
        });
        state.update();
    }

    /// The δ² that can no longer be seen in ∇f, where the ridge is larger.
    fn visible<P: LeastSquares>(&self, reduced: &Problem<ReducedLeastSquares<P>>) -> Option<f64> {
        let problem = reduced.problem.as_ref().filter(|_| self.ridge > 0.0)?;
        let (share, rest) = problem.ridge_share(self.state.theta());
        let least = invisible(share, rest, self.ridge);
        (self.ridge > least && share > 0.0).then_some(least)
    }

    /// Begins again with 1e-4 of the ridge, or with the least, where it is still to be seen.
    fn fade<P: LeastSquares>(
        &mut self,
        reduced: &mut Problem<ReducedLeastSquares<P>>,
        least: f64,
    ) -> Result<(), Error> {
        self.ridge = (self.ridge * FASTEST_FADE * FASTEST_FADE).max(least);
        if let Some(problem) = &mut reduced.problem {
            problem.set_ridge(self.ridge);
        }
        self.begin(reduced, self.state.theta().to_vec())
    }

    /// θ, f and ∇f of the whole problem at the current θ_N.
    fn whole<P: LeastSquares>(&mut self, reduced: &mut Problem<ReducedLeastSquares<P>>) -> f64 {
        let (problem, mut counts) = eval::split(reduced);
        let (theta, gradient) = (&mut self.theta, &mut self.gradient);
        let known = problem.full_point(self.state.theta(), theta, gradient);
        known.unwrap_or_else(|| counts.value_gradient(problem.problem(), theta, gradient))
    }
}

/// The δ² whose part in Aᵀr, δ²·‖Dθ_L‖ where the columns of A have the norms D, is half the rounding of Aᵀr, ε·‖r‖: from δ²‖Dθ_L‖² and ½‖r‖².
fn invisible(share: f64, half_square: f64, ridge: f64) -> f64 {
    let size = (share / ridge).sqrt();
    // Clamp: roundoff can make a vanishing square slightly negative.
    let least = 0.5 * f64::EPSILON * (2.0 * half_square.max(0.0)).sqrt() / size;
    if least.is_finite() { least } else { 0.0 }
}

impl FitSolver for VariableProjection {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, m: usize) -> Option<u64> {
        Some(bytes(&[(4, m, n), (4, n, n)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        let ridge = self.ridge;
        require(ridge >= 0.0 && ridge.is_finite(), NAME, "ridge", ridge, "[0, ∞)")?;
        let rank = self.rank_tolerance;
        require((0.0..1.0).contains(&rank), NAME, "rank_tolerance", rank, "[0, 1)")?;
        self.levenberg_marquardt.validate()?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let Some(run) = &self.run else { return Vec::new() };
        let mut notes = run.solver.notes();
        if let Some((linear, nonlinear)) = run.core.as_ref().map(Core::parameters) {
            notes.push(format!("{linear} linear parameters solved for, {nonlinear} left"));
        }
        if run.ridge > 0.0 {
            notes.push(format!("ridge on the linear parameters faded to {:.1e}", run.ridge));
        }
        notes
    }
}

impl<P: LeastSquares> Solver<P, FitState> for VariableProjection {
    fn name(&self) -> &'static str {
        NAME
    }

    fn init(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        self.validate()?;
        let (m, n) = eval::shape(NAME, problem)?;
        state.check_start(n)?;
        let needs = self.memory(n, m).map(|own| own.saturating_add(memory::packed(n)));
        memory::preflight(NAME, needs, memory::PRODUCTS_INSTEAD, state.limit())?;
        let mut run = self.prepare(eval::split(problem).0, state.theta())?;
        let nonlinear = run.reduced(problem, |run, reduced| {
            let problem = reduced.problem.as_mut().expect("put in when it was made");
            let nonlinear = problem.nonlinear(state.theta());
            let (independence, without) = problem.survey(&nonlinear);
            run.floor = f64::EPSILON * without;
            // Without steps it could not fade, and independent columns need none.
            if nonlinear.is_empty() || independence >= run.ridge.sqrt() {
                run.ridge = 0.0;
            }
            problem.set_ridge(run.ridge);
            run.theta = problem.full(&nonlinear);
            nonlinear
        });
        if vector::all_finite(&run.theta) {
            state = state.param(run.theta.clone());
        }
        eval::start(NAME, &self.stopping, problem, &mut state)?;
        let all_linear = nonlinear.is_empty();
        if all_linear {
            state.stop(Reason::GradientConverged);
        } else if state.value() <= LEFT_OVER * f64::EPSILON * run.floor {
            // r is solved away at the start, and what is left is rounding.
            state.stop(Reason::RoundingFloor);
        }
        if state.reason().is_none() {
            run.reduced(problem, |run, reduced| run.begin(reduced, nonlinear))?;
        }
        self.run = Some(Box::new(run));
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        let run = self.run.as_mut().expect("argmin's Executor calls init first");
        let (value, visible, ended) = run.reduced(problem, |run, reduced| {
            let before = run.state.steps();
            if run.state.reason().is_none() {
                run.step(reduced);
            }
            let value = (run.state.steps() > before).then(|| run.whole(reduced));
            let (visible, ended) = (run.visible(reduced), run.state.reason());
            if let (Some(least), Some(_)) = (visible, ended) {
                run.fade(reduced, least)?;
            }
            Ok::<_, Error>((value, visible.is_some(), ended))
        })?;
        if let Some(value) = value {
            state.accept(&mut run.theta, value, &mut run.gradient);
            // Below the resolution of f Levenberg–Marquardt knows better.
            if run.state.is_best() && !visible {
                state.prefer();
            }
            eval::finish(&self.stopping, problem, &mut state);
        }
        match ended.filter(|_| !visible) {
            // Levenberg–Marquardt does not know where f came from.
            Some(Reason::LineSearchFailed) if state.value() <= run.floor => {
                state.stop(Reason::RoundingFloor);
            }
            Some(reason) => state.stop(reason),
            None => {}
        }
        Ok((state, None))
    }
}
