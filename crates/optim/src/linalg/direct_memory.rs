//! The BFGS matrix B of the last m pairs (s, y) on σI, in compact form: B = σI − W·M·Wᵀ with W = [Y σS], M of 2m × 2m.
//!
//! What bounds need where [`LimitedMemory`](super::limited_memory::LimitedMemory) gives the inverse: rows of W, and B on a set of
//! free parameters.
//! Memory 2mn + O(m²). A new pair costs 4mn and O(m³).
//! Source: Byrd, Nocedal & Schnabel (1994), Math. Prog. 63, theorem 2.3.

use super::vector;
use faer::linalg::solvers::Solve;
use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};

/// The pairs, oldest first, and M.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DirectMemory {
    capacity: usize,
    s: Vec<Vec<f64>>,
    y: Vec<Vec<f64>>,
    /// σ = yᵀy/sᵀy of the latest pair.
    sigma: f64,
    /// M, 2m × 2m.
    #[serde(with = "crate::linalg::dense")]
    middle: Mat<f64>,
}

impl DirectMemory {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, s: Vec::new(), y: Vec::new(), sigma: 1.0, middle: Mat::zeros(0, 0) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.s.is_empty()
    }

    /// σ
    pub(crate) fn scale(&self) -> f64 {
        self.sigma
    }

    pub(crate) fn clear(&mut self) {
        self.s.clear();
        self.y.clear();
        (self.sigma, self.middle) = (1.0, Mat::zeros(0, 0));
    }

    /// Columns of W.
    pub(crate) fn width(&self) -> usize {
        2 * self.s.len()
    }

    /// Takes a pair with sᵀy > 0; false, and no pairs are left, where M cannot be formed.
    pub(crate) fn push(&mut self, s: &[f64], y: &[f64]) -> bool {
        let (mut new_s, mut new_y) = if self.s.len() == self.capacity {
            (self.s.remove(0), self.y.remove(0))
        } else {
            (vec![0.0; s.len()], vec![0.0; s.len()])
        };
        new_s.copy_from_slice(s);
        new_y.copy_from_slice(y);
        self.sigma = vector::dot(y, y) / vector::dot(s, y);
        self.s.push(new_s);
        self.y.push(new_y);
        let k = self.s.len();
        // M⁻¹ = [−D Lᵀ; L σSᵀS], L the strictly lower part of SᵀY and D its diagonal.
        let mut inverse = Mat::zeros(2 * k, 2 * k);
        for j in 0..k {
            for i in 0..k {
                let sy = if i >= j { vector::dot(&self.s[i], &self.y[j]) } else { 0.0 };
                if i == j {
                    inverse[(i, i)] = -sy;
                } else if i > j {
                    inverse[(k + i, j)] = sy;
                    inverse[(j, k + i)] = sy;
                }
                if i >= j {
                    let ss = self.sigma * vector::dot(&self.s[i], &self.s[j]);
                    inverse[(k + i, k + j)] = ss;
                    inverse[(k + j, k + i)] = ss;
                }
            }
        }
        self.middle = inverse.partial_piv_lu().solve(Mat::<f64>::identity(2 * k, 2 * k));
        let finite = self.sigma.is_finite() && self.middle.norm_max().is_finite();
        if !finite {
            self.clear();
        }
        finite
    }

    /// Row i of W.
    pub(crate) fn row(&self, i: usize, out: &mut [f64]) {
        let k = self.s.len();
        for c in 0..k {
            out[c] = self.y[c][i];
            out[k + c] = self.sigma * self.s[c][i];
        }
    }

    /// `out` ← Wᵀx
    pub(crate) fn transpose(&self, x: &[f64], out: &mut [f64]) {
        let k = self.s.len();
        for c in 0..k {
            out[c] = vector::dot(&self.y[c], x);
            out[k + c] = self.sigma * vector::dot(&self.s[c], x);
        }
    }

    /// `out` ← out + a·W·x
    pub(crate) fn add(&self, a: f64, x: &[f64], out: &mut [f64]) {
        let k = self.s.len();
        for c in 0..k {
            vector::axpy(a * x[c], &self.y[c], out);
            vector::axpy(a * self.sigma * x[k + c], &self.s[c], out);
        }
    }

    /// M·x
    pub(crate) fn middle(&self, x: &[f64]) -> Vec<f64> {
        let product = &self.middle * MatRef::from_column_major_slice(x, x.len(), 1);
        product.col(0).iter().copied().collect()
    }

    /// `x` ← −B_FF⁻¹·r on the free parameters F, by Sherman, Morrison & Woodbury; `x` and `r` of length |F|. False where rounding has
    /// made B_FF singular.
    pub(crate) fn solve_free(&self, free: &[usize], r: &[f64], x: &mut [f64]) -> bool {
        for (x, r) in x.iter_mut().zip(r) {
            *x = -r / self.sigma;
        }
        let width = self.width();
        if width == 0 || free.is_empty() {
            return true;
        }
        let k = self.s.len();
        let w = Mat::from_fn(free.len(), width, |i, c| {
            if c < k { self.y[c][free[i]] } else { self.sigma * self.s[c - k][free[i]] }
        });
        let gram = w.transpose() * &w;
        let middle_gram = &self.middle * &gram;
        let system = Mat::from_fn(width, width, |i, j| {
            f64::from(u8::from(i == j)) - middle_gram[(i, j)] / self.sigma
        });
        let right = &self.middle * (w.transpose() * MatRef::from_column_major_slice(r, r.len(), 1));
        let inner = system.partial_piv_lu().solve(right);
        let correction = &w * inner;
        for (i, x) in x.iter_mut().enumerate() {
            *x -= correction[(i, 0)] / (self.sigma * self.sigma);
        }
        vector::all_finite(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize, frequency: f64) -> Vec<f64> {
        (0..n).map(|i| (frequency * (i as f64 + 0.5)).sin()).collect()
    }

    /// B by its rank-two updates.  N&W (6.19).
    fn dense(pairs: &[(Vec<f64>, Vec<f64>)], n: usize) -> Mat<f64> {
        let (s, y) = pairs.last().unwrap();
        let sigma = vector::dot(y, y) / vector::dot(s, y);
        let mut b = Mat::from_fn(n, n, |i, j| if i == j { sigma } else { 0.0 });
        for (s, y) in pairs {
            let s = Mat::from_fn(n, 1, |i, _| s[i]);
            let y = Mat::from_fn(n, 1, |i, _| y[i]);
            let bs = &b * &s;
            let sbs = (s.transpose() * &bs)[(0, 0)];
            let sy = (s.transpose() * &y)[(0, 0)];
            b = &b - faer::Scale(1.0 / sbs) * (&bs * bs.transpose())
                + faer::Scale(1.0 / sy) * (&y * y.transpose());
        }
        b
    }

    #[test]
    fn compact_form_is_the_matrix_of_the_updates_on_any_free_set() {
        let n = 9;
        let mut memory = DirectMemory::new(3);
        let mut pairs = Vec::new();
        for step in 0..5 {
            let s = wave(n, 0.4 + f64::from(step));
            let y: Vec<f64> = s.iter().enumerate().map(|(k, s)| (1 + k % 4) as f64 * s).collect();
            assert!(memory.push(&s, &y));
            pairs.push((s, y));
            let kept = &pairs[pairs.len().saturating_sub(3)..];
            let b = dense(kept, n);
            // B·x = σx − W·M·Wᵀx
            let x = wave(n, 2.2);
            let mut along = vec![0.0; memory.width()];
            memory.transpose(&x, &mut along);
            let mut product: Vec<f64> = x.iter().map(|x| memory.scale() * x).collect();
            memory.add(-1.0, &memory.middle(&along), &mut product);
            let wanted = &b * MatRef::from_column_major_slice(&x, n, 1);
            for i in 0..n {
                assert!((product[i] - wanted[(i, 0)]).abs() < 1e-12, "{step} {i}");
                let mut row = vec![0.0; memory.width()];
                memory.row(i, &mut row);
                let m_row = memory.middle(&row);
                let diagonal = memory.scale() - vector::dot(&row, &m_row);
                assert!((diagonal - b[(i, i)]).abs() < 1e-12);
            }
            for free in [vec![0, 1, 2, 3, 4, 5, 6, 7, 8], vec![1, 4, 8], vec![2]] {
                let r = wave(free.len(), 1.3);
                let mut p = vec![0.0; free.len()];
                assert!(memory.solve_free(&free, &r, &mut p));
                for (a, i) in free.iter().enumerate() {
                    let row: f64 = free.iter().zip(&p).map(|(j, p)| b[(*i, *j)] * p).sum();
                    assert!((row + r[a]).abs() < 1e-10, "{step} {free:?}: {}", row + r[a]);
                }
            }
        }
    }
}
