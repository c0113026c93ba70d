//! H or G at one θ, as an operator and as a matrix, with its products counted.

use super::HessianKind;
use crate::eval::Evaluations;
use secant_core::operator::LinearOperator;
use secant_core::problem::Linearization;
use std::cell::Cell;

/// H or G of a linearisation, with its products counted.
pub(crate) struct Model<'a, L> {
    at: &'a L,
    kind: HessianKind,
    products: Cell<u64>,
    matrices: Cell<u64>,
}

impl<'a, L: Linearization> Model<'a, L> {
    pub(crate) fn new(at: &'a L, kind: HessianKind) -> Self {
        Self { at, kind, products: Cell::new(0), matrices: Cell::new(0) }
    }

    pub(crate) fn matrix(&self, out: faer::MatMut<'_, f64>) {
        self.matrices.set(self.matrices.get() + 1);
        match self.kind {
            HessianKind::Exact => self.at.hessian(out),
            HessianKind::GaussNewton => self.at.gauss_newton(out),
        }
    }

    /// What was asked for so far.
    pub(crate) fn made(&self) -> Evaluations {
        let (products, matrices) = (self.products.get(), self.matrices.get());
        let none = Evaluations::default();
        match self.kind {
            HessianKind::Exact => {
                Evaluations { hessian: matrices, hessian_vector: products, ..none }
            }
            HessianKind::GaussNewton => {
                Evaluations { gauss_newton: matrices, gauss_newton_vector: products, ..none }
            }
        }
    }
}

impl<L: Linearization> LinearOperator for Model<'_, L> {
    fn rows(&self) -> usize {
        self.at.gradient().len()
    }
    fn cols(&self) -> usize {
        self.at.gradient().len()
    }
    fn apply(&self, x: &[f64], y: &mut [f64]) {
        self.products.set(self.products.get() + 1);
        match self.kind {
            HessianKind::Exact => self.at.hessian_vector(x, y),
            HessianKind::GaussNewton => self.at.gauss_newton_vector(x, y),
        }
    }
}
