//! LIBSVM text.

use super::super::{DataError, Dataset, LibsvmOptions, Targets, Task};

fn message(result: Result<Dataset, DataError>) -> String {
    result.unwrap_err().to_string()
}

fn libsvm(text: &str, options: &LibsvmOptions) -> Result<Dataset, DataError> {
    Dataset::from_libsvm_bytes(text.as_bytes(), options)
}

#[test]
fn libsvm_fills_zeros_and_maps_signs_to_classes() {
    let text = "+1 1:0.5 3:-2 # a comment\n\n-1 2:4\r\n1\n# nothing\n";
    let data = libsvm(text, &LibsvmOptions::default()).unwrap();
    assert_eq!(data.inputs(), [0.5, 0.0, -2.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(data.targets(), &Targets::Labels { classes: 2, labels: vec![1, 0, 1] });
    assert_eq!(data.class_names(), ["-1", "1"]);
    let wider = LibsvmOptions { features: Some(4), task: Task::Values, ..LibsvmOptions::default() };
    let data = libsvm(text, &wider).unwrap();
    assert_eq!((data.features(), data.samples()), (4, 3));
    assert_eq!(data.targets().values(), Some(&[1.0, -1.0, 1.0][..]));
}

#[test]
fn libsvm_refuses_by_line() {
    let two = LibsvmOptions { features: Some(2), ..LibsvmOptions::default() };
    for (text, wanted) in [
        ("1 1:1\n1 3:1\n", "bytes, line 2: expected an index from 1 to 2, found \"3:1\""),
        (
            "1 0:1\n",
            "bytes, line 1: expected an index from 1 to 2, found \"0:1\": do the indices count from 0? `LibsvmOptions { first_index: 0, .. }`",
        ),
        ("1 1:1 2:1 1:1\n", "bytes, line 1: expected each index once, found 1 twice"),
        (
            "1,3 1:1\n",
            "bytes, line 1: expected one label, found \"1,3\": several labels for one sample (multi-label data) are not read",
        ),
        (
            "1 qid:4 1:1\n",
            "bytes, line 1: expected index:value, found \"qid:4\": query ids (`qid:`, ranking data) are not read",
        ),
        ("1:1 2:1\n", "bytes, line 1: expected a label before the first entry, found \"1:1\""),
        ("1 1:1\n\n1 1=2\n", "bytes, line 3: expected index:value, found \"1=2\""),
        ("1 -1:2\n", "bytes, line 1: expected index:value, found \"-1:2\""),
        ("1 1:\n", "bytes, line 1, column \"x1\": expected a number, found \"\""),
        ("1 1:1\n1 2:nan\n", "bytes, line 2, column \"x2\": expected a finite number, found nan"),
        ("\n# none\n", "bytes: no samples"),
    ] {
        assert_eq!(message(libsvm(text, &two)), wanted, "{text:?}");
    }
    let inferred = LibsvmOptions::default();
    assert_eq!(message(libsvm("1\n-1\n", &inferred)), "bytes: no features");
    assert!(matches!(libsvm("1 99999999999:1\n", &inferred), Err(DataError::Malformed { .. })));
    let huge = LibsvmOptions { features: Some(usize::MAX), ..inferred };
    assert!(matches!(libsvm("1 1:1\n-1 1:1\n", &huge), Err(DataError::TooLarge { .. })));
    assert!(matches!(libsvm("1 1:1\n", &huge), Err(DataError::OverLimit { .. })));
    let values = LibsvmOptions { task: Task::Values, ..LibsvmOptions::default() };
    assert_eq!(
        message(libsvm("1 1:1\nyes 1:1\n", &values)),
        "bytes, line 2, column \"label\": expected a number, found \"yes\""
    );
}

#[test]
fn indices_in_any_order_from_0_or_1_are_the_same_table() {
    let sorted = libsvm("1 1:5 2:6 4:7\n-1 3:8\n", &LibsvmOptions::default()).unwrap();
    assert_eq!(libsvm("1 4:7 1:5 2:6\n-1 3:8\n", &LibsvmOptions::default()).unwrap(), sorted);
    let from_zero = LibsvmOptions { first_index: 0, ..LibsvmOptions::default() };
    assert_eq!(libsvm("1 3:7 0:5 1:6\n-1 2:8\n", &from_zero).unwrap(), sorted);
}

#[test]
fn labels_that_look_measured_are_asked_about_and_never_made_classes() {
    let read = |text: &str| libsvm(text, &LibsvmOptions::default());
    let asked = [
        "24.0 1:1\n21.6 1:2\n34.7 1:3\n33.4 1:4\n",
        "151 1:1\n75 1:2\n141 1:3\n206 1:4\n",
        "0.5 1:1\n0.5 1:2\n",
    ];
    for text in asked {
        let error = message(read(text));
        assert!(
            error.contains("`LibsvmOptions { task: Task::Values, .. }`")
                && error.contains("`Task::Names`"),
            "{error}"
        );
    }
    assert!(
        message(read(asked[0]))
            .starts_with("bytes, line 2, column \"label\": the label 21.6 is no class")
    );
    let values = LibsvmOptions { task: Task::Values, ..LibsvmOptions::default() };
    assert_eq!(
        libsvm(asked[0], &values).unwrap().targets().values(),
        Some(&[24.0, 21.6, 34.7, 33.4][..])
    );
    let named = LibsvmOptions {
        task: Task::Names(vec!["0.5".into(), "1".into()]),
        ..LibsvmOptions::default()
    };
    assert_eq!(libsvm(asked[2], &named).unwrap().targets().labels(), Some(&[0, 0][..]));
    for classes in
        ["-1 1:1\n+1 1:2\n", "1 1:1\n2 1:1\n3 1:1\n1 1:2\n2 1:2\n3 1:2\n", "a 1:1\nb 1:1\nc 1:1\n"]
    {
        assert!(matches!(read(classes).unwrap().targets(), Targets::Labels { .. }), "{classes}");
    }
}
