//! `secant`: from a table to a fitted, saved, explained model, without a line of Rust.

mod args;
mod check;
mod compare;
mod curve;
mod describe;
mod exit;
mod failure;
mod fit;
mod interrupt;
mod lists;
mod methods;
mod models;
mod one_step;
mod pages;
mod predict;
#[cfg(feature = "mpi")]
mod ranks;
mod screen;
mod tables;
mod told;

use args::{Cli, Command};
use clap::Parser;
use exit::Exit;
use screen::Screen;
use std::ffi::OsString;
#[cfg(feature = "mpi")]
use std::ops::ControlFlow;

/// Runs the command line `arguments`, the first of which is the command's own name, and says with which status the process is to end.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    #[cfg(feature = "mpi")]
    let arguments = match ranks::run(arguments.into_iter().collect()) {
        ControlFlow::Break(status) => return status,
        ControlFlow::Continue(arguments) => arguments,
    };
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        // Help and the version are answers, what is left is a wrong command line.
        Err(answer) => {
            // A reader that has gone is no one to tell of it.
            let _ = answer.print();
            return status_of(&answer);
        }
    };
    let screen = Screen::new(&cli.output);
    let done = cli.output.threads().and_then(|()| match &cli.command {
        Command::Fit(args) => fit::run(args, &screen),
        Command::Predict(args) => predict::run(args, &screen),
        Command::Curve(args) => curve::run(args, &screen),
        Command::Compare(args) => compare::run(args, &screen),
        Command::Check(args) => check::run(args, &screen),
        Command::Describe(args) => describe::run(args, &screen),
        Command::OneStep(args) => one_step::run(args, &screen),
        Command::Completions(args) => {
            pages::completions(args, &screen);
            Ok(Exit::Done)
        }
        Command::Man(args) => pages::man(args, &screen),
    });
    match done {
        Ok(exit) => screen.end(exit).number(),
        Err(failure) => {
            screen.failure(&failure);
            Exit::Refused.number()
        }
    }
}

/// The status of what is answered in place of a command.
fn status_of(answer: &clap::Error) -> u8 {
    if answer.use_stderr() { Exit::Refused.number() } else { Exit::Done.number() }
}
