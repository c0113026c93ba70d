//! Dense n × n matrices of the risk: Hessian, Gauss–Newton matrix, and the Jacobian by tiles.

use super::linearized::Product;
use super::{Linearized, Risk};
use crate::loss::LossHessian;
use crate::problem::Objective;
use crate::sweep::{backward_each, forward, value_rows};
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;
use std::ops::Range;

/// Entries of the block of J that is formed at a time: 64 MiB.
pub(super) const JACOBIAN_ENTRIES: usize = 1 << 23;
/// Columns of H that one task forms.
const COLUMNS: usize = 8;

impl Linearized<'_> {
    /// `out` ← ∇²f.
    ///
    /// An affine model has no second derivatives, so that H = Σ JᵢᵀHᵢJᵢ; otherwise n products, in parallel over the columns.
    pub(super) fn dense_hessian(&self, mut out: MatMut<'_, f64>) {
        let risk = self.risk();
        if risk.graph.is_affine() {
            return self.dense_outer_product(Product::Hessian, out);
        }
        let n = risk.dim();
        assert_square(out.as_ref(), n);
        risk.stock_workspaces();
        let mut columns = vec![0.0; n * n];
        columns.par_chunks_mut(n * COLUMNS).enumerate().for_each(|(block, columns)| {
            let mut unit = vec![0.0; n];
            self.add_hessian_columns(block * COLUMNS, columns, &mut unit);
        });
        // H is symmetric but for rounding; the mean of both triangles is exactly so.
        for j in 0..n {
            for i in 0..n {
                out[(i, j)] = 0.5 * (columns[j * n + i] + columns[i * n + j]);
            }
        }
        risk.move_matrix_back(out.as_mut());
        self.add_penalty(out);
    }

    /// `out` ← Σ wᵢJᵢᵀHᵢJᵢ/Σ wᵢ + the penalty's Hessian, with the loss's Hessian Hᵢ or what stands in for it in the Gauss–Newton matrix.
    pub(super) fn dense_outer_product(&self, product: Product, mut out: MatMut<'_, f64>) {
        let risk = self.risk();
        assert_square(out.as_ref(), risk.dim());
        out.fill(0.0);
        if let Some(head) = risk.graph.linear_head() {
            self.add_linear_head(product, head, out.as_mut());
            risk.move_matrix_back(out.as_mut());
        } else {
            risk.for_each_jacobian(self.theta(), |range, z, jacobian| {
                let left = risk.hessian_times_jacobian(product, range, z, jacobian);
                add_product(
                    out.as_mut(),
                    left.as_deref().unwrap_or(jacobian),
                    jacobian,
                    risk.scale(),
                );
            });
            mirror(out.as_mut());
        }
        self.add_penalty(out);
    }

    /// `out` ← the diagonal of G: J by tiles, and one pass over it.
    pub(super) fn outer_product_diagonal(&self, out: &mut [f64]) {
        let risk = self.risk();
        risk.assert_dim("out", out);
        out.copy_from_slice(self.penalty_diagonal());
        if let Some(head) = risk.sparse_head() {
            return risk.add_sparse_diagonal(Product::GaussNewton, self.sweep_theta(), head, out);
        }
        let n = risk.dim();
        risk.for_each_jacobian(self.theta(), |range, z, jacobian| {
            let left = risk.hessian_times_jacobian(Product::GaussNewton, range, z, jacobian);
            let left = left.as_deref().unwrap_or(jacobian);
            for (left, right) in left.chunks_exact(n).zip(jacobian.chunks_exact(n)) {
                for ((out, l), r) in out.iter_mut().zip(left).zip(right) {
                    *out += risk.scale() * l * r;
                }
            }
        });
    }

    fn add_penalty(&self, mut out: MatMut<'_, f64>) {
        for (index, diagonal) in self.penalty_diagonal().iter().enumerate() {
            out[(index, index)] += diagonal;
        }
        let risk = self.risk();
        risk.penalty.add_off_diagonal(risk.graph.parameters(), self.theta(), out);
    }
}

impl Risk<'_> {
    /// Calls `block(samples, z, jacobian)` for runs of tiles in order, with the outputs z (c × B) and the transposed
    /// Jacobian ∂z/∂θ (n × cB: column i·c + k is the gradient of output k of the run's sample i).
    pub(super) fn for_each_jacobian(
        &self,
        theta: &[f64],
        mut block: impl FnMut(Range<usize>, &[f64], &[f64]),
    ) {
        let (n, c) = (self.dim(), self.graph.outputs());
        let tile = self.partition.tile_samples();
        let run = (JACOBIAN_ENTRIES / (n * c * tile)).clamp(1, self.partition.tiles());
        let mut jacobian = vec![0.0; n * c * tile * run];
        let mut outputs = vec![0.0; c * tile * run];
        let moved = self.moved(theta);
        self.stock_workspaces();
        for first in (0..self.partition.tiles()).step_by(run) {
            let tasks = jacobian.par_chunks_mut(n * c * tile).zip(outputs.par_chunks_mut(c * tile));
            tasks.enumerate().for_each(|(offset, (jacobian, outputs))| {
                if first + offset < self.partition.tiles() {
                    let range = self.partition.range(first + offset);
                    self.tile_jacobian(&moved, &range, jacobian, outputs);
                    let rows = jacobian[..n * c * range.len()].chunks_exact_mut(n);
                    if self.centring.is_some() {
                        rows.for_each(|row| self.move_back(row));
                    }
                }
            });
            let last = (first + run).min(self.partition.tiles());
            let samples = self.partition.range(first).start..self.partition.range(last - 1).end;
            let columns = samples.len() * c;
            block(samples, &outputs[..columns], &jacobian[..n * columns]);
        }
    }

    /// ∂z/∂θ of one tile, transposed (n × cB), and z.
    fn tile_jacobian(
        &self,
        theta: &[f64],
        range: &Range<usize>,
        jacobian: &mut [f64],
        outputs: &mut [f64],
    ) {
        let (n, c, batch) = (self.dim(), self.graph.outputs(), range.len());
        let tile = self.tile(theta, range);
        if value_rows(tile, &mut outputs[..c * batch], &mut jacobian[..n * c * batch]) {
            return;
        }
        let mut each = vec![0.0; n * batch];
        self.with_workspace(|workspace| {
            let tape = &mut workspace.tape;
            forward(tile, &mut tape.values);
            outputs[..c * batch].copy_from_slice(&tape.values[tile.output_value()]);
            for k in 0..c {
                let seeds = &mut tape.adjoints[tile.output_active()];
                seeds.fill(0.0);
                seeds.iter_mut().skip(k).step_by(c).for_each(|seed| *seed = 1.0);
                let target = if c == 1 { &mut jacobian[..n * batch] } else { &mut each[..] };
                target.fill(0.0);
                backward_each(tile, &tape.values, &mut tape.adjoints, target);
                if c > 1 {
                    for (sample, column) in each.chunks_exact(n).enumerate() {
                        let start = (sample * c + k) * n;
                        jacobian[start..start + n].copy_from_slice(column);
                    }
                }
            }
        });
    }

    /// wᵢ·Jᵢᵀ·Hᵢ for the samples of `range`; `None` where that is Jᵢᵀ.
    pub(super) fn hessian_times_jacobian(
        &self,
        product: Product,
        range: Range<usize>,
        z: &[f64],
        jacobian: &[f64],
    ) -> Option<Vec<f64>> {
        let (n, c) = (self.dim(), self.graph.outputs());
        if self.loss.hessian_kind() == LossHessian::Identity {
            let weights = &self.data.weights()?[range];
            let mut left = jacobian.to_vec();
            let samples = left.par_chunks_exact_mut(n * c).zip(weights);
            samples.for_each(|(left, weight)| left.iter_mut().for_each(|entry| *entry *= weight));
            return Some(left);
        }
        let mut shifted = self.new_shifted(range.len());
        let z = self.scores(z, self.data.tile(range.clone()), &mut shifted);
        let mut left = vec![0.0; jacobian.len()];
        let samples = left.par_chunks_exact_mut(n * c).zip(jacobian.par_chunks_exact(n * c));
        samples.zip(z.par_chunks_exact(c)).enumerate().for_each(|(i, ((left, j), z))| {
            let mut h = vec![0.0; c * c];
            let sample = range.start + i;
            self.loss_block(product, z, sample, &mut h);
            faer::linalg::matmul::matmul(
                MatMut::from_column_major_slice_mut(left, n, c),
                Accum::Replace,
                MatRef::from_column_major_slice(j, n, c),
                MatRef::from_column_major_slice(&h, c, c),
                1.0,
                Par::Seq,
            );
        });
        Some(left)
    }

    /// `out` (c × c) ← the loss's Hessian at the [`scores`](Self::scores) z of one sample, or what stands in for it, times its weight.
    pub(super) fn loss_block(&self, product: Product, z: &[f64], sample: usize, out: &mut [f64]) {
        let weight = self.data.weights().map_or(1.0, |weights| weights[sample]);
        if weight == 0.0 {
            return out.fill(0.0);
        }
        let y = self.targets().tile(sample..sample + 1);
        match product {
            Product::Hessian => self.loss.hessian(z, y, out),
            Product::GaussNewton => self.loss.gauss_newton(z, y, out),
        }
        if weight != 1.0 {
            for entry in out {
                *entry *= weight;
            }
        }
    }
}

/// Lower triangle of `out` += scale·left·rightᵀ; left and right are n × k.
pub(super) fn add_product(out: MatMut<'_, f64>, left: &[f64], right: &[f64], scale: f64) {
    let n = out.nrows();
    matmul(
        out,
        BlockStructure::TriangularLower,
        Accum::Add,
        MatRef::from_column_major_slice(left, n, left.len() / n),
        BlockStructure::Rectangular,
        MatRef::from_column_major_slice(right, n, right.len() / n).transpose(),
        BlockStructure::Rectangular,
        scale,
        Par::rayon(0),
    );
}

/// Copies the lower triangle to the upper one.
pub(super) fn mirror(mut out: MatMut<'_, f64>) {
    for j in 1..out.ncols() {
        for i in 0..j {
            out[(i, j)] = out[(j, i)];
        }
    }
}

pub(super) fn assert_square(matrix: MatRef<'_, f64>, n: usize) {
    let (rows, cols) = (matrix.nrows(), matrix.ncols());
    assert!(rows == n && cols == n, "the matrix is {rows}×{cols}, the model has {n} parameters");
}
