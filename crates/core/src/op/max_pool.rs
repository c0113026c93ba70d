//! z = the largest of x under a window, channel by channel.
//!
//! z[o, c] = max_t x[o·stride + t·dilation − padding, c] over the taps on the input. Where several entries are the largest, the *first* in the
//! order of the taps (along the width, then the height) is the winner, as in PyTorch. ż is ẋ of the winner, and x̄ gets z̄ there: the
//! derivative at a tie is that of one of the pieces that meet. ∂²z/∂x² = 0 off the ties. A NaN makes its windows NaN.
//!
//! The winner is found again from x and z where it is needed; nothing is kept. Cost: taps comparisons per output, on whole vectors
//! ([`phases`](super::phases)).

use super::phases::Phases;
use super::scratch::with_scratch;
use super::window::{Window, as_list, as_optional_list, channels, ones, zeros};
use super::{At, Bar, Dependence, Dot, Op, OpDescription, one_input};
use crate::elementwise::vectorize;
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// Maxima over windows of a sequence, `[length, channels]`.
pub type MaxPool1d = MaxPool<1>;

/// Maxima over windows of an image, `[width, height, channels]`; options are (width, height) pairs.
///
/// ```
/// use secant_core::op::{MaxPool2d, Op};
/// use secant_core::shape::Shape;
/// let pool = MaxPool2d::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]);
/// assert_eq!(pool.output_shape(&[Shape::new([14, 14, 5])])?, Shape::new([7, 7, 5]));
/// # Ok::<(), secant_core::shape::ShapeError>(())
/// ```
pub type MaxPool2d = MaxPool<2>;

/// Max pooling along D axes, 1 or 2: [`MaxPool1d`], [`MaxPool2d`]. Options have an entry for an axis, the fastest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    bound(
        serialize = "",
        deserialize = "[usize; D]: Deserialize<'de>, Option<[usize; D]>: Deserialize<'de>"
    )
)]
pub struct MaxPool<const D: usize> {
    #[serde(serialize_with = "as_list")]
    kernel: [usize; D],
    /// The kernel where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "as_optional_list")]
    stride: Option<[usize; D]>,
    #[serde(default = "zeros", serialize_with = "as_list")]
    padding: [usize; D],
    #[serde(default = "ones", serialize_with = "as_list")]
    dilation: [usize; D],
}

impl<const D: usize> MaxPool<D> {
    /// Windows of so many taps side by side: the stride is the kernel. No padding.
    pub fn new(kernel: [usize; D]) -> Self {
        Self { kernel, stride: None, padding: zeros(), dilation: ones() }
    }
    /// Inputs from one output to the next, ≥ 1.
    pub fn with_stride(self, stride: [usize; D]) -> Self {
        Self { stride: Some(stride), ..self }
    }
    /// Places before and behind the input that never win, at most half of what the kernel spans.
    pub fn with_padding(self, padding: [usize; D]) -> Self {
        Self { padding, ..self }
    }
    /// Inputs from one tap to the next, ≥ 1.
    pub fn with_dilation(self, dilation: [usize; D]) -> Self {
        Self { dilation, ..self }
    }

    fn window(&self) -> Window<D> {
        let stride = self.stride.unwrap_or(self.kernel);
        Window { kernel: self.kernel, stride, padding: self.padding, dilation: self.dilation }
    }

    /// x̄ += z̄ at the winners.
    fn add_to_winners(&self, at: At<'_>, z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let Some(slot) = bar.x.slot(0) else { return };
        let plane = self.window().on(at.x.shape(0));
        let phases = Phases::new(plane);
        let (inputs, outputs) = (plane.inputs(), plane.outputs());
        let (x, x_bar) = (at.x.get(0), slot.zeroed());
        with_scratch(2 * (phases.len() + phases.outputs()), |scratch| {
            let (padded, scratch) = scratch.split_at_mut(phases.len());
            let (padded_bar, scratch) = scratch.split_at_mut(phases.len());
            let (pitched, rest) = scratch.split_at_mut(phases.outputs());
            vectorize(
                #[inline(always)]
                || {
                    let channels = x.chunks_exact(inputs).zip(x_bar.chunks_exact_mut(inputs));
                    let seeds = z.chunks_exact(outputs).zip(z_bar.chunks_exact(outputs));
                    for ((x, x_bar), (z, z_bar)) in channels.zip(seeds) {
                        phases.load(x, f64::NEG_INFINITY, padded);
                        phases.spread(z, f64::NAN, pitched);
                        phases.spread(z_bar, 0.0, rest);
                        padded_bar.fill(0.0);
                        for tap in 0..plane.taps() {
                            let first = phases.under(tap);
                            give(pitched, rest, &padded[first..], &mut padded_bar[first..]);
                        }
                        phases.add_to(padded_bar, x_bar);
                    }
                },
            );
        });
    }
}

/// z ← max(z, x). A NaN wins, and stays.
#[inline(always)]
fn greater(z: f64, x: f64) -> f64 {
    if x > z || x.is_nan() { x } else { z }
}

/// ż ← ẋ where x is z.
#[inline(always)]
fn take(z: &[f64], z_dot: &mut [f64], x: &[f64], x_dot: &[f64]) {
    let n = z.len();
    let (z_dot, x, x_dot) = (&mut z_dot[..n], &x[..n], &x_dot[..n]);
    for i in 0..n {
        z_dot[i] = if x[i] == z[i] { x_dot[i] } else { z_dot[i] };
    }
}

/// x̄ += `rest` where x is z; what is given away leaves a zero for the equals that come later.
#[inline(always)]
fn give(z: &[f64], rest: &mut [f64], x: &[f64], x_bar: &mut [f64]) {
    let n = z.len();
    let (rest, x, x_bar) = (&mut rest[..n], &x[..n], &mut x_bar[..n]);
    for i in 0..n {
        let (share, kept) = if x[i] == z[i] { (rest[i], 0.0) } else { (0.0, rest[i]) };
        x_bar[i] += share;
        rest[i] = kept;
    }
}

impl<const D: usize> Op for MaxPool<D> {
    fn name(&self) -> String {
        format!("max_pool{D}d")
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options(&self.name(), self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = one_input(inputs)?;
        self.window().check(input)?;
        self.window().check_covered(input)?;
        Ok(self.window().output(input, channels(input)))
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        let plane = self.window().on(at.x.shape(0));
        let phases = Phases::new(plane);
        let x = at.x.get(0);
        with_scratch(phases.len() + phases.outputs(), |scratch| {
            let (padded, largest) = scratch.split_at_mut(phases.len());
            vectorize(
                #[inline(always)]
                || {
                    let channels = x.chunks_exact(plane.inputs());
                    for (x, z) in channels.zip(z.chunks_exact_mut(plane.outputs())) {
                        phases.load(x, f64::NEG_INFINITY, padded);
                        largest.fill(f64::NEG_INFINITY);
                        for tap in 0..plane.taps() {
                            let x = &padded[phases.under(tap)..];
                            largest.iter_mut().zip(x).for_each(|(z, x)| *z = greater(*z, *x));
                        }
                        phases.collect(largest, z);
                    }
                },
            );
        });
    }

    fn tangent(&self, at: At<'_>, z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        let Some(x_dot) = dot.x.get(0) else { return z_dot.fill(0.0) };
        let plane = self.window().on(at.x.shape(0));
        let phases = Phases::new(plane);
        let (inputs, outputs) = (plane.inputs(), plane.outputs());
        let x = at.x.get(0);
        with_scratch(2 * (phases.len() + phases.outputs()), |scratch| {
            let (padded, scratch) = scratch.split_at_mut(phases.len());
            let (padded_dot, scratch) = scratch.split_at_mut(phases.len());
            let (pitched, pitched_dot) = scratch.split_at_mut(phases.outputs());
            vectorize(
                #[inline(always)]
                || {
                    let channels = x.chunks_exact(inputs).zip(x_dot.chunks_exact(inputs));
                    let values = z.chunks_exact(outputs).zip(z_dot.chunks_exact_mut(outputs));
                    for ((x, x_dot), (z, z_dot)) in channels.zip(values) {
                        phases.load(x, f64::NEG_INFINITY, padded);
                        phases.load(x_dot, 0.0, padded_dot);
                        phases.spread(z, f64::NAN, pitched);
                        pitched_dot.fill(0.0);
                        // From the last tap to the first, so that the first of equals is what stays.
                        for tap in (0..plane.taps()).rev() {
                            let first = phases.under(tap);
                            take(pitched, pitched_dot, &padded[first..], &padded_dot[first..]);
                        }
                        phases.collect(pitched_dot, z_dot);
                    }
                },
            );
        });
    }

    fn adjoint(&self, at: At<'_>, z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        self.add_to_winners(at, z, z_bar, bar);
    }

    /// x̄˙ += z̄˙ at the winners, which do not move.
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
        self.add_to_winners(at, z, z_bar_dot, bar);
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if active[0] { Dependence::Nonlinear } else { Dependence::Affine }
    }

    fn flops(&self, inputs: &[Shape], output: &Shape) -> usize {
        self.window().on(&inputs[0]).taps().saturating_mul(output.len())
    }
}
