//! The learning rate that takes a method furthest within a budget, found by trying.
//!
//! Whole runs of the budget from one start, at rates that lie evenly on a logarithmic scale; as long as the best one is at the
//! end of the range, the range grows beyond it; then the spacing around the best is halved a few times. Nothing is random but what
//! the runs draw from their own seeds, so that the search repeats bit for bit. A run that diverges (its value or gradient stops
//! being finite, or it ends above its start) counts as +∞. A range test within one run (Smith 2017) is cheaper but answers
//! another question: the largest rate that is stable at the start, not the best one for the budget.
//! Cost: (decades·`per_decade` + 1 + growth + 2·`refinements`) runs.
//! Source: Bengio (2012), arXiv:1206.5533, §3.3, for the logarithmic scale; Smith (2017), arXiv:1506.01186.

use super::Method;
use crate::error::{OptimError, require};
use crate::minibatch::batches::Minibatches;
use crate::run::minimize::Solution;
use crate::run::stopping::Reason;
use secant_core::problem::{Curvature, SampledObjective};
use serde::{Deserialize, Serialize};

/// The range that is searched first.
pub const LOWEST: f64 = 1e-4;
/// Its other end.
pub const HIGHEST: f64 = 1.0;
/// Rates in a decade: a factor of 3.2 from one to the next, which halving brings down to 1.3.
pub const PER_DECADE: u32 = 2;
/// Halvings of the spacing around the best rate.
pub const REFINEMENTS: u32 = 2;
/// Rates that the range may grow by, in all: three decades with two rates in each.
pub const GROWTH: u32 = 6;
/// Most rates in a decade, and most that the range may grow by: what asks for more would not end.
pub const MAX_RATES: u32 = 1000;
/// Largest rate.
const MOST: f64 = 1e300;
const NAME: &str = "rate finder";

/// Which rates are tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateFinder {
    /// Lower end of the range, > 0. Default [`LOWEST`].
    pub lowest: f64,
    /// Upper end, ≥ `lowest`. Default [`HIGHEST`].
    pub highest: f64,
    /// Rates in a decade, 1 to [`MAX_RATES`]. Default [`PER_DECADE`].
    pub per_decade: u32,
    /// Halvings of the spacing around the best rate. Default [`REFINEMENTS`].
    pub refinements: u32,
    /// The most rates that the range may grow by, up to [`MAX_RATES`]. Default [`GROWTH`].
    pub growth: u32,
}

impl Default for RateFinder {
    fn default() -> Self {
        Self {
            lowest: LOWEST,
            highest: HIGHEST,
            per_decade: PER_DECADE,
            refinements: REFINEMENTS,
            growth: GROWTH,
        }
    }
}

/// One rate that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateTried {
    /// ε.
    pub rate: f64,
    /// f at the best point of the run; +∞ where it diverged.
    #[serde(with = "crate::run::nonfinite")]
    pub value: f64,
    /// Steps of the run. Of two that reach a [`target`](crate::Stopping::target) the one with fewer is better.
    pub iterations: u64,
    /// Why the run ended.
    pub reason: Reason,
}

impl RateTried {
    /// Whether the run left the finite numbers or ended above its start.
    pub fn diverged(&self) -> bool {
        self.value == f64::INFINITY
    }

    /// At the target in fewer steps; at the target while the other is not; or lower.
    fn is_better_than(&self, other: &Self) -> bool {
        let arrived = |tried: &Self| tried.reason == Reason::TargetReached;
        match (arrived(self), arrived(other)) {
            (true, true) => self.iterations < other.iterations,
            (false, false) => self.value < other.value,
            (arrived, _) => arrived,
        }
    }
}

/// Every rate that was tried, and the best run.
#[derive(Clone, Debug, PartialEq)]
pub struct RateFound {
    /// In rising order of the rate.
    pub tried: Vec<RateTried>,
    /// The best rate and its run; none where every run diverged.
    pub best: Option<(f64, Solution)>,
    /// The best rate is the lowest or highest that was tried: a wider range may hold a better one.
    pub at_edge: bool,
}

impl RateFound {
    /// The best rate; none where every run diverged.
    pub fn rate(&self) -> Option<f64> {
        self.best.as_ref().map(|(rate, _)| *rate)
    }
}

impl RateFinder {
    /// Tries the rates of a first-order `method` full-batch, each from `theta0` with the method's own stopping tests: its
    /// `max_iterations` is the budget.
    ///
    /// # Errors
    /// A method without a rate; a range or an option that is out of range; and as [`minimize`](crate::minimize).
    ///
    /// ```
    /// # use secant_core::problem::{Curvature, Objective};
    /// use secant_optim::{Adam, Method, RateFinder, Stopping};
    /// # fn example(problem: &impl Curvature, start: &[f64]) -> Result<(), secant_optim::OptimError> {
    /// let budget = Stopping { max_iterations: 500, ..Stopping::default() };
    /// let adam = Method::from(Adam::default().with_stopping(budget));
    /// let found = RateFinder::default().full_batch(&adam, problem, start)?;
    /// println!("best rate {:?} of {} tried", found.rate(), found.tried.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn full_batch<P: Curvature>(
        &self,
        method: &Method,
        problem: &P,
        theta0: &[f64],
    ) -> Result<RateFound, OptimError> {
        self.run(|rate| with_rate(method, rate)?.minimize(problem, theta0))
    }

    /// The same on minibatches, the same ones for every rate: their limit is the budget.
    ///
    /// # Errors
    /// As [`full_batch`](Self::full_batch) and [`minimize_sampled`](crate::minimize_sampled).
    pub fn sampled<P: SampledObjective>(
        &self,
        method: &Method,
        problem: &P,
        minibatches: &Minibatches,
        theta0: &[f64],
    ) -> Result<RateFound, OptimError> {
        self.run(|rate| with_rate(method, rate)?.minimize_sampled(problem, minibatches, theta0))
    }

    /// The same for any run that has a rate.
    ///
    /// # Errors
    /// A range or an option that is out of range, and those of `trial`.
    pub fn run(
        &self,
        trial: impl FnMut(f64) -> Result<Solution, OptimError>,
    ) -> Result<RateFound, OptimError> {
        self.validate()?;
        let mut search = Search { tried: Vec::new(), best: None, trial };
        let decades = (self.highest / self.lowest).log10();
        let intervals = (decades * f64::from(self.per_decade)).round().max(1.0);
        let spacing = (self.highest / self.lowest).powf(1.0 / intervals);
        let mut index = 0.0;
        while index < intervals && spacing > 1.0 {
            search.look_at(self.lowest * spacing.powf(index))?;
            index += 1.0;
        }
        search.look_at(self.highest)?;
        for _ in 0..self.growth {
            let next = match search.edge() {
                Some(Edge::Lowest(end)) => end / spacing,
                Some(Edge::Highest(end)) => end * spacing,
                None => break,
            };
            // At the end of the numbers there is nothing wider.
            if !(next > 0.0 && next.is_finite()) {
                break;
            }
            search.look_at(next)?;
        }
        let mut factor = spacing;
        for _ in 0..self.refinements {
            factor = factor.sqrt();
            let Some(best) = search.best_rate().filter(|_| factor > 1.0) else { break };
            search.look_at(best / factor)?;
            search.look_at(best * factor)?;
        }
        let at_edge = search.edge().is_some();
        let best = search.best.map(|(tried, solution)| (tried.rate, solution));
        Ok(RateFound { tried: search.tried, best, at_edge })
    }

    fn validate(&self) -> Result<(), OptimError> {
        let Self { lowest, highest, per_decade, growth, .. } = *self;
        let inside = lowest > 0.0 && lowest <= MOST;
        require(inside, NAME, "lowest", lowest, "(0, 1e300]")?;
        let inside = highest >= lowest && highest <= MOST;
        require(inside, NAME, "highest", highest, "from lowest to 1e300")?;
        // The quotient sets the spacing.
        let inside = (highest / lowest).is_finite();
        require(inside, NAME, "lowest", lowest, "at least 1e-308 times highest")?;
        let inside = (1..=MAX_RATES).contains(&per_decade);
        require(inside, NAME, "per_decade", f64::from(per_decade), "1 … 1000")?;
        require(growth <= MAX_RATES, NAME, "growth", f64::from(growth), "0 … 1000")
    }
}

/// A rate at an end of those tried that is the best one.
enum Edge {
    Lowest(f64),
    Highest(f64),
}

struct Search<F> {
    /// In rising order of the rate.
    tried: Vec<RateTried>,
    best: Option<(RateTried, Solution)>,
    trial: F,
}

impl<F: FnMut(f64) -> Result<Solution, OptimError>> Search<F> {
    fn look_at(&mut self, rate: f64) -> Result<(), OptimError> {
        let solution = (self.trial)(rate)?;
        let report = &solution.report;
        let last = report.trace.last().map_or(f64::NAN, |entry| entry.value);
        let finite = !matches!(report.reason, Reason::NonFiniteStart | Reason::NonFiniteValue);
        // A NaN is no arrival.
        let value =
            if finite && last <= report.initial_value { report.value } else { f64::INFINITY };
        let tried = RateTried { rate, value, iterations: report.iterations, reason: report.reason };
        let place = self.tried.partition_point(|other| other.rate < rate);
        self.tried.insert(place, tried);
        let better = self.best.as_ref().is_none_or(|(best, _)| tried.is_better_than(best));
        if better && !tried.diverged() {
            self.best = Some((tried, solution));
        }
        Ok(())
    }

    fn best_rate(&self) -> Option<f64> {
        self.best.as_ref().map(|(tried, _)| tried.rate)
    }

    /// The end at which the best rate stands; the lower one where every run diverged.
    fn edge(&self) -> Option<Edge> {
        let (first, last) = (self.tried.first()?.rate, self.tried.last()?.rate);
        match self.best_rate() {
            _ if first == last => None,
            None => Some(Edge::Lowest(first)),
            Some(best) if best == first => Some(Edge::Lowest(first)),
            Some(best) if best == last => Some(Edge::Highest(last)),
            Some(_) => None,
        }
    }
}

fn with_rate(method: &Method, rate: f64) -> Result<Method, OptimError> {
    let mut method = method.clone();
    method.set_rate(rate)?;
    Ok(method)
}
