//! The problems of the table.

use crate::compare::Table;
use crate::problems::{self, Problem};
use crate::rows::rows_of_folder;
use crate::{models, nist};
use secant::loss::Loss;
use secant::{
    Activation, Dataset, Network, Objective, Ridge, Risk, SoftmaxCrossEntropy, SquaredError,
    Standardizer,
};
use std::error::Error;
use std::path::Path;

/// Sets with more N·n than this take minutes.
const MOST_WORK: usize = 40_000_000;
/// Seed of the networks' starts.
const SEED: u64 = 7;

/// Linear models with a ridge penalty: squared error, softmax, logistic.
pub fn regression_and_classification(
    folder: &Path,
    all: bool,
    table: &mut Table,
) -> Result<(), Box<dyn Error>> {
    for row in rows_of_folder(folder)? {
        let set = format!("{} {} {:.0e}", row.set, row.loss, row.lambda);
        if !table.wants(&set) {
            continue;
        }
        let data = row.read()?;
        let (loss, outputs) = row.loss(&data);
        let network = Network::linear(data.features(), outputs);
        let risk = Risk::from_boxed(network.graph()?, &data, loss, Box::new(Ridge(row.lambda)))?;
        let n = risk.dim();
        if !all && data.samples() * n > MOST_WORK {
            eprintln!("{set}: left out without --all");
            continue;
        }
        table.compare(&set, &risk, &vec![0.0; n])?;
    }
    Ok(())
}

/// A small network on one table: hidden widths, λ of the ridge penalty.
struct Net {
    set: &'static str,
    labels: bool,
    hidden: &'static [usize],
    activation: Activation,
    lambda: f64,
}

const fn net(
    set: &'static str,
    hidden: &'static [usize],
    activation: Activation,
    lambda: f64,
) -> Net {
    Net { set, labels: false, hidden, activation, lambda }
}

const fn classifier(
    set: &'static str,
    hidden: &'static [usize],
    activation: Activation,
    lambda: f64,
) -> Net {
    Net { set, labels: true, hidden, activation, lambda }
}

const NETS: [Net; 11] = [
    net("yacht", &[6], Activation::Tanh, 1e-3),
    net("diabetes", &[5], Activation::Tanh, 1e-2),
    net("energy", &[8], Activation::Sigmoid, 1e-3),
    net("concrete", &[8], Activation::Tanh, 1e-3),
    net("concrete", &[16, 16], Activation::Silu, 1e-2),
    net("airfoil", &[10], Activation::Tanh, 1e-3),
    classifier("iris", &[6], Activation::Tanh, 1e-3),
    classifier("wine", &[8], Activation::Tanh, 1e-3),
    classifier("breast_cancer", &[8], Activation::Sigmoid, 1e-3),
    classifier("digits", &[16], Activation::Tanh, 1e-3),
    classifier("spambase", &[8], Activation::Softplus, 1e-3),
];

/// Small networks, targets and inputs standardised.
pub fn networks(folder: &Path, table: &mut Table) -> Result<(), Box<dyn Error>> {
    for net in NETS {
        let widths: Vec<String> = net.hidden.iter().map(ToString::to_string).collect();
        let set = format!("net {} {} {:.0e}", net.set, widths.join("-"), net.lambda);
        if !table.wants(&set) {
            continue;
        }
        let kind = if net.labels { "classification" } else { "regression" };
        let path = folder.join(kind).join(format!("{}.csv", net.set));
        let (data, loss): (Dataset, Box<dyn Loss>) = if net.labels {
            (Dataset::from_csv_labels(path, "target")?, Box::new(SoftmaxCrossEntropy))
        } else {
            let data = Dataset::from_csv(path, "target")?;
            (Standardizer::fit_targets(&data)?.transform_targets(&data)?, Box::new(SquaredError))
        };
        let data = Standardizer::fit_inputs(&data).transform_inputs(&data)?;
        let outputs = data.targets().outputs();
        let layers: Vec<usize> =
            [data.features()].iter().chain(net.hidden).chain(&[outputs]).copied().collect();
        let network = Network::mlp(layers, net.activation);
        let risk = Risk::from_boxed(network.graph()?, &data, loss, Box::new(Ridge(net.lambda)))?;
        table.compare(&set, &risk, &network.draw(SEED)?)?;
    }
    Ok(())
}

/// NIST's nonlinear problems, both starts.
pub fn nist(folder: &Path, table: &mut Table) -> Result<(), Box<dyn Error>> {
    for set in nist::sets(&folder.join("nist-strd"))? {
        let Some(model) = models::model(&set.name) else { continue };
        let problem = nist::problem(&set, model);
        for (start, theta) in (1..).zip(&set.starts) {
            let name = format!("nist {} start {start}", set.name);
            if table.wants(&name) {
                table.compare(&name, &problem, theta)?;
            }
        }
    }
    Ok(())
}

/// The problems of Moré, Garbow & Hillstrom, from x₀.
pub fn mgh(table: &mut Table) -> Result<(), Box<dyn Error>> {
    for problem in problems::PROBLEMS {
        let Problem { id, .. } = problem;
        let name = format!("mgh {id}");
        if table.wants(&name) {
            table.compare(&name, &problem, &problem.start())?;
        }
    }
    Ok(())
}
