//! What a model remembers of its fit.

use secant_optim::{GradientNorms, Reason, Report};
use serde::{Deserialize, Serialize};

/// How a model was fitted; the [`Report`] has more, and is not kept with the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FitSummary {
    /// The method.
    pub method: String,
    /// Why it ended.
    pub reason: Reason,
    /// The mean loss plus the penalty at the model's θ.
    #[serde(with = "secant_optim::nonfinite")]
    pub value: f64,
    /// Its gradient.
    pub gradient: GradientNorms,
    /// Steps taken.
    pub iterations: u64,
    /// N, the samples it was fitted on.
    pub samples: usize,
    /// The seed of the start; none where θ was given.
    pub seed: Option<u64>,
    /// The version of this crate that fitted it.
    pub crate_version: String,
}

impl FitSummary {
    /// Of a run on so many samples.
    pub(crate) fn of(report: &Report, samples: usize, seed: Option<u64>) -> Self {
        Self {
            method: report.solver.clone(),
            reason: report.reason,
            value: report.value,
            gradient: report.gradient,
            iterations: report.iterations,
            samples,
            seed,
            crate_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}
