//! A fit to a long table holds the table once: what it takes beside grows with the samples, not with their numbers.
//!
//! A program of its own, with one test: the peak is that of the process.

use peak_alloc::PeakAlloc;
use secant::core::random::Random;
use secant::data::Targets;
use secant::{
    Activation, Adam, Dataset, Fit, Glm, Lbfgs, Method, Minibatches, Network, Newton, Standardizer,
};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const FEATURES: usize = 200;
/// Of the inputs: above what is copied.
const TABLE: usize = Standardizer::COPIED + Standardizer::COPIED / 4;
const SAMPLES: usize = TABLE / FEATURES / size_of::<f64>();
/// Half of the table: sixteen sums of 200 × 200, tiles for each thread, some numbers for each sample.
const BESIDE: usize = TABLE / 2;

fn inputs(samples: usize) -> Vec<f64> {
    let mut random = Random::new(1);
    (0..samples * FEATURES).map(|_| 3.0 + random.uniform()).collect()
}

fn numbers(samples: usize) -> Dataset {
    let inputs = inputs(samples);
    let rows = inputs.chunks_exact(FEATURES);
    let values = rows.map(|x| x[0] - 2.0 * x[7] + 0.1 * x[3] * x[4]).collect();
    Dataset::new(FEATURES, inputs, Targets::Values { rows: 1, values }).unwrap()
}

fn classes(samples: usize) -> Dataset {
    let values = numbers(samples);
    let values = values.targets().values().unwrap();
    let labels = values.iter().map(|y| u32::from(*y < -3.0)).collect();
    let targets = Targets::Labels { classes: 2, labels };
    Dataset::new(FEATURES, inputs(samples), targets).unwrap()
}

/// Runs until every thread has what a product of matrices keeps for it: address space by the size of the caches, which is not written.
const ROUNDS: usize = 5;

/// Bytes that `run` took at most beside what there was, in the round that took the least.
fn beside(run: impl Fn()) -> usize {
    let mut least = usize::MAX;
    for _ in 0..ROUNDS {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        run();
        least = least.min(ALLOCATOR.peak_usage().saturating_sub(before));
        if least <= BESIDE {
            break;
        }
    }
    least
}

#[test]
fn a_fit_holds_its_table_once() {
    let linear = Network::linear(FEATURES, 1);
    let net = Network::mlp([FEATURES, 3, 1], Activation::Tanh);
    let (values, labels) = (numbers(SAMPLES), classes(SAMPLES));
    let few = numbers(300);
    let fits: [(&str, &Network, &Dataset, Method, Option<Minibatches>); 4] = [
        ("Newton", &linear, &values, Newton::default().into(), None),
        ("classes", &linear, &labels, Newton::default().into(), None),
        ("network", &net, &values, Lbfgs::default().into(), None),
        ("minibatches", &net, &values, Adam::default().into(), Some(Minibatches::of(64))),
    ];
    // Threads are started, and the memory there is looked at, once.
    secant::fit(&linear, &few).method(Newton::default()).run().unwrap();
    for (name, network, data, method, batches) in fits {
        let with = |fit: Fit<'_>| {
            let fit = fit.method(method.clone()).max_iterations(5);
            let fit = match batches {
                Some(batches) => fit.minibatches(batches),
                None => fit,
            };
            fit.run().unwrap();
        };
        let held = beside(|| with(secant::fit(network, data)));
        assert!(held <= BESIDE, "{name}: {held} bytes beside a table of {TABLE}");
    }
    let held = beside(|| drop(Glm::logistic().fit(&labels).unwrap()));
    assert!(held <= BESIDE, "Glm: {held} bytes beside a table of {TABLE}");
}
