//! The promise: the methods reach minima that are known to 17 digits, and other people's solvers agree.

use nalgebra::DVector;
use secant::argmin::core::{Executor, State};
use secant::argmin::solver::linesearch::MoreThuenteLineSearch;
use secant::argmin::solver::newton::Newton as ArgminNewton;
use secant::argmin::solver::quasinewton::BFGS as ArgminBfgs;
use secant::core::data::{CsvOptions, LibsvmOptions, NistLinear, Task};
use secant::loss::Loss;
use secant::{
    Activation, ArgminProblem, Bfgs, Dataset, Lbfgs, Logistic, Method, Network, Newton, NewtonCg,
    NoPenalty, Objective, Reason, Ridge, Risk, SoftmaxCrossEntropy, SquaredError, Standardizer,
    Stopping, minimize,
};
use std::path::Path;

struct Reference {
    set: String,
    loss: String,
    lambda: f64,
    data: Dataset,
    value: f64,
}

/// The rows of `data/reference-minima.csv` whose set is in `sets`.
fn references(sets: &[&str]) -> Vec<Reference> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let text = std::fs::read_to_string(folder.join("reference-minima.csv")).unwrap();
    let rows = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    rows.filter(|row| sets.contains(&row[0]))
        .map(|row| {
            let path = folder.join(row[1]);
            let labels = Task::Labels { classes: None };
            let task = if row[2] == "ridge" { Task::Values } else { labels };
            let targets = vec!["target".to_string()];
            let data = if row[1].ends_with(".libsvm") {
                Dataset::from_libsvm(path, &LibsvmOptions::default()).unwrap()
            } else {
                let options = CsvOptions { targets, task, ..CsvOptions::default() };
                Dataset::from_csv_with(path, &options).unwrap()
            };
            let data = match row[4] {
                "standardised" => Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap(),
                "divided by 16" => data.map_inputs(|x| x / 16.0).unwrap(),
                "as given" => data,
                other => panic!("unknown scaling {other}"),
            };
            let (set, loss) = (row[0].into(), row[2].into());
            Reference {
                set,
                loss,
                lambda: row[3].parse().unwrap(),
                data,
                value: row[5].parse().unwrap(),
            }
        })
        .collect()
}

fn gap(reference: &Reference, method: &Method) -> f64 {
    let (loss, outputs): (Box<dyn Loss>, usize) = match reference.loss.as_str() {
        "ridge" => (Box::new(SquaredError), 1),
        "logistic" => (Box::new(Logistic), 1),
        _ => (Box::new(SoftmaxCrossEntropy), reference.data.targets().outputs()),
    };
    let network = Network::linear(reference.data.features(), outputs);
    let graph = network.graph().unwrap();
    let penalty = Box::new(Ridge(reference.lambda));
    let risk = Risk::from_boxed(graph, &reference.data, loss, penalty).unwrap();
    let stopping =
        Stopping { gradient_tolerance: 1e-12, max_iterations: 20_000, ..Stopping::default() };
    let start = vec![0.0; risk.dim()];
    let solution = method.clone().with_stopping(stopping).minimize(&risk, &start).unwrap();
    assert!(solution.report.reason.is_success(), "{}: {}", reference.set, solution.report);
    ((solution.report.value - reference.value) / reference.value).abs()
}

#[test]
fn ridge_minima_are_met_to_twelve_digits() {
    let references = references(&["concrete", "diabetes", "energy", "power_plant", "yacht"]);
    assert_eq!(references.len(), 5);
    for reference in &references {
        for method in [Newton::default().into(), Lbfgs::default().into(), Bfgs::default().into()] {
            let gap = gap(reference, &method);
            assert!(gap <= 1e-12, "{} by {}: {gap:e}", reference.set, method.name());
        }
    }
}

#[test]
fn softmax_and_logistic_minima_are_met_to_ten_digits() {
    let references = references(&["iris", "wine", "breast_cancer", "heart_scale"]);
    assert_eq!(references.len(), 12);
    for reference in &references {
        for method in [Newton::default().into(), Lbfgs::default().into(), Bfgs::default().into()] {
            let gap = gap(reference, &method);
            let Reference { set, loss, lambda, .. } = reference;
            assert!(gap <= 1e-10, "{set} {loss} {lambda} by {}: {gap:e}", method.name());
        }
    }
}

#[test]
fn ten_classes_of_digits_are_met_to_ten_digits() {
    let references = references(&["digits"]);
    assert_eq!(references.len(), 2);
    for reference in &references {
        for method in [Newton::default().into(), Lbfgs::default().into()] {
            let gap = gap(reference, &method);
            assert!(gap <= 1e-10, "λ {} by {}: {gap:e}", reference.lambda, method.name());
        }
    }
}

/// argmin's own solvers run on a [`Risk`] through the adapter and land on our minimum.
#[test]
fn argmins_own_bfgs_and_newton_on_a_risk_land_on_the_same_minimum() {
    let reference = references(&["breast_cancer"]).into_iter().find(|r| r.loss == "logistic");
    let reference = reference.unwrap();
    let network = Network::linear(30, 1);
    let risk = Risk::new(network.graph().unwrap(), &reference.data, Logistic, Ridge(1e-3)).unwrap();
    let n = risk.dim();
    let ours = minimize(&risk, Newton::default(), &vec![0.0; n]).unwrap();

    let newton = ArgminNewton::<f64>::new();
    let theirs = Executor::new(ArgminProblem::<_, DVector<f64>>::new(&risk), newton)
        .configure(|state| state.param(DVector::zeros(n)).max_iters(30))
        .run()
        .unwrap();
    let theta = theirs.state.get_best_param().unwrap();
    let distance = theta.iter().zip(&ours.theta).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(distance < 1e-7, "argmin's Newton: {distance:e}");

    let identity = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let bfgs = ArgminBfgs::new(MoreThuenteLineSearch::new());
    let theirs = Executor::new(ArgminProblem::<_>::new(&risk), bfgs)
        .configure(|state| {
            let identity: Vec<Vec<f64>> = identity;
            state.param(vec![0.0; n]).inv_hessian(identity).max_iters(500)
        })
        .run()
        .unwrap();
    let gap = (theirs.state.get_best_cost() - ours.report.value) / ours.report.value;
    assert!((0.0..1e-8).contains(&gap.max(0.0)), "argmin's BFGS: {gap:e}");
}

/// The solvers see a problem, not a network: Rosenbrock's valley and a network are the same to them.
#[test]
fn networks_and_plain_functions_run_under_the_same_call() {
    struct Valley;
    impl Objective for Valley {
        fn dim(&self) -> usize {
            2
        }
        fn value(&self, theta: &[f64]) -> f64 {
            self.value_gradient(theta, &mut [0.0; 2])
        }
        fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
            let (a, b) = (1.0 - theta[0], theta[1] - theta[0] * theta[0]);
            gradient[0] = -2.0 * a - 400.0 * b * theta[0];
            gradient[1] = 200.0 * b;
            a * a + 100.0 * b * b
        }
    }
    let valley = minimize(&Valley, Lbfgs::default(), &[-1.2, 1.0]).unwrap();
    assert!((valley.theta[0] - 1.0).abs() < 1e-8 && (valley.theta[1] - 1.0).abs() < 1e-8);

    let data = Dataset::from_csv("data/yacht.csv", "target").unwrap();
    let data = Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap();
    let network = Network::mlp([6, 5, 1], Activation::Tanh);
    let risk = Risk::new(network.graph().unwrap(), &data, SquaredError, Ridge(1e-2)).unwrap();
    let start = network.draw(3).unwrap();
    let fitted = minimize(&risk, Lbfgs::default(), &start).unwrap();
    assert!(matches!(fitted.report.reason, Reason::GradientConverged | Reason::RoundingFloor));
    assert!(fitted.report.value < 0.1 * risk.value(&start));
}

/// Norris as it is: residuals of 1e-3 of the responses, so that the rounding of f hides what the gradient still shows.
#[test]
fn a_second_newton_step_on_a_raw_table_changes_nothing_beyond_rounding() {
    let data = NistLinear::read(concat!(env!("CARGO_MANIFEST_DIR"), "/data/nist/Norris.dat"))
        .unwrap()
        .dataset()
        .unwrap();
    let net = Network::linear(1, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let one = Stopping { max_iterations: 1, gradient_tolerance: 0.0, ..Stopping::default() };
    let step = |theta: &[f64]| {
        minimize(&risk, Newton::default().with_stopping(one.clone()), theta).unwrap().theta
    };
    for start in [[1e3, 1e3], [1e3, -1e3], [-1e3, 1e3]] {
        let first = step(&start);
        let second = step(&first);
        for (a, b) in first.iter().zip(&second) {
            // Some ε of the responses, which reach 1e3.
            assert!((a - b).abs() <= 2e-12, "{start:?}: {first:?} {second:?}");
        }
    }
}

/// The sum of a softmax's biases has no effect on f, and rounding of products must not make one of it.
#[test]
fn biases_of_a_softmax_stay_where_they_are() {
    let data = Dataset::from_csv_labels("data/digits.csv", "target").unwrap();
    let data = data.map_inputs(|x| x / 16.0).unwrap();
    let network = Network::linear(64, 10);
    let graph = network.graph().unwrap();
    for rows in [20, 100] {
        let some = data.select(&(0..rows).collect::<Vec<_>>()).unwrap();
        let risk = Risk::new(graph, &some, SoftmaxCrossEntropy, Ridge(1e-3)).unwrap();
        let start = vec![0.0; risk.dim()];
        let stopping = Stopping { gradient_tolerance: 1e-10, ..Stopping::default() };
        let newton = Newton::default().with_stopping(stopping.clone());
        let expected = minimize(&risk, newton, &start).unwrap().report.value;
        for method in [Method::from(NewtonCg::default()), Method::auto()] {
            let found = method.with_stopping(stopping.clone()).minimize(&risk, &start).unwrap();
            let report = &found.report;
            assert!(report.reason.is_success(), "{report}");
            assert!((report.value - expected).abs() <= 1e-12, "{report}, expected {expected}");
            assert!(found.theta.iter().all(|theta| theta.abs() < 100.0), "{report}");
        }
    }
}
