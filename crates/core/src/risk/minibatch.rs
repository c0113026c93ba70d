//! Value and gradient of the mean over some of the samples.
//!
//! The samples are gathered tile by tile into buffers of the pool, so that the sweeps run on whole tiles as they do on all of
//! them. Tiles and shards are those of a data set of as many samples: they depend on the model and the number of indices only,
//! and so do the bits. After the largest batch nothing is allocated.

use super::evaluate::{each_shard, total_loss};
use super::pool::{ShardSum, fill, lock, with};
use super::{FULL_BATCH_DRAW, Risk};
use crate::op::Samples;
use crate::partition::Partition;
use crate::problem::{Objective, SampledObjective};
use crate::sweep::Tile;
use crate::tape::Tape;

/// What one task needs to gather and sweep a tile.
#[derive(Debug)]
pub(super) struct BatchWorkspace {
    tape: Tape,
    /// x: d × B.
    inputs: Vec<f64>,
    /// Targets that are numbers: c × B.
    numbers: Vec<f64>,
    /// Targets that are classes: B.
    labels: Vec<u32>,
}

impl Risk<'_> {
    fn new_batch_workspace(&self) -> BatchWorkspace {
        let samples = Partition::longest_tile(self.graph);
        let (d, targets) = (self.data.features(), self.targets());
        let room = |columns: Option<usize>| columns.unwrap_or(0) * samples;
        BatchWorkspace {
            tape: Tape::new(self.graph, samples),
            inputs: Vec::with_capacity(room(Some(d))),
            numbers: Vec::with_capacity(room(targets.values().map(|_| targets.outputs()))),
            labels: Vec::with_capacity(room(targets.labels().map(|_| 1))),
        }
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

    /// Gathers the samples of one tile and sweeps them.
    fn sweep_batch(
        &self,
        (draw, indices): (u64, &[usize]),
        theta: &[f64],
        scale: f64,
        workspace: &mut BatchWorkspace,
        sum: &mut ShardSum,
    ) {
        let BatchWorkspace { tape, inputs, numbers, labels } = workspace;
        self.data.gather_inputs(indices, inputs);
        let y = self.targets().gather_tile(indices, numbers, labels);
        let training = Some((draw, Samples::Listed(indices)));
        let batch = indices.len();
        let tile = Tile { graph: self.graph, theta, data: inputs, batch, training };
        self.sweep(tile, y, scale, tape, sum);
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
        self.assert_dim("theta", theta);
        self.assert_dim("gradient", gradient);
        self.assert_indices(indices);
        let partition = Partition::new(self.graph, indices.len());
        let scale = 1.0 / indices.len() as f64;
        let mut all = self.take_batch_sums(partition.shards());
        let sums = &mut all[..partition.shards()];
        let (stock, make) = (&self.pool.batch_workspaces, || self.new_batch_workspace());
        fill(stock, make);
        each_shard(sums, |shard, sum| {
            sum.gradient.fill(0.0);
            with(stock, make, |workspace| {
                for range in partition.shard(shard) {
                    self.sweep_batch((draw, &indices[range]), theta, scale, workspace, sum);
                }
            });
        });
        self.sum_gradients(sums, gradient);
        let mean = total_loss(sums) * scale;
        lock(&self.pool.batch_sums).push(all);
        mean + self.penalty.add_gradient(self.graph.parameters(), theta, gradient)
    }
}
