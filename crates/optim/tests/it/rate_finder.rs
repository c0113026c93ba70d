//! The learning-rate finder: it finds the best rate of a quadratic, and says where it did not.

use crate::common::{Function, quadratic};
use secant_optim::{
    Adadelta, Adam, GradientDescent, Lbfgs, Method, OptimError, RateFinder, RateTried, Reason,
    Stopping,
};

/// ½·Σ λᵢxᵢ² with λ = 1 and 9.
fn bowl() -> Function {
    quadratic(faer::mat![[1.0, 0.0], [0.0, 9.0]], vec![0.0; 2], 0.0)
}

fn budget(max_iterations: u64) -> Stopping {
    Stopping { max_iterations, gradient_tolerance: 0.0, ..Stopping::default() }
}

fn descent(stopping: Stopping) -> Method {
    GradientDescent::fixed(1.0).with_stopping(stopping).into()
}

#[test]
fn gradient_descent_gets_the_rate_that_theory_names() {
    // Best fixed rate 2/(λmin + λmax) = 0.2; stable below 2/9.
    let finder = RateFinder { refinements: 4, ..RateFinder::default() };
    let found = finder.full_batch(&descent(budget(30)), &bowl(), &[1.0, 1.0]).unwrap();
    let rate = found.rate().unwrap();
    assert!((0.18..0.22).contains(&rate), "{found:?}");
    assert!(!found.at_edge);
    assert!(found.tried.is_sorted_by(|a, b| a.rate < b.rate));
    for tried in &found.tried {
        assert_eq!(tried.diverged(), tried.rate > 2.0 / 9.0, "{tried:?}");
    }
    let (_, solution) = found.best.unwrap();
    let least = found.tried.iter().map(|tried| tried.value).fold(f64::INFINITY, f64::min);
    assert_eq!(solution.report.value, least);
}

#[test]
fn the_range_grows_beyond_an_edge_and_says_when_it_may_not() {
    let narrow =
        |growth| RateFinder { lowest: 1e-3, highest: 1e-2, growth, ..RateFinder::default() };
    let (method, start) = (descent(budget(30)), [1.0, 1.0]);
    let found = narrow(6).full_batch(&method, &bowl(), &start).unwrap();
    assert!(found.rate().unwrap() > 0.1 && !found.at_edge, "{found:?}");
    let found = narrow(0).full_batch(&method, &bowl(), &start).unwrap();
    assert!(found.at_edge && found.rate().unwrap() > 9e-3, "{found:?}");
    // Downwards, where the first range diverges throughout.
    let high = RateFinder { lowest: 10.0, highest: 100.0, ..RateFinder::default() };
    let found = high.full_batch(&method, &bowl(), &start).unwrap();
    assert!(found.rate().is_some_and(|rate| rate < 2.0 / 9.0), "{found:?}");
}

#[test]
fn a_search_in_which_every_run_diverges_finds_no_rate() {
    let finder = RateFinder { lowest: 1.0, highest: 10.0, growth: 0, ..RateFinder::default() };
    let found = finder.full_batch(&descent(budget(5000)), &bowl(), &[1.0, 1.0]).unwrap();
    assert!(found.best.is_none() && found.tried.iter().all(RateTried::diverged));
    assert!(found.tried.iter().any(|tried| tried.reason == Reason::NonFiniteValue));
}

#[test]
fn with_a_target_the_fastest_rate_wins() {
    let stopping = Stopping { target: Some(1e-6), ..budget(1000) };
    let finder = RateFinder::default();
    let found = finder.full_batch(&descent(stopping), &bowl(), &[1.0, 1.0]).unwrap();
    let (rate, solution) = found.best.unwrap();
    let arrived = || found.tried.iter().filter(|tried| tried.reason == Reason::TargetReached);
    assert!(arrived().count() > 2);
    assert_eq!(solution.report.iterations, arrived().map(|t| t.iterations).min().unwrap());
    assert!((0.1..2.0 / 9.0).contains(&rate));
}

#[test]
fn the_search_repeats_bit_for_bit_and_never_does_worse_than_a_rate_in_its_grid() {
    let adam: Method = Adam::default().with_stopping(budget(50)).into();
    let run = || RateFinder::default().full_batch(&adam, &bowl(), &[1.0, 0.7]).unwrap();
    let found = run();
    assert_eq!(found.tried, run().tried);
    // 9 rates over four decades, and two for each of two halvings at least, all of them distinct.
    assert!(found.tried.len() >= 13 && found.tried.is_sorted_by(|a, b| a.rate < b.rate));
    let best = found.best.unwrap().1.report.value;
    assert!(found.tried.iter().all(|tried| tried.value >= best));
}

#[test]
fn mistakes_are_errors() {
    let (adam, start) = (Method::from(Adadelta::default()), [1.0, 1.0]);
    for finder in [
        RateFinder { lowest: 0.0, ..RateFinder::default() },
        RateFinder { highest: f64::NAN, ..RateFinder::default() },
        RateFinder { lowest: 2.0, ..RateFinder::default() },
        RateFinder { per_decade: 0, ..RateFinder::default() },
    ] {
        let error = finder.full_batch(&adam, &bowl(), &start).unwrap_err();
        assert!(matches!(error, OptimError::OptionOutOfRange { .. }), "{error}");
    }
    let lbfgs = Method::from(Lbfgs::default());
    let error = RateFinder::default().full_batch(&lbfgs, &bowl(), &start).unwrap_err();
    assert_eq!(error, OptimError::NoRate { solver: "L-BFGS" });
}
