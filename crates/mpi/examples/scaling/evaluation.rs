//! A value with its gradient of 784-128-128-10.

use crate::{Failure, classes, median};
use secant_core::loss::SoftmaxCrossEntropy;
use secant_core::network::Network;
use secant_core::op::Activation;
use secant_core::penalty::Ridge;
use secant_core::problem::Objective;
use secant_core::risk::Risk;
use secant_mpi::{Distributed, Ranks, Shared};

const INPUTS: usize = 784;
const CLASSES: usize = 10;
/// Evaluations, of which the median counts.
const RUNS: usize = 9;

/// Prints one line. Under `mpirun` over all ranks; without it, or with one rank, the plain risk.
pub fn measure(samples: usize) -> Result<(), Failure> {
    let network = Network::mlp([INPUTS, 128, 128, CLASSES], Activation::Tanh);
    let (graph, theta) = (network.graph()?, network.draw(1)?);
    let mut gradient = vec![0.0; theta.len()];
    let ranks = Ranks::initialize()?;
    ranks.guard(|ranks| {
        let own = classes(ranks.share_of(samples), INPUTS, CLASSES)?;
        let seconds = if ranks.size() == 1 {
            let risk = Risk::new(graph, &own, SoftmaxCrossEntropy, Ridge(1e-4))?;
            median(RUNS, || {
                risk.value_gradient(&theta, &mut gradient);
            })
        } else {
            let shared = Shared::new(ranks, graph, Some(own))?;
            let risk = Distributed::new(ranks, graph, &shared, SoftmaxCrossEntropy, Ridge(1e-4))?;
            let seconds = median(RUNS, || {
                risk.value_gradient(&theta, &mut gradient);
            });
            risk.verdict()?;
            seconds
        };
        if ranks.is_first() {
            let threads = std::env::var("RAYON_NUM_THREADS").unwrap_or_default();
            let size = ranks.size();
            println!(
                "{{\"samples\":{samples},\"ranks\":{size},\"threads\":\"{threads}\",\"seconds\":{seconds:.4}}}"
            );
        }
        Ok(())
    });
    Ok(())
}
