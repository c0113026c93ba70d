//! Whether data lie in the domain of every node that has one, before anything is evaluated.

use super::Tile;
use crate::data::{Numbers, Scale};
use crate::graph::{DomainError, Graph, Node};
use crate::op::{Domain, Region, Samples, TileData};
use crate::partition::Partition;

/// Evaluates what is in front of nodes with a domain of their own (it does not depend on θ) for all samples of `data` (d × N), standardised
/// where there is a scaling, in training or in prediction. Costs nothing where there is no such node.
pub(crate) fn check_domains(
    graph: &Graph,
    (data, scale): (Numbers<'_>, Option<&Scale>),
    training: bool,
) -> Result<(), DomainError> {
    if !has_domains(graph) {
        return Ok(());
    }
    let (d, longest) = (graph.features(), Partition::longest_tile(graph, None));
    let mut values = vec![0.0; graph.layout.value_rows * longest];
    let mut read = Vec::new();
    for (index, data) in data.chunks(d * longest).enumerate() {
        let data = data.read(scale, &mut read);
        let (first, len) = (index * longest, data.len() / d);
        let training = training.then_some((0, Samples::Run { first, len }));
        let data = TileData::Dense(data);
        let tile = Tile { graph, theta: &[], data, batch: len, training };
        check_tile(tile, first, &mut values)?;
    }
    Ok(())
}

/// Whether a node of `graph` takes something else than any number.
pub(crate) fn has_domains(graph: &Graph) -> bool {
    let restricted =
        |node: &Node| (0..node.inputs.len()).any(|input| node.op.domain(input) != Domain::Numbers);
    graph.nodes.iter().any(restricted)
}

/// Up to the nodes that depend on θ.
fn check_tile(tile: Tile<'_>, first: usize, values: &mut [f64]) -> Result<(), DomainError> {
    let graph = tile.graph;
    for (index, node) in graph.nodes.iter().enumerate() {
        for (position, &input) in node.inputs.iter().enumerate() {
            let Domain::Codes { count } = node.op.domain(position) else { continue };
            let place = &graph.layout.places[input];
            let x = match place.value {
                Region::Data => tile.data.dense(),
                Region::Arena(start) => &values[tile.range(start, place.rows)],
            };
            if let Some(odd) = x.iter().position(|&x| node.op.domain(position).code(x).is_none()) {
                let place_name = graph.place_name(input, odd % place.rows);
                return Err(DomainError {
                    node: node.name.clone(),
                    place: place_name,
                    sample: first + odd / place.rows,
                    value: x[odd],
                    last: count.saturating_sub(1),
                });
            }
        }
        if tile.active_range(index).is_none() {
            let range = tile.value_range(index);
            let (earlier, rest) = values.split_at_mut(range.start);
            node.op.value(tile.at(node, earlier), &mut rest[..range.len()]);
        }
    }
    Ok(())
}
