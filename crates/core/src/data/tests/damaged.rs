//! No sequence of bytes makes a reader panic, loop or ask for more memory than the file is worth; what passes is finite.

use std::path::Path;

use proptest::prelude::*;

use super::super::{
    CsvOptions, DataError, Dataset, IdxOptions, LibsvmOptions, NistLinear, NistNonlinear, Targets,
    Task,
};
use super::super::{csv, idx as idx_reader, libsvm, npy as npy_reader};
use super::{idx, npy};

/// What a data set promises, whatever it was read from.
fn check(result: Result<Dataset, DataError>) {
    match result {
        Err(error) => assert!(error.to_string().len() < 2000, "{error}"),
        Ok(data) => {
            assert!(data.features() > 0 && data.samples() > 0);
            assert_eq!(data.inputs().len(), data.features() * data.samples());
            assert_eq!(data.targets().samples(), data.samples());
            assert!(data.inputs().iter().all(|value| value.is_finite()));
            match data.targets() {
                Targets::Values { values, .. } => {
                    assert!(values.iter().all(|value| value.is_finite()));
                }
                Targets::Labels { classes, labels } => {
                    assert!(labels.iter().all(|&label| (label as usize) < *classes));
                }
            }
        }
    }
}

/// Every reader on one sequence of bytes.
fn feed(bytes: &[u8]) {
    let path = Path::new("file");
    for task in [Task::Values, Task::Labels { classes: None }, Task::Names(Vec::new())] {
        check(csv::parse(bytes, path, &CsvOptions { task: task.clone(), ..CsvOptions::default() }));
        check(libsvm::parse(bytes, path, &LibsvmOptions { features: Some(9), task: task.clone() }));
        check(libsvm::parse(bytes, path, &LibsvmOptions { features: None, task }));
    }
    for delimiter in *b"\n\"\0 " {
        check(csv::parse(bytes, path, &CsvOptions { delimiter, ..CsvOptions::default() }));
    }
    if let Ok(table) = npy_reader::parse(&mut &bytes[..], path) {
        assert!(table.rows > 0 && !table.values.is_empty() && table.values.len() % table.rows == 0);
    }
    let good = |file: Vec<u8>| idx_reader::parse(&mut &file[..], path).unwrap();
    if let Ok(array) = idx_reader::parse(&mut &bytes[..], path) {
        let (images, labels) = (good(idx(&[2, 2], &[1, 2, 3, 4])), good(idx(&[2], &[0, 1])));
        check(idx_reader::assemble(&array, path, &labels, path, IdxOptions::default()));
        check(idx_reader::assemble(&images, path, &array, path, IdxOptions::default()));
    }
    if let Ok(problem) = NistLinear::parse(bytes, path) {
        assert_eq!(problem.x.len(), problem.samples() * problem.predictors);
        check(problem.dataset());
    }
    if let Ok(problem) = NistNonlinear::parse(bytes, path) {
        assert_eq!(problem.x.len(), problem.samples() * problem.predictors);
        assert!(problem.starts.iter().all(|start| start.len() == problem.parameters.len()));
    }
}

/// One small valid file of every format.
fn valid_files() -> Vec<Vec<u8>> {
    let header = b"\x93NUMPY\x02\x00\x39\x00\x00\x00{\"shape\": (3, 2), 'fortran_order': False, 'descr': '<f8'}";
    vec![
        b"\xEF\xBB\xBFa,b,target\r\n1,2.5,0\r\n\"-4\",5e3,1\r\n\r\n".to_vec(),
        b"+1 1:0.5 3:-2 # comment\n-1 2:4\n".to_vec(),
        npy("<f8", true, "(2, 1)", &[0; 16]),
        npy("|u1", false, "(2, 3)", &[1, 2, 3, 4, 5, 6]),
        [&header[..], &[0; 48]].concat(),
        idx(&[2, 2], &[1, 2, 3, 4]),
        idx(&[2], &[0, 1]),
        include_bytes!("../../../../../data/nist/Longley.dat").to_vec(),
        include_bytes!("../../../../../data/nist/Norris.dat").to_vec(),
        include_bytes!("../../../../../data/nist/Misra1a.dat").to_vec(),
    ]
}

#[test]
fn every_prefix_of_a_valid_file_is_read_or_refused() {
    for file in valid_files() {
        for length in 0..=file.len() {
            feed(&file[..length]);
        }
    }
}

/// Bytes that the formats are made of come up often.
fn likely_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        3 => proptest::sample::select(&b"0123456789+-.eE,;:\"'#\n\r \t(){}Baxnif"[..]),
        1 => proptest::sample::select(&[0, 1, 2, 8, 0x7f, 0x80, 0xff, 0xEF, 0xBB, 0xBF][..]),
        1 => any::<u8>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_are_read_or_refused(bytes in proptest::collection::vec(likely_byte(), 0..300)) {
        feed(&bytes);
        // Past the first line of defence of every format.
        for start in [&b"a,target\n"[..], b"\x93NUMPY\x01\x00", &[0, 0, 8], b"1 1:", b"x,target\n1,"] {
            feed(&[start, &bytes].concat());
        }
    }

    #[test]
    fn random_dictionaries_are_read_or_refused(text in "['{}(),:0-9a-zTF<|_ ]{0,80}", body in proptest::collection::vec(any::<u8>(), 0..40)) {
        for dictionary in [
            text.clone(),
            format!("{{'descr': '<f8', 'fortran_order': True, 'shape': ({text}"),
            format!("{{'fortran_order': False, 'shape': (2, 2), 'descr': {text}"),
        ] {
            let length = u16::try_from(dictionary.len()).unwrap().to_le_bytes();
            feed(&[b"\x93NUMPY\x01\x00", &length[..], dictionary.as_bytes(), &body].concat());
        }
    }

    #[test]
    fn mutated_files_are_read_or_refused(
        which in 0..10_usize,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), likely_byte(), 0..3_u8), 1..6),
    ) {
        let mut bytes = valid_files().swap_remove(which);
        for (index, byte, change) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = index.index(bytes.len());
            match change {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        feed(&bytes);
    }
}
