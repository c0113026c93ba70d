//! The command `secant` with its feature `mpi`, as `cargo build -p secant-cli --features mpi` makes it: for `tests/command.sh`, out of the libraries that
//! the other tests have built.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(secant_cli::run(std::env::args_os()))
}
