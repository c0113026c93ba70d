//! A window that slides over the channels of an image or a sequence: which inputs lie under which outputs.
//!
//! Output o and tap k of an axis meet at input i = o·stride + k·dilation − padding, where 0 ≤ i < input; elsewhere is padding. So that
//! output = ⌊(input + 2·padding − (kernel − 1)·dilation − 1)/stride⌋ + 1  (Dumoulin & Visin 2016, arXiv:1603.07285).

use crate::shape::{Shape, ShapeError};
use serde::Serializer;
use std::ops::Range;

/// An option of a window may be at most this, so that products of two fit an integer.
const MAX_OPTION: usize = 1 << 31;

/// The default of strides and dilations.
pub(super) const fn ones<const D: usize>() -> [usize; D] {
    [1; D]
}

/// The default of paddings.
pub(super) const fn zeros<const D: usize>() -> [usize; D] {
    [0; D]
}

/// Options of D axes as a list; serde knows arrays of some lengths only.
pub(super) fn as_list<S: Serializer, const D: usize>(
    options: &[usize; D],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(options)
}

/// The same of options that may be left out.
#[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
pub(super) fn as_optional_list<S: Serializer, const D: usize>(
    options: &Option<[usize; D]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match options {
        Some(options) => as_list(options, serializer),
        None => serializer.serialize_none(),
    }
}

/// What D options say of one axis each, fastest axis first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<const D: usize> {
    pub(super) kernel: [usize; D],
    pub(super) stride: [usize; D],
    pub(super) padding: [usize; D],
    pub(super) dilation: [usize; D],
}

impl<const D: usize> Window<D> {
    /// Whether the options are in their ranges and the window fits onto an input of this shape.
    pub(super) fn check(&self, shape: &Shape) -> Result<(), ShapeError> {
        let extents = shape.extents();
        if extents.len() != D + 1 {
            let expected = match D {
                1 => "[length, channels]",
                _ => "[width, height, channels]",
            };
            let (expected, found) = (expected.into(), shape.clone());
            return Err(ShapeError::Unexpected { index: 0, expected, found });
        }
        for axis in 0..D {
            at_least_one("kernel", self.kernel[axis])?;
            at_least_one("stride", self.stride[axis])?;
            at_least_one("dilation", self.dilation[axis])?;
            if self.padding[axis] > MAX_OPTION {
                return Err(out_of_range("padding", self.padding[axis], "from 0 to 2^31"));
            }
            let along = self.axis(extents, axis);
            if along.span() > along.padded() {
                return Err(ShapeError::Window {
                    axis: match (D, axis) {
                        (1, _) => "length",
                        (_, 0) => "width",
                        _ => "height",
                    },
                    kernel: along.kernel,
                    dilation: along.dilation,
                    span: along.span(),
                    padded: along.padded(),
                });
            }
        }
        Ok(())
    }

    /// Whether every window lies on the input with at least one tap, as it must where something is chosen from it.
    pub(super) fn check_covered(&self, shape: &Shape) -> Result<(), ShapeError> {
        for axis in 0..D {
            let along = self.axis(shape.extents(), axis);
            if along.padding > along.span() / 2 {
                let allowed = "at most half of what the kernel spans";
                return Err(out_of_range("padding", along.padding, allowed));
            }
            // The first tap past the padding lies among the first `dilation` inputs.
            if along.padding > 0 && along.dilation > along.input {
                let allowed = "at most the input's extent where there is padding";
                return Err(out_of_range("dilation", along.dilation, allowed));
            }
        }
        Ok(())
    }

    /// The window on one channel of an input that was checked.
    pub(super) fn on(&self, shape: &Shape) -> Plane {
        const { assert!(D == 1 || D == 2, "windows slide along one axis or two") };
        let extents = shape.extents();
        match D {
            // A sequence stands upright: a row is one entry, so that parts of it are rows.
            1 => Plane { width: Axis::SINGLE, height: self.axis(extents, 0) },
            _ => Plane { width: self.axis(extents, 0), height: self.axis(extents, 1) },
        }
    }

    /// The output's shape for so many channels.
    pub(super) fn output(&self, shape: &Shape, channels: usize) -> Shape {
        let mut extents: Vec<usize> =
            (0..D).map(|axis| self.axis(shape.extents(), axis).output).collect();
        extents.push(channels);
        Shape::new(extents)
    }

    fn axis(&self, extents: &[usize], axis: usize) -> Axis {
        let along = Axis {
            input: extents[axis],
            output: 1,
            kernel: self.kernel[axis],
            stride: self.stride[axis],
            padding: self.padding[axis],
            dilation: self.dilation[axis],
        };
        let output = along.padded().saturating_sub(along.span()) / along.stride.max(1) + 1;
        Axis { output, ..along }
    }
}

fn at_least_one(option: &'static str, value: usize) -> Result<(), ShapeError> {
    match value {
        1..=MAX_OPTION => Ok(()),
        _ => Err(out_of_range(option, value, "from 1 to 2^31")),
    }
}

pub(super) fn out_of_range(
    option: &'static str,
    value: usize,
    allowed: &'static str,
) -> ShapeError {
    ShapeError::Option { option, value: value as f64, allowed }
}

/// The channels of an image: its slowest axis.
pub(super) fn channels(shape: &Shape) -> usize {
    shape.extents().last().copied().unwrap_or(0)
}

/// A window along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) dilation: usize,
}

impl Axis {
    /// The other axis of a sequence.
    const SINGLE: Self =
        Self { input: 1, output: 1, kernel: 1, stride: 1, padding: 0, dilation: 1 };

    /// Inputs from the first tap to the last.
    pub(super) fn span(&self) -> usize {
        self.kernel.saturating_sub(1).saturating_mul(self.dilation).saturating_add(1)
    }

    /// Inputs with the padding on both sides.
    fn padded(&self) -> usize {
        self.input.saturating_add(self.padding.saturating_mul(2))
    }

    /// The outputs whose tap `tap` lies on the input; the first of them has it on input [`under`](Self::under).
    pub(super) fn reach(&self, tap: usize) -> Range<usize> {
        let offset = tap * self.dilation;
        let first = self.padding.saturating_sub(offset);
        let end = (self.input + self.padding).saturating_sub(offset);
        // A division takes longer than the rest together.
        let (first, end) = match self.stride {
            1 => (first, end),
            stride => (first.div_ceil(stride), end.div_ceil(stride)),
        };
        let end = end.min(self.output);
        first.min(end)..end
    }

    /// The input under tap `tap` of `output`, which is within its reach.
    pub(super) fn under(&self, output: usize, tap: usize) -> usize {
        output * self.stride + tap * self.dilation - self.padding
    }

    /// The taps of `output` that lie on the input.
    pub(super) fn covered(&self, output: usize) -> usize {
        (0..self.kernel).filter(|&tap| self.reach(tap).contains(&output)).count()
    }

    /// Whether an output is an input: no taps beside it, no steps, no padding.
    fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.padding == 0
    }
}

/// A window on one channel: `width.input × height.input` entries, a row after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plane {
    pub(super) width: Axis,
    pub(super) height: Axis,
}

/// Outputs that lie side by side, and the inputs under one of their taps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The outputs, as entries of the plane.
    pub(super) outputs: Range<usize>,
    /// The input under the first of them, an entry of the plane.
    pub(super) input: usize,
    /// Entries from one input to the next.
    pub(super) stride: usize,
}

impl Plane {
    /// Entries of a channel of the input.
    pub(super) fn inputs(&self) -> usize {
        self.width.input * self.height.input
    }

    /// Entries of a channel of the output.
    pub(super) fn outputs(&self) -> usize {
        self.width.output * self.height.output
    }

    /// The number of taps.
    pub(super) fn taps(&self) -> usize {
        self.width.kernel.saturating_mul(self.height.kernel)
    }

    /// The tap's place along the width and the height.
    pub(super) fn tap(&self, index: usize) -> [usize; 2] {
        [index % self.width.kernel, index / self.width.kernel]
    }

    /// The runs of a tap within the given rows of the output: a run for a row, or one for all where a row is a single entry.
    #[inline(always)]
    pub(super) fn runs(
        self,
        [x, y]: [usize; 2],
        rows: Range<usize>,
    ) -> impl Iterator<Item = Run> + Clone {
        let (across, down) = (self.width.reach(x), self.height.reach(y));
        let rows = down.start.max(rows.start)..down.end.min(rows.end);
        let upright = self.width.input == 1 && self.width.output == 1;
        let count = if across.is_empty() || rows.is_empty() {
            0
        } else if upright {
            1
        } else {
            rows.len()
        };
        (0..count).map(
            #[inline(always)]
            move |index| {
                let row = rows.start + index;
                let input = self.height.under(row, y) * self.width.input;
                let input = input + self.width.under(across.start, x);
                if upright {
                    return Run { outputs: rows.clone(), input, stride: self.height.stride };
                }
                let start = row * self.width.output;
                let outputs = start + across.start..start + across.end;
                Run { outputs, input, stride: self.width.stride }
            },
        )
    }

    /// Whether an output is an input.
    pub(super) fn is_pointwise(&self) -> bool {
        self.width.is_pointwise() && self.height.is_pointwise()
    }

    /// Whether the output is as wide as the input and takes no steps: the inputs under a tap are then one run, shifted, but for
    /// what leaves a row at its ends.
    pub(super) fn is_shift(&self) -> bool {
        self.width.stride == 1 && self.height.stride == 1 && self.width.output == self.width.input
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against the definition, output by output and tap by tap.
        #[test]
        fn runs_are_the_pairs_of_the_definition(
            input in prop::array::uniform2(1_usize..9),
            kernel in prop::array::uniform2(1_usize..5),
            stride in prop::array::uniform2(1_usize..4),
            padding in prop::array::uniform2(0_usize..5),
            dilation in prop::array::uniform2(1_usize..4),
        ) {
            let window = Window { kernel, stride, padding, dilation };
            let shape = Shape::new([input[0], input[1], 3]);
            if window.check(&shape).is_err() {
                return Ok(());
            }
            let plane = window.on(&shape);
            for tap in 0..plane.taps() {
                let [x, y] = plane.tap(tap);
                let mut expected = Vec::new();
                for row in 0..plane.height.output {
                    for column in 0..plane.width.output {
                        let i = (column * stride[0] + x * dilation[0]).checked_sub(padding[0]);
                        let j = (row * stride[1] + y * dilation[1]).checked_sub(padding[1]);
                        if let (Some(i), Some(j)) = (i, j)
                            && i < input[0]
                            && j < input[1]
                        {
                            expected.push((row * plane.width.output + column, j * input[0] + i));
                        }
                    }
                }
                let runs = plane.runs([x, y], 0..plane.height.output);
                let found: Vec<(usize, usize)> = runs
                    .flat_map(|run| {
                        let inputs = (run.input..).step_by(run.stride);
                        run.outputs.zip(inputs).collect::<Vec<_>>()
                    })
                    .collect();
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn covered_windows_have_a_tap_on_the_input(
            input in 1_usize..9,
            kernel in 1_usize..5,
            stride in 1_usize..4,
            padding in 0_usize..5,
            dilation in 1_usize..12,
        ) {
            let [kernel, stride, padding, dilation] =
                [kernel, stride, padding, dilation].map(|option| [option]);
            let window = Window { kernel, stride, padding, dilation };
            let shape = Shape::new([input, 1]);
            if window.check(&shape).is_err() || window.check_covered(&shape).is_err() {
                return Ok(());
            }
            let axis = window.on(&shape).height;
            let mut covered = vec![false; axis.output];
            for tap in 0..axis.kernel {
                axis.reach(tap).for_each(|output| covered[output] = true);
            }
            prop_assert!(covered.iter().all(|&output| output));
        }
    }
}
