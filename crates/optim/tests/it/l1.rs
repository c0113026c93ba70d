//! L1 by hand: where methods for it go wrong, and what they refuse.

use crate::common::{Draws, Function, logistic, quadratic, rosenbrock, spd};
use secant_optim::{
    L1, LassoPath, Lbfgs, Method, OptimError, OwlQn, ProximalNewton, Reason, Stopping, minimize,
};

fn methods(l1: &L1) -> [Method; 2] {
    let stopping =
        Stopping { gradient_tolerance: 1e-14, max_iterations: 2000, ..Stopping::default() };
    [Method::from(OwlQn::new(l1.clone())), ProximalNewton::new(l1.clone()).into()]
        .map(|method| method.with_stopping(stopping.clone()))
}

/// ½ Σ cₖ(xₖ − bₖ)²: the minimum is xₖ = soft(bₖ, w/cₖ).
fn bowl(c: &'static [f64], b: &'static [f64]) -> Function {
    let n = c.len();
    Function::new(
        n,
        move |x, g| {
            let mut value = 0.0;
            for k in 0..n {
                g[k] = c[k] * (x[k] - b[k]);
                value += 0.5 * g[k] * (x[k] - b[k]);
            }
            value
        },
        move |_| faer::Mat::from_fn(n, n, |i, j| if i == j { c[i] } else { 0.0 }),
    )
}

#[test]
fn separable_problems_end_at_soft_thresholds_with_exact_zeros() {
    let function = || bowl(&[1.0, 4.0, 2.0, 1.0, 9.0], &[3.0, -0.2, -2.0, 0.5, 0.0]);
    let wanted = [2.0, 0.0, -1.5, 0.0, 0.0];
    // From zero, from the other side of zero, and from far away.
    for start in [[0.0; 5], [-1.0, 1.0, 1.0, -1.0, 1.0], [1e3, -1e3, 1e3, -1e3, 1e3]] {
        for method in methods(&L1::new(1.0)) {
            let solution = method.minimize(&function(), &start).unwrap();
            let report = &solution.report;
            assert!(report.reason.is_success(), "{report}");
            for (found, wanted) in solution.theta.iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-9, "{:?} {report}", solution.theta);
                assert!(wanted != 0.0 || found.to_bits() == 0, "{:?}", solution.theta);
            }
        }
    }
}

#[test]
fn a_weight_beyond_the_gradient_at_zero_is_a_minimum_at_zero_at_once() {
    let function = quadratic(spd(6, 50.0, &mut Draws(2)), Draws(3).vector(6), 0.0);
    for method in methods(&L1::new(10.0)) {
        let solution = method.clone().minimize(&function, &[0.0; 6]).unwrap();
        assert_eq!(solution.theta, [0.0; 6]);
        assert_eq!((solution.report.iterations, solution.report.gradient.max), (0, 0.0));
        assert_eq!(solution.report.reason, Reason::GradientConverged);
        // From elsewhere too, and to zeros that are zeros.
        let solution = method.minimize(&function, &[0.5; 6]).unwrap();
        assert_eq!(solution.theta, [0.0; 6], "{}", solution.report);
    }
}

#[test]
fn without_weights_it_is_the_smooth_problem() {
    let function = || logistic(64, 5, 1e-3, 0.5, &mut Draws(11));
    let stopping = Stopping { gradient_tolerance: 1e-15, ..Stopping::default() };
    let smooth =
        minimize(&function(), Lbfgs::default().with_stopping(stopping), &[0.1; 5]).unwrap();
    for method in methods(&L1::new(0.0)) {
        let solution = method.minimize(&function(), &[0.1; 5]).unwrap();
        assert!(
            crate::common::distance(&solution.theta, &smooth.theta) < 1e-8,
            "{}",
            solution.report
        );
    }
}

/// max |⋄Fⱼ|, written out.
fn violation(function: &Function, weights: &[f64], theta: &[f64]) -> f64 {
    use secant_core::problem::Objective;
    let mut g = vec![0.0; theta.len()];
    function.value_gradient(theta, &mut g);
    let each = g.iter().zip(theta).zip(weights).map(|((g, t), w)| {
        if *t > 0.0 {
            (g + w).abs()
        } else if *t < 0.0 {
            (g - w).abs()
        } else {
            (g.abs() - w).max(0.0)
        }
    });
    each.fold(0.0, f64::max)
}

#[test]
fn random_lassos_satisfy_their_optimality_conditions_whatever_the_weights() {
    for seed in 0..60 {
        let mut draws = Draws(seed);
        let n = 3 + usize::try_from(seed % 12).unwrap();
        let function = quadratic(spd(n, 1e4, &mut draws), draws.vector(n), 0.0);
        let weights: Vec<f64> =
            draws.vector(n).iter().map(|w| if *w < -0.5 { 0.0 } else { 0.3 * w.abs() }).collect();
        let start = draws.vector(n);
        let mut ends = Vec::new();
        for method in methods(&L1::per_parameter(weights.clone())) {
            let solution = method.minimize(&function, &start).unwrap();
            assert!(solution.report.reason.is_success(), "{seed}: {}", solution.report);
            let off = violation(&function, &weights, &solution.theta);
            assert!(off < 1e-9, "{seed}: {off:e} {}", solution.report);
            ends.push(solution);
        }
        assert!((ends[0].report.value - ends[1].report.value).abs() < 1e-10, "{seed}");
        // A quadratic with known signs is solved exactly.
        assert!(ends[1].report.iterations <= 3, "{seed}: {}", ends[1].report);
    }
}

#[test]
fn a_function_that_is_not_convex_ends_where_no_step_goes_down() {
    for method in methods(&L1::new(0.05)) {
        let solution = method.minimize(&rosenbrock(4), &[-1.2, 1.0, -1.2, 1.0]).unwrap();
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        let off = violation(&rosenbrock(4), &[0.05; 4], &solution.theta);
        assert!(off < 1e-8, "{off:e} {}", solution.report);
        assert!(solution.theta.iter().all(|t| *t > 0.5 && *t < 1.0), "{:?}", solution.theta);
    }
}

#[test]
fn scaling_loss_and_weights_together_keeps_the_path() {
    for c in [2.0_f64.powi(-28), 2.0_f64.powi(28)] {
        let function = || quadratic(spd(6, 50.0, &mut Draws(2)), Draws(3).vector(6), 0.0);
        let plain = methods(&L1::new(0.2));
        let scaled = methods(&L1::new(0.2 * c));
        for (plain, scaled) in plain.into_iter().zip(scaled) {
            let plain = plain.minimize(&function(), &[0.3; 6]).unwrap();
            let scaled = scaled.minimize(&function().scaled(c, vec![1.0; 6]), &[0.3; 6]).unwrap();
            assert_eq!(plain.theta, scaled.theta, "{}", plain.report);
            assert_eq!(plain.report.reason, scaled.report.reason);
        }
    }
}

#[test]
fn options_out_of_range_are_named() {
    let function = rosenbrock(2);
    let said = |l1: L1| match minimize(&function, OwlQn::new(l1.clone()), &[1.0; 2]).unwrap_err() {
        OptimError::OptionOutOfRange { option, value, .. } => {
            minimize(&function, ProximalNewton::new(l1), &[1.0; 2]).unwrap_err();
            (option, value)
        }
        error => panic!("{error}"),
    };
    assert_eq!(said(L1::new(-1.0)), ("l1", -1.0));
    assert_eq!(said(L1::new(f64::NAN)).0, "l1");
    assert_eq!(said(L1::per_parameter([0.1, -0.2])), ("l1", -0.2));
    assert_eq!(said(L1::per_parameter([0.1, 0.2, 0.3])), ("l1", 3.0));
    let path = LassoPath { points: 1, ..LassoPath::default() };
    assert!(path.run(&function, &[1.0; 2]).is_err());
    let path = LassoPath { lambdas: Some(vec![0.1, -0.1]), ..LassoPath::default() };
    assert!(path.run(&function, &[1.0; 2]).is_err());
    assert!(LassoPath::default().run(&function, &[1.0]).is_err());
}

#[test]
fn walls_and_constants_end_with_their_reasons() {
    // x − ln x, not finite at and below zero; with w = 1 the minimum is at ½.
    let wall = Function::new(
        1,
        |x, g| {
            g[0] = 1.0 - 1.0 / x[0];
            if x[0] > 0.0 { x[0] - x[0].ln() } else { f64::NAN }
        },
        |x| faer::mat![[1.0 / x[0] / x[0]]],
    );
    for method in methods(&L1::new(1.0)) {
        let solution = method.minimize(&wall, &[3.0]).unwrap();
        assert!((solution.theta[0] - 0.5).abs() < 1e-9, "{}", solution.report);
    }
    let constant = Function::new(
        1,
        |_, g| {
            g[0] = 0.0;
            2.0
        },
        |_| faer::mat![[0.0]],
    );
    let [owl, _] = methods(&L1::new(1.0));
    let solution = owl.minimize(&constant, &[3.0]).unwrap();
    assert!(solution.theta[0].abs() < 1e-9 || !solution.report.reason.is_success());
    for method in methods(&L1::new(1.0)) {
        let nowhere = Function::new(
            1,
            |_, g| {
                g[0] = 0.0;
                f64::NAN
            },
            |_| faer::mat![[0.0]],
        );
        let reason = method.minimize(&nowhere, &[3.0]).unwrap().report.reason;
        assert_eq!(reason, Reason::NonFiniteStart);
    }
}

/// 60 × 400 and a bias: two columns equal, two of opposite sign, one zero, one the sum of two others, one of another size, one without a weight.
mod wide {
    use super::*;
    use secant_core::data::Dataset;
    use secant_core::graph::Graph;
    use secant_core::loss::SquaredError;
    use secant_core::network::Network;
    use secant_core::penalty::{NoPenalty, Penalty, Ridge};
    use secant_core::risk::Risk;
    use secant_optim::{Auto, Solution};

    const N: usize = 60;
    const D: usize = 400;

    pub(super) struct Table {
        x: Vec<f64>,
        y: Vec<f64>,
        data: Dataset,
        net: Network,
    }

    impl Table {
        pub(super) fn new() -> Self {
            let mut draws = Draws(17);
            let mut x = draws.vector(N * D);
            let mut y = draws.vector(N);
            for (row, y) in x.chunks_exact_mut(D).zip(&mut y) {
                row[7] = row[3];
                row[8] = -row[5];
                row[9] = 0.0;
                row[11] = row[20] + row[30];
                row[12] *= 1e3;
                *y = 2.0 * row[3] - row[20] + 0.5 * row[100] - 1.5 * row[5] + 0.1 * *y + 4.0;
            }
            let data = Dataset::from_slices(D, &x, 1, &y).unwrap();
            Self { x, y, data, net: Network::linear(D, 1) }
        }

        pub(super) fn graph(&self) -> &Graph {
            self.net.graph().unwrap()
        }

        pub(super) fn risk(&self, penalty: impl Penalty + 'static) -> Risk<'_> {
            Risk::new(self.graph(), &self.data, SquaredError, penalty).unwrap()
        }

        /// Column 40 and the bias are free.
        pub(super) fn l1() -> L1 {
            L1::new(1.0).without(D..D + 1).without(40..41)
        }

        /// The largest violation of the conditions of the minimum, with the residuals written out.
        pub(super) fn violation(&self, lambda: f64, ridge: f64, theta: &[f64]) -> f64 {
            let rows = self.x.chunks_exact(D);
            let score = |row: &[f64]| row.iter().zip(theta).map(|(x, t)| x * t).sum::<f64>();
            let r: Vec<f64> = rows.zip(&self.y).map(|(row, y)| score(row) + theta[D] - y).collect();
            let slope = |j: usize| {
                let column = self.x[j..].iter().step_by(D);
                column.zip(&r).map(|(x, r)| x * r).sum::<f64>() / N as f64 + ridge * theta[j]
            };
            let weights = Self::l1().scaled(lambda).weights(D + 1);
            let each = (0..D).map(|j| match theta[j] {
                0.0 => (slope(j).abs() - weights[j]).max(0.0),
                t => (slope(j) + weights[j] * t.signum()).abs(),
            });
            each.fold((r.iter().sum::<f64>() / N as f64).abs(), f64::max)
        }
    }

    pub(super) fn reached(table: &Table, lambda: f64, ridge: f64, solution: &Solution) {
        let report = &solution.report;
        assert!(report.reason.is_success(), "{lambda} {ridge}: {report}");
        // One column is a thousand times the others.
        let off = table.violation(lambda, ridge, &solution.theta);
        assert!(off < 1e-10, "λ {lambda}, ridge {ridge}: {off:e} {report}");
    }

    #[test]
    fn working_sets_end_where_the_conditions_of_all_columns_hold() {
        let table = Table::new();
        for (lambda, ridge) in [(2.0, 0.0), (0.3, 0.0), (0.03, 0.0), (1e-3, 0.0), (0.03, 0.5)] {
            let risk = table.risk(Ridge(ridge));
            let l1 = Table::l1().scaled(lambda);
            for start in [vec![0.0; D + 1], Draws(3).vector(D + 1)] {
                let stopping = Stopping { gradient_tolerance: 1e-14, ..Stopping::default() };
                let solver = ProximalNewton::new(l1.clone()).with_stopping(stopping.clone());
                let solution = minimize(&risk, solver, &start).unwrap();
                reached(&table, lambda, ridge, &solution);
                let auto = Method::from(Auto::new().with_l1(l1.clone()).with_stopping(stopping));
                let chosen = auto.minimize(&risk, &start).unwrap();
                assert_eq!(chosen.report.solver, "Auto: proximal Newton");
                assert_eq!(chosen.theta, solution.theta);
            }
        }
    }

    #[test]
    fn a_path_by_working_sets_meets_the_conditions_and_asks_for_no_matrix_again() {
        let table = Table::new();
        let risk = table.risk(NoPenalty);
        for (points, ratio) in [(30, 1e-3), (3, 1e-4)] {
            let path = LassoPath { l1: Table::l1(), points, ratio, lambdas: None };
            let path = path.run(&risk, &[0.0; D + 1]).unwrap();
            for point in &path {
                reached(&table, point.lambda, 0.0, &point.solution);
            }
            assert_eq!(path[0].nonzero, 2, "the free ones");
            let matrices = path.iter().map(|point| point.solution.report.evaluations.hessian);
            assert_eq!(matrices.sum::<u64>(), 0);
        }
        // Up and down again.
        let lambdas = vec![0.5, 0.01, 1.0, 0.01, 0.0, 0.2];
        let path = LassoPath { l1: Table::l1(), lambdas: Some(lambdas), ..LassoPath::default() };
        let path = path.run(&risk, &[0.0; D + 1]).unwrap();
        for point in path.iter().filter(|point| point.lambda > 0.0) {
            reached(&table, point.lambda, 0.0, &point.solution);
        }
        assert!((path[1].solution.report.value - path[3].solution.report.value).abs() < 1e-12);
    }

    #[test]
    fn working_sets_have_the_same_bits_whatever_the_threads() {
        let table = Table::new();
        let risk = table.risk(NoPenalty);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let solver = ProximalNewton::new(Table::l1().scaled(0.02));
            pool.install(|| minimize(&risk, solver, &[0.0; D + 1]).unwrap().theta)
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn a_set_that_memory_does_not_hold_ends_the_run_and_auto_goes_on() {
        let table = Table::new();
        let risk = table.risk(NoPenalty);
        // Room for 200 parameters, and no start is 0.
        let (l1, limit) = (Table::l1().scaled(0.3), 1_400_000);
        let start = Draws(3).vector(D + 1);
        let method = Method::from(ProximalNewton::new(l1.clone()));
        let report = method.clone().minimize_within(&risk, &start, Some(limit)).unwrap().report;
        assert_eq!(report.reason, Reason::Stalled, "{report}");
        let refused = method.minimize_within(&risk, &start, Some(1_000_000));
        assert!(matches!(refused, Err(OptimError::Memory { .. })), "{refused:?}");
        let stopping = Stopping { max_iterations: 50, ..Stopping::default() };
        let auto = Auto::new().with_l1(l1).with_memory_limit(limit).with_stopping(stopping);
        let solution = Method::from(auto).minimize(&risk, &start).unwrap();
        assert!(solution.report.solver.contains("OWL-QN"), "{}", solution.report);
    }
}
