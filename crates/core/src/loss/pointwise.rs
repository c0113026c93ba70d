//! Losses that are a sum over the outputs of a function of one output z and its target y: the loops that they share.

use super::squared_error::{check_numbers, numbers};
use super::{Link, Loss, LossError};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use crate::elementwise::vectorize;
use std::fmt::Debug;

/// Running sums of a loop over entries: so many that the loop over them becomes vector code, and is not unrolled into scalars.
const LANES: usize = 32;

/// A function of one output and its target. Kernels have no branches, so that the loops become vector code.
pub(super) trait Pointwise: Debug + Send + Sync {
    /// [`Loss::name`].
    const NAME: &'static str;
    /// Which targets are allowed, in words.
    const ALLOWED: &'static str = "a finite number";
    /// [`Loss::is_smooth`].
    const SMOOTH: bool = true;
    /// Whether outputs are in the unit of the targets: [`Loss::level`] is then their mean.
    const IN_UNITS_OF_TARGETS: bool = false;
    /// [`Loss::link`].
    const LINK: Option<Link> = None;

    /// [`Loss::describe`].
    fn describe(&self) -> Option<Choice> {
        Some(Choice::plain(Self::NAME))
    }

    /// Whether the options are in range.
    fn check_options(&self) -> Result<(), LossError> {
        Ok(())
    }
    /// Whether y is in the domain.
    fn allows(&self, y: f64) -> bool {
        y.is_finite()
    }
    /// ℓ and ∂ℓ/∂z.
    fn at(&self, z: f64, y: f64) -> (f64, f64);
    /// ∂²ℓ/∂z².
    fn curvature(&self, z: f64, y: f64) -> f64;
    /// Half the [deviance](Loss::deviance) of one output.
    fn half_deviance(&self, z: f64, y: f64) -> Option<f64> {
        let _ = (z, y);
        None
    }
    /// A term of ℓ that depends on y alone, where one was asked for: kept out of the loops of [`at`](Self::at).
    fn constant(&self) -> Option<fn(&Self, f64) -> f64> {
        None
    }
}

impl<P: Pointwise> Loss for P {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn describe(&self) -> Option<Choice> {
        Pointwise::describe(self)
    }

    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        self.check_options()?;
        check_numbers(P::NAME, outputs, targets)?;
        let values = targets.values().unwrap_or_default();
        match values.iter().position(|y| !self.allows(*y)) {
            None => Ok(()),
            Some(at) => Err(LossError::Domain {
                loss: P::NAME,
                sample: at / outputs,
                value: values[at],
                allowed: P::ALLOWED,
            }),
        }
    }

    fn is_smooth(&self) -> bool {
        P::SMOOTH
    }

    fn level(&self, means: &[f64], _deviations: &[f64]) -> Option<Vec<f64>> {
        P::IN_UNITS_OF_TARGETS.then(|| means.to_vec())
    }

    fn link(&self) -> Option<Link> {
        P::LINK
    }

    fn deviance(&self, z: &[f64], y: TargetTile<'_>) -> Option<f64> {
        let each = z.iter().zip(numbers(y));
        let sum: Option<f64> = each.map(|(z, y)| self.half_deviance(*z, *y)).sum();
        sum.map(|sum| 2.0 * sum)
    }

    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        let y = numbers(y);
        let total = vectorize(
            #[inline(always)]
            || {
                let mut sums = [0.0; LANES];
                let (z_runs, z_rest) = z.as_chunks::<LANES>();
                let (y_runs, y_rest) = y.as_chunks::<LANES>();
                for (z, y) in z_runs.iter().zip(y_runs) {
                    for k in 0..LANES {
                        sums[k] += self.at(z[k], y[k]).0;
                    }
                }
                let mut rest = 0.0;
                for (z, y) in z_rest.iter().zip(y_rest) {
                    rest += self.at(*z, *y).0;
                }
                if z_runs.is_empty() { rest } else { joined(sums) + rest }
            },
        );
        total + constants(self, y)
    }

    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        let y = numbers(y);
        let total = vectorize(
            #[inline(always)]
            || {
                let mut sums = [0.0; LANES];
                let (z_runs, z_rest) = z.as_chunks::<LANES>();
                let (y_runs, y_rest) = y.as_chunks::<LANES>();
                let (bar_runs, bar_rest) = z_bar.as_chunks_mut::<LANES>();
                for ((z, y), z_bar) in z_runs.iter().zip(y_runs).zip(bar_runs) {
                    for k in 0..LANES {
                        let (value, slope) = self.at(z[k], y[k]);
                        sums[k] += value;
                        z_bar[k] = scale * slope;
                    }
                }
                let mut rest = 0.0;
                for ((z, y), z_bar) in z_rest.iter().zip(y_rest).zip(bar_rest) {
                    let (value, slope) = self.at(*z, *y);
                    rest += value;
                    *z_bar = scale * slope;
                }
                if z_runs.is_empty() { rest } else { joined(sums) + rest }
            },
        );
        total + constants(self, y)
    }

    fn hessian_vector(
        &self,
        scale: f64,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        let y = numbers(y);
        vectorize(
            #[inline(always)]
            || {
                for (((out, z), y), z_dot) in out.iter_mut().zip(z).zip(y).zip(z_dot) {
                    *out = scale * self.curvature(*z, *y) * z_dot;
                }
            },
        );
    }
}

/// The sum of the lanes, by halves.
#[inline(always)]
fn joined(mut lanes: [f64; LANES]) -> f64 {
    let mut width = LANES / 2;
    while width > 0 {
        for k in 0..width {
            lanes[k] += lanes[k + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Σ of the terms in y alone.
fn constants<P: Pointwise>(loss: &P, y: &[f64]) -> f64 {
    loss.constant().map_or(0.0, |term| y.iter().map(|y| term(loss, *y)).sum())
}

/// y·ln(y/μ), 0 where y is.
pub(super) fn times_log_ratio(y: f64, mean: f64) -> f64 {
    if y == 0.0 { 0.0 } else { y * (y / mean).ln() }
}

/// Refuses an option unless `allowed_here`.
pub(super) fn check_option(
    loss: &'static str,
    option: &'static str,
    value: f64,
    allowed_here: bool,
    allowed: &'static str,
) -> Result<(), LossError> {
    if allowed_here {
        return Ok(());
    }
    Err(LossError::Option { loss, option, value, allowed })
}
