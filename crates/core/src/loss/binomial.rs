//! ℓ = −y·ln μ − (1 − y)·ln(1 − μ) on one score z, with the mean μ of y by a link: binary cross-entropy, the logit of which is
//! [`Logistic`](super::Logistic).
//!
//! With the probit, ln μ = ln Φ(z) by the [tail](normal_tail) of the normal distribution; with the complementary log-log, ln(1 − μ) = −e^z
//! and ln μ = ln(1 − e^(−e^z)). Neither underflows before ℓ does: a score of −1000 has a finite ℓ and the right slope.
//! With log (z < 0) and identity (0 < z < 1) other scores have no mean: ℓ is +∞ there, so that a line search comes back.
//! Source: McCullagh & Nelder (1989), *Generalized Linear Models*, §4.3.

use super::exponential_family::OUTSIDE;
use super::logistic::check_two_classes;
use super::{Decision, Link, Loss, LossError};
use crate::choice::Choice;
use crate::data::{TargetTile, Targets};
use crate::elementwise::scalar::{exp, expm1, log, log1p, sigmoid, softplus};
use crate::special::normal_tail;
use serde::{Deserialize, Serialize};
use std::f64::consts::LN_2;

/// Below this u, u/(e^u − 1) + u − 1 is a series.
const SMALL: f64 = 0.5;
/// B₂ₖ/(2k)!: u/(e^u − 1) = 1 − u/2 + Σ of these by u²ᵏ.
const BERNOULLI: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 720.0,
    1.0 / 30_240.0,
    -1.0 / 1_209_600.0,
    1.0 / 47_900_160.0,
    -691.0 / 1_307_674_368_000.0,
    1.0 / 74_724_249_600.0,
    -3617.0 / 10_670_622_842_880_000.0,
];

/// Binary cross-entropy on one score with a choice of links. Targets: two classes (class 1 is the positive one), or numbers y ∈ [0, 1].
///
/// ```
/// use secant_core::data::TargetTile;
/// use secant_core::loss::{Binomial, Loss};
///
/// // −ln Φ(−100), where Φ itself is far below the least number.
/// let y = TargetTile::Values { rows: 1, values: &[1.0] };
/// assert!((Binomial::probit().value(&[-100.0], y) - 5005.524_208_694_2).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binomial {
    /// Probit, complementary log-log, logit, log or identity.
    pub link: Link,
}

/// ℓ and its first two derivatives.
type Taylor = [f64; 3];

impl Binomial {
    /// Links that there are.
    pub const LINKS: &[Link] =
        &[Link::Logit, Link::Probit, Link::ComplementaryLogLog, Link::Log, Link::Identity];

    /// Whether the score has a mean between 0 and 1.
    pub fn allows(self, z: f64) -> bool {
        match self.link {
            Link::Log => z < 0.0,
            Link::Identity => z > 0.0 && z < 1.0,
            _ => true,
        }
    }

    /// μ = Φ(z).
    pub fn probit() -> Self {
        Self { link: Link::Probit }
    }

    /// μ = 1 − e^(−e^z).
    pub fn complementary_log_log() -> Self {
        Self { link: Link::ComplementaryLogLog }
    }

    /// −ln(1 − μ): y = 0.
    fn zero(self, z: f64) -> Taylor {
        if !self.allows(z) {
            return OUTSIDE;
        }
        match self.link {
            Link::Log => {
                // −ln(1 − e^z), near 0 by the difference itself.
                let value = if z < -LN_2 { -log1p(-exp(z)) } else { -log(-expm1(z)) };
                let odds = expm1(-z).recip();
                [value, odds, odds * (1.0 + odds)]
            }
            Link::Identity => {
                let slope = (1.0 - z).recip();
                [-log1p(-z), slope, slope * slope]
            }
            Link::Probit => {
                let tail = normal_tail(z);
                [-tail.log, tail.hazard, tail.hazard * tail.excess]
            }
            Link::ComplementaryLogLog => [exp(z); 3],
            _ => [softplus(z), sigmoid(z), sigmoid(z) * sigmoid(-z)],
        }
    }

    /// −ln μ: y = 1.
    fn one(self, z: f64) -> Taylor {
        if !self.allows(z) {
            return OUTSIDE;
        }
        match self.link {
            Link::ComplementaryLogLog => {}
            Link::Log => return [-z, -1.0, 0.0],
            Link::Identity => {
                let slope = z.recip();
                return [-log(z), -slope, slope * slope];
            }
            _ => {
                let [value, slope, curvature] = self.zero(-z);
                return [value, -slope, curvature];
            }
        }
        let u = exp(z);
        // −ln(1 − e^(−u)), near 0 with the ln u of it apart, so that a u below the least number has z.
        let value = if u > LN_2 {
            -log1p(-exp(-u))
        } else {
            -z - if u > 0.0 { log(-expm1(-u) / u) } else { 0.0 }
        };
        let (r, rest) = ratio(u);
        [value, -r, r * rest]
    }

    fn at(self, z: f64, y: f64) -> Taylor {
        if y == 0.0 {
            return self.zero(z);
        }
        if y == 1.0 {
            return self.one(z);
        }
        let (zero, one) = (self.zero(z), self.one(z));
        std::array::from_fn(|k| (1.0 - y) * zero[k] + y * one[k])
    }

    /// The mean of ∂²ℓ/∂z² over y at the mean μ(z): (dμ/dz)²/(μ(1 − μ)).
    pub fn expected_curvature(self, z: f64) -> f64 {
        if !self.allows(z) {
            return f64::NAN;
        }
        match self.link {
            Link::Log => expm1(-z).recip(),
            Link::Identity => (z * (1.0 - z)).recip(),
            Link::Probit => normal_tail(z).hazard * normal_tail(-z).hazard,
            Link::ComplementaryLogLog => {
                let u = exp(z);
                let r = ratio(u).0;
                // u²/(e^u − 1); 0·∞ far out is 0.
                if r == 0.0 { 0.0 } else { u * r }
            }
            _ => sigmoid(z) * sigmoid(-z),
        }
    }

    /// `term(sample, [ℓ, ℓ′, ℓ″])` for every sample.
    fn each(self, z: &[f64], y: TargetTile<'_>, mut term: impl FnMut(usize, Taylor)) {
        match y {
            TargetTile::Labels { labels, .. } => {
                for (sample, (z, label)) in z.iter().zip(labels).enumerate() {
                    term(sample, if *label == 1 { self.one(*z) } else { self.zero(*z) });
                }
            }
            TargetTile::Values { values, .. } => {
                for (sample, (z, y)) in z.iter().zip(values).enumerate() {
                    term(sample, self.at(*z, *y));
                }
            }
        }
    }
}

/// r = u/(e^u − 1) and r + u − 1, for u ≥ 0.
fn ratio(u: f64) -> (f64, f64) {
    if u >= SMALL {
        let r = if u.is_finite() { u / expm1(u) } else { 0.0 };
        return (r, r + u - 1.0);
    }
    let square = u * u;
    let tail = square * BERNOULLI.iter().rev().fold(0.0_f64, |sum, c| sum.mul_add(square, *c));
    (1.0 - 0.5 * u + tail, 0.5 * u + tail)
}

impl Loss for Binomial {
    fn name(&self) -> &'static str {
        "binomial"
    }

    fn describe(&self) -> Option<Choice> {
        Choice::with_options(self.name(), self)
    }

    fn decision(&self) -> Decision {
        match self.link {
            Link::ComplementaryLogLog => Decision::ComplementaryLogLog,
            Link::Log => Decision::LogProbability,
            Link::Identity => Decision::Probability,
            _ => Decision::Sign,
        }
    }

    fn check(&self, outputs: usize, targets: &Targets) -> Result<(), LossError> {
        super::exponential_family::check_link(self.name(), self.link, Self::LINKS)?;
        check_two_classes(self.name(), outputs, targets)
    }

    fn link(&self) -> Option<Link> {
        Some(self.link)
    }

    fn value(&self, z: &[f64], y: TargetTile<'_>) -> f64 {
        let mut total = 0.0;
        self.each(z, y, |_, [value, ..]| total += value);
        total
    }

    fn gradient(&self, scale: f64, z: &[f64], y: TargetTile<'_>, z_bar: &mut [f64]) -> f64 {
        let mut total = 0.0;
        self.each(z, y, |sample, [value, slope, _]| {
            z_bar[sample] = scale * slope;
            total += value;
        });
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
        self.each(z, y, |sample, [_, _, curvature]| {
            out[sample] = scale * curvature * z_dot[sample];
        });
    }
}
