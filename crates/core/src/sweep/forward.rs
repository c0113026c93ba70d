//! z_i = f_i(inputs of i, θ), in topological order.

use super::Tile;

/// Writes the values of all nodes to `values`.
pub(crate) fn forward(tile: Tile<'_>, values: &mut [f64]) {
    for (index, node) in tile.graph.nodes.iter().enumerate() {
        let range = tile.value_range(index);
        let (earlier, rest) = values.split_at_mut(range.start);
        node.op.value(tile.at(node, earlier), &mut rest[..range.len()]);
    }
}
