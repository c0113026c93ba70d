//! `secant fit` over the ranks of an MPI job. Every rank reads the table as one process would, and so has the same columns and rows; of these it
//! keeps what it fits. Rank 0, which tells and writes, keeps the others too: scores and errors are those of all rows.

use super::{Outcome, Ready, described, method, writable_places};
use crate::args::FitArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::models::{self, Judge, Spec, Strength};
use crate::screen::Screen;
use secant::optim::checkpoint::previous;
use secant_mpi::{Fault, MpiError, Ranks, Shared};
use std::fs::File;
use std::path::Path;

pub fn run(args: &FitArgs, screen: &Screen, ranks: &Ranks) -> Result<Exit, Failure> {
    let (ready, method) = agreed(ranks, || {
        let spec = Spec::read(&args.model.model)?;
        refuse(args, &spec)?;
        if ranks.is_first() {
            writable_places(args)?;
        }
        if let Some(path) = &args.resume {
            readable(path)?;
        }
        let ready = Ready::read(args, spec)?;
        let method = method(args, &ready.source, &ready.built)?;
        Ok((ready, method))
    })?;
    let Ready { source, held_out, built } = ready;
    let graph = built.network.graph().map_err(|error| Failure::new(error.to_string()))?;
    let shared = Shared::of_all(ranks, graph, source.training())?;
    held_out.as_ref().map_or(Ok(()), |rows| ranks.same_samples(rows))?;
    source.tell(screen);
    let spec = source.spec.clone();
    // The others have no more use for it.
    let source = ranks.is_first().then_some(source);
    let rows = (shared.data(), held_out.as_ref());
    let fit = described(args, (&spec, &built), rows, method, screen)?;
    let fitted = fit.run_across(&shared.across(ranks))?;
    let Some(source) = &source else { return Ok(Exit::of(fitted.report().reason)) };
    let held_out = held_out.as_ref();
    Outcome { args, source, held_out, built: &built, fitted: &fitted, chosen: None }.tell(screen)
}

/// Does the same on all ranks: done on all of them, or refused on all for what the first of them says that cannot do it.
fn agreed<T>(ranks: &Ranks, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut own = None;
    let done = ranks.together("the table", || {
        work().map_err(|failure| {
            let advice = failure.advice.as_ref().map(|advice| format!(" (try: {advice})"));
            let words = format!("{}{}", failure.what, advice.unwrap_or_default());
            own = Some(failure);
            words
        })
    });
    done.map_err(|fault| match (fault.rank, own) {
        // Most likely it is that of all.
        (0, Some(own)) => own,
        _ => fault.into(),
    })
}

/// What the ranks do not do.
fn refuse(args: &FitArgs, spec: &Spec) -> Result<(), Failure> {
    let alone = "the same without `mpirun`";
    let other = "`--model linear`, `mlp:…` or `file:…`; or the same without `mpirun`";
    let is_input = |path: &Path| path == Path::new("-");
    let valid = args.run.valid.as_deref().is_some_and(|text| text == "-");
    let is_auto = models::ridge(args.model.ridge.as_deref())? == Strength::Auto;
    let is_robust = matches!(models::loss(args.model.loss.as_deref())?, Judge::Rho(_));
    let asked = [
        ("--model formula", matches!(spec, Spec::Formula(_)), other),
        ("--model glm", matches!(spec, Spec::Glm(..)), other),
        ("--ridge auto", is_auto, "`--ridge` with a number, or the same without `mpirun`"),
        ("--loss with an estimated scale", is_robust, "another loss, or the same without `mpirun`"),
        ("--starts", args.run.starts > 1, alone),
        ("--offset", args.columns.offset.is_some(), alone),
        ("standard input", is_input(&args.data) || valid, "a file that all ranks can read"),
    ];
    let asked = asked.into_iter().find(|(_, asked, _)| *asked);
    asked.map_or(Ok(()), |(option, _, advice)| {
        Err(Failure::advised(format!("{option}: not over several ranks of MPI"), advice))
    })
}

/// The checkpoint, or the one before it: a rank without would let the others wait.
fn readable(path: &Path) -> Result<(), Failure> {
    match File::open(path).or_else(|error| File::open(previous(path)).map_err(|_| error)) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::file(path, &error)),
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::new(fault.to_string())
    }
}

impl From<MpiError> for Failure {
    fn from(error: MpiError) -> Self {
        Self::new(error.to_string())
    }
}
