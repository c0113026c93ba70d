//! What a family with its link is: its loss, its mean, its variance, its deviance and its likelihood.

use super::{GlmError, tweedie};
use secant_core::data::{Dataset, TargetTile, Targets};
use secant_core::loss::{
    Binomial, Decision, Distribution, ExponentialFamily, Gamma, Link, Logistic, Loss, LossError,
    NegativeBinomial, Poisson, SoftmaxCrossEntropy, SquaredError,
};
use secant_core::special::log_gamma_ratio;
use secant_core::text::{UnknownName, by_name};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The distribution of y.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Family {
    /// Normal.
    Gaussian,
    /// Counts.
    Poisson,
    /// Two classes or shares.
    Logistic,
    /// Positive numbers, variance in proportion to μ².
    Gamma,
    /// Positive numbers, variance in proportion to μ³.
    InverseGaussian,
    /// Counts with variance μ + αμ².
    NegativeBinomial {
        /// α > 0.
        alpha: f64,
    },
    /// Positive numbers and zeros, variance in proportion to μᵖ.
    Tweedie {
        /// p between 1 and 2.
        power: f64,
    },
    /// Classes.
    Softmax,
}

/// The families by the names of command lines; those with an option have the one that [`Family::by_name`] is given.
const NAMED: [(&str, Family); 8] = [
    ("gaussian", Family::Gaussian),
    ("poisson", Family::Poisson),
    ("logistic", Family::Logistic),
    ("gamma", Family::Gamma),
    ("inverse-gaussian", Family::InverseGaussian),
    ("negative-binomial", Family::NegativeBinomial { alpha: 1.0 }),
    ("tweedie", Family::Tweedie { power: 1.5 }),
    ("softmax", Family::Softmax),
];

impl Family {
    /// The family of this name: `gaussian`, `poisson`, `logistic`, `gamma`, `inverse-gaussian`, `negative-binomial`, `tweedie`, `softmax`. A
    /// negative binomial has α = 1 and a Tweedie p = 1.5, to be replaced.
    ///
    /// ```
    /// use secant::Family;
    /// assert_eq!(Family::by_name("inverse_gaussian"), Ok(Family::InverseGaussian));
    /// let error = Family::by_name("poison").unwrap_err().to_string();
    /// assert!(error.starts_with("no family `poison`: did you mean `poisson`? there are gaussian, "));
    /// ```
    ///
    /// # Errors
    /// [`UnknownName`] with the names that there are.
    pub fn by_name(name: &str) -> Result<Self, UnknownName> {
        by_name("family", name, &NAMED)
    }

    /// A short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::Softmax => "softmax",
            _ => self.distribution().name(),
        }
    }

    /// Whether the dispersion φ is estimated; 1 otherwise.
    pub fn estimates_dispersion(self) -> bool {
        matches!(self, Self::Gaussian | Self::Gamma | Self::InverseGaussian | Self::Tweedie { .. })
    }

    /// The links that there are, the default one first.
    pub fn links(self) -> &'static [Link] {
        match self {
            Self::Logistic => Binomial::LINKS,
            Self::Softmax => &[Link::Softmax],
            _ => self.distribution().links(),
        }
    }

    /// Of a family of numbers; the normal stands in for classes.
    fn distribution(self) -> Distribution {
        match self {
            Self::Poisson => Distribution::Poisson,
            Self::Gamma => Distribution::Gamma,
            Self::InverseGaussian => Distribution::InverseGaussian,
            Self::NegativeBinomial { alpha } => Distribution::NegativeBinomial { alpha },
            Self::Tweedie { power } => Distribution::Tweedie { power },
            Self::Gaussian | Self::Logistic | Self::Softmax => Distribution::Gaussian,
        }
    }
}

/// A family with one of its links.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Response {
    pub family: Family,
    pub link: Link,
}

impl Response {
    /// With the link asked for, or the family's default.
    pub(super) fn new(family: Family, link: Option<Link>) -> Result<Self, GlmError> {
        let links = family.links();
        let link = link.unwrap_or(links[0]);
        if links.contains(&link) {
            return Ok(Self { family, link });
        }
        let allowed = links.iter().map(|link| link.name()).collect::<Vec<_>>().join(", ");
        Err(GlmError::Link { family: family.name(), link: link.name(), allowed })
    }

    /// The loss of numbers in its general form.
    fn numbers(self) -> ExponentialFamily {
        ExponentialFamily { distribution: self.family.distribution(), link: self.link }
    }

    fn classes(self) -> Binomial {
        Binomial { link: self.link }
    }

    /// Minus the log-likelihood of a sample, times φ, but for terms in y alone.
    pub(super) fn loss(self) -> Box<dyn Loss> {
        match (self.family, self.link) {
            (Family::Gaussian, Link::Identity) => Box::new(SquaredError),
            (Family::Poisson, Link::Log) => Box::new(Poisson::default()),
            (Family::Logistic, Link::Logit) => Box::new(Logistic),
            (Family::Logistic, _) => Box::new(self.classes()),
            (Family::Gamma, Link::Log) => Box::new(Gamma),
            (Family::NegativeBinomial { alpha }, Link::Log) => {
                Box::new(NegativeBinomial::new(alpha))
            }
            (Family::Softmax, _) => Box::new(SoftmaxCrossEntropy),
            _ => Box::new(self.numbers()),
        }
    }

    /// The same with the mean of its Hessian over y in place of the Hessian.
    pub(super) fn expected_information(self) -> Box<dyn Loss> {
        match (self.family, self.link) {
            // Canonical links: the Hessian does not depend on y.
            (Family::Gaussian, Link::Identity)
            | (Family::Poisson, Link::Log)
            | (Family::Logistic, Link::Logit)
            | (Family::Softmax, _) => self.loss(),
            _ => Box::new(ExpectedInformation { response: self, loss: self.loss() }),
        }
    }

    fn expected_curvature(self, z: f64) -> f64 {
        match self.family {
            Family::Logistic => self.classes().expected_curvature(z),
            _ => self.numbers().expected_curvature(z),
        }
    }

    /// Scores per sample.
    pub(super) fn outputs(self, data: &Dataset) -> usize {
        match (self.family, data.targets()) {
            (Family::Softmax, Targets::Labels { classes, .. }) => *classes,
            _ => 1,
        }
    }

    /// Whether some scores have no mean.
    pub(super) fn is_limited(self) -> bool {
        match self.link {
            Link::Identity => self.family != Family::Gaussian,
            Link::Log => self.family == Family::Logistic,
            link => matches!(link, Link::Inverse | Link::InverseSquare | Link::Sqrt),
        }
    }

    /// Whether the score has a mean.
    pub(super) fn allows(self, z: f64) -> bool {
        match (self.is_limited(), self.family) {
            (false, _) => true,
            (true, Family::Gaussian) => z != 0.0,
            (true, Family::Logistic) => self.classes().allows(z),
            (true, _) => z > 0.0,
        }
    }

    /// How far the score is from the end of those that have a mean, where some have none.
    pub(super) fn room(self, z: f64) -> f64 {
        match (self.family, self.link) {
            (Family::Logistic, Link::Identity) => z.min(1.0 - z),
            _ => z.abs(),
        }
    }

    /// Whether a target of class 1, or of class 0, is fitted exactly as z goes to ∞ or −∞.
    pub(super) fn has_limit_at(self, class: bool) -> bool {
        match self.link {
            Link::Identity => false,
            Link::Log => !class,
            _ => true,
        }
    }

    /// Whether a target of 0 is fitted exactly as z goes to −∞.
    pub(super) fn has_limit_at_zero(self) -> bool {
        let at_zero = matches!(
            self.family,
            Family::Poisson | Family::NegativeBinomial { .. } | Family::Tweedie { .. }
        );
        at_zero && self.link == Link::Log
    }

    /// −ln of the probabilities of the classes 0 and 1 of two.
    pub(super) fn surprises(self, z: f64) -> [f64; 2] {
        [0.0, 1.0].map(|y| self.classes().value(&[z], TargetTile::Values { rows: 1, values: &[y] }))
    }

    /// μ at z; class probabilities for the softmax of c scores.
    pub(super) fn mean(self, z: &mut [f64], c: usize) {
        self.link.means(z, c);
    }

    /// V(μ), the variance over φ.
    pub(super) fn variance(self, mean: f64) -> f64 {
        match self.family {
            Family::Logistic | Family::Softmax => mean * (1.0 - mean),
            family => family.distribution().variance(mean),
        }
    }

    /// A sample's part of the deviance: twice φ times what the log-likelihood lacks to that of μ = y. Not of the softmax.
    pub(super) fn deviance(self, y: f64, z: f64, mean: f64) -> f64 {
        match self.family {
            // −ln of the share expected, less that of the share itself.
            Family::Logistic | Family::Softmax => {
                let entropy = times_ln(y, y) + times_ln(1.0 - y, 1.0 - y);
                let tile = TargetTile::Values { rows: 1, values: &[y] };
                2.0 * (self.classes().value(&[z], tile) + entropy)
            }
            family => 2.0 * family.distribution().half_deviance(y, mean),
        }
    }

    /// The same of a mean without a score.
    pub(super) fn deviance_of_mean(self, y: f64, mean: f64) -> f64 {
        match self.family {
            Family::Logistic | Family::Softmax => {
                2.0 * (times_ln(y, y / mean) + times_ln(1.0 - y, (1.0 - y) / (1.0 - mean)))
            }
            family => 2.0 * family.distribution().half_deviance(y, mean),
        }
    }

    /// φ times the part of a sample's log-likelihood that depends on its mean. Of numbers.
    pub(super) fn kernel(self, y: f64, z: f64) -> f64 {
        -self.numbers().value(&[z], TargetTile::Values { rows: 1, values: &[y] })
    }

    /// A sample's log-likelihood at the dispersion φ. Not of the softmax.
    pub(super) fn log_likelihood(self, y: f64, z: f64, mean: f64, dispersion: f64) -> f64 {
        let tile = TargetTile::Values { rows: 1, values: &[y] };
        let kernel = || self.kernel(y, z);
        match self.family {
            Family::Gaussian => {
                let square = (y - mean) * (y - mean) / dispersion;
                -0.5 * (square + (2.0 * PI * dispersion).ln())
            }
            Family::Poisson => kernel() - libm::lgamma(y + 1.0),
            Family::Logistic | Family::Softmax => -self.classes().value(&[z], tile),
            Family::Gamma => {
                let shape = dispersion.recip();
                let ratio = shape * y / mean;
                shape * ratio.ln() - ratio - y.ln() - libm::lgamma(shape)
            }
            Family::InverseGaussian => {
                let ratio = y / mean - 1.0;
                let scaled = 2.0 * PI * dispersion * y * y * y;
                -0.5 * (ratio * ratio / (dispersion * y) + scaled.ln())
            }
            Family::NegativeBinomial { alpha } => {
                kernel() + log_gamma_ratio(alpha.recip(), y) - libm::lgamma(y + 1.0)
            }
            Family::Tweedie { power } => {
                kernel() / dispersion + tweedie::log_normaliser(y, dispersion, power)
            }
        }
    }
}

/// a·ln b, 0 where a is.
fn times_ln(a: f64, b: f64) -> f64 {
    if a == 0.0 { 0.0 } else { a * b.ln() }
}

/// A family's loss with the expectation of its Hessian, (dμ/dz)²/V(μ).
#[derive(Debug)]
struct ExpectedInformation {
    response: Response,
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
            *out = scale * self.response.expected_curvature(*z) * z_dot;
        }
    }
}
