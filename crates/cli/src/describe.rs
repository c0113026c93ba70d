//! `secant describe`: a table, a model file, or the description of a graph.

mod columns;

use crate::args::DescribeArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::models;
use crate::screen::Screen;
use crate::tables::{Read, grouped};
use crate::told::{indented, number};
use columns::Column;
use secant::core::text::path as shown;
use secant::data::EncodedForm;
use secant::optim::LinearSolution;
use secant::{
    Dataset, GlmFit, Graph, Method, Model, ModelFile, ModelFileError, ModelFileFault, ModelKind,
    NoPenalty, Risk, SquaredError,
};
use serde_json::{Map, Value, json};
use std::path::Path;

/// What a file of safetensors begins with behind its length.
const MODEL: &[u8] = b"{\"__metadata__\"";
/// Columns of which collinear ones are looked for.
const MOST_COLUMNS: usize = 200;
/// Samples of the problem that methods are advised for, where there are no data.
const SAMPLES: usize = 1_000;
/// Methods that are listed.
const ADVISED: usize = 5;

pub fn run(args: &DescribeArgs, screen: &Screen) -> Result<Exit, Failure> {
    let path = &args.file;
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let mut object = Map::new();
    object.insert("command".into(), "describe".into());
    object.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    object.insert("file".into(), shown(path).into());
    if path != Path::new("-") && is_model(path)? {
        model(path, screen, &mut object)?;
    } else if matches!(extension, "toml" | "json") {
        description(path, screen, &mut object)?;
    } else {
        table(args, screen, &mut object)?;
    }
    object.insert("exit".into(), Exit::Done.number().into());
    screen.json(object);
    Ok(Exit::Done)
}

fn is_model(path: &Path) -> Result<bool, Failure> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(|error| Failure::file(path, &error))?;
    let mut start = Vec::new();
    let read = file.take(8 + MODEL.len() as u64).read_to_end(&mut start);
    read.map_err(|error| Failure::file(path, &error))?;
    Ok(start.get(8..) == Some(MODEL))
}

fn table(
    args: &DescribeArgs,
    screen: &Screen,
    object: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let table = args.table.read(&args.file)?;
    let read = Read::of(&table);
    screen.heading(&read.file);
    let size = format!("{} rows of {} columns.", grouped(read.rows), grouped(read.columns));
    screen.sentences(&[vec![size], read.notes.clone()].concat());
    screen.say("");
    let columns: Vec<Column> = (0..read.columns).map(|index| Column::of(&table, index)).collect();
    screen.result(&indented(&columns::table(&columns)));
    let mut remarks = columns::remarks(&columns);
    if let Some((names, values)) =
        columns::numbers(&table).filter(|(names, _)| names.len() <= MOST_COLUMNS)
    {
        remarks.extend(columns::collinear(&names, &values));
    }
    if !remarks.is_empty() {
        screen.heading("To be looked at");
        screen.sentences(&remarks);
    }
    object.insert("kind".into(), "table".into());
    object.insert("rows".into(), read.rows.into());
    object.insert("columns".into(), columns.iter().map(Column::json).collect());
    object.insert("notes".into(), read.notes.into());
    object.insert("remarks".into(), remarks.into());
    Ok(())
}

fn description(
    path: &Path,
    screen: &Screen,
    object: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let description = models::description(path)?;
    let graph = description.graph().map_err(|error| Failure::file(path, &error))?;
    screen.heading(&shown(path));
    screen.say("");
    screen.result(&indented(&graph.summary().to_string()));
    let choice = |choice: &Option<secant::description::Choice>| {
        choice.as_ref().map(|choice| choice.name().to_owned())
    };
    let (loss, penalty) = (choice(&description.loss), choice(&description.penalty));
    let words = |what, name: &Option<String>| name.as_ref().map(|name| format!("{what}: {name}."));
    screen.sentences(
        &[words("Loss", &loss), words("Penalty", &penalty)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>(),
    );
    let advised = advised(&graph)?;
    screen.heading(&format!("Methods, for {SAMPLES} rows and squared error"));
    screen.sentences(&advised);
    object.insert("kind".into(), "description".into());
    graph_json(&graph, object);
    object.insert("loss".into(), loss.into());
    object.insert("penalty".into(), penalty.into());
    object.insert("methods".into(), advised.into());
    Ok(())
}

fn graph_json(graph: &Graph, object: &mut Map<String, Value>) {
    object.insert("features".into(), graph.features().into());
    object.insert("outputs".into(), graph.outputs().into());
    object.insert("parameters".into(), graph.parameters().dim().into());
    object.insert("affine".into(), graph.is_affine().into());
}

/// The methods for the graph on made-up data, best first.
fn advised(graph: &Graph) -> Result<Vec<String>, Failure> {
    let (d, c) = (graph.features(), graph.outputs());
    let wave = |i: usize| (i as f64 * 0.7).sin();
    let inputs: Vec<f64> = (0..d * SAMPLES).map(wave).collect();
    let targets: Vec<f64> = (0..c * SAMPLES).map(wave).collect();
    let data = Dataset::from_slices(d, &inputs, c, &targets)?;
    // Nodes whose inputs are whole numbers, and losses of one's own, have no such problem.
    let Ok(risk) = Risk::new(graph, &data, SquaredError, NoPenalty) else { return Ok(Vec::new()) };
    let ranking = Method::advise(&risk)?;
    let line = |advice: &secant::Advice| {
        format!("{}: {}.", advice.method.name(), advice.reason.trim_end_matches('.'))
    };
    Ok(ranking.iter().take(ADVISED).map(line).collect())
}

fn model(path: &Path, screen: &Screen, object: &mut Map<String, Value>) -> Result<(), Failure> {
    screen.heading(&shown(path));
    let model = match Model::load(path) {
        Ok(model) => model,
        Err(ModelFileError::Refused { fault, file }) => match *fault {
            ModelFileFault::Kind { found: ModelKind::Glm, .. } => {
                let fit = GlmFit::load(path)?;
                screen.result(&indented(&fit.to_string()));
                object.insert("kind".into(), "glm".into());
                object.insert("family".into(), fit.family.name().into());
                object.insert("link".into(), fit.link.name().into());
                object.insert("features".into(), fit.feature_names().into());
                object.insert("coefficients".into(), fit.coefficients.iter().map(|one| {
                    json!({"name": one.name, "class": one.class, "value": number(one.estimate), "standard_error": number(one.standard_error)})
                }).collect());
                return Ok(());
            }
            ModelFileFault::Kind { found: ModelKind::Linear, .. } => {
                let solution = LinearSolution::load(path)?;
                let names = solution.coefficients.iter().enumerate();
                let lines: Vec<String> =
                    names.map(|(j, value)| format!("coefficient {j:<4} {value:>18.10e}")).collect();
                screen.result(&indented(&lines.join("\n")));
                object.insert("kind".into(), "linear".into());
                object.insert("coefficients".into(), solution.coefficients.into());
                return Ok(());
            }
            fault => return Err(Failure::new(format!("{file}: {fault}"))),
        },
        Err(error) => return Err(error.into()),
    };
    let summary = model.fit_summary();
    let encoding = model.encoding();
    let mut sentences = vec![format!(
        "Predicts {} from {} inputs; loss {}.",
        model.target_names().join(", "),
        model.graph().features(),
        model.loss().name()
    )];
    sentences.push(format!(
        "Fitted by {} to {} samples, value {:.6e} after {} iterations: {}",
        summary.method,
        grouped(summary.samples),
        summary.value,
        summary.iterations,
        summary.reason.sentence()
    ));
    if !model.class_names().is_empty() {
        sentences.push(format!("Classes: {}.", model.class_names().join(", ")));
    }
    sentences.push(format!(
        "Columns that it needs: {}.",
        encoding
            .features()
            .iter()
            .map(|column| match &column.form {
                EncodedForm::Levels { levels, .. } =>
                    format!("{} ({})", column.name, levels.join(" | ")),
                _ => column.name.clone(),
            })
            .collect::<Vec<_>>()
            .join(", ")
    ));
    screen.sentences(&sentences);
    screen.say("");
    screen.result(&indented(&model.graph().summary().to_string()));
    object.insert("kind".into(), "model".into());
    graph_json(model.graph(), object);
    object.insert(
        "columns".into(),
        encoding.features().iter().map(|column| column.name.clone()).collect(),
    );
    object.insert("targets".into(), model.target_names().into());
    object.insert("classes".into(), model.class_names().into());
    object.insert("loss".into(), model.loss().name().into());
    object.insert("fit".into(), serde_json::to_value(summary).unwrap_or_default());
    Ok(())
}
