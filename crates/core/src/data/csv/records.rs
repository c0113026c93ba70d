//! A text cut into records and fields: RFC 4180 as it is met with. A record ends with LF, CRLF or CR outside quotes; a field that begins
//! with a quote ends with one, and two quotes in it are one; what follows the closing quote belongs to the field.

/// Bytes of a record at most: some two million columns. What a record takes beside the file is a small multiple of that.
pub(in crate::data) const MAX_RECORD: usize = 16 << 20;

/// The delimiter that stands for any run of spaces and tabs.
pub(in crate::data) const BLANKS: u8 = b' ';

/// A record that is longer than [`MAX_RECORD`], by the line that it begins on.
#[derive(Debug)]
pub(in crate::data) struct TooLong(pub(in crate::data) u64);

/// Fields of one record, and the line (from 1) that it begins on.
#[derive(Debug, Default)]
pub(in crate::data) struct Record {
    text: Vec<u8>,
    /// Where each field ends in `text`.
    ends: Vec<usize>,
    /// Where it begins in the text.
    pub(in crate::data) start: usize,
    pub(in crate::data) line: u64,
}

impl Record {
    pub(in crate::data) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Field `index`, which exists.
    pub(in crate::data) fn field(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }

    pub(in crate::data) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.field(index))
    }

    /// Without the last field.
    pub(in crate::data) fn pop(&mut self) {
        self.ends.pop();
    }

    /// Whether the last field, which is not the only one, is empty.
    pub(in crate::data) fn ends_empty(&self) -> bool {
        self.len() > 1 && self.field(self.len() - 1).trim_ascii().is_empty()
    }

    /// Nothing but white space, and not even two fields of it.
    pub(in crate::data) fn is_blank(&self) -> bool {
        self.len() <= 1 && self.text.trim_ascii().is_empty()
    }
}

/// The records of a text.
#[derive(Clone, Debug)]
pub(in crate::data) struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the record ends at the latest.
    end: usize,
    line: u64,
    delimiter: u8,
    /// What the first byte of a line that is left out is.
    comment: Option<u8>,
}

impl<'a> Records<'a> {
    pub(in crate::data) fn new(bytes: &'a [u8], delimiter: u8, comment: Option<u8>) -> Self {
        Self { bytes, at: 0, end: bytes.len(), line: 1, delimiter, comment }
    }

    /// The same text, whose first line has another number.
    pub(super) fn beginning_at(self, line: u64) -> Self {
        Self { line, ..self }
    }

    /// Where the next record begins.
    pub(in crate::data) fn at(&self) -> usize {
        self.at
    }

    /// The line (from 1) there.
    pub(in crate::data) fn line(&self) -> u64 {
        self.line
    }

    /// Past the record that ends before the line end at `at`, and past that.
    pub(super) fn pass(&mut self, at: usize) {
        self.at = at;
        self.end = self.bytes.len();
        if self.here().is_some() {
            self.line_end();
        }
    }

    /// The byte here, in this record.
    fn here(&self) -> Option<u8> {
        self.bytes[..self.end].get(self.at).copied()
    }

    /// The next record that is neither blank nor a comment; `false` at the end.
    pub(in crate::data) fn read(&mut self, record: &mut Record) -> Result<bool, TooLong> {
        while self.at < self.bytes.len() {
            self.end = self.bytes.len();
            if self.comment.is_some() && self.here() == self.comment {
                self.skip_line();
                continue;
            }
            self.read_here(record)?;
            if !record.is_blank() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The record that begins here, blank or not.
    pub(in crate::data) fn read_here(&mut self, record: &mut Record) -> Result<(), TooLong> {
        (record.start, record.line) = (self.at, self.line);
        record.text.clear();
        record.ends.clear();
        self.end = self.bytes.len().min(self.at.saturating_add(MAX_RECORD));
        self.record(record);
        if self.at >= self.end && self.end < self.bytes.len() {
            return Err(TooLong(record.line));
        }
        Ok(())
    }

    fn skip_line(&mut self) {
        while let Some(byte) = self.here() {
            if byte == b'\n' || byte == b'\r' {
                return self.line_end();
            }
            self.at += 1;
        }
    }

    /// Past the line end that begins here.
    fn line_end(&mut self) {
        self.at += if self.bytes[self.at..].starts_with(b"\r\n") { 2 } else { 1 };
        self.line += 1;
    }

    /// The fields up to the end of the record.
    fn record(&mut self, record: &mut Record) {
        // A space as delimiter stands for a run of spaces and tabs, and for nothing at the ends of a line.
        let blanks = self.delimiter == BLANKS;
        loop {
            if blanks {
                self.skip_blanks();
            }
            let ended = self.field(&mut record.text);
            if blanks {
                self.skip_blanks();
            }
            let last = ended || (blanks && self.at_line_end());
            record.ends.push(record.text.len());
            if last {
                if self.here().is_some() {
                    self.line_end();
                }
                return;
            }
        }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.here(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn at_line_end(&self) -> bool {
        matches!(self.here(), None | Some(b'\n' | b'\r'))
    }

    /// One field, and the delimiter behind it; whether the record ends there.
    fn field(&mut self, text: &mut Vec<u8>) -> bool {
        if self.here() == Some(b'"') {
            self.at += 1;
            self.quoted(text);
        }
        // A line end or two quotes may reach over the limit.
        let rest = &self.bytes[self.at.min(self.end)..self.end];
        let (delimiter, blanks) = (self.delimiter, self.delimiter == BLANKS);
        let ends = |byte: &u8| {
            *byte == delimiter || matches!(byte, b'\n' | b'\r') || blanks && *byte == b'\t'
        };
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        text.extend_from_slice(&rest[..length]);
        self.at = self.at.max(self.at.min(self.end) + length);
        let ended = matches!(rest.get(length), None | Some(b'\n' | b'\r'));
        self.at += usize::from(!ended);
        ended
    }

    /// What stands between quotes; the position is behind the closing one, or at the end of the text.
    fn quoted(&mut self, text: &mut Vec<u8>) {
        while let Some(byte) = self.here() {
            match byte {
                b'"' if self.bytes.get(self.at + 1) == Some(&b'"') => {
                    text.push(byte);
                    self.at += 2;
                }
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\n' | b'\r' => {
                    let start = self.at;
                    self.line_end();
                    text.extend_from_slice(&self.bytes[start..self.at]);
                }
                _ => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8], delimiter: u8, comment: Option<u8>) -> Vec<(u64, Vec<Vec<u8>>)> {
        let mut records = Records::new(bytes, delimiter, comment);
        let (mut record, mut found) = (Record::default(), Vec::new());
        while records.read(&mut record).unwrap() {
            found.push((record.line, record.fields().map(<[u8]>::to_vec).collect()));
        }
        found
    }

    /// What the csv crate finds, without the records that are blank here.
    fn reference(bytes: &[u8], delimiter: u8, comment: Option<u8>) -> Vec<Vec<Vec<u8>>> {
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .comment(comment)
            .from_reader(bytes);
        let records = reader.byte_records().map(Result::unwrap);
        let records = records.map(|record| record.iter().map(<[u8]>::to_vec).collect::<Vec<_>>());
        let blank = |record: &Vec<Vec<u8>>| {
            record.len() <= 1 && record.iter().all(|field| field.trim_ascii().is_empty())
        };
        records.filter(|record| !blank(record)).collect()
    }

    #[test]
    fn a_line_number_is_that_of_the_record_whatever_the_line_ends() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["", "a,b", "", "1,\"x", "y\"", "# c", "2,3", "  ", "4,5"].join(end);
            let lines: Vec<u64> =
                all(text.as_bytes(), b',', Some(b'#')).iter().map(|(line, _)| *line).collect();
            assert_eq!(lines, [2, 4, 7, 9], "{end:?}");
        }
    }

    #[test]
    fn a_record_that_never_ends_is_refused_before_its_fields_are_kept() {
        for byte in *b",x\"" {
            let mut text = b"a,b\n".to_vec();
            text.resize(MAX_RECORD + 5, byte);
            let (mut records, mut record) = (Records::new(&text, b',', None), Record::default());
            assert!(records.read(&mut record).unwrap());
            assert!(matches!(records.read(&mut record), Err(TooLong(2))));
            let whole = &text[..MAX_RECORD];
            let mut records = Records::new(whole, b',', None);
            assert!(records.read(&mut record).unwrap() && records.read(&mut record).unwrap());
        }
    }

    #[test]
    fn a_space_stands_for_a_run_of_blanks() {
        let found = all(b"  a \t b\n1   2  \n\"3 4\"\t5", b' ', None);
        let found: Vec<Vec<String>> = found
            .into_iter()
            .map(|(_, fields)| fields.into_iter().map(|f| String::from_utf8(f).unwrap()).collect())
            .collect();
        assert_eq!(found, [["a", "b"], ["1", "2"], ["3 4", "5"]]);
    }

    proptest! {
        #[test]
        fn records_are_those_of_the_csv_crate(
            bytes in proptest::collection::vec(proptest::sample::select(&b"ab1,;\"\" \n\r#\t"[..]), 0..60),
            delimiter in proptest::sample::select(&b",;\t"[..]),
            comments in any::<bool>(),
        ) {
            let comment = comments.then_some(b'#');
            // A comment of the csv crate ends with LF only.
            let bytes: Vec<u8> = bytes.into_iter().filter(|byte| !(comments && *byte == b'\r')).collect();
            let found: Vec<_> = all(&bytes, delimiter, comment).into_iter().map(|(_, fields)| fields).collect();
            prop_assert_eq!(found, reference(&bytes, delimiter, comment));
        }
    }
}
