//! A text file in blocks of whole records, so that it is never in memory as a whole.

use super::super::DataError;
use super::super::source::Source;
use super::ends::record_end;
use super::records::MAX_RECORD;

/// Bytes of a block at most, where records are not longer: a second-level cache holds it and what it becomes.
pub(in crate::data) const LARGEST: usize = 1 << 20;
const SMALLEST: usize = 4 << 10;
/// What is in flight may take a quarter of the limit, and not more than this.
const IN_FLIGHT: u64 = 256 << 20;
/// Memory that a byte of a block takes at most: itself while the next batch is read, a cell of eight bytes twice, or part of a text with its
/// entry in the levels.
const PER_BYTE: usize = 48;

/// How many blocks of which size are read at a time, and bytes of memory that they and what they become take at most.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Flight {
    pub(in crate::data) memory: usize,
    pub(in crate::data) count: usize,
    pub(in crate::data) size: usize,
}

impl Flight {
    /// Within a limit of `max_bytes`.
    pub(in crate::data) fn within(max_bytes: u64, threads: usize) -> Self {
        let memory = usize::try_from((max_bytes / 4).min(IN_FLIGHT)).unwrap_or(usize::MAX);
        let bytes = memory / PER_BYTE;
        let count = (bytes / SMALLEST).clamp(1, 2 * threads.max(1));
        Self { memory, count, size: (bytes / count).clamp(SMALLEST, LARGEST) }
    }
}

/// The blocks of a file, from the first record on.
pub(in crate::data) struct Blocks<'s, 'a> {
    pub(in crate::data) source: &'s mut Source<'a>,
    /// What was read and not given out.
    pending: Vec<u8>,
    /// Whether that is the rest of the file.
    ended: bool,
    /// The delimiter, and what the first byte of a comment is.
    signs: (u8, Option<u8>),
    /// Bytes of a block, where records are not longer.
    size: usize,
}

impl<'s, 'a> Blocks<'s, 'a> {
    /// Of what follows `pending`, which begins where a record does.
    pub(in crate::data) fn new(
        source: &'s mut Source<'a>,
        pending: Vec<u8>,
        ended: bool,
        signs: (u8, Option<u8>),
        size: usize,
    ) -> Self {
        Self { source, pending, ended, signs, size }
    }

    /// The next `count` blocks at most; fewer at the end.
    pub(in crate::data) fn batch(&mut self, count: usize) -> Result<Vec<Vec<u8>>, DataError> {
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
            let end = record_end(text, self.signs.0, self.signs.1)
                .or((text.len() > MAX_RECORD).then_some(text.len()));
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
