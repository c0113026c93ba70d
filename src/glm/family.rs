//! What a family is: its loss, its mean, its variance, its deviance and its likelihood.

use super::targets;
use secant_core::data::{Dataset, TargetTile, Targets};
use secant_core::elementwise::scalar::{sigmoid, softplus};
use secant_core::loss::{
    Decision, Gamma, Link, Logistic, Loss, LossError, NegativeBinomial, Poisson,
    SoftmaxCrossEntropy, SquaredError,
};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The distribution of y, with its link.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Family {
    /// Normal, identity.
    Gaussian,
    /// Counts, log.
    Poisson,
    /// Two classes or shares, logit.
    Logistic,
    /// Positive numbers, log.
    Gamma,
    /// Counts with variance μ + αμ², log.
    NegativeBinomial {
        /// α > 0.
        alpha: f64,
    },
    /// Classes.
    Softmax,
}

impl Family {
    /// A short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Poisson => "poisson",
            Self::Logistic => "logistic",
            Self::Gamma => "gamma",
            Self::NegativeBinomial { .. } => "negative binomial",
            Self::Softmax => "softmax",
        }
    }

    /// Whether the dispersion φ is estimated; 1 otherwise.
    pub fn estimates_dispersion(self) -> bool {
        matches!(self, Self::Gaussian | Self::Gamma)
    }

    pub(super) fn has_log_link(self) -> bool {
        self.link() == Link::Log
    }

    /// Minus the log-likelihood of a sample, times φ, but for terms in y alone.
    pub(super) fn loss(self) -> Box<dyn Loss> {
        match self {
            Self::Gaussian => Box::new(SquaredError),
            Self::Poisson => Box::new(Poisson::default()),
            Self::Logistic => Box::new(Logistic),
            Self::Gamma => Box::new(Gamma),
            Self::NegativeBinomial { alpha } => Box::new(NegativeBinomial::new(alpha)),
            Self::Softmax => Box::new(SoftmaxCrossEntropy),
        }
    }

    /// The same with the mean of its Hessian over y in place of the Hessian.
    pub(super) fn expected_information(self) -> Box<dyn Loss> {
        match self {
            Self::Gamma | Self::NegativeBinomial { .. } => {
                Box::new(ExpectedInformation { family: self, loss: self.loss() })
            }
            // Canonical links: the Hessian does not depend on y.
            _ => self.loss(),
        }
    }

    /// Scores per sample.
    pub(super) fn outputs(self, data: &Dataset) -> usize {
        match (self, data.targets()) {
            (Self::Softmax, Targets::Labels { classes, .. }) => *classes,
            _ => 1,
        }
    }

    /// Intercepts of the model without features: the link of the mean. 0 where that has none.
    pub(super) fn start(self, data: &Dataset, outputs: usize) -> Vec<f64> {
        let weight = |i: usize| data.weights().map_or(1.0, |weights| weights[i]);
        let total = data.total_weight();
        let (y, mut offset) = (targets(data), vec![0.0; data.samples() * outputs]);
        if self == Self::Softmax {
            let mut counts = vec![0.0; outputs];
            for (i, label) in data.targets().labels().unwrap_or_default().iter().enumerate() {
                counts[*label as usize] += weight(i);
            }
            return counts.iter().map(|count| finite((count / total).ln())).collect();
        }
        data.add_offset(&mut offset);
        let mean = |of: &dyn Fn(usize) -> f64| {
            (0..data.samples()).map(|i| weight(i) / total * of(i)).sum::<f64>()
        };
        let level = mean(&|i| y[i]);
        vec![match self {
            Self::Gaussian => mean(&|i| y[i] - offset[i]),
            Self::Logistic => finite((level / (1.0 - level)).ln()),
            _ => finite(level.ln() - mean(&|i| offset[i].exp()).ln()),
        }]
    }

    /// The link of its mean.
    fn link(self) -> Link {
        match self {
            Self::Gaussian => Link::Identity,
            Self::Logistic => Link::Logit,
            Self::Softmax => Link::Softmax,
            Self::Poisson | Self::Gamma | Self::NegativeBinomial { .. } => Link::Log,
        }
    }

    /// μ at z; class probabilities for the softmax of c scores.
    pub(super) fn mean(self, z: &mut [f64], c: usize) {
        self.link().means(z, c);
    }

    /// V(μ), the variance over φ.
    pub(super) fn variance(self, mean: f64) -> f64 {
        match self {
            Self::Gaussian => 1.0,
            Self::Poisson => mean,
            Self::Logistic | Self::Softmax => mean * (1.0 - mean),
            Self::Gamma => mean * mean,
            Self::NegativeBinomial { alpha } => mean + alpha * mean * mean,
        }
    }

    /// A sample's part of the deviance: twice φ times what the log-likelihood lacks to that of μ = y. Not of the softmax.
    pub(super) fn deviance(self, y: f64, z: f64, mean: f64) -> f64 {
        let tile = TargetTile::Values { rows: 1, values: &[y] };
        let of = |loss: &dyn Loss| loss.deviance(&[z], tile).unwrap_or(f64::NAN);
        match self {
            Self::Gaussian => (y - mean) * (y - mean),
            Self::Poisson => of(&Poisson::default()),
            // −ln of the share expected, less that of the share itself.
            Self::Logistic | Self::Softmax => {
                let entropy = times_ln(y, y) + times_ln(1.0 - y, 1.0 - y);
                2.0 * (y * softplus(-z) + (1.0 - y) * softplus(z) + entropy)
            }
            Self::Gamma => of(&Gamma),
            Self::NegativeBinomial { alpha } => of(&NegativeBinomial::new(alpha)),
        }
    }

    /// A sample's log-likelihood at the dispersion φ. Not of the softmax.
    pub(super) fn log_likelihood(self, y: f64, z: f64, mean: f64, dispersion: f64) -> f64 {
        let tile = TargetTile::Values { rows: 1, values: &[y] };
        match self {
            Self::Gaussian => {
                let square = (y - mean) * (y - mean) / dispersion;
                -0.5 * (square + (2.0 * PI * dispersion).ln())
            }
            Self::Poisson => -Poisson::full().value(&[z], tile),
            Self::Logistic | Self::Softmax => -Logistic.value(&[z], tile),
            Self::Gamma => {
                let shape = dispersion.recip();
                let ratio = shape * y / mean;
                shape * ratio.ln() - ratio - y.ln() - libm::lgamma(shape)
            }
            Self::NegativeBinomial { alpha } => -NegativeBinomial::full(alpha).value(&[z], tile),
        }
    }
}

/// a·ln b, 0 where a is.
fn times_ln(a: f64, b: f64) -> f64 {
    if a == 0.0 { 0.0 } else { a * b.ln() }
}

/// The number, or 0 where it is none.
fn finite(x: f64) -> f64 {
    if x.is_finite() { x } else { 0.0 }
}

/// A family's loss with the expectation of its Hessian: 1 for the gamma, μ/(1 + αμ) for the negative binomial.
#[derive(Debug)]
struct ExpectedInformation {
    family: Family,
    loss: Box<dyn Loss>,
}

impl Loss for ExpectedInformation {
    fn name(&self) -> &'static str {
        self.loss.name()
    }
    fn decision(&self) -> Decision {
        self.loss.decision()
    }
    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        self.loss.check(outputs, targets)
    }
    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        self.loss.value(z, y)
    }
    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        self.loss.gradient(scale, z, y, z_bar)
    }
    fn hessian_vector(
        &self,
        scale: f64,
        z: &[f64],
        _y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        for ((out, z), z_dot) in out.iter_mut().zip(z).zip(z_dot) {
            let weight = match self.family {
                Family::NegativeBinomial { alpha } => sigmoid(z + alpha.ln()) / alpha,
                _ => 1.0,
            };
            *out = scale * weight * z_dot;
        }
    }
}
