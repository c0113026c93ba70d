//! Decimal numbers, read where they stand.

use super::records::BLANKS;

/// Digits at most of which no sum overflows 64 bits.
const DIGITS: usize = 19;
/// Whole numbers up to here are those of `f64`.
const EXACT: u64 = 1 << 53;
/// The powers of ten that are numbers of `f64`: one product or quotient of two such numbers is rounded once, as the number read should be.
/// Clinger (1990), How to read floating point numbers accurately.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
/// Digits of an exponent at most.
const EXPONENT_DIGITS: usize = 4;

/// The number that `bytes` begin with and where it ends; `None` where none does, and where it takes more than one operation to be exact.
/// What it gives has the bits that `str::parse` gives for the same text with a point for `decimal`.
#[inline]
pub(in crate::data) fn number(bytes: &[u8], decimal: u8) -> Option<(f64, usize)> {
    let negative = bytes.first() == Some(&b'-');
    let start = usize::from(negative || bytes.first() == Some(&b'+'));
    let (mut whole, mut at) = digits(bytes, start, 0);
    let mut count = at - start;
    let mut exponent = 0_i32;
    if bytes.get(at) == Some(&decimal) {
        let fraction = at + 1;
        (whole, at) = digits(bytes, fraction, whole);
        count += at - fraction;
        // More than `DIGITS` are refused below.
        exponent = -i32::try_from((at - fraction).min(2 * DIGITS)).unwrap_or_default();
    }
    if count == 0 || count > DIGITS {
        return None;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let below = bytes.get(at + 1) == Some(&b'-');
        let first = at + 1 + usize::from(below || bytes.get(at + 1) == Some(&b'+'));
        let (size, end) = digits(bytes, first, 0);
        if end == first || end - first > EXPONENT_DIGITS {
            return None;
        }
        let size = i32::try_from(size).unwrap_or_default();
        exponent += if below { -size } else { size };
        at = end;
    }
    let power = POWERS.get(exponent.unsigned_abs() as usize)?;
    if whole > EXACT {
        return None;
    }
    let whole = whole as f64;
    let value = if exponent < 0 { whole / power } else { whole * power };
    // Without a branch: signs come in any order.
    Some((f64::from_bits(value.to_bits() | u64::from(negative) << 63), at))
}

/// `value` with the digits from `at` on behind it, and where they end. It wraps where they are too many.
///
/// Eight bytes at a time: how many of them are digits decides a shift and no branch, which numbers of changing length would make the processor
/// guess wrong.
#[inline]
fn digits(bytes: &[u8], mut at: usize, mut value: u64) -> (u64, usize) {
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        // The first digit is the lowest byte; bytes of no digit become more than 9.
        let bytes = u64::from_le_bytes(*eight) ^ each(b'0');
        let others = ((bytes & each(0x7f)).wrapping_add(each(0x76)) | bytes) & each(0x80);
        let count = others.trailing_zeros() as usize / 8;
        if count == 0 {
            return (value, at);
        }
        value = value
            .wrapping_mul(WHOLE_POWERS[count])
            .wrapping_add(eight_digits(bytes << (64 - 8 * count)));
        at += count;
        if count < 8 {
            return (value, at);
        }
    }
    while let Some(&byte) = bytes.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (value, at)
}

const WHOLE_POWERS: [u64; 9] =
    [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Eight times this byte.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The number of eight digits, the first in the lowest byte: pairs, then fours, then both.
fn eight_digits(digits: u64) -> u64 {
    const PAIRS: u64 = 0x0000_00ff_0000_00ff;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & PAIRS).wrapping_mul(100 + (1_000_000 << 32));
    let high = (pairs >> 16 & PAIRS).wrapping_mul(1 + (10_000 << 32));
    low.wrapping_add(high) >> 32
}

/// Where the field behind a number that ends at `at` begins, and whether there is none in this record; `None` where its own goes on.
#[inline]
pub(in crate::data) fn behind(bytes: &[u8], mut at: usize, delimiter: u8) -> Option<(usize, bool)> {
    loop {
        match bytes.get(at) {
            Some(&sign) if sign == delimiter && delimiter != BLANKS => {
                return Some((at + 1, false));
            }
            Some(b'\n' | b'\r') | None => return Some((at, true)),
            Some(b' ' | b'\t') if delimiter == BLANKS => {
                while matches!(bytes.get(at), Some(b' ' | b'\t')) {
                    at += 1;
                }
                return Some((at, matches!(bytes.get(at), None | Some(b'\n' | b'\r'))));
            }
            Some(b' ') => at += 1,
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the standard library reads, where all of `text` was read here.
    fn same_bits(text: &str) -> Result<bool, TestCaseError> {
        let Some((value, end)) = number(text.as_bytes(), b'.') else { return Ok(false) };
        let wanted: f64 = text[..end].parse().unwrap();
        prop_assert_eq!(value.to_bits(), wanted.to_bits(), "{}", text);
        let comma = text.replace('.', ",");
        prop_assert_eq!(
            number(comma.as_bytes(), b',').map(|(value, end)| (value.to_bits(), end)),
            Some((value.to_bits(), end))
        );
        Ok(true)
    }

    #[test]
    fn what_is_no_number_or_takes_more_digits_is_left_to_others() {
        for text in [
            "",
            "-",
            "+",
            ".",
            "-.",
            "e5",
            "1e",
            "1e+",
            "x",
            "--1",
            "12345678901234567890",
            "9007199254740993",
            "1e23",
            "1e-23",
            "1e99999",
            "inf",
            "0.1234567890123456789",
        ] {
            assert_eq!(number(text.as_bytes(), b'.'), None, "{text}");
        }
        for (text, value, end) in [
            ("1.5,2", 1.5, 3),
            ("-0;", -0.0, 2),
            (".5 ", 0.5, 2),
            ("5.\n", 5.0, 2),
            ("+7e2", 700.0, 4),
            ("1.2.3", 1.2, 3),
            ("0012", 12.0, 4),
            ("9007199254740992", 9_007_199_254_740_992.0, 16),
            ("1E-05|", 1e-5, 5),
        ] {
            let found = number(text.as_bytes(), b'.').map(|(value, end)| (value.to_bits(), end));
            assert_eq!(found, Some((f64::to_bits(value), end)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_have_the_bits_of_the_standard_library(
            value in any::<f64>(), short in any::<f32>(), small in -1e6..1e6_f64, digits in 0..8_usize, text in "[-+]?[0-9]{0,12}[.]?[0-9]{0,12}([eE][-+]?[0-9]{1,3})?"
        ) {
            prop_assert!(same_bits(&format!("{small:.digits$}"))?, "{small:.digits$}");
            for text in [format!("{value}"), format!("{value:e}"), format!("{short}"), format!("{short:e}"), format!("{small}"), format!("{small:e}"), format!("{small:.digits$e}"), text] {
                same_bits(&text)?;
            }
        }
    }
}
