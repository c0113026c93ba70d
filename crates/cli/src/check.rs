//! `secant check`: the derivatives of a model on a table.

use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::models::{self, Judge, Spec};
use crate::screen::Screen;
use crate::tables::{self, Read};
use crate::told::{head, indented, number};
use secant::loss::Loss;
use secant::penalty::Penalty;
use secant::{Logistic, Risk, Robust, SoftmaxCrossEntropy, SquaredError, Standardizer, Targets};
use serde_json::json;
use std::sync::Arc;

/// Rows that a check looks at: it forms dense matrices.
const ROWS: usize = 500;

pub fn run(args: &CheckArgs, screen: &Screen) -> Result<Exit, Failure> {
    let spec = Spec::read(&args.model.model)?;
    let table = args.table.read(&args.data)?;
    let read = Read::of(&table);
    let encoded = table.into_dataset(&args.columns.roles(&args.table))?;
    let (data, rows) = (&encoded.data, encoded.data.samples().min(ROWS));
    let part = data.first(rows)?;
    let part = Standardizer::fit_inputs(&part).transform_inputs(&part)?;
    let built = models::build(&spec, &args.model, &part)?;
    let graph = built.network.graph().map_err(|error| Failure::new(error.to_string()))?;
    let loss: Arc<dyn Loss> = match &built.judge {
        Judge::Loss(loss) => loss.clone(),
        Judge::Rho(rho) => {
            Arc::new(Robust::new(*rho, 1.0).map_err(|error| Failure::new(error.to_string()))?)
        }
        Judge::Default => match part.targets() {
            Targets::Values { .. } => Arc::new(SquaredError),
            Targets::Labels { .. } if graph.outputs() == 1 => Arc::new(Logistic),
            Targets::Labels { .. } => Arc::new(SoftmaxCrossEntropy),
        },
    };
    let penalty: Arc<dyn Penalty> = built.penalty.clone();
    let risk = Risk::from_shared(graph, &part, loss, penalty).map_err(secant::FitError::from)?;
    // Not where a linear model starts: at 0 many derivatives are simple.
    let theta = secant::Init::Glorot.draw(graph.parameters(), args.seed);
    let checks = secant::check::curvature(&risk, &theta, args.seed);
    screen.heading("Data");
    let mut sentences = tables::sentences(&read, &encoded);
    if rows < data.samples() {
        sentences.push(format!("Checked on the first {rows} rows."));
    }
    screen.sentences(&sentences);
    screen.heading(&format!(
        "Derivatives of the {}, {} parameters",
        built.name,
        graph.parameters().dim()
    ));
    screen.say("");
    screen.result(&indented(&checks.to_string()));
    let passed = checks.passed();
    let exit = if passed { Exit::Done } else { Exit::Failed };
    screen.say(&screen.verdict(
        passed,
        if passed { "  all within their tolerances" } else { "  NOT within their tolerances" },
    ));
    let mut object = head("check", &read, &encoded);
    object.insert(
        "model".into(),
        json!({"name": built.name, "parameters": graph.parameters().dim()}),
    );
    object.insert("checks".into(), checks.0.iter().map(|check| {
        json!({"what": check.what, "error": number(check.error), "tolerance": check.tolerance, "passed": check.passed()})
    }).collect());
    object.insert("passed".into(), passed.into());
    object.insert("exit".into(), exit.number().into());
    screen.json(object);
    Ok(exit)
}
