//! What a step of each method costs as n grows, under criterion; the evaluation of f costs O(n) and is not counted.
//!
//! `cargo bench --bench complexity [-- --quick]`: with `--quick` (criterion's own) in under two minutes. The exponents, the memory, the
//! picture and the crossover with Adam come from `cargo run --release --example complexity`.

#[path = "../examples/complexity/law.rs"]
#[allow(dead_code, unused_imports, reason = "the example uses all of it")]
mod law;
#[path = "../examples/complexity/measure.rs"]
#[allow(dead_code, unused_imports, reason = "the example uses all of it")]
mod measure;
#[path = "../examples/complexity/problem.rs"]
#[allow(dead_code, unused_imports, reason = "the example uses all of it")]
mod problem;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use measure::Contestant;
use std::time::Duration;

/// Steps per run: enough for a median.
const STEPS: u64 = 5;

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one step");
    group.sample_size(10).measurement_time(Duration::from_secs(2));
    let dense = [500, 1000, 2000];
    let linear = [10_000, 100_000, 1_000_000];
    let cases: [(Contestant, &[usize]); 9] = [
        (Contestant::Newton, &dense),
        (Contestant::LevenbergMarquardtQr, &[125, 250]),
        (Contestant::LevenbergMarquardtNormal, &[500, 1000]),
        (Contestant::Bfgs, &[1000, 2000, 4000]),
        (Contestant::Lbfgs(5), &linear),
        (Contestant::Lbfgs(10), &linear),
        (Contestant::Lbfgs(20), &linear),
        (Contestant::Adam, &linear),
        (Contestant::GradientDescent, &linear),
    ];
    for (method, sizes) in cases {
        for &n in sizes {
            group.bench_function(BenchmarkId::new(method.name(), n), |bencher| {
                bencher.iter_custom(|runs| {
                    let step = |_| method.run(n, STEPS).expect("the options are valid").seconds;
                    Duration::from_secs_f64((0..runs).map(step).sum())
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
