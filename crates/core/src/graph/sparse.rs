//! Sparse data: which graphs take them, and how a centre is taken off without making them dense.
//!
//! W·(x − μ) + b = W·x + (b − W·μ): the evaluation of centred data is that of the entries at θ' = T·θ, where T takes W·μ off the bias b of
//! every node that reads the data. Gradients come back by Tᵀ (W̄ = W̄' − b̄'·μᵀ), matrices as TᵀH'T; nothing of that is done for each
//! tile. What is far from 0 on the scale of its deviation cancels: digits are lost as many as μ has before the point.

use super::{Graph, Node};
use crate::data::SparseInputs;
use crate::text::quoted;
use faer::MatMut;
use std::borrow::Cow;
use std::ops::Range;

/// Why a graph does not take sparse data.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SparseDataError {
    /// A node that knows dense inputs only.
    #[error(
        "node `{}` ({op}) needs dense inputs, the data are sparse: `SparseInputs::to_dense` makes them dense",
        quoted(node)
    )]
    Node {
        /// Name of the node.
        node: String,
        /// Name of its op.
        op: String,
    },
    /// Centred inputs before a node that cannot take the centre into its bias.
    #[error(
        "node `{}` ({op}) has no bias, which sparse inputs that are centred need: scale them only (`Standardizer::scale_only`)",
        quoted(node)
    )]
    NoBias {
        /// Name of the node.
        node: String,
        /// Name of its op.
        op: String,
    },
    /// Centred inputs before a node whose bias others have too.
    #[error(
        "node `{}` shares its bias `{}` with another node, which sparse inputs that are centred do not allow: scale them only (`Standardizer::scale_only`)",
        quoted(node),
        quoted(block)
    )]
    SharedBias {
        /// Name of the node.
        node: String,
        /// Name of the bias.
        block: String,
    },
}

impl std::fmt::Debug for SparseDataError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// T: what centred data make of θ.
#[derive(Clone, Debug)]
pub(crate) struct Centring {
    /// μ.
    centre: Vec<f64>,
    nodes: Vec<CentredNode>,
}

/// Where in θ a node that reads the data has W (c × d) and b (c).
#[derive(Clone, Debug, PartialEq)]
struct CentredNode {
    weight: Range<usize>,
    bias: Range<usize>,
}

impl Graph {
    /// Whether the nodes that read the data take sparse ones.
    pub(crate) fn check_sparse(&self) -> Result<(), SparseDataError> {
        match self.readers().find(|node| !node.op.takes_sparse()) {
            None => Ok(()),
            Some(node) => {
                Err(SparseDataError::Node { node: node.name.clone(), op: node.op.name() })
            }
        }
    }

    /// The nodes that read the data.
    fn readers(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.inputs.contains(&0))
    }

    /// Parameters of nodes that read the data and have a column for every feature.
    pub(crate) fn data_weights(&self) -> usize {
        let of = |node: &Node| node.ranges.first().map_or(0, ExactSizeIterator::len);
        self.readers().filter(|node| node.op.is_linear_map()).map(of).sum()
    }
}

impl Centring {
    /// T for `centre`; none where there is nothing to take off.
    pub(crate) fn new(
        graph: &Graph,
        centre: Option<Cow<'_, [f64]>>,
    ) -> Result<Option<Self>, SparseDataError> {
        let Some(centre) = centre else { return Ok(None) };
        let mut nodes: Vec<CentredNode> = Vec::new();
        for node in graph.readers() {
            let own = match &node.ranges[..] {
                [weight, bias] if node.op.is_linear_map() => {
                    CentredNode { weight: weight.clone(), bias: bias.clone() }
                }
                _ => {
                    let (node, op) = (node.name.clone(), node.op.name());
                    return Err(SparseDataError::NoBias { node, op });
                }
            };
            let alike = |other: &Node| {
                other.inputs == node.inputs
                    && other.op.is_linear_map()
                    && other.blocks == node.blocks
            };
            let bias = node.blocks[1];
            let alone = node.blocks[0] != bias
                && graph.nodes.iter().all(|n| !n.blocks.contains(&bias) || alike(n));
            if !alone {
                let block = graph.parameters().blocks()[bias].name.clone();
                return Err(SparseDataError::SharedBias { node: node.name.clone(), block });
            }
            if !nodes.contains(&own) {
                nodes.push(own);
            }
        }
        Ok(Some(Self { centre: centre.into_owned(), nodes }))
    }

    /// T for the centre of `inputs`.
    pub(crate) fn of(
        graph: &Graph,
        inputs: &SparseInputs,
    ) -> Result<Option<Self>, SparseDataError> {
        graph.check_sparse()?;
        Self::new(graph, inputs.centre().map(Cow::Borrowed))
    }

    /// μ.
    pub(crate) fn centre(&self) -> &[f64] {
        &self.centre
    }

    /// `theta` ← T·`theta`.
    pub(crate) fn apply(&self, theta: &mut [f64]) {
        for CentredNode { weight, bias } in &self.nodes {
            let c = bias.len();
            let mut shift = vec![0.0; c];
            for (column, centre) in theta[weight.clone()].chunks_exact(c).zip(&self.centre) {
                for (shift, weight) in shift.iter_mut().zip(column) {
                    *shift += weight * centre;
                }
            }
            for (bias, shift) in theta[bias.clone()].iter_mut().zip(&shift) {
                *bias -= shift;
            }
        }
    }

    /// `gradient` ← Tᵀ·`gradient`.
    pub(crate) fn apply_transposed(&self, gradient: &mut [f64]) {
        for CentredNode { weight, bias } in &self.nodes {
            let c = bias.len();
            if let [bias] = gradient[bias.clone()] {
                for (weight, centre) in gradient[weight.clone()].iter_mut().zip(&self.centre) {
                    *weight -= bias * centre;
                }
                continue;
            }
            let own = gradient[bias.clone()].to_vec();
            let columns = gradient[weight.clone()].chunks_exact_mut(c);
            for (column, centre) in columns.zip(&self.centre) {
                for (weight, bias) in column.iter_mut().zip(&own) {
                    *weight -= bias * centre;
                }
            }
        }
    }

    /// `matrix` ← Tᵀ·`matrix`·T, of a symmetric one.
    pub(crate) fn apply_both(&self, mut matrix: MatMut<'_, f64>) {
        let n = matrix.ncols();
        let mut buffer = vec![0.0; n];
        for j in 0..n {
            let mut column = matrix.as_mut().col_mut(j);
            buffer.iter_mut().enumerate().for_each(|(i, entry)| *entry = column[i]);
            self.apply_transposed(&mut buffer);
            buffer.iter().enumerate().for_each(|(i, entry)| column[i] = *entry);
        }
        for CentredNode { weight, bias } in &self.nodes {
            let c = bias.len();
            for (at, centre) in weight.clone().zip(self.centre.iter().flat_map(|m| vec![*m; c])) {
                let from = bias.start + (at - weight.start) % c;
                for i in 0..n {
                    let moved = centre * matrix[(i, from)];
                    matrix[(i, at)] -= moved;
                }
            }
        }
        // Both triangles differ by rounding.
        for j in 1..n {
            for i in 0..j {
                let mean = 0.5 * (matrix[(i, j)] + matrix[(j, i)]);
                (matrix[(i, j)], matrix[(j, i)]) = (mean, mean);
            }
        }
    }
}
