//! The part of the view through residuals.

use super::{pack, triangle, unpack};
use crate::problem::{LeastSquares, LinearPart, Observations};
use crate::risk::least_squares::half_square;
use crate::risk::linearized::Product;
use crate::risk::partials::{Partials, PartialsError};
use crate::risk::tree::{Entries, TreeSum};
use crate::risk::{LeastSquaresRisk, Risk};
use faer::{Mat, MatMut};
use std::ops::Range;

/// The residuals of a part of the samples. Those of all parts one after the other, and then those of the penalty, which every part has
/// behind its own, are the residuals of the whole.
///
/// | of a part | joined, and finished by | is |
/// |---|---|---|
/// | [`transpose_vector`](Self::transpose_vector) | [`finish_transpose`](Self::finish_transpose) | Jᵀ·u |
/// | [`normal_equations`](Self::normal_equations) | [`finish_normal`](Self::finish_normal) | JᵀJ, Jᵀr, ½‖r‖² |
/// | [`normal_diagonal`](Self::normal_diagonal) | [`finish_diagonal`](Self::finish_diagonal) | the diagonal of JᵀJ |
#[derive(Debug)]
pub struct ResidualsPart<'p> {
    risk: &'p Risk<'p>,
    view: LeastSquaresRisk<'p>,
}

impl<'p> ResidualsPart<'p> {
    pub(super) fn new(risk: &'p Risk<'p>) -> Option<Self> {
        risk.least_squares().map(|view| Self { risk, view })
    }

    /// m, of the whole.
    pub fn len(&self) -> usize {
        self.view.whole_len()
    }

    /// Whether there are no residuals: never.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the residuals of this part's samples lie in those of the whole.
    pub fn rows(&self) -> Range<usize> {
        let (c, first) = (self.risk.graph.outputs(), self.risk.partition.first_sample());
        first * c..(first + self.risk.partition.samples()) * c
    }

    /// Where those of the penalty lie.
    pub fn penalty_rows(&self) -> Range<usize> {
        self.risk.partition.whole().samples * self.risk.graph.outputs()..self.len()
    }

    /// ½‖r‖² of the residuals of the whole.
    pub fn value_of(&self, residuals: &[f64]) -> f64 {
        half_square(residuals)
    }

    /// `own` ← the residuals of this part and of the penalty.
    pub fn residuals(&self, theta: &[f64], own: &mut [f64]) {
        self.view.residuals(theta, own);
    }

    /// `own` ← J·v, the rows of this part and of the penalty.
    pub fn jacobian_vector(&self, theta: &[f64], v: &[f64], own: &mut [f64]) {
        self.view.jacobian_vector(theta, v, own);
    }

    /// `residuals` and `jacobian` ← the rows of this part and of the penalty.
    pub fn jacobian(&self, theta: &[f64], residuals: &mut [f64], jacobian: MatMut<'_, f64>) {
        self.view.jacobian(theta, residuals, jacobian);
    }

    /// Jᵀ·u, of the entries of u for this part's samples.
    ///
    /// # Panics
    /// Where u has another number of them.
    pub fn transpose_vector(&self, theta: &[f64], u: &[f64]) -> Partials {
        assert_eq!(u.len(), self.rows().len(), "entries of u for this part");
        let sums = self.view.transpose_sums(theta, u);
        let mut nodes = Vec::new();
        self.risk.gradient_nodes(&sums, &mut nodes);
        self.risk.return_sums(sums);
        self.risk.partials(self.risk.graph.parameters().dim(), nodes, None)
    }

    /// `out` ← Jᵀ·u, of the joined sums of all parts and the entries of u for the penalty.
    ///
    /// # Errors
    /// Blocks that are missing, or sums of something else.
    pub fn finish_transpose(
        &self,
        penalty: &[f64],
        sums: &Partials,
        out: &mut [f64],
    ) -> Result<(), PartialsError> {
        self.risk.assert_dim("out", out);
        out.copy_from_slice(self.risk.whole(sums, out.len(), false)?.0);
        self.view.finish_transpose(penalty, out);
        Ok(())
    }

    /// Numbers of a node of [`normal_equations`](Self::normal_equations).
    pub fn normal_width(&self) -> usize {
        let n = self.risk.graph.parameters().dim();
        triangle(n) + n
    }

    /// JᵀJ, lower triangle, with the losses and their gradient.
    pub fn normal_equations(&self, theta: &[f64]) -> Partials {
        let (risk, n) = (self.risk, self.risk.graph.parameters().dim());
        let mut first = Mat::zeros(n, n);
        let mut sum = TreeSum::new(&risk.partition, Entries::Lower, first.as_mut());
        risk.add_outer_products(Product::GaussNewton, theta, &mut sum);
        let others = sum.finish();
        let (sums, mut gradients) = (risk.gradient_sums(theta, risk.scale()), Vec::new());
        risk.gradient_nodes(&sums, &mut gradients);
        let mut nodes = Vec::with_capacity(gradients.len() / n * self.normal_width());
        let matrices = std::iter::once(&first).chain(&others);
        for (matrix, gradient) in matrices.zip(gradients.chunks_exact(n)) {
            pack(matrix, &mut nodes);
            nodes.extend_from_slice(gradient);
        }
        let partials = risk.partials(self.normal_width(), nodes, Some(&sums));
        risk.return_sums(sums);
        partials
    }

    /// `normal` ← JᵀJ, both triangles, and `gradient` ← Jᵀr, of the joined sums of all parts. Returns ½‖r‖².
    ///
    /// # Errors
    /// As [`finish_transpose`](Self::finish_transpose).
    pub fn finish_normal(
        &self,
        theta: &[f64],
        sums: &Partials,
        mut normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> Result<f64, PartialsError> {
        let n = normal.ncols();
        let (node, total) = self.risk.whole(sums, self.normal_width(), true)?;
        let (matrix, of_losses) = node.split_at(triangle(n));
        unpack(matrix, normal.as_mut());
        self.view.finish_normal(normal);
        gradient.copy_from_slice(of_losses);
        Ok(self.risk.finish_gradient(theta, total * self.risk.scale(), gradient))
    }

    /// The diagonal of JᵀJ.
    pub fn normal_diagonal(&self, theta: &[f64]) -> Partials {
        let n = self.risk.graph.parameters().dim();
        let mut first = vec![0.0; n];
        let others = self.view.normal_diagonal_nodes(theta, &mut first);
        self.risk.partials(n, self.risk.columns_of_nodes(first, &others), None)
    }

    /// `out` ← the diagonal of JᵀJ, of the joined sums of all parts.
    ///
    /// # Errors
    /// As [`finish_transpose`](Self::finish_transpose).
    pub fn finish_diagonal(&self, sums: &Partials, out: &mut [f64]) -> Result<(), PartialsError> {
        out.copy_from_slice(self.risk.whole(sums, out.len(), false)?.0);
        self.view.finish_diagonal(out);
        Ok(())
    }

    /// Where in θ the parameters lie that r is affine in.
    pub fn linear_parameters(&self) -> Vec<Range<usize>> {
        self.view.linear_parameters()
    }

    /// How the parameters in `ranges` enter the residuals of the whole.
    pub fn linear_part(&self, ranges: &[Range<usize>]) -> LinearPart {
        let part = self.view.linear_part(ranges);
        let (own, whole) = (self.rows().len(), self.penalty_rows().start);
        // The data are one range, those of the penalty come after it; where all rows are one range, it ends with the residuals.
        let moved = |end: usize| if end < own { end } else { end + whole - own };
        let rows = part.rows.iter().enumerate();
        let rows =
            rows.map(
                |(at, rows)| {
                    if at == 0 { 0..moved(rows.end) } else { moved(rows.start)..moved(rows.end) }
                },
            );
        LinearPart { rows: rows.collect(), ..part }
    }

    /// `residuals` and `design` ← r and Φ, the rows of this part and of the penalty.
    pub fn linear_design(
        &self,
        theta: &[f64],
        ranges: &[Range<usize>],
        residuals: &mut [f64],
        design: MatMut<'_, f64>,
    ) {
        let part = self.view.linear_part(ranges);
        self.view.linear_design(theta, &part, residuals, design);
    }

    /// Rows of Φ for this part and the penalty, and its columns.
    pub fn design_shape(&self, ranges: &[Range<usize>]) -> (usize, usize) {
        self.view.linear_part(ranges).design_shape()
    }

    /// Which residuals are of data, for the targets of all samples (c × N) and their weights.
    pub fn observations(&self, targets: &[f64], weights: Option<&[f64]>) -> Observations {
        self.view.observations_of(targets, weights)
    }

    /// What to call a range of θ.
    pub fn parameters_name(&self, range: &Range<usize>) -> String {
        self.view.parameters_name(range)
    }
}
