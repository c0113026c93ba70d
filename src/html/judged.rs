//! What a model makes of samples: scores, predictions beside what was observed, classes.

use crate::error::FitError;
use crate::model::{Confusion, Model, Score, columns, labels, probabilities};
use secant_core::data::{Dataset, Targets};
use secant_core::loss::Link;
use secant_core::text::{LONGEST, cut};

/// Outputs that are shown, at most.
const OUTPUTS: usize = 4;
/// Bins of a calibration, of equal width.
const BINS: usize = 10;

/// A set of samples and what the model makes of it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub score: Score,
    /// The first targets that are numbers, and how many there are.
    pub outputs: Vec<Output>,
    pub count: usize,
    pub classes: Option<Classes>,
    /// Samples of weight 0, which count nowhere.
    pub idle: usize,
}

/// One target: predictions beside observations.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub name: String,
    pub entries: Vec<Entry>,
    /// Whether the residuals of the pictures are those of the deviance.
    pub of_deviance: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// From 1.
    pub row: usize,
    pub observed: f64,
    pub predicted: f64,
    /// Observed − predicted, or the signed root of what it adds to the deviance.
    pub residual: f64,
}

/// Of a classifier.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    pub confusion: Option<Confusion>,
    /// Where the loss gives probabilities.
    pub calibration: Vec<Bin>,
    /// What the probabilities are of.
    pub probability_of: String,
}

/// Samples whose predicted probability lies in one bin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bin {
    /// Their mean probability.
    pub predicted: f64,
    /// The share of them that is of the class.
    pub observed: f64,
    /// How many there are, by weight.
    pub weight: f64,
}

impl Judged {
    pub(super) fn of(model: &Model, data: &Dataset) -> Result<Self, FitError> {
        let score = model.score(data)?;
        let targets = model.targets_of(data)?;
        let z = model.predict_dataset(data)?;
        let weight = |i: usize| data.weights().map_or(1.0, |weights| weights[i]);
        let idle = (0..data.samples()).filter(|i| weight(*i) == 0.0).count();
        let classes = match model.decided(&z) {
            Some(_) => Some(Classes::of(model, data, &targets, z.clone())?),
            None => None,
        };
        let (outputs, count) = match classes {
            Some(_) => (Vec::new(), 0),
            None => outputs(model, data, &targets, &z),
        };
        Ok(Self { score, outputs, count, classes, idle })
    }
}

fn outputs(model: &Model, data: &Dataset, targets: &Targets, z: &[f64]) -> (Vec<Output>, usize) {
    let c = model.graph().outputs();
    let mut means = z.to_vec();
    if let Some(link) = model.loss().link() {
        link.means(&mut means, c);
    }
    let of_deviance = c == 1 && model.loss().deviance(&[], targets.tile(0..0)).is_some();
    let weight = |i: usize| data.weights().map_or(1.0, |weights| weights[i]);
    let residual = |i: usize, difference: f64| {
        if !of_deviance {
            return difference;
        }
        let deviance = model.loss().deviance(&z[i..=i], targets.tile(i..i + 1)).unwrap_or(f64::NAN);
        // Roundoff can make it slightly negative.
        deviance.max(0.0).sqrt().copysign(difference)
    };
    let columns = columns(targets, &means, c);
    let count = columns.len();
    let outputs = columns
        .into_iter()
        .take(OUTPUTS)
        .enumerate()
        .map(|(k, column)| {
            let counting = column.iter().enumerate();
            let counting = counting.filter(|(i, one)| weight(*i) * one.weight > 0.0);
            let entries = counting.map(|(i, one)| Entry {
                row: i + 1,
                observed: one.y,
                predicted: one.mean,
                residual: residual(i, one.y - one.mean),
            });
            let name = model.target_names().get(k).cloned().unwrap_or_else(|| format!("y{k}"));
            Output { name, entries: entries.collect(), of_deviance }
        })
        .collect();
    (outputs, count)
}

impl Classes {
    fn of(model: &Model, data: &Dataset, targets: &Targets, z: Vec<f64>) -> Result<Self, FitError> {
        let truth = labels(targets);
        let confusion = truth.is_some().then(|| model.confusion(data)).transpose()?;
        let link = model.loss().link();
        let two = link.is_some() && model.loss().decision().is_of_two_classes();
        let names = confusion.as_ref().map_or(&[][..], |confusion| &confusion.names);
        let probability_of = if two {
            names.get(1).map_or_else(
                || "class 1".to_owned(),
                |name| format!("class {}", cut(name, LONGEST)),
            )
        } else {
            "each class in turn".to_owned()
        };
        let of_classes = link.filter(|link| *link == Link::Softmax || two);
        let calibration = of_classes.map_or_else(Vec::new, |link| {
            let c = model.graph().outputs();
            let (p, rows) = (probabilities(link, z, c), if two { 2 } else { c });
            let weight = |i: usize| data.weights().map_or(1.0, |weights| weights[i]);
            let is = |i: usize, k: usize| match (&truth, targets) {
                (Some(truth), _) => f64::from(u8::from(truth[i] as usize == k)),
                (None, Targets::Values { values, .. }) => values[i],
                (None, Targets::Labels { .. }) => f64::NAN,
            };
            // Of two classes one, the other has the same.
            let counted = if two { 1..2 } else { 0..rows };
            let pairs = (0..data.samples()).flat_map(|i| counted.clone().map(move |k| (i, k)));
            calibration(pairs.map(|(i, k)| (p[i * rows + k], is(i, k), weight(i))))
        });
        Ok(Self { confusion, calibration, probability_of })
    }
}

/// Bins of equal width over probabilities, observations and weights; those with samples.
fn calibration(samples: impl Iterator<Item = (f64, f64, f64)>) -> Vec<Bin> {
    let mut sums = [[0.0; 3]; BINS];
    for (p, observed, weight) in samples.filter(|(.., weight)| *weight > 0.0) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1")]
        let bin = ((p * BINS as f64) as usize).min(BINS - 1);
        for (sum, term) in sums[bin].iter_mut().zip([p, observed, 1.0]) {
            *sum += weight * term;
        }
    }
    let bin = |[p, observed, weight]: [f64; 3]| Bin {
        predicted: p / weight,
        observed: observed / weight,
        weight,
    };
    sums.into_iter().filter(|sum| sum[2] > 0.0).map(bin).collect()
}
