//! Value, value+gradient, linearisation, Hessian and Gauss–Newton products of the four networks of `examples/throughput.rs`.
//!
//! `cargo bench --bench throughput`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use secant::core::random::Random;
use secant::loss::Loss;
use secant::{
    Activation, Curvature, Dataset, Linearization, Network, NoPenalty, Objective, Risk,
    SoftmaxCrossEntropy, SquaredError, Targets,
};
use std::time::Duration;

const CASES: [(&[usize], usize); 4] = [
    (&[784, 128, 128, 10], 60_000),
    (&[10, 32, 32, 1], 100_000),
    (&[64, 64, 10], 1_797),
    (&[1, 20, 20, 1], 1_000),
];

fn sweeps(criterion: &mut Criterion) {
    for (widths, samples) in CASES {
        let data = dataset(widths, samples);
        let network = Network::mlp(widths, Activation::Tanh);
        let graph = network.graph().expect("positive widths");
        let loss: Box<dyn Loss> = match data.targets() {
            Targets::Labels { .. } => Box::new(SoftmaxCrossEntropy),
            Targets::Values { .. } => Box::new(SquaredError),
        };
        let risk = Risk::from_boxed(graph, &data, loss, Box::new(NoPenalty)).expect("shapes fit");
        let theta = network.draw(1).expect("positive widths");
        let n = risk.dim();
        let mut random = Random::new(2);
        let v: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let mut out = vec![0.0; n];

        let name = widths.iter().map(ToString::to_string).collect::<Vec<_>>().join("-");
        let mut group = criterion.benchmark_group(format!("{name} x {samples}"));
        group.sample_size(10).measurement_time(Duration::from_secs(5));
        group.throughput(Throughput::Elements(samples as u64));
        group.bench_function("value", |b| b.iter(|| risk.value(&theta)));
        group.bench_function("value_gradient", |b| {
            b.iter(|| risk.value_gradient(&theta, &mut out));
        });
        group.bench_function("linearize", |b| b.iter(|| risk.linearize(&theta).value()));
        let at = risk.linearize(&theta);
        group.bench_function("hessian_vector", |b| b.iter(|| at.hessian_vector(&v, &mut out)));
        group.bench_function("gauss_newton_vector", |b| {
            b.iter(|| at.gauss_newton_vector(&v, &mut out));
        });
        group.finish();
    }
}

fn dataset(widths: &[usize], samples: usize) -> Dataset {
    let mut random = Random::new(1);
    let (d, c) = (widths[0], widths[widths.len() - 1]);
    let inputs = (0..d * samples).map(|_| random.normal()).collect();
    let targets = if c > 1 {
        let label = |_| u32::try_from(random.below(c)).expect("few classes");
        Targets::Labels { classes: c, labels: (0..samples).map(label).collect() }
    } else {
        Targets::Values { rows: c, values: (0..samples).map(|_| random.normal()).collect() }
    };
    Dataset::new(d, inputs, targets).expect("finite numbers")
}

criterion_group!(benches, sweeps);
criterion_main!(benches);
