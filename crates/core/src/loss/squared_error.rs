//! ℓ = ½‖z − y‖², so that the risk is ½·mean‖z − y‖²: a *mean over samples*, a *sum over outputs*, with the factor ½.

use super::{Link, Loss, LossError, LossHessian};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use crate::elementwise::vectorize;
use serde::{Deserialize, Serialize};

/// ½‖z − y‖², averaged over the samples: ½·(mean square error) for one output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SquaredError;

impl Loss for SquaredError {
    fn name(&self) -> &'static str {
        "squared"
    }

    fn describe(&self) -> Option<Choice> {
        Some(Choice::plain(self.name()))
    }

    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        check_numbers(self.name(), outputs, targets)
    }

    fn level(&self, means: &[f64], _deviations: &[f64]) -> Option<Vec<f64>> {
        Some(means.to_vec())
    }

    fn link(&self) -> Option<Link> {
        Some(Link::Identity)
    }

    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        let y = numbers(y);
        vectorize(
            #[inline(always)]
            || 0.5 * sum_squares(z, y),
        )
    }

    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        let y = numbers(y);
        vectorize(
            #[inline(always)]
            || {
                for ((z_bar, z), y) in z_bar.iter_mut().zip(z).zip(y) {
                    *z_bar = scale * (z - y);
                }
                0.5 * sum_squares(z, y)
            },
        )
    }

    fn hessian_vector(
        &self,
        scale: f64,
        _z: &[f64],
        _y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        vectorize(
            #[inline(always)]
            || {
                for (out, z_dot) in out.iter_mut().zip(z_dot) {
                    *out = scale * z_dot;
                }
            },
        );
    }

    fn hessian_kind(&self) -> LossHessian {
        LossHessian::Identity
    }
}

/// Whether the targets are numbers, as many per sample as the model has outputs.
pub(super) fn check_numbers(
    loss: &'static str,
    outputs: usize,
    targets: &Targets,
) -> Result<(), LossError> {
    match targets {
        Targets::Values { rows, .. } if *rows == outputs => Ok(()),
        Targets::Values { rows, .. } => Err(LossError::Outputs { loss, outputs, needed: *rows }),
        Targets::Labels { .. } => {
            Err(LossError::Kind { loss, needed: "numbers", found: "class labels" })
        }
    }
}

/// The targets of a tile that passed [`check_numbers`].
pub(super) fn numbers(y: TargetTile<'_>) -> &[f64] {
    match y {
        TargetTile::Values { values, .. } => values,
        TargetTile::Labels { .. } => &[],
    }
}

/// Σ (z − y)² in eight partial sums.
#[inline(always)]
fn sum_squares(z: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (z_runs, z_rest) = z.as_chunks::<8>();
    let (y_runs, y_rest) = y.as_chunks::<8>();
    for (z, y) in z_runs.iter().zip(y_runs) {
        for k in 0..8 {
            let r = z[k] - y[k];
            sums[k] = r.mul_add(r, sums[k]);
        }
    }
    let rest: f64 = z_rest.iter().zip(y_rest).map(|(z, y)| (z - y) * (z - y)).sum();
    sums.iter().sum::<f64>() + rest
}
