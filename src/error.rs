//! What can be wrong with a fit before it runs.

use crate::compare::CompareError;
use crate::curve_error::CurveError;
use crate::feature_match::FeatureMatch;
use crate::folds::FoldError;
use crate::glm::GlmError;
use crate::model_file::ModelFileError;
use crate::tune::TuneError;
use secant_core::data::DataError;
use secant_core::graph::GraphError;
use secant_core::predict::PredictError;
use secant_core::risk::RiskError;
use secant_core::text::{did_you_mean, list, quoted};
use secant_optim::{LinearError, ManyError, OptimError};

/// The caller's mistake, with place and values. Numerical trouble is no error but a [`Reason`](crate::Reason) in the report.
#[derive(thiserror::Error)]
pub enum FitError {
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Network, data, loss and penalty do not fit together.
    #[error(transparent)]
    Risk(#[from] RiskError),
    /// The method's options or the start.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// The inputs of a prediction.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// A comparison.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// A comparison on a loss whose scale is estimated by fitting: every method would have one of its own.
    #[error(
        "methods are compared on one loss: give `loss(Robust::new(rho, scale))` a scale in place of `robust(rho)`"
    )]
    CompareRobust,
    /// A comparison on minibatches: most methods need the same function at every evaluation.
    #[error("methods are compared on all samples: leave `minibatches` out")]
    CompareMinibatches,
    /// Samples held out on the page of a comparison.
    #[error("a comparison has no model of its own that could be judged on samples held out")]
    HeldOutOfComparison,
    /// A curve: its formula, names, starts, bounds, ties, σ.
    #[error(transparent)]
    Curve(#[from] CurveError),
    /// Many fits at once.
    #[error(transparent)]
    Many(#[from] ManyError),
    /// A linear least-squares problem.
    #[error(transparent)]
    Linear(#[from] LinearError),
    /// What a fit says of its certainty.
    #[error(transparent)]
    Inference(#[from] secant_optim::inference::InferenceError),
    /// Errors asked of a fit with other data than its own.
    #[error(
        "the fit was to {expected} samples, these data have {found}: errors come from the data of the fit"
    )]
    OtherSamples {
        /// Of the fit.
        expected: usize,
        /// Of the data.
        found: usize,
    },
    /// The same where the number of samples is the same.
    #[error(
        "the fit ended at the value {expected:e}, at its parameters these data have {found:e}: errors come from the data of the fit"
    )]
    OtherValue {
        /// Of the fit.
        expected: f64,
        /// Of the data.
        found: f64,
    },
    /// A generalised linear model.
    #[error(transparent)]
    Glm(#[from] GlmError),
    /// A model's file.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// Folds that do not fit the data.
    #[error(transparent)]
    Folds(#[from] FoldError),
    /// The fit of one fold is refused.
    #[error("fold {fold} (from 0): {source}")]
    Fold {
        /// The fold, from 0.
        fold: usize,
        /// Why.
        source: Box<FitError>,
    },
    /// Strengths of a penalty that cannot be tried.
    #[error(transparent)]
    Tune(#[from] TuneError),
    /// A linear regression on something else than one number per sample.
    #[error(
        "linear regression needs one numeric target per sample; these are class labels or {outputs} columns"
    )]
    Regression {
        /// Columns of the targets.
        outputs: usize,
    },
    /// A part of the data to hold out that is none.
    #[error("the part of the samples held out is {fraction}, it must be in (0, 1)")]
    ValidationFraction {
        /// The part asked for.
        fraction: f64,
    },
    /// Samples held out that are not of the kind of the data.
    #[error("the samples held out have {found} features, the model needs {expected}")]
    ValidationFeatures {
        /// Features of the samples held out.
        found: usize,
        /// Features of the model.
        expected: usize,
    },
    /// A patience without samples held out.
    #[error("`patience` needs samples held out: `validation(&data)` or `validation_fraction(0.2)`")]
    PatienceWithoutValidation,
    /// What a fit over the samples of several processes does not do.
    #[error("{what}: not in a fit whose samples lie in several processes")]
    NotAcross {
        /// What was asked for.
        what: &'static str,
    },
    /// What went wrong in one of the processes of such a fit.
    #[error("rank {rank}: {message}")]
    Process {
        /// The process, from 0.
        rank: usize,
        /// What it said.
        message: String,
    },
    /// No start.
    #[error("`starts(0)`: there must be a start")]
    NoStarts,
    /// Several starts or samples held out in a comparison, whose methods have one start and one function.
    #[error("methods are compared from one start on all samples: leave {what} out")]
    CompareWatched {
        /// The call to leave out.
        what: &'static str,
    },
    /// Standardised targets, and outputs that are not one for each of them.
    #[error(
        "targets are not standardised where the model has {outputs} outputs for {targets} targets: standardise the inputs only"
    )]
    ScaledTargets {
        /// Outputs of the model.
        outputs: usize,
        /// Targets per sample.
        targets: usize,
    },
    /// Data without some of the features that a model was fitted on.
    #[error(
        "the data do not fit the model: {0}\nfor inputs in the model's order, whatever their names: `predict(data.inputs())`"
    )]
    MissingFeatures(Box<FeatureMatch>),
    /// Data with a class that a model was not fitted on.
    #[error(
        "the data have the class \"{}\", the model knows {}{}",
        quoted(name),
        list(known.iter().map(String::as_str)),
        did_you_mean(name, known.iter().map(String::as_str))
    )]
    UnknownClass {
        /// The class of the data.
        name: String,
        /// The classes of the model.
        known: Vec<String>,
    },
    /// A network of class scores was asked for a number, or the other way round.
    #[error("{asked} needs {needed}, this model was fitted with the {loss} loss")]
    Loss {
        /// What was asked for.
        asked: &'static str,
        /// The loss that it needs.
        needed: &'static str,
        /// The loss of the fit.
        loss: &'static str,
    },
}

impl std::fmt::Debug for FitError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}
