//! Why a text file is refused.

use std::path::Path;

use super::super::csv::columns::comment_sign;
use super::super::csv::numbers::Numbers;
use super::super::csv::records::MAX_RECORD;
use super::super::source::not_a_number;
use super::super::{DataError, Place, Remedy};
use super::TableOptions;
use super::assembly::Assembly;
use super::piece::Fault;

/// Why the record that begins on `line` is refused.
pub(super) fn refused(
    fault: &Fault,
    line: u64,
    columns: &[String],
    options: &TableOptions,
    path: &Path,
) -> DataError {
    let path = path.to_path_buf();
    match fault {
        Fault::NotUtf8 => DataError::NotUtf8 { path, line },
        Fault::TooLong => DataError::Malformed {
            path,
            at: format!("line {line}"),
            expected: format!("a record of {} MiB at most", MAX_RECORD >> 20),
            found: "a longer one".to_owned(),
            hint: Box::default(),
        },
        Fault::Ragged { found, record } => DataError::Ragged {
            path,
            line,
            expected: columns.len(),
            found: *found,
            hint: ragged_remedies(record, columns, options).into(),
        },
    }
}

/// What may help against a record with another number of fields: it is a comment, or its only field a number with a decimal comma.
fn ragged_remedies(record: &[u8], columns: &[String], options: &TableOptions) -> Vec<Remedy> {
    let text = String::from_utf8_lossy(record);
    if let Some(sign) = comment_sign(record).filter(|_| options.comment.is_none()) {
        return vec![Remedy::Comment(sign)];
    }
    match columns {
        [_] => readings_of(Numbers::new(options.decimal, options.thousands), text.trim()),
        _ => Vec::new(),
    }
}

/// Other ways to write numbers by which `text` is one.
fn readings_of(numbers: Numbers, text: &str) -> Vec<Remedy> {
    let readings = numbers.other_readings(text).into_iter();
    let remedies = readings.map(|(Numbers { decimal, thousands }, value)| Remedy::Numbers {
        decimal,
        thousands,
        value,
    });
    remedies.collect()
}

/// Refuses a column of texts that are all numbers by another decimal sign: as texts they would be taken for names.
pub(super) fn refuse_other_numbers(
    assembly: &Assembly,
    names: &[String],
    numbers: Numbers,
    path: &Path,
) -> Result<(), DataError> {
    let columns = assembly.columns.iter().zip(names);
    let found = columns.filter_map(|(column, name)| Some((column.other_numbers(numbers)?, name)));
    let Some((met, name)) = found.min_by_key(|(met, _)| met.row) else { return Ok(()) };
    let mut remedies = readings_of(numbers, &met.text);
    remedies.push(Remedy::Categorical(name.clone()));
    let place = Place::line(path, assembly.lines[met.row].into(), name.as_str());
    Err(not_a_number(&met.text, place).hinted(|| remedies))
}
