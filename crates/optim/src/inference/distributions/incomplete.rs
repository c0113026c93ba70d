//! Regularised incomplete beta and gamma functions, both tails at once.
//!
//! The powers in front of series and continued fraction are taken about the mean, where their exponents cancel: xᵃyᵇ/B(a, b) is
//! √(ab/2π(a+b))·exp(δ(a+b) − δ(a) − δ(b))·exp(a·φ(u) + b·φ(−v)) with u, v the relative distances from the mean, φ(u) = ln(1+u) − u, and δ
//! what Stirling's formula lacks. Source: Loader (2000), "Fast and accurate computation of binomial probabilities"; DiDonato & Morris
//! (1992), ACM TOMS 18, `BFRAC`, for the continued fraction.

use std::f64::consts::PI;
use std::ops::RangeInclusive;

/// Where ln(1 + u) − u is summed as a series.
const NEAR: RangeInclusive<f64> = -0.4..=0.6;
/// Most terms: some 8·√a of them are needed.
const TERMS: u32 = 200_000;

/// Stirling's series, B₂ₖ/(2k(2k − 1)) with Bernoulli's numbers.
const STIRLING: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3617.0 / 122_400.0,
];

/// P(X ≤ x) and P(X > x).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tails {
    pub lower: f64,
    pub upper: f64,
}

impl Tails {
    pub(super) const NAN: Self = Self { lower: f64::NAN, upper: f64::NAN };
    const BEFORE: Self = Self { lower: 0.0, upper: 1.0 };
    const AFTER: Self = Self { lower: 1.0, upper: 0.0 };

    fn of_lower(lower: f64) -> Self {
        Self { lower, upper: 1.0 - lower }
    }

    fn swapped(self) -> Self {
        Self { lower: self.upper, upper: self.lower }
    }

    /// The normal number with these tails.
    pub(super) fn normal(self) -> f64 {
        use super::{Distribution, Normal};
        if self.lower < self.upper {
            Normal.quantile(self.lower)
        } else {
            Normal.survival_quantile(self.upper)
        }
    }
}

/// ln(1 + u) − u.
fn log_excess(u: f64) -> f64 {
    if !NEAR.contains(&u) {
        return libm::log1p(u) - u;
    }
    // ln(1 + u) = 2·artanh(r).
    let r = u / (2.0 + u);
    let square = r * r;
    let series = (0..24).rev().fold(0.0, |sum, k| sum * square + f64::from(2 * k + 3).recip());
    r * (2.0 * square * series - u)
}

/// δ(z) = ln Γ(z) − (z − ½)ln z + z − ½ln 2π.
fn stirling_excess(z: f64) -> f64 {
    let (mut z, mut sum) = (z, 0.0);
    while z < 12.0 {
        // δ(z) − δ(z + 1); in the form that does not cancel for large z.
        sum += if z < 1.0 {
            (z + 0.5) * libm::log1p(z.recip()) - 1.0
        } else {
            let r = (2.0 * z + 1.0).recip();
            let square = r * r;
            square * (0..20).rev().fold(0.0, |s, k| s * square + f64::from(2 * k + 3).recip())
        };
        z += 1.0;
    }
    let square = (z * z).recip();
    sum + STIRLING.iter().rev().fold(0.0, |s, c| s * square + c) / z
}

/// The tails of a gamma variable of shape a, P(a, x) and Q(a, x), and x times the density there.
pub(super) fn gamma_tails(a: f64, x: f64) -> (Tails, f64) {
    if x <= 0.0 {
        return (Tails::BEFORE, 0.0);
    }
    if x == f64::INFINITY {
        return (Tails::AFTER, 0.0);
    }
    let u = (x - a) / a;
    let exponent = if NEAR.contains(&u) {
        a * log_excess(u)
    } else {
        a * (libm::log(x) - libm::log(a)) - (x - a)
    };
    // xᵃe⁻ˣ/Γ(a)
    let front = (a / (2.0 * PI)).sqrt() * libm::exp(exponent - stirling_excess(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut at) = (1.0, 1.0, a);
        for _ in 0..TERMS {
            at += 1.0;
            term *= x / at;
            sum += term;
            if term <= 0.25 * f64::EPSILON * sum {
                break;
            }
        }
        return (Tails::of_lower(front * sum / a), front);
    }
    // Lentz's method (Numerical Recipes, §6.2).
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (f64::MAX, b.recip());
    let mut product = d;
    for i in 1..TERMS {
        let an = -f64::from(i) * (f64::from(i) - a);
        b += 2.0;
        d = (an * d + b).recip();
        c = b + an / c;
        let factor = d * c;
        product *= factor;
        if (factor - 1.0).abs() <= 0.5 * f64::EPSILON {
            break;
        }
    }
    (Tails::of_lower(front * product).swapped(), front)
}

/// A beta variable of shapes a and b, seen through the ratio F = (b/a)·x/(1 − x).
#[derive(Clone, Copy)]
pub(super) struct Beta {
    a: f64,
    b: f64,
}

impl Beta {
    pub(super) fn new(a: f64, b: f64) -> Self {
        Self { a, b }
    }

    /// √(ab/2π(a+b))·exp(δ(a+b) − δ(a) − δ(b)).
    fn constant(self) -> f64 {
        let (a, b) = (self.a, self.b);
        let excess = stirling_excess(a + b) - stirling_excess(a) - stirling_excess(b);
        (a * (b / (2.0 * PI * (a + b)))).sqrt() * libm::exp(excess)
    }

    /// P(F > f) = I_y(b, a) for a y = b/(af + b) so small that its first term is all, from ln y.
    pub(super) fn far(self, log_y: f64) -> f64 {
        libm::exp(self.b * log_y + self.log_far())
    }

    /// The ln y with this [`far`](Self::far) tail.
    pub(super) fn far_quantile(self, upper: f64) -> f64 {
        (libm::log(upper) - self.log_far()) / self.b
    }

    /// −ln(b·B(a, b)).
    fn log_far(self) -> f64 {
        let (a, b) = (self.a, self.b);
        libm::log(self.constant() / b) - a * libm::log(a / (a + b)) - b * libm::log(b / (a + b))
    }

    /// The tails of F at `f`, and f times the density there.
    pub(super) fn tails(self, f: f64) -> (Tails, f64) {
        if f <= 0.0 {
            return (Tails::BEFORE, 0.0);
        }
        if f == f64::INFINITY {
            return (Tails::AFTER, 0.0);
        }
        let (a, b) = (self.a, self.b);
        // (af + b)/scale, so that nothing overflows.
        let scale = f.max(1.0);
        let below = a * (f / scale) + b / scale;
        let (x, y) = (a * (f / scale) / below, b / scale / below);
        // x = x₀(1 + u), y = y₀(1 − v), a·u = b·v.
        let from_one = if f > 1.0 { 1.0 - f.recip() } else { f - 1.0 };
        let (u, v) = (b * (from_one / below), a * (from_one / below));
        let log = libm::log;
        let of_x = if u < -0.4 { log(f / scale) + log((a + b) / below) - u } else { log_excess(u) };
        let of_y = if v > 0.4 { log((a + b) / below) - log(scale) + v } else { log_excess(-v) };
        let front = self.constant() * libm::exp(a * of_x + b * of_y);
        let tails = if u <= 0.0 {
            Tails::of_lower(front * fraction(a, b, x, y, -a * u))
        } else {
            Tails::of_lower(front * fraction(b, a, y, x, b * v)).swapped()
        };
        (tails, front)
    }
}

/// I_x(a, b)·B(a, b)/(xᵃyᵇ) by a continued fraction, for λ = a − (a + b)x ≥ 0.
fn fraction(a: f64, b: f64, x: f64, y: f64, lambda: f64) -> f64 {
    let c = 1.0 + lambda;
    let (c0, c1) = (b / a, 1.0 + a.recip());
    let (mut p, mut s) = (1.0, a + 1.0);
    let (mut above, mut below) = (0.0, 1.0);
    let (mut above_next, mut below_next) = (1.0, c / c1);
    let mut ratio = c1 / c;
    for n in 1..TERMS {
        let n = f64::from(n);
        let t = n / a;
        let w = n * (b - n) * x;
        let e = a / s;
        let alpha = p * (p + c0) * e * e * (w * x);
        let e = (1.0 + t) / (c1 + t + t);
        let beta = n + w / s + e * (c + n * (1.0 + y));
        p = 1.0 + t;
        s += 2.0;
        let next = alpha * above + beta * above_next;
        (above, above_next) = (above_next, next);
        let next = alpha * below + beta * below_next;
        (below, below_next) = (below_next, next);
        let before = ratio;
        ratio = above_next / below_next;
        if (ratio - before).abs() <= 0.5 * f64::EPSILON * ratio {
            break;
        }
        above /= below_next;
        below /= below_next;
        above_next = ratio;
        below_next = 1.0;
    }
    ratio
}
