//! What is wrong with the data, and where.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::{Hint, Remedy};
use crate::text;

/// A row, counted as the one who looks for it would count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// Line of a text file, from 1, the header included.
    Line(u64),
    /// Sample of an array, from 0.
    Sample(usize),
}

/// Where a value stands: file (none for data from memory), row and name of the column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, if the data came from one.
    pub file: Option<PathBuf>,
    /// Line or sample.
    pub row: Row,
    /// Name of the feature or target.
    pub column: String,
}

impl Place {
    pub(crate) fn line(file: &Path, line: u64, column: impl Into<String>) -> Self {
        Self { file: Some(file.to_path_buf()), row: Row::Line(line), column: column.into() }
    }

    pub(crate) fn sample(sample: usize, column: impl Into<String>) -> Self {
        Self { file: None, row: Row::Sample(sample), column: column.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}, ", text::path(file))?;
        }
        match self.row {
            Row::Line(line) => write!(f, "line {line}")?,
            Row::Sample(sample) => write!(f, "sample {sample} (from 0)")?,
        }
        write!(f, ", column \"{}\"", text::quoted(&self.column))
    }
}

/// A field without a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingValue {
    /// Line from 1.
    pub line: u64,
    /// Name of the column.
    pub column: String,
    /// What stands there.
    pub found: String,
}

impl fmt::Display for MissingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column, found) =
            (self.line, text::quoted(&self.column), text::quoted(&self.found));
        write!(f, "line {line}, column \"{column}\" (\"{found}\")")
    }
}

/// Why data were refused. Every variant names the place and the values.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system could not read the file, or the gzip stream in it is damaged.
    #[error("{}: {}", text::path(path), text::sentence(message))]
    Io {
        /// The file.
        path: PathBuf,
        /// Kind of failure.
        kind: io::ErrorKind,
        /// The system's words.
        message: String,
    },
    /// A NaN or an infinity.
    #[error("{place}: expected a finite number, found {found}")]
    NotFinite {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
    },
    /// Text where a number belongs.
    #[error("{place}: expected a number, found \"{found}\"{hint}")]
    NotANumber {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
        /// What may help, after a colon; empty where nothing is known.
        hint: Box<Hint>,
    },
    /// Fields without a value: empty, `NA`, `?`, …
    #[error("{}: {count} missing value{}: {}{}", text::path(path), if *count == 1 { "" } else { "s" }, missing(*count, first), hint)]
    Missing {
        /// The file.
        path: PathBuf,
        /// How many there are.
        count: usize,
        /// The first of them, five at most.
        first: Vec<MissingValue>,
        /// What may help, after a colon.
        hint: Box<Hint>,
    },
    /// A class label that is not a whole number.
    #[error("{place}: expected a class label (a whole number), found \"{found}\"{hint}")]
    LabelNotInteger {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
        /// What may help, after a colon; empty where nothing is known.
        hint: Box<Hint>,
    },
    /// A class label outside 0, …, classes − 1.
    #[error("{place}: expected a class label from 0 to {}, found {found}{hint}", classes.saturating_sub(1))]
    LabelOutOfRange {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
        /// Number of classes.
        classes: usize,
        /// What may help, after a colon; empty where nothing is known.
        hint: Box<Hint>,
    },
    /// A class name that is not among those expected, or is empty.
    #[error("{place}: expected a class name{}, found \"{found}\"{}", listed(classes), text::did_you_mean(found, classes.iter().map(String::as_str)))]
    UnknownClass {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
        /// The names expected; empty where any but the empty text will do.
        classes: Vec<String>,
    },
    /// A row with more or fewer fields than the header.
    #[error("{}, line {line}: expected {expected} fields, found {found}{hint}", text::path(path))]
    Ragged {
        /// The file.
        path: PathBuf,
        /// Line from 1.
        line: u64,
        /// Fields in the header.
        expected: usize,
        /// Fields in the row.
        found: usize,
        /// What may help, after a colon; empty where nothing is known.
        hint: Box<Hint>,
    },
    /// Nothing to learn from: no samples, no features, no targets or no classes.
    #[error("{}no {what}", file.as_ref().map(|path| format!("{}: ", text::path(path))).unwrap_or_default())]
    NoData {
        /// The file, if the data came from one.
        file: Option<PathBuf>,
        /// What is missing: samples, features, outputs, classes.
        what: &'static str,
    },
    /// A column without a name.
    #[error("{}: column {column} of the header has no name{hint}", text::path(path))]
    EmptyColumnName {
        /// The file.
        path: PathBuf,
        /// Column from 1.
        column: usize,
        /// What may help, after a colon; empty where nothing is known.
        hint: Box<Hint>,
    },
    /// Two columns of one name.
    #[error(
        "{}: columns {first} and {second} of the header are both named \"{name}\"{hint}",
        text::path(path)
    )]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
        /// The first of them, from 1.
        first: usize,
        /// The second, from 1.
        second: usize,
        /// What may help, after a colon; empty where nothing is known.
        hint: Box<Hint>,
    },
    /// A column asked for does not exist, or was asked for twice.
    #[error("{}: no column \"{}\" among {}{hint}", text::path(path), text::quoted(name), text::list(existing.iter().map(String::as_str)))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The name asked for.
        name: String,
        /// The columns that exist and were not asked for before.
        existing: Vec<String>,
        /// What may help, after a colon; empty where nothing is known.
        hint: Box<Hint>,
    },
    /// A feature asked for does not exist.
    #[error("no feature \"{}\" among {}", text::quoted(name), text::list(existing.iter().map(String::as_str)))]
    NoFeature {
        /// The name asked for.
        name: String,
        /// The features that exist.
        existing: Vec<String>,
    },
    /// Groups of samples whose targets are classes.
    #[error("the targets are labels: groups are of samples with numbers for targets")]
    GroupsOfLabels,
    /// A table of one column, whose name looks like several.
    #[error("{}: one column `{found}`{hint}", text::path(path))]
    OneColumn {
        /// The file.
        path: PathBuf,
        /// Its name.
        found: String,
        /// What may help, after a colon.
        hint: Box<Hint>,
    },
    /// An option that cannot be.
    #[error("{option} = {found}: expected {allowed}")]
    Option {
        /// Struct and field.
        option: &'static str,
        /// The value given.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Classes need exactly one target column.
    #[error("{}: class labels stand in one target column, found {found}", text::path(path))]
    OneLabelColumn {
        /// The file.
        path: PathBuf,
        /// Target columns asked for.
        found: usize,
    },
    /// The file ends before the data that its header announces.
    #[error("{}: cut short: expected {expected} bytes, found {found}", text::path(path))]
    CutShort {
        /// The file.
        path: PathBuf,
        /// Bytes that the header announces, itself included (decompressed).
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The file goes on after the data that its header announces.
    #[error("{}: expected {expected} bytes, found more", text::path(path))]
    TrailingBytes {
        /// The file.
        path: PathBuf,
        /// Bytes that the header announces, itself included (decompressed).
        expected: u64,
    },
    /// The first bytes are not those of the format.
    #[error("{}: expected {expected} at the start, found {found}", text::path(path))]
    WrongMagic {
        /// The file.
        path: PathBuf,
        /// What the format begins with.
        expected: &'static str,
        /// What the file begins with.
        found: String,
    },
    /// Numbers of a type that the reader does not read.
    #[error("{}: element type {found} is not supported (supported: {supported})", text::path(path))]
    UnsupportedType {
        /// The file.
        path: PathBuf,
        /// The type in the header.
        found: String,
        /// The types that are read.
        supported: &'static str,
    },
    /// A header, or a structural line, that the format does not allow.
    #[error("{}, {at}: expected {expected}, found {found}{hint}", text::path(path))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Part of the file.
        at: String,
        /// What belongs there.
        expected: String,
        /// What stands there.
        found: String,
        /// What may help, after a colon; empty where nothing is known.
        hint: Box<Hint>,
    },
    /// Bytes that are not UTF-8 text.
    #[error("{}, line {line}: not UTF-8 text", text::path(path))]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line from 1.
        line: u64,
    },
    /// A size that no memory could hold.
    #[error("{}: a size of {found} is beyond this machine", text::path(path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The size, as the header writes it.
        found: String,
    },
    /// More memory than the reader's limit.
    #[error(
        "{}: reading it takes more memory than the limit of {}{}",
        text::path(path),
        amount(*limit),
        if options.is_empty() { String::new() } else { format!(": `{options} {{ max_bytes: …, .. }}` sets another") }
    )]
    OverLimit {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
        /// The options that have it; empty where it is fixed.
        options: &'static str,
    },
    /// Labels that are measured rather than counted.
    #[error(
        "{place}: the label {found} is no class unless it is named as one: \
         `LibsvmOptions {{ task: Task::Values, .. }}` reads numbers (a regression), `Task::Names` with a list of names reads classes"
    )]
    RealLabels {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
    },
    /// A slice or list of the wrong length.
    #[error("{what}: expected {expected}, found {found}")]
    WrongLength {
        /// What was counted.
        what: &'static str,
        /// The count that fits.
        expected: usize,
        /// The count there is.
        found: usize,
    },
    /// An entry of sparse inputs for a feature that there is not.
    #[error(
        "sample {sample} (from 0), entry {entry} (from 0): feature {found}, expected one below {features}"
    )]
    SparseIndex {
        /// The sample, from 0.
        sample: usize,
        /// The entry among those of the sample, from 0; of triples among all.
        entry: usize,
        /// The feature, from 0.
        found: usize,
        /// d.
        features: usize,
    },
    /// Two entries of sparse inputs in one place.
    #[error(
        "sample {sample} (from 0): feature {feature} (from 0) has two entries; `SparseInputs::from_triples` adds them up"
    )]
    SparseTwice {
        /// The sample, from 0.
        sample: usize,
        /// The feature, from 0.
        feature: usize,
    },
    /// Rows of sparse inputs that end before they begin.
    #[error(
        "offsets of sparse inputs: sample {sample} (from 0) begins at entry {from} and ends at {to}, expected offsets that do not decrease"
    )]
    SparseOffsets {
        /// The sample, from 0.
        sample: usize,
        /// Where it begins.
        from: usize,
        /// Where it ends.
        to: usize,
    },
    /// Sparse inputs where a dense table is needed that is too large.
    #[error(
        "{features} features × {samples} samples are {}, more than the limit of {}: this needs dense inputs, and these are sparse",
        approximate(8 * *features as u128 * *samples as u128),
        amount(*limit)
    )]
    NeedsDense {
        /// d.
        features: usize,
        /// N.
        samples: usize,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A formula for sparse inputs that makes something of 0.
    #[error(
        "the formula gives {found} for 0: sparse inputs would no longer be sparse; make them dense with `SparseInputs::to_dense` first"
    )]
    FormulaOfZero {
        /// f(0).
        found: f64,
    },
    /// A formula for sparse inputs of which a centre is taken off.
    #[error("the sparse inputs are standardised: apply the formula before")]
    FormulaOfCentred,
    /// Sample indices beyond the data.
    #[error("sample {index} of a data set with {samples} samples (from 0)")]
    NoSuchSample {
        /// The index asked for, from 0.
        index: usize,
        /// Samples there are.
        samples: usize,
    },
    /// A split that leaves one side empty.
    #[error(
        "fraction {fraction} of {samples} samples: expected at least one sample on either side"
    )]
    EmptySplit {
        /// The fraction asked for.
        fraction: f64,
        /// Samples there are.
        samples: usize,
    },
    /// A number of folds that the samples do not allow.
    #[error("{folds} folds of {samples} samples: expected 2 to {samples}")]
    Folds {
        /// Folds asked for.
        folds: usize,
        /// Samples there are.
        samples: usize,
    },
    /// A scaling with a negative deviation.
    #[error("column \"{}\": expected a deviation of 0 or more, found {found}", text::quoted(name))]
    NegativeDeviation {
        /// The column.
        name: String,
        /// The deviation.
        found: f64,
    },
    /// A weight that no sample can have.
    #[error(
        "the weight of sample {sample} (from 0) is {found}, expected a finite number, 0 or more"
    )]
    Weight {
        /// The sample, from 0.
        sample: usize,
        /// Its weight.
        found: f64,
    },
    /// Weights that no mean can be taken by.
    #[error(
        "the weights of {samples} samples sum to {total}, expected a positive number of normal size"
    )]
    TotalWeight {
        /// Samples.
        samples: usize,
        /// The sum.
        total: f64,
    },
    /// Targets that have an offset beside them are not standardised: the outputs that it is added to would have another unit.
    #[error(
        "targets with an offset beside them cannot be standardised; standardise the inputs only"
    )]
    OffsetOfScaledTargets,
    /// Numbers were asked of labels.
    #[error("{op}: expected numeric targets, found labels of {classes} classes")]
    LabelsNotValues {
        /// The operation.
        op: &'static str,
        /// Classes.
        classes: usize,
    },
}

impl fmt::Debug for DataError {
    /// The sentence: what `main` prints of the error that it returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl DataError {
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), kind: error.kind(), message: error.to_string() }
    }

    /// What may help, where the error has room for that.
    fn hint_mut(&mut self) -> Option<&mut Box<Hint>> {
        match self {
            Self::NotANumber { hint, .. }
            | Self::Missing { hint, .. }
            | Self::OneColumn { hint, .. }
            | Self::LabelOutOfRange { hint, .. }
            | Self::LabelNotInteger { hint, .. }
            | Self::Ragged { hint, .. }
            | Self::EmptyColumnName { hint, .. }
            | Self::DuplicateColumn { hint, .. }
            | Self::MissingColumn { hint, .. }
            | Self::Malformed { hint, .. } => Some(hint),
            _ => None,
        }
    }

    /// The same error with what may help, where it has room for that and nothing stands there.
    pub(crate) fn hinted<H: Into<Box<Hint>>>(mut self, text: impl FnOnce() -> H) -> Self {
        if let Some(hint) = self.hint_mut().filter(|hint| hint.is_empty()) {
            *hint = text().into();
        }
        self
    }

    /// Options of [`Table::read`](super::Table::read) that may help.
    pub fn remedies(&self) -> &[Remedy] {
        match self {
            Self::NotANumber { hint, .. }
            | Self::OneColumn { hint, .. }
            | Self::Ragged { hint, .. } => hint.remedies(),
            _ => &[],
        }
    }

    /// The same error with other words at the end, for programs whose options have names of their own: `: --decimal ','`.
    pub fn with_words(mut self, words: &str) -> Self {
        if let Some(hint) = self.hint_mut() {
            *hint = words.into();
        }
        self
    }

    /// The same error with the file named, where it named none.
    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        match &mut self {
            Self::NoData { file, .. }
            | Self::NotFinite { place: Place { file, .. }, .. }
            | Self::LabelOutOfRange { place: Place { file, .. }, .. } => {
                file.get_or_insert_with(|| path.to_path_buf());
            }
            _ => {}
        }
        self
    }
}

/// ` among […]`, or nothing for an empty list.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!(" among {}", text::list(names.iter().map(String::as_str)))
}

/// `line 3, column "age" ("NA"); …`.
fn missing(count: usize, first: &[MissingValue]) -> String {
    let mut places: Vec<String> = first.iter().map(ToString::to_string).collect();
    if count > first.len() {
        places.push("…".to_owned());
    }
    places.join("; ")
}

/// Bytes with a digit behind the point.
fn approximate(bytes: u128) -> String {
    let gibibytes = bytes as f64 / f64::from(1 << 30);
    if gibibytes < 0.1 {
        return format!("{:.1} MiB", gibibytes * 1024.0);
    }
    format!("{gibibytes:.1} GiB")
}

/// Bytes in the largest unit that divides them.
fn amount(bytes: u64) -> String {
    for (unit, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{} {name}", bytes / unit);
        }
    }
    format!("{bytes} bytes")
}
