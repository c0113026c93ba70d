//! x^p by a logarithm in two parts.

use super::{
    BIAS, EXP_MAX, EXP_MIN, FRACTION, HALF_SQRT2_BITS, LN2_HI, LN2_LO, LOG_TAIL, ROUND,
    SUBNORMAL_SCALE, SUBNORMAL_SHIFT, at_least, at_most, polynomial, reduced_exp, split_power,
};

/// ln x = high + low for 0 < x < ∞, within 2⁻⁵⁸ of it: 2·artanh s with s = (m − 1)/(m + 1) and its rounding error.
#[inline(always)]
fn log_parts(x: f64) -> (f64, f64) {
    let subnormal = x < f64::MIN_POSITIVE;
    let t = if subnormal { x * SUBNORMAL_SCALE } else { x };
    let shift = if subnormal { SUBNORMAL_SHIFT } else { 0.0 };
    let biased =
        t.to_bits().wrapping_sub(HALF_SQRT2_BITS).wrapping_add(BIAS << FRACTION) >> FRACTION;
    let k = f64::from_bits(biased | ROUND.to_bits()) - (ROUND + BIAS as f64) - shift;
    let m = f64::from_bits(t.to_bits().wrapping_sub(biased.wrapping_sub(BIAS) << FRACTION));
    let f = m - 1.0;
    let den = 1.0 + m;
    let den_low = (1.0 - (den - m)) + (m - (den - (den - m)));
    let s = f / den;
    let s_low = ((-s).mul_add(den, f) - s * den_low) / den;
    let z = s * s;
    let tail = s * (z * polynomial(z, &LOG_TAIL));
    let first = k * LN2_HI;
    let double = 2.0 * s;
    let sum = first + double;
    // |first| ≥ |double|, or it is 0.
    let lost = double - (sum - first);
    let low = lost + (k.mul_add(LN2_LO, 2.0f64.mul_add(s_low, tail)));
    let high = sum + low;
    (high, low - (high - sum))
}

/// x^p within 1 + |p·ln x|/16 ulp for finite results. For x < 0 where p is an integer, NaN otherwise; 0^p is 0, 1 or ∞; x⁰ is 1 and 1^p
/// too, but NaN where x or p is.
#[inline(always)]
pub fn pow(x: f64, p: f64) -> f64 {
    let a = x.abs();
    let (high, low) = log_parts(a);
    let product = p * high;
    let rest = p.mul_add(high, -product) + p * low;
    let in_range = product > EXP_MIN && product < EXP_MAX;
    let rest = if in_range { rest } else { 0.0 };
    let (t, r, tail) = reduced_exp(at_most(at_least(product, EXP_MIN), EXP_MAX));
    let (b, c) = split_power(t);
    let power = (1.0 + (r + rest.mul_add(1.0 + (r + tail), tail))) * b * c;

    let infinite = f64::INFINITY;
    let at_zero = if p > 0.0 { 0.0 } else { infinite };
    let at_infinity = if p > 0.0 { infinite } else { 0.0 };
    let power = if a == 0.0 { at_zero } else { power };
    let power = if a == infinite { at_infinity } else { power };
    // p = ±∞: the product above has no parts.
    let grows = (a > 1.0) == (p > 0.0);
    let power = if p.abs() == infinite { if grows { infinite } else { 0.0 } } else { power };
    let power = if p == 0.0 || a == 1.0 { 1.0 } else { power };

    let odd = 2.0 * (0.5 * p).floor() != p;
    let signed = if odd { -power } else { power };
    let signed = if p.floor() == p { signed } else { f64::NAN };
    let power = if x < 0.0 && p != 0.0 { signed } else { power };
    if x.is_nan() || p.is_nan() { f64::NAN } else { power }
}
