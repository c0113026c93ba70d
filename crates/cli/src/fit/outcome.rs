//! What came of a fit: for a person, for another program, in files.

use super::{Outcome, advice};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::models::Spec;
use crate::screen::Screen;
use crate::told::{
    Written, command_line, ended, estimates_json, head, indented, kept, plain, run_json, score_json,
};
use secant::{Model, Score};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Rows of the table of coefficients that a screen shows.
const COEFFICIENTS: usize = 30;

impl Outcome<'_> {
    /// Writes the files, tells the rest.
    pub fn tell(&self, screen: &Screen) -> Result<Exit, Failure> {
        let (report, model) = (self.fitted.report(), self.fitted.model());
        let exit = Exit::of(report.reason);
        let mut written = Written::default();
        written.put("model", self.args.out.as_deref(), |path| self.kept().save(path));
        let training = model.score(self.source.training())?;
        let held_out = self.held_out.map(|data| model.score(data)).transpose()?;
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
        written.put("report", self.args.report.as_deref(), |path| self.page(path, &told));
        written.note("checkpoint", self.args.checkpoint.as_deref());
        written.tell(screen);
        if !told.is_empty() {
            screen.heading("Next");
            screen.sentences(&told);
        }
        written.end()?;
        screen.json(self.json(&training, held_out.as_ref(), inference.as_ref(), &told, exit));
        Ok(exit)
    }

    /// The model with what intervals of predictions need, where there is such a thing.
    fn kept(&self) -> Model {
        let free = self.args.model.l1.is_none() && self.args.formula.bounds.is_empty();
        kept(self.fitted.model(), self.source.training(), free)
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
        let few = self.source.spec == Spec::Linear && model.theta().len() <= COEFFICIENTS;
        if !few || self.args.model.l1.is_some() || !self.args.formula.bounds.is_empty() {
            return None;
        }
        model.inference(self.source.training()).ok()?.table().cloned()
    }

    fn page(&self, path: &Path, told: &[String]) -> Result<(), Failure> {
        let mut page = self
            .fitted
            .html(self.source.training())?
            .title(format!(
                "{}: {}",
                self.source.read.file,
                self.source.encoded.data.target_names().join(", ")
            ))
            .command(command_line())
            .read(self.source.sentences.iter().cloned())
            .advice(told.iter().cloned());
        if let Some(held_out) = self.held_out {
            page = page.held_out(held_out)?;
        }
        Ok(page.save(path)?)
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
        let mut object = head("fit", &self.source.read, &self.source.encoded);
        object.insert("model".into(), json!({
            "kind": match self.source.spec { Spec::Linear => "linear", Spec::Mlp(..) => "mlp", _ => "file" },
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
