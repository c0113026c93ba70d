//! zₖ = x₁ᵀ·Wₖ·x₂ + bₖ: every product of an entry of x₁ with one of x₂, mixed by W (c × d₁d₂).
//!
//! z = W·p + b with the pairs p = vec(x₁·x₂ᵀ). The pairs of some samples are formed in a block on the stack, and each step is a GEMM
//! with it; nothing of the size of p is kept. 2·c·d₁·d₂ flops a sample for the value, as many for W̄ and for each of x̄₁ and x̄₂.

use super::dense::add_row_sums;
use super::{At, Bar, Dependence, Dot, Op, OpDescription};
use crate::elementwise::{dot, vectorize};
use crate::params::ParamSpec;
use crate::shape::{Shape, ShapeError};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A form linear in each of two inputs; any input shape is flattened. Entry (k, i + d₁·j) of the block `weight` multiplies x₁ᵢ·x₂ⱼ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilinear {
    /// c.
    pub outputs: usize,
    /// Whether there is b. Default true.
    #[serde(default = "with_bias")]
    pub bias: bool,
}

fn with_bias() -> bool {
    true
}

const WEIGHT: usize = 0;
const BIAS: usize = 1;
/// Pairs and samples of a block: 16 KiB, half of an L1 cache.
const BLOCK_PAIRS: usize = 64;
const BLOCK_SAMPLES: usize = 32;

/// Some pairs of some samples.
#[derive(Clone, Copy)]
struct Block {
    first_pair: usize,
    pairs: usize,
    first_sample: usize,
    samples: usize,
    /// d₁.
    rows: usize,
    /// d₂.
    cols: usize,
}

impl Block {
    /// Calls `visit(pairs, i, j)` for every run of pairs with one j: where it lies in the block, in the tile's x₁, and x₂ⱼ in the
    /// tile's x₂.
    #[inline(always)]
    fn for_each_run(self, mut visit: impl FnMut(Range<usize>, Range<usize>, usize)) {
        for column in 0..self.samples {
            let sample = self.first_sample + column;
            let mut pair = 0;
            while pair < self.pairs {
                let (i, j) =
                    ((self.first_pair + pair) % self.rows, (self.first_pair + pair) / self.rows);
                let length = (self.rows - i).min(self.pairs - pair);
                let (start, x1) = (column * self.pairs + pair, sample * self.rows + i);
                visit(start..start + length, x1..x1 + length, sample * self.cols + j);
                pair += length;
            }
        }
    }

    /// `pairs` ← x₁ᵢ·x₂ⱼ.
    fn pair(self, x1: &[f64], x2: &[f64], pairs: &mut [f64]) {
        vectorize(
            #[inline(always)]
            || {
                self.for_each_run(
                    #[inline(always)]
                    |run, i, j| {
                        let x2 = x2[j];
                        for (pair, x1) in pairs[run].iter_mut().zip(&x1[i]) {
                            *pair = x1 * x2;
                        }
                    },
                );
            },
        );
    }

    /// x̄₁ᵢ += Σⱼ `pairs`·x₂ⱼ.
    fn add_first(self, pairs: &[f64], x2: &[f64], x_bar: &mut [f64]) {
        vectorize(
            #[inline(always)]
            || {
                self.for_each_run(
                    #[inline(always)]
                    |run, i, j| {
                        let x2 = x2[j];
                        for (x_bar, pair) in x_bar[i].iter_mut().zip(&pairs[run]) {
                            *x_bar = pair.mul_add(x2, *x_bar);
                        }
                    },
                );
            },
        );
    }

    /// x̄₂ⱼ += Σᵢ `pairs`·x₁ᵢ.
    fn add_second(self, pairs: &[f64], x1: &[f64], x_bar: &mut [f64]) {
        self.for_each_run(|run, i, j| x_bar[j] += dot(&pairs[run], &x1[i]));
    }

    /// The columns of W, or of W̄, of the pairs.
    fn weight<'w>(&self, weight: &'w [f64], outputs: usize) -> MatRef<'w, f64> {
        let columns = self.first_pair * outputs..(self.first_pair + self.pairs) * outputs;
        MatRef::from_column_major_slice(&weight[columns], outputs, self.pairs)
    }

    /// The columns of z, or of z̄, of the samples.
    fn output<'z>(&self, z: &'z [f64], outputs: usize) -> MatRef<'z, f64> {
        let columns = self.first_sample * outputs..(self.first_sample + self.samples) * outputs;
        MatRef::from_column_major_slice(&z[columns], outputs, self.samples)
    }
}

/// Room for the pairs of a block.
struct Pairs([f64; BLOCK_PAIRS * BLOCK_SAMPLES]);

impl Pairs {
    fn new() -> Self {
        Self([0.0; BLOCK_PAIRS * BLOCK_SAMPLES])
    }
    /// The block's entries, with what was there.
    fn of(&mut self, block: Block) -> &mut [f64] {
        &mut self.0[..block.pairs * block.samples]
    }
}

impl Bilinear {
    /// `outputs` outputs, with bias.
    pub fn new(outputs: usize) -> Self {
        Self { outputs, bias: true }
    }
    /// The same without a bias.
    pub fn without_bias(self) -> Self {
        Self { bias: false, ..self }
    }

    fn for_each_block(at: At<'_>, mut run: impl FnMut(Block)) {
        let (rows, cols) = (at.x.rows(0), at.x.rows(1));
        for first_sample in (0..at.batch).step_by(BLOCK_SAMPLES) {
            let samples = BLOCK_SAMPLES.min(at.batch - first_sample);
            for first_pair in (0..rows * cols).step_by(BLOCK_PAIRS) {
                let pairs = BLOCK_PAIRS.min(rows * cols - first_pair);
                run(Block { first_pair, pairs, first_sample, samples, rows, cols });
            }
        }
    }

    /// `z` ← b, or 0.
    fn start(&self, theta: super::Params<'_>, z: &mut [f64]) {
        if self.bias {
            let bias = theta.get(BIAS);
            z.chunks_exact_mut(self.outputs).for_each(|z| z.copy_from_slice(bias));
        } else {
            z.fill(0.0);
        }
    }

    /// `z` += `weight`·pairs(`x1`, `x2`).
    fn add_form(&self, at: At<'_>, weight: &[f64], [x1, x2]: [&[f64]; 2], z: &mut [f64]) {
        let mut room = Pairs::new();
        Self::for_each_block(at, |block| {
            let pairs = room.of(block);
            block.pair(x1, x2, pairs);
            let columns = block.first_sample * self.outputs
                ..(block.first_sample + block.samples) * self.outputs;
            matmul(
                MatMut::from_column_major_slice_mut(&mut z[columns], self.outputs, block.samples),
                Accum::Add,
                block.weight(weight, self.outputs),
                MatRef::from_column_major_slice(pairs, block.pairs, block.samples),
                1.0,
                Par::Seq,
            );
        });
    }

    /// W̄ += `z_bar`·pairs(`x1`, `x2`)ᵀ.
    fn add_weight(&self, at: At<'_>, z_bar: &[f64], [x1, x2]: [&[f64]; 2], bar: &mut Bar<'_>) {
        let mut room = Pairs::new();
        let w_bar = bar.theta.get(WEIGHT);
        Self::for_each_block(at, |block| {
            let pairs = room.of(block);
            block.pair(x1, x2, pairs);
            let columns =
                block.first_pair * self.outputs..(block.first_pair + block.pairs) * self.outputs;
            matmul(
                MatMut::from_column_major_slice_mut(&mut w_bar[columns], self.outputs, block.pairs),
                Accum::Add,
                block.output(z_bar, self.outputs),
                MatRef::from_column_major_slice(pairs, block.pairs, block.samples).transpose(),
                1.0,
                Par::Seq,
            );
        });
    }

    /// x̄ of input `input` += p̄ contracted with `other`, the other input, where p̄ = `weight`ᵀ·`z_bar`.
    fn add_input(
        &self,
        at: At<'_>,
        input: usize,
        (weight, z_bar): (&[f64], &[f64]),
        other: &[f64],
        bar: &mut Bar<'_>,
    ) {
        let Some(slot) = bar.x.slot(input) else { return };
        let x_bar = slot.zeroed();
        let mut room = Pairs::new();
        Self::for_each_block(at, |block| {
            let pairs = room.of(block);
            matmul(
                MatMut::from_column_major_slice_mut(pairs, block.pairs, block.samples),
                Accum::Replace,
                block.weight(weight, self.outputs).transpose(),
                block.output(z_bar, self.outputs),
                1.0,
                Par::Seq,
            );
            if input == 0 {
                block.add_first(pairs, other, x_bar);
            } else {
                block.add_second(pairs, other, x_bar);
            }
        });
    }
}

impl Op for Bilinear {
    fn name(&self) -> String {
        "bilinear".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("bilinear", self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let [_, _] = inputs else {
            return Err(ShapeError::InputCount { expected: 2, found: inputs.len() });
        };
        let shape = Shape::vector(self.outputs);
        if shape.is_empty() { Err(ShapeError::Empty(shape)) } else { Ok(shape) }
    }

    fn params(&self, inputs: &[Shape]) -> Vec<ParamSpec> {
        let pairs = inputs[0].len().saturating_mul(inputs[1].len());
        let mut params = vec![ParamSpec::weight("weight", self.outputs, pairs)];
        if self.bias {
            params.push(ParamSpec::bias("bias", self.outputs));
        }
        params
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        self.start(at.theta, z);
        self.add_form(at, at.theta.get(WEIGHT), [at.x.get(0), at.x.get(1)], z);
    }

    /// żₖ = x₁ᵀẆₖx₂ + ḃₖ + ẋ₁ᵀWₖx₂ + x₁ᵀWₖẋ₂.
    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        let (x1, x2) = (at.x.get(0), at.x.get(1));
        self.start(dot.theta, z_dot);
        self.add_form(at, dot.theta.get(WEIGHT), [x1, x2], z_dot);
        if let Some(x1_dot) = dot.x.get(0) {
            self.add_form(at, at.theta.get(WEIGHT), [x1_dot, x2], z_dot);
        }
        if let Some(x2_dot) = dot.x.get(1) {
            self.add_form(at, at.theta.get(WEIGHT), [x1, x2_dot], z_dot);
        }
    }

    /// W̄ₖ += z̄ₖ·x₁x₂ᵀ, b̄ += z̄, x̄₁ += Σ z̄ₖWₖx₂, x̄₂ += Σ z̄ₖWₖᵀx₁.
    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        let (x1, x2) = (at.x.get(0), at.x.get(1));
        self.add_weight(at, z_bar, [x1, x2], bar);
        if self.bias {
            add_row_sums(bar.theta.get(BIAS), z_bar);
        }
        let weight = at.theta.get(WEIGHT);
        self.add_input(at, 0, (weight, z_bar), x2, bar);
        self.add_input(at, 1, (weight, z_bar), x1, bar);
    }

    /// The product rule on each term of `adjoint`.
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
        let (x1, x2) = (at.x.get(0), at.x.get(1));
        let (weight, weight_dot) = (at.theta.get(WEIGHT), dot.theta.get(WEIGHT));
        self.adjoint(at, z, z_bar_dot, bar);
        self.add_input(at, 0, (weight_dot, z_bar), x2, bar);
        self.add_input(at, 1, (weight_dot, z_bar), x1, bar);
        if let Some(x1_dot) = dot.x.get(0) {
            self.add_weight(at, z_bar, [x1_dot, x2], bar);
            self.add_input(at, 1, (weight, z_bar), x1_dot, bar);
        }
        if let Some(x2_dot) = dot.x.get(1) {
            self.add_weight(at, z_bar, [x1, x2_dot], bar);
            self.add_input(at, 0, (weight, z_bar), x2_dot, bar);
        }
    }

    fn dependence(&self, active: &[bool]) -> Dependence {
        if active.contains(&true) { Dependence::Nonlinear } else { Dependence::Affine }
    }

    fn flops(&self, inputs: &[Shape], output: &Shape) -> usize {
        2 * inputs[0].len() * inputs[1].len() * output.len()
    }
}
