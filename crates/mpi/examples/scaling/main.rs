//! What does a collective cost, and to how many ranks does a fit scale?
//!
//! `mpirun -n 2 scaling link`: α and β, the seconds of a message and the bytes a second of the link, from evaluations that compute nothing.
//! `scaling evaluation SAMPLES` in one process, or over the ranks of `mpirun`: seconds of a value with its gradient, 784-128-128-10.
//! `scaling predict ALPHA BETA` in one process with one thread: three problems on 1 to 1,024 ranks of one core like this one.
//! `docs/distributed.md` has the model, and `tests/link.sh` a link of a known rate.

mod evaluation;
mod link;
mod predict;

use secant_core::data::Dataset;
use secant_core::random::{Random, hashed};
use std::error::Error;
use std::ops::Range;
use std::time::Instant;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["link"] => link::measure(),
        ["evaluation", samples] => evaluation::measure(samples.parse()?),
        ["predict", alpha, beta] => {
            predict::print(&predict::Link { alpha: alpha.parse()?, beta: beta.parse()? })
        }
        _ => Err("usage: scaling [link | evaluation SAMPLES | predict ALPHA BETA]".into()),
    }
}

/// d numbers for each of the samples, whoever asks for them.
fn numbers(samples: Range<usize>, d: usize) -> Vec<f64> {
    let each = samples.flat_map(|sample| {
        let mut random = Random::new(hashed(5, sample as u64));
        (0..d).map(move |_| random.normal())
    });
    each.collect()
}

/// Samples of d inputs and a target.
fn regression(samples: Range<usize>, d: usize) -> Result<Dataset, Failure> {
    let x = numbers(samples, d);
    let y: Vec<f64> = x.chunks_exact(d).map(|x| x[0] + 0.5 * x[d - 1]).collect();
    Ok(Dataset::from_slices(d, &x, 1, &y)?)
}

/// The same with one of `classes` labels.
fn classes(samples: Range<usize>, d: usize, classes: usize) -> Result<Dataset, Failure> {
    let labels: Vec<u32> = (0..u32::try_from(classes)?).cycle().take(samples.len()).collect();
    Ok(Dataset::from_labels(d, &numbers(samples, d), classes, &labels)?)
}

/// The median of some runs' seconds.
fn median(runs: usize, mut work: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..runs)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[runs / 2]
}
