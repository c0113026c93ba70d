//! A report keeps everything through serde, numbers that JSON does not know included, and reads as a block.

use crate::common::{Function, rosenbrock, rosenbrock_start};
use secant_optim::{Lbfgs, Newton, Report, minimize};

fn round_trip(report: &Report) -> Report {
    serde_json::from_str(&serde_json::to_string(report).unwrap()).unwrap()
}

#[test]
fn a_report_survives_json() {
    let report = minimize(&rosenbrock(4), Lbfgs::default(), &rosenbrock_start(4)).unwrap().report;
    assert!(report.trace.len() > 5);
    assert_eq!(round_trip(&report), report);
}

#[test]
fn an_infinite_value_survives_json() {
    let function = Function::new(
        1,
        |_, g| {
            g[0] = f64::NEG_INFINITY;
            f64::INFINITY
        },
        |_| faer::Mat::zeros(1, 1),
    );
    let report = minimize(&function, Newton::default(), &[1.0]).unwrap().report;
    assert_eq!(report.value, f64::INFINITY);
    assert_eq!(round_trip(&report), report);
}

#[test]
fn the_block_says_why_what_and_how_much() {
    let report = minimize(&rosenbrock(2), Newton::default(), &[-1.2, 1.0]).unwrap().report;
    let text = report.to_string();
    for part in [
        "Newton, 2 parameters: converged: the gradient norm met its tolerance",
        "from 2.420000e1",
        &format!("iterations   {}", report.iterations),
        &format!("{} Hessian", report.evaluations.hessian),
        &format!("{} value+gradient", report.evaluations.value_gradient),
    ] {
        assert!(text.contains(part), "`{part}` is missing in\n{text}");
    }
}

#[test]
fn the_trace_tells_the_run() {
    let report = minimize(&rosenbrock(2), Lbfgs::default(), &[-1.2, 1.0]).unwrap().report;
    let (first, last) = (report.trace[0], report.trace[report.trace.len() - 1]);
    assert_eq!((first.iteration, first.evaluations, first.step_length), (0, 1, 0.0));
    assert_eq!(first.value, report.initial_value);
    assert_eq!(first.gradient_norm, report.initial_gradient.max);
    assert_eq!(last.iteration, report.iterations);
    assert_eq!(last.evaluations, report.evaluations.value_gradient);
    for pair in report.trace.windows(2) {
        assert_eq!(pair[1].iteration, pair[0].iteration + 1);
        assert!(pair[1].evaluations > pair[0].evaluations && pair[1].seconds >= pair[0].seconds);
        assert!(pair[1].step_length > 0.0);
    }
}
