//! Variable projection: its derivatives, the minima it reaches, what it says of wrong claims, and how it ends.
#![expect(clippy::single_range_in_vec_init, reason = "lists of ranges, some of one")]

use crate::common::Draws;
use crate::common::mgh::Problem;
use faer::Mat;
use secant_core::check;
use secant_core::data::NistNonlinear;
use secant_core::problem::{LeastSquares, Objective};
use secant_optim::{
    GaussNewton, LeastSquaresFn, LevenbergMarquardt, OptimError, ProjectedJacobian, Reason,
    ReducedLeastSquares, Scaling, Solution, Stopping, VariableProjection, minimize,
};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const JACOBIANS: [ProjectedJacobian; 2] =
    [ProjectedJacobian::Kaufman, ProjectedJacobian::GolubPereyra];

fn run(problem: &impl LeastSquares, solver: VariableProjection, start: &[f64]) -> Solution {
    minimize(problem, solver, start).unwrap()
}

/// r = θ₀·e^(−θ₁t) + θ₂·e^(−θ₃t) + θ₄ − y, with the residuals times `c`: linear in θ₀, θ₂, θ₄.
fn exponentials(c: f64) -> LeastSquaresFn<'static> {
    let mut draws = Draws(5);
    let t: Vec<f64> = (0..25).map(|i| 0.15 * f64::from(i)).collect();
    let y = t.iter().map(|t| 2.0 * f64::exp(-0.4 * t) + 3.0 * f64::exp(-2.5 * t) + 0.7);
    let y: Vec<f64> = y.map(|y| y + 0.05 * draws.next()).collect();
    let times = t.clone();
    LeastSquaresFn::new(5, t.len(), move |b, r| {
        for ((r, t), y) in r.iter_mut().zip(&t).zip(&y) {
            *r = c * (b[0] * f64::exp(-b[1] * t) + b[2] * f64::exp(-b[3] * t) + b[4] - y);
        }
    })
    .with_jacobian(move |b, mut j| {
        for (i, t) in times.iter().enumerate() {
            let (e, f) = (f64::exp(-b[1] * t), f64::exp(-b[3] * t));
            for (k, entry) in [e, -b[0] * t * e, f, -b[2] * t * f, 1.0].into_iter().enumerate() {
                j[(i, k)] = c * entry;
            }
        }
    })
    .with_linear(0..1)
    .with_linear(2..3)
    .with_linear(4..5)
}

const EXPONENTIALS: [f64; 5] = [1.0, 0.3, 1.0, 1.5, 0.0];

/// θ₀·sin(θ₂t) + θ₁·sin(θ₂t) + θ₃²: the first two columns are the same at every θ₂.
fn twins() -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(4, 12, |b, r| {
        for (i, r) in r.iter_mut().enumerate() {
            let t = 0.3 * i as f64;
            *r = (b[0] + b[1]) * f64::sin(b[2] * t) + b[3] * b[3] - 2.0 * f64::sin(0.9 * t) - 0.5;
        }
    })
    .with_jacobian(|b, mut j| {
        for i in 0..12 {
            let t = 0.3 * i as f64;
            let (sine, cosine) = (b[2] * t).sin_cos();
            for k in 0..2 {
                j[(i, k)] = sine;
            }
            j[(i, 2)] = (b[0] + b[1]) * t * cosine;
            j[(i, 3)] = 2.0 * b[3];
        }
    })
    .with_linear(0..2)
}

fn reduced<'p>(
    problem: &'p LeastSquaresFn<'_>,
    theta: &[f64],
    jacobian: ProjectedJacobian,
) -> (ReducedLeastSquares<&'p LeastSquaresFn<'p>>, Vec<f64>) {
    let reduced = ReducedLeastSquares::new(problem, &problem.linear_parameters(), theta).unwrap();
    let nonlinear = reduced.nonlinear(theta);
    (reduced.with_jacobian(jacobian), nonlinear)
}

#[test]
fn the_full_jacobian_passes_every_check_and_both_give_the_gradient() {
    for (problem, theta) in [
        (exponentials(1.0), vec![1.0, 0.3, 1.0, 1.5, 0.0]),
        (exponentials(1.0), vec![0.0, -0.2, 0.0, 0.9, 0.0]),
        // A is of rank 1, with two columns.
        (twins(), vec![0.3, -0.8, 0.7, 0.4]),
    ] {
        let (full, nonlinear) = reduced(&problem, &theta, ProjectedJacobian::GolubPereyra);
        let checks = check::least_squares(&full, &nonlinear, 3);
        assert!(checks.passed(), "{checks}");
        let (kaufman, _) = reduced(&problem, &theta, ProjectedJacobian::Kaufman);
        let checks = check::objective(&kaufman, &nonlinear);
        assert!(checks.passed(), "{checks}");
        // Kaufman's J is not ρ′, or the test of the other says nothing.
        let (m, q) = (full.residual_len(), full.dim());
        let mut r = vec![0.0; m];
        let (mut a, mut b) = (Mat::zeros(m, q), Mat::zeros(m, q));
        full.jacobian(&nonlinear, &mut r, a.as_mut());
        kaufman.jacobian(&nonlinear, &mut r, b.as_mut());
        assert!((&a - &b).norm_max() > 1e-3 * a.norm_max());
    }
}

#[test]
fn the_reduced_value_is_the_least_over_the_linear_parameters() {
    for (problem, theta) in
        [(exponentials(1.0), EXPONENTIALS.to_vec()), (twins(), vec![0.3, -0.8, 0.7, 0.4])]
    {
        let (reduced, nonlinear) = reduced(&problem, &theta, ProjectedJacobian::Kaufman);
        let full = reduced.full(&nonlinear);
        assert_eq!(reduced.nonlinear(&full), nonlinear);
        let mut gradient = vec![0.0; problem.dim()];
        let value = problem.value_gradient(&full, &mut gradient);
        assert_eq!(value, reduced.value(&nonlinear));
        for index in problem.linear_parameters().into_iter().flatten() {
            assert!(gradient[index].abs() < 1e-13, "{gradient:?}");
        }
    }
    // Of all solutions with θ₀ + θ₁ given, the shortest.
    let (problem, theta) = (twins(), [5.0, -8.0, 0.7, 0.4]);
    let (reduced, nonlinear) = reduced(&problem, &theta, ProjectedJacobian::Kaufman);
    let full = reduced.full(&nonlinear);
    assert!((full[0] - full[1]).abs() < 1e-14 && full[0] != 0.0, "{full:?}");
}

#[test]
fn the_minimum_is_that_of_levenberg_marquardt() {
    let problem = exponentials(1.0);
    let plain = minimize(&problem, LevenbergMarquardt::default(), &EXPONENTIALS).unwrap();
    for jacobian in JACOBIANS {
        for ridge in [0.0, 1e-3, 1.0] {
            let solver = VariableProjection::default().with_jacobian(jacobian).with_ridge(ridge);
            let solution = run(&problem, solver, &EXPONENTIALS);
            let report = &solution.report;
            assert!(report.reason.is_success(), "{report}");
            let apart = crate::common::distance(&solution.theta, &plain.theta);
            assert!(apart < 1e-9, "{apart:e} {report}\n{}", plain.report);
            // The books are those of the whole problem.
            let mut gradient = vec![0.0; 5];
            let value = problem.value_gradient(&solution.theta, &mut gradient);
            assert!((value - report.value).abs() <= 1e-14 * value, "{report}");
            let largest = gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
            assert!((largest - report.gradient.max).abs() < 1e-13, "{largest:e} {report}");
            assert_eq!(report.parameters, 5);
        }
    }
    // Any method of least squares runs on the reduced problem.
    let (reduced, nonlinear) = reduced(&problem, &EXPONENTIALS, ProjectedJacobian::Kaufman);
    let solution = minimize(&reduced, GaussNewton::default(), &nonlinear).unwrap();
    let apart = crate::common::distance(&reduced.full(&solution.theta), &plain.theta);
    assert!(apart < 1e-9, "{apart:e} {}", solution.report);
}

#[test]
fn the_linear_entries_of_the_start_do_not_matter() {
    let problem = exponentials(1.0);
    let at = |linear: f64| {
        let start = [linear, 0.3, -linear, 1.5, 7.0 * linear];
        run(&problem, VariableProjection::default(), &start)
    };
    let (one, other) = (at(1.0), at(1e6));
    assert_eq!(one.theta, other.theta);
    assert_eq!(one.report.initial_value, other.report.initial_value);
}

#[test]
fn the_path_does_not_depend_on_the_size_of_the_residuals() {
    let plain = run(&exponentials(1.0), VariableProjection::default(), &EXPONENTIALS).report;
    for c in [1e-4, 1e4] {
        let scaled = run(&exponentials(c), VariableProjection::default(), &EXPONENTIALS).report;
        assert_eq!((plain.iterations, plain.reason), (scaled.iterations, scaled.reason));
        for (a, b) in plain.trace.iter().zip(&scaled.trace) {
            assert!((c * c * a.value - b.value).abs() <= 1e-8 * b.value, "{a:?}\n{b:?}");
        }
    }
}

/// `model(θ, x, gradient)` returns y and writes ∂y/∂θ.
type Model = fn(&[f64], f64, &mut [f64]) -> f64;

fn misra_1a(b: &[f64], x: f64, g: &mut [f64]) -> f64 {
    g[0] = -f64::exp_m1(-b[1] * x);
    g[1] = b[0] * x * f64::exp(-b[1] * x);
    b[0] * g[0]
}

fn lanczos(b: &[f64], x: f64, g: &mut [f64]) -> f64 {
    for (b, g) in b.chunks_exact(2).zip(g.chunks_exact_mut(2)) {
        g[0] = f64::exp(-b[1] * x);
        g[1] = -b[0] * x * g[0];
    }
    b[0] * g[0] + b[2] * g[2] + b[4] * g[4]
}

fn mgh_17(b: &[f64], x: f64, g: &mut [f64]) -> f64 {
    (g[0], g[1], g[2]) = (1.0, f64::exp(-b[3] * x), f64::exp(-b[4] * x));
    (g[3], g[4]) = (-b[1] * x * g[1], -b[2] * x * g[2]);
    b[0] + b[1] * g[1] + b[2] * g[2]
}

fn enso(b: &[f64], x: f64, g: &mut [f64]) -> f64 {
    let turn = std::f64::consts::TAU * x;
    let mut y = b[0];
    g[0] = 1.0;
    (g[2], g[1]) = (turn / 12.0).sin_cos();
    y += b[1] * g[1] + b[2] * g[2];
    for k in [3, 6] {
        let (sine, cosine) = (turn / b[k]).sin_cos();
        (g[k + 1], g[k + 2]) = (cosine, sine);
        g[k] = (b[k + 1] * sine - b[k + 2] * cosine) * turn / (b[k] * b[k]);
        y += b[k + 1] * cosine + b[k + 2] * sine;
    }
    y
}

fn thurber(b: &[f64], x: f64, g: &mut [f64]) -> f64 {
    let above = b[0] + x * (b[1] + x * (b[2] + x * b[3]));
    let below = 1.0 + x * (b[4] + x * (b[5] + x * b[6]));
    for (g, power) in g.iter_mut().zip([1.0, x, x * x, x * x * x]) {
        *g = power / below;
    }
    for i in 1..4 {
        g[3 + i] = -above / below * g[i];
    }
    above / below
}

/// The terms of a sum of exponentials by their rates: their order is not determined.
fn in_order(name: &str, b: &[f64]) -> Vec<f64> {
    let mut terms: Vec<[f64; 2]> = match name {
        "MGH17" => vec![[b[1], b[3]], [b[2], b[4]]],
        "Lanczos3" => b.chunks_exact(2).map(|b| [b[0], b[1]]).collect(),
        _ => return b.to_vec(),
    };
    terms.sort_by(|a, b| a[1].total_cmp(&b[1]));
    let rest = if name == "MGH17" { &b[..1] } else { &[] };
    rest.iter().copied().chain(terms.into_iter().flatten()).collect()
}

#[test]
fn certified_parameters_come_out_from_both_starts() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/nist/");
    let sets: [(&str, Model, &[Range<usize>], f64); 5] = [
        ("Misra1a", misra_1a, &[0..1], 9.0),
        // Certified for data of five digits; the sum of squares is 1.6e-8, and J's condition 1e4.
        ("Lanczos3", lanczos, &[0..1, 2..3, 4..5], 7.0),
        ("MGH17", mgh_17, &[0..3], 8.0),
        ("ENSO", enso, &[0..3, 4..6, 7..9], 8.0),
        ("Thurber", thurber, &[0..4], 8.0),
    ];
    for (name, model, linear, digits) in sets {
        let set = NistNonlinear::read(format!("{folder}{name}.dat")).unwrap();
        let n = set.parameters.len();
        let problem = LeastSquaresFn::new(n, set.samples(), |theta, r| {
            let mut unused = vec![0.0; n];
            for ((r, x), y) in r.iter_mut().zip(&set.x).zip(&set.y) {
                *r = model(theta, *x, &mut unused) - y;
            }
        })
        .with_jacobian(|theta, mut j| {
            let mut gradient = vec![0.0; n];
            for (i, x) in set.x.iter().enumerate() {
                model(theta, *x, &mut gradient);
                for (k, entry) in gradient.iter().enumerate() {
                    j[(i, k)] = *entry;
                }
            }
        });
        for (start, jacobian) in set.starts.iter().zip(JACOBIANS) {
            let solver = VariableProjection::default()
                .with_linear(linear.iter().cloned())
                .with_jacobian(jacobian);
            let solution = run(&problem, solver, start);
            let report = &solution.report;
            assert!(report.reason.is_success(), "{name}: {report}");
            let theta = in_order(name, &solution.theta);
            let certified = in_order(name, &set.parameters);
            for (theta, certified) in theta.iter().zip(&certified) {
                let error = ((theta - certified) / certified).abs();
                assert!(error < 10_f64.powf(-digits), "{name}: {error:e} {report}");
            }
            let (square, certified) = (2.0 * report.value, set.residual_sum_of_squares);
            assert!((square - certified).abs() < 1e-9 * certified, "{name}: {report}");
        }
    }
}

/// Four bumps at 65 points: x₀e^(−x₄t) + Σ x_k·e^(−x_{4+k}(t − x_{7+k})²).  Osborne (1972); MGH 19, with its data.
fn osborne_2() -> LeastSquaresFn<'static> {
    const Y: [f64; 65] = [
        1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608,
        0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661,
        0.612, 0.558, 0.533, 0.495, 0.5, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428,
        0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559,
        0.597, 0.625, 0.739, 0.71, 0.729, 0.72, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054,
    ];
    LeastSquaresFn::new(11, 65, |x, r| {
        for (i, (r, y)) in r.iter_mut().zip(&Y).enumerate() {
            let t = 0.1 * i as f64;
            let bump = |k: usize| x[k] * f64::exp(-x[4 + k] * (t - x[7 + k]).powi(2));
            *r = y - (x[0] * f64::exp(-x[4] * t) + bump(1) + bump(2) + bump(3));
        }
    })
    .with_linear(0..4)
}

#[test]
fn osborne_s_problems_take_no_more_steps_than_plain_levenberg_marquardt() {
    let first = Problem::named("osborne1").unwrap();
    let start = [1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5];
    let compare = |problem: &dyn LeastSquares, linear: Range<usize>, start: &[f64], square: f64| {
        let plain = minimize(&problem, LevenbergMarquardt::default(), start).unwrap().report;
        let solver = VariableProjection::default().with_linear([linear]);
        let report = minimize(&problem, solver, start).unwrap().report;
        assert!(report.reason.is_success(), "{report}");
        assert!((report.value - plain.value).abs() <= 1e-12 * plain.value, "{report}\n{plain}");
        // MGH give six digits of ‖r‖².
        assert!((report.value - square).abs() <= 1e-5 * square, "{report}");
        assert!(report.iterations <= plain.iterations, "{report}\n{plain}");
    };
    // The first one's r is √2 times that of MGH, the second one's f half of theirs.
    compare(&first, 0..3, &first.start(), 5.46489e-5);
    compare(&osborne_2(), 0..4, &start, 0.5 * 4.01377e-2);
}

#[test]
fn dependent_columns_are_no_obstacle() {
    for ridge in [0.0, 1e-3] {
        let solver = VariableProjection::default().with_ridge(ridge);
        let solution = run(&twins(), solver, &[9.0, -3.0, 0.7, 0.4]);
        let (report, theta) = (&solution.report, &solution.theta);
        assert!(report.reason.is_success(), "{report}");
        assert!(report.value < 1e-24, "{report}");
        assert!((theta[0] - 1.0).abs() < 1e-9 && (theta[1] - 1.0).abs() < 1e-9, "{theta:?}");
        assert!((theta[2] - 0.9).abs() < 1e-9, "{theta:?}");
    }
}

#[test]
fn fewer_residuals_than_linear_parameters_are_solved_to_zero() {
    // Two residuals, three linear parameters.
    let problem = LeastSquaresFn::new(4, 2, |b, r| {
        r[0] = b[0] + b[1] * b[3] - 1.0;
        r[1] = b[2] * f64::exp(b[3]) + b[1] - 2.0;
    })
    .with_linear(0..3);
    for jacobian in JACOBIANS {
        for ridge in [0.0, 1e-3] {
            let solver = VariableProjection::default().with_jacobian(jacobian).with_ridge(ridge);
            let report = run(&problem, solver, &[0.0, 0.0, 0.0, 0.5]).report;
            assert!(report.reason.is_success(), "{report}");
            assert!(report.value < 1e-20, "{report}");
        }
    }
}

#[test]
fn all_linear_is_solved_where_it_starts() {
    let mut draws = Draws(8);
    let a = Mat::from_fn(30, 4, |_, _| draws.next());
    let b = draws.vector(30);
    let right = Mat::from_fn(30, 1, |i, _| b[i]);
    let expected = faer::prelude::SolveLstsq::solve_lstsq(&a.qr(), &right);
    let design = a.clone();
    let problem = LeastSquaresFn::new(4, 30, move |theta, r| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = (0..4).map(|j| a[(i, j)] * theta[j]).sum::<f64>() - b[i];
        }
    })
    .with_jacobian(move |_, mut j| j.copy_from(&design))
    .with_linear(0..4);
    let solver = VariableProjection::default().with_ridge(0.0);
    let solution = run(&problem, solver, &[100.0; 4]);
    assert_eq!(solution.report.reason, Reason::GradientConverged, "{}", solution.report);
    assert_eq!(solution.report.iterations, 0);
    for j in 0..4 {
        assert!((solution.theta[j] - expected[(j, 0)]).abs() < 1e-13);
    }
    // The ridge would bend what nothing improves afterwards.
    let damped = run(&problem, VariableProjection::default(), &[100.0; 4]);
    assert!(crate::common::distance(&solution.theta, &damped.theta) < 1e-13);
}

#[test]
fn wrong_claims_are_named() {
    let claim = |problem: &LeastSquaresFn<'_>, ranges: &[Range<usize>]| {
        let solver = VariableProjection::default().with_linear(ranges.iter().cloned());
        minimize(problem, solver, &[1.0, 0.3, 1.0, 1.5, 0.2]).unwrap_err()
    };
    let problem = exponentials(1.0);
    let error = claim(&problem, &[0..1, 3..4]);
    assert!(
        matches!(&error, OptimError::NotLinear { parameters, .. } if parameters == "θ[3..4]"),
        "{error}"
    );
    for ranges in [&[0..1, 0..2][..], &[4..6], &[2..2]] {
        let error = claim(&problem, ranges);
        assert!(matches!(error, OptimError::LinearRange { parameters: 5, .. }), "{error}");
    }
    // Linear in each, not in both; odd about the start; not finite beyond.
    let product = LeastSquaresFn::new(5, 2, |b, r| {
        r[0] = b[0] * b[1] - b[4];
        r[1] = b[2] + b[3] - 1.0;
    });
    let error = claim(&product, &[0..1, 1..2]);
    let both = "θ[0..1], θ[1..2]";
    assert!(
        matches!(&error, OptimError::NotLinear { parameters, .. } if parameters == both),
        "{error}"
    );
    let odd =
        LeastSquaresFn::new(5, 1, |b, r| r[0] = (b[0] - 1.0).powi(3) + b[1] + b[2] * b[3] * b[4]);
    assert!(matches!(claim(&odd, &[0..1]), OptimError::NotLinear { .. }));
    let edge = LeastSquaresFn::new(5, 1, |b, r| {
        r[0] = if (b[0] - 1.0).abs() > 0.1 { f64::NAN } else { b[0] + b[1] * b[2] * b[3] * b[4] };
    });
    assert!(matches!(claim(&edge, &[0..1]), OptimError::NotLinear { .. }));

    let silent = LeastSquaresFn::new(2, 2, |b, r| r.copy_from_slice(b));
    let error = minimize(&silent, VariableProjection::default(), &[0.0; 2]).unwrap_err();
    assert!(matches!(error, OptimError::NoLinearParameters { .. }), "{error}");
    let error = minimize(&problem, VariableProjection::default(), &[0.0; 2]).unwrap_err();
    assert_eq!(error, OptimError::StartLength { expected: 5, found: 2 });
    let start = [1.0, f64::NAN, 1.0, 1.0, 1.0];
    let error = minimize(&problem, VariableProjection::default(), &start).unwrap_err();
    assert!(matches!(error, OptimError::StartNotFinite { index: 1, .. }), "{error}");
}

#[test]
fn options_out_of_range_are_named() {
    let changed = |change: fn(&mut VariableProjection)| {
        let mut solver = VariableProjection::default();
        change(&mut solver);
        solver
    };
    for (solver, name) in [
        (changed(|s| s.ridge = -1.0), "ridge"),
        (changed(|s| s.ridge = f64::INFINITY), "ridge"),
        (changed(|s| s.rank_tolerance = 1.0), "rank_tolerance"),
        (changed(|s| s.levenberg_marquardt.accept = 0.7), "accept"),
        (changed(|s| s.stopping.step_tolerance = f64::NAN), "step_tolerance"),
    ] {
        let error = minimize(&exponentials(1.0), solver, &EXPONENTIALS).unwrap_err();
        let OptimError::OptionOutOfRange { option, .. } = error else { panic!("{error}") };
        assert_eq!(option, name);
    }
}

#[test]
fn nan_ahead_is_avoided_and_nan_everywhere_has_its_reason() {
    // θ₀·log θ₁: a full step from 9 leaves the domain.
    let log = LeastSquaresFn::new(2, 3, |b, r| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = b[0] * (b[1] + i as f64).ln() - (1.2 + i as f64).ln();
        }
    })
    .with_linear(0..1);
    let solution = run(&log, VariableProjection::default(), &[1.0, 9.0]);
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    assert!((solution.theta[1] - 1.2).abs() < 1e-7, "{:?} {}", solution.theta, solution.report);

    let nowhere = LeastSquaresFn::new(2, 3, |b, r| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = if b[1] == 2.0 { b[0] + i as f64 } else { f64::NAN };
        }
    })
    .with_jacobian(|_, mut j| {
        for i in 0..3 {
            (j[(i, 0)], j[(i, 1)]) = (1.0, i as f64);
        }
    })
    .with_linear(0..1);
    let solution = run(&nowhere, VariableProjection::default(), &[5.0, 2.0]);
    assert_eq!(solution.report.reason, Reason::NonFiniteValue, "{}", solution.report);
    assert_eq!(solution.theta[1], 2.0);
    assert!(solution.report.value.is_finite());
    let solution = run(&nowhere, VariableProjection::default(), &[5.0, 3.0]);
    assert_eq!(solution.report.reason, Reason::NonFiniteStart, "{}", solution.report);
}

#[test]
fn limits_hold_and_the_evaluations_are_counted() {
    let problem = exponentials(1.0);
    for (iterations, evaluations, reason) in [
        (0, 1000, Reason::MaxIterations),
        (2, 1000, Reason::MaxIterations),
        (1000, 9, Reason::MaxEvaluations),
    ] {
        let stopping = Stopping {
            max_iterations: iterations,
            max_evaluations: Some(evaluations),
            ..Stopping::default()
        };
        let solver = VariableProjection::default().with_stopping(stopping);
        let report = run(&problem, solver, &EXPONENTIALS).report;
        assert_eq!(report.reason, reason, "{report}");
        assert_eq!(report.trace.len() as u64, report.iterations + 1);
    }
    // On units of their own a scale of one number does not help; it is asked for and taken.
    let identity = LevenbergMarquardt::default().with_scaling(Scaling::Identity);
    let solver = VariableProjection::default().with_levenberg_marquardt(identity);
    let report = run(&problem, solver, &EXPONENTIALS).report;
    assert!(report.reason.is_success(), "{report}");
    assert!(report.evaluations.jacobian > report.iterations, "{report}");
    assert!(report.notes.iter().any(|note| note.contains("3 linear parameters")), "{report}");
}

/// Longest wait of a test for what happens at once, unless it never does.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for `flag`, and gives up after [`PATIENCE`].
fn wait_for(flag: &AtomicBool) {
    let start = Instant::now();
    while !flag.load(Ordering::SeqCst) && start.elapsed() < PATIENCE {
        thread::yield_now();
    }
}

/// Linear in θ₀ of r = θ₀·e^(−θ₁t) − 1; what its residuals do beside is the next test's.
static SHARED: OnceLock<ReducedLeastSquares<LeastSquaresFn<'static>>> = OnceLock::new();

/// The next evaluation is split between two threads. One of them, in its half, gives the pool a second evaluation and does not end before
/// that has begun: the other thread, which waits for the half, takes it up.
#[test]
fn an_evaluation_within_another_ones_parallel_call_does_not_wait_for_it() {
    static ARMED: AtomicBool = AtomicBool::new(false);
    static STOLEN: AtomicBool = AtomicBool::new(false);
    static BEGUN: AtomicBool = AtomicBool::new(false);
    let second = || {
        BEGUN.store(true, Ordering::SeqCst);
        SHARED.get().unwrap().value(&[0.4]);
    };
    let halves = move || {
        let wait = || wait_for(&STOLEN);
        rayon::join(wait, || {
            STOLEN.store(true, Ordering::SeqCst);
            rayon::spawn(second);
            wait_for(&BEGUN);
        });
    };
    let problem = LeastSquaresFn::new(2, 6, move |b, r| {
        if ARMED.swap(false, Ordering::SeqCst) {
            halves();
        }
        for (i, r) in r.iter_mut().enumerate() {
            *r = b[0] * f64::exp(-b[1] * i as f64) - 1.0;
        }
    });
    let reduced = ReducedLeastSquares::new(problem, &[0..1], &[1.0, 0.5]).unwrap();
    let alone = [0.3, 0.4].map(|theta| reduced.value(&[theta]).to_bits());
    let shared = SHARED.get_or_init(|| reduced);
    // Away from the points that it knows.
    shared.value(&[0.7]);
    ARMED.store(true, Ordering::SeqCst);
    let (tell, told) = mpsc::channel();
    // Not joined: a thread in a deadlock does not end.
    thread::spawn(move || {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        tell.send(pool.install(|| shared.value(&[0.3]).to_bits())).unwrap();
    });
    let together = told.recv_timeout(3 * PATIENCE).expect("no deadlock");
    assert!(STOLEN.load(Ordering::SeqCst) && BEGUN.load(Ordering::SeqCst), "both at once");
    assert_eq!([together, shared.value(&[0.4]).to_bits()], alone);
}
