//! The promise: leaving out one observation after the other is told exactly by one factorisation: as by as many fits to the others.

use faer::Mat;
use secant_core::random::Random;
use secant_optim::{Accuracy, LeaveOneOut, LinearLeastSquares};

fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normal()).collect()
}

/// A problem by its parts.
#[derive(Clone)]
struct Problem {
    design: Mat<f64>,
    targets: Vec<f64>,
    weights: Vec<f64>,
    ridge: f64,
}

impl Problem {
    fn new(m: usize, n: usize, seed: u64) -> Self {
        let x = normals(m * n, seed);
        let design = Mat::from_fn(m, n, |i, j| if j == 0 { 1.0 } else { x[j * m + i] });
        Self { design, targets: normals(m, seed + 1), weights: vec![1.0; m], ridge: 0.0 }
    }

    fn least_squares(&self) -> LinearLeastSquares<'_> {
        let ridge: Vec<f64> =
            (0..self.design.ncols()).map(|j| if j == 0 { 0.0 } else { self.ridge }).collect();
        LinearLeastSquares::new(self.design.as_ref(), &self.targets)
            .with_weights(&self.weights)
            .with_ridges(ridge)
    }

    fn left_out(&self) -> LeaveOneOut {
        self.least_squares().leave_one_out().unwrap()
    }

    /// The residual of row `i` by a fit to the others, and the rank of these.
    fn refitted(&self, i: usize) -> (f64, usize) {
        let (m, n) = (self.design.nrows(), self.design.ncols());
        let others: Vec<usize> = (0..m).filter(|row| *row != i).collect();
        let part = Self {
            design: Mat::from_fn(m - 1, n, |row, j| self.design[(others[row], j)]),
            targets: others.iter().map(|row| self.targets[*row]).collect(),
            weights: others.iter().map(|row| self.weights[*row]).collect(),
            ridge: self.ridge,
        };
        let solution = part.least_squares().with_accuracy(Accuracy::Certified).solve().unwrap();
        let fitted: f64 = (0..n).map(|j| self.design[(i, j)] * solution.coefficients[j]).sum();
        (self.targets[i] - fitted, solution.rank)
    }

    fn assert_refits(&self, tolerance: f64) -> LeaveOneOut {
        let found = self.left_out();
        let mut press = 0.0;
        for (i, residual) in found.residuals.iter().enumerate() {
            let (expected, rank) = self.refitted(i);
            assert_eq!(residual.is_none(), rank < found.solution.rank, "row {i}");
            let Some(residual) = residual else { continue };
            let error = (residual - expected).abs() / expected.abs().max(1.0);
            assert!(error <= tolerance, "row {i}: {residual} {expected}");
            press += self.weights[i] * expected * expected;
        }
        if found.undetermined().is_empty() {
            assert!((found.press.unwrap() / press - 1.0).abs() <= 10.0 * tolerance);
            let total: f64 = self.weights.iter().sum();
            assert!((found.rmse.unwrap() / (press / total).sqrt() - 1.0).abs() <= 10.0 * tolerance);
        }
        found
    }
}

#[test]
fn residuals_are_those_of_fits_to_the_others_with_weights_and_ridges() {
    for (m, n) in [(6, 1), (9, 4), (40, 7)] {
        let mut problem = Problem::new(m, n, 3);
        let found = problem.assert_refits(1e-12);
        let trace: f64 = found.leverages.iter().sum();
        assert!((trace - n as f64).abs() < 1e-12, "{trace}");
        assert!(found.leverages.iter().all(|h| (0.0..=1.0).contains(h)));
        problem.weights = (0..m).map(|i| (i % 3) as f64).collect();
        problem.assert_refits(1e-12);
        problem.ridge = 2.5;
        let found = problem.assert_refits(1e-12);
        assert!(n == 1 || found.leverages.iter().sum::<f64>() < n as f64 - 0.1);
        // A row of weight 0 has no part in its own fit.
        assert_eq!(
            (found.leverages[0], found.residuals[0]),
            (0.0, Some(found.solution.residuals[0]))
        );
    }
}

/// A far point: 1 − h has lost all its digits there, and the residual those of √(1 − h) alone.
#[test]
fn a_far_point_keeps_half_of_the_digits_that_its_leverage_takes() {
    for far in [1e3, 1e6, 1e9] {
        let mut problem = Problem::new(12, 3, 5);
        problem.design[(4, 2)] = far;
        let tolerance = 100.0 * f64::EPSILON * far;
        let found = problem.assert_refits(tolerance);
        assert!(1.0 - found.leverages[4] < 100.0 / (far * far));
        // y = x there, far off the slope of the others.
        problem.targets[4] = far;
        problem.assert_refits(tolerance);
    }
}

#[test]
fn dependent_columns_change_nothing_and_what_the_others_do_not_determine_is_named() {
    let plain = Problem::new(15, 4, 7);
    let mut problem = plain.clone();
    problem.design = Mat::from_fn(15, 5, |i, j| match j {
        4 => plain.design[(i, 1)] - 2.0 * plain.design[(i, 3)],
        j => plain.design[(i, j)],
    });
    let found = problem.assert_refits(1e-11);
    assert_eq!(found.solution.rank, 4);
    let both = found.residuals.iter().zip(plain.left_out().residuals);
    assert!(both.into_iter().all(|(a, b)| (a.unwrap() - b.unwrap()).abs() < 1e-11));
    // A dummy variable of one row, and so no PRESS; the other rows are as without both.
    let mut dummy = plain.clone();
    dummy.design = Mat::from_fn(15, 5, |i, j| match j {
        4 => f64::from(u8::from(i == 6)),
        j => plain.design[(i, j)],
    });
    let found = dummy.assert_refits(1e-11);
    assert_eq!(found.undetermined(), [6]);
    assert_eq!((found.leverages[6], found.press, found.rmse), (1.0, None, None));
    let text = found.to_string();
    assert!(text.contains("no PRESS: leverage 1 in row 6,"), "{text}");
    // A ridge determines it.
    dummy.ridge = 0.1;
    assert!(dummy.assert_refits(1e-11).press.is_some());
    // As many coefficients as rows, or more: nothing is left to say anything.
    for n in [5, 8] {
        let found = Problem::new(5, n, 2).left_out();
        assert_eq!(found.undetermined(), [0, 1, 2, 3, 4]);
    }
    let found = Problem::new(1, 1, 2).left_out();
    assert_eq!(found.undetermined(), [0]);
}
