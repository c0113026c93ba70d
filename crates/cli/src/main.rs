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
mod screen;
mod tables;
mod told;

use args::{Cli, Command};
use clap::Parser;
use exit::Exit;
use screen::Screen;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A wrong command line ends here, with 2.
    let cli = Cli::parse();
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
            pages::completions(args);
            Ok(Exit::Done)
        }
        Command::Man(args) => pages::man(args),
    });
    match done {
        Ok(exit) => exit.code(),
        Err(failure) => {
            screen.failure(&failure);
            Exit::Refused.code()
        }
    }
}
