//! Vector kernels on SIMD lanes: the same bits on every run, whatever the threads.
//!
//! `pulp` picks the instruction set when the program runs; inside, plain loops over arrays of [`LANES`] numbers become
//! vector instructions. A reduction keeps [`LANES`] partial sums: four AVX-512 registers, enough to hide the latency of
//! a fused multiply–add, and a rounding error √[`LANES`]-fold below one long sum's.

use pulp::{Arch, Simd, WithSimd};

const LANES: usize = 32;

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

#[inline(always)]
fn tree_sum(mut lanes: [f64; LANES]) -> f64 {
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

/// xᵀy.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    debug_assert_eq!(x.len(), y.len());
    vectorize(
        #[inline(always)]
        || dot_inline(x, y),
    )
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
    vectorize(
        #[inline(always)]
        || {
            for ((out, x), p) in out.iter_mut().zip(x).zip(p) {
                *out = a.mul_add(*p, *x);
            }
        },
    );
}

/// out ← x − y.
pub(crate) fn subtract(x: &[f64], y: &[f64], out: &mut [f64]) {
    vectorize(
        #[inline(always)]
        || {
            for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
                *out = x - y;
            }
        },
    );
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

/// ‖x‖∞; a NaN entry is passed over, so ask [`all_finite`] first.
pub(crate) fn norm_inf(x: &[f64]) -> f64 {
    vectorize(
        #[inline(always)]
        || {
            let (blocks, tail) = x.as_chunks::<LANES>();
            let mut lanes = [0.0_f64; LANES];
            for block in blocks {
                for k in 0..LANES {
                    let size = block[k].abs();
                    lanes[k] = if size > lanes[k] { size } else { lanes[k] };
                }
            }
            tail.iter().chain(&lanes).fold(0.0, |most: f64, x| most.max(x.abs()))
        },
    )
}

/// ‖x‖₂, without overflow or underflow on the way.
pub(crate) fn norm(x: &[f64]) -> f64 {
    /// Below this the squares lose digits to underflow.
    const SMALL: f64 = 1e-140;
    let direct = dot(x, x).sqrt();
    if direct.is_finite() && direct > SMALL {
        return direct;
    }
    let size = norm_inf(x);
    if size == 0.0 || !size.is_finite() {
        return if direct.is_nan() { f64::NAN } else { size };
    }
    size * x.iter().map(|x| (x / size) * (x / size)).sum::<f64>().sqrt()
}

/// (‖x − y‖∞, ‖x − y‖₂).
pub(crate) fn distance(x: &[f64], y: &[f64]) -> (f64, f64) {
    vectorize(
        #[inline(always)]
        || {
            let mut most = 0.0_f64;
            let mut squares = 0.0;
            for (x, y) in x.iter().zip(y) {
                let difference = (x - y).abs();
                most = if difference > most { difference } else { most };
                squares = difference.mul_add(difference, squares);
            }
            (most, squares.sqrt())
        },
    )
}

/// No NaN and no infinity.
pub(crate) fn all_finite(x: &[f64]) -> bool {
    // A finite sum of squares proves it; an infinite one may be overflow.
    dot(x, x).is_finite() || x.iter().all(|x| x.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

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
