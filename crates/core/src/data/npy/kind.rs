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

impl Kind {
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

    /// Number `index` of an array; whole numbers beyond 2⁵³ are rounded to the nearest.
    pub(super) fn number(self, array: &[u8], index: usize) -> f64 {
        let bytes = &array[index * self.bytes..(index + 1) * self.bytes];
        let push = |bits: u64, &byte: &u8| bits << 8 | u64::from(byte);
        let bits = if self.big_endian {
            bytes.iter().fold(0, push)
        } else {
            bytes.iter().rev().fold(0, push)
        };
        // The bits stand at the lower end.
        let unused = u64::BITS - 8 * u32::try_from(self.bytes).unwrap_or(8);
        match (self.class, self.bytes) {
            (Class::Float, 2) => half(bits),
            (Class::Float, 4) => f64::from(f32::from_bits(u32::try_from(bits).unwrap_or_default())),
            (Class::Float, _) => f64::from_bits(bits),
            // Up to the top and back: the sign follows.
            (Class::Signed, _) => ((bits << unused).cast_signed() >> unused) as f64,
            (Class::Unsigned, _) => bits as f64,
        }
    }
}

/// binary16 of IEEE 754: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction. Every one is a number of `f64`.
fn half(bits: u64) -> f64 {
    /// Units of the smallest one, 2⁻²⁴, in a number of exponent 1.
    const UNIT: f64 = 1.0 / 16_777_216.0;
    let (sign, exponent, fraction) = (bits >> 15 & 1, bits >> 10 & 0x1f, bits & 0x3ff);
    let magnitude = match (exponent, fraction) {
        (0x1f, 0) => f64::INFINITY,
        (0x1f, _) => f64::NAN,
        (0, fraction) => fraction as f64 * UNIT,
        (exponent, fraction) => ((fraction | 0x400) << (exponent - 1)) as f64 * UNIT,
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
                let array = [[0xaa; B], bytes, [0x55; B]].concat();
                assert_eq!(kind.number(&array, 1), value, "{order}{name}");
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
