//! What does a fit to a long table cost beside its method on the table as it is, and how much memory?
//!
//! A linear regression on random numbers. `fit` takes means and deviations and standardises; `Risk` is minimised as it is. The fastest of three
//! rounds counts. Memory is the most that was allocated beside the data set.
//!
//! `cargo run --release --example long_table [-- --samples 1000000 --features 100 --json]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use peak_alloc::PeakAlloc;
use secant::core::random::Random;
use secant::loss::SquaredError;
use secant::penalty::NoPenalty;
use secant::risk::Risk;
use secant::{Adam, Dataset, FitError, Lbfgs, Method, Minibatches, Network, Newton};
use std::time::Instant;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "long_table",
    answers: "What does a fit to a long table cost beside its method on the table as it is, and how much memory?",
    takes: &[],
    options: &[
        ("--samples", "N", "rows; default 1000000"),
        ("--features", "D", "columns of inputs; default 100"),
        JSON,
    ],
    output: "by method: seconds on the risk, seconds and memory of the fit, and the ratio of seconds; then `linear_regression`",
    data: "",
};

/// Rounds, of which the fastest counts.
const ROUNDS: usize = 3;
/// Iterations of L-BFGS.
const ITERATIONS: u64 = 20;
const MIB: f64 = (1 << 20) as f64;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Seconds, and the most memory beside what there was, in MiB.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    mib: f64,
}

fn main() -> Result<(), FitError> {
    let args = Args::read(&ABOUT);
    let (samples, features) = (args.count("--samples", 1_000_000), args.count("--features", 100));
    let data = table(samples, features)?;
    let network = Network::linear(features, 1);
    // Threads are started, and the memory there is looked at, once.
    secant::fit(&network, &data.first(samples.min(1000))?).method(Newton::default()).run()?;
    #[expect(clippy::cast_precision_loss, reason = "bytes")]
    let size = (8 * samples * features) as f64 / MIB;
    let threads = rayon::current_num_threads();
    if !args.json() {
        println!("{samples} × {features}, {size:.0} MiB, {threads} threads");
        println!("{:<24} {:>18} {:>18} {:>6}", "", "risk", "fit", "ratio");
    }
    let lbfgs = Method::from(Lbfgs::default());
    let methods = [("Newton", Newton::default().into(), None), ("L-BFGS", lbfgs, Some(ITERATIONS))];
    for (name, method, iterations) in methods {
        let mut limited: Method = method.clone();
        if let Some(iterations) = iterations {
            limited.stopping_mut().max_iterations = iterations;
        }
        let risk = cost(|| {
            let risk = Risk::new(network.graph()?, &data, SquaredError, NoPenalty)?;
            limited.clone().minimize(&risk, &network.draw(0)?)?;
            Ok(())
        })?;
        let fit = cost(|| {
            secant::fit(&network, &data).method(limited.clone()).run()?;
            Ok(())
        })?;
        row(&args, name, Some(risk), fit);
    }
    let default = cost(|| secant::fit(&network, &data).run().map(drop))?;
    row(&args, "by default", None, default);
    let minibatches = Minibatches::of(256).with_epochs(1);
    let adam = cost(|| {
        let fit = secant::fit(&network, &data).method(Adam::default()).minibatches(minibatches);
        fit.run().map(drop)
    })?;
    row(&args, "Adam, an epoch", None, adam);
    let linear = cost(|| secant::linear_regression(&data).solve().map(drop))?;
    row(&args, "linear_regression", None, linear);
    Ok(())
}

/// Inputs of several means and deviations, targets linear in them but for noise.
fn table(samples: usize, features: usize) -> Result<Dataset, FitError> {
    let mut random = Random::new(1);
    let mut inputs = Vec::with_capacity(samples * features);
    let mut targets = Vec::with_capacity(samples);
    for _ in 0..samples {
        let mut y = 1.0;
        for j in 0..features {
            let scale = 1.0 + (j % 7) as f64;
            let x = scale * (random.uniform() - 0.2);
            y += x / (1.0 + j as f64);
            inputs.push(x);
        }
        targets.push(y + 0.1 * random.uniform());
    }
    let targets = secant::data::Targets::Values { rows: 1, values: targets };
    Ok(Dataset::new(features, inputs, targets)?)
}

fn cost(mut run: impl FnMut() -> Result<(), FitError>) -> Result<Cost, FitError> {
    let mut cost = Cost { seconds: f64::INFINITY, mib: 0.0 };
    for _ in 0..ROUNDS {
        let before = ALLOCATED.current_usage();
        ALLOCATED.reset_peak_usage();
        let begun = Instant::now();
        run()?;
        cost.seconds = cost.seconds.min(begun.elapsed().as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "bytes")]
        let held = (ALLOCATED.peak_usage() - before) as f64 / MIB;
        cost.mib = cost.mib.max(held);
    }
    Ok(cost)
}

fn row(args: &Args, name: &str, risk: Option<Cost>, fit: Cost) {
    if args.json() {
        let risk =
            risk.map_or_else(String::new, |risk| format!(",\"risk_seconds\":{:.3}", risk.seconds));
        println!(
            "{{\"what\":\"{name}\",\"seconds\":{:.3},\"mib\":{:.1}{risk}}}",
            fit.seconds, fit.mib
        );
        return;
    }
    let on_risk = risk.map_or_else(String::new, |risk| format!("{:.3} s", risk.seconds));
    let ratio = risk.map_or_else(String::new, |risk| format!("{:.2}", fit.seconds / risk.seconds));
    println!(
        "{name:<24} {on_risk:>18} {:>18} {ratio:>6}",
        format!("{:.3} s {:>5.0} MiB", fit.seconds, fit.mib)
    );
}
