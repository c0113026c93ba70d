//! Variable projection on networks: which blocks are linear, the design without Kronecker products, and the minima.

use secant::Formula;
use secant::core::problem::{Derivatives, LinearPart};
use secant::faer::{Mat, MatMut};
use secant::graph::Graph;
use secant::op::{Add, Dense};
use secant::optim::{
    Factorization, LevenbergMarquardt, OptimError, ProjectedJacobian, ReducedLeastSquares, Scaling,
    VariableProjection,
};
use secant::{
    Activation, Dataset, FitError, LeastSquares, Network, NoPenalty, Objective, Reason, Rho, Ridge,
    RidgeAll, Risk, Robust, SquaredError, Stopping, check, minimize,
};
use std::ops::Range;

/// `outputs` waves at `samples` even points of [−2, 2]².
fn waves(samples: usize, outputs: usize) -> Dataset {
    let at = |i: usize| -2.0 + 4.0 * i as f64 / (samples - 1) as f64;
    let x: Vec<f64> = (0..samples).flat_map(|i| [at(i), at(i * 7 % samples)]).collect();
    let wave =
        |x: &[f64], k: usize| f64::sin((2.0 + k as f64) * x[0]) * f64::cos(x[1]) + 0.3 * x[1];
    let y =
        x.chunks_exact(2).flat_map(|x| (0..outputs).map(move |k| wave(x, k))).collect::<Vec<_>>();
    Dataset::from_slices(2, &x, outputs, &y).unwrap()
}

/// The same residuals without a word of how linear parameters enter: dense columns of J.
struct Dumb<P>(P);

impl<P: LeastSquares> Objective for Dumb<P> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn value(&self, theta: &[f64]) -> f64 {
        self.0.value(theta)
    }
    fn value_gradient(&self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        self.0.value_gradient(theta, gradient)
    }
}

impl<P: LeastSquares> LeastSquares for Dumb<P> {
    fn residual_len(&self) -> usize {
        self.0.residual_len()
    }
    fn residuals(&self, theta: &[f64], residuals: &mut [f64]) -> f64 {
        self.0.residuals(theta, residuals)
    }
    fn jacobian_vector(&self, theta: &[f64], v: &[f64], out: &mut [f64]) {
        self.0.jacobian_vector(theta, v, out);
    }
    fn jacobian_transpose_vector(&self, theta: &[f64], u: &[f64], out: &mut [f64]) {
        self.0.jacobian_transpose_vector(theta, u, out);
    }
    fn normal_equations(&self, theta: &[f64], normal: MatMut<'_, f64>, g: &mut [f64]) -> f64 {
        self.0.normal_equations(theta, normal, g)
    }
    fn jacobian(&self, theta: &[f64], residuals: &mut [f64], jacobian: MatMut<'_, f64>) -> f64 {
        self.0.jacobian(theta, residuals, jacobian)
    }
    fn derivatives(&self) -> Derivatives {
        self.0.derivatives()
    }
}

/// Relative to the larger of both.
fn assert_close(what: &str, a: &[f64], b: &[f64], tolerance: f64) {
    let apart = check::distance(a, b);
    assert!(apart <= tolerance, "{what}: {apart:e} apart");
}

#[test]
fn three_outputs_need_no_kronecker_product() {
    let (data, net) = (waves(50, 3), Network::mlp([2, 5, 6, 3], Activation::Tanh));
    let graph = net.graph().unwrap();
    let theta = net.draw(3).unwrap();
    let named = |name: &str| graph.parameters().range(name).unwrap();
    let (weight, bias) = (named("dense3.weight"), named("dense3.bias"));
    // Penalised: nothing, weights only, all. The weights before the last layer are 40, no multiple of 3.
    for lambda in [0.0, 0.1] {
        for all in [false, true] {
            let risk = if all {
                Risk::new(graph, &data, SquaredError, RidgeAll(lambda)).unwrap()
            } else {
                Risk::new(graph, &data, SquaredError, Ridge(lambda)).unwrap()
            };
            let view = risk.least_squares().unwrap();
            for ranges in
                [vec![weight.clone(), bias.clone()], vec![weight.clone()], vec![bias.clone()]]
            {
                assert_eq!(view.linear_part(&ranges).copies, 3);
                for jacobian in [ProjectedJacobian::Kaufman, ProjectedJacobian::GolubPereyra] {
                    compare(&view, &ranges, &theta, jacobian);
                }
            }
        }
    }
}

/// The reduced problem by blocks of Φ and by dense columns.
fn compare(
    view: &impl LeastSquares,
    ranges: &[Range<usize>],
    theta: &[f64],
    which: ProjectedJacobian,
) {
    let clever = ReducedLeastSquares::new(view, ranges, theta).unwrap().with_jacobian(which);
    let dumb = ReducedLeastSquares::new(Dumb(view), ranges, theta).unwrap().with_jacobian(which);
    let nonlinear = clever.nonlinear(theta);
    assert_close("θ", &clever.full(&nonlinear), &dumb.full(&nonlinear), 1e-11);
    let (m, q) = (clever.residual_len(), clever.dim());
    let (mut r, mut s) = (vec![0.0; m], vec![0.0; m]);
    let (mut j, mut k) = (Mat::zeros(m, q), Mat::zeros(m, q));
    clever.jacobian(&nonlinear, &mut r, j.as_mut());
    dumb.jacobian(&nonlinear, &mut s, k.as_mut());
    assert_close("r", &r, &s, 1e-12);
    for column in 0..q {
        assert_close("J", j.col_as_slice(column), k.col_as_slice(column), 1e-9);
    }
    if which == ProjectedJacobian::GolubPereyra {
        let checks = check::least_squares(&clever, &nonlinear, 5);
        assert!(checks.passed(), "{checks}");
    } else {
        let checks = check::objective(&clever, &nonlinear);
        assert!(checks.passed(), "{checks}");
    }
}

#[test]
fn several_heads_and_named_parts_go_by_dense_columns() {
    let data = waves(40, 2);
    let mut g = Graph::builder(2);
    let x = g.input();
    let h = g.node("hidden", Dense::new(4), &[x]).unwrap();
    let h = g.node("tanh", Activation::Tanh, &[h]).unwrap();
    let deep = g.node("deep", Dense::new(2), &[h]).unwrap();
    let wide = g.node("wide", Dense::new(2).without_bias(), &[x]).unwrap();
    let y = g.node("sum", Add, &[deep, wide]).unwrap();
    let net = Network::from(g.build(y).unwrap());
    let graph = net.graph().unwrap();
    let risk = Risk::new(graph, &data, SquaredError, Ridge(1e-3)).unwrap();
    let view = risk.least_squares().unwrap();
    let ranges = view.linear_parameters();
    assert_eq!(
        ranges.iter().map(|range| view.parameters_name(range)).collect::<Vec<_>>(),
        ["deep.weight", "deep.bias", "wide.weight"]
    );
    let theta = net.draw(1).unwrap();
    assert_eq!(view.linear_part(&ranges).copies, 1);
    compare(&view, &ranges, &theta, ProjectedJacobian::GolubPereyra);
    let part = [Range { start: ranges[0].start + 1, end: ranges[0].start + 4 }];
    assert_eq!(view.parameters_name(&part[0]), "part of deep.weight");
    compare(&view, &part, &theta, ProjectedJacobian::Kaufman);
}

#[test]
fn the_design_is_the_columns_of_the_jacobian() {
    let (data, net) = (waves(30, 2), Network::mlp([2, 3, 2], Activation::Tanh));
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, RidgeAll(0.3)).unwrap();
    let (view, theta) = (risk.least_squares().unwrap(), net.draw(2).unwrap());
    let part = view.linear_part(&view.linear_parameters());
    let (rows, columns) = part.design_shape();
    assert_eq!((part.copies, rows, columns), (2, 30 + 3 + 1, 4));
    let mut r = [vec![0.0; view.residual_len()], vec![0.0; view.residual_len()]];
    let mut designs = [Mat::zeros(rows, columns), Mat::zeros(rows, columns)];
    let [first, second] = &mut designs;
    view.linear_design(&theta, &part, &mut r[0], first.as_mut());
    Dumb(&view).linear_design(&theta, &part, &mut r[1], second.as_mut());
    assert_eq!(r[0], r[1]);
    for j in 0..columns {
        assert_close("Φ", first.col_as_slice(j), second.col_as_slice(j), 1e-15);
    }
}

#[test]
fn a_network_reaches_the_minimum_of_levenberg_marquardt_and_its_books_are_whole() {
    let (data, net) = (waves(60, 2), Network::mlp([2, 3, 2], Activation::Tanh));
    let graph = net.graph().unwrap();
    let theta = net.draw(4).unwrap();
    let risk = Risk::new(graph, &data, SquaredError, Ridge(1e-2)).unwrap();
    let view = risk.least_squares().unwrap();
    for factorization in [Factorization::Qr, Factorization::NormalEquations] {
        let inner = LevenbergMarquardt::default()
            .with_scaling(Scaling::Identity)
            .with_factorization(factorization);
        let solver = VariableProjection::default().with_levenberg_marquardt(inner.clone());
        let solution = minimize(&view, solver, &theta).unwrap();
        let report = &solution.report;
        assert!(report.reason.is_success(), "{report}");
        // The same valley: plain steps from there do not fall any further.
        let plain = minimize(&view, inner, &solution.theta).unwrap();
        let gain = report.value - plain.report.value;
        assert!(gain <= 1e-14 * report.value, "{gain:e} {report}\n{}", plain.report);
        assert_close("θ", &solution.theta, &plain.theta, 1e-7);
        let mut gradient = vec![0.0; theta.len()];
        let value = risk.value_gradient(&solution.theta, &mut gradient);
        assert!((value - report.value).abs() <= 1e-13 * value, "{report}");
        let largest = gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        // A large residual: the last digits of θ are those that f shows, half as many as it has.
        assert!((largest - report.gradient.max).abs() < 1e-13, "{largest:e} {report}");
        assert!(largest < 1e-5 * report.initial_gradient.max, "{largest:e} {report}");
        assert_eq!(report.parameters, theta.len());
    }
}

#[test]
fn fit_finds_the_linear_layer_or_takes_a_named_one() {
    let (data, net) = (waves(60, 1), Network::mlp([2, 6, 1], Activation::Tanh));
    let whole = secant::fit(&net, &data).method(VariableProjection::default()).max_iterations(30);
    let report = whole.run().unwrap().report().clone();
    assert!(report.notes.iter().any(|note| note.contains("7 linear")), "{report}");
    assert!(report.value < 0.3 * report.initial_value, "{report}");
    let graph = net.graph().unwrap();
    let bias = graph.parameters().range("dense2.bias").unwrap();
    let solver = VariableProjection::default().with_linear([bias]);
    let fit = secant::fit(&net, &data).method(solver).max_iterations(30).run().unwrap();
    assert!(fit.report().notes.iter().any(|note| note.contains("1 linear")), "{}", fit.report());

    let hidden = graph.parameters().range("dense1.weight").unwrap();
    let solver = VariableProjection::default().with_linear([hidden]);
    let error = secant::fit(&net, &data).method(solver).run().unwrap_err().to_string();
    assert!(error.contains("not linear in dense1.weight"), "{error}");
}

#[test]
fn problems_without_residuals_or_linear_layers_are_refused() {
    let (data, method) = (waves(20, 1), VariableProjection::default());
    let net = Network::mlp([2, 3, 1], Activation::Tanh);
    let huber = Robust::new(Rho::Huber, 1.0).unwrap();
    let error = secant::fit(&net, &data).loss(huber).method(method).run().unwrap_err();
    assert!(matches!(error, FitError::Optim(OptimError::NoResiduals { .. })), "{error}");

    let bent = Network::sequential(2).dense(3).node(Activation::Tanh).build();
    let (data, method) = (waves(20, 3), VariableProjection::default());
    let error = secant::fit(&bent, &data).method(method).run().unwrap_err();
    assert!(matches!(error, FitError::Optim(OptimError::NoLinearParameters { .. })), "{error}");
}

#[test]
fn a_linear_network_is_solved_where_it_starts() {
    let data = Dataset::from_csv("data/diabetes.csv", "target").unwrap();
    let net = Network::linear(10, 1);
    let fit = secant::fit(&net, &data).method(VariableProjection::default()).run().unwrap();
    let report = fit.report();
    assert_eq!((report.iterations, report.reason), (0, Reason::GradientConverged), "{report}");
    let newton = secant::fit(&net, &data).method(secant::Newton::default()).run().unwrap();
    assert_close("θ", fit.model().theta(), newton.model().theta(), 1e-12);
}

#[test]
fn hidden_units_alike_are_no_obstacle() {
    let (data, net) = (waves(40, 1), Network::mlp([2, 4, 1], Activation::Tanh));
    let mut theta = net.draw(5).unwrap();
    // Units 0 and 1 of the hidden layer begin as one: A has rank 4 of 5.
    (theta[1], theta[3 + 2], theta[8], theta[9]) = (theta[0], theta[4], 0.1, 0.1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let view = risk.least_squares().unwrap();
    for ridge in [0.0, 1e-3] {
        let stopping = Stopping { max_iterations: 100, ..Stopping::default() };
        let solver = VariableProjection::default().with_ridge(ridge).with_stopping(stopping);
        let report = minimize(&view, solver, &theta).unwrap().report;
        assert!(report.value < 0.5 * report.initial_value, "{report}");
        assert!(report.value.is_finite() && report.gradient.max.is_finite(), "{report}");
    }
    let part: LinearPart = view.linear_part(&view.linear_parameters());
    assert_eq!(part.copies, 1);
}

/// Linear parameters of a formula: found, solved for, and those of Levenberg–Marquardt in the end.
#[test]
fn what_enters_a_formula_linearly_needs_no_start() {
    let x: Vec<f64> = (0..60).map(|i| 0.1 * f64::from(i)).collect();
    let y: Vec<f64> =
        x.iter().map(|x| 2.5 * (-1.3 * x).exp() - 0.5 + 0.01 * (7.0 * x).sin()).collect();
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    let graph = Formula::new("a*exp(-b*x) + c", &["x"]).unwrap().graph().unwrap();
    let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
    let problem = risk.least_squares().unwrap();
    assert_eq!(problem.linear_parameters(), [0..1, 2..3]);
    let near = minimize(&problem, LevenbergMarquardt::default(), &[2.0, 1.0, 0.0]).unwrap();
    let found = minimize(&problem, VariableProjection::default(), &[1e9, 3.0, -1e9]).unwrap();
    for (found, near) in found.theta.iter().zip(&near.theta) {
        assert!((found - near).abs() < 1e-8 * near.abs(), "{found} {near}");
    }
    assert!((near.theta[1] - 1.3).abs() < 0.05);
}
