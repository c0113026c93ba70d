//! What must hold of every reader on any bytes: it ends without a panic, with a table of finite numbers or with a short error of one line,
//! within its limit of memory, and alike for plain and gzipped bytes.
//!
//! One function for each reader; the fuzz targets call them, and so does a test of `secant-core` on seeded mutations of [`seeds`].

mod formula;

pub use formula::formula;

use std::io::Write;

use secant_core::data::{
    CifarOptions, ColumnKind, CsvOptions, DataError, Dataset, IdxOptions, LibsvmOptions,
    NistLinear, NistNonlinear, NpyOptions, PixelScale, Table, TableOptions, Targets, Task,
};
use secant_core::description::{Description, DescriptionError};
use secant_core::graph::Graph;

/// Memory that a reader may take here.
const LIMIT: u64 = 1 << 20;
/// Bytes of a message.
const MESSAGE: usize = 4000;

/// A CSV file; the first byte chooses the options.
pub fn csv(bytes: &[u8]) {
    let (&choice, text) = bytes.split_first().unwrap_or((&0, bytes));
    let bit = |place: u8| choice >> place & 1 == 1;
    let options = CsvOptions {
        task: task(choice),
        delimiter: [b',', b';', b'\t', b' '][usize::from(choice >> 6)],
        header: !bit(2),
        comment: bit(3).then_some(b'#'),
        index_column: bit(4),
        trailing_delimiter: bit(5),
        decimal: if bit(4) { ',' } else { '.' },
        thousands: bit(5).then_some('\''),
        drop_missing: bit(3),
        targets: vec![if bit(2) { "column2" } else { "target" }.into()],
        ignored: Vec::new(),
        max_bytes: LIMIT,
    };
    both_ways(text, |bytes| Dataset::from_csv_bytes(bytes, &options));
}

/// A table of any format; the first byte chooses the options.
pub fn table(bytes: &[u8]) {
    let (&choice, file) = bytes.split_first().unwrap_or((&0, bytes));
    let bit = |place: u8| choice >> place & 1 == 1;
    let options = TableOptions {
        delimiter: bit(0).then_some([b',', b';', b'\t', b' '][usize::from(choice >> 6)]),
        header: bit(1).then_some(bit(2)),
        comment: bit(3).then_some(b'#'),
        decimal: if bit(4) { ',' } else { '.' },
        thousands: bit(5).then_some('\''),
        missing: if bit(2) { vec!["-1".into(), "b".into()] } else { Vec::new() },
        categorical: if bit(3) { vec!["*".into()] } else { Vec::new() },
        max_bytes: LIMIT,
        ..TableOptions::default()
    };
    // As it is shown, since a NaN is not equal to itself.
    let read = |bytes: &[u8]| {
        let result = Table::from_bytes(bytes, &options);
        match &result {
            Ok(table) => sound(table),
            Err(error) => message(&error.to_string()),
        }
        (format!("{result:?}"), result.is_ok())
    };
    let plain = read(file);
    let packed = read(&gzip(file));
    let piped = Table::from_reader(file, "bytes".as_ref(), &options);
    if plain.1 && !file.starts_with(&[0x1f, 0x8b]) {
        assert_eq!(packed, plain);
        assert_eq!(format!("{piped:?}"), plain.0);
    }
}

/// What a table promises, whatever it was read from.
fn sound(table: &Table) {
    assert!(table.rows() > 0 && table.names().len() == table.kinds().len());
    let mut names: Vec<&String> = table.names().iter().collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), table.names().len());
    for (index, kind) in table.kinds().iter().enumerate() {
        assert_eq!(table.column(index).count(), table.rows());
        let mut values = table.column(index).filter(|value| !value.is_nan());
        match kind {
            ColumnKind::Text { levels } => {
                assert!(values.all(
                    |level| level.fract() == 0.0 && (0.0..levels.len() as f64).contains(&level)
                ));
            }
            ColumnKind::Date { row, .. } => assert!(values.next().is_none() && *row < table.rows()),
            ColumnKind::Mixed { numbers, texts, row, .. } => {
                assert!(values.count() == *numbers && *texts > 0 && *row < table.rows());
            }
            _ => {}
        }
    }
    table.notes().iter().for_each(|note| message(note));
}

/// An `.npy` file, as inputs, as targets and as both.
pub fn npy(bytes: &[u8]) {
    let (&choice, file) = bytes.split_first().unwrap_or((&0, bytes));
    let keep_single = choice & 0x80 != 0;
    let options = NpyOptions { task: task(choice), max_bytes: LIMIT, keep_single };
    let other = npy_file("<f8", false, "(2,)", &[0; 16]);
    both_ways(file, |bytes| Dataset::from_npy_bytes(bytes, &other, &options));
    both_ways(file, |bytes| Dataset::from_npy_bytes(&other, bytes, &options));
    both_ways(file, |bytes| Dataset::from_npy_bytes(bytes, bytes, &options));
}

/// An IDX file, as images and as labels.
pub fn idx(bytes: &[u8]) {
    let (&choice, file) = bytes.split_first().unwrap_or((&0, bytes));
    let scale = if choice & 1 == 0 { PixelScale::Unit } else { PixelScale::Raw };
    let classes = (choice & 2 == 2).then_some(usize::from(choice));
    let options = IdxOptions { scale, classes, max_bytes: LIMIT };
    let (images, labels) = (idx_file(8, &[2, 2], &[1, 2, 3, 4]), idx_file(8, &[2], &[0, 1]));
    both_ways(file, |bytes| Dataset::from_idx_bytes(bytes, &labels, options));
    both_ways(file, |bytes| Dataset::from_idx_bytes(&images, bytes, options));
}

/// A LIBSVM file; the first byte chooses the options.
pub fn libsvm(bytes: &[u8]) {
    let (&choice, text) = bytes.split_first().unwrap_or((&0, bytes));
    let options = LibsvmOptions {
        features: (choice & 4 == 4).then_some(usize::from(choice)),
        task: task(choice),
        first_index: usize::from(choice >> 3 & 1),
        sparse: false,
        max_bytes: LIMIT,
    };
    both_ways(text, |bytes| Dataset::from_libsvm_bytes(bytes, &options));
    let sparse = LibsvmOptions { sparse: true, ..options.clone() };
    both_ways(text, |bytes| Dataset::from_libsvm_bytes(bytes, &sparse));
    let read = |options| Dataset::from_libsvm_bytes(text, options);
    if let (Ok(dense), Ok(sparse)) = (read(&options), read(&sparse)) {
        assert_eq!((dense.inputs(), dense.targets()), (sparse.inputs(), sparse.targets()));
    }
}

/// A batch of CIFAR-10.
pub fn cifar(bytes: &[u8]) {
    let options = CifarOptions { max_bytes: LIMIT, ..CifarOptions::default() };
    both_ways(bytes, |bytes| Dataset::from_cifar10_bytes(bytes, options));
}

/// A file of NIST's collection, linear or not.
pub fn nist(bytes: &[u8]) {
    let linear = |bytes: &[u8]| {
        let problem = NistLinear::from_bytes(bytes)?;
        assert_eq!(problem.x.len(), problem.samples() * problem.predictors);
        problem.dataset()
    };
    both_ways(bytes, linear);
    match NistNonlinear::from_bytes(bytes) {
        Err(error) => message(&error.to_string()),
        Ok(problem) => {
            assert_eq!(problem.x.len(), problem.samples() * problem.predictors);
            assert!(problem.starts.iter().all(|start| start.len() == problem.parameters.len()));
        }
    }
}

/// A description of a graph, in TOML and JSON: what is a graph comes back as it was.
pub fn description(bytes: &[u8]) {
    type Read = fn(&str) -> Result<Description, DescriptionError>;
    let text = String::from_utf8_lossy(bytes);
    let readers: [Read; 2] = [Description::from_toml, Description::from_json];
    for read in readers {
        let graph = match read(&text).and_then(|description| description.graph()) {
            Ok(graph) => graph,
            Err(error) => {
                message(&error.to_string());
                continue;
            }
        };
        let shown = graph.to_string();
        assert!(!shown.is_empty() && graph.to_dot().contains("->"));
        let toml = graph.to_toml().expect("every op that was read has a description");
        assert_eq!(Graph::from_toml(&toml).expect("as it was written").to_string(), shown);
        let json = graph.to_json().expect("every op that was read has a description");
        assert_eq!(Graph::from_json(&json).expect("as it was written").to_string(), shown);
    }
}

fn task(choice: u8) -> Task {
    match choice & 3 {
        0 => Task::Values,
        1 => Task::Labels { classes: None },
        2 => Task::Names(Vec::new()),
        _ => Task::Labels { classes: Some(3) },
    }
}

/// `read` on the bytes as they are and gzipped: alike, unless the bytes are a gzip file themselves.
fn both_ways(bytes: &[u8], read: impl Fn(&[u8]) -> Result<Dataset, DataError>) {
    let plain = read(bytes);
    check(&plain);
    let packed = read(&gzip(bytes));
    check(&packed);
    if !bytes.starts_with(&[0x1f, 0x8b]) && !matches!(plain, Err(DataError::WrongMagic { .. })) {
        assert_eq!(packed, plain);
    }
}

/// What a data set promises, whatever it was read from.
fn check(result: &Result<Dataset, DataError>) {
    let data = match result {
        Ok(data) => data,
        Err(error) => return message(&error.to_string()),
    };
    let (d, samples) = (data.features(), data.samples());
    assert!(d > 0 && samples > 0);
    assert_eq!(data.targets().samples(), samples);
    // The dense table of sparse inputs may be of any size.
    let numbers = if let Some(inputs) = data.sparse() {
        assert!(inputs.features() == d && inputs.samples() == samples);
        inputs.values()
    } else {
        assert_eq!(data.inputs().len(), d * samples);
        data.inputs()
    };
    assert!(numbers.iter().all(|value| value.is_finite()));
    match data.targets() {
        Targets::Values { values, .. } => assert!(values.iter().all(|value| value.is_finite())),
        Targets::Labels { classes, labels } => {
            assert!(labels.iter().all(|&label| (label as usize) < *classes));
        }
    }
}

/// A message is short, and has nothing in it that a terminal obeys.
fn message(text: &str) {
    assert!(!text.is_empty() && text.len() < MESSAGE, "{} bytes: {text}", text.len());
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// A target by name, and small valid files for it.
pub type Target = (&'static str, fn(&[u8]), Vec<Vec<u8>>);

/// All targets.
pub fn seeds() -> [Target; 9] {
    let with = |choice: u8, file: &[u8]| [&[choice], file].concat();
    let dictionary =
        b"\x93NUMPY\x02\x00\x39\x00\x00\x00{\"shape\": (3, 2), 'fortran_order': False, 'descr': '<f8'}";
    let record: Vec<u8> = (0..3073_u32).map(|byte| (byte % 251) as u8 % 10).collect();
    [
        ("csv", csv, vec![
            with(0, b"\xEF\xBB\xBFa,b,target\r\n1,2.5,0\r\n\"-4\",5e3,1\r\n\r\n"),
            with(1, b"a,target\n1,red\n2,blue\n"),
            with(2, b"a,target\n1,-1\nNA,1\n3,?\n"),
            with(0b0111_1100, b"1;1'234,5;7;\n# c\n2;3;8;\n"),
            with(0b1001_0000, b"a\ttarget\n1\t2\t3,5\n"),
            with(0b1100_0000, b" a  b target\n 1  2   3\n"),
        ]),
        ("table", table, vec![
            with(0, b"\xEF\xBB\xBFa;b;a;\r\n1;red;2024-05-17;\r\n\"-4\";none;;\r\n\r\n"),
            with(0b0011_0001, b"x,y\n\"1,5\",1'234\n2,\"a\nb\"\"\"\n"),
            with(0b1100_1001, b"# c\n a  b\nr1 1 2\nr2  3\t4\n"),
            with(0b0000_0110, b"1|2\n-1|b\n3|c\n"),
            with(0, &npy_file("<f8", true, "(2, 1)", &[0; 16])),
            with(8, include_bytes!("../../crates/core/tests/fixtures/table.npz")),
            with(0, &idx_file(8, &[2, 2], &[1, 2, 3, 4])),
            with(0, b"1.5 1:0.5 3:-2 # comment\n-1 2:4 3:1\n"),
        ]),
        ("npy", npy, vec![
            with(0, &npy_file("<f8", true, "(2, 1)", &[0; 16])),
            with(1, &npy_file("|u1", false, "(2,)", &[1, 2])),
            with(2, &npy_file(">i2", true, "(2, 1, 3)", &[0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6])),
            with(0, &npy_file("<f2", false, "(2, 2)", &[0, 0x3c, 0, 0xc0, 1, 0, 0, 0])),
            with(0, &[&dictionary[..], &[0; 48]].concat()),
        ]),
        ("idx", idx, vec![
            with(0, &idx_file(8, &[2, 2], &[1, 2, 3, 4])),
            with(1, &idx_file(8, &[2], &[0, 1])),
            with(2, &idx_file(0x0B, &[2], &[0, 0, 0, 1])),
            with(0, &idx_file(0x0D, &[2, 1], &[0x3f, 0x80, 0, 0, 0x40, 0, 0, 0])),
        ]),
        ("libsvm", libsvm, vec![
            with(0, b"1.5 1:0.5 3:-2 # comment\n-1 2:4\n"),
            with(2, b"+1 3:0.5 1:-2\n-1 2:4\n"),
            with(0b1110, b"yes 0:0.5 3:-2\nno 2:4\n"),
        ]),
        ("cifar", cifar, vec![record.clone(), [&record[..], &record[..]].concat()]),
        ("nist", nist, vec![
            include_bytes!("../../data/nist/Longley.dat").to_vec(),
            include_bytes!("../../data/nist/Norris.dat").to_vec(),
            include_bytes!("../../data/nist/Misra1a.dat").to_vec(),
        ]),
        ("description", description, vec![
            b"input = 2\nloss = 'softmax'\npenalty = { ridge = 1e-3 }\n[[node]]\nname = 'h'\nop = 'dense'\noutputs = 3\n[[node]]\nname = 't'\nop = 'leaky_relu'\nslope = 0.1\n[[node]]\nname = 'y'\nop = 'dense'\noutputs = 1\nbias = false\ninputs = ['t']\n".to_vec(),
            b"input = [4, 3]\n[[node]]\nname = 's'\nop = 'slice'\naxis = 1\nstart = 0\nend = 2\n[[node]]\nname = 'm'\nop = 'mean'\naxis = 0\n[[node]]\nname = 'p'\nop = 'polynomial'\ndegree = 3\n[[node]]\nname = 'y'\nop = 'dense'\noutputs = 1\n".to_vec(),
            br#"{"input": 2, "node": [{"name": "n", "op": "nystrom", "kernel": {"gaussian": {"width": 0.5}}, "landmarks": [[0.1, 0.2], [3, -1e-3]]}, {"name": "y", "op": "dense", "outputs": 2}]}"#.to_vec(),
        ]),
        ("formula", formula, vec![
            with(0, b"a*exp(-b*x) + c"),
            with(1, b"if(x > 0 and not y <= a, sqrt(1 + x^2)/b, (a*x)^b - atan2(y, x))"),
            with(2, b"erf(a*`time (s)`) - max(b, x, -2^x)*gamma(a)"),
            with(5, "a*sin(b·x)**2;tanh(y)/(1.5e-3 + π);a - b - 3.5*x^2".as_bytes()),
            with(3, b"log1p(a^2)*cbrt(b)/lgamma(2 + c)"),
        ]),
    ]
}

/// The bytes as a gzip file.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all bytes");
    encoder.finish().expect("memory takes all bytes")
}

/// An `.npy` file, version 1.0.
pub fn npy_file(descr: &str, fortran: bool, shape: &str, body: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).expect("a short header").to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), body].concat()
}

/// An IDX file.
pub fn idx_file(kind: u8, sizes: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, u8::try_from(sizes.len()).expect("few sizes")];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend_from_slice(body);
    bytes
}
