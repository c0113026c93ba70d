//! A fitted network with its scaling: raw inputs in, predictions in the target's units out.

mod confusion;
mod features;
mod inference;
mod parameters;
mod probabilities;
mod saved;
mod score;
mod summary;

pub use confusion::Confusion;
pub use inference::ModelInference;
pub use parameters::Parameter;
pub use score::Score;
pub use summary::FitSummary;

pub(crate) use probabilities::probabilities;
#[cfg(feature = "html")]
pub(crate) use score::{columns, labels};

use crate::error::FitError;
use crate::model_file::{ModelFile, ModelFileError};
use secant_core::data::{EncodedInputs, Encoding, SparseInputs, Standardizer, Table, TableError};
use secant_core::graph::Graph;
use secant_core::loss::{Decision, Loss};
use secant_core::penalty::Penalty;
use secant_core::predict::{outputs_scaled, outputs_sparse};
use secant_optim::inference::Spread;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

/// What a decision between classes needs.
const CLASSIFIER: &str = "the loss of a classifier";

/// A network, its θ and the scaling it was fitted with.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) graph: Arc<Graph>,
    pub(crate) theta: Vec<f64>,
    pub(crate) input_scaling: Option<Standardizer>,
    pub(crate) target_scaling: Option<Standardizer>,
    /// The loss it was fitted with.
    pub(crate) loss: Arc<dyn Loss>,
    /// The penalty beside it.
    pub(crate) penalty: Arc<dyn Penalty>,
    /// What its outputs mean.
    pub(crate) decision: Decision,
    /// d names of the columns it was fitted on.
    pub(crate) feature_names: Vec<String>,
    pub(crate) target_names: Vec<String>,
    /// In the order of the labels; empty where the data named none.
    pub(crate) class_names: Vec<String>,
    /// How the columns of a table became its inputs.
    pub(crate) encoding: Option<Arc<Encoding>>,
    /// What intervals of its predictions need, where that is kept.
    pub(crate) spread: Option<Arc<Spread>>,
    /// How it was fitted.
    pub(crate) summary: FitSummary,
}

impl Model {
    /// The network's outputs for M samples, without offsets (add those of the samples to the result): `inputs` d × M column-major in the
    /// data's own units, result c × M. Scalings are undone, so that a regression answers in the target's units; a classifier's outputs are
    /// its scores.
    ///
    /// By tiles on all threads, with the same bits for any number of them. Costs a forward sweep over as many samples and, where inputs
    /// are standardised, a division for every number (of a linear score that is as much again); the only memory that grows with M is the
    /// result's.
    ///
    /// # Errors
    /// When `inputs` is no whole number of samples or not finite.
    pub fn predict(&self, inputs: &[f64]) -> Result<Vec<f64>, FitError> {
        let scaling = self.input_scaling.as_ref();
        self.in_target_units(outputs_scaled(&self.graph, &self.theta, inputs, scaling)?)
    }

    /// [`predict`](Self::predict) for M samples of sparse inputs, in the order of the model's features: c × M. Costs the entries, not their
    /// zeros.
    ///
    /// # Errors
    /// Another number of features; a node that takes no sparse inputs, as it does not in a fit.
    pub fn predict_sparse(&self, inputs: &SparseInputs) -> Result<Vec<f64>, FitError> {
        let scaling = self.input_scaling.as_ref();
        self.in_target_units(outputs_sparse(&self.graph, &self.theta, inputs, scaling)?)
    }

    fn in_target_units(&self, mut z: Vec<f64>) -> Result<Vec<f64>, FitError> {
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
        self.decided(&z).ok_or_else(|| self.needs("predict_classes", CLASSIFIER))
    }

    /// The classes that outputs decide for; none where they are numbers.
    pub(crate) fn decided(&self, z: &[f64]) -> Option<Vec<u32>> {
        if self.decision == Decision::Value {
            return None;
        }
        let samples = z.chunks_exact(self.graph.outputs());
        Some(samples.map(|scores| self.decision.class(scores)).collect())
    }

    /// The refusal of what another loss would give.
    fn needs(&self, asked: &'static str, needed: &'static str) -> FitError {
        FitError::Loss { asked, needed, loss: self.loss.name() }
    }

    /// Writes it to `path` as a `safetensors` file, from which [`load`](Self::load) makes a model with the same bits; the
    /// [page on model files](crate::guide::model_files) says what stands in it. At every moment the old file or the new one is there.
    ///
    /// ```
    /// use secant::{Activation, Dataset, Model, Network};
    ///
    /// # let root = env!("CARGO_MANIFEST_DIR");
    /// let data = Dataset::from_csv(format!("{root}/data/diabetes.csv"), "target")?;
    /// let net = Network::mlp([10, 4, 1], Activation::Tanh);
    /// let fit = secant::fit(&net, &data).max_iterations(20).run()?;
    /// let path = std::env::temp_dir().join(format!("diabetes-{}.safetensors", std::process::id()));
    /// fit.model().save(&path)?;
    ///
    /// let model = Model::load(&path)?;
    /// assert_eq!(model.predict(data.inputs())?, fit.model().predict(data.inputs())?);
    /// assert_eq!(model.feature_names()[2], "bmi");
    /// assert_eq!(model.fit_summary().value, fit.report().value);
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A node, a loss or a penalty without a description (one of a user's own), by name; those of the file system, with the path.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelFileError> {
        ModelFile::save(self, path)
    }

    /// Reads it from `path`. Holds twice the file plus 1 MiB at most.
    ///
    /// # Errors
    /// A file that is not there, damaged, of something else or of a later version, with the path and the place.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ModelFileError> {
        ModelFile::load(path)
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// As [`save`](Self::save), without those of the file system.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelFileError> {
        ModelFile::to_bytes(self)
    }

    /// Reads it from the bytes of its file.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelFileError> {
        ModelFile::from_bytes(bytes)
    }

    /// How it was fitted: method, reason, value, gradient, samples, seed.
    pub fn fit_summary(&self) -> &FitSummary {
        &self.summary
    }

    /// The loss of its fit.
    pub fn loss(&self) -> &dyn Loss {
        &*self.loss
    }

    /// The penalty of its fit.
    pub fn penalty(&self) -> &dyn Penalty {
        &*self.penalty
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

    /// How the columns of a table become the inputs: that of the [`Table`] it was fitted on, else every feature a column of numbers.
    pub fn encoding(&self) -> Cow<'_, Encoding> {
        match &self.encoding {
            Some(encoding) => Cow::Borrowed(encoding),
            None => Cow::Owned(Encoding::of_numbers(
                &self.feature_names,
                &self.target_names,
                &self.class_names,
            )),
        }
    }

    /// The inputs that the rows of a table are: columns found by name, texts and gaps as in the table that the model was fitted on.
    ///
    /// # Errors
    /// As [`Encoding::inputs`].
    pub fn inputs_of_table(&self, table: Table) -> Result<EncodedInputs, TableError> {
        self.encoding().inputs(table)
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
