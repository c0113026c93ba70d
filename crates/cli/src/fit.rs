//! `secant fit`.

#[cfg(feature = "mpi")]
pub mod across;
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
use secant::{Dataset, Every, Fit, Fitted, Folds, Method, Tune};
use std::path::Path;

/// Part of the rows that is held out.
const HELD_OUT: f64 = 0.2;
/// With fewer rows none are.
const FEWEST: usize = 10;
/// Folds by which a strength is chosen.
const FOLDS: usize = 5;

/// What is known when the table is read.
pub struct Ready {
    pub source: Source,
    pub held_out: Option<Dataset>,
    pub built: Built,
}

/// The table, as far as it is told of.
pub struct Source {
    pub spec: Spec,
    pub read: Read,
    pub encoded: Encoded,
    /// The rows that are fitted, where these are not all.
    drawn: Option<Dataset>,
    /// What was read, in words.
    pub sentences: Vec<String>,
}

impl Source {
    /// The rows that are fitted.
    pub fn training(&self) -> &Dataset {
        self.drawn.as_ref().unwrap_or(&self.encoded.data)
    }

    fn tell(&self, screen: &Screen) {
        screen.heading("Data");
        screen.sentences(&self.sentences);
    }
}

/// All of a finished fit.
pub struct Outcome<'a> {
    pub args: &'a FitArgs,
    pub source: &'a Source,
    pub held_out: Option<&'a Dataset>,
    pub built: &'a Built,
    pub fitted: &'a Fitted,
    /// The strength that cross-validation chose, in words.
    pub chosen: Option<String>,
}

pub fn run(args: &FitArgs, screen: &Screen) -> Result<Exit, Failure> {
    let spec = Spec::read(&args.model.model)?;
    writable_places(args)?;
    match &spec {
        Spec::Formula(formula) => return curve::of_fit(args, formula, screen),
        Spec::Glm(family, estimates) => {
            return glm::run(args, *family, *estimates, screen);
        }
        _ => {}
    }
    let Ready { source, held_out, built } = Ready::read(args, spec)?;
    source.tell(screen);
    let method = method(args, &source, &built)?;
    let rows = (source.training(), held_out.as_ref());
    let fit = described(args, (&source.spec, &built), rows, method, screen)?;
    let (fitted, chosen) = match built.strength {
        Strength::Auto => tuned(args, &fit)?,
        _ => (fit.run()?, None),
    };
    let held_out = held_out.as_ref();
    Outcome { args, source: &source, held_out, built: &built, fitted: &fitted, chosen }.tell(screen)
}

/// Tries the places of all files.
fn writable_places(args: &FitArgs) -> Result<(), Failure> {
    [&args.out, &args.report, &args.checkpoint].into_iter().flatten().try_for_each(|p| writable(p))
}

impl Ready {
    /// Reads the table; what the model has no options for is refused.
    fn read(args: &FitArgs, spec: Spec) -> Result<Self, Failure> {
        refuse_of_others(args)?;
        let valid = Valid::read(args.run.valid.as_deref())?;
        let table = args.table.read(&args.data)?;
        let read = Read::of(&table);
        let mut roles = args.columns.roles(&args.table);
        // Rows that judge have no part in what fills gaps.
        roles.filled_from = valid.part(read.rows).map(|held_out| (1.0 - held_out, args.run.seed));
        let encoded = table.into_dataset(&roles)?;
        let Parts { drawn, held_out, note } = part(args, &valid, &encoded)?;
        let mut sentences = tables::sentences(&read, &encoded);
        sentences.extend(note);
        let source = Source { spec, read, encoded, drawn, sentences };
        let built = models::build(&source.spec, &args.model, source.training())?;
        Ok(Self { source, held_out, built })
    }
}

/// `--method` with what it is to heed.
fn method(args: &FitArgs, source: &Source, built: &Built) -> Result<Method, Failure> {
    let graph = built.network.graph().map_err(|error| Failure::new(error.to_string()))?;
    let name = args.run.method.as_deref();
    let method = match (args.model.l1, args.formula.bounds.is_empty()) {
        (Some(_), false) => {
            return Err(Failure::new("--l1 and --bounds: no method takes both"));
        }
        (Some(lambda), true) => methods::with_l1(name, models::l1(lambda, graph))?,
        (None, false) => {
            let standardize = models::standardize(args.model.standardize);
            let (formula, data) = (&args.formula, source.training());
            let bounds = models::bounds(formula, &source.spec, data, graph, standardize)?;
            methods::within(name, bounds)?
        }
        (None, true) => name.map_or_else(|| Ok(Method::auto()), methods::by_name)?,
    };
    Ok(args.run.limits.on(method))
}

/// The fit to rows, judged by those held out.
fn described<'a>(
    args: &FitArgs,
    (spec, built): (&Spec, &'a Built),
    (training, held_out): (&'a Dataset, Option<&'a Dataset>),
    method: Method,
    screen: &Screen,
) -> Result<Fit<'a>, Failure> {
    let run = &args.run;
    let interrupt = interrupt::on_signals()?;
    let mut fit = secant::fit(&built.network, training)
        .shared_penalty(built.penalty.clone())
        .standardize(models::standardize(args.model.standardize))
        .seed(run.seed)
        .starts(usize::from(run.starts))
        .interrupt(&interrupt)
        .method(method);
    fit = match &built.judge {
        Judge::Default => fit,
        Judge::Loss(loss) => fit.shared_loss(loss.clone()),
        Judge::Rho(rho) => fit.robust(*rho),
    };
    // Of a strength by cross-validation there are a hundred fits, in which folds judge.
    if built.strength == Strength::Auto {
        return Ok(fit);
    }
    if screen.shows_progress() {
        fit = fit.progress();
    }
    if let Some(path) = &args.checkpoint {
        fit = fit.checkpoint(path, Every::Seconds(args.every.as_secs_f64()));
    }
    if let Some(path) = &args.resume {
        fit = fit.resume(path);
    }
    // The minimum of a convex model is what is asked for; of a network the iterate that predicts best.
    if let Some(held_out) = held_out.filter(|_| *spec != Spec::Linear) {
        fit = fit.validation(held_out);
    }
    if let Some(patience) = run.patience {
        fit = fit.patience(patience);
    }
    Ok(fit)
}

/// `--ridge auto`, and the strength in words.
fn tuned(args: &FitArgs, fit: &Fit<'_>) -> Result<(Fitted, Option<String>), Failure> {
    if args.checkpoint.is_some() || args.resume.is_some() {
        return Err(Failure::new("--ridge auto is many fits, which have no checkpoint"));
    }
    if args.run.patience.is_some() {
        return Err(Failure::new("--patience: with `--ridge auto` folds judge"));
    }
    let tuned = fit.tune(&Tune::default(), &Folds::k(FOLDS).seed(args.run.seed))?;
    let edge = if tuned.is_at_edge() { ", the end of what was tried" } else { "" };
    let (strength, criterion, count) = (tuned.strength(), tuned.criterion, tuned.path.len());
    let words = format!(
        "Ridge {strength:.3e}, by {criterion} in {FOLDS} folds, of {count} strengths{edge}."
    );
    Ok((tuned.fitted, Some(words)))
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

/// What becomes of the rows.
struct Parts {
    /// Those that are fitted, where these are not all.
    drawn: Option<Dataset>,
    held_out: Option<Dataset>,
    /// In words.
    note: Option<String>,
}

fn part(args: &FitArgs, valid: &Valid<'_>, encoded: &Encoded) -> Result<Parts, Failure> {
    let data = &encoded.data;
    let all = |note: Option<String>| Parts { drawn: None, held_out: None, note };
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
    Ok(Parts { drawn: Some(training), held_out: Some(held_out), note: Some(note) })
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
