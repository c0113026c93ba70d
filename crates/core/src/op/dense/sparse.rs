//! The products of the dense node with sparse data: a column of W, c numbers side by side, for every entry that is stored.
//!
//! Cost per entry: c multiply–adds each for the value, for W̄ and for the tangent. The numbers are those of the products with the
//! zeros, summed in another order.

use crate::data::SparseTile;
use crate::elementwise::vectorize;

/// Sums of a row of one output that run side by side, so that none waits for the one before.
const LANES: usize = 4;

/// z (c × B) += W·x.
pub(super) fn add_product(weight: &[f64], x: SparseTile<'_>, outputs: usize, z: &mut [f64]) {
    if outputs == 1 {
        for (z, (indices, values)) in z.iter_mut().zip(x.rows()) {
            *z += gathered(weight, indices, values);
        }
        return;
    }
    vectorize(
        #[inline(always)]
        || {
            for (z, (indices, values)) in z.chunks_exact_mut(outputs).zip(x.rows()) {
                for (index, value) in indices.iter().zip(values) {
                    let start = *index as usize * outputs;
                    let column = &weight[start..start + outputs];
                    for (z, w) in z.iter_mut().zip(column) {
                        *z = w.mul_add(*value, *z);
                    }
                }
            }
        },
    );
}

/// W̄ += z̄·xᵀ.
pub(super) fn add_outer(w_bar: &mut [f64], z_bar: &[f64], x: SparseTile<'_>, outputs: usize) {
    if outputs == 1 {
        for (z_bar, (indices, values)) in z_bar.iter().zip(x.rows()) {
            // A sample that is fitted, or left out, changes nothing.
            if *z_bar != 0.0 {
                for (index, value) in indices.iter().zip(values) {
                    w_bar[*index as usize] += z_bar * value;
                }
            }
        }
        return;
    }
    vectorize(
        #[inline(always)]
        || {
            for (z_bar, (indices, values)) in z_bar.chunks_exact(outputs).zip(x.rows()) {
                for (index, value) in indices.iter().zip(values) {
                    let start = *index as usize * outputs;
                    let column = &mut w_bar[start..start + outputs];
                    for (w_bar, z_bar) in column.iter_mut().zip(z_bar) {
                        *w_bar = z_bar.mul_add(*value, *w_bar);
                    }
                }
            }
        },
    );
}

/// Σ w·x over the entries of a row.
#[inline(always)]
fn gathered(weight: &[f64], indices: &[u32], values: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (index_blocks, last_indices) = indices.as_chunks::<LANES>();
    let (value_blocks, last_values) = values.as_chunks::<LANES>();
    for (indices, values) in index_blocks.iter().zip(value_blocks) {
        for lane in 0..LANES {
            sums[lane] += weight[indices[lane] as usize] * values[lane];
        }
    }
    let mut total = (sums[0] + sums[2]) + (sums[1] + sums[3]);
    for (index, value) in last_indices.iter().zip(last_values) {
        total += weight[*index as usize] * value;
    }
    total
}
