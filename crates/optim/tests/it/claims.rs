//! A report says "converged" only where it is: bad starts, and parameters that differ by powers of ten.

use crate::common::{Draws, Function, quadratic, spd};
use faer::Mat;
use secant_core::data::{Dataset, NistNonlinear};
use secant_core::loss::SquaredError;
use secant_core::network::Network;
use secant_core::op::Activation;
use secant_core::penalty::Ridge;
use secant_core::problem::Objective;
use secant_core::risk::Risk;
use secant_optim::{
    AdaptiveCubic, Bfgs, BoundedLevenbergMarquardt, Bounds, Evaluations, GaussNewton, HessianKind,
    Lbfgs, LbfgsB, LeastSquaresFn, LevenbergMarquardt, Method, Modification, Newton, NewtonCg,
    NonlinearCg, Reason, RegularizedNewton, Sr1, Stopping, Subproblem, Tron, TrustRegion, Update,
    minimize,
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

/// BoxBOD, y = b₁(1 − e^(−b₂x)): from b = (1, 1) most methods run to the plateau b₂ → ∞, where f = 4885.75 and ∂f/∂b₂ is nothing.
fn box_bod() -> LeastSquaresFn<'static> {
    const X: [f64; 6] = [1.0, 2.0, 3.0, 5.0, 7.0, 10.0];
    const Y: [f64; 6] = [109.0, 149.0, 149.0, 191.0, 213.0, 224.0];
    LeastSquaresFn::new(2, 6, |b: &[f64], r: &mut [f64]| {
        for ((r, x), y) in r.iter_mut().zip(X).zip(Y) {
            *r = b[0] * (1.0 - (-b[1] * x).exp()) - y;
        }
    })
    .with_jacobian(|b: &[f64], mut jacobian| {
        for (i, x) in X.into_iter().enumerate() {
            let e = (-b[1] * x).exp();
            jacobian[(i, 0)] = 1.0 - e;
            jacobian[(i, 1)] = b[0] * x * e;
        }
    })
}

fn bounded_or_free() -> Vec<Method> {
    vec![
        Tron::default().into(),
        BoundedLevenbergMarquardt::default().into(),
        LbfgsB::default().into(),
        GaussNewton::default().into(),
        LevenbergMarquardt::default().into(),
        Method::auto(),
    ]
}

#[test]
fn a_plateau_is_no_minimum() {
    // NIST: half of 1.1680088766E+03.
    let certified = 584.004_438_3;
    let mut refused = 0;
    for method in exact().into_iter().chain(learned()).chain(bounded_or_free()) {
        let report = method.minimize(&box_bod(), &[1.0, 1.0]).unwrap().report;
        let above = report.value / certified - 1.0;
        assert!(!report.reason.is_success() || above < 1e-6, "{above:e}: {report}");
        refused += u32::from(report.notes.iter().any(|note| note.contains("does not confirm")));
    }
    assert!(refused >= 4, "{refused}");
}

#[test]
fn two_terms_that_became_one_are_no_minimum() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/nist/MGH17.dat");
    let set = NistNonlinear::read(path).unwrap();
    let problem = LeastSquaresFn::new(5, set.samples(), |b: &[f64], r: &mut [f64]| {
        for ((r, x), y) in r.iter_mut().zip(&set.x).zip(&set.y) {
            *r = b[0] + b[1] * (-b[3] * x).exp() + b[2] * (-b[4] * x).exp() - y;
        }
    })
    .with_jacobian(|b: &[f64], mut jacobian| {
        for (i, x) in set.x.iter().enumerate() {
            let (first, second) = ((-b[3] * x).exp(), (-b[4] * x).exp());
            let row = [1.0, first, second, -b[1] * x * first, -b[2] * x * second];
            row.into_iter().enumerate().for_each(|(j, entry)| jacobian[(i, j)] = entry);
        }
    });
    let certified = 0.5 * 5.464_894_697_5e-5;
    for method in exact().into_iter().chain(learned()).chain(bounded_or_free()) {
        let report = method.minimize(&problem, &set.starts[0]).unwrap().report;
        let above = report.value / certified - 1.0;
        // Two ends of a valley: e^(−b₅x) nothing but for x = 0, f = 1.23e-2, and both terms the same, f = 3.99e-5. What lies above are minima.
        let valley = report.value < 1.3e-2;
        assert!(!(report.reason.is_success() && valley) || above < 1e-6, "{above:e}: {report}");
    }
}

#[test]
fn a_unit_that_died_is_no_minimum() {
    // v·tanh(w·x + b) + c with a ridge on v and w: at v = w = 0 nothing depends on b, and at b = 20 tanh′ is so small that the Hessian is
    // positive semidefinite. At b = 0 it has the eigenvalue of the line that fits best.
    let x: Vec<f64> = (-8..9).map(|i| 0.125 * f64::from(i)).collect();
    let y: Vec<f64> = x.iter().map(|x| (2.0 * x).sin()).collect();
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let network = Network::mlp([1, 1, 1], Activation::Tanh);
    let unit = Risk::new(network.graph().unwrap(), &data, SquaredError, Ridge(1e-3)).unwrap();
    let mut refused = 0;
    for method in exact().into_iter().chain(learned()).chain(bounded_or_free()) {
        let report = method.minimize(&unit, &[0.0, 20.0, 0.0, 0.1]).unwrap().report;
        // The offset's sentence, residuals orthogonal to the columns of J, is true of a saddle too.
        let claims = report.reason.is_success() && report.reason != Reason::OffsetConverged;
        assert!(!claims || report.value < 0.1, "{report}");
        refused += u32::from(report.notes.iter().any(|note| note.contains("without effect on f")));
    }
    assert!(refused >= 10, "{refused}");

    // `Auto` goes on from the lower point, and its books with it.
    let (solution, iterates) =
        Method::auto().minimize_recorded(&unit, &[0.0, 20.0, 0.0, 0.1]).unwrap();
    let report = &solution.report;
    assert!(report.reason.is_success() && report.value < 0.1, "{report}");
    assert_eq!(unit.value(&solution.theta), report.value);
    assert_eq!(iterates.points().len(), report.trace.len());
    for (point, entry) in iterates.points().zip(&report.trace) {
        assert_eq!(unit.value(point), entry.value, "{report}");
    }
    let counted: Vec<u64> = report.trace.iter().map(|entry| entry.iteration).collect();
    assert!(counted.is_sorted_by(|one, next| one < next), "{counted:?}");
    let end = report.trace.last().unwrap();
    assert_eq!((end.iteration, end.work), (report.iterations, report.evaluations));
}

#[test]
fn a_second_look_costs_a_linearisation_and_a_hessian() {
    let start = [-1.2, 1.0, 0.5];
    // f = (1 − x)² + 100(y − x²)² + ½z² + 1, with a minimum that leaves no doubt.
    let valley = || {
        Function::new(
            3,
            |p, g| {
                let (a, b) = (1.0 - p[0], p[1] - p[0] * p[0]);
                (g[0], g[1], g[2]) = (-2.0 * a - 400.0 * b * p[0], 200.0 * b, p[2]);
                a * a + 100.0 * b * b + 0.5 * p[2] * p[2] + 1.0
            },
            |p| {
                let xx = 2.0 - 400.0 * (p[1] - 3.0 * p[0] * p[0]);
                let xy = -400.0 * p[0];
                let rows = [[xx, xy, 0.0], [xy, 200.0, 0.0], [0.0, 0.0, 1.0]];
                Mat::from_fn(3, 3, |i, j| rows[i][j])
            },
        )
    };
    let alone = minimize(&valley(), Bfgs::default(), &start).unwrap().report;
    let report = Method::from(Bfgs::default()).minimize(&valley(), &start).unwrap().report;
    assert_eq!((report.reason, report.value), (alone.reason, alone.value), "{report}");
    let looked = Evaluations {
        linearize: alone.evaluations.linearize + 1,
        hessian: alone.evaluations.hessian + 1,
        ..alone.evaluations
    };
    assert_eq!(report.evaluations, looked);
    // A gradient in its own units is the user's word, and nothing is asked of it.
    let stopping = Stopping { gradient_absolute: 1e-3, ..Stopping::default() };
    let own = Bfgs::default().with_stopping(stopping);
    let alone = minimize(&valley(), own.clone(), &start).unwrap().report;
    let report = Method::from(own).minimize(&valley(), &start).unwrap().report;
    assert_eq!(report.evaluations, alone.evaluations);
}

/// x^m·e^(x/c) through √x·e^(x/2), x = 0 … 9: where m < 0 there is no first residual, and from here m runs against zero.
fn power_and_exponential() -> LeastSquaresFn<'static> {
    let x = |i: usize| i as f64;
    LeastSquaresFn::new(2, 10, move |b: &[f64], r: &mut [f64]| {
        for (i, r) in r.iter_mut().enumerate() {
            *r = x(i).powf(b[0]) * (x(i) / b[1]).exp() - x(i).sqrt() * (0.5 * x(i)).exp();
        }
    })
    .with_jacobian(move |b: &[f64], mut jacobian| {
        for i in 0..10 {
            let at = x(i).powf(b[0]) * (x(i) / b[1]).exp();
            jacobian[(i, 0)] = if i == 0 { 0.0 } else { at * x(i).ln() };
            jacobian[(i, 1)] = -at * x(i) / (b[1] * b[1]);
        }
    })
}

#[test]
fn the_edge_of_the_domain_is_no_rounding_floor() {
    for start in [[0.1, 1.0], [0.5, 1.0], [0.2, 3.0]] {
        for method in [LevenbergMarquardt::default().into(), Method::auto()] {
            let report = method.minimize(&power_and_exponential(), &start).unwrap().report;
            assert!(!report.reason.is_success() || report.value < 1e-12, "{report}");
            let told = report.notes.iter().any(|note| note.contains("where residuals are finite"));
            assert!(told || report.reason.is_success(), "{report}");
        }
        // Within bounds the edge can be gone along.
        let bounds = Bounds::new(vec![0.0, 0.1], vec![f64::INFINITY; 2]).unwrap();
        let method = BoundedLevenbergMarquardt::new(bounds);
        let report = minimize(&power_and_exponential(), method, &start).unwrap().report;
        assert!(report.value < 1e-12, "{report}");
    }
}
