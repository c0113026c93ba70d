//! One file for several readers, each of which reads a part of its bytes.
//!
//! Nobody knows from the midst of a file whether a line end stands between quotes, so there are two passes: each reader surveys its part and
//! says what it makes of each way in which it may begin; from all of the surveys follows where its first record begins, and on which line.
//! The record that an end cuts belongs to the part in which it begins.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::super::source::Source;
use super::super::{DataError, Dataset, Task};
use super::blocks::{Blocks, Flight};
use super::columns::Columns;
use super::ends::line_ends;
use super::states::{Grammar, Leads, PLACES, Place};
use super::{CsvOptions, Opening, Start, by_blocks, check_options};
use crate::data::Place as Where;

const CHUNK: usize = 1 << 16;

/// A CSV file that several readers share: processes, each of which opens it. The rows of all parts, one after the other, are those of the
/// file.
///
/// ```
/// use secant_core::data::{CsvOptions, CsvParts, CsvSurvey};
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
/// let file = CsvParts::open(format!("{root}data/concrete.csv"), &CsvOptions::default())?;
/// // Each reader does this for its part alone, and has what the others found.
/// let surveys: Vec<CsvSurvey> = (0..3).map(|part| file.survey(part, 3)).collect::<Result<_, _>>()?;
/// let rows = file.read(&surveys, 1)?.expect("a third of a thousand rows");
/// assert!((300..400).contains(&rows.samples()));
/// # Ok::<(), secant_core::data::DataError>(())
/// ```
#[derive(Debug)]
pub struct CsvParts {
    path: PathBuf,
    options: CsvOptions,
    columns: Columns,
    /// Where the rows are.
    body: Range<u64>,
    /// The line on which they begin.
    line: u64,
    /// Where the first row is.
    first: u64,
    /// Bytes that are looked at together.
    chunk: usize,
}

/// What a reader found in its part, for the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvSurvey {
    bytes: Range<u64>,
    line_ends: u64,
    leads: Leads,
}

impl CsvParts {
    /// Reads the header of a file, and what else its start says.
    ///
    /// # Errors
    /// As [`Dataset::from_csv_with`]; a file that is packed or no regular one; classes that are not said, since a part alone does not tell
    /// them.
    pub fn open(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Self, DataError> {
        let path = path.as_ref();
        check_options(options)?;
        let said = match &options.task {
            Task::Values | Task::Labels { classes: Some(_) } => true,
            Task::Names(names) => !names.is_empty(),
            Task::Labels { classes: None } => false,
        };
        if !said {
            return Err(DataError::Option {
                option: "CsvOptions::task",
                found: format!("{:?}", options.task),
                allowed: "values, a number of classes or their names, where a part of the rows is read",
            });
        }
        let mut source =
            Source::open_any(path, options.max_bytes, "CsvOptions")?.of_no_archive()?;
        let length = source.length.ok_or_else(|| not_plain(path))?;
        let size = Flight::within(options.max_bytes, 1).size;
        let start = Start::read(&mut source, options, size)?;
        let Opening { columns, at, line, first } = Opening::read(&start, &mut source, options)?;
        let place = |at: usize| ((start.mark + at) as u64).min(length);
        let (body, first, chunk) = (place(at)..length, place(first), CHUNK);
        let (path, options) = (path.to_path_buf(), options.clone());
        Ok(Self { path, options, columns, body, line, first, chunk })
    }

    /// The bytes of one of `parts`.
    #[expect(clippy::cast_possible_truncation, reason = "no more than there are")]
    fn bytes_of(&self, part: usize, parts: usize) -> Range<u64> {
        let all = u128::from(self.body.end - self.body.start);
        let end = |part: usize| self.body.start + (all * part as u128 / parts as u128) as u64;
        end(part)..end(part + 1)
    }

    /// Goes over part `part` (from 0) of `parts`, a chunk at a time.
    ///
    /// # Errors
    /// What the operating system cannot read; a file that became shorter; no such part.
    pub fn survey(&self, part: usize, parts: usize) -> Result<CsvSurvey, DataError> {
        self.check_part(part, parts)?;
        let (bytes, grammar) = (self.bytes_of(part, parts), self.grammar());
        let (mut line_ends, mut leads) = (0, Leads::NOWHERE);
        let mut chunks = self.chunks(bytes.clone())?;
        while let Some(lines) = chunks.next()? {
            line_ends += lines;
            grammar.follow(&mut leads, chunks.text());
        }
        chunks.check_end()?;
        Ok(CsvSurvey { bytes, line_ends, leads })
    }

    /// The rows that begin in part `part` of as many as there are `surveys`; `None` where there are none. A message names the line of the
    /// whole file; missing values are counted in the part alone. Memory as [`CsvOptions::max_bytes`] says, for the part.
    ///
    /// # Errors
    /// As [`Dataset::from_csv_with`], but for a part without rows; surveys of other parts, or of a file that is not the same for all readers.
    pub fn read(&self, surveys: &[CsvSurvey], part: usize) -> Result<Option<Dataset>, DataError> {
        self.check_part(part, surveys.len())?;
        for (index, survey) in surveys.iter().enumerate() {
            let (mine, theirs) = (self.bytes_of(index, surveys.len()), &survey.bytes);
            if mine != *theirs {
                let found = format!("bytes {} to {}", theirs.start, theirs.end);
                let expected =
                    format!("bytes {} to {}, as this reader has them", mine.start, mine.end);
                return Err(self.malformed(
                    format!("the survey of part {index} (from 0)"),
                    expected,
                    found,
                ));
            }
        }
        let before = &surveys[..part];
        let place = before.iter().fold(Place::Record, |place, survey| survey.leads.from(place));
        let (start, lines) = self.record_from(surveys[part].bytes.start, place)?;
        let (end, _) =
            self.record_from(surveys[part].bytes.end, surveys[part].leads.from(place))?;
        if start >= end {
            return Ok(None);
        }
        let line = self.line + lines + before.iter().map(|survey| survey.line_ends).sum::<u64>();
        let (path, options) = (&*self.path, &self.options);
        let mut source = Source::open_any(path, options.max_bytes, "CsvOptions")?;
        let mut file = source.seekable()?;
        file.seek(SeekFrom::Start(start)).map_err(|error| DataError::io(path, &error))?;
        let mut source = source.member(file.take(end - start), path, end - start);
        let flight = Flight::within(options.max_bytes, rayon::current_num_threads());
        source.take::<u8>(flight.memory)?;
        let signs = (options.delimiter, options.comment);
        let blocks = Blocks::new(&mut source, Vec::new(), false, signs, flight.size);
        let rows =
            by_blocks(blocks, &self.columns, options, flight.count, (line, start <= self.first))?;
        self.check_length()?;
        (!rows.is_empty()).then(|| rows.finish(path)).transpose()
    }

    /// Names the columns of `data` as they are named here: data that were made of rows of this file.
    ///
    /// # Errors
    /// Another number of columns.
    pub fn name(&self, data: Dataset) -> Result<Dataset, DataError> {
        let names = |picked: &[usize]| {
            picked.iter().map(|&column| self.columns.names[column].clone()).collect::<Vec<_>>()
        };
        let target_names = names(&self.columns.targets);
        let data = data
            .with_feature_names(names(&self.columns.features))?
            .with_target_names(target_names.clone())?;
        if self.options.task == Task::Values {
            return Ok(data);
        }
        let place = |_| Where::line(&self.path, self.line, target_names[0].as_str());
        match self.options.task.labels(&[], place)?.class_names {
            none if none.is_empty() => Ok(data),
            class_names => data.with_class_names(class_names),
        }
    }

    fn chunks(&self, bytes: Range<u64>) -> Result<Chunks<'_>, DataError> {
        Chunks::new(&self.path, bytes, self.chunk)
    }

    fn grammar(&self) -> Grammar {
        Grammar::new(self.options.delimiter, self.options.comment)
    }

    /// Where the first record begins that does at `at` or behind it, and the line ends between. Whoever asks at the same place has the same
    /// answer: one for the end of a part, one for the start of the next.
    fn record_from(&self, at: u64, place: Place) -> Result<(u64, u64), DataError> {
        let (grammar, mut place) = (self.grammar(), place);
        let mut chunks = self.chunks(at..self.body.end)?;
        let (mut begins, mut lines) = (at, 0);
        // A record may have begun, and the LF of its CRLF be still to come.
        let mut found = place == Place::Record;
        while let Some(all) = chunks.next()? {
            let text = chunks.text();
            if found {
                return Ok((begins + u64::from(chunks.follows_return && text[0] == b'\n'), lines));
            }
            let (length, next) = grammar.record(place, text);
            let Some(length) = length else {
                (place, lines, begins) = (next, lines + all, begins + text.len() as u64);
                continue;
            };
            let doubled = u64::from(chunks.follows_return && text[0] == b'\n');
            (found, lines) = (true, lines + line_ends(&text[..length]) - doubled);
            begins += length as u64;
            if let Some(next) = text.get(length) {
                let returned = text[length - 1] == b'\r' && *next == b'\n';
                return Ok((begins + u64::from(returned), lines));
            }
        }
        chunks.check_end()?;
        Ok((begins, lines))
    }

    fn check_part(&self, part: usize, parts: usize) -> Result<(), DataError> {
        if part < parts {
            return Ok(());
        }
        let found = format!("part {part} (from 0) of {parts}");
        Err(self.malformed("parts".to_owned(), "one of the parts".to_owned(), found))
    }

    /// Whether the file is as long as when it was opened.
    fn check_length(&self) -> Result<(), DataError> {
        let found =
            std::fs::metadata(&self.path).map_err(|error| DataError::io(&self.path, &error))?;
        let (path, expected, found) = (self.path.clone(), self.body.end, found.len());
        match found {
            found if found < expected => Err(DataError::CutShort { path, expected, found }),
            found if found > expected => Err(DataError::TrailingBytes { path, expected }),
            _ => Ok(()),
        }
    }

    fn malformed(&self, at: String, expected: String, found: String) -> DataError {
        DataError::Malformed { path: self.path.clone(), at, expected, found, hint: Box::default() }
    }
}

impl CsvSurvey {
    /// Numbers of a survey.
    pub const NUMBERS: usize = 3 + PLACES;

    /// As numbers, to be sent.
    pub fn numbers(&self) -> [f64; Self::NUMBERS] {
        let mut numbers = [0.0; Self::NUMBERS];
        let counts = [self.bytes.start, self.bytes.end, self.line_ends];
        numbers[..3].copy_from_slice(&counts.map(|count| count as f64));
        numbers[3..].copy_from_slice(&self.leads.0.map(|place| f64::from(place as u8)));
        numbers
    }

    /// What [`numbers`](Self::numbers) gave.
    ///
    /// # Errors
    /// Other numbers.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    pub fn from_numbers(numbers: &[f64]) -> Result<Self, DataError> {
        let wrong = || DataError::Option {
            option: "CsvSurvey::from_numbers",
            found: format!("{numbers:?}"),
            allowed: "numbers that it wrote",
        };
        let numbers: [f64; Self::NUMBERS] = numbers.try_into().map_err(|_| wrong())?;
        let mut leads = Leads::NOWHERE;
        for (place, number) in leads.0.iter_mut().zip(&numbers[3..]) {
            *place = Place::of(*number as usize).ok_or_else(wrong)?;
        }
        let bytes = numbers[0] as u64..numbers[1] as u64;
        Ok(Self { bytes, line_ends: numbers[2] as u64, leads })
    }
}

fn not_plain(path: &Path) -> DataError {
    DataError::Malformed {
        path: path.to_path_buf(),
        at: "bytes".to_owned(),
        expected: "a plain file, to read a part of it".to_owned(),
        found: "a packed one, or a stream".to_owned(),
        hint: Box::default(),
    }
}

/// A run of bytes of a file, a chunk at a time.
struct Chunks<'p> {
    path: &'p Path,
    file: std::io::Take<File>,
    text: Vec<u8>,
    size: usize,
    last: Option<u8>,
    end: u64,
    /// Whether a CR stands before the text.
    follows_return: bool,
}

impl<'p> Chunks<'p> {
    fn new(path: &'p Path, bytes: Range<u64>, size: usize) -> Result<Self, DataError> {
        let failed = |error| DataError::io(path, &error);
        let mut file = File::open(path).map_err(failed)?;
        let mut last = None;
        if let Some(before) = bytes.start.checked_sub(1) {
            file.seek(SeekFrom::Start(before)).map_err(failed)?;
            let mut byte = Vec::new();
            file.by_ref().take(1).read_to_end(&mut byte).map_err(failed)?;
            last = byte.first().copied();
        }
        let file = file.take(bytes.end - bytes.start);
        let (text, end) = (Vec::with_capacity(size), bytes.end);
        Ok(Self { path, file, text, size, last, end, follows_return: false })
    }

    fn text(&self) -> &[u8] {
        &self.text
    }

    /// Reads the next chunk; the line ends in it, a CRLF before whose LF the chunk begins not counted; `None` at the end.
    fn next(&mut self) -> Result<Option<u64>, DataError> {
        self.text.clear();
        let mut chunk = self.file.by_ref().take(self.size as u64);
        chunk.read_to_end(&mut self.text).map_err(|error| DataError::io(self.path, &error))?;
        let (Some(&first), Some(&last)) = (self.text.first(), self.text.last()) else {
            return Ok(None);
        };
        self.follows_return = self.last == Some(b'\r');
        self.last = Some(last);
        let doubled = u64::from(self.follows_return && first == b'\n');
        Ok(Some(line_ends(&self.text) - doubled))
    }

    /// Whether all of them were there.
    fn check_end(&self) -> Result<(), DataError> {
        match self.file.limit() {
            0 => Ok(()),
            missing => Err(DataError::CutShort {
                path: self.path.to_path_buf(),
                expected: self.end,
                found: self.end - missing,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
