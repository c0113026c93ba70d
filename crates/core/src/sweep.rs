//! The four sweeps over a graph for one tile of samples: forward, backward, tangent, adjoint tangent.
//!
//! | derivative | sweeps | GEMMs of a dense layer (first layer) |
//! |---|---|---|
//! | f | forward | 1 (1) |
//! | ∇f | forward, backward | 3 (2) |
//! | J·v | tangent | 2 (1) |
//! | G·v | tangent, backward from H_ℓ·ż | 4 (2) |
//! | H·v | tangent, adjoint tangent | 6 (2) |
//!
//! The last three at a linearised point, where the values z and adjoints z̄ are kept.

mod adjoint_tangent;
mod backward;
mod domain;
mod forward;
mod rows;
mod tangent;

pub(crate) use adjoint_tangent::{TapeRef, adjoint_tangent};
pub(crate) use backward::{backward, backward_each};
pub(crate) use domain::{check_domains, has_domains};
pub(crate) use forward::forward;
pub(crate) use rows::value_rows;
pub(crate) use tangent::tangent;

use crate::graph::{Graph, Node};
use crate::op::{At, Inputs, Params, Region, Samples, TileData, Training};
use std::ops::Range;

/// One tile of samples at one θ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) theta: &'a [f64],
    /// x: d × B, or entries.
    pub(crate) data: TileData<'a>,
    /// B.
    pub(crate) batch: usize,
    /// The draw and the samples' indices in training; `None` in prediction.
    pub(crate) training: Option<(u64, Samples<'a>)>,
}

impl<'a> Tile<'a> {
    fn at(&self, node: &'a Node, values: &'a [f64]) -> At<'a> {
        let graph = self.graph;
        let x =
            Inputs::new(&node.inputs, &graph.shapes, &graph.layout, self.data, values, self.batch);
        let training =
            self.training.map(|(draw, samples)| Training { draw, node: node.key, samples });
        At { batch: self.batch, x, theta: Params::new(&node.ranges, self.theta), training }
    }

    /// Entries of node `index` (0 the first after the data) in the value arena.
    fn value_range(&self, index: usize) -> Range<usize> {
        let place = &self.graph.layout.places[index + 1];
        match place.value {
            Region::Arena(start) => self.range(start, place.rows),
            Region::Data => 0..0,
        }
    }

    /// Entries of node `index` in the arenas of tangents and adjoints; `None` when it does not depend on θ.
    fn active_range(&self, index: usize) -> Option<Range<usize>> {
        let place = &self.graph.layout.places[index + 1];
        place.active.map(|start| self.range(start, place.rows))
    }

    fn range(&self, start: usize, rows: usize) -> Range<usize> {
        start * self.batch..(start + rows) * self.batch
    }

    /// The output's entries in the value arena.
    pub(crate) fn output_value(&self) -> Range<usize> {
        self.value_range(self.graph.nodes.len() - 1)
    }

    /// The output's entries in the arenas of tangents and adjoints.
    pub(crate) fn output_active(&self) -> Range<usize> {
        self.active_range(self.graph.nodes.len() - 1).unwrap_or(0..0)
    }

    /// Zeroes the adjoints that `node` and others add to without a first writer.
    fn zero_first(&self, node: &Node, adjoints: &mut [f64]) {
        for &input in &node.zero_first {
            let place = &self.graph.layout.places[input];
            if let Some(start) = place.active {
                adjoints[self.range(start, place.rows)].fill(0.0);
            }
        }
    }
}
