//! The line searches on their own: the trials of MINPACK-2, the published tables, the conditions each promises, and what it does
//! with walls, noise and straight lines.

use crate::common::{distance, linear, logistic, rosenbrock, rosenbrock_start};
use secant_optim::line_search::{
    Backtracking, Found, HagerZhang, LineSearch, MAX_GROWTH, StrongWolfe, Trial, hager_zhang,
};
use secant_optim::{Bfgs, Lbfgs, Method, Reason, Stopping};
use serde::Deserialize;

/// Functions 1 to 3 of Moré & Thuente (1994) §5, and their 4 to 6 (Yanai et al.); 7 is a parabola.
fn more_thuente(number: u32, a: f64) -> (f64, f64) {
    let gamma = |beta: f64| (1.0 + beta * beta).sqrt() - beta;
    let yanai = |b1: f64, b2: f64| {
        let left = ((1.0 - a).powi(2) + b2 * b2).sqrt();
        let right = (a * a + b1 * b1).sqrt();
        let value = gamma(b1) * left + gamma(b2) * right;
        (value, -gamma(b1) * (1.0 - a) / left + gamma(b2) * a / right)
    };
    match number {
        1 => (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2)),
        2 => {
            let b = a + 0.004;
            (b.powi(5) - 2.0 * b.powi(4), 5.0 * b.powi(4) - 8.0 * b.powi(3))
        }
        3 => {
            let (b, l) = (0.01, 39.0);
            let base = if a <= 1.0 - b {
                (1.0 - a, -1.0)
            } else if a >= 1.0 + b {
                (a - 1.0, 1.0)
            } else {
                ((a - 1.0).powi(2) / (2.0 * b) + b / 2.0, (a - 1.0) / b)
            };
            let wave = l * std::f64::consts::FRAC_PI_2;
            let height = 2.0 * (1.0 - b) / (l * std::f64::consts::PI);
            (base.0 + height * (wave * a).sin(), base.1 + height * wave * (wave * a).cos())
        }
        4 => yanai(0.001, 0.001),
        5 => yanai(0.01, 0.001),
        6 => yanai(0.001, 0.01),
        7 => ((a - 0.7).powi(2), 2.0 * (a - 0.7)),
        _ => unreachable!("there are seven"),
    }
}

const STARTS: [f64; 4] = [1e-3, 0.1, 10.0, 1e3];

/// What is found, and the trials that led to it.
fn traced(
    search: &LineSearch,
    initial: f64,
    phi: impl Fn(f64) -> (f64, f64),
) -> (Found, Vec<Trial>) {
    let mut trials = Vec::new();
    let (value, slope) = phi(0.0);
    let found = search.search(value, slope, initial, |step| {
        let (value, slope) = phi(step);
        trials.push(Trial { step, value, slope });
        (value, slope)
    });
    (found, trials)
}

fn all() -> [LineSearch; 3] {
    [StrongWolfe::default().into(), HagerZhang::default().into(), Backtracking::default().into()]
}

#[derive(Deserialize)]
struct Reference {
    function: u32,
    backwards: bool,
    decrease: f64,
    curvature: f64,
    start: f64,
    /// α, φ, φ′
    trials: Vec<[f64; 3]>,
}

#[test]
fn strong_wolfe_makes_the_trials_of_minpack_2() {
    let references: Vec<Reference> =
        serde_json::from_str(include_str!("../fixtures/line_search.json")).unwrap();
    assert_eq!(references.len(), 40);
    for reference in references {
        let Reference { function, backwards, decrease, curvature, start, trials } = reference;
        let search = StrongWolfe { decrease, curvature, ..StrongWolfe::default() };
        search.validate().unwrap();
        let phi = |a: f64| {
            if !backwards {
                return more_thuente(function, a);
            }
            let (value, slope) = more_thuente(function, 1.0 - a);
            (value, -slope)
        };
        let (found, ours) = traced(&search.into(), start, phi);
        let label = format!("function {function}, backwards {backwards}, from {start}");
        assert!(matches!(found, Found::Accepted(_)), "{label}: {found:?}");
        assert_eq!(ours.len(), trials.len(), "{label}: {ours:?}");
        for (ours, [step, value, slope]) in ours.iter().zip(&trials) {
            // φ′ steep in α makes of the last bits of one trial more in the next.
            assert!((ours.step - step).abs() <= 1e-9 * step, "{label}: {ours:?} {step}");
            assert!((ours.value - value).abs() <= 1e-9 * (1.0 + value.abs()), "{label}");
            assert!((ours.slope - slope).abs() <= 1e-6 * (1.0 + slope.abs()), "{label}");
        }
    }
}

/// Trials, α and φ′(α) of tables I to VI of Moré & Thuente (1994), to the two digits printed.
type Row = (usize, f64, f64);
const TABLES: [(f64, f64, [Row; 4]); 6] = [
    (1e-3, 0.1, [(6, 1.4, -9.2e-3), (3, 1.4, 4.7e-3), (1, 10.0, 9.4e-3), (4, 37.0, 7.3e-4)]),
    (0.1, 0.1, [(12, 1.6, 7.1e-9), (8, 1.6, 1e-10), (8, 1.6, -5.0e-9), (11, 1.6, -2.3e-8)]),
    (0.1, 0.1, [(12, 1.0, -5.1e-5), (12, 1.0, -1.9e-4), (10, 1.0, -2.0e-6), (13, 1.0, -1.6e-5)]),
    (1e-3, 1e-3, [(4, 0.08, -6.9e-5), (1, 0.10, -4.9e-5), (3, 0.35, -2.9e-6), (4, 0.83, 1.6e-5)]),
    (1e-3, 1e-3, [(6, 0.075, 1.9e-4), (3, 0.078, 7.4e-4), (7, 0.073, -2.6e-4), (8, 0.076, 4.5e-4)]),
    (1e-3, 1e-3, [(13, 0.93, 5.2e-4), (11, 0.93, 8.4e-5), (8, 0.92, -2.4e-4), (11, 0.92, -3.2e-4)]),
];

#[test]
fn strong_wolfe_reproduces_the_tables_of_more_and_thuente() {
    for (number, (decrease, curvature, rows)) in (1..).zip(TABLES) {
        let search = StrongWolfe { decrease, curvature, ..StrongWolfe::default() };
        for (start, (count, step, slope)) in STARTS.into_iter().zip(rows) {
            let (found, trials) = traced(&search.into(), start, |a| more_thuente(number, a));
            let Found::Accepted(at) = found else { panic!("{number} {start}: {found:?}") };
            assert_eq!(trials.len(), count, "function {number} from {start}");
            // One unit of the second digit: the paper prints 0.08 for 0.085.
            let digit = |x: f64| 10_f64.powf(x.abs().log10().floor() - 1.0);
            let one_digit = step == 0.08;
            let unit = if one_digit { 10.0 * digit(step) } else { 0.55 * digit(step) };
            assert!((at.step - step).abs() <= unit, "{number} {start}: {at:?}");
            // The last slopes of function 2 are rounding: 7.1e-9 in the paper, 3.8e-9 by MINPACK-2 today.
            let unit = if number == 2 { 4e-9 } else { 0.55 * digit(slope) };
            assert!((at.slope - slope).abs() <= unit, "{number} {start}: {at:?}");
        }
    }
}

/// T1 or T2 of Hager & Zhang (2005).
fn is_wolfe(search: &HagerZhang, value: f64, slope: f64, at: Trial) -> bool {
    let decreases = at.value - value <= search.decrease * at.step * slope;
    let approximate = at.value <= value + search.noise * value.abs()
        && at.slope <= (2.0 * search.decrease - 1.0) * slope;
    at.slope >= search.curvature * slope && (decreases || approximate)
}

#[test]
fn hager_zhang_ends_on_wolfe_points_and_never_leaps() {
    // Most trials per function from any of the four starts.
    let most = [6, 19, 8, 8, 8, 8];
    for (number, most) in (1..).zip(most) {
        for curvature in [0.9, 0.1] {
            let options = HagerZhang { curvature, ..HagerZhang::default() };
            for start in STARTS {
                let phi = |a| more_thuente(number, a);
                let (found, trials) = traced(&options.into(), start, phi);
                let label = format!("function {number} from {start}, σ = {curvature}: {trials:?}");
                let Found::Accepted(at) = found else { panic!("{label}") };
                let (value, slope) = phi(0.0);
                assert!(is_wolfe(&options, value, slope, at), "{label}");
                assert_eq!(trials[0].step, start);
                let mut farthest = start;
                for trial in &trials {
                    assert!(trial.step <= hager_zhang::EXPANSION * farthest, "{label}");
                    farthest = farthest.max(trial.step);
                }
                assert!(trials.len() <= most, "{label}");
            }
        }
    }
}

#[test]
fn hager_zhang_finds_the_minimum_of_a_parabola_by_one_secant() {
    let search = HagerZhang { curvature: 0.1, ..HagerZhang::default() };
    // The slopes at 0 and 10 are on a line through zero at 3.
    let (found, trials) = traced(&search.into(), 10.0, |a| ((a - 3.0).powi(2), 2.0 * (a - 3.0)));
    assert!(matches!(found, Found::Accepted(at) if (at.step - 3.0).abs() < 1e-15), "{found:?}");
    assert_eq!(trials.len(), 2);
}

#[test]
fn backtracking_ends_on_sufficient_decrease() {
    let options = Backtracking::default();
    for number in 1..=6 {
        for start in STARTS {
            let phi = |a| more_thuente(number, a);
            let (found, trials) = traced(&options.into(), start, phi);
            let Found::Accepted(at) = found else { panic!("{number} {start}: {found:?}") };
            let (value, slope) = phi(0.0);
            assert!(at.value <= value + options.decrease * at.step * slope);
            // Shortened at least by half, at most to a tenth: log₁₀ 10³ to log₂ 10³ and one.
            assert!(trials.len() <= 11, "{number} {start}: {trials:?}");
            assert!(trials.windows(2).all(|pair| pair[1].step <= 0.5 * pair[0].step));
        }
    }
}

#[test]
fn the_trials_do_not_depend_on_the_unit_of_phi() {
    for search in all() {
        for number in 1..=6 {
            for start in STARTS {
                let (_, plain) = traced(&search, start, |a| more_thuente(number, a));
                for c in [2.0_f64.powi(-40), 2.0_f64.powi(40)] {
                    let (_, scaled) = traced(&search, start, |a| {
                        let (value, slope) = more_thuente(number, a);
                        (c * value, c * slope)
                    });
                    let steps =
                        |trials: &[Trial]| trials.iter().map(|t| t.step).collect::<Vec<_>>();
                    assert_eq!(steps(&plain), steps(&scaled), "{search:?} {number} {start}");
                }
            }
        }
    }
}

#[test]
fn slopes_decide_where_values_are_rounding() {
    // φ(α) = 1 + 1e-20·(α − 1)²: the values are all 1.
    let phi = |a: f64| (1.0 + 1e-20 * (a - 1.0).powi(2), 2e-20 * (a - 1.0));
    let strong = StrongWolfe { curvature: 0.01, ..StrongWolfe::default() };
    let (found, _) = traced(&strong.into(), 0.1, phi);
    assert!(matches!(found, Found::Accepted(t) if (t.step - 1.0).abs() <= 0.01), "{found:?}");
    // Wolfe alone asks for less.
    let wolfe = HagerZhang { curvature: 0.3, ..HagerZhang::default() };
    let (found, _) = traced(&wolfe.into(), 0.1, phi);
    assert!(matches!(found, Found::Accepted(t) if (0.7..1.9).contains(&t.step)), "{found:?}");
    // A slope of 0.9·|φ′(0)| beyond the minimum is too steep for the approximate conditions.
    let (_, trials) = traced(&wolfe.into(), 1.9, phi);
    assert!(trials.len() > 1, "{trials:?}");
    // Decrease from the slopes: beyond 2 there is none.
    let (found, _) = traced(&Backtracking::default().into(), 7.0, phi);
    assert!(matches!(found, Found::Accepted(t) if t.step < 2.0), "{found:?}");
}

#[test]
fn a_wall_of_nan_is_kept_away_from() {
    for search in all() {
        let wall = |a: f64| if a > 0.3 { (f64::NAN, f64::NAN) } else { (-a, -1.0) };
        let (found, trials) = traced(&search, 1.0, wall);
        let (Found::AtMaximum(at) | Found::Accepted(at)) = found else { panic!("{found:?}") };
        assert!(at.step <= 0.3 && at.value < 0.0, "{found:?}");
        assert!(trials.len() <= 6, "{trials:?}");
    }
}

#[test]
fn a_hill_before_a_wall_of_nan_is_searched() {
    // The minimum, at 1, lies before the hill at 2; beyond 3 there is nothing.
    let phi = |a: f64| {
        let bend = a * a * (a / 3.0 - 1.5) + 2.0 * a;
        let slope = (a - 1.0) * (a - 2.0);
        if a > 3.0 { (f64::NAN, f64::NAN) } else { (-bend, -slope) }
    };
    for start in [0.1, 2.9, 50.0] {
        for search in all() {
            let (found, trials) = traced(&search, start, phi);
            assert!(
                matches!(found, Found::Accepted(_)),
                "{search:?} {start}: {found:?} {trials:?}"
            );
        }
    }
}

#[test]
fn nothing_finite_is_said_and_the_trials_are_capped() {
    for search in all() {
        let cap = match search {
            LineSearch::MoreThuente(search) => search.max_trials,
            LineSearch::HagerZhang(search) => search.max_trials,
            LineSearch::Backtracking(search) => search.max_trials,
        };
        let mut calls = 0;
        let found = search.search(0.0, -1.0, 1.0, |_| {
            calls += 1;
            (1.0, f64::NAN)
        });
        assert_eq!((found, calls), (Found::Nothing { all_nonfinite: true }, cap));
    }
}

#[test]
fn a_straight_line_ends_at_the_longest_step() {
    for search in [LineSearch::from(StrongWolfe::default()), HagerZhang::default().into()] {
        let (found, _) = traced(&search, 1.0, |a| (-a, -1.0));
        assert!(matches!(found, Found::AtMaximum(at) if at.step == MAX_GROWTH), "{found:?}");
    }
}

#[test]
fn what_is_found_is_the_last_point_evaluated() {
    let mut decreased = 0;
    for number in 1..=6 {
        for max_trials in 1..8 {
            let searches: [LineSearch; 3] = [
                StrongWolfe { max_trials, curvature: 1e-3, ..StrongWolfe::default() }.into(),
                HagerZhang { max_trials, curvature: 0.1, ..HagerZhang::default() }.into(),
                Backtracking { max_trials, ..Backtracking::default() }.into(),
            ];
            for search in searches {
                let (found, trials) = traced(&search, 10.0, |a| more_thuente(number, a));
                // A point that is not the last trial is evaluated once more.
                assert!(trials.len() <= max_trials as usize + 1);
                decreased += u32::from(matches!(found, Found::Decreased(_)));
                if let Found::Accepted(at) | Found::Decreased(at) | Found::AtMaximum(at) = found {
                    assert_eq!(Some(&at), trials.last());
                    assert!(at.value <= more_thuente(number, 0.0).0, "{search:?} {number}");
                }
            }
        }
    }
    assert!(decreased > 0);
}

#[test]
fn a_point_found_before_a_wall_is_evaluated_last() {
    for max_trials in 2..6 {
        let searches: [LineSearch; 2] = [
            StrongWolfe { max_trials, ..StrongWolfe::default() }.into(),
            HagerZhang { max_trials, ..HagerZhang::default() }.into(),
        ];
        for search in searches {
            let mut last = f64::NAN;
            let found = search.search(0.0, -1.0, 0.2, |a| {
                last = a;
                if a > 0.3 { (f64::NAN, f64::NAN) } else { (-a, -1.0) }
            });
            let (Found::Decreased(at) | Found::AtMaximum(at)) = found else { panic!("{found:?}") };
            assert_eq!(at.step, last, "{search:?}");
        }
    }
}

#[test]
fn hager_zhang_finds_its_way_over_hills() {
    let search = HagerZhang { curvature: 0.01, ..HagerZhang::default() };
    for waves in 1..40 {
        for height in [0.1, 0.5, 2.0, 10.0] {
            // A parabola with waves on it, falling at 0.
            let w = 0.7 * f64::from(waves);
            let phi = |a: f64| {
                let value = 0.5 * (a - 1.0).powi(2) - height * (w * a).sin() / w;
                (value, a - 1.0 - height * (w * a).cos())
            };
            let (value, slope) = phi(0.0);
            for start in [0.01, 1.0, 30.0] {
                let (found, trials) = traced(&search.into(), start, phi);
                let label = format!("{waves} {height} {start}: {found:?} {trials:?}");
                let Found::Accepted(at) = found else { panic!("{label}") };
                assert!(is_wolfe(&search, value, slope, at), "{label}");
                assert!(trials.len() <= 11, "{label}");
            }
        }
    }
}

#[test]
fn uphill_and_nan_slopes_find_nothing_without_an_evaluation() {
    for search in all() {
        for slope in [1.0, 0.0, f64::NAN] {
            let found = search.search(0.0, slope, 1.0, |_| unreachable!());
            assert_eq!(found, Found::Nothing { all_nonfinite: false });
        }
    }
}

#[test]
fn every_option_out_of_range_is_named() {
    let (strong, wolfe, armijo) =
        (StrongWolfe::default(), HagerZhang::default(), Backtracking::default());
    let cases: [(&str, LineSearch); 11] = [
        ("decrease", StrongWolfe { decrease: 0.5, ..strong }.into()),
        ("curvature", StrongWolfe { curvature: 1e-5, ..strong }.into()),
        ("max_trials", StrongWolfe { max_trials: 0, ..strong }.into()),
        ("decrease", HagerZhang { decrease: 0.0, ..wolfe }.into()),
        ("curvature", HagerZhang { curvature: 1.0, ..wolfe }.into()),
        ("noise", HagerZhang { noise: f64::NAN, ..wolfe }.into()),
        ("max_trials", HagerZhang { max_trials: 0, ..wolfe }.into()),
        ("max_growth", HagerZhang { max_growth: f64::INFINITY, ..wolfe }.into()),
        ("decrease", Backtracking { decrease: -1.0, ..armijo }.into()),
        ("contraction", Backtracking { contraction: 1.0, ..armijo }.into()),
        ("noise", Backtracking { noise: 1.0, ..armijo }.into()),
    ];
    for (option, search) in cases {
        assert_eq!(search.validate().unwrap_err().option, option);
    }
    for search in all() {
        search.validate().unwrap();
    }
}

fn quasi_newton(search: LineSearch) -> [Method; 2] {
    [Bfgs::default().with_search(search).into(), Lbfgs::default().with_search(search).into()]
}

#[test]
fn quasi_newton_methods_reach_the_minimum_with_every_search() {
    for search in all() {
        for method in quasi_newton(search) {
            let stopping = Stopping { gradient_tolerance: 1e-13, ..Stopping::default() };
            let method = method.with_stopping(stopping);
            let solution = method.clone().minimize(&rosenbrock(50), &rosenbrock_start(50)).unwrap();
            let report = &solution.report;
            assert!(report.reason.is_success(), "{search:?} {report}");
            assert!(distance(&solution.theta, &[1.0; 50]) < 1e-7, "{search:?} {report}");
            assert!(report.evaluations.of_f() <= 80, "{search:?} {report}");
            // To the rounding floor of a value that is not zero.
            let problem = logistic(64, 5, 1e-3, 0.5, &mut crate::common::Draws(11));
            let report = method.minimize(&problem, &[0.1; 5]).unwrap().report;
            assert!(report.reason.is_success(), "{search:?} {report}");
            assert!(report.gradient.max <= 1e-11 * report.initial_gradient.max, "{report}");
        }
    }
}

#[test]
fn the_path_does_not_depend_on_the_unit_of_the_loss_with_any_search() {
    let c = 2.0_f64.powi(28);
    for search in all() {
        for method in quasi_newton(search) {
            let stopping = Stopping { max_iterations: 40, ..Stopping::default() };
            let method = method.with_stopping(stopping);
            let run = |c: f64| {
                let problem = rosenbrock(6).scaled(c, vec![1.0; 6]);
                method.clone().minimize(&problem, &rosenbrock_start(6)).unwrap()
            };
            let (plain, scaled) = (run(1.0), run(c));
            assert_eq!(plain.theta, scaled.theta, "{search:?}");
            assert_eq!(plain.report.evaluations, scaled.report.evaluations);
            assert_eq!(plain.report.reason, scaled.report.reason);
        }
    }
}

#[test]
fn a_linear_objective_is_unbounded_to_the_searches_that_look_at_slopes() {
    let stopping = Stopping { max_iterations: 50, ..Stopping::default() };
    for search in all() {
        let expected = match search {
            // Decrease is all it asks for: no step is longer than the first.
            LineSearch::Backtracking(_) => Reason::MaxIterations,
            _ => Reason::Unbounded,
        };
        for method in quasi_newton(search) {
            let method = method.with_stopping(stopping.clone());
            let report = method.minimize(&linear(vec![1.0, -2.0]), &[5.0, -1.0]).unwrap().report;
            assert_eq!(report.reason, expected, "{search:?} {report}");
        }
    }
}
