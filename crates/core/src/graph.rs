//! A directed acyclic graph of nodes, with shapes checked when it is built.
//!
//! ```
//! use secant_core::graph::Graph;
//! use secant_core::op::{Activation, Add, Dense};
//!
//! let mut g = Graph::builder(8); // 8 input features
//! let x = g.input();
//! let h = g.node("hidden", Dense::new(32), &[x])?;
//! let h = g.node("tanh", Activation::Tanh, &[h])?;
//! let deep = g.node("deep", Dense::new(1), &[h])?;
//! let wide = g.node("wide", Dense::new(1).without_bias(), &[x])?;
//! let y = g.node("sum", Add, &[deep, wide])?;
//! let graph = g.build(y)?;
//! assert_eq!(graph.parameters().dim(), 8 * 32 + 32 + 32 + 1 + 8);
//! # Ok::<(), secant_core::graph::GraphError>(())
//! ```

mod domain;
mod dot;
mod drawing;
mod linear;
mod sparse;
mod summary;
mod svg;

pub use summary::{NodeSummary, Summary};

pub use domain::DomainError;
pub(crate) use sparse::Centring;
pub use sparse::SparseDataError;

use crate::op::{Dependence, Domain, Layout, Op, Place, Region, TRACKED_INPUTS};
use crate::params::Parameters;
use crate::random::hashed_name;
use crate::shape::{Shape, ShapeError};
use crate::text::{did_you_mean, enumerated, quoted};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a graph cannot be built.
#[derive(Clone, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// A node refuses its inputs.
    #[error("node `{}` ({}): {source}", quoted(node), quoted(op))]
    Shape {
        /// Name of the node.
        node: String,
        /// Name of its op.
        op: String,
        /// Why.
        source: ShapeError,
    },
    /// Two nodes of one name.
    #[error("there are two nodes called `{}`", quoted(.0))]
    DuplicateName(String),
    /// The handle of an input comes from another builder.
    #[error("node `{}`: input {index} belongs to another graph", quoted(node))]
    ForeignNode {
        /// Name of the node.
        node: String,
        /// Position of the input, from 0.
        index: usize,
    },
    /// A shared block that no earlier node owns.
    #[error(
        "node `{}` shares block `{}`, which no earlier node owns (there are: {known}){hint}",
        quoted(node),
        quoted(block)
    )]
    UnknownBlock {
        /// Name of the node.
        node: String,
        /// The block asked for.
        block: String,
        /// The blocks that exist, the first of them.
        known: String,
        /// The nearest of them, after a colon; empty where none is near.
        hint: String,
    },
    /// Another number of shared blocks than the node has parameters.
    #[error(
        "node `{}` has {expected} parameter block(s), found {found} block name(s) to share",
        quoted(node)
    )]
    BlockCount {
        /// Name of the node.
        node: String,
        /// Parameters of the node.
        expected: usize,
        /// Names given.
        found: usize,
    },
    /// A shared block of another size than the node needs.
    #[error(
        "node `{}` needs {expected} for its parameter, block `{}` is {found}",
        quoted(node),
        quoted(block)
    )]
    BlockShape {
        /// Name of the node.
        node: String,
        /// The block to be shared.
        block: String,
        /// `rows × columns` needed.
        expected: Shape,
        /// `rows × columns` of the block.
        found: Shape,
    },
    /// A node that nothing uses.
    #[error("node `{}` does not reach the output", quoted(.0))]
    Unused(String),
    /// No parameter reaches the output.
    #[error("the output does not depend on any parameter")]
    NoParameters,
    /// More entries than a computer can hold.
    #[error("node `{}` would hold {entries} entries, more than {limit}", quoted(node))]
    TooLarge {
        /// Name of the node.
        node: String,
        /// Entries of its value or parameters.
        entries: usize,
        /// The limit.
        limit: usize,
    },
}

impl std::fmt::Debug for GraphError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Entries that a node's value or all of θ may have: 2³² doubles are 32 GiB.
const MAX_ENTRIES: usize = 1 << 32;

/// Columns from which on a matrix product has its full speed.
pub(crate) const WIDE: usize = 32;

/// The handle of a node while its graph is being built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId {
    builder: u64,
    index: usize,
}

/// A node of a finished graph.
#[derive(Debug)]
pub struct Node {
    pub(crate) name: String,
    pub(crate) op: Box<dyn Op>,
    /// Positions of the inputs among the graph's values; 0 is the data.
    pub(crate) inputs: Vec<usize>,
    pub(crate) blocks: Vec<usize>,
    pub(crate) ranges: Vec<Range<usize>>,
    /// Inputs whose adjoint this node is the first to write in the backward sweep.
    pub(crate) fresh: Vec<bool>,
    /// Inputs whose adjoint is zeroed before this node's backward step.
    pub(crate) zero_first: Vec<usize>,
    /// A hash of the name, for nodes with randomness.
    pub(crate) key: u64,
}

impl Node {
    /// The node's name, unique in its graph.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The node's function.
    pub fn op(&self) -> &dyn Op {
        &*self.op
    }
    /// Positions among [`Graph::parameters`]' blocks of the node's parameters.
    pub fn blocks(&self) -> &[usize] {
        &self.blocks
    }
}

/// A network: nodes in topological order, the last one the output.
#[derive(Debug)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// Shape of value i: 0 the data, i + 1 node i.
    pub(crate) shapes: Vec<Shape>,
    pub(crate) layout: Layout,
    parameters: Parameters,
    affine: bool,
    /// The part of the flops in matrix products that need many samples to be [`WIDE`].
    pub(crate) narrow: f64,
}

impl Graph {
    /// Starts a graph on samples of the given shape: a number of features, or the extents of an image, `[width, height, channels]`
    /// (see [`Shape`]). A data set for it has as many features as the shape has entries, in the same order.
    ///
    /// ```
    /// use secant_core::graph::Graph;
    /// use secant_core::op::{Conv2d, Dense, MaxPool2d};
    ///
    /// let mut g = Graph::builder([28, 28, 1]);
    /// let h = g.node("conv", Conv2d::new(4, [3, 3]).with_padding([1, 1]), &[g.input()])?;
    /// let h = g.node("pool", MaxPool2d::new([2, 2]), &[h])?;
    /// assert_eq!(g.shape(h).unwrap().extents(), [14, 14, 4]);
    /// let y = g.node("scores", Dense::new(10), &[h])?;
    /// assert_eq!(g.build(y)?.features(), 784);
    /// # Ok::<(), secant_core::graph::GraphError>(())
    /// ```
    pub fn builder(input: impl Into<Shape>) -> GraphBuilder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        GraphBuilder {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            nodes: Vec::new(),
            shapes: vec![input.into()],
            active: vec![false],
            affine: vec![true],
            parameters: Parameters::default(),
        }
    }
    /// The shape of one sample's input.
    pub fn input_shape(&self) -> &Shape {
        &self.shapes[0]
    }
    /// d, the features of one sample.
    pub fn features(&self) -> usize {
        self.shapes[0].len()
    }
    /// c, the entries of one sample's output.
    pub fn outputs(&self) -> usize {
        self.shapes[self.nodes.len()].len()
    }
    /// The layout of θ.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }
    /// The nodes in the order of evaluation.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
    /// Whether the output is affine in θ: f(x; θ) = A(x)·θ + c(x). Linear and generalised linear models are.
    pub fn is_affine(&self) -> bool {
        self.affine
    }
    /// Of every parameter the first node that has it, counted from 0 after the data.
    pub(crate) fn entrances(&self) -> Vec<usize> {
        let mut entrances = vec![0; self.parameters().dim()];
        for (index, node) in self.nodes.iter().enumerate().rev() {
            node.ranges.iter().for_each(|range| entrances[range.clone()].fill(index));
        }
        entrances
    }
    /// The output node, where it is W·φ(x) + b with φ free of parameters, and nothing else has any.
    pub(crate) fn linear_head(&self) -> Option<&Node> {
        let (head, features) = self.nodes.split_last()?;
        let free = features.iter().all(|node| node.blocks.is_empty());
        (free && head.op.is_linear_map()).then_some(head)
    }
    /// Flops of one sample's forward sweep.
    pub fn flops(&self) -> usize {
        (0..self.nodes.len()).map(|index| self.node_flops(index)).fold(0, usize::saturating_add)
    }
    /// The part of the flops in matrix products to which one sample brings fewer than [`WIDE`] columns.
    fn narrow_part(&self) -> f64 {
        let narrow = |index: &usize| {
            let node = &self.nodes[*index];
            let inputs: Vec<Shape> = node.inputs.iter().map(|&i| self.shapes[i].clone()).collect();
            !node.blocks.is_empty() && node.op.columns(&inputs, &self.shapes[index + 1]) < WIDE
        };
        let narrow = (0..self.nodes.len()).filter(narrow);
        let flops = narrow.map(|index| self.node_flops(index)).fold(0, usize::saturating_add);
        flops as f64 / self.flops().max(1) as f64
    }
    /// Those of node `index`.
    fn node_flops(&self, index: usize) -> usize {
        let node = &self.nodes[index];
        let inputs: Vec<Shape> = node.inputs.iter().map(|&i| self.shapes[i].clone()).collect();
        node.op.flops(&inputs, &self.shapes[index + 1])
    }
}

/// Collects nodes; [`build`](Self::build) finishes the graph.
#[derive(Debug)]
pub struct GraphBuilder {
    id: u64,
    nodes: Vec<Node>,
    shapes: Vec<Shape>,
    /// Whether value i depends on θ.
    active: Vec<bool>,
    /// Whether value i is affine in θ.
    affine: Vec<bool>,
    parameters: Parameters,
}

impl GraphBuilder {
    /// The data: d features of a sample.
    pub fn input(&self) -> NodeId {
        NodeId { builder: self.id, index: 0 }
    }

    /// Adds a node with parameters of its own, called `name.weight` and so on.
    ///
    /// # Errors
    /// When the name is taken, an input is foreign or the op refuses the shapes.
    pub fn node(
        &mut self,
        name: &str,
        op: impl Op + 'static,
        inputs: &[NodeId],
    ) -> Result<NodeId, GraphError> {
        self.insert(name, Box::new(op), inputs, None)
    }

    /// Adds a node whose parameters are the named blocks of earlier nodes (weight tying).
    ///
    /// # Errors
    /// As [`node`](Self::node), and when a block does not exist or has another shape.
    pub fn node_sharing(
        &mut self,
        name: &str,
        op: impl Op + 'static,
        inputs: &[NodeId],
        blocks: &[&str],
    ) -> Result<NodeId, GraphError> {
        self.insert(name, Box::new(op), inputs, Some(blocks))
    }

    /// The shape of a node's output.
    pub fn shape(&self, node: NodeId) -> Option<&Shape> {
        self.shapes.get(node.index).filter(|_| node.builder == self.id)
    }

    pub(crate) fn insert(
        &mut self,
        name: &str,
        op: Box<dyn Op>,
        inputs: &[NodeId],
        shared: Option<&[&str]>,
    ) -> Result<NodeId, GraphError> {
        if self.nodes.iter().any(|node| node.name == name) {
            return Err(GraphError::DuplicateName(name.into()));
        }
        if let Some(index) = inputs.iter().position(|input| input.builder != self.id) {
            return Err(GraphError::ForeignNode { node: name.into(), index });
        }
        let inputs: Vec<usize> = inputs.iter().map(|input| input.index).collect();
        let shapes: Vec<Shape> = inputs.iter().map(|&i| self.shapes[i].clone()).collect();
        let refuse = |source| GraphError::Shape { node: name.into(), op: op.name(), source };
        if let Some(empty) = shapes.iter().find(|shape| shape.is_empty()) {
            return Err(refuse(ShapeError::Empty(empty.clone())));
        }
        if inputs.contains(&0) {
            limit("input", self.shapes[0].len())?;
        }
        let output = op.output_shape(&shapes).map_err(refuse)?;
        let variable =
            |&index: &usize| self.active[inputs[index]] && op.domain(index) != Domain::Numbers;
        if let Some(index) = (0..inputs.len()).find(variable) {
            return Err(refuse(ShapeError::NotData { index }));
        }
        if output.is_empty() {
            return Err(refuse(ShapeError::Empty(output)));
        }
        limit(name, output.len())?;
        let blocks = self.blocks(name, &*op, &shapes, shared)?;
        limit(name, self.parameters.dim())?;

        let active_inputs: Vec<bool> = inputs.iter().map(|&i| self.active[i]).collect();
        let active = !blocks.is_empty() || active_inputs.contains(&true);
        let affine = inputs.iter().all(|&i| self.affine[i])
            && (!active || op.dependence(&active_inputs) == Dependence::Affine);
        let ranges = blocks.iter().map(|&b| self.parameters.blocks()[b].range.clone()).collect();
        let (fresh, zero_first) = (Vec::new(), Vec::new());
        let (name, key) = (name.into(), hashed_name(name));
        self.nodes.push(Node { name, op, inputs, blocks, ranges, fresh, zero_first, key });
        self.shapes.push(output);
        self.active.push(active);
        self.affine.push(affine);
        Ok(NodeId { builder: self.id, index: self.nodes.len() })
    }

    /// Positions of the node's parameter blocks: new ones, or the shared ones checked.
    fn blocks(
        &mut self,
        node: &str,
        op: &dyn Op,
        shapes: &[Shape],
        shared: Option<&[&str]>,
    ) -> Result<Vec<usize>, GraphError> {
        let specs = op.params(shapes);
        let Some(names) = shared else {
            for spec in &specs {
                limit(node, spec.len())?;
            }
            let own = |spec: crate::params::ParamSpec| {
                let name = format!("{node}.{}", spec.name);
                self.parameters.push(name, spec)
            };
            return Ok(specs.into_iter().map(own).collect());
        };
        if names.len() != specs.len() {
            let (expected, found) = (specs.len(), names.len());
            return Err(GraphError::BlockCount { node: node.into(), expected, found });
        }
        let find = |(spec, name): (&crate::params::ParamSpec, &&str)| {
            let position = self.parameters.position(name).ok_or_else(|| {
                let known = || self.parameters.blocks().iter().map(|block| block.name.as_str());
                GraphError::UnknownBlock {
                    node: node.into(),
                    block: (*name).into(),
                    known: enumerated(known()),
                    hint: did_you_mean(name, known()),
                }
            })?;
            let owner = &self.parameters.blocks()[position].spec;
            if (owner.rows, owner.cols) == (spec.rows, spec.cols) {
                return Ok(position);
            }
            Err(GraphError::BlockShape {
                node: node.into(),
                block: (*name).into(),
                expected: Shape::new([spec.rows, spec.cols]),
                found: Shape::new([owner.rows, owner.cols]),
            })
        };
        specs.iter().zip(names).map(find).collect()
    }

    /// Finishes the graph with `output` as its output.
    ///
    /// # Errors
    /// When a node does not reach the output, or no parameter does.
    pub fn build(mut self, output: NodeId) -> Result<Graph, GraphError> {
        if output.builder != self.id {
            return Err(GraphError::ForeignNode { node: "output".into(), index: 0 });
        }
        if let Some(unused) = self.unused(output.index) {
            return Err(GraphError::Unused(self.nodes[unused].name.clone()));
        }
        if !self.active[output.index] {
            return Err(GraphError::NoParameters);
        }
        let layout = self.layout();
        self.plan_adjoints();
        let affine = self.affine[output.index];
        let Self { nodes, shapes, parameters, .. } = self;
        let mut graph = Graph { nodes, shapes, layout, parameters, affine, narrow: 1.0 };
        graph.narrow = graph.narrow_part();
        Ok(graph)
    }

    /// A node that `output` does not depend on; every node after `output` is one.
    fn unused(&self, output: usize) -> Option<usize> {
        let mut used = vec![false; self.shapes.len()];
        used[output] = true;
        for index in (0..self.nodes.len()).rev() {
            if used[index + 1] {
                self.nodes[index].inputs.iter().for_each(|&input| used[input] = true);
            }
        }
        (0..self.nodes.len()).find(|&index| !used[index + 1])
    }

    fn layout(&self) -> Layout {
        let data = Place { rows: self.shapes[0].len(), value: Region::Data, active: None };
        let mut layout = Layout { places: vec![data], ..Layout::default() };
        for (shape, &active) in self.shapes.iter().zip(&self.active).skip(1) {
            let rows = shape.len();
            let value = Region::Arena(layout.value_rows);
            layout.value_rows += rows;
            let active = active.then(|| {
                layout.active_rows += rows;
                layout.active_rows - rows
            });
            layout.places.push(Place { rows, value, active });
        }
        layout
    }

    /// Decides, for the backward sweep, who writes an adjoint first.
    fn plan_adjoints(&mut self) {
        let mut written = vec![false; self.shapes.len()];
        for node in self.nodes.iter_mut().rev() {
            node.fresh = vec![false; node.inputs.len()];
            for (slot, &input) in node.inputs.iter().enumerate() {
                if !self.active[input] || written[input] {
                    continue;
                }
                let once = node.inputs.iter().filter(|&&other| other == input).count() == 1;
                if once && slot < TRACKED_INPUTS {
                    node.fresh[slot] = true;
                } else if !node.zero_first.contains(&input) {
                    node.zero_first.push(input);
                }
            }
            node.inputs.iter().for_each(|&input| written[input] = true);
        }
    }
}

fn limit(node: &str, entries: usize) -> Result<(), GraphError> {
    if entries > MAX_ENTRIES {
        return Err(GraphError::TooLarge { node: node.into(), entries, limit: MAX_ENTRIES });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Activation, Add, Dense, Multiply};

    #[test]
    fn a_shape_clash_names_the_node_and_both_shapes() {
        let mut g = Graph::builder(3);
        let x = g.input();
        let a = g.node("a", Dense::new(4), &[x]).unwrap();
        let b = g.node("b", Dense::new(5), &[x]).unwrap();
        let message = g.node("join", Add, &[a, b]).unwrap_err().to_string();
        assert!(message.contains("`join`") && message.contains('4') && message.contains('5'));
    }

    #[test]
    fn malformed_graphs_are_refused_by_name() {
        let mut g = Graph::builder(3);
        let x = g.input();
        let a = g.node("a", Dense::new(4), &[x]).unwrap();
        assert_eq!(
            g.node("a", Dense::new(4), &[x]).unwrap_err(),
            GraphError::DuplicateName("a".into())
        );
        let other = Graph::builder(3).input();
        assert!(matches!(
            g.node("b", Dense::new(2), &[other]).unwrap_err(),
            GraphError::ForeignNode { index: 0, .. }
        ));
        assert!(matches!(
            g.node("b", Dense::new(0), &[x]).unwrap_err(),
            GraphError::Shape { source: ShapeError::Empty(_), .. }
        ));
        assert!(matches!(
            g.node_sharing("b", Dense::new(4), &[x], &["c.weight", "a.bias"]).unwrap_err(),
            GraphError::UnknownBlock { .. }
        ));
        assert!(matches!(
            g.node_sharing("b", Dense::new(4), &[a], &["a.weight", "a.bias"]).unwrap_err(),
            GraphError::BlockShape { .. }
        ));
        assert!(matches!(
            g.node_sharing("b", Dense::new(4), &[x], &["a.weight"]).unwrap_err(),
            GraphError::BlockCount { expected: 2, found: 1, .. }
        ));
        assert!(matches!(
            g.node("huge", Dense::new(usize::MAX), &[x]).unwrap_err(),
            GraphError::TooLarge { .. }
        ));
        let unused = g.node("unused", Dense::new(1), &[x]).unwrap();
        assert_ne!(unused, a);
        assert_eq!(g.build(a).unwrap_err(), GraphError::Unused("unused".into()));

        let mut g = Graph::builder(3);
        let y = g.node("y", Activation::Tanh, &[g.input()]).unwrap();
        assert_eq!(g.build(y).unwrap_err(), GraphError::NoParameters);
    }

    #[test]
    fn models_linear_in_their_parameters_are_recognised_from_structure() {
        let affine = |last: &dyn Fn(&mut GraphBuilder) -> NodeId| {
            let mut g = Graph::builder(3);
            let output = last(&mut g);
            g.build(output).unwrap().is_affine()
        };
        assert!(affine(&|g| g.node("w", Dense::new(2), &[g.input()]).unwrap()));
        // Feature map first: W·φ(x).
        assert!(affine(&|g| {
            let phi = g.node("phi", Activation::Sine, &[g.input()]).unwrap();
            g.node("w", Dense::new(2), &[phi]).unwrap()
        }));
        // A gate that does not depend on θ.
        assert!(affine(&|g| {
            let w = g.node("w", Dense::new(3), &[g.input()]).unwrap();
            g.node("gate", Multiply, &[w, g.input()]).unwrap()
        }));
        assert!(!affine(&|g| {
            let w = g.node("w", Dense::new(3), &[g.input()]).unwrap();
            g.node("square", Multiply, &[w, w]).unwrap()
        }));
        assert!(!affine(&|g| {
            let w = g.node("w", Dense::new(2), &[g.input()]).unwrap();
            g.node("tanh", Activation::Tanh, &[w]).unwrap()
        }));
        assert!(!affine(&|g| {
            let w = g.node("w", Dense::new(2), &[g.input()]).unwrap();
            g.node("v", Dense::new(2), &[w]).unwrap()
        }));
    }
}
