//! Files of fitted models: what comes back has the same bits, and whatever is no such file is an error.

mod drawn;
mod others;
mod refused;

use drawn::{drawn, normals, op_names};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use secant::core::params::Role;
use secant::core::random::Random;
use secant::core::rho::{Rho, RhoWeight};
use secant::loss::{HingePower, Loss, MultiClass};
use secant::penalty::{Groups, Penalty};
use secant::{
    AbsoluteError, Activation, Dataset, Fit, Gamma, GaussianPrior, GradientDescent, Graph, Hinge,
    LearnedVariance, LogCosh, Logistic, MaskedSquaredError, Model, NegativeBinomial, Network,
    NoPenalty, Penalties, PerBlock, Poisson, Quantile, Ridge, RidgeAll, Robust, SmoothedGroup,
    SoftmaxCrossEntropy, SquaredError, Standardize,
};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A folder of its own for a test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("secant-models-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// The model at θ = `theta`: no step is taken.
fn at(fit: Fit<'_>, theta: Vec<f64>) -> Model {
    fit.method(GradientDescent::default())
        .max_iterations(0)
        .start(theta)
        .run()
        .unwrap()
        .into_model()
}

/// Everything that a model says, with the bits of its predictions.
fn all_of(model: &Model, inputs: &[f64]) -> impl PartialEq + std::fmt::Debug {
    let scaling = |scaling: Option<&secant::Standardizer>| {
        scaling.map(|s| (s.names().to_vec(), bits(s.means()), bits(s.deviations())))
    };
    (
        bits(&model.predict(inputs).unwrap()),
        bits(model.theta()),
        model.graph().to_json().unwrap(),
        [scaling(model.input_scaling()), scaling(model.target_scaling())],
        [model.feature_names(), model.target_names(), model.class_names()].map(<[_]>::to_vec),
        model.predict_classes(inputs).map_err(|error| error.to_string()),
        // Loss, penalty, summary.
        format!("{:?} {:?} {:?}", model.loss(), model.penalty(), model.fit_summary()),
    )
}

fn comes_back(model: &Model, inputs: &[f64]) {
    let bytes = model.to_bytes().unwrap();
    let copy = Model::from_bytes(&bytes).unwrap();
    assert_eq!(all_of(&copy, inputs), all_of(model, inputs));
    // The same model has the same file.
    assert_eq!(copy.to_bytes().unwrap(), bytes);
}

/// A model on `graph` with a θ, scalings and inputs drawn from `seed`.
fn model_of(graph: Graph, seed: u64) -> (Model, Vec<f64>) {
    let (d, c, samples) = (graph.features(), graph.outputs(), 4);
    let mut random = Random::new(seed);
    // Whole numbers, which are categories too.
    let inputs: Vec<f64> = (0..d * samples).map(|_| random.below(3) as f64).collect();
    let data = Dataset::from_slices(d, &inputs, c, &normals(&mut random, c * samples)).unwrap();
    let takes_codes = op_names(&graph).contains("embedding");
    let theta = normals(&mut random, graph.parameters().dim());
    let network = Network::from(graph);
    let scaled = [Standardize::Inputs, Standardize::InputsAndTargets, Standardize::Nothing];
    let standardize =
        if takes_codes { Standardize::Nothing } else { scaled[random.below(scaled.len())] };
    (at(secant::fit(&network, &data).standardize(standardize), theta), inputs)
}

proptest! {
    // The seed is fixed so that a run can be repeated; PROPTEST_CASES draws more.
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(17),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_drawn_model_comes_back_to_the_last_bit(seed in any::<u64>(), steps in 1..8_usize) {
        let (model, inputs) = model_of(drawn(seed, steps), seed);
        comes_back(&model, &inputs);
    }
}

#[test]
fn the_drawn_graphs_have_every_node() {
    let found: BTreeSet<String> = (0..256).flat_map(|seed| op_names(&drawn(seed, 7))).collect();
    let unknown = "input = 1\n[[node]]\nname = 'y'\nop = '??????'";
    let message = Graph::from_toml(unknown).unwrap_err().to_string();
    let (_, known) = message.split_once("expected one of: ").unwrap();
    // No graph has a batch norm.
    let known = known.split(", ").filter(|name| *name != "batch_norm").map(String::from);
    assert_eq!(found, known.collect());
}

#[test]
fn every_loss_comes_back() {
    let mut random = Random::new(5);
    let (x, y) = (normals(&mut random, 3 * 6), normals(&mut random, 12));
    let numbers = |rows: usize, allowed: fn(f64) -> f64| {
        let y: Vec<f64> = y[..6 * rows].iter().map(|y| allowed(*y)).collect();
        Dataset::from_slices(3, &x, rows, &y).unwrap()
    };
    let labels = |classes: usize| {
        let labels: Vec<u32> = (0..6).map(|i| i % u32::try_from(classes).unwrap()).collect();
        let names = (0..classes).map(|k| format!("class \"{k}\"\n")).collect();
        let data = Dataset::from_labels(3, &x, classes, &labels).unwrap();
        data.with_class_names(names).unwrap()
    };
    let any = || numbers(1, |y| y);
    let counts = || numbers(1, |y| (4.0 * y * y).floor() + 1.0);
    let weights = vec![0.1, 0.7, 1e-300];
    one_loss(SquaredError, 2, &numbers(2, |y| y));
    one_loss(MaskedSquaredError, 1, &numbers(2, f64::abs));
    one_loss(AbsoluteError, 1, &any());
    one_loss(LogCosh::new(0.1 + 0.2), 1, &any());
    one_loss(Quantile::new(1.0 / 3.0, 0.7), 1, &any());
    one_loss(LearnedVariance, 2, &any());
    one_loss(Poisson::default(), 1, &counts());
    one_loss(Poisson::full(), 1, &counts());
    one_loss(NegativeBinomial::new(1.0 / 3.0), 1, &counts());
    one_loss(NegativeBinomial::full(2.0), 1, &counts());
    one_loss(Gamma, 1, &counts());
    one_loss(Logistic, 1, &labels(2));
    one_loss(SoftmaxCrossEntropy, 3, &labels(3));
    one_loss(SoftmaxCrossEntropy.with_smoothing(0.1), 3, &labels(3));
    one_loss(SoftmaxCrossEntropy.with_class_weights(weights), 3, &labels(3));
    for rho in Rho::ALL {
        for weight in [RhoWeight::Triggs, RhoWeight::Irls] {
            one_loss(Robust::new(rho, 1.0 / 3.0).unwrap().with_weight(weight), 1, &any());
        }
    }
    for power in [HingePower::Plain, HingePower::Squared] {
        for multi_class in [MultiClass::OneVsRest, MultiClass::CrammerSinger] {
            one_loss(Hinge { power, multi_class }, 3, &labels(3));
            one_loss(Hinge { power, multi_class }, 1, &labels(2));
        }
    }
}

fn one_loss(loss: impl Loss + 'static, outputs: usize, data: &Dataset) {
    let network = Network::linear(3, outputs);
    let theta = normals(&mut Random::new(9), 4 * outputs);
    let name = format!("{loss:?}");
    let model = at(secant::fit(&network, data).loss(loss), theta);
    assert_eq!(format!("{:?}", model.loss()), name);
    comes_back(&model, data.inputs());
}

#[test]
fn every_penalty_comes_back() {
    let prior = || GaussianPrior::diagonal("hidden.bias", &[0.1, 1.0 / 3.0]);
    let rules = PerBlock::default().role(Role::Bias, 0.1 + 0.2).block("hidden.weight", 2.0);
    let penalties: Vec<Box<dyn Penalty>> = vec![
        Box::new(NoPenalty),
        Box::new(Ridge(1.0 / 3.0)),
        Box::new(RidgeAll(1e-300)),
        Box::new(rules.clone()),
        Box::new(prior().with_mean([0.1, -1.0])),
        Box::new(SmoothedGroup::new(0.1, 1e-3).block("hidden.weight", Groups::Columns)),
        Box::new(Penalties::default().and(rules).and(Penalties::default().and(prior()))),
    ];
    let network = small();
    let data = regression();
    for penalty in penalties {
        let name = format!("{penalty:?}");
        let theta = normals(&mut Random::new(3), 11);
        let sum = Penalties(vec![penalty]);
        let model = at(secant::fit(&network, &data).penalty(sum), theta);
        assert!(format!("{:?}", model.penalty()).contains(&name));
        comes_back(&model, data.inputs());
    }
}

#[test]
fn every_scaling_and_every_name_comes_back() {
    let names = ["", "ünder score", "a\"b\\c\n", "{[,:]}"].map(String::from).to_vec();
    let x = [0.1, 1e300, -3.0, 5.0, 0.3, -1e300, 1.0 / 3.0, 5.0, 1e-310, 7.0, 2.0, 5.0];
    let data = Dataset::from_slices(4, &x, 1, &[1e-5, 2e5, -0.0])
        .unwrap()
        .with_feature_names(names)
        .unwrap()
        .with_target_names(vec!["t\u{202e}".into()])
        .unwrap();
    let network = Network::mlp([4, 2, 1], Activation::Tanh);
    for standardize in [
        Standardize::Auto,
        Standardize::Nothing,
        Standardize::Inputs,
        Standardize::InputsAndTargets,
    ] {
        for seed in 0..4 {
            let fit = secant::fit(&network, &data).standardize(standardize).seed(seed);
            let fit = fit.method(GradientDescent::default()).max_iterations(1).run().unwrap();
            assert_eq!(fit.model().fit_summary().seed, Some(seed));
            assert_eq!(fit.model().fit_summary().samples, 3);
            comes_back(fit.model(), data.inputs());
        }
    }
}

#[test]
fn every_number_comes_back_bit_by_bit() {
    let data = regression();
    let network = small();
    let theta = vec![
        -0.0,
        f64::MIN_POSITIVE / 3.0,
        f64::MAX,
        -f64::MAX,
        1.0 / 3.0,
        f64::EPSILON,
        5e-324,
        -1e-300,
        1.0,
        0.1 + 0.2,
        -7.0,
    ];
    let model = at(secant::fit(&network, &data), theta.clone());
    assert_eq!(bits(model.theta()), bits(&theta));
    comes_back(&model, data.inputs());
}

#[test]
fn a_saved_model_is_the_one_that_is_loaded() {
    let folder = Folder::new("saved");
    let path = folder.0.join("model.safetensors");
    let (data, network) = (regression(), small());
    for seed in 0..3 {
        let fit = secant::fit(&network, &data).seed(seed).max_iterations(5).run().unwrap();
        fit.model().save(&path).unwrap();
        let copy = Model::load(&path).unwrap();
        assert_eq!(all_of(&copy, data.inputs()), all_of(fit.model(), data.inputs()));
        let summary = copy.fit_summary();
        assert_eq!(
            (summary.method.as_str(), summary.reason, summary.value.to_bits()),
            (fit.report().solver.as_str(), fit.report().reason, fit.report().value.to_bits())
        );
        assert_eq!(summary.gradient, fit.report().gradient);
    }
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1);
}

/// What others read in it: blocks by name, row by row, in their own shapes; checked by a formula that knows nothing of the crate.
#[test]
fn the_tensors_are_those_of_the_formula() {
    let (data, network) = (regression(), small());
    let fit = secant::fit(&network, &data).max_iterations(5).run().unwrap();
    let bytes = fit.model().to_bytes().unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensor = |name: &str| {
        let tensor = file.tensor(name).unwrap();
        let numbers: Vec<f64> =
            tensor.data().as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        (tensor.shape().to_vec(), numbers)
    };
    let ((shape, w), (_, b)) = (tensor("hidden.weight"), tensor("hidden.bias"));
    assert_eq!(shape, [2, 3]);
    let ((shape, v), (_, c)) = (tensor("y.weight"), tensor("y.bias"));
    assert_eq!(shape, [1, 2]);
    let [(_, m), (_, s)] = [tensor("input_scaling.means"), tensor("input_scaling.deviations")];
    let [(_, tm), (_, ts)] = [tensor("target_scaling.means"), tensor("target_scaling.deviations")];
    for (x, y) in data.inputs().chunks(3).zip(fit.model().predict(data.inputs()).unwrap()) {
        let z: Vec<f64> = (0..3).map(|j| (x[j] - m[j]) / s[j]).collect();
        let h = |i: usize| ((0..3).map(|j| w[3 * i + j] * z[j]).sum::<f64>() + b[i]).tanh();
        let found = tm[0] + ts[0] * (v[0] * h(0) + v[1] * h(1) + c[0]);
        assert!((found - y).abs() <= 1e-14 * y.abs().max(1.0), "{found} {y}");
    }
}

/// tanh(W·x + b) with two units, and a linear output: 11 parameters.
fn small() -> Network {
    let text = "input = 3\n[[node]]\nname = 'hidden'\nop = 'dense'\noutputs = 2\n[[node]]\nname = 'h'\nop = 'tanh'\n\
                [[node]]\nname = 'y'\nop = 'dense'\noutputs = 1";
    Network::from(Graph::from_toml(text).unwrap())
}

fn regression() -> Dataset {
    let mut random = Random::new(11);
    let (x, y) = (normals(&mut random, 3 * 7), normals(&mut random, 7));
    Dataset::from_slices(3, &x, 1, &y).unwrap()
}
