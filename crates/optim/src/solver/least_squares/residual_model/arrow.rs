//! J·D⁻¹ = Q·R by the groups of an arrow: each by itself, then what they share.

use crate::linalg::arrow::{ArrowBlocks, ArrowQr, Asked};
use crate::linalg::vector;
use crate::run::memory::bytes;
use secant_core::problem::Arrow;
use serde::{Deserialize, Serialize};

/// The blocks, their factors, and scratch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::solver) struct ArrowForm {
    pub(super) blocks: ArrowBlocks,
    qr: ArrowQr,
    /// Qᵀ·J·D⁻¹·z
    image: Vec<f64>,
}

impl ArrowForm {
    pub(super) fn new(arrow: &Arrow) -> Self {
        let image = vec![0.0; ArrowQr::right_len(arrow)];
        Self { blocks: ArrowBlocks::new(arrow.clone()), qr: ArrowQr::new(arrow), image }
    }

    /// Bytes of a run of m residuals and n parameters: the blocks with their factors at both points, and the vectors.
    pub(in crate::solver) fn bytes(arrow: &Arrow, m: usize, n: usize) -> u64 {
        let point = arrow.entries() + ArrowQr::numbers(arrow) + 3 * ArrowQr::right_len(arrow);
        bytes(&[(2, point, 1), (5, m, 1), (24, n, 1)])
    }

    pub(super) fn prepare(&mut self, inverse_scale: &[f64]) {
        self.qr.factor(&self.blocks, inverse_scale);
    }

    /// `out` ← Qᵀb; `b` is overwritten.
    pub(super) fn project(&self, b: &mut [f64], out: &mut [f64]) {
        self.qr.project(b, out);
    }

    /// ‖J·p‖ of the undamped step.
    pub(super) fn tangent_part(&mut self, projected: &[f64]) -> f64 {
        self.qr.tangent_part(projected)
    }

    pub(super) fn solve(&mut self, mu: f64, right: &[f64], z: &mut [f64]) {
        self.qr.solve(Asked::damped(mu), right, z);
    }

    /// `out` ← Qᵀ·J·D⁻¹·z.
    pub(super) fn image(&mut self, z: &[f64], out: &mut [f64]) {
        self.qr.multiply(z, out);
    }

    /// ‖J·D⁻¹z‖².
    pub(super) fn image_square(&mut self, z: &[f64]) -> f64 {
        self.qr.multiply(z, &mut self.image);
        vector::dot(&self.image, &self.image)
    }
}
