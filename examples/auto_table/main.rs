//! Does `Method::auto()` choose well? On every set at hand: its time and minimum beside those of every sensible single method.
//!
//! `cargo run --release --example auto_table -- FOLDER [--json] [--all] [--only NAME] [--half tune|report]`
//!
//! FOLDER (or `SECANT_DATA`) holds the public data sets: linear models of the regression tables with a ridge penalty, softmax and logistic
//! regression of the classification tables, the same with 5,000 to 20,000 parameters, on sparse inputs and on 20 to 200 rows, networks
//! of all these sizes, the nonlinear problems of NIST; those of Moré, Garbow & Hillstrom and some drawn tables need no file. Sets that take minutes are
//! left out unless `--all`. Every method runs with its defaults from the same start, to the same gradient tolerance. A time is the median of several
//! runs in this process; `ratio` is Auto's over that of the fastest single method that got as low as Auto did; a method is stopped
//! when it has taken twice Auto's time.
//!
//! A data set is in the half `tune` or `report` by its name alone. The constants of the choice are set on the first half; the other tells
//! what they are worth. Below the table: the ratios of both, and where Auto ended higher than others.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;
mod cases;
mod compare;
#[path = "../support/drawn_rows.rs"]
mod drawn_rows;
mod linear;
#[allow(dead_code, reason = "as above")]
#[path = "../problem_sets/models.rs"]
mod models;
mod name;
mod networks;
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
mod summary;
mod tables;

use compare::Table;
use name::Half;
use std::error::Error;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "auto_table",
    answers: "Does `Method::auto()` choose well? Its time and minimum beside those of every sensible single method.",
    takes: &[("FOLDER", "of the public data sets; or the variable SECANT_DATA")],
    options: &[
        JSON,
        ("--all", "", "also the sets that take minutes"),
        ("--only", "NAME", "sets with this in their name"),
        ("--half", "HALF", "tune or report: the half on which the constants are set, or the other"),
    ],
    output: "a line for a problem; for both halves the ratios by kind, and where Auto ended above other methods",
    data: "public data sets under FOLDER: regression/*.csv (UCI), classification/*.csv and a9a, w8a as .libsvm.gz \
           (https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/), images/ (MNIST, Fashion-MNIST), nist-strd/ \
           (https://www.itl.nist.gov/div898/strd/), reference-*.csv; a set alone: --only",
};

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read(&ABOUT);
    let folder = args.data_folder(args.free().first().map(String::as_str));
    let (json, all) = (args.json(), args.has("--all"));
    let only = args.value("--only").map(str::to_owned);
    let half = args.value("--half").map(|word| {
        Half::named(word).unwrap_or_else(|| args.refuse(&format!("--half {word}: tune or report")))
    });
    let mut table = Table::new(json, only, half);
    cases::regression_and_classification(&folder, all, &mut table)?;
    linear::large(&folder, &mut table)?;
    linear::sparse(&folder, &mut table)?;
    linear::small(&folder, &mut table)?;
    networks::networks(&folder, &mut table)?;
    cases::nist(&folder, &mut table)?;
    cases::mgh(&mut table)?;
    table.summary();
    Ok(())
}
