//! Which classes are taken for which.

use super::score::labels;
use super::{CLASSIFIER, Model};
use crate::error::FitError;
use secant_core::data::Dataset;
use secant_core::text::cut;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most characters of a class name in the table.
const NAME: usize = 20;
/// Most classes of which the table shows each; of more, the pairs that are confused most.
const SHOWN: usize = 20;

/// How often each class is predicted as which: weights of samples, or numbers of them. `Display` is a table, a row for each true class; with
/// more than twenty classes a list of the pairs that are confused most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Confusion {
    /// The c classes, in the order of the labels.
    pub names: Vec<String>,
    /// c × c, row by row: entry `truth`·c + `predicted` is the weight of the samples of class `truth` that are predicted as `predicted`.
    pub counts: Vec<f64>,
}

impl Confusion {
    /// The weight of the samples of class `truth` that are predicted as `predicted`; 0 for classes that there are not.
    pub fn count(&self, truth: usize, predicted: usize) -> f64 {
        let c = self.names.len();
        if truth < c && predicted < c { self.counts[truth * c + predicted] } else { 0.0 }
    }

    /// The share of the samples whose class is predicted.
    pub fn accuracy(&self) -> f64 {
        let right: f64 = (0..self.names.len()).map(|class| self.count(class, class)).sum();
        right / self.counts.iter().sum::<f64>()
    }

    /// Of the samples of `class` the share that is predicted as it; `None` without such samples.
    pub fn recall(&self, class: usize) -> Option<f64> {
        self.share(class, |other| self.count(class, other))
    }

    /// Of the samples that are predicted as `class` the share that is of it; `None` without such predictions.
    pub fn precision(&self, class: usize) -> Option<f64> {
        self.share(class, |other| self.count(other, class))
    }

    /// The harmonic mean of precision and recall: 2·right/(of the class + predicted as it); `None` without either.
    pub fn f1(&self, class: usize) -> Option<f64> {
        self.share(class, |other| 0.5 * (self.count(class, other) + self.count(other, class)))
    }

    fn share(&self, class: usize, of: impl Fn(usize) -> f64) -> Option<f64> {
        let all: f64 = (0..self.names.len()).map(of).sum();
        (all > 0.0).then(|| self.count(class, class) / all)
    }

    /// Pairs of different classes, the most frequent first.
    pub(crate) fn mistakes(&self) -> Vec<(usize, usize)> {
        let c = self.names.len();
        let pairs = (0..c * c).map(|at| (at / c, at % c));
        let mut wrong: Vec<_> = pairs.filter(|(a, b)| a != b && self.count(*a, *b) > 0.0).collect();
        wrong.sort_by(|a, b| self.count(b.0, b.1).total_cmp(&self.count(a.0, a.1)));
        wrong
    }
}

impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names.iter().map(|name| cut(name, NAME)).collect();
        let whole = self.counts.iter().all(|count| count.fract() == 0.0);
        let digits = if whole { 0 } else { 3 };
        let percent = |share: Option<f64>| {
            share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share))
        };
        if names.len() > SHOWN {
            let accuracy = percent(Some(self.accuracy()));
            write!(f, "{} classes, accuracy {accuracy}; most often confused:", names.len())?;
            return self.mistakes().iter().take(SHOWN).try_for_each(|(a, b)| {
                let count = self.count(*a, *b);
                write!(f, "\n  {} taken for {}: {count:.digits$}", names[*a], names[*b])
            });
        }
        let numbers = self.counts.iter().map(|count| format!("{count:.digits$}").len());
        let width = |name: &str| name.chars().count();
        let column = numbers.chain(names.iter().map(|name| width(name))).max().unwrap_or(0);
        let first = names.iter().map(|name| width(name)).max().unwrap_or(0).max(9);
        write!(f, "{:<first$}", "")?;
        names.iter().try_for_each(|name| write!(f, "  {name:>column$}"))?;
        write!(f, "  {:>8}", "recall")?;
        for (truth, name) in names.iter().enumerate() {
            write!(f, "\n{name:<first$}")?;
            for predicted in 0..names.len() {
                write!(f, "  {:>column$.digits$}", self.count(truth, predicted))?;
            }
            write!(f, "  {:>8}", percent(self.recall(truth)))?;
        }
        write!(f, "\n{:<first$}", "precision")?;
        for class in 0..names.len() {
            write!(f, "  {:>column$}", percent(self.precision(class)))?;
        }
        write!(
            f,
            "\na row is a true class, a column a predicted one; accuracy {}",
            percent(Some(self.accuracy()))
        )
    }
}

impl Model {
    /// Which classes of `data` the model takes for which. Classes are named by the model, else by the data, else numbered.
    ///
    /// ```
    /// use secant::{Dataset, Network};
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv_labels(format!("{root}/data/iris.csv"), "target")?;
    /// let net = Network::linear(4, 3);
    /// let model = secant::fit(&net, &data).penalty(secant::Ridge(1e-2)).run()?.into_model();
    /// let confusion = model.confusion(&data)?;
    /// println!("{confusion}");
    /// assert_eq!(confusion.recall(0), Some(1.0));
    /// # Ok::<(), secant::FitError>(())
    /// ```
    ///
    /// # Errors
    /// As [`score`](Self::score); when the model is no classifier, or the targets are shares of classes.
    pub fn confusion(&self, data: &Dataset) -> Result<Confusion, FitError> {
        let asked = "confusion";
        let c = self.classes().ok_or_else(|| self.needs(asked, CLASSIFIER))?;
        let targets = self.targets_of(data)?;
        let truth = labels(&targets)
            .ok_or_else(|| self.needs(asked, "targets that are classes, not shares of two"))?;
        let z = self.predict_dataset(data)?;
        let decided = self.decided(&z).ok_or_else(|| self.needs(asked, CLASSIFIER))?;
        let mut counts = vec![0.0; c * c];
        for (i, (truth, decided)) in truth.iter().zip(&decided).enumerate() {
            let weight = data.weights().map_or(1.0, |weights| weights[i]);
            counts[*truth as usize * c + *decided as usize] += weight;
        }
        let named = [&self.class_names[..], data.class_names()].into_iter();
        let named = named.filter(|names| names.len() == c).map(<[String]>::to_vec).next();
        let names = named.unwrap_or_else(|| (0..c).map(|class| class.to_string()).collect());
        Ok(Confusion { names, counts })
    }
}
