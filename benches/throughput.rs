//! Value, value+gradient, linearisation, Hessian and Gauss–Newton products of the four networks of `examples/throughput`.
//!
//! `cargo bench --bench throughput`

#[path = "../examples/throughput/cases.rs"]
mod cases;

use cases::CASES;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use secant::core::random::Random;
use secant::{Activation, Curvature, Linearization, Network, NoPenalty, Objective, Risk};
use std::time::Duration;

fn sweeps(criterion: &mut Criterion) {
    for (widths, samples) in CASES {
        let data = cases::dataset(widths, samples);
        let network = Network::mlp(widths, Activation::Tanh);
        let graph = network.graph().expect("positive widths");
        let loss = cases::loss(&data);
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

criterion_group!(benches, sweeps);
criterion_main!(benches);
