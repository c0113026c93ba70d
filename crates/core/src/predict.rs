//! The outputs of a graph at one θ on any number of samples. Dropout is off here.

mod sparse;

pub use sparse::{outputs_of, outputs_sparse};

use crate::data::{Numbers, Scale, Standardizer};
use crate::graph::{DomainError, Graph, SparseDataError};
use crate::op::TileData;
use crate::partition::Partition;
use crate::sweep::{Tile, check_domains, forward, has_domains};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Numbers that one task looks at.
const LOOK: usize = 1 << 16;
/// Tasks for each thread: enough that none waits long for the last.
const TASKS: usize = 8;

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
    /// Sparse inputs with another number of features than the model.
    #[error("the inputs have {found} features, the model has {features}")]
    Features {
        /// d.
        features: usize,
        /// Features of the inputs.
        found: usize,
    },
    /// Sparse inputs for a model that does not take them.
    #[error(transparent)]
    Sparse(#[from] SparseDataError),
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
    check_lengths(graph, theta, inputs.len())?;
    check_finite(graph, inputs.into())
}

fn check_parameters(graph: &Graph, theta: &[f64]) -> Result<(), PredictError> {
    let (expected, found) = (graph.parameters().dim(), theta.len());
    if expected == found { Ok(()) } else { Err(PredictError::Parameters { expected, found }) }
}

/// Of so many numbers.
fn check_lengths(graph: &Graph, theta: &[f64], inputs: usize) -> Result<(), PredictError> {
    check_parameters(graph, theta)?;
    let d = graph.features();
    if !inputs.is_multiple_of(d) {
        return Err(PredictError::Inputs { features: d, found: inputs });
    }
    Ok(())
}

fn check_finite(graph: &Graph, inputs: Numbers<'_>) -> Result<(), PredictError> {
    let d = graph.features();
    match first_not_finite(inputs) {
        None => Ok(()),
        Some(place) => {
            let (sample, feature) = (place / d, place % d);
            Err(PredictError::NotFinite { sample, feature, value: inputs.get(place) })
        }
    }
}

/// The place of the first number that is not finite.
fn first_not_finite(inputs: Numbers<'_>) -> Option<usize> {
    inputs.par_chunks(LOOK).enumerate().find_map_first(|(index, inputs)| {
        if inputs.all_finite() {
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
    outputs_stored(graph, theta, inputs.into(), scaling)
}

/// The same of numbers of either kind.
fn outputs_stored(
    graph: &Graph,
    theta: &[f64],
    inputs: Numbers<'_>,
    scaling: Option<&Standardizer>,
) -> Result<Vec<f64>, PredictError> {
    check_lengths(graph, theta, inputs.len())?;
    let d = graph.features();
    if let Some(scaling) = scaling.filter(|scaling| scaling.names().len() != d) {
        return Err(PredictError::Scaling { features: d, found: scaling.names().len() });
    }
    let scale = scaling.map(Standardizer::scale);
    outputs_by(graph, theta, inputs, scale.as_ref())
}

/// The same of lengths that fit.
fn outputs_by(
    graph: &Graph,
    theta: &[f64],
    inputs: Numbers<'_>,
    scale: Option<&Scale>,
) -> Result<Vec<f64>, PredictError> {
    let (d, c) = (graph.features(), graph.outputs());
    if has_domains(graph) {
        check_finite(graph, inputs)?;
        check_domains(graph, (inputs, scale), false)?;
    }
    let samples = inputs.len() / d;
    let mut out = vec![0.0; c * samples];
    if samples == 0 {
        return Ok(out);
    }
    let partition = Partition::new(graph, samples, None);
    let tile = partition.tile_samples();
    let run = tile * partition.tiles().div_ceil(TASKS * rayon::current_num_threads());
    let finite = AtomicBool::new(true);
    let work = |(out, inputs): (&mut [f64], Numbers<'_>)| {
        let mut values = vec![0.0; graph.layout.value_rows * tile.max(2)];
        let mut scaled = Vec::new();
        for (out, raw) in out.chunks_mut(c * tile).zip(inputs.chunks(d * tile)) {
            // A product with one column is another routine, of other bits: a sample alone goes twice.
            let twice = if raw.len() == d { 2 } else { 1 };
            let data = scaled_tile(scale, raw, twice, &mut scaled);
            // A constant feature is scaled to 0, whatever stands there.
            if !(raw.all_finite() && (scale.is_none() || Numbers::from(data).all_finite())) {
                finite.store(false, Ordering::Relaxed);
                return;
            }
            let (data, batch) = (TileData::Dense(data), data.len() / d);
            let tile = Tile { graph, theta, data, batch, training: None };
            forward(tile, &mut values);
            out.copy_from_slice(&values[tile.output_value()][..out.len()]);
        }
    };
    if run >= samples {
        work((&mut out, inputs));
    } else {
        out.par_chunks_mut(c * run).zip(inputs.par_chunks(d * run)).for_each(work);
    }
    if !finite.into_inner() {
        check_finite(graph, inputs)?;
        let mut scaled = Vec::new();
        for (index, raw) in inputs.chunks(d).enumerate() {
            // The first of them, whichever tile met its own first.
            check_finite(graph, scaled_tile(scale, raw, 1, &mut scaled).into())
                .map_err(|error| error.after(index))?;
        }
    }
    Ok(out)
}

/// `raw` so many times, in the units of the fit where these are others: as it stands, or in `scaled`.
fn scaled_tile<'a>(
    scale: Option<&Scale>,
    raw: Numbers<'a>,
    times: usize,
    scaled: &'a mut Vec<f64>,
) -> &'a [f64] {
    if times == 1 {
        return raw.read(scale, scaled);
    }
    scaled.resize(times * raw.len(), 0.0);
    scaled.chunks_exact_mut(raw.len()).for_each(|out| raw.write(scale, out));
    scaled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Dense;

    /// z = x₁ + 2·x₂.
    fn sum() -> (Graph, [f64; 2]) {
        let mut g = Graph::builder(2);
        let y = g.node("y", Dense::new(1).without_bias(), &[g.input()]).unwrap();
        (g.build(y).unwrap(), [1.0, 2.0])
    }

    #[test]
    fn a_bad_number_is_named_first_of_all_also_where_scaling_would_hide_it() {
        let (graph, theta) = sum();
        // The second feature was constant: it is scaled to 0, whatever stands there. The first one overflows when scaled.
        let names = vec!["a".into(), "b".into()];
        let scaling = Standardizer::new(names, vec![0.0, 1.0], vec![1e-10, 0.0]).unwrap();
        let mut inputs = vec![1e-10; 2 * 5000];
        inputs[2 * 4000] = 1e300;
        let refused = |inputs: &[f64]| {
            outputs_scaled(&graph, &theta, inputs, Some(&scaling)).unwrap_err().to_string()
        };
        assert_eq!(refused(&inputs), "feature 0 of sample 4000 is inf");
        inputs[2 * 4500 + 1] = f64::NAN;
        assert_eq!(refused(&inputs), "feature 1 of sample 4500 is NaN");
        assert_eq!(refused(&inputs[2 * 4500..2 * 4501]), "feature 1 of sample 0 is NaN");
    }

    #[test]
    fn standardised_on_the_way_or_before_the_bits_are_the_same() {
        let (graph, theta) = sum();
        let names = vec!["a".into(), "b".into()];
        let scaling = Standardizer::new(names, vec![0.3, -1.0], vec![0.7, 3.0]).unwrap();
        for samples in [1_u32, 2, 127, 128, 129, 5003, 100_000] {
            let inputs: Vec<f64> = (0..2 * samples).map(|i| f64::from(i).sin()).collect();
            let one_by_one =
                inputs.chunks(2).map(|x| (x[0] - 0.3) / 0.7 + 2.0 * ((x[1] + 1.0) / 3.0));
            let z = outputs_scaled(&graph, &theta, &inputs, Some(&scaling)).unwrap();
            assert!(
                z.iter()
                    .zip(one_by_one)
                    .all(|(z, sum)| (z - sum).abs() <= 4e-16 * (1.0 + sum.abs()))
            );
            let mut before = inputs;
            scaling.apply(&mut before).unwrap();
            assert_eq!(outputs(&graph, &theta, &before).unwrap(), z);
            scaling.undo(&mut before).unwrap();
            let back = (0..2 * samples).map(|i| f64::from(i).sin());
            assert!(before.iter().zip(back).all(|(x, raw)| (x - raw).abs() < 1e-15));
        }
    }
}
