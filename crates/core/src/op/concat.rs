//! z = [x₀; x₁; …]: the features of all inputs, one below the other, or the channels of all images.
//!
//! Channels are the slowest axis, so that a sample's images after one another are one image of all their channels.

use super::{At, Bar, Dependence, Dot, Op, OpDescription};
use crate::shape::{Shape, ShapeError};

/// Concatenation. Images (or sequences) of one width and height are joined along the channels; where one of the inputs is a vector,
/// or they differ in the number of axes, all are flattened and joined to a vector. Images of different sizes are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat;

impl Op for Concat {
    fn name(&self) -> String {
        "concat".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        Some(OpDescription::plain("concat"))
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let Some(first) = inputs.first() else {
            return Err(ShapeError::InputCount { expected: 1, found: 0 });
        };
        let axes = first.extents().len();
        if axes > 1 && inputs.iter().all(|shape| shape.extents().len() == axes) {
            return joined_channels(first, inputs);
        }
        Ok(Shape::vector(inputs.iter().map(Shape::len).fold(0, usize::saturating_add)))
    }

    fn origin(&self, inputs: &[Shape], entry: usize) -> Option<(usize, usize)> {
        let mut first = 0;
        for (index, input) in inputs.iter().enumerate() {
            if entry < first + input.len() {
                return Some((index, entry - first));
            }
            first += input.len();
        }
        None
    }

    fn flops(&self, _inputs: &[Shape], _output: &Shape) -> usize {
        0
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        for_each_part(at, |input, rows, first, total| {
            let parts = at.x.get(input).chunks_exact(rows);
            for (z, x) in z.chunks_exact_mut(total).zip(parts) {
                z[first..first + rows].copy_from_slice(x);
            }
        });
    }

    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        z_dot.fill(0.0);
        for_each_part(at, |input, rows, first, total| {
            if let Some(x_dot) = dot.x.get(input) {
                for (z, x) in z_dot.chunks_exact_mut(total).zip(x_dot.chunks_exact(rows)) {
                    z[first..first + rows].copy_from_slice(x);
                }
            }
        });
    }

    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        for_each_part(at, |input, rows, first, total| {
            if let Some(slot) = bar.x.slot(input) {
                let x_bar = slot.zeroed().chunks_exact_mut(rows);
                for (x_bar, z_bar) in x_bar.zip(z_bar.chunks_exact(total)) {
                    for (x_bar, z_bar) in x_bar.iter_mut().zip(&z_bar[first..first + rows]) {
                        *x_bar += z_bar;
                    }
                }
            }
        });
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
}

/// The shape of all channels, where the other extents agree.
fn joined_channels(first: &Shape, inputs: &[Shape]) -> Result<Shape, ShapeError> {
    let split = |shape: &Shape| {
        let extents = shape.extents();
        (extents[..extents.len() - 1].to_vec(), extents[extents.len() - 1])
    };
    let (mut extents, mut channels) = (split(first).0, 0_usize);
    for (index, shape) in inputs.iter().enumerate() {
        let (pixels, own) = split(shape);
        if pixels != extents {
            let (first, found) = (first.clone(), shape.clone());
            return Err(ShapeError::Unjoinable { index, first, found });
        }
        channels = channels.saturating_add(own);
    }
    extents.push(channels);
    Ok(Shape::new(extents))
}

/// Calls `part(input, rows, first row in z, rows of z)` for every input.
fn for_each_part(at: At<'_>, mut part: impl FnMut(usize, usize, usize, usize)) {
    let total = (0..at.x.len()).map(|input| at.x.rows(input)).sum();
    let mut first = 0;
    for input in 0..at.x.len() {
        let rows = at.x.rows(input);
        part(input, rows, first, total);
        first += rows;
    }
}
