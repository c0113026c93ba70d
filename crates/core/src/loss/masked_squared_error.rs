//! ℓ = ½·Σₖ wₖ·(zₖ − yₖ)² with a weight for every output of every sample: outputs that were not measured have weight 0.

use super::squared_error::numbers;
use super::{Link, Loss, LossError};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use crate::elementwise::vectorize;
use serde::{Deserialize, Serialize};

/// Squared error with a weight for each output. Targets: 2c numbers a sample, the c targets first and then their c weights, 0 or more; a
/// target of weight 0 may be any number.
///
/// For weights of whole samples [`Dataset::with_weights`](crate::data::Dataset::with_weights) serves every loss, and squared error with it
/// stays a sum of squares to the methods; this loss does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskedSquaredError;

impl Loss for MaskedSquaredError {
    fn name(&self) -> &'static str {
        "masked-squared"
    }

    fn describe(&self) -> Option<Choice> {
        Some(Choice::plain(self.name()))
    }

    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        let loss = self.name();
        match targets {
            Targets::Values { rows, values } if *rows == 2 * outputs => {
                let wrong = |at: &usize| at % rows >= outputs && values[*at] < 0.0;
                match (0..values.len()).find(wrong) {
                    None => Ok(()),
                    Some(at) => Err(LossError::Domain {
                        loss,
                        sample: at / rows,
                        value: values[at],
                        allowed: "a weight, 0 or more",
                    }),
                }
            }
            Targets::Values { rows, .. } => {
                Err(LossError::Outputs { loss, outputs, needed: rows.div_ceil(2) })
            }
            Targets::Labels { .. } => {
                Err(LossError::Kind { loss, needed: "numbers", found: "class labels" })
            }
        }
    }

    fn link(&self) -> Option<Link> {
        Some(Link::Identity)
    }

    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        let mut total = 0.0;
        vectorize(
            #[inline(always)]
            || {
                for (z, (y, w)) in samples(z, y) {
                    for ((z, y), w) in z.iter().zip(y).zip(w) {
                        total += 0.5 * w * (z - y) * (z - y);
                    }
                }
            },
        );
        total
    }

    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        let (c, mut total) = (outputs(y), 0.0);
        vectorize(
            #[inline(always)]
            || {
                for (z_bar, (z, (y, w))) in z_bar.chunks_exact_mut(c).zip(samples(z, y)) {
                    for (((z_bar, z), y), w) in z_bar.iter_mut().zip(z).zip(y).zip(w) {
                        let r = z - y;
                        total += 0.5 * w * r * r;
                        *z_bar = scale * w * r;
                    }
                }
            },
        );
        total
    }

    fn hessian_vector(
        &self,
        scale: f64,
        _z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        let c = outputs(y);
        vectorize(
            #[inline(always)]
            || {
                for (out, (z_dot, (_, w))) in out.chunks_exact_mut(c).zip(samples(z_dot, y)) {
                    for ((out, z_dot), w) in out.iter_mut().zip(z_dot).zip(w) {
                        *out = scale * w * z_dot;
                    }
                }
            },
        );
    }
}

/// c.
fn outputs(y: TargetTile<'_>) -> usize {
    match y {
        TargetTile::Values { rows, .. } => rows / 2,
        TargetTile::Labels { .. } => 1,
    }
}

/// The c entries of each sample with its c targets and c weights.
#[inline(always)]
fn samples<'t>(
    z: &'t [f64],
    y: TargetTile<'t>,
) -> impl Iterator<Item = (&'t [f64], (&'t [f64], &'t [f64]))> {
    let c = outputs(y);
    z.chunks_exact(c).zip(numbers(y).chunks_exact(2 * c).map(move |y| y.split_at(c)))
}
