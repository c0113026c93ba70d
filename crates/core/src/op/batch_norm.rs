//! Batch normalisation, which no graph takes: its statistics are over samples  (Ioffe & Szegedy 2015).
//!
//! Every sample's output would depend on all samples. f would then be no mean of ℓ over samples: gradients need sums over all tiles
//! between two nodes, the Gauss–Newton matrix is no sum over samples, a minibatch has another function than the data set, and
//! statistics per tile would depend on how samples are cut into tiles.

use super::{At, Bar, Dot, Op, OpDescription};
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// Refused wherever it is put, with what to take instead: [`LayerNorm`](super::LayerNorm), whose statistics are those of one sample,
/// or standardised data and [`ScaleShift`](super::ScaleShift).
///
/// ```
/// use secant_core::graph::Graph;
/// use secant_core::op::BatchNorm;
///
/// let mut g = Graph::builder(4);
/// let error = g.node("norm", BatchNorm {}, &[g.input()]).unwrap_err().to_string();
/// assert!(error.starts_with("node `norm` (batch_norm): its statistics couple the samples"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchNorm {}

/// Why, and what instead.
const REASON: &str = "its statistics couple the samples, so that the risk is no mean over them and a sample's output would change \
    with its tile or batch; use layer_norm, or standardised data and scale_shift";

impl Op for BatchNorm {
    fn name(&self) -> String {
        "batch_norm".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        Some(OpDescription::plain("batch_norm"))
    }

    fn output_shape(&self, _inputs: &[Shape]) -> Result<Shape, ShapeError> {
        Err(ShapeError::Refused { reason: REASON })
    }

    /// Not a number: no graph holds this node.
    fn value(&self, _at: At<'_>, z: &mut [f64]) {
        z.fill(f64::NAN);
    }

    fn tangent(&self, _at: At<'_>, _z: &[f64], _dot: Dot<'_>, z_dot: &mut [f64]) {
        z_dot.fill(f64::NAN);
    }

    fn adjoint(&self, _at: At<'_>, _z: &[f64], _z_bar: &[f64], _bar: &mut Bar<'_>) {}

    fn adjoint_tangent(
        &self,
        _at: At<'_>,
        _z: &[f64],
        _z_bar: &[f64],
        _dot: Dot<'_>,
        _z_dot: &[f64],
        _z_bar_dot: &[f64],
        _bar: &mut Bar<'_>,
    ) {
    }
}
