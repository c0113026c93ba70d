//! Methods side by side: one problem, one start, one table.
//!
//! [`compare`] describes the set; [`Compare::run`] runs every method on one problem, and [`Fit::compare`](crate::Fit::compare) on
//! network and data. Each stops by its own [`Stopping`], or by one for all.
//!
//! | column | is |
//! |---|---|
//! | value, ‖g‖ | f and ‖∇f‖∞ at the best point |
//! | iterations | steps taken |
//! | epochs | complete passes over the data: evaluations, products and dense matrices of any kind, [`Evaluations::passes`] |
//! | gradients | gradient-equivalents: what the passes cost in evaluations of f with ∇f, by [`Costs`] |
//! | seconds | wall-clock time of the run |
//! | memory | the solver's own state, an estimate from the lengths of its buffers, [`Method::memory`]; the peak of a process cannot be measured without an allocator |
//! | end | the [`Reason`](crate::Reason) |
//!
//! and what it took to come within 1e-2, 1e-4, 1e-8 and 1e-12 of the best value found by any method: the first step at which
//! f − f_best ≤ gap·(f₀ − f_best), or at which the two differ by rounding only.
//!
//! A method that minimises something else than f does not belong into the set: one with an L1 term, or with bounds that the
//! start violates. Such a row starts from another value, and the table says so.
//!
//! [`Evaluations::passes`]: secant_optim::Evaluations::passes

#[cfg(feature = "plot")]
mod pictures;
mod table;

#[cfg(feature = "plot")]
pub use pictures::Against;
pub use table::{Comparison, GAPS, Reached, Row, Run};
#[cfg(feature = "html")]
pub(crate) use table::{amount, bytes, time};

use secant_core::problem::{Curvature, Linearization};
use secant_optim::{Costs, Evaluations, Iterates, Method, OptimError, Solution, Stopping};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use thiserror::Error;

/// What a comparison cannot run on.
#[derive(Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// There is no method to run.
    #[error("no method to compare")]
    NoMethods,
    /// Two methods of one name.
    #[error("two methods are called `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// The start, for every method.
    #[error(transparent)]
    Start(OptimError),
    /// A method that cannot run on the problem; found before the first run.
    #[error("`{name}`: {source}")]
    Method {
        /// Its name in the comparison.
        name: String,
        /// Why.
        source: OptimError,
    },
    /// A known minimum that is no number.
    #[error("the known minimum is {value}, not a finite number")]
    KnownMinimum {
        /// What was given.
        value: f64,
    },
}

impl std::fmt::Debug for CompareError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Where the cost of an evaluation, in gradients, comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum CostRule {
    /// Timed at the start after the runs, [`Costs::measured`]: what an evaluation costs here, dense matrices above all.
    #[default]
    Measured,
    /// Counted, [`Costs::counted`]: the same in every run.
    Counted,
    /// As given.
    Given(Costs),
}

/// A comparison being described; [`run`](Self::run) runs it.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing happens before `run`"]
pub struct Compare {
    methods: Vec<(String, Method)>,
    stopping: Option<Stopping>,
    costs: CostRule,
    iterates: bool,
    known_minimum: Option<f64>,
    /// None is once.
    repeats: Option<NonZeroU32>,
}

/// Describes a comparison; without further calls it has no methods.
///
/// ```
/// use secant::{Dataset, Lbfgs, Network, Newton, Ridge, Risk, SquaredError};
///
/// # let root = env!("CARGO_MANIFEST_DIR");
/// let data = Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target")?;
/// let net = Network::linear(10, 1);
/// let risk = Risk::new(net.graph()?, &data, SquaredError, Ridge(1e-3))?;
/// let table = secant::compare()
///     .method("Newton", Newton::default())
///     .method("L-BFGS", Lbfgs::default())
///     .run(&risk, &[0.0; 11])?;
/// println!("{table}");
/// assert_eq!(table.row("Newton").unwrap().iterations, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn compare() -> Compare {
    Compare::default()
}

impl Compare {
    /// Adds a method under a name of its own.
    pub fn method(mut self, name: impl Into<String>, method: impl Into<Method>) -> Self {
        self.methods.push((name.into(), method.into()));
        self
    }

    /// One end for all methods; replaces their own.
    pub fn stopping(mut self, stopping: Stopping) -> Self {
        self.stopping = Some(stopping);
        self
    }

    /// Where the costs of evaluations come from. Default [`CostRule::Measured`].
    pub fn costs(mut self, costs: CostRule) -> Self {
        self.costs = costs;
        self
    }

    /// Keeps every iterate, n numbers per step: for pictures of the paths.
    pub fn keep_iterates(mut self) -> Self {
        self.iterates = true;
        self
    }

    /// A minimum known beforehand: gaps are to it, where no method finds a lower value.
    pub fn known_minimum(mut self, value: f64) -> Self {
        self.known_minimum = Some(value);
        self
    }

    /// Runs every method this often and keeps its fastest run. What a run does is the same each time, as long as no time limit ends it;
    /// its seconds are not, least of all where it takes less than a millisecond. Default once.
    pub fn repeats(mut self, repeats: NonZeroU32) -> Self {
        self.repeats = Some(repeats);
        self
    }

    /// The methods, by name.
    pub fn methods(&self) -> impl ExactSizeIterator<Item = (&str, &Method)> {
        self.methods.iter().map(|(name, method)| (name.as_str(), method))
    }

    /// The methods, to be changed; an end for all is put into each first.
    pub(crate) fn methods_mut(&mut self) -> impl Iterator<Item = &mut Method> {
        let stopping = self.stopping.take();
        self.methods.iter_mut().map(move |(_, method)| {
            if let Some(stopping) = &stopping {
                *method.stopping_mut() = stopping.clone();
            }
            method
        })
    }

    /// Runs every method on `problem` from `theta0` (length n), one after the other, after evaluations that warm its buffers.
    ///
    /// # Errors
    /// No method, two of one name, options out of range, a method of least squares on a problem without residuals, a start of another
    /// length or not finite; all before the first run. What goes wrong *in* a run is the row's [`Reason`](crate::Reason).
    pub fn run<P: Curvature>(
        &self,
        problem: &P,
        theta0: &[f64],
    ) -> Result<Comparison, CompareError> {
        self.check(problem, theta0)?;
        let initial_value = warm(problem, theta0);
        let mut runs = Vec::with_capacity(self.methods.len());
        for (name, method) in &self.methods {
            let failed = |source| CompareError::Method { name: name.clone(), source };
            let mut fastest = self.run_one(method, problem, theta0).map_err(failed)?;
            for _ in 1..self.repeats.map_or(1, NonZeroU32::get) {
                let again = self.run_one(method, problem, theta0).map_err(failed)?;
                if again.0.report.seconds < fastest.0.report.seconds {
                    fastest = again;
                }
            }
            let (Solution { theta, report }, iterates) = fastest;
            runs.push(Run { name: name.clone(), theta, report, iterates });
        }
        let costs = self.costs_of(problem, theta0, &runs);
        let residuals = problem.as_least_squares().map_or(0, |problem| problem.residual_len());
        let memory = |(_, method): &(_, Method)| method.memory(theta0.len(), residuals);
        let memory = self.methods.iter().map(memory).collect();
        Ok(Comparison::of(runs, memory, initial_value, self.known_minimum, costs))
    }

    fn run_one<P: Curvature>(
        &self,
        method: &Method,
        problem: &P,
        theta0: &[f64],
    ) -> Result<(Solution, Option<Iterates>), OptimError> {
        let method = self.stopped(method);
        if self.iterates {
            let (solution, iterates) = method.minimize_recorded(problem, theta0)?;
            return Ok((solution, Some(iterates)));
        }
        Ok((method.minimize(problem, theta0)?, None))
    }

    /// The method with the common end, where there is one.
    fn stopped(&self, method: &Method) -> Method {
        match &self.stopping {
            Some(stopping) => method.clone().with_stopping(stopping.clone()),
            None => method.clone(),
        }
    }

    fn check<P: Curvature>(&self, problem: &P, theta0: &[f64]) -> Result<(), CompareError> {
        if self.methods.is_empty() {
            return Err(CompareError::NoMethods);
        }
        for (index, (name, _)) in self.methods.iter().enumerate() {
            if self.methods[..index].iter().any(|(other, _)| other == name) {
                return Err(CompareError::DuplicateName { name: name.clone() });
            }
        }
        if let Some(value) = self.known_minimum.filter(|value| !value.is_finite()) {
            return Err(CompareError::KnownMinimum { value });
        }
        let expected = problem.dim();
        if theta0.len() != expected {
            let found = theta0.len();
            return Err(CompareError::Start(OptimError::StartLength { expected, found }));
        }
        if let Some(index) = theta0.iter().position(|x| !x.is_finite()) {
            let value = theta0[index];
            return Err(CompareError::Start(OptimError::StartNotFinite { index, value }));
        }
        for (name, method) in &self.methods {
            let checked = self.stopped(method).validate(problem);
            checked.map_err(|source| CompareError::Method { name: name.clone(), source })?;
        }
        Ok(())
    }

    fn costs_of<P: Curvature>(&self, problem: &P, theta0: &[f64], runs: &[Run]) -> Costs {
        match self.costs {
            CostRule::Given(costs) => costs,
            CostRule::Counted => Costs::counted(theta0.len()),
            CostRule::Measured => {
                let mut used = Evaluations::default();
                for run in runs {
                    used += run.report.evaluations;
                }
                Costs::measured(problem, theta0, &used)
            }
        }
    }
}

/// One evaluation of each common kind, so that no method pays for the buffers that a problem lays out once. Returns f(θ₀).
fn warm<P: Curvature>(problem: &P, theta0: &[f64]) -> f64 {
    let (ones, mut out) = (vec![1.0; theta0.len()], vec![0.0; theta0.len()]);
    problem.value(theta0);
    let value = problem.value_gradient(theta0, &mut out);
    problem.linearize(theta0).hessian_vector(&ones, &mut out);
    value
}
