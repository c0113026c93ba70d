//! Some of the entries along one axis: a range, or a list.

use super::linear_node::LinearNode;
use super::{AdjointSlot, OpDescription};
use crate::shape::{Runs, Shape, ShapeError};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The entries `start` .. `end` along an axis; along axis 0 of a vector, a run of features.
///
/// ```
/// use secant_core::graph::Graph;
/// use secant_core::op::{Dense, Slice};
///
/// let mut g = Graph::builder(7);
/// let head = g.node("head", Slice::new(0..3), &[g.input()])?; // features 0, 1, 2
/// let y = g.node("y", Dense::new(1), &[head])?;
/// assert_eq!(g.build(y)?.parameters().dim(), 3 + 1);
/// # Ok::<(), secant_core::graph::GraphError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// The axis, 0 the fastest.
    #[serde(default)]
    pub axis: usize,
    /// The first entry.
    pub start: usize,
    /// One past the last entry.
    pub end: usize,
}

/// The listed entries along an axis, in the order of the list; one may come twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// The axis, 0 the fastest.
    #[serde(default)]
    pub axis: usize,
    /// Positions along the axis, from 0.
    pub entries: Vec<usize>,
}

impl Slice {
    /// A range along axis 0.
    pub fn new(range: Range<usize>) -> Self {
        Self { axis: 0, start: range.start, end: range.end }
    }
    /// Along another axis.
    pub fn along(self, axis: usize) -> Self {
        Self { axis, ..self }
    }
    /// The single run that is taken.
    fn picks(self) -> impl Iterator<Item = Range<usize>> + Clone {
        std::iter::once(self.start..self.end)
    }
}

impl Select {
    /// A list along axis 0.
    pub fn new(entries: impl Into<Vec<usize>>) -> Self {
        Self { axis: 0, entries: entries.into() }
    }
    /// Along another axis.
    pub fn along(self, axis: usize) -> Self {
        Self { axis, ..self }
    }
    fn picks(&self) -> impl Iterator<Item = Range<usize>> + Clone {
        self.entries.iter().map(|&entry| entry..entry + 1)
    }
}

impl LinearNode for Slice {
    fn name(&self) -> String {
        "slice".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("slice", self)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let extent = input.runs(self.axis)?.extent;
        let out_of_range = |option, value: usize, allowed| {
            Err(ShapeError::Option { option, value: value as f64, allowed })
        };
        if self.end > extent {
            return out_of_range("end", self.end, "at most the extent of the axis");
        }
        if self.start >= self.end {
            return out_of_range("start", self.start, "below `end`");
        }
        Ok(input.with_extent(self.axis, self.end - self.start))
    }

    fn apply(&self, input: &Shape, x: &[f64], out: &mut [f64]) {
        gather(input.runs_or_all(self.axis), &self.picks(), x, out);
    }

    fn add_transposed(&self, input: &Shape, z_bar: &[f64], x_bar: AdjointSlot<'_>) {
        scatter(input.runs_or_all(self.axis), &self.picks(), z_bar, x_bar.zeroed());
    }

    fn origin(&self, input: &Shape, entry: usize) -> Option<usize> {
        origin(input, self.axis, self.picks(), entry)
    }
}

impl LinearNode for Select {
    fn name(&self) -> String {
        "select".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("select", self)
    }

    fn output_shape(&self, input: &Shape) -> Result<Shape, ShapeError> {
        let extent = input.runs(self.axis)?.extent;
        let option = "entries";
        if let Some(&entry) = self.entries.iter().find(|&&entry| entry >= extent) {
            let allowed = "positions below the extent of the axis";
            return Err(ShapeError::Option { option, value: entry as f64, allowed });
        }
        let output = input.with_extent(self.axis, self.entries.len());
        if output.is_empty() { Err(ShapeError::Empty(output)) } else { Ok(output) }
    }

    fn apply(&self, input: &Shape, x: &[f64], out: &mut [f64]) {
        gather(input.runs_or_all(self.axis), &self.picks(), x, out);
    }

    fn add_transposed(&self, input: &Shape, z_bar: &[f64], x_bar: AdjointSlot<'_>) {
        scatter(input.runs_or_all(self.axis), &self.picks(), z_bar, x_bar.zeroed());
    }

    fn origin(&self, input: &Shape, entry: usize) -> Option<usize> {
        origin(input, self.axis, self.picks(), entry)
    }
}

/// `z` ← the picked ranges of the axis, of all samples: a sample's slower axes and the samples are alike here.
fn gather(
    Runs { inner, extent, .. }: Runs,
    picks: &(impl Iterator<Item = Range<usize>> + Clone),
    x: &[f64],
    z: &mut [f64],
) {
    let picked: usize = inner * picks.clone().map(|pick| pick.len()).sum::<usize>();
    for (x, z) in x.chunks_exact(inner * extent).zip(z.chunks_exact_mut(picked)) {
        let mut first = 0;
        for pick in picks.clone() {
            let run = &x[inner * pick.start..inner * pick.end];
            z[first..first + run.len()].copy_from_slice(run);
            first += run.len();
        }
    }
}

/// The transpose of [`gather`]: `x_bar` += `z_bar` at the picked ranges.
fn scatter(
    Runs { inner, extent, .. }: Runs,
    picks: &(impl Iterator<Item = Range<usize>> + Clone),
    z_bar: &[f64],
    x_bar: &mut [f64],
) {
    let picked: usize = inner * picks.clone().map(|pick| pick.len()).sum::<usize>();
    for (x_bar, z_bar) in x_bar.chunks_exact_mut(inner * extent).zip(z_bar.chunks_exact(picked)) {
        let mut first = 0;
        for pick in picks.clone() {
            let run = &mut x_bar[inner * pick.start..inner * pick.end];
            for (x_bar, z_bar) in run.iter_mut().zip(&z_bar[first..]) {
                *x_bar += z_bar;
            }
            first += run.len();
        }
    }
}

/// The entry of the input that entry `entry` of the output is.
fn origin(
    input: &Shape,
    axis: usize,
    picks: impl Iterator<Item = Range<usize>> + Clone,
    entry: usize,
) -> Option<usize> {
    let Runs { inner, extent, .. } = input.runs(axis).ok()?;
    let picked: usize = picks.clone().map(|pick| pick.len()).sum();
    let (within, along, outer) = (entry % inner, entry / inner % picked, entry / (inner * picked));
    let position = picks.flatten().nth(along)?;
    Some(within + inner * (position + extent * outer))
}
