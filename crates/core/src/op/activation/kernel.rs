//! σ, σ′ and σ″ of one entry, in closed form.

use super::Activation;
use crate::elementwise::scalar;
use std::f64::consts::FRAC_1_SQRT_2;

/// 1/√(2π), the height of the normal density.
const NORMAL_DENSITY: f64 = 0.398_942_280_401_432_7;

/// Bits of an integer exponent, that of σ″ included: at most 1025.
const EXPONENT_BITS: u32 = 11;

/// An activation as its loops see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel {
    pub(super) activation: Activation,
    /// Whether the slower, general formula is needed: an angle beyond the range of the vectorised sine, an exponent that is no
    /// integer.
    pub(super) general: bool,
}

impl Kernel {
    /// σ(x).
    #[inline(always)]
    pub(super) fn at(self, x: f64) -> f64 {
        match self.activation {
            Activation::Identity => x,
            Activation::Tanh => scalar::tanh(x),
            // Written so that NaN passes through.
            Activation::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Activation::LeakyRelu { slope } => {
                if x < 0.0 {
                    slope * x
                } else {
                    x
                }
            }
            Activation::Sigmoid => scalar::sigmoid(x),
            Activation::Softplus => scalar::softplus(x),
            Activation::Silu => x * scalar::sigmoid(x),
            Activation::Gelu => x * normal_distribution(x),
            Activation::Sine if self.general => libm::sin(x),
            Activation::Sine => scalar::sin(x),
            Activation::Exp => scalar::exp(x),
            Activation::Log => scalar::log(x),
            Activation::Sqrt => x.sqrt(),
            Activation::Power { exponent } => self.power(x, exponent),
        }
    }

    /// x^p, in the way that the node's own exponent asks for: p may be that of a derivative.
    #[inline(always)]
    fn power(self, x: f64, exponent: f64) -> f64 {
        if self.general { scalar::exp(exponent * scalar::log(x)) } else { whole_power(x, exponent) }
    }

    /// σ′ from x and z = σ(x), whichever is cheaper.
    #[inline(always)]
    pub(super) fn slope(self, x: f64, z: f64) -> f64 {
        match self.activation {
            Activation::Identity => 1.0,
            Activation::Tanh => (-z).mul_add(z, 1.0),
            Activation::Relu => {
                if x > 0.0 {
                    1.0
                } else {
                    0.0
                }
            }
            Activation::LeakyRelu { slope } => {
                if x > 0.0 {
                    1.0
                } else {
                    slope
                }
            }
            Activation::Sigmoid => z * (1.0 - z),
            Activation::Softplus => scalar::sigmoid(x),
            Activation::Silu => {
                let s = scalar::sigmoid(x);
                s * x.mul_add(1.0 - s, 1.0)
            }
            Activation::Gelu => x.mul_add(normal_density(x), normal_distribution(x)),
            Activation::Sine if self.general => libm::cos(x),
            Activation::Sine => scalar::cos(x),
            Activation::Exp => z,
            Activation::Log => x.recip(),
            Activation::Sqrt => 0.5 / z,
            // 0·x⁻¹ is not 0 at x = 0.
            Activation::Power { exponent: 0.0 } => 0.0,
            Activation::Power { exponent } => exponent * self.power(x, exponent - 1.0),
        }
    }

    /// (σ′, σ″) from x and z.
    #[inline(always)]
    pub(super) fn slope_and_bend(self, x: f64, z: f64) -> (f64, f64) {
        match self.activation {
            Activation::Identity => (1.0, 0.0),
            Activation::Relu
            | Activation::LeakyRelu { .. }
            | Activation::Power { exponent: 0.0 | 1.0 } => (self.slope(x, z), 0.0),
            Activation::Tanh => {
                let slope = self.slope(x, z);
                (slope, -2.0 * z * slope)
            }
            Activation::Sigmoid => {
                let slope = self.slope(x, z);
                (slope, slope * (-2.0f64).mul_add(z, 1.0))
            }
            Activation::Softplus => {
                let slope = scalar::sigmoid(x);
                (slope, slope * (1.0 - slope))
            }
            Activation::Silu => {
                let s = scalar::sigmoid(x);
                let ds = s * (1.0 - s);
                (x.mul_add(ds, s), ds * x.mul_add((-2.0f64).mul_add(s, 1.0), 2.0))
            }
            Activation::Gelu => {
                let density = normal_density(x);
                let slope = x.mul_add(density, normal_distribution(x));
                (slope, density * (-x).mul_add(x, 2.0))
            }
            Activation::Sine => (self.slope(x, z), -z),
            Activation::Exp => (z, z),
            Activation::Log => {
                let slope = x.recip();
                (slope, -slope * slope)
            }
            Activation::Sqrt => {
                let slope = 0.5 / z;
                (slope, -slope * slope / z)
            }
            Activation::Power { exponent } => {
                let factor = exponent * (exponent - 1.0);
                (self.slope(x, z), factor * self.power(x, exponent - 2.0))
            }
        }
    }
}

/// x^p for an integer p of at most [`EXPONENT_BITS`] bits, by squaring: the same steps for every x, so that a loop is vector code.
#[inline(always)]
fn whole_power(x: f64, exponent: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "an integer of a few bits")]
    let exponent = exponent as i32;
    let bits = exponent.unsigned_abs();
    let (mut power, mut square) = (1.0, x);
    for bit in 0..EXPONENT_BITS {
        power *= if bits >> bit & 1 == 1 { square } else { 1.0 };
        square *= square;
    }
    if exponent < 0 { power.recip() } else { power }
}

/// Φ(x) = ½·erfc(−x/√2).
#[inline(always)]
fn normal_distribution(x: f64) -> f64 {
    0.5 * (1.0 + scalar::erf(x * FRAC_1_SQRT_2))
}

/// φ(x).
#[inline(always)]
fn normal_density(x: f64) -> f64 {
    NORMAL_DENSITY * scalar::exp(-0.5 * x * x)
}
