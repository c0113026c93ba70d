//! A table that no rank could hold, as one CSV file.

use crate::{Failure, line};
use secant_core::data::{CsvOptions, Dataset};
use secant_core::loss::SquaredError;
use secant_core::network::Network;
use secant_core::penalty::Ridge;
use secant_core::problem::Curvature;
use secant_core::random::hashed;
use secant_core::risk::Risk;
use secant_mpi::{Distributed, Ranks, Shared};
use secant_optim::{Lbfgs, Solution, Stopping, minimize};
use std::fs::File;
use std::io::{BufWriter, Write};

pub const FEATURES: usize = 15;
/// A row of so many has a text with a line end in it.
const QUOTED: u64 = 1_000;
const ITERATIONS: u64 = 10;

/// Writes rows until the file has `bytes` bytes. Prints the KiB of their numbers as `f64`.
pub fn write(path: &str, bytes: u64) -> Result<(), Failure> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let names: Vec<String> = (1..=FEATURES).map(|index| format!("x{index}")).collect();
    let mut row = format!("{},note,target\n", names.join(",")).into_bytes();
    let (mut written, mut rows) = (0, 0);
    while written < bytes {
        file.write_all(&row)?;
        written += row.len() as u64;
        row.clear();
        let (digits, target) = numbers(rows);
        for digits in digits {
            write!(row, "0.{digits:04},")?;
        }
        if rows % QUOTED == 0 {
            write!(row, "\"row {rows}\nsays \"\"1,2,3\"\"\"")?;
        }
        writeln!(row, ",{target:.4}")?;
        rows += 1;
    }
    file.flush()?;
    println!("{}", (rows - 1) * (FEATURES as u64 + 1) * 8 / 1024);
    Ok(())
}

/// Four digits for each feature, and the target.
fn numbers(row: u64) -> ([u64; FEATURES], f64) {
    let digits: [u64; FEATURES] =
        std::array::from_fn(|feature| hashed(hashed(5, row), feature as u64) % 10_000);
    let parts = digits.iter().enumerate().map(|(feature, d)| (feature as f64 - 7.0) * *d as f64);
    let sum: f64 = parts.sum();
    (digits, 1e-4 * sum + 0.1 * (sum * 1e-3).sin())
}

/// Rows that no table has, with targets so small that a fit soon leaves their least loss behind.
pub fn held_out(rows: u64) -> Result<Dataset, Failure> {
    let all = (0..rows).map(|row| numbers(u64::MAX - row));
    let (x, y): (Vec<_>, Vec<_>) =
        all.map(|(digits, target)| (digits.map(|d| 1e-4 * d as f64), 0.5 * target)).unzip();
    Ok(Dataset::from_slices(FEATURES, x.as_flattened(), 1, &y)?)
}

/// L-BFGS on a linear model, each rank with its bytes of the file; `plain` in one process without MPI.
pub fn fit(path: &str, plain: bool) -> Result<(), Failure> {
    let network = Network::linear(FEATURES, 1);
    let options = options();
    if plain {
        let data = Dataset::from_csv_with(path, &options)?;
        let risk = Risk::new(network.graph()?, &data, SquaredError, Ridge(1e-4))?;
        println!("{}", line("CSV", &solved(&risk, &network)?));
        return Ok(());
    }
    let ranks = Ranks::initialize()?;
    ranks.guard(|ranks| {
        let shared = Shared::from_csv(ranks, network.graph()?, path, &options)?;
        let risk = Distributed::new(ranks, network.graph()?, &shared, SquaredError, Ridge(1e-4))?;
        let solution = solved(&risk, &network)?;
        risk.verdict_of(&solution)?;
        if shared.data().feature_names()[FEATURES - 1] != format!("x{FEATURES}") {
            return Err("the columns are not named as in the file".into());
        }
        if ranks.is_first() {
            println!("{}", line("CSV", &solution));
        }
        eprintln!(
            "rank {}: {} samples, {} KiB of address space, {} KiB of memory",
            ranks.rank(),
            shared.samples_of(ranks.rank()).len(),
            most("VmPeak")?,
            most("VmHWM")?
        );
        Ok(())
    });
    Ok(())
}

/// How the file is read.
pub fn options() -> CsvOptions {
    let ignored = vec!["note".to_owned()];
    CsvOptions { ignored, max_bytes: 1 << 40, ..CsvOptions::default() }
}

fn solved<P: Curvature>(risk: &P, network: &Network) -> Result<Solution, Failure> {
    let stopping = Stopping { max_iterations: ITERATIONS, ..Stopping::default() };
    Ok(minimize(risk, Lbfgs::default().with_stopping(stopping), &network.draw(7)?)?)
}

/// What Linux says this process had at most.
fn most(what: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no such entry in /proc/self/status")?.parse()?)
}
