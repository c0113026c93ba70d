//! ℓ = ½·Σ s + (z − y)²·e^(−s): a normal y with mean z and variance e^s, both outputs of the model; −ln p(y) but for ½·ln 2π.
//!
//! Not convex: with r = z − y the determinant of its Hessian in (z, s) is −½r²·e^(−2s). What stands for the Hessian in the Gauss–Newton
//! matrix is its mean over y, Fisher's information: e^(−s) for the mean, ½ for s, no coupling. Steps with it are Fisher scoring.
//! Source: Nix & Weigend (1994), IEEE ICNN; Amari (1998) for the metric.

use super::squared_error::numbers;
use super::{Loss, LossError};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use crate::elementwise::{scalar, vectorize};
use serde::{Deserialize, Serialize};

/// The normal distribution with a mean and a log variance for every target: 2c outputs for c targets, the c means first and then the
/// c log variances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedVariance;

impl Loss for LearnedVariance {
    fn name(&self) -> &'static str {
        "learned-variance"
    }

    fn describe(&self) -> Option<Choice> {
        Some(Choice::plain(self.name()))
    }

    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        let loss = self.name();
        match targets {
            Targets::Values { rows, .. } if outputs == 2 * rows => Ok(()),
            Targets::Values { rows, .. } => {
                Err(LossError::Outputs { loss, outputs, needed: 2 * rows })
            }
            Targets::Labels { .. } => {
                Err(LossError::Kind { loss, needed: "numbers", found: "class labels" })
            }
        }
    }

    fn is_convex(&self) -> bool {
        false
    }

    /// The means, and the logarithms of the variances.
    fn level(&self, means: &[f64], deviations: &[f64]) -> Option<Vec<f64>> {
        let log_variances = deviations.iter().map(|deviation| 2.0 * deviation.ln());
        Some(means.iter().copied().chain(log_variances).collect())
    }

    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        let c = rows(y);
        vectorize(
            #[inline(always)]
            || {
                let mut total = 0.0;
                for (z, y) in z.chunks_exact(2 * c).zip(numbers(y).chunks_exact(c)) {
                    let (mean, log_variance) = z.split_at(c);
                    for ((z, s), y) in mean.iter().zip(log_variance).zip(y) {
                        let r = z - y;
                        total += 0.5 * (s + r * r * scalar::exp(-s));
                    }
                }
                total
            },
        )
    }

    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        let c = rows(y);
        vectorize(
            #[inline(always)]
            || {
                let mut total = 0.0;
                let samples = z.chunks_exact(2 * c).zip(numbers(y).chunks_exact(c));
                for ((z, y), z_bar) in samples.zip(z_bar.chunks_exact_mut(2 * c)) {
                    for k in 0..c {
                        let (r, s) = (z[k] - y[k], z[c + k]);
                        let precision = scalar::exp(-s);
                        total += 0.5 * (s + r * r * precision);
                        z_bar[k] = scale * r * precision;
                        z_bar[c + k] = scale * 0.5 * (1.0 - r * r * precision);
                    }
                }
                total
            },
        )
    }

    /// ∂²/∂z² = e^(−s), ∂²/∂z∂s = −r·e^(−s), ∂²/∂s² = ½r²·e^(−s).
    fn hessian_vector(
        &self,
        scale: f64,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        let c = rows(y);
        vectorize(
            #[inline(always)]
            || {
                let samples = z.chunks_exact(2 * c).zip(numbers(y).chunks_exact(c));
                let moves = z_dot.chunks_exact(2 * c).zip(out.chunks_exact_mut(2 * c));
                for ((z, y), (z_dot, out)) in samples.zip(moves) {
                    for k in 0..c {
                        let (r, precision) = (z[k] - y[k], scalar::exp(-z[c + k]));
                        let (mean, log_variance) = (z_dot[k], z_dot[c + k]);
                        out[k] = scale * precision * (mean - r * log_variance);
                        out[c + k] = scale * precision * r * (0.5 * r * log_variance - mean);
                    }
                }
            },
        );
    }

    /// Fisher's information: e^(−s) and ½.
    fn gauss_newton_vector(
        &self,
        scale: f64,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        let c = rows(y);
        vectorize(
            #[inline(always)]
            || {
                let samples = z.chunks_exact(2 * c).zip(z_dot.chunks_exact(2 * c));
                for ((z, z_dot), out) in samples.zip(out.chunks_exact_mut(2 * c)) {
                    for k in 0..c {
                        out[k] = scale * scalar::exp(-z[c + k]) * z_dot[k];
                        out[c + k] = scale * 0.5 * z_dot[c + k];
                    }
                }
            },
        );
    }
}

/// c.
fn rows(y: TargetTile<'_>) -> usize {
    match y {
        TargetTile::Values { rows, .. } => rows,
        TargetTile::Labels { .. } => 1,
    }
}
