//! Whatever the number of parts, their rows are those of the file, and so are the lines in messages.

use super::{CsvOptions, CsvParts, CsvSurvey};
use crate::data::tests::{Temporary, gzip};
use crate::data::{DataError, Dataset, Task};
use proptest::prelude::*;

/// What each of `parts` readers has, who look at `chunk` bytes at a time and send numbers to each other.
fn by_parts(
    file: &Temporary,
    options: &CsvOptions,
    (parts, chunk): (usize, usize),
) -> Result<Vec<Result<Option<Dataset>, DataError>>, DataError> {
    let file = CsvParts { chunk, ..CsvParts::open(file, options)? };
    let survey = |part| CsvSurvey::from_numbers(&file.survey(part, parts)?.numbers());
    let surveys: Vec<CsvSurvey> = (0..parts).map(survey).collect::<Result<_, _>>()?;
    Ok((0..parts).map(|part| file.read(&surveys, part)).collect())
}

/// The parts are the whole: its rows with their names, or its error.
fn check(text: &str, options: &CsvOptions, (parts, chunk): (usize, usize)) {
    let file = Temporary::new("parts.csv", text.as_bytes());
    let context = format!("{parts} parts by {chunk} bytes of {text:?}");
    let whole = Dataset::from_csv_with(&file, options);
    let found = match (by_parts(&file, options, (parts, chunk)), &whole) {
        (Ok(found), _) => found,
        (Err(error), whole) => {
            assert_eq!(Err(&error), whole.as_ref(), "{context}");
            return;
        }
    };
    match whole {
        Ok(whole) => {
            let mut next = 0;
            for part in found {
                let Some(part) = part.unwrap_or_else(|error| panic!("{error}: {context}")) else {
                    continue;
                };
                let named: Vec<usize> = (next..next + part.samples()).collect();
                assert_eq!(Ok(part), whole.select(&named), "rows {named:?}: {context}");
                next += named.len();
            }
            assert_eq!(next, whole.samples(), "{context}");
        }
        Err(DataError::Missing { count, first, .. }) => {
            let (mut counted, mut listed) = (0, Vec::new());
            for part in found {
                if let Err(DataError::Missing { count, first, .. }) = part {
                    counted += count;
                    listed.extend(first);
                }
            }
            listed.truncate(first.len());
            assert_eq!((counted, listed), (count, first), "{context}");
        }
        Err(DataError::NoData { .. }) => assert!(found.iter().all(|p| p == &Ok(None)), "{context}"),
        Err(error) => {
            let found: Vec<DataError> = found.into_iter().filter_map(Result::err).collect();
            assert!(found.contains(&error), "{found:?} in place of {error:?}: {context}");
        }
    }
}

#[test]
fn the_rows_of_all_parts_are_those_of_the_file() {
    let named = |name: &str| CsvOptions { ignored: vec![name.into()], ..CsvOptions::default() };
    let plain = CsvOptions::default;
    let comments = || CsvOptions { comment: Some(b'#'), ..CsvOptions::default() };
    let blanks = || CsvOptions { delimiter: b' ', ignored: vec!["s".into()], ..comments() };
    let numbered = || CsvOptions { header: false, targets: vec!["column2".into()], ..plain() };
    let names = Task::Names(vec!["red".into(), "a \"b\"\nc".into()]);
    let classes = || CsvOptions { task: names.clone(), ..plain() };
    let gaps = || CsvOptions { drop_missing: true, ..plain() };
    for (text, options) in [
        ("a,target\n1,2\n3,4\n5,6\n", plain()),
        ("a,target\n1,2\n3,4\n5,6", plain()),
        ("a,target\r\n1,2\r\n3,4\r\n\r\n5,6\r\n", plain()),
        ("a,target\r1,2\r3,4\r5,6", plain()),
        ("\u{feff}a,target\n1,2\n", plain()),
        ("a,target\n\n\n1,2\n\n\n\n\n\n\n3,4\n\n\n", plain()),
        ("a,target\n", plain()),
        ("a,s,target\n1,\"x\ny\",2\n3,\"\n4,5,6\n\",4\n5,\"\"\"\n\"\"\",6\n7,\"\",8\n", named("s")),
        ("a,s,target\r\n1,\"x\r\ny\",2\r\n3,\"\r\n4,5,6\r\n\",4\r\n5,\"\"\"\",6\r\n", named("s")),
        // A quote within a field opens nothing; what follows a closing one belongs to the field.
        ("a,s,target\n1,5\",2\n3,5\" x 7\",4\n5,\"6\n\" \"x,6\n7,'\",8\n", named("s")),
        ("a,\"s\nt\",target\n1,\"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\",2\n3,x,4\n", named("s\nt")),
        ("# it's \"\na,target\n# \"\n1,2\n#\"3,4\n5,6\n# end\"", comments()),
        ("# \r\na,target\r\n# \"\r\n1,2\r\n#\r\n\r\n5,6\r\n# end", comments()),
        ("a s target\n1 \"x\ny\" 2\n 3\t\"\t\n\"\t4 \n#\"\n5 \" \" 6 \n", blanks()),
        ("1,2\n3,4\n5,6", numbered()),
        ("a,target\n1,red\n2,\"a \"\"b\"\"\nc\"\n3,\"red\"\n4,red\n", classes()),
        ("a,target\nNA,1\n1,2\n,\n?,3\n3,4\nNA,1\nNA,2\n", gaps()),
        ("a,target\nNA,1\n,\n", gaps()),
        ("a,target\nNA,1\n1,2\n,\n?,3\n3,4\nNA,1\nNA,2\n", plain()),
        ("a,target\n1,2\n1,2,3\n", plain()),
        ("a,target\n\n\n\n\n\n1,2,3\n1,2\n", plain()),
        ("a,s,target\n1,\"\n\n\",2\n\n1,x,2\n1,x,y\n1,x,2\n", named("s")),
        ("a,s,target\r\n1,\"\r\n\r\n\",2\r\n\r\n1,x,2\r\n1,x,y\r\n", named("s")),
        ("a,target\n1,2\n3,\"4\n5,6\n", plain()),
        ("a,target\n1,2\n1,red\n", classes()),
        ("a,target\n1,2\n", CsvOptions { targets: vec!["b".into()], ..plain() }),
    ] {
        for parts in 1..=9 {
            for chunk in [1, 2, 3, 7, 1 << 16] {
                check(text, &options, (parts, chunk));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn parts_may_be_cut_anywhere(
        rows in proptest::collection::vec(proptest::collection::vec(proptest::sample::select(
            &["1", "-2.5", "\"1\"", " 7 ", "3", "\"6\r\"", "8\n", "9", "\"\n1\"", "\"\r\n2\r\n\"", "#", "\n#\"\n4"][..]), 3), 1..12),
        texts in proptest::collection::vec(proptest::sample::select(
            &["x", "\"", "\"\"", "\"a\nb\"", "\"\"\"\n\"", "5\"", "\"a\" \"b", "\"\r\n,\"", "#\""][..]), 12),
        end in proptest::sample::select(&["\n", "\r\n", "\r", "\n\n", "\r\n\r\n"][..]),
        (comment, delimiter) in (proptest::sample::select(&[None, Some(b'#')][..]), proptest::sample::select(&b",; \t"[..])),
        (header, drop_missing, last) in (any::<bool>(), any::<bool>(), any::<bool>()),
        parts in 1..10_usize,
        chunk in 1..20_usize,
    ) {
        let sign = char::from(delimiter).to_string();
        let lines: Vec<String> = rows.iter().zip(&texts).map(|(row, text)| {
            format!("{}{sign}{text}", row.join(&sign))
        }).collect();
        let first = ["a", "b", "target", "s"].join(&sign);
        let mut text = format!("{first}{end}{}", lines.join(end));
        if last {
            text.push_str(end);
        }
        let names = if header { ["target", "s"] } else { ["column3", "column4"] };
        let (targets, ignored) = (vec![names[0].to_owned()], vec![names[1].to_owned()]);
        let options = CsvOptions { targets, ignored, delimiter, header, comment, drop_missing, ..CsvOptions::default() };
        let text = if header { &text } else { &text[first.len()..] };
        check(text, &options, (parts, chunk));
    }
}

#[test]
fn what_cannot_be_cut_is_refused() {
    let plain = b"a,target\n1,2\n3,4\n";
    let packed = Temporary::new("packed.csv", &gzip(plain));
    let error = CsvParts::open(&packed, &CsvOptions::default()).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "bytes: expected a plain file, to read a part of it, found a packed one, or a stream"
        ),
        "{error}"
    );
    let file = Temporary::new("plain.csv", plain);
    let task = Task::Labels { classes: None };
    let error = CsvParts::open(&file, &CsvOptions { task, ..CsvOptions::default() }).unwrap_err();
    assert!(
        error.to_string().starts_with("CsvOptions::task = Labels { classes: None }"),
        "{error}"
    );
}

#[test]
fn a_file_that_changes_is_refused() {
    let file = Temporary::new("changed.csv", b"a,target\n1,2\n3,4\n");
    let options = CsvOptions::default();
    let before = CsvParts::open(&file, &options).unwrap();
    let survey =
        |part: &CsvParts| (0..2).map(|index| part.survey(index, 2)).collect::<Result<Vec<_>, _>>();
    let surveys = survey(&before).unwrap();
    std::fs::write(&file, b"a,target\n1,2\n3,4\n5,6\n").unwrap();
    let error = before.read(&surveys, 0).unwrap_err().to_string();
    assert!(error.ends_with("expected 17 bytes, found more"), "{error}");
    let error = CsvParts::open(&file, &options).unwrap().read(&surveys, 0).unwrap_err().to_string();
    assert!(error.contains("the survey of part 0 (from 0): expected bytes 9 to 15, as this reader has them, found bytes 9 to 13"), "{error}");
    std::fs::write(&file, b"a,target\n1,2\n").unwrap();
    let error = survey(&before).unwrap_err().to_string();
    assert!(error.ends_with("cut short: expected 17 bytes, found 13"), "{error}");
}

#[test]
fn data_of_its_rows_are_named_as_its_columns() {
    let file = Temporary::new("named.csv", b"size,target\n1,red\n2,green\n");
    let task = Task::Names(vec!["green".into(), "red".into()]);
    let options = CsvOptions { task, ..CsvOptions::default() };
    let bare = Dataset::from_labels(1, &[1.0, 2.0], 2, &[1, 0]).unwrap();
    let named = CsvParts::open(&file, &options).unwrap().name(bare).unwrap();
    assert_eq!(named, Dataset::from_csv_with(&file, &options).unwrap());
}
