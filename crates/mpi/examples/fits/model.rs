//! `secant::fit` of a CSV file over the ranks: the model of one process.

use crate::Failure;
use crate::large::{FEATURES, options};
use secant::{Activation, Dataset, Every, Fitted, Lbfgs, Network, Standardize, fit};
use secant_core::penalty::Ridge;
use secant_core::random::hashed;
use secant_mpi::{Ranks, Shared};

/// Scaled inputs and targets; scaled inputs, and a start at the level of the targets.
const UNITS: [Standardize; 2] = [Standardize::Auto, Standardize::Inputs];

/// What is to be done.
pub struct Plan<'p> {
    pub file: &'p str,
    pub iterations: u64,
    /// Written after every iteration.
    pub checkpoint: &'p str,
    pub resume: bool,
}

fn network() -> Network {
    Network::mlp([FEATURES, 3, 1], Activation::Tanh)
}

fn described<'a>(network: &'a Network, data: &'a Dataset, iterations: u64) -> secant::Fit<'a> {
    fit(network, data)
        .method(Lbfgs::default())
        .penalty(Ridge(1e-4))
        .max_iterations(iterations)
        .seed(3)
}

fn tell(fitted: &Fitted) -> Result<(), Failure> {
    let (model, report) = (fitted.model(), fitted.report());
    let bits = |numbers: &[f64]| numbers.iter().fold(0, |code, x| hashed(code, x.to_bits()));
    let answer = model.predict(&[0.25; FEATURES])?;
    let (first, samples) = (&model.feature_names()[0], model.fit_summary().samples);
    println!(
        "{first}… of {samples} samples: θ {:016x}, answer {:016x}, f = {:?}, {:?}",
        bits(model.theta()),
        bits(&answer),
        report.value,
        report.reason
    );
    Ok(())
}

pub fn plain(file: &str, iterations: u64) -> Result<(), Failure> {
    let (network, data) = (network(), Dataset::from_csv_with(file, &options())?);
    UNITS.iter().try_for_each(|units| {
        tell(&described(&network, &data, iterations).standardize(*units).run()?)
    })
}

pub fn across(plan: &Plan<'_>) -> Result<(), Failure> {
    let ranks = Ranks::initialize()?;
    ranks.guard(|ranks| {
        let network = network();
        let shared = Shared::from_csv(ranks, network.graph()?, plan.file, &options())?;
        let all = shared.across(ranks);
        let refused = described(&network, shared.data(), 1).starts(2).run_across(&all);
        let words = refused.map_or_else(|error| error.to_string(), |_| String::new());
        if words != "`starts`: not in a fit whose samples lie in several processes" {
            return Err(format!("several starts are not refused: {words}").into());
        }
        for (index, units) in UNITS.iter().enumerate() {
            let file = format!("{}.{index}", plan.checkpoint);
            let mut fit = described(&network, shared.data(), plan.iterations)
                .standardize(*units)
                .checkpoint(&file, Every::Iterations(1));
            if plan.resume {
                fit = fit.resume(&file);
            }
            let fitted = fit.run_across(&all)?;
            if ranks.is_first() {
                tell(&fitted)?;
            }
        }
        Ok(())
    });
    Ok(())
}
