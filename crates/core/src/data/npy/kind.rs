//! The types of numbers in an array: sign and size, and the order of the bytes.

/// Those that are read.
pub(super) const SUPPORTED: &str =
    "f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 and b1, little-endian < or big-endian >";

/// A type of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kind {
    class: Class,
    bytes: usize,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    Float,
    Signed,
    /// Truth values too: 0 and 1.
    Unsigned,
}

/// What the numbers of an array become.
pub(in crate::data) trait Kept: Copy + Default + Into<f64> + Send + Sync {
    /// The nearest to `number`.
    fn of(number: f64) -> Self;
}

impl Kept for f64 {
    fn of(number: f64) -> Self {
        number
    }
}

impl Kept for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "to the nearest")]
    fn of(number: f64) -> Self {
        number as Self
    }
}

impl Kind {
    /// Whether `f32` has every number of this type.
    pub(super) fn is_single(self) -> bool {
        match self.class {
            Class::Float => self.bytes <= 4,
            Class::Signed | Class::Unsigned => self.bytes <= 2,
        }
    }

    /// As `NumPy` writes it: `<f8`, `>i4`, `|u1`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let (order, kind) = name.split_at_checked(1)?;
        let (class, bytes) = match kind {
            "f2" => (Class::Float, 2),
            "f4" => (Class::Float, 4),
            "f8" => (Class::Float, 8),
            "i1" => (Class::Signed, 1),
            "i2" => (Class::Signed, 2),
            "i4" => (Class::Signed, 4),
            "i8" => (Class::Signed, 8),
            "u1" | "b1" => (Class::Unsigned, 1),
            "u2" => (Class::Unsigned, 2),
            "u4" => (Class::Unsigned, 4),
            "u8" => (Class::Unsigned, 8),
            _ => return None,
        };
        let big_endian = match order {
            "<" => false,
            ">" => true,
            // No order: only where there is one byte.
            "|" if bytes == 1 => false,
            _ => return None,
        };
        Some(Self { class, bytes, big_endian })
    }

    /// Of one number.
    pub(super) fn bytes(self) -> usize {
        self.bytes
    }

    /// `out` ← the numbers of `array`, as many as there are of both; whole numbers beyond 2⁵³ are rounded to the nearest.
    pub(super) fn numbers<T: Kept>(self, array: &[u8], out: &mut [T]) {
        // Whole arrays at a time, so that there is one loop for each type.
        fn each<const B: usize, T: Kept>(
            array: &[u8],
            big_endian: bool,
            out: &mut [T],
            number: impl Fn([u8; B]) -> f64,
        ) {
            let pairs = out.iter_mut().zip(array.as_chunks::<B>().0);
            if big_endian {
                pairs.for_each(|(to, &bytes)| {
                    let mut bytes = bytes;
                    bytes.reverse();
                    *to = T::of(number(bytes));
                });
            } else {
                pairs.for_each(|(to, &bytes)| *to = T::of(number(bytes)));
            }
        }
        let big = self.big_endian;
        match (self.class, self.bytes) {
            (Class::Float, 2) => each(array, big, out, |bits| half(u16::from_le_bytes(bits))),
            (Class::Float, 4) => each(array, big, out, |bits| f64::from(f32::from_le_bytes(bits))),
            (Class::Float, _) => each(array, big, out, f64::from_le_bytes),
            (Class::Signed, 1) => each(array, big, out, |[byte]| f64::from(byte.cast_signed())),
            (Class::Signed, 2) => each(array, big, out, |bits| f64::from(i16::from_le_bytes(bits))),
            (Class::Signed, 4) => each(array, big, out, |bits| f64::from(i32::from_le_bytes(bits))),
            (Class::Signed, _) => each(array, big, out, |bits| i64::from_le_bytes(bits) as f64),
            (Class::Unsigned, 1) => each(array, big, out, |[byte]| f64::from(byte)),
            (Class::Unsigned, 2) => {
                each(array, big, out, |bits| f64::from(u16::from_le_bytes(bits)));
            }
            (Class::Unsigned, 4) => {
                each(array, big, out, |bits| f64::from(u32::from_le_bytes(bits)));
            }
            (Class::Unsigned, _) => each(array, big, out, |bits| u64::from_le_bytes(bits) as f64),
        }
    }
}

/// binary16 of IEEE 754: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction. Every one is a number of `f64`.
fn half(bits: u16) -> f64 {
    /// Units of the smallest one, 2⁻²⁴, in a number of exponent 1.
    const UNIT: f64 = 1.0 / 16_777_216.0;
    let (sign, exponent, fraction) = (bits >> 15 & 1, bits >> 10 & 0x1f, bits & 0x3ff);
    let magnitude = match (exponent, fraction) {
        (0x1f, 0) => f64::INFINITY,
        (0x1f, _) => f64::NAN,
        (0, fraction) => f64::from(fraction) * UNIT,
        (exponent, fraction) => (u64::from(fraction | 0x400) << (exponent - 1)) as f64 * UNIT,
    };
    if sign == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_the_numbers_of_the_standard() {
        // IEEE 754-2019, table 3.5, and the values that its formulas give.
        for (bits, value) in [
            (0x0001, 2.0_f64.powi(-24)),
            (0x03ff, 2.0_f64.powi(-14) * (1023.0 / 1024.0)),
            (0x0400, 2.0_f64.powi(-14)),
            (0x3555, 0.333_251_953_125),
            (0x3c00, 1.0),
            (0x3c01, 1.0 + 2.0_f64.powi(-10)),
            (0x7bff, 65504.0),
            (0xc000, -2.0),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
            (0x0000, 0.0),
        ] {
            assert_eq!(half(bits), value, "{bits:04x}");
        }
        assert!(half(0x7e00).is_nan());
        assert!(half(0x8000) == 0.0 && half(0x8000).is_sign_negative());
    }

    #[test]
    fn every_type_gives_back_what_was_written_in_either_order() {
        fn check<const B: usize>(name: &str, little: [u8; B], value: f64) {
            let mut big = little;
            big.reverse();
            for (order, bytes) in [("<", little), (">", big)] {
                let kind = Kind::named(&format!("{order}{name}")).unwrap();
                assert_eq!(kind.bytes(), B);
                let mut numbers = [0.0_f64; 3];
                kind.numbers(&[[0xaa; B], bytes, [0x55; B]].concat(), &mut numbers);
                assert_eq!(numbers[1], value, "{order}{name}");
                let mut singles = [0.0_f32; 3];
                kind.numbers(&[[0xaa; B], bytes, [0x55; B]].concat(), &mut singles);
                let same = f64::from(singles[1]) == value;
                assert!(same || !kind.is_single(), "{order}{name}");
                assert_eq!(
                    kind.is_single(),
                    ["f2", "f4", "i1", "i2", "u1", "u2", "b1"].contains(&name)
                );
            }
        }
        check("f8", (-0.1_f64).to_le_bytes(), -0.1);
        check("f4", 1.5e-40_f32.to_le_bytes(), f64::from(1.5e-40_f32));
        check("f2", [0x00, 0xc0], -2.0);
        check("i1", (-128_i8).to_le_bytes(), -128.0);
        check("i2", (-32_768_i16).to_le_bytes(), -32_768.0);
        check("i4", i32::MIN.to_le_bytes(), -2_147_483_648.0);
        check("i8", i64::MIN.to_le_bytes(), -9_223_372_036_854_775_808.0);
        check("u1", [200], 200.0);
        check("u2", 65_535_u16.to_le_bytes(), 65_535.0);
        check("u4", u32::MAX.to_le_bytes(), 4_294_967_295.0);
        check("u8", (u64::MAX - 1).to_le_bytes(), 18_446_744_073_709_551_616.0);
        check("b1", [1], 1.0);
        for name in ["f8", "=f8", "|f8", "<f16", "<c16", "<U3", "|O", "<M8[ns]", "<f", "", "é1"] {
            assert_eq!(Kind::named(name), None, "{name}");
        }
    }
}
