//! Graphs as files that people read and write, in TOML or JSON.
//!
//! ```
//! use secant_core::graph::Graph;
//!
//! let graph = Graph::from_toml(r#"
//! input = 8                     # features, or a shape: [28, 28, 1]
//!
//! [[node]]
//! name = "hidden"
//! op = "dense"
//! outputs = 32
//!
//! [[node]]
//! name = "tanh"
//! op = "tanh"                   # takes the node before it
//!
//! [[node]]
//! name = "deep"
//! op = "dense"
//! outputs = 1
//!
//! [[node]]
//! name = "wide"
//! op = "dense"
//! outputs = 1
//! bias = false
//! inputs = ["input"]            # the data
//!
//! [[node]]
//! name = "sum"
//! op = "add"
//! inputs = ["deep", "wide"]
//! "#)?;
//! assert_eq!(graph.parameters().dim(), 8 * 32 + 32 + 32 + 1 + 8);
//! assert_eq!(Graph::from_json(&graph.to_json()?)?.to_string(), graph.to_string());
//! # Ok::<(), secant_core::description::DescriptionError>(())
//! ```
//!
//! | key | |
//! |---|---|
//! | `input` | features of a sample, or the extents of its shape |
//! | `node` | the nodes, in any order |
//! | `output` | name of the output node; default: the last one |
//! | `loss`, `penalty` | a name, or a table of one name and its options; kept for who fits the graph, see [`Choice`] |
//!
//! | key of a node | |
//! |---|---|
//! | `name` | unique; `input` is the data |
//! | `op` | what it computes; the message about an unknown one lists them all |
//! | `inputs` | names of nodes or `input`; default: the node before it in the file, the data for the first one |
//! | `share` | parameter blocks of other nodes (`hidden.weight`, `hidden.bias`) in place of its own |
//! | any other | an option of the op |
//!
//! The parameters θ are laid out in the order of the file, but for nodes that stand before what they need. A graph written and read
//! again has the same nodes in the same order, and with the same θ the same bits of its value and derivatives.

mod error;
mod losses;
mod ops;
mod order;
mod read;
mod write;

pub use crate::choice::Choice;
pub use error::{DescriptionError, Place};

use crate::graph::{Graph, GraphError, NodeId};
use crate::op::{Op, OpDescription};
use crate::shape::Shape;
use crate::text::{did_you_mean, enumerated};
use serde::{Deserialize, Deserializer};
use std::collections::HashMap;

/// The name of the data among the inputs.
const INPUT: &str = "input";
/// Nodes that a description may have: a file longer than that is no one's writing.
const MAX_NODES: usize = 1 << 14;

/// A graph in words: names, ops and options, not yet checked against each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    input: Shape,
    nodes: Vec<NodeDescription>,
    output: Option<String>,
    /// What the outputs are judged by.
    pub loss: Option<Choice>,
    /// What is added to the mean loss.
    pub penalty: Option<Choice>,
}

/// A node in words.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeDescription {
    name: String,
    op: OpDescription,
    /// `None`: the node before it.
    inputs: Option<Vec<String>>,
    share: Option<Vec<String>>,
    line: Option<usize>,
}

impl Description {
    /// Reads TOML.
    ///
    /// # Errors
    /// When the text is no TOML, or keys and options are wrong: with the node and, as far as it is known, the line.
    pub fn from_toml(text: &str) -> Result<Self, DescriptionError> {
        let (table, lines) = read::toml(text)?;
        read::description(table, &lines)
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// When the text is no JSON (with line and column), or keys and options are wrong (with the node).
    pub fn from_json(text: &str) -> Result<Self, DescriptionError> {
        read::description(read::json(text)?, &[])
    }

    /// Describes `graph`.
    ///
    /// # Errors
    /// When a node's op has no description, as one of a user's own.
    pub fn of(graph: &Graph) -> Result<Self, DescriptionError> {
        write::describe(graph)
    }

    /// Writes TOML.
    ///
    /// # Errors
    /// When an option has no form there, or is not finite.
    pub fn to_toml(&self) -> Result<String, DescriptionError> {
        toml::to_string(self).map_err(|error| DescriptionError::Unwritable(error.to_string()))
    }

    /// Writes JSON, indented.
    ///
    /// # Errors
    /// When an option has no form there.
    pub fn to_json(&self) -> Result<String, DescriptionError> {
        serde_json::to_string_pretty(self)
            .map_err(|error| DescriptionError::Unwritable(error.to_string()))
    }

    /// The shape of one sample's input.
    pub fn input(&self) -> &Shape {
        &self.input
    }

    /// The nodes in the order of the file.
    pub fn nodes(&self) -> &[NodeDescription] {
        &self.nodes
    }

    /// Builds the graph.
    ///
    /// # Errors
    /// Unknown names, nodes that wait for each other, unknown ops, options that an op does not take, shapes and blocks that do not fit:
    /// with the name of the node.
    pub fn graph(&self) -> Result<Graph, DescriptionError> {
        let last = self.nodes.last().ok_or(DescriptionError::Empty)?;
        let order = order::topological(self)?;
        let mut builder = Graph::builder(self.input.clone());
        let mut ids: HashMap<&str, NodeId> = HashMap::from([(INPUT, builder.input())]);
        for index in order {
            let node = &self.nodes[index];
            let op = self.op(index)?;
            // Every name is known by now.
            let inputs: Vec<NodeId> =
                self.inputs(index).iter().filter_map(|name| ids.get(name).copied()).collect();
            let share: Option<Vec<&str>> =
                node.share.as_ref().map(|blocks| blocks.iter().map(String::as_str).collect());
            let id =
                builder.insert(&node.name, op, &inputs, share.as_deref()).map_err(|source| {
                    DescriptionError::Graph { line: node.line, source: source.into() }
                })?;
            ids.insert(&node.name, id);
        }
        let output = self.output.as_deref().unwrap_or(&last.name);
        let id = ids.get(output).filter(|_| output != INPUT).ok_or_else(|| {
            let (known, hint) =
                (enumerated(self.names()), did_you_mean(output, self.names().skip(1)));
            DescriptionError::UnknownOutput { output: output.into(), known, hint }
        })?;
        builder.build(*id).map_err(|source| {
            let line = match &source {
                GraphError::Unused(unused) => {
                    self.nodes.iter().find(|node| node.name == *unused).and_then(|node| node.line)
                }
                _ => None,
            };
            DescriptionError::Graph { line, source: source.into() }
        })
    }

    /// The op of node `index`.
    fn op(&self, index: usize) -> Result<Box<dyn Op>, DescriptionError> {
        let description = &self.nodes[index].op;
        let (op, place) = (description.op().to_owned(), || self.place(index));
        match ops::make(&op, description.options().clone()) {
            Some(Ok(op)) => Ok(op),
            Some(Err(error)) => {
                let message = read::with_nearest(error.to_string().trim());
                Err(DescriptionError::Options { place: place(), op, message })
            }
            None => Err(DescriptionError::UnknownOp { place: place(), op, known: ops::names() }),
        }
    }

    /// Names of the inputs of node `index`.
    fn inputs(&self, index: usize) -> Vec<&str> {
        match &self.nodes[index].inputs {
            Some(names) => names.iter().map(String::as_str).collect(),
            None if index == 0 => vec![INPUT],
            None => vec![&self.nodes[index - 1].name],
        }
    }

    fn place(&self, index: usize) -> Place {
        let node = &self.nodes[index];
        Place { node: node.name.clone(), position: index + 1, line: node.line }
    }

    /// That of the data, then those of the nodes.
    fn names(&self) -> impl Iterator<Item = &str> {
        [INPUT].into_iter().chain(self.nodes.iter().map(|node| node.name.as_str()))
    }
}

impl NodeDescription {
    /// The node's name.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Its op with the options.
    pub fn op(&self) -> &OpDescription {
        &self.op
    }
}

impl<'de> Deserialize<'de> for Description {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = toml::Table::deserialize(deserializer)?;
        read::description(table, &[]).map_err(serde::de::Error::custom)
    }
}

impl Graph {
    /// Builds a graph from its [`crate::description`] in TOML.
    ///
    /// # Errors
    /// As [`Description::from_toml`] and [`Description::graph`].
    pub fn from_toml(text: &str) -> Result<Self, DescriptionError> {
        Description::from_toml(text)?.graph()
    }

    /// Builds a graph from its [`crate::description`] in JSON.
    ///
    /// # Errors
    /// As [`Description::from_json`] and [`Description::graph`].
    pub fn from_json(text: &str) -> Result<Self, DescriptionError> {
        Description::from_json(text)?.graph()
    }

    /// The graph's [`crate::description`] in TOML.
    ///
    /// # Errors
    /// When a node has none: [`Description::of`].
    pub fn to_toml(&self) -> Result<String, DescriptionError> {
        Description::of(self)?.to_toml()
    }

    /// The graph's [`crate::description`] in JSON.
    ///
    /// # Errors
    /// When a node has none: [`Description::of`].
    pub fn to_json(&self) -> Result<String, DescriptionError> {
        Description::of(self)?.to_json()
    }
}
