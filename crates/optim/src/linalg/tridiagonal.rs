//! Symmetric tridiagonal T: factorisation, solves, extreme eigenvalues and the leftmost eigenvector, each in O(k).
//!
//! T + σI = L·D·Lᵀ without pivoting: stable where it is positive definite, and the signs of D count the eigenvalues below −σ
//! anywhere (Sturm). Source: Golub & Van Loan (2013) §4.3.6, §8.4.1.

/// Bisection halves the Gershgorin interval at most this often: to the last bit of the norm, with some to spare.
const BISECTIONS: u32 = 80;
/// Steps of inverse iteration; the shift is within rounding of the eigenvalue, so that one is nearly enough.
const INVERSE_ITERATIONS: u32 = 3;
/// An eigenvalue of T is known to this · ε·‖T‖∞.
const RESOLUTION: f64 = 4.0;

/// T: `diagonal` has k entries, `off` at least k − 1, of which the first k − 1 are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tridiagonal<'a> {
    pub diagonal: &'a [f64],
    pub off: &'a [f64],
}

impl Tridiagonal<'_> {
    fn size(&self) -> usize {
        self.diagonal.len()
    }

    /// |row i| without its diagonal entry.
    fn coupling(&self, i: usize) -> f64 {
        let before = if i > 0 { self.off[i - 1].abs() } else { 0.0 };
        let after = if i + 1 < self.size() { self.off[i].abs() } else { 0.0 };
        before + after
    }

    /// ‖T‖∞.
    pub(crate) fn norm(&self) -> f64 {
        let row = |i: usize| self.diagonal[i].abs() + self.coupling(i);
        (0..self.size()).map(row).fold(0.0, f64::max)
    }

    /// `pivots` ← D of T + `shift`·I = L·D·Lᵀ. True when all are positive.
    pub(crate) fn factor(&self, shift: f64, pivots: &mut Vec<f64>) -> bool {
        pivots.clear();
        let mut below = 0.0;
        for (i, d) in self.diagonal.iter().enumerate() {
            let pivot = d + shift - below;
            // Written so that NaN is refused.
            let positive = pivot > 0.0;
            if !positive {
                return false;
            }
            pivots.push(pivot);
            if i + 1 < self.size() {
                below = square_over(self.off[i], pivot);
            }
        }
        true
    }

    /// `x` ← (L·D·Lᵀ)⁻¹·x.
    pub(crate) fn solve(&self, pivots: &[f64], x: &mut [f64]) {
        for i in 1..self.size() {
            x[i] -= self.off[i - 1] / pivots[i - 1] * x[i - 1];
        }
        for (x, pivot) in x.iter_mut().zip(pivots) {
            *x /= pivot;
        }
        for i in (1..self.size()).rev() {
            x[i - 1] -= self.off[i - 1] / pivots[i - 1] * x[i];
        }
    }

    /// xᵀTx.
    pub(crate) fn quadratic_form(&self, x: &[f64]) -> f64 {
        let squares: f64 = self.diagonal.iter().zip(x).map(|(d, x)| d * x * x).sum();
        let mixed: f64 = (1..self.size()).map(|i| self.off[i - 1] * x[i - 1] * x[i]).sum();
        squares + 2.0 * mixed
    }

    /// Eigenvalues below `x`.
    fn count_below(&self, x: f64, tiny: f64) -> usize {
        let mut count = 0;
        let mut below = 0.0;
        for (i, d) in self.diagonal.iter().enumerate() {
            let pivot = d - x - below;
            // A vanishing pivot stands for a tiny one, of either sign: the count is right for a neighbour of T.
            let pivot = if pivot.abs() < tiny { -tiny } else { pivot };
            count += usize::from(pivot < 0.0);
            if i + 1 < self.size() {
                below = square_over(self.off[i], pivot);
            }
        }
        count
    }

    /// The eigenvalue with `index` smaller ones.
    fn eigenvalue(&self, index: usize) -> f64 {
        let norm = self.norm();
        let tiny = f64::EPSILON * norm * f64::EPSILON + f64::MIN_POSITIVE;
        let (mut low, mut high) = (-norm, norm);
        for _ in 0..BISECTIONS {
            let middle = f64::midpoint(low, high);
            if high - low <= f64::EPSILON * norm || middle == low || middle == high {
                break;
            }
            if self.count_below(middle, tiny) > index {
                high = middle;
            } else {
                low = middle;
            }
        }
        f64::midpoint(low, high)
    }

    /// The smallest eigenvalue, to a few ε·‖T‖.
    pub(crate) fn smallest(&self) -> f64 {
        self.eigenvalue(0)
    }

    /// The largest eigenvalue, to a few ε·‖T‖.
    pub(crate) fn largest(&self) -> f64 {
        self.eigenvalue(self.size() - 1)
    }

    /// `x` ← the eigenvector of the smallest eigenvalue `smallest`, ‖x‖ = 1; `pivots` is scratch.
    pub(crate) fn leftmost(&self, smallest: f64, pivots: &mut Vec<f64>, x: &mut Vec<f64>) {
        let mut gap = RESOLUTION * f64::EPSILON * self.norm() + f64::MIN_POSITIVE;
        // T − smallest + gap is positive definite to rounding; where rounding says no, a wider gap does.
        while !self.factor(gap - smallest, pivots) {
            gap *= 2.0;
            if !gap.is_finite() {
                break;
            }
        }
        // So large a T that there is no room for a gap: some direction, and no panic.
        pivots.resize(self.size(), 1.0);
        x.clear();
        // No eigenvector of an unreduced T is orthogonal to this for a reason.
        x.extend((0..self.size()).map(|i| 1.0 + 0.1 * (i as f64).sin()));
        for _ in 0..INVERSE_ITERATIONS {
            self.solve(pivots, x);
            let most = x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            let norm = most * x.iter().map(|x| (x / most) * (x / most)).sum::<f64>().sqrt();
            for x in x.iter_mut() {
                *x /= norm;
            }
        }
    }
}

/// b²/p, also where b² overflows.
fn square_over(b: f64, p: f64) -> f64 {
    let square = b * b;
    if square.is_finite() { square / p } else { b * (b / p) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// −1, 2, −1 with eigenvalues 2 − 2cos(jπ/(k+1)).
    fn laplacian(k: usize) -> (Vec<f64>, Vec<f64>) {
        (vec![2.0; k], vec![-1.0; k])
    }

    #[test]
    fn extreme_eigenvalues_and_leftmost_vector_of_the_laplacian() {
        for k in [1, 2, 7, 50] {
            let (diagonal, off) = laplacian(k);
            let t = Tridiagonal { diagonal: &diagonal, off: &off };
            let angle = std::f64::consts::PI / (k as f64 + 1.0);
            let smallest = t.smallest();
            assert!((smallest - (2.0 - 2.0 * angle.cos())).abs() < 1e-14);
            assert!((t.largest() - (2.0 + 2.0 * angle.cos())).abs() < 1e-14);
            let (mut pivots, mut x) = (Vec::new(), Vec::new());
            t.leftmost(smallest, &mut pivots, &mut x);
            assert!((t.quadratic_form(&x) - smallest).abs() < 1e-13);
        }
    }

    #[test]
    fn solve_inverts_and_refuses_an_indefinite_matrix() {
        let (diagonal, off) = laplacian(6);
        let t = Tridiagonal { diagonal: &diagonal, off: &off };
        let mut pivots = Vec::new();
        assert!(t.factor(0.5, &mut pivots));
        let mut x = vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        t.solve(&pivots, &mut x);
        assert!((2.5 * x[0] - x[1] - 1.0).abs() < 1e-15);
        assert!((2.5 * x[5] - x[4]).abs() < 1e-15);
        assert!(!t.factor(-1.0, &mut pivots));
    }
}
