//! Where f ends, jumps, has no derivative or no digits left: no success is claimed that is none, and no failure.

use crate::common::Function;
use faer::Mat;
use secant_core::problem::Objective;
use secant_optim::line_search::{Backtracking, HagerZhang};
use secant_optim::{
    AdaGrad, Adadelta, Adam, AdamW, AdaptiveCubic, Auto, Bfgs, BoundedLevenbergMarquardt, Bounds,
    GaussNewton, GradientDescent, HessianKind, L1, Lbfgs, LbfgsB, LeastSquaresFn,
    LevenbergMarquardt, Method, Modification, Momentum, Nesterov, Newton, NewtonCg, NonlinearCg,
    OwlQn, Preconditioner, ProximalNewton, Reason, RegularizedNewton, RmsProp, Safeguard, Sr1,
    Subproblem, Tron, TrustRegion, Update,
};

fn wide(n: usize) -> Bounds {
    Bounds::new(vec![-1e3; n], vec![1e3; n]).unwrap()
}

/// Methods that see curvature, exact or learnt, without residuals.
fn curved(n: usize) -> Vec<Method> {
    let mut methods: Vec<Method> = vec![
        Newton::default().into(),
        Newton::default().with_modification(Modification::TurnedSigns).into(),
        Newton::default().with_curvature(HessianKind::GaussNewton).into(),
        RegularizedNewton::default().into(),
        TrustRegion::default().with_history(5).into(),
        AdaptiveCubic::default().into(),
        NewtonCg::default().into(),
        NewtonCg::default().with_preconditioner(Preconditioner::Jacobi).into(),
        NewtonCg::default().with_warm_start(true).with_backtrack(true).into(),
        Bfgs::default().with_search(HagerZhang::default()).into(),
        Bfgs::default().with_search(Backtracking::default()).into(),
        Bfgs::default().with_safeguard(Safeguard::Cautious).into(),
        Lbfgs::default().into(),
        Lbfgs::default().with_search(HagerZhang::default()).into(),
        Lbfgs::default().with_search(Backtracking::default()).into(),
        Lbfgs::default().with_safeguard(Safeguard::Damped).into(),
        Sr1::default().into(),
        NonlinearCg::default().into(),
        GradientDescent::default().into(),
        OwlQn::new(L1::new(0.0)).into(),
        OwlQn::new(L1::new(0.01)).into(),
        ProximalNewton::new(L1::new(0.0)).into(),
        ProximalNewton::new(L1::new(0.01)).into(),
        LbfgsB::new(wide(n)).into(),
        Tron::new(wide(n)).into(),
        Method::auto(),
        Auto::new().with_l1(L1::new(0.01)).into(),
        Auto::new().with_bounds(wide(n)).into(),
    ];
    for subproblem in [
        Subproblem::Gltr,
        Subproblem::Steihaug,
        Subproblem::Exact,
        Subproblem::ScaledExact,
        Subproblem::Dogleg,
    ] {
        methods.push(TrustRegion::default().with_subproblem(subproblem).into());
    }
    for update in [Update::Bfgs, Update::Dfp, Update::SelfScaledBfgs, Update::SelfScaledBroyden] {
        methods.push(Bfgs::default().with_update(update).into());
    }
    methods
}

fn stepping(rate: f64) -> Vec<Method> {
    vec![
        GradientDescent::fixed(rate).into(),
        Momentum::default().with_rate(rate).into(),
        Nesterov::default().with_rate(rate).into(),
        AdaGrad::default().with_rate(rate).into(),
        RmsProp::default().with_rate(rate).into(),
        Adadelta::default().into(),
        Adam::default().with_rate(rate).into(),
        AdamW::default().with_rate(rate).into(),
    ]
}

/// Σ½(xᵢ − 3)², and `beyond` where xᵢ > 2.
fn walled(beyond: f64) -> Function {
    Function::new(
        2,
        move |x, g| {
            let mut value = 0.0;
            for (x, g) in x.iter().zip(g) {
                *g = x - 3.0;
                value += 0.5 * *g * *g;
            }
            if x.iter().any(|x| *x > 2.0) { beyond } else { value }
        },
        |_| Mat::identity(2, 2),
    )
}

#[test]
fn the_edge_of_a_domain_is_no_minimum_and_the_best_point_before_it_comes_back() {
    for beyond in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for method in curved(2).into_iter().chain(stepping(0.1)) {
            let name = format!("{method:?}");
            let function = walled(beyond);
            let solution = method.minimize(&function, &[0.0, 1.0]).unwrap();
            let report = &solution.report;
            assert!(!report.reason.is_success(), "{beyond} {name} {report}");
            assert!(solution.theta.iter().all(|x| *x <= 2.0), "{name} {report}");
            assert!(report.value.is_finite() && report.value < 6.5, "{name} {report}");
            assert!(function.value(&solution.theta) <= report.value, "{name} {report}");
        }
    }
}

#[test]
fn the_edge_of_the_domain_of_residuals_is_no_minimum() {
    let methods: [Method; 2] =
        [GaussNewton::default().into(), BoundedLevenbergMarquardt::new(wide(2)).into()];
    for method in methods {
        let residuals = |x: &[f64], r: &mut [f64]| {
            for (x, r) in x.iter().zip(r) {
                *r = if *x > 2.0 { f64::NAN } else { x - 3.0 };
            }
        };
        let problem = LeastSquaresFn::new(2, 2, residuals)
            .with_jacobian(|_, mut j| j.copy_from(Mat::<f64>::identity(2, 2)));
        let solution = method.minimize(&problem, &[0.0, 1.0]).unwrap();
        assert!(!solution.report.reason.is_success(), "{}", solution.report);
        assert!(solution.report.value < 2.5, "{}", solution.report);
    }
}

#[test]
fn a_method_that_is_not_monotone_gives_a_reason_that_holds_for_the_point_it_returns() {
    for method in stepping(0.05) {
        // The way to the minimum of the parabola leads over a jump.
        let function = Function::new(
            1,
            |x, g| {
                g[0] = 2.0 * (x[0] - 1.0);
                (x[0] - 1.0).powi(2) + if x[0] > 0.5 { 10.0 } else { 0.0 }
            },
            |_| faer::mat![[2.0]],
        );
        let solution = method.minimize(&function, &[-1.0]).unwrap();
        let report = &solution.report;
        assert!(solution.theta[0] <= 0.5 && report.gradient.max >= 1.0, "{report}");
        assert!(!report.reason.is_success(), "{report}");
    }
}

/// ln Σ e^(xᵢ) − mean of x, whose minimum is at 0, with a gradient that is wrong there by the rounding of one.
fn rounded_softmax() -> Function {
    Function::new(
        4,
        |x, g| {
            let sum: f64 = x.iter().map(|x| x.exp()).sum();
            for (k, (x, g)) in x.iter().zip(g).enumerate() {
                let rounding = [2e-17, -1e-17, 3e-17, -2e-17][k];
                *g = x.exp() / sum - 0.25 + rounding;
            }
            sum.ln() - 0.25 * x.iter().sum::<f64>()
        },
        |x| {
            let sum: f64 = x.iter().map(|x| x.exp()).sum();
            let p: Vec<f64> = x.iter().map(|x| x.exp() / sum).collect();
            Mat::from_fn(4, 4, |i, j| if i == j { p[i] - p[i] * p[i] } else { -p[i] * p[j] })
        },
    )
}

#[test]
fn a_start_that_is_the_minimum_to_the_last_digit_is_no_failure() {
    for method in curved(4) {
        // L1 moves the minimum nowhere, and its own test is met at once; a search along −∇f alone may also call it a stall.
        let name = format!("{method:?}");
        let solution = method.minimize(&rounded_softmax(), &[0.0; 4]).unwrap();
        let report = &solution.report;
        let ended = report.reason.is_success() || report.reason == Reason::Stalled;
        assert!(ended, "{name} {report}");
        // Along (1, …, 1) nothing changes but f's rounding.
        assert!((report.value - 4.0_f64.ln()).abs() <= 1e-14, "{name} {report}");
    }
}

#[test]
fn a_start_where_no_residual_has_a_derivative_is_no_success() {
    let methods: [Method; 3] = [
        GaussNewton::default().into(),
        LevenbergMarquardt::default().into(),
        BoundedLevenbergMarquardt::new(wide(3)).into(),
    ];
    for method in methods {
        // A peak of width 0 between the points.
        let problem = LeastSquaresFn::new(3, 5, |t, r| {
            for (i, r) in r.iter_mut().enumerate() {
                *r = t[0] * (-0.5 * ((i as f64 - t[1]) / t[2]).powi(2)).exp() - 1.0;
            }
        });
        let solution = method.minimize(&problem, &[1.0, 1.3, 0.0]).unwrap();
        // Differences may find the way to a width without end, where the fit is exact.
        let report = &solution.report;
        assert!(report.reason == Reason::NoCurvature || report.value < 1e-9, "{report}");
    }
}

#[test]
fn gradients_whose_squares_overflow_are_followed_by_conjugate_gradients() {
    let methods: [Method; 3] = [
        NewtonCg::default().into(),
        NewtonCg::default().with_warm_start(true).with_backtrack(true).into(),
        TrustRegion::default().with_subproblem(Subproblem::Steihaug).into(),
    ];
    for method in methods {
        for exponent in [-120, 103, 120, 150] {
            let unit = 10.0_f64.powi(exponent);
            let function = Function::new(
                3,
                move |x, g| {
                    let mut value = 0.0;
                    for (k, (x, g)) in x.iter().zip(g).enumerate() {
                        let (weight, d) = (unit * (k as f64 + 1.0), x - 1.0 - k as f64);
                        *g = weight * (d + d * d * d);
                        value += weight * (0.5 * d * d + 0.25 * d * d * d * d);
                    }
                    value
                },
                move |x| {
                    Mat::from_fn(3, 3, |i, j| {
                        let d = x[i] - 1.0 - i as f64;
                        if i == j { unit * (i as f64 + 1.0) * (1.0 + 3.0 * d * d) } else { 0.0 }
                    })
                },
            );
            let solution = method.clone().minimize(&function, &[0.5, 1.0, 2.0]).unwrap();
            assert!(solution.report.reason.is_converged(), "1e{exponent} {}", solution.report);
            for (k, x) in solution.theta.iter().enumerate() {
                assert!((x - 1.0 - k as f64).abs() < 1e-6, "1e{exponent} {}", solution.report);
            }
        }
    }
}

/// Mean of e^z − y·z, z = a + b·x, at 20 points with counts from `least` to 1.95 times that.
fn poisson(least: f64) -> Function {
    let points: Vec<(f64, f64)> =
        (0..20).map(|i| (f64::from(i), least * (1.0 + 0.05 * f64::from(i)))).collect();
    let same = points.clone();
    Function::new(
        2,
        move |t, g| {
            g.fill(0.0);
            let mut value = 0.0;
            for (x, y) in &points {
                let z = t[0] + t[1] * x;
                value += (z.exp() - y * z) / 20.0;
                g[0] += (z.exp() - y) / 20.0;
                g[1] += (z.exp() - y) * x / 20.0;
            }
            value
        },
        move |t| {
            let mut h = Mat::zeros(2, 2);
            for (x, _) in &same {
                let weight = (t[0] + t[1] * x).exp() / 20.0;
                for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    h[(i, j)] += weight * [1.0, *x][i] * [1.0, *x][j];
                }
            }
            h
        },
    )
}

#[test]
fn counts_of_any_size_are_fitted_from_zero() {
    for least in [1.0, 100.0, 1e4, 1e10] {
        let reference = minimum(&poisson(least));
        let methods: [Method; 5] = [
            RegularizedNewton::default().into(),
            Lbfgs::default().into(),
            Lbfgs::default().with_search(HagerZhang::default()).into(),
            Bfgs::default().into(),
            Bfgs::default().with_update(Update::SelfScaledBroyden).into(),
        ];
        for method in methods {
            let solution = method.minimize(&poisson(least), &[0.0; 2]).unwrap();
            let report = &solution.report;
            assert!(report.reason.is_success(), "{least} {report}");
            let gap = report.value - reference;
            assert!(gap.abs() <= 1e-9 * reference.abs(), "{least} {gap:e} {report}");
        }
    }
}

/// The minimum by a method that guesses no length.
fn minimum(function: &Function) -> f64 {
    let solution = Method::from(Newton::default()).minimize(function, &[0.0; 2]).unwrap();
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    solution.report.value
}
