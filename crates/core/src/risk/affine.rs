//! The Hessian of a generalised linear model W·φ(x) + b, assembled as XᵀDX by rank-k updates.
//!
//! With x̃ = (φ(x), 1), θ = (W, b) and the loss's Hessian hᵢ (c × c) of sample i, the block of outputs k and l is
//! Σᵢ (hᵢ)ₖₗ·x̃ᵢ·x̃ᵢᵀ, symmetric and the same for (l, k): c(c + 1)/2 blocks of N·d² flops each.

mod block;
mod head;
mod sparse;

pub(super) use sparse::{SCATTERED, SparseColumns, moment_flops};

use super::linearized::Product;
use super::tree::TreeSum;
use super::{Linearized, Risk};
use crate::data::Dataset;
use crate::elementwise::sum;
use crate::graph::Node;
use crate::loss::LossHessian;
use crate::op::Region;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, MatMut, MatRef, Par};
use head::Made;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// Samples of one rank-k update: the scaled copy of φ stays in cache.
const UPDATE_SAMPLES: usize = 256;
/// Samples below which a block is not split among tasks.
const TASK_SAMPLES: usize = 1024;
/// Blocks, or parts of one, that are summed at the same time.
const TASKS: usize = 16;
/// Products below which handing them to other threads takes longer than they do.
const SERIAL_PRODUCTS: usize = 1 << 19;

/// φ of all samples.
enum Features<'a> {
    /// The inputs themselves.
    Data(&'a Dataset),
    /// d × N.
    Made { rows: usize, values: Vec<f64> },
}

/// Σ hᵢ·x̃ᵢ·x̃ᵢᵀ over some samples.
struct Moment {
    /// Σ hᵢ·φᵢ·φᵢᵀ, lower triangle, d × d.
    second: Vec<f64>,
    /// Σ hᵢ·φᵢ.
    first: Vec<f64>,
    /// Σ hᵢ.
    zeroth: f64,
}

/// One pair of outputs' share: k ≥ l over a range of samples of a block.
struct Task {
    block: usize,
    outputs: (usize, usize),
    weights: Option<usize>,
    samples: Range<usize>,
}

impl Linearized<'_> {
    /// `out` += the Hessian of the mean loss.
    pub(super) fn add_linear_head(&self, product: Product, head: &Node, out: &mut TreeSum<'_>) {
        let risk = self.risk();
        if risk.data.sparse().is_some() {
            // All of it is one block.
            return self.add_sparse_head(product, head, out.block(0));
        }
        let (features, weights) = self.features_and_weights(product, head);
        let identity = risk.loss.hessian_kind() == LossHessian::Identity;
        let tasks = risk.tasks(identity, weights.is_some());
        let n_samples = risk.data.samples();
        let moment = |task: &Task| {
            let column = |index: usize| {
                weights.as_ref().map(|w| &w[index * n_samples..(index + 1) * n_samples])
            };
            let weights = task.weights.and_then(column);
            Moment::new(&features, weights, task.samples.clone())
        };
        let d = features.rows();
        for batch in tasks.chunks(TASKS) {
            let moments: Vec<Moment> = if batch.len() * n_samples * d * d <= SERIAL_PRODUCTS {
                batch.iter().map(moment).collect()
            } else {
                batch.par_iter().with_max_len(1).map(moment).collect()
            };
            for (task, moment) in batch.iter().zip(&moments) {
                let mut out = out.block(task.block);
                if identity {
                    for k in 0..risk.graph.outputs() {
                        moment.add_to(out.as_mut(), head, (k, k), risk.scale());
                    }
                } else {
                    moment.add_to(out, head, task.outputs, risk.scale());
                }
            }
        }
    }

    /// φ of all samples and wᵢ·hₖₗ of all samples as one column per pair k ≥ l; where the loss's Hessian is the identity, one
    /// column of wᵢ or none.
    fn features_and_weights(
        &self,
        product: Product,
        head: &Node,
    ) -> (Features<'_>, Option<Cow<'_, [f64]>>) {
        let risk = self.risk();
        let n_samples = risk.data.samples();
        let place = &risk.graph.layout.places[head.inputs[0]];
        let mut values = Vec::new();
        let made = match place.value {
            Region::Data => None,
            Region::Arena(start) => {
                values.resize(place.rows * n_samples, 0.0);
                Some(Made { start, rows: place.rows, values: &mut values })
            }
        };
        let copied = made.is_some();
        let weights = risk.head_sweep(product, self.theta(), made);
        let weights = weights.map(Cow::Owned).or_else(|| risk.data.weights().map(Cow::Borrowed));
        let made = Features::Made { rows: place.rows, values };
        (if copied { made } else { Features::Data(risk.data) }, weights)
    }
}

impl Risk<'_> {
    /// Pairs k ≥ l of outputs in every block, each split by samples while that makes work for more threads; depends on N and c only.
    fn tasks(&self, identity: bool, weighted: bool) -> Vec<Task> {
        let c = self.graph.outputs();
        let pairs = if identity { 1 } else { c * (c + 1) / 2 };
        let of_block = |block: usize| {
            let samples = self.partition.block_samples(block);
            let blocks = self.partition.whole().blocks();
            let parts = (TASKS / (pairs * blocks)).min(samples.len() / TASK_SAMPLES).max(1);
            let end = move |part: usize| samples.start + part * samples.len() / parts;
            let outputs = (0..c).flat_map(|k| (0..=k).map(move |l| (k, l))).take(pairs);
            outputs.enumerate().flat_map(move |(index, outputs)| {
                let (end, weights) = (end.clone(), weighted.then_some(index));
                let task = move |p| Task { block, outputs, weights, samples: end(p)..end(p + 1) };
                (0..parts).map(task)
            })
        };
        self.partition.blocks().flat_map(of_block).collect()
    }
}

impl Features<'_> {
    /// d
    fn rows(&self) -> usize {
        match self {
            Self::Data(data) => data.features(),
            Self::Made { rows, .. } => *rows,
        }
    }

    /// φ of the samples in `range`, d × B; perhaps in `out`.
    fn tile<'t>(&'t self, range: &Range<usize>, out: &'t mut Vec<f64>) -> &'t [f64] {
        match self {
            Self::Data(data) => data.input_tile(range, out),
            Self::Made { rows, values } => &values[range.start * rows..range.end * rows],
        }
    }
}

impl Moment {
    fn new(features: &Features<'_>, weights: Option<&[f64]>, samples: Range<usize>) -> Self {
        let (d, mut read) = (features.rows(), Vec::new());
        let mut moment = Self { second: vec![0.0; d * d], first: vec![0.0; d], zeroth: 0.0 };
        let mut scaled = vec![0.0; d * UPDATE_SAMPLES.min(samples.len())];
        let mut start = samples.start;
        while start < samples.end {
            let end = (start + UPDATE_SAMPLES).min(samples.end);
            let weights = weights.map(|w| &w[start..end]);
            moment.update(features.tile(&(start..end), &mut read), d, weights, &mut scaled);
            start = end;
        }
        moment
    }

    /// Adds the samples of φ (d × B).
    fn update(&mut self, phi: &[f64], d: usize, weights: Option<&[f64]>, scaled: &mut [f64]) {
        let batch = phi.len() / d;
        let x = MatRef::from_column_major_slice(phi, d, batch);
        let left = match weights {
            None => {
                self.zeroth += batch as f64;
                phi
            }
            Some(weights) => {
                self.zeroth += sum(weights);
                let columns = scaled.chunks_exact_mut(d).zip(phi.chunks_exact(d)).zip(weights);
                for ((scaled, phi), weight) in columns {
                    for (scaled, phi) in scaled.iter_mut().zip(phi) {
                        *scaled = weight * phi;
                    }
                }
                &scaled[..phi.len()]
            }
        };
        for column in left.chunks_exact(d) {
            for (first, phi) in self.first.iter_mut().zip(column) {
                *first += phi;
            }
        }
        matmul(
            MatMut::from_column_major_slice_mut(&mut self.second, d, d),
            BlockStructure::TriangularLower,
            Accum::Add,
            MatRef::from_column_major_slice(left, d, batch),
            BlockStructure::Rectangular,
            x.transpose(),
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
    }

    /// Adds the moment, times `scale`, to block (k, l) of the Hessian, k ≥ l, and to its mirror image; of weights by weights to the lower
    /// triangle alone.
    fn add_to(&self, mut out: MatMut<'_, f64>, head: &Node, (k, l): (usize, usize), scale: f64) {
        let d = self.first.len();
        let weight = &head.ranges[0];
        let c = weight.len() / d;
        // Entry (output, feature) of W; its column of the triangle begins with itself.
        let index = |output: usize, feature: usize| weight.start + feature * c + output;
        let mut add = |output: usize, feature: usize, first: usize, entries: &[f64]| {
            let mut column = out.as_mut().col_mut(index(output, feature));
            if let (1, Some(column)) = (c, column.as_mut().try_as_col_major_mut()) {
                let column = &mut column.as_slice_mut()[first..];
                column.iter_mut().zip(entries).for_each(|(out, entry)| *out += scale * entry);
                return;
            }
            for (place, entry) in entries.iter().enumerate() {
                column[first + place * c] += scale * entry;
            }
        };
        for (j, column) in self.second.chunks_exact(d).enumerate() {
            add(l, j, index(k, j), &column[j..]);
            if k != l && j + 1 < d {
                add(k, j, index(l, j + 1), &column[j + 1..]);
            }
        }
        let Some(bias) = head.ranges.get(1) else { return };
        let mut both = |row: usize, column: usize, term: f64| {
            out[(row, column)] += term;
            out[(column, row)] += term;
        };
        for (feature, first) in self.first.iter().enumerate() {
            both(bias.start + k, index(l, feature), scale * first);
            if k != l {
                both(bias.start + l, index(k, feature), scale * first);
            }
        }
        out[(bias.start + k, bias.start + l)] += scale * self.zeroth;
        if k != l {
            out[(bias.start + l, bias.start + k)] += scale * self.zeroth;
        }
    }
}
