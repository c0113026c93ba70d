//! A risk whose samples are shared among processes: each evaluates its [`RiskPart`], the [`Partials`] of all are joined, and any part
//! makes of them what the whole [`Risk`] would have answered, bit for bit.
//!
//! | of a part | joined, and finished by | is |
//! |---|---|---|
//! | [`RiskPart::value`] | [`RiskPart::finish_value`] | f |
//! | [`RiskPart::value_gradient`] | [`RiskPart::finish_value_gradient`] | f, ∇f |
//! | [`RiskPart::linearize`] | [`LinearizedPart::finish`] | f, ∇f, and what products start from |
//! | [`LinearizedPart::product`] | [`LinearizedPart::finish_product`] | H·v or G·v |
//! | [`LinearizedPart::matrix`] | [`LinearizedPart::finish_matrix`] | H or G |
//! | [`LinearizedPart::diagonal`] | [`LinearizedPart::finish_diagonal`] | the diagonal of G |
//!
//! and those of [`ResidualsPart`]. What is a row of its own for each sample, as residuals are, is not summed: the rows of all parts one after
//! the other are those of the whole.

mod layout;
mod linearized;
mod residuals;

pub use layout::Layout;
pub use linearized::{LinearizedPart, Second};
pub use residuals::ResidualsPart;

use super::evaluate::total_loss;
use super::partials::{Partials, PartialsError};
use super::workspace::{CompensatedSum, ShardSum};
use super::{FULL_BATCH_DRAW, Linearized, Risk, RiskError};
use crate::data::Dataset;
use crate::graph::Graph;
use crate::loss::Loss;
use crate::penalty::Penalty;
use crate::problem::{Curvature, Objective, Structure};
use faer::{Mat, MatMut};
use std::ops::Range;
use std::sync::Arc;

/// The risk over the samples of some blocks: what one process has of it.
#[derive(Debug)]
pub struct RiskPart<'a> {
    risk: Risk<'a>,
}

impl<'a> RiskPart<'a> {
    /// The part in `blocks` of the mean `loss` of `graph` plus `penalty`; `data` are the samples of these blocks, and perhaps one more, of
    /// which nothing but the columns counts: a part without blocks has one all the same, as has one where all weights are 0.
    ///
    /// # Errors
    /// As [`Risk::new`]; another number of samples than the blocks have; sparse samples, which are not shared.
    pub fn new(
        graph: &'a Graph,
        data: &'a Dataset,
        (loss, penalty): (Arc<dyn Loss>, Arc<dyn Penalty>),
        layout: &Layout,
        blocks: &Range<usize>,
    ) -> Result<Self, RiskError> {
        layout.assert_blocks(blocks);
        if data.sparse().is_some() {
            return Err(RiskError::SparsePart);
        }
        let partition = layout.partition.part(blocks);
        let (expected, found) = (partition.samples(), data.samples());
        if found != expected && found != expected + 1 {
            return Err(RiskError::PartSamples { blocks: blocks.clone(), expected, found });
        }
        let risk = Risk::of_part(graph, data, (loss, penalty), partition, layout.total_weight)?;
        Ok(Self { risk })
    }

    /// Bytes of tapes that a linearisation may keep, of this part.
    pub fn with_tape_budget(self, bytes: usize) -> Self {
        Self { risk: self.risk.with_tape_budget(bytes) }
    }

    /// n
    pub fn dim(&self) -> usize {
        self.risk.dim()
    }

    /// The model.
    pub fn graph(&self) -> &'a Graph {
        self.risk.graph
    }

    /// The data of this part.
    pub fn data(&self) -> &'a Dataset {
        self.risk.data
    }

    /// The blocks of this part.
    pub fn blocks(&self) -> Range<usize> {
        self.risk.partition.blocks()
    }

    /// How many blocks there are in all.
    pub fn all_blocks(&self) -> usize {
        self.risk.partition.whole().blocks()
    }

    /// N, of all parts.
    pub fn samples(&self) -> usize {
        self.risk.partition.whole().samples
    }

    /// The samples of this part, among all.
    pub fn own_samples(&self) -> Range<usize> {
        let first = self.risk.partition.first_sample();
        first..first + self.risk.partition.samples()
    }

    /// What the whole risk says of itself to a chooser of methods.
    pub fn structure(&self) -> Structure {
        // Sums of blocks of matrices are not joined.
        Structure { hessian_blocks: false, ..self.risk.structure() }
    }

    /// The part of half a sum of squares, where the risk is one: squared error with a ridge penalty or none.
    pub fn residuals(&self) -> Option<ResidualsPart<'_>> {
        ResidualsPart::new(&self.risk)
    }

    /// The losses at θ.
    pub fn value(&self, theta: &[f64]) -> Partials {
        self.risk.assert_dim("theta", theta);
        let sums = self.risk.value_sums(theta);
        let partials = self.risk.partials(0, Vec::new(), Some(&sums));
        self.risk.return_sums(sums);
        partials
    }

    /// f(θ), of the joined sums of all parts.
    ///
    /// # Errors
    /// Blocks that are missing, or sums of something else.
    pub fn finish_value(&self, theta: &[f64], sums: &Partials) -> Result<f64, PartialsError> {
        let mean = self.risk.whole(sums, 0, true)?.1 * self.risk.scale();
        Ok(mean + self.risk.penalty.value(self.risk.graph.parameters(), theta))
    }

    /// The losses at θ with their gradient.
    pub fn value_gradient(&self, theta: &[f64]) -> Partials {
        self.scaled_gradient(theta, self.risk.scale())
    }

    /// The same on a batch of all samples in their order, whose mean is rounded by itself where there are weights.
    pub fn value_gradient_of_all(&self, theta: &[f64]) -> Partials {
        self.scaled_gradient(theta, self.risk.batch_scale(self.samples()))
    }

    fn scaled_gradient(&self, theta: &[f64], scale: f64) -> Partials {
        self.risk.assert_dim("theta", theta);
        let sums = self.risk.gradient_sums(theta, scale);
        let mut nodes = Vec::new();
        self.risk.gradient_nodes(&sums, &mut nodes);
        let partials = self.risk.partials(self.dim(), nodes, Some(&sums));
        self.risk.return_sums(sums);
        partials
    }

    /// f(θ) and `gradient` ← ∇f(θ), of the joined sums of all parts.
    ///
    /// # Errors
    /// As [`finish_value`](Self::finish_value).
    pub fn finish_value_gradient(
        &self,
        theta: &[f64],
        sums: &Partials,
        gradient: &mut [f64],
    ) -> Result<f64, PartialsError> {
        self.finish_scaled(theta, sums, self.risk.scale(), gradient)
    }

    /// The same of the sums of [`value_gradient_of_all`](Self::value_gradient_of_all).
    ///
    /// # Errors
    /// As [`finish_value`](Self::finish_value).
    pub fn finish_value_gradient_of_all(
        &self,
        theta: &[f64],
        sums: &Partials,
        gradient: &mut [f64],
    ) -> Result<f64, PartialsError> {
        self.finish_scaled(theta, sums, self.risk.batch_scale(self.samples()), gradient)
    }

    fn finish_scaled(
        &self,
        theta: &[f64],
        sums: &Partials,
        scale: f64,
        gradient: &mut [f64],
    ) -> Result<f64, PartialsError> {
        self.risk.assert_dim("gradient", gradient);
        let (node, total) = self.risk.whole(sums, self.dim(), true)?;
        gradient.copy_from_slice(node);
        Ok(self.risk.finish_gradient(theta, total * scale, gradient))
    }

    /// The part of the risk at θ with its tapes kept, and the losses with their gradient.
    pub fn linearize(&self, theta: &[f64]) -> (LinearizedPart<'_>, Partials) {
        self.risk.assert_dim("theta", theta);
        let (at, sums) = Linearized::swept(&self.risk, theta);
        let mut nodes = Vec::new();
        self.risk.gradient_nodes(&sums, &mut nodes);
        let partials = self.risk.partials(self.dim(), nodes, Some(&sums));
        self.risk.return_sums(sums);
        (LinearizedPart { risk: &self.risk, at }, partials)
    }

    /// Value and gradient on the samples named by `indices` among all, which are the first ones of `batch` in this order: as
    /// [`value_gradient_drawn`](crate::problem::SampledObjective::value_gradient_drawn) of the whole risk. Every process that has the samples has all of the answer.
    ///
    /// # Panics
    /// As there; where `batch` has fewer samples.
    pub fn value_gradient_of(
        &self,
        draw: u64,
        (indices, batch): (&[usize], &Dataset),
        theta: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        let (named, there) = (indices.len(), batch.samples());
        assert!(named <= there, "{named} samples are named, the batch has {there}");
        let places: Vec<usize> = (0..indices.len()).collect();
        self.risk.evaluate_batch((draw, indices), (batch, &places), theta, gradient)
    }

    /// The first sample of this part, numbered among all, whose loss at θ or its gradient is not finite. A sample at a time: for messages.
    pub fn first_nonfinite(&self, theta: &[f64]) -> Option<usize> {
        let (own, mut gradient) = (self.own_samples(), vec![0.0; self.dim()]);
        own.clone().find(|&sample| {
            let (named, at) = ((FULL_BATCH_DRAW, &[sample][..]), [sample - own.start]);
            let lies = (self.risk.data, &at[..]);
            let value = self.risk.evaluate_batch(named, lies, theta, &mut gradient);
            !value.is_finite() || gradient.iter().any(|entry| !entry.is_finite())
        })
    }
}

impl Risk<'_> {
    /// The sums of this part; the losses where `sums` has them.
    fn partials(&self, width: usize, nodes: Vec<f64>, sums: Option<&[ShardSum]>) -> Partials {
        let losses = sums.into_iter().flatten().flat_map(|sum| sum.loss.to_parts()).collect();
        let (blocks, all) = (self.partition.blocks(), self.partition.whole().blocks());
        Partials::own(blocks, all, width, nodes, losses)
    }

    /// `nodes`, of which a part without blocks has none.
    fn or_none(&self, nodes: Vec<f64>) -> Vec<f64> {
        if self.partition.blocks().is_empty() { Vec::new() } else { nodes }
    }

    /// The nodes of a sum of vectors, one after the other.
    fn columns_of_nodes(&self, first: Vec<f64>, others: &[Mat<f64>]) -> Vec<f64> {
        let mut nodes = first;
        for node in others {
            nodes.extend_from_slice(node.col_as_slice(0));
        }
        self.or_none(nodes)
    }

    /// The one node of sums that should be over all blocks, of `width` numbers, and Σ ℓ where there are to be losses.
    fn whole<'s>(
        &self,
        sums: &'s Partials,
        width: usize,
        losses: bool,
    ) -> Result<(&'s [f64], f64), PartialsError> {
        let whole = self.partition.whole();
        let (mine, theirs) = ((width, whole.blocks()), (sums.width(), sums.all_blocks()));
        if mine != theirs {
            return Err(PartialsError::Kinds { left: mine, right: theirs });
        }
        sums.check_whole()?;
        let (expected, found) = (if losses { 2 * whole.shards } else { 0 }, sums.losses().len());
        if expected != found {
            return Err(PartialsError::Length {
                what: "the losses of the shards",
                expected,
                found,
            });
        }
        let of_shards = sums
            .losses()
            .chunks_exact(2)
            .map(|pair| CompensatedSum::from_parts([pair[0], pair[1]]));
        Ok((sums.nodes(), total_loss(of_shards)))
    }
}

/// The lower triangle, column after column.
pub(super) fn pack(matrix: &Mat<f64>, out: &mut Vec<f64>) {
    for j in 0..matrix.ncols() {
        out.extend_from_slice(&matrix.col_as_slice(j)[j..]);
    }
}

/// What [`pack`] made.
pub(super) fn unpack(mut packed: &[f64], mut out: MatMut<'_, f64>) {
    let n = out.ncols();
    for j in 0..n {
        let (column, rest) = packed.split_at(n - j);
        packed = rest;
        column.iter().enumerate().for_each(|(i, entry)| out[(j + i, j)] = *entry);
    }
}

/// n(n + 1)/2
pub(super) fn triangle(n: usize) -> usize {
    n * (n + 1) / 2
}
