//! An operator in other units.

use super::vector;
use secant_core::operator::LinearOperator;

/// c·A.
#[derive(Debug)]
pub(crate) struct Scaled<'a, A>(pub &'a A, pub f64);

impl<A: LinearOperator> LinearOperator for Scaled<'_, A> {
    fn rows(&self) -> usize {
        self.0.rows()
    }
    fn cols(&self) -> usize {
        self.0.cols()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.0.apply(x, y);
        vector::scale(self.1, y);
    }
}
