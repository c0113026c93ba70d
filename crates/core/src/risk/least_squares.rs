//! The risk as half a sum of squares: f(θ) = ½‖r(θ)‖².
//!
//! r has N·c entries (z − y)/√N, sample after sample, and then √λ·θⱼ for every penalised θⱼ. With weights 1/N is wᵢ/Σ wᵢ, and with
//! offsets z is z + o.

mod linear;

use super::Risk;
use super::dense::{assert_square, mirror};
use super::linearized::Product;
use super::tree::{Entries, TreeSum};
use super::workspace::{ShardSum, Workspace};
use crate::loss::LossHessian;
use crate::problem::{Curvature, LeastSquares, LinearPart, Linearization, Objective, Observations};
use crate::sweep::{backward, forward, tangent};
use crate::tasks;
use faer::{Mat, MatMut};
use std::ops::Range;

/// Rows of J that are transposed together: a cache line of doubles.
const TRANSPOSED: usize = 8;

/// A [`Risk`] with squared error and a ridge penalty (or none), seen through its residuals.
#[derive(Debug)]
pub struct LeastSquaresRisk<'a> {
    risk: &'a Risk<'a>,
    /// Entries of θ that the penalty acts on, in order.
    penalised: Vec<usize>,
    /// λ of each of them.
    lambdas: Vec<f64>,
    /// 1/√(Σ wᵢ).
    root: f64,
}

impl<'a> LeastSquaresRisk<'a> {
    pub(super) fn new(risk: &'a Risk<'_>) -> Option<Self> {
        if risk.loss.hessian_kind() != LossHessian::Identity {
            return None;
        }
        let ridges = risk.penalty.ridges(risk.graph.parameters())?;
        let entries =
            ridges.into_iter().flat_map(|(range, lambda)| range.map(move |j| (j, lambda)));
        let (penalised, lambdas) = entries.unzip();
        Some(Self { risk, penalised, lambdas, root: risk.scale().sqrt() })
    }

    /// m.
    pub(super) fn len(&self) -> usize {
        self.data_residuals() + self.penalised.len()
    }

    /// m, of a part that of all samples.
    pub(super) fn whole_len(&self) -> usize {
        self.risk.partition.whole().samples * self.risk.graph.outputs() + self.penalised.len()
    }

    /// The penalised entries of θ, each with its λ.
    fn penalties(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.penalised.iter().copied().zip(self.lambdas.iter().copied())
    }

    /// N·c.
    fn data_residuals(&self) -> usize {
        self.risk.partition.samples() * self.risk.graph.outputs()
    }

    /// √(wᵢ/Σ wᵢ) of sample i, which is 1/√N without weights.
    fn root_scale(&self, sample: usize) -> f64 {
        self.risk.data.weights().map_or(self.root, |weights| weights[sample].sqrt() * self.root)
    }

    /// wᵢ/Σ wᵢ of sample i, which is 1/N without weights.
    fn weight(&self, sample: usize) -> f64 {
        self.risk.data.weights().map_or(1.0, |weights| weights[sample]) * self.risk.scale()
    }

    /// Calls `each(first, root scale, entries)` with the entries of `rows` from `first` on that have one scale: those of a sample of `range`,
    /// or all at once without weights.
    fn scaled<'r>(
        &self,
        range: &Range<usize>,
        rows: &'r mut [f64],
        mut each: impl FnMut(usize, f64, &'r mut [f64]),
    ) {
        if self.risk.data.weights().is_none() {
            return each(0, self.root, rows);
        }
        let c = self.risk.graph.outputs();
        for (sample, entries) in range.clone().zip(rows.chunks_exact_mut(c)) {
            each((sample - range.start) * c, self.root_scale(sample), entries);
        }
    }

    /// Entries of the residual vector of the samples in `range`.
    fn rows(&self, range: &Range<usize>) -> Range<usize> {
        let c = self.risk.graph.outputs();
        range.start * c..range.end * c
    }

    /// Runs `work(samples, rows, workspace)` for every tile with its part of `data`, in parallel where there are threads for it.
    fn for_each_tile(
        &self,
        data: &mut [f64],
        work: impl Fn(Range<usize>, &mut [f64], &mut Workspace) + Sync,
    ) {
        let (risk, partition) = (self.risk, self.risk.partition);
        let length = risk.graph.outputs() * partition.tile_samples();
        let run = |tile, rows: &mut [f64]| {
            risk.with_workspace(|workspace| work(partition.range(tile), rows, workspace));
        };
        if partition.shards() == 1 {
            data.chunks_mut(length).enumerate().for_each(|(tile, rows)| run(tile, rows));
        } else {
            risk.stock_workspaces();
            tasks::for_each_chunk(data, length, run);
        }
    }

    /// `residuals` ← √(w/Σ w)·(z + o − y) of the samples in `range`.
    fn data_residual(&self, range: &Range<usize>, z: &[f64], residuals: &mut [f64]) {
        let y = self.risk.targets().values().unwrap_or_default();
        let y = &y[self.rows(range)];
        let c = self.risk.graph.outputs();
        self.scaled(range, residuals, |first, scale, residuals| {
            // 0 where the weight is: a masked sample does not count even where its output is not finite.
            if scale == 0.0 {
                return residuals.fill(0.0);
            }
            let each = residuals.iter_mut().zip(&z[first..]).zip(&y[first..]);
            each.for_each(|((r, z), y)| *r = scale * (z - y));
            if let Some(offset) = self.risk.data.offset() {
                let rows = self.risk.data.offset_rows();
                let of = range.start * rows + first / c * rows;
                for (k, r) in residuals.iter_mut().enumerate() {
                    *r += scale * offset[of + k / c * rows + if rows == 1 { 0 } else { k % c }];
                }
            }
        });
    }

    /// The data's part of the diagonal of JᵀJ over each node of the part: the first one in `first`, the others as they follow.
    pub(super) fn normal_diagonal_nodes(&self, theta: &[f64], first: &mut [f64]) -> Vec<Mat<f64>> {
        let (n, c) = (first.len(), self.risk.graph.outputs());
        let first = MatMut::from_column_major_slice_mut(first, n, 1);
        let mut sum = TreeSum::new(&self.risk.partition, Entries::All, first);
        self.risk.for_each_jacobian(theta, |block, range, _, transposed| {
            let mut out = sum.block(block);
            for (row, gradient) in transposed.chunks_exact(n).enumerate() {
                let weight = self.weight(range.start + row / c);
                for (out, entry) in out.as_mut().col_mut(0).iter_mut().zip(gradient) {
                    *out += weight * entry * entry;
                }
            }
        });
        sum.finish()
    }

    /// What the shards add up for Jᵀ·u, of the entries of u for the data; [return](Risk::return_sums) the sums.
    pub(super) fn transpose_sums(&self, theta: &[f64], data: &[f64]) -> Vec<ShardSum> {
        self.risk.assert_dim("theta", theta);
        let moved = self.risk.moved(theta);
        let mut sums = self.risk.take_sums();
        self.risk.for_each_shard(&mut sums, |shard, sum, workspace| {
            sum.gradient.fill(0.0);
            for range in self.risk.partition.shard(shard) {
                let Workspace { tape, inputs, .. } = workspace;
                let tile = self.risk.tile(&moved, &range, inputs);
                forward(tile, &mut tape.values);
                let (seeds, u) =
                    (&mut tape.adjoints[tile.output_active()], &data[self.rows(&range)]);
                self.scaled(&range, seeds, |first, scale, seeds| {
                    for (seed, u) in seeds.iter_mut().zip(&u[first..]) {
                        *seed = scale * u;
                    }
                });
                backward(tile, &tape.values, &mut tape.adjoints, &mut sum.gradient);
            }
        });
        sums
    }

    /// `out`, Jᵀ·u of the data, with what the entries of u for the penalty add.
    pub(super) fn finish_transpose(&self, penalty: &[f64], out: &mut [f64]) {
        self.risk.move_back(out);
        for (u, (index, lambda)) in penalty.iter().zip(self.penalties()) {
            out[index] += lambda.sqrt() * u;
        }
    }

    /// `normal`, whose lower triangle is JᵀJ of the data, with the penalty, both triangles.
    pub(super) fn finish_normal(&self, mut normal: MatMut<'_, f64>) {
        mirror(normal.as_mut());
        for (index, lambda) in self.penalties() {
            normal[(index, index)] += lambda;
        }
    }

    /// `out`, the diagonal of JᵀJ of the data, with the penalty.
    pub(super) fn finish_diagonal(&self, out: &mut [f64]) {
        for (index, lambda) in self.penalties() {
            out[index] += lambda;
        }
    }

    /// Which residuals are of data, for all targets (c × N) and their weights.
    pub(super) fn observations_of(&self, y: &[f64], weights: Option<&[f64]>) -> Observations {
        let c = self.risk.graph.outputs();
        let weight = |i: usize| weights.map_or(1.0, |weights| weights[i]);
        let counted: Vec<usize> = (0..y.len() / c).filter(|i| weight(*i) > 0.0).collect();
        let total = |k: usize| {
            let each = || counted.iter().map(|i| (weight(*i), y[i * c + k]));
            let mean = each().map(|(w, y)| w * y).sum::<f64>() * self.risk.scale();
            each().map(|(w, y)| w * (y - mean) * (y - mean)).sum::<f64>()
        };
        let log_weight = counted.iter().map(|i| 0.5 * libm::log(weight(*i))).sum::<f64>();
        Observations {
            rows: y.len(),
            counted: counted.len() * c,
            unit: self.root.recip(),
            log_weight: log_weight * c as f64,
            total: Some(((0..c).map(total).sum(), c)),
        }
    }

    fn assert_residuals(&self, what: &str, slice: &[f64]) {
        let (m, found) = (self.residual_len(), slice.len());
        assert!(m == found, "{what} has {found} entries, there are {m} residuals");
    }

    fn penalty_residual(&self, theta: &[f64], residuals: &mut [f64]) {
        for (r, (index, lambda)) in residuals.iter_mut().zip(self.penalties()) {
            *r = lambda.sqrt() * theta[index];
        }
    }
}

impl Objective for LeastSquaresRisk<'_> {
    fn dim(&self) -> usize {
        self.risk.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.risk.value(theta)
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.risk.value_gradient(theta, gradient)
    }
}

impl LeastSquares for LeastSquaresRisk<'_> {
    fn residual_len(&self) -> usize {
        self.len()
    }

    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        self.risk.assert_dim("theta", theta);
        self.assert_residuals("residuals", residuals);
        let (data, penalty) = residuals.split_at_mut(self.data_residuals());
        let moved = self.risk.moved(theta);
        self.for_each_tile(data, |range, rows, workspace| {
            let Workspace { tape, inputs, .. } = workspace;
            let tile = self.risk.tile(&moved, &range, inputs);
            forward(tile, &mut tape.values);
            let z = &tape.values[tile.output_value()];
            self.data_residual(&range, z, rows);
        });
        self.penalty_residual(theta, penalty);
        half_square(residuals)
    }

    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        self.risk.assert_dim("theta", theta);
        self.risk.assert_dim("v", v);
        self.assert_residuals("out", out);
        let (data, penalty) = out.split_at_mut(self.data_residuals());
        let (moved, along) = (self.risk.moved(theta), self.risk.moved(v));
        self.for_each_tile(data, |range, rows, workspace| {
            let Workspace { tape, sweep, inputs, .. } = workspace;
            let tile = self.risk.tile(&moved, &range, inputs);
            forward(tile, &mut tape.values);
            tangent(tile, &tape.values, &along, 0, &mut sweep.tangents);
            let z_dot = &sweep.tangents[tile.output_active()];
            self.scaled(&range, rows, |first, scale, rows| {
                for (out, z_dot) in rows.iter_mut().zip(&z_dot[first..]) {
                    *out = scale * z_dot;
                }
            });
        });
        self.penalty_residual(v, penalty);
    }

    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        self.assert_residuals("u", u);
        self.risk.assert_dim("out", out);
        let (data, penalty) = u.split_at(self.data_residuals());
        let sums = self.transpose_sums(theta, data);
        self.risk.sum_gradients(&sums, out);
        self.risk.return_sums(sums);
        self.finish_transpose(penalty, out);
    }

    fn normal_equations(
        &self,
        theta: &[f64],
        mut normal: MatMut<'_, f64>,
        gradient: &mut [f64],
    ) -> f64 {
        self.risk.assert_dim("theta", theta);
        assert_square(normal.as_ref(), self.dim());
        self.risk.assert_dim("gradient", gradient);
        if self.risk.sparse_head().is_some() {
            let at = self.risk.linearize(theta);
            at.gauss_newton(normal);
            gradient.copy_from_slice(at.gradient());
            return at.value();
        }
        let mut sum = TreeSum::new(&self.risk.partition, Entries::Lower, normal.as_mut());
        self.risk.add_outer_products(Product::GaussNewton, theta, &mut sum);
        sum.finish();
        self.finish_normal(normal);
        self.risk.value_gradient(theta, gradient)
    }

    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], mut jacobian: MatMut<'_, f64>) -> f64 {
        let (m, n) = (self.residual_len(), self.dim());
        self.risk.assert_dim("theta", theta);
        self.assert_residuals("residuals", residuals);
        let (rows, cols) = (jacobian.nrows(), jacobian.ncols());
        assert!(
            (rows, cols) == (m, n),
            "the Jacobian is {m}×{n}, the matrix given is {rows}×{cols}"
        );
        jacobian.fill(0.0);
        let (c, samples) = (self.risk.graph.outputs(), self.risk.data.samples());
        self.risk.for_each_jacobian(theta, |_, range, z, transposed| {
            let rows = self.rows(&range);
            self.data_residual(&range, z, &mut residuals[rows.clone()]);
            // A block of rows at a time: both sides then move by whole cache lines.
            let blocks = rows.step_by(TRANSPOSED).zip(transposed.chunks(n * TRANSPOSED));
            for (first, block) in blocks {
                let scales: [f64; TRANSPOSED] =
                    std::array::from_fn(|i| self.root_scale(((first + i) / c).min(samples - 1)));
                for j in 0..n {
                    for (i, entry) in block[j..].iter().step_by(n).enumerate() {
                        jacobian[(first + i, j)] = scales[i] * entry;
                    }
                }
            }
        });
        let first = self.data_residuals();
        self.penalty_residual(theta, &mut residuals[first..]);
        for (row, (index, lambda)) in self.penalties().enumerate() {
            jacobian[(first + row, index)] = lambda.sqrt();
        }
        half_square(residuals)
    }

    fn normal_diagonal(&self, theta: &[f64], out: &mut [f64]) {
        self.risk.assert_dim("theta", theta);
        self.risk.assert_dim("out", out);
        if let Some(head) = self.risk.sparse_head() {
            out.fill(0.0);
            let moved = self.risk.moved(theta);
            self.risk.add_sparse_diagonal(Product::GaussNewton, &moved, head, out);
        } else {
            self.normal_diagonal_nodes(theta, out);
        }
        self.finish_diagonal(out);
    }

    fn linearization(&self, theta: &[f64]) -> Option<Box<dyn Linearization + '_>> {
        Some(Box::new(self.risk.linearize(theta)))
    }

    fn linear_parameters(&self) -> Vec<Range<usize>> {
        self.risk.graph.linear_parameters()
    }

    fn linear_part(&self, ranges: &[Range<usize>]) -> LinearPart {
        self.part(ranges)
    }

    fn linear_design(
        &self,
        theta: &[f64],
        part: &LinearPart,
        residuals: &mut [f64],
        design: MatMut<'_, f64>,
    ) -> f64 {
        self.design(theta, part, residuals, design)
    }

    fn observations(&self) -> Observations {
        let y = self.risk.targets().values().unwrap_or_default();
        self.observations_of(y, self.risk.data.weights())
    }

    fn parameters_name(&self, range: &Range<usize>) -> String {
        self.name(range)
    }
}

pub(super) fn half_square(residuals: &[f64]) -> f64 {
    0.5 * crate::elementwise::dot(residuals, residuals)
}
