//! `fit(…).tune(&Tune::ridge(…), &folds)`: the strength of a penalty by cross-validation.

use super::cross_validation::Spread;
use super::{Fit, Fitted, Start};
use crate::error::FitError;
use crate::folds::Folds;
use crate::model::Model;
use crate::tune::{Tune, TuneError};
use std::fmt;

/// One strength over the folds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TunedStrength {
    /// λ.
    pub strength: f64,
    /// The criterion of every fold; smaller is better.
    pub scores: Vec<f64>,
    /// Mean and spread of these.
    pub spread: Spread,
}

/// A fit to all samples at the chosen strength, and how that was found. `Display` is the table of the strengths.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tuned {
    /// The fit to all samples.
    pub fitted: Fitted,
    /// The strengths from strong to weak.
    pub path: Vec<TunedStrength>,
    /// Which of them was taken.
    pub chosen: usize,
    /// Which of them has the least mean.
    pub best: usize,
    /// What was compared, [`Score::criterion`](crate::Score::criterion).
    pub criterion: &'static str,
}

impl Tuned {
    /// The model, fitted to all samples at the chosen strength.
    pub fn model(&self) -> &Model {
        self.fitted.model()
    }

    /// The chosen strength λ.
    pub fn strength(&self) -> f64 {
        self.path[self.chosen].strength
    }

    /// Whether the best strength is the first or the last of those tried, so that a better one may lie beyond.
    pub fn is_at_edge(&self) -> bool {
        let last = self.path.len() - 1;
        (self.best == 0 || self.best == last) && self.path[self.best].strength > 0.0
    }
}

impl fmt::Display for Tuned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12} {:>14} {:>12}", "strength", self.criterion, "std. error")?;
        for (index, row) in self.path.iter().enumerate() {
            let Spread { mean, standard_error, .. } = row.spread;
            write!(f, "\n{:>12.4e} {mean:>14.6e} {standard_error:>12.3e}", row.strength)?;
            if index == self.best {
                f.write_str("  least")?;
            }
            if index == self.chosen {
                f.write_str("  taken")?;
            }
        }
        if self.is_at_edge() {
            f.write_str("\nthe least is at an end of the strengths: try some beyond")?;
        }
        Ok(())
    }
}

impl Fit<'_> {
    /// Chooses the strength of a penalty by cross-validation and fits the model to all samples with it. The penalty takes the place of
    /// [`penalty`](Self::penalty).
    ///
    /// In every fold the strengths are gone through from strong to weak, each fit starting where the one before ended; so is the fit to all
    /// samples, down to the chosen one. (folds + 1) × strengths fits at most. They are compared by the mean over the folds of
    /// [`Score::criterion`](crate::Score::criterion): log loss, deviance, mean of squares or loss, of the samples put aside and without penalty.
    ///
    /// ```
    /// use secant::{Dataset, Folds, Network, Tune};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target")?;
    /// let net = Network::linear(10, 1);
    /// let tuned = secant::fit(&net, &data).tune(&Tune::default(), &Folds::k(5))?;
    /// println!("{tuned}");
    /// // Ten features and 442 samples: hardly any penalty is needed.
    /// assert!(tuned.strength() < 0.1);
    /// let y = tuned.model().predict(data.inputs())?;
    ///
    /// let simplest = Tune::ridge([1e-3, 1e-2, 1e-1, 1.0]).one_standard_error();
    /// let simpler = secant::fit(&net, &data).tune(&simplest, &Folds::k(5))?;
    /// assert!(simpler.strength() > tuned.strength());
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// As [`cross_validate`](Self::cross_validate); no strengths, or some that are negative or no numbers; none with a finite score in every fold.
    pub fn tune(&self, tune: &Tune, folds: &Folds) -> Result<Tuned, FitError> {
        let path = tune.path()?;
        let parts = folds.parts(self.data)?;
        let scores = self.each_fold(&parts, |fit, aside| {
            let mut criteria = Vec::with_capacity(path.len());
            fit.along(&path, tune, |fitted| {
                criteria.push(fitted.model().score(aside)?.criterion());
                Ok(())
            })?;
            Ok(criteria)
        })?;
        let criterion = scores[0][0].0;
        let row = |(at, strength): (usize, &f64)| {
            let scores: Vec<f64> = scores.iter().map(|fold| fold[at].1).collect();
            TunedStrength { strength: *strength, spread: Spread::of(&scores), scores }
        };
        let rows: Vec<TunedStrength> = path.iter().enumerate().map(row).collect();
        let finite = rows.iter().enumerate().filter(|(_, row)| row.spread.mean.is_finite());
        let best = finite.min_by(|a, b| a.1.spread.mean.total_cmp(&b.1.spread.mean));
        let best = best.ok_or(TuneError::NoFinite { criterion })?.0;
        let limit = rows[best].spread.mean + rows[best].spread.standard_error;
        let within = rows.iter().position(|row| row.spread.mean <= limit);
        let chosen = if tune.one_standard_error { within.unwrap_or(best) } else { best };
        let fitted = self.along(&path[..=chosen], tune, |_| Ok(()))?;
        Ok(Tuned { fitted, path: rows, chosen, best, criterion })
    }

    /// The fits at the strengths of `path`, each from the end of the one before, and the last of them.
    fn along(
        &self,
        path: &[f64],
        tune: &Tune,
        mut each: impl FnMut(&Fitted) -> Result<(), FitError>,
    ) -> Result<Fitted, FitError> {
        let mut fit = self.clone();
        let mut last = None;
        for strength in path {
            fit.penalty = tune.at(*strength);
            let fitted = fit.clone().run()?;
            each(&fitted)?;
            fit.start = Start::Theta(fitted.model().theta().to_vec());
            last = Some(fitted);
        }
        Ok(last.ok_or(TuneError::Empty)?)
    }
}
