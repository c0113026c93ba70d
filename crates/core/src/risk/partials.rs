//! What a run of blocks adds to a sum over all of them: the seam at which work is shared among processes.
//!
//! A sum over the samples is a tree. Its leaves are the blocks, 2ᵏ runs of whole shards, numbered from the left; a node is the sum of its two
//! children, the left one first. Which blocks there are depends on the model and N alone ([`Layout`](super::Layout)). A run of blocks has
//! the sums of the largest nodes that lie in it, 2k at most, and neighbours are joined: where both children of a node are there it takes
//! their place. Joined over all blocks one node is left, with the bits of the sum in one process, whoever had which blocks and in whatever
//! order neighbours were joined.
//!
//! The losses are kept by shards, a sum with its correction each: they are few, and are added up with the corrections in the order of the
//! shards in any case.

use super::tree::{Node, nodes_of, push};
use std::ops::Range;

/// Why sums do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartialsError {
    /// Blocks that do not follow on one another.
    #[error("blocks {} to {} do not follow on blocks {} to {}", right.start, right.end, left.start, left.end)]
    Apart {
        /// The blocks before.
        left: Range<usize>,
        /// Those that should follow.
        right: Range<usize>,
    },
    /// Sums of different things.
    #[error(
        "sums of {left:?} numbers for each of the blocks and for all do not fit those of {right:?}"
    )]
    Kinds {
        /// Numbers of a node and blocks of all.
        left: (usize, usize),
        /// Those of the others.
        right: (usize, usize),
    },
    /// Another length than the blocks have.
    #[error("{what}: {found} numbers, {expected} expected")]
    Length {
        /// Of what.
        what: &'static str,
        /// Numbers that fit.
        expected: usize,
        /// Numbers given.
        found: usize,
    },
    /// Blocks are missing.
    #[error("the sums are over blocks {} to {} of {all}", blocks.start, blocks.end)]
    Incomplete {
        /// The blocks that are there.
        blocks: Range<usize>,
        /// How many there are.
        all: usize,
    },
}

/// The sums of a run of blocks. As numbers it is [`nodes`](Self::nodes) and [`losses`](Self::losses); all else follows from the blocks.
///
/// ```
/// use secant_core::risk::Partials;
/// // Sums of one number over blocks 0 to 3 and block 3 of 4.
/// let left = Partials::new(0..3, 4, 1, vec![3.0, 4.0], vec![])?;
/// let right = Partials::new(3..4, 4, 1, vec![8.0], vec![])?;
/// assert_eq!(left.node_places(), [(0..2), (2..3)]);
/// let whole = left.join(right)?;
/// assert_eq!((whole.blocks(), whole.nodes()), (0..4, &[3.0 + (4.0 + 8.0)][..]));
/// # Ok::<(), secant_core::risk::PartialsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Partials {
    blocks: Range<usize>,
    levels: u32,
    width: usize,
    nodes: Vec<f64>,
    losses: Vec<f64>,
}

impl Partials {
    /// Sums of `width` numbers over `blocks` of `all`, a power of two: of each of the largest nodes, one after the other, and the `losses`,
    /// two numbers for each shard.
    ///
    /// # Errors
    /// Another number of `nodes` than the blocks have; blocks beyond `all`; `all` no power of two.
    pub fn new(
        blocks: Range<usize>,
        all: usize,
        width: usize,
        nodes: Vec<f64>,
        losses: Vec<f64>,
    ) -> Result<Self, PartialsError> {
        if !all.is_power_of_two() || blocks.end > all || blocks.start > blocks.end {
            return Err(PartialsError::Incomplete { blocks, all });
        }
        let levels = all.ilog2();
        let (expected, found) = (nodes_of(levels, blocks.clone()).len() * width, nodes.len());
        if expected != found {
            return Err(PartialsError::Length { what: "the sums of the nodes", expected, found });
        }
        Ok(Self { blocks, levels, width, nodes, losses })
    }

    /// [`new`](Self::new), of what fits.
    pub(super) fn own(
        blocks: Range<usize>,
        all: usize,
        width: usize,
        nodes: Vec<f64>,
        losses: Vec<f64>,
    ) -> Self {
        debug_assert_eq!(nodes.len(), Self::nodes_len(&blocks, all, width));
        Self { blocks, levels: all.ilog2(), width, nodes, losses }
    }

    /// How many numbers [`nodes`](Self::nodes) has for `blocks` of `all`, sums of `width` numbers.
    pub fn nodes_len(blocks: &Range<usize>, all: usize, width: usize) -> usize {
        nodes_of(all.ilog2(), blocks.clone()).len() * width
    }

    /// The blocks.
    pub fn blocks(&self) -> Range<usize> {
        self.blocks.clone()
    }

    /// How many blocks there are in all.
    pub fn all_blocks(&self) -> usize {
        1 << self.levels
    }

    /// Numbers of each node.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The blocks of each node, from the left.
    pub fn node_places(&self) -> Vec<Range<usize>> {
        let place = |node: &Node| {
            let blocks = 1_usize << (self.levels - node.levels);
            node.index * blocks..(node.index + 1) * blocks
        };
        nodes_of(self.levels, self.blocks()).iter().map(place).collect()
    }

    /// The sums, node after node.
    pub fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    /// Two numbers for each shard of the blocks: the sum of its losses and that sum's correction.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// With the sums of the blocks that follow. Cost: an addition for every number of a node that comes to be.
    ///
    /// # Errors
    /// Blocks that do not follow, or sums of something else.
    pub fn join(mut self, next: Self) -> Result<Self, PartialsError> {
        let kind = |sums: &Self| (sums.width, sums.all_blocks());
        if kind(&self) != kind(&next) {
            return Err(PartialsError::Kinds { left: kind(&self), right: kind(&next) });
        }
        if self.blocks.end != next.blocks.start {
            return Err(PartialsError::Apart { left: self.blocks, right: next.blocks });
        }
        let width = self.width;
        let mut places = nodes_of(self.levels, self.blocks());
        let coming = nodes_of(self.levels, next.blocks());
        for (index, node) in coming.into_iter().enumerate() {
            self.nodes.extend_from_slice(&next.nodes[index * width..(index + 1) * width]);
            push(&mut places, node, |left| {
                let (before, right) = self.nodes.split_at_mut((left + 1) * width);
                let sums = before[left * width..].iter_mut().zip(&*right);
                sums.for_each(|(left, right)| *left += right);
                self.nodes.truncate((left + 1) * width);
            });
        }
        self.losses.extend_from_slice(&next.losses);
        self.blocks.end = next.blocks.end;
        Ok(self)
    }

    /// All of `parts`, in the order of their blocks, joined: the sums over all blocks.
    ///
    /// # Errors
    /// As [`join`](Self::join); blocks that are missing.
    pub fn fold(parts: impl IntoIterator<Item = Self>) -> Result<Self, PartialsError> {
        let mut parts = parts.into_iter();
        let first = parts.next().ok_or(PartialsError::Incomplete { blocks: 0..0, all: 0 })?;
        let whole = parts.try_fold(first, Self::join)?;
        whole.check_whole()?;
        Ok(whole)
    }

    pub(super) fn check_whole(&self) -> Result<(), PartialsError> {
        let all = self.all_blocks();
        let whole = self.blocks == (0..all);
        whole.then_some(()).ok_or(PartialsError::Incomplete { blocks: self.blocks(), all })
    }
}
