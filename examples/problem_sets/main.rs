//! How good are the methods on the published test problems? Known answers, hard starts, digits counted.
//!
//! `cargo run --release --example problem_sets -- nist PATH [--json]`: the nonlinear regression problems of the NIST
//! Statistical Reference Datasets (<https://www.itl.nist.gov/div898/strd/>), PATH the folder with their files; both
//! starts of every problem, Levenberg–Marquardt with its defaults, digits against the certified parameters.
//!
//! `cargo run --release --example problem_sets -- nist-differences PATH [--json]`: the same from residuals alone, J by differences.
//!
//! `cargo run --release --example problem_sets -- nist-linear PATH [--json]`: the linear ones, by QR and with certified digits.
//!
//! `cargo run --release --example problem_sets -- mgh PATH [--json]`: the problems of Moré, Garbow & Hillstrom (1981), PATH
//! being `mgh.toml` or its folder; from x₀, 10·x₀ and 100·x₀ by trust regions, Newton, BFGS and L-BFGS.
//!
//! `cargo run --release --example problem_sets -- claims PATH [ONLY] [--json]`: does a report say "converged" only where it is? PATH holds
//! `nist-strd`; every method that sees curvature, with its defaults, on NIST's, Moré's and the shipped problems, or those with ONLY in the name.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod claims;
#[cfg(test)]
mod formulas;
mod mgh;
mod models;
mod nist;
mod nist_linear;
mod row;

use std::error::Error;
use std::path::Path;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "problem_sets",
    answers: "How good are the methods on the published test problems? Known answers, hard starts, digits counted.",
    takes: &[
        ("WHAT", "nist, nist-differences, nist-linear, mgh or claims"),
        (
            "PATH",
            "the folder with NIST's files; mgh.toml or its folder; claims: the folder that holds nist-strd",
        ),
        ("ONLY", "claims: problems with this in the name"),
    ],
    options: &[JSON],
    output: "nist, nist-differences, nist-linear: digits of every problem; mgh: which minimum, at what cost, and out/mgh_profile.svg; claims: the false ones, \
             with --json all, and sums per method",
    data: "NIST's .dat files from https://www.itl.nist.gov/div898/strd/ (some ship in data/nist); mgh.toml: starts, f and minima of the \
           problems of Moré, Garbow & Hillstrom (1981), ACM TOMS 7(1)",
};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    let json = args.json();
    let plain: Vec<&str> = args.free().iter().map(String::as_str).collect();
    match plain.as_slice() {
        ["nist", path] => row::print(&nist::run(Path::new(path))?, json),
        ["nist-differences", path] => {
            row::print(&nist::run_by_differences(Path::new(path))?, json);
        }
        ["nist-linear", path] => row::print(&nist_linear::run(Path::new(path))?, json),
        ["claims", path] => claims::run(Path::new(path), json, None)?,
        ["claims", path, only] => claims::run(Path::new(path), json, Some(only))?,
        ["mgh", path] => mgh::run(Path::new(path), json)?,
        _ => args.refuse("which problems, and where are their files?"),
    }
    Ok(())
}
