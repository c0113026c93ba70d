//! Minus the log-likelihood of a mean, times the dispersion φ and but for terms in y alone, over the outputs: the distribution's
//! q(μ) = ∫ (μ − y)/V(μ) dμ with μ by any of its links.
//!
//! | distribution | V | ℓ = q(μ) | links |
//! |---|---|---|---|
//! | normal | 1 | ½(y − μ)² | identity, log, inverse |
//! | Poisson | μ | μ − y·ln μ | log, identity, sqrt |
//! | gamma | μ² | ln μ + y/μ | log, identity, inverse |
//! | inverse Gaussian | μ³ | y/(2μ²) − 1/μ | log, identity, inverse, inverse square |
//! | negative binomial | μ + αμ² | (y + 1/α)·ln(1 + αμ) − y·ln μ | log, identity, sqrt |
//! | Tweedie | μᵖ, 1 < p < 2 | μ^(2−p)/(2 − p) + y·μ^(1−p)/(p − 1) | log, identity, sqrt |
//!
//! With v = ln μ and e₁ = μ′/μ, e₂ = μ″/μ of the link, ℓ′ = q_v·e₁ and ℓ″ = μ²q″·e₁² + q_v·e₂: no power of μ overflows that is not in the
//! result. Where a link leaves the means (z ≤ 0 but for identity and log) ℓ is +∞, so that a line search comes back.
//! Source: McCullagh & Nelder (1989), *Generalized Linear Models*, ch. 2 and 9; Jørgensen (1987), JRSS B 49, for Tweedie's.

use super::pointwise::{check_option, times_log_ratio};
use super::squared_error::{check_numbers, numbers};
use super::{Link, Loss, LossError};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use crate::elementwise::scalar::{exp, log, log1p};
use serde::{Deserialize, Serialize};

/// The distribution of y, by its variance as a function of its mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Normal.
    Gaussian,
    /// Counts.
    Poisson,
    /// Positive numbers, V = μ².
    Gamma,
    /// Positive numbers, V = μ³.
    InverseGaussian,
    /// Counts, V = μ + αμ².
    NegativeBinomial {
        /// α > 0.
        alpha: f64,
    },
    /// Sums of a Poisson number of gammas: positive numbers, and zeros among them; V = μᵖ.
    Tweedie {
        /// p between 1 and 2.
        power: f64,
    },
}

impl Distribution {
    /// A short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Poisson => "poisson",
            Self::Gamma => "gamma",
            Self::InverseGaussian => "inverse gaussian",
            Self::NegativeBinomial { .. } => "negative binomial",
            Self::Tweedie { .. } => "tweedie",
        }
    }

    /// Its links, the first one the usual.
    pub fn links(self) -> &'static [Link] {
        match self {
            Self::Gaussian => &[Link::Identity, Link::Log, Link::Inverse],
            Self::Gamma => &[Link::Log, Link::Identity, Link::Inverse],
            Self::InverseGaussian => {
                &[Link::Log, Link::Identity, Link::Inverse, Link::InverseSquare]
            }
            Self::Poisson | Self::NegativeBinomial { .. } | Self::Tweedie { .. } => {
                &[Link::Log, Link::Identity, Link::Sqrt]
            }
        }
    }

    /// V(μ).
    pub fn variance(self, mean: f64) -> f64 {
        match self {
            Self::Gaussian => 1.0,
            Self::Poisson => mean,
            Self::Gamma => mean * mean,
            Self::InverseGaussian => mean * mean * mean,
            Self::NegativeBinomial { alpha } => mean + alpha * mean * mean,
            Self::Tweedie { power } => exp(power * log(mean)),
        }
    }

    /// Half the deviance of y at the mean μ.
    pub fn half_deviance(self, y: f64, mean: f64) -> f64 {
        let ratio = y / mean;
        match self {
            Self::Gaussian => 0.5 * (y - mean) * (y - mean),
            Self::Poisson => times_log_ratio(y, mean) - (y - mean),
            Self::Gamma => ratio - 1.0 - ratio.ln(),
            Self::InverseGaussian => (ratio - 1.0) * (ratio - 1.0) / (2.0 * y),
            Self::NegativeBinomial { alpha } => {
                let spread = (alpha * (mean - y) / (1.0 + alpha * y)).ln_1p();
                times_log_ratio(y, mean) + (y + alpha.recip()) * spread
            }
            Self::Tweedie { power: p } => {
                let (at, of) = (exp((1.0 - p) * log(mean)), 2.0 - p);
                let own = if y == 0.0 { 0.0 } else { exp(of * log(y)) / of };
                (y * at - own) / (p - 1.0) + mean * at / of
            }
        }
    }

    fn allows(self, y: f64) -> bool {
        let allowed = match self {
            Self::Gaussian => true,
            Self::Gamma | Self::InverseGaussian => y > 0.0,
            Self::Poisson | Self::NegativeBinomial { .. } | Self::Tweedie { .. } => y >= 0.0,
        };
        allowed && y.is_finite()
    }

    fn allowed(self) -> &'static str {
        match self {
            Self::Gaussian => "a finite number",
            Self::Gamma | Self::InverseGaussian => "positive",
            Self::Poisson | Self::NegativeBinomial { .. } | Self::Tweedie { .. } => "0 or more",
        }
    }

    /// q, q_v = μ·q′ and μ²·q″ at μ = e^`log_mean` > 0. Not of the normal.
    #[inline(always)]
    fn at(self, mean: f64, log_mean: f64, y: f64) -> [f64; 3] {
        match self {
            Self::Gaussian => [f64::NAN; 3],
            Self::Poisson => [mean - y * log_mean, mean - y, y],
            Self::Gamma => {
                let ratio = y / mean;
                [log_mean + ratio, 1.0 - ratio, 2.0 * ratio - 1.0]
            }
            Self::InverseGaussian => {
                let (ratio, inverse) = (y / mean, mean.recip());
                let value = (0.5 * ratio - 1.0) * inverse;
                [value, (1.0 - ratio) * inverse, (3.0 * ratio - 2.0) * inverse]
            }
            Self::NegativeBinomial { alpha } => {
                let (scaled, whole) = (alpha * mean, 1.0 + alpha * mean);
                let value = (y + alpha.recip()) * log1p(scaled) - y * log_mean;
                let share = mean / whole;
                [value, (mean - y) / whole, y - alpha * (1.0 + alpha * y) * share * share]
            }
            Self::Tweedie { power: p } => {
                let low = y * exp((1.0 - p) * log_mean);
                let high = exp((2.0 - p) * log_mean);
                [high / (2.0 - p) + low / (p - 1.0), high - low, (1.0 - p) * high + p * low]
            }
        }
    }

    /// μ²/V.
    fn information(self, mean: f64, log_mean: f64) -> f64 {
        match self {
            Self::Gaussian => mean * mean,
            Self::Poisson => mean,
            Self::Gamma => 1.0,
            Self::InverseGaussian => mean.recip(),
            Self::NegativeBinomial { alpha } => mean / (1.0 + alpha * mean),
            Self::Tweedie { power } => exp((2.0 - power) * log_mean),
        }
    }
}

/// A link's mean at a z, with ln μ, μ′/μ and μ″/μ; none where z is outside its domain.
#[inline(always)]
fn mean_at(link: Link, z: f64) -> Option<[f64; 4]> {
    if link == Link::Log {
        return Some([exp(z), z, 1.0, 1.0]);
    }
    if z <= 0.0 || z.is_nan() {
        return None;
    }
    let (inverse, log) = (z.recip(), log(z));
    let square = inverse * inverse;
    match link {
        Link::Identity => Some([z, log, inverse, 0.0]),
        Link::Inverse => Some([inverse, -log, -inverse, 2.0 * square]),
        Link::InverseSquare => Some([inverse.sqrt(), -0.5 * log, -0.5 * inverse, 0.75 * square]),
        Link::Sqrt => Some([z * z, 2.0 * log, 2.0 * inverse, 2.0 * square]),
        _ => None,
    }
}

/// A mean of a distribution of the exponential family by a link, the other parameters given.
///
/// ```
/// use secant_core::loss::{Distribution, ExponentialFamily, Link, Loss};
///
/// let loss = ExponentialFamily::tweedie(1.5);
/// assert_eq!(loss.link(), Some(Link::Log));
/// // Canonical for the inverse Gaussian: convex there.
/// let canonical = ExponentialFamily { distribution: Distribution::InverseGaussian, link: Link::InverseSquare };
/// assert!(canonical.is_convex() && !ExponentialFamily::inverse_gaussian().is_convex());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExponentialFamily {
    /// The distribution.
    pub distribution: Distribution,
    /// The link, one of [`Distribution::links`].
    pub link: Link,
}

impl ExponentialFamily {
    /// With the usual link of the distribution.
    pub fn new(distribution: Distribution) -> Self {
        Self { distribution, link: distribution.links()[0] }
    }

    /// Inverse Gaussian, log link.
    pub fn inverse_gaussian() -> Self {
        Self::new(Distribution::InverseGaussian)
    }

    /// Tweedie's of the power p between 1 and 2, log link. p is checked when a risk is made of it.
    pub fn tweedie(power: f64) -> Self {
        Self::new(Distribution::Tweedie { power })
    }

    /// ℓ, ∂ℓ/∂z, ∂²ℓ/∂z².
    #[inline(always)]
    fn at(self, z: f64, y: f64) -> [f64; 3] {
        if self.distribution == Distribution::Gaussian {
            let Some([mean, slope, curvature]) = self.plain(z) else { return OUTSIDE };
            let r = mean - y;
            return [0.5 * r * r, r * slope, slope * slope + r * curvature];
        }
        let Some([mean, log_mean, first, second]) = mean_at(self.link, z) else { return OUTSIDE };
        let [value, slope, curvature] = self.distribution.at(mean, log_mean, y);
        [value, slope * first, curvature * first * first + slope * second]
    }

    /// μ, μ′ and μ″ of the normal's links: means of either sign.
    #[inline(always)]
    fn plain(self, z: f64) -> Option<[f64; 3]> {
        match self.link {
            Link::Identity => Some([z, 1.0, 0.0]),
            Link::Log => Some([exp(z); 3]),
            _ if z == 0.0 => None,
            _ => {
                let mean = z.recip();
                Some([mean, -mean * mean, 2.0 * mean * mean * mean])
            }
        }
    }

    /// The mean of ∂²ℓ/∂z² over y at the mean μ(z): (dμ/dz)²/V(μ).
    pub fn expected_curvature(self, z: f64) -> f64 {
        if self.distribution == Distribution::Gaussian {
            return self.plain(z).map_or(f64::NAN, |[_, slope, _]| slope * slope);
        }
        mean_at(self.link, z).map_or(f64::NAN, |[mean, log_mean, first, _]| {
            self.distribution.information(mean, log_mean) * first * first
        })
    }
}

/// Outside the domain of the link.
pub(super) const OUTSIDE: [f64; 3] = [f64::INFINITY, f64::NAN, f64::NAN];

/// Refuses a link that is not among `links`.
pub(super) fn check_link(
    loss: &'static str,
    link: Link,
    links: &'static [Link],
) -> Result<(), LossError> {
    if links.contains(&link) {
        return Ok(());
    }
    let allowed = links.iter().map(|link| link.name()).collect::<Vec<_>>().join(", ");
    Err(LossError::Link { loss, link: link.name(), allowed })
}

impl Loss for ExponentialFamily {
    fn name(&self) -> &'static str {
        self.distribution.name()
    }

    fn describe(&self) -> Option<Choice> {
        Choice::with_options("exponential-family", self)
    }

    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        let loss = self.name();
        match self.distribution {
            Distribution::NegativeBinomial { alpha } => {
                let fits = alpha > 0.0 && alpha.is_finite() && alpha.recip().is_finite();
                check_option(loss, "alpha", alpha, fits, "positive and finite, as 1/alpha")?;
            }
            Distribution::Tweedie { power } => {
                let fits = power > 1.0 && power < 2.0;
                check_option(loss, "power", power, fits, "between 1 and 2")?;
            }
            _ => {}
        }
        check_link(loss, self.link, self.distribution.links())?;
        check_numbers(loss, outputs, targets)?;
        let values = targets.values().unwrap_or_default();
        match values.iter().position(|y| !self.distribution.allows(*y)) {
            None => Ok(()),
            Some(at) => {
                let (sample, value) = (at / outputs, values[at]);
                Err(LossError::Domain { loss, sample, value, allowed: self.distribution.allowed() })
            }
        }
    }

    fn is_convex(&self) -> bool {
        match self.distribution {
            Distribution::Gaussian => self.link == Link::Identity,
            Distribution::Poisson => true,
            Distribution::Gamma => self.link != Link::Identity,
            Distribution::InverseGaussian => {
                matches!(self.link, Link::Inverse | Link::InverseSquare)
            }
            Distribution::NegativeBinomial { .. } | Distribution::Tweedie { .. } => {
                self.link == Link::Log
            }
        }
    }

    fn link(&self) -> Option<Link> {
        Some(self.link)
    }

    fn deviance(&self, z: &[f64], y: TargetTile<'_>) -> Option<f64> {
        let mut means = z.to_vec();
        self.link.means(&mut means, 1);
        let each = means.iter().zip(numbers(y));
        Some(each.map(|(mean, y)| 2.0 * self.distribution.half_deviance(*y, *mean)).sum())
    }

    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        z.iter().zip(numbers(y)).map(|(z, y)| self.at(*z, *y)[0]).sum()
    }

    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        let mut total = 0.0;
        for ((z_bar, z), y) in z_bar.iter_mut().zip(z).zip(numbers(y)) {
            let [value, slope, _] = self.at(*z, *y);
            *z_bar = scale * slope;
            total += value;
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
        for (((out, z), y), z_dot) in out.iter_mut().zip(z).zip(numbers(y)).zip(z_dot) {
            *out = scale * self.at(*z, *y)[2] * z_dot;
        }
    }

    /// Where ℓ is not convex, Fisher's information of the mean.
    fn gauss_newton_vector(
        &self,
        scale: f64,
        z: &[f64],
        y: TargetTile<'_>,
        z_dot: &[f64],
        out: &mut [f64],
    ) {
        if self.is_convex() {
            return self.hessian_vector(scale, z, y, z_dot, out);
        }
        for ((out, z), z_dot) in out.iter_mut().zip(z).zip(z_dot) {
            *out = scale * self.expected_curvature(*z) * z_dot;
        }
    }
}
