//! Thousands of small least-squares fits at once: one model, many groups of data.
//!
//! Problem: for every group g minimise ½‖r_g(θ_g)‖², n to a few tens, each group for itself.
//! Method: [`LevenbergMarquardt`] with QR of J, the same model, acceptance and ends; with bounds by an active set: parameters that the
//! bounds do not let follow −∇f stay, those that a step takes out of the box are held at the bound and the others solved for again.
//! Parallel over the groups, each fit on one thread in memory that the thread keeps: nothing is allocated for a fit after the first of
//! each thread. The bits of a group depend on its data and its start alone, neither on threads nor on its neighbours.
//! Memory: 2(mn + 3n²) numbers a thread, 2n + 10 a group. Cost per iteration: J, twice r, 2mn² + a few n³.
//! Source: Moré (1978), Nielsen (1999), Transtrum & Sethna (2012); Kanzow, Yamashita & Fukushima (2004) for the box.

mod fit;
mod model;
mod outcome;
mod problem;
mod table;

pub use crate::problem::duals::scratch::Scratch;
pub use outcome::Outcome;
pub use problem::SmallLeastSquares;
pub use table::{ManyFit, ManyFits};

use crate::error::OptimError;
use crate::problem::bounds::Bounds;
use crate::problem::duals::scratch::Pool;
use crate::run::limits::Interrupt;
use crate::run::stopping::Stopping;
use crate::solver::FitSolver;
use crate::solver::least_squares::levenberg_marquardt::LevenbergMarquardt;
use crate::solver::least_squares::polish::GRADIENT_TOLERANCE;
use crate::solver::least_squares::residual_model::{Factorization, SecondOrder};
use fit::{Ended, Rules, Workspace};
use model::Robust;
use rayon::prelude::*;
use secant_core::rho::Rho;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use table::Row;
use thiserror::Error;

/// Most iterations of a fit: one that has not ended by then has, as a rule, no minimum to come to.
pub const MAX_ITERATIONS: u64 = 500;
/// Groups that a thread takes at once.
const CHUNK: usize = 32;

/// A mistake of the caller, found before the first fit.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ManyError {
    /// No start was given.
    #[error("no start: give `start`, `starts`, `start_by` or `start_from_previous`")]
    NoStart,
    /// A model without parameters.
    #[error("the groups have no parameters to fit")]
    NoParameters,
    /// Groups of different models.
    #[error("group {key} has {found} parameters, the first one has {expected}")]
    Parameters {
        /// Of the group.
        key: String,
        /// n of the first group.
        expected: usize,
        /// n of this one.
        found: usize,
    },
    /// A start, or what is told of all parameters, has another length.
    #[error("{what} has {found} entries, there are {expected}")]
    Length {
        /// What has it.
        what: &'static str,
        /// Entries that it should have.
        expected: usize,
        /// Entries that it has.
        found: usize,
    },
    /// The scale of a robust fit is not in (0, ∞).
    #[error("the scale of the robust fit is {0}, allowed is (0, ∞)")]
    Scale(f64),
    /// An option of the method that small fits do not have.
    #[error(
        "many fits are by QR of J without second derivatives: leave `factorization` and `second_order` of the method as they are"
    )]
    Method,
    /// An option out of its range, bounds of another length.
    #[error(transparent)]
    Optim(#[from] OptimError),
}

/// Where the groups are with their fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManyProgress {
    /// Groups that were fitted, or refused.
    pub done: usize,
    /// Of so many.
    pub groups: usize,
}

/// Where fits begin.
enum Start<'a, P> {
    None,
    Same(Vec<f64>),
    /// n of each, one after the other.
    Each(Vec<f64>),
    By(Box<StartBy<'a, P>>),
    Previous(Vec<f64>, usize),
}

type StartBy<'a, P> = dyn Fn(&P, &mut [f64]) + Send + Sync + 'a;
type OnProgress<'a> = dyn Fn(ManyProgress) + Send + Sync + 'a;

/// Describes many fits; [`run`](Self::run) makes them.
pub struct FitMany<'a, P> {
    groups: Vec<P>,
    keys: Option<Vec<String>>,
    start: Start<'a, P>,
    method: LevenbergMarquardt,
    bounds: Option<Bounds>,
    robust: Option<Robust>,
    absolute: bool,
    interrupt: Option<Interrupt>,
    progress: Option<Box<OnProgress<'a>>>,
}

/// Fits a model to many groups of data: `groups` are problems of one group each, of the same parameters; [`Residuals`] of any kind, or
/// [`SmallLeastSquares`] of your own.
///
/// [`Residuals`]: secant_core::real::Residuals
///
/// ```
/// use secant_core::real::{Real, Residuals};
/// use secant_optim::fit_many;
///
/// /// y = a·e^(−bt): θ = (a, b).
/// struct Decay<'a> { t: &'a [f64], y: &'a [f64] }
///
/// impl Residuals for Decay<'_> {
///     fn parameters(&self) -> usize { 2 }
///     fn residual_len(&self) -> usize { self.t.len() }
///     fn residuals<T: Real>(&self, p: &[T], r: &mut [T]) {
///         for ((r, t), y) in r.iter_mut().zip(self.t).zip(self.y) {
///             *r = p[0] * (-p[1] * *t).exp() - *y;
///         }
///     }
/// }
///
/// let t = [0.0, 1.0, 2.0, 3.0];
/// let runs = [[2.0, 1.2, 0.75, 0.42], [3.1, 1.0, 0.35, 0.1], [f64::NAN, 1.0, 0.5, 0.2]];
/// let fits = fit_many(runs.iter().map(|y| Decay { t: &t, y })).start([1.0, 1.0]).run()?;
///
/// assert_eq!((fits.len(), fits.successes()), (3, 2));
/// let first = fits.get(0).unwrap();
/// assert!((first.theta[1] - 0.506).abs() < 1e-3 && first.errors[1] < 0.02);
/// // A bad group is a row with its reason.
/// assert_eq!(fits.get(2).unwrap().outcome.word(), "non_finite_start");
/// # Ok::<(), secant_optim::ManyError>(())
/// ```
pub fn fit_many<'a, P: SmallLeastSquares>(groups: impl IntoIterator<Item = P>) -> FitMany<'a, P> {
    let mut method = LevenbergMarquardt::default();
    method.stopping.max_iterations = MAX_ITERATIONS;
    FitMany {
        groups: groups.into_iter().collect(),
        keys: None,
        start: Start::None,
        method,
        bounds: None,
        robust: None,
        absolute: false,
        interrupt: None,
        progress: None,
    }
}

impl<P> fmt::Debug for FitMany<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FitMany").field("groups", &self.groups.len()).finish_non_exhaustive()
    }
}

impl<'a, P> FitMany<'a, P> {
    /// A key for each group, in their order. Default their numbers, from 0.
    pub fn keys<K: ToString>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.keys = Some(keys.into_iter().map(|key| key.to_string()).collect());
        self
    }

    /// One start for all, length n.
    pub fn start(mut self, theta0: impl Into<Vec<f64>>) -> Self {
        self.start = Start::Same(theta0.into());
        self
    }

    /// A start for each group, n numbers of each, one after the other.
    pub fn starts(mut self, theta0: impl Into<Vec<f64>>) -> Self {
        self.start = Start::Each(theta0.into());
        self
    }

    /// A start from the data of the group: `start(group, theta0)` writes n numbers. It is called on the group's thread and must depend on
    /// the group alone.
    pub fn start_by(mut self, start: impl Fn(&P, &mut [f64]) + Send + Sync + 'a) -> Self {
        self.start = Start::By(Box::new(start));
        self
    }

    /// Each group begins where the one before ended, for groups that change slowly: in series of `series` groups, which run in order on one
    /// thread. The first of a series, and one behind a group that was not fitted, begins at `theta0`. The bits of a group then depend on those
    /// before it in its series; not on threads.
    pub fn start_from_previous(mut self, theta0: impl Into<Vec<f64>>, series: usize) -> Self {
        self.start = Start::Previous(theta0.into(), series.max(1));
        self
    }

    /// Options of the method. `factorization` and `second_order` stay at their defaults. Its iterations are limited to [`MAX_ITERATIONS`]
    /// unless this says otherwise.
    pub fn method(mut self, method: LevenbergMarquardt) -> Self {
        self.method = method;
        self
    }

    /// When a fit ends.
    pub fn stopping(mut self, stopping: Stopping) -> Self {
        self.method.stopping = stopping;
        self
    }

    /// The most iterations of a fit.
    pub fn max_iterations(mut self, iterations: u64) -> Self {
        self.method.stopping.max_iterations = iterations;
        self
    }

    /// l ≤ θ ≤ u, the same for all groups. A start outside is moved to the box.
    pub fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = Some(bounds);
        self
    }

    /// Minimises ½σ²Σρ((rᵢ/σ)²) in place of ½‖r‖², with σ = `scale` in the units of r.
    pub fn robust(mut self, rho: Rho, scale: f64) -> Self {
        self.robust = Some(Robust { rho, scale });
        self
    }

    /// Residuals are in standard deviations, (model − y)/σ with known σ: errors are not scaled by the size of the residuals that are found.
    pub fn absolute_sigma(mut self, absolute: bool) -> Self {
        self.absolute = absolute;
        self
    }

    /// Ends it from outside: groups that have not begun are not fitted.
    pub fn interrupt(mut self, interrupt: &Interrupt) -> Self {
        self.interrupt = Some(interrupt.clone());
        self
    }

    /// Hears of groups that are done, every few of them, on whatever thread did them.
    pub fn progress(mut self, progress: impl Fn(ManyProgress) + Send + Sync + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }
}

impl<P: SmallLeastSquares + Sync> FitMany<'_, P> {
    /// Fits every group. What happens to one is in its row, see [`Outcome`].
    ///
    /// # Errors
    /// [`ManyError`]: no start, lengths that do not fit, groups of another number of parameters, an option out of its range.
    pub fn run(mut self) -> Result<ManyFits, ManyError> {
        let (groups, n) =
            (self.groups.len(), self.groups.first().map_or(0, |group| group.shape().1));
        let rules = self.rules(n)?;
        let keys = self.checked_keys()?;
        let mut theta = self.first_points(n)?;
        let mut errors = vec![f64::NAN; groups * n];
        let nothing = Row {
            outcome: Outcome::NotRun,
            iterations: 0,
            evaluations: 0,
            residuals: 0,
            sum_of_squares: f64::NAN,
        };
        let mut rows = vec![nothing; groups];
        let names = self
            .groups
            .first()
            .map_or_else(Vec::new, |group| (0..n).map(|j| group.name_of(j)).collect());
        let chunk = if let Start::Previous(_, series) = &self.start { *series } else { CHUNK };
        let (pool, done) = (Pool::default(), AtomicUsize::new(0));
        theta
            .par_chunks_mut((chunk * n).max(1))
            .zip(errors.par_chunks_mut((chunk * n).max(1)))
            .zip(rows.par_chunks_mut(chunk))
            .enumerate()
            .for_each(|(index, ((theta, errors), rows))| {
                let members = &self.groups[index * chunk..index * chunk + rows.len()];
                pool.with(|work| self.fit_chunk(&rules, members, work, (theta, errors, rows)));
                if let Some(progress) = &self.progress {
                    let done = rows.len() + done.fetch_add(rows.len(), Ordering::Relaxed);
                    progress(ManyProgress { done, groups });
                }
            });
        Ok(ManyFits { names, keys, theta, errors, rows })
    }

    fn fit_chunk(
        &self,
        rules: &Rules,
        members: &[P],
        work: &mut Workspace<P::Scratch>,
        (theta, errors, rows): (&mut [f64], &mut [f64], &mut [Row]),
    ) {
        let n =
            rules.bounds.as_ref().map_or(theta.len() / rows.len(), |bounds| bounds.lower().len());
        for (i, group) in members.iter().enumerate() {
            if self.interrupt.as_ref().is_some_and(Interrupt::is_set) {
                return;
            }
            let (before, rest) = theta.split_at_mut(i * n);
            let own = &mut rest[..n];
            match &self.start {
                Start::By(start) => start(group, own),
                Start::Previous(..) if i > 0 && rows[i - 1].outcome.is_success() => {
                    own.copy_from_slice(&before[(i - 1) * n..]);
                }
                _ => {}
            }
            let errors = &mut errors[i * n..(i + 1) * n];
            let Ended { outcome, iterations, evaluations, value } =
                work.fit(group, rules, own, errors);
            let (residuals, sum_of_squares) = (group.shape().0, 2.0 * value);
            rows[i] = Row { outcome, iterations, evaluations, residuals, sum_of_squares };
        }
    }

    fn rules(&self, n: usize) -> Result<Rules, ManyError> {
        let method = self.method.clone();
        method.validate()?;
        if method.factorization != Factorization::Auto || method.second_order != SecondOrder::Off {
            return Err(ManyError::Method);
        }
        if let Some(Robust { scale, .. }) = self.robust
            && !(scale > 0.0 && scale.is_finite())
        {
            return Err(ManyError::Scale(scale));
        }
        let bounds = self.bounds.as_ref().filter(|bounds| !bounds.is_free());
        let bounds = bounds.map(|bounds| bounds.of(n)).transpose()?;
        let stopping = method.stopping.or_own(GRADIENT_TOLERANCE);
        let (robust, absolute) = (self.robust, self.absolute);
        Ok(Rules { method, stopping, bounds, robust, absolute })
    }

    fn checked_keys(&mut self) -> Result<Vec<String>, ManyError> {
        let expected = self.groups.len();
        let keys = self.keys.take();
        let keys = keys.unwrap_or_else(|| (0..expected).map(|i| i.to_string()).collect());
        if keys.len() != expected {
            return Err(ManyError::Length {
                what: "the list of keys",
                expected,
                found: keys.len(),
            });
        }
        let n = self.groups.first().map_or(0, |group| group.shape().1);
        let other = self.groups.iter().position(|group| group.shape().1 != n);
        if let Some(i) = other {
            let (key, found) = (keys[i].clone(), self.groups[i].shape().1);
            return Err(ManyError::Parameters { key, expected: n, found });
        }
        if n == 0 && expected > 0 {
            return Err(ManyError::NoParameters);
        }
        Ok(keys)
    }

    /// The starts as far as they are known before.
    fn first_points(&self, n: usize) -> Result<Vec<f64>, ManyError> {
        let groups = self.groups.len();
        match &self.start {
            Start::None if groups > 0 => Err(ManyError::NoStart),
            Start::Same(theta0) | Start::Previous(theta0, _) if groups > 0 => {
                let found = theta0.len();
                if found != n {
                    return Err(ManyError::Length { what: "the start", expected: n, found });
                }
                Ok(theta0.repeat(groups))
            }
            Start::None | Start::Same(_) | Start::Previous(..) => Ok(Vec::new()),
            Start::Each(starts) => {
                let (expected, found) = (groups * n, starts.len());
                if found != expected {
                    return Err(ManyError::Length { what: "the list of starts", expected, found });
                }
                Ok(starts.clone())
            }
            Start::By(_) => Ok(vec![f64::NAN; groups * n]),
        }
    }
}
