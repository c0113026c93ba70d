//! What was met in a column so far, and what it comes to: numbers, texts with their levels, both, or dates.

use std::collections::HashMap;

use rayon::prelude::*;

use super::super::csv::numbers::{Numbers, is_missing, is_missing_name};
use super::dates::is_date;
use super::{ColumnKind, TableOptions};

/// Rows that a task looks at when the cells of texts get their last form.
const ROWS_OF_A_TASK: usize = 4096;
/// The bits of a NaN that stand for a text while a column is read, with the number of its level below. No arithmetic touches them.
const TEXT: u64 = 0x7ffc_0000_0000_0000;
/// The bits of the number of a level.
const LEVEL: u64 = 0xffff_ffff;

/// A text, by the number of its level.
pub(super) fn text_cell(level: u32) -> f64 {
    f64::from_bits(TEXT | u64::from(level))
}

/// The level of a cell that is a text.
pub(super) fn level_of(cell: f64) -> Option<u32> {
    let bits = cell.to_bits();
    (bits & !LEVEL == TEXT).then_some((bits & LEVEL) as u32)
}

/// Different texts, numbered in the order in which they were met.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    numbers: HashMap<Box<str>, u32>,
    /// Bytes of them all.
    bytes: usize,
}

impl Levels {
    pub(super) fn get(&self, text: &str) -> Option<u32> {
        if self.numbers.is_empty() { None } else { self.numbers.get(text).copied() }
    }

    /// The number of `text`, which becomes a level where it is none.
    fn number(&mut self, text: Box<str>) -> u32 {
        // 2³² different texts are beyond any memory that a machine has for a table.
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let bytes = text.len();
        let number = *self.numbers.entry(text).or_insert(next);
        self.bytes += if number == next { bytes } else { 0 };
        number
    }

    fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The levels in order.
    fn into_list(self) -> Vec<String> {
        let mut list = vec![String::new(); self.numbers.len()];
        for (text, number) in self.numbers {
            list[number as usize] = text.into_string();
        }
        list
    }

    /// Bytes of memory, roughly.
    pub(super) fn memory(&self) -> usize {
        /// An entry of the map, a string in the list and what the allocator adds.
        const ENTRY: usize = 80;
        self.bytes + ENTRY * self.numbers.len()
    }
}

/// What stands in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Met {
    pub(super) row: usize,
    pub(super) text: String,
}

/// What the fields of a column may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fields {
    /// Whatever they look like.
    #[default]
    Any,
    /// Texts, or dates written as such: the file says so.
    #[cfg(feature = "parquet")]
    Texts,
    /// Texts whatever they look like: an option says so.
    Levels,
}

/// What stands for numbers and for missing values.
#[derive(Debug)]
pub(super) struct Words<'a> {
    pub(super) numbers: Numbers,
    /// Texts that stand for a missing value.
    missing: &'a [String],
    /// The numbers among them.
    pub(super) missing_numbers: Vec<f64>,
}

impl<'a> Words<'a> {
    pub(super) fn new(options: &'a TableOptions) -> Self {
        let numbers = Numbers::new(options.decimal, options.thousands);
        let missing_numbers =
            options.missing.iter().filter_map(|text| numbers.read(text.trim())).collect();
        Self { numbers, missing: &options.missing, missing_numbers }
    }

    fn is_given_missing(&self, text: &str) -> bool {
        self.missing.iter().any(|word| word == text)
    }
}

/// What was met in a column.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    pub(super) fields: Fields,
    /// Rows without a value, those with a word like `none` among them, which is a missing number but no missing text.
    pub(super) missing: usize,
    /// How many of them have such a word.
    pub(super) words: usize,
    pub(super) texts: usize,
    pub(super) levels: Levels,
    pub(super) first_number: Option<Met>,
    pub(super) first_text: Option<Met>,
}

impl Column {
    pub(super) fn new(fields: Fields) -> Self {
        Self { fields, ..Self::default() }
    }

    /// What becomes of a field, without the white space around it.
    pub(super) fn cell(&mut self, text: &str, row: usize, words: &Words<'_>) -> f64 {
        if let Some(level) = self.levels.get(text) {
            if self.fields != Fields::Any || !is_word(text) {
                self.texts += 1;
            } else {
                self.missing += 1;
                self.words += 1;
            }
            return text_cell(level);
        }
        if is_missing_name(text, &[]) || words.is_given_missing(text) {
            self.missing += 1;
            return f64::NAN;
        }
        let met = || Some(Met { row, text: text.to_owned() });
        if self.fields == Fields::Any {
            match words.numbers.read(text) {
                Some(value) if value.is_nan() || words.missing_numbers.contains(&value) => {
                    self.missing += 1;
                    return f64::NAN;
                }
                Some(value) => {
                    self.first_number = self.first_number.take().or_else(met);
                    return value;
                }
                None if is_word(text) => {
                    self.missing += 1;
                    self.words += 1;
                    return text_cell(self.levels.number(text.into()));
                }
                None => {}
            }
        }
        self.first_text = self.first_text.take().or_else(met);
        self.texts += 1;
        text_cell(self.levels.number(text.into()))
    }

    /// Adds what `later` met, whose rows begin at `row`; its cells, every `stride`-th, get the numbers of the levels here.
    pub(super) fn append(&mut self, later: Self, row: usize, cells: &mut [f64], stride: usize) {
        let moved = |met: Met| Met { row: met.row + row, text: met.text };
        self.missing += later.missing;
        self.words += later.words;
        self.texts += later.texts;
        self.first_number = self.first_number.take().or(later.first_number.map(moved));
        self.first_text = self.first_text.take().or(later.first_text.map(moved));
        if later.levels.is_empty() {
            return;
        }
        if self.is_mixed() {
            // The texts of a column of both are counted only.
            self.levels = Levels::default();
            return;
        }
        let texts = later.levels.into_list().into_iter();
        let numbers: Vec<u32> = texts.map(|text| self.levels.number(text.into())).collect();
        for cell in cells.iter_mut().step_by(stride) {
            if let Some(level) = level_of(*cell) {
                *cell = text_cell(numbers[level as usize]);
            }
        }
    }

    /// Whether there are numbers and texts.
    fn is_mixed(&self) -> bool {
        self.first_number.is_some() && self.first_text.is_some()
    }

    /// Whether its cells hold texts.
    pub(super) fn holds_texts(&self) -> bool {
        self.texts + self.words > 0
    }

    /// Where the first text stands, where all texts are numbers by another decimal sign or sign between thousands, and by the same for all.
    pub(super) fn other_numbers(&self, numbers: Numbers) -> Option<&Met> {
        let first =
            self.first_text.as_ref().filter(|_| self.fields == Fields::Any && !self.is_mixed())?;
        let texts = || self.levels.numbers.keys().filter(|text| !is_word(text));
        let signs = |sign: Option<char>| matches!(sign, None | Some('.' | ','));
        let mut readings = numbers.other_readings(&first.text).into_iter();
        let all = readings.any(|(reading, _)| {
            signs(reading.thousands) && texts().all(|text| reading.read(text).is_some())
        });
        all.then_some(first)
    }

    /// What the column of `rows` rows is.
    pub(super) fn finish(self, rows: usize) -> ColumnKind {
        let numbers = rows - self.missing - self.texts;
        match (self.first_number, self.first_text) {
            (_, None) if self.fields == Fields::Any => ColumnKind::Number,
            (Some(number), Some(text)) => {
                let rarer = if self.texts <= numbers { text } else { number };
                let Met { row, text: found } = rarer;
                ColumnKind::Mixed { numbers, texts: self.texts, row, found }
            }
            (_, first) => {
                let levels = self.levels.into_list();
                let date = |text: &String| is_word(text) || is_date(text);
                match first.filter(|_| self.fields != Fields::Levels && levels.iter().all(date)) {
                    Some(Met { row, text: found }) => ColumnKind::Date { row, found },
                    None => ColumnKind::Text { levels },
                }
            }
        }
    }
}

/// Whether a text stands for a missing number and may be a level among texts: `none`, `null`, `.`
fn is_word(text: &str) -> bool {
    is_missing(text) && !is_missing_name(text, &[])
}

/// Makes numbers, indices of levels and NaN of the cells, row-major and texts as [`text_cell`] has them, and says what each column is.
pub(super) fn settle(columns: Vec<Column>, cells: &mut [f64], rows: usize) -> Vec<ColumnKind> {
    let width = columns.len();
    let holding: Vec<bool> = columns.iter().map(Column::holds_texts).collect();
    let kinds: Vec<ColumnKind> = columns.into_iter().map(|column| column.finish(rows)).collect();
    // Columns whose cells are not yet what they will be, and whether texts are indices there.
    let rewritten: Vec<(usize, bool)> = (0..width)
        .filter(|&index| holding[index])
        .map(|index| (index, matches!(kinds[index], ColumnKind::Text { .. })))
        .collect();
    if !rewritten.is_empty() {
        cells.par_chunks_mut(width * ROWS_OF_A_TASK).for_each(|rows| {
            for row in rows.chunks_exact_mut(width) {
                for &(index, texts) in &rewritten {
                    if let Some(level) = level_of(row[index]) {
                        row[index] = if texts { f64::from(level) } else { f64::NAN };
                    }
                }
            }
        });
    }
    kinds
}
