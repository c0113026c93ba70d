//! Dropout: exact derivatives, one function per draw, masks that depend on seed, draw, node, sample and entry alone, off in prediction.

use secant_core::check;
use secant_core::data::Dataset;
use secant_core::graph::Graph;
use secant_core::loss::SquaredError;
use secant_core::op::{Activation, Dense, Dropout, Op};
use secant_core::penalty::{NoPenalty, Ridge};
use secant_core::predict::outputs;
use secant_core::problem::{Objective, SampledObjective};
use secant_core::random::Random;
use secant_core::risk::Risk;
use secant_core::shape::{Shape, ShapeError};

const FEATURES: usize = 3;

fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normal()).collect()
}

fn data(samples: usize) -> Dataset {
    let (x, y) = (normals(FEATURES * samples, 1), normals(2 * samples, 2));
    Dataset::from_slices(FEATURES, &x, 2, &y).unwrap()
}

/// Dropout on the data and on a hidden layer.
fn network(seed: u64) -> Graph {
    let mut g = Graph::builder(FEATURES);
    let x = g.node("first", Dropout::new(0.2).with_seed(seed), &[g.input()]).unwrap();
    let h = g.node("hidden", Dense::new(6), &[x]).unwrap();
    let h = g.node("tanh", Activation::Tanh, &[h]).unwrap();
    let h = g.node("second", Dropout::new(0.5).with_seed(seed), &[h]).unwrap();
    let y = g.node("y", Dense::new(2), &[h]).unwrap();
    g.build(y).unwrap()
}

/// The entries of all samples that are there in `draw`: 1/(1 − p) or 0, for y = diag(w)·dropout(1) seen through its gradient.
fn masks(probability: f64, seed: u64, draw: u64, name: &str, samples: usize) -> Vec<bool> {
    let rows = 5;
    let mut g = Graph::builder(rows);
    let x = g.node(name, Dropout::new(probability).with_seed(seed), &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1).without_bias(), &[x]).unwrap();
    let graph = g.build(y).unwrap();
    // z = 0 at w = 0, so that ∇f of a sample with target −1 is its masked input.
    let data =
        Dataset::from_slices(rows, &vec![1.0; rows * samples], 1, &vec![-1.0; samples]).unwrap();
    let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
    let mut gradient = vec![0.0; rows];
    let mask = |index| {
        risk.value_gradient_drawn(draw, &[index], &vec![0.0; rows], &mut gradient);
        let kept = 1.0 / (1.0 - probability);
        assert!(gradient.iter().all(|&entry| entry == 0.0 || entry == kept), "{gradient:?}");
        gradient.iter().map(|&entry| entry > 0.0).collect::<Vec<_>>()
    };
    (0..samples).flat_map(mask).collect()
}

#[test]
fn derivatives_are_exact() {
    for probability in [0.0, 0.3, 0.9] {
        for extents in [&[1][..], &[5], &[3, 4], &[24]] {
            for seed in 1..=3 {
                let op = Dropout::new(probability).with_seed(seed);
                let checks = check::op(&op, &[Shape::new(extents)], seed).unwrap();
                assert!(checks.passed(), "{op:?} on {extents:?}\n{checks}");
            }
        }
    }
    // One tile, and several.
    for samples in [1, 40, 700] {
        let (graph, data) = (network(3), data(samples));
        let risk = Risk::new(&graph, &data, SquaredError, Ridge(0.1)).unwrap();
        let theta = normals(risk.dim(), 4);
        let checks = check::curvature(&risk, &theta, 5);
        assert!(checks.passed(), "{samples} samples\n{checks}");
        let checks = check::least_squares(&risk.least_squares().unwrap(), &theta, 5);
        assert!(checks.passed(), "{samples} samples\n{checks}");
    }
    // Affine: H is assembled from the masked features.
    let mut g = Graph::builder(FEATURES);
    let x = g.node("dropout", Dropout::new(0.4), &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(2), &[x]).unwrap();
    let graph = g.build(y).unwrap();
    assert!(graph.is_affine());
    let data = data(700);
    let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
    let checks = check::curvature(&risk, &normals(risk.dim(), 4), 5);
    assert!(checks.passed(), "{checks}");
}

#[test]
fn a_sample_has_one_mask_whatever_batch_it_comes_in() {
    let (graph, data) = (network(3), data(700));
    let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
    let theta = normals(risk.dim(), 4);
    let checks = check::sampled(&risk, &[699, 3, 3, 511, 512, 0], &theta);
    assert!(checks.passed(), "{checks}");
    let (mut all, mut gathered) = (vec![0.0; risk.dim()], vec![0.0; risk.dim()]);
    let value = risk.value_gradient(&theta, &mut all);
    let indices: Vec<usize> = (0..700).collect();
    assert_eq!(risk.value_gradient_on(&indices, &theta, &mut gathered), value);
    assert_eq!(all, gathered);
    let reversed: Vec<usize> = (0..700).rev().collect();
    let other = risk.value_gradient_on(&reversed, &theta, &mut gathered);
    // The same terms in another order.
    assert!((other - value).abs() <= 1e-13 * value);
}

#[test]
fn bits_do_not_depend_on_threads_or_on_kept_tapes() {
    let (graph, data) = (network(3), data(5_000));
    let theta = normals(graph.parameters().dim(), 4);
    let run = |threads: usize, budget: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            use secant_core::problem::{Curvature, Linearization};
            let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
            let risk = risk.with_tape_budget(budget);
            let at = risk.linearize(&theta);
            let mut product = vec![0.0; risk.dim()];
            at.hessian_vector(&theta, &mut product);
            let mut drawn = vec![0.0; risk.dim()];
            let indices: Vec<usize> = (0..3_000).map(|index| index * 7 % 5_000).collect();
            let value = risk.value_gradient_drawn(9, &indices, &theta, &mut drawn);
            (at.value(), at.gradient().to_vec(), product, value, drawn)
        })
    };
    let one = run(1, usize::MAX);
    assert_eq!(one, run(4, usize::MAX));
    assert_eq!(one, run(2, 0));
}

#[test]
fn masks_drop_the_stated_share_and_differ_by_seed_draw_node_and_sample() {
    let samples = 2_000;
    for probability in [0.1, 0.5, 0.8] {
        let mask = masks(probability, 0, 0, "dropout", samples);
        let dropped = mask.iter().filter(|kept| !**kept).count() as f64;
        let entries = mask.len() as f64;
        // Five standard deviations of a binomial count.
        let deviation = (entries * probability * (1.0 - probability)).sqrt();
        assert!((dropped - entries * probability).abs() < 5.0 * deviation, "{dropped}");
    }
    let reference = masks(0.5, 0, 0, "dropout", samples);
    assert_eq!(reference, masks(0.5, 0, 0, "dropout", samples));
    let others = [
        masks(0.5, 1, 0, "dropout", samples),
        masks(0.5, 0, 1, "dropout", samples),
        masks(0.5, 0, 0, "other", samples),
        // The next sample's.
        [&reference[5..], &reference[..5]].concat(),
        // The next entry's.
        [&reference[1..], &reference[..1]].concat(),
    ];
    for (index, other) in others.iter().enumerate() {
        let same = reference.iter().zip(other).filter(|(a, b)| a == b).count() as f64;
        // Independent fair coins agree in half of the 10,000 places; five standard deviations of 50.
        assert!((same - 5_000.0).abs() < 250.0, "{index}: {same} places agree");
    }
}

#[test]
fn draws_are_unbiased_and_prediction_has_none() {
    let mut g = Graph::builder(FEATURES);
    let x = g.node("dropout", Dropout::new(0.5), &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1), &[x]).unwrap();
    let graph = g.build(y).unwrap();
    let x = [0.3, -1.0, 2.0];
    let theta = [1.0, 0.5, -0.7, 0.2];
    let z = outputs(&graph, &theta, &x).unwrap();
    assert!((z[0] - (0.3 - 0.5 - 1.4 + 0.2)).abs() < 1e-15);
    // E z over the draws is the prediction: ∂f/∂b = z − y is linear in z.
    let data = Dataset::from_slices(FEATURES, &x, 1, &[0.0]).unwrap();
    let risk = Risk::new(&graph, &data, SquaredError, NoPenalty).unwrap();
    let mut gradient = vec![0.0; 4];
    let draws = 20_000;
    let mut mean = 0.0;
    for draw in 0..draws {
        risk.value_gradient_drawn(draw, &[0], &theta, &mut gradient);
        mean += gradient[3] / draws as f64;
    }
    // Var z = Σ (wᵢxᵢ)²·p/(1 − p) = 0.09 + 0.25 + 1.96; five standard errors.
    assert!((mean - z[0]).abs() < 5.0 * (2.3 / draws as f64).sqrt(), "{mean} {}", z[0]);
}

#[test]
fn probabilities_out_of_range_are_refused() {
    for probability in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        let error = Dropout::new(probability).output_shape(&[Shape::vector(2)]).unwrap_err();
        assert!(matches!(error, ShapeError::Option { option: "probability", .. }), "{error}");
    }
    let dropout: Dropout = serde_json::from_str(r#"{"probability":0.25}"#).unwrap();
    assert_eq!(dropout, Dropout::new(0.25));
}
