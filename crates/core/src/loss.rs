//! Losses ℓ(z, y) of one sample's output z and target y, with gradient and Hessian. The risk takes their *mean* over the samples.
//!
//! Most are convex in z, so that JᵀH_ℓJ is positive semidefinite (the generalised Gauss–Newton matrix, Schraudolph 2002). One that
//! is not says what stands in for H_ℓ there. Two have kinks, [`AbsoluteError`] and the plain [`Hinge`] (and Crammer and Singer's form of
//! either hinge): [`Loss::is_smooth`] says so, and methods that need a smooth function refuse them.
//!
//! | loss | ℓ of one output and target | targets |
//! |---|---|---|
//! | [`SquaredError`] | ½(z − y)² | numbers |
//! | [`MaskedSquaredError`] | ½w(z − y)², a weight for each output | numbers, and their weights |
//! | [`AbsoluteError`] | ∣z − y∣ | numbers |
//! | [`Robust`] | ½σ²·ρ((z − y)²/σ²): Huber, soft-L1, Cauchy, Tukey | numbers |
//! | [`LogCosh`] | s²·ln cosh((z − y)/s) | numbers |
//! | [`Quantile`] | τ·e + h·ln(1 + e^(−e/h)), e = y − z | numbers |
//! | [`LearnedVariance`] | ½(s + (z − y)²·e^(−s)), s a second output | numbers |
//! | [`Poisson`] | e^z − y·z | numbers ≥ 0 |
//! | [`NegativeBinomial`] | (y + 1/α)·ln(1 + α·e^z) − y·z | numbers ≥ 0 |
//! | [`Gamma`] | z + y·e^(−z) | numbers > 0 |
//! | [`Logistic`] | ln(1 + e^(−t·z)) | two classes, or numbers in [0, 1] |
//! | [`Binomial`] | −y·ln μ − (1 − y)·ln(1 − μ), μ by probit, complementary log-log, logit, log or identity | two classes, or numbers in [0, 1] |
//! | [`ExponentialFamily`] | −ln p(y) of normal, Poisson, gamma, inverse Gaussian, negative binomial, Tweedie with any of its links | as the distribution has it |
//! | [`SoftmaxCrossEntropy`] | ln Σₖ e^(zₖ) − z_y | classes |
//! | [`SmoothedSoftmax`] | the same with weights of the classes and smoothed labels | classes |
//! | [`Hinge`] | max(0, 1 − t·z), or its square | classes, or numbers ±1 |

mod absolute;
mod binomial;
mod exponential_family;
mod gamma;
mod hinge;
mod learned_variance;
mod link;
mod log_cosh;
mod logistic;
mod masked_squared_error;
mod negative_binomial;
mod pointwise;
mod poisson;
mod quantile;
mod robust;
mod smoothed_softmax;
mod softmax_cross_entropy;
mod squared_error;

pub use absolute::AbsoluteError;
pub use binomial::Binomial;
pub use exponential_family::{Distribution, ExponentialFamily};
pub use gamma::Gamma;
pub use hinge::{Hinge, HingePower, MultiClass};
pub use learned_variance::LearnedVariance;
pub use link::Link;
pub use log_cosh::LogCosh;
pub use logistic::Logistic;
pub use masked_squared_error::MaskedSquaredError;
pub use negative_binomial::NegativeBinomial;
pub use poisson::Poisson;
pub use quantile::Quantile;
pub use robust::Robust;
pub use smoothed_softmax::SmoothedSoftmax;
pub use softmax_cross_entropy::SoftmaxCrossEntropy;
pub use squared_error::SquaredError;

use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use serde::{Deserialize, Serialize};
use std::f64::consts::LN_2;
use std::fmt::Debug;

/// Why a loss refuses an output or its targets.
#[derive(Clone, PartialEq, thiserror::Error)]
pub enum LossError {
    /// The model's outputs and the targets do not fit.
    #[error("{loss}: the model has {outputs} output(s), the targets need {needed}")]
    Outputs {
        /// Name of the loss.
        loss: &'static str,
        /// Outputs of the model.
        outputs: usize,
        /// What the targets need.
        needed: usize,
    },
    /// Class labels where numbers are needed, or the other way round.
    #[error("{loss}: needs {needed}, the data has {found}")]
    Kind {
        /// Name of the loss.
        loss: &'static str,
        /// What the loss needs.
        needed: &'static str,
        /// What the data has.
        found: &'static str,
    },
    /// A target outside the loss's domain.
    #[error("{loss}: target {value} of sample {sample} must be {allowed}")]
    Domain {
        /// Name of the loss.
        loss: &'static str,
        /// Sample, from 0.
        sample: usize,
        /// The target.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// An option out of range.
    #[error("{loss}: {option} = {value} must be {allowed}")]
    Option {
        /// Name of the loss.
        loss: &'static str,
        /// Name of the option.
        option: &'static str,
        /// The value given.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A link that the distribution does not go with.
    #[error("{loss}: there is no {link} link, only {allowed}")]
    Link {
        /// Name of the loss.
        loss: &'static str,
        /// Name of the link.
        link: &'static str,
        /// Those that there are.
        allowed: String,
    },
    /// A scale out of range.
    #[error("{loss}: the scale is {scale}, it must be positive and finite")]
    Scale {
        /// Name of the loss.
        loss: &'static str,
        /// The scale.
        scale: f64,
    },
}

impl std::fmt::Debug for LossError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// ln ln 2.
const LN_LN_2: f64 = -0.366_512_920_581_664_3;

/// What a model's outputs mean once it is fitted with a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Numbers.
    #[default]
    Value,
    /// Scores of the classes: the largest decides. One score alone is as [`Sign`](Self::Sign).
    LargestScore,
    /// One score: class 1 where it is positive, class 0 elsewhere.
    Sign,
    /// One score with the complementary log-log link: class 1 where it is above ln ln 2, which is a probability of ½.
    ComplementaryLogLog,
    /// One score, the logarithm of the probability of class 1: class 1 where it is above −ln 2.
    LogProbability,
    /// One score, the probability of class 1: class 1 where it is above ½.
    Probability,
}

impl Decision {
    /// Whether one score decides between two classes.
    pub fn is_of_two_classes(self) -> bool {
        !matches!(self, Self::Value | Self::LargestScore)
    }

    /// The class that the scores of one sample decide for: the first of the largest. 0 for outputs that are no scores.
    pub fn class(self, scores: &[f64]) -> u32 {
        let above = |level: f64| u32::from(scores.first().is_some_and(|score| *score > level));
        match self {
            Self::Value => 0,
            Self::Sign => above(0.0),
            Self::ComplementaryLogLog => above(LN_LN_2),
            Self::LogProbability => above(-LN_2),
            Self::Probability => above(0.5),
            Self::LargestScore => {
                let mut best = 0;
                for (k, score) in scores.iter().enumerate() {
                    if *score > scores[best] {
                        best = k;
                    }
                }
                u32::try_from(best).unwrap_or(u32::MAX)
            }
        }
    }
}

/// What the Hessian of a loss in the outputs looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossHessian {
    /// The identity, for every sample: the risk is ½ of a mean of squares.
    Identity,
    /// A full c × c matrix that changes with the sample.
    Dense,
}

/// A loss and its derivatives in the outputs. Slices hold c × B entries, a column a sample.
pub trait Loss: Debug + Send + Sync {
    /// A short name: `squared`, `softmax`, `logistic`.
    fn name(&self) -> &'static str;

    /// Name and options, as a file has them. Default none: a model fitted with the loss cannot be saved.
    fn describe(&self) -> Option<Choice> {
        None
    }

    /// What the outputs of a model fitted with this loss mean.
    fn decision(&self) -> Decision {
        Decision::Value
    }

    /// Whether a model with `outputs` outputs can be judged against `targets`.
    ///
    /// # Errors
    /// When they do not fit, with the numbers.
    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError>;

    /// Σ ℓ(z, y) over the tile.
    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64;

    /// Σ ℓ(z, y), with z̄ ← `scale`·∂ℓ/∂z.
    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64;

    /// `out` ← `scale`·∂²ℓ/∂z²·ż, sample by sample.
    fn hessian_vector(
        &self,
        scale: f64,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    );

    /// `out` ← `scale`·B·ż, sample by sample, with a positive semidefinite B in place of ∂²ℓ/∂z²: the middle of the Gauss–Newton
    /// matrix JᵀBJ. Default: the Hessian, for a loss that is convex in z.
    fn gauss_newton_vector(
        &self,
        scale: f64,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        self.hessian_vector(scale, z, y, z_dot, out);
    }

    /// Whether ℓ is convex in the outputs. Default true.
    fn is_convex(&self) -> bool {
        true
    }

    /// Whether ℓ has a gradient everywhere that is Lipschitz nearby; at a kink [`gradient`](Self::gradient) is one of the subgradients,
    /// and the Hessian knows nothing of it. A `Method` that needs a smooth function refuses one that is not; a solver that is handed the
    /// objective itself cannot ask. Default true.
    fn is_smooth(&self) -> bool {
        true
    }

    /// The outputs that a model without inputs would have, about, from mean and deviation of every row of the targets (numbers): where the
    /// biases of a network's output may start. Default none: the targets have no level that the outputs share.
    fn level(&self, means: &[f64], deviations: &[f64]) -> Option<Vec<f64>> {
        let _ = (means, deviations);
        None
    }

    /// How the mean of a target follows from the outputs. Default none: ℓ is no minus log-likelihood, or its outputs are more than a mean.
    fn link(&self) -> Option<Link> {
        None
    }

    /// The deviance of the tile: twice what −ln p(y) is above its least value over all outputs, times the dispersion. Default none.
    fn deviance(&self, z: &[f64], y: TargetTile<'_>) -> Option<f64> {
        let _ = (z, y);
        None
    }

    /// The Hessian's structure.
    fn hessian_kind(&self) -> LossHessian {
        LossHessian::Dense
    }

    /// `out` (c × c) ← ∂²ℓ/∂z² of the single sample z with target y. The default takes c products.
    fn hessian(&self, z: &[f64], y: TargetTile<'_>, out: &mut [f64]) {
        columns(z.len(), out, |unit, column| self.hessian_vector(1.0, z, y, unit, column));
    }

    /// `out` (c × c) ← the B of [`gauss_newton_vector`](Self::gauss_newton_vector) for the single sample z with target y. The
    /// default takes c products.
    fn gauss_newton(&self, z: &[f64], y: TargetTile<'_>, out: &mut [f64]) {
        columns(z.len(), out, |unit, column| self.gauss_newton_vector(1.0, z, y, unit, column));
    }
}

/// `out` (c × c) ← the products with the columns of the identity.
fn columns(c: usize, out: &mut [f64], product: impl Fn(&[f64], &mut [f64])) {
    if c == 1 {
        return product(&[1.0], out);
    }
    let mut unit = vec![0.0; c];
    for (k, column) in out.chunks_exact_mut(c).enumerate() {
        unit[k] = 1.0;
        product(&unit, column);
        unit[k] = 0.0;
    }
}
