//! Inputs that are stored as `f32` against the same numbers widened before: everything that a solver may ask, bit for bit.

use crate::shared::{SAMPLES, assert_bits, deep, inputs, weighted};
use crate::sparse::{asked, normals};
use rayon::ThreadPoolBuilder;
use secant_core::data::{Dataset, Standardizer, Targets};
use secant_core::graph::Graph;
use secant_core::loss::{Loss, Poisson, SoftmaxCrossEntropy, SquaredError};
use secant_core::op::{Dense, Embedding, Multiply};
use secant_core::penalty::{Penalty, Ridge};
use secant_core::predict::{outputs_of, outputs_scaled};
use secant_core::risk::{Layout, Risk, RiskPart};
use std::sync::Arc;

fn singles(d: usize, samples: usize) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "rounded to f32")]
    inputs(d, samples).into_iter().map(|x| x as f32).collect()
}

/// The data set of the numbers as they are, and of the widened ones.
fn both(d: usize, x: &[f32], targets: &Targets) -> [Dataset; 2] {
    let single = Dataset::from_shared_f32(d, Arc::new(x.to_vec()), targets.clone()).unwrap();
    let wide = x.iter().map(|&x| x.into()).collect();
    [single, Dataset::new(d, wide, targets.clone()).unwrap()]
}

fn counts(c: usize) -> Targets {
    let values = normals(c * SAMPLES, 2).iter().map(|y| (4.0 * y).abs().floor()).collect();
    Targets::Values { rows: c, values }
}

fn labels(classes: usize) -> Targets {
    let labels = (0..SAMPLES).map(|i| u32::try_from(i * i % classes).unwrap()).collect();
    Targets::Labels { classes, labels }
}

fn assert_equal(graph: &Graph, both: &[Dataset; 2], loss: impl Loss + Clone + 'static, what: &str) {
    for threads in [1, 2] {
        for budget in [usize::MAX, 100_000] {
            let [found, wanted] = both.each_ref().map(|data| {
                let risk = Risk::new(graph, data, loss.clone(), Ridge(1e-2)).unwrap();
                let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| asked(&risk.with_tape_budget(budget), 5))
            });
            for ((name, found), (_, wanted)) in found.iter().zip(wanted) {
                assert_bits(found, &wanted, &format!("{what}, {threads} thread(s): {name}"));
            }
        }
    }
    let loss: Arc<dyn Loss> = Arc::new(loss);
    let theta = normals(graph.parameters().dim(), 9);
    let [found, wanted] = both.each_ref().map(|data| {
        let layout = Layout::new(graph, SAMPLES, data.weights()).unwrap();
        let penalty: Arc<dyn Penalty> = Arc::new(Ridge(1e-2));
        let parts = (Arc::clone(&loss), penalty);
        let part = RiskPart::new(graph, data, parts, &layout, &(0..layout.blocks())).unwrap();
        let partials = part.linearize(&theta).1;
        [partials.nodes(), partials.losses()].concat()
    });
    assert_bits(&found, &wanted, &format!("{what}: a part"));
}

/// As they are, and standardised when they are read.
fn compare(graph: &Graph, both: &[Dataset; 2], loss: impl Loss + Clone + 'static, what: &str) {
    assert_equal(graph, both, loss.clone(), what);
    let [scaling, wanted] = both.each_ref().map(Standardizer::fit_inputs);
    assert_eq!(scaling, wanted, "{what}: moments");
    let standardised = both.each_ref().map(|data| scaling.share_inputs_above(0, data).unwrap());
    assert_equal(graph, &standardised, loss, &format!("{what}, standardised"));
    let theta = normals(graph.parameters().dim(), 9);
    let outputs = |data: &Dataset, scaling| outputs_of(graph, &theta, data, scaling).unwrap();
    let wanted = outputs_scaled(graph, &theta, both[1].inputs(), Some(&scaling)).unwrap();
    assert_bits(&outputs(&both[0], Some(&scaling)), &wanted, what);
    assert_bits(&outputs(&standardised[0], None), &wanted, what);
    // A sample alone.
    let one = both[0].select(&[7]).unwrap();
    assert!(one.single_inputs().is_some());
    let c = graph.outputs();
    assert_bits(&outputs(&one, Some(&scaling)), &wanted[7 * c..8 * c], what);
    let wanted = outputs(&both[1], None);
    assert_bits(&outputs(&one, None), &wanted[7 * c..8 * c], what);
    // Nobody has made a copy of them.
    assert!(both[0].single_inputs().is_some());
}

#[test]
fn linear_models() {
    let mut g = Graph::builder(11);
    let y = g.node("y", Dense::new(1), &[g.input()]).unwrap();
    let (one, x) = (g.build(y).unwrap(), singles(11, SAMPLES));
    let regression = || both(11, &x, &counts(1));
    compare(&one, &regression(), SquaredError, "regression");
    compare(&one, &regression().map(weighted), SquaredError, "weighted regression");
    let exposed = regression().map(|data| weighted(data.with_offset(normals(SAMPLES, 7)).unwrap()));
    compare(&one, &exposed, Poisson::default(), "counts");
    let mut g = Graph::builder(5);
    let y = g.node("y", Dense::new(3).without_bias(), &[g.input()]).unwrap();
    let (three, x) = (g.build(y).unwrap(), singles(5, SAMPLES));
    let classes = both(5, &x, &labels(3));
    compare(&three, &classes, SoftmaxCrossEntropy, "classes");
    compare(&three, &classes.map(weighted), SoftmaxCrossEntropy, "weighted classes");
}

#[test]
fn networks() {
    let (deep, x) = (deep(), singles(4, SAMPLES));
    compare(&deep, &both(4, &x, &counts(2)), SquaredError, "network");
    compare(&deep, &both(4, &x, &counts(2)).map(weighted), SquaredError, "weighted network");
    // The inputs are read by several nodes, behind each other too.
    let mut g = Graph::builder(4);
    let h = g.node("hidden", Dense::new(4), &[g.input()]).unwrap();
    let h = g.node("gate", Multiply, &[h, g.input()]).unwrap();
    let y = g.node("y", Dense::new(3), &[h]).unwrap();
    let gates = g.build(y).unwrap();
    compare(&gates, &both(4, &x, &labels(3)), SoftmaxCrossEntropy, "gates");
}

/// Moments of widths and lengths that leave rests, one row and rows longer than a block among them, with weights or without.
#[test]
fn moments_have_the_bits_of_the_widened_table() {
    for (d, samples) in [(1, 70_001), (3, 50_021), (100, 9_001), (20_000, 17)] {
        let targets = Targets::Values { rows: 1, values: vec![0.0; samples] };
        let all = both(d, &singles(d, samples), &targets);
        let [found, wanted] = all.each_ref().map(Standardizer::fit_inputs);
        assert_eq!(found, wanted, "{d} × {samples}");
        for centred in [true, false] {
            let [found, wanted] =
                all.each_ref().map(|data| Standardizer::standardized(data, centred).unwrap());
            assert_eq!(found.0, wanted.0, "{d} × {samples}");
            assert_bits(found.1.inputs(), wanted.1.inputs(), "the standardised table");
        }
        let weights: Vec<f64> = (0..samples).map(|i| (i % 3) as f64).collect();
        let all = all.map(|data| data.with_weights(weights.clone()).unwrap());
        let [found, wanted] = all.map(|data| Standardizer::fit_inputs(&data));
        assert_eq!(found, wanted, "{d} × {samples}, weighted");
    }
}

/// Parts of the samples stay `f32`, and have the numbers of parts of the widened table.
#[test]
fn parts_and_samples_are_those_of_the_widened_table() {
    let [single, wide] = both(6, &singles(6, SAMPLES), &counts(1)).map(weighted);
    let indices: Vec<usize> = (0..SAMPLES).step_by(7).chain([3, 3, 0]).collect();
    let (one, two) = (single.select(&indices).unwrap(), wide.select(&indices).unwrap());
    let equal = [one == two, two == one, single == wide, single.clone() == wide];
    assert_eq!(equal, [true; 4]);
    assert_eq!([one == wide, single == one], [false; 2]);
    assert!(single.split(0.3, 4).unwrap() == wide.split(0.3, 4).unwrap());
    let mut sample = [0.0; 6];
    one.write_sample(5, &mut sample);
    assert_bits(&sample, two.sample(5), "a sample of a part");
    let other = Targets::Values { rows: 1, values: vec![1.0; SAMPLES] };
    assert_eq!(single.with_targets(other.clone()).unwrap(), wide.with_targets(other).unwrap());
    let doubled = |data: &Dataset| data.map_inputs(|x| 2.0 * x).unwrap();
    assert_eq!(doubled(&single), doubled(&wide));
    let scaling = Standardizer::fit_inputs(&single);
    let transformed = |data: &Dataset| scaling.transform_inputs(data).unwrap();
    assert_eq!(transformed(&single), transformed(&wide));
    // None of this has made a copy of all of them; a part of what is standardised is stored as they are.
    assert!(single.single_inputs().is_some() && one.single_inputs().is_some());
    let [one, two] = [&single, &wide]
        .map(|data| scaling.share_inputs_above(0, data).unwrap().select(&indices).unwrap());
    assert!(one.single_inputs().is_none());
    assert_eq!(one, two);
    // Standardised twice.
    let [one, two] = [&single, &wide].map(|data| {
        let once = scaling.share_inputs_above(0, data).unwrap();
        scaling.share_inputs_above(0, &once).unwrap()
    });
    assert_bits(one.inputs(), two.inputs(), "standardised twice");
    // Whoever asks for `f64` gets them, and everything goes on with the same numbers.
    assert_bits(single.inputs(), wide.inputs(), "the widened copy");
    assert_eq!(single, wide);
}

/// What overflows once it is standardised, and what is no code, is refused in the words for the widened table.
#[test]
fn refusals_are_those_of_the_widened_table() {
    let mut x = singles(3, SAMPLES);
    x[3 * 8_000] = -3e38;
    let targets = Targets::Values { rows: 1, values: vec![0.0; SAMPLES] };
    let all = both(3, &x, &targets);
    let names = all[0].feature_names().to_vec();
    let scaling = Standardizer::new(names, vec![1.0; 3], vec![1e-280, 1.0, 1.0]).unwrap();
    let [found, wanted] =
        all.each_ref().map(|data| scaling.share_inputs_above(0, data).unwrap_err().to_string());
    assert_eq!(found, wanted);
    let mut g = Graph::builder(3);
    let y = g.node("y", Dense::new(1), &[g.input()]).unwrap();
    let linear = g.build(y).unwrap();
    let [found, wanted] = all
        .map(|data| outputs_of(&linear, &[1.0; 4], &data, Some(&scaling)).unwrap_err().to_string());
    assert_eq!(found, wanted);

    let mut x: Vec<f32> = (0..SAMPLES).map(|i| [0.0, 1.0, 2.0][i % 3]).collect();
    x[7_777] = 2.5;
    let mut g = Graph::builder(1);
    let e = g.node("embedding", Embedding::new(3, 2), &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1), &[e]).unwrap();
    let graph = g.build(y).unwrap();
    let [found, wanted] = both(1, &x, &targets)
        .map(|data| Risk::new(&graph, &data, SquaredError, Ridge(0.0)).unwrap_err().to_string());
    assert!(found == wanted && found.contains("7777"), "{found}");
    x[7_777] = 2.0;
    let all = both(1, &x, &targets);
    assert!(Risk::new(&graph, &all[0], SquaredError, Ridge(0.0)).is_ok());
}
