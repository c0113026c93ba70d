//! Three problems on many ranks: samples divided, steps not, and one collective for each evaluation.

use crate::{Failure, classes, median, regression};
use faer::Mat;
use faer::linalg::solvers::Llt;
use secant_core::data::Dataset;
use secant_core::graph::Graph;
use secant_core::loss::{Logistic, Loss, SoftmaxCrossEntropy, SquaredError};
use secant_core::network::Network;
use secant_core::op::Activation;
use secant_core::penalty::Ridge;
use secant_core::problem::{Curvature, Objective};
use secant_core::risk::{Layout, Partials, Risk};
use std::ops::Range;

/// Numbers before those that are sent.
const HEAD: usize = 5;
/// Bytes of a number.
const NUMBER: f64 = 8.0;
/// Pairs that L-BFGS keeps; a step reads each of their vectors twice.
const PAIRS: usize = 10;
const RANKS: [usize; 6] = [1, 4, 16, 64, 256, 1_024];
/// Runs of a timing, of which the median counts.
const RUNS: usize = 5;

/// Seconds of a message, bytes a second.
pub struct Link {
    pub alpha: f64,
    pub beta: f64,
}

/// What every rank has of all in one collective.
enum Collective {
    /// Sums of so many numbers for each node of the tree, with the losses of the shards.
    Losses(usize),
    /// Without them.
    Sums(usize),
    /// A number for each sample.
    Rows,
}

/// A problem with a method: what an iteration does.
struct Iteration {
    name: &'static str,
    network: Network,
    /// N.
    samples: usize,
    /// Seconds of its evaluations, for a sample.
    per_sample: f64,
    /// One after the other.
    collectives: Vec<Collective>,
    /// Seconds of the step, on every rank.
    step: f64,
}

/// Measures this core, and prints a line for each problem and number of ranks.
pub fn print(link: &Link) -> Result<(), Failure> {
    for iteration in [logistic()?, network()?, residuals()?] {
        let layout = Layout::new(iteration.network.graph()?, iteration.samples, None)?;
        for ranks in RANKS {
            let parts = layout.split(ranks);
            let most =
                parts.iter().map(|blocks| layout.samples_of(blocks).len()).max().unwrap_or(0);
            let own = most as f64 * iteration.per_sample;
            let numbers = iteration.collectives.iter().map(|one| one.numbers(&layout, &parts));
            let bytes = NUMBER * numbers.sum::<usize>() as f64;
            // Alone there is nobody to wait for.
            let messages = iteration.collectives.len() as f64;
            let net = if ranks == 1 { 0.0 } else { messages * link.alpha + bytes / link.beta };
            let seconds = own + net + iteration.step;
            println!(
                "{{\"problem\":\"{}\",\"ranks\":{ranks},\"seconds\":{seconds:.3e},\"samples\":{own:.3e},\"net\":{net:.3e},\"step\":{:.3e},\"bytes\":{bytes}}}",
                iteration.name, iteration.step,
            );
        }
    }
    Ok(())
}

impl Collective {
    /// What every rank reads.
    fn numbers(&self, layout: &Layout, parts: &[Range<usize>]) -> usize {
        let of = |blocks: &Range<usize>| match *self {
            Self::Losses(n) => {
                Partials::nodes_len(blocks, layout.blocks(), n) + 2 * layout.shards_of(blocks)
            }
            Self::Sums(n) => Partials::nodes_len(blocks, layout.blocks(), n),
            Self::Rows => layout.samples_of(blocks).len(),
        };
        parts.iter().map(|blocks| HEAD + of(blocks)).sum()
    }
}

/// Seconds of a value with its gradient, for a sample.
fn gradient_seconds(risk: &Risk<'_>, theta: &[f64], samples: usize) -> f64 {
    let mut gradient = vec![0.0; theta.len()];
    let seconds = median(RUNS, || {
        risk.value_gradient(theta, &mut gradient);
    });
    seconds / samples as f64
}

/// Seconds of a Cholesky factorisation.
fn cholesky_seconds(n: usize) -> Result<f64, Failure> {
    let matrix = Mat::from_fn(n, n, |i, j| if i == j { n as f64 } else { 0.5 });
    let mut failed = false;
    let seconds = median(RUNS, || failed |= Llt::new(matrix.as_ref(), faer::Side::Lower).is_err());
    if failed { Err("a matrix without a factor".into()) } else { Ok(seconds) }
}

fn of(
    network: &Network,
    data: &Dataset,
    loss: impl Loss + 'static,
    work: impl FnOnce(&Risk<'_>, &[f64], usize) -> Result<f64, Failure>,
) -> Result<f64, Failure> {
    let graph: &Graph = network.graph()?;
    let risk = Risk::new(graph, data, loss, Ridge(1e-4))?;
    work(&risk, &network.draw(1)?, data.samples())
}

/// Newton: f with its gradient, and its Hessian.
fn logistic() -> Result<Iteration, Failure> {
    let network = Network::linear(100, 1);
    let data = classes(0..40_000, 100, 2)?;
    let n = network.draw(1)?.len();
    let per_sample = of(&network, &data, Logistic, |risk, theta, samples| {
        let mut hessian = Mat::zeros(n, n);
        let seconds = median(RUNS, || risk.hessian_at(theta, hessian.as_mut()));
        Ok(gradient_seconds(risk, theta, samples) + seconds / samples as f64)
    })?;
    let collectives = vec![Collective::Losses(n), Collective::Sums(n * (n + 1) / 2)];
    let step = cholesky_seconds(n)?;
    let name = "logistic, 1e8 × 100, Newton";
    Ok(Iteration { name, network, samples: 100_000_000, per_sample, collectives, step })
}

/// L-BFGS: f with its gradient.
fn network() -> Result<Iteration, Failure> {
    let network = Network::mlp([200, 256, 180, 10], Activation::Tanh);
    let data = classes(0..4_096, 200, 10)?;
    let n = network.draw(1)?.len();
    let per_sample = of(&network, &data, SoftmaxCrossEntropy, |risk, theta, samples| {
        Ok(gradient_seconds(risk, theta, samples))
    })?;
    let pairs = vec![vec![1.0; n]; 2 * PAIRS];
    let mut direction = vec![1.0; n];
    let step = median(RUNS, || {
        for pair in pairs.iter().chain(pairs.iter().rev()) {
            let along: f64 = pair.iter().zip(&direction).map(|(p, d)| p * d).sum();
            direction.iter_mut().zip(pair).for_each(|(d, p)| *d -= 1e-9 * along * p);
        }
    });
    let collectives = vec![Collective::Losses(n)];
    let name = "200-256-180-10 on 1e7, L-BFGS";
    Ok(Iteration { name, network, samples: 10_000_000, per_sample, collectives, step })
}

/// Levenberg–Marquardt by normal equations: JᵀJ with Jᵀr, and the residuals at the trial point.
fn residuals() -> Result<Iteration, Failure> {
    let network = Network::mlp([20, 45, 1], Activation::Tanh);
    let data = regression(0..8_192, 20)?;
    let n = network.draw(1)?.len();
    let per_sample = of(&network, &data, SquaredError, |risk, theta, samples| {
        let residuals = risk.as_least_squares().ok_or("no residuals")?;
        let (mut normal, mut gradient) = (Mat::zeros(n, n), vec![0.0; n]);
        let seconds = median(RUNS, || {
            residuals.normal_equations(theta, normal.as_mut(), &mut gradient);
        });
        let mut rows = vec![0.0; residuals.residual_len()];
        let trial = median(RUNS, || {
            residuals.residuals(theta, &mut rows);
        });
        Ok((seconds + trial) / samples as f64)
    })?;
    let collectives = vec![Collective::Sums(n * (n + 1) / 2 + n), Collective::Rows];
    let step = cholesky_seconds(n)?;
    let name = "20-45-1 on 1e6, Levenberg–Marquardt";
    Ok(Iteration { name, network, samples: 1_000_000, per_sample, collectives, step })
}
