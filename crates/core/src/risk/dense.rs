//! Dense n × n matrices of the risk: Hessian, Gauss–Newton matrix, and the Jacobian by tiles.

use super::linearized::Product;
use super::tree::{Entries, TreeSum};
use super::workspace::Workspace;
use super::{Linearized, Risk};
use crate::loss::LossHessian;
use crate::problem::Objective;
use crate::sweep::{backward_each, forward, value_rows};
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;
use std::cmp::Ordering;
use std::ops::Range;

/// Entries of the block of J that is formed at a time: 64 MiB.
pub(super) const JACOBIAN_ENTRIES: usize = 1 << 23;
/// Columns of H that one task forms.
const COLUMNS: usize = 8;

impl Linearized<'_> {
    /// `out` ← ∇²f.
    ///
    /// An affine model has no second derivatives, so that H = Σ JᵢᵀHᵢJᵢ; otherwise n products, in parallel over the columns, each by sweeps
    /// over the nodes from that on where its parameter enters.
    pub(super) fn dense_hessian(&self, out: MatMut<'_, f64>) {
        let risk = self.risk();
        if risk.graph.is_affine() {
            return self.dense_outer_product(Product::Hessian, out);
        }
        assert_square(out.as_ref(), risk.dim());
        let columns = self.hessian_nodes().swap_remove(0);
        self.finish_hessian(&columns, out);
    }

    /// The Hessian of the mean loss by products over each node of the part, n × n; where there is none, of nothing.
    pub(super) fn hessian_nodes(&self) -> Vec<Vec<f64>> {
        let (risk, n) = (self.risk(), self.risk().dim());
        risk.stock_workspaces();
        let mut first = vec![0.0; n * n];
        let others = first
            .par_chunks_mut(n * COLUMNS)
            .enumerate()
            .map(|(task, columns)| self.hessian_columns(task * COLUMNS, columns));
        let others: Vec<Vec<Mat<f64>>> = others.collect();
        let mut nodes = vec![first];
        for node in 0..others[0].len() {
            let columns = others.iter().flat_map(|task| {
                let columns = &task[node];
                (0..columns.ncols()).flat_map(|j| columns.col_as_slice(j))
            });
            nodes.push(columns.copied().collect());
        }
        nodes
    }

    /// `out` ← ∇²f, of the columns of the Hessian of the mean loss.
    pub(super) fn finish_hessian(&self, columns: &[f64], mut out: MatMut<'_, f64>) {
        let (risk, n) = (self.risk(), self.risk().dim());
        let entrances = risk.graph.entrances();
        // H is symmetric but for rounding; the mean of both triangles is exactly so, and where one was not swept the other is both.
        for j in 0..n {
            for i in 0..n {
                let (one, other) = (columns[j * n + i], columns[i * n + j]);
                out[(i, j)] = match entrances[i].cmp(&entrances[j]) {
                    Ordering::Equal => 0.5 * (one + other),
                    Ordering::Greater => one,
                    Ordering::Less => other,
                };
            }
        }
        risk.move_matrix_back(out.as_mut());
        self.add_penalty(out);
    }

    /// `out` ← Σ wᵢJᵢᵀHᵢJᵢ/Σ wᵢ + the penalty's Hessian, with the loss's Hessian Hᵢ or what stands in for it in the Gauss–Newton matrix.
    pub(super) fn dense_outer_product(&self, product: Product, mut out: MatMut<'_, f64>) {
        let risk = self.risk();
        assert_square(out.as_ref(), risk.dim());
        self.outer_product_nodes(product, out.as_mut());
        mirror(out.as_mut());
        if risk.graph.linear_head().is_some() {
            risk.move_matrix_back(out.as_mut());
        }
        self.add_penalty(out);
    }

    /// The lower triangles of Σ wᵢJᵢᵀHᵢJᵢ/Σ wᵢ over each node of the part: the first one in `first`, the others as they follow.
    pub(super) fn outer_product_nodes(
        &self,
        product: Product,
        first: MatMut<'_, f64>,
    ) -> Vec<Mat<f64>> {
        let risk = self.risk();
        let mut sum = TreeSum::new(&risk.partition, Entries::Lower, first);
        if let Some(head) = risk.graph.linear_head() {
            self.add_linear_head(product, head, &mut sum);
        } else {
            risk.add_outer_products(product, self.theta(), &mut sum);
        }
        sum.finish()
    }

    /// `out` ← the diagonal of G: J by tiles, and one pass over it.
    pub(super) fn outer_product_diagonal(&self, out: &mut [f64]) {
        let risk = self.risk();
        risk.assert_dim("out", out);
        if let Some(head) = risk.sparse_head() {
            out.copy_from_slice(self.penalty_diagonal());
            return risk.add_sparse_diagonal(Product::GaussNewton, self.sweep_theta(), head, out);
        }
        self.outer_product_diagonal_nodes(out);
        self.add_penalty_diagonal(out);
    }

    pub(super) fn add_penalty_diagonal(&self, out: &mut [f64]) {
        out.iter_mut().zip(self.penalty_diagonal()).for_each(|(out, penalty)| *out += penalty);
    }

    /// Its data's part over each node, as [`outer_product_nodes`](Self::outer_product_nodes).
    pub(super) fn outer_product_diagonal_nodes(&self, first: &mut [f64]) -> Vec<Mat<f64>> {
        let (risk, n) = (self.risk(), first.len());
        let first = MatMut::from_column_major_slice_mut(first, n, 1);
        let mut sum = TreeSum::new(&risk.partition, Entries::All, first);
        risk.for_each_jacobian(self.theta(), |block, range, z, jacobian| {
            let left = risk.hessian_times_jacobian(Product::GaussNewton, range, z, jacobian);
            let left = left.as_deref().unwrap_or(jacobian);
            let mut out = sum.block(block);
            for (left, right) in left.chunks_exact(n).zip(jacobian.chunks_exact(n)) {
                for ((out, l), r) in out.as_mut().col_mut(0).iter_mut().zip(left).zip(right) {
                    *out += risk.scale() * l * r;
                }
            }
        });
        sum.finish()
    }

    pub(super) fn add_penalty(&self, mut out: MatMut<'_, f64>) {
        for (index, diagonal) in self.penalty_diagonal().iter().enumerate() {
            out[(index, index)] += diagonal;
        }
        let risk = self.risk();
        risk.penalty.add_off_diagonal(risk.graph.parameters(), self.theta(), out);
    }
}

impl Risk<'_> {
    /// `sum` += Σ wᵢJᵢᵀHᵢJᵢ/Σ wᵢ, lower triangles.
    pub(super) fn add_outer_products(
        &self,
        product: Product,
        theta: &[f64],
        sum: &mut TreeSum<'_>,
    ) {
        self.for_each_jacobian(theta, |block, range, z, jacobian| {
            let left = self.hessian_times_jacobian(product, range, z, jacobian);
            let left = left.as_deref().unwrap_or(jacobian);
            add_product(sum.block(block), left, jacobian, self.scale());
        });
    }

    /// Calls `each(block, samples, z, jacobian)` for runs of tiles in order, each within a block, with the outputs z (c × B) and the transposed
    /// Jacobian ∂z/∂θ (n × cB: column i·c + k is the gradient of output k of the run's sample i).
    pub(super) fn for_each_jacobian(
        &self,
        theta: &[f64],
        mut each: impl FnMut(usize, Range<usize>, &[f64], &[f64]),
    ) {
        let (n, c) = (self.dim(), self.graph.outputs());
        let (tile, tiles) = (self.partition.tile_samples(), self.partition.tiles());
        // Runs are counted from the first of all tiles, so that a part has the runs of the whole.
        let (run, before) =
            ((JACOBIAN_ENTRIES / (n * c * tile)).max(1), self.partition.first_tile());
        let mut jacobian = vec![0.0; n * c * tile * run.min(tiles)];
        let mut outputs = vec![0.0; c * tile * run.min(tiles)];
        let moved = self.moved(theta);
        self.stock_workspaces();
        let mut first = 0;
        while first < tiles {
            let last = tiles.min(first + run - (before + first) % run);
            let tasks = jacobian.par_chunks_mut(n * c * tile).zip(outputs.par_chunks_mut(c * tile));
            tasks.enumerate().for_each(|(offset, (jacobian, outputs))| {
                if first + offset < last {
                    let range = self.partition.range(first + offset);
                    self.tile_jacobian(&moved, &range, jacobian, outputs);
                    let rows = jacobian[..n * c * range.len()].chunks_exact_mut(n);
                    if self.centring.is_some() {
                        rows.for_each(|row| self.move_back(row));
                    }
                }
            });
            let samples = self.partition.range(first).start..self.partition.range(last - 1).end;
            for block in self.partition.blocks() {
                let own = self.partition.block_samples(block);
                let piece = own.start.max(samples.start)..own.end.min(samples.end);
                if !piece.is_empty() {
                    let columns =
                        (piece.start - samples.start) * c..(piece.end - samples.start) * c;
                    let jacobian = &jacobian[n * columns.start..n * columns.end];
                    each(block, piece, &outputs[columns], jacobian);
                }
            }
            first = last;
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
        self.with_workspace(|workspace| {
            let Workspace { tape, inputs, .. } = workspace;
            let tile = self.tile(theta, range, inputs);
            if value_rows(tile, &mut outputs[..c * batch], &mut jacobian[..n * c * batch]) {
                return;
            }
            let mut each = vec![0.0; n * batch];
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
