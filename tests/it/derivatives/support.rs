//! Data and dense matrices that the tests share.

use faer::Mat;
use secant::check::Checks;
use secant::core::random::Random;
use secant::data::Dataset;
use secant::problem::Linearization;

/// `count` standard normal numbers.
pub fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normal()).collect()
}

/// Normal inputs (d × N) and normal targets (c × N).
pub fn numbers(d: usize, c: usize, samples: usize, seed: u64) -> Dataset {
    let targets = normals(c * samples, seed + 1_000);
    Dataset::from_slices(d, &normals(d * samples, seed), c, &targets).unwrap()
}

/// Normal inputs (d × N) and targets in [0, 1].
pub fn probabilities(d: usize, samples: usize, seed: u64) -> Dataset {
    let mut random = Random::new(seed + 2_000);
    let targets: Vec<f64> = (0..samples).map(|_| random.uniform()).collect();
    Dataset::from_slices(d, &normals(d * samples, seed), 1, &targets).unwrap()
}

/// Normal inputs (d × N) and labels drawn evenly.
pub fn labels(d: usize, classes: usize, samples: usize, seed: u64) -> Dataset {
    let mut random = Random::new(seed + 3_000);
    let draw = |_| u32::try_from(random.below(classes)).unwrap();
    let labels: Vec<u32> = (0..samples).map(draw).collect();
    Dataset::from_labels(d, &normals(d * samples, seed), classes, &labels).unwrap()
}

/// Fails with the table of errors.
pub fn assert_passed(checks: &Checks, context: &str) {
    assert!(!checks.0.is_empty() && checks.passed(), "{context}\n{checks}");
}

/// The dense Hessian.
pub fn hessian(at: &impl Linearization, n: usize) -> Mat<f64> {
    // Whatever is not written stays NaN.
    let mut matrix = Mat::from_fn(n, n, |_, _| f64::NAN);
    at.hessian(matrix.as_mut());
    matrix
}

/// The dense Gauss–Newton matrix.
pub fn gauss_newton(at: &impl Linearization, n: usize) -> Mat<f64> {
    let mut matrix = Mat::from_fn(n, n, |_, _| f64::NAN);
    at.gauss_newton(matrix.as_mut());
    matrix
}

/// The matrix of `product`, column by column from unit vectors.
pub fn columns(n: usize, product: impl Fn(&[f64], &mut [f64])) -> Mat<f64> {
    let mut matrix = Mat::zeros(n, n);
    let (mut unit, mut column) = (vec![0.0; n], vec![0.0; n]);
    for j in 0..n {
        unit[j] = 1.0;
        column.fill(f64::NAN);
        product(&unit, &mut column);
        unit[j] = 0.0;
        for i in 0..n {
            matrix[(i, j)] = column[i];
        }
    }
    matrix
}

/// max |a − b| / max |b|; NaN where an entry is.
pub fn matrix_distance(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    let (mut difference, mut size) = (0.0_f64, 0.0_f64);
    for j in 0..b.ncols() {
        for i in 0..b.nrows() {
            let error = (a[(i, j)] - b[(i, j)]).abs();
            if error.is_nan() {
                return f64::NAN;
            }
            difference = difference.max(error);
            size = size.max(b[(i, j)].abs());
        }
    }
    difference / size
}
