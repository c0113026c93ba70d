//! ℓ = ln(1 + e⁻ᵗᶻ), t = ±1: binary cross-entropy on one score z, y·softplus(−z) + (1 − y)·softplus(z).

use super::{Decision, Link, Loss, LossError};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use crate::elementwise::{scalar, vectorize};
use serde::{Deserialize, Serialize};

/// Binary cross-entropy on one score. Targets: two classes (class 1 is the positive one), or numbers y ∈ [0, 1].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logistic;

impl Loss for Logistic {
    fn name(&self) -> &'static str {
        "logistic"
    }

    fn describe(&self) -> Option<Choice> {
        Some(Choice::plain(self.name()))
    }

    fn decision(&self) -> Decision {
        Decision::Sign
    }

    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        check_two_classes(self.name(), outputs, targets)
    }

    fn link(&self) -> Option<Link> {
        Some(Link::Logit)
    }

    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        each(z, y, |_, _, value| value)
    }

    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        each(z, y, |sample, slope, value| {
            z_bar[sample] = scale * slope;
            value
        })
    }

    /// σ(z)·σ(−z)·ż.
    fn hessian_vector(
        &self,
        scale: f64,
        z: &[f64],
        _y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        vectorize(
            #[inline(always)]
            || {
                for ((out, &z), &z_dot) in out.iter_mut().zip(z).zip(z_dot) {
                    *out = scale * (scalar::sigmoid(z) * scalar::sigmoid(-z)) * z_dot;
                }
            },
        );
    }
}

/// Σ of `term(sample, ∂ℓ/∂z, ℓ)`.
#[inline(always)]
fn each(z: &[f64], y: TargetTile<'_>, mut term: impl FnMut(usize, f64, f64) -> f64) -> f64 {
    let mut total = 0.0;
    vectorize(
        #[inline(always)]
        || match y {
            TargetTile::Labels { labels, .. } => {
                for (sample, (&z, &label)) in z.iter().zip(labels).enumerate() {
                    // ℓ = softplus(−t·z), ∂ℓ/∂z = −t·σ(−t·z).
                    let t = if label == 1 { 1.0 } else { -1.0 };
                    let margin = -t * z;
                    total += term(sample, -t * scalar::sigmoid(margin), scalar::softplus(margin));
                }
            }
            TargetTile::Values { values, .. } => {
                for (sample, (&z, &y)) in z.iter().zip(values).enumerate() {
                    // σ(z) − y without cancellation for y = 1.
                    let slope = (1.0 - y) * scalar::sigmoid(z) - y * scalar::sigmoid(-z);
                    let value = y * scalar::softplus(-z) + (1.0 - y) * scalar::softplus(z);
                    total += term(sample, slope, value);
                }
            }
        },
    );
    total
}

/// Whether one output can be judged against the targets as the score of two classes, or of shares.
pub(super) fn check_two_classes(
    loss: &'static str,
    outputs: usize,
    targets: &Targets,
) -> Result<(), LossError> {
    if outputs != 1 {
        return Err(LossError::Outputs { loss, outputs, needed: 1 });
    }
    match targets {
        Targets::Labels { classes: 2, .. } => Ok(()),
        Targets::Labels { .. } => {
            let (needed, found) = ("two classes", "another number of classes");
            Err(LossError::Kind { loss, needed, found })
        }
        Targets::Values { rows: 1, values } => {
            match values.iter().position(|y| !(0.0..=1.0).contains(y)) {
                None => Ok(()),
                Some(sample) => {
                    let value = values[sample];
                    Err(LossError::Domain { loss, sample, value, allowed: "in [0, 1]" })
                }
            }
        }
        Targets::Values { rows, .. } => Err(LossError::Outputs { loss, outputs, needed: *rows }),
    }
}
