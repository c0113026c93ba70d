//! Auto: a method chosen by the structure of the problem, n, N·c and memory; and another one where it fails.
//!
//! The candidates are ranked by what their runs are expected to cost, in counted operations; what does not fit into memory is left
//! out. On a convex f a method of second derivatives goes before one that is expected to be little cheaper. Where it would pay only if a
//! method of gradients took long, that goes first and gets as many evaluations as the other would cost: whichever was right, the run costs
//! at most about twice the cheaper one (the ski rental of Karlin & al.). Where a method of second derivatives is the choice for a
//! generalised linear model and dear, and is Newton, or L-BFGS can afford many pairs, a method of gradients has a head start of a quarter
//! of its cost: a well-conditioned f ends there, and from any other point the second takes fewer steps, the dear last ones.
//! A run that ends in failure is taken up by the next method from the best point so far, which is a lower one than its end where the
//! look at a claimed end found such; there the same method runs again where it stood at a unit that had died. Iterations, evaluations and time are
//! shared: later methods get what earlier ones left.
//! Memory and cost: those of the methods that run. The choice depends on the problem and the memory allowed, never on a clock or threads.
//! Source: Karlin, Manasse, Rudolph & Sleator (1988), Algorithmica 3, for the share.

use super::Method;
use super::advice::Ranking;
use super::candidates::{Candidate, Setting};
use super::relay::{Books, Relay, Stage};
use super::second_look;
use crate::error::{OptimError, readable};
use crate::problem::bounds::Bounds;
use crate::problem::l1::L1;
use crate::run::memory;
use crate::run::minimize::{Iterates, Setup, Solution};
use crate::run::stopping::Stopping;
use crate::solver::{Lbfgs, LbfgsB, OwlQn, Subproblem, Tron, TrustRegion};
use secant_core::problem::{Curvature, Derivatives, Form};
use serde::{Deserialize, Serialize};

const NAME: &str = "Auto";

/// A method of gradients is not given fewer evaluations than this before another: below, it would hardly have begun.
const LEAST_SHARE: f64 = 20.0;
/// Before a method of second derivatives on a generalised linear model a method of gradients gets this part of what that would cost.
const HEAD_START: f64 = 0.25;
/// A head start of fewer evaluations would end nowhere.
const LEAST_HEAD_START: f64 = 40.0;

/// A method chosen for the problem.
///
/// What ran and why stands in the notes of the report, and its `solver` names it: `Auto: Newton`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Auto {
    /// When to stop; the limits are shared by all methods that run. A `gradient_tolerance` left at its default becomes that of the
    /// method chosen.
    pub stopping: Stopping,
    /// l and u. Default none.
    pub bounds: Option<Bounds>,
    /// The weights of an L1 penalty. Default none.
    pub l1: Option<L1>,
    /// Most bytes of memory. Default none: half of what is free.
    pub memory_limit: Option<u64>,
}

impl Auto {
    /// The method's name.
    pub const NAME: &'static str = NAME;

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// When to stop.
    pub fn with_stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = stopping;
        self
    }

    /// θ stays within these bounds.
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = Some(bounds);
        self
    }

    /// Σⱼ wⱼ|θⱼ| is added to f.
    pub fn with_l1(mut self, l1: L1) -> Self {
        self.l1 = Some(l1);
        self
    }

    /// Most bytes of memory.
    pub fn with_memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// The methods for `problem`, best first, with memory, time and reason. Times one evaluation at the origin for the seconds; the
    /// order does not depend on it.
    ///
    /// # Errors
    /// [`OptimError`]: bounds or weights that do not fit the problem, or both at once; a problem with kinks.
    pub fn advise<P: Curvature>(&self, problem: &P) -> Result<Ranking, OptimError> {
        let setting = self.setting(problem)?;
        Ok(Ranking::new(problem, &setting, memory::allowed(self.memory_limit)))
    }

    /// Checks the options against `problem`.
    pub(super) fn validate<P: Curvature>(&self, problem: &P) -> Result<(), OptimError> {
        self.stopping.validate(NAME)?;
        self.setting(problem).map(|_| ())
    }

    /// Minimises `problem` from `theta0` (length n).
    pub(super) fn minimize<P: Curvature>(
        &self,
        problem: &P,
        theta0: &[f64],
        setup: Setup<'_, '_>,
    ) -> Result<(Solution, Iterates), OptimError> {
        self.stopping.validate(NAME)?;
        let setting = self.setting(problem)?;
        let memory_limit = self.memory_limit.or(setup.memory_limit);
        let setup = Setup { memory_limit, ..setup };
        // A run that is taken up keeps its plan, which depended on the memory that was free.
        let resumed = setup.keeper.as_ref().map_or(Ok(None), |keeper| keeper.take_up::<Books>())?;
        let books = if let Some(books) = resumed {
            setup.watch.take_up(books.before.clone());
            books
        } else {
            let (stages, notes) = self.plan(&setting);
            Books::new(stages, notes)
        };
        Relay::new(&self.stopping, setup, books).run(problem, theta0)
    }

    fn setting<P: Curvature>(&self, problem: &P) -> Result<Setting<'_>, OptimError> {
        let n = problem.dim();
        // Bounds that bound nothing ask for nothing.
        let bounds = self.bounds.as_ref().filter(|bounds| !bounds.is_free());
        if let Some(bounds) = bounds {
            bounds.of(n)?;
        }
        if let Some(l1) = &self.l1 {
            l1.validate(NAME, Some(n))?;
        }
        if bounds.is_some() && self.l1.is_some() {
            return Err(OptimError::BoundsAndL1 { solver: NAME });
        }
        let setting = Setting::of(problem, bounds, self.l1.as_ref());
        // No candidate takes kinks.
        if setting.structure.kinks {
            return Err(OptimError::NotSmooth { solver: NAME });
        }
        Ok(setting)
    }

    /// What runs, in turn, and what was left out.
    fn plan(&self, setting: &Setting<'_>) -> (Vec<Stage>, Vec<String>) {
        let (fitting, notes) = self.fitting(setting.candidates());
        let mut stages: Vec<Stage> = Vec::new();
        if let Some(first) = fitting.first() {
            match share_before_second_order(setting.structure.form, &fitting) {
                Some((gradients, second, share)) => {
                    stages.push(Stage { share: Some(whole(share)), ..Stage::of(gradients) });
                    stages.push(Stage::of(second));
                }
                None => stages.push(Stage::of(first)),
            }
        }
        let chosen: Vec<_> = stages.iter().map(|stage| stage.method.name()).collect();
        for method in fallbacks(setting) {
            if !chosen.contains(&method.name()) {
                stages.push(Stage { method, reason: "the next to try".into(), share: None });
            }
        }
        (stages, notes)
    }

    /// The candidates that fit into memory, and notes of those that do not.
    fn fitting(&self, candidates: Vec<Candidate>) -> (Vec<Candidate>, Vec<String>) {
        let most = candidates.iter().map(|candidate| candidate.bytes).max().unwrap_or(0);
        if self.memory_limit.is_none() && most <= memory::UNASKED {
            return (candidates, Vec::new());
        }
        let Some(allowed) = memory::allowed(self.memory_limit) else {
            return (candidates, Vec::new());
        };
        let mut notes = Vec::new();
        let mut fitting = candidates;
        fitting.retain(|candidate| {
            let fits = candidate.bytes <= allowed || !candidate.is_large();
            if !fits {
                let (name, needs) = (candidate.method.name(), readable(candidate.bytes));
                notes.push(format!(
                    "{name} left out: it needs {needs} of memory, {} are allowed",
                    readable(allowed)
                ));
            }
            fits
        });
        (fitting, notes)
    }
}

/// On a convex f: the method of gradients that goes before the one of second derivatives that is expected to cost least, that one, and the
/// evaluations that the first gets.
fn share_before_second_order(
    form: Form,
    ranked: &[Candidate],
) -> Option<(&Candidate, &Candidate, f64)> {
    if form == Form::General {
        return None;
    }
    let second = ranked.iter().find(|other| other.is_second_order())?;
    let first = ranked.first()?;
    let gradients =
        ranked.iter().find(|other| matches!(other.method, Method::Lbfgs(_) | Method::Bfgs(_)))?;
    let cost = second.total() / gradients.operations * gradients.evaluations;
    if std::ptr::eq(first, second) {
        let share = HEAD_START * cost;
        // By products a step costs little, and only gradients with many pairs gain on it.
        let may_pay = matches!(second.method, Method::Newton(_)) || gradients.keeps_many_pairs();
        let pays = may_pay && form == Form::GeneralizedLinear && share >= LEAST_HEAD_START;
        return pays.then_some((gradients, second, share));
    }
    let begins = std::ptr::eq(first, gradients);
    begins.then_some((gradients, second, cost.max(LEAST_SHARE)))
}

/// The whole number below `count` > 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and the conversion saturates"
)]
fn whole(count: f64) -> u64 {
    count as u64
}

/// What goes on where the choice fails, without a matrix.
fn fallbacks(setting: &Setting<'_>) -> Vec<Method> {
    let costs = &setting.costs;
    // Only a gradient by differences costs more than a product: second derivatives are then last, and have the fewest digits.
    let from_values = setting.structure.second_derivatives == Derivatives::Differences
        && costs.evaluation > costs.hessian_vector;
    match (setting.bounds, setting.l1) {
        (Some(bounds), _) if from_values => {
            vec![LbfgsB::new(bounds.clone()).into(), Tron::new(bounds.clone()).into()]
        }
        (Some(bounds), _) => {
            vec![Tron::new(bounds.clone()).into(), LbfgsB::new(bounds.clone()).into()]
        }
        (None, Some(l1)) => vec![OwlQn::new(l1.clone()).into()],
        (None, None) if from_values => vec![Lbfgs::default().into(), TrustRegion::default().into()],
        (None, None) => {
            let mut methods: Vec<Method> = vec![TrustRegion::default().into()];
            if setting.n <= second_look::MOST_PARAMETERS {
                // What failed may have failed by the units of parameters.
                let scaled = TrustRegion::default().with_subproblem(Subproblem::ScaledExact);
                methods.push(scaled.into());
            }
            methods.push(Lbfgs::default().into());
            methods
        }
    }
}
