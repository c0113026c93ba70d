//! The part of a risk at one θ.

use super::{pack, triangle, unpack};
use crate::problem::{Linearization, Objective};
use crate::risk::dense::mirror;
use crate::risk::linearized::Product;
use crate::risk::partials::{Partials, PartialsError};
use crate::risk::{Linearized, Risk};
use faer::{Mat, MatMut};

/// Which of the matrices of second derivatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Second {
    /// H = ∇²f.
    Hessian,
    /// G, the Gauss–Newton matrix.
    GaussNewton,
}

impl From<Second> for Product {
    fn from(second: Second) -> Self {
        match second {
            Second::Hessian => Self::Hessian,
            Second::GaussNewton => Self::GaussNewton,
        }
    }
}

/// The part of a risk at one θ, with the tapes of its samples.
#[derive(Debug)]
pub struct LinearizedPart<'p> {
    pub(super) risk: &'p Risk<'p>,
    pub(super) at: Linearized<'p>,
}

impl LinearizedPart<'_> {
    /// Takes the joined sums of all parts; until then [`value`](Self::value) is NaN and [`gradient`](Self::gradient) means nothing.
    ///
    /// # Errors
    /// Blocks that are missing, or sums of something else.
    pub fn finish(&mut self, sums: &Partials) -> Result<(), PartialsError> {
        let (node, total) = self.risk.whole(sums, self.risk.dim(), true)?;
        self.at.gradient_mut().copy_from_slice(node);
        self.at.finish(total * self.risk.scale());
        Ok(())
    }

    /// f(θ)
    pub fn value(&self) -> f64 {
        self.at.value()
    }

    /// ∇f(θ)
    pub fn gradient(&self) -> &[f64] {
        self.at.gradient()
    }

    /// The product along v.
    pub fn product(&self, second: Second, v: &[f64]) -> Partials {
        let sums = self.at.product_sums(second.into(), v);
        let mut nodes = Vec::new();
        self.risk.gradient_nodes(&sums, &mut nodes);
        self.risk.return_sums(sums);
        self.risk.partials(self.risk.dim(), nodes, None)
    }

    /// `out` ← the product, of the joined sums of all parts.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_product(
        &self,
        v: &[f64],
        sums: &Partials,
        out: &mut [f64],
    ) -> Result<(), PartialsError> {
        self.risk.assert_dim("out", out);
        out.copy_from_slice(self.risk.whole(sums, self.risk.dim(), false)?.0);
        self.at.finish_product(v, out);
        Ok(())
    }

    /// Numbers of a node of [`matrix`](Self::matrix).
    pub fn matrix_width(&self, second: Second) -> usize {
        let n = self.risk.dim();
        if self.by_products(second) { n * n } else { triangle(n) }
    }

    /// The matrix: all of it where it takes n products, else its lower triangle.
    pub fn matrix(&self, second: Second) -> Partials {
        let (risk, n) = (self.risk, self.risk.dim());
        let mut nodes = Vec::new();
        if self.by_products(second) {
            for matrix in self.at.hessian_nodes() {
                nodes.extend_from_slice(&matrix);
            }
            return risk.partials(n * n, self.risk.or_none(nodes), None);
        }
        let mut first = Mat::zeros(n, n);
        let others = self.at.outer_product_nodes(second.into(), first.as_mut());
        for matrix in std::iter::once(&first).chain(&others) {
            pack(matrix, &mut nodes);
        }
        risk.partials(triangle(n), self.risk.or_none(nodes), None)
    }

    /// `out` ← the matrix, both triangles, of the joined sums of all parts.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_matrix(
        &self,
        second: Second,
        sums: &Partials,
        mut out: MatMut<'_, f64>,
    ) -> Result<(), PartialsError> {
        let n = self.risk.dim();
        if self.by_products(second) {
            let (columns, _) = self.risk.whole(sums, n * n, false)?;
            self.at.finish_hessian(columns, out);
            return Ok(());
        }
        unpack(self.risk.whole(sums, triangle(n), false)?.0, out.as_mut());
        mirror(out.as_mut());
        self.at.add_penalty(out);
        Ok(())
    }

    /// The diagonal of G.
    pub fn diagonal(&self) -> Partials {
        let n = self.risk.dim();
        let mut first = vec![0.0; n];
        let others = self.at.outer_product_diagonal_nodes(&mut first);
        self.risk.partials(n, self.risk.columns_of_nodes(first, &others), None)
    }

    /// `out` ← the diagonal of G, of the joined sums of all parts.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_diagonal(&self, sums: &Partials, out: &mut [f64]) -> Result<(), PartialsError> {
        self.risk.assert_dim("out", out);
        out.copy_from_slice(self.risk.whole(sums, self.risk.dim(), false)?.0);
        self.at.add_penalty_diagonal(out);
        Ok(())
    }

    fn by_products(&self, second: Second) -> bool {
        second == Second::Hessian && !self.risk.graph.is_affine()
    }
}
