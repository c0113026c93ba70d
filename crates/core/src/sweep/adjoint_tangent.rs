//! z̄˙ of every node and θ̄˙ = (∇²f·v's share of this tile), in reverse order  (Pearlmutter 1994).

use super::Tile;
use crate::op::{Adjoints, Bar, Dot, ParamAdjoints, Params, Tangents};
use crate::tape::{TangentTape, Tape};

/// From the output's adjoint tangent in `sweep.adjoint_tangents`, writes the other adjoint tangents and adds θ̄˙ to `out`.
/// `tape` holds the values and adjoints, `sweep.tangents` the tangents along `v` from node `first` on; θ̄˙ is that of the parameters of these
/// nodes alone.
pub(crate) fn adjoint_tangent(
    tile: Tile<'_>,
    tape: TapeRef<'_>,
    v: &[f64],
    first: usize,
    sweep: &mut TangentTape,
    out: &mut [f64],
) {
    let layout = &tile.graph.layout;
    for (index, node) in tile.graph.nodes.iter().enumerate().skip(first).rev() {
        let Some(range) = tile.active_range(index) else { continue };
        let z = &tape.values[tile.value_range(index)];
        let z_bar = &tape.adjoints[range.clone()];
        let z_dot = &sweep.tangents[range.clone()];
        tile.zero_first(node, &mut sweep.adjoint_tangents);
        let (earlier, rest) = sweep.adjoint_tangents.split_at_mut(range.start);
        let dot = Dot {
            x: Tangents::new(&node.inputs, layout, &sweep.tangents, tile.batch).from(first),
            theta: Params::new(&node.ranges, v),
        };
        let x = Adjoints::new(&node.inputs, layout, earlier, tile.batch, &node.fresh).from(first);
        let mut bar = Bar { x, theta: ParamAdjoints::new(&node.ranges, out) };
        let z_bar_dot = &rest[..range.len()];
        let at = tile.at(node, tape.values);
        node.op.adjoint_tangent(at, z, z_bar, dot, z_dot, z_bar_dot, &mut bar);
        bar.x.zero_untouched();
    }
}

/// Values and adjoints of one tile, wherever they are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TapeRef<'a> {
    pub(crate) values: &'a [f64],
    pub(crate) adjoints: &'a [f64],
}

impl<'a> From<&'a Tape> for TapeRef<'a> {
    fn from(tape: &'a Tape) -> Self {
        Self { values: &tape.values, adjoints: &tape.adjoints }
    }
}
