//! The strong-Wolfe search on the functions of Moré & Thuente (1994): the trials of MINPACK-2.

use secant_optim::line_search::{Found, StrongWolfe};
use serde_json::Value;
use std::cell::RefCell;
use std::f64::consts::PI;

/// (φ, φ′) of the published function with this number.
fn function(number: u64, a: f64) -> (f64, f64) {
    match number {
        1 => (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2)),
        2 => {
            let b = a + 0.004;
            (b.powi(5) - 2.0 * b.powi(4), 5.0 * b.powi(4) - 8.0 * b.powi(3))
        }
        3 => {
            let beta = 0.01;
            let (value, slope) = if a <= 1.0 - beta {
                (1.0 - a, -1.0)
            } else if a >= 1.0 + beta {
                (a - 1.0, 1.0)
            } else {
                ((a - 1.0).powi(2) / (2.0 * beta) + 0.5 * beta, (a - 1.0) / beta)
            };
            let wave = 39.0 * PI / 2.0;
            let size = 2.0 * (1.0 - beta) / (39.0 * PI);
            (value + size * (wave * a).sin(), slope + (1.0 - beta) * (wave * a).cos())
        }
        4 => yanai(0.001, 0.001, a),
        5 => yanai(0.01, 0.001, a),
        _ => yanai(0.001, 0.01, a),
    }
}

fn yanai(first: f64, second: f64, a: f64) -> (f64, f64) {
    let gamma = |beta: f64| (1.0 + beta * beta).sqrt() - beta;
    let (left, right) = ((1.0 - a).hypot(second), a.hypot(first));
    let value = gamma(first) * left + gamma(second) * right;
    (value, gamma(first) * (a - 1.0) / left + gamma(second) * a / right)
}

#[test]
fn trials_are_those_of_minpack_2() {
    let runs: Value = serde_json::from_str(include_str!("fixtures/line_search.json")).unwrap();
    let mut counts = Vec::new();
    for run in runs.as_array().unwrap() {
        let number = run["function"].as_u64().unwrap();
        let of = |key: &str| run[key].as_f64().unwrap();
        let search = StrongWolfe {
            decrease: of("decrease"),
            curvature: of("curvature"),
            noise: 0.0,
            max_growth: 1e12,
            ..StrongWolfe::default()
        };
        let trials = RefCell::new(Vec::new());
        let (value, slope) = function(number, 0.0);
        let found = search.search(value, slope, of("start"), |a| {
            trials.borrow_mut().push(a);
            function(number, a)
        });
        let expected: Vec<f64> =
            run["trials"].as_array().unwrap().iter().map(|a| a.as_f64().unwrap()).collect();
        let trials = trials.into_inner();
        let context = format!("function {number} from {}", of("start"));
        assert_eq!(trials.len(), expected.len(), "{context}: {trials:?}\n{expected:?}");
        for (found, expected) in trials.iter().zip(&expected) {
            assert!((found / expected - 1.0).abs() <= 1e-11, "{context}: {found} {expected}");
        }
        let Found::Accepted(end) = found else { panic!("{context}: {found:?}") };
        assert_eq!(end.step, trials[trials.len() - 1], "{context}");
        counts.push(trials.len());
    }
    // Moré & Thuente (1994), tables I to VI: evaluations from 10⁻³, 10⁻¹, 10 and 10³.
    let published = [
        [6, 3, 1, 4],
        [12, 8, 8, 11],
        [12, 12, 10, 13],
        [4, 1, 3, 4],
        [6, 3, 7, 8],
        [13, 11, 8, 11],
    ];
    assert_eq!(counts, published.concat());
}
