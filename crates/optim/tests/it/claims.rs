//! A report says "converged" only where it is: bad starts, and parameters that differ by powers of ten.

use crate::common::{Draws, Function, quadratic, spd};
use faer::Mat;
use secant_core::data::NistNonlinear;
use secant_optim::{
    AdaptiveCubic, Bfgs, HessianKind, Lbfgs, LeastSquaresFn, Method, Modification, Newton,
    NewtonCg, NonlinearCg, Reason, RegularizedNewton, Sr1, Stopping, Subproblem, TrustRegion,
    Update, minimize,
};

fn exact() -> Vec<Method> {
    vec![
        Newton::default().into(),
        Newton::default().with_curvature(HessianKind::GaussNewton).into(),
        Newton::default().with_modification(Modification::TurnedSigns).into(),
        RegularizedNewton::default().into(),
        NewtonCg::default().into(),
        TrustRegion::default().into(),
        TrustRegion::default().with_subproblem(Subproblem::Steihaug).into(),
        TrustRegion::default().with_subproblem(Subproblem::Exact).into(),
        TrustRegion::default().with_subproblem(Subproblem::ScaledExact).into(),
        TrustRegion::default().with_subproblem(Subproblem::Dogleg).into(),
        AdaptiveCubic::default().into(),
    ]
}

fn learned() -> Vec<Method> {
    vec![
        Bfgs::default().into(),
        Bfgs::default().with_update(Update::SelfScaledBfgs).into(),
        Bfgs::default().with_update(Update::SelfScaledBroyden).into(),
        Sr1::default().into(),
        Lbfgs::default().into(),
        NonlinearCg::default().into(),
    ]
}

/// CUTEst's CLIFF, f = ((x − 3)/100)² − (x − y) + e^(20(x − y)); from (0, −1) the first gradient is e²⁰ times what matters later.
fn cliff() -> Function {
    Function::new(
        2,
        |p, g| {
            let (x, u) = (p[0], p[0] - p[1]);
            let e = (20.0 * u).exp();
            g[0] = 2.0 * (x - 3.0) / 1e4 - 1.0 + 20.0 * e;
            g[1] = 1.0 - 20.0 * e;
            ((x - 3.0) / 100.0).powi(2) - u + e
        },
        |p| {
            let e = 400.0 * (20.0 * (p[0] - p[1])).exp();
            Mat::from_fn(2, 2, |i, j| {
                let ends = if i == j { e } else { -e };
                if (i, j) == (0, 0) { ends + 2e-4 } else { ends }
            })
        },
    )
}

#[test]
fn a_start_on_a_cliff_makes_no_false_end() {
    // x = 3 and 20·e^(20u) = 1.
    let minimum = 20_f64.ln() / 20.0 + 0.05;
    for method in exact().into_iter().chain(learned()) {
        let report = method.minimize(&cliff(), &[0.0, -1.0]).unwrap().report;
        assert!(report.reason.is_success(), "{report}");
        assert!(report.value - minimum <= 1e-6 * minimum, "{report}");
    }
}

#[test]
fn units_of_the_parameters_make_no_false_end() {
    let n = 6;
    for exponent in [3, 6] {
        let function = || quadratic(spd(n, 10.0, &mut Draws(5)), Draws(6).vector(n), 3.0);
        let sizes: Vec<f64> =
            (0..n).map(|j| 10_f64.powi(if j % 2 == 0 { exponent } else { -exponent })).collect();
        let start: Vec<f64> = sizes.iter().map(|size| 1.0 / size).collect();
        let best = minimize(&function(), Newton::default(), &vec![1.0; n]).unwrap().report.value;
        for method in exact().into_iter().chain(learned()) {
            let report =
                method.minimize(&function().scaled(1.0, sizes.clone()), &start).unwrap().report;
            let left = report.value - best;
            assert!(
                !report.reason.is_success() || left <= 1e-6 * best.abs(),
                "{left:e} left of {best:e}: {report}"
            );
        }
    }
}

/// y = b₁(1 − e^(−b₂x)), where b₁ is 10⁶ times b₂.
fn misra_1a(set: &NistNonlinear) -> LeastSquaresFn<'_> {
    LeastSquaresFn::new(2, set.samples(), |b: &[f64], r: &mut [f64]| {
        for ((r, x), y) in r.iter_mut().zip(&set.x).zip(&set.y) {
            *r = b[0] * (1.0 - (-b[1] * x).exp()) - y;
        }
    })
    .with_jacobian(|b: &[f64], mut jacobian| {
        for (i, x) in set.x.iter().enumerate() {
            let e = (-b[1] * x).exp();
            jacobian[(i, 0)] = 1.0 - e;
            jacobian[(i, 1)] = b[0] * x * e;
        }
    })
}

#[test]
fn learned_matrices_find_the_small_entries_of_the_gradient() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/nist/Misra1a.dat");
    let set = NistNonlinear::read(path).unwrap();
    let problem = misra_1a(&set);
    let certified = 0.5 * 1.245_513_889_4e-1;
    for method in learned() {
        for start in &set.starts {
            let report = method.clone().minimize(&problem, start).unwrap().report;
            let relative = report.value / certified - 1.0;
            assert!(!report.reason.is_success() || relative < 1e-6, "{relative:e}: {report}");
            if report.solver.contains("BFGS") {
                assert!(report.reason.is_success(), "{report}");
            }
        }
    }
}

#[test]
fn a_line_far_from_the_origin_is_fitted_to_the_digits_there_are() {
    let x = |i: usize| 1e7 + 1.0 + i as f64;
    let problem = LeastSquaresFn::new(2, 5, move |b: &[f64], r: &mut [f64]| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = b[0] + b[1] * x(i) - (3.0 + 2.0 * i as f64);
        }
    })
    .with_jacobian(move |_: &[f64], mut jacobian| {
        for i in 0..5 {
            jacobian[(i, 0)] = 1.0;
            jacobian[(i, 1)] = x(i);
        }
    });
    let curvature = HessianKind::GaussNewton;
    let report = minimize(&problem, Newton::default().with_curvature(curvature), &[0.0, 0.0])
        .unwrap()
        .report;
    // Predictions off by less than 1e-6: the sum of squares of five.
    assert!(!report.reason.is_success() || report.value < 2.5e-12, "{report}");
}

#[test]
fn a_floor_below_a_promise_is_slow_and_no_success() {
    // The value is rounded to 1e-3, so that no step of 30 shows, and the gradient stays.
    let stairs = Function::new(
        1,
        |x, g| {
            g[0] = 1.0 + 0.1 * (x[0] * 50.0).sin();
            (x[0] * 1e3).round() * 1e-3 + 1.0
        },
        |_| Mat::from_fn(1, 1, |_, _| 1e3),
    );
    let report = minimize(&stairs, Newton::default(), &[0.2]).unwrap().report;
    assert!(!report.reason.is_success(), "{report}");
}

#[test]
fn a_confirmed_end_costs_one_evaluation_more_at_most() {
    // On a quadratic the matrix at hand confirms: one Hessian for Newton; one look for a learned one.
    let n = 8;
    let function = || quadratic(spd(n, 30.0, &mut Draws(9)), Draws(2).vector(n), 1.0);
    let report = minimize(&function(), Newton::default(), &vec![1.0; n]).unwrap().report;
    assert_eq!(
        (report.reason, report.evaluations.hessian),
        (Reason::GradientConverged, 1),
        "{report}"
    );
    let stopping = Stopping {
        gradient_tolerance: 0.0,
        gradient_absolute: 1e-300,
        max_iterations: 200,
        ..Stopping::default()
    };
    let unasked = minimize(&function(), Bfgs::default().with_stopping(stopping), &vec![1.0; n])
        .unwrap()
        .report;
    let asked = minimize(&function(), Bfgs::default(), &vec![1.0; n]).unwrap().report;
    let steps = usize::try_from(asked.iterations).unwrap();
    assert_eq!(asked.evaluations.of_f(), unasked.trace[steps].evaluations + 1, "{asked}");
}
