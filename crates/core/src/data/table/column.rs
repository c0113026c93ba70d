//! What was met in a column so far, and what it comes to: numbers, texts with their levels, both, or dates.

use std::collections::HashMap;

use super::super::csv::numbers::{is_missing, is_missing_name};
use super::ColumnKind;
use super::dates::is_date;

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
    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
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
    pub(super) fn number(&mut self, text: &str) -> u32 {
        self.get(text).unwrap_or_else(|| self.add(text.into()))
    }

    fn add(&mut self, text: Box<str>) -> u32 {
        // A table of 2³² texts is beyond every limit of memory that has a reason.
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.bytes += text.len();
        self.numbers.insert(text, number);
        number
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

/// What was met in a column.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// Fields that are texts whatever they are.
    pub(super) categorical: bool,
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
    pub(super) fn new(categorical: bool) -> Self {
        Self { categorical, ..Self::default() }
    }

    /// Adds what `later` met, whose rows begin at `row`; its cells get the numbers of the levels here.
    pub(super) fn append(&mut self, later: Self, row: usize, cells: &mut [f64], stride: usize) {
        let moved = |met: Met| Met { row: met.row + row, text: met.text };
        self.missing += later.missing;
        self.words += later.words;
        self.texts += later.texts;
        self.first_number = self.first_number.take().or(later.first_number.map(moved));
        self.first_text = self.first_text.take().or(later.first_text.map(moved));
        if later.levels.numbers.is_empty() {
            return;
        }
        if self.mixed() {
            // The texts of a column of both are counted only.
            self.levels = Levels::default();
            return;
        }
        let numbers: Vec<u32> =
            later.levels.into_list().iter().map(|text| self.levels.number(text)).collect();
        for cell in cells.iter_mut().step_by(stride) {
            if let Some(level) = level_of(*cell) {
                *cell = text_cell(numbers[level as usize]);
            }
        }
    }

    /// Whether there are numbers and texts.
    fn mixed(&self) -> bool {
        self.first_number.is_some() && self.first_text.is_some()
    }

    /// What the column of `rows` rows is; its cells become numbers, indices of levels, or NaN.
    pub(super) fn finish(self, rows: usize, cells: &mut [f64], stride: usize) -> ColumnKind {
        let numbers = rows - self.missing - self.texts;
        let boxed = self.texts + self.words > 0;
        let mut rewrite = |cell: fn(u32) -> f64| {
            if boxed {
                for value in cells.iter_mut().step_by(stride) {
                    *value = level_of(*value).map_or(*value, cell);
                }
            }
        };
        match (self.first_number, self.first_text) {
            (_, None) if !self.categorical => {
                rewrite(|_| f64::NAN);
                ColumnKind::Number
            }
            (Some(number), Some(text)) => {
                rewrite(|_| f64::NAN);
                let rarer = if self.texts <= numbers { text } else { number };
                let Met { row, text: found } = rarer;
                ColumnKind::Mixed { numbers, texts: self.texts, row, found }
            }
            (_, first_text) => {
                let levels = self.levels.into_list();
                let dates = |text: &String| {
                    is_missing(text) && !is_missing_name(text, &[]) || is_date(text)
                };
                match first_text {
                    Some(Met { row, text }) if !self.categorical && levels.iter().all(dates) => {
                        rewrite(|_| f64::NAN);
                        ColumnKind::Date { row, found: text }
                    }
                    _ => {
                        rewrite(f64::from);
                        ColumnKind::Text { levels }
                    }
                }
            }
        }
    }
}
