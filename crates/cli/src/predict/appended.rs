//! A table as it was, with columns appended.

use crate::args::PredictArgs;
use crate::failure::Failure;
use flate2::read::MultiGzDecoder;
use secant::data::{ColumnKind, Table, TextLayout};
use std::io::Read;
use std::path::Path;

/// What a gzip stream begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const STANDARD_INPUT: &str = "standard input";
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The bytes of the table's file, unpacked.
pub struct Original {
    bytes: Vec<u8>,
}

/// How the rows stand in the file.
pub enum Shape {
    /// On these lines (from 1).
    Text(TextLayout, Vec<u32>),
    /// Not on lines: as text they are these.
    Cells(Vec<String>, Vec<Vec<String>>),
}

impl Shape {
    pub fn of(table: &Table) -> Self {
        if let (Some(layout), Some(lines)) = (table.layout(), table.lines()) {
            return Self::Text(layout.clone(), lines.to_vec());
        }
        let column = |column: usize| -> Vec<String> {
            let levels = match &table.kinds()[column] {
                ColumnKind::Text { levels } => Some(levels),
                _ => None,
            };
            let text = |cell: f64| match levels {
                _ if cell.is_nan() => String::new(),
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the index of a level"
                )]
                Some(levels) => levels.get(cell as usize).cloned().unwrap_or_default(),
                None => cell.to_string(),
            };
            table.column(column).map(text).collect()
        };
        let columns: Vec<Vec<String>> = (0..table.names().len()).map(column).collect();
        let row = |row: usize| columns.iter().map(|column| column[row].clone()).collect();
        Self::Cells(table.names().to_vec(), (0..table.rows()).map(row).collect())
    }
}

impl Original {
    pub fn read(args: &PredictArgs) -> Result<Self, Failure> {
        let path = &args.data;
        let mut bytes = Vec::new();
        if path == Path::new("-") {
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map_err(|error| Failure::new(format!("{STANDARD_INPUT}: {error}")))?;
        } else {
            bytes = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
        }
        if bytes.starts_with(&GZIP) {
            let mut plain = Vec::new();
            // Within the memory that reading may take.
            let most = args.table.options().max_bytes;
            let read = MultiGzDecoder::new(&bytes[..]).take(most).read_to_end(&mut plain);
            read.map_err(|error| Failure::file(path, &error))?;
            if plain.len() as u64 == most {
                let path = secant::core::text::path(path);
                let words = format!("{path}: unpacks to more than {} MiB", args.table.max_memory);
                return Err(Failure::advised(words, "`--max-memory` with more"));
            }
            bytes = plain;
        }
        Ok(Self { bytes })
    }

    pub fn table(&self, args: &PredictArgs) -> Result<Table, Failure> {
        let name = if args.data == Path::new("-") { Path::new(STANDARD_INPUT) } else { &args.data };
        Ok(Table::from_reader(&self.bytes[..], name, &args.table.options())?)
    }

    /// The text with `names` and a value of each for every row, or `only` these.
    pub fn appended(
        &self,
        shape: &Shape,
        names: &[String],
        rows: &[Option<Vec<String>>],
        only: bool,
    ) -> Vec<u8> {
        let empty = vec![String::new(); names.len()];
        let values = |row: usize| rows[row].as_ref().unwrap_or(&empty);
        let mut out = Vec::with_capacity(self.bytes.len() + 32 * rows.len());
        match shape {
            _ if only => {
                line(&mut out, names);
                (0..rows.len()).for_each(|row| line(&mut out, values(row)));
            }
            Shape::Cells(own, cells) => {
                line(&mut out, own.iter().chain(names));
                for (row, own) in cells.iter().enumerate() {
                    line(&mut out, own.iter().chain(values(row)));
                }
            }
            Shape::Text(layout, starts) => {
                let lines = Lines::of(&self.bytes);
                let mut next = 0;
                let header = layout.header.map(|start| (start, names));
                let rows = starts.iter().enumerate().map(|(row, start)| (*start, &values(row)[..]));
                for (start, fields) in header.into_iter().chain(rows) {
                    let first = (start as usize).saturating_sub(1);
                    // Comments and blank lines stay.
                    out.extend_from_slice(lines.between(next, first));
                    let last = lines.end_of_record(first);
                    let (text, end) = lines.split(first, last);
                    out.extend_from_slice(text);
                    let trailing = layout.trailing && text.ends_with(&[layout.delimiter]);
                    if !trailing {
                        out.push(layout.delimiter);
                    }
                    push(&mut out, layout.delimiter, fields);
                    if trailing {
                        out.push(layout.delimiter);
                    }
                    out.extend_from_slice(if end.is_empty() { b"\n" } else { end });
                    next = last + 1;
                }
                out.extend_from_slice(lines.between(next, lines.count()));
            }
        }
        out
    }
}

/// Fields between commas, and the end of the line.
fn line<'a>(out: &mut Vec<u8>, fields: impl IntoIterator<Item = &'a String>) {
    push(out, b',', fields);
    out.push(b'\n');
}

/// Fields between delimiters, in quotes where they need them.
fn push<'a>(out: &mut Vec<u8>, delimiter: u8, fields: impl IntoIterator<Item = &'a String>) {
    for (index, field) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push(delimiter);
        }
        let special = |byte: u8| byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r');
        if field.bytes().any(special) || (field.is_empty() && delimiter == b' ') {
            out.push(b'"');
            out.extend_from_slice(field.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        } else {
            out.extend_from_slice(field.as_bytes());
        }
    }
}

/// Where lines begin; LF, CRLF and CR end one.
struct Lines<'a> {
    bytes: &'a [u8],
    /// Of each line, and the end of the text.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let crlf = *byte == b'\r' && bytes.get(at + 1) == Some(&b'\n');
            if (*byte == b'\n' || *byte == b'\r') && !crlf {
                starts.push(at + 1);
            }
        }
        if starts.last() != Some(&bytes.len()) {
            starts.push(bytes.len());
        }
        Self { bytes, starts }
    }

    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Lines `from` to `to`, without the latter.
    fn between(&self, from: usize, to: usize) -> &'a [u8] {
        let last = self.count();
        let (from, to) = (from.min(last), to.min(last));
        if from < to { &self.bytes[self.starts[from]..self.starts[to]] } else { &[] }
    }

    /// The last line of the record that begins at line `first`: the first one by which all quotes are closed.
    fn end_of_record(&self, first: usize) -> usize {
        let mut open = false;
        for line in first..self.count() {
            let text = self.between(line, line + 1);
            let text =
                if line == 0 { text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text) } else { text };
            open ^= text.iter().fold(false, |odd, byte| odd ^ (*byte == b'"'));
            if !open {
                return line;
            }
        }
        // A quote within a field that has none around it.
        first
    }

    /// Lines `first` to `last`, and the end of the last one.
    fn split(&self, first: usize, last: usize) -> (&'a [u8], &'a [u8]) {
        let all = self.between(first, last + 1);
        let text = all.strip_suffix(b"\n").unwrap_or(all);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        all.split_at(text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appended(text: &str, layout: TextLayout, starts: &[u32]) -> String {
        let original = Original { bytes: text.as_bytes().to_vec() };
        let rows: Vec<_> = (0..starts.len()).map(|row| Some(vec![format!("p{row}")])).collect();
        let shape = Shape::Text(layout, starts.to_vec());
        String::from_utf8(original.appended(&shape, &["new".to_owned()], &rows, false)).unwrap()
    }

    fn layout(delimiter: u8, header: Option<u32>, trailing: bool) -> TextLayout {
        let mut layout = TextLayout::default();
        (layout.delimiter, layout.header, layout.trailing) = (delimiter, header, trailing);
        layout
    }

    #[test]
    fn every_line_stays_as_it_was_and_gets_its_fields() {
        let comma = || layout(b',', Some(1), false);
        assert_eq!(appended("a,b\n1,2\n3,4", comma(), &[2, 3]), "a,b,new\n1,2,p0\n3,4,p1\n");
        assert_eq!(appended("a\r\n\r\n1\r\n", comma(), &[3]), "a,new\r\n\r\n1,p0\r\n");
        let quoted = "a,b\n\"x\ny\",\"2 \"\"\"\n3,4\n";
        assert_eq!(appended(quoted, comma(), &[2, 4]), "a,b,new\n\"x\ny\",\"2 \"\"\",p0\n3,4,p1\n");
        let commented = "# c\na\n# d\n1\n";
        let second = layout(b',', Some(2), false);
        assert_eq!(appended(commented, second, &[4]), "# c\na,new\n# d\n1,p0\n");
        assert_eq!(appended("1;\n2;\n", layout(b';', None, true), &[1, 2]), "1;p0;\n2;p1;\n");
    }
}
