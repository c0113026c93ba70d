//! L1 on real tables: scikit-learn's lasso and elastic net, LIBLINEAR's logistic regression.

use secant::data::LibsvmOptions;
use secant::optim::PathPoint;
use secant::{
    Activation, Dataset, L1, LassoPath, Logistic, Method, Network, NoPenalty, Objective, OwlQn,
    ProximalNewton, Ridge, Risk, SquaredError, Standardizer, Stopping, Targets,
};
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../crates/optim/tests/fixtures/l1.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn path(file: &str) -> String {
    format!("{}/data/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn diabetes() -> Dataset {
    let data = Dataset::from_csv(path("diabetes.csv"), "target").unwrap();
    Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap()
}

fn to_the_end() -> Stopping {
    Stopping { gradient_tolerance: 1e-13, max_iterations: 5000, ..Stopping::default() }
}

/// Largest difference, relative to the largest entry.
fn gap(found: &[f64], wanted: &[f64]) -> f64 {
    let size = wanted.iter().fold(0.0_f64, |most, w| most.max(w.abs()));
    let differences = found.iter().zip(wanted).map(|(f, w)| (f - w).abs());
    differences.fold(0.0, f64::max) / size
}

#[test]
fn the_lasso_path_is_scikit_learns() {
    let fixture = &fixture()["lasso"];
    let (data, net) = (diabetes(), Network::linear(10, 1));
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let points = fixture["path"].as_array().unwrap();
    let lambdas: Vec<f64> = points.iter().map(|p| p["lambda"].as_f64().unwrap()).collect();
    // The bias stands last, and is free.
    let l1 = L1::new(1.0).without(10..11);
    let run = LassoPath { l1: l1.clone(), lambdas: Some(lambdas), ..LassoPath::default() };
    let found = run.run(&risk, &[0.0; 11]).unwrap();
    for (PathPoint { lambda, solution, nonzero }, point) in found.iter().zip(points) {
        let mut wanted = numbers(&point["weights"]);
        let zeros: Vec<bool> = wanted.iter().map(|w| *w == 0.0).collect();
        wanted.push(point["bias"].as_f64().unwrap());
        assert!(
            gap(&solution.theta[..10], &wanted[..10]) < 1e-8,
            "λ {lambda}: {}",
            solution.report
        );
        assert!((solution.theta[10] / wanted[10] - 1.0).abs() < 1e-12);
        // The reference value leaves out the bias' own part: the centred targets are the residuals.
        let value = point["value"].as_f64().unwrap();
        assert!((solution.report.value / value - 1.0).abs() < 1e-10, "{}", solution.report);
        let ours: Vec<bool> = solution.theta[..10].iter().map(|t| *t == 0.0).collect();
        assert_eq!(ours, zeros, "exact zeros, λ {lambda}");
        assert_eq!(*nonzero, 11 - zeros.iter().filter(|zero| **zero).count());
        // A quadratic: one step, or none where the signs were right.
        assert!(solution.report.iterations <= 2, "{}", solution.report);
    }
    // From the largest down: the first point has no weight but the bias, and λmax is the reference's.
    let path = LassoPath { l1, points: 12, ..LassoPath::default() }.run(&risk, &[1.0; 11]).unwrap();
    assert_eq!((path.len(), path[0].nonzero), (12, 1));
    let largest = fixture["largest"].as_f64().unwrap();
    assert!((path[0].lambda / largest - 1.0).abs() < 1e-12);
    assert!((path[11].lambda / largest / 1e-3 - 1.0).abs() < 1e-12);
    assert!(path.iter().all(|point| point.solution.report.reason.is_success()));
}

/// More columns than rows, two of them equal, one zero: XᵀX is singular.
#[test]
fn a_path_of_a_wide_table_meets_the_conditions_of_its_minima() {
    const N: usize = 40;
    const D: usize = 150;
    let mut random = secant::core::random::Random::new(11);
    let mut x = vec![0.0; N * D];
    let mut y = vec![0.0; N];
    for (row, y) in x.chunks_exact_mut(D).zip(&mut y) {
        for x in row.iter_mut() {
            *x = random.normal();
        }
        row[7] = row[3];
        row[9] = 0.0;
        *y = 2.0 * row[3] - row[20] + 0.5 * row[100] + 0.1 * random.normal() + 4.0;
    }
    let data = Dataset::from_slices(D, &x, 1, &y).unwrap();
    let net = Network::linear(D, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let path =
        LassoPath { l1: L1::new(1.0).without(D..D + 1), points: 25, ratio: 1e-3, lambdas: None };
    let path = path.run(&risk, &[0.0; D + 1]).unwrap();
    let steepest = |theta: &[f64]| {
        let r: Vec<f64> = x
            .chunks_exact(D)
            .zip(&y)
            .map(|(row, y)| row.iter().zip(theta).map(|(x, t)| x * t).sum::<f64>() + theta[D] - y)
            .collect();
        let column = |j: usize| x[j..].iter().step_by(D).zip(&r).map(|(x, r)| x * r).sum::<f64>();
        let slopes: Vec<f64> = (0..D).map(|j| column(j) / N as f64).collect();
        (slopes, r.iter().sum::<f64>() / N as f64)
    };
    let largest = path[0].lambda;
    for PathPoint { lambda, solution, .. } in &path {
        let theta = &solution.theta;
        let (slopes, of_bias) = steepest(theta);
        assert!(of_bias.abs() < 1e-10 * largest, "{lambda}: {of_bias}");
        for (j, (slope, t)) in slopes.iter().zip(theta).enumerate() {
            let gap = if *t == 0.0 {
                (slope.abs() - lambda).max(0.0)
            } else {
                (slope + lambda * t.signum()).abs()
            };
            assert!(gap < 1e-10 * largest, "λ {lambda}, column {j}: {gap}");
        }
        assert!(solution.report.reason.is_success(), "{}", solution.report);
    }
    // The matrix is formed once for the path: no point asks for it again.
    let matrices = path.iter().map(|point| point.solution.report.evaluations.hessian);
    assert_eq!(matrices.sum::<u64>(), 0);
}

#[test]
fn the_elastic_net_is_scikit_learns_by_both_methods() {
    let fixture = &fixture()["lasso"]["elastic"];
    let (data, net) = (diabetes(), Network::linear(10, 1));
    let ridge = Ridge(fixture["ridge"].as_f64().unwrap());
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, ridge).unwrap();
    let l1 = L1::new(fixture["lambda"].as_f64().unwrap()).without(10..11);
    let wanted = numbers(&fixture["weights"]);
    for method in [Method::from(OwlQn::new(l1.clone())), ProximalNewton::new(l1).into()] {
        let solution = method.with_stopping(to_the_end()).minimize(&risk, &[0.0; 11]).unwrap();
        assert!(solution.report.reason.is_success(), "{}", solution.report);
        assert!(gap(&solution.theta[..10], &wanted) < 1e-8, "{}", solution.report);
    }
}

/// The table, standardised where the reference does so.
fn classes(name: &str) -> Dataset {
    if name.ends_with("csv") {
        let data = Dataset::from_csv_labels(path(name), "target").unwrap();
        Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap()
    } else {
        Dataset::from_libsvm(path(name), &LibsvmOptions::default()).unwrap()
    }
}

#[test]
fn logistic_regression_with_l1_is_liblinears_by_both_methods() {
    for case in fixture()["logistic"].as_array().unwrap() {
        let name = case["data"].as_str().unwrap();
        let data = classes(name);
        assert!(matches!(data.targets(), Targets::Labels { .. }), "{name}");
        let d = data.features();
        let net = Network::linear(d, 1);
        let risk = Risk::new(net.graph().unwrap(), &data, Logistic, NoPenalty).unwrap();
        let lambda = case["lambda"].as_f64().unwrap();
        let (wanted, value) = (numbers(&case["weights"]), case["value"].as_f64().unwrap());
        // The reference's column of ones is the bias here, penalised like the others.
        let l1 = L1::new(lambda);
        for method in [Method::from(OwlQn::new(l1.clone())), ProximalNewton::new(l1).into()] {
            let method = method.with_stopping(to_the_end());
            let solution = method.minimize(&risk, &vec![0.0; d + 1]).unwrap();
            let report = &solution.report;
            assert!(report.reason.is_success(), "{name}: {report}");
            assert!(gap(&solution.theta, &wanted) < 1e-8, "{name} λ {lambda}: {report}");
            assert!((report.value / value - 1.0).abs() < 1e-10, "{name} λ {lambda}: {report}");
            // The optimality conditions, from the gradient of the smooth part alone.
            let mut gradient = vec![0.0; d + 1];
            risk.value_gradient(&solution.theta, &mut gradient);
            for (t, g) in solution.theta.iter().zip(&gradient) {
                if *t == 0.0 {
                    assert!(g.abs() <= lambda * (1.0 + 1e-9), "{name}: {g:e} {lambda:e}");
                } else {
                    assert!((g + lambda.copysign(*t)).abs() <= 1e-10, "{name}: {g:e} {lambda:e}");
                }
            }
        }
    }
}

/// Where L1 switches a unit off, the weights into it and the one out of it have no curvature of their own and a coupling: the shift that
/// makes their H positive definite froze all the others (|⋄F| stayed at 0.12 to 0.30, "the rounding floor").
#[test]
fn units_that_l1_switches_off_do_not_freeze_the_others() {
    let data = diabetes();
    let data = Standardizer::fit_targets(&data).unwrap().transform_targets(&data).unwrap();
    let net = Network::mlp([10, 4, 1], Activation::Tanh);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    for seed in 0..8 {
        let start = net.draw(seed).unwrap();
        let l1 = || L1::new(0.1);
        let found = Method::from(ProximalNewton::new(l1())).minimize(&risk, &start).unwrap().report;
        let other = Method::from(OwlQn::new(l1())).minimize(&risk, &start).unwrap().report;
        assert!(found.reason.is_success(), "seed {seed}: {found}");
        assert!(found.gradient.max < 1e-6, "seed {seed}: {found}");
        assert!(found.value <= (1.0 + 1e-9) * other.value, "seed {seed}: {found}\n{other}");
    }
}
