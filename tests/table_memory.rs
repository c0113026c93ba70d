//! Reading a table holds the table and little more: neither the text of a file nor the bytes of an array.
//!
//! A program of its own, with one test: the peak is that of the process.

use peak_alloc::PeakAlloc;
use secant::Dataset;
use secant::data::{CsvOptions, DataError, Table, TableOptions};
use std::fmt::Write;
use std::fs;
use std::path::Path;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const ROWS: usize = 60_000;
const COLUMNS: usize = 50;
const TABLE: usize = ROWS * COLUMNS * size_of::<f64>();

/// Reads the table within a limit, and looks whether it was one.
fn read_within(path: &Path, max_bytes: u64) -> Result<(), DataError> {
    let options = TableOptions { max_bytes, ..TableOptions::default() };
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let table = Table::read(path, &options)?;
    let held = ALLOCATOR.peak_usage().saturating_sub(before);
    assert_eq!((table.rows(), table.names().len()), (ROWS, COLUMNS));
    assert_eq!(table.column(COLUMNS - 1).nth(ROWS - 1), Some(7.25));
    assert!(held <= usize::try_from(max_bytes).unwrap(), "{held} bytes of {max_bytes}");
    Ok(())
}

/// The same as a data set.
fn dataset_within(path: &Path, max_bytes: u64) -> Result<(), DataError> {
    let last = format!("x{}", COLUMNS - 1);
    let options = CsvOptions { targets: vec![last], max_bytes, ..CsvOptions::default() };
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let data = Dataset::from_csv_with(path, &options)?;
    let held = ALLOCATOR.peak_usage().saturating_sub(before);
    assert_eq!((data.samples(), data.features()), (ROWS, COLUMNS - 1));
    assert_eq!(data.targets().values().unwrap()[ROWS - 1], 7.25);
    assert!(held <= usize::try_from(max_bytes).unwrap(), "{held} bytes of {max_bytes}");
    Ok(())
}

#[test]
fn a_table_is_held_once_while_it_is_read() {
    let folder = std::env::temp_dir().join(format!("secant-tables-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let mut text = String::new();
    let names: Vec<String> = (0..COLUMNS).map(|column| format!("x{column}")).collect();
    writeln!(text, "{}", names.join(",")).unwrap();
    let row = vec!["7.25"; COLUMNS].join(",");
    (0..ROWS).for_each(|_| writeln!(text, "{row}").unwrap());
    let (csv, npy) = (folder.join("t.csv"), folder.join("t.npy"));
    fs::write(&csv, &text).unwrap();
    drop(text);
    let header =
        format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({ROWS}, {COLUMNS}), }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    let body = 7.25_f64.to_le_bytes().repeat(ROWS * COLUMNS);
    fs::write(&npy, [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &body].concat())
        .unwrap();
    drop(body);

    // A quarter of the limit is for the blocks of a text: how much of it they take depends on the threads.
    let limit = (TABLE as u64 + (1 << 20)) * 4 / 3;
    read_within(&csv, limit).unwrap();
    assert!(matches!(read_within(&csv, TABLE as u64), Err(DataError::OverLimit { .. })));
    dataset_within(&csv, limit).unwrap();
    assert!(matches!(dataset_within(&csv, TABLE as u64), Err(DataError::OverLimit { .. })));
    // Two parts of the array, of 1 MiB each, its header, and what reading a file takes.
    read_within(&npy, TABLE as u64 + (2 << 20) + (1 << 19)).unwrap();
    fs::remove_dir_all(&folder).unwrap();
}
