//! XᵀDX of sparse data.
//!
//! Either entry by entry into the lower triangle, Σ nᵢ(nᵢ + 1)/2 multiply–adds for nᵢ entries in sample i, or by SYRK on tiles that are made
//! dense (N·d² flops): whichever is less when an operation of the first kind counts as [`SCATTERED`] of the second. Counts decide, never a
//! clock. Entry by entry a matrix of up to [`ROWS_ENTRIES`] numbers, which stays in cache, takes sample after sample; a larger one is made
//! column by column, xᵢⱼ·xᵢ added up over the samples that have feature j, so that one column stays there.

use super::super::Linearized;
use super::super::linearized::Product;
use super::{Moment, TASKS, UPDATE_SAMPLES};
use crate::data::SparseInputs;
use crate::elementwise::sum;
use crate::graph::Node;
use crate::loss::LossHessian;
use faer::MatMut;
use rayon::prelude::*;
use std::array::from_fn;
use std::ops::Range;

/// What a scattered operation costs, in operations of SYRK.
pub(in crate::risk) const SCATTERED: f64 = 16.0;
/// Columns of one task.
const COLUMNS: usize = 8;
/// Numbers of a matrix that stay in a core's L2 cache: 2 MiB.
const ROWS_ENTRIES: usize = 1 << 18;
/// Multiply–adds for each entry of a part's matrix, at least: zeroing and adding up are then less.
const PART_SHARE: usize = 8;

/// The entries by features.
#[derive(Debug)]
pub(in crate::risk) struct SparseColumns {
    /// d + 1.
    offsets: Vec<usize>,
    samples: Vec<u32>,
    /// Where each stands among the entries of its sample.
    places: Vec<u32>,
}

impl SparseColumns {
    fn new(inputs: &SparseInputs) -> Self {
        let mut offsets = vec![0_usize; inputs.features() + 1];
        inputs.indices().iter().for_each(|index| offsets[*index as usize + 1] += 1);
        for feature in 0..inputs.features() {
            offsets[feature + 1] += offsets[feature];
        }
        let mut next = offsets.clone();
        let (mut samples, mut places) = (vec![0; inputs.filled()], vec![0; inputs.filled()]);
        for sample in 0..inputs.samples() {
            for (place, index) in inputs.row(sample).0.iter().enumerate() {
                let at = &mut next[*index as usize];
                samples[*at] = u32::try_from(sample).unwrap_or(u32::MAX);
                places[*at] = u32::try_from(place).unwrap_or(u32::MAX);
                *at += 1;
            }
        }
        Self { offsets, samples, places }
    }
}

impl Linearized<'_> {
    /// [`add_linear_head`](Self::add_linear_head) where the head reads sparse data.
    pub(super) fn add_sparse_head(&self, product: Product, head: &Node, mut out: MatMut<'_, f64>) {
        let risk = self.risk();
        let Some(inputs) = risk.data.sparse() else { return };
        let (samples, c) = (inputs.samples(), risk.graph.outputs());
        let weights = risk.head_weights(product, self.sweep_theta());
        let scattered = scatters(inputs);
        let identity = risk.loss.hessian_kind() == LossHessian::Identity;
        let pairs = (0..c).flat_map(|k| (0..=k).map(move |l| (k, l)));
        for (pair, (k, l)) in pairs.take(if identity { 1 } else { usize::MAX }).enumerate() {
            let weights = match &weights {
                Some(weights) => Some(&weights[pair * samples..(pair + 1) * samples]),
                None => risk.data.weights(),
            };
            let moment = if scattered && inputs.features().pow(2) <= ROWS_ENTRIES {
                Moment::of_rows(inputs, weights)
            } else if scattered {
                let columns = risk.columns.get_or_init(|| SparseColumns::new(inputs));
                Moment::of_columns(inputs, columns, weights)
            } else {
                Moment::of_tiles(inputs, weights)
            };
            if identity {
                for k in 0..c {
                    moment.add_to(out.as_mut(), head, (k, k), risk.scale());
                }
            } else {
                moment.add_to(out.as_mut(), head, (k, l), risk.scale());
            }
        }
    }
}

/// Whether columns are cheaper than tiles. More samples than numbers of 32 bits go by tiles.
fn scatters(inputs: &SparseInputs) -> bool {
    u32::try_from(inputs.samples()).is_ok()
        && SCATTERED * scattered_flops(inputs) <= dense_flops(inputs)
}

/// Flops of XᵀDX by columns.
fn scattered_flops(inputs: &SparseInputs) -> f64 {
    inputs.offsets().windows(2).map(|ends| ((ends[1] - ends[0]) as f64).powi(2)).sum()
}

/// Flops of XᵀDX by SYRK.
fn dense_flops(inputs: &SparseInputs) -> f64 {
    inputs.samples() as f64 * (inputs.features() as f64).powi(2)
}

/// What XᵀDX of one pair of outputs takes, in flops of SYRK.
pub(in crate::risk) fn moment_flops(inputs: &SparseInputs) -> f64 {
    (SCATTERED * scattered_flops(inputs)).min(dense_flops(inputs))
}

impl Moment {
    fn zero(d: usize) -> Self {
        Self { second: vec![0.0; d * d], first: vec![0.0; d], zeroth: 0.0 }
    }

    /// Sample by sample; so many parts whatever the threads.
    fn of_rows(inputs: &SparseInputs, weights: Option<&[f64]>) -> Self {
        let d = inputs.features();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let work = (0.5 * scattered_flops(inputs)) as usize;
        let parts = (work / (PART_SHARE * d * d)).clamp(1, TASKS);
        Self::of_parts(inputs, parts, |samples| {
            let mut moment = Self::zero(d);
            let rows = inputs.tile(&samples).rows();
            for (sample, (indices, values)) in samples.zip(rows) {
                let weight = weights.map_or(1.0, |weights| weights[sample]);
                // Two columns at a time: their rows are the same, but for one.
                let (pairs, last) = indices.split_at(indices.len() & !1);
                for place in (0..pairs.len()).step_by(2) {
                    moment.add_columns::<2>(&indices[place..], &values[place..], weight);
                }
                if !last.is_empty() {
                    moment.add_columns::<1>(last, &values[pairs.len()..], weight);
                }
                moment.zeroth += weight;
            }
            moment
        })
    }

    /// Adds wxᵢxⱼ for the first K entries i of a sample and all entries j from i on, and wxᵢ.
    #[inline(always)]
    fn add_columns<const K: usize>(&mut self, indices: &[u32], values: &[f64], weight: f64) {
        let d = self.first.len();
        let features: [usize; K] = from_fn(|k| indices[k] as usize);
        let scales: [f64; K] = from_fn(|k| weight * values[k]);
        let ranges = features.map(|feature| feature * d..(feature + 1) * d);
        let columns = self.second.get_disjoint_mut(ranges);
        let columns = columns.expect("a sample has a feature once");
        for k in 0..K {
            self.first[features[k]] += scales[k];
            for l in k..K {
                columns[k][features[l]] += scales[k] * values[l];
            }
        }
        for (index, x) in indices[K..].iter().zip(&values[K..]) {
            for k in 0..K {
                columns[k][*index as usize] += scales[k] * x;
            }
        }
    }

    /// The sum of the moments of `parts` runs of samples.
    fn of_parts(
        inputs: &SparseInputs,
        parts: usize,
        of_run: impl Fn(Range<usize>) -> Self + Sync,
    ) -> Self {
        let samples = inputs.samples();
        let run = |part: usize| part * samples / parts..(part + 1) * samples / parts;
        let moments = (0..parts).into_par_iter().with_max_len(1).map(|part| of_run(run(part)));
        let mut moments: Vec<Self> = moments.collect();
        let mut total = moments.swap_remove(0);
        let d = inputs.features();
        total.second.par_chunks_mut(d * COLUMNS).enumerate().for_each(|(task, total)| {
            let first = task * d * COLUMNS;
            for (offset, column) in total.chunks_exact_mut(d).enumerate() {
                let (column, start) = (&mut column[task * COLUMNS + offset..], first + offset * d);
                let rows = start + d - column.len()..start + d;
                for moment in &moments {
                    let part = &moment.second[rows.clone()];
                    column.iter_mut().zip(part).for_each(|(total, part)| *total += part);
                }
            }
        });
        for moment in &moments {
            total.first.iter_mut().zip(&moment.first).for_each(|(total, part)| *total += part);
            total.zeroth += moment.zeroth;
        }
        total
    }

    /// A column of the triangle at a time.
    fn of_columns(inputs: &SparseInputs, columns: &SparseColumns, weights: Option<&[f64]>) -> Self {
        let d = inputs.features();
        let mut moment = Self::zero(d);
        let rows = inputs.tile(&(0..inputs.samples()));
        let one = |feature: usize, column: &mut [f64]| {
            let mut first = 0.0;
            let entries = columns.offsets[feature]..columns.offsets[feature + 1];
            let places = columns.samples[entries.clone()].iter().zip(&columns.places[entries]);
            for (sample, place) in places {
                let (indices, values) = rows.row(*sample as usize);
                let (indices, values) = (&indices[*place as usize..], &values[*place as usize..]);
                let weight = weights.map_or(1.0, |weights| weights[*sample as usize]);
                let scale = weight * values[0];
                first += scale;
                for (index, value) in indices.iter().zip(values) {
                    column[*index as usize] += scale * value;
                }
            }
            first
        };
        let tasks = moment.second.par_chunks_mut(d * COLUMNS);
        let tasks = tasks.zip(moment.first.par_chunks_mut(COLUMNS));
        tasks.enumerate().for_each(|(task, (columns, first))| {
            let each = columns.chunks_exact_mut(d).zip(first);
            for (offset, (column, first)) in each.enumerate() {
                *first = one(task * COLUMNS + offset, column);
            }
        });
        moment.zeroth = weights.map_or(inputs.samples() as f64, sum);
        moment
    }

    /// Tiles made dense; so many parts whatever the threads.
    fn of_tiles(inputs: &SparseInputs, weights: Option<&[f64]>) -> Self {
        let parts = TASKS.min(inputs.samples().div_ceil(UPDATE_SAMPLES));
        Self::of_parts(inputs, parts, |samples| Self::of_run(inputs, weights, samples))
    }

    fn of_run(inputs: &SparseInputs, weights: Option<&[f64]>, samples: Range<usize>) -> Self {
        let d = inputs.features();
        let mut moment = Self::zero(d);
        let room = d * UPDATE_SAMPLES.min(samples.len());
        let (mut dense, mut scaled) = (vec![0.0; room], vec![0.0; room]);
        for start in samples.clone().step_by(UPDATE_SAMPLES) {
            let range = start..(start + UPDATE_SAMPLES).min(samples.end);
            let dense = &mut dense[..d * range.len()];
            inputs.tile(&range).write_dense(d, dense);
            moment.update(dense, d, weights.map(|weights| &weights[range]), &mut scaled);
        }
        moment
    }
}
