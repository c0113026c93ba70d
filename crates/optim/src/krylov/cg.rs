//! Conjugate gradients on A·x = −g with a preconditioner, truncated; A symmetric, not always positive definite.
//!
//! Update: α = rᵀz/dᵀAd, x⁺ = x + αd, r⁺ = r + αAd, z = M⁻¹r, d⁺ = −z + (r⁺ᵀz⁺/rᵀz)d, from x = 0 as a rule. Every iterate lowers
//! m(x) = gᵀx + ½xᵀAx, and gᵀx < 0; or from the multiple of a guess that minimises m, for one product. Where dᵀAd ≤ 0 the last step goes along d as far as it would with the curvature's sign turned:
//! x stays a direction of descent, now with a part along the negative curvature.
//! A later direction without curvature but for rounding is left alone where it would be gone along beyond `reach`: A has a null space there, as the
//! biases of a softmax have.
//! Stop: ‖r‖ ≤ tolerance · ‖g‖; the progress of m has all but ended (Martens); negative curvature; as many products as allowed.
//! Memory 3n, and n for z where there is an M. Cost per iteration: one product and 14n operations in three passes that move 11 vectors,
//! in parallel for long ones; with M one application of it and two vectors more.
//! Source: Nocedal & Wright (2006) algorithms 5.3 and 7.1; Martens (2010) §4.4 for the test of progress; Dauphin et al. (2014) for the turned sign.

use crate::linalg::operator::Scaled;
use crate::linalg::{sweep, vector};
use secant_core::operator::LinearOperator;
use serde::{Deserialize, Serialize};

/// m must fall by this part over the last tenth of the iterations.  Martens (2010) §4.4: 5e-4.
pub const PROGRESS: f64 = 5e-4;
/// The test of progress looks back on at least so many iterations.  Martens (2010) §4.4: 10.
pub const LOOK_BACK: usize = 10;

/// A later direction whose curvature, in units of M, is at most this part of the largest is flat: that much can be rounding of the product.
pub const FLAT: f64 = 8.0 * f64::EPSILON;

/// [`Iterates`] keeps an iterate whose number has grown by so many tenths since the last.  Martens (2010) §4.6: 3.
pub const SPACING_TENTHS: usize = 3;

/// Where CG begins and when it ends.
#[derive(Clone, Copy, Debug)]
pub struct Truncation {
    /// ‖Ax + g‖ ≤ this · ‖g‖.
    pub tolerance: f64,
    /// Most products, at least 1.
    pub products: usize,
    /// End also where the progress of m has all but ended, [`PROGRESS`].
    pub progress: bool,
    /// Begin at the multiple of what `x` holds that minimises m, where there is one; else at 0.
    pub warm: bool,
    /// Longest step along a later direction without curvature but for rounding; one that would go farther ends the iteration.
    pub reach: f64,
}

/// How CG ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truncated {
    /// Products with A.
    pub products: usize,
    /// A direction of negative curvature was met.
    pub negative_curvature: bool,
    /// −m(x) ≥ 0, without the step along negative curvature.
    pub predicted: f64,
    /// ‖Ax + g‖/‖g‖, without the step along negative curvature.
    pub residual: f64,
}

/// What is to be seen after a step along positive curvature.
#[derive(Clone, Copy, Debug)]
pub struct Iteration<'a> {
    /// The iterate.
    pub x: &'a [f64],
    /// d
    pub direction: &'a [f64],
    /// A·d
    pub product: &'a [f64],
}

/// Some of the iterates, spaced geometrically: 1, 2, 3, 4, 6, 8, 11, ….
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Iterates {
    kept: Vec<Vec<f64>>,
    /// Of `kept`, those of this run.
    held: usize,
    seen: usize,
    wanted: usize,
}

impl Iterates {
    /// Before another run.
    pub fn clear(&mut self) {
        (self.held, self.seen, self.wanted) = (0, 0, 1);
    }

    /// Looks at the next iterate.
    pub fn see(&mut self, x: &[f64]) {
        self.seen += 1;
        if self.seen < self.wanted {
            return;
        }
        self.wanted = self.seen + (self.seen * SPACING_TENTHS / 10).max(1);
        if self.held == self.kept.len() {
            self.kept.push(Vec::new());
        }
        self.kept[self.held].clear();
        self.kept[self.held].extend_from_slice(x);
        self.held += 1;
    }

    /// Those that were kept, the latest first.
    pub fn latest_first(&self) -> impl Iterator<Item = &[f64]> {
        self.kept[..self.held].iter().rev().map(Vec::as_slice)
    }
}

/// `precondition(r, z)` writes z = M⁻¹r, with M positive definite and the same in every call of one solution.
pub type Precondition<'a> = &'a mut dyn FnMut(&[f64], &mut [f64]);

/// The vectors of CG.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConjugateGradient {
    /// Ax + g
    residual: Vec<f64>,
    /// M⁻¹(Ax + g); empty before the first M.
    scaled: Vec<f64>,
    direction: Vec<f64>,
    /// A·direction
    product: Vec<f64>,
    /// m after every iteration
    progress: Vec<f64>,
}

impl ConjugateGradient {
    /// For A of n × n. The first solution with an M allocates n numbers more.
    pub fn new(n: usize) -> Self {
        let zeros = || vec![0.0; n];
        Self {
            residual: zeros(),
            scaled: Vec::new(),
            direction: zeros(),
            product: zeros(),
            progress: Vec::new(),
        }
    }

    /// [`new`](Self::new), with the room that an M needs.
    pub fn preconditioned(n: usize) -> Self {
        Self { scaled: vec![0.0; n], ..Self::new(n) }
    }

    /// A·x + g of the last solution, without the step along negative curvature.
    pub fn residual(&self) -> &[f64] {
        &self.residual
    }

    /// `x` ← the truncated solution for g ≠ 0; without `precondition` M = I. `observe` sees each step along positive curvature.
    /// `None` when a product is not finite before the first iterate; a later one ends the iteration.
    pub fn solve(
        &mut self,
        a: &impl LinearOperator,
        g: &[f64],
        precondition: Option<Precondition<'_>>,
        until: Truncation,
        mut observe: impl FnMut(Iteration<'_>),
        x: &mut [f64],
    ) -> Option<Truncated> {
        let Some(scale) = vector::extreme_scale(g) else {
            return self.run(a, g, precondition, until, observe, x);
        };
        // A and g in other units: x is the same.
        let (mut unit, mut seen) = (vec![0.0; g.len()], vec![0.0; g.len()]);
        vector::scale_into(scale, g, &mut unit);
        let observe = |iteration: Iteration<'_>| {
            vector::scale_into(scale.recip(), iteration.product, &mut seen);
            observe(Iteration { product: &seen, ..iteration });
        };
        let end = self.run(&Scaled(a, scale), &unit, precondition, until, observe, x);
        vector::scale(scale.recip(), &mut self.residual);
        end.map(|end| Truncated { predicted: end.predicted / scale, ..end })
    }

    /// [`solve`](Self::solve) for a g of ordinary size.
    fn run(
        &mut self,
        a: &impl LinearOperator,
        g: &[f64],
        mut precondition: Option<Precondition<'_>>,
        until: Truncation,
        mut observe: impl FnMut(Iteration<'_>),
        x: &mut [f64],
    ) -> Option<Truncated> {
        self.progress.clear();
        let squares = vector::dot(g, g);
        let size = vector::norm_of_squares(squares, g);
        let goal = until.tolerance * size;
        let mut end =
            Truncated { products: 0, negative_curvature: false, predicted: 0.0, residual: 1.0 };
        if until.warm {
            end.products = 1;
            end.predicted = self.begin_near(a, g, x)?;
        }
        let mut rr = squares;
        if end.predicted == 0.0 {
            sweep::begin(g, x, &mut self.residual, &mut self.direction);
        } else {
            self.progress.push(end.predicted);
            rr = vector::dot(&self.residual, &self.residual);
            end.residual = vector::norm_of_squares(rr, &self.residual) / size;
            if end.residual <= until.tolerance {
                return Some(end);
            }
            vector::scale_into(-1.0, &self.residual, &mut self.direction);
        }
        let mut rz = rr;
        if let Some(precondition) = &mut precondition {
            rz = self.scale(precondition);
            vector::scale_into(-1.0, &self.scaled, &mut self.direction);
        }
        // dᵀMd, and the largest dᵀAd/dᵀMd so far.
        let (mut length, mut steepest) = (rz, 0.0_f64);
        while end.products < until.products {
            a.apply(&self.direction, &mut self.product);
            let [curvature, dd, squares] = sweep::products(&self.direction, &self.product);
            if !(curvature.is_finite() && vector::all_finite_with(squares, &self.product)) {
                if end.products == 0 {
                    return None;
                }
                break;
            }
            end.products += 1;
            let negligible = negligible((dd, &self.direction), (squares, &self.product));
            steepest = steepest.max(curvature / length);
            let flat = curvature.abs() <= FLAT * steepest * length && end.predicted > 0.0;
            let far =
                rz * vector::norm_of_squares(dd, &self.direction) > until.reach * curvature.abs();
            if flat && far {
                // What is left of the residual there is rounding too.
                break;
            }
            if curvature <= negligible {
                end.negative_curvature = true;
                let alpha = rz / curvature.abs().max(negligible);
                // Where A·d vanishes there is no length to take: the direction itself.
                vector::axpy(if alpha.is_finite() { alpha } else { 1.0 }, &self.direction, x);
                break;
            }
            let alpha = rz / curvature;
            let Self { residual, direction, product, .. } = self;
            let [_, rr] = sweep::advance(alpha, direction, product, x, residual);
            end.predicted += 0.5 * alpha * rz;
            self.progress.push(end.predicted);
            observe(Iteration { x, direction: &self.direction, product: &self.product });
            let residual = vector::norm_of_squares(rr, &self.residual);
            end.residual = residual / size;
            if residual <= goal || (until.progress && self.has_ended()) {
                break;
            }
            let next = precondition.as_mut().map_or(rr, |precondition| self.scale(precondition));
            // Rounding can leave nothing to go on with.
            let usable = next > 0.0 && next.is_finite();
            if !usable {
                break;
            }
            let z = if precondition.is_some() { &self.scaled } else { &self.residual };
            length = next + (next / rz).powi(2) * length;
            sweep::turn(next / rz, z, &mut self.direction);
            rz = next;
        }
        Some(end)
    }

    /// z = M⁻¹r into `scaled`; rᵀz.
    fn scale(&mut self, precondition: &mut Precondition<'_>) -> f64 {
        self.scaled.resize(self.residual.len(), 0.0);
        precondition(&self.residual, &mut self.scaled);
        vector::dot(&self.residual, &self.scaled)
    }

    /// `x` ← t·x with the t that minimises m, with its residual; −m there, 0 where x is no use. `None` where A·x is not finite.
    fn begin_near(&mut self, a: &impl LinearOperator, g: &[f64], x: &mut [f64]) -> Option<f64> {
        a.apply(x, &mut self.product);
        let [curvature, xx, squares] = sweep::products(x, &self.product);
        if !vector::all_finite_with(squares, &self.product) {
            return None;
        }
        let slope = vector::dot(g, x);
        let negligible = negligible((xx, x), (squares, &self.product));
        let t = -slope / curvature;
        let predicted = 0.5 * t.abs() * slope.abs();
        if !(curvature > negligible && predicted > 0.0 && predicted.is_finite()) {
            return Some(0.0);
        }
        vector::scale(t, x);
        vector::step(g, t, &self.product, &mut self.residual);
        Some(predicted)
    }

    /// m fell by less than k·[`PROGRESS`] of itself over the last k iterations.
    fn has_ended(&self) -> bool {
        let i = self.progress.len();
        let k = LOOK_BACK.max(i / 10);
        i > k
            && self.progress[i - 1] - self.progress[i - 1 - k]
                < k as f64 * PROGRESS * self.progress[i - 1]
    }
}

/// Up to here dᵀAd may be rounding: ε‖d‖·‖Ad‖, from the squares of both and the vectors.
fn negligible((dd, d): (f64, &[f64]), (squares, product): (f64, &[f64])) -> f64 {
    f64::EPSILON * vector::norm_of_squares(dd, d) * vector::norm_of_squares(squares, product)
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::Mat;
    use faer::linalg::solvers::Solve;
    use secant_core::operator::Dense;

    const TO_THE_END: Truncation = Truncation {
        tolerance: 1e-13,
        products: 400,
        progress: false,
        warm: false,
        reach: f64::INFINITY,
    };

    fn ignore(_: Iteration<'_>) {}

    fn wave(n: usize) -> Vec<f64> {
        (0..n).map(|i| (1.7 * i as f64 + 0.3).sin()).collect()
    }

    /// Positive definite, with diagonal entries from 1 to 10^(2·`decades`).
    fn badly_scaled(n: usize, decades: f64) -> Mat<f64> {
        let d = |i: usize| 10.0_f64.powf(decades * i as f64 / (n - 1) as f64);
        Mat::from_fn(n, n, |i, j| d(i) * d(j) * if i == j { 1.0 } else { 0.3 / (n as f64) })
    }

    #[test]
    fn a_gradient_whose_squares_overflow_or_vanish_scales_the_solution() {
        let n = 12;
        let (a, g) = (badly_scaled(n, 1.0), wave(n));
        let mut cg = ConjugateGradient::new(n);
        let mut plain = vec![0.0; n];
        let end = cg.solve(&Dense(a.as_ref()), &g, None, TO_THE_END, ignore, &mut plain).unwrap();
        for exponent in [-1000, -600, 600, 1000] {
            // A and g in other units: x is the same to the last bit, by powers of two.
            let unit = f64::from(exponent).exp2();
            let scaled = Mat::from_fn(n, n, |i, j| unit * a[(i, j)]);
            let g: Vec<f64> = g.iter().map(|g| unit * g).collect();
            let (mut x, mut seen) = (vec![0.0; n], Vec::new());
            let see = |iteration: Iteration<'_>| seen = iteration.x.to_vec();
            let found = cg.solve(&Dense(scaled.as_ref()), &g, None, TO_THE_END, see, &mut x);
            let found = found.unwrap();
            assert_eq!((&x, &seen), (&plain, &plain), "2^{exponent}");
            assert_eq!(found.predicted, unit * end.predicted);
            assert_eq!(found.products, end.products);
        }
    }

    #[test]
    fn solves_what_a_factorisation_solves() {
        let n = 30;
        let a = badly_scaled(n, 3.0);
        let g = wave(n);
        let exact = a.llt(faer::Side::Lower).unwrap().solve(Mat::from_fn(n, 1, |i, _| -g[i]));
        let mut x = vec![f64::NAN; n];
        let mut jacobi = |r: &[f64], z: &mut [f64]| {
            for i in 0..n {
                z[i] = r[i] / a[(i, i)];
            }
        };
        let mut cg = ConjugateGradient::new(n);
        let operator = Dense(a.as_ref());
        let scaled =
            cg.solve(&operator, &g, Some(&mut jacobi), TO_THE_END, ignore, &mut x).unwrap();
        for i in 0..n {
            assert!((x[i] - exact[(i, 0)]).abs() <= 1e-9 * exact[(i, 0)].abs(), "{i}");
        }
        // M = diag A leaves two distinct eigenvalues.
        assert!(scaled.products <= 6, "{scaled:?}");
        let plain = cg.solve(&operator, &g, None, TO_THE_END, ignore, &mut x).unwrap();
        assert!(plain.products >= 4 * scaled.products, "{plain:?}");
        // −m(x) = −½gᵀx at the solution.
        let decrease = -0.5 * vector::dot(&g, &x);
        assert!((scaled.predicted / decrease - 1.0).abs() <= 1e-9, "{scaled:?} {decrease}");
    }

    /// CG as the textbook has it, every sum and update a loop of its own.
    fn plain(a: &[f64], g: &[f64], products: usize) -> Vec<f64> {
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let add = |s: f64, x: &[f64], y: &mut [f64]| {
            y.iter_mut().zip(x).for_each(|(y, x)| *y += s * x);
        };
        let (mut x, mut r) = (vec![0.0; g.len()], g.to_vec());
        let mut d: Vec<f64> = g.iter().map(|g| -g).collect();
        for _ in 0..products {
            let product: Vec<f64> = a.iter().zip(&d).map(|(a, d)| a * d).collect();
            let rr = dot(&r, &r);
            let alpha = rr / dot(&d, &product);
            add(alpha, &d, &mut x);
            add(alpha, &product, &mut r);
            let beta = dot(&r, &r) / rr;
            for (d, r) in d.iter_mut().zip(&r) {
                *d = beta * *d - r;
            }
        }
        x
    }

    #[test]
    fn long_vectors_give_what_plain_loops_give_and_the_same_bits_on_any_number_of_threads() {
        struct Diagonal(Vec<f64>);
        impl LinearOperator for Diagonal {
            fn rows(&self) -> usize {
                self.0.len()
            }
            fn cols(&self) -> usize {
                self.0.len()
            }
            fn apply(&self, x: &[f64], y: &mut [f64]) {
                for ((y, a), x) in y.iter_mut().zip(&self.0).zip(x) {
                    *y = a * x;
                }
            }
        }
        let n = 2 * vector::PARALLEL + 77;
        let a = Diagonal((0..n).map(|i| 1.0 + (i % 97) as f64).collect());
        let g = wave(n);
        let until = Truncation { products: 6, ..TO_THE_END };
        let run = |scaled: bool| {
            let mut by_halves = |r: &[f64], z: &mut [f64]| vector::scale_into(0.5, r, z);
            let by_halves: Precondition<'_> = &mut by_halves;
            let mut x = vec![0.0; n];
            let mut cg = ConjugateGradient::new(n);
            cg.solve(&a, &g, scaled.then_some(by_halves), until, ignore, &mut x).unwrap();
            x
        };
        let expected = plain(&a.0, &g, until.products);
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        // M = 2I changes nothing but the scale of z.
        for scaled in [false, true] {
            let alone = pool(1).install(|| run(scaled));
            let (_, off) = vector::distance(&alone, &expected);
            assert!(off <= 1e-12 * vector::norm(&expected), "{off:e}");
            for threads in [2, 3] {
                assert!(pool(threads).install(|| run(scaled)) == alone, "{threads} threads");
            }
        }
    }

    #[test]
    fn squares_beyond_the_range_of_numbers_end_as_they_should() {
        let a = faer::mat![[2.0, 0.5], [0.5, 1.0]];
        let mut cg = ConjugateGradient::new(2);
        // ‖g‖² = 1e-320 has lost digits, ‖g‖ has not: the tolerance is of the latter.
        let (g, mut x) = ([1e-160, 2e-160], [0.0; 2]);
        let until = Truncation { tolerance: 0.5, ..TO_THE_END };
        let end = cg.solve(&Dense(a.as_ref()), &g, None, until, ignore, &mut x).unwrap();
        assert!(end.residual <= 0.5 && vector::dot(&g, &x) < 0.0, "{end:?} {x:?}");
        let left = [2.0 * x[0] + 0.5 * x[1] + g[0], 0.5 * x[0] + x[1] + g[1]].map(|r| r / 1e-160);
        let residual = left[0].hypot(left[1]) / 5.0_f64.sqrt();
        assert!((end.residual - residual).abs() <= 1e-9, "{end:?}, {residual}");
        // ‖A·d‖² overflows where A·d does not.
        let steep = faer::mat![[1e160, 0.0], [0.0, 2e160]];
        let g = [1.0, 1.0];
        let end = cg.solve(&Dense(steep.as_ref()), &g, None, TO_THE_END, ignore, &mut x).unwrap();
        assert!(end.products == 2 && !end.negative_curvature, "{end:?}");
        assert!((x[0] + 1e-160).abs() <= 1e-172 && (x[1] + 0.5e-160).abs() <= 1e-172, "{x:?}");
    }

    /// The Laplacian of a weighted graph, which has (1, …, 1) as its null space but for rounding, and g in its range but for rounding.
    #[test]
    fn a_null_space_is_not_walked_along() {
        let n = 30;
        let weight = |i: usize, j: usize| 10.0_f64.powf(2.0 * ((i * j) as f64).sin());
        let others = |i: usize| (0..n).filter(move |j| *j != i);
        let a = Mat::from_fn(n, n, |i, j| {
            if i == j { others(i).map(|j| weight(i, j)).sum() } else { -weight(i, j) }
        });
        let solution = wave(n);
        let mean = solution.iter().sum::<f64>() / n as f64;
        let mut g = vec![0.0; n];
        Dense(a.as_ref()).apply(&solution, &mut g);
        let ones: &dyn Fn(&[f64], &mut [f64]) = &|r, z| z.copy_from_slice(r);
        let jacobi: &dyn Fn(&[f64], &mut [f64]) = &|r, z| {
            z.iter_mut().zip(r).enumerate().for_each(|(i, (z, r))| *z = r / a[(i, i)]);
        };
        for precondition in [ones, jacobi] {
            let mut cg = ConjugateGradient::new(n);
            let mut x = vec![0.0; n];
            let until = Truncation { tolerance: 0.0, reach: 1.0, ..TO_THE_END };
            let mut precondition = |r: &[f64], z: &mut [f64]| precondition(r, z);
            let end = cg
                .solve(&Dense(a.as_ref()), &g, Some(&mut precondition), until, ignore, &mut x)
                .unwrap();
            assert!(!end.negative_curvature && end.residual < 1e-6, "{end:?}");
            let shift = x.iter().sum::<f64>() / n as f64;
            for (x, solution) in x.iter().zip(&solution) {
                let error = (x - shift) + (solution - mean);
                assert!(error.abs() < 1e-4 && x.abs() < 100.0, "{error:e}, {x:e}");
            }
        }
    }

    #[test]
    fn negative_curvature_ends_the_iteration_with_a_direction_of_descent_along_it() {
        let n = 12;
        for negative in [0, 5, 11] {
            let a = Mat::from_fn(n, n, |i, j| match (i == j, i == negative) {
                (true, true) => -2.0,
                (true, false) => 1.0 + i as f64,
                _ => 0.0,
            });
            let g = wave(n);
            let mut x = vec![0.0; n];
            let mut cg = ConjugateGradient::new(n);
            let end = cg.solve(&Dense(a.as_ref()), &g, None, TO_THE_END, ignore, &mut x).unwrap();
            assert!(end.negative_curvature && end.products <= n, "{end:?}");
            assert!(vector::dot(&g, &x) < 0.0);
            assert!(
                x[negative] * g[negative] < 0.0,
                "away from the saddle along the negative entry"
            );
        }
    }

    #[test]
    fn limits_and_the_test_of_progress_end_early() {
        let n = 200;
        let a = badly_scaled(n, 1.0);
        let (g, mut x) = (wave(n), vec![0.0; n]);
        let mut cg = ConjugateGradient::new(n);
        let mut run =
            |until| cg.solve(&Dense(a.as_ref()), &g, None, until, ignore, &mut x).unwrap();
        assert_eq!(run(Truncation { products: 7, ..TO_THE_END }).products, 7);
        let full = run(TO_THE_END);
        let early = run(Truncation { progress: true, ..TO_THE_END });
        assert!(full.products < 400 && 2 * early.products < full.products, "{early:?} {full:?}");
        assert!(early.predicted <= full.predicted * (1.0 + 1e-9), "{early:?} {full:?}");
    }

    #[test]
    fn a_matrix_that_is_not_finite_is_reported() {
        let a = faer::mat![[f64::NAN, 0.0], [0.0, 1.0]];
        let mut cg = ConjugateGradient::new(2);
        let end =
            cg.solve(&Dense(a.as_ref()), &[1.0, 1.0], None, TO_THE_END, ignore, &mut [0.0; 2]);
        assert_eq!(end, None);
    }

    #[test]
    fn a_guess_saves_products_and_one_that_is_no_use_costs_one() {
        let n = 60;
        let a = badly_scaled(n, 0.8);
        let operator = Dense(a.as_ref());
        let g = wave(n);
        let until = Truncation { tolerance: 1e-8, ..TO_THE_END };
        let mut cg = ConjugateGradient::new(n);
        let mut cold = vec![0.0; n];
        let without = cg.solve(&operator, &g, None, until, ignore, &mut cold).unwrap();
        // A multiple of the solution is put right by its length alone.
        let mut warm: Vec<f64> = cold.iter().map(|x| -3.0 * x).collect();
        let until = Truncation { tolerance: 1e-7, warm: true, ..until };
        let with = cg.solve(&operator, &g, None, until, ignore, &mut warm).unwrap();
        assert_eq!((with.products, with.negative_curvature), (1, false), "{without:?}");
        assert!((with.predicted / without.predicted - 1.0).abs() < 1e-9);
        assert!(vector::distance(&warm, &cold).1 <= 1e-6 * vector::norm(&cold));
        for guess in [
            vec![0.0; n],
            (0..n)
                .map(|i| {
                    if i == 0 {
                        g[1]
                    } else if i == 1 {
                        -g[0]
                    } else {
                        0.0
                    }
                })
                .collect(),
        ] {
            let mut x = guess;
            let until = Truncation { warm: true, ..TO_THE_END };
            let end = cg.solve(&operator, &g, None, until, ignore, &mut x).unwrap();
            let plain = cg.solve(&operator, &g, None, TO_THE_END, ignore, &mut cold).unwrap();
            assert!(vector::distance(&x, &cold).1 <= 1e-9 * vector::norm(&cold));
            assert!(end.products <= plain.products + 1, "{end:?} {plain:?}");
        }
    }

    #[test]
    fn iterates_are_kept_at_growing_distances_and_the_model_falls_along_them() {
        let n = 80;
        let a = badly_scaled(n, 1.0);
        let g = wave(n);
        let mut x = vec![0.0; n];
        let mut iterates = Iterates::default();
        let mut cg = ConjugateGradient::new(n);
        for _ in 0..2 {
            iterates.clear();
            let see = |iteration: Iteration<'_>| iterates.see(iteration.x);
            let until = Truncation { products: 12, ..TO_THE_END };
            cg.solve(&Dense(a.as_ref()), &g, None, until, see, &mut x).unwrap();
            // 1, 2, 3, 4, 5, 6, 7, 9, 11
            assert_eq!(iterates.latest_first().count(), 9);
            let mut product = vec![0.0; n];
            let mut model = |x: &[f64]| {
                Dense(a.as_ref()).apply(x, &mut product);
                vector::dot(&g, x) + 0.5 * vector::dot(x, &product)
            };
            let values: Vec<f64> = iterates.latest_first().map(&mut model).collect();
            assert!(values.is_sorted_by(|a, b| a < b), "{values:?}");
            assert!(model(&x) < values[0]);
        }
    }
}
