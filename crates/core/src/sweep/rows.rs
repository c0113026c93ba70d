//! Values and Jacobian of a graph of one node in one step.

use super::Tile;

/// Writes the output z (c × B) and ∂z/∂θ transposed (n × cB); `false`, and nothing written, where the graph is more than one node or the
/// node cannot do it.
pub(crate) fn value_rows(tile: Tile<'_>, z: &mut [f64], rows: &mut [f64]) -> bool {
    match &tile.graph.nodes[..] {
        [node] => node.op.value_rows(tile.at(node, &[]), z, rows),
        _ => false,
    }
}
