//! The losses of support vector machines, φ of how far a margin falls short of 1: φ(v) = v for v > 0, or v², and 0 elsewhere.
//!
//! | scores | ℓ |
//! |---|---|
//! | one, t = ±1 | φ(1 − t·z) |
//! | c, one against the rest | Σₖ φ(1 − tₖzₖ) with tₖ = 1 for the own class and −1 for the others |
//! | c, Crammer and Singer | φ(1 + max_{k ≠ y} zₖ − z_y) |
//!
//! Source: Cortes & Vapnik (1995), Machine Learning 20; Crammer & Singer (2001), JMLR 2; Fan & al. (2008), JMLR 9 (LIBLINEAR), for the square.

use super::{Decision, Loss, LossError};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use crate::elementwise::vectorize;
use serde::{Deserialize, Serialize};

/// φ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HingePower {
    /// v: a kink at margin 1.
    #[default]
    Plain,
    /// v²: once differentiable, curvature 2 where the margin falls short.
    Squared,
}

/// How c ≥ 2 scores are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MultiClass {
    /// Each class against all others, and the sum.
    #[default]
    OneVsRest,
    /// The own score against the largest of the others. Not smooth where two of them tie.
    CrammerSinger,
}

/// Hinge losses. Targets: class labels with one score (two classes, class 1 positive) or one score per class; or numbers ±1 with one
/// score.
///
/// Only the squared one, and not Crammer and Singer's form, is smooth; methods that need a smooth function refuse the others, see
/// [`Loss::is_smooth`]. At a kink the gradient is one of the subgradients. A tie goes to the first of the scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hinge {
    /// φ. Default plain.
    pub power: HingePower,
    /// How c ≥ 2 scores are judged. Default one against the rest.
    pub multi_class: MultiClass,
}

impl Hinge {
    /// max(0, 1 − t·z).
    pub fn plain() -> Self {
        Self::default()
    }

    /// max(0, 1 − t·z)².
    pub fn squared() -> Self {
        Self { power: HingePower::Squared, ..Self::default() }
    }

    /// The own score against the largest of the others.
    pub fn crammer_singer(mut self) -> Self {
        self.multi_class = MultiClass::CrammerSinger;
        self
    }

    /// φ, φ′ and φ″ at v. 0 at the kink; a NaN stays.
    #[inline(always)]
    fn phi(self, v: f64) -> (f64, f64, f64) {
        let short = if v <= 0.0 { 0.0 } else { v };
        let step = if v <= 0.0 { 0.0 } else { 1.0 };
        match self.power {
            HingePower::Plain => (short, step, 0.0),
            HingePower::Squared => (short * short, 2.0 * short, 2.0 * step),
        }
    }

    /// Calls `term(entry, t, φ, φ′, φ″)` for the margins t·z of all entries.
    #[inline(always)]
    fn each_margin(
        self,
        z: &[f64],
        y: TargetTile<'_>,
        mut term: impl FnMut(usize, f64, (f64, f64, f64)),
    ) {
        let c = scores(z, y);
        match y {
            TargetTile::Values { values, .. } => {
                for (entry, (z, t)) in z.iter().zip(values).enumerate() {
                    term(entry, *t, self.phi(1.0 - t * z));
                }
            }
            TargetTile::Labels { labels, .. } if c == 1 => {
                for (entry, (z, label)) in z.iter().zip(labels).enumerate() {
                    let t = if *label == 1 { 1.0 } else { -1.0 };
                    term(entry, t, self.phi(1.0 - t * z));
                }
            }
            TargetTile::Labels { labels, .. } => {
                for (sample, (z, label)) in z.chunks_exact(c).zip(labels).enumerate() {
                    for (k, z) in z.iter().enumerate() {
                        let t = if k == *label as usize { 1.0 } else { -1.0 };
                        term(sample * c + k, t, self.phi(1.0 - t * z));
                    }
                }
            }
        }
    }

    /// Calls `term(first entry, own class, rival, φ, φ′, φ″)` for every sample; c ≥ 2.
    #[inline(always)]
    fn each_rival(
        self,
        z: &[f64],
        y: TargetTile<'_>,
        mut term: impl FnMut(usize, usize, usize, (f64, f64, f64)),
    ) {
        let c = scores(z, y);
        let TargetTile::Labels { labels, .. } = y else { return };
        for (sample, (z, label)) in z.chunks_exact(c).zip(labels).enumerate() {
            let own = *label as usize;
            let rival = rival(z, own);
            let short =
                if z.iter().any(|z| z.is_nan()) { f64::NAN } else { 1.0 + z[rival] - z[own] };
            term(sample * c, own, rival, self.phi(short));
        }
    }

    fn by_rival(self, z: &[f64], y: TargetTile<'_>) -> bool {
        self.multi_class == MultiClass::CrammerSinger && scores(z, y) > 1
    }
}

impl Loss for Hinge {
    fn name(&self) -> &'static str {
        match self.power {
            HingePower::Plain => "hinge",
            HingePower::Squared => "squared-hinge",
        }
    }

    fn describe(&self) -> Option<Choice> {
        Choice::with_options("hinge", self)
    }

    fn decision(&self) -> Decision {
        Decision::LargestScore
    }

    fn is_smooth(&self) -> bool {
        *self == Self::squared()
    }

    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        let loss = self.name();
        match targets {
            Targets::Labels { classes, .. } if *classes == outputs && outputs >= 2 => Ok(()),
            Targets::Labels { classes: 2, .. } if outputs == 1 => Ok(()),
            Targets::Labels { classes, .. } => {
                Err(LossError::Outputs { loss, outputs, needed: (*classes).max(2) })
            }
            Targets::Values { rows: 1, values } if outputs == 1 => {
                match values.iter().position(|t| t.abs() != 1.0) {
                    None => Ok(()),
                    Some(sample) => {
                        let value = values[sample];
                        Err(LossError::Domain { loss, sample, value, allowed: "−1 or 1" })
                    }
                }
            }
            Targets::Values { .. } if outputs == 1 => {
                Err(LossError::Kind { loss, needed: "one target", found: "several" })
            }
            Targets::Values { .. } => {
                Err(LossError::Kind { loss, needed: "class labels", found: "numbers" })
            }
        }
    }

    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        let mut total = 0.0;
        if self.by_rival(z, y) {
            self.each_rival(z, y, |_, _, _, (phi, ..)| total += phi);
        } else {
            vectorize(
                #[inline(always)]
                || {
                    self.each_margin(
                        z,
                        y,
                        #[inline(always)]
                        |_, _, (phi, ..)| total += phi,
                    );
                },
            );
        }
        total
    }

    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        let mut total = 0.0;
        if self.by_rival(z, y) {
            z_bar.fill(0.0);
            self.each_rival(z, y, |first, own, rival, (phi, slope, _)| {
                total += phi;
                z_bar[first + rival] += scale * slope;
                z_bar[first + own] -= scale * slope;
            });
        } else {
            vectorize(
                #[inline(always)]
                || {
                    self.each_margin(
                        z,
                        y,
                        #[inline(always)]
                        |entry, t, (phi, slope, _)| {
                            total += phi;
                            z_bar[entry] = -t * scale * slope;
                        },
                    );
                },
            );
        }
        total
    }

    fn hessian_vector(
        &self,
        scale: f64,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        if self.by_rival(z, y) {
            out.fill(0.0);
            self.each_rival(z, y, |first, own, rival, (.., bend)| {
                let along = scale * bend * (z_dot[first + rival] - z_dot[first + own]);
                out[first + rival] += along;
                out[first + own] -= along;
            });
        } else {
            vectorize(
                #[inline(always)]
                || {
                    self.each_margin(
                        z,
                        y,
                        #[inline(always)]
                        |entry, _, (.., bend)| out[entry] = scale * bend * z_dot[entry],
                    );
                },
            );
        }
    }
}

/// c: scores per sample.
#[inline(always)]
fn scores(z: &[f64], y: TargetTile<'_>) -> usize {
    match y {
        TargetTile::Labels { labels, .. } => z.len() / labels.len().max(1),
        TargetTile::Values { .. } => 1,
    }
}

/// The first of the largest scores but that of class `own`; c ≥ 2.
fn rival(z: &[f64], own: usize) -> usize {
    let mut best = usize::from(own == 0);
    for (k, score) in z.iter().enumerate() {
        if k != own && *score > z[best] {
            best = k;
        }
    }
    best
}
