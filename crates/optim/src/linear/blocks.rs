//! The rows of a design block by block, and what is summed over them: nothing of the size of the design is kept.
//!
//! A block is copied column by column into memory that stays in a core's cache. Blocks go by shards, one after the other in a shard and
//! shards in parallel; both depend on m and n alone, and so do the bits of the sums.

use super::LinearLeastSquares;
use crate::linalg::vector::{self, vectorize};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::qr::no_pivoting::factor::{
    qr_in_place, qr_in_place_scratch, recommended_block_size,
};
use faer::{Accum, Mat, MatRef, Par, Spec};
use rayon::prelude::*;
use secant_core::double_double::{DoubleDouble, two_product, two_sum};
use std::ops::Range;

/// Numbers of a block: 512 KiB.
const BLOCK: usize = 1 << 16;
/// Rows of a block at least, for products of as many terms.
const LEAST_ROWS: usize = 128;
/// Most shards.
const SHARDS: usize = 64;
/// Blocks of a shard at least.
const BLOCKS: usize = 4;
/// Numbers that all shards keep at most, unless two do.
const KEPT: usize = 1 << 25;
/// Numbers that are summed side by side.
const LANES: usize = 8;

/// The rows of a problem in blocks and shards.
pub(super) struct Blocks<'p, 'a> {
    problem: &'p LinearLeastSquares<'a>,
    /// Rows of a block.
    rows: usize,
    /// Rows of a shard.
    shard: usize,
}

/// One block: rows `range`, its n columns (B × n) and targets, without weights.
struct Block<'s> {
    range: Range<usize>,
    columns: &'s mut [f64],
    targets: &'s [f64],
    weights: Option<&'s [f64]>,
}

impl Block<'_> {
    fn rows(&self) -> usize {
        self.range.len()
    }

    /// Its columns times √w.
    fn weigh(&mut self) {
        if let Some(weights) = self.weights {
            for column in self.columns.chunks_exact_mut(weights.len()) {
                for (entry, weight) in column.iter_mut().zip(weights) {
                    *entry *= weight.sqrt();
                }
            }
        }
    }
}

/// AᵀA and Aᵀb of A = √W·X and b = √W·y.
pub(super) struct Gram {
    /// Its lower triangle, n × n.
    pub matrix: Mat<f64>,
    pub right: Vec<f64>,
}

/// What one β leaves, with twice the digits.
pub(super) struct Left {
    /// XᵀW(y − Xβ).
    pub gradient: Vec<DoubleDouble>,
    /// Σ wᵢ(yᵢ − xᵢᵀβ)².
    pub squares: DoubleDouble,
}

impl<'p, 'a> Blocks<'p, 'a> {
    pub(super) fn new(problem: &'p LinearLeastSquares<'a>) -> Self {
        let (m, n) = (problem.design.nrows(), problem.columns());
        let rows = (BLOCK / n).max(LEAST_ROWS).min(m);
        let kept = (KEPT / (n * n)).max(2);
        let shards = (m / (BLOCKS * rows)).clamp(1, SHARDS.min(kept));
        Self { problem, rows, shard: m.div_ceil(shards) }
    }

    /// `work(state, block, residuals)` for every block, with a state for every shard; these, in order.
    fn each<T: Send>(
        &self,
        residuals: &mut [f64],
        new: impl Fn() -> T + Sync,
        work: impl Fn(&mut T, &mut Block<'_>, &mut [f64]) + Sync,
    ) -> Vec<T> {
        let n = self.problem.columns();
        let of_shard = |(index, residuals): (usize, &mut [f64])| {
            let mut state = new();
            let mut columns = vec![0.0; self.rows * n];
            for (block, residuals) in residuals.chunks_mut(self.rows).enumerate() {
                let first = index * self.shard + block * self.rows;
                let range = first..first + residuals.len();
                let columns = &mut columns[..residuals.len() * n];
                self.load(range.clone(), columns);
                let targets = &self.problem.targets[range.clone()];
                let weights = self.problem.weights.map(|weights| &weights[range.clone()]);
                work(&mut state, &mut Block { range, columns, targets, weights }, residuals);
            }
            state
        };
        let shards = residuals.par_chunks_mut(self.shard).enumerate();
        shards.with_max_len(1).map(of_shard).collect()
    }

    /// The columns of some rows, one after the other.
    fn load(&self, range: Range<usize>, columns: &mut [f64]) {
        let rows = range.len();
        let columns = if self.problem.constant {
            let (ones, rest) = columns.split_at_mut(rows);
            ones.fill(1.0);
            rest
        } else {
            columns
        };
        self.problem.design.load(range, columns);
    }

    /// The sums of the normal equations, n²·m flops.
    pub(super) fn gram(&self, residuals: &mut [f64]) -> Gram {
        let n = self.problem.columns();
        let new = || Gram { matrix: Mat::zeros(n, n), right: vec![0.0; n] };
        let shards = self.each(residuals, new, |gram, block, residuals| {
            block.weigh();
            let rows = block.rows();
            residuals.copy_from_slice(block.targets);
            for (target, weight) in residuals.iter_mut().zip(block.weights.unwrap_or_default()) {
                *target *= weight.sqrt();
            }
            for (right, column) in gram.right.iter_mut().zip(block.columns.chunks_exact(rows)) {
                *right += vector::dot(column, residuals);
            }
            let columns = MatRef::from_column_major_slice(block.columns, rows, n);
            matmul(
                gram.matrix.as_mut(),
                BlockStructure::TriangularLower,
                Accum::Add,
                columns.transpose(),
                BlockStructure::Rectangular,
                columns,
                BlockStructure::Rectangular,
                1.0,
                Par::Seq,
            );
        });
        let mut total = new();
        for shard in shards {
            total.matrix += shard.matrix;
            vector::axpy(1.0, &shard.right, &mut total.right);
        }
        total
    }

    /// R of A·S = Q·R by Householder reflections on blocks and then on their R (Demmel, Grigori, Hoemmen & Langou 2012), upper
    /// triangular; S are the `scales`, and `below` (p × n) are rows of A·S that follow those of the design. 2n²·m flops and some more.
    pub(super) fn triangle(
        &self,
        scales: &[f64],
        below: MatRef<'_, f64>,
        residuals: &mut [f64],
    ) -> Mat<f64> {
        let n = self.problem.columns();
        // R so far over the block that comes.
        let new = || Reflected::new(n + self.rows, n);
        let shards = self.each(residuals, new, |reflected, block, _| {
            block.weigh();
            for (column, scale) in block.columns.chunks_exact_mut(block.range.len()).zip(scales) {
                vector::scale(*scale, column);
            }
            let rows = block.rows();
            reflected.add(MatRef::from_column_major_slice(block.columns, rows, n));
        });
        let mut all = Reflected::new(n + n.max(below.nrows()), n);
        for shard in &shards {
            all.add(shard.triangle());
        }
        if below.nrows() > 0 {
            all.add(below);
        }
        all.triangle().to_owned()
    }

    /// What `beta` leaves of the targets; the residuals y − Xβ, rounded. 40mn flops.
    pub(super) fn left(&self, beta: &[DoubleDouble], residuals: &mut [f64]) -> Left {
        let n = self.problem.columns();
        let new = || Summed {
            left: Left { gradient: vec![DoubleDouble::ZERO; n], squares: DoubleDouble::ZERO },
            high: vec![0.0; self.rows],
            low: vec![0.0; self.rows],
        };
        let shards = self.each(residuals, new, |summed, block, residuals| {
            let rows = block.rows();
            let (high, low) = (&mut summed.high[..rows], &mut summed.low[..rows]);
            high.copy_from_slice(block.targets);
            low.fill(0.0);
            for (beta, column) in beta.iter().zip(block.columns.chunks_exact(rows)) {
                subtract(*beta, column, high, low);
            }
            for ((residual, high), low) in residuals.iter_mut().zip(&*high).zip(&*low) {
                *residual = high + low;
            }
            let left = &mut summed.left;
            left.squares = left.squares + squares(high, low, block.weights);
            if let Some(weights) = block.weights {
                for ((high, low), weight) in high.iter_mut().zip(low.iter_mut()).zip(weights) {
                    let (product, error) = two_product(*high, *weight);
                    (*high, *low) = (product, low.mul_add(*weight, error));
                }
            }
            for (sum, column) in left.gradient.iter_mut().zip(block.columns.chunks_exact(rows)) {
                *sum = *sum + dot(column, high, low);
            }
        });
        let mut total = new().left;
        for Summed { left, .. } in shards {
            total.squares = total.squares + left.squares;
            for (total, sum) in total.gradient.iter_mut().zip(left.gradient) {
                *total = *total + sum;
            }
        }
        total
    }
}

struct Summed {
    left: Left,
    high: Vec<f64>,
    low: Vec<f64>,
}

/// R of all rows that were added.
struct Reflected {
    /// R, and under it room for the rows that come.
    matrix: Mat<f64>,
    coefficients: Mat<f64>,
    memory: MemBuffer,
}

impl Reflected {
    fn new(rows: usize, n: usize) -> Self {
        let block = recommended_block_size::<f64>(rows, n);
        let scratch = qr_in_place_scratch::<f64>(rows, n, block, Par::Seq, Spec::default());
        Self {
            matrix: Mat::zeros(rows, n),
            coefficients: Mat::zeros(block, n),
            memory: MemBuffer::new(scratch),
        }
    }

    fn add(&mut self, rows: MatRef<'_, f64>) {
        let n = self.matrix.ncols();
        let mut part = self.matrix.as_mut().subrows_mut(0, n + rows.nrows());
        part.as_mut().subrows_mut(n, rows.nrows()).copy_from(rows);
        let stack = MemStack::new(&mut self.memory);
        let coefficients = self.coefficients.as_mut();
        qr_in_place(part.as_mut(), coefficients, Par::Seq, stack, Spec::default());
        for j in 0..n {
            part.as_mut().col_mut(j).subrows_mut(j + 1, n + rows.nrows() - j - 1).fill(0.0);
        }
    }

    fn triangle(&self) -> MatRef<'_, f64> {
        self.matrix.as_ref().subrows(0, self.matrix.ncols())
    }
}

/// `high` + `low` ← itself − beta·column, with twice the digits.
fn subtract(beta: DoubleDouble, column: &[f64], high: &mut [f64], low: &mut [f64]) {
    vectorize(
        #[inline(always)]
        || {
            for ((high, low), x) in high.iter_mut().zip(low.iter_mut()).zip(column) {
                let (product, error) = two_product(*x, -beta.high);
                let (total, rest) = two_sum(*high, product);
                *high = total;
                *low += x.mul_add(-beta.low, error) + rest;
            }
        },
    );
}

/// xᵀ(high + low), with twice the digits.
fn dot(x: &[f64], high: &[f64], low: &[f64]) -> DoubleDouble {
    summed(
        x,
        high,
        low,
        #[inline(always)]
        |x, high, low| {
            let (product, error) = two_product(x, high);
            (product, x.mul_add(low, error))
        },
    )
}

/// Σ w(high + low)², with twice the digits.
fn squares(high: &[f64], low: &[f64], weights: Option<&[f64]>) -> DoubleDouble {
    match weights {
        Some(weights) => summed(weights, high, low, square),
        None => summed(
            high,
            high,
            low,
            #[inline(always)]
            |_, high, low| square(1.0, high, low),
        ),
    }
}

#[inline(always)]
fn square(weight: f64, high: f64, low: f64) -> (f64, f64) {
    let (product, error) = two_product(high, high);
    let error = (2.0 * high).mul_add(low, error);
    let (weighted, rest) = two_product(product, weight);
    (weighted, error.mul_add(weight, rest))
}

/// The sum of the terms, pairs of numbers, by lanes.
#[inline(always)]
fn summed(
    x: &[f64],
    high: &[f64],
    low: &[f64],
    term: impl Fn(f64, f64, f64) -> (f64, f64),
) -> DoubleDouble {
    let (mut sums, mut rests) = ([0.0; LANES], [0.0; LANES]);
    vectorize(
        #[inline(always)]
        || {
            let parts = high.chunks(LANES).zip(low.chunks(LANES));
            for (x, (high, low)) in x.chunks(LANES).zip(parts) {
                if let (Ok(x), Ok(high), Ok(low)) = (
                    <&[f64; LANES]>::try_from(x),
                    <&[f64; LANES]>::try_from(high),
                    <&[f64; LANES]>::try_from(low),
                ) {
                    for lane in 0..LANES {
                        let pair = term(x[lane], high[lane], low[lane]);
                        add(pair, &mut sums[lane], &mut rests[lane]);
                    }
                } else {
                    for lane in 0..x.len() {
                        let pair = term(x[lane], high[lane], low[lane]);
                        add(pair, &mut sums[lane], &mut rests[lane]);
                    }
                }
            }
        },
    );
    let lanes = sums.iter().zip(&rests);
    lanes.fold(DoubleDouble::ZERO, |total, (sum, rest)| {
        total + DoubleDouble::from(*sum) + DoubleDouble::from(*rest)
    })
}

#[inline(always)]
fn add((high, low): (f64, f64), sum: &mut f64, rest: &mut f64) {
    let (total, error) = two_sum(*sum, high);
    *sum = total;
    *rest += error + low;
}
