//! Does `Method::auto()` choose well? On every set at hand: its time and minimum beside those of every sensible single method.
//!
//! `cargo run --release --example auto_table -- FOLDER [--json] [--all] [--only NAME]`
//!
//! FOLDER (or `SECANT_DATA`) holds the public data sets: linear models of the regression tables with a ridge penalty, softmax and logistic
//! regression of the classification tables, small networks on some of both, the nonlinear problems of NIST; those of Moré, Garbow &
//! Hillstrom need no file. Sets that take minutes are left out unless `--all`. Every method runs with its defaults from the same start, to the same gradient tolerance. A time is the
//! median of several runs in this process; `ratio` is Auto's over that of the fastest single method that got as low as Auto did.
//! Below the table: the largest ratio, and where Auto ended above the median method.

mod cases;
mod compare;
#[allow(dead_code, reason = "as above")]
#[path = "../problem_sets/models.rs"]
mod models;
#[allow(dead_code, reason = "the rows of `problem_sets` are not printed here")]
#[path = "../problem_sets/nist.rs"]
mod nist;
#[path = "../../crates/optim/tests/it/common/mgh.rs"]
mod problems;
#[allow(dead_code, reason = "as above")]
#[path = "../problem_sets/row.rs"]
mod row;
#[allow(dead_code, reason = "rows of the folder only")]
#[path = "../reference_minima/rows.rs"]
mod rows;

use compare::Table;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut json, mut all, mut only) = (false, false, None);
    let mut folder = std::env::var_os("SECANT_DATA").map(PathBuf::from);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--all" => all = true,
            "--only" => only = Some(arguments.next().ok_or("--only needs part of a name")?),
            flag if flag.starts_with('-') => return Err(format!("unknown option {flag}").into()),
            _ => folder = Some(PathBuf::from(argument)),
        }
    }
    let folder = folder.ok_or("usage: auto_table FOLDER [--json] [--all] [--only NAME]")?;
    let mut table = Table::new(json, only);
    cases::regression_and_classification(&folder, all, &mut table)?;
    cases::networks(&folder, &mut table)?;
    cases::nist(&folder, &mut table)?;
    cases::mgh(&mut table)?;
    table.summary();
    Ok(())
}
