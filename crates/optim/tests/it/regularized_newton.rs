//! Gradient-regularised Newton: counts, convergence where Newton's full steps diverge, ends.

use crate::common::{Draws, Function, logistic, quadratic, rosenbrock, rosenbrock_start, spd};
use secant_optim::{Newton, Reason, RegularizedNewton, Stopping, minimize};

#[test]
fn a_quadratic_takes_one_step_and_one_hessian() {
    let mut draws = Draws(3);
    let a = spd(12, 1e4, &mut draws);
    let function = quadratic(a, draws.vector(12), 2.0);
    let report = minimize(&function, RegularizedNewton::default(), &[1.0; 12]).unwrap().report;
    assert!(report.reason.is_success(), "{report}");
    assert_eq!((report.iterations, report.evaluations.hessian), (1, 1), "{report}");
    assert_eq!(report.evaluations.value_gradient, 2, "{report}");
}

/// √(1 + x²) summed: Newton's full step goes from x to −x³.
fn pseudo_huber(n: usize) -> Function {
    Function::new(
        n,
        |x, g| {
            for (x, g) in x.iter().zip(g) {
                *g = x / (1.0 + x * x).sqrt();
            }
            x.iter().map(|x| (1.0 + x * x).sqrt()).sum()
        },
        move |x| {
            faer::Mat::from_fn(
                n,
                n,
                |i, j| {
                    if i == j { (1.0 + x[i] * x[i]).powf(-1.5) } else { 0.0 }
                },
            )
        },
    )
}

#[test]
fn it_converges_without_a_line_search_where_full_steps_diverge() {
    let start = [30.0, -4.0, 2.0];
    let solution = minimize(&pseudo_huber(3), RegularizedNewton::default(), &start).unwrap();
    let report = &solution.report;
    assert!(report.reason.is_success(), "{report}");
    assert!(crate::common::distance(&solution.theta, &[0.0; 3]) < 1e-6, "{report}");
    assert!(report.notes.iter().any(|note| note.contains("rejected")), "{report}");
    // A trial that is not taken costs no Hessian. It multiplies M by four or more, a step divides it by four, and M does not pass
    // four times the Lipschitz constant of the Hessian, 0.86 here: rejected ≤ steps + 1 + log₄(4·0.86/M₁). The first trial goes
    // from 30 to −30³, past the bend, and measures M₁ = 2/30⁶ there.
    let e = &report.evaluations;
    assert_eq!(e.hessian, report.iterations);
    let first = 2.0 / 30_f64.powi(6);
    let settling = 2.0 + (4.0 * 0.86 / first).log(4.0);
    let trials = (e.value_gradient - 2 * report.iterations) as f64;
    assert!(trials <= settling, "{report}");
    let values: Vec<f64> = report.trace.iter().map(|entry| entry.value).collect();
    assert!(values.is_sorted_by(|a, b| a > b), "{values:?}");
}

#[test]
fn the_end_is_superlinear_and_the_minimum_is_newtons() {
    let function = || logistic(64, 5, 1e-3, 0.5, &mut Draws(11));
    let stopping = Stopping { gradient_tolerance: 1e-13, ..Stopping::default() };
    let solver = RegularizedNewton::default().with_stopping(stopping.clone());
    let ours = minimize(&function(), solver, &[3.0; 5]).unwrap();
    let newton = Newton::default().with_stopping(stopping);
    let newton = minimize(&function(), newton, &[3.0; 5]).unwrap();
    assert!(ours.report.reason.is_success(), "{}", ours.report);
    assert!(crate::common::distance(&ours.theta, &newton.theta) < 1e-9);
    let norms: Vec<f64> = ours.report.trace.iter().map(|entry| entry.gradient_norm).collect();
    let last = norms.len() - 1;
    let rates = |k: usize| norms[k] / norms[k - 1];
    assert!(rates(last) < 0.1 * rates(last - 1).min(1.0), "{norms:?}");
}

#[test]
fn a_hessian_that_is_indefinite_on_the_way_is_shifted() {
    let solution = minimize(&rosenbrock(2), RegularizedNewton::default(), &[0.0, 1.0]).unwrap();
    assert!(solution.report.reason.is_success(), "{}", solution.report);
    assert!(crate::common::distance(&solution.theta, &[1.0; 2]) < 1e-6);
    let start = rosenbrock_start(20);
    let report = minimize(&rosenbrock(20), RegularizedNewton::default(), &start).unwrap().report;
    assert!(report.reason.is_success(), "{report}");
}

#[test]
fn ends_have_their_reasons() {
    let ends = |f: fn(f64) -> [f64; 3], start: f64| {
        let function = Function::new(
            1,
            move |x, g| {
                let [value, slope, _] = f(x[0]);
                g[0] = slope;
                value
            },
            move |x| faer::mat![[f(x[0])[2]]],
        );
        minimize(&function, RegularizedNewton::default(), &[start]).unwrap().report.reason
    };
    assert_eq!(ends(|x| [x, 1.0, 0.0], 1.0), Reason::NoCurvature);
    assert_eq!(ends(|_| [3.0, 0.0, 0.0], 1.0), Reason::GradientConverged);
    assert_eq!(ends(|_| [f64::NAN, 0.0, 0.0], 1.0), Reason::NonFiniteStart);
    assert_eq!(ends(|x| [x * x, 2.0 * x, f64::NAN], 1.0), Reason::NonFiniteCurvature);
    // −ln x + x: not finite beyond a wall that the first step from 3 would cross.
    assert_eq!(ends(|x| [x - x.ln(), 1.0 - 1.0 / x, 1.0 / x / x], 3.0), Reason::GradientConverged);
    // Not finite everywhere but at the start.
    let only = |x: f64| if x == 1.0 { [1.0, 2.0, 1.0] } else { [f64::INFINITY, 0.0, 1.0] };
    assert_eq!(ends(only, 1.0), Reason::NonFiniteValue);
}
