//! z = K^(−½)·κ(x), with κ_j(x) = κ(l_j, x) and K_ij = κ(l_i, l_j): features whose inner products are the kernel's, exactly at the
//! landmarks and approximately elsewhere  (Williams & Seeger 2001).
//!
//! A dense node without bias behind it, fitted with squared error and `Ridge`(λ), is kernel ridge regression on the landmarks' span; with
//! all samples as landmarks it is the exact one, (K + N·λ·I)⁻¹·y.
//!
//! K^(−½) = U·Λ^(−½)·Uᵀ from the eigendecomposition; eigenvalues below `cutoff`·λ_max are rounding and count as zero. Cost once, when
//! first evaluated: O(m³); per sample: 2·m·(d + m) flops and m values of g.

use super::block::{BLOCK, Block, blocks};
use super::landmarks::{Landmarks, joined, split};
use super::radial_basis::features_of;
use super::{At, Bar, Dependence, Dot, FeatureError, Kernel, Op, OpDescription};
use crate::shape::{Shape, ShapeError};
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par, Spec};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

const NAME: &str = "nystrom";
/// Landmarks at most: K^(−½) has 128 MiB then.
const MAX_LANDMARKS: usize = 1 << 12;

/// A feature map without parameters: Nyström features of a kernel.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "Options", into = "Options")]
pub struct Nystrom {
    landmarks: Landmarks,
    /// `None`: the default.
    cutoff: Option<f64>,
    /// What takes m³ operations, when first needed: a file of landmarks is read without.
    root: OnceLock<Root>,
}

#[derive(Clone, Debug)]
struct Root {
    /// K^(−½), m × m and symmetric.
    matrix: Mat<f64>,
    rank: usize,
}

/// As a description has it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Options {
    kernel: Kernel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cutoff: Option<f64>,
    landmarks: Vec<Vec<f64>>,
}

impl TryFrom<Options> for Nystrom {
    type Error = FeatureError;
    fn try_from(options: Options) -> Result<Self, FeatureError> {
        let (features, landmarks) = joined(NAME, &options.landmarks)?;
        Self::build(features, landmarks, options.kernel, options.cutoff)
    }
}

impl From<Nystrom> for Options {
    fn from(op: Nystrom) -> Self {
        let landmarks = split(op.landmarks.features(), op.landmarks.points());
        Self { kernel: op.landmarks.kernel(), cutoff: op.cutoff, landmarks }
    }
}

impl Nystrom {
    /// Features of `kernel` at the columns of `landmarks` (d × m, column-major) in d = `features` dimensions. The cut-off is m·ε.
    ///
    /// # Errors
    /// Options of the kernel out of range, no landmark or more than 4,096, landmarks that are not finite or no whole number of points, a
    /// kernel matrix that overflows.
    pub fn new(features: usize, landmarks: &[f64], kernel: Kernel) -> Result<Self, FeatureError> {
        Self::build(features, landmarks.to_vec(), kernel, None)
    }

    /// The same with eigenvalues below `cutoff`·λ_max left out, 0 ≤ `cutoff` < 1.
    ///
    /// # Errors
    /// As [`new`](Self::new), and a cut-off out of range.
    pub fn with_cutoff(self, cutoff: f64) -> Result<Self, FeatureError> {
        let (features, kernel) = (self.landmarks.features(), self.landmarks.kernel());
        Self::build(features, self.landmarks.points().to_vec(), kernel, Some(cutoff))
    }

    /// Eigenvalues of K that count: the dimension of the features' span. Takes the decomposition where nothing has before.
    pub fn rank(&self) -> usize {
        self.root().rank
    }

    fn build(
        features: usize,
        landmarks: Vec<f64>,
        kernel: Kernel,
        cutoff: Option<f64>,
    ) -> Result<Self, FeatureError> {
        let op = NAME;
        let landmarks = Landmarks::new(op, features, landmarks, kernel)?;
        let m = landmarks.count();
        if m > MAX_LANDMARKS {
            let (option, allowed) = ("landmarks", "4,096 or fewer");
            return Err(FeatureError::Option { op, option, value: m as f64, allowed });
        }
        if let Some(value) = cutoff.filter(|cutoff| !(0.0..1.0).contains(cutoff)) {
            let (option, allowed) = ("cutoff", "at least 0 and below 1");
            return Err(FeatureError::Option { op, option, value, allowed });
        }
        // K is positive semidefinite: no entry is larger than the largest of the diagonal, and trace/m ≤ λ_max ≤ trace.
        let trace: f64 = landmarks.diagonal().sum();
        if !(trace > 0.0 && trace.is_finite()) {
            let largest = if trace.is_finite() { trace } else { f64::NAN };
            return Err(FeatureError::KernelMatrix { op, points: m, largest });
        }
        Ok(Self { landmarks, cutoff, root: OnceLock::new() })
    }

    fn root(&self) -> &Root {
        self.root.get_or_init(|| {
            let (landmarks, m) = (&self.landmarks, self.landmarks.count());
            let relative = self.cutoff.unwrap_or(m as f64 * f64::EPSILON);
            let k = landmarks.matrix(landmarks.points());
            // Without a decomposition every value is NaN, which a fit reports as such.
            let without = || Root { matrix: Mat::from_fn(m, m, |_, _| f64::NAN), rank: 0 };
            inverse_root(k.as_ref(), relative).unwrap_or_else(without)
        })
    }

    /// `out` ← the block's rows of K^(−½)·v. v: m × B.
    fn root_rows(&self, v: &[f64], block: &Block, out: &mut [f64]) {
        let m = self.landmarks.count();
        let out = MatMut::from_column_major_slice_mut(out, block.rows.len(), block.columns.len());
        let rows = self.root().matrix.as_ref().subrows(block.rows.start, block.rows.len());
        matmul(out, Accum::Replace, rows, block.take(v, m), 1.0, Par::Seq);
    }

    /// `out` (m × B) += K^(−½)·v, where v is zero but for the block.
    fn add_root(&self, v: &[f64], block: &Block, out: &mut [f64]) {
        let m = self.landmarks.count();
        let v = MatRef::from_column_major_slice(v, block.rows.len(), block.columns.len());
        let columns = self.root().matrix.as_ref().subcols(block.rows.start, block.rows.len());
        matmul(block.take_mut(out, m), Accum::Add, columns, v, 1.0, Par::Seq);
    }
}

/// K^(−½) without the eigenvalues below `cutoff`·λ_max, and how many are left; `None` where the decomposition fails.
fn inverse_root(k: MatRef<'_, f64>, cutoff: f64) -> Option<Root> {
    let m = k.nrows();
    if k.col_iter().any(|column| column.iter().any(|entry| !entry.is_finite())) {
        return None;
    }
    // One thread, so that the bits depend on the landmarks alone.
    let (par, spec) = (Par::Seq, Spec::default());
    let scratch = self_adjoint_evd_scratch::<f64>(m, ComputeEigenvectors::Yes, par, spec);
    let mut memory = MemBuffer::new(scratch);
    let (mut values, mut u) = (Diag::zeros(m), Mat::zeros(m, m));
    let stack = MemStack::new(&mut memory);
    self_adjoint_evd(k, values.as_mut(), Some(u.as_mut()), par, stack, spec).ok()?;
    let values = values.column_vector();
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !(largest > 0.0 && largest.is_finite()) {
        return None;
    }
    let mut scaled = u.clone();
    let mut rank = 0;
    for (index, &value) in values.iter().enumerate() {
        let kept = value > 0.0 && value >= cutoff * largest;
        rank += usize::from(kept);
        let factor = if kept { 1.0 / value.sqrt() } else { 0.0 };
        scaled.col_mut(index).iter_mut().for_each(|entry| *entry *= factor);
    }
    let mut root = Mat::zeros(m, m);
    matmul(root.as_mut(), Accum::Replace, scaled.as_ref(), u.transpose(), 1.0, par);
    Some(Root { matrix: root, rank })
}

impl Op for Nystrom {
    fn name(&self) -> String {
        NAME.into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options(NAME, self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        features_of(inputs, self.landmarks.features(), "landmarks")?;
        Ok(Shape::vector(self.landmarks.count()))
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        z.fill(0.0);
        let mut values = [0.0; BLOCK];
        for block in blocks(self.landmarks.count(), at.batch) {
            let values = &mut values[..block.len()];
            self.landmarks.arguments(at.x.get(0), &block, values);
            self.landmarks.values(values);
            self.add_root(values, &block, z);
        }
    }

    /// ż = K^(−½)·(g′(s) ⊙ ṡ).
    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        z_dot.fill(0.0);
        let Some(x_dot) = dot.x.get(0) else { return };
        let (mut s, mut s_dot) = ([0.0; BLOCK], [0.0; BLOCK]);
        for block in blocks(self.landmarks.count(), at.batch) {
            let (s, s_dot) = (&mut s[..block.len()], &mut s_dot[..block.len()]);
            self.landmarks.arguments(at.x.get(0), &block, s);
            self.landmarks.argument_tangents(at.x.get(0), x_dot, &block, s_dot);
            self.landmarks.scale_by_slopes(s, s_dot);
            self.add_root(s_dot, &block, z_dot);
        }
    }

    /// With κ̄ = K^(−½)·z̄ and h = κ̄ ⊙ g′(s): x̄ += Σ_j h_j·∂s_j/∂x.
    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let Some(slot) = bar.x.slot(0) else { return };
        let (x, x_bar) = (at.x.get(0), slot.zeroed());
        let (mut s, mut h) = ([0.0; BLOCK], [0.0; BLOCK]);
        for block in blocks(self.landmarks.count(), at.batch) {
            let (s, h) = (&mut s[..block.len()], &mut h[..block.len()]);
            self.landmarks.arguments(x, &block, s);
            self.root_rows(z_bar, &block, h);
            self.landmarks.scale_by_slopes(s, h);
            self.landmarks.pull(h, x, &block, x_bar);
        }
    }

    /// With ḣ = κ̄˙ ⊙ g′(s) + κ̄ ⊙ g″(s) ⊙ ṡ: x̄˙ += Σ_j ḣ_j·∂s_j/∂x + Σ_j h_j·∂²s_j/∂x²·ẋ.
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
        let (Some(slot), Some(x_dot)) = (bar.x.slot(0), dot.x.get(0)) else { return };
        let (x, x_bar_dot) = (at.x.get(0), slot.zeroed());
        let (mut s, mut s_dot) = ([0.0; BLOCK], [0.0; BLOCK]);
        let (mut h, mut h_dot) = ([0.0; BLOCK], [0.0; BLOCK]);
        for block in blocks(self.landmarks.count(), at.batch) {
            let (s, s_dot) = (&mut s[..block.len()], &mut s_dot[..block.len()]);
            let (h, h_dot) = (&mut h[..block.len()], &mut h_dot[..block.len()]);
            self.landmarks.arguments(x, &block, s);
            self.landmarks.argument_tangents(x, x_dot, &block, s_dot);
            self.root_rows(z_bar, &block, h);
            self.root_rows(z_bar_dot, &block, h_dot);
            self.landmarks.slope_tangents(s, s_dot, h, h_dot);
            self.landmarks.pull(h_dot, x, &block, x_bar_dot);
            self.landmarks.scale_by_slopes(s, h);
            self.landmarks.pull_curved(h, x_dot, &block, x_bar_dot);
        }
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if active[0] { Dependence::Nonlinear } else { Dependence::Affine }
    }

    fn flops(&self, inputs: &[Shape], output: &Shape) -> usize {
        2 * (inputs[0].len() + output.len() + 1) * output.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landmarks_are_read_and_written_without_a_decomposition() {
        let kernel = Kernel::Gaussian { width: 1.0 };
        let op = Nystrom::new(1, &[0.0, 1.0, 3.0], kernel).unwrap().with_cutoff(1e-9).unwrap();
        assert!(op.root.get().is_none());
        let text = toml::to_string(&op).unwrap();
        let copy: Nystrom = toml::from_str(&text).unwrap();
        assert!(copy.output_shape(&[Shape::vector(1)]).is_ok() && copy.describe().is_some());
        assert!(copy.root.get().is_none());
        assert_eq!((copy.rank(), copy.root.get().is_some()), (3, true));
    }
}
