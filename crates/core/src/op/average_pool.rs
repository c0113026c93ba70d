//! z = the mean of x under a window, channel by channel.
//!
//! z[o, c] = (1/m) Σ_t x[o·stride + t − padding, c], where x has entries; m is the number of taps, or of those on the input.
//! Linear: ż is the same of ẋ, and x̄ gets z̄/m at every tap. Cost: taps additions per output, on whole vectors ([`phases`](super::phases)). As PyTorch's `AvgPool2d`, with
//! ⌊·⌋ for the output's size.

use super::linear_node::LinearNode;
use super::phases::Phases;
use super::scratch::with_scratch;
use super::window::{Plane, Window, as_list, as_optional_list, channels, ones, zeros};
use super::{AdjointSlot, OpDescription};
use crate::elementwise::vectorize;
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// Means over windows of a sequence, `[length, channels]`.
pub type AvgPool1d = AvgPool<1>;

/// Means over windows of an image, `[width, height, channels]`; options are (width, height) pairs.
///
/// ```
/// use secant_core::op::{AvgPool2d, Op};
/// use secant_core::shape::Shape;
/// let pool = AvgPool2d::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]);
/// let shape = Shape::new([14, 14, 5]);
/// assert_eq!(pool.output_shape(&[shape.clone()])?, shape);
/// # Ok::<(), secant_core::shape::ShapeError>(())
/// ```
pub type AvgPool2d = AvgPool<2>;

/// Average pooling along D axes, 1 or 2: [`AvgPool1d`], [`AvgPool2d`]. Options have an entry for an axis, the fastest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    bound(
        serialize = "",
        deserialize = "[usize; D]: Deserialize<'de>, Option<[usize; D]>: Deserialize<'de>"
    )
)]
pub struct AvgPool<const D: usize> {
    #[serde(serialize_with = "as_list")]
    kernel: [usize; D],
    /// The kernel where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "as_optional_list")]
    stride: Option<[usize; D]>,
    #[serde(default = "zeros", serialize_with = "as_list")]
    padding: [usize; D],
    /// Whether m counts the padding too.
    #[serde(default = "yes")]
    count_padding: bool,
}

const fn yes() -> bool {
    true
}

impl<const D: usize> AvgPool<D> {
    /// Windows of so many taps side by side: the stride is the kernel. No padding.
    pub fn new(kernel: [usize; D]) -> Self {
        Self { kernel, stride: None, padding: zeros(), count_padding: true }
    }
    /// Inputs from one output to the next, ≥ 1.
    pub fn with_stride(self, stride: [usize; D]) -> Self {
        Self { stride: Some(stride), ..self }
    }
    /// Zeros before and behind the input, at most half of the kernel.
    pub fn with_padding(self, padding: [usize; D]) -> Self {
        Self { padding, ..self }
    }
    /// The mean is over the entries of the input alone, the padding not counted.
    pub fn without_padding_counted(self) -> Self {
        Self { count_padding: false, ..self }
    }

    fn window(&self) -> Window<D> {
        let stride = self.stride.unwrap_or(self.kernel);
        Window { kernel: self.kernel, stride, padding: self.padding, dilation: ones() }
    }

    /// `weights` ← 1/m of every output of a channel.
    fn write_weights(&self, plane: Plane, weights: &mut [f64]) {
        if self.count_padding {
            return weights.fill(1.0 / plane.taps() as f64);
        }
        for (y, weights) in weights.chunks_exact_mut(plane.width.output).enumerate() {
            let rows = plane.height.covered(y);
            for (x, weight) in weights.iter_mut().enumerate() {
                *weight = 1.0 / (plane.width.covered(x) * rows) as f64;
            }
        }
    }
}

impl<const D: usize> LinearNode for AvgPool<D> {
    fn name(&self) -> String {
        format!("avg_pool{D}d")
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options(&self.name(), self)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, ShapeError> {
        self.window().check(input)?;
        self.window().check_covered(input)?;
        Ok(self.window().output(input, channels(input)))
    }

    /// z ← the means of x.
    fn apply(&self, input: &Shape, x: &[f64], out: &mut [f64]) {
        let plane = self.window().on(input);
        let phases = Phases::new(plane);
        with_scratch(plane.outputs() + phases.len() + phases.outputs(), |scratch| {
            let (weights, scratch) = scratch.split_at_mut(plane.outputs());
            let (padded, sums) = scratch.split_at_mut(phases.len());
            self.write_weights(plane, weights);
            vectorize(
                #[inline(always)]
                || {
                    let channels = x.chunks_exact(plane.inputs());
                    for (x, z) in channels.zip(out.chunks_exact_mut(plane.outputs())) {
                        phases.load(x, 0.0, padded);
                        sums.fill(0.0);
                        for tap in 0..plane.taps() {
                            let x = &padded[phases.under(tap)..];
                            sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
                        }
                        phases.collect(sums, z);
                        z.iter_mut().zip(&*weights).for_each(|(z, weight)| *z *= weight);
                    }
                },
            );
        });
    }

    /// x̄ += z̄/m at every tap.
    fn add_transposed(&self, input: &Shape, z_bar: &[f64], x_bar: AdjointSlot<'_>) {
        let plane = self.window().on(input);
        let phases = Phases::new(plane);
        let x_bar = x_bar.zeroed();
        with_scratch(2 * plane.outputs() + phases.len() + phases.outputs(), |scratch| {
            let (weights, scratch) = scratch.split_at_mut(plane.outputs());
            let (shares, scratch) = scratch.split_at_mut(plane.outputs());
            let (padded, pitched) = scratch.split_at_mut(phases.len());
            self.write_weights(plane, weights);
            vectorize(
                #[inline(always)]
                || {
                    let channels = x_bar.chunks_exact_mut(plane.inputs());
                    for (x_bar, z_bar) in channels.zip(z_bar.chunks_exact(plane.outputs())) {
                        let terms = z_bar.iter().zip(&*weights);
                        shares.iter_mut().zip(terms).for_each(|(share, (z, w))| *share = z * w);
                        phases.spread(shares, 0.0, pitched);
                        padded.fill(0.0);
                        for tap in 0..plane.taps() {
                            let x_bar = &mut padded[phases.under(tap)..];
                            x_bar.iter_mut().zip(&*pitched).for_each(|(x, share)| *x += share);
                        }
                        phases.add_to(padded, x_bar);
                    }
                },
            );
        });
    }

    fn flops(&self, input: &Shape, output: &Shape) -> usize {
        self.window().on(input).taps().saturating_mul(output.len())
    }
}
