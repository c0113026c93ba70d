//! What a model says of data: probabilities and means by formulas of their own, scores beside scikit-learn's (the fixture is made by
//! `benches/peers/cross_validation.py`), confusions counted by hand, features by name, and rows one at a time.

use rayon::ThreadPoolBuilder;
use secant::core::random::Random;
use secant::loss::Loss;
use secant::op::{Dense, Embedding};
use secant::{
    AbsoluteError, Activation, Dataset, FitError, Gamma, Graph, Hinge, LearnedVariance, Logistic,
    MaskedSquaredError, Model, NegativeBinomial, Network, Poisson, Quantile, Ridge, Risk, Score,
    SmoothedSoftmax, SoftmaxCrossEntropy, SquaredError, Standardize, Targets, fit,
};
use secant::{Newton, Objective};
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/cross_validation.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normal()).collect()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A model whose outputs are its inputs, fitted with `loss` on data that need not be learned.
fn identity(data: &Dataset, loss: impl Loss + 'static) -> Model {
    let c = data.features();
    let mut theta = vec![0.0; c * c + c];
    (0..c).for_each(|k| theta[k * c + k] = 1.0);
    let net = Network::linear(c, c);
    let plain = fit(&net, data).loss(loss).standardize(Standardize::Nothing).start(theta);
    // No step, and so whatever is smooth.
    plain.method(secant::GradientDescent::default()).max_iterations(0).run().unwrap().into_model()
}

fn labelled(z: &[f64], classes: usize, labels: &[f64]) -> Dataset {
    let label = |y: &f64| u32::from(*y > 0.5) + u32::from(*y > 1.5);
    let labels: Vec<u32> = labels.iter().map(label).collect();
    Dataset::from_labels(z.len() / labels.len(), z, classes, &labels).unwrap()
}

#[test]
fn probabilities_sum_to_one_and_are_those_of_their_formulas_however_large_the_scores() {
    let z = [0.3, -1.0, 2.0, 700.0, -700.0, 0.0, -1e3, 1e3, 1e3, 5.0, 5.0, 5.0];
    let data = labelled(&z, 3, &[0.0, 1.0, 2.0, 1.0]);
    for model in [
        identity(&data, SoftmaxCrossEntropy),
        identity(&data, SmoothedSoftmax::default().with_smoothing(0.1)),
    ] {
        let p = model.predict_probabilities(&z).unwrap();
        for (p, z) in p.chunks(3).zip(z.chunks(3)) {
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 4.0 * f64::EPSILON, "{p:?}");
            for k in 0..3 {
                // 1/Σ e^(zⱼ − zₖ)
                let expected = 1.0 / z.iter().map(|other| (other - z[k]).exp()).sum::<f64>();
                assert!((p[k] - expected).abs() <= 1e-14 * expected, "{p:?} {z:?}");
            }
        }
        assert_eq!(model.mean(&z).unwrap(), p);
    }
    let z = [0.0, 2.0, -2.0, 40.0, -40.0, 800.0, -800.0];
    let model = identity(&labelled(&z, 2, &[0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0]), Logistic);
    let p = model.predict_probabilities(&z).unwrap();
    assert_eq!(p.len(), 2 * z.len());
    for (p, z) in p.chunks(2).zip(z) {
        // Both small ones with all their digits: 1 − p would be 0 at a score of 40.
        let expected = [1.0 / (1.0 + f64::exp(z)), 1.0 / (1.0 + f64::exp(-z))];
        for (p, expected) in p.iter().zip(expected) {
            assert!((p - expected).abs() <= 1e-14 * expected, "{p} {z}");
        }
    }
    let ones: Vec<f64> = p.chunks(2).map(|p| p[1]).collect();
    assert_eq!(model.mean(&z).unwrap(), ones);
}

#[test]
fn means_are_those_of_the_link_and_other_losses_are_named_in_the_refusal() {
    let z = [0.5, -1.0, 2.0];
    let data = Dataset::from_slices(1, &z, 1, &[1.0, 2.0, 3.0]).unwrap();
    let exponential: Vec<f64> = z.iter().map(|z| z.exp()).collect();
    for model in [
        identity(&data, Poisson::default()),
        identity(&data, Gamma),
        identity(&data, NegativeBinomial::new(0.5)),
    ] {
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-15 * b;
        assert!(model.mean(&z).unwrap().iter().zip(&exponential).all(close));
    }
    assert_eq!(identity(&data, SquaredError).mean(&z).unwrap(), z);
    let hinged = identity(&labelled(&z, 2, &[0.0, 1.0, 0.0]), Hinge::squared());
    for (error, asked, loss) in [
        (hinged.predict_probabilities(&z), "predict_probabilities needs", "hinge"),
        (hinged.mean(&z), "mean needs", "hinge"),
        (identity(&data, Quantile::new(0.5, 0.1)).mean(&z), "mean needs", "quantile"),
        (identity(&data, Poisson::default()).predict_probabilities(&z), "predict_prob", "poisson"),
    ] {
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(asked) && error.contains(loss), "{error}");
    }
}

fn assert_score(score: &Score, expected: &Value, what: &str) {
    let found = [
        ("r2", score.r2),
        ("rmse", score.rmse),
        ("mae", score.mae),
        ("deviance", score.deviance),
        ("accuracy", score.accuracy),
        ("log_loss", score.log_loss),
        ("brier", score.brier),
    ];
    for (name, found) in found {
        match (found, expected[name].as_f64()) {
            (Some(found), Some(expected)) => {
                let error = (found - expected).abs() / expected.abs().max(1e-3);
                assert!(error < 1e-12, "{what} {name}: {found} {expected}");
            }
            (None, None) => {}
            other => panic!("{what} {name}: {other:?}"),
        }
    }
}

#[test]
fn scores_are_those_of_scikit_learn_with_and_without_weights() {
    let cases = fixture();
    let cases = cases["scored"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let (name, c) = (case["name"].as_str().unwrap(), case["outputs"].as_u64().unwrap());
        let (z, y) = (numbers(&case["z"]), numbers(&case["y"]));
        let c = usize::try_from(c).unwrap();
        let data = match name {
            "softmax" => labelled(&z, 3, &y),
            "logistic" => labelled(&z, 2, &y),
            _ => Dataset::from_slices(c, &z, c, &y).unwrap(),
        };
        let model = match name {
            "squared" => identity(&data, SquaredError),
            "poisson" => identity(&data, Poisson::default()),
            "gamma" => identity(&data, Gamma),
            "negative-binomial" => identity(&data, NegativeBinomial::new(0.5)),
            "logistic" => identity(&data, Logistic),
            _ => identity(&data, SoftmaxCrossEntropy),
        };
        let weighted = data.clone().with_weights(numbers(&case["weights"])).unwrap();
        for (key, data) in [("plain", &data), ("weighted", &weighted)] {
            let score = model.score(data).unwrap();
            assert_score(&score, &case[key], &format!("{name} × {c}, {key}"));
            if let Some(confusion) = case[key]["confusion"].as_array() {
                let found = model.confusion(data).unwrap();
                assert_eq!(found.counts, numbers(&Value::Array(confusion.clone())), "{name}");
                assert!((found.accuracy() - score.accuracy.unwrap()).abs() < 1e-15);
            }
        }
        // Classes as the numbers 0 and 1 are the same classes.
        if name == "logistic" {
            let shares = Dataset::from_slices(1, &z, 1, &y).unwrap();
            assert_score(&model.score(&shares).unwrap(), &case["plain"], "as numbers");
        }
    }
}

/// The loss of a score is the value of the risk on these data without penalty, in the units of the fit.
#[test]
fn the_loss_of_a_score_is_the_risk_of_the_data() {
    let data = Dataset::from_csv("data/yacht.csv", "target").unwrap();
    let weights = (0..data.samples()).map(|i| (i % 3) as f64).collect();
    let data = data.with_weights(weights).unwrap();
    let net = Network::mlp([6, 4, 1], Activation::Tanh);
    let fitted = fit(&net, &data).penalty(Ridge(1e-2)).max_iterations(20).run().unwrap();
    let (model, n) = (fitted.model(), fitted.model().theta().len());
    let squares: f64 = model
        .parameters()
        .filter(|block| block.name.ends_with("weight"))
        .flat_map(|block| block.values)
        .map(|w| w * w)
        .sum();
    assert_eq!(model.parameters().map(|block| block.values.len()).sum::<usize>(), n);
    let score = model.score(&data).unwrap();
    let value = score.loss + 0.5 * 1e-2 * squares;
    assert!((value / fitted.report().value - 1.0).abs() < 1e-12, "{value}");
    // With an exposure: the offset counts in predictions and scores.
    let counts: Vec<f64> = (0..40).map(f64::from).collect();
    let offset: Vec<f64> = (0..40).map(|i| f64::from(1 + i % 7).ln()).collect();
    let data = Dataset::from_slices(1, &normals(40, 2), 1, &counts).unwrap();
    let data = data.with_offset(offset.clone()).unwrap();
    let line = Network::linear(1, 1);
    let fitted = fit(&line, &data).loss(Poisson::default()).run().unwrap();
    let score = fitted.model().score(&data).unwrap();
    assert!((score.loss / fitted.report().value - 1.0).abs() < 1e-12);
    let with: Vec<f64> = fitted.model().predict_dataset(&data).unwrap();
    let without = fitted.model().predict(data.inputs()).unwrap();
    assert!((0..40).all(|i| with[i] == without[i] + offset[i]));
    // Scaled inputs and a risk of one's own agree.
    let scaled = fitted.model().input_scaling().unwrap().transform_inputs(&data).unwrap();
    let risk = Risk::new(line.graph().unwrap(), &scaled, Poisson::default(), secant::NoPenalty);
    assert!((risk.unwrap().value(fitted.model().theta()) / score.loss - 1.0).abs() < 1e-12);
}

#[test]
fn masked_targets_learned_variances_and_constant_targets_are_scored_by_what_they_are() {
    // Two outputs; of the second only the first sample was measured.
    let z = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0];
    let y = [2.0, 13.0, 1.0, 1.0, 2.0, -99.0, 1.0, 0.0, 5.0, -99.0, 1.0, 0.0];
    let data = Dataset::from_slices(2, &z, 4, &y).unwrap();
    let score = identity(&data, MaskedSquaredError).score(&data).unwrap();
    let root = f64::sqrt((1.0 + 0.0 + 4.0) / 3.0);
    assert!((score.rmse.unwrap() - f64::midpoint(root, 3.0)).abs() < 1e-14);
    assert!((score.mae.unwrap() - f64::midpoint(1.0, 3.0)).abs() < 1e-14);
    // One number is constant.
    assert_eq!(score.r2, None);
    let learned = Dataset::from_slices(2, &z, 1, &[2.0, 2.0, 5.0]).unwrap();
    let score = identity(&learned, LearnedVariance).score(&learned).unwrap();
    assert!((score.rmse.unwrap() - root).abs() < 1e-14 && score.deviance.is_none());
    assert!((score.r2.unwrap() - (1.0 - (5.0 / 3.0) / 2.0)).abs() < 1e-14);
    assert_eq!(score.criterion().0, "loss");
    let constant = Dataset::from_slices(1, &[1.0, 2.0], 1, &[0.1, 0.1]).unwrap();
    let score = identity(&constant, AbsoluteError).score(&constant).unwrap();
    assert_eq!((score.r2, score.mae), (None, Some(f64::midpoint(0.9, 1.9))));
    // Shares are no classes.
    let shares = Dataset::from_slices(1, &[1.0, 2.0], 1, &[0.25, 1.0]).unwrap();
    let model = identity(&shares, Logistic);
    let score = model.score(&shares).unwrap();
    assert!(score.accuracy.is_none() && score.log_loss.unwrap() == score.loss);
    let error = model.confusion(&shares).unwrap_err().to_string();
    assert!(error.contains("classes, not shares"), "{error}");
}

#[test]
fn a_confusion_counts_by_class_names_of_the_model_whatever_the_data_number_them() {
    let z = [9.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 9.0, 9.0, 0.0, 0.0];
    let data = labelled(&z, 3, &[0.0, 1.0, 2.0, 2.0]);
    let data = data.with_class_names(names(&["ant", "bee", "cat"])).unwrap();
    let model = identity(&data, SoftmaxCrossEntropy);
    let confusion = model.confusion(&data).unwrap();
    assert_eq!(confusion.counts, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    let shares = |of: &dyn Fn(usize) -> Option<f64>| [of(0), of(1), of(2)];
    assert_eq!(shares(&|k| confusion.recall(k)), [Some(1.0), Some(1.0), Some(0.5)]);
    assert_eq!(shares(&|k| confusion.precision(k)), [Some(0.5), Some(1.0), Some(1.0)]);
    let two_thirds = Some(2.0 / 3.0);
    assert_eq!(shares(&|k| confusion.f1(k)), [two_thirds, Some(1.0), two_thirds]);
    let table = confusion.to_string();
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ant", "bee", "cat", "recall"]);
    assert_eq!(rows[3], ["cat", "1", "0", "1", "50.0", "%"], "{table}");
    assert!(table.ends_with("accuracy 75.0 %"), "{table}");

    // Two classes of the three, numbered as a file of these alone would have them.
    let part = labelled(&z[3..], 2, &[0.0, 1.0, 1.0]);
    let part = part.with_class_names(names(&["bee", "cat"])).unwrap();
    let confusion = model.confusion(&part).unwrap();
    assert_eq!(confusion.names, ["ant", "bee", "cat"]);
    assert_eq!(confusion.counts, [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    assert_eq!(confusion.recall(0), None);
    assert_eq!(model.score(&part).unwrap().accuracy, Some(2.0 / 3.0));
    // Unknown classes, by name and by number.
    let other = labelled(&z[..6], 2, &[0.0, 1.0]).with_class_names(names(&["bee", "cats"]));
    let error = model.score(&other.unwrap()).unwrap_err().to_string();
    assert!(error.contains("\"cats\"") && error.contains("did you mean `cat`"), "{error}");
    let error = model
        .score(&Dataset::from_labels(3, &z[..6], 5, &[0, 4]).unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("class \"4\""), "{error}");
    // Weights count.
    let weighted = part.with_weights(vec![2.0, 0.5, 0.0]).unwrap();
    assert_eq!(model.confusion(&weighted).unwrap().count(2, 2), 0.5);
    let regression = Dataset::from_slices(1, &[1.0, 2.0], 1, &[1.0, 2.0]).unwrap();
    assert!(matches!(
        identity(&regression, SquaredError).confusion(&regression),
        Err(FitError::Loss { asked: "confusion", .. })
    ));
}

#[test]
fn features_are_met_by_name_and_what_does_not_fit_is_said() {
    let data = Dataset::from_slices(3, &normals(30, 1), 1, &normals(10, 2)).unwrap();
    let data = data.with_feature_names(names(&["age", "sex", "bmi"])).unwrap();
    let net = Network::linear(3, 1);
    let model = fit(&net, &data).run().unwrap().into_model();
    let exact = model.match_features(&data);
    assert!(exact.is_exact() && exact.to_string() == "all 3 features are there");
    let expected = model.predict(data.inputs()).unwrap();
    // Another order, another column between them.
    let shuffled: Vec<f64> =
        data.inputs().chunks(3).flat_map(|x| [x[2], 1e9, x[0], x[1]]).collect();
    let y = data.targets().values().unwrap();
    let other = Dataset::from_slices(4, &shuffled, 1, y).unwrap();
    let other = other.with_feature_names(names(&["bmi", "noise", "age", "sex"])).unwrap();
    assert_eq!(model.predict_dataset(&other).unwrap(), expected);
    assert_eq!(model.score(&other).unwrap(), model.score(&data).unwrap());
    let found = model.match_features(&other);
    assert!(found.is_complete() && found.reordered && found.extra == ["noise"]);
    assert_eq!(found.columns, [Some(2), Some(3), Some(0)]);
    let text = found.to_string();
    assert!(text.contains("another order") && text.contains("left out: [\"noise\"]"), "{text}");
    // One is missing, one nearly there.
    let lacking = Dataset::from_slices(3, data.inputs(), 1, y).unwrap();
    let lacking = lacking.with_feature_names(names(&["age", "Sex ", "weight"])).unwrap();
    let found = model.match_features(&lacking);
    assert_eq!((&found.missing[..], found.reordered), (&names(&["sex", "bmi"])[..], false));
    let error = model.predict_dataset(&lacking).unwrap_err();
    assert!(matches!(&error, FitError::MissingFeatures(found) if !found.is_complete()));
    let error = error.to_string();
    assert!(error.contains("2 of 3 features missing: [\"sex\", \"bmi\"]"), "{error}");
    assert!(error.contains("sex: did you mean `Sex `?"), "{error}");
    // Names that stand twice are met in turn.
    let twice = data.clone().with_feature_names(names(&["a", "b", "a"])).unwrap();
    let model = fit(&net, &twice).run().unwrap().into_model();
    assert!(model.match_features(&twice).is_exact());
    let once = twice.with_feature_names(names(&["a", "b", "c"])).unwrap();
    assert_eq!(model.match_features(&once).missing, ["a"]);
}

fn predicted(model: &Model, inputs: &[f64], threads: usize) -> Vec<f64> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| model.predict(inputs).unwrap())
}

/// Tiles of a long prediction and rows one at a time go through products of other shapes; on the way inputs are standardised.
#[test]
fn a_hundred_thousand_rows_have_the_bits_of_single_rows_for_any_number_of_threads() {
    const ROWS: usize = 100_000;
    let data = Dataset::from_slices(5, &normals(5 * 200, 1), 2, &normals(400, 2)).unwrap();
    let net = Network::mlp([5, 7, 2], Activation::Tanh);
    let model = fit(&net, &data).max_iterations(5).run().unwrap().into_model();
    let inputs: Vec<f64> = normals(5 * ROWS, 3).iter().map(|x| 3.0 * x - 1.0).collect();
    let all = predicted(&model, &inputs, 1);
    assert!(predicted(&model, &inputs, 2) == all && predicted(&model, &inputs, 3) == all);
    // As standardised beforehand.
    let mut scaled = inputs.clone();
    model.input_scaling().unwrap().apply(&mut scaled).unwrap();
    let mut before = secant::core::predict::outputs(model.graph(), model.theta(), &scaled).unwrap();
    model.target_scaling().unwrap().undo(&mut before).unwrap();
    assert!(before == all);
    for (row, (x, z)) in inputs.chunks(5).zip(all.chunks(2)).enumerate().step_by(7) {
        assert!(model.predict(x).unwrap() == z, "row {row}");
    }
}

#[test]
fn a_rows_prediction_has_the_same_bits_in_any_company() {
    const ROWS: usize = 1_025;
    for (widths, seed) in
        [(&[3, 1][..], 1), (&[9, 1], 2), (&[1, 4, 1], 3), (&[20, 33, 3], 4), (&[300, 40, 17, 1], 5)]
    {
        let (d, c) = (widths[0], widths[widths.len() - 1]);
        let data = Dataset::from_slices(d, &normals(d * 40, seed), c, &normals(c * 40, 9)).unwrap();
        let net = Network::mlp(widths, Activation::Tanh);
        let model = fit(&net, &data).max_iterations(0).run().unwrap().into_model();
        let inputs = normals(d * ROWS, seed + 10);
        let all = predicted(&model, &inputs, 2);
        for length in [1, 2, 3, 7, 31, 64, 500] {
            let parts = inputs.chunks(d * length).zip(all.chunks(c * length));
            for (part, z) in parts.step_by(1 + 40 / length) {
                assert!(model.predict(part).unwrap() == z, "{widths:?} {length}");
            }
        }
    }
}

#[test]
fn an_input_that_a_scaling_or_a_node_cannot_take_is_named_with_its_own_row() {
    // Deviations so small that a far input overflows once it is standardised.
    let x: Vec<f64> = normals(40, 1).iter().map(|x| 1e-300 * x).collect();
    let data = Dataset::from_slices(2, &x, 1, &normals(20, 2)).unwrap();
    let net = Network::linear(2, 1);
    let model = fit(&net, &data).run().unwrap().into_model();
    let mut inputs = vec![0.0; 2 * 3_000];
    (inputs[2 * 2_500 + 1], inputs[2 * 1_700]) = (1e200, -1e200);
    let error = model.predict(&inputs).unwrap_err().to_string();
    assert_eq!(error, "feature 0 of sample 1700 is -inf");
    // A code is looked for after the scaling, in tiles.
    let mut g = Graph::builder(1);
    let word = g.node("word", Embedding::new(3, 1), &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1), &[word]).unwrap();
    let net = Network::from(g.build(y).unwrap());
    let codes: Vec<f64> = (0..30).map(|i| f64::from(i % 3)).collect();
    let data = Dataset::from_slices(1, &codes, 1, &normals(30, 3)).unwrap();
    let fitted = fit(&net, &data).standardize(Standardize::Nothing).method(Newton::default());
    let model = fitted.max_iterations(2).run().unwrap().into_model();
    let mut inputs = vec![1.0; 3_000];
    inputs[2_900] = 7.0;
    let error = model.predict(&inputs).unwrap_err().to_string();
    assert!(error.contains("sample 2900") && error.contains('7'), "{error}");
}

#[test]
fn targets_that_are_not_the_models_are_refused() {
    let data = Dataset::from_slices(1, &[0.0, 1.0], 1, &[1.0, 2.0]).unwrap();
    let model = identity(&data, Poisson::default());
    for targets in [
        Targets::Labels { classes: 2, labels: vec![0, 1] },
        Targets::Values { rows: 2, values: vec![1.0; 4] },
        Targets::Values { rows: 1, values: vec![1.0, -1.0] },
    ] {
        let other = Dataset::new(1, vec![0.0, 1.0], targets).unwrap();
        let error = model.score(&other).unwrap_err().to_string();
        assert!(error.starts_with("poisson: "), "{error}");
    }
    let offset = data.with_offset(vec![0.0; 4]).unwrap();
    let error = model.predict_dataset(&offset).unwrap_err().to_string();
    assert!(error.contains("2 offsets per sample"), "{error}");
}
