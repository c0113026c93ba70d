//! The loss of a tile with the weights and offsets of its samples.
//!
//! Without weights the loss sees the whole tile at once; with them it sees one sample at a time, its scale times the weight.

use super::Risk;
use super::linearized::Product;
use crate::data::SampleTile;

impl Risk<'_> {
    /// Room for the scores of `samples` samples: none where there are no offsets.
    pub(super) fn new_shifted(&self, samples: usize) -> Vec<f64> {
        let rows = if self.data.offset_rows() > 0 { self.graph.outputs() } else { 0 };
        vec![0.0; rows * samples]
    }

    /// What the loss sees of the outputs z (c × B): z, or z + offset, written to `shifted` (length c × B at least). The tape keeps z,
    /// which the output node may need.
    pub(super) fn scores<'s>(
        &self,
        z: &'s [f64],
        samples: SampleTile<'_>,
        shifted: &'s mut [f64],
    ) -> &'s [f64] {
        let Some(offset) = samples.offset else { return z };
        let c = self.graph.outputs();
        let shifted = &mut shifted[..z.len()];
        if self.data.offset_rows() == c {
            for ((out, z), offset) in shifted.iter_mut().zip(z).zip(offset) {
                *out = z + offset;
            }
        } else {
            let columns = shifted.chunks_exact_mut(c).zip(z.chunks_exact(c));
            for ((out, z), offset) in columns.zip(offset) {
                out.iter_mut().zip(z).for_each(|(out, z)| *out = z + offset);
            }
        }
        shifted
    }

    /// Σ wℓ at the scores z.
    pub(super) fn tile_loss(&self, z: &[f64], samples: SampleTile<'_>) -> f64 {
        let Some(weights) = samples.weights else { return self.loss.value(z, samples.targets) };
        let c = self.graph.outputs();
        let mut total = 0.0;
        for (i, (weight, z)) in weights.iter().zip(z.chunks_exact(c)).enumerate() {
            if *weight != 0.0 {
                total += weight * self.loss.value(z, samples.targets.tile(i..i + 1));
            }
        }
        total
    }

    /// Σ wℓ at the scores z, with z̄ ← `scale`·w·∂ℓ/∂z.
    pub(super) fn tile_gradient(
        &self,
        scale: f64,
        z: &[f64],
        samples: SampleTile<'_>,
        z_bar: &mut [f64],
    ) -> f64 {
        let Some(weights) = samples.weights else {
            return self.loss.gradient(scale, z, samples.targets, z_bar);
        };
        let c = self.graph.outputs();
        let columns = z.chunks_exact(c).zip(z_bar.chunks_exact_mut(c));
        let mut total = 0.0;
        for (i, (weight, (z, z_bar))) in weights.iter().zip(columns).enumerate() {
            // A masked sample does not count, even where its loss is not finite.
            if *weight == 0.0 {
                z_bar.fill(0.0);
            } else {
                let y = samples.targets.tile(i..i + 1);
                total += weight * self.loss.gradient(scale * weight, z, y, z_bar);
            }
        }
        total
    }

    /// `out` ← w/Σ w·H·ż at the scores z, with the loss's Hessian or what stands in for it.
    pub(super) fn tile_curvature(
        &self,
        product: Product,
        z: &[f64],
        samples: SampleTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        let (loss, y) = (&self.loss, samples.targets);
        let apply = |scale, z: &[f64], y, z_dot: &[f64], out: &mut [f64]| match product {
            Product::Hessian => loss.hessian_vector(scale, z, y, z_dot, out),
            Product::GaussNewton => loss.gauss_newton_vector(scale, z, y, z_dot, out),
        };
        let Some(weights) = samples.weights else {
            return apply(self.scale(), z, y, z_dot, out);
        };
        let c = self.graph.outputs();
        let columns = z.chunks_exact(c).zip(z_dot.chunks_exact(c)).zip(out.chunks_exact_mut(c));
        for (i, (weight, ((z, z_dot), out))) in weights.iter().zip(columns).enumerate() {
            if *weight == 0.0 {
                out.fill(0.0);
            } else {
                apply(self.scale() * weight, z, y.tile(i..i + 1), z_dot, out);
            }
        }
    }
}
