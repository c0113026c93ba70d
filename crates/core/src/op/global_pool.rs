//! z_c = the mean of channel c of an image or a sequence: a vector of as many entries as there are channels.
//!
//! Linear. Lin, Chen & Yan (2014), arXiv:1312.4400, §3.2.

use super::window::channels;
use super::{At, Bar, Dependence, Dot, Op, OpDescription, one_input};
use crate::elementwise::sum;
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// The mean over all axes but the last.
///
/// ```
/// use secant_core::op::{GlobalAvgPool, Op};
/// use secant_core::shape::Shape;
/// assert_eq!(GlobalAvgPool.output_shape(&[Shape::new([7, 7, 24])])?, Shape::vector(24));
/// # Ok::<(), secant_core::shape::ShapeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalAvgPool;

/// z ← the means of the channels of x.
fn average(x: &[f64], pixels: usize, z: &mut [f64]) {
    for (z, channel) in z.iter_mut().zip(x.chunks_exact(pixels)) {
        *z = sum(channel) / pixels as f64;
    }
}

fn pixels(at: At<'_>) -> usize {
    at.x.rows(0) / channels(at.x.shape(0))
}

impl Op for GlobalAvgPool {
    fn name(&self) -> String {
        "global_avg_pool".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        Some(OpDescription::plain("global_avg_pool"))
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = one_input(inputs)?;
        if input.extents().len() < 2 {
            let expected = "[length, channels] or [width, height, channels]".into();
            return Err(ShapeError::Unexpected { index: 0, expected, found: input.clone() });
        }
        Ok(Shape::vector(channels(input)))
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        average(at.x.get(0), pixels(at), z);
    }

    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        match dot.x.get(0) {
            Some(x_dot) => average(x_dot, pixels(at), z_dot),
            None => z_dot.fill(0.0),
        }
    }

    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let Some(slot) = bar.x.slot(0) else { return };
        let pixels = pixels(at);
        for (x_bar, z_bar) in slot.zeroed().chunks_exact_mut(pixels).zip(z_bar) {
            let share = z_bar / pixels as f64;
            for x_bar in x_bar {
                *x_bar += share;
            }
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

    fn flops(&self, inputs: &[Shape], _output: &Shape) -> usize {
        inputs[0].len()
    }
}
