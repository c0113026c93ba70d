//! Mistakes end in the documented error with its names and numbers; numerical trouble ends in a non-finite value.

use secant::core::predict::{PredictError, outputs};
use secant::core::shape::ShapeError;
use secant::data::{DataError, Dataset};
use secant::graph::{Graph, GraphError};
use secant::loss::{Logistic, Loss, LossError, SoftmaxCrossEntropy, SquaredError};
use secant::network::Network;
use secant::op::{Activation, Dense};
use secant::penalty::{NoPenalty, Penalty, PenaltyError, Ridge, RidgeAll};
use secant::problem::{Curvature, LeastSquares, Linearization, Objective};
use secant::risk::{Risk, RiskError};
use secant::{Lbfgs, LevenbergMarquardt, Method, Newton};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn linear(features: usize, outputs: usize) -> Network {
    Network::linear(features, outputs)
}

fn refused(
    graph: &Graph,
    data: &Dataset,
    loss: impl Loss + 'static,
    penalty: impl Penalty + 'static,
) -> RiskError {
    Risk::new(graph, data, loss, penalty).unwrap_err()
}

fn assert_names(error: &impl std::error::Error, parts: &[&str]) {
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "`{message}` does not name {part}");
    }
}

/// Three samples of two features.
const INPUTS: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 7.0];

fn numbers(outputs: usize) -> Dataset {
    Dataset::from_slices(2, &INPUTS, outputs, &vec![0.5; 3 * outputs]).unwrap()
}

fn labels(classes: usize) -> Dataset {
    Dataset::from_labels(2, &INPUTS, classes, &[0, 1, 1]).unwrap()
}

#[test]
fn another_number_of_features_is_refused_with_both_numbers() {
    let net = linear(5, 1);
    let error = refused(net.graph().unwrap(), &numbers(1), SquaredError, NoPenalty);
    assert_eq!(error, RiskError::Features { expected: 5, found: 2 });
    assert_names(&error, &["5", "2", "feature"]);
}

#[test]
fn targets_that_a_loss_cannot_take_are_refused_with_names_and_numbers() {
    let (one, three, four) = (linear(2, 1), linear(2, 3), linear(2, 4));
    let [one, three, four] = [&one, &three, &four].map(|net| net.graph().unwrap());
    let mismatch =
        |loss, outputs, needed| RiskError::Loss(LossError::Outputs { loss, outputs, needed });

    let error = refused(three, &numbers(2), SquaredError, NoPenalty);
    assert_eq!(error, mismatch("squared", 3, 2));
    assert_names(&error, &["squared", "3", "2"]);
    let error = refused(one, &labels(2), SquaredError, NoPenalty);
    assert!(matches!(error, RiskError::Loss(LossError::Kind { loss: "squared", .. })));
    assert_names(&error, &["squared", "numbers", "class labels"]);

    let error = refused(four, &labels(3), SoftmaxCrossEntropy, NoPenalty);
    assert_eq!(error, mismatch("softmax", 4, 3));
    assert_names(&error, &["softmax", "4", "3"]);
    assert_eq!(refused(one, &labels(2), SoftmaxCrossEntropy, NoPenalty), mismatch("softmax", 1, 2));
    let error = refused(three, &numbers(3), SoftmaxCrossEntropy, NoPenalty);
    assert!(matches!(error, RiskError::Loss(LossError::Kind { loss: "softmax", .. })));
    assert_names(&error, &["softmax", "class labels", "numbers"]);
    // One class only: nothing to tell apart.
    let single = Dataset::from_labels(2, &INPUTS, 1, &[0, 0, 0]).unwrap();
    assert_eq!(refused(one, &single, SoftmaxCrossEntropy, NoPenalty), mismatch("softmax", 1, 2));

    assert_eq!(refused(three, &labels(2), Logistic, NoPenalty), mismatch("logistic", 3, 1));
    let error = refused(one, &labels(3), Logistic, NoPenalty);
    assert_names(&error, &["logistic", "two classes"]);
    assert_eq!(refused(one, &numbers(2), Logistic, NoPenalty), mismatch("logistic", 1, 2));
    for (value, text) in [(1.5, "1.5"), (-0.25, "-0.25")] {
        let data = Dataset::from_slices(2, &INPUTS, 1, &[0.0, value, 1.0]).unwrap();
        let error = refused(one, &data, Logistic, NoPenalty);
        let RiskError::Loss(LossError::Domain { sample: 1, value: found, .. }) = error else {
            panic!("{error}")
        };
        assert_eq!(found, value);
        assert_names(&error, &["logistic", text, "sample 1", "[0, 1]"]);
    }
}

#[test]
fn penalties_out_of_range_are_refused_with_name_and_value() {
    let net = linear(2, 1);
    let (graph, data) = (net.graph().unwrap(), numbers(1));
    for (lambda, text) in
        [(-1e-3, "-0.001"), (f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")]
    {
        for error in [
            refused(graph, &data, SquaredError, Ridge(lambda)),
            refused(graph, &data, SquaredError, RidgeAll(lambda)),
        ] {
            let RiskError::Penalty(PenaltyError::Option { penalty, option, value, .. }) = &error
            else {
                panic!("{error}")
            };
            assert_eq!((*penalty, *option), ("ridge", "lambda"));
            assert_eq!(value.to_bits(), lambda.to_bits());
            assert_names(&error, &["ridge", "lambda", text, "≥ 0"]);
        }
    }
    // The borders are allowed.
    for lambda in [0.0, -0.0, f64::MIN_POSITIVE, 1e300] {
        assert!(Risk::new(graph, &data, SquaredError, Ridge(lambda)).is_ok(), "{lambda}");
    }
}

#[test]
fn data_that_do_not_fit_together_are_refused_with_names_and_numbers() {
    let error = Dataset::from_slices(2, &INPUTS, 1, &[0.0; 4]).unwrap_err();
    assert!(matches!(error, DataError::WrongLength { expected: 3, found: 4, .. }), "{error}");
    assert_names(&error, &["3", "4"]);
    let error = Dataset::from_labels(2, &INPUTS, 2, &[0, 1]).unwrap_err();
    assert!(matches!(error, DataError::WrongLength { expected: 3, found: 2, .. }), "{error}");
    let error = Dataset::from_labels(2, &INPUTS, 2, &[0, 1, 2]).unwrap_err();
    assert!(matches!(error, DataError::LabelOutOfRange { classes: 2, .. }), "{error}");
    assert_names(&error, &["sample 2", "from 0 to 1", "found 2"]);
    let mut inputs = INPUTS;
    inputs[3] = f64::NAN;
    let error = Dataset::from_slices(2, &inputs, 1, &[0.0; 3]).unwrap_err();
    assert_names(&error, &["sample 1", "NaN", "finite"]);
    let error = Dataset::from_slices(2, &INPUTS, 1, &[0.0, f64::INFINITY, 0.0]).unwrap_err();
    assert_names(&error, &["sample 1", "inf", "finite"]);
    assert!(matches!(Dataset::from_slices(2, &[], 1, &[]), Err(DataError::NoData { .. })));
    assert!(matches!(Dataset::from_slices(0, &[], 1, &[]), Err(DataError::NoData { .. })));
    assert!(matches!(Dataset::from_slices(2, &INPUTS, 0, &[]), Err(DataError::NoData { .. })));
}

#[test]
fn networks_that_cannot_be_built_name_the_node() {
    let error = Network::mlp([3, 4, 0], Activation::Tanh).graph().map(|_| ()).unwrap_err();
    assert!(matches!(error, GraphError::Shape { source: ShapeError::Empty(_), .. }), "{error}");
    assert_names(&error, &["dense2"]);
    let error = Network::sequential(0).dense(1).build().graph().map(|_| ()).unwrap_err();
    assert_names(&error, &["dense1", "empty"]);
    let stack = Network::sequential(2).node(Activation::LeakyRelu { slope: f64::INFINITY });
    let error = stack.dense(1).build().graph().map(|_| ()).unwrap_err();
    assert_names(&error, &["leaky_relu1", "slope", "inf"]);
}

#[test]
fn predictions_of_what_does_not_fit_are_refused_with_numbers() {
    let net = linear(2, 1);
    let graph = net.graph().unwrap();
    let error = outputs(graph, &[0.0; 5], &INPUTS).unwrap_err();
    assert_eq!(error, PredictError::Parameters { expected: 3, found: 5 });
    assert_names(&error, &["theta", "5", "3"]);
    let error = outputs(graph, &[0.0; 3], &INPUTS[..5]).unwrap_err();
    assert_eq!(error, PredictError::Inputs { features: 2, found: 5 });
    let error = outputs(graph, &[0.0; 3], &[1.0, 2.0, 3.0, f64::INFINITY]).unwrap_err();
    assert_names(&error, &["sample 1", "feature 1", "inf"]);
    assert_eq!(outputs(graph, &[0.0; 3], &[]), Ok(Vec::new()));
    assert_eq!(outputs(graph, &[2.0, 1.0, 0.5], &INPUTS), Ok(vec![4.5, 10.5, 17.5]));
}

/// Every quantity at θ; the value is returned.
fn everything(risk: &Risk<'_>, theta: &[f64]) -> f64 {
    let n = risk.dim();
    let (v, mut out) = (vec![1.0; n], vec![0.0; n]);
    let value = risk.value(theta);
    let again = risk.value_gradient(theta, &mut out);
    assert_eq!(value.is_finite(), again.is_finite());
    let at = risk.linearize(theta);
    assert_eq!(value.is_finite(), at.value().is_finite());
    at.hessian_vector(&v, &mut out);
    at.gauss_newton_vector(&v, &mut out);
    let mut matrix = faer::Mat::zeros(n, n);
    at.hessian(matrix.as_mut());
    at.gauss_newton(matrix.as_mut());
    if let Some(problem) = risk.least_squares() {
        let mut residuals = vec![0.0; problem.residual_len()];
        problem.residuals(theta, &mut residuals);
        problem.normal_equations(theta, matrix.as_mut(), &mut out);
    }
    value
}

#[test]
fn a_step_out_of_a_domain_is_shortened_and_a_start_outside_is_no_fit() {
    // y = ln(2x + 1): the logarithm of a line that a long step makes negative.
    let x: Vec<f64> = (0..20).map(|i| 0.1 * f64::from(i)).collect();
    let y: Vec<f64> = x.iter().map(|x| (2.0 * x + 1.0).ln()).collect();
    let data = Dataset::from_slices(1, &x, 1, &y).unwrap();
    for last in [Activation::Log, Activation::Sqrt, Activation::Power { exponent: 0.3 }] {
        let mut g = Graph::builder(1);
        let line = g.node("line", Dense::new(1), &[g.input()]).unwrap();
        let bent = g.node("bent", last, &[line]).unwrap();
        let graph = g.build(bent).unwrap();
        let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
        assert!(!everything(&risk, &[-1.0, 1.0]).is_finite(), "{last:?}: the line crosses zero");
        for method in [
            Method::from(Lbfgs::default()),
            Newton::default().into(),
            Method::from(LevenbergMarquardt::default()),
        ] {
            let solution = method.clone().minimize(&risk, &[10.0, 20.0]).unwrap();
            let report = &solution.report;
            assert!(report.value.is_finite() && report.value < report.initial_value, "{report}");
            if last == Activation::Log {
                assert!(report.value < 1e-12, "{report}");
                assert!((solution.theta[0] - 2.0).abs() < 1e-4, "{report}");
            }
            let outside = method.minimize(&risk, &[-1.0, 1.0]).unwrap();
            assert!(!outside.report.reason.is_converged(), "{}", outside.report);
        }
    }
}

/// Data, outputs of the model, loss.
type Case<'a> = (&'a Dataset, usize, fn() -> Box<dyn Loss>);

#[test]
fn a_non_finite_theta_gives_a_non_finite_value_and_no_panic() {
    let (numbers_1, numbers_2) = (numbers(1), numbers(2));
    let (two, three) = (labels(2), Dataset::from_labels(2, &INPUTS, 3, &[0, 1, 2]).unwrap());
    let cases: [Case<'_>; 4] = [
        (&numbers_1, 1, || Box::new(SquaredError)),
        (&numbers_2, 2, || Box::new(SquaredError)),
        (&two, 1, || Box::new(Logistic)),
        (&three, 3, || Box::new(SoftmaxCrossEntropy)),
    ];
    for (data, outputs, loss) in cases {
        for net in [
            linear(2, outputs),
            Network::mlp([2, 3, outputs], Activation::Relu),
            Network::mlp([2, 3, outputs], Activation::Tanh),
            Network::mlp([2, 3, outputs], Activation::Sine),
            Network::mlp([2, 3, outputs], Activation::Gelu),
        ] {
            let graph = net.graph().unwrap();
            let name = loss().name();
            let risk = Risk::from_boxed(graph, data, loss(), Box::new(Ridge(0.1))).unwrap();
            let n = risk.dim();
            for bad in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
                assert!(!everything(&risk, &vec![bad; n]).is_finite(), "{name} {bad}");
                // A single bad weight is enough: the ridge sees all of them.
                let mut theta = vec![0.1; n];
                theta[0] = bad;
                assert!(!everything(&risk, &theta).is_finite(), "{name} {bad} in one weight");
            }
            let mut theta = vec![0.1; n];
            theta[n - 1] = f64::NAN;
            assert!(!everything(&risk, &theta).is_finite(), "{name}: NaN in the last bias");
            // Overflow on the way: |w| = 1e200 has an infinite square.
            assert!(!everything(&risk, &vec![1e200; n]).is_finite(), "{name}: overflow");
            assert!(everything(&risk, &vec![0.1; n]).is_finite(), "{name}: and back");
        }
    }
}

#[test]
fn one_sample_of_one_feature() {
    let data = Dataset::from_slices(1, &[2.0], 1, &[5.0]).unwrap();
    let net = linear(1, 1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let mut gradient = [0.0; 2];
    // f = ½(2w + b − 5)² at w = 1, b = ½.
    assert_eq!(risk.value_gradient(&[1.0, 0.5], &mut gradient), 3.125);
    assert_eq!(gradient, [-5.0, -2.5]);
    assert_eq!((risk.tile_samples(), risk.shards()), (1, 1));
    let mut hessian = faer::Mat::zeros(2, 2);
    risk.linearize(&[1.0, 0.5]).hessian(hessian.as_mut());
    assert_eq!(hessian, faer::mat![[4.0, 2.0], [2.0, 1.0]]);
    let data = Dataset::from_labels(1, &[2.0], 2, &[1]).unwrap();
    for hidden in [1, 3] {
        let net = Network::mlp([1, hidden, 1], Activation::Tanh);
        let risk = Risk::new(net.graph().unwrap(), &data, Logistic, Ridge(0.1)).unwrap();
        assert!(everything(&risk, &vec![0.2; risk.dim()]).is_finite());
    }
    let net = linear(1, 2);
    let risk = Risk::new(net.graph().unwrap(), &data, SoftmaxCrossEntropy, NoPenalty).unwrap();
    assert_eq!(everything(&risk, &[0.0; 4]), std::f64::consts::LN_2);
}

/// The message of the panic of `run`.
fn panic_message(run: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_string(),
    }
}

#[test]
fn a_slice_of_the_wrong_length_panics_with_both_lengths() {
    let net = linear(2, 1);
    let data = numbers(1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let at = risk.linearize(&[0.0; 3]);
    let mut out = [0.0; 3];
    let mut long = [0.0; 17];
    let mut matrix = faer::Mat::zeros(17, 3);
    let messages = [
        ("theta", panic_message(|| _ = risk.value(&long.clone()))),
        ("theta", panic_message(|| _ = risk.value_gradient(&long.clone(), &mut out))),
        ("gradient", panic_message(|| _ = risk.value_gradient(&[0.0; 3], &mut long))),
        ("theta", panic_message(|| _ = risk.linearize(&long.clone()))),
        ("v", panic_message(|| at.hessian_vector(&long.clone(), &mut out))),
        ("out", panic_message(|| at.hessian_vector(&[0.0; 3], &mut long))),
        ("v", panic_message(|| at.gauss_newton_vector(&long.clone(), &mut out))),
        ("matrix", panic_message(|| at.hessian(matrix.as_mut()))),
        ("matrix", panic_message(|| at.gauss_newton(matrix.as_mut()))),
    ];
    let squares = risk.least_squares().unwrap();
    let (mut three, mut matrix_of_three) = ([0.0; 3], faer::Mat::zeros(3, 3));
    let matrix_of_three = &mut matrix_of_three;
    let zero = [0.0; 3];
    let residual_messages = [
        ("theta", panic_message(|| _ = squares.residuals(&long.clone(), &mut three))),
        ("residuals", panic_message(|| _ = squares.residuals(&zero, &mut long))),
        ("theta", panic_message(|| squares.jacobian_vector(&long.clone(), &zero, &mut three))),
        ("v", panic_message(|| squares.jacobian_vector(&zero, &long.clone(), &mut three))),
        ("out", panic_message(|| squares.jacobian_vector(&zero, &zero, &mut long))),
        (
            "theta",
            panic_message(|| squares.jacobian_transpose_vector(&long.clone(), &zero, &mut three)),
        ),
        (
            "u",
            panic_message(|| squares.jacobian_transpose_vector(&zero, &long.clone(), &mut three)),
        ),
        ("out", panic_message(|| squares.jacobian_transpose_vector(&zero, &zero, &mut long))),
        (
            "theta",
            panic_message(|| {
                _ = squares.normal_equations(&long.clone(), matrix_of_three.as_mut(), &mut three);
            }),
        ),
        (
            "matrix",
            panic_message(|| _ = squares.normal_equations(&zero, matrix.as_mut(), &mut three)),
        ),
        (
            "gradient",
            panic_message(|| {
                _ = squares.normal_equations(&zero, matrix_of_three.as_mut(), &mut long);
            }),
        ),
        (
            "theta",
            panic_message(|| {
                _ = squares.jacobian(&long.clone(), &mut three, matrix_of_three.as_mut());
            }),
        ),
        (
            "residuals",
            panic_message(|| _ = squares.jacobian(&zero, &mut long, matrix_of_three.as_mut())),
        ),
        ("Jacobian", panic_message(|| _ = squares.jacobian(&zero, &mut three, matrix.as_mut()))),
    ];
    for (what, message) in messages.into_iter().chain(residual_messages) {
        for part in [what, "17", "3"] {
            assert!(message.contains(part), "`{message}` does not name {part}");
        }
    }
    // The risk is as good as before.
    assert_eq!(risk.value(&[0.0; 3]), 0.125);
}

#[test]
fn an_overflowing_loss_is_infinite() {
    let net = linear(2, 1);
    let data = numbers(1);
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    let theta = [1e200, 1.0, 0.0];
    assert_eq!(risk.value(&theta), f64::INFINITY);
    assert_eq!(risk.value_gradient(&theta, &mut [0.0; 3]), f64::INFINITY);
}

/// The smallest model: one weight.
#[test]
fn one_parameter() {
    let net = Network::sequential(1).node(Dense::new(1).without_bias()).build();
    let data = Dataset::from_slices(1, &[3.0, 1.0], 1, &[3.0, 1.0]).unwrap();
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    assert_eq!(risk.dim(), 1);
    // ½·(9 + 1)/2 at w = 0, nothing at w = 1.
    assert_eq!((everything(&risk, &[0.0]), everything(&risk, &[1.0])), (2.5, 0.0));
}
