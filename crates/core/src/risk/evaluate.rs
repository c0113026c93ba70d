//! Value and gradient: shards in parallel, added up in a fixed order.

use super::Risk;
use super::tree;
use super::workspace::{CompensatedSum, ShardSum, Workspace};
use crate::data::SampleTile;
use crate::elementwise::vectorize;
use crate::problem::Objective;
use crate::sweep::{Tile, backward, forward};
use crate::tape::Tape;
use crate::tasks;
use rayon::prelude::*;
use std::ops::Range;

/// Entries that one task of the final sum handles.
const SUM_CHUNK: usize = 1024;

impl Risk<'_> {
    pub(super) fn evaluate_value(&self, theta: &[f64]) -> f64 {
        let sums = self.value_sums(theta);
        let mean = self.mean_loss(&sums);
        self.return_sums(sums);
        mean + self.penalty.value(self.graph.parameters(), theta)
    }

    /// Σ ℓ of every shard; [return](Self::return_sums) the sums.
    pub(super) fn value_sums(&self, theta: &[f64]) -> Vec<ShardSum> {
        let moved = self.moved(theta);
        let mut sums = self.take_sums();
        self.for_each_shard(&mut sums, |shard, sum, workspace| {
            let Workspace { tape, shifted, inputs, .. } = workspace;
            for range in self.partition.shard(shard) {
                let tile = self.tile(&moved, &range, inputs);
                forward(tile, &mut tape.values);
                let z = &tape.values[tile.output_value()];
                let samples = self.data.tile(range);
                let z = self.scores(z, samples, shifted);
                sum.loss.add(self.tile_loss(z, samples));
            }
        });
        sums
    }

    pub(super) fn evaluate_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let sums = self.gradient_sums(theta, self.scale());
        self.sum_gradients(&sums, gradient);
        let mean = self.mean_loss(&sums);
        self.return_sums(sums);
        self.finish_gradient(theta, mean, gradient)
    }

    /// f, for the mean loss, with `gradient`, which is that of the mean loss so far.
    pub(super) fn finish_gradient(&self, theta: &[f64], mean: f64, gradient: &mut [f64]) -> f64 {
        self.move_back(gradient);
        mean + self.penalty.add_gradient(self.graph.parameters(), theta, gradient)
    }

    /// Σ ℓ and the gradient of `scale`·Σ ℓ of every shard; [return](Self::return_sums) the sums.
    pub(super) fn gradient_sums(&self, theta: &[f64], scale: f64) -> Vec<ShardSum> {
        let moved = self.moved(theta);
        let mut sums = self.take_sums();
        let work =
            |shard, sum: &mut ShardSum, mut scores: &mut [f64], workspace: &mut Workspace| {
                sum.gradient.fill(0.0);
                for range in self.partition.shard(shard) {
                    let Workspace { tape, shifted, inputs, .. } = &mut *workspace;
                    let samples = self.data.tile(range.clone());
                    let tile = self.tile(&moved, &range, inputs);
                    self.sweep(tile, samples, scale, tape, shifted, sum);
                    if !scores.is_empty() {
                        let z = &tape.values[tile.output_value()];
                        let (own, rest) = std::mem::take(&mut scores).split_at_mut(z.len());
                        own.copy_from_slice(z);
                        scores = rest;
                    }
                }
            };
        let Some(mut kept) = self.scores_to_write() else {
            self.for_each_shard(&mut sums, |shard, sum, workspace| {
                work(shard, sum, &mut [], workspace);
            });
            return sums;
        };
        let (mut rest, mut parts) = (&mut kept.values[..], Vec::with_capacity(sums.len()));
        for shard in 0..sums.len() {
            let samples: usize = self.partition.shard(shard).map(|range| range.len()).sum();
            let (own, others) = rest.split_at_mut(samples * self.graph.outputs());
            parts.push(own);
            rest = others;
        }
        self.stock_workspaces();
        each_shard_with(&mut sums, &mut parts, |shard, sum, scores| {
            self.with_workspace(|workspace| work(shard, sum, scores, workspace));
        });
        self.keep_scores(kept, &moved);
        sums
    }

    /// Forward sweep, loss, backward sweep of one tile; leaves values and adjoints in `tape`.
    pub(super) fn sweep_tile(
        &self,
        tile: Tile<'_>,
        range: Range<usize>,
        tape: &mut Tape,
        shifted: &mut [f64],
        sum: &mut ShardSum,
    ) {
        self.sweep(tile, self.data.tile(range), self.scale(), tape, shifted, sum);
    }

    /// The same for any samples, with their targets: θ̄ is of `scale`·Σ wℓ.
    pub(super) fn sweep(
        &self,
        tile: Tile<'_>,
        samples: SampleTile<'_>,
        scale: f64,
        tape: &mut Tape,
        shifted: &mut [f64],
        sum: &mut ShardSum,
    ) {
        forward(tile, &mut tape.values);
        let z = self.scores(&tape.values[tile.output_value()], samples, shifted);
        let z_bar = &mut tape.adjoints[tile.output_active()];
        sum.loss.add(self.tile_gradient(scale, z, samples, z_bar));
        backward(tile, &tape.values, &mut tape.adjoints, &mut sum.gradient);
    }

    /// Runs `work(shard, sum, workspace)` for every shard, in parallel where there are threads for it.
    pub(super) fn for_each_shard(
        &self,
        sums: &mut [ShardSum],
        work: impl Fn(usize, &mut ShardSum, &mut Workspace) + Sync,
    ) {
        self.stock_workspaces();
        each_shard(sums, |shard, sum| {
            self.with_workspace(|workspace| work(shard, sum, workspace));
        });
    }

    /// Of each node of the part the sum of its shards' gradients, one after the other.
    pub(super) fn gradient_nodes(&self, sums: &[ShardSum], out: &mut Vec<f64>) {
        for node in tree::nodes(&self.partition) {
            let (shards, first) = (self.partition.node(node.levels, node.index), out.len());
            out.resize(first + self.dim(), 0.0);
            self.sum_gradients(&sums[shards], &mut out[first..]);
        }
    }

    pub(super) fn mean_loss(&self, sums: &[ShardSum]) -> f64 {
        total_loss(sums.iter().map(|sum| sum.loss)) * self.scale()
    }

    /// `out` ← the sum of the shard gradients, pairwise in shard order, whatever the threads.
    pub(super) fn sum_gradients(&self, sums: &[ShardSum], out: &mut [f64]) {
        let chunk = |(index, out): (usize, &mut [f64])| {
            let first = index * SUM_CHUNK;
            vectorize(
                #[inline(always)]
                || pairwise(sums, first, out),
            );
        };
        if self.dim() <= SUM_CHUNK {
            out.chunks_mut(SUM_CHUNK).enumerate().for_each(chunk);
        } else {
            out.par_chunks_mut(SUM_CHUNK).enumerate().for_each(chunk);
        }
    }
}

/// Runs `work(shard, sum)` for every shard, its Σ ℓ set to zero, in parallel where there are threads for it.
pub(super) fn each_shard(sums: &mut [ShardSum], work: impl Fn(usize, &mut ShardSum) + Sync) {
    // A list of nothing takes no memory.
    let mut nothing = vec![(); sums.len()];
    each_shard_with(sums, &mut nothing, |shard, sum, ()| work(shard, sum));
}

/// [`each_shard`], with something of `own` for every shard.
pub(super) fn each_shard_with<T: Send>(
    sums: &mut [ShardSum],
    own: &mut [T],
    work: impl Fn(usize, &mut ShardSum, &mut T) + Sync,
) {
    tasks::for_each_pair(sums, own, |shard, sum, own| {
        sum.loss = CompensatedSum::default();
        work(shard, sum, own);
    });
}

/// Σ ℓ over all shards, compensated.
pub(super) fn total_loss(sums: impl Iterator<Item = CompensatedSum>) -> f64 {
    let mut total = CompensatedSum::default();
    sums.for_each(|sum| total.merge(sum));
    total.total()
}

/// `out` ← Σ over `sums` of `gradient[first ..]`, by halves.
fn pairwise(sums: &[ShardSum], first: usize, out: &mut [f64]) {
    match sums {
        [] => out.fill(0.0),
        [only] => out.copy_from_slice(&only.gradient[first..first + out.len()]),
        [one, other] => {
            let range = first..first + out.len();
            let pairs = one.gradient[range.clone()].iter().zip(&other.gradient[range]);
            for (out, (one, other)) in out.iter_mut().zip(pairs) {
                *out = one + other;
            }
        }
        _ => {
            let (left, right) = sums.split_at(sums.len().div_ceil(2));
            pairwise(left, first, out);
            let mut buffer = [0.0; SUM_CHUNK];
            let buffer = &mut buffer[..out.len()];
            pairwise(right, first, buffer);
            for (out, right) in out.iter_mut().zip(buffer) {
                *out += *right;
            }
        }
    }
}
