//! Functions of likelihoods that `libm` does not have: digamma, trigamma, ratios of Γ, tails of the normal distribution.
//!
//! Errors are stated and tested against values of 50 digits. All bits are the same on every platform.

use std::f64::consts::SQRT_2;

/// From here on the asymptotic series below have all digits.
const ASYMPTOTIC: f64 = 12.0;
/// B₂ₖ/(2k): ψ(x) = ln x − 1/(2x) − Σ of these by x⁻²ᵏ (DLMF 5.11.2).
const DIGAMMA: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 120.0,
    1.0 / 252.0,
    -1.0 / 240.0,
    1.0 / 132.0,
    -691.0 / 32760.0,
    1.0 / 12.0,
    -3617.0 / 8160.0,
];
/// B₂ₖ: ψ′(x) = 1/x + 1/(2x²) + Σ of these by x⁻²ᵏ⁻¹.
const TRIGAMMA: [f64; 8] = [
    1.0 / 6.0,
    -1.0 / 30.0,
    1.0 / 42.0,
    -1.0 / 30.0,
    5.0 / 66.0,
    -691.0 / 2730.0,
    7.0 / 6.0,
    -3617.0 / 510.0,
];
/// B₂ₖ/(2k(2k − 1)): ln Γ(x) = (x − ½)·ln x − x + ½·ln 2π + Σ of these by x¹⁻²ᵏ (DLMF 5.11.1).
const LOG_GAMMA: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3617.0 / 122_400.0,
];
/// ½·ln 2π.
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;
/// √(2π).
const SQRT_TWO_PI: f64 = 2.506_628_274_631_000_7;
/// From here on the tail of the normal distribution is a continued fraction.
const FAR: f64 = 2.0;
/// Below this t − ln(1 + t) is a series.
const NEAR_ONE: f64 = 0.05;

/// ψ(x) = d ln Γ(x)/dx for x > 0, within 8 ε·max(1, |ψ(x)|); NaN elsewhere.
///
/// ```
/// // ψ(1) is minus Euler's constant.
/// assert!((secant_core::special::digamma(1.0) + 0.577_215_664_901_532_9).abs() < 1e-15);
/// ```
pub fn digamma(x: f64) -> f64 {
    let (above, sum) = shifted(x, f64::recip);
    libm::log(above) + digamma_series(above) - sum
}

/// ψ(x) − ln x for x > 0, without their cancellation for large x: within 8 ε·max(1, 1/x) below 12, within 4 ε of itself above; NaN
/// elsewhere.
pub fn digamma_less_log(x: f64) -> f64 {
    let (above, sum) = shifted(x, f64::recip);
    if above == x {
        return digamma_series(x);
    }
    digamma_series(above) + (libm::log(above) - libm::log(x)) - sum
}

/// ψ′(x) for x > 0, within 8 ε of itself; NaN elsewhere.
///
/// ```
/// // ψ′(1) = π²/6.
/// let wanted = std::f64::consts::PI.powi(2) / 6.0;
/// assert!((secant_core::special::trigamma(1.0) - wanted).abs() < 1e-15);
/// ```
pub fn trigamma(x: f64) -> f64 {
    let (above, sum) = shifted(x, inverse_square);
    above.recip() + trigamma_series(above) + sum
}

/// ψ′(x) − 1/x for x > 0, within 4 ε of itself from 12 on and 40 ε below; NaN elsewhere.
pub fn trigamma_less_inverse(x: f64) -> f64 {
    let (above, sum) = shifted(x, inverse_square);
    if above == x {
        return trigamma_series(x);
    }
    // 1/above − 1/x in one.
    trigamma_series(above) + sum - (above - x) / (above * x)
}

/// ln(Γ(r + y)/(Γ(r)·rʸ)) for r > 0 and y ≥ 0, within 16 ε·max(1, y, y·|ln(y/r)|): what ln Γ(r + y) − ln Γ(r) loses for large r stays.
///
/// ```
/// // y = 2: ln(1 + 1/r).
/// let found = secant_core::special::log_gamma_ratio(1e9, 2.0);
/// assert!((found - 1e-9_f64.ln_1p()).abs() < 1e-15);
/// ```
pub fn log_gamma_ratio(r: f64, y: f64) -> f64 {
    if y == 0.0 {
        return 0.0;
    }
    if r < ASYMPTOTIC {
        return libm::lgamma(r + y) - libm::lgamma(r) - y * libm::log(r);
    }
    let stirling = |x: f64| series(x, &LOG_GAMMA) / x;
    // (r + y − ½)·ln(1 + u) − y with u = y/r, the y taken out of r·ln(1 + u).
    let u = y / r;
    (y - 0.5) * libm::log1p(u) - r * less_log1p(u) + (stirling(r + y) - stirling(r))
}

/// t − ln(1 + t) for t > −1, within 16 ε of itself.
pub fn less_log1p(t: f64) -> f64 {
    if t.abs() > NEAR_ONE {
        return t - libm::log1p(t);
    }
    // ln(1 + t) = 2·artanh w with w = t/(2 + t); t − 2w = t·w.
    let w = t / (2.0 + t);
    let square = w * w;
    let tail = (1..8).rev().fold(0.0_f64, |sum, k| sum.mul_add(square, 1.0 / f64::from(2 * k + 1)));
    w * (t - 2.0 * square * tail)
}

/// The upper tail Q(t) = 1 − Φ(t) of the standard normal distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalTail {
    /// ln Q.
    pub log: f64,
    /// λ = φ/Q, the hazard: −d ln Q/dt.
    pub hazard: f64,
    /// λ − t > 0: dλ/dt = λ·(λ − t).
    pub excess: f64,
}

/// The tail from t on, each of its numbers within 40 ε of itself, for t < 0 within (40 + t²) ε; nothing underflows before the result does.
///
/// From t = 2 on λ − t = 1/(t + 2/(t + 3/(t + …))) (Laplace; Abramowitz & Stegun 26.2.14), before by erfc.
///
/// ```
/// let tail = secant_core::special::normal_tail(100.0);
/// assert!((tail.log + 5005.524_208_694_2).abs() < 1e-9);
/// assert!((tail.hazard * tail.excess - 1.0).abs() < 1e-3);
/// ```
pub fn normal_tail(t: f64) -> NormalTail {
    if t >= FAR {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "7 to 149")]
        let terms = (450.0 / (t * t) + 60.0 / t) as u32 + 7;
        let inner = (2..=terms).rev().fold(t, |below, k| t + f64::from(k) / below);
        let excess = inner.recip();
        let hazard = t + excess;
        let log = -0.5 * t * t - HALF_LN_TWO_PI - libm::log(hazard);
        return NormalTail { log, hazard, excess };
    }
    let q = normal_cdf(-t);
    let density = libm::exp(-0.5 * t * t) / SQRT_TWO_PI;
    let hazard = density / q;
    let log = if t < 0.0 { libm::log1p(-normal_cdf(t)) } else { libm::log(q) };
    NormalTail { log, hazard, excess: hazard - t }
}

/// Φ(t), within (8 + t²) ε of itself.
pub fn normal_cdf(t: f64) -> f64 {
    0.5 * libm::erfc(-t / SQRT_2)
}

/// The first x + n from [`ASYMPTOTIC`] on, and Σ `term`(x + k) for k < n.
fn shifted(x: f64, term: impl Fn(f64) -> f64) -> (f64, f64) {
    if x <= 0.0 || x.is_nan() {
        return (f64::NAN, f64::NAN);
    }
    let (mut above, mut sum) = (x, 0.0);
    while above < ASYMPTOTIC {
        sum += term(above);
        above += 1.0;
    }
    (above, sum)
}

fn inverse_square(x: f64) -> f64 {
    (x * x).recip()
}

/// Σ cₖ·x⁻²ᵏ, k from 0 on.
fn series(x: f64, coefficients: &[f64]) -> f64 {
    let square = inverse_square(x);
    coefficients.iter().rev().fold(0.0, |sum, c| sum.mul_add(square, *c))
}

/// ψ(x) − ln x for large x.
fn digamma_series(x: f64) -> f64 {
    -(0.5 + series(x, &DIGAMMA) / x) / x
}

/// ψ′(x) − 1/x for large x.
fn trigamma_series(x: f64) -> f64 {
    (0.5 + series(x, &TRIGAMMA) / x) / x / x
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// The largest error of a case of the fixture (made by `benches/peers/likelihoods.py`) in ε, relative to `size` of the value wanted.
    fn worst(name: &str, size: impl Fn(&[f64], f64) -> f64, found: impl Fn(&[f64]) -> f64) -> f64 {
        let text = include_str!("../tests/fixtures/special.json");
        let all: Value = serde_json::from_str(text).unwrap();
        let cases = all[name].as_array().unwrap();
        assert!(cases.len() > 20, "{name}");
        let errors = cases.iter().map(|case| {
            let numbers: Vec<f64> =
                case.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
            let (wanted, x) = numbers.split_last().unwrap();
            let error = (found(x) - wanted).abs() / (size(x, *wanted) * f64::EPSILON);
            assert!(!error.is_nan(), "{name} {x:?}");
            error
        });
        errors.fold(0.0, f64::max)
    }

    fn itself(_: &[f64], wanted: f64) -> f64 {
        wanted.abs()
    }

    #[test]
    fn errors_are_within_the_bounds_stated() {
        let near_one = |_: &[f64], wanted: f64| wanted.abs().max(1.0);
        let error = worst("digamma", near_one, |x| digamma(x[0]));
        assert!(error <= 8.0, "digamma {error}");
        let size = |x: &[f64], w: f64| {
            if x[0] < ASYMPTOTIC { 2.0 * x[0].recip().max(1.0) } else { w.abs() }
        };
        let error = worst("digamma_less_log", size, |x| digamma_less_log(x[0]));
        assert!(error <= 4.0, "digamma − ln {error}");
        let error = worst("trigamma", itself, |x| trigamma(x[0]));
        assert!(error <= 8.0, "trigamma {error}");
        let size = |x: &[f64], w: f64| if x[0] < ASYMPTOTIC { 10.0 * w } else { w };
        let error = worst("trigamma_less_inverse", size, |x| trigamma_less_inverse(x[0]));
        assert!(error <= 4.0, "trigamma − 1/x {error}");
        let size = |x: &[f64], _: f64| x[1].max(1.0).max(x[1] * (x[1] / x[0]).ln().abs());
        let error = worst("log_gamma_ratio", size, |x| log_gamma_ratio(x[0], x[1]));
        assert!(error <= 16.0, "ln Γ ratio {error}");
        let error = worst("less_log1p", itself, |x| less_log1p(x[0]));
        assert!(error <= 16.0, "t − ln(1 + t) {error}");
    }

    #[test]
    fn normal_tails_have_their_digits_however_far_out() {
        let size =
            |x: &[f64], w: f64| w.abs() * if x[0] < 0.0 { 1.0 + x[0] * x[0] / 40.0 } else { 1.0 };
        let error = worst("normal_log_tail", size, |x| normal_tail(x[0]).log);
        assert!(error <= 40.0, "ln Q {error}");
        let error = worst("normal_hazard", size, |x| normal_tail(x[0]).hazard);
        assert!(error <= 40.0, "hazard {error}");
        let error = worst("normal_excess", size, |x| normal_tail(x[0]).excess);
        assert!(error <= 40.0, "excess {error}");
        let size = |x: &[f64], w: f64| w * (8.0 + x[0] * x[0]);
        let error = worst("normal_cdf", size, |x| normal_cdf(x[0]));
        assert!(error <= 1.0, "Φ {error}");
    }

    #[test]
    fn arguments_without_a_value_give_nan() {
        for x in [0.0, -1.5, f64::NAN, f64::NEG_INFINITY] {
            assert!(digamma(x).is_nan() && trigamma(x).is_nan(), "{x}");
            assert!(digamma_less_log(x).is_nan() && trigamma_less_inverse(x).is_nan(), "{x}");
        }
        assert!(normal_tail(f64::NAN).hazard.is_nan());
    }
}
