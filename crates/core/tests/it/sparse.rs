//! Everything that a solver may ask of a risk on sparse inputs against the same on the dense table, standardised or not.

use faer::{Mat, MatRef};
use proptest::prelude::*;
use secant_core::check;
use secant_core::data::{Dataset, SparseInputs, Standardizer, Targets};
use secant_core::graph::Graph;
use secant_core::loss::{Logistic, Loss, Poisson, SoftmaxCrossEntropy, SquaredError};
use secant_core::network::Network;
use secant_core::op::{Activation, Add, Dense, Multiply};
use secant_core::penalty::Ridge;
use secant_core::predict::{outputs, outputs_of, outputs_scaled};
use secant_core::problem::{Curvature, LeastSquares, Linearization, Objective, SampledObjective};
use secant_core::random::Random;
use secant_core::risk::Risk;

/// Sums of the same terms in another order, relative to the largest.
const SAME: f64 = 2e-14;
/// The same with the centre taken off at the end.
const CENTRED: f64 = 1e-13;

/// d × N numbers of which so many are not 0; an empty feature, an empty sample and a full one among them.
pub(crate) fn table(d: usize, samples: usize, density: f64, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut entry = |at: usize| {
        let (filled, number) = (random.uniform() < density, random.normal() + 0.3);
        let (sample, feature) = (at / d, at % d);
        let filled = (filled && sample != 1 && feature != d / 2) || sample == 2;
        if filled { number } else { 0.0 }
    };
    (0..d * samples).map(&mut entry).collect()
}

pub(crate) fn sparse(dense: &Dataset) -> Dataset {
    let (d, mut entries) = (dense.features(), (Vec::new(), Vec::new(), Vec::new()));
    for (at, value) in dense.inputs().iter().enumerate().filter(|(_, value)| **value != 0.0) {
        entries.0.push(at / d);
        entries.1.push(at % d);
        entries.2.push(*value);
    }
    let (rows, columns, values) = &entries;
    let inputs = SparseInputs::from_triples(d, dense.samples(), rows, columns, values).unwrap();
    let mut data = Dataset::from_sparse(inputs, dense.targets().clone()).unwrap();
    if let Some(offset) = dense.offset() {
        data = data.with_offset(offset.to_vec()).unwrap();
    }
    match dense.weights() {
        Some(weights) => data.with_weights(weights.to_vec()).unwrap(),
        None => data,
    }
}

/// Largest difference over the largest number.
fn apart(found: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let largest = wanted.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let each = found.iter().zip(wanted).map(|(found, wanted)| (found - wanted).abs());
    // A NaN must not be lost in a maximum.
    let worst = each.fold(0.0, |worst: f64, x| if x <= worst { worst } else { x });
    if largest == 0.0 { worst } else { worst / largest }
}

fn entries(matrix: MatRef<'_, f64>) -> Vec<f64> {
    (0..matrix.ncols()).flat_map(|j| matrix.col(j).iter().copied().collect::<Vec<_>>()).collect()
}

pub(crate) fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| 0.4 * random.normal()).collect()
}

pub(crate) type Numbers = Vec<(&'static str, Vec<f64>)>;

/// All that a solver may ask at one θ.
pub(crate) fn asked(risk: &Risk<'_>, seed: u64) -> Numbers {
    let n = risk.dim();
    let (theta, v) = (normals(n, seed), normals(n, seed + 1));
    let fresh = || vec![f64::NAN; n];
    let mut all = vec![("value", vec![risk.value(&theta)])];
    let mut gradient = fresh();
    all.push(("value of both", vec![risk.value_gradient(&theta, &mut gradient)]));
    all.push(("gradient", gradient));
    let at = risk.linearize(&theta);
    all.push(("value linearized", vec![at.value()]));
    all.push(("gradient linearized", at.gradient().to_vec()));
    let mut product = fresh();
    at.hessian_vector(&v, &mut product);
    all.push(("Hv", product.clone()));
    at.gauss_newton_vector(&v, &mut product);
    all.push(("Gv", product.clone()));
    at.gauss_newton_diagonal(&mut product);
    all.push(("diagonal of G", product));
    let mut matrix = Mat::from_fn(n, n, |_, _| f64::NAN);
    at.hessian(matrix.as_mut());
    all.push(("H", entries(matrix.as_ref())));
    at.gauss_newton(matrix.as_mut());
    all.push(("G", entries(matrix.as_ref())));
    drop(at);
    risk.hessian_at(&theta, matrix.as_mut());
    all.push(("H alone", entries(matrix.as_ref())));
    risk.gauss_newton_at(&theta, matrix.as_mut());
    all.push(("G alone", entries(matrix.as_ref())));
    let indices: Vec<usize> = (0..risk.data().samples()).step_by(3).chain([0, 2, 2]).collect();
    let mut gradient = fresh();
    let value = risk.value_gradient_on(&indices, &theta, &mut gradient);
    all.extend([("value of a batch", vec![value]), ("gradient of a batch", gradient)]);
    all.push(("outputs", outputs_of(risk.graph(), &theta, risk.data(), None).unwrap()));
    if let Some(view) = risk.least_squares() {
        all.extend(least_squares(&view, &theta, &v));
    }
    all
}

fn least_squares(view: &impl LeastSquares, theta: &[f64], v: &[f64]) -> Numbers {
    let (m, n) = (view.residual_len(), view.dim());
    let mut residuals = vec![f64::NAN; m];
    let half = view.residuals(theta, &mut residuals);
    let mut all = vec![("½‖r‖²", vec![half]), ("r", residuals.clone())];
    let mut product = vec![f64::NAN; m];
    view.jacobian_vector(theta, v, &mut product);
    let mut back = vec![f64::NAN; n];
    view.jacobian_transpose_vector(theta, &residuals, &mut back);
    all.extend([("J·v", product), ("Jᵀr", back.clone())]);
    let mut jacobian = Mat::from_fn(m, n, |_, _| f64::NAN);
    view.jacobian(theta, &mut residuals, jacobian.as_mut());
    all.push(("J", entries(jacobian.as_ref())));
    let mut normal = Mat::from_fn(n, n, |_, _| f64::NAN);
    let value = view.normal_equations(theta, normal.as_mut(), &mut back);
    all.extend([("f with JᵀJ", vec![value]), ("∇f with JᵀJ", back.clone())]);
    all.push(("JᵀJ", entries(normal.as_ref())));
    view.normal_diagonal(theta, &mut back);
    all.push(("diagonal of JᵀJ", back));
    let part = view.linear_part(&view.linear_parameters());
    let (rows, columns) = part.design_shape();
    let mut design = Mat::from_fn(rows, columns, |_, _| f64::NAN);
    let value = view.linear_design(theta, &part, &mut residuals, design.as_mut());
    all.extend([("f with Φ", vec![value]), ("Φ", entries(design.as_ref()))]);
    all
}

fn assert_same(found: Numbers, wanted: Numbers, tolerance: f64, context: &str) {
    assert_eq!(found.len(), wanted.len());
    for ((name, found), (_, wanted)) in found.into_iter().zip(wanted) {
        let apart = apart(&found, &wanted);
        assert!(apart <= tolerance, "{context}: {name} is {apart:e} apart");
    }
}

/// Sparse against dense as they are, and standardised.
fn compare<L: Loss + Clone + 'static>(graph: &Graph, dense: &Dataset, loss: &L, context: &str) {
    let entries = sparse(dense);
    let risk = |data| Risk::new(graph, data, loss.clone(), Ridge(1e-2)).unwrap();
    assert_same(asked(&risk(&entries), 5), asked(&risk(dense), 5), SAME, context);
    let scaling = Standardizer::fit_inputs(dense);
    let standardized = scaling.transform_inputs(dense).unwrap();
    let centred = scaling.transform_inputs(&entries).unwrap();
    assert!(centred.sparse().unwrap().centre().is_some());
    let context = format!("{context}, standardised");
    let (found, wanted) = (asked(&risk(&centred), 9), asked(&risk(&standardized), 9));
    assert_same(found, wanted, CENTRED, &context);
    // On the way.
    let theta = normals(graph.parameters().dim(), 9);
    let on_the_way = outputs_of(graph, &theta, &entries, Some(&scaling)).unwrap();
    assert_eq!(on_the_way, outputs_of(graph, &theta, &centred, None).unwrap(), "{context}");
    let wanted = outputs_scaled(graph, &theta, dense.inputs(), Some(&scaling)).unwrap();
    assert!(apart(&on_the_way, &wanted) <= CENTRED, "{context}");
    let checks = check::curvature(&risk(&centred), &theta, 3);
    assert!(!checks.0.is_empty() && checks.passed(), "{context}\n{checks}");
}

fn numbers(d: usize, c: usize, samples: usize, density: f64) -> Dataset {
    let y = normals(c * samples, 77);
    Dataset::from_slices(d, &table(d, samples, density, 3), c, &y).unwrap()
}

fn labels(d: usize, classes: usize, samples: usize, density: f64) -> Dataset {
    let mut random = Random::new(8);
    let labels: Vec<u32> =
        (0..samples).map(|_| u32::try_from(random.below(classes)).unwrap()).collect();
    Dataset::from_labels(d, &table(d, samples, density, 4), classes, &labels).unwrap()
}

/// Densities at which XᵀDX goes by columns, and by tiles.
const KINDS: [(usize, f64); 2] = [(60, 0.04), (9, 0.6)];
/// Several tiles and shards, the last one short.
const SAMPLES: usize = 2_731;

#[test]
fn a_linear_model_of_one_output() {
    for (d, density) in KINDS {
        let network = Network::linear(d, 1);
        let graph = network.graph().unwrap();
        compare(graph, &labels(d, 2, SAMPLES, density), &Logistic, "logistic");
        compare(graph, &numbers(d, 1, SAMPLES, density), &SquaredError, "squared");
        let weights = (0..SAMPLES).map(|i| (i % 4) as f64).collect::<Vec<_>>();
        let data = numbers(d, 1, SAMPLES, density).with_weights(weights.clone()).unwrap();
        compare(graph, &data, &SquaredError, "squared with weights");
        let y: Vec<f64> = (0..SAMPLES).map(|i| (i % 5) as f64).collect();
        let data = data.with_targets(Targets::Values { rows: 1, values: y }).unwrap();
        let data = data.with_offset(normals(SAMPLES, 6)).unwrap().with_weights(weights).unwrap();
        compare(graph, &data, &Poisson::default(), "poisson with weights and offsets");
    }
}

#[test]
fn a_linear_model_of_several_outputs() {
    for (d, density) in KINDS {
        let network = Network::linear(d, 3);
        let graph = network.graph().unwrap();
        compare(graph, &labels(d, 3, 701, density), &SoftmaxCrossEntropy, "softmax");
        compare(graph, &numbers(d, 3, 701, density), &SquaredError, "squared, three outputs");
    }
}

#[test]
fn a_matrix_beyond_the_cache_goes_by_columns() {
    let network = Network::linear(530, 1);
    let graph = network.graph().unwrap();
    compare(graph, &labels(530, 2, 400, 0.01), &Logistic, "logistic of many features");
    let data = numbers(530, 1, 400, 0.01);
    let data = data.with_weights((0..400).map(|i| f64::from(i % 3)).collect()).unwrap();
    compare(graph, &data, &SquaredError, "squared of many features");
}

#[test]
fn networks_whose_first_nodes_read_the_data() {
    let network = Network::mlp([9, 5, 2], Activation::Tanh);
    let graph = network.graph().unwrap();
    compare(graph, &numbers(9, 2, 701, 0.3), &SquaredError, "mlp");
    compare(graph, &labels(9, 2, 701, 0.3), &SoftmaxCrossEntropy, "mlp of classes");

    // Wide and deep, with a product of two scores, and a bias that belongs to nodes that are alike.
    let mut g = Graph::builder(9);
    let x = g.input();
    let h = g.node("hidden", Dense::new(4), &[x]).unwrap();
    let again = g.node_sharing("again", Dense::new(4), &[x], &["hidden.weight", "hidden.bias"]);
    let h = g.node("tanh", Activation::Tanh, &[h]).unwrap();
    let gate = g.node("gate", Activation::Sigmoid, &[again.unwrap()]).unwrap();
    let h = g.node("gated", Multiply, &[h, gate]).unwrap();
    let deep = g.node("deep", Dense::new(1), &[h]).unwrap();
    let wide = g.node("wide", Dense::new(1), &[x]).unwrap();
    let y = g.node("sum", Add, &[deep, wide]).unwrap();
    let graph = g.build(y).unwrap();
    compare(&graph, &labels(9, 2, 701, 0.3), &Logistic, "wide and deep");
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut all = Vec::new();
            for (d, density) in KINDS {
                let data = sparse(&labels(d, 2, 60_000, density));
                let scaling = Standardizer::fit_inputs(&data);
                let network = Network::linear(d, 1);
                let centred = scaling.transform_inputs(&data).unwrap();
                let graph = network.graph().unwrap();
                let risk = Risk::new(graph, &centred, Logistic, Ridge(1e-2)).unwrap();
                assert!(risk.shards() > 1);
                let asked = asked(&risk, 3).into_iter().flat_map(|(_, numbers)| numbers);
                all.extend(asked.map(f64::to_bits));
            }
            all
        })
    };
    let one = bits(1);
    assert!(bits(2) == one && bits(3) == one);
}

#[test]
fn what_cannot_take_sparse_inputs_is_named() {
    let data = sparse(&numbers(4, 1, 20, 0.5));
    let centred = Standardizer::fit_inputs(&data).transform_inputs(&data).unwrap();
    let refused = |graph: &Graph, data: &Dataset| {
        let error = Risk::new(graph, data, SquaredError, Ridge(0.1)).unwrap_err().to_string();
        let theta = vec![0.0; graph.parameters().dim()];
        let same = outputs_of(graph, &theta, data, None).unwrap_err().to_string();
        assert_eq!(error, same);
        error
    };
    let mut g = Graph::builder(4);
    let h = g.node("relu1", Activation::Relu, &[g.input()]).unwrap();
    let y = g.node("y", Dense::new(1), &[h]).unwrap();
    assert_eq!(
        refused(&g.build(y).unwrap(), &data),
        "node `relu1` (relu) needs dense inputs, the data are sparse: `SparseInputs::to_dense` makes them dense"
    );
    let mut g = Graph::builder(4);
    let y = g.node("y", Dense::new(1).without_bias(), &[g.input()]).unwrap();
    let graph = g.build(y).unwrap();
    assert_eq!(
        refused(&graph, &centred),
        "node `y` (dense) has no bias, which sparse inputs that are centred need: scale them only (`Standardizer::scale_only`)"
    );
    let only = Standardizer::fit_inputs(&data).scale_only();
    let scaled = only.transform_inputs(&data).unwrap();
    assert!(Risk::new(&graph, &scaled, SquaredError, Ridge(0.1)).is_ok());
    let mut g = Graph::builder(4);
    let a = g.node("a", Dense::new(1), &[g.input()]).unwrap();
    let b = g.node("b", Dense::new(1), &[g.input()]).unwrap();
    let h = g.node("sum", Add, &[a, b]).unwrap();
    let y = g.node_sharing("y", Dense::new(1), &[h], &["b.bias", "a.bias"]).unwrap();
    assert_eq!(
        refused(&g.build(y).unwrap(), &centred),
        "node `a` shares its bias `a.bias` with another node, which sparse inputs that are centred do not allow: scale them only (`Standardizer::scale_only`)"
    );
    let network = Network::linear(5, 1);
    let graph = network.graph().unwrap();
    let error = outputs_of(graph, &[0.0; 6], &data, None).unwrap_err().to_string();
    assert_eq!(error, "the inputs have 4 features, the model has 5");
    let network = Network::linear(4, 1);
    let graph = network.graph().unwrap();
    let names = (0..4).map(|i| format!("x{i}")).collect();
    let tiny = Standardizer::new(names, vec![0.0; 4], vec![1e-308; 4]).unwrap();
    let error = outputs_of(graph, &[0.0; 5], &data.map_inputs(|x| x * 1e3).unwrap(), Some(&tiny));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("of sample 0 is ") && error.contains("inf"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_pattern_and_width(
        d in 1_usize..20, c in 1_usize..6, samples in 1_usize..40, density in 0.0..1.0_f64, seed in 0_u64..1000,
    ) {
        // Against loops over the dense table.
        let mut random = Random::new(seed);
        let x: Vec<f64> = (0..d * samples)
            .map(|_| if random.uniform() < density { random.normal() } else { 0.0 })
            .collect();
        let dense = Dataset::from_slices(d, &x, c, &normals(c * samples, seed)).unwrap();
        let data = sparse(&dense);
        let network = Network::linear(d, c);
        let graph = network.graph().unwrap();
        let theta = normals(d * c + c, seed + 1);
        let (weight, bias) = theta.split_at(d * c);
        let mut z = vec![0.0; c * samples];
        for (i, x) in x.chunks_exact(d).enumerate() {
            for k in 0..c {
                z[i * c + k] = bias[k] + (0..d).map(|j| weight[j * c + k] * x[j]).sum::<f64>();
            }
        }
        prop_assert!(apart(&outputs_of(graph, &theta, &data, None).unwrap(), &z) <= 1e-14);
        prop_assert!(apart(&outputs(graph, &theta, &x).unwrap(), &z) <= 1e-14);
        let risk = Risk::new(graph, &data, SquaredError, Ridge(0.0)).unwrap();
        let mut gradient = vec![0.0; theta.len()];
        risk.value_gradient(&theta, &mut gradient);
        let y = dense.targets().values().unwrap();
        let mut wanted = vec![0.0; theta.len()];
        for i in 0..samples {
            for k in 0..c {
                let r = (z[i * c + k] - y[i * c + k]) / samples as f64;
                for j in 0..d {
                    wanted[j * c + k] += r * x[i * d + j];
                }
                wanted[d * c + k] += r;
            }
        }
        prop_assert!(apart(&gradient, &wanted) <= 1e-13);
    }
}
