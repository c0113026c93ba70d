//! A channel with its padding, cut into the phases of the stride: what lies under a tap of a window is then one run, for all outputs.
//!
//! Entry q of the padded axis belongs to phase q mod stride, at place ⌊q / stride⌋. Output o meets tap t at q = o·stride + t·dilation: in
//! the phase of t·dilation, o places behind its own. Outputs are kept at the pitch of the phases, so that the runs of all rows are one;
//! the places between two rows, and behind the last one, are of no output.

use super::window::{Axis, Plane};

/// The phases of a channel under a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phases {
    plane: Plane,
    /// Places of a phase along the width: the pitch of the rows.
    pitch: usize,
    /// Rows of a phase.
    rows: usize,
    /// Phases that a tap falls into, along the width and the height.
    count: [usize; 2],
}

impl Phases {
    pub(super) fn new(plane: Plane) -> Self {
        // Long rows: a sequence lies down.
        let plane = if plane.width.input == 1 && plane.width.output == 1 && plane.width.kernel == 1
        {
            Plane { width: plane.height, height: plane.width }
        } else {
            plane
        };
        let places = |axis: &Axis| axis.output + (axis.span() - 1) / axis.stride;
        let count = |axis: &Axis| axis.span().min(axis.stride);
        Self {
            plane,
            pitch: places(&plane.width),
            rows: places(&plane.height),
            count: [count(&plane.width), count(&plane.height)],
        }
    }

    /// Entries of all phases.
    pub(super) fn len(&self) -> usize {
        self.count[0] * self.count[1] * self.rows * self.pitch
    }

    /// Entries from the first output to the last at the pitch of the phases.
    pub(super) fn outputs(&self) -> usize {
        (self.plane.height.output - 1) * self.pitch + self.plane.width.output
    }

    /// Where the run under a tap begins; it is as long as the [`outputs`](Self::outputs).
    #[inline(always)]
    pub(super) fn under(&self, tap: usize) -> usize {
        let [x, y] = self.plane.tap(tap);
        let (x, y) = (x * self.plane.width.dilation, y * self.plane.height.dilation);
        let (width, height) = (self.plane.width.stride, self.plane.height.stride);
        let phase = y % height * self.count[0] + x % width;
        (phase * self.rows + y / height) * self.pitch + x / width
    }

    /// `phases` ← `channel`, `padding` where it has no entry.
    #[inline(always)]
    pub(super) fn load(&self, channel: &[f64], padding: f64, phases: &mut [f64]) {
        phases.fill(padding);
        self.each_row(|row, stride, first| {
            let inputs = &channel[row.input..row.input + row.extent];
            let places = &mut phases[first..first + row.places];
            match stride {
                1 => places.copy_from_slice(&inputs[..row.places]),
                2 => copy_every_second(inputs, places),
                _ => {
                    for (place, input) in places.iter_mut().zip(inputs.iter().step_by(stride)) {
                        *place = *input;
                    }
                }
            }
        });
    }

    /// `channel` += `phases`; what lies in the padding is dropped.
    #[inline(always)]
    pub(super) fn add_to(&self, phases: &[f64], channel: &mut [f64]) {
        self.each_row(|row, stride, first| {
            let inputs = &mut channel[row.input..row.input + row.extent];
            let places = &phases[first..first + row.places];
            if stride == 1 {
                inputs.iter_mut().zip(places).for_each(|(input, place)| *input += place);
            } else {
                let inputs = inputs.iter_mut().step_by(stride);
                inputs.zip(places).for_each(|(input, place)| *input += place);
            }
        });
    }

    /// Calls `row` with the entries of the channel that are a row of a phase, their stride, and the first place.
    #[inline(always)]
    fn each_row(&self, mut call: impl FnMut(Row, usize, usize)) {
        let Plane { width, height } = self.plane;
        for x in 0..self.count[0] {
            // The first input of this phase, and its place.
            let first = (x + width.stride - width.padding % width.stride) % width.stride;
            let place = (first + width.padding) / width.stride;
            if first >= width.input || place >= self.pitch {
                continue;
            }
            let places = (width.input - first).div_ceil(width.stride).min(self.pitch - place);
            let extent = (places - 1) * width.stride + 1;
            let (mut y, mut down) =
                (height.padding % height.stride, height.padding / height.stride);
            for input in 0..height.input {
                if y < self.count[1] && down < self.rows {
                    let phase = y * self.count[0] + x;
                    let row = Row { input: input * width.input + first, extent, places };
                    call(row, width.stride, (phase * self.rows + down) * self.pitch + place);
                }
                y += 1;
                if y == height.stride {
                    (y, down) = (0, down + 1);
                }
            }
        }
    }

    /// `pitched` ← z at the pitch of the phases, `between` in the places of no output.
    #[inline(always)]
    pub(super) fn spread(&self, z: &[f64], between: f64, pitched: &mut [f64]) {
        let width = self.plane.width.output;
        for (z, row) in z.chunks_exact(width).zip(pitched.chunks_mut(self.pitch)) {
            row[..width].copy_from_slice(z);
            for place in width..row.len() {
                row[place] = between;
            }
        }
    }

    /// z ← `pitched` without the places of no output.
    #[inline(always)]
    pub(super) fn collect(&self, pitched: &[f64], z: &mut [f64]) {
        let width = self.plane.width.output;
        for (z, row) in z.chunks_exact_mut(width).zip(pitched.chunks(self.pitch)) {
            z.copy_from_slice(&row[..width]);
        }
    }
}

/// Entries of a channel, a stride apart.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// The first of them.
    input: usize,
    /// From the first to the last, both counted.
    extent: usize,
    /// Their number.
    places: usize,
}

/// `places` ← every second of `inputs`, from the first on. In pairs, which compile to permutations of vectors.
#[inline(always)]
pub(super) fn copy_every_second(inputs: &[f64], places: &mut [f64]) {
    let Some((last, places)) = places.split_last_mut() else { return };
    for (place, pair) in places.iter_mut().zip(inputs.chunks_exact(2)) {
        *place = pair[0];
    }
    *last = inputs[2 * places.len()];
}
