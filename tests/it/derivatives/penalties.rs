//! Penalties by block: derivatives on networks and linear models, values by hand, a posterior mean by a dense solve, and what is refused.

use super::support::{assert_passed, hessian, labels, matrix_distance, normals, numbers};
use faer::Mat;
use faer::linalg::solvers::Solve;
use secant::check::{self, distance};
use secant::core::params::Role;
use secant::loss::{SoftmaxCrossEntropy, SquaredError};
use secant::network::Network;
use secant::op::Activation;
use secant::penalty::{
    GaussianPrior, Groups, NoPenalty, Penalties, Penalty, PenaltyError, PerBlock, Ridge,
    SmoothedGroup,
};
use secant::problem::{Curvature, Form, LeastSquares, Objective};
use secant::risk::Risk;
use secant::{L1, Method, Newton, OwlQn};

/// A symmetric positive definite p × p matrix.
fn precision(p: usize) -> Mat<f64> {
    let entries = normals(p * p, 3);
    let a = Mat::from_fn(p, p, |i, j| entries[j * p + i]);
    &a * a.transpose()
}

fn prior(name: &str, p: usize) -> GaussianPrior {
    let matrix = precision(p);
    // Exactly symmetric.
    let matrix = Mat::from_fn(p, p, |i, j| matrix[(i.max(j), i.min(j))]);
    GaussianPrior::new(name, matrix.as_ref()).with_mean(normals(p, 4))
}

/// For blocks of a network 3 – 4 – 2.
fn penalties() -> Vec<(&'static str, Box<dyn Penalty>)> {
    let per_block = || {
        PerBlock::default()
            .role(Role::Weight, 0.3)
            .block("dense2.weight", 0.05)
            .block("dense1.bias", 2.0)
    };
    let groups = || {
        SmoothedGroup::new(0.4, 0.3)
            .block("dense1.weight", Groups::Columns)
            .block("dense2.weight", Groups::Rows)
            .block("dense2.bias", Groups::Block)
    };
    vec![
        ("per block", Box::new(per_block())),
        ("prior", Box::new(prior("dense1.weight", 12))),
        ("groups", Box::new(groups())),
        (
            "sum",
            Box::new(
                Penalties::default().and(per_block()).and(prior("dense2.bias", 2)).and(groups()),
            ),
        ),
    ]
}

#[test]
fn penalties_pass_the_whole_derivative_check() {
    let net = Network::mlp([3, 4, 2], Activation::Tanh);
    let graph = net.graph().unwrap();
    let theta = normals(graph.parameters().dim(), 1);
    for (name, penalty) in penalties() {
        let data = numbers(3, 2, 40, 2);
        let risk = Risk::from_boxed(graph, &data, Box::new(SquaredError), penalty).unwrap();
        assert_passed(&check::curvature(&risk, &theta, 5), name);
        assert_eq!(risk.least_squares().is_some(), name == "per block");
        if let Some(view) = risk.least_squares() {
            assert_passed(&check::least_squares(&view, &theta, 6), name);
        }
    }
    for (name, penalty) in penalties() {
        let data = labels(3, 2, 40, 2);
        let risk = Risk::from_boxed(graph, &data, Box::new(SoftmaxCrossEntropy), penalty).unwrap();
        assert_passed(&check::curvature(&risk, &theta, 5), name);
    }
}

#[test]
fn penalties_on_linear_models_are_assembled_whole() {
    let net = Network::linear(3, 2);
    let (graph, data) = (net.graph().unwrap(), numbers(3, 2, 40, 2));
    let theta = normals(8, 1);
    let kinds: [(Box<dyn Penalty>, Form); 3] = [
        (Box::new(PerBlock::default().block("dense1.bias", 0.1)), Form::Quadratic),
        (Box::new(prior("dense1.weight", 6)), Form::Quadratic),
        (
            Box::new(SmoothedGroup::new(0.4, 0.3).block("dense1.weight", Groups::Columns)),
            Form::GeneralizedLinear,
        ),
    ];
    for (penalty, form) in kinds {
        let context = format!("{penalty:?}");
        let risk = Risk::from_boxed(graph, &data, Box::new(SquaredError), penalty).unwrap();
        assert_passed(&check::curvature(&risk, &theta, 5), &context);
        assert_eq!(risk.structure().form, form, "{context}");
    }
}

#[test]
fn values_are_those_of_the_formulas() {
    let net = Network::linear(2, 2);
    let graph = net.graph().unwrap();
    let data = numbers(2, 2, 5, 2);
    // Weights (2 × 2, column-major) 3, 4, 0, 0 and biases 1, −1.
    let theta = [3.0, 4.0, 0.0, 0.0, 1.0, -1.0];
    let bare = Risk::new(graph, &data, SquaredError, NoPenalty).unwrap().value(&theta);
    let of = |penalty: Box<dyn Penalty>| {
        Risk::from_boxed(graph, &data, Box::new(SquaredError), penalty).unwrap().value(&theta)
            - bare
    };
    let near =
        |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    near(of(Box::new(PerBlock::default().all(1.0).block("dense1.bias", 0.5))), 12.5 + 0.5);
    near(of(Box::new(PerBlock::default().block("dense1.bias", 0.5).all(1.0))), 12.5 + 1.0);
    let matrix = Mat::from_fn(2, 2, |i, j| [[2.0, 0.5], [0.5, 1.0]][i][j]);
    let prior = GaussianPrior::new("dense1.bias", matrix.as_ref()).with_mean([0.0, 1.0]);
    // δ = (1, −2): ½(2 − 2·½·2 + 4) = 2.
    near(of(Box::new(prior)), 2.0);
    let group = |groups| SmoothedGroup::new(0.1, 1e-14).block("dense1.weight", groups);
    near(of(Box::new(group(Groups::Block))), 0.1 * 2.0 * 5.0);
    near(of(Box::new(group(Groups::Columns))), 0.1 * 2.0_f64.sqrt() * 5.0);
    near(of(Box::new(group(Groups::Rows))), 0.1 * 2.0_f64.sqrt() * 7.0);
    // One λ for all weights is `Ridge`, to the bit.
    let risk = |penalty: Box<dyn Penalty>| {
        Risk::from_boxed(graph, &data, Box::new(SquaredError), penalty).unwrap()
    };
    let (one, other) =
        (risk(Box::new(PerBlock::default().role(Role::Weight, 0.3))), risk(Box::new(Ridge(0.3))));
    assert_eq!(one.value(&theta), other.value(&theta));
    assert_eq!(
        one.least_squares().unwrap().residual_len(),
        other.least_squares().unwrap().residual_len()
    );
    // Independent entries of one precision are a ridge.
    let same = risk(Box::new(GaussianPrior::diagonal("dense1.weight", &[0.3; 4])));
    assert!(distance(&[same.value(&theta)], &[other.value(&theta)]) < 1e-15);
    let (a, b) = (hessian(&same.linearize(&theta), 6), hessian(&other.linearize(&theta), 6));
    assert!(matrix_distance(&a, &b) < 1e-15);
}

#[test]
fn newton_finds_the_posterior_mean_in_one_step() {
    // y = Xw with a prior on w: (XᵀX/N + P)·w = Xᵀy/N + P·μ, no bias.
    let data = numbers(3, 1, 50, 2);
    let mut g = secant::Graph::builder(3);
    let y = g.node("y", secant::op::Dense::new(1).without_bias(), &[g.input()]).unwrap();
    let graph = g.build(y).unwrap();
    let matrix = precision(3);
    let matrix = Mat::from_fn(3, 3, |i, j| matrix[(i.max(j), i.min(j))]);
    let mean = [1.0, -2.0, 0.5];
    let prior = GaussianPrior::new("y.weight", matrix.as_ref()).with_mean(mean);
    let risk = Risk::new(&graph, &data, SquaredError, prior).unwrap();
    let solution = Method::from(Newton::default()).minimize(&risk, &[0.0; 3]).unwrap();
    assert_eq!(solution.report.iterations, 1);
    let x = data.inputs_mat();
    let targets = data.targets().values().unwrap();
    let left = Mat::from_fn(3, 3, |i, j| {
        (0..50).map(|k| x[(i, k)] * x[(j, k)]).sum::<f64>() / 50.0 + matrix[(i, j)]
    });
    let right = Mat::from_fn(3, 1, |i, _| {
        let data: f64 = (0..50).map(|k| x[(i, k)] * targets[k]).sum();
        data / 50.0 + (0..3).map(|j| matrix[(i, j)] * mean[j]).sum::<f64>()
    });
    let expected = left.partial_piv_lu().solve(&right);
    let expected: Vec<f64> = (0..3).map(|i| expected[(i, 0)]).collect();
    assert!(distance(&solution.theta, &expected) < 1e-12, "{:?} {expected:?}", solution.theta);
}

#[test]
fn an_elastic_net_has_its_constants_by_block() {
    // L1 on the first feature's block only would need a block of its own; here: weights 0.2, bias free, a ridge on the bias.
    let data = numbers(3, 1, 60, 7);
    let net = Network::linear(3, 1);
    let graph = net.graph().unwrap();
    let weights = PerBlock::default().block("dense1.weight", 0.2);
    let weights = weights.weights(graph.parameters()).unwrap();
    assert_eq!(weights, [0.2, 0.2, 0.2, 0.0]);
    let l1 = L1::per_parameter(weights);
    let ridge = PerBlock::default().block("dense1.bias", 0.5);
    let risk = Risk::new(graph, &data, SquaredError, ridge).unwrap();
    let solution = Method::from(OwlQn::new(l1)).minimize(&risk, &[0.1; 4]).unwrap();
    let mut gradient = [0.0; 4];
    risk.value_gradient(&solution.theta, &mut gradient);
    for j in 0..3 {
        let within = if solution.theta[j] == 0.0 {
            gradient[j].abs() <= 0.2
        } else {
            (gradient[j].abs() - 0.2).abs() < 1e-5
        };
        assert!(within, "{j}: {} {}", solution.theta[j], gradient[j]);
    }
    assert!(gradient[3].abs() < 1e-5);
    let unknown = PerBlock::default().block("dense2.weight", 0.2).weights(graph.parameters());
    assert!(matches!(unknown, Err(PenaltyError::UnknownBlock { .. })));
}

#[test]
fn a_group_that_does_not_count_all_but_vanishes() {
    // The second feature is noise; its column of weights goes.
    let x = numbers(2, 2, 80, 9);
    let y: Vec<f64> = x.inputs().chunks_exact(2).flat_map(|x| [2.0 * x[0], -x[0]]).collect();
    let data = secant::Dataset::from_slices(2, x.inputs(), 2, &y).unwrap();
    let net = Network::linear(2, 2);
    let penalty = SmoothedGroup::new(0.2, 1e-4).block("dense1.weight", Groups::Columns);
    let fit = secant::fit(&net, &data).penalty(penalty).run().unwrap();
    let theta = fit.model().theta();
    assert!(theta[0].abs() > 0.5 && theta[1].abs() > 0.3, "{theta:?}");
    assert!(theta[2].hypot(theta[3]) < 1e-3, "{theta:?}");
}

#[test]
fn penalties_refuse_what_does_not_fit_with_name_and_numbers() {
    let net = Network::linear(2, 2);
    let (graph, data) = (net.graph().unwrap(), numbers(2, 2, 5, 2));
    let matrix = |rows: [[f64; 2]; 2]| Mat::from_fn(2, 2, |i, j| rows[i][j]);
    let on_bias = |rows| GaussianPrior::new("dense1.bias", matrix(rows).as_ref());
    let good = [[1.0, 0.0], [0.0, 1.0]];
    let cases: Vec<(Box<dyn Penalty>, &str)> = vec![
        (
            Box::new(PerBlock::default().block("bias", 1.0)),
            r#"ridge per block: no block "bias" among ["dense1.weight", "dense1.bias"]"#,
        ),
        (
            Box::new(PerBlock::default().all(-1.0)),
            "ridge per block: lambda = -1 must be finite and ≥ 0",
        ),
        (Box::new(PerBlock::default().all(f64::NAN)), "ridge per block: lambda = NaN"),
        (
            Box::new(GaussianPrior::new("w", matrix(good).as_ref())),
            r#"gaussian prior: no block "w""#,
        ),
        (
            Box::new(GaussianPrior::new("dense1.weight", matrix(good).as_ref())),
            r#"gaussian prior: the precision matrix of block "dense1.weight" has 4 entries, expected 16"#,
        ),
        (
            Box::new(on_bias(good).with_mean([1.0])),
            r#"gaussian prior: the mean of block "dense1.bias" has 1 entries, expected 2"#,
        ),
        (
            Box::new(on_bias([[1.0, 0.5], [0.4, 1.0]])),
            r#"gaussian prior: the matrix of block "dense1.bias" is not symmetric: 0.5 in row 0, column 1, and 0.4 across"#,
        ),
        (
            Box::new(on_bias([[1.0, 2.0], [2.0, 1.0]])),
            r#"gaussian prior: the matrix of block "dense1.bias" has the eigenvalue -1"#,
        ),
        (
            Box::new(on_bias([[1.0, f64::NAN], [0.0, 1.0]])),
            "gaussian prior: an entry = NaN must be finite",
        ),
        (Box::new(SmoothedGroup::new(1.0, 0.0)), "smoothed group: width = 0 must be positive"),
        (Box::new(SmoothedGroup::new(-1.0, 1.0)), "smoothed group: lambda = -1 must be"),
        (
            Box::new(SmoothedGroup::new(1.0, 1.0).block("w", Groups::Block)),
            r#"smoothed group: no block "w""#,
        ),
        (Box::new(Penalties::default().and(Ridge(1.0)).and(Ridge(-2.0))), "ridge: lambda = -2"),
    ];
    for (penalty, text) in cases {
        let error = Risk::from_boxed(graph, &data, Box::new(SquaredError), penalty).unwrap_err();
        assert!(error.to_string().starts_with(text), "{error}");
    }
    // Semidefinite is enough, and a zero matrix is no penalty.
    for rows in [[[1.0, 1.0], [1.0, 1.0]], [[0.0; 2]; 2]] {
        assert!(Risk::new(graph, &data, SquaredError, on_bias(rows)).is_ok());
    }
}
