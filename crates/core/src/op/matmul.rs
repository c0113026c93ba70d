//! Z = A·B of two nodes, sample by sample: A is m × k, B is k × n, each a node or its transpose.
//!
//! A value of shape `[rows, columns]` is a matrix in column-major order. 2·m·k·n flops a sample, a GEMM each; as many for each of Ā, B̄.

use super::{At, Bar, Dependence, Dot, Op, OpDescription};
use crate::shape::{Shape, ShapeError};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use serde::{Deserialize, Serialize};

/// The matrix product of two inputs of two axes each.
///
/// ```
/// use secant_core::graph::Graph;
/// use secant_core::op::{Dense, MatMul, Reshape, Softmax};
/// use secant_core::shape::Shape;
///
/// // Scores of 5 tokens with 4 features each against one another: XᵀX is 5 × 5.
/// let mut g = Graph::builder(20);
/// let x = g.node("tokens", Reshape::new([4, 5]), &[g.input()])?;
/// let scores = g.node("scores", MatMul { transpose: [true, false] }, &[x, x])?;
/// assert_eq!(g.shape(scores), Some(&Shape::new([5, 5])));
/// # Ok::<(), secant_core::graph::GraphError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatMul {
    /// Whether the first, the second input is taken transposed. Default neither.
    pub transpose: [bool; 2],
}

/// Rows and columns of an input, and whether it is taken transposed.
#[derive(Clone, Copy)]
struct Factor {
    rows: usize,
    cols: usize,
    transposed: bool,
}

impl Factor {
    fn view(self, values: &[f64], sample: usize) -> MatRef<'_, f64> {
        let len = self.rows * self.cols;
        let values = &values[sample * len..(sample + 1) * len];
        let matrix = MatRef::from_column_major_slice(values, self.rows, self.cols);
        if self.transposed { matrix.transpose() } else { matrix }
    }
    fn view_mut(self, values: &mut [f64], sample: usize) -> MatMut<'_, f64> {
        let len = self.rows * self.cols;
        let values = &mut values[sample * len..(sample + 1) * len];
        let matrix = MatMut::from_column_major_slice_mut(values, self.rows, self.cols);
        if self.transposed { matrix.transpose_mut() } else { matrix }
    }
}

impl MatMul {
    fn factor(self, input: usize, shape: &Shape) -> Option<Factor> {
        match *shape.extents() {
            [rows, cols] => Some(Factor { rows, cols, transposed: self.transpose[input] }),
            _ => None,
        }
    }

    /// A and B.
    fn factors(self, at: At<'_>) -> Option<[Factor; 2]> {
        Some([self.factor(0, at.x.shape(0))?, self.factor(1, at.x.shape(1))?])
    }

    /// `z` += `a`·`b`.
    fn add_product(self, at: At<'_>, a: &[f64], b: &[f64], z: &mut [f64]) {
        let Some([of_a, of_b]) = self.factors(at) else { return };
        let rows = z.len() / at.batch;
        for (sample, z) in z.chunks_exact_mut(rows).enumerate() {
            let (a, b) = (of_a.view(a, sample), of_b.view(b, sample));
            let z = MatMut::from_column_major_slice_mut(z, a.nrows(), b.ncols());
            matmul(z, Accum::Add, a, b, 1.0, Par::Seq);
        }
    }

    /// Ā += `z_bar`·`b`ᵀ.
    fn add_first(self, at: At<'_>, z_bar: &[f64], b: &[f64], bar: &mut Bar<'_>) {
        let (Some([of_a, of_b]), Some(slot)) = (self.factors(at), bar.x.slot(0)) else { return };
        let x_bar = slot.zeroed();
        for sample in 0..at.batch {
            let (a_bar, b) = (of_a.view_mut(x_bar, sample), of_b.view(b, sample));
            let z_bar = result(a_bar.nrows(), b.ncols()).view(z_bar, sample);
            matmul(a_bar, Accum::Add, z_bar, b.transpose(), 1.0, Par::Seq);
        }
    }

    /// B̄ += `a`ᵀ·`z_bar`.
    fn add_second(self, at: At<'_>, z_bar: &[f64], a: &[f64], bar: &mut Bar<'_>) {
        let (Some([of_a, of_b]), Some(slot)) = (self.factors(at), bar.x.slot(1)) else { return };
        let x_bar = slot.zeroed();
        for sample in 0..at.batch {
            let (a, b_bar) = (of_a.view(a, sample), of_b.view_mut(x_bar, sample));
            let z_bar = result(a.nrows(), b_bar.ncols()).view(z_bar, sample);
            matmul(b_bar, Accum::Add, a.transpose(), z_bar, 1.0, Par::Seq);
        }
    }
}

/// Z as a matrix.
fn result(rows: usize, cols: usize) -> Factor {
    Factor { rows, cols, transposed: false }
}

impl Op for MatMul {
    fn name(&self) -> String {
        "matmul".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("matmul", self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let [a, b] = inputs else {
            return Err(ShapeError::InputCount { expected: 2, found: inputs.len() });
        };
        let sides = |index: usize, shape: &Shape| match self.factor(index, shape) {
            Some(Factor { rows, cols, transposed: false }) => Ok((rows, cols)),
            Some(Factor { rows, cols, transposed: true }) => Ok((cols, rows)),
            None => {
                let expected = "two axes, rows and columns".into();
                Err(ShapeError::Unexpected { index, expected, found: shape.clone() })
            }
        };
        let ((m, k), (inner, n)) = (sides(0, a)?, sides(1, b)?);
        if k == inner {
            return Ok(Shape::new([m, n]));
        }
        let side = if self.transpose[1] { "columns" } else { "rows" };
        let expected = format!("{k} {side}, for the first input gives {m}×{k}");
        Err(ShapeError::Unexpected { index: 1, expected, found: b.clone() })
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        z.fill(0.0);
        self.add_product(at, at.x.get(0), at.x.get(1), z);
    }

    /// Ż = Ȧ·B + A·Ḃ.
    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        z_dot.fill(0.0);
        if let Some(a_dot) = dot.x.get(0) {
            self.add_product(at, a_dot, at.x.get(1), z_dot);
        }
        if let Some(b_dot) = dot.x.get(1) {
            self.add_product(at, at.x.get(0), b_dot, z_dot);
        }
    }

    /// Ā += Z̄·Bᵀ, B̄ += Aᵀ·Z̄.
    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        self.add_first(at, z_bar, at.x.get(1), bar);
        self.add_second(at, z_bar, at.x.get(0), bar);
    }

    /// Ā˙ += Z̄˙·Bᵀ + Z̄·Ḃᵀ, B̄˙ += Aᵀ·Z̄˙ + Ȧᵀ·Z̄.
    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        self.adjoint(at, z, z_bar_dot, bar);
        if let Some(b_dot) = dot.x.get(1) {
            self.add_first(at, z_bar, b_dot, bar);
        }
        if let Some(a_dot) = dot.x.get(0) {
            self.add_second(at, z_bar, a_dot, bar);
        }
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if active[0] && active[1] { Dependence::Nonlinear } else { Dependence::Affine }
    }

    fn flops(&self, inputs: &[Shape], output: &Shape) -> usize {
        let rows = output.extents().first().copied().unwrap_or(1).max(1);
        // m·k of the first input times n.
        2 * inputs[0].len() * (output.len() / rows)
    }
}
