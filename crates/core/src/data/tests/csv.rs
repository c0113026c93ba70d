//! CSV: what is read with which option, and what an error says about the rest.

use super::super::{CsvOptions, DataError, Dataset, MissingValue, Targets, Task};
use super::{Temporary, gzip};

fn csv(text: impl AsRef<[u8]>, options: &CsvOptions) -> Result<Dataset, DataError> {
    Dataset::from_csv_bytes(text.as_ref(), options)
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
        ("-inf", "expected a finite number, found -inf"),
        ("1e999", "expected a finite number, found 1e999"),
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
                format!("bytes, line {line}, column \"income\": {wanted}"),
                "{text:?}"
            );
        }
        let text = format!("age,target\n1,2\n4,{field}\n");
        assert_eq!(message(numbers(text)), format!("bytes, line 3, column \"target\": {wanted}"));
    }
}

#[test]
fn a_long_field_is_quoted_in_part() {
    let text = format!("a,target\n{},1\n", "é".repeat(10_000));
    assert!(message(numbers(text)).chars().count() < 250);
}

#[test]
fn a_ragged_row_is_refused_by_line_with_both_counts() {
    let error = numbers("a,b,target\n1,2,3\n4,5\n").unwrap_err();
    let path = "bytes".into();
    assert_eq!(
        error,
        DataError::Ragged { path, line: 3, expected: 3, found: 2, hint: Box::default() }
    );
    assert_eq!(
        message(numbers("a,b,target\n1,2,3,4\n")),
        "bytes, line 2: expected 3 fields, found 4: an index without a name? `CsvOptions { index_column: true, .. }` leaves it out"
    );
}

#[test]
fn a_header_that_names_no_columns_is_refused() {
    assert_eq!(message(numbers("")), "bytes: no header");
    assert_eq!(message(numbers("\n\r\n")), "bytes: no header");
    assert_eq!(message(numbers("a,target\n")), "bytes: no samples");
    assert_eq!(message(numbers("a,,target\n1,2,3\n")), "bytes: column 2 of the header has no name");
    assert_eq!(
        message(numbers("a,b,a,target\n1,2,3,4\n")),
        "bytes: columns 1 and 3 of the header are both named \"a\""
    );
    assert_eq!(message(numbers("target\n1\n")), "bytes: no features");
    assert_eq!(message(numbers("a,b\n1,2\n")), "bytes: no column \"target\" among [\"a\", \"b\"]");
}

#[test]
fn bytes_that_are_not_text_are_refused_by_line() {
    let error = numbers(b"a,target\n1,2\n\xFF\xFE,3\n").unwrap_err();
    assert_eq!(error, DataError::NotUtf8 { path: "bytes".into(), line: 3 });
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
    assert_eq!(message(csv("x,y\n1,2\n", &twice)), "bytes: no column \"x\" among [\"y\"]");
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
        "bytes, line 2, column \"target\": expected a class label from 0 to 1, found 2"
    );
    assert_eq!(
        message(labels("a,target\n1,0\n1,-1\n", None)),
        "bytes, line 3, column \"target\": expected a class label from 0 to 65535, found -1: `Task::Names` takes any text, and \
         numbers of any size"
    );
    assert_eq!(
        message(labels("a,target\n1,0.5\n", None)),
        "bytes, line 2, column \"target\": expected a class label (a whole number), found \"0.5\": `Task::Names` takes \
         any text, and numbers of any size"
    );
    assert_eq!(
        message(labels("a,target\n1,setosa\n2,1\n", None)),
        "bytes, line 2, column \"target\": expected a number, found \"setosa\": `Task::Names` takes any text, and numbers of any size"
    );
    assert_eq!(
        message(labels("a,target\n1,setosa\n", Some(2))),
        "bytes, line 2, column \"target\": expected a number, found \"setosa\": `Task::Names` takes any text, and numbers of any size"
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
        "bytes, line 3, column \"target\": expected a class name among [\"red\"], found \"10\""
    );
    let error = message(csv("a,target\n1,\n", &classes(Task::Names(Vec::new()))));
    assert!(
        error.starts_with("bytes: 1 missing value: line 2, column \"target\" (\"\")"),
        "{error}"
    );
    let error = message(csv(
        "a,target\n1,gren\n",
        &classes(Task::Names(vec!["red".into(), "green".into()])),
    ));
    assert!(
        error.ends_with("among [\"red\", \"green\"], found \"gren\": did you mean `green`?"),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = Dataset::from_csv("no/such/file.csv", "target").unwrap_err();
    assert!(matches!(&error, DataError::Io { kind: std::io::ErrorKind::NotFound, .. }));
    assert!(error.to_string().starts_with("no/such/file.csv: "));
    let whole = gzip(b"a,target\n1,2\n3,4\n");
    for damaged in [&whole[..whole.len() - 5], b"", b"\x1f\x8b"] {
        let file = Temporary::new("t.csv.gz", damaged);
        let result = Dataset::from_csv(&file, "target");
        assert!(matches!(result, Err(DataError::Io { .. } | DataError::NoData { .. })));
    }
}

#[test]
fn gzip_is_known_by_its_bytes_and_other_archives_are_named() {
    let text = b"a,target\n1,2\n3,4\n";
    let plain = numbers(text).unwrap();
    for (name, bytes) in [("t.csv", gzip(text)), ("t.csv.gz", text.to_vec()), ("t", gzip(text))] {
        assert_eq!(
            Dataset::from_csv(Temporary::new(name, &bytes), "target").unwrap(),
            plain,
            "{name}"
        );
    }
    // Members one after the other are one file.
    let members = [gzip(&text[..12]), gzip(&text[12..])].concat();
    assert_eq!(numbers(members).unwrap(), plain);
    let error = message(numbers(b"PK\x03\x04\x14\x00"));
    assert_eq!(
        error,
        "bytes: expected a plain file or one packed by gzip at the start, found a zip archive"
    );
    assert!(message(numbers(b"\xff\xfea\0")).contains("UTF-16"));
}

#[test]
fn missing_values_are_counted_and_the_first_five_are_named() {
    let text = "age,income,target\n1,NA,3\n4,,?\n7,8,9\nNaN,n/a,1\n1,null,2\n";
    let error = numbers(text).unwrap_err();
    let wanted = "bytes: 6 missing values: line 2, column \"income\" (\"NA\"); line 3, column \"income\" (\"\"); \
                  line 3, column \"target\" (\"?\"); line 5, column \"age\" (\"NaN\"); line 5, column \"income\" (\"n/a\"); …: \
                  `CsvOptions { drop_missing: true, .. }` leaves out the rows";
    assert_eq!(error.to_string(), wanted);
    let DataError::Missing { first, .. } = error else { panic!("{error}") };
    assert_eq!(first[2], MissingValue { line: 3, column: "target".into(), found: "?".into() });
    let dropping = CsvOptions { drop_missing: true, ..CsvOptions::default() };
    let left = csv(text, &dropping).unwrap();
    assert_eq!((left.inputs(), left.targets().values()), (&[7.0, 8.0][..], Some(&[9.0][..])));
    assert_eq!(message(csv("a,target\n?,1\n", &dropping)), "bytes: no samples");
    // In a column that is not used nothing is missing.
    let options = CsvOptions { ignored: vec!["a".into()], ..CsvOptions::default() };
    assert_eq!(csv("a,b,target\nNA,1,2\n", &options).unwrap().inputs(), [1.0]);
    // Rows that are dropped take their labels with them.
    let named = CsvOptions { drop_missing: true, ..classes(Task::Names(Vec::new())) };
    let data = csv("a,target\n1,none\n?,mild\n3,NA\n4,severe\n5,none\n", &named).unwrap();
    assert_eq!(data.class_names(), ["none", "severe"]);
    assert_eq!(
        (data.inputs(), data.targets().labels()),
        (&[1.0, 4.0, 5.0][..], Some(&[0, 1, 0][..]))
    );
    let listed =
        csv("a,target\n1,NA\n2,DE\n", &classes(Task::Names(vec!["DE".into(), "NA".into()])));
    assert_eq!(listed.unwrap().targets().labels(), Some(&[1, 0][..]));
}

#[test]
fn one_table_in_many_dialects_is_the_same_table() {
    let plain = numbers("a,b,target\n1.5,2,1234\n-4,5e3,6\n").unwrap();
    let base = CsvOptions::default;
    for (text, options) in [
        (
            "a;b;target\n1,5;2;1.234\n-4;5e3;6\n",
            CsvOptions { delimiter: b';', decimal: ',', thousands: Some('.'), ..base() },
        ),
        ("a\tb\ttarget\n1.5\t2\t1234\n-4\t5e3\t6\n", CsvOptions { delimiter: b'\t', ..base() }),
        ("  a  b target\n1.5\t 2   1234\n -4 5e3 6  \n", CsvOptions { delimiter: b' ', ..base() }),
        (
            "# made\na,b,target\n#\n1.5,2,1234\n-4,5e3,6\n# end",
            CsvOptions { comment: Some(b'#'), ..base() },
        ),
        (",a,b,target\n0,1.5,2,1234\n1,-4,5e3,6\n", CsvOptions { index_column: true, ..base() }),
        ("id,a,b,target\nx,1.5,2,1234\ny,-4,5e3,6\n", CsvOptions { index_column: true, ..base() }),
        ("a,b,target\nx,1.5,2,1234\ny,-4,5e3,6\n", CsvOptions { index_column: true, ..base() }),
        (
            "a,b,target,\n1.5,2,1234,\n-4,5e3,6,\n",
            CsvOptions { trailing_delimiter: true, ..base() },
        ),
        ("a,b,target\n1.5,2,1234,\n-4,5e3,6,\n", CsvOptions { trailing_delimiter: true, ..base() }),
        (
            "a,b,target\n\"1.5\",2,\"1,234\"\n-4,\"5e3\",6\n",
            CsvOptions { thousands: Some(','), ..base() },
        ),
    ] {
        assert_eq!(csv(text, &options).unwrap(), plain, "{text:?}");
    }
    let options = CsvOptions { header: false, targets: vec!["column3".into()], ..base() };
    let unnamed = csv("1.5,2,1234\n-4,5e3,6\n", &options).unwrap();
    assert_eq!((unnamed.inputs(), unnamed.targets()), (plain.inputs(), plain.targets()));
    assert_eq!(unnamed.feature_names(), ["column1", "column2"]);
    let indexed = CsvOptions { index_column: true, targets: vec!["column4".into()], ..options };
    let unnamed = csv("x,1.5,2,1234\ny,-4,5e3,6\n", &indexed).unwrap();
    assert_eq!((unnamed.inputs(), unnamed.targets()), (plain.inputs(), plain.targets()));
}

#[test]
fn an_error_names_the_option_by_which_the_file_is_read() {
    for (text, wanted) in [
        (
            "a;b;y\n1;2;3\n",
            "bytes: one column `a;b;y`: is the delimiter `;`? `CsvOptions { delimiter: b';', .. }`",
        ),
        (
            "a\tb\ty\n1\t2\t3\n",
            "bytes: one column `a\\tb\\ty`: is the delimiter `\\t`? `CsvOptions { delimiter: b'\\t', .. }`",
        ),
        ("a b  y\n1 2 3\n", "is the delimiter ` `? `CsvOptions { delimiter: b' ', .. }`"),
        ("a,targt\n1,2\n", "no column \"target\" among [\"a\", \"targt\"]: did you mean `targt`?"),
        (
            "5.1,3.5,0\n4.9,3,1\n",
            "`CsvOptions { header: false, .. }` names the columns `column1`, `column2`, …",
        ),
        (
            "0,1,0\n4.9,3,1\n",
            "both named \"0\": is there no header? `CsvOptions { header: false, .. }`",
        ),
        ("# by hand\na,target\n1,2\n", "a comment? `CsvOptions { comment: Some(b'#'), .. }`"),
        (
            "a,b,target\n1,2,3\n# by hand\n",
            "line 3: expected 3 fields, found 1: a comment? `CsvOptions { comment: Some(b'#')",
        ),
        (
            ",a,target\n0,1,2\n",
            "column 1 of the header has no name: an index? `CsvOptions { index_column: true, .. }`",
        ),
        (
            "a,target\nx,1,2\n",
            "found 3: an index without a name? `CsvOptions { index_column: true, .. }`",
        ),
        (
            "a,target,\n1,2,\n",
            "column 3 of the header has no name: a delimiter at the end of each line? `CsvOptions { trailing_delimiter",
        ),
        (
            "a,target\n1,2,\n",
            "found 3: a delimiter at the end of each line? `CsvOptions { trailing_delimiter: true",
        ),
        ("a,target\n\"1,5\",2\n", "found \"1,5\": is it 1.5, `CsvOptions { decimal: ',', .. }`?"),
        (
            "a,target\nred,2\n",
            "a column of texts? `CsvOptions { ignored: vec![\"a\".into()], .. }` leaves it out",
        ),
        ("a,target\n1,red\n", "are these classes? `Dataset::from_csv_labels`"),
    ] {
        let error = message(numbers(text));
        assert!(error.contains(wanted), "{text:?}\n{error}");
    }
    for options in [
        CsvOptions { delimiter: b'\n', ..CsvOptions::default() },
        CsvOptions { delimiter: b'3', ..CsvOptions::default() },
        CsvOptions { decimal: 'e', ..CsvOptions::default() },
        CsvOptions { thousands: Some('.'), ..CsvOptions::default() },
        CsvOptions { thousands: Some('-'), ..CsvOptions::default() },
    ] {
        assert!(
            matches!(csv("a,target\n1,2\n", &options), Err(DataError::Option { .. })),
            "{options:?}"
        );
    }
}

#[test]
fn labels_that_are_texts_become_names() {
    let file = Temporary::new("t.csv", b"a,target\n1,setosa\n2,virginica\n3,setosa\n");
    let data = Dataset::from_csv_labels(&file, "target").unwrap();
    assert_eq!(
        (data.class_names(), data.targets().labels()),
        (&["setosa".to_owned(), "virginica".to_owned()][..], Some(&[0, 1, 0][..]))
    );
    let file = Temporary::new("t.csv", b"a,target\n1,2\n2,0\n");
    assert_eq!(Dataset::from_csv_labels(&file, "target").unwrap().outputs(), 3);
}

#[test]
fn foreign_text_in_a_message_is_cut_and_cannot_act() {
    let acting = format!("\u{1b}[2J\u{202e}{}", "x".repeat(1_000_000));
    for text in [
        format!("{acting},b\n1,2\n"),
        format!("a,target\n{acting},2\n"),
        format!("{acting},target\nq,2\n"),
        format!("{acting},{acting},target\n1,2,3\n"),
        format!("{acting}\n1\n"),
        format!("{acting},target\n1,{acting}\n2,1\n"),
    ] {
        let error = message(numbers(&text));
        assert!(error.len() < 1000 && !error.contains(['\u{1b}', '\u{202e}']), "{}", &error[..200]);
        let error = message(csv(&text, &classes(Task::Labels { classes: Some(2) })));
        assert!(error.len() < 1000 && !error.contains(['\u{1b}', '\u{202e}']), "{}", &error[..200]);
    }
}
