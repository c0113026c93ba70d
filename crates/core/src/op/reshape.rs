//! z = x with other extents: nothing moves, since one sample is contiguous whatever its shape.

use super::linear_node::LinearNode;
use super::{AdjointSlot, OpDescription};
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// The same entries in another shape of as many, the fastest axis first.
///
/// ```
/// use secant_core::graph::Graph;
/// use secant_core::op::{Dense, Flatten, LayerNorm, Reshape};
/// use secant_core::shape::Shape;
///
/// let mut g = Graph::builder(12);
/// let rows = g.node("rows", Reshape::new([4, 3]), &[g.input()])?;
/// let normed = g.node("norm", LayerNorm::over(1), &[rows])?; // each of 3 runs of 4
/// let flat = g.node("flat", Flatten, &[normed])?;
/// assert_eq!(g.shape(flat), Some(&Shape::vector(12)));
/// # Ok::<(), secant_core::graph::GraphError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reshape {
    /// Extents of the output; their product is that of the input's.
    pub shape: Shape,
}

/// The same entries as a vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flatten;

impl Reshape {
    /// To these extents.
    pub fn new(extents: impl Into<Vec<usize>>) -> Self {
        Self { shape: Shape::new(extents) }
    }
}

impl LinearNode for Reshape {
    fn name(&self) -> String {
        "reshape".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("reshape", self)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, ShapeError> {
        if input.len() == self.shape.len() {
            return Ok(self.shape.clone());
        }
        let expected = format!("{} entries for the shape {}", self.shape.len(), self.shape);
        Err(ShapeError::Unexpected { index: 0, expected, found: input.clone() })
    }

    fn apply(&self, _input: &Shape, x: &[f64], out: &mut [f64]) {
        out.copy_from_slice(x);
    }

    fn add_transposed(&self, _input: &Shape, z_bar: &[f64], x_bar: AdjointSlot<'_>) {
        x_bar.add_slice(z_bar);
    }

    fn origin(&self, _input: &Shape, entry: usize) -> Option<usize> {
        Some(entry)
    }
}

impl LinearNode for Flatten {
    fn name(&self) -> String {
        "flatten".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        Some(OpDescription::plain("flatten"))
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, ShapeError> {
        Ok(Shape::vector(input.len()))
    }

    fn apply(&self, _input: &Shape, x: &[f64], out: &mut [f64]) {
        out.copy_from_slice(x);
    }

    fn add_transposed(&self, _input: &Shape, z_bar: &[f64], x_bar: AdjointSlot<'_>) {
        x_bar.add_slice(z_bar);
    }

    fn origin(&self, _input: &Shape, entry: usize) -> Option<usize> {
        Some(entry)
    }
}
