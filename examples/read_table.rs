//! How fast is a table read, and in how much memory?
//!
//! Reads a file as `secant::data::Table::read` does, three times; the fastest counts. The memory is the most that was allocated, in tables.
//!
//! `cargo run --release --example read_table -- FILE [--json]`

#[macro_use]
#[path = "support/mod.rs"]
mod support;

use peak_alloc::PeakAlloc;
use secant::data::{ColumnKind, DataError, Table, TableOptions};
use std::time::Instant;
use support::{About, Args, JSON};

const ABOUT: About = About {
    name: "read_table",
    answers: "How fast is a table read, and in how much memory?",
    takes: &[("FILE", "CSV, .npy, …; data/concrete.csv unless another is named")],
    options: &[JSON],
    output: "rows, columns by kind, seconds, the memory beside the table's numbers, what was found out",
    data: "",
};

/// Readings, of which the fastest counts.
const ROUNDS: usize = 3;
const MIB: f64 = (1 << 20) as f64;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

fn main() -> Result<(), DataError> {
    let args = Args::read(&ABOUT);
    let file = args.free().first().map_or_else(|| support::shipped("concrete.csv"), Into::into);
    let options = TableOptions { max_bytes: u64::MAX, ..TableOptions::default() };
    let mut seconds = f64::INFINITY;
    let mut table = Table::read(&file, &options)?;
    for _ in 0..ROUNDS {
        drop(table);
        ALLOCATED.reset_peak_usage();
        let begun = Instant::now();
        table = Table::read(&file, &options)?;
        seconds = seconds.min(begun.elapsed().as_secs_f64());
    }
    let (rows, columns) = (table.rows(), table.names().len());
    let numbers = (rows * columns * size_of::<f64>()) as f64 / MIB;
    #[expect(clippy::cast_precision_loss, reason = "bytes")]
    let peak = ALLOCATED.peak_usage() as f64 / MIB;
    let texts = |kind: &&ColumnKind| matches!(kind, ColumnKind::Text { .. });
    let texts = table.kinds().iter().filter(texts).count();
    if args.json() {
        println!(
            "{{\"rows\":{rows},\"columns\":{columns},\"threads\":{},\"seconds\":{seconds:.3},\"table_mib\":{numbers:.0},\"peak_mib\":{peak:.0}}}",
            rayon::current_num_threads()
        );
        return Ok(());
    }
    println!("{}: {rows} rows, {columns} columns, {texts} of them texts", file.display());
    println!("{seconds:.3} s on {} threads", rayon::current_num_threads());
    println!("{peak:.1} MiB at most, {:.2} of the table's {numbers:.1} MiB", peak / numbers);
    for note in table.notes() {
        println!("{note}");
    }
    Ok(())
}
