//! Randomised Nyström preconditioner of a positive semidefinite A.
//!
//! Y = A·Ω for an orthonormal n × r sketch Ω; Â = Y(ΩᵀY)⁻¹Yᵀ = U·Λ·Uᵀ is close to the best approximation of rank r where the
//! eigenvalues fall off. M⁻¹ = λ_r·U·Λ⁻¹·Uᵀ + (I − U·Uᵀ) brings the r largest eigenvalues of A down to λ_r.
//! Cost: r products and 6nr² once; 4nr operations per application. Memory nr.
//! Source: Frangella, Tropp & Udell (2023), SIAM J. Matrix Anal. 44, algorithms 2.1 and (5.3) with μ = 0.

use super::lanczos::pseudorandom;
use faer::linalg::matmul::matmul;
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Accum, ColMut, ColRef, Mat, Par, Side};
use secant_core::operator::LinearOperator;
use serde::{Deserialize, Serialize};

/// Eigenvalues below this part of the largest count as this part of it: a preconditioner must not divide by rounding.
pub const SPECTRUM_FLOOR: f64 = 1e-10;

/// M⁻¹, and the identity before the first sketch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Nystrom {
    rank: usize,
    /// U
    #[serde(with = "crate::linalg::dense")]
    basis: Mat<f64>,
    /// λ_r/λᵢ − 1
    factors: Vec<f64>,
    /// Uᵀr
    along: Vec<f64>,
}

impl Nystrom {
    /// For A of n × n, by min(`rank`, n) products.
    pub fn new(n: usize, rank: usize) -> Self {
        let rank = rank.min(n);
        Self { rank, basis: Mat::zeros(n, 0), factors: Vec::new(), along: Vec::new() }
    }

    /// Sketches A. False, with the identity from now on, where a product is not finite or the sketch is not positive definite.
    pub fn refresh(&mut self, a: &impl LinearOperator) -> bool {
        let sketched = self.sketch(a);
        if sketched.is_none() {
            self.basis = Mat::zeros(a.rows(), 0);
            self.factors.clear();
        }
        self.along.resize(self.factors.len(), 0.0);
        sketched.is_some()
    }

    fn sketch(&mut self, a: &impl LinearOperator) -> Option<()> {
        let (n, rank) = (a.rows(), self.rank);
        let draws = pseudorandom(n * rank);
        let omega = Mat::from_fn(n, rank, |i, j| draws[j * n + i]).qr().compute_thin_Q();
        let mut y = Mat::<f64>::zeros(n, rank);
        for j in 0..rank {
            let column = omega.col(j).try_as_col_major()?.as_slice();
            a.apply(column, y.col_mut(j).try_as_col_major_mut()?.as_slice_mut());
        }
        let size = y.norm_l2();
        if !(size > 0.0 && size.is_finite()) {
            return None;
        }
        // A shift that rounding cannot turn negative, taken off the eigenvalues again.
        let shift = (n as f64).sqrt() * f64::EPSILON * size;
        y += faer::Scale(shift) * &omega;
        let core = omega.transpose() * &y;
        let factor = core.llt(Side::Lower).ok()?;
        let mut b = y.transpose().to_owned();
        solve_lower_triangular_in_place(factor.L(), b.as_mut(), Par::Seq);
        let svd = b.transpose().thin_svd().ok()?;
        let values: Vec<f64> =
            (0..rank).map(|i| (svd.S()[i] * svd.S()[i] - shift).max(0.0)).collect();
        let floor = SPECTRUM_FLOOR * values[0];
        if !(floor > 0.0 && floor.is_finite()) {
            return None;
        }
        let last = values[rank - 1].max(floor);
        self.factors = values.iter().map(|value| last / value.max(floor) - 1.0).collect();
        self.basis = svd.U().to_owned();
        Some(())
    }

    /// `z` ← M⁻¹r.
    pub fn apply(&mut self, r: &[f64], z: &mut [f64]) {
        z.copy_from_slice(r);
        if self.factors.is_empty() {
            return;
        }
        let (r, u) = (ColRef::from_slice(r), self.basis.as_ref());
        let along = ColMut::from_slice_mut(&mut self.along);
        matmul(along, Accum::Replace, u.transpose(), r, 1.0, Par::Seq);
        for (along, factor) in self.along.iter_mut().zip(&self.factors) {
            *along *= factor;
        }
        let along = ColRef::from_slice(&self.along);
        matmul(ColMut::from_slice_mut(z), Accum::Add, u, along, 1.0, Par::Seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::vector;
    use secant_core::operator::Dense;

    /// Q·diag(spectrum)·Qᵀ with a pseudorandom orthogonal Q.
    fn of_spectrum(spectrum: &[f64]) -> Mat<f64> {
        let n = spectrum.len();
        let draws = pseudorandom(2 * n * n);
        let q = Mat::from_fn(n, n, |i, j| draws[n * n + j * n + i]).qr().compute_thin_Q();
        let scaled = Mat::from_fn(n, n, |i, j| q[(i, j)] * spectrum[j]);
        &scaled * q.transpose()
    }

    #[test]
    fn of_a_matrix_of_its_rank_and_a_multiple_of_the_identity_it_is_the_inverse_but_for_a_factor() {
        let spectrum: Vec<f64> =
            (0..40).map(|i| if i < 6 { 10.0_f64.powi(6 - i) } else { 0.0 }).collect();
        let a = of_spectrum(&spectrum);
        let n = spectrum.len();
        let mut nystrom = Nystrom::new(n, 6);
        assert!(nystrom.refresh(&Dense(a.as_ref())));
        // M⁻¹A = λ_r on the range of A.
        let x = pseudorandom(n);
        let mut ax = vec![0.0; n];
        Dense(a.as_ref()).apply(&x, &mut ax);
        let mut z = vec![0.0; n];
        nystrom.apply(&ax, &mut z);
        let mut az = vec![0.0; n];
        Dense(a.as_ref()).apply(&z, &mut az);
        vector::axpy(-10.0, &ax, &mut az);
        assert!(vector::norm(&az) <= 1e-5 * vector::norm(&ax), "{:e}", vector::norm(&az));
    }

    #[test]
    fn it_takes_down_a_few_large_eigenvalues() {
        let spectrum: Vec<f64> = (0..60)
            .map(|i| if i < 8 { 1e6 / f64::from(1 + i) } else { 1.0 + f64::from(i) / 60.0 })
            .collect();
        let a = of_spectrum(&spectrum);
        let n = spectrum.len();
        let mut nystrom = Nystrom::new(n, 12);
        assert!(nystrom.refresh(&Dense(a.as_ref())));
        // The eigenvalues of M⁻¹A, which is similar to a symmetric matrix.
        let mut product = Mat::<f64>::zeros(n, n);
        for j in 0..n {
            let column: Vec<f64> = (0..n).map(|i| a[(i, j)]).collect();
            let mut z = vec![0.0; n];
            nystrom.apply(&column, &mut z);
            for i in 0..n {
                product[(i, j)] = z[i];
            }
        }
        let values = product.eigenvalues().unwrap();
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in &values {
            assert!(value.im.abs() < 1e-6, "{value}");
            (low, high) = (low.min(value.re), high.max(value.re));
        }
        // From 1e6 to a few.
        assert!(low > 0.5 && high < 6.0, "{low} {high}");
    }

    #[test]
    fn what_is_not_positive_definite_or_not_finite_leaves_the_identity() {
        for bad in [-1.0, 0.0, f64::NAN] {
            let a = Mat::from_fn(5, 5, |i, j| if i == j { bad } else { 0.0 });
            let mut nystrom = Nystrom::new(5, 9);
            assert!(!nystrom.refresh(&Dense(a.as_ref())));
            let mut z = [0.0; 5];
            nystrom.apply(&[1.0, 2.0, 3.0, 4.0, 5.0], &mut z);
            assert_eq!(z, [1.0, 2.0, 3.0, 4.0, 5.0]);
        }
    }
}
