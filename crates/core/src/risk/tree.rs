//! Matrices that are summed block by block and joined along the tree as they come, with one matrix waiting on each level at most.

use crate::partition::Partition;
use faer::{Mat, MatMut};
use std::ops::Range;

/// A node of the tree: so many levels below the root, counted from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) levels: u32,
    pub(super) index: usize,
}

impl Node {
    /// The node that this one and the next one, `right`, make together, if they do.
    pub(super) fn joined(self, right: Self) -> Option<Self> {
        let siblings = self.levels == right.levels
            && self.index.is_multiple_of(2)
            && right.index == self.index + 1;
        siblings.then(|| Self { levels: self.levels - 1, index: self.index / 2 })
    }
}

/// The largest nodes of the tree that make up the blocks of `partition`.
pub(super) fn nodes(partition: &Partition) -> Vec<Node> {
    nodes_of(partition.whole().levels, partition.blocks())
}

/// The largest nodes that make up `blocks`, which lie `levels` below the root, in order: at most two on a level.
pub(super) fn nodes_of(levels: u32, blocks: Range<usize>) -> Vec<Node> {
    let mut nodes = Vec::new();
    for index in blocks {
        push(&mut nodes, Node { levels, index }, |_| ());
    }
    nodes
}

/// Appends a node and joins what there is to join; `join(place)` is told of every node `place` that takes up the one after it.
pub(super) fn push(nodes: &mut Vec<Node>, node: Node, mut join: impl FnMut(usize)) {
    nodes.push(node);
    while let [.., left, right] = nodes[..]
        && let Some(joined) = left.joined(right)
    {
        nodes.truncate(nodes.len() - 2);
        join(nodes.len());
        nodes.push(joined);
    }
}

/// What is added into an entry of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entries {
    All,
    /// The lower triangle; what stands above it means nothing.
    Lower,
}

/// Sums of the blocks of a partition, which are asked for in order.
pub(super) struct TreeSum<'o> {
    levels: u32,
    entries: Entries,
    /// Of the blocks that are done.
    done: Vec<Node>,
    /// The block that is being summed.
    open: Option<usize>,
    /// The first matrix; there is one for each node, and for the open block.
    first: MatMut<'o, f64>,
    others: Vec<Mat<f64>>,
    spare: Vec<Mat<f64>>,
}

impl<'o> TreeSum<'o> {
    /// Nothing yet; `first` is where the first node's sum will be.
    pub(super) fn new(partition: &Partition, entries: Entries, mut first: MatMut<'o, f64>) -> Self {
        first.fill(0.0);
        let levels = partition.whole().levels;
        let (done, others, spare) = (Vec::new(), Vec::new(), Vec::new());
        Self { levels, entries, done, open: None, first, others, spare }
    }

    /// The sum of block `block`, to be added to: the one that was asked for before, or the next one.
    pub(super) fn block(&mut self, block: usize) -> MatMut<'_, f64> {
        if self.open != Some(block) {
            self.close();
            self.open = Some(block);
            if !self.done.is_empty() {
                let (rows, columns) = (self.first.nrows(), self.first.ncols());
                let mut fresh = self.spare.pop().unwrap_or_else(|| Mat::zeros(rows, columns));
                fresh.as_mut().fill(0.0);
                self.others.push(fresh);
            }
        }
        match self.others.last_mut() {
            Some(last) => last.as_mut(),
            None => self.first.as_mut(),
        }
    }

    fn close(&mut self) {
        let Some(index) = self.open.take() else { return };
        let Self { levels, entries, done, first, others, spare, .. } = self;
        push(done, Node { levels: *levels, index }, |left| {
            let Some(right) = others.pop() else { return };
            match left.checked_sub(1) {
                None => add(*entries, first.as_mut(), &right),
                Some(left) => add(*entries, others[left].as_mut(), &right),
            }
            spare.push(right);
        });
    }

    /// The sums of all nodes but the first, whose sum lies where [`new`](Self::new) was told.
    pub(super) fn finish(mut self) -> Vec<Mat<f64>> {
        self.close();
        self.others
    }
}

/// `out` += `right`.
fn add(entries: Entries, mut out: MatMut<'_, f64>, right: &Mat<f64>) {
    for j in 0..right.ncols() {
        let first = if entries == Entries::Lower { j } else { 0 };
        let right = &right.col_as_slice(j)[first..];
        let mut out = out.as_mut().subcols_mut(j, 1);
        match out.as_mut().col_mut(0).try_as_col_major_mut() {
            Some(column) => {
                let column = &mut column.as_slice_mut()[first..];
                column.iter_mut().zip(right).for_each(|(out, right)| *out += right);
            }
            None => right.iter().enumerate().for_each(|(i, right)| out[(first + i, 0)] += right),
        }
    }
}
