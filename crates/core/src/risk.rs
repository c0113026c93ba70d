//! The objective of a fit: f(θ) = (1/N) Σᵢ ℓ(model(xᵢ; θ), yᵢ) + penalty(θ).
//!
//! With weights f is Σᵢ wᵢℓᵢ/Σᵢ wᵢ + penalty, and with offsets ℓᵢ is ℓ(model(xᵢ; θ) + oᵢ, yᵢ), in every product and view.
//!
//! samples → shards (parallel) → tiles (one after the other) → forward sweep → loss → backward sweep into the shard's
//! gradient → pairwise sum of the shards in their order → penalty. The shards depend on N and n only, so the bits of the
//! result do not depend on the threads. After the first call nothing is allocated: buffers live in a pool of the risk.
//!
//! | product | cost in gradients (dense layers after the first) | memory |
//! |---|---|---|
//! | [`Objective::value_gradient`] | 1 | tapes of one tile per thread |
//! | [`SampledObjective::value_gradient_on`](crate::problem::SampledObjective::value_gradient_on) | k/N for k samples | tapes and samples of one tile per thread |
//! | [`Linearization::hessian_vector`] | ≤ 2 | kept tapes, within [`Risk::with_tape_budget`] |
//! | [`Linearization::gauss_newton_vector`] | ≤ 4/3 | the same |
//! | dense H, affine models | N·n·d flops by SYRK | n² |
//! | r × s entries of H, generalised linear models | 2N·r·s flops | r·s and 256(r + s) |
//! | dense H, other models | n products | n² |
//! | dense G | N·c·n² flops by SYRK | n² and a block of J |

mod affine;
mod dense;
mod diagonal;
mod evaluate;
mod least_squares;
mod linearized;
mod minibatch;
mod moved;
mod part;
mod partials;
mod pool;
mod scores;
mod structure;
mod tree;
mod weighted;
mod workspace;

pub use least_squares::LeastSquaresRisk;
pub use linearized::Linearized;
pub use part::{Layout, LinearizedPart, ResidualsPart, RiskPart, Second};
pub use partials::{Partials, PartialsError};

use crate::data::{Dataset, Targets};
use crate::graph::{Centring, DomainError, Graph, SparseDataError};
use crate::loss::{Loss, LossError};
use crate::op::{Samples, TileData};
use crate::partition::Partition;
use crate::penalty::{Penalty, PenaltyError};
use crate::problem::{Curvature, LeastSquares, Linearization, Objective, Structure};
use crate::sweep::{Tile, check_domains};
use affine::SparseColumns;
use faer::MatMut;
use pool::Pool;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Why a model, data, loss and penalty do not make a risk.
#[derive(Clone, PartialEq, thiserror::Error)]
pub enum RiskError {
    /// The data has another number of features than the model.
    #[error("the model takes {expected} feature(s), the data has {found}")]
    Features {
        /// Features of the model.
        expected: usize,
        /// Features of the data.
        found: usize,
    },
    /// A number in the data that a node cannot take.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// Sparse inputs for a model that does not take them.
    #[error(transparent)]
    Sparse(#[from] SparseDataError),
    /// Offsets that are neither one for all outputs nor one for each.
    #[error("the data has {rows} offsets per sample, the model has {outputs} output(s)")]
    Offset {
        /// Offsets per sample.
        rows: usize,
        /// Outputs of the model.
        outputs: usize,
    },
    /// A part of the samples with another number of them than its blocks have.
    #[error("blocks {} to {} have {expected} sample(s), the data has {found}", blocks.start, blocks.end)]
    PartSamples {
        /// The blocks.
        blocks: Range<usize>,
        /// Their samples.
        expected: usize,
        /// Samples of the data.
        found: usize,
    },
    /// Sparse inputs in a part of the samples.
    #[error("sparse inputs are not shared among processes: all of them are one block")]
    SparsePart,
    /// The loss refuses.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// The penalty refuses.
    #[error(transparent)]
    Penalty(#[from] PenaltyError),
}

impl std::fmt::Debug for RiskError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Bytes of tapes that a linearisation may keep by default: 2 GiB.
pub const TAPE_BUDGET: usize = 2 << 30;

/// The draw of nodes with randomness in the objective on all samples: always the same, so that it is a function.
const FULL_BATCH_DRAW: u64 = 0;

/// Mean loss over a data set plus penalty, as an objective with curvature.
#[derive(Debug)]
pub struct Risk<'a> {
    graph: &'a Graph,
    data: &'a Dataset,
    loss: Arc<dyn Loss>,
    penalty: Arc<dyn Penalty>,
    partition: Partition,
    /// What a centre of sparse inputs makes of θ.
    centring: Option<Centring>,
    /// Σ wᵢ, which is N without weights; of a part that of all samples.
    total_weight: f64,
    /// 1/Σ wᵢ.
    scale: f64,
    tape_budget: usize,
    pool: Pool,
    /// Sparse inputs by features, once a Hessian was formed from them.
    columns: OnceLock<SparseColumns>,
    /// What a chooser of methods is told, once it was asked for: each run does so several times.
    structure: OnceLock<Structure>,
}

impl<'a> Risk<'a> {
    /// The mean `loss` of `graph` on `data` plus `penalty`.
    ///
    /// # Errors
    /// When features, outputs, targets, offsets, the penalty's constants or the domain of a node do not fit; sparse inputs before a node that
    /// does not take them, or that are centred before one without a bias of its own.
    pub fn new(
        graph: &'a Graph,
        data: &'a Dataset,
        loss: impl Loss + 'static,
        penalty: impl Penalty + 'static,
    ) -> Result<Self, RiskError> {
        Self::from_boxed(graph, data, Box::new(loss), Box::new(penalty))
    }

    /// The same with loss and penalty chosen at run time.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_boxed(
        graph: &'a Graph,
        data: &'a Dataset,
        loss: Box<dyn Loss>,
        penalty: Box<dyn Penalty>,
    ) -> Result<Self, RiskError> {
        Self::from_shared(graph, data, loss.into(), penalty.into())
    }

    /// The same with loss and penalty that others hold too.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_shared(
        graph: &'a Graph,
        data: &'a Dataset,
        loss: Arc<dyn Loss>,
        penalty: Arc<dyn Penalty>,
    ) -> Result<Self, RiskError> {
        let partition = Partition::new(graph, data.samples(), data.filled());
        Self::of_part(graph, data, (loss, penalty), partition, data.total_weight())
    }

    /// The same over the samples of `data` where they are a part of all, which have `total_weight`.
    fn of_part(
        graph: &'a Graph,
        data: &'a Dataset,
        (loss, penalty): (Arc<dyn Loss>, Arc<dyn Penalty>),
        partition: Partition,
        total_weight: f64,
    ) -> Result<Self, RiskError> {
        let (expected, found) = (graph.features(), data.features());
        if expected != found {
            return Err(RiskError::Features { expected, found });
        }
        let (rows, outputs) = (data.offset_rows(), graph.outputs());
        if !(rows <= 1 || rows == outputs) {
            return Err(RiskError::Offset { rows, outputs });
        }
        loss.check(outputs, data.targets())?;
        penalty.check_against(graph.parameters())?;
        let centring = if let Some(inputs) = data.sparse() {
            Centring::of(graph, inputs)?
        } else {
            check_domains(graph, data.stored_inputs(), true)?;
            None
        };
        let (tape_budget, pool) = (TAPE_BUDGET, Pool::default());
        Ok(Self {
            graph,
            data,
            loss,
            penalty,
            partition,
            centring,
            total_weight,
            scale: 1.0 / total_weight,
            tape_budget,
            pool,
            columns: OnceLock::new(),
            structure: OnceLock::new(),
        })
    }

    /// Another loss on the same model and data.
    ///
    /// # Errors
    /// When it refuses the outputs or the targets; the loss is then the old one.
    pub fn set_loss(&mut self, loss: Box<dyn Loss>) -> Result<(), RiskError> {
        loss.check(self.graph.outputs(), self.data.targets())?;
        self.loss = loss.into();
        self.structure = OnceLock::new();
        Ok(())
    }

    /// Bytes of tapes that a linearisation may keep; tiles beyond are swept forward and backward again for every product.
    pub fn with_tape_budget(mut self, bytes: usize) -> Self {
        // The buffers there are fit the old budget.
        self.pool = Pool::default();
        self.tape_budget = bytes;
        self.structure = OnceLock::new();
        self
    }

    /// The model.
    pub fn graph(&self) -> &'a Graph {
        self.graph
    }
    /// The data.
    pub fn data(&self) -> &'a Dataset {
        self.data
    }
    /// The loss.
    pub fn loss(&self) -> &dyn Loss {
        &*self.loss
    }
    /// The loss, for whoever needs it longer than the risk.
    pub fn shared_loss(&self) -> Arc<dyn Loss> {
        self.loss.clone()
    }
    /// The penalty.
    pub fn penalty(&self) -> &dyn Penalty {
        &*self.penalty
    }
    /// B, the samples of one tile (the last one may be shorter).
    pub fn tile_samples(&self) -> usize {
        self.partition.tile_samples()
    }
    /// The number of shards.
    pub fn shards(&self) -> usize {
        self.partition.shards()
    }

    /// The risk as half a sum of squares, where it is one: squared error with a ridge penalty or none.
    pub fn least_squares(&self) -> Option<LeastSquaresRisk<'_>> {
        LeastSquaresRisk::new(self)
    }

    /// The samples of `range` at θ, where the data have a centre at the [`Moved`](moved::Moved) one; inputs that are standardised when they are
    /// read go to `inputs`.
    fn tile<'t>(
        &'t self,
        theta: &'t [f64],
        range: &Range<usize>,
        inputs: &'t mut Vec<f64>,
    ) -> Tile<'t> {
        let data = match self.data.sparse() {
            Some(entries) => TileData::Sparse(entries.tile(range)),
            None => TileData::Dense(self.data.input_tile(range, inputs)),
        };
        let first = self.partition.first_sample() + range.start;
        let samples = Samples::Run { first, len: range.len() };
        let training = Some((FULL_BATCH_DRAW, samples));
        Tile { graph: self.graph, theta, data, batch: range.len(), training }
    }

    fn targets(&self) -> &Targets {
        self.data.targets()
    }

    /// 1/Σ wᵢ, which is 1/N without weights.
    fn scale(&self) -> f64 {
        self.scale
    }

    fn assert_dim(&self, what: &str, slice: &[f64]) {
        let (n, found) = (self.dim(), slice.len());
        assert!(n == found, "{what} has {found} entries, the model has {n} parameters");
    }
}

impl Objective for Risk<'_> {
    fn dim(&self) -> usize {
        self.graph.parameters().dim()
    }

    fn value(&self, theta: &[f64]) -> f64 {
        self.assert_dim("theta", theta);
        self.evaluate_value(theta)
    }

    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.assert_dim("theta", theta);
        self.assert_dim("gradient", gradient);
        self.evaluate_gradient(theta, gradient)
    }
}

impl Risk<'_> {
    /// What gives matrices at θ, without a sweep where they need none.
    fn for_matrices(&self, theta: &[f64]) -> Linearized<'_> {
        self.assert_dim("theta", theta);
        Linearized::unswept(self, theta).unwrap_or_else(|| self.linearize(theta))
    }
}

impl Curvature for Risk<'_> {
    type At<'b>
        = Linearized<'b>
    where
        Self: 'b;

    fn linearize(&self, theta: &[f64]) -> Linearized<'_> {
        self.assert_dim("theta", theta);
        Linearized::new(self, theta)
    }

    fn hessian_at(&self, theta: &[f64], out: MatMut<'_, f64>) {
        self.for_matrices(theta).hessian(out);
    }

    fn gauss_newton_at(&self, theta: &[f64], out: MatMut<'_, f64>) {
        self.for_matrices(theta).gauss_newton(out);
    }

    fn hessian_block_at(
        &self,
        theta: &[f64],
        rows: &[usize],
        columns: &[usize],
        out: MatMut<'_, f64>,
    ) {
        self.for_matrices(theta).hessian_block(rows, columns, out);
    }

    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        self.least_squares().map(|view| Box::new(view) as Box<dyn LeastSquares + '_>)
    }

    fn structure(&self) -> Structure {
        *self.structure.get_or_init(|| self.known_structure())
    }
}
