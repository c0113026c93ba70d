//! Outputs for sparse inputs.

use super::{PredictError, TASKS, check_lengths, check_parameters, outputs_by, outputs_stored};
use crate::data::{Dataset, SparseInputs, SparseRows, Standardizer, standardized_centre};
use crate::graph::{Centring, Graph};
use crate::op::TileData;
use crate::partition::Partition;
use crate::sweep::{Tile, forward};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

/// [`outputs_scaled`](super::outputs_scaled) for the samples of `data`, dense or sparse, without their offsets.
///
/// # Errors
/// As [`outputs_scaled`](super::outputs_scaled) and [`outputs_sparse`].
pub fn outputs_of(
    graph: &Graph,
    theta: &[f64],
    data: &Dataset,
    scaling: Option<&Standardizer>,
) -> Result<Vec<f64>, PredictError> {
    if let Some(inputs) = data.sparse() {
        return outputs_sparse(graph, theta, inputs, scaling);
    }
    let (inputs, own) = data.stored_inputs();
    if own.is_none() || scaling.is_some() {
        // Standardised twice, the numbers in between are made.
        return outputs_stored(graph, theta, data.unscaled_inputs(), scaling);
    }
    check_lengths(graph, theta, inputs.len())?;
    let (features, found) = (graph.features(), data.features());
    if features != found {
        return Err(PredictError::Scaling { features, found });
    }
    outputs_by(graph, theta, inputs, own)
}

/// z = model(x; θ) for the M samples of `inputs`: c × M. Standardised on the way where there is a scaling: entries are divided a tile at a
/// time, what is taken off all samples alike goes to the biases, once.
///
/// # Errors
/// θ or inputs of another length than the model's; a node that does not take sparse inputs, or, where these are centred, has no bias of its
/// own; a scaling of other features, or one by which an input overflows.
pub fn outputs_sparse(
    graph: &Graph,
    theta: &[f64],
    inputs: &SparseInputs,
    scaling: Option<&Standardizer>,
) -> Result<Vec<f64>, PredictError> {
    check_parameters(graph, theta)?;
    let (d, c, samples) = (graph.features(), graph.outputs(), inputs.samples());
    if inputs.features() != d {
        return Err(PredictError::Features { features: d, found: inputs.features() });
    }
    if let Some(scaling) = scaling.filter(|scaling| scaling.names().len() != d) {
        return Err(PredictError::Scaling { features: d, found: scaling.names().len() });
    }
    graph.check_sparse()?;
    let centre = match scaling {
        None => inputs.centre().map(Cow::Borrowed),
        Some(by) => {
            standardized_centre(inputs.centre(), by.means(), by.deviations()).map(Cow::Owned)
        }
    };
    let overflown = |value: &f64| !value.is_finite();
    if let Some(feature) = centre.as_deref().unwrap_or_default().iter().position(overflown) {
        return Err(PredictError::NotFinite { sample: 0, feature, value: f64::INFINITY });
    }
    let mut theta = Cow::Borrowed(theta);
    if let Some(centring) = Centring::new(graph, centre)? {
        centring.apply(theta.to_mut());
    }
    let filled = inputs.filled() as f64 / samples as f64;
    let partition = Partition::new(graph, samples, Some(filled));
    let tile = partition.tile_samples();
    let run = tile * partition.tiles().div_ceil(TASKS * rayon::current_num_threads());
    let finite = AtomicBool::new(true);
    let mut out = vec![0.0; c * samples];
    let work = |(task, out): (usize, &mut [f64])| {
        let mut values = vec![0.0; graph.layout.value_rows * tile.max(2)];
        let mut rows = SparseRows::default();
        let mut first = task * run;
        for out in out.chunks_mut(c * tile) {
            let range = first..first + out.len() / c;
            first = range.end;
            // As of dense inputs: a sample alone goes twice, since a product with one column has other bits.
            let again = (range.len() == 1).then_some(range.start);
            let batch = range.len() + usize::from(again.is_some());
            let gathered = scaling.is_some() || again.is_some();
            if gathered {
                scale(scaling, inputs, range.clone().chain(again), &mut rows);
                if rows.values().iter().any(overflown) {
                    return finite.store(false, Ordering::Relaxed);
                }
            }
            let data = TileData::Sparse(if gathered { rows.tile() } else { inputs.tile(&range) });
            let tile = Tile { graph, theta: &theta, data, batch, training: None };
            forward(tile, &mut values);
            out.copy_from_slice(&values[tile.output_value()][..out.len()]);
        }
    };
    if run >= samples {
        work((0, &mut out));
    } else {
        out.par_chunks_mut(c * run).enumerate().for_each(work);
    }
    if let (false, Some(scaling)) = (finite.into_inner(), scaling) {
        refuse_overflow(scaling, inputs)?;
    }
    Ok(out)
}

/// `rows` ← the entries of the samples, in the units of the fit where these are others; those of constant features are then left out.
fn scale(
    scaling: Option<&Standardizer>,
    inputs: &SparseInputs,
    samples: impl Iterator<Item = usize>,
    rows: &mut SparseRows,
) {
    let Some(scaling) = scaling else {
        return rows.gather(inputs, samples, |_, value| Some(value));
    };
    let deviations = scaling.deviations();
    rows.gather(inputs, samples, |index, value| {
        let deviation = deviations[index as usize];
        (deviation != 0.0).then(|| value / deviation)
    });
}

/// The first sample with a number that overflows.
fn refuse_overflow(scaling: &Standardizer, inputs: &SparseInputs) -> Result<(), PredictError> {
    let mut rows = SparseRows::default();
    for sample in 0..inputs.samples() {
        scale(Some(scaling), inputs, std::iter::once(sample), &mut rows);
        let (indices, values) = rows.tile().row(0);
        if let Some(entry) = values.iter().position(|value| !value.is_finite()) {
            let (feature, value) = (indices[entry] as usize, values[entry]);
            return Err(PredictError::NotFinite { sample, feature, value });
        }
    }
    Ok(())
}
