//! z = W·x + b, the fully connected node. W: c × d, b: c.
//!
//! Cost per sample: c·d multiply–adds for the value, as much for each of x̄ and W̄; every step a GEMM over the tile. With sparse data d is the
//! number of entries of the sample (`dense/sparse.rs`).

mod products;
mod sparse;

use super::{
    Adjoints, At, Bar, Dependence, Dot, EachParam, Op, OpDescription, ParamAdjoints, one_input,
};
use crate::elementwise::vectorize;
use crate::params::ParamSpec;
use crate::shape::{Shape, ShapeError};
use faer::MatRef;
use products::Start;
use serde::{Deserialize, Serialize};

/// A fully connected node; any input shape is flattened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    outputs: usize,
    #[serde(default = "with_bias", skip_serializing_if = "Clone::clone")]
    bias: bool,
}

fn with_bias() -> bool {
    true
}

const WEIGHT: usize = 0;
const BIAS: usize = 1;

impl Dense {
    /// `outputs` outputs, with bias.
    pub fn new(outputs: usize) -> Self {
        Self { outputs, bias: true }
    }
    /// The same without a bias.
    pub fn without_bias(self) -> Self {
        Self { bias: false, ..self }
    }

    fn weight<'a>(&self, block: &'a [f64]) -> MatRef<'a, f64> {
        matrix(block, self.outputs)
    }

    /// z ← W·x + b, or z ← W·x.
    fn affine(&self, at: At<'_>, theta: super::Params<'_>, z: &mut [f64]) {
        let start = if self.bias { Start::Bias(theta.get(BIAS)) } else { Start::Zero };
        let Some(x) = at.x.sparse(0) else {
            return products::apply(theta.get(WEIGHT), at.x.get(0), start, z, at.batch);
        };
        match start {
            Start::Bias(bias) => {
                z.chunks_exact_mut(self.outputs).for_each(|z| z.copy_from_slice(bias));
            }
            _ => z.fill(0.0),
        }
        sparse::add_product(theta.get(WEIGHT), x, self.outputs, z);
    }

    /// W̄ += z̄·xᵀ with the node's own x.
    fn add_own_weight(&self, at: At<'_>, theta: &mut ParamAdjoints<'_>, z_bar: &[f64]) {
        match at.x.sparse(0) {
            Some(x) => sparse::add_outer(theta.get(WEIGHT), z_bar, x, self.outputs),
            None => products::add_outer(theta.get(WEIGHT), z_bar, at.x.get(0), at.batch),
        }
    }

    /// b̄ += the sum of z̄ over the samples.
    fn add_bias(&self, theta: &mut ParamAdjoints<'_>, z_bar: &[f64]) {
        if self.bias {
            add_row_sums(theta.get(BIAS), z_bar);
        }
    }
}

impl Op for Dense {
    fn name(&self) -> String {
        "dense".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("dense", self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        one_input(inputs)?;
        let shape = Shape::vector(self.outputs);
        if shape.is_empty() { Err(ShapeError::Empty(shape)) } else { Ok(shape) }
    }

    fn params(&self, inputs: &[Shape]) -> Vec<ParamSpec> {
        let mut params = vec![ParamSpec::weight("weight", self.outputs, inputs[0].len())];
        if self.bias {
            params.push(ParamSpec::bias("bias", self.outputs));
        }
        params
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        self.affine(at, at.theta, z);
    }

    /// ż = Ẇ·x + ḃ + W·ẋ.
    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        self.affine(at, dot.theta, z_dot);
        if let Some(x_dot) = dot.x.get(0) {
            products::apply(at.theta.get(WEIGHT), x_dot, Start::Own, z_dot, at.batch);
        }
    }

    /// W̄ += z̄·xᵀ, b̄ += z̄·1, x̄ += Wᵀ·z̄.
    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        self.add_own_weight(at, &mut bar.theta, z_bar);
        self.add_bias(&mut bar.theta, z_bar);
        self.add_input(at, z_bar, &mut bar.x);
    }

    /// W̄˙ += z̄˙·xᵀ + z̄·ẋᵀ, b̄˙ += z̄˙·1, x̄˙ += Wᵀ·z̄˙ + Ẇᵀ·z̄.
    fn adjoint_tangent(
        &self,
        at: At<'_>,
        _z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        self.add_own_weight(at, &mut bar.theta, z_bar_dot);
        if let Some(x_dot) = dot.x.get(0) {
            products::add_outer(bar.theta.get(WEIGHT), z_bar, x_dot, at.batch);
        }
        self.add_bias(&mut bar.theta, z_bar_dot);
        self.add_input(at, z_bar_dot, &mut bar.x);
        if let Some(slot) = bar.x.slot(0) {
            let w_dot = self.weight(dot.theta.get(WEIGHT));
            slot.add_matmul(w_dot.transpose(), columns(z_bar, at.batch));
        }
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        // W·x with both W and x depending on θ is bilinear.
        if active[0] { Dependence::Nonlinear } else { Dependence::Affine }
    }

    fn is_linear_map(&self) -> bool {
        true
    }

    fn takes_sparse(&self) -> bool {
        true
    }

    fn flops(&self, inputs: &[Shape], output: &Shape) -> usize {
        2 * inputs[0].len() * output.len()
    }

    /// Sample b's W̄ is the outer product z̄_b·x_bᵀ.
    fn adjoint_each(
        &self,
        at: At<'_>,
        _z: &[f64],
        z_bar: &[f64],
        x_bar: &mut Adjoints<'_>,
        each: &mut EachParam<'_>,
    ) {
        if let Some(x) = at.x.sparse(0) {
            for (sample, z_bar) in z_bar.chunks_exact(self.outputs).enumerate() {
                let mut theta = each.sample(sample);
                let x = x.slice(sample..sample + 1);
                sparse::add_outer(theta.get(WEIGHT), z_bar, x, self.outputs);
                if self.bias {
                    add_row_sums(theta.get(BIAS), z_bar);
                }
            }
            return;
        }
        let inputs = at.x.rows(0);
        let samples = z_bar.chunks_exact(self.outputs).zip(at.x.get(0).chunks_exact(inputs));
        for (sample, (z_bar, x)) in samples.enumerate() {
            let mut theta = each.sample(sample);
            vectorize(
                #[inline(always)]
                || {
                    for (w_bar, x) in theta.get(WEIGHT).chunks_exact_mut(self.outputs).zip(x) {
                        for (w_bar, z_bar) in w_bar.iter_mut().zip(z_bar) {
                            *w_bar = z_bar.mul_add(*x, *w_bar);
                        }
                    }
                },
            );
            if self.bias {
                add_row_sums(theta.get(BIAS), z_bar);
            }
        }
        self.add_input(at, z_bar, x_bar);
    }
}

impl Dense {
    /// x̄ += Wᵀ·z̄.
    fn add_input(&self, at: At<'_>, z_bar: &[f64], x_bar: &mut Adjoints<'_>) {
        if let Some(slot) = x_bar.slot(0) {
            let weight = self.weight(at.theta.get(WEIGHT));
            slot.add_matmul(weight.transpose(), columns(z_bar, at.batch));
        }
    }
}

fn matrix(values: &[f64], rows: usize) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice(values, rows, values.len() / rows)
}

fn columns(values: &[f64], batch: usize) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice(values, values.len() / batch, batch)
}

/// `sums` += the columns of `values` (`sums.len() × B`) added up.
pub(super) fn add_row_sums(sums: &mut [f64], values: &[f64]) {
    if let [sum] = sums {
        *sum += crate::elementwise::sum(values);
        return;
    }
    vectorize(
        #[inline(always)]
        || {
            let rows = sums.len();
            // Four at a time: each addition to a sum waits for the one before.
            let mut fours = values.chunks_exact(4 * rows);
            for columns in &mut fours {
                let (left, right) = columns.split_at(2 * rows);
                let ((a, b), (c, d)) = (left.split_at(rows), right.split_at(rows));
                for ((((sum, a), b), c), d) in sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                    *sum += (a + b) + (c + d);
                }
            }
            for column in fours.remainder().chunks_exact(rows) {
                for (sum, value) in sums.iter_mut().zip(column) {
                    *sum += value;
                }
            }
        },
    );
}
