//! `secant::fit` of a CSV file over the ranks: the model of one process.

use crate::Failure;
use crate::large::{FEATURES, held_out, options};
use secant::{Activation, Dataset, Every, Fitted, Lbfgs, Network, Standardize, fit};
use secant_core::penalty::Ridge;
use secant_core::random::hashed;
use secant_mpi::{Ranks, Shared};

/// Scaled inputs and targets; scaled inputs, and a start at the level of the targets; with samples held out, by which the run ends.
const UNITS: [(Standardize, bool); 3] =
    [(Standardize::Auto, false), (Standardize::Inputs, false), (Standardize::Auto, true)];
/// Samples held out, in two tiles.
const HELD_OUT: u64 = 1_500;
/// Iterations without a lower loss on them.
const PATIENCE: u64 = 2;

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

/// The fits, one for each of the units.
fn described<'a>(
    network: &'a Network,
    data: &'a Dataset,
    held_out: &'a Dataset,
    iterations: u64,
) -> [secant::Fit<'a>; 3] {
    UNITS.map(|(units, judged)| {
        let fit = fit(network, data)
            .method(Lbfgs::default())
            .penalty(Ridge(1e-4))
            .max_iterations(iterations)
            .standardize(units)
            .seed(3);
        if judged { fit.validation(held_out).patience(PATIENCE) } else { fit }
    })
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
    if let Some(best) = &report.validation {
        let losses: Vec<f64> =
            report.trace.iter().filter_map(|step| step.validation.map(|all| all.loss)).collect();
        println!("held out: {best:?} of {}, trace {:016x}", losses.len(), bits(&losses));
    }
    Ok(())
}

pub fn plain(file: &str, iterations: u64) -> Result<(), Failure> {
    let (network, data) = (network(), Dataset::from_csv_with(file, &options())?);
    let held_out = held_out(HELD_OUT)?;
    described(&network, &data, &held_out, iterations)
        .into_iter()
        .try_for_each(|fit| tell(&fit.run()?))
}

pub fn across(plan: &Plan<'_>) -> Result<(), Failure> {
    let ranks = Ranks::initialize()?;
    ranks.guard(|ranks| {
        let network = network();
        let shared = Shared::from_csv(ranks, network.graph()?, plan.file, &options())?;
        let all = shared.across(ranks);
        let held_out = held_out(HELD_OUT)?;
        let fits = || described(&network, shared.data(), &held_out, plan.iterations);
        let [one, other, _] = fits();
        for (fit, what) in [
            (one.starts(2), "`starts`"),
            (other.validation_fraction(0.2), "`validation_fraction` (`validation` takes samples)"),
        ] {
            let refused = fit.run_across(&all);
            let words = refused.map_or_else(|error| error.to_string(), |_| String::new());
            if words != format!("{what}: not in a fit whose samples lie in several processes") {
                return Err(format!("not refused: {what}, {words}").into());
            }
        }
        for (index, fit) in fits().into_iter().enumerate() {
            let file = format!("{}.{index}", plan.checkpoint);
            let mut fit = fit.checkpoint(&file, Every::Iterations(1));
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
