//! The promise: from a table to a model that predicts in the table's own units, or a clear error.

use secant::op::{Dense, Embedding};
use secant::{
    Activation, Adam, Bfgs, Dataset, FitError, GaussNewton, GradientDescent, Graph, Init, Lbfgs,
    LevenbergMarquardt, Logistic, Method, Minibatches, Network, Newton, NoPenalty, Objective,
    Reason, Ridge, Risk, Robust, SoftmaxCrossEntropy, SquaredError, Standardize, Stopping, Targets,
    fit, minimize,
};

fn table(name: &str) -> Dataset {
    Dataset::from_csv(format!("data/{name}.csv"), "target").unwrap()
}

fn labelled(name: &str) -> Dataset {
    Dataset::from_csv_labels(format!("data/{name}.csv"), "target").unwrap()
}

fn values(data: &Dataset) -> &[f64] {
    data.targets().values().unwrap()
}

/// Whatever is standardised, least squares fits the same values: predictions undo the scaling.
#[test]
fn predictions_are_in_the_tables_units_whatever_was_standardised() {
    let data = table("diabetes");
    let net = Network::linear(10, 1);
    let predict = |standardize| {
        let fitted = fit(&net, &data).standardize(standardize).method(Newton::default()).run();
        fitted.unwrap().model().predict(data.inputs()).unwrap()
    };
    let raw = predict(Standardize::Nothing);
    for standardize in [Standardize::Inputs, Standardize::InputsAndTargets] {
        let scaled = predict(standardize);
        let apart = raw.iter().zip(&scaled).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-8 * 300.0, "{standardize:?}: {apart:e}");
    }
    // The known least residual sum of squares.
    let rss: f64 = raw.iter().zip(values(&data)).map(|(p, y)| (p - y) * (p - y)).sum();
    assert!((rss / 1.263_985_785_633_343_6e6 - 1.0).abs() < 1e-12, "{rss}");
}

#[test]
fn the_loss_of_the_report_is_the_loss_of_the_predictions() {
    let data = table("concrete");
    let net = Network::mlp([8, 6, 1], Activation::Tanh);
    let fitted = fit(&net, &data).loss(SquaredError).max_iterations(60).seed(7).run().unwrap();
    let predicted = fitted.model().predict(data.inputs()).unwrap();
    let squares: f64 = predicted.iter().zip(values(&data)).map(|(p, y)| (p - y) * (p - y)).sum();
    // The targets of a network are standardised: in units of their variance.
    let deviation = fitted.model().target_scaling().unwrap().deviations()[0];
    let half_mean = 0.5 * squares / 1030.0 / (deviation * deviation);
    assert!((fitted.report().value / half_mean - 1.0).abs() < 1e-12);
    let units = fitted.report().notes.iter().any(|note| note.contains("standardised targets"));
    assert!(units, "{}", fitted.report());
    // In their own units on request.
    let fitted = fit(&net, &data).standardize(Standardize::Inputs).max_iterations(9).run().unwrap();
    let predicted = fitted.model().predict(data.inputs()).unwrap();
    let squares: f64 = predicted.iter().zip(values(&data)).map(|(p, y)| (p - y) * (p - y)).sum();
    assert!((fitted.report().value / (0.5 * squares / 1030.0) - 1.0).abs() < 1e-12);
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_another_start() {
    let data = table("yacht");
    let net = Network::mlp([6, 4, 1], Activation::Sigmoid);
    let run = |seed| fit(&net, &data).max_iterations(20).seed(seed).run().unwrap();
    let (one, same, other) = (run(1), run(1), run(2));
    assert_eq!(one.model().theta(), same.model().theta());
    assert_ne!(one.report().initial_value, other.report().initial_value);
}

#[test]
fn default_losses_follow_the_targets() {
    let iris = labelled("iris");
    let fitted = fit(&Network::linear(4, 3), &iris).penalty(Ridge(1e-3)).run().unwrap();
    let classes = fitted.model().predict_classes(iris.inputs()).unwrap();
    let Targets::Labels { labels, .. } = iris.targets() else { panic!("labels") };
    let right = classes.iter().zip(labels).filter(|(a, b)| a == b).count();
    // The folder's reference: 0.98 of 150.
    assert_eq!(right, 147);
    assert!((fitted.report().value - 0.102_368_078_430_078).abs() < 1e-12);

    let cancer = labelled("breast_cancer");
    let fitted = fit(&Network::linear(30, 1), &cancer).penalty(Ridge(1e-3)).run().unwrap();
    assert!((fitted.report().value - 0.059_828).abs() < 1e-6);
    let classes = fitted.model().predict_classes(cancer.inputs()).unwrap();
    let Targets::Labels { labels, .. } = cancer.targets() else { panic!("labels") };
    let right = classes.iter().zip(labels).filter(|(a, b)| a == b).count();
    assert_eq!(right, 562);
}

#[test]
fn every_method_runs_and_lowers_the_loss() {
    let data = table("yacht");
    let net = Network::mlp([6, 4, 1], Activation::Tanh);
    let methods: [Method; 7] = [
        Newton::default().into(),
        GaussNewton::default().into(),
        LevenbergMarquardt::default().into(),
        Bfgs::default().into(),
        Lbfgs::default().into(),
        GradientDescent::default().into(),
        Adam::default().into(),
    ];
    for method in methods {
        let name = method.name();
        let fitted = fit(&net, &data)
            .standardize(Standardize::InputsAndTargets)
            .penalty(Ridge(1e-3))
            .method(method)
            .max_iterations(100)
            .run()
            .unwrap();
        let report = fitted.report();
        assert!(report.value < 0.9 * report.initial_value, "{name}: {report}");
    }
}

#[test]
fn levenberg_marquardt_as_a_method_takes_the_steps_it_takes_on_the_residuals() {
    let data = table("yacht");
    let net = Network::mlp([6, 4, 1], Activation::Tanh);
    let start = net.draw(3).unwrap();
    let solver = LevenbergMarquardt::default()
        .with_stopping(Stopping { max_iterations: 30, ..Stopping::default() });
    let risk = Risk::new(net.graph().unwrap(), &data, SquaredError, Ridge(1e-3)).unwrap();
    let chosen = Method::from(solver.clone()).minimize(&risk, &start).unwrap();
    let direct = minimize(&risk.least_squares().unwrap(), solver, &start).unwrap();
    assert_eq!(chosen.theta, direct.theta);
    assert_eq!(chosen.report.evaluations, direct.report.evaluations);
    assert!(chosen.report.iterations > 3, "{}", chosen.report);
}

#[test]
fn least_squares_methods_refuse_a_loss_that_has_no_residuals() {
    let data = labelled("iris");
    for method in [Method::from(LevenbergMarquardt::default()), GaussNewton::default().into()] {
        let name = method.name();
        let error = fit(&Network::linear(4, 3), &data).method(method).run().unwrap_err();
        let message = error.to_string();
        assert!(message.contains(name) && message.contains("residuals"), "{message}");
    }
}

#[test]
fn a_start_is_used_as_given() {
    let data = table("diabetes");
    let net = Network::linear(10, 1);
    let theta = vec![0.25; 11];
    let fitted = fit(&net, &data).start(theta.clone()).max_iterations(0).run().unwrap();
    assert_eq!(fitted.report().reason, Reason::MaxIterations);
    assert_eq!(fitted.model().theta(), theta);
}

#[test]
fn mistakes_are_errors_with_names_and_values() {
    let data = table("yacht");
    let message = |result: Result<secant::Fitted, FitError>| result.unwrap_err().to_string();

    let narrow = message(fit(&Network::linear(5, 1), &data).run());
    assert!(narrow.contains('5') && narrow.contains('6'), "{narrow}");
    let broken = message(fit(&Network::mlp([6, 0, 1], Activation::Tanh), &data).run());
    assert!(broken.contains("dense1"), "{broken}");
    let net = Network::linear(6, 1);
    let lambda = message(fit(&net, &data).penalty(Ridge(-1.0)).run());
    assert!(lambda.contains("lambda") && lambda.contains("-1"), "{lambda}");
    let loss = message(fit(&net, &data).loss(SoftmaxCrossEntropy).run());
    assert!(loss.contains("softmax") && loss.contains("class labels"), "{loss}");
    let start = message(fit(&net, &data).start([1.0, 2.0]).run());
    assert!(start.contains('2') && start.contains('7'), "{start}");
    let infinite = message(fit(&net, &data).start([f64::NAN; 7]).run());
    assert!(infinite.contains("NaN"), "{infinite}");
    let stopping = Stopping { gradient_tolerance: 2.0, ..Stopping::default() };
    let option = message(fit(&net, &data).stopping(stopping).run());
    assert!(option.contains("gradient_tolerance") && option.contains('2'), "{option}");
    let targets = message(
        fit(&Network::linear(4, 3), &labelled("iris"))
            .standardize(Standardize::InputsAndTargets)
            .run(),
    );
    assert!(targets.contains("class"), "{targets}");
}

#[test]
fn predictions_refuse_ragged_and_infinite_inputs() {
    let data = table("yacht");
    let fitted = fit(&Network::linear(6, 1), &data).method(Newton::default()).run().unwrap();
    let model = fitted.model();
    assert!(model.predict(&[]).unwrap().is_empty());
    let ragged = model.predict(&[1.0; 7]).unwrap_err().to_string();
    assert!(ragged.contains('7') && ragged.contains('6'), "{ragged}");
    let mut inputs = data.inputs().to_vec();
    inputs[13] = f64::INFINITY;
    let infinite = model.predict(&inputs).unwrap_err().to_string();
    assert!(infinite.contains("sample 2") && infinite.contains("feature 1"), "{infinite}");
    let classes = model.predict_classes(data.inputs()).unwrap_err().to_string();
    assert!(classes.contains("squared"), "{classes}");
}

#[test]
fn a_constant_column_is_reported_by_name_and_does_no_harm() {
    let inputs = [1.0, 7.0, 2.0, 7.0, 4.0, 7.0];
    let data = Dataset::from_slices(2, &inputs, 1, &[2.0, 4.0, 8.0])
        .unwrap()
        .with_feature_names(vec!["x".into(), "stuck".into()])
        .unwrap();
    let fitted = fit(&Network::linear(2, 1), &data).run().unwrap();
    assert!(fitted.report().to_string().contains("stuck"), "{}", fitted.report());
    let y = fitted.model().predict(&[3.0, 7.0]).unwrap();
    assert!((y[0] - 6.0).abs() < 1e-8, "{y:?}");
}

/// A start where the loss is infinite: the reason says so, nothing is lost, nothing panics.
#[test]
fn an_infinite_start_is_a_reason_and_the_start_comes_back() {
    let data = table("yacht");
    let net = Network::linear(6, 1);
    let fitted = fit(&net, &data).start([1e200; 7]).run().unwrap();
    assert_eq!(fitted.report().reason, Reason::NonFiniteStart);
    assert_eq!(fitted.model().theta(), [1e200; 7]);
}

#[test]
fn a_graph_of_ones_own_fits_as_a_network() {
    let data = table("yacht");
    let mut g = Graph::builder(6);
    let x = g.input();
    let h = g.node("encode", Dense::new(6), &[x]).unwrap();
    let h = g.node("squash", Activation::Tanh, &[h]).unwrap();
    let again = g
        .node_sharing("encode_again", Dense::new(6), &[h], &["encode.weight", "encode.bias"])
        .unwrap();
    let y = g.node("y", Dense::new(1), &[again]).unwrap();
    let network = Network::from(g.build(y).unwrap()).with_init(Init::LeCun);
    let fitted = fit(&network, &data).max_iterations(30).run().unwrap();
    assert_eq!(fitted.model().theta().len(), 6 * 6 + 6 + 6 + 1);
    assert!(fitted.report().value < fitted.report().initial_value);
}

/// The lecture's theorem on real data: one Newton step from anywhere, and a second changes nothing.
#[test]
fn newton_solves_linear_regression_in_one_step_from_anywhere() {
    let data = table("power_plant");
    let data = secant::Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap();
    let network = Network::linear(4, 1);
    let risk = Risk::new(network.graph().unwrap(), &data, SquaredError, NoPenalty).unwrap();
    for start in [[0.0; 5], [1e3; 5], [-700.0, 3.0, 900.0, 0.1, -1e3]] {
        let solution = secant::minimize(&risk, Newton::default(), &start).unwrap();
        assert_eq!(solution.report.iterations, 1);
        assert_eq!(solution.report.evaluations.hessian, 1);
        // RSS/2N of the exact solution.
        let exact = 1.987_024_595_912_950_3e5 / (2.0 * 9568.0);
        let gap = (solution.report.value / exact - 1.0).abs();
        assert!(gap < 1e-13 && risk.value(&solution.theta) == solution.report.value, "{gap:e}");
    }
    // A logistic risk is no quadratic: it takes more than one.
    let cancer = labelled("breast_cancer");
    let cancer = secant::Standardizer::fit_inputs(&cancer).transform_inputs(&cancer).unwrap();
    let network = Network::linear(30, 1);
    let risk = Risk::new(network.graph().unwrap(), &cancer, Logistic, Ridge(1e-3)).unwrap();
    let solution = secant::minimize(&risk, Newton::default(), &[0.0; 31]).unwrap();
    assert!(solution.report.iterations > 3);
}

#[test]
fn codes_are_fitted_as_they_are_and_standardised_ones_are_refused() {
    // A mean for each of three codes.
    let codes = [0.0, 1.0, 2.0, 1.0, 0.0, 2.0];
    let targets = [1.0, 5.0, -2.0, 7.0, 3.0, -4.0];
    let data = Dataset::from_slices(1, &codes, 1, &targets).unwrap();
    let net = Network::sequential(1).node(Embedding::new(3, 1)).build();
    let error = fit(&net, &data).run().unwrap_err().to_string();
    assert!(error.contains("feature 0 of sample 0") && error.contains("standardised"), "{error}");
    let fitted = fit(&net, &data).standardize(Standardize::Nothing).run().unwrap();
    for (code, mean) in [(0.0, 2.0), (1.0, 6.0), (2.0, -3.0)] {
        let z = fitted.model().predict(&[code]).unwrap();
        assert!((z[0] - mean).abs() < 1e-12, "{code}: {z:?}");
    }
    let error = fitted.model().predict(&[3.0]).unwrap_err().to_string();
    assert!(error.contains("must be an integer from 0 to 2"), "{error}");
}

/// The share of the targets' variance that the fit leaves.
fn left(fitted: &secant::Fitted, data: &Dataset) -> f64 {
    let z = fitted.model().predict(data.inputs()).unwrap();
    let y = values(data);
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    let squares = |of: &dyn Fn(usize) -> f64| (0..y.len()).map(|i| of(i) * of(i)).sum::<f64>();
    squares(&|i| z[i] - y[i]) / squares(&|i| y[i] - mean)
}

fn waves(unit: f64, level: f64) -> Dataset {
    let x: Vec<f64> = (0..60).map(|i| -3.0 + 0.1 * f64::from(i)).collect();
    let y: Vec<f64> = x.iter().map(|x| level + unit * f64::sin(2.0 * x)).collect();
    Dataset::from_slices(1, &x, 1, &y).unwrap()
}

/// A line leaves 7.1 % of the power plant's variance. Far from 0, or far from 1 in size, targets would drive the hidden units of a network
/// into saturation, and the fit would be their mean.
#[test]
fn the_default_fit_of_a_network_is_no_constant_wherever_the_targets_lie() {
    let plant = table("power_plant").first(1000).unwrap();
    let fitted = fit(&Network::mlp([4, 6, 1], Activation::Tanh), &plant).run().unwrap();
    assert!(left(&fitted, &plant) < 0.066, "{}\n{}", left(&fitted, &plant), fitted.report());
    let net = Network::mlp([1, 6, 1], Activation::Tanh);
    for (unit, level) in [(1.0, 0.0), (1.0, 3000.0), (1e-6, 2e-6), (1e5, -3e6)] {
        let data = waves(unit, level);
        let fitted = fit(&net, &data).run().unwrap();
        assert!(left(&fitted, &data) < 1e-3, "{unit} {level}: {}", fitted.report());
        // The same start and the same steps, in any unit.
        let by_lbfgs = fit(&net, &data).method(Lbfgs::default()).max_iterations(400).run().unwrap();
        assert!(left(&by_lbfgs, &data) < 0.02, "{unit} {level}: {}", by_lbfgs.report());
    }
}

/// Losses with options in the target's units are not rescaled: the bias of the output starts at the mean, less the offsets.
#[test]
fn losses_in_the_targets_units_keep_them_and_start_at_the_level_of_the_targets() {
    let (data, net) = (waves(1.0, 3000.0), Network::mlp([1, 6, 1], Activation::Tanh));
    let bias = net.graph().unwrap().output_bias().unwrap().start;
    let drawn = net.draw(0).unwrap();
    let mean = values(&data).iter().sum::<f64>() / 60.0;
    // A method that does not solve for the last layer before its first step.
    let lbfgs = Lbfgs::default;
    let start = |fit: secant::Fit<'_>| fit.method(lbfgs()).max_iterations(0).run().unwrap();
    let huber = || Robust::huber(0.5).unwrap();
    for fitted in [
        start(fit(&net, &data).loss(huber())),
        start(fit(&net, &data).loss(secant::LogCosh::new(0.5))),
        start(fit(&net, &data).robust(secant::Rho::Tukey)),
        start(fit(&net, &data).standardize(Standardize::Inputs)),
    ] {
        assert!(fitted.model().target_scaling().is_none());
        let theta = fitted.model().theta();
        assert!((theta[bias] - mean).abs() < 1e-9, "{theta:?}");
        assert_eq!(theta[..bias], drawn[..bias]);
    }
    let shifted = data.clone().with_offset(vec![2990.0; 60]).unwrap();
    let theta = start(fit(&net, &shifted)).model().theta().to_vec();
    assert!((theta[bias] - (mean - 2990.0)).abs() < 1e-9, "{theta:?}");
    // A start of the user's own is left alone.
    let theta = start(fit(&net, &data).loss(huber()).start(drawn.clone())).model().theta().to_vec();
    assert_eq!(theta, drawn);
    let fitted = fit(&net, &data).loss(huber()).run().unwrap();
    assert!(left(&fitted, &data) < 1e-2, "{}", fitted.report());
}

#[test]
fn a_linear_model_and_counts_keep_the_units_of_their_targets() {
    let data = table("power_plant").first(500).unwrap();
    let line = Network::linear(4, 1);
    let fitted = fit(&line, &data).penalty(Ridge(0.1)).run().unwrap();
    assert!(fitted.model().target_scaling().is_none());
    let inputs = fit(&line, &data).penalty(Ridge(0.1));
    let inputs = inputs.standardize(Standardize::Inputs).run().unwrap();
    assert_eq!(fitted.model().theta(), inputs.model().theta());
    let net = Network::mlp([4, 3, 1], Activation::Tanh);
    let counts = fit(&net, &data).loss(secant::Poisson::default()).max_iterations(3).run().unwrap();
    assert!(counts.model().target_scaling().is_none());
}

#[test]
fn the_order_of_the_calls_does_not_matter() {
    let (data, net) = (waves(1.0, 0.0), Network::mlp([1, 4, 1], Activation::Tanh));
    let stopping = || Stopping { gradient_tolerance: 1e-3, ..Stopping::default() };
    let method = || Lbfgs::default();
    let runs = [
        fit(&net, &data).method(method()).stopping(stopping()).max_iterations(7).run(),
        fit(&net, &data).max_iterations(7).method(method()).stopping(stopping()).run(),
        fit(&net, &data).stopping(stopping()).max_iterations(7).method(method()).run(),
        fit(&net, &data).max_iterations(7).stopping(stopping()).method(method()).run(),
    ];
    let runs = runs.map(Result::unwrap);
    for run in &runs {
        assert_eq!(run.report().iterations, 7, "{}", run.report());
        assert_eq!(run.model().theta(), runs[0].model().theta());
    }
    // On minibatches the limit is one of steps, whichever came first.
    let batches = Minibatches::of(10).with_epochs(50);
    let one = fit(&net, &data).max_iterations(4).minibatches(batches).method(Adam::default());
    let other = fit(&net, &data).minibatches(batches).method(Adam::default()).max_iterations(4);
    let (one, other) = (one.run().unwrap(), other.run().unwrap());
    assert_eq!((one.report().iterations, other.report().iterations), (4, 4));
    assert_eq!(one.model().theta(), other.model().theta());
    // A comparison has the same limits for all, and no minibatches.
    let set = secant::compare().method("one", Lbfgs::default()).method("two", Bfgs::default());
    let table = fit(&net, &data).max_iterations(3).compare(&set).unwrap();
    assert!(["one", "two"].iter().all(|name| table.row(name).unwrap().iterations == 3), "{table}");
    let error = fit(&net, &data).minibatches(batches).compare(&set).unwrap_err();
    assert!(error.to_string().contains("minibatches"), "{error}");
}

/// Levenberg–Marquardt's own tolerances are tighter than the default ones: a limit of steps leaves them as they are.
#[test]
fn a_limit_of_steps_leaves_the_tolerances_of_the_method_alone() {
    let (data, net) = (waves(1.0, 0.0), Network::mlp([1, 2, 1], Activation::Tanh));
    let solver = LevenbergMarquardt::default();
    assert_ne!(solver.stopping, Stopping::default());
    let mut stopping = solver.stopping.clone();
    stopping.max_iterations = 60;
    let limited = fit(&net, &data).method(solver.clone()).max_iterations(60).run().unwrap();
    let by_hand = fit(&net, &data).method(solver.with_stopping(stopping)).run().unwrap();
    assert_eq!(limited.model().theta(), by_hand.model().theta());
    assert_eq!(limited.report().iterations, by_hand.report().iterations);
}

/// `fn main() -> Result<(), Box<dyn Error>>` prints errors by `Debug`.
#[test]
fn errors_print_their_sentence_as_debug_too() {
    let data = table("yacht");
    let errors: Vec<Box<dyn std::error::Error>> = vec![
        Box::new(fit(&Network::linear(5, 1), &data).run().unwrap_err()),
        Box::new(Network::mlp([6, 0, 1], Activation::Tanh).graph().unwrap_err()),
        Box::new(Dataset::from_csv("data/yacht.csv", "tarket").unwrap_err()),
        Box::new(Robust::huber(-1.0).unwrap_err()),
        Box::new(secant::optim::Bounds::new(vec![1.0], vec![0.0]).unwrap_err()),
        Box::new(
            secant::compare()
                .run(
                    &Risk::new(
                        Network::linear(6, 1).graph().unwrap(),
                        &data,
                        SquaredError,
                        NoPenalty,
                    )
                    .unwrap(),
                    &[0.0; 7],
                )
                .unwrap_err(),
        ),
    ];
    for error in errors {
        assert_eq!(format!("{error:?}"), error.to_string());
        assert!(error.to_string().contains(' ') && !error.to_string().contains('{'), "{error}");
    }
}
