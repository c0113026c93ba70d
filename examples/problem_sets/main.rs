//! How good are the methods on the published test problems? Known answers, hard starts, digits counted.
//!
//! `cargo run --release --example problem_sets -- nist PATH [--json]`: the nonlinear regression problems of the NIST
//! Statistical Reference Datasets (<https://www.itl.nist.gov/div898/strd/>), PATH the folder with their files; both
//! starts of every problem, Levenberg–Marquardt with its defaults, digits against the certified parameters.

mod models;
mod nist;
mod row;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let plain: Vec<&str> =
        arguments.iter().filter(|a| !a.starts_with("--")).map(String::as_str).collect();
    let rows = match plain.as_slice() {
        ["nist", path] => nist::run(Path::new(path))?,
        _ => return Err("usage: problem_sets nist PATH [--json]".into()),
    };
    row::print(&rows, json);
    Ok(())
}
