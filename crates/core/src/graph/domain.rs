//! Data that a node cannot take.

use super::Graph;
use crate::text::quoted;

/// A number in the data that is outside of a node's domain.
#[derive(Clone, PartialEq, thiserror::Error)]
#[error(
    "node `{}`: {place} of sample {sample} is {value}, must be an integer from 0 to {last} (standardised inputs are none)",
    quoted(node)
)]
pub struct DomainError {
    /// Name of the node.
    pub node: String,
    /// `feature 3`, or `entry 3 of its input` where that is computed from several features.
    pub place: String,
    /// Sample, from 0.
    pub sample: usize,
    /// The number.
    pub value: f64,
    /// The largest integer allowed.
    pub last: usize,
}

impl std::fmt::Debug for DomainError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Graph {
    /// What to call entry `entry` of value `value` in messages: the feature that it is a copy of, where it is one.
    pub(crate) fn place_name(&self, value: usize, entry: usize) -> String {
        let (mut from, mut at) = (value, entry);
        while from > 0 {
            let node = &self.nodes[from - 1];
            let shapes: Vec<_> = node.inputs.iter().map(|&i| self.shapes[i].clone()).collect();
            let Some((input, source)) = node.op.origin(&shapes, at) else {
                return format!("entry {entry} of its input");
            };
            (from, at) = (node.inputs[input], source);
        }
        format!("feature {at}")
    }
}
