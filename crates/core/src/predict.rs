//! The outputs of a graph at one θ on any number of samples. Dropout is off here.

use crate::data::Standardizer;
use crate::graph::{DomainError, Graph};
use crate::partition::Partition;
use crate::sweep::{Tile, check_domains, forward, has_domains};
use crate::tape::Tape;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Numbers that one task looks at.
const LOOK: usize = 1 << 16;

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
    /// A scaling of other inputs.
    #[error("the scaling is for {found} feature(s), the model has {features}")]
    Scaling {
        /// d.
        features: usize,
        /// Features of the scaling.
        found: usize,
    },
}

impl PredictError {
    /// The same of samples that come after `first` others.
    fn after(mut self, first: usize) -> Self {
        if let Self::NotFinite { sample, .. } | Self::Domain(DomainError { sample, .. }) = &mut self
        {
            *sample += first;
        }
        self
    }
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
    match first_not_finite(inputs) {
        None => Ok(()),
        Some(place) => {
            let (sample, feature) = (place / d, place % d);
            Err(PredictError::NotFinite { sample, feature, value: inputs[place] })
        }
    }
}

/// The place of the first number that is not finite.
fn first_not_finite(inputs: &[f64]) -> Option<usize> {
    inputs.par_chunks(LOOK).enumerate().find_map_first(|(index, inputs)| {
        // Without an exit the look goes by vectors.
        if inputs.iter().fold(true, |all, x| all & x.is_finite()) {
            return None;
        }
        inputs.iter().position(|x| !x.is_finite()).map(|place| index * LOOK + place)
    })
}

/// z = model(x; θ) for the M samples of `inputs` (d × M, column-major): c × M. In parallel over tiles of samples. The bits of a sample do
/// not depend on the others that it comes with.
///
/// # Errors
/// As [`check`], and for inputs outside of the domain of a node.
pub fn outputs(graph: &Graph, theta: &[f64], inputs: &[f64]) -> Result<Vec<f64>, PredictError> {
    outputs_scaled(graph, theta, inputs, None)
}

/// [`outputs`] of inputs that are standardised on the way, a tile at a time: no copy of all of them is made, and the bits are those of
/// inputs that were standardised before.
///
/// # Errors
/// As [`outputs`], and where the scaling is for another number of features, or an input is so far from those it was fitted on that it
/// overflows.
pub fn outputs_scaled(
    graph: &Graph,
    theta: &[f64],
    inputs: &[f64],
    scaling: Option<&Standardizer>,
) -> Result<Vec<f64>, PredictError> {
    check(graph, theta, inputs)?;
    let (d, c) = (graph.features(), graph.outputs());
    if let Some(scaling) = scaling.filter(|scaling| scaling.names().len() != d) {
        return Err(PredictError::Scaling { features: d, found: scaling.names().len() });
    }
    match scaling {
        Some(scaling) if has_domains(graph) => check_scaled_domains(graph, inputs, scaling)?,
        Some(_) => {}
        None => check_domains(graph, inputs, false)?,
    }
    let samples = inputs.len() / d;
    let mut out = vec![0.0; c * samples];
    if samples == 0 {
        return Ok(out);
    }
    let tile = Partition::new(graph, samples).tile_samples();
    let finite = AtomicBool::new(true);
    out.par_chunks_mut(c * tile).zip(inputs.par_chunks(d * tile)).for_each_init(
        || (Tape::new(graph, tile.max(2)), Vec::new()),
        |(tape, scaled), (out, raw)| {
            // A product with one column is another routine, of other bits: a sample alone goes twice.
            let twice = if raw.len() == d { 2 } else { 1 };
            let data = scaled_tile(scaling, raw, twice, scaled);
            if scaling.is_some() && !data.iter().fold(true, |all, x| all & x.is_finite()) {
                finite.store(false, Ordering::Relaxed);
                return;
            }
            let tile = Tile { graph, theta, data, batch: data.len() / d, training: None };
            forward(tile, &mut tape.values);
            out.copy_from_slice(&tape.values[tile.output_value()][..out.len()]);
        },
    );
    if !finite.into_inner() {
        let mut scaled = Vec::new();
        for (index, raw) in inputs.chunks(d).enumerate() {
            // The first of them, whichever tile met its own first.
            check(graph, theta, scaled_tile(scaling, raw, 1, &mut scaled))
                .map_err(|error| error.after(index))?;
        }
    }
    Ok(out)
}

/// `raw` so many times, in the units of the fit where these are others: itself, or in `scaled`.
fn scaled_tile<'a>(
    scaling: Option<&Standardizer>,
    raw: &'a [f64],
    times: usize,
    scaled: &'a mut Vec<f64>,
) -> &'a [f64] {
    if scaling.is_none() && times == 1 {
        return raw;
    }
    scaled.clear();
    (0..times).for_each(|_| scaled.extend_from_slice(raw));
    if let Some(scaling) = scaling {
        scaling.apply_to_columns(scaled);
    }
    scaled
}

fn check_scaled_domains(
    graph: &Graph,
    inputs: &[f64],
    scaling: &Standardizer,
) -> Result<(), PredictError> {
    let longest = Partition::longest_tile(graph);
    let mut scaled = Vec::new();
    for (index, raw) in inputs.chunks(graph.features() * longest).enumerate() {
        check_domains(graph, scaled_tile(Some(scaling), raw, 1, &mut scaled), false)
            .map_err(|error| PredictError::from(error).after(index * longest))?;
    }
    Ok(())
}
