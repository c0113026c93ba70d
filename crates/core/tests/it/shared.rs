//! Inputs that are standardised when they are read against a standardised copy of them: everything that a solver may ask, bit for bit.

use crate::sparse::{asked, normals};
use rayon::ThreadPoolBuilder;
use secant_core::data::{Dataset, Standardizer, Targets};
use secant_core::graph::Graph;
use secant_core::loss::{Loss, Poisson, SoftmaxCrossEntropy, SquaredError};
use secant_core::op::{Activation, Dense, Dropout, Embedding, Multiply};
use secant_core::penalty::Ridge;
use secant_core::predict::{outputs_of, outputs_scaled};
use secant_core::risk::{Layout, Risk, RiskPart};
use std::sync::Arc;

/// More tiles and blocks than one, and not a multiple of anything.
pub(crate) const SAMPLES: usize = 9_001;

/// Columns of several sizes, a constant one and one far from 0 among them.
pub(crate) fn inputs(d: usize, samples: usize) -> Vec<f64> {
    let mut x = normals(d * samples, 1);
    for row in x.chunks_exact_mut(d) {
        row.iter_mut()
            .enumerate()
            .for_each(|(j, x)| *x *= [1e3, 1e2, 10.0, 1.0, 0.1, 1e-2, 1e-3][j % 7]);
        row[d / 2] = 4.0;
        row[d - 1] += 1e5;
    }
    x
}

fn values(d: usize, c: usize) -> Dataset {
    let counts = normals(c * SAMPLES, 2).iter().map(|y| (4.0 * y).abs().floor()).collect();
    let targets = Targets::Values { rows: c, values: counts };
    Dataset::new(d, inputs(d, SAMPLES), targets).unwrap()
}

fn labels(d: usize, classes: usize) -> Dataset {
    let labels = (0..SAMPLES).map(|i| u32::try_from(i * i % classes).unwrap()).collect();
    Dataset::new(d, inputs(d, SAMPLES), Targets::Labels { classes, labels }).unwrap()
}

pub(crate) fn weighted(data: Dataset) -> Dataset {
    data.with_weights((0..SAMPLES).map(|i| [0.0, 1.0, 2.5, 0.3][i % 4]).collect()).unwrap()
}

/// The same numbers, shared and copied, and the table they come from.
fn both(raw: &Dataset) -> (Dataset, Dataset, Standardizer) {
    let scaling = Standardizer::fit_inputs(raw);
    let shared = scaling.share_inputs_above(0, raw).unwrap();
    let copied = scaling.transform_inputs(raw).unwrap();
    (shared, copied, scaling)
}

pub(crate) fn assert_bits(found: &[f64], wanted: &[f64], what: &str) {
    let same = found.iter().zip(wanted).all(|(found, wanted)| found.to_bits() == wanted.to_bits());
    assert!(found.len() == wanted.len() && same, "{what}");
}

fn compare(graph: &Graph, raw: &Dataset, loss: impl Loss + Clone + 'static, what: &str) {
    let (shared, copied, scaling) = both(raw);
    for threads in [1, 2] {
        for budget in [usize::MAX, 100_000] {
            let numbers = |data| {
                let risk = Risk::new(graph, data, loss.clone(), Ridge(1e-2)).unwrap();
                let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| asked(&risk.with_tape_budget(budget), 5))
            };
            let found = numbers(&shared);
            let of = |name: &str| &found.iter().find(|(other, _)| *other == name).unwrap().1;
            assert_bits(of("H alone"), of("H"), what);
            assert_bits(of("G alone"), of("G"), what);
            for ((name, found), (_, wanted)) in found.iter().zip(numbers(&copied)) {
                assert_bits(found, &wanted, &format!("{what}, {threads} thread(s): {name}"));
            }
        }
    }
    let theta = normals(graph.parameters().dim(), 9);
    let one = outputs_of(graph, &theta, &shared, None).unwrap();
    assert_bits(&one, &outputs_of(graph, &theta, &copied, None).unwrap(), what);
    let two = outputs_scaled(graph, &theta, raw.inputs(), Some(&scaling)).unwrap();
    assert_bits(&one, &two, what);

    let shared_loss: Arc<dyn Loss> = Arc::new(loss);
    let layout = Layout::new(graph, SAMPLES, raw.weights()).unwrap();
    let part = |data: &Dataset| {
        let penalty: Arc<dyn secant_core::penalty::Penalty> = Arc::new(Ridge(1e-2));
        let parts = (Arc::clone(&shared_loss), penalty);
        let part = RiskPart::new(graph, data, parts, &layout, &(0..layout.blocks())).unwrap();
        let partials = part.linearize(&theta).1;
        [partials.nodes().to_vec(), partials.losses().to_vec()]
    };
    for (found, wanted) in part(&shared).iter().zip(part(&copied)) {
        assert_bits(found, &wanted, &format!("{what}: a part"));
    }
}

#[test]
fn linear_models() {
    let mut g = Graph::builder(11);
    let y = g.node("y", Dense::new(1), &[g.input()]).unwrap();
    let one = g.build(y).unwrap();
    compare(&one, &values(11, 1), SquaredError, "regression");
    compare(&one, &weighted(values(11, 1)), SquaredError, "weighted regression");
    let exposed = values(11, 1).with_offset(normals(SAMPLES, 7)).unwrap();
    compare(&one, &weighted(exposed), Poisson::default(), "counts");
    let mut g = Graph::builder(5);
    let y = g.node("y", Dense::new(3).without_bias(), &[g.input()]).unwrap();
    let three = g.build(y).unwrap();
    compare(&three, &labels(5, 3), SoftmaxCrossEntropy, "classes");
    compare(&three, &weighted(labels(5, 3)), SoftmaxCrossEntropy, "weighted classes");
}

/// 4-3-2 with dropout.
pub(crate) fn deep() -> Graph {
    let mut g = Graph::builder(4);
    let h = g.node("hidden", Dense::new(3), &[g.input()]).unwrap();
    let h = g.node("tanh", Activation::Tanh, &[h]).unwrap();
    let h = g.node("dropout", Dropout::new(0.1).with_seed(5), &[h]).unwrap();
    let y = g.node("y", Dense::new(2), &[h]).unwrap();
    g.build(y).unwrap()
}

#[test]
fn networks() {
    let deep = deep();
    compare(&deep, &values(4, 2), SquaredError, "network");
    compare(&deep, &weighted(values(4, 2)), SquaredError, "weighted network");
    // The inputs are read by several nodes, behind each other too.
    let mut g = Graph::builder(4);
    let h = g.node("hidden", Dense::new(4), &[g.input()]).unwrap();
    let h = g.node("gate", Multiply, &[h, g.input()]).unwrap();
    let y = g.node("y", Dense::new(3), &[h]).unwrap();
    compare(&g.build(y).unwrap(), &labels(4, 3), SoftmaxCrossEntropy, "gates");
}

/// The shared table is there for what else a data set is asked for, with the numbers of the copy.
#[test]
fn parts_and_samples_have_the_numbers_of_the_copy() {
    let (shared, copied, scaling) = both(&weighted(values(6, 1)));
    let indices: Vec<usize> = (0..SAMPLES).step_by(7).chain([3, 3, 0]).collect();
    let (one, two) = (shared.select(&indices).unwrap(), copied.select(&indices).unwrap());
    let mut sample = [0.0; 6];
    one.write_sample(5, &mut sample);
    assert_bits(&sample, two.sample(5), "a sample of a part");
    assert_bits(one.inputs(), two.inputs(), "a part");
    assert!(one == two && shared.clone() == copied && shared.weights() == copied.weights());
    let halves = shared.split(0.3, 4).unwrap();
    assert!(halves == copied.split(0.3, 4).unwrap());
    let other = Targets::Values { rows: 1, values: vec![1.0; SAMPLES] };
    let (one, two) =
        (shared.with_targets(other.clone()).unwrap(), copied.with_targets(other).unwrap());
    assert!(one == two);
    let targets = Standardizer::fit_targets(&shared).unwrap();
    assert_eq!(
        targets.transform_targets(&shared).unwrap(),
        targets.transform_targets(&copied).unwrap()
    );
    let doubled = |data: &Dataset| data.map_inputs(|x| 2.0 * x).unwrap();
    assert_eq!(doubled(&shared), doubled(&copied));
    // Standardised twice.
    let again = scaling.share_inputs_above(0, &shared).unwrap();
    assert_eq!(again, scaling.transform_inputs(&copied).unwrap());
    let mut g = Graph::builder(6);
    let y = g.node("y", Dense::new(1), &[g.input()]).unwrap();
    let (graph, theta) = (g.build(y).unwrap(), normals(7, 3));
    assert_bits(
        &outputs_of(&graph, &theta, &shared, Some(&scaling)).unwrap(),
        &outputs_of(&graph, &theta, &copied, Some(&scaling)).unwrap(),
        "outputs of what is standardised twice",
    );
}

/// Scaling and table at once: with the means taken off or not, weights or not.
#[test]
fn standardized_is_fit_and_share() {
    for raw in [values(6, 1), weighted(values(6, 1))] {
        let fitted = Standardizer::fit_inputs(&raw);
        for (centred, wanted) in [(true, fitted.clone()), (false, fitted.scale_only())] {
            let (scaling, scaled) = Standardizer::standardized(&raw, centred).unwrap();
            assert_eq!(scaling, wanted);
            assert_eq!(scaled, wanted.transform_inputs(&raw).unwrap());
        }
    }
}

/// What overflows is refused as in a copy: beside the ends of the table, and where a sample that does not count lies beyond them.
#[test]
fn an_overflow_is_refused_in_the_words_of_the_copy() {
    let mut x = inputs(3, SAMPLES);
    x[3 * 8_000] = -1e300;
    let raw = Dataset::new(3, x, Targets::Values { rows: 1, values: vec![0.0; SAMPLES] }).unwrap();
    let names = raw.feature_names().to_vec();
    let scaling = Standardizer::new(names, vec![1.0; 3], vec![1e-20, 1.0, 1.0]).unwrap();
    let words = scaling.transform_inputs(&raw).unwrap_err().to_string();
    assert!(words.contains("sample 8000") && words.contains("x1"), "{words}");
    assert_eq!(scaling.share_inputs_above(0, &raw).unwrap_err().to_string(), words);
    // Of weight 0: not among what the means are of.
    let mut weights = vec![1.0; SAMPLES];
    weights[8_000] = 0.0;
    let mut x = vec![1.0; SAMPLES];
    (x[0], x[8_000]) = (1.0 + 1e-15, 1e305);
    let raw = Dataset::new(1, x, Targets::Values { rows: 1, values: vec![0.0; SAMPLES] }).unwrap();
    let raw = raw.with_weights(weights).unwrap();
    let words = Standardizer::standardized(&raw, true).unwrap_err().to_string();
    assert!(words.contains("sample 8000"), "{words}");
}

/// Codes that are codes only once they are standardised, and that are refused with sample and value as they are then.
#[test]
fn domains_are_looked_at_as_the_model_sees_the_inputs() {
    let x: Vec<f64> = (0..SAMPLES).map(|i| 5.0 + 10.0 * (i % 3) as f64).collect();
    let raw = |x: Vec<f64>| {
        Dataset::new(1, x, Targets::Values { rows: 1, values: vec![0.0; SAMPLES] }).unwrap()
    };
    let scaling = Standardizer::new(vec!["x1".into()], vec![5.0], vec![10.0]).unwrap();
    let mut g = Graph::builder(1);
    let e = g.node("embedding", Embedding::new(3, 2), &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1), &[e]).unwrap();
    let graph = g.build(y).unwrap();
    let shared = scaling.share_inputs_above(0, &raw(x.clone())).unwrap();
    assert!(Risk::new(&graph, &shared, SquaredError, Ridge(0.0)).is_ok());
    let mut odd = x;
    odd[7_777] = 35.0;
    let words =
        |data: &Dataset| Risk::new(&graph, data, SquaredError, Ridge(0.0)).unwrap_err().to_string();
    let raw = raw(odd);
    let found = words(&scaling.share_inputs_above(0, &raw).unwrap());
    assert_eq!(found, words(&scaling.transform_inputs(&raw).unwrap()));
    assert!(found.contains("7777"), "{found}");
}
