//! How samples are cut into tiles and shards. Depends on the model and N only, never on the machine or its threads.

use crate::graph::Graph;
use std::ops::Range;

/// Bytes of values and adjoints that one tile should stay below, so that a sweep stays in one core's L2 cache.
const TILE_BYTES: usize = 384 << 10;
/// Tiles are never shorter than this (but for the last): GEMMs of fewer columns lose speed.
const MIN_TILE: usize = 32;
/// Nor longer.
const MAX_TILE: usize = 512;
/// Parameters × samples below which a shard is not worth a task.
const SHARD_WORK: usize = 1 << 16;
/// At most this many shards: enough to balance 16 threads.
const MAX_SHARDS: usize = 64;
/// Tiles are not shortened to make more shards than this.
const ENOUGH_SHARDS: usize = 16;
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
    pub(crate) fn new(graph: &Graph, samples: usize) -> Self {
        let n = graph.parameters().dim();
        let by_work = samples.saturating_mul(n) / SHARD_WORK;
        let by_memory = (SHARD_ENTRIES / n).max(2);
        let shards = by_work.clamp(1, MAX_SHARDS).min(by_memory);
        let tile = tile_by_cache(graph).min(samples.div_ceil(shards.min(ENOUGH_SHARDS)));
        let tile = whole_tile(tile);
        Self { samples, tile, shards: shards.min(samples.div_ceil(tile)) }
    }

    /// The longest tile of any number of samples of `graph`.
    pub(crate) fn longest_tile(graph: &Graph) -> usize {
        whole_tile(tile_by_cache(graph))
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

/// Samples whose values and adjoints fit into [`TILE_BYTES`].
fn tile_by_cache(graph: &Graph) -> usize {
    let rows = graph.features() + graph.layout.value_rows + graph.layout.active_rows;
    TILE_BYTES / (8 * rows)
}

/// Neither too short nor too long, in whole vectors of eight.
fn whole_tile(samples: usize) -> usize {
    samples.clamp(MIN_TILE, MAX_TILE).next_multiple_of(8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Dense;

    #[test]
    fn shards_cover_every_sample_once_in_order() {
        for (d, c, samples) in [(1, 1, 1), (3, 2, 33), (784, 10, 5_000), (10, 1, 100_003)] {
            let mut g = Graph::builder(d);
            let y = g.node("y", Dense::new(c), &[g.input()]).unwrap();
            let graph = g.build(y).unwrap();
            let partition = Partition::new(&graph, samples);
            assert!(partition.tile_samples() <= Partition::longest_tile(&graph));
            let covered: Vec<usize> =
                (0..partition.shards()).flat_map(|s| partition.shard(s)).flatten().collect();
            assert!(covered.iter().copied().eq(0..samples));
        }
    }
}
