//! z = x ⋆ W + b, the convolution of an image (or a sequence) with kernels, as other libraries define it: without flipping them.
//!
//! z[o, c] = b[c] + Σ_k Σ_t W[t, k, c] · x[o·stride + t·dilation − padding, k], zero where x has no entry; with groups, channel c sees the
//! input channels of its group only.
//!
//! Sample by sample, with the patch matrix P (pixels × K, [`patches`](super::patches)): z = P·W, W̄ += Pᵀ·z̄, P̄ = z̄·Wᵀ added back to x̄; W is
//! K × channels, column-major, which is the channels × inputs × height × width of other libraries, row-major. P is formed for as many rows
//! of the output as fit the cache; where a kernel is a single tap, x itself is P.
//!
//! Cost per sample: K·pixels·channels multiply–adds for the value, as much for each of x̄ and W̄, every step a GEMM; beside them K·pixels
//! numbers to copy for each of z and W̄, and to add for x̄. Source: Chellapilla, Puri & Simard (2006), §3.

use super::patches::{gather, scatter};
use super::scratch::with_scratch;
use super::window::{Plane, Window, as_list, channels, ones, out_of_range, zeros};
use super::{AdjointSlot, At, Bar, Dependence, Dot, Op, OpDescription, one_input};
use crate::elementwise::sum;
use crate::params::{ParamSpec, Role};
use crate::shape::{Shape, ShapeError};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Bytes that a patch matrix should stay below: with W and z it is used again out of the L2 cache.
const PATCH_BYTES: usize = 256 << 10;

const WEIGHT: usize = 0;
const BIAS: usize = 1;

/// Convolution of a sequence, `[length, channels]`.
///
/// ```
/// use secant_core::op::{Conv1d, Op};
/// use secant_core::shape::Shape;
/// let conv = Conv1d::new(6, [5]).with_stride([2]);
/// assert_eq!(conv.output_shape(&[Shape::new([99, 3])])?, Shape::new([48, 6]));
/// # Ok::<(), secant_core::shape::ShapeError>(())
/// ```
pub type Conv1d = Conv<1>;

/// Convolution of an image, `[width, height, channels]`; options are (width, height) pairs.
///
/// ```
/// use secant_core::op::{Conv2d, Op};
/// use secant_core::shape::Shape;
/// let conv = Conv2d::new(8, [5, 3]).with_padding([2, 1]).with_stride([2, 2]);
/// let shape = Shape::new([28, 28, 3]);
/// assert_eq!(conv.output_shape(&[shape.clone()])?, Shape::new([14, 14, 8]));
/// assert_eq!(conv.params(&[shape])[0].len(), 8 * 3 * 3 * 5);
/// # Ok::<(), secant_core::shape::ShapeError>(())
/// ```
pub type Conv2d = Conv<2>;

/// A convolution along D axes, 1 or 2: [`Conv1d`], [`Conv2d`]. Options have an entry for an axis, the fastest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(serialize = "", deserialize = "[usize; D]: Deserialize<'de>"))]
pub struct Conv<const D: usize> {
    /// Channels of the output.
    channels: usize,
    /// Taps along each axis.
    #[serde(serialize_with = "as_list")]
    kernel: [usize; D],
    #[serde(default = "ones", serialize_with = "as_list")]
    stride: [usize; D],
    #[serde(default = "zeros", serialize_with = "as_list")]
    padding: [usize; D],
    #[serde(default = "ones", serialize_with = "as_list")]
    dilation: [usize; D],
    #[serde(default = "one")]
    groups: usize,
    #[serde(default = "yes")]
    bias: bool,
}

const fn one() -> usize {
    1
}

const fn yes() -> bool {
    true
}

impl<const D: usize> Conv<D> {
    /// `channels` output channels from kernels of so many taps; stride 1, no padding, one group, with bias.
    pub fn new(channels: usize, kernel: [usize; D]) -> Self {
        let (stride, padding, dilation) = (ones(), zeros(), ones());
        Self { channels, kernel, stride, padding, dilation, groups: 1, bias: true }
    }
    /// Inputs from one output to the next, ≥ 1.
    pub fn with_stride(self, stride: [usize; D]) -> Self {
        Self { stride, ..self }
    }
    /// Zeros before and behind the input.
    pub fn with_padding(self, padding: [usize; D]) -> Self {
        Self { padding, ..self }
    }
    /// Inputs from one tap to the next, ≥ 1.
    pub fn with_dilation(self, dilation: [usize; D]) -> Self {
        Self { dilation, ..self }
    }
    /// Input and output channels are cut into so many groups, and an output sees the inputs of its own: 1 for all, as many as there are
    /// input channels for a convolution of each alone (depthwise).
    pub fn with_groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }
    /// The same without a bias.
    pub fn without_bias(self) -> Self {
        Self { bias: false, ..self }
    }

    fn window(&self) -> Window<D> {
        let Self { kernel, stride, padding, dilation, .. } = *self;
        Window { kernel, stride, padding, dilation }
    }

    /// K: the inputs of one output.
    fn fan_in(&self, input: &Shape) -> usize {
        let taps = self.kernel.iter().fold(1, |taps: usize, &k| taps.saturating_mul(k));
        (channels(input) / self.groups.max(1)).saturating_mul(taps)
    }

    fn geometry(&self, at: At<'_>) -> Geometry {
        let input = at.x.shape(0);
        let plane = self.window().on(input);
        let fan_in = self.fan_in(input);
        let row = fan_in.saturating_mul(8).saturating_mul(plane.width.output);
        let most = if plane.is_pointwise() { usize::MAX } else { PATCH_BYTES / row };
        // Strips of about the same length.
        let strips = plane.height.output.div_ceil(most.clamp(1, plane.height.output));
        Geometry {
            plane,
            batch: at.batch,
            groups: self.groups,
            inputs: channels(input) / self.groups * plane.inputs(),
            channels: self.channels / self.groups,
            fan_in,
            strip: plane.height.output.div_ceil(strips),
        }
    }

    /// z ← b in every pixel, or 0.
    fn fill(&self, geometry: &Geometry, theta: super::Params<'_>, z: &mut [f64]) {
        if !self.bias {
            return z.fill(0.0);
        }
        let bias = theta.get(BIAS).iter().cycle();
        for (plane, bias) in z.chunks_exact_mut(geometry.plane.outputs()).zip(bias) {
            plane.fill(*bias);
        }
    }

    /// b̄ += the sum of z̄ over pixels and samples.
    fn add_bias(&self, geometry: &Geometry, z_bar: &[f64], bar: &mut Bar<'_>) {
        if !self.bias {
            return;
        }
        let b_bar = bar.theta.get(BIAS);
        for (index, plane) in z_bar.chunks_exact(geometry.plane.outputs()).enumerate() {
            b_bar[index % self.channels] += sum(plane);
        }
    }
}

impl<const D: usize> Op for Conv<D> {
    fn name(&self) -> String {
        format!("conv{D}d")
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options(&self.name(), self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = one_input(inputs)?;
        let window = self.window();
        window.check(input)?;
        if self.groups == 0 {
            return Err(out_of_range("groups", 0, "at least 1"));
        }
        for (channels, side) in [(channels(input), "input"), (self.channels, "output")] {
            if channels % self.groups != 0 {
                return Err(ShapeError::Groups { groups: self.groups, channels, side });
            }
        }
        if self.channels == 0 {
            return Err(out_of_range("channels", 0, "at least 1"));
        }
        Ok(window.output(input, self.channels))
    }

    fn params(&self, inputs: &[Shape]) -> Vec<ParamSpec> {
        let fan_in = self.fan_in(&inputs[0]);
        let taps = fan_in / (channels(&inputs[0]) / self.groups);
        // An input is met by every tap of every kernel of its group.
        let fan_out = (self.channels / self.groups).saturating_mul(taps);
        let (rows, cols) = (fan_in, self.channels);
        let mut params = vec![ParamSpec {
            name: "weight".into(),
            rows,
            cols,
            role: Role::Weight,
            fan_in,
            fan_out,
        }];
        if self.bias {
            params.push(ParamSpec::bias("bias", self.channels));
        }
        params
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        let geometry = self.geometry(at);
        self.fill(&geometry, at.theta, z);
        geometry.add_output(at.x.get(0), at.theta.get(WEIGHT), z);
    }

    /// ż = ẋ ⋆ W + x ⋆ Ẇ + ḃ.
    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        let geometry = self.geometry(at);
        self.fill(&geometry, dot.theta, z_dot);
        geometry.add_output(at.x.get(0), dot.theta.get(WEIGHT), z_dot);
        if let Some(x_dot) = dot.x.get(0) {
            geometry.add_output(x_dot, at.theta.get(WEIGHT), z_dot);
        }
    }

    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let geometry = self.geometry(at);
        geometry.add_weight(at.x.get(0), z_bar, bar.theta.get(WEIGHT));
        self.add_bias(&geometry, z_bar, bar);
        if let Some(slot) = bar.x.slot(0) {
            geometry.add_input([(z_bar, at.theta.get(WEIGHT))], slot);
        }
    }

    fn adjoint_tangent(
        &self,
        at: At<'_>,
        _z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        let geometry = self.geometry(at);
        geometry.add_weight(at.x.get(0), z_bar_dot, bar.theta.get(WEIGHT));
        if let Some(x_dot) = dot.x.get(0) {
            geometry.add_weight(x_dot, z_bar, bar.theta.get(WEIGHT));
        }
        self.add_bias(&geometry, z_bar_dot, bar);
        if let Some(slot) = bar.x.slot(0) {
            let terms = [(z_bar_dot, at.theta.get(WEIGHT)), (z_bar, dot.theta.get(WEIGHT))];
            geometry.add_input(terms, slot);
        }
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        // Bilinear in x and W.
        if active[0] { Dependence::Nonlinear } else { Dependence::Affine }
    }

    fn flops(&self, inputs: &[Shape], output: &Shape) -> usize {
        self.fan_in(&inputs[0]).saturating_mul(output.len()).saturating_mul(2)
    }

    fn columns(&self, _inputs: &[Shape], output: &Shape) -> usize {
        output.len() / self.channels
    }
}

/// A convolution on a tile.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    plane: Plane,
    batch: usize,
    groups: usize,
    /// Entries of a sample's input in one group.
    inputs: usize,
    /// Output channels of a group.
    channels: usize,
    /// K.
    fan_in: usize,
    /// Rows of the output that one patch matrix covers.
    strip: usize,
}

/// The part of a convolution that one patch matrix serves: some rows of the output of one group of one sample.
#[derive(Clone, Debug)]
struct Strip {
    rows: Range<usize>,
    /// Entries of x, of all samples: the group's channels.
    x: Range<usize>,
    /// Entries of W.
    weight: Range<usize>,
    /// First entry of z, of all samples.
    z: usize,
}

impl Geometry {
    fn strips(self) -> impl Iterator<Item = Strip> {
        let rows = self.plane.height.output;
        let weights = self.fan_in * self.channels;
        let outputs = self.plane.outputs() * self.channels;
        (0..self.batch * self.groups).flat_map(move |part| {
            let weight = part % self.groups * weights;
            (0..rows).step_by(self.strip).map(move |first| Strip {
                rows: first..(first + self.strip).min(rows),
                x: part * self.inputs..(part + 1) * self.inputs,
                weight: weight..weight + weights,
                z: part * outputs + first * self.plane.width.output,
            })
        })
    }

    fn pixels(&self, strip: &Strip) -> usize {
        strip.rows.len() * self.plane.width.output
    }

    /// Entries of the longest patch matrix that is formed.
    fn scratch(&self) -> usize {
        if self.plane.is_pointwise() {
            0
        } else {
            self.strip * self.plane.width.output * self.fan_in
        }
    }

    /// P: pixels × K, formed in `scratch` where it is not x itself.
    fn patches<'a>(&self, strip: &Strip, x: &'a [f64], scratch: &'a mut [f64]) -> MatRef<'a, f64> {
        let x = &x[strip.x.clone()];
        let pixels = self.pixels(strip);
        if self.plane.is_pointwise() {
            return MatRef::from_column_major_slice(x, pixels, self.fan_in);
        }
        let patches = &mut scratch[..pixels * self.fan_in];
        gather(self.plane, x, &strip.rows, patches);
        MatRef::from_column_major_slice(patches, pixels, self.fan_in)
    }

    /// The group's kernels: K × channels.
    fn kernels<'a>(&self, strip: &Strip, weight: &'a [f64]) -> MatRef<'a, f64> {
        let weight = &weight[strip.weight.clone()];
        MatRef::from_column_major_slice(weight, self.fan_in, self.channels)
    }

    /// The strip of the output: pixels × channels.
    fn output<'a>(&self, strip: &Strip, z: &'a [f64]) -> MatRef<'a, f64> {
        let (pixels, stride) = (self.pixels(strip), self.plane.outputs());
        MatRef::from_column_major_slice_with_stride(&z[strip.z..], pixels, self.channels, stride)
    }

    /// z += P(x)·W.
    fn add_output(&self, x: &[f64], weight: &[f64], z: &mut [f64]) {
        let stride = self.plane.outputs();
        with_scratch(self.scratch(), |scratch| {
            for strip in self.strips() {
                let patches = self.patches(&strip, x, scratch);
                let z = MatMut::from_column_major_slice_with_stride_mut(
                    &mut z[strip.z..],
                    patches.nrows(),
                    self.channels,
                    stride,
                );
                matmul(z, Accum::Add, patches, self.kernels(&strip, weight), 1.0, Par::Seq);
            }
        });
    }

    /// W̄ += P(x)ᵀ·z̄.
    fn add_weight(&self, x: &[f64], z_bar: &[f64], w_bar: &mut [f64]) {
        with_scratch(self.scratch(), |scratch| {
            for strip in self.strips() {
                let patches = self.patches(&strip, x, scratch);
                let w_bar = &mut w_bar[strip.weight.clone()];
                let w_bar = MatMut::from_column_major_slice_mut(w_bar, self.fan_in, self.channels);
                let z_bar = self.output(&strip, z_bar);
                matmul(w_bar, Accum::Add, patches.transpose(), z_bar, 1.0, Par::Seq);
            }
        });
    }

    /// x̄ += the sum of z̄·Wᵀ over the terms (z̄, W), each patch added to where it was taken from.
    fn add_input<const T: usize>(&self, terms: [(&[f64], &[f64]); T], slot: AdjointSlot<'_>) {
        let x_bar = slot.zeroed();
        let add_terms = |strip: &Strip, patches: &mut [f64], first: Accum| {
            let (pixels, mut accum) = (self.pixels(strip), first);
            for (z_bar, weight) in terms {
                let patches = MatMut::from_column_major_slice_mut(patches, pixels, self.fan_in);
                let kernels = self.kernels(strip, weight).transpose();
                matmul(patches, accum, self.output(strip, z_bar), kernels, 1.0, Par::Seq);
                accum = Accum::Add;
            }
        };
        with_scratch(self.scratch(), |scratch| {
            for strip in self.strips() {
                let x_bar = &mut x_bar[strip.x.clone()];
                if self.plane.is_pointwise() {
                    add_terms(&strip, x_bar, Accum::Add);
                } else {
                    let patches = &mut scratch[..self.pixels(&strip) * self.fan_in];
                    add_terms(&strip, patches, Accum::Replace);
                    scatter(self.plane, patches, &strip.rows, x_bar);
                }
            }
        });
    }
}
