//! The risk at one θ with its tapes kept: Hessian and Gauss–Newton products without another forward or backward sweep.

use super::Risk;
use super::evaluate::each_shard_with;
use super::tree::{Entries, TreeSum};
use super::workspace::{Kept, ShardSum, Workspace};
use crate::problem::{Linearization, Objective};
use crate::sweep::{TapeRef, Tile, adjoint_tangent, backward, tangent};
use crate::tape::{TangentTape, Tape};
use faer::{Mat, MatMut};
use std::ops::Range;

/// f, ∇f and the tapes of all tiles (or of as many as the budget allows) at one θ.
///
/// A Hessian product costs a tangent and an adjoint tangent sweep, a Gauss–Newton product a tangent and a backward
/// sweep. Tiles without a kept tape cost a forward and a backward sweep more.
#[derive(Debug)]
pub struct Linearized<'a> {
    risk: &'a Risk<'a>,
    value: f64,
    /// Always there; taken when dropped, to go back to the risk's pool.
    kept: Kept,
}

/// Which matrix is meant.
#[derive(Clone, Copy)]
pub(super) enum Product {
    Hessian,
    GaussNewton,
}

/// Which tile: number `index` of a shard, with the samples of `range`.
struct Place {
    shard: usize,
    index: usize,
    range: Range<usize>,
}

/// v, which moves no parameter of a node before `first`.
#[derive(Clone, Copy)]
struct Direction<'a> {
    v: &'a [f64],
    first: usize,
}

/// A workspace without what its tile is in.
struct Spare<'w> {
    tape: &'w mut Tape,
    sweep: &'w mut TangentTape,
    shifted: &'w mut [f64],
    discarded: &'w mut ShardSum,
}

impl<'a> Linearized<'a> {
    pub(super) fn new(risk: &'a Risk<'a>, theta: &[f64]) -> Self {
        let (mut at, sums) = Self::swept(risk, theta);
        risk.sum_gradients(&sums, &mut at.kept.gradient);
        at.finish(risk.mean_loss(&sums));
        risk.return_sums(sums);
        at
    }

    /// The tapes at θ and what the shards add up; value and gradient are to be [finished](Self::finish).
    pub(super) fn swept(risk: &'a Risk<'a>, theta: &[f64]) -> (Self, Vec<ShardSum>) {
        let mut kept = Self::kept(risk, theta);
        let Kept { tapes, moved, .. } = &mut kept;
        let at = if risk.centring.is_some() { &moved[..] } else { theta };
        let mut sums = risk.take_sums();
        risk.stock_workspaces();
        each_shard_with(&mut sums, tapes, |shard, sum, tapes| {
            sum.gradient.fill(0.0);
            risk.with_workspace(|workspace| {
                let mut tapes = tapes.iter_mut();
                let Workspace { tape: spare, shifted, inputs, .. } = workspace;
                for range in risk.partition.shard(shard) {
                    let tape = tapes.next().unwrap_or(spare);
                    let tile = risk.tile(at, &range, inputs);
                    risk.sweep_tile(tile, range, tape, shifted, sum);
                }
            });
        });
        (Self { risk, value: f64::NAN, kept }, sums)
    }

    /// What gives the matrices of a generalised linear model, which are formed without tapes, and nothing else.
    pub(super) fn unswept(risk: &'a Risk<'a>, theta: &[f64]) -> Option<Self> {
        risk.graph.linear_head().filter(|_| risk.graph.is_affine())?;
        Some(Self { risk, value: f64::NAN, kept: Self::kept(risk, theta) })
    }

    /// θ with what the penalty and a centre make of it.
    fn kept(risk: &Risk<'_>, theta: &[f64]) -> Kept {
        let mut kept = risk.take_kept().unwrap_or_else(|| Kept::new(risk));
        kept.theta.copy_from_slice(theta);
        if risk.centring.is_some() {
            kept.moved.clear();
            kept.moved.extend_from_slice(&risk.moved(theta));
        }
        let parameters = risk.graph.parameters();
        kept.diagonal.fill(0.0);
        risk.penalty.add_hessian_diagonal(parameters, theta, &mut kept.diagonal);
        kept
    }

    /// The value, for the mean loss, and the gradient, which is that of the mean loss so far.
    pub(super) fn finish(&mut self, mean: f64) {
        let Kept { theta, gradient, .. } = &mut self.kept;
        self.risk.move_back(gradient);
        let parameters = self.risk.graph.parameters();
        self.value = mean + self.risk.penalty.add_gradient(parameters, theta, gradient);
    }

    pub(super) fn gradient_mut(&mut self) -> &mut [f64] {
        &mut self.kept.gradient
    }

    /// θ.
    pub fn theta(&self) -> &[f64] {
        &self.kept.theta
    }

    /// θ where the sweeps evaluate: of centred data another one.
    pub(super) fn sweep_theta(&self) -> &[f64] {
        if self.risk.centring.is_some() { &self.kept.moved } else { &self.kept.theta }
    }

    /// The fraction of the tiles whose tapes are kept; 1 means that products repeat no sweep.
    pub fn kept_fraction(&self) -> f64 {
        let kept: usize = self.kept.tapes.iter().map(Vec::len).sum();
        kept as f64 / self.risk.partition.tiles() as f64
    }

    pub(super) fn risk(&self) -> &'a Risk<'a> {
        self.risk
    }

    pub(super) fn penalty_diagonal(&self) -> &[f64] {
        &self.kept.diagonal
    }

    fn product(&self, product: Product, v: &[f64], out: &mut [f64]) {
        self.risk.assert_dim("out", out);
        let sums = self.product_sums(product, v);
        self.risk.sum_gradients(&sums, out);
        self.risk.return_sums(sums);
        self.finish_product(v, out);
    }

    /// What the shards add up for the product along v.
    pub(super) fn product_sums(&self, product: Product, v: &[f64]) -> Vec<ShardSum> {
        let risk = self.risk;
        risk.assert_dim("v", v);
        let moved = risk.moved(v);
        let mut sums = risk.take_sums();
        risk.for_each_shard(&mut sums, |shard, sum, workspace| {
            sum.gradient.fill(0.0);
            let Workspace { tape, sweep, inputs, shifted, discarded } = workspace;
            let mut spare = Spare { tape, sweep, shifted, discarded };
            for (index, range) in risk.partition.shard(shard).enumerate() {
                let tile = risk.tile(self.sweep_theta(), &range, inputs);
                let place = Place { shard, index, range };
                let along = Direction { v: &moved, first: 0 };
                self.tile_product(product, tile, &place, along, &mut spare, &mut sum.gradient);
            }
        });
        sums
    }

    /// `out`, the product with the matrix of the mean loss, as that of f.
    pub(super) fn finish_product(&self, v: &[f64], out: &mut [f64]) {
        let risk = self.risk;
        risk.move_back(out);
        for ((out, diagonal), v) in out.iter_mut().zip(&self.kept.diagonal).zip(v) {
            *out += diagonal * v;
        }
        risk.penalty.add_off_diagonal_vector(risk.graph.parameters(), &self.kept.theta, v, out);
    }

    /// Adds the share of the tile at `place` of the product along `v`, [moved](Risk::moved), to `out`.
    fn tile_product(
        &self,
        product: Product,
        tile: Tile<'_>,
        place: &Place,
        Direction { v, first }: Direction<'_>,
        spare: &mut Spare<'_>,
        out: &mut [f64],
    ) {
        let (risk, Place { shard, index, range }) = (self.risk, place);
        let Spare { tape: recomputed, sweep, shifted, discarded } = spare;
        let tape = if let Some(tape) = self.kept.tapes[*shard].get(*index) {
            tape
        } else {
            // Values and adjoints of a tile whose tape was not kept; its gradient is thrown away.
            risk.sweep_tile(tile, range.clone(), recomputed, shifted, discarded);
            recomputed
        };
        let tape = TapeRef::from(tape);
        tangent(tile, tape.values, v, first, &mut sweep.tangents);
        let samples = risk.data.tile(range.clone());
        let z = &tape.values[tile.output_value()];
        let z = risk.scores(z, samples, shifted);
        let z_dot = &sweep.tangents[tile.output_active()];
        let z_bar_dot = &mut sweep.adjoint_tangents[tile.output_active()];
        risk.tile_curvature(product, z, samples, z_dot, z_bar_dot);
        match product {
            Product::Hessian => adjoint_tangent(tile, tape, v, first, sweep, out),
            Product::GaussNewton => backward(tile, tape.values, &mut sweep.adjoint_tangents, out),
        }
    }

    /// `columns` (n × k) ← column after column of the Hessian of the mean loss, `first` onwards, all tiles in order, over the first node of
    /// the part, with those over the others as they follow; before it is [moved back](Risk::move_matrix_back). Of a column the rows of parameters that
    /// [enter](crate::graph::Graph::entrances) later than its own, or with it: the others are those of other columns.
    pub(super) fn hessian_columns(&self, first: usize, columns: &mut [f64]) -> Vec<Mat<f64>> {
        let risk = self.risk;
        let n = risk.dim();
        let count = columns.len() / n;
        let columns = MatMut::from_column_major_slice_mut(columns, n, count);
        let mut sum = TreeSum::new(&risk.partition, Entries::All, columns);
        let mut unit = vec![0.0; n];
        let entrances = risk.graph.entrances();
        risk.with_workspace(|workspace| {
            let Workspace { tape, sweep, inputs, shifted, discarded } = workspace;
            let mut spare = Spare { tape, sweep, shifted, discarded };
            for block in risk.partition.blocks() {
                let mut columns = sum.block(block);
                for shard in risk.partition.block(block) {
                    for (index, range) in risk.partition.shard(shard).enumerate() {
                        let tile = risk.tile(self.sweep_theta(), &range, inputs);
                        let place = Place { shard, index, range };
                        for offset in 0..count {
                            let Some(out) = columns.as_mut().col_mut(offset).try_as_col_major_mut()
                            else {
                                continue;
                            };
                            unit[first + offset] = 1.0;
                            self.tile_product(
                                Product::Hessian,
                                tile,
                                &place,
                                Direction { v: &unit, first: entrances[first + offset] },
                                &mut spare,
                                out.as_slice_mut(),
                            );
                            unit[first + offset] = 0.0;
                        }
                    }
                }
            }
        });
        sum.finish()
    }
}

impl Risk<'_> {
    /// Bytes of one sample's tape.
    fn tape_bytes(&self) -> usize {
        let layout = &self.graph.layout;
        size_of::<f64>() * (layout.value_rows + layout.active_rows)
    }

    /// Whether the budget holds the tapes of all samples.
    pub(super) fn keeps_all_tapes(&self) -> bool {
        self.tape_bytes().saturating_mul(self.data.samples()) <= self.tape_budget
    }
}

impl Kept {
    /// Room for one linearisation of `risk`, with as many tapes as its budget allows.
    fn new(risk: &Risk<'_>) -> Self {
        let n = risk.dim();
        let tiles = risk.partition.tiles();
        let tile_bytes = risk.partition.tile_samples().saturating_mul(risk.tape_bytes());
        let fraction = risk.tape_budget as f64 / (tiles as f64 * tile_bytes as f64);
        let fraction = if risk.keeps_all_tapes() { 1.0 } else { fraction.min(1.0) };
        // Of the first `tiles` tiles; spread evenly, so that every shard repeats about as many sweeps.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "fraction is in [0, 1]"
        )]
        let keep = |tiles: usize| (tiles as f64 * fraction) as usize;
        let mut first = 0;
        let mut tapes = |shard| {
            let ranges: Vec<_> = risk.partition.shard(shard).collect();
            let kept = keep(first + ranges.len()) - keep(first);
            first += ranges.len();
            ranges[..kept].iter().map(|range| Tape::new(risk.graph, range.len())).collect()
        };
        Self {
            theta: vec![0.0; n],
            moved: Vec::new(),
            gradient: vec![0.0; n],
            diagonal: vec![0.0; n],
            tapes: (0..risk.partition.shards()).map(&mut tapes).collect(),
        }
    }
}

impl Linearization for Linearized<'_> {
    fn value(&self) -> f64 {
        self.value
    }
    fn gradient(&self) -> &[f64] {
        &self.kept.gradient
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        self.product(Product::Hessian, v, out);
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        self.product(Product::GaussNewton, v, out);
    }
    fn hessian(&self, out: MatMut<'_, f64>) {
        self.dense_hessian(out);
    }
    fn hessian_block(&self, rows: &[usize], columns: &[usize], out: MatMut<'_, f64>) {
        self.some_entries(rows, columns, out);
    }
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        self.dense_outer_product(Product::GaussNewton, out);
    }
    fn gauss_newton_diagonal(&self, out: &mut [f64]) {
        self.outer_product_diagonal(out);
    }
    fn gauss_newton_diagonal_while(&self, out: &mut [f64], _: &mut dyn FnMut() -> bool) -> bool {
        self.outer_product_diagonal(out);
        true
    }
}

impl Drop for Linearized<'_> {
    fn drop(&mut self) {
        self.risk.return_kept(std::mem::take(&mut self.kept));
    }
}
