//! How good a model is on data.

use super::{Model, probabilities};
use crate::error::FitError;
use secant_core::data::{Dataset, Targets};
use secant_core::loss::{Binomial, Decision, Link, Logistic, Loss, SoftmaxCrossEntropy};
use secant_core::risk::RiskError;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// How good a model is on data. Means are by the weights of the samples, where there are some; `Display` is a small block.
///
/// | model | has |
/// |---|---|
/// | numbers | R², RMSE and MAE of the predicted means; of the outputs, where the loss is not that of a mean |
/// | Poisson, gamma, negative binomial | the mean deviance too |
/// | classes | the accuracy; log loss and Brier score, where the loss gives probabilities |
///
/// With several outputs R², RMSE and MAE are means over them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Score {
    /// N.
    pub samples: usize,
    /// Σ wᵢ; N without weights.
    pub weight: f64,
    /// The mean of the loss of the fit, without penalty and in the units of the fit: comparable with the value of its report.
    pub loss: f64,
    /// 1 − Σ w(y − μ)²/Σ w(y − ȳ)²: 1 is perfect, 0 as good as the mean of these targets. None where a target is constant.
    pub r2: Option<f64>,
    /// √ of the mean of (y − μ)², in the target's units.
    pub rmse: Option<f64>,
    /// The mean of |y − μ|, in the target's units.
    pub mae: Option<f64>,
    /// The mean deviance, [`Loss::deviance`](secant_core::loss::Loss::deviance).
    pub deviance: Option<f64>,
    /// The share of samples whose class is predicted. None where the targets are shares of two classes.
    pub accuracy: Option<f64>,
    /// The mean of −ln p of the class. Probabilities are not clipped: a certain mistake costs what its score says.
    pub log_loss: Option<f64>,
    /// The mean of (p − y)² for two classes, of Σₖ (pₖ − [y = k])² for more.
    pub brier: Option<f64>,
    /// Of squared error, whose natural criterion is the square.
    squared: bool,
}

impl Score {
    /// What there is, by name, in the order of `Display`; the loss last.
    pub fn entries(&self) -> Vec<(&'static str, f64)> {
        let all = [
            ("R²", self.r2),
            ("RMSE", self.rmse),
            ("MAE", self.mae),
            ("deviance", self.deviance),
            ("accuracy", self.accuracy),
            ("log loss", self.log_loss),
            ("Brier", self.brier),
            ("loss", Some(self.loss)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// What models of one kind are chosen by, smaller is better, and its name: the log loss of probabilities, the deviance of counts, the
    /// mean of squares of squared error, the mean loss of any other.
    pub fn criterion(&self) -> (&'static str, f64) {
        if let Some(log_loss) = self.log_loss {
            return ("log loss", log_loss);
        }
        if let Some(deviance) = self.deviance {
            return ("deviance", deviance);
        }
        match self.rmse {
            Some(rmse) if self.squared => ("mean square", rmse * rmse),
            _ => ("loss", self.loss),
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} samples", self.samples)?;
        if self.weight != self.samples as f64 {
            write!(f, " of weight {:.6}", self.weight)?;
        }
        let mut entries = self.entries().into_iter();
        entries.try_for_each(|(name, value)| write!(f, "\n  {name:<9} {value:>13.6e}"))
    }
}

impl Model {
    /// How good the model is on `data`: features by name, as [`predict_dataset`](Self::predict_dataset), class labels by their names where
    /// model and data have such, weights and offsets of the data respected. One forward sweep.
    ///
    /// ```
    /// use secant::{Dataset, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target")?;
    /// let (train, test) = data.split(0.8, 1)?;
    /// let net = Network::linear(10, 1);
    /// let fit = secant::fit(&net, &train).run()?;
    /// let score = fit.model().score(&test)?;
    /// println!("{score}");
    /// assert!(score.r2.unwrap() > 0.3 && score.accuracy.is_none());
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// As [`predict_dataset`](Self::predict_dataset), and where the targets are not those of the model: another number of them, outside the
    /// domain of its loss, an unknown class.
    pub fn score(&self, data: &Dataset) -> Result<Score, FitError> {
        let targets = self.targets_of(data)?;
        let z = self.predict_dataset(data)?;
        Ok(self.judge(data, &targets, z))
    }

    /// The targets of `data` as the model numbers its classes, checked against its loss.
    pub(crate) fn targets_of<'a>(&self, data: &'a Dataset) -> Result<Cow<'a, Targets>, FitError> {
        let targets = match data.targets() {
            Targets::Labels { labels, classes } => {
                let count = self.classes().unwrap_or(*classes);
                let (own, theirs) = (&self.class_names, data.class_names());
                if count == *classes && (own.is_empty() || theirs.is_empty() || own == theirs) {
                    Cow::Borrowed(data.targets())
                } else {
                    let renamed = self.renamed(labels, data.class_names(), count)?;
                    Cow::Owned(Targets::Labels { classes: count, labels: renamed })
                }
            }
            Targets::Values { .. } => Cow::Borrowed(data.targets()),
        };
        let fits = self.loss.check(self.graph.outputs(), &targets);
        fits.map_err(RiskError::from)?;
        Ok(targets)
    }

    /// The number of classes of a classifier.
    pub(super) fn classes(&self) -> Option<usize> {
        match self.decision {
            Decision::Value => None,
            Decision::LargestScore => Some(self.graph.outputs()),
            _ => Some(2),
        }
    }

    /// The model's labels for those of data with names of their own.
    fn renamed(
        &self,
        labels: &[u32],
        names: &[String],
        count: usize,
    ) -> Result<Vec<u32>, FitError> {
        let own = &self.class_names;
        let known = || {
            let numbers = (0..count).map(|class| class.to_string());
            if own.is_empty() { numbers.collect() } else { own.clone() }
        };
        let unknown = |name: String| FitError::UnknownClass { name, known: known() };
        let by_name = !own.is_empty() && !names.is_empty();
        let each = labels.iter().map(|&label| {
            let class = label as usize;
            if !by_name {
                let fits = (class < count).then_some(label);
                return fits.ok_or_else(|| unknown(label.to_string()));
            }
            let found = own.iter().position(|own| *own == names[class]);
            let found = found.and_then(|class| u32::try_from(class).ok());
            found.ok_or_else(|| unknown(names[class].clone()))
        });
        each.collect()
    }

    /// The score of outputs with their offsets, in the target's units.
    fn judge(&self, data: &Dataset, targets: &Targets, z: Vec<f64>) -> Score {
        let c = self.graph.outputs();
        let means =
            Means { samples: data.samples(), weights: data.weights(), total: data.total_weight() };
        let one = |i: usize| (&z[i * c..(i + 1) * c], targets.tile(i..i + 1));
        let deviance = |i: usize| {
            let (z, y) = one(i);
            self.loss.deviance(z, y).unwrap_or(f64::NAN)
        };
        let has_deviance = self.loss.deviance(&[], targets.tile(0..0)).is_some();
        let mut score = Score {
            samples: data.samples(),
            weight: means.total,
            loss: self.mean_loss(&means, &z, targets),
            r2: None,
            rmse: None,
            mae: None,
            deviance: has_deviance.then(|| means.of(deviance)),
            accuracy: None,
            log_loss: None,
            brier: None,
            squared: self.loss.link() == Some(Link::Identity),
        };
        match self.decided(&z) {
            Some(decided) => self.judge_classes(&mut score, &means, targets, &decided, z),
            None => self.judge_numbers(&mut score, &means, targets, z),
        }
        score
    }

    fn judge_classes(
        &self,
        score: &mut Score,
        means: &Means<'_>,
        targets: &Targets,
        decided: &[u32],
        z: Vec<f64>,
    ) {
        let c = self.graph.outputs();
        if let Some(labels) = labels(targets) {
            let right = |i: usize| f64::from(u8::from(decided[i] == labels[i]));
            score.accuracy = Some(means.of(right));
        }
        let Some(link) = self.loss.link() else { return };
        let log_loss = |i: usize| {
            let (z, y) = (&z[i * c..(i + 1) * c], targets.tile(i..i + 1));
            match link {
                Link::Softmax => SoftmaxCrossEntropy.value(z, y),
                Link::Logit => Logistic.value(z, y),
                link => Binomial { link }.value(z, y),
            }
        };
        score.log_loss = Some(means.of(log_loss));
        let two = self.loss.decision().is_of_two_classes();
        let (p, rows) = (probabilities(link, z, c), if two { 2 } else { c });
        // y of class k: the label's, or a share.
        let truth = |i: usize, k: usize| match targets {
            Targets::Labels { labels, .. } => f64::from(u8::from(labels[i] as usize == k)),
            Targets::Values { values, .. } if k == 1 => values[i],
            Targets::Values { values, .. } => 1.0 - values[i],
        };
        // Of two classes one, the other has the same.
        let counted = if rows == 2 { 1..2 } else { 0..rows };
        let square = |i: usize| {
            counted.clone().map(|k| (p[i * rows + k] - truth(i, k)).powi(2)).sum::<f64>()
        };
        score.brier = Some(means.of(square));
    }

    fn judge_numbers(
        &self,
        score: &mut Score,
        means: &Means<'_>,
        targets: &Targets,
        mut z: Vec<f64>,
    ) {
        let c = self.graph.outputs();
        if let Some(link) = self.loss.link() {
            link.means(&mut z, c);
        }
        let each: Vec<Errors> =
            columns(targets, &z, c).iter().filter_map(|column| means.errors(column)).collect();
        if each.is_empty() {
            return;
        }
        let mean =
            |of: &dyn Fn(&Errors) -> f64| each.iter().map(of).sum::<f64>() / each.len() as f64;
        score.rmse = Some(mean(&|column| column.square.sqrt()));
        score.mae = Some(mean(&|column| column.absolute));
        if each.iter().all(|column| column.variance > 0.0) {
            score.r2 = Some(mean(&|column| 1.0 - column.square / column.variance));
        }
    }

    /// The mean loss, outputs and targets put back into the units of the fit.
    fn mean_loss(&self, means: &Means<'_>, z: &[f64], targets: &Targets) -> f64 {
        let c = self.graph.outputs();
        let (mut z, mut targets) = (Cow::Borrowed(z), Cow::Borrowed(targets));
        if let Some(scaling) = &self.target_scaling
            && let Targets::Values { values, .. } = targets.to_mut()
        {
            // Both have as many rows as the scaling: a fit of others was refused.
            let scaled = scaling.apply(z.to_mut()).and_then(|()| scaling.apply(values));
            debug_assert!(scaled.is_ok(), "{scaled:?}");
        }
        if means.weights.is_none() {
            return self.loss.value(&z, targets.tile(0..targets.samples())) / means.total;
        }
        means.of(|i| self.loss.value(&z[i * c..(i + 1) * c], targets.tile(i..i + 1)))
    }
}

/// Weighted means over samples.
struct Means<'a> {
    samples: usize,
    weights: Option<&'a [f64]>,
    /// Σ wᵢ.
    total: f64,
}

/// Means over one output.
struct Errors {
    square: f64,
    absolute: f64,
    variance: f64,
}

/// Target, prediction and own weight of one output of a sample.
pub(crate) struct Entry {
    pub y: f64,
    pub mean: f64,
    pub weight: f64,
}

impl Means<'_> {
    fn weight(&self, sample: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[sample])
    }

    /// Σ wᵢ·`term(i)`/Σ wᵢ over the samples that count.
    fn of(&self, term: impl Fn(usize) -> f64) -> f64 {
        let counting = (0..self.samples).filter(|i| self.weight(*i) > 0.0);
        counting.map(|i| self.weight(i) * term(i)).sum::<f64>() / self.total
    }

    /// None where no entry counts.
    fn errors(&self, column: &[Entry]) -> Option<Errors> {
        let weighted = column.iter().enumerate().map(|(i, one)| (self.weight(i) * one.weight, one));
        let counting: Vec<(f64, &Entry)> = weighted.filter(|(weight, _)| *weight > 0.0).collect();
        let first = counting.first()?.1.y;
        let total: f64 = counting.iter().map(|(weight, _)| weight).sum();
        let mean = |of: &dyn Fn(&Entry) -> f64| {
            counting.iter().map(|(weight, one)| weight * of(one)).sum::<f64>() / total
        };
        // Exactly constant: the rounding of a mean must not make a variance of it.
        let constant = counting.iter().all(|(_, one)| one.y == first);
        let level = mean(&|one| one.y);
        Some(Errors {
            square: mean(&|one| (one.y - one.mean) * (one.y - one.mean)),
            absolute: mean(&|one| (one.y - one.mean).abs()),
            variance: if constant { 0.0 } else { mean(&|one| (one.y - level) * (one.y - level)) },
        })
    }
}

/// The entries of every output; none where targets are something else than numbers for outputs.
pub(crate) fn columns(targets: &Targets, means: &[f64], c: usize) -> Vec<Vec<Entry>> {
    let Targets::Values { rows, values } = targets else { return Vec::new() };
    // Targets with a weight for each behind them, and outputs with a variance for each behind them.
    let (outputs, weighted) = match (*rows, c) {
        (rows, c) if rows == c => (c, false),
        (rows, c) if rows == 2 * c => (c, true),
        (rows, c) if 2 * rows == c => (rows, false),
        _ => return Vec::new(),
    };
    let samples = values.chunks_exact(*rows).zip(means.chunks_exact(c));
    let entry = |k: usize, y: &[f64], mean: &[f64]| Entry {
        y: y[k],
        mean: mean[k],
        weight: if weighted { y[outputs + k] } else { 1.0 },
    };
    let column = |k: usize| samples.clone().map(|(y, mean)| entry(k, y, mean)).collect();
    (0..outputs).map(column).collect()
}

/// Class labels; 0 and 1, or ±1, where numbers stand for two classes.
pub(crate) fn labels(targets: &Targets) -> Option<Cow<'_, [u32]>> {
    match targets {
        Targets::Labels { labels, .. } => Some(Cow::Borrowed(labels)),
        Targets::Values { values, .. } => {
            let two = values.iter().all(|y| *y == 0.0 || y.abs() == 1.0);
            two.then(|| values.iter().map(|y| u32::from(*y > 0.0)).collect())
        }
    }
}
