//! The first-order formulae against recursions written out for one parameter.

use crate::common::{Function, quadratic};
use secant_optim::{
    AdaGrad, Adadelta, Adam, GradientDescent, Method, Momentum, Nesterov, Reason, RmsProp,
    Stopping, minimize,
};

const STEPS: i32 = 7;

/// f′ of f(x) = x⁴/4 + x²
fn slope(x: f64) -> f64 {
    x.powi(3) + 2.0 * x
}

/// The value at every iterate of a run on two copies of f, from (1.5, −0.5).
fn values(method: Method) -> Vec<f64> {
    let function = Function::new(
        2,
        |x, g| {
            for (g, x) in g.iter_mut().zip(x) {
                *g = slope(*x);
            }
            x.iter().map(|x| 0.25 * x.powi(4) + x * x).sum()
        },
        |_| faer::Mat::zeros(2, 2),
    );
    let stopping = Stopping {
        gradient_tolerance: 0.0,
        max_iterations: STEPS.unsigned_abs().into(),
        ..Stopping::default()
    };
    let report = method.with_stopping(stopping).minimize(&function, &[1.5, -0.5]).unwrap().report;
    assert_eq!(report.reason, Reason::MaxIterations);
    assert_eq!(function.calls.get(), report.iterations + 1, "one evaluation per step");
    report.trace.iter().map(|entry| entry.value).collect()
}

/// Compares with iterates x₀, x₁, … of one parameter.
fn check(method: Method, iterates: impl Fn(f64) -> Vec<f64>) {
    let name = method.name();
    let (a, b) = (iterates(1.5), iterates(-0.5));
    let found = values(method);
    assert_eq!(found.len(), a.len());
    for (k, value) in found.iter().enumerate() {
        let f = |x: f64| 0.25 * x.powi(4) + x * x;
        let expected = f(a[k]) + f(b[k]);
        assert!((value - expected).abs() < 1e-13 * expected, "{name}, iterate {k}");
    }
}

#[test]
fn gradient_descent() {
    check(GradientDescent::fixed(0.1).into(), |mut x| {
        let mut path = vec![x];
        for _ in 0..STEPS {
            x -= 0.1 * slope(x);
            path.push(x);
        }
        path
    });
}

#[test]
fn momentum() {
    check(Momentum::default().with_rate(0.05).with_momentum(0.8).into(), |mut x| {
        let (mut v, mut path) = (0.0, vec![x]);
        for _ in 0..STEPS {
            v = 0.8 * v - 0.05 * slope(x);
            x += v;
            path.push(x);
        }
        path
    });
}

#[test]
fn nesterov_reports_the_point_ahead() {
    check(Nesterov::default().with_rate(0.05).with_momentum(0.8).into(), |mut x| {
        // Goodfellow et al. algorithm 8.3 as printed: gradient at x + μv.
        let (mut v, mut path) = (0.0, vec![x]);
        for _ in 0..STEPS {
            v = 0.8 * v - 0.05 * slope(x + 0.8 * v);
            x += v;
            path.push(x + 0.8 * v);
        }
        path
    });
}

#[test]
fn adagrad() {
    check(AdaGrad::default().with_rate(0.2).into(), |mut x| {
        let (mut r, mut path) = (0.0, vec![x]);
        for _ in 0..STEPS {
            let g = slope(x);
            r += g * g;
            x -= 0.2 / (1e-7 + f64::sqrt(r)) * g;
            path.push(x);
        }
        path
    });
}

#[test]
fn rmsprop() {
    check(RmsProp::default().with_rate(0.02).with_decay(0.7).into(), |mut x| {
        let (mut r, mut path) = (0.0, vec![x]);
        for _ in 0..STEPS {
            let g = slope(x);
            r = 0.7 * r + 0.3 * g * g;
            x -= 0.02 * g / f64::sqrt(1e-6 + r);
            path.push(x);
        }
        path
    });
}

#[test]
fn adadelta() {
    check(Adadelta::default().with_decay(0.9).into(), |mut x| {
        let (mut r, mut d, mut path) = (0.0, 0.0, vec![x]);
        for _ in 0..STEPS {
            let g = slope(x);
            r = 0.9 * r + 0.1 * g * g;
            let step = -(f64::sqrt(d + 1e-6) / f64::sqrt(r + 1e-6)) * g;
            d = 0.9 * d + 0.1 * step * step;
            x += step;
            path.push(x);
        }
        path
    });
}

#[test]
fn adam_corrects_the_bias_by_one_minus_rho_to_the_t() {
    check(Adam::default().with_rate(0.05).into(), |mut x| {
        let (mut s, mut r, mut path) = (0.0, 0.0, vec![x]);
        for t in 1..=STEPS {
            let g = slope(x);
            s = 0.9 * s + 0.1 * g;
            r = 0.999 * r + 0.001 * g * g;
            let (s_hat, r_hat) = (s / (1.0 - 0.9_f64.powi(t)), r / (1.0 - 0.999_f64.powi(t)));
            x -= 0.05 * s_hat / (r_hat.sqrt() + 1e-8);
            path.push(x);
        }
        path
    });
}

#[test]
fn adams_first_step_is_the_rate_whatever_the_gradient() {
    let found = values(Adam::default().with_rate(0.1).into());
    let f = |x: f64| 0.25 * x.powi(4) + x * x;
    assert!((found[1] - f(1.4) - f(-0.4)).abs() < 1e-7);
}

#[test]
fn a_rate_too_small_is_a_stall_and_no_success() {
    // Every step rounds away; and a valley so flat that the steps along it show in no digit of the value.
    let bowl = quadratic(faer::mat![[1.0, 0.0], [0.0, 1.0]], vec![0.0; 2], 0.0);
    let solution = minimize(&bowl, GradientDescent::fixed(1e-18), &[1.0, 1.0]).unwrap();
    assert_eq!(solution.report.reason, Reason::Stalled);
    let valley = quadratic(faer::mat![[1.0, 0.0], [0.0, 1e-14]], vec![0.0; 2], 1.0);
    let solution = minimize(&valley, GradientDescent::fixed(1.0), &[1.0, 1e6]).unwrap();
    assert_eq!(solution.report.reason, Reason::Stalled);
    assert!(!solution.report.reason.is_success() && solution.report.value > 1.004);
}

#[test]
fn a_crawl_of_gradient_descent_by_line_search_is_a_stall_too() {
    // 5e-9 are left to gain in the flat direction, no single step of which shows in f = 1000.
    let bowl = quadratic(faer::mat![[1.0, 0.0], [0.0, 1e-8]], vec![0.0; 2], 1e3);
    let stopping = Stopping { gradient_tolerance: 0.0, ..Stopping::default() };
    let solver = GradientDescent::default().with_stopping(stopping);
    let solution = minimize(&bowl, solver, &[1.0, 1.0]).unwrap();
    assert_eq!(solution.report.reason, Reason::Stalled, "{}", solution.report);
}

/// Heavy momentum swings through the minimum and out again: the best point lies in the middle of the run.
#[test]
fn the_best_point_comes_back_from_a_run_that_moves_on() {
    let f = |x: &[f64]| x.iter().map(|x| 0.25 * x.powi(4) + x * x).sum::<f64>();
    let function = Function::new(
        2,
        |x, g| {
            for (g, x) in g.iter_mut().zip(x) {
                *g = slope(*x);
            }
            x.iter().map(|x| 0.25 * x.powi(4) + x * x).sum()
        },
        |_| faer::Mat::zeros(2, 2),
    );
    for steps in 1..40 {
        let stopping =
            Stopping { gradient_tolerance: 0.0, max_iterations: steps, ..Stopping::default() };
        let solver = Momentum::new().with_rate(0.05).with_momentum(0.97).with_stopping(stopping);
        let solution = minimize(&function, solver, &[1.5, -0.5]).unwrap();
        let report = &solution.report;
        let least = report.trace.iter().map(|entry| entry.value).fold(f64::INFINITY, f64::min);
        assert_eq!((f(&solution.theta), report.value), (least, least), "{steps} steps");
        let at = report.trace.iter().position(|entry| entry.value == least).unwrap();
        assert_eq!(report.best_iteration, at as u64);
    }
}
