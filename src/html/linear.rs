//! A fitted generalised linear model as a model of one dense node, which has scores, confusions and pictures of its own.

use crate::error::FitError;
use crate::fit::decision_of;
use crate::glm::GlmFit;
use crate::model::{FitSummary, Model};
use secant_core::data::Dataset;
use secant_core::loss::Loss;
use secant_core::network::Network;
use secant_core::penalty::NoPenalty;
use std::sync::Arc;

/// The same predictions from a linear model in the units of the data; the names of targets and classes are those of `data`.
pub(super) fn model_of(fit: &GlmFit, data: &Dataset) -> Result<Model, FitError> {
    let (d, c, constant) = (fit.features(), fit.outputs(), usize::from(fit.has_intercept()));
    let loss: Arc<dyn Loss> = Arc::from(fit.loss()?);
    // Class 0 of the softmax has the score 0 and no coefficients.
    let first = c - fit.coefficients.len() / (d + constant);
    let mut theta = vec![0.0; c * d + c];
    for (row, coefficients) in fit.coefficients.chunks_exact(d + constant).enumerate() {
        let (constant, slopes) = coefficients.split_at(constant);
        let k = row + first;
        theta[c * d + k] = constant.iter().map(|one| one.estimate).sum();
        slopes.iter().enumerate().for_each(|(j, slope)| theta[j * c + k] = slope.estimate);
    }
    let names = fit.coefficients.iter().skip(constant).take(d);
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
        spread: None,
        summary: FitSummary::of(&fit.report, data.samples(), None),
    })
}
