//! What the risk says of itself to a chooser of methods: its form, and its operations counted node by node.

use super::Risk;
use super::affine::{SCATTERED, moment_flops};
use super::dense::JACOBIAN_ENTRIES;
use super::least_squares::LeastSquaresRisk;
use crate::loss::LossHessian;
use crate::problem::{Costs, Derivatives, Form, LeastSquares, LinearBlock, Objective, Structure};
use crate::shape::Shape;

/// A product with a matrix of so few rows or columns streams its numbers instead of reusing them, and is as slow as one with
/// (1 + this / width) times its operations.
const NARROW: f64 = 3.0;
/// Samples per feature from which on the diagonal of a curvature tells more than a ridge.
const TALL: f64 = 2.0;

/// Operations of one sample by kind of sweep, counted at the rate of a wide product.
#[derive(Clone, Copy, Debug, Default)]
struct Sweeps {
    forward: f64,
    /// From z̄ to θ̄ and the inner x̄.
    backward: f64,
    tangent: f64,
    adjoint_tangent: f64,
}

impl Risk<'_> {
    pub(super) fn known_structure(&self) -> Structure {
        let convex = self.loss.is_convex() && self.penalty.is_convex();
        let squared =
            self.loss.hessian_kind() == LossHessian::Identity && self.penalty.is_quadratic();
        let form = match (self.graph.is_affine(), convex) {
            (true, true) if squared => Form::Quadratic,
            (true, true) => Form::GeneralizedLinear,
            _ => Form::General,
        };
        let view = self.least_squares();
        Structure {
            form,
            kinks: !self.loss.is_smooth(),
            ridge: self.least_ridge(),
            samples: Some(self.partition.whole().samples),
            residuals: view.as_ref().map(LeastSquaresRisk::whole_len),
            linear: view.and_then(|view| linear_block(&view)),
            second_derivatives: Derivatives::Exact,
            costs: Some(self.costs()),
            uneven_diagonal: self.sparse_head().is_some() && self.is_tall(),
            hessian_blocks: self.graph.linear_head().is_some(),
            dense_bytes: self.dense_bytes(),
        }
    }

    /// Whether samples determine weights: with fewer, most directions have no curvature but a ridge, whose one eigenvalue a diagonal would
    /// spread over many.
    fn is_tall(&self) -> bool {
        self.partition.whole().samples as f64 >= TALL * self.data.features() as f64
    }

    /// The smallest λ > 0 of the ridges, 0 where there are none.
    fn least_ridge(&self) -> f64 {
        let ridges = self.penalty.ridges(self.graph.parameters()).unwrap_or_default();
        ridges.into_iter().map(|(_, lambda)| lambda).reduce(f64::min).unwrap_or(0.0)
    }

    /// Per sample, over the nodes from `first` on, whose parameters alone move: z = W·x needs one product forward, one each for W̄ and x̄ backward
    /// and for Ẇ·x and W·ẋ along a tangent, and twice the backward ones for their derivatives; what does not depend on θ needs none.
    fn sweeps(&self, first: usize) -> Sweeps {
        let mut active = vec![false; self.graph.shapes.len()];
        let mut sweeps = Sweeps::default();
        for (index, node) in self.graph.nodes.iter().enumerate().skip(first) {
            let shapes: Vec<_> =
                node.inputs.iter().map(|&i| self.graph.shapes[i].clone()).collect();
            let output = &self.graph.shapes[index + 1];
            let width = shapes.iter().map(Shape::len).fold(output.len(), usize::min);
            let flops = match self.data.filled().filter(|_| node.inputs.contains(&0)) {
                None => node.op.flops(&shapes, output) as f64 * (1.0 + NARROW / width as f64),
                // An entry is a column of the weights, wherever it stands.
                Some(filled) => {
                    let part = filled / self.data.features() as f64;
                    let slow = 1.0 + (SCATTERED - 1.0) / output.len() as f64;
                    node.op.flops(&shapes, output) as f64 * part * slow
                }
            };
            let owns = f64::from(u8::from(!node.blocks.is_empty()));
            let moves = f64::from(u8::from(node.inputs.iter().any(|&i| active[i])));
            active[index + 1] = owns + moves > 0.0;
            sweeps.forward += flops;
            sweeps.backward += (owns + moves) * flops;
            sweeps.tangent += (owns + moves) * flops;
            sweeps.adjoint_tangent += (owns * (1.0 + moves) + moves * (1.0 + owns)) * flops;
        }
        sweeps
    }

    fn costs(&self) -> Costs {
        let sweeps = self.sweeps(0);
        let (samples, n) = (self.partition.whole().samples as f64, self.dim() as f64);
        let c = self.graph.outputs() as f64;
        let hessian_vector = samples * (sweeps.tangent + sweeps.adjoint_tangent);
        let jacobian = samples * (sweeps.forward + c * sweeps.backward);
        // SYRK: half of the products of the full matrix.
        let normal_equations = jacobian + samples * c * n * n;
        let gauss_newton = self.linear_head_flops().unwrap_or(normal_equations);
        Costs {
            evaluation: samples * (sweeps.forward + sweeps.backward),
            hessian_vector,
            gauss_newton_vector: samples * (sweeps.tangent + sweeps.backward),
            hessian: if self.graph.is_affine() { gauss_newton } else { self.columns_flops() },
            gauss_newton,
            jacobian,
            normal_equations,
        }
    }

    /// A product for each parameter, over the nodes from that on where it enters.
    fn columns_flops(&self) -> f64 {
        let mut columns = vec![0.0; self.graph.nodes.len()];
        for entrance in self.graph.entrances() {
            columns[entrance] += 1.0;
        }
        let counts = columns.iter().enumerate().filter(|(_, count)| **count > 0.0);
        let products = counts.map(|(first, count)| {
            let sweeps = self.sweeps(first);
            count * (sweeps.tangent + sweeps.adjoint_tangent)
        });
        self.partition.whole().samples as f64 * products.sum::<f64>()
    }

    /// XᵀDX for every pair of outputs; one pair where D is the identity.
    fn linear_head_flops(&self) -> Option<f64> {
        let head = self.graph.linear_head()?;
        let d = self.graph.shapes[head.inputs[0]].len() as f64;
        let c = self.graph.outputs() as f64;
        let pairs = match self.loss.hessian_kind() {
            LossHessian::Identity => 1.0,
            LossHessian::Dense => 0.5 * c * (c + 1.0),
        };
        Some(
            pairs
                * self
                    .data
                    .sparse()
                    .map_or(self.partition.whole().samples as f64 * d * d, moment_flops),
        )
    }

    /// The columns of H before their triangles are averaged, or the block of J and its copy times the loss's Hessian with the matrices that wait
    /// to be added up.
    fn dense_bytes(&self) -> u64 {
        let (n, c) = (self.dim(), self.graph.outputs());
        let square = n.saturating_mul(n);
        let columns = if self.graph.is_affine() { 0 } else { square };
        let tile = n.saturating_mul(c).saturating_mul(self.tile_samples());
        let whole = self.partition.whole();
        let all = n.saturating_mul(c).saturating_mul(whole.samples);
        let block = all.min(JACOBIAN_ENTRIES.max(tile)).saturating_mul(2);
        let waiting = square.saturating_mul(whole.levels as usize);
        let entries = columns.max(block.saturating_add(waiting)).saturating_mul(size_of::<f64>());
        u64::try_from(entries).unwrap_or(u64::MAX)
    }
}

/// The linear parameters; of a part with the rows of all samples.
fn linear_block(view: &LeastSquaresRisk<'_>) -> Option<LinearBlock> {
    let block = LinearBlock::of(view)?;
    let part = view.linear_part(&view.linear_parameters());
    let elsewhere = view.whole_len() - view.len();
    Some(LinearBlock { rows: block.rows + elsewhere / part.copies, ..block })
}
