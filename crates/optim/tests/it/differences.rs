//! Derivatives by differences: what is reached from values alone, where they are taken, and what the report says of them.

use faer::Mat;
use secant_core::check;
use secant_core::data::NistNonlinear;
use secant_core::differences::in_words;
use secant_core::problem::{Asked, Curvature, LeastSquares, Linearization, Objective};
use secant_optim::{
    Auto, Bfgs, BoundedLevenbergMarquardt, Bounds, GaussNewton, HessianKind, Lbfgs, LbfgsB,
    LeastSquaresFn, LevenbergMarquardt, Method, Newton, NewtonCg, ObjectiveFn, OptimError, Reason,
    RobustLeastSquares, Solution, Tron, TrustRegion, minimize,
};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

fn levenberg_marquardt(problem: &impl LeastSquares, start: &[f64]) -> Solution {
    minimize(problem, LevenbergMarquardt::default(), start).unwrap()
}

/// A peak of height 5 and width 40 at a time of day, ten seconds between the samples; no noise.
fn peak(offset: f64) -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(3, 60, move |theta, r| {
        for (i, r) in r.iter_mut().enumerate() {
            let t = offset - 263.0 + 10.0 * i as f64;
            let at = |a: f64, c: f64, w: f64| a * f64::exp(-0.5 * ((t - c) / w).powi(2));
            *r = at(theta[0], theta[1], theta[2]) - at(5.0, offset, 40.0);
        }
    })
}

#[test]
fn a_peak_is_found_however_far_from_the_origin_it_lies() {
    for offset in [0.0, 1e3, 1e6, 1_709_023_800.0, -1e11] {
        let solution = levenberg_marquardt(&peak(offset), &[4.0, offset - 20.0, 50.0]);
        let report = &solution.report;
        assert!(report.reason.is_success(), "{offset}: {report}");
        let resolution = (4.0 * f64::EPSILON * offset.abs()).max(1e-6);
        for (theta, exact) in solution.theta.iter().zip([5.0, offset, 40.0]) {
            assert!((theta - exact).abs() <= resolution, "{offset}: {:?} {report}", solution.theta);
        }
    }
}

#[test]
fn a_parameter_that_begins_near_zero_moves_where_its_scale_is_another() {
    let y = [1.0, 3.0, 2.0, 5.0, 4.0];
    let line = LeastSquaresFn::new(2, 5, |theta, r| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = theta[0] + theta[1] * i as f64 - y[i];
        }
    });
    for start in [0.0, 1e-300, 1e-30, 1e-12, 1e-6, 1e12] {
        let solution = levenberg_marquardt(&line, &[start, 1.0]);
        // The normal equations: (5, 10; 10, 30)·θ = (15, 38).
        for (theta, exact) in solution.theta.iter().zip([1.4, 0.8]) {
            assert!(
                (theta - exact).abs() < 1e-9,
                "{start:e}: {:?} {}",
                solution.theta,
                solution.report
            );
        }
    }
}

/// x^m·e^(x/c) at x = 0 … 9, where m ≥ 0 only: 0^m is 1 at m = 0 and infinite below.
fn power() -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(2, 10, |theta, r| {
        for (i, r) in r.iter_mut().enumerate() {
            let x = i as f64;
            *r = x.powf(theta[0]) * f64::exp(x / theta[1]) - x.sqrt() * f64::exp(0.5 * x);
        }
    })
}

/// The same with its Jacobian; at x = 0 the model does not depend on m > 0.
fn power_with_jacobian() -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(2, 10, |theta, r| {
        power().residuals(theta, r);
    })
    .with_jacobian(|theta, mut jacobian| {
        for i in 0..10 {
            let x = i as f64;
            let model = x.powf(theta[0]) * f64::exp(x / theta[1]);
            jacobian[(i, 0)] = if i == 0 { 0.0 } else { model * x.ln() };
            jacobian[(i, 1)] = -model * x / (theta[1] * theta[1]);
        }
    })
}

#[test]
fn the_edge_of_a_domain_is_left_by_one_sided_differences() {
    let bounds = Bounds::nonnegative(2);
    for start in [[0.1, 1.0], [7e-13, 1.0], [0.0, 1.0], [0.0, 1.8]] {
        let solver = BoundedLevenbergMarquardt::new(bounds.clone());
        let solution = minimize(&power(), solver, &start).unwrap();
        let report = &solution.report;
        assert!(report.reason.is_success(), "{start:?}: {report}");
        for (theta, exact) in solution.theta.iter().zip([0.5, 2.0]) {
            assert!((theta - exact).abs() < 1e-6, "{start:?}: {:?} {report}", solution.theta);
        }
    }
    // Without bounds too where the way down does not lead out of the domain.
    for start in [[0.0, 1.8], [7e-13, 2.2], [0.1, 3.0]] {
        let solution = levenberg_marquardt(&power(), &start);
        assert!((solution.theta[0] - 0.5).abs() < 1e-9, "{start:?}: {}", solution.report);
    }
}

/// From c = 1 the way down leads to m < 0, and Levenberg–Marquardt creeps up to the edge: with a Jacobian as well.
#[test]
fn a_run_against_the_edge_of_a_domain_ends_where_one_with_formulas_does() {
    for start in [[0.1, 1.0], [7e-13, 1.0]] {
        let by_differences = levenberg_marquardt(&power(), &start);
        let exact = levenberg_marquardt(&power_with_jacobian(), &start);
        let (value, reference) = (by_differences.report.value, exact.report.value);
        assert!((value / reference - 1.0).abs() < 1e-9, "{start:?}: {}", by_differences.report);
        assert_ne!(by_differences.report.reason, Reason::GradientConverged);
    }
    // At the edge itself there is a derivative: the start is one.
    let report = levenberg_marquardt(&power(), &[0.0, 1.0]).report;
    assert_ne!(report.reason, Reason::NonFiniteStart);
    assert!(report.gradient.max.is_finite() && report.gradient.max > 1.0, "{report}");
}

#[test]
fn derivatives_by_differences_agree_with_formulas_at_every_scale_of_theta() {
    // ∂r/∂m = xᵐ·ln x·e^(x/c), ∂r/∂c = −x/c²·xᵐ·e^(x/c).
    for m in [1e-200, 1e-12, 1e-5, 0.1, 3.0] {
        let theta = [m, 1.5];
        let (mut r, mut jacobian) = (vec![0.0; 10], Mat::zeros(10, 2));
        power().jacobian(&theta, &mut r, jacobian.as_mut());
        let size = 9.0_f64.powf(m) * f64::exp(6.0) * 10.0;
        for i in 1..10 {
            let x = i as f64;
            let model = x.powf(m) * f64::exp(x / 1.5);
            let exact = [model * x.ln(), -model * x / 2.25];
            for (j, exact) in exact.into_iter().enumerate() {
                let error = (jacobian[(i, j)] - exact).abs() / size;
                assert!(error < 1e-9, "m = {m:e}, entry {i}, {j}: {error:e}");
            }
        }
    }
}

/// Never asked outside θ ≥ 0, where it is NaN; the minimum has θ₀ = 0.
fn at_a_bound(outside: &AtomicU64) -> impl Fn(&[f64], &mut [f64]) + Send + Sync + '_ {
    |theta, r| {
        if theta.iter().any(|theta| *theta < 0.0) {
            outside.fetch_add(1, Ordering::Relaxed);
        }
        r[0] = theta[0].sqrt() + theta[1] - 1.0;
        r[1] = theta[0].powf(1.5) + 2.0 * theta[1] - 2.5;
        r[2] = theta[0] + theta[1].powf(0.5) - 1.2;
    }
}

#[test]
fn differences_stay_in_the_box() {
    let outside = AtomicU64::new(0);
    let r = at_a_bound(&outside);
    let least_squares = LeastSquaresFn::new(2, 3, &r);
    let half = |theta: &[f64]| {
        let mut residuals = [0.0; 3];
        r(theta, &mut residuals);
        0.5 * residuals.iter().map(|r| r * r).sum::<f64>()
    };
    let objective = ObjectiveFn::new(2, half);
    let bounds = Bounds::nonnegative(2);
    for start in [[0.0, 0.5], [1.0, 2.0], [1e-9, 1e-9], [0.0, 0.0]] {
        let lm = BoundedLevenbergMarquardt::new(bounds.clone());
        let solutions = [
            minimize(&least_squares, lm, &start).unwrap(),
            minimize(&least_squares, LbfgsB::new(bounds.clone()), &start).unwrap(),
            minimize(&least_squares, Tron::new(bounds.clone()), &start).unwrap(),
            minimize(&objective, LbfgsB::new(bounds.clone()), &start).unwrap(),
            minimize(&objective, Tron::new(bounds.clone()), &start).unwrap(),
        ];
        for solution in solutions {
            assert_eq!(outside.load(Ordering::Relaxed), 0, "{start:?}: {}", solution.report);
        }
    }
    // The same through ρ.
    let rho = secant_core::rho::Rho::Huber;
    let robust = RobustLeastSquares::new(&least_squares, rho, 0.3).unwrap();
    minimize(&robust, LbfgsB::new(bounds.clone()), &[0.0, 0.5]).unwrap();
    minimize(&robust, Tron::new(bounds), &[0.0, 0.5]).unwrap();
    assert_eq!(outside.load(Ordering::Relaxed), 0);
}

#[test]
fn the_minimum_in_a_box_is_reached_with_nan_outside() {
    // y = √θ₀·t + θ₁ with the best θ₀ below 0.
    let bounds = Bounds::new(vec![0.0, 0.1], vec![3.0, 0.9]).unwrap();
    let problem = LeastSquaresFn::new(2, 4, |theta, r| {
        for (i, r) in r.iter_mut().enumerate() {
            let inside = (0.0..=3.0).contains(&theta[0]) && (0.1..=0.9).contains(&theta[1]);
            let y = 0.5 - 0.1 * i as f64;
            *r = if inside { theta[0] * i as f64 + theta[1] - y } else { f64::NAN };
        }
    });
    for method in [
        Method::from(BoundedLevenbergMarquardt::new(bounds.clone())),
        LbfgsB::new(bounds.clone()).into(),
        Tron::new(bounds.clone()).into(),
        Auto::default().with_bounds(bounds).into(),
    ] {
        let solution = method.minimize(&problem, &[1.0, 0.9]).unwrap();
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        // θ₀ at its bound; θ₁ then the mean of y.
        assert_eq!(solution.theta[0], 0.0, "{}", solution.report);
        assert!((solution.theta[1] - 0.35).abs() < 1e-8, "{}", solution.report);
    }
}

#[test]
fn a_parameter_without_influence_is_named_with_the_steps_that_were_tried() {
    let problem = LeastSquaresFn::new(2, 3, |theta, r| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = theta[1] * i as f64 - 1.0;
        }
    });
    let report = levenberg_marquardt(&problem, &[1e-15, 1.0]).report;
    let note = "θ[0]: differences show no change between 9e-19 and 2e-1";
    assert!(report.notes.iter().any(|found| found == note), "{report}");
    // With a step beyond what is tried by default, and one that is told.
    let wide = |theta: &[f64], r: &mut [f64]| r[0] = (theta[0] * 1e-20 - 1.0).tanh() + 0.1;
    let report = levenberg_marquardt(&LeastSquaresFn::new(1, 1, wide), &[0.0]).report;
    assert!(report.notes.iter().any(|note| note.contains("no change")), "{report}");
    let told = LeastSquaresFn::new(1, 1, wide).with_typical([1e20]);
    let solution = levenberg_marquardt(&told, &[0.0]);
    let exact = 1e20 * (1.0 - 0.1_f64.atanh());
    assert!((solution.theta[0] / exact - 1.0).abs() < 1e-9, "{}", solution.report);
}

#[test]
fn a_gradient_that_is_not_a_number_is_not_shown_as_zero() {
    // Finite at 0 alone.
    let spike = |theta: &[f64]| if theta[0] == 0.0 { 1.0 } else { f64::NAN };
    let report = minimize(&ObjectiveFn::new(1, spike), Lbfgs::default(), &[0.0]).unwrap().report;
    assert_eq!(report.reason, Reason::NonFiniteStart);
    assert!(report.gradient.max.is_nan() && report.initial_gradient.max.is_nan(), "{report}");
    assert!(report.trace.iter().all(|entry| entry.gradient_norm.is_nan()));
    assert!(report.notes.iter().any(|note| note.contains("not finite on either side")), "{report}");
    let residual = LeastSquaresFn::new(1, 1, |theta, r| r[0] = spike(theta));
    let report = levenberg_marquardt(&residual, &[0.0]).report;
    assert!(report.gradient.max.is_nan(), "{report}");
}

#[test]
fn the_same_point_gives_the_same_bits_whatever_was_asked_before() {
    let problem = peak(1e6);
    let at = |theta: &[f64]| {
        let mut gradient = vec![0.0; 3];
        problem.value_gradient(theta, &mut gradient);
        gradient.iter().map(|g| g.to_bits()).collect::<Vec<_>>()
    };
    let here = at(&[4.0, 1e6 - 20.0, 50.0]);
    at(&[5.0, 1e6, 40.0]);
    assert_eq!(here, at(&[4.0, 1e6 - 20.0, 50.0]));
}

/// f = eˣ·sin y + x²y + ½z⁴ + xz with everything written out.
fn closed(theta: &[f64], g: &mut [f64]) -> f64 {
    let [x, y, z] = [theta[0], theta[1], theta[2]];
    g[0] = x.exp() * y.sin() + 2.0 * x * y + z;
    g[1] = x.exp() * y.cos() + x * x;
    g[2] = 2.0 * z.powi(3) + x;
    x.exp() * y.sin() + x * x * y + 0.5 * z.powi(4) + x * z
}

fn closed_hessian(theta: &[f64]) -> [[f64; 3]; 3] {
    let [x, y, z] = [theta[0], theta[1], theta[2]];
    let cross = x.exp() * y.cos() + 2.0 * x;
    [
        [x.exp() * y.sin() + 2.0 * y, cross, 1.0],
        [cross, -x.exp() * y.sin(), 0.0],
        [1.0, 0.0, 6.0 * z * z],
    ]
}

fn every_closure() -> [ObjectiveFn<'static>; 6] {
    let value = |theta: &[f64]| closed(theta, &mut [0.0; 3]);
    let hessian = |theta: &[f64], mut out: faer::MatMut<'_, f64>| {
        let h = closed_hessian(theta);
        for i in 0..3 {
            for j in 0..3 {
                out[(i, j)] = h[i][j];
            }
        }
    };
    let product = |theta: &[f64], v: &[f64], out: &mut [f64]| {
        for (out, row) in out.iter_mut().zip(closed_hessian(theta)) {
            *out = row.iter().zip(v).map(|(h, v)| h * v).sum();
        }
    };
    [
        ObjectiveFn::new(3, value),
        ObjectiveFn::with_gradient(3, closed),
        ObjectiveFn::new(3, value).and_hessian(hessian),
        ObjectiveFn::with_gradient(3, closed).and_value(value).and_hessian(hessian),
        ObjectiveFn::with_gradient(3, closed).and_hessian_vector(product),
        ObjectiveFn::with_gradient(3, closed).and_hessian(hessian).and_hessian_vector(product),
    ]
}

#[test]
fn closures_and_differences_give_the_derivatives_that_formulas_give() {
    // A point where everything has a size, one at zero, and one with sizes apart.
    for theta in [[0.7, -1.2, 0.4], [0.0; 3], [1e-9, 3.0, 20.0]] {
        let mut exact = [0.0; 3];
        closed(&theta, &mut exact);
        let h = closed_hessian(&theta);
        let size = h.iter().flatten().fold(0.0_f64, |most, entry| most.max(entry.abs()));
        for (k, problem) in every_closure().iter().enumerate() {
            let at = problem.linearize(&theta);
            let mut hessian = Mat::zeros(3, 3);
            at.hessian(hessian.as_mut());
            let (v, mut product) = ([0.3, -2.0, 0.7], [0.0; 3]);
            at.hessian_vector(&v, &mut product);
            for i in 0..3 {
                let g = exact.iter().fold(1.0_f64, |most, g| most.max(g.abs()));
                assert!((at.gradient()[i] - exact[i]).abs() < 1e-9 * g, "{k}, {theta:?}");
                let row: f64 = h[i].iter().zip(v).map(|(h, v)| h * v).sum();
                let allowed = if k == 0 { 1e-5 } else { 1e-8 } * size;
                assert!((product[i] - row).abs() < 4.0 * allowed, "{k}, {theta:?}: {product:?}");
                for j in 0..3 {
                    assert!(
                        (hessian[(i, j)] - h[i][j]).abs() < allowed,
                        "{k}, {theta:?}: {hessian:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn closures_pass_the_checks_of_derivatives_where_they_are_exact() {
    for problem in &every_closure()[3..] {
        let checks = check::curvature(problem, &[0.7, -1.2, 0.4], 3);
        assert!(checks.passed(), "{checks}");
    }
}

/// Σ (θₖ − k)⁴ + ½(θ₀ + θ₁ + θ₂ − 4)², whose minimum every method knows to find.
fn bowl(theta: &[f64]) -> f64 {
    let fourth: f64 = theta.iter().zip([1.0, 2.0, 3.0]).map(|(t, k)| (t - k).powi(4)).sum();
    let sum: f64 = theta.iter().sum();
    fourth + 0.5 * (sum - 4.0).powi(2)
}

#[test]
fn values_alone_are_enough_for_every_method() {
    // The three deviations are one d: 4d³ + (6 + 3d − 4) = 0, by Newton's method in d.
    let mut d = -0.5_f64;
    for _ in 0..50 {
        d -= (4.0 * d.powi(3) + 3.0 * d + 2.0) / (12.0 * d * d + 3.0);
    }
    let problem = ObjectiveFn::new(3, bowl);
    let gauss_newton = Newton::default().with_curvature(HessianKind::GaussNewton);
    for method in [
        Method::from(Newton::default()),
        gauss_newton.into(),
        TrustRegion::default().into(),
        NewtonCg::default().into(),
        Bfgs::default().into(),
        Lbfgs::default().into(),
        Auto::default().into(),
    ] {
        let name = method.name();
        let solution = method.minimize(&problem, &[0.0, 0.0, 0.0]).unwrap();
        let report = &solution.report;
        assert!(report.reason.is_success(), "{name}: {report}");
        for (theta, k) in solution.theta.iter().zip([1.0, 2.0, 3.0]) {
            assert!((theta - k - d).abs() < 1e-6, "{name}: {:?} {report}", solution.theta);
        }
    }
}

#[test]
fn the_report_says_what_came_from_differences() {
    let start = [0.0, 0.0, 0.0];
    let values = ObjectiveFn::new(3, bowl);
    let notes = |method: Method, problem: &ObjectiveFn<'_>| {
        method.minimize(problem, &start).unwrap().report.notes.join("\n")
    };
    let newton = notes(Newton::default().into(), &values);
    assert!(newton.contains("gradient by differences of f, 12 evaluations each"), "{newton}");
    assert!(newton.contains("second derivatives by differences of f, 24 evaluations"), "{newton}");
    let lbfgs = notes(Lbfgs::default().into(), &values);
    assert!(lbfgs.contains("gradient by differences") && !lbfgs.contains("second"), "{lbfgs}");
    let gradient = ObjectiveFn::with_gradient(3, |theta, g| {
        let sum: f64 = theta.iter().sum();
        for (g, (t, k)) in g.iter_mut().zip(theta.iter().zip([1.0, 2.0, 3.0])) {
            *g = 4.0 * (t - k).powi(3) + sum - 4.0;
        }
        bowl(theta)
    });
    assert_eq!(notes(Lbfgs::default().into(), &gradient), "");
    let newton = notes(Newton::default().into(), &gradient);
    assert!(newton.contains("second derivatives by differences of the gradient"), "{newton}");
    let gauss_newton = Newton::default().with_curvature(HessianKind::GaussNewton);
    let words = notes(gauss_newton.into(), &gradient);
    assert!(words.contains("f has no Gauss–Newton matrix"), "{words}");
    // A sum of squares: what Newton costs without a Jacobian.
    let squares = LeastSquaresFn::new(2, 2, |theta, r| {
        (r[0], r[1]) = (10.0 * (theta[1] - theta[0] * theta[0]), 1.0 - theta[0]);
    });
    let words =
        minimize(&squares, Newton::default(), &[-1.2, 1.0]).unwrap().report.notes.join("\n");
    assert!(words.contains("14 evaluations for each Hessian"), "{words}");
}

#[test]
fn what_there_is_nothing_to_minimise_in_is_refused_with_the_reason() {
    let empty = LeastSquaresFn::new(2, 0, |_, _| {});
    let methods: [Method; 5] = [
        LevenbergMarquardt::default().into(),
        GaussNewton::default().into(),
        Newton::default().into(),
        Lbfgs::default().into(),
        Auto::default().into(),
    ];
    for method in methods {
        let name = method.name();
        let error = method.minimize(&empty, &[1.0, 1.0]).unwrap_err();
        assert!(matches!(error, OptimError::Problem { .. }), "{name}: {error}");
        assert!(error.to_string().contains("without residuals"), "{name}: {error}");
    }
    for (typical, words) in [
        (vec![1.0], "1 typical sizes for 2 parameters"),
        (vec![1.0, -3.0], "typical size 1 is -3, allowed is (0, ∞)"),
        (vec![f64::NAN, 1.0], "typical size 0 is NaN"),
    ] {
        let problem = ObjectiveFn::new(2, |theta| theta[0] * theta[0]).with_typical(typical);
        let error = minimize(&problem, Lbfgs::default(), &[1.0, 1.0]).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

/// Evaluations of r in one Hessian: none goes through a Jacobian for each column.
#[test]
fn a_hessian_from_residuals_alone_takes_n_squared_evaluations() {
    let (n, m) = (20, 30);
    let calls = AtomicU64::new(0);
    let problem = LeastSquaresFn::new(n, m, |theta, r| {
        calls.fetch_add(1, Ordering::Relaxed);
        for (i, r) in r.iter_mut().enumerate() {
            let k = i % n;
            *r = theta[k] * theta[(k + 1) % n] + (theta[k] + i as f64).sin();
        }
    });
    let theta: Vec<f64> = (0..n).map(|k| 0.3 + 0.1 * k as f64).collect();
    let at = problem.linearize(&theta);
    calls.store(0, Ordering::Relaxed);
    let mut hessian = Mat::zeros(n, n);
    at.hessian(hessian.as_mut());
    let made = calls.load(Ordering::Relaxed);
    assert!(made <= (n * (n + 5)) as u64 + 4 * n as u64, "{made}");
}

#[test]
fn auto_knows_what_second_derivatives_by_differences_cost() {
    let problem = LeastSquaresFn::new(100, 120, |theta, r| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = (theta[i % 100] - 1.0) * (1.0 + 0.1 * theta[(i + 1) % 100]);
        }
    });
    let costs = problem.structure().costs.unwrap();
    // n² residuals a Hessian, 4n a Jacobian.
    assert!(costs.hessian > 20.0 * costs.jacobian, "{costs:?}");
    let ranking = Auto::default().advise(&problem).unwrap();
    let names: Vec<&str> = ranking.iter().map(|advice| advice.method.name()).collect();
    assert_eq!(names[0], "Levenberg–Marquardt");
    assert!(
        !names.iter().any(|name| name.contains("Newton") || name.contains("rust")),
        "{names:?}"
    );
    // Where it fails, no method of second derivatives takes over.
    let stuck = LeastSquaresFn::new(1, 1, |theta, r| {
        r[0] = if theta[0] == 1.0 { 1.0 } else { f64::NAN };
    });
    let report = Method::auto().minimize(&stuck, &[1.0]).unwrap().report;
    assert!(report.notes.iter().all(|note| !note.contains("second derivatives")), "{report}");
}

#[test]
fn notes_are_asked_for_once_and_evaluate_in_the_box() {
    let seen = Mutex::new(Vec::new());
    let problem = ObjectiveFn::new(1, |theta| {
        seen.lock().unwrap().push(theta[0]);
        (theta[0] + 1.0).powi(2)
    });
    let (lower, upper) = ([0.0], [1.0]);
    let within = Some(secant_core::problem::InBox { lower: &lower, upper: &upper });
    problem.notes(&[0.0], Asked { first: true, within, ..Asked::default() });
    assert!(seen.lock().unwrap().iter().all(|x| (0.0..=1.0).contains(x)));
    assert!(in_words(&[]).is_empty());
}

type Model = fn(&[f64], f64) -> f64;

fn enso(b: &[f64], x: f64) -> f64 {
    let wave = |period: f64| (2.0 * std::f64::consts::PI * x / period).sin_cos();
    let ((s, c), (s4, c4), (s7, c7)) = (wave(12.0), wave(b[3]), wave(b[6]));
    b[0] + b[1] * c + b[2] * s + b[4] * c4 + b[5] * s4 + b[7] * c7 + b[8] * s7
}

#[test]
fn certified_parameters_come_out_to_eight_digits_from_residuals_alone() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/nist/");
    let exponentials =
        |b: &[f64], x: f64| -> f64 { b.chunks_exact(2).map(|b| b[0] * f64::exp(-b[1] * x)).sum() };
    let sets: [(&str, Model); 6] = [
        ("Misra1a", |b, x| b[0] * (1.0 - f64::exp(-b[1] * x))),
        ("Lanczos3", exponentials),
        ("MGH09", |b, x| b[0] * (x * x + b[1] * x) / (x * x + b[2] * x + b[3])),
        ("MGH17", |b, x| b[0] + b[1] * f64::exp(-b[3] * x) + b[2] * f64::exp(-b[4] * x)),
        ("Thurber", |b, x| {
            let above = b[0] + x * (b[1] + x * (b[2] + x * b[3]));
            above / (1.0 + x * (b[4] + x * (b[5] + x * b[6])))
        }),
        ("ENSO", enso),
    ];
    for (name, model) in sets {
        let set = NistNonlinear::read(format!("{folder}{name}.dat")).unwrap();
        let problem = LeastSquaresFn::new(set.parameters.len(), set.samples(), |theta, r| {
            for ((r, x), y) in r.iter_mut().zip(&set.x).zip(&set.y) {
                *r = model(theta, *x) - y;
            }
        });
        for start in &set.starts {
            let solution = levenberg_marquardt(&problem, start);
            for (theta, certified) in solution.theta.iter().zip(&set.parameters) {
                let error = ((theta - certified) / certified).abs();
                assert!(error < 1e-8, "{name}: {error:e} {}", solution.report);
            }
        }
    }
}

#[test]
fn the_jacobian_of_a_point_is_taken_once() {
    let calls = AtomicU64::new(0);
    let decay = LeastSquaresFn::new(2, 5, |theta, r| {
        calls.fetch_add(1, Ordering::Relaxed);
        for (i, r) in r.iter_mut().enumerate() {
            *r = theta[0] * f64::exp(-theta[1] * i as f64) - 1.0;
        }
    });
    let at = |theta: &[f64]| {
        let (mut r, mut jacobian) = ([0.0; 5], Mat::zeros(5, 2));
        decay.jacobian(theta, &mut r, jacobian.as_mut());
        (jacobian, calls.swap(0, Ordering::Relaxed))
    };
    let (first, taken) = at(&[2.0, 0.5]);
    assert!(taken >= 9, "{taken}");
    // Other points lie between, then too many.
    for other in [0.6, 0.7] {
        assert!(at(&[2.0, other]).1 >= 9);
    }
    let (again, calls) = at(&[2.0, 0.5]);
    assert_eq!((again, calls), (first.clone(), 1));
    for other in [0.6, 0.7, 0.8] {
        at(&[2.0, other]);
    }
    let (anew, calls) = at(&[2.0, 0.5]);
    assert_eq!((anew, calls), (first, taken));
}
