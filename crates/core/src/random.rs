//! One seeded stream of random numbers, the same on every platform and in every version of this crate.
//!
//! The bits are those of xoshiro256++ (Blackman and Vigna 2021), the 64-bit seed spread over its state by splitmix64 as
//! its authors advise. What becomes of the bits is written here and not left to a library, so that a seed names the same
//! split and the same initial weights for good; `tests` pins the first numbers.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};

/// The spacing of the numbers that [`Random::uniform`] draws, 2⁻⁵³: every multiple of it in [0, 1) is an `f64`.
const SPACING: f64 = 1.0 / (1_u64 << 53) as f64;

/// A seeded stream of uniform and normal numbers.
///
/// ```
/// use secant_core::random::Random;
/// let (mut a, mut b) = (Random::new(7), Random::new(7));
/// assert_eq!(a.normal(), b.normal());
/// assert!((0.0..1.0).contains(&a.uniform()));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Random {
    bits: Xoshiro256PlusPlus,
    /// The second number of the last pair that the polar method gave.
    spare_normal: Option<f64>,
}

impl Random {
    /// The stream that `seed` names.
    pub fn new(seed: u64) -> Self {
        Self { bits: Xoshiro256PlusPlus::seed_from_u64(seed), spare_normal: None }
    }

    /// Uniform on the multiples of 2⁻⁵³ in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.bits.next_u64() >> 11) as f64 * SPACING
    }

    /// Standard normal: mean 0, variance 1. Marsaglia's polar method (Knuth, TAOCP 2, §3.4.1, algorithm P).
    pub fn normal(&mut self) -> f64 {
        if let Some(z) = self.spare_normal.take() {
            return z;
        }
        loop {
            let u = 2.0 * self.uniform() - 1.0;
            let v = 2.0 * self.uniform() - 1.0;
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                // libm, not std: the logarithm of std differs between platforms in the last bit.
                let factor = (-2.0 * libm::log(s) / s).sqrt();
                self.spare_normal = Some(v * factor);
                return u * factor;
            }
        }
    }

    /// Uniform on 0, 1, …, `n` − 1, without bias (Lemire 2019); 0 where `n` ≤ 1.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves of a 128-bit product, the upper one below n"
    )]
    pub fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        if n <= 1 {
            return 0;
        }
        // The draws whose lower half falls under 2⁶⁴ mod n are the surplus that would bias the result.
        let surplus = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.bits.next_u64()) * u128::from(n);
            if product as u64 >= surplus {
                return (product >> 64) as usize;
            }
        }
    }

    /// Puts `items` in a random order, every order equally likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A number for every pair of numbers, as if drawn at random: the bits of splitmix64 (Steele, Lea & Flood 2014) started at `key`,
/// `index` steps on. A stream that can be entered anywhere, so that threads and order have no part in it.
#[inline(always)]
pub fn hashed(key: u64, index: u64) -> u64 {
    // 2⁶⁴ over the golden ratio, and the mixer's constants.
    let mut bits = key.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A number for a name, the same on every platform: FNV-1a (Fowler, Noll & Vo).
pub(crate) fn hashed_name(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_splitmix64_and_fnv() {
        // The first numbers of splitmix64 from the seed 1234567, as its authors' code gives them.
        let first: Vec<u64> = (0..3).map(|index| hashed(1_234_567, index)).collect();
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
        // From the test vectors of FNV.
        assert_eq!(hashed_name(""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(hashed_name("foobar"), 0x8594_4171_F739_67E8);
    }

    #[test]
    #[expect(clippy::unreadable_literal, reason = "digits as their source writes them")]
    fn a_seed_names_the_same_numbers_for_good() {
        // From a second implementation of splitmix64, xoshiro256++ and the mappings.
        let uniform = |seed| {
            let mut random = Random::new(seed);
            [random.uniform(), random.uniform(), random.uniform()]
        };
        assert_eq!(uniform(0), [0.3245752680314067, 0.38223929651167343, 0.3596172076473553]);
        assert_eq!(uniform(42), [0.8143051451229099, 0.3188210400616611, 0.9838941681774888]);
        let mut random = Random::new(42);
        assert_eq!([random.normal(), random.normal()], [0.9813983900724986, -0.565720104673956]);
        let mut items = [0, 1, 2, 3, 4, 5, 6, 7];
        Random::new(42).shuffle(&mut items);
        assert_eq!(items, [7, 0, 1, 4, 3, 5, 2, 6]);
    }

    #[test]
    fn uniform_and_normal_have_their_moments() {
        let mut random = Random::new(1);
        let count = 200_000;
        let (mut mean, mut square, mut fourth, mut uniform) = (0.0, 0.0, 0.0, 0.0);
        for _ in 0..count {
            let z = random.normal();
            mean += z;
            square += z * z;
            fourth += z.powi(4);
            let u = random.uniform();
            assert!((0.0..1.0).contains(&u));
            uniform += u;
        }
        let n = f64::from(count);
        // Five standard errors: √(1/N), √(2/N), √(96/N), √(1/12N).
        assert!((mean / n).abs() < 5.0 / n.sqrt());
        assert!((square / n - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
        assert!((fourth / n - 3.0).abs() < 5.0 * (96.0 / n).sqrt());
        assert!((uniform / n - 0.5).abs() < 5.0 / (12.0 * n).sqrt());
    }

    #[test]
    fn below_is_uniform_and_stays_below() {
        let mut random = Random::new(2);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[random.below(7)] += 1;
        }
        // Six standard deviations of a count of 10,000.
        assert!(counts.iter().all(|&c| c.abs_diff(10_000) < 560), "{counts:?}");
        assert_eq!((random.below(0), random.below(1)), (0, 0));
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_all_orders_come_up() {
        let mut seen = std::collections::HashSet::new();
        let mut random = Random::new(3);
        for _ in 0..400 {
            let mut items = [0, 1, 2, 3];
            random.shuffle(&mut items);
            seen.insert(items);
            items.sort_unstable();
            assert_eq!(items, [0, 1, 2, 3]);
        }
        assert_eq!(seen.len(), 24);
    }
}
