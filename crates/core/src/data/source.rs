//! Files as bytes, gzip undone, and the fields of text files as numbers and labels.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::{DataError, Place};

/// Most characters of a foreign text that an error repeats.
const QUOTED_CHARS: usize = 60;

/// The bytes of a file, decompressed where the path ends in `.gz`.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, DataError> {
    let file = BufReader::new(File::open(path).map_err(|error| DataError::io(path, &error))?);
    let gzipped = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
    Ok(if gzipped { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// All bytes of a file, decompressed where the path ends in `.gz`.
pub(super) fn read_all(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(|error| DataError::io(path, &error))?;
    Ok(bytes)
}

/// Exactly `length` bytes, or all there are. The buffer grows with what is read, so that a false header cannot ask for
/// more memory than its file has bytes.
pub(super) fn read_up_to(
    reader: &mut impl Read,
    length: u64,
    path: &Path,
) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let mut limited = reader.by_ref().take(length);
    limited.read_to_end(&mut bytes).map_err(|error| DataError::io(path, &error))?;
    Ok(bytes)
}

/// The rest of a binary file behind a header of `header` bytes: exactly `length` bytes.
pub(super) fn read_body(
    reader: &mut impl Read,
    header: u64,
    length: u64,
    path: &Path,
) -> Result<Vec<u8>, DataError> {
    let bytes = read_up_to(reader, length.saturating_add(1), path)?;
    let found = bytes.len() as u64;
    let (path, expected) = (path.to_path_buf(), header.saturating_add(length));
    match found {
        _ if found < length => Err(DataError::CutShort { path, expected, found: header + found }),
        _ if found > length => Err(DataError::TrailingBytes { path, expected }),
        _ => Ok(bytes),
    }
}

/// A foreign text as an error repeats it: bounded, and with what is not UTF-8 replaced.
pub(super) fn quoted(bytes: &[u8]) -> String {
    // Four bytes hold any character: no need to decode a whole line for its first few.
    let head = &bytes[..bytes.len().min(4 * QUOTED_CHARS)];
    let text = String::from_utf8_lossy(head);
    let mut short: String = text.chars().take(QUOTED_CHARS).collect();
    if short.len() < text.len() || head.len() < bytes.len() {
        short.push('…');
    }
    short
}

/// A field as text without the white space around it.
pub(super) fn text<'a>(field: &'a [u8], path: &Path, line: u64) -> Result<&'a str, DataError> {
    match std::str::from_utf8(field) {
        Ok(text) => Ok(text.trim()),
        Err(_) => Err(DataError::NotUtf8 { path: path.to_path_buf(), line }),
    }
}

/// A field as a finite number. `place` is built only for the error.
pub(super) fn number(text: &str, place: impl FnOnce() -> Place) -> Result<f64, DataError> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(DataError::NotFinite { place: place(), found: quoted(text.as_bytes()) }),
        Err(_) => Err(DataError::NotANumber { place: place(), found: quoted(text.as_bytes()) }),
    }
}
