//! How samples are cut into tiles and shards. Depends on the model and N (with sparse data on the number of entries too) only, never on
//! the machine or its threads.
//!
//! Sparse data make longer tiles, since no zeros lie in them, and fewer shards: each has a gradient of n numbers that is set to zero and
//! added up, which must stay small beside the entries that it is for.

use crate::graph::{Graph, WIDE};
use std::ops::Range;

/// Bytes of values and adjoints that one tile should stay below, so that a sweep stays in one core's L2 cache.
const TILE_BYTES: usize = 384 << 10;
/// Tiles are not shorter than this (but for the last): GEMMs of fewer columns lose speed.
const MIN_TILE: usize = WIDE;
/// Unless GEMMs that take a column for a sample do at most this part of the flops, as in convolutional networks: there a tile of large
/// images is shortened, down to one,
const NARROW_SHARE: f64 = 0.25;
/// to stay below this many bytes, about twice a core's L2 cache: what leaves it is met again soon.
const WIDE_TILE_BYTES: usize = 2 << 20;
/// Nor longer.
const MAX_TILE: usize = 512;
/// Parameters × samples below which a shard is not worth a task.
const SHARD_WORK: usize = 1 << 16;
/// At most this many shards: enough to balance 16 threads.
const MAX_SHARDS: usize = 64;
/// Tiles are not shortened to make more shards than this.
const ENOUGH_SHARDS: usize = 16;
/// Nor longer with sparse data, whose tiles of few entries would be ends and no middle.
const MAX_SPARSE_TILE: usize = 2048;
/// Bytes of an entry of sparse data.
const ENTRY_BYTES: usize = 12;
/// Multiply–adds with sparse data for each entry of a shard's gradient, at least: zeroing and adding up then take about a tenth of their time;
const SHARD_SHARE: usize = 16;
/// for a few shards fewer, as work that is shared takes less time even so.
const LEAST_SHARD_SHARE: usize = 2;
const FEW_SHARDS: usize = 8;
/// Entries of a tile's Jacobian with sparse data: 64 MiB. Tiles are shortened for that.
const JACOBIAN_ENTRIES: usize = 1 << 23;
/// Entries that all shard gradients together may have: 256 MiB.
const SHARD_ENTRIES: usize = 1 << 25;

/// Tiles of equal length, and shards of consecutive tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    samples: usize,
    tile: usize,
    shards: usize,
}

impl Partition {
    /// For `samples` samples, of sparse data with so many entries each on the average.
    pub(crate) fn new(graph: &Graph, samples: usize, filled: Option<f64>) -> Self {
        let n = graph.parameters().dim();
        let by_work = match filled {
            None => samples.saturating_mul(n) / SHARD_WORK,
            Some(filled) => {
                let work = sparse_work(graph, samples, filled);
                let by_sums = (work / (SHARD_SHARE * n))
                    .max((work / (LEAST_SHARD_SHARE * n)).min(FEW_SHARDS));
                (work / SHARD_WORK).min(by_sums)
            }
        };
        let by_memory = (SHARD_ENTRIES / n).max(2);
        let shards = by_work.clamp(1, MAX_SHARDS).min(by_memory);
        let longest = Self::longest_tile(graph, filled);
        let tile = longest.min(samples.div_ceil(shards.min(ENOUGH_SHARDS)));
        let tile = whole_tile(tile, shortest_tile(graph), longest_of(filled));
        Self { samples, tile, shards: shards.min(samples.div_ceil(tile)) }
    }

    /// The longest tile of any number of samples of `graph`, of sparse data with so many entries each on the average.
    pub(crate) fn longest_tile(graph: &Graph, filled: Option<f64>) -> usize {
        let tile = TILE_BYTES / sample_bytes(graph, filled);
        let tile = match filled {
            None => tile,
            Some(_) => tile.min(JACOBIAN_ENTRIES / (graph.parameters().dim() * graph.outputs())),
        };
        whole_tile(tile, shortest_tile(graph), longest_of(filled))
    }

    pub(crate) fn tile_samples(&self) -> usize {
        self.tile.min(self.samples)
    }

    pub(crate) fn shards(&self) -> usize {
        self.shards
    }

    pub(crate) fn tiles(&self) -> usize {
        self.samples.div_ceil(self.tile)
    }

    /// The tiles of shard `shard`, each a range of samples.
    pub(crate) fn shard(self, shard: usize) -> impl Iterator<Item = Range<usize>> {
        let tiles = self.tiles();
        let first = shard * tiles / self.shards;
        let last = (shard + 1) * tiles / self.shards;
        (first..last).map(move |tile| self.range(tile))
    }

    /// The samples of tile `tile`.
    pub(crate) fn range(&self, tile: usize) -> Range<usize> {
        tile * self.tile..((tile + 1) * self.tile).min(self.samples)
    }
}

/// Bytes of one sample's inputs, values and adjoints; of sparse data its entries.
fn sample_bytes(graph: &Graph, filled: Option<f64>) -> usize {
    let inputs = match filled {
        None => 8 * graph.features(),
        Some(filled) => ENTRY_BYTES * whole(filled),
    };
    inputs + 8 * (graph.layout.value_rows + graph.layout.active_rows)
}

/// Multiply–adds of a forward sweep over sparse data.
fn sparse_work(graph: &Graph, samples: usize, filled: f64) -> usize {
    let weights = graph.data_weights();
    let others = graph.parameters().dim() - weights.min(graph.parameters().dim());
    let columns = weights.div_ceil(graph.features());
    samples.saturating_mul(others + whole(filled * columns as f64))
}

/// Rounded up.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean count")]
fn whole(filled: f64) -> usize {
    filled.ceil() as usize
}

fn longest_of(filled: Option<f64>) -> usize {
    if filled.is_some() { MAX_SPARSE_TILE } else { MAX_TILE }
}

/// [`MIN_TILE`], or fewer samples where the products have columns enough without others.
fn shortest_tile(graph: &Graph) -> usize {
    if graph.narrow > NARROW_SHARE {
        return MIN_TILE;
    }
    (WIDE_TILE_BYTES / sample_bytes(graph, None)).clamp(1, MIN_TILE)
}

/// Neither too short nor too long, in whole vectors of eight from eight on.
fn whole_tile(samples: usize, shortest: usize, longest: usize) -> usize {
    let samples = samples.clamp(shortest, longest);
    if samples < 8 { samples } else { samples.next_multiple_of(8) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Activation, Conv2d, Dense};

    #[test]
    fn shards_cover_every_sample_once_in_order() {
        for (d, c, samples) in [(1, 1, 1), (3, 2, 33), (784, 10, 5_000), (10, 1, 100_003)] {
            let mut g = Graph::builder(d);
            let y = g.node("y", Dense::new(c), &[g.input()]).unwrap();
            let graph = g.build(y).unwrap();
            let partition = Partition::new(&graph, samples, None);
            assert!(partition.tile_samples() <= Partition::longest_tile(&graph, None));
            let covered: Vec<usize> =
                (0..partition.shards()).flat_map(|s| partition.shard(s)).flatten().collect();
            assert!(covered.iter().copied().eq(0..samples));
        }
    }

    #[test]
    fn tiles_of_large_images_are_short_and_hold_a_sample_at_least() {
        let tile = |side: usize, channels: usize| {
            let mut g = Graph::builder([side, side, 3]);
            let conv = Conv2d::new(channels, [3, 3]).with_padding([1, 1]);
            let h = g.node("conv", conv, &[g.input()]).unwrap();
            let h = g.node("tanh", Activation::Tanh, &[h]).unwrap();
            let y = g.node("y", Conv2d::new(1, [side, side]), &[h]).unwrap();
            let graph = g.build(y).unwrap();
            (Partition::longest_tile(&graph, None), sample_bytes(&graph, None))
        };
        let tiles = [(4, 1), (16, 16), (32, 16), (64, 16)].map(|(side, channels)| {
            let (samples, bytes) = tile(side, channels);
            // Tiles of eight and more are rounded up to a multiple of it.
            assert!((samples - samples.min(7)) * bytes <= WIDE_TILE_BYTES, "{side}: {samples}");
            samples
        });
        assert!(tiles.is_sorted_by(|a, b| a >= b) && tiles[3] < MIN_TILE, "{tiles:?}");
        assert_eq!(tile(128, 16).0, 1);
        // A dense head of a tenth of the flops does not change that; a dense network has its 32.
        let mut g = Graph::builder([128, 128, 1]);
        let h = g.node("conv", Conv2d::new(16, [5, 5]), &[g.input()]).unwrap();
        let y = g.node("y", Dense::new(2), &[h]).unwrap();
        assert!(Partition::longest_tile(&g.build(y).unwrap(), None) < MIN_TILE);
        let mut g = Graph::builder(100_000);
        let y = g.node("y", Dense::new(2_000), &[g.input()]).unwrap();
        assert_eq!(Partition::longest_tile(&g.build(y).unwrap(), None), MIN_TILE);
    }
}
