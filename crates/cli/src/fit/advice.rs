//! What to do next, from how the fit went.

use super::Outcome;
use crate::failure::quoted;
use crate::models::{Spec, Strength};
use secant::{Reason, Score, Targets};

/// A share of the variance that is worth a network.
const OPEN: f64 = 0.95;
/// Rows that are enough for one.
const ROWS: usize = 200;
/// How much worse than on the rows fitted is worth a penalty.
const GAP: f64 = 1.5;
/// A log loss below which classes are told apart without an error.
const SEPARATED: f64 = 1e-6;
/// Values of a target that look like classes.
const CLASSES: usize = 10;

/// Sentences, the most pressing first.
pub fn of(outcome: &Outcome<'_>, training: &Score, held_out: Option<&Score>) -> Vec<String> {
    let mut told = Vec::new();
    let (args, report) = (outcome.args, outcome.fitted.report());
    let checkpoint = args.checkpoint.as_ref().map(|path| quoted(&path.display().to_string()));
    match report.reason {
        Reason::MaxIterations | Reason::MaxEvaluations | Reason::MaxTime | Reason::Interrupted => {
            told.push(match checkpoint {
                Some(path) => format!("`--resume {path}` with a larger limit goes on where this ended."),
                None => "A larger limit goes further; `--checkpoint FILE` keeps what is needed to go on.".to_owned(),
            });
        }
        reason if !reason.is_success() && reason != Reason::ValidationStopped => {
            told.push("Other starts may end lower: `--starts 8`; `secant check` looks for wrong derivatives or wild data.".to_owned());
        }
        _ => {}
    }
    let penalised = outcome.built.strength != Strength::Nothing || args.model.l1.is_some();
    let separated = training.log_loss.is_some_and(|loss| loss < SEPARATED) && !penalised;
    if separated {
        told.push("The classes are separated without an error, so that weights grow without end and probabilities mean little: `--ridge 1e-3`, or `--ridge auto`.".to_owned());
    }
    if let Some(held_out) = held_out.filter(|_| !penalised && !separated) {
        let (here, there) = (training.criterion().1, held_out.criterion().1);
        if there > GAP * here && here > 0.0 {
            told.push(format!(
                "Rows held out are predicted {:.1} times worse than those fitted: `--ridge auto`, or a smaller model.",
                there / here
            ));
        }
    }
    let data = &outcome.source.encoded.data;
    if let Targets::Values { values, rows: 1 } = data.targets()
        && values.iter().all(|y| *y == values[0])
    {
        told.push(format!("The target is {} in all rows: there is nothing to explain.", values[0]));
    }
    let rows = outcome.source.training().samples();
    let r2 = held_out.and_then(|score| score.r2).or(training.r2);
    if outcome.source.spec == Spec::Linear && rows >= ROWS && r2.is_some_and(|r2| r2 < OPEN) {
        told.push(
            "A network may see what a linear score does not: `--model mlp:16 --ridge auto`."
                .to_owned(),
        );
    }
    if let (Targets::Values { values, rows: 1 }, None) = (data.targets(), &args.model.loss) {
        let whole = values.iter().all(|y| y.fract() == 0.0);
        let mut different: Vec<u64> = Vec::new();
        for value in values.iter().map(|y| y.to_bits()) {
            if !different.contains(&value) {
                different.push(value);
            }
            if different.len() > CLASSES {
                break;
            }
        }
        if whole && (2..=CLASSES).contains(&different.len()) && values.len() > 2 * CLASSES {
            told.push(format!(
                "The target has {} different whole numbers: `--classes`, if these are classes.",
                different.len()
            ));
        } else if whole && values.iter().all(|y| *y >= 0.0) && values.len() > 2 * CLASSES {
            told.push(
                "The targets are whole numbers: if they are counts, `--model glm:poisson`."
                    .to_owned(),
            );
        }
    }
    if outcome.held_out.is_some() && args.run.valid.is_none() && outcome.source.spec == Spec::Linear
    {
        told.push("`--valid 0` fits the model to all rows.".to_owned());
    }
    match &args.out {
        Some(path) => {
            let path = quoted(&path.display().to_string());
            told.push(format!("`secant predict {path} NEW.csv` applies the model."));
        }
        None => told.push("`--out model.safetensors` keeps the model, `--report fit.html` a report with pictures.".to_owned()),
    }
    told
}
