//! The node values kept from a forward sweep over one tile, and what the other sweeps write.

use crate::graph::Graph;

/// Values z and adjoints z̄ of all nodes for one tile.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    pub(crate) values: Vec<f64>,
    pub(crate) adjoints: Vec<f64>,
}

impl Tape {
    /// Room for `samples` samples.
    pub(crate) fn new(graph: &Graph, samples: usize) -> Self {
        Self {
            values: vec![0.0; graph.layout.value_rows * samples],
            adjoints: vec![0.0; graph.layout.active_rows * samples],
        }
    }
}

/// Tangents ż and adjoint tangents z̄˙ of all nodes for one tile.
#[derive(Debug, Default)]
pub(crate) struct TangentTape {
    pub(crate) tangents: Vec<f64>,
    pub(crate) adjoint_tangents: Vec<f64>,
}

impl TangentTape {
    /// Room for `samples` samples.
    pub(crate) fn new(graph: &Graph, samples: usize) -> Self {
        let entries = graph.layout.active_rows * samples;
        Self { tangents: vec![0.0; entries], adjoint_tangents: vec![0.0; entries] }
    }
}
