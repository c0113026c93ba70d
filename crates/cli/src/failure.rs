//! What is wrong with what was asked for: what, where, and what would do.

use secant::core::text::UnknownName;
use secant::data::{DataError, Hint, Remedy, TableError, TableFault};
use secant::description::DescriptionError;
use secant::inference::InferenceError;
use secant::{CurveError, FitError, ModelFileError};
use std::error::Error;
use std::path::Path;

/// Letters of a word for a missing value at most.
const LONGEST_WORD: usize = 20;

/// A refusal.
#[derive(Debug)]
pub struct Failure {
    /// What, and where.
    pub what: String,
    /// What would do, where that is known.
    pub advice: Option<String>,
}

impl Failure {
    /// Without advice.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), advice: None }
    }

    /// With advice.
    pub fn advised(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what: what.into(), advice: Some(advice.into()) }
    }

    /// Of a file that could not be read or written.
    pub fn file(path: &Path, error: &dyn Error) -> Self {
        Self::new(format!("{}: {error}", secant::core::text::path(path)))
    }
}

/// Whether the file does not name the column: `column1`, ….
fn is_numbered(name: &str) -> bool {
    let number = name.strip_prefix("column").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name as one argument of a shell.
pub fn quoted(name: &str) -> String {
    let plain =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+' | ':' | ',' | '=');
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        let advice = match &*error.fault {
            TableFault::NoColumn { existing, .. } if existing.iter().all(|name| is_numbered(name)) => {
                Some("the first line is taken for data: `--header` takes it for names".to_owned())
            }
            TableFault::NoTarget { existing } => {
                existing.last().map(|last| format!("`--target {}`, if that is it", quoted(last)))
            }
            TableFault::Missing { columns, .. } => {
                let worst = columns.first().map_or(String::new(), |(name, _)| {
                    format!("; `--ignore {}` leaves a column out", quoted(name))
                });
                Some(format!(
                    "`--missing drop` leaves these rows out, `--missing mean` fills the gaps{worst}"
                ))
            }
            TableFault::Mixed { name, found, texts, numbers, .. } => {
                let name = quoted(name);
                // What has a digit may be a number in other signs or with a unit.
                let is_number = found.contains(|c: char| c.is_ascii_digit());
                let short = found.chars().count() <= LONGEST_WORD && !found.contains(char::is_control);
                let rare = texts <= numbers && !is_number && short;
                let as_missing = rare.then(|| {
                    format!("`--missing-value {}` takes the text for a missing value, ", quoted(found))
                });
                let written = if is_number && texts <= numbers {
                    "`--decimal` and `--thousands` say how numbers are written, "
                } else {
                    ""
                };
                Some(format!(
                    "{}{written}`--categorical {name}` takes all of the column for texts, `--ignore {name}` leaves it out",
                    as_missing.unwrap_or_default()
                ))
            }
            TableFault::NumbersAsTexts { name, decimal, thousands, .. } => {
                let (writing, name) = (writing(*decimal, *thousands), quoted(name));
                Some(format!("{writing} reads them, `--categorical {name}` takes them for texts"))
            }
            TableFault::Date { name, .. } => Some(format!("`--ignore {}`", quoted(name))),
            TableFault::Identifiers { name, .. } => {
                let name = quoted(name);
                Some(format!(
                    "`--ignore {name}` leaves it out, `--categorical {name}` takes each text for a level"
                ))
            }
            TableFault::TwoRoles { .. } | TableFault::NoFeatures => {
                Some("`secant describe FILE` lists the columns".to_owned())
            }
            TableFault::ManyClasses { .. } => {
                Some("numbers are fitted as numbers without `--classes`".to_owned())
            }
            TableFault::Texts { role: "target", .. } => {
                Some("texts are classes: leave `--numbers` out".to_owned())
            }
            TableFault::NoRows => {
                Some("fewer rows are left out by `--ignore` of columns with many gaps, or by `--missing mean`".to_owned())
            }
            TableFault::Data(inner) => return Self { what: format!("{}: {}", secant::core::text::path(&error.file), Self::from(inner.clone()).what), advice: None },
            _ => None,
        };
        Self { what: error.to_string(), advice }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        let words = error.to_string();
        if let DataError::OverLimit { .. } = error {
            let what = words.split(": raise").next().unwrap_or(&words).to_owned();
            return Self::advised(what, "`--max-memory` with more");
        }
        let remedies = error.remedies();
        let hint = Box::<Hint>::from(remedies.to_vec()).to_string();
        let advice: Vec<String> = remedies.iter().filter_map(remedy).collect();
        let what = words.strip_suffix(&hint).unwrap_or(&words).to_owned();
        Self { what, advice: (!advice.is_empty()).then(|| advice.join(", or ")) }
    }
}

/// A way out as an option of the command.
fn remedy(remedy: &Remedy) -> Option<String> {
    Some(match remedy {
        Remedy::Delimiter(b'\t') => "`--delimiter tab`".to_owned(),
        Remedy::Delimiter(sign) => format!("`--delimiter '{}'`", sign.escape_ascii()),
        Remedy::Comment(sign) => format!("`--comment '{}'`", sign.escape_ascii()),
        Remedy::Numbers { decimal, thousands, value } => {
            format!("{}, if it is {value}", writing(*decimal, *thousands))
        }
        Remedy::Categorical(column) => format!("`--categorical {}`", quoted(column)),
        _ => return None,
    })
}

/// The options by which numbers are written so.
fn writing(decimal: char, thousands: Option<char>) -> String {
    let decimal = (decimal != '.').then(|| format!("--decimal '{decimal}'"));
    let thousands = thousands.map(|sign| format!("--thousands '{sign}'"));
    let options: Vec<String> = decimal.into_iter().chain(thousands).collect();
    format!("`{}`", options.join(" "))
}

impl From<UnknownName> for Failure {
    fn from(UnknownName { what, name, nearest, known }: UnknownName) -> Self {
        let words = format!("no {what} `{}`{nearest}", secant::core::text::quoted(&name));
        Self::advised(words, format!("one of {}", known.join(", ")))
    }
}

impl From<FitError> for Failure {
    fn from(error: FitError) -> Self {
        let advice = match &error {
            FitError::Curve(curve) => curve_advice(curve),
            _ => None,
        };
        Self { what: error.to_string(), advice }
    }
}

/// Options by which a curve can be fitted.
fn curve_advice(error: &CurveError) -> Option<String> {
    match error {
        CurveError::Idle { name } => Some(format!(
            "nothing depends on `{name}`: `--fix {name}=1` holds it, or take it out of the formula"
        )),
        CurveError::NoFeature { features, .. } => {
            let features = features.join(", ");
            Some(format!("the formula names no column; columns are: {features}"))
        }
        _ => None,
    }
}

macro_rules! plainly {
    ($($error:ty),+) => { $(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.to_string())
            }
        }
    )+ };
}

plainly!(
    ModelFileError,
    DescriptionError,
    InferenceError,
    secant::plot::PlotError,
    std::io::Error,
    secant::optim::ManyError,
    secant::optim::OptimError
);
