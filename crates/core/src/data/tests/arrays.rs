//! Tables from files of numbers, found by their first bytes, their names or their lines.

use std::path::{Path, PathBuf};

use super::super::{ColumnKind, DataError, Table, TableFormat, TableOptions};
use super::{Temporary, gzip, idx, npy, shipped_file};

/// A file that another library wrote: `tests/fixtures/make_tables.py`.
fn written(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(name)
}

fn read(bytes: &[u8]) -> Result<Table, DataError> {
    Table::from_bytes(bytes, &TableOptions::default())
}

/// Names, and cells as they are shown.
fn shown(table: &Table) -> (Vec<&str>, String) {
    let names = table.names().iter().map(String::as_str).collect();
    (names, table.cells.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
}

fn le(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

#[test]
fn an_array_is_a_table_of_numbers() {
    let f8 = le(&[1.0, 2.0, f64::NAN, f64::INFINITY, 5.0, 6.0]);
    for (file, names, cells) in [
        (npy("<f8", false, "(3, 2)", &f8), &["x1", "x2"][..], "1 2 NaN inf 5 6"),
        (npy("<f8", true, "(3, 2)", &f8), &["x1", "x2"], "1 inf 2 5 NaN 6"),
        (npy("<f8", false, "(6,)", &f8), &["x1"], "1 2 NaN inf 5 6"),
        (gzip(&npy("<f8", false, "(2, 3)", &f8)), &["x1", "x2", "x3"], "1 2 NaN inf 5 6"),
        (idx(&[2, 1, 2], &[0, 255, 7, 8]), &["x1", "x2"], "0 255 7 8"),
    ] {
        let found = read(&file).unwrap();
        assert_eq!(shown(&found), (names.to_vec(), cells.to_owned()));
        assert!(found.kinds().iter().all(|kind| *kind == ColumnKind::Number));
        let piped = Table::from_reader(&file[..], "-".as_ref(), &TableOptions::default()).unwrap();
        assert_eq!(shown(&piped), shown(&found));
    }
    assert_eq!(
        read(&npy("<f8", false, "(0, 2)", &[])).unwrap_err().to_string(),
        "bytes: no samples"
    );
    // A header that promises more than there is asks for no memory.
    for whole in
        [npy("<f8", false, "(100000000, 2)", &f8), gzip(&npy("<f8", false, "(100000000, 2)", &f8))]
    {
        let error = read(&whole).unwrap_err();
        assert!(matches!(error, DataError::CutShort { .. }), "{error}");
    }
}

#[test]
fn a_long_array_is_read_in_parts() {
    // Three parts and a bit, in either order; sample j has j and −j.
    let samples = 200_000_u32;
    let rows: Vec<f64> = (0..samples).flat_map(|j| [f64::from(j), -f64::from(j)]).collect();
    let columns: Vec<f64> =
        (0..samples).map(f64::from).chain((0..samples).map(|j| -f64::from(j))).collect();
    let shape = format!("({samples}, 2)");
    for (order, numbers) in [(false, &rows), (true, &columns)] {
        let file = npy("<f8", order, &shape, &le(numbers));
        assert_eq!(read(&file).unwrap().cells, rows);
        assert_eq!(read(&gzip(&file)).unwrap().cells, rows);
        let cut = Temporary::new("cut.npy", &file[..file.len() - 3]);
        let error = Table::read(&cut, &TableOptions::default()).unwrap_err();
        let wanted = format!("expected {} bytes, found {}", file.len(), file.len() - 3);
        assert!(error.to_string().ends_with(&wanted), "{error}");
        let error = read(&gzip(&file[..file.len() - 3])).unwrap_err();
        assert!(error.to_string().ends_with(&wanted), "{error}");
        let long = gzip(&[&file[..], &[0]].concat());
        assert!(matches!(read(&long), Err(DataError::TrailingBytes { .. })));
    }
}

#[test]
fn options_reach_columns_of_numbers() {
    let file = npy("<f8", false, "(3, 2)", &le(&[1.0, -999.0, 2.5, 7.0, 1.0, 8.0]));
    let options = TableOptions {
        missing: vec!["-999".into()],
        categorical: vec!["x1".into()],
        ..TableOptions::default()
    };
    let found = Table::from_bytes(&file, &options).unwrap();
    assert_eq!(found.kinds()[0], ColumnKind::Text { levels: vec!["1".into(), "2.5".into()] });
    assert_eq!(shown(&found).1, "0 NaN 1 7 0 8");
}

#[test]
fn an_archive_of_numpy_has_its_arrays_beside_each_other() {
    for source in [
        std::fs::read(written("table.npz")).unwrap(),
        gzip(&std::fs::read(written("table.npz")).unwrap()),
    ] {
        let found = read(&source).unwrap();
        assert_eq!(
            shown(&found),
            (vec!["x1", "x2", "n", "y"], format!("0.5 -1 1 1 2 NaN -2 0 {} 7 3 1", 1e300))
        );
    }
    assert_eq!(
        shown(&Table::read(written("table.npz"), &TableOptions::default()).unwrap()).0.len(),
        4
    );
    let error =
        Table::read(written("texts.npz"), &TableOptions::default()).unwrap_err().to_string();
    assert!(error.contains("texts.npz/colour.npy: element type <U4 is not supported"), "{error}");
    let zipped = |members: &[(&str, Vec<u8>)]| {
        use std::io::Write;
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in members {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    let (three, two) =
        (npy("<f8", false, "(3,)", &le(&[1.0; 3])), npy("<f8", false, "(2,)", &le(&[1.0; 2])));
    assert_eq!(
        read(&zipped(&[("a.npy", three.clone()), ("b.npy", two)])).unwrap_err().to_string(),
        "bytes/b.npy, shape: expected 3 rows, as in `a`, found 2"
    );
    let (pairs, both) = (npy("<f8", false, "(3, 2)", &le(&[2.0; 6])), "a1 a2 a1.2");
    let found = read(&zipped(&[("a.npy", pairs), ("a1.npy", three)])).unwrap();
    assert_eq!(found.names().join(" "), both);
    assert_eq!(read(&zipped(&[])).unwrap_err().to_string(), "bytes: no arrays");
    assert_eq!(
        read(&zipped(&[("readme.txt", Vec::new())])).unwrap_err().to_string(),
        "bytes: expected a plain file, one packed by gzip, or an archive of NumPy (.npz) at the start, found a zip archive with readme.txt"
    );
    assert!(matches!(read(b"PK\x03\x04rubbish"), Err(DataError::Io { .. })));
}

#[test]
fn a_sparse_file_becomes_a_table_with_its_zeros() {
    let text = b"1 1:0.5 3:2\n# a comment\n-1 2:1 # another\n\n0.5 1:1 2:1 3:1\n";
    let found = read(text).unwrap();
    assert_eq!(
        shown(&found),
        (vec!["target", "x1", "x2", "x3"], "1 0.5 0 2 -1 0 1 0 0.5 1 1 1".to_owned())
    );
    assert_eq!(found.row_name(1), "line 3");
    let from_zero = Temporary::new("a.svm", b"1 0:5\n2 1:6\n");
    let found = Table::read(&from_zero, &TableOptions::default()).unwrap();
    assert_eq!(shown(&found), (vec!["target", "x0", "x1"], "1 5 0 2 0 6".to_owned()));
    let error = read(b"1 1:0.5 3:2\n1 1:0.5 3:a\n").unwrap_err().to_string();
    assert_eq!(error, "bytes, line 2, column \"x3\": expected a number, found \"a\"");
}

#[test]
fn other_files_are_refused_by_name() {
    for (bytes, wanted) in [
        (&b"\xfd7zXZ\0\0"[..], "found an xz archive"),
        (b"BZh91AY", "found a bzip2 archive"),
        (b"\x28\xb5\x2f\xfd\0", "found a zstd archive"),
    ] {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.ends_with(wanted), "{error}");
    }
    let options = TableOptions { format: Some(TableFormat::Npy), ..TableOptions::default() };
    let error = Table::read(shipped_file("concrete.csv"), &options).unwrap_err().to_string();
    assert!(error.contains("expected \\x93NUMPY"), "{error}");
    #[cfg(not(feature = "parquet"))]
    for name in ["table.parquet", "table.arrow"] {
        let error = Table::read(written(name), &TableOptions::default()).unwrap_err().to_string();
        assert!(error.contains("take the feature `parquet`"), "{error}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn columns_of_parquet_and_arrow_keep_their_types() {
    let texts = |levels: &[&str]| ColumnKind::Text {
        levels: levels.iter().map(|&level| level.to_owned()).collect(),
    };
    let date = |row, found: &str| ColumnKind::Date { row, found: found.to_owned() };
    let wanted: &[(&str, ColumnKind, &str)] = &[
        ("f8", ColumnKind::Number, "1.5 NaN inf -2 NaN 3"),
        (
            "f4",
            ColumnKind::Number,
            "0.10000000149011612 0.20000000298023224 0.30000001192092896 NaN 0.5 0.6000000238418579",
        ),
        ("i8", ColumnKind::Number, "1 -2 NaN 4 5 9007199254740992"),
        ("u1", ColumnKind::Number, "0 255 1 2 3 NaN"),
        ("flag", ColumnKind::Number, "1 0 NaN 1 1 0"),
        ("text", texts(&["red", "blue", "green"]), "0 1 NaN 0 NaN 2"),
        ("large", texts(&["red", "blue", "green"]), "0 1 NaN 0 NaN 2"),
        ("category", texts(&["red", "blue", "green"]), "0 1 NaN 0 NaN 2"),
        // The file says that they are texts.
        ("digits", texts(&["1", "2", "x"]), "0 1 NaN 1 NaN 2"),
        ("price", ColumnKind::Number, "1.25 -0.5 NaN 1.25 -0.5 NaN"),
        ("day", date(1, "2024-05-17"), "NaN NaN NaN NaN NaN NaN"),
        ("time", date(1, "2024-05-17 00:30:00"), "NaN NaN NaN NaN NaN NaN"),
        ("nothing", ColumnKind::Number, "NaN NaN NaN NaN NaN NaN"),
    ];
    let check = |table: &Table| {
        for (index, (name, kind, cells)) in wanted.iter().enumerate() {
            let found: Vec<String> = table.column(index).map(|cell| cell.to_string()).collect();
            assert_eq!(
                (&*table.names()[index], &table.kinds()[index], &*found.join(" ")),
                (*name, kind, *cells)
            );
        }
        assert_eq!((table.rows(), table.names().len()), (6, wanted.len()));
    };
    for name in ["table.parquet", "table-zstd.parquet", "table.arrow"] {
        check(&Table::read(written(name), &TableOptions::default()).unwrap());
        let bytes = std::fs::read(written(name)).unwrap();
        check(&read(&bytes).unwrap());
        check(&read(&gzip(&bytes)).unwrap());
        for length in [8, 100, bytes.len() / 2, bytes.len() - 1] {
            let error = read(&bytes[..length]).unwrap_err();
            assert!(matches!(error, DataError::Io { .. }), "{error}");
        }
        let small = TableOptions { max_bytes: 600, ..TableOptions::default() };
        assert!(matches!(Table::from_bytes(&bytes, &small), Err(DataError::OverLimit { .. })));
    }
    let options = TableOptions {
        missing: vec!["-2".into(), "blue".into()],
        categorical: vec!["u1".into()],
        ..TableOptions::default()
    };
    let found = Table::read(written("table.parquet"), &options).unwrap();
    assert_eq!(found.kinds()[3], texts(&["0", "255", "1", "2", "3"]));
    assert_eq!(found.kinds()[5], texts(&["red", "green"]));
    assert_eq!(
        found.column(2).map(|cell| cell.to_string()).collect::<Vec<_>>().join(" "),
        "1 NaN NaN 4 5 9007199254740992"
    );
    let error = Table::read(written("lists.parquet"), &TableOptions::default()).unwrap_err();
    assert!(error.to_string().ends_with("no columns of numbers or texts"), "{error}");
}
