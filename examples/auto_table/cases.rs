//! The problems of the table: public tables as they are, formulas.

use crate::compare::Table;
use crate::name::{Kind, Name};
use crate::problems::{self, Problem};
use crate::rows::rows_of_folder;
use crate::{models, nist};
use secant::{Network, Objective, Ridge, Risk};
use std::error::Error;
use std::path::Path;

/// Sets with more N·n than this take minutes.
const MOST_WORK: usize = 40_000_000;
/// From so many parameters on a linear model is a large one.
const LARGE: usize = 5_000;

/// Linear models with a ridge penalty: squared error, softmax, logistic.
pub fn regression_and_classification(
    folder: &Path,
    all: bool,
    table: &mut Table,
) -> Result<(), Box<dyn Error>> {
    for row in rows_of_folder(folder)? {
        let (set, part) = row.set.split_once(' ').unwrap_or((&row.set, ""));
        let rest = format!("{part} {} {:.0e}", row.loss, row.lambda);
        let kind = if row.loss == "ridge" { Kind::Regression } else { Kind::Classification };
        let mut name = Name::new(kind, set, rest.trim_start());
        if !table.wants(&name) {
            continue;
        }
        let data = row.read()?;
        let (loss, outputs) = row.loss(&data);
        let network = Network::linear(data.features(), outputs);
        let risk = Risk::from_boxed(network.graph()?, &data, loss, Box::new(Ridge(row.lambda)))?;
        let n = risk.dim();
        if !all && data.samples() * n > MOST_WORK {
            eprintln!("{name}: left out without --all");
            continue;
        }
        if n >= LARGE {
            name.kind = Kind::Large;
        }
        table.compare(name, &risk, &vec![0.0; n])?;
    }
    Ok(())
}

/// NIST's nonlinear problems, both starts.
pub fn nist(folder: &Path, table: &mut Table) -> Result<(), Box<dyn Error>> {
    for set in nist::sets(&folder.join("nist-strd"))? {
        let Some(model) = models::model(&set.name) else { continue };
        let problem = nist::problem(&set, model);
        for (start, theta) in (1..).zip(&set.starts) {
            let name = Name::new(Kind::Nist, set.name.as_str(), format!("start {start}"));
            if table.wants(&name) {
                table.compare(name, &problem, theta)?;
            }
        }
    }
    Ok(())
}

/// The problems of Moré, Garbow & Hillstrom, from x₀.
pub fn mgh(table: &mut Table) -> Result<(), Box<dyn Error>> {
    for problem in problems::PROBLEMS {
        let Problem { id, .. } = problem;
        let name = Name::new(Kind::Mgh, *id, "");
        if table.wants(&name) {
            table.compare(name, &problem, &problem.start())?;
        }
    }
    Ok(())
}
