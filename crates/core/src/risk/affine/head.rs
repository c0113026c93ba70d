//! What the samples bring to the Hessian of a generalised linear model: wᵢ·hₖₗ at their scores, and φ(xᵢ) where the inputs are not what is
//! multiplied. Tiles in parallel.

use super::super::Risk;
use super::super::linearized::Product;
use super::super::workspace::Workspace;
use crate::loss::LossHessian;
use crate::sweep::forward;
use rayon::prelude::*;

/// Multiply–adds below which handing tiles to other threads takes longer than they do.
const SERIAL: usize = 1 << 16;

/// Where φ goes.
pub(super) struct Made<'a> {
    /// Where it stands among the values of a sample of a tile.
    pub(super) start: usize,
    /// d
    pub(super) rows: usize,
    /// d × N.
    pub(super) values: &'a mut [f64],
}

impl Risk<'_> {
    /// wᵢ·hₖₗ of all samples, a column for each pair k ≥ l; none where the loss's Hessian is the identity.
    pub(super) fn head_weights(&self, product: Product, theta: &[f64]) -> Option<Vec<f64>> {
        self.head_sweep(product, theta, None)
    }

    /// The same, with φ of all samples where somebody asks for it.
    pub(super) fn head_sweep(
        &self,
        product: Product,
        theta: &[f64],
        made: Option<Made<'_>>,
    ) -> Option<Vec<f64>> {
        let weigh = self.loss.hessian_kind() != LossHessian::Identity;
        let (n_samples, c) = (self.data.samples(), self.graph.outputs());
        let (tiles, longest) = (self.partition.tiles(), self.partition.tile_samples());
        let kept = if made.is_none() && weigh { self.scores_at(theta) } else { None };
        let phi: Vec<(usize, &mut [f64])> = match made {
            None if !weigh => return None,
            None => (0..tiles).map(|_| (0, &mut [][..])).collect(),
            Some(Made { start, rows, values }) => {
                values.chunks_mut(rows * longest).map(|values| (start, values)).collect()
            }
        };
        self.stock_workspaces();
        let sweep = |(tile, (start, phi)): (usize, (usize, &mut [f64]))| {
            let range = self.partition.range(tile);
            self.with_workspace(|workspace| {
                let Workspace { tape, sweep, shifted, inputs, .. } = workspace;
                let z = if let Some(kept) = &kept {
                    &kept.values[c * range.start..c * range.end]
                } else {
                    let tile = self.tile(theta, &range, inputs);
                    forward(tile, &mut tape.values);
                    if !phi.is_empty() {
                        let start = start * tile.batch;
                        phi.copy_from_slice(&tape.values[start..start + phi.len()]);
                    }
                    &tape.values[tile.output_value()]
                };
                let mut weights = Vec::new();
                if weigh {
                    let samples = self.data.tile(range.clone());
                    let z = self.scores(z, samples, shifted);
                    weights.resize(c * (c + 1) / 2 * range.len(), 0.0);
                    if c == 1 {
                        // h·1 of the whole tile at once.
                        let ones = &mut sweep.tangents[..z.len()];
                        ones.fill(1.0);
                        self.tile_curvature(product, z, samples, ones, &mut weights);
                        for weight in &mut weights {
                            *weight /= self.scale();
                        }
                    } else {
                        let mut block = vec![0.0; c * c];
                        for (i, z) in z.chunks_exact(c).enumerate() {
                            self.loss_block(product, z, range.start + i, &mut block);
                            let pairs = (0..c).flat_map(|k| (0..=k).map(move |l| (k, l)));
                            for (pair, (k, l)) in pairs.enumerate() {
                                weights[pair * range.len() + i] = block[l * c + k];
                            }
                        }
                    }
                }
                (range, weights)
            })
        };
        let work = n_samples.saturating_mul(self.graph.parameters().dim());
        let of_tiles: Vec<_> = if work < SERIAL {
            phi.into_iter().enumerate().map(sweep).collect()
        } else {
            phi.into_par_iter().enumerate().with_max_len(1).map(sweep).collect()
        };
        if let Some(kept) = kept {
            self.return_scores(kept);
        }
        if !weigh {
            return None;
        }
        let mut weights = vec![0.0; c * (c + 1) / 2 * n_samples];
        for (range, tile) in of_tiles {
            for (pair, column) in tile.chunks_exact(range.len()).enumerate() {
                let start = pair * n_samples;
                weights[start + range.start..start + range.end].copy_from_slice(column);
            }
        }
        Some(weights)
    }
}
