//! z = γ ⊙ (x − mean)/√(variance + ε) + β, every sample by its own mean and variance  (Ba, Kiros & Hinton 2016).
//!
//! With h the normalised entries, s = 1/√(variance + ε) and ⟨·⟩ the mean over a run of m entries:
//! ḣ = s·(ẋ − ⟨ẋ⟩ − h⟨h ⊙ ẋ⟩), a symmetric map, and ṡ = −s²⟨h ⊙ ẋ⟩.

use super::{At, Bar, Dependence, Dot, Op, OpDescription, Params, one_input};
use crate::elementwise::vectorize;
use crate::params::ParamSpec;
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// ε beside the variance.  The default of PyTorch's `LayerNorm`.
pub const LAYER_NORM_EPSILON: f64 = 1e-5;

/// Layer normalisation: over all entries of a sample, or over runs along its fastest axes, each run by itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayerNorm {
    /// ε > 0, added to the variance. Default [`LAYER_NORM_EPSILON`].
    pub epsilon: f64,
    /// The number of fastest axes that make a run; all of them where there is none. Default none.
    pub axes: Option<usize>,
    /// Whether there are γ (block `scale`, one at the start) and β (`shift`, zero at the start), one for each entry of a run.
    /// Default true.
    pub affine: bool,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self { epsilon: LAYER_NORM_EPSILON, axes: None, affine: true }
    }
}

const SCALE: usize = 0;
const SHIFT: usize = 1;

impl LayerNorm {
    /// Over the `axes` fastest axes.
    pub fn over(axes: usize) -> Self {
        Self { axes: Some(axes), ..Self::default() }
    }
    /// Without γ and β.
    pub fn without_affine(self) -> Self {
        Self { affine: false, ..self }
    }
    /// With this ε.
    pub fn with_epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// m, the entries of a run.
    fn run(&self, shape: &Shape) -> usize {
        let axes = self.axes.unwrap_or(usize::MAX);
        shape.extents().iter().take(axes).product()
    }

    /// Calls `run(first, h)` for every run, which starts at entry `first`.
    #[inline(always)]
    fn for_each_run(&self, at: At<'_>, mut run: impl FnMut(usize, Normalised<'_>)) {
        let length = self.run(at.x.shape(0));
        vectorize(
            #[inline(always)]
            || {
                for (index, x) in at.x.get(0).chunks_exact(length).enumerate() {
                    run(index * length, Normalised::of(x, self.epsilon));
                }
            },
        );
    }

    /// γ, or ones.
    fn scale<'a>(&self, theta: Params<'a>) -> Factor<'a> {
        Factor { entries: self.affine.then(|| theta.get(SCALE)), otherwise: 1.0 }
    }

    /// Block `block` of a direction, or zeros.
    fn block<'a>(&self, theta: Params<'a>, block: usize) -> Factor<'a> {
        Factor { entries: self.affine.then(|| theta.get(block)), otherwise: 0.0 }
    }
}

/// Running sums of a total: enough that an addition need not wait for the one before.
const LANES: usize = 8;

/// Σ term(0 … `len` − 1), in an order fixed by `len`.
#[inline(always)]
fn total(len: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut sums = [0.0; LANES];
    let whole = len - len % LANES;
    for first in (0..whole).step_by(LANES) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += term(first + lane);
        }
    }
    let rest: f64 = (whole..len).map(term).sum();
    sums.iter().sum::<f64>() + rest
}

/// A parameter that may not be there.
#[derive(Clone, Copy)]
struct Factor<'a> {
    entries: Option<&'a [f64]>,
    otherwise: f64,
}

impl Factor<'_> {
    #[inline(always)]
    fn at(self, index: usize) -> f64 {
        self.entries.map_or(self.otherwise, |entries| entries[index])
    }
}

/// A run and its statistics.
#[derive(Clone, Copy)]
struct Normalised<'a> {
    x: &'a [f64],
    mean: f64,
    /// s = 1/√(variance + ε).
    inverse: f64,
}

impl<'a> Normalised<'a> {
    #[inline(always)]
    fn of(x: &'a [f64], epsilon: f64) -> Self {
        let share = 1.0 / x.len() as f64;
        let mean = share * total(x.len(), |index| x[index]);
        let square = |index: usize| (x[index] - mean) * (x[index] - mean);
        let variance = share * total(x.len(), square);
        Self { x, mean, inverse: 1.0 / (variance + epsilon).sqrt() }
    }
    /// hᵢ.
    #[inline(always)]
    fn at(self, index: usize) -> f64 {
        (self.x[index] - self.mean) * self.inverse
    }
    /// ⟨v⟩ and ⟨h ⊙ v⟩.
    #[inline(always)]
    fn moments(self, v: impl Fn(usize) -> f64) -> (f64, f64) {
        let share = 1.0 / self.x.len() as f64;
        let mean = total(self.x.len(), &v);
        let along = total(self.x.len(), |index| self.at(index) * v(index));
        (share * mean, share * along)
    }
    /// s·(vᵢ − ⟨v⟩ − hᵢ⟨h ⊙ v⟩).
    #[inline(always)]
    fn project(self, index: usize, v: f64, (mean, along): (f64, f64)) -> f64 {
        self.inverse * (v - mean - self.at(index) * along)
    }
}

impl Op for LayerNorm {
    fn name(&self) -> String {
        "layer_norm".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("layer_norm", self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = one_input(inputs)?;
        let option = |option, value, allowed| Err(ShapeError::Option { option, value, allowed });
        if !(self.epsilon > 0.0 && self.epsilon.is_finite()) {
            return option("epsilon", self.epsilon, "positive and finite");
        }
        match self.axes {
            Some(axes) if axes == 0 || axes > input.extents().len() => {
                option("axes", axes as f64, "from 1 to the number of the input's axes")
            }
            _ => Ok(input.clone()),
        }
    }

    fn params(&self, inputs: &[Shape]) -> Vec<ParamSpec> {
        if !self.affine {
            return Vec::new();
        }
        let count = self.run(&inputs[0]);
        vec![ParamSpec::scale("scale", count), ParamSpec::bias("shift", count)]
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        let (scale, shift) = (self.scale(at.theta), self.block(at.theta, SHIFT));
        self.for_each_run(
            at,
            #[inline(always)]
            |first, h| {
                for (index, z) in z[first..first + h.x.len()].iter_mut().enumerate() {
                    *z = scale.at(index).mul_add(h.at(index), shift.at(index));
                }
            },
        );
    }

    /// ż = γ̇ ⊙ h + γ ⊙ ḣ + β̇.
    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        let scale = self.scale(at.theta);
        let (scale_dot, shift_dot) = (self.block(dot.theta, SCALE), self.block(dot.theta, SHIFT));
        let x_dot = dot.x.get(0);
        self.for_each_run(
            at,
            #[inline(always)]
            |first, h| {
                let z_dot = &mut z_dot[first..first + h.x.len()];
                for (index, z_dot) in z_dot.iter_mut().enumerate() {
                    *z_dot = scale_dot.at(index).mul_add(h.at(index), shift_dot.at(index));
                }
                let Some(x_dot) = x_dot.map(|x_dot| &x_dot[first..first + h.x.len()]) else {
                    return;
                };
                let moments = h.moments(|index| x_dot[index]);
                for (index, z_dot) in z_dot.iter_mut().enumerate() {
                    *z_dot += scale.at(index) * h.project(index, x_dot[index], moments);
                }
            },
        );
    }

    /// γ̄ += Σ z̄ ⊙ h, β̄ += Σ z̄, and with h̄ = γ ⊙ z̄: x̄ += s·(h̄ − ⟨h̄⟩ − h⟨h ⊙ h̄⟩).
    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        self.add_affine(at, z_bar, bar);
        let Some(slot) = bar.x.slot(0) else { return };
        let (x_bar, scale) = (slot.zeroed(), self.scale(at.theta));
        self.for_each_run(
            at,
            #[inline(always)]
            |first, h| {
                let z_bar = &z_bar[first..first + h.x.len()];
                let h_bar = |index: usize| scale.at(index) * z_bar[index];
                let moments = h.moments(h_bar);
                for (index, x_bar) in x_bar[first..first + h.x.len()].iter_mut().enumerate() {
                    *x_bar += h.project(index, h_bar(index), moments);
                }
            },
        );
    }

    /// γ̄˙ += Σ z̄˙ ⊙ h + z̄ ⊙ ḣ, β̄˙ += Σ z̄˙, and with h̄˙ = γ ⊙ z̄˙ + γ̇ ⊙ z̄:
    /// x̄˙ += (ṡ/s)·x̄ + s·(h̄˙ − ⟨h̄˙⟩ − ḣ⟨h ⊙ h̄⟩ − h⟨ḣ ⊙ h̄ + h ⊙ h̄˙⟩).
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
        let Some(x_dot) = dot.x.get(0) else { return self.add_affine(at, z_bar_dot, bar) };
        let Bar { x: x_bars, theta } = bar;
        if self.affine {
            add_columns(theta.get(SHIFT), z_bar_dot);
        }
        let (scale, scale_dot) = (self.scale(at.theta), self.block(dot.theta, SCALE));
        let mut scale_bar = self.affine.then(|| theta.get(SCALE));
        let Some(slot) = x_bars.slot(0) else { return };
        let x_bar_dot = slot.zeroed();
        self.for_each_run(
            at,
            #[inline(always)]
            |first, h| {
                let range = first..first + h.x.len();
                let (x_dot, z_bar) = (&x_dot[range.clone()], &z_bar[range.clone()]);
                let z_bar_dot = &z_bar_dot[range.clone()];
                let h_bar = |index: usize| scale.at(index) * z_bar[index];
                let h_bar_dot = |index: usize| {
                    scale.at(index) * z_bar_dot[index] + scale_dot.at(index) * z_bar[index]
                };
                // One pass for all means.
                let mut sums = [0.0; 7];
                for (index, &x_dot) in x_dot.iter().enumerate() {
                    let (h, h_bar, h_bar_dot) = (h.at(index), h_bar(index), h_bar_dot(index));
                    let terms = [
                        x_dot,
                        h * x_dot,
                        h_bar,
                        h * h_bar,
                        h_bar_dot,
                        h * h_bar_dot,
                        x_dot * h_bar,
                    ];
                    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
                }
                let share = 1.0 / h.x.len() as f64;
                let [x_dot_mean, x_dot_along, h_bar_mean, h_bar_along, mean, along, crossed] =
                    sums.map(|sum| share * sum);
                let (of_x_dot, of_h_bar) = ((x_dot_mean, x_dot_along), (h_bar_mean, h_bar_along));
                // ⟨ḣ ⊙ h̄⟩, with ḣ written out.
                let bent =
                    h.inverse * (crossed - x_dot_mean * h_bar_mean - x_dot_along * h_bar_along);
                // ṡ/s.
                let shrink = -h.inverse * x_dot_along;
                for (index, x_bar_dot) in x_bar_dot[range].iter_mut().enumerate() {
                    let h_dot = h.project(index, x_dot[index], of_x_dot);
                    let x_bar = h.project(index, h_bar(index), of_h_bar);
                    let moved = h.project(index, h_bar_dot(index), (mean, along + bent));
                    *x_bar_dot += shrink * x_bar + moved - h.inverse * h_dot * h_bar_along;
                    if let Some(scale_bar) = &mut scale_bar {
                        scale_bar[index] += z_bar_dot[index] * h.at(index) + z_bar[index] * h_dot;
                    }
                }
            },
        );
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if active[0] { Dependence::Nonlinear } else { Dependence::Affine }
    }

    /// Mean, variance and the result: a few operations an entry.
    fn flops(&self, inputs: &[Shape], _output: &Shape) -> usize {
        8 * inputs[0].len()
    }
}

impl LayerNorm {
    /// γ̄ += Σ z̄ ⊙ h, β̄ += Σ z̄.
    fn add_affine(&self, at: At<'_>, z_bar: &[f64], bar: &mut Bar<'_>) {
        if !self.affine {
            return;
        }
        let scale_bar = bar.theta.get(SCALE);
        self.for_each_run(
            at,
            #[inline(always)]
            |first, h| {
                for (index, scale_bar) in scale_bar.iter_mut().enumerate() {
                    *scale_bar += z_bar[first + index] * h.at(index);
                }
            },
        );
        add_columns(bar.theta.get(SHIFT), z_bar);
    }
}

/// `sums` += all runs of `values`.
fn add_columns(sums: &mut [f64], values: &[f64]) {
    for run in values.chunks_exact(sums.len()) {
        sums.iter_mut().zip(run).for_each(|(sum, value)| *sum += value);
    }
}
