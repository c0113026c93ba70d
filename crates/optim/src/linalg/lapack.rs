//! LAPACK's dense symmetric factorisations behind the interface of ours: `dpotrf`, and `dsytrf` with the solves that |B| needs.
//!
//! Only the O(n³) work is LAPACK's. U·B·Uᵀ comes as `dsytrf` leaves it: the columns of U in the strict upper triangle, the blocks of
//! B on the diagonal and beside it, and interchanges that belong to each column and not to the columns before it, so that a solve
//! goes through both in turn as `dsytrs` does (LAPACK Users' Guide, 3rd ed., §2.4.1).

use super::pivots::{Block, Pivot};
use super::vector;
use ndarray::{Array2, ShapeBuilder};
use ndarray_linalg::{CholeskyInplace, FactorizeHInto, UPLO};
use serde::{Deserialize, Serialize};

/// Runs `work` on the column-major n × n `matrix` as an array of the same memory.
fn with_array<T>(n: usize, matrix: &mut Vec<f64>, work: impl FnOnce(&mut Array2<f64>) -> T) -> T {
    let mut array = Array2::from_shape_vec((n, n).f(), std::mem::take(matrix))
        .expect("a column-major n × n matrix has n² entries");
    let result = work(&mut array);
    *matrix = array.into_raw_vec_and_offset().0;
    result
}

/// L of L·Lᵀ in the lower triangle of the n × n `matrix`, in place; false where it is not positive definite.
pub(crate) fn cholesky(n: usize, matrix: &mut Vec<f64>) -> bool {
    with_array(n, matrix, |array| array.cholesky_inplace(UPLO::Lower).is_ok())
}

/// U·B·Uᵀ.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BunchKaufman {
    n: usize,
    /// Column-major n × n: U above the blocks of B.
    factor: Vec<f64>,
    /// As `dsytrf` returns it, from 1: the row that k changed with; negative in both places of a block of two.
    pivots: Vec<i32>,
}

impl BunchKaufman {
    /// Factorises the symmetric n × n matrix with this upper triangle. None where a block is exactly singular.
    pub(crate) fn new(n: usize, upper: Vec<f64>) -> Option<Self> {
        let array = Array2::from_shape_vec((n, n).f(), upper).ok()?;
        let factors = array.factorizeh_into().ok()?;
        Some(Self { n, factor: factors.a.into_raw_vec_and_offset().0, pivots: factors.ipiv })
    }

    fn column(&self, k: usize) -> &[f64] {
        &self.factor[k * self.n..(k + 1) * self.n]
    }

    /// The blocks of B from the first on.
    pub(crate) fn pivots(&self) -> impl Iterator<Item = Pivot> {
        let mut k = 0;
        std::iter::from_fn(move || {
            let &pivot = self.pivots.get(k)?;
            let a = self.column(k)[k];
            if pivot > 0 {
                k += 1;
                return Some(Pivot::One(a));
            }
            let (coupling, d) = (self.column(k + 1)[k], self.column(k + 1)[k + 1]);
            k += 2;
            Some(Pivot::Two { a, coupling, d })
        })
    }

    /// The row, from 0, that `k` changed with.
    fn partner(&self, k: usize) -> usize {
        self.pivots[k].unsigned_abs() as usize - 1
    }

    /// `x` ← (U·|B|·Uᵀ)⁻¹·x, with the blocks of |B|.
    pub(crate) fn solve(&self, blocks: &[Block], x: &mut [f64]) {
        let mut end = self.n;
        for block in blocks.iter().rev() {
            let start = end - block.len();
            // Of a block of two the first row changed places.
            x.swap(start, self.partner(start));
            for k in start..end {
                let (above, rest) = x.split_at_mut(start);
                vector::axpy(-rest[k - start], &self.column(k)[..start], above);
            }
            block.divide(&mut x[start..end]);
            end = start;
        }
        let mut start = 0;
        for block in blocks {
            let end = start + block.len();
            for k in start..end {
                let (above, rest) = x.split_at_mut(start);
                rest[k - start] -= vector::dot(&self.column(k)[..start], above);
            }
            x.swap(start, self.partner(start));
            start = end;
        }
    }
}
