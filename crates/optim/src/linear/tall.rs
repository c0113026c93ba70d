//! Designs of many more rows than columns, read a block at a time: R alone is kept, and Q is never formed.
//!
//! R comes from a Cholesky factorisation of AᵀA where its columns, scaled by powers of two, are well conditioned, else from Householder
//! reflections by blocks; its columns are then pivoted as those of a whole QR are. β solves RᵀR·β = Aᵀb and is refined: the residuals and
//! Aᵀ(b − Aβ) with twice the digits, the correction by R (Björck (1987), *Stability analysis of the method of seminormal equations*, Linear
//! Algebra Appl. 88/89). A refinement multiplies the error by κ²ε at most, which the first one measures: where that is no small number
//! the factorisation with Q takes over. Memory n² for each shard and the residuals; m·n² flops and 40mn for each refinement.

use super::blocks::Blocks;
use super::refine::{self, MAX_REFINEMENTS};
use super::{Accuracy, LinearLeastSquares, LinearSolution, null};
use crate::linalg::qr::PivotedQr;
use crate::linalg::vector;
use faer::{Mat, Side};
use secant_core::double_double::DoubleDouble;

/// Numbers of a design from which on it is read by blocks.
const LEAST_ENTRIES: usize = 1 << 17;
/// Rows for every column from which on it is.
const LEAST_RATIO: usize = 16;
/// R from AᵀA up to this condition: its digits are then 16 less those of the square.
const GRAM_CONDITION: f64 = 1e3;
/// Refinement by R alone up to this one.
const MOST_CONDITION: f64 = 1e6;
/// Refinements after which working precision is given up.
const MOST_WORKING: u32 = 4;

/// R with its columns pivoted.
struct Factor {
    qr: PivotedQr,
    rank: usize,
    condition: f64,
}

impl LinearLeastSquares<'_> {
    /// The solution; `None` where the factorisation with Q has to say: short designs, conditions, numbers out of range, NaN.
    pub(super) fn solve_tall(&self) -> Option<LinearSolution> {
        let (m, n) = (self.design.nrows(), self.columns());
        let by_blocks = m >= LEAST_RATIO * n && m * n >= LEAST_ENTRIES;
        if !by_blocks || self.design_rest.is_some() || self.targets_rest.is_some() {
            return None;
        }
        let blocks = Blocks::new(self);
        let mut residuals = vec![0.0; m];
        let gram = blocks.gram(&mut residuals);
        let diagonal = |j: usize| gram.matrix[(j, j)] + self.ridge[j];
        // What overflows or vanishes is for the factorisation that scales first.
        let in_range = |j: usize| diagonal(j).is_normal() && diagonal(j) < f64::MAX / m as f64;
        if !(0..n).all(in_range) || !vector::all_finite(&gram.right) {
            return None;
        }
        let scales: Vec<f64> =
            (0..n).map(|j| refine::power_of_two(diagonal(j).sqrt()).recip()).collect();
        let factor = self.by_gram(&gram.matrix, &scales).or_else(|| {
            let below: Vec<usize> = (0..n).filter(|j| self.ridge[*j] > 0.0).collect();
            let below = Mat::from_fn(below.len(), n, |i, j| {
                if below[i] == j { self.ridge[j].sqrt() * scales[j] } else { 0.0 }
            });
            let triangle = blocks.triangle(&scales, below.as_ref(), &mut residuals);
            Factor::new(&triangle, m).filter(|factor| factor.condition <= MOST_CONDITION)
        })?;
        self.refined(&blocks, &factor, &scales, &gram.right, residuals)
    }

    /// R by Cholesky's factorisation of the scaled AᵀA, where it is well conditioned.
    fn by_gram(&self, gram: &Mat<f64>, scales: &[f64]) -> Option<Factor> {
        let n = scales.len();
        let scaled = Mat::from_fn(n, n, |i, j| {
            let (i, j) = (i.max(j), i.min(j));
            let ridge = if i == j { self.ridge[j] } else { 0.0 };
            (gram[(i, j)] + ridge) * scales[i] * scales[j]
        });
        let cholesky = scaled.llt(Side::Lower).ok()?;
        let factor = Factor::new(&cholesky.L().transpose().to_owned(), n)?;
        (factor.rank == n && factor.condition <= GRAM_CONDITION).then_some(factor)
    }

    /// β from Aᵀb = `right`, refined, and what it leaves.
    fn refined(
        &self,
        blocks: &Blocks<'_, '_>,
        factor: &Factor,
        scales: &[f64],
        right: &[f64],
        mut residuals: Vec<f64>,
    ) -> Option<LinearSolution> {
        let Factor { qr, rank, condition } = factor;
        let (n, rank) = (scales.len(), *rank);
        let order = &qr.order()[..rank];
        let mut beta = vec![DoubleDouble::ZERO; rank];
        let mut gradient: Vec<f64> = order.iter().map(|&j| right[j] * scales[j]).collect();
        let whole = |beta: &[DoubleDouble]| {
            let mut coefficients = vec![DoubleDouble::ZERO; n];
            for (value, &j) in beta.iter().zip(order) {
                coefficients[j] = *value * DoubleDouble::from(scales[j]);
            }
            coefficients
        };
        let certified = self.accuracy == Accuracy::Certified;
        let most = if certified { MAX_REFINEMENTS } else { MOST_WORKING };
        let (mut last, mut refinements) = (f64::INFINITY, 0);
        let converged = loop {
            qr.solve_leading_transposed(&mut gradient);
            qr.solve_leading(&mut gradient);
            for (beta, delta) in beta.iter_mut().zip(&gradient) {
                *beta = *beta + DoubleDouble::from(*delta);
            }
            let change = refine::relative_change(&gradient, &beta);
            let no_progress = refinements > 0 && change > refine::STALLED * last;
            // The error that is left is a change less by as much as this one is less than the one before.
            let working = refinements > 0 && change * (change / last.min(1.0)) <= f64::EPSILON;
            last = change;
            if change <= refine::CONVERGED || no_progress || (!certified && working) {
                let converged = change <= refine::GOOD;
                if no_progress && !converged {
                    return None;
                }
                break converged;
            }
            if refinements == most {
                return None;
            }
            refinements += 1;
            let coefficients = whole(&beta);
            let left = blocks.left(&coefficients, &mut residuals);
            gradient.clear();
            gradient.extend(order.iter().map(|&j| {
                let penalty = DoubleDouble::from(self.ridge[j]) * coefficients[j];
                f64::from(left.gradient[j] - penalty) * scales[j]
            }));
        };
        let mut coefficients = whole(&beta);
        let null = null::basis(qr, rank, scales);
        null::shorten(&null, &mut coefficients);
        let left = blocks.left(&coefficients, &mut residuals);
        let sum = f64::from(left.squares);
        Some(LinearSolution {
            standard_errors: self.standard_errors(qr, rank, scales, sum),
            coefficients: coefficients.into_iter().map(f64::from).collect(),
            residuals,
            residual_sum_of_squares: sum,
            rank,
            condition: *condition,
            null_directions: null::directions(&null, &self.names),
            refinements,
            last_correction: last,
            certified: certified && converged && rank == n,
        })
    }
}

impl Factor {
    /// R of a design of m rows, its columns pivoted; `None` where it is not finite.
    fn new(triangle: &Mat<f64>, m: usize) -> Option<Self> {
        let n = triangle.ncols();
        let mut qr = PivotedQr::new(n, n);
        qr.matrix_mut().copy_from(triangle);
        if !vector::all_finite(qr.entries_mut()) {
            return None;
        }
        qr.factor();
        let rank = qr.rank_of(m);
        let condition = qr.condition(rank);
        Some(Self { qr, rank, condition })
    }
}

#[cfg(test)]
mod tests {
    use super::super::LinearError;
    use super::*;
    use faer::MatRef;
    use secant_core::random::Random;

    /// m × d, row by row, columns of different sizes; with `tilt` column 1 is column 0 but for that part.
    fn table(m: usize, d: usize, tilt: Option<f64>) -> (Vec<f64>, Vec<f64>) {
        let mut random = Random::new(3);
        let mut x: Vec<f64> = (0..m * d)
            .map(|i| (random.normal() + 2.0) * 10_f64.powf((i % d % 5) as f64 - 2.0))
            .collect();
        if let Some(tilt) = tilt {
            for row in x.chunks_exact_mut(d) {
                row[1] = row[0] * 7.0 + tilt * row[1];
            }
        }
        let y = x.chunks_exact(d).map(|row| row.iter().sum::<f64>() + random.normal()).collect();
        (x, y)
    }

    fn design(x: &[f64], d: usize) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(x, x.len() / d, d)
    }

    fn compare(problem: &LinearLeastSquares<'_>, digits: f64) {
        let tall = problem.solve_tall().expect("read by blocks");
        let (whole, ..) = problem.factored().unwrap();
        let close = |a: f64, b: f64| (a - b).abs() <= digits * b.abs();
        assert_eq!(tall.rank, whole.rank);
        assert_eq!(tall.null_directions.len(), whole.null_directions.len());
        for (a, b) in tall.coefficients.iter().zip(&whole.coefficients) {
            assert!(close(*a, *b), "{a:e} {b:e}");
        }
        let most = vector::norm_inf(&whole.residuals);
        for (a, b) in tall.residuals.iter().zip(&whole.residuals) {
            assert!((a - b).abs() <= digits * most, "{a:e} {b:e}");
        }
        let (a, b) = (tall.residual_sum_of_squares, whole.residual_sum_of_squares);
        assert!(close(a, b), "{a:e} {b:e}");
        assert!(tall.condition / whole.condition < 1.01 && whole.condition / tall.condition < 1.01);
        assert_eq!(tall.standard_errors.is_some(), whole.standard_errors.is_some());
        let errors = tall.standard_errors.iter().flatten();
        for (a, b) in errors.zip(whole.standard_errors.iter().flatten()) {
            assert!((a - b).abs() <= 1e-9 * b, "{a:e} {b:e}");
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(pool.install(|| problem.solve_tall()).unwrap(), tall, "bits by threads");
    }

    #[test]
    fn blocks_give_what_the_whole_factorisation_gives() {
        let (m, d) = (30_011, 6);
        // Well conditioned; then by Householder reflections: κ of some 1e5, and dependent columns.
        for tilt in [None, Some(1e-5), Some(0.0)] {
            let (x, y) = table(m, d, tilt);
            let by_rows = MatRef::from_row_major_slice(&x, m, d);
            let by_columns = by_rows.to_owned();
            let weights: Vec<f64> = (0..m).map(|i| (i % 4) as f64).collect();
            for accuracy in [Accuracy::Working, Accuracy::Certified] {
                for design in [by_rows, by_columns.as_ref()] {
                    let plain = LinearLeastSquares::new(design, &y).with_accuracy(accuracy);
                    compare(&plain.clone(), 1e-11);
                    compare(&plain.clone().with_constant(), 1e-11);
                    compare(&plain.clone().with_constant().with_weights(&weights), 1e-11);
                    compare(&plain.clone().with_constant().with_ridge(10.0), 1e-11);
                }
            }
        }
    }

    #[test]
    fn the_last_digits_are_certain() {
        let (m, d) = (20_000, 8);
        for tilt in [None, Some(1e-4)] {
            let (x, y) = table(m, d, tilt);
            let design = MatRef::from_row_major_slice(&x, m, d);
            let problem = LinearLeastSquares::new(design, &y).with_accuracy(Accuracy::Certified);
            let tall = problem.solve_tall().unwrap();
            let (whole, ..) = problem.factored().unwrap();
            assert!(tall.is_certified() && whole.is_certified());
            for (a, b) in tall.coefficients.iter().zip(&whole.coefficients) {
                assert!((a - b).abs() <= f64::EPSILON * b.abs(), "{a:e} {b:e}");
            }
        }
    }

    #[test]
    fn what_blocks_cannot_do_is_left_to_the_whole() {
        let (m, d) = (30_000, 5);
        let (x, y) = table(m, d, Some(1e-8));
        // Too ill conditioned for R alone.
        let problem = LinearLeastSquares::new(design(&x, d), &y);
        assert!(problem.solve_tall().is_none());
        assert!(problem.solve().unwrap().condition > MOST_CONDITION);
        // Squares that overflow.
        let (mut x, y) = table(m, d, None);
        x.iter_mut().step_by(d).for_each(|x| *x *= 1e200);
        let problem = LinearLeastSquares::new(design(&x, d), &y);
        assert!(problem.solve_tall().is_none());
        assert_eq!(problem.solve().unwrap().rank, d);
        x[7 * d + 2] = f64::NAN;
        let error = LinearLeastSquares::new(design(&x, d), &y).with_constant().solve().unwrap_err();
        assert!(
            matches!(&error, LinearError::NotFinite { what, row: 7, .. } if what == "column 2")
        );
        let (x, mut y) = table(m, d, None);
        y[11] = f64::INFINITY;
        let error = LinearLeastSquares::new(design(&x, d), &y).solve().unwrap_err();
        assert!(
            matches!(&error, LinearError::NotFinite { what, row: 11, .. } if what == "targets")
        );
    }
}
