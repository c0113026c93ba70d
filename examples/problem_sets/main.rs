//! How good are the methods on the published test problems? Known answers, hard starts, digits counted.
//!
//! `cargo run --release --example problem_sets -- nist PATH [--json]`: the nonlinear regression problems of the NIST
//! Statistical Reference Datasets (<https://www.itl.nist.gov/div898/strd/>), PATH the folder with their files; both
//! starts of every problem, Levenberg–Marquardt with its defaults, digits against the certified parameters.
//!
//! `cargo run --release --example problem_sets -- nist-linear PATH [--json]`: the linear ones, by QR and with certified digits.
//!
//! `cargo run --release --example problem_sets -- mgh PATH [--json]`: the problems of Moré, Garbow & Hillstrom (1981), PATH
//! being `mgh.toml` or its folder; from x₀, 10·x₀ and 100·x₀ by trust regions, Newton, BFGS and L-BFGS.

mod mgh;
mod models;
mod nist;
mod nist_linear;
mod row;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let plain: Vec<&str> =
        arguments.iter().filter(|a| !a.starts_with("--")).map(String::as_str).collect();
    match plain.as_slice() {
        ["nist", path] => row::print(&nist::run(Path::new(path))?, json),
        ["nist-linear", path] => row::print(&nist_linear::run(Path::new(path))?, json),
        ["mgh", path] => mgh::run(Path::new(path), json)?,
        _ => return Err("usage: problem_sets nist|nist-linear|mgh PATH [--json]".into()),
    }
    Ok(())
}
