//! The same θ gives the same bits: for any number of threads, for two callers at once, from a linearisation and from an
//! evaluation, with tapes kept and with tapes swept again.

use faer::Mat;
use rayon::ThreadPoolBuilder;
use secant::core::random::Random;
use secant::data::Dataset;
use secant::graph::Graph;
use secant::loss::{Logistic, Loss, SoftmaxCrossEntropy, SquaredError};
use secant::network::Network;
use secant::op::{Activation, Add, AvgPool2d, Concat, Conv2d, Dense, MaxPool2d, Multiply};
use secant::penalty::Ridge;
use secant::problem::{Curvature, LeastSquares, Linearization, Objective, SampledObjective};
use secant::risk::Risk;

const THREADS: [usize; 4] = [1, 2, 3, 8];

fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.normal()).collect()
}

fn numbers(d: usize, c: usize, samples: usize) -> Dataset {
    Dataset::from_slices(d, &normals(d * samples, 1), c, &normals(c * samples, 2)).unwrap()
}

fn labels(d: usize, classes: usize, samples: usize) -> Dataset {
    let mut random = Random::new(3);
    let draw = |_| u32::try_from(random.below(classes)).unwrap();
    let labels: Vec<u32> = (0..samples).map(draw).collect();
    Dataset::from_labels(d, &normals(d * samples, 4), classes, &labels).unwrap()
}

fn start(n: usize) -> Vec<f64> {
    normals(n, 5).iter().map(|x| 0.3 * x).collect()
}

fn with_threads<R: Send>(threads: usize, run: impl FnOnce() -> R + Send) -> R {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

/// The bits of everything that a solver may ask at θ, by name.
type Bits = Vec<(&'static str, Vec<u64>)>;

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn matrix_bits(matrix: &Mat<f64>) -> Vec<u64> {
    let columns = 0..matrix.ncols();
    columns.flat_map(|j| (0..matrix.nrows()).map(move |i| matrix[(i, j)].to_bits())).collect()
}

/// Evaluations and products.
fn products(risk: &Risk<'_>) -> Bits {
    let n = risk.dim();
    let (theta, v) = (start(n), normals(n, 6));
    let mut gradient = vec![0.0; n];
    let value = risk.value_gradient(&theta, &mut gradient);
    let samples = risk.data().samples();
    let mut random = Random::new(7);
    let batch: Vec<usize> = (0..samples.div_ceil(2)).map(|_| random.below(samples)).collect();
    let mut on_batch = vec![0.0; n];
    let batch_value = risk.value_gradient_on(&batch, &theta, &mut on_batch);
    let at = risk.linearize(&theta);
    let mut all = vec![
        ("minibatch value", bits(&[batch_value])),
        ("minibatch gradient", bits(&on_batch)),
        ("value alone", bits(&[risk.value(&theta)])),
        ("value", bits(&[value])),
        ("gradient", bits(&gradient)),
        ("linearised value", bits(&[at.value()])),
        ("linearised gradient", bits(at.gradient())),
    ];
    let mut product = vec![0.0; n];
    at.hessian_vector(&v, &mut product);
    all.push(("Hessian product", bits(&product)));
    at.gauss_newton_vector(&v, &mut product);
    all.push(("Gauss–Newton product", bits(&product)));
    all
}

/// Products, and the dense matrices.
fn everything(risk: &Risk<'_>) -> Bits {
    let mut all = products(risk);
    let n = risk.dim();
    let theta = start(n);
    let at = risk.linearize(&theta);
    let mut matrix = Mat::zeros(n, n);
    at.hessian(matrix.as_mut());
    all.push(("dense Hessian", matrix_bits(&matrix)));
    at.gauss_newton(matrix.as_mut());
    all.push(("dense Gauss–Newton matrix", matrix_bits(&matrix)));
    if let Some(problem) = risk.least_squares() {
        let mut gradient = vec![0.0; n];
        problem.normal_equations(&theta, matrix.as_mut(), &mut gradient);
        all.push(("normal equations", matrix_bits(&matrix)));
        all.push(("gradient of the normal equations", bits(&gradient)));
        problem.normal_diagonal(&theta, &mut gradient);
        all.push(("diagonal of JᵀJ", bits(&gradient)));
        let mut along = vec![0.0; problem.residual_len()];
        problem.residuals(&theta, &mut along);
        all.push(("residuals", bits(&along)));
        problem.jacobian_vector(&theta, &normals(n, 7), &mut along);
        all.push(("J·v", bits(&along)));
        problem.jacobian_transpose_vector(&theta, &along, &mut gradient);
        all.push(("Jᵀ·u", bits(&gradient)));
    }
    all
}

fn assert_same(context: &str, one: &Bits, other: &Bits) {
    assert_eq!(one.len(), other.len());
    for ((name, one), (_, other)) in one.iter().zip(other) {
        let differing = one.iter().zip(other).filter(|(a, b)| a != b).count();
        assert_eq!(differing, 0, "{context}: {name} differs in {differing} of {}", one.len());
    }
}

/// The same bits from pools of every size, each with a risk of its own and with one that they share.
fn assert_threads_do_not_matter<'a>(
    context: &str,
    risk: impl Fn() -> Risk<'a> + Sync,
    what: fn(&Risk<'_>) -> Bits,
) {
    let shared = risk();
    assert!(shared.shards() > 1, "{context}: one shard only");
    let expected = with_threads(1, || what(&shared));
    for threads in THREADS {
        let own = with_threads(threads, || what(&risk()));
        assert_same(&format!("{context}, {threads} threads"), &expected, &own);
        let again = with_threads(threads, || what(&shared));
        assert_same(&format!("{context}, {threads} threads, shared"), &expected, &again);
    }
}

#[test]
fn threads_do_not_change_the_bits_of_a_network() {
    let net = Network::mlp([6, 30, 20, 3], Activation::Tanh);
    let graph = net.graph().unwrap();
    let data = labels(6, 3, 1_501);
    let risk = || Risk::new(graph, &data, SoftmaxCrossEntropy, Ridge(0.01)).unwrap();
    assert!(risk().shards() > 8);
    assert_threads_do_not_matter("softmax", risk, products);

    let net = Network::mlp([5, 24, 2], Activation::Gelu);
    let graph = net.graph().unwrap();
    let data = numbers(5, 2, 2_003);
    let risk = || Risk::new(graph, &data, SquaredError, Ridge(0.1)).unwrap();
    assert_threads_do_not_matter("squared", risk, everything);
}

#[test]
fn threads_do_not_change_the_bits_with_weights_and_offsets() {
    let beside = |data: Dataset, rows: usize| {
        let samples = data.samples();
        let weights = normals(samples, 8).iter().map(|w| w.max(0.0)).collect();
        let data = data.with_weights(weights).unwrap();
        data.with_offset(normals(rows * samples, 9)).unwrap()
    };
    let net = Network::mlp([5, 24, 2], Activation::Gelu);
    let (graph, data) = (net.graph().unwrap(), beside(numbers(5, 2, 2_003), 2));
    let risk = || Risk::new(graph, &data, SquaredError, Ridge(0.1)).unwrap();
    assert_threads_do_not_matter("weighted network", risk, everything);
    let graph = dense_on_features(3);
    let data = beside(labels(20, 3, 3_301), 1);
    let risk = || Risk::new(&graph, &data, SoftmaxCrossEntropy, Ridge(0.1)).unwrap();
    assert_threads_do_not_matter("weighted affine model", risk, everything);
}

/// θ beyond the length at which the sum over the shards is itself split among the threads.
#[test]
fn threads_do_not_change_the_bits_of_a_wide_network() {
    let net = Network::mlp([40, 90, 12], Activation::Sigmoid);
    let graph = net.graph().unwrap();
    assert!(graph.parameters().dim() > 4_096);
    let data = labels(40, 12, 700);
    let risk = || Risk::new(graph, &data, SoftmaxCrossEntropy, Ridge(0.01)).unwrap();
    assert!(risk().shards() > 4);
    assert_threads_do_not_matter("wide", risk, products);
}

/// Its products have scratch memory of the thread's own, of any contents.
#[test]
fn threads_do_not_change_the_bits_of_a_convolutional_network() {
    let mut g = Graph::builder([9, 8, 2]);
    let stem = Conv2d::new(6, [3, 3]).with_padding([1, 1]).with_stride([2, 1]);
    let stem = g.node("stem", stem, &[g.input()]).unwrap();
    let tanh = g.node("tanh", Activation::Tanh, &[stem]).unwrap();
    let same = Conv2d::new(4, [3, 3]).with_padding([1, 1]);
    let same = g.node("same", same, &[tanh]).unwrap();
    let largest = MaxPool2d::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]);
    let largest = g.node("largest", largest, &[tanh]).unwrap();
    let all = g.node("all", Concat, &[same, largest]).unwrap();
    let means = g.node("means", AvgPool2d::new([2, 2]), &[all]).unwrap();
    let y = g.node("y", Dense::new(3), &[means]).unwrap();
    let graph = g.build(y).unwrap();
    let data = labels(144, 3, 701);
    let risk = || Risk::new(&graph, &data, SoftmaxCrossEntropy, Ridge(0.01)).unwrap();
    assert!(risk().shards() > 4);
    assert_threads_do_not_matter("convolutions", risk, products);
}

fn dense_on_features(outputs: usize) -> Graph {
    let mut g = Graph::builder(20);
    let x = g.input();
    let sine = g.node("sine", Activation::Sine, &[x]).unwrap();
    let phi = g.node("phi", Concat, &[x, sine]).unwrap();
    let y = g.node("y", Dense::new(outputs), &[phi]).unwrap();
    g.build(y).unwrap()
}

fn gated_sum(outputs: usize) -> Graph {
    let mut g = Graph::builder(10);
    let x = g.input();
    let first = g.node("first", Dense::new(10).without_bias(), &[x]).unwrap();
    let gated = g.node("gated", Multiply, &[first, x]).unwrap();
    let second = g.node("second", Dense::new(10), &[x]).unwrap();
    let sum = g.node("sum", Add, &[gated, second]).unwrap();
    let all = vec![sum; outputs.div_ceil(10)];
    let y = g.node("y", Concat, &all).unwrap();
    g.build(y).unwrap()
}

fn assert_affine(graph: &Graph, data: &Dataset, loss: impl Loss + Copy + 'static, samples: usize) {
    assert!(graph.is_affine());
    let context = format!("affine, {} on {samples} samples", loss.name());
    let risk = || Risk::new(graph, data, loss, Ridge(0.01)).unwrap();
    assert_threads_do_not_matter(&context, risk, everything);
}

#[test]
fn threads_do_not_change_the_bits_of_affine_models() {
    for samples in [3_301, 9_002] {
        let graph = dense_on_features(1);
        assert_affine(&graph, &numbers(20, 1, samples), SquaredError, samples);
        assert_affine(&graph, &labels(20, 2, samples), Logistic, samples);
        let graph = dense_on_features(3);
        assert_affine(&graph, &numbers(20, 3, samples), SquaredError, samples);
        assert_affine(&graph, &labels(20, 3, samples), SoftmaxCrossEntropy, samples);
    }
}

/// Their Hessian is a product of Jacobians of many samples, by GEMM on all threads.
#[test]
fn threads_do_not_change_the_bits_of_affine_graphs_of_several_nodes() {
    let graph = gated_sum(10);
    assert_affine(&graph, &numbers(10, 10, 1_500), SquaredError, 1_500);
    assert_affine(&graph, &labels(10, 10, 1_500), SoftmaxCrossEntropy, 1_500);
}

#[test]
fn a_linearisation_has_the_bits_of_an_evaluation() {
    let net = Network::mlp([6, 30, 20, 3], Activation::Silu);
    let graph = net.graph().unwrap();
    let data = numbers(6, 3, 1_501);
    let risk = Risk::new(graph, &data, SquaredError, Ridge(0.01)).unwrap();
    assert!(risk.shards() > 1);
    let all = products(&risk);
    let named = |name: &str| &all.iter().find(|(other, _)| *other == name).unwrap().1;
    assert_eq!(named("value alone"), named("value"));
    assert_eq!(named("value"), named("linearised value"));
    assert_eq!(named("gradient"), named("linearised gradient"));
}

#[test]
fn two_callers_of_one_risk_get_the_same_bits() {
    let net = Network::mlp([6, 30, 20, 3], Activation::Tanh);
    let graph = net.graph().unwrap();
    let data = labels(6, 3, 1_501);
    let risk = Risk::new(graph, &data, SoftmaxCrossEntropy, Ridge(0.01)).unwrap();
    let expected = products(&risk);
    let many = || (0..6).map(|_| products(&risk)).collect::<Vec<Bits>>();
    std::thread::scope(|scope| {
        // One of them in a pool of its own, two in the global one.
        let callers = [scope.spawn(many), scope.spawn(many), scope.spawn(|| with_threads(2, many))];
        for caller in callers {
            for found in caller.join().unwrap() {
                assert_same("at once", &expected, &found);
            }
        }
    });
}

#[test]
fn two_linearisations_of_one_risk_do_not_disturb_each_other() {
    let net = Network::mlp([4, 20, 1], Activation::Tanh);
    let graph = net.graph().unwrap();
    let data = numbers(4, 1, 2_000);
    let risk = Risk::new(graph, &data, SquaredError, Ridge(0.1)).unwrap();
    let n = risk.dim();
    let (here, there, v) = (start(n), normals(n, 7), normals(n, 8));
    let product = |theta: &[f64]| {
        let mut out = vec![0.0; n];
        risk.linearize(theta).hessian_vector(&v, &mut out);
        bits(&out)
    };
    let (at_here, at_there) = (risk.linearize(&here), risk.linearize(&there));
    let mut out = vec![0.0; n];
    at_here.hessian_vector(&v, &mut out);
    assert_eq!(bits(&out), product(&here));
    at_there.hessian_vector(&v, &mut out);
    assert_eq!(bits(&out), product(&there));
    assert_ne!(product(&here), product(&there));
    // A dropped linearisation's buffers are used again.
    drop(at_here);
    let again = risk.linearize(&there);
    again.hessian_vector(&v, &mut out);
    assert_eq!(bits(&out), product(&there));
    assert_eq!(again.theta(), there);
}

#[test]
fn tapes_swept_again_have_the_bits_of_tapes_kept() {
    for activation in [Activation::Tanh, Activation::Sine] {
        let net = Network::mlp([3, 6, 1], activation);
        let graph = net.graph().unwrap();
        // Many tiles in a shard, so that half of them can be kept.
        let data = numbers(3, 1, 20_011);
        let risk = || Risk::new(graph, &data, SquaredError, Ridge(0.01)).unwrap();
        let kept = risk();
        let theta = start(kept.dim());
        assert!(kept.shards() > 1);
        assert_eq!(kept.linearize(&theta).kept_fraction(), 1.0);
        let expected = products(&kept);
        let (mut low, mut high) = (0, 1_usize << 40);
        // The budget at which about half of the tapes are kept.
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            let fraction = risk().with_tape_budget(middle).linearize(&theta).kept_fraction();
            if fraction < 0.5 { low = middle } else { high = middle }
        }
        for (budget, fraction) in [(0, 0.0..0.001), (high, 0.4..0.9)] {
            let limited = risk().with_tape_budget(budget);
            let found = limited.linearize(&theta).kept_fraction();
            assert!(fraction.contains(&found), "{budget} bytes keep {found}");
            for threads in [1, 3] {
                let found = with_threads(threads, || products(&limited));
                assert_same(&format!("{budget} bytes, {threads} threads"), &expected, &found);
            }
        }
    }
}

#[test]
fn half_the_budget_keeps_about_half_of_the_tapes() {
    // Shards of one tile or two, and shards of many.
    for (widths, samples) in [(vec![6, 30, 20, 3], 1_501), (vec![3, 6, 1], 20_011)] {
        let net = Network::mlp(&widths, Activation::Tanh);
        let graph = net.graph().unwrap();
        let data = numbers(widths[0], *widths.last().unwrap(), samples);
        let theta = start(graph.parameters().dim());
        let kept = |budget| {
            let risk = Risk::new(graph, &data, SquaredError, Ridge(0.01)).unwrap();
            risk.with_tape_budget(budget).linearize(&theta).kept_fraction()
        };
        // The smallest budget that keeps all.
        let (mut low, mut high) = (0, 1_usize << 40);
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            if kept(middle) < 1.0 { low = middle } else { high = middle }
        }
        assert_eq!((kept(0), kept(usize::MAX)), (0.0, 1.0));
        let half = kept(high / 2);
        assert!((0.4..=0.5).contains(&half), "{widths:?}: {half}");
    }
}
