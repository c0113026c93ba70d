//! What commands tell alike: how a run went, estimates, files.

use crate::exit::Exit;
use crate::failure::{Failure, quoted};
use crate::screen::{Screen, sentence};
use crate::tables::Read;
use secant::core::files::check_writable;
use secant::data::Encoded;
use secant::{Dataset, Model, Report, Score};
use serde_json::{Map, Value, json};
use std::path::Path;

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
    estimates_where(table, |_| true)
}

/// The same of those whose names are wanted.
pub fn estimates_where(table: &secant::Inference, wanted: impl Fn(&str) -> bool) -> Value {
    let rows = table.estimates.iter().enumerate().filter(|(_, estimate)| wanted(&estimate.name));
    let rows = rows.map(|(j, estimate)| {
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

/// Five digits that a person reads.
pub fn plain(value: f64) -> String {
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

/// The model as its file keeps it: with what intervals of predictions need, where `has_errors` and there is such a thing.
pub fn kept(model: &Model, data: &Dataset, has_errors: bool) -> Model {
    let with = has_errors.then(|| model.clone().with_errors(data).ok()).flatten();
    with.unwrap_or_else(|| model.clone())
}

/// Files that were asked for. What cannot be written is told when all else is: a fit is not lost for it.
#[derive(Default)]
pub struct Written {
    files: Vec<String>,
    failure: Option<Failure>,
}

impl Written {
    /// Writes the file `what`, where there is a place for it.
    pub fn put<E: Into<Failure>>(
        &mut self,
        what: &str,
        path: Option<&Path>,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) {
        let Some(path) = path else { return };
        match write(path) {
            Ok(()) => self.note(what, Some(path)),
            Err(error) => {
                self.failure.get_or_insert(error.into());
            }
        }
    }

    /// One that is written already.
    pub fn note(&mut self, what: &str, path: Option<&Path>) {
        let path = path.map(secant::core::text::path);
        self.files.extend(path.map(|path| format!("{what}: {path}")));
    }

    /// Tells what was written.
    pub fn tell(&self, screen: &Screen) {
        if !self.files.is_empty() {
            screen.heading("Files");
            screen.sentences(&self.files);
        }
    }

    /// The first failure, if there was one.
    pub fn end(self) -> Result<(), Failure> {
        self.failure.map_or(Ok(()), Err)
    }
}

/// The command that was given.
pub fn command_line() -> String {
    let words = std::env::args().skip(1).map(|word| quoted(&word));
    std::iter::once("secant".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// A folder that is not there, or takes no file, is told before the fit, not after it.
pub fn writable(path: &Path) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let shown = secant::core::text::path(path);
    if !folder.is_dir() {
        let folder = secant::core::text::path(folder);
        return Err(Failure::new(format!(
            "{shown} cannot be written: there is no folder {folder}"
        )));
    }
    if path.is_dir() {
        return Err(Failure::new(format!("{shown} cannot be written: it is a folder")));
    }
    check_writable(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_others_and_is_told() {
        let mut written = Written::default();
        let place = |name: &'static str| Some(Path::new(name));
        written.put("model", place("m"), |_| Ok::<(), Failure>(()));
        written.put("report", place("r"), |_| Err(Failure::new("r: the disk is full")));
        written.put("picture", place("p"), |_| Err(Failure::new("p: the disk is full")));
        written.put("table", None, |_| Err(Failure::new("nobody asked for it")));
        written.put("fits", place("f"), |_| Ok::<(), Failure>(()));
        assert_eq!(written.files, ["model: m", "fits: f"]);
        assert_eq!(written.end().unwrap_err().what, "r: the disk is full");
        assert!(Written::default().end().is_ok());
    }
}
