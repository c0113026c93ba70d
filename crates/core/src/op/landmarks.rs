//! Kernels κ(x, l) between samples and fixed points, with their derivatives in x, a block of the matrix at a time.
//!
//! Every kernel here is κ = g(s) with s a quadratic in x whose second derivative is β·I for all points:
//!
//! s_j = α·p_jᵀx + ½β·‖x − c̄‖² + k_j,  ∂s_j/∂x = α·p_j + β·(x − c̄)
//!
//! | kernel | g(s) | α | β | p_j |
//! |---|---|---|---|---|
//! | Gaussian | e^−s, s = ‖x − l_j‖²/(2w²) | −1/w² | 1/w² | l_j − c̄ |
//! | polynomial | s^degree, s = scale·xᵀl_j + offset | scale | 0 | l_j |
//!
//! so that s, ṡ and x̄ are each one GEMM with the points. c̄ is the mean of the points: without it, digits would cancel where the data
//! lie far from zero. What still cancels, close pairs of points whose distance to c̄ is many widths, is summed directly.

use super::block::Block;
use super::{FeatureError, Kernel};
use crate::elementwise::{dot, vectorize};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use std::ops::Range;

/// Terms of s may be so many times 1 + s before their rounding shows beside that of e^−s, which is s·ε itself.
const CANCELLATION: f64 = 8.0;

impl Kernel {
    /// The m × M matrix of κ between the columns of `a` (d × m) and those of `b` (d × M), both column-major.
    ///
    /// # Errors
    /// Options out of range; `a` or `b` empty, not finite, or no whole number of samples.
    pub fn between(self, features: usize, a: &[f64], b: &[f64]) -> Result<Mat<f64>, FeatureError> {
        check_points("kernel", features, b)?;
        let landmarks = Landmarks::new("kernel", features, a.to_vec(), self)?;
        Ok(landmarks.matrix(b))
    }
}

/// Fixed points l_1 … l_m and a kernel.
#[derive(Clone, Debug)]
pub(super) struct Landmarks {
    kernel: Kernel,
    features: usize,
    /// l_j: d × m.
    points: Vec<f64>,
    /// p_j: d × m.
    shifted: Vec<f64>,
    /// c̄: d.
    mean: Vec<f64>,
    /// k_j.
    constants: Vec<f64>,
    /// ½β·‖p_j‖².
    sizes: Vec<f64>,
    alpha: f64,
    beta: f64,
}

impl Landmarks {
    /// `points` is d × m.
    pub(super) fn new(
        op: &'static str,
        features: usize,
        points: Vec<f64>,
        kernel: Kernel,
    ) -> Result<Self, FeatureError> {
        kernel.check(op)?;
        check_points(op, features, &points)?;
        let count = points.len() / features;
        let (alpha, beta, offset) = match kernel {
            Kernel::Gaussian { width } => {
                // Not 1/w²: the square of a small width is zero.
                let inverse = 1.0 / width / width;
                (-inverse, inverse, 0.0)
            }
            Kernel::Polynomial { scale, offset, .. } => (scale, 0.0, offset),
        };
        let mut mean = vec![0.0; features];
        let mut shifted = points.clone();
        let mut constants = vec![offset; count];
        let mut sizes = vec![0.0; count];
        if beta != 0.0 {
            for point in points.chunks_exact(features) {
                mean.iter_mut().zip(point).for_each(|(mean, x)| *mean += x / count as f64);
            }
            for (index, p) in shifted.chunks_exact_mut(features).enumerate() {
                p.iter_mut().zip(&mean).for_each(|(p, mean)| *p -= mean);
                sizes[index] = 0.5 * beta * dot(p, p);
                constants[index] = sizes[index] + beta * dot(p, &mean);
            }
        }
        Ok(Self { kernel, features, points, shifted, mean, constants, sizes, alpha, beta })
    }

    pub(super) fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// d.
    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// m.
    pub(super) fn count(&self) -> usize {
        self.constants.len()
    }

    /// l_1 … l_m.
    pub(super) fn points(&self) -> &[f64] {
        &self.points
    }

    /// κ(l_j, l_j).
    pub(super) fn diagonal(&self) -> impl Iterator<Item = f64> {
        let arguments = self.points.chunks_exact(self.features).map(|point| match self.kernel {
            Kernel::Gaussian { .. } => 0.0,
            Kernel::Polynomial { scale, offset, .. } => scale * dot(point, point) + offset,
        });
        arguments.map(|s| self.kernel.value(s))
    }

    /// All of an m × `columns` matrix.
    pub(super) fn whole(&self, columns: usize) -> Block {
        Block { rows: 0..self.count(), columns: 0..columns }
    }

    /// κ(l_j, x_b), m × M.
    pub(super) fn matrix(&self, x: &[f64]) -> Mat<f64> {
        let columns = x.len() / self.features;
        let mut values = vec![0.0; self.count() * columns];
        self.arguments(x, &self.whole(columns), &mut values);
        self.values(&mut values);
        MatRef::from_column_major_slice(&values, self.count(), columns).to_owned()
    }

    /// p_j of the block's rows: d × k.
    fn shifted(&self, rows: &Range<usize>) -> MatRef<'_, f64> {
        let part = rows.start * self.features..rows.end * self.features;
        MatRef::from_column_major_slice(&self.shifted[part], self.features, rows.len())
    }

    /// `out` ← s of the block, k × b. x: d × B.
    pub(super) fn arguments(&self, x: &[f64], block: &Block, out: &mut [f64]) {
        let d = self.features;
        let product =
            MatMut::from_column_major_slice_mut(out, block.rows.len(), block.columns.len());
        let points = self.shifted(&block.rows).transpose();
        matmul(product, Accum::Replace, points, block.take(x, d), self.alpha, Par::Seq);
        for (column, out) in block.columns.clone().zip(out.chunks_exact_mut(block.rows.len())) {
            let constants = &self.constants[block.rows.clone()];
            if self.beta == 0.0 {
                out.iter_mut().zip(constants).for_each(|(s, constant)| *s += constant);
                continue;
            }
            let x = &x[column * d..(column + 1) * d];
            let offset = 0.5 * self.beta * square_distance(x, &self.mean);
            let sizes = &self.sizes[block.rows.clone()];
            for (row, s) in out.iter_mut().enumerate() {
                let sum = *s + offset + constants[row];
                let kept = offset + sizes[row] <= CANCELLATION * (1.0 + sum);
                // Also where a term overflows.
                *s = if kept { sum } else { self.direct(block.rows.start + row, x) };
                // Rounding can make the smallest ones slightly negative; NaN passes.
                if *s < 0.0 {
                    *s = 0.0;
                }
            }
        }
    }

    /// ‖x − l_j‖²/(2w²) without cancellation.
    fn direct(&self, j: usize, x: &[f64]) -> f64 {
        let point = &self.points[j * self.features..(j + 1) * self.features];
        0.5 * self.beta * square_distance(x, point)
    }

    /// s → κ.
    pub(super) fn values(&self, s: &mut [f64]) {
        let kernel = self.kernel;
        vectorize(
            #[inline(always)]
            || s.iter_mut().for_each(|s| *s = kernel.value(*s)),
        );
    }

    /// `bar` ← ⊙ g′(s).
    pub(super) fn scale_by_slopes(&self, s: &[f64], bar: &mut [f64]) {
        let kernel = self.kernel;
        vectorize(
            #[inline(always)]
            || bar.iter_mut().zip(s).for_each(|(bar, s)| *bar *= kernel.slope(*s)),
        );
    }

    /// `out` ← `bar`˙ ⊙ g′(s) + `bar` ⊙ g″(s) ⊙ ṡ, over `bar_dot`.
    pub(super) fn slope_tangents(&self, s: &[f64], s_dot: &[f64], bar: &[f64], out: &mut [f64]) {
        let kernel = self.kernel;
        vectorize(
            #[inline(always)]
            || {
                let terms = s.iter().zip(s_dot).zip(bar);
                for (out, ((s, s_dot), bar)) in out.iter_mut().zip(terms) {
                    *out = *out * kernel.slope(*s) + bar * kernel.bend(*s) * s_dot;
                }
            },
        );
    }

    /// `out` ← ṡ = α·p_jᵀẋ + β·(x − c̄)ᵀẋ of the block.
    pub(super) fn argument_tangents(
        &self,
        x: &[f64],
        x_dot: &[f64],
        block: &Block,
        out: &mut [f64],
    ) {
        let d = self.features;
        let product =
            MatMut::from_column_major_slice_mut(out, block.rows.len(), block.columns.len());
        let points = self.shifted(&block.rows).transpose();
        matmul(product, Accum::Replace, points, block.take(x_dot, d), self.alpha, Par::Seq);
        if self.beta == 0.0 {
            return;
        }
        for (column, out) in block.columns.clone().zip(out.chunks_exact_mut(block.rows.len())) {
            let sample = column * d..(column + 1) * d;
            let pairs = x[sample.clone()].iter().zip(&self.mean).zip(&x_dot[sample]);
            let along: f64 = pairs.map(|((x, mean), x_dot)| (x - mean) * x_dot).sum();
            for s_dot in out {
                *s_dot += self.beta * along;
            }
        }
    }

    /// x̄ += Σ_j h_j·∂s_j/∂x for the block's rows and columns. h: k × b; x, x̄: d × B.
    pub(super) fn pull(&self, h: &[f64], x: &[f64], block: &Block, x_bar: &mut [f64]) {
        let d = self.features;
        let factors = MatRef::from_column_major_slice(h, block.rows.len(), block.columns.len());
        let target = block.take_mut(x_bar, d);
        matmul(target, Accum::Add, self.shifted(&block.rows), factors, self.alpha, Par::Seq);
        if self.beta == 0.0 {
            return;
        }
        for (column, h) in block.columns.clone().zip(h.chunks_exact(block.rows.len())) {
            let sample = column * d..(column + 1) * d;
            let factor = self.beta * h.iter().sum::<f64>();
            let pairs = x[sample.clone()].iter().zip(&self.mean);
            for (x_bar, (x, mean)) in x_bar[sample].iter_mut().zip(pairs) {
                *x_bar += factor * (x - mean);
            }
        }
    }

    /// x̄˙ += Σ_j h_j·∂²s_j/∂x²·ẋ = β·(Σ_j h_j)·ẋ.
    pub(super) fn pull_curved(&self, h: &[f64], x_dot: &[f64], block: &Block, out: &mut [f64]) {
        let d = self.features;
        if self.beta == 0.0 {
            return;
        }
        for (column, h) in block.columns.clone().zip(h.chunks_exact(block.rows.len())) {
            let sample = column * d..(column + 1) * d;
            let factor = self.beta * h.iter().sum::<f64>();
            let pairs = out[sample.clone()].iter_mut().zip(&x_dot[sample]);
            pairs.for_each(|(out, x_dot)| *out += factor * x_dot);
        }
    }
}

fn square_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Whether `points` are samples of `features` features, one or more, all finite.
pub(super) fn check_points(
    op: &'static str,
    features: usize,
    points: &[f64],
) -> Result<(), FeatureError> {
    let entries = points.len();
    if features == 0 || entries == 0 || !entries.is_multiple_of(features) {
        return Err(FeatureError::Points { op, features, entries });
    }
    match points.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(place) => {
            let (point, feature) = (place / features, place % features);
            Err(FeatureError::NotFinite { op, point, feature, value: points[place] })
        }
    }
}

/// Points as a description has them, a list for each: features and d × m entries.
pub(super) fn joined(
    op: &'static str,
    points: &[Vec<f64>],
) -> Result<(usize, Vec<f64>), FeatureError> {
    let expected = points.first().map_or(0, Vec::len);
    match points.iter().position(|point| point.len() != expected) {
        None => Ok((expected, points.concat())),
        Some(point) => {
            Err(FeatureError::Ragged { op, point, expected, found: points[point].len() })
        }
    }
}

/// The reverse of [`joined`].
pub(super) fn split(features: usize, points: &[f64]) -> Vec<Vec<f64>> {
    points.chunks_exact(features).map(<[f64]>::to_vec).collect()
}
