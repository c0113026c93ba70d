//! A fitted generalised linear model as a model of one dense node, which has scores, confusions and pictures of its own.

use super::GlmFit;
use super::family::Response;
use crate::error::FitError;
use crate::fit::decision_of;
use crate::model::{FitSummary, Model};
use secant_core::data::Dataset;
use secant_core::loss::Loss;
use secant_core::network::Network;
use secant_core::penalty::NoPenalty;
use std::sync::Arc;

impl GlmFit {
    /// The same predictions from a linear model in the units of the data; the names of targets and classes are those of `data`.
    pub(crate) fn as_model(&self, data: &Dataset) -> Result<Model, FitError> {
        let (d, c) = (self.features, self.outputs());
        let response = Response::new(self.family, Some(self.link))?;
        let loss: Arc<dyn Loss> = Arc::from(response.loss());
        // Class 0 of the softmax has the score 0.
        let first = c - self.coefficients.len() / (d + usize::from(self.intercept));
        let mut theta = vec![0.0; c * d + c];
        for (row, of_row) in
            self.coefficients.chunks_exact(d + usize::from(self.intercept)).enumerate()
        {
            let (constant, slopes) = of_row.split_at(usize::from(self.intercept));
            let k = row + first;
            theta[c * d + k] = constant.iter().map(|one| one.estimate).sum();
            slopes.iter().enumerate().for_each(|(j, slope)| theta[j * c + k] = slope.estimate);
        }
        let names = self.coefficients.iter().skip(usize::from(self.intercept)).take(d);
        Ok(Model {
            graph: Network::linear(d, c).graph()?.clone(),
            theta,
            input_scaling: None,
            target_scaling: None,
            decision: decision_of(&*loss, c),
            loss,
            penalty: Arc::new(NoPenalty),
            feature_names: names.map(|one| one.name.clone()).collect(),
            target_names: data.target_names().to_vec(),
            class_names: data.class_names().to_vec(),
            encoding: None,
            summary: FitSummary::of(&self.report, data.samples(), None),
        })
    }

    pub(crate) fn has_intercept(&self) -> bool {
        self.intercept
    }
}
