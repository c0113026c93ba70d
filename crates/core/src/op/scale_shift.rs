//! z = γ ⊙ x + β with a factor and a term for every entry, or for every channel.

use super::{At, Bar, Dependence, Dot, Op, OpDescription, one_input};
use crate::elementwise::vectorize;
use crate::params::ParamSpec;
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// What has a γ and a β of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Every entry of a sample.
    #[default]
    Entry,
    /// Every position along the slowest axis: the channels of an image.
    Channel,
}

/// Scale and shift: γ (blocks `scale`, one at the start) and β (`shift`, zero at the start). Ridge penalties leave out both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleShift {
    /// What has a γ and a β of its own.
    #[serde(default)]
    pub per: Per,
}

const SCALE: usize = 0;
const SHIFT: usize = 1;

impl ScaleShift {
    /// One γ and one β for every entry.
    pub fn per_entry() -> Self {
        Self { per: Per::Entry }
    }
    /// One γ and one β for every channel.
    pub fn per_channel() -> Self {
        Self { per: Per::Channel }
    }

    /// How many γ there are.
    fn count(self, shape: &Shape) -> usize {
        match self.per {
            Per::Entry => shape.len(),
            Per::Channel => shape.extents().last().copied().unwrap_or(1),
        }
    }
}

impl Op for ScaleShift {
    fn name(&self) -> String {
        "scale_shift".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("scale_shift", self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        one_input(inputs).cloned()
    }

    fn params(&self, inputs: &[Shape]) -> Vec<ParamSpec> {
        let count = self.count(&inputs[0]);
        vec![ParamSpec::scale("scale", count), ParamSpec::bias("shift", count)]
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        z.fill(0.0);
        add_scaled(z, at.theta.get(SCALE), at.x.get(0), at.x.rows(0));
        add_shift(z, at.theta.get(SHIFT), at.x.rows(0));
    }

    /// ż = γ̇ ⊙ x + β̇ + γ ⊙ ẋ.
    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        let rows = at.x.rows(0);
        z_dot.fill(0.0);
        add_scaled(z_dot, dot.theta.get(SCALE), at.x.get(0), rows);
        add_shift(z_dot, dot.theta.get(SHIFT), rows);
        if let Some(x_dot) = dot.x.get(0) {
            add_scaled(z_dot, at.theta.get(SCALE), x_dot, rows);
        }
    }

    /// γ̄ += Σ z̄ ⊙ x, β̄ += Σ z̄, x̄ += γ ⊙ z̄.
    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let rows = at.x.rows(0);
        add_products(bar.theta.get(SCALE), z_bar, at.x.get(0), rows);
        add_sums(bar.theta.get(SHIFT), z_bar, rows);
        if let Some(slot) = bar.x.slot(0) {
            add_scaled(slot.zeroed(), at.theta.get(SCALE), z_bar, rows);
        }
    }

    /// γ̄˙ += Σ z̄˙ ⊙ x + z̄ ⊙ ẋ, β̄˙ += Σ z̄˙, x̄˙ += γ ⊙ z̄˙ + γ̇ ⊙ z̄.
    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        let rows = at.x.rows(0);
        self.adjoint(at, z, z_bar_dot, bar);
        if let Some(x_dot) = dot.x.get(0) {
            add_products(bar.theta.get(SCALE), z_bar, x_dot, rows);
        }
        if let Some(slot) = bar.x.slot(0) {
            add_scaled(slot.zeroed(), dot.theta.get(SCALE), z_bar, rows);
        }
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        // γ ⊙ x with both γ and x depending on θ is bilinear.
        if active[0] { Dependence::Nonlinear } else { Dependence::Affine }
    }
}

/// Calls `run(k, range)` for the entries that share γₖ, sample after sample.
#[inline(always)]
fn for_each_run(
    count: usize,
    rows: usize,
    entries: usize,
    mut run: impl FnMut(usize, std::ops::Range<usize>),
) {
    let length = rows / count;
    for first in (0..entries).step_by(rows) {
        for k in 0..count {
            let start = first + k * length;
            run(k, start..start + length);
        }
    }
}

/// `out` += γ ⊙ `x`.
fn add_scaled(out: &mut [f64], scale: &[f64], x: &[f64], rows: usize) {
    vectorize(
        #[inline(always)]
        || {
            if scale.len() == rows {
                for (out, x) in out.chunks_exact_mut(rows).zip(x.chunks_exact(rows)) {
                    for ((out, x), scale) in out.iter_mut().zip(x).zip(scale) {
                        *out = scale.mul_add(*x, *out);
                    }
                }
                return;
            }
            for_each_run(
                scale.len(),
                rows,
                x.len(),
                #[inline(always)]
                |k, run| {
                    for (out, x) in out[run.clone()].iter_mut().zip(&x[run]) {
                        *out = scale[k].mul_add(*x, *out);
                    }
                },
            );
        },
    );
}

/// `out` += β.
fn add_shift(out: &mut [f64], shift: &[f64], rows: usize) {
    vectorize(
        #[inline(always)]
        || {
            if shift.len() == rows {
                for out in out.chunks_exact_mut(rows) {
                    out.iter_mut().zip(shift).for_each(|(out, shift)| *out += shift);
                }
                return;
            }
            for_each_run(
                shift.len(),
                rows,
                out.len(),
                #[inline(always)]
                |k, run| {
                    out[run].iter_mut().for_each(|out| *out += shift[k]);
                },
            );
        },
    );
}

/// `sums[k]` += Σ `a` ⊙ `b` over the entries that share γₖ.
fn add_products(sums: &mut [f64], a: &[f64], b: &[f64], rows: usize) {
    vectorize(
        #[inline(always)]
        || {
            if sums.len() == rows {
                for (a, b) in a.chunks_exact(rows).zip(b.chunks_exact(rows)) {
                    for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                        *sum = a.mul_add(*b, *sum);
                    }
                }
                return;
            }
            for_each_run(
                sums.len(),
                rows,
                a.len(),
                #[inline(always)]
                |k, run| {
                    sums[k] += crate::elementwise::dot(&a[run.clone()], &b[run]);
                },
            );
        },
    );
}

/// `sums[k]` += Σ `a` over the entries that share βₖ.
fn add_sums(sums: &mut [f64], a: &[f64], rows: usize) {
    vectorize(
        #[inline(always)]
        || {
            if sums.len() == rows {
                for a in a.chunks_exact(rows) {
                    sums.iter_mut().zip(a).for_each(|(sum, a)| *sum += a);
                }
                return;
            }
            for_each_run(
                sums.len(),
                rows,
                a.len(),
                #[inline(always)]
                |k, run| {
                    sums[k] += crate::elementwise::sum(&a[run]);
                },
            );
        },
    );
}
