//! The batches of rows that a columnar file is read in, as one table.

use std::fmt::Display;
use std::fs::File;
use std::io::ErrorKind;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::ChunkReader;

use super::super::super::DataError;
use super::super::super::source::Source;
use super::super::arrays::{of_columns, to_levels};
use super::super::column::{Column, Fields, Words, settle};
use super::super::names::{Names, categorical};
use super::super::{ColumnKind, Rows, Table, TableOptions};
use super::convert::{Cells, Content, content};
use crate::text::{enumerated, quoted};

/// Rows that are decoded at a time.
const BATCH: usize = 8192;
/// Memory of a name, as of a header's.
const NAME: usize = 384;

/// A Parquet file.
pub(super) fn parquet(source: &mut Source<'_>, options: &TableOptions) -> Result<Table, DataError> {
    if let Some(path) = source.file() {
        let file = File::open(path).map_err(|error| DataError::io(path, &error))?;
        parquet_of(file, source, options)
    } else {
        let bytes = bytes::Bytes::from(source.read_all()?);
        parquet_of(bytes, source, options)
    }
}

fn parquet_of(
    chunks: impl ChunkReader + 'static,
    source: &mut Source<'_>,
    options: &TableOptions,
) -> Result<Table, DataError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(chunks)
        .map_err(|error| damaged(source, &error))?;
    let (schema, metadata) = (builder.schema().clone(), builder.metadata().clone());
    // What a row group unpacks to is held while it is read.
    let groups = metadata
        .row_groups()
        .iter()
        .map(::parquet::file::metadata::RowGroupMetaData::total_byte_size);
    let largest = usize::try_from(groups.max().unwrap_or(0)).unwrap_or(usize::MAX);
    let rows = usize::try_from(metadata.file_metadata().num_rows()).unwrap_or(usize::MAX);
    let mut building = Building::new(&schema, Some(rows), source, options)?;
    source.take::<u8>(largest)?;
    let reader = builder.with_batch_size(BATCH).build();
    for batch in reader.map_err(|error| damaged(source, &error))? {
        building.push(&batch.map_err(|error| damaged(source, &error))?, source)?;
    }
    building.finish(source)
}

/// A file of Arrow's inter-process format.
pub(super) fn arrow(source: &mut Source<'_>, options: &TableOptions) -> Result<Table, DataError> {
    let reader = arrow_ipc::reader::FileReader::try_new(source.seekable()?, None);
    let reader = reader.map_err(|error| damaged(source, &error))?;
    let mut building = Building::new(&reader.schema(), None, source, options)?;
    for batch in reader {
        building.push(&batch.map_err(|error| damaged(source, &error))?, source)?;
    }
    building.finish(source)
}

fn damaged(source: &Source<'_>, error: &impl Display) -> DataError {
    let (path, message) = (source.path.to_path_buf(), error.to_string());
    DataError::Io { path, kind: ErrorKind::InvalidData, message }
}

/// The rows so far.
struct Building<'o> {
    names: Names,
    /// For each column, where it stands in the file and what it holds.
    contents: Vec<(usize, Content)>,
    fields: Vec<Fields>,
    columns: Vec<Column>,
    /// Of columns of dates, the first one.
    dates: Vec<Option<(usize, String)>>,
    words: Words<'o>,
    cells: Vec<f64>,
    rows: usize,
    notes: Vec<String>,
    /// Memory of the levels that is answered for.
    levels: usize,
}

impl<'o> Building<'o> {
    fn new(
        schema: &Schema,
        rows: Option<usize>,
        source: &mut Source<'_>,
        options: &'o TableOptions,
    ) -> Result<Self, DataError> {
        source.take::<u8>(NAME.saturating_mul(schema.fields().len()))?;
        let (mut contents, mut fields, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for (place, field) in schema.fields().iter().enumerate() {
            match content(field.data_type()) {
                Some(content) => {
                    contents.push((place, content));
                    fields.push(field.name().trim());
                }
                None => left_out.push(format!(
                    "{} ({})",
                    quoted(field.name()),
                    short(field.data_type())
                )),
            }
        }
        let mut notes = Vec::new();
        if !left_out.is_empty() {
            let columns = enumerated(left_out.iter().map(String::as_str));
            notes.push(format!("columns that are no numbers and no texts are left out: {columns}"));
        }
        let names = Names::of_header(&fields, false);
        let fields = categorical(&names.columns, options, source.path)?;
        let of = |((_, content), fields): (&(usize, Content), &Fields)| match (content, fields) {
            (Content::Texts, Fields::Any) => Column::new(Fields::Texts),
            (Content::Texts, fields) => Column::new(*fields),
            // Texts are made of numbers once all are there.
            _ => Column::new(Fields::Any),
        };
        let columns: Vec<Column> = contents.iter().zip(&fields).map(of).collect();
        let cells = match rows {
            Some(rows) => source.room(rows.saturating_mul(columns.len()))?,
            None => Vec::new(),
        };
        Ok(Self {
            dates: vec![None; columns.len()],
            names,
            contents,
            fields,
            columns,
            words: Words::new(options),
            cells,
            rows: 0,
            notes,
            levels: 0,
        })
    }

    fn push(&mut self, batch: &RecordBatch, source: &mut Source<'_>) -> Result<(), DataError> {
        let (width, start) = (self.columns.len(), self.cells.len());
        let added = batch.num_rows().saturating_mul(width);
        if self.cells.capacity() - start < added {
            source.take::<f64>(added)?;
        }
        self.cells.resize(start + added, f64::NAN);
        for (index, (place, content)) in self.contents.iter().enumerate() {
            let cells = Cells {
                cells: &mut self.cells[start..],
                index,
                width,
                first_row: self.rows,
                column: &mut self.columns[index],
                words: &self.words,
                date: &mut self.dates[index],
            };
            cells.fill(batch.column(*place).as_ref(), *content);
        }
        let levels: usize = self.columns.iter().map(|column| column.levels.memory()).sum();
        source.take::<u8>(levels - std::mem::replace(&mut self.levels, levels))?;
        self.rows += batch.num_rows();
        Ok(())
    }

    fn finish(mut self, source: &mut Source<'_>) -> Result<Table, DataError> {
        let width = self.columns.len();
        let no = |what| DataError::NoData { file: Some(source.path.to_path_buf()), what };
        if width == 0 {
            return Err(no("columns of numbers or texts"));
        }
        if self.rows == 0 {
            return Err(no("rows"));
        }
        let mut kinds = settle(self.columns, &mut self.cells, self.rows);
        for (index, date) in self.dates.into_iter().enumerate() {
            if let Some((row, found)) = date {
                kinds[index] = ColumnKind::Date { row, found };
            } else if self.contents[index].1 == Content::Numbers
                && self.fields[index] == Fields::Levels
            {
                let column = self.cells.iter_mut().skip(index).step_by(width);
                kinds[index] = ColumnKind::Text { levels: to_levels(column, source)? };
            }
        }
        let rows = Rows::Counted;
        let mut table = of_columns(source.path, self.names.columns, kinds, self.cells, rows);
        table.unnamed = self.names.unnamed;
        table.notes = self.notes;
        table.notes.extend(self.names.notes);
        Ok(table)
    }
}

/// A type for a message, without what it is made of.
fn short(kind: &DataType) -> String {
    let text = kind.to_string();
    quoted(text.split(['(', ' ']).next().unwrap_or_default()).to_string()
}
