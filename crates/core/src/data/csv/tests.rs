//! Parts of a file: the data and the errors are the same whichever way they fall.

use proptest::prelude::*;

use super::super::source::Source;
use super::super::{DataError, Dataset, Task};
use super::blocks::Flight;
use super::{CsvOptions, parse_by};

fn by_parts(bytes: &[u8], options: &CsvOptions, size: usize) -> Result<Dataset, DataError> {
    let flight = Flight { memory: 1, count: 2, size };
    parse_by(Source::of(bytes, options.max_bytes, "CsvOptions").unwrap(), options, flight)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn parts_may_fall_anywhere(
        rows in proptest::collection::vec(proptest::collection::vec(proptest::sample::select(
            &["1", "-2.5", "\"1\"", " 7 ", "3", "4", "5", "\"6\r\"", "8\n", "9"][..]), 3), 1..30),
        spoiled in proptest::option::of((0..90_usize, proptest::sample::select(
            &["NA", "", "red", "1,2", "\"a\nb\"", "\"", "#1", "\n", "1e999", "1.5,"][..]))),
        end in proptest::sample::select(&["\n", "\r\n", "\r"][..]),
        task in proptest::sample::select(vec![Task::Values, Task::Names(Vec::new()), Task::Labels { classes: None }]),
        comment in proptest::sample::select(&[None, Some(b'#')][..]),
        drop_missing in any::<bool>(),
        trailing_delimiter in any::<bool>(),
        size in 1..40_usize,
    ) {
        let mut fields: Vec<&str> = rows.iter().flatten().copied().collect();
        if let Some((place, text)) = spoiled {
            let place = place % fields.len();
            fields[place] = text;
        }
        let lines: Vec<String> = fields.chunks(3).map(|row| row.join(",")).collect();
        let text = format!("a,b,target{end}{}{end}", lines.join(end));
        let options = CsvOptions { task, comment, trailing_delimiter, drop_missing, ..CsvOptions::default() };
        let whole = by_parts(text.as_bytes(), &options, 1 << 20);
        prop_assert_eq!(by_parts(text.as_bytes(), &options, size), whole);
    }
}

#[test]
fn the_first_bad_line_and_the_first_places_are_named_over_parts() {
    let good = "1,2\n".repeat(50);
    let read = |text: &str, size| by_parts(text.as_bytes(), &CsvOptions::default(), size);
    for size in [1, 16, 100, 1 << 20] {
        let error = read(&format!("a,target\n{good}1,2,3\n{good}x,1\n"), size).unwrap_err();
        assert_eq!(error.to_string(), "bytes, line 52: expected 2 fields, found 3");
        let gaps = format!("a,target\n{}", "NA,1\n1,2\n".repeat(9));
        let error = read(&gaps, size).unwrap_err().to_string();
        assert!(error.starts_with("bytes: 9 missing values: line 2, "), "{error}");
        assert!(error.contains("line 10, column \"a\" (\"NA\"); …"), "{error}");
    }
}
