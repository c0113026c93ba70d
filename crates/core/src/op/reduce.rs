//! One number for many: sums, means, squared norms and log-sum-exp along an axis, or over a whole sample.

use super::{At, Bar, Dependence, Dot, Op, OpDescription, one_input};
use crate::elementwise::{dot as dot_product, scalar, sum, vectorize};
use crate::shape::{Runs, Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// What becomes of the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Σ xᵢ.
    Sum,
    /// Σ xᵢ / m.
    Mean,
    /// Σ xᵢ²; the norm is [`Activation::Sqrt`](super::Activation::Sqrt) of it, without derivative at 0.
    SquaredNorm,
    /// ln Σ e^xᵢ, from the largest entry, so that nothing overflows.
    LogSumExp,
}

/// A reduction of the m entries along an axis, which then is gone, or of all entries of a sample, to one.
///
/// ```
/// use secant_core::graph::Graph;
/// use secant_core::op::{Dense, Reduce, Reduction, Reshape};
/// use secant_core::shape::Shape;
///
/// let mut g = Graph::builder(12);
/// let grid = g.node("grid", Reshape::new([4, 3]), &[g.input()])?;
/// let means = g.node("means", Reduce::along(Reduction::Mean, 0), &[grid])?;
/// assert_eq!(g.shape(means), Some(&Shape::vector(3)));
/// let energy = g.node("energy", Reduce::all(Reduction::SquaredNorm), &[grid])?;
/// assert_eq!(g.shape(energy), Some(&Shape::vector(1)));
/// # Ok::<(), secant_core::graph::GraphError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reduce {
    /// What becomes of the entries.
    pub reduction: Reduction,
    /// The axis, 0 the fastest; all entries of a sample where there is none.
    #[serde(default)]
    pub axis: Option<usize>,
}

/// The options of a [`Reduce`] whose name says the reduction.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Along {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) axis: Option<usize>,
}

impl Reduce {
    /// Of all entries of a sample.
    pub fn all(reduction: Reduction) -> Self {
        Self { reduction, axis: None }
    }
    /// Along an axis.
    pub fn along(reduction: Reduction, axis: usize) -> Self {
        Self { reduction, axis: Some(axis) }
    }

    /// The axis within one sample.
    fn runs(&self, shape: &Shape) -> Runs {
        match self.axis {
            Some(axis) => shape.runs_or_all(axis),
            None => Runs { inner: 1, extent: shape.len(), outer: 1 },
        }
    }

    /// `z[r]` ← 0, then for every entry of result r: `step(z[r], entry)`.
    #[inline(always)]
    fn fold(&self, at: At<'_>, z: &mut [f64], step: impl Fn(&mut f64, usize, usize)) {
        z.fill(0.0);
        for_each_entry(
            self.runs(at.x.shape(0)),
            z.len(),
            #[inline(always)]
            |result, entry| step(&mut z[result], result, entry),
        );
    }

    /// ∂z/∂x of an entry.
    #[inline(always)]
    fn weight(&self, share: f64, x: f64, z: f64) -> f64 {
        match self.reduction {
            Reduction::Sum => 1.0,
            Reduction::Mean => share,
            Reduction::SquaredNorm => 2.0 * x,
            Reduction::LogSumExp => scalar::exp(x - z),
        }
    }

    /// Entries of a result, where they lie side by side.
    fn whole_runs(&self, at: At<'_>) -> Option<usize> {
        let Runs { inner, extent, .. } = self.runs(at.x.shape(0));
        (inner == 1).then_some(extent)
    }

    /// 1/m.
    fn share(&self, at: At<'_>) -> f64 {
        1.0 / self.runs(at.x.shape(0)).extent as f64
    }
}

impl Op for Reduce {
    fn name(&self) -> String {
        match self.reduction {
            Reduction::Sum => "sum",
            Reduction::Mean => "mean",
            Reduction::SquaredNorm => "squared_norm",
            Reduction::LogSumExp => "log_sum_exp",
        }
        .into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options(&self.name(), &Along { axis: self.axis })
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = one_input(inputs)?;
        match self.axis {
            None => Ok(Shape::vector(1)),
            Some(axis) => {
                input.runs(axis)?;
                Ok(input.without_axis(axis))
            }
        }
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        let x = at.x.get(0);
        if let Some(runs) = self.whole_runs(at) {
            let columns = z.iter_mut().zip(x.chunks_exact(runs));
            return match self.reduction {
                Reduction::Sum => columns.for_each(|(z, x)| *z = sum(x)),
                Reduction::Mean => columns.for_each(|(z, x)| *z = sum(x) * self.share(at)),
                Reduction::SquaredNorm => columns.for_each(|(z, x)| *z = dot_product(x, x)),
                Reduction::LogSumExp => self.log_sum_exp(at, z),
            };
        }
        match self.reduction {
            Reduction::Sum => self.fold(at, z, |z, _, entry| *z += x[entry]),
            Reduction::Mean => {
                self.fold(at, z, |z, _, entry| *z += x[entry]);
                let share = self.share(at);
                for z in z {
                    *z *= share;
                }
            }
            Reduction::SquaredNorm => {
                self.fold(at, z, |z, _, entry| *z = x[entry].mul_add(x[entry], *z));
            }
            Reduction::LogSumExp => self.log_sum_exp(at, z),
        }
    }

    /// ż = Σ (∂z/∂xᵢ)·ẋᵢ.
    fn tangent(&self, at: At<'_>, z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        let Some(x_dot) = dot.x.get(0) else { return z_dot.fill(0.0) };
        let (x, share) = (at.x.get(0), self.share(at));
        if let Some(runs) = self.whole_runs(at).filter(|_| self.reduction != Reduction::LogSumExp) {
            let columns = x.chunks_exact(runs).zip(x_dot.chunks_exact(runs));
            for (z_dot, (x, x_dot)) in z_dot.iter_mut().zip(columns) {
                *z_dot = match self.reduction {
                    Reduction::SquaredNorm => 2.0 * dot_product(x, x_dot),
                    _ => self.weight(share, 0.0, 0.0) * sum(x_dot),
                };
            }
            return;
        }
        self.fold(
            at,
            z_dot,
            #[inline(always)]
            |z_dot, result, entry| {
                *z_dot += self.weight(share, x[entry], z[result]) * x_dot[entry];
            },
        );
    }

    /// x̄ᵢ += (∂z/∂xᵢ)·z̄.
    fn adjoint(&self, at: At<'_>, z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let Some(slot) = bar.x.slot(0) else { return };
        let (x, x_bar, share) = (at.x.get(0), slot.zeroed(), self.share(at));
        for_each_entry(
            self.runs(at.x.shape(0)),
            z.len(),
            #[inline(always)]
            |result, entry| {
                x_bar[entry] += self.weight(share, x[entry], z[result]) * z_bar[result];
            },
        );
    }

    /// x̄˙ᵢ += (∂z/∂xᵢ)·z̄˙ + (∂z/∂xᵢ)˙·z̄.
    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        let (Some(slot), Some(x_dot)) = (bar.x.slot(0), dot.x.get(0)) else { return };
        let (x, x_bar_dot, share) = (at.x.get(0), slot.zeroed(), self.share(at));
        for_each_entry(
            self.runs(at.x.shape(0)),
            z.len(),
            #[inline(always)]
            |result, entry| {
                let weight = self.weight(share, x[entry], z[result]);
                let weight_dot = match self.reduction {
                    Reduction::Sum | Reduction::Mean => 0.0,
                    Reduction::SquaredNorm => 2.0 * x_dot[entry],
                    Reduction::LogSumExp => weight * (x_dot[entry] - z_dot[result]),
                };
                x_bar_dot[entry] += weight.mul_add(z_bar_dot[result], weight_dot * z_bar[result]);
            },
        );
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        match self.reduction {
            Reduction::SquaredNorm | Reduction::LogSumExp if active[0] => Dependence::Nonlinear,
            _ => Dependence::Affine,
        }
    }

    fn flops(&self, inputs: &[Shape], _output: &Shape) -> usize {
        2 * inputs[0].len()
    }
}

impl Reduce {
    /// z = largest + ln Σ e^(xᵢ − largest). A NaN makes its result NaN.
    fn log_sum_exp(&self, at: At<'_>, z: &mut [f64]) {
        let x = at.x.get(0);
        let runs = self.runs(at.x.shape(0));
        vectorize(
            #[inline(always)]
            || {
                for (result, z) in z.iter_mut().enumerate() {
                    let entries = || entries(runs, result).map(|entry| x[entry]);
                    let largest = entries().fold(f64::NEG_INFINITY, f64::max);
                    let sum: f64 = entries().map(|x| scalar::exp(x - largest)).sum();
                    *z = largest + scalar::log(sum);
                }
            },
        );
    }
}

/// The entries of result `result`: with the axis between `inner` and the slower ones, samples among these.
fn entries(Runs { inner, extent, .. }: Runs, result: usize) -> impl Iterator<Item = usize> {
    let first = result / inner * inner * extent + result % inner;
    (0..extent).map(move |along| first + along * inner)
}

/// Calls `visit(result, entry)` for every entry, in the order of the entries in memory.
#[inline(always)]
fn for_each_entry(
    Runs { inner, extent, .. }: Runs,
    results: usize,
    mut visit: impl FnMut(usize, usize),
) {
    vectorize(
        #[inline(always)]
        || {
            let mut entry = 0;
            for slab in 0..results / inner {
                for _ in 0..extent {
                    for within in 0..inner {
                        visit(slab * inner + within, entry);
                        entry += 1;
                    }
                }
            }
        },
    );
}
