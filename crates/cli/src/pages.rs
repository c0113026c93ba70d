//! Completions and man pages, made of the command line itself.

use crate::args::{Cli, CompletionArgs, ManArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen::Screen;
use clap::CommandFactory;

const NAME: &str = "secant";

pub fn completions(args: &CompletionArgs, screen: &Screen) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    screen.print(&script);
}

pub fn man(args: &ManArgs, screen: &Screen) -> Result<Exit, Failure> {
    let command = Cli::command();
    if let Some(folder) = &args.folder {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
        clap_mangen::generate_to(command, folder).map_err(|error| Failure::file(folder, &error))?;
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    let written = clap_mangen::Man::new(command).render(&mut page);
    written.map_err(|error| Failure::new(error.to_string()))?;
    screen.print(&page);
    Ok(Exit::Done)
}
