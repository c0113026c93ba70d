//! Newton: minimise f(θ) with its exact second derivatives.
//!
//! Update: θ⁺ = θ + αp,  (H + shift)·p = −∇f, with H = ∇²f(θ) or the Gauss–Newton matrix. The shift is zero where H is
//! safely positive definite and otherwise as small as makes it so, relative to the diagonal of H; or H is factorised as it is and the
//! signs of its negative eigenvalues are turned ([`Modification`]). α = 1 first, then strong Wolfe; where that finds nothing the shift is
//! raised, by and by to −D⁻¹∇f, before the run gives up.
//! After a full step that brought the gradient far down, the factor is used again for the new gradient while that pays
//! (Shamanskii's modification): on a quadratic it is iterative refinement from the data, so that one iteration is exact to
//! rounding however far the start; near a minimum it saves Hessians.
//! Stop: [`Stopping`]; the tests look at the new gradient before the next Hessian is formed, so that a quadratic costs one.
//! The path is invariant under scaling of the loss and of each parameter.
//! Memory 2n² (turned signs: 4n²). Cost per step n³/3, one Hessian, two to four evaluations of f with ∇f as a rule.
//! Source: Nocedal & Wright (2006) §3.4, algorithms 3.2 and 3.3; Cheng & Higham (1998) for the modified LDLᵀ; Shamanskii (1967), as in Kelley (1995) §5.4.4.

use crate::error::OptimError;
use crate::linalg::Backend;
use crate::linalg::cholesky::{NotFactored, ShiftedCholesky};
use crate::linalg::ldlt::ModifiedLdl;
use crate::linalg::vector;
use crate::line_search::StrongWolfe;
use crate::run::eval::{self, Moved};
use crate::run::fit_solver::FitSolver;
use crate::run::limits;
use crate::run::memory::{self, bytes};
use crate::run::state::FitState;
use crate::run::stopping::{Reason, Stopping};
use crate::solver::HessianKind;
use crate::solver::line_step::{self, LineStep};
use argmin::core::{Error, KV, Problem, Solver};
use faer::MatMut;
use secant_core::problem::Curvature;
use serde::{Deserialize, Serialize};

/// What takes its place where its matrices do not fit.
const ALTERNATIVE: &str = "truncated Newton (`NewtonCg`) or L-BFGS";
const NAME: &str = "Newton";

/// Most steps with one factor after the full step. On a quadratic two reach the rounding floor from the farthest start.
pub const REFINEMENTS: u32 = 5;
/// The factor is used again when the step before brought ‖D^-½∇f‖∞ below this part of what it was, D = diag|h_ii|.
pub const REFINE_BELOW: f64 = 0.01;
/// A matrix whose step lowered f by what it promised, to within this factor, is believed at the point that it led to.
pub const TRUSTED: f64 = 2.0;
/// A refinement is kept when it at least halves the gradient.
pub const REFINE_KEEP: f64 = 0.5;

/// What is done where H is not positive definite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Modification {
    /// A multiple of its diagonal is added until a Cholesky factorisation succeeds.
    #[default]
    Shift,
    /// H = L·B·Lᵀ with blocks of one and two (Bunch–Kaufman), and the eigenvalues of B are replaced by their sizes: one factorisation
    /// always, and directions of negative curvature are followed, not damped away. The report gives the inertia of the last H that was
    /// not positive definite.
    TurnedSigns,
}

/// Newton's method with a dense factorisation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Newton {
    /// Which matrix. Default exact.
    pub curvature: HessianKind,
    /// What is done where H is not positive definite. Default [`Modification::Shift`].
    pub modification: Modification,
    /// Whose factorisations. Default faer's.
    pub backend: Backend,
    /// The line search; its first trial is the full step.
    pub search: StrongWolfe,
    /// When to stop.
    pub stopping: Stopping,
    #[doc(hidden)]
    pub work: Option<Workspace>,
    #[doc(hidden)]
    pub shifted: u32,
    #[doc(hidden)]
    pub last_shift: f64,
    /// Shifts that were raised because f refused the step.
    #[doc(hidden)]
    pub raised: u32,
    #[doc(hidden)]
    /// Iterations whose factor was used more than once.
    pub refined: u32,
    #[doc(hidden)]
    /// Iterations with turned signs, and positive, negative and vanishing eigenvalues of the last of them.
    pub turned: u32,
    #[doc(hidden)]
    pub inertia: [usize; 3],
}

/// H and what it was factorised into.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Factor {
    Shifted(ShiftedCholesky),
    Turned(ModifiedLdl),
}

impl Factor {
    fn matrix_mut(&mut self) -> MatMut<'_, f64> {
        match self {
            Self::Shifted(factor) => factor.matrix_mut(),
            Self::Turned(factor) => factor.matrix_mut(),
        }
    }

    /// Shortens the next step. False where that is of no use.
    fn raise(&mut self) -> bool {
        match self {
            Self::Shifted(factor) => factor.raise(),
            Self::Turned(_) => false,
        }
    }

    fn scaled_norm(&self, g: &[f64]) -> f64 {
        match self {
            Self::Shifted(factor) => factor.scaled_norm(g),
            Self::Turned(factor) => factor.scaled_norm(g),
        }
    }
}

#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workspace {
    factor: Factor,
    /// p
    direction: Vec<f64>,
    line: LineStep,
    /// The last step did what its matrix promised, so that the matrix tells what is left where it led.
    trusted: bool,
}

impl Newton {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which matrix.
    pub fn with_curvature(mut self, curvature: HessianKind) -> Self {
        self.curvature = curvature;
        self
    }

    /// What is done where H is not positive definite.
    pub fn with_modification(mut self, modification: Modification) -> Self {
        self.modification = modification;
        self
    }

    /// Whose factorisations.
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
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

    /// One iteration: Hessian, direction, line.
    fn advance<P: Curvature>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
    ) -> Result<Moved, Reason> {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        match self.curvature {
            HessianKind::Exact => eval::hessian(problem, &state.theta, work.factor.matrix_mut()),
            HessianKind::GaussNewton => {
                eval::gauss_newton(problem, &state.theta, work.factor.matrix_mut());
            }
        }
        let refused = |trouble| match trouble {
            NotFactored::NotFinite => Reason::NonFiniteCurvature,
            NotFactored::Zero => Reason::NoCurvature,
        };
        match &mut work.factor {
            Factor::Shifted(factor) => {
                factor.factor().map_err(refused)?;
                if factor.shift() > 0.0 {
                    self.shifted += 1;
                    self.last_shift = factor.shift();
                }
            }
            Factor::Turned(factor) => {
                factor.factor().map_err(refused)?;
                if factor.inertia()[0] < state.theta.len() {
                    self.turned += 1;
                    self.inertia = factor.inertia();
                }
            }
        }
        let mut promised = work.solve(state);
        if eval::confirm(&self.stopping, state, promised) {
            return Ok(Moved::Ended);
        }
        let (before, value) = (work.factor.scaled_norm(&state.gradient), state.value);
        let raised = self.raised;
        let step = loop {
            limits::check()?;
            match work.line.take(&self.search, problem, state, &work.direction, 1.0) {
                // Where a tiny shift holds a direction that H does not see, the step is endless and its digits are lost.
                Err(Reason::LineSearchFailed | Reason::NonFiniteValue) if work.factor.raise() => {
                    self.raised += 1;
                    promised = work.solve(state);
                }
                ended => break ended?,
            }
        };
        if let (Factor::Shifted(factor), true) = (&mut work.factor, self.raised > raised) {
            factor.learn(1.0);
        }
        let kept = (value - state.value) / promised;
        // Where f has no digits left the gradient tells.
        let solved = work.factor.scaled_norm(&state.gradient) <= REFINE_BELOW * before;
        let foretold = kept > TRUSTED.recip() && kept < TRUSTED;
        work.trusted = step == 1.0 && (foretold || solved);
        if step == 1.0 && self.refine(problem, state, before) {
            self.refined += 1;
        }
        Ok(Moved::Yes)
    }

    /// Ends the run without another Hessian where the one at hand is believed and promises nothing.
    fn confirm_early(&mut self, state: &mut FitState) {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        if state.claim().is_some() && work.trusted {
            let promised = work.solve(state);
            if state.is_negligible(&self.stopping, promised) {
                eval::confirm(&self.stopping, state, promised);
            }
        }
    }

    /// Further steps with the factor at hand, from a gradient that was `before` and is far smaller now; each costs one
    /// evaluation and n² operations. Whether one was kept.
    fn refine<P: Curvature>(
        &mut self,
        problem: &mut Problem<P>,
        state: &mut FitState,
        before: f64,
    ) -> bool {
        let work = self.work.as_mut().expect("argmin's Executor calls init first");
        let mut before = before;
        let mut kept = false;
        for _ in 0..REFINEMENTS {
            let now = work.factor.scaled_norm(&state.gradient);
            if !(now > 0.0 && now <= REFINE_BELOW * before) {
                break;
            }
            let promised = work.solve(state);
            if state.meets(&self.stopping) && state.is_negligible(&self.stopping, promised) {
                break;
            }
            vector::step(&state.theta, 1.0, &work.direction, &mut work.line.theta);
            let value = eval::value_gradient(problem, &work.line.theta, &mut work.line.gradient);
            let mut gain = value - state.value;
            if gain.abs() <= self.search.noise * state.value.abs() {
                // The values have no digits left here; the slopes at both ends still do, as in the line search.
                let slope = vector::dot(&state.gradient, &work.direction);
                gain = 0.5 * (slope + vector::dot(&work.line.gradient, &work.direction));
            }
            // Written so that NaN is refused, in the value and in any entry of the gradient.
            let better = value.is_finite()
                && gain <= 0.0
                && work.factor.scaled_norm(&work.line.gradient) <= REFINE_KEEP * now;
            if !better {
                break;
            }
            state.refine(&mut work.line.theta, value, &mut work.line.gradient);
            (before, kept) = (now, true);
        }
        kept
    }
}

impl Workspace {
    /// `direction` ← −(H + shift)⁻¹∇f; the buffers of the line are scratch until the search begins. Returns the decrease that the model
    /// promises.
    fn solve(&mut self, state: &FitState) -> f64 {
        vector::scale_into(-1.0, &state.gradient, &mut self.direction);
        let (p, line) = (&mut self.direction, &mut self.line);
        match &self.factor {
            Factor::Shifted(factor) => factor.solve(p, &mut line.theta, &mut line.gradient),
            Factor::Turned(factor) => factor.solve(p, &mut line.theta),
        }
        -0.5 * vector::dot(&state.gradient, p)
    }
}

impl FitSolver for Newton {
    const NAME: &'static str = NAME;
    fn stopping(&self) -> &Stopping {
        &self.stopping
    }
    fn stopping_mut(&mut self) -> &mut Stopping {
        &mut self.stopping
    }
    fn memory(&self, n: usize, _: usize) -> Option<u64> {
        let matrices = match self.modification {
            Modification::Shift => 2,
            Modification::TurnedSigns => 4,
        };
        Some(bytes(&[(matrices, n, n), (10, n, 1)]))
    }
    fn validate(&self) -> Result<(), OptimError> {
        line_step::validate(NAME, &self.search)?;
        self.stopping.validate(NAME)
    }
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.shifted > 0 {
            let (shifted, last) = (self.shifted, self.last_shift);
            notes.push(format!("Hessian shifted {shifted}×, last by {last:.1e} of its diagonal"));
        }
        if self.raised > 0 {
            notes.push(format!("shift raised {}× after a step that f refused", self.raised));
        }
        if self.turned > 0 {
            let (turned, [positive, negative, zero]) = (self.turned, self.inertia);
            notes.push(format!(
                "signs turned {turned}×, last of {negative} negative eigenvalues beside {positive} positive, {zero} near zero"
            ));
        }
        if self.refined > 0 {
            notes.push(format!("factor used again in {} iteration(s)", self.refined));
        }
        notes
    }
}

impl<P: Curvature> Solver<P, FitState> for Newton {
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
        let needs = needs.map(|own| own.saturating_add(eval::dense_bytes(problem)));
        memory::preflight(NAME, needs, ALTERNATIVE, state.limit())?;
        let n = eval::start(NAME, &self.stopping, problem, &mut state)?;
        self.work = Some(Workspace {
            factor: match self.modification {
                Modification::Shift => {
                    Factor::Shifted(ShiftedCholesky::with_backend(n, self.backend))
                }
                Modification::TurnedSigns => Factor::Turned(ModifiedLdl::new(n, self.backend)),
            },
            direction: vec![0.0; n],
            line: LineStep::new(n),
            trusted: false,
        });
        state.with_foresight();
        (self.shifted, self.last_shift, self.raised) = (0, 0.0, 0);
        (self.refined, self.turned) = (0, 0);
        Ok((state, None))
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<P>,
        mut state: FitState,
    ) -> Result<(FitState, Option<KV>), Error> {
        match self.advance(problem, &mut state) {
            Ok(Moved::Ended) => {}
            Ok(Moved::Yes) => {
                eval::finish(&self.stopping, problem, &mut state);
                self.confirm_early(&mut state);
            }
            Err(reason) => state.stop(reason),
        }
        Ok((state, None))
    }
}
