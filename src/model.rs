//! A fitted network with its scaling: raw inputs in, predictions in the target's units out.

use crate::error::FitError;
use secant_core::data::Standardizer;
use secant_core::graph::Graph;
use secant_core::loss::{Decision, Loss};
use secant_core::predict::{check, outputs};
use std::sync::Arc;

/// A network, its θ and the scaling it was fitted with.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) graph: Arc<Graph>,
    pub(crate) theta: Vec<f64>,
    pub(crate) input_scaling: Option<Standardizer>,
    pub(crate) target_scaling: Option<Standardizer>,
    /// The loss it was fitted with.
    pub(crate) loss: Arc<dyn Loss>,
    /// What its outputs mean.
    pub(crate) decision: Decision,
    /// d names of the columns it was fitted on.
    pub(crate) feature_names: Vec<String>,
    pub(crate) target_names: Vec<String>,
    /// In the order of the labels; empty where the data named none.
    pub(crate) class_names: Vec<String>,
}

impl Model {
    /// The network's outputs for M samples, without offsets (add those of the samples to the result): `inputs` d × M column-major in the data's own units, result c × M. Scalings are
    /// undone, so that a regression answers in the target's units; a classifier's outputs are its scores.
    ///
    /// # Errors
    /// When `inputs` is no whole number of samples or not finite.
    pub fn predict(&self, inputs: &[f64]) -> Result<Vec<f64>, FitError> {
        check(&self.graph, &self.theta, inputs)?;
        let mut z = match &self.input_scaling {
            None => outputs(&self.graph, &self.theta, inputs)?,
            Some(scaling) => {
                let mut scaled = inputs.to_vec();
                scaling.apply(&mut scaled)?;
                outputs(&self.graph, &self.theta, &scaled)?
            }
        };
        if let Some(scaling) = &self.target_scaling {
            scaling.undo(&mut z)?;
        }
        Ok(z)
    }

    /// The most probable class of every sample; the lower one in a tie.
    ///
    /// # Errors
    /// As [`predict`](Self::predict), and when the model is no classifier.
    pub fn predict_classes(&self, inputs: &[f64]) -> Result<Vec<u32>, FitError> {
        let z = self.predict(inputs)?;
        let c = self.graph.outputs();
        if self.decision == Decision::Value {
            let (asked, needed) = ("predict_classes", "the loss of a classifier");
            return Err(FitError::Loss { asked, needed, loss: self.loss.name() });
        }
        Ok(z.chunks_exact(c).map(|scores| self.decision.class(scores)).collect())
    }

    /// θ, in the standardised units of the fit; the layout is [`Graph::parameters`].
    pub fn theta(&self) -> &[f64] {
        &self.theta
    }

    /// The network.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The names of the d features it was fitted on.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The names of the targets it was fitted on; one for labels.
    pub fn target_names(&self) -> &[String] {
        &self.target_names
    }

    /// The names of the classes, in the order of the labels; empty where the data named none.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// How inputs are scaled before they enter the network.
    pub fn input_scaling(&self) -> Option<&Standardizer> {
        self.input_scaling.as_ref()
    }

    /// How targets were scaled for the fit; undone in predictions.
    pub fn target_scaling(&self) -> Option<&Standardizer> {
        self.target_scaling.as_ref()
    }
}
