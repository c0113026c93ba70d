//! Exact derivatives of a function written once in Rust: numbers that carry their derivatives with them.
//!
//! A function generic over [`Real`] runs on `f64`, and on a [`Dual`], which is a value with K partial derivatives. Forward mode: one pass
//! gives the derivatives along K directions, exact to rounding. Duals nest: `Dual<Dual<f64, 1>, 8>` has second derivatives.
//! Source: Griewank & Walther (2008), Evaluating Derivatives, ch. 3 (forward mode) and 13 (nested for higher orders).
//!
//! What is to be fitted is [`Residuals`] or a [`Function`]; `secant::residuals` and `secant::function` make problems of them for every
//! method. Everything here has the same bits on every platform: elementary functions are those of `libm` (eˣ is our own), `sqrt` and the four operations
//! are IEEE's.
//!
//! ```
//! use secant_core::real::{Dual, Real};
//!
//! fn decay<T: Real>(a: T, b: T, t: f64) -> T {
//!     2.0 * a * (-b * t).exp()
//! }
//! assert_eq!(decay(1.5, 0.0, 4.0), 3.0);
//!
//! // The same with its partial derivatives with respect to a and b.
//! let (a, b) = (Dual::<f64, 2>::variable(1.5, 0), Dual::variable(0.0, 1));
//! let y = decay(a, b, 4.0);
//! assert_eq!((y.value, y.partials), (3.0, [2.0, -12.0]));
//! ```

mod dual;
mod exponential;
mod implied;
mod operators;
mod scalar;
mod user;

pub use dual::Dual;
pub use implied::{Implied, Implies};
pub use user::{Function, Residuals};

use std::fmt::Debug;
use std::iter::{Product, Sum};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A real number: `f64`, or one that carries derivatives.
///
/// Written as for `f64`: the four operations take an `f64` on either side (`1.0 - x`, `2.0 * x`, `x / 3.0`), comparisons are by value,
/// functions have the names of the standard library. A number from the data enters as it is, or by [`from_f64`](Self::from_f64) where a
/// `T` is wanted (`T::from_f64(0.0)`, `0.0.into()`).
///
/// Where a derivative does not exist it is infinite or NaN as the formula says (√x at 0, |(x, y)| at the origin), but the derivative of
/// what does not depend on the parameters is 0. |x| has the slope of its sign at ±0, minimum and maximum that of the one which is taken.
pub trait Real:
    Copy
    + Debug
    + Default
    + Send
    + Sync
    + 'static
    + From<f64>
    + PartialEq
    + PartialEq<f64>
    + PartialOrd
    + PartialOrd<f64>
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + AddAssign<f64>
    + SubAssign<f64>
    + MulAssign<f64>
    + DivAssign<f64>
    + Sum
    + Product
    + Implies<
        f64,
        Is: PartialEq<Self>
                + PartialEq<f64>
                + PartialOrd<Self>
                + PartialOrd<f64>
                + Add<Self, Output = Self>
                + Sub<Self, Output = Self>
                + Mul<Self, Output = Self>
                + Div<Self, Output = Self>
                // Without these an operation on two `f64` would be taken for one of those above.
                + Add<f64, Output = f64>
                + Sub<f64, Output = f64>
                + Mul<f64, Output = f64>
                + Div<f64, Output = f64>,
    >
{
    /// The number `x`, with no derivative.
    fn from_f64(x: f64) -> Self;
    /// The number without its derivatives.
    fn value(&self) -> f64;
    /// Whether value and derivatives are finite.
    fn is_finite(&self) -> bool;
    /// Whether value and derivatives are zero.
    fn is_zero(&self) -> bool;

    /// 1/x.
    fn recip(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// ∛x.
    fn cbrt(self) -> Self;
    /// xⁿ by squaring, within n ulp or so.
    fn powi(self, n: i32) -> Self;
    /// xᵖ; NaN for x < 0 unless p is an integer.
    fn powf(self, p: f64) -> Self;
    /// xʸ where y may depend on the parameters too. Its slope in y is xʸ·ln x, 0 at x = 0.
    fn powr(self, y: Self) -> Self;
    /// |x|.
    fn abs(self) -> Self;
    /// √(x² + y²), without overflow on the way.
    fn hypot(self, y: Self) -> Self;
    /// self·a + b with one rounding of the value. A library call where the processor's instruction is not at hand: no faster than `x * a + b`.
    fn mul_add(self, a: Self, b: Self) -> Self;

    /// eˣ.
    fn exp(self) -> Self;
    /// eˣ − 1.
    fn exp_m1(self) -> Self;
    /// ln x.
    fn ln(self) -> Self;
    /// ln(1 + x).
    fn ln_1p(self) -> Self;
    /// log₁₀ x.
    fn log10(self) -> Self;
    /// log₂ x.
    fn log2(self) -> Self;

    /// sin x.
    fn sin(self) -> Self;
    /// cos x.
    fn cos(self) -> Self;
    /// tan x.
    fn tan(self) -> Self;
    /// arcsin x.
    fn asin(self) -> Self;
    /// arccos x.
    fn acos(self) -> Self;
    /// arctan x.
    fn atan(self) -> Self;
    /// The angle of the point (x, self), in (−π, π].
    fn atan2(self, x: Self) -> Self;
    /// sinh x.
    fn sinh(self) -> Self;
    /// cosh x.
    fn cosh(self) -> Self;
    /// tanh x.
    fn tanh(self) -> Self;
    /// 2/√π·∫₀ˣ e^(−t²) dt.
    fn erf(self) -> Self;
    /// 1 − erf x, to all its digits.
    fn erfc(self) -> Self;

    /// sin x and cos x.
    fn sin_cos(self) -> (Self, Self) {
        (self.sin(), self.cos())
    }
    /// The lesser by value, `self` where they are equal. Unlike `f64::min` NaN where either is.
    fn min(self, other: Self) -> Self {
        if other.value() < self.value() || other.value().is_nan() { other } else { self }
    }
    /// The greater by value, `self` where they are equal. Unlike `f64::max` NaN where either is.
    fn max(self, other: Self) -> Self {
        if other.value() > self.value() || other.value().is_nan() { other } else { self }
    }
}
