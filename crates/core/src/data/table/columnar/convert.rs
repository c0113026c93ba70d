//! Arrow's arrays as cells.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowTemporalType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, DecimalType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::{DataType, TimeUnit};

use super::super::column::{Column, Words};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Numbers,
    Texts,
    Dates,
}

/// What a type of Arrow's holds; `None` for what is neither a number nor a text nor a date.
pub(super) fn content(kind: &DataType) -> Option<Content> {
    use DataType as T;
    match kind {
        T::Null
        | T::Boolean
        | T::Float16
        | T::Float32
        | T::Float64
        | T::Int8
        | T::Int16
        | T::Int32
        | T::Int64
        | T::UInt8
        | T::UInt16
        | T::UInt32
        | T::UInt64 => Some(Content::Numbers),
        T::Decimal32(..) | T::Decimal64(..) | T::Decimal128(..) | T::Decimal256(..) => {
            Some(Content::Numbers)
        }
        T::Utf8 | T::LargeUtf8 | T::Utf8View => Some(Content::Texts),
        T::Timestamp(..) | T::Date32 | T::Date64 | T::Time32(_) | T::Time64(_) => {
            Some(Content::Dates)
        }
        T::Dictionary(_, values) => content(values).filter(|content| *content != Content::Dates),
        _ => None,
    }
}

/// The cells of one column of a batch, NaN before they are filled.
#[expect(clippy::struct_field_names, reason = "where they go")]
pub(super) struct Cells<'a> {
    /// Row-major, of the whole batch.
    pub(super) cells: &'a mut [f64],
    pub(super) index: usize,
    pub(super) width: usize,
    /// The row of the table where the batch begins.
    pub(super) first_row: usize,
    pub(super) column: &'a mut Column,
    pub(super) words: &'a Words<'a>,
    pub(super) date: &'a mut Option<(usize, String)>,
}

impl Cells<'_> {
    pub(super) fn fill(mut self, array: &dyn Array, content: Content) {
        match content {
            Content::Numbers => {
                let mut values = vec![f64::NAN; array.len()];
                numbers(array, &mut values);
                let cells = self.cells.iter_mut().skip(self.index).step_by(self.width);
                for (cell, value) in cells.zip(values) {
                    *cell = value;
                    let missing = value.is_nan() || self.words.missing_numbers.contains(&value);
                    if missing {
                        *cell = f64::NAN;
                        self.column.missing += 1;
                    }
                }
            }
            Content::Texts => self.texts(array),
            Content::Dates => {
                if self.date.is_none() {
                    let first = (0..array.len()).find(|&row| array.is_valid(row));
                    *self.date = first.map(|row| (self.first_row + row, date(array, row)));
                }
            }
        }
    }

    fn text(&mut self, row: usize, text: Option<&str>) {
        match text {
            Some(text) => {
                let cell = self.column.cell(text.trim(), self.first_row + row, self.words);
                self.cells[row * self.width + self.index] = cell;
            }
            None => self.column.missing += 1,
        }
    }

    fn texts(&mut self, array: &dyn Array) {
        if let Some(dictionary) = array.as_any_dictionary_opt() {
            let values = dictionary.values();
            // A batch of gaps has an empty dictionary, which has no keys.
            let keys = if values.is_empty() { Vec::new() } else { dictionary.normalized_keys() };
            let words: Vec<Option<&str>> = (0..values.len()).map(|at| text(values, at)).collect();
            for row in 0..array.len() {
                let word = if array.is_valid(row) {
                    words.get(keys[row]).copied().flatten()
                } else {
                    None
                };
                self.text(row, word);
            }
            return;
        }
        for row in 0..array.len() {
            self.text(row, text(array, row));
        }
    }
}

/// The text in `row`.
fn text(array: &dyn Array, row: usize) -> Option<&str> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(array.as_string_view().value(row)),
        _ => None,
    }
}

/// `values` ← the numbers of an array; what is missing there is left as it is.
fn numbers(array: &dyn Array, values: &mut [f64]) {
    match array.data_type() {
        DataType::Float64 => each::<Float64Type>(array, values, |value| value),
        DataType::Float32 => each::<Float32Type>(array, values, f64::from),
        DataType::Float16 => each::<Float16Type>(array, values, f64::from),
        DataType::Int8 => each::<Int8Type>(array, values, f64::from),
        DataType::Int16 => each::<Int16Type>(array, values, f64::from),
        DataType::Int32 => each::<Int32Type>(array, values, f64::from),
        DataType::Int64 => each::<Int64Type>(array, values, |value| value as f64),
        DataType::UInt8 => each::<UInt8Type>(array, values, f64::from),
        DataType::UInt16 => each::<UInt16Type>(array, values, f64::from),
        DataType::UInt32 => each::<UInt32Type>(array, values, f64::from),
        DataType::UInt64 => each::<UInt64Type>(array, values, |value| value as f64),
        DataType::Decimal32(..) => decimals::<Decimal32Type>(array, values),
        DataType::Decimal64(..) => decimals::<Decimal64Type>(array, values),
        DataType::Decimal128(..) => decimals::<Decimal128Type>(array, values),
        DataType::Decimal256(..) => decimals::<Decimal256Type>(array, values),
        DataType::Boolean => {
            for (value, flag) in values.iter_mut().zip(array.as_boolean()) {
                *value = flag.map_or(*value, |flag| f64::from(u8::from(flag)));
            }
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let mut words = vec![f64::NAN; dictionary.values().len()];
            numbers(dictionary.values().as_ref(), &mut words);
            if words.is_empty() {
                return;
            }
            for (row, key) in dictionary.normalized_keys().into_iter().enumerate() {
                if array.is_valid(row) {
                    values[row] = words[key];
                }
            }
        }
        // No numbers at all.
        _ => {}
    }
}

fn each<T: ArrowPrimitiveType>(
    array: &dyn Array,
    values: &mut [f64],
    number: impl Fn(T::Native) -> f64,
) {
    let array = array.as_primitive::<T>();
    if array.null_count() == 0 {
        values.iter_mut().zip(array.values()).for_each(|(to, &from)| *to = number(from));
        return;
    }
    for (value, found) in values.iter_mut().zip(array) {
        *value = found.map_or(*value, &number);
    }
}

/// Decimal fractions, rounded once: by the reading of their digits.
fn decimals<T: DecimalType>(array: &dyn Array, values: &mut [f64]) {
    let array = array.as_primitive::<T>();
    for (row, value) in values.iter_mut().enumerate() {
        if array.is_valid(row) {
            *value = array.value_as_string(row).parse().unwrap_or(f64::NAN);
        }
    }
}

/// A date or a time, as it is written.
fn date(array: &dyn Array, row: usize) -> String {
    fn shown<T: ArrowTemporalType>(array: &dyn Array, row: usize) -> String
    where
        i64: From<T::Native>,
    {
        let array = array.as_primitive::<T>();
        let value = match T::DATA_TYPE {
            DataType::Date32 | DataType::Date64 => {
                array.value_as_date(row).map(|day| day.to_string())
            }
            DataType::Time32(_) | DataType::Time64(_) => {
                array.value_as_time(row).map(|time| time.to_string())
            }
            _ => array.value_as_datetime(row).map(|moment| moment.to_string()),
        };
        value.unwrap_or_else(|| i64::from(array.value(row)).to_string())
    }
    match array.data_type() {
        DataType::Date32 => shown::<Date32Type>(array, row),
        DataType::Date64 => shown::<Date64Type>(array, row),
        DataType::Time32(TimeUnit::Second) => shown::<Time32SecondType>(array, row),
        DataType::Time32(_) => shown::<Time32MillisecondType>(array, row),
        DataType::Time64(TimeUnit::Microsecond) => shown::<Time64MicrosecondType>(array, row),
        DataType::Time64(_) => shown::<Time64NanosecondType>(array, row),
        DataType::Timestamp(TimeUnit::Second, _) => shown::<TimestampSecondType>(array, row),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            shown::<TimestampMillisecondType>(array, row)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            shown::<TimestampMicrosecondType>(array, row)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            shown::<TimestampNanosecondType>(array, row)
        }
        other => other.to_string(),
    }
}
