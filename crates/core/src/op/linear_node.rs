//! Nodes z = L·x of one input with an L that nothing changes: ż = L·ẋ, x̄ += Lᵀz̄, x̄˙ += Lᵀz̄˙.

use super::{AdjointSlot, At, Bar, Dependence, Dot, Op, OpDescription, one_input};
use crate::shape::{Shape, ShapeError};
use std::fmt::Debug;

/// A linear node without parameters: two methods give all four of [`Op`].
pub(super) trait LinearNode: Debug + Send + Sync {
    /// [`Op::name`].
    fn name(&self) -> String;
    /// [`Op::describe`].
    fn describe(&self) -> Option<OpDescription>;
    /// [`Op::output_shape`].
    fn output_shape(&self, input: &Shape) -> Result<Shape, ShapeError>;
    /// `out` ← L·x, sample by sample.
    fn apply(&self, input: &Shape, x: &[f64], out: &mut [f64]);
    /// x̄ += Lᵀ·`z_bar`, sample by sample.
    fn add_transposed(&self, input: &Shape, z_bar: &[f64], x_bar: AdjointSlot<'_>);
    /// [`Op::flops`]. Default 0: entries are only moved.
    fn flops(&self, input: &Shape, output: &Shape) -> usize {
        let _ = (input, output);
        0
    }
    /// The entry of the input that entry `entry` of the output is a copy of, as in [`Op::origin`].
    fn origin(&self, input: &Shape, entry: usize) -> Option<usize> {
        let _ = (input, entry);
        None
    }
}

impl<T: LinearNode> Op for T {
    fn name(&self) -> String {
        LinearNode::name(self)
    }

    fn describe(&self) -> Option<OpDescription> {
        LinearNode::describe(self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        LinearNode::output_shape(self, one_input(inputs)?)
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        self.apply(at.x.shape(0), at.x.get(0), z);
    }

    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        match dot.x.get(0) {
            Some(x_dot) => self.apply(at.x.shape(0), x_dot, z_dot),
            None => z_dot.fill(0.0),
        }
    }

    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        if let Some(x_bar) = bar.x.slot(0) {
            self.add_transposed(at.x.shape(0), z_bar, x_bar);
        }
    }

    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        _z_bar: &[f64],
        _dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        self.adjoint(at, z, z_bar_dot, bar);
    }

    fn dependence(&self, _active: &[bool]) -> Dependence {
        Dependence::Affine
    }

    fn flops(&self, inputs: &[Shape], output: &Shape) -> usize {
        LinearNode::flops(self, &inputs[0], output)
    }

    fn origin(&self, inputs: &[Shape], entry: usize) -> Option<(usize, usize)> {
        Some((0, LinearNode::origin(self, inputs.first()?, entry)?))
    }
}
