//! A node of the graph: it sees its own inputs, parameters and output, and nothing else.
//!
//! For one tile of B samples a node's value is a matrix of `rows × B`, column-major: a column is a sample. With
//! z = f(x, θ), four methods give every derivative that the crate needs:
//!
//! | method | computes | used by |
//! |---|---|---|
//! | [`Op::value`] | z = f(x, θ) | every evaluation |
//! | [`Op::tangent`] | ż = ∂f/∂x·ẋ + ∂f/∂θ·θ̇ | J·v, G·v, H·v |
//! | [`Op::adjoint`] | x̄ += (∂f/∂x)ᵀz̄, θ̄ += (∂f/∂θ)ᵀz̄ | ∇f, Jᵀ·u, G·v |
//! | [`Op::adjoint_tangent`] | the derivative of `adjoint` along (ẋ, θ̇, z̄˙) | H·v (Pearlmutter 1994) |
//!
//! An input that does not depend on θ (the data, or a feature map of it) has no tangent and needs no adjoint:
//! [`Tangents::get`] and [`Adjoints::slot`] return `None` for it, and the node skips that work.
//!
//! [`crate::check::op`] tests any node, a user's own too.

mod activation;
mod arithmetic;
mod average_pool;
mod batch_norm;
mod bilinear;
mod block;
mod concat;
mod convolution;
mod dense;
mod description;
mod dropout;
mod embedding;
mod feature_error;
mod global_pool;
mod kernel;
mod landmarks;
mod layer_norm;
mod linear_node;
mod matmul;
mod max_pool;
mod nystrom;
mod patches;
mod phases;
mod polynomial;
mod radial_basis;
mod random_fourier;
mod reduce;
mod reshape;
mod scale_shift;
mod scratch;
mod slice;
mod softmax;
mod views;
mod window;

pub use activation::{Activation, MAX_EXPONENT};
pub(crate) use activation::{LeakyRelu, Power};
pub use arithmetic::{Add, Multiply};
pub use average_pool::{AvgPool, AvgPool1d, AvgPool2d};
pub use batch_norm::BatchNorm;
pub use bilinear::Bilinear;
pub use concat::Concat;
pub use convolution::{Conv, Conv1d, Conv2d};
pub use dense::Dense;
pub use description::OpDescription;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use feature_error::FeatureError;
pub use global_pool::GlobalAvgPool;
pub use kernel::Kernel;
pub use layer_norm::{LAYER_NORM_EPSILON, LayerNorm};
pub use matmul::MatMul;
pub use max_pool::{MaxPool, MaxPool1d, MaxPool2d};
pub use nystrom::Nystrom;
pub use polynomial::Polynomial;
pub use radial_basis::RadialBasis;
pub use random_fourier::RandomFourier;
pub(crate) use reduce::Along;
pub use reduce::{Reduce, Reduction};
pub use reshape::{Flatten, Reshape};
pub use scale_shift::{Per, ScaleShift};
pub(crate) use scratch::with_scratch;
pub use slice::{Select, Slice};
pub use softmax::Softmax;
pub use views::{AdjointSlot, Adjoints, Inputs, ParamAdjoints, Params, Tangents};
pub(crate) use views::{Layout, Place, Region, TRACKED_INPUTS, TileData};

use crate::params::ParamSpec;
use crate::shape::{Shape, ShapeError};
use std::fmt::Debug;

/// Where a node is evaluated: a tile of samples and the parameters.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// B, the number of samples (columns).
    pub batch: usize,
    /// x: the node's inputs, each `rows × B`.
    pub x: Inputs<'a>,
    /// θ: the node's parameter blocks.
    pub theta: Params<'a>,
    /// What a node with randomness goes by in training; `None` in prediction.
    pub training: Option<Training<'a>>,
}

/// What names the random numbers of a node in training: they depend on nothing else, so not on tiles or threads.
#[derive(Clone, Copy, Debug)]
pub struct Training<'a> {
    /// The draw: 0 for the objective on all samples, t in step t of a run on minibatches.
    pub draw: u64,
    /// A hash of the node's name.
    pub node: u64,
    /// The tile's samples.
    pub samples: Samples<'a>,
}

/// The samples of a tile by their indices in the data set.
#[derive(Clone, Copy, Debug)]
pub enum Samples<'a> {
    /// One after another.
    Run {
        /// The first one's index.
        first: usize,
        /// B.
        len: usize,
    },
    /// Gathered.
    Listed(&'a [usize]),
}

impl Samples<'_> {
    /// B.
    pub fn len(&self) -> usize {
        match self {
            Self::Run { len, .. } => *len,
            Self::Listed(indices) => indices.len(),
        }
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The index of the sample in column `column` of the tile.
    pub fn index(&self, column: usize) -> usize {
        match self {
            Self::Run { first, .. } => first + column,
            Self::Listed(indices) => indices[column],
        }
    }
    /// Column `column` alone.
    fn column(self, column: usize) -> Self {
        match self {
            Self::Run { first, .. } => Self::Run { first: first + column, len: 1 },
            Self::Listed(indices) => Self::Listed(&indices[column..=column]),
        }
    }
}

/// A direction: (ẋ, θ̇).
#[derive(Clone, Copy, Debug)]
pub struct Dot<'a> {
    /// ẋ: tangents of the inputs, `None` where zero by structure.
    pub x: Tangents<'a>,
    /// θ̇: the direction's blocks.
    pub theta: Params<'a>,
}

/// Where adjoints are added: (x̄, θ̄).
#[derive(Debug)]
pub struct Bar<'a> {
    /// x̄: adjoints of the inputs, `None` where nobody needs them.
    pub x: Adjoints<'a>,
    /// θ̄: adjoints of the parameter blocks.
    pub theta: ParamAdjoints<'a>,
}

/// How z depends on θ when the inputs marked *active* depend affinely on θ and the others do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependence {
    /// Affine in θ.
    Affine,
    /// Anything else.
    Nonlinear,
}

/// What an input of a node may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Any number.
    Numbers,
    /// Integers 0 … `count` − 1 that do not depend on θ.
    Codes {
        /// How many there are.
        count: usize,
    },
}

impl Domain {
    /// The code that `x` is; `None` for what is none, and where there are no codes.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ≤ x < count")]
    pub fn code(self, x: f64) -> Option<usize> {
        match self {
            Self::Codes { count } if x >= 0.0 && x < count as f64 && x.fract() == 0.0 => {
                Some(x as usize)
            }
            _ => None,
        }
    }
}

/// A node's function and its derivatives to second order.
///
/// Every slice is column-major with one sample a column; `z`, `z_dot`, `z_bar` are `output × B`. Implementations
/// write all of `z` / `z_dot` (they come with stale contents) and only *add* to adjoints.
pub trait Op: Debug + Send + Sync {
    /// A short name for messages and summaries: `dense`, `tanh`.
    fn name(&self) -> String;

    /// What a description file says of the node: see [`crate::description`]. Default `None`: it cannot be written down.
    fn describe(&self) -> Option<OpDescription> {
        None
    }

    /// The output's shape.
    ///
    /// # Errors
    /// When the inputs' number or shapes do not fit.
    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError>;

    /// The parameters the node needs; called after `output_shape` succeeded.
    fn params(&self, inputs: &[Shape]) -> Vec<ParamSpec> {
        let _ = inputs;
        Vec::new()
    }

    /// z ← f(x, θ).
    fn value(&self, at: At<'_>, z: &mut [f64]);

    /// ż ← ∂f/∂x·ẋ + ∂f/∂θ·θ̇.
    fn tangent(&self, at: At<'_>, z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]);

    /// x̄ += (∂f/∂x)ᵀz̄ and θ̄ += (∂f/∂θ)ᵀz̄, the latter summed over the tile's samples.
    fn adjoint(&self, at: At<'_>, z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>);

    /// The derivative of [`adjoint`](Self::adjoint) along the direction: with the tangents ẋ, θ̇, ż of the forward
    /// sweep and z̄˙ of the backward sweep, adds x̄˙ and θ̄˙ to `bar`.
    #[expect(clippy::too_many_arguments, reason = "the seven quantities of Pearlmutter's product")]
    fn adjoint_tangent(
        &self,
        at: At<'_>,
        z: &[f64],
        z_bar: &[f64],
        dot: Dot<'_>,
        z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    );

    /// How z depends on θ; `active[i]` says whether input i does. Affine graphs get their Hessian by GEMM.
    fn dependence(&self, active: &[bool]) -> Dependence {
        let _ = active;
        Dependence::Nonlinear
    }

    /// The same where only the own blocks marked are variable and the others held, whatever they are. The default,
    /// [`dependence`](Self::dependence), asks for more than is needed.
    fn dependence_on(&self, active: &[bool], blocks: &[bool]) -> Dependence {
        let _ = blocks;
        self.dependence(active)
    }

    /// Own blocks, by position, that z is affine in all together, the others held: what [`dependence_on`](Self::dependence_on) is asked
    /// about in search of linear parameters. Default `None`: all of them.
    fn linear_blocks(&self) -> Option<Vec<usize>> {
        None
    }

    /// Whether z = W·x (+ b) with block 0 = W (c × d, column-major) and, if there is one, block 1 = b: then the Hessian of a
    /// generalised linear model is assembled as XᵀDX.
    fn is_linear_map(&self) -> bool {
        false
    }

    /// Whether the node takes sparse data: where it reads the data itself, [`Inputs::sparse`] may then have the entries of the tile, and
    /// [`Inputs::get`] not the dense numbers. All methods must ask. Default `false`: a data set with sparse inputs is refused.
    fn takes_sparse(&self) -> bool {
        false
    }

    /// Flops of one sample's `value`, for summaries and for choosing a method: a multiply–add counts as two. Default: two for every
    /// entry of the output, an elementary function or a few operations.
    fn flops(&self, inputs: &[Shape], output: &Shape) -> usize {
        let _ = inputs;
        2 * output.len()
    }

    /// What input `input` may hold. Data outside of it are refused before a fit or a prediction; an input of codes that depends on
    /// θ, when the graph is built.
    fn domain(&self, input: usize) -> Domain {
        let _ = input;
        Domain::Numbers
    }

    /// Where entry `entry` of the output is copied from, as (input, entry of that input), by nodes that move entries and do nothing
    /// else: messages name the feature then.
    fn origin(&self, inputs: &[Shape], entry: usize) -> Option<(usize, usize)> {
        let _ = (inputs, entry);
        None
    }

    /// Columns that one sample brings to the node's matrix products: 1 for a dense layer, the pixels for a convolution. Where it is
    /// large, tiles of few samples lose no speed.
    fn columns(&self, inputs: &[Shape], output: &Shape) -> usize {
        let _ = (inputs, output);
        1
    }

    /// z and its derivatives by the node's own parameters at once: `rows` (n × cB) ← the gradient of output k of sample i in column
    /// i·c + k, the blocks one after another. Asked of a node that is a whole graph. Default `false`: nothing is written, and a sweep
    /// forward and one backward for each output take its place.
    fn value_rows(&self, at: At<'_>, z: &mut [f64], rows: &mut [f64]) -> bool {
        let _ = (at, z, rows);
        false
    }

    /// [`adjoint`](Self::adjoint) sample by sample: θ̄ of sample b goes to column b of `each` (n × B) instead of a sum. The
    /// default calls `adjoint` on one sample at a time.
    fn adjoint_each(
        &self,
        at: At<'_>,
        z: &[f64],
        z_bar: &[f64],
        x_bar: &mut Adjoints<'_>,
        each: &mut EachParam<'_>,
    ) {
        let rows = z.len() / at.batch.max(1);
        for sample in 0..at.batch {
            let column = sample * rows..(sample + 1) * rows;
            let mut bar = Bar { x: x_bar.column(sample), theta: each.sample(sample) };
            self.adjoint(at.column(sample), &z[column.clone()], &z_bar[column], &mut bar);
            bar.x.zero_untouched();
        }
        x_bar.touch_all();
    }
}

impl<'a> At<'a> {
    /// The same place, sample `index` of the tile alone.
    pub fn column(&self, index: usize) -> Self {
        let only = |training: Training<'a>| Training {
            samples: training.samples.column(index),
            ..training
        };
        let training = self.training.map(only);
        Self { batch: 1, x: self.x.column(index), theta: self.theta, training }
    }
}

/// Parameter adjoints kept apart for every sample of a tile: an n × B matrix, column b for sample b.
#[derive(Debug)]
pub struct EachParam<'a> {
    pub(crate) blocks: &'a [std::ops::Range<usize>],
    pub(crate) dim: usize,
    pub(crate) columns: &'a mut [f64],
}

impl EachParam<'_> {
    /// The adjoints of sample `index`.
    pub fn sample(&mut self, index: usize) -> ParamAdjoints<'_> {
        let column = index * self.dim..(index + 1) * self.dim;
        ParamAdjoints::new(self.blocks, &mut self.columns[column])
    }
}

/// The single input's shape, or an error.
pub(crate) fn one_input(inputs: &[Shape]) -> Result<&Shape, ShapeError> {
    match inputs {
        [shape] => Ok(shape),
        _ => Err(ShapeError::InputCount { expected: 1, found: inputs.len() }),
    }
}

/// The first input's shape when all are alike, or an error.
pub(crate) fn same_shapes(inputs: &[Shape], least: usize) -> Result<&Shape, ShapeError> {
    let first = inputs
        .first()
        .filter(|_| inputs.len() >= least)
        .ok_or(ShapeError::InputCount { expected: least, found: inputs.len() })?;
    match inputs.iter().enumerate().find(|(_, shape)| *shape != first) {
        None => Ok(first),
        Some((index, found)) => {
            Err(ShapeError::Mismatch { index, first: first.clone(), found: found.clone() })
        }
    }
}
