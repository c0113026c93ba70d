//! Normal, Student's t, χ² and F: distribution function, survival function and quantiles of either tail, to 1e-13 relative
//! for 1 to 10⁶ degrees of freedom; a tail of e⁻ᴱ to 4Eε more, 6e-13 at 1e-300.
//!
//! The tails of t and F are incomplete beta functions, those of χ² incomplete gamma functions (`incomplete.rs`). Quantiles are Newton's
//! method for the logarithm of the lesser tail, kept in a bracket, from a point that the normal quantile gives (`quantile.rs`). Only `libm`
//! is used, so that the bits are the same on every platform.

mod incomplete;
mod normal;
mod quantile;

use incomplete::{Beta, Tails, gamma_tails};
use quantile::positive_quantile;
use serde::{Deserialize, Serialize};

pub use normal::Normal;

/// ln y from which the tail of t is its first term to all digits: y is of the order of the next one.
const FAR: f64 = -60.0;

/// A distribution on the line, of one argument.
///
/// ```
/// use secant_optim::inference::distributions::{Distribution, Normal, StudentT};
/// let t = StudentT::new(10.0);
/// assert!((t.quantile(0.975) - 2.228138851986274).abs() < 1e-13);
/// assert!((t.survival(t.survival_quantile(1e-30)) / 1e-30 - 1.0).abs() < 1e-12);
/// // Infinitely many degrees of freedom: the normal.
/// assert_eq!(StudentT::new(f64::INFINITY).cdf(1.5), Normal.cdf(1.5));
/// ```
pub trait Distribution {
    /// P(X ≤ x). NaN for a NaN and for degrees of freedom that are none.
    fn cdf(&self, x: f64) -> f64;
    /// P(X > x), as exact in the upper tail as [`cdf`](Self::cdf) in the lower.
    fn survival(&self, x: f64) -> f64;
    /// The x with `cdf(x) = p`. NaN unless 0 ≤ p ≤ 1.
    fn quantile(&self, p: f64) -> f64;
    /// The x with `survival(x) = q`. NaN unless 0 ≤ q ≤ 1.
    fn survival_quantile(&self, q: f64) -> f64;
}

/// Student's t with ν > 0 degrees of freedom, ν = ∞ the normal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudentT {
    degrees: f64,
}

impl StudentT {
    /// With ν `degrees` of freedom; every answer is NaN unless ν > 0.
    pub fn new(degrees: f64) -> Self {
        Self { degrees }
    }

    /// P(|X| > |x|): the p-value of a t statistic.
    pub fn two_sided(self, x: f64) -> f64 {
        if self.degrees == f64::INFINITY {
            return 2.0 * Normal.survival(x.abs());
        }
        self.of_square(x).map_or(f64::NAN, |tails| tails.upper)
    }

    /// The tails of X² at x²: an F with 1 and ν degrees of freedom.
    fn of_square(self, x: f64) -> Option<Tails> {
        let nu = self.degrees;
        if !(nu > 0.0 && nu < f64::INFINITY) || x.is_nan() {
            return None;
        }
        let square = x * x;
        if square == f64::INFINITY && x.is_finite() {
            let upper = Beta::new(0.5, 0.5 * nu).far(libm::log(nu) - 2.0 * libm::log(x.abs()));
            return Some(Tails { lower: 1.0 - upper, upper });
        }
        Some(FisherF::new(1.0, nu).tails(square).0)
    }
}

impl Distribution for StudentT {
    fn cdf(&self, x: f64) -> f64 {
        self.survival(-x)
    }

    fn survival(&self, x: f64) -> f64 {
        if self.degrees == f64::INFINITY {
            return Normal.survival(x);
        }
        let Some(Tails { lower, upper }) = self.of_square(x) else { return f64::NAN };
        match (x > 0.0, upper < 0.5) {
            (true, true) => 0.5 * upper,
            (true, false) => 0.5 - 0.5 * lower,
            (false, true) => 1.0 - 0.5 * upper,
            (false, false) => 0.5 + 0.5 * lower,
        }
    }

    fn quantile(&self, p: f64) -> f64 {
        // The median is +0.
        0.0 - self.survival_quantile(p)
    }

    fn survival_quantile(&self, q: f64) -> f64 {
        let nu = self.degrees;
        if nu == f64::INFINITY {
            return Normal.survival_quantile(q);
        }
        if !(nu > 0.0 && (0.0..=1.0).contains(&q)) {
            return f64::NAN;
        }
        // Of X²; 2q and 1 − 2q are exact where they are the lesser of the two.
        let outer = 2.0 * q.min(1.0 - q);
        let inner = 2.0 * (0.5 - q).abs();
        let log_y = Beta::new(0.5, 0.5 * nu).far_quantile(outer);
        let size = if outer == 0.0 {
            f64::INFINITY
        } else if log_y < FAR {
            // X² may overflow where X does not.
            libm::exp(0.5 * (libm::log(nu) - log_y))
        } else {
            FisherF::new(1.0, nu).quantile_of(Tails { lower: inner, upper: outer }).sqrt()
        };
        if q > 0.5 { -size } else { size }
    }
}

/// χ² with k > 0 degrees of freedom: the sum of the squares of k normal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChiSquared {
    degrees: f64,
}

impl ChiSquared {
    /// With k `degrees` of freedom; every answer is NaN unless 0 < k < ∞.
    pub fn new(degrees: f64) -> Self {
        Self { degrees }
    }

    fn tails(self, x: f64) -> (Tails, f64) {
        if !(self.degrees > 0.0 && self.degrees < f64::INFINITY) || x.is_nan() {
            return (Tails::NAN, f64::NAN);
        }
        gamma_tails(0.5 * self.degrees, 0.5 * x)
    }

    fn quantile_of(self, goal: Tails) -> f64 {
        if !(self.degrees > 0.0 && self.degrees < f64::INFINITY) {
            return f64::NAN;
        }
        // Wilson & Hilferty (1931): the cube root is nearly normal.
        let spread = 2.0 / (9.0 * self.degrees);
        let root = 1.0 - spread + goal.normal() * spread.sqrt();
        // Far out on the left: the first term of the series.
        let a = 0.5 * self.degrees;
        let low = || 2.0 * libm::exp((libm::log(goal.lower) + libm::lgamma(a + 1.0)) / a);
        let start = if root > 0.3 { self.degrees * root * root * root } else { low() };
        positive_quantile(goal, start, |x| self.tails(x))
    }
}

impl Distribution for ChiSquared {
    fn cdf(&self, x: f64) -> f64 {
        self.tails(x).0.lower
    }
    fn survival(&self, x: f64) -> f64 {
        self.tails(x).0.upper
    }
    fn quantile(&self, p: f64) -> f64 {
        self.quantile_of(Tails { lower: p, upper: 1.0 - p })
    }
    fn survival_quantile(&self, q: f64) -> f64 {
        self.quantile_of(Tails { lower: 1.0 - q, upper: q })
    }
}

/// F with d₁, d₂ > 0 degrees of freedom: the ratio of two χ² over their degrees of freedom. With d₂ = ∞ it is χ² over d₁.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FisherF {
    numerator: f64,
    denominator: f64,
}

impl FisherF {
    /// With d₁ degrees of freedom of the `numerator` and d₂ of the `denominator`; every answer is NaN unless 0 < d₁ < ∞ and d₂ > 0.
    pub fn new(numerator: f64, denominator: f64) -> Self {
        Self { numerator, denominator }
    }

    fn is_one(self) -> bool {
        self.numerator > 0.0 && self.numerator < f64::INFINITY && self.denominator > 0.0
    }

    fn tails(self, x: f64) -> (Tails, f64) {
        if !self.is_one() || x.is_nan() {
            return (Tails::NAN, f64::NAN);
        }
        if self.denominator == f64::INFINITY {
            return ChiSquared::new(self.numerator).tails(self.numerator * x);
        }
        Beta::new(0.5 * self.numerator, 0.5 * self.denominator).tails(x)
    }

    fn quantile_of(self, goal: Tails) -> f64 {
        let (d1, d2) = (self.numerator, self.denominator);
        if !self.is_one() {
            return f64::NAN;
        }
        if d2 == f64::INFINITY {
            return ChiSquared::new(d1).quantile_of(goal) / d1;
        }
        // Half the logarithm is nearly normal (Fisher's z).
        let (a, b) = (d1.recip(), d2.recip());
        let start = libm::exp(2.0 * (0.5 * (b - a) + goal.normal() * (0.5 * (a + b)).sqrt()));
        positive_quantile(goal, start, |x| self.tails(x))
    }
}

impl Distribution for FisherF {
    fn cdf(&self, x: f64) -> f64 {
        self.tails(x).0.lower
    }
    fn survival(&self, x: f64) -> f64 {
        self.tails(x).0.upper
    }
    fn quantile(&self, p: f64) -> f64 {
        self.quantile_of(Tails { lower: p, upper: 1.0 - p })
    }
    fn survival_quantile(&self, q: f64) -> f64 {
        self.quantile_of(Tails { lower: 1.0 - q, upper: q })
    }
}
