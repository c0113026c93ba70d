//! Cross-validation, tuning and leave-one-out: beside scikit-learn on the same folds (the fixture is made by
//! `benches/peers/cross_validation.py`), the same bits whatever runs side by side, and nothing learned from samples that are put aside.

use rayon::ThreadPoolBuilder;
use secant::core::random::Random;
use secant::{
    Activation, Adam, CrossValidation, Dataset, Every, FitError, FoldError, Folds, Interrupt,
    Logistic, Minibatches, Network, Newton, Reason, Ridge, RidgeAll, Score, Standardize, Stopping,
    Tune, TuneError, fit, linear_regression,
};
use serde_json::Value;
use std::ops::ControlFlow;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/cross_validation.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn table(name: &str) -> Dataset {
    Dataset::from_csv(format!("data/{name}"), "target").unwrap()
}

fn labelled(name: &str) -> Dataset {
    Dataset::from_csv_labels(format!("data/{name}"), "target").unwrap()
}

/// The folds of the fixture.
fn formula(samples: usize) -> Folds {
    Folds::of((0..samples).map(|i| (7 * i) % 5).collect::<Vec<_>>())
}

/// To the last digits.
fn tight() -> Newton {
    let stopping = Stopping { gradient_tolerance: 1e-14, ..Stopping::default() };
    Newton { stopping, ..Newton::default() }
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-10 * size, "{what} {at}: {found} {expected}");
    }
}

#[test]
fn scores_and_predictions_of_folds_are_those_of_scikit_learn() {
    let cases = fixture();
    for case in cases["cross_validated"].as_array().unwrap() {
        let (name, file) = (case["name"].as_str().unwrap(), case["data"].as_str().unwrap());
        let rows = usize::try_from(case["rows"].as_u64().unwrap()).unwrap();
        let data = if name == "ridge" { table(file) } else { labelled(file) };
        let data = data.first(rows).unwrap();
        let outputs = if name == "softmax" { 3 } else { 1 };
        let net = Network::linear(data.features(), outputs);
        let strength = case["strength"].as_f64().unwrap();
        let recipe = fit(&net, &data).penalty(Ridge(strength)).method(tight());
        let found = recipe.cross_validate(&formula(rows)).unwrap();
        let predictions = match name {
            "ridge" => found.predictions.clone(),
            _ => found.means.clone().unwrap(),
        };
        assert_close(&predictions, &numbers(&case["predictions"]), name);
        let scores = case["scores"].as_object().unwrap();
        assert!(scores.len() >= 2);
        for (score, expected) in scores {
            let of = |one: &Score| match score.as_str() {
                "r2" => one.r2,
                "rmse" => one.rmse,
                "mae" => one.mae,
                "accuracy" => one.accuracy,
                "log_loss" => one.log_loss,
                "brier" => one.brier,
                other => panic!("{other}"),
            };
            let each: Vec<f64> = found.scores.iter().map(|one| of(one).unwrap()).collect();
            let expected = numbers(expected);
            assert_close(&each, &expected, score);
            let spread = found.spread(of).unwrap();
            let mean = expected.iter().sum::<f64>() / 5.0;
            let squares: f64 = expected.iter().map(|x| (x - mean) * (x - mean)).sum();
            assert!((spread.mean - mean).abs() < 1e-10 * mean.abs());
            assert!((spread.deviation - (squares / 4.0).sqrt()).abs() < 1e-10 * mean.abs());
            assert!((spread.standard_error - (squares / 20.0).sqrt()).abs() < 1e-10 * mean.abs());
        }
        let classes = found.classes.unwrap_or_default();
        let labels = data.targets().labels().unwrap_or_default();
        let right = classes.iter().zip(labels).filter(|(a, b)| a == b).count();
        if let Some(accuracy) = scores.get("accuracy") {
            let mean = numbers(accuracy).iter().sum::<f64>() / 5.0;
            assert!((right as f64 / rows as f64 - mean).abs() < 1e-12);
        }
    }
}

#[test]
fn samples_left_out_one_at_a_time_have_the_residuals_of_scikit_learn() {
    let data = table("diabetes.csv");
    let weights: Vec<f64> = (0..data.samples()).map(|i| 1.0 + (i % 4) as f64).collect();
    let cases = fixture();
    let cases = cases["left_out"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let mut problem = linear_regression(&data)
            .intercept(case["intercept"].as_bool().unwrap())
            .ridge(case["ridge"].as_f64().unwrap());
        let weighted = case["weighted"].as_bool().unwrap();
        if weighted {
            problem = problem.weights(&weights);
        }
        let loo = problem.leave_one_out().unwrap();
        let found: Vec<f64> = loo.residuals.iter().map(|r| r.unwrap()).collect();
        let expected = numbers(&case["residuals"]);
        assert_close(&found, &expected, case["name"].as_str().unwrap());
        let weight = |i: usize| if weighted { weights[i] } else { 1.0 };
        let press: f64 = expected.iter().enumerate().map(|(i, r)| weight(i) * r * r).sum();
        assert!((loo.press.unwrap() / press - 1.0).abs() < 1e-10);
        assert_eq!(loo.solution, problem.solve().unwrap());
    }
}

/// Everything that a cross-validation says, as bits.
fn bits(found: &CrossValidation) -> Vec<u64> {
    let scores = found.scores.iter().flat_map(Score::entries).map(|(_, value)| value);
    let ends = found.reports.iter().map(|report| report.value);
    scores.chain(ends).chain(found.predictions.iter().copied()).map(f64::to_bits).collect()
}

#[test]
fn folds_side_by_side_have_the_bits_of_folds_by_themselves_for_any_number_of_threads() {
    let data = table("yacht.csv");
    let net = Network::mlp([6, 5, 1], Activation::Tanh);
    let recipe = fit(&net, &data).penalty(Ridge(1e-3)).max_iterations(15).seed(4);
    let folds = Folds::k(5).seed(9);
    let run = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| recipe.cross_validate(&folds).unwrap())
    };
    let found = run(1);
    assert!(bits(&run(2)) == bits(&found) && bits(&run(3)) == bits(&found));
    // By hand, one after the other.
    let fold_of = folds.assign(&data).unwrap();
    assert_eq!(found.fold_of, fold_of);
    for fold in 0..5 {
        let (aside, others): (Vec<usize>, _) = (0..308).partition(|i| fold_of[*i] == fold);
        let (train, test) = (data.select(&others).unwrap(), data.select(&aside).unwrap());
        let fitted = fit(&net, &train).penalty(Ridge(1e-3)).max_iterations(15).seed(4).run();
        let fitted = fitted.unwrap();
        assert_eq!(fitted.report().value.to_bits(), found.reports[fold].value.to_bits());
        assert_eq!(fitted.model().score(&test).unwrap(), found.scores[fold]);
        let z = fitted.model().predict(test.inputs()).unwrap();
        assert!(aside.iter().zip(&z).all(|(i, z)| found.predictions[*i] == *z));
    }
    // On minibatches too.
    let minibatches = recipe.clone().method(Adam::default()).minibatches(Minibatches::of(32));
    let run = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| minibatches.cross_validate(&folds).unwrap())
    };
    assert!(bits(&run(1)) == bits(&run(3)));
}

/// Samples put aside are changed out of all proportion: what was learned without them stays, bit for bit.
#[test]
fn samples_put_aside_have_no_influence_on_their_fold_its_scaling_included() {
    let data = table("diabetes.csv").first(60).unwrap();
    let folds = Folds::of((0..60).map(|i| i % 3).collect::<Vec<_>>());
    let changed = |fold: usize| {
        let inputs = data.inputs().iter().enumerate();
        let far = |(at, x): (usize, &f64)| if (at / 10) % 3 == fold { 1e3 * x - 77.0 } else { *x };
        let inputs: Vec<f64> = inputs.map(far).collect();
        let targets = data.targets().values().unwrap().iter().enumerate();
        let targets: Vec<f64> =
            targets.map(|(i, y)| if i % 3 == fold { -1e4 * y } else { *y }).collect();
        Dataset::from_slices(10, &inputs, 1, &targets).unwrap()
    };
    for (net, method) in
        [(Network::linear(10, 1), 30), (Network::mlp([10, 3, 1], Activation::Tanh), 12)]
    {
        for standardize in [Standardize::Auto, Standardize::InputsAndTargets] {
            let run = |data: &Dataset| {
                let recipe = fit(&net, data).penalty(Ridge(1e-2)).max_iterations(method);
                recipe.standardize(standardize).cross_validate(&folds).unwrap()
            };
            let plain = run(&data);
            for fold in 0..3 {
                let other = run(&changed(fold));
                let value = |found: &CrossValidation, k: usize| found.reports[k].value.to_bits();
                assert_eq!(value(&plain, fold), value(&other, fold), "{standardize:?}");
                // And the others have seen them.
                assert_ne!(value(&plain, (fold + 1) % 3), value(&other, (fold + 1) % 3));
            }
        }
    }
}

#[test]
fn folds_share_out_every_sample_once_as_evenly_as_can_be() {
    let mut random = Random::new(5);
    for (samples, folds) in [(2, 2), (10, 3), (101, 7), (30, 30)] {
        let x: Vec<f64> = (0..samples).map(|_| random.uniform()).collect();
        let labels: Vec<u32> = (0..samples).map(|i| u32::from(i % 4 == 0)).collect();
        let data = Dataset::from_labels(1, &x, 2, &labels).unwrap();
        for (k, of) in [Folds::k(folds), Folds::k(folds).seed(3).stratified()].iter().enumerate() {
            let fold_of = of.assign(&data).unwrap();
            let even = |class: Option<u32>| {
                let mut sizes = vec![0_usize; folds];
                for (fold, label) in fold_of.iter().zip(&labels) {
                    sizes[*fold] += usize::from(class.is_none_or(|class| *label == class));
                }
                sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1
            };
            assert!(even(None));
            assert!(k == 0 || (even(Some(0)) && even(Some(1))), "{samples} {folds}");
            assert_eq!(fold_of, of.assign(&data).unwrap());
        }
        let drawn = |seed| Folds::k(folds).seed(seed).assign(&data).unwrap();
        assert!(samples < 10 || drawn(1) != drawn(2));
    }
}

#[test]
fn folds_that_do_not_fit_are_refused_with_their_numbers() {
    let x: Vec<f64> = (0..6).map(f64::from).collect();
    let data = Dataset::from_labels(1, &x, 3, &[0, 0, 1, 1, 2, 2]).unwrap();
    let data = data.with_class_names(["a", "b", "c"].map(String::from).to_vec()).unwrap();
    let net = Network::linear(1, 3);
    let refused = |data: &Dataset, folds: &Folds| match fit(&net, data).cross_validate(folds) {
        Err(FitError::Folds(error)) => error,
        other => panic!("{:?}", other.err()),
    };
    let (samples, folds) = (6, 7);
    assert_eq!(refused(&data, &Folds::k(7)), FoldError::Count { folds, samples });
    assert_eq!(refused(&data, &Folds::k(1)), FoldError::Count { folds: 1, samples });
    assert_eq!(refused(&data, &Folds::k(0)), FoldError::Count { folds: 0, samples });
    assert_eq!(refused(&data, &Folds::of([0; 6])), FoldError::Count { folds: 1, samples });
    let length = |found| FoldError::Length { expected: 6, found };
    assert_eq!(refused(&data, &Folds::of([0, 1, 0])), length(3));
    assert_eq!(refused(&data, &Folds::of([])), length(0));
    let empty = |fold, folds, weightless| FoldError::Empty { fold, folds, weightless };
    assert_eq!(refused(&data, &Folds::of([0, 2, 0, 2, 0, 2])), empty(1, 3, false));
    let far = Folds::of([0, 1, 0, 1, 0, usize::MAX]);
    assert_eq!(refused(&data, &far), empty(2, usize::MAX, false));
    let error = refused(&data, &Folds::of([0, 1, 2, 2, 0, 1]));
    assert_eq!(error, FoldError::Class { fold: 2, class: "b".to_owned() });
    assert!(error.to_string().contains("class \"b\" are in fold 2"), "{error}");
    // Weights of 0 count as not there.
    let weighted = data.clone().with_weights(vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0]).unwrap();
    assert_eq!(refused(&weighted, &Folds::of([0, 1, 0, 1, 0, 1])), empty(1, 2, true));
    let weighted = data.clone().with_weights(vec![1.0, 0.0, 1.0, 1.0, 1.0, 1.0]).unwrap();
    let error = refused(&weighted, &Folds::of([0, 1, 0, 1, 0, 1]));
    assert_eq!(error, FoldError::Class { fold: 0, class: "a".to_owned() });
    let counts = Dataset::from_slices(1, &x, 1, &x).unwrap();
    assert_eq!(refused(&counts, &Folds::k(2).stratified()), FoldError::NoClasses);
    // A fit that is refused in a fold says which: no network, the wrong loss.
    let error = fit(&net, &data).loss(Logistic).cross_validate(&Folds::of([0, 1, 0, 1, 0, 1]));
    assert!(error.unwrap_err().to_string().starts_with("fold 0 (from 0): logistic"));
}

/// Ridge strengths are chosen by what fits of their own score, and each fit of a convex path ends where a fit from the start would.
#[test]
fn a_strength_is_chosen_by_the_scores_of_fits_of_its_own() {
    let data = table("diabetes.csv").first(120).unwrap();
    let net = Network::linear(10, 1);
    let folds = Folds::k(4).seed(2);
    let strengths = [1e-3, 10.0, 0.1, 0.5, 1e-2];
    let recipe = fit(&net, &data).method(Newton::default());
    let tuned = recipe.tune(&Tune::ridge(strengths), &folds).unwrap();
    let sorted = [10.0, 0.5, 0.1, 1e-2, 1e-3];
    assert!(tuned.path.iter().map(|row| row.strength).eq(sorted));
    assert_eq!(tuned.criterion, "mean square");
    let mut means = Vec::new();
    for row in &tuned.path {
        let own = recipe.clone().penalty(Ridge(row.strength)).cross_validate(&folds).unwrap();
        let squares = own.spread(|score| score.rmse.map(|rmse| rmse * rmse)).unwrap();
        assert!((row.spread.mean / squares.mean - 1.0).abs() < 1e-9);
        assert!((row.spread.standard_error / squares.standard_error - 1.0).abs() < 1e-7);
        means.push((squares.mean, squares.standard_error));
    }
    let best = (0..5).min_by(|a, b| means[*a].0.total_cmp(&means[*b].0)).unwrap();
    assert!(tuned.best == best && tuned.chosen == best && best > 0 && best < 4, "{tuned}");
    let own = recipe.clone().penalty(Ridge(tuned.strength())).run().unwrap();
    for (a, b) in tuned.model().theta().iter().zip(own.model().theta()) {
        assert!((a - b).abs() < 1e-9 * b.abs().max(1.0));
    }
    // The largest within one standard error.
    let limit = means[best].0 + means[best].1;
    let simplest = (0..5).find(|at| means[*at].0 <= limit).unwrap();
    let tuned = recipe.tune(&Tune::ridge(strengths).one_standard_error(), &folds).unwrap();
    assert!(simplest < best && tuned.chosen == simplest && tuned.best == best, "{tuned}");
    let table = tuned.to_string();
    assert_eq!(table.lines().filter(|line| line.ends_with("taken")).count(), 1, "{table}");
    // Another penalty, and ends of the list.
    let tune = Tune::penalty([1.0, 1e-2], RidgeAll);
    let tuned = recipe.tune(&tune, &folds).unwrap();
    assert!(tuned.is_at_edge() && tuned.to_string().contains("try some beyond"));
    let labelled = labelled("iris.csv");
    let softmax = Network::linear(4, 3);
    let tuned = fit(&softmax, &labelled).tune(&Tune::ridge([0.1, 1e-2]), &Folds::k(3).stratified());
    assert_eq!(tuned.unwrap().criterion, "log loss");
}

#[test]
fn a_path_has_the_same_bits_for_any_number_of_threads_and_each_fit_starts_where_the_last_ended() {
    let data = table("yacht.csv");
    let net = Network::mlp([6, 4, 1], Activation::Tanh);
    let recipe = fit(&net, &data).max_iterations(10).seed(3);
    let tune = Tune::ridge([1e-1, 1e-3]);
    let run = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| recipe.tune(&tune, &Folds::k(3)).unwrap())
    };
    let found = run(1);
    for threads in [2, 3] {
        let other = run(threads);
        assert_eq!(other.path, found.path);
        assert_eq!(other.model().theta(), found.model().theta());
    }
    let strong = recipe.clone().penalty(Ridge(1e-1)).run().unwrap();
    let start = strong.model().theta().to_vec();
    let weak = recipe.clone().penalty(Ridge(1e-3)).start(start).run().unwrap();
    let expected = if found.chosen == 1 { weak } else { strong };
    assert_eq!(found.model().theta(), expected.model().theta());
    assert_eq!(found.chosen, 1);
}

#[test]
fn strengths_that_cannot_be_tried_are_refused() {
    let data = table("diabetes.csv").first(30).unwrap();
    let net = Network::linear(10, 1);
    let refused =
        |strengths: &[f64]| match fit(&net, &data).tune(&Tune::ridge(strengths), &Folds::k(3)) {
            Err(FitError::Tune(error)) => error,
            other => panic!("{:?}", other.err()),
        };
    assert_eq!(refused(&[]), TuneError::Empty);
    assert_eq!(refused(&[1.0, -0.5]), TuneError::Strength { index: 1, value: -0.5 });
    assert!(matches!(refused(&[f64::NAN]), TuneError::Strength { index: 0, .. }));
    assert!(matches!(refused(&[f64::INFINITY]), TuneError::Strength { .. }));
}

#[test]
fn observers_see_nothing_of_folds_an_interrupt_ends_all_and_checkpoints_are_refused() {
    let data = table("yacht.csv");
    let net = Network::mlp([6, 4, 1], Activation::Tanh);
    let (mut seen, interrupt) = (0, Interrupt::new());
    let recipe = fit(&net, &data).max_iterations(5).interrupt(&interrupt);
    let observed = recipe.observe(|_| {
        seen += 1;
        ControlFlow::Continue(())
    });
    let plain = observed.cross_validate(&Folds::k(3)).unwrap();
    assert!(plain.reports.iter().all(|report| report.iterations == 5));
    interrupt.set();
    let ended = observed.cross_validate(&Folds::k(3)).unwrap();
    assert!(ended.reports.iter().all(|report| report.reason == Reason::Interrupted));
    assert!(ended.to_string().contains("fold 2: "), "{ended}");
    drop(observed);
    assert_eq!(seen, 0);
    let written = fit(&net, &data).checkpoint("never-written.fit", Every::Seconds(1.0));
    let error = written.cross_validate(&Folds::k(3)).unwrap_err().to_string();
    assert!(error.contains("cross-validation"), "{error}");
    assert!(!std::path::Path::new("never-written.fit").exists());
}
