//! A text file in blocks of whole records, so that it is never in memory as a whole.

use super::super::DataError;
use super::super::csv::records::MAX_RECORD;
use super::super::source::Source;
use super::sniff::{BLANKS, Dialect};

/// Bytes of a block at most, where records are not longer: a second-level cache holds it and what it becomes.
pub(super) const LARGEST: usize = 1 << 20;
const SMALLEST: usize = 4 << 10;
/// What is in flight may take a quarter of the limit, and not more than this.
const IN_FLIGHT: u64 = 256 << 20;
/// Memory that a byte of a block takes at most: itself while the next batch is read, a cell of eight bytes twice, or part of a text with its
/// entry in the levels.
const PER_BYTE: usize = 48;

/// How many blocks of which size are read at a time, and bytes of memory that they and what they become take at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) memory: usize,
    pub(super) count: usize,
    pub(super) size: usize,
}

impl Flight {
    /// Within a limit of `max_bytes`.
    pub(super) fn within(max_bytes: u64, threads: usize) -> Self {
        let memory = usize::try_from((max_bytes / 4).min(IN_FLIGHT)).unwrap_or(usize::MAX);
        let bytes = memory / PER_BYTE;
        let count = (bytes / SMALLEST).clamp(1, 2 * threads.max(1));
        Self { memory, count, size: (bytes / count).clamp(SMALLEST, LARGEST) }
    }
}

/// The blocks of a file, from the first record on.
pub(super) struct Blocks<'s, 'a> {
    pub(super) source: &'s mut Source<'a>,
    /// What was read and not given out.
    pending: Vec<u8>,
    /// Whether that is the rest of the file.
    ended: bool,
    dialect: Dialect,
    /// Bytes of a block, where records are not longer.
    size: usize,
}

impl<'s, 'a> Blocks<'s, 'a> {
    /// Of what follows `pending`, which begins where a record does.
    pub(super) fn new(
        source: &'s mut Source<'a>,
        pending: Vec<u8>,
        ended: bool,
        dialect: Dialect,
        size: usize,
    ) -> Self {
        Self { source, pending, ended, dialect, size }
    }

    /// The next `count` blocks at most; fewer at the end.
    pub(super) fn batch(&mut self, count: usize) -> Result<Vec<Vec<u8>>, DataError> {
        let mut blocks = Vec::with_capacity(count);
        while blocks.len() < count
            && let Some(block) = self.next()?
        {
            blocks.push(block);
        }
        Ok(blocks)
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, DataError> {
        let mut window = self.size;
        loop {
            if self.pending.len() < window && !self.ended {
                self.ended = self.source.fill(&mut self.pending, window)?;
            }
            let whole = self.ended && self.pending.len() <= window;
            if whole {
                let rest = std::mem::take(&mut self.pending);
                return Ok((!rest.is_empty()).then_some(rest));
            }
            let text = &self.pending[..window.min(self.pending.len())];
            // A record that is too long is met by whoever reads the block.
            let end =
                record_end(text, self.dialect).or((text.len() > MAX_RECORD).then_some(text.len()));
            if let Some(end) = end {
                let mut rest = Vec::with_capacity(self.size.max(self.pending.len() - end));
                rest.extend_from_slice(&self.pending[end..]);
                self.pending.truncate(end);
                return Ok(Some(std::mem::replace(&mut self.pending, rest)));
            }
            // A long record is held beside what blocks are expected to take.
            self.source.take::<u8>(window.saturating_sub(LARGEST))?;
            window *= 2;
        }
    }
}

/// Where the last record ends that certainly does in `text`, which begins where one does.
pub(super) fn record_end(text: &[u8], dialect: Dialect) -> Option<usize> {
    let mut end = None;
    // Where the record begins that is looked at, and from where on, outside quotes.
    let (mut start, mut at) = (0, 0);
    while let Some(offset) = position(&text[at..], b'"') {
        let quote = at + offset;
        if let Some(last) = last_line_end(&text[at..quote], false) {
            start = at + last;
            end = Some(start);
        }
        if Some(text[start]) == dialect.comment {
            let Some(length) = line_length(&text[quote..]) else { return end };
            (start, at) = (quote + length, quote + length);
            end = Some(start);
            continue;
        }
        let before = text[start..quote].last();
        let opens = before.is_none_or(|&sign| {
            sign == dialect.delimiter || dialect.delimiter == BLANKS && sign == b'\t'
        });
        at = quote + 1;
        if opens {
            let Some(length) = quoted_length(&text[at..]) else { return end };
            at += length;
        }
    }
    last_line_end(&text[at..], true).map(|last| at + last).or(end)
}

fn position(text: &[u8], wanted: u8) -> Option<usize> {
    /// Looked at together, which is many times faster than one by one.
    const RUN: usize = 64;
    let runs = text.chunks(RUN).take_while(|run| !run.contains(&wanted)).count();
    let start = (runs * RUN).min(text.len());
    text[start..].iter().position(|&byte| byte == wanted).map(|offset| start + offset)
}

/// Behind the last line end; where more text may follow, not behind a CR at the end, which an LF may follow.
fn last_line_end(text: &[u8], open: bool) -> Option<usize> {
    if let Some(last) = text.iter().rposition(|&byte| byte == b'\n') {
        let after = &text[last + 1..];
        return last_line_end_by_cr(after, open).map_or(Some(last + 1), |end| Some(last + 1 + end));
    }
    last_line_end_by_cr(text, open)
}

fn last_line_end_by_cr(text: &[u8], open: bool) -> Option<usize> {
    let text = if open { &text[..text.len().saturating_sub(1)] } else { text };
    text.iter().rposition(|&byte| byte == b'\r').map(|last| last + 1)
}

/// Up to behind the first line end that is certainly whole.
fn line_length(text: &[u8]) -> Option<usize> {
    let first = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    match (text[first], text.get(first + 1)) {
        (b'\r', None) => None,
        (b'\r', Some(b'\n')) => Some(first + 2),
        _ => Some(first + 1),
    }
}

/// Up to behind the quote that closes a text; `None` where that is not sure.
fn quoted_length(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += position(&text[at..], b'"')? + 1;
        if *text.get(at)? != b'"' {
            return Some(at);
        }
        at += 1;
    }
}
