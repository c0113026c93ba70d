//! The first bytes of a text file: the dialect and the names are found out from them.

use super::super::DataError;
use super::super::csv::records::{MAX_RECORD, Record, Records, TooLong};
use super::super::source::{Source, text};
use super::TableOptions;
use super::names::Names;
use super::piece::Fault;
use super::refusal::refused;
use super::sniff::{Dialect, other_delimiter};

/// Bytes that are looked at, and more where records are longer.
const HEAD: usize = 1 << 20;
/// Memory of a name: in the list, in the search for doubles, with the state of its column.
const NAME: usize = 384;

/// The text up to somewhere, and what it tells.
pub(super) struct Start {
    /// What was read of it, without the header once that is taken off.
    pub(super) head: Vec<u8>,
    /// Whether that is all.
    pub(super) whole: bool,
    pub(super) dialect: Dialect,
    /// A delimiter that parts the lines, where another one was said.
    pub(super) other: Option<u8>,
    /// The line where `head` begins.
    pub(super) line: u64,
    /// The line that names the columns.
    pub(super) header: Option<u32>,
}

impl Start {
    pub(super) fn read(source: &mut Source<'_>, options: &TableOptions) -> Result<Self, DataError> {
        let mut head = Vec::new();
        let mut length = HEAD.min(usize::try_from(options.max_bytes / 16).unwrap_or(HEAD)).max(64);
        loop {
            let whole = source.fill(&mut head, length)?;
            let mark = source.mark(&head)?;
            let text = &head[mark..];
            // A header and a row are enough, and no record is longer than that.
            let all = whole || head.len() > 2 * MAX_RECORD;
            if let Some(dialect) = Dialect::of(text, all, options) {
                let other =
                    options.delimiter.and_then(|said| other_delimiter(text, all, said, dialect));
                head.drain(..mark);
                return Ok(Self { head, whole, dialect, other, line: 1, header: None });
            }
            source.take::<u8>(length)?;
            length *= 2;
        }
    }

    /// The names of the columns; `None` where there is no record. The header is taken off.
    pub(super) fn names(
        &mut self,
        source: &mut Source<'_>,
        options: &TableOptions,
    ) -> Result<Option<Names>, DataError> {
        let dialect = self.dialect;
        let mut records = Records::new(&self.head, dialect.delimiter, dialect.comment);
        let mut first = Record::default();
        let read = records.read(&mut first);
        let too_long = |TooLong(line)| refused(&Fault::TooLong, line, &[], options, source.path);
        if !read.map_err(too_long)? {
            return Ok(None);
        }
        let trailing = if dialect.header { dialect.header_trailing } else { dialect.trailing };
        if trailing && first.ends_empty() {
            first.pop();
        }
        source.take::<u8>(NAME * first.len())?;
        if !dialect.header {
            return Ok(Some(Names::numbered(first.len())));
        }
        let fields = first.fields().map(|field| text(field, source.path, first.line));
        let names = Names::of_header(&fields.collect::<Result<Vec<_>, _>>()?, dialect.index);
        let end = records.at();
        self.line = records.line();
        self.header = Some(u32::try_from(first.line).unwrap_or(u32::MAX));
        self.head.drain(..end);
        Ok(Some(names))
    }
}
