//! Value and gradient of the mean over some of the samples.
//!
//! The samples are gathered tile by tile into buffers of the pool, so that the sweeps run on whole tiles as they do on all of
//! them. Tiles and shards are those of a data set of as many samples: they depend on the model and the number of indices only,
//! and so do the bits. After the largest batch nothing is allocated.

use super::evaluate::{each_shard, total_loss};
use super::pool::{fill, lock, with};
use super::workspace::{BatchWorkspace, ShardSum};
use super::{FULL_BATCH_DRAW, Risk};
use crate::data::{Dataset, Gathered, SparseRows};
use crate::op::{Samples, TileData};
use crate::partition::Partition;
use crate::problem::{Objective, SampledObjective};
use crate::sweep::Tile;
use crate::tape::Tape;

impl Risk<'_> {
    fn new_batch_workspace(&self) -> BatchWorkspace {
        let samples = Partition::longest_tile(self.graph, self.data.filled());
        let dense = if self.data.sparse().is_some() { 0 } else { self.data.features() };
        BatchWorkspace {
            tape: Tape::new(self.graph, samples),
            inputs: Vec::with_capacity(dense * samples),
            rows: SparseRows::default(),
            gathered: Gathered::with_room(self.data, samples),
            shifted: self.new_shifted(samples),
        }
    }

    /// What Σ wℓ over a batch is multiplied by: 1/B, and 1/B over the mean weight of *all* samples, not of the batch. The mean over all
    /// batches is then that over all samples, and no batch divides by 0.
    pub(super) fn batch_scale(&self, batch: usize) -> f64 {
        let mean_weight = match self.data.weights() {
            None => 1.0,
            Some(_) => self.total_weight / self.partition.whole().samples as f64,
        };
        1.0 / (batch as f64 * mean_weight)
    }

    /// At least `shards` sums, from the pool where it has some.
    fn take_batch_sums(&self, shards: usize) -> Vec<ShardSum> {
        let mut sums = lock(&self.pool.batch_sums).pop().unwrap_or_default();
        let n = self.dim();
        while sums.len() < shards {
            sums.push(ShardSum { gradient: vec![0.0; n], ..ShardSum::default() });
        }
        sums
    }

    /// Gathers the samples of one tile, which lie at `places` of `data`, and sweeps them.
    fn sweep_batch(
        &self,
        (draw, indices): (u64, &[usize]),
        (data, places): (&Dataset, &[usize]),
        theta: &[f64],
        scale: f64,
        workspace: &mut BatchWorkspace,
        sum: &mut ShardSum,
    ) {
        let BatchWorkspace { tape, inputs, rows, gathered, shifted } = workspace;
        let samples = data.gather_tile(places, gathered);
        let data = if let Some(sparse) = data.sparse() {
            rows.gather(sparse, places.iter().copied(), |_, value| Some(value));
            TileData::Sparse(rows.tile())
        } else {
            data.gather_inputs(places, inputs);
            TileData::Dense(inputs)
        };
        let training = Some((draw, Samples::Listed(indices)));
        let batch = indices.len();
        let tile = Tile { graph: self.graph, theta, data, batch, training };
        self.sweep(tile, samples, scale, tape, shifted, sum);
    }

    /// Value and gradient on the samples named by `indices`, which lie at `places` of `data`, another table of the same columns perhaps.
    pub(super) fn evaluate_batch(
        &self,
        (draw, indices): (u64, &[usize]),
        (data, places): (&Dataset, &[usize]),
        theta: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        self.assert_dim("theta", theta);
        self.assert_dim("gradient", gradient);
        let partition = Partition::new(self.graph, indices.len(), self.data.filled());
        let scale = self.batch_scale(indices.len());
        let moved = self.moved(theta);
        let mut all = self.take_batch_sums(partition.shards());
        let sums = &mut all[..partition.shards()];
        let (stock, make) = (&self.pool.batch_workspaces, || self.new_batch_workspace());
        fill(stock, make);
        each_shard(sums, |shard, sum| {
            sum.gradient.fill(0.0);
            with(stock, make, |workspace| {
                for range in partition.shard(shard) {
                    let (named, lie) = (&indices[range.clone()], &places[range]);
                    self.sweep_batch((draw, named), (data, lie), &moved, scale, workspace, sum);
                }
            });
        });
        self.sum_gradients(sums, gradient);
        self.move_back(gradient);
        let mean = total_loss(sums.iter().map(|sum| sum.loss)) * scale;
        lock(&self.pool.batch_sums).push(all);
        mean + self.penalty.add_gradient(self.graph.parameters(), theta, gradient)
    }

    fn assert_indices(&self, indices: &[usize]) {
        assert!(!indices.is_empty(), "a batch needs at least one sample");
        let samples = self.data.samples();
        if let Some(place) = indices.iter().position(|&index| index >= samples) {
            panic!("index {place} of the batch is {}, there are {samples} samples", indices[place]);
        }
    }
}

impl SampledObjective for Risk<'_> {
    fn parameters(&self) -> usize {
        self.dim()
    }

    fn samples(&self) -> usize {
        self.data.samples()
    }

    fn value_gradient_on(&self, indices: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.value_gradient_drawn(FULL_BATCH_DRAW, indices, theta, gradient)
    }

    fn value_gradient_drawn(
        &self,
        draw: u64,
        indices: &[usize],
        theta: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        self.assert_indices(indices);
        self.evaluate_batch((draw, indices), (self.data, indices), theta, gradient)
    }
}
