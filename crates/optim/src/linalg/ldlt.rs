//! Solves |H|·p = b for a symmetric H that need not be positive definite, where |H| has the signs of H's negative eigenvalues turned, as a
//! factorisation sees them.
//!
//! P·(D^-½ H D^-½)·Pᵀ = L·B·Lᵀ with D = diag|hᵢᵢ|, L unit lower triangular and B of blocks of one and two (Bunch & Kaufman 1977); the
//! eigenvalues λ of the blocks are replaced by max(|λ|, δ). L·|B|·Lᵀ is positive definite, and equal to H where H is. By Sylvester's law
//! B has H's inertia. With D neither a scaling of the loss nor one of the parameters changes the result.
//! Memory 3n². Cost n³/3.
//! Source: Cheng & Higham (1998) SIAM J. Matrix Anal. Appl. 19, with |λ| in place of max(λ, δ) as in Gill, Murray & Wright (1981) §4.4.2;
//! Nocedal & Wright (2006) §3.4.

use super::cholesky::{FIRST_SHIFT, NotFactored, equilibrate, scaled_norm};
use super::pivots::{Block, Pivot};
use super::{Backend, vector};
use faer::linalg::solvers::Lblt;
use faer::linalg::triangular_solve::{
    solve_unit_lower_triangular_in_place, solve_unit_upper_triangular_in_place,
};
use faer::{Mat, MatMut, Par, Side};
use serde::{Deserialize, Serialize};

/// Shifts at the rounding level that are tried where LAPACK finds an exact zero on its way.
#[cfg(feature = "lapack")]
const EXACT_ZEROS: usize = 4;

/// What B is between.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Triangle {
    /// Nothing is factorised yet.
    None,
    /// L, and the row of the matrix that each row of the permuted one is.
    Faer {
        #[serde(with = "crate::linalg::dense")]
        lower: Mat<f64>,
        order: Vec<usize>,
    },
    #[cfg(feature = "lapack")]
    Lapack(super::lapack::BunchKaufman),
}

/// H and its modified factors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModifiedLdl {
    n: usize,
    backend: Backend,
    /// H, column-major n × n; its upper triangle and diagonal are read.
    matrix: Vec<f64>,
    /// 1/√dᵢ
    scale: Vec<f64>,
    triangle: Triangle,
    blocks: Vec<Block>,
    /// Positive, negative and vanishing eigenvalues.
    inertia: [usize; 3],
}

impl ModifiedLdl {
    pub(crate) fn new(n: usize, backend: Backend) -> Self {
        Self {
            n,
            backend,
            matrix: vec![0.0; n * n],
            scale: vec![0.0; n],
            triangle: Triangle::None,
            blocks: Vec::new(),
            inertia: [0; 3],
        }
    }

    /// To be filled with H (n × n, at least the upper triangle) before [`factor`](Self::factor).
    pub(crate) fn matrix_mut(&mut self) -> MatMut<'_, f64> {
        MatMut::from_column_major_slice_mut(&mut self.matrix, self.n, self.n)
    }

    /// Positive, negative and vanishing eigenvalues of H, up to rounding.
    pub(crate) fn inertia(&self) -> [usize; 3] {
        self.inertia
    }

    /// ‖D^-½·g‖∞: the size of a gradient, invariant under scaling of the parameters.
    pub(crate) fn scaled_norm(&self, g: &[f64]) -> f64 {
        scaled_norm(g, &self.scale)
    }

    pub(crate) fn factor(&mut self) -> Result<(), NotFactored> {
        if !vector::all_finite(&self.matrix) {
            return Err(NotFactored::NotFinite);
        }
        equilibrate(&self.matrix, &mut self.scale)?;
        let (n, scale) = (self.n, &self.scale);
        let scaled = Mat::from_fn(n, n, |i, j| {
            // Both triangles, from the upper one of H.
            self.matrix[i.max(j) * n + i.min(j)] * scale[i] * scale[j]
        });
        let largest = (0..n).map(|j| vector::norm_inf(scaled.col_as_slice(j))).fold(0.0, f64::max);
        if !largest.is_finite() {
            return Err(NotFactored::NotFinite);
        }
        let floor = FIRST_SHIFT * f64::EPSILON * (n as f64).sqrt() * largest;
        match self.backend {
            Backend::Faer => self.factor_by_faer(&scaled, floor),
            #[cfg(feature = "lapack")]
            Backend::Lapack => self.factor_by_lapack(&scaled, floor),
        }
        Ok(())
    }

    fn factor_by_faer(&mut self, scaled: &Mat<f64>, floor: f64) {
        let factors = Lblt::new(scaled.as_ref(), Side::Lower);
        let diagonal = factors.B_diag().column_vector();
        let below = factors.B_subdiag().column_vector();
        let mut k = 0;
        let pivots = std::iter::from_fn(|| {
            let at = k;
            let a = (at < self.n).then(|| diagonal[at])?;
            let coupling = if at + 1 < self.n { below[at] } else { 0.0 };
            k += if coupling == 0.0 { 1 } else { 2 };
            Some(if coupling == 0.0 {
                Pivot::One(a)
            } else {
                Pivot::Two { a, coupling, d: diagonal[at + 1] }
            })
        });
        (self.blocks, self.inertia) = turned(pivots, floor);
        let (lower, order) = (factors.L().to_owned(), factors.P().arrays().0.to_vec());
        self.triangle = Triangle::Faer { lower, order };
    }

    #[cfg(feature = "lapack")]
    fn factor_by_lapack(&mut self, scaled: &Mat<f64>, floor: f64) {
        use super::lapack::BunchKaufman;
        let entries = |shift: f64| -> Vec<f64> {
            let entry = |k| (k % self.n, k / self.n);
            (0..self.n * self.n)
                .map(entry)
                .map(|(i, j)| scaled[(i, j)] + if i == j { shift } else { 0.0 })
                .collect()
        };
        // LAPACK gives no factor of a matrix with an exact zero block; a shift at the rounding level makes it a small one.
        let shifts = std::iter::successors(Some(0.0), |shift| Some(floor + 2.0 * shift));
        let factors = shifts
            .take(EXACT_ZEROS)
            .find_map(|shift| Some((BunchKaufman::new(self.n, entries(shift))?, shift)));
        if let Some((factors, shift)) = factors {
            // What a shift made of a zero still counts as one.
            (self.blocks, self.inertia) = turned(factors.pivots(), floor.max(2.0 * shift));
            self.triangle = Triangle::Lapack(factors);
        } else {
            self.factor_by_faer(scaled, floor);
        }
    }

    /// `x` ← |H|⁻¹·x; `work` (length n) is scratch.
    pub(crate) fn solve(&self, x: &mut [f64], work: &mut [f64]) {
        match &self.triangle {
            Triangle::None => unreachable!("a solve comes after a factorisation"),
            Triangle::Faer { lower, order } => {
                for (work, &from) in work.iter_mut().zip(order) {
                    *work = x[from] * self.scale[from];
                }
                let column = MatMut::from_column_major_slice_mut(&mut *work, self.n, 1);
                solve_unit_lower_triangular_in_place(lower.as_ref(), column, Par::Seq);
                let mut rest = &mut *work;
                for block in &self.blocks {
                    let (head, tail) = rest.split_at_mut(block.len());
                    block.divide(head);
                    rest = tail;
                }
                let column = MatMut::from_column_major_slice_mut(&mut *work, self.n, 1);
                solve_unit_upper_triangular_in_place(lower.transpose(), column, Par::Seq);
                for (work, &to) in work.iter().zip(order) {
                    x[to] = work * self.scale[to];
                }
            }
            #[cfg(feature = "lapack")]
            Triangle::Lapack(factors) => {
                let scale = |x: &mut [f64]| {
                    x.iter_mut().zip(&self.scale).for_each(|(x, scale)| *x *= scale);
                };
                scale(x);
                factors.solve(&self.blocks, x);
                scale(x);
            }
        }
    }
}

/// The blocks of |B|, with eigenvalues of at least `floor`, and the inertia of B.
fn turned(pivots: impl Iterator<Item = Pivot>, floor: f64) -> (Vec<Block>, [usize; 3]) {
    let mut inertia = [0; 3];
    let mut count = |eigenvalue: f64| {
        let kind = match eigenvalue {
            e if e > floor => 0,
            e if e < -floor => 1,
            _ => 2,
        };
        inertia[kind] += 1;
        eigenvalue.abs().max(floor)
    };
    let blocks = pivots.map(|pivot| match pivot {
        Pivot::One(a) => Block::One(count(a)),
        Pivot::Two { a, coupling, d } => {
            // Jacobi's rotation of [a b; b d].  Golub & Van Loan (2013) §8.5.2.
            let slant = (d - a) / (2.0 * coupling);
            let tangent = slant.signum() / (slant.abs() + slant.hypot(1.0));
            let c = tangent.hypot(1.0).recip();
            let s = -tangent * c;
            let sizes = [count(a - tangent * coupling), count(d + tangent * coupling)];
            Block::Two { c, s, sizes }
        }
    });
    let blocks = blocks.collect();
    (blocks, inertia)
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::linalg::solvers::Solve;

    /// A symmetric matrix with entries in ±1 and `diagonal` added.
    fn symmetric(n: usize, diagonal: f64) -> Mat<f64> {
        let mut seed = 7_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        };
        let a = Mat::from_fn(n, n, |_, _| next());
        Mat::from_fn(n, n, |i, j| {
            f64::midpoint(a[(i, j)], a[(j, i)]) + if i == j { diagonal } else { 0.0 }
        })
    }

    fn backends() -> Vec<Backend> {
        vec![
            Backend::Faer,
            #[cfg(feature = "lapack")]
            Backend::Lapack,
        ]
    }

    fn factored(h: &Mat<f64>, backend: Backend) -> ModifiedLdl {
        let mut ldl = ModifiedLdl::new(h.nrows(), backend);
        ldl.matrix_mut().copy_from(h);
        ldl.factor().unwrap();
        ldl
    }

    fn solved(ldl: &ModifiedLdl, b: &[f64]) -> Vec<f64> {
        let (mut x, mut work) = (b.to_vec(), vec![0.0; b.len()]);
        ldl.solve(&mut x, &mut work);
        x
    }

    #[test]
    fn a_positive_definite_matrix_is_solved_as_it_is() {
        for (n, backend) in
            [1, 2, 9, 40].iter().flat_map(|&n| backends().into_iter().map(move |b| (n, b)))
        {
            let h = symmetric(n, 2.0 * n as f64);
            let ldl = factored(&h, backend);
            assert_eq!(ldl.inertia(), [n, 0, 0]);
            let b: Vec<f64> = (0..n).map(|i| (i as f64 + 0.5).sin()).collect();
            let exact = h.llt(Side::Lower).unwrap().solve(Mat::from_fn(n, 1, |i, _| b[i]));
            for (x, i) in solved(&ldl, &b).iter().zip(0..) {
                assert!((x - exact[(i, 0)]).abs() <= 1e-13, "{n} {i}");
            }
        }
    }

    #[test]
    fn inertia_is_that_of_the_eigenvalues_and_the_solved_matrix_is_positive_definite() {
        for (n, backend) in
            [2, 3, 10, 35].iter().flat_map(|&n| backends().into_iter().map(move |b| (n, b)))
        {
            for diagonal in [-3.0, -0.5, 0.0, 1.5] {
                let h = symmetric(n, diagonal);
                let eigenvalues = h.self_adjoint_eigenvalues(Side::Lower).unwrap();
                let negative = eigenvalues.iter().filter(|e| **e < 0.0).count();
                let ldl = factored(&h, backend);
                assert_eq!(ldl.inertia(), [n - negative, negative, 0], "{n} {diagonal}");
                // |H|⁻¹ column by column: symmetric, positive definite, and H⁻¹ up to signs in B: (|H|⁻¹H)² = I.
                let inverse = Mat::from_fn(n, n, |i, j| {
                    let mut unit = vec![0.0; n];
                    unit[j] = 1.0;
                    solved(&ldl, &unit)[i]
                });
                assert!(inverse.self_adjoint_eigenvalues(Side::Lower).unwrap()[0] > 0.0);
                let product = &inverse * &h;
                let square = &product * &product;
                for i in 0..n {
                    for j in 0..n {
                        let unit = if i == j { 1.0 } else { 0.0 };
                        let size = product.norm_l2().powi(2).max(1.0);
                        assert!((square[(i, j)] - unit).abs() <= 1e-10 * size, "{n} {diagonal}");
                        assert!(
                            (inverse[(i, j)] - inverse[(j, i)]).abs() <= 1e-9 * inverse.norm_max()
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn vanishing_diagonals_and_singular_matrices_are_served() {
        for backend in backends() {
            let swap = faer::mat![[0.0, 1.0], [1.0, 0.0]];
            let ldl = factored(&swap, backend);
            assert_eq!(ldl.inertia(), [1, 1, 0]);
            // Eigenvalues ±1 have the sizes 1, 1: |H| = I.
            let x = solved(&ldl, &[3.0, -2.0]);
            assert!((x[0] - 3.0).abs() < 1e-14 && (x[1] + 2.0).abs() < 1e-14, "{x:?}");
            let rank_one = Mat::from_fn(4, 4, |i, j| (i as f64 + 1.0) * (j as f64 + 1.0));
            assert_eq!(factored(&rank_one, backend).inertia(), [1, 0, 3]);
            let mut ldl = ModifiedLdl::new(2, backend);
            assert_eq!(ldl.factor(), Err(NotFactored::Zero));
            ldl.matrix_mut().copy_from(faer::mat![[f64::NAN, 0.0], [0.0, 1.0]]);
            assert_eq!(ldl.factor(), Err(NotFactored::NotFinite));
        }
    }
}
