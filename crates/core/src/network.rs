//! The usual networks in one line.
//!
//! ```
//! use secant_core::network::Network;
//! use secant_core::op::Activation;
//!
//! let net = Network::mlp([8, 32, 32, 1], Activation::Tanh);
//! assert_eq!(net.graph()?.parameters().dim(), 8 * 32 + 32 + 32 * 32 + 32 + 32 + 1);
//!
//! let same = Network::sequential(8)
//!     .dense(32)
//!     .node(Activation::Tanh)
//!     .dense(32)
//!     .node(Activation::Tanh)
//!     .dense(1)
//!     .build();
//! assert_eq!(same.graph()?.parameters(), net.graph()?.parameters());
//! # Ok::<(), secant_core::graph::GraphError>(())
//! ```

use crate::graph::{Graph, GraphBuilder, GraphError, NodeId};
use crate::init::Init;
use crate::op::{Activation, Dense, Op};
use std::collections::HashMap;
use std::sync::Arc;

/// A graph with its initialisation. A mistake made while building is kept and returned by [`graph`](Self::graph), so that a
/// network can be written in one expression.
#[derive(Clone, Debug)]
pub struct Network {
    graph: Result<Arc<Graph>, GraphError>,
    init: Init,
}

/// A stack of nodes being written; [`build`](Self::build) finishes it.
#[derive(Debug)]
pub struct Sequential {
    state: Result<(GraphBuilder, NodeId), GraphError>,
    /// Names given so far, by kind: `dense1`, `tanh1`, `dense2` …
    counts: HashMap<String, usize>,
}

impl Network {
    /// Dense layers of the given widths (input first, output last) with `activation` between them, none at the end.
    ///
    /// Initialised by He's rule for rectifiers, by Glorot's otherwise.
    pub fn mlp(widths: impl AsRef<[usize]>, activation: Activation) -> Self {
        let (&input, layers) = widths.as_ref().split_first().unwrap_or((&0, &[]));
        let mut stack = Self::sequential(input);
        for (layer, &width) in layers.iter().enumerate() {
            if layer > 0 {
                stack = stack.node(activation);
            }
            stack = stack.dense(width);
        }
        let rectifier = matches!(activation, Activation::Relu | Activation::LeakyRelu { .. });
        stack.build().with_init(if rectifier { Init::He } else { Init::Glorot })
    }

    /// f = W·x + b with `outputs` outputs, started at zero.
    pub fn linear(features: usize, outputs: usize) -> Self {
        Self::sequential(features).dense(outputs).build().with_init(Init::Zeros)
    }

    /// Starts a stack of nodes on `features` input features.
    pub fn sequential(features: usize) -> Sequential {
        let builder = Graph::builder(features);
        let input = builder.input();
        Sequential { state: Ok((builder, input)), counts: HashMap::new() }
    }

    /// Sets how θ is drawn.
    pub fn with_init(self, init: Init) -> Self {
        Self { init, ..self }
    }

    /// How θ is drawn.
    pub fn init(&self) -> Init {
        self.init
    }

    /// The graph.
    ///
    /// # Errors
    /// The first mistake made while the network was written.
    pub fn graph(&self) -> Result<&Arc<Graph>, GraphError> {
        self.graph.as_ref().map_err(Clone::clone)
    }

    /// A start drawn from `seed`.
    ///
    /// # Errors
    /// As [`graph`](Self::graph).
    pub fn draw(&self, seed: u64) -> Result<Vec<f64>, GraphError> {
        Ok(self.init.draw(self.graph()?.parameters(), seed))
    }
}

impl From<Graph> for Network {
    fn from(graph: Graph) -> Self {
        Self { graph: Ok(Arc::new(graph)), init: Init::default() }
    }
}

impl From<Sequential> for Network {
    fn from(stack: Sequential) -> Self {
        stack.build()
    }
}

impl Sequential {
    /// Appends a dense layer with bias.
    pub fn dense(self, outputs: usize) -> Self {
        self.node(Dense::new(outputs))
    }

    /// Appends any node with one input: an [`Activation`], a dense layer without bias, a node of one's own.
    pub fn node(mut self, op: impl Op + 'static) -> Self {
        if let Ok((builder, last)) = &mut self.state {
            let kind = op.name();
            let count = self.counts.entry(kind.clone()).or_insert(0);
            *count += 1;
            match builder.node(&format!("{kind}{count}"), op, &[*last]) {
                Ok(node) => *last = node,
                Err(error) => self.state = Err(error),
            }
        }
        self
    }

    /// Finishes the network.
    pub fn build(self) -> Network {
        let graph = self.state.and_then(|(builder, last)| builder.build(last)).map(Arc::new);
        Network { graph, init: Init::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_a_stack_is_returned_with_the_name_of_its_node() {
        let message = Network::mlp([3, 0, 1], Activation::Tanh).graph().unwrap_err().to_string();
        assert!(message.contains("`dense1`"), "{message}");
        assert!(Network::mlp([], Activation::Tanh).graph().is_err());
        assert!(Network::mlp([3], Activation::Tanh).graph().is_err());
    }
}
