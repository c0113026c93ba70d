//! The pieces of a text file, read by several threads, as one table: the same whichever way the blocks fall.

use rayon::prelude::*;

use super::super::DataError;
use super::super::csv::blocks::Blocks;
use super::super::source::Source;
use super::column::{Column, settle};
use super::piece::{Fault, Piece, Reading};
use super::{ColumnKind, Rows};

/// All pieces so far.
#[derive(Debug)]
pub(super) struct Assembly {
    pub(super) columns: Vec<Column>,
    pub(super) cells: Vec<f64>,
    /// The line of each row, from 1.
    pub(super) lines: Vec<u32>,
    /// The line where the next piece begins.
    line: u64,
    /// Bytes that were read.
    bytes: usize,
    /// Memory of the levels.
    levels: usize,
}

/// Why reading ends: a record that is refused, on its line, or an error of the file.
#[derive(Debug)]
pub(super) enum Stop {
    Refused(u64, Fault),
    Error(DataError),
}

impl From<DataError> for Stop {
    fn from(error: DataError) -> Self {
        Self::Error(error)
    }
}

impl Assembly {
    /// Reads `count` blocks at a time, which begin on line `line`; the next ones are read while these are parsed.
    pub(super) fn of(
        mut blocks: Blocks<'_, '_>,
        count: usize,
        line: u64,
        reading: &Reading<'_>,
    ) -> Result<Self, Stop> {
        let mut whole = Self {
            columns: reading.columns().collect(),
            cells: Vec::new(),
            lines: Vec::new(),
            line,
            bytes: 0,
            levels: 0,
        };
        let mut texts = blocks.batch(count)?;
        let mut pieces: Vec<Piece> = Vec::new();
        while !(texts.is_empty() && pieces.is_empty()) {
            let ready = std::mem::take(&mut pieces);
            let (next, parsed) = rayon::join(
                || {
                    for piece in ready {
                        whole.append(piece, blocks.source)?;
                    }
                    // An error of the file comes after those of what was read before.
                    Ok::<_, Stop>(blocks.batch(count))
                },
                || texts.par_iter().map(|text| Piece::parse(text, reading)).collect(),
            );
            pieces = parsed;
            match next? {
                Ok(next) => texts = next,
                Err(error) => {
                    for piece in pieces {
                        whole.append(piece, blocks.source)?;
                    }
                    return Err(error.into());
                }
            }
        }
        Ok(whole)
    }

    fn append(&mut self, mut piece: Piece, source: &mut Source<'_>) -> Result<(), Stop> {
        let (width, row) = (self.columns.len(), self.lines.len());
        for (index, (column, later)) in self.columns.iter_mut().zip(piece.columns).enumerate() {
            let (texts, before) = (later.holds_texts(), column.levels.memory());
            column.append(later, row, piece.cells.get_mut(index..).unwrap_or_default(), width);
            if texts {
                self.levels += column.levels.memory().saturating_sub(before);
            }
        }
        source.take::<u8>(std::mem::take(&mut self.levels))?;
        source.take::<u32>(piece.lines.len())?;
        self.bytes += piece.bytes;
        source.grow(&mut self.cells, piece.cells.len(), self.bytes)?;
        self.cells.extend_from_slice(&piece.cells);
        let line = |at: u32| self.line + u64::from(at);
        self.lines
            .extend(piece.lines.iter().map(|&at| u32::try_from(line(at)).unwrap_or(u32::MAX)));
        if let Some((at, fault)) = piece.fault {
            return Err(Stop::Refused(line(at), fault));
        }
        self.line += u64::from(piece.line_ends);
        Ok(())
    }

    /// The cells, as numbers and indices of levels, what stands in each column, and the rows.
    pub(super) fn finish(self) -> (Vec<f64>, Vec<ColumnKind>, Rows) {
        let Self { columns, mut cells, lines, .. } = self;
        let kinds = settle(columns, &mut cells, lines.len());
        if cells.capacity() > cells.len() + cells.len() / 8 {
            cells.shrink_to_fit();
        }
        (cells, kinds, Rows::Lines(lines))
    }
}
