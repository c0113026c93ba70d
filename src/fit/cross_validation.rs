//! `fit(…).cross_validate(&folds)`: what a fit is worth on samples that it has not seen.

use super::{Fit, Fitted};
use crate::error::FitError;
use crate::folds::{Fold, Folds};
use crate::model::{Score, probabilities};
use rayon::prelude::*;
use secant_core::data::Dataset;
use secant_core::loss::{Decision, Link};
use secant_core::text::cut;
use secant_optim::Report;
use std::fmt;

/// Folds run side by side where they and their data need less than this together, as if every method kept an n × n matrix; one after the
/// other elsewhere. Samples and parameters decide, never the machine: 256 MiB.
const TOGETHER_BYTES: usize = 256 << 20;

/// What cross-validation found. `Display` is a table of the means with their spread over the folds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CrossValidation {
    /// The score of every fold on the samples put aside.
    pub scores: Vec<Score>,
    /// How the fit of every fold ended.
    pub reports: Vec<Report>,
    /// The fold of every sample, N numbers from 0.
    pub fold_of: Vec<usize>,
    /// Outputs for every sample by the model that has not seen it, with offsets, c × N column-major in the order of the data: values in the
    /// target's units, or scores of classes.
    pub predictions: Vec<f64>,
    /// The same by the loss's link, a row for a mean or for every class; none for losses without link. As
    /// [`Model::mean`](crate::Model::mean), or [`Model::predict_probabilities`](crate::Model::predict_probabilities) for classes.
    pub means: Option<Vec<f64>>,
    /// The class that these decide for; none where targets are numbers.
    pub classes: Option<Vec<u32>>,
}

/// A number over the folds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The mean over the folds, all alike.
    pub mean: f64,
    /// The standard deviation, with k − 1 in the denominator.
    pub deviation: f64,
    /// deviation/√k: the standard error of the mean, were the folds independent (they share training samples, so that it is too small, as a
    /// rule).
    pub standard_error: f64,
}

impl Spread {
    /// Of at least one number.
    pub(super) fn of(values: &[f64]) -> Self {
        let k = values.len() as f64;
        let mean = values.iter().sum::<f64>() / k;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let deviation = if values.len() > 1 { (squares / (k - 1.0)).sqrt() } else { f64::NAN };
        Self { mean, deviation, standard_error: deviation / k.sqrt() }
    }
}

impl CrossValidation {
    /// Mean and spread over the folds of a number that all have: `spread(|score| score.r2)`.
    pub fn spread(&self, of: impl Fn(&Score) -> Option<f64>) -> Option<Spread> {
        let values: Option<Vec<f64>> = self.scores.iter().map(of).collect();
        Some(Spread::of(&values?))
    }
}

impl fmt::Display for CrossValidation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (k, samples) = (self.scores.len(), self.fold_of.len());
        writeln!(f, "{k} folds of {samples} samples")?;
        write!(f, "  {:<9} {:>13} {:>12}", "", "mean", "std. error")?;
        write!(f, " {:>13} {:>13}", "least", "largest")?;
        for (name, _) in self.scores.first().map(Score::entries).unwrap_or_default() {
            let find = |score: &Score| {
                let found = score.entries().into_iter().find(|(other, _)| *other == name);
                found.map(|(_, value)| value)
            };
            let Some(Spread { mean, standard_error, .. }) = self.spread(find) else { continue };
            let each = || self.scores.iter().filter_map(find);
            let least = each().fold(f64::INFINITY, f64::min);
            let largest = each().fold(f64::NEG_INFINITY, f64::max);
            write!(f, "\n  {name:<9} {mean:>13.6e} {standard_error:>12.3e}")?;
            write!(f, " {least:>13.6e} {largest:>13.6e}")?;
        }
        for (fold, report) in self.reports.iter().enumerate() {
            if !report.reason.is_success() {
                write!(f, "\n  fold {fold}: {}", cut(&report.reason.to_string(), 200))?;
            }
        }
        Ok(())
    }
}

impl Fit<'_> {
    /// Fits the model once for each fold to the other samples, and scores it on the fold. Everything is fitted to the training part alone,
    /// the standardisation too, from the start that this fit has. `folds` fits and predictions of all samples once.
    ///
    /// Small fits run side by side, large ones one after the other; the bits are the same. An interrupt ends all; observers and the line of
    /// progress see nothing of it.
    ///
    /// ```
    /// use secant::{Dataset, Folds, Network, Ridge};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target")?;
    /// let net = Network::linear(10, 1);
    /// let result = secant::fit(&net, &data).penalty(Ridge(1e-3)).cross_validate(&Folds::k(5).seed(1))?;
    /// println!("{result}");
    /// let r2 = result.spread(|score| score.r2).unwrap();
    /// assert!((r2.mean - 0.48).abs() < 0.02 && r2.standard_error < 0.04);
    /// assert_eq!(result.predictions.len(), data.samples());
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// Folds that do not fit the data, [`FoldError`](crate::FoldError); [`FitError::Fold`] where the fit of a fold is refused, as by
    /// [`run`](Self::run); a fit with checkpoints.
    pub fn cross_validate(&self, folds: &Folds) -> Result<CrossValidation, FitError> {
        let graph = self.network.graph()?;
        let parts = folds.parts(self.data)?;
        let done = self.each_fold(&parts, |fit, aside| {
            let fitted = fit.run()?;
            let (score, z) = (fitted.model().score(aside)?, fitted.model().predict_dataset(aside)?);
            Ok((score, z, fitted))
        })?;
        let (samples, c) = (self.data.samples(), graph.outputs());
        let mut predictions = vec![0.0; c * samples];
        let mut fold_of = vec![0; samples];
        for (fold, (part, (_, z, _))) in parts.iter().zip(&done).enumerate() {
            for (sample, z) in part.aside.iter().zip(z.chunks_exact(c)) {
                predictions[sample * c..(sample + 1) * c].copy_from_slice(z);
                fold_of[*sample] = fold;
            }
        }
        // All folds have one loss and one decision; there are two folds at least.
        let model = done[0].2.model();
        let means = model.loss.link().map(|link| match link {
            link if link == Link::Softmax || model.loss.decision().is_of_two_classes() => {
                probabilities(link, predictions.clone(), c)
            }
            _ => {
                let mut means = predictions.clone();
                link.means(&mut means, c);
                means
            }
        });
        let classes = match model.decision {
            Decision::Value => None,
            _ => model.decided(&predictions),
        };
        let (scores, reports) =
            done.into_iter().map(|(score, _, Fitted { report, .. })| (score, report)).unzip();
        Ok(CrossValidation { scores, reports, fold_of, predictions, means, classes })
    }

    /// `run` of this fit on the other samples of every fold, with the samples put aside: in the order of the folds.
    pub(super) fn each_fold<T: Send>(
        &self,
        parts: &[Fold],
        run: impl Fn(Fit<'_>, &Dataset) -> Result<T, FitError> + Sync,
    ) -> Result<Vec<T>, FitError> {
        self.without_checkpoints("cross-validation", "it is of a fit for every fold")?;
        let one = |(fold, part): (usize, &Fold)| {
            let attempt = || {
                let (others, aside) =
                    (self.data.select(&part.others)?, self.data.select(&part.aside)?);
                run(self.on(&others), &aside)
            };
            attempt().map_err(|source| FitError::Fold { fold, source: Box::new(source) })
        };
        if self.run_together(parts.len())? {
            let all: Vec<_> = parts.par_iter().enumerate().map(one).collect();
            // The first error in the order of the folds, not of time.
            return all.into_iter().collect();
        }
        parts.iter().enumerate().map(one).collect()
    }

    /// This fit on other samples, without those who look on.
    fn on<'b>(&'b self, data: &'b Dataset) -> Fit<'b> {
        Fit {
            network: self.network,
            data,
            loss: self.loss.clone(),
            penalty: self.penalty.clone(),
            method: self.method.clone(),
            stopping: self.stopping.clone(),
            max_iterations: self.max_iterations,
            minibatches: self.minibatches,
            standardize: self.standardize,
            start: self.start.clone(),
            robust: self.robust,
            watching: self.watching.unseen(),
            count: self.count,
            checkpoints: self.checkpoints.clone(),
        }
    }

    /// Whether `runs` of this fit are small enough to run side by side.
    fn run_together(&self, runs: usize) -> Result<bool, FitError> {
        let graph = self.network.graph()?;
        let n = graph.parameters().dim();
        // The samples of a run, and the same standardised.
        let (samples, outputs) = (self.data.samples(), self.data.outputs());
        let inputs = match self.data.sparse() {
            Some(inputs) => 2 * inputs.filled(),
            None => samples * self.data.features(),
        };
        let data = 2 * (inputs + samples * outputs);
        let each = n.saturating_mul(n).saturating_add(data).saturating_mul(8);
        Ok(each.saturating_mul(runs) <= TOGETHER_BYTES)
    }
}
