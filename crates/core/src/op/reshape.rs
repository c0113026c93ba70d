//! z = x with other extents: nothing moves, since one sample is contiguous whatever its shape.

use super::{At, Bar, Dependence, Dot, Op, OpDescription, one_input};
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

impl Op for Reshape {
    fn name(&self) -> String {
        "reshape".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("reshape", self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = one_input(inputs)?;
        if input.len() == self.shape.len() {
            return Ok(self.shape.clone());
        }
        let expected = format!("{} entries for the shape {}", self.shape.len(), self.shape);
        Err(ShapeError::Unexpected { index: 0, expected, found: input.clone() })
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        z.copy_from_slice(at.x.get(0));
    }

    fn tangent(&self, _at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        copy_tangent(dot, z_dot);
    }

    fn adjoint(&self, _at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        add_adjoint(z_bar, bar);
    }

    fn adjoint_tangent(
        &self,
        _at: At<'_>,
        _z: &[f64],
        _z_bar: &[f64],
        _dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        add_adjoint(z_bar_dot, bar);
    }

    fn dependence(&self, _active: &[bool]) -> Dependence {
        Dependence::Affine
    }

    fn flops(&self, _inputs: &[Shape], _output: &Shape) -> usize {
        0
    }

    fn origin(&self, _inputs: &[Shape], entry: usize) -> Option<(usize, usize)> {
        Some((0, entry))
    }
}

impl Op for Flatten {
    fn name(&self) -> String {
        "flatten".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        Some(OpDescription::plain("flatten"))
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Ok(Shape::vector(one_input(inputs)?.len()))
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        z.copy_from_slice(at.x.get(0));
    }

    fn tangent(&self, _at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        copy_tangent(dot, z_dot);
    }

    fn adjoint(&self, _at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        add_adjoint(z_bar, bar);
    }

    fn adjoint_tangent(
        &self,
        _at: At<'_>,
        _z: &[f64],
        _z_bar: &[f64],
        _dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        add_adjoint(z_bar_dot, bar);
    }

    fn dependence(&self, _active: &[bool]) -> Dependence {
        Dependence::Affine
    }

    fn flops(&self, _inputs: &[Shape], _output: &Shape) -> usize {
        0
    }

    fn origin(&self, _inputs: &[Shape], entry: usize) -> Option<(usize, usize)> {
        Some((0, entry))
    }
}

/// ż ← ẋ.
fn copy_tangent(dot: Dot<'_>, z_dot: &mut [f64]) {
    match dot.x.get(0) {
        Some(x_dot) => z_dot.copy_from_slice(x_dot),
        None => z_dot.fill(0.0),
    }
}

/// x̄ += z̄.
fn add_adjoint(z_bar: &[f64], bar: &mut Bar<'_>) {
    if let Some(slot) = bar.x.slot(0) {
        slot.add_slice(z_bar);
    }
}
