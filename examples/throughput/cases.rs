//! The networks and data of `examples/throughput` and `benches/throughput.rs`.

use secant::core::random::Random;
use secant::loss::Loss;
use secant::{Dataset, SoftmaxCrossEntropy, SquaredError, Targets};

/// Widths of the layers, input first, and N.
pub const CASES: [(&[usize], usize); 4] = [
    (&[784, 128, 128, 10], 60_000),
    (&[10, 32, 32, 1], 100_000),
    (&[64, 64, 10], 1_797),
    (&[1, 20, 20, 1], 1_000),
];

/// Softmax for class labels, squared error for numbers.
pub fn loss(data: &Dataset) -> Box<dyn Loss> {
    match data.targets() {
        Targets::Labels { .. } => Box::new(SoftmaxCrossEntropy),
        Targets::Values { .. } => Box::new(SquaredError),
    }
}

/// Normal inputs; random labels where the network has several outputs, normal targets otherwise.
pub fn dataset(widths: &[usize], samples: usize) -> Dataset {
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
