//! Can a model be typed in as text, and be fitted as well as one with hand-written derivatives? NIST's nonlinear problems as formulas.
//!
//! `cargo run --release --example formulas`: those that ship in `data/nist`.
//!
//! `cargo run --release --example formulas -- nist PATH [--automatic-starts] [--json]`: all in PATH, the folder with the files of the NIST
//! Statistical Reference Datasets (<https://www.itl.nist.gov/div898/strd/>), from both starts of each: digits of the parameters and of their
//! standard errors against the certified ones. With `--automatic-starts` no start is given at all. The residuals of Lanczos1 are of 1e-13: rounding
//! its table to doubles leaves 3.4 digits of its standard errors (`benches/peers/rounded_data.py`), of which a fit has 3.
//!
//! `cargo run --release --example formulas -- speed [--json]`: values and Jacobian of a formula beside a closure written by hand.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod models;
mod nist;
mod speed;
mod symmetries;

use std::error::Error;
use std::path::{Path, PathBuf};
use support::{About, Args, JSON};

const AUTOMATIC: &str = "--automatic-starts";

const ABOUT: About = About {
    name: "formulas",
    answers: "Can a model be typed in as text, and be fitted as well as one with hand-written derivatives? NIST's nonlinear problems as formulas.",
    takes: &[
        ("WHAT", "nist or speed"),
        ("PATH", "the folder with NIST's files; default data/nist"),
    ],
    options: &[JSON, (AUTOMATIC, "", "give no start: the curve looks for one itself")],
    output: "for every problem and start the correct digits of the worst parameter and of the worst standard error (11 are certified); speed: milliseconds",
    data: "NIST's .dat files from https://www.itl.nist.gov/div898/strd/; some ship in data/nist",
};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    let shipped = || Path::new(env!("CARGO_MANIFEST_DIR")).join("data/nist");
    let plain: Vec<&str> = args.free().iter().map(String::as_str).collect();
    let folder = match plain.as_slice() {
        [] | ["nist"] => shipped(),
        ["nist", path] => PathBuf::from(path),
        ["speed"] => {
            speed::print(&speed::run()?, args.json());
            return Ok(());
        }
        _ => args.refuse("which problems, and where are their files?"),
    };
    let rows = nist::run(&folder, args.has(AUTOMATIC))?;
    nist::print(&rows, args.json());
    Ok(())
}
