//! z = the rows of a table that integers in the data name: a row for every entry of the input.
//!
//! The same as a dense node without bias on one-hot inputs, without the zeros: w copies an entry for the value, w additions for the
//! table's adjoint.

use super::{At, Bar, Dependence, Domain, Dot, Op, OpDescription, one_input};
use crate::params::{ParamSpec, Role};
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// A table of `count` rows of `width` parameters each (block `table`, `width × count`: a column is a row of the table).
///
/// Every entry of the input is an integer 0 … `count` − 1 and names a row; the input is data, no function of θ. With r entries the
/// output is `[width, r]`, with one `[width]`. What is no such integer is refused before a fit or a prediction
/// ([`DomainError`](crate::graph::DomainError)). Standardised inputs are no integers: [`Slice`](super::Slice) the codes from data that
/// is left as it is.
///
/// ```
/// use secant_core::data::Dataset;
/// use secant_core::graph::Graph;
/// use secant_core::loss::SquaredError;
/// use secant_core::op::{Concat, Dense, Embedding, Slice};
/// use secant_core::penalty::NoPenalty;
/// use secant_core::risk::Risk;
///
/// // Feature 0 is one of 3 categories, feature 1 a number.
/// let mut g = Graph::builder(2);
/// let code = g.node("code", Slice::new(0..1), &[g.input()])?;
/// let rows = g.node("category", Embedding::new(3, 4), &[code])?;
/// let number = g.node("number", Slice::new(1..2), &[g.input()])?;
/// let joined = g.node("joined", Concat, &[rows, number])?;
/// let y = g.node("y", Dense::new(1), &[joined])?;
/// let graph = g.build(y)?;
///
/// let data = Dataset::from_slices(2, &[0.0, 0.5, 3.0, 0.1], 1, &[1.0, 2.0])?;
/// let error = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap_err();
/// let message = "node `category`: feature 0 of sample 1 is 3, must be an integer from 0 to 2";
/// assert!(error.to_string().starts_with(message));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Rows of the table.
    pub count: usize,
    /// Parameters of a row.
    pub width: usize,
}

const TABLE: usize = 0;

impl Embedding {
    /// `count` rows of `width`.
    pub fn new(count: usize, width: usize) -> Self {
        Self { count, width }
    }

    /// The entries of the row that `x` names; `None` for what names none, which is caught before a fit.
    fn row(&self, x: f64) -> Option<std::ops::Range<usize>> {
        let index = self.domain(0).code(x)?;
        Some(index * self.width..(index + 1) * self.width)
    }

    /// `z` ← the rows of `table`; NaN for what names none.
    fn look_up(&self, at: At<'_>, table: &[f64], z: &mut [f64]) {
        for (z, &x) in z.chunks_exact_mut(self.width).zip(at.x.get(0)) {
            match self.row(x) {
                Some(row) => z.copy_from_slice(&table[row]),
                None => z.fill(f64::NAN),
            }
        }
    }

    /// The rows of the table's adjoint += `z_bar`.
    fn add_rows(&self, at: At<'_>, z_bar: &[f64], bar: &mut Bar<'_>) {
        let table = bar.theta.get(TABLE);
        for (z_bar, &x) in z_bar.chunks_exact(self.width).zip(at.x.get(0)) {
            if let Some(row) = self.row(x) {
                table[row].iter_mut().zip(z_bar).for_each(|(sum, z_bar)| *sum += z_bar);
            }
        }
    }
}

impl Op for Embedding {
    fn name(&self) -> String {
        "embedding".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("embedding", self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let entries = one_input(inputs)?.len();
        if self.count == 0 {
            let (option, allowed) = ("count", "at least 1");
            return Err(ShapeError::Option { option, value: 0.0, allowed });
        }
        let shape = match entries {
            1 => Shape::vector(self.width),
            _ => Shape::new([self.width, entries]),
        };
        if shape.is_empty() { Err(ShapeError::Empty(shape)) } else { Ok(shape) }
    }

    fn params(&self, _inputs: &[Shape]) -> Vec<ParamSpec> {
        // One input at a time is on.
        let (fan_in, fan_out) = (1, self.width);
        let (rows, cols, role) = (self.width, self.count, Role::Weight);
        vec![ParamSpec { name: "table".into(), rows, cols, role, fan_in, fan_out }]
    }

    fn domain(&self, _input: usize) -> Domain {
        Domain::Codes { count: self.count }
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        self.look_up(at, at.theta.get(TABLE), z);
    }

    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        self.look_up(at, dot.theta.get(TABLE), z_dot);
    }

    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        self.add_rows(at, z_bar, bar);
    }

    fn adjoint_tangent(
        &self,
        at: At<'_>,
        _z: &[f64],
        _z_bar: &[f64],
        _dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        self.add_rows(at, z_bar_dot, bar);
    }

    fn dependence(&self, _active: &[bool]) -> Dependence {
        Dependence::Affine
    }

    fn flops(&self, _inputs: &[Shape], output: &Shape) -> usize {
        output.len()
    }
}
