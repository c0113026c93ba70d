//! Several starts, of which the best end is the model.

use super::Fit;
use rayon::prelude::*;
use secant_optim::Solution;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Instant;

/// An end this near the best one, relative to it, has reached it.
const SAME: f64 = 1e-6;

/// Where the runs of a fit with [`Fit::starts`] ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Starts {
    /// The seed of every start.
    pub seeds: Vec<u64>,
    /// f at the end of every run; on samples held out, where there are some, the mean loss there.
    #[serde(with = "secant_optim::nonfinite::list")]
    pub values: Vec<f64>,
    /// The run whose end is the model.
    pub best: usize,
    /// Runs whose value is within 1e-6 of the best one's, relative to it; that one among them.
    pub reached: usize,
    /// Wall-clock time of all.
    pub seconds: f64,
}

impl fmt::Display for Starts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (runs, best) = (self.values.len(), self.values[self.best]);
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let (median, worst) = (sorted[runs / 2], sorted[runs - 1]);
        write!(
            f,
            "{runs} starts in {:.3} s: best {best:.6e} (seed {}), reached by {}; median {median:.6e}, worst {worst:.6e}",
            self.seconds, self.seeds[self.best], self.reached
        )
    }
}

impl Fit<'_> {
    /// Runs from `count` starts, seeds s, s + 1, … with s the [`seed`](Self::seed), 0 without one; the run that ends lowest (on samples held
    /// out, where there are some, with the least loss there; the first of equals) gives model and report. In parallel where one run
    /// does not fill the threads, else one after the other: the same result to the last bit. Every run has the limits of the fit for itself;
    /// one interrupt ends all. [`Fitted::starts`](super::Fitted::starts) tells where they ended. With a [`start`](Self::start) given, that is the
    /// first of them.
    ///
    /// ```
    /// use secant::{Activation, Dataset, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/concrete.csv"), "target")?.first(100)?;
    /// let net = Network::mlp([8, 2, 1], Activation::Tanh);
    /// let fit = secant::fit(&net, &data).starts(4).max_iterations(30).run()?;
    /// let starts = fit.starts().unwrap();
    /// assert_eq!(fit.report().value, starts.values[starts.best]);
    /// println!("{starts}");
    /// # Ok::<(), secant::FitError>(())
    /// ```
    pub fn starts(mut self, count: usize) -> Self {
        self.count = count;
        self
    }
}

/// Runs `run(number)` for every seed; the best solution, and where all ended. None of them when one is refused.
pub(super) fn best_of<L: Send, E: Send>(
    seeds: Vec<u64>,
    in_parallel: bool,
    run: impl Fn(usize, u64) -> Result<(Solution, L), E> + Sync,
) -> Result<(Solution, Starts, L), E> {
    let clock = Instant::now();
    let numbered = seeds.iter().copied().enumerate();
    let mut solutions: Vec<(Solution, L)> = if in_parallel {
        let each: Vec<_> = numbered.collect();
        each.into_par_iter().map(|(number, seed)| run(number, seed)).collect::<Result<_, E>>()?
    } else {
        numbered.map(|(number, seed)| run(number, seed)).collect::<Result<_, E>>()?
    };
    let value = |(solution, _): &(Solution, L)| {
        let report = &solution.report;
        report.validation.map_or(report.value, |validation| validation.loss)
    };
    let values: Vec<f64> = solutions.iter().map(value).collect();
    // NaN is the worst; of equals the first.
    let order = |i: &usize, j: &usize| {
        (values[*i].is_nan(), values[*i]).partial_cmp(&(values[*j].is_nan(), values[*j]))
    };
    let best = (0..values.len())
        .reduce(
            |best, next| {
                if order(&next, &best) == Some(std::cmp::Ordering::Less) { next } else { best }
            },
        )
        .unwrap_or_default();
    let near = |value: &&f64| **value - values[best] <= SAME * values[best].abs();
    let reached = values.iter().filter(near).count().max(1);
    let seconds = clock.elapsed().as_secs_f64();
    let (solution, loss) = solutions.swap_remove(best);
    Ok((solution, Starts { seeds, values, best, reached, seconds }, loss))
}
