//! The binary formats, and NIST's text.

use super::super::{
    DataError, Dataset, IdxOptions, NistLinear, NistNonlinear, NpyOptions, PixelScale, Targets,
    Task, Term,
};
use super::{Temporary, gzip, idx, idx_of, npy, shipped_file};

fn le<const B: usize, T: Copy>(numbers: &[T], bytes: impl Fn(T) -> [u8; B]) -> Vec<u8> {
    numbers.iter().flat_map(|&number| bytes(number)).collect()
}

fn inputs_of(file: &[u8]) -> Result<Dataset, DataError> {
    let targets = npy("<f8", false, "(3,)", &le(&[7.0, 8.0, 9.0], f64::to_le_bytes));
    Dataset::from_npy(Temporary::new("x.npy", file), Temporary::new("y.npy", &targets))
}

/// 3 samples of 2 features: 1 2, 3 4, 5 6.
const ROWS: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

#[test]
fn npy_gives_the_same_table_for_every_type_and_order() {
    let f8 = le(&ROWS, f64::to_le_bytes);
    let plain = inputs_of(&npy("<f8", false, "(3, 2)", &f8)).unwrap();
    assert_eq!(plain.inputs(), ROWS);
    assert_eq!(plain.targets(), &Targets::Values { rows: 1, values: vec![7.0, 8.0, 9.0] });
    let by_columns = le(&[1.0, 3.0, 5.0, 2.0, 4.0, 6.0], f64::to_le_bytes);
    for same in [
        npy("<f8", true, "(3, 2)", &by_columns),
        npy("<f8", false, "(3,2,)", &f8),
        npy("<f4", false, "(3, 2)", &le(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], f32::to_le_bytes)),
        npy("<i8", false, "(3, 2)", &le(&[1, 2, 3, 4, 5, 6], i64::to_le_bytes)),
        npy("<i4", false, "(3, 2)", &le(&[1, 2, 3, 4, 5, 6], i32::to_le_bytes)),
        npy("|u1", true, "(3, 2)", &[1, 3, 5, 2, 4, 6]),
        npy(">i2", true, "(3, 2)", &le(&[1, 3, 5, 2, 4, 6], i16::to_be_bytes)),
        npy(">f4", false, "(3, 2)", &le(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], f32::to_be_bytes)),
        npy("<u8", false, "(3, 2)", &le(&[1, 2, 3, 4, 5, 6], u64::to_le_bytes)),
        npy("<f8", false, "(3, 1, 2)", &f8),
        npy("<f8", true, "(3, 2, 1)", &by_columns),
        gzip(&npy("<f8", false, "(3, 2)", &f8)),
    ] {
        assert_eq!(inputs_of(&same).unwrap(), plain);
    }
    // Version 2.0 has a length of four bytes, and any order of entries.
    let header = b"{\"shape\": (3, 2), 'fortran_order': False, 'descr': '<f8'}";
    let version_2 = [b"\x93NUMPY\x02\x00", &[57, 0, 0, 0][..], header, &f8].concat();
    assert_eq!(header.len(), 57);
    assert_eq!(inputs_of(&version_2).unwrap(), plain);
    let negative =
        inputs_of(&npy("<i4", false, "(3,)", &le(&[-1, 0, 70_000], i32::to_le_bytes))).unwrap();
    assert_eq!(negative.inputs(), [-1.0, 0.0, 70_000.0]);
}

#[test]
fn the_last_axis_of_an_array_is_the_fastest_in_either_order() {
    // NumPy's arange(24).reshape(2, 3, 4), and the bytes of np.asfortranarray of it: index (i, j, k) at i + 2·j + 6·k.
    let c_order: Vec<u8> = (0..24).collect();
    let fortran: Vec<u8> = (0..24).map(|at| 12 * (at % 2) + 4 * (at / 2 % 3) + at / 6).collect();
    let targets = npy("|u1", false, "(2,)", &[0, 1]);
    for file in [npy("|u1", false, "(2, 3, 4)", &c_order), npy("|u1", true, "(2, 3, 4)", &fortran)]
    {
        let data = Dataset::from_npy_bytes(&file, &targets, &NpyOptions::default()).unwrap();
        let expected: Vec<f64> = (0..24).map(f64::from).collect();
        assert_eq!((data.features(), data.inputs()), (12, &expected[..]));
    }
}

#[test]
fn npy_refuses_what_it_cannot_read_and_says_what_it_found() {
    let f8 = le(&ROWS, f64::to_le_bytes);
    let path_ends = |error: &DataError, text: &str| {
        assert!(error.to_string().contains(text), "{error}");
    };
    for (file, wanted) in [
        (npy("<f8", false, "(3, 2)", &f8[..40]), "cut short: expected 118 bytes, found 110"),
        (
            npy("<f8", false, "(3, 2)", &[f8.clone(), vec![0]].concat()),
            "expected 118 bytes, found more",
        ),
        (
            npy("<f16", false, "(3, 2)", &f8),
            "element type <f16 is not supported (supported: f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 and b1,",
        ),
        (npy("<c16", false, "(3, 2)", &f8), "element type <c16"),
        (npy("<f8", false, "()", &f8), "expected a shape of one size or more"),
        (npy("<f8", false, "(3, -2)", &f8), "expected whole numbers in the shape"),
        (npy("<f8", false, "(0, 2)", &[]), "no samples"),
        (npy("<f8", false, "(3, 0)", &[]), "no samples"),
        (npy("<f8", false, "(9999999999, 9999999999)", &f8), "is beyond this machine"),
        (npy("<f8", false, "(4294967296, 536870911)", &f8), "cut short"),
        (
            npy(
                "<f8",
                false,
                "(3, 2)",
                &le(&[1.0, 2.0, 3.0, f64::INFINITY, 5.0, 6.0], f64::to_le_bytes),
            ),
            "sample 1 (from 0), column \"x2\": expected a finite number, found inf",
        ),
        (npy("<f8", false, "(2, 3)", &f8), "samples in the targets: expected 2, found 3"),
        (b"\x93NUMPY\x01\x00\xff".to_vec(), "cut short: expected 10 bytes, found 9"),
        (b"\x93NUMPY\x01\x00\xff\x00{".to_vec(), "cut short: expected 265 bytes, found 11"),
        (b"\x93NUMPY\x09\x00\x02\x00{}".to_vec(), "expected version 1, 2 or 3, found 9"),
        (
            b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}".to_vec(),
            "expected at most 10000 bytes, found 4294967295 bytes",
        ),
        (b"\x93NUMPY\x01\x00\x02\x00{}".to_vec(), "expected an entry 'fortran_order', found {}"),
        (
            b"PK\x03\x04".to_vec(),
            "expected a plain file or one packed by gzip at the start, found a zip archive",
        ),
        (Vec::new(), "found []"),
    ] {
        path_ends(&inputs_of(&file).unwrap_err(), wanted);
    }
}

#[test]
fn some_rows_of_npy_are_those_of_the_whole() {
    let body = le(&ROWS, f64::to_le_bytes);
    let inputs = Temporary::new("x.npy", &npy("<f8", false, "(3, 2)", &body));
    let labels = Temporary::new("l.npy", &npy("|u1", false, "(3,)", &[0, 2, 1]));
    let options = |classes| NpyOptions { task: Task::Labels { classes }, ..NpyOptions::default() };
    let whole = Dataset::from_npy_labels(&inputs, &labels, Some(3)).unwrap();
    assert_eq!(crate::data::npy_samples(&inputs).unwrap(), 3);
    for rows in [0..1, 1..3, 2..3, 0..3] {
        let named: Vec<usize> = rows.clone().collect();
        let part = Dataset::from_npy_rows(&inputs, &labels, rows, &options(Some(3))).unwrap();
        assert_eq!(part, whole.select(&named).unwrap());
    }
    let refused = |rows, inputs: &Temporary, classes| {
        let read = Dataset::from_npy_rows(inputs, &labels, rows, &options(classes));
        read.unwrap_err().to_string()
    };
    assert!(refused(2..4, &inputs, Some(3)).contains("some of the 3 rows"));
    assert!(refused(1..1, &inputs, Some(3)).contains("found rows 1 to 1"));
    assert!(refused(0..1, &inputs, None).starts_with("NpyOptions::task"));
    // The sample is that of the whole file.
    let error = refused(1..3, &inputs, Some(2));
    assert!(error.contains("sample 1 (from 0), column \"label\""), "{error}");
    let fortran = Temporary::new("f.npy", &npy("<f8", true, "(3, 2)", &body));
    assert!(refused(0..1, &fortran, Some(3)).contains("found Fortran order"));
    let packed = Temporary::new("x.gz", &gzip(&npy("<f8", false, "(3, 2)", &body)));
    assert!(refused(0..1, &packed, Some(3)).contains("found a packed one"));
    let short = Temporary::new("s.npy", &npy("<f8", false, "(3, 2)", &body[..40]));
    assert!(refused(0..1, &short, Some(3)).contains("expected 118 bytes, found 110"));
}

/// Types that `f32` holds stay single where that is asked for, in either order of bytes and of entries; others, and targets, are `f64`.
#[test]
fn npy_singles_are_kept_as_they_are() {
    let values = [0.1_f32, -2.5, 3e-41, 3e38, 7.0, -0.0];
    let le_bytes = le(&values, f32::to_le_bytes);
    let be_bytes = le(&values, f32::to_be_bytes);
    let halves = le(&[0x3c01_u16, 0xc000, 1, 0x7bff, 0x3555, 0], u16::to_le_bytes);
    let doubles = le(&values, |x| f64::from(x).to_le_bytes());
    let options = NpyOptions { keep_single: true, ..NpyOptions::default() };
    for (name, bytes, single) in [
        ("<f4", &le_bytes, true),
        (">f4", &be_bytes, true),
        ("<f2", &halves, true),
        ("|u1", &vec![0, 1, 2, 253, 254, 255], true),
        ("<i2", &le(&[-32_768_i16, 1, 2, 3, 4, 32_767], i16::to_le_bytes), true),
        ("<i4", &le(&[16_777_217, 1, 2, 3, 4, 5], i32::to_le_bytes), false),
        ("<f8", &doubles, false),
    ] {
        for fortran in [false, true] {
            let file = npy(name, fortran, "(3, 2)", bytes);
            let targets = npy(name, false, "(3,)", &bytes[..bytes.len() / 2]);
            let kept = Dataset::from_npy_bytes(&file, &targets, &options).unwrap();
            assert_eq!(kept.single_inputs().is_some(), single, "{name}");
            let wide = NpyOptions::default();
            let wide = Dataset::from_npy_bytes(&file, &targets, &wide).unwrap();
            assert!(wide.single_inputs().is_none() && kept == wide, "{name}");
        }
    }
    let inputs = Temporary::new("x.npy", &npy("<f4", false, "(3, 2)", &le_bytes));
    let targets = Temporary::new("y.npy", &npy("<f4", false, "(3,)", &le_bytes[..12]));
    let whole = Dataset::from_npy_with(&inputs, &targets, &options).unwrap();
    let part = Dataset::from_npy_rows(&inputs, &targets, 1..3, &options).unwrap();
    assert_eq!(part.single_inputs(), Some(&values[2..]));
    assert_eq!(part, whole.select(&[1, 2]).unwrap());

    let mut odd = values;
    odd[3] = f32::NAN;
    let file = npy("<f4", false, "(3, 2)", &le(&odd, f32::to_le_bytes));
    let targets = npy("|u1", false, "(3,)", &[1, 2, 3]);
    let error = Dataset::from_npy_bytes(&file, &targets, &options).unwrap_err().to_string();
    let wanted = "sample 1 (from 0), column \"x2\": expected a finite number, found NaN";
    assert!(error.ends_with(wanted), "{error}");
}

#[test]
fn npy_labels_are_whole_and_in_range() {
    let inputs =
        Temporary::new("x.npy", &npy("<f8", false, "(3, 2)", &le(&ROWS, f64::to_le_bytes)));
    let read = |labels: &[i64], classes| {
        let file =
            Temporary::new("l.npy", &npy("<i8", false, "(3,)", &le(labels, i64::to_le_bytes)));
        Dataset::from_npy_labels(&inputs, &file, classes)
    };
    let data = read(&[0, 2, 1], None).unwrap();
    assert_eq!(data.targets(), &Targets::Labels { classes: 3, labels: vec![0, 2, 1] });
    let error = read(&[0, 2, 1], Some(2)).unwrap_err().to_string();
    assert!(error.ends_with(
        "sample 1 (from 0), column \"label\": expected a class label from 0 to 1, found 2"
    ));
    assert!(matches!(read(&[0, -1, 1], None), Err(DataError::LabelOutOfRange { .. })));
    let signs = Temporary::new("s.npy", &npy("|i1", false, "(3,)", &[1, 255, 1]));
    let options = NpyOptions { task: Task::Names(Vec::new()), ..NpyOptions::default() };
    let data = Dataset::from_npy_with(&inputs, &signs, &options).unwrap();
    assert_eq!(
        (data.class_names(), data.targets().labels()),
        (&["-1".to_owned(), "1".to_owned()][..], Some(&[1, 0, 1][..]))
    );
}

#[test]
fn idx_flattens_images_row_after_row() {
    let pixels = [0, 51, 102, 255, 5, 6, 7, 8, 9, 10, 11, 12];
    let images = idx(&[2, 2, 3], &pixels);
    let plain = Temporary::new("images-idx3-ubyte", &images);
    let packed = Temporary::new("images.gz", &gzip(&images));
    let labels = Temporary::new("labels-idx1-ubyte", &idx(&[2], &[1, 0]));
    let unit = Dataset::from_idx(&plain, &labels, IdxOptions::default()).unwrap();
    assert_eq!((unit.features(), unit.samples(), unit.outputs()), (6, 2, 2));
    assert_eq!(&unit.inputs()[..4], [0.0, 0.2, 0.4, 1.0]);
    assert_eq!(unit.targets().labels(), Some(&[1, 0][..]));
    assert_eq!(Dataset::from_idx(&packed, &labels, IdxOptions::default()).unwrap(), unit);
    let raw = IdxOptions { scale: PixelScale::Raw, classes: Some(10), ..IdxOptions::default() };
    let raw = Dataset::from_idx(&plain, &labels, raw).unwrap();
    assert_eq!(raw.inputs(), pixels.map(f64::from));
    assert_eq!(raw.outputs(), 10);
}

#[test]
fn idx_gives_the_numbers_of_every_type() {
    let numbers = [1.0, -2.0, 100.0, 0.0];
    let of = |kind, body: Vec<u8>| idx_of(kind, &[2, 2], &body);
    for file in [
        of(0x09, vec![1, 254, 100, 0]),
        of(0x0B, le(&[1, -2, 100, 0], i16::to_be_bytes)),
        of(0x0C, le(&[1, -2, 100, 0], i32::to_be_bytes)),
        of(0x0D, le(&[1.0, -2.0, 100.0, 0.0], f32::to_be_bytes)),
        of(0x0E, le(&numbers, f64::to_be_bytes)),
    ] {
        for labels in [idx(&[2], &[1, 0]), idx_of(0x0C, &[2], &le(&[1, 0], i32::to_be_bytes))] {
            let data = Dataset::from_idx_bytes(&file, &labels, IdxOptions::default()).unwrap();
            assert_eq!((data.inputs(), data.targets().labels()), (&numbers[..], Some(&[1, 0][..])));
        }
    }
    let file = of(0x0E, le(&[1.0, f64::NAN, 2.0, 3.0], f64::to_be_bytes));
    let error =
        Dataset::from_idx_bytes(&file, &idx(&[2], &[1, 0]), IdxOptions::default()).unwrap_err();
    assert!(matches!(error, DataError::NotFinite { .. }), "{error}");
    let halves = idx_of(0x0D, &[2], &le(&[1.0, 0.5], f32::to_be_bytes));
    let error = Dataset::from_idx_bytes(&idx(&[2, 1], &[1, 2]), &halves, IdxOptions::default())
        .unwrap_err();
    assert!(matches!(error, DataError::LabelNotInteger { .. }), "{error}");
}

#[test]
fn idx_refuses_false_headers_without_allocating_what_they_announce() {
    let labels = idx(&[2], &[1, 0]);
    let images = idx(&[2, 1], &[3, 4]);
    let one_class = IdxOptions { classes: Some(1), ..IdxOptions::default() };
    let defaults = IdxOptions::default();
    for (images, labels, options, wanted) in [
        (&idx(&[2, 3], &[1, 2, 3]), &labels, defaults, "cut short: expected 18 bytes, found 15"),
        (&idx(&[2, 1], &[1, 2, 3]), &labels, defaults, "expected 14 bytes, found more"),
        (&idx(&[u32::MAX, u32::MAX], &[1]), &labels, defaults, "cut short"),
        (&idx(&[u32::MAX; 3], &[1]), &labels, defaults, "is beyond this machine"),
        (&idx(&[], &[1]), &labels, defaults, "is beyond this machine"),
        (&vec![0, 0, 8, 3, 0, 0], &labels, defaults, "cut short: expected 16 bytes, found 6"),
        (
            &vec![1, 0, 8, 3],
            &labels,
            defaults,
            "expected the bytes 0 0 type rank at the start, found [01, 00, 08, 03]",
        ),
        (&vec![0, 0, 0x0A, 1], &labels, defaults, "element type 0x0a is not supported"),
        (&idx(&[0, 3], &[]), &labels, defaults, "no samples"),
        (&idx(&[3, 0], &[]), &labels, defaults, "no samples"),
        (&labels, &labels, defaults, "expected two sizes or more, samples first, found sizes [2]"),
        (&images, &images, defaults, "expected one size, the number of labels, found sizes [2, 1]"),
        (&images, &idx(&[3], &[0, 1, 2]), defaults, "labels for the images: expected 2, found 3"),
        (
            &images,
            &labels,
            one_class,
            "sample 0 (from 0), column \"label\": expected a class label from 0 to 0, found 1",
        ),
    ] {
        let (images, labels) = (Temporary::new("i", images), Temporary::new("l", labels));
        let error = Dataset::from_idx(&images, &labels, options).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error} | {wanted}");
    }
}

/// A file in the manner of the collection.
fn nist(model: &str, parameters: &str, data: &str) -> String {
    format!(
        "NIST/ITL StRD\nDataset Name:  Small (Small.dat)\n\nData:          1 Response Variable (y)\n\
         1 Predictor Variable (x)\n3 Observations\n\nModel:         {model}\n\n\
         Parameter          Estimate             of Estimate\n\n{parameters}\n\
         Residual\nStandard Deviation   0.5\n\nR-Squared            .25E+00\n\n\
         Regression    1     4   4   Infinity\nResidual     1      .75      0.75\n\nData:   y   x\n{data}"
    )
}

fn parse_nist(text: &str) -> Result<NistLinear, DataError> {
    NistLinear::from_bytes(text.as_bytes())
}

const DATA: &str = "  1 2\n .5E1 3\r\n  7 -4\n\n";

#[test]
fn nist_files_give_powers_and_leave_out_the_intercept_where_there_is_none() {
    let two = nist("2 Parameters (B0,B1)", " B0  1.5  0.1\n B1 -2 0.123E-02", DATA);
    let problem = parse_nist(&two).unwrap();
    assert_eq!(
        (problem.x.as_slice(), problem.y.as_slice()),
        (&[2.0, 3.0, -4.0][..], &[1.0, 5.0, 7.0][..])
    );
    assert_eq!((problem.parameters, problem.deviations), (vec![1.5, -2.0], vec![0.1, 0.00123]));
    assert_eq!((problem.residual_sum_of_squares, problem.residual_degrees), (0.75, 1));
    assert_eq!((problem.residual_deviation, problem.r_squared), (0.5, 0.25));
    assert!(problem.intercept);
    let through_zero = parse_nist(&nist("1 Parameter (B1)", " B1  1.5  0.1", DATA)).unwrap();
    assert!(!through_zero.intercept);
    assert_eq!(through_zero.terms, [Term { predictor: 0, power: 1 }]);
    let cubic = parse_nist(&nist("4 Parameters", "B0 1 0\nB1 1 0\nB2 1 0\nB3 1 0", DATA)).unwrap();
    let data = cubic.dataset().unwrap();
    assert_eq!(data.inputs(), [2.0, 4.0, 8.0, 3.0, 9.0, 27.0, -4.0, 16.0, -64.0]);
    assert_eq!(data.feature_names(), ["x", "x^2", "x^3"]);
}

#[test]
fn nist_files_with_a_missing_or_false_part_are_refused_by_line() {
    let good = nist("1 Parameter (B1)", " B1  1.5  0.1", DATA);
    let changed = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        parse_nist(&good.replace(from, to)).unwrap_err().to_string()
    };
    assert!(changed("Dataset Name:", "").contains("expected a line with \"Dataset Name:\""));
    assert!(
        changed("3 Observations", "4 Observations")
            .contains("observations: expected 4 as announced, found 3")
    );
    assert!(
        changed("1 Parameter (", "2 Parameters (")
            .contains("parameters: expected 2 as announced, found 1")
    );
    assert!(
        changed("1 Predictor", "99999999 Predictor")
            .contains("expected 1 to 50 for Predictor, found 99999999")
    );
    assert!(
        changed("B1  1.5", "B7  1.5")
            .contains("line 12: expected parameters B0 or B1, and on by one, found B7")
    );
    assert!(
        changed("B1  1.5", "B1  x")
            .contains("line 12, column \"Estimate\": expected a number, found \"x\"")
    );
    assert!(
        changed("Residual     1 ", "Residual     -1 ")
            .contains("expected the residual degrees of freedom")
    );
    assert!(
        changed(".5E1 3", "nan 3").contains("column \"y\": expected a finite number, found nan")
    );
    assert!(changed(".5E1 3", ".5E1 3 4").contains("expected 2 fields, found 3"));
    assert!(changed("Data:   y", "").contains("expected a line with \"Data: y x\""));
    assert_eq!(
        parse_nist(&good.replace("StRD", "StRD\u{7f}")).unwrap(),
        parse_nist(&good).unwrap()
    );
    assert!(matches!(NistLinear::from_bytes(b"\xff"), Err(DataError::NotUtf8 { line: 1, .. })));
}

/// A nonlinear file in the manner of the collection.
const NONLINEAR: &str = "NIST/ITL StRD\nDataset Name:  Tiny  (Tiny.dat)\n\nData:  1 Response  (y)\n\
    1 Predictor (x)\n3 Observations\n\nModel:\n2 Parameters (b1 and b2)\n\n\
    Start 1     Start 2           Parameter     Standard Deviation\n\
    b1 =   1     .5   2.5E+00  1.0E-01\nb2 =   -2    4   -3.0  0.2\n\n\
    Residual Sum of Squares:                    1.25E-01\nResidual Standard Deviation: 1\n\n\
    Data:   y   x\n  1 2\n .5E1 3\n  7 -4\n\n";

fn parse_nonlinear(text: &str) -> Result<NistNonlinear, DataError> {
    NistNonlinear::from_bytes(text.as_bytes())
}

#[test]
fn nonlinear_nist_files_give_both_starts_and_the_certified_values() {
    let set = parse_nonlinear(NONLINEAR).unwrap();
    assert_eq!((set.name.as_str(), set.predictors, set.samples()), ("Tiny", 1, 3));
    assert_eq!(set.starts, [vec![1.0, -2.0], vec![0.5, 4.0]]);
    assert_eq!((set.parameters, set.deviations), (vec![2.5, -3.0], vec![0.1, 0.2]));
    assert_eq!(set.residual_sum_of_squares, 0.125);
    assert_eq!((set.x, set.y), (vec![2.0, 3.0, -4.0], vec![1.0, 5.0, 7.0]));
}

#[test]
fn nonlinear_nist_files_with_a_missing_or_false_part_are_refused_by_line() {
    let changed = |from: &str, to: &str| {
        assert!(NONLINEAR.contains(from), "{from}");
        parse_nonlinear(&NONLINEAR.replace(from, to)).unwrap_err().to_string()
    };
    assert!(changed("Dataset Name:", "").contains("expected a line with \"Dataset Name:\""));
    assert!(
        changed("3 Observations", "4 Observations")
            .contains("observations: expected 4 as announced, found 3")
    );
    assert!(
        changed("2 Parameters", "3 Parameters")
            .contains("parameters: expected 3 as announced, found 2")
    );
    assert!(changed("b2 =", "b3 =").contains("line 13: expected parameter b2, found b3"));
    assert!(changed("b1 =   1 ", "b1 =   x ").contains("line 12, column \"Start 1\""));
    assert!(changed("2.5E+00", "inf").contains("column \"Parameter\": expected a finite number"));
    assert!(changed("Sum of Squares", "").contains("expected a line with"));
    assert!(changed(".5E1 3", ".5E1").contains("expected 2 fields, found 1"));
    assert!(changed("b1", "c1").contains("expected"));
    assert!(parse_nonlinear("").is_err());
}

#[test]
fn powers_are_rounded_once() {
    let filip = nist(
        "11 Parameters",
        &(0..11).map(|i| format!("B{i} 1 0")).collect::<Vec<_>>().join("\n"),
        "0 -6.860120914\n0 -3.243\n0 1.1\n",
    );
    let data = parse_nist(&filip).unwrap().dataset().unwrap();
    // 10th powers of the file's decimals, by rational arithmetic.
    assert_eq!([data.inputs()[9], data.inputs()[19], data.inputs()[29]], TENTH_POWERS);
}

const TENTH_POWERS: [f64; 3] = [230843528.99180466, 128667.68487088179, 2.5937424601];

#[test]
fn the_shipped_nist_files_are_certified_as_published() {
    let longley = NistLinear::read(shipped_file("nist/Longley.dat")).unwrap();
    assert_eq!((longley.predictors, longley.samples(), longley.parameters.len()), (6, 16, 7));
    assert_eq!(longley.residual_sum_of_squares, 836_424.055505915);
    assert_eq!(longley.deviations[6], 455.478499142212);
    assert_eq!((longley.y[15], longley.x[15 * 6 + 5]), (70551.0, 1962.0));
    let norris = NistLinear::read(shipped_file("nist/Norris.dat")).unwrap();
    assert_eq!((norris.predictors, norris.samples(), norris.intercept), (1, 36, true));
    assert_eq!(norris.residual_degrees, 34);
    for (name, samples, parameters) in [
        ("Misra1a", 14, 2),
        ("MGH09", 11, 4),
        ("Thurber", 37, 7),
        ("Lanczos3", 24, 6),
        ("MGH17", 33, 5),
        ("ENSO", 168, 9),
    ] {
        let set = NistNonlinear::read(shipped_file(&format!("nist/{name}.dat"))).unwrap();
        assert_eq!((set.name.as_str(), set.samples()), (name, samples));
        assert_eq!((set.parameters.len(), set.deviations.len()), (parameters, parameters));
    }
    // The certified parameters and residuals belong to the data as read.
    for problem in [longley, norris] {
        let data = problem.dataset().unwrap();
        let residuals = (0..data.samples()).map(|sample| {
            let slopes = data.sample(sample).iter().zip(&problem.parameters[1..]);
            problem.y[sample]
                - problem.parameters[0]
                - slopes.map(|(x, beta)| x * beta).sum::<f64>()
        });
        let rss: f64 = residuals.map(|r| r * r).sum();
        let certified = problem.residual_sum_of_squares;
        assert!((rss - certified).abs() <= 1e-9 * certified, "{}: {rss} {certified}", problem.name);
    }
}
