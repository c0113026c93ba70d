//! `secant fit`.

mod advice;
mod glm;
mod outcome;

use crate::args::FitArgs;
use crate::curve;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::methods;
use crate::models::{self, Built, Judge, Spec, Strength};
use crate::screen::Screen;
use crate::tables::{self, Read};
use crate::told::writable;
use secant::core::data::Encoded;
use secant::{Dataset, Every, Fitted, Folds, Method, Tune};
use std::borrow::Cow;
use std::path::Path;

/// Part of the rows that is held out.
const HELD_OUT: f64 = 0.2;
/// With fewer rows none are.
const FEWEST: usize = 10;
/// Folds by which a strength is chosen.
const FOLDS: usize = 5;

/// Rows to fit and rows to judge by.
pub struct Parts<'a> {
    pub training: Cow<'a, Dataset>,
    pub held_out: Option<Dataset>,
    /// In words.
    pub note: Option<String>,
}

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

pub fn run(args: &FitArgs, screen: &Screen) -> Result<Exit, Failure> {
    let spec = Spec::read(&args.model.model)?;
    for path in [&args.out, &args.report, &args.checkpoint].into_iter().flatten() {
        writable(path)?;
    }
    match &spec {
        Spec::Formula(formula) => return curve::of_fit(args, formula, screen),
        Spec::Glm(family, estimates) => {
            return glm::run(args, *family, *estimates, screen);
        }
        _ => refuse_of_others(args)?,
    }
    let valid = Valid::read(args.run.valid.as_deref())?;
    let table = args.table.read(&args.data)?;
    let read = Read::of(&table);
    let mut roles = args.columns.roles(&args.table);
    // Rows that judge have no part in what fills gaps.
    roles.filled_from = valid.part(read.rows).map(|held_out| (1.0 - held_out, args.run.seed));
    let encoded = table.into_dataset(&roles)?;
    let parts = part(args, &valid, &encoded)?;
    let built = models::build(&spec, &args.model, &parts.training)?;
    let mut sentences = tables::sentences(&read, &encoded);
    sentences.extend(parts.note.clone());
    screen.heading("Data");
    screen.sentences(&sentences);

    let (fitted, chosen) = fit(args, &spec, &built, &parts, screen)?;
    let outcome = Outcome {
        args,
        spec: &spec,
        read: &read,
        encoded: &encoded,
        parts: &parts,
        built: &built,
        fitted: &fitted,
        chosen,
        sentences,
    };
    outcome.tell(screen)
}

/// Runs it; with the strength that cross-validation chose.
fn fit(
    args: &FitArgs,
    spec: &Spec,
    built: &Built,
    parts: &Parts<'_>,
    screen: &Screen,
) -> Result<(Fitted, Option<String>), Failure> {
    let graph = built.network.graph().map_err(|error| Failure::new(error.to_string()))?;
    let run = &args.run;
    let standardize = models::standardize(args.model.standardize);
    let name = run.method.as_deref();
    let method: Method = match (args.model.l1, args.formula.bounds.is_empty()) {
        (Some(_), false) => {
            return Err(Failure::new("--l1 and --bounds: no method takes both"));
        }
        (Some(lambda), true) => methods::with_l1(name, models::l1(lambda, graph))?,
        (None, false) => methods::within(
            name,
            models::bounds(&args.formula, spec, &parts.training, graph, standardize)?,
        )?,
        (None, true) => name.map_or_else(|| Ok(Method::auto()), methods::by_name)?,
    };
    let interrupt = interrupt::on_signals()?;
    let mut fit = secant::fit(&built.network, &parts.training)
        .shared_penalty(built.penalty.clone())
        .standardize(standardize)
        .seed(run.seed)
        .starts(usize::from(run.starts))
        .interrupt(&interrupt)
        .method(run.limits.on(method));
    fit = match &built.judge {
        Judge::Default => fit,
        Judge::Loss(loss) => fit.shared_loss(loss.clone()),
        Judge::Rho(rho) => fit.robust(*rho),
    };
    // Of a strength by cross-validation there are a hundred fits.
    if screen.shows_progress() && built.strength != Strength::Auto {
        fit = fit.progress();
    }
    if let Some(path) = &args.checkpoint {
        fit = fit.checkpoint(path, Every::Seconds(args.every.as_secs_f64()));
    }
    if let Some(path) = &args.resume {
        fit = fit.resume(path);
    }
    if built.strength == Strength::Auto {
        if args.checkpoint.is_some() || args.resume.is_some() {
            return Err(Failure::new("--ridge auto is many fits, which have no checkpoint"));
        }
        if run.patience.is_some() {
            return Err(Failure::new("--patience: with `--ridge auto` folds judge"));
        }
        let tuned = fit.tune(&Tune::default(), &Folds::k(FOLDS).seed(run.seed))?;
        let edge = if tuned.is_at_edge() { ", the end of what was tried" } else { "" };
        let (strength, criterion, count) = (tuned.strength(), tuned.criterion, tuned.path.len());
        let words = format!(
            "Ridge {strength:.3e}, by {criterion} in {FOLDS} folds, of {count} strengths{edge}."
        );
        return Ok((tuned.fitted, Some(words)));
    }
    // The minimum of a convex model is what is asked for; of a network the iterate that predicts best.
    if let Some(held_out) = parts.held_out.as_ref().filter(|_| *spec != Spec::Linear) {
        fit = fit.validation(held_out);
    }
    if let Some(patience) = run.patience {
        fit = fit.patience(patience);
    }
    Ok((fit.run()?, None))
}

/// Options of formulas and generalised linear models.
fn refuse_of_others(args: &FitArgs) -> Result<(), Failure> {
    let formula = &args.formula;
    let given = [
        ("--start", !formula.start.is_empty()),
        ("--fix", !formula.fix.is_empty()),
        ("--tie", !formula.tie.is_empty()),
        ("--sigma", formula.sigma.is_some()),
    ];
    if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
        return Err(Failure::advised(format!("{option} is of formulas"), "`--model formula:…`"));
    }
    let given = [("--link", args.link.is_some()), ("--exposure", args.exposure.is_some())];
    if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
        let words = format!("{option} is of generalised linear models");
        return Err(Failure::advised(words, "`--model glm:…`"));
    }
    Ok(())
}

/// `--valid`.
enum Valid<'a> {
    /// Not said.
    Unasked,
    Nothing,
    Part(f64),
    File(&'a Path),
}

impl<'a> Valid<'a> {
    fn read(text: Option<&'a str>) -> Result<Self, Failure> {
        let Some(text) = text else { return Ok(Self::Unasked) };
        match text.parse::<f64>() {
            Ok(0.0) => Ok(Self::Nothing),
            Ok(part) if part > 0.0 && part < 1.0 => Ok(Self::Part(part)),
            Ok(part) => Err(Failure::new(format!(
                "--valid {part}: expected a part of the rows between 0 and 1, or a file"
            ))),
            Err(_) => Ok(Self::File(Path::new(text))),
        }
    }

    /// The part of so many rows that is held out.
    fn part(&self, rows: usize) -> Option<f64> {
        match self {
            Self::Unasked => (rows >= FEWEST).then_some(HELD_OUT),
            Self::Part(part) => Some(*part),
            Self::Nothing | Self::File(_) => None,
        }
    }
}

fn part<'a>(args: &FitArgs, valid: &Valid<'_>, encoded: &'a Encoded) -> Result<Parts<'a>, Failure> {
    let data = &encoded.data;
    let all = |note: Option<String>| Parts { training: Cow::Borrowed(data), held_out: None, note };
    let Some(fraction) = valid.part(data.samples()) else {
        return match valid {
            Valid::File(path) => of_file(args, encoded, path)
                .map(|(held_out, note)| Parts { held_out: Some(held_out), ..all(Some(note)) }),
            Valid::Unasked => Ok(all(Some(format!("Fewer than {FEWEST} rows: none held out.")))),
            Valid::Nothing | Valid::Part(_) => Ok(all(None)),
        };
    };
    let split = data.split(1.0 - fraction, args.run.seed);
    let (training, held_out) = split.map_err(|_| {
        let rows = data.samples();
        let words = format!("--valid {fraction}: no row of {rows} would be left on one side");
        Failure::advised(words, "`--valid 0` fits the model to all rows")
    })?;
    let (count, of) = (tables::grouped(held_out.samples()), tables::grouped(data.samples()));
    let note = format!("{count} of {of} rows held out, drawn by seed {}.", args.run.seed);
    Ok(Parts { training: Cow::Owned(training), held_out: Some(held_out), note: Some(note) })
}

fn of_file(args: &FitArgs, encoded: &Encoded, path: &Path) -> Result<(Dataset, String), Failure> {
    let table = args.table.read(path)?;
    let encoding = encoded.data.encoding().cloned();
    let encoding = encoding.ok_or_else(|| Failure::new("the table has no encoding"))?;
    let held_out = encoding.dataset(table)?.data;
    let note =
        format!("{} rows of {} held out.", held_out.samples(), secant::core::text::path(path));
    Ok((held_out, note))
}
