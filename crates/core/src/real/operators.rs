//! The four operations and comparisons of duals, with an `f64` on either side.

use super::{Dual, Real};
use std::cmp::Ordering;
use std::iter::{Product, Sum};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

impl<T: Real, const K: usize> Neg for Dual<T, K> {
    type Output = Self;
    #[inline]
    fn neg(mut self) -> Self {
        self.value = -self.value;
        for k in 0..K {
            self.partials[k] = -self.partials[k];
        }
        self
    }
}

impl<T: Real, const K: usize> Add for Dual<T, K> {
    type Output = Self;
    #[inline]
    fn add(mut self, other: Self) -> Self {
        self.value += other.value;
        for k in 0..K {
            self.partials[k] += other.partials[k];
        }
        self
    }
}

impl<T: Real, const K: usize> Sub for Dual<T, K> {
    type Output = Self;
    #[inline]
    fn sub(mut self, other: Self) -> Self {
        self.value -= other.value;
        for k in 0..K {
            self.partials[k] -= other.partials[k];
        }
        self
    }
}

impl<T: Real, const K: usize> Mul for Dual<T, K> {
    type Output = Self;
    #[inline]
    fn mul(mut self, other: Self) -> Self {
        for k in 0..K {
            self.partials[k] = self.partials[k] * other.value + self.value * other.partials[k];
        }
        self.value *= other.value;
        self
    }
}

impl<T: Real, const K: usize> Div for Dual<T, K> {
    type Output = Self;
    #[inline]
    fn div(mut self, other: Self) -> Self {
        let (value, inverse) = (self.value / other.value, other.value.recip());
        for k in 0..K {
            self.partials[k] = (self.partials[k] - value * other.partials[k]) * inverse;
        }
        self.value = value;
        self
    }
}

impl<T: Real, const K: usize> Add<f64> for Dual<T, K> {
    type Output = Self;
    #[inline]
    fn add(mut self, other: f64) -> Self {
        self.value += other;
        self
    }
}

impl<T: Real, const K: usize> Sub<f64> for Dual<T, K> {
    type Output = Self;
    #[inline]
    fn sub(mut self, other: f64) -> Self {
        self.value -= other;
        self
    }
}

impl<T: Real, const K: usize> Mul<f64> for Dual<T, K> {
    type Output = Self;
    #[inline]
    fn mul(mut self, other: f64) -> Self {
        self.value *= other;
        for k in 0..K {
            self.partials[k] *= other;
        }
        self
    }
}

impl<T: Real, const K: usize> Div<f64> for Dual<T, K> {
    type Output = Self;
    #[inline]
    fn div(mut self, other: f64) -> Self {
        self.value /= other;
        for k in 0..K {
            self.partials[k] /= other;
        }
        self
    }
}

impl<T: Real, const K: usize> Add<Dual<T, K>> for f64 {
    type Output = Dual<T, K>;
    #[inline]
    fn add(self, other: Dual<T, K>) -> Dual<T, K> {
        other + self
    }
}

impl<T: Real, const K: usize> Sub<Dual<T, K>> for f64 {
    type Output = Dual<T, K>;
    #[inline]
    fn sub(self, other: Dual<T, K>) -> Dual<T, K> {
        let value = self - other.value;
        Dual { value, ..-other }
    }
}

impl<T: Real, const K: usize> Mul<Dual<T, K>> for f64 {
    type Output = Dual<T, K>;
    #[inline]
    fn mul(self, other: Dual<T, K>) -> Dual<T, K> {
        other * self
    }
}

impl<T: Real, const K: usize> Div<Dual<T, K>> for f64 {
    type Output = Dual<T, K>;
    #[inline]
    fn div(self, mut other: Dual<T, K>) -> Dual<T, K> {
        let value = self / other.value;
        let slope = -(value / other.value);
        for k in 0..K {
            other.partials[k] *= slope;
        }
        other.value = value;
        other
    }
}

/// `x += y` and its kin, as `x = x + y`.
macro_rules! assign {
    ($($trait:ident $method:ident $operator:tt),+) => { $(
        impl<T: Real, const K: usize> $trait for Dual<T, K> {
            #[inline]
            fn $method(&mut self, other: Self) {
                *self = *self $operator other;
            }
        }
        impl<T: Real, const K: usize> $trait<f64> for Dual<T, K> {
            #[inline]
            fn $method(&mut self, other: f64) {
                *self = *self $operator other;
            }
        }
    )+ };
}
assign!(AddAssign add_assign +, SubAssign sub_assign -, MulAssign mul_assign *, DivAssign div_assign /);

impl<T: Real, const K: usize> Sum for Dual<T, K> {
    fn sum<I: Iterator<Item = Self>>(terms: I) -> Self {
        terms.fold(Self::default(), |sum, term| sum + term)
    }
}

impl<T: Real, const K: usize> Product for Dual<T, K> {
    fn product<I: Iterator<Item = Self>>(factors: I) -> Self {
        factors.fold(Self::from_f64(1.0), |product, factor| product * factor)
    }
}

impl<T: Real, const K: usize> PartialEq for Dual<T, K> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl<T: Real, const K: usize> PartialOrd for Dual<T, K> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value().partial_cmp(&other.value())
    }
}

impl<T: Real, const K: usize> PartialEq<f64> for Dual<T, K> {
    #[inline]
    fn eq(&self, other: &f64) -> bool {
        self.value() == *other
    }
}

impl<T: Real, const K: usize> PartialOrd<f64> for Dual<T, K> {
    #[inline]
    fn partial_cmp(&self, other: &f64) -> Option<Ordering> {
        self.value().partial_cmp(other)
    }
}

impl<T: Real, const K: usize> PartialEq<Dual<T, K>> for f64 {
    #[inline]
    fn eq(&self, other: &Dual<T, K>) -> bool {
        *self == other.value()
    }
}

impl<T: Real, const K: usize> PartialOrd<Dual<T, K>> for f64 {
    #[inline]
    fn partial_cmp(&self, other: &Dual<T, K>) -> Option<Ordering> {
        self.partial_cmp(&other.value())
    }
}
