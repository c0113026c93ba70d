//! Every loss with weights and offsets, through the whole derivative check, and a whole-number weight against as many copies of its
//! sample on every path.

use super::support::{
    assert_passed, gauss_newton, hessian, labels, matrix_distance, normals, numbers, probabilities,
};
use secant::check::{self, Checks, distance};
use secant::core::predict::outputs;
use secant::core::rho::Rho;
use secant::data::{Dataset, Standardizer, Targets};
use secant::graph::Graph;
use secant::loss::{
    AbsoluteError, Gamma, Hinge, LearnedVariance, LogCosh, Logistic, Loss, MaskedSquaredError,
    NegativeBinomial, Poisson, Quantile, Robust, SoftmaxCrossEntropy, SquaredError,
};
use secant::network::Network;
use secant::op::{Activation, Add, Dense};
use secant::penalty::{NoPenalty, Ridge};
use secant::problem::{Curvature, LeastSquares, Linearization, Objective, SampledObjective};
use secant::risk::{Risk, RiskError};

const FEATURES: usize = 3;
/// Two tiles, the last one short.
const SAMPLES: usize = 530;
/// What two sums of the same terms in another order may differ by, relative to the largest entry.
const REORDERED: f64 = 1e-12;

/// A loss with the outputs that it takes here and data for it.
struct Case {
    name: &'static str,
    loss: Box<dyn Fn() -> Box<dyn Loss>>,
    outputs: usize,
    data: Dataset,
    /// Whether second derivatives are continuous, so that differences see them wherever they are taken.
    twice: bool,
}

/// Positive numbers, c × N.
fn positive(c: usize, samples: usize, seed: u64) -> Dataset {
    let data = numbers(FEATURES, c, samples, seed);
    let y: Vec<f64> = data.targets().values().unwrap().iter().map(|y| 0.1 + y.abs()).collect();
    Dataset::from_slices(FEATURES, data.inputs(), c, &y).unwrap()
}

/// Two targets and their weights, some of them 0.
fn masked(samples: usize) -> Dataset {
    let data = numbers(FEATURES, 4, samples, 7);
    let y = data.targets().values().unwrap().iter().enumerate();
    let weight = |(at, y): (usize, &f64)| if at % 4 < 2 { *y } else { y.max(0.0) };
    Dataset::from_slices(FEATURES, data.inputs(), 4, &y.map(weight).collect::<Vec<_>>()).unwrap()
}

/// Whole numbers from 0 on, c × N.
fn counts(c: usize, samples: usize, seed: u64) -> Dataset {
    let data = numbers(FEATURES, c, samples, seed);
    let y: Vec<f64> =
        data.targets().values().unwrap().iter().map(|y| (3.0 * y.abs()).floor()).collect();
    Dataset::from_slices(FEATURES, data.inputs(), c, &y).unwrap()
}

/// What makes copies of a loss.
fn of<L: Loss + Clone + 'static>(loss: L) -> Box<dyn Fn() -> Box<dyn Loss>> {
    Box::new(move || Box::new(loss.clone()))
}

/// Every loss and form of one.
fn cases(samples: usize) -> Vec<Case> {
    let case = |name, loss, outputs, data, twice| Case { name, loss, outputs, data, twice };
    let two = || numbers(FEATURES, 2, samples, 2);
    let (binary, classes) =
        (|| labels(FEATURES, 2, samples, 4), || labels(FEATURES, 4, samples, 5));
    let smoothed = SoftmaxCrossEntropy.with_class_weights([0.5, 2.0, 1.0, 0.0]).with_smoothing(0.1);
    vec![
        case("squared", of(SquaredError), 2, two(), true),
        case("masked squared", of(MaskedSquaredError), 2, masked(samples), true),
        case("absolute", of(AbsoluteError), 2, two(), false),
        case("huber", of(Robust::huber(0.7).unwrap()), 2, two(), false),
        case("soft-l1", of(Robust::new(Rho::SoftL1, 0.7).unwrap()), 2, two(), true),
        case("cauchy", of(Robust::new(Rho::Cauchy, 0.7).unwrap()), 2, two(), true),
        case("tukey", of(Robust::new(Rho::Tukey, 2.0).unwrap()), 2, two(), true),
        case("log-cosh", of(LogCosh::new(0.8)), 2, two(), true),
        case("quantile", of(Quantile::new(0.8, 0.5)), 2, two(), true),
        case("learned variance", of(LearnedVariance), 4, two(), true),
        case("poisson", of(Poisson::default()), 2, counts(2, samples, 3), true),
        case("poisson, full", of(Poisson::full()), 1, counts(1, samples, 3), true),
        case("negative binomial", of(NegativeBinomial::new(0.6)), 2, counts(2, samples, 3), true),
        case("the same, full", of(NegativeBinomial::full(0.6)), 1, counts(1, samples, 3), true),
        case("gamma", of(Gamma), 2, positive(2, samples, 3), true),
        case("logistic", of(Logistic), 1, binary(), true),
        case("logistic, numbers", of(Logistic), 1, probabilities(FEATURES, samples, 4), true),
        case("softmax", of(SoftmaxCrossEntropy), 4, classes(), true),
        case("softmax, smoothed", of(smoothed), 4, classes(), true),
        case("hinge", of(Hinge::plain()), 1, binary(), false),
        case("hinge, one against the rest", of(Hinge::plain()), 4, classes(), false),
        case("hinge, rivals", of(Hinge::plain().crammer_singer()), 4, classes(), false),
        case("squared hinge", of(Hinge::squared()), 1, binary(), false),
        case("squared hinge, one against the rest", of(Hinge::squared()), 4, classes(), false),
        case("squared hinge, rivals", of(Hinge::squared().crammer_singer()), 4, classes(), false),
    ]
}

/// 0, 1, 2, 3, 0, …
fn whole(samples: usize) -> Vec<f64> {
    (0..samples).map(|i| (i * 7 % 4) as f64).collect()
}

/// Positive, of no common size, and some 0.
fn uneven(samples: usize) -> Vec<f64> {
    let weight = |(i, w): (usize, &f64)| if i % 5 == 3 { 0.0 } else { 30.0 * w.abs() };
    normals(samples, 8).iter().enumerate().map(weight).collect()
}

/// Small, for one or all of the outputs.
fn offsets(rows: usize, samples: usize) -> Vec<f64> {
    normals(rows * samples, 9).iter().map(|x| 0.4 * x).collect()
}

/// Every sample as often as its weight says, with its offset.
fn repeated(data: &Dataset, weights: &[f64]) -> Dataset {
    let copies = |i: usize| (0..4).filter(move |k| f64::from(*k) < weights[i]).map(move |_| i);
    let indices: Vec<usize> = (0..data.samples()).flat_map(copies).collect();
    data.select(&indices).unwrap()
}

/// A network, a linear model, and one that is affine without being a dense layer of its inputs.
fn graphs(outputs: usize) -> Vec<(&'static str, Graph)> {
    let mut f = Graph::builder(FEATURES);
    let hidden = f.node("hidden", Dense::new(4), &[f.input()]).unwrap();
    let bend = f.node("bend", Activation::Tanh, &[hidden]).unwrap();
    let network = f.node("network", Dense::new(outputs), &[bend]).unwrap();
    let mut l = Graph::builder(FEATURES);
    let linear = l.node("linear", Dense::new(outputs), &[l.input()]).unwrap();
    let mut g = Graph::builder(FEATURES);
    let x = g.input();
    let sine = g.node("sine", Activation::Sine, &[x]).unwrap();
    let a = g.node("a", Dense::new(outputs), &[x]).unwrap();
    let b = g.node("b", Dense::new(outputs).without_bias(), &[sine]).unwrap();
    let y = g.node("y", Add, &[a, b]).unwrap();
    // An output node that looks at its own output: offsets must not reach it.
    let mut h = Graph::builder(FEATURES);
    let last = h.node("last", Dense::new(outputs), &[h.input()]).unwrap();
    let bent = h.node("bent", Activation::Tanh, &[last]).unwrap();
    vec![
        ("network", f.build(network).unwrap()),
        ("linear", l.build(linear).unwrap()),
        ("affine", g.build(y).unwrap()),
        ("bent output", h.build(bent).unwrap()),
    ]
}

fn start(n: usize) -> Vec<f64> {
    normals(n, 11).iter().map(|x| 0.5 * x).collect()
}

/// Without the checks that need second derivatives to be continuous.
fn once(checks: Checks) -> Checks {
    let seen = |what: &str| {
        !what.starts_with("Taylor") && what != "Hessian product, differences of gradients"
    };
    Checks(checks.0.into_iter().filter(|check| seen(check.what)).collect())
}

#[test]
fn every_loss_passes_with_weights_and_offsets() {
    for case in cases(SAMPLES) {
        for (name, graph) in graphs(case.outputs) {
            let theta = start(graph.parameters().dim());
            let plain = case.data.clone();
            let weighted = plain.clone().with_weights(uneven(SAMPLES)).unwrap();
            let all = weighted.clone().with_offset(offsets(case.outputs, SAMPLES)).unwrap();
            let one = weighted.clone().with_offset(offsets(1, SAMPLES)).unwrap();
            let kinds = [("plain", plain), ("weights", weighted), ("c × N", all), ("1 × N", one)];
            for (kind, data) in kinds {
                let risk = Risk::from_boxed(&graph, &data, (case.loss)(), Box::new(Ridge(0.1)));
                let risk = risk.unwrap();
                let context = format!("{}, {name}, {kind}", case.name);
                assert!(risk.tile_samples() < SAMPLES, "{context}: one tile only");
                let checks = check::curvature(&risk, &theta, 21);
                let checks = if case.twice { checks } else { once(checks) };
                assert_passed(&checks, &context);
                if let Some(view) = risk.least_squares() {
                    assert_passed(&check::least_squares(&view, &theta, 22), &context);
                }
                let batch: Vec<usize> = (0..50).map(|i| (i * 97 + 5) % SAMPLES).collect();
                assert_passed(&check::sampled(&risk, &batch, &theta), &context);
            }
        }
    }
}

#[test]
fn the_value_is_the_weighted_mean_of_the_loss_of_shifted_outputs() {
    for case in cases(50) {
        for (name, graph) in graphs(case.outputs) {
            let (theta, c) = (start(graph.parameters().dim()), case.outputs);
            for rows in [1, c] {
                let (weights, offset) = (uneven(50), offsets(rows, 50));
                let z = outputs(&graph, &theta, case.data.inputs()).unwrap();
                let loss = (case.loss)();
                let (mut total, mut mass) = (0.0, 0.0);
                for i in 0..50 {
                    let shift = |k: usize| offset[i * rows + if rows == 1 { 0 } else { k }];
                    let scores: Vec<f64> = (0..c).map(|k| z[i * c + k] + shift(k)).collect();
                    let y = case.data.targets().tile(i..i + 1);
                    total += weights[i] * loss.value(&scores, y);
                    mass += weights[i];
                }
                let data = case.data.clone().with_weights(weights).unwrap();
                let data = data.with_offset(offset).unwrap();
                let risk = Risk::from_boxed(&graph, &data, loss, Box::new(NoPenalty)).unwrap();
                let error = distance(&[risk.value(&theta)], &[total / mass]);
                assert!(error <= REORDERED, "{}, {name}, {rows}: {error:e}", case.name);
            }
        }
    }
}

#[test]
fn a_weight_is_as_many_copies_on_every_path() {
    let weights = whole(SAMPLES);
    for case in cases(SAMPLES) {
        for (name, graph) in graphs(case.outputs) {
            let n = graph.parameters().dim();
            let (theta, v) = (start(n), normals(n, 12));
            let data = case.data.clone().with_offset(offsets(1, SAMPLES)).unwrap();
            let copies = repeated(&data, &weights);
            let data = data.with_weights(weights.clone()).unwrap();
            assert_eq!(data.total_weight(), copies.samples() as f64);
            let risk =
                |data| Risk::from_boxed(&graph, data, (case.loss)(), Box::new(Ridge(0.1))).unwrap();
            let (weighted, repeated) = (risk(&data), risk(&copies));
            let near = |a: &[f64], b: &[f64], what: &str| {
                let error = distance(a, b);
                assert!(error <= REORDERED, "{}, {name}, {what}: {error:e}", case.name);
            };
            let (mut a, mut b) = (vec![f64::NAN; n], vec![f64::NAN; n]);
            near(&[weighted.value(&theta)], &[repeated.value(&theta)], "value");
            let values =
                (weighted.value_gradient(&theta, &mut a), repeated.value_gradient(&theta, &mut b));
            near(&[values.0], &[values.1], "value with gradient");
            near(&a, &b, "gradient");

            // The batch of all samples: all alike.
            let everyone: Vec<usize> = (0..SAMPLES).rev().collect();
            let value = weighted.value_gradient_on(&everyone, &theta, &mut a);
            near(&[value], &[values.1], "value of the batch of all");
            near(&a, &b, "gradient of the batch of all");

            // With and without kept tapes.
            for budget in [usize::MAX, 0] {
                let weighted = risk(&data).with_tape_budget(budget);
                let (at, other) = (weighted.linearize(&theta), repeated.linearize(&theta));
                near(&[at.value()], &[other.value()], "value, linearised");
                near(at.gradient(), other.gradient(), "gradient, linearised");
                at.hessian_vector(&v, &mut a);
                other.hessian_vector(&v, &mut b);
                near(&a, &b, "Hessian product");
                at.gauss_newton_vector(&v, &mut a);
                other.gauss_newton_vector(&v, &mut b);
                near(&a, &b, "Gauss–Newton product");
                at.gauss_newton_diagonal(&mut a);
                other.gauss_newton_diagonal(&mut b);
                near(&a, &b, "Gauss–Newton diagonal");
                for (what, x, y) in [
                    ("dense Hessian", hessian(&at, n), hessian(&other, n)),
                    ("dense Gauss–Newton", gauss_newton(&at, n), gauss_newton(&other, n)),
                ] {
                    let error = matrix_distance(&x, &y);
                    assert!(error <= REORDERED, "{}, {name}, {what}: {error:e}", case.name);
                }
            }
            if let (Some(view), Some(other)) = (weighted.least_squares(), repeated.least_squares())
            {
                least_squares_alike(&view, &other, &theta, name);
            }
        }
    }
}

/// JᵀJ, Jᵀr, the diagonal, the half square, and the design of the linear parameters, which do not depend on how rows are shared out.
fn least_squares_alike(
    view: &impl LeastSquares,
    other: &impl LeastSquares,
    theta: &[f64],
    name: &str,
) {
    let n = theta.len();
    let parts = |view: &dyn Fn(&mut [f64], faer::MatMut<'_, f64>) -> f64| {
        let (mut gradient, mut normal) = (vec![f64::NAN; n], faer::Mat::zeros(n, n));
        let value = view(&mut gradient, normal.as_mut());
        (value, gradient, normal)
    };
    let a = parts(&|gradient, normal| view.normal_equations(theta, normal, gradient));
    let b = parts(&|gradient, normal| other.normal_equations(theta, normal, gradient));
    assert!(distance(&[a.0], &[b.0]) <= REORDERED, "{name}: value");
    assert!(distance(&a.1, &b.1) <= REORDERED, "{name}: Jᵀr");
    assert!(matrix_distance(&a.2, &b.2) <= REORDERED, "{name}: JᵀJ");
    // The design of the linear parameters against their columns of J.
    let ranges = view.linear_parameters();
    let part = view.linear_part(&ranges);
    let (rows, columns) = part.design_shape();
    let mut design = faer::Mat::from_fn(rows, columns, |_, _| f64::NAN);
    let mut residuals = vec![f64::NAN; view.residual_len()];
    let half = view.linear_design(theta, &part, &mut residuals, design.as_mut());
    assert!(distance(&[half], &[b.0]) <= REORDERED, "{name}: half square of the design");
    let mut jacobian = faer::Mat::zeros(view.residual_len(), n);
    view.jacobian(theta, &mut vec![0.0; view.residual_len()], jacobian.as_mut());
    let linear: Vec<usize> = part.ranges.iter().cloned().flatten().collect();
    let squares = |matrix: &faer::Mat<f64>, column: usize| -> f64 {
        (0..matrix.nrows()).map(|i| matrix[(i, column)] * matrix[(i, column)]).sum()
    };
    for j in 0..columns {
        let (a, b) = (squares(&design, j), squares(&jacobian, linear[j * part.copies]));
        assert!(distance(&[a], &[b]) <= REORDERED, "{name}: column {j} of the design");
    }
}

#[test]
fn standardisation_counts_copies_and_parts_keep_their_weights() {
    let weights = whole(40);
    let plain = numbers(FEATURES, 2, 40, 2).with_offset(offsets(2, 40)).unwrap();
    let copies = repeated(&plain, &weights);
    let data = plain.with_weights(weights.clone()).unwrap();
    for (a, b) in [
        (Standardizer::fit_inputs(&data), Standardizer::fit_inputs(&copies)),
        (Standardizer::fit_targets(&data).unwrap(), Standardizer::fit_targets(&copies).unwrap()),
    ] {
        assert!(distance(a.means(), b.means()) <= 1e-14);
        assert!(distance(a.deviations(), b.deviations()) <= 1e-14);
    }
    // A masked sample does not keep a constant column from being one.
    let masked = Dataset::from_slices(1, &[2.0, 2.0, 1e9], 1, &[0.0; 3]).unwrap();
    let masked = masked.with_weights(vec![0.3, 1.1, 0.0]).unwrap();
    assert_eq!(Standardizer::fit_inputs(&masked).constant_names(), ["x1"]);

    let scaled = Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap();
    assert_eq!(scaled.weights(), data.weights());
    assert_eq!(scaled.offset(), data.offset());
    let part = data.select(&[5, 2, 5]).unwrap();
    assert_eq!(part.weights(), Some(&[weights[5], weights[2], weights[5]][..]));
    let all = data.offset().unwrap();
    assert_eq!(part.offset(), Some(&[&all[10..12], &all[4..6], &all[10..12]].concat()[..]));
    // Weights of 0 only leave nothing to average.
    let error = data.select(&[0, 4]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the weights of 2 samples sum to 0, expected a positive number of normal size"
    );
    let error = Standardizer::fit_targets(&data).unwrap().transform_targets(&data).unwrap_err();
    assert!(error.to_string().contains("offset"), "{error}");
}

#[test]
fn weights_and_offsets_out_of_range_are_refused_with_their_sample() {
    let data = || numbers(FEATURES, 2, 4, 1);
    for (weights, text) in [
        (vec![1.0; 3], "weights: expected 4, found 3"),
        (vec![1.0, 2.0, f64::NAN, 1.0], "the weight of sample 2 (from 0) is NaN"),
        (vec![1.0, -0.5, 1.0, 1.0], "the weight of sample 1 (from 0) is -0.5"),
        (vec![f64::INFINITY, 1.0, 1.0, 1.0], "the weight of sample 0 (from 0) is inf"),
        (vec![0.0; 4], "the weights of 4 samples sum to 0"),
        (vec![1e308; 4], "the weights of 4 samples sum to inf"),
        (vec![1e-320; 4], "the weights of 4 samples sum to"),
    ] {
        let error = data().with_weights(weights).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
    let error = data().with_offset(vec![0.0; 7]).unwrap_err();
    assert_eq!(error.to_string(), "offsets: expected 8, found 7");
    let error = data().with_offset(vec![]).unwrap_err();
    assert_eq!(error.to_string(), "offsets: expected 4, found 0");
    let error = data().with_offset(vec![0.0, 0.0, f64::NAN, 0.0]).unwrap_err();
    assert!(error.to_string().starts_with("sample 2 (from 0)"), "{error}");
    let three = data().with_offset(vec![0.0; 12]).unwrap();
    let net = Network::linear(FEATURES, 2);
    let error = Risk::new(net.graph().unwrap(), &three, SquaredError, Ridge(0.0)).unwrap_err();
    assert_eq!(error, RiskError::Offset { rows: 3, outputs: 2 });
}

#[test]
fn a_masked_sample_does_not_count_even_where_its_loss_is_not_finite() {
    // e^800 overflows.
    let data = Dataset::from_slices(1, &[1.0, 800.0], 1, &[2.0, 1.0]).unwrap();
    let net = Network::linear(1, 1);
    let graph = net.graph().unwrap();
    let theta = [1.0, 0.0];
    let risk = Risk::new(graph, &data, Poisson::default(), Ridge(0.0)).unwrap();
    assert!(!risk.value(&theta).is_finite());
    let masked = data.clone().with_weights(vec![3.0, 0.0]).unwrap();
    let risk = Risk::new(graph, &masked, Poisson::default(), Ridge(0.0)).unwrap();
    let mut gradient = [f64::NAN; 2];
    let value = risk.value_gradient(&theta, &mut gradient);
    let mean = 1.0_f64.exp();
    assert!(distance(&[value, gradient[0]], &[mean - 2.0, mean - 2.0]) <= 1e-15);
    let h = hessian(&risk.linearize(&theta), 2);
    assert!((h[(0, 1)] - mean).abs() <= 1e-15, "{h:?}");
    assert!(matches!(masked.targets(), Targets::Values { .. }));
}
