//! Tables from files of numbers: NumPy's, LIBSVM's, IDX.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::super::source::Source;
use super::super::{
    DataError, LibsvmOptions, idx as idx_file, libsvm as libsvm_file, npy as npy_file,
};
use super::column::{Fields, Words};
use super::names::{Names, categorical};
use super::{ColumnKind, Rows, Table, TableOptions};
use crate::text::quoted;

/// How the name of an array ends in its archive.
const ENDING: &str = ".npy";

/// One array.
pub(super) fn npy(source: &mut Source<'_>, options: &TableOptions) -> Result<Table, DataError> {
    let array = npy_file::parse(source)?;
    of_numbers(source, numbered("x", array.rows, 1), array.values, Rows::Counted, options)
}

/// Images.
pub(super) fn idx(source: &mut Source<'_>, options: &TableOptions) -> Result<Table, DataError> {
    let (width, numbers) = idx_file::numbers(source)?;
    of_numbers(source, numbered("x", width, 1), numbers, Rows::Counted, options)
}

/// A sparse table, with its zeros. Columns are named after the indices of the file, from 0 or from 1.
pub(super) fn libsvm(source: &mut Source<'_>, options: &TableOptions) -> Result<Table, DataError> {
    let bytes = source.read_all()?;
    let from_zero = bytes.split(u8::is_ascii_whitespace).any(|token| token.starts_with(b"0:"));
    let first_index = usize::from(!from_zero);
    let given = LibsvmOptions { first_index, ..LibsvmOptions::default() };
    let (width, cells, lines) = libsvm_file::numbers(&bytes, source, &given)?;
    let mut names = numbered("x", width - 1, first_index);
    names.insert(0, "target".to_owned());
    of_numbers(source, names, cells, Rows::Lines(lines), options)
}

/// The arrays of an archive beside each other.
pub(super) fn npz(source: &mut Source<'_>, options: &TableOptions) -> Result<Table, DataError> {
    let path = source.path;
    let damaged = |error: ZipError| match error {
        ZipError::Io(error) => DataError::io(path, &error),
        other => DataError::Io {
            path: path.to_path_buf(),
            kind: ErrorKind::InvalidData,
            message: other.to_string(),
        },
    };
    let seekable = source.seekable()?;
    let mut archive = ZipArchive::new(seekable).map_err(damaged)?;
    let (mut names, mut arrays): (Vec<String>, Vec<npy_file::Array>) = (Vec::new(), Vec::new());
    let mut first: Option<(String, usize)> = None;
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(damaged)?;
        let full_name = member.name().map_err(damaged)?.into_owned();
        let Some(name) = full_name.strip_suffix(ENDING).map(str::to_owned) else {
            return Err(DataError::WrongMagic {
                path: path.to_path_buf(),
                expected: "a plain file, one packed by gzip, or an archive of NumPy (.npz)",
                found: format!("a zip archive with {}", quoted(&full_name)),
            });
        };
        let inside: PathBuf = path.join(&full_name);
        let length = member.size();
        let array = npy_file::parse(&mut source.member(member, &inside, length))?;
        source.take::<f64>(array.values.len())?;
        let samples = array.values.len() / array.rows;
        let (of, expected) = first.get_or_insert_with(|| (name.clone(), samples));
        if samples != *expected {
            return Err(DataError::Malformed {
                path: inside,
                at: "shape".to_owned(),
                expected: format!("{expected} rows, as in `{}`", quoted(of)),
                found: samples.to_string(),
                hint: Box::default(),
            });
        }
        source.take::<[usize; 24]>(array.rows)?;
        if array.axes == 1 {
            names.push(name);
        } else {
            names.extend(numbered(&name, array.rows, 1));
        }
        arrays.push(array);
    }
    let Some((_, samples)) = first else {
        return Err(DataError::NoData { file: Some(path.to_path_buf()), what: "arrays" });
    };
    let fields: Vec<&str> = names.iter().map(String::as_str).collect();
    let Names { columns: names, notes, .. } = Names::of_header(&fields, false);
    let cells = beside(arrays, samples, source)?;
    let mut table = of_numbers(source, names, cells, Rows::Counted, options)?;
    table.notes.extend(notes);
    Ok(table)
}

/// Arrays of as many samples as one.
fn beside(
    mut arrays: Vec<npy_file::Array>,
    samples: usize,
    source: &mut Source<'_>,
) -> Result<Vec<f64>, DataError> {
    if arrays.len() == 1 {
        return Ok(arrays.remove(0).values);
    }
    let width = arrays.iter().map(|array| array.rows).sum::<usize>();
    let mut cells = source.room(samples.saturating_mul(width))?;
    for sample in 0..samples {
        for array in &arrays {
            let row = &array.values[sample * array.rows..][..array.rows];
            cells.extend_from_slice(row);
        }
    }
    Ok(cells)
}

/// `prefix` with a number for each of `count` columns.
fn numbered(prefix: &str, count: usize, first: usize) -> Vec<String> {
    (first..first + count).map(|index| format!("{prefix}{index}")).collect()
}

/// A table of numbers, with what `options` say of missing values and texts.
pub(super) fn of_numbers(
    source: &mut Source<'_>,
    names: Vec<String>,
    mut cells: Vec<f64>,
    rows: Rows,
    options: &TableOptions,
) -> Result<Table, DataError> {
    let missing = Words::new(options).missing_numbers;
    if !missing.is_empty() {
        cells.iter_mut().filter(|cell| missing.contains(cell)).for_each(|cell| *cell = f64::NAN);
    }
    let width = names.len();
    let mut kinds = vec![ColumnKind::Number; width];
    let texts = categorical(&names, options, source.path)?;
    for (column, kind) in
        kinds.iter_mut().enumerate().filter(|(column, _)| texts[*column] == Fields::Levels)
    {
        let column = cells.iter_mut().skip(column).step_by(width);
        *kind = ColumnKind::Text { levels: to_levels(column, source)? };
    }
    Ok(of_columns(source.path, names, kinds, cells, rows))
}

/// A table without a text behind it.
pub(super) fn of_columns(
    path: &Path,
    names: Vec<String>,
    kinds: Vec<ColumnKind>,
    cells: Vec<f64>,
    rows: Rows,
) -> Table {
    Table {
        file: path.to_path_buf(),
        names,
        kinds,
        cells,
        rows,
        notes: Vec::new(),
        unnamed: Vec::new(),
        layout: None,
    }
}

/// Makes texts of numbers, as they are shown shortest, and indices of levels of the cells.
pub(super) fn to_levels<'c>(
    cells: impl Iterator<Item = &'c mut f64>,
    source: &mut Source<'_>,
) -> Result<Vec<String>, DataError> {
    let (mut levels, mut places): (Vec<String>, HashMap<u64, f64>) = (Vec::new(), HashMap::new());
    for cell in cells.filter(|cell| !cell.is_nan()) {
        *cell = if let Some(&place) = places.get(&cell.to_bits()) {
            place
        } else {
            source.take::<[usize; 12]>(1)?;
            let place = levels.len() as f64;
            levels.push(cell.to_string());
            places.insert(cell.to_bits(), place);
            place
        };
    }
    Ok(levels)
}
