//! Samples that a fit does not see: chosen before anything is standardised, judged at every iterate.

use super::units::Scaled;
use crate::error::FitError;
use rayon::prelude::*;
use secant_core::data::{Dataset, TargetTile};
use secant_core::graph::Graph;
use secant_core::loss::{Decision, Loss};
use secant_core::predict::{check, outputs_of, outputs_sparse};
use secant_optim::Validated;
use std::borrow::Cow;
use std::sync::Arc;

/// Samples whose losses are summed by one task.
const TILE: usize = 1024;

/// Which samples are held out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Choice<'a> {
    #[default]
    Nothing,
    /// A data set of its own.
    Data(&'a Dataset),
    /// This part of the data, drawn at random.
    Fraction(f64),
}

/// The samples to fit, and those held out.
pub(super) struct Parts<'a> {
    pub train: Cow<'a, Dataset>,
    pub held_out: Option<Cow<'a, Dataset>>,
}

impl<'a> Choice<'a> {
    pub(super) fn is_nothing(self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Takes the samples held out away from `data`; `seed` draws them.
    pub(super) fn part(self, data: &'a Dataset, seed: u64) -> Result<Parts<'a>, FitError> {
        match self {
            Self::Nothing => Ok(Parts { train: Cow::Borrowed(data), held_out: None }),
            Self::Data(held_out) => {
                Ok(Parts { train: Cow::Borrowed(data), held_out: Some(Cow::Borrowed(held_out)) })
            }
            Self::Fraction(fraction) => {
                if !(fraction > 0.0 && fraction < 1.0) {
                    return Err(FitError::ValidationFraction { fraction });
                }
                let (train, held_out) = data.split(1.0 - fraction, seed)?;
                Ok(Parts { train: Cow::Owned(train), held_out: Some(Cow::Owned(held_out)) })
            }
        }
    }
}

/// The samples held out in the units of the fit, and what they are judged by.
pub(super) struct HeldOut<'a> {
    graph: &'a Graph,
    data: Dataset,
    loss: Arc<dyn Loss>,
    decision: Decision,
}

impl<'a> HeldOut<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        data: &Dataset,
        scaled: &Scaled<'_>,
        loss: Arc<dyn Loss>,
        decision: Decision,
    ) -> Result<Self, FitError> {
        let (found, expected) = (data.features(), graph.features());
        if found != expected {
            return Err(FitError::ValidationFeatures { found, expected });
        }
        let data = scaled.like(data)?;
        loss.check(graph.outputs(), data.targets()).map_err(secant_core::risk::RiskError::from)?;
        let theta = vec![0.0; graph.parameters().dim()];
        match data.sparse() {
            Some(inputs) => drop(outputs_sparse(graph, &theta, inputs, None)?),
            // Looked at when the data set was made.
            None => check(graph, &theta, &[])?,
        }
        Ok(Self { graph, data, loss, decision })
    }

    /// The mean loss at θ, and the part of the samples whose class is right. One forward sweep; NaN where that is not finite.
    pub(super) fn judge(&self, theta: &[f64]) -> Validated {
        let Ok(mut z) = outputs_of(self.graph, theta, &self.data, None) else {
            return Validated { loss: f64::NAN, accuracy: None };
        };
        self.data.add_offset(&mut z);
        let c = self.graph.outputs();
        let tiles = self.data.samples().div_ceil(TILE);
        let sums: Vec<(f64, f64)> = (0..tiles)
            .into_par_iter()
            .map(|tile| {
                let range = tile * TILE..((tile + 1) * TILE).min(self.data.samples());
                let z = &z[range.start * c..range.end * c];
                let y = self.data.targets().tile(range.clone());
                let weights = self.data.weights().map(|weights| &weights[range]);
                (self.sum_of_losses(z, y, weights), self.sum_of_hits(z, y, weights))
            })
            .collect();
        let total = self.data.total_weight();
        let loss = sums.iter().map(|sum| sum.0).sum::<f64>() / total;
        let hits = sums.iter().map(|sum| sum.1).sum::<f64>() / total;
        let accuracy = (self.decision != Decision::Value).then_some(hits);
        Validated { loss, accuracy }
    }

    fn sum_of_losses(&self, z: &[f64], y: TargetTile<'_>, weights: Option<&[f64]>) -> f64 {
        let Some(weights) = weights else { return self.loss.value(z, y) };
        let c = self.graph.outputs();
        let each = weights.iter().enumerate().filter(|(_, w)| **w > 0.0);
        each.map(|(i, w)| w * self.loss.value(&z[i * c..(i + 1) * c], y.tile(i..i + 1))).sum()
    }

    fn sum_of_hits(&self, z: &[f64], y: TargetTile<'_>, weights: Option<&[f64]>) -> f64 {
        let TargetTile::Labels { labels, .. } = y else { return 0.0 };
        let classes = z.chunks_exact(self.graph.outputs()).map(|z| self.decision.class(z));
        let hits = classes.zip(labels).enumerate().filter(|(_, (found, label))| found == *label);
        hits.map(|(i, _)| weights.map_or(1.0, |weights| weights[i])).sum()
    }
}
