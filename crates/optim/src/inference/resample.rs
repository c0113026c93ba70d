//! The bootstrap: the spread of estimates over data drawn anew from the data.
//!
//! Residuals are drawn with replacement and put on the fitted values (centred, and √(m/(m − p)) longer, so that their variance is s²), or
//! whole cases are drawn, which does not need errors of one variance; then the fit is run again from the solution. Round k draws from a stream
//! of its own, so that the bits do not depend on threads. Memory n for each round. Sources: Efron & Tibshirani (1993) §9.4, §13.3; Davison &
//! Hinkley (1997) §5.2, §6.2.3.

use super::InferenceError;
use super::bca::{self, quantile};
use super::build::default_name;
use crate::error::OptimError;
use crate::problem::bounds::Bounds;
use crate::run::minimize::{Solution, minimize};
use crate::run::nonfinite;
use crate::solver::{BoundedLevenbergMarquardt, LevenbergMarquardt};
use faer::MatMut;
use rayon::prelude::*;
use secant_core::problem::{Derivatives, LeastSquares, Objective};
use secant_core::random::{Random, hashed};
use serde::{Deserialize, Serialize};

/// Of intervals.
const LEVEL: f64 = 0.95;
/// Least rounds.
const LEAST_ROUNDS: usize = 2;

/// What is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resampling {
    /// The residuals of the data. Right where the errors are of one distribution (in units of σ, where there are any).
    #[default]
    Residuals,
    /// Whole cases, each a run of so many residuals: 1, or the outputs of a sample. Right also where the errors differ in variance.
    Cases(usize),
}

/// A bootstrap being described; [`run`](Self::run) runs it.
#[derive(Clone)]
#[must_use = "nothing happens before `run`"]
pub struct Resample<'a> {
    problem: &'a (dyn LeastSquares + Sync),
    theta: &'a [f64],
    names: Option<Vec<String>>,
    bounds: Option<Bounds>,
    resampling: Resampling,
    accelerated: bool,
    level: f64,
    seed: u64,
}

impl std::fmt::Debug for Resample<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resample")
            .field("theta", &self.theta)
            .field("resampling", &self.resampling)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// Estimates of data drawn anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bootstrap {
    /// The n parameters.
    pub names: Vec<String>,
    /// Their estimates from the data themselves.
    pub estimates: Vec<f64>,
    /// Those of every round that succeeded, one round after the other: n numbers each.
    #[serde(with = "nonfinite::list")]
    pub replicates: Vec<f64>,
    /// How many rounds there were.
    pub rounds: usize,
    /// Rounds whose fit did not succeed: they are left out.
    pub failures: usize,
    /// What was drawn.
    pub resampling: Resampling,
    /// The acceleration of each parameter, where [`Resample::accelerated`] asked for them; NaN of one that does not move.
    #[serde(default, with = "nonfinite::list")]
    pub accelerations: Vec<f64>,
    /// Of intervals.
    pub level: f64,
    /// What the draws begin with.
    pub seed: u64,
}

impl Bootstrap {
    /// Of a least-squares problem at its solution.
    ///
    /// ```
    /// use secant_optim::inference::Bootstrap;
    /// use secant_optim::LeastSquaresFn;
    /// let y = [4.1, 5.3, 3.8, 4.9, 5.0, 4.4];
    /// let mean = LeastSquaresFn::new(1, 6, |p, r| (0..6).for_each(|i| r[i] = p[0] - y[i]));
    /// let found = Bootstrap::of(&mean, &[27.5 / 6.0]).names(["mean"]).seed(7).run(500)?;
    /// let (low, high) = found.interval(0);
    /// assert!(4.0 < low && high < 5.2 && found.failures == 0);
    /// # Ok::<(), secant_optim::inference::InferenceError>(())
    /// ```
    pub fn of<'a>(problem: &'a (dyn LeastSquares + Sync), theta: &'a [f64]) -> Resample<'a> {
        Resample {
            problem,
            theta,
            names: None,
            bounds: None,
            resampling: Resampling::default(),
            accelerated: false,
            level: LEVEL,
            seed: 0,
        }
    }

    /// The jth parameter in all rounds that succeeded.
    ///
    /// # Panics
    /// Without a jth parameter.
    pub fn replicates_of(&self, j: usize) -> Vec<f64> {
        assert!(j < self.estimates.len(), "no parameter {j}");
        self.replicates.iter().skip(j).step_by(self.estimates.len()).copied().collect()
    }

    /// Their standard deviation; NaN of less than two.
    ///
    /// # Panics
    /// Without a jth parameter.
    pub fn standard_error(&self, j: usize) -> f64 {
        let all = self.replicates_of(j);
        let count = all.len() as f64;
        let mean = all.iter().sum::<f64>() / count;
        let squares: f64 = all.iter().map(|x| (x - mean) * (x - mean)).sum();
        if all.len() < 2 { f64::NAN } else { (squares / (count - 1.0)).sqrt() }
    }

    /// Their mean less the estimate.
    ///
    /// # Panics
    /// Without a jth parameter.
    pub fn bias(&self, j: usize) -> f64 {
        let all = self.replicates_of(j);
        all.iter().sum::<f64>() / all.len() as f64 - self.estimates[j]
    }

    /// The percentile interval: the quantiles (1 ∓ level)/2 of the replicates, straight between two of them. NaN without replicates.
    ///
    /// # Panics
    /// Without a jth parameter.
    pub fn interval(&self, j: usize) -> (f64, f64) {
        let mut all = self.replicates_of(j);
        all.sort_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - self.level);
        (quantile(&all, tail), quantile(&all, 1.0 - tail))
    }

    /// The basic interval, 2θ̂ less the percentiles: the errors seen are taken to be those of the estimate.
    ///
    /// # Panics
    /// Without a jth parameter.
    pub fn basic_interval(&self, j: usize) -> (f64, f64) {
        let (low, high) = self.interval(j);
        (2.0 * self.estimates[j] - high, 2.0 * self.estimates[j] - low)
    }

    /// The BCa interval: percentiles moved by the median bias of the replicates and by the acceleration, so that its ends are right to the
    /// order 1/m where those of the others are to 1/√m. `None` where [`Resample::accelerated`] did not ask for accelerations, and where there
    /// is none: all replicates on one side of the estimate, a parameter that does not move. SciPy's `bootstrap(method="BCa")`.
    ///
    /// ```
    /// use secant_optim::inference::{Bootstrap, Resampling};
    /// use secant_optim::LeastSquaresFn;
    /// let y = [0.2, 0.4, 0.5, 0.7, 1.1, 1.6, 4.9];
    /// let mean = LeastSquaresFn::new(1, 7, |p, r| (0..7).for_each(|i| r[i] = p[0] - y[i]));
    /// let ask = Bootstrap::of(&mean, &[9.4 / 7.0]).resampling(Resampling::Cases(1)).accelerated(true);
    /// let found = ask.run(2000)?;
    /// // The long tail upward moves both ends up.
    /// let ((low, high), (bca_low, bca_high)) = (found.interval(0), found.bca_interval(0).unwrap());
    /// assert!(found.accelerations[0] > 0.0 && bca_low > low && bca_high > high);
    /// # Ok::<(), secant_optim::inference::InferenceError>(())
    /// ```
    ///
    /// # Panics
    /// Without a jth parameter.
    pub fn bca_interval(&self, j: usize) -> Option<(f64, f64)> {
        let replicates = self.replicates_of(j);
        bca::interval(self.estimates[j], replicates, *self.accelerations.get(j)?, self.level)
    }
}

impl std::fmt::Display for Bootstrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let drawn = match self.resampling {
            Resampling::Residuals => "residuals",
            Resampling::Cases(_) => "cases",
        };
        write!(f, "bootstrap of {drawn}: {} rounds, {} failed", self.rounds, self.failures)?;
        for (j, name) in self.names.iter().enumerate() {
            let estimate = super::rounded(self.estimates[j], self.standard_error(j));
            let (low, high) = self.interval(j);
            write!(f, "\n{name}: {estimate}, {low:.5e} … {high:.5e}")?;
            if let Some((low, high)) = self.bca_interval(j) {
                write!(f, ", BCa {low:.5e} … {high:.5e}")?;
            }
        }
        Ok(())
    }
}

impl Resample<'_> {
    /// Names of the n parameters. Default what the problem calls them.
    pub fn names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// The bounds of the fit.
    pub fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = Some(bounds);
        self
    }

    /// What is drawn. Default residuals.
    pub fn resampling(mut self, resampling: Resampling) -> Self {
        self.resampling = resampling;
        self
    }

    /// Whether the accelerations of [BCa intervals](Bootstrap::bca_interval) are found too: for cases by a fit without each of them, for residuals
    /// from their skewness and J. Default false.
    pub fn accelerated(mut self, accelerated: bool) -> Self {
        self.accelerated = accelerated;
        self
    }

    /// Of the intervals, in (0, 1). Default 0.95.
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// What the draws begin with. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Runs so many fits, in parallel: some 1,000 for standard errors and intervals to a few per cent.
    ///
    /// # Errors
    /// Lengths that do not fit; a level out of range; residuals that are not finite at the solution; fewer than two rounds; cases that
    /// are no whole number of the residuals; no degrees of freedom for drawing residuals; a fit without one case that did not succeed, where
    /// accelerations are asked for.
    pub fn run(&self, rounds: usize) -> Result<Bootstrap, InferenceError> {
        let (n, m) = (self.problem.dim(), self.problem.residual_len());
        let length = |what, expected, found| {
            if expected == found {
                Ok(())
            } else {
                Err(InferenceError::Length { what, expected, found })
            }
        };
        if let Some(fault) = self.problem.fault() {
            return Err(InferenceError::Problem(fault));
        }
        length("entries of θ", n, self.theta.len())?;
        let names = match &self.names {
            Some(names) => names.clone(),
            None => (0..n).map(|j| default_name(self.problem, j)).collect(),
        };
        length("names", n, names.len())?;
        if let Some(bounds) = &self.bounds {
            length("bounds", n, bounds.lower().len())?;
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(InferenceError::Level(self.level));
        }
        if rounds < LEAST_ROUNDS {
            let (what, least) = ("rounds of a bootstrap", LEAST_ROUNDS);
            return Err(InferenceError::TooFew { what, found: rounds, least });
        }
        let observations = self.problem.observations();
        if let Resampling::Cases(rows) = self.resampling
            && (rows == 0 || !observations.rows.is_multiple_of(rows))
        {
            let expected = observations.rows;
            return Err(InferenceError::Length {
                what: "residuals of a case",
                expected,
                found: rows,
            });
        }
        let mut residuals = vec![0.0; m];
        self.problem.residuals(self.theta, &mut residuals);
        if let Some(row) = residuals.iter().position(|r| !r.is_finite()) {
            return Err(InferenceError::Residual { row, value: residuals[row] });
        }
        let errors = match self.resampling {
            Resampling::Residuals => {
                let degrees = observations.counted.saturating_sub(n);
                if degrees == 0 {
                    let (observations, parameters) = (observations.counted, n as f64);
                    return Err(InferenceError::NoDegrees { observations, parameters });
                }
                let factor = (observations.counted as f64 / degrees as f64).sqrt();
                let data = &residuals[..observations.rows];
                let mean = data.iter().sum::<f64>() / data.len() as f64;
                data.iter().map(|r| factor * (r - mean)).collect()
            }
            Resampling::Cases(_) => Vec::new(),
        };
        let round = |k: usize| self.round(k as u64, &residuals, &errors, observations.rows);
        let found: Result<Vec<Option<Vec<f64>>>, OptimError> =
            (0..rounds).into_par_iter().map(round).collect();
        let found = found?;
        let failures = found.iter().filter(|theta| theta.is_none()).count();
        let accelerations = if self.accelerated {
            self.accelerations(&errors, observations.rows)?
        } else {
            Vec::new()
        };
        Ok(Bootstrap {
            names,
            estimates: self.theta.to_vec(),
            replicates: found.into_iter().flatten().flatten().collect(),
            rounds,
            failures,
            resampling: self.resampling,
            accelerations,
            level: self.level,
            seed: self.seed,
        })
    }

    /// One for each parameter.
    fn accelerations(&self, errors: &[f64], rows: usize) -> Result<Vec<f64>, InferenceError> {
        let (n, m) = (self.theta.len(), self.problem.residual_len());
        let Resampling::Cases(size) = self.resampling else {
            let mut gradient = vec![0.0; n];
            self.problem.value_gradient(self.theta, &mut gradient);
            let bounds = self.bounds.as_ref();
            return Ok(bca::of_residuals(self.problem, self.theta, bounds, &gradient, errors));
        };
        let without = |case: usize| {
            let mut weights = vec![1.0; m];
            weights[case * size..(case + 1) * size].fill(0.0);
            let fit = self.fit(weights, vec![0.0; m])?;
            fit.ok_or(InferenceError::LeftOut { case })
        };
        let all: Vec<Result<Vec<f64>, InferenceError>> =
            (0..rows / size).into_par_iter().map(without).collect();
        // Of several that fail it is the first, whatever the threads.
        let all: Result<Vec<Vec<f64>>, InferenceError> = all.into_iter().collect();
        Ok(bca::of_cases(&all?.concat(), n))
    }

    /// θ of the data of round k; `None` where the fit did not succeed.
    fn round(
        &self,
        k: u64,
        residuals: &[f64],
        errors: &[f64],
        rows: usize,
    ) -> Result<Option<Vec<f64>>, OptimError> {
        let mut random = Random::new(hashed(self.seed, k));
        let (mut weights, mut shift) = (vec![1.0_f64; residuals.len()], vec![0.0; residuals.len()]);
        match self.resampling {
            Resampling::Residuals => {
                for i in 0..rows {
                    shift[i] = errors[random.below(rows)] - residuals[i];
                }
            }
            Resampling::Cases(size) => {
                let cases = rows / size;
                weights[..rows].fill(0.0);
                for _ in 0..cases {
                    let case = random.below(cases);
                    for weight in &mut weights[case * size..(case + 1) * size] {
                        *weight += 1.0;
                    }
                }
                for weight in &mut weights[..rows] {
                    *weight = weight.sqrt();
                }
            }
        }
        self.fit(weights, shift)
    }

    /// θ of w·r + shift; `None` where the fit did not succeed.
    fn fit(&self, weights: Vec<f64>, shift: Vec<f64>) -> Result<Option<Vec<f64>>, OptimError> {
        let drawn = Drawn { problem: self.problem, weights, shift };
        let Solution { theta, report } = match &self.bounds {
            Some(bounds) => {
                minimize(&drawn, BoundedLevenbergMarquardt::new(bounds.clone()), self.theta)?
            }
            None => minimize(&drawn, LevenbergMarquardt::default(), self.theta)?,
        };
        Ok(report.reason.is_success().then_some(theta))
    }
}

/// w·r + shift, row by row.
struct Drawn<'a> {
    problem: &'a (dyn LeastSquares + Sync),
    weights: Vec<f64>,
    shift: Vec<f64>,
}

impl Drawn<'_> {
    /// `residuals` ← w·r + shift; half the sum of their squares. A row that was not drawn does not count even where it is not finite.
    fn draw(&self, residuals: &mut [f64]) -> f64 {
        let rows = residuals.iter_mut().zip(self.weights.iter().zip(&self.shift));
        for (r, (weight, shift)) in rows {
            *r = if *weight == 0.0 { *shift } else { weight * *r + shift };
        }
        0.5 * residuals.iter().map(|r| r * r).sum::<f64>()
    }
}

impl Objective for Drawn<'_> {
    fn dim(&self) -> usize {
        self.problem.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.residuals(theta, &mut vec![0.0; self.residual_len()])
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let mut residuals = vec![0.0; self.residual_len()];
        let value = self.residuals(theta, &mut residuals);
        self.jacobian_transpose_vector(theta, &residuals, gradient);
        value
    }
}

impl LeastSquares for Drawn<'_> {
    fn residual_len(&self) -> usize {
        self.problem.residual_len()
    }
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        self.problem.residuals(theta, residuals);
        self.draw(residuals)
    }
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        self.problem.jacobian_vector(theta, v, out);
        out.iter_mut().zip(&self.weights).for_each(|(out, weight)| *out *= weight);
    }
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        let u: Vec<f64> = u.iter().zip(&self.weights).map(|(u, weight)| u * weight).collect();
        self.problem.jacobian_transpose_vector(theta, &u, out);
    }
    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], mut jacobian: MatMut<'_, f64>) -> f64 {
        self.problem.jacobian(theta, residuals, jacobian.as_mut());
        for column in jacobian.col_iter_mut() {
            for (entry, weight) in column.iter_mut().zip(&self.weights) {
                *entry = if *weight == 0.0 { 0.0 } else { *entry * weight };
            }
        }
        self.draw(residuals)
    }
    fn derivatives(&self) -> Derivatives {
        self.problem.derivatives()
    }
}
