//! z̄ of every node and θ̄, in reverse order, from the output's adjoint.

use super::Tile;
use crate::op::{Adjoints, Bar, EachParam, ParamAdjoints};

/// From the output's adjoint in `adjoints` and the values of a forward sweep, writes the other adjoints and adds θ̄ to
/// `gradient`.
pub(crate) fn backward(tile: Tile<'_>, values: &[f64], adjoints: &mut [f64], gradient: &mut [f64]) {
    for (index, node) in tile.graph.nodes.iter().enumerate().rev() {
        let Some(range) = tile.active_range(index) else { continue };
        let z = &values[tile.value_range(index)];
        tile.zero_first(node, adjoints);
        let (earlier, rest) = adjoints.split_at_mut(range.start);
        let x = Adjoints::new(&node.inputs, &tile.graph.layout, earlier, tile.batch, &node.fresh);
        let mut bar = Bar { x, theta: ParamAdjoints::new(&node.ranges, gradient) };
        node.op.adjoint(tile.at(node, values), z, &rest[..range.len()], &mut bar);
        bar.x.zero_untouched();
    }
}

/// The same with θ̄ kept apart for every sample: added to column b of `each` (n × B).
pub(crate) fn backward_each(
    tile: Tile<'_>,
    values: &[f64],
    adjoints: &mut [f64],
    each: &mut [f64],
) {
    let dim = tile.graph.parameters().dim();
    for (index, node) in tile.graph.nodes.iter().enumerate().rev() {
        let Some(range) = tile.active_range(index) else { continue };
        let z = &values[tile.value_range(index)];
        tile.zero_first(node, adjoints);
        let (earlier, rest) = adjoints.split_at_mut(range.start);
        let layout = &tile.graph.layout;
        let mut x = Adjoints::new(&node.inputs, layout, earlier, tile.batch, &node.fresh);
        let mut each = EachParam { blocks: &node.ranges, dim, columns: each };
        let z_bar = &rest[..range.len()];
        node.op.adjoint_each(tile.at(node, values), z, z_bar, &mut x, &mut each);
        x.zero_untouched();
    }
}
