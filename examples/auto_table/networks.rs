//! Networks with a ridge, inputs and targets standardised, from a drawn start.

use crate::compare::Table;
use crate::linear::part;
use crate::name::{Kind, Name};
use crate::tables::{read, standardised};
use secant::loss::Loss;
use secant::{
    Activation, Dataset, Network, Ridge, Risk, SoftmaxCrossEntropy, SquaredError, Standardizer,
};
use std::error::Error;
use std::path::Path;

/// Seed of the starts.
const SEED: u64 = 7;

/// Hidden widths, λ of the ridge penalty.
struct Net {
    set: &'static str,
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
    Net { set, hidden, activation, lambda }
}

/// On whole tables.
const SMALL: [Net; 11] = [
    net("yacht", &[6], Activation::Tanh, 1e-3),
    net("diabetes", &[5], Activation::Tanh, 1e-2),
    net("energy", &[8], Activation::Sigmoid, 1e-3),
    net("concrete", &[8], Activation::Tanh, 1e-3),
    net("concrete", &[16, 16], Activation::Silu, 1e-2),
    net("airfoil", &[10], Activation::Tanh, 1e-3),
    net("iris", &[6], Activation::Tanh, 1e-3),
    net("wine", &[8], Activation::Tanh, 1e-3),
    net("breast_cancer", &[8], Activation::Sigmoid, 1e-3),
    net("digits", &[16], Activation::Tanh, 1e-3),
    net("spambase", &[8], Activation::Softplus, 1e-3),
];

/// 5,000 parameters and more.
const LARGE: [Net; 8] = [
    net("digits", &[100], Activation::Tanh, 1e-3),
    net("digits", &[64, 64], Activation::Tanh, 1e-3),
    net("concrete", &[70, 70], Activation::Tanh, 1e-2),
    net("energy", &[80, 80], Activation::Silu, 1e-2),
    net("yacht", &[100, 100], Activation::Tanh, 1e-2),
    net("breast_cancer", &[160], Activation::Sigmoid, 1e-3),
    net("wine", &[70, 70], Activation::Softplus, 1e-2),
    net("abalone", &[80, 60], Activation::Tanh, 1e-2),
];

/// Images: samples.
const IMAGES: [(usize, Net); 2] = [
    (1_000, net("mnist", &[10], Activation::Tanh, 1e-2)),
    (1_000, net("fashion_mnist", &[8], Activation::Tanh, 1e-2)),
];

/// On some rows of a table.
const ON_ROWS: [(Net, [usize; 2]); 12] = [
    (net("abalone", &[5], Activation::Tanh, 1e-2), [20, 100]),
    (net("airfoil", &[6], Activation::Tanh, 1e-3), [50, 200]),
    (net("concrete", &[8], Activation::Sigmoid, 1e-3), [20, 100]),
    (net("diabetes", &[4], Activation::Softplus, 1e-2), [50, 200]),
    (net("energy", &[5, 5], Activation::Tanh, 1e-3), [20, 100]),
    (net("power_plant", &[6], Activation::Tanh, 1e-3), [50, 200]),
    (net("yacht", &[4, 4], Activation::Silu, 1e-3), [50, 200]),
    (net("iris", &[5], Activation::Tanh, 1e-3), [20, 100]),
    (net("wine", &[6], Activation::Sigmoid, 1e-3), [50, 100]),
    (net("breast_cancer", &[5], Activation::Tanh, 1e-3), [50, 200]),
    (net("digits", &[8], Activation::Tanh, 1e-3), [50, 200]),
    (net("heart_scale", &[5], Activation::Tanh, 1e-2), [20, 200]),
];

/// All networks.
pub fn networks(folder: &Path, table: &mut Table) -> Result<(), Box<dyn Error>> {
    for net in SMALL {
        let name = net.name(Kind::Net, None);
        if table.wants(&name) {
            net.compare(name, read(folder, net.set)?, table)?;
        }
    }
    for net in LARGE {
        let name = net.name(Kind::LargeNet, None);
        if table.wants(&name) {
            net.compare(name, read(folder, net.set)?, table)?;
        }
    }
    for (samples, net) in IMAGES {
        let name = net.name(Kind::LargeNet, Some(samples));
        if table.wants(&name) {
            net.compare(name, read(folder, net.set)?.first(samples)?, table)?;
        }
    }
    for (net, rows) in ON_ROWS {
        for rows in rows {
            let name = net.name(Kind::SmallNet, Some(rows));
            if table.wants(&name) {
                net.compare(name, part(folder, net.set, rows)?, table)?;
            }
        }
    }
    Ok(())
}

impl Net {
    fn name(&self, kind: Kind, rows: Option<usize>) -> Name {
        let widths: Vec<String> = self.hidden.iter().map(ToString::to_string).collect();
        let rows = rows.map_or_else(String::new, |rows| format!("{rows} rows "));
        Name::new(kind, self.set, format!("{rows}{} {:.0e}", widths.join("-"), self.lambda))
    }

    fn compare(&self, name: Name, data: Dataset, table: &mut Table) -> Result<(), Box<dyn Error>> {
        let (data, loss): (Dataset, Box<dyn Loss>) = if data.targets().labels().is_some() {
            (data, Box::new(SoftmaxCrossEntropy))
        } else {
            (Standardizer::fit_targets(&data)?.transform_targets(&data)?, Box::new(SquaredError))
        };
        let data = standardised(&data)?;
        let ends = ([data.features()], [data.targets().outputs()]);
        let layers: Vec<usize> = ends.0.iter().chain(self.hidden).chain(&ends.1).copied().collect();
        let network = Network::mlp(layers, self.activation);
        let risk = Risk::from_boxed(network.graph()?, &data, loss, Box::new(Ridge(self.lambda)))?;
        Ok(table.compare(name, &risk, &network.draw(SEED)?)?)
    }
}
