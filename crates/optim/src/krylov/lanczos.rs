//! Lanczos: an orthonormal basis Q of span{b, Ab, A²b, …} with QᵀAQ = T tridiagonal, A symmetric.
//!
//! Update: βⱼqⱼ₊₁ = Aqⱼ − αⱼqⱼ − βⱼ₋₁qⱼ₋₁, orthogonalised twice against the whole basis ("twice is enough"), so that Ritz
//! values come once and the basis serves for solves at any shift.
//! Stop: βⱼ at rounding level — the space is invariant — or as the caller likes.
//! Memory k·n in one contiguous buffer. Cost of step k: one product and 8nk operations.
//! Source: Golub & Van Loan (2013) §10.1–10.3; Giraud, Langou & Rozložník (2005) for the second pass.

use crate::linalg::tridiagonal::Tridiagonal;
use crate::linalg::vector;
use secant_core::operator::LinearOperator;
use serde::{Deserialize, Serialize};

/// The space is invariant when βⱼ ≤ this · ε·‖T‖: what is left of A·qⱼ is rounding.
pub const INVARIANT: f64 = 64.0;
/// A Ritz pair (θ, x) has converged when ‖Ax − θx‖ ≤ this · largest |θ|; the error of θ is then about the square.
pub const RITZ_TOLERANCE: f64 = 1e-9;
/// The pair of a clearly negative θ is good enough as a direction when ‖Ax − θx‖ ≤ this · |θ|.
pub const DIRECTION_TOLERANCE: f64 = 0.1;
/// Extreme Ritz values are computed after every so many steps.
const LOOK_EVERY: usize = 4;

/// The basis and T.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lanczos {
    n: usize,
    /// q₁ … q_k, and q_{k+1} once it is known, one after the other.
    basis: Vec<f64>,
    /// α₁ … α_k
    alpha: Vec<f64>,
    /// β₁ … β_k; the last couples q_k to what is not in the basis.
    beta: Vec<f64>,
    work: Vec<f64>,
    exhausted: bool,
}

impl Lanczos {
    /// For A of n × n.
    pub fn new(n: usize) -> Self {
        Self {
            n,
            basis: Vec::new(),
            alpha: Vec::new(),
            beta: Vec::new(),
            work: vec![0.0; n],
            exhausted: true,
        }
    }

    /// Begins anew with q₁ = b/‖b‖ for b of length n. Returns ‖b‖; where that is zero or not finite there is no basis.
    pub fn start(&mut self, b: &[f64]) -> f64 {
        let norm = vector::norm(b);
        self.basis.clear();
        self.alpha.clear();
        self.beta.clear();
        self.exhausted = !(norm > 0.0 && norm.is_finite());
        if !self.exhausted {
            self.basis.extend(b.iter().map(|b| b / norm));
        }
        norm
    }

    /// k: vectors to which A has been applied.
    pub fn steps(&self) -> usize {
        self.alpha.len()
    }

    /// The space is invariant: [`expand`](Self::expand) has nothing to add.
    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// β_k: how far the space is from invariant; ‖A·Qh − Q·Th‖ = β_k·|h_k|.
    pub fn coupling(&self) -> f64 {
        self.beta.last().copied().unwrap_or(0.0)
    }

    pub(crate) fn tridiagonal(&self) -> Tridiagonal<'_> {
        Tridiagonal { diagonal: &self.alpha, off: &self.beta }
    }

    /// One product with `a`: T and the basis grow by one. False when A·q_k is not finite; then nothing has changed.
    ///
    /// Does nothing on an exhausted space.
    pub fn expand(&mut self, a: &impl LinearOperator) -> bool {
        if self.exhausted {
            return true;
        }
        let (n, k) = (self.n, self.alpha.len());
        let newest = &self.basis[k * n..(k + 1) * n];
        a.apply(newest, &mut self.work);
        let alpha = vector::dot(newest, &self.work);
        if !(alpha.is_finite() && vector::all_finite(&self.work)) {
            return false;
        }
        for _ in 0..2 {
            for q in self.basis.chunks_exact(n) {
                let overlap = vector::dot(q, &self.work);
                vector::axpy(-overlap, q, &mut self.work);
            }
        }
        let beta = vector::norm(&self.work);
        self.alpha.push(alpha);
        self.beta.push(beta);
        let rounding = INVARIANT * f64::EPSILON * self.tridiagonal().norm();
        if k + 1 >= n || beta <= rounding {
            self.exhausted = true;
            self.beta[k] = 0.0;
        } else {
            self.basis.extend(self.work.iter().map(|w| w / beta));
        }
        true
    }

    /// `out` ← Q·h; h: length k, `out`: length n.
    pub fn combine(&self, h: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (q, h) in self.basis.chunks_exact(self.n).zip(h) {
            vector::axpy(*h, q, out);
        }
    }
}

/// The ends of the spectrum of a symmetric matrix, as far as Lanczos saw them.
#[derive(Clone, Debug, PartialEq)]
pub struct Extremes {
    /// The smallest Ritz value: an upper bound of the smallest eigenvalue.
    pub smallest: f64,
    /// ‖Ax − θx‖ of its vector: within it of θ there is an eigenvalue.
    pub residual: f64,
    /// Its vector x, ‖x‖ = 1, length n.
    pub direction: Vec<f64>,
    /// The largest Ritz value: a lower bound of the largest eigenvalue.
    pub largest: f64,
    /// Products with A.
    pub products: usize,
}

impl Extremes {
    /// The smallest eigenvalue is negative by more than √ε times the largest in size: not a minimum.
    pub fn is_indefinite(&self) -> bool {
        self.smallest < -f64::EPSILON.sqrt() * self.largest.abs().max(self.smallest.abs())
    }
}

/// The smallest and largest eigenvalue of the symmetric `a` from a pseudorandom start, with at most `products` products
/// (exact to rounding where that is n or more). `None` when a product is not finite.
///
/// Ends as soon as the smallest has converged, or is clearly negative with a vector that shows it.
///
/// ```
/// use secant_core::operator::Dense;
/// use secant_optim::krylov::extreme_eigenvalues;
/// let saddle = faer::mat![[2.0, 0.0], [0.0, -1.0]];
/// let ends = extreme_eigenvalues(&Dense(saddle.as_ref()), 2).unwrap();
/// assert!(ends.is_indefinite() && (ends.smallest + 1.0).abs() < 1e-14);
/// ```
pub fn extreme_eigenvalues(a: &impl LinearOperator, products: usize) -> Option<Extremes> {
    let n = a.cols();
    let mut lanczos = Lanczos::new(n);
    lanczos.start(&pseudorandom(n));
    let (mut pivots, mut x) = (Vec::new(), Vec::new());
    loop {
        if !lanczos.expand(a) {
            return None;
        }
        let steps = lanczos.steps();
        let last = lanczos.is_exhausted() || steps >= products;
        if !last && !steps.is_multiple_of(LOOK_EVERY) {
            continue;
        }
        let t = lanczos.tridiagonal();
        let (smallest, largest) = (t.smallest(), t.largest());
        t.leftmost(smallest, &mut pivots, &mut x);
        let residual = lanczos.coupling() * x[steps - 1].abs();
        let mut found =
            Extremes { smallest, residual, direction: Vec::new(), largest, products: steps };
        let size = largest.abs().max(smallest.abs());
        let shown = found.is_indefinite() && residual <= DIRECTION_TOLERANCE * smallest.abs();
        if last || shown || residual <= RITZ_TOLERANCE * size {
            found.direction = vec![0.0; n];
            lanczos.combine(&x, &mut found.direction);
            return Some(found);
        }
    }
}

/// Numbers in (−1, 1), the same in every call: splitmix64 (Steele, Lea & Flood 2014).
pub(crate) fn pseudorandom(n: usize) -> Vec<f64> {
    let mut state = 0_u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::Mat;
    use secant_core::operator::Dense;

    fn symmetric(n: usize) -> Mat<f64> {
        let draws = pseudorandom(n * n);
        Mat::from_fn(n, n, |i, j| 0.5 * (draws[i * n + j] + draws[j * n + i]))
    }

    #[test]
    fn basis_is_orthonormal_and_projects_to_t() {
        let a = symmetric(30);
        let mut lanczos = Lanczos::new(30);
        lanczos.start(&pseudorandom(30));
        for _ in 0..30 {
            assert!(lanczos.expand(&Dense(a.as_ref())));
        }
        assert!(lanczos.is_exhausted() && lanczos.steps() == 30);
        let q: Vec<&[f64]> = lanczos.basis.chunks_exact(30).collect();
        for i in 0..30 {
            let mut aq = vec![0.0; 30];
            Dense(a.as_ref()).apply(q[i], &mut aq);
            for j in 0..30 {
                let unit = if i == j { 1.0 } else { 0.0 };
                assert!((vector::dot(q[i], q[j]) - unit).abs() < 1e-14);
                let t = match j.abs_diff(i) {
                    0 => lanczos.alpha[i],
                    1 => lanczos.beta[i.min(j)],
                    _ => 0.0,
                };
                assert!((vector::dot(q[j], &aq) - t).abs() < 1e-13, "{i} {j}");
            }
        }
    }

    #[test]
    fn ends_of_the_spectrum_equal_the_dense_ones() {
        for n in [1, 2, 5, 40] {
            let a = symmetric(n);
            let dense = a.self_adjoint_eigenvalues(faer::Side::Lower).unwrap();
            let ends = extreme_eigenvalues(&Dense(a.as_ref()), n).unwrap();
            assert!((ends.smallest - dense[0]).abs() <= ends.residual + 1e-13);
            assert!(ends.largest <= dense[n - 1] + 1e-13);
            let mut ax = vec![0.0; n];
            Dense(a.as_ref()).apply(&ends.direction, &mut ax);
            vector::axpy(-ends.smallest, &ends.direction, &mut ax);
            assert!((vector::norm(&ax) - ends.residual).abs() < 1e-12);
        }
    }

    #[test]
    fn invariant_space_ends_the_basis() {
        let a = Mat::from_fn(9, 9, |i, j| if i == j { [1.0, 5.0, -2.0][i % 3] } else { 0.0 });
        let mut lanczos = Lanczos::new(9);
        lanczos.start(&[1.0; 9]);
        for _ in 0..9 {
            assert!(lanczos.expand(&Dense(a.as_ref())));
        }
        assert_eq!(lanczos.steps(), 3, "three distinct eigenvalues");
    }

    #[test]
    fn a_product_that_is_not_finite_is_reported() {
        let a = faer::mat![[f64::NAN, 0.0], [0.0, 1.0]];
        assert_eq!(extreme_eigenvalues(&Dense(a.as_ref()), 2), None);
    }
}
