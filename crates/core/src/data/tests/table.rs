//! Tables as people have them: what is found out of a file, and what is refused.

use super::super::{ColumnKind, DataError, Remedy, Table, TableOptions};
use super::{Temporary, gzip};

fn read(text: impl AsRef<[u8]>, options: &TableOptions) -> Result<Table, DataError> {
    Table::from_bytes(text.as_ref(), options)
}

fn table(text: impl AsRef<[u8]>) -> Table {
    read(text, &TableOptions::default()).unwrap()
}

fn message(result: Result<Table, DataError>) -> String {
    result.unwrap_err().to_string()
}

fn columns(table: &Table) -> Vec<Vec<f64>> {
    (0..table.names().len()).map(|index| table.column(index).collect()).collect()
}

fn texts(levels: &[&str]) -> ColumnKind {
    ColumnKind::Text { levels: levels.iter().map(|&level| level.to_owned()).collect() }
}

#[test]
fn one_table_is_found_in_files_of_twenty_kinds() {
    let wanted = table("a,b,c\n1.5,2,red\n-4,5e3,blue\n0.5,7,red\n");
    assert_eq!(wanted.names(), ["a", "b", "c"]);
    assert_eq!(columns(&wanted), [[1.5, -4.0, 0.5], [2.0, 5000.0, 7.0], [0.0, 1.0, 0.0]]);
    assert_eq!(wanted.kinds(), [ColumnKind::Number, ColumnKind::Number, texts(&["red", "blue"])]);
    assert_eq!(wanted.notes(), [""; 0]);
    let base = TableOptions::default;
    let german = || TableOptions { decimal: ',', ..base() };
    for (text, options, notes) in [
        ("a;b;c\n1.5;2;red\n-4;5e3;blue\n0.5;7;red\n", base(), "parted by `;`"),
        ("a\tb\tc\n1.5\t2\tred\n-4\t5e3\tblue\n0.5\t7\tred\n", base(), "parted by `\\t`"),
        ("a|b|c\n1.5|2|red\n-4|5e3|blue\n0.5|7|red\n", base(), "parted by `|`"),
        (" a  b   c\n1.5  2 red\n -4 5e3 blue\n0.5 7 \t red\n", base(), "runs of blanks"),
        ("a;b;c\n1,5;2;red\n-4;5e3;blue\n0,5;7;red\n", german(), "parted by `;`"),
        ("a b c\n1,5 2 red\n-4 5e3 blue\n0,5 7 red\n", german(), "runs of blanks"),
        ("a\tb\tc\n1,5\t2\tred\n-4\t5e3\tblue\n0,5\t7\tred\n", german(), "parted by `\\t`"),
        (
            "\"a\",\"b\",\"c\"\n\"1,5\",2,red\n-4,5e3,blue\n\"0,5\",7,red\n",
            TableOptions { delimiter: Some(b','), ..german() },
            "",
        ),
        (
            "a;b;c\n1,5;2;red\n-4;5.000;blue\n0,5;7;red\n",
            TableOptions { thousands: Some('.'), ..german() },
            "parted by `;`",
        ),
        (
            "a,b,c\n1.5,2,red\n-4,\"5,000\",blue\n0.5,7,red\n",
            TableOptions { thousands: Some(','), ..base() },
            "",
        ),
        ("\u{feff}a,b,c\r\n1.5,2,red\r\n\r\n-4,5e3,blue\r\n0.5,7,red", base(), ""),
        ("a,b,c\r1.5,2,red\r-4,5e3,blue\r0.5,7,red\r", base(), ""),
        ("\n\na,b,c\n\n  \n1.5,2,red\n-4,5e3,blue\n\n0.5,7,red\n\n", base(), ""),
        ("\"a\" , b,\"c\"\n\"1.5\",2, red \n -4, +5000.,\"blue\"\n.5,0007,\"red\"\n", base(), ""),
        (
            "# from May\na,b,c\n1.5,2,red\n# later\n-4,5e3,blue\n0.5,7,red\n",
            base(),
            "lines that begin with `#` are left out",
        ),
        (
            "a,b,c\n1.5,2,red\n% later\n-4,5e3,blue\n0.5,7,red\n",
            TableOptions { comment: Some(b'%'), ..base() },
            "",
        ),
        ("a,b,c,\n1.5,2,red,\n-4,5e3,blue,\n0.5,7,red,\n", base(), "at the end of each line"),
        ("a,b,c\n1.5,2,red,\n-4,5e3,blue,\n0.5,7,red,\n", base(), "at the end of each line"),
        ("a,b,c,\n1.5,2,red\n-4,5e3,blue\n0.5,7,red\n", base(), ""),
        ("a;b;c;\n1.5;2;red;\n-4;5e3;blue;\n0.5;7;red;\n", base(), "at the end of each line"),
    ] {
        let found = read(text, &options).unwrap_or_else(|error| panic!("{text:?}\n{error}"));
        assert_eq!(
            (found.names(), columns(&found)),
            (wanted.names(), columns(&wanted)),
            "{text:?}"
        );
        assert_eq!(found.kinds(), wanted.kinds(), "{text:?}");
        assert!(
            found.notes().iter().any(|note| note.contains(notes)) || notes.is_empty(),
            "{:?}",
            found.notes()
        );
        assert!(found.notes().is_empty() != found.notes().iter().any(|note| !note.is_empty()));
    }
}

#[test]
fn a_file_is_read_whether_packed_named_or_piped() {
    let text = "a,b\n1,2\n3,4\n";
    let wanted = columns(&table(text));
    let file = Temporary::new("t.csv", &gzip(text.as_bytes()));
    let options = TableOptions::default();
    let found = Table::read(&file, &options).unwrap();
    assert_eq!((columns(&found), found.file()), (wanted.clone(), file.as_ref()));
    let piped = Table::from_reader(text.as_bytes(), "-".as_ref(), &options).unwrap();
    assert_eq!((columns(&piped), piped.file()), (wanted, "-".as_ref()));
}

#[test]
fn a_first_line_of_numbers_is_no_header() {
    for (text, names, rows) in [
        ("1,2\n3,4\n", ["column1", "column2"], 2),
        ("1,\n3,4\n", ["column1", "column2"], 2),
        ("1,x\n3,4\n", ["1", "x"], 1),
        ("NA,\n3,4\n", ["NA", "column2"], 1),
    ] {
        let found = table(text);
        assert_eq!(
            (found.names(), found.rows()),
            (&names.map(str::to_owned)[..], rows),
            "{text:?}"
        );
    }
    let named = read("1,2\n3,4\n", &TableOptions { header: Some(true), ..TableOptions::default() });
    assert_eq!(named.unwrap().names(), ["1", "2"]);
    let unnamed =
        read("a,b\nc,d\n", &TableOptions { header: Some(false), ..TableOptions::default() });
    assert_eq!(unnamed.unwrap().kinds()[0], texts(&["a", "c"]));
}

#[test]
fn a_refused_file_is_named_with_line_and_remedy() {
    let said = |delimiter| TableOptions { delimiter: Some(delimiter), ..TableOptions::default() };
    let german = TableOptions { decimal: ',', ..TableOptions::default() };
    let base = TableOptions::default;
    for (text, options, wanted) in [
        ("", base(), "bytes: no rows"),
        ("\n\r\n  \n", base(), "bytes: no rows"),
        ("a,b\n", base(), "bytes: no rows"),
        ("# only\n", base(), "bytes: no rows"),
        ("a,b\n1,2\n\n3\n", base(), "bytes, line 4: expected 2 fields, found 1"),
        ("a,b\n1,2\n1,2,3\n", base(), "bytes, line 3: expected 2 fields, found 3"),
        (
            "Report of May\n\na,b,c\n1,2,3\n4,5,6\n7,8,9\n",
            base(),
            "bytes, line 3: expected 1 fields, found 3",
        ),
        (
            "a,b\n1,2\n3,4\n% end\n",
            base(),
            "bytes, line 4: expected 2 fields, found 1: a comment? `TableOptions { comment: Some(b'%'), .. }` leaves such lines out",
        ),
        (
            "a;b;c\n1;2;3\n",
            said(b','),
            "bytes: one column `a;b;c`: is the delimiter `;`? `TableOptions { delimiter: Some(b';'), .. }`",
        ),
        // One name above two fields would be an index, as in R; here it is a decimal comma.
        (
            "x\n1,5\n2,5\n",
            base(),
            "bytes, line 2: expected 1 fields, found 2: is it 1.5, `TableOptions { decimal: ',', .. }`?",
        ),
        (
            "a;b\n1,5;2\n2,25;3\n",
            base(),
            "bytes, line 2, column \"a\": expected a number, found \"1,5\": is it 1.5, `TableOptions { decimal: ',', .. }`, \
             or a text, `TableOptions { categorical: vec![\"a\".into()], .. }`?",
        ),
        (
            "a;b\n7;\n;1.234,5\n",
            base(),
            "bytes, line 3, column \"b\": expected a number, found \"1.234,5\": is it 1234.5, `TableOptions { decimal: ',', thousands: Some('.'), .. }`, \
             or a text, `TableOptions { categorical: vec![\"b\".into()], .. }`?",
        ),
        (
            "a;b\n1.5;2\n2.25;3\n",
            german.clone(),
            "bytes, line 2, column \"a\": expected a number, found \"1.5\": is it 1.5, `TableOptions { decimal: '.', .. }`, \
             or a text, `TableOptions { categorical: vec![\"a\".into()], .. }`?",
        ),
        (
            "height,colour\n1,2\n",
            TableOptions { categorical: vec!["color".into()], ..base() },
            "bytes: no column \"color\" among [\"height\", \"colour\"]: did you mean `colour`?",
        ),
        (
            "a,b\n1,2\n",
            TableOptions { categorical: vec!["x*".into()], ..base() },
            "bytes: no column \"x*\" among [\"a\", \"b\"]",
        ),
        (
            "a,b\n1,2\n",
            said(b'"'),
            "TableOptions::delimiter = b'\\\"': expected an ASCII sign, no quote and no line end",
        ),
        (
            "a,b\n1,2\n",
            TableOptions { thousands: Some('.'), ..base() },
            "TableOptions::thousands = '.': expected no letter, digit, sign, quote or line end, and not the decimal sign",
        ),
    ] {
        assert_eq!(message(read(text, &options)), wanted, "{text:?}");
    }
    let text = [b"a,b\n1,2\n\"x\ny\",", &b"\xff\n"[..]].concat();
    assert_eq!(message(read(text, &base())), "bytes, line 3: not UTF-8 text");
    assert_eq!(
        message(read(b"\xff\xfea\0,\0b\0", &base())),
        "bytes: expected UTF-8 text at the start, found a byte order mark of UTF-16"
    );
    let error = read("a;b\n1,5;2\n2,25;3\n", &base()).unwrap_err();
    let wanted = [
        Remedy::Numbers { decimal: ',', thousands: None, value: 1.5 },
        Remedy::Categorical("a".to_owned()),
    ];
    assert_eq!(error.remedies(), wanted);
    assert_eq!(
        error.with_words(": is it 1.5, `--decimal ,`?").to_string(),
        "bytes, line 2, column \"a\": expected a number, found \"1,5\": is it 1.5, `--decimal ,`?"
    );
}

#[test]
fn a_column_is_what_stands_in_it() {
    let one = |fields: &[&str], options: &TableOptions| {
        let text = format!("x,n\n{}\n", fields.join(",1\n") + ",1");
        let found = read(text, options).unwrap();
        (
            found.kinds()[0].clone(),
            found.column(0).map(|cell| format!("{cell}")).collect::<Vec<_>>().join(" "),
        )
    };
    let base = TableOptions::default();
    let mixed = |numbers, texts, row, found: &str| ColumnKind::Mixed {
        numbers,
        texts,
        row,
        found: found.to_owned(),
    };
    let date = |row, found: &str| ColumnKind::Date { row, found: found.to_owned() };
    for (fields, kind, cells) in [
        (&["1", "2"][..], ColumnKind::Number, "1 2"),
        (&["inf", "-Infinity", "1e400"], ColumnKind::Number, "inf -inf inf"),
        (&["+3", ".5", "1e5", "0010", "-0", "5."], ColumnKind::Number, "3 0.5 100000 10 -0 5"),
        (&["\"1\"", "\" 2 \"", " 3", " \"4\""], ColumnKind::Number, "1 2 3 4"),
        (
            &["1", "", "NA", "?", "nan", "-NaN", ".", "null", "None", "#N/A", "2"],
            ColumnKind::Number,
            "1 NaN NaN NaN NaN NaN NaN NaN NaN NaN 2",
        ),
        (&["", "NA", "none"], ColumnKind::Number, "NaN NaN NaN"),
        (&["red", "blue", "red"], texts(&["red", "blue"]), "0 1 0"),
        // A word may be a level among texts, where it is a missing number among numbers.
        (
            &["mild", "", "none", "severe", "none", "NA", "mild"],
            texts(&["mild", "none", "severe"]),
            "0 NaN 1 2 1 NaN 0",
        ),
        (&["none", "mild"], texts(&["none", "mild"]), "0 1"),
        (&["0x1f", "1_000", "1e", "12 3"], texts(&["0x1f", "1_000", "1e", "12 3"]), "0 1 2 3"),
        (&["1.2.3", "1.2.4"], texts(&["1.2.3", "1.2.4"]), "0 1"),
        (&["\"a, \"\"b\"\"\"", " \"c\" ", "c"], texts(&["a, \"b\"", "c"]), "0 1 1"),
        (&["1", "2", "red", "none", "3", "blue"], mixed(3, 2, 2, "red"), "1 2 NaN NaN 3 NaN"),
        (&["red", "red", "1.50", "2", "blue"], mixed(2, 3, 2, "1.50"), "NaN NaN 1.5 2 NaN"),
        (&["1", "red"], mixed(1, 1, 1, "red"), "1 NaN"),
        (&["2024-05-17", "", "2024-05-18"], date(0, "2024-05-17"), "NaN NaN NaN"),
        (&["none", "17.05.2024", "18.05.2024"], date(1, "17.05.2024"), "NaN NaN NaN"),
        (&["12:30:00", "2024-05-17 12:30:00", "5/17/2024"], date(0, "12:30:00"), "NaN NaN NaN"),
        (&["2024-05-17", "later"], texts(&["2024-05-17", "later"]), "0 1"),
        (&["2024-05-17", "7"], mixed(1, 1, 0, "2024-05-17"), "NaN 7"),
    ] {
        assert_eq!(one(fields, &base), (kind, cells.to_owned()), "{fields:?}");
    }
    let options = TableOptions {
        missing: vec!["-999".to_owned(), "unknown".to_owned()],
        categorical: vec!["x*".to_owned()],
        ..base.clone()
    };
    assert_eq!(
        one(&["7", "07", "red", "7", "", "none", "unknown", "-999", "-999.0", "NA"], &options),
        (texts(&["7", "07", "red", "none", "-999.0"]), "0 1 2 0 NaN 3 NaN NaN 4 NaN".to_owned())
    );
    let options = TableOptions { categorical: Vec::new(), ..options };
    // A number that stands for a missing one does so however it is written.
    assert_eq!(
        one(&["7", "-999", "unknown", "-999.0", "-9.99e2", "8"], &options),
        (ColumnKind::Number, "7 NaN NaN NaN NaN 8".to_owned())
    );
    assert_eq!(one(&["red", "unknown", "red"], &options), (texts(&["red"]), "0 NaN 0".to_owned()));
}

#[test]
fn names_are_found_or_given() {
    let wanted = |text: &str, names: &[&str], unnamed: &[usize], note: &str| {
        let found = table(text);
        assert_eq!(
            (found.names(), &found.unnamed[..]),
            (&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()[..], unnamed),
            "{text:?}"
        );
        assert!(found.notes().iter().any(|found| found.contains(note)), "{:?}", found.notes());
    };
    wanted("x,x,y,x\n1,2,3,4\n", &["x", "x.2", "y", "x.3"], &[], "x.2 (column 2), x.3 (column 4)");
    wanted(
        ",a,\n0,1,2\n1,3,4\n",
        &["column1", "a", "column3"],
        &[0, 2],
        "without a name in the header: column1, column3",
    );
    wanted("a,b\nr1,1,2\nr2,3,4\n", &["row", "a", "b"], &[0], "one name fewer");
    wanted("\"a\"\n\"1\",2\n\"2\",3\n", &["row", "a"], &[0], "one name fewer");
    wanted("\"a\" \"b\"\n\"Mazda RX4\" 1 2\n\"Fiat\" 3 4\n", &["row", "a", "b"], &[0], "");
    let many: Vec<String> = (0..5000).map(|index| format!("n{index}")).collect();
    let wide = table(format!(
        "{}\n{}\n{}\n",
        many.join(","),
        vec!["1"; 5000].join(","),
        vec!["2"; 5000].join(",")
    ));
    assert_eq!((wide.names(), wide.rows()), (&many[..], 2));
    assert_eq!(wide.cells[4999..5001], [1.0, 2.0]);
}

#[test]
fn a_table_takes_no_more_than_its_limit() {
    let text = format!("a,b\n{}", "1,2\n".repeat(100_000));
    // Two cells and the line of each row; a quarter is kept for what is read meanwhile.
    let table = 100_000 * (2 * 8 + 4);
    let read = |max_bytes| read(&text, &TableOptions { max_bytes, ..TableOptions::default() });
    assert_eq!(read(table * 4 / 3 + 4096).unwrap().rows(), 100_000);
    let error = read(table * 4 / 3 - 4096).unwrap_err();
    assert!(
        error.to_string().ends_with("`TableOptions { max_bytes: …, .. }` sets another"),
        "{error}"
    );
    // Levels count, and so does a header.
    let ids: Vec<String> = (0..20_000).map(|index| format!("name-{index}\n")).collect();
    let ids = ids.concat();
    let options = TableOptions { max_bytes: 1 << 20, ..TableOptions::default() };
    assert!(matches!(
        super::table::read(format!("id\n{ids}"), &options),
        Err(DataError::OverLimit { .. })
    ));
    let wide = (0..100_000).map(|index| format!("n{index}")).collect::<Vec<_>>().join(",");
    assert!(matches!(
        super::table::read(format!("{wide}\n{wide}\n"), &options),
        Err(DataError::OverLimit { .. })
    ));
    // A file that unpacks to a hundred times its size.
    let bomb = gzip("1,2\n".repeat(1 << 20).as_bytes());
    assert!(bomb.len() < 1 << 15);
    assert!(matches!(super::table::read(&bomb, &options), Err(DataError::OverLimit { .. })));
}
