//! Elementwise functions on slices: exp, log, tanh, logistic, softplus, sine, cosine, erf, and loops of one's own.
//!
//! Kernels ([`scalar`]) have no branches; [`vectorize`] compiles a loop over them for the widest vectors that the machine has.
//! An element's result depends on the element alone: not on its place in the slice, nor on the machine's vector width. Without
//! fused multiply–add in hardware the results are the same, and slow.
//! Errors are stated in units in the last place (ulp) of the exact result, and tested against 60-digit values.
//! Method: Muller (2016), *Elementary Functions*, ch. 3 and 11; the logarithm and sine of fdlibm.

pub mod scalar;
#[cfg(test)]
mod tests;

use pulp::{Arch, Simd, WithSimd};

/// Elements in one step of a slice loop; the remainder is padded to it, so no element takes a scalar loop.
const BLOCK: usize = 32;
/// Elements between two checks of the range of [`sin`] and [`cos`].
const ANGLE_BLOCK: usize = 256;

/// Runs `f` compiled for the widest vectors of this machine: the loops inside are vectorised.
///
/// What `f` calls must be inlined into it; put `#[inline(always)]` on kernels and before the closure.
///
/// ```
/// use secant_core::elementwise::{scalar, vectorize};
/// let mut x = vec![0.0; 100];
/// vectorize(
///     #[inline(always)]
///     || x.iter_mut().for_each(|v| *v = scalar::exp(*v)),
/// );
/// assert_eq!(x, vec![1.0; 100]);
/// ```
#[inline(always)]
pub fn vectorize<R>(f: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Loop(f))
}

/// A closure under the compiler's vector extensions. The bound is `FnMut` because a closure that borrows is run through an adapter
/// as `FnOnce`, and what the adapter is not inlined into is compiled without vectors.
struct Loop<F>(F);

impl<R, F: FnMut() -> R> WithSimd for Loop<F> {
    type Output = R;
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> R {
        (self.0)()
    }
}

/// `out`ᵢ ← f(`x`ᵢ), vectorised. `f` is pure: it also runs on padding.
///
/// A closure of more than one kernel needs `#[inline(always)]`: left to itself the compiler may call it for each element, and the
/// loop is then fifty times slower. So for all maps here.
///
/// ```
/// use secant_core::elementwise::{map, scalar};
/// let x = [-1.0, 0.0, 1.0];
/// let mut slope = [0.0; 3];
/// map(
///     &x,
///     &mut slope,
///     #[inline(always)]
///     |v| {
///         let t = scalar::tanh(v);
///         (-t).mul_add(t, 1.0)
///     },
/// );
/// assert_eq!(slope[1], 1.0);
/// ```
///
/// # Panics
/// If the lengths differ.
#[inline(always)]
pub fn map(x: &[f64], out: &mut [f64], f: impl Fn(f64) -> f64) {
    assert_eq!(x.len(), out.len(), "map: slices of one length");
    vectorize(
        #[inline(always)]
        || {
            let (out_main, out_rest) = split_mut(out);
            let (x_main, x_rest) = split(x);
            for (o, &a) in out_main.iter_mut().zip(x_main) {
                *o = f(a);
            }
            if !out_rest.is_empty() {
                let mut a = padded(x_rest);
                for v in &mut a {
                    *v = f(*v);
                }
                out_rest.copy_from_slice(&a[..out_rest.len()]);
            }
        },
    );
}

/// `x`ᵢ ← f(`x`ᵢ), vectorised. `f` is pure: it also runs on padding.
#[inline(always)]
pub fn map_in_place(x: &mut [f64], f: impl Fn(f64) -> f64) {
    vectorize(
        #[inline(always)]
        || {
            let (main, rest) = split_mut(x);
            for v in main {
                *v = f(*v);
            }
            if !rest.is_empty() {
                let mut a = padded(rest);
                for v in &mut a {
                    *v = f(*v);
                }
                rest.copy_from_slice(&a[..rest.len()]);
            }
        },
    );
}

/// `out`ᵢ ← f(`x`ᵢ, `y`ᵢ), vectorised. `f` is pure: it also runs on padding.
///
/// # Panics
/// If the lengths differ.
#[inline(always)]
pub fn map2(x: &[f64], y: &[f64], out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
    assert!(x.len() == out.len() && y.len() == out.len(), "map2: slices of one length");
    vectorize(
        #[inline(always)]
        || {
            let (out_main, out_rest) = split_mut(out);
            let ((x_main, x_rest), (y_main, y_rest)) = (split(x), split(y));
            for ((o, &a), &b) in out_main.iter_mut().zip(x_main).zip(y_main) {
                *o = f(a, b);
            }
            if !out_rest.is_empty() {
                let (mut a, b) = (padded(x_rest), padded(y_rest));
                for (a, &b) in a.iter_mut().zip(&b) {
                    *a = f(*a, b);
                }
                out_rest.copy_from_slice(&a[..out_rest.len()]);
            }
        },
    );
}

/// `out`ᵢ ← f(`x`ᵢ, `y`ᵢ, `z`ᵢ), vectorised. `f` is pure: it also runs on padding.
///
/// # Panics
/// If the lengths differ.
#[inline(always)]
pub fn map3(x: &[f64], y: &[f64], z: &[f64], out: &mut [f64], f: impl Fn(f64, f64, f64) -> f64) {
    assert!(
        x.len() == out.len() && y.len() == out.len() && z.len() == out.len(),
        "map3: slices of one length"
    );
    vectorize(
        #[inline(always)]
        || {
            let (out_main, out_rest) = split_mut(out);
            let ((x_main, x_rest), (y_main, y_rest), (z_main, z_rest)) =
                (split(x), split(y), split(z));
            for (((o, &a), &b), &c) in out_main.iter_mut().zip(x_main).zip(y_main).zip(z_main) {
                *o = f(a, b, c);
            }
            if !out_rest.is_empty() {
                let (mut a, b, c) = (padded(x_rest), padded(y_rest), padded(z_rest));
                for ((a, &b), &c) in a.iter_mut().zip(&b).zip(&c) {
                    *a = f(*a, b, c);
                }
                out_rest.copy_from_slice(&a[..out_rest.len()]);
            }
        },
    );
}

/// `out`ᵢ ← f(`out`ᵢ, `x`ᵢ), vectorised: chain rules multiply so. `f` is pure: it also runs on padding.
///
/// # Panics
/// If the lengths differ.
#[inline(always)]
pub fn update(out: &mut [f64], x: &[f64], f: impl Fn(f64, f64) -> f64) {
    assert_eq!(x.len(), out.len(), "update: slices of one length");
    vectorize(
        #[inline(always)]
        || {
            let (out_main, out_rest) = split_mut(out);
            let (x_main, x_rest) = split(x);
            for (o, &a) in out_main.iter_mut().zip(x_main) {
                *o = f(*o, a);
            }
            if !out_rest.is_empty() {
                let (mut o, a) = (padded(out_rest), padded(x_rest));
                for (o, &a) in o.iter_mut().zip(&a) {
                    *o = f(*o, a);
                }
                out_rest.copy_from_slice(&o[..out_rest.len()]);
            }
        },
    );
}

/// Whole blocks, and the remainder.
#[inline(always)]
fn split(x: &[f64]) -> (&[f64], &[f64]) {
    x.split_at(x.len() - x.len() % BLOCK)
}

/// Whole blocks, and the remainder.
#[inline(always)]
fn split_mut(x: &mut [f64]) -> (&mut [f64], &mut [f64]) {
    x.split_at_mut(x.len() - x.len() % BLOCK)
}

/// A remainder filled up with zeros.
#[inline(always)]
fn padded(x: &[f64]) -> [f64; BLOCK] {
    let mut block = [0.0; BLOCK];
    block[..x.len()].copy_from_slice(x);
    block
}

/// `out`ᵢ ← e^`x`ᵢ within 1 ulp.
///
/// # Panics
/// If the lengths differ; so do all functions of two slices here.
pub fn exp(x: &[f64], out: &mut [f64]) {
    map(x, out, scalar::exp);
}

/// `out`ᵢ ← e^`x`ᵢ − 1 within 2 ulp.
pub fn expm1(x: &[f64], out: &mut [f64]) {
    map(x, out, scalar::expm1);
}

/// `out`ᵢ ← ln `x`ᵢ within 1 ulp; −∞ at 0, NaN below.
pub fn log(x: &[f64], out: &mut [f64]) {
    map(x, out, scalar::log);
}

/// `out`ᵢ ← ln(1 + `x`ᵢ) within 1 ulp.
pub fn log1p(x: &[f64], out: &mut [f64]) {
    map(x, out, scalar::log1p);
}

/// `out`ᵢ ← tanh `x`ᵢ within 2 ulp.
pub fn tanh(x: &[f64], out: &mut [f64]) {
    map(x, out, scalar::tanh);
}

/// `out`ᵢ ← 1/(1 + e^(−`x`ᵢ)) within 2 ulp.
pub fn sigmoid(x: &[f64], out: &mut [f64]) {
    map(x, out, scalar::sigmoid);
}

/// `out`ᵢ ← ln(1 + e^`x`ᵢ) within 2 ulp.
pub fn softplus(x: &[f64], out: &mut [f64]) {
    map(x, out, scalar::softplus);
}

/// `out`ᵢ ← erf `x`ᵢ within 2 ulp.
pub fn erf(x: &[f64], out: &mut [f64]) {
    map(x, out, scalar::erf);
}

/// `out`ᵢ ← sin `x`ᵢ within 1 ulp; beyond |x| = 10⁵ ([`scalar::ANGLE_MAX`]) by `libm`, slower.
pub fn sin(x: &[f64], out: &mut [f64]) {
    map_angles(x, out, scalar::sin, libm::sin);
}

/// `out`ᵢ ← cos `x`ᵢ within 1 ulp; beyond |x| = 10⁵ ([`scalar::ANGLE_MAX`]) by `libm`, slower.
pub fn cos(x: &[f64], out: &mut [f64]) {
    map_angles(x, out, scalar::cos, libm::cos);
}

/// [`map`] by `near`, and then by `far` the elements out of its range.
#[inline(always)]
fn map_angles(x: &[f64], out: &mut [f64], near: impl Fn(f64) -> f64 + Copy, far: fn(f64) -> f64) {
    assert_eq!(x.len(), out.len(), "map: slices of one length");
    for (x, out) in x.chunks(ANGLE_BLOCK).zip(out.chunks_mut(ANGLE_BLOCK)) {
        map(x, out, near);
        if largest(x) > scalar::ANGLE_MAX {
            for (o, &a) in out.iter_mut().zip(x) {
                if a.abs() > scalar::ANGLE_MAX {
                    *o = far(a);
                }
            }
        }
    }
}

/// max |xᵢ|, 0 for none; a NaN counts as nothing.
fn largest(x: &[f64]) -> f64 {
    reduce(
        x,
        #[inline(always)]
        |m, a| if a.abs() > m { a.abs() } else { m },
    )
}

/// Σ `x`ᵢ in an order fixed by the length: 32 running sums, joined in pairs.
pub fn sum(x: &[f64]) -> f64 {
    reduce(
        x,
        #[inline(always)]
        |s, a| s + a,
    )
}

/// Σ `x`ᵢ·`y`ᵢ in an order fixed by the length: 32 running sums, joined in pairs.
///
/// # Panics
/// If the lengths differ.
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len(), "dot: slices of one length");
    vectorize(
        #[inline(always)]
        || {
            let mut sums = [0.0; BLOCK];
            let ((x_main, x_rest), (y_main, y_rest)) = (split(x), split(y));
            for (x, y) in x_main.chunks_exact(BLOCK).zip(y_main.chunks_exact(BLOCK)) {
                for i in 0..BLOCK {
                    sums[i] = x[i].mul_add(y[i], sums[i]);
                }
            }
            let (x, y) = (padded(x_rest), padded(y_rest));
            for i in 0..BLOCK {
                sums[i] = x[i].mul_add(y[i], sums[i]);
            }
            join(sums, |a, b| a + b)
        },
    )
}

/// Folds `f` from 0 in [`BLOCK`] lanes, zeros behind the end, and then joins the lanes by `f`.
#[inline(always)]
fn reduce(x: &[f64], f: impl Fn(f64, f64) -> f64) -> f64 {
    vectorize(
        #[inline(always)]
        || {
            let mut lanes = [0.0; BLOCK];
            let (main, rest) = split(x);
            for x in main.chunks_exact(BLOCK) {
                for i in 0..BLOCK {
                    lanes[i] = f(lanes[i], x[i]);
                }
            }
            let rest = padded(rest);
            for i in 0..BLOCK {
                lanes[i] = f(lanes[i], rest[i]);
            }
            join(lanes, &f)
        },
    )
}

/// Joins the upper half with the lower until one is left.
#[inline(always)]
fn join(mut lanes: [f64; BLOCK], f: impl Fn(f64, f64) -> f64) -> f64 {
    let mut width = BLOCK / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = f(lanes[i], lanes[i + width]);
        }
        width /= 2;
    }
    lanes[0]
}
