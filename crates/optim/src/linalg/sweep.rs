//! Sums and updates of several vectors in one pass: block by block, the same bits for any number of threads.
//!
//! Beyond the caches a pass costs what it moves, so that a loop that reads a vector twice is twice the work.

use super::blocks::{Parts, tree};
use super::vector::{PARALLEL, tree_sum, vectorize};

/// Partial sums of each of several sums: three times as many fill the registers.
const LANES: usize = 16;

/// The sums of `of` over every block of `parts`, each of `len` entries.
fn sweep<P: Parts, const K: usize>(
    len: usize,
    parts: P,
    of: &(impl Fn(P) -> [f64; K] + Sync),
) -> [f64; K] {
    tree(len, PARALLEL, parts, of, &|a: [f64; K], b| std::array::from_fn(|k| a[k] + b[k]))
}

/// The partial sums of `K` sums.
type Lanes<const K: usize> = [[f64; LANES]; K];

/// Adds up the lanes of every sum, and those of the numbers behind the last whole chunk: lanes that are met one by one are kept apart,
/// since the compiler holds no such array in registers.
#[inline(always)]
fn totals<const K: usize>(lanes: Lanes<K>, tail: Lanes<K>) -> [f64; K] {
    std::array::from_fn(|sum| {
        tree_sum::<LANES>(std::array::from_fn(|k| lanes[sum][k] + tail[sum][k]))
    })
}

/// [xᵀy, xᵀx, yᵀy]. Two vectors moved.
pub(crate) fn products(x: &[f64], y: &[f64]) -> [f64; 3] {
    sweep(x.len(), (x, y), &|(x, y): (&[f64], &[f64])| {
        vectorize(
            #[inline(always)]
            || {
                let (mut lanes, mut tail) = ([[0.0; LANES]; 3], [[0.0; LANES]; 3]);
                let ((x, x_tail), (y, y_tail)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
                for (x, y) in x.iter().zip(y) {
                    for k in 0..LANES {
                        add_products(&mut lanes, k, x[k], y[k]);
                    }
                }
                for (k, (x, y)) in x_tail.iter().zip(y_tail).enumerate() {
                    add_products(&mut tail, k, *x, *y);
                }
                totals(lanes, tail)
            },
        )
    })
}

#[inline(always)]
fn add_products([xy, xx, yy]: &mut [[f64; LANES]; 3], k: usize, x: f64, y: f64) {
    xy[k] = x.mul_add(y, xy[k]);
    xx[k] = x.mul_add(x, xx[k]);
    yy[k] = y.mul_add(y, yy[k]);
}

/// x ← x + a·d and r ← r + a·y; [xᵀx, rᵀr] of the new ones. Six vectors moved.
pub(crate) fn advance(a: f64, d: &[f64], y: &[f64], x: &mut [f64], r: &mut [f64]) -> [f64; 2] {
    type Block<'a> = ((&'a [f64], &'a [f64]), (&'a mut [f64], &'a mut [f64]));
    sweep(d.len(), ((d, y), (x, r)), &|((d, y), (x, r)): Block<'_>| {
        vectorize(
            #[inline(always)]
            || {
                let (mut lanes, mut tail) = ([[0.0; LANES]; 2], [[0.0; LANES]; 2]);
                let ((d, d_tail), (y, y_tail)) = (d.as_chunks::<LANES>(), y.as_chunks::<LANES>());
                let (x, x_tail) = x.as_chunks_mut::<LANES>();
                let (r, r_tail) = r.as_chunks_mut::<LANES>();
                for ((d, y), (x, r)) in d.iter().zip(y).zip(x.iter_mut().zip(r)) {
                    for k in 0..LANES {
                        x[k] = a.mul_add(d[k], x[k]);
                        r[k] = a.mul_add(y[k], r[k]);
                        add_squares(&mut lanes, k, x[k], r[k]);
                    }
                }
                let tails = d_tail.iter().zip(y_tail).zip(x_tail.iter_mut().zip(r_tail));
                for (k, ((d, y), (x, r))) in tails.enumerate() {
                    *x = a.mul_add(*d, *x);
                    *r = a.mul_add(*y, *r);
                    add_squares(&mut tail, k, *x, *r);
                }
                totals(lanes, tail)
            },
        )
    })
}

#[inline(always)]
fn add_squares([xx, rr]: &mut [[f64; LANES]; 2], k: usize, x: f64, r: f64) {
    xx[k] = x.mul_add(x, xx[k]);
    rr[k] = r.mul_add(r, rr[k]);
}

/// d ← b·d − z. Three vectors moved.
pub(crate) fn turn(b: f64, z: &[f64], d: &mut [f64]) {
    let [] = sweep(z.len(), (z, d), &|(z, d): (&[f64], &mut [f64])| {
        vectorize(
            #[inline(always)]
            || {
                for (d, z) in d.iter_mut().zip(z) {
                    *d = b.mul_add(*d, -z);
                }
            },
        );
        []
    });
}

/// d ← b·d − z; pᵀd of the new d. Four vectors moved.
pub(crate) fn turn_beside(b: f64, z: &[f64], p: &[f64], d: &mut [f64]) -> f64 {
    type Block<'a> = ((&'a [f64], &'a [f64]), &'a mut [f64]);
    let [along] = sweep(z.len(), ((z, p), d), &|((z, p), d): Block<'_>| {
        vectorize(
            #[inline(always)]
            || {
                let (mut lanes, mut tail) = ([0.0; LANES], [0.0; LANES]);
                let ((z, z_tail), (p, p_tail)) = (z.as_chunks::<LANES>(), p.as_chunks::<LANES>());
                let (d, d_tail) = d.as_chunks_mut::<LANES>();
                for ((z, p), d) in z.iter().zip(p).zip(d) {
                    for k in 0..LANES {
                        d[k] = b.mul_add(d[k], -z[k]);
                        lanes[k] = p[k].mul_add(d[k], lanes[k]);
                    }
                }
                for (k, ((z, p), d)) in z_tail.iter().zip(p_tail).zip(d_tail).enumerate() {
                    *d = b.mul_add(*d, -z);
                    tail[k] = p.mul_add(*d, tail[k]);
                }
                totals([lanes], [tail])
            },
        )
    });
    along
}

/// x ← 0, r ← g and d ← −g. Four vectors moved.
pub(crate) fn begin(g: &[f64], x: &mut [f64], r: &mut [f64], d: &mut [f64]) {
    type Block<'a> = (&'a [f64], (&'a mut [f64], (&'a mut [f64], &'a mut [f64])));
    let [] = sweep(g.len(), (g, (x, (r, d))), &|(g, (x, (r, d))): Block<'_>| {
        vectorize(
            #[inline(always)]
            || {
                x.fill(0.0);
                r.copy_from_slice(g);
                for (d, g) in d.iter_mut().zip(g) {
                    *d = -g;
                }
            },
        );
        []
    });
}

/// ‖x + a·y + b·z‖₂². Three vectors moved.
pub(crate) fn combination_squares(x: &[f64], a: f64, y: &[f64], b: f64, z: &[f64]) -> f64 {
    type Block<'a> = (&'a [f64], (&'a [f64], &'a [f64]));
    let [squares] = sweep(x.len(), (x, (y, z)), &|(x, (y, z)): Block<'_>| {
        vectorize(
            #[inline(always)]
            || {
                let (mut lanes, mut tail) = ([0.0; LANES], [0.0; LANES]);
                let (x, x_tail) = x.as_chunks::<LANES>();
                let ((y, y_tail), (z, z_tail)) = (y.as_chunks::<LANES>(), z.as_chunks::<LANES>());
                for ((x, y), z) in x.iter().zip(y).zip(z) {
                    for k in 0..LANES {
                        let sum = b.mul_add(z[k], a.mul_add(y[k], x[k]));
                        lanes[k] = sum.mul_add(sum, lanes[k]);
                    }
                }
                for (k, ((x, y), z)) in x_tail.iter().zip(y_tail).zip(z_tail).enumerate() {
                    let sum = b.mul_add(*z, a.mul_add(*y, *x));
                    tail[k] = sum.mul_add(sum, tail[k]);
                }
                totals([lanes], [tail])
            },
        )
    });
    squares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::blocks::BLOCK;

    /// Quarters of small integers: every product and sum of the tests is exact.
    fn quarters(n: usize, k: usize) -> Vec<f64> {
        (0..n).map(|i| ((i * k) % 23) as f64 / 4.0 - 2.5).collect()
    }

    fn plain(x: &[f64], y: &[f64]) -> f64 {
        x.iter().zip(y).map(|(x, y)| x * y).sum()
    }

    /// x + a·y
    fn sum(x: &[f64], a: f64, y: &[f64]) -> Vec<f64> {
        x.iter().zip(y).map(|(x, y)| x + a * y).collect()
    }

    #[test]
    fn one_pass_equals_plain_loops_at_every_kind_of_length() {
        let lengths = (0..40).chain([BLOCK, BLOCK + 3, 3 * BLOCK + 17, PARALLEL + 5]);
        for n in lengths {
            let [d, y, z, g] = [5, 7, 11, 13].map(|k| quarters(n, k));
            assert_eq!(products(&d, &y), [plain(&d, &y), plain(&d, &d), plain(&y, &y)], "{n}");
            let (mut x, mut r) = (z.clone(), g.clone());
            let squares = advance(0.5, &d, &y, &mut x, &mut r);
            let expected = (sum(&z, 0.5, &d), sum(&g, 0.5, &y));
            assert_eq!(squares, [&expected.0, &expected.1].map(|x| plain(x, x)), "{n}");
            assert_eq!((x, r), expected, "{n}");
            let zeros = vec![0.0; n];
            let turned = sum(&sum(&zeros, 0.25, &d), -1.0, &z);
            let (mut alone, mut beside) = (d.clone(), d.clone());
            turn(0.25, &z, &mut alone);
            assert_eq!(turn_beside(0.25, &z, &g, &mut beside), plain(&g, &turned), "{n}");
            assert_eq!((&alone, &beside), (&turned, &turned), "{n}");
            let combined = sum(&sum(&d, -2.0, &y), 0.5, &z);
            let squares = combination_squares(&d, -2.0, &y, 0.5, &z);
            assert_eq!(squares, plain(&combined, &combined), "{n}");
            let (mut x, mut r, mut d) = (z.clone(), z.clone(), z);
            begin(&g, &mut x, &mut r, &mut d);
            assert_eq!((&x, &r, d), (&zeros, &g, sum(&zeros, -1.0, &g)), "{n}");
        }
    }

    #[test]
    fn bits_do_not_depend_on_the_threads() {
        let wave = |n: usize, k: f64| (0..n).map(|i| (k * i as f64).sin()).collect::<Vec<f64>>();
        let n = 3 * PARALLEL + 11;
        let [d, y, p] = [0.7, 1.3, 2.9].map(|k| wave(n, k));
        let run = || {
            let (mut x, mut r, mut turned) = (p.clone(), d.clone(), y.clone());
            let mut sums = products(&d, &y).to_vec();
            sums.extend(advance(0.3, &d, &y, &mut x, &mut r));
            sums.push(turn_beside(0.7, &d, &p, &mut turned));
            sums.push(combination_squares(&d, 0.1, &y, 0.2, &p));
            [sums, x, r, turned].map(|values| values.into_iter().map(f64::to_bits).collect())
        };
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let alone: [Vec<u64>; 4] = pool(1).install(run);
        for threads in [2, 3] {
            assert!(pool(threads).install(run) == alone, "{threads} threads");
        }
    }
}
