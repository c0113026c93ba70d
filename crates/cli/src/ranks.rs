//! The command in several processes at once, which `mpirun` began: rank 0 talks and writes for all.

use crate::args::{Cli, Color, Command};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fit;
use crate::screen::Screen;
use crate::status_of;
use clap::Parser;
use secant_mpi::Ranks;
use std::ffi::OsString;
use std::ops::ControlFlow;

/// Runs the command line where this process is one of several ranks, and gives it back where it is none.
pub fn run(arguments: Vec<OsString>) -> ControlFlow<u8, Vec<OsString>> {
    let begun = Ranks::launched().then(Ranks::initialize);
    let Some(Ok(ranks)) = begun else { return ControlFlow::Continue(arguments) };
    if ranks.size() == 1 {
        return ControlFlow::Continue(arguments);
    }
    let (status, fault) = ranks.guard(|ranks| Ok(command(ranks, arguments)));
    ControlFlow::Break(ranks.end(status, fault.as_deref()))
}

/// The status to end with, and why that is so early.
fn command(ranks: &Ranks, arguments: Vec<OsString>) -> (u8, Option<String>) {
    let mut cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(answer) => {
            if ranks.is_first() {
                let _ = answer.print();
            }
            return (status_of(&answer), Some("another command line than rank 0".to_owned()));
        }
    };
    // Asked by all, also where only some have the variable.
    let share = ranks.threads().ok().filter(|_| std::env::var_os("RAYON_NUM_THREADS").is_none());
    cli.output.threads = cli.output.threads.or(share);
    // `mpirun` gives rank 0 a terminal, whatever becomes of what is printed there.
    if cli.output.color == Color::Auto {
        cli.output.color = Color::Never;
    }
    let screen = Screen::new(&cli.output);
    let screen = if ranks.is_first() { screen } else { screen.mute() };
    let done = cli.output.threads().and_then(|()| match &cli.command {
        Command::Fit(args) => fit::across::run(args, &screen, ranks),
        _ => Err(Failure::advised(
            "of the commands `fit` alone runs over several ranks of MPI",
            "the same without `mpirun`",
        )),
    });
    match done {
        Ok(exit) => (screen.end(exit).number(), None),
        Err(failure) => {
            screen.failure(&failure);
            (Exit::Refused.number(), Some(failure.what))
        }
    }
}
