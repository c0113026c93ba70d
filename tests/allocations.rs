//! Evaluations and products allocate nothing from the second call on; a table of `f32` is never widened as a whole.
//!
//! Counted inside a rayon pool: a call from outside hands its work to the pool through a queue of rayon's own, which
//! allocates a block every 63 calls.

use rayon::{ThreadPool, ThreadPoolBuilder};
use secant::core::random::Random;
use secant::data::{Dataset, Targets};
use secant::graph::Graph;
use secant::loss::{Logistic, Loss, SoftmaxCrossEntropy, SquaredError};
use secant::network::Network;
use secant::op::{
    Activation, Add, AvgPool2d, Bilinear, Concat, Conv1d, Conv2d, Dense, Dropout, Embedding,
    Flatten, GlobalAvgPool, Kernel, LayerNorm, MatMul, MaxPool2d, Multiply, Nystrom, Polynomial,
    RadialBasis, RandomFourier, Reduce, Reduction, Reshape, ScaleShift, Select, Slice, Softmax,
};
use secant::penalty::Ridge;
use secant::problem::{Curvature, Linearization, Objective, SampledObjective};
use secant::risk::Risk;
use secant::{Glm, Newton};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Counted calls of each kind; more than the 63 after which rayon's queue allocates.
const CALLS: usize = 70;

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

/// Counts of the same calls; the least is their own, since the thread of the test harness allocates where a test takes long.
const REPEATS: usize = 3;

/// Allocations (new and grown) of `CALLS` calls of `call` after one call that is not counted.
fn count(mut call: impl FnMut()) -> usize {
    call();
    let mut least = usize::MAX;
    for _ in 0..REPEATS {
        let region = Region::new(ALLOCATOR);
        (0..CALLS).for_each(|_| call());
        let change = region.change();
        least = least.min(change.allocations + change.reallocations);
        if least == 0 {
            break;
        }
    }
    least
}

/// Whether a product of matrices allocates nothing from a thread's second on. faer's kernels for x86-64 do not; those that it has for
/// every other processor list their packed rows, a few bytes per product.
fn products_allocate_nothing() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::arch::is_x86_feature_detected!("avx512f")
            || std::arch::is_x86_feature_detected!("avx2")
                && std::arch::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Allocations of every kind of call, by name.
fn allocations(risk: &Risk<'_>) -> Vec<(&'static str, usize)> {
    let n = risk.dim();
    let theta: Vec<f64> = normals(n, 5).iter().map(|x| 0.3 * x).collect();
    let v = normals(n, 6);
    let (mut gradient, mut product) = (vec![0.0; n], vec![0.0; n]);
    let mut counts = vec![
        ("value", count(|| _ = risk.value(&theta))),
        ("value_gradient", count(|| _ = risk.value_gradient(&theta, &mut gradient))),
        ("linearize", count(|| _ = risk.linearize(&theta))),
    ];
    // Of several lengths, the longest first: the others fit into its buffers.
    let samples = risk.data().samples();
    let batch: Vec<usize> = (0..samples).rev().collect();
    let batches = [samples, samples / 2, 33.min(samples), 1].map(|length| &batch[..length]);
    counts.push((
        "value_gradient_on",
        count(|| {
            for batch in batches {
                risk.value_gradient_on(batch, &theta, &mut gradient);
            }
        }),
    ));
    let at = risk.linearize(&theta);
    counts.push(("hessian_vector", count(|| at.hessian_vector(&v, &mut product))));
    counts.push(("gauss_newton_vector", count(|| at.gauss_newton_vector(&v, &mut product))));
    counts
}

/// A thread allocates at its first product of matrices and at its first wait; which thread takes part in which call is
/// left to chance, so every thread evaluates something once.
fn start_threads(pool: &ThreadPool) {
    let net = Network::mlp([40, 90, 12], Activation::Tanh);
    let (graph, data) = (net.graph().unwrap(), numbers(40, 12, 2_000));
    let risk = Risk::new(graph, &data, SquaredError, Ridge(0.01)).unwrap();
    let theta = normals(risk.dim(), 7);
    let all = || {
        let mut product = vec![0.0; risk.dim()];
        let at = risk.linearize(&theta);
        at.hessian_vector(&theta, &mut product);
        at.gauss_newton_vector(&theta, &mut product);
    };
    pool.broadcast(|_| (0..10).for_each(|_| all()));
    // The scratch memory of a convolution is the thread's own.
    for graph in [convolutional(), sequential()] {
        let data = numbers(60, 2, 21);
        let risk = Risk::new(&graph, &data, SquaredError, Ridge(0.01)).unwrap();
        let theta = normals(risk.dim(), 8);
        let all = || {
            let mut product = vec![0.0; risk.dim()];
            risk.linearize(&theta).hessian_vector(&theta, &mut product);
        };
        pool.broadcast(|_| (0..10).for_each(|_| all()));
    }
}

/// A graph with the nodes that move, reduce and multiply entries; feature 0 is one of three codes.
fn moved() -> Graph {
    let mut g = Graph::builder(5);
    let code = g.node("code", Slice::new(0..1), &[g.input()]).unwrap();
    let row = g.node("row", Embedding::new(3, 8), &[code]).unwrap();
    let h = g.node("h", Dense::new(12), &[g.input()]).unwrap();
    let h = g.node("dropout", Dropout::new(0.3), &[h]).unwrap();
    let grid = g.node("grid", Reshape::new([4, 3]), &[h]).unwrap();
    let normed = g.node("norm", LayerNorm::over(1), &[grid]).unwrap();
    let scaled = g.node("scaled", ScaleShift::per_channel(), &[normed]).unwrap();
    let grams = g.node("grams", MatMul { transpose: [true, false] }, &[scaled, grid]).unwrap();
    let picked = g.node("picked", Select::new([2, 0]).along(1), &[grams]).unwrap();
    let flat = g.node("flat", Flatten, &[picked]).unwrap();
    let form = g.node("form", Bilinear::new(4), &[row, flat]).unwrap();
    let exp = g.node("exp", Activation::Exp, &[form]).unwrap();
    let power = g.node("power", Activation::Power { exponent: -0.5 }, &[exp]).unwrap();
    let mut parts = vec![power];
    for reduction in [Reduction::Sum, Reduction::Mean, Reduction::SquaredNorm, Reduction::LogSumExp]
    {
        let name = format!("{reduction:?}");
        parts.push(g.node(&name, Reduce::along(reduction, 0), &[grid]).unwrap());
    }
    let all = g.node("all", Concat, &parts).unwrap();
    let y = g.node("y", Dense::new(2), &[all]).unwrap();
    g.build(y).unwrap()
}

/// A graph with dense nodes, every activation that needs no domain, softmax and joins.
fn joined() -> Graph {
    let mut g = Graph::builder(5);
    let x = g.input();
    let a = g.node("a", Dense::new(20), &[x]).unwrap();
    let mut last = a;
    for activation in [
        Activation::Tanh,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.1 },
        Activation::Sigmoid,
        Activation::Softplus,
        Activation::Silu,
        Activation::Gelu,
        Activation::Sine,
        Activation::Identity,
    ] {
        last = g.node(&format!("{activation:?}"), activation, &[last]).unwrap();
    }
    let soft = g.node("soft", Softmax, &[last]).unwrap();
    let product = g.node("product", Multiply, &[soft, a]).unwrap();
    let sum = g.node("sum", Add, &[product, a, a]).unwrap();
    let all = g.node("all", Concat, &[sum, x, soft]).unwrap();
    let again = g.node_sharing("again", Dense::new(20), &[x], &["a.weight", "a.bias"]).unwrap();
    let both = g.node("both", Concat, &[all, again]).unwrap();
    let y = g.node("y", Dense::new(2), &[both]).unwrap();
    g.build(y).unwrap()
}

/// A graph of images with every kind of node for them.
fn convolutional() -> Graph {
    let mut g = Graph::builder([6, 5, 2]);
    let stem = Conv2d::new(4, [3, 3]).with_padding([1, 1]);
    let stem = g.node("stem", stem, &[g.input()]).unwrap();
    let tanh = g.node("tanh", Activation::Tanh, &[stem]).unwrap();
    let one = g.node("one", Conv2d::new(2, [1, 1]).with_groups(2), &[tanh]).unwrap();
    let pool = MaxPool2d::new([3, 3]).with_stride([1, 1]).with_padding([1, 1]);
    let pool = g.node("pool", pool, &[tanh]).unwrap();
    let means = AvgPool2d::new([3, 1]).with_stride([1, 1]).with_padding([1, 0]);
    let means = g.node("means", means.without_padding_counted(), &[tanh]).unwrap();
    let joined = g.node("joined", Concat, &[one, pool, means]).unwrap();
    let last = Conv2d::new(3, [2, 2]).with_stride([2, 1]).with_dilation([1, 2]);
    let last = g.node("last", last, &[joined]).unwrap();
    let channels = g.node("channels", GlobalAvgPool, &[last]).unwrap();
    let y = g.node("y", Dense::new(2), &[channels]).unwrap();
    g.build(y).unwrap()
}

fn sequential() -> Graph {
    let mut g = Graph::builder([30, 2]);
    let h = g.node("conv", Conv1d::new(4, [3]).with_stride([2]), &[g.input()]).unwrap();
    let h = g.node("tanh", Activation::Tanh, &[h]).unwrap();
    let y = g.node("y", Dense::new(2), &[h]).unwrap();
    g.build(y).unwrap()
}

/// Every feature map, behind a dense node and in front of one.
fn mapped() -> Graph {
    let points = normals(3 * 100, 8);
    let kernel = Kernel::Gaussian { width: 1.5 };
    let mut g = Graph::builder(5);
    let a = g.node("a", Dense::new(3), &[g.input()]).unwrap();
    let maps = [
        g.node("polynomial", Polynomial::new(3), &[a]).unwrap(),
        g.node("radial basis", RadialBasis::new(3, &points, 1.5).unwrap(), &[a]).unwrap(),
        g.node("fourier", RandomFourier::new(3, 100, 1.5, 1).unwrap(), &[a]).unwrap(),
        g.node("nystrom", Nystrom::new(3, &points[..60], kernel).unwrap(), &[a]).unwrap(),
    ];
    let all = g.node("all", Concat, &maps).unwrap();
    let y = g.node("y", Dense::new(2), &[all]).unwrap();
    g.build(y).unwrap()
}

/// Bytes that all allocations of `work` take together, freed or not, over those of the table in `f64`.
fn share<R>(table: usize, work: impl FnOnce() -> R) -> (R, f64) {
    let region = Region::new(ALLOCATOR);
    let done = work();
    (done, region.change().bytes_allocated as f64 / table as f64)
}

/// A table that is standardised when it is read: fits, evaluations and predictions have the numbers of the widened one, and take no more than it,
/// by less than half of a widened copy, all allocations together. Parts of the samples are `f32`: half of that.
fn singles_are_never_widened_as_a_whole() {
    let (d, samples) = (64, 40_000);
    let table = size_of::<f64>() * d * samples;
    #[expect(clippy::cast_possible_truncation, reason = "rounded to f32")]
    let x: Vec<f32> = normals(d * samples, 9).iter().map(|x| *x as f32).collect();
    let values = x.chunks_exact(d).map(|x| f64::from(x[0]) + f64::from(x[1]).sin()).collect();
    let targets = Targets::Values { rows: 1, values };
    let wide = Dataset::new(d, x.iter().map(|&x| x.into()).collect(), targets.clone()).unwrap();
    let (single, read) =
        share(table, || Dataset::from_shared_f32(d, Arc::new(x), targets).unwrap());
    let net = Network::linear(d, 1);
    let fit = |data| {
        let fit = secant::fit(&net, data).method(Newton::default()).run().unwrap();
        (fit.model().theta().to_vec(), fit.model().predict_dataset(data).unwrap())
    };
    let glm = |data| Glm::gaussian().fit(data).unwrap().predict_dataset(data).unwrap();
    let regression = |data| secant::linear_regression(data).solve().unwrap();
    let evaluate = |data: &Dataset| {
        let risk = Risk::new(net.graph().unwrap(), data, SquaredError, Ridge(0.01)).unwrap();
        let theta = vec![0.1; risk.dim()];
        let (mut product, mut gradient) = (theta.clone(), theta.clone());
        risk.linearize(&theta).hessian_vector(&theta, &mut product);
        let value = risk.value_gradient_on(&[3, 5, 7], &theta, &mut gradient);
        (value, gradient, product)
    };
    let apart = |(found, wanted): (f64, f64)| found - wanted;
    // What is made once for all is made.
    let _ = fit(&wide);
    let fits = {
        let ((found, one), (wanted, two)) =
            (share(table, || fit(&single)), share(table, || fit(&wide)));
        assert_eq!(found, wanted);
        (one, two)
    };
    let models = {
        let ((found, one), (wanted, two)) =
            (share(table, || glm(&single)), share(table, || glm(&wide)));
        assert_eq!(found, wanted);
        (one, two)
    };
    let regressions = {
        let (found, one) = share(table, || regression(&single));
        let (wanted, two) = share(table, || regression(&wide));
        assert_eq!(found, wanted);
        (one, two)
    };
    let risks = {
        let (found, one) = share(table, || evaluate(&single));
        let (wanted, two) = share(table, || evaluate(&wide));
        assert_eq!(found, wanted);
        (one, two)
    };
    let (_, halved) = share(table, || single.split(0.5, 1).unwrap());
    assert!(read < 0.1, "a data set takes {read} of the table");
    for (what, shares) in [
        ("a fit", fits),
        ("a generalised linear model", models),
        ("a linear regression", regressions),
        ("a risk", risks),
    ] {
        assert!(apart(shares) < 0.5, "{what} takes {shares:?} of the table");
    }
    assert!(halved < 0.6, "halves take {halved} of the table");
    assert!(single.single_inputs().is_some());
    // Seen counting.
    assert!(share(table, || single.inputs()[0]).1 >= 1.0);
}

/// One test only: the allocator counts those of every thread.
#[test]
fn nothing_is_allocated_from_the_second_call_on() {
    singles_are_never_widened_as_a_whole();
    let pools =
        [1, 2].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
    pools.iter().for_each(start_threads);
    let mut found = Vec::new();
    let mut measure = |name: &str, graph: &Graph, data: &Dataset, loss: Box<dyn Loss>, budget| {
        let mut risk = Risk::from_boxed(graph, data, loss, Box::new(Ridge(0.01))).unwrap();
        if let Some(bytes) = budget {
            risk = risk.with_tape_budget(bytes);
        }
        for pool in &pools {
            let threads = pool.current_num_threads();
            for (what, count) in pool.install(|| allocations(&risk)) {
                found.push((
                    format!("{name}, {} shards, {threads} threads, {what}", risk.shards()),
                    count,
                ));
            }
        }
    };
    let net = Network::mlp([6, 30, 20, 3], Activation::Tanh);
    let small = labels(6, 3, 40);
    let large = labels(6, 3, 1_501);
    let graph = net.graph().unwrap();
    measure("network", graph, &small, Box::new(SoftmaxCrossEntropy), None);
    measure("network", graph, &large, Box::new(SoftmaxCrossEntropy), None);
    measure("network without kept tapes", graph, &large, Box::new(SoftmaxCrossEntropy), Some(0));
    let wide = Network::mlp([40, 90, 12], Activation::Tanh);
    let data = numbers(40, 12, 300);
    measure("wide network", wide.graph().unwrap(), &data, Box::new(SquaredError), None);
    let joined = joined();
    let data = numbers(5, 2, 1_501);
    measure("joined nodes", &joined, &data, Box::new(SquaredError), None);
    let mut inputs = normals(5 * 1_501, 1);
    inputs.chunks_exact_mut(5).enumerate().for_each(|(i, x)| x[0] = (i % 3) as f64);
    let data = Dataset::from_slices(5, &inputs, 2, &normals(2 * 1_501, 2)).unwrap();
    measure("moved entries", &moved(), &data, Box::new(SquaredError), None);
    for graph in [convolutional(), sequential()] {
        let data = numbers(60, 2, 21);
        measure("convolutions", &graph, &data, Box::new(SquaredError), None);
    }
    let mapped = mapped();
    let data = numbers(5, 2, 300);
    measure("feature maps", &mapped, &data, Box::new(SquaredError), None);
    let linear = Network::linear(30, 1);
    let data = labels(30, 2, 9_000);
    measure("linear model", linear.graph().unwrap(), &data, Box::new(Logistic), None);

    let beside = data.with_weights((0..9_000).map(|i| f64::from(i % 3)).collect()).unwrap();
    let beside = beside.with_offset(normals(9_000, 8)).unwrap();
    measure("weights and offsets", linear.graph().unwrap(), &beside, Box::new(Logistic), None);

    // Seen counting: a vector is one allocation.
    assert_eq!(count(|| drop(std::hint::black_box(vec![0.0; 10]))), CALLS);
    assert!(found.len() > 50);
    if !products_allocate_nothing() {
        return;
    }
    let table: Vec<String> = found
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name}: {count} allocations in {CALLS} calls"))
        .collect();
    assert!(table.is_empty(), "{}", table.join("\n"));
}
