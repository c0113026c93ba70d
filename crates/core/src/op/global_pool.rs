//! z_c = the mean of channel c of an image or a sequence: a vector of as many entries as there are channels.
//!
//! Linear. Lin, Chen & Yan (2014), arXiv:1312.4400, §3.2.

use super::linear_node::LinearNode;
use super::window::channels;
use super::{AdjointSlot, OpDescription};
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

impl LinearNode for GlobalAvgPool {
    fn name(&self) -> String {
        "global_avg_pool".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        Some(OpDescription::plain("global_avg_pool"))
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, ShapeError> {
        if input.extents().len() < 2 {
            let expected = "[length, channels] or [width, height, channels]".into();
            return Err(ShapeError::Unexpected { index: 0, expected, found: input.clone() });
        }
        Ok(Shape::vector(channels(input)))
    }

    fn apply(&self, input: &Shape, x: &[f64], out: &mut [f64]) {
        let pixels = pixels(input);
        for (z, channel) in out.iter_mut().zip(x.chunks_exact(pixels)) {
            *z = sum(channel) / pixels as f64;
        }
    }

    fn add_transposed(&self, input: &Shape, z_bar: &[f64], x_bar: AdjointSlot<'_>) {
        let pixels = pixels(input);
        for (x_bar, z_bar) in x_bar.zeroed().chunks_exact_mut(pixels).zip(z_bar) {
            let share = z_bar / pixels as f64;
            for x_bar in x_bar {
                *x_bar += share;
            }
        }
    }

    fn flops(&self, input: &Shape, _output: &Shape) -> usize {
        input.len()
    }
}

fn pixels(input: &Shape) -> usize {
    input.len() / channels(input)
}
