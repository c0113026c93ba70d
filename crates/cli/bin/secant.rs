//! The command `secant`; all of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(secant_cli::run(std::env::args_os()))
}
