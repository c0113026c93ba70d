//! Branch-free kernels, one element each: an exponential and what follows from it by one division, and others by polynomials of their own.
//!
//! `2ⁿ·eʳ` with n = round(x/ln 2) and |r| ≤ ln 2/2; every choice is a select, every step a fused multiply–add, so a loop over
//! a kernel becomes vector code inside [`vectorize`](super::vectorize). Called elsewhere a kernel gives the same bits, slowly
//! (one library call per multiply–add on x86). Polynomials are fits on Chebyshev points, made by `tests/fixtures/make_elementwise.py`; the
//! logarithm, sine and cosine use those of fdlibm (Sun Microsystems, 1993).

#![expect(
    clippy::unreadable_literal,
    reason = "coefficients are copied from the fit and compared as they stand"
)]

mod power;

pub use power::pow;

use std::f64::consts::{FRAC_2_PI, LOG2_E};

/// 1.5·2⁵²: adding it rounds to an integer, which then sits in the low bits of the sum.
const ROUND: f64 = 6755399441055744.0;
/// Adding it rounds to a multiple of ¼, the number of which sits in the low bits of the sum.
const QUARTERS: f64 = 0.25 * ROUND;
/// Bias of the exponent field.
const BIAS: u64 = 1023;
/// Width of the fraction field.
const FRACTION: u32 = 52;
/// The sign bit.
const SIGN: u64 = 1 << 63;

/// ln 2 to 33 bits: n·`LN2_HI` is exact for |n| < 2²⁰.
const LN2_HI: f64 = 0.6931471803691238;
/// ln 2 − `LN2_HI`.
const LN2_LO: f64 = 1.9082149292705877e-10;

/// e^x overflows above 709.79, so nothing changes beyond this.
const EXP_MAX: f64 = 710.0;
/// e^x rounds to 0 below −745.14, so nothing changes beyond this.
const EXP_MIN: f64 = -746.0;
/// e^x − 1 rounds to −1 below −37.5.
const EXPM1_MIN: f64 = -40.0;
/// tanh x rounds to 1 above 19.07.
const TANH_MAX: f64 = 20.0;
/// erf x rounds to 1 above 5.93.
const ERF_MAX: f64 = 6.0;

/// (eʳ − 1 − r − r²/2)/r³ on |r| ≤ ln 2/2, error 10⁻² · 2⁻⁵³ of eʳ.
const EXP_TAIL: [f64; 10] = [
    0.16666666666666669,
    0.041666666666666664,
    0.008333333333330062,
    0.0013888888888886552,
    0.00019841269863053618,
    2.4801587317144498e-05,
    2.7557268459997064e-06,
    2.755728296954995e-07,
    2.510038549551032e-08,
    2.0911236630261545e-09,
];

/// tanh r = r·(1 + z·p(z))/(1 + z·q(z)) in z = r² on |r| ≤ ¼ln 2, relative error 0.18 · 2⁻⁵³.
const TANH_P: [f64; 2] = [0.11110147886040408, 0.0010575592524237915];
/// See [`TANH_P`].
const TANH_Q: [f64; 2] = [0.44443481219373676, 0.01586916331769181];

/// (2·artanh w − 2w)/w³ in z = w² on [0, 1/9].
const ARTANH_TAIL: [f64; 10] = [
    0.6666666666666666,
    0.40000000000014585,
    0.2857142856710876,
    0.22222222717427864,
    0.18181789436132859,
    0.15385570064958623,
    0.13314144209654935,
    0.12001072809590713,
    0.08800738486144674,
    0.1616404561194353,
];

/// (2·artanh w − 2w)/w³ in z = w² on [0, 0.0295]: Lg1 … Lg7 of fdlibm `s_log1p.c`.
const LOG_TAIL: [f64; 7] = [
    0.6666666666666735,
    0.3999999999940942,
    0.2857142874366239,
    0.22222198432149784,
    0.1818357216161805,
    0.15313837699209373,
    0.14798198605116586,
];
/// ½√2 from below, as bits: mantissas are taken from [½√2, √2).
const HALF_SQRT2_BITS: u64 = 0x3FE6_A09E_0000_0000;

/// Makes the smallest subnormal number a normal one.
const SUBNORMAL_SCALE: f64 = 18014398509481984.0;
/// log₂ of [`SUBNORMAL_SCALE`].
const SUBNORMAL_SHIFT: f64 = 54.0;

/// erf(x)/x − 1 in x² on [0, 1].
const ERF_SMALL: [f64; 13] = [
    0.1283791670955126,
    -0.3761263890318375,
    0.11283791670954879,
    -0.026866170645076792,
    0.0052239776248180145,
    -0.000854832698083379,
    0.0001205533111164271,
    -1.4925595266831182e-05,
    1.6461000484121368e-06,
    -1.6350312701054695e-07,
    1.4659775274047436e-08,
    -1.1372848856791674e-09,
    5.957176147748911e-11,
];

/// −ln erfc(1 + u) on u ∈ [0, 5], weighted by erfc: what matters is the error of 1 − erfc.
const LOG_ERFC: [f64; 18] = [
    1.8496055099332482,
    2.6389675142347753,
    0.8431072563594354,
    0.041561098024714055,
    -0.010033825176131038,
    0.0019779012014047256,
    -0.00023731639013572202,
    -2.6296421447390448e-05,
    2.719911513658201e-05,
    -9.671534130037393e-06,
    2.132068930780906e-06,
    -2.0489147827961425e-07,
    -5.797494399102072e-08,
    3.3378818605811224e-08,
    -8.515756435175081e-09,
    1.3186097753610052e-09,
    -1.1927724708634118e-10,
    4.862840720447201e-12,
];

/// π/2 to 33 bits, the next 33 bits, and the rest: n·`PI_2_1` and n·`PI_2_2` are exact for |n| < 2²⁰.
const PI_2_1: f64 = 1.5707963267341256;
/// See [`PI_2_1`].
const PI_2_2: f64 = 6.077100506303966e-11;
/// See [`PI_2_1`].
const PI_2_3: f64 = 2.0222662487959506e-21;
/// sin r = r − r³/6 + r⁵·(…): S2 … S6 of fdlibm `k_sin.c`; S1 is [`SIN_1`].
const SIN_TAIL: [f64; 5] = [
    0.00833333333332249,
    -0.0001984126982985795,
    2.7557313707070068e-06,
    -2.5050760253406863e-08,
    1.58969099521155e-10,
];
/// S1 of fdlibm.
const SIN_1: f64 = -0.16666666666666632;
/// cos r = 1 − r²/2 + r⁴·(…): C1 … C6 of fdlibm `k_cos.c`.
const COS_TAIL: [f64; 6] = [
    0.0416666666666666,
    -0.001388888888887411,
    2.480158728947673e-05,
    -2.7557314351390663e-07,
    2.087572321298175e-09,
    -1.1359647557788195e-11,
];

/// Largest |x| for which [`sin`] and [`cos`] keep their bound.
pub const ANGLE_MAX: f64 = 1e5;

/// Σ cᵢ xⁱ, the even and the odd terms as two chains (half the latency of Horner's rule for one more product).
#[inline(always)]
fn polynomial<const N: usize>(x: f64, c: &[f64; N]) -> f64 {
    let x2 = x * x;
    let (mut p, mut q) = (c[N - 1], c[N - 2]);
    let mut i = N - 2;
    while i >= 2 {
        p = p.mul_add(x2, c[i - 1]);
        q = q.mul_add(x2, c[i - 2]);
        i -= 2;
    }
    if i == 1 { q.mul_add(x, p.mul_add(x2, c[0])) } else { p.mul_add(x, q) }
}

/// 2ⁿ from t = [`ROUND`] + n, for −1022 ≤ n ≤ 1023.
#[inline(always)]
fn power_of_two(t: f64) -> f64 {
    f64::from_bits(t.to_bits().wrapping_add(BIAS) << FRACTION)
}

/// ([`ROUND`] + n, r, eʳ − 1 − r) with x = n ln 2 + r.
#[inline(always)]
fn reduced_exp(x: f64) -> (f64, f64, f64) {
    let t = x.mul_add(LOG2_E, ROUND);
    let n = t - ROUND;
    let r = n.mul_add(-LN2_LO, n.mul_add(-LN2_HI, x));
    let r2 = r * r;
    (t, r, r2 * r.mul_add(polynomial(r, &EXP_TAIL), 0.5))
}

/// Two powers of two with product 2ⁿ, about its root: 2ⁿ itself may be out of range though the result is not.
#[inline(always)]
fn split_power(t: f64) -> (f64, f64) {
    let n = t - ROUND;
    let half = n.mul_add(0.5, ROUND);
    (power_of_two(half), power_of_two(t - (half - ROUND)))
}

/// `x` no less than `low`; a NaN stays.
#[inline(always)]
fn at_least(x: f64, low: f64) -> f64 {
    if x < low { low } else { x }
}

/// `x` no more than `high`; a NaN stays.
#[inline(always)]
fn at_most(x: f64, high: f64) -> f64 {
    if x > high { high } else { x }
}

/// num/(den + `den_low`) to about half an ulp, for a low part of an ulp or so.
#[inline(always)]
fn quotient(num: f64, den: f64, den_low: f64) -> f64 {
    let inverse = den.recip();
    let y = num * inverse;
    let residual = y.mul_add(-den_low, y.mul_add(-den, num));
    residual.mul_add(inverse, y)
}

/// e^x within 1 ulp; subnormal results included.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let (t, r, tail) = reduced_exp(at_most(at_least(x, EXP_MIN), EXP_MAX));
    let (a, b) = split_power(t);
    (1.0 + (r + tail)) * a * b
}

/// e^x − 1 within 2 ulp.
#[inline(always)]
pub fn expm1(x: f64) -> f64 {
    let (t, r, tail) = reduced_exp(at_most(at_least(x, EXPM1_MIN), EXP_MAX));
    let (a, b) = split_power(t);
    // 2ⁿ(1 + r + tail) − 1 = b·((a − 1/b) + a·r + a·tail), the first sum with its rounding error.
    let base = a - b.recip();
    let scaled = a * r;
    let high = base + scaled;
    let low = scaled - (high - base);
    // n = 0 keeps the sign of x: −0 would be lost in 0 + r.
    let value = b * (high + a.mul_add(tail, low));
    f64::from_bits(value.to_bits() | (x.to_bits() & SIGN))
}

/// tanh x within 2 ulp.
///
/// |x| = m·½ln 2 + r, |r| ≤ ¼ln 2, and tanh r = P/Q with P = r + r·z·p(z) and Q = 1 + z·q(z) in z = r². With S = 2⁻ᵐ
///
/// tanh |x| = ((1 + S)P + (1 − S)Q) / ((1 − S)P + (1 + S)Q),
///
/// of which a number near the value is split off, min(m/4, 1), or r for m = 0: the errors of a quotient of less than a quarter are
/// small beside it. One division, and no exponential function.
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    let a = at_most(x.abs(), TANH_MAX);
    // Counted in quarters, so that m/4 is there without a product; the last bits of t are those of m.
    let t = a.mul_add(0.5 * LOG2_E, QUARTERS);
    let quarters = t - QUARTERS;
    let scale = f64::from_bits(BIAS.wrapping_sub(t.to_bits()) << FRACTION);
    let r = quarters.mul_add(-2.0 * LN2_LO, quarters.mul_add(-2.0 * LN2_HI, a));
    let z = r * r;
    let p = (r * z) * TANH_P[1].mul_add(z, TANH_P[0]);
    let q = z * TANH_Q[1].mul_add(z, TANH_Q[0]);
    let base = if quarters == 0.0 { r } else { at_most(quarters, 1.0) };
    let (less, more) = (1.0 - scale, 1.0 + scale);
    let den = more + less.mul_add(r + p, more * q);
    // The numerator less base·den, term by term: what is large first.
    let (of_q, of_p) = (base.mul_add(-more, less), base.mul_add(-less, more));
    let num = of_p.mul_add(r, of_q) + of_p.mul_add(p, of_q * q);
    (base + num / den).copysign(x)
}

/// 1/(1 + e^(−x)) within 2 ulp on the whole line, subnormal results included.
#[inline(always)]
pub fn sigmoid(x: f64) -> f64 {
    let e = exp(-x.abs());
    let den = 1.0 + e;
    let num = if x < 0.0 { e } else { 1.0 };
    quotient(num, den, e - (den - 1.0))
}

/// ln(1 + u) for 0 ≤ u ≤ 1 within 2 ulp: u − u²/2 + w·(u²/2 + R(w²)) with w = u/(2 + u).
#[inline(always)]
pub fn log1p_unit(u: f64) -> f64 {
    let w = u / (2.0 + u);
    let z = w * w;
    let half_square = 0.5 * u * u;
    let r = z.mul_add(polynomial(z, &ARTANH_TAIL), half_square);
    u - w.mul_add(-r, half_square)
}

/// ln(1 + x) within 1 ulp; −∞ at −1, NaN below.
#[inline(always)]
pub fn log1p(x: f64) -> f64 {
    let t = 1.0 + x;
    // 1 + x = t + c; the order of the subtractions keeps c exact on either side of 1.
    let c = if x < 1.0 { x - (t - 1.0) } else { 1.0 - (t - x) };
    // t = 2ᵏ·m with m in [½√2, √2); biased so that the shift needs no sign.
    let biased =
        t.to_bits().wrapping_sub(HALF_SQRT2_BITS).wrapping_add(BIAS << FRACTION) >> FRACTION;
    let k = f64::from_bits(biased | ROUND.to_bits()) - (ROUND + BIAS as f64);
    let m = f64::from_bits(t.to_bits().wrapping_sub(biased.wrapping_sub(BIAS) << FRACTION));
    let f = if k == 0.0 { x } else { m - 1.0 };
    let correction = if k == 0.0 { 0.0 } else { c / t };
    let w = f / (2.0 + f);
    let z = w * w;
    let half_square = 0.5 * f * f;
    let r = z.mul_add(polynomial(z, &LOG_TAIL), half_square);
    let small = w.mul_add(r, k.mul_add(LN2_LO, correction));
    let value = k.mul_add(LN2_HI, f - (half_square - small));
    let value = if x == f64::INFINITY { x } else { value };
    let value = if x == -1.0 { f64::NEG_INFINITY } else { value };
    let value = if x == 0.0 { x } else { value };
    if x >= -1.0 { value } else { f64::NAN }
}

/// ln x within 1 ulp, subnormal x included; −∞ at 0, NaN below.
#[inline(always)]
pub fn log(x: f64) -> f64 {
    // Subnormal numbers have no leading one to take the exponent from.
    let subnormal = x < f64::MIN_POSITIVE;
    let t = if subnormal { x * SUBNORMAL_SCALE } else { x };
    let shift = if subnormal { SUBNORMAL_SHIFT } else { 0.0 };
    // t = 2ᵏ·m with m in [½√2, √2), as in `log1p`.
    let biased =
        t.to_bits().wrapping_sub(HALF_SQRT2_BITS).wrapping_add(BIAS << FRACTION) >> FRACTION;
    let k = f64::from_bits(biased | ROUND.to_bits()) - (ROUND + BIAS as f64) - shift;
    let m = f64::from_bits(t.to_bits().wrapping_sub(biased.wrapping_sub(BIAS) << FRACTION));
    let f = m - 1.0;
    let w = f / (2.0 + f);
    let z = w * w;
    let half_square = 0.5 * f * f;
    let r = z.mul_add(polynomial(z, &LOG_TAIL), half_square);
    let small = w.mul_add(r, k * LN2_LO);
    let value = k.mul_add(LN2_HI, f - (half_square - small));
    let value = if x == f64::INFINITY { x } else { value };
    let value = if x == 0.0 { f64::NEG_INFINITY } else { value };
    if x >= 0.0 { value } else { f64::NAN }
}

/// ln(1 + e^x) = max(x, 0) + ln(1 + e^(−|x|)) within 2 ulp.
#[inline(always)]
pub fn softplus(x: f64) -> f64 {
    at_least(x, 0.0) + log1p_unit(exp(-x.abs()))
}

/// sin(x + `quarter`·π/2), 0 ≤ x ≤ [`ANGLE_MAX`]: x = n π/2 + r, then ± the sine or the cosine of r as n + `quarter` says.
#[inline(always)]
fn sine(x: f64, quarter: u64) -> f64 {
    let t = x.mul_add(FRAC_2_PI, ROUND);
    let n = t - ROUND;
    // Cody and Waite in three parts: r is y + y_low.
    let first = n.mul_add(-PI_2_1, x);
    let second = n.mul_add(-PI_2_2, first);
    let low = n.mul_add(-PI_2_3, n.mul_add(-PI_2_2, first - second));
    let y = second + low;
    let y_low = (second - y) + low;

    let z = y * y;
    let cube = z * y;
    let s = z.mul_add(0.5 * y_low - cube * polynomial(z, &SIN_TAIL), -y_low);
    let sin = y - cube.mul_add(-SIN_1, s);

    let half = 0.5 * z;
    let top = 1.0 - half;
    let cos_tail = z.mul_add(z * polynomial(z, &COS_TAIL), -(y * y_low));
    let cos = top + (((1.0 - top) - half) + cos_tail);

    let turns = t.to_bits().wrapping_add(quarter);
    let value = if turns & 1 == 0 { sin } else { cos };
    f64::from_bits(value.to_bits() ^ ((turns & 2) << 62))
}

/// sin x within 1 ulp for |x| ≤ [`ANGLE_MAX`]; no accuracy beyond, NaN at ±∞.
#[inline(always)]
pub fn sin(x: f64) -> f64 {
    let value = sine(x.abs(), 0);
    f64::from_bits(value.to_bits() ^ (x.to_bits() & SIGN))
}

/// cos x within 1 ulp for |x| ≤ [`ANGLE_MAX`]; no accuracy beyond, NaN at ±∞.
#[inline(always)]
pub fn cos(x: f64) -> f64 {
    sine(x.abs(), 1)
}

/// erf x = 2/√π ∫₀ˣ e^(−t²) dt within 2 ulp: x·P(x²) below 1, 1 − e^(−G(|x|)) above.
#[inline(always)]
pub fn erf(x: f64) -> f64 {
    let a = at_most(x.abs(), ERF_MAX);
    let small = a.mul_add(polynomial(a * a, &ERF_SMALL), a);
    let (t, r, tail) = reduced_exp(-polynomial(a - 1.0, &LOG_ERFC));
    let scale = power_of_two(t);
    let large = (1.0 - scale) - scale * (r + tail);
    (if a < 1.0 { small } else { large }).copysign(x)
}
