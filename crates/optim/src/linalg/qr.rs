//! Solves min ‖A·z − b‖² + μ‖z‖² for any number of b and μ after one factorisation of A (m × n).
//!
//! A·P = Q·R by Householder reflections with column pivoting (Businger & Golub 1965), once: 2mn² − ⅔n³ flops. For each μ the
//! small problem min ‖[R; √μI]·Pᵀz − [Qᵀb; 0]‖ by Givens rotations: n³, whatever m. No AᵀA is formed, so the condition of A is
//! not squared. Memory mn + 2n². Source: Moré (1978) §3, MINPACK's `qrfac` and `qrsolv`.

use super::vector;
use faer::MatMut;
use serde::{Deserialize, Serialize};

/// A column whose norm fell by more than this · √ε is measured anew: the downdated norm has lost its digits.  LINPACK `dqrdc`.
const DOWNDATE: f64 = 20.0;

/// A, its factors, and the scratch of a damped solve.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PivotedQr {
    m: usize,
    n: usize,
    /// A, then the Householder vectors on and below the diagonal, m × n column-major.
    matrix: Vec<f64>,
    /// 2/vᵀv of each reflection.
    tau: Vec<f64>,
    /// Column j of A·P is column `order[j]` of A.
    order: Vec<usize>,
    /// R, row-major n × n; rows from min(m, n) on are zero.
    r: Vec<f64>,
    /// R with √μI rotated in, row-major n × n.
    rotated: Vec<f64>,
    /// The row of √μI that is being rotated in; before that, norms of the columns.
    row: Vec<f64>,
    norms: Vec<f64>,
}

impl PivotedQr {
    pub(crate) fn new(m: usize, n: usize) -> Self {
        Self {
            m,
            n,
            matrix: vec![0.0; m * n],
            tau: vec![0.0; m.min(n)],
            order: (0..n).collect(),
            r: vec![0.0; n * n],
            rotated: vec![0.0; n * n],
            row: vec![0.0; n],
            norms: vec![0.0; n],
        }
    }

    /// For A of another size, in the memory that is there where it suffices.
    pub(crate) fn resize(&mut self, m: usize, n: usize) {
        (self.m, self.n) = (m, n);
        self.matrix.resize(m * n, 0.0);
        self.tau.resize(m.min(n), 0.0);
        self.order.resize(n, 0);
        for square in [&mut self.r, &mut self.rotated] {
            square.resize(n * n, 0.0);
        }
        for row in [&mut self.row, &mut self.norms] {
            row.resize(n, 0.0);
        }
    }

    /// [`matrix_mut`](Self::matrix_mut) as it lies, column-major.
    pub(crate) fn entries_mut(&mut self) -> &mut [f64] {
        &mut self.matrix
    }

    /// To be filled with A (m × n) before [`factor`](Self::factor).
    pub(crate) fn matrix_mut(&mut self) -> MatMut<'_, f64> {
        MatMut::from_column_major_slice_mut(&mut self.matrix, self.m, self.n)
    }

    /// Column j of A, before [`factor`](Self::factor).
    pub(crate) fn column(&self, j: usize) -> &[f64] {
        &self.matrix[j * self.m..(j + 1) * self.m]
    }

    /// Column j of A, to be changed before [`factor`](Self::factor).
    pub(crate) fn column_mut(&mut self, j: usize) -> &mut [f64] {
        &mut self.matrix[j * self.m..(j + 1) * self.m]
    }

    /// A·P = Q·R, in place.
    pub(crate) fn factor(&mut self) {
        let (m, n) = (self.m, self.n);
        for j in 0..n {
            self.order[j] = j;
            self.row[j] = vector::norm(self.column(j));
            self.norms[j] = self.row[j];
        }
        self.r.fill(0.0);
        for j in 0..m.min(n) {
            self.bring_largest_to(j);
            let (before, after) = self.matrix.split_at_mut((j + 1) * m);
            let v = &mut before[j * m + j..];
            let norm = vector::norm(v);
            if norm == 0.0 {
                // Every column left is zero below row j.
                self.tau[j..].fill(0.0);
                break;
            }
            let diagonal = -norm.copysign(v[0]);
            v[0] -= diagonal;
            self.tau[j] = (norm * (norm + (v[0] + diagonal).abs())).recip();
            self.r[j * n + j] = diagonal;
            for (k, column) in (j + 1..n).zip(after.chunks_exact_mut(m)) {
                let column = &mut column[j..];
                vector::axpy(-self.tau[j] * vector::dot(v, column), v, column);
                self.r[j * n + k] = column[0];
                self.row[k] = downdated(self.row[k], &mut self.norms[k], column);
            }
        }
    }

    /// Exchanges column j for the longest of the columns from j on.
    fn bring_largest_to(&mut self, j: usize) {
        let longest = (j..self.n).fold(j, |a, b| if self.row[b] > self.row[a] { b } else { a });
        if longest == j {
            return;
        }
        let (left, right) = self.matrix.split_at_mut(longest * self.m);
        left[j * self.m..(j + 1) * self.m].swap_with_slice(&mut right[..self.m]);
        for row in 0..j {
            self.r.swap(row * self.n + j, row * self.n + longest);
        }
        self.row.swap(j, longest);
        self.norms.swap(j, longest);
        self.order.swap(j, longest);
    }

    /// Columns of Q that A spans to working precision.
    pub(crate) fn rank(&self) -> usize {
        self.rank_of(self.m)
    }

    /// The same where A is itself the triangle of a matrix of `rows` rows.
    pub(crate) fn rank_of(&self, rows: usize) -> usize {
        let floor = self.r[0].abs() * f64::EPSILON * rows.max(self.n) as f64;
        let pivots = (0..self.tau.len()).map(|j| self.r[j * self.n + j].abs());
        pivots.take_while(|pivot| *pivot > floor).count()
    }

    /// The largest pivot over the least of the first `rank`, a lower bound of the condition of these columns; 1 for none.
    pub(crate) fn condition(&self, rank: usize) -> f64 {
        if rank == 0 { 1.0 } else { (self.r(0, 0) / self.r(rank - 1, rank - 1)).abs() }
    }

    /// `b` ← Qᵀ·b, length m; the first min(m, n) entries are what a solve needs.
    pub(crate) fn transpose_q(&self, b: &mut [f64]) {
        for (j, tau) in self.tau.iter().enumerate() {
            let v = &self.column(j)[j..];
            let b = &mut b[j..];
            vector::axpy(-tau * vector::dot(v, b), v, b);
        }
    }

    /// `b` ← Q·b, length m.
    pub(crate) fn multiply_q(&self, b: &mut [f64]) {
        for (j, tau) in self.tau.iter().enumerate().rev() {
            let v = &self.column(j)[j..];
            let b = &mut b[j..];
            vector::axpy(-tau * vector::dot(v, b), v, b);
        }
    }

    /// `out` ← column k of Q, length m.
    pub(crate) fn q_column(&self, k: usize, out: &mut [f64]) {
        out.fill(0.0);
        out[k] = 1.0;
        // The reflections after the kth leave the kth unit vector as it is.
        for (j, tau) in self.tau.iter().enumerate().take(k + 1).rev() {
            let v = &self.column(j)[j..];
            let out = &mut out[j..];
            vector::axpy(-tau * vector::dot(v, out), v, out);
        }
    }

    /// ‖·‖² of the rows of the first `columns` columns of Q. 2·rows·columns² flops, memory of a column.
    pub(crate) fn row_squares(&self, columns: usize) -> Vec<f64> {
        let mut squares = vec![0.0; self.m];
        let mut column = vec![0.0; self.m];
        for k in 0..columns {
            self.q_column(k, &mut column);
            for (square, q) in squares.iter_mut().zip(&column) {
                *square += q * q;
            }
        }
        squares
    }

    /// m.
    pub(crate) fn rows(&self) -> usize {
        self.m
    }

    /// `c` ← R₁₁⁻¹·c for the leading block of the length of `c`, at most the [`rank`](Self::rank).
    pub(crate) fn solve_leading(&self, c: &mut [f64]) {
        for j in (0..c.len()).rev() {
            let row = &self.r[j * self.n..j * self.n + c.len()];
            c[j] = (c[j] - vector::dot(&row[j + 1..], &c[j + 1..])) / row[j];
        }
    }

    /// `c` ← R₁₁⁻ᵀ·c, as [`solve_leading`](Self::solve_leading).
    pub(crate) fn solve_leading_transposed(&self, c: &mut [f64]) {
        for j in 0..c.len() {
            let row = &self.r[j * self.n..j * self.n + c.len()];
            c[j] /= row[j];
            let (done, left) = c.split_at_mut(j + 1);
            vector::axpy(-done[j], &row[j + 1..], left);
        }
    }

    /// Rᵢⱼ, i ≤ j.
    pub(crate) fn r(&self, i: usize, j: usize) -> f64 {
        self.r[i * self.n + j]
    }

    /// Column j of A·P is column `order()[j]` of A.
    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    /// `out` ← R·Pᵀ·z, which is Qᵀ·A·z; length n, zeros from min(m, n) on.
    pub(crate) fn multiply(&mut self, z: &[f64], out: &mut [f64]) {
        for (permuted, &column) in self.row.iter_mut().zip(&self.order) {
            *permuted = z[column];
        }
        for (j, out) in out.iter_mut().enumerate() {
            let row = &self.r[j * self.n + j..(j + 1) * self.n];
            *out = vector::dot(row, &self.row[j..]);
        }
    }

    /// `out` ← P·Rᵀ·c, which is Aᵀ·b for c = Qᵀ·b; length n. Only the first min(m, n) entries of `c` are looked at.
    pub(crate) fn multiply_transposed(&self, c: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (j, c) in c.iter().take(self.tau.len()).enumerate() {
            let row = &self.r[j * self.n..(j + 1) * self.n];
            for (r, &column) in row[j..].iter().zip(&self.order[j..]) {
                out[column] += c * r;
            }
        }
    }

    /// `out` ← AᵀA = P·RᵀR·Pᵀ, n × n.
    pub(crate) fn gram(&self, out: &mut [f64]) {
        let n = self.n;
        out.fill(0.0);
        for j in 0..self.tau.len() {
            let row = &self.r[j * n..(j + 1) * n];
            for k in j..n {
                let target = &mut out[self.order[k] * n..(self.order[k] + 1) * n];
                for (r, &column) in row[j..].iter().zip(&self.order[j..]) {
                    target[column] += row[k] * r;
                }
            }
        }
    }

    /// `z` ← argmin ‖A·z − b‖² + μ‖z‖², from `c` = the first n entries of Qᵀb (zeros from min(m, n) on), which is overwritten.
    /// Without damping a direction that A does not see to working precision stays out: its entry of Pᵀz is zero.
    pub(crate) fn solve(&mut self, mu: f64, c: &mut [f64], z: &mut [f64]) {
        let n = self.n;
        self.rotated.copy_from_slice(&self.r);
        if mu > 0.0 {
            self.rotate_in(mu.sqrt(), c);
        }
        let largest = (0..n).fold(0.0, |most: f64, j| most.max(self.rotated[j * n + j].abs()));
        let floor = if mu > 0.0 { 0.0 } else { largest * self.resolution() };
        for j in (0..n).rev() {
            let row = &self.rotated[j * n..(j + 1) * n];
            let rest = vector::dot(&row[j + 1..], &c[j + 1..]);
            c[j] = if row[j].abs() > floor { (c[j] - rest) / row[j] } else { 0.0 };
        }
        for (c, &column) in c.iter().zip(&self.order) {
            z[column] = *c;
        }
    }

    /// The part of the largest pivot below which a pivot is rounding.
    pub(crate) fn resolution(&self) -> f64 {
        f64::EPSILON * self.m.max(self.n) as f64
    }

    /// Rows of √μI, one after the other, rotated into the triangle; `c` is rotated along.  Moré (1978) §3.
    fn rotate_in(&mut self, root: f64, c: &mut [f64]) {
        let n = self.n;
        for j in 0..n {
            let row = &mut self.row;
            row[j..].fill(0.0);
            row[j] = root;
            let mut below = 0.0;
            for k in j..n {
                let pivots = &mut self.rotated[k * n + k..(k + 1) * n];
                if row[k] == 0.0 {
                    continue;
                }
                let norm = pivots[0].hypot(row[k]);
                let (cosine, sine) = (pivots[0] / norm, row[k] / norm);
                for (r, d) in pivots.iter_mut().zip(&mut row[k..]) {
                    (*r, *d) = (cosine * *r + sine * *d, cosine * *d - sine * *r);
                }
                (c[k], below) = (cosine * c[k] + sine * below, cosine * below - sine * c[k]);
            }
        }
    }
}

/// The norm of a column without its first entry, from the norm with it; measured anew where that would lose digits.
fn downdated(norm: f64, reference: &mut f64, column: &[f64]) -> f64 {
    if norm == 0.0 {
        return 0.0;
    }
    let part = column[0] / norm;
    // Clamp: roundoff can make the entry slightly larger than the norm.
    let updated = norm * (1.0 - part * part).max(0.0).sqrt();
    let fallen = updated / *reference;
    if fallen * fallen > DOWNDATE * f64::EPSILON {
        return updated;
    }
    *reference = vector::norm(&column[1..]);
    *reference
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::Mat;
    use faer::prelude::SolveLstsq;

    fn draws(seed: u64) -> impl FnMut() -> f64 {
        let mut seed = seed;
        move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        }
    }

    fn factored(a: &Mat<f64>) -> PivotedQr {
        let mut qr = PivotedQr::new(a.nrows(), a.ncols());
        qr.matrix_mut().copy_from(a);
        qr.factor();
        qr
    }

    fn solve(qr: &mut PivotedQr, mu: f64, b: &[f64]) -> Vec<f64> {
        let (mut b, mut z) = (b.to_vec(), vec![0.0; qr.n]);
        qr.transpose_q(&mut b);
        let mut c = vec![0.0; qr.n];
        let k = qr.m.min(qr.n);
        c[..k].copy_from_slice(&b[..k]);
        qr.solve(mu, &mut c, &mut z);
        z
    }

    /// ‖Aᵀ(A·z − b) + μz‖∞, zero at the minimum.
    fn normal_residual(a: &Mat<f64>, mu: f64, b: &[f64], z: &[f64]) -> f64 {
        let (m, n) = (a.nrows(), a.ncols());
        let left = |i: usize| (0..n).map(|j| a[(i, j)] * z[j]).sum::<f64>() - b[i];
        let entry = |j: usize| (0..m).map(|i| a[(i, j)] * left(i)).sum::<f64>() + mu * z[j];
        (0..n).map(|j| entry(j).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn damped_solve_equals_the_dense_solve_of_the_augmented_system() {
        let mut next = draws(7);
        for (m, n) in [(1, 1), (5, 5), (30, 4), (70, 33), (3, 8), (1, 6), (8, 1)] {
            let a = Mat::from_fn(m, n, |_, _| next());
            let b: Vec<f64> = (0..m).map(|_| next()).collect();
            let mut qr = factored(&a);
            for mu in [1e-8, 1e-3, 1.0, 1e6] {
                let z = solve(&mut qr, mu, &b);
                let augmented = Mat::from_fn(m + n, n, |i, j| match i.checked_sub(m) {
                    None => a[(i, j)],
                    Some(row) => f64::from(u8::from(row == j)) * f64::sqrt(mu),
                });
                let right = Mat::from_fn(m + n, 1, |i, _| if i < m { b[i] } else { 0.0 });
                let dense = augmented.qr().solve_lstsq(&right);
                let size = vector::norm_inf(&z);
                for j in 0..n {
                    assert!((z[j] - dense[(j, 0)]).abs() <= 1e-9 * size, "{m}×{n}, μ = {mu}");
                }
                assert!(normal_residual(&a, mu, &b, &z) < 1e-12 * (1.0 + mu * size));
            }
        }
    }

    #[test]
    fn undamped_solve_of_a_rank_deficient_matrix_is_a_minimum() {
        let mut next = draws(3);
        let (m, n, rank) = (20, 7, 3);
        let left = Mat::from_fn(m, rank, |_, _| next());
        let right = Mat::from_fn(rank, n, |_, _| next());
        let a = &left * &right;
        let b: Vec<f64> = (0..m).map(|_| next()).collect();
        let mut qr = factored(&a);
        let z = solve(&mut qr, 0.0, &b);
        assert!(normal_residual(&a, 0.0, &b, &z) < 1e-13);
        assert_eq!(z.iter().filter(|z| **z != 0.0).count(), rank);
        let zero = Mat::zeros(m, n);
        assert_eq!(solve(&mut factored(&zero), 0.0, &b), vec![0.0; n]);
        assert_eq!(solve(&mut factored(&zero), 1.0, &b), vec![0.0; n]);
    }

    #[test]
    fn image_has_the_norm_of_the_product() {
        let mut next = draws(5);
        for (m, n) in [(9, 4), (3, 5)] {
            let a = Mat::from_fn(m, n, |_, _| next());
            let z: Vec<f64> = (0..n).map(|_| next()).collect();
            let mut image = vec![0.0; n];
            factored(&a).multiply(&z, &mut image);
            let product = (0..m).map(|i| (0..n).map(|j| a[(i, j)] * z[j]).sum::<f64>());
            let expected = product.map(|x| x * x).sum::<f64>().sqrt();
            assert!((vector::norm(&image) - expected).abs() < 1e-14);
            let qr = factored(&a);
            let gram = a.transpose() * &a;
            let mut found = vec![f64::NAN; n * n];
            qr.gram(&mut found);
            let mut b: Vec<f64> = (0..m).map(|_| next()).collect();
            let transposed = a.transpose() * faer::ColRef::from_slice(&b);
            let mut pulled = vec![f64::NAN; n];
            qr.transpose_q(&mut b);
            qr.multiply_transposed(&b, &mut pulled);
            for j in 0..n {
                assert!((pulled[j] - transposed[j]).abs() < 1e-14);
                assert!((0..n).all(|i| (found[j * n + i] - gram[(i, j)]).abs() < 1e-14));
            }
        }
    }
}
