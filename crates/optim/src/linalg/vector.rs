//! Vector kernels on SIMD lanes: the same bits on every run, whatever the threads.
//!
//! `pulp` picks the instruction set when the program runs; inside, plain loops over arrays of [`LANES`] numbers become
//! vector instructions. A reduction keeps [`LANES`] partial sums: four AVX-512 registers, enough to hide the latency of
//! a fused multiply–add, and a rounding error √[`LANES`]-fold below one long sum's.
//! A long vector is a [tree of blocks](super::blocks); from [`PARALLEL`] numbers on, the halves run in
//! parallel.

use super::blocks::tree;
use pulp::{Arch, Simd, WithSimd};
use serde::{Deserialize, Serialize};
use std::ops::Range;

const LANES: usize = 32;
/// From this length on, one pass over a vector takes longer than handing half of it to another thread: 2 MiB.
pub(crate) const PARALLEL: usize = 1 << 18;

/// Runs `f` compiled for the widest vectors of this machine; put `#[inline(always)]` before the closure. The detection is cached.
#[inline(always)]
pub(crate) fn vectorize<R>(f: impl FnMut() -> R) -> R {
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

/// The sum of a power of two of lanes, halves onto halves.
#[inline(always)]
pub(crate) fn tree_sum<const LANES: usize>(mut lanes: [f64; LANES]) -> f64 {
    let mut half = LANES / 2;
    while half > 0 {
        for k in 0..half {
            lanes[k] += lanes[k + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// xᵀy, to be inlined into a dispatched loop.
#[inline(always)]
pub(crate) fn dot_inline(x: &[f64], y: &[f64]) -> f64 {
    let (x_blocks, x_tail) = x.as_chunks::<LANES>();
    let (y_blocks, y_tail) = y.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (x, y) in x_blocks.iter().zip(y_blocks) {
        for k in 0..LANES {
            lanes[k] = x[k].mul_add(y[k], lanes[k]);
        }
    }
    for (k, (x, y)) in x_tail.iter().zip(y_tail).enumerate() {
        lanes[k] = x.mul_add(*y, lanes[k]);
    }
    tree_sum(lanes)
}

/// `join` over `of` every block of `range`, as a tree.
fn reduce<T: Send>(
    range: Range<usize>,
    of: &(impl Fn(Range<usize>) -> T + Sync),
    join: &(impl Fn(T, T) -> T + Sync),
) -> T {
    tree(range.len(), PARALLEL, range, of, join)
}

/// xᵀy.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    debug_assert_eq!(x.len(), y.len());
    let block = |range: Range<usize>| {
        let (x, y) = (&x[range.clone()], &y[range]);
        vectorize(
            #[inline(always)]
            || dot_inline(x, y),
        )
    };
    reduce(0..x.len(), &block, &|a, b| a + b)
}

/// y ← y + a·x.
pub(crate) fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    debug_assert_eq!(x.len(), y.len());
    vectorize(
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                *y = a.mul_add(*x, *y);
            }
        },
    );
}

/// out ← x + a·p.
pub(crate) fn step(x: &[f64], a: f64, p: &[f64], out: &mut [f64]) {
    let block = |((x, p), out): ((&[f64], &[f64]), &mut [f64])| {
        vectorize(
            #[inline(always)]
            || {
                for ((out, x), p) in out.iter_mut().zip(x).zip(p) {
                    *out = a.mul_add(*p, *x);
                }
            },
        );
    };
    tree(x.len(), PARALLEL, ((x, p), out), &block, &|(), ()| ());
}

/// out ← x − y.
pub(crate) fn subtract(x: &[f64], y: &[f64], out: &mut [f64]) {
    vectorize(
        #[inline(always)]
        || subtract_inline(x, y, out),
    );
}

/// [`subtract`], to be inlined into a dispatched loop.
#[inline(always)]
pub(crate) fn subtract_inline(x: &[f64], y: &[f64], out: &mut [f64]) {
    for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
        *out = x - y;
    }
}

/// out ← a·x.
pub(crate) fn scale_into(a: f64, x: &[f64], out: &mut [f64]) {
    vectorize(
        #[inline(always)]
        || {
            for (out, x) in out.iter_mut().zip(x) {
                *out = a * x;
            }
        },
    );
}

/// x ← a·x.
pub(crate) fn scale(a: f64, x: &mut [f64]) {
    vectorize(
        #[inline(always)]
        || {
            for x in x.iter_mut() {
                *x *= a;
            }
        },
    );
}

/// x ← w ⊙ x.
pub(crate) fn multiply(w: &[f64], x: &mut [f64]) {
    vectorize(
        #[inline(always)]
        || {
            for (x, w) in x.iter_mut().zip(w) {
                *x *= w;
            }
        },
    );
}

/// out ← x ⊘ d, entry by entry.
pub(crate) fn divide(x: &[f64], d: &[f64], out: &mut [f64]) {
    vectorize(
        #[inline(always)]
        || {
            for ((out, x), d) in out.iter_mut().zip(x).zip(d) {
                *out = x / d;
            }
        },
    );
}

/// Between this and its reciprocal the product of a curvature and the square of a length is a number.
const ORDINARY: f64 = f64::from_bits((1023 + 200) << 52);

/// The power of two that brings ‖g‖∞ near one, where ‖g‖∞ is so large or small that the products of conjugate gradients with it would overflow
/// or vanish; none elsewhere, where g is 0 and where it is not finite.
pub(crate) fn extreme_scale(g: &[f64]) -> Option<f64> {
    let size = norm_inf(g);
    let ordinary = (ORDINARY.recip()..=ORDINARY).contains(&size);
    if ordinary || size == 0.0 || !size.is_finite() {
        return None;
    }
    // Not below 2⁻¹⁰²², so that its reciprocal is a number too.
    Some((-size.log2().round()).clamp(-1022.0, 1022.0).exp2())
}

/// ‖x‖∞; NaN where an entry is.
pub(crate) fn norm_inf(x: &[f64]) -> f64 {
    /// |x| as a whole number orders as |x| does, with NaN above infinity.
    const SIZE: u64 = u64::MAX >> 1;
    vectorize(
        #[inline(always)]
        || {
            let (blocks, tail) = x.as_chunks::<LANES>();
            let mut lanes = [0_u64; LANES];
            for block in blocks {
                for k in 0..LANES {
                    lanes[k] = lanes[k].max(block[k].to_bits() & SIZE);
                }
            }
            let tail = tail.iter().map(|x| x.to_bits() & SIZE);
            f64::from_bits(tail.chain(lanes).fold(0, u64::max))
        },
    )
}

/// ‖x‖₂, without overflow or underflow on the way.
pub(crate) fn norm(x: &[f64]) -> f64 {
    norm_of_squares(dot(x, x), x)
}

/// ‖x‖₂ from its square, where that has neither overflowed nor lost digits to underflow; from x itself otherwise.
pub(crate) fn norm_of_squares(squares: f64, x: &[f64]) -> f64 {
    /// Below this the squares lose digits to underflow.
    const SMALL: f64 = 1e-140;
    let direct = squares.sqrt();
    if direct.is_finite() && direct > SMALL {
        return direct;
    }
    let size = norm_inf(x);
    if size == 0.0 || !size.is_finite() {
        return if direct.is_nan() { f64::NAN } else { size };
    }
    size * x.iter().map(|x| (x / size) * (x / size)).sum::<f64>().sqrt()
}

/// Sizes of a step θ → θ⁺ and of ∇f⁺. A NaN entry is passed over in the largest entries and shows in the sums.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sizes {
    /// ‖θ⁺ − θ‖∞
    pub step_norm: f64,
    /// ‖θ⁺ − θ‖₂²
    pub step_squares: f64,
    /// ‖θ⁺‖∞
    pub theta_norm: f64,
    /// ‖∇f⁺‖∞; NaN where an entry is.
    pub gradient_norm: f64,
    /// ‖∇f⁺‖₂²
    pub gradient_squares: f64,
}

impl Sizes {
    /// Those of θ⁺ = `theta`, θ = `before` and ∇f⁺ = `gradient`, in one pass over the three.
    pub(crate) fn of(theta: &[f64], before: &[f64], gradient: &[f64]) -> Self {
        let block = |range: Range<usize>| {
            let (theta, before) = (&theta[range.clone()], &before[range.clone()]);
            let gradient = &gradient[range];
            vectorize(
                #[inline(always)]
                || Self::of_block(theta, before, gradient),
            )
        };
        reduce(0..theta.len(), &block, &Self::join)
    }

    /// Those of two parts of the vectors together.
    pub(crate) fn join(self, other: Self) -> Self {
        let gradient_squares = self.gradient_squares + other.gradient_squares;
        // The largest of entries passes over NaN, a sum of squares does not.
        let nan = gradient_squares.is_nan();
        let gradient_norm = self.gradient_norm.max(other.gradient_norm);
        Self {
            step_norm: self.step_norm.max(other.step_norm),
            step_squares: self.step_squares + other.step_squares,
            theta_norm: self.theta_norm.max(other.theta_norm),
            gradient_norm: if nan { f64::NAN } else { gradient_norm },
            gradient_squares,
        }
    }

    /// [`of`](Self::of), to be inlined into a dispatched loop.
    #[inline(always)]
    pub(crate) fn of_block(theta: &[f64], before: &[f64], gradient: &[f64]) -> Self {
        Self::of_step(theta, before).join(Self::of_gradient(gradient))
    }

    /// The three of the step, to be inlined into a dispatched loop.
    #[inline(always)]
    pub(crate) fn of_step(theta: &[f64], before: &[f64]) -> Self {
        let mut parts = [[0.0_f64; PARTS]; 3];
        let (theta, theta_tail) = theta.as_chunks::<PARTS>();
        let (before, before_tail) = before.as_chunks::<PARTS>();
        for (theta, before) in theta.iter().zip(before) {
            for k in 0..PARTS {
                take_step(&mut parts, k, theta[k], before[k]);
            }
        }
        for (k, (theta, before)) in theta_tail.iter().zip(before_tail).enumerate() {
            take_step(&mut parts, k, *theta, *before);
        }
        let [step, step_squares, size] = parts;
        Self {
            step_norm: largest(step),
            step_squares: step_squares.into_iter().sum(),
            theta_norm: largest(size),
            ..Self::default()
        }
    }

    /// The two of ∇f⁺, to be inlined into a dispatched loop.
    #[inline(always)]
    pub(crate) fn of_gradient(gradient: &[f64]) -> Self {
        let (mut norms, mut squares) = ([0.0_f64; PARTS], [0.0_f64; PARTS]);
        let (gradient, tail) = gradient.as_chunks::<PARTS>();
        for gradient in gradient {
            for k in 0..PARTS {
                norms[k] = larger(gradient[k].abs(), norms[k]);
                squares[k] = gradient[k].mul_add(gradient[k], squares[k]);
            }
        }
        for (k, gradient) in tail.iter().enumerate() {
            norms[k] = larger(gradient.abs(), norms[k]);
            squares[k] = gradient.mul_add(*gradient, squares[k]);
        }
        Self {
            gradient_norm: largest(norms),
            gradient_squares: squares.into_iter().sum(),
            ..Self::default()
        }
    }
}

/// Partial results of each of the five in [`Sizes`].
const PARTS: usize = 16;

/// Takes θ⁺ and θ of one entry into part `k` of the three of the step.
#[inline(always)]
fn take_step(parts: &mut [[f64; PARTS]; 3], k: usize, theta: f64, before: f64) {
    let [step, step_squares, size] = parts;
    let difference = (theta - before).abs();
    step[k] = larger(difference, step[k]);
    step_squares[k] = difference.mul_add(difference, step_squares[k]);
    size[k] = larger(theta.abs(), size[k]);
}

#[inline(always)]
fn largest(parts: [f64; PARTS]) -> f64 {
    parts.into_iter().fold(0.0, f64::max)
}

/// The larger; the second where the first is NaN.
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// (‖x − y‖∞, ‖x − y‖₂).
/// |pⱼ| ≤ this · ε · |θⱼ|: a step of a few last bits.
const LAST_BITS: f64 = 4.0;

/// Whether no entry of θ would move by more than its last bits.
pub fn is_rounding(step: &[f64], theta: &[f64]) -> bool {
    step.iter().zip(theta).all(|(p, t)| p.abs() <= LAST_BITS * f64::EPSILON * t.abs())
}

#[cfg(test)]
pub(crate) fn distance(x: &[f64], y: &[f64]) -> (f64, f64) {
    let sizes = Sizes::of(x, y, x);
    (sizes.step_norm, sizes.step_squares.sqrt())
}

/// No NaN and no infinity.
pub(crate) fn all_finite(x: &[f64]) -> bool {
    all_finite_with(dot(x, x), x)
}

/// [`all_finite`], with ‖x‖₂² at hand.
pub(crate) fn all_finite_with(squares: f64, x: &[f64]) -> bool {
    // A finite sum of squares proves it; an infinite one may be overflow.
    squares.is_finite() || x.iter().all(|x| x.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::blocks::BLOCK;

    #[test]
    fn kernels_equal_plain_loops_at_every_tail_length() {
        for n in 0..70 {
            let x: Vec<f64> = (0..n).map(|i| f64::from(i) - 20.5).collect();
            let y: Vec<f64> = (0..n).map(|i| f64::from(i * i % 17) - 4.0).collect();
            let plain: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
            assert_eq!(dot(&x, &y), plain, "all products and sums are exact here");
            let most = x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            assert_eq!(norm_inf(&x), most);
        }
    }

    #[test]
    fn largest_entries_of_what_holds_a_nan_are_nan_wherever_it_stands() {
        for n in [1, 7, 16, 37, PARALLEL + 5] {
            for at in [0, n / 2, n - 1] {
                let zeros = vec![0.0; n];
                let mut x = vec![f64::INFINITY; n];
                assert_eq!(norm_inf(&x), f64::INFINITY);
                assert_eq!(Sizes::of(&zeros, &zeros, &x).gradient_norm, f64::INFINITY);
                x[at] = -f64::NAN;
                assert!(
                    norm_inf(&x).is_nan() && Sizes::of(&zeros, &zeros, &x).gradient_norm.is_nan()
                );
            }
        }
    }

    #[test]
    fn sizes_equal_plain_loops_and_their_bits_do_not_depend_on_the_threads() {
        for n in [0, 1, 15, 16, 37, BLOCK + 3, PARALLEL + 5] {
            // Quarters of small integers: all sums are exact.
            let of = |k: usize| (0..n).map(|i| ((i * k) % 23) as f64 / 4.0 - 2.5).collect();
            let (theta, before, gradient): (Vec<f64>, Vec<f64>, Vec<f64>) = (of(5), of(7), of(11));
            let sizes = Sizes::of(&theta, &before, &gradient);
            let largest = |x: &[f64]| x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            let squares = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
            let step: Vec<f64> = theta.iter().zip(&before).map(|(a, b)| a - b).collect();
            assert_eq!(sizes.step_norm, largest(&step));
            assert_eq!(sizes.step_squares, squares(&step));
            assert_eq!(sizes.theta_norm, largest(&theta));
            assert_eq!(sizes.gradient_norm, largest(&gradient));
            assert_eq!(sizes.gradient_squares, squares(&gradient));
        }
        let x: Vec<f64> = (0..=3 * PARALLEL).map(|i| (i as f64).sin()).collect();
        let run = || (dot(&x, &x).to_bits(), Sizes::of(&x, &x, &x).gradient_squares.to_bits());
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool(1).install(run), pool(3).install(run));
    }

    #[test]
    fn a_gradient_that_is_not_a_number_shows_in_its_squares() {
        let sizes = Sizes::of(&[1.0, 2.0], &[0.0, 0.0], &[f64::NAN, 1.0]);
        assert!(sizes.gradient_squares.is_nan() && sizes.gradient_norm.is_nan());
    }

    #[test]
    fn norm_survives_squares_beyond_the_range() {
        assert!((norm(&[3e200, 4e200]) - 5e200).abs() < 1e186);
        assert!((norm(&[3e-200, 4e-200]) - 5e-200).abs() < 1e-214);
        assert_eq!(norm(&[0.0, 0.0]), 0.0);
        assert!(norm(&[f64::NAN, 1.0]).is_nan());
    }

    #[test]
    fn overflow_of_squares_is_not_taken_for_infinity() {
        assert!(all_finite(&[1e300, -1e300]));
        assert!(!all_finite(&[1.0, f64::NAN]));
        assert!(!all_finite(&[1.0, f64::NEG_INFINITY]));
    }
}
