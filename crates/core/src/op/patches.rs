//! The patch matrix of an image (im2col) and its transpose (col2im).
//!
//! P: pixels × K, column-major, a row for an output pixel and a column for a tap in a channel, K = channels · taps: column
//! (channel · height + y) · width + x. A column is the channel itself, shifted; with unit strides and a padding that keeps the width it
//! is one run of it. Source: Chellapilla, Puri & Simard (2006), §3.

use super::phases::copy_every_second;
use super::window::{Axis, Plane};
use crate::elementwise::vectorize;
use std::ops::Range;

/// `patches` ← P for the given rows of the output: `rows · width.output` × K for `image` of K / taps channels.
pub(super) fn gather(plane: Plane, image: &[f64], rows: &Range<usize>, patches: &mut [f64]) {
    let pixels = rows.len() * plane.width.output;
    let taps = plane.taps();
    vectorize(
        #[inline(always)]
        || {
            for index in 0..taps {
                let tap = Tap::new(plane, index, rows);
                let columns = patches.chunks_exact_mut(pixels).skip(index).step_by(taps);
                for (channel, column) in image.chunks_exact(plane.inputs()).zip(columns) {
                    gather_tap(&tap, channel, column);
                }
            }
        },
    );
}

/// `image` += Pᵀ·1 in the sense of `gather`'s transpose: every entry of `patches` is added to the input it was taken from. The
/// entries in the padding are overwritten.
pub(super) fn scatter(plane: Plane, patches: &mut [f64], rows: &Range<usize>, image: &mut [f64]) {
    let pixels = rows.len() * plane.width.output;
    let taps = plane.taps();
    vectorize(
        #[inline(always)]
        || {
            for index in 0..taps {
                let tap = Tap::new(plane, index, rows);
                let columns = patches.chunks_exact_mut(pixels).skip(index).step_by(taps);
                for (channel, column) in image.chunks_exact_mut(plane.inputs()).zip(columns) {
                    scatter_tap(&tap, column, channel);
                }
            }
        },
    );
}

/// A tap within some rows of the output.
#[derive(Clone, Debug)]
struct Tap {
    plane: Plane,
    place: [usize; 2],
    rows: Range<usize>,
    /// Outputs of a row whose tap lies on the input.
    across: Range<usize>,
    /// Rows whose tap lies on the input.
    down: Range<usize>,
}

impl Tap {
    #[inline(always)]
    fn new(plane: Plane, tap: usize, rows: &Range<usize>) -> Self {
        let place = plane.tap(tap);
        let (across, down) = (plane.width.reach(place[0]), plane.height.reach(place[1]));
        let down = down.start.max(rows.start)..down.end.min(rows.end);
        Self { plane, place, rows: rows.clone(), across, down }
    }

    /// Whether all of it lies in the padding.
    #[inline(always)]
    fn is_outside(&self) -> bool {
        self.across.is_empty() || self.down.is_empty()
    }

    /// The outputs from the first on the input to the last, within the rows, and the inputs that they are where the tap is a shift.
    #[inline(always)]
    fn shifted(&self) -> (Range<usize>, Range<usize>) {
        let Axis { input: width, .. } = self.plane.width;
        let length = (self.down.len() - 1) * width + self.across.len();
        let start = (self.down.start - self.rows.start) * width + self.across.start;
        let input = self.plane.height.under(self.down.start, self.place[1]) * width
            + self.plane.width.under(self.across.start, self.place[0]);
        (start..start + length, input..input + length)
    }

    /// Zeroes what lies in the padding.
    #[inline(always)]
    fn clear_padding(&self, column: &mut [f64]) {
        let width = self.plane.width.output;
        let on_input =
            (self.down.start - self.rows.start) * width..(self.down.end - self.rows.start) * width;
        column[..on_input.start].fill(0.0);
        column[on_input.end..].fill(0.0);
        if self.across.len() == width {
            return;
        }
        for row in column[on_input].chunks_exact_mut(width) {
            // Few entries: a loop, where `fill` would be a call.
            for entry in 0..self.across.start {
                row[entry] = 0.0;
            }
            for entry in self.across.end..width {
                row[entry] = 0.0;
            }
        }
    }
}

#[inline(always)]
fn gather_tap(tap: &Tap, channel: &[f64], column: &mut [f64]) {
    if tap.is_outside() {
        return column.fill(0.0);
    }
    let width = tap.plane.width.output;
    if tap.plane.is_shift() {
        let (outputs, inputs) = tap.shifted();
        column[outputs].copy_from_slice(&channel[inputs]);
    } else {
        let first = tap.rows.start * width;
        for run in tap.plane.runs(tap.place, tap.down.clone()) {
            let outputs = &mut column[run.outputs.start - first..run.outputs.end - first];
            let inputs = &channel[run.input..];
            match run.stride {
                1 => outputs.copy_from_slice(&inputs[..outputs.len()]),
                2 => copy_every_second(inputs, outputs),
                stride => {
                    for (output, input) in outputs.iter_mut().zip(inputs.iter().step_by(stride)) {
                        *output = *input;
                    }
                }
            }
        }
    }
    tap.clear_padding(column);
}

#[inline(always)]
fn scatter_tap(tap: &Tap, column: &mut [f64], channel: &mut [f64]) {
    if tap.is_outside() {
        return;
    }
    let width = tap.plane.width.output;
    if tap.plane.is_shift() {
        // What leaves a row at its end would be added to the next one.
        tap.clear_padding(column);
        let (outputs, inputs) = tap.shifted();
        for (input, output) in channel[inputs].iter_mut().zip(&column[outputs]) {
            *input += output;
        }
        return;
    }
    let first = tap.rows.start * width;
    for run in tap.plane.runs(tap.place, tap.down.clone()) {
        let outputs = &column[run.outputs.start - first..run.outputs.end - first];
        let inputs = &mut channel[run.input..];
        if run.stride == 1 {
            for (input, output) in inputs.iter_mut().zip(outputs) {
                *input += output;
            }
        } else {
            for (input, output) in inputs.iter_mut().step_by(run.stride).zip(outputs) {
                *input += output;
            }
        }
    }
}
