//! `secant predict`.

mod appended;

use crate::args::PredictArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::tables::Read;
use crate::told::writable;
use appended::{Original, Shape};
use secant::core::files::write_atomically;
use secant::data::{Encoding, Missing, Table};
use secant::inference::BandPoint;
use secant::{GlmFit, Link, Model, ModelFileError, ModelFileFault, ModelKind};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::path::Path;

/// A model of either kind.
enum Loaded {
    Model(Box<Model>),
    Glm(Box<GlmFit>),
}

/// Columns to be appended: their names, and a value for each row that has one.
struct Columns {
    names: Vec<String>,
    rows: Vec<Option<Vec<String>>>,
}

pub fn run(args: &PredictArgs, screen: &Screen) -> Result<Exit, Failure> {
    if let Some(path) = &args.out {
        writable(path)?;
    }
    let model = Loaded::read(&args.model)?;
    let original = Original::read(args)?;
    let table = original.table(args)?;
    let read = Read::of(&table);
    let offset = offset(args, &model, &table)?;
    let mut encoding = model.encoding().into_owned();
    if args.table.missing() != Missing::Refuse {
        encoding = encoding.with_missing(args.table.missing());
    }
    let rows = table.rows();
    let shape = Shape::of(&table);
    let inputs = encoding.inputs(table)?;
    let offset: Option<Vec<f64>> =
        offset.map(|(all, _)| inputs.rows.iter().map(|row| all[*row]).collect());
    let columns = model.columns(args, &inputs.inputs, &inputs.rows, rows, offset.as_deref())?;
    if screen.is_json() {
        let mut object = Map::new();
        object.insert("command".into(), "predict".into());
        object.insert("version".into(), env!("CARGO_PKG_VERSION").into());
        object.insert("file".into(), read.file.into());
        object.insert("rows".into(), rows.into());
        object.insert("notes".into(), inputs.notes.into());
        object.insert("predictions".into(), columns.json());
        object.insert("exit".into(), Exit::Done.number().into());
        screen.json(object);
        return Ok(Exit::Done);
    }
    let text = original.appended(&shape, &columns.names, &columns.rows, args.only);
    match &args.out {
        Some(path) => {
            write_atomically(path, &text).map_err(|error| Failure::new(error.to_string()))?;
            for note in read.notes.iter().chain(&inputs.notes) {
                screen.say(note);
            }
            screen.say(&format!(
                "{rows} rows with {}: {}",
                columns.names.join(", "),
                secant::core::text::path(path)
            ));
        }
        None => screen.print(&text),
    }
    Ok(Exit::Done)
}

impl Loaded {
    fn read(path: &Path) -> Result<Self, Failure> {
        match Model::load(path) {
            Ok(model) => Ok(Self::Model(Box::new(model))),
            Err(ModelFileError::Refused { fault, .. })
                if matches!(*fault, ModelFileFault::Kind { found: ModelKind::Glm, .. }) =>
            {
                Ok(Self::Glm(Box::new(GlmFit::load(path)?)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn encoding(&self) -> Cow<'_, Encoding> {
        match self {
            Self::Model(model) => model.encoding(),
            Self::Glm(fit) => fit.encoding(),
        }
    }

    /// The predictions of the rows that could be encoded.
    fn columns(
        &self,
        args: &PredictArgs,
        inputs: &[f64],
        places: &[usize],
        rows: usize,
        offset: Option<&[f64]>,
    ) -> Result<Columns, Failure> {
        let encoding = self.encoding();
        let target = encoding.targets().first().cloned().unwrap_or_else(|| "y".to_owned());
        let (names, values) = match self {
            Self::Glm(fit) => {
                if args.interval.is_some() {
                    return Err(Failure::new("--interval is of models fitted by squared error"));
                }
                let means = match offset {
                    Some(offset) => fit.predict_with_offset(inputs, offset)?,
                    None => fit.predict(inputs)?,
                };
                glm_columns(fit, &target, means)
            }
            Self::Model(model) => model_columns(args, model, inputs, offset)?,
        };
        let mut all = vec![None; rows];
        for (place, row) in places.iter().zip(values) {
            all[*place] = Some(row);
        }
        Ok(Columns { names, rows: all })
    }
}

/// A number with all its digits.
fn shown(value: f64) -> String {
    value.to_string()
}

type Rows = (Vec<String>, Vec<Vec<String>>);

fn glm_columns(fit: &GlmFit, target: &str, means: Vec<f64>) -> Rows {
    let c = fit.outputs().max(1);
    if c == 1 {
        let name = match &fit.modelled_class {
            Some(class) => format!("p_{class}"),
            None => format!("{target}_predicted"),
        };
        return (vec![name], means.into_iter().map(|mean| vec![shown(mean)]).collect());
    }
    let names = (0..c).map(|class| format!("p_{class}")).collect();
    (names, means.chunks_exact(c).map(|row| row.iter().map(|p| shown(*p)).collect()).collect())
}

fn model_columns(
    args: &PredictArgs,
    model: &Model,
    inputs: &[f64],
    offset: Option<&[f64]>,
) -> Result<Rows, Failure> {
    let c = model.graph().outputs();
    if !model.class_names().is_empty()
        || model.predict_classes(&inputs[..model.graph().features()]).is_ok()
    {
        if args.interval.is_some() {
            return Err(Failure::new("--interval is of models fitted by squared error"));
        }
        return classes(model, inputs, offset);
    }
    let z = match (model.mean(inputs), offset) {
        // Of the mean, where the loss has one.
        (Ok(mean), None) => mean,
        (_, None) => model.predict(inputs)?,
        (_, Some(offset)) => {
            if model.loss().link().is_some_and(|link| link != Link::Identity) {
                return Err(Failure::advised(
                    "--offset: only of models whose link is the identity",
                    "`secant fit --model glm:…` has offsets with every link",
                ));
            }
            let mut z = model.predict(inputs)?;
            for (scores, offset) in z.chunks_exact_mut(c).zip(offset) {
                for score in scores {
                    *score += offset;
                }
            }
            z
        }
    };
    let name = |output: usize| match model.target_names().get(output) {
        Some(name) if model.target_names().len() == c => format!("{name}_predicted"),
        _ => format!("output{}_predicted", output + 1),
    };
    let mut names: Vec<String> = (0..c).map(name).collect();
    let mut rows: Vec<Vec<String>> =
        z.chunks_exact(c).map(|row| row.iter().map(|value| shown(*value)).collect()).collect();
    if let Some(level) = args.interval {
        if offset.is_some() {
            return Err(Failure::new("--interval: not with offsets"));
        }
        let band = band(args, model, inputs, level)?;
        names.extend((0..c).flat_map(|output| {
            let name = name(output).trim_end_matches("_predicted").to_owned();
            [format!("{name}_low"), format!("{name}_high")]
        }));
        for (row, points) in rows.iter_mut().zip(band.chunks_exact(c)) {
            row.extend(
                points.iter().flat_map(|point| [point.prediction.0, point.prediction.1]).map(shown),
            );
        }
    }
    Ok((names, rows))
}

/// Where new observations lie, from what the model keeps or from the table that it was fitted to.
fn band(
    args: &PredictArgs,
    model: &Model,
    inputs: &[f64],
    level: f64,
) -> Result<Vec<BandPoint>, Failure> {
    if let Some(training) = &args.training {
        let data = model.encoding().dataset(args.table.read(training)?)?.data;
        return Ok(model.inference(&data)?.with_level(level)?.band(inputs)?);
    }
    if model.has_errors() {
        return Ok(model.band(inputs, level)?);
    }
    Err(Failure::advised(
        "--interval: the model's file keeps no errors, as those of small models fitted by squared error do",
        "`--training FILE` with the table that it was fitted to",
    ))
}

/// The class, and the probability of each where the loss has some.
fn classes(model: &Model, inputs: &[f64], offset: Option<&[f64]>) -> Result<Rows, Failure> {
    if offset.is_some() {
        return Err(Failure::new("--offset: not for classes"));
    }
    let labels = model.predict_classes(inputs)?;
    let target = model.target_names().first().map_or("class", String::as_str);
    let class =
        |label: usize| model.class_names().get(label).cloned().unwrap_or_else(|| label.to_string());
    let mut names = vec![format!("{target}_predicted")];
    let mut rows: Vec<Vec<String>> =
        labels.iter().map(|label| vec![class(*label as usize)]).collect();
    if let Ok(probabilities) = model.predict_probabilities(inputs) {
        let k = probabilities.len() / labels.len().max(1);
        names.extend((0..k).map(|label| format!("p_{}", class(label))));
        for (row, probabilities) in rows.iter_mut().zip(probabilities.chunks_exact(k.max(1))) {
            row.extend(probabilities.iter().map(|p| shown(*p)));
        }
    }
    Ok((names, rows))
}

/// The offsets of all rows: of the column that is named, or that of the fit.
fn offset(
    args: &PredictArgs,
    model: &Loaded,
    table: &Table,
) -> Result<Option<(Vec<f64>, String)>, Failure> {
    let own = model.encoding().offset().map(str::to_owned);
    let asked = args.offset.clone().or_else(|| args.exposure.clone()).or(own);
    let Some(name) = asked else { return Ok(None) };
    let Some(column) = table.names().iter().position(|known| *known == name) else {
        let nearest =
            secant::core::text::did_you_mean(&name, table.names().iter().map(String::as_str));
        return Err(Failure::advised(
            format!(
                "{}: no column \"{name}\" for the offset{nearest}",
                secant::core::text::path(table.file())
            ),
            "the model was fitted with an offset: give one, a column of zeros where there is none",
        ));
    };
    let mut values: Vec<f64> = table.column(column).collect();
    if args.exposure.is_some() {
        // With a log link a mean is in proportion to it.
        for value in &mut values {
            *value = value.ln();
        }
    }
    if let Some(row) = values.iter().position(|value| !value.is_finite()) {
        return Err(Failure::new(format!(
            "{}: the offset \"{name}\" is {}",
            table.row_name(row),
            values[row]
        )));
    }
    Ok(Some((values, name)))
}

impl Columns {
    fn json(&self) -> Value {
        let value = |text: &String| match text.parse::<f64>() {
            Ok(number) if number.is_finite() => json!(number),
            _ => json!(text),
        };
        self.rows
            .iter()
            .map(|row| match row {
                None => Value::Null,
                Some(values) => {
                    let entries = self.names.iter().zip(values);
                    Value::Object(entries.map(|(name, text)| (name.clone(), value(text))).collect())
                }
            })
            .collect()
    }
}
