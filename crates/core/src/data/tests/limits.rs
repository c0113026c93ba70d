//! No reader takes more memory than its limit, and it is asked before anything of the size is allocated.

use super::super::{
    CifarOptions, CsvOptions, DataError, Dataset, IdxOptions, LibsvmOptions, NistLinear,
    NpyOptions, Task,
};
use super::{Temporary, gzip, idx, npy};

fn refused(result: Result<Dataset, DataError>, options: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, DataError::OverLimit { .. }), "{error}");
    assert!(error.to_string().contains(&format!("`{options} {{ max_bytes: …, .. }}`")), "{error}");
}

#[test]
fn a_small_file_that_stands_for_a_large_table_is_refused() {
    // 6 kB for 512 × 2²⁰ numbers, 4 GiB.
    let sparse = format!("1 {}:1\n", 1 << 20).repeat(512);
    refused(
        Dataset::from_libsvm_bytes(sparse.as_bytes(), &LibsvmOptions::default()),
        "LibsvmOptions",
    );
    let few = LibsvmOptions { max_bytes: 1 << 20, task: Task::Values, ..LibsvmOptions::default() };
    let fits = format!("1 {}:1\n", 1 << 10).repeat(100);
    assert_eq!(Dataset::from_libsvm_bytes(fits.as_bytes(), &few).unwrap().features(), 1 << 10);
    refused(Dataset::from_libsvm_bytes(fits.repeat(2).as_bytes(), &few), "LibsvmOptions");
}

#[test]
fn a_small_gzip_file_that_unpacks_to_a_large_one_is_refused() {
    let large = vec![b'1'; 4 << 20];
    let bomb = gzip(&large);
    assert!(bomb.len() < large.len() / 100);
    let max_bytes = 1 << 20;
    refused(
        Dataset::from_csv_bytes(&bomb, &CsvOptions { max_bytes, ..CsvOptions::default() }),
        "CsvOptions",
    );
    refused(
        Dataset::from_libsvm_bytes(&bomb, &LibsvmOptions { max_bytes, ..LibsvmOptions::default() }),
        "LibsvmOptions",
    );
    refused(
        Dataset::from_cifar10_bytes(&bomb, CifarOptions { max_bytes, ..CifarOptions::default() }),
        "CifarOptions",
    );
    let body = gzip(&npy("|u1", false, "(4194304,)", &large));
    refused(
        Dataset::from_npy_bytes(&body, &body, &NpyOptions { max_bytes, ..NpyOptions::default() }),
        "NpyOptions",
    );
    let body = gzip(&idx(&[1, 4 << 20], &large));
    refused(
        Dataset::from_idx_bytes(&body, &body, IdxOptions { max_bytes, ..IdxOptions::default() }),
        "IdxOptions",
    );
    let error = NistLinear::from_bytes(&bomb).unwrap_err();
    assert_eq!(error.to_string(), "bytes: reading it takes more memory than the limit of 1 MiB");
    // A plain file is refused by its length, before it is read.
    let file = Temporary::new("large.csv", &large);
    let options = CsvOptions { max_bytes, ..CsvOptions::default() };
    refused(Dataset::from_csv_with(&file, &options), "CsvOptions");
}

#[test]
fn the_table_counts_with_the_file() {
    let text = format!("a,target\n{}", "1,2\n".repeat(1000));
    let read = |max_bytes| {
        let options = CsvOptions { max_bytes, ..CsvOptions::default() };
        Dataset::from_csv_bytes(text.as_bytes(), &options)
    };
    // 4 bytes of text and 16 of numbers for a row, and room for one row more, whose line end may be missing.
    let header = 9 + 2 * 96;
    assert_eq!(read(header + 1000 * 4 + 1002 * 16).unwrap().samples(), 1000);
    refused(read(1000 * 20), "CsvOptions");
    // Bytes become numbers of eight; beside them stand two parts of the array, each of which is all of a small one.
    let bytes = npy("|u1", false, "(1000, 10)", &[1; 10_000]);
    let targets = npy("|u1", false, "(1000,)", &[1; 1000]);
    let read = |max_bytes| {
        Dataset::from_npy_bytes(
            &bytes,
            &targets,
            &NpyOptions { max_bytes, ..NpyOptions::default() },
        )
    };
    assert_eq!(read(100_200).unwrap().features(), 10);
    refused(read(100_000), "NpyOptions");
}

#[test]
fn a_file_of_the_longest_header_takes_no_more_than_its_limit() {
    let names: Vec<String> = (0..100_000).map(|index| format!("n{index}")).collect();
    let options = CsvOptions { max_bytes: 4 << 20, ..CsvOptions::default() };
    refused(Dataset::from_csv_bytes(names.join(",").as_bytes(), &options), "CsvOptions");
}
