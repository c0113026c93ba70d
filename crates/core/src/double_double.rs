//! Numbers as unevaluated sums of two `f64`: some 32 digits, from operations that are exact but for their last rounding.
//!
//! For residuals whose digits cancel, and for decimals that no `f64` is. Every operation has a relative error of a few 2⁻¹⁰⁶, as long
//! as nothing over- or underflows; results that are not finite make both parts useless, never silently right.
//! Source: Dekker (1971), Knuth for the sum; Joldes, Muller & Popescu (2017), ACM TOMS 44, algorithms 6, 12 and 18.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// Powers of ten are exact up to this one.
const EXACT_POWER: u32 = 22;
/// Decimal digits that a mantissa may have: they fit `u64`.
const EXACT_DIGITS: usize = 18;

/// `high + low` with |low| at most half a unit in the last place of `high`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DoubleDouble {
    /// The number rounded to `f64`.
    pub high: f64,
    /// What that rounding left.
    pub low: f64,
}

/// a + b as its rounding and the error of that, exactly.
///
/// ```
/// assert_eq!(secant_core::double_double::two_sum(1.0, 1e-20), (1.0, 1e-20));
/// ```
#[inline(always)]
pub fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// As [`two_sum`], for |a| ≥ |b| or a = 0.
#[inline(always)]
pub fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// a·b as its rounding and the error of that, exactly where neither underflows.
#[inline(always)]
pub fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

impl DoubleDouble {
    /// 0.
    pub const ZERO: Self = Self { high: 0.0, low: 0.0 };

    /// The square root; NaN of a negative number.
    pub fn sqrt(self) -> Self {
        if self.high == 0.0 {
            return self;
        }
        let root = self.high.sqrt();
        let (square, error) = two_product(root, root);
        let rest = self - Self { high: square, low: error };
        let (high, low) = quick_two_sum(root, rest.high / (2.0 * root));
        Self { high, low }
    }

    /// The power, by repeated multiplication.
    pub fn powi(self, exponent: u32) -> Self {
        (0..exponent).fold(Self::from(1.0), |power, _| power * self)
    }

    /// A decimal number such as `-6.860120914E+01`, with the digits that `f64` cannot hold. At most 18 digits and 22 of them behind
    /// the point, after the exponent has moved it; others, and text that is no number, give `None`.
    ///
    /// ```
    /// use secant_core::double_double::DoubleDouble;
    /// let tenth = DoubleDouble::from_decimal("0.1").unwrap();
    /// assert_eq!(tenth.high, 0.1);
    /// assert_eq!(tenth * DoubleDouble::from(10.0), DoubleDouble::from(1.0));
    /// ```
    pub fn from_decimal(text: &str) -> Option<Self> {
        let text = text.trim();
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: String = [whole, fraction].concat();
        let significant = digits.trim_start_matches('0');
        let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !plain || significant.len() > EXACT_DIGITS {
            return None;
        }
        let integer = if significant.is_empty() { 0 } else { significant.parse::<u64>().ok()? };
        // An integer of 18 digits is the sum of two that `f64` holds.
        let (upper, lower) = (integer >> 32, integer & u64::from(u32::MAX));
        let (high, low) = two_sum(upper as f64 * 2.0_f64.powi(32), lower as f64);
        let power = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        if power.unsigned_abs() > EXACT_POWER {
            return None;
        }
        let ten = Self::from(10.0_f64.powi(power.abs()));
        let size = Self { high, low };
        let size = if power < 0 { size / ten } else { size * ten };
        Some(if negative { -size } else { size })
    }
}

impl From<f64> for DoubleDouble {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl From<DoubleDouble> for f64 {
    fn from(number: DoubleDouble) -> Self {
        number.high + number.low
    }
}

impl Neg for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Add for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (sum, error) = two_sum(self.high, other.high);
        let (low, low_error) = two_sum(self.low, other.low);
        let (sum, error) = quick_two_sum(sum, error + low);
        let (high, low) = quick_two_sum(sum, error + low_error);
        Self { high, low }
    }
}

impl Sub for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let (product, error) = two_product(self.high, other.high);
        let cross = self.high.mul_add(other.low, self.low * other.high);
        let (high, low) = quick_two_sum(product, error + cross);
        Self { high, low }
    }
}

impl Div for DoubleDouble {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        let rest = self - other * Self::from(first);
        let second = rest.high / other.high;
        let rest = rest - other * Self::from(second);
        let (high, low) = quick_two_sum(first, second);
        Self { high, low } + Self::from(rest.high / other.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Integers of 53 bits with both signs.
    fn draws() -> impl Iterator<Item = i64> {
        let mut state = 7_u64;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let shift = 11 + (state >> 58) % 40;
            let size = i64::try_from(state >> shift).unwrap();
            if state & 4 == 0 { size } else { -size }
        })
    }

    fn exact(number: DoubleDouble) -> i128 {
        #[expect(clippy::cast_possible_truncation, reason = "both parts are integers below 2^107")]
        let parts = (number.high as i128, number.low as i128);
        parts.0 + parts.1
    }

    #[test]
    fn sums_and_products_of_integers_are_exact() {
        let (a, b) = (draws().step_by(2), draws().skip(1).step_by(2));
        for (a, b) in a.zip(b).take(2000) {
            let (x, y) = (a as f64, b as f64);
            let (high, low) = two_sum(x, y);
            assert_eq!(exact(DoubleDouble { high, low }), i128::from(a) + i128::from(b));
            let (high, low) = two_product(x, y);
            assert_eq!(exact(DoubleDouble { high, low }), i128::from(a) * i128::from(b));
            let square = DoubleDouble::from(x) * DoubleDouble::from(y);
            assert_eq!(exact(square - DoubleDouble::from(x)), i128::from(a) * (i128::from(b) - 1));
        }
    }

    #[test]
    fn division_and_roots_undo_multiplication_to_thirty_digits() {
        for (a, b) in draws().zip(draws().skip(9)).take(500) {
            if a == 0 || b == 0 {
                continue;
            }
            let (a, b) = (DoubleDouble::from(a as f64 * 1e-3), DoubleDouble::from(b as f64));
            let gap = |x: DoubleDouble, y: DoubleDouble| ((x - y).high / y.high).abs();
            assert!(gap(a / b * b, a) < 1e-31, "{a:?} {b:?}");
            let square = a * a;
            assert!(gap(square.sqrt() * square.sqrt(), square) < 1e-31, "{a:?}");
            assert!(gap(a.powi(3), a * a * a) < 1e-31);
        }
        assert_eq!(DoubleDouble::ZERO.sqrt(), DoubleDouble::ZERO);
        assert!(DoubleDouble::from(-1.0).sqrt().high.is_nan());
    }

    #[test]
    fn decimals_keep_what_f64_loses() {
        for text in
            ["-6.860120914", "0.8116", "123456789012345678", "1.5E-03", "+7", "-.25", "60323."]
        {
            let number = DoubleDouble::from_decimal(text).unwrap();
            assert_eq!(number.high, text.parse::<f64>().unwrap(), "{text}");
        }
        // −6.860120914 · 10⁹ is an integer.
        let number = DoubleDouble::from_decimal("-6.860120914").unwrap();
        assert_eq!(exact(number * DoubleDouble::from(1e9)), -6_860_120_914);
        assert!(number.low != 0.0);
        for text in ["", "-", "1e", "abc", "1.2.3", "1e400", "1234567890123456789", "NaN", "1e-30"]
        {
            assert_eq!(DoubleDouble::from_decimal(text), None, "{text}");
        }
    }
}
