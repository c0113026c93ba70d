//! Which samples make up which blocks.

use crate::graph::Graph;
use crate::partition::Partition;
use crate::risk::partials::PartialsError;
use std::ops::Range;

/// How the samples of a model are cut into blocks, the least that one process can have: a function of the model and N, not of machines.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub(super) partition: Partition,
    pub(super) total_weight: f64,
}

impl Layout {
    /// For `samples` dense samples of `graph`, with the weights of all of them where there are weights.
    ///
    /// # Errors
    /// No samples, or another number of weights.
    pub fn new(
        graph: &Graph,
        samples: usize,
        weights: Option<&[f64]>,
    ) -> Result<Self, PartialsError> {
        let found = weights.map_or(samples, <[f64]>::len);
        if samples == 0 || samples != found {
            let (what, expected) = ("samples and their weights", samples.max(1));
            return Err(PartialsError::Length { what, expected, found });
        }
        let total_weight = weights.map_or(samples as f64, crate::elementwise::sum);
        Ok(Self { partition: Partition::new(graph, samples, None), total_weight })
    }

    /// The number of blocks, a power of two.
    pub fn blocks(&self) -> usize {
        self.partition.whole().blocks()
    }

    /// N.
    pub fn samples(&self) -> usize {
        self.partition.whole().samples
    }

    /// The samples of some blocks.
    ///
    /// # Panics
    /// Where there are no such blocks.
    pub fn samples_of(&self, blocks: &Range<usize>) -> Range<usize> {
        self.assert_blocks(blocks);
        self.partition.whole().samples_of(blocks)
    }

    /// The number of shards of some blocks.
    ///
    /// # Panics
    /// Where there are no such blocks.
    pub fn shards_of(&self, blocks: &Range<usize>) -> usize {
        self.assert_blocks(blocks);
        self.partition.whole().shards_of(blocks).len()
    }

    /// All blocks in `parts` runs that are as even as blocks allow; beyond the number of blocks some are empty.
    pub fn split(&self, parts: usize) -> Vec<Range<usize>> {
        let end = |part: usize| part * self.blocks() / parts;
        (0..parts).map(|part| end(part)..end(part + 1)).collect()
    }

    pub(super) fn assert_blocks(&self, blocks: &Range<usize>) {
        let all = self.blocks();
        assert!(blocks.start <= blocks.end && blocks.end <= all, "blocks {blocks:?} of {all}");
    }
}
