//! The diagonal of XᵀDX of sparse data, and dense tiles of them.

use super::Risk;
use super::linearized::Product;
use super::workspace::Workspace;
use crate::graph::{Centring, Node};
use crate::loss::LossHessian;
use crate::op::TileData;
use crate::sweep::forward;

impl Risk<'_> {
    /// The node of a generalised linear model on sparse data.
    pub(super) fn sparse_head(&self) -> Option<&Node> {
        self.data.sparse()?;
        self.graph.linear_head().filter(|head| head.inputs == [0])
    }

    /// `out` += the diagonal of the matrix of the mean loss, θ as the sweeps take it. A pass over the entries.
    pub(super) fn add_sparse_diagonal(
        &self,
        product: Product,
        theta: &[f64],
        head: &Node,
        out: &mut [f64],
    ) {
        let c = self.graph.outputs();
        let centre = self.centring.as_ref().map(Centring::centre);
        let weight = head.ranges[0].clone();
        let mut sums = self.take_sums();
        self.for_each_shard(&mut sums, |shard, sum, workspace| {
            sum.gradient.fill(0.0);
            let (mut block, mut own) = (vec![0.0; c * c], vec![0.0; c]);
            let Workspace { tape, shifted, inputs, .. } = workspace;
            for range in self.partition.shard(shard) {
                let tile = self.tile(theta, &range, inputs);
                let TileData::Sparse(rows) = tile.data else { continue };
                forward(tile, &mut tape.values);
                let z = &tape.values[tile.output_value()];
                let z = self.scores(z, self.data.tile(range.clone()), shifted);
                for ((z, i), (indices, values)) in z.chunks_exact(c).zip(range).zip(rows.rows()) {
                    self.head_block(product, z, i, &mut block);
                    own.iter_mut().enumerate().for_each(|(k, own)| *own = block[k * c + k]);
                    let column = &mut sum.gradient[weight.clone()];
                    for (index, x) in indices.iter().zip(values) {
                        let feature = *index as usize;
                        // (x − μ)² less the μ² of zeros.
                        let square = x * (x - 2.0 * centre.map_or(0.0, |centre| centre[feature]));
                        let column = &mut column[feature * c..(feature + 1) * c];
                        column.iter_mut().zip(&own).for_each(|(out, own)| *out += own * square);
                    }
                    if let Some(bias) = head.ranges.get(1) {
                        let bias = &mut sum.gradient[bias.clone()];
                        bias.iter_mut().zip(&own).for_each(|(bias, own)| *bias += own);
                    }
                }
            }
        });
        let mut diagonal = vec![0.0; self.graph.parameters().dim()];
        self.sum_gradients(&sums, &mut diagonal);
        self.return_sums(sums);
        // Inputs that are centred come before a bias, whose entries are Σ h.
        if let (Some(centre), Some(bias)) = (centre, head.ranges.get(1)) {
            let total = diagonal[bias.clone()].to_vec();
            for (column, centre) in diagonal[weight].chunks_exact_mut(c).zip(centre) {
                for (entry, total) in column.iter_mut().zip(&total) {
                    *entry += total * centre * centre;
                }
            }
        }
        for (out, entry) in out.iter_mut().zip(&diagonal) {
            *out += self.scale() * entry;
        }
    }

    /// The loss's block of a sample, times its weight, also where it is the identity.
    fn head_block(&self, product: Product, z: &[f64], sample: usize, out: &mut [f64]) {
        if self.loss.hessian_kind() != LossHessian::Identity {
            return self.loss_block(product, z, sample, out);
        }
        let c = self.graph.outputs();
        out.fill(0.0);
        let weight = self.data.weights().map_or(1.0, |weights| weights[sample]);
        (0..c).for_each(|k| out[k * c + k] = weight);
    }

    /// A tile of the data as the model sees it, d × B: written to `out` where the data are sparse.
    pub(super) fn dense_tile<'t>(&self, data: TileData<'t>, out: &'t mut Vec<f64>) -> &'t [f64] {
        let TileData::Sparse(tile) = data else { return data.dense() };
        let d = self.data.features();
        out.resize(d * tile.samples(), 0.0);
        tile.write_dense(d, out);
        if let Some(centring) = &self.centring {
            for sample in out.chunks_exact_mut(d) {
                sample.iter_mut().zip(centring.centre()).for_each(|(x, centre)| *x -= centre);
            }
        }
        out
    }
}
