//! What kind of file it is: its first bytes tell, else its name, else what its lines look like.

use std::path::Path;

use super::super::DataError;
use super::super::idx::is_idx;
use super::super::source::Source;
use super::TableFormat;

/// Bytes that are looked at.
const LOOKED_AT: usize = 64 << 10;
/// Lines that must look like LIBSVM.
const LINES: usize = 20;
/// What files begin with.
const MAGICS: [(&[u8], TableFormat); 5] = [
    (b"\x93NUMPY", TableFormat::Npy),
    (b"PK\x03\x04", TableFormat::Npz),
    (b"PK\x05\x06", TableFormat::Npz),
    (b"PAR1", TableFormat::Parquet),
    (b"ARROW1", TableFormat::Parquet),
];
/// How names of files end that their bytes do not tell.
const ENDINGS: [&str; 3] = ["libsvm", "svm", "svmlight"];

/// The format of what comes next.
pub(super) fn format_of(source: &mut Source<'_>) -> Result<TableFormat, DataError> {
    let start = source.peek(LOOKED_AT)?;
    let by_bytes = MAGICS.iter().find(|(magic, _)| start.starts_with(magic));
    Ok(match by_bytes {
        Some((_, format)) => *format,
        None if is_idx(&start) => TableFormat::Idx,
        None if is_named_libsvm(source.path) || looks_like_libsvm(&start) => TableFormat::Libsvm,
        None => TableFormat::Csv,
    })
}

/// Whether the name says so, with `.gz` behind it or without.
fn is_named_libsvm(path: &Path) -> bool {
    let packed = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
    let ending = if packed { path.file_stem().map(Path::new) } else { Some(path) };
    let ending = ending.and_then(Path::extension).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// Whether the first line and half of those behind it are `label index:value …`, with ascending indices and two or more of them somewhere.
fn looks_like_libsvm(start: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(
        &start[..start.iter().rposition(|&b| b == b'\n').unwrap_or(start.len())],
    ) else {
        return false;
    };
    let entry = |token: &str| {
        let (index, value) = token.split_once(':')?;
        value.parse::<f64>().ok()?;
        index.parse::<u32>().ok()
    };
    // The number of entries of a line, where it is one.
    let entries = |line: &str| {
        let mut tokens = line.split_ascii_whitespace();
        tokens.next()?.parse::<f64>().ok()?;
        let indices: Vec<u32> = tokens.map(entry).collect::<Option<_>>()?;
        indices.is_sorted_by(|a, b| a < b).then_some(indices.len())
    };
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let lines = lines.filter(|line| !line.trim().is_empty()).take(LINES);
    // One that is not is for the reader to refuse.
    let found: Vec<Option<usize>> = lines.map(entries).collect();
    let good = found.iter().flatten().count();
    let several = found.iter().flatten().any(|&entries| entries > 1);
    several && 2 * good >= found.len() && found[0].is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_libsvm_are_known_and_times_are_none() {
        for (text, is) in [
            ("1 1:0.5 3:2\n-1 2:1\n", true),
            ("# one\n0.5 1:1 2:1 # two\n\n2\n", true),
            ("1 1:0.5 3:2\nx y z", true),
            ("1 12:30\n2 13:45\n", false),
            ("1 3:1 1:2\n", false),
            ("a 1:1 2:2\n", false),
            ("1 2 3\n4 5 6\n", false),
            ("label 1:1 2:2\n1 1:1 2:2\n", false),
            ("1 1:1 2:2\n1 1:1 2:a\n", true),
            ("1\n2\n", false),
            ("", false),
        ] {
            assert_eq!(looks_like_libsvm(text.as_bytes()), is, "{text:?}");
        }
        for (name, is) in [
            ("a.svm", true),
            ("a.libsvm.gz", true),
            ("a.SVMLIGHT", true),
            ("a.csv.gz", false),
            ("svm", false),
        ] {
            assert_eq!(is_named_libsvm(Path::new(name)), is, "{name}");
        }
    }
}
