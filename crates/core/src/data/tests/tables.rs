//! CSV and LIBSVM text.

use std::path::Path;

use super::super::libsvm::parse as parse_libsvm;
use super::super::{CsvOptions, DataError, Dataset, LibsvmOptions, Targets, Task};
use super::{Temporary, gzip};

fn csv(text: impl AsRef<[u8]>, options: &CsvOptions) -> Result<Dataset, DataError> {
    super::super::csv::parse(text.as_ref(), Path::new("t.csv"), options)
}

fn numbers(text: impl AsRef<[u8]>) -> Result<Dataset, DataError> {
    csv(text, &CsvOptions::default())
}

fn classes(task: Task) -> CsvOptions {
    CsvOptions { task, ..CsvOptions::default() }
}

fn message(result: Result<Dataset, DataError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_csv_row_becomes_a_column_and_the_target_may_stand_anywhere() {
    let data = numbers("a,target,b\n1,10,2\n3,20,4.5\n").unwrap();
    assert_eq!(data.inputs(), [1.0, 2.0, 3.0, 4.5]);
    assert_eq!(data.targets(), &Targets::Values { rows: 1, values: vec![10.0, 20.0] });
    assert_eq!(data.feature_names(), ["a", "b"]);
    assert_eq!(data.target_names(), ["target"]);
}

#[test]
fn byte_order_mark_crlf_blank_lines_quotes_and_spaces_change_nothing() {
    let plain = numbers("a,b,target\n1,2,3\n4,5,6\n").unwrap();
    for same in [
        "\u{feff}a,b,target\n1,2,3\n4,5,6",
        "a,b,target\r\n1,2,3\r\n4,5,6\r\n",
        "\n\r\na,b,target\n\n1,2,3\n  \n4,5,6\n\n\n",
        "\u{feff}\"a\", b ,target\r\n 1,\"2\",3.0e0\r\n+4,5,6 \r\n",
    ] {
        assert_eq!(numbers(same).unwrap(), plain, "{same:?}");
    }
    let semicolons = CsvOptions { delimiter: b';', ..CsvOptions::default() };
    assert_eq!(csv("a;b;target\n1;2;3\n4;5;6\n", &semicolons).unwrap(), plain);
    let file = Temporary::new("t.csv.gz", &gzip(b"a,b,target\n1,2,3\n4,5,6\n"));
    assert_eq!(Dataset::from_csv(&file, "target").unwrap(), plain);
}

#[test]
fn a_bad_field_is_refused_by_line_and_column() {
    for (field, wanted) in [
        ("nan", "expected a finite number, found nan"),
        ("NaN", "expected a finite number, found NaN"),
        ("-inf", "expected a finite number, found -inf"),
        ("1e999", "expected a finite number, found 1e999"),
        ("", "expected a number, found \"\""),
        ("?", "expected a number, found \"?\""),
        ("1.2.3", "expected a number, found \"1.2.3\""),
        ("1 2", "expected a number, found \"1 2\""),
    ] {
        // The line is that of the file, whatever the line ends and the blank lines before.
        for (text, line) in [
            (format!("age,income,target\n1,2,3\n4,{field},6\n"), 3),
            (format!("age,income,target\r\n1,2,3\r\n4,{field},6\r\n"), 3),
            (format!("\r\nage,income,target\r\n\r\n1,2,3\r\n\n4,{field},6\r\n"), 6),
            (format!("age,income,target\r1,2,3\r4,{field},6"), 3),
            (format!("age,\"income\",target\n\n1,\"2\",3\n\"4\",\"{field}\",6"), 4),
        ] {
            let error = numbers(&text);
            assert_eq!(
                message(error),
                format!("t.csv, line {line}, column \"income\": {wanted}"),
                "{text:?}"
            );
        }
        let text = format!("age,target\n1,2\n4,{field}\n");
        assert_eq!(message(numbers(text)), format!("t.csv, line 3, column \"target\": {wanted}"));
    }
}

#[test]
fn a_long_field_is_quoted_in_part() {
    let text = format!("a,target\n{},1\n", "é".repeat(10_000));
    assert!(message(numbers(text)).len() < 250);
}

#[test]
fn a_ragged_row_is_refused_by_line_with_both_counts() {
    let error = numbers("a,b,target\n1,2,3\n4,5\n").unwrap_err();
    let path = "t.csv".into();
    assert_eq!(error, DataError::Ragged { path, line: 3, expected: 3, found: 2 });
    assert_eq!(
        message(numbers("a,b,target\n1,2,3,4\n")),
        "t.csv, line 2: expected 3 fields, found 4"
    );
}

#[test]
fn a_header_that_names_no_columns_is_refused() {
    assert_eq!(message(numbers("")), "t.csv: no header");
    assert_eq!(message(numbers("\n\r\n")), "t.csv: no header");
    assert_eq!(message(numbers("a,target\n")), "t.csv: no samples");
    assert_eq!(message(numbers("a,,target\n1,2,3\n")), "t.csv: column 2 of the header has no name");
    assert_eq!(
        message(numbers("a,b,a,target\n1,2,3,4\n")),
        "t.csv: columns 1 and 3 of the header are both named \"a\""
    );
    assert_eq!(message(numbers("target\n1\n")), "t.csv: no features");
    assert_eq!(message(numbers("a,b\n1,2\n")), "t.csv: no column \"target\" among [\"a\", \"b\"]");
}

#[test]
fn bytes_that_are_not_text_are_refused_by_line() {
    let error = numbers(b"a,target\n1,2\n\xFF\xFE,3\n").unwrap_err();
    assert_eq!(error, DataError::NotUtf8 { path: "t.csv".into(), line: 3 });
}

#[test]
fn several_targets_keep_their_order_and_ignored_columns_vanish() {
    let options = CsvOptions {
        targets: vec!["z".to_owned(), "x".to_owned()],
        ignored: vec!["id".to_owned()],
        ..CsvOptions::default()
    };
    let data = csv("id,x,y,z\n7,1,2,3\n8,4,5,6\n", &options).unwrap();
    assert_eq!(data.feature_names(), ["y"]);
    assert_eq!(data.target_names(), ["z", "x"]);
    assert_eq!(data.targets().values(), Some(&[3.0, 1.0, 6.0, 4.0][..]));
    let twice = CsvOptions { targets: vec!["x".to_owned(); 2], ..CsvOptions::default() };
    assert_eq!(message(csv("x,y\n1,2\n", &twice)), "t.csv: no column \"x\" among [\"y\"]");
}

#[test]
fn whole_numbers_become_labels_and_others_are_refused() {
    let text = "a,target\n1,2\n1,0\n1,2.0\n";
    let labels =
        |text: &str, classes_given| csv(text, &classes(Task::Labels { classes: classes_given }));
    let data = labels(text, None).unwrap();
    assert_eq!(data.targets(), &Targets::Labels { classes: 3, labels: vec![2, 0, 2] });
    assert_eq!(labels(text, Some(5)).unwrap().outputs(), 5);
    assert_eq!(
        message(labels(text, Some(2))),
        "t.csv, line 2, column \"target\": expected a class label from 0 to 1, found 2"
    );
    assert_eq!(
        message(labels("a,target\n1,0\n1,-1\n", None)),
        "t.csv, line 3, column \"target\": expected a class label from 0 to 65535, found -1"
    );
    assert_eq!(
        message(labels("a,target\n1,0.5\n", None)),
        "t.csv, line 2, column \"target\": expected a class label (a whole number), found \"0.5\""
    );
    assert_eq!(
        message(labels("a,target\n1,setosa\n", None)),
        "t.csv, line 2, column \"target\": expected a number, found \"setosa\""
    );
    assert!(matches!(labels("a,target\n1,1e300\n", None), Err(DataError::LabelOutOfRange { .. })));
    assert!(matches!(
        labels("a,target\n1,5e9\n", Some(usize::MAX)),
        Err(DataError::LabelOutOfRange { .. })
    ));
}

#[test]
fn names_become_classes_in_order() {
    let text = "a,target\n1,red\n2,10\n3,9\n4,red\n5,blue\n";
    let data = csv(text, &classes(Task::Names(Vec::new()))).unwrap();
    assert_eq!(data.class_names(), ["9", "10", "blue", "red"]);
    assert_eq!(data.targets().labels(), Some(&[3, 1, 0, 3, 2][..]));
    let given: Vec<String> = ["blue", "red", "+9", "10.0", "green"].map(str::to_owned).to_vec();
    let data = csv(text, &classes(Task::Names(given))).unwrap();
    assert_eq!(data.targets().labels(), Some(&[1, 3, 2, 1, 0][..]));
    assert_eq!(data.outputs(), 5);
    let error = message(csv(text, &classes(Task::Names(vec!["red".to_owned()]))));
    assert_eq!(
        error,
        "t.csv, line 3, column \"target\": expected a class name among [\"red\"], found \"10\""
    );
    let error = message(csv("a,target\n1,\n", &classes(Task::Names(Vec::new()))));
    assert_eq!(error, "t.csv, line 2, column \"target\": expected a class name, found \"\"");
}

#[test]
fn a_missing_file_is_named() {
    let error = Dataset::from_csv("no/such/file.csv", "target").unwrap_err();
    assert!(matches!(&error, DataError::Io { kind: std::io::ErrorKind::NotFound, .. }));
    assert!(error.to_string().starts_with("no/such/file.csv: "));
    let whole = gzip(b"a,target\n1,2\n3,4\n");
    for damaged in [&b"a,target\n1,2\n"[..], &whole[..whole.len() - 5], b"", b"\x1f\x8b"] {
        let file = Temporary::new("t.csv.gz", damaged);
        let result = Dataset::from_csv(&file, "target");
        assert!(matches!(result, Err(DataError::Io { .. } | DataError::NoData { .. })));
    }
}

fn libsvm(text: &str, options: &LibsvmOptions) -> Result<Dataset, DataError> {
    parse_libsvm(text.as_bytes(), Path::new("t.libsvm"), options)
}

#[test]
fn libsvm_fills_zeros_and_maps_signs_to_classes() {
    let text = "+1 1:0.5 3:-2 # a comment\n\n-1 2:4\r\n1\n# nothing\n";
    let data = libsvm(text, &LibsvmOptions::default()).unwrap();
    assert_eq!(data.inputs(), [0.5, 0.0, -2.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(data.targets(), &Targets::Labels { classes: 2, labels: vec![1, 0, 1] });
    assert_eq!(data.class_names(), ["-1", "1"]);
    let wider = LibsvmOptions { features: Some(4), task: Task::Values };
    let data = libsvm(text, &wider).unwrap();
    assert_eq!((data.features(), data.samples()), (4, 3));
    assert_eq!(data.targets().values(), Some(&[1.0, -1.0, 1.0][..]));
}

#[test]
fn libsvm_refuses_by_line() {
    let two = LibsvmOptions { features: Some(2), ..LibsvmOptions::default() };
    for (text, wanted) in [
        ("1 1:1\n1 3:1\n", "t.libsvm, line 2: expected an index from 1 to 2, found \"3:1\""),
        ("1 0:1\n", "t.libsvm, line 1: expected an index from 1 to 2, found \"0:1\""),
        ("1 2:1 1:1\n", "t.libsvm, line 1: expected an index from 3 to 2, found \"1:1\""),
        ("1 1:1 1:1\n", "t.libsvm, line 1: expected an index from 2 to 2, found \"1:1\""),
        ("1 1:1\n\n1 1=2\n", "t.libsvm, line 3: expected index:value, found \"1=2\""),
        ("1 -1:2\n", "t.libsvm, line 1: expected index:value, found \"-1:2\""),
        ("1 1:\n", "t.libsvm, line 1, column \"x1\": expected a number, found \"\""),
        (
            "1 1:1\n1 2:nan\n",
            "t.libsvm, line 2, column \"x2\": expected a finite number, found nan",
        ),
        ("\n# none\n", "t.libsvm: no samples"),
    ] {
        assert_eq!(message(libsvm(text, &two)), wanted, "{text:?}");
    }
    let inferred = LibsvmOptions::default();
    assert_eq!(message(libsvm("1\n-1\n", &inferred)), "t.libsvm: no features");
    assert!(matches!(libsvm("1 99999999999:1\n", &inferred), Err(DataError::Malformed { .. })));
    let huge = LibsvmOptions { features: Some(usize::MAX), ..inferred };
    assert!(matches!(libsvm("1 1:1\n-1 1:1\n", &huge), Err(DataError::TooLarge { .. })));
    assert!(matches!(libsvm("1 1:1\n", &huge), Err(DataError::TooLarge { .. })));
    let values = LibsvmOptions { task: Task::Values, ..LibsvmOptions::default() };
    assert_eq!(
        message(libsvm("1 1:1\nyes 1:1\n", &values)),
        "t.libsvm, line 2, column \"label\": expected a number, found \"yes\""
    );
}
