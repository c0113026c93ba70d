//! How samples are cut into tiles and shards. Depends on the model and N (with sparse data on the number of entries too) only, never on
//! the machine or its threads.
//!
//! Each shard has a gradient of n numbers that is set to zero and added up, which must stay small beside the samples that it is for: there are
//! fewer shards of few samples where n is large, and with sparse data, which make longer tiles too, since no zeros lie in them.
//!
//! Shards are joined by halves, [`halves`]. The nodes of that tree after a few levels are the blocks: whole shards, of samples enough that a
//! matrix n × n for each of them costs little beside the products that fill it. Matrices are added up block by block and then along the same
//! tree; whoever shares the work among processes gives each of them whole blocks, a [`Partition::part`].

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
/// A gradient of so many numbers (256 KiB) leaves the L2 cache between two shards,
const LARGE_SUM: usize = 1 << 15;
/// and is worth zeroing and adding up for so many samples, with more shards than a few.
const SAMPLES_OF_LARGE_SUM: usize = 1 << 7;
/// Entries of a tile's Jacobian with sparse data: 64 MiB. Tiles are shortened for that.
const JACOBIAN_ENTRIES: usize = 1 << 23;
/// Entries that all shard gradients together may have: 256 MiB.
const SHARD_ENTRIES: usize = 1 << 25;

/// Samples of a block, at least: two passes over a matrix n × n are then about a fiftieth of N·n² multiply–adds out of cache.
const BLOCK_SAMPLES: usize = 1 << 11;
/// Levels of the tree above the blocks, at most: as many blocks as shards.
const MAX_LEVELS: u32 = MAX_SHARDS.ilog2();
/// Entries of the matrices that wait in the tree, one for each level: 1 GiB.
const WAITING_ENTRIES: usize = 1 << 27;
/// But so many levels always,
const LEAST_LEVELS: usize = 2;
/// and all where a matrix has more entries than this (2 GiB): no method takes one unless it is told to.
const FORMED_ENTRIES: usize = 1 << 28;

/// Tiles of equal length, shards of consecutive tiles, blocks of consecutive shards; or the part of these in some of the blocks.
///
/// Samples, tiles, shards and blocks are counted from the first of the part; but for `first_…` all counts are those of the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    whole: Whole,
    /// Shards of the part: from, to.
    own: (usize, usize),
    /// Blocks of the part: from, to.
    blocks: (usize, usize),
}

/// How all the samples are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) samples: usize,
    tile: usize,
    pub(crate) shards: usize,
    /// Levels of the tree above the blocks.
    pub(crate) levels: u32,
}

/// `range` as both its children in the tree of sums: the first has the odd one.
pub(crate) fn halves(range: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let middle = range.start + range.len().div_ceil(2);
    (range.start..middle, middle..range.end)
}

impl Whole {
    pub(crate) fn blocks(&self) -> usize {
        1 << self.levels
    }

    /// The shards of node `index` of the tree, counted from the left, `levels` below the root.
    pub(crate) fn node(&self, levels: u32, index: usize) -> Range<usize> {
        (0..levels).rev().fold(0..self.shards, |range, level| {
            let (left, right) = halves(&range);
            if index >> level & 1 == 0 { left } else { right }
        })
    }

    /// The shards of some of the blocks.
    pub(crate) fn shards_of(&self, blocks: &Range<usize>) -> Range<usize> {
        let first = |block: usize| {
            if block < self.blocks() { self.node(self.levels, block).start } else { self.shards }
        };
        first(blocks.start)..first(blocks.end)
    }

    /// The samples of some of the blocks.
    pub(crate) fn samples_of(&self, blocks: &Range<usize>) -> Range<usize> {
        let shards = self.shards_of(blocks);
        self.first_sample(shards.start)..self.first_sample(shards.end)
    }

    fn tiles(&self) -> usize {
        self.samples.div_ceil(self.tile)
    }

    /// The first tile of a shard, or the end.
    fn first_tile(&self, shard: usize) -> usize {
        shard * self.tiles() / self.shards
    }

    fn first_sample(&self, shard: usize) -> usize {
        (self.first_tile(shard) * self.tile).min(self.samples)
    }
}

impl Partition {
    /// For `samples` samples, of sparse data with so many entries each on the average.
    pub(crate) fn new(graph: &Graph, samples: usize, filled: Option<f64>) -> Self {
        let n = graph.parameters().dim();
        let by_work = match filled {
            None => {
                let by_sums = if n < LARGE_SUM {
                    MAX_SHARDS
                } else {
                    (samples / SAMPLES_OF_LARGE_SUM).max(FEW_SHARDS)
                };
                (samples.saturating_mul(n) / SHARD_WORK).min(by_sums)
            }
            Some(filled) => {
                let work = sparse_work(graph, samples, filled);
                let by_sums = (work / (SHARD_SHARE * n))
                    .max((work / (LEAST_SHARD_SHARE * n)).min(FEW_SHARDS));
                (work / SHARD_WORK).min(by_sums)
            }
        };
        let by_memory = (SHARD_ENTRIES / n).max(2);
        // A power of two: of seven shards one of two threads has four.
        let shards = by_work.clamp(1, MAX_SHARDS).next_power_of_two().min(by_memory);
        let longest = Self::longest_tile(graph, filled);
        let tile = longest.min(samples.div_ceil(shards.min(ENOUGH_SHARDS)));
        let tile = whole_tile(tile, shortest_tile(graph), longest_of(filled));
        let shards = shards.min(samples.div_ceil(tile));
        // The entries by features of sparse data know no blocks.
        let levels = if filled.is_some() { 0 } else { levels(n, samples, shards) };
        let whole = Whole { samples, tile, shards, levels };
        Self { whole, own: (0, shards), blocks: (0, whole.blocks()) }
    }

    /// Of the same samples those in some of the blocks.
    pub(crate) fn part(self, blocks: &Range<usize>) -> Self {
        let own = self.whole.shards_of(blocks);
        Self { own: (own.start, own.end), blocks: (blocks.start, blocks.end), ..self }
    }

    /// How all the samples are cut, those beyond the part too.
    pub(crate) fn whole(&self) -> Whole {
        self.whole
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
        self.whole.tile.min(self.whole.samples)
    }

    pub(crate) fn shards(&self) -> usize {
        self.own.1 - self.own.0
    }

    pub(crate) fn tiles(&self) -> usize {
        self.whole.first_tile(self.own.1) - self.first_tile()
    }

    pub(crate) fn samples(&self) -> usize {
        self.whole.first_sample(self.own.1) - self.first_sample()
    }

    /// The blocks, by their numbers among all.
    pub(crate) fn blocks(&self) -> Range<usize> {
        self.blocks.0..self.blocks.1
    }

    /// Where the part begins among all samples.
    pub(crate) fn first_sample(&self) -> usize {
        self.whole.first_sample(self.own.0)
    }

    /// Where the part begins among all tiles.
    pub(crate) fn first_tile(&self) -> usize {
        self.whole.first_tile(self.own.0)
    }

    /// The tiles of shard `shard`, each a range of samples.
    pub(crate) fn shard(self, shard: usize) -> impl Iterator<Item = Range<usize>> {
        self.tiles_of(&(shard..shard + 1)).map(move |tile| self.range(tile))
    }

    /// The tiles of some shards.
    pub(crate) fn tiles_of(&self, shards: &Range<usize>) -> Range<usize> {
        let first = |shard: usize| self.whole.first_tile(self.own.0 + shard) - self.first_tile();
        first(shards.start)..first(shards.end)
    }

    /// The shards of a node of the tree, all of them in the part.
    pub(crate) fn node(&self, levels: u32, index: usize) -> Range<usize> {
        let shards = self.whole.node(levels, index);
        shards.start - self.own.0..shards.end - self.own.0
    }

    /// The shards of block `block`, numbered among all blocks.
    pub(crate) fn block(&self, block: usize) -> Range<usize> {
        self.node(self.whole.levels, block)
    }

    /// The samples of block `block`, numbered among all blocks.
    pub(crate) fn block_samples(&self, block: usize) -> Range<usize> {
        let samples = self.whole.samples_of(&(block..block + 1));
        samples.start - self.first_sample()..samples.end - self.first_sample()
    }

    /// The samples of tile `tile`.
    pub(crate) fn range(&self, tile: usize) -> Range<usize> {
        let (whole, first) = (self.whole, self.first_tile() + tile);
        let from = self.first_sample();
        first * whole.tile - from..((first + 1) * whole.tile).min(whole.samples) - from
    }
}

/// Levels of the tree above the blocks, for n parameters.
fn levels(n: usize, samples: usize, shards: usize) -> u32 {
    let most = shards.min((samples / BLOCK_SAMPLES).max(1)).ilog2().min(MAX_LEVELS);
    let matrix = n.saturating_mul(n);
    if matrix > FORMED_ENTRIES {
        return most;
    }
    let waiting = (WAITING_ENTRIES / matrix).max(LEAST_LEVELS);
    most.min(u32::try_from(waiting).unwrap_or(MAX_LEVELS))
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
    fn shards_of_large_networks_have_samples_enough_for_their_sums() {
        let shards = |width: usize, samples: usize| {
            let mut g = Graph::builder(width);
            let y = g.node("y", Dense::new(width), &[g.input()]).unwrap();
            let graph = g.build(y).unwrap();
            let partition = Partition::new(&graph, samples, None);
            (graph.parameters().dim(), partition.shards())
        };
        // 65,792 parameters: a sum is 514 KiB.
        let large = [200, 1_000, 4_000, 20_000].map(|samples| shards(256, samples).1);
        assert_eq!(large, [7, 8, 32, 64]);
        // 16,512: sums stay in the cache.
        assert_eq!(shards(128, 1_000).1, 16);
        assert!(shards(128, 1).0 < LARGE_SUM && shards(256, 1).0 >= LARGE_SUM);
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
