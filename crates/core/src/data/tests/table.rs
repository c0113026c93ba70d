//! Tables as people have them: what is found out of a file, and what is refused.

use super::super::{ColumnKind, DataError, Table, TableOptions};
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
