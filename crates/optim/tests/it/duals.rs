//! Derivatives by dual numbers against those written by hand, and methods on problems that are written once.

mod models;

use crate::common::mgh::{self, Kind, PROBLEMS};
use faer::Mat;
use models::Nist;
use models::by_hand::MODELS;
use secant_core::check;
use secant_core::problem::{Curvature, LeastSquares, Linearization, Objective};
use secant_core::real::{Function, Real, Residuals};
use secant_optim::{
    Auto, Bfgs, Lbfgs, LeastSquaresFn, LevenbergMarquardt, Method, Newton, TrustRegion,
    VariableProjection, function, minimize, residuals,
};
use std::f64::consts::TAU;

/// Part of the largest entry of a row or matrix by which both may differ.
const TOLERANCE: f64 = 1e-13;

/// r = √2·f of a problem of Moré, Garbow & Hillstrom.
pub struct Mgh(pub mgh::Problem);

impl Residuals for Mgh {
    fn parameters(&self) -> usize {
        self.0.n
    }
    fn residual_len(&self) -> usize {
        self.0.m
    }
    fn residuals<T: Real>(&self, x: &[T], r: &mut [T]) {
        for (i, r) in r.iter_mut().enumerate() {
            *r = 2.0_f64.sqrt() * self.residual(i, x);
        }
    }
}

impl Function for Mgh {
    fn parameters(&self) -> usize {
        self.0.n
    }
    fn value<T: Real>(&self, x: &[T]) -> T {
        (0..self.0.m).map(|i| self.residual(i, x).powi(2)).sum()
    }
}

impl Mgh {
    fn residual<T: Real>(&self, i: usize, x: &[T]) -> T {
        let (n, k) = (x.len(), i as f64 + 1.0);
        match self.0.kind {
            Kind::Rosenbrock => rosenbrock(i, &x[i - i % 2..]),
            Kind::FreudensteinRoth if i == 0 => ((5.0 - x[1]) * x[1] - 2.0) * x[1] + x[0] - 13.0,
            Kind::FreudensteinRoth => ((x[1] + 1.0) * x[1] - 14.0) * x[1] + x[0] - 29.0,
            Kind::PowellBadlyScaled if i == 0 => 1e4 * x[0] * x[1] - 1.0,
            Kind::PowellBadlyScaled => (-x[0]).exp() + (-x[1]).exp() - 1.0001,
            Kind::BrownBadlyScaled => match i {
                0 => x[0] - 1e6,
                1 => x[1] - 2e-6,
                _ => x[0] * x[1] - 2.0,
            },
            Kind::Beale => {
                let power = x[1].powi(i32::try_from(i + 1).unwrap());
                [1.5, 2.25, 2.625][i] - x[0] * (1.0 - power)
            }
            Kind::JennrichSampson => 2.0 + 2.0 * k - ((k * x[0]).exp() + (k * x[1]).exp()),
            Kind::HelicalValley => match i {
                // The angle lies in (−¼, ¾) there, in (−½, ½] here.
                0 => {
                    let turns = x[1].atan2(x[0]) / TAU;
                    let turns = if turns < -0.25 { turns + 1.0 } else { turns };
                    10.0 * (x[2] - 10.0 * turns)
                }
                1 => 10.0 * (x[0].hypot(x[1]) - 1.0),
                _ => x[2],
            },
            Kind::Bard => {
                let v = 16.0 - k;
                mgh::BARD[i] - (x[0] + k / (v * x[1] + k.min(v) * x[2]))
            }
            Kind::PowellSingular => {
                let x = &x[i - i % 4..];
                match i % 4 {
                    0 => x[0] + 10.0 * x[1],
                    1 => 5.0_f64.sqrt() * (x[2] - x[3]),
                    2 => (x[1] - 2.0 * x[2]).powi(2),
                    _ => 10.0_f64.sqrt() * (x[0] - x[3]).powi(2),
                }
            }
            Kind::Wood => match i {
                0 | 1 => rosenbrock(i, x),
                2 => 90.0_f64.sqrt() * (x[3] - x[2] * x[2]),
                3 => 1.0 - x[2],
                4 => 10.0_f64.sqrt() * (x[1] + x[3] - 2.0),
                _ => (x[1] - x[3]) / 10.0_f64.sqrt(),
            },
            Kind::KowalikOsborne => {
                let u = mgh::KOWALIK_U[i];
                let (a, b) = (u * u + u * x[1], u * u + u * x[2] + x[3]);
                mgh::KOWALIK_Y[i] - x[0] * a / b
            }
            Kind::BrownDennis => {
                let t = k / 5.0;
                let a = x[0] + t * x[1] - t.exp();
                a.powi(2) + (x[2] + x[3] * t.sin() - t.cos()).powi(2)
            }
            Kind::Osborne1 => {
                let t = 10.0 * i as f64;
                mgh::OSBORNE1[i] - (x[0] + x[1] * (-t * x[3]).exp() + x[2] * (-t * x[4]).exp())
            }
            Kind::Watson => match i {
                29 => x[0],
                30 => x[1] - x[0] * x[0] - 1.0,
                _ => {
                    let t = k / 29.0;
                    let power = |j: usize| t.powi(i32::try_from(j).unwrap());
                    let value: T = x.iter().enumerate().map(|(j, x)| *x * power(j)).sum();
                    let rest = x.iter().enumerate().skip(1);
                    let slope: T = rest.map(|(j, x)| *x * (j as f64) * power(j - 1)).sum();
                    slope - value * value - 1.0
                }
            },
            Kind::Penalty1 if i < n => 1e-5_f64.sqrt() * (x[i] - 1.0),
            Kind::Penalty1 => x.iter().map(|x| *x * *x).sum::<T>() - 0.25,
            Kind::VariablyDimensioned if i < n => x[i] - 1.0,
            Kind::VariablyDimensioned => {
                let terms = x.iter().enumerate().map(|(j, x)| (j as f64 + 1.0) * (*x - 1.0));
                let s: T = terms.sum();
                if i == n { s } else { s * s }
            }
            Kind::Trigonometric => {
                let gap = |x: T| 2.0 * (0.5 * x).sin().powi(2);
                x.iter().map(|x| gap(*x)).sum::<T>() + k * gap(x[i]) - x[i].sin()
            }
            Kind::BroydenTridiagonal => {
                let zero = T::from_f64(0.0);
                let before = if i > 0 { x[i - 1] } else { zero };
                let after = if i + 1 < n { x[i + 1] } else { zero };
                (3.0 - 2.0 * x[i]) * x[i] - before - 2.0 * after + 1.0
            }
            Kind::LinearFullRank => {
                let mean = 2.0 / self.0.m as f64 * x.iter().copied().sum::<T>();
                if i < n { x[i] - mean - 1.0 } else { -mean - 1.0 }
            }
        }
    }
}

fn rosenbrock<T: Real>(i: usize, x: &[T]) -> T {
    if i.is_multiple_of(2) { 10.0 * (x[1] - x[0] * x[0]) } else { 1.0 - x[0] }
}

/// x₀ moved a little, to where no derivative vanishes by symmetry.
fn near_start(problem: &mgh::Problem) -> Vec<f64> {
    let start = problem.start();
    let moved = start.iter().enumerate();
    moved.map(|(j, x)| x + 0.01 * (1.0 + x.abs()) * (1.3 * j as f64 + 0.5).sin()).collect()
}

/// Every row of `found` equals that of `expected` to [`TOLERANCE`] of its largest entry.
fn assert_rows(what: &str, found: &Mat<f64>, expected: &Mat<f64>) {
    for (i, (found, expected)) in found.row_iter().zip(expected.row_iter()).enumerate() {
        let (found, expected): (Vec<f64>, Vec<f64>) =
            (found.iter().copied().collect(), expected.iter().copied().collect());
        let distance = check::distance(&found, &expected);
        assert!(distance <= TOLERANCE, "{what}, row {i}: {distance:e}\n{found:?}\n{expected:?}");
    }
}

/// r and J of `found` equal those of `expected`; J·v, Jᵀu, JᵀJ, Jᵀr and diagonals fit to J.
fn assert_same_first<A: LeastSquares, B: LeastSquares>(what: &str, a: &A, b: &B, theta: &[f64]) {
    let (m, n) = (b.residual_len(), b.dim());
    assert_eq!((a.residual_len(), a.dim()), (m, n));
    let dense = |problem: &dyn LeastSquares| {
        let (mut r, mut j) = (vec![f64::NAN; m], Mat::from_fn(m, n, |_, _| f64::NAN));
        let value = problem.jacobian(theta, &mut r, j.as_mut());
        (value, r, j)
    };
    let (found, expected) = (dense(a), dense(b));
    assert!(check::distance(&[found.0], &[expected.0]) <= TOLERANCE, "{what}");
    assert!(check::distance(&found.1, &expected.1) <= TOLERANCE, "{what}");
    assert_rows(what, &found.2, &expected.2);
    let mut alone = vec![f64::NAN; m];
    assert_eq!(a.residuals(theta, &mut alone).to_bits(), found.0.to_bits(), "{what}");
    assert_eq!(alone, found.1, "{what}");
    let checks = check::least_squares(a, theta, 7);
    let exact = checks.0.iter().filter(|check| check.tolerance == check::EXACT_TOLERANCE);
    assert!(exact.clone().all(check::Check::passed), "{what}\n{checks}");
}

#[test]
fn jacobians_and_hessians_of_the_test_functions_equal_those_by_hand() {
    for problem in PROBLEMS {
        let (theta, dual) = (near_start(problem), residuals(Mgh(*problem)));
        assert_same_first(problem.id, &dual, problem, &theta);
        let n = problem.n;
        let (by_hand, sum, plain) =
            (problem.linearize(&theta), dual.linearize(&theta), function(Mgh(*problem)));
        let plain = plain.linearize(&theta);
        let (mut expected, mut found) = (Mat::zeros(n, n), Mat::zeros(n, n));
        let v: Vec<f64> =
            (0..n).map(|j| (1.0 + theta[j].abs()) * (0.7 * j as f64 + 0.2).cos()).collect();
        let (mut product, mut other) = (vec![0.0; n], vec![0.0; n]);
        by_hand.hessian(expected.as_mut());
        by_hand.hessian_vector(&v, &mut product);
        for at in [&sum as &dyn Linearization, &plain] {
            assert!(
                check::distance(at.gradient(), by_hand.gradient()) <= TOLERANCE,
                "{}",
                problem.id
            );
            at.hessian(found.as_mut());
            assert_rows(problem.id, &found, &expected);
            at.hessian_vector(&v, &mut other);
            assert!(check::distance(&other, &product) <= TOLERANCE, "{}", problem.id);
        }
        sum.gauss_newton(found.as_mut());
        by_hand.gauss_newton(expected.as_mut());
        assert_rows(problem.id, &found, &expected);
    }
}

/// The models by hand are those of the example `problem_sets`.
#[test]
fn jacobians_of_the_models_of_nist_equal_those_by_hand() {
    for (name, n, model) in MODELS {
        // Abscissae and parameters of no set, but where every model is smooth.
        let x: Vec<f64> = (0..22).map(|i| 0.4 + 0.23 * f64::from(i)).collect();
        let theta: Vec<f64> = (0..n).map(|j| 0.9 + 0.13 * j as f64).collect();
        let nist = Nist { name, x: &x, predictors: 2 };
        let by_hand = LeastSquaresFn::new(n, 11, |theta, r| {
            let mut gradient = vec![0.0; n];
            for (r, x) in r.iter_mut().zip(x.chunks_exact(2)) {
                *r = model(theta, x, &mut gradient);
            }
        })
        .with_jacobian(|theta, mut j| {
            let mut gradient = vec![0.0; n];
            for (i, x) in x.chunks_exact(2).enumerate() {
                model(theta, x, &mut gradient);
                gradient.iter().enumerate().for_each(|(k, entry)| j[(i, k)] = *entry);
            }
        });
        assert_same_first(name, &residuals(nist), &by_hand, &theta);
        // The second derivatives, against differences of that gradient.
        let dual = residuals(Nist { name, x: &x, predictors: 2 });
        let (mut found, mut expected) = (Mat::zeros(n, n), Mat::zeros(n, n));
        dual.linearize(&theta).hessian(found.as_mut());
        by_hand.linearize(&theta).hessian(expected.as_mut());
        let distance = (&found - &expected).norm_max() / expected.norm_max();
        assert!(distance < 1e-8, "{name}: {distance:e}");
        let checks = check::curvature(&dual, &theta, 3);
        assert!(checks.passed(), "{name}\n{checks}");
    }
}

#[test]
fn every_kind_of_method_minimises_what_is_written_once() {
    let problem = *PROBLEMS.iter().find(|problem| problem.id == "kowalik_osborne").unwrap();
    let (sum, plain) = (residuals(Mgh(problem)), function(Mgh(problem)));
    let methods: [Method; 6] = [
        Auto::default().into(),
        Newton::default().into(),
        TrustRegion::default().into(),
        Bfgs::default().into(),
        Lbfgs::default().into(),
        LevenbergMarquardt::default().into(),
    ];
    for method in methods {
        let solution = method.clone().minimize(&sum, &problem.start()).unwrap();
        let error = (solution.report.value / problem.minimum - 1.0).abs();
        assert!(error < 1e-9 && solution.report.reason.is_success(), "{}", solution.report);
        assert!(!solution.report.notes.iter().any(|note| note.contains("differences")));
        if !matches!(method, Method::LevenbergMarquardt(_)) {
            let solution = method.minimize(&plain, &problem.start()).unwrap();
            let error = (solution.report.value / problem.minimum - 1.0).abs();
            assert!(error < 1e-9 && solution.report.reason.is_success(), "{}", solution.report);
            assert!(!solution.report.notes.iter().any(|note| note.contains("differences")));
        }
    }
}

/// The values of Lanczos' model at x beside y.
struct Fit<'a>(&'a [f64], &'a [f64]);
impl Residuals for Fit<'_> {
    fn parameters(&self) -> usize {
        6
    }
    fn residual_len(&self) -> usize {
        self.1.len()
    }
    fn residuals<T: Real>(&self, theta: &[T], r: &mut [T]) {
        Nist { name: "Lanczos1", x: self.0, predictors: 1 }.residuals(theta, r);
        r.iter_mut().zip(self.1).for_each(|(r, y)| *r -= *y);
    }
}

#[test]
fn linear_parameters_are_eliminated_from_generic_residuals() {
    let x: Vec<f64> = (0..24).map(|i| 0.1 * f64::from(i)).collect();
    let truth = [0.1, 1.0, 0.8607, 3.0, 1.5576, 5.0];
    let model = |theta: &[f64], r: &mut [f64]| {
        Nist { name: "Lanczos1", x: &x, predictors: 1 }.residuals(theta, r);
    };
    let mut y = vec![0.0; 24];
    model(&truth, &mut y);
    let problem = residuals(Fit(&x, &y)).with_linear(0..1).with_linear(2..3).with_linear(4..5);
    let solution =
        minimize(&problem, VariableProjection::default(), &[1.0, 0.5, 1.0, 2.0, 1.0, 6.0]).unwrap();
    for (found, truth) in solution.theta.iter().zip(truth) {
        assert!((found - truth).abs() < 1e-6, "{}", solution.report);
    }
}

#[test]
fn a_problem_without_residuals_is_refused_and_one_without_parameters_is_a_constant() {
    struct Empty(usize, usize);
    impl Residuals for Empty {
        fn parameters(&self) -> usize {
            self.0
        }
        fn residual_len(&self) -> usize {
            self.1
        }
        fn residuals<T: Real>(&self, _: &[T], r: &mut [T]) {
            r.fill(T::from_f64(2.0));
        }
    }
    let refused = minimize(&residuals(Empty(2, 0)), LevenbergMarquardt::default(), &[1.0, 1.0]);
    assert!(refused.unwrap_err().to_string().contains("without residuals"));
    let constant = residuals(Empty(0, 3));
    assert_eq!(constant.value(&[]), 6.0);
    assert_eq!(constant.value_gradient(&[], &mut []), 6.0);
    assert_eq!(constant.linearize(&[]).value(), 6.0);
}
