//! What can be wrong with a description.

use crate::graph::GraphError;
use crate::text::{did_you_mean, quoted, sentence};
use std::fmt;

/// Where a node stands in a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the node; empty where it has none.
    pub node: String,
    /// Position among the nodes, from 1.
    pub position: usize,
    /// Line in the file, from 1, where the parser tells: that of TOML does.
    pub line: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.node.is_empty() {
            write!(f, "node {}", self.position)?;
        } else {
            write!(f, "node `{}`", quoted(&self.node))?;
        }
        match self.line {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        }
    }
}

/// Why a description is no graph, or a graph has no description.
#[derive(Clone, PartialEq, thiserror::Error)]
pub enum DescriptionError {
    /// The text is no TOML or JSON at all.
    #[error("line {line}, column {column}: {}", sentence(message))]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A key that descriptions do not have.
    #[error(
        "unknown key `{}`, expected one of: {known}{}",
        quoted(key),
        did_you_mean(key, known.split(", "))
    )]
    UnknownKey {
        /// The key.
        key: String,
        /// Those that there are.
        known: &'static str,
    },
    /// A key that is needed is not there.
    #[error("the description has no `{0}`")]
    MissingKey(&'static str),
    /// The value of a key is of another kind.
    #[error("`{key}` is {}, expected {expected}", quoted(found))]
    Kind {
        /// The key.
        key: &'static str,
        /// What it should be, in words.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// No nodes.
    #[error("the description has no nodes")]
    Empty,
    /// More nodes than a graph may have.
    #[error("the description has {found} nodes, more than {limit}")]
    TooManyNodes {
        /// Nodes found.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A key that every node needs is missing.
    #[error("{place} has no `{key}`")]
    MissingNodeKey {
        /// The node.
        place: Place,
        /// The key.
        key: &'static str,
    },
    /// The value of a node's key is of another kind.
    #[error("{place}: `{key}` is {}, expected {expected}", quoted(found))]
    NodeKind {
        /// The node.
        place: Place,
        /// The key.
        key: &'static str,
        /// What it should be, in words.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A name that stands for something else.
    #[error("{place}: a node may not be called `{}`", quoted(name))]
    ReservedName {
        /// The node.
        place: Place,
        /// The name.
        name: String,
    },
    /// Two nodes of one name.
    #[error("{place}: there are two nodes of this name, the first is node {first}")]
    DuplicateName {
        /// The second one.
        place: Place,
        /// Position of the first, from 1.
        first: usize,
    },
    /// An op that there is none of.
    #[error(
        "{place}: unknown op `{}`, expected one of: {known}{}",
        quoted(op),
        did_you_mean(op, known.split(", "))
    )]
    UnknownOp {
        /// The node.
        place: Place,
        /// The op.
        op: String,
        /// Those that there are.
        known: String,
    },
    /// Options that the op does not take: unknown, missing, of another kind or out of range.
    #[error("{place}, {}: {}", quoted(op), sentence(message))]
    Options {
        /// The node.
        place: Place,
        /// Its op.
        op: String,
        /// What is wrong with them, with name and value.
        message: String,
    },
    /// An option that is NaN or infinite.
    #[error("{place}, {}: `{}` is {value}, it must be finite", quoted(op), quoted(option))]
    NotFinite {
        /// The node.
        place: Place,
        /// Its op.
        op: String,
        /// Name of the option.
        option: String,
        /// The value.
        value: f64,
    },
    /// An option of the loss or the penalty that is NaN or infinite.
    #[error("`{key}`: `{}` is {value}, it must be finite", quoted(option))]
    ChoiceNotFinite {
        /// The key.
        key: &'static str,
        /// Name of the loss or penalty.
        option: String,
        /// The value.
        value: f64,
    },
    /// A loss or a penalty that this crate does not have.
    #[error(
        "there is no {key} `{}`, only {known}{}",
        quoted(name),
        did_you_mean(name, known.split(", "))
    )]
    UnknownChoice {
        /// `loss` or `penalty`.
        key: &'static str,
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// Options that the loss or the penalty does not have.
    #[error("the {key} `{}`: {}", quoted(name), sentence(message))]
    ChoiceOptions {
        /// `loss` or `penalty`.
        key: &'static str,
        /// Its name.
        name: String,
        /// What is wrong with them.
        message: String,
    },
    /// An input that is no node.
    #[error("{place}: there is no input `{}` (there are: {known}){hint}", quoted(input))]
    UnknownInput {
        /// The node.
        place: Place,
        /// The input asked for.
        input: String,
        /// Names that exist, the first of them.
        known: String,
        /// The nearest of them, after a colon; empty where none is near.
        hint: String,
    },
    /// Nodes that wait for each other.
    #[error("the nodes form a cycle: {}", sentence(.0))]
    Cycle(String),
    /// The output is no node.
    #[error("the output `{}` is no node (there are: {known}){hint}", quoted(output))]
    UnknownOutput {
        /// The output asked for.
        output: String,
        /// Names that exist, the first of them.
        known: String,
        /// The nearest of them, after a colon; empty where none is near.
        hint: String,
    },
    /// The nodes make no graph.
    #[error("{}{source}", at_line(*.line))]
    Graph {
        /// Line of the node, where it is known.
        line: Option<usize>,
        /// Why, with the name of the node.
        source: Box<GraphError>,
    },
    /// A node whose op cannot be written down: one of a user's own, or one with a whole number beyond `i64`.
    #[error("node `{}`: the op {} has no description", quoted(node), quoted(op))]
    Undescribed {
        /// Name of the node.
        node: String,
        /// Name of its op.
        op: String,
    },
    /// A graph whose nodes cannot be told apart in a description.
    #[error("a node called `{0}` has no description: the name stands for the data")]
    NamedInput(String),
    /// A value that a format has no way to write.
    #[error("it cannot be written: {}", sentence(.0))]
    Unwritable(String),
}

impl fmt::Debug for DescriptionError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn at_line(line: Option<usize>) -> String {
    line.map_or(String::new(), |line| format!("line {line}: "))
}
