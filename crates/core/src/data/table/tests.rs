//! Blocks: the table and the errors are the same whichever way they fall, and the records those of the csv crate.

use proptest::prelude::*;

use super::super::csv::blocks::Flight;
use super::super::source::Source;
use super::super::{ColumnKind, DataError, Table, TableOptions};
use super::Rows;
use super::read::delimited;

/// Read in blocks of `size` bytes, `count` at a time.
fn in_blocks(
    bytes: &[u8],
    options: &TableOptions,
    size: usize,
    count: usize,
) -> Result<Table, DataError> {
    let mut source = Source::of(bytes, options.max_bytes, "TableOptions").unwrap();
    delimited(&mut source, options, Flight { memory: 1, count, size })
}

/// All of it, bits of the cells included.
fn shown(result: &Result<Table, DataError>) -> String {
    let bits = |table: &Table| table.cells.iter().map(|cell| cell.to_bits()).collect::<Vec<_>>();
    format!("{result:?} {:?}", result.as_ref().map(bits))
}

/// As [`shown`], which says less where it is of a table of texts.
fn texts(table: &Table) -> Vec<Vec<Option<String>>> {
    let cell = |row: usize, column: usize| {
        let cell = table.cells[row * table.names.len() + column];
        let ColumnKind::Text { levels } = &table.kinds[column] else { panic!("{table:?}") };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        (!cell.is_nan()).then(|| levels[cell as usize].clone())
    };
    let row = |row| (0..table.names.len()).map(|column| cell(row, column)).collect();
    (0..table.rows()).map(row).collect()
}

/// Tokens of which files are made that are hard to cut.
const TOKENS: [&str; 26] = [
    ",",
    ",",
    ",",
    "\n",
    "\n",
    "\r\n",
    "\r",
    "\"",
    "\"",
    "\"\"",
    ",\"",
    "\",",
    "1",
    "-2.5",
    "1e3",
    "12345678901234567890",
    "red",
    "NA",
    "none",
    "#",
    " ",
    "\t",
    "é",
    "2024-05-17",
    ";",
    "inf",
];

fn rows_of(tokens: &[&str]) -> Vec<u8> {
    tokens.concat().into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn blocks_may_fall_anywhere(
        tokens in proptest::collection::vec(proptest::sample::select(&TOKENS[..]), 0..60),
        delimiter in proptest::sample::select(&b",; \t"[..]),
        comment in proptest::sample::select(&[None, Some(b'#')][..]),
        header in proptest::sample::select(&[None, Some(true), Some(false)][..]),
        size in 1..20_usize,
        count in 1..4_usize,
    ) {
        let bytes = rows_of(&tokens);
        let options = TableOptions { delimiter: Some(delimiter), comment, header, ..TableOptions::default() };
        let whole = shown(&in_blocks(&bytes, &options, 1 << 20, 1));
        prop_assert_eq!(shown(&in_blocks(&bytes, &options, size, count)), whole);
    }

    #[test]
    fn regular_tables_are_read_alike_in_blocks(
        rows in proptest::collection::vec(proptest::collection::vec(proptest::sample::select(
            &["1", "-2.5", "\"1\"", " 7 ", "NA", "none", "red", "\"a\nb\"", "\"a,\"\"b\"", "", "-999", "1e400", "2024-05-17"][..]), 3), 1..40),
        end in proptest::sample::select(&["\n", "\r\n", "\r"][..]),
        last in any::<bool>(),
        size in 1..40_usize,
    ) {
        let lines: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
        let text = format!("a,b,c{end}{}{}", lines.join(end), if last { end } else { "" });
        let options = TableOptions { missing: vec!["-999".to_owned()], ..TableOptions::default() };
        let whole = in_blocks(text.as_bytes(), &options, 1 << 20, 1);
        prop_assert!(whole.is_ok() || rows.iter().all(|row| row[1..].iter().all(|field| field.is_empty())), "{whole:?}");
        prop_assert_eq!(shown(&in_blocks(text.as_bytes(), &options, size, 3)), shown(&whole));
    }

    #[test]
    fn records_are_those_of_the_csv_crate(
        bytes in proptest::collection::vec(proptest::sample::select(&b"ab1,,;\"\"\n\n\r#"[..]), 0..60),
        delimiter in proptest::sample::select(&b",;"[..]),
        comments in any::<bool>(),
        size in 1..30_usize,
    ) {
        let comment = comments.then_some(b'#');
        // A comment of the csv crate ends with LF only.
        let bytes: Vec<u8> = bytes.into_iter().filter(|byte| !(comments && *byte == b'\r')).collect();
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false).flexible(true).delimiter(delimiter).comment(comment).from_reader(&bytes[..]);
        let blank = |record: &Vec<String>| record.len() <= 1 && record.iter().all(String::is_empty);
        let records = reader.records().map(|record| record.unwrap().iter().map(|field| field.trim().to_owned()).collect());
        let records: Vec<Vec<String>> = records.filter(|record| !blank(record)).collect();
        let ends_empty = |record: &Vec<String>| record.len() > 1 && record[record.len() - 1].is_empty();
        let options = TableOptions {
            delimiter: Some(delimiter), comment: comment.or(Some(b'%')), header: Some(false), categorical: vec!["*".into()], ..TableOptions::default()
        };
        let found = in_blocks(&bytes, &options, size, 2);
        let Some(first) = records.first() else {
            prop_assert!(matches!(found, Err(DataError::NoData { .. })), "{:?}", found);
            return Ok(());
        };
        let trailing = records.iter().all(ends_empty);
        let width = first.len() - usize::from(trailing);
        let ragged = records.iter().map(|record| record.len() - usize::from(trailing)).find(|&length| length != width);
        match found {
            Err(DataError::Ragged { expected, found, .. }) => prop_assert_eq!((Some(found), expected), (ragged, width)),
            // One column of fields that another sign parts.
            Err(DataError::OneColumn { .. }) => prop_assert_eq!(width, 1),
            Err(error) => prop_assert!(false, "{}", error),
            Ok(table) => {
                prop_assert_eq!(ragged, None);
                let wanted: Vec<Vec<Option<String>>> = records
                    .into_iter()
                    .map(|record| record.into_iter().take(width).map(|field| (!field.is_empty()).then_some(field)).collect())
                    .collect();
                prop_assert_eq!(texts(&table), wanted);
            }
        }
    }
}

/// Where every line ends with a delimiter, an empty last field is no column, however it is written.
#[test]
fn an_empty_field_between_quotes_ends_a_line_too() {
    let options =
        TableOptions { delimiter: Some(b';'), header: Some(false), ..TableOptions::default() };
    for text in [";;\naa;\"", ";;\naa;\"\"\n", ";;\naa;\" \"\n", ";;\naa;\n"] {
        let found = in_blocks(text.as_bytes(), &options, 1, 2);
        assert!(
            matches!(found, Err(DataError::Ragged { found: 1, expected: 2, .. })),
            "{text:?} {found:?}"
        );
    }
}

#[test]
fn lines_are_counted_over_blocks() {
    let text = "\n# one\na,b\n1,2\n\n\"x\ny\",\"3\r\n4\"\r\n5,6\r7,8\n";
    for size in [1, 5, 1000] {
        let options = TableOptions { comment: Some(b'#'), ..TableOptions::default() };
        let table = in_blocks(text.as_bytes(), &options, size, 2).unwrap();
        assert_eq!(table.rows, Rows::Lines(vec![4, 6, 9, 10]), "{size}");
    }
}

#[test]
fn the_first_bad_line_is_the_one_that_is_named() {
    let good = "1,2\n".repeat(300);
    let ragged = format!("a,b\n{good}1,2,3\n{good}1\n");
    let text = [format!("a,b\n{good}").as_bytes(), b"\xff,1\n1,2,3\n"].concat();
    for size in [1, 64, 1000, 1 << 20] {
        let error = in_blocks(ragged.as_bytes(), &TableOptions::default(), size, 4).unwrap_err();
        assert_eq!(error.to_string(), "bytes, line 302: expected 2 fields, found 3");
        let error = in_blocks(&text, &TableOptions::default(), size, 4).unwrap_err();
        assert_eq!(error.to_string(), "bytes, line 302: not UTF-8 text");
    }
}

#[test]
fn a_table_does_not_depend_on_the_threads() {
    let row = |row: u32| format!("{},\"name, {}\",{}\n", f64::from(row) / 7.0, row % 1000, row % 3);
    let text: String = std::iter::once("a,b,c\n".to_owned()).chain((0..200_000).map(row)).collect();
    let read = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        shown(&pool.install(|| Table::from_bytes(text.as_bytes(), &TableOptions::default())))
    };
    let one = read(1);
    assert!(one.contains("name, 999") && text.len() > 4 << 20);
    assert!(read(2) == one && read(5) == one);
}
