//! A symmetric matrix as its lower triangle, row after row: ½n(n+1) numbers.
//!
//! The rank-2 update of a quasi-Newton method and the next product with the matrix are one pass: every entry is read,
//! updated, used for both halves of the product and written, once. Memory traffic is what the pass costs: 8n² bytes.
//!
//! The rows are cut into chunks by n alone, each with its own partial product, and the partial products are summed in
//! chunk order: the bits do not depend on the threads.

use super::vector::{axpy, dot_inline, vectorize};
use serde::{Deserialize, Serialize};

/// Entries of the triangle per chunk at least: below it, one chunk and no threads (1 MiB of matrix is about the time of
/// handing work to another core ten times over).
const CHUNK_ENTRIES: usize = 1 << 17;
/// Most chunks, and so most threads that help and most partial products kept.
const MAX_CHUNKS: usize = 16;

/// The triangle and the partial products.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PackedSymmetric {
    n: usize,
    /// h₀₀, h₁₀ h₁₁, h₂₀ h₂₁ h₂₂ …
    entries: Vec<f64>,
    /// First row of each chunk, and n at the end.
    bounds: Vec<usize>,
    /// One product of length n per chunk.
    partial: Vec<f64>,
}

/// H ← τ·H + a·s·sᵀ + b·(s·vᵀ + v·sᵀ) + c·v·vᵀ, on the way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RankTwo<'a> {
    pub weights: Weights,
    pub s: &'a [f64],
    pub v: &'a [f64],
}

/// τ, a, b and c of a [`RankTwo`] update.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Weights {
    pub scale: f64,
    pub ss: f64,
    pub sv: f64,
    pub vv: f64,
}

impl RankTwo<'_> {
    /// a·sᵢ + b·vᵢ and b·sᵢ + c·vᵢ: row i of the update is the first times s and the second times v.
    #[inline(always)]
    fn row(&self, i: usize) -> (f64, f64) {
        let Weights { ss, sv, vv, .. } = self.weights;
        let (s, v) = (self.s[i], self.v[i]);
        (ss * s + sv * v, sv * s + vv * v)
    }
}

/// ½i(i+1), where row i begins.
fn row_start(i: usize) -> usize {
    i * (i + 1) / 2
}

impl PackedSymmetric {
    /// Zero, n × n.
    pub(crate) fn new(n: usize) -> Self {
        let chunks = (row_start(n) / CHUNK_ENTRIES).clamp(1, MAX_CHUNKS);
        let mut bounds = vec![0];
        for chunk in 1..chunks {
            // Rows up to i hold i²/2 entries: equal shares end at n√(chunk/chunks).
            let share = (chunk as f64 / chunks as f64).sqrt() * n as f64;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            bounds.push(share as usize);
        }
        bounds.push(n);
        Self { n, entries: vec![0.0; row_start(n)], bounds, partial: vec![0.0; chunks * n] }
    }

    /// H ← a·I.
    pub(crate) fn set_identity(&mut self, a: f64) {
        self.entries.fill(0.0);
        for i in 0..self.n {
            self.entries[row_start(i) + i] = a;
        }
    }

    /// Updates H (when there is an update), then `out` ← H·x, in one pass.
    pub(crate) fn update_then_multiply(
        &mut self,
        update: Option<RankTwo<'_>>,
        x: &[f64],
        out: &mut [f64],
    ) {
        let task = Task { update, x };
        task.chunks(&self.bounds, &mut self.entries, &mut self.partial);
        out.copy_from_slice(&self.partial[..self.n]);
        for product in self.partial.chunks_exact(self.n).skip(1) {
            axpy(1.0, product, out);
        }
    }
}

#[derive(Clone, Copy)]
struct Task<'a> {
    update: Option<RankTwo<'a>>,
    x: &'a [f64],
}

impl Task<'_> {
    /// Halves the chunks until one is left; the halves may run on two threads.
    fn chunks(self, bounds: &[usize], entries: &mut [f64], partial: &mut [f64]) {
        let chunks = bounds.len() - 1;
        if chunks == 1 {
            return self.rows(bounds[0], bounds[1], entries, partial);
        }
        let middle = chunks / 2;
        let entry = row_start(bounds[middle]) - row_start(bounds[0]);
        let (low_entries, high_entries) = entries.split_at_mut(entry);
        let (low_partial, high_partial) = partial.split_at_mut(middle * self.x.len());
        rayon::join(
            || self.chunks(&bounds[..=middle], low_entries, low_partial),
            || self.chunks(&bounds[middle..], high_entries, high_partial),
        );
    }

    /// Rows `first..last`, whose entries are `entries`; `out` ← their part of H·x.
    fn rows(self, first: usize, last: usize, entries: &mut [f64], out: &mut [f64]) {
        vectorize(
            #[inline(always)]
            || {
                out.fill(0.0);
                let mut rest = &mut *entries;
                for i in first..last {
                    let (row, below) = std::mem::take(&mut rest).split_at_mut(i + 1);
                    rest = below;
                    if let Some(update) = self.update {
                        let (along_s, along_v) = update.row(i);
                        let (scale, pairs) = (update.weights.scale, update.s.iter().zip(update.v));
                        for (h, (s, v)) in row.iter_mut().zip(pairs) {
                            *h = along_s.mul_add(*s, along_v.mul_add(*v, scale * *h));
                        }
                    }
                    let (lower, diagonal) = (&row[..i], row[i]);
                    let xi = self.x[i];
                    for (out, h) in out[..i].iter_mut().zip(lower) {
                        *out = xi.mul_add(*h, *out);
                    }
                    out[i] += diagonal.mul_add(xi, dot_inline(lower, &self.x[..i]));
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: Weights = Weights { scale: 0.75, ss: 1.25, sv: -0.5, vv: -2.0 };

    fn wave(n: usize, frequency: f64) -> Vec<f64> {
        (0..n).map(|i| (frequency * (i as f64 + 0.5)).sin()).collect()
    }

    #[test]
    fn one_pass_equals_the_dense_update_and_product() {
        for n in [1, 2, 3, 31, 64, 97, 600] {
            let (v, s, x) = (wave(n, 0.3), wave(n, 1.7), wave(n, 0.9));
            let mut h = PackedSymmetric::new(n);
            h.set_identity(2.5);
            let mut out = vec![f64::NAN; n];
            h.update_then_multiply(Some(RankTwo { weights: WEIGHTS, s: &s, v: &v }), &x, &mut out);
            let vx: f64 = v.iter().zip(&x).map(|(a, b)| a * b).sum();
            let sx: f64 = s.iter().zip(&x).map(|(a, b)| a * b).sum();
            for i in 0..n {
                let along_s = WEIGHTS.ss * sx + WEIGHTS.sv * vx;
                let along_v = WEIGHTS.sv * sx + WEIGHTS.vv * vx;
                let dense = 2.5 * WEIGHTS.scale * x[i] + along_s * s[i] + along_v * v[i];
                assert!(
                    (out[i] - dense).abs() < 1e-12 * (1.0 + vx.abs() + sx.abs()),
                    "n {n} i {i}"
                );
            }
            let mut again = vec![f64::NAN; n];
            h.update_then_multiply(None, &x, &mut again);
            for (a, b) in again.iter().zip(&out) {
                assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "the update was not stored");
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_the_threads() {
        let n = 1100;
        let (v, s, x) = (wave(n, 0.3), wave(n, 1.7), wave(n, 0.9));
        let product = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut h = PackedSymmetric::new(n);
                assert!(h.bounds.len() > 2, "several chunks, or the test is empty");
                h.set_identity(1.0);
                let mut out = vec![0.0; n];
                h.update_then_multiply(
                    Some(RankTwo { weights: WEIGHTS, s: &s, v: &v }),
                    &x,
                    &mut out,
                );
                out
            })
        };
        let one = product(1);
        for threads in [2, 3, 8] {
            assert_eq!(product(threads), one);
        }
    }
}
