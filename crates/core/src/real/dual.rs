//! A number with partial derivatives.

use super::Real;
use std::f64::consts::{FRAC_2_SQRT_PI, LOG2_E, LOG10_E};

/// A value with K partial derivatives, both of `T`: `f64`, or a dual again for the next order.
///
/// Comparisons look at the value alone. Operations and functions follow the chain rule; the derivatives of a function are formulas that keep
/// their digits where the function does (1 − tanh² as 4e/(1 + e)² far out, 1 − x² as (1 − x)(1 + x)).
#[derive(Clone, Copy, Debug)]
pub struct Dual<T, const K: usize> {
    /// The number itself.
    pub value: T,
    /// Its derivatives along K directions.
    pub partials: [T; K],
}

impl<T: Real, const K: usize> Dual<T, K> {
    /// A number that does not depend on anything.
    #[inline]
    pub fn constant(value: T) -> Self {
        Self { value, partials: [T::default(); K] }
    }

    /// The variable that direction `k` moves.
    ///
    /// # Panics
    /// `k` is not below K.
    #[inline]
    pub fn variable(value: T, k: usize) -> Self {
        let mut variable = Self::constant(value);
        variable.partials[k] = T::from_f64(1.0);
        variable
    }

    /// f(x) from its value and slope there. A direction in which x does not move stays without derivative where the slope is infinite.
    #[inline]
    fn chain(self, value: T, slope: T) -> Self {
        let mut partials = self.partials;
        if slope.is_finite() {
            for k in 0..K {
                partials[k] *= slope;
            }
        } else {
            for k in 0..K {
                if !partials[k].is_zero() {
                    partials[k] *= slope;
                }
            }
        }
        Self { value, partials }
    }

    /// f(x, y) from its value and its slopes in x and y; as [`chain`](Self::chain).
    #[inline]
    fn chain2(self, y: Self, value: T, slopes: (T, T)) -> Self {
        let (x, y) = (self.chain(value, slopes.0), y.chain(value, slopes.1));
        let mut partials = x.partials;
        for k in 0..K {
            partials[k] += y.partials[k];
        }
        Self { value, partials }
    }
}

impl<T: Real, const K: usize> Default for Dual<T, K> {
    #[inline]
    fn default() -> Self {
        Self::constant(T::default())
    }
}

impl<T: Real, const K: usize> From<f64> for Dual<T, K> {
    #[inline]
    fn from(x: f64) -> Self {
        Self::from_f64(x)
    }
}

impl<T: Real, const K: usize> Real for Dual<T, K> {
    #[inline]
    fn from_f64(x: f64) -> Self {
        Self::constant(T::from_f64(x))
    }
    #[inline]
    fn value(&self) -> f64 {
        self.value.value()
    }
    #[inline]
    fn is_finite(&self) -> bool {
        self.value.is_finite() && self.partials.iter().all(T::is_finite)
    }
    #[inline]
    fn is_zero(&self) -> bool {
        self.value.is_zero() && self.partials.iter().all(T::is_zero)
    }

    #[inline]
    fn recip(self) -> Self {
        let value = self.value.recip();
        self.chain(value, -value * value)
    }
    #[inline]
    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        self.chain(value, 0.5 / value)
    }
    #[inline]
    fn cbrt(self) -> Self {
        let value = self.value.cbrt();
        self.chain(value, 1.0 / (3.0 * (value * value)))
    }
    #[inline]
    fn powi(self, n: i32) -> Self {
        match n {
            0 => Self::from_f64(1.0),
            i32::MIN => self.powf(f64::from(n)),
            _ => self.chain(self.value.powi(n), self.value.powi(n - 1) * f64::from(n)),
        }
    }
    #[inline]
    fn powf(self, p: f64) -> Self {
        if p == 0.0 {
            return Self::from_f64(1.0);
        }
        self.chain(self.value.powf(p), self.value.powf(p - 1.0) * p)
    }
    #[inline]
    fn powr(self, y: Self) -> Self {
        let value = self.value.powr(y.value);
        let of_x = y.value * self.value.powr(y.value - 1.0);
        if y.partials.iter().all(T::is_zero) {
            return self.chain(value, of_x);
        }
        let of_y = if self.value == 0.0 { T::default() } else { value * self.value.ln() };
        self.chain2(y, value, (of_x, of_y))
    }
    #[inline]
    fn abs(self) -> Self {
        if self.value().is_sign_negative() { -self } else { self }
    }
    #[inline]
    fn hypot(self, y: Self) -> Self {
        let value = self.value.hypot(y.value);
        self.chain2(y, value, (self.value / value, y.value / value))
    }
    #[inline]
    fn mul_add(self, a: Self, b: Self) -> Self {
        let value = self.value.mul_add(a.value, b.value);
        let mut partials = b.partials;
        for k in 0..K {
            partials[k] += self.partials[k] * a.value + self.value * a.partials[k];
        }
        Self { value, partials }
    }

    #[inline]
    fn exp(self) -> Self {
        let value = self.value.exp();
        self.chain(value, value)
    }
    #[inline]
    fn exp_m1(self) -> Self {
        self.chain(self.value.exp_m1(), self.value.exp())
    }
    #[inline]
    fn ln(self) -> Self {
        self.chain(self.value.ln(), self.value.recip())
    }
    #[inline]
    fn ln_1p(self) -> Self {
        self.chain(self.value.ln_1p(), (1.0 + self.value).recip())
    }
    #[inline]
    fn log10(self) -> Self {
        self.chain(self.value.log10(), LOG10_E / self.value)
    }
    #[inline]
    fn log2(self) -> Self {
        self.chain(self.value.log2(), LOG2_E / self.value)
    }

    #[inline]
    fn sin(self) -> Self {
        let (sin, cos) = self.value.sin_cos();
        self.chain(sin, cos)
    }
    #[inline]
    fn cos(self) -> Self {
        let (sin, cos) = self.value.sin_cos();
        self.chain(cos, -sin)
    }
    #[inline]
    fn sin_cos(self) -> (Self, Self) {
        let (sin, cos) = self.value.sin_cos();
        (self.chain(sin, cos), self.chain(cos, -sin))
    }
    #[inline]
    fn tan(self) -> Self {
        let value = self.value.tan();
        self.chain(value, 1.0 + value * value)
    }
    #[inline]
    fn asin(self) -> Self {
        self.chain(self.value.asin(), circle(self.value).sqrt().recip())
    }
    #[inline]
    fn acos(self) -> Self {
        self.chain(self.value.acos(), -circle(self.value).sqrt().recip())
    }
    #[inline]
    fn atan(self) -> Self {
        self.chain(self.value.atan(), (1.0 + self.value * self.value).recip())
    }
    #[inline]
    fn atan2(self, x: Self) -> Self {
        let (y, radius) = (self.value, self.value.hypot(x.value));
        let slopes = (x.value / radius / radius, -(y / radius / radius));
        self.chain2(x, y.atan2(x.value), slopes)
    }
    #[inline]
    fn sinh(self) -> Self {
        self.chain(self.value.sinh(), self.value.cosh())
    }
    #[inline]
    fn cosh(self) -> Self {
        self.chain(self.value.cosh(), self.value.sinh())
    }
    #[inline]
    fn tanh(self) -> Self {
        let value = self.value.tanh();
        // Each has its digits, and those of its derivatives, where the other loses them.
        let slope = if self.value().abs() < 1.0 {
            1.0 - value * value
        } else {
            let e = (self.value.abs() * -2.0).exp();
            4.0 * e / ((1.0 + e) * (1.0 + e))
        };
        self.chain(value, slope)
    }
    #[inline]
    fn erf(self) -> Self {
        self.chain(self.value.erf(), bell(self.value))
    }
    #[inline]
    fn erfc(self) -> Self {
        self.chain(self.value.erfc(), -bell(self.value))
    }
}

/// 1 − x², to all its digits near ±1.
#[inline]
fn circle<T: Real>(x: T) -> T {
    (1.0 - x) * (1.0 + x)
}

/// 2/√π·e^(−x²).
#[inline]
fn bell<T: Real>(x: T) -> T {
    FRAC_2_SQRT_PI * (-(x * x)).exp()
}
