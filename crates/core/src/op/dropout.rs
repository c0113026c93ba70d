//! z = m ⊙ x, mᵢ = 0 with probability p and else 1/(1 − p), in training; z = x in prediction  (Srivastava et al. 2014).
//!
//! A mask is no stream of random numbers but a function of the seed, the draw, the node's name, the sample's index in the data set
//! and the entry. So an objective with dropout is a function: a full-batch fit sees draw 0 in every evaluation, and tiles, threads
//! and batches change no bit. On minibatches every step is a draw of its own.

use super::{At, Bar, Dependence, Dot, Op, OpDescription, Training, one_input};
use crate::elementwise::vectorize;
use crate::random::hashed;
use crate::shape::{Shape, ShapeError};
use serde::{Deserialize, Serialize};

/// 2⁵³: a hash's upper 53 bits are uniform below it.
const UNIFORM: f64 = (1_u64 << 53) as f64;
/// The bits of a hash that are not used.
const UNUSED_BITS: u32 = 11;

/// Dropout of single entries, inverted: what stays is scaled up in training, so that prediction needs no scaling.
///
/// ```
/// use secant_core::data::Dataset;
/// use secant_core::graph::Graph;
/// use secant_core::loss::SquaredError;
/// use secant_core::op::{Activation, Dense, Dropout};
/// use secant_core::penalty::NoPenalty;
/// use secant_core::predict::outputs;
/// use secant_core::problem::Objective;
/// use secant_core::risk::Risk;
///
/// let mut g = Graph::builder(2);
/// let h = g.node("hidden", Dense::new(8), &[g.input()])?;
/// let h = g.node("tanh", Activation::Tanh, &[h])?;
/// let h = g.node("dropout", Dropout::new(0.5).with_seed(7), &[h])?;
/// let y = g.node("y", Dense::new(1), &[h])?;
/// let graph = g.build(y)?;
///
/// let data = Dataset::from_slices(2, &[0.0, 1.0, 1.0, 0.5], 1, &[1.0, 2.0])?;
/// let risk = Risk::new(&graph, &data, SquaredError, NoPenalty)?;
/// let theta = vec![0.3; risk.dim()];
/// assert_eq!(risk.value(&theta), risk.value(&theta)); // the same mask every time
/// let z = outputs(&graph, &theta, data.inputs())?; // no mask
/// let without = ((z[0] - 1.0).powi(2) + (z[1] - 2.0).powi(2)) / 4.0;
/// assert!((risk.value(&theta) - without).abs() > 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// p, 0 ≤ p < 1: the probability that an entry is dropped.
    pub probability: f64,
    /// Names the masks. Default 0.
    #[serde(default)]
    pub seed: u64,
}

impl Dropout {
    /// Drops an entry with this probability.
    pub fn new(probability: f64) -> Self {
        Self { probability, seed: 0 }
    }
    /// With the masks of this seed.
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Calls `put(out, m·x)` for all entries of the tile's samples.
    #[inline(always)]
    fn masked(
        &self,
        training: Training<'_>,
        x: &[f64],
        out: &mut [f64],
        put: impl Fn(&mut f64, f64),
    ) {
        let kept = 1.0 / (1.0 - self.probability);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ≤ p < 1")]
        let dropped = (self.probability * UNIFORM) as u64;
        let draw = hashed(hashed(self.seed, training.node), training.draw);
        let rows = x.len() / training.samples.len().max(1);
        vectorize(
            #[inline(always)]
            || {
                let (kept, dropped) = (kept, dropped);
                let columns = x.chunks_exact(rows).zip(out.chunks_exact_mut(rows));
                for (column, (x, out)) in columns.enumerate() {
                    let sample = hashed(draw, training.samples.index(column) as u64);
                    for (row, (x, out)) in (0_u64..).zip(x.iter().zip(out)) {
                        let stays = hashed(sample, row) >> UNUSED_BITS >= dropped;
                        // A select: 0·∞ would be NaN.
                        put(out, if stays { kept * x } else { 0.0 });
                    }
                }
            },
        );
    }

    /// `out` ← m ⊙ `x`.
    fn mask(&self, at: At<'_>, x: &[f64], out: &mut [f64]) {
        match at.training {
            None => out.copy_from_slice(x),
            Some(training) => self.masked(
                training,
                x,
                out,
                #[inline(always)]
                |out, masked| *out = masked,
            ),
        }
    }

    /// x̄ += m ⊙ `z_bar`.
    fn add_adjoint(&self, at: At<'_>, z_bar: &[f64], bar: &mut Bar<'_>) {
        let Some(slot) = bar.x.slot(0) else { return };
        match at.training {
            None => slot.add_slice(z_bar),
            Some(training) => self.masked(
                training,
                z_bar,
                slot.zeroed(),
                #[inline(always)]
                |x_bar, masked| *x_bar += masked,
            ),
        }
    }
}

impl Op for Dropout {
    fn name(&self) -> String {
        "dropout".into()
    }

    fn describe(&self) -> Option<OpDescription> {
        OpDescription::with_options("dropout", self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        if (0.0..1.0).contains(&self.probability) {
            return one_input(inputs).cloned();
        }
        let (option, allowed) = ("probability", "at least 0 and below 1");
        Err(ShapeError::Option { option, value: self.probability, allowed })
    }

    fn value(&self, at: At<'_>, z: &mut [f64]) {
        self.mask(at, at.x.get(0), z);
    }

    fn tangent(&self, at: At<'_>, _z: &[f64], dot: Dot<'_>, z_dot: &mut [f64]) {
        match dot.x.get(0) {
            Some(x_dot) => self.mask(at, x_dot, z_dot),
            None => z_dot.fill(0.0),
        }
    }

    fn adjoint(&self, at: At<'_>, _z: &[f64], z_bar: &[f64], bar: &mut Bar<'_>) {
        self.add_adjoint(at, z_bar, bar);
    }

    fn adjoint_tangent(
        &self,
        at: At<'_>,
        _z: &[f64],
        _z_bar: &[f64],
        _dot: Dot<'_>,
        _z_dot: &[f64],
        z_bar_dot: &[f64],
        bar: &mut Bar<'_>,
    ) {
        self.add_adjoint(at, z_bar_dot, bar);
    }

    /// The mask does not depend on θ.
    fn dependence(&self, _active: &[bool]) -> Dependence {
        Dependence::Affine
    }
}
