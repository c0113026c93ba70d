//! What came of a fit: for a person, for another program, in files.

use super::{Parts, advice};
use crate::args::FitArgs;
use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::models::{Built, Spec};
use crate::screen::{Screen, sentence};
use crate::tables::Read;
use secant::data::Encoded;
use secant::{Fitted, Report, Score};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Rows of the table of coefficients that a screen shows.
const COEFFICIENTS: usize = 30;

/// All of a finished fit.
pub struct Outcome<'a> {
    pub args: &'a FitArgs,
    pub spec: &'a Spec,
    pub read: &'a Read,
    pub encoded: &'a Encoded,
    pub parts: &'a Parts<'a>,
    pub built: &'a Built,
    pub fitted: &'a Fitted,
    /// The strength that cross-validation chose, in words.
    pub chosen: Option<String>,
    /// What was read, in words.
    pub sentences: Vec<String>,
}

impl Outcome<'_> {
    /// Writes the files, tells the rest.
    pub fn tell(&self, screen: &Screen) -> Result<Exit, Failure> {
        let (report, model) = (self.fitted.report(), self.fitted.model());
        let exit = Exit::of(report.reason);
        if let Some(path) = &self.args.out {
            model.save(path)?;
        }
        let training = model.score(&self.parts.training)?;
        let held_out = self.parts.held_out.as_ref().map(|data| model.score(data)).transpose()?;
        let told = advice::of(self, &training, held_out.as_ref());

        screen.heading("Fit");
        screen.sentences(&self.how());
        let starts = self.fitted.starts().map(ToString::to_string);
        screen.sentences(&starts.into_iter().collect::<Vec<_>>());
        screen.heading("How good");
        screen.say(&scores(&training, held_out.as_ref()));
        let inference = self.inference();
        if let Some(table) = &inference {
            screen.heading("Coefficients");
            screen.say(&indented(&table.to_string()));
        }
        if let Some(path) = &self.args.report {
            self.page(path, &told)?;
        }
        files(
            screen,
            &[
                ("model", self.args.out.as_deref()),
                ("report", self.args.report.as_deref()),
                ("checkpoint", self.args.checkpoint.as_deref()),
            ],
        );
        if !told.is_empty() {
            screen.heading("Next");
            screen.sentences(&told);
        }
        screen.json(self.json(&training, held_out.as_ref(), inference.as_ref(), &told, exit));
        Ok(exit)
    }

    /// What was fitted, why by this method, how it went.
    fn how(&self) -> Vec<String> {
        let report = self.fitted.report();
        let first =
            format!("{}, {} parameters, by {}.", self.built.name, report.parameters, report.solver);
        let mut sentences = vec![first];
        sentences.extend(self.chosen.clone());
        sentences.extend(ended(report));
        sentences
    }

    /// Errors of the coefficients, where there are few and they have some.
    fn inference(&self) -> Option<secant::Inference> {
        let model = self.fitted.model();
        let few = *self.spec == Spec::Linear && model.theta().len() <= COEFFICIENTS;
        if !few || self.args.model.l1.is_some() || !self.args.formula.bounds.is_empty() {
            return None;
        }
        model.inference(&self.parts.training).ok()?.table().cloned()
    }

    fn page(&self, path: &Path, told: &[String]) -> Result<(), Failure> {
        let mut page = self
            .fitted
            .html(&self.parts.training)?
            .title(format!("{}: {}", self.read.file, self.encoded.data.target_names().join(", ")))
            .command(command_line())
            .read(self.sentences.iter().cloned())
            .advice(told.iter().cloned());
        if let Some(held_out) = &self.parts.held_out {
            page = page.held_out(held_out)?;
        }
        page.save(path).map_err(|error| Failure::new(error.to_string()))
    }

    fn json(
        &self,
        training: &Score,
        held_out: Option<&Score>,
        inference: Option<&secant::Inference>,
        told: &[String],
        exit: Exit,
    ) -> Map<String, Value> {
        let report = self.fitted.report();
        let mut object = head("fit", self.read, self.encoded);
        object.insert("model".into(), json!({
            "kind": match self.spec { Spec::Linear => "linear", Spec::Mlp(..) => "mlp", _ => "file" },
            "name": self.built.name,
            "parameters": report.parameters,
            "loss": self.fitted.model().loss().name(),
        }));
        run_json(&mut object, report, exit);
        object.insert("ridge".into(), self.chosen.clone().into());
        object.insert("training".into(), score_json(training));
        object.insert("held_out".into(), held_out.map_or(Value::Null, score_json));
        object.insert("coefficients".into(), inference.map_or(Value::Null, estimates_json));
        object.insert("files".into(), json!({
            "model": self.args.out, "report": self.args.report, "checkpoint": self.args.checkpoint,
        }));
        object.insert("advice".into(), told.into());
        object
    }
}

/// The fields that the objects of all commands begin with.
pub fn head(command: &str, read: &Read, encoded: &Encoded) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("command".into(), command.into());
    object.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    object.insert("data".into(), read.json(encoded));
    object
}

/// How the run went, and all of its report.
pub fn run_json(object: &mut Map<String, Value>, report: &Report, exit: Exit) {
    object.insert("method".into(), report.solver.clone().into());
    object.insert("reason".into(), format!("{:?}", report.reason).into());
    object.insert("reason_text".into(), report.reason.sentence().into());
    object.insert("converged".into(), report.reason.is_success().into());
    object.insert("exit".into(), exit.number().into());
    object.insert("iterations".into(), report.iterations.into());
    object.insert("seconds".into(), report.seconds.into());
    object.insert("value".into(), number(report.value));
    object.insert("gradient".into(), number(report.gradient.max));
    object.insert("run".into(), serde_json::to_value(report).unwrap_or_default());
}

/// A number, or its name in a text where JSON has none for it.
pub fn number(value: f64) -> Value {
    if value.is_finite() { value.into() } else { value.to_string().into() }
}

/// The entries of a score under plain names.
pub fn score_json(score: &Score) -> Value {
    serde_json::to_value(score).unwrap_or_default()
}

/// Estimates with errors, t, p and intervals.
pub fn estimates_json(table: &secant::Inference) -> Value {
    let rows = table.estimates.iter().enumerate().map(|(j, estimate)| {
        let (low, high) = table.interval_at(j, table.level);
        json!({
            "name": estimate.name,
            "value": number(estimate.value),
            "standard_error": number(estimate.standard_error),
            "status": format!("{:?}", estimate.status),
            "t": number(table.t(j)),
            "p": number(table.p(j)),
            "low": number(low),
            "high": number(high),
        })
    });
    rows.collect()
}

/// How a run ended and what it took.
pub fn ended(report: &Report) -> Vec<String> {
    let plural = if report.iterations == 1 { "" } else { "s" };
    let mut sentences = vec![format!(
        "{} {} iteration{plural} in {}; value {}, gradient {:.1e} (at the start {:.1e}).",
        sentence(report.reason.sentence()),
        report.iterations,
        seconds(report.seconds),
        plain(report.value),
        report.gradient.max,
        report.initial_gradient.max,
    )];
    if let Some(held_out) = report.validation {
        let (loss, at) = (held_out.loss, held_out.iteration);
        sentences.push(format!(
            "The model is the iterate that is best on the rows held out: iteration {at}, loss {} there.",
            plain(loss)
        ));
    }
    sentences.extend(report.notes.iter().map(|note| sentence(note)));
    sentences
}

/// `0.31 s`, `12 ms`.
pub fn seconds(seconds: f64) -> String {
    if seconds < 1e-3 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{seconds:.1} s")
    }
}

/// Scores side by side.
fn scores(training: &Score, held_out: Option<&Score>) -> String {
    let mut lines = vec![match held_out {
        Some(held_out) => format!(
            "  {:<10} {:>14} {:>14}",
            "",
            format!("{} fitted", training.samples),
            format!("{} held out", held_out.samples)
        ),
        None => format!("  {:<10} {:>14}", "", format!("{} fitted", training.samples)),
    }];
    let theirs = held_out.map(Score::entries);
    for (index, (name, value)) in training.entries().into_iter().enumerate() {
        let other = theirs.as_ref().and_then(|entries| {
            let same = entries.get(index).filter(|(known, _)| *known == name);
            same.or_else(|| entries.iter().find(|(known, _)| *known == name))
        });
        let other = other.map_or(String::new(), |(_, value)| format!(" {:>14}", plain(*value)));
        lines.push(format!("  {name:<10} {:>14}{other}", plain(value)));
    }
    lines.join("\n")
}

/// Five digits that a person reads.
fn plain(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e5).contains(&size) {
        #[expect(clippy::cast_possible_truncation, reason = "between −3 and 5")]
        let whole = if size > 0.0 { size.log10().floor() as i32 } else { 0 };
        let decimals = usize::try_from(4 - whole).unwrap_or(0);
        format!("{value:.decimals$}")
    } else {
        format!("{value:.4e}")
    }
}

/// A block of text, two columns in.
pub fn indented(text: &str) -> String {
    text.trim_end()
        .lines()
        .map(|line| format!("  {line}").trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// What was written where.
pub fn files(screen: &Screen, files: &[(&str, Option<&Path>)]) {
    let written: Vec<String> = files
        .iter()
        .filter_map(|(what, path)| Some(format!("{what}: {}", secant::core::text::path((*path)?))))
        .collect();
    if !written.is_empty() {
        screen.heading("Files");
        screen.sentences(&written);
    }
}

/// The command that was given.
pub fn command_line() -> String {
    let words = std::env::args().skip(1).map(|word| quoted(&word));
    std::iter::once("secant".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
