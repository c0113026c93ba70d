//! A graph → a description → text, in the order in which people read it.

use super::read::not_finite;
use super::{Description, DescriptionError, INPUT, NodeDescription, Place};
use crate::graph::{Graph, Node};
use crate::shape::Shape;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

pub(super) fn describe(graph: &Graph) -> Result<Description, DescriptionError> {
    let mut owned = vec![false; graph.parameters().blocks().len()];
    let mut nodes = Vec::with_capacity(graph.nodes().len());
    for (index, node) in graph.nodes().iter().enumerate() {
        if node.name() == INPUT {
            return Err(DescriptionError::NamedInput(INPUT.into()));
        }
        let op = node.op().describe().ok_or_else(|| DescriptionError::Undescribed {
            node: node.name().into(),
            op: node.op().name(),
        })?;
        if let Some((option, value)) = not_finite(op.options()) {
            let place = Place { node: node.name().into(), position: index + 1, line: None };
            let op = op.op().to_owned();
            return Err(DescriptionError::NotFinite { place, op, option, value });
        }
        // A node takes either new blocks only or blocks of others only.
        let shares = node.blocks().iter().any(|&block| owned[block]);
        node.blocks().iter().for_each(|&block| owned[block] = true);
        let block = |&block: &usize| graph.parameters().blocks()[block].name.clone();
        let share = shares.then(|| node.blocks().iter().map(block).collect());
        // Left out where it is the node before.
        let inputs = (node.inputs != [index]).then(|| input_names(graph, node));
        nodes.push(NodeDescription { name: node.name().into(), op, inputs, share, line: None });
    }
    let input = graph.input_shape().clone();
    Ok(Description { input, nodes, output: None, loss: None, penalty: None })
}

fn input_names(graph: &Graph, node: &Node) -> Vec<String> {
    let name = |&input: &usize| match input.checked_sub(1) {
        None => INPUT.to_owned(),
        Some(index) => graph.nodes()[index].name().to_owned(),
    };
    node.inputs.iter().map(name).collect()
}

impl Serialize for Description {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("input", &Extents(&self.input))?;
        if let Some(output) = &self.output {
            map.serialize_entry("output", output)?;
        }
        if let Some(loss) = &self.loss {
            map.serialize_entry("loss", loss)?;
        }
        if let Some(penalty) = &self.penalty {
            map.serialize_entry("penalty", penalty)?;
        }
        map.serialize_entry("node", &self.nodes)?;
        map.end()
    }
}

impl Serialize for NodeDescription {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("op", self.op.op())?;
        // TOML has tables behind everything else.
        let (tables, values): (Vec<_>, Vec<_>) =
            self.op.options().iter().partition(|(_, value)| value.is_table());
        for (key, value) in values {
            map.serialize_entry(key, value)?;
        }
        if let Some(inputs) = &self.inputs {
            map.serialize_entry("inputs", inputs)?;
        }
        if let Some(share) = &self.share {
            map.serialize_entry("share", share)?;
        }
        for (key, value) in tables {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// `8`, or `[28, 28, 1]`.
struct Extents<'a>(&'a Shape);

impl Serialize for Extents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.extents() {
            [features] => features.serialize(serializer),
            extents => extents.serialize(serializer),
        }
    }
}
