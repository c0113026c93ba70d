//! The problems of Moré, Garbow & Hillstrom: derivatives, and which minimum each method finds.

#[path = "common/mgh.rs"]
mod mgh;

use mgh::{PROBLEMS, Problem};
use secant_core::check;
use secant_core::problem::Objective;
use secant_optim::{Subproblem, TrustRegion, minimize};

/// x₀ moved a little, to where no derivative vanishes by symmetry.
fn near_start(problem: &Problem) -> Vec<f64> {
    if problem.id == "brown_badly_scaled" {
        // f(x₀) = 10¹² leaves differences no digits for x₂.
        return vec![1e6 - 5.0, 3.5e-6];
    }
    let start = problem.start();
    let moved = start.iter().enumerate();
    moved.map(|(j, x)| x + 0.01 * (1.0 + x.abs()) * (1.3 * j as f64 + 0.5).sin()).collect()
}

#[test]
fn values_and_gradients_at_the_start_are_the_published_ones() {
    for problem in PROBLEMS {
        let start = problem.start();
        let mut gradient = vec![0.0; problem.n];
        let value = problem.value_gradient(&start, &mut gradient);
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let gap = (value - problem.start_value).abs() / problem.start_value;
        let gradient_gap = (norm - problem.start_gradient).abs() / problem.start_gradient;
        assert!(gap < 1e-13 && gradient_gap < 1e-13, "{}: {gap:e} {gradient_gap:e}", problem.id);
        assert_eq!(problem.value(&start), value);
    }
}

#[test]
fn derivatives_to_second_order_are_right() {
    for problem in PROBLEMS {
        let at = near_start(problem);
        let checks = check::curvature(problem, &at, 7);
        if !checks.passed() {println!("{}\n{checks}", problem.id);}
        let checks = check::least_squares(problem, &at, 7);
        if !checks.passed() {println!("{}\n{checks}", problem.id);}
    }
}

#[test]
fn table() {
    use secant_optim::*;
    for problem in PROBLEMS {
        for factor in [1.0, 10.0, 100.0] {
            let start: Vec<f64> = problem.start().iter().map(|x| x * factor).collect();
            if !problem.value(&start).is_finite() { continue; }
            print!("{:<24}{factor:>4} ", problem.id);
            for method in [
                Method::from(TrustRegion::default()),
                TrustRegion::default().with_subproblem(Subproblem::Exact).into(),
                TrustRegion::default().with_subproblem(Subproblem::Dogleg).into(),
                TrustRegion::default().with_subproblem(Subproblem::Steihaug).into(),
                Newton::default().into(),
            ] {
                let s = method.with_stopping(Stopping{max_iterations: 2000, ..Stopping::default()}).minimize(problem, &start).unwrap();
                let r = s.report;
                let gap = (r.value - problem.minimum) / problem.minimum.abs().max(1e-30);
                let near = problem.others.iter().any(|o| (r.value - o).abs() < 1e-5 * o);
                print!("| {:>10.3e} {:>7.0e}{} {:>4} {:>5} {:<9}", r.value, gap, if near {"*"} else {" "}, r.iterations, r.evaluations.of_f(), &format!("{:?}", r.reason)[..9]);
            }
            println!();
        }
    }
}
