//! LSMR by itself: the norms of SciPy's at every iteration, the dense solutions at the end, and every way to end.

use crate::common::Draws;
use faer::linalg::solvers::SolveLstsq;
use faer::{Mat, MatRef};
use secant_optim::krylov::lsmr::{End, Lsmr, Products, Standing, Until};
use serde::Deserialize;

/// No test ends the run but those of rounding.
const TO_THE_END: Until = Until {
    matrix_tolerance: 0.0,
    right_tolerance: 0.0,
    normal_reduction: 0.0,
    condition_limit: f64::INFINITY,
    iterations: None,
};

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    m: usize,
    n: usize,
    rank: Option<usize>,
    damp: f64,
    iterations: usize,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    residual: f64,
    normal: f64,
    matrix: f64,
    condition: f64,
    solution: f64,
    x: Vec<f64>,
}

/// The entries of `benches/peers/lsmr.py`.
fn entries(m: usize, n: usize) -> Mat<f64> {
    let entry = |i: usize, j: usize| (7 * i * i + 3 * i * j + 5 * j * j + 11 * j) % 17;
    Mat::from_fn(m, n, |i, j| (entry(i, j) as f64 - 8.0) / 4.0)
}

fn run(a: &Mat<f64>, b: &[f64], damping: f64, until: &Until) -> (Vec<f64>, End, Standing) {
    let mut x = vec![f64::NAN; a.ncols()];
    let mut lsmr = Lsmr::new(a.nrows(), a.ncols());
    let (end, at) = lsmr.solve(&mut a.as_ref(), b, damping, until, |_| true, &mut x);
    (x, end, at)
}

fn random(m: usize, n: usize, seed: u64) -> (Mat<f64>, Vec<f64>) {
    let mut draws = Draws(seed);
    (Mat::from_fn(m, n, |_, _| draws.next()), draws.vector(m))
}

/// argmin ‖Ax − b‖² + δ²‖x‖² by QR of [A; δI].
fn dense(a: &Mat<f64>, b: &[f64], damping: f64) -> Vec<f64> {
    let (m, n) = (a.nrows(), a.ncols());
    let augmented = Mat::from_fn(m + n, n, |i, j| match i.checked_sub(m) {
        None => a[(i, j)],
        Some(row) if row == j => damping,
        Some(_) => 0.0,
    });
    let right = Mat::from_fn(m + n, 1, |i, _| if i < m { b[i] } else { 0.0 });
    let x = augmented.qr().solve_lstsq(&right);
    (0..n).map(|j| x[(j, 0)]).collect()
}

#[test]
fn every_iteration_has_the_norms_of_scipy() {
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/lsmr.json")).unwrap();
    assert_eq!(fixture.cases.len(), 4);
    for case in &fixture.cases {
        let (m, n) = (case.m, case.n);
        let a = match case.rank {
            None => entries(m, n),
            Some(rank) => &entries(m, rank) * entries(n, rank).transpose(),
        };
        let b: Vec<f64> = (0..m).map(|i| ((5 * i % 7) as f64 - 2.0) / 2.0).collect();
        for (k, step) in (1..=case.iterations).zip(&case.steps) {
            let until = Until { iterations: Some(k), ..TO_THE_END };
            let (x, _, at) = run(&a, &b, case.damp, &until);
            let place = format!("{}, iteration {k}: {at:?}", case.name);
            assert_eq!(at.iterations, k, "{place}");
            // The norms of what vanishes are rounding in the last iteration.
            let close = |ours: f64, theirs: f64, size: f64| {
                assert!((ours - theirs).abs() <= 1e-10 * theirs + 1e-13 * size, "{place} {theirs}");
            };
            close(at.residual, step.residual, 10.0);
            close(at.normal, step.normal, 100.0);
            close(at.matrix, step.matrix, 0.0);
            close(at.condition, step.condition, 0.0);
            close(at.solution, step.solution, 0.0);
            assert!(crate::common::distance(&x, &step.x) <= 1e-10, "{place}");
        }
    }
}

#[test]
fn solution_is_that_of_a_dense_factorisation_damped_or_not() {
    for (m, n) in [(30, 4), (40, 40), (60, 25), (1, 1)] {
        let (a, b) = random(m, n, 5 + m as u64);
        for damping in [0.0, 1e-3, 0.5, 30.0] {
            // A square matrix of draws has a condition of some hundreds, and its directions are found again and again.
            let until = Until { iterations: Some(20 * n), ..TO_THE_END };
            let (x, end, at) = run(&a, &b, damping, &until);
            let expected = dense(&a, &b, damping);
            let size = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            let apart = crate::common::distance(&x, &expected);
            assert!(apart <= 1e-9 * size, "{m}×{n} δ = {damping}: {apart:e} {end:?} {at:?}");
        }
    }
}

#[test]
fn singular_and_under_determined_systems_get_their_shortest_solution() {
    let mut draws = Draws(12);
    let mut factor = |rows: usize, rank: usize| Mat::from_fn(rows, rank, |_, _| draws.next());
    for (m, n, rank) in [(9, 30, 9), (40, 25, 7), (20, 20, 5)] {
        let (left, right) = (factor(m, rank), factor(n, rank));
        let a = &left * right.transpose();
        let b: Vec<f64> = (0..m).map(|i| (1.3 * i as f64).cos()).collect();
        let (x, end, at) = run(&a, &b, 0.0, &Until { iterations: Some(6 * rank), ..TO_THE_END });
        // x = R·y with (RᵀR)y = argmin ‖L·w − b‖: the part of every solution in the row space.
        let right_side = Mat::from_fn(m, 1, |i, _| b[i]);
        let w = left.qr().solve_lstsq(&right_side);
        let y = faer::linalg::solvers::Solve::solve(
            &(right.transpose() * &right).llt(faer::Side::Lower).unwrap(),
            &w,
        );
        let shortest = &right * &y;
        for j in 0..n {
            assert!((x[j] - shortest[(j, 0)]).abs() <= 1e-10, "{m}×{n}: {end:?} {at:?}");
        }
    }
}

#[test]
fn residuals_fall_monotonically_and_are_what_the_estimates_say() {
    let (m, n) = (50, 30);
    let (a, b) = random(m, n, 77);
    for damping in [0.0_f64, 0.7] {
        let (mut residual, mut normal) = (f64::INFINITY, f64::INFINITY);
        for k in 1..25 {
            let (x, _, at) = run(&a, &b, damping, &Until { iterations: Some(k), ..TO_THE_END });
            assert!(at.residual <= residual && at.normal <= normal, "{k}");
            (residual, normal) = (at.residual, at.normal);
            let left: Vec<f64> =
                (0..m).map(|i| b[i] - (0..n).map(|j| a[(i, j)] * x[j]).sum::<f64>()).collect();
            let square = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>();
            let seen = (square(&left) + damping.powi(2) * square(&x)).sqrt();
            let pulled: Vec<f64> = (0..n)
                .map(|j| (0..m).map(|i| a[(i, j)] * left[i]).sum::<f64>() - damping.powi(2) * x[j])
                .collect();
            assert!((seen / at.residual - 1.0).abs() < 1e-12, "{k}");
            assert!((square(&pulled).sqrt() - at.normal).abs() < 1e-12 * b.len() as f64, "{k}");
        }
    }
}

#[test]
fn every_way_to_end_has_its_name() {
    let (a, b) = random(40, 20, 3);
    let ended = |until: Until| run(&a, &b, 0.0, &until).1;
    let least_squares = Until { matrix_tolerance: 1e-8, ..TO_THE_END };
    assert_eq!(ended(least_squares), End::LeastSquares);
    assert_eq!(ended(Until { normal_reduction: 1e-3, ..TO_THE_END }), End::Reduced);
    assert_eq!(ended(Until { condition_limit: 2.0, ..TO_THE_END }), End::Condition);
    assert_eq!(ended(Until { iterations: Some(3), ..TO_THE_END }), End::Iterations);
    assert_eq!(ended(Until { iterations: Some(400), ..TO_THE_END }), End::Rounding);
    assert_eq!(ended(Until::default()), End::LeastSquares);
    let (wide, short) = random(10, 30, 4);
    let (_, end, at) = run(&wide, &short, 0.0, &Until::default());
    assert_eq!(end, End::Compatible);
    assert!(at.residual <= 1e-4, "{at:?}");

    let mut x = vec![0.0; 20];
    let mut lsmr = Lsmr::new(40, 20);
    let see = |at: &Standing| at.iterations < 5;
    let (end, at) = lsmr.solve(&mut a.as_ref(), &b, 0.0, &TO_THE_END, see, &mut x);
    assert_eq!((end, at.iterations), (End::Observer, 5));

    // b = 0, and b at right angles to every column.
    let (x, end, at) = run(&a, &[0.0; 40], 1.0, &Until::default());
    assert_eq!((end, at.iterations, x), (End::Zero, 0, vec![0.0; 20]));
    let column = Mat::from_fn(3, 1, |i, _| f64::from(u8::from(i == 0)));
    let (x, end, _) = run(&column, &[0.0, 1.0, -2.0], 0.0, &Until::default());
    assert_eq!((end, x), (End::Zero, vec![0.0]));
    let zero = Mat::zeros(3, 2);
    assert_eq!(run(&zero, &[1.0; 3], 0.1, &Until::default()).1, End::Zero);
}

/// A matrix whose products are not finite from the k-th on.
struct Failing<'a> {
    inner: MatRef<'a, f64>,
    left: usize,
}

impl Products for Failing<'_> {
    fn multiply(&mut self, v: &[f64], out: &mut [f64]) {
        self.inner.multiply(v, out);
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            out[0] = f64::NAN;
        }
    }
    fn multiply_transposed(&mut self, u: &[f64], out: &mut [f64]) {
        self.inner.multiply_transposed(u, out);
    }
}

#[test]
fn what_is_not_finite_ends_the_run_with_the_iterate_before() {
    let (a, b) = random(12, 6, 8);
    let before = run(&a, &b, 0.1, &Until { iterations: Some(3), ..TO_THE_END }).0;
    let mut x = vec![f64::NAN; 6];
    let mut failing = Failing { inner: a.as_ref(), left: 4 };
    let (end, at) = Lsmr::new(12, 6).solve(&mut failing, &b, 0.1, &TO_THE_END, |_| true, &mut x);
    assert_eq!((end, at.iterations), (End::NotFinite, 3));
    assert_eq!(x, before);
    let mut nan = b.clone();
    nan[3] = f64::NAN;
    assert_eq!(run(&a, &nan, 0.0, &TO_THE_END).1, End::NotFinite);
    let (x, end, _) = run(&a, &b, f64::NAN, &TO_THE_END);
    assert_eq!((end, x), (End::NotFinite, vec![0.0; 6]));
}

#[test]
fn scales_of_matrix_and_right_hand_side_do_not_matter() {
    let (a, b) = random(30, 12, 21);
    let until = Until::default();
    let (x, end, at) = run(&a, &b, 0.0, &until);
    for (scale, of_b) in [(1e-100, 1e120), (1e90, 1e-150)] {
        let scaled = Mat::from_fn(30, 12, |i, j| scale * a[(i, j)]);
        let right: Vec<f64> = b.iter().map(|b| of_b * b).collect();
        let (y, same, there) = run(&scaled, &right, 0.0, &until);
        assert_eq!((same, there.iterations), (end, at.iterations));
        for (x, y) in x.iter().zip(y) {
            assert!((y * scale / of_b - x).abs() <= 1e-12);
        }
    }
}
