//! Some rows and columns of the Hessian of a generalised linear model, of dense data as of sparse.
//!
//! The features that they belong to are gathered from a run of samples into two dense matrices, whose product is added up: N·(r + s)
//! numbers are read and 2N·r·s flops done for r rows and s columns, whatever n. Runs are added in order, and the columns of a task do not
//! depend on the threads.

use super::super::linearized::Product;
use super::super::{Linearized, Risk};
use super::Features;
use crate::data::SparseInputs;
use crate::graph::{Centring, Node};
use crate::loss::LossHessian;
use crate::problem::{Linearization, Objective, by_default};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// Samples of one product: what is gathered stays in cache.
const RUN: usize = 256;
/// Samples that one task gathers.
const GATHERED: usize = 32;
/// Columns of the product that one task forms.
const COLUMNS: usize = 32;
/// Products of a run below which handing them to other threads takes longer than they do.
const SERIAL_PRODUCTS: usize = 1 << 17;

/// x̃ = (φ, 1) of all samples.
enum Source<'a> {
    Dense(Features<'a>),
    Sparse { inputs: &'a SparseInputs, centre: Option<&'a [f64]> },
}

/// The entries of the rows or columns that belong to one output.
#[derive(Default)]
struct Group {
    /// Where they stand in the block.
    places: Vec<usize>,
    /// Their features; d is the 1 of the bias.
    features: Vec<usize>,
}

impl Linearized<'_> {
    /// `out` ← the entries of ∇²f in these rows and columns.
    pub(in crate::risk) fn some_entries(
        &self,
        rows: &[usize],
        columns: &[usize],
        mut out: MatMut<'_, f64>,
    ) {
        let risk = self.risk();
        let Some(head) = risk.graph.linear_head() else {
            let product = |v: &[f64], product: &mut [f64]| self.hessian_vector(v, product);
            return by_default::block(product, risk.dim(), (rows, columns), out);
        };
        out.fill(0.0);
        self.add_head_block(head, rows, columns, out.as_mut());
        self.add_penalty_block(rows, columns, out);
    }

    /// `out` ← those of the mean loss.
    fn add_head_block(
        &self,
        head: &Node,
        rows: &[usize],
        columns: &[usize],
        mut out: MatMut<'_, f64>,
    ) {
        let (risk, n_samples) = (self.risk(), self.risk().data.samples());
        let (source, weights) = if let Some(inputs) = risk.data.sparse() {
            let weights = risk.head_weights(Product::Hessian, self.sweep_theta());
            let own = || risk.data.weights().map(Cow::Borrowed);
            let centre = risk.centring.as_ref().map(Centring::centre);
            (Source::Sparse { inputs, centre }, weights.map(Cow::Owned).or_else(own))
        } else {
            let (features, weights) = self.features_and_weights(Product::Hessian, head);
            (Source::Dense(features), weights)
        };
        let identity = risk.loss.hessian_kind() == LossHessian::Identity;
        let (rows_of, columns_of) = (risk.groups(head, rows), risk.groups(head, columns));
        for (k, rows) in rows_of.iter().enumerate() {
            for (l, columns) in columns_of.iter().enumerate() {
                if rows.places.is_empty() || columns.places.is_empty() || (identity && k != l) {
                    continue;
                }
                let (high, low) = (k.max(l), k.min(l));
                let pair = if identity { 0 } else { high * (high + 1) / 2 + low };
                let weights =
                    weights.as_ref().map(|w| &w[pair * n_samples..(pair + 1) * n_samples]);
                let block = source.moment(n_samples, weights, &rows.features, &columns.features);
                for (column, &j) in block.chunks_exact(rows.places.len()).zip(&columns.places) {
                    for (entry, &i) in column.iter().zip(&rows.places) {
                        out[(i, j)] = risk.scale() * entry;
                    }
                }
            }
        }
    }

    fn add_penalty_block(&self, rows: &[usize], columns: &[usize], mut out: MatMut<'_, f64>) {
        let (risk, diagonal) = (self.risk(), self.penalty_diagonal());
        for (at, j) in columns.iter().enumerate() {
            for (i, row) in rows.iter().enumerate() {
                if row == j {
                    out[(i, at)] += diagonal[*j];
                }
            }
        }
        // Ridges have nothing beside the diagonal.
        if risk.penalty.ridges(risk.graph.parameters()).is_some() {
            return;
        }
        let (mut unit, mut product) = (vec![0.0; diagonal.len()], vec![0.0; diagonal.len()]);
        for (at, &j) in columns.iter().enumerate() {
            unit[j] = 1.0;
            product.fill(0.0);
            let parameters = risk.graph.parameters();
            risk.penalty.add_off_diagonal_vector(parameters, self.theta(), &unit, &mut product);
            unit[j] = 0.0;
            out.as_mut().col_mut(at).iter_mut().zip(rows).for_each(|(out, &i)| *out += product[i]);
        }
    }
}

impl Risk<'_> {
    /// Entries of θ by the output that they belong to.
    fn groups(&self, head: &Node, indices: &[usize]) -> Vec<Group> {
        let (weight, c) = (&head.ranges[0], self.graph.outputs());
        let d = weight.len() / c;
        let mut groups: Vec<Group> = (0..c).map(|_| Group::default()).collect();
        for (place, &index) in indices.iter().enumerate() {
            let (output, feature) = match head.ranges.get(1) {
                Some(bias) if bias.contains(&index) => (index - bias.start, d),
                _ => ((index - weight.start) % c, (index - weight.start) / c),
            };
            groups[output].places.push(place);
            groups[output].features.push(feature);
        }
        groups
    }
}

impl Source<'_> {
    /// Σ wᵢ·x̃ᵢ·x̃ᵢᵀ in these rows and columns, column-major.
    fn moment(
        &self,
        n_samples: usize,
        weights: Option<&[f64]>,
        rows: &[usize],
        columns: &[usize],
    ) -> Vec<f64> {
        let (r, s) = (rows.len(), columns.len());
        let mut moment = vec![0.0; r * s];
        let (mut left, mut right) = (vec![0.0; r * RUN], vec![0.0; s * RUN]);
        let mut read = Vec::new();
        for start in (0..n_samples).step_by(RUN) {
            let run = start..(start + RUN).min(n_samples);
            let (left, right) = (&mut left[..r * run.len()], &mut right[..s * run.len()]);
            let weights = weights.map(|weights| &weights[run.clone()]);
            let serial = run.len() * r * s <= SERIAL_PRODUCTS;
            self.gather(&run, (rows, columns), weights, (left, right), &mut read, serial);
            let a = MatRef::from_column_major_slice(&*left, r, run.len());
            let b = MatRef::from_column_major_slice(&*right, s, run.len());
            let form = |(task, out): (usize, &mut [f64])| {
                let (first, count) = (task * COLUMNS, out.len() / r);
                matmul(
                    MatMut::from_column_major_slice_mut(out, r, count),
                    Accum::Add,
                    a,
                    b.subrows(first, count).transpose(),
                    1.0,
                    Par::Seq,
                );
            };
            if serial {
                moment.chunks_mut(r * COLUMNS).enumerate().for_each(form);
            } else {
                moment.par_chunks_mut(r * COLUMNS).enumerate().with_max_len(1).for_each(form);
            }
        }
        moment
    }

    /// `left` and `right` ← the features of the rows and, times the weights, of the columns, one sample after the other.
    fn gather(
        &self,
        run: &Range<usize>,
        (rows, columns): (&[usize], &[usize]),
        weights: Option<&[f64]>,
        (left, right): (&mut [f64], &mut [f64]),
        read: &mut Vec<f64>,
        serial: bool,
    ) {
        let (r, s) = (rows.len(), columns.len());
        let (d, dense) = match self {
            Self::Dense(features) => (features.rows(), features.tile(run, read)),
            Self::Sparse { inputs, .. } => (inputs.features(), &[][..]),
        };
        let each = |(task, (left, right)): (usize, (&mut [f64], &mut [f64]))| {
            let mut made = match self {
                Self::Dense(_) => Vec::new(),
                Self::Sparse { centre, .. } => centre_off(*centre, d),
            };
            let samples = left.chunks_exact_mut(r).zip(right.chunks_exact_mut(s)).enumerate();
            for (at, (left, right)) in samples {
                let sample = task * GATHERED + at;
                let weight = weights.map_or(1.0, |weights| weights[sample]);
                match self {
                    Self::Dense(_) => {
                        let x = &dense[sample * d..(sample + 1) * d];
                        take((x, rows, left), (columns, right), weight);
                    }
                    Self::Sparse { inputs, centre } => {
                        let (indices, values) = inputs.row(run.start + sample);
                        for (index, value) in indices.iter().zip(values) {
                            made[*index as usize] += value;
                        }
                        take((&made, rows, left), (columns, right), weight);
                        for index in indices {
                            let index = *index as usize;
                            made[index] = centre.map_or(0.0, |centre| -centre[index]);
                        }
                    }
                }
            }
        };
        if serial {
            let tasks = left.chunks_mut(r * GATHERED).zip(right.chunks_mut(s * GATHERED));
            tasks.enumerate().for_each(each);
        } else {
            let tasks = left.par_chunks_mut(r * GATHERED).zip(right.par_chunks_mut(s * GATHERED));
            tasks.enumerate().with_max_len(1).for_each(each);
        }
    }
}

/// −μ, or zeros.
fn centre_off(centre: Option<&[f64]>, d: usize) -> Vec<f64> {
    centre.map_or_else(|| vec![0.0; d], |centre| centre.iter().map(|centre| -centre).collect())
}

/// The features of one sample x.
fn take(
    (x, rows, left): (&[f64], &[usize], &mut [f64]),
    (columns, right): (&[usize], &mut [f64]),
    weight: f64,
) {
    let of = |feature: usize| x.get(feature).copied().unwrap_or(1.0);
    left.iter_mut().zip(rows).for_each(|(out, &feature)| *out = of(feature));
    right.iter_mut().zip(columns).for_each(|(out, &feature)| *out = weight * of(feature));
}
