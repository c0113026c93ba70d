//! Tables by the options of the command line.

use crate::args::{ColumnArgs, FormatArg, MissingArg, TableArgs};
use crate::failure::Failure;
use secant::data::{
    Encoded, Missing, Roles, Table, TableFormat, TableOptions, TargetKind, Targets,
};
use serde_json::{Value, json};
use std::path::Path;

impl TableArgs {
    /// As the library has them.
    pub fn options(&self) -> TableOptions {
        TableOptions {
            format: self.format.map(|format| match format {
                FormatArg::Csv => TableFormat::Csv,
                FormatArg::Npy => TableFormat::Npy,
                FormatArg::Npz => TableFormat::Npz,
                FormatArg::Libsvm => TableFormat::Libsvm,
                FormatArg::Idx => TableFormat::Idx,
                FormatArg::Parquet => TableFormat::Parquet,
            }),
            delimiter: self.delimiter,
            header: match (self.header, self.no_header) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            comment: self.comment,
            decimal: self.decimal,
            thousands: self.thousands,
            missing: self.missing_value.clone(),
            categorical: self.categorical.clone(),
            max_bytes: self.max_memory.saturating_mul(1 << 20),
        }
    }

    /// What becomes of gaps.
    pub fn missing(&self) -> Missing {
        match self.missing {
            MissingArg::Refuse => Missing::Refuse,
            MissingArg::Drop => Missing::Drop,
            MissingArg::Mean => Missing::Mean,
        }
    }

    /// Reads a table; `-` is standard input.
    pub fn read(&self, path: &Path) -> Result<Table, Failure> {
        let options = self.options();
        if path == Path::new("-") {
            let input = std::io::stdin();
            return Ok(Table::from_reader(input, Path::new("standard input"), &options)?);
        }
        Ok(Table::read(path, &options)?)
    }
}

impl ColumnArgs {
    /// What the columns are for.
    pub fn roles(&self, table: &TableArgs) -> Roles {
        Roles {
            targets: self.target.clone(),
            task: match (self.classes, self.numbers) {
                (true, _) => TargetKind::Classes,
                (_, true) => TargetKind::Values,
                _ => TargetKind::Auto,
            },
            features: self.features.clone(),
            ignored: self.ignore.clone(),
            categorical: table.categorical.clone(),
            weights: self.weights.clone(),
            offset: self.offset.clone(),
            missing: table.missing(),
            filled_from: None,
        }
    }
}

/// What was read, in sentences.
pub fn sentences(table: &Read, encoded: &Encoded) -> Vec<String> {
    let data = &encoded.data;
    let plural = |count: usize, what: &str| {
        format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
    };
    let targets = data.target_names().join(", ");
    let kind = match data.targets() {
        Targets::Labels { .. } => {
            let names =
                secant::core::text::enumerated(data.class_names().iter().map(String::as_str));
            format!("{} classes: {names}", data.class_names().len())
        }
        Targets::Values { .. } => "numbers".to_owned(),
    };
    let weights = data.encoding().and_then(|encoding| encoding.weights().map(str::to_owned));
    let offset = data.encoding().and_then(|encoding| encoding.offset().map(str::to_owned));
    let beside = [("weights", weights), ("offset", offset)];
    let beside: String = beside
        .iter()
        .filter_map(|(role, name)| Some(format!(", {role} {}", name.as_ref()?)))
        .collect();
    let features = plural(data.features(), "feature");
    let mut sentences = vec![format!(
        "{}: {} of {}; target {targets} ({kind}); {features}{beside}.",
        table.file,
        plural(table.rows, "row"),
        plural(table.columns, "column"),
    )];
    let notes = table.notes.iter().chain(&encoded.notes);
    sentences.extend(notes.map(|note| crate::screen::sentence(note)));
    sentences
}

/// `12,345`.
pub fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What stays known of a table when its cells have become a data set.
#[derive(Clone, Debug)]
pub struct Read {
    pub file: String,
    pub rows: usize,
    pub columns: usize,
    pub notes: Vec<String>,
}

impl Read {
    pub fn of(table: &Table) -> Self {
        Self {
            file: secant::core::text::path(table.file()),
            rows: table.rows(),
            columns: table.names().len(),
            notes: table.notes().to_vec(),
        }
    }

    /// For another program.
    pub fn json(&self, encoded: &Encoded) -> Value {
        let data = &encoded.data;
        json!({
            "file": self.file,
            "rows": self.rows,
            "columns": self.columns,
            "samples": data.samples(),
            "features": data.feature_names(),
            "targets": data.target_names(),
            "classes": data.class_names(),
            "notes": self.notes.iter().chain(&encoded.notes).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_grouped() {
        let all = [0, 12, 123, 1234, 123_456, 1_234_567].map(super::grouped);
        assert_eq!(all, ["0", "12", "123", "1,234", "123,456", "1,234,567"]);
    }
}
