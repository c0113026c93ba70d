//! Linear operators y = A·x that are applied and never formed: what Krylov methods see.

use crate::problem::Linearization;
use faer::{Accum, ColMut, ColRef, Par};
use faer::{MatRef, linalg::matmul::matmul};

/// y ← A·x with A of `rows` × `cols`.
pub trait LinearOperator {
    /// Rows of A, the length of y.
    fn rows(&self) -> usize;
    /// Columns of A, the length of x.
    fn cols(&self) -> usize;
    /// `y` ← A·x; `x`: length `cols`, `y`: length `rows`.
    fn apply(&self, x: &[f64], y: &mut [f64]);
}

/// A dense matrix as an operator. Cost: rows·cols multiply–adds.
#[derive(Clone, Copy, Debug)]
pub struct Dense<'a>(pub MatRef<'a, f64>);

impl LinearOperator for Dense<'_> {
    fn rows(&self) -> usize {
        self.0.nrows()
    }
    fn cols(&self) -> usize {
        self.0.ncols()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        matmul(
            ColMut::from_slice_mut(y),
            Accum::Replace,
            self.0,
            ColRef::from_slice(x),
            1.0,
            Par::Seq,
        );
    }
}

/// A + σI.
#[derive(Clone, Copy, Debug)]
pub struct Shifted<A> {
    /// A, square.
    pub operator: A,
    /// σ.
    pub shift: f64,
}

impl<A: LinearOperator> LinearOperator for Shifted<A> {
    fn rows(&self) -> usize {
        self.operator.rows()
    }
    fn cols(&self) -> usize {
        self.operator.cols()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.operator.apply(x, y);
        for (y, x) in y.iter_mut().zip(x) {
            *y += self.shift * x;
        }
    }
}

/// ∇²f(θ) of a linearisation, as an operator.
#[derive(Debug)]
pub struct Hessian<'a, L>(pub &'a L);

impl<L: Linearization> LinearOperator for Hessian<'_, L> {
    fn rows(&self) -> usize {
        self.0.gradient().len()
    }
    fn cols(&self) -> usize {
        self.0.gradient().len()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.0.hessian_vector(x, y);
    }
}

/// The Gauss–Newton matrix of a linearisation, as an operator.
#[derive(Debug)]
pub struct GaussNewton<'a, L>(pub &'a L);

impl<L: Linearization> LinearOperator for GaussNewton<'_, L> {
    fn rows(&self) -> usize {
        self.0.gradient().len()
    }
    fn cols(&self) -> usize {
        self.0.gradient().len()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.0.gauss_newton_vector(x, y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::mat;

    #[test]
    fn shifted_dense_operator_equals_the_formed_matrix() {
        let a = mat![[2.0, -1.0], [0.5, 3.0]];
        let shifted = Shifted { operator: Dense(a.as_ref()), shift: 10.0 };
        let mut y = [f64::NAN; 2];
        shifted.apply(&[1.0, 2.0], &mut y);
        assert_eq!(y, [12.0 - 2.0, 0.5 + 26.0]);
    }
}
