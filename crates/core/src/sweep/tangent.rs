//! ż of every node along a direction θ̇ = v, in topological order.

use super::Tile;
use crate::op::{Dot, Params, Tangents};

/// Writes the tangents of all nodes from node `first` on along `v` to `tangents`, given the values of a forward sweep. `v` moves no parameter of an
/// earlier node.
pub(crate) fn tangent(
    tile: Tile<'_>,
    values: &[f64],
    v: &[f64],
    first: usize,
    tangents: &mut [f64],
) {
    for (index, node) in tile.graph.nodes.iter().enumerate().skip(first) {
        let Some(range) = tile.active_range(index) else { continue };
        let z = &values[tile.value_range(index)];
        let (earlier, rest) = tangents.split_at_mut(range.start);
        let x = Tangents::new(&node.inputs, &tile.graph.layout, earlier, tile.batch).from(first);
        let dot = Dot { x, theta: Params::new(&node.ranges, v) };
        node.op.tangent(tile.at(node, values), z, dot, &mut rest[..range.len()]);
    }
}
