//! The outputs of a graph at one θ on any number of samples. Dropout is off here.

use crate::graph::{DomainError, Graph};
use crate::partition::Partition;
use crate::sweep::{Tile, check_domains, forward};
use crate::tape::Tape;
use rayon::prelude::*;

/// Why outputs cannot be computed.
#[derive(Clone, PartialEq, thiserror::Error)]
pub enum PredictError {
    /// θ has another length than the model has parameters.
    #[error("theta has {found} entries, the model has {expected} parameters")]
    Parameters {
        /// n.
        expected: usize,
        /// Length given.
        found: usize,
    },
    /// The inputs are no whole number of samples.
    #[error("the inputs have {found} entries, no multiple of the model's {features} features")]
    Inputs {
        /// d.
        features: usize,
        /// Entries given.
        found: usize,
    },
    /// An input that is NaN or infinite.
    #[error("feature {feature} of sample {sample} is {value}")]
    NotFinite {
        /// Sample, from 0.
        sample: usize,
        /// Feature, from 0.
        feature: usize,
        /// The value.
        value: f64,
    },
    /// A number that a node cannot take.
    #[error(transparent)]
    Domain(#[from] DomainError),
}

impl std::fmt::Debug for PredictError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Whether θ and `inputs` (d × M) can go through `graph`.
///
/// # Errors
/// When lengths do not fit, or an input is not finite.
pub fn check(graph: &Graph, theta: &[f64], inputs: &[f64]) -> Result<(), PredictError> {
    let (expected, found) = (graph.parameters().dim(), theta.len());
    if expected != found {
        return Err(PredictError::Parameters { expected, found });
    }
    let d = graph.features();
    if !inputs.len().is_multiple_of(d) {
        return Err(PredictError::Inputs { features: d, found: inputs.len() });
    }
    match inputs.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(place) => {
            let (sample, feature) = (place / d, place % d);
            Err(PredictError::NotFinite { sample, feature, value: inputs[place] })
        }
    }
}

/// z = model(x; θ) for the M samples of `inputs` (d × M, column-major): c × M. In parallel over tiles of samples.
///
/// # Errors
/// As [`check`], and for inputs outside of the domain of a node.
pub fn outputs(graph: &Graph, theta: &[f64], inputs: &[f64]) -> Result<Vec<f64>, PredictError> {
    check(graph, theta, inputs)?;
    check_domains(graph, inputs, false)?;
    let (d, c) = (graph.features(), graph.outputs());
    let samples = inputs.len() / d;
    let mut out = vec![0.0; c * samples];
    if samples == 0 {
        return Ok(out);
    }
    let tile = Partition::new(graph, samples).tile_samples();
    out.par_chunks_mut(c * tile).zip(inputs.par_chunks(d * tile)).for_each_init(
        || Tape::new(graph, tile),
        |tape, (out, data)| {
            let tile = Tile { graph, theta, data, batch: data.len() / d, training: None };
            forward(tile, &mut tape.values);
            out.copy_from_slice(&tape.values[tile.output_value()]);
        },
    );
    Ok(out)
}
